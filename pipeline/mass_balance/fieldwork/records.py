"""Records that stand in a sheet twice: the same once more is left out and noted, a contradiction is refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from pipeline.mass_balance.fieldwork.input_notes import Correction, Findings
from pipeline.mass_balance.fieldwork.typed_sheets import TypedTable


def without_repeats(table: TypedTable, findings: Findings) -> TypedTable:
    """The table with each record once.

    A record that repeats an earlier one in every column is a slip of copying: it is left out, and a correction says so.
    One that has the same key and other values contradicts it: an error names both rows and what differs.

    Parameters
    ----------
    table : typed.
    findings : takes corrections and errors.
    """
    key = list(table.table.primary_key)
    frame = table.frame
    known = frame[key].notna().all(axis=1).to_numpy()
    repeated = known & frame.duplicated(key, keep=False).to_numpy()
    first: dict[tuple[Any, ...], int] = {}
    dropped = []
    for record in map(int, np.flatnonzero(repeated)):
        values = tuple(frame[name].iloc[record] for name in key)
        earlier = first.setdefault(values, record)
        if earlier == record:
            continue
        differing = list(_differing(frame.iloc[earlier], frame.iloc[record], table.table.column_names))
        if differing or table.is_wrong(record, *table.columns) or table.is_wrong(earlier, *table.columns):
            _refuse(table, (earlier, record), differing, findings)
        else:
            dropped.append(record)
            findings.corrections.append(_left_out(table, earlier, record))
    return table.without(dropped) if dropped else table


def _differing(earlier: pd.Series[Any], later: pd.Series[Any], names: Iterable[str]) -> Iterable[str]:
    """Columns in which the later record says something else; a remark that it lacks is no contradiction."""
    for name in names:
        first, second = earlier[name], later[name]
        if pd.isna(second) and (pd.isna(first) or name == "remarks"):
            continue
        if pd.isna(first) or pd.isna(second) or first != second:
            yield name


def _refuse(table: TypedTable, pair: tuple[int, int], differing: list[str], findings: Findings) -> None:
    earlier, record = pair
    key = table.table.primary_key
    frame = table.frame
    values = ", ".join(str(frame[name].iloc[record]) for name in key)
    repetition = f"{values} a second time"
    if differing:
        name = differing[0]
        first, second = _shown(frame[name].iloc[earlier]), _shown(frame[name].iloc[record])
        repetition += f", with {name} {second} where row {table.rows[earlier] + 1} has {first}"
    remedy = f"keep the one that is right, row {table.rows[earlier] + 1} or {table.rows[record] + 1}"
    findings.errors.append(table.bad(record, key[-1], repetition, f"each {', '.join(key)} once", remedy))


def _shown(value: Any) -> str:
    if pd.isna(value):
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _left_out(table: TypedTable, earlier: int, record: int) -> Correction:
    ordered = sorted(table.columns, key=lambda name: table.columns[name])
    span = f"{table.cell(record, ordered[0])}:{table.cell(record, ordered[-1])}"
    repetition = f"the same record as in row {table.rows[earlier] + 1}"
    return Correction(table.sheet_name, span, repetition, "left out")


def with_known_names(table: TypedTable, name: str, target: TypedTable, findings: Findings) -> TypedTable:
    """The table with names spelled as in the sheet that lists them, where only case and blanks differ; each noted.

    Parameters
    ----------
    table : whose names are compared.
    name : of its column of names.
    target : the table that lists them.
    findings : takes corrections.
    """
    known = set(target.frame[name].dropna())
    if table.frame.empty or not known:
        return table
    alike: dict[str, list[str]] = {}
    for spelled in sorted(known):
        alike.setdefault(plain_name(spelled), []).append(spelled)
    names = table.frame[name].tolist()
    for record, spelled in enumerate(names):
        if spelled is None or spelled in known:
            continue
        matches = alike.get(plain_name(spelled), [])
        if len(matches) == 1:
            names[record] = matches[0]
            findings.corrections.append(
                Correction(
                    table.sheet_name, table.cell(record, name), spelled, f"{matches[0]}, as in {target.sheet_name}"
                )
            )
    return table.with_column(name, names)


def plain_name(name: str) -> str:
    """A name without blanks and case, as names are compared.

    Parameters
    ----------
    name : as typed.

    Example
    -------
    >>> plain_name(" A 12 ") == plain_name("a12")
    True
    """
    return "".join(name.split()).casefold()
