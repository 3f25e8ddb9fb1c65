"""The files of a mass balance: of each year rasters, isolines, outline and styles, and the figures of the series.

They are written alike for an archive, where each year has a folder, and for a run of one's own, where all years share
one. What writes a file here returns the asset that a catalogue makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from catalog.archive import (
    BALANCE_SIGMA_TIF,
    BALANCE_TIF,
    COG,
    GEOJSON,
    ISOLINES_GEOJSON,
    MAP_PNG,
    METHODS_PNG,
    OUTLINE_GEOJSON,
    OUTLINE_PARQUET,
    PARQUET,
    PROFILE_PNG,
    PROFILES_PNG,
    SERIES_PNG,
    STAKES_PNG,
    THUMBNAIL_PNG,
    VISUAL_TIF,
    Asset,
)
from catalog.figures import (
    PIXELS_OF_A_SCALE,
    ShadedGround,
    YearFiles,
    balance_limit,
    draw_balance,
    draw_balance_profiles,
    draw_balance_series,
    draw_methods,
    draw_stake_history,
    draw_years,
    mapped_years,
    symmetric_limit,
)
from catalog.formats import (
    VISUAL_NODATA,
    PublishedTable,
    filled_up,
    published_rows,
    to_degrees,
    write_cog,
    write_features,
    write_parquet,
)
from catalog.items.measured_rasters import MeasuredRaster, write_measured_raster
from catalog.items.qgis import Naming, write_balance_styles
from catalog.items.stated import PNG, Labels
from pipeline.mass_balance.result import BalanceField, MassBalance
from schemas.messages import Message
from schemas.tables import OUTLINE

# drawn once for the collection; they stand beside collection.json
COLLECTION_FIGURES = {
    SERIES_PNG: Message("Annual, winter and summer balances with their errors, and the cumulative balance"),
    PROFILES_PNG: Message("Balance against elevation in every year, with the equilibrium lines"),
    METHODS_PNG: Message("What each method makes of the annual balance, and the error by source"),
    STAKES_PNG: Message("Exposed length and cumulative balance of each stake over time"),
}


def in_folder(folder: Path) -> Naming:
    """Files under their own names, in a folder of their year."""
    return lambda name: folder / name


def side_by_side(folder: Path, year: int) -> Naming:
    """Files of several years in one folder, each with its year behind its name."""
    return lambda name: folder / f"{Path(name).stem}_{year}{Path(name).suffix}"


def draw_balance_figures(result: MassBalance, folder: Path, files: Mapping[int, YearFiles], synthetic: bool) -> None:
    """Draw the pictures of each year that ``files`` names, and those of the series into ``folder``.

    A series without a balance, or without stakes, lacks the figures of these.
    """
    draw_years(result, files, synthetic)
    if any(year.annual_m_we is not None for year in result.years):
        draw_balance_series(folder / SERIES_PNG, result, synthetic)
        draw_balance_profiles(folder / PROFILES_PNG, result, synthetic)
        draw_methods(folder / METHODS_PNG, result, synthetic)
    if not result.tables["stakes"].empty:
        draw_stake_history(folder / STAKES_PNG, result, synthetic)


def year_files(result: MassBalance, named: Callable[[int], Naming], *, to_browse: bool) -> dict[int, YearFiles]:
    """What is drawn of each year, under the names that ``named`` gives to the files of a year."""
    files = {}
    for year in mapped_years(result):
        own = named(year.year)
        thumbnail = own(THUMBNAIL_PNG) if to_browse else None
        files[year.year] = YearFiles(f"{result.glacier.name}, {year.year}", own(MAP_PNG), own(PROFILE_PNG), thumbnail)
    return files


def write_year_products(
    result: MassBalance, field: BalanceField, named: Naming, labels: Labels, ground: ShadedGround | None
) -> tuple[Asset, ...]:
    """Write the rasters, isolines, outline and styles of a year; its pictures are drawn with those of other years.

    Parameters
    ----------
    named : where a file goes.
    labels : what the files say of themselves.
    ground : that the picture in colour is drawn on; None where no catalogue will show the year.
    """
    outlined = [] if field.outline is None else [result.glacier.glacier_id]
    return (
        *_write_rasters(field, named, labels),
        *([] if ground is None else [_write_visual(result, field, ground, named, labels)]),
        _write_isolines(result, field, named, labels),
        *_write_outline(result, field, named, labels),
        *_pictures(to_browse=ground is not None),
        *write_balance_styles(named, (balance_limit(result), sigma_limit(result)), outlined),
    )


def _pictures(*, to_browse: bool) -> Iterator[Asset]:
    """The pictures that ``draw_balance_figures`` draws of a year."""
    yield Asset(
        key="map",
        href=MAP_PNG,
        title=Message("Map of the isolines, stakes and equilibrium line"),
        media_type=PNG,
        roles=("overview",),
    )
    yield Asset(
        key="profile",
        href=PROFILE_PNG,
        title=Message("Balance against elevation, with the equilibrium line"),
        media_type=PNG,
        roles=("overview",),
    )
    if to_browse:
        yield Asset(
            key="thumbnail",
            href=THUMBNAIL_PNG,
            title=Message("Thumbnail with colour scale"),
            media_type=PNG,
            roles=("thumbnail",),
        )


def _write_rasters(field: BalanceField, named: Naming, labels: Labels) -> Iterator[Asset]:
    for raster in (
        MeasuredRaster(
            key="balance",
            name=BALANCE_TIF,
            values=field.balance_m_we,
            unit="m w.e.",
            band=Message("annual balance"),
            title=Message("Annual balance"),
            description=Message("Annual balance, metres of water equivalent"),
        ),
        MeasuredRaster(
            key="balance_sigma",
            name=BALANCE_SIGMA_TIF,
            values=field.sigma_balance_m_we,
            unit="m w.e.",
            band=Message("one standard deviation of the annual balance"),
            title=Message("Uncertainty of the annual balance"),
            description=Message("One standard deviation of the annual balance, metres of water equivalent"),
            roles=("data", "uncertainty"),
        ),
    ):
        yield write_measured_raster(raster, field.grid, named(raster.name), labels.tags)


def _write_visual(
    result: MassBalance, field: BalanceField, ground: ShadedGround, named: Naming, labels: Labels
) -> Asset:
    """The picture that viewers without a colour scale of ours show."""
    limit = balance_limit(result)
    drawn = draw_balance(field, limit, ground)
    picture, frame = filled_up(drawn.rgb, drawn.grid, VISUAL_NODATA)
    write_cog(
        named(VISUAL_TIF), picture, frame, nodata=VISUAL_NODATA, unit="", resampling="average",
        description=("red", "green", "blue"), tags={**labels.tags, "COLOUR_SCALE_M_WE": f"{limit:g}"},
    )  # fmt: skip
    return Asset(
        key="visual",
        href=VISUAL_TIF,
        title=Message("Annual balance in colour"),
        media_type=COG,
        roles=("visual", "overview"),
        description=Message(
            "Red for loss, blue for gain, from -{limit:g} to {limit:g} m w.e., over shaded relief, with isolines and"
            " the glacier outlined; drawn on finer pixels than those of the balance",
            limit=limit,
        ),
        extra={"raster:sampling": "area"},
    )


def _write_isolines(result: MassBalance, field: BalanceField, named: Naming, labels: Labels) -> Asset:
    lines = sorted(field.isolines, key=lambda line: (line.balance_m_we, line.geometry.wkt))
    features = ((line.geometry, {"balance_m_we": round(line.balance_m_we, 2) + 0.0}) for line in lines)
    write_features(named(ISOLINES_GEOJSON), features, field.grid.crs, labels.about)
    text = Message(
        "Lines of equal annual balance at {interval:g} m w.e., clipped to the outline",
        interval=result.settings.isoline_interval_m_we,
    )
    return Asset(
        key="isolines",
        href=ISOLINES_GEOJSON,
        title=Message("Isolines of the annual balance"),
        media_type=GEOJSON,
        roles=("data",),
        description=text,
    )


def _write_outline(result: MassBalance, field: BalanceField, named: Naming, labels: Labels) -> Iterator[Asset]:
    outline = field.outline
    if outline is None:
        return
    record = pd.DataFrame(
        [[result.glacier.glacier_id, result.glacier.name, outline.area / 1e6]], columns=list(OUTLINE.column_names)
    )
    table = PublishedTable(OUTLINE, tuple(published_rows(OUTLINE, record)))
    properties = dict(zip(OUTLINE.column_names, table.rows[0], strict=True))
    write_features(named(OUTLINE_GEOJSON), [(outline, properties)], field.grid.crs, labels.about)
    text = Message("The outline within which the balance is computed")
    yield Asset(
        key="outline",
        href=OUTLINE_GEOJSON,
        title=Message("Glacier outline"),
        media_type=GEOJSON,
        roles=("data",),
        description=text,
    )
    write_parquet(named(OUTLINE_PARQUET), table, [to_degrees(outline, field.grid.crs)])
    yield Asset(
        key="outline_geoparquet",
        href=OUTLINE_PARQUET,
        title=Message("Glacier outline (GeoParquet)"),
        media_type=PARQUET,
        roles=("data",),
        description=Message("The same outline as GeoParquet"),
    )


def sigma_limit(result: MassBalance) -> float:
    """End of the scale of the standard deviation (m w.e.), the same for every year: what holds 98 % of the pixels."""
    fields = [year.field.sigma_balance_m_we.ravel() for year in result.years if year.field is not None]
    step = max(1, sum(field.size for field in fields) // PIXELS_OF_A_SCALE)
    return symmetric_limit(np.concatenate([field[::step] for field in fields])) if fields else 1.0
