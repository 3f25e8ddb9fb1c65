"""Checks of the mass-balance tables against each other: areas, zones, points, sums over years, the WGMS forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.archive import TableFile
from catalog.checks.consistency import named, numbers, row_failures
from catalog.checks.result import Failure, check
from catalog.formats import text_of_csv

_RECOMPUTE = "recompute the table from its source"
_HALF_CENTIMETRE = 0.005  # largest rounding error of a balance published at 0.01 m w.e.
_HALF_AREA_KM2 = 5e-6  # of an area published at 10 m2
_HALF_RATIO = 0.0005
_EDGE_M = 0.05  # elevations are published at 0.1 m: a point so near an edge may belong to either zone
_SLACK = 1e-6
# doubts that a year states about the bands it was given: their areas need not make up the glacier
_DOUBTFUL_BANDS = {"bands_with_a_gap", "overlapping_bands", "band_without_area", "bands_unlike_published"}


def flags_of(cell: str) -> set[str]:
    """The flags in a cell of a table, without the detail that may follow a colon."""
    return {flag.partition(":")[0] for flag in cell.split(";") if flag}


@check(
    "zones-fill-the-glacier",
    "the zones of a year, and the bands of its hypsometry, are together as large as the glacier",
    named("glacier_balances"),
)
def zones_fill_the_glacier(table: TableFile) -> Iterator[Failure]:
    stated = numbers(table, "area_km2")["area_km2"]
    frame = table.frame()
    for name in ("zone_balances", "hypsometry"):
        parts = table.sibling(name)
        areas = numbers(parts, "area_km2")["area_km2"].groupby(parts.frame()["year"])
        sums, counts = areas.sum(), areas.count()
        for row, (year, flags) in enumerate(zip(frame["year"], frame["flags"], strict=True)):
            if year not in sums.index or np.isnan(stated.iloc[row]) or flags_of(flags) & _DOUBTFUL_BANDS:
                continue
            if abs(stated.iloc[row] - sums[year]) > _HALF_AREA_KM2 * (counts[year] + 1) + _SLACK:
                area = f"area_km2 {stated.iloc[row]:.5f}"
                yield Failure(f"{table.file}:{row + 2}", area, f"{sums[year]:.5f}, the sum of {parts.file}", _RECOMPUTE)


@check(
    "accumulation-and-ablation-area",
    "accumulation and ablation area are together the glacier, and the AAR is the share of the former",
    named("glacier_balances"),
)
def accumulation_and_ablation_area(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "area_km2", "accumulation_area_km2", "ablation_area_km2", "aar").dropna()
    for row, (area, gaining, losing, aar) in zip(rows.index, rows.itertuples(index=False), strict=True):
        where = f"{table.file}:{row + 2}"
        if abs(gaining + losing - area) > 3 * _HALF_AREA_KM2 + _SLACK:
            expected = f"{gaining + losing:.5f}, accumulation and ablation area"
            yield Failure(where, f"area_km2 {area:.5f}", expected, _RECOMPUTE)
        if abs(aar - gaining / area) > _HALF_RATIO + 2 * _HALF_AREA_KM2 / area + _SLACK:
            yield Failure(where, f"aar {aar:.3f}", f"{gaining / area:.3f}, the accumulation area's share", _RECOMPUTE)


@dataclass(frozen=True)
class _Points:
    """Measured annual balances of one year: elevation (m) and balance (m w.e.), shape (points,)."""

    elevation_m: NDArray[np.float64]
    balance_m_we: NDArray[np.float64]

    def between(self, lower_m: float, upper_m: float) -> NDArray[np.float64]:
        """Balances of the points in a zone, its lower edge included."""
        return self.balance_m_we[(self.elevation_m >= lower_m) & (self.elevation_m < upper_m)]

    def near(self, edge_m: float) -> bool:
        """Whether rounding may have carried a point over an edge."""
        return bool((np.abs(self.elevation_m - edge_m) <= _EDGE_M + _SLACK).any())


@check(
    "points-make-the-zones",
    "a zone with points has the mean of the point balances within its edges, and no more points than lie there",
    named("zone_balances"),
)
def points_make_the_zones(table: TableFile) -> Iterator[Failure]:
    measured = _annual_points(table.sibling("point_balances"))
    balances = table.sibling("glacier_balances")
    filled = dict(zip(balances.frame()["year"], numbers(balances, "n_filled")["n_filled"].fillna(0), strict=True))
    rows = numbers(table, "lower_m", "upper_m", "annual_balance_m_we", "n_points")
    rows = rows.assign(year=table.frame()["year"], basis=table.frame()["basis"])
    for year, zones in rows.groupby("year"):
        # zones as given name no number; a filled stake counts in its zone and stands in another table
        if zones["n_points"].isna().any() or filled.get(str(year), 0) or str(year) not in measured:
            continue
        for row, stated, expected in _unlike_points(zones, measured[str(year)]):
            yield Failure(f"{table.file}:{row + 2}", stated, expected, _RECOMPUTE)


def _annual_points(table: TableFile) -> dict[str, _Points]:
    """By year; bounds are no values and make no mean."""
    frame = table.frame()
    frame = frame[(frame["period"] == "annual") & (frame["bound"] == "=") & (frame["balance_m_we"] != "")]
    columns = frame[["elevation_m", "balance_m_we"]].apply(pd.to_numeric)
    return {
        str(year): _Points(own["elevation_m"].to_numpy(float), own["balance_m_we"].to_numpy(float))
        for year, own in columns.groupby(frame["year"])
    }


def _unlike_points(zones: pd.DataFrame, points: _Points) -> Iterator[tuple[int, str, str]]:
    """Row, what was found and what was expected of each zone of a year that its points do not make."""
    lowest, highest = zones["lower_m"].min(), zones["upper_m"].max()
    for row, zone in zones.iterrows():
        # a point beyond the zones counts for the outermost
        lower = -np.inf if zone["lower_m"] == lowest else float(zone["lower_m"])
        upper = np.inf if zone["upper_m"] == highest else zone["upper_m"]
        count, stated = int(zone["n_points"]), zone["annual_balance_m_we"]
        if points.near(lower) or points.near(upper):
            continue
        held, at = points.between(lower, upper), int(str(row))
        if count > held.size:
            yield at, f"n_points {count}", f"at most {held.size}, the annual points within the zone"
        elif count and zone["basis"] == "observed":
            # where not every point was used, which ones is not told: their mean still lies among them
            ends = (held.mean(), held.mean()) if count == held.size else (held.min(), held.max())
            if not ends[0] - 2 * _HALF_CENTIMETRE - _SLACK <= stated <= ends[1] + 2 * _HALF_CENTIMETRE + _SLACK:
                yield at, f"annual_balance_m_we {stated:.2f}", f"{ends[0]:.3f} to {ends[1]:.3f}, by its points"


@check(
    "cumulative-is-running-sum",
    "each cumulative balance is the one of the year before plus the annual balance of its year",
    named("cumulative_balances"),
)
def cumulative_is_running_sum(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "year", "annual_balance_m_we", "cumulative_balance_m_we")
    stated = rows["cumulative_balance_m_we"]
    expected = stated.shift(fill_value=0.0) + rows["annual_balance_m_we"]
    yield from row_failures(table, stated, expected, 3 * _HALF_CENTIMETRE, "the running sum")
    balances = table.sibling("glacier_balances").frame()
    annual = dict(zip(balances["year"], balances["annual_balance_m_we"], strict=True))
    for line, record in enumerate(table.frame().to_dict("records"), 2):
        expected_text = annual.get(record["year"])
        if record["annual_balance_m_we"] != expected_text:
            balance = f"annual_balance_m_we {record['annual_balance_m_we']}"
            yield Failure(f"{table.file}:{line}", balance, f"{expected_text}, as in the glacier balances", _RECOMPUTE)


@check(
    "years-follow-each-other",
    "the mass-balance years of a glacier rise, each begins and ends after the one before, and ends in its own year",
    named("glacier_balances"),
)
def years_follow_each_other(table: TableFile) -> Iterator[Failure]:
    for _, own in table.frame().groupby("glacier_id"):
        before = {"year": "", "begin_date": "", "end_date": ""}  # ISO 8601 and years of four digits sort as text
        for row, record in own.iterrows():
            for name, last in before.items():
                if last and record[name] and record[name] <= last:
                    date = f"{name} {record[name]}"
                    expected = f"after {last}, that of a year before"
                    yield Failure(f"{table.file}:{int(str(row)) + 2}", date, expected, "correct the dates")
            before = {name: record[name] or last for name, last in before.items()}
        for row, record in own.iterrows():
            if record["end_date"] and record["end_date"][:4] != record["year"]:
                date = f"end_date {record['end_date']}"
                yield Failure(
                    f"{table.file}:{int(str(row)) + 2}", date, f"a day of {record['year']}", "correct the dates"
                )


@check(
    "item-period-is-in-table",
    "the period of a balance item is that of its year in the table",
    named("glacier_balances"),
)
def item_period_is_in_table(table: TableFile) -> Iterator[Failure]:
    records: dict[str, list[dict[Any, Any]]] = {}
    for record in table.frame().to_dict("records"):
        records.setdefault(str(record["year"]), []).append(record)
    for item in table.archive.items if records else ():
        properties = item.content["properties"]
        own = item.collection_id == table.collection
        for record in records.get(str(properties.get("glacier:year")), ()) if own else ():
            for name, column in (("start_datetime", "begin_date"), ("end_datetime", "end_date")):
                if record[column] and properties[name][:10] != record[column]:
                    yield Failure(f"{item.file}: {name}", properties[name], f"{record[column]}, as in {table.file}")


# where each kind of point was observed, and the columns that name a record there
_OBSERVED_IN = {
    "stake": ("readings", ("stake_id", "leg", "date")),
    "pit": ("snow_pits", ("pit_id",)),
    "probing": ("probings", ("probing_id",)),
}


@check(
    "points-name-their-readings",
    "every point balance names the readings, pits or probings that it was computed from, and they are there",
    named("point_balances", "other_time_systems"),
)
def points_name_their_readings(table: TableFile) -> Iterator[Failure]:
    frame = table.frame()
    for kind, own in frame.groupby("kind"):
        if kind not in _OBSERVED_IN or not len(own):
            continue
        name, columns = _OBSERVED_IN[str(kind)]
        source = table.sibling(name)
        keys = source.frame()[list(columns)].map(text_of_csv)
        known = {"/".join(record) for record in keys.itertuples(index=False, name=None)}
        if any(";" in key for key in known):
            continue  # where a list of them ends cannot be told
        for row, text in own["readings"].map(text_of_csv).items():
            named_there = [token for token in text.split(";") if token]
            missing = sorted({token for token in named_there if token not in known})
            if missing or not named_there:
                readings = f"readings {', '.join(missing) or 'none'}"
                expected = f"records of {source.file}"
                yield Failure(f"{table.file}:{int(str(row)) + 2}", readings, expected, "name the records by their keys")


# column of the form of 2026, our column, what ours is multiplied by
_GLACIER_2026 = {
    "winter_balance": ("winter_balance_m_we", 1.0),
    "summer_balance": ("summer_balance_m_we", 1.0),
    "annual_balance": ("annual_balance_m_we", 1.0),
    "annual_balance_unc": ("sigma_annual_m_we", 1.0),
    "ela": ("ela_m", 1.0),
    "ela_unc": ("sigma_ela_m", 1.0),
    "aar": ("aar", 1.0),
    "area": ("area_km2", 1e6),
}
_BAND_2026 = {
    "winter_balance": ("winter_balance_m_we", 1.0),
    "summer_balance": ("summer_balance_m_we", 1.0),
    "annual_balance": ("annual_balance_m_we", 1.0),
    "area": ("area_km2", 1e6),
}
_2023 = {
    "WINTER_BALANCE": ("winter_balance_m_we", 1000.0),
    "SUMMER_BALANCE": ("summer_balance_m_we", 1000.0),
    "ANNUAL_BALANCE": ("annual_balance_m_we", 1000.0),
    "AREA": ("area_km2", 1.0),
}
_WHOLE_GLACIER = "9999"  # the edges that stand for no band in the form of 2023
_OUR_BAND = ("year", "lower_m", "upper_m")


@check(
    "wgms-forms-agree",
    "the tables in the form of the WGMS state the balances, areas and lines of the archive's own tables",
    named("fog2026_mass_balance", "fog2026_mass_balance_band", "fog2023_mass_balance"),
)
def wgms_forms_agree(table: TableFile) -> Iterator[Failure]:
    glacier, zones = table.sibling("glacier_balances"), table.sibling("zone_balances")
    frame, name = table.frame(), str(table.resource["name"])
    if name == "fog2026_mass_balance":
        yield from _unlike_form(table, frame, ("year",), glacier, ("year",), _GLACIER_2026)
    elif name == "fog2026_mass_balance_band":
        keys = ("year", "lower_elevation", "upper_elevation")
        yield from _unlike_form(table, frame, keys, zones, _OUR_BAND, _BAND_2026)
    else:
        whole = frame["LOWER_BOUND"] == _WHOLE_GLACIER
        yield from _unlike_form(table, frame[whole], ("YEAR",), glacier, ("year",), _2023)
        keys = ("YEAR", "LOWER_BOUND", "UPPER_BOUND")
        yield from _unlike_form(table, frame[~whole], keys, zones, _OUR_BAND, _2023)


def _unlike_form(
    table: TableFile,
    frame: pd.DataFrame,
    keys: tuple[str, ...],
    ours: TableFile,
    our_keys: tuple[str, ...],
    columns: Mapping[str, tuple[str, float]],
) -> Iterator[Failure]:
    """Values of a form that its source does not state; an empty cell of the form says nothing (modelled years)."""
    records = {tuple(record[key] for key in our_keys): record for record in ours.frame().to_dict("records")}
    for row, stated in frame.iterrows():
        where, key = f"{table.file}:{int(str(row)) + 2}", tuple(stated[name] for name in keys)
        record = records.get(key)
        if record is None:
            yield Failure(where, f"a record of {' '.join(key)}", f"one of {ours.file}", _RECOMPUTE)
            continue
        for name, (column, factor) in columns.items():
            if stated[name] == "":
                continue
            expected = factor * float(record[column]) if record[column] else np.nan
            rounding = _half_digit(stated[name]) + factor * _half_digit(record[column])
            if not abs(float(stated[name]) - expected) <= rounding + _SLACK * max(1.0, abs(expected)):
                yield Failure(
                    where, f"{name} {stated[name]}", f"{expected:.10g}, as {column} of {ours.file}", _RECOMPUTE
                )


def _half_digit(text: str) -> float:
    """Half of the last digit that a number in a table gives."""
    return 0.5 * 10.0 ** -len(text.partition(".")[2])
