"""Alpine ground with valley glaciers and a known change of them, on a fine grid of degrees.

Relief is a sum of ridged noise: sharp crests, detail where the ground is high, all octaves from 6 km to 55 m. Ice is
poured into high valleys up to a smoothed level, so that glaciers are smooth between rough flanks and their margins
follow the valleys. Change thins the tongues and leaves the tops, and fades out at the margins, which stay in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize, shapes
from rasterio.transform import Affine
from scipy import ndimage
from scipy.sparse import csr_matrix
from shapely.geometry import Polygon

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
LabelArray = NDArray[np.int32]

ARC_SECOND = 1 / 3600
# two places of the fine grid on a pixel of one arc second
FINE_PER_SECOND = 2
# what the two sensors may see beyond the scene's edge: point spread and shift, arc seconds
MARGIN_SECONDS = 12
EQUATOR_M, FLATTENING = 6_378_137.0, 1 / 298.257223563

OCTAVES_M = (6400.0, 3100.0, 1550.0, 800.0, 400.0, 205.0, 105.0, 55.0)
LEAST_GLACIER_KM2, MOST_GLACIERS = 0.2, 20


def stream(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers of their own for every purpose, so that one trouble more leaves the rest of a scene as it was."""
    return np.random.default_rng([seed, *purpose.encode()])


@dataclass(frozen=True)
class FineGrid:
    """Places every half arc second, by row from the north and column from the west.

    Attributes
    ----------
    west, north : degrees of the first place; a whole number of three arc seconds less the margin.
    shape : rows and columns, margins included.
    """

    west: float
    north: float
    shape: tuple[int, int]

    @property
    def step(self) -> float:
        """Degrees between two places."""
        return ARC_SECOND / FINE_PER_SECOND

    @property
    def transform(self) -> Affine:
        """Of cells around the places."""
        return Affine(self.step, 0, self.west - self.step / 2, 0, -self.step, self.north + self.step / 2)

    @property
    def middle_latitude(self) -> float:
        """Degrees."""
        return self.north - self.step * (self.shape[0] - 1) / 2

    @property
    def metres(self) -> tuple[float, float]:
        """Metres from row to row and from column to column in the middle of the grid, on the ellipsoid."""
        per_degree = metres_per_degree(self.middle_latitude)
        return per_degree[0] * self.step, per_degree[1] * self.step

    @property
    def cell_area_m2(self) -> FloatArray:
        """Of the cells of each row, shape (rows, 1)."""
        latitude = self.north - self.step * np.arange(self.shape[0])
        scale = np.cos(np.radians(latitude)) / np.cos(np.radians(self.middle_latitude))
        result: FloatArray = (self.metres[0] * self.metres[1] * scale)[:, None]
        return result


def metres_per_degree(latitude: float) -> tuple[float, float]:
    """Metres on the WGS 84 ellipsoid per degree north and per degree east."""
    squared = FLATTENING * (2 - FLATTENING)
    root = np.sqrt(1 - squared * np.sin(np.radians(latitude)) ** 2)
    north = EQUATOR_M * (1 - squared) / root**3
    east = EQUATOR_M / root * np.cos(np.radians(latitude))
    return float(np.radians(north)), float(np.radians(east))


@dataclass(frozen=True, kw_only=True)
class Relief:
    """What the relief and its ice look like.

    Attributes
    ----------
    median_slope_deg : at about 30 m, before the ice is poured.
    roughness : factor of amplitude from one octave to the next finer one.
    middle_m : mean elevation.
    ice_level_m : standard deviation of the Gaussian whose mean of the ground is the level of the ice, m.
    ice_depth_m : how far the ground must lie below that level to be ice.
    lowest_share : glaciers reach down to this share of the ground's elevations.
    steepest_ice : tangent of the level's slope beyond which no ice holds.
    """

    median_slope_deg: float = 23.0
    roughness: float = 0.55
    middle_m: float = 3900.0
    ice_level_m: float = 380.0
    ice_depth_m: float = 26.0
    lowest_share: float = 0.45
    steepest_ice: float = 0.36


