"""GeoJSON (RFC 7946): WGS 84 degrees at 0.1 m, counter-clockwise outer rings, the same bytes for the same features."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Transformer
from shapely.geometry.base import BaseGeometry

from pipeline.grid import Grid

_DECIMALS = 6
_EDGE_POINTS = 8

Feature = tuple[BaseGeometry, dict[str, Any]]


def write_features(path: Path, features: Iterable[Feature], crs: str, about: dict[str, Any]) -> None:
    """Write features given in ``crs``; ``about`` stands beside them as foreign members (title, synthetic)."""
    entries = [
        {"type": "Feature", "properties": properties, "geometry": to_geojson(to_degrees(geometry, crs))}
        for geometry, properties in features
    ]
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False, allow_nan=False) for entry in entries)
    head = json.dumps({"type": "FeatureCollection", **about}, ensure_ascii=False, allow_nan=False)[:-1]
    path.write_text(f'{head}, "features": [\n{lines}\n]}}\n', encoding="utf-8", newline="\n")


def to_degrees(geometry: BaseGeometry, crs: str) -> BaseGeometry:
    """A geometry in WGS 84 degrees, on a grid of 1e-6 degrees, valid after the rounding."""
    transformer = _to_longitude_and_latitude(crs)

    def degrees(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        longitude, latitude = transformer.transform(coordinates[:, 0], coordinates[:, 1])
        return np.column_stack([longitude, latitude])

    moved = shapely.transform(shapely.force_2d(geometry), degrees)
    rounded = shapely.set_precision(moved, 10.0**-_DECIMALS)
    # a sliver below the precision would vanish; better a finer coordinate than no glacier
    return moved if rounded.is_empty else rounded


@lru_cache(maxsize=16)
def _to_longitude_and_latitude(crs: str) -> Transformer:
    """Asked for with every feature, and a millisecond to make."""
    return Transformer.from_crs(crs, "EPSG:4326", always_xy=True)


def footprint(grid: Grid) -> BaseGeometry:
    """The outline of a grid in degrees, its edges densified, for straight grid lines are curved there."""
    box = shapely.box(*grid.bounds)
    length = max(grid.bounds[2] - grid.bounds[0], grid.bounds[3] - grid.bounds[1])
    return to_degrees(shapely.segmentize(box, length / _EDGE_POINTS), grid.crs)


def to_geojson(geometry: BaseGeometry) -> dict[str, Any]:
    """The GeoJSON geometry, outer rings counter-clockwise."""
    oriented = shapely.orient_polygons(geometry) if geometry.geom_type.endswith("Polygon") else geometry
    rounded = shapely.transform(oriented, lambda coordinates: np.round(coordinates, _DECIMALS))
    mapping: dict[str, Any] = json.loads(shapely.to_geojson(rounded))
    return {"type": mapping["type"], "coordinates": mapping["coordinates"]}


def bbox_of(geometry: BaseGeometry) -> tuple[float, float, float, float]:
    """(west, south, east, north) in degrees, rounded as the coordinates are."""
    west, south, east, north = (round(float(value), _DECIMALS) for value in geometry.bounds)
    return west, south, east, north
