"""Glacier outlines of one or several epochs, under the attribute names of the usual inventories.

A file may hold several epochs, told apart by its dates; two inventories that name glaciers differently are linked by
overlap (``epochs``). GLIMS draws rock within a glacier as an outline of its own: it is a hole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.features import rasterize
from rasterio.transform import Affine
from rasterio.warp import transform_bounds

from pipeline.elevation_change.pairing.epochs import epochs_of, linked_by_overlap
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.inputs.outline_attributes import DATE_NAMES, ID_NAMES, NAME_NAMES
from pipeline.inputs.outline_errors import UNUSABLE, quiet_outlines
from pipeline.inputs.vector_files import VectorLayer, chosen_layer, opened_layers
from schemas.errors import BadInput
from schemas.messages import Message

# what RGI 6 writes where it knows no date, and where it knows the year or the month alone
NO_DATE = "-9999999"
_PARTLY_KNOWN = re.compile(r"^(\d{4})-?(\d{2})-?99$")
# how GLIMS tells apart what an outline goes round
LINE_TYPE_NAMES = ("line_type",)
GLACIER_BOUNDARY, INTERNAL_ROCK = "glac_bound", ("intrnl_rock", "internal_rock", "int_rock")
POLYGONS = (shapely.Polygon, shapely.MultiPolygon)
# a repair may change an outline's area by this share, far below what an outline's own error is
REPAIRED_SHARE = 1e-3
REPAIRED = "outline repaired"
# no glacier covers so many degrees of longitude but the Antarctic ice sheet
WIDEST_DEG = 90.0
# farther from a projection's origin nothing on Earth has a place, m
FARTHEST_M = 1e9
# vertices are burned on this fraction of a pixel, exact in binary, so that every window of a grid sees the same ones
PIXEL_FRACTION = 2.0**-20


def read_outlines(
    paths: Sequence[Path], grid: Grid, layers: Sequence[str] = (), notes: list[Message] | None = None
) -> gpd.GeoDataFrame:
    """Read outlines, one file an epoch, and bring them into the grid's CRS. Only what lies about the grid is read.

    A file in which a glacier has outlines of several dates holds several epochs. An invalid polygon is repaired where
    that hardly changes its area, and flagged.

    Parameters
    ----------
    paths : the earliest first: shapefile, GeoPackage, GeoJSON, FlatGeobuf, geodatabase, also zipped.
    grid : outlines off it are left out.
    layers : the layer that is meant, of every file or of each one; empty where files have one layer of polygons.
    notes : what was noticed is added to it.

    Returns
    -------
    Columns glacier_id, glacier_name, epoch (0 the first), date (text, may be empty), geometry, flags (text, may be
        empty); only glaciers that touch the grid.

    Errors
    ------
    BadInput : unreadable file, several layers of polygons, no or unknown CRS, no polygons, invalid geometry, a
        duplicate identifier, all outlines outside the grid.
    """
    told = [] if notes is None else notes
    wanted = _layer_of_each(paths, layers)
    frames = [_read_file(path, name, grid, told) for path, name in zip(paths, wanted, strict=True)]
    outlines = linked_by_overlap(epochs_of(frames, paths), told)
    inside = outlines.intersects(shapely.box(*grid.bounds))
    if not inside.any():
        spans = " and ".join(_span(path, name, grid.crs) for path, name in zip(paths, wanted, strict=True))
        raise BadInput(
            ", ".join(str(path) for path in paths),
            f"no outline within the DEMs (outlines span {spans} in {grid.crs})",
            f"glaciers within {np.round(grid.bounds, 0).tolist()}",
        )
    kept = outlines.loc[inside].sort_values(["glacier_id", "epoch"], kind="stable")
    return kept.reset_index(drop=True)


def _layer_of_each(paths: Sequence[Path], layers: Sequence[str]) -> list[str | None]:
    if len(layers) <= 1:
        return [layers[0] if layers else None] * len(paths)
    if len(layers) != len(paths):
        raise BadInput(
            "--layer", f"{len(layers)} layers for {len(paths)} files of outlines", "one for all, or one for each file"
        )
    return list(layers)


def _read_file(path: Path, wanted: str | None, grid: Grid, notes: list[Message]) -> gpd.GeoDataFrame:
    try:
        with quiet_outlines(), opened_layers(path) as layers:
            return _outlines_of(chosen_layer(path, layers, wanted), grid, notes)
    except BadInput:
        raise
    except UNUSABLE as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(str(path), damage, "glacier outlines that GDAL can read") from None


def _outlines_of(layer: VectorLayer, grid: Grid, notes: list[Message]) -> gpd.GeoDataFrame:
    raw = _read_records(layer, grid)
    if layer.encoding is not None:
        notes.append(
            Message(
                "texts of {file} are read as {encoding}, which it does not state (a .cpg file would)",
                file=layer.where,
                encoding=layer.encoding,
            )
        )
    raw, rock = _by_line_type(raw, layer.where, notes)
    records = raw["record"].tolist()
    stated = _attribute(raw, ID_NAMES)
    identifiers = [name or f"outline-{record}" for name, record in zip(stated, records, strict=True)]
    shapes, flags = _sound_shapes(layer.where, raw, records, identifiers)
    if len(rock):
        shapes = _without_rock(shapes, identifiers, rock, layer.where)
    projected = gpd.GeoSeries(shapes, crs=raw.crs).to_crs(grid.crs)
    for record, identifier, shape in zip(records, identifiers, projected, strict=True):
        if not np.all(np.abs(shape.bounds) < FARTHEST_M):  # NaN is not either
            where = f"{layer.where}: record {record} ({identifier})"
            raise BadInput(where, f"an outline that has no place in {grid.crs}", "an outline near the DEMs")
    columns = {
        "glacier_id": identifiers,
        "glacier_name": _attribute(raw, NAME_NAMES),
        "record": records,
        "date": [_date(date) for date in _attribute(raw, DATE_NAMES)],
        "geometry": projected.to_numpy(),
        "flags": flags,
    }
    return gpd.GeoDataFrame(columns, geometry="geometry", crs=grid.crs)


def _date(text: str) -> str:
    """A date as inventories write it; RGI fills what it does not know with nines, which are left out."""
    if text == NO_DATE:
        return ""
    unknown = _PARTLY_KNOWN.match(text)
    if unknown is None:
        return text
    return unknown[1] if unknown[2] == "99" else f"{unknown[1]}-{unknown[2]}"


def _read_records(layer: VectorLayer, grid: Grid) -> gpd.GeoDataFrame:
    """The records near the grid, in the file's CRS, with their numbers as the file counts them."""
    about = pyogrio.read_info(layer.file, layer=layer.name, encoding=layer.encoding, force_total_bounds=True)
    if about["crs"] is None:
        raise BadInput(
            layer.where, "outlines without a CRS", "outlines with a known CRS", "is the .prj file beside it?"
        )
    if about["features"] == 0 or about["total_bounds"] is None or not np.isfinite(about["total_bounds"]).all():
        raise BadInput(layer.where, "no outline in the file", "polygons")
    area = _bounds_in(about["crs"], grid, about["total_bounds"])
    raw = pyogrio.read_dataframe(
        layer.file, layer=layer.name, encoding=layer.encoding, bbox=area, fid_as_index=True, force_2d=True
    )
    # GeoPackage counts its records from 1, the others from 0
    raw["record"] = [int(number) + (about["driver"] != "GPKG") for number in raw.index]
    return raw


