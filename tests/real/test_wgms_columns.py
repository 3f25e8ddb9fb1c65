"""The WGMS tables against the published column lists of FoG 2023-09 and of 2026, and against a published glacier.

The Rhonegletscher is the oracle for the numbers: its published glacier-wide and band balances, in mm w.e., must come
out of the export as they went in, to the 10 mm at which the archive publishes.
"""

from __future__ import annotations

import ast
import csv
import re
import subprocess
import sys

import pytest

from catalog.formats.published import csv_bytes, published_table
from catalog.tables.wgms import Submission, wgms_tables
from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from schemas.settings import MassBalanceSettings
from schemas.wgms import WGMS_TABLES
from tests.made.fakes import make_mass_balance_dataset
from tests.real.data import REAL_DATA, needs_real_data
from tests.root import ROOT

FOLDER = REAL_DATA / "mass_balance"
SCHEMAS = {table.name: table for table in WGMS_TABLES}
TABLES_2023 = {
    "fog2023_mass_balance_overview": "MASS_BALANCE_OVERVIEW",
    "fog2023_mass_balance": "MASS_BALANCE",
    "fog2023_mass_balance_point": "MASS_BALANCE_POINT",
}
TABLES_2026 = {
    "fog2026_mass_balance": "mass_balance",
    "fog2026_mass_balance_band": "mass_balance_band",
    "fog2026_mass_balance_point": "mass_balance_point",
}
# FoG requires it, and only the service can give it
GIVEN_BY_THE_SERVICE = "WGMS_ID"
pytestmark = needs_real_data


def read_list(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def fields_of(table: str) -> list[dict[str, str]]:
    return [row for row in read_list("fog_schema_2023-09.csv") if row["table"] == table]


def exported(result, submission: Submission) -> dict[str, list[dict[str, str]]]:
    """The tables as they are written: text cells by column."""
    frames = wgms_tables(result, submission)
    texts = {name: csv_bytes(published_table(SCHEMAS[name], frame)).decode() for name, frame in frames.items()}
    return {name: list(csv.DictReader(text.splitlines())) for name, text in texts.items()}


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, list[dict[str, str]]]:
    """The published bands of the Rhonegletscher, through the whole chain and out again."""
    folder = tmp_path_factory.mktemp("rhone") / "field"
    adapter = ROOT / "docs" / "adapters" / "glamos_bands.py"
    subprocess.run([sys.executable, str(adapter), str(FOLDER / "rhone_glamos_bands_all.csv"), str(folder)], check=True)
    result = mass_balance(read_field_data(folder), MassBalanceSettings())
    return exported(result, Submission(investigators="A. Person", agencies="An Agency", country="CH"))


@pytest.fixture(scope="module")
def with_points() -> dict[str, list[dict[str, str]]]:
    """A made-up glacier that has stakes and a year without a balance."""
    return exported(make_mass_balance_dataset().result, Submission(remark="a note"))


def test_the_lists_are_those_of_the_releases() -> None:
    assert len(read_list("fog_schema_2023-09.csv")) > 150
    assert [len(fields_of(table)) for table in TABLES_2023.values()] == [24, 14, 16]


@pytest.mark.parametrize("name", TABLES_2023)
def test_the_columns_of_2023_are_those_of_the_list_in_order_and_type(name: str) -> None:
    fields = fields_of(TABLES_2023[name])
    assert list(SCHEMAS[name].column_names) == [field["field"] for field in fields]
    assert [column.type for column in SCHEMAS[name].columns] == [field["type"] for field in fields]


@pytest.mark.parametrize("name", TABLES_2026)
def test_the_columns_of_2026_are_those_of_the_list_in_order(name: str) -> None:
    rows = [row for row in read_list("fog_columns_2026.csv") if row["table"] == TABLES_2026[name]]
    rows.sort(key=lambda row: int(row["order"]))
    assert list(SCHEMAS[name].column_names) == [row["column"] for row in rows]


@pytest.mark.parametrize("name", TABLES_2023)
def test_every_cell_of_2023_keeps_the_constraints_of_the_list(name: str, tables, with_points) -> None:
    fields = {field["field"]: field for field in fields_of(TABLES_2023[name])}
    checked = 0
    for row in (*tables[name], *with_points[name]):
        for column, text in row.items():
            assert not broken(fields[column], text), f"{name}.{column}: {text!r} breaks {broken(fields[column], text)}"
            checked += text != ""
    assert checked > 100


def broken(field: dict[str, str], text: str) -> str:
    """The constraint that a cell breaks; empty where it keeps all."""
    if text == "":
        needed = field["required"] == "True" and field["field"] != GIVEN_BY_THE_SERVICE
        return "required" if needed else ""
    if field["type"] in ("number", "integer", "year"):
        number = float(text)
        if field["minimum"] and number < float(field["minimum"]):
            return f"minimum {field['minimum']}"
        if field["maximum"] and number > float(field["maximum"]):
            return f"maximum {field['maximum']}"
    if field["type"] == "integer" and not re.fullmatch(r"-?\d+", text):
        return "integer"
    if field["pattern"] and not re.fullmatch(field["pattern"].strip("`"), text):
        return f"pattern {field['pattern']}"
    # a list of countries is cut short in the file; a code is then held against its form only
    complete = field["enum"].endswith("]")
    if field["enum"] and complete and text not in [str(value) for value in ast.literal_eval(field["enum"])]:
        return f"enum {field['enum']}"
    return ""


