"""The tables as files: CSV, Parquet, workbook and Data Package."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from datetime import date

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pytest
from frictionless import Package

from catalog.archive.layout import CollectionFolder
from catalog.archive.opened import Archive, FolderFiles
from catalog.checks.tables import table_copies
from catalog.formats.cell_text import inert_text, text_of_csv
from catalog.metadata.facts import describe
from catalog.tables.every_table import dataset_tables
from catalog.tables.write import (
    csv_bytes,
    published_table,
    published_tables,
    workbook_path,
    write_tables,
)
from schemas.errors import BadInput
from schemas.fields import Column, Table
from schemas.tables import PUBLISHED_TABLES
from tests.made.fakes import HOSTILE, make_elevation_change_dataset, make_mass_balance_dataset

TABLE = Table(
    name="things",
    title="Things",
    meaning="one row a thing",
    columns=(
        Column(name="name", type="string", meaning="name", required=True),
        Column(name="sign", type="string", meaning="sign", enum=("=", "<=")),
        Column(name="height_m", type="number", meaning="height", unit="m", decimals=2),
        Column(name="ratio", type="number", meaning="ratio", unit="1"),
        Column(name="count", type="integer", meaning="count"),
        Column(name="day", type="date", meaning="day"),
        Column(name="good", type="boolean", meaning="verdict"),
        Column(name="year", type="year", meaning="year"),
    ),
    primary_key=("name",),
)


def things(*rows):
    return pd.DataFrame(rows, columns=TABLE.column_names)


def text_of(*rows):
    return csv_bytes(published_table(TABLE, things(*rows))).decode()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("archive")
    datasets = (make_elevation_change_dataset(), make_mass_balance_dataset())
    folders = [CollectionFolder(root, dataset.definition.id) for dataset in datasets]
    for dataset, folder in zip(datasets, folders, strict=True):
        write_tables(dataset, describe(dataset), folder)
    return list(zip(datasets, folders, strict=True))


def test_a_csv_is_written_to_the_letter():
    text = text_of(
        ("b", "=", 1.005, 0.1, 3, date(2001, 2, 3), True, 2001),
        ("a", "<=", -0.001, 1e-7, None, pd.NaT, False, 1999),
        ("c, d", None, float("nan"), None, 4.0, "2001-02-03", None, None),
    )
    assert text == (
        "name,sign,height_m,ratio,count,day,good,year\n"
        "a,<=,0.00,1e-07,,,false,1999\n"
        "b,=,1.00,0.1,3,2001-02-03,true,2001\n"
        '"c, d",,,,4,2001-02-03,,\n'
    )


@pytest.mark.parametrize(
    ("given", "published"),
    [
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@cmd", "'@cmd"),
        ("\tx", "'\tx"),
        ("\x00=1", "'=1"),
        ("\u202e=1", "'=1"),
        ("a=1", "a=1"),
        ("'=1", "''=1"),
        ("'t Hooft", "'t Hooft"),
        ("\uff1d1", "'\uff1d1"),
        ("line\r\nbreak", "line\nbreak"),
    ],
)
def test_text_that_a_spreadsheet_would_run_is_inert(given, published):
    table = published_table(TABLE, things((given, "=", 1, 1, 1, None, None, None)))
    text = inert_text(given)
    assert table.rows[0][:2] == (text, "=")  # formats with types hold the text itself
    cells = next(csv.reader(io.StringIO(csv_bytes(table).decode().partition("\n")[2], newline="")))
    assert cells[:2] == [published, "="]  # a fixed set of values carries no formula
    assert text_of_csv(cells[0]) == text


def test_control_characters_and_direction_marks_are_removed():
    assert inert_text("a\u202eb\u2066c\x07d\x1be\u200ff\ufeff") == "abcdef"
    assert inert_text("冰川 ❄ <b>") == "冰川 ❄ <b>"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("a", "=", "high", 1, 1, None, None, None), "column height_m: found 'high'; expected a number"),
        (("a", "=", float("inf"), 1, 1, None, None, None), "column height_m: found inf; expected a number"),
        (("a", "=", 1, 1, 1.5, None, None, None), "column count: found 1.5; expected an integer"),
        (("a", "=", 1, 1, 1, "soon", None, None), "column day: found 'soon'; expected a date"),
        (("a", "=", 1, 1, 1, None, "maybe", None), "column good: found 'maybe'; expected a boolean"),
    ],
)
def test_a_cell_that_does_not_fit_its_column_is_named(row, message):
    with pytest.raises(BadInput, match=f"table things, {message}"):
        published_table(TABLE, things(row))


def test_missing_and_unknown_columns_are_named():
    frame = things().drop(columns="day").assign(colour="red")
    with pytest.raises(BadInput, match="table things: found no column 'day' and unknown column 'colour'"):
        published_table(TABLE, frame)


def test_an_unknown_table_is_refused():
    dataset = make_mass_balance_dataset()
    dataset.result.tables["weather"] = pd.DataFrame()
    with pytest.raises(BadInput, match="tables: found weather"):
        published_tables(dataset)


def test_every_table_has_its_columns_in_order_and_rows_by_key(written):
    schemas = {table.name: table for table in PUBLISHED_TABLES}
    for dataset, folder in written:
        for name in dataset_tables(dataset):
            content = folder.table_csv(name).read_bytes()
            assert b"\r" not in content
            rows = list(csv.reader(content.decode("utf-8").splitlines()))
            assert tuple(rows[0]) == schemas[name].column_names
            assert len(rows) - 1 == len(dataset_tables(dataset)[name])
    points = pd.read_csv(written[1][1].table_csv("point_balances"), dtype=str)
    assert points.duplicated(["point_id", "kind", "period", "begin_date", "end_date"]).sum() == 0
    assert points["point_id"].is_monotonic_increasing


def test_parquet_and_workbook_hold_what_the_csv_holds(written):
    for dataset, folder in written:
        book = openpyxl.load_workbook(workbook_path(folder))
        assert book.sheetnames == ["README", *dataset_tables(dataset)]
        for name in dataset_tables(dataset):
            stated = pd.read_csv(folder.table_csv(name), dtype=str, keep_default_na=False)
            parquet = pq.read_table(folder.tables / f"{name}.parquet")
            sheet = list(book[name].iter_rows(values_only=True))
            placed = ("geometry",) if b"geo" in parquet.schema.metadata else ()
            assert tuple(parquet.column_names) == (*stated.columns, *placed)
            assert tuple(stated.columns) == sheet[0]
            assert parquet.num_rows == len(stated) == len(sheet) - 2
            for position, column in enumerate(stated.columns):
                values = parquet[column].to_pylist()
                for text, value, row in zip(stated[column], values, sheet[2:], strict=True):
                    assert_same(text, value)
                    assert_same(text, row[position])


def assert_same(text, value):
    if text == "":
        assert value is None
    elif isinstance(value, bool):
        assert text == str(value).lower()
    elif isinstance(value, int | float):
        assert float(text) == pytest.approx(value, abs=1e-12)
    else:
        text = text_of_csv(text)
        assert text == str(value)[: len(text)]
        assert str(value)[len(text) :] in ("", " 00:00:00")


def test_parquet_types_and_units(written):
    schema = pq.read_schema(written[1][1].tables / "point_balances.parquet")
    types = {name: str(schema.field(name).type) for name in ("year", "begin_date", "balance_m_we", "bound")}
    assert types == {"year": "int32", "begin_date": "date32[day]", "balance_m_we": "double", "bound": "string"}
    assert schema.field("balance_m_we").metadata[b"unit"] == b"m w.e."


def test_the_workbook_is_legible_and_runs_nothing(written):
    dataset, folder = written[1]
    book = openpyxl.load_workbook(workbook_path(folder))
    sheet = book["point_balances"]
    assert sheet.freeze_panes == "B3"
    units = dict(zip(*(list(row) for row in sheet.iter_rows(max_row=2, values_only=True)), strict=True))
    assert units["balance_m_we"] == "m w.e."
    assert units["bound"] == "-"
    assert sheet["L1"].comment.text == "point balance; an upper bound where bound is '<=' [m w.e.]"
    formulas = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
    assert formulas == []
    hostile = book["stakes"]["H3"]
    assert hostile.value == HOSTILE.replace("\u202e", "").replace("\x07", "")
    assert (hostile.data_type, hostile.quotePrefix) == ("s", True)
    assert not sheet["A3"].quotePrefix
    readme = [value for row in book["README"].iter_rows(values_only=True) for value in row if value]
    assert readme[0] == "[SYNTHETIC SAMPLE] Mass balance of a test glacier"
    assert "glacier_balances" in readme
    assert book.properties.title == readme[0]
    assert book.properties.modified.date() == dataset.definition.publication_date


def test_the_readme_of_the_workbook_lists_primary_and_foreign_keys(written):
    book = openpyxl.load_workbook(workbook_path(written[1][1]), read_only=True)
    lines = [tuple(value for value in row if value) for row in book["README"].iter_rows(values_only=True)]
    assert ("sheet", "every value of", "is found in") in lines
    assert ("readings", "stake_id", "stakes.stake_id") in lines
    assert ("zone_balances", "year", "glacier_balances.year") in lines
    assert any(line[0] == "readings" and line[-1] == "stake_id, leg, date" for line in lines if line)


def test_a_table_too_long_for_a_sheet_stands_in_the_other_formats(tmp_path, monkeypatch):
    monkeypatch.setattr("catalog.tables.write.LONGEST_SHEET", 10)
    monkeypatch.setattr("catalog.checks.tables.LONGEST_SHEET", 10)
    dataset = make_mass_balance_dataset()
    folder = CollectionFolder(tmp_path, dataset.definition.id)
    write_tables(dataset, describe(dataset), folder)
    (folder.path / "collection.json").write_text('{"type": "Collection"}')
    assert "stakes" not in openpyxl.load_workbook(workbook_path(folder)).sheetnames
    assert table_copies(Archive(FolderFiles(tmp_path))).failures == ()
    monkeypatch.setattr("catalog.checks.tables.LONGEST_SHEET", 1000)
    found = [failure.found for failure in table_copies(Archive(FolderFiles(tmp_path))).failures]
    assert "no sheet 'stakes'" in found


def conforms(folder):
    """What Frictionless finds wrong with a collection's Data Package: sizes, hashes, types, constraints, keys."""
    package = Package("datapackage.json", basepath=str(folder))  # an absolute path would be refused as unsafe
    report = package.validate()
    problems = [error.message for error in report.errors]
    return problems + [f"{task.place}: {error.message}" for task in report.tasks for error in task.errors]


