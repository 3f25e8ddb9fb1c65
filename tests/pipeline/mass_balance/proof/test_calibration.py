"""Calibration with a geodetic balance: by hand, against a published series, and whether its error covers the truth."""

from __future__ import annotations

import csv
import json
import math
from datetime import date

import numpy as np
import pytest

from pipeline.mass_balance import mass_balance, read_field_data
from pipeline.mass_balance.proof.calibration import YEARLY_SHARE, GeodeticSum, calibrated
from pipeline.mass_balance.result import BalanceYear
from schemas.settings import MassBalanceSettings
from tests.made.command_line import run
from tests.made.field_surveys import STAKES, reading, survey
from tests.made.glacier_families import synthetic_glacier
from tests.made.glacier_fieldwork import write_fieldwork


def a_year(year: int, annual: float | None, **budget: float) -> BalanceYear:
    nothing = dict.fromkeys(
        ("midseason", "winter_m_we", "summer_m_we", "sigma_winter_m_we", "sigma_summer_m_we", "ela_m", "ela_position")
    )
    return BalanceYear(
        year=year, begin=date(year - 1, 9, 1), end=date(year, 9, 1), time_system="FLO", annual_m_we=annual,
        sigma_annual_m_we=budget.get("total"), aar=None, area_km2=1.0, by_method={}, provenance="observed", flags=(),
        field=None, budget=budget, **nothing,
    )  # fmt: skip


def test_the_mean_is_the_geodetic_one_and_departures_stay() -> None:
    years = [a_year(year, value) for year, value in zip(range(2001, 2006), (-9.0, -0.2, -1.0, -0.6, 5.0), strict=True)]
    series = calibrated(years, GeodeticSum(2002, 2004, -2.4, 0.3))
    assert [one.year for one in series] == [2002, 2003, 2004]
    assert [one.calibrated_m_we for one in series] == pytest.approx([-0.4, -1.2, -0.8])
    assert [one.added_m_we for one in series] == pytest.approx([-0.2] * 3)
    assert [one.sigma_calibrated_m_we for one in series] == [None] * 3  # no budget supports one
    assert calibrated([*years[:2], a_year(2003, None), *years[3:]], GeodeticSum(2002, 2004, -2.4, 0.3)) == ()


def test_its_error_by_hand() -> None:
    """What repeats each year goes with the mean; what does not keeps (1 - 1/N)^2 of itself and 1/N^2 of the others."""
    years = [a_year(2001 + k, -1.0, point=0.1, area=0.05, density=0.03, interpolation=0.2) for k in range(4)]
    series = calibrated(years, GeodeticSum(2001, 2004, -4.4, 0.4))
    random = 0.1**2 + YEARLY_SHARE * 0.2**2
    expected = math.sqrt(random * (0.75**2 + 3 / 16) + (0.4 / 4) ** 2)
    assert [one.sigma_calibrated_m_we for one in series] == pytest.approx([expected] * 4)


def rows():
    exposed = {"2003-09-30": 1.0, "2004-09-28": 2.0, "2005-09-30": 4.0}
    return {"readings": [reading(stake[0], day, m) for stake in STAKES for day, m in exposed.items()]}


def test_a_number_on_the_command_line(tmp_path) -> None:
    """Losses of 0.9 and 1.8 m w.e. against -3.0 in two years: 0.15 less in each."""
    survey(tmp_path / "in", rows())
    dates = "--geodetic-dates", "2003-09-30", "2005-09-30"
    done = run(
        "balance", tmp_path / "in", "--out", tmp_path / "out", "--geodetic", "-3.0+-0.2", *dates, "--json", "--quiet"
    )
    assert done.code == 0, done.err
    told = json.loads(done.out)
    (check,) = told["geodetic_check"]
    assert check["geodetic_balance_m_we"] == -3.0
    assert check["mean_dh_m"] is None
    common = math.hypot(check["sigma_glaciological_m_we"], 0.2)
    assert check["sigma_common_m_we"] == pytest.approx(common)
    assert check["reduced_discrepancy"] == pytest.approx(0.3 / common, rel=1e-3)
    assert check["detectable_bias_m_we_a"] == pytest.approx(3.605 * common / 2)
    assert [one["calibrated_balance_m_we"] for one in told["calibrated"]] == pytest.approx([-1.05, -1.95], abs=1e-3)
    assert [year["annual_balance_m_we"] for year in told["years"]] == pytest.approx([-0.9, -1.8], abs=1e-3)
    with (tmp_path / "out" / "tables" / "calibrated_balances.csv").open(encoding="utf-8") as stream:
        assert [row["calibrated_balance_m_we"] for row in csv.DictReader(stream)] == ["-1.050", "-1.950"]


