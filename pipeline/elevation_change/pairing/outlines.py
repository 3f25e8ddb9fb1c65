"""Glacier outlines of one or several epochs, under the attribute names of the usual inventories."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import pyogrio.errors
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine
from rasterio.warp import transform_bounds

from pipeline.grid import BoolArray, Grid
from pipeline.inputs.gdal_inputs import require_plain_outlines, require_plausible_count
from pipeline.inputs.outline_attributes import DATE_NAMES, ID_NAMES, NAME_NAMES
from pipeline.inputs.outline_errors import UNUSABLE, quiet_outlines
from schemas.errors import BadInput

# what RGI 6 writes where it knows no date
NO_DATE = "-9999999"
# a repair may change an outline's area by this share, far below what an outline's own error is
REPAIRED_SHARE = 1e-3
REPAIRED = "outline repaired"
# farther from a projection's origin nothing on Earth has a place, m
FARTHEST_M = 1e9
# vertices are burned on this fraction of a pixel, exact in binary, so that every window of a grid sees the same ones
PIXEL_FRACTION = 2.0**-20


def read_outlines(paths: Sequence[Path], grid: Grid) -> gpd.GeoDataFrame:
    """Read outlines, one file an epoch, and bring them into the grid's CRS. Only what lies about the grid is read.

    An invalid polygon is repaired where that hardly changes its area, and flagged.

    Parameters
    ----------
    paths : one file an epoch, the earliest first: shapefile, GeoPackage, GeoJSON or FlatGeobuf.
    grid : outlines off it are left out.

    Returns
    -------
    Columns glacier_id, glacier_name, epoch (the file's position, 0 the first), date (text, may be empty), geometry,
        flags (text, may be empty); only glaciers that touch the grid.

    Errors
    ------
    BadInput : unreadable file, several layers of polygons, no or unknown CRS, no polygons, invalid geometry, an outline
        across the antimeridian, a duplicate identifier, all outlines outside the grid.
    """
    frames = [_read_epoch(path, epoch, grid) for epoch, path in enumerate(paths)]
    outlines = gpd.GeoDataFrame(np.concatenate([frame.values for frame in frames]), columns=frames[0].columns)
    outlines = gpd.GeoDataFrame(outlines, geometry="geometry", crs=grid.crs)
    inside = outlines.intersects(shapely.box(*grid.bounds))
    if not inside.any():
        spans = " and ".join(_span(path, grid.crs) for path in paths)
        raise BadInput(
            ", ".join(str(path) for path in paths),
            f"no outline within the DEMs (outlines span {spans} in {grid.crs})",
            f"glaciers within {np.round(grid.bounds, 0).tolist()}",
        )
    kept = outlines.loc[inside].sort_values(["glacier_id", "epoch"], kind="stable")
    return kept.reset_index(drop=True)


def _read_epoch(path: Path, epoch: int, grid: Grid) -> gpd.GeoDataFrame:
    require_plain_outlines(path, str(path))
    try:
        with quiet_outlines():
            return _epoch(path, epoch, grid)
    except UNUSABLE as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(str(path), damage, "glacier outlines that GDAL can read") from None


def _epoch(path: Path, epoch: int, grid: Grid) -> gpd.GeoDataFrame:
    raw, records = _read_records(path, grid)
    stated = _attribute(raw, ID_NAMES)
    identifiers = [name or f"outline-{record}" for name, record in zip(stated, records, strict=True)]
    shapes, flags = _sound_shapes(path, raw, records, identifiers)
    projected = gpd.GeoSeries(shapes, crs=raw.crs).to_crs(grid.crs)
    for record, identifier, shape in zip(records, identifiers, projected, strict=True):
        if not np.all(np.abs(shape.bounds) < FARTHEST_M):  # NaN is not either
            where = f"{path}: record {record} ({identifier})"
            raise BadInput(where, f"an outline that has no place in {grid.crs}", "an outline near the DEMs")
    columns = {
        "glacier_id": identifiers,
        "glacier_name": _attribute(raw, NAME_NAMES),
        "epoch": epoch,
        "date": ["" if date == NO_DATE else date for date in _attribute(raw, DATE_NAMES)],
        "geometry": projected.to_numpy(),
        "flags": flags,
    }
    return gpd.GeoDataFrame(columns, geometry="geometry", crs=grid.crs)


def _read_records(path: Path, grid: Grid) -> tuple[gpd.GeoDataFrame, list[int]]:
    """The records near the grid, in the file's CRS, and their numbers as the file counts them."""
    layer = _polygon_layer(path)
    about = pyogrio.read_info(path, layer=layer, force_total_bounds=True)
    require_plausible_count(path, str(path), int(about["features"]))
    if about["crs"] is None:
        raise BadInput(str(path), "outlines without a CRS", "outlines with a known CRS", "is the .prj file beside it?")
    if about["features"] == 0 or about["total_bounds"] is None or not np.isfinite(about["total_bounds"]).all():
        raise BadInput(str(path), "no outline in the file", "polygons")
    area = _bounds_in(about["crs"], grid)
    raw = pyogrio.read_dataframe(path, layer=layer, bbox=area, fid_as_index=True, force_2d=True)
    # GeoPackage counts its records from 1, the others from 0
    return raw, [int(number) + (about["driver"] != "GPKG") for number in raw.index]


def _polygon_layer(path: Path) -> str | None:
    """The one layer of polygons of a file; None, the first layer, when it has none.

    Errors
    ------
    BadInput : several layers of polygons.
    """
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind and "Polygon" in kind]
    if len(layers) > 1:
        raise BadInput(
            str(path), f"{len(layers)} layers of polygons ({', '.join(layers)})", "one, the outlines of an epoch",
            "write the one that is meant to a file of its own with ogr2ogr",
        )  # fmt: skip
    return layers[0] if layers else None


