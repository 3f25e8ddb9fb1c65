"""Small vector drawings for the pages, as plain coordinates; the templates turn them into SVG."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry

from catalog.archive import ByKind, Dataset, Item
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import MassBalance

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
_LINES = 4
_MARK = 9.0
_KM_PER_DEGREE = 111.195
# more outlines than this are drawn as the boxes of a thinned sample: nobody can tell them apart
_MOST_OUTLINES = 200
_CELLS = 40


@dataclass(frozen=True)
class Tick:
    """A line of the graticule or axis: its place (drawing units) and its label."""

    at: float
    label: str


@dataclass(frozen=True, kw_only=True)
class MapPlace:
    """An extent on the map: outlines, and a ring around its middle where it would be too small to see."""

    outline: tuple[str, ...]
    middle: tuple[float, float]
    ring: bool


@dataclass(frozen=True, kw_only=True)
class ExtentMap:
    """A map in plate carree, stretched so that distances agree at its middle latitude.

    ``bar`` is the length of a scale bar at that latitude (drawing units) and its label.
    """

    width: float
    height: float
    bar: Tick
    meridians: tuple[Tick, ...]
    parallels: tuple[Tick, ...]
    places: tuple[MapPlace, ...]
    glaciers: tuple[str, ...]


def extent_map(
    places: Sequence[BaseGeometry],
    width: float = 640.0,
    glaciers: Sequence[BaseGeometry] = (),
) -> ExtentMap:
    """Draw geometries, and the glaciers within them (degrees, WGS 84)."""
    bounds = [geometry.bounds for geometry in places]
    west, south = min(b[0] for b in bounds), min(b[1] for b in bounds)
    east, north = max(b[2] for b in bounds), max(b[3] for b in bounds)
    stretch = math.cos(math.radians((south + north) / 2))
    margin = 0.12 * max((east - west) * stretch, north - south, 0.01)
    west, east, south, north = west - margin / stretch, east + margin / stretch, south - margin, north + margin
    # neither a ribbon nor a tower
    lack = 0.3 * (east - west) * stretch - (north - south)
    south, north = (south - lack / 2, north + lack / 2) if lack > 0 else (south, north)
    lack = 1.4 * (north - south) / stretch - (east - west)
    west, east = (west - lack / 2, east + lack / 2) if lack > 0 else (west, east)
    scale = width / (east - west)
    height = (north - south) * scale / stretch

    def place(longitude: float, latitude: float) -> tuple[float, float]:
        return round((longitude - west) * scale, 2), round((north - latitude) * scale / stretch, 2)

    return ExtentMap(
        width=width,
        height=round(height, 1),
        meridians=tuple(Tick(place(d, south)[0], _degrees(d, "E", "W")) for d in _graticule(west, east)),
        parallels=tuple(Tick(place(west, d)[1], _degrees(d, "N", "S")) for d in _graticule(south, north)),
        bar=_bar((east - west) * _KM_PER_DEGREE * stretch / width, width),
        places=tuple(_place(geometry, place) for geometry in places),
        glaciers=tuple(ring for shape_ in glaciers for ring in _rings(shape_.simplify(0.3 / scale), place)),
    )


def glacier_shapes(dataset: Dataset) -> tuple[BaseGeometry, ...]:
    """Glacier outlines of a dataset in degrees, WGS 84, the epochs of a glacier merged."""
    return shapes_of_result(dataset.result)


def shapes_of_result(result: ElevationChange | MassBalance) -> tuple[BaseGeometry, ...]:
    """Glacier outlines of a result, as ``glacier_shapes`` has them."""
    return _SHAPES(result)


def _of_balance(result: MassBalance) -> tuple[BaseGeometry, ...]:
    if result.outline is None:
        return ()
    transformer = Transformer.from_crs(result.glacier.crs, "EPSG:4326", always_xy=True)
    return (shapely.transform(result.outline, lambda points: np.column_stack(transformer.transform(*points.T))),)


def _of_change(result: ElevationChange) -> tuple[BaseGeometry, ...]:
    if result.outlines is None:
        return ()
    merged = result.outlines.dissolve("glacier_id").to_crs("EPSG:4326")
    return tuple(geometry for geometry in merged.geometry if geometry is not None and not geometry.is_empty)


_SHAPES = ByKind(elevation_change=_of_change, mass_balance=_of_balance)


def common_extent(items: Sequence[Item]) -> MultiPolygon | None:
    """The items' geometries as one, each once: a glacier has one outline for many years. None without items."""
    distinct = {json.dumps(item.geometry): item.geometry for item in items}
    shapes = [shape(geometry) for geometry in distinct.values()]
    if len(shapes) > _MOST_OUTLINES:
        bounds = np.array([geometry.bounds for geometry in shapes])
        west, south = bounds[:, :2].min(axis=0)
        size = max(float((bounds[:, 2:].max(axis=0) - (west, south)).max()), 1e-6) / _CELLS
        cells = {(int((b[0] - west) / size), int((b[1] - south) / size)): shapely.box(*b) for b in bounds}
        shapes = list(cells.values())
    parts = [part for geometry in shapes for part in getattr(geometry, "geoms", [geometry])]
    return MultiPolygon(parts) if parts else None


def item_geometry(item: Item) -> BaseGeometry:
    """The geometry of an item as shapely has it."""
    return shape(item.geometry)


def _rings(geometry: BaseGeometry, place: Callable[[float, float], tuple[float, float]]) -> tuple[str, ...]:
    """Outer rings as the points of SVG polygons; a pixel of detail is enough."""
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else [geometry]
    rings = [[place(*point[:2]) for point in part.exterior.coords] for part in parts if isinstance(part, Polygon)]
    return tuple(" ".join(f"{x:g},{y:g}" for x, y in ring) for ring in rings)


def _place(geometry: BaseGeometry, place: Callable[[float, float], tuple[float, float]]) -> MapPlace:
    west, south, east, north = geometry.bounds
    right, bottom = place(east, south)
    left, top = place(west, north)
    return MapPlace(
        outline=_rings(geometry, place),
        middle=(round((left + right) / 2, 2), round((top + bottom) / 2, 2)),
        ring=max(right - left, bottom - top) < 2 * _MARK,
    )


def _bar(km_per_unit: float, width: float) -> Tick:
    """A round length of about an eighth of the map."""
    room = 0.18 * width * km_per_unit
    power = 10.0 ** math.floor(math.log10(room))
    km = next(factor * power for factor in (5, 2, 1) if factor * power <= room)
    return Tick(round(km / km_per_unit, 2), f"{km:g} km" if km >= 1 else f"{1000 * km:g} m")


def _graticule(low: float, high: float) -> list[float]:
    step = _step(high - low, _LINES)
    first = math.ceil(low / step)
    return [round(k * step, 6) for k in takewhile(lambda k: k * step <= high, count(first))]


def _step(span: float, lines: int) -> float:
    return next((step for step in _STEPS if span / step <= lines + 1), 60.0)


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}° {positive if value >= 0 else negative}"
