"""A small, consistent archive of both datasets, for tests of what is done with archives."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rasterio.features import rasterize

from catalog.build import BuildReport, build_archive
from catalog.collection import Collection, facts_of
from catalog.dataset import Dataset
from catalog.page_facts import Card
from catalog.page_search import Searchable
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import MassBalance
from tests.fakes import make_elevation_change_dataset, make_mass_balance_dataset

CODE_VERSION = "0.1.0"
ELEVATION_CHANGE, MASS_BALANCE = "test-elevation-change", "test-mass-balance"


def make_datasets(**changes: Any) -> list[Dataset]:
    """Both datasets, the tables of the second completed so that they agree with its fields."""
    changed = complete_change(make_elevation_change_dataset(shape=(90, 150), **changes))
    return [changed, complete_balance(make_mass_balance_dataset(**changes))]


def build(out: Path, **changes: Any) -> BuildReport:
    return build_archive(make_datasets(**changes), out, code_version=CODE_VERSION)


def collections_of(datasets: list[Dataset]) -> list[Collection]:
    """As the manifest sees datasets; of their pages and items nothing is told."""
    nothing = Card("", False, None, (), (), 0, "", Searchable({}, ()))
    return [Collection(dataset.definition, facts_of(dataset, (), nothing)) for dataset in datasets]


def complete_change(dataset: Dataset) -> Dataset:
    """Take the mean change of each glacier from its pixels; only one that has no void says so."""
    result = dataset.result
    assert isinstance(result, ElevationChange)
    table = result.tables["glaciers"].copy()
    assert result.outlines is not None
    for row, (_, glacier) in enumerate(result.outlines.dissolve("glacier_id").iterrows()):
        inside = rasterize([(glacier.geometry, 1)], out_shape=result.grid.shape, transform=result.grid.transform) == 1
        dh = result.dh_m[inside]
        mean = float(np.nanmean(dh)) if np.isfinite(dh).any() else 0.0
        table.loc[row, "mean_dh_m"] = table.loc[row, "median_dh_m"] = mean
        table.loc[row, "observed_share"] = float(np.isfinite(dh).mean()) if dh.size else 0.0
        table.loc[row, "volume_change_m3"] = mean * table.loc[row, "area_km2"] * 1e6
        table.loc[row, "mass_change_kg"] = 850 * table.loc[row, "volume_change_m3"]
    table["flags"] = None
    volume, area = float(table["volume_change_m3"].sum()), float(table["area_km2"].sum())
    assert result.totals is not None
    totals = replace(result.totals, volume_change_m3=volume, mean_dh_m=volume / area / 1e6)
    return replace(dataset, result=replace(result, totals=totals, tables={**result.tables, "glaciers": table}))


def complete_balance(dataset: Dataset) -> Dataset:
    """Fill in what the fake leaves out: area, AAR and the balances by each method."""
    result = dataset.result
    assert isinstance(result, MassBalance)
    table = result.tables["glacier_balances"].copy()
    zones = result.tables["zone_balances"]
    for row, year in enumerate(result.years):
        values: dict[str, Any] = {
            "aar": year.aar,
            "area_km2": year.area_km2,
            "midseason_date": year.midseason,
            "sigma_winter_m_we": year.sigma_winter_m_we,
            "sigma_summer_m_we": year.sigma_summer_m_we,
            "field_balance_m_we": year.annual_m_we,
            "contour_balance_m_we": year.annual_m_we,
            "zone_balance_m_we": _zoned(zones[zones["year"] == year.year]),
        }
        for name, value in values.items():
            table[name] = table[name].astype(object)
            table.loc[row, name] = value
    return replace(dataset, result=replace(result, tables={**result.tables, "glacier_balances": table}))


def _zoned(zones: pd.DataFrame) -> float | None:
    if zones.empty:
        return None
    return float((zones["area_km2"] * zones["annual_balance_m_we"].round(2)).sum() / zones["area_km2"].sum())
