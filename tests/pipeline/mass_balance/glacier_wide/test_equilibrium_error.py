"""The error of the equilibrium line and of the accumulation-area ratio, where it can be told by hand."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.mass_balance.glacier_wide.equilibrium_error import EquilibriumError, error_of_line, profile_error_at
from pipeline.mass_balance.glacier_wide.equilibrium_line import accumulation_area_ratio, equilibrium_line

LOWER = np.arange(3000.0, 4000.0, 50.0)
UPPER = LOWER + 50
AREA = np.full(LOWER.size, 0.1)


def error_of(balance, sigma, gradient=0.5) -> EquilibriumError:
    def line_of(shift):
        return equilibrium_line(LOWER, UPPER, AREA, balance + shift)

    return error_of_line(
        line_of, lambda shift: accumulation_area_ratio(LOWER, UPPER, AREA, line_of(shift)), sigma, gradient
    )


def line_at(elevation_m, m_we_per_100m=0.5):
    """A straight profile with its zero at an elevation."""
    return (LOWER + 25 - elevation_m) * m_we_per_100m / 100


@pytest.mark.parametrize(("sigma", "gradient"), [(0.1, 0.5), (0.2, 0.5), (0.1, 1.0)])
def test_on_a_straight_profile_the_error_is_that_of_the_balance_over_the_gradient(sigma, gradient) -> None:
    found = error_of(line_at(3510, gradient), sigma, gradient)
    assert found.elevation_m == pytest.approx(100 * sigma / gradient)
    # a kilometre of height with even area: the same move in shares of it
    assert found.aar == pytest.approx(found.elevation_m / 1000)


def test_a_line_that_leaves_the_glacier_moves_to_its_end() -> None:
    # by 0.49 m w.e. either way, 98 m: down to 3842 m, up to the top at 4000 m
    assert error_of(line_at(3940), 0.25).elevation_m == pytest.approx(98 / 1.96)
    both = error_of(line_at(3500), 4.0)
    assert both.elevation_m == pytest.approx(500 / 1.96)
    assert both.aar == pytest.approx(0.5 / 1.96)


def test_a_line_off_the_glacier_may_come_onto_it() -> None:
    found = error_of(line_at(4010), 0.25)
    assert found.elevation_m == pytest.approx((98 - 10) / 1.96)
    assert found.aar == pytest.approx(found.elevation_m / 1000)
    assert error_of(line_at(4500), 0.25) == EquilibriumError(None, 0.0)


def test_where_the_profile_flattens_the_interval_is_wide() -> None:
    """Straight up to the line, level above it: a little more loss takes the line to the top."""
    profile = np.minimum(line_at(3500), 0.05)
    assert error_of(profile, 0.1).elevation_m == pytest.approx(500 / 1.96, rel=0.03)


def test_the_error_of_a_profile_is_that_of_the_zones_next_to_the_line() -> None:
    middle, sigma = np.array([3025.0, 3075.0, 3125.0]), np.array([0.1, np.nan, 0.3])
    assert profile_error_at(3075, middle, sigma) == pytest.approx(0.2)
    assert profile_error_at(2900, middle, sigma) == pytest.approx(0.1)
