"""The copy of a field workbook with its bad cells marked: every error in its cell, nothing else changed."""

from __future__ import annotations

import openpyxl
import pytest

from catalog.runs.marked_workbook import (
    BAD_COLOUR,
    CORRECTED_COLOUR,
    DOUBTFUL_COLOUR,
    ERRORS_SHEET,
    NOTES_SHEET,
    read_or_mark,
    write_marked_copy,
)
from pipeline.mass_balance.fieldwork.input_notes import Doubt
from pipeline.mass_balance.fieldwork.read import read_field_data
from schemas.errors import BadInput, ManyBadInputs
from tests.made.field_workbook import sheets, write_folder, write_legacy_workbook, write_workbook

WRITERS = {"xlsx": write_workbook, "xls": write_legacy_workbook, "csv": write_folder}
BAD = {"stakes!D4", "readings!D3", "readings!C6", "snow_pits!C2", "hypsometry!D3"}


def spoiled():
    tables = sheets()
    tables["stakes"][3][3] = "high"
    tables["readings"][2][3] = "about 230"
    tables["readings"][5][2] = "3/4/2005"
    tables["snow_pits"][1][2] = 17
    tables["hypsometry"][2][3] = -1
    return tables


def source_of(kind, tmp_path, tables):
    return WRITERS[kind](tmp_path / ("field" if kind == "csv" else f"field.{kind}"), tables)


def errors_of(source, marked=None):
    with pytest.raises(ManyBadInputs) as caught:
        read_or_mark(source, marked)
    return caught.value.errors


def filled_with(book, colour):
    return {
        f"{sheet.title}!{cell.coordinate}"
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.fill.fgColor.rgb == colour
    }


