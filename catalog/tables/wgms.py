"""Mass balances as the World Glacier Monitoring Service takes them: FoG release 2023-09 and the column names of 2026.

Values are those of the archive's own tables at the archive's own resolution (10 kg m-2), only units and names differ:
an exported number times its unit is the published one. No key that the service gives is invented.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from catalog.tables.point_use import USED_PERIODS, used_points
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.definition import Definition
from schemas.fields import Table
from schemas.wgms import (
    FOG2023_MASS_BALANCE,
    FOG2023_OVERVIEW,
    FOG2023_POINT,
    FOG2026_BAND,
    FOG2026_MASS_BALANCE,
    FOG2026_POINT,
    LAST_YEAR_2023,
    WGMS_TABLES,
    WHOLE_GLACIER,
)

SYNTHETIC_REMARK = "SYNTHETIC SAMPLE, not observations"
RECONSTRUCTED = "reconstructed"
_SEASONS = ("winter", "summer", "annual")
_CODES_2023 = {"winter": "BW", "summer": "BS", "annual": "BA", None: "IN"}
# number of a glacier in the World Glacier Inventory and in the Chinese one: it begins with the country
_INVENTORY_NUMBER = re.compile(r"([A-Z]{2})\d[A-Z][0-9A-Z]{8}")
_NOT_IN_A_NAME = re.compile(r"[^0-9A-Z\-.:()/'+&,*=_ ]+")

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What is said of a submission beside its numbers; empty where nothing is known.

    Attributes
    ----------
    investigators, agencies, references : who measured, who keeps the data, what was published on them.
    remark : stands in the remarks of every record.
    country : ISO 3166 alpha-2 code; where it is empty, that of the glacier's number in an inventory is taken.
    """

    investigators: str = ""
    agencies: str = ""
    references: str = ""
    remark: str = ""
    country: str = ""


@dataclass(frozen=True)
class PointColumns:
    """The point balances on their way out, column by column: there may be a hundred thousand of them.

    Attributes
    ----------
    table : records of ``point_balances``.
    names : identifiers, one a point.
    seasons : the balance that each was used for: annual or winter; None for an index point.
    remarks : what the columns of an export cannot say.
    """

    table: pd.DataFrame
    names: tuple[str, ...]
    seasons: tuple[str | None, ...]
    remarks: tuple[str, ...]

    def numbers(self, column: str) -> list[float | None]:
        """A column as numbers; None where missing."""
        values = pd.to_numeric(self.table[column]).astype(float).tolist()
        return [None if value != value else value for value in values]

    def compact_days(self, column: str) -> list[str | None]:
        """A column of days as YYYYMMDD."""
        days = self.table[column].tolist()
        written = {day: _compact(day) for day in set(days)}
        return [written[day] for day in days]


def submission_of(definition: Definition, synthetic: bool) -> Submission:
    """What a definition says for a submission: authors, data centre, DOI; nothing where it says nothing."""
    original = definition.original
    reference = f"{definition.title.en} (https://doi.org/{definition.doi})" if definition.doi else ""
    return Submission(
        investigators=_one_line(original.author or original.contributors),
        agencies=_one_line(f"{definition.publisher} ({definition.publisher_url})"),
        references=_one_line(reference),
        remark=SYNTHETIC_REMARK if synthetic else "",
    )


