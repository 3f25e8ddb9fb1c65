"""Rhonegletscher, 44 years of published band balances: the chain must give the published glacier-wide values.

No year misses a limit. What differences remain below them has these causes. Bands are published in whole mm w.e., the
glacier-wide values come from the grid behind them. The published equilibrium line goes in steps of 10 m (all end in 5),
ours follows the profile of 100 m bands (largest difference 46 m, 1903). The published AAR counts the grid above zero
wherever it lies, ours the area above one line; they part where the profile is flat near zero (2024: 0.10 and 0.20
m w.e. between 2900 and 3100 m, and 0.06 of the area).
"""

from __future__ import annotations

import csv
import subprocess
import sys

import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.result import MassBalance
from schemas.settings import MassBalanceSettings
from tests.real.data import REAL_DATA, needs_real_data
from tests.root import ROOT

BANDS = REAL_DATA / "mass_balance" / "rhone_glamos_bands_all.csv"
PUBLISHED = REAL_DATA / "mass_balance" / "rhone_glamos_glacierwide_all.csv"
pytestmark = needs_real_data


@pytest.fixture(scope="module")
def rhone(tmp_path_factory) -> MassBalance:
    folder = tmp_path_factory.mktemp("rhone") / "field"
    adapter = ROOT / "docs" / "adapters" / "glamos_bands.py"
    subprocess.run([sys.executable, str(adapter), str(BANDS), str(folder)], check=True)
    return mass_balance(read_field_data(folder), MassBalanceSettings())


@pytest.fixture(scope="module")
def published() -> dict[int, dict[str, str]]:
    with PUBLISHED.open(encoding="utf-8") as stream:
        return {int(row["d1"][:4]): row for row in csv.DictReader(stream)}


def misses(rhone, published, difference, limit) -> dict[int, float]:
    """The years in which the difference to the published value exceeds the limit."""
    found = {year.year: difference(year, published[year.year]) for year in rhone.years}
    return {year: round(value, 4) for year, value in found.items() if abs(value) > limit}


def test_every_published_year_is_there(rhone, published) -> None:
    assert [year.year for year in rhone.years] == sorted(published)
    assert len(published) == 44


@pytest.mark.parametrize(("ours", "theirs"), [("annual_m_we", "Ba"), ("winter_m_we", "Bw"), ("summer_m_we", "Bs")])
def test_balances_within_two_millimetres_in_every_year(rhone, published, ours, theirs) -> None:
    assert misses(rhone, published, lambda y, p: getattr(y, ours) - int(p[theirs]) / 1000, 0.002) == {}


def test_equilibrium_line_within_fifty_metres_in_every_year(rhone, published) -> None:
    assert misses(rhone, published, lambda y, p: y.ela_m - int(p["ELA"]), 50) == {}


def test_accumulation_area_ratio_within_a_tenth_in_every_year(rhone, published) -> None:
    assert misses(rhone, published, lambda y, p: y.aar - int(p["AAR"]) / 100, 0.10) == {}


def test_areas_to_the_published_digits(rhone, published) -> None:
    assert misses(rhone, published, lambda y, p: y.area_km2 - float(p["A"]), 5.1e-5) == {}


def test_dates_and_time_system_are_kept(rhone, published) -> None:
    for year in rhone.years:
        row = published[year.year]
        assert [str(day) for day in (year.begin, year.midseason, year.end)] == [row["d0"], row["dw"], row["d1"]]
        assert year.time_system == "FXD"


def test_no_error_is_invented_where_nothing_supports_one(rhone) -> None:
    assert {year.sigma_annual_m_we for year in rhone.years} == {None}
    assert len(rhone.tables["zone_balances"]) == 765
