"""Snow density that nobody weighed: of the pit beside, of the depth, of the campaign, or assumed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from pipeline.mass_balance.points.snow_density import (
    AssumedDensities,
    DensitySample,
    SnowDensities,
    density_table,
    fit_densities,
)
from schemas.tables import DENSITY_FITS

JUNE = date(2004, 6, 1)


def samples(depths, densities, day=JUNE):
    return [DensitySample(day, depth, density) for depth, density in zip(depths, densities, strict=True)]


def test_a_line_that_made_the_densities_is_found_again() -> None:
    depth = np.array([0.4, 0.9, 1.5, 2.2, 3.0])
    (fit,) = fit_densities(samples(depth, 300 + 40 * depth))
    assert (fit.intercept_kg_m3, fit.slope_kg_m3_per_m) == pytest.approx((300, 40))
    assert fit.used
    assert fit.at(2.0) == pytest.approx(380)
    # never outside what was measured
    assert (fit.at(0.0), fit.at(9.0)) == pytest.approx((316, 420))


def test_scatter_about_the_line_is_its_error() -> None:
    rng = np.random.default_rng(2)
    depth = rng.uniform(0.5, 4.0, 400)
    (fit,) = fit_densities(samples(depth, 320 + 25 * depth + rng.normal(0, 18, 400)))
    assert fit.sigma_density_kg_m3 == pytest.approx(18, rel=0.1)
    assert abs(fit.slope_kg_m3_per_m - 25) < 3 * fit.sigma_slope_kg_m3_per_m


@pytest.mark.parametrize(
    ("depths", "densities", "why"),
    [
        ([0.5, 1.5, 2.5], [300, 340, 380], "three densities"),
        ([0.50, 0.55, 0.60, 0.65], [300, 310, 320, 330], "a range of 15 cm"),
        ([0.5, 1.0, 1.5, 2.0], [380, 300, 390, 310], "no growth with depth"),
        ([0.5, 1.0, 1.5, 2.0], [400, 380, 360, 340], "a fall with depth"),
    ],
)
def test_otherwise_the_mean_of_the_campaign_serves(depths, densities, why) -> None:
    (fit,) = fit_densities(samples(depths, densities))
    assert not fit.used, why
    assert fit.at(1.0) == pytest.approx(np.mean(densities))


def test_the_nearest_source_wins_and_says_so() -> None:
    depth = np.array([0.4, 0.9, 1.5, 2.2, 3.0])
    fits = fit_densities([
        *samples(depth, 300 + 40 * depth), *samples([0.8], [450.0], date(2004, 9, 1)),
    ])  # fmt: skip
    assumed = AssumedDensities((350.0, 70.0), (550.0, 80.0), (500.0, 100.0))
    known = SnowDensities({"7": [(JUNE, 333.0), (date(2004, 9, 1), 444.0)]}, fits, assumed)

    def of(day, stake, closes_year=False):
        taken = known.of(day, stake, 1.0, closes_year=closes_year)
        return taken.density_kg_m3, taken.flags, taken.sigma_relative

    assert of(JUNE + timedelta(days=2), "7") == (333.0, ("density_from_pit",), None)
    assert of(JUNE + timedelta(days=2), "8") == (pytest.approx(340), ("density_from_depth",), None)
    assert of(date(2004, 9, 3), "8", True) == (450.0, ("density_of_campaign",), None)
    # between campaigns the nearer of the season, with a wide error; never for the snow of a year's end
    assert of(date(2004, 7, 5), "8") == (fits[0].mean_kg_m3, ("density_of_other_campaign",), 0.15)
    assert of(date(2004, 9, 20), "8", True) == (550.0, ("density_assumed",), 80 / 550)
    assert of(date(2003, 7, 15), None) == (350.0, ("density_assumed",), 0.2)


def test_a_density_without_depth_counts_for_the_mean_alone() -> None:
    (fit,) = fit_densities(samples([np.nan, 1.0], [300.0, 400.0]))
    assert (fit.count, fit.mean_kg_m3, fit.shallowest_m) == (2, 350.0, 1.0)


def test_the_table_has_a_row_a_campaign() -> None:
    fits = fit_densities([*samples([1.0], [300.0]), *samples([1.0], [400.0], date(2004, 9, 1))])
    table = density_table(fits)
    assert tuple(table.columns) == DENSITY_FITS.column_names
    assert table["mean_kg_m3"].tolist() == [300.0, 400.0]
