"""Many errors at once: a table for people, rows for programs, lines for what reads neither."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from catalog.error_table import error_records, show_errors
from pipeline.mass_balance.cells import BadCell, RawSheet
from schemas.errors import BadInput, ManyBadInputs

SHEET = RawSheet("field.xlsx", "读数", ())
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


def test_programs_get_records() -> None:
    assert error_records(ERRORS)[1] == {
        "sheet": "读数",
        "cell": "D3",
        "found": "'[red]about 230[/]'",
        "expected": "exposed_m: a number (cm)",
        "what_to_do": "",
    }
