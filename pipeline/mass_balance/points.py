"""All point balances of a network: every pair of visits, each mass-balance year, and the seasons where visits allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from pipeline.mass_balance.point_balance import PointBalance, chain_balance, pit_balance, stake_balance
from pipeline.mass_balance.visits import Network, Place
from pipeline.mass_balance.years import Calendar, balance_years, commonest, midseason_campaigns
from schemas.settings import MassBalanceSettings
from schemas.tables import POINT_BALANCES


@dataclass(frozen=True)
class PointRecord:
    """The balance of one stake, pit or probing over one period."""

    point_id: str
    kind: str
    year: int
    period: str
    begin: date
    end: date
    place: Place
    balance: PointBalance
    beside: str | None = None  # the stake a pit was dug beside

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


def point_records(
    network: Network, calendar: Calendar, settings: MassBalanceSettings
) -> tuple[list[PointRecord], list[YearVisits]]:
    """Every point balance of the network, and the dates of every year."""
    records = list(_instantaneous(network, calendar, settings))
    years = []
    for year in balance_years(calendar, network.days):
        annual = list(_annual_stakes(network, calendar, year, settings))
        begin, end = _period(network, calendar, year, annual)
        if begin is not None and end is not None:
            annual += _annual_pits(network, calendar, year, begin, settings)
        midseason = None
        if begin is not None and end is not None:
            midseason, seasons = _seasons(network, calendar, year, (begin, end), settings)
            annual += seasons
        records += annual
        years.append(YearVisits(year, begin, end, midseason))
    order = {"annual": 0, "winter": 1, "summer": 2, "instantaneous": 3}
    return sorted(records, key=lambda r: (r.year, order[r.period], r.kind != "stake", r.point_id, r.begin)), years


def _instantaneous(network: Network, calendar: Calendar, settings: MassBalanceSettings) -> Iterable[PointRecord]:
    """Each reading against the one before it in its leg, however long the time between: never split."""
    for stake, visits in network.visits.items():
        found: dict[tuple[date, date], PointBalance] = {}
        for leg in sorted({visit.leg for visit in visits}):
            of_leg = [visit for visit in visits if visit.leg == leg]
            for first, second in pairwise(of_leg):
                balance = stake_balance(first, second, settings)
                period = first.day, second.day
                # legs read side by side give one value a stake and period
                beside = chain_balance(visits, *period, settings) if period in found else None
                if balance is not None:
                    found[period] = beside or balance
        for (begin, end), balance in found.items():
            year = _year_holding(calendar, end)
            spans = calendar.closing_visit([begin], year - 1) is None and begin < calendar.start(year)
            flags = (*balance.flags, "spans_several_years") if spans else balance.flags
            flagged = replace(balance, flags=flags)
            yield PointRecord(stake, "stake", year, "instantaneous", begin, end, network.stakes[stake], flagged)


def _year_holding(calendar: Calendar, day: date) -> int:
    closing = calendar.closing_year(day)
    return closing if closing is not None else day.year + (day > calendar.end(day.year))


def _annual_stakes(
    network: Network, calendar: Calendar, year: int, settings: MassBalanceSettings
) -> Iterable[PointRecord]:
    for stake, visits in network.visits.items():
        days = [visit.day for visit in visits]
        begin, end = calendar.closing_visit(days, year - 1), calendar.closing_visit(days, year)
        if begin is None or end is None:
            continue
        balance = chain_balance(visits, begin, end, settings)
        if balance is not None:
            yield PointRecord(stake, "stake", year, "annual", begin, end, network.stakes[stake], balance)


def _period(
    network: Network, calendar: Calendar, year: int, annual: Sequence[PointRecord]
) -> tuple[date | None, date | None]:
    """First and last day of the year: the commonest of the stakes, else of all visits that close a year."""
    begin, end = commonest([record.begin for record in annual]), commonest([record.end for record in annual])
    if begin is None:
        begin = commonest([day for day in network.days if calendar.closing_year(day) == year - 1])
    if end is None:
        end = commonest([day for day in network.days if calendar.closing_year(day) == year])
    return begin, end


def _annual_pits(
    network: Network, calendar: Calendar, year: int, begin: date, settings: MassBalanceSettings
) -> list[PointRecord]:
    """Pits at the year's end that reached the last summer's surface: the balance since it formed."""
    return [
        PointRecord(pit.pit_id, "pit", year, "annual", begin, pit.day, pit.place, balance, pit.stake_id)
        for pit in network.pits
        if calendar.closing_year(pit.day) == year
        and _shows_the_year(pit.floor, [layer.kind for layer in pit.layers])
        and (balance := pit_balance(pit.pit_id, pit.layers, pit.floor, settings)) is not None
    ]


def _shows_the_year(floor: str, kinds: Sequence[str]) -> bool:
    """Whether a pit at the year's end holds the whole year's balance.

    It does when it reaches the last summer's surface, and also on ice under superimposed ice of this year, which melt
    has not reached; snow straight on ice says nothing of the ice that melted before it fell.
    """
    return floor == "summer_surface" or (floor == "ice" and "superimposed_ice" in kinds)


def _seasons(
    network: Network, calendar: Calendar, year: int, period: tuple[date, date], settings: MassBalanceSettings
) -> tuple[tuple[date, date] | None, list[PointRecord]]:
    """Winter and summer balances, where one campaign inside the year gives enough winter points.

    Of several campaigns the one with the highest mean balance since the year began parts the seasons: the nearest to
    the year's maximum that was observed (stratigraphic sense of Cogley et al., 2011).
    """
    candidates = []
    for campaign in midseason_campaigns(network.days, *period):
        winter = [
            *_winter_stakes(network, calendar, year, campaign, settings),
            *_winter_pits(network, year, period[0], campaign, settings),
        ]
        values = [record.balance.balance_m_we for record in winter if record.is_value]
        if len(values) >= settings.minimum_points:
            candidates.append((float(np.mean(values)), campaign, winter))
    if not candidates:
        return None, []
    _, campaign, winter = max(candidates, key=lambda candidate: (candidate[0], candidate[1]))
    winter += _winter_probings(network, year, period[0], campaign, settings)
    return campaign, winter + list(_summer_stakes(network, calendar, year, campaign, settings))


def _winter_stakes(
    network: Network, calendar: Calendar, year: int, campaign: tuple[date, date], settings: MassBalanceSettings
) -> Iterable[PointRecord]:
    for stake, visits in network.visits.items():
        begin = calendar.closing_visit([visit.day for visit in visits], year - 1)
        middle = [visit.day for visit in visits if campaign[0] <= visit.day <= campaign[1]]
        if begin is None or not middle:
            continue
        balance = chain_balance(visits, begin, middle[-1], settings)
        if balance is not None:
            yield PointRecord(stake, "stake", year, "winter", begin, middle[-1], network.stakes[stake], balance)


def _winter_pits(
    network: Network, year: int, begin: date, campaign: tuple[date, date], settings: MassBalanceSettings
) -> Iterable[PointRecord]:
    for pit in network.pits:
        if campaign[0] <= pit.day <= campaign[1]:
            balance = pit_balance(pit.pit_id, pit.layers, pit.floor, settings)
            if balance is not None:
                yield PointRecord(pit.pit_id, "pit", year, "winter", begin, pit.day, pit.place, balance, pit.stake_id)


def _winter_probings(
    network: Network, year: int, begin: date, campaign: tuple[date, date], settings: MassBalanceSettings
) -> Iterable[PointRecord]:
    """Probed snow depths; superimposed ice under the snow is out of a probe's reach, and flagged so."""
    for probing in network.probings:
        if campaign[0] <= probing.day <= campaign[1]:
            snow = probing.density_kg_m3 * probing.snow_m / 1000
            balance = PointBalance(
                0.0,
                snow,
                0.0,
                probing.density_kg_m3 * settings.sigma_snow_depth_m / 1000,
                settings.sigma_density_relative * snow,
                0.0,
                readings=(probing.probing_id,),
                flags=(*probing.flags, "superimposed_ice_not_measured"),
            )
            yield PointRecord(probing.probing_id, "probing", year, "winter", begin, probing.day, probing.place, balance)


