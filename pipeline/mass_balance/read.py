"""Reads a field workbook, or a folder of CSV files, into typed tables: forgiving in form, strict in meaning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from pipeline.grid import is_projected_metres, utm_crs
from pipeline.mass_balance.cells import RawSheet, read_sheets
from pipeline.mass_balance.field_checks import check_tables
from pipeline.mass_balance.headers import HeaderRow, Heading, find_header, sheet_key
from pipeline.mass_balance.positions import with_both_positions
from pipeline.mass_balance.result import GlacierIdentity
from pipeline.mass_balance.values import is_missing, to_date, to_integer, to_name, to_number
from schemas.errors import BadInput, ManyBadInputs
from schemas.fields import Column, Table
from schemas.tables import WORKBOOK

_PARSERS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "number": (to_number, "a number"),
    "integer": (to_integer, "a whole number"),
    "year": (to_integer, "a year"),
    "date": (to_date, "a date such as 2003-08-27"),
    "string": (to_name, "text"),
}
# what an empty cell means in a column that must not stay empty
_DEFAULTS: dict[tuple[str, str], Any] = {("readings", "leg"): 1, ("readings", "status"): "ok"}
_TABLES = {table.name: table for table in WORKBOOK}


@dataclass(frozen=True)
class Correction:
    """A reading of the workbook that differs from what is typed there: sheet, cell, what was found, what was used."""

    sheet: str
    cell: str
    found: str
    used: str


@dataclass(frozen=True)
class FieldData:
    """Everything a field team measured, typed; metres and degrees.

    Attributes
    ----------
    source : name of the workbook or folder.
    glacier : the glacier it is about.
    stakes, readings, snow_pits, pit_layers, probings, hypsometry, zone_balances : the columns of the table schemas, in
        order; an absent sheet is an empty frame. Numbers are float (NaN where empty), dates ``datetime.date`` or None.
    corrections : where the reading differs from what is typed, in sheet order.
    origins : table name -> sheet and row of each record, for tracing a number back to its cells.
    """

    source: str
    glacier: GlacierIdentity
    stakes: pd.DataFrame
    readings: pd.DataFrame
    snow_pits: pd.DataFrame
    pit_layers: pd.DataFrame
    probings: pd.DataFrame
    hypsometry: pd.DataFrame
    zone_balances: pd.DataFrame
    corrections: tuple[Correction, ...]
    origins: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class TypedTable:
    """One table as read: the frame, and where each record and each cell of it stands."""

    frame: pd.DataFrame
    sheet: RawSheet | None
    rows: tuple[int, ...]
    columns: Mapping[str, int]

    def where(self, record: int, column: str) -> str:
        """File, sheet and cell of a record's column; the first cell of the row for a column that the sheet lacks."""
        if self.sheet is None:
            return "workbook"
        return self.sheet.where(self.rows[record], self.columns.get(column, 0))


def read_field_data(path: Path) -> FieldData:
    """Read a workbook (.xlsx) or a folder of CSV files that follows the table schemas.

    Errors
    ------
    ManyBadInputs : every wrong cell at once, each with file, sheet, cell, what was found and what was expected.
    BadInput : no such file, a password-protected or corrupt workbook, an empty folder, a missing sheet.
    """
    sheets = {sheet_key(sheet.name): sheet for sheet in reversed(read_sheets(path))}
    errors: list[BadInput] = []
    corrections: list[Correction] = []
    typed = {table.name: _typed_table(sheets.get(table.name), table, errors, corrections) for table in WORKBOOK}
    errors.extend(_missing_sheets(path.name, typed))
    if not errors:
        errors.extend(check_tables({name: (table.frame, table.where) for name, table in typed.items()}))
    if errors:
        raise ManyBadInputs(errors)
    glacier = _identity(typed["glacier"])
    frames = {
        name: with_both_positions(table.frame, glacier.crs) if "easting" in table.frame else table.frame
        for name, table in typed.items()
        if name != "glacier"
    }
    origins = {name: _origins(table) for name, table in typed.items()}
    return FieldData(path.name, glacier, **frames, corrections=tuple(corrections), origins=MappingProxyType(origins))


