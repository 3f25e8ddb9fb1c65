"""The kriged balance field against two independent programs of the same mathematics, and what it must obey."""

from __future__ import annotations

import numpy as np
import pytest
from pykrige.uk import UniversalKriging

from pipeline.mass_balance.field.kriging import (
    Covariance,
    Points,
    area_mean,
    fit_covariance,
    leave_one_out,
    mean_covariance_within,
    predict,
    prepare,
)
from pipeline.mass_balance.glacier_wide.uncertainty import area_error, inflation, method_spread, shared_error
from tests.oracles.mass_balance_oracle import area_mean_by_pairs, kriging_by_lagrange

COVARIANCE = Covariance(0.09, 320.0)


def some_points(count: int = 14, seed: int = 5, noise: float = 0.1) -> Points:
    rng = np.random.default_rng(seed)
    easting, northing = rng.uniform(500_000, 501_500, count), rng.uniform(4_800_000, 4_801_000, count)
    elevation = 3400 + 0.4 * (northing - 4_800_000) + rng.normal(0, 15, count)
    balance = 0.006 * (elevation - 3650) + rng.normal(0, 0.3, count)
    return Points(
        easting=easting,
        northing=northing,
        elevation_m=elevation,
        balance_m_we=balance,
        sigma_random_m_we=rng.uniform(0.5, 1.5, count) * noise,
    )


def some_pixels(rows: int = 11, columns: int = 17):
    easting, northing = np.meshgrid(500_050 + 80.0 * np.arange(columns), 4_800_900 - 60.0 * np.arange(rows))
    mask = (easting - 500_700) ** 2 / 600**2 + (northing - 4_800_600) ** 2 / 280**2 < 1
    elevation = 3400 + 0.4 * (northing - 4_800_000)
    count = int(mask.sum())
    return mask, Points(
        easting=easting[mask],
        northing=northing[mask],
        elevation_m=elevation[mask],
        balance_m_we=np.zeros(count),
        sigma_random_m_we=np.zeros(count),
    )


def test_field_and_variance_agree_with_the_lagrange_system() -> None:
    points, (_, pixels) = some_points(), some_pixels()
    mine = predict(prepare(points, COVARIANCE), pixels.easting, pixels.northing, pixels.elevation_m)
    oracle = kriging_by_lagrange(
        points.positions, points.elevation_m, points.balance_m_we, points.sigma_random_m_we**2,
        COVARIANCE.sill_m2_we2, COVARIANCE.range_m, pixels.positions, pixels.elevation_m,
    )  # fmt: skip
    assert mine.balance_m_we == pytest.approx(oracle[0], abs=1e-9)
    assert mine.sigma_m_we**2 == pytest.approx(oracle[1], abs=1e-9)


def test_field_agrees_with_pykrige_for_the_same_variogram() -> None:
    """Noise alike at all points is pykrige's nugget; its exponential reaches exp(-3) at its range parameter."""
    points, (_, pixels) = some_points(), some_pixels()
    points = Points(
        easting=points.easting,
        northing=points.northing,
        elevation_m=points.elevation_m,
        balance_m_we=points.balance_m_we,
        sigma_random_m_we=np.full(points.count, 0.1),
    )
    peer = UniversalKriging(
        points.easting,
        points.northing,
        points.balance_m_we,
        variogram_model="exponential",
        variogram_parameters={"psill": COVARIANCE.sill_m2_we2, "range": 3 * COVARIANCE.range_m, "nugget": 0.01},
        drift_terms=["specified"],
        specified_drift=[points.elevation_m],
        exact_values=False,
    )
    theirs, variance = peer.execute(
        "points", pixels.easting, pixels.northing, specified_drift_arrays=[pixels.elevation_m]
    )
    mine = predict(prepare(points, COVARIANCE), pixels.easting, pixels.northing, pixels.elevation_m)
    assert mine.balance_m_we == pytest.approx(np.asarray(theirs), abs=1e-6)
    # pykrige predicts a new reading, nugget included; ours is the field without its noise
    assert mine.sigma_m_we**2 + 0.01 == pytest.approx(np.asarray(variance), abs=1e-6)


