"""All point balances of a network: every pair of visits, each mass-balance year, and the seasons where visits allow."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from pipeline.mass_balance.points.point_balance import PointBalance, Visit, chain_balance, pit_balance, stake_balance
from pipeline.mass_balance.points.time_systems import Span, fixed_date_spans, floating_date_spans, stratigraphic_spans
from pipeline.mass_balance.points.visits import Network, Place
from pipeline.mass_balance.points.years import Calendar, balance_years, commonest, midseason_campaigns
from schemas.settings import MassBalanceSettings
from schemas.tables import POINT_BALANCES

# a stake carried further than this over one period stands for another place: flagged
MOVED_M = 100.0
_ORDER = {"annual": 0, "winter": 1, "summer": 2, "instantaneous": 3}
_SPANS = {"FLO": floating_date_spans, "FXD": fixed_date_spans, "STR": stratigraphic_spans}


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRecord:
    """The balance of one stake, pit or probing over one period, in one time system."""

    point_id: str
    kind: str
    year: int
    period: str
    begin: date
    end: date
    place: Place
    balance: PointBalance
    beside: str | None = None  # the stake a pit was dug beside
    system: str = "FLO"

    @property
    def is_value(self) -> bool:
        """Whether it is a value, not a bound."""
        return self.balance.bound == "="


@dataclass(frozen=True)
class YearVisits:
    """When the points of a year were visited: commonest first and last day, and the campaign that parts the seasons."""

    year: int
    begin: date | None
    end: date | None
    midseason: tuple[date, date] | None


@dataclass(frozen=True)
class StakeHistory:
    """The visits of one stake and their days, both in order of time."""

    stake: str
    visits: tuple[Visit, ...]
    days: list[date]

    def around(self, span: Span) -> tuple[Visit, ...]:
        """The visits of a span, those around its ends included."""
        return self.visits[bisect_left(self.days, span.first.before) : bisect_right(self.days, span.last.after)]

    def middle(self, campaign: tuple[date, date]) -> date | None:
        """The stake's last visit within a campaign."""
        first, last = bisect_left(self.days, campaign[0]), bisect_right(self.days, campaign[1])
        return self.days[last - 1] if last > first else None


@dataclass(frozen=True)
class PointBalances:
    """Every point balance of a network.

    Attributes
    ----------
    records : by year, period, kind and name, in the settings' time system.
    others : the same points in the other time systems, where the visits allow.
    years : the dates of every year.
    """

    records: tuple[PointRecord, ...]
    others: tuple[PointRecord, ...]
    years: tuple[YearVisits, ...]

    def by_year(self) -> Mapping[int, list[PointRecord]]:
        """The records of each year."""
        found: dict[int, list[PointRecord]] = defaultdict(list)
        for record in self.records:
            found[record.year].append(record)
        return found


def point_balances(network: Network, calendar: Calendar, settings: MassBalanceSettings) -> PointBalances:
    """Every point balance of the network in every time system that its visits allow."""
    survey = _Survey(network, calendar, settings)
    records = list(survey.instantaneous())
    others: list[PointRecord] = []
    years = []
    for year in balance_years(calendar, network.days):
        visits, own, besides = survey.year(year)
        records += own
        others += besides
        years.append(visits)
    return PointBalances(tuple(sorted(records, key=_key)), tuple(sorted(others, key=_key)), tuple(years))


def annual_records(network: Network, calendar: Calendar, settings: MassBalanceSettings) -> list[PointRecord]:
    """The annual balances alone, in the settings' time system: what a Monte Carlo run needs of the fieldwork."""
    survey = _Survey(network, calendar, settings)
    return [record for year in balance_years(calendar, network.days) for record in survey.annual(year)]


def _key(record: PointRecord) -> tuple[int, int, bool, str, date, str]:
    return (
        record.year,
        _ORDER[record.period],
        record.kind != "stake",
        record.point_id,
        record.begin,
        record.system,
    )


