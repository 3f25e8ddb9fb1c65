"""Point balances that were observed or published as such: they enter as they are, without readings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from pipeline.mass_balance.fieldwork import FieldData
from pipeline.mass_balance.points.point_balance import PointBalance
from pipeline.mass_balance.points.points import PointBalances, PointRecord, YearVisits, record_order
from pipeline.mass_balance.points.visits import Place
from pipeline.mass_balance.points.years import Calendar, commonest
from schemas.settings import MassBalanceSettings

# seasons part so long after the year's first day where nobody tells the day
WINTER_DAYS = 212
# what is lighter than this is snow or firn (kg m-3)
LIGHTEST_ICE_KG_M3 = 700.0


def given_points(data: FieldData, calendar: Calendar, settings: MassBalanceSettings) -> list[PointRecord]:
    """The point balances among the inputs, each with the cells that it stands in.

    Days that nobody told are those of the calendar, and flagged. Without an error, that of two readings and of the
    density is taken.

    Parameters
    ----------
    data : the fieldwork, as read.
    calendar : of the mass-balance years.
    settings : densities and errors.
    """
    rows = data.point_balances.to_dict("records")
    cells = data.sources("point_balances").itertuples(index=False)
    records = [
        _record(row, (str(sheet), str(cell)), calendar, settings)
        for row, (sheet, cell) in zip(rows, cells, strict=True)
    ]
    return [one for one in records if settings.seasons or one.period not in ("winter", "summer")]


def with_given(points: PointBalances, given: Sequence[PointRecord], calendar: Calendar) -> PointBalances:
    """The balances of the readings and the given ones together; where both are known of a point, the readings' one.

    Parameters
    ----------
    points : of the readings.
    given : of the inputs.
    calendar : of the mass-balance years.
    """
    if not given:
        return points
    known = {(one.point_id, one.kind, one.year, one.period) for one in points.records if one.period != "instantaneous"}
    new = [one for one in given if (one.point_id, one.kind, one.year, one.period) not in known]
    records = sorted((*points.records, *new), key=record_order)
    have = {visits.year: visits for visits in points.years}
    for year in sorted({one.year for one in new if one.period != "instantaneous"}):
        own = [one for one in new if one.year == year]
        have[year] = _visits(year, own, have.get(year, YearVisits(year, None, None, None)))
    return PointBalances(tuple(records), points.others, tuple(have[year] for year in sorted(have)))


def _visits(year: int, given: Sequence[PointRecord], known: YearVisits) -> YearVisits:
    """The days of a year, as its readings tell them, else as its given balances do."""
    of = {period: [one for one in given if one.period == period] for period in ("annual", "winter", "summer")}
    whole = of["annual"]
    begin = commonest([one.begin for one in whole or of["winter"]])
    end = commonest([one.end for one in whole or of["summer"]])
    middles = [one.end for one in of["winter"]] or [one.begin for one in of["summer"]]
    middle = (min(middles), max(middles)) if middles else None
    return YearVisits(year, known.begin or begin, known.end or end, known.midseason or middle)


def _record(
    row: Mapping[Any, Any], cell: tuple[str, str], calendar: Calendar, settings: MassBalanceSettings
) -> PointRecord:
    year, period, begin, end, flags = _when(row, calendar)
    place = Place(**{name: float(row[name]) for name in Place.__dataclass_fields__})
    balance = _balance(row, settings)
    return PointRecord(
        point_id=str(row["point_id"]),
        kind=row["kind"] or "stake",
        year=year,
        period=period,
        begin=begin,
        end=end,
        place=place,
        balance=replace(balance, flags=(*_flags_of(row), *flags, "given_as_balance")),
        system=row["time_system"] or ("OTH" if period == "instantaneous" else "FLO"),
        may_be_used=row["used"] != "false",
        cell=cell,
    )


def _flags_of(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """The flags that the row has of its own, without those that are set here."""
    flags = str(row["flags"]).split(";") if row["flags"] else []
    return tuple(flag for flag in flags if flag and flag not in ("given_as_balance", "days_of_the_calendar"))


def _when(row: Mapping[Any, Any], calendar: Calendar) -> tuple[int, str, date, date, tuple[str, ...]]:
    """Year, period, first and last day of a balance, and a flag where a day is that of the calendar."""
    begin, end, period = row["begin_date"], row["end_date"], row["period"]
    year = None if row["year"] is None or row["year"] != row["year"] else int(row["year"])
    if year is None:
        year = _year_of(begin, end, calendar)
    first, last = calendar.start(year), calendar.end(year)
    middle = first + timedelta(days=WINTER_DAYS)
    if period is None:
        period = _period_of(begin, end, year, calendar)
    nominal = {"annual": (first, last), "winter": (first, middle), "summer": (middle, last)}.get(period, (first, last))
    flags = () if begin is not None and end is not None else ("days_of_the_calendar",)
    return year, period, begin or nominal[0], end or nominal[1], flags


def _year_of(begin: date | None, end: date | None, calendar: Calendar) -> int:
    """The year that a period closes, or lies in; of a period without an end the one that its first day opens."""
    if end is not None:
        closing = calendar.closing_year(end)
        return calendar.year_of(end) if closing is None else closing
    if begin is None:
        raise ValueError("a point balance without year and days")  # which reading refuses
    closing = calendar.closing_year(begin)
    return calendar.year_of(begin) if closing is None else closing + 1


def _period_of(begin: date | None, end: date | None, year: int, calendar: Calendar) -> str:
    """What part of a year two days cover; the year where one of them is not known."""
    if begin is None or end is None:
        return "annual"
    opens, closes = calendar.closing_year(begin) == year - 1, calendar.closing_year(end) == year
    if opens and closes:
        return "annual"
    return (
        "winter" if opens and end > begin and calendar.year_of(end) == year else "summer" if closes else "instantaneous"
    )


def _balance(row: Mapping[Any, Any], settings: MassBalanceSettings) -> PointBalance:
    """The balance with its parts and errors.

    sigma^2 = sigma_random^2 + sigma_shared^2, the shared one by the densities of its parts. A stated error is the whole
    of it, unless the error of the density is stated beside it.
    """
    value = float(row["balance_m_we"])
    snow, firn, ice, superimposed = _parts(row, value)
    shared_snow = settings.sigma_density_relative * snow
    shared_ice = (
        settings.sigma_ice_density_kg_m3 * (ice / settings.ice_density_kg_m3)
        + settings.sigma_ice_density_kg_m3 * (superimposed / settings.superimposed_ice_density_kg_m3)
        + settings.sigma_density_relative * firn
    )
    density, sigma_density = float(row["density_kg_m3"]), float(row["sigma_density_kg_m3"])
    apart = math.isfinite(density) and math.isfinite(sigma_density)
    if apart:
        relative = sigma_density / density
        shared_snow, shared_ice = relative * (snow + firn), relative * (ice + superimposed)
    random = float(row["sigma_balance_m_we"])
    if not math.isfinite(random):
        taken = density if math.isfinite(density) else settings.ice_density_kg_m3
        random = math.hypot(settings.sigma_reading_m, settings.sigma_reading_m) * taken / 1000
    elif not apart:
        random = math.sqrt(max(random**2 - shared_snow**2 - shared_ice**2, 0.0))
    return PointBalance(
        ice_m_we=ice,
        snow_m_we=snow,
        superimposed_m_we=superimposed,
        firn_m_we=firn,
        sigma_random_m_we=random,
        shared_snow_m_we=shared_snow,
        shared_ice_m_we=shared_ice,
        bound=row["bound"] or "=",
    )


def _parts(row: Mapping[Any, Any], value: float) -> tuple[float, float, float, float]:
    """Snow, firn, ice and superimposed ice of a balance, whose sum it is: as stated, else by its sign and density."""
    names = ("snow", "firn", "ice", "superimposed_ice")
    stated = np.array([float(row[f"{name}_balance_m_we"]) for name in names])
    if np.isfinite(stated).any():
        stated = np.nan_to_num(stated)
        stated[int(np.argmax(np.abs(stated)))] += value - stated.sum()  # what rounding left over
        snow, firn, ice, superimposed = (float(part) for part in stated)
        return snow, firn, ice, superimposed
    density = float(row["density_kg_m3"])
    light = density < LIGHTEST_ICE_KG_M3 if math.isfinite(density) else value > 0
    return (value, 0.0, 0.0, 0.0) if light else (0.0, 0.0, value, 0.0)
