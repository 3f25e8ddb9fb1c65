"""The integral over a shape against the double sum, against xDEM, and by blocks for what is large."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.blocks import Scratch, threads
from pipeline.elevation_change.uncertainty.covariance_integral import (
    CovarianceIntegrator,
    sigma_of_mean,
    sigma_of_mean_by_disc,
    sigma_of_mean_large,
    sum_up,
)
from pipeline.elevation_change.uncertainty.variogram import Form, Variogram

SPHERICAL = Variogram(ranges_m=(90.0, 260.0), sills=(0.7, 0.4))
ALL_FORMS = Variogram(
    ranges_m=(90.0, 260.0, 500.0), sills=(0.5, 0.3, 0.2), forms=(Form.GAUSSIAN, Form.EXPONENTIAL, Form.SPHERICAL)
)
PIXEL_M = 30.0


def unit_covariance(form, distance, reach):
    """The three models written out anew."""
    if form == Form.GAUSSIAN:
        return np.exp(-((2 * distance / reach) ** 2))
    if form == Form.EXPONENTIAL:
        return np.exp(-3 * distance / reach)
    return np.where(distance < reach, 1 - 1.5 * distance / reach + 0.5 * (distance / reach) ** 3, 0.0)


def double_sum(sigma, mask, model):
    rows, columns = np.nonzero(mask)
    distance = PIXEL_M * np.hypot(rows[:, None] - rows, columns[:, None] - columns)
    forms = model.forms or (Form.SPHERICAL,) * len(model.sills)
    parts = zip(forms, model.ranges_m, model.sills, strict=True)
    covariance = sum(sill * unit_covariance(form, distance, reach) for form, reach, sill in parts)
    return np.sqrt((np.outer(sigma[mask], sigma[mask]) * covariance).sum()) / mask.sum()


def ellipse(shape, *, gaps_seed=None):
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    radius = ((rows - shape[0] / 2) / (0.45 * shape[0])) ** 2 + ((columns - shape[1] / 2) / (0.4 * shape[1])) ** 2
    mask = radius < 1
    return mask if gaps_seed is None else mask & (np.random.default_rng(gaps_seed).random(shape) < 0.6)


@pytest.mark.parametrize("model", [SPHERICAL, ALL_FORMS])
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (7, 11), (12, 6), (31, 20)])
def test_the_integral_is_the_double_sum(shape, model):
    draw = np.random.default_rng(5)
    mask, sigma = draw.random(shape) < 0.6, draw.uniform(0.5, 3, shape)
    mask[0, 0] = True
    sigma[~mask] = np.nan
    expected = double_sum(sigma, mask, model)
    assert sigma_of_mean(sigma, mask, model, PIXEL_M) == pytest.approx(expected, rel=1e-9)
    assert CovarianceIntegrator(shape, model, PIXEL_M).sigma_of_mean(sigma, mask) == pytest.approx(expected, rel=1e-9)


def test_an_empty_shape_has_no_error():
    assert sigma_of_mean(np.ones((4, 5)), np.zeros((4, 5), bool), SPHERICAL, PIXEL_M) == 0
    assert sigma_of_mean_large(np.ones((4, 5)), np.zeros((4, 5), bool), SPHERICAL, PIXEL_M) == 0


def test_the_transform_in_steps_is_the_same(monkeypatch):
    mask, sigma = ellipse((60, 90)), np.random.default_rng(1).uniform(1, 2, (60, 90))
    whole = sigma_of_mean(sigma, mask, ALL_FORMS, PIXEL_M)
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.covariance_integral.CHUNK", 900)
    assert sigma_of_mean(sigma, mask, ALL_FORMS, PIXEL_M) == pytest.approx(whole, rel=1e-12)


def test_uncorrelated_errors_shrink_with_the_root_of_the_number():
    model = Variogram(ranges_m=(30.0,), sills=(1.0,))
    mask = np.ones((20, 30), bool)
    assert sigma_of_mean(np.full((20, 30), 2.0), mask, model, 30) == pytest.approx(2 / np.sqrt(600), rel=1e-9)


def test_fully_correlated_errors_do_not_shrink():
    model = Variogram(ranges_m=(1e9,), sills=(1.0,))
    assert sigma_of_mean(np.full((20, 30), 2.0), np.ones((20, 30), bool), model, 30) == pytest.approx(2, rel=1e-4)


# xdem.spatialstats of xDEM 0.2.3 on the ellipse below: the standard error, mean(sigma) / sqrt(neff_exact(coordinates of
# the pixels, their sigma, parameters)), and neff_circular_approx_theoretical(area, parameters)
XDEM = [
    ((("spherical", 90, 0.7), ("spherical", 900, 0.2), ("spherical", 9000, 0.1)), 0.972153852733166, 5.728921630980573),
    ((("gaussian", 120, 0.6), ("spherical", 1500, 0.4)), 1.1238399820671483, 3.9923981753012048),
    ((("exponential", 200, 0.5), ("gaussian", 800, 0.5)), 0.9698520338820408, 4.765732976256444),
]


@pytest.mark.parametrize(("models", "standard_error", "effective_number"), XDEM)
def test_xdem_finds_the_same_for_the_same_variogram(models, standard_error, effective_number):
    rows, columns = np.mgrid[:40, :56]
    mask = ((rows - 19.5) / 17) ** 2 + ((columns - 27.5) / 25) ** 2 < 1
    mask &= ~((rows - 12) ** 2 + (columns - 30) ** 2 < 25)
    sigma = 1.0 + 0.05 * rows + 0.02 * columns
    forms, ranges, sills = zip(*models, strict=True)
    model = Variogram(ranges_m=ranges, sills=sills, forms=tuple(map(Form, forms)))
    found = sigma_of_mean(sigma, mask, model, PIXEL_M)
    assert found == pytest.approx(standard_error, rel=1e-9)
    by_disc = sigma_of_mean_by_disc(1.0, model, mask.sum() * PIXEL_M**2)
    assert by_disc == pytest.approx(effective_number**-0.5, rel=1e-9)
    # the circle approximation is a cross-check: on the safe side, and not far off
    assert 1 < by_disc * sigma[mask].mean() / found < 1.25


@pytest.mark.parametrize("block", [2, 3, 4])
@pytest.mark.parametrize("gaps_seed", [None, 3])
def test_by_blocks_it_is_within_one_percent(block, gaps_seed):
    mask = ellipse((97, 140), gaps_seed=gaps_seed)
    rows = np.linspace(1, 3, 97)[:, None]
    sigma = rows * np.random.default_rng(8).uniform(0.8, 1.2, mask.shape)
    for model in (SPHERICAL, ALL_FORMS, Variogram(ranges_m=(30.0, 4000.0), sills=(0.9, 0.1))):
        exact = sigma_of_mean(sigma, mask, model, PIXEL_M)
        assert sigma_of_mean(sigma, mask, model, PIXEL_M, block) == pytest.approx(exact, rel=0.01)


def test_a_strip_one_pixel_wide_by_blocks():
    """Pixels of a block that lie in a line are nearer to each other than the block's: the greatest error there is."""
    mask = np.zeros((60, 300), bool)
    mask[31] = True
    exact = sigma_of_mean(np.ones(mask.shape), mask, SPHERICAL, PIXEL_M)
    assert sigma_of_mean(np.ones(mask.shape), mask, SPHERICAL, PIXEL_M, 3) == pytest.approx(exact, rel=0.06)


