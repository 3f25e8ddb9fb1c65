"""The stated error of a shift: the textbook's for independent errors, and what simulated shifts really scatter."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.blocks import Scratch, threads
from pipeline.elevation_change.chain import elevation_change
from pipeline.elevation_change.uncertainty.shift_sigma import sigma_of_shift
from pipeline.elevation_change.uncertainty.variogram import Variogram
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from tests.made.random_fields import correlated_field
from tests.made.synthetic_pairs import fractal, write_dem

PIXEL_M = 30.0
SIGMA_M = 3.0


def scene(shape, seed=3):
    """Heights, and a sigma that grows with the slope by Koppe's formula, NaN on the border, with a gap."""
    heights = fractal(shape, seed)
    north, east = np.gradient(heights.astype(float), PIXEL_M)
    east[[0, -1]] = east[:, [0, -1]] = np.nan
    sigma = SIGMA_M * np.sqrt(1 + (east**2 + north**2) / 0.3**2)
    sigma[shape[0] // 2 :, : shape[1] // 5] = np.nan
    return heights, sigma.astype(np.float32), np.stack([-east, north, np.ones(shape)])


def stated(heights, sigma, model, **options):
    residual = np.where(np.isfinite(sigma), 0.1, np.nan).astype(np.float32)
    found = sigma_of_shift(heights, residual, sigma, model, PIXEL_M, **options)
    return np.array([found.east, found.north, found.up])


def least_absolute(design, values, sigma):
    """Least absolute deviations of values / sigma by reweighting; design of shape (pixels, 3)."""
    scaled, right = design / sigma[:, None], values / sigma
    shift = np.linalg.lstsq(scaled, right, rcond=None)[0]
    for _ in range(60):
        root = 1 / np.sqrt(np.maximum(np.abs(right - scaled @ shift), 0.02))
        last, shift = shift, np.linalg.lstsq(scaled * root[:, None], right * root, rcond=None)[0]
        if np.abs(shift - last).max() < 1e-4:
            break
    return shift


def test_independent_errors_are_the_textbooks():
    """sigma^2 of the normal equations' inverse, times pi / 2 for least absolute deviations; upwards, of a mean."""
    heights, sigma, design = scene((150, 210))
    used = np.isfinite(sigma)
    rows = design[:, used] / sigma[used]
    covariance = np.pi / 2 * np.linalg.inv(rows @ rows.T)[:2, :2]
    slope = design[:2, used].mean(axis=1)
    of_mean = np.mean(np.square(sigma[used], dtype=float)) / used.sum()
    expected = np.sqrt([*np.diag(covariance), of_mean + slope @ covariance @ slope])
    assert stated(heights, sigma, Variogram(ranges_m=(30.0,), sills=(1.0,))) == pytest.approx(expected, rel=0.02)


def test_it_shrinks_with_the_root_of_the_area_and_grows_with_sigma():
    heights, sigma, _ = scene((300, 420))
    model = Variogram(ranges_m=(60.0, 300.0), sills=(0.7, 0.3))
    whole = stated(heights, sigma, model)
    assert stated(heights, 2 * sigma, model) == pytest.approx(2 * whole, rel=1e-6)
    quarter = stated(heights[75:225, 105:315], sigma[75:225, 105:315], model)
    assert quarter / whole == pytest.approx(2, rel=0.35)


def test_correlated_errors_count_for_less():
    heights, sigma, _ = scene((150, 210))
    alone = stated(heights, sigma, Variogram(ranges_m=(30.0,), sills=(1.0,)))
    together = stated(heights, sigma, Variogram(ranges_m=(30.0, 1500.0), sills=(0.7, 0.3)))
    assert (together > 3 * alone).all()


def test_the_same_for_any_workers_and_any_storage(monkeypatch):
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.shift_sigma.TILE", 64)
    heights, sigma, _ = scene((150, 210))
    model = Variogram(ranges_m=(60.0, 300.0), sills=(0.7, 0.3))
    stored = [Scratch().array(heights.shape) for _ in range(2)]
    for target, source in zip(stored, (heights, sigma), strict=True):
        target[0:150, 0:210] = source
    alone = stated(heights, sigma, model)
    with threads(3) as runner:
        found = sigma_of_shift(stored[0], stored[1], stored[1], model, PIXEL_M, runner)
    assert (np.array([found.east, found.north, found.up]) == alone).all()


def test_tiles_stand_for_the_whole(monkeypatch):
    heights, sigma, _ = scene((400, 520))
    model = Variogram(ranges_m=(60.0, 300.0), sills=(0.7, 0.3))
    whole = stated(heights, sigma, model)
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.shift_sigma.TILE", 96)
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.shift_sigma.MOST_TILES", 12)
    assert stated(heights, sigma, model) == pytest.approx(whole, rel=0.2)


@pytest.mark.parametrize("case", ["flat", "one way", "nothing"])
def test_terrain_that_cannot_tell_a_shift_is_refused(case):
    shape = (60, 80)
    heights = np.zeros(shape) if case == "flat" else np.tile(20.0 * np.arange(80), (60, 1))
    sigma = np.full(shape, np.nan if case == "nothing" else 1.0)
    with pytest.raises(BadInput, match=r"stable terrain: found \d+ pixels with a slope, or slopes that face one way"):
        stated(heights, sigma, Variogram(ranges_m=(60.0,), sills=(1.0,)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        Variogram(ranges_m=(30.0,), sills=(1.0,)),
        Variogram(ranges_m=(120.0, 900.0), sills=(0.8, 0.2)),
        Variogram(ranges_m=(300.0, 3000.0), sills=(0.6, 0.4)),
    ],
    ids=["independent", "short", "long"],
)
def test_simulated_shifts_scatter_as_stated(model):
    """Sixty fields of errors on one terrain, each fitted by least absolute deviations of its own."""
    shape = (200, 260)
    heights, sigma, design = scene(shape)
    used = np.isfinite(sigma)
    rows, deviation = design[:, used].T, sigma[used].astype(float)
    found = []
    for seed in range(60):
        errors = correlated_field(shape, model, PIXEL_M, seed)[used] * deviation
        shift = least_absolute(rows, errors, deviation)
        # the height is settled on the mean of what the horizontal shift leaves
        found.append([*shift[:2], np.mean(errors - rows[:, :2] @ shift[:2])])
    assert np.std(found, axis=0) / stated(heights, sigma, model) == pytest.approx(1, abs=0.3)


@pytest.mark.slow
def test_shifts_of_the_whole_chain_scatter_as_it_states(tmp_path):
    """Thirty pairs with the same shift and other errors; sigma, variogram and shift are all found by the chain."""
    shape, true = (200, 260), (-12.0, 9.0, 0.0)
    later = write_dem(tmp_path / "later.tif", fractal(shape, 3))
    moved = fractal(shape, 3, shift=(0.4, -0.3))
    found, expected = [], []
    for seed in range(30):
        errors = SIGMA_M * correlated_field(shape, Variogram(ranges_m=(60.0, 600.0), sills=(0.7, 0.3)), PIXEL_M, seed)
        result = elevation_change(write_dem(tmp_path / "earlier.tif", moved + errors), later, ElevationChangeSettings())
        found.append((result.shift_m.east, result.shift_m.north, result.shift_m.up))
        stated_here = result.sigma_shift_m
        expected.append((stated_here.east, stated_here.north, stated_here.up))
    assert np.std(found, axis=0) / np.mean(expected, axis=0) == pytest.approx(1, abs=0.3)
    assert (np.abs(np.mean(found, axis=0) - true) < 3 * np.mean(expected, axis=0) / np.sqrt(30)).all()