def _summer_stakes(
    network: Network, calendar: Calendar, year: int, campaign: tuple[date, date], settings: MassBalanceSettings
) -> Iterable[PointRecord]:
    for stake, visits in network.visits.items():
        end = calendar.closing_visit([visit.day for visit in visits], year)
        middle = [visit.day for visit in visits if campaign[0] <= visit.day <= campaign[1]]
        if end is None or not middle:
            continue
        balance = chain_balance(visits, middle[-1], end, settings)
        if balance is not None:
            yield PointRecord(stake, "stake", year, "summer", middle[-1], end, network.stakes[stake], balance)


def usable(records: Sequence[PointRecord], year: int, period: str) -> list[PointRecord]:
    """The points that enter the glacier-wide balance: values only, and no pit beside a stake that has one itself."""
    found = [record for record in records if record.year == year and record.period == period and record.is_value]
    measured = {record.point_id for record in found if record.kind == "stake"}
    return [record for record in found if record.beside is None or record.beside not in measured]


def point_table(records: Sequence[PointRecord]) -> pd.DataFrame:
    """The records in the shape of ``schemas.tables.POINT_BALANCES``, full precision."""
    rows = [
        {
            "point_id": record.point_id,
            "kind": record.kind,
            "year": record.year,
            "period": record.period,
            "begin_date": record.begin,
            "end_date": record.end,
            "easting": record.place.easting,
            "northing": record.place.northing,
            "longitude": record.place.longitude,
            "latitude": record.place.latitude,
            "elevation_m": record.place.elevation_m,
            "balance_m_we": record.balance.balance_m_we,
            "sigma_balance_m_we": record.balance.sigma_m_we,
            "bound": record.balance.bound,
            "readings": ";".join(record.balance.readings),
            "flags": ";".join(record.balance.flags) or None,
        }
        for record in records
    ]
    return pd.DataFrame(rows, columns=list(POINT_BALANCES.column_names))