def _bounds_in(crs: str, grid: Grid, total: FloatArray) -> tuple[float, float, float, float] | None:
    """The grid's bounds in another CRS, with room for the bend of its edges; None where they cannot be told."""
    west, south, east, north = transform_bounds(grid.crs, crs, *grid.bounds, densify_pts=21)
    if not all(map(math.isfinite, (west, south, east, north))) or west > east:
        return None
    if CRS.from_user_input(crs).is_geographic and total[2] > 180:  # longitudes from 0 to 360
        return None
    width, height = (east - west) / 50, (north - south) / 50
    return west - width, south - height, east + width, north + height


def _span(path: Path, wanted: str | None, crs: str) -> str:
    """Bounds of all outlines of a file in the given CRS."""
    with quiet_outlines(), opened_layers(path) as layers:
        layer = chosen_layer(path, layers, wanted)
        about = pyogrio.read_info(layer.file, layer=layer.name, encoding=layer.encoding, force_total_bounds=True)
    bounds = transform_bounds(about["crs"], crs, *about["total_bounds"], densify_pts=21)
    return str(np.round(bounds, 0).tolist())


def _by_line_type(raw: gpd.GeoDataFrame, where: str, notes: list[Message]) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Boundaries of glaciers, and rock within them; GLIMS tells both apart by their line type."""
    kinds = np.array([text.lower() for text in _attribute(raw, LINE_TYPE_NAMES)], dtype=object)
    nothing = raw.iloc[:0]
    if not (kinds == GLACIER_BOUNDARY).any():
        return raw, nothing
    is_rock, is_bound = np.isin(kinds, INTERNAL_ROCK), kinds == GLACIER_BOUNDARY
    other = sorted({str(kind) for kind in kinds[~is_rock & ~is_bound]})
    if is_rock.any():
        notes.append(
            Message("{file}: {count} outlines of rock within glaciers are holes", file=where, count=int(is_rock.sum()))
        )
    if other:
        notes.append(
            Message(
                "{file}: {count} shapes that are no boundary of a glacier ({types}) are left out",
                file=where,
                count=int((~is_rock & ~is_bound).sum()),
                types=", ".join(other) or "-",
            )
        )
    return raw[is_bound], raw[is_rock]


def _without_rock(shapes: Sequence[Any], identifiers: Sequence[str], rock: gpd.GeoDataFrame, where: str) -> list[Any]:
    """The outlines with the rock of their own glacier taken out, or of any that holds it where none bears its name."""
    names = [
        name or f"outline-{record}" for name, record in zip(_attribute(rock, ID_NAMES), rock["record"], strict=True)
    ]
    holes, _ = _sound_shapes(where, rock, rock["record"].tolist(), [f"rock-{record}" for record in rock["record"]])
    tree = shapely.STRtree(list(shapes))
    result = list(shapes)
    for name, hole in zip(names, holes, strict=True):
        near = [int(number) for number in tree.query(hole, predicate="intersects")]
        own = [number for number in near if identifiers[number] == name] or near
        for number in own:
            result[number] = shapely.difference(result[number], hole)
    return [shape if isinstance(shape, POLYGONS) else _polygons_of(shape) for shape in result]


def _polygons_of(shape: Any) -> Any:
    return shapely.MultiPolygon([part for part in shapely.get_parts(shape) if isinstance(part, shapely.Polygon)])


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
    file: str, frame: gpd.GeoDataFrame, records: Sequence[int], identifiers: Sequence[str]
) -> tuple[list[Any], list[str]]:
    """Valid polygons of all records, and what was done to each."""
    is_geographic = frame.crs.is_geographic
    shapes, flags = [], []
    for record, identifier, geometry in zip(records, identifiers, frame.geometry, strict=True):
        where = f"{file}: record {record} ({identifier})"
        if geometry is None or geometry.geom_type not in ("Polygon", "MultiPolygon"):
            raise BadInput(where, f"{geometry.geom_type if geometry else 'no geometry'}", "a polygon")
        whole = _unwrapped(where, geometry) if is_geographic else geometry
        sound = whole if whole.is_valid else _repaired(where, whole)
        shapes.append(sound)
        flags.append("" if sound is whole else REPAIRED)
    return shapes, flags


def _unwrapped(where: str, geometry: Any) -> Any:
    """An outline across the antimeridian whose longitudes jump there, on one side of it."""
    parts = shapely.get_parts(geometry)
    wide = [part for part in parts if part.bounds[2] - part.bounds[0] > 180]
    if not wide:
        return geometry

    def eastward(points: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack([np.where(points[:, 0] < 0, points[:, 0] + 360, points[:, 0]), points[:, 1]])

    whole = shapely.transform(geometry, eastward)
    west, _, east, _ = whole.bounds
    stated = wide[0].bounds[2] - wide[0].bounds[0]
    if east - west > WIDEST_DEG:
        raise BadInput(
            where, f"an outline over {stated:.1f} degrees of longitude", "an outline of a glacier",
            "if it crosses the antimeridian, cut it there with ogr2ogr -wrapdateline",
        )  # fmt: skip
    return whole


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
