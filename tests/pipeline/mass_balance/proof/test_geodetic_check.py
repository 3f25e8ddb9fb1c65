"""The geodetic check by hand, and on the synthetic Glacier No. 51 with its two surveys."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import Affine

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.points.years import Calendar
from pipeline.mass_balance.proof.geodetic_check import (
    GeodeticSurvey,
    check_table,
    geodetic_check,
    survey_of,
    survey_settings,
    with_geodetic_check,
)
from pipeline.mass_balance.proof.geodetic_survey import survey_day, with_surveys
from pipeline.mass_balance.result import BalanceYear, GlacierIdentity, MassBalance
from pipeline.sample.kuitun import (
    DEM_NAME,
    EARLIER_DEM_NAME,
    LATER_DEM_NAME,
    OUTLINE_NAME,
    WORKBOOK_NAME,
    write_kuitun_inputs,
)
from pipeline.sample.kuitun_balance import DEFAULT_SEED
from pipeline.sample.kuitun_surveys import surveys, true_change_m
from pipeline.sample.kuitun_terrain import CRS, kuitun_terrain
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from schemas.tables import GEODETIC_CHECK, MASS_BALANCE_TABLES
from tests.made.kuitun_truth import kuitun_truth

CALENDAR = Calendar.of("09-01", 45)


def a_year(year: int, annual: float | None, summer: float | None = None, **budget: float) -> BalanceYear:
    return BalanceYear(
        year=year,
        begin=date(year - 1, 8, 28),
        midseason=None,
        end=date(year, 8, 28),
        time_system="FLO",
        annual_m_we=annual,
        winter_m_we=None,
        summer_m_we=summer,
        sigma_annual_m_we=budget.get("total"),
        sigma_winter_m_we=None,
        sigma_summer_m_we=None,
        ela_m=None,
        ela_position=None,
        aar=None,
        area_km2=1.0,
        by_method={},
        provenance="observed",
        flags=(),
        field=None,
        budget=budget,
    )


def a_survey(mean_dh_m: float, **changes) -> GeodeticSurvey:
    found = GeodeticSurvey(
        begin=date(2000, 8, 28),
        end=date(2003, 8, 28),
        mean_dh_m=mean_dh_m,
        sigma_mean_dh_m=0.3,
        density_kg_m3=850.0,
        sigma_density_kg_m3=60.0,
    )
    return replace(found, **changes)


YEARS = [a_year(year, -0.5, -0.8, point=0.1, density=0.02) for year in range(2000, 2005)]


def test_the_reduced_discrepancy_by_hand() -> None:
    check = geodetic_check(YEARS, CALENDAR, a_survey(-2.0))
    assert (check.first_year, check.last_year) == (2001, 2003)
    assert check.glaciological_m_we == pytest.approx(-1.5)
    assert check.sigma_glaciological_m_we == pytest.approx(math.hypot(0.1 * math.sqrt(3), 0.06))
    assert check.survey.balance_m_we == pytest.approx(-1.7)
    assert check.survey.sigma_m_we == pytest.approx(math.hypot(0.3 * 0.85, 2.0 * 0.06))
    assert check.sigma_dates_m_we == 0
    sigma = math.hypot(0.1 * math.sqrt(3), 0.06, 0.3 * 0.85, 0.12)
    assert check.reduced_discrepancy == pytest.approx(0.2 / sigma)
    assert check.agrees


@pytest.mark.parametrize(("mean_dh_m", "agrees"), [(-3.0, False), (-2.4, True), (-0.5, False), (-1.1, True)])
def test_a_discrepancy_beyond_its_errors_is_no_agreement(mean_dh_m, agrees) -> None:
    check = geodetic_check(YEARS, CALENDAR, a_survey(mean_dh_m))
    assert check.agrees is agrees
    assert (abs(check.reduced_discrepancy) <= 1.96) is agrees


def test_days_between_survey_and_year_enter_the_error() -> None:
    """Ten days after the year's end, at 0.8 m w.e. over a summer of 120 days."""
    check = geodetic_check(YEARS, CALENDAR, a_survey(-2.0, end=date(2003, 9, 7)))
    assert check.sigma_dates_m_we == pytest.approx(10 * 0.8 / 120)
    assert check.flags == ()
    late = geodetic_check(YEARS, CALENDAR, a_survey(-2.0, begin=date(2000, 11, 10)))
    assert late.flags == ("survey_far_from_the_years:74 days",)


