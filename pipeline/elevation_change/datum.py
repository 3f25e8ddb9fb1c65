"""Bring heights from one vertical datum to another with PROJ's geoid grids, and never by a ballpark."""

from __future__ import annotations

import warnings

import numpy as np
from pyproj import CRS, Transformer, datadir
from pyproj.exceptions import CRSError
from pyproj.transformer import TransformerGroup
from scipy.interpolate import RegularGridInterpolator

from pipeline.elevation_change.result import DatumStep
from pipeline.grid import FloatArray, Grid
from schemas.errors import BadInput

# The geoid grids are bilinear between posts of 1' or more; only pixels beside a post's kink see this lattice, by 2 mm.
LATTICE_M = 100.0


class MissingGeoidGrid(BadInput):
    """PROJ lacks the grid of a vertical transformation; the message names it, where PROJ looked, and the cure.

    Attributes
    ----------
    grids : file names of the grids that are missing.
    """

    def __init__(self, source: str, target: str, grids: str, looked: str) -> None:
        self.grids = grids
        super().__init__(
            f"vertical datum {source} to {target}",
            f"no PROJ grid {grids} (looked in {looked})",
            "the geoid grid installed",
            "run `fetch geoids`, or set PROJ_DATA to a folder that holds it",
        )


def vertical_transformer(source: str, target: str) -> Transformer:
    """PROJ transformer of (longitude, latitude, height) from vertical datum ``source`` to ``target``.

    PROJ answers a missing grid with a "ballpark" transformation that leaves heights unchanged; that is refused here.

    Parameters
    ----------
    source, target : EPSG codes of vertical CRS ("EPSG:5773"), or "EPSG:4979" for ellipsoidal heights.

    Errors
    ------
    MissingGeoidGrid : the best transformation's grid is not installed.
    BadInput : not a vertical CRS that PROJ knows.
    """
    source_crs, target_crs = _with_height(source), _with_height(target)
    with warnings.catch_warnings():
        # PROJ warns here of the missing grid; the error below says the same, with the cure
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(source_crs, target_crs, always_xy=True)
    usable = [one for one in group.transformers if "ballpark" not in one.description.lower()]
    if not usable or not group.best_available:
        wanted = [operation.grids for operation in group.unavailable_operations]
        names = sorted({grid.short_name for grid in (wanted[0] if wanted else []) if not grid.available})
        user_folder = datadir.get_user_data_dir()  # type: ignore[attr-defined]  # public, but its types hide it
        looked = ", ".join([*datadir.get_data_dir().split(":"), str(user_folder)])
        raise MissingGeoidGrid(source, target, ", ".join(names) or "for it", looked)
    return usable[0]


def _with_height(code: str) -> CRS:
    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        raise BadInput("vertical datum", repr(code), "an EPSG code of a vertical CRS, as EPSG:5773") from None
    if crs.is_vertical:
        return CRS.from_user_input(f"EPSG:4326+{code.split(':')[-1]}")
    if crs.is_geographic and len(crs.axis_info) == 3:
        return crs
    raise BadInput("vertical datum", f"{code} ({crs.name})", "a vertical CRS, as EPSG:5773, or EPSG:4979")


def height_change(source: str, target: str, longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """What is added to heights in datum ``source`` to have them in ``target``, at points in degrees; m."""
    transformer = vertical_transformer(source, target)
    zero = np.zeros(np.shape(longitude))
    _, _, height = transformer.transform(longitude, latitude, zero)
    return np.asarray(height, float)


def datum_field(source: str, target: str, grid: Grid) -> FloatArray:
    """``height_change`` on every pixel of a projected grid, bilinear between the points of a lattice; float32, m."""
    easting, northing = grid.centres()
    lattice_east = np.arange(easting[0] - LATTICE_M, easting[-1] + 2 * LATTICE_M, LATTICE_M)
    lattice_north = np.arange(northing[-1] - LATTICE_M, northing[0] + 2 * LATTICE_M, LATTICE_M)
    east, north = np.meshgrid(lattice_east, lattice_north)
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(east, north)
    change = height_change(source, target, np.asarray(longitude), np.asarray(latitude))
    interpolate = RegularGridInterpolator((lattice_north, lattice_east), change)
    field = np.empty(grid.shape, np.float32)
    for row, north_of_row in enumerate(northing):
        field[row] = interpolate(np.column_stack([np.full(easting.size, north_of_row), easting]))
    return field


def datum_step(
    earlier: str | None, later: str | None, reference: str, grid: Grid, when_missing: str
) -> tuple[DatumStep, FloatArray | None]:
    """The field to add to the aligned DEM so that it stands on the reference's datum, or why there is none.

    Parameters
    ----------
    earlier, later : EPSG codes of the vertical datums; None when unknown.
    reference : "earlier" or "later".
    when_missing : "stop", or "coregistration" to leave the difference to the vertical term of the co-registration.

    Errors
    ------
    MissingGeoidGrid : when_missing is "stop" and PROJ lacks the grid.
    """
    names = (earlier or "not stated", later or "not stated")
    if earlier is None or later is None:
        note = "a vertical datum is not stated; a constant difference goes into the vertical shift"
        return DatumStep(*names, "left to co-registration", note), None
    if earlier == later:
        return DatumStep(*names, "none needed", "both DEMs stand on the same vertical datum"), None
    source, target = (earlier, later) if reference == "later" else (later, earlier)
    try:
        field = datum_field(source, target, grid)
    except MissingGeoidGrid as error:
        if when_missing == "stop":
            raise
        note = (
            f"PROJ lacks the geoid grid ({error.grids}); the mean difference of the datums is in the vertical shift, "
            "its variation over the area stays in the result"
        )
        return DatumStep(*names, "left to co-registration", note), None
    note = f"PROJ grids changed {source} heights to {target} by {field.min():.3f} to {field.max():.3f} m"
    return DatumStep(*names, "PROJ grids", note), field
