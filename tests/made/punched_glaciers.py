"""Glaciers of known change with voids punched into them, on two kinds of ground: what was there is known everywhere.

``pools`` takes ground and change of ``alpine_ground``: twenty valley glaciers whose tongues thin whatever their size.
``valleys`` is made here and unlike it: parametric glaciers whose change depends on their size and on where in the
region they lie, with debris that shields tongues, a lean across the tongue, and deviations that follow no elevation.

Voids are punched in three ways: ``high`` (ragged, from the top down), ``patches`` (discs anywhere), ``accumulation``
(all above a level line of the glacier). In scenes of ``every`` glacier each one loses its share; otherwise every second
one does, and the others between nothing and two fifths. Constants and seeds were fixed before the filling was changed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray
from rasterio.features import shapes
from rasterio.transform import Affine
from scipy import ndimage
from shapely.geometry import shape as shape_of
from shapely.ops import unary_union

from pipeline.elevation_change.uncertainty.variogram import Variogram
from tests.made.alpine_ground import FineGrid, Relief, bumps, make_change, make_ground, stream
from tests.made.random_fields import correlated_field

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]
LabelArray = NDArray[np.int32]

GROUNDS = ("pools", "valleys")
VOIDS = ("high", "patches", "accumulation")
PIXEL_M = 30.0
CRS = "EPSG:32645"
# what the punched glaciers lose, and the others of a scene where not every one is punched
LOST, LOST_BY_OTHERS = (0.4, 0.9), (0.0, 0.4)
# noise of a change from two space-borne DEMs, m, and how it is correlated
NOISE_M = 2.5
NOISE = Variogram(ranges_m=(200.0, 900.0, 4000.0), sills=(0.85, 0.11, 0.04))
SIZE_SECONDS = (420, 600)
# glaciers of the valleys: rows and columns of boxes, pixels of a box
BOXES, BOX = (3, 4), (150, 120)


@dataclass(frozen=True, kw_only=True)
class PunchedScene:
    """Which ground, which kind of voids, in every glacier or in every second one, with which seed."""

    ground: str
    voids: str
    every: bool
    seed: int

    @property
    def name(self) -> str:
        """All that tells it from the others."""
        return f"{self.ground}-{self.voids}-{'every' if self.every else 'second'}-{self.seed}"


@dataclass(frozen=True, kw_only=True)
class Glaciated:
    """A region of glaciers: number of the glacier from 1, elevation and true change, m, shape (rows, columns)."""

    labels: LabelArray
    height_m: FloatArray
    true_m: FloatArray


@dataclass(frozen=True, kw_only=True)
class MadePunched:
    """A punched scene in memory.

    Attributes
    ----------
    region : what is true.
    dh_m : true change with noise, NaN where void or off the glaciers.
    lost : share of every glacier that is void, by number from 1; shape (glaciers,).
    mean_m : true mean change of each glacier; shape (glaciers,).
    """

    region: Glaciated
    dh_m: FloatArray
    lost: FloatArray
    mean_m: FloatArray

    @property
    def transform(self) -> Affine:
        """Of the grid, in ``CRS``."""
        return Affine(PIXEL_M, 0, 400_000, 0, -PIXEL_M, 4_800_000)

    def outlines(self) -> gpd.GeoDataFrame:
        """Outlines along the pixels' edges, with the columns that the chain's have."""
        parts: dict[int, list[Any]] = {}
        labels = self.region.labels
        for geometry, number in shapes(labels, mask=labels > 0, transform=self.transform):
            parts.setdefault(int(number), []).append(shape_of(geometry))
        numbers = sorted(parts)
        return gpd.GeoDataFrame(
            {"glacier_id": [f"G{number:03d}" for number in numbers], "glacier_name": "", "epoch": 0, "date": ""},
            geometry=[unary_union(parts[number]) for number in numbers],
            crs=CRS,
        )


def make_punched(scene: PunchedScene) -> MadePunched:
    """The scene's region with noise and voids."""
    region = _region(scene.ground, scene.seed)
    noise = NOISE_M * correlated_field(region.labels.shape, NOISE, PIXEL_M, 7000 + scene.seed)
    voids, lost = _punched(region, scene)
    dh = np.where((region.labels > 0) & ~voids, region.true_m + noise, np.nan)
    number = np.arange(1, int(region.labels.max()) + 1)
    mean = np.asarray(ndimage.mean(region.true_m, region.labels, number))
    return MadePunched(region=region, dh_m=dh, lost=lost, mean_m=mean)


@lru_cache(maxsize=4)
def _region(ground: str, seed: int) -> Glaciated:
    return _pools(seed) if ground == "pools" else _valleys(seed)


def _pools(seed: int) -> Glaciated:
    """Every second place each way of an alpine ground; a pixel is held to be 30 m wide."""
    rows, columns = SIZE_SECONDS
    grid = FineGrid(87.0 - columns / 7200, 43.5 + rows / 7200, (2 * rows, 2 * columns))
    ground = make_ground(grid, 5000 + seed, Relief(median_slope_deg=23.0))
    change = make_change(ground, 5000 + seed, 0.0)
    own = (slice(None, None, 2), slice(None, None, 2))
    return Glaciated(labels=ground.glaciers[own], height_m=ground.surface_m[own], true_m=change.true_m[own])