def test_frictionless_accepts_the_package_as_it_stands(written):
    for _, folder in written:
        assert conforms(folder.path) == []


@pytest.mark.slow
def test_the_frictionless_command_accepts_it_too(written):
    for _, folder in written:
        command = [sys.executable, "-m", "frictionless", "validate", "datapackage.json", "--json"]
        done = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        assert json.loads(done.stdout)["valid"] is True


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b",ok,", b",odd,", "enum"),
        (b"\n1,1,", b"\n99,1,", "foreign"),
        (b"1.234", b"x.234", "type"),
        (b"2000-08-28", b"28.08.2000", "type"),
    ],
)
def test_frictionless_finds_what_was_changed_afterwards(written, tmp_path, old, new, message):
    dataset, good = written[1]
    folder = CollectionFolder(tmp_path, dataset.definition.id)
    shutil.copytree(good.path, folder.path)
    path = folder.table_csv("readings")
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    found = conforms(folder.path)
    assert any("hash" in text or "byte" in text for text in found), found
    # with size and hash made good the cell itself is found
    package = json.loads((folder.path / "datapackage.json").read_text())
    resource = next(entry for entry in package["resources"] if entry["name"] == "readings")
    resource["bytes"] = path.stat().st_size
    resource["hash"] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    (folder.path / "datapackage.json").write_text(json.dumps(package))
    found = conforms(folder.path)
    assert found
    assert all("readings" in text or "stakes" in text for text in found)
    assert any(message in text for text in found), found