def test_a_large_raster_is_read_in_rows_and_summed_up(monkeypatch):
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.covariance_integral.MOST_BLOCKS", 4000)
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.covariance_integral.ROWS_PIXELS", 5000)
    shape = (203, 311)
    classes = np.where(ellipse(shape, gaps_seed=2), 3, 1).astype(np.uint8)
    sigma = np.random.default_rng(8).uniform(0.8, 1.2, shape).astype(np.float32)
    sigma[40:60, 100:150] = np.nan
    used = (classes == 3) & np.isfinite(sigma)
    model = Variogram(ranges_m=(60.0, 300.0, 20_000.0), sills=(0.6, 0.3, 0.1))
    exact = sigma_of_mean(sigma, used, model, PIXEL_M)
    found = sigma_of_mean_large(sigma, classes, model, PIXEL_M, member=3)
    assert found == pytest.approx(exact, rel=0.01)
    assert found != pytest.approx(exact, rel=1e-9)
    residual = np.where(used, 0.3, np.nan).astype(np.float32)
    assert sigma_of_mean_large(sigma, residual, model, PIXEL_M, member=None) == found
    assert sum_up(sigma, used).count == used.sum()


def test_a_large_mean_is_the_same_for_any_workers_and_any_storage(monkeypatch):
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.covariance_integral.MOST_BLOCKS", 4000)
    monkeypatch.setattr("pipeline.elevation_change.uncertainty.covariance_integral.ROWS_PIXELS", 3000)
    shape = (150, 211)
    mask = ellipse(shape, gaps_seed=1)
    sigma = np.random.default_rng(8).uniform(0.8, 1.2, shape).astype(np.float32)
    stored, stored_mask = Scratch().array(shape), Scratch().array(shape, bool)
    stored[0:150, 0:211], stored_mask[0:150, 0:211] = sigma, mask
    alone = sigma_of_mean_large(sigma, mask, SPHERICAL, PIXEL_M)
    for workers in (1, 3):
        with threads(workers) as runner:
            assert sigma_of_mean_large(stored, stored_mask, SPHERICAL, PIXEL_M, runner=runner) == alone


def test_several_sums_of_the_same_errors():
    draw = np.random.default_rng(7)
    fields = draw.normal(size=(3, 9, 13))
    rows, columns = np.mgrid[:9, :13]
    distance = PIXEL_M * np.hypot(rows.ravel()[:, None] - rows.ravel(), columns.ravel()[:, None] - columns.ravel())
    covariance = 0.7 * unit_covariance(Form.SPHERICAL, distance, 90) + 0.4 * unit_covariance(
        Form.SPHERICAL, distance, 260
    )
    flat = fields.reshape(3, -1)
    found = CovarianceIntegrator((9, 13), SPHERICAL, PIXEL_M).covariance_of_sums(fields)
    assert found == pytest.approx(flat @ covariance @ flat.T, rel=1e-9, abs=1e-9)
