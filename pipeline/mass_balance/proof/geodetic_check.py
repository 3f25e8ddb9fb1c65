"""The sum of the glaciological balances against an elevation change of the same glacier and period.

Both series are published as they are; the check changes neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

from pipeline.mass_balance.fieldwork import plain_name
from pipeline.mass_balance.glacier_wide import cumulative_balance
from pipeline.mass_balance.points import Calendar
from pipeline.mass_balance.proof.calibration import GeodeticSum, calibrated, calibrated_table
from pipeline.mass_balance.quality_flags import Flag, with_more_flags
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings, MassBalanceSettings
from schemas.tables import GEODETIC_CHECK

if TYPE_CHECKING:
    from pipeline.elevation_change.result import ElevationChange

# the reduced discrepancy that agreeing series exceed in one case of twenty
LIMIT = 1.96
# and one side of it, which a bias beyond them passes in one case of twenty
ONE_SIDED = 1.645
# surveys further from the end of a balance year than this have no sum of years to go with them
FURTHEST_DAYS = 60
# a summer's balance runs over about so many days
SUMMER_DAYS = 120


@dataclass(frozen=True, kw_only=True)
class GeodeticSurvey:
    """The geodetic side: mean elevation change of the glacier between two days, and the density that turns it to mass.

    Attributes
    ----------
    begin, end : days of the earlier and the later elevation model.
    mean_dh_m, sigma_mean_dh_m : over the area of both epochs together.
    density_kg_m3, sigma_density_kg_m3 : of the volume change (850 +- 60: Huss, 2013).
    area_ratio : that area over the mean area of the epochs, to which a balance refers; 1 where only one is known.
    """

    begin: date
    end: date
    mean_dh_m: float
    sigma_mean_dh_m: float
    density_kg_m3: float
    sigma_density_kg_m3: float
    area_ratio: float = 1.0

    @property
    def balance_m_we(self) -> float:
        """Geodetic balance over the period (m w.e.)."""
        return self.mean_dh_m * self.area_ratio * self.density_kg_m3 / 1000

    @property
    def sigma_m_we(self) -> float:
        """One standard deviation of it: of the elevation change and of the density."""
        return self.area_ratio * math.hypot(
            self.sigma_mean_dh_m * self.density_kg_m3 / 1000, self.mean_dh_m * self.sigma_density_kg_m3 / 1000
        )


@dataclass(frozen=True, kw_only=True)
class StatedBalance:
    """A geodetic balance that was stated as such, between two days; what made it is not known.

    Attributes
    ----------
    begin, end : days of the earlier and the later survey.
    balance_m_we, sigma_m_we : over the whole period.
    """

    begin: date
    end: date
    balance_m_we: float
    sigma_m_we: float


@dataclass(frozen=True, kw_only=True)
class GeodeticCheck:
    """The comparison.

    Attributes
    ----------
    survey : the geodetic side.
    first_year, last_year : the balance years summed.
    glaciological_m_we, sigma_glaciological_m_we : their sum; None where a year between lacks a balance or an error.
    sigma_dates_m_we : what the days between the surveys and the ends of the balance years may hide.
    flags : why there is no verdict, or what weakens it.
    """

    survey: GeodeticSurvey | StatedBalance
    first_year: int
    last_year: int
    glaciological_m_we: float | None
    sigma_glaciological_m_we: float | None
    sigma_dates_m_we: float
    flags: tuple[str, ...] = ()

    @property
    def difference_m_we(self) -> float | None:
        """Glaciological minus geodetic balance."""
        return None if self.glaciological_m_we is None else self.glaciological_m_we - self.survey.balance_m_we

    @property
    def geodetic_sum(self) -> GeodeticSum:
        """The geodetic balance of the years, the days between surveys and years in its error."""
        sigma = math.hypot(self.survey.sigma_m_we, self.sigma_dates_m_we)
        return GeodeticSum(self.first_year, self.last_year, self.survey.balance_m_we, sigma)

    @property
    def sigma_common_m_we(self) -> float | None:
        """Root of the common variance: sqrt(sigma_glac^2 + sigma_geo^2 + sigma_dates^2)."""
        sigma = self.sigma_glaciological_m_we
        return None if sigma is None else math.hypot(sigma, self.survey.sigma_m_we, self.sigma_dates_m_we)

    @property
    def detectable_bias_m_we_a(self) -> float | None:
        """Smallest bias a year that is found at 95 % in 95 of 100 cases: (1.96 + 1.645) sigma_common / N."""
        sigma = self.sigma_common_m_we
        return None if sigma is None else (LIMIT + ONE_SIDED) * sigma / (self.last_year - self.first_year + 1)

    @property
    def reduced_discrepancy(self) -> float | None:
        """delta = (B_glac - B_geo) / sqrt(sigma_glac^2 + sigma_geo^2 + sigma_dates^2)."""
        difference, sigma = self.difference_m_we, self.sigma_common_m_we
        return None if difference is None or sigma is None else difference / sigma

    @property
    def agrees(self) -> bool | None:
        """Whether the two differ by no more than their errors explain, at 95 %."""
        delta = self.reduced_discrepancy
        return None if delta is None else abs(delta) <= LIMIT


def geodetic_check(
    years: Sequence[BalanceYear], calendar: Calendar, survey: GeodeticSurvey | StatedBalance
) -> GeodeticCheck:
    """Compare the balances of the years between two surveys with the geodetic balance.

        delta = (B_glac - B_geod) / sqrt(sigma_glac^2 + sigma_geod^2 + sigma_days^2)

    The years summed begin and end nearest to the surveys. The days in between enter the error: the mean summer balance
    of the series (the mean annual one, without seasons) over a summer of 120 days, for each day.

    References: Zemp et al. (2013), Reanalysing glacier mass balance measurement series, The Cryosphere 7, 1227-1245:
    reduced discrepancy, within 1.96 for series that agree at 95 %.

    Parameters
    ----------
    years : of the glaciological series.
    calendar : of its years.
    survey : mean change, its error, density and the two days.

    Errors
    ------
    BadInput : surveys that are not in order, or less than a year apart.
    """
    if survey.end <= survey.begin:
        raise BadInput("geodetic check", f"surveys of {survey.begin} and {survey.end}", "the earlier one first")
    first, last = _year_beginning(calendar, survey.begin), _year_ending(calendar, survey.end)
    if last < first:
        dates = f"surveys of {survey.begin} and {survey.end}"
        raise BadInput("geodetic check", dates, "surveys at least one mass-balance year apart")
    chosen = sorted((year for year in years if first <= year.year <= last), key=lambda year: year.year)
    flags = []
    missing = sorted(set(range(first, last + 1)) - {year.year for year in chosen if year.annual_m_we is not None})
    if missing:
        flags.append(f"years_without_balance:{','.join(str(year) for year in missing)}")
    begin, end = (chosen[0].begin, chosen[-1].end) if chosen else (None, None)
    gaps = (
        abs(((begin or calendar.start(first)) - survey.begin).days),
        abs(((end or calendar.end(last)) - survey.end).days),
    )
    flags += [f"survey_far_from_the_years:{gap} days" for gap in gaps if gap > FURTHEST_DAYS]
    rate = _daily_balance_m_we(chosen)
    total = cumulative_balance(chosen)[-1] if chosen and not missing else None
    return GeodeticCheck(
        survey=survey,
        first_year=first,
        last_year=last,
        glaciological_m_we=total.balance_m_we if total is not None else None,
        sigma_glaciological_m_we=total.sigma_m_we if total is not None else None,
        sigma_dates_m_we=rate * math.hypot(*gaps),
        flags=tuple(flags),
    )


def _year_beginning(calendar: Calendar, day: date) -> int:
    """The mass-balance year whose begin lies nearest to a day."""
    return min(range(day.year - 1, day.year + 3), key=lambda year: abs((calendar.start(year) - day).days))


def _year_ending(calendar: Calendar, day: date) -> int:
    return min(range(day.year - 1, day.year + 3), key=lambda year: abs((calendar.end(year) - day).days))


def _daily_balance_m_we(years: Sequence[BalanceYear]) -> float:
    """Size of a summer day's balance (m w.e.)."""
    summers = [year.summer_m_we for year in years if year.summer_m_we is not None]
    known = summers or [year.annual_m_we for year in years if year.annual_m_we is not None]
    return abs(sum(known) / len(known)) / SUMMER_DAYS if known else 0.0


