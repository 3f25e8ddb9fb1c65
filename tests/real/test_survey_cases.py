"""Small surveys made after public reports and real layouts, each with the value that is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import FieldData, read_field_data
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.settings import MassBalanceSettings
from tests.real.data import REAL_DATA

CASES = REAL_DATA.parent / "cases" / "mass_balance"
pytestmark = pytest.mark.skipif(
    not CASES.is_dir(), reason=f"no cases at {CASES}; point GLACIER_REAL_DATA at the data beside them"
)


def computed(name: str, **settings) -> tuple[FieldData, MassBalance]:
    data = read_field_data(Path(CASES / name))
    return data, mass_balance(data, MassBalanceSettings(**settings))


def year_of(name: str, year: int = 2004, **settings) -> BalanceYear:
    return next(one for one in computed(name, **settings)[1].years if one.year == year)


@pytest.mark.parametrize("year", [2004, 2005])
def test_redrilled_the_next_day(year) -> None:
    assert year_of("redrilled_the_next_day", year).annual_m_we == pytest.approx(-0.723, abs=5e-4)


def test_a_rise_is_snow() -> None:
    _, result = computed("rise_none")
    table = result.tables["point_balances"]
    row = table[(table["point_id"] == "S5") & (table["period"] == "annual")].iloc[0]
    assert 0.5 <= row["balance_m_we"] / 1.2 <= 0.6
    assert row["ice_balance_m_we"] == 0
    assert row["sigma_balance_m_we"] > 0.1
    assert "surface_rise:S5" in result.years[0].flags


def test_probings_and_one_pit() -> None:
    year = year_of("probings_one_pit")
    assert year.winter_m_we == pytest.approx(0.695, abs=5e-4)
    assert year.annual_m_we == pytest.approx(-0.723, abs=5e-4)


def test_probings_at_the_end_of_summer() -> None:
    _, result = computed("autumn_probings")
    table = result.tables["point_balances"]
    probed = table[(table["kind"] == "probing") & (table["period"] == "annual")]
    assert len(probed) == 30
    assert "no_point_in_accumulation_area" not in result.years[0].flags


def test_calendar_year() -> None:
    year = year_of("calendar_year", 2003, year_start="01-01")
    assert year.annual_m_we == pytest.approx(-0.723, abs=5e-4)


def test_snow_of_september_is_old() -> None:
    _, result = computed("autumn_snow_without_density")
    table = result.tables["point_balances"]
    row = table[(table["point_id"] == "S5") & (table["period"] == "annual")].iloc[0]
    assert row["balance_m_we"] == pytest.approx(1.2 * 0.55)
    assert row["sigma_balance_m_we"] == pytest.approx(1.2 * 0.08, rel=0.1)
    assert "density_assumed" in row["flags"]


@pytest.mark.parametrize("name", ["redrilled_and_moved_a", "redrilled_and_moved_b"])
def test_redrilled_and_moved(name) -> None:
    _, result = computed(name)
    table = result.tables["point_balances"]
    places = table[(table["point_id"] == "S1") & (table["period"] == "annual")]
    assert places["year"].tolist() == [2004, 2005]
    assert places["easting"].tolist() == [290_040, 290_040]


def test_surveys_of_spring() -> None:
    drilled = year_of("spring_drilled")
    assert None not in (drilled.annual_m_we, drilled.winter_m_we, drilled.summer_m_we)
    assert drilled.annual_m_we == pytest.approx(drilled.winter_m_we + drilled.summer_m_we)
    for name in ("winter_pits_only", "winter_stakes_only"):
        winter = year_of(name)
        assert winter.winter_m_we == pytest.approx(0.7)
        assert winter.annual_m_we is None


@pytest.mark.parametrize(
    "name", ["date_in_three_columns", "serial_csv", "bracket_longitude_E.xlsx", "bracket_km_hat_2.xlsx"]
)
def test_forms(name) -> None:
    data, result = computed(name)
    assert result.years[0].annual_m_we == pytest.approx(-0.723, abs=5e-4)
    notes = " ".join(f"{one.found} {one.used}" for one in data.corrections)
    assert any(word in notes for word in ("three columns", "37889", "(E)", "(km^2)"))


def test_no_elevation_is_told() -> None:
    year = year_of("no_elevation")
    assert year.annual_m_we is None
    assert {"elevation_unknown:S1", "elevation_unknown:S2", "elevation_unknown:S3"} <= set(year.flags)


def test_three_low_stakes_say_how_little_they_know() -> None:
    year = year_of("three_low")
    assert year.budget["interpolation"] > 0.3
    assert any(flag.startswith("unmeasured_area") for flag in year.flags)
