"""Synthetic pairs of DEMs for the benchmarks: a known shift, and one DEM really averaged to 90 m.

The later DEM is a fractal surface at 30 m with 0.5 m of noise. The earlier one is the same surface moved by a fraction
of a pixel through its Fourier phase, averaged over 3 x 3 pixels, brought back to 30 m by cubic splines, with 1.5 m of
noise. Both are float32 GeoTIFFs as rasterio writes them when nothing is asked for.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy import fft, ndimage

PIXEL_M = 30.0
# what must be added to the earlier DEM's position to bring it onto the later one
SHIFT_EAST_M, SHIFT_NORTH_M, SHIFT_UP_M = 11.1, -18.3, -2.5


@dataclass(frozen=True)
class Pair:
    """Two files."""

    earlier: Path
    later: Path


def pair_in(folder: Path, side: int, seed: int = 1) -> Pair:
    """Where a pair lies."""
    return Pair(folder / f"earlier_{side}_{seed}.tif", folder / f"later_{side}_{seed}.tif")


def make_pair(folder: Path, side: int, seed: int = 1) -> Pair:
    """Write a pair of ``side`` x ``side`` pixels; one that lies there already is taken."""
    pair = pair_in(folder, side, seed)
    if pair.earlier.exists() and pair.later.exists():
        return pair
    later, earlier = _surfaces(side, np.random.default_rng(seed))
    write_dem(pair.later, later)
    write_dem(pair.earlier, earlier)
    return pair


def _surfaces(side: int, draw: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    rows, columns = np.fft.fftfreq(side).astype("f4")[:, None], np.fft.rfftfreq(side).astype("f4")[None, :]
    wave = np.hypot(rows, columns)
    wave[0, 0] = 1
    # relief of at most 90 km across, nothing shorter than a few pixels
    power = wave**-2.1 * np.exp(-((wave / 0.2) ** 4)) * (wave > 1 / 3000)
    spectrum = fft.rfft2(draw.standard_normal((side, side), dtype="f4"), workers=2) * power.astype("f4")
    surface = fft.irfft2(spectrum, (side, side), workers=2)
    scale = np.float32(600 / surface.std())
    later = np.float32(3000) + scale * surface
    phase = np.exp(2j * np.pi * (columns * SHIFT_EAST_M - rows * SHIFT_NORTH_M) / PIXEL_M)
    moved = np.float32(3000) + scale * fft.irfft2(spectrum * phase.astype("c8"), (side, side), workers=2)
    earlier = _coarsened(moved) - np.float32(SHIFT_UP_M)
    later += np.float32(0.5) * draw.standard_normal((side, side), dtype="f4")
    earlier += np.float32(1.5) * draw.standard_normal((side, side), dtype="f4")
    return later, earlier


def _coarsened(heights: NDArray[np.float32]) -> NDArray[np.float32]:
    side = heights.shape[0]
    whole = -(-side // 3) * 3
    padded = np.pad(heights, ((0, whole - side), (0, whole - side)), mode="edge")
    means = padded.reshape(whole // 3, 3, whole // 3, 3).mean(axis=(1, 3), dtype="f4")
    fine: NDArray[np.float32] = ndimage.zoom(means, 3, order=3, mode="nearest", grid_mode=True, output="f4")
    return fine[:side, :side]


def write_dem(path: Path, heights: NDArray[np.float32]) -> None:
    """A GeoTIFF in UTM zone 45N."""
    profile = {
        "driver": "GTiff", "height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32",
        "crs": "EPSG:32645", "transform": Affine(PIXEL_M, 0, 400_000, 0, -PIXEL_M, 4_900_000), "nodata": -9999.0,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(heights, 1)


if __name__ == "__main__":
    make_pair(Path(sys.argv[1]), int(sys.argv[2]))
