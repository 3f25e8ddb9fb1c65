"""Glacier-wide balances from band balances that were observed or published elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from pipeline.grid import FloatArray
from pipeline.mass_balance.glacier_wide.equilibrium_line import accumulation_area_ratio, equilibrium_line
from pipeline.mass_balance.glacier_wide.zoning import zone_mean
from pipeline.mass_balance.ground import Hypsometry, band_flags
from pipeline.mass_balance.points import Calendar, commonest
from pipeline.mass_balance.result import METHODS, BalanceYear

# a mean of bands rounded to 1 mm w.e. differs by no more than this from the sum of its seasons
_CLOSURE_M_WE = 0.0021
# a published mean rounded to 1 cm w.e., of bands rounded to 1 cm w.e., is off by no more than this
_PUBLISHED_M_WE = 0.0101


def year_of_bands(year: int, bands: pd.DataFrame, calendar: Calendar) -> BalanceYear:
    """One year from its band balances: B = sum(A_i b_i) / sum(A_i), equilibrium line and AAR of the band profile.

    ``bands`` holds the rows of ``zone_balances`` of the year. A season that some band lacks is not reported. No error
    is stated, for nothing in the bands supports one.

    Parameters
    ----------
    year : of the mass balance.
    bands : rows of ``schemas.tables.ZONE_BALANCES``.
    calendar : of the mass-balance years.
    """
    rows = bands.sort_values("lower_m")
    lower, upper, stated = (rows[name].to_numpy(float) for name in ("lower_m", "upper_m", "area_km2"))
    # a band whose area nobody states counts for nothing in the mean, and is flagged
    area = np.nan_to_num(stated)
    hypsometry = Hypsometry(lower, upper, area, year)
    flags = band_flags(hypsometry)
    if not area.sum() > 0:
        return _empty(year, rows, ("no_area_altitude_distribution",))
    winter, summer, annual = season_columns(rows)
    if _closure(annual, winter, summer) > _CLOSURE_M_WE:
        flags.append("annual_is_not_winter_plus_summer")
    balances = {name: _mean(hypsometry, values) for name, values in (("w", winter), ("s", summer), ("a", annual))}
    flags += _unlike_published(rows, balances)
    line = equilibrium_line(hypsometry.lower_m, hypsometry.upper_m, area, annual)
    if line.crossings > 1:
        flags.append("several_equilibrium_lines")
    known = balances["a"] is not None
    begin, midseason, end = _dates(rows)
    return BalanceYear(
        year=year,
        begin=begin,
        midseason=midseason,
        end=end,
        time_system=time_system(begin, end, calendar),
        annual_m_we=balances["a"],
        winter_m_we=balances["w"],
        summer_m_we=balances["s"],
        sigma_annual_m_we=None,
        sigma_winter_m_we=None,
        sigma_summer_m_we=None,
        ela_m=line.elevation_m if known else None,
        ela_position=line.position if known else None,
        aar=accumulation_area_ratio(hypsometry.lower_m, hypsometry.upper_m, area, line) if known else None,
        area_km2=hypsometry.total_km2,
        by_method={**dict.fromkeys(METHODS), "zone": balances["a"]},
        provenance=commonest_text(rows["provenance"]) or "observed",
        flags=tuple(flags),
        field=None,
    )


def season_columns(rows: pd.DataFrame) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Winter, summer and annual balance of the bands; of the three, one that is missing is made from the other two.

        b_a = b_w + b_s

    Parameters
    ----------
    rows : of the bands, m w.e.
    """
    names = ("winter_balance_m_we", "summer_balance_m_we", "annual_balance_m_we")
    winter, summer, annual = (rows[name].to_numpy(float) for name in names)
    return (
        np.where(np.isfinite(winter), winter, annual - summer),
        np.where(np.isfinite(summer), summer, annual - winter),
        np.where(np.isfinite(annual), annual, winter + summer),
    )


def _unlike_published(rows: pd.DataFrame, balances: dict[str, float | None]) -> list[str]:
    """Seasons whose published glacier-wide balance the bands miss by more than rounding explains."""
    flags = []
    for key, season in (("w", "winter"), ("s", "summer"), ("a", "annual")):
        known = rows[f"published_{season}_balance_m_we"].dropna()
        balance = balances[key]
        if not known.empty and balance is not None and abs(balance - float(known.iloc[0])) > _PUBLISHED_M_WE:
            flags.append(f"bands_unlike_published:{season}{balance - float(known.iloc[0]):+.3f}")
    return flags


def commonest_text(values: pd.Series[Any]) -> str | None:
    """The text that occurs most often; None where there is none.

    Parameters
    ----------
    values : text, None or NaN.
    """
    known = sorted(str(value) for value in values if value is not None and value == value)
    return max(known, key=known.count) if known else None


def time_system(begin: Any, end: Any, calendar: Calendar) -> str:
    """FXD where the period runs from the nominal first day of the year to the day before the next one; else FLO.

    Parameters
    ----------
    begin, end : first and last day of the period; None where not known.
    calendar : of the mass-balance years.
    """
    if begin is None or end is None:
        return "OTH"
    ends = [calendar.end(year) for year in (end.year - 1, end.year, end.year + 1)]
    nominal = min(ends, key=lambda day: abs((day - end).days))
    fixed = (begin.month, begin.day) == (calendar.month, calendar.day) and nominal - end in (
        timedelta(0),
        timedelta(days=1),
    )
    return "FXD" if fixed else "FLO"


def _mean(hypsometry: Hypsometry, values: FloatArray) -> float | None:
    """Area-weighted mean; None where a band with area has no value."""
    held = hypsometry.area_km2 > 0
    if not np.all(np.isfinite(values[held])):
        return None
    return zone_mean(hypsometry, np.where(held, values, 0.0))


def _closure(annual: FloatArray, winter: FloatArray, summer: FloatArray) -> float:
    difference = np.abs(annual - winter - summer)
    known = difference[np.isfinite(difference)]
    return float(known.max()) if known.size else 0.0


def _dates(rows: pd.DataFrame) -> tuple[Any, Any, Any]:
    """Begin, mid-season and end of the year: the commonest of its bands."""
    return tuple(  # type: ignore[return-value]  # three names give three values
        commonest([day for day in rows[name] if day is not None])
        for name in ("begin_date", "midseason_date", "end_date")
    )


def _empty(year: int, rows: pd.DataFrame, flags: tuple[str, ...]) -> BalanceYear:
    return empty_year(year, _dates(rows), "OTH", flags)


def empty_year(year: int, dates: tuple[Any, Any, Any], system: str, flags: tuple[str, ...]) -> BalanceYear:
    """A year whose glacier-wide balance cannot be told; the flags say why."""
    methods: dict[str, float | None] = dict.fromkeys(METHODS)
    begin, midseason, end = dates
    return BalanceYear(
        year=year,
        begin=begin,
        midseason=midseason,
        end=end,
        time_system=system,
        annual_m_we=None,
        winter_m_we=None,
        summer_m_we=None,
        sigma_annual_m_we=None,
        sigma_winter_m_we=None,
        sigma_summer_m_we=None,
        ela_m=None,
        ela_position=None,
        aar=None,
        area_km2=None,
        by_method=methods,
        provenance="observed",
        flags=flags,
        field=None,
    )