def test_a_year_without_balance_leaves_no_verdict() -> None:
    years = [replace(year, annual_m_we=None) if year.year == 2002 else year for year in YEARS]
    check = geodetic_check(years, CALENDAR, a_survey(-2.0))
    assert (check.glaciological_m_we, check.reduced_discrepancy, check.agrees) == (None, None, None)
    assert check.flags == ("years_without_balance:2002",)
    assert geodetic_check(YEARS[:2], CALENDAR, a_survey(-2.0)).flags[0] == "years_without_balance:2002,2003"


def test_years_without_an_error_leave_no_verdict() -> None:
    years = [replace(year, budget={}) for year in YEARS]
    check = geodetic_check(years, CALENDAR, a_survey(-2.0))
    assert (check.glaciological_m_we, check.agrees) == (pytest.approx(-1.5), None)


def test_surveys_in_the_wrong_order_or_too_close_are_refused() -> None:
    with pytest.raises(
        BadInput, match=r"geodetic check: found surveys of 2003-08-28 and 2000-08-28; expected the earl"
    ):
        geodetic_check(YEARS, CALENDAR, a_survey(-2.0, begin=date(2003, 8, 28), end=date(2000, 8, 28)))
    with pytest.raises(BadInput, match=r"expected surveys at least one mass-balance year apart"):
        geodetic_check(YEARS, CALENDAR, a_survey(-2.0, end=date(2000, 9, 20)))


def a_change(*rows, dates=("2000-08-28", "2003-08-28")):
    names = ["glacier_id", "area_earlier_km2", "area_later_km2", "area_km2", "mean_dh_m", "sigma_mean_dh_m"]
    settings = survey_settings(CRS, date(2000, 8, 28), date(2003, 8, 28))
    if dates is None:
        settings = settings.model_copy(update={"earlier_date": None, "later_date": None})
    return SimpleNamespace(settings=settings, tables={"glaciers": pd.DataFrame(rows, columns=names)})


def test_the_survey_is_the_glaciers_own_and_refers_to_its_mean_area() -> None:
    change = a_change(("A", 1.0, 0.8, 1.0, -2.0, 0.3), ("B", 2.0, np.nan, 2.0, -9.0, 0.3))
    survey = survey_of(change, "A")
    assert (survey.begin, survey.end) == (date(2000, 8, 28), date(2003, 8, 28))
    assert survey.balance_m_we == pytest.approx(-2.0 * 0.85 / 0.9)
    assert survey_of(change, "B").area_ratio == 1.0
    with pytest.raises(BadInput, match=r"geodetic check: found 0 of 2 glaciers named 'C'"):
        survey_of(change, "C")
    with pytest.raises(BadInput, match=r"geodetic check: found an elevation change without dates"):
        survey_of(a_change(("A", 1.0, 0.8, 1.0, -2.0, 0.3), dates=None), "A")


def test_the_survey_of_a_glacier_with_another_identifier_is_found_by_its_name() -> None:
    change = a_change(("A", 1.0, 0.8, 1.0, -2.0, 0.3), ("B", 2.0, np.nan, 2.0, -9.0, 0.3))
    change.tables["glaciers"]["glacier_name"] = ["First Glacier", "Second Glacier"]
    assert survey_of(change, "C", "second glacier").mean_dh_m == -9.0
    assert survey_of(change, "A", "second glacier").mean_dh_m == -2.0
    change.tables["glaciers"]["glacier_name"] = "Twin"
    with pytest.raises(BadInput, match=r"found 2 of 2 glaciers named 'C'"):
        survey_of(change, "C", "Twin")


def test_a_disagreement_is_flagged_and_neither_series_changes() -> None:
    settings = MassBalanceSettings(year_start="09-01")
    empty = {table.name: pd.DataFrame(columns=list(table.column_names)) for table in MASS_BALANCE_TABLES}
    result = MassBalance(
        glacier=GlacierIdentity(glacier_id="A", name="A", longitude=87.0, latitude=43.0, crs=CRS),
        outline=None,
        years=tuple(YEARS),
        tables=empty,
        settings=settings,
    )
    checked = with_geodetic_check(result, a_change(("A", 1.0, 1.0, 1.0, -5.0, 0.3)))
    assert checked.years == result.years
    (row,) = checked.tables["geodetic_check"].to_dict("records")
    assert tuple(checked.tables["geodetic_check"].columns) == GEODETIC_CHECK.column_names
    assert row["agrees"] is False
    assert row["difference_m_we"] == pytest.approx(-1.5 + 5 * 0.85)
    (flag,) = checked.tables["quality_flags"].to_dict("records")
    assert (flag["subject"], flag["flag"]) == ("2001-2003", "unlike_geodetic_balance")
    agreeing = with_geodetic_check(result, a_change(("A", 1.0, 1.0, 1.0, -1.8, 0.3)))
    assert agreeing.tables["quality_flags"].empty
    assert check_table([]).empty


