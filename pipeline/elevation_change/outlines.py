"""Glacier outlines of one or several epochs, under the attribute names of the usual inventories."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio.errors
import shapely
from rasterio.features import rasterize

from pipeline.grid import BoolArray, Grid
from schemas.errors import BadInput

# Randolph Glacier Inventory 7 and 6, GLIMS, first and second Chinese glacier inventories
ID_NAMES = ("glacier_id", "rgi_id", "RGIId", "CGI_ID", "GLC_CODE", "GLIMS_ID", "GLIMSId", "glac_id", "id", "ID")
NAME_NAMES = ("glacier_name", "glac_name", "Name", "GLC_NAME", "Glc_Name", "name")
DATE_NAMES = ("src_date", "BgnDate", "GLC_DATE", "date")


def read_outlines(paths: Sequence[Path], grid: Grid) -> gpd.GeoDataFrame:
    """Read outlines, one file an epoch, and bring them into the grid's CRS.

    Returns
    -------
    Columns glacier_id, glacier_name, epoch (the file's position, 0 the first), date (text, may be empty), geometry;
    only glaciers that touch the grid.

    Errors
    ------
    BadInput : unreadable file, no or unknown CRS, no polygons, invalid geometry, a duplicate identifier, all outlines
        outside the grid.
    """
    frames = [_read_epoch(path, epoch, grid) for epoch, path in enumerate(paths)]
    outlines = gpd.GeoDataFrame(np.concatenate([frame.values for frame in frames]), columns=frames[0].columns)
    outlines = gpd.GeoDataFrame(outlines, geometry="geometry", crs=grid.crs)
    inside = outlines.intersects(shapely.box(*grid.bounds))
    if not inside.any():
        raise BadInput(
            ", ".join(str(path) for path in paths),
            f"no outline within the DEMs (outlines span {np.round(outlines.total_bounds, 0).tolist()} in {grid.crs})",
            f"glaciers within {np.round(grid.bounds, 0).tolist()}",
        )
    kept = outlines.loc[inside].sort_values(["glacier_id", "epoch"], kind="stable")
    return kept.reset_index(drop=True)


def _read_epoch(path: Path, epoch: int, grid: Grid) -> gpd.GeoDataFrame:
    try:
        raw = gpd.read_file(path)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, OSError) as error:
        raise BadInput(str(path), " ".join(str(error).split()), "glacier outlines that GDAL can read") from None
    if raw.crs is None:
        raise BadInput(str(path), "outlines without a CRS", "outlines with a known CRS", "is the .prj file beside it?")
    if raw.empty or raw.geometry.isna().all():
        raise BadInput(str(path), "no outline in the file", "polygons")
    identifiers = _attribute(raw, ID_NAMES, [f"outline-{number + 1}" for number in range(len(raw))])
    _check_geometry(path, raw, identifiers)
    names = _attribute(raw, NAME_NAMES, [""] * len(raw))
    dates = _attribute(raw, DATE_NAMES, [""] * len(raw))
    projected = raw.geometry.to_crs(grid.crs)
    return gpd.GeoDataFrame(
        {"glacier_id": identifiers, "glacier_name": names, "epoch": epoch, "date": dates, "geometry": projected}
    )


def _attribute(frame: gpd.GeoDataFrame, names: Sequence[str], default: list[str]) -> list[str]:
    for name in names:
        if name in frame.columns:
            values = frame[name]
            return ["" if value is None or value != value else str(value) for value in values]
    return default


def _check_geometry(path: Path, frame: gpd.GeoDataFrame, identifiers: Sequence[str]) -> None:
    seen: set[str] = set()
    for number, (identifier, geometry) in enumerate(zip(identifiers, frame.geometry, strict=True), start=1):
        where = f"{path}: record {number} ({identifier})"
        if geometry is None or geometry.geom_type not in ("Polygon", "MultiPolygon"):
            raise BadInput(where, f"{geometry.geom_type if geometry else 'no geometry'}", "a polygon")
        if not geometry.is_valid:
            raise BadInput(where, shapely.is_valid_reason(geometry), "a valid polygon", "repair it with ST_MakeValid")
        if identifier in seen:
            raise BadInput(where, "the identifier a second time", "each glacier once in an epoch")
        seen.add(identifier)


def rasterized(geometries: gpd.GeoSeries, grid: Grid) -> BoolArray:
    """Pixels whose centre lies within any of the geometries (grid's CRS); shape grid.shape."""
    shapes = [geometry for geometry in geometries if not geometry.is_empty]
    if not shapes:
        return np.zeros(grid.shape, bool)
    burned = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, fill=0, default_value=1, dtype="uint8")
    result: BoolArray = burned.astype(bool)
    return result
