"""The balance of the whole glacier between any two surveys, from its points then and from the years between."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import pairwise

import pandas as pd

from pipeline.mass_balance.field import SIGMA_GRADIENT
from pipeline.mass_balance.glacier_wide.integration import Ground, YearPlan, integrate_years
from pipeline.mass_balance.glacier_wide.methods import GlacierWide, as_points
from pipeline.mass_balance.points import (
    Calendar,
    Network,
    PointRecord,
    Survey,
    commonest,
    points_between,
    survey_on,
    surveys,
    usable,
)
from pipeline.progress import silent
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from schemas.tables import PERIOD_BALANCES


@dataclass(frozen=True)
class KnownYear:
    """A year with its points and what is known of the whole glacier; None where it is not."""

    plan: YearPlan
    annual: GlacierWide | None
    winter: GlacierWide | None


@dataclass(frozen=True)
class PartErrors:
    """The error of a part of a period by source (m w.e.).

    Attributes
    ----------
    random_m_we : of readings and methods, independent from part to part.
    densities_m_we : what one standard deviation more of snow density, and of ice density, does to the balance.
    interpolation_m_we, area_m_we : of the field and of the outline; they repeat.
    """

    random_m_we: float
    densities_m_we: tuple[float, float]
    interpolation_m_we: float
    area_m_we: float


@dataclass(frozen=True, kw_only=True)
class Part:
    """The balance of the whole glacier in a part of a period.

    Attributes
    ----------
    balance_m_we, errors : of the part.
    area_km2, unmeasured_area_share : of the glacier.
    points : how many point balances it rests on.
    begin, end : commonest days of these.
    made_of : which year or season it is, or 'visits'.
    """

    balance_m_we: float
    errors: PartErrors
    area_km2: float
    unmeasured_area_share: float
    points: int
    begin: date
    end: date
    made_of: str


@dataclass(frozen=True, kw_only=True)
class PeriodBalance:
    """The balance of the whole glacier between two surveys.

    Attributes
    ----------
    begin, end : days of the surveys that were used.
    parts : what it is the sum of, in order; empty where it cannot be told.
    flags : why it cannot, or what weakens it.
    """

    begin: date
    end: date
    parts: tuple[Part, ...]
    flags: tuple[str, ...] = ()

    @property
    def balance_m_we(self) -> float | None:
        """The sum of the parts."""
        return sum(part.balance_m_we for part in self.parts) if self.parts else None

    @property
    def sigma_m_we(self) -> float | None:
        """One standard deviation of it."""
        return sigma_of_parts([part.errors for part in self.parts]) if self.parts else None


def part_of(wide: GlacierWide, records: Sequence[PointRecord], made_of: str) -> Part:
    """A glacier-wide balance of one period as a part of a longer one.

    Parameters
    ----------
    wide : of the period.
    records : the point balances that it rests on.
    made_of : which year or season it is.
    """
    budget = wide.budget
    return Part(
        balance_m_we=wide.balance_m_we,
        errors=PartErrors(
            math.hypot(budget.point, budget.method), wide.density_errors_m_we, budget.interpolation, budget.area
        ),
        area_km2=wide.zones.hypsometry.total_km2,
        unmeasured_area_share=wide.unmeasured_area_share,
        points=len(records),
        begin=commonest_of([record.begin for record in records]),
        end=commonest_of([record.end for record in records]),
        made_of=made_of,
    )


def commonest_of(days: Sequence[date]) -> date:
    """The day that occurs most often among at least one.

    Parameters
    ----------
    days : of some points.
    """
    day = commonest(days)
    if day is None:
        raise ValueError("a balance without points")
    return day


def errors_of_summer(annual: GlacierWide, winter: GlacierWide) -> PartErrors:
    """The errors of annual less winter balance.

    The densities' errors are the same in both, and signed. Where nobody measured, what the winter's field misses the
    annual one misses too, and the difference does not; beyond the measured elevations there is the summer's gradient.

    Parameters
    ----------
    annual, winter : of the whole glacier.
    """
    snow, ice = (a - w for a, w in zip(annual.density_errors_m_we, winter.density_errors_m_we, strict=True))
    budget = annual.budget
    within = math.sqrt(max(budget.interpolation**2 - budget.unmeasured**2, 0.0))
    beyond = budget.unmeasured * SIGMA_GRADIENT["summer"] / SIGMA_GRADIENT["annual"]
    random = math.hypot(budget.point, winter.budget.point, budget.method)
    return PartErrors(random, (snow, ice), math.hypot(within, beyond), budget.area)


def sigma_of_parts(parts: Sequence[PartErrors]) -> float:
    """One standard deviation of a sum (m w.e.): random errors in quadrature, those that repeat linearly.

        sigma^2 = sum_t random_t^2 + sum_k (sum_t systematic_kt)^2

    What the densities of snow and of ice do is summed with its sign.

    Parameters
    ----------
    parts : errors of what follows each other.

    References: Zemp et al. (2013), The Cryosphere 7, 1227-1245, section 3.2.
    """
    return math.hypot(
        *(part.random_m_we for part in parts),
        sum(part.densities_m_we[0] for part in parts),
        sum(part.densities_m_we[1] for part in parts),
        sum(part.interpolation_m_we for part in parts),
        sum(part.area_m_we for part in parts),
    )


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Everything that the balance between two surveys is made from.

    Attributes
    ----------
    network : stakes, pits and probings with their visits.
    given_days : first and last days of point balances that were given as such.
    years : the computed years, in order.
    ground : surfaces and areas.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """

    network: Network
    given_days: Sequence[date]
    years: Sequence[KnownYear]
    ground: Ground
    calendar: Calendar
    settings: MassBalanceSettings

    @cached_property
    def surveys(self) -> tuple[Survey, ...]:
        """The surveys of the network, in order."""
        return surveys(self.days)

    @cached_property
    def days(self) -> list[date]:
        """Every day on which something was measured, in order, each as often as it was."""
        return sorted([*self.network.days, *self.given_days])

    def consecutive(self) -> tuple[PeriodBalance, ...]:
        """The balance from each survey to the next."""
        return tuple(self.between(first, last) for first, last in pairwise(self.surveys))

    def on(self, begin: date, end: date) -> PeriodBalance:
        """The balance between the surveys of two days.

            B(t1, t2) = sum of B over the whole years between, and over the parts of years at both ends

        Parameters
        ----------
        begin, end : days of two surveys.

        Errors
        ------
        BadInput : days out of order, a day on which nobody was on the glacier, or too few points at both.
        """
        if end <= begin:
            raise BadInput("--between", f"{begin} and {end}", "the earlier day first")
        first, last = self._survey_on(begin), self._survey_on(end)
        if first.last >= last.first:
            raise BadInput("--between", f"{begin} and {end}, both of one survey", "two surveys", self._nearest(end))
        asked = self.between(first, last)
        if asked.balance_m_we is None:
            wanted = f"{self.settings.minimum_points} points measured at both surveys, and the glacier's areas"
            raise BadInput("--between", f"{begin} to {end}: {'; '.join(asked.flags)}", wanted)
        return asked

    def _survey_on(self, day: date) -> Survey:
        survey = survey_on(day, self.days)
        if survey is None:
            raise BadInput("--between", f"no survey on {day}", "the day of a survey", self._nearest(day))
        return survey

    def _nearest(self, day: date) -> str:
        """The surveys before and after a day, for an error."""
        before = [one.day for one in self.surveys if one.last < day]
        after = [one.day for one in self.surveys if one.first > day]
        near = [str(one) for one in (*before[-1:], *after[:1])]
        return f"the nearest surveys are those of {' and '.join(near)}" if near else "there is no other survey"

    def between(self, first: Survey, last: Survey) -> PeriodBalance:
        """The balance between two surveys: of the years and seasons between, and of the points at both for the rest.

        Where the points of a part do not suffice, it is joined with the one that follows.

        Parameters
        ----------
        first, last : the surveys.
        """
        marks = [first, *self._year_ends(first, last), last]
        parts: list[Part] = []
        here, missing = 0, 0
        for there in range(1, len(marks)):
            own = self._parts(marks[here], marks[there])
            if own:
                parts += own
                here = there
            else:
                missing = max(missing, there - here)
        if here < len(marks) - 1:
            points = len(self._usable(marks[here], last)[0])
            reason = f"too_few_points:{points}" if self._has_areas(last) else "no_area_altitude_distribution"
            return PeriodBalance(begin=first.day, end=last.day, parts=(), flags=(reason,))
        flags = ("spans_several_years",) if missing else ()
        return PeriodBalance(begin=parts[0].begin, end=parts[-1].end, parts=tuple(parts), flags=flags)

    def _has_areas(self, survey: Survey) -> bool:
        return self.ground.hypsometry(self._year(survey)) is not None

    def _year(self, survey: Survey) -> int:
        """The mass-balance year that a survey closes or lies in."""
        closing = self.calendar.closing_year(survey.day)
        return self.calendar.year_of(survey.day) if closing is None else closing

    def _year_ends(self, first: Survey, last: Survey) -> Iterable[Survey]:
        """The surveys that close a year between two others."""
        for year in self.years:
            end = year.plan.visits.end
            for one in self.surveys:
                # a fixed date that nobody was there on ends no year here: points are summed over it
                if end is not None and one.holds(end) and first.last < one.first and one.last < last.first:
                    yield Survey(end, one.first, one.last)

    def _parts(self, first: Survey, last: Survey) -> list[Part]:
        """A part of a year, or a whole one: as published where it is a year or a season, else of its points."""
        for year in self.years:
            known = self._published(year, first, last)
            if known is not None:
                return known
        whole = self._of_points(first, last)
        if whole is not None:
            return [whole]
        for middle in self._midseasons(first, last):
            halves = [self._parts(first, middle), self._parts(middle, last)]
            if all(halves):
                return [part for half in halves for part in half]
        return []

    def _published(self, year: KnownYear, first: Survey, last: Survey) -> list[Part] | None:
        visits, plan = year.plan.visits, year.plan
        middle = visits.midseason
        from_opening, to_close = first.holds(visits.begin), last.holds(visits.end)
        at_middle = [middle is not None and one.holds(middle[0]) for one in (first, last)]
        if from_opening and to_close and year.annual is not None:
            return [part_of(year.annual, plan.annual, f"annual {plan.year}")]
        if from_opening and at_middle[1] and year.winter is not None:
            return [part_of(year.winter, plan.winter, f"winter {plan.year}")]
        if at_middle[0] and to_close and year.annual is not None and year.winter is not None:
            summer = part_of(year.annual, plan.annual, f"summer {plan.year}")
            balance = year.annual.balance_m_we - year.winter.balance_m_we
            begin = commonest_of([record.end for record in plan.winter])
            errors = errors_of_summer(year.annual, year.winter)
            return [replace(summer, balance_m_we=balance, begin=begin, errors=errors)]
        return None

    def _midseasons(self, first: Survey, last: Survey) -> Iterable[Survey]:
        """The surveys that part the seasons between two others."""
        for year in self.years:
            middle = year.plan.visits.midseason
            for one in self.surveys:
                if middle is not None and one.holds(middle[0]) and first.last < one.first and one.last < last.first:
                    yield one

    def _usable(self, first: Survey, last: Survey) -> tuple[list[PointRecord], str]:
        """The points that were measured at both surveys, and the period whose errors are theirs."""
        records = points_between(self.network, first, last, self.calendar, self.settings)
        opens, closes = (self.calendar.closing_year(one.day) for one in (first, last))
        period = "winter" if closes is None and opens is not None else "summer" if opens is None else "annual"
        years = Counter(record.year for record in records)
        return [one for year in years for one in usable(records, year, "instantaneous")], period

    def _of_points(self, first: Survey, last: Survey) -> Part | None:
        records, period = self._usable(first, last)
        if len(records) < self.settings.minimum_points:
            return None
        year = self._year(last)
        points = as_points(records, self.settings, period)
        wide = integrate_years({year: points}, self.ground, self.settings, publish=False, tell=silent).get(year)
        return None if wide is None else part_of(wide, records, "visits")


def period_table(balances: Sequence[PeriodBalance], asked: PeriodBalance | None = None) -> pd.DataFrame:
    """The balances in the shape of ``schemas.tables.PERIOD_BALANCES``, full precision, each pair of days once.

    Parameters
    ----------
    balances : in any order.
    asked : the one that was asked for, if any.
    """
    every = [*balances, *([asked] if asked is not None else [])]
    wanted = (asked.begin, asked.end) if asked is not None else None
    rows = {
        (one.begin, one.end): (
            one.begin,
            one.end,
            one.balance_m_we,
            one.sigma_m_we,
            one.parts[-1].area_km2 if one.parts else None,
            min((part.points for part in one.parts), default=None),
            max((part.unmeasured_area_share for part in one.parts), default=None),
            "; ".join(part.made_of for part in one.parts) or None,
            ";".join(one.flags) or None,
            (one.begin, one.end) == wanted,
        )
        for one in every
    }
    return pd.DataFrame([rows[days] for days in sorted(rows)], columns=list(PERIOD_BALANCES.column_names))
