"""Checks of the GeoParquet files: their metadata, and that every record lies where CSV and GeoJSON say it does."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.features import rasterize
from rasterio.warp import transform_geom
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from catalog.archive import (
    COLLECTION_JSON,
    TABLES,
    Archive,
    File,
    OpenedRaster,
    WrongForm,
    every_file,
    geometry_of,
    misfit,
    rasters,
)
from catalog.checks.rasters import grid_of, nodata_of
from catalog.checks.result import Failure, check
from catalog.checks.tables import of_pair, read_arrow
from catalog.formats import GEOMETRY, GEOPARQUET_VERSION, PLACE_CRS
from catalog.tables import POINT_TABLES
from pipeline.grid import Grid
from schemas.tables import GLACIERS

_REBUILD = "build the archive again"
_DEGREES = 1.5e-6  # both are rounded to 1e-6
_METRES = 0.3
_SHOWN = 5

Shapes = list[BaseGeometry | None]


def parquet_of_collections(archive: Archive) -> Iterator[File]:
    """The Parquet files of tables and items; what stands above them lists items and has checks of its own."""
    return (file for file in every_file(archive) if file.file.endswith(".parquet") and file.file.count("/") > 1)


@check(
    "geoparquet-metadata",
    "every GeoParquet file states version, CRS, kinds of geometry and bounds, as its geometries are",
    parquet_of_collections,
)
def geoparquet_metadata(file: File) -> Iterator[Failure]:
    geo, shapes, _ = _read(file)
    if geo is None:
        if _has_places(file):
            yield Failure(file.file, "no GeoParquet", "a GeoParquet file: its records have places", _REBUILD)
        return
    column = geo["columns"][geo["primary_column"]]
    known = [one for one in shapes if one is not None and not one.is_empty]
    kinds = sorted({one.geom_type for one in known})
    for name, stated, expected in (
        ("version", geo["version"], GEOPARQUET_VERSION),
        ("primary_column", geo["primary_column"], GEOMETRY),
        ("encoding", column["encoding"], "WKB"),
        ("geometry_types", column["geometry_types"], kinds),
    ):
        if stated != expected:
            yield Failure(file.file, f"{name} {stated!r}", repr(expected), _REBUILD)
    if CRS.from_json_dict(column["crs"]) != CRS.from_user_input(PLACE_CRS):
        yield Failure(file.file, f"CRS {column['crs'].get('name')!r}", PLACE_CRS, _REBUILD)
    if known and not np.allclose(column["bbox"], shapely.total_bounds(np.array(known)), rtol=0, atol=_DEGREES):
        yield Failure(file.file, f"bbox {column['bbox']}", "the bounds of its geometries", _REBUILD)
    for row, one in enumerate(shapes):
        if one is not None and not one.is_valid:
            yield Failure(f"{file.file}: record {row + 1}", shapely.is_valid_reason(one), "a valid geometry", _REBUILD)


@check(
    "geoparquet-places",
    "each point of a GeoParquet table lies at its coordinates, each glacier and outline where GeoJSON has it",
    parquet_of_collections,
)
def geoparquet_places(file: File) -> Iterator[Failure]:
    geo, shapes, frame = _read(file)
    if geo is None:  # named by the check of metadata, if it should be one
        return
    folder, _, name = file.file.rpartition("/")
    stem = name.removesuffix(".parquet")
    if folder.endswith(f"/{TABLES}") and stem in POINT_TABLES:
        yield from _misplaced_points(file, shapes, frame)
    elif folder.endswith(f"/{TABLES}") and stem == GLACIERS.name:
        for path, properties in _geojson_of_glaciers(file):
            own = of_pair(frame, properties)
            yield from _unlike_features(file, path, [shapes[row] for row in own.index], own, ["glacier_id"])
    elif f"{folder}/{stem}.geojson" in file.archive.path_set:
        yield from _unlike_features(file, f"{folder}/{stem}.geojson", shapes, frame, list(frame.columns))


def _read(file: File) -> tuple[dict[str, Any] | None, Shapes, pd.DataFrame]:
    """The geo metadata (None for plain Parquet), the geometries and the other columns."""
    table = read_arrow(file.archive, file.file)
    stated = (table.schema.metadata or {}).get(b"geo")
    if stated is None:
        return None, [], table.to_pandas()
    geo: dict[str, Any] = json.loads(stated)
    if place := misfit("geoparquet", geo):
        raise WrongForm(place)
    name = geo["primary_column"]
    shapes = [None if wkb is None else _geometry_in(wkb) for wkb in table[name].to_pylist()]
    return geo, shapes, table.drop_columns([name]).to_pandas()


def _geometry_in(wkb: Any) -> BaseGeometry:
    if not isinstance(wkb, bytes):
        raise WrongForm(f"{type(wkb).__name__} in the column of geometries")
    return shapely.from_wkb(wkb)


def _has_places(file: File) -> bool:
    folder, _, name = file.file.rpartition("/")
    stem = name.removesuffix(".parquet")
    if not folder.endswith(f"/{TABLES}"):
        return True  # beside an item only outlines are Parquet
    return stem in POINT_TABLES or (stem == GLACIERS.name and bool(_geojson_of_glaciers(file)))


def _geojson_of_glaciers(file: File) -> list[tuple[str, dict[str, Any]]]:
    """The glaciers of each item, with the item's properties."""
    folder = file.file.partition("/")[0]
    items = [item for item in file.archive.items if item.collection_id == folder and GLACIERS.name in item.assets]
    targets = [(item.target(item.assets[GLACIERS.name]["href"]), item.content["properties"]) for item in items]
    return [(path, properties) for path, properties in targets if path is not None]


