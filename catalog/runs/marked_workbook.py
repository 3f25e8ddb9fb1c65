"""A copy of a field workbook in which what was found while reading it is marked, cell by cell."""

from __future__ import annotations

import os
import re
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from catalog.reports import COLUMNS, error_rows, notes_of_all
from pipeline.mass_balance.fieldwork import (
    WINDOWS_EPOCH,
    BadCell,
    Correction,
    Doubt,
    FieldData,
    RawSheet,
    RefusedFieldData,
    is_legacy,
    read_field_data,
    read_glaciers,
    read_sheets,
)
from pipeline.timeless_workbook import CoreProperties, workbook_bytes
from schemas.errors import BadInput, ManyBadInputs

ERRORS_SHEET = "errors"
NOTES_SHEET = "notes on the input"
BAD_COLOUR, DOUBTFUL_COLOUR, CORRECTED_COLOUR = "FFF2A29B", "FFF6CE8A", "FFFBF0A6"
_BAD, _DOUBTFUL, _CORRECTED = (PatternFill("solid", fgColor=c) for c in (BAD_COLOUR, DOUBTFUL_COLOUR, CORRECTED_COLOUR))
_DAY = date(1980, 1, 1)  # what the file says of its age: the same for the same input
_MOST_COMMENTS = 5000  # a spreadsheet opens slowly with more; the fills and the list say the rest
_LONGEST_TITLE = 31
_NO_TITLE = re.compile(r"[\\*?:/\[\]]")
_PLAIN_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")

# sheet and cell (a range, or empty for a whole sheet), fill, comment
_Mark = tuple[str, str, PatternFill, str]


def read_or_mark(
    source: Path, marked_copy: Path | None = None, *, not_after: date | None = None, glacier: str = ""
) -> tuple[FieldData, ...]:
    """Read field data; where a marked copy is wanted, write it with the errors, or else with corrections and doubts.

    ``glacier`` : identifier or name of the only one that is wanted; else all of them are read.

    Errors
    ------
    ManyBadInputs : the errors of the reading, after the copy with them was written.
    BadInput : those of ``read_field_data``; a copy that cannot be written, or would overwrite a file.
    """
    if marked_copy is not None:
        _refuse_to_write(marked_copy)
    try:
        glaciers = (
            (read_field_data(source, not_after=not_after, glacier=glacier),)
            if glacier
            else read_glaciers(source, not_after=not_after)
        )
    except ManyBadInputs as bad:
        if marked_copy is not None:
            doubts = bad.doubts if isinstance(bad, RefusedFieldData) else ()
            write_marked_copy(source, marked_copy, errors=bad.errors, doubts=doubts)
        raise
    if marked_copy is not None:
        corrections, odd = notes_of_all(glaciers)
        write_marked_copy(source, marked_copy, corrections=corrections, doubts=odd)
    return glaciers


def write_marked_copy(
    source: Path,
    path: Path,
    *,
    errors: Sequence[BadInput] = (),
    corrections: Sequence[Correction] = (),
    doubts: Sequence[Doubt] = (),
) -> None:
    """Write the workbook once more as .xlsx: bad cells red, doubtful ones orange, corrected ones yellow, with comments.

    A sheet in front lists all errors with sheet, cell, what was found, what was expected and what to do; one at the end
    the corrections and doubts. Of an .xlsx workbook formulas, styles and drop-down lists stay; of .xls and CSV files
    the values. The same input gives the same bytes.

    Errors
    ------
    BadInput : the source cannot be read, or the copy cannot be written; nothing is left half-written.
    """
    _refuse_to_write(path)
    book, sheets = _copy_of(source)
    by_sheet: dict[str, list[_Mark]] = {}
    for mark in _marks(errors, doubts, corrections):
        by_sheet.setdefault(mark[0], []).append(mark)
    for name, marks in by_sheet.items():
        if name in sheets:
            _mark_sheet(sheets[name], marks)
    titles = {name: sheet.title for name, sheet in sheets.items()}
    if errors:
        _fill_errors(book.create_sheet(_free_title(book, ERRORS_SHEET), 0), errors, titles)
        book.active = 0
    if corrections or doubts:
        _fill_notes(book.create_sheet(_free_title(book, NOTES_SHEET)), corrections, doubts, titles)
    content = workbook_bytes(
        book, CoreProperties(title=f"Marked copy of {source.name}", creator="glacier-archive", day=_DAY)
    )
    _write_whole(path, content)