def test_the_folder_of_a_difference(tmp_path) -> None:
    survey(tmp_path / "in", rows())
    folder = tmp_path / "change"
    (folder / "tables").mkdir(parents=True)
    settings = {"earlier_date": "2003-09-30", "later_date": "2005-09-30"}
    (folder / "summary.json").write_text(json.dumps({"settings": settings}), encoding="utf-8")
    (folder / "tables" / "glaciers.csv").write_text(
        "glacier_id,glacier_name,area_earlier_km2,area_later_km2,area_km2,mean_dh_m,sigma_mean_dh_m\n"
        "0123,Test,1.2,1.0,1.2,-3.0,0.4\nOTHER,Other,1,1,1,-9.0,0.4\n",
        encoding="utf-8",
    )
    done = run("balance", tmp_path / "in", "--out", tmp_path / "out", "--geodetic", folder, "--json", "--quiet")
    assert done.code == 0, done.err
    (check,) = json.loads(done.out)["geodetic_check"]
    assert check["geodetic_balance_m_we"] == pytest.approx(-3.0 * 0.85 * 1.2 / 1.1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--geodetic", "-3.0+-0.2"), "-3.0+-0.2 without days; expected the days of both surveys"),
        (("--geodetic", "no_such"), "found 'no_such'; expected the output folder of a difference, or a balance"),
        (
            ("--geodetic", "-3.0+-0.2", "--geodetic-dates", "2005-09-30", "2003-09-30"),
            "expected the earlier one first",
        ),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path, arguments, message) -> None:
    survey(tmp_path / "in", rows())
    done = run("balance", tmp_path / "in", "--out", tmp_path / "out", "--quiet", *arguments)
    assert done.code == 2
    assert message in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_error_covers_the_truth_of_glaciers_it_was_not_tuned_on(tmp_path) -> None:
    """Family 'plain' is held out; half the networks leave the upper half unmeasured."""
    draw = np.random.default_rng(91)
    settings = MassBalanceSettings(resolution_m=25.0)
    scores, before = [], []
    for seed in range(8):
        glacier = synthetic_glacier("plain", seed)
        truth = {year.year: year.annual_m_we for year in glacier.truth}
        work = write_fieldwork(tmp_path / str(seed), glacier, "none_high" if seed % 2 else "centre_line")
        result = mass_balance(read_field_data(work.folder), settings, dem=work.dem, outline=work.outline)
        geodetic = sum(truth.values()) + draw.normal(0, 0.25)
        series = calibrated(result.years, GeodeticSum(min(truth), max(truth), geodetic, 0.25))
        assert len(series) == len(truth)
        scores += [(one.calibrated_m_we - truth[one.year]) / one.sigma_calibrated_m_we for one in series]
        before += [(one.balance_m_we - truth[one.year], one.calibrated_m_we - truth[one.year]) for one in series]
    # the four years of a glacier share the error of their mean: eight independent draws
    assert np.mean(np.abs(scores) <= 1) >= 0.55
    assert np.mean(np.abs(scores) <= 1.96) >= 0.87
    assert np.sqrt(np.mean(np.square(scores))) > 0.4, "so wide that it says nothing"
    glaciological, own = np.sqrt(np.mean(np.square(before), axis=0))
    assert own < glaciological
