"""Uncertainty: the integral over a shape against the double sum, the variogram against a known field."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.elevation_change.uncertainty import (
    CovarianceIntegrator,
    Variogram,
    empirical_variogram,
    fit_variogram,
    sigma_of_mean,
    spherical,
    terrain_sigma,
    window_means,
)
from schemas.errors import BadInput

NOTHING = np.empty(0)


def correlated_noise(shape, reach_pixels, seed):
    """White noise smoothed by a disc, unit variance: correlated up to twice the disc's radius."""
    draw = np.random.default_rng(seed)
    rows, columns = (np.fft.fftfreq(size) * size for size in shape)
    disc = (np.hypot(rows[:, None], columns[None, :]) <= reach_pixels).astype(float)
    field = np.fft.ifft2(np.fft.fft2(draw.normal(size=shape)) * np.fft.fft2(disc)).real
    return field / field.std()


@pytest.mark.parametrize("shape", [(7, 11), (12, 6)])
def test_the_integral_is_the_double_sum(shape):
    draw = np.random.default_rng(5)
    mask, sigma = draw.random(shape) < 0.6, draw.uniform(0.5, 3, shape)
    model = Variogram((90.0, 260.0), (0.7, 0.4), NOTHING, NOTHING, NOTHING)
    rows, columns = np.nonzero(mask)
    distance = 30 * np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    covariance = 0.7 * (1 - spherical(distance / 90)) + 0.4 * (1 - spherical(distance / 260))
    expected = np.sqrt((np.outer(sigma[mask], sigma[mask]) * covariance).sum()) / mask.sum()
    assert sigma_of_mean(sigma, mask, model, 30) == pytest.approx(expected, rel=1e-10)
    assert CovarianceIntegrator(shape, model, 30).sigma_of_mean(sigma, mask) == pytest.approx(expected, rel=1e-10)


def test_uncorrelated_errors_shrink_with_the_root_of_the_number():
    model = Variogram((30.0,), (1.0,), NOTHING, NOTHING, NOTHING)
    mask = np.ones((20, 30), bool)
    assert sigma_of_mean(np.full((20, 30), 2.0), mask, model, 30) == pytest.approx(2 / np.sqrt(600), rel=1e-9)


def test_fully_correlated_errors_do_not_shrink():
    model = Variogram((1e9,), (1.0,), NOTHING, NOTHING, NOTHING)
    assert sigma_of_mean(np.full((20, 30), 2.0), np.ones((20, 30), bool), model, 30) == pytest.approx(2, rel=1e-4)


def test_the_empirical_variogram_is_that_of_all_pairs():
    draw = np.random.default_rng(2)
    field, known = draw.normal(size=(14, 17)), draw.random((14, 17)) < 0.7
    lag, gamma, pairs = empirical_variogram(field, known, 1.0, 10)
    rows, columns = np.nonzero(known)
    distance = np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    squares = (field[known][:, None] - field[known]) ** 2 / 2
    upper = np.triu(np.ones(distance.shape, bool), 1)
    nearest = upper & (distance == 1)
    assert lag[0] == pytest.approx(1)
    assert pairs[0] == pytest.approx(nearest.sum())
    assert gamma[0] == pytest.approx(squares[nearest].mean())


def test_the_fitted_variogram_predicts_the_spread_of_window_means():
    field = correlated_noise((600, 800), 6, seed=8)
    known = np.random.default_rng(1).random(field.shape) < 0.95
    model = fit_variogram(field, known, 30)
    assert sum(model.sills) == pytest.approx(1, abs=0.1)
    for size in (10, 30):
        predicted = sigma_of_mean(np.ones((size, size)), np.ones((size, size), bool), model, 30)
        found = window_means(field, known, size).std()
        assert found / predicted == pytest.approx(1, abs=0.15)


def test_a_collapsed_variogram_is_refused(monkeypatch):
    """A fit that sees noise alone where windows of the residuals agree is worthless, and is said to be."""
    field = correlated_noise((300, 300), 15, seed=3)
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.nnls", lambda design, values: (np.eye(36)[0], 0.0))
    with pytest.raises(BadInput, match=r"a predicted spread of .* sigma for windows of \d+ pixels where"):
        fit_variogram(field, np.ones(field.shape, bool), 30)


def test_sigma_follows_slope_and_curvature():
    draw = np.random.default_rng(4)
    slope, curvature = draw.uniform(0, 45, (300, 300)), draw.normal(0, 1, (300, 300))
    true = 0.8 + 0.05 * slope + 0.4 * np.abs(curvature)
    dh = draw.normal(size=slope.shape) * true
    model = terrain_sigma(dh, slope, curvature, np.ones(slope.shape, bool))
    estimated = model.on(slope, curvature)
    middle = (slope > 5) & (slope < 40) & (np.abs(curvature) < 1.5)
    assert np.median(estimated[middle] / true[middle]) == pytest.approx(1, abs=0.05)
    assert np.std(estimated[middle] / true[middle]) < 0.1
    assert np.isnan(model.on(np.array([np.nan]), np.array([0.0]))).all()
