"""Finds the tables of a sheet by their header rows: several on one sheet, or one on a sheet that names none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet
from pipeline.mass_balance.fieldwork.headers import HeaderRow, find_header, header_of
from pipeline.mass_balance.fieldwork.input_notes import place_of
from pipeline.mass_balance.fieldwork.wide_sheets import as_long
from schemas.fields import Table

# fewer names are no header
_FEWEST_NAMES = 3
# what only a header of the table names; one of each group is there
_SIGNS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "glacier": (("glacier_name",), ("longitude",), ("latitude",)),
    "stakes": (("stake_id",), ("longitude", "easting")),
    "readings": (("stake_id",), ("date",), ("exposed_m",)),
    "snow_pits": (("pit_id",), ("date",), ("floor",)),
    "pit_layers": (("pit_id",), ("top_m",), ("bottom_m",), ("density_kg_m3",)),
    "probings": (("probing_id",), ("date",), ("snow_depth_m", "swe_m_we"), ("longitude", "easting")),
    "hypsometry": (("lower_m",), ("upper_m",), ("area_km2",)),
    "zone_balances": (("lower_m",), ("upper_m",), ("winter_balance_m_we", "annual_balance_m_we")),
}


@dataclass(frozen=True)
class TablePart:
    """The part of a sheet that holds a table; ``named`` where the sheet's own name says so."""

    table: str
    sheet: RawSheet
    named: bool


def tables_on(sheet: RawSheet, own: str, tables: Mapping[str, Table]) -> list[TablePart]:
    """The tables of a sheet, each with the cells of all others left empty, so that every cell keeps its address.

    A table begins with its header row, and with the titles straight above it.

    Parameters
    ----------
    sheet : with its cells as typed.
    own : the table that its name stands for; another text where it names none.
    tables : by name.
    """
    starts = list(_starts(sheet, own, tables))
    if own in tables and not any(name != own for _, name in starts):
        return [TablePart(own, sheet, named=True)]
    if not starts:
        is_wide = as_long(sheet, tables["readings"]) is not sheet
        return [TablePart("readings", sheet, named=False)] if is_wide else []
    if own in tables and starts[0][1] != own:
        starts.insert(0, (0, own))  # what stands above the first header of another table is its own
    parts = []
    for number, (row, name) in enumerate(starts):
        first = _with_titles(sheet, row) if number else 0
        end = _with_titles(sheet, starts[number + 1][0]) if number + 1 < len(starts) else len(sheet.rows)
        rows = (*([()] * first), *sheet.rows[first:end])
        notes = sheet.notes if number == 0 else ()
        asides = tuple(one for one in sheet.asides if first <= place_of(one[0])[0] - 1 < end)
        parts.append(TablePart(name, replace(sheet, rows=rows, notes=notes, asides=asides), named=name == own))
    return parts


def _starts(sheet: RawSheet, own: str, tables: Mapping[str, Table]) -> Iterator[tuple[int, str]]:
    """The header rows and their tables; a header that comes again, and one that is its table's own, begin none."""
    last = ""
    header = find_header(sheet, tables[own]) if own in tables else None
    for row, cells in enumerate(sheet.rows):
        if not _may_be_header(cells):
            continue
        name = own if header is not None and row == header.row else _table_of(cells, row, own, tables)
        if name and name != last:
            yield row, name
            last = name


def _may_be_header(cells: Sequence[Any]) -> bool:
    """Whether a row holds words alone, and enough of them."""
    texts = [cell for cell in cells if cell is not None]
    return len(texts) >= _FEWEST_NAMES and all(isinstance(text, str) and not text[:1].isdigit() for text in texts)


def _table_of(cells: Sequence[Any], row: int, own: str, tables: Mapping[str, Table]) -> str:
    """The table whose header a row is: the one of the sheet's name, else that of most columns; empty for none."""
    fitting: list[tuple[bool, int, str]] = []
    for name in _SIGNS:
        header = header_of(cells, row, tables[name])
        if header is not None and _is_header_of(header, name):
            fitting.append((name == own, len(header.headings), name))
    return max(fitting, key=lambda one: one[:2])[2] if fitting else ""


def _is_header_of(header: HeaderRow, name: str) -> bool:
    named = {heading.column.name for heading in header.headings}
    return all(named & set(group) for group in _SIGNS[name])


def _with_titles(sheet: RawSheet, row: int) -> int:
    """The first of the rows straight above a header that hold a single text or nothing."""
    first = row
    while first > 0:
        filled = [cell for cell in sheet.rows[first - 1] if cell is not None]
        if len(filled) > 1 or (filled and not isinstance(filled[0], str)):
            break
        first -= 1
    return first
