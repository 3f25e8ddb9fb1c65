"""Sheets whose dates, years or stakes are the heads of columns become one record a row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet, address
from pipeline.mass_balance.fieldwork.headers import HEADER_WITHIN_ROWS, find_header, recognise
from pipeline.mass_balance.fieldwork.records import plain_name
from pipeline.mass_balance.fieldwork.units import scale_of
from pipeline.mass_balance.fieldwork.values import Unreadable, date_habits, is_missing, tidy, to_date, to_word, to_year
from schemas.fields import Table
from schemas.tables import READING_STATUS, STAKES, WORKBOOK_SHEETS

# so many heads of columns are no chance
_FEWEST_HEADS = 2
_FIRST_YEAR, _LAST_YEAR = 1800, 2100
# what names a row, and what its other cells are where nothing else is said
_NAMED_BY = {"readings": ("stake_id", "leg"), "hypsometry": ("lower_m", "upper_m")}
_VALUE = {"readings": "exposed_m", "hypsometry": "area_km2"}
_HEAD = {"readings": "date", "hypsometry": "year"}
_NAMES_OF_ROWS = ("编号", "点号", "id", "nr", "nr.", "no", "no.", "#")
_PLACED = ("longitude", "latitude", "easting", "northing", "elevation_m")
_READINGS = next(table for table in WORKBOOK_SHEETS if table.name == "readings")


@dataclass(frozen=True)
class _Group:
    """The columns of one head: its own cell, and what each column holds (header text, column)."""

    head: tuple[int, int]
    columns: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class _Layout:
    """Where a wide sheet has its names of rows (header text, column), its groups and its first record."""

    names: tuple[tuple[str, int], ...]
    groups: tuple[_Group, ...]
    first_record: int
    head: str


def as_long(sheet: RawSheet, table: Table, stakes: frozenset[str] = frozenset()) -> RawSheet:
    """The sheet with a record for each head of a column, where dates, years or stakes are such heads; itself else.

    Read so: a stake a row and a date a column, below each date one column or several (exposed length, snow depth, ...);
    a date a row and a stake a column; a band a row and a year a column. A cell that holds a word for the state of a
    stake is that.

    Parameters
    ----------
    sheet : with its cells as typed.
    table : which it stands for: readings or hypsometry.
    stakes : their names, as ``plain_name`` gives them.
    """
    if table.name not in _NAMED_BY:
        return sheet
    for row, cells in enumerate(sheet.rows[:HEADER_WITHIN_ROWS]):
        if sum(cell is not None for cell in cells) <= _FEWEST_HEADS:
            continue
        layout = _of_heads(sheet, row, table) or (_of_stakes(sheet, row, stakes) if table.name == "readings" else None)
        if layout is not None:
            return _unfolded(sheet, layout, row)
    return sheet


def stake_names(sheet: RawSheet | None) -> frozenset[str]:
    """What may be the name of a stake in the sheet that lists them: every cell, as ``plain_name`` gives it.

    Parameters
    ----------
    sheet : of the stakes; None gives none.
    """
    rows = sheet.rows if sheet is not None else ()
    cells = (cells[0] for cells in rows if cells and cells[0] is not None)
    return frozenset(plain_name(_text(cell)) for cell in cells)


def _of_heads(sheet: RawSheet, row: int, table: Table) -> _Layout | None:
    """The layout of a sheet with dates (years) as heads in a row."""
    cells = sheet.rows[row]
    heads = [column for column, cell in enumerate(cells) if _is_head(cell, table)]
    if len(heads) < _FEWEST_HEADS:
        return None
    below = sheet.rows[row + 1] if row + 1 < len(sheet.rows) else ()
    named_below = [column for column, cell in enumerate(below) if column >= heads[0] and _names(cell, table)]
    two_rows = len(named_below) >= len(heads)
    names = _row_names((cells, below) if two_rows else (cells,), heads[0], table)
    if not {table_column for table_column, _, _ in names} & set(_NAMED_BY[table.name][:1]):
        return None
    ends = [*heads[1:], max(len(cells), len(below) if two_rows else 0)]
    if two_rows:
        parts = [
            tuple((str(below[column]), column) for column in named_below if head <= column < end)
            for head, end in zip(heads, ends, strict=True)
        ]
    else:
        title = _value_title(sheet, row, table)
        parts = [((title, head),) for head in heads]
    groups = tuple(_Group((row, head), part) for head, part in zip(heads, parts, strict=True))
    first_record = row + (2 if two_rows else 1)
    return _Layout(tuple((text, column) for _, text, column in names), groups, first_record, _HEAD[table.name])


def _of_stakes(sheet: RawSheet, row: int, stakes: frozenset[str]) -> _Layout | None:
    """The layout of a sheet with a date a row and stakes as heads."""
    cells = sheet.rows[row]
    dates = [column for column, cell in enumerate(cells) if _column_of(cell, _READINGS) == "date"]
    heads = [
        column
        for column, cell in enumerate(cells)
        if column not in dates and cell is not None and plain_name(_text(cell)) in stakes
    ]
    if len(dates) != 1 or len(heads) < _FEWEST_HEADS:
        return None
    title = _value_title(sheet, row, _READINGS)
    groups = tuple(_Group((row, head), ((title, head),)) for head in heads)
    return _Layout(((str(cells[dates[0]]), dates[0]),), groups, row + 1, "stake_id")


def _row_names(rows: Sequence[Sequence[Any]], before: int, table: Table) -> list[tuple[str, str, int]]:
    """The columns before the first head that name a row: column of the table, header text, column of the sheet."""
    names: dict[str, tuple[str, str, int]] = {}
    for cells in rows:
        for index, cell in enumerate(cells[:before]):
            column = _column_of(cell, table)
            if column in _NAMED_BY[table.name]:
                names.setdefault(column, (column, str(cell), index))
    return list(names.values())


def _column_of(cell: Any, table: Table) -> str:
    """The column of the table that a header names; empty where it names none."""
    if not isinstance(cell, str):
        return ""
    heading = recognise(cell, 0, table)
    if heading is not None:
        return heading.column.name
    # a header of little meaning at the head of the rows can only name them
    return (
        "stake_id"
        if table.name == "readings" and tidy(cell).lower() in ("编号", "点号", "id", "nr", "no", "no.")
        else ""
    )


def _names(cell: Any, table: Table) -> bool:
    """Whether a cell below a head names something that was measured."""
    return _column_of(cell, table) not in ("", "stake_id", "leg", "date", "year", "lower_m", "upper_m")


def _is_head(cell: Any, table: Table) -> bool:
    if cell is None or isinstance(cell, bool):
        return False
    if table.name == "hypsometry":
        return _is_year(cell)
    if isinstance(cell, datetime | date):
        return True
    if not isinstance(cell, str) or not re.search(r"\d{4}|\d{1,2}\D+\d{1,2}\D+\d\d", cell):
        return False
    try:
        return _FIRST_YEAR <= to_date(cell, date_habits([cell])).year <= _LAST_YEAR
    except Unreadable:
        return False


def _is_year(cell: Any) -> bool:
    if isinstance(cell, datetime | date):
        return False
    try:
        return _FIRST_YEAR <= to_year(cell) <= _LAST_YEAR
    except (Unreadable, ValueError):
        return False


def _value_title(sheet: RawSheet, row: int, table: Table) -> str:
    """The name of what the cells below the heads hold, with the unit that a title or the sheet's name states."""
    value = _VALUE[table.name]
    column = next(one for one in table.columns if one.name == value)
    texts = [cell for cells in sheet.rows[: row + 1] for cell in cells if isinstance(cell, str)]
    for text in (*texts, sheet.name):
        for spelled in re.findall(r"[(\[（【]([^)\]）】]*)[)\]）】]", text):
            if scale_of(spelled, column.unit) is not None:
                return f"{value.removesuffix('_m').removesuffix('_km2')} ({spelled})"
    return value.removesuffix("_m").removesuffix("_km2")


