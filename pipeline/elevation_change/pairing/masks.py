"""What of the grid cannot be stable terrain: glaciers, what lies near them, and what the user's own masks say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.blocks import Raster, Uniform, Window
from pipeline.elevation_change.dems import open_mosaic
from pipeline.elevation_change.pairing.dem_pair import ON_GLACIER, UNSUITABLE
from pipeline.elevation_change.pairing.gridded_dem import GriddedDem, gridded
from pipeline.grid import BoolArray, Grid
from pipeline.resources import Resources
from schemas.errors import BadInput
from schemas.messages import Message

if TYPE_CHECKING:
    import geopandas as gpd

_AREAS, _LINES = ("Polygon", "MultiPolygon"), ("LineString", "MultiLineString", "LinearRing")


@dataclass(frozen=True, kw_only=True)
class UserMasks:
    """Masks that the user gives: rasters, of which values above zero count, or shapes.

    Attributes
    ----------
    stable : where terrain may be stable; None for everywhere.
    exclude : where it is not: water, snow, rivers, mines.
    """

    stable: Path | None = None
    exclude: tuple[Path, ...] = ()


NO_MASKS = UserMasks()


@dataclass(frozen=True)
class _Shapes:
    """Areas in the grid's CRS."""

    areas: gpd.GeoSeries

    def inside(self, part: Grid, _window: Window) -> BoolArray:
        from pipeline.elevation_change.pairing.outlines import rasterized

        return rasterized(self.areas, part)


@dataclass(frozen=True)
class _Values:
    """A raster on the grid; above zero counts."""

    raster: GriddedDem

    def inside(self, _part: Grid, window: Window) -> BoolArray:
        above: BoolArray = self.raster[window] > 0
        return above


def unsuitable_ground(
    outlines: gpd.GeoDataFrame | None,
    masks: UserMasks,
    grid: Grid,
    distances_m: tuple[float, float],
    resources: Resources,
    notes: list[Message],
) -> Raster:
    """Glacier pixels, what lies too near to them, and what the user's masks leave out; ON_GLACIER, UNSUITABLE, uint8.

    Parameters
    ----------
    outlines : in the grid's CRS.
    masks : of the user.
    grid : of the pair.
    distances_m : kept from outlines, and to either side of a line as a river's, m.
    resources : what the run computes with.
    notes : what was noticed is added.

    Errors
    ------
    BadInput : a mask that cannot be read.
    """
    if outlines is None and masks == NO_MASKS:
        return Uniform(grid.shape, np.dtype(np.uint8), 0)
    from pipeline.elevation_change.pairing.outlines import rasterized

    mask = resources.scratch.array(grid.shape, np.uint8)
    glaciers = None if outlines is None else outlines.geometry
    near = None if glaciers is None else glaciers.buffer(distances_m[0])
    chosen = None if masks.stable is None else _opened(masks.stable, "stable mask", grid, distances_m[1], notes)
    left_out = [_opened(path, "excluded ground", grid, distances_m[1], notes) for path in masks.exclude]
    for block in resources.blocks(grid.shape):
        window = (block.rows, slice(0, grid.shape[1]))
        part = grid.window(block.start, 0, (block.stop - block.start, grid.shape[1]))
        values = np.zeros(part.shape, np.uint8)
        if glaciers is not None and near is not None:
            values[rasterized(glaciers, part)] = ON_GLACIER
            values[rasterized(near, part)] |= UNSUITABLE
        if chosen is not None:
            values[~chosen.inside(part, window)] |= UNSUITABLE
        for one in left_out:
            values[one.inside(part, window)] |= UNSUITABLE
        mask[window] = values
    return mask


def _opened(path: Path, role: str, grid: Grid, line_m: float, notes: list[Message]) -> _Shapes | _Values:
    # half a second of libraries, which only shapes need
    from pipeline.inputs.vector_files import is_vector

    if not is_vector(path):
        return _Values(gridded(open_mosaic(path, role), grid, "nearest"))
    return _Shapes(_areas(path, role, grid, line_m, notes))


def _areas(path: Path, role: str, grid: Grid, line_m: float, notes: list[Message]) -> gpd.GeoSeries:
    """The shapes of all layers of a file as valid areas near the grid; lines are given a width."""
    import geopandas as gpd
    import shapely

    from pipeline.inputs.outline_errors import UNUSABLE, quiet_outlines

    try:
        with quiet_outlines():
            shapes = _shapes_near(path, grid)
            kinds = np.array([shape.geom_type for shape in shapes], dtype=object)
            areas = shapely.make_valid(shapes[np.isin(kinds, _AREAS)], method="structure", keep_collapsed=False)
            lines = shapely.buffer(shapes[np.isin(kinds, _LINES)], line_m)
    except BadInput:
        raise
    except UNUSABLE as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(str(path), damage, f"{role} that GDAL can read") from None
    points = len(shapes) - len(areas) - len(lines)
    if points and not len(areas) and not len(lines):
        raise BadInput(str(path), f"{points} points", f"{role}: areas or lines")
    if len(lines):
        notes.append(
            Message("{file}: lines are taken {width:g} m wide to either side", file=path.name, width=float(line_m))
        )
    together = np.concatenate([areas, lines])
    if not len(together):
        notes.append(Message("{file}: nothing of it lies within the DEMs", file=path.name))
    return gpd.GeoSeries(list(together), crs=grid.crs)


def _shapes_near(path: Path, grid: Grid) -> Any:
    """All shapes of a file that touch the grid, in its CRS; collections taken apart. Shape (shapes,), of geometries."""
    import geopandas as gpd
    import pyogrio
    import shapely
    from rasterio.warp import transform_bounds

    from pipeline.inputs.vector_files import opened_layers

    parts = [np.empty(0, dtype=object)]
    with opened_layers(path) as layers:
        for layer in layers:
            if layer.crs is None:
                raise BadInput(layer.where, "shapes without a CRS", "a known CRS", "is the .prj file beside it?")
            west, south, east, north = transform_bounds(grid.crs, layer.crs, *grid.bounds, densify_pts=21)
            usable = all(map(math.isfinite, (west, south, east, north))) and west < east
            frame = pyogrio.read_dataframe(
                layer.file, layer=layer.name, columns=[], encoding=layer.encoding, force_2d=True,
                bbox=(west, south, east, north) if usable else None,
            )  # fmt: skip
            if not isinstance(frame, gpd.GeoDataFrame):  # a table without shapes
                continue
            known = frame.geometry.to_crs(grid.crs).to_numpy()
            parts.append(shapely.get_parts([shape for shape in known if shape is not None and not shape.is_empty]))
    together = np.concatenate(parts)
    return together[shapely.intersects(together, shapely.box(*grid.bounds))]
