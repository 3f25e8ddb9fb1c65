"""All point balances of a network: every pair of visits, each mass-balance year, and the seasons where visits allow."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from pipeline.mass_balance.points.point_balance import (
    PointBalance,
    Visit,
    chain_balance,
    pit_balance,
    snow_balance,
    stake_balance,
)
from pipeline.mass_balance.points.time_systems import (
    Span,
    best_span,
    fixed_date_spans,
    floating_date_spans,
    nearest_first,
    stratigraphic_spans,
)
from pipeline.mass_balance.points.visits import Network, Place, Probing
from pipeline.mass_balance.points.years import Calendar, balance_years, commonest, midseason_campaigns, midseason_window
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
    may_be_used: bool = True  # False where an input says that no balance of the whole glacier rests on it
    cell: tuple[str, str] | None = None  # sheet and cells of a balance that was given as such

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

    @cached_property
    def leg_of(self) -> Mapping[str, int]:
        """The leg of each reading."""
        return {visit.key: visit.leg for visit in self.visits}

    def legs_of(self, balance: PointBalance) -> list[int]:
        """The legs that a balance rests on."""
        return [self.leg_of[key] for key in balance.readings]

    def around(self, span: Span) -> tuple[Visit, ...]:
        """The visits of a span, those around its ends included.

        Parameters
        ----------
        span : of the balance.
        """
        return self.visits[bisect_left(self.days, span.first.before) : bisect_right(self.days, span.last.after)]

    def middle(self, campaign: tuple[date, date]) -> date | None:
        """The stake's last visit within a campaign.

        Parameters
        ----------
        campaign : its first and last day.
        """
        within = self.within(campaign)
        return within[-1].day if within else None

    def within(self, campaign: tuple[date, date]) -> tuple[Visit, ...]:
        """The stake's visits within a campaign."""
        return self.visits[bisect_left(self.days, campaign[0]) : bisect_right(self.days, campaign[1])]


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
        years: dict[int, list[PointRecord]] = defaultdict(list)
        for record in self.records:
            years[record.year].append(record)
        return years


def point_balances(network: Network, calendar: Calendar, settings: MassBalanceSettings) -> PointBalances:
    """Every point balance of the network in every time system that its visits allow.

    Parameters
    ----------
    network : stakes, pits and probings with their visits.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    survey = StakeSurvey(network, calendar, settings)
    records = list(survey.instantaneous())
    others: list[PointRecord] = []
    years = []
    for year in balance_years(calendar, network.days):
        visits, own, besides = survey.year(year)
        records += own
        others += besides
        years.append(visits)
    return PointBalances(
        tuple(sorted(records, key=record_order)), tuple(sorted(others, key=record_order)), tuple(years)
    )


def annual_records(network: Network, calendar: Calendar, settings: MassBalanceSettings) -> list[PointRecord]:
    """The annual balances alone, in the settings' time system: what a Monte Carlo run needs of the fieldwork.

    Parameters
    ----------
    network : stakes, pits and probings with their visits.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    survey = StakeSurvey(network, calendar, settings)
    return [record for year in balance_years(calendar, network.days) for record in survey.annual(year)]


def record_order(record: PointRecord) -> tuple[int, int, bool, str, date, str]:
    """By year, period, kind and name.

    Parameters
    ----------
    record : a point balance.
    """
    return (
        record.year,
        _ORDER[record.period],
        record.kind != "stake",
        record.point_id,
        record.begin,
        record.system,
    )


