"""Checks of the tables: the schemas, every cell, keys, copies in other formats, and Frictionless' own verdict."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from catalog.archive import (
    DATAPACKAGE_JSON,
    TABLES,
    Archive,
    Document,
    TableFile,
    all_tables,
    collections,
    first,
    of_several_pairs,
    tables_of,
)
from catalog.checks.result import Failure, check
from catalog.formats import GEOMETRY, LONGEST_SHEET, text_of_csv
from pipeline.inputs.xlsx_packages import open_workbook, require_harmless_package, sheet_rows
from schemas.errors import BadInput
from schemas.fields import Table
from schemas.tables import DATA_DICTIONARY, PAIR, PUBLISHED_TABLES, published_schemas

_REBUILD = "build the archive again"
_PATTERNS = {
    "integer": r"[+-]?\d+",
    "year": r"-?\d{4}",
    "number": r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?",
    "boolean": r"true|false|True|False",
    "date": r"\d{4}-\d{2}-\d{2}",
}
_SHOWN = 5
MOST_CELLS = 100_000_000
_OWN_PATTERNS = {column.pattern for table in PUBLISHED_TABLES for column in (*table.columns, PAIR) if column.pattern}
_RESOURCE_FORM = {"type": "table", "scheme": "file", "format": "csv", "encoding": "utf-8"}
_RESOURCE_KEYS = {
    *("name", "path", "title", "description", "mediatype", "bytes", "hash", "schema", "dialect", "sources"),
    *_RESOURCE_FORM,
}


@check("datapackage-complete", "the data package names every table once, with size and hash", collections)
def datapackage_complete(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, collection.folder
    where = f"{folder}/{DATAPACKAGE_JSON}"
    package = archive.parsed(where)
    if not isinstance(package, dict):
        yield Failure(where, "no JSON object", "a data package", _REBUILD)
        return
    archive.require_form(where, package)
    resources = package["resources"]
    named = [resource["path"] for resource in resources]
    present = {path.removeprefix(f"{folder}/") for path in archive.paths if path.startswith(f"{folder}/{TABLES}/")}
    for path in sorted({path for path in present if path.endswith(".csv")} - set(named)):
        yield Failure(f"{folder}/{path}", "a table that the data package does not name", "a resource of it", _REBUILD)
    for path in sorted({path for path in named if named.count(path) > 1}):
        yield Failure(where, f"{path} named twice", "each table once", _REBUILD)
    for resource in resources:
        yield from _resource_failures(archive, folder, resource)


def _resource_failures(archive: Archive, folder: str, resource: dict[str, Any]) -> Iterator[Failure]:
    where, path = f"{folder}/{DATAPACKAGE_JSON}: {resource['name']}", f"{folder}/{resource['path']}"
    content = archive.files.read(path) if path in archive.path_set else None
    if content is None:
        yield Failure(where, f"path {resource['path']!r}, where no file is", "the path of a table", _REBUILD)
        return
    if resource.get("bytes", len(content)) != len(content):
        yield Failure(where, f"bytes {resource['bytes']}", f"{len(content)}", _REBUILD)
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    if resource.get("hash", digest) != digest:
        yield Failure(where, f"hash {resource['hash']}", digest, _REBUILD)


def of_pair(frame: pd.DataFrame, properties: dict[str, Any]) -> pd.DataFrame:
    """The records of an item's own pair of DEMs; all of them where the collection has but one."""
    return frame[frame[PAIR.name] == str(properties.get("glacier:pair"))] if PAIR.name in frame.columns else frame