@pytest.mark.parametrize("kind", WRITERS)
def test_exactly_the_bad_cells_are_filled_and_say_why(tmp_path, kind) -> None:
    errors = errors_of(source_of(kind, tmp_path, spoiled()), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert filled_with(book, BAD_COLOUR) == BAD == {f"{error.sheet}!{error.cell}" for error in errors}
    for error in errors:
        comment = book[error.sheet][error.cell].comment.text
        assert error.found in comment
        assert error.expected in comment
        assert error.remedy in comment


@pytest.mark.parametrize("kind", WRITERS)
def test_the_copy_reads_like_the_original(tmp_path, kind) -> None:
    """The same errors in the same cells; and once they are put right, the same data."""
    source = source_of(kind, tmp_path, spoiled())
    first = errors_of(source, tmp_path / "marked.xlsx")
    again = errors_of(tmp_path / "marked.xlsx")
    assert [(e.sheet, e.cell, e.expected) for e in again] == [(e.sheet, e.cell, e.expected) for e in first]

    right, book = sheets(), openpyxl.load_workbook(tmp_path / "marked.xlsx")
    for place in BAD:
        sheet, cell = place.split("!")
        row, column = openpyxl.utils.cell.coordinate_to_tuple(cell)
        book[sheet][cell] = right[sheet][row - 1][column - 1]
    book.save(tmp_path / "corrected.xlsx")
    corrected = read_field_data(tmp_path / "corrected.xlsx")
    expected = read_field_data(write_workbook(tmp_path / "right.xlsx", right))
    for name in ("stakes", "readings", "snow_pits", "pit_layers", "hypsometry"):
        assert getattr(corrected, name).equals(getattr(expected, name)), name


def test_the_list_in_front_names_every_error_and_leads_to_its_cell(tmp_path) -> None:
    errors = errors_of(source_of("xlsx", tmp_path, spoiled()), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert book.sheetnames[0] == ERRORS_SHEET
    rows = list(book[ERRORS_SHEET].iter_rows(values_only=True))
    assert rows[0] == ("sheet", "cell", "found", "expected", "what to do")
    assert rows[1:] == [(e.sheet, e.cell, e.found, e.expected, e.remedy or None) for e in errors]
    assert book[ERRORS_SHEET]["B2"].hyperlink.location == "'stakes'!D4"


def test_errors_without_a_cell_stand_in_the_list(tmp_path) -> None:
    tables = sheets()
    del tables["pit_layers"]
    tables["stakes"][1][0] = "name of it"
    errors_of(source_of("xlsx", tmp_path, tables), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    rows = [row[:3] for row in book[ERRORS_SHEET].iter_rows(min_row=2, values_only=True)]
    assert rows == [
        (None, None, "field.xlsx: no sheet 'pit_layers'"),
        ("stakes", None, "no column 'stake_id' in row 2"),
        ("snow_pits", "A2", "pit P1 without layers"),
    ]
    assert filled_with(book, BAD_COLOUR) == {"snow_pits!A2"}


def test_formulas_styles_lists_and_comments_of_the_workbook_stay(tmp_path) -> None:
    def finish(book) -> None:
        book["hypsometry"]["F2"] = "=SUM(D2:D6)"
        book["stakes"]["A1"].font = openpyxl.styles.Font(bold=True)
        book["stakes"]["D4"].comment = openpyxl.comments.Comment("barometer", "team")
        rule = openpyxl.worksheet.datavalidation.DataValidation(type="list", formula1='"ok,bent"')
        rule.add("H2:H99")
        book["readings"].add_data_validation(rule)
        book["readings"].merge_cells("A2:A3")

    source = write_workbook(tmp_path / "field.xlsx", spoiled(), finish)
    errors_of(source, tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert book["hypsometry"]["F2"].value == "=SUM(D2:D6)"
    assert book["stakes"]["A1"].font.bold
    assert book["stakes"]["D4"].comment.text.startswith("barometer\n\nfound 'high'")
    assert [str(rule.sqref) for rule in book["readings"].data_validations.dataValidation] == ["H2:H99"]
    assert [str(merged) for merged in book["readings"].merged_cells.ranges] == ["A2:A3"]


def test_an_error_in_a_merged_cell_is_marked_where_it_can_be_seen(tmp_path) -> None:
    tables = sheets()
    tables["readings"][1][0] = 9
    tables["readings"][2][0] = None
    source = write_workbook(tmp_path / "field.xlsx", tables, lambda book: book["readings"].merge_cells("A2:A3"))
    assert [error.cell for error in errors_of(source, tmp_path / "marked.xlsx")] == ["A2", "A3"]
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert filled_with(book, BAD_COLOUR) == {"readings!A2"}


def test_a_good_workbook_shows_what_was_read_otherwise_and_what_is_in_doubt(tmp_path) -> None:
    tables = sheets()
    tables["stakes"][2][3] = 3050
    (data,) = read_or_mark(source_of("xlsx", tmp_path, tables), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert ERRORS_SHEET not in book.sheetnames
    assert not filled_with(book, BAD_COLOUR)
    assert filled_with(book, DOUBTFUL_COLOUR) == {"stakes!D3"}
    yellow = filled_with(book, CORRECTED_COLOUR)
    assert {"readings!D1", "readings!C3", "readings!B5", "readings!B6"} <= yellow
    assert book["readings"]["C3"].comment.text == "2004.8.26: 2004-08-26"
    assert book["readings"]["B6"].comment is None
    rows = list(book[NOTES_SHEET].iter_rows(min_row=2, values_only=True))
    assert len(rows) == len(data.corrections) + len(data.doubts)
    assert rows[0][:3] == ("stakes", "D3", "doubt")
    assert read_field_data(tmp_path / "marked.xlsx").readings.equals(data.readings)


def test_text_of_a_csv_file_is_never_run_as_a_formula(tmp_path) -> None:
    tables = sheets()
    tables["readings"][0].append("remarks")
    tables["readings"][2] += ["=HYPERLINK(1)"]
    tables["readings"][2][3] = "=1+1"
    errors_of(write_folder(tmp_path / "field", tables), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    kinds = {cell.data_type for sheet in book.worksheets for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert book["readings"]["I3"].value == "=HYPERLINK(1)"


def test_names_with_leading_zeros_in_a_csv_file_stay_text(tmp_path) -> None:
    tables = spoiled()
    tables["stakes"][2][0], tables["readings"][1][0], tables["readings"][2][0] = "007", "007", "007"
    errors_of(write_folder(tmp_path / "field", tables), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert [book["stakes"][cell].value for cell in ("A3", "A4", "D3")] == ["007", 2, 3480]


@pytest.mark.parametrize("kind", WRITERS)
def test_the_same_input_gives_the_same_bytes(tmp_path, kind) -> None:
    source = source_of(kind, tmp_path, spoiled())
    errors_of(source, tmp_path / "one.xlsx")
    errors_of(source, tmp_path / "two.xlsx")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path) -> None:
    source = source_of("xlsx", tmp_path, spoiled())
    before = source.read_bytes()
    for target, message in (
        (source, "found a file that is there already"),
        (tmp_path / "marked.xls", "found a name that ends in '.xls'; expected a marked copy that ends in '.xlsx'"),
        (tmp_path / "none" / "marked.xlsx", "found no such folder"),
    ):
        with pytest.raises(BadInput, match=message):
            read_or_mark(source, target)
    assert source.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["field.xlsx"]


def test_a_copy_that_cannot_be_written_leaves_nothing(tmp_path, monkeypatch) -> None:
    def full_disk(old, new) -> None:
        raise OSError(28, "No space left on device")

    source = source_of("xlsx", tmp_path, spoiled())
    monkeypatch.setattr("os.replace", full_disk)
    with pytest.raises(BadInput, match=r"marked.xlsx: found No space left on device; expected a file that can be"):
        write_marked_copy(source, tmp_path / "marked.xlsx")
    assert [path.name for path in tmp_path.iterdir()] == ["field.xlsx"]


def test_a_workbook_that_has_a_sheet_of_errors_keeps_it(tmp_path) -> None:
    tables = spoiled()
    tables["Errors"] = [["of the barometer", 3]]
    errors_of(write_workbook(tmp_path / "field.xlsx", tables), tmp_path / "marked.xlsx")
    book = openpyxl.load_workbook(tmp_path / "marked.xlsx")
    assert book["Errors"]["A1"].value == "of the barometer"
    assert book.sheetnames[0] == "errors (2)"
    assert [error.cell for error in errors_of(tmp_path / "marked.xlsx")] == ["D4", "D3", "C6", "C2", "D3"]


def test_the_worst_mark_of_a_cell_wins_and_all_are_said(tmp_path) -> None:
    source = source_of("xlsx", tmp_path, sheets())
    data = read_field_data(source)
    odd = Doubt("readings", "C3", "a day", "odd")
    write_marked_copy(source, tmp_path / "marked.xlsx", corrections=data.corrections, doubts=[odd])
    cell = openpyxl.load_workbook(tmp_path / "marked.xlsx")["readings"]["C3"]
    assert cell.fill.fgColor.rgb == DOUBTFUL_COLOUR
    assert cell.comment.text == "a day: odd\n\n2004.8.26: 2004-08-26"
