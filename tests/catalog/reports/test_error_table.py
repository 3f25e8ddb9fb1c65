"""Many errors at once: a table for people, lines for what reads neither."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from catalog.reports.error_table import show_errors
from catalog.reports.terminal import show_notes
from pipeline.mass_balance.fieldwork.cells import BadCell, RawSheet
from pipeline.mass_balance.fieldwork.input_notes import Correction, Doubt
from pipeline.mass_balance.fieldwork.read import RefusedFieldData
from schemas.errors import BadInput, ManyBadInputs

SHEET = RawSheet(file="field.xlsx", name="读数", rows=())
ERRORS = [
    BadInput("field.xlsx", "no sheet 'stakes'", "a sheet 'stakes'", "add it"),
    BadCell(SHEET, "D3", "'[red]about 230[/]'", "exposed_m: a number (cm)"),
]


def shown(errors, *, terminal: bool, most: int = 50) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=160, color_system=None, highlight=False)
    show_errors(ManyBadInputs(errors), console, most)
    return stream.getvalue()


def test_a_terminal_gets_a_table_with_a_row_an_error() -> None:
    text = shown(ERRORS, terminal=True)
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if "│" in line]
    assert ["", "", "field.xlsx: no sheet 'stakes'", "a sheet 'stakes'", "add it"] in cells
    assert ["读数", "D3", "'[red]about 230[/]'", "exposed_m: a number (cm)", ""] in cells
    assert text.splitlines()[-1] == "2 errors"


@pytest.mark.parametrize(("count", "rows"), [(3, 3), (4, 3)])
def test_a_terminal_gets_no_more_than_it_can_show(count, rows) -> None:
    errors = [BadCell(SHEET, f"D{row}", "-1", "a number of at least 0") for row in range(1, count + 1)]
    text = shown(errors, terminal=True, most=3)
    assert text.count("a number of at least 0") == rows
    assert ("4 errors; the first 3 are shown, --marked-copy FILE.xlsx marks all" in text) == (count > 3)


def test_elsewhere_every_error_is_one_line() -> None:
    long = BadCell(SHEET, "D4", "x" * 300, "a number")
    assert shown([*ERRORS, long], terminal=False).splitlines() == [f"error: {error}" for error in [*ERRORS, long]]


@pytest.mark.parametrize("terminal", [True, False])
def test_doubts_of_a_refused_workbook_follow_its_errors(terminal) -> None:
    doubts = [Doubt("读数", f"C{row}", "2044-08-26, 39 years after", "kept; is the year right?") for row in (3, 4)]
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=160, color_system=None, highlight=False)
    show_errors(RefusedFieldData(ERRORS, doubts), console, 1)
    *_, shown_doubt, count = stream.getvalue().splitlines()
    assert shown_doubt == "doubt: sheet 读数, cell C3: 2044-08-26, 39 years after: kept; is the year right?"
    assert count == "2 doubts; the first 1 are shown"


def test_what_was_left_out_and_doubted_is_shown_after_a_balance(capsys) -> None:
    corrections = [
        Correction("readings", "A9:H9", "the same record as in row 3", "left out"),
        Correction("readings", "C2", "2004.8.26", "2004-08-26"),
    ]
    show_notes(corrections, [Doubt("readings", "L3", "stake 1 300 m from where it stood", "kept")])
    assert capsys.readouterr().err.splitlines() == [
        "left out: sheet readings, cell A9:H9: the same record as in row 3",
        "doubt: sheet readings, cell L3: stake 1 300 m from where it stood: kept",
        "2 corrections and 1 doubts on the input are listed in tables/input_notes.csv",
    ]
