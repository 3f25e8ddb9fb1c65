"""What is kept as typed though it looks odd: lone dates, stakes beyond the bands, readings older than the stake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np

from pipeline.mass_balance.input_notes import Doubt
from pipeline.mass_balance.typed_sheets import TypedTable

Tables = Mapping[str, TypedTable]
# no programme rests for so long and then goes on; a date beyond such a gap is mostly a slip in the year
LONGEST_REST_YEARS = 10
# of all dated records, those beyond the gap must be fewer than this share to be the odd ones
_FEW = 0.05
_DAYS_OF_YEAR = 365.25
# stakes stand this far beyond the bands where the glacier's edge or the elevations have changed
_BEYOND_BANDS_M = 50.0


def field_doubts(tables: Tables) -> list[Doubt]:
    """Everything in the typed tables that is plausible enough to be kept and odd enough to be named."""
    doubts = list(_lone_dates([tables[name] for name in ("readings", "snow_pits", "probings")]))
    doubts.extend(_read_before_installed(tables["readings"], tables["stakes"]))
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
                    found = f"{day}, {years:.0f} years {word} the nearest of the other dates"
                    yield table.doubt(record, "date", found, "kept; is the year right?")


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
        found = f"{elevation[record]:g} m, where the glacier reaches from {low:g} to {high:g} m"
        yield table.doubt(record, "elevation_m", found, "kept; is the elevation right?")
