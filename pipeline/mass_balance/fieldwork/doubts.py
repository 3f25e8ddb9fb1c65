"""What is kept as typed though it looks odd: dates alone or out of order, odd densities, overlapping bands, and more.

What is found in a frame, and not only in a sheet, is found by functions that the quality flags use too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
import pandas as pd

from pipeline.mass_balance.fieldwork.input_notes import Doubt
from pipeline.mass_balance.fieldwork.typed_sheets import TypedTable

Tables = Mapping[str, TypedTable]
# no programme rests for so long and then goes on; a date beyond such a gap is mostly a slip in the year
LONGEST_REST_YEARS = 10
# of all dated records, those beyond the gap must be fewer than this share to be the odd ones
_FEW = 0.05
_DAYS_OF_YEAR = 365.25
# stakes stand this far beyond the bands where the glacier's edge or the elevations have changed
_BEYOND_BANDS_M = 50.0
# snow and firn do not get denser than this, ice not lighter (kg m-3): beyond, density or kind is a slip of the pen
DENSITY_CLASS = {
    "snow": (10.0, 600.0),
    "firn": (350.0, 860.0),
    "superimposed_ice": (700.0, 917.0),
    "ice": (800.0, 917.0),
}
# edges of bands closer than this are the same edge
_BAND_TOLERANCE_M = 0.01


def field_doubts(tables: Tables) -> list[Doubt]:
    """Everything in the typed tables that is plausible enough to be kept and odd enough to be named.

    Parameters
    ----------
    tables : by name, typed.
    """
    doubts = list(_lone_dates([tables[name] for name in ("readings", "snow_pits", "probings")]))
    doubts.extend(_read_before_installed(tables["readings"], tables["stakes"]))
    doubts.extend(_nothing_read(tables["readings"]))
    doubts.extend(_out_of_order(tables["readings"]))
    doubts.extend(_out_of_class(tables["pit_layers"]))
    for name in ("hypsometry", "zone_balances"):
        doubts.extend(_overlapping(tables[name]))
    for name in ("stakes", "snow_pits", "probings"):
        doubts.extend(_beyond_the_bands(tables[name], tables["hypsometry"]))
    return doubts


def _lone_dates(tables: Iterable[TypedTable]) -> Iterable[Doubt]:
    """Dates far from all others: without a clock the data themselves say what lies in the future."""
    dated = [
        (day, table, record)
        for table in tables
        for record, day in enumerate(table.frame["date"])
        if isinstance(day, date)
    ]
    dated.sort(key=lambda entry: entry[0])
    days = np.array([day.toordinal() for day, _, _ in dated])
    gaps = np.flatnonzero(np.diff(days) > LONGEST_REST_YEARS * _DAYS_OF_YEAR) + 1
    few = max(1.0, _FEW * len(days))
    for gap in map(int, gaps):
        for side, neighbour, word in ((dated[gap:], dated[gap - 1], "after"), (dated[:gap], dated[gap], "before")):
            if len(side) <= few and len(side) < len(dated) - len(side):
                for day, table, record in side:
                    years = abs((day - neighbour[0]).days) / _DAYS_OF_YEAR
                    lone_date = f"{day}, {years:.0f} years {word} the nearest of the other dates"
                    yield table.doubt(record, "date", lone_date, "kept; is the year right?")


def _read_before_installed(readings: TypedTable, stakes: TypedTable) -> Iterable[Doubt]:
    installed = dict(zip(stakes.frame["stake_id"], stakes.frame["installed"], strict=True))
    for record, (stake, day) in enumerate(zip(readings.frame["stake_id"], readings.frame["date"], strict=True)):
        first = installed.get(stake)
        if first is not None and day is not None and day < first:
            yield readings.doubt(record, "date", f"{day}, before stake {stake} was installed on {first}", "kept")


def _beyond_the_bands(table: TypedTable, hypsometry: TypedTable) -> Iterable[Doubt]:
    """Points below or above every elevation band."""
    if hypsometry.frame.empty:
        return
    low, high = float(hypsometry.frame["lower_m"].min()), float(hypsometry.frame["upper_m"].max())
    elevation = table.frame["elevation_m"].to_numpy(float)
    beyond = (elevation < low - _BEYOND_BANDS_M) | (elevation > high + _BEYOND_BANDS_M)
    for record in map(int, np.flatnonzero(beyond)):
        elevations = f"{elevation[record]:g} m, where the glacier reaches from {low:g} to {high:g} m"
        yield table.doubt(record, "elevation_m", elevations, "kept; is the elevation right?")


def dates_out_of_order(readings: pd.DataFrame) -> list[tuple[int, date]]:
    """Readings dated before the one that stands above them in the sheet, in the same leg: record, and that later day.

    A sheet that has every leg from the newest reading down is in order too.

    Parameters
    ----------
    readings : one row a visit, in the order of the sheet; columns stake_id, leg, date.
    """
    latest: dict[tuple[str, int], date] = {}
    backward: list[tuple[int, date]] = []
    forward = False
    columns = (readings[name] for name in ("stake_id", "leg", "date"))
    for record, (stake, leg, day) in enumerate(zip(*columns, strict=True)):
        if pd.isna(stake) or pd.isna(leg) or pd.isna(day):
            continue
        before = latest.get((stake, leg))
        if before is not None and day < before:
            backward.append((record, before))
        forward = forward or (before is not None and day > before)
        latest[stake, leg] = day
    return backward if forward or len(backward) == 1 else []


def densities_out_of_class(layers: pd.DataFrame) -> list[int]:
    """Records of pit layers whose density their kind does not have.

    Parameters
    ----------
    layers : one row a layer; columns density_kg_m3 and kind.
    """
    records = []
    for record, (density, kind) in enumerate(zip(layers["density_kg_m3"], layers["kind"], strict=True)):
        low, high = DENSITY_CLASS.get(kind, (0.0, np.inf))
        if density < low or density > high:
            records.append(record)
    return records


def _nothing_read(readings: TypedTable) -> Iterable[Doubt]:
    """Readings without a single exposed length: mostly a column under a name that is not known."""
    if len(readings.frame) and readings.frame["exposed_m"].isna().all() and not readings.is_wrong(0, "exposed_m"):
        meaning = "kept: no stake gives a balance; is the header of the column 'exposed_m' spelled otherwise?"
        yield Doubt(readings.sheet_name, "", f"no exposed length in any of {len(readings.frame)} readings", meaning)


def _out_of_order(readings: TypedTable) -> Iterable[Doubt]:
    for record, before in dates_out_of_order(readings.frame):
        later_date = f"{readings.frame['date'].iloc[record]}, below a reading of the same leg on {before}"
        yield readings.doubt(record, "date", later_date, "kept, and read in order of the dates; is the date right?")


def _out_of_class(layers: TypedTable) -> Iterable[Doubt]:
    for record in densities_out_of_class(layers.frame):
        kind, density = (layers.frame[name].iloc[record] for name in ("kind", "density_kg_m3"))
        low, high = DENSITY_CLASS[kind]
        layer = f"{kind} of {density:g} kg m-3, where {kind} has {low:g} to {high:g}"
        yield layers.doubt(record, "density_kg_m3", layer, "kept; are density and kind right?")


def _overlapping(bands: TypedTable) -> Iterable[Doubt]:
    """Bands that begin below the end of the band before them in the same year."""
    tops: dict[int, float] = {}
    ordered = bands.frame.reset_index().dropna(subset=["year", "lower_m", "upper_m"])
    for row in ordered.sort_values(["year", "lower_m"], kind="stable").to_dict("records"):
        year, lower, upper = row["year"], row["lower_m"], row["upper_m"]
        top = tops.get(year, -np.inf)
        if lower < top - _BAND_TOLERANCE_M:
            band = f"a band from {lower:g} m, below the end of the band before, {top:g} m"
            yield bands.doubt(int(row["index"]), "lower_m", band, "kept: the area between counts twice")
        tops[year] = max(top, upper)
