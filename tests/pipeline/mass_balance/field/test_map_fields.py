"""Fields of many years at once against one year at a time; the bend of the trend; inverse-distance weights."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.transform import Affine
from shapely.geometry import Polygon

from pipeline.grid import Grid
from pipeline.mass_balance.field import map_fields
from pipeline.mass_balance.field.inverse_distance import (
    inverse_distance_balance,
    inverse_distance_weights,
    plain_weights,
)
from pipeline.mass_balance.field.kriging import Covariance, Points, area_mean, predict, prepare
from pipeline.mass_balance.field.map_fields import FieldModel, YearPoints, fields_of_years, fit_field_model
from pipeline.mass_balance.field.trend import Bend, fit_bend
from pipeline.mass_balance.ground import SortedHeights
from pipeline.mass_balance.ground.hypsometry import GlacierSurface

COVARIANCE = Covariance(0.09, 320.0)


def a_surface(rows: int = 40, columns: int = 55) -> GlacierSurface:
    grid = Grid("EPSG:32645", Affine(25, 0, 500_000, 0, -40, 4_801_600), (rows, columns))
    easting, northing = np.meshgrid(*grid.centres())
    outline = Polygon([(500_100, 4_800_100), (501_200, 4_800_200), (501_150, 4_801_400), (500_300, 4_801_500)])
    inside = (abs(easting - 500_650) < 520) & (abs(northing - 4_800_800) < 650)
    return GlacierSurface(grid, 3400 + 0.3 * (northing - 4_800_000) + 0.02 * (easting - 500_600), inside, outline)


def a_year(seed: int, count: int = 13, noise: float = 0.1) -> YearPoints:
    rng = np.random.default_rng(seed)
    easting, northing = rng.uniform(500_150, 501_150, count), rng.uniform(4_800_150, 4_801_400, count)
    elevation = 3400 + 0.3 * (northing - 4_800_000) + rng.normal(0, 10, count)
    balance = 0.006 * (elevation - 3600) + rng.normal(0, 0.3, count)
    points = Points(
        easting=easting,
        northing=northing,
        elevation_m=elevation,
        balance_m_we=balance,
        sigma_random_m_we=rng.uniform(0.5, 1.5, count) * noise,
    )
    return YearPoints(observed=points, shared=rng.normal(0, 0.03, (count, 2)))


@pytest.mark.parametrize("elements", [4_000, 100_000_000])
def test_all_years_at_once_give_what_each_gives_alone(monkeypatch, elements) -> None:
    monkeypatch.setattr(map_fields, "_BLOCK_ELEMENTS", elements)
    surface, years = a_surface(), [a_year(1), a_year(2, 9), a_year(1)]
    found = list(fields_of_years(years, FieldModel(COVARIANCE, None), surface, with_sigma=True))
    inside = surface.inside
    easting, northing = surface.inside_positions.T
    pixels = Points(
        easting=easting,
        northing=northing,
        elevation_m=surface.surface_m[inside],
        balance_m_we=np.zeros(inside.sum()),
        sigma_random_m_we=np.zeros(inside.sum()),
    )
    for year, field in zip(years, found, strict=True):
        alone = prepare(year.observed, COVARIANCE)
        there = predict(alone, pixels.easting, pixels.northing, pixels.elevation_m)
        assert field.balance_m_we[inside] == pytest.approx(there.balance_m_we, abs=1e-6)
        mean = area_mean(alone, inside, surface.grid.pixel_size, pixels)
        assert field.mean.balance_m_we == pytest.approx(mean.balance_m_we, abs=1e-7)  # covariances in single precision
        assert (field.mean.variance, field.mean.noise_variance) == pytest.approx(
            (mean.variance, mean.noise_variance), rel=1e-6
        )
        # the shared density errors are fields of their own
        changes = []
        for column in (0, 1):
            base = year.observed
            point_changes = Points(
                easting=base.easting,
                northing=base.northing,
                elevation_m=base.elevation_m,
                balance_m_we=year.shared[:, column],
                sigma_random_m_we=base.sigma_random_m_we,
            )
            kriged = prepare(point_changes, COVARIANCE)
            changes.append(predict(kriged, pixels.easting, pixels.northing, pixels.elevation_m).balance_m_we)
        total = np.sqrt(there.sigma_m_we**2 + changes[0] ** 2 + changes[1] ** 2)
        assert field.sigma_m_we[inside] == pytest.approx(total, abs=1e-6)
    assert np.array_equal(found[0].balance_m_we, found[2].balance_m_we, equal_nan=True)


def test_the_field_reaches_over_the_outline_and_no_further() -> None:
    surface = a_surface()
    (field,) = fields_of_years([a_year(3)], FieldModel(COVARIANCE, None), surface, with_sigma=False)
    known = np.isfinite(field.balance_m_we)
    assert known[surface.inside].all()
    assert surface.inside.sum() < known.sum() < surface.inside.size
    assert field.sigma_m_we is None


def test_on_a_lattice_the_error_is_nearly_the_exact_one(monkeypatch) -> None:
    surface, year = a_surface(120, 160), a_year(4, 20)
    model = FieldModel(COVARIANCE, None)
    (exact,) = fields_of_years([year], model, surface, with_sigma=True)
    monkeypatch.setattr(map_fields, "_EXACT_VARIANCE", 0.0)
    (lattice,) = fields_of_years([year], model, surface, with_sigma=True)
    ratio = lattice.sigma_m_we[surface.inside] / exact.sigma_m_we[surface.inside]
    assert np.median(np.abs(ratio - 1)) < 0.02
    # but for pixels that hold several points
    assert np.quantile(np.abs(ratio - 1), 0.995) < 0.15
    assert np.array_equal(lattice.balance_m_we, exact.balance_m_we, equal_nan=True)


def test_filled_points_shape_the_field_and_no_error() -> None:
    surface, year = a_surface(), a_year(5)
    others = a_year(6, 4).observed
    model = FieldModel(COVARIANCE, None)
    (alone,) = fields_of_years([year], model, surface, with_sigma=True)
    (helped,) = fields_of_years(
        [YearPoints(observed=year.observed, shared=year.shared, filled=others)], model, surface, with_sigma=True
    )
    assert helped.mean.balance_m_we != pytest.approx(alone.mean.balance_m_we, abs=1e-3)
    assert helped.mean.variance == pytest.approx(alone.mean.variance, rel=1e-6)
    joined = prepare(year.observed.joined(others), COVARIANCE)
    at = surface.inside_positions
    field = predict(joined, at[:, 0], at[:, 1], surface.surface_m[surface.inside])
    assert helped.balance_m_we[surface.inside] == pytest.approx(field.balance_m_we, abs=1e-6)


# --- the bend of the trend ---------------------------------------------------------------------------------------


def bent_years(change: float, noise: float = 0.05, count: int = 24) -> list[Points]:
    """Eight years on one network, 0.007 m w.e. per m below 3700 m, ``change`` more above it."""
    rng = np.random.default_rng(12)
    base = a_year(7, count).observed
    years = []
    for _ in range(8):
        profile = 0.007 * (base.elevation_m - 3600) + change * np.maximum(base.elevation_m - 3620, 0)
        balance = rng.normal(-0.3, 0.4) + rng.uniform(0.8, 1.2) * 0.0002 * base.elevation_m + profile
        years.append(
            Points(
                easting=base.easting,
                northing=base.northing,
                elevation_m=base.elevation_m,
                balance_m_we=balance + rng.normal(0, noise, count),
                sigma_random_m_we=np.full(count, noise),
            )
        )
    return years  # fmt: skip


def test_a_bend_that_returns_every_year_is_found() -> None:
    bend = fit_bend(bent_years(-0.005))
    assert bend.change_m_we_per_m == pytest.approx(-0.005, abs=0.001)
    assert bend.knee_m == pytest.approx(3620, abs=30)
    assert abs(bend.change_m_we_per_m + 0.005) < 4 * bend.sigma_change_m_we_per_m + 3e-4


def test_no_bend_is_made_up() -> None:
    assert fit_bend(bent_years(0.0, noise=0.2)) is None
    assert fit_bend(bent_years(-0.005, count=5)) is None
    assert fit_bend([]) is None


def test_the_bend_is_taken_off_and_put_back() -> None:
    """Points on a bent profile without noise: the field follows the bend everywhere."""
    surface = a_surface()
    bend = Bend(3650.0, -0.004, 0.0)
    base = a_year(8).observed
    balance = 0.006 * (base.elevation_m - 3600) + bend.at(base.elevation_m)
    points = Points(
        easting=base.easting,
        northing=base.northing,
        elevation_m=base.elevation_m,
        balance_m_we=balance,
        sigma_random_m_we=base.sigma_random_m_we,
    )
    year = YearPoints(observed=points, shared=np.zeros((points.count, 2)))
    (field,) = fields_of_years([year], FieldModel(COVARIANCE, bend), surface, with_sigma=False)
    height = surface.surface_m[surface.inside]
    assert field.balance_m_we[surface.inside] == pytest.approx(0.006 * (height - 3600) + bend.at(height), abs=1e-6)


def test_the_error_of_the_bend_is_what_the_points_do_not_hold() -> None:
    bend = Bend(3650.0, -0.004, 0.001)
    points = a_year(9).observed
    heights = np.linspace(3450, 3850, 500)
    equal = np.full(points.count, 1 / points.count)
    by_hand = 0.001 * abs(np.maximum(heights - 3650, 0).mean() - np.maximum(points.elevation_m - 3650, 0).mean())
    assert bend.sigma_of_mean(points, equal, SortedHeights.of(heights)) == pytest.approx(by_hand)


def test_the_bend_is_a_setting() -> None:
    years = bent_years(-0.005)
    assert fit_field_model(years, two_piece=True).bend is not None
    straight = fit_field_model(years, two_piece=False)
    assert straight.bend is None
    assert straight.covariance.sill_m2_we2 > fit_field_model(years, two_piece=True).covariance.sill_m2_we2


# --- inverse distance --------------------------------------------------------------------------------------------


def test_inverse_distance_weights_by_hand() -> None:
    points = Points(
        easting=np.array([0.0, 100.0]),
        northing=np.zeros(2),
        elevation_m=np.array([3500.0, 3600.0]),
        balance_m_we=np.array([-1.0, 1.0]),
        sigma_random_m_we=np.ones(2),
    )
    weights = plain_weights(np.array([[25.0, 0.0], [0.0, 0.0]]), points)
    assert weights[0] == pytest.approx([0.9, 0.1])
    assert weights[1] == pytest.approx([1.0, 0.0], abs=2e-4)
    assert inverse_distance_balance(points, np.array([[25.0, 0.0]])) == pytest.approx(-0.8)


def test_with_the_trend_a_straight_profile_is_reproduced_and_points_are_honoured() -> None:
    points = a_year(10).observed
    kriged = prepare(points, COVARIANCE)
    at = np.column_stack([points.easting, points.northing])
    weights = inverse_distance_weights(kriged, at, points.elevation_m)
    assert weights @ (0.004 * points.elevation_m - 14) == pytest.approx(0.004 * points.elevation_m - 14, abs=1e-8)
    assert weights @ points.balance_m_we == pytest.approx(points.balance_m_we, abs=5e-3)


def test_by_setting_the_field_is_made_of_these_weights_with_their_own_error() -> None:
    surface, year = a_surface(), a_year(11)
    model = FieldModel(COVARIANCE, None)
    (field,) = fields_of_years([year], model, surface, with_sigma=True, inverse_distance=True)
    (kriged,) = fields_of_years([year], model, surface, with_sigma=True)
    system = prepare(year.observed, COVARIANCE)
    height = surface.surface_m[surface.inside]
    weights = inverse_distance_weights(system, surface.inside_positions, height)
    assert field.balance_m_we[surface.inside] == pytest.approx(weights @ year.observed.balance_m_we, abs=1e-6)
    assert field.mean.weights == pytest.approx(weights.mean(axis=0), abs=1e-9)
    # kriging weights are the best of all unbiased ones, so that no other linear weights err less
    assert field.mean.variance > kriged.mean.variance
    assert (field.sigma_m_we[surface.inside] > kriged.sigma_m_we[surface.inside] - 1e-9).all()


def test_very_many_points_are_joined_with_their_neighbours() -> None:
    rng = np.random.default_rng(3)
    place = rng.uniform(0, 1000, (400, 2))
    points = Points(
        easting=place[:, 0],
        northing=place[:, 1],
        elevation_m=3000 + place[:, 1],
        balance_m_we=0.001 * place[:, 1],
        sigma_random_m_we=np.full(400, 0.2),
    )
    year = YearPoints(observed=points, shared=np.column_stack([np.full(400, 0.05), np.arange(400.0)]))
    assert year.joined_to(400) is year
    joined = year.joined_to(50).observed
    assert 20 <= joined.count <= 50
    # a plane stays one, and the random error of n readings is that of their mean
    assert joined.balance_m_we == pytest.approx(0.001 * (joined.elevation_m - 3000))
    counts = (0.2 / joined.sigma_random_m_we) ** 2
    assert counts.sum() == pytest.approx(400)
    assert counts @ joined.easting / 400 == pytest.approx(place[:, 0].mean())
    shared = year.joined_to(50).shared
    assert shared[:, 0] == pytest.approx(0.05)
    assert counts @ shared[:, 1] / 400 == pytest.approx(199.5)
