"""The mass-balance chain: from a field team's readings to the balance of the whole glacier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from shapely.geometry.base import BaseGeometry

from pipeline.mass_balance.fieldwork import FieldData
from pipeline.mass_balance.glacier_wide import (
    GlacierWide,
    Ground,
    IndexYear,
    KnownYear,
    Periods,
    YearPlan,
    empty_year,
    errors_of_summer,
    index_stake_balance,
    index_stakes,
    integrate_years,
    period_table,
    sigma_of_parts,
    time_system,
    year_of_bands,
)
from pipeline.mass_balance.ground import (
    Hypsometry,
    KnownBy,
    lacks_elevations,
    read_surveys,
    survey_of_year,
    with_elevations,
)
from pipeline.mass_balance.points import (
    Calendar,
    Filled,
    LinearModel,
    Network,
    PointBalances,
    PointRecord,
    build_network,
    fill,
    fit_linear_model,
    given_points,
    observations,
    point_balances,
    with_given,
)
from pipeline.mass_balance.quality_flags import flags_of_fieldwork, flags_of_seasons, flags_of_year
from pipeline.mass_balance.result import BalanceYear, MassBalance
from pipeline.mass_balance.result_tables import ChainFindings, ComputedYear, result_tables
from pipeline.progress import Tell, silent
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings


def mass_balance(
    data: FieldData,
    settings: MassBalanceSettings,
    *,
    dem: Path | None = None,
    outline: Path | None = None,
    sigma_limit_m_we: float | None = None,
    between: tuple[date, date] | None = None,
    tell: Tell = silent,
) -> MassBalance:
    """Point balances, glacier-wide balances, equilibrium lines and their errors from everything a field team measured.

    The steps are those of the glaciological method (Ostrem and Brugman, 1991; Kaser et al., 2003): point balances from
    pairs of readings and from pits, paired into mass-balance years and seasons by their dates; a field between the
    points; the area between its isolines times the middle of their class; elevation zones beside it; the equilibrium
    line; the error budget. ``sigma_limit_m_we`` is the quality gate on the error of the annual balance. Without DEM and
    outline, an area-altitude table or zone balances in the data serve; with neither, point balances alone come back.

    Points without an elevation take that of the DEM, which then needs no outline beside an area-altitude table; without
    one they enter no glacier-wide balance.

    Parameters
    ----------
    data : the fieldwork, as read.
    settings : of the mass balance.
    dem : any raster with a CRS, m; needs ``outline``.
    outline : polygons, with a year each where there are several.
    sigma_limit_m_we : limit of the quality gate; None for no gate.
    between : days of two surveys whose balance is asked for besides; None for none.
    tell : takes a line for each step.

    Errors
    ------
    BadInput : a DEM without an outline or the reverse, or one that cannot be used; days ``between`` which no balance
        can be told.
    """
    calendar = Calendar.of(settings.year_start, settings.annual_tolerance_days)
    tell("reading the glacier's surface")
    if dem is not None and lacks_elevations(data):
        data = with_elevations(data, dem)
        dem = dem if outline is not None or data.hypsometry.empty else None
    ground = read_ground(data, settings, dem, outline)
    tell("computing point balances")
    fieldwork = measure(data, calendar, settings)
    tell("fitting the balance field")
    integrated = integrate_fieldwork(fieldwork.plans, ground, settings, tell)
    computed = [_computed_year(plan, integrated.of(plan.year), ground, calendar, settings) for plan in fieldwork.plans]
    computed = with_index_stakes(computed)
    periods = _periods(fieldwork, computed, ground, calendar, settings)
    asked = periods.on(*between) if between is not None else None
    computed += _years_of_bands(data, {year.result.year for year in computed}, calendar)
    computed.sort(key=lambda year: year.result.year)
    tell("gathering flags and tables")
    findings = ChainFindings(
        points=fieldwork.points,
        densities=fieldwork.network.densities,
        model=fieldwork.model,
        filled=fieldwork.filled,
        flags=flags_of_fieldwork(data, fieldwork.network, fieldwork.plans, calendar, settings),
        hypsometry=_published_hypsometry(ground, data, computed),
        settings=settings,
        periods=period_table(periods.consecutive() if ground.has_areas else (), asked),
    )
    return MassBalance(
        glacier=data.glacier,
        outline=_latest_outline(ground, computed),
        years=tuple(year.result for year in computed),
        tables=result_tables(data, findings, computed, sigma_limit_m_we),
        settings=settings,
    )


def _periods(
    fieldwork: Measured,
    computed: Sequence[ComputedYear],
    ground: Ground,
    calendar: Calendar,
    settings: MassBalanceSettings,
) -> Periods:
    """What the balances between surveys are made from."""
    years = [KnownYear(year.plan, year.annual, year.winter) for year in computed if year.plan is not None]
    given = [day for one in fieldwork.points.records if one.cell is not None for day in (one.begin, one.end)]
    return Periods(
        network=fieldwork.network,
        given_days=given,
        years=years,
        ground=ground,
        calendar=calendar,
        settings=settings,
    )


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What the fieldwork gives by itself, before any area is known.

    Attributes
    ----------
    network, points : the readings in order, and all point balances.
    model, filled : the linear model of the annual balances, and the stake years it fills.
    plans : what each year's balance is made from.
    """

    network: Network
    points: PointBalances
    model: LinearModel | None
    filled: tuple[Filled, ...]
    plans: tuple[YearPlan, ...]


