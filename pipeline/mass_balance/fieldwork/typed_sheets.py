"""Turns the raw cells of a sheet into a typed table, and says of every cell where it stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from pipeline.mass_balance.fieldwork.cells import BadCell, RawSheet, address
from pipeline.mass_balance.fieldwork.headers import AXIS_LETTERS, HEADER_WITHIN_ROWS, HeaderRow, Heading, find_header
from pipeline.mass_balance.fieldwork.input_notes import Correction, Doubt, Findings, place_of
from pipeline.mass_balance.fieldwork.three_column_dates import with_joined_dates
from pipeline.mass_balance.fieldwork.typed_columns import assumed_scale, column_reader, expected, repeated_codes, said
from pipeline.mass_balance.fieldwork.values import is_missing
from schemas.errors import BadInput
from schemas.fields import Table

_MOST_NAMED = 5
_BANDS = ("hypsometry", "zone_balances")
# what a unit that no header states is taken for, and why
_ASSUMED = {
    "g_cm3": "g cm-3, for every value lies between 0.01 and 1",
    "mm_we": "mm w.e., for some value is too large for metres of water",
}
# what an empty cell means in a column that must not stay empty
DEFAULTS: dict[tuple[str, str], Any] = {("readings", "leg"): 1, ("readings", "status"): "ok"}


@dataclass(frozen=True, kw_only=True)
class TypedTable:
    """One table as read: the frame, and where each record and each cell of it stands.

    ``rows`` are the sheet's rows (from 0) of the records, ``columns`` the sheet's columns by name, ``wrong`` the cells
    (record, column) that were reported already and are empty in the frame; ``by_letters`` whether easting and northing
    are headed X and Y. ``places`` are the rows of ``sheet`` where they differ from those of the file.
    """

    table: Table
    frame: pd.DataFrame
    sheet: RawSheet | None = None
    rows: tuple[int, ...] = ()
    columns: Mapping[str, int] = field(default_factory=dict)
    wrong: frozenset[tuple[int, str]] = frozenset()
    by_letters: bool = False
    places: tuple[int, ...] = ()

    def cell(self, record: int, column: str) -> str:
        """Cell of a record's column; the first cell of the row for a column that the sheet lacks.

        Parameters
        ----------
        record : from 0, in the order of the sheet.
        column : its name in the schema.
        """
        place = self.places[record] if self.places else self.rows[record], self.columns.get(column, 0)
        return address(*place) if self.sheet is None else self.sheet.address(*place)

    def bad(self, record: int, column: str, found: str, expected: str, remedy: str = "") -> BadInput:
        """What is wrong in a record's column.

        Parameters
        ----------
        record, column : as ``cell`` takes them.
        found, expected, remedy : of the error.
        """
        if self.sheet is None:  # only a table without a sheet has no records
            return BadInput(f"sheet {self.table.name}", found, expected, remedy)
        return BadCell(self.sheet, self.cell(record, column), found, expected, remedy)

    def doubt(self, record: int, column: str, found: str, meaning: str) -> Doubt:
        """What is odd in a record's column.

        Parameters
        ----------
        record, column : as ``cell`` takes them.
        found, meaning : of the doubt.
        """
        return Doubt(self.sheet_name, self.cell(record, column), found, meaning)

    def is_wrong(self, record: int, *columns: str) -> bool:
        """Whether one of these cells was reported already.

        Parameters
        ----------
        record : from 0, in the order of the sheet.
        columns : names in the schema.
        """
        return any((record, column) in self.wrong for column in columns)

    @property
    def sheet_name(self) -> str:
        """Name of the sheet as it stands in the workbook."""
        return self.table.name if self.sheet is None else self.sheet.name

    def with_column(self, name: str, values: Sequence[Any]) -> TypedTable:
        """The table with other values in one column.

        Parameters
        ----------
        name : of the column in the schema.
        values : one a record.
        """
        return replace(self, frame=self.frame.assign(**{name: pd.Series(values, dtype=self.frame[name].dtype)}))

    def without(self, records: Sequence[int]) -> TypedTable:
        """The table without some of its records.

        Parameters
        ----------
        records : from 0, in the order of the sheet.
        """
        dropped = set(records)
        kept = [record for record in range(len(self.frame)) if record not in dropped]
        numbers = {record: number for number, record in enumerate(kept)}
        wrong = frozenset((numbers[record], column) for record, column in self.wrong if record in numbers)
        frame = self.frame.iloc[kept].reset_index(drop=True)
        rows = tuple(self.rows[record] for record in kept)
        places = tuple(self.places[record] for record in kept) if self.places else ()
        return replace(self, frame=frame, rows=rows, wrong=wrong, places=places)


def typed_table(sheet: RawSheet | None, table: Table, findings: Findings) -> TypedTable:
    """Read one sheet by its header row; errors, corrections and doubts are added to ``findings``.

    Parameters
    ----------
    sheet : with its cells as typed; None gives an empty table.
    table : which it stands for.
    findings : takes errors, corrections and doubts.
    """
    if sheet is None or not any(sheet.rows):
        return TypedTable(table=table, frame=_frame(table, {}, 0))
    header = find_header(sheet, table)
    if header is None:
        wanted = f"a header row such as {', '.join(table.column_names[:4])}, within the first {HEADER_WITHIN_ROWS} rows"
        remedy = "write the names of the columns into one row above the records; the table schemas list them"
        findings.errors.append(BadCell(sheet, "", "no header row", wanted, remedy))
        return _unusable(sheet, table)
    sheet, header = with_joined_dates(sheet, header, table, findings)
    lacking = list(_lacking_columns(sheet, header, table))
    findings.errors += lacking
    findings.errors += _header_errors(sheet, header)
    findings.errors += _uncomputed_formulas(sheet, header)
    findings.corrections += _header_notes(sheet, header, table)
    rows = tuple(_record_rows(sheet, header, findings))
    values: dict[str, list[Any]] = {}
    wrong: set[tuple[int, str]] = set()
    before = len(findings.errors)
    for heading in header.headings:
        name = heading.column.name
        column = _SheetColumn(
            sheet=sheet, header_row=header.row, rows=rows, heading=heading, default=DEFAULTS.get((table.name, name))
        )
        values[name], bad = _typed_column(column, findings)
        wrong |= {(record, name) for record in bad}
    if sheet.asides and rows:
        findings.corrections += _asides(sheet, (_row_of_file(sheet, rows[0]), _row_of_file(sheet, rows[-1])))
    if lacking:
        return _unusable(sheet, table)
    columns = {heading.column.name: heading.index for heading in header.headings}
    of_file = tuple(_row_of_file(sheet, row) for row in rows) if sheet.addresses else rows
    by_letters = any(heading.spelled in AXIS_LETTERS for heading in header.headings)
    typed = TypedTable(
        table=table,
        frame=_frame(table, values, len(rows)),
        sheet=sheet,
        rows=of_file,
        columns=columns,
        wrong=frozenset(wrong),
        by_letters=by_letters,
        places=rows if sheet.addresses else (),
    )
    return _without_dirty_years(typed, findings, before) if table.name in _BANDS else typed


def _without_dirty_years(bands: TypedTable, findings: Findings, before: int) -> TypedTable:
    """The bands without the years of which one cannot be read, where other years can go on without them.

    Its errors, those after the first ``before``, become doubts; they stay where no whole year is left.
    """
    years = bands.frame["year"].tolist()
    dirty = {years[record] for record, _ in bands.wrong}
    if not dirty or None in dirty or not set(years) - dirty:
        return bands
    year_of = {bands.cell(record, name): years[record] for record, name in bands.wrong}
    for error in findings.errors[before:]:
        if isinstance(error, BadCell) and error.cell in year_of:
            odd = f"{error.found} where {error.expected} is expected"
            meaning = f"the bands of {year_of[error.cell]} are left out; correct the cell to have them back"
            findings.doubts.append(Doubt(error.sheet, error.cell, odd, meaning))
    del findings.errors[before:]
    return bands.without([record for record, year in enumerate(years) if year in dirty])


def _row_of_file(sheet: RawSheet, row: int) -> int:
    """The row of the file (from 0) where a row of the sheet stands."""
    return place_of(sheet.address(row, 0))[0] - 1


def _unusable(sheet: RawSheet, table: Table) -> TypedTable:
    """No records, and every column wrong: its rows, and references to it, are not held against what was reported."""
    wrong = frozenset((-1, name) for name in table.column_names)
    return TypedTable(table=table, frame=_frame(table, {}, 0), sheet=sheet, wrong=wrong)


def _record_rows(sheet: RawSheet, header: HeaderRow, findings: Findings) -> Iterable[int]:
    """The rows that hold a record; a row that repeats the header, or the units below it, is none, and noted."""
    for row in range(header.first_record, len(sheet.rows)):
        cells = sheet.rows[row]
        if not _has_data(cells, header):
            continue
        if any(_repeats(cells, titles, header) for titles in sheet.rows[header.row : header.first_record]):
            place = sheet.address(row, header.headings[0].index)
            findings.corrections.append(Correction(sheet.name, place, "the header row once more", "left out"))
            continue
        yield row


def _repeats(cells: tuple[Any, ...], titles: tuple[Any, ...], header: HeaderRow) -> bool:
    """Whether a row says the same as the header row in every column that is read."""
    return all(
        heading.index < len(cells) and cells[heading.index] == titles[heading.index]
        for heading in header.headings
        if heading.index < len(titles)
    )


def _has_data(row: tuple[Any, ...], header: HeaderRow) -> bool:
    return any(heading.index < len(row) and not is_missing(row[heading.index]) for heading in header.headings)


def _frame(table: Table, values: Mapping[str, list[Any]], length: int) -> pd.DataFrame:
    """The columns as a frame with every column of the table, in order and typed; absent ones empty, or by default."""
    columns: dict[str, pd.Series[Any]] = {}
    for column in table.columns:
        cells = values.get(column.name, [DEFAULTS.get((table.name, column.name))] * length)
        kind: Any = np.float64 if column.type == "number" else object
        if column.type in ("integer", "year") and all(cell is not None for cell in cells):
            kind = np.int64
        columns[column.name] = pd.Series(cells, dtype=kind)
    return pd.DataFrame(columns, columns=list(table.column_names))


# --- the header ---------------------------------------------------------------------------------------------------


def _lacking_columns(sheet: RawSheet, header: HeaderRow, table: Table) -> Iterable[BadInput]:
    present = {heading.column.name for heading in header.headings}
    for column in table.columns:
        if column.required and column.name not in present and (table.name, column.name) not in DEFAULTS:
            missing = f"no column {column.name!r} in row {header.row + 1}"
            yield BadCell(sheet, "", missing, f"a column {column.name!r}: {column.meaning}", _remedy(header))


def _remedy(header: HeaderRow) -> str:
    """What to do about a column that is lacking: it may stand there under a name that is not known."""
    strange = ", ".join(repr(text) for _, text in header.unknown[:_MOST_NAMED])
    return f"add it; if it stands under {strange}, rename that" if strange else "add it"


def _header_errors(sheet: RawSheet, header: HeaderRow) -> Iterable[BadInput]:
    for heading in header.headings:
        if not heading.known_unit:
            wanted = f"{heading.column.name} in {heading.column.unit} or a unit that converts to it"
            remedy = "write one of these units, or leave the brackets out"
            yield BadCell(sheet, sheet.address(header.row, heading.index), f"unit {heading.unit!r}", wanted, remedy)
    for index, text in header.repeated:
        repetition = f"column {text!r}, which stands there before"
        yield BadCell(sheet, sheet.address(header.row, index), repetition, "each column once", "rename or remove one")


def _header_notes(sheet: RawSheet, header: HeaderRow, table: Table) -> Iterable[Correction]:
    for given, used in sheet.notes:
        yield Correction(sheet.name, "", given, used)
    for heading in header.headings:
        if heading.scale.changes:
            cell = sheet.address(header.row, heading.index)
            yield Correction(sheet.name, cell, f"{heading.column.name} in {heading.unit}", heading.column.unit)
        if heading.aside:
            cell = sheet.address(header.row, heading.index)
            reading = f"read as {heading.unit}" if heading.unit else f"no unit; in {heading.column.unit}"
            yield Correction(sheet.name, cell, f"({heading.aside})", reading)
    for index, text in header.unknown:
        cell = sheet.address(header.row, index)
        yield Correction(sheet.name, cell, f"column {text!r}", "left out: no such column in the table")
    present = {heading.column.name for heading in header.headings}
    for (name, column), value in DEFAULTS.items():
        if name == table.name and column not in present:
            yield Correction(sheet.name, "", f"no column {column!r}", f"{value} in every row")


def _asides(sheet: RawSheet, records: tuple[int, int]) -> Iterable[Correction]:
    """Hidden rows and columns, and comments from the first to the last of the records: what became of them."""
    first, last = records
    for cell, what in sheet.asides:
        comment, row = what.startswith("a comment"), place_of(cell)[0] - 1
        if first <= row <= last or what.startswith("hidden column"):
            used = "not read: what matters belongs into 'remarks'" if comment else "read like any other"
            yield Correction(sheet.name, cell, what, used)


def _uncomputed_formulas(sheet: RawSheet, header: HeaderRow) -> Iterable[BadInput]:
    """Formulas that nothing has computed yet; each would read as an empty cell."""
    recognised = {heading.index for heading in header.headings}
    for cell in sheet.uncomputed:
        row, column = place_of(cell)
        if row > header.row and column - 1 in recognised:
            contents, remedy = "a formula without a stored value", "open and save it in a spreadsheet"
            yield BadCell(sheet, cell, contents, "a value", remedy)


# --- the columns --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _SheetColumn:
    """A column of a sheet: its header's row, the rows of the records, and what an empty cell of it means."""

    sheet: RawSheet
    header_row: int
    rows: tuple[int, ...]
    heading: Heading
    default: Any

    @property
    def cells(self) -> list[Any]:
        index = self.heading.index
        sheet_rows = (self.sheet.rows[row] for row in self.rows)
        return [cells[index] if index < len(cells) else None for cells in sheet_rows]

    def place(self, record: int) -> str:
        return self.sheet.address(self.rows[record], self.heading.index)

    def correction(self, cell: str, found: str, used: str) -> Correction:
        return Correction(self.sheet.name, cell, found, used)


