"""The resolution correction: the real effect of block averaging is removed, and a useless fit is not kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import zoom

from pipeline.elevation_change.resolution.bias_curve import BiasCurve, fit_curvature_bias
from pipeline.elevation_change.statistics import nmad
from pipeline.elevation_change.terrain import maximum_curvature


def curvature_bias(correction, curvature):
    """The fitted bias on every pixel, m: 0 where no correction was kept."""
    curve = BiasCurve.of(correction)
    return np.zeros(curvature.shape, np.float32) if curve is None else curve.at(curvature)


@pytest.fixture(scope="module")
def pair():
    """A rough surface at 30 m, and the same averaged to 90 m and brought back."""
    draw = np.random.default_rng(7)
    rows, columns = 360, 480
    wave = np.hypot(np.fft.fftfreq(rows)[:, None], np.fft.rfftfreq(columns)[None, :])
    wave[0, 0] = 1
    spectrum = (draw.normal(size=wave.shape) + 1j * draw.normal(size=wave.shape)) * wave**-2.0
    spectrum[0, 0] = 0
    fine = np.fft.irfft2(spectrum, (rows, columns))
    fine *= 350 / fine.std()
    blocks = fine.reshape(120, 3, 160, 3).mean(axis=(1, 3))
    coarse = zoom(blocks, 3, order=1, grid_mode=True, mode="nearest")
    return fine.astype(np.float32), coarse.astype(np.float32)


def test_the_effect_of_block_averaging_is_reduced(pair):
    fine, coarse = pair
    curvature = maximum_curvature(fine, 30)
    stable = np.isfinite(curvature)
    correction = fit_curvature_bias((fine - coarse)[stable], curvature[stable], "fine")
    assert correction.applied
    assert correction.bias_m[0] < 0 < correction.bias_m[-1]  # valleys filled, ridges cut
    left = (fine - coarse) - curvature_bias(correction, curvature)
    assert nmad(left[stable]) < 0.85 * nmad((fine - coarse)[stable])
    assert abs(np.median(left[stable])) < 0.02


def test_a_correction_that_does_not_help_is_not_kept():
    draw = np.random.default_rng(3)
    noise, curvature = draw.normal(size=(200, 200)), draw.normal(size=(200, 200))
    correction = fit_curvature_bias(noise.ravel(), curvature.ravel(), "noise")
    assert not correction.applied
    assert (curvature_bias(correction, curvature) == 0).all()


def test_the_end_values_hold_beyond_the_fitted_range(pair):
    fine, coarse = pair
    curvature = maximum_curvature(fine, 30)
    correction = fit_curvature_bias((fine - coarse).ravel(), curvature.ravel(), "fine")
    beyond = curvature_bias(correction, np.array([[-1e3, 1e3, np.nan]], np.float32))[0]
    assert beyond.tolist() == pytest.approx([correction.bias_m[0], correction.bias_m[-1], 0])


def test_too_few_pixels_give_no_fit():
    correction = fit_curvature_bias(np.zeros(25), np.zeros(25), "few")
    assert not correction.applied
    assert correction.knots_per_100m == ()


def test_looking_a_bias_up_is_interpolating_it(pair):
    fine, coarse = pair
    curvature = maximum_curvature(fine, 30)
    correction = fit_curvature_bias((fine - coarse).ravel(), curvature.ravel(), "fine")
    known = curvature[np.isfinite(curvature)]
    expected = np.interp(known, correction.knots_per_100m, correction.bias_m)
    np.testing.assert_allclose(curvature_bias(correction, known), expected, atol=2e-3)