def _valleys(seed: int) -> Glaciated:
    """Parametric glaciers, one in each box."""
    draw = stream(seed, "valleys")
    size = (BOXES[0] * BOX[0], BOXES[1] * BOX[1])
    labels = np.zeros(size, np.int32)
    height, change = np.zeros(size), np.zeros(size)
    lean = draw.uniform(-0.35, 0.35)
    rough = bumps(size, (PIXEL_M, PIXEL_M), 500.0, draw), bumps(size, (PIXEL_M, PIXEL_M), 180.0, draw)
    for number in range(BOXES[0] * BOXES[1]):
        row, column = number // BOXES[1], number % BOXES[1]
        box = (slice(row * BOX[0], (row + 1) * BOX[0]), slice(column * BOX[1], (column + 1) * BOX[1]))
        inside, along, across, length = _shape(draw)
        labels[box][inside] = number + 1
        height[box] = _heights(along, across, length, draw) + 12 * rough[0][box]
        regional = 1 + lean * (column - (BOXES[1] - 1) / 2)
        true = _change(along, across, length, regional, draw)
        true += (0.08 * np.abs(true) + 0.4) * rough[0][box] + 0.3 * rough[1][box]
        margin = PIXEL_M * ndimage.distance_transform_edt(inside)
        change[box] = np.where(inside, true * (1 - np.exp(-((margin / 60.0) ** 2))), 0.0)
    return Glaciated(labels=labels, height_m=height, true_m=change)


def _shape(draw: np.random.Generator) -> tuple[BoolArray, FloatArray, FloatArray, float]:
    """Inside, place along (0 at the terminus, 1 at the head) and across (-1 to 1), and length of a glacier, m."""
    length = math.exp(draw.uniform(math.log(900), math.log(4000)))
    rows, columns = BOX
    down, right = np.mgrid[:rows, :columns] * PIXEL_M
    along = (rows - 8) * PIXEL_M - down
    along = along / length
    middle = columns / 2 * PIXEL_M + 0.06 * length * np.sin(2.5 * along + draw.uniform(0, 6))
    stations = [0, 0.04, 0.3, 0.6, 0.85, 1]
    widths = [0.05, 0.6, 0.8, draw.uniform(0.8, 1.7), draw.uniform(0.9, 2.0), 0.5]
    half = length * draw.uniform(0.10, 0.16) * np.interp(along, stations, widths)
    across = (right - middle) / half
    inside = (np.abs(across) < 1) & (along > 0) & (along < 1)
    inside &= (right > 3 * PIXEL_M) & (right < (columns - 3) * PIXEL_M)
    return inside, np.clip(along, 0, 1), across, length


def _heights(along: FloatArray, across: FloatArray, length: float, draw: np.random.Generator) -> FloatArray:
    """Steeper towards the head, hollow across above and bulging below."""
    lift = length * draw.uniform(0.2, 0.34)
    rise = along ** draw.uniform(1.0, 1.5)
    result: FloatArray = draw.uniform(3300, 3900) + lift * (rise + 0.04 * (along - 0.4) * np.clip(across, -2, 2) ** 2)
    return result


def _change(
    along: FloatArray, across: FloatArray, length: float, regional: float, draw: np.random.Generator
) -> FloatArray:
    """Larger glaciers lose more at their tongues, and it reaches less far up; debris shields every fourth tongue."""
    larger = math.log(length / 1900)
    tongue = -12.0 * regional * math.exp(0.4 * larger + draw.normal(0, 0.3))
    bend = 2.2 * math.exp(0.45 * larger + draw.normal(0, 0.25))
    total = tongue * (1 - along) ** bend + draw.normal(-0.5, 0.6) * regional
    if draw.random() < 0.25:
        total *= 1 - 0.6 * np.clip((0.3 - along) / 0.25, 0, 1)
    result: FloatArray = total + draw.normal(0, 0.06) * tongue * np.clip(across, -1, 1) * (1 - along)
    return result


def _punched(region: Glaciated, scene: PunchedScene) -> tuple[BoolArray, FloatArray]:
    """Where the voids are, and the share that every glacier loses."""
    draw = stream(scene.seed, f"punched {scene.voids} {scene.every}")
    ragged = bumps(region.labels.shape, (PIXEL_M, PIXEL_M), 700.0, draw)
    voids = np.zeros(region.labels.shape, bool)
    lost = []
    for number in range(1, int(region.labels.max()) + 1):
        own = region.labels == number
        hit = scene.every or number % 2 == 1
        share = draw.uniform(*(LOST if hit else LOST_BY_OTHERS))
        if scene.voids == "patches":
            voids |= own & _discs(own, share, draw)
        else:
            height = region.height_m[own]
            placed = (region.height_m - height.min()) / np.ptp(height)
            placed = placed + (0.15 * ragged if scene.voids == "high" else 0.0)
            voids |= own & (placed > np.quantile(placed[own], 1 - share))
        lost.append(voids[own].mean())
    return voids, np.array(lost)


def _discs(own: BoolArray, share: float, draw: np.random.Generator) -> BoolArray:
    """Discs of 60 to 400 m about pixels of a glacier until the share is reached."""
    rows, columns = np.nonzero(own)
    hit = np.zeros(rows.size, bool)
    while hit.mean() < share:
        centre = draw.integers(rows.size)
        hit |= np.hypot(rows - rows[centre], columns - columns[centre]) * PIXEL_M < draw.uniform(60, 400)
    voids = np.zeros(own.shape, bool)
    voids[rows[hit], columns[hit]] = True
    return voids


SCENES = tuple(
    PunchedScene(ground=ground, voids=voids, every=every, seed=seed)
    for seed in range(1, 7)
    for ground in GROUNDS
    for voids in VOIDS
    for every in (True, False)
)
