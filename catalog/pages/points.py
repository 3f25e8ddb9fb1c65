"""The points of a balance year on its map: where each stands, and its balance with its error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from catalog.archive import Dataset
from catalog.formats import measured
from catalog.tables import dataset_tables

_KINDS = {"stake": ["Stake", "花杆"], "pit": ["Snow pit", "雪坑"], "probing": ["Probing", "雪深探测"]}
_OTHER = ["Point", "测点"]


def points_by_year(dataset: Dataset) -> dict[int, list[dict[str, Any]]]:
    """The annual balances that a glacier's was made from, by year: kind, name, place (degrees), text."""
    table = dataset_tables(dataset).get("point_balances") if dataset.definition.kind == "mass_balance" else None
    if table is None:
        return {}
    shown = table[(table["period"] == "annual") & (table["used"] != False)]  # noqa: E712  # nothing said means yes
    shown = shown[shown["longitude"].notna() & shown["latitude"].notna() & shown["balance_m_we"].notna()]
    return {
        int(str(year)): [_point(record) for record in group.sort_values("point_id").to_dict("records")]
        for year, group in shown.groupby("year")
    }


def _point(record: Mapping[Any, Any]) -> dict[str, Any]:
    sigma = record["sigma_balance_m_we"]
    bound = "" if record["bound"] == "=" else "\N{LESS-THAN OR EQUAL TO}"
    text = measured(record["balance_m_we"], None if pd.isna(sigma) else sigma, 2)
    return {
        "kind": _KINDS.get(str(record["kind"]), _OTHER),
        "name": str(record["point_id"]),
        "at": [round(float(record["longitude"]), 6), round(float(record["latitude"]), 6)],
        "text": f"{bound} {text} m w.e.".strip(),
    }