@check(
    "table-schemas", "every table has the schema, with units and keys, that this software publishes for it", all_tables
)
def table_schemas(table: TableFile) -> Iterator[Failure]:
    name = table.resource["name"]
    where = f"{table.collection}/{DATAPACKAGE_JSON}: {name}"
    known = published_schemas(several_pairs=of_several_pairs(table.archive, table.collection)).get(name)
    if known is None:
        yield Failure(where, "an unknown table", f"one of {sorted(published_schemas())}", _REBUILD)
        return
    present = [other.resource["name"] for other in tables_of(table.archive, table.collection)]
    expected = known.table_schema(present)
    for key in ("primaryKey", "foreignKeys", "missingValues"):
        if table.schema.get(key) != expected.get(key):
            yield Failure(where, f"{key} {table.schema.get(key)}", f"{expected.get(key)}", _REBUILD)
    yield from _field_differences(where, table.fields, known)


def _field_differences(where: str, fields: list[dict[str, Any]], known: Table) -> Iterator[Failure]:
    names = [field["name"] for field in fields]
    if names != list(known.column_names):
        yield Failure(where, f"columns {names}", f"{list(known.column_names)}", _REBUILD)
        return
    for field, column in zip(fields, known.columns, strict=True):
        expected = column.table_schema()
        for key in ("type", "unit", "constraints", "description"):
            if field.get(key) != expected.get(key):
                value = f"{key} {field.get(key)!r}"
                yield Failure(f"{where}: {column.name}", value, repr(expected.get(key)), _REBUILD)


@check("table-header", "the header of every table is the fields of its schema, in order", all_tables)
def table_header(table: TableFile) -> Iterator[Failure]:
    names = [field["name"] for field in table.fields]
    header = list(table.frame().columns)
    if header != names:
        yield Failure(table.file, f"header {header}", f"{names}", _REBUILD)


@check("table-cells", "every cell has its type, and lies within the constraints of its column", all_tables)
def table_cells(table: TableFile) -> Iterator[Failure]:
    frame = table.frame()
    for field in table.fields:
        if field["name"] in frame.columns:
            yield from _cell_failures(table.file, frame[field["name"]], field)


def _cell_failures(file: str, column: pd.Series[str], field: dict[str, Any]) -> Iterator[Failure]:
    limits, kind = field.get("constraints") or {}, field["type"]
    filled = column[column != ""]
    if limits.get("required"):
        yield from _cells(file, column[column == ""], field, "a value (the column is required)")
    if kind in _PATTERNS:
        wrong = ~filled.str.fullmatch(_PATTERNS[kind]).astype(bool)
        yield from _cells(file, filled[wrong], field, f"a {kind}")
        filled = filled[~wrong]
    if kind == "date":
        real = pd.to_datetime(filled, format="%Y-%m-%d", errors="coerce")
        yield from _cells(file, filled[real.isna()], field, "a day of the calendar")
    if kind in ("integer", "number", "year"):
        numbers = filled.astype(float)
        if "minimum" in limits:
            yield from _cells(file, filled[numbers < limits["minimum"]], field, f"at least {limits['minimum']}")
        if "maximum" in limits:
            yield from _cells(file, filled[numbers > limits["maximum"]], field, f"at most {limits['maximum']}")
    if "enum" in limits:
        yield from _cells(file, filled[~filled.isin(limits["enum"])], field, f"one of {limits['enum']}")
    if limits.get("pattern") in _OWN_PATTERNS:  # a foreign one, which table-schemas reports, may never come to an end
        yield from _cells(
            file, filled[~filled.str.fullmatch(limits["pattern"]).astype(bool)], field, f"text like {limits['pattern']}"
        )


def _cells(file: str, wrong: pd.Series[str], field: dict[str, Any], expected: str) -> Iterator[Failure]:
    for position, (row, value) in enumerate(wrong.items()):
        if position == _SHOWN:
            yield Failure(file, f"{len(wrong) - _SHOWN} more such cells in {field['name']}", expected, _REBUILD)
            return
        # line 1 is the header and rows count from zero
        yield Failure(f"{file}:{int(str(row)) + 2}", f"{field['name']} {value!r}", expected, "correct the source")


