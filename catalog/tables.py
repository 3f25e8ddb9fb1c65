"""Tables of a collection as CSV, Parquet and one workbook, described by a Data Package.

In the workbook the second row of a sheet gives the units (``-`` where a column has none); records begin below it.

Text that a spreadsheet would run as a formula is made inert, the same way in every format, so that all hold the same
records: free text that begins with ``=``, ``+``, ``-``, ``@`` or a tab gets an apostrophe in front. Cells of columns
with a fixed set of values (``=`` in ``bound``) cannot carry a formula and stay as they are; in the workbook every text
is stored as text. Control characters and marks that reverse the writing direction are removed.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from frictionless import Package
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from catalog.dataset import Dataset
from catalog.layout import DATAPACKAGE_JSON, TABLES, CollectionFolder
from catalog.manifest import sha256_of
from catalog.metadata.facts import describe
from pipeline.timeless_workbook import CoreProperties, workbook_bytes
from schemas.definition import Definition
from schemas.errors import BadInput
from schemas.fields import Column, Table
from schemas.tables import PUBLISHED_TABLES

_FORMULA = ("=", "+", "-", "@", "\t")
# C0 and C1 controls but tab and line feed; marks, embeddings, overrides and isolates of writing direction
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_PARQUET_TYPES = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "year": pa.int32(),
}


@dataclass(frozen=True)
class PublishedTable:
    """A table as it is published: values in Python types, None where missing, rows in order of the primary key."""

    table: Table
    rows: tuple[tuple[Any, ...], ...]


def write_tables(dataset: Dataset, folder: CollectionFolder) -> None:
    """Write every table of the dataset in each format, and ``datapackage.json``.

    Errors
    ------
    BadInput : a table lacks a column, has one too many, or a cell that does not fit its column.
    """
    folder.tables.mkdir(parents=True, exist_ok=True)
    published = published_tables(dataset)
    for table in published:
        folder.table_csv(table.table.name).write_bytes(csv_bytes(table))
        pq.write_table(_arrow(table), folder.tables / f"{table.table.name}.parquet", compression="zstd")
    workbook_path(folder).write_bytes(_workbook(dataset, published))
    package = data_package(dataset, folder, [table.table for table in published])
    text = json.dumps(package, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder.path / DATAPACKAGE_JSON).write_text(text, encoding="utf-8", newline="\n")


def workbook_path(folder: CollectionFolder) -> Path:
    """Where the collection's workbook stands."""
    return folder.tables / f"{folder.collection_id}.xlsx"


def conforms(folder: Path) -> list[str]:
    """What Frictionless finds wrong with a collection's Data Package: sizes, hashes, types, constraints, keys."""
    package = Package(DATAPACKAGE_JSON, basepath=str(folder))  # an absolute path would be refused as unsafe
    report = package.validate()
    found = [f"{DATAPACKAGE_JSON}: {error.message}" for error in report.errors]
    return found + [f"{task.place}: {error.message}" for task in report.tasks for error in task.errors]


def published_tables(dataset: Dataset) -> tuple[PublishedTable, ...]:
    """The dataset's tables, each cell checked and rounded as its column says."""
    schemas = {table.name: table for table in PUBLISHED_TABLES}
    unknown = sorted(set(dataset.tables) - set(schemas))
    if unknown:
        raise BadInput("tables", ", ".join(unknown), f"tables among {', '.join(schemas)}")
    return tuple(published_table(schemas[name], frame) for name, frame in dataset.tables.items())


def csv_bytes(published: PublishedTable) -> bytes:
    """The table as CSV: UTF-8, LF, a header row, fixed decimals, ISO dates, true and false, empty where missing."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    columns = published.table.columns
    writer.writerow(published.table.column_names)
    writer.writerows(
        [_csv_cell(column, value) for column, value in zip(columns, row, strict=True)] for row in published.rows
    )
    return text.getvalue().encode("utf-8")


def inert_text(text: str) -> str:
    """Text without control characters and direction marks, lines ended by LF."""
    return _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def data_package(dataset: Dataset, folder: CollectionFolder, tables: Iterable[Table]) -> dict[str, Any]:
    """The Data Package descriptor of the tables as they stand in ``folder``; paths are relative to it."""
    definition = dataset.definition
    listed = list(tables)
    names = [table.name for table in listed]
    facts = describe(dataset, ())
    return {
        "name": definition.id,
        "title": facts.title.en,
        "description": facts.abstract.en,
        "version": definition.version,
        "created": f"{definition.publication_date.isoformat()}T00:00:00Z",
        "licenses": [_licence(definition)],
        "sources": [_source(source.title, source.url) for source in definition.sources],
        "contributors": [{"title": definition.publisher, "path": definition.publisher_url, "role": "publisher"}],
        "keywords": list(facts.keywords),
        "resources": [_resource(folder, table, names) for table in listed],
    }


def published_table(table: Table, frame: pd.DataFrame) -> PublishedTable:
    """A data frame as a table is published: cells checked, rounded and inert, rows in order of the primary key.

    Errors
    ------
    BadInput : a column is missing or unknown, or a cell does not fit its column.
    """
    missing = [name for name in table.column_names if name not in frame.columns]
    extra = [str(name) for name in frame.columns if name not in table.column_names]
    if missing or extra:
        found = " and ".join(
            [f"no column {name!r}" for name in missing] + [f"unknown column {name!r}" for name in extra]
        )
        raise BadInput(f"table {table.name}", found, f"the columns {', '.join(table.column_names)}")
    cells = [[_cell(table, column, value) for value in frame[column.name]] for column in table.columns]
    keys = [table.column_names.index(name) for name in table.primary_key]
    rows = sorted(zip(*cells, strict=True), key=lambda row: [_sort_key(row[key]) for key in keys])
    return PublishedTable(table, tuple(rows))


def _sort_key(value: Any) -> tuple[bool, Any]:
    return (value is not None, value)


def _cell(table: Table, column: Column, value: Any) -> Any:
    """A cell in the Python type of its column; None where missing."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    try:
        return _CONVERSIONS[column.type](column, value)
    except (TypeError, ValueError):
        where = f"table {table.name}, column {column.name}"
        article = "an" if column.type == "integer" else "a"
        raise BadInput(where, repr(value), f"{article} {column.type}") from None


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


