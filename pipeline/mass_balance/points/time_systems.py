"""Floating-date, fixed-date and stratigraphic balances at a stake, as its visits allow (Cogley et al., 2011)."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipeline.mass_balance.points.point_balance import PointBalance, Visit, chain_balance
from pipeline.mass_balance.points.years import Calendar
from schemas.settings import MassBalanceSettings

# a visit this close to a fixed date is taken as made on it
FIXED_DATE_DAYS = 1


@dataclass(frozen=True)
class Mark:
    """A day at a stake: a visit, or a day between two visits.

    ``before`` and ``after`` are the visits around it (both the visit itself where there is one); ``share`` of the time
    between them lies before it.
    """

    day: date
    before: date
    after: date
    share: float

    @classmethod
    def at(cls, visit: date, day: date | None = None) -> Mark:
        """A visit, taken as made on ``day``.

        Parameters
        ----------
        visit : day of the visit.
        day : on which it counts as made; the same where none is given.
        """
        return cls(day or visit, visit, visit, 0.0)


@dataclass(frozen=True)
class Span:
    """A period at a stake, between two marks."""

    first: Mark
    last: Mark

    @classmethod
    def between(cls, begin: date, end: date) -> Span:
        """From one visit to another.

        Parameters
        ----------
        begin, end : days of two visits.
        """
        return cls(Mark.at(begin), Mark.at(end))

    @property
    def begin(self) -> date:
        return self.first.day

    @property
    def end(self) -> date:
        return self.last.day

    def until(self, visit: date) -> Span | None:
        """The part up to a visit; None where that lies outside.

        Parameters
        ----------
        visit : day of a visit.
        """
        return Span(self.first, Mark.at(visit)) if self.first.after <= visit <= self.last.after else None

    def since(self, visit: date) -> Span | None:
        """The part from a visit on; None where that lies outside.

        Parameters
        ----------
        visit : day of a visit.
        """
        return Span(Mark.at(visit), self.last) if self.first.before <= visit <= self.last.before else None

    def balance(self, visits: Sequence[Visit], settings: MassBalanceSettings) -> PointBalance | None:
        """The stake's balance over the span; None where no unbroken chain of readings covers it.

        Between the two visits around a mark the balance is taken to run evenly in time. What that may hide is a random
        error of sqrt(f (1 - f)) of the balance between them (a Brownian bridge of that size), f the share of the time.

        Parameters
        ----------
        visits : of one stake, all legs.
        settings : densities and errors.
        """
        if self.first.share == 0 and self.last.share == 0:
            return chain_balance(visits, self.first.before, self.last.before, settings)
        parts = []
        if self.first.after < self.last.before:
            parts.append(chain_balance(visits, self.first.after, self.last.before, settings))
        if self.first.share > 0:
            parts.append(_part(visits, self.first, 1 - self.first.share, settings))
        if self.last.share > 0:
            parts.append(_part(visits, self.last, self.last.share, settings))
        known = [part for part in parts if part is not None]
        if not known or len(known) < len(parts):
            return None
        total = known[0]
        for part in known[1:]:
            total = total + part
        return replace(total, flags=(*total.flags, "date_interpolated"))


def _part(visits: Sequence[Visit], mark: Mark, share: float, settings: MassBalanceSettings) -> PointBalance | None:
    """A share of the balance between the visits around a mark; None where that is a bound."""
    whole = chain_balance(visits, mark.before, mark.after, settings)
    if whole is None or whole.bound != "=":
        return None
    part = whole.scaled(share)
    uneven = abs(whole.balance_m_we) * math.sqrt(share * (1 - share))
    return replace(part, sigma_random_m_we=math.hypot(part.sigma_random_m_we, uneven))


def best_span(
    visits: Sequence[Visit], spans: Sequence[Span], settings: MassBalanceSettings
) -> tuple[Span, PointBalance] | None:
    """The span whose chain of readings is best, with its balance; None where no chain covers any of them.

    A value goes before a bound, a chain of readings before one with a gap between two legs; of equals the first counts.
    The visits are in order of time.
    """
    best: tuple[int, Span, PointBalance] | None = None
    for span in spans:
        balance = span.balance(_around(visits, span.first.before, span.last.after), settings)
        if balance is None:
            continue
        rank = _rank(balance)
        if best is None or rank < best[0]:
            best = rank, span, balance
        if rank == 0:
            break
    return best[1:] if best is not None else None


def _around(visits: Sequence[Visit], first: date, last: date) -> Sequence[Visit]:
    """The visits between two days; they are in order of time."""
    return visits[bisect_left(visits, first, key=_day_of) : bisect_right(visits, last, key=_day_of)]


def _day_of(visit: Visit) -> date:
    return visit.day


def _rank(balance: PointBalance) -> int:
    bridged = any(flag.startswith("legs_bridged") for flag in balance.flags)
    return 2 * (balance.bound != "=") + bridged


def nearest_first(days: Sequence[date], day: date) -> list[date]:
    """Days by their distance from one of them; of two equally near the later first."""
    return sorted(set(days), key=lambda one: (abs((one - day).days), -one.toordinal()))


def floating_date_spans(
    visits: Sequence[Visit], days: Sequence[date], year: int, calendar: Calendar, settings: MassBalanceSettings
) -> Span | None:
    """From a visit that closes one year to one that closes the next; the actual dates are kept.

    Of the visits near enough to the two days the ones that the best chain of readings joins are taken, and of equal
    chains those nearest to the days: a stake lost or buried on the nearest visit, or drilled anew on the next day,
    keeps its year.

    Parameters
    ----------
    visits : of one stake, all legs.
    days : on which it was read.
    year : of the mass balance.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    begins = nearest_first(calendar.closing_visits(days, year - 1), calendar.start(year))
    ends = nearest_first(calendar.closing_visits(days, year), calendar.end(year))
    if not begins or not ends:
        return None
    spans = [Span.between(begin, end) for begin in begins for end in ends if begin < end]
    spans.sort(
        key=lambda span: abs((span.begin - calendar.start(year)).days) + abs((span.end - calendar.end(year)).days)
    )
    best = best_span(visits, spans, settings)
    return best[0] if best is not None else Span.between(begins[0], ends[0])


