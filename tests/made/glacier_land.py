"""Invented valley glaciers as terrain: cirques with a tongue, two branches that join, and broad aprons.

A branch is a centre line whose heading turns smoothly, with a half-width to each side and a height along it; a glacier
is one branch or two. Every place knows how far up (``along``) and how far to the side (``across``) of its branch it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree
from shapely.geometry import Polygon
from shapely.ops import unary_union

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

CRS = "EPSG:32632"
WEST_M, NORTH_M = 560_000.0, 5_190_000.0
PIXEL_M = 25.0
MARGIN_M = 500.0
_STATIONS = 240
# steeper than this nobody drills a stake
STEEPEST_STAKE_DEG = 30.0


@dataclass(frozen=True, kw_only=True)
class Land:
    """A glacier and what surrounds it on a north-up grid from (WEST_M, NORTH_M) with pixels of PIXEL_M.

    Attributes
    ----------
    surface_m : elevation, shape (rows, columns).
    inside : True where the pixel's centre lies within the outline.
    along : 0 at the snout, 1 at the head of the glacier.
    across : signed distance from the centre line over the half-width of that side; 1 at the margin.
    outline : the true one.
    centre_line : positions (m) of the longest branch from the snout to the head, shape (stations, 2).
    """

    surface_m: FloatArray
    inside: BoolArray
    along: FloatArray
    across: FloatArray
    outline: Polygon
    centre_line: FloatArray

    @property
    def transform(self) -> Affine:
        """Of the grid."""
        return Affine(PIXEL_M, 0, WEST_M, 0, -PIXEL_M, NORTH_M)

    @cached_property
    def positions(self) -> tuple[FloatArray, FloatArray]:
        """Easting and northing of every pixel's centre (m)."""
        return _centres(self.surface_m.shape)

    @cached_property
    def slope_deg(self) -> FloatArray:
        """Steepness of the smoothed surface."""
        north, east = np.gradient(gaussian_filter(self.surface_m, 1.0), PIXEL_M)
        return np.degrees(np.arctan(np.hypot(north, east)))

    @cached_property
    def margin_m(self) -> FloatArray:
        """Distance of each pixel on the glacier to the outline, roughly; 0 off it."""
        border = np.asarray(self.outline.exterior.segmentize(10.0).coords)
        distance = np.zeros(self.surface_m.shape)
        places = np.column_stack([axis[self.inside] for axis in self.positions])
        distance[self.inside] = cKDTree(border).query(places)[0]
        return distance

    def quantile_m(self, share: float) -> float:
        """The elevation below which this share of the glacier's area lies."""
        return float(np.quantile(self.surface_m[self.inside], share))