def test_the_package_says_where_the_tables_come_from(written):
    dataset, folder = written[0]
    package = json.loads((folder.path / "datapackage.json").read_text(encoding="utf-8"))
    assert package["name"] == dataset.definition.id
    assert package["title"].startswith("[SYNTHETIC SAMPLE]")
    assert package["licenses"][0]["name"] == "other"
    assert [source["title"] for source in package["sources"]] == ["SRTM V3", "FABDEM V1-2", "Glacier outlines"]
    assert [resource["name"] for resource in package["resources"]] == list(dataset_tables(dataset))
    glaciers = package["resources"][0]
    path = folder.path / glaciers["path"]
    assert glaciers["path"] == "tables/glaciers.csv"
    assert glaciers["bytes"] == path.stat().st_size
    assert glaciers["hash"] == f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    assert glaciers["schema"]["primaryKey"] == ["glacier_id"]
    units = {field["name"]: field.get("unit") for field in glaciers["schema"]["fields"]}
    assert units["mean_dh_m"] == "m"


def test_the_same_dataset_gives_the_same_bytes(written, tmp_path):
    for dataset, folder in written:
        again = CollectionFolder(tmp_path, folder.collection_id)
        write_tables(dataset, describe(dataset), again)
        for path in sorted(folder.path.rglob("*")):
            if path.is_file():
                assert (again.path / path.relative_to(folder.path)).read_bytes() == path.read_bytes(), path.name
        with zipfile.ZipFile(workbook_path(again)) as book:
            assert {entry.date_time for entry in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_unsorted_rows_give_the_same_file(written):
    dataset, folder = written[0]
    table = next(table for table in PUBLISHED_TABLES if table.name == "elevation_bands")
    shuffled = dataset_tables(dataset)["elevation_bands"].sample(frac=1, random_state=4)
    assert csv_bytes(published_table(table, shuffled)) == folder.table_csv("elevation_bands").read_bytes()
