"""The empty workbook: what a spreadsheet program offers and accepts in each column, and that the reader takes it."""

from __future__ import annotations

from datetime import date

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from catalog.start.workbook_template import EXAMPLE_SHEET, LAST_ROW, READ_ME_SHEET, example_row, workbook_template
from pipeline.mass_balance.fieldwork.read import read_field_data
from schemas.errors import ManyBadInputs
from schemas.tables import WORKBOOK_SHEETS


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("template") / "template.xlsx"
    workbook_template(path)
    return path


@pytest.fixture(scope="module")
def book(path):
    return openpyxl.load_workbook(path)


def rules_of(book, table):
    """Column name -> the rule that the spreadsheet program applies below its header."""
    found = {}
    for rule in book[table.name].data_validations.dataValidation:
        for number, name in enumerate(table.column_names, start=1):
            letter = get_column_letter(number)
            if str(rule.sqref) == f"{letter}2:{letter}{LAST_ROW}":
                found[name] = rule
    return found


def accepts(rule, value) -> bool:
    """Whether a rule lets a value be typed, as ECMA-376 (18.3.1.32) has it; other sheets are not looked up."""
    if rule.type == "list":
        return not rule.formula1.startswith('"') or str(value) in rule.formula1.strip('"').split(",")
    if rule.type == "date":
        return isinstance(value, date)
    low, high = float(rule.formula1), float(rule.formula2)
    whole = rule.type != "whole" or value == int(value)
    return whole and low <= value <= high


@pytest.mark.parametrize("table", WORKBOOK_SHEETS, ids=lambda table: table.name)
def test_the_example_is_accepted_and_what_the_reader_refuses_is_not(book, table) -> None:
    rules = rules_of(book, table)
    assert len(rules) == len(book[table.name].data_validations.dataValidation)
    for column, value in zip(table.columns, example_row(table), strict=True):
        rule = rules.get(column.name)
        points = any(key.columns == (column.name,) for key in table.foreign_keys)
        must = points or bool(column.enum) or column.type in ("date", "year") or column.minimum is not None
        assert (rule is not None) == must, column.name
        if rule is None:
            continue
        assert rule.allow_blank
        assert rule.showErrorMessage
        if value is not None:
            assert accepts(rule, value), column.name
        for bound, step in ((column.minimum, -1), (column.maximum, 1)):
            if bound is not None:
                assert accepts(rule, bound)
                assert not accepts(rule, bound + step), column.name
        if column.enum:
            assert all(accepts(rule, word) for word in column.enum)
            assert not accepts(rule, "something else")
        if column.type == "year":
            assert not accepts(rule, 99)
            assert accepts(rule, 1999)


def test_columns_that_point_at_another_sheet_offer_its_names(book) -> None:
    tables = {table.name: table for table in WORKBOOK_SHEETS}
    stakes = rules_of(book, tables["readings"])["stake_id"]
    pits = rules_of(book, tables["pit_layers"])["pit_id"]
    assert (stakes.type, stakes.formula1) == ("list", f"stakes!$A$2:$A${LAST_ROW}")
    assert (pits.type, pits.formula1) == ("list", f"snow_pits!$A$2:$A${LAST_ROW}")
    assert stakes.errorStyle == pits.errorStyle == "warning"


def test_days_are_shown_as_days_however_far_down(book) -> None:
    for table in WORKBOOK_SHEETS:
        for number, column in enumerate(table.columns, start=1):
            shown = book[table.name].column_dimensions[get_column_letter(number)].number_format
            assert (shown == "yyyy-mm-dd") == (column.type == "date"), (table.name, column.name)


def test_there_is_nothing_below_the_headers(book) -> None:
    for table in WORKBOOK_SHEETS:
        assert book[table.name].max_row == 1, table.name


def test_every_sheet_that_is_no_table_is_one_that_the_reader_passes_over(path, book) -> None:
    assert set(book.sheetnames) - {table.name for table in WORKBOOK_SHEETS} == {READ_ME_SHEET, EXAMPLE_SHEET}
    with pytest.raises(ManyBadInputs) as caught:
        read_field_data(path)
    assert [str(error) for error in caught.value.errors] == [
        "template.xlsx: found no observation; expected rows in 'readings', 'snow_pits', 'probings', 'point_balances' or"
        " 'zone_balances'",
        "template.xlsx: sheet glacier: found no glacier row; expected one row that names the glacier",
    ]


def test_another_unit_in_the_header_is_all_it_takes(tmp_path, book) -> None:
    path = tmp_path / "filled.xlsx"
    workbook_template(path)
    filled = openpyxl.load_workbook(path)
    for table in WORKBOOK_SHEETS:
        for number, value in enumerate(example_row(table), start=1):
            filled[table.name].cell(2, number, value)
    column = next(table for table in WORKBOOK_SHEETS if table.name == "readings").column_names.index("exposed_m") + 1
    filled["readings"].cell(1, column, "exposed (cm)")
    filled["readings"].cell(2, column, 135)
    filled.save(path)
    assert read_field_data(path).readings["exposed_m"].tolist() == [1.35]
