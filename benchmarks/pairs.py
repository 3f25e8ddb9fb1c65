"""Synthetic pairs of DEMs for the benchmarks: mountains with glaciers, voids and correlated noise, a known shift.

    python -m benchmarks.pairs FOLDER SIDE

The ground has crests and gullies (median slope 20 degrees), the glaciers on it are smooth and thin towards their lower
ends. The earlier DEM is the ground before that change, moved by a fraction of a pixel through its Fourier phase,
averaged over 3 x 3 pixels, blurred by a Gaussian of 36 m and brought back to 30 m by cubic splines. Noise is white and
correlated over 150 m and 1.5 km, and grows with the slope; voids of some hundred metres lie on 2 % of the earlier DEM
and on 15 % of its glaciers. At 3000 pixels a side there are 165 glaciers with 39,000 vertices, at other sizes as many
to the area. Both DEMs are float32 GeoTIFFs as rasterio writes them when nothing is asked for.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy import fft, ndimage
from shapely.geometry import Polygon

PIXEL_M = 30.0
WEST_M, NORTH_M, CRS = 400_000.0, 4_900_000.0, "EPSG:32645"
# what must be added to the earlier DEM's position to bring it onto the later one
SHIFT_EAST_M, SHIFT_NORTH_M, SHIFT_UP_M = 11.1, -18.3, -2.5
GLACIERS_AT_3000, VERTICES = 165, 236
# standard deviation of what else blurs the earlier DEM, in its posts of 90 m
BLUR_POSTS = 0.4
RELIEF_M, RIDGES_M, ICE_PIXELS = 450.0, 110.0, 12.0
# share of the variance and correlation length in pixels of the noise, and its standard deviation on level ground, m
NOISE = ((0.70, 0.0), (0.25, 5.0), (0.05, 50.0))
SIGMA_LATER_M, SIGMA_EARLIER_M, STEEPER = 0.5, 1.5, 1.5
VOID_PIXELS, VOID_SHARE, VOID_SHARE_ON_ICE = 9.0, 0.02, 0.15
LOSS_AT_TONGUE_M = 30.0

Heights = NDArray[np.float32]


@dataclass(frozen=True)
class Pair:
    """Two DEMs and the outlines of the glaciers on them."""

    earlier: Path
    later: Path
    outlines: Path


def pair_in(folder: Path, side: int, seed: int = 1) -> Pair:
    """Where a pair lies."""
    name = f"{side}_{seed}"
    return Pair(folder / f"earlier_{name}.tif", folder / f"later_{name}.tif", folder / f"glaciers_{name}.gpkg")


def make_pair(folder: Path, side: int, seed: int = 1) -> Pair:
    """Write a pair of ``side`` x ``side`` pixels; one that lies there already is taken."""
    pair = pair_in(folder, side, seed)
    if all(path.exists() for path in (pair.earlier, pair.later, pair.outlines)):
        return pair
    shapes = glacier_shapes(side, seed)
    later, earlier = _surfaces(side, seed, shapes)
    write_dem(pair.later, later)
    write_dem(pair.earlier, earlier)
    write_outlines(pair.outlines, shapes)
    return pair


def draws(seed: int, purpose: str) -> np.random.Generator:
    """Random numbers of their own for every purpose."""
    return np.random.default_rng([seed, *purpose.encode()])


def glacier_shapes(side: int, seed: int) -> list[Polygon]:
    """One long lobed outline in each cell of a square pattern, in pixels from the upper left corner (column, row)."""
    count = max(4, round(GLACIERS_AT_3000 * (side / 3000) ** 2))
    across = math.ceil(math.sqrt(count))
    cell, draw = side / across, draws(seed, "glaciers")
    angle = 2 * np.pi * np.arange(VERTICES) / VERTICES
    shapes = []
    for number in range(count):
        row, column = divmod(number, across)
        length, width = cell * draw.uniform(0.12, 0.45), cell * draw.uniform(0.05, 0.16)
        lobes = sum(draw.normal(0, 0.22 / wave) * np.cos(wave * angle + draw.uniform(0, 6.28)) for wave in range(2, 24))
        radius = np.clip(1 + lobes, 0.35, 1.0)
        along, aside, turn = length * radius * np.cos(angle), width * radius * np.sin(angle), draw.uniform(0, 2 * np.pi)
        x = cell * (column + 0.5) + along * np.cos(turn) - aside * np.sin(turn)
        y = cell * (row + 0.5) + along * np.sin(turn) + aside * np.cos(turn)
        shapes.append(Polygon(np.column_stack([x, y])))
    return shapes


def _surfaces(side: int, seed: int, shapes: list[Polygon]) -> tuple[Heights, Heights]:
    numbers = rasterize([(shape, number) for number, shape in enumerate(shapes, 1)], (side, side), dtype="int32")
    ground = _ground(side, seed, numbers > 0)
    later = ground - _loss(ground, numbers)
    slope = np.hypot(*np.gradient(later, PIXEL_M)).astype("f4")
    phase = _phase(side)
    earlier = _coarsened(_filtered(ground, lambda spectrum: spectrum * phase)) - np.float32(SHIFT_UP_M)
    del ground
    later += _noise(slope, SIGMA_LATER_M, draws(seed, "later"))
    earlier += _noise(slope, SIGMA_EARLIER_M, draws(seed, "earlier"))
    earlier[_voids(numbers > 0, draws(seed, "voids"))] = np.nan
    return later, earlier


def _waves(side: int) -> tuple[Heights, Heights]:
    return np.fft.fftfreq(side).astype("f4")[:, None], np.fft.rfftfreq(side).astype("f4")[None, :]


def _phase(side: int) -> NDArray[np.complex64]:
    rows, columns = _waves(side)
    return np.exp(2j * np.pi * (columns * SHIFT_EAST_M - rows * SHIFT_NORTH_M) / PIXEL_M).astype("c8")


def _filtered(field: Heights, change: Any) -> Heights:
    spectrum = change(fft.rfft2(field, workers=2))
    result: Heights = fft.irfft2(spectrum, field.shape, workers=2, overwrite_x=True).astype("f4", copy=False)
    return result


def _field(side: int, draw: np.random.Generator, power: Heights) -> Heights:
    """Noise under a spectrum of amplitudes, of variance 1."""
    field = _filtered(draw.standard_normal((side, side), dtype="f4"), lambda spectrum: spectrum * power)
    field /= field.std(dtype="f8").astype("f4")
    return field


def _gaussian(side: int, pixels: float) -> Heights:
    rows, columns = _waves(side)
    result: Heights = np.exp(-2 * (np.pi * pixels) ** 2 * (rows**2 + columns**2)).astype("f4")
    return result


def _ground(side: int, seed: int, ice: NDArray[np.bool_]) -> Heights:
    """Fractal relief of at most 90 km across with crests and gullies, nothing shorter than some pixels, ice smooth."""
    rows, columns = _waves(side)
    wave = np.hypot(rows, columns)
    wave[0, 0] = 1
    wide = wave**-2.1 * (wave > 1 / 3000)
    ground = np.float32(RELIEF_M) * _field(side, draws(seed, "relief"), wide.astype("f4"))
    narrow = (wave**-1.9 * (wave > 1 / 200)).astype("f4")
    for purpose, sign in (("crests", -1), ("gullies", 1)):
        ground += np.float32(sign * RIDGES_M) * np.abs(_field(side, draws(seed, purpose), narrow))
    smooth = _filtered(ground, lambda spectrum: spectrum * _gaussian(side, ICE_PIXELS))
    weight = ndimage.gaussian_filter(ice.astype("f4"), 1.5, mode="wrap")
    ground += weight * (smooth - ground)
    ground += np.float32(3600)
    wave[0, 0] = 0
    limit = np.exp(-((wave / 0.22) ** 4)).astype("f4")
    return _filtered(ground, lambda spectrum: spectrum * limit)


def _loss(ground: Heights, numbers: NDArray[np.int32]) -> Heights:
    """Elevation that every glacier loses, m: most at its lowest place, nothing at its highest, fading at the margin."""
    loss = np.zeros(ground.shape, "f4")
    for number, box in enumerate(ndimage.find_objects(numbers), 1):
        if box is None:
            continue
        inside = numbers[box] == number
        heights = ground[box]
        low, high = heights[inside].min(), heights[inside].max()
        share = np.clip((high - heights) / max(high - low, 1), 0, 1)
        loss[box][inside] = (np.float32(LOSS_AT_TONGUE_M) * share**2)[inside]
    return np.asarray(ndimage.gaussian_filter(loss, 1.0), "f4")


def _coarsened(heights: Heights) -> Heights:
    side = heights.shape[0]
    whole = -(-side // 3) * 3
    padded = np.pad(heights, ((0, whole - side), (0, whole - side)), mode="edge")
    means = padded.reshape(whole // 3, 3, whole // 3, 3).mean(axis=(1, 3), dtype="f4")
    means = ndimage.gaussian_filter(means, BLUR_POSTS, mode="nearest")
    fine: Heights = ndimage.zoom(means, 3, order=3, mode="nearest", grid_mode=True, output="f4")
    return fine[:side, :side]


def _noise(slope: Heights, sigma_m: float, draw: np.random.Generator) -> Heights:
    side = slope.shape[0]
    total = np.zeros(slope.shape, "f4")
    for share, pixels in NOISE:
        white = draw.standard_normal(slope.shape, dtype="f4")
        field = white if pixels == 0 else _field(side, draw, _gaussian(side, pixels))
        total += np.float32(math.sqrt(share)) * field
    total *= np.float32(sigma_m) * (1 + np.float32(STEEPER) * slope)
    return total


def _voids(ice: NDArray[np.bool_], draw: np.random.Generator) -> NDArray[np.bool_]:
    """Patches of cells of the coarse DEM, more of them on ice."""
    field = _field(ice.shape[0], draw, _gaussian(ice.shape[0], VOID_PIXELS))
    # a normal distribution's upper shares
    limit = np.where(ice, _upper(VOID_SHARE_ON_ICE), _upper(VOID_SHARE)).astype("f4")
    cells = np.repeat(np.repeat((field > limit)[1::3, 1::3], 3, 0), 3, 1)
    result = np.zeros(ice.shape, bool)
    rows, columns = (min(sizes) for sizes in zip(cells.shape, ice.shape, strict=True))
    result[:rows, :columns] = cells[:rows, :columns]
    return result


def _upper(share: float) -> float:
    return NormalDist().inv_cdf(1 - share)


def write_dem(path: Path, heights: Heights) -> None:
    """A GeoTIFF in UTM zone 45N."""
    profile = {
        "driver": "GTiff", "height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32",
        "crs": CRS, "transform": Affine(PIXEL_M, 0, WEST_M, 0, -PIXEL_M, NORTH_M), "nodata": -9999.0,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.nan_to_num(heights, nan=-9999.0), 1)


def write_outlines(path: Path, shapes: list[Polygon]) -> None:
    """The outlines as a GeoPackage, with the attribute names of the Randolph inventory."""
    placed = gpd.GeoSeries(shapes).affine_transform([PIXEL_M, 0, 0, -PIXEL_M, WEST_M, NORTH_M])
    names = [f"B-{number:05d}" for number in range(1, len(shapes) + 1)]
    frame = gpd.GeoDataFrame({"rgi_id": names, "glac_name": ""}, geometry=placed.to_numpy(), crs=CRS)
    frame.to_file(path, driver="GPKG", layer="glaciers")


if __name__ == "__main__":
    make_pair(Path(sys.argv[1]), int(sys.argv[2]))