@dataclass(frozen=True)
class Ground:
    """The bare ground with its glaciers at the earlier date.

    Attributes
    ----------
    surface_m : elevation of rock and ice.
    glaciers : number of the glacier from 1, 0 elsewhere; what the outlines cover.
    outlines : polygons in degrees, glacier by glacier.
    """

    grid: FineGrid
    surface_m: FloatArray
    glaciers: LabelArray
    outlines: tuple[Polygon, ...]

    @cached_property
    def heights_within(self) -> FloatArray:
        """Every place's elevation between its glacier's lowest (0) and highest (1) ice; 0 off the glaciers."""
        ice = self.glaciers > 0
        heights, numbers = self.surface_m[ice], self.glaciers[ice]
        span = np.zeros(self.glaciers.shape)
        lowest, highest = np.full(len(self.outlines) + 1, np.inf), np.full(len(self.outlines) + 1, -np.inf)
        np.minimum.at(lowest, numbers, heights)
        np.maximum.at(highest, numbers, heights)
        span[ice] = (heights - lowest[numbers]) / (highest - lowest)[numbers]
        return span

    @cached_property
    def from_margin_m(self) -> FloatArray:
        """Distance inwards from the margin of the ice, m; 0 off the glaciers."""
        return _distance(self.glaciers > 0, self.grid)

    def mean_over(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean of every glacier by area, and its area (m2); shape (glaciers,)."""
        number = np.arange(1, len(self.outlines) + 1)
        area = np.broadcast_to(self.grid.cell_area_m2, values.shape)
        areas = ndimage.sum_labels(area, self.glaciers, number)
        return ndimage.sum_labels(values * area, self.glaciers, number) / areas, areas


def make_ground(grid: FineGrid, seed: int, relief: Relief) -> Ground:
    """Ridged relief with ice in its high valleys."""
    rock = _rock(grid, seed, relief)
    level = _blurred(rock, grid, relief.ice_level_m) - relief.ice_depth_m
    outlines = _outlines(_pools(rock, level, grid, seed, relief), grid)
    labels = np.zeros(grid.shape, np.int32)
    if outlines:
        numbered = [(outline, number) for number, outline in enumerate(outlines, 1)]
        rasterize(numbered, out=labels, transform=grid.transform)
    ice = labels > 0
    # ice rises from the rock within some 90 m of its margin
    share = 1 - np.exp(-((_distance(ice, grid) / 45.0) ** 2))
    surface = rock + share * (level - rock)
    return Ground(grid, surface, labels, tuple(outlines))


def _rock(grid: FineGrid, seed: int, relief: Relief) -> FloatArray:
    """A crest from west to east, ridged noise over it; scaled to the median slope that is asked for."""
    draw = stream(seed, "relief")
    total = np.zeros(grid.shape)
    weight: FloatArray = np.ones(grid.shape)
    amplitude = 1.0
    for wavelength in OCTAVES_M:
        ridges = (1 - np.abs(bumps(grid.shape, grid.metres, wavelength, draw)) / 1.6) ** 2
        total += amplitude * weight * ridges
        # detail is strong on flanks and crests and weak, never absent, in the valleys
        weight = np.clip(0.35 + 1.1 * weight * ridges, 0.35, 1.25)
        amplitude *= relief.roughness
    across = np.linspace(-1, 1, grid.shape[0])[:, None]
    total -= 0.75 * np.abs(across + 0.1) ** 1.3
    total *= np.tan(np.radians(relief.median_slope_deg)) / np.median(slope_tangent(total, grid))
    result: FloatArray = total - total.mean() + relief.middle_m
    return result


def bumps(
    shape: tuple[int, int], metres: tuple[float, float], wavelength_m: float, draw: np.random.Generator
) -> FloatArray:
    """Smooth Gaussian noise of variance 1: cubic B-splines with random coefficients half a wavelength apart."""
    rows, columns = (
        _splines(size, step / (wavelength_m / 2), draw.random()) for size, step in zip(shape, metres, strict=True)
    )
    coefficients = draw.normal(size=(rows.shape[1], columns.shape[1]))
    # each direction's squared weights of a cubic B-spline have the mean 151 / 315
    result: FloatArray = (columns @ (rows @ coefficients).T).T / (151 / 315)
    return result


def _splines(size: int, step: float, start: float) -> csr_matrix:
    """Weights of the uniform cubic B-splines at evenly spaced places, shape (size, splines)."""
    place = start + step * np.arange(size)
    first = place.astype(int)
    part = place - first
    weights = np.stack([(1 - part) ** 3, 3 * part**3 - 6 * part**2 + 4, 0 * part, part**3]) / 6
    weights[2] = 1 - weights[0] - weights[1] - weights[3]
    row = np.broadcast_to(np.arange(size), weights.shape)
    column = first + np.arange(4)[:, None]
    return csr_matrix((weights.ravel(), (row.ravel(), column.ravel())))


def slope_tangent(heights: FloatArray, grid: FineGrid) -> FloatArray:
    """Tangent of the slope over about 30 m."""
    seen = ndimage.uniform_filter(heights, (2, 3), mode="nearest")
    return slope_of(seen[::2, ::2], (grid.metres[0] * 2, grid.metres[1] * 2))


def slope_of(heights: FloatArray, metres: tuple[float, float]) -> FloatArray:
    """Tangent of the slope by central differences."""
    north, east = np.gradient(heights, *metres)
    result: FloatArray = np.hypot(north, east)
    return result


def _blurred(heights: FloatArray, grid: FineGrid, sigma_m: float) -> FloatArray:
    """Gaussian mean of a wide Gaussian, taken on a grid so thin that a third of its sigma lies between the places."""
    thin = max(1, int(sigma_m / 3 / max(grid.metres)))
    narrow = ndimage.uniform_filter(heights, thin, mode="nearest")[thin // 2 :: thin, thin // 2 :: thin]
    wide = ndimage.gaussian_filter(narrow, [sigma_m / metres / thin for metres in grid.metres], mode="nearest")
    place = [(np.arange(size) - thin // 2) / thin for size in heights.shape]
    result: FloatArray = ndimage.map_coordinates(wide, np.meshgrid(*place, indexing="ij"), order=3, mode="nearest")
    return result


def _pools(rock: FloatArray, level: FloatArray, grid: FineGrid, seed: int, relief: Relief) -> LabelArray:
    """Connected high hollows below the level of the ice, numbered."""
    draw = stream(seed, "ice")
    snow_line = np.quantile(rock, relief.lowest_share) + 90 * bumps(grid.shape, grid.metres, 9000.0, draw)
    hollow = (ndimage.gaussian_filter(rock, 3, mode="nearest") < level) & (level > snow_line)
    hollow &= slope_of(level, grid.metres) < relief.steepest_ice
    edge = 6 * MARGIN_SECONDS * FINE_PER_SECOND
    hollow[:edge], hollow[-edge:], hollow[:, :edge], hollow[:, -edge:] = False, False, False, False
    # no arm narrower than some 200 m
    narrow = _distance(hollow, grid) > 100
    opened = _distance(~narrow, grid) <= 100
    labels, count = ndimage.label(opened & hollow)
    areas = ndimage.sum_labels(np.broadcast_to(grid.cell_area_m2, rock.shape), labels, np.arange(count + 1))
    areas[0] = 0
    largest = np.argsort(-areas, kind="stable")
    largest = largest[areas[largest] >= LEAST_GLACIER_KM2 * 1e6]
    # the largest, and of the smaller ones as many of every size
    rest = largest[MOST_GLACIERS // 2 :]
    evenly = np.linspace(0, rest.size - 1, min(rest.size, MOST_GLACIERS // 2)).astype(int)
    kept = np.concatenate([largest[: MOST_GLACIERS // 2], rest[evenly]])
    number = np.zeros(count + 1, np.int32)
    number[kept] = np.arange(1, kept.size + 1)
    result: LabelArray = number[labels]
    return result


def _distance(inside: BoolArray, grid: FineGrid) -> FloatArray:
    """Distance to the nearest place outside, m."""
    result: FloatArray = ndimage.distance_transform_edt(inside, sampling=grid.metres)
    return result


def _drawn(polygon: Polygon) -> Polygon:
    """The polygon within some 10 m; a simpler one keeps its kind."""
    simpler = polygon.simplify(10 / 111_000)
    return simpler if isinstance(simpler, Polygon) else polygon


def _outlines(pools: LabelArray, grid: FineGrid) -> list[Polygon]:
    """Polygons of numbered cells, without small holes, drawn within some 10 m; in the order of the numbers."""
    found: dict[int, Polygon] = {}
    for geometry, number in shapes(pools, mask=pools > 0, transform=grid.transform):
        polygon = _drawn(Polygon(geometry["coordinates"][0]))
        # a diagonal touch makes two polygons of one number: the larger one is the glacier
        if number not in found or polygon.area > found[number].area:
            found[int(number)] = polygon
    return [found[number] for number in sorted(found)]


@dataclass(frozen=True)
class Change:
    """What a glacier's surface does between the dates.

    Attributes
    ----------
    true_m : elevation change, later minus earlier; 0 off the glaciers.
    surged : numbers of the glaciers that surged.
    """

    true_m: FloatArray
    surged: tuple[int, ...]


def make_change(ground: Ground, seed: int, surge_m: float) -> Change:
    """Thinning tongues and balanced tops; where asked, a few glaciers move mass from the top down, or have lost it.

    ``surge_m`` : the rise or fall of a surging glacier's lower part, m; 0 for no surges.
    """
    draw = stream(seed, "change")
    count = len(ground.outlines)
    tongue, top = draw.uniform(-32, -6, count), draw.uniform(-0.5, 1.5, count)
    bend = draw.uniform(1.3, 3.0, count)
    height = ground.heights_within
    by_glacier = ground.glaciers
    change = np.append(0.0, tongue)[by_glacier] * (1 - height) ** np.append(1.0, bend)[by_glacier]
    change += np.append(0.0, top)[by_glacier]
    # the ice ends where it ended: nothing changes at the margin itself
    inside = 1 - np.exp(-((ground.from_margin_m / 110.0) ** 2))
    change *= inside
    surged = _surging(ground, seed) if surge_m else ()
    for place, number in enumerate(surged):
        on = by_glacier == number
        moved = np.sin(np.pi * (1 - 2 * height[on])) * np.where(height[on] < 0.5, 1.0, 0.8) * inside[on]
        # the next surging glacier lies in its quiet years, and its lower part sinks
        change[on] += (1 if place % 2 == 0 else -1) * surge_m * moved / np.abs(moved).max()
    return Change(change, surged)


def _surging(ground: Ground, seed: int) -> tuple[int, ...]:
    """Three of the larger glaciers."""
    larger = min(8, len(ground.outlines))
    chosen = stream(seed, "surge").choice(larger, min(3, larger), replace=False) + 1
    return tuple(int(number) for number in chosen)