class _Survey:
    """A network with the calendar and settings that every step of it needs."""

    def __init__(self, network: Network, calendar: Calendar, settings: MassBalanceSettings) -> None:
        self.network, self.calendar, self.settings = network, calendar, settings
        self.histories = [
            StakeHistory(stake, visits, [visit.day for visit in visits]) for stake, visits in network.visits.items()
        ]

    def year(self, year: int) -> tuple[YearVisits, list[PointRecord], list[PointRecord]]:
        """One year: its dates, its points in the settings' time system, and in the others."""
        system = self.settings.time_system
        spans = {name: list(self._spans(name, year)) for name in _SPANS}
        annual = [self._annual(history, span, year, system) for history, span in spans[system]]
        begin, end = self._period(year, [record for record in annual if record is not None])
        records = [record for record in annual if record is not None]
        midseason = None
        if begin is not None and end is not None:
            records += self._annual_pits(year, begin)
            midseason, seasons = self._seasons(year, (begin, end), spans[system])
            records += seasons
        others: list[PointRecord] = []
        for name in _SPANS:
            if name != system:
                others += self._other_system(name, spans[name], year, midseason)
        return YearVisits(year, begin, end, midseason), records, others

    def annual(self, year: int) -> list[PointRecord]:
        """The annual balances of one year in the settings' time system."""
        system = self.settings.time_system
        annual = [self._annual(history, span, year, system) for history, span in self._spans(system, year)]
        records = [record for record in annual if record is not None]
        begin, end = self._period(year, records)
        return records + (self._annual_pits(year, begin) if begin is not None and end is not None else [])

    def _spans(self, system: str, year: int) -> Iterable[tuple[StakeHistory, Span]]:
        for history in self.histories:
            span = _SPANS[system](history.visits, history.days, year, self.calendar, self.settings)
            if span is not None:
                yield history, span

    def _other_system(
        self,
        system: str,
        spans: Sequence[tuple[StakeHistory, Span]],
        year: int,
        midseason: tuple[date, date] | None,
    ) -> Iterator[PointRecord]:
        """Annual, winter and summer balances of the stakes in another time system."""
        for history, span in spans:
            annual = self._annual(history, span, year, system)
            if annual is not None:
                yield annual
            middle = history.middle(midseason) if midseason is not None else None
            if middle is not None:
                parts = ("winter", span.until(middle)), ("summer", span.since(middle))
                for period, part in parts:
                    record = self._stake(history, part, year, (period, system))
                    if record is not None:
                        yield record

    def _annual(self, history: StakeHistory, span: Span, year: int, system: str) -> PointRecord | None:
        return self._stake(history, span, year, ("annual", system))

    def _stake(self, history: StakeHistory, span: Span | None, year: int, what: tuple[str, str]) -> PointRecord | None:
        """The record of a stake over a span; ``what`` is period and time system."""
        if span is None:
            return None
        balance = span.balance(history.around(span), self.settings)
        if balance is None:
            return None
        place, moved_m = self.network.place_over(history.stake, span.begin, span.end)
        if moved_m > MOVED_M:
            balance = replace(balance, flags=(*balance.flags, f"moved:{moved_m:.0f}m"))
        return PointRecord(
            point_id=history.stake,
            kind="stake",
            year=year,
            period=what[0],
            begin=span.begin,
            end=span.end,
            place=place,
            balance=balance,
            system=what[1],
        )

    def instantaneous(self) -> Iterable[PointRecord]:
        """Each reading against the last one before it in its leg, however long the time between: never split."""
        for history in self.histories:
            found: dict[tuple[date, date], PointBalance] = {}
            for first, second in pairs_of_visits(history.visits):
                balance = stake_balance(first, second, self.settings)
                period = first.day, second.day
                # legs read side by side give one value a stake and period
                beside = chain_balance(history.visits, *period, self.settings) if period in found else None
                if balance is not None:
                    found[period] = beside or balance
            for (begin, end), balance in found.items():
                year = _year_holding(self.calendar, end)
                spans = self.calendar.closing_visit([begin], year - 1) is None and begin < self.calendar.start(year)
                flags = (*balance.flags, "spans_several_years") if spans else balance.flags
                place, moved_m = self.network.place_over(history.stake, begin, end)
                if moved_m > MOVED_M:
                    flags = (*flags, f"moved:{moved_m:.0f}m")
                flagged = replace(balance, flags=flags)
                yield PointRecord(
                    point_id=history.stake,
                    kind="stake",
                    year=year,
                    period="instantaneous",
                    begin=begin,
                    end=end,
                    place=place,
                    balance=flagged,
                    system="OTH",
                )

    def _period(self, year: int, annual: Sequence[PointRecord]) -> tuple[date | None, date | None]:
        """First and last day of the year: the commonest of the stakes, else of all visits that close a year."""
        begin, end = commonest([record.begin for record in annual]), commonest([record.end for record in annual])
        if begin is None:
            begin = commonest(self.calendar.closing_visits(self.network.days, year - 1))
        if end is None:
            end = commonest(self.calendar.closing_visits(self.network.days, year))
        return begin, end

    def _annual_pits(self, year: int, begin: date) -> list[PointRecord]:
        """Pits at the year's end that reached the last summer's surface: the balance since it formed."""
        system = "FLO" if self.settings.time_system == "FLO" else "COM"
        return [
            PointRecord(
                point_id=pit.pit_id,
                kind="pit",
                year=year,
                period="annual",
                begin=begin,
                end=pit.day,
                place=pit.place,
                balance=balance,
                beside=pit.stake_id,
                system=system,
            )
            for pit in self.network.pits
            if self.calendar.closing_year(pit.day) == year
            and _shows_the_year(pit.floor, [layer.kind for layer in pit.layers])
            and (balance := pit_balance(pit.pit_id, pit.layers, pit.floor, self.settings, pit.probed_m)) is not None
        ]

    def _seasons(
        self, year: int, period: tuple[date, date], spans: Sequence[tuple[StakeHistory, Span]]
    ) -> tuple[tuple[date, date] | None, list[PointRecord]]:
        """Winter and summer balances, where one campaign inside the year gives enough winter points.

        Of several campaigns the one with the highest mean balance since the year began parts the seasons: the nearest
        to the year's maximum that was observed (stratigraphic sense of Cogley et al., 2011).
        """
        candidates = []
        opened = self._openings(year, spans)
        days = self.network.days
        within = days[bisect_left(days, period[0]) : bisect_right(days, period[1])]
        for campaign in midseason_campaigns(within, *period):
            winter = [*self._winter_stakes(opened, year, campaign), *self._winter_pits(year, period[0], campaign)]
            values = [record.balance.balance_m_we for record in winter if record.is_value]
            if len(values) >= self.settings.minimum_points:
                candidates.append((float(np.mean(values)), campaign, winter))
        if not candidates:
            return None, []
        _, campaign, winter = max(candidates, key=lambda candidate: (candidate[0], candidate[1]))
        winter += self._winter_probings(year, period[0], campaign)
        return campaign, winter + list(self._summer_stakes(year, campaign, dict(opened)))

    def _openings(self, year: int, spans: Sequence[tuple[StakeHistory, Span]]) -> list[tuple[str, Span]]:
        """The span of each stake from its opening of the year on; in the floating-date system an opening suffices."""
        known = {history.stake: span for history, span in spans}
        found = []
        for history in self.histories:
            span = known.get(history.stake)
            if span is None and self.settings.time_system == "FLO":
                begin = self.calendar.closing_visit(history.days, year - 1)
                span = Span.between(begin, history.days[-1]) if begin is not None else None
            if span is not None:
                found.append((history.stake, span))
        return found

    def _winter_stakes(
        self, opened: Sequence[tuple[str, Span]], year: int, campaign: tuple[date, date]
    ) -> Iterable[PointRecord]:
        spans = dict(opened)
        for history in self.histories:
            middle = history.middle(campaign)
            if middle is not None and history.stake in spans:
                record = self._stake(
                    history, spans[history.stake].until(middle), year, ("winter", self.settings.time_system)
                )
                if record is not None:
                    yield record

    def _winter_pits(self, year: int, begin: date, campaign: tuple[date, date]) -> Iterable[PointRecord]:
        system = "FLO" if self.settings.time_system == "FLO" else "COM"
        for pit in self.network.pits:
            if campaign[0] <= pit.day <= campaign[1]:
                balance = pit_balance(pit.pit_id, pit.layers, pit.floor, self.settings, pit.probed_m)
                if balance is not None:
                    yield PointRecord(
                        point_id=pit.pit_id,
                        kind="pit",
                        year=year,
                        period="winter",
                        begin=begin,
                        end=pit.day,
                        place=pit.place,
                        balance=balance,
                        beside=pit.stake_id,
                        system=system,
                    )

    def _winter_probings(self, year: int, begin: date, campaign: tuple[date, date]) -> Iterable[PointRecord]:
        """Probed snow depths; superimposed ice under the snow is out of a probe's reach, and flagged so."""
        settings = self.settings
        system = "FLO" if settings.time_system == "FLO" else "COM"
        for probing in self.network.probings:
            if campaign[0] <= probing.day <= campaign[1]:
                snow = probing.density_kg_m3 * probing.snow_m / 1000
                balance = PointBalance(
                    ice_m_we=0.0,
                    snow_m_we=snow,
                    superimposed_m_we=0.0,
                    sigma_random_m_we=probing.density_kg_m3 * settings.sigma_snow_depth_m / 1000,
                    shared_snow_m_we=settings.sigma_density_relative * snow,
                    shared_ice_m_we=0.0,
                    readings=(probing.probing_id,),
                    flags=(*probing.flags, "superimposed_ice_not_measured"),
                )
                yield PointRecord(
                    point_id=probing.probing_id,
                    kind="probing",
                    year=year,
                    period="winter",
                    begin=begin,
                    end=probing.day,
                    place=probing.place,
                    balance=balance,
                    system=system,
                )

    def _summer_stakes(
        self, year: int, campaign: tuple[date, date], spans: Mapping[str, Span]
    ) -> Iterable[PointRecord]:
        for history in self.histories:
            middle = history.middle(campaign)
            if middle is None:
                continue
            span: Span | None = None
            if self.settings.time_system == "FLO":
                end = self.calendar.closing_visit(history.days, year)
                span = Span.between(middle, end) if end is not None else None
            elif history.stake in spans:
                span = spans[history.stake].since(middle)
            record = self._stake(history, span, year, ("summer", self.settings.time_system))
            if record is not None:
                yield record