def fixed_date_spans(
    visits: Sequence[Visit], days: Sequence[date], year: int, calendar: Calendar, settings: MassBalanceSettings
) -> Span | None:
    """From the nominal first day of the year to that of the next, where visits lie on or closely around both.

    Parameters
    ----------
    visits : of one stake, all legs.
    days : on which it was read.
    year : of the mass balance.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    gap = timedelta(days=settings.fixed_date_gap_days)
    days = [visit.day for visit in visits if visit.exposed_m is not None or visit.status in ("buried", "melted_out")]
    first, last = _mark(days, calendar.start(year), gap), _mark(days, calendar.end(year), gap)
    return Span(first, last) if first is not None and last is not None else None


def _mark(days: Sequence[date], day: date, gap: timedelta) -> Mark | None:
    """A fixed date among visits: on one of them, or between two that are no further apart than ``gap``."""
    near = timedelta(days=FIXED_DATE_DAYS)
    on = days[bisect_left(days, day - near) : bisect_right(days, day + near)]
    if on:
        return Mark.at(min(on, key=lambda visit: abs((visit - day).days)), day)
    after = bisect_left(days, day)
    if after in (0, len(days)) or days[after] - days[after - 1] > gap:
        return None
    before, behind = days[after - 1], days[after]
    return Mark(day, before, behind, (day - before).days / (behind - before).days)


def stratigraphic_spans(
    visits: Sequence[Visit], days: Sequence[date], year: int, calendar: Calendar, settings: MassBalanceSettings
) -> Span | None:
    """From the lowest surface at the end of one year to that of the next, where both were looked for.

    The lowest of at least two visits around the year's end stands for the annual minimum; one visit alone does not tell
    whether the minimum had come.

    Parameters
    ----------
    visits : of one stake, all legs.
    days : on which it was read.
    year : of the mass balance.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    first = _lowest(visits, calendar.closing_visits(days, year - 1), settings)
    last = _lowest(visits, calendar.closing_visits(days, year), settings)
    return Span.between(first, last) if first is not None and last is not None else None


def _lowest(visits: Sequence[Visit], days: Sequence[date], settings: MassBalanceSettings) -> date | None:
    """The day of the least mass among some visits; None with fewer than two that can be compared."""
    ordered = sorted(set(days))
    since_first = [(0.0, ordered[0])] if ordered else []
    for day in ordered[1:]:
        balance = chain_balance(_around(visits, ordered[0], day), ordered[0], day, settings)
        if balance is not None and balance.bound == "=":
            since_first.append((balance.balance_m_we, day))
    return min(since_first)[1] if len(since_first) > 1 else None