def _misplaced_points(file: File, shapes: Shapes, frame: pd.DataFrame) -> Iterator[Failure]:
    lonlat = frame[["longitude", "latitude"]].to_numpy(float)
    metres = frame[["easting", "northing"]].to_numpy(float)
    collection = file.archive.json(f"{file.file.partition('/')[0]}/{COLLECTION_JSON}")
    codes = [str(code) for code in collection.get("summaries", {}).get("proj:code", [])]
    projected = Transformer.from_crs(PLACE_CRS, codes[0], always_xy=True) if len(codes) == 1 else None
    for row, one in enumerate(shapes):
        where = f"{file.file}: record {row + 1}"
        placed = np.isfinite(lonlat[row]).all() or np.isfinite(metres[row]).all()
        if one is None:
            if placed:
                yield Failure(where, "no place", "a point at its coordinates", _REBUILD)
            continue
        if not placed:
            yield Failure(where, one.wkt, "no place: the record states none", _REBUILD)
        elif np.isfinite(lonlat[row]).all():
            if np.abs(_position(one) - lonlat[row]).max() > _DEGREES:
                yield Failure(where, one.wkt, f"a point at {lonlat[row].tolist()}", _REBUILD)
        elif projected is not None:
            point = np.array(projected.transform(*_position(one)))
            if np.abs(point - metres[row]).max() > _METRES:
                yield Failure(where, f"{one.wkt}, which is {np.round(point, 1).tolist()}", f"{metres[row].tolist()}")


def _position(point: BaseGeometry) -> NDArray[np.float64]:
    """Longitude and latitude of a point; of anything else those of its middle."""
    west, south, east, north = point.bounds
    return np.array([(west + east) / 2, (south + north) / 2])


def _unlike_features(file: File, path: str, shapes: Shapes, frame: pd.DataFrame, keys: list[str]) -> Iterator[Failure]:
    features = file.archive.json(path)["features"]
    theirs = Counter(_record([feature["properties"].get(key) for key in keys]) for feature in features)
    ours = Counter(_record(row) for row in frame[keys].itertuples(index=False, name=None))
    for missing in list(((theirs - ours) + (ours - theirs)).keys())[:_SHOWN]:
        side = path if theirs[missing] else file.file
        yield Failure(file.file, f"{missing} in {side} alone", f"the same records in {path}", _REBUILD)
    places: dict[tuple[str, ...], list[BaseGeometry]] = {}
    for feature in features:
        key = _record([feature["properties"].get(key) for key in keys])
        places.setdefault(key, []).append(geometry_of(feature["geometry"]))
    for row, record in enumerate(frame[keys].itertuples(index=False, name=None)):
        one, others = shapes[row], places.get(_record(record), [])
        if others and (one is None or not any(_same_shape(one, other) for other in others)):
            where = f"{file.file}: record {row + 1}"
            yield Failure(where, f"a shape unlike that of {path}", f"that of {_record(record)} there", _REBUILD)


def _record(values: Any) -> tuple[str, ...]:
    return tuple("" if value is None or value != value else str(value) for value in values)


def _same_shape(one: BaseGeometry, other: BaseGeometry) -> bool:
    return bool(one.equals_exact(other, _DEGREES, normalize=True))


def outlined_balances(archive: Archive) -> Iterator[OpenedRaster]:
    """The balances of a year beside which their outline stands."""
    return (raster for raster in rasters(archive) if raster.key == "balance" and "outline" in raster.item.assets)


@check("balance-in-outline", "the balance of a year lies within the outline beside it, and fills it", outlined_balances)
def balance_in_outline(raster: OpenedRaster) -> Iterator[Failure]:
    path = raster.item.target(raster.item.assets["outline"]["href"])
    if path is None or not raster.archive.files.deep:
        return
    grid = grid_of(raster)
    features = raster.archive.json(path)["features"]
    outlines = [geometry_of(one["geometry"]).__geo_interface__ for one in features]
    outline = shapely.union_all([shape(one) for one in transform_geom(PLACE_CRS, grid.crs, outlines)])
    # a pixel that the outline runs through may be on either side
    inner, outer = (_burnt(outline.buffer(sign * max(grid.pixel_size)), grid) for sign in (-1, 1))
    known = raster.archive.band(raster.file, 1) != nodata_of(raster, 1)
    for wrong, odd, expected in (
        (known & ~outer, "with a balance off the outline", "none"),
        (inner & ~known, "within the outline without a balance", "a balance wherever there is glacier"),
    ):
        if wrong.any():
            yield Failure(path, f"{int(wrong.sum())} pixels {odd} ({raster.file})", expected, _REBUILD)


def _burnt(geometry: BaseGeometry, grid: Grid) -> NDArray[np.bool_]:
    if geometry.is_empty:
        return np.zeros(grid.shape, bool)
    burnt = rasterize([(geometry, 1)], out_shape=grid.shape, transform=grid.transform, dtype="uint8")
    inside: NDArray[np.bool_] = burnt == 1
    return inside
