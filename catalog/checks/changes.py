"""Checks of the tables of elevation change against each other: rates, masses, the region."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd

from catalog.archive import MANIFEST_JSON, TableFile, first, tables_of
from catalog.checks.consistency import named, numbers, settings_of
from catalog.checks.result import Failure, check
from schemas.tables import PAIR

_RECOMPUTE = "recompute the table from its source"
_DAYS_A_YEAR = 365.25
_SLACK = 1e-6


@check(
    "mass-is-volume-times-density",
    "the mass change of a glacier is its volume change times the density in the settings",
    named("glaciers", "region"),
)
def mass_is_volume_times_density(table: TableFile) -> Iterator[Failure]:
    dataset = first((one for one in table.archive.manifest["datasets"] if one["id"] == table.collection), "dataset")
    rows = numbers(table, "volume_change_m3", "mass_change_kg")
    for row, pair in enumerate(_pairs(table)):
        density = settings_of(dataset, pair).get("ice_density_kg_m3")
        volume, mass = rows["volume_change_m3"].iloc[row], rows["mass_change_kg"].iloc[row]
        # both are published as whole numbers
        if density is not None and abs(mass - density * volume) > 0.5 * density + 0.5 + _SLACK:
            expected = f"{density * volume:.0f}, at {density:g} kg m-3 as in {MANIFEST_JSON}"
            yield Failure(f"{table.file}:{row + 2}", f"mass_change_kg {mass:.0f}", expected, _RECOMPUTE)


@check(
    "rates-are-changes-per-year",
    "the rate of a glacier is its mean elevation change divided by the years between the dates of the DEMs",
    named("glaciers", "region"),
)
def rates_are_changes_per_year(table: TableFile) -> Iterator[Failure]:
    years = _years_between(table)
    rows = numbers(table, "mean_dh_m", "mean_dhdt_m_a")
    for row, pair in enumerate(_pairs(table)):
        change, rate = rows["mean_dh_m"].iloc[row], rows["mean_dhdt_m_a"].iloc[row]
        span = years.get(pair)
        # the change is published at 0.001 m, the rate at 0.0001 m a-1
        if span and abs(rate - change / span) > 0.00005 + 0.0005 / span + 0.0005 * abs(rate) + _SLACK:
            expected = f"{change / span:.4f}, for {change:.3f} m in {span:.2f} years"
            yield Failure(f"{table.file}:{row + 2}", f"mean_dhdt_m_a {rate:.4f}", expected, _RECOMPUTE)


@check(
    "region-is-the-sum",
    "number, area, volume and mass of the region are the sums over its glaciers",
    named("region"),
)
def region_is_the_sum(table: TableFile) -> Iterator[Failure]:
    glaciers = table.sibling("glaciers")
    columns = ("area_km2", "volume_change_m3", "mass_change_kg")
    parts, stated = numbers(glaciers, *columns), numbers(table, "count", "count_measured", *columns)
    owners = pd.Series(_pairs(glaciers), dtype=object)
    for row, pair in enumerate(_pairs(table)):
        own = parts if pair is None else parts[(owners == pair).to_numpy()]
        measured = own.dropna(subset=["volume_change_m3"])
        size = len(measured) + 1
        for name, true, tolerance in (
            ("count", float(len(own)), 0.0),
            ("count_measured", float(len(measured)), 0.0),
            ("area_km2", measured["area_km2"].sum(), 5e-6 * size),
            ("volume_change_m3", measured["volume_change_m3"].sum(), 0.5 * size),
            ("mass_change_kg", measured["mass_change_kg"].sum(), 0.5 * size),
        ):
            total = stated[name].iloc[row]
            if abs(total - true) > tolerance + _SLACK * max(1.0, abs(true)):
                expected = f"{true:.10g}, from {glaciers.file}"
                yield Failure(f"{table.file}:{row + 2}", f"{name} {total:.10g}", expected, _RECOMPUTE)


@check(
    "shares-add-up",
    "measured and filled share make the whole of a glacier; extrapolated and set-aside ones are parts of the filled",
    named("glaciers", "region"),
)
def shares_add_up(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "observed_share", "filled_share", "extrapolated_share", "outlier_share")
    for row, (observed, filled, extrapolated, outlier) in enumerate(rows.to_numpy(float)):
        # all are published at 0.0001
        if abs(observed + filled - 1) > 0.0001 + _SLACK:
            expected = f"{1 - observed:.4f}, what observed_share {observed:.4f} leaves"
            yield Failure(f"{table.file}:{row + 2}", f"filled_share {filled:.4f}", expected, _RECOMPUTE)
        for name, part in (("extrapolated_share", extrapolated), ("outlier_share", outlier)):
            if part > filled + 0.0001 + _SLACK:
                expected = f"at most filled_share {filled:.4f}"
                yield Failure(f"{table.file}:{row + 2}", f"{name} {part:.4f}", expected, _RECOMPUTE)


def _pairs(table: TableFile) -> list[str | None]:
    """The pair of DEMs of each record; None where the collection has but one."""
    frame = table.frame()
    return [str(pair) for pair in frame[PAIR.name]] if PAIR.name in frame.columns else [None] * len(frame)


def _years_between(table: TableFile) -> dict[str | None, float]:
    """Years between the dates of the two DEMs, by pair; empty where the collection does not tell them."""
    dates = next((one for one in tables_of(table.archive, table.collection) if one.resource["name"] == "dates"), None)
    if dates is None:
        return {}
    days: dict[str | None, dict[str, date]] = {}
    for pair, record in zip(_pairs(dates), dates.frame().to_dict("records"), strict=True):
        if record["date"]:
            days.setdefault(pair, {})[record["input"]] = date.fromisoformat(record["date"])
    return {
        pair: float(np.diff([own["earlier"].toordinal(), own["later"].toordinal()])[0]) / _DAYS_A_YEAR
        for pair, own in days.items()
        if own.keys() >= {"earlier", "later"}
    }
