"""Surveys of one small glacier on an area-altitude table, as field teams plan them: read and computed in one call."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.settings import MassBalanceSettings

# stakes in the middle of five bands of 100 m, 3400 to 3900 m, and their share of the area
STAKES = tuple((f"S{k + 1}", 290_000 + 100 * k, 4_845_000 + 100 * k, 3450 + 100 * k) for k in range(5))
AREAS = (0.1, 0.2, 0.3, 0.3, 0.2, 0.1)

Rows = Sequence[Mapping[str, Any]]


def survey(
    folder: Path, tables: Mapping[str, Rows], settings: MassBalanceSettings | None = None, **more
) -> MassBalance:
    """The mass balance of a survey whose tables are rows of named cells; stakes and areas are there by default."""
    stakes = [dict(zip(("stake_id", "easting", "northing", "elevation_m"), row, strict=True)) for row in STAKES]
    bands = [
        {"year": 2004, "lower_m": 3400 + 100 * k, "upper_m": 3500 + 100 * k, "area_km2": area}
        for k, area in enumerate(AREAS)
    ]
    glacier = [{"glacier_id": "G1", "glacier_name": "Test", "longitude": 84.39, "latitude": 43.73, "crs": "EPSG:32645"}]
    everything = {
        "glacier": glacier,
        "hypsometry": bands,
        **({"stakes": stakes} if "readings" in tables else {}),
        **tables,
    }
    folder.mkdir(exist_ok=True)
    for name, rows in everything.items():
        columns = list(dict.fromkeys(key for row in rows for key in row))
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(rows)
    return mass_balance(read_field_data(folder), settings or MassBalanceSettings(), **more)


def reading(stake: str, day: str, exposed: float | None, **more: Any) -> dict[str, Any]:
    """A reading of leg 1, unless told otherwise, of a stake that is well."""
    return {"stake_id": stake, "leg": 1, "date": day, "exposed_m": exposed, **more}


def year_of(result: MassBalance, year: int) -> BalanceYear:
    """The result of one year."""
    return next(one for one in result.years if one.year == year)


def point(result: MassBalance, name: str, period: str, year: int = 2004) -> Mapping[str, Any]:
    """The row of one point balance."""
    table = result.tables["point_balances"]
    rows = table[(table["point_id"] == name) & (table["period"] == period) & (table["year"] == year)]
    assert len(rows) == 1, rows
    return rows.iloc[0]