def _bounds_in(crs: str, grid: Grid) -> tuple[float, float, float, float] | None:
    """The grid's bounds in another CRS, with room for the bend of its edges; None where they cannot be told."""
    west, south, east, north = transform_bounds(grid.crs, crs, *grid.bounds, densify_pts=21)
    if not all(map(math.isfinite, (west, south, east, north))) or west > east:
        return None
    width, height = (east - west) / 50, (north - south) / 50
    return west - width, south - height, east + width, north + height


def _span(path: Path, crs: str) -> str:
    """Bounds of all outlines of a file in the given CRS."""
    about = pyogrio.read_info(path, layer=_polygon_layer(path), force_total_bounds=True)
    bounds = transform_bounds(about["crs"], crs, *about["total_bounds"], densify_pts=21)
    return str(np.round(bounds, 0).tolist())


def _attribute(frame: gpd.GeoDataFrame, names: Sequence[str]) -> list[str]:
    """Values of the first column that has one of the names, as text; empty where there is none."""
    columns = {str(column).lower(): column for column in reversed(frame.columns)}
    for name in names:
        if name.lower() in columns:
            return [_text(value) for value in frame[columns[name.lower()]]]
    return [""] * len(frame)


def _text(value: Any) -> str:
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value).strip()


def _sound_shapes(
    path: Path, frame: gpd.GeoDataFrame, records: Sequence[int], identifiers: Sequence[str]
) -> tuple[list[Any], list[str]]:
    """Valid polygons of all records, and what was done to each."""
    is_geographic = frame.crs.is_geographic
    shapes, flags, seen = [], [], set()
    for record, identifier, geometry in zip(records, identifiers, frame.geometry, strict=True):
        where = f"{path}: record {record} ({identifier})"
        if geometry is None or geometry.geom_type not in ("Polygon", "MultiPolygon"):
            raise BadInput(where, f"{geometry.geom_type if geometry else 'no geometry'}", "a polygon")
        if is_geographic:
            _refuse_antimeridian(where, geometry)
        sound = geometry if geometry.is_valid else _repaired(where, geometry)
        if identifier in seen:
            raise BadInput(where, "the identifier a second time", "each glacier once in an epoch")
        seen.add(identifier)
        shapes.append(sound)
        flags.append("" if sound is geometry else REPAIRED)
    return shapes, flags


def _refuse_antimeridian(where: str, geometry: Any) -> None:
    for part in shapely.get_parts(geometry):
        west, _, east, _ = part.bounds
        if east - west > 180:
            raise BadInput(
                where, f"an outline over {east - west:.1f} degrees of longitude, across the antimeridian",
                "outlines that are cut there", "cut it with ogr2ogr -wrapdateline",
            )  # fmt: skip


def _repaired(where: str, geometry: Any) -> Any:
    """The polygon made valid.

    Errors
    ------
    BadInput : the repair would change its area by more than ``REPAIRED_SHARE``, so that nobody knows what was meant.
    """
    reason = shapely.is_valid_reason(geometry)
    sound = shapely.make_valid(geometry, method="structure", keep_collapsed=False)
    change = abs(sound.area - geometry.area)
    if sound.geom_type not in ("Polygon", "MultiPolygon") or not change < REPAIRED_SHARE * sound.area:
        share = f"{100 * change / sound.area:.3g} %" if sound.area > 0 else "all"
        raise BadInput(
            where, f"{reason} (a repair changes {share} of its area)",
            f"a valid polygon, or one that a repair changes by less than {100 * REPAIRED_SHARE:g} %",
            "repair it by hand, or with ST_MakeValid",
        )  # fmt: skip
    return sound


def rasterized(geometries: gpd.GeoSeries, grid: Grid) -> BoolArray:
    """Pixels whose centre lies within any of the geometries (grid's CRS); shape grid.shape.

    The grid may be a window of a larger one: outlines far from it cost nothing, and the windows together are what the
    larger grid gives.

    Parameters
    ----------
    geometries : polygons in the grid's CRS.
    grid : or a window of it.
    """
    near = np.sort(geometries.sindex.query(shapely.box(*grid.bounds)))
    shapes = shapely.transform(geometries.to_numpy()[near], lambda points: _pixels(points, grid))
    shapes = [shape for shape in shapes if not shape.is_empty]
    if not shapes:
        return np.zeros(grid.shape, bool)
    burned = rasterize(
        shapes, out_shape=grid.shape, transform=Affine.identity(), fill=0, default_value=1, dtype="uint8"
    )
    result: BoolArray = burned.view(bool)
    return result


def _pixels(points: Any, grid: Grid) -> Any:
    """Columns and rows of points on a grid, to ``PIXEL_FRACTION``."""
    width, height = grid.pixel_size
    placed = (points - (grid.transform.c, grid.transform.f)) / (width, -height)
    return np.round(placed / PIXEL_FRACTION) * PIXEL_FRACTION
