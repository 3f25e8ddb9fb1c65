"""Checks of a field workbook's meaning: keys, positions, periods, pit layers, bands; each names its cell.

Refused is what leaves no result or several: what can still be used, though it looks wrong, is kept and said
(``field_doubts``, ``quality_flags``). A density that no snow or ice has is refused by the column's own limits.
A record whose cells were reported already is left out of the checks that need them, so that one slip gives one error.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from pipeline.mass_balance.fieldwork.cells import BadCell
from pipeline.mass_balance.fieldwork.typed_sheets import TypedTable
from schemas.errors import BadInput

Tables = Mapping[str, TypedTable]
# depths are typed in centimetres or millimetres; a gap below this is rounding
_LAYER_TOLERANCE_M = 0.0051
_SHEET_OF = {"stake_id": "stakes", "pit_id": "snow_pits"}
_POSITION = ("longitude", "latitude", "easting", "northing")


def check_tables(tables: Tables, not_after: date | None = None) -> list[BadInput]:
    """Every contradiction in the typed tables; no date may lie after ``not_after``.

    Parameters
    ----------
    tables : by name, typed.
    not_after : the last day on which anything can have been observed; None where nobody says so.
    """
    errors: list[BadInput] = []
    errors.extend(_no_glacier(tables["glacier"]))
    errors.extend(_without_position(tables["stakes"], "stake_id"))
    errors.extend(_unknown_reference(tables["readings"], "stake_id", tables["stakes"]))
    errors.extend(_exposed_beyond_length(tables["readings"]))
    errors.extend(_unknown_reference(tables["snow_pits"], "stake_id", tables["stakes"]))
    errors.extend(_pits_without_position(tables["snow_pits"]))
    errors.extend(_unknown_reference(tables["pit_layers"], "pit_id", tables["snow_pits"]))
    errors.extend(_pits_without_layers(tables["snow_pits"], tables["pit_layers"]))
    errors.extend(_layers_that_do_not_tile(tables["pit_layers"]))
    errors.extend(_summer_surface_out_of_the_pit(tables["snow_pits"], tables["pit_layers"]))
    errors.extend(_without_position(tables["probings"], "probing_id"))
    errors.extend(_without_snow(tables["probings"]))
    for name in ("hypsometry", "zone_balances"):
        errors.extend(_bands_upside_down(tables[name]))
    errors.extend(_periods_out_of_order(tables["zone_balances"]))
    errors.extend(_periods_out_of_order(tables["point_balances"]))
    errors.extend(_without_position(tables["point_balances"], "point_id"))
    errors.extend(_without_time(tables["point_balances"]))
    if not_after is not None:
        for table in tables.values():
            errors.extend(_after(table, not_after))
    return errors


def _no_glacier(table: TypedTable) -> Iterable[BadInput]:
    if table.sheet is not None and table.frame.empty and not table.wrong:
        yield BadCell(table.sheet, "", "no glacier row", "one row that names the glacier")


def _without_position(table: TypedTable, name: str) -> Iterable[BadInput]:
    for record in map(int, np.flatnonzero(~_has_position(table.frame))):
        if not table.is_wrong(record, *_POSITION):
            point = f"{name.removesuffix('_id')} {table.frame[name].iloc[record]} without position"
            yield table.bad(record, name, point, "longitude and latitude, or easting and northing")


def _pits_without_position(table: TypedTable) -> Iterable[BadInput]:
    alone = table.frame["stake_id"].isna().to_numpy() & ~_has_position(table.frame)
    for record in map(int, np.flatnonzero(alone)):
        if not table.is_wrong(record, "stake_id", *_POSITION):
            wanted = "longitude and latitude, or easting and northing, or the stake it lies beside"
            yield table.bad(record, "pit_id", f"pit {table.frame['pit_id'].iloc[record]} without position", wanted)


def _without_snow(table: TypedTable) -> Iterable[BadInput]:
    """Probings that say nothing of the snow: told once where the sheet has neither column."""
    columns = ("snow_depth_m", "swe_m_we")
    empty = table.frame[list(columns)].isna().all(axis=1).to_numpy(bool)
    blank = [record for record in map(int, np.flatnonzero(empty)) if not table.is_wrong(record, *columns)]
    wanted = "a snow depth, or its water equivalent: a column 'snow_depth_m' or 'swe_m_we'"
    if blank and table.sheet is not None and not set(columns) & set(table.columns):
        yield BadCell(table.sheet, "", "neither snow depths nor water equivalents", wanted)
        return
    remedy = "write 0 where there was none, leave the row out where nobody probed"
    for record in blank:
        name = next(one for one in columns if one in table.columns)
        yield table.bad(record, name, f"probing {table.frame['probing_id'].iloc[record]} without snow", wanted, remedy)


def _has_position(frame: pd.DataFrame) -> Any:
    """Which records have a position, in degrees or in metres; shape (n,), bool."""
    finite = {name: np.isfinite(frame[name].to_numpy(float)) for name in _POSITION}
    return (finite["longitude"] & finite["latitude"]) | (finite["easting"] & finite["northing"])


def _unknown_reference(table: TypedTable, name: str, target: TypedTable) -> Iterable[BadInput]:
    """Names that the other sheet lacks; not where that sheet is missing or unreadable itself."""
    if target.sheet is None or any(column == name for _, column in target.wrong):
        return
    known = set(target.frame[name].dropna())
    kind, sheet = name.removesuffix("_id"), _SHEET_OF[name]
    suggestions: dict[str, str] = {}
    for record, value in enumerate(table.frame[name]):
        if value is None or value in known:
            continue
        if value not in suggestions:
            near = difflib.get_close_matches(value, sorted(known), n=1, cutoff=0.75)
            suggestions[value] = f"did you mean {near[0]!r}?" if near else ""
        yield table.bad(record, name, f"{kind} {value!r}", f"a {kind} of the sheet {sheet!r}", suggestions[value])


def _exposed_beyond_length(table: TypedTable) -> Iterable[BadInput]:
    frame = table.frame
    beyond = (frame["exposed_m"] > frame["stake_length_m"]) & (frame["status"] != "melted_out")
    for record in map(int, np.flatnonzero(beyond.to_numpy(bool))):
        row = frame.iloc[record]
        lengths = f"exposed {row['exposed_m']:g} m of a stake of {row['stake_length_m']:g} m"
        yield table.bad(record, "exposed_m", lengths, "no more than the stake's length")


def _pits_without_layers(pits: TypedTable, layers: TypedTable) -> Iterable[BadInput]:
    if any(column == "pit_id" for _, column in layers.wrong):
        return
    with_layers = set(layers.frame["pit_id"])
    weighed = (pits.frame["swe_m_we"] > 0).to_numpy()
    for record, pit in enumerate(pits.frame["pit_id"]):
        if pit is not None and pit not in with_layers and not weighed[record]:
            wanted = "its layers in the sheet 'pit_layers', or its water equivalent in 'swe_m_we'"
            yield pits.bad(record, "pit_id", f"pit {pit} without layers", wanted)


def _summer_surface_out_of_the_pit(pits: TypedTable, layers: TypedTable) -> Iterable[BadInput]:
    """A pit that goes below the last summer's surface has that surface, at a stated depth, in its wall."""
    depths = layers.frame.groupby("pit_id")["bottom_m"].max()
    columns = (pits.frame[name] for name in ("pit_id", "floor", "probed_depth_m"))
    for record, (pit, floor, surface_m) in enumerate(zip(*columns, strict=True)):
        if floor != "below_summer_surface" or pit not in depths.index or pits.is_wrong(record, "probed_depth_m"):
            continue
        depth_m = float(depths[pit])
        if not 0 < surface_m < depth_m:
            where = "at no stated depth" if not np.isfinite(surface_m) else f"at {surface_m:g} m"
            pit_and_surface = f"pit {pit}, {depth_m:g} m deep, below a summer surface {where}"
            wanted = f"the depth of that surface, between 0 and {depth_m:g} m"
            yield pits.bad(record, "probed_depth_m", pit_and_surface, wanted)


