"""The tables that a balance run hands over: CSV files, WGMS tables and a workbook."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import openpyxl
import pytest

from catalog.formats.published import published_tables
from catalog.runs import balance_tables
from catalog.runs.balance_tables import RESULTS_XLSX, balance_workbook, write_balance_tables
from schemas.tables import PUBLISHED_TABLES
from schemas.wgms import WGMS_TABLES
from tests.made.fakes import make_mass_balance_dataset


@pytest.fixture(scope="module")
def result():
    whole = make_mass_balance_dataset().result
    few = {**whole.tables, "stakes": whole.tables["stakes"].iloc[:3]}
    return replace(whole, tables=few)


def workbook_of(result, source=""):
    return balance_workbook([result], published_tables(PUBLISHED_TABLES, result.tables), source)


def test_everything_is_there_and_the_same_every_time(result, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_balance_tables(result, tmp_path / name, "field.xlsx")
    names = sorted(path.relative_to(tmp_path / "a").as_posix() for path in (tmp_path / "a").rglob("*.*"))
    written = [*result.tables, *(table.name for table in WGMS_TABLES)]
    assert names == sorted([RESULTS_XLSX, *(f"tables/{name}.csv" for name in written)])
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    with (tmp_path / "a" / "tables" / "fog2023_mass_balance_overview.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["YEAR"] for row in rows] == ["2001", "2002", "2003"]


def test_the_workbook_names_glacier_period_and_source(result):
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(result, "field.xlsx")))
    assert book.sheetnames == ["README", *result.tables]
    told = {row[0]: row[1] for row in book["README"].iter_rows(values_only=True) if row[0]}
    assert told["Glacier"] == "Test Glacier No. 51, CN5Y741C0051"
    assert told["Period"] == "2000-08-28 to 2003-08-30"
    assert told["Computed from"] == "field.xlsx"
    assert told["band_height_m"] == "50"
    assert book.properties.modified.date().isoformat() == "2003-08-30"  # the last day of the data, no clock


def test_a_network_of_many_readings_keeps_its_workbook_small(result, monkeypatch):
    monkeypatch.setattr(balance_tables, "LONGEST_SHEET", 10)
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(result)))
    assert "glacier_balances" in book.sheetnames
    assert "readings" not in book.sheetnames
