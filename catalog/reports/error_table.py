"""Many input errors at once, as a table: for people on stderr, for programs as rows."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pipeline.mass_balance.fieldwork import BadCell, RefusedFieldData
from schemas.errors import BadInput, ManyBadInputs

COLUMNS = ("sheet", "cell", "found", "expected", "what to do")
# more than a screen or two helps nobody; the marked copy has them all
MOST_SHOWN = 50


def error_rows(errors: Iterable[BadInput]) -> list[tuple[str, str, str, str, str]]:
    """Sheet, cell, what was found, what was expected, what to do; an error without a cell says where in ``found``."""
    return [
        (error.sheet, error.cell, error.found, error.expected, error.remedy)
        if isinstance(error, BadCell)
        else ("", "", f"{error.where}: {error.found}", error.expected, error.remedy)
        for error in errors
    ]


def show_errors(error: ManyBadInputs, console: Console | None = None, most: int = MOST_SHOWN) -> None:
    """A table on a terminal, one line an error elsewhere; on a terminal the first ``most`` of them."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        for line in str(error).splitlines():
            console.print(Text(f"error: {line}"), soft_wrap=True)
        _show_doubts(error, console, most)
        return
    table = Table(show_lines=True)
    for name in COLUMNS:
        table.add_column(name, no_wrap=name == "cell")
    for row in error_rows(error.errors[:most]):
        table.add_row(*(Text(text) for text in row))
    console.print(table)
    count = len(error.errors)
    hidden = f"; the first {most} are shown, --marked-copy FILE.xlsx marks all" if count > most else ""
    console.print(Text(f"{count} error{'s' if count > 1 else ''}{hidden}"))
    _show_doubts(error, console, most)


def _show_doubts(error: ManyBadInputs, console: Console, most: int) -> None:
    """What looks odd besides in a field workbook that is refused, one line each, the first ``most`` of them."""
    doubts = error.doubts if isinstance(error, RefusedFieldData) else ()
    for doubt in doubts[:most]:
        place = f"sheet {doubt.sheet}{f', cell {doubt.cell}' if doubt.cell else ''}"
        console.print(Text(f"doubt: {place}: {doubt.found}: {doubt.meaning}"), soft_wrap=True)
    if len(doubts) > most:
        console.print(Text(f"{len(doubts)} doubts; the first {most} are shown"))