class StakeSurvey:
    """A network with the calendar and settings that every step of it needs."""

    def __init__(self, network: Network, calendar: Calendar, settings: MassBalanceSettings) -> None:
        self.network, self.calendar, self.settings = network, calendar, settings
        self.histories = [
            StakeHistory(stake, visits, [visit.day for visit in visits]) for stake, visits in network.visits.items()
        ]

    def year(self, year: int) -> tuple[YearVisits, list[PointRecord], list[PointRecord]]:
        """One year: its dates, its points in the settings' time system, and in the others."""
        spans = {name: list(self._spans(name, year)) for name in _SPANS}
        own = spans[self.settings.time_system]
        annual, period = self._annual_points(year, own)
        midseason, seasons = self._seasons(year, self._nominal(year, period), own)
        others: list[PointRecord] = []
        for name in _SPANS:
            if name != self.settings.time_system:
                others += self._other_system(name, spans[name], year, midseason)
        return YearVisits(year, *period, midseason), annual + seasons, others

    def annual(self, year: int) -> list[PointRecord]:
        """The annual balances of one year in the settings' time system."""
        return self._annual_points(year, list(self._spans(self.settings.time_system, year)))[0]

    def _annual_points(
        self, year: int, spans: Sequence[tuple[StakeHistory, Span]]
    ) -> tuple[list[PointRecord], tuple[date | None, date | None]]:
        """The annual balances of stakes, pits and probings, and the first and last day of the year."""
        of_stakes = [self._annual(history, span, year, self.settings.time_system) for history, span in spans]
        records = [record for record in of_stakes if record is not None]
        period = self._period(year, records)
        nominal = self._nominal(year, period)
        drilled = {record.point_id: record for record in self._drilled_in_spring(year, nominal, records)}
        records = [record for record in records if record.point_id not in drilled]  # a value goes before a bound
        records += drilled.values()
        return records + self._annual_pits(year, nominal[0]) + self._annual_probings(year, nominal[0]), period

    def _nominal(self, year: int, period: tuple[date | None, date | None]) -> tuple[date, date]:
        """The first and last day of a year: as visited, else as the calendar has it."""
        return period[0] or self.calendar.start(year), period[1] or self.calendar.end(year)

    def _drilled_in_spring(
        self, year: int, period: tuple[date, date], known: Sequence[PointRecord]
    ) -> Iterator[PointRecord]:
        """Annual balances of stakes without one: snow on the last summer's surface in spring, and the summer's balance.

        Of several visits in spring the latest from which a chain of readings closes the year counts.
        """
        with_value = {record.point_id for record in known if record.is_value}
        window = midseason_window(*period)
        for history in self.histories:
            if history.stake in with_value:
                continue
            for spring in reversed(history.within(window)):
                winter = snow_balance(spring, self.settings)
                summer = self._closing(history, spring.day, year)
                if winter is not None and summer is not None and summer[1].bound == "=":
                    balance = winter + summer[1]
                    record = self.record(history, summer[0], year, ("annual", "COM"), balance)
                    yield replace(record, begin=period[0])
                    break

    def _closing(self, history: StakeHistory, begin: date, year: int) -> tuple[Span, PointBalance] | None:
        """The best chain of readings of a stake from a day to the end of a year."""
        ends = nearest_first(self.calendar.closing_visits(history.days, year), self.calendar.end(year))
        spans = [Span.between(begin, end) for end in ends if end > begin]
        return best_span(history.visits, spans, self.settings)

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
        return None if balance is None else self.record(history, span, year, what, balance)

    def record(
        self,
        history: StakeHistory,
        span: Span,
        year: int,
        what: tuple[str, str],
        balance: PointBalance,
    ) -> PointRecord:
        """A stake's balance over a span with the stake's place then; ``what`` is period and time system.

        Parameters
        ----------
        history : of the stake.
        span : of the balance.
        year : of the mass balance.
        what : period and time system.
        balance : over the span.
        """
        place, moved_m = self.network.place_over(history.stake, span.begin, span.end, history.legs_of(balance))
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
            balances: dict[tuple[date, date], PointBalance] = {}
            for first, second in pairs_of_visits(history.visits):
                balance = stake_balance(first, second, self.settings)
                period = first.day, second.day
                # legs read side by side give one value a stake and period
                beside = chain_balance(history.visits, *period, self.settings) if period in balances else None
                if balance is not None:
                    balances[period] = beside or balance
            for (begin, end), balance in balances.items():
                year = _year_holding(self.calendar, end)
                spans = self.calendar.closing_visit([begin], year - 1) is None and begin < self.calendar.start(year)
                flags = (*balance.flags, "spans_several_years") if spans else balance.flags
                place, moved_m = self.network.place_over(history.stake, begin, end, history.legs_of(balance))
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

    def _annual_probings(self, year: int, begin: date) -> list[PointRecord]:
        """Snow probed at the year's end lies on the last summer's surface: accumulation. None says nothing."""
        return [
            self._probed(probing, year, ("annual", begin))
            for probing in self.network.probings
            if self.calendar.closing_year(probing.day) == year and probing.snow_m > 0
        ]

    def _probed(self, probing: Probing, year: int, what: tuple[str, date]) -> PointRecord:
        """A probed snow depth as a balance; ``what`` is the period and its first day.

        Superimposed ice under the snow is out of a probe's reach, and flagged so.
        """
        settings = self.settings
        snow = probing.density_kg_m3 * probing.snow_m / 1000
        sigma = settings.sigma_density_relative if probing.sigma_relative is None else probing.sigma_relative
        balance = PointBalance(
            ice_m_we=0.0,
            snow_m_we=snow,
            superimposed_m_we=0.0,
            sigma_random_m_we=probing.density_kg_m3 * settings.sigma_snow_depth_m / 1000,
            shared_snow_m_we=sigma * snow,
            shared_ice_m_we=0.0,
            readings=(probing.probing_id,),
            flags=(*probing.flags, "superimposed_ice_not_measured"),
        )
        return PointRecord(
            point_id=probing.probing_id,
            kind="probing",
            year=year,
            period=what[0],
            begin=what[1],
            end=probing.day,
            place=probing.place,
            balance=balance,
            system="FLO" if settings.time_system == "FLO" else "COM",
        )

    def _seasons(
        self, year: int, period: tuple[date, date], spans: Sequence[tuple[StakeHistory, Span]]
    ) -> tuple[tuple[date, date] | None, list[PointRecord]]:
        """Winter and summer balances, where one campaign inside the year gives enough points of either.

        Of several campaigns the one with the highest mean balance since the year began parts the seasons: the nearest
        to the year's maximum that was observed (stratigraphic sense of Cogley et al., 2011). Where nobody measured the
        winter, it is the one after which the stakes lost most.
        """
        if not self.settings.seasons:
            return None, []
        of_stakes = {history.stake: span for history, span in spans}
        days = self.network.days
        within = days[bisect_left(days, period[0]) : bisect_right(days, period[1])]
        campaigns = midseason_campaigns(within, *period)
        winters = [self._winter(year, period[0], of_stakes, campaign) for campaign in campaigns]
        judged = [(mean, campaign) for campaign, (mean, _) in zip(campaigns, winters, strict=True) if mean is not None]
        if judged:
            campaign = max(judged)[1]
            winter = winters[campaigns.index(campaign)][1]
            return campaign, winter + self._summer_stakes(year, campaign, of_stakes)
        summers = [self._summer_stakes(year, campaign, of_stakes) for campaign in campaigns]
        lost = [(mean, number) for number, one in enumerate(summers) if (mean := self._mean_of(one)) is not None]
        return (campaigns[min(lost)[1]], summers[min(lost)[1]]) if lost else (None, [])

    def _winter(
        self, year: int, begin: date, spans: Mapping[str, Span], campaign: tuple[date, date]
    ) -> tuple[float | None, list[PointRecord]]:
        """The winter balances of a campaign, and their mean: of stakes and pits where they are enough, else of all."""
        dug = [*self._winter_stakes(spans, year, begin, campaign), *self._winter_pits(year, begin, campaign)]
        probed = [
            self._probed(probing, year, ("winter", begin))
            for probing in self.network.probings
            if campaign[0] <= probing.day <= campaign[1]
        ]
        mean = self._mean_of(dug)
        return mean if mean is not None else self._mean_of([*dug, *probed]), [*dug, *probed]

    def _mean_of(self, records: Sequence[PointRecord]) -> float | None:
        """The mean balance of the values among some records; None with too few."""
        values = [record.balance.balance_m_we for record in records if record.is_value]
        return float(np.mean(values)) if len(values) >= self.settings.minimum_points else None

    def winter_to(self, year: int, begin: date, campaign: tuple[date, date]) -> list[PointRecord]:
        """The balances from the opening of a year to a campaign within it.

        Parameters
        ----------
        year : of the mass balance.
        begin : its first day.
        campaign : first and last day.
        """
        spans = {history.stake: span for history, span in self._spans(self.settings.time_system, year)}
        return self._winter(year, begin, spans, campaign)[1]

    def _winter_stakes(
        self, spans: Mapping[str, Span], year: int, begin: date, campaign: tuple[date, date]
    ) -> Iterable[PointRecord]:
        """Stakes from the year's opening to the campaign; of those without a chain, the snow on the summer surface."""
        system = self.settings.time_system
        for history in self.histories:
            visits = history.within(campaign)
            if not visits:
                continue
            chain = self._winter_chain(history, spans.get(history.stake), year, [visit.day for visit in visits])
            if chain is not None and chain[1].bound == "=":
                yield self.record(history, chain[0], year, ("winter", system), chain[1])
                continue
            snow = next((one for visit in reversed(visits) if (one := snow_balance(visit, self.settings))), None)
            if snow is not None:
                last = next(visit for visit in visits if visit.key == snow.readings[0])
                record = self.record(history, Span.between(begin, last.day), year, ("winter", system), snow)
                yield replace(record, system="COM")
            elif chain is not None:
                yield self.record(history, chain[0], year, ("winter", system), chain[1])

    def _winter_chain(
        self, history: StakeHistory, span: Span | None, year: int, middles: Sequence[date]
    ) -> tuple[Span, PointBalance] | None:
        """The best chain of readings from a stake's opening of the year to a visit in spring, the last one first.

        The opening of the annual balance goes first, so that the seasons add up to the year.
        """
        firsts = [span] if span is not None else []
        if self.settings.time_system == "FLO":
            openings = nearest_first(self.calendar.closing_visits(history.days, year - 1), self.calendar.start(year))
            firsts += [Span.between(begin, history.days[-1]) for begin in openings]
        spans = [part for middle in reversed(middles) for first in firsts if (part := first.until(middle)) is not None]
        return best_span(history.visits, [part for part in spans if part.begin < part.end], self.settings)

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

    def _summer_stakes(self, year: int, campaign: tuple[date, date], spans: Mapping[str, Span]) -> list[PointRecord]:
        """Stakes from the campaign to the year's end: from its last visit that a chain of readings joins to that."""
        system, records = self.settings.time_system, []
        for history in self.histories:
            known = [
                own
                for visit in reversed(history.within(campaign))
                if (own := self._summer_chain(history, visit.day, year, spans.get(history.stake))) is not None
            ]
            best = next((one for one in known if one[1].bound == "="), known[0] if known else None)
            if best is not None:
                records.append(self.record(history, best[0], year, ("summer", system), best[1]))
        return records

    def _summer_chain(
        self, history: StakeHistory, begin: date, year: int, span: Span | None
    ) -> tuple[Span, PointBalance] | None:
        """The best chain of readings of a stake from a visit in spring to the year's end; ``span`` is its year."""
        if self.settings.time_system == "FLO":
            return self._closing(history, begin, year)
        part = span.since(begin) if span is not None else None
        return best_span(history.visits, [part], self.settings) if part is not None else None


