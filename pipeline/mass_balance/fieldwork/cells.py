"""The raw cells of a sheet, be it of a workbook or a CSV file, and what is wrong in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby
from typing import Any

from openpyxl.utils import get_column_letter

from schemas.errors import BadInput

WINDOWS_EPOCH = date(1899, 12, 30)
# cells that a sheet may hold, empty ones before a filled one and empty rows included
MOST_CELLS = 1_000_000


class TooManyCells(Exception):
    """A sheet beyond ``MOST_CELLS``, or merged ranges that would fill as many."""

    def __init__(self) -> None:
        super().__init__(f"more than {MOST_CELLS} cells")


@dataclass(frozen=True)
class FilledCells:
    """A cell that lies in a merged range and took the value of the range's first cell."""

    cell: str
    value: Any


@dataclass(frozen=True, kw_only=True)
class RawSheet:
    """One sheet as it stands: ``rows[i][j]`` is the value of the cell in row i+1, column j+1; None where empty.

    Rows end at their last filled cell. ``epoch`` is day 0 of the file's serial dates, ``decimal_comma`` whether the
    file's own form says that a comma parts the decimals, ``uncomputed`` the cells whose formula no spreadsheet has
    computed, ``notes`` what the file had to be converted from, ``asides`` what of the sheet is no value: hidden rows
    and columns and comments, as (cell, what stands there). ``addresses`` are the cells (row, column) that stand
    elsewhere in the file than here.
    """

    file: str
    name: str
    rows: tuple[tuple[Any, ...], ...]
    filled: tuple[FilledCells, ...] = ()
    is_csv: bool = False
    epoch: date = WINDOWS_EPOCH
    decimal_comma: bool = False
    uncomputed: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    asides: tuple[tuple[str, str], ...] = ()
    addresses: Mapping[tuple[int, int], str] = field(default_factory=dict)

    def address(self, row: int, column: int) -> str:
        """The cell of a value, both indices counted from 0, as the file has it.

        Parameters
        ----------
        row, column : from 0.
        """
        return self.addresses.get((row, column)) or address(row, column)

    def where(self, row: int, column: int) -> str:
        """File, sheet and cell of a value, both indices counted from 0, in the words of a spreadsheet.

        Parameters
        ----------
        row, column : from 0.
        """
        return f"{self.place}: cell {self.address(row, column)}"

    @property
    def place(self) -> str:
        """File and sheet."""
        return self.file if self.is_csv else f"{self.file}: sheet {self.name}"


class BadCell(BadInput):
    """What is wrong in one cell, or with a whole sheet (``cell`` is then empty).

    Attributes
    ----------
    sheet : name of the sheet, of the file without .csv in a folder.
    cell : address as a spreadsheet has it, ``D3``.
    """

    def __init__(self, sheet: RawSheet, cell: str, found: str, expected: str, remedy: str = "") -> None:
        self.sheet, self.cell = sheet.name, cell
        where = f"{sheet.place}: cell {cell}" if cell else sheet.place
        super().__init__(where, found, expected, remedy)


def address(row: int, column: int) -> str:
    """The cell's name in a spreadsheet; indices from 0.

    Parameters
    ----------
    row, column : from 0.

    Example
    -------
    >>> address(13, 27)
    'AB14'
    """
    return f"{get_column_letter(column + 1)}{row + 1}"


_LONGEST_COMMENT = 200


def comment_aside(text: str) -> str:
    """What is said of a comment of a cell.

    Parameters
    ----------
    text : of the comment.
    """
    words = " ".join(text.split())
    return f"a comment: {words[:_LONGEST_COMMENT]}{'...' if len(words) > _LONGEST_COMMENT else ''}"


def hidden_lines(numbers: Sequence[int], what: str) -> Iterable[tuple[str, str]]:
    """The first cell of each run of hidden rows or columns, and what it is.

    Parameters
    ----------
    numbers : of the rows or columns, from 0, in order.
    what : "rows" or "columns".

    Example
    -------
    >>> list(hidden_lines([3, 4, 7], "rows"))
    [('A4', 'hidden rows 4 to 5'), ('A8', 'hidden row 8')]
    """
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        own = [number for _, number in run]
        names = [str(number + 1) if what == "rows" else get_column_letter(number + 1) for number in (own[0], own[-1])]
        cell = f"A{names[0]}" if what == "rows" else f"{names[0]}1"
        several = len(own) > 1
        yield cell, f"hidden {what if several else what[:-1]} {' to '.join(names) if several else names[0]}"


def trimmed(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """The rows with None for blank text, each up to its last filled cell, without the empty rows at the end.

    Parameters
    ----------
    rows : of a sheet, as the reading library gives them.

    Errors
    ------
    TooManyCells : before they are all in memory.
    """
    kept: list[list[Any]] = []
    seen = empty = 0
    for row in rows:
        seen += 1 + len(row)
        if seen > MOST_CELLS:
            raise TooManyCells
        cells = [None if isinstance(value, str) and not value.strip() else value for value in row]
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            empty += 1  # kept only where a filled row follows
            continue
        kept.extend([] for _ in range(empty))
        kept.append(cells)
        empty = 0
    return kept


def fill_merged(rows: list[list[Any]], ranges: Iterable[tuple[int, int, int, int]]) -> tuple[FilledCells, ...]:
    """Fill the first column of each merged range (first row, first column, last row, last column; from 0) downwards.

    A title merged across columns says nothing about the cells beside it.

    Parameters
    ----------
    rows : of the sheet; are changed.
    ranges : (first row, first column, last row, last column), from 0.

    Errors
    ------
    TooManyCells : ranges, one over the other, that would fill more.
    """
    filled: list[FilledCells] = []
    for first_row, first_column, last_row, _ in sorted(ranges):
        value = _at(rows, first_row, first_column)
        if value is None:
            continue
        if len(filled) + last_row - first_row > MOST_CELLS:
            raise TooManyCells
        for row in range(first_row + 1, min(last_row + 1, len(rows))):
            rows[row].extend([None] * (first_column + 1 - len(rows[row])))
            rows[row][first_column] = value
            filled.append(FilledCells(address(row, first_column), value))
    return tuple(filled)


def _at(rows: list[list[Any]], row: int, column: int) -> Any:
    return rows[row][column] if row < len(rows) and column < len(rows[row]) else None
