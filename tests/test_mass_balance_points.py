"""Point balances: stakes by the printed formula and by bookkeeping of mass, pits, chains of legs, bounds."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mass_balance.point_balance import PitLayer, Visit, chain_balance, pit_balance, stake_balance, sum_pit
from pipeline.mass_balance.years import Calendar, balance_years, campaigns, midseason_campaigns
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from tests.oracles.mass_balance_oracle import balance_by_bookkeeping

SETTINGS = MassBalanceSettings()
DAY_1, DAY_2, DAY_3 = date(2003, 8, 27), date(2004, 5, 30), date(2004, 8, 29)


def visit(exposed: float | None, snow: float = 0, density: float = 0, si: float = 0, **more) -> Visit:
    return Visit(
        "7", more.pop("leg", 1), more.pop("day", DAY_1), exposed, more.pop("length", None), snow, density, si, **more
    )


def pair(first: Visit, second: Visit):
    return stake_balance(first, dataclasses.replace(second, day=DAY_3), SETTINGS)


def test_bare_ice_loses_what_was_laid_bare() -> None:
    balance = pair(visit(1.2), visit(3.05))
    assert balance.balance_m_we == pytest.approx(-1.665, abs=1e-12)
    assert balance.ice_m_we == balance.balance_m_we
    assert balance.readings == ("7/1/2003-08-27", "7/1/2004-08-29")


def test_snow_and_superimposed_ice_are_weighed_apart() -> None:
    balance = pair(visit(0.5, 0.3, 300, 0.05), visit(1.1, 0.1, 350, 0.0))
    assert (balance.ice_m_we, balance.snow_m_we) == pytest.approx((-0.315, -0.055), abs=1e-12)
    assert balance.superimposed_m_we == pytest.approx(-0.0435, abs=1e-12)


@given(
    st.floats(0, 4), st.floats(0, 2), st.floats(100, 500), st.floats(0, 0.5),
    st.floats(0, 4), st.floats(0, 2), st.floats(100, 500), st.floats(0, 0.5),
)  # fmt: skip
def test_the_formula_is_the_change_of_mass_of_the_column(m1, h1, rho1, si1, m2, h2, rho2, si2) -> None:
    old = {"snow": h1, "rho_snow": rho1, "si": si1, "rho_ice": 900.0, "rho_si": 870.0}
    new = {"snow": h2, "rho_snow": rho2, "si": si2}
    expected = balance_by_bookkeeping(m1, old, m2, new)
    assert pair(visit(m1, h1, rho1, si1), visit(m2, h2, rho2, si2)).balance_m_we == pytest.approx(expected, abs=1e-9)


@given(st.floats(0, 3), st.floats(0, 3), st.floats(0, 3))
def test_balances_of_one_leg_add_up(m1, m2, m3) -> None:
    visits = [visit(m1), visit(m2, day=DAY_2), visit(m3, day=DAY_3)]
    parts = sum(stake_balance(a, b, SETTINGS).balance_m_we for a, b in pairwise(visits))
    assert chain_balance(visits, DAY_1, DAY_3, SETTINGS).balance_m_we == pytest.approx(parts, abs=1e-9)


def test_a_lowered_firn_surface_never_takes_the_density_of_ice() -> None:
    assert pair(visit(1.0, surface="firn"), visit(1.5)).balance_m_we == pytest.approx(-0.5 * 0.6)


def test_snow_that_outlasts_the_year_becomes_the_next_summers_surface() -> None:
    """0.4 m of old snow lie under 0.5 m of new snow: the balance is the new snow, not the old one turned to ice."""
    first = visit(1.0, 0.4, 500, opens_year=True)
    assert pair(first, visit(0.5, 0.5, 450)).balance_m_we == pytest.approx(0.225)
    # 0.3 m of the old snow has melted and nothing came: it goes at its own density
    assert pair(first, visit(1.3)).balance_m_we == pytest.approx(-0.15)
    # all of it and 0.2 m of ice: the printed formula again
    assert pair(first, visit(1.6)).balance_m_we == pytest.approx(-0.4 * 0.5 - 0.2 * 0.9)


def test_old_snow_and_superimposed_ice_go_from_the_top_down() -> None:
    first = visit(1.0, 0.2, 500, 0.1, opens_year=True)
    assert pair(first, visit(1.25)).balance_m_we == pytest.approx(-0.2 * 0.5 - 0.05 * 0.87)


def test_an_untouched_old_surface_still_has_an_error() -> None:
    assert pair(visit(1.0, 0.4, 500, opens_year=True), visit(1.0)).sigma_m_we > 0.01


def test_a_melted_out_stake_gives_a_bound_and_no_more() -> None:
    balance = pair(visit(1.19, length=6.0), visit(None, status="melted_out"))
    assert balance.bound == "<="
    assert balance.balance_m_we == pytest.approx(-0.9 * 4.81, abs=1e-12)
    assert "melted_out" in balance.flags


def test_a_melted_out_stake_of_unknown_length_says_nothing() -> None:
    assert pair(visit(1.19), visit(None, status="melted_out")) is None


def test_a_lost_stake_says_nothing() -> None:
    assert pair(visit(1.0), visit(None, status="lost")) is None


def test_a_buried_stake_shows_the_probed_snow() -> None:
    buried = visit(None, 1.5, 420, 0.1, status="buried")
    balance = pair(visit(0.3, 0.2, 500, opens_year=True), buried)
    assert balance.balance_m_we == pytest.approx(1.5 * 0.42 + 0.1 * 0.87)
    assert balance.flags == ("buried_probed",)
    assert pair(visit(0.3), visit(None, status="buried")) is None


def test_a_surface_that_rises_without_snow_is_flagged_not_hidden() -> None:
    balance = pair(visit(2.0), visit(1.0))
    assert balance.balance_m_we == pytest.approx(0.9)
    assert balance.flags == ("surface_rise",)


def test_snow_without_density_is_refused() -> None:
    with pytest.raises(BadInput, match=r"7/1/2003-08-27: found snow of 0.3 m without density"):
        visit(1.0, 0.3)


def test_redrilled_legs_are_joined_on_their_common_day() -> None:
    legs = [
        visit(0.4), visit(2.6, day=DAY_2),
        visit(0.2, day=DAY_2, leg=2), visit(1.1, day=DAY_3, leg=2),
    ]  # fmt: skip
    balance = chain_balance(legs, DAY_1, DAY_3, SETTINGS)
    assert balance.balance_m_we == pytest.approx(-2.79, abs=1e-12)
    assert "legs_chained" in balance.flags
    assert len(balance.readings) == 4


def test_legs_without_a_common_day_leave_a_gap() -> None:
    legs = [visit(0.4), visit(2.6, day=date(2004, 5, 29)), visit(0.2, day=DAY_2, leg=2), visit(1.1, day=DAY_3, leg=2)]
    assert chain_balance(legs, DAY_1, DAY_3, SETTINGS) is None


def test_legs_side_by_side_are_averaged() -> None:
    legs = [visit(0.0), visit(2.0, day=DAY_3), visit(1.0, leg=2), visit(3.05, day=DAY_3, leg=2)]
    balance = chain_balance(legs, DAY_1, DAY_3, SETTINGS)
    assert balance.balance_m_we == pytest.approx(-(1.8 + 1.845) / 2)
    assert "parallel_legs" in balance.flags


def test_a_bound_in_a_chain_makes_the_whole_a_bound() -> None:
    legs = [
        visit(1.0, length=4.0), visit(None, day=DAY_2, status="melted_out"),
        visit(0.0, day=DAY_2, leg=2), visit(0.5, day=DAY_3, leg=2),
    ]  # fmt: skip
    balance = chain_balance(legs, DAY_1, DAY_3, SETTINGS)
    assert (balance.bound, balance.balance_m_we) == ("<=", pytest.approx(-0.9 * 3.5))


def test_shared_errors_add_up_and_random_ones_do_not() -> None:
    balance = pair(visit(0.0), visit(2.0))
    both = balance + balance
    assert both.shared_ice_m_we == pytest.approx(2 * balance.shared_ice_m_we)
    assert both.sigma_random_m_we == pytest.approx(math.sqrt(2) * balance.sigma_random_m_we)
    assert abs(balance.shared_ice_m_we) == pytest.approx(2.0 * 15 / 1000)


def test_a_bent_stake_is_less_certain() -> None:
    assert pair(visit(0.0), visit(2.0, status="bent")).sigma_m_we > 3 * pair(visit(0.0), visit(2.0)).sigma_m_we


def test_a_pit_is_the_sum_of_its_layers() -> None:
    layers = [PitLayer(0.30, 280), PitLayer(0.45, 340), PitLayer(0.05, 870, "superimposed_ice"), PitLayer(0.60, 410)]
    total = sum_pit(layers)
    assert (total.depth_m, total.swe_kg_m2) == pytest.approx((1.4, 526.5))
    assert total.snow_density_kg_m3 == pytest.approx(483 / 1.35)
    assert pit_balance("P1", layers, "summer_surface", SETTINGS).balance_m_we == pytest.approx(0.5265)
    assert pit_balance("P1", layers, "not_reached", SETTINGS) is None


def test_visits_close_the_year_they_are_near() -> None:
    calendar = Calendar.of("10-01", 45)
    assert calendar.closing_year(date(2003, 8, 27)) == 2003
    assert calendar.closing_year(date(2003, 11, 10)) == 2003
    assert calendar.closing_year(date(2004, 6, 1)) is None
    assert balance_years(calendar, [date(1999, 8, 26), date(2002, 8, 25)]) == [2000, 2001, 2002]
    assert balance_years(calendar, []) == []


def test_a_year_that_begins_in_january_works() -> None:
    calendar = Calendar.of("01-01", 20)
    assert calendar.closing_year(date(2003, 12, 28)) == 2004
    assert calendar.closing_year(date(2004, 1, 5)) == 2004


def test_a_day_that_no_year_has_is_refused() -> None:
    with pytest.raises(BadInput, match=r"year_start: found '13-45'; expected a day of every year"):
        Calendar.of("13-45", 30)


def test_campaigns_part_visits_by_gaps() -> None:
    days = [date(2004, 5, 30), date(2004, 6, 1), date(2004, 7, 15)]
    assert campaigns(days) == [(days[0], days[1]), (days[2], days[2])]
    assert midseason_campaigns(days, date(2003, 8, 27), date(2004, 8, 28)) == [(days[0], days[1])]