def _layers_that_do_not_tile(table: TypedTable) -> Iterable[BadInput]:
    """Layers of a pit start at the surface and follow each other without gap or overlap."""
    bottoms: dict[str, float] = {}
    ordered = table.frame.reset_index().dropna(subset=["pit_id", "layer"])
    for row in ordered.sort_values(["pit_id", "layer"], kind="stable").to_dict("records"):
        record, pit, top, bottom = int(row["index"]), row["pit_id"], row["top_m"], row["bottom_m"]
        above = bottoms.get(pit, 0.0)
        if abs(top - above) > _LAYER_TOLERANCE_M:
            extent = f"layer {row['layer']} of pit {pit} from {top:g} m"
            yield table.bad(record, "top_m", extent, f"from {above:g} m: layers must tile the pit")
        if bottom <= top:
            extent = f"layer {row['layer']} of pit {pit} from {top:g} to {bottom:g} m"
            yield table.bad(record, "bottom_m", extent, "a bottom below the top")
        bottoms[pit] = bottom


def _bands_upside_down(table: TypedTable) -> Iterable[BadInput]:
    lower, upper = (table.frame[name].to_numpy(float) for name in ("lower_m", "upper_m"))
    for record in map(int, np.flatnonzero(upper <= lower)):
        edges = f"a band from {lower[record]:g} to {upper[record]:g} m"
        yield table.bad(record, "upper_m", edges, "an upper edge above the lower")


def _periods_out_of_order(table: TypedTable) -> Iterable[BadInput]:
    for record, row in enumerate(table.frame.to_dict("records")):
        names = [name for name in ("begin_date", "midseason_date", "end_date") if name in row]
        days = [(name, row[name]) for name in names if row[name] is not None]
        for (earlier_name, earlier), (later_name, later) in pairwise(days):
            if later < earlier:
                order = f"{later_name} {later} before {earlier_name} {earlier}"
                yield table.bad(record, later_name, order, "an end after the start")


def _without_time(table: TypedTable) -> Iterable[BadInput]:
    """Point balances of which neither year nor day is told."""
    columns = (table.frame[name] for name in ("year", "begin_date", "end_date"))
    for record, (year, begin, end) in enumerate(zip(*columns, strict=True)):
        if (
            pd.isna(year)
            and begin is None
            and end is None
            and not table.is_wrong(record, "year", "begin_date", "end_date")
        ):
            yield table.bad(record, "year", "neither year nor days", "the mass-balance year, or first and last day")


def _after(table: TypedTable, limit: date) -> Iterable[BadInput]:
    """Dates and years later than the day up to which anything can have been observed."""
    for column in table.table.columns:
        if column.type in ("date", "year"):
            last = limit if column.type == "date" else limit.year
            for record, value in enumerate(table.frame[column.name]):
                if value is not None and value > last:
                    yield table.bad(record, column.name, f"{value}", f"{column.name} no later than {last}")
