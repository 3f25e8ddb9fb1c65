"""The data dictionary of a collection: one record a column of each of its tables, made from the tables' schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from schemas.fields import Column, Table
from schemas.tables import DATA_DICTIONARY, published_schemas


def data_dictionary(names: Iterable[str], *, of_pairs: bool = False) -> pd.DataFrame:
    """The columns of the tables of these names, shaped as ``schemas.tables.DATA_DICTIONARY``; its own among them.

    References are listed to tables that are there. A name that is no published table is left out: publication
    refuses it by itself. ``of_pairs``: whether the tables of elevation change tell the pair of each row.
    """
    present = [*names, DATA_DICTIONARY.name]
    tables = published_schemas(several_pairs=of_pairs).values()
    records = [record for table in tables if table.name in present for record in _records(table, present)]
    return pd.DataFrame(records, columns=list(DATA_DICTIONARY.column_names))


def _records(table: Table, present: Iterable[str]) -> Iterator[dict[str, Any]]:
    targets = {
        name: f"{key.table}.{other}"
        for key in table.references(present)
        for name, other in zip(key.columns, key.reference_columns, strict=True)
    }
    for position, column in enumerate(table.columns, start=1):
        yield {
            "table": table.name,
            "position": position,
            "in_primary_key": column.name in table.primary_key,
            "refers_to": targets.get(column.name),
            **_of_column(column),
        }


def _of_column(column: Column) -> dict[str, Any]:
    return {
        "column": column.name,
        "type": column.type,
        "unit": column.unit or None,
        "meaning": column.meaning,
        "required": column.required,
        "minimum": column.minimum,
        "maximum": column.maximum,
        "decimals": column.decimals,
        "allowed": f"one of: {', '.join(column.enum)}" if column.enum else None,
        "pattern": column.pattern or None,
    }