def survey_settings(crs: str, earlier: date, later: date) -> ElevationChangeSettings:
    """Settings for the elevation change between two surveys of one glacier.

    Surveys of one glacier have about one resolution, so that there is no resolution effect; a correction by curvature
    would take the later survey's own noise for one.

    Parameters
    ----------
    crs : projected, m.
    earlier, later : days of the surveys.
    """
    return ElevationChangeSettings(
        crs=crs, earlier_date=earlier.isoformat(), later_date=later.isoformat(), correct_curvature=False
    )


def survey_of(change: ElevationChange, glacier_id: str, name: str = "") -> GeodeticSurvey:
    """The geodetic side from an elevation change: the row of the glacier by identifier, else by name, or the only one.

    Parameters
    ----------
    change : an elevation change with glaciers.
    glacier_id, name : of the glacier.

    Errors
    ------
    BadInput : no dates, or no such glacier among several.
    """
    return survey_of_table(change.settings, change.tables["glaciers"], glacier_id, name)


def survey_of_table(
    settings: ElevationChangeSettings, table: pd.DataFrame, glacier_id: str, name: str = ""
) -> GeodeticSurvey:
    """The geodetic side from the settings and the table of glaciers of an elevation change.

    Parameters
    ----------
    settings : with both dates and the density.
    table : shaped as ``schemas.tables.GLACIERS``.
    glacier_id, name : of the glacier.

    Errors
    ------
    BadInput : no dates, or no such glacier among several.
    """
    if settings.earlier_date is None or settings.later_date is None:
        raise BadInput("geodetic check", "an elevation change without dates", "earlier_date and later_date")
    rows = table[table["glacier_id"] == glacier_id] if len(table) > 1 else table
    if rows.empty and name:
        rows = table[[plain_name(str(other)) == plain_name(name) for other in table["glacier_name"]]]
    if len(rows) != 1:
        rows_of_glacier = f"{len(rows)} of {len(table)} glaciers named {glacier_id!r}"
        raise BadInput("geodetic check", rows_of_glacier, "the glacier's own elevation change")
    row = rows.iloc[0]
    areas = [float(row[name]) for name in ("area_earlier_km2", "area_later_km2") if pd.notna(row[name])]
    return GeodeticSurvey(
        begin=date.fromisoformat(settings.earlier_date[:10]),
        end=date.fromisoformat(settings.later_date[:10]),
        mean_dh_m=float(row["mean_dh_m"]),
        sigma_mean_dh_m=float(row["sigma_mean_dh_m"]),
        density_kg_m3=settings.ice_density_kg_m3,
        sigma_density_kg_m3=settings.sigma_ice_density_kg_m3,
        area_ratio=float(row["area_km2"]) / (sum(areas) / len(areas)) if areas else 1.0,
    )