def wgms_tables(result: MassBalance, submission: Submission) -> dict[str, pd.DataFrame]:
    """Every table of ``schemas.wgms.WGMS_TABLES`` by name, in its order and with all its columns."""
    result = _observed_alone(result)
    points = _points(result)
    frames = {
        FOG2023_OVERVIEW.name: _frame(FOG2023_OVERVIEW, _overview_2023(result, points, submission)),
        FOG2023_MASS_BALANCE.name: _frame(FOG2023_MASS_BALANCE, _balances_2023(result, submission)),
        FOG2023_POINT.name: _points_2023(result, points, submission),
        FOG2026_MASS_BALANCE.name: _frame(FOG2026_MASS_BALANCE, _balances_2026(result, submission)),
        FOG2026_BAND.name: _frame(FOG2026_BAND, _bands_2026(result, submission)),
        FOG2026_POINT.name: _points_2026(result, points, submission),
    }
    for table in (FOG2023_OVERVIEW, FOG2023_MASS_BALANCE, FOG2023_POINT):
        frames[table.name] = _taken_in_2023(frames[table.name])
    return {table.name: frames[table.name] for table in WGMS_TABLES}


def country_of(glacier_id: str) -> str | None:
    """ISO 3166 alpha-2 code with which a number of the glacier inventories begins; None for any other identifier."""
    match = _INVENTORY_NUMBER.fullmatch(glacier_id)
    return match.group(1) if match else None


def capital_name(name: str, glacier_id: str) -> str:
    """A name in the letters that the service allows (A-Z, digits, some signs); the identifier where nothing is left."""
    for text in (name, glacier_id):
        letters = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").upper()
        kept = _one_line(_NOT_IN_A_NAME.sub(" ", letters))
        if kept:
            return kept
    return "UNNAMED"


# --- release 2023-09 ---------------------------------------------------------------------------------------------


def _taken_in_2023(frame: pd.DataFrame) -> pd.DataFrame:
    """The records that release 2023-09 takes: those of later years and days belong in the form of 2026 alone."""
    taken = frame["YEAR"] <= LAST_YEAR_2023
    for name in ("END_PERIOD", "TO_DATE"):
        if name in frame:
            taken &= frame[name].fillna("") <= f"{LAST_YEAR_2023}1231"
    chosen: pd.DataFrame = frame[taken]
    return chosen


def _overview_2023(result: MassBalance, points: PointColumns, submission: Submission) -> Iterator[Row]:
    for year in result.years:
        accumulation = _product(year.aar, year.area_km2)
        yield {
            **_identity_2023(result, submission, year.year),
            "TIME_SYSTEM": year.time_system,
            "BEGIN_PERIOD": _compact(year.begin),
            "END_WINTER": _compact(year.midseason),
            "END_PERIOD": _compact(year.end),
            "ELA_PREFIX": year.ela_position if year.ela_position in ("<", ">") else None,
            "ELA": year.ela_m,
            "ELA_UNC": year.sigma_ela_m,
            **_sites(year, points),
            "ACC_AREA": accumulation,
            "ABL_AREA": None if accumulation is None or year.area_km2 is None else year.area_km2 - accumulation,
            "AAR": _product(year.aar, 100.0),
            "INVESTIGATOR": submission.investigators,
            "SPONS_AGENCY": submission.agencies,
            "REFERENCE": submission.references,
            "REMARKS": _remarks(submission, *_notes_on(year, result)),
        }


def _sites(year: BalanceYear, points: PointColumns) -> Row:
    """Sites above and below the equilibrium line, the least and the largest number of the winter and annual surveys."""
    line = {"<": float("-inf"), ">": float("inf"), "=": year.ela_m}.get(year.ela_position or "")
    this_year = points.table["year"].to_numpy() == year.year
    seasons = np.array(points.seasons, dtype=object)
    elevation = pd.to_numeric(points.table["elevation_m"]).to_numpy(float)
    surveys = [elevation[this_year & (seasons == season)] for season in USED_PERIODS]
    surveys = [survey for survey in surveys if survey.size]
    if line is None or not surveys:
        return {}
    above = [int((survey >= line).sum()) for survey in surveys]
    below = [survey.size - count for survey, count in zip(surveys, above, strict=True)]
    return {
        "MIN_SITES_ACC": min(above),
        "MAX_SITES_ACC": max(above),
        "MIN_SITES_ABL": min(below),
        "MAX_SITES_ABL": max(below),
    }


