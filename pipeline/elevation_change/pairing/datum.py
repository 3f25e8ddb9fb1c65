"""Bring heights from one vertical datum to another with PROJ's geoid grids, and never by a ballpark."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike
from pyproj import CRS, Transformer, datadir
from pyproj.crs import CompoundCRS
from pyproj.exceptions import CRSError, ProjError
from pyproj.transformer import TransformerGroup

from pipeline.blocks import Window
from pipeline.elevation_change.result import DatumStep
from pipeline.grid import FloatArray, Grid
from pipeline.longitudes import unwrapped, within_a_turn
from schemas.errors import BadInput
from schemas.messages import Message

# A field is bilinear between the points of this lattice. It is exact but beside the posts of a geoid grid (15', 2.5' or
# 1' apart), where the slope of the geoid changes: there it is off by up to 3 mm.
LATTICE_M = 100.0
# The lattice's points in turn lie between points whose degrees are computed (to 0.1 m, 10 um of the geoid), and between
# geoid heights this far apart; every post of the geoid grids is one of them, so that nothing is lost.
DEGREES_M = 2000.0
POST_DEG = 1 / 120
# coordinates are taken to a tenth of a millimetre
ROUNDED_DIGITS = 4
# spacing of the points from which the range of a field is stated
SURVEY_M = 500.0
# grids that inputs may bring, by the datum whose heights they turn into ellipsoidal ones
OWN_GRIDS = {"EPSG:5773": "us_nga_egm96_15.tif", "EPSG:3855": "us_nga_egm08_25.tif"}
_ELLIPSOIDAL = "EPSG:4979"


class MissingGeoidGrid(BadInput):
    """PROJ lacks the grid of a vertical transformation; the message names it, where PROJ looked, and the cure.

    Attributes
    ----------
    grids : file names of the grids that are missing, or where their heights are.
    """

    def __init__(self, source: str, target: str, grids: str) -> None:
        self.grids = grids
        user_folder = datadir.get_user_data_dir()  # type: ignore[attr-defined]  # public, but its types hide it
        looked = ", ".join([*datadir.get_data_dir().split(os.pathsep), str(user_folder)])
        super().__init__(
            f"vertical datum {source[:40]} to {target[:40]}",
            f"no PROJ grid {grids} (looked in {looked})",
            "the geoid grid installed",
            f"run `fetch geoids`, or put it into {user_folder}",
        )


def vertical_transformer(source: str, target: str, geoids: str = "") -> Transformer:
    """PROJ transformer of (longitude, latitude, height) from vertical datum ``source`` to ``target``.

    Grids that the inputs bring count before those that PROJ finds, for this transformer alone. PROJ answers a missing
    grid with a "ballpark" transformation that leaves heights unchanged; that is refused here.

    Parameters
    ----------
    source, target : EPSG codes of vertical CRS ("EPSG:5773"), or "EPSG:4979" for ellipsoidal heights.
    geoids : folder of grids under the names of ``OWN_GRIDS``; empty for none.

    Errors
    ------
    MissingGeoidGrid : the best transformation's grid is not installed.
    BadInput : not a vertical CRS that PROJ knows.
    """
    if own_grids(source, target, geoids):
        return _by_own_grids(source, target, geoids)
    source_crs, target_crs = _with_height(source), _with_height(target)
    with warnings.catch_warnings():
        # PROJ warns here of the missing grid; the error below says the same, with the cure
        warnings.simplefilter("ignore", UserWarning)
        group = TransformerGroup(source_crs, target_crs, always_xy=True)
    usable = [one for one in group.transformers if "ballpark" not in one.description.lower()]
    if not usable or not group.best_available:
        wanted = [operation.grids for operation in group.unavailable_operations]
        names = sorted({grid.short_name for grid in (wanted[0] if wanted else []) if not grid.available})
        raise MissingGeoidGrid(source, target, ", ".join(names) or "for it")
    return usable[0]


def own_grids(source: str, target: str, geoids: str) -> tuple[str, ...]:
    """Names of the grids in a folder that together lead from one vertical datum to another; empty where they do not.

    Parameters
    ----------
    source, target : EPSG codes, as "EPSG:5773" or "EPSG:4979".
    geoids : the folder; empty for none.
    """
    datums = [code for code in (source, target) if code != _ELLIPSOIDAL]
    names = tuple(OWN_GRIDS.get(code, "") for code in datums)
    complete = bool(geoids) and all(name and (Path(geoids) / name).is_file() for name in names)
    return names if complete else ()


def _by_own_grids(source: str, target: str, geoids: str) -> Transformer:
    """The way through the ellipsoid by grids of a folder, which PROJ is told by their paths."""
    if set(geoids) & {",", '"'}:  # PROJ takes them for the end of a name
        raise BadInput(
            geoids, "a comma or a quotation mark in the path", "a folder of geoid grids without", "rename it"
        )
    steps = []
    for code, way in ((source, ""), (target, " +inv")):
        if code != _ELLIPSOIDAL:
            path = Path(geoids) / OWN_GRIDS[code]
            steps.append(f'+step{way} +proj=vgridshift +grids="{path}" +multiplier=1')
    degrees = "+step +proj=unitconvert +xy_in=deg +xy_out=rad", "+step +proj=unitconvert +xy_in=rad +xy_out=deg"
    try:
        return Transformer.from_pipeline(" ".join(["+proj=pipeline", degrees[0], *steps, degrees[1]]))
    except ProjError as error:
        raise BadInput(geoids, f"geoid grids that PROJ cannot use ({error})", "Geodetic TIFFs (GTG)") from None


def vertical_datum(code: str, role: str) -> str:
    """The code of a vertical datum in the one form that is compared, as ``"EPSG:5773"`` of ``"EPSG:32645+5773"``.

    Parameters
    ----------
    code : as PROJ understands it, alone or as the second part of a compound CRS.
    role : "earlier" or "later", as errors name the DEM.

    Errors
    ------
    BadInput : not a vertical CRS that PROJ knows; names the DEM by its role.
    """
    where = f"vertical datum of the {role} DEM"
    _with_height(code, where)
    authority = _height_axis(code, where).to_authority(min_confidence=70)
    return ":".join(authority) if authority else code


def _height_axis(code: str, where: str) -> CRS:
    """The vertical part of a compound CRS, another CRS as it is."""
    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        raise BadInput(where, repr(code), "an EPSG code of a vertical CRS, as EPSG:5773") from None
    return crs.sub_crs_list[1] if crs.is_compound else crs


def _with_height(code: str, where: str = "vertical datum") -> CRS:
    crs = _height_axis(code, where)
    if crs.is_vertical:
        authority = crs.to_authority(min_confidence=70)
        # PROJ names grids by the codes of both parts; a datum without a code keeps its own definition
        if authority and authority[0] == "EPSG":
            return CRS.from_user_input(f"EPSG:4326+{authority[1]}")
        return CompoundCRS(f"WGS 84 + {crs.name}", ["EPSG:4326", crs])
    if crs.is_geographic and len(crs.axis_info) == 3:
        return crs
    raise BadInput(where, f"{code} ({crs.name})", "a vertical CRS, as EPSG:5773, or EPSG:4979")


def height_change(
    source: str, target: str, longitude: FloatArray, latitude: FloatArray, geoids: str = ""
) -> FloatArray:
    """What is added to heights in datum ``source`` to have them in ``target``, at points in degrees; m.

        H_target = H_source + N_source - N_target

    N: the geoid's height above the ellipsoid.

    Parameters
    ----------
    source, target : EPSG codes of the vertical datums.
    longitude, latitude : degrees, any one shape.
    geoids : folder of grids that the inputs bring; empty for none.

    Returns
    -------
    N_source - N_target at each point, m, of the same shape.

    Errors
    ------
    MissingGeoidGrid : no grid, or none that covers the points.
    BadInput : as ``vertical_transformer``.
    """
    return _added(vertical_transformer(source, target, geoids), source, target, longitude, latitude)


def _added(
    transformer: Transformer, source: str, target: str, longitude: FloatArray, latitude: FloatArray
) -> FloatArray:
    _, _, height = transformer.transform(longitude, latitude, np.zeros(np.shape(longitude)))
    change = np.asarray(height, float)
    outside = ~np.isfinite(change)
    if outside.any():
        # PROJ has a crop of the grid, of another region
        place = f"{np.asarray(latitude)[outside][0]:.3f} N {np.asarray(longitude)[outside][0]:.3f} E"
        raise MissingGeoidGrid(source, target, f"that holds {place}")
    return change


def geoid_undulation_m(grid: Grid, geoids: str = "") -> float | None:
    """Height of the geoid above the ellipsoid at a grid's centre, m, by EGM96 or EGM2008; None without their grids.

    Parameters
    ----------
    grid : in any CRS.
    geoids : folder of grids that the inputs bring; empty for none.
    """
    west, south, east, north = unwrapped(grid.bounds_lonlat)
    centre = np.array([within_a_turn((west + east) / 2)]), np.array([(south + north) / 2])
    for geoid in ("EPSG:5773", "EPSG:3855"):
        try:
            return float(height_change(geoid, "EPSG:4979", *centre, geoids)[0])
        except BadInput:
            continue
    return None


@dataclass(frozen=True)
class DatumField:
    """``height_change`` on the pixels of a projected grid, float32, m; a ``pipeline.blocks.Raster``.

    Bilinear between the points of a lattice that lies at whole multiples of ``LATTICE_M``, so that a pixel's value is
    the same to the bit whichever rectangle is asked for. ``geoids`` is a folder of grids that the inputs bring.
    """

    source: str
    target: str
    grid: Grid
    geoids: str = ""

    @property
    def shape(self) -> tuple[int, int]:
        return self.grid.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    @cached_property
    def _wraps(self) -> bool:
        """Whether the grid crosses the antimeridian, where longitudes jump."""
        west, _, east, _ = self.grid.bounds_lonlat
        return west > east

    def __getitem__(self, window: Window, /) -> FloatArray:
        """The change on (rows, columns), slices with a positive step.

        Errors
        ------
        MissingGeoidGrid, BadInput : as ``height_change``.
        """
        # so that a pixel of a window has the same coordinates as that of the whole grid
        easting, northing = (np.round(part, ROUNDED_DIGITS) for part in self.grid.centres())
        rows, columns = _Between.of(northing[window[0]], LATTICE_M), _Between.of(easting[window[1]], LATTICE_M)
        if rows.whole.size == 0 or columns.whole.size == 0:
            return np.empty((rows.whole.size, columns.whole.size), np.float32)
        return _on_axes(self._lattice(rows.nodes, columns.nodes).astype(np.float32), rows, columns)

    def _lattice(self, northing: FloatArray, easting: FloatArray) -> FloatArray:
        """The change at the lattice's rows and columns, shape (rows, columns), m."""
        to_degrees, vertical = _transformers(
            self.grid.crs, self.source, self.target, datadir.get_data_dir(), self.geoids
        )
        rows, columns = _Between.of(northing, DEGREES_M), _Between.of(easting, DEGREES_M)
        degrees = to_degrees.transform(*np.meshgrid(columns.nodes, rows.nodes))
        eastward, northward = (np.asarray(part) for part in degrees)
        if self._wraps:
            eastward = np.where(eastward < 0, eastward + 360, eastward)
        longitude, latitude = _on_axes(eastward, rows, columns), _on_axes(northward, rows, columns)
        across, along = _Between.of(longitude, POST_DEG), _Between.of(latitude, POST_DEG)
        posts = _added(vertical, self.source, self.target, *np.meshgrid(across.nodes, along.nodes))
        lower, upper = (
            posts[row, across.whole] * (1 - across.part) + posts[row, across.whole + 1] * across.part
            for row in (along.whole, along.whole + 1)
        )
        between: FloatArray = lower * (1 - along.part) + upper * along.part
        return between

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> FloatArray:
        whole = self[:, :]
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def span_m(self) -> tuple[float, float]:
        """Least and greatest change over the grid, from points every ``SURVEY_M`` and its edges, m."""
        easting, northing = self.grid.centres()
        step = max(1, int(SURVEY_M / min(self.grid.pixel_size)))
        rows, columns = (np.append(part[:-1:step], part[-1]) for part in (northing, easting))
        change = self._lattice(rows, columns)
        return float(change.min()), float(change.max())