@check("table-primary-keys", "no two records of a table share a key, and no key is empty", all_tables)
def table_primary_keys(table: TableFile) -> Iterator[Failure]:
    frame, keys = table.frame(), list(table.schema["primaryKey"])
    empty = frame[(frame[keys] == "").any(axis=1)]
    for row in list(empty.index)[:_SHOWN]:
        yield Failure(f"{table.file}:{row + 2}", "an empty key", f"a value for each of {keys}", "correct the source")
    repeated = frame[frame.duplicated(keys, keep="first")]
    for row, record in list(repeated[keys].iterrows())[:_SHOWN]:
        key = f"{dict(record)} a second time"
        yield Failure(f"{table.file}:{int(str(row)) + 2}", key, "each key once", "remove the double record")


@check("table-foreign-keys", "every reference to another table finds its record there", all_tables)
def table_foreign_keys(table: TableFile) -> Iterator[Failure]:
    for key in table.schema.get("foreignKeys", []):
        columns, reference = list(key["fields"]), key["reference"]
        other = table.sibling(reference["resource"]) if reference["resource"] else table
        frame = table.frame()[columns]
        frame = frame[(frame != "").all(axis=1)]
        sought = pd.MultiIndex.from_frame(frame.drop_duplicates())
        known = pd.MultiIndex.from_frame(other.frame()[list(reference["fields"])])
        unknown = set(sought[~sought.isin(known)])
        if not unknown:
            continue
        missing = [(row, values) for row, *values in frame.itertuples(name=None) if tuple(values) in unknown]
        for row, values in missing[:_SHOWN]:
            record = f"{dict(zip(columns, values, strict=True))}, unknown in {other.file}"
            yield Failure(
                f"{table.file}:{row + 2}", record, "a record there", "add the record, or correct the reference"
            )


@check("table-copies", "Parquet and Excel hold the same records as the CSV", all_tables)
def table_copies(table: TableFile) -> Iterator[Failure]:
    frame = table.frame()
    parquet = table.file.removesuffix(".csv") + ".parquet"
    if parquet in table.archive.path_set:
        copy = _read_parquet(table.archive, parquet)
        yield from _copy_failures(parquet, copy, frame, table)
    for path in books_of(table):
        sheet = read_sheets(table.archive, path).get(table.resource["name"][:31])  # no sheet may have a longer name
        if sheet is None and len(frame) > LONGEST_SHEET:
            continue
        if sheet is None:
            yield Failure(path, f"no sheet {table.resource['name']!r}", "a sheet for each table", _REBUILD)
        else:
            yield from _copy_failures(f"{path}: {table.resource['name']}", _records_of(sheet), frame, table)


def read_arrow(archive: Archive, path: str) -> pa.Table:
    """A Parquet file of an archive that others may have made.

    Errors
    ------
    ValueError : more cells than any table of an archive has: of packed columns a few bytes can stand for any number.
    """
    source = pyarrow.parquet.ParquetFile(io.BytesIO(archive.files.read(path) or b""))
    if source.metadata.num_rows * source.metadata.num_columns > MOST_CELLS:
        raise ValueError(f"{source.metadata.num_rows} rows of {source.metadata.num_columns} columns")
    return source.read()


def _read_parquet(archive: Archive, path: str) -> pd.DataFrame:
    """The columns of the table; the geometry of GeoParquet has checks of its own."""
    table = read_arrow(archive, path)
    if b"geo" in (table.schema.metadata or {}):
        table = table.drop_columns([GEOMETRY])
    frame: pd.DataFrame = table.to_pandas()
    return frame


def arrow_schema(archive: Archive, path: str) -> pa.Schema:
    """Names, types and meanings of the columns of a Parquet file."""
    return pyarrow.parquet.ParquetFile(io.BytesIO(archive.files.read(path) or b"")).schema_arrow


def books_of(table: TableFile) -> list[str]:
    """The workbooks that hold the tables of a collection."""
    folder = f"{table.collection}/{TABLES}/"
    return [path for path in table.archive.paths if path.startswith(folder) and path.endswith(".xlsx")]