def _unfolded(sheet: RawSheet, layout: _Layout, row: int) -> RawSheet:
    """The sheet as a list of records, each cell of which knows where it stands."""
    titles = list(dict.fromkeys(text for group in layout.groups for text, _ in group.columns))
    of_stakes = layout.head != "year"
    header = [text for text, _ in layout.names] + [layout.head, *titles, *(["status"] if of_stakes else [])]
    rows: list[tuple[Any, ...]] = [tuple(header)]
    places: dict[tuple[int, int], str] = {}
    for place, (_, column) in enumerate(layout.names):
        places[0, place] = address(row, column)
    places[0, len(layout.names)] = address(*layout.groups[0].head)
    for group in layout.groups:  # the last counts: with the first head the columns from there to here are named
        for text, column in group.columns:
            places[0, len(layout.names) + 1 + titles.index(text)] = address(layout.first_record - 1, column)
    if of_stakes:
        places[0, len(header) - 1] = address(row, 0)
    for number, cells in _records(sheet, layout, titles):
        rows.append(tuple(value for value, _ in cells[: len(header)]))
        for index, (_, at) in enumerate(cells[: len(header)]):
            places[len(rows) - 1, index] = address(*at) if at is not None else address(number, 0)
    what = {"date": "dates", "year": "years", "stake_id": "stakes"}[layout.head]
    note = (f"{len(layout.groups)} {what} as heads of columns", "read as one record a cell")
    return replace(sheet, rows=tuple(rows), addresses=places, notes=(*sheet.notes, note))