def pairs_of_visits(visits: Sequence[Visit]) -> Iterable[tuple[Visit, Visit]]:
    """Each visit of a leg with the last one before it at which the stake could be read."""
    read: dict[int, Visit] = {}
    by_leg = sorted(visits, key=lambda visit: (visit.leg, visit.day))
    for visit in by_leg:
        if visit.leg in read:
            yield read[visit.leg], visit
        if visit.exposed_m is not None:
            read[visit.leg] = visit


def _year_holding(calendar: Calendar, day: date) -> int:
    closing = calendar.closing_year(day)
    return closing if closing is not None else day.year + (day > calendar.end(day.year))


def _shows_the_year(floor: str, kinds: Sequence[str]) -> bool:
    """Whether a pit at the year's end holds the whole year's balance.

    It does when it (or a probe below it) reaches the last summer's surface, and also on ice under superimposed ice of
    this year, which melt has not reached; snow straight on ice says nothing of the ice that melted before it fell.
    """
    return floor in ("summer_surface", "not_reached") or (floor == "ice" and "superimposed_ice" in kinds)


def usable(records: Iterable[PointRecord], year: int, period: str) -> list[PointRecord]:
    """The points that enter the glacier-wide balance: values only, and no pit beside a stake that has one itself."""
    found = [record for record in records if record.year == year and record.period == period and record.is_value]
    measured = {record.point_id for record in found if record.kind == "stake"}
    return [record for record in found if record.beside is None or record.beside not in measured]


def point_table(records: Sequence[PointRecord]) -> pd.DataFrame:
    """The records in the shape of ``schemas.tables.POINT_BALANCES``, full precision."""
    rows = [
        (
            record.point_id,
            record.kind,
            record.year,
            record.period,
            record.begin,
            record.end,
            record.place.easting,
            record.place.northing,
            record.place.longitude,
            record.place.latitude,
            record.place.elevation_m,
            record.balance.balance_m_we,
            record.balance.sigma_m_we,
            record.balance.bound,
            ";".join(record.balance.readings),
            ";".join(record.balance.flags) or None,
            record.system,
            record.balance.snow_m_we,
            record.balance.firn_m_we,
            record.balance.ice_m_we,
            record.balance.superimposed_m_we,
        )
        for record in records
    ]
    return pd.DataFrame(rows, columns=list(POINT_BALANCES.column_names))