def read_sheets(archive: Archive, path: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every cell of a workbook by its sheets and rows; read once."""
    key = f"book:{path}"
    if key not in archive.notes:
        content = io.BytesIO(archive.files.read(path) or b"")
        try:
            require_harmless_package(content, path)
        except BadInput as error:
            raise ValueError(str(error)) from None
        workbook = open_workbook(content)
        archive.notes[key] = {sheet.title: list(sheet_rows(sheet)) for sheet in workbook.worksheets}
    sheets: dict[str, list[tuple[Any, ...]]] = archive.notes[key]
    return sheets


def _records_of(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    """The records of a sheet: below the header stands a row of units."""
    header = [str(name) for name in rows[0]] if rows else []
    return pd.DataFrame(rows[2:], columns=header, dtype=object)


def _copy_failures(where: str, copy: pd.DataFrame, frame: pd.DataFrame, table: TableFile) -> Iterator[Failure]:
    names = [field["name"] for field in table.fields]
    if list(copy.columns) != names:
        yield Failure(where, f"columns {list(copy.columns)}", f"{names}, as in {table.file}", _REBUILD)
        return
    if len(copy) != len(frame):
        yield Failure(where, f"{len(copy)} records", f"{len(frame)}, as in {table.file}", _REBUILD)
        return
    for field in table.fields:
        name = field["name"]
        doubtful = np.flatnonzero(~_plainly_equal(copy[name], frame[name], field["type"]))
        pairs = ((row, copy[name].iloc[row], frame[name].iloc[row]) for row in doubtful.tolist())
        wrong = [(row, one, two) for row, one, two in pairs if not same_cell(one, two, field["type"])]
        for row, one, two in wrong[:_SHOWN]:
            yield Failure(f"{where}: record {row + 1}", f"{name} {one!r}", f"{two!r}, as in {table.file}", _REBUILD)


def _plainly_equal(copy: pd.Series[Any], text: pd.Series[str], kind: str) -> NDArray[np.bool_]:
    """Whether typed values say what the cells of a CSV say, at a glance; where not, ``same_cell`` decides.

    A column at a time, for a cell at a time takes a minute for a million records.
    """
    both_empty = (text == "").to_numpy(bool) & copy.isna().to_numpy(bool)
    if kind in ("number", "integer", "year"):
        ours, theirs = (pd.to_numeric(cells, errors="coerce").to_numpy(float) for cells in (copy, text))
        return np.asarray(both_empty | (ours == theirs))
    if kind == "boolean":
        written = copy.map({True: "true", False: "false"})
    elif kind == "date":
        written = copy.astype(str).str.slice(0, 10)
    else:
        written = copy
    return np.asarray(both_empty | (written.astype(object).to_numpy() == text.astype(object).to_numpy()))


def same_cell(copy: Any, text: str, kind: str) -> bool:
    """Whether a typed value says what a cell of a CSV says."""
    if copy is None or copy == "" or bool(pd.isna(copy)):
        return text == ""
    if text == "":
        return False
    if kind in ("number", "integer", "year"):
        return abs(float(copy) - float(text)) <= 1e-9 * max(1.0, abs(float(text)))
    if kind == "date":
        return str(copy)[:10] == text
    if kind == "boolean":
        return str(copy).lower() == text.lower()
    # a cell that a spreadsheet would run as a formula has an apostrophe in front in the CSV
    return text in (str(copy), f"'{copy}")


@check(
    "data-dictionary", "the data dictionary describes every column of every table as the data package does", collections
)
def data_dictionary_agrees(collection: Document) -> Iterator[Failure]:
    tables = list(tables_of(collection.archive, collection.folder))
    dictionary = first((t for t in tables if t.resource["name"] == DATA_DICTIONARY.name), "table data_dictionary")
    rows = dictionary.frame().map(text_of_csv).to_dict("records")
    entries = {(row["table"], row["position"]): row for row in rows}
    stated = {
        (table.resource["name"], str(position)): _dictionary_entry(table, field)
        for table in tables
        for position, field in enumerate(table.fields, start=1)
    }
    for key in sorted(entries.keys() | stated.keys()):
        where, ours, theirs = f"{dictionary.file}: {'.'.join(key)}", entries.get(key), stated.get(key)
        if ours is None or theirs is None:
            yield Failure(where, "no entry" if ours is None else "an entry of no column", "one a column", _REBUILD)
            continue
        for name, value in theirs.items():
            if ours[name] != value:
                yield Failure(where, f"{name} {ours[name]!r}", f"{value!r}, as in {DATAPACKAGE_JSON}", _REBUILD)


def _dictionary_entry(table: TableFile, field: dict[str, Any]) -> dict[str, str]:
    limits = field.get("constraints") or {}
    targets = [
        f"{key['reference']['resource']}.{other}"
        for key in table.schema.get("foreignKeys", [])
        for column, other in zip(key["fields"], key["reference"]["fields"], strict=True)
        if column == field["name"]
    ]
    return {
        "column": field["name"],
        "type": field["type"],
        "unit": field.get("unit", ""),
        "meaning": field["description"],
        "required": "true" if limits.get("required") else "false",
        "in_primary_key": "true" if field["name"] in table.schema["primaryKey"] else "false",
        "minimum": f"{limits['minimum']:.12g}" if "minimum" in limits else "",
        "maximum": f"{limits['maximum']:.12g}" if "maximum" in limits else "",
        "allowed": f"one of: {', '.join(limits['enum'])}" if "enum" in limits else "",
        "pattern": limits.get("pattern", ""),
        "refers_to": targets[0] if targets else "",
    }


@check(
    "datapackage-form",
    "a data package leads nowhere but to its tables, and every record has as many cells as there are fields",
    collections,
)
def datapackage_form(collection: Document) -> Iterator[Failure]:
    where = f"{collection.folder}/{DATAPACKAGE_JSON}"
    for part, expected in _foreign_parts(collection.archive, collection.folder):
        yield Failure(where, part, expected, _REBUILD)
    for table in tables_of(collection.archive, collection.collection_id):
        content = collection.archive.files.read(table.file) if table.file in collection.archive.path_set else None
        rows = csv.reader(io.StringIO((content or b"").decode("utf-8"), newline=""))
        width = len(table.fields)
        for number, row in enumerate(rows, 1):
            if len(row) != width:
                yield Failure(f"{table.file}:{number}", f"{len(row)} cells", f"{width}, one a field", _REBUILD)
                break


def _foreign_parts(archive: Archive, folder: str) -> Iterator[tuple[str, str]]:
    """What would lead Frictionless out of the archive, or run a pattern that is not ours; found and expected."""
    package = archive.parsed(f"{folder}/{DATAPACKAGE_JSON}")
    if not isinstance(package, dict) or not isinstance(package.get("resources"), list):
        yield "no list of resources", "a data package"
        return
    for name in sorted({"profile", "profiles", "$schema", "basepath"} & package.keys()):
        yield f"{name} {package[name]!r}", "a data package without it"
    for resource in package["resources"]:
        if not isinstance(resource, dict) or not isinstance(resource.get("schema"), dict):
            yield "a resource without a schema of its own", "resources as this software writes them"
            continue
        strange = sorted(resource.keys() - _RESOURCE_KEYS)
        if strange:
            yield f"{', '.join(map(repr, strange))} of a resource", "the keys that this software writes"
        if f"{folder}/{resource.get('path')}" not in archive.path_set:
            yield f"path {resource.get('path')!r}", "the path of a table"
        if any(resource.get(key, value) != value for key, value in _RESOURCE_FORM.items()):
            yield "a resource of another form", f"{_RESOURCE_FORM}"
        for field in _listed(resource["schema"].get("fields")):
            limits = field.get("constraints") if isinstance(field, dict) else None
            pattern = limits.get("pattern") if isinstance(limits, dict) else None
            if pattern is not None and pattern not in _OWN_PATTERNS:
                yield f"pattern {str(pattern)[:80]!r}", "the patterns that this software publishes"


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
