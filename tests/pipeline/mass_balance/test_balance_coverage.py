"""Whether the stated errors are honest: the truth of 200 synthetic glacier-years within the stated intervals.

Forty glaciers of five years each differ in size, shape, profile, number of stakes (4 to 30), noise and gaps
(``tests.made.synthetic_glaciers``, which shares nothing with the chain's model). What a stake shows departs from its
surroundings by 0.1 m w.e. on average, as the default of ``sigma_point_m_we`` says.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.ground.hypsometry import read_surveys
from pipeline.mass_balance.result import MassBalance
from schemas.settings import MassBalanceSettings
from tests.made.synthetic_glaciers import CRS, synthetic_glacier

SETTINGS = MassBalanceSettings(year_start="09-01", resolution_m=20.0)
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def glaciers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("glaciers")
    return [synthetic_glacier(folder / str(seed), seed) for seed in range(40)]


@pytest.fixture(scope="module")
def on_maps(glaciers):
    """Results of all glaciers on their maps with one setting changed; those of the settings above computed once."""

    @cache
    def of(settings_json: str) -> list[MassBalance]:
        settings = MassBalanceSettings.model_validate_json(settings_json)
        return [mass_balance(one.data, settings, dem=one.dem, outline=one.outline) for one in glaciers]

    return lambda **changed: of(SETTINGS.model_copy(update=changed).model_dump_json())


def standardised_errors(results, glaciers):
    """Errors of all years, and of the sum over each glacier's years, over their standard deviations."""
    years, sums = [], []
    for result, glacier in zip(results, glaciers, strict=True):
        for year in result.years:
            years.append((year.annual_m_we - glacier.truth_m_we[year.year]) / year.sigma_annual_m_we)
        last = result.tables["cumulative_balances"].iloc[-1]
        total = sum(glacier.truth_m_we.values())
        sums.append((last["cumulative_balance_m_we"] - total) / last["sigma_cumulative_m_we"])
    return np.array(years), np.array(sums)


def check(results, glaciers, *, most_years: float = 0.76, most_sums: float = 0.83, most_wide: float = 0.99) -> None:
    years, sums = standardised_errors(results, glaciers)
    assert years.size == 200
    assert 0.60 <= np.mean(np.abs(years) <= 1) <= most_years
    assert 0.91 <= np.mean(np.abs(years) <= 1.96) <= most_wide
    # forty sums: a share of 0.68 is known to 0.07
    assert 0.53 <= np.mean(np.abs(sums) <= 1) <= most_sums
    assert 0.88 <= np.mean(np.abs(sums) <= 1.96) <= 1.0


def check_lines(results, glaciers, one_sigma: tuple[float, float]) -> None:
    """The true equilibrium line and accumulation-area ratio lie within the stated errors as often as is asked."""
    lines, ratios = [], []
    for result, glacier in zip(results, glaciers, strict=True):
        for year in result.years:
            ratios.append((year.aar - glacier.aar[year.year], year.sigma_aar))
            if year.ela_position == "=" and np.isfinite(glacier.ela_m[year.year]):
                lines.append((year.ela_m - glacier.ela_m[year.year], year.sigma_ela_m))
    assert len(lines) > 150
    for pairs in (lines, [(error, sigma) for error, sigma in ratios if sigma > 0]):
        error, sigma = np.array(pairs).T
        score = np.abs(error) / sigma
        assert one_sigma[0] <= np.mean(score <= 1) <= one_sigma[1]
        assert np.mean(score <= 1.96) >= 0.88


def test_on_a_map(glaciers, on_maps) -> None:
    results = on_maps()
    # nothing lies across these glaciers: what is allowed for wind and shade makes their intervals wider
    check(results, glaciers, most_years=0.84, most_sums=0.90, most_wide=1.0)
    # the interval reaches to where the profile flattens: a little too wide for the ratio
    check_lines(results, glaciers, (0.60, 0.85))


def test_by_zones_alone(glaciers) -> None:
    results = []
    for one in glaciers:
        bands = read_surveys(one.dem, one.outline, ("S1", CRS), 20.0, 50.0)[-1].bands
        table = {"year": 2001, "lower_m": bands.lower_m, "upper_m": bands.upper_m, "area_km2": bands.area_km2}
        results.append(mass_balance(replace(one.data, hypsometry=pd.DataFrame(table)), SETTINGS))
    # profiles of these glaciers go on straight: what is allowed for those that bend makes their intervals wider
    check(results, glaciers, most_years=0.80, most_sums=0.88)
    # a zone's error holds the scatter of its few points, most of which is no error of its mean, and what is allowed
    # for a bend: too wide
    check_lines(results, glaciers, (0.60, 0.95))


def test_filling_gaps_makes_the_balances_better(glaciers, on_maps) -> None:
    """The linear model's filled stakes lower the error of the glacier-wide balance where stakes are missing."""
    found = {}
    for fill in (False, True):
        found[fill] = [
            year.annual_m_we - one.truth_m_we[year.year]
            for result, one in zip(on_maps(fill_missing_stakes=fill), glaciers, strict=True)
            for year in result.years
        ]
    assert np.sqrt(np.mean(np.square(found[True]))) < np.sqrt(np.mean(np.square(found[False])))


def test_a_bend_in_the_trend_makes_the_balances_better(glaciers, on_maps) -> None:
    errors = {}
    for trend in ("straight", "two_piece"):
        errors[trend] = np.array([
            year.annual_m_we - one.truth_m_we[year.year]
            for result, one in zip(on_maps(elevation_trend=trend), glaciers, strict=True)
            for year in result.years
        ])  # fmt: skip
    assert np.sqrt(np.mean(errors["two_piece"] ** 2)) < np.sqrt(np.mean(errors["straight"] ** 2))
    assert abs(errors["two_piece"].mean()) < abs(errors["straight"].mean())
