"""Random fields with a known spatial correlation, for the tests of the uncertainty."""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft2, rfft2

from pipeline.elevation_change.uncertainty.variogram import Variogram


def correlated_field(shape: tuple[int, int], variogram: Variogram, pixel_m: float, seed: int) -> np.ndarray:
    """A Gaussian field with the variogram's covariance, exactly, by circulant embedding in twice the size; float32.

    Dietrich and Newsam (1993); independent of how the project integrates or estimates a covariance.
    """
    twice = [2 * size for size in shape]
    rows, columns = (np.minimum(np.arange(size), size - np.arange(size)) for size in twice)
    spectrum = rfft2(variogram.covariance(pixel_m * np.hypot(rows[:, None], columns))).real
    noise = rfft2(np.random.default_rng(seed).normal(size=twice))
    field = irfft2(noise * np.sqrt(np.maximum(spectrum, 0)), twice)
    return field[: shape[0], : shape[1]].astype(np.float32)