def test_area_mean_and_its_variance_agree_with_the_sum_over_all_pairs() -> None:
    points, (mask, pixels) = some_points(), some_pixels()
    mine = area_mean(prepare(points, COVARIANCE), mask, (80.0, 60.0), pixels)
    value, variance = area_mean_by_pairs(
        points.positions, points.elevation_m, points.balance_m_we, points.sigma_random_m_we**2,
        COVARIANCE.sill_m2_we2, COVARIANCE.range_m, pixels.positions, pixels.elevation_m,
    )  # fmt: skip
    assert mine.balance_m_we == pytest.approx(value, abs=1e-9)
    assert mine.variance == pytest.approx(variance, abs=1e-9)
    assert mine.weights.sum() == pytest.approx(1.0)
    assert 0 < mine.noise_variance < mine.variance
    field = predict(prepare(points, COVARIANCE), pixels.easting, pixels.northing, pixels.elevation_m)
    assert mine.balance_m_we == pytest.approx(field.balance_m_we.mean(), abs=1e-9)


def test_mean_covariance_within_one_pixel_is_the_sill() -> None:
    assert mean_covariance_within(np.ones((1, 1), bool), (10, 20), COVARIANCE) == pytest.approx(0.09)


def test_leave_one_out_is_what_leaving_one_out_gives() -> None:
    points = some_points()
    errors, standardised = leave_one_out(prepare(points, COVARIANCE))
    # the drift's origin differs between the runs; the drift it spans does not
    for i in (0, 6, 13):
        kept = np.arange(points.count) != i
        others = Points(**{name: getattr(points, name)[kept] for name in points.__dataclass_fields__})
        at = predict(prepare(others, COVARIANCE), points.easting[[i]], points.northing[[i]], points.elevation_m[[i]])
        error = points.balance_m_we[i] - at.balance_m_we[0]
        sigma = np.hypot(at.sigma_m_we[0], points.sigma_random_m_we[i])
        assert errors[i] == pytest.approx(error, abs=1e-9)
        assert standardised[i] == pytest.approx(error / sigma, abs=1e-6)


def test_a_field_that_is_its_own_trend_is_reproduced_everywhere() -> None:
    points, (_, pixels) = some_points(), some_pixels()
    straight = 0.004 * (points.elevation_m - 3600)
    points = Points(
        easting=points.easting,
        northing=points.northing,
        elevation_m=points.elevation_m,
        balance_m_we=straight,
        sigma_random_m_we=points.sigma_random_m_we,
    )
    field = predict(prepare(points, COVARIANCE), pixels.easting, pixels.northing, pixels.elevation_m)
    assert field.balance_m_we == pytest.approx(0.004 * (pixels.elevation_m - 3600), abs=1e-8)


def test_noise_free_points_are_honoured_and_far_ones_are_uncertain() -> None:
    points = some_points(noise=0.0)
    kriged = prepare(points, COVARIANCE)
    there = predict(kriged, points.easting, points.northing, points.elevation_m)
    assert there.balance_m_we == pytest.approx(points.balance_m_we, abs=1e-6)
    assert there.sigma_m_we.max() < 1e-3
    far = predict(kriged, np.array([520_000.0]), np.array([4_820_000.0]), np.array([3600.0]))
    assert far.sigma_m_we[0] > np.sqrt(COVARIANCE.sill_m2_we2)


def test_points_at_one_height_still_give_a_field() -> None:
    points = some_points(5)
    flat = Points(
        easting=points.easting,
        northing=points.northing,
        elevation_m=np.full(5, 3600.0),
        balance_m_we=points.balance_m_we,
        sigma_random_m_we=points.sigma_random_m_we,
    )
    field = predict(prepare(flat, COVARIANCE), points.easting, points.northing, np.full(5, 3900.0))
    assert np.isfinite(field.balance_m_we).all()