def _missing_sheets(source: str, typed: Mapping[str, TypedTable]) -> Iterable[BadInput]:
    """A glacier, and either stakes with readings, or pits with layers, or band balances, must be there."""
    present = {name for name, table in typed.items() if table.sheet is not None}
    needed = {"glacier"}
    if not present & {"zone_balances", "snow_pits"}:
        needed |= {"stakes", "readings"}
    pairs = (("stakes", "readings"), ("snow_pits", "pit_layers"))
    for name, companion in (*pairs, *((second, first) for first, second in pairs)):
        if name in present:
            needed.add(companion)
    for name in (table.name for table in WORKBOOK if table.name in needed - present):
        yield BadInput(
            source, f"no sheet {name!r}", f"a sheet {name!r}: {_TABLES[name].meaning}", "add it, or rename the sheet"
        )


def _typed_table(
    sheet: RawSheet | None, table: Table, errors: list[BadInput], corrections: list[Correction]
) -> TypedTable:
    """Read one sheet by its header row; errors and corrections are added to the lists."""
    if sheet is None or not any(value is not None for row in sheet.rows for value in row):
        return TypedTable(_frame(table, []), None, (), {})
    header = find_header(sheet, table)
    if header is None:
        expected = f"a header row such as {', '.join(table.column_names[:4])}"
        errors.append(BadInput(sheet.place, "no header row", expected))
        return TypedTable(_frame(table, []), sheet, (), {})
    errors.extend(_header_errors(sheet, header, table))
    corrections.extend(_header_notes(sheet, header))
    corrections.extend(
        Correction(sheet.name, filled.cell, "part of a merged cell", str(filled.value)) for filled in sheet.filled
    )
    rows = [row for row in range(header.row + 1, len(sheet.rows)) if _has_data(sheet.rows[row], header)]
    records = [_record(sheet, row, header, table, errors, corrections) for row in rows]
    columns = {heading.column.name: heading.index for heading in header.headings}
    return TypedTable(_frame(table, records), sheet, tuple(rows), columns)


def _header_errors(sheet: RawSheet, header: HeaderRow, table: Table) -> Iterable[BadInput]:
    present = {heading.column.name for heading in header.headings}
    for column in table.columns:
        if column.required and column.name not in present and (table.name, column.name) not in _DEFAULTS:
            found = f"no column {column.name!r} in row {header.row + 1}"
            yield BadInput(sheet.place, found, f"a column {column.name!r}: {column.meaning}")
    for heading in header.headings:
        if not heading.known_unit:
            expected = f"{heading.column.name} in {heading.column.unit} or a unit that converts to it"
            yield BadInput(sheet.where(header.row, heading.index), f"unit {heading.unit!r}", expected)


def _header_notes(sheet: RawSheet, header: HeaderRow) -> Iterable[Correction]:
    for heading in header.headings:
        if (heading.multiply, heading.divide) != (1, 1):
            cell = sheet.where(header.row, heading.index).rsplit(" ", 1)[-1]
            yield Correction(sheet.name, cell, f"{heading.column.name} in {heading.unit}", heading.column.unit)
    for index, text in header.unknown:
        cell = sheet.where(header.row, index).rsplit(" ", 1)[-1]
        yield Correction(sheet.name, cell, f"column {text!r}", "left out: no such column in the table")


def _has_data(row: tuple[Any, ...], header: HeaderRow) -> bool:
    return any(heading.index < len(row) and row[heading.index] is not None for heading in header.headings)


def _record(
    sheet: RawSheet,
    row: int,
    header: HeaderRow,
    table: Table,
    errors: list[BadInput],
    corrections: list[Correction],
) -> dict[str, Any]:
    """One record: every cell parsed, converted and held against its column's constraints."""
    record: dict[str, Any] = {column.name: _DEFAULTS.get((table.name, column.name)) for column in table.columns}
    for heading in header.headings:
        cells = sheet.rows[row]
        value = cells[heading.index] if heading.index < len(cells) else None
        if is_missing(value):
            continue
        try:
            record[heading.column.name] = _parse(value, heading)
        except ValueError:
            expected = _expected(heading.column, heading.unit)
            errors.append(BadInput(sheet.where(row, heading.index), repr(_plain(value)), expected))
            record[heading.column.name] = _Wrong()
            continue
        if heading.column.type == "date" and isinstance(value, str | int | float):
            cell = sheet.where(row, heading.index).rsplit(" ", 1)[-1]
            used = record[heading.column.name].isoformat()
            if used != str(value).strip():
                corrections.append(Correction(sheet.name, cell, str(value), used))
    errors.extend(_constraint_errors(sheet, row, header, table, record))
    return {name: None if isinstance(value, _Wrong) else value for name, value in record.items()}


