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
        """A visit, taken as made on ``day``."""
        return cls(day or visit, visit, visit, 0.0)


@dataclass(frozen=True)
class Span:
    """A period at a stake, between two marks."""

    first: Mark
    last: Mark

    @classmethod
    def between(cls, begin: date, end: date) -> Span:
        """From one visit to another."""
        return cls(Mark.at(begin), Mark.at(end))

    @property
    def begin(self) -> date:
        return self.first.day

    @property
    def end(self) -> date:
        return self.last.day

    def until(self, visit: date) -> Span | None:
        """The part up to a visit; None where that lies outside."""
        return Span(self.first, Mark.at(visit)) if self.first.after <= visit <= self.last.after else None

    def since(self, visit: date) -> Span | None:
        """The part from a visit on; None where that lies outside."""
        return Span(Mark.at(visit), self.last) if self.first.before <= visit <= self.last.before else None

    def balance(self, visits: Sequence[Visit], settings: MassBalanceSettings) -> PointBalance | None:
        """The stake's balance over the span; None where no unbroken chain of readings covers it.

        Between the two visits around a mark the balance is taken to run evenly in time. What that may hide is a random
        error of sqrt(f (1 - f)) of the balance between them (a Brownian bridge of that size), f the share of the time.
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


def floating_date_spans(
    visits: Sequence[Visit], days: Sequence[date], year: int, calendar: Calendar, settings: MassBalanceSettings
) -> Span | None:
    """From the visit that closes one year to the visit that closes the next; the actual dates are kept."""
    begin, end = calendar.closing_visit(days, year - 1), calendar.closing_visit(days, year)
    return Span.between(begin, end) if begin is not None and end is not None else None


def fixed_date_spans(
    visits: Sequence[Visit], days: Sequence[date], year: int, calendar: Calendar, settings: MassBalanceSettings
) -> Span | None:
    """From the nominal first day of the year to that of the next, where visits lie on or closely around both."""
    gap = timedelta(days=settings.fixed_date_gap_days)
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
    """
    first = _lowest(visits, calendar.closing_visits(days, year - 1), settings)
    last = _lowest(visits, calendar.closing_visits(days, year), settings)
    return Span.between(first, last) if first is not None and last is not None else None


def _lowest(visits: Sequence[Visit], days: Sequence[date], settings: MassBalanceSettings) -> date | None:
    """The day of the least mass among some visits; None with fewer than two that can be compared."""
    ordered = sorted(set(days))
    since_first = [(0.0, ordered[0])] if ordered else []
    for day in ordered[1:]:
        balance = chain_balance(visits, ordered[0], day, settings)
        if balance is not None and balance.bound == "=":
            since_first.append((balance.balance_m_we, day))
    return min(since_first)[1] if len(since_first) > 1 else None
