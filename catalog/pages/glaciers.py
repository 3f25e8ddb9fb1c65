"""The glaciers of an elevation change as rows of a page: change, balance, area, and where the map shows each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from catalog.archive import INDEX_HTML, Dataset, Item, elevation_change_item_id
from catalog.formats import measured, signed
from catalog.tables import dataset_tables
from schemas.definition import Bilingual

# a page of more would be slow to read and to sort; the rest stands in the table
MOST_GLACIERS = 300


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A value as it is read, and as it is sorted; a missing one sorts last."""

    column: str
    text: str
    value: float | None


@dataclass(frozen=True, kw_only=True)
class GlacierRow:
    """A glacier: its identifier, what it is called, its values, and its place on the map of its item."""

    glacier_id: str
    name: str
    pair: str
    href: str
    cells: tuple[Cell, ...]


# column of the table, its sigma, decimals
_VALUES = (
    ("area_km2", "", 2),
    ("mean_dh_m", "sigma_mean_dh_m", 2),
    ("mean_dhdt_m_a", "sigma_mean_dhdt_m_a", 2),
    ("mass_balance_m_we_a", "sigma_mass_balance_m_we_a", 2),
    ("observed_share", "", 0),
)
GLACIER_HEADINGS = (
    Bilingual(en="Area, km²", cn="面积（km²）"),
    Bilingual(en="Change, m", cn="高程变化（m）"),
    Bilingual(en="Rate, m a⁻¹", cn="变化率（m a⁻¹）"),
    Bilingual(en="Balance, m w.e. a⁻¹", cn="物质平衡（m w.e. a⁻¹）"),
    Bilingual(en="Measured, %", cn="观测比例（%）"),
)


def glacier_rows(dataset: Dataset, items: Sequence[Item], places: Mapping[str, str]) -> tuple[list[GlacierRow], int]:
    """The largest glaciers, the largest first, and how many there are.

    Parameters
    ----------
    places : an item's folder from the page, with a slash at its end, by its identifier.
    """
    table = dataset_tables(dataset).get("glaciers") if dataset.definition.kind == "elevation_change" else None
    if table is None:
        return [], 0
    largest = table.sort_values("area_km2", ascending=False, kind="stable").head(MOST_GLACIERS)
    known = {item.item_id for item in items}
    return [_row(record, known, places) for record in largest.to_dict("records")], len(table)


def _row(record: Mapping[Any, Any], known: set[str], places: Mapping[str, str]) -> GlacierRow:
    glacier_id, pair = str(record["glacier_id"]), str(record.get("pair") or "")
    item_id = elevation_change_item_id(pair)
    place = f"{places[item_id]}{INDEX_HTML}#glacier={quote(glacier_id, safe='')}" if item_id in known else ""
    name = record.get("glacier_name")
    return GlacierRow(
        glacier_id=glacier_id,
        name="" if pd.isna(name) else str(name),
        pair=pair.replace("-", "\N{EN DASH}"),
        href=place,
        cells=tuple(_cells(record)),
    )


def _cells(record: Mapping[Any, Any]) -> Iterator[Cell]:
    for column, sigma, decimals in _VALUES:
        value = record.get(column)
        number = None if value is None or pd.isna(value) else float(value) * (100 if column == "observed_share" else 1)
        error = record.get(sigma) if sigma else None
        text = signed(number, decimals) if error is None or pd.isna(error) else measured(number, float(error), decimals)
        yield Cell(column=column, text=text, value=number)