def _as_string(column: Column, value: Any) -> str | None:
    text = inert_text(str(value))
    if text.startswith(_FORMULA) and not column.enum:
        return f"'{text}"
    return text or None


_CONVERSIONS = {
    "string": _as_string,
    "integer": _as_integer,
    "number": _as_number,
    "boolean": _as_boolean,
    "date": _as_date,
    "year": _as_integer,
}


def _csv_cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.{column.decimals}f}" if column.decimals is not None else f"{value:.12g}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _arrow(published: PublishedTable) -> pa.Table:
    columns = published.table.columns
    fields = [
        pa.field(
            column.name,
            _PARQUET_TYPES[column.type],
            metadata={"description": column.meaning, **({"unit": column.unit} if column.unit else {})},
        )
        for column in columns
    ]
    values = list(zip(*published.rows, strict=True)) if published.rows else [()] * len(columns)
    arrays = [pa.array(cells, field.type) for cells, field in zip(values, fields, strict=True)]
    about = {"title": published.table.title, "description": published.table.meaning}
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields, metadata=about))


# --- the workbook ------------------------------------------------------------------------------------------------

_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="1F3A5F")
_UNIT = Font(italic=True, color="5B6672")
_UNITS_ROW = 2


def _workbook(dataset: Dataset, tables: tuple[PublishedTable, ...]) -> bytes:
    book = Workbook()
    readme = book.worksheets[0]
    readme.title = "README"
    _fill_readme(readme, dataset, tables)
    for published in tables:
        _fill_sheet(book.create_sheet(published.table.name[:31]), published)
    definition = dataset.definition
    title = describe(dataset, ()).title.en
    return workbook_bytes(book, CoreProperties(title, definition.publisher, definition.publication_date))


def _fill_readme(sheet: Any, dataset: Dataset, tables: tuple[PublishedTable, ...]) -> None:
    definition = dataset.definition
    facts = describe(dataset, ())
    lines: list[tuple[Any, ...]] = [
        (facts.title.en,),
        (facts.title.cn,),
        (facts.abstract.en,),
        (facts.citation.en,),
        (f"Version {definition.version}, {definition.publication_date.isoformat()}, {definition.publisher}",),
        (),
        ("In each sheet the first row names the columns, with a comment on each; the second gives the units.",),
        (),
        ("sheet", "holds", "rows"),
        *((p.table.name, f"{p.table.title}: {p.table.meaning}", len(p.rows)) for p in tables),
        (),
        ("column", "meaning", "unit", "sheet"),
        *((c.name, c.meaning, c.unit, p.table.name) for p in tables for c in p.table.columns),
    ]
    for row, line in enumerate(lines, start=1):
        for column, value in enumerate(line, start=1):
            _put(sheet, row, column, inert_text(value) if isinstance(value, str) else value)
        if line and line[0] in ("sheet", "column"):
            for cell in sheet[row][: len(line)]:
                cell.font, cell.fill = _HEAD, _HEAD_FILL
    sheet["A1"].font = Font(bold=True, size=14)
    for letter, width in zip("ABCD", (30, 90, 16, 20), strict=True):
        sheet.column_dimensions[letter].width = width


def _fill_sheet(sheet: Any, published: PublishedTable) -> None:
    columns = published.table.columns
    for number, column in enumerate(columns, start=1):
        head = _put(sheet, 1, number, column.name)
        head.font, head.fill = _HEAD, _HEAD_FILL
        head.comment = Comment(column.meaning, "", height=90, width=260)
        _put(sheet, _UNITS_ROW, number, column.unit or "-").font = _UNIT
        sheet.column_dimensions[get_column_letter(number)].width = min(40, max(10, len(column.name) + 2))
    for row, values in enumerate(published.rows, start=_UNITS_ROW + 1):
        for number, (column, value) in enumerate(zip(columns, values, strict=True), start=1):
            if value is None:
                continue
            cell = _put(sheet, row, number, value)
            if column.type == "date":
                cell.number_format = "yyyy-mm-dd"
            elif column.decimals is not None:
                cell.number_format = "0." + "0" * column.decimals if column.decimals else "0"
    sheet.freeze_panes = f"A{_UNITS_ROW + 1}"


def _put(sheet: Any, row: int, column: int, value: Any) -> Any:
    cell = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # text that begins with = is text, not a formula
    return cell


# --- the data package --------------------------------------------------------------------------------------------


def _resource(folder: CollectionFolder, table: Table, present: list[str]) -> dict[str, Any]:
    path = folder.table_csv(table.name)
    return {
        "name": table.name,
        "type": "table",
        "path": f"{TABLES}/{path.name}",
        "title": table.title,
        "description": table.meaning,
        "scheme": "file",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "schema": table.table_schema(present),
    }


def _licence(definition: Definition) -> dict[str, str]:
    if definition.licence == "other":
        return {"name": "other", "title": f"as stated by {definition.publisher}", "path": definition.publisher_url}
    return {"name": definition.licence, "path": f"https://spdx.org/licenses/{definition.licence}.html"}


def _source(title: str, url: str) -> dict[str, str]:
    return {"title": title, "path": url} if url else {"title": title}
