"""Checks of a field workbook's meaning: keys, positions, order of dates, pit layers, bands; each names its cell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from schemas.errors import BadInput
from schemas.tables import WORKBOOK

Where = Callable[[int, str], str]
Tables = Mapping[str, tuple[pd.DataFrame, Where]]
# depths are typed in centimetres or millimetres; a gap below this is rounding
_LAYER_TOLERANCE_M = 0.0051
_BAND_TOLERANCE_M = 0.01
# snow and firn do not get denser than this, ice not lighter: a density outside is a slip of the pen
_DENSITY_CLASS = {
    "snow": (10.0, 600.0),
    "firn": (350.0, 860.0),
    "superimposed_ice": (700.0, 917.0),
    "ice": (800.0, 917.0),
}


def check_tables(tables: Tables) -> list[BadInput]:
    """Every contradiction in the typed tables, in sheet order."""
    errors: list[BadInput] = []
    errors.extend(_one_glacier(*tables["glacier"]))
    for table in WORKBOOK:
        errors.extend(_duplicate_keys(*tables[table.name], table.primary_key))
    errors.extend(_without_position(*tables["stakes"], "stake_id"))
    errors.extend(_unknown_reference(*tables["readings"], "stake_id", tables["stakes"][0]["stake_id"]))
    errors.extend(_dates_out_of_order(*tables["readings"]))
    errors.extend(_exposed_beyond_length(*tables["readings"]))
    errors.extend(_unknown_reference(*tables["snow_pits"], "stake_id", tables["stakes"][0]["stake_id"]))
    errors.extend(_pits_without_position(*tables["snow_pits"]))
    errors.extend(_unknown_reference(*tables["pit_layers"], "pit_id", tables["snow_pits"][0]["pit_id"]))
    errors.extend(_pits_without_layers(tables))
    errors.extend(_layers_that_do_not_tile(*tables["pit_layers"]))
    errors.extend(_density_out_of_class(*tables["pit_layers"]))
    errors.extend(_without_position(*tables["probings"], "probing_id"))
    for name in ("hypsometry", "zone_balances"):
        errors.extend(_bands_that_overlap(*tables[name]))
    errors.extend(_periods_out_of_order(*tables["zone_balances"]))
    return errors


def _one_glacier(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    if frame.empty:
        yield BadInput("sheet glacier", "no glacier row", "one row that names the glacier")
    elif len(frame) > 1:
        yield BadInput(
            where(1, "glacier_id"), f"a second glacier {frame.iloc[1]['glacier_id']!r}", "one glacier a workbook"
        )


def _duplicate_keys(frame: pd.DataFrame, where: Where, key: tuple[str, ...]) -> Iterable[BadInput]:
    repeated = frame.duplicated(list(key), keep="first").to_numpy() if len(frame) else np.array([], bool)
    for record in np.flatnonzero(repeated):
        values = ", ".join(str(frame.iloc[record][name]) for name in key)
        yield BadInput(where(int(record), key[-1]), f"{values} a second time", f"each {', '.join(key)} once")


def _without_position(frame: pd.DataFrame, where: Where, name: str) -> Iterable[BadInput]:
    for record, row in enumerate(frame.to_dict("records")):
        if not _has_position(row):
            found = f"{name.removesuffix('_id')} {row[name]} without position"
            yield BadInput(where(record, name), found, "longitude and latitude, or easting and northing")


def _pits_without_position(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    for record, row in enumerate(frame.to_dict("records")):
        if row["stake_id"] is None and not _has_position(row):
            expected = "longitude and latitude, or easting and northing, or the stake it lies beside"
            yield BadInput(where(record, "pit_id"), f"pit {row['pit_id']} without position", expected)


def _has_position(row: Mapping[Any, Any]) -> bool:
    degrees = np.isfinite(row["longitude"]) and np.isfinite(row["latitude"])
    metres = np.isfinite(row["easting"]) and np.isfinite(row["northing"])
    return bool(degrees or metres)


def _unknown_reference(frame: pd.DataFrame, where: Where, name: str, known: pd.Series[Any]) -> Iterable[BadInput]:
    names = set(known)
    for record, value in enumerate(frame[name]):
        if value is not None and value not in names:
            kind = name.removesuffix("_id")
            sheet = {"stake_id": "stakes", "pit_id": "snow_pits"}[name]
            yield BadInput(where(record, name), f"{kind} {value!r}", f"a {kind} of the sheet {sheet!r}")


def _dates_out_of_order(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    """Readings of one leg stand in the order they were taken; a date before the one above it is a slip."""
    latest: dict[tuple[str, int], Any] = {}
    for record, (stake, leg, day) in enumerate(zip(frame["stake_id"], frame["leg"], frame["date"], strict=True)):
        before = latest.get((stake, leg))
        if before is not None and day < before:
            found = f"date {day} of stake {stake} leg {leg} after {before}"
            yield BadInput(where(record, "date"), found, "dates that increase within a leg")
        latest[stake, leg] = day


def _exposed_beyond_length(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    for record, (exposed, length, status) in enumerate(
        zip(frame["exposed_m"], frame["stake_length_m"], frame["status"], strict=True)
    ):
        if exposed > length and status != "melted_out":
            found = f"exposed {exposed:g} m of a stake of {length:g} m"
            yield BadInput(where(record, "exposed_m"), found, "no more than the stake's length")


def _pits_without_layers(tables: Tables) -> Iterable[BadInput]:
    pits, where = tables["snow_pits"]
    with_layers = set(tables["pit_layers"][0]["pit_id"])
    for record, pit in enumerate(pits["pit_id"]):
        if pit not in with_layers:
            yield BadInput(where(record, "pit_id"), f"pit {pit} without layers", "its layers in the sheet 'pit_layers'")


def _layers_that_do_not_tile(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    """Layers of a pit start at the surface and follow each other without gap or overlap."""
    bottoms: dict[str, float] = {}
    ordered = frame.reset_index().sort_values(["pit_id", "layer"], kind="stable")
    for row in ordered.to_dict("records"):
        record, pit, top, bottom = int(row["index"]), row["pit_id"], row["top_m"], row["bottom_m"]
        above = bottoms.get(pit, 0.0)
        if abs(top - above) > _LAYER_TOLERANCE_M:
            found = f"layer {row['layer']} of pit {pit} from {top:g} m"
            yield BadInput(where(record, "top_m"), found, f"from {above:g} m: layers must tile the pit")
        if bottom <= top:
            found = f"layer {row['layer']} of pit {pit} from {top:g} to {bottom:g} m"
            yield BadInput(where(record, "bottom_m"), found, "a bottom below the top")
        bottoms[pit] = bottom


def _density_out_of_class(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    for record, (density, kind) in enumerate(zip(frame["density_kg_m3"], frame["kind"], strict=True)):
        low, high = _DENSITY_CLASS.get(kind, (0.0, np.inf))
        if not low <= density <= high:
            found = f"{kind} of {density:g} kg m-3"
            yield BadInput(where(record, "density_kg_m3"), found, f"{kind} from {low:g} to {high:g} kg m-3")


def _bands_that_overlap(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    tops: dict[int, float] = {}
    ordered = frame.reset_index().sort_values(["year", "lower_m"], kind="stable")
    for row in ordered.to_dict("records"):
        record, year, lower, upper = int(row["index"]), row["year"], row["lower_m"], row["upper_m"]
        if upper <= lower:
            yield BadInput(
                where(record, "upper_m"), f"a band from {lower:g} to {upper:g} m", "an upper edge above the lower"
            )
        if lower < tops.get(year, -np.inf) - _BAND_TOLERANCE_M:
            found = f"a band from {lower:g} m below the end of the band before, {tops[year]:g} m"
            yield BadInput(where(record, "lower_m"), found, "bands that do not overlap")
        tops[year] = upper


def _periods_out_of_order(frame: pd.DataFrame, where: Where) -> Iterable[BadInput]:
    for record, row in enumerate(frame.to_dict("records")):
        days = [(name, row[name]) for name in ("begin_date", "midseason_date", "end_date") if row[name] is not None]
        for (earlier_name, earlier), (later_name, later) in pairwise(days):
            if later < earlier:
                found = f"{later_name} {later} before {earlier_name} {earlier}"
                yield BadInput(where(record, later_name), found, "an end after the start")
