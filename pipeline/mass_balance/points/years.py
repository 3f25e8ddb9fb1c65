"""Pairs the visits of a stake into mass-balance years and seasons, by their dates alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from schemas.errors import BadInput

# a visit that parts winter from summer lies at least this far inside the year: snow has come, melt is still ahead
MIDSEASON_AFTER_BEGIN_DAYS = 90
MIDSEASON_BEFORE_END_DAYS = 45
# visits no further apart than this belong to one campaign
CAMPAIGN_GAP_DAYS = 10


@lru_cache(maxsize=1024)
def _day(year: int, month: int, day: int) -> date:
    """A date; every visit asks for those that begin and end its year."""
    return date(year, month, day)


@dataclass(frozen=True)
class Calendar:
    """When a mass-balance year begins, and how far from that day a visit may lie to close it.

    Attributes
    ----------
    month, day : nominal first day of the mass-balance year.
    tolerance_days : a visit this close to it closes one year and opens the next.
    """

    month: int
    day: int
    tolerance_days: int

    @classmethod
    def of(cls, year_start: str, tolerance_days: int) -> Calendar:
        """The calendar of a ``month-day`` text. BadInput for a day that no year has.

        Parameters
        ----------
        year_start : month and day, as "10-01".
        tolerance_days : how far from it a visit may close a year.
        """
        month, day = (int(part) for part in year_start.split("-"))
        try:
            date(2001, month, day)
        except ValueError:
            raise BadInput("year_start", repr(year_start), "a day of every year, as month-day") from None
        return cls(month, day, tolerance_days)

    @property
    def covers_calendar_years(self) -> bool:
        """Whether a year runs from 1 January to 31 December; it is then named after the one that it covers."""
        return (self.month, self.day) == (1, 1)

    def start(self, year: int) -> date:
        """Nominal first day of the mass-balance year ``year``.

        Parameters
        ----------
        year : of the mass balance.
        """
        return _day(year - (not self.covers_calendar_years), self.month, self.day)

    def end(self, year: int) -> date:
        """Nominal day that closes the mass-balance year ``year`` and opens the next.

        Parameters
        ----------
        year : of the mass balance.
        """
        return _day(year + self.covers_calendar_years, self.month, self.day)

    def year_of(self, day: date) -> int:
        """The mass-balance year that holds a day."""
        return day.year + (day > self.end(day.year))

    def closing_year(self, day: date) -> int | None:
        """The mass-balance year that a visit closes; None for a visit inside a year.

        Parameters
        ----------
        day : of the visit.
        """
        for year in (day.year - 1, day.year, day.year + 1):
            if abs((day - self.end(year)).days) <= self.tolerance_days:
                return year
        return None

    def days_from_year_end(self, day: date) -> int:
        """Days between a visit and the nearest end of a year."""
        return min(abs((day - self.end(year)).days) for year in (day.year - 1, day.year, day.year + 1))

    def closing_visits(self, days: Sequence[date], year: int) -> Sequence[date]:
        """The visits that may close ``year``, of days in order of time."""
        end, tolerance = self.end(year), timedelta(days=self.tolerance_days)
        return days[bisect_left(days, end - tolerance) : bisect_right(days, end + tolerance)]

    def closing_visit(self, days: Sequence[date], year: int) -> date | None:
        """The visit nearest to the end of ``year``, within the tolerance; the later one of two equally near.

        ``days`` in order of time.
        """
        near = self.closing_visits(days, year)
        end = self.end(year)
        return min(near, key=lambda day: (abs((day - end).days), -day.toordinal())) if near else None


def balance_years(calendar: Calendar, days: Iterable[date]) -> list[int]:
    """Every mass-balance year from the first visit to the last, named after the calendar year in which it ends.

    A year from 1 January to 31 December, as tropical glaciers have it, is named after the year that it covers.

    Parameters
    ----------
    calendar : of the mass-balance years.
    days : of all visits.
    """
    ordered = sorted(set(days))
    if not ordered:
        return []
    last = calendar.closing_year(ordered[-1])
    if last is None:
        last = calendar.year_of(ordered[-1])
    first = calendar.closing_year(ordered[0])
    # a campaign alone at a year's end shows that year: a pit, a probed depth
    first_year = calendar.year_of(ordered[0]) if first is None else min(first + 1, last)
    return list(range(first_year, last + 1))


def campaigns(days: Iterable[date]) -> list[tuple[date, date]]:
    """Visits grouped into campaigns: first and last day of each.

    Parameters
    ----------
    days : of all visits.
    """
    ordered = sorted(set(days))
    groups: list[list[date]] = []
    for day in ordered:
        if groups and (day - groups[-1][-1]).days <= CAMPAIGN_GAP_DAYS:
            groups[-1].append(day)
        else:
            groups.append([day])
    return [(group[0], group[-1]) for group in groups]


def midseason_campaigns(days: Iterable[date], begin: date, end: date) -> list[tuple[date, date]]:
    """Campaigns that can part winter from summer in a year from ``begin`` to ``end``.

    Parameters
    ----------
    days : of all visits.
    begin, end : of the mass-balance year.
    """
    earliest, latest = midseason_window(begin, end)
    return campaigns(day for day in days if earliest <= day <= latest)


def midseason_window(begin: date, end: date) -> tuple[date, date]:
    """First and last day that can part winter from summer in a year from ``begin`` to ``end``.

    Parameters
    ----------
    begin, end : of the mass-balance year.
    """
    return begin + timedelta(days=MIDSEASON_AFTER_BEGIN_DAYS), end - timedelta(days=MIDSEASON_BEFORE_END_DAYS)


def commonest(days: Sequence[date]) -> date | None:
    """The day that occurs most often; the earliest of several.

    Parameters
    ----------
    days : of visits.
    """
    if not days:
        return None
    counts = Counter(days)
    return min(counts, key=lambda day: (-counts[day], day))
