"""Floating-date, fixed-date and stratigraphic balances by hand, each only where the visits allow it."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.points.point_balance import Visit
from pipeline.mass_balance.points.points import point_balances
from pipeline.mass_balance.points.time_systems import fixed_date_spans, stratigraphic_spans
from pipeline.mass_balance.points.visits import build_network
from pipeline.mass_balance.points.years import Calendar
from schemas.settings import MassBalanceSettings
from tests.made.synthetic_glaciers import field_data

SETTINGS = MassBalanceSettings()
CALENDAR = Calendar.of("10-01", 45)


def readings(*visits: tuple[date, float]):
    """One leg of bare ice: (day, exposed length)."""
    visits = tuple(
        Visit(stake_id="1", leg=1, day=day, exposed_m=exposed, opens_year=CALENDAR.closing_year(day) is not None)
        for day, exposed in visits
    )
    return visits, [visit.day for visit in visits]


def fixed(*visits, settings=SETTINGS):
    found = readings(*visits)
    span = fixed_date_spans(*found, 2004, CALENDAR, settings)
    return None if span is None else span.balance(found[0], settings)


def test_visits_on_the_fixed_dates_give_the_fixed_date_balance() -> None:
    balance = fixed((date(2003, 10, 1), 1.0), (date(2004, 9, 30), 2.5))
    assert balance.balance_m_we == pytest.approx(-1.35)
    assert "date_interpolated" not in balance.flags


def test_a_fixed_date_between_two_visits_is_interpolated_in_time() -> None:
    """0.4 m of ice from 21 September to 11 October 2004: half of it before 1 October."""
    visits = ((date(2003, 10, 1), 1.0), (date(2004, 9, 21), 2.0), (date(2004, 10, 11), 2.4))
    balance = fixed(*visits)
    assert balance.balance_m_we == pytest.approx(-0.9 * 1.2)
    assert "date_interpolated" in balance.flags
    # what the even course may hide: sqrt(1/2 * 1/2) of the 0.36 m w.e. between the two visits
    exact = fixed((date(2003, 10, 1), 1.0), (date(2004, 9, 30), 2.2))
    assert balance.sigma_random_m_we > 0.18 > exact.sigma_random_m_we


def test_both_ends_may_lie_between_visits() -> None:
    visits = (
        (date(2003, 9, 26), 1.0), (date(2003, 10, 6), 1.2), (date(2004, 9, 26), 2.6), (date(2004, 10, 6), 3.0),
    )  # fmt: skip
    # from the middle of the first pair to the middle of the second: 2.8 - 1.1
    assert fixed(*visits).balance_m_we == pytest.approx(-0.9 * 1.7)


def test_visits_too_far_apart_give_no_fixed_date_balance() -> None:
    far = ((date(2003, 10, 1), 1.0), (date(2004, 9, 10), 2.0), (date(2004, 10, 20), 2.4))
    assert fixed(*far) is None
    assert fixed(*far, settings=MassBalanceSettings(fixed_date_gap_days=40)) is not None
    assert fixed((date(2003, 10, 1), 1.0), (date(2004, 9, 10), 2.0)) is None


def test_a_bound_is_not_interpolated() -> None:
    visits = (
        Visit(stake_id="1", leg=1, day=date(2003, 10, 1), exposed_m=1.0, stake_length_m=4.0),
        Visit(stake_id="1", leg=1, day=date(2004, 9, 21), exposed_m=2.0, stake_length_m=4.0),
        Visit(stake_id="1", leg=1, day=date(2004, 10, 11), exposed_m=None, stake_length_m=4.0, status="melted_out"),
    )
    span = fixed_date_spans(visits, [visit.day for visit in visits], 2004, CALENDAR, SETTINGS)
    assert span.balance(visits, SETTINGS) is None


def test_the_stratigraphic_year_runs_from_lowest_to_lowest_surface() -> None:
    """The surface is lowest on 20 September 2003 (3.0 m out) and on 10 October 2004 (4.2 m out)."""
    visits, days = readings(
        (date(2003, 8, 30), 2.8), (date(2003, 9, 20), 3.0), (date(2003, 10, 20), 2.9),
        (date(2004, 9, 5), 3.9), (date(2004, 10, 10), 4.2), (date(2004, 11, 1), 4.1),
    )  # fmt: skip
    span = stratigraphic_spans(visits, days, 2004, CALENDAR, SETTINGS)
    assert (span.begin, span.end) == (date(2003, 9, 20), date(2004, 10, 10))
    assert span.balance(visits, SETTINGS).balance_m_we == pytest.approx(-0.9 * 1.2)


def test_one_visit_at_the_years_end_does_not_tell_the_minimum() -> None:
    visits, days = readings((date(2003, 9, 20), 3.0), (date(2003, 10, 20), 2.9), (date(2004, 9, 5), 3.9))
    assert stratigraphic_spans(visits, days, 2004, CALENDAR, SETTINGS) is None


def network_of(*rows, settings=SETTINGS):
    names = ["stake_id", "leg", "date", "exposed_m", "snow_depth_m", "snow_density_kg_m3"]
    stakes = pd.DataFrame(
        [(str(k), 500_000.0 + 300 * k, 4.8e6, 3500.0 + 100 * k) for k in (1, 2, 3)],
        columns=["stake_id", "easting", "northing", "elevation_m"],
    )
    data = field_data({"stakes": stakes, "readings": pd.DataFrame(rows, columns=names)})
    return data, build_network(data, CALENDAR, settings)


def three_stakes():
    """Read in mid September and mid October of both years, and in June."""
    rows = []
    for stake in ("1", "2", "3"):
        rows += [
            (stake, 1, date(2003, 9, 16), 1.0, 0.0, None), (stake, 1, date(2003, 10, 16), 1.3, 0.0, None),
            (stake, 1, date(2004, 6, 1), 0.8, 0.5, 300.0), (stake, 1, date(2004, 9, 16), 2.0, 0.0, None),
            (stake, 1, date(2004, 10, 16), 2.2, 0.0, None),
        ]  # fmt: skip
    return rows


def test_every_system_the_visits_allow_is_published_and_one_is_used() -> None:
    _, network = network_of(*three_stakes())
    found = point_balances(network, CALENDAR, SETTINGS)
    annual = [record for record in found.records if record.period == "annual"]
    assert {(record.begin, record.end, record.system) for record in annual} == {
        (date(2003, 10, 16), date(2004, 10, 16), "FLO")
    }
    others = {(r.system, r.period): round(r.balance.balance_m_we, 6) for r in found.others if r.point_id == "2"}
    # fixed date: half of either month; stratigraphic: October to October; winter 0.5 m of snow at 300 kg m-3
    assert others == {
        ("FXD", "annual"): -0.855, ("FXD", "winter"): 0.015, ("FXD", "summer"): -0.87,
        ("STR", "annual"): -0.81, ("STR", "winter"): 0.15, ("STR", "summer"): -0.96,
    }  # fmt: skip
    for record in found.others:
        assert record.begin < record.end


@pytest.mark.parametrize(("system", "annual", "winter"), [("FXD", -0.855, 0.015), ("STR", -0.81, 0.15)])
def test_the_system_of_the_glacier_wide_balance_is_a_setting(system, annual, winter) -> None:
    settings = MassBalanceSettings(time_system=system)
    data, _ = network_of(*three_stakes(), settings=settings)
    bands = pd.DataFrame({"year": 2004, "lower_m": [3500.0], "upper_m": [3900.0], "area_km2": [1.0]})
    result = mass_balance(field_data({"stakes": data.stakes, "readings": data.readings, "hypsometry": bands}), settings)
    year = next(year for year in result.years if year.year == 2004)
    assert (year.time_system, year.annual_m_we) == (system, pytest.approx(annual))
    assert year.winter_m_we == pytest.approx(winter)
    points = result.tables["point_balances"]
    assert set(points[points["period"] == "annual"]["time_system"]) == {system}
    others = result.tables["other_time_systems"]
    assert set(others["time_system"]) == {"FLO", "FXD", "STR"} - {system}
    assert not others.duplicated(["point_id", "kind", "time_system", "year", "period"]).any()