def _typed_column(column: _SheetColumn, findings: Findings) -> tuple[list[Any], set[int]]:
    """The values of one column, and the records whose cell was reported."""
    cells = column.cells
    column = _with_unit(column, cells, findings)
    read = column_reader(column.heading, column.sheet, cells)
    typed = [read(cell) for cell in cells]
    findings.corrections += _merged(column)
    findings.doubts += _codes(column, cells)
    wrong = {record for record, cell in enumerate(typed) if cell.found}
    unit = column.heading.unit if column.heading.scale.changes else ""
    wanted = expected(column.heading.column, unit)
    for record in sorted(wrong):
        bad = typed[record]
        findings.errors.append(BadCell(column.sheet, column.place(record), bad.found, wanted, bad.remedy))
    findings.corrections += [
        column.correction(column.place(record), str(cells[record]), cell.used)
        for record, cell in enumerate(typed)
        if cell.used
    ]
    values = [cell.value for cell in typed]
    uncomputed = set(column.sheet.uncomputed)
    blank = [record for record, value in enumerate(values) if value is None and record not in wrong]
    reported = {record for record in blank if column.place(record) in uncomputed} if uncomputed else set()
    blank = [record for record in blank if record not in reported]
    if column.default is not None:
        findings.corrections += _by_default(column, [record for record in blank if cells[record] is None])
        for record in blank:
            values[record] = column.default
    elif column.heading.column.required:
        for record in blank:
            contents = "an empty cell" if cells[record] is None else repr(cells[record])
            findings.errors.append(BadCell(column.sheet, column.place(record), contents, wanted))
        reported |= set(blank)
    return values, wrong | reported


