"""Small vector drawings for the pages, as plain coordinates; the templates turn them into SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import MultiPolygon, Polygon, shape
from shapely.geometry.base import BaseGeometry

from catalog.dataset import Dataset, Item
from catalog.key_numbers import measured, signed
from catalog.layout import balance_item_id
from pipeline.mass_balance.result import BalanceYear, MassBalance

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
_LINES = 4
_MARK = 9.0


@dataclass(frozen=True)
class Tick:
    """A line of the graticule or axis: its place (drawing units) and its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Place:
    """An extent on the map: outlines, a ring around it where it would be too small to see, and where its label goes."""

    number: int
    name: str
    outline: tuple[str, ...]
    middle: tuple[float, float]
    below: float
    ring: bool
    anchor: str
    label_at: float


@dataclass(frozen=True)
class ExtentMap:
    """A map in plate carree, stretched so that distances agree at its middle latitude."""

    width: float
    height: float
    meridians: tuple[Tick, ...]
    parallels: tuple[Tick, ...]
    places: tuple[Place, ...]
    glaciers: tuple[str, ...]


@dataclass(frozen=True)
class Bar:
    """One year of the balance chart; ``low`` and ``high`` bound one standard deviation."""

    year: int
    label: str
    middle: float
    top: float
    height: float
    low: float | None
    high: float | None
    gain: bool
    item_id: str | None


@dataclass(frozen=True)
class BalanceChart:
    """Annual balances as bars around zero."""

    width: float
    height: float
    zero: float
    bar_width: float
    ticks: tuple[Tick, ...]
    bars: tuple[Bar, ...]


def extent_map(
    places: Sequence[tuple[str, BaseGeometry]], width: float = 640.0, glaciers: Sequence[BaseGeometry] = ()
) -> ExtentMap:
    """Draw named geometries, and glaciers without a name (degrees, WGS 84)."""
    bounds = [geometry.bounds for _, geometry in places]
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
        places=tuple(_place(k, name, geometry, place, width) for k, (name, geometry) in enumerate(places, 1)),
        glaciers=tuple(ring for shape_ in glaciers for ring in _rings(shape_.simplify(0.3 / scale), place)),
    )


def balance_chart(dataset: Dataset, items: Sequence[Item], width: float = 640.0) -> BalanceChart | None:
    """Annual balances of all years; None for a dataset without any."""
    result = dataset.result
    years = [y for y in result.years if y.annual_m_we is not None] if isinstance(result, MassBalance) else []
    if not years:
        return None
    height, left, top, bottom = 220.0, 46.0, 16.0, 26.0
    reach = [(y.annual_m_we or 0.0) + s * (y.sigma_annual_m_we or 0.0) for y in years for s in (-1, 1)]
    low, high = min(0.0, *reach), max(0.0, *reach)
    step = _step(high - low, 4)
    low, high = math.floor(low / step) * step, math.ceil(high / step) * step
    scale = (height - top - bottom) / (high - low)
    spacing = (width - left) / len(years)

    def y_of(value: float) -> float:
        return round(top + (high - value) * scale, 2)

    known = {item.item_id for item in items}
    ticks = tuple(
        Tick(y_of(low + k * step), signed(low + k * step, _decimals(step)))
        for k in range(round((high - low) / step) + 1)
    )
    bars = tuple(_bar(year, left + (k + 0.5) * spacing, y_of, known) for k, year in enumerate(years))
    return BalanceChart(width, height, y_of(0.0), round(min(34.0, 0.62 * spacing), 2), ticks, bars)


def glacier_shapes(dataset: Dataset) -> tuple[BaseGeometry, ...]:
    """Glacier outlines of a dataset in degrees, WGS 84, the epochs of a glacier merged."""
    result = dataset.result
    if isinstance(result, MassBalance):
        if result.outline is None:
            return ()
        transformer = Transformer.from_crs(result.glacier.crs, "EPSG:4326", always_xy=True)
        return (shapely.transform(result.outline, lambda points: np.column_stack(transformer.transform(*points.T))),)
    if result.outlines is None:
        return ()
    merged = result.outlines.dissolve("glacier_id").to_crs("EPSG:4326")
    return tuple(geometry for geometry in merged.geometry if geometry is not None and not geometry.is_empty)


def item_geometry(item: Item) -> BaseGeometry:
    """The geometry of an item as shapely has it."""
    return shape(item.geometry)


def _bar(year: BalanceYear, middle: float, y_of: Callable[[float], float], known: Iterable[str]) -> Bar:
    value, sigma = year.annual_m_we or 0.0, year.sigma_annual_m_we
    item_id = balance_item_id(year.year)
    return Bar(
        year=year.year,
        label=f"{year.year}: {measured(value, sigma, 2)} m w.e.",
        middle=round(middle, 2),
        top=y_of(max(value, 0.0)),
        height=round(abs(y_of(value) - y_of(0.0)), 2),
        low=None if sigma is None else y_of(value - sigma),
        high=None if sigma is None else y_of(value + sigma),
        gain=value >= 0,
        item_id=item_id if item_id in known else None,
    )


def _rings(geometry: BaseGeometry, place: Callable[[float, float], tuple[float, float]]) -> tuple[str, ...]:
    """Outer rings as the points of SVG polygons; a pixel of detail is enough."""
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else [geometry]
    rings = [[place(*point[:2]) for point in part.exterior.coords] for part in parts if isinstance(part, Polygon)]
    return tuple(" ".join(f"{x:g},{y:g}" for x, y in ring) for ring in rings)


def _place(
    number: int,
    name: str,
    geometry: BaseGeometry,
    place: Callable[[float, float], tuple[float, float]],
    width: float,
) -> Place:
    west, south, east, north = geometry.bounds
    right, bottom = place(east, south)
    left, top = place(west, north)
    return Place(
        number=number,
        name=name,
        outline=_rings(geometry, place),
        middle=(round((left + right) / 2, 2), round((top + bottom) / 2, 2)),
        below=round(max(bottom, (top + bottom) / 2 + _MARK) + 17, 2),
        ring=max(right - left, bottom - top) < 2 * _MARK,
        anchor="start" if left < 0.2 * width else "end" if right > 0.8 * width else "middle",
        label_at=round(left if left < 0.2 * width else right if right > 0.8 * width else (left + right) / 2, 2),
    )


def _graticule(low: float, high: float) -> list[float]:
    step = _step(high - low, _LINES)
    first = math.ceil(low / step)
    return [round(k * step, 6) for k in takewhile(lambda k: k * step <= high, count(first))]


def _step(span: float, lines: int) -> float:
    return next((step for step in _STEPS if span / step <= lines + 1), 60.0)


def _decimals(step: float) -> int:
    return 0 if step >= 1 else 1 if step >= 0.1 else 2


def _degrees(value: float, positive: str, negative: str) -> str:
    return f"{abs(value):g}° {positive if value >= 0 else negative}"
