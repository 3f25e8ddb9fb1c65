"""Balances of the whole glacier between two surveys, against sums done by hand."""

from __future__ import annotations

import json
import math
from datetime import date

import pytest

from pipeline.mass_balance.glacier_wide.periods import PartErrors, sigma_of_parts
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from tests.made.command_line import run
from tests.made.field_surveys import AREAS, STAKES, reading, survey

# exposed lengths of the five stakes, by day; ice alone
DAYS = {
    "2003-09-30": (1.0, 1.0, 1.0, 1.0, 1.0),
    "2004-07-10": (2.0, 1.8, 1.6, 1.4, 1.2),
    "2004-09-28": (3.0, 2.6, 2.2, 1.8, 1.4),
    "2005-06-15": (3.2, 2.8, 2.4, 2.0, 1.6),
    "2005-08-03": (4.0, 3.5, 3.0, 2.5, 2.0),
    "2005-09-30": (4.5, 4.0, 3.5, 3.0, 2.5),
}


def readings(days=DAYS):
    return [
        reading(stake[0], day, m) for day, lengths in days.items() for stake, m in zip(STAKES, lengths, strict=True)
    ]


def loss_by_hand(first: str, last: str) -> float:
    """The mean over the six bands: profiles are straight, so the sixth lies a step above the fifth."""
    losses = [0.9 * (b - a) for a, b in zip(DAYS[first], DAYS[last], strict=True)]
    bands = [*losses, 2 * losses[4] - losses[3]]
    return -sum(a * b for a, b in zip(AREAS, bands, strict=True)) / sum(AREAS)


def rows_of(result):
    return {
        (str(row["begin_date"]), str(row["end_date"])): row
        for row in result.tables["period_balances"].to_dict("records")
    }


def test_each_survey_to_the_next_is_the_loss_of_the_stakes_in_between(tmp_path) -> None:
    found = rows_of(survey(tmp_path, {"readings": readings()}))
    assert len(found) == 5
    for first, last in zip(list(DAYS)[:-1], list(DAYS)[1:], strict=True):
        row = found[first, last]
        assert row["balance_m_we"] == pytest.approx(loss_by_hand(first, last), abs=2e-3), (first, last)
        assert row["n_points"] == 5
        assert row["sigma_balance_m_we"] > 0
        assert row["unmeasured_area_share"] == pytest.approx((0.05 + 0.1 + 0.1) / 1.2, abs=0.03)


def test_any_two_surveys_add_up_and_say_what_was_used(tmp_path) -> None:
    result = survey(tmp_path, {"readings": readings()}, between=(date(2004, 7, 10), date(2005, 8, 3)))
    (row,) = (row for row in rows_of(result).values() if row["asked"])
    assert row["balance_m_we"] == pytest.approx(loss_by_hand("2004-07-10", "2005-08-03"), abs=4e-3)
    assert (row["begin_date"], row["end_date"]) == (date(2004, 7, 10), date(2005, 8, 3))
    assert row["made_of"] == "summer 2004; visits"
    parts = [one for one in rows_of(result).values() if not one["asked"]]
    total = sum(part["balance_m_we"] for part in parts[1:4])
    assert row["balance_m_we"] == pytest.approx(total, abs=1e-3)


def test_whole_years_are_the_published_ones_with_the_cumulative_error(tmp_path) -> None:
    result = survey(tmp_path, {"readings": readings()}, between=(date(2003, 9, 30), date(2005, 9, 30)))
    (row,) = (row for row in rows_of(result).values() if row["asked"])
    assert row["balance_m_we"] == pytest.approx(sum(year.annual_m_we for year in result.years))
    last = result.tables["cumulative_balances"].iloc[-1]
    assert row["sigma_balance_m_we"] == pytest.approx(last["sigma_cumulative_m_we"])
    assert row["made_of"] == "annual 2004; annual 2005"