Cell = tuple[Any, tuple[int, int] | None]


def _records(sheet: RawSheet, layout: _Layout, titles: Sequence[str]) -> Iterator[tuple[int, list[Cell]]]:
    """The records, by row and head: names of the row, the head, values and state, each with its place."""
    for number in range(layout.first_record, len(sheet.rows)):
        cells = sheet.rows[number]
        names: list[Cell] = [(_at(cells, column), (number, column)) for _, column in layout.names]
        if is_missing(names[0][0]) or _says_the_header(sheet, layout, cells):
            continue
        for group in layout.groups:
            values: dict[str, Cell] = {text: (_at(cells, column), (number, column)) for text, column in group.columns}
            if all(is_missing(value) for value, _ in values.values()):
                continue
            row, column = group.head
            state, values = _state(values)
            held: list[Cell] = [values.get(title, (None, None)) for title in titles]
            yield number, [*names, (sheet.rows[row][column], group.head), *held, state]


def _says_the_header(sheet: RawSheet, layout: _Layout, cells: Sequence[Any]) -> bool:
    """Whether a row is the header once more."""
    row, column = layout.groups[0].head
    return bool(_at(cells, column) == sheet.rows[row][column])


def _state(values: Mapping[str, Cell]) -> tuple[Cell, dict[str, Cell]]:
    """The state of a stake that stands where its reading should, and the values without it."""
    kept = dict(values)
    for title, (value, place) in values.items():
        if isinstance(value, str) and to_word(value) in READING_STATUS:
            kept[title] = (None, place)
            return (value, place), kept
    return (None, None), kept


def _at(cells: Sequence[Any], column: int) -> Any:
    return cells[column] if column < len(cells) else None


def _text(cell: Any) -> str:
    return str(int(cell)) if isinstance(cell, float) and cell == int(cell) else str(cell)


def stakes_and_readings(sheet: RawSheet) -> tuple[RawSheet, RawSheet] | None:
    """The stakes and the readings of a sheet that lists stakes and has dates as heads beside them; None of any other.

    Parameters
    ----------
    sheet : with its cells as typed.
    """
    for row in range(min(len(sheet.rows), HEADER_WITHIN_ROWS)):
        layout = _of_heads(sheet, row, _READINGS)
        if layout is not None:
            first = layout.groups[0].head[1]
            listed = replace(sheet, rows=tuple(cells[:first] for cells in sheet.rows))
            return listed, replace(_unfolded(sheet, layout, row), asides=())
    return None


def stakes_from_readings(sheet: RawSheet) -> RawSheet | None:
    """A sheet of stakes from readings that state where each was read: the first position of every stake.

    Parameters
    ----------
    sheet : of the readings; None comes back where it states no positions.
    """
    header = find_header(sheet, STAKES)
    named = {heading.column.name: heading.index for heading in header.headings} if header is not None else {}
    placed = {"longitude", "latitude"} <= set(named) or {"easting", "northing"} <= set(named)
    if header is None or not placed or "stake_id" not in named:
        return None
    columns = [named.pop("stake_id"), *(named[name] for name in _PLACED if name in named)]
    rows = [tuple(sheet.rows[header.row][column] for column in columns)]
    places = {(0, index): sheet.address(header.row, column) for index, column in enumerate(columns)}
    seen: set[str] = set()
    for number in range(header.first_record, len(sheet.rows)):
        values = [_at(sheet.rows[number], column) for column in columns]
        name = plain_name(_text(values[0])) if not is_missing(values[0]) else ""
        if not name or name in seen or any(is_missing(value) for value in values[1:3]):
            continue
        seen.add(name)
        rows.append(tuple(values))
        places |= {(len(rows) - 1, index): sheet.address(number, column) for index, column in enumerate(columns)}
    note = ("no sheet 'stakes'", f"the stakes of {sheet.name!r}, each where it was first read")
    return replace(sheet, rows=tuple(rows), addresses=places, notes=(note,), asides=(), filled=(), uncomputed=())