def _refuse_to_write(path: Path) -> None:
    """BadInput for a copy that is no .xlsx file, lies in no folder, or would overwrite a file, which may hold work."""
    if path.suffix.lower() != ".xlsx":
        raise BadInput(str(path), f"a name that ends in {path.suffix!r}", "a marked copy that ends in '.xlsx'")
    if path.exists() or path.is_symlink():
        raise BadInput(str(path), "a file that is there already", "a new name for the marked copy", "move it away")
    if not path.parent.is_dir():
        raise BadInput(str(path), "no such folder", "a folder for the marked copy", "make it first")


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file by one rename, so that nobody ever sees a part of it."""
    draft = ""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            draft = file.name
            file.write(content)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except OSError as error:
        if draft:
            Path(draft).unlink(missing_ok=True)
        raise BadInput(str(path), error.strerror or str(error), "a file that can be written") from None


# --- the copy -----------------------------------------------------------------------------------------------------


def _copy_of(source: Path) -> tuple[Workbook, Mapping[str, Worksheet]]:
    """The workbook, and its sheets by the name that the reading gave them."""
    sheets = read_sheets(source)  # names a damaged workbook in one line
    if not source.is_dir() and not is_legacy(source):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of parts that the library does not keep
            book = openpyxl.load_workbook(source)
        return book, {sheet.title: sheet for sheet in book.worksheets}
    book = Workbook()
    book.remove(book.worksheets[0])
    if any(raw.epoch != WINDOWS_EPOCH for raw in sheets):
        book.epoch = MAC_EPOCH
    return book, {raw.name: _sheet_of(book, raw) for raw in sheets}


def _sheet_of(book: Workbook, raw: RawSheet) -> Worksheet:
    """A sheet with the values of a raw one."""
    sheet: Worksheet = book.create_sheet(_free_title(book, raw.name))
    for row, cells in enumerate(raw.rows, start=1):
        for column, value in enumerate(cells, start=1):
            if value is not None:
                _put(sheet.cell(row, column), _number_of_csv(value, raw) if raw.is_csv else value)
    return sheet


def _number_of_csv(text: str, raw: RawSheet) -> str | float:
    """The number that stands in a CSV file as plain digits; all else, '007' too, stays text."""
    plain = text.strip().replace(",", ".") if raw.decimal_comma else text.strip()
    if not _PLAIN_NUMBER.fullmatch(plain):
        return text
    return float(plain) if "." in plain else int(plain)


def _put(cell: Cell | MergedCell, value: Any) -> None:
    """Fill a cell, which is in no merged range; text that begins with = is text, not a formula."""
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", value) if isinstance(value, str) else value
    if isinstance(value, str) and cell.data_type == "f":
        cell.data_type = "s"
    if isinstance(value, date):
        cell.number_format = "yyyy-mm-dd"


def _free_title(book: Workbook, name: str) -> str:
    """A title that a spreadsheet accepts and the workbook does not have yet."""
    title = _NO_TITLE.sub("_", name)[:_LONGEST_TITLE]
    taken = {sheet.lower() for sheet in book.sheetnames}
    numbered = (f"{title[: _LONGEST_TITLE - 5]} ({number})" for number in range(2, len(taken) + 3))
    return next(free for free in (title, *numbered) if free.lower() not in taken)


# --- the marks ----------------------------------------------------------------------------------------------------


def _marks(errors: Iterable[BadInput], doubts: Iterable[Doubt], corrections: Iterable[Correction]) -> Iterator[_Mark]:
    """What each cell gets, the worst first."""
    for error in errors:
        if isinstance(error, BadCell):
            remedy = f"\n{error.remedy}" if error.remedy else ""
            yield error.sheet, error.cell, _BAD, f"found {error.found}\nexpected {error.expected}{remedy}"
    for doubt in doubts:
        yield doubt.sheet, doubt.cell, _DOUBTFUL, f"{doubt.found}: {doubt.meaning}"
    for note in corrections:
        yield note.sheet, note.cell, _CORRECTED, f"{note.found}: {note.used}"


def _mark_sheet(sheet: Worksheet, marks: Iterable[_Mark]) -> None:
    """Fill the marked cells, each by its worst mark, and gather the comments of each."""
    anchors = {
        cell: merged.coord.split(":")[0] for merged in sheet.merged_cells.ranges for cell in _cells_of(merged.coord)
    }
    filled: set[str] = set()
    comments: dict[str, list[str]] = {}
    for _, place, fill, text in marks:
        cells = [anchors.get(cell, cell) for cell in (_cells_of(place) if place else ())]
        for cell in cells:
            if cell not in filled:
                sheet[cell].fill = fill
                filled.add(cell)
        if cells:
            comments.setdefault(cells[0], []).append(text)
    for cell, texts in list(comments.items())[:_MOST_COMMENTS]:
        old = sheet[cell].comment
        said = [old.text] if old is not None else []
        text = ILLEGAL_CHARACTERS_RE.sub("", "\n\n".join([*said, *texts]))
        sheet[cell].comment = Comment(text, "glacier-archive", height=140, width=340)


def _cells_of(place: str) -> Iterator[str]:
    """The addresses of a cell or a range."""
    return (f"{get_column_letter(column)}{row}" for row, column in CellRange(place).cells)


# --- the lists ----------------------------------------------------------------------------------------------------


def _fill_errors(sheet: Worksheet, errors: Iterable[BadInput], titles: Mapping[str, str]) -> None:
    _fill_list(sheet, COLUMNS, error_rows(errors), titles)


def _fill_notes(
    sheet: Worksheet, corrections: Iterable[Correction], doubts: Iterable[Doubt], titles: Mapping[str, str]
) -> None:
    rows = [(doubt.sheet, doubt.cell, "doubt", doubt.found, doubt.meaning) for doubt in doubts]
    rows += [(note.sheet, note.cell, "correction", note.found, note.used) for note in corrections]
    _fill_list(sheet, ("sheet", "cell", "kind", "found", "read as"), rows, titles)


def _fill_list(
    sheet: Worksheet, names: Sequence[str], rows: Iterable[tuple[str, ...]], titles: Mapping[str, str]
) -> None:
    """A list with its names frozen, each cell's address leading to it."""
    for column, name in enumerate(names, start=1):
        sheet.cell(1, column, name).font = Font(bold=True)
    for number, row in enumerate(rows, start=2):
        for column, text in enumerate(row, start=1):
            _put(sheet.cell(number, column), text or None)
            sheet.cell(number, column).alignment = Alignment(vertical="top", wrap_text=column > 2)
        if row[0] in titles and row[1]:
            title = titles[row[0]].replace("'", "''")
            link = Hyperlink(ref=f"B{number}", location=f"'{title}'!{row[1]}")
            sheet.cell(number, 2).hyperlink = link
            sheet.cell(number, 2).font = Font(underline="single", color="0563C1")
    for letter, width in zip("ABCDE", (18, 12, 48, 60, 48), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