@lru_cache(maxsize=16)
def _transformers(crs: str, source: str, target: str, _searched: str, geoids: str) -> tuple[Transformer, Transformer]:
    """To degrees, and between the datums; made once for the folders that PROJ searches, for it takes 20 ms."""
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True), vertical_transformer(source, target, geoids)


@dataclass(frozen=True)
class _Between:
    """Where positions lie between nodes at whole multiples of a spacing.

    Attributes
    ----------
    nodes : all that the positions lie between, ascending.
    whole, part : position = nodes[whole] + part * spacing.
    """

    nodes: FloatArray
    whole: Any
    part: FloatArray

    @classmethod
    def of(cls, position: FloatArray, spacing: float) -> _Between:
        scaled = position / spacing
        whole = np.floor(scaled)
        if whole.size == 0:
            return cls(np.empty(0), whole.astype(np.int64), whole)
        first = whole.min()
        nodes = np.arange(first, whole.max() + 2) * spacing
        return cls(nodes, (whole - first).astype(np.int64), scaled - whole)


def _on_axes(nodes: FloatArray, rows: _Between, columns: _Between) -> FloatArray:
    """Values between nodes, bilinear, one axis after the other; shape (rows, columns), of the nodes' type."""
    part = columns.part.astype(nodes.dtype)
    lines = nodes[:, columns.whole] * (1 - part) + nodes[:, columns.whole + 1] * part
    steps = np.diff(lines, axis=0)
    result: FloatArray = np.take(lines, rows.whole, axis=0)
    for number, (whole, share) in enumerate(zip(rows.whole, rows.part.astype(nodes.dtype), strict=True)):
        result[number] += share * steps[whole]
    return result