def with_geodetic_check(result: MassBalance, change: ElevationChange) -> MassBalance:
    """The result with its table ``geodetic_check`` filled, and a flag where the series disagree.

    Parameters
    ----------
    result : of the mass balance.
    change : over the same glacier.

    Errors
    ------
    BadInput : see ``survey_of`` and ``geodetic_check``.
    """
    return with_survey(result, survey_of(change, result.glacier.glacier_id, result.glacier.name))


def with_survey(result: MassBalance, survey: GeodeticSurvey | StatedBalance) -> MassBalance:
    """The result with the check against a survey, a flag where the series disagree, and the calibrated series.

    Parameters
    ----------
    result : of the mass balance; its series stay as they are.
    survey : the geodetic side.

    Errors
    ------
    BadInput : see ``geodetic_check``.
    """
    settings = result.settings
    calendar = Calendar.of(settings.year_start, settings.annual_tolerance_days)
    check = geodetic_check(_climatic(result.years, settings), calendar, survey)
    flags = []
    if check.agrees is False:
        detail = f"reduced discrepancy {check.reduced_discrepancy:+.2f}"
        flags.append(Flag(f"{check.first_year}-{check.last_year}", "unlike_geodetic_balance", detail))
    tables = {
        **result.tables,
        "geodetic_check": check_table([check]),
        "calibrated_balances": calibrated_table(calibrated(result.years, check.geodetic_sum)),
        "quality_flags": with_more_flags(result.tables["quality_flags"], flags),
    }
    return replace(result, tables=tables)


def _climatic(years: Sequence[BalanceYear], settings: MassBalanceSettings) -> list[BalanceYear]:
    """The years with the internal accumulation, where it is stated: an elevation change shows it, stakes do not."""
    internal = settings.internal_accumulation_m_we
    sigma = settings.sigma_internal_accumulation_m_we
    if internal is None:
        return list(years)
    return [
        replace(
            year,
            annual_m_we=None if year.annual_m_we is None else year.annual_m_we + internal,
            budget={**year.budget, "internal_accumulation": sigma} if year.budget else {},
        )
        for year in years
    ]


def check_table(checks: Sequence[GeodeticCheck]) -> pd.DataFrame:
    """The checks in the shape of ``schemas.tables.GEODETIC_CHECK``, full precision.

    Parameters
    ----------
    checks : one a pair of surveys.
    """
    rows = [
        (
            check.first_year,
            check.last_year,
            check.survey.begin,
            check.survey.end,
            check.glaciological_m_we,
            check.sigma_glaciological_m_we,
            check.survey.balance_m_we,
            check.survey.sigma_m_we,
            *_change_of(check.survey),
            check.sigma_dates_m_we,
            check.difference_m_we,
            check.reduced_discrepancy,
            check.agrees,
            ";".join(check.flags) or None,
            check.sigma_common_m_we,
            check.detectable_bias_m_we_a,
        )
        for check in checks
    ]
    return pd.DataFrame(rows, columns=list(GEODETIC_CHECK.column_names))


def _change_of(survey: GeodeticSurvey | StatedBalance) -> tuple[float | None, ...]:
    """Mean elevation change and density, each with its error; nothing of a balance that was stated as such."""
    if isinstance(survey, StatedBalance):
        return (None,) * 4
    return survey.mean_dh_m, survey.sigma_mean_dh_m, survey.density_kg_m3, survey.sigma_density_kg_m3
