"""The patch test: passes where the stated uncertainty is right, fails where it is wrong, says how many patches fit."""

from __future__ import annotations

import itertools
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pipeline.blocks import Scratch, threads
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean
from pipeline.elevation_change.uncertainty.patches import PatchTest, SmoothGround, patch_test
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.elevation_change.uncertainty.variogram_fit import fit_variogram
from tests.made.random_fields import correlated_field

PIXEL_M = 30.0
TRUE = Variogram(ranges_m=(60.0, 400.0, 2500.0), sills=(0.65, 0.25, 0.1))


@cache
def field(shape, reach_m, seed):
    return correlated_field(
        shape, TRUE if reach_m is None else Variogram(ranges_m=(reach_m,), sills=(1.0,)), PIXEL_M, seed
    )


def scene(seed, shape=(520, 640)):
    """Standardised residuals with large and small gaps, and a sigma that varies from place to place."""
    residual = field(shape, None, seed).copy()
    residual[field(shape, 1500.0, 90) > 1] = np.nan
    residual[np.random.default_rng(seed).random(shape) < 0.05] = np.nan
    return residual, 1.5 * np.exp(0.4 * field(shape, 2000.0, 91))


@pytest.mark.parametrize("area_m2", [1e5, 4e5])
def test_a_right_uncertainty_passes(area_m2):
    """With the variogram fitted to the very residuals, as the chain does it."""
    spreads = []
    for seed in range(3):
        residual, sigma = scene(seed)
        found = patch_test(residual, sigma, fit_variogram(residual, PIXEL_M), PIXEL_M, area_m2)
        assert found.count >= 200
        assert found.passed, found.spread
        assert 0.8 < found.robust_spread < 1.2
        spreads.append(found.spread)
    assert np.mean(spreads) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    "wrong",
    [
        Variogram(ranges_m=(31.0,), sills=(1.0,)),  # collapsed to noise
        Variogram(ranges_m=(60.0,), sills=(1.0,)),  # the long ranges lost
        Variogram(ranges_m=(60.0, 2500.0), sills=(0.5, 0.5)),  # too much at the long range
    ],
)
def test_a_wrong_uncertainty_fails(wrong):
    residual, sigma = scene(1)
    found = patch_test(residual, sigma, wrong, PIXEL_M, 4e5)
    assert found.enough
    assert not 0.8 < found.spread < 1.2
    assert not 0.8 < found.robust_spread < 1.2
    assert not found.passed


def test_a_wrong_sigma_fails():
    residual, sigma = scene(2)
    model = fit_variogram(residual, PIXEL_M)
    assert patch_test(residual / 1.5, sigma, model, PIXEL_M, 2e5).spread < 0.8
    assert patch_test(residual * 1.5, sigma, model, PIXEL_M, 2e5).spread > 1.2


def test_a_patch_is_the_mean_over_its_own_pixels():
    """A raster that holds one patch only: its mean and sigma by hand."""
    shape = (34, 38)
    residual, sigma = scene(3, shape)
    residual[:] = np.random.default_rng(1).normal(size=shape)
    residual[12:16, 14:18] = np.nan
    radius = 15.2
    found = patch_test(residual, sigma, TRUE, PIXEL_M, np.pi * (radius * PIXEL_M) ** 2)
    assert found.count == 1
    rows, columns = np.mgrid[:34, :38]
    matches = 0
    for row, column in itertools.product(range(15, 19), range(15, 23)):
        inside = (np.hypot(rows - row, columns - column) <= radius) & np.isfinite(residual)
        expected = (np.mean((residual * sigma)[inside]), sigma_of_mean(sigma, inside, TRUE, PIXEL_M))
        matches += (found.mean_m[0], found.sigma_m[0]) == pytest.approx(expected, rel=1e-5)
    assert matches == 1


