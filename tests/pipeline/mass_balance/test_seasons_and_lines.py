"""Years without seasons, winters of loss, internal accumulation, zero lines: against what is known by hand."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from pipeline.mass_balance.glacier_wide.equilibrium_line import zero_line
from pipeline.mass_balance.glacier_wide.zero_line_method import zero_line_table, zero_line_years
from schemas.settings import MassBalanceSettings
from tests.made.command_line import run
from tests.made.field_surveys import STAKES, reading, survey, year_of
from tests.pipeline.mass_balance.proof.test_calibration import a_year

# a spring in which more was lost than gained, and a summer of loss
READINGS = {
    "readings": [
        reading(stake[0], day, m)
        for stake in STAKES
        for day, m in (("2003-09-30", 1.0), ("2004-05-10", 1.4), ("2004-09-28", 3.0))
    ]
}


def test_a_winter_of_loss_is_flagged_and_seasons_can_be_left_out(tmp_path) -> None:
    year = year_of(survey(tmp_path, READINGS), 2004)
    assert year.winter_m_we == pytest.approx(-0.36, abs=0.01)
    assert "negative_winter_balance" in year.flags
    without = survey(tmp_path, READINGS, MassBalanceSettings(seasons=False))
    other = year_of(without, 2004)
    assert (other.winter_m_we, other.summer_m_we, other.midseason) == (None, None, None)
    assert other.annual_m_we == year.annual_m_we
    assert "negative_winter_balance" not in other.flags
    assert set(without.tables["point_balances"]["period"]) == {"annual", "instantaneous"}


def test_internal_accumulation_is_not_measured_unless_it_is_stated(tmp_path) -> None:
    plain = survey(tmp_path / "in", READINGS)
    (row,) = plain.tables["error_budgets"].query("source == 'internal_accumulation'").to_dict("records")
    assert (row["note"], math.isnan(row["sigma_m_we"])) == ("not measured", True)
    assert plain.tables["glacier_balances"]["climatic_balance_m_we"].isna().all()
    options = "--internal-accumulation", "0.12+-0.06", "--no-seasons", "--quiet"
    assert run("balance", tmp_path / "in", "--out", tmp_path / "out", *options, "--json").code == 0
    stated = survey(
        tmp_path, READINGS, MassBalanceSettings(internal_accumulation_m_we=0.12, sigma_internal_accumulation_m_we=0.06)
    )
    (balance,) = stated.tables["glacier_balances"].to_dict("records")
    assert balance["annual_balance_m_we"] == plain.years[0].annual_m_we  # that of the surface, as before
    assert balance["climatic_balance_m_we"] == pytest.approx(balance["annual_balance_m_we"] + 0.12)
    expected = math.hypot(balance["sigma_annual_m_we"], 0.06)
    assert balance["sigma_climatic_balance_m_we"] == pytest.approx(expected)
    refused = run("balance", tmp_path / "in", "--out", tmp_path / "no", "--internal-accumulation", "much")
    assert refused.code == 2
    assert "found 'much'; expected a number with its standard deviation, as 0.1+-0.05" in refused.err


def test_a_geodetic_balance_is_held_against_surface_and_internal_together(tmp_path) -> None:
    """Losses of 0.9 and 1.8 m w.e., 0.1 a year gained inside: -2.5, with 0.05 a year of error that repeats."""
    exposed = {"2003-09-30": 1.0, "2004-09-28": 2.0, "2005-09-30": 4.0}
    rows = [reading(stake[0], day, m) for stake in STAKES for day, m in exposed.items()]
    survey(tmp_path / "in", {"readings": rows})
    dates = "--geodetic", "-2.6+-0.2", "--geodetic-dates", "2003-09-30", "2005-09-30"
    told = {}
    for name, more in (("without", ()), ("with", ("--internal-accumulation", "0.1+-0.05"))):
        done = run("balance", tmp_path / "in", "--out", tmp_path / name, *dates, *more, "--json", "--quiet")
        (told[name],) = json.loads(done.out)["geodetic_check"]
    without, stated = told["without"], told["with"]
    assert without["glaciological_balance_m_we"] == pytest.approx(-2.7, abs=1e-3)
    assert stated["glaciological_balance_m_we"] == pytest.approx(-2.5, abs=1e-3)
    sigma = math.hypot(without["sigma_glaciological_m_we"], 2 * 0.05)
    assert stated["sigma_glaciological_m_we"] == pytest.approx(sigma)


def test_the_zero_line_of_a_plane_is_where_it_crosses() -> None:
    """Heights rise by 10 m a row; the zero line climbs from 3212.5 m in the west to 3242.5 m in the east."""
    rows, columns = np.mgrid[0:20, 0:7].astype(float)
    elevation = 3400 - 10 * rows
    balance = 0.004 * (elevation - 3212.5 - 5 * columns)
    inside = np.ones(elevation.shape, bool)
    inside[:, 0] = False
    assert zero_line(elevation, inside, balance) == pytest.approx(3212.5 + 5 * 3.5, abs=1.5)
    assert zero_line(elevation, inside, balance + 9) is None
    level = 0.004 * (elevation - 3217.0)
    assert zero_line(elevation, inside, level) == pytest.approx(3217.0)


def lines(heights, balances):
    from dataclasses import replace

    years = [a_year(2000 + k, value) for k, value in enumerate(balances)]
    return [replace(y, ela_m=h, ela_position="=") for y, h in zip(years, heights, strict=True)]


def test_the_zero_line_method_on_years_that_follow_it() -> None:
    """B = 0.7 per 100 m times (3750 - ELA): exact on held-out years."""
    heights = [3600.0, 3650.0, 3700.0, 3760.0, 3810.0, 3900.0, 3940.0]
    years = lines(heights, [0.7 * (3750 - height) / 100 for height in heights])
    for one in zero_line_years(years):
        assert (one.ela0_m, one.gradient_m_we_per_100m) == (pytest.approx(3750), pytest.approx(0.7))
        assert one.difference_m_we == pytest.approx(0, abs=1e-9)
        assert one.others == 6
    assert len(zero_line_table(years)) == 7
    assert zero_line_table(years[:5]).empty


def test_the_zero_line_methods_error_is_that_of_years_it_did_not_see() -> None:
    draw = np.random.default_rng(4)
    heights = draw.uniform(3550, 3950, 400)
    noisy = 0.6 * (3740 - heights) / 100 + draw.normal(0, 0.15, 400)
    table = zero_line_table(lines(heights.tolist(), noisy.tolist()))
    assert table["sigma_zero_line_balance_m_we"].iloc[0] == pytest.approx(0.15, abs=0.02)
    assert table["ela0_m"].mean() == pytest.approx(3740, abs=5)
    # the year's own balance has no part in it
    spoiled = noisy.copy()
    spoiled[7] += 50
    again = zero_line_table(lines(heights.tolist(), spoiled.tolist()))
    assert again["zero_line_balance_m_we"].iloc[7] == table["zero_line_balance_m_we"].iloc[7]