def _balances_2023(result: MassBalance, submission: Submission) -> Iterator[Row]:
    for year in result.years:
        if year.annual_m_we is None and year.winter_m_we is None:
            continue
        seasons = {f"{season}_m_we": getattr(year, f"{season}_m_we") for season in _SEASONS}
        sigmas = {f"{season}_m_we": getattr(year, f"sigma_{season}_m_we") for season in _SEASONS}
        yield {
            **_identity_2023(result, submission, year.year),
            "LOWER_BOUND": WHOLE_GLACIER,
            "UPPER_BOUND": WHOLE_GLACIER,
            "AREA": year.area_km2,
            **{f"{season.upper()}_BALANCE": _mm(seasons[f"{season}_m_we"]) for season in _SEASONS},
            **{f"{season.upper()}_BALANCE_UNC": _mm(sigmas[f"{season}_m_we"]) for season in _SEASONS},
            "REMARKS": _remarks(submission, *_notes_on(year, result)),
        }
    for zone in result.tables["zone_balances"].to_dict("records"):
        yield {
            **_identity_2023(result, submission, int(zone["year"])),
            "LOWER_BOUND": round(zone["lower_m"]),
            "UPPER_BOUND": round(zone["upper_m"]),
            "AREA": zone["area_km2"],
            **{f"{season.upper()}_BALANCE": _mm(zone[f"{season}_balance_m_we"]) for season in _SEASONS},
            "ANNUAL_BALANCE_UNC": _mm(zone["sigma_annual_m_we"]),
            "REMARKS": _remarks(submission, f"band {zone['basis']}"),
        }


def _points_2023(result: MassBalance, points: PointColumns, submission: Submission) -> pd.DataFrame:
    kinds = [f"by {kind}" for kind in points.table["kind"]]
    return _columns(
        FOG2023_POINT,
        len(points.names),
        {
            **_identity_2023(result, submission, 0),
            "YEAR": points.table["year"].tolist(),
            "POINT_ID": points.names,
            "FROM_DATE": points.compact_days("begin_date"),
            "TO_DATE": points.compact_days("end_date"),
            "POINT_LAT": points.numbers("latitude"),
            "POINT_LON": points.numbers("longitude"),
            "POINT_ELEVATION": points.numbers("elevation_m"),
            "POINT_BALANCE": [_mm(value) for value in points.numbers("balance_m_we")],
            "POINT_BALANCE_UNCERTAINTY": [_mm(value) for value in points.numbers("sigma_balance_m_we")],
            "BALANCE_CODE": [_CODES_2023[season] for season in points.seasons],
            "REMARKS": _all_remarks(submission, kinds, points.remarks),
        },
    )


def _identity_2023(result: MassBalance, submission: Submission, year: int) -> Row:
    glacier = result.glacier
    return {
        "POLITICAL_UNIT": submission.country or country_of(glacier.glacier_id),
        "NAME": capital_name(glacier.name, glacier.glacier_id),
        "YEAR": year,
    }


def _mm(balance_m_we: Any) -> float | None:
    """Millimetres of a balance at the archive's resolution: -0.374 m is published as -0.37 m, and goes out as -370."""
    known = _known(balance_m_we)
    return None if known is None else round(round(known, 2) * 1000.0)


# --- releases of 2026 --------------------------------------------------------------------------------------------


def _balances_2026(result: MassBalance, submission: Submission) -> Iterator[Row]:
    for year in result.years:
        yield {
            **_identity_2026(result, submission, year.year),
            "time_system": year.time_system,
            "begin_date": year.begin,
            "midseason_date": year.midseason,
            "end_date": year.end,
            **{f"{season}_balance": getattr(year, f"{season}_m_we") for season in _SEASONS},
            **{f"{season}_balance_unc": getattr(year, f"sigma_{season}_m_we") for season in _SEASONS},
            "ela_position": year.ela_position,
            "ela": year.ela_m,
            "ela_unc": year.sigma_ela_m,
            "aar": year.aar,
            "area": _product(year.area_km2, 1e6),
            "investigators": submission.investigators,
            "agencies": submission.agencies,
            "references": submission.references,
            "remarks": _remarks(submission, *_notes_on(year, result)),
        }