class _Wrong:
    """Stands for a cell already reported, so that it is not reported again as missing."""


def _parse(value: Any, heading: Heading) -> Any:
    parser, _ = _PARSERS[heading.column.type]
    parsed = parser(value)
    if heading.column.type == "string" and heading.column.enum:
        return parsed.lower().replace(" ", "_").replace("-", "_")
    if heading.column.type == "number":
        return parsed * heading.multiply / heading.divide
    return parsed


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


def _expected(column: Column, unit: str = "") -> str:
    """What a column takes, in words."""
    if column.enum:
        return f"{column.name}: one of {', '.join(column.enum)}"
    text = f"{column.name}: {_PARSERS[column.type][1]}"
    if column.unit:
        text += f" ({unit or column.unit})"
    if column.minimum is not None and column.maximum is not None:
        text += f" from {column.minimum:g} to {column.maximum:g}" + (f" {column.unit}" if unit else "")
    elif column.minimum is not None:
        text += f" of at least {column.minimum:g}"
    if column.pattern:
        text += f" like {column.pattern}"
    return text


def _constraint_errors(
    sheet: RawSheet, row: int, header: HeaderRow, table: Table, record: Mapping[str, Any]
) -> Iterable[BadInput]:
    places = {heading.column.name: heading for heading in header.headings}
    for column in table.columns:
        value, heading = record[column.name], places.get(column.name)
        if isinstance(value, _Wrong) or heading is None:
            continue
        where = sheet.where(row, heading.index)
        if value is None:
            if column.required:
                yield BadInput(where, "an empty cell", _expected(column, heading.unit))
        elif not _within(value, column):
            found = repr(_plain(sheet.rows[row][heading.index])) if heading.unit else repr(_plain(value))
            yield BadInput(where, found, _expected(column, heading.unit))


def _within(value: Any, column: Column) -> bool:
    if column.enum:
        return value in column.enum
    if column.type in ("number", "integer"):
        low = column.minimum is None or value >= column.minimum
        return low and (column.maximum is None or value <= column.maximum)
    if column.pattern:
        return bool(pd.Series([value]).str.fullmatch(column.pattern).iloc[0])
    return True


def _frame(table: Table, records: list[dict[str, Any]]) -> pd.DataFrame:
    """The records as a frame with every column of the table, in order and typed."""
    kinds = {"number": np.float64, "integer": np.int64, "year": np.int64}
    columns: dict[str, pd.Series[Any]] = {}
    for column in table.columns:
        values = [record[column.name] for record in records]
        kind: Any = kinds.get(column.type, object)
        if kind is np.int64 and any(value is None for value in values):
            kind = object
        columns[column.name] = pd.Series(values, dtype=kind)
    return pd.DataFrame(columns, columns=list(table.column_names))


def _identity(glaciers: TypedTable) -> GlacierIdentity:
    """The glacier of the one row; without a stated CRS, the UTM zone that holds it."""
    row = glaciers.frame.iloc[0]
    longitude, latitude = float(row["longitude"]), float(row["latitude"])
    crs = row["crs"] or utm_crs(longitude, latitude)
    if not is_projected_metres(crs):
        raise BadInput(glaciers.where(0, "crs"), repr(crs), "a projected CRS in metres, as EPSG:code")
    return GlacierIdentity(str(row["glacier_id"]), str(row["glacier_name"]), longitude, latitude, crs)


def _origins(table: TypedTable) -> tuple[str, ...]:
    if table.sheet is None:
        return ()
    return tuple(f"{table.sheet.name}!{row + 1}" for row in table.rows)
