"""The cells of a legacy workbook (.xls, Excel 5 to 2003)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import xlrd
from xlrd.biffh import XLRDError
from xlrd.book import Book
from xlrd.compdoc import CompDocError
from xlrd.sheet import Cell, Sheet

from pipeline.mass_balance.fieldwork.cells import (
    RawSheet,
    TooManyCells,
    address,
    comment_aside,
    fill_merged,
    hidden_lines,
    trimmed,
)
from schemas.errors import BadInput

# what xlrd documents, XLRDError, and what it lets out instead where a record is not as long or as full as it states:
# it uses what it reads without a look at it (Book.get_sheet, compdoc, formula)
_DAMAGE = (
    XLRDError,
    CompDocError,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def read_xls(path: Path) -> tuple[RawSheet, ...]:
    """Every sheet: dates by the format of their cells, formula errors as their text, merged ranges filled down.

    Errors
    ------
    BadInput : a password-protected or corrupt workbook, or another kind of document.
    """
    book = _opened(path)
    try:
        return tuple(_sheet(path.name, sheet, book.datemode) for sheet in book.sheets())
    except TooManyCells as error:
        raise BadInput(path.name, str(error), "a workbook of field data") from None


def _opened(path: Path) -> Book:
    """The workbook with all of its sheets, as xlrd reads them; all errors of a damaged file are raised here."""
    try:
        # the formatting carries the merged ranges; the log would go to stdout
        # rows as long as they are filled: a stray cell at the edge would make all of them as wide
        return xlrd.open_workbook(str(path), formatting_info=True, ragged_rows=True, logfile=io.StringIO())
    except _DAMAGE as error:
        if "encrypted" in str(error).lower():
            raise BadInput(
                path.name, "a password-protected workbook", "a workbook without a password", "remove it"
            ) from None
        damage = f"a password-protected or corrupt workbook, or another document ({error or type(error).__name__})"
        raise BadInput(path.name, damage, "an .xlsx or .xls workbook", "remove the password, or save it anew") from None


def _sheet(file: str, sheet: Sheet, datemode: Literal[0, 1]) -> RawSheet:
    rows = trimmed([_value(cell, datemode) for cell in sheet.row(row)] for row in range(sheet.nrows))
    ranges = [(top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells]
    filled = fill_merged(rows, ranges)
    epoch = xlrd.xldate.epoch_1904.date() if datemode else xlrd.xldate.epoch_1900_minus_1.date()
    return RawSheet(
        file=file,
        name=sheet.name,
        rows=tuple(tuple(row) for row in rows),
        filled=filled,
        epoch=epoch,
        asides=tuple(_asides(sheet)),
    )


def _asides(sheet: Sheet) -> Iterator[tuple[str, str]]:
    """Hidden rows and columns, and comments."""
    yield from hidden_lines(sorted(row for row, info in sheet.rowinfo_map.items() if info.hidden), "rows")
    hidden = sorted(column for column, info in sheet.colinfo_map.items() if info.hidden and column < sheet.ncols)
    yield from hidden_lines(hidden, "columns")
    for (row, column), note in sorted(sheet.cell_note_map.items()):
        yield address(row, column), comment_aside(note.text)


def _value(cell: Cell, datemode: Literal[0, 1]) -> Any:
    if cell.ctype == xlrd.XL_CELL_DATE:
        return _date(float(cell.value), datemode)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return xlrd.error_text_from_code.get(int(cell.value), "#ERROR!")
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    if cell.ctype == xlrd.XL_CELL_NUMBER and float(cell.value).is_integer():
        return int(cell.value)  # the format knows no whole numbers; names and years are
    return cell.value


def _date(serial: float, datemode: Literal[0, 1]) -> Any:
    """The date of a serial number; the number itself where it is a time of day, or no date has it."""
    if serial < 1:
        return serial
    try:
        return xlrd.xldate.xldate_as_datetime(serial, datemode)
    except (xlrd.xldate.XLDateError, OverflowError, ValueError):
        return serial