def pairs_of_visits(visits: Sequence[Visit]) -> Iterable[tuple[Visit, Visit]]:
    """Each visit of a leg with the last one before it at which the stake could be read.

    Parameters
    ----------
    visits : of one stake, in order of time.
    """
    read: dict[int, Visit] = {}
    by_leg = sorted(visits, key=lambda visit: (visit.leg, visit.day))
    for visit in by_leg:
        if visit.leg in read:
            yield read[visit.leg], visit
        if visit.exposed_m is not None:
            read[visit.leg] = visit


def _year_holding(calendar: Calendar, day: date) -> int:
    closing = calendar.closing_year(day)
    return closing if closing is not None else calendar.year_of(day)


def _shows_the_year(floor: str, kinds: Sequence[str]) -> bool:
    """Whether a pit at the year's end holds the whole year's balance.

    It does when it (or a probe below it) reaches the last summer's surface, and also on ice under superimposed ice of
    this year, which melt has not reached; snow straight on ice says nothing of the ice that melted before it fell.
    """
    return floor in ("summer_surface", "not_reached") or (floor == "ice" and "superimposed_ice" in kinds)


def usable(records: Iterable[PointRecord], year: int, period: str) -> list[PointRecord]:
    """The points that enter the glacier-wide balance: values only, and no pit beside a stake that has one itself.

    A point of unknown elevation has no place in it.

    Parameters
    ----------
    records : point balances of all periods.
    year : of the mass balance.
    period : "annual", "winter" or "summer".
    """
    values = [
        record
        for record in records
        if record.year == year
        and record.period == period
        and record.is_value
        and record.may_be_used
        and math.isfinite(record.place.elevation_m)
    ]
    measured = {record.point_id for record in values if record.kind == "stake"}
    return [record for record in values if record.beside is None or record.beside not in measured]


def point_table(records: Sequence[PointRecord], used: Collection[int] = ()) -> pd.DataFrame:
    """The records in the shape of ``schemas.tables.POINT_BALANCES``, full precision.

    Parameters
    ----------
    records : in order.
    used : ``id`` of the records that entered a balance of the whole glacier.
    """
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
            id(record) in used,
            *(record.cell or (None, None)),
        )
        for record in records
    ]
    return pd.DataFrame(rows, columns=list(POINT_BALANCES.column_names))
