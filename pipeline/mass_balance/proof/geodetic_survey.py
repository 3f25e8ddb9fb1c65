"""Two elevation models of the glacier, differenced and held against the balances of the years between them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from rasterio.errors import RasterioError

from pipeline.elevation_change.chain import elevation_change
from pipeline.inputs.gdal_inputs import open_raster
from pipeline.mass_balance.proof.geodetic_check import survey_settings, with_geodetic_check
from pipeline.mass_balance.result import MassBalance
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from schemas.errors import BadInput
from schemas.input_files import require_plain_file

# the standard TIFF tag of the day a picture was taken, as GDAL names it
_DAY_TAG = "TIFFTAG_DATETIME"


def with_surveys(
    result: MassBalance,
    dems: tuple[Path, Path],
    outline: Path,
    *,
    days: tuple[date | None, date | None] = (None, None),
    resources: Resources | None = None,
    tell: Tell = silent,
) -> MassBalance:
    """The result with its geodetic check: ``dems`` differenced over ``outline``, earlier one first.

    ``days`` on which they were surveyed; None where the file says it.

    Parameters
    ----------
    result : of the mass balance.
    dems : earlier and later, m.
    outline : of the glacier.
    days : on which they were surveyed; None where the file says it.
    resources : what the elevation change computes with.
    tell : takes a line for each step.

    Errors
    ------
    BadInput : an elevation model without a day, or one that the elevation-change chain refuses.
    """
    earlier, later = (stated or survey_day(dem) for dem, stated in zip(dems, days, strict=True))
    tell("differencing the surveys for the geodetic check")
    settings = survey_settings(result.glacier.crs, earlier, later)
    change = elevation_change(*dems, settings, outlines=(outline,), resources=resources, tell=tell)
    return with_geodetic_check(result, change)


def survey_day(dem: Path) -> date:
    """The day an elevation model was surveyed, from the file's own tag.

    Parameters
    ----------
    dem : with the tag DateTime, as YYYY:MM:DD.

    Errors
    ------
    BadInput : no such tag, or a file that cannot be read.
    """
    require_plain_file(dem, dem.name, "a DEM (GeoTIFF or any raster with a CRS)")
    try:
        with open_raster(str(dem.absolute())) as source:
            stated = source.tags().get(_DAY_TAG, "")
    except RasterioError as error:
        raise BadInput(dem.name, f"an unreadable raster ({str(error).splitlines()[0]})", "a DEM") from None
    try:
        return date.fromisoformat(stated[:10].replace(":", "-"))
    except ValueError:
        raise BadInput(
            dem.name, "no day of survey" if not stated else f"the day of survey {stated!r}",
            "a DEM whose day is stated, or tagged (DateTime, YYYY:MM:DD)", "state acquired_start of its source",
        ) from None  # fmt: skip
