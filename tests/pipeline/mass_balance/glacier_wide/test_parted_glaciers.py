"""Glaciers that parted: area-weighted by hand, with errors between those of shared and of independent parts."""

from __future__ import annotations

import csv
import math
from dataclasses import replace

import pytest

from pipeline.mass_balance.glacier_wide.parted_glaciers import joint_series
from tests.made.command_line import run
from tests.made.field_surveys import AREAS, STAKES, reading, survey
from tests.pipeline.mass_balance.proof.test_calibration import a_year


def part(year: int, balance: float | None, area: float, **budget: float):
    return replace(a_year(year, balance, **budget), area_km2=area)


def test_parts_count_by_their_areas() -> None:
    """East 1.1 km2 at -0.8, west 0.6 km2 at -0.3: -1.06 / 1.7."""
    east = [part(1994, -0.8, 1.1, point=0.10, interpolation=0.20), part(1995, -0.5, 1.1, point=0.1)]
    west = [part(1994, -0.3, 0.6, point=0.12, interpolation=0.15), part(1995, None, 0.6)]
    first, second = joint_series({"E": east, "W": west})
    assert first.balance_m_we["annual"] == pytest.approx(-1.06 / 1.7)
    assert first.area_km2 == pytest.approx(1.7)
    random = math.hypot(1.1 * 0.10, 0.6 * 0.12) / 1.7
    repeated = (1.1 * 0.20 + 0.6 * 0.15) / 1.7
    assert first.sigma_m_we["annual"] == pytest.approx(math.hypot(random, repeated))
    assert (first.basis, first.parts, first.missing) == ("parts", ("E", "W"), ())
    assert (second.balance_m_we["annual"], second.missing) == (None, ("W",))


def test_the_whole_glaciers_own_years_stay() -> None:
    whole = [part(1992, -0.4, 1.84, total=0.1), part(1993, None, 1.84)]
    parts = {"E": [part(1993, -1.0, 1.0)], "W": [part(1993, 0.0, 1.0)]}
    before, after = joint_series(parts, whole)
    assert (before.basis, before.balance_m_we["annual"], before.sigma_m_we["annual"]) == ("whole", -0.4, 0.1)
    assert (after.basis, after.balance_m_we["annual"]) == ("parts", -0.5)


def test_a_workbook_of_parts_gets_their_joint_series(tmp_path) -> None:
    survey(tmp_path / "in", {"readings": [reading(STAKES[0][0], "2003-09-30", 1.0)]})
    parts = {"E": 2.0, "W": 3.0}
    tables = {
        "glacier": [
            {"glacier_id": one, "glacier_name": f"Part {one}", "longitude": 84.39, "latitude": 43.73,
             "crs": "EPSG:32645", "part_of": "ONE"} for one in parts
        ],
        "stakes": [
            {"stake_id": f"{one}{name}", "easting": east, "northing": north, "elevation_m": height, "glacier_id": one}
            for one in parts for name, east, north, height in STAKES
        ],
        "readings": [
            reading(f"{one}{stake[0]}", day, exposed)
            for one, end in parts.items() for stake in STAKES
            for day, exposed in (("2003-09-30", 1.0), ("2004-09-28", end))
        ],
        "hypsometry": [
            {"year": 2004, "lower_m": 3400 + 100 * k, "upper_m": 3500 + 100 * k, "area_km2": size * area,
             "glacier_id": one}
            for one, size in (("E", 1.0), ("W", 0.5)) for k, area in enumerate(AREAS)
        ],
    }  # fmt: skip
    for name, rows in tables.items():
        with (tmp_path / "in" / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    done = run("balance", tmp_path / "in", "--out", tmp_path / "out", "--quiet")
    assert done.code == 0, done.err
    with (tmp_path / "out" / "all_glaciers" / "joint_balances.csv").open(encoding="utf-8") as stream:
        (row,) = csv.DictReader(stream)
    assert (row["glacier_id"], row["year"], row["basis"], row["parts"]) == ("ONE", "2004", "parts", "E;W")
    # -0.9 over 1.2 km2 and -1.8 over 0.6 km2
    assert float(row["annual_balance_m_we"]) == pytest.approx(-1.2, abs=0.006)
    assert float(row["area_km2"]) == pytest.approx(1.8)
