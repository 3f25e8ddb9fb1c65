"""Nissai glacier, stakes as typed: the published point balances, a bound for the melted-out stake, no invented mean."""

from __future__ import annotations

import csv
import subprocess
import sys
from datetime import date

import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from schemas.settings import MassBalanceSettings
from tests.real.data import REAL_DATA, needs_real_data
from tests.root import ROOT

SHEET = REAL_DATA / "mass_balance" / "nissai_stakes_raw.csv"
pytestmark = needs_real_data


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nissai") / "field"
    adapter = ROOT / "docs" / "adapters" / "nissai_stakes.py"
    done = subprocess.run(
        [sys.executable, str(adapter), str(SHEET), str(folder)], check=True, capture_output=True, text=True
    )
    return mass_balance(read_field_data(folder), MassBalanceSettings()), done.stderr


@pytest.fixture(scope="module")
def annual(run):
    points = run[0].tables["point_balances"]
    rows = points[points["period"] == "annual"].to_dict("records")
    return {(row["point_id"], row["year"]): row for row in rows}


def published_water_equivalents() -> dict[tuple[str, int], list[float]]:
    """The sheet's own balance column (m w.e.) by stake and year, several where two poles stood side by side."""
    found: dict[tuple[str, int], list[float]] = {}
    year, column = 0, 0
    with SHEET.open(encoding="utf-8") as stream:
        for line in csv.reader(stream):
            if line[0] == "Stake":
                column = next(k for k, name in enumerate(line) if name.startswith("mass balance") and "w.e." in name)
                year = int("20" + line[column].split("-")[1][:2])
            elif line[0] and line[column]:
                found.setdefault((line[0], year), []).append(float(line[column]))
    return found


def test_stake_2_lost_404_centimetres_of_ice(annual) -> None:
    row = annual["2", 2023]
    assert row["balance_m_we"] == pytest.approx(-3.636, abs=1e-9)
    assert row["bound"] == "="
    assert (row["begin_date"], row["end_date"]) == (date(2022, 9, 7), date(2023, 9, 21))


def test_the_melted_out_stake_is_a_bound_and_not_a_number(annual, run) -> None:
    row = annual["1", 2025]
    assert (row["bound"], row["balance_m_we"]) == ("<=", pytest.approx(-0.9 * 4.81, abs=1e-9))
    assert row["flags"] == "melted_out"
    assert "bound_not_used:1" in run[0].years[-1].flags


def test_every_other_balance_is_the_published_one(annual) -> None:
    published = published_water_equivalents()
    assert len(published) == 21
    for key, values in published.items():
        if key != ("1", 2025):
            assert annual[key]["balance_m_we"] == pytest.approx(sum(values) / len(values), abs=1e-9), key
    assert annual["3", 2024]["flags"] == "parallel_legs"


def test_without_areas_there_is_no_glacier_wide_balance_and_the_year_says_why(run) -> None:
    assert [year.year for year in run[0].years] == [2023, 2024, 2025]
    for year in run[0].years:
        assert year.annual_m_we is None
        assert "no_area_altitude_distribution" in year.flags


def test_what_the_adapter_settled_is_reported(run) -> None:
    assert "stake 8 has no position and is left out" in run[1]
    assert "line 40: stake 3: dates 21 Sep 2023 to 4 Sep 2024 taken as 2024-09-04 to 2025-09-03" in run[1]
