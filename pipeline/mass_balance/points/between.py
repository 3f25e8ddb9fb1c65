"""Point balances between any two surveys of the glacier."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipeline.mass_balance.points.point_balance import PointBalance, chain_balance
from pipeline.mass_balance.points.points import PointRecord, StakeHistory, StakeSurvey
from pipeline.mass_balance.points.time_systems import Span, nearest_first
from pipeline.mass_balance.points.visits import Network
from pipeline.mass_balance.points.years import CAMPAIGN_GAP_DAYS, Calendar, campaigns, commonest
from schemas.settings import MassBalanceSettings


@dataclass(frozen=True)
class Survey:
    """Visits that belong together: the first and the last day of them, and the day that stands for all."""

    day: date
    first: date
    last: date

    def holds(self, day: date | None) -> bool:
        """Whether a day lies within the survey."""
        return day is not None and self.first <= day <= self.last


def surveys(days: Sequence[date]) -> tuple[Survey, ...]:
    """The surveys of a network, each with its commonest day.

    Parameters
    ----------
    days : of all visits, in order, each as often as there was one.
    """
    grouped = []
    for first, last in campaigns(days):
        own = days[bisect_left(days, first) : bisect_right(days, last)]
        grouped.append(Survey(commonest(own) or first, first, last))
    return tuple(grouped)


def survey_on(day: date, days: Sequence[date]) -> Survey | None:
    """The survey that a day lies in, with the visits around the day; None where nobody was on the glacier.

    Visits that follow each other closely for longer than a survey takes count within ten days of the day.

    Parameters
    ----------
    day : that is asked for.
    days : of all visits, in order.
    """
    near = timedelta(days=CAMPAIGN_GAP_DAYS)
    for one in surveys(days):
        if one.holds(day):
            own = [visit for visit in days if one.holds(visit) and abs(visit - day) <= near]
            return Survey(day, min(own), max(own))
    return None


def points_between(
    network: Network, begin: Survey, end: Survey, calendar: Calendar, settings: MassBalanceSettings
) -> list[PointRecord]:
    """The balance of every point that was measured at both of two surveys; periods are called instantaneous.

        b(t1, t2) = sum of b over the years and parts of years between t1 and t2

    A stake's balance is summed over the ends of years between, at which its snow becomes part of the next summer's
    surface. From the survey that opens a year to one within it, pits and probings count too, and stakes that were
    drilled meanwhile: they show the balance since the last summer's surface.

    Parameters
    ----------
    network : stakes, pits and probings with their visits.
    begin, end : the two surveys.
    calendar : of the mass-balance years.
    settings : densities and errors.

    References: Cogley et al. (2011), Glossary of glacier mass balance, 'mass balance', any two instants.
    """
    stakes = StakeSurvey(network, calendar, settings)
    balances = [_stake(stakes, history, begin, end) for history in stakes.histories]
    records = [record for record in balances if record is not None]
    year = calendar.closing_year(begin.day)
    if year is not None and calendar.closing_year(end.day) is None and calendar.year_of(end.day) == year + 1:
        known = {record.point_id for record in records if record.is_value}
        records = [record for record in records if record.is_value]
        winter = stakes.winter_to(year + 1, begin.day, (end.first, end.last))
        records += [replace(one, period="instantaneous") for one in winter if one.point_id not in known]
    return records


def _stake(stakes: StakeSurvey, history: StakeHistory, begin: Survey, end: Survey) -> PointRecord | None:
    """The balance of one stake between two surveys: values before bounds, visits near the surveys' days first."""
    bound = None
    for span, balance in _chains(stakes, history, begin, end):
        if balance.bound == "=":
            return _record(stakes, history, span, balance)
        bound = bound or (span, balance)
    return _record(stakes, history, *bound) if bound is not None else None


def _chains(
    stakes: StakeSurvey, history: StakeHistory, begin: Survey, end: Survey
) -> Iterator[tuple[Span, PointBalance]]:
    firsts = _near(history.days, begin)
    for last in _near(history.days, end):
        for first in firsts:
            balance = _over_years(stakes, history, first, last) if first < last else None
            if balance is not None:
                yield Span.between(first, last), balance


def _near(days: Sequence[date], survey: Survey) -> list[date]:
    return nearest_first([day for day in days if survey.holds(day)], survey.day)


def _over_years(stakes: StakeSurvey, history: StakeHistory, first: date, last: date) -> PointBalance | None:
    """The chain of readings between two days, summed over the year's ends between at which the stake was read."""
    visits, settings = history.visits, stakes.settings
    total, here = None, first
    for there in (*_year_ends(stakes.calendar, history.days, first, last), last):
        part = chain_balance(visits, here, there, settings)
        if part is not None:
            total, here = part if total is None else total + part, there
    return total if here == last else chain_balance(visits, first, last, settings)


def _year_ends(calendar: Calendar, days: Sequence[date], first: date, last: date) -> Iterable[date]:
    for year in range(first.year - 1, last.year + 1):
        day = calendar.closing_visit(days, year)
        if day is not None and first < day < last:
            yield day


def _record(stakes: StakeSurvey, history: StakeHistory, span: Span, balance: PointBalance) -> PointRecord:
    calendar = stakes.calendar
    closing = calendar.closing_year(span.end)
    year = closing if closing is not None else calendar.year_of(span.end)
    return stakes.record(history, span, year, ("instantaneous", "OTH"), balance)
