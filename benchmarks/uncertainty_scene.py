"""A synthetic elevation difference whose errors have a known sigma and a known correlation, with glaciers in it.

python -m benchmarks.uncertainty_scene FOLDER SIDE
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from pipeline.elevation_change.uncertainty.variogram import Variogram

PIXEL_M = 30.0
TRUE = Variogram(ranges_m=(75.0, 600.0, 6000.0), sills=(0.7, 0.2, 0.1))
GLACIERS = 100


def write_scene(folder: Path, side: int) -> None:
    """dh (m), slope (degrees), curvature ((100 m)-1), glaciers (number or 0) and the true sigma (m), as .npy files."""
    draw = np.random.default_rng(1)
    slope = 20 * np.exp(0.5 * smooth_field(side, 20, draw))
    curvature = smooth_field(side, 4, draw)
    sigma = 1 + 0.04 * slope + 0.6 * np.abs(curvature)
    glaciers = ellipses(side, draw)
    dh = sigma * errors(side, draw) - 5 * (glaciers > 0)
    for name, layer in (("dh", dh), ("slope", slope), ("curvature", curvature), ("sigma", sigma)):
        np.save(folder / f"{name}.npy", layer.astype(np.float32))
    np.save(folder / "glaciers.npy", glaciers)


def smooth_field(side: int, reach: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """White noise smoothed over ``reach`` pixels, unit variance."""
    rows, columns = fft.fftfreq(side)[:, None], fft.rfftfreq(side)
    low_pass = np.exp(-2 * (np.pi * reach * np.hypot(rows, columns)) ** 2)
    field = fft.irfft2(fft.rfft2(draw.standard_normal((side, side)), workers=2) * low_pass, (side, side), workers=2)
    return np.asarray(field / field.std())


def errors(side: int, draw: np.random.Generator) -> NDArray[np.float64]:
    """A field with the covariance of ``TRUE``, periodic in a square somewhat larger than needed."""
    wide = fft.next_fast_len(side + int(TRUE.reach_m / PIXEL_M) + 1, real=True)
    lag = PIXEL_M * np.minimum(np.arange(wide), wide - np.arange(wide))
    spectrum = fft.rfft2(TRUE.covariance(np.hypot(lag[:, None], lag)), workers=2).real
    noise = fft.rfft2(draw.standard_normal((wide, wide)), workers=2)
    noise *= np.sqrt(np.maximum(spectrum, 0))
    return np.asarray(fft.irfft2(noise, (wide, wide), workers=2)[:side, :side])


def ellipses(side: int, draw: np.random.Generator) -> NDArray[np.int16]:
    """Numbered ellipses in the cells of a square pattern, a tenth to nine tenths of a cell across."""
    glaciers = np.zeros((side, side), np.int16)
    across = round(GLACIERS**0.5)
    cell = side // across
    rows, columns = np.mgrid[:cell, :cell] - cell / 2
    for number in range(across**2):
        half = cell * draw.uniform(0.05, 0.45, 2)
        angle = draw.uniform(0, np.pi)
        along, aside = rows * np.cos(angle) + columns * np.sin(angle), columns * np.cos(angle) - rows * np.sin(angle)
        top, left = (cell * part for part in divmod(number, across))
        inside = (along / half[0]) ** 2 + (aside / half[1]) ** 2 < 1
        glaciers[top : top + cell, left : left + cell][inside] = number + 1
    return glaciers


if __name__ == "__main__":
    write_scene(Path(sys.argv[1]), int(sys.argv[2]))
