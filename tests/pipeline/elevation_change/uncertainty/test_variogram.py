"""The empirical variogram against all pairs, the fit against a known field, and the refusal of a collapse."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.integrate import quad

from pipeline.blocks import Scratch, threads
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean
from pipeline.elevation_change.uncertainty.empirical_variogram import empirical_variogram, spread_tiles
from pipeline.elevation_change.uncertainty.variogram import Form, Variogram
from pipeline.elevation_change.uncertainty.variogram_fit import fit_variogram, variogram_and_note
from schemas.errors import BadInput
from tests.made.random_fields import correlated_field

PIXEL_M = 30.0
NOISE = Variogram(ranges_m=(60.0, 600.0), sills=(0.7, 0.3))


@pytest.fixture
def thinning(monkeypatch):
    """Small rasters take the way of large ones: thinned for the long lags, in tiles for the short ones."""
    module = "pipeline.elevation_change.uncertainty.empirical_variogram."
    for name, value in (("MOST_THINNED_PIXELS", 12_000), ("TILE", 64), ("SHORT_REACH", 16), ("MOST_TILES", 12)):
        monkeypatch.setattr(module + name, value)


def with_voids(field, seed=1):
    """Single pixels, and a third of the raster in one piece."""
    result = field.copy()
    result[np.random.default_rng(seed).random(field.shape) < 0.1] = np.nan
    result[:, : field.shape[1] // 3] = np.nan
    return result


def all_pairs(field, low, high):
    """Number of pairs and half their mean squared difference between two distances in pixels."""
    rows, columns = np.nonzero(np.isfinite(field))
    values = field[rows, columns].astype(float)
    distance = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    chosen = np.triu((distance >= low) & (distance < high), 1)
    return chosen.sum(), ((values[:, None] - values) ** 2 / 2)[chosen].mean()


@pytest.mark.parametrize("shape", [(14, 31), (34, 20)])
def test_the_empirical_variogram_is_that_of_all_pairs(shape):
    field = np.random.default_rng(2).normal(5, 1, shape).cumsum(axis=1).astype(np.float32)
    field[np.random.default_rng(3).random(shape) < 0.3] = np.nan
    found = empirical_variogram(field, PIXEL_M)
    for number, (low, high) in enumerate([(0.9, 1.2), (1.2, 1.8), (1.8, 2.5), (2.5, 3.5), (3.5, 4.5)]):
        count, gamma = all_pairs(field, low, high)
        assert found.pairs[number] == count
        assert found.gamma[number] == pytest.approx(gamma, rel=1e-6)
    assert found.lag_m[0] == pytest.approx(30)
    assert found.lag_m[-1] <= 0.5 * PIXEL_M * np.hypot(*shape)


def test_a_thinned_raster_has_the_variogram_of_all_pairs(thinning, monkeypatch):
    field = with_voids(correlated_field((480, 620), NOISE, PIXEL_M, 4))
    thinned = empirical_variogram(field, PIXEL_M)
    monkeypatch.undo()
    whole = empirical_variogram(field, PIXEL_M)
    assert thinned.pairs.sum() < 0.2 * whole.pairs.sum()
    expected = np.interp(thinned.lag_m, whole.lag_m, whole.gamma)
    assert thinned.lag_m.min() == pytest.approx(30)
    assert np.abs(thinned.gamma / expected - 1).max() < 0.06
    assert np.abs(thinned.gamma / expected - 1).mean() < 0.02


def test_the_variance_of_the_few_thinned_pixels_does_not_pass_for_correlation(thinning):
    """Noise whose thinned pixels happen to vary more: still the same at all lags."""
    field = np.random.default_rng(1).standard_normal((480, 620), np.float32)
    field[::5, ::5] *= 1.1
    found = empirical_variogram(field, PIXEL_M)
    assert found.gamma[:3] == pytest.approx([1, 1, 1], abs=0.02)
    assert found.gamma[-15:] == pytest.approx(found.gamma[:15].mean(), rel=0.03)


def test_voids_do_not_change_the_variogram():
    field = correlated_field((260, 330), NOISE, PIXEL_M, 6)
    field[:, :60] += 50
    punched = with_voids(field)
    whole = correlated_field((260, 330), NOISE, PIXEL_M, 6)[:, 110:]
    found, expected = empirical_variogram(punched, PIXEL_M), empirical_variogram(whole, PIXEL_M)
    near = expected.lag_m < 2000
    assert np.interp(expected.lag_m[near], found.lag_m, found.gamma) == pytest.approx(expected.gamma[near], rel=0.04)


def test_the_same_bytes_for_any_workers_and_any_storage(thinning):
    field = with_voids(correlated_field((240, 310), NOISE, PIXEL_M, 5))
    stored = Scratch().array(field.shape)
    stored[0:240, 0:310] = field
    alone = fit_variogram(field, PIXEL_M)
    for workers in (1, 3):
        with threads(workers) as runner:
            found = fit_variogram(stored, PIXEL_M, runner)
        assert (found.ranges_m, found.sills, found.forms) == (alone.ranges_m, alone.sills, alone.forms)
        assert found.empirical.tobytes() == alone.empirical.tobytes()


def test_tiles_follow_what_is_known():
    known = np.zeros((50, 80), bool)
    known[:10, 60:] = True
    tiles = spread_tiles((400, 640), known, 8, 32, 4)
    assert len(tiles) == 4
    assert all(rows.stop <= 96 and columns.start >= 448 for rows, columns in tiles)
    everywhere = spread_tiles((400, 640), known | True, 8, 100, 1000)
    assert sum((r.stop - r.start) * (c.stop - c.start) for r, c in everywhere) == 400 * 640


@pytest.mark.parametrize(
    "model",
    [
        NOISE,
        Variogram(ranges_m=(30.0,), sills=(1.0,)),
        Variogram(ranges_m=(100.0,), sills=(1.0,)),
        Variogram(ranges_m=(60.0, 450.0, 3000.0), sills=(0.7, 0.2, 0.1)),
        # what resampling has smoothed
        Variogram(ranges_m=(150.0, 900.0), sills=(0.8, 0.2), forms=(Form.GAUSSIAN, Form.GAUSSIAN)),
    ],
)
def test_the_fit_predicts_the_errors_of_means(model):
    ratios = []
    for seed in range(4):
        found = fit_variogram(with_voids(correlated_field((420, 530), model, PIXEL_M, seed)), PIXEL_M)
        discs = [(found.variance_of_disc_mean(area), model.variance_of_disc_mean(area)) for area in (1e5, 5e5, 2e6)]
        ratios.append([np.sqrt(a / b) for a, b in discs])
        assert found.sill == pytest.approx(1, abs=0.12)
        assert len(found.sills) <= 2 * len(model.sills) + 1
    # one field of 12 x 16 km holds few independent long waves; their mean is what can be asked for
    assert np.mean(ratios, axis=0) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("form", list(Form))
@pytest.mark.parametrize("area", [4e4, 3e6])
def test_the_disc_is_the_integral_of_the_covariance(form, area):
    model = Variogram(ranges_m=(500.0,), sills=(0.8,), forms=(form,))
    radius = np.sqrt(area / np.pi)
    integral = quad(lambda h: 2 * h * float(model.covariance(np.array(h))), 0, radius, limit=200)[0]
    assert model.variance_of_disc_mean(area) == pytest.approx(integral / radius**2, rel=1e-6)


def test_window_means_spread_as_the_fit_predicts():
    field = correlated_field((500, 640), NOISE, PIXEL_M, 8)
    field[np.random.default_rng(1).random(field.shape) < 0.05] = np.nan
    model = fit_variogram(field, PIXEL_M)
    windows = empirical_variogram(field, PIXEL_M).windows
    assert [window.size for window in windows] == [8, 24, 96]
    for window in windows[:2]:
        whole = np.ones((window.size, window.size))
        predicted = sigma_of_mean(whole, whole > 0, model, PIXEL_M)
        assert window.spread / predicted == pytest.approx(1, abs=0.1)
        first = field[: window.size, : window.size]
        assert abs(np.nanmean(first)) < 5 * window.spread


@pytest.mark.parametrize(
    ("collapsed", "size"),
    [(Variogram(ranges_m=(31.0,), sills=(1.0,)), 8), (Variogram(ranges_m=(500.0,), sills=(1.0,)), 96)],
    ids=["to noise", "to the short range"],
)
def test_a_collapsed_variogram_is_widened_and_told(monkeypatch, collapsed, size):
    """A fit that sees no correlation where windows of the residuals agree is widened until it explains them."""
    field = correlated_field((480, 600), Variogram(ranges_m=(500.0, 9000.0), sills=(0.7, 0.3)), PIXEL_M, 3)
    assert fit_variogram(field, PIXEL_M).sills
    monkeypatch.setattr(
        "pipeline.elevation_change.uncertainty.variogram_fit.fitted", lambda empirical, pixel_m: collapsed
    )
    model, note = variogram_and_note(field, PIXEL_M)
    assert "long range of the errors is not resolved" in note
    for window in empirical_variogram(field, PIXEL_M).windows:
        whole = np.ones((window.size, window.size))
        predicted = sigma_of_mean(whole, whole > 0, model, PIXEL_M)
        assert window.spread <= 2.001 * predicted
        if window.size == size:
            assert window.spread == pytest.approx(predicted, rel=0.3)
    assert model.sill > collapsed.sill


@pytest.mark.parametrize("known", [0, 1, 5])
def test_too_few_pixels_are_refused(known):
    field = np.full((40, 30), np.nan, np.float32)
    field[3, :known] = 1.0
    with pytest.raises(BadInput, match=r"variogram: found pixel pairs at \d distances; expected at least 6"):
        fit_variogram(field, PIXEL_M)


def test_residuals_that_do_not_vary_tell_nothing_of_the_error():
    model, note = variogram_and_note(np.full((40, 30), 0.5, np.float32), PIXEL_M)
    assert model.sill == 0
    assert "does not differ at all" in note


@pytest.mark.parametrize(("ranges", "sills"), [((30.0,), ()), ((0.0,), (1.0,)), ((30.0,), (-1.0,))])
def test_an_impossible_variogram_cannot_be_made(ranges, sills):
    with pytest.raises(BadInput, match=r"variogram: found ranges .* expected one positive range"):
        Variogram(ranges_m=ranges, sills=sills)


@pytest.mark.slow
def test_the_memory_does_not_grow_with_the_raster():
    """49 million pixels in a file: the variogram takes no more memory than that of 25 million."""
    peaks = []
    # both are thinned to about a million pixels
    for size in (5000, 7000):
        stored = Scratch().array((size, size))
        draw = np.random.default_rng(size)
        for row in range(0, size, 500):
            stored[row : row + 500, 0:size] = draw.standard_normal((500, size), np.float32)
        tracemalloc.start()
        with threads(2) as runner:
            fit_variogram(stored, PIXEL_M, runner)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]
    assert peaks[1] < 160e6