def _bands_2026(result: MassBalance, submission: Submission) -> Iterator[Row]:
    for zone in result.tables["zone_balances"].to_dict("records"):
        yield {
            **_identity_2026(result, submission, int(zone["year"])),
            "lower_elevation": zone["lower_m"],
            "upper_elevation": zone["upper_m"],
            "area": _product(_known(zone["area_km2"]), 1e6),
            **{f"{season}_balance": zone[f"{season}_balance_m_we"] for season in _SEASONS},
            "annual_balance_unc": zone["sigma_annual_m_we"],
            "remarks": _remarks(submission, f"band {zone['basis']}"),
        }


def _points_2026(result: MassBalance, points: PointColumns, submission: Submission) -> pd.DataFrame:
    systems = {year.year: year.time_system for year in result.years}
    years = points.table["year"].tolist()
    return _columns(
        FOG2026_POINT,
        len(points.names),
        {
            **_identity_2026(result, submission, 0),
            "year": years,
            "original_id": points.names,
            "time_system": [systems.get(year) for year in years],
            "begin_date": points.table["begin_date"].tolist(),
            "end_date": points.table["end_date"].tolist(),
            "latitude": points.numbers("latitude"),
            "longitude": points.numbers("longitude"),
            "elevation": points.numbers("elevation_m"),
            "balance": points.numbers("balance_m_we"),
            "balance_unc": points.numbers("sigma_balance_m_we"),
            "method": points.table["kind"].tolist(),
            "balance_code": [season or "index" for season in points.seasons],
            "remarks": _all_remarks(submission, points.remarks),
        },
    )


def _identity_2026(result: MassBalance, submission: Submission, year: int) -> Row:
    glacier = result.glacier
    country = submission.country or country_of(glacier.glacier_id)
    return {"country": country, "glacier_name": _one_line(glacier.name), "year": year}


# --- both --------------------------------------------------------------------------------------------------------


def _observed_alone(result: MassBalance) -> MassBalance:
    """The result without the annual and summer balances of reconstructed years: the service takes observations.

    Their rows stay where something else was observed, with a remark on the provenance.
    """
    modelled = [year.year for year in result.years if year.provenance == RECONSTRUCTED]
    if not modelled:
        return result
    years = tuple(_without_modelled(year) if year.year in modelled else year for year in result.years)
    zones = result.tables["zone_balances"].copy()
    rows = zones["year"].isin(modelled)
    for name in ("annual_balance_m_we", "summer_balance_m_we", "sigma_annual_m_we"):
        zones[name] = zones[name].where(~rows)
    zones = zones[~rows | zones["winter_balance_m_we"].notna()]
    return replace(result, years=years, tables={**result.tables, "zone_balances": zones})


def _without_modelled(year: BalanceYear) -> BalanceYear:
    return replace(
        year,
        annual_m_we=None,
        sigma_annual_m_we=None,
        summer_m_we=None,
        sigma_summer_m_we=None,
        ela_m=None,
        sigma_ela_m=None,
        ela_position=None,
        aar=None,
        sigma_aar=None,
    )