def test_patches_do_not_overlap_and_are_covered(monkeypatch):
    seen = []
    monkeypatch.setattr(
        "pipeline.elevation_change.uncertainty.patches.CovarianceIntegrator.sigma_of_mean",
        lambda self, sigma, mask: seen.append((int(sigma[mask].min()), mask.mean())) or 1.0,
    )
    residual, _ = scene(1, (300, 420))
    numbers = np.arange(residual.size, dtype=float).reshape(residual.shape)
    found = patch_test(residual, numbers, TRUE, PIXEL_M, 2e5)
    side = 2 * int(np.sqrt(2e5 / np.pi) / PIXEL_M) + 1
    assert found.count == len(seen) > 50
    assert min(share for _, share in seen) > 0.7 * np.pi / 4 * 0.95
    places = np.array([divmod(first, residual.shape[1]) for first, _ in seen])
    gaps = np.abs(places[:, None] - places).max(axis=2)[np.triu_indices(len(places), 1)]
    # the first pixel of a disc lies at most half a disc beside its box's corner
    assert gaps.min() > side / 2 - 2


def test_fewer_patches_are_said_to_be_few():
    residual, sigma = scene(1)
    found = patch_test(residual, sigma, TRUE, PIXEL_M, 6e6)
    assert 2 <= found.count < 200
    assert not found.enough
    assert not found.passed
    assert np.isfinite(found.spread)


@pytest.mark.parametrize("case", ["too large a patch", "nothing stable"])
def test_no_patch_at_all(case):
    residual, sigma = scene(1, (60, 80))
    if case == "nothing stable":
        residual[:] = np.nan
    found = patch_test(residual, sigma, TRUE, PIXEL_M, 1e8 if case == "too large a patch" else 1e5)
    assert found.count == 0
    assert np.isnan([found.mean, found.spread, found.robust_spread]).all()
    assert not found.passed


def test_the_same_for_any_workers_and_any_storage():
    residual, sigma = scene(2, (310, 430))
    stored = [Scratch().array(residual.shape) for _ in range(2)]
    for target, source in zip(stored, (residual, sigma), strict=True):
        target[0:310, 0:430] = source
    alone = patch_test(residual, sigma, TRUE, PIXEL_M, 1e5)
    for workers in (1, 3):
        with threads(workers) as runner:
            found = patch_test(*stored, TRUE, PIXEL_M, 1e5, runner)
        assert found.mean_m.tobytes() == alone.mean_m.tobytes()
        assert found.sigma_m.tobytes() == alone.sigma_m.tobytes()


def test_the_numbers_of_the_outcome_by_hand():
    found = PatchTest(1e6, np.array([1.0, -1.0, 3.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.5]))
    assert found.mean == pytest.approx(1.25)
    assert found.spread == pytest.approx(np.std([1, -1, 3, 2], ddof=1))
    assert found.robust_spread == pytest.approx(1.4826 * 1.0)


def test_smooth_ground_shows_what_rough_ground_pays_for():
    """An error of +1.5 m on smooth ground that rough ground outweighs, as a curve of maximum curvature leaves it."""
    residual, sigma = scene(2)
    draw = np.random.default_rng(5)
    hills = gaussian_filter(draw.normal(size=residual.shape), 25, mode="wrap")
    valley = hills < np.quantile(hills, 0.25)
    heights = (3000 + 4000 * hills + np.where(valley, 0.0, draw.normal(0, 4, residual.shape))).astype(np.float32)
    share = np.isfinite(residual[valley]).mean() * valley.mean()
    wrong = residual + np.where(valley, 1.5, -1.5 * share / (1 - share)) / sigma
    smooth = SmoothGround.of(heights, residual, PIXEL_M)
    assert 0.7 < smooth((slice(0, 520), slice(0, 640)))[valley].mean() <= 1
    found = patch_test(wrong, sigma, TRUE, PIXEL_M, 2e5)
    seen = patch_test(wrong, sigma, TRUE, PIXEL_M, 2e5, smooth=smooth)
    right = patch_test(residual, sigma, TRUE, PIXEL_M, 2e5, smooth=smooth)
    assert abs(found.mean) < 0.5
    assert seen.count >= 15
    assert seen.mean > 1
    assert abs(right.mean) < 0.5
    assert 0.7 < right.spread < 1.3