@dataclass(frozen=True, kw_only=True)
class _Branch:
    """A centre line with widths and heights, one value a station from the snout up."""

    line: FloatArray
    heading: FloatArray
    left_m: FloatArray
    right_m: FloatArray
    height_m: FloatArray

    @property
    def share(self) -> FloatArray:
        return np.linspace(0, 1, len(self.line))

    def widened(self, factor: float) -> _Branch:
        return _Branch(
            line=self.line,
            heading=self.heading,
            left_m=self.left_m * factor,
            right_m=self.right_m * factor,
            height_m=self.height_m,
        )

    def polygon(self) -> Polygon:
        normal = np.column_stack([-np.sin(self.heading), np.cos(self.heading)])
        left = self.line + normal * self.left_m[:, None]
        right = self.line - normal * self.right_m[:, None]
        found = Polygon(np.concatenate([left, right[::-1]])).buffer(0)
        return found if isinstance(found, Polygon) else max(found.geoms, key=lambda part: part.area)

    def axes(self, places: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Station share and signed relative distance from the centre line of places, shape (places, 2)."""
        distance, nearest = cKDTree(self.line).query(places)
        away = places - self.line[nearest]
        side = np.cos(self.heading[nearest]) * away[:, 1] - np.sin(self.heading[nearest]) * away[:, 0]
        width = np.where(side >= 0, self.left_m[nearest], self.right_m[nearest])
        return self.share[nearest], np.sign(side) * distance / np.maximum(width, 0.15 * self.left_m.max())


def wind_land(draw: np.random.Generator) -> Land:
    """A cirque with bowls and ribs that narrows to a tongue: 1 to 6 km2, 400 to 900 m high."""
    area = 1e6 * np.exp(draw.uniform(np.log(1.1), np.log(5.8)))
    length = np.sqrt(area * draw.uniform(2.0, 4.0))
    tongue, turn = draw.uniform(0.35, 0.7), draw.uniform(0.35, 0.55)
    share = np.linspace(0, 1, _STATIONS)
    shape = tongue + (1 - tongue) * smoothstep((share - turn + 0.2) / 0.4)
    shape *= np.sqrt(np.clip(share / 0.07, 0, 1)) * np.sqrt(np.clip((1 - share) / 0.16, 0, 1))
    branch = _branch(draw, length, shape, bend=0.45)
    span = float(np.clip(draw.uniform(420, 880), 0.13 * length, 0.32 * length + 100))
    return _land(draw, (branch,), area, (draw.uniform(2500, 3100), span), bowl=draw.uniform(0.06, 0.15))


def plain_land(draw: np.random.Generator) -> Land:
    """Two branches that join, or an apron as broad as it is long: 1 to 6 km2, 400 to 900 m high."""
    area = 1e6 * np.exp(draw.uniform(np.log(1.1), np.log(5.8)))
    share = np.linspace(0, 1, _STATIONS)
    ends = np.sqrt(np.clip(share / 0.10, 0, 1)) * np.sqrt(np.clip((1 - share) / 0.08, 0, 1))
    if draw.random() < 0.5:
        length = np.sqrt(area * draw.uniform(1.1, 1.8))
        branches: tuple[_Branch, ...] = (
            _branch(draw, length, ends * (1 + draw.uniform(-0.3, 0.3) * (share - 0.5)), bend=0.1),
        )
    else:
        length = np.sqrt(area * draw.uniform(2.6, 4.2))
        trunk = _branch(draw, length, ends * (0.85 + 0.3 * share), bend=0.3)
        branches = (trunk, _tributary(draw, trunk))
    span = float(np.clip(draw.uniform(420, 880), 0.13 * length, 0.30 * length + 120))
    return _land(draw, branches, area, (draw.uniform(2400, 3000), span), bowl=draw.uniform(0.0, 0.08))


def smoothstep(share: FloatArray) -> FloatArray:
    """0 below 0, 1 above 1, and a smooth rise between."""
    held = np.clip(share, 0.0, 1.0)
    return np.asarray(held * held * (3 - 2 * held))


def random_field(shape: tuple[int, ...], length_m: float, draw: np.random.Generator) -> FloatArray:
    """A random field with deviation 1 and exponential covariance of this length, by its spectrum; one or two axes."""
    waves = np.meshgrid(*(2 * np.pi * np.fft.fftfreq(size, PIXEL_M) for size in shape), indexing="ij")
    squared = np.sum([(wave * length_m) ** 2 for wave in waves], axis=0)
    spectrum = (1 + squared) ** (-(len(shape) + 1) / 4)
    field = np.fft.ifftn(np.fft.fftn(draw.standard_normal(shape)) * spectrum).real
    return np.asarray((field - field.mean()) / field.std())


def _branch(draw: np.random.Generator, length_m: float, shape: FloatArray, *, bend: float) -> _Branch:
    """A branch from the origin in any direction; its widths follow ``shape`` and vary by a tenth."""
    share = np.linspace(0, 1, _STATIONS)
    swing = draw.uniform(-bend, bend) * np.sin(np.pi * share) + draw.uniform(-bend, bend) * np.sin(2 * np.pi * share)
    heading = draw.uniform(0, 2 * np.pi) + swing
    step = length_m / (_STATIONS - 1)
    line = np.cumsum(step * np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)
    left, right, uneven = (gaussian_filter(random_field((_STATIONS,), 20 * PIXEL_M, draw), 5.0) for _ in range(3))
    left, right = (shape * (1 + 0.10 * side) for side in (left, right))
    steep = np.exp(0.30 * uneven)
    steep *= 1 + draw.uniform(0.2, 1.0) * smoothstep((share - 0.75) / 0.25) + 0.8 * smoothstep((0.08 - share) / 0.08)
    height = np.cumsum(steep) * draw.uniform(0.15, 0.2) * step
    return _Branch(line=line, heading=heading, left_m=left, right_m=right, height_m=height)


def _tributary(draw: np.random.Generator, trunk: _Branch) -> _Branch:
    """A second branch that leaves the trunk to one side at about its middle and climbs beside it."""
    start = int(_STATIONS * draw.uniform(0.28, 0.45))
    rest = _STATIONS - start
    turn = draw.choice([-1.0, 1.0]) * draw.uniform(0.6, 1.0)
    share = np.linspace(0, 1, rest)
    heading = trunk.heading[start] + turn * (1 - 0.5 * share)
    step = float(np.hypot(*np.diff(trunk.line[:2], axis=0)[0])) * draw.uniform(0.7, 1.0)
    line = trunk.line[start] + np.cumsum(step * np.column_stack([np.cos(heading), np.sin(heading)]), axis=0)
    width = draw.uniform(0.55, 0.9) * trunk.left_m.max() * np.sqrt(np.clip((1 - share) / 0.1, 0.02, 1))
    height = trunk.height_m[start] + (trunk.height_m[start:] - trunk.height_m[start]) * draw.uniform(0.7, 1.1)
    return _Branch(line=line, heading=heading, left_m=width, right_m=width, height_m=height)


def _land(
    draw: np.random.Generator,
    branches: tuple[_Branch, ...],
    area_m2: float,
    heights_m: tuple[float, float],
    *,
    bowl: float,
) -> Land:
    """The branches at their size and place on the grid; ``heights_m`` lowest elevation and span on the glacier."""
    factor = area_m2 / sum(branch.polygon().area for branch in branches)
    for _ in range(4):
        wide = [branch.widened(factor) for branch in branches]
        joined = unary_union([branch.polygon() for branch in wide]).buffer(0)
        factor *= area_m2 / joined.area
    outline = joined if isinstance(joined, Polygon) else max(joined.geoms, key=lambda part: part.area)
    outline = Polygon(outline.exterior)
    west, south, east, north = outline.bounds
    shift = np.array([WEST_M + MARGIN_M - west, NORTH_M - MARGIN_M - north])
    shape = tuple(int(np.ceil((size + 2 * MARGIN_M) / PIXEL_M)) for size in (north - south, east - west))
    outline = Polygon(np.asarray(outline.exterior.coords) + shift)
    inside = ~geometry_mask([outline], shape, Affine(PIXEL_M, 0, WEST_M, 0, -PIXEL_M, NORTH_M))
    places = np.column_stack([axis.ravel() for axis in _centres(shape)]) - shift
    along, across, surface = _relief(wide, places, bowl)
    surface = surface.reshape(shape) + _roughness(draw, shape, along.reshape(shape))
    low, high = surface[inside].min(), surface[inside].max()
    return Land(
        surface_m=heights_m[0] + (surface - low) / (high - low) * heights_m[1],
        inside=inside,
        along=along.reshape(shape),
        across=across.reshape(shape),
        outline=outline,
        centre_line=wide[0].line + shift,
    )


def _relief(branches: list[_Branch], places: FloatArray, bowl: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """``along``, ``across`` and the smooth surface (m): bulging on the tongue, hollow above; walls and a foreland."""
    top = max(float(branch.height_m[-1]) for branch in branches)
    length = float(np.hypot(*np.diff(branches[0].line, axis=0).T).sum())
    found = []
    for branch in branches:
        share, across = branch.axes(places)
        height = np.interp(share, branch.share, branch.height_m)
        off, hollow = np.clip(np.abs(across), 0, 1.0), smoothstep((height / top - 0.25) / 0.5)
        cross = length * (bowl * hollow * 0.5 - 0.012 * (1 - hollow)) * off**2
        wall = 0.65 * np.clip(np.abs(across) - 1, 0, 2) * branch.left_m.mean() * smoothstep(share / 0.15)
        foreland = np.where(share > 0, 0.0, 0.2 * np.hypot(*(places - branch.line[0]).T))
        found.append((height / top, across, height + cross + wall - foreland, 1 / (0.02 + np.abs(across) ** 4)))
    weight = np.array([one[3] for one in found])
    nearest = np.argmax(weight, axis=0)
    picked = np.arange(len(places))
    along, across = (np.array([one[k] for one in found])[nearest, picked] for k in range(2))
    surface = np.sum(weight * np.array([one[2] for one in found]), axis=0) / weight.sum(axis=0)
    return along, across, surface


def _roughness(draw: np.random.Generator, shape: tuple[int, ...], along: FloatArray) -> FloatArray:
    """Ribs and hollows (m), larger in the upper part."""
    smooth = gaussian_filter(random_field(shape, 250.0, draw), 2.0)
    return np.asarray(smooth / smooth.std() * (2.5 + 6.0 * smoothstep((along - 0.4) / 0.4)))


def _centres(shape: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    rows, columns = np.indices(shape)
    return WEST_M + PIXEL_M * (columns + 0.5), NORTH_M - PIXEL_M * (rows + 0.5)