# --- the synthetic Glacier No. 51 --------------------------------------------------------------------------------


def test_the_surveys_hold_the_true_change_and_are_days_of_the_fieldwork() -> None:
    terrain = kuitun_terrain()
    change = true_change_m(DEFAULT_SEED)
    truth = {year.year: year for year in kuitun_truth().years}
    total = sum(truth[year].annual_m_we for year in range(2001, 2012))
    assert change[terrain.mask].mean() * 0.862 == pytest.approx(total, abs=1e-6)
    assert (change[~terrain.mask] == 0).all()
    # thinnest ice loses most: the snout more than twice the mean, the head less than half of it
    low, high = (terrain.surface_m[terrain.mask] < 3550), (terrain.surface_m[terrain.mask] > 3950)
    mean = change[terrain.mask].mean()
    assert change[terrain.mask][low].mean() < 2 * mean
    assert change[terrain.mask][high].mean() > 0.6 * mean
    earlier, later = surveys(DEFAULT_SEED)
    assert (earlier.day, later.day) == (truth[2000].end, truth[2011].end)
    assert abs((later.surface_m - terrain.surface_m).mean()) < 0.1
    again = surveys(DEFAULT_SEED)
    assert np.array_equal(again[0].surface_m, earlier.surface_m)


def test_a_survey_without_a_day_is_refused(tmp_path) -> None:
    profile = {"driver": "GTiff", "height": 2, "width": 3, "count": 1, "dtype": "float32"}
    for name, tag in (("none.tif", {}), ("odd.tif", {"TIFFTAG_DATETIME": "August 2000"})):
        with rasterio.open(tmp_path / name, "w", **profile, transform=Affine(10, 0, 5e5, 0, -20, 4.8e6)) as target:
            target.update_tags(**tag)
    with pytest.raises(BadInput, match=r"none.tif: found no day of survey; expected a DEM whose day is stated"):
        survey_day(tmp_path / "none.tif")
    with pytest.raises(BadInput, match=r"odd.tif: found the day of survey 'August 2000'"):
        survey_day(tmp_path / "odd.tif")
    (tmp_path / "text.tif").write_text("no raster")
    with pytest.raises(BadInput, match=r"text.tif: found an unreadable raster"):
        survey_day(tmp_path / "text.tif")
    with pytest.raises(BadInput, match=r"found a directory; expected a DEM"):
        survey_day(tmp_path)


@pytest.mark.slow
def test_the_samples_series_agree_within_their_errors(tmp_path) -> None:
    write_kuitun_inputs(tmp_path)
    with rasterio.open(tmp_path / EARLIER_DEM_NAME) as source:
        assert source.tags()["SYNTHETIC"] == "YES"
        assert source.tags()["TIFFTAG_DATETIME"].startswith("2000:08:")
    data = read_field_data(tmp_path / WORKBOOK_NAME)
    ground = {"dem": tmp_path / DEM_NAME, "outline": tmp_path / OUTLINE_NAME}
    result = mass_balance(data, MassBalanceSettings(year_start="09-01"), **ground)
    dems = tmp_path / EARLIER_DEM_NAME, tmp_path / LATER_DEM_NAME
    (row,) = with_surveys(result, dems, tmp_path / OUTLINE_NAME).tables["geodetic_check"].to_dict("records")
    earlier, later = surveys(DEFAULT_SEED)
    assert (row["begin_date"], row["end_date"]) == (earlier.day, later.day)
    terrain = kuitun_terrain()
    truth = true_change_m(DEFAULT_SEED)[terrain.mask].mean()
    assert (row["first_year"], row["last_year"]) == (2001, 2011)
    assert abs(row["mean_dh_m"] - truth) < 3 * row["sigma_mean_dh_m"]
    # the balance between the surveys, weighed exactly, lies within either series' own error
    weighed = truth * 0.862
    assert abs(row["geodetic_balance_m_we"] - weighed) < 2 * row["sigma_geodetic_m_we"]
    assert abs(row["glaciological_balance_m_we"] - weighed) < 2 * row["sigma_glaciological_m_we"]
    assert row["agrees"] is True
