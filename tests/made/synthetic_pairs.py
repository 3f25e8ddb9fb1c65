"""Small DEM pairs with a known answer, for the tests of the elevation-change chain."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from pipeline.elevation_change.pairing.dem_pair import UNSUITABLE, DemPair, MovableDem
from pipeline.grid import Grid

CRS = "EPSG:32645"
PIXEL_M = 30.0


def fractal(shape: tuple[int, int], seed: int = 1, relief_m: float = 400.0, shift=(0.0, 0.0)) -> np.ndarray:
    """A periodic fractal surface, moved by (east, north) pixels exactly, through its Fourier phase."""
    rows, columns = shape
    draw = np.random.default_rng(seed)
    frequency_row, frequency_column = np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :]
    wave = np.hypot(frequency_row, frequency_column)
    wave[0, 0] = 1
    # no power near the sampling limit, so that a shift by phase is exact and bilinear resampling close to it
    spectrum = (draw.normal(size=wave.shape) + 1j * draw.normal(size=wave.shape)) * wave**-2.2
    spectrum *= np.exp(-((wave / 0.12) ** 4))
    spectrum[0, 0] = 0
    east, north = shift
    spectrum = spectrum * np.exp(-2j * np.pi * (frequency_column * east - frequency_row * north))
    surface = np.fft.irfft2(spectrum, shape)
    return (3000 + relief_m * surface / surface.std()).astype(np.float32)


def write_dem(
    path: Path,
    heights: np.ndarray,
    *,
    crs: str | None = CRS,
    west: float = 400_000.0,
    north: float = 4_800_000.0,
    pixel: float = PIXEL_M,
    nodata: float | None = -9999.0,
) -> Path:
    """A GeoTIFF of heights, NaN as nodata."""
    profile = {
        "driver": "GTiff", "height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32",
        "transform": Affine(pixel, 0, west, 0, -pixel, north), "nodata": nodata,
    }  # fmt: skip
    if crs:
        profile["crs"] = crs
    stored = np.where(np.isnan(heights), nodata, heights) if nodata is not None else heights
    with rasterio.open(path, "w", **profile) as target:
        target.write(stored.astype("float32"), 1)
    return path


def array_pair(
    reference: np.ndarray, aligned: np.ndarray, stable: np.ndarray | None = None, pixel: float = PIXEL_M
) -> DemPair:
    """Two arrays as a pair on one grid; everything is stable unless ``stable`` says otherwise."""
    grid = Grid(CRS, Affine(pixel, 0, 400_000, 0, -pixel, 4_800_000), reference.shape)
    mask = np.zeros(reference.shape, np.uint8) if stable is None else np.where(stable, 0, UNSUITABLE).astype(np.uint8)
    moved = MovableDem(aligned.astype(np.float32), (0.0, 0.0), pixel, cubic=False)
    return DemPair(
        grid=grid,
        reference=reference.astype(np.float32),
        aligned=moved,
        unmoved=moved.heights,
        mask=mask,
        sign=1,
        curvature_of_aligned=False,
    )
