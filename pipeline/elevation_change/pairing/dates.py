"""When the inputs were acquired: what the description claims, what the sources support, and what the rates use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from schemas.definition import Period, Source
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from schemas.tables import DATES

if TYPE_CHECKING:
    import geopandas as gpd

DAYS_PER_YEAR = 365.25
_DAY = re.compile(r"^(\d{4})-?(\d{2})-?(\d{2})")
_MONTH, _YEAR = re.compile(r"^(\d{4})-(\d{2})$"), re.compile(r"^(\d{4})$")
ASSUMED = "day and error: middle of the supported days, each as likely as the others"
STATED = "day and error: as the settings state"


def middle_of(begin: date, end: date) -> tuple[date, float]:
    """Middle day of a period, and its standard deviation in years where every day is as likely: length / sqrt(12).

        sigma = (end - begin) / sqrt(12)

    Parameters
    ----------
    begin, end : first and last day.

    Example
    -------
    >>> middle_of(date(2000, 2, 11), date(2000, 2, 22))[0]
    datetime.date(2000, 2, 16)
    """
    days = (end - begin).days
    return begin + timedelta(days=days // 2), float((days + 1) / DAYS_PER_YEAR / np.sqrt(12))


def dated(settings: ElevationChangeSettings, sources: Sequence[Source]) -> ElevationChangeSettings:
    """The settings with the dates that they leave out taken from the days that the sources support.

    Parameters
    ----------
    settings : dates that they state stay.
    sources : of the definition, by their keys "earlier" and "later".

    Errors
    ------
    BadInput : the earlier DEM is not older than the later one.
    """
    days: dict[str, Any] = {}
    for source in sources:
        wanted = source.key in ("earlier", "later") and not getattr(settings, f"{source.key}_date")
        if wanted and source.acquired_start and source.acquired_end:
            day, sigma_years = middle_of(source.acquired_start, source.acquired_end)
            days |= {f"{source.key}_date": day.isoformat(), f"sigma_{source.key}_date_years": sigma_years}
    complete = settings.model_copy(update=days)
    if complete.earlier_date and complete.later_date and complete.earlier_date >= complete.later_date:
        raise BadInput(
            "dates",
            f"the earlier DEM of {complete.earlier_date} and the later of {complete.later_date}",
            "an earlier DEM that is older than the later one",
            "are the two DEMs swapped?",
        )
    return complete


def period_years(settings: ElevationChangeSettings) -> tuple[float, float]:
    """Years from the earlier to the later date, and their standard deviation; NaN where a date is not known.

        sigma^2 = sigma_earlier^2 + sigma_later^2

    Parameters
    ----------
    settings : the two dates, and their standard deviations, years.
    """
    if not settings.earlier_date or not settings.later_date:
        return float("nan"), float("nan")
    days = (date.fromisoformat(settings.later_date) - date.fromisoformat(settings.earlier_date)).days
    return days / DAYS_PER_YEAR, float(np.hypot(settings.sigma_earlier_date_years, settings.sigma_later_date_years))


def dates_table(
    settings: ElevationChangeSettings,
    sources: Sequence[Source] = (),
    period: Period | None = None,
    outlines: gpd.GeoDataFrame | None = None,
) -> pd.DataFrame:
    """Acquisition dates of every input, claimed and supported, with those that the rates use.

    Parameters
    ----------
    sources : the inputs of a definition; those named earlier, later and outlines are told of. Empty without one.
    period : of the whole dataset, as the definition states it.
    outlines : columns epoch and date (text as in the inventories).

    Returns
    -------
    As ``schemas.tables.DATES``: earlier, later, each epoch of the outlines, period; empty cells where nothing is known.
    """
    named = {source.key: source for source in sources}
    rows = [_input_row(key, named.get(key), settings) for key in ("earlier", "later")]
    rows += _outline_rows(named.get("outlines"), outlines)
    rows.append(_period_row(settings, period))
    return pd.DataFrame(rows, columns=list(DATES.column_names), dtype=object)


def _input_row(key: str, source: Source | None, settings: ElevationChangeSettings) -> dict[str, Any]:
    day, sigma_years = getattr(settings, f"{key}_date"), getattr(settings, f"sigma_{key}_date_years")
    row: dict[str, Any] = {
        "input": key,
        "date": date.fromisoformat(day) if day else None,
        "sigma_years": sigma_years if day else None,
        "basis": STATED if day else "no date is known: no rates are given",
    }
    if source is None:
        return row
    if day and source.acquired_start and source.acquired_end:
        middle, spread = middle_of(source.acquired_start, source.acquired_end)
        # settings are written with a few digits
        if abs((middle - row["date"]).days) <= 1 and abs(spread - sigma_years) < max(0.005, 0.05 * spread):
            row["basis"] = ASSUMED
    return {
        **row,
        "product": source.title,
        "claimed_begin": source.claimed_start,
        "claimed_end": source.claimed_end,
        "supported_begin": source.acquired_start,
        "supported_end": source.acquired_end,
        "basis": "; ".join(part for part in (source.dates_basis, row["basis"]) if part),
    }


def _outline_rows(source: Source | None, outlines: gpd.GeoDataFrame | None) -> list[dict[str, Any]]:
    if outlines is None:
        return []
    rows = []
    for epoch, own in outlines.groupby("epoch", sort=True):
        row: dict[str, Any] = {"input": f"outlines {int(epoch) + 1}", "product": source.title if source else ""}
        spans = [span for span in map(_days, own["date"].unique()) if span]
        if spans:
            begin, end = min(first for first, _ in spans), max(last for _, last in spans)
            middle, sigma_years = middle_of(begin, end)
            row |= {"supported_begin": begin, "supported_end": end, "date": middle, "sigma_years": sigma_years}
        row["basis"] = "dates of the single outlines" if spans else "the outlines state no day"
        rows.append(row)
    return rows


def _days(text: str) -> tuple[date, date] | None:
    """First and last of the days that a text may mean: 2000-08-20T00:00:00, 20000820, 2006-09, 2007; else None."""
    day, month, year = _DAY.match(text), _MONTH.match(text), _YEAR.match(text)
    try:
        if day:
            first = date(*map(int, day.groups()))
            return first, first
        if month:
            first = date(int(month[1]), int(month[2]), 1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return (date(int(year[1]), 1, 1), date(int(year[1]), 12, 31)) if year else None
    except ValueError:
        return None


def _period_row(settings: ElevationChangeSettings, period: Period | None) -> dict[str, Any]:
    years, sigma_years = period_years(settings)
    known = np.isfinite(years)
    length = f"{years:.2f} years from the earlier to the later day" if known else "length not known"
    row: dict[str, Any] = {
        "input": "period",
        "product": "elevation change",
        "sigma_years": sigma_years if known else None,
        "basis": length,
    }
    if period is None:
        return row
    return {
        **row,
        "claimed_begin": period.start,
        "claimed_end": period.end,
        "supported_begin": period.supported_start,
        "supported_end": period.supported_end,
        "basis": "; ".join(part for part in (period.note, length) if part),
    }