def datum_field(source: str, target: str, grid: Grid) -> FloatArray:
    """``height_change`` on every pixel of a projected grid, see ``DatumField``; float32, m.

    Parameters
    ----------
    source, target : EPSG codes of the vertical datums.
    grid : projected, m.

    Returns
    -------
    shape grid.shape, m.
    """
    return np.asarray(DatumField(source, target, grid))


def datum_step(
    earlier: str | None, later: str | None, reference: str, grid: Grid, when_missing: str, geoids: str = ""
) -> tuple[DatumStep, DatumField | None]:
    """The field to add to the aligned DEM so that it stands on the reference's datum, or why there is none.

    Parameters
    ----------
    earlier, later : EPSG codes of the vertical datums; None when unknown.
    reference : "earlier" or "later".
    when_missing : "stop", or "coregistration" to leave the difference to the vertical term of the co-registration.
    geoids : folder of grids that the inputs bring; empty for none.

    Errors
    ------
    MissingGeoidGrid : when_missing is "stop" and PROJ lacks the grid.
    """
    names = (earlier or "not stated", later or "not stated")
    if earlier is None or later is None:
        note = Message("a vertical datum is not stated; a constant difference goes into the vertical shift")
        return DatumStep(*names, Message("left to co-registration"), note), None
    if earlier == later:
        note = Message("both DEMs stand on the same vertical datum")
        return DatumStep(*names, Message("none needed"), note), None
    source, target = (earlier, later) if reference == "later" else (later, earlier)
    try:
        field = DatumField(source, target, grid, geoids)
        least, greatest = field.span_m()
    except MissingGeoidGrid as error:
        if when_missing == "stop":
            raise
        note = Message(
            "PROJ lacks the geoid grid ({grids}); the mean difference of the datums is in the vertical shift, its"
            " variation over the area stays in the result",
            grids=error.grids,
        )
        return DatumStep(*names, Message("left to co-registration"), note), None
    own = own_grids(source, target, geoids)
    if own:
        note = Message(
            "the inputs' own geoid grids ({grids}) changed {source} heights to {target} by {least:.2f} to"
            " {greatest:.2f} m",
            grids=", ".join(own),
            source=source,
            target=target,
            least=least,
            greatest=greatest,
        )
        return DatumStep(*names, Message("PROJ grids"), note), field
    note = Message(
        "PROJ grids changed {source} heights to {target} by {least:.2f} to {greatest:.2f} m",
        source=source,
        target=target,
        least=least,
        greatest=greatest,
    )
    return DatumStep(*names, Message("PROJ grids"), note), field
