"""Mass balances in the form of the World Glacier Monitoring Service: units, codes, and what is left empty."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from catalog.formats.published import published_table
from catalog.tables.point_use import used_points
from catalog.tables.wgms import SYNTHETIC_REMARK, Submission, capital_name, country_of, submission_of, wgms_tables
from schemas.wgms import WGMS_TABLES
from tests.made.fakes import make_mass_balance_dataset

SCHEMAS = {table.name: table for table in WGMS_TABLES}


@pytest.fixture(scope="module")
def dataset():
    return make_mass_balance_dataset()


@pytest.fixture(scope="module")
def tables(dataset):
    return exported(dataset.result, Submission(remark="noted"))


def exported(result, submission):
    """The records of every table as they are published."""
    frames = wgms_tables(result, submission)
    found = {}
    for name, frame in frames.items():
        published = published_table(SCHEMAS[name], frame)
        found[name] = [dict(zip(SCHEMAS[name].column_names, row, strict=True)) for row in published.rows]
    return found


def with_tables(result, **changed):
    return replace(result, tables={**result.tables, **changed})


@pytest.mark.parametrize(
    ("glacier_id", "country"),
    [("CN5Y741C0051", "CN"), ("RGI60-13.12345", None), ("B43-03", None), ("", None), ("cn5y741c0051", None)],
)
def test_the_country_is_read_off_an_inventory_number_and_off_nothing_else(glacier_id, country):
    assert country_of(glacier_id) == country


def test_a_stated_country_goes_before_the_number(dataset):
    rows = exported(dataset.result, Submission(country="KG"))
    assert {row["POLITICAL_UNIT"] for row in rows["fog2023_mass_balance"]} == {"KG"}
    assert {row["country"] for row in rows["fog2026_mass_balance_point"]} == {"KG"}


@pytest.mark.parametrize(
    ("name", "capital"),
    [
        ("Haxilegen Glacier No. 51, Kuitun River", "HAXILEGEN GLACIER NO. 51, KUITUN RIVER"),
        ("Glacier d'Argentière", "GLACIER D'ARGENTIERE"),
        ("哈希勒根51号冰川", "51"),
        ("冰川", "CN5Y741C0051"),
        ("  Ürümqi   Glacier <1>  ", "URUMQI GLACIER 1"),
    ],
)
def test_a_name_has_the_letters_that_the_service_allows(name, capital):
    assert capital_name(name, "CN5Y741C0051") == capital


def test_balances_are_the_published_ones_in_millimetres(dataset, tables):
    balances = dataset.result.tables["glacier_balances"].set_index("year")["annual_balance_m_we"]
    whole = {row["YEAR"]: row for row in tables["fog2023_mass_balance"] if row["LOWER_BOUND"] == 9999}
    assert sorted(whole) == [2001, 2003]
    for year, row in whole.items():
        assert row["ANNUAL_BALANCE"] == round(round(float(balances[year]), 2) * 1000)
        assert row["ANNUAL_BALANCE"] % 10 == 0
        assert row["ANNUAL_BALANCE_UNC"] == 140
        assert row["UPPER_BOUND"] == 9999
    assert (whole[2001]["WINTER_BALANCE"], whole[2001]["WINTER_BALANCE_UNC"]) == (210, 80)
    assert whole[2003]["WINTER_BALANCE"] is None


def test_a_year_without_a_balance_stands_in_the_overview_only(tables):
    assert [row["YEAR"] for row in tables["fog2023_mass_balance_overview"]] == [2001, 2002, 2003]
    assert 2002 not in {row["YEAR"] for row in tables["fog2023_mass_balance"]}
    empty = tables["fog2023_mass_balance_overview"][1]
    assert (empty["BEGIN_PERIOD"], empty["ELA"], empty["AAR"], empty["MIN_SITES_ACC"]) == (None, None, None, None)
    assert "provenance: reconstructed" in empty["REMARKS"]
    assert "flags: too_few_points:2" in empty["REMARKS"]


def test_dates_are_compact_in_2023_and_iso_in_2026(tables):
    first = tables["fog2023_mass_balance_overview"][0]
    assert (first["BEGIN_PERIOD"], first["END_WINTER"], first["END_PERIOD"]) == ("20000828", "20010530", "20010830")
    twin = tables["fog2026_mass_balance"][0]
    assert (twin["begin_date"], twin["midseason_date"]) == (date(2000, 8, 28), date(2001, 5, 30))


def test_areas_and_ratios_take_the_unit_of_each_form(dataset, tables):
    year = dataset.result.years[0]
    old, new = tables["fog2023_mass_balance_overview"][0], tables["fog2026_mass_balance"][0]
    assert old["AAR"] == pytest.approx(100 * year.aar, abs=0.05)
    assert new["aar"] == pytest.approx(year.aar, abs=0.0005)
    assert old["ELA_UNC"] == new["ela_unc"] == pytest.approx(year.sigma_ela_m, abs=0.5)
    assert new["area"] == pytest.approx(year.area_km2 * 1e6, abs=0.5)
    assert old["ACC_AREA"] + old["ABL_AREA"] == pytest.approx(year.area_km2, abs=0.0011)
    assert old["ACC_AREA"] == pytest.approx(year.aar * year.area_km2, abs=0.0006)


@pytest.mark.parametrize(
    ("position", "prefix", "sites"), [("=", None, None), ("<", "<", (17, 0)), (">", ">", (0, 17)), (None, None, ())]
)
def test_the_equilibrium_line_parts_the_sites(dataset, position, prefix, sites):
    result = dataset.result
    year = replace(result.years[0], ela_position=position, winter_m_we=None)
    row = exported(replace(result, years=(year,)), Submission())["fog2023_mass_balance_overview"][0]
    assert row["ELA_PREFIX"] == prefix
    points = result.tables["point_balances"].query("year == 2001 and bound == '='")
    if sites is None:
        above = int((points["elevation_m"] >= year.ela_m).sum())
        sites = above, len(points) - above
        assert min(sites) > 0
    expected = sites or (None, None)
    assert (row["MIN_SITES_ACC"], row["MIN_SITES_ABL"]) == expected
    assert (row["MAX_SITES_ACC"], row["MAX_SITES_ABL"]) == expected


def test_bands_say_how_they_were_found(dataset, tables):
    zones = dataset.result.tables["zone_balances"]
    bands = [row for row in tables["fog2023_mass_balance"] if row["LOWER_BOUND"] != 9999]
    assert len(bands) == len(zones) == len(tables["fog2026_mass_balance_band"])
    assert {row["REMARKS"] for row in bands} == {
        "noted; band observed", "noted; band interpolated", "noted; band extrapolated",
    }  # fmt: skip
    assert {row["area"] for row in tables["fog2026_mass_balance_band"]} == {148000.0}


def test_a_bound_is_an_index_point_and_says_so(tables):
    codes = {(row["POINT_ID"], row["YEAR"]): row for row in tables["fog2023_mass_balance_point"]}
    assert codes["1", 2001]["BALANCE_CODE"] == "BA"
    assert codes["2", 2001]["BALANCE_CODE"] == "IN"
    assert "upper bound: the stake had melted out" in codes["2", 2001]["REMARKS"]
    twin = next(row for row in tables["fog2026_mass_balance_point"] if row["original_id"] == "2")
    assert (twin["balance_code"], twin["method"], twin["time_system"]) == ("index", "stake", "FLO")


def point(point_id, kind="stake", period="annual", begin=date(2000, 8, 28), end=date(2001, 8, 30), **more):
    base = {"year": 2001, "elevation_m": 3800.0, "balance_m_we": 0.104, "sigma_balance_m_we": 0.05, "bound": "="}
    return {"point_id": point_id, "kind": kind, "period": period, "begin_date": begin, "end_date": end, **base, **more}


def test_codes_follow_the_use_of_each_point(dataset):
    spring = date(2001, 5, 30)
    rows = [
        point("A"),
        point("A", period="winter", end=spring),
        point("A", period="summer", begin=spring),
        point("A", period="instantaneous", end=spring),  # the winter again: not told twice
        point("A", period="instantaneous", begin=date(2001, 7, 1), end=date(2001, 8, 1)),
        point("P1", "pit"),  # beside stake A, which has a balance of its own
        point("P2", "pit"),
        point("A", "probing", "winter", end=spring),
    ]
    result = dataset.result
    frame = pd.DataFrame(rows, columns=result.tables["point_balances"].columns)
    pits = pd.DataFrame([{"pit_id": "P1", "stake_id": "A"}, {"pit_id": "P2", "stake_id": None}])
    pits = pits.reindex(columns=result.tables["snow_pits"].columns)
    found = exported(with_tables(result, point_balances=frame, snow_pits=pits), Submission())
    codes = sorted(
        (row["POINT_ID"], row["BALANCE_CODE"], row["TO_DATE"]) for row in found["fog2023_mass_balance_point"]
    )
    assert codes == [
        ("A", "BA", "20010830"),
        ("A", "BW", "20010530"),
        ("A", "IN", "20010801"),
        ("A", "IN", "20010830"),
        ("A (probing)", "BW", "20010530"),
        ("P1", "IN", "20010830"),
        ("P2", "BA", "20010830"),
    ]
    assert {row["POINT_BALANCE"] for row in found["fog2023_mass_balance_point"]} == {100.0}
    assert {row["balance"] for row in found["fog2026_mass_balance_point"]} == {0.1}
    summer = next(row for row in found["fog2026_mass_balance_point"] if "summer" in (row["remarks"] or ""))
    assert summer["balance_code"] == "index"


def test_years_that_the_release_of_2023_does_not_take_are_in_the_form_of_2026_alone(dataset):
    result = dataset.result
    late = replace(result.years[0], year=2024, end=date(2024, 8, 30), begin=date(2023, 8, 30))
    over = replace(result.years[2], year=2023, end=date(2024, 1, 7))
    found = exported(with_tables(replace(result, years=(late, over))), Submission())
    assert found["fog2023_mass_balance_overview"] == []
    assert [row["year"] for row in found["fog2026_mass_balance"]] == [2023, 2024]


def test_what_the_table_says_of_use_holds():
    points = [{**point("A"), "used": False}, {**point("B"), "used": True, "bound": "<="}, {**point("C"), "used": None}]
    assert used_points(points, {}, {(2001, "annual")}) == [False, True, True]
    assert used_points([point("A")], {}, set()) == [False]


def test_a_definition_says_who_and_a_synthetic_one_that_it_is(dataset):
    submission = submission_of(dataset.definition, True)
    assert submission.remark == SYNTHETIC_REMARK
    assert submission.agencies == "National Cryosphere Desert Data Center (https://www.ncdc.ac.cn)"
    assert submission.references == ""
    rows = exported(dataset.result, submission)
    for name, records in rows.items():
        column = "REMARKS" if name.startswith("fog2023") else "remarks"
        assert records
        assert all(record[column].startswith(SYNTHETIC_REMARK) for record in records)
    assert submission_of(dataset.definition, False).remark == ""


def test_nothing_measured_leaves_empty_tables_with_all_columns(dataset):
    result = dataset.result
    empty = {name: frame.iloc[:0] for name, frame in result.tables.items()}
    frames = wgms_tables(replace(result, years=(), tables=empty), Submission())
    assert [(name, len(frame)) for name, frame in frames.items()] == [(name, 0) for name in SCHEMAS]
    assert all(tuple(frame.columns) == SCHEMAS[name].column_names for name, frame in frames.items())


def test_a_missing_number_stays_missing(dataset):
    points = dataset.result.tables["point_balances"].copy()
    points["sigma_balance_m_we"] = np.nan
    found = exported(with_tables(dataset.result, point_balances=points), Submission())
    assert {row["POINT_BALANCE_UNCERTAINTY"] for row in found["fog2023_mass_balance_point"]} == {None}


def test_a_reconstructed_balance_is_not_exported_as_observed(dataset):
    year = dataset.result.years[0]
    assert year.annual_m_we is not None
    modelled = replace(year, provenance="reconstructed")
    result = replace(dataset.result, years=(modelled, *dataset.result.years[1:]))
    found, before = exported(result, Submission()), exported(dataset.result, Submission())

    def of_year(tables, name, column):
        return [row for row in tables[name] if row[column] == year.year]

    overview = of_year(found, "fog2023_mass_balance_overview", "YEAR")[0]
    assert (overview["ELA"], overview["AAR"], overview["ACC_AREA"]) == (None, None, None)
    assert "provenance: reconstructed; its balance is not exported" in overview["REMARKS"]
    assert of_year(before, "fog2026_mass_balance", "year")[0]["annual_balance"] is not None
    row = of_year(found, "fog2026_mass_balance", "year")[0]
    assert (row["annual_balance"], row["annual_balance_unc"], row["summer_balance"]) == (None, None, None)
    assert row["winter_balance"] == of_year(before, "fog2026_mass_balance", "year")[0]["winter_balance"]
    assert of_year(before, "fog2023_mass_balance", "YEAR")[0]["ANNUAL_BALANCE"] is not None
    for name, column, value in (
        ("fog2023_mass_balance", "YEAR", "ANNUAL_BALANCE"), ("fog2026_mass_balance_band", "year", "annual_balance")
    ):  # fmt: skip
        assert not [row for row in of_year(found, name, column) if row[value] is not None]
