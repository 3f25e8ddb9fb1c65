"""Point balances: stakes by the printed formula and by bookkeeping of mass, pits, chains of legs, bounds."""

from __future__ import annotations

import dataclasses
import math
from datetime import date
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.mass_balance.points.point_balance import (
    PitLayer,
    Visit,
    chain_balance,
    pit_balance,
    stake_balance,
    sum_pit,
)
from pipeline.mass_balance.points.points import point_balances
from pipeline.mass_balance.points.visits import Network, build_network
from pipeline.mass_balance.points.years import Calendar, balance_years, campaigns, midseason_campaigns
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from tests.made.synthetic_glaciers import field_data
from tests.oracles.mass_balance_oracle import balance_by_bookkeeping

SETTINGS, ONE_POINT = MassBalanceSettings(), MassBalanceSettings(minimum_points=1)
DAY_1, DAY_2, DAY_3 = date(2003, 8, 27), date(2004, 5, 30), date(2004, 8, 29)


def visit(exposed: float | None, snow: float = 0, density: float = 0, si: float = 0, **more) -> Visit:
    return Visit(
        stake_id="7",
        leg=more.pop("leg", 1),
        day=more.pop("day", DAY_1),
        exposed_m=exposed,
        stake_length_m=more.pop("length", None),
        snow_m=snow,
        snow_density_kg_m3=density,
        superimposed_m=si,
        **more,
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


def test_legs_far_apart_leave_a_gap() -> None:
    legs = [visit(0.4), visit(2.6, day=date(2004, 5, 20)), visit(0.2, day=DAY_2, leg=2), visit(1.1, day=DAY_3, leg=2)]
    assert chain_balance(legs, DAY_1, DAY_3, SETTINGS) is None


def test_a_leg_drilled_on_the_next_day_follows_with_the_error_of_a_day() -> None:
    legs = [visit(0.4), visit(2.6, day=date(2004, 5, 29)), visit(0.2, day=DAY_2, leg=2), visit(1.1, day=DAY_3, leg=2)]
    balance = chain_balance(legs, DAY_1, DAY_3, SETTINGS)
    assert balance.balance_m_we == pytest.approx(-0.9 * (2.2 + 0.9))
    assert balance.flags == ("legs_bridged:1 days", "legs_chained")
    same_day = [legs[0], dataclasses.replace(legs[1], day=DAY_2), *legs[2:]]
    assert balance.sigma_random_m_we > chain_balance(same_day, DAY_1, DAY_3, SETTINGS).sigma_random_m_we


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
    assert calendar.closing_year(date(2003, 12, 28)) == 2003
    assert calendar.closing_year(date(2004, 1, 5)) == 2003
    assert (calendar.start(2003), calendar.end(2003)) == (date(2003, 1, 1), date(2004, 1, 1))
    assert [calendar.year_of(day) for day in (date(2003, 1, 2), date(2003, 12, 31))] == [2003, 2003]
    assert balance_years(calendar, [date(2001, 12, 30), date(2003, 12, 31)]) == [2002, 2003]


def test_a_day_that_no_year_has_is_refused() -> None:
    with pytest.raises(BadInput, match=r"year_start: found '13-45'; expected a day of every year"):
        Calendar.of("13-45", 30)


def test_campaigns_part_visits_by_gaps() -> None:
    days = [date(2004, 5, 30), date(2004, 6, 1), date(2004, 7, 15)]
    assert campaigns(days) == [(days[0], days[1]), (days[2], days[2])]
    assert midseason_campaigns(days, date(2003, 8, 27), date(2004, 8, 28)) == [(days[0], days[1])]


# --- what lies below, and where ----------------------------------------------------------------------------------


def test_firn_and_ice_are_told_apart() -> None:
    firn = pair(visit(1.0, surface="firn"), visit(1.5))
    assert (firn.firn_m_we, firn.ice_m_we) == (pytest.approx(-0.3), 0.0)
    frozen = pair(visit(1.0, surface="superimposed_ice"), visit(1.5))
    assert (frozen.superimposed_m_we, frozen.ice_m_we) == (pytest.approx(-0.5 * 0.87), 0.0)


def test_summer_melt_goes_through_thin_old_snow_into_ice() -> None:
    """August: 10 cm of old snow on ice. The next summer takes 0.5 m of new snow, that, and 0.4 m of ice."""
    readings = [
        ("1", 1, DAY_1, 1.0, 0.1, 500.0, "ice"),
        ("1", 1, DAY_2, 0.5, 0.5, 300.0, "firn"),
        ("1", 1, DAY_3, 1.5, 0.0, None, "ice"),
    ]
    network = network_of(readings, {"1": (500_000.0, 4_800_000.0, 3600.0)})
    found = {record.period: record.balance for record in records_of(network) if record.point_id == "1"}
    assert found["winter"].balance_m_we == pytest.approx(0.15)
    assert found["summer"].balance_m_we == pytest.approx(-0.15 - 0.1 * 0.5 - 0.4 * 0.9)
    assert found["annual"].balance_m_we == pytest.approx(found["winter"].balance_m_we + found["summer"].balance_m_we)


def test_a_reading_that_failed_does_not_part_the_readings_around_it() -> None:
    readings = [
        ("1", 1, DAY_1, 1.0, 0.0, None, "ice"),
        ("1", 1, DAY_2, None, 0.0, None, "ice"),
        ("1", 1, DAY_3, 2.0, 0.0, None, "ice"),
    ]
    network = network_of(readings, {"1": (500_000.0, 4_800_000.0, 3600.0)})
    (record,) = [one for one in records_of(network) if one.period == "instantaneous"]
    assert (record.begin, record.end) == (DAY_1, DAY_3)
    assert record.balance.balance_m_we == pytest.approx(-0.9)


def test_a_moved_stake_stands_for_the_middle_of_its_way() -> None:
    readings = [("1", 1, DAY_1, 1.0, 0.0, None, "ice"), ("1", 1, DAY_3, 2.0, 0.0, None, "ice")]
    surveys = {DAY_1: (500_000.0, 4_800_000.0, 3600.0), DAY_3: (500_180.0, 4_800_240.0, 3580.0)}
    network = network_of(readings, {"1": (500_000.0, 4_800_000.0, 3600.0)}, surveys)
    annual = next(record for record in records_of(network) if record.period == "annual")
    assert (annual.place.easting, annual.place.northing) == (500_090.0, 4_800_120.0)
    assert annual.place.elevation_m == 3590.0
    assert "moved:300m" in annual.balance.flags
    third = DAY_1 + (DAY_3 - DAY_1) / 3
    assert network.place_on("1", third).easting == pytest.approx(500_060, abs=1)
    assert network.place_on("1", date(1999, 1, 1)).easting == 500_000.0
    assert network.place_on("1", date(2019, 1, 1)).easting == 500_180.0


def test_a_density_that_snow_does_not_have_is_flagged() -> None:
    assert "density_out_of_class" in pair(visit(1.0), visit(0.5, 0.5, 650)).flags
    assert pair(visit(1.0), visit(0.5, 0.5, 550)).flags == ()


def test_snow_below_a_pits_floor_is_as_dense_as_its_lowest_metre() -> None:
    """Lowest metre: 0.6 m of 400 and 0.4 m of 350 kg m-3, 380 on average; 0.5 m more by probe."""
    layers = [PitLayer(0.5, 300), PitLayer(0.6, 350), PitLayer(0.6, 400)]
    balance = pit_balance("P1", layers, "not_reached", SETTINGS, probed_m=2.2)
    assert balance.balance_m_we == pytest.approx(0.5 * 0.3 + 0.6 * 0.35 + 0.6 * 0.4 + 0.5 * 0.38)
    assert balance.flags == ("extended_below_floor",)
    assert balance.sigma_random_m_we > 0.15 * 0.5 * 0.38
    assert pit_balance("P1", layers, "not_reached", SETTINGS, probed_m=1.5) is None


def network_of(readings, stakes, surveys=None) -> Network:
    names = ["stake_id", "leg", "date", "exposed_m", "snow_depth_m", "snow_density_kg_m3", "surface"]
    frame = pd.DataFrame(readings, columns=names)
    for place, name in enumerate(("easting", "northing", "elevation_m")):
        frame[name] = [(surveys or {}).get(day, (math.nan,) * 3)[place] for day in frame["date"]]
    columns = ["stake_id", "easting", "northing", "elevation_m"]
    listed = pd.DataFrame([(stake, *at) for stake, at in stakes.items()], columns=columns)
    return build_network(field_data({"stakes": listed, "readings": frame}), Calendar.of("09-01", 45), ONE_POINT)


def records_of(network: Network):
    return point_balances(network, Calendar.of("09-01", 45), ONE_POINT).records
