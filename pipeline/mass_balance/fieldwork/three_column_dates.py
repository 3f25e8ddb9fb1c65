"""Dates that are typed in three columns, day, month and year, become one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet, address
from pipeline.mass_balance.fieldwork.headers import DATE_PARTS, HeaderRow, Heading
from pipeline.mass_balance.fieldwork.input_notes import Correction, Findings
from pipeline.mass_balance.fieldwork.units import token
from pipeline.mass_balance.fieldwork.values import is_missing
from schemas.fields import Table


def with_joined_dates(
    sheet: RawSheet, header: HeaderRow, table: Table, findings: Findings
) -> tuple[RawSheet, HeaderRow]:
    """The sheet with one column of dates where its header has day, month and year apart and no other date.

    The joined date stands in the cell of the day, as text with the year first, and is read like any other; a row that
    lacks one of the three keeps what it has, and is refused as such. Both are as given for any other sheet.

    Parameters
    ----------
    sheet : with its cells as typed.
    header : its row of names.
    table : which it stands for.
    findings : takes corrections.
    """
    places = _places(sheet, header, table)
    if places is None:
        return sheet, header
    rows = list(sheet.rows)
    for row in range(header.first_record, len(rows)):
        rows[row] = _joined(rows[row], places)
    names = ", ".join(str(sheet.rows[header.row][places[part]]) for part in ("day", "month", "year"))
    columns = f"a date in three columns: {names}"
    findings.corrections.append(Correction(sheet.name, address(header.row, places["day"]), columns, "read as one date"))
    taken = set(places.values())
    kept = [one for one in header.headings if one.index not in taken]
    column = next(one for one in table.columns if one.name == "date")
    heading = Heading(column=column, index=places["day"], multiply=1, divide=1, unit="")
    unknown = tuple((index, text) for index, text in header.unknown if index not in taken)
    repeated = tuple((index, text) for index, text in header.repeated if index not in taken)
    headings = (*kept, heading)
    return replace(sheet, rows=tuple(rows)), replace(header, headings=headings, unknown=unknown, repeated=repeated)


def _places(sheet: RawSheet, header: HeaderRow, table: Table) -> Mapping[str, int] | None:
    """The columns of day, month and year; None where one is lacking, or where the table's date is another column."""
    places: dict[str, int] = {}
    for index, text in enumerate(sheet.rows[header.row]):
        part = next(
            (part for part, names in DATE_PARTS.items() if text is not None and token(str(text)) in names), None
        )
        if part is not None:
            places.setdefault(part, index)
    names = set(table.column_names)
    if len(places) < len(DATE_PARTS) or "date" not in names or "year" in names:
        return None
    dates = [one.index for one in header.headings if one.column.name == "date"]
    return places if dates in ([], [places["day"]]) else None


def _joined(cells: tuple[Any, ...], places: Mapping[str, int]) -> tuple[Any, ...]:
    parts = [cells[places[part]] if places[part] < len(cells) else None for part in ("year", "month", "day")]
    if any(is_missing(part) for part in parts):
        return cells
    joined = list(cells)
    joined[places["day"]] = _text(parts)
    return tuple(joined)


def _text(parts: Iterable[Any]) -> str:
    """Year, month and day as text that the reader of dates takes; whatever is no whole number stays as typed."""
    year, month, day = (_whole(part) for part in parts)
    return f"{year}-{month}-{day}" if month.isdecimal() else f"{day} {month} {year}"


def _whole(part: Any) -> str:
    text = str(part).strip()
    return text.removesuffix(".0") if text.endswith(".0") else text
