"""The workbook of results: what the README says, how a sheet is laid out, and that a streamed file reads whole."""

from __future__ import annotations

import io
import zipfile
from datetime import date

import openpyxl
import pandas as pd
import pytest

from catalog.formats.published import published_table
from catalog.formats.workbook import SYNTHETIC_BANNER, About, results_workbook, sheet_name
from schemas.fields import Column, Table

HEIGHTS = Table(
    name="heights",
    title="Heights",
    meaning="one row a place",
    columns=(
        Column(name="place", type="string", meaning="name of the place", required=True),
        Column(name="height_m", type="number", meaning="height above the sea", unit="m", decimals=2),
        Column(name="count", type="integer", meaning="how often it was measured"),
        Column(name="day", type="date", meaning="day of the first measurement"),
        Column(name="sign", type="string", meaning="equal or at most", enum=("=", "<=")),
        Column(name="remarks", type="string", meaning="what else"),
    ),
    primary_key=("place",),
)
LONG = Table(
    name="a_name_that_is_too_long_for_a_sheet_by_far",
    title="Long",
    meaning="nothing",
    columns=HEIGHTS.columns,
    primary_key=("place",),
)
ROWS = [
    ("=A", 1.005, 3, date(2001, 2, 3), "=", None),
    ("b", None, None, None, "<=", None),
    ("c", 1234.5, 1, date(2002, 2, 3), None, None),
]
ABOUT = About(
    title="Heights of =places",
    subtitle="高度",
    creator="A publisher",
    day=date(2024, 5, 17),
    statements=(("Citation", "A. Person, Heights"), ("Licence", "")),
    inputs=(("field.xlsx", "ab" * 32, 1234, "workbook"),),
    settings={"band_height_m": 50.0, "crs": None},
)


def frame(rows=tuple(ROWS)):
    return pd.DataFrame(rows, columns=HEIGHTS.column_names)


def made(about=ABOUT, longest=None, **tables):
    chosen = tables or {"heights": published_table(HEIGHTS, frame())}
    return results_workbook(about, tuple(chosen.values()), longest)


@pytest.fixture(scope="module")
def book():
    return openpyxl.load_workbook(io.BytesIO(made()))


def readme_of(content):
    sheet = openpyxl.load_workbook(io.BytesIO(content))["README"]
    return [tuple(value for value in row if value is not None) for row in sheet.iter_rows(values_only=True)]


def test_the_readme_says_what_it_is_of_what_and_how_to_read_it(book):
    lines = readme_of(made())
    assert lines[:2] == [("Heights of =places",), ("高度",)]
    assert ("Citation", "A. Person, Heights") in lines
    assert ("heights", "Heights: one row a place", 3, "place") in lines
    assert ("field.xlsx", "ab" * 32, 1234, "workbook") in lines
    assert ("band_height_m", "50") in lines
    assert ("crs", "none") in lines
    assert ("height_m", "height above the sea", "m", "number", "heights") in lines
    assert ("sign", "equal or at most (one of: =, <=)", "string", "heights") in lines
    labels = [line[0] for line in lines if line]
    assert "Licence" not in labels  # nothing is known of it
    assert "How to read" in labels
    assert SYNTHETIC_BANNER not in labels


def test_a_synthetic_sample_says_so_in_colour():
    content = made(About(title="T", creator="C", day=date(2024, 1, 1), synthetic=True))
    sheet = openpyxl.load_workbook(io.BytesIO(content))["README"]
    banner = next(row for row in sheet.iter_rows() if row[0].value == SYNTHETIC_BANNER)
    assert {cell.fill.fgColor.rgb for cell in banner} == {"009A5B12"}


def test_a_sheet_is_named_and_linked(book):
    assert book.sheetnames == ["README", "heights"]
    link = next(cell for row in book["README"].iter_rows() for cell in row if cell.value == "heights")
    assert link.hyperlink.location == "'heights'!A1"


def test_a_sheet_has_names_units_formats_and_frozen_rows(book):
    sheet = book["heights"]
    assert [cell.value for cell in sheet[1]] == list(HEIGHTS.column_names)
    assert [cell.value for cell in sheet[2]] == ["-", "m", "-", "-", "-", "-"]
    assert sheet.freeze_panes == "B3"
    assert sheet.auto_filter.ref == "A2:F5"
    assert sheet["B1"].comment.text == "height above the sea [m]"
    assert [sheet.cell(3, column).number_format for column in (2, 3, 4)] == ["0.00", "0", "yyyy-mm-dd"]
    assert sheet.print_title_rows == "$1:$2"
    widths = [sheet.column_dimensions[letter].width for letter in "ABCDEF"]
    assert min(widths) >= 9
    assert widths[3] == 13  # 2001-02-03 and room beside it


def test_values_are_typed_and_no_text_is_a_formula(book):
    rows = [[cell.value for cell in row] for row in book["heights"].iter_rows(min_row=3)]
    assert rows[0][:3] == ["=A", 1.0, 3]
    # so that it stays text when somebody edits it
    assert book["heights"]["A3"].quotePrefix
    assert not book["heights"]["A4"].quotePrefix
    assert rows[0][3].date() == date(2001, 2, 3)
    assert rows[0][4] == "="
    assert rows[1] == ["b", None, None, None, "<=", None]
    assert [cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row].count("f") == 0


def test_every_row_is_as_wide_as_the_header_even_where_the_last_cells_are_empty():
    """A reader that streams the file takes the width from the sheet's stated size."""
    streamed = openpyxl.load_workbook(io.BytesIO(made()), read_only=True)
    for sheet, width, length in (("README", 5, None), ("heights", 6, 5)):
        rows = list(streamed[sheet].iter_rows(values_only=True))
        assert {len(row) for row in rows} == {width}
        assert length is None or len(rows) == length


def test_an_empty_table_has_its_header():
    content = made(heights=published_table(HEIGHTS, frame([])))
    sheet = openpyxl.load_workbook(io.BytesIO(content))["heights"]
    assert sheet.max_row == 2
    assert sheet["A1"].value == "place"


def test_a_table_too_long_for_a_sheet_is_named_in_the_readme_only():
    content = made(longest=2)
    assert openpyxl.load_workbook(io.BytesIO(content)).sheetnames == ["README"]
    (line,) = (line for line in readme_of(content) if line and line[0] == "heights")
    assert line[1] == "Heights: one row a place (too long for a sheet: see the CSV file of this name)"


def test_a_long_name_is_cut_to_what_a_sheet_may_have():
    assert sheet_name(LONG) == "a_name_that_is_too_long_for_a_s"
    content = made(long=published_table(LONG, frame()))
    assert openpyxl.load_workbook(io.BytesIO(content)).sheetnames == ["README", sheet_name(LONG)]


def test_the_same_content_gives_the_same_bytes_and_states_no_clock():
    first, second = made(), made()
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2024-05-17T00:00:00Z" in archive.read("docProps/core.xml")