def _with_unit(column: _SheetColumn, cells: Sequence[Any], findings: Findings) -> _SheetColumn:
    """The column with the unit that is assumed where its header states none; the assumption is noted."""
    heading = column.heading
    if not heading.assumed_unit:
        return column
    scale = assumed_scale(heading, cells)
    used = _ASSUMED.get(scale.unit, "") if scale.changes else f"taken as {heading.column.unit}"
    cell = column.sheet.address(column.header_row, heading.index)
    findings.corrections.append(column.correction(cell, f"{heading.column.name} without a unit", used))
    unit = scale.unit if scale.changes else ""
    return replace(column, heading=replace(heading, multiply=scale.multiply, divide=scale.divide, unit=unit))


def _merged(column: _SheetColumn) -> Iterable[Correction]:
    """Cells filled from a merged range, those of one range in one note."""
    filled = {cell.cell: str(cell.value) for cell in column.sheet.filled}
    records = [record for record in range(len(column.rows)) if column.place(record) in filled] if filled else []
    by_value = groupby(records, key=lambda record: filled[column.place(record)])
    for value, group in by_value:
        yield from (column.correction(span, "part of a merged cell", value) for span in _spans(column, list(group)))


def _codes(column: _SheetColumn, cells: Sequence[Any]) -> Iterable[Doubt]:
    """Numbers within the bounds that may stand for 'not measured'."""
    heading = column.heading
    for code, count in repeated_codes(heading.column, cells).items():
        first = column.place(next(record for record, cell in enumerate(cells) if cell == code))
        kept = said(heading.scale.convert(code), heading.column)
        repetition = f"{code:g} in {count} cells of the column, beyond every other number of it"
        meaning = f"kept as {kept}; leave the cells empty if it stands for 'not measured'"
        yield Doubt(column.sheet.name, first, repetition, meaning)


def _by_default(column: _SheetColumn, blank: Sequence[int]) -> Iterable[Correction]:
    """What empty cells were read as, neighbours in one note."""
    return (column.correction(span, "an empty cell", str(column.default)) for span in _spans(column, blank))


def _spans(column: _SheetColumn, records: Sequence[int]) -> Iterable[str]:
    """The cells of the records as ranges of neighbouring rows."""
    for _, group in groupby(enumerate(records), key=lambda pair: column.rows[pair[1]] - pair[0]):
        neighbours = [record for _, record in group]
        first, last = column.place(neighbours[0]), column.place(neighbours[-1])
        yield first if first == last else f"{first}:{last}"