def measure(data: FieldData, calendar: Calendar, settings: MassBalanceSettings) -> Measured:
    """Point balances of the fieldwork, the linear model of their gaps, and the points of every year.

    Parameters
    ----------
    data : the fieldwork, as read.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    network = build_network(data, calendar, settings)
    given = given_points(data, calendar, settings)
    points = with_given(point_balances(network, calendar, settings), given, calendar)
    model = fit_linear_model(observations(points.records, calendar))
    filled = fill(model, points.records, network.stakes, used=settings.fill_missing_stakes) if model is not None else []
    filled = [one for one in filled if math.isfinite(one.place.elevation_m)]
    records = points.by_year()
    nearest = min((calendar.days_from_year_end(day) for day in network.days), default=0)
    plans = tuple(
        YearPlan(
            visits,
            records.get(visits.year, []),
            [one for one in filled if one.year == visits.year] if settings.fill_missing_stakes else [],
            nearest if nearest > calendar.tolerance_days else None,
        )
        for visits in points.years
    )
    return Measured(network=network, points=points, model=model, filled=tuple(filled), plans=plans)


def read_ground(data: FieldData, settings: MassBalanceSettings, dem: Path | None, outline: Path | None) -> Ground:
    """DEM and outline, where they are given, and the area-altitude table of the data.

    Parameters
    ----------
    data : with the area-altitude table, if any.
    settings : resolution and band height, m.
    dem, outline : files, or None.

    Errors
    ------
    BadInput : one without the other, or a file that cannot be used.
    """
    if dem is None and outline is None:
        return Ground((), data.hypsometry)
    if dem is None or outline is None:
        half = "an outline without a DEM" if dem is None else "a DEM without an outline"
        raise BadInput("glacier surface", half, "both, or neither and a hypsometry table")
    identity = data.glacier.glacier_id, data.glacier.crs
    known_by = KnownBy(data.glacier.name, data.positions)
    surveys = read_surveys(dem, outline, identity, settings.resolution_m, settings.band_height_m, known_by)
    return Ground(surveys, data.hypsometry)


def _latest_outline(ground: Ground, computed: Sequence[ComputedYear]) -> BaseGeometry | None:
    """The outline that serves the last year; None without a map."""
    if not ground.surveys:
        return None
    return survey_of_year(ground.surveys, max((year.result.year for year in computed), default=0)).surface.outline


@dataclass(frozen=True)
class Integrated:
    """The balances of the whole glacier, by year: annual, winter, and summer where it was measured by itself."""

    annual: dict[int, GlacierWide]
    winter: dict[int, GlacierWide]
    summer: dict[int, GlacierWide]

    def of(self, year: int) -> Seasons:
        """Those of one year."""
        return Seasons(self.annual.get(year), self.winter.get(year), self.summer.get(year))


@dataclass(frozen=True)
class Seasons:
    """The balances of one year of the whole glacier; None where not measured, and summer where it is the difference."""

    annual: GlacierWide | None
    winter: GlacierWide | None
    summer: GlacierWide | None


def integrate_fieldwork(
    plans: Sequence[YearPlan], ground: Ground, settings: MassBalanceSettings, tell: Tell
) -> Integrated:
    """Annual and seasonal balances of the whole glacier, by year; those with too few points or without areas left out.

    The summer balance is the annual less the winter balance where both are known; else it is that of its own points.

    Parameters
    ----------
    plans : the points of each year.
    ground : surfaces and areas.
    settings : of the mass balance.
    tell : takes a line for each step.
    """
    annual = {plan.year: points for plan in plans if (points := plan.annual_points(settings)) is not None}
    winter = {plan.year: points for plan in plans if (points := plan.winter_points(settings)) is not None}
    summer = {
        plan.year: points
        for plan in plans
        if not (plan.year in annual and plan.year in winter) and (points := plan.summer_points(settings)) is not None
    }
    # the seasons first: what they need is let go before the published fields of all years are held
    of_summer = integrate_years(summer, ground, settings, publish=False, tell=tell)
    of_winter = integrate_years(winter, ground, settings, publish=False, tell=tell)
    return Integrated(integrate_years(annual, ground, settings, publish=True, tell=tell), of_winter, of_summer)


def _computed_year(
    plan: YearPlan, seasons: Seasons, ground: Ground, calendar: Calendar, settings: MassBalanceSettings
) -> ComputedYear:
    """One year of the glacier from its points."""
    annual = seasons.annual
    flags = flags_of_year(plan, annual, ground, settings)
    dates = (plan.visits.begin, _middle(plan), plan.visits.end)
    system = _time_system(plan, calendar, settings)
    if annual is None:
        result = _of_seasons(empty_year(plan.year, dates, system, flags), seasons)
        return ComputedYear(result, plan, None, seasons.winter)
    shared = plan.shared_fill_error(settings)
    if shared > 0:
        interpolation = float(np.hypot(annual.budget.interpolation, shared))
        annual = replace(annual, budget=replace(annual.budget, interpolation=interpolation))
    result = _result(plan.year, (*dates, system), replace(seasons, annual=annual), flags)
    result = replace(
        result,
        provenance=plan.provenance(settings.minimum_points),
        flags=flags + flags_of_seasons(result.winter_m_we, result.summer_m_we),
    )
    return ComputedYear(result, plan, annual, seasons.winter)


def _of_seasons(empty: BalanceYear, seasons: Seasons) -> BalanceYear:
    """A year without annual points, with its seasons; where both were measured, they make the annual balance."""
    winter, summer = seasons.winter, seasons.summer
    known = next((one for one in (winter, summer) if one is not None), None)
    if known is None:
        return empty
    both = winter is not None and summer is not None
    known_m_we = (one.balance_m_we if one is not None else None for one in (winter, summer))
    flags = empty.flags + (("annual_from_seasons",) if both else ()) + flags_of_seasons(*known_m_we)
    if winter is None or summer is None:
        annual, sigma = None, None
    else:
        annual = winter.balance_m_we + summer.balance_m_we
        sigma = float(np.hypot(winter.budget.total, summer.budget.total))
    return replace(
        empty,
        annual_m_we=annual,
        sigma_annual_m_we=sigma,
        winter_m_we=winter.balance_m_we if winter is not None else None,
        sigma_winter_m_we=winter.budget.total if winter is not None else None,
        summer_m_we=summer.balance_m_we if summer is not None else None,
        sigma_summer_m_we=summer.budget.total if summer is not None else None,
        area_km2=known.zones.hypsometry.total_km2,
        flags=flags,
    )


def _time_system(plan: YearPlan, calendar: Calendar, settings: MassBalanceSettings) -> str:
    """FLO, or FXD where the visits lie on the fixed dates; by setting FXD or STR, and COM with pits in use."""
    if plan.visits.begin is None and plan.annual:
        return "COM"  # from the last summer's surface to a visit
    if settings.time_system == "FLO" or not plan.annual:
        return time_system(plan.visits.begin, plan.visits.end, calendar)
    return "COM" if any(record.system == "COM" for record in plan.annual) else settings.time_system


def _result(
    year: int,
    dates: tuple[date | None, date | None, date | None, str],
    seasons: Seasons,
    flags: tuple[str, ...],
) -> BalanceYear:
    """The published values of a year; summer is what annual and winter leave, with both errors, or was measured."""
    begin, middle, end, system = dates
    annual, winter = seasons.annual, seasons.winter
    if annual is None:
        raise ValueError(f"no annual balance of {year}")
    sigma_annual = annual.budget.total
    sigma_winter = winter.budget.total if winter is not None else None
    summer, sigma_summer = _summer(seasons)
    return BalanceYear(
        year=year,
        begin=begin,
        midseason=middle,
        end=end,
        time_system=system,
        annual_m_we=annual.balance_m_we,
        winter_m_we=winter.balance_m_we if winter is not None else None,
        summer_m_we=summer,
        sigma_annual_m_we=sigma_annual,
        sigma_winter_m_we=sigma_winter,
        sigma_summer_m_we=sigma_summer,
        ela_m=annual.line.elevation_m,
        ela_position=annual.line.position,
        aar=annual.aar,
        area_km2=annual.zones.hypsometry.total_km2,
        by_method=annual.by_method,
        provenance="observed",
        flags=flags,
        field=annual.field,
        budget=annual.budget.as_dict(),
        gradient_below_m_we_per_100m=annual.gradient_below_m_we_per_100m,
        gradient_above_m_we_per_100m=annual.gradient_above_m_we_per_100m,
        density_errors_m_we=annual.density_errors_m_we,
        sigma_ela_m=annual.line_error.elevation_m,
        sigma_aar=annual.line_error.aar,
        unmeasured_area_share=annual.unmeasured_area_share,
        unmeasured_error_share=annual.unmeasured_error_share,
        zero_line_m=annual.zero_line_m,
    )


def _summer(seasons: Seasons) -> tuple[float | None, float | None]:
    """Summer balance and its standard deviation: what annual and winter leave, else as measured."""
    annual, winter, summer = seasons.annual, seasons.winter, seasons.summer
    if annual is not None and winter is not None:
        return annual.balance_m_we - winter.balance_m_we, sigma_of_parts([errors_of_summer(annual, winter)])
    return (summer.balance_m_we, summer.budget.total) if summer is not None else (None, None)


def _middle(plan: YearPlan) -> date | None:
    """The day that parts the seasons: the commonest of the winter points."""
    days = [record.end for record in plan.winter] or [record.begin for record in plan.summer]
    if plan.visits.midseason is None or not days:
        return None
    return min(set(days), key=lambda day: (-days.count(day), day))


def with_index_stakes(years: Sequence[ComputedYear]) -> list[ComputedYear]:
    """The years with the index-stake method beside the others: each year from its index stakes and the other years.

    Parameters
    ----------
    years : computed, in order.
    """
    known = {
        year.result.year: IndexYear(year.result.annual_m_we, _stake_balances(year.plan.annual))
        for year in years
        if year.plan is not None and year.result.annual_m_we is not None
    }
    elevation = {
        record.point_id: record.place.elevation_m
        for year in years
        if year.plan is not None
        for record in year.plan.annual
        if record.kind == "stake"
    }
    chosen = index_stakes(elevation, [year.stakes for year in known.values()])
    completed = []
    for year in years:
        value = index_stake_balance(year.result.year, known, chosen) if year.result.year in known else None
        methods = {**year.result.by_method, "index_stakes": value}
        completed.append(replace(year, result=replace(year.result, by_method=methods)))
    return completed


def _stake_balances(records: Sequence[PointRecord]) -> Mapping[str, float]:
    return {record.point_id: record.balance.balance_m_we for record in records if record.kind == "stake"}


def _years_of_bands(data: FieldData, done: set[int], calendar: Calendar) -> list[ComputedYear]:
    """Years for which only band balances are given."""
    bands = data.zone_balances
    years = sorted(set(bands["year"]) - done)
    results = [year_of_bands(int(year), bands[bands["year"] == year], calendar) for year in years]
    return [ComputedYear(result, None, None, None) for result in results]


def _band_table(bands: Hypsometry, year: int) -> pd.DataFrame:
    frame = pd.DataFrame({"lower_m": bands.lower_m, "upper_m": bands.upper_m, "area_km2": bands.area_km2})
    frame.insert(0, "year", year)
    return frame


def _published_hypsometry(ground: Ground, data: FieldData, computed: Sequence[ComputedYear]) -> pd.DataFrame:
    """The area-altitude distribution behind the balances: the table's, else of DEM and outline, else of the bands."""
    columns = ["year", "lower_m", "upper_m", "area_km2"]
    if not ground.table.empty:
        return ground.table.sort_values(["year", "lower_m"], ignore_index=True)
    if ground.surveys and computed:
        used = {survey.year: survey.bands for year in computed if (survey := ground.survey(year.result.year))}
        # one outline without a year serves every year: it stands under the first
        return pd.concat([_band_table(bands, year or computed[0].result.year) for year, bands in used.items()])
    return data.zone_balances[columns].sort_values(["year", "lower_m"], ignore_index=True)