def test_the_constraints_are_held_against_wrong_cells_too() -> None:
    """The test above can fail: what it must find is found."""
    fields = {field["field"]: field for field in fields_of("MASS_BALANCE_POINT")}
    assert broken(fields["BALANCE_CODE"], "XX").startswith("enum")
    assert broken(fields["FROM_DATE"], "2002-08-25").startswith("pattern")
    assert broken(fields["POINT_LAT"], "91") == "maximum 90"
    assert broken(fields["REMARKS"], "two  spaces").startswith("pattern")
    assert broken(fields["POINT_ID"], "") == "required"
    assert broken(fields["WGMS_ID"], "") == ""


def test_no_key_of_the_service_is_invented(tables, with_points) -> None:
    for found in (tables, with_points):
        for name in TABLES_2023:
            assert [row for row in found[name] if row["WGMS_ID"]] == []
        for name in TABLES_2026:
            keys = ("glacier_id", "id", "outline_id")
            assert [row for row in found[name] if any(row.get(key) for key in keys)] == []
    assert len(with_points["fog2023_mass_balance_point"]) == len(with_points["fog2026_mass_balance_point"]) == 36


def test_the_published_glacier_comes_out_as_it_went_in(tables) -> None:
    published = {int(row["d1"][:4]): row for row in read_list("rhone_glamos_glacierwide_all.csv")}
    whole = {int(row["YEAR"]): row for row in tables["fog2023_mass_balance"] if row["LOWER_BOUND"] == "9999"}
    of_2026 = {int(row["year"]): row for row in tables["fog2026_mass_balance"]}
    overview = {int(row["YEAR"]): row for row in tables["fog2023_mass_balance_overview"]}
    assert sorted(of_2026) == sorted(published)
    # the release of 2023 takes no later year
    assert sorted(whole) == sorted(overview) == [year for year in sorted(published) if year <= 2023]
    assert max(published) == 2025
    for year, row in published.items():
        assert abs(1000 * float(of_2026[year]["annual_balance"]) - int(row["Ba"])) <= 5 + 2
        if year > 2023:
            continue
        for season, key in (("WINTER", "Bw"), ("SUMMER", "Bs"), ("ANNUAL", "Ba")):
            value = float(whole[year][f"{season}_BALANCE"])
            assert abs(value - int(row[key])) <= 5 + 2, (year, season)  # half of 10 mm, and the bands' own rounding
            assert float(of_2026[year][f"{season.lower()}_balance"]) == pytest.approx(value / 1000, abs=1e-9)
        assert overview[year]["BEGIN_PERIOD"] == row["d0"].replace("-", "")
        assert overview[year]["END_PERIOD"] == row["d1"].replace("-", "")
        assert float(whole[year]["AREA"]) == pytest.approx(float(row["A"]), abs=5.1e-5)
        assert float(of_2026[year]["area"]) == pytest.approx(float(row["A"]) * 1e6, abs=51)
        assert abs(float(overview[year]["AAR"]) - int(row["AAR"])) <= 10
        assert float(overview[year]["ACC_AREA"]) + float(overview[year]["ABL_AREA"]) == pytest.approx(
            float(row["A"]), abs=0.0011
        )


def test_the_published_bands_come_out_as_they_went_in(tables) -> None:
    bands = {(row["YEAR"], row["LOWER_BOUND"]): row for row in tables["fog2023_mass_balance"]}
    of_2026 = {(row["year"], row["lower_elevation"]): row for row in tables["fog2026_mass_balance_band"]}
    published = {(row["d1"][:4], row["zlo"]): row for row in read_list("rhone_glamos_bands_all.csv")}
    assert sorted(of_2026) == sorted(published)
    for (year, lower), row in published.items():
        found = of_2026[year, lower]
        assert abs(1000 * float(found["annual_balance"]) - int(row["ba"])) <= 5 + 1e-6
        assert float(found["area"]) == pytest.approx(float(row["area"]) * 1e6, abs=1)
        assert found["upper_elevation"] == row["zhi"]
        if int(year) <= 2023:
            twin = bands[year, lower]
            assert abs(float(twin["WINTER_BALANCE"]) - int(row["bw"])) <= 5
            assert float(twin["ANNUAL_BALANCE"]) == pytest.approx(1000 * float(found["annual_balance"]), abs=1e-6)
            assert (twin["AREA"], twin["UPPER_BOUND"]) == (f"{float(row['area']):.5f}", row["zhi"])