def test_snow_that_outlasts_a_year_is_summed_not_taken_for_ice(tmp_path) -> None:
    """1 m of firn snow at 550 left in 2004, 0.8 m of snow at 400 on top of it in May 2005: 0.55 + 0.32."""
    rows = []
    for stake in STAKES:
        rows += [
            reading(stake[0], "2003-09-30", 3.0, snow_depth_m=0, snow_density_kg_m3=""),
            reading(stake[0], "2004-09-30", 2.0, snow_depth_m=1.0, snow_density_kg_m3=550),
            reading(stake[0], "2005-05-02", 1.2, snow_depth_m=0.8, snow_density_kg_m3=400),
        ]
    result = survey(tmp_path, {"readings": rows}, between=(date(2003, 9, 30), date(2005, 5, 2)))
    (row,) = (row for row in rows_of(result).values() if row["asked"])
    assert row["balance_m_we"] == pytest.approx(0.55 + 0.32, abs=1e-6)
    assert row["made_of"] == "annual 2004; winter 2005"


def test_a_missed_autumn_is_bridged_by_the_stakes_that_span_it(tmp_path) -> None:
    days = {day: lengths for day, lengths in DAYS.items() if day != "2004-09-28"}
    result = survey(tmp_path, {"readings": readings(days)}, between=(date(2003, 9, 30), date(2005, 9, 30)))
    (row,) = (row for row in rows_of(result).values() if row["asked"])
    assert row["balance_m_we"] == pytest.approx(loss_by_hand("2003-09-30", "2005-09-30"), abs=0.02)
    assert row["n_points"] == 5


def test_days_without_a_survey_name_the_nearest(tmp_path) -> None:
    rows = {"readings": readings()}
    with pytest.raises(BadInput, match=r"no survey on 2004-08-20.*nearest surveys are those of 2004-07-10 and 2004-09"):
        survey(tmp_path, rows, between=(date(2003, 9, 30), date(2004, 8, 20)))
    with pytest.raises(BadInput, match=r"expected the earlier day first"):
        survey(tmp_path, rows, between=(date(2004, 9, 28), date(2003, 9, 30)))
    few = MassBalanceSettings(minimum_points=6)
    with pytest.raises(BadInput, match=r"too_few_points:5; expected 6 points measured at both surveys"):
        survey(tmp_path, rows, few, between=(date(2004, 7, 10), date(2004, 9, 28)))


def test_too_few_points_leave_an_empty_row_with_the_reason(tmp_path) -> None:
    found = rows_of(survey(tmp_path, {"readings": readings()}, MassBalanceSettings(minimum_points=6)))
    for row in found.values():
        assert row["balance_m_we"] is None
        assert row["flags"] == "too_few_points:5"


def test_errors_that_repeat_add_up_and_random_ones_do_not() -> None:
    one = PartErrors(0.03, (0.01, -0.02), 0.04, 0.01)
    assert sigma_of_parts([one]) == pytest.approx(math.sqrt(0.0009 + 0.0001 + 0.0004 + 0.0016 + 0.0001))
    other = PartErrors(0.04, (-0.01, -0.02), 0.04, 0.01)
    assert sigma_of_parts([one, other]) == pytest.approx(math.sqrt(0.0025 + 0 + 0.0016 + 0.0064 + 0.0004))


def test_the_command_prints_it_and_refuses_other_days(tmp_path) -> None:
    survey(tmp_path / "in", {"readings": readings()})
    asked = "--between", "2004-07-10", "2005-08-03"
    done = run("balance", tmp_path / "in", "--out", tmp_path / "out", *asked, "--json", "--quiet")
    assert done.code == 0, done.err
    (row,) = (row for row in json.loads(done.out)["periods"] if row["asked"])
    assert row["balance_m_we"] == pytest.approx(loss_by_hand("2004-07-10", "2005-08-03"), abs=4e-3)
    wrong = run("balance", tmp_path / "in", "--out", tmp_path / "no", "--between", "2004-01-01", "2005-08-03")
    assert wrong.code == 2
    assert "the nearest surveys are those of 2003-09-30 and 2004-07-10" in wrong.err
