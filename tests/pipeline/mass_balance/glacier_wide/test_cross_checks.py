"""Other ways to the glacier's balance, each on points whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.mass_balance.glacier_wide.cross_checks import (
    IndexYear,
    gradient_of,
    index_stake_balance,
    index_stakes,
    piecewise_balance,
    quadratic_balance,
)
from pipeline.mass_balance.ground.hypsometry import Hypsometry

BANDS = Hypsometry(np.arange(3400.0, 4000.0, 50), np.arange(3450.0, 4050.0, 50), np.linspace(0.3, 1.4, 12))
HEIGHTS = np.array([3440.0, 3520.0, 3580.0, 3650.0, 3720.0, 3790.0, 3850.0, 3930.0])


def mean_of(profile) -> float:
    return float(BANDS.area_km2 @ profile(BANDS.middle_m) / BANDS.total_km2)


def test_a_parabola_is_integrated_exactly_between_its_points() -> None:
    inside = Hypsometry(BANDS.lower_m[1:10], BANDS.upper_m[1:10], BANDS.area_km2[1:10])
    profile = np.polynomial.Polynomial([-1.0, 0.006, -8e-6])
    found = quadratic_balance(inside, HEIGHTS, profile(HEIGHTS - 3600))
    assert found == pytest.approx(inside.area_km2 @ profile(inside.middle_m - 3600) / inside.total_km2, abs=1e-9)


def test_beyond_its_points_a_parabola_goes_on_straight() -> None:
    """One band 400 m above the highest point: the tangent there, not the parabola that has turned round."""
    above = Hypsometry(np.array([4300.0]), np.array([4350.0]), np.array([1.0]))
    profile = np.polynomial.Polynomial([0.0, 0.004, -6e-6])
    found = quadratic_balance(above, HEIGHTS, profile(HEIGHTS - 3600))
    top = 3930.0 - 3600
    assert found == pytest.approx(profile(top) + profile.deriv()(top) * (4325 - 3930), abs=1e-9)


def test_a_profile_with_one_bend_is_integrated_exactly() -> None:
    def profile(height):
        return np.where(height < 3700, 0.008, 0.002) * (height - 3700) - 0.1

    found = piecewise_balance(BANDS, HEIGHTS, profile(HEIGHTS))
    assert found == pytest.approx(mean_of(profile), abs=0.01)
    straight = 0.005 * (HEIGHTS - 3700)
    assert piecewise_balance(BANDS, HEIGHTS, straight) == pytest.approx(mean_of(lambda z: 0.005 * (z - 3700)))


def test_too_few_points_give_no_curve() -> None:
    assert quadratic_balance(BANDS, HEIGHTS[:4], HEIGHTS[:4]) is None
    assert quadratic_balance(BANDS, np.full(8, 3600.0), HEIGHTS) is None
    assert piecewise_balance(BANDS, HEIGHTS[:6], HEIGHTS[:6]) is None


def test_gradients_need_three_points_apart() -> None:
    assert gradient_of(HEIGHTS, 0.006 * HEIGHTS) == pytest.approx(0.6)
    assert gradient_of(HEIGHTS[:2], HEIGHTS[:2]) is None
    assert gradient_of(np.full(5, 3600.0), np.arange(5.0)) is None


def a_series(rng, years=12, noise=0.0):
    """Three stakes that follow the glacier, one of them twice as strongly."""
    glacier = rng.normal(-0.4, 0.3, years)
    strength, offset = {"low": 2.0, "middle": 1.0, "high": 0.6}, {"low": -1.5, "middle": 0.0, "high": 0.8}
    found = {}
    for t in range(years):
        stakes = {name: float(k * glacier[t] + offset[name] + rng.normal(0, noise)) for name, k in strength.items()}
        found[2000 + t] = IndexYear(float(glacier[t]), stakes)
    return found


def test_index_stakes_that_follow_the_glacier_give_its_balance() -> None:
    years = a_series(np.random.default_rng(3))
    for year, known in years.items():
        assert index_stake_balance(year, years, ("low", "middle", "high")) == pytest.approx(known.balance_m_we)


def test_the_years_own_balance_has_no_part_in_it() -> None:
    years = a_series(np.random.default_rng(5), noise=0.05)
    before = index_stake_balance(2004, years, ("low", "middle"))
    years[2004] = IndexYear(99.0, years[2004].stakes)
    assert index_stake_balance(2004, years, ("low", "middle")) == before


def test_index_stakes_need_other_years_and_a_reading() -> None:
    years = a_series(np.random.default_rng(6))
    assert index_stake_balance(2000, {year: years[year] for year in range(2000, 2005)}, ("low",)) is None
    years[2003] = IndexYear(-0.2, {})
    assert index_stake_balance(2003, years, ("low", "high")) is None


def test_index_stakes_are_spread_over_the_heights_and_read_nearly_always() -> None:
    heights = {str(k): 3400.0 + 50 * k for k in range(1, 10)}
    years = [dict.fromkeys(heights, -0.5) for _ in range(10)]
    assert index_stakes(heights, years) == ("2", "5", "8")
    for year in years[:2]:
        del year["5"]
    chosen = index_stakes(heights, years)
    assert "5" not in chosen
    assert len(chosen) == 3
    assert index_stakes(heights, years[:3]) == ()