def _points(result: MassBalance) -> PointColumns:
    """The points that go out: all but instantaneous ones of a period that is a season or a year already."""
    table = result.tables["point_balances"]
    spans = list(zip(table["point_id"], table["kind"], table["begin_date"], table["end_date"], strict=True))
    periods = table["period"].tolist()
    told = {span for span, period in zip(spans, periods, strict=True) if period != "instantaneous"}
    kept = [period != "instantaneous" or span not in told for span, period in zip(spans, periods, strict=True)]
    table = table[np.array(kept, bool)]
    names = [str(name) for name in table["point_id"]]
    kinds = table["kind"].tolist()
    # a pit that has the name of a stake: here a point has one identifier only
    twofold = {
        name for name, count in Counter(name for name, _ in set(zip(names, kinds, strict=True))).items() if count > 1
    }
    named = [
        _one_line(f"{name} ({kind})" if name in twofold and kind != "stake" else name)
        for name, kind in zip(names, kinds, strict=True)
    ]
    used = _used(result, table)
    seasons = [period if is_used else None for period, is_used in zip(table["period"], used, strict=True)]
    facts = zip(table["period"], seasons, table["bound"], table["flags"], strict=True)
    written = lru_cache(maxsize=None)(_notes_on_point)
    return PointColumns(
        table, tuple(named), tuple(seasons), tuple(written(*(_plain(fact) for fact in row)) for row in facts)
    )


def _used(result: MassBalance, table: pd.DataFrame) -> list[bool]:
    """Whether each point entered the balance of the whole glacier."""
    computed = {
        (year.year, period)
        for year in result.years
        for period in USED_PERIODS
        if getattr(year, f"{period}_m_we") is not None
    }
    pits = result.tables["snow_pits"]
    stakes_of_pits = {str(pit): _plain(stake) for pit, stake in zip(pits["pit_id"], pits["stake_id"], strict=True)}
    columns = [name for name in ("point_id", "kind", "year", "period", "bound", "used") if name in table]
    rows = zip(*(table[name].tolist() for name in columns), strict=True)
    return used_points([dict(zip(columns, row, strict=True)) for row in rows], stakes_of_pits, computed)


def _notes_on_point(period: str, season: str | None, bound: str, flags: str | None) -> str:
    notes = [f"{period} balance" if season is None else ""]
    notes.append("upper bound: the stake had melted out" if bound == "<=" else "")
    notes.append(_flags(flags))
    return "; ".join(note for note in notes if note)


def _notes_on(year: BalanceYear, result: MassBalance) -> tuple[str, ...]:
    left_out = "; its balance is not exported" if year.provenance == RECONSTRUCTED else ""
    notes = [f"provenance: {year.provenance}{left_out}", _flags(";".join(year.flags))]
    if year.annual_m_we is not None:
        notes.insert(0, f"{result.settings.primary_method} method" if year.field is not None else "elevation bands")
    return tuple(note for note in notes if note)


def _remarks(submission: Submission, *notes: str) -> str:
    return _one_line("; ".join(note for note in (submission.remark, *notes) if note))


def _all_remarks(submission: Submission, *notes: Sequence[str]) -> list[str]:
    """The remarks of many records, each different one written once."""
    written = lru_cache(maxsize=None)(lambda row: _remarks(submission, *row))
    return [written(row) for row in zip(*notes, strict=True)]


def _flags(flags: str | None) -> str:
    return f"flags: {flags.replace(';', ', ')}" if flags else ""


def _compact(day: Any) -> str | None:
    return day.strftime("%Y%m%d") if isinstance(day, date) and not pd.isna(day) else None


def _product(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first * second


def _known(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _plain(value: Any) -> str | None:
    """A text, None where a table has nothing."""
    return str(value) if isinstance(value, str) and value else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _frame(table: Table, rows: Iterable[Row]) -> pd.DataFrame:
    records = [[row.get(name) for name in table.column_names] for row in rows]
    return pd.DataFrame(records, columns=list(table.column_names), dtype=object)


def _columns(table: Table, count: int, columns: Mapping[str, Any]) -> pd.DataFrame:
    """A frame of ``count`` records: a value that is no sequence stands in all of them, an absent column is empty."""
    filled = {
        name: list(value) if isinstance(value := columns.get(name), list | tuple) else [value] * count
        for name in table.column_names
    }
    return pd.DataFrame(filled, columns=list(table.column_names), dtype=object)
