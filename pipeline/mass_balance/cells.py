"""The raw cells of a field workbook: an .xlsx file or a folder of CSV files, read without judging their meaning."""

from __future__ import annotations

import csv
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from schemas.errors import BadInput

OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# what the readers of zip, XML and spreadsheets raise for a file damaged inside; SyntaxError is an XML parser's
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    SyntaxError,
    InvalidFileException,
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True)
class Filled:
    """A cell that lies in a merged range and took the value of the range's first cell."""

    cell: str
    value: Any


@dataclass(frozen=True)
class RawSheet:
    """One sheet as it stands: ``rows[i][j]`` is the value of the cell in row i+1, column j+1; None where empty."""

    file: str
    name: str
    rows: tuple[tuple[Any, ...], ...]
    filled: tuple[Filled, ...] = ()
    is_csv: bool = False

    def where(self, row: int, column: int) -> str:
        """File, sheet and cell of a value, both indices counted from 0, in the words of a spreadsheet."""
        cell = f"{get_column_letter(column + 1)}{row + 1}"
        return f"{self.file}: cell {cell}" if self.is_csv else f"{self.file}: sheet {self.name}: cell {cell}"

    @property
    def place(self) -> str:
        """File and sheet."""
        return self.file if self.is_csv else f"{self.file}: sheet {self.name}"


def read_sheets(path: Path) -> tuple[RawSheet, ...]:
    """Every sheet of a workbook, or every CSV file of a folder, in name order for a folder.

    Errors
    ------
    BadInput : no such file, empty folder, password-protected, legacy or corrupt workbook, CSV not in UTF-8.
    """
    if not path.exists():
        raise BadInput(path.name, "no such file or folder", "a field workbook (.xlsx) or a folder of CSV files")
    if path.is_dir():
        return _read_folder(path)
    return _read_workbook(path)


def _read_folder(path: Path) -> tuple[RawSheet, ...]:
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv")
    if not files:
        raise BadInput(path.name, "a folder without CSV files", "glacier.csv, stakes.csv, readings.csv and the like")
    return tuple(_read_csv(file, path.name) for file in files)


def _read_csv(file: Path, folder: str) -> RawSheet:
    name = f"{folder}/{file.name}"
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = tuple(tuple(cell if cell.strip() else None for cell in row) for row in csv.reader(stream))
    except UnicodeDecodeError as error:
        raise BadInput(
            name, f"byte {error.start} that is not UTF-8", "a CSV file in UTF-8", "save it as UTF-8"
        ) from None
    except csv.Error as error:
        raise BadInput(name, str(error), "a CSV file") from None
    return RawSheet(name, file.stem, rows, is_csv=True)


def _read_workbook(path: Path) -> tuple[RawSheet, ...]:
    _refuse_what_is_no_workbook(path)
    book = _open(path, values=False)
    has_formulas = any(cell.data_type == "f" for sheet in book.worksheets for row in sheet.iter_rows() for cell in row)
    if has_formulas:
        values = _open(path, values=True)
        _refuse_formulas_without_value(path, book, values)
        book = values
    return tuple(_raw_sheet(path.name, sheet) for sheet in book.worksheets)


def _refuse_what_is_no_workbook(path: Path) -> None:
    """Tell a password-protected, a legacy and a corrupt workbook apart by their first bytes."""
    try:
        head = path.read_bytes()
    except OSError as error:
        raise BadInput(path.name, error.strerror or "an unreadable file", "a readable workbook") from None
    if head.startswith(OLE_MAGIC):
        if ENCRYPTED in head:
            raise BadInput(path.name, "a password-protected workbook", "a workbook without a password", "remove it")
        raise BadInput(
            path.name, "a legacy workbook (.xls) or a password-protected one", "an .xlsx workbook", "save it as .xlsx"
        )
    if not zipfile.is_zipfile(path):
        raise BadInput(path.name, "a corrupt file, not an Excel workbook", "an .xlsx workbook or a folder of CSV files")


def _open(path: Path, *, values: bool) -> Workbook:
    try:
        return openpyxl.load_workbook(path, data_only=values)
    except _DAMAGE as error:
        raise BadInput(path.name, f"a corrupt workbook ({error})", "an .xlsx workbook", "save it again") from None


def _refuse_formulas_without_value(path: Path, formulas: Workbook, values: Workbook) -> None:
    """A formula that no spreadsheet has computed yet would read as an empty cell: refuse it."""
    for sheet in formulas.worksheets:
        for row in sheet.iter_rows():
            for cell in row:
                if cell.data_type == "f" and values[sheet.title][cell.coordinate].value is None:
                    where = f"{path.name}: sheet {sheet.title}: cell {cell.coordinate}"
                    raise BadInput(
                        where, "a formula without a stored value", "a value", "open and save in a spreadsheet"
                    )


def _raw_sheet(file: str, sheet: Worksheet) -> RawSheet:
    rows = [[_blank_to_none(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    filled: list[Filled] = []
    for merged in sorted(sheet.merged_cells.ranges, key=lambda merged: (merged.min_row, merged.min_col)):
        value = rows[merged.min_row - 1][merged.min_col - 1] if merged.min_row <= len(rows) else None
        if value is None or merged.max_row == merged.min_row:
            continue  # a title merged across columns says nothing about the cells beside it
        for row in range(merged.min_row + 1, min(merged.max_row, len(rows)) + 1):
            rows[row - 1][merged.min_col - 1] = value
            filled.append(Filled(f"{get_column_letter(merged.min_col)}{row}", value))
    return RawSheet(file, sheet.title, tuple(tuple(row) for row in rows), tuple(filled))


def _blank_to_none(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value
