"""A table as it is published: each cell in the type of its column, rounded, and harmless in a spreadsheet.

What makes text harmless is in ``catalog.formats.cell_text``. Cells of columns with a fixed set of values (``=`` in
``bound``) cannot carry a formula and stay as they are.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import pandas as pd

from catalog.formats.cell_text import csv_text, inert_text
from schemas.errors import BadInput
from schemas.fields import Column, Table


@dataclass(frozen=True)
class PublishedTable:
    """A table as it is published: values in Python types, None where missing, rows in order of the primary key."""

    table: Table
    rows: tuple[tuple[Any, ...], ...]


def published_table(table: Table, frame: pd.DataFrame) -> PublishedTable:
    """A data frame as a table is published: cells checked, rounded and inert, rows in order of the primary key.

    Errors
    ------
    BadInput : a column is missing or unknown, or a cell does not fit its column.
    """
    missing = [name for name in table.column_names if name not in frame.columns]
    extra = [str(name) for name in frame.columns if name not in table.column_names]
    if missing or extra:
        misfits = " and ".join(
            [f"no column {name!r}" for name in missing] + [f"unknown column {name!r}" for name in extra]
        )
        raise BadInput(f"table {table.name}", misfits, f"the columns {', '.join(table.column_names)}")
    rows = published_rows(table, frame)
    keys = [table.column_names.index(name) for name in table.primary_key]
    if any(row[key] is None for row in rows for key in keys):
        ordered = sorted(rows, key=lambda row: [(row[key] is not None, row[key]) for key in keys])
    else:
        ordered = sorted(rows, key=itemgetter(*keys))
    return PublishedTable(table, tuple(ordered))


def write_csv_tables(tables: Iterable[PublishedTable], folder: Path) -> None:
    """Write each table as ``<its name>.csv`` into a folder that stands."""
    for published in tables:
        (folder / f"{published.table.name}.csv").write_bytes(csv_bytes(published))


def published_tables(schemas: Iterable[Table], frames: Mapping[str, pd.DataFrame]) -> list[PublishedTable]:
    """Those of the tables that there are frames of, as they are published, in the order of the schemas."""
    return [published_table(table, frames[table.name]) for table in schemas if table.name in frames]


def published_rows(table: Table, frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """The records in the order of the frame, which has the table's columns; cells as ``published_table`` has them.

    Errors
    ------
    BadInput : a cell does not fit its column.
    """
    cells = [_cells(table, column, frame[column.name].tolist()) for column in table.columns]
    return list(zip(*cells, strict=True))


def csv_bytes(published: PublishedTable) -> bytes:
    """The table as CSV: UTF-8, LF, a header row, fixed decimals, ISO dates, true and false, empty where missing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(published.table.column_names)
    forms = [_csv_form(column) for column in published.table.columns]
    columns = zip(*published.rows, strict=True)
    texts = [
        ["" if value is None else form(value) for value in values]
        for form, values in zip(forms, columns, strict=bool(published.rows))
    ]
    writer.writerows(zip(*texts, strict=True))
    return text.getvalue().encode("utf-8")


def _cells(table: Table, column: Column, values: list[Any]) -> list[Any]:
    """The cells of a column in its Python type; None where missing."""
    if column.type == "number" and all(type(value) is float for value in values) and not any(map(math.isinf, values)):
        return _floats(column, values)
    convert = _CONVERSIONS[column.type]
    if column.type == "string":  # texts repeat: each is made inert once
        convert = lru_cache(maxsize=None, typed=True)(convert)
    cells: list[Any] = []
    for value in values:
        if value is None or value is pd.NA or value is pd.NaT or value != value:
            cells.append(None)
            continue
        try:
            cells.append(convert(column, value))
        except (TypeError, ValueError):
            where = f"table {table.name}, column {column.name}"
            article = "an" if column.type == "integer" else "a"
            raise BadInput(where, repr(value), f"{article} {column.type}") from None
    return cells


def _floats(column: Column, values: list[float]) -> list[float | None]:
    """What ``_as_number`` makes of each finite value; the way of the long columns."""
    if column.decimals is None:
        return [None if value != value else value + 0.0 for value in values]
    return [None if value != value else round(value, column.decimals) + 0.0 for value in values]


def _as_number(column: Column, value: Any) -> float:
    number = float(value)
    if number in (float("inf"), float("-inf")):
        raise ValueError("infinite")
    if column.decimals is not None:
        number = round(number, column.decimals)
    return number + 0.0  # -0.0 becomes 0.0


def _as_integer(_column: Column, value: Any) -> int:
    if int(value) != value:
        raise ValueError("not whole")
    return int(value)


def _as_boolean(_column: Column, value: Any) -> bool:
    if value not in (True, False):
        raise ValueError("neither true nor false")
    return bool(value)


def _as_date(_column: Column, value: Any) -> date:
    if isinstance(value, datetime):
        return value.date()
    return value if isinstance(value, date) else date.fromisoformat(value)


def _as_string(_column: Column, value: Any) -> str | None:
    return inert_text(str(value)) or None


_CONVERSIONS: dict[str, Callable[[Column, Any], Any]] = {
    "string": _as_string,
    "integer": _as_integer,
    "number": _as_number,
    "boolean": _as_boolean,
    "date": _as_date,
    "year": _as_integer,
}


def _csv_form(column: Column) -> Callable[[Any], str]:
    """How a cell of the column stands in a CSV."""
    if column.type == "boolean":
        return lambda value: "true" if value else "false"
    if column.type == "number":
        form = ".12g" if column.decimals is None else f".{column.decimals}f"
        return lambda value: format(value, form)
    if column.type == "string" and not column.enum:
        return csv_text
    return date.isoformat if column.type == "date" else str