def test_the_covariance_that_made_the_points_is_found_again() -> None:
    """Forty years of twenty points: the fitted sill and range lie near those of the simulation."""
    truth = Covariance(0.16, 250.0)
    rng = np.random.default_rng(11)
    years = []
    for _ in range(40):
        base = some_points(20, int(rng.integers(1e6)))
        distance = np.hypot(
            base.easting[:, None] - base.easting[None, :], base.northing[:, None] - base.northing[None, :]
        )
        residual = np.linalg.cholesky(truth.of(distance) + 1e-9 * np.eye(20)) @ rng.standard_normal(20)
        noise = 0.05 * rng.standard_normal(20)
        balance = 0.005 * (base.elevation_m - 3600) + residual + noise
        years.append(
            Points(
                easting=base.easting,
                northing=base.northing,
                elevation_m=base.elevation_m,
                balance_m_we=balance,
                sigma_random_m_we=np.full(20, 0.05),
            )
        )
    fitted = fit_covariance(years)
    assert fitted.sill_m2_we2 == pytest.approx(truth.sill_m2_we2, rel=0.2)
    assert fitted.range_m == pytest.approx(truth.range_m, rel=0.3)


def test_a_handful_of_points_gets_a_covariance_within_sane_bounds() -> None:
    fitted = fit_covariance([some_points(4)])
    assert 1e-4 <= fitted.sill_m2_we2 < 1
    assert 10 < fitted.range_m < 2000


def test_pooled_kriging_errors_are_as_large_as_they_say() -> None:
    """Area means of simulated fields with known covariance: errors over their sigma have a spread near one."""
    mask, pixels = some_pixels(7, 9)
    rng = np.random.default_rng(3)
    ratios = []
    for _ in range(150):
        base = some_points(12, int(rng.integers(1e6)))
        easting = np.concatenate([base.easting, pixels.easting])
        northing = np.concatenate([base.northing, pixels.northing])
        distance = np.hypot(easting[:, None] - easting[None, :], northing[:, None] - northing[None, :])
        field = np.linalg.cholesky(COVARIANCE.of(distance) + 1e-9 * np.eye(easting.size)) @ rng.standard_normal(
            easting.size
        )
        balance = field[:12] + 0.004 * (base.elevation_m - 3600) + 0.1 * rng.standard_normal(12)
        points = Points(
            easting=base.easting,
            northing=base.northing,
            elevation_m=base.elevation_m,
            balance_m_we=balance,
            sigma_random_m_we=np.full(12, 0.1),
        )
        truth = float((field[12:] + 0.004 * (pixels.elevation_m - 3600)).mean())
        mean = area_mean(prepare(points, COVARIANCE), mask, (80.0, 60.0), pixels)
        ratios.append((mean.balance_m_we - truth) / np.sqrt(mean.variance))
    assert np.std(ratios) == pytest.approx(1.0, abs=0.15)
    assert abs(np.mean(ratios)) < 0.25


def test_shared_errors_do_not_shrink_with_the_number_of_points() -> None:
    for count in (1, 10, 1000):
        weights = np.full(count, 1 / count)
        assert shared_error(weights, np.full(count, 0.03), np.full(count, -0.04)) == pytest.approx(0.05)


def test_the_other_terms_of_the_budget() -> None:
    assert area_error(0.02, np.array([-1.0, 1.0]), np.array([1.0, 1.0])) == pytest.approx(0.02)
    assert method_spread([-0.5]) == 0.0
    assert method_spread([-0.5, -0.3]) == pytest.approx(0.1)
    assert inflation(np.array([0.1, -0.2])) == 1.0
    assert inflation(np.array([2.0, -2.0])) == pytest.approx(2.0)
