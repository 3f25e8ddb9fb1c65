"""What a user of the balances should know: what was assumed, left out, or looks wrong. A flag changes no number."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from pipeline.mass_balance.fieldwork import FieldData, dates_out_of_order, densities_out_of_class
from pipeline.mass_balance.glacier_wide import PLAUSIBLE_GRADIENT, GlacierWide, Ground, YearPlan, gradient_is_unknown
from pipeline.mass_balance.ground import GlacierSurface, band_flags
from pipeline.mass_balance.points import (
    Calendar,
    Network,
    PointBalance,
    PointRecord,
    Visit,
    pairs_of_visits,
    stake_balance,
)
from pipeline.mass_balance.result import BalanceYear
from schemas.flags import MEANINGS, raised
from schemas.messages import Message
from schemas.settings import MassBalanceSettings
from schemas.tables import QUALITY_FLAGS

# a stake whose stated elevation is this far from the DEM's is misplaced, or its DEM is
ELEVATION_DISAGREEMENT_M = 50.0
# stakes closer than this share a position
SAME_POSITION_M = 1.0
# a point this many standard deviations from what the others predict does not fit its elevation and place
UNLIKE_LIMIT = 3.5
# annual, winter and summer balance rounded to 1 cm w.e. close within this
CLOSURE_M_WE = 0.0151
# and, at a stake, within this many standard deviations of its readings
CLOSURE_LIMIT = 2.0
# a share of the area, or of the variance, that nobody measured and a user must know of
MUCH_UNMEASURED = 0.25
# further apart in one step than any stake travels with the ice
JUMP_M = 200.0


@dataclass(frozen=True)
class Flag:
    """A flag: what it is raised on, which year (or None), its name and its detail."""

    subject: str
    name: str
    detail: str = ""
    year: int | None = None


def flags_of_year(
    plan: YearPlan, wide: GlacierWide | None, ground: Ground, settings: MassBalanceSettings
) -> tuple[str, ...]:
    """What a user of the year must know, each as ``name`` or ``name:detail``.

    Parameters
    ----------
    plan : the year's points and visits.
    wide : its glacier-wide balance; None where there is none.
    ground : surfaces and areas.
    settings : of the mass balance.
    """
    flags = [*_lacking(plan, ground, settings)]
    if wide is not None:
        flags += _of_distribution(plan, wide, settings)
        if wide.field is None and ground.surveys:
            flags.append("field_needs_three_points")
    flags += _shared_positions(plan.annual)
    surface = ground.surface(plan.year)
    if surface is not None:
        for record in plan.annual:
            flags.extend(_position_flags(record, surface))
    flags += _season_closure(plan.records)
    return tuple(flags)


def _lacking(plan: YearPlan, ground: Ground, settings: MassBalanceSettings) -> list[str]:
    """Points left out as bounds, and why there is no glacier-wide value."""
    year = plan.year
    annual = [record for record in plan.records if record.period == "annual"]
    flags = [f"bound_not_used:{record.point_id}" for record in annual if not record.is_value]
    flags += [f"surface_rise:{record.point_id}" for record in annual if "surface_rise" in record.balance.flags]
    lost = {record.point_id for record in plan.records if not math.isfinite(record.place.elevation_m)}
    flags += [f"elevation_unknown:{point}" for point in sorted(lost)]
    if plan.nearest_visit_days is not None and not plan.winter and not plan.summer:
        flags.append(raised("visits_far_from_year_start", Message("{days} days", days=plan.nearest_visit_days)))
    elif plan.visits.begin is None and plan.visits.end is None:
        flags.append("no_visit")
    elif plan.visits.begin is None:
        flags.append("no_visit_at_start")
    elif plan.visits.end is None:
        flags.append("no_visit_at_end")
    if len(plan.annual) + len(plan.filled) < settings.minimum_points:
        flags.append(f"too_few_points:{len(plan.annual)}")
    if plan.filled:
        flags.append(f"filled_stakes:{len(plan.filled)}")
    survey = ground.survey(year)
    if survey is None:
        flags.append("no_map")
    elif survey.year not in (None, year):
        flags.append(f"outline_of:{survey.year}")
    hypsometry = ground.hypsometry(year)
    if hypsometry is None:
        flags.append("no_area_altitude_distribution")
    else:
        flags += band_flags(hypsometry)
        if hypsometry.year is not None and hypsometry.year != year:
            flags.append(f"hypsometry_of:{hypsometry.year}")
        points = plan.annual_points(settings)
        if points is not None:
            own = points.all
            if gradient_is_unknown(hypsometry, own.elevation_m, own.balance_m_we):
                flags.append("gradient_unknown")
    return flags


def _of_distribution(plan: YearPlan, wide: GlacierWide, settings: MassBalanceSettings) -> list[str]:
    """How the points are spread over the glacier, and which of them do not fit."""
    flags = []
    count = len(plan.annual) + len(plan.filled)
    if count == 1:
        flags.append("one_point_only")
    elif sum(number > 0 for number in wide.zones.counts) == 1:
        flags.append("all_points_in_one_band")
    balances = [record.balance.balance_m_we for record in plan.annual] + [one.balance_m_we for one in plan.filled]
    if wide.aar < 1 and min(balances) >= 0:
        flags.append("no_point_in_ablation_area")
    if wide.aar > 0 and max(balances) < 0:
        flags.append("no_point_in_accumulation_area")
    if wide.unmeasured_area_share > MUCH_UNMEASURED:
        flags.append(f"unmeasured_area:{wide.unmeasured_area_share:.0%}")
    if wide.unmeasured_error_share > MUCH_UNMEASURED:
        flags.append(f"unmeasured_error:{wide.unmeasured_error_share:.0%}")
    if wide.line.crossings > 1:
        flags.append("several_equilibrium_lines")
    low, high = PLAUSIBLE_GRADIENT
    if count >= 3 and not low <= wide.gradient_m_we_per_100m <= high:
        flags.append(f"implausible_gradient:{wide.gradient_m_we_per_100m:.2f}")
    if wide.left_out.standardised.size == len(plan.annual):
        for record, error in zip(plan.annual, wide.left_out.standardised, strict=True):
            if abs(error) > UNLIKE_LIMIT:
                flags.append(f"unlike_its_elevation:{record.point_id} ({error:+.1f})")
    return flags


def _shared_positions(records: Sequence[PointRecord]) -> list[str]:
    stakes = [record for record in records if record.kind == "stake"]
    if len(stakes) < 2:
        return []
    positions = np.array([(record.place.easting, record.place.northing) for record in stakes])
    pairs = sorted(cKDTree(positions).query_pairs(SAME_POSITION_M))
    return [f"one_position:{stakes[first].point_id}+{stakes[second].point_id}" for first, second in pairs]


def _position_flags(record: PointRecord, surface: GlacierSurface) -> list[str]:
    place = record.place
    flags = []
    if not shapely.intersects_xy(surface.outline, place.easting, place.northing):
        flags.append(f"off_the_outline:{record.point_id}")
    row, column = surface.grid.index_of(np.array([place.easting]), np.array([place.northing]))
    row_index, column_index = round(float(row[0])), round(float(column[0]))
    if 0 <= row_index < surface.grid.shape[0] and 0 <= column_index < surface.grid.shape[1]:
        difference = place.elevation_m - surface.surface_m[row_index, column_index]
        if abs(difference) > ELEVATION_DISAGREEMENT_M:
            flags.append(f"elevation_unlike_dem:{record.point_id}")
    return flags


def flags_of_seasons(winter_m_we: float | None, summer_m_we: float | None) -> tuple[str, ...]:
    """Seasons of the whole glacier that lie the wrong way round.

    Parameters
    ----------
    winter_m_we, summer_m_we : of the whole glacier; None where not known.
    """
    if winter_m_we is None or winter_m_we >= 0:
        return ()
    if summer_m_we is not None and summer_m_we > 0:
        return ("seasons_look_exchanged",)
    return ("negative_winter_balance",)


def _season_closure(records: Sequence[PointRecord]) -> list[str]:
    """Stakes whose annual balance is not the sum of their seasons, all three known, by more than readings explain."""
    seasons: dict[str, dict[str, PointBalance]] = defaultdict(dict)
    for record in records:
        if record.kind == "stake" and record.is_value and record.period != "instantaneous":
            seasons[record.point_id][record.period] = record.balance
    flags = []
    for stake, known in seasons.items():
        if len(known) == 3:
            difference = known["annual"].balance_m_we - known["winter"].balance_m_we - known["summer"].balance_m_we
            error = math.hypot(*(balance.sigma_random_m_we for balance in known.values()))
            if abs(difference) > max(CLOSURE_M_WE, CLOSURE_LIMIT * error):
                flags.append(f"annual_is_not_winter_plus_summer:{stake} ({difference:+.2f})")
    return flags


def flags_of_fieldwork(
    data: FieldData, network: Network, plans: Sequence[YearPlan], calendar: Calendar, settings: MassBalanceSettings
) -> list[Flag]:
    """Readings and pits that gave no balance, with the reason, and stakes whose history contradicts itself.

    Parameters
    ----------
    data : the fieldwork, as read.
    network : its stakes, pits and probings.
    plans : the points of each year.
    calendar : of the mass-balance years.
    settings : of the mass balance.
    """
    flags: list[Flag] = []
    for stake, visits in network.visits.items():
        flags += _unread(visits, settings)
        flags += _out_of_order(stake, visits)
    for row in data.stakes.to_dict("records"):
        visits = network.visits[str(row["stake_id"])]
        if row["installed"] is not None and visits and visits[0].day < row["installed"]:
            detail = f"{visits[0].day} before {row['installed']}"
            flags.append(Flag(f"stake {row['stake_id']}", "read_before_installed", detail))
    for stake, surveys in network.surveys.items():
        for earlier, later in pairwise(sorted(surveys, key=lambda one: (one.leg, one.day))):
            away_m = earlier.place.distance_m(later.place)
            if earlier.leg == later.leg and away_m > JUMP_M:
                flags.append(Flag(f"stake {stake}", "position_jump", f"{away_m:.0f} m to {later.day}"))
    flags += _unused_pits(network)
    flags += _as_typed(data)
    for plan in plans:
        flags += _without_value(plan, network, calendar)
    return flags


def _unread(visits: Sequence[Visit], settings: MassBalanceSettings) -> Iterable[Flag]:
    """Readings that give no balance, and why."""
    paired = set()
    for first, second in pairs_of_visits(visits):
        paired.add(second.key)
        if stake_balance(first, second, settings) is None:
            reason = {
                "lost": "stake_lost",
                "buried": "buried_without_probing",
                "melted_out": "melted_out_of_unknown_length",
            }.get(second.status, "not_read")
            yield Flag(f"reading {second.key}", reason)
    for visit in visits:
        if visit.exposed_m is None and visit.key not in paired:
            yield Flag(f"reading {visit.key}", "no_earlier_reading")


def _out_of_order(stake: str, visits: Sequence[Visit]) -> Iterable[Flag]:
    first: dict[int, Visit] = {}
    for visit in visits:
        first.setdefault(visit.leg, visit)
    for (earlier, one), (later, other) in pairwise(sorted(first.items())):
        if other.day < one.day:
            detail = f"leg {later} on {other.day}, leg {earlier} on {one.day}"
            yield Flag(f"stake {stake}", "legs_out_of_order", detail)


def _as_typed(data: FieldData) -> Iterable[Flag]:
    """Readings that stand out of order in their sheet, and pit layers of a density that their kind does not have."""
    for record, before in dates_out_of_order(data.readings):
        row = data.readings.iloc[record]
        subject = f"reading {row['stake_id']}/{row['leg']}/{row['date']}"
        yield Flag(subject, "dates_out_of_order", f"below {before}")
    for record in densities_out_of_class(data.pit_layers):
        row = data.pit_layers.iloc[record]
        detail = f"layer {row['layer']}: {row['kind']} of {row['density_kg_m3']:g} kg m-3"
        yield Flag(f"pit {row['pit_id']}", "density_out_of_class", detail)


def _unused_pits(network: Network) -> Iterable[Flag]:
    for pit in network.pits:
        if pit.older_m > 0:
            yield Flag(f"pit {pit.pit_id}", "pit_below_summer_surface", f"{pit.older_m:.2f} m")
        depth = sum(layer.thickness_m for layer in pit.layers)
        if pit.floor == "not_reached" and (pit.probed_m or 0.0) <= depth:
            yield Flag(f"pit {pit.pit_id}", "pit_floor_not_reached")


def _without_value(plan: YearPlan, network: Network, calendar: Calendar) -> Iterable[Flag]:
    """Stakes visited at both ends of a year that give no annual balance, and pits that stakes make needless."""
    with_annual = {record.point_id for record in plan.records if record.period == "annual"}
    used = {record.point_id for record in plan.annual}
    for stake, visits in network.visits.items():
        if stake in with_annual:
            continue
        days = [visit.day for visit in visits]
        if calendar.closing_visits(days, plan.year - 1) and calendar.closing_visits(days, plan.year):
            yield Flag(f"stake {stake}", "no_value", year=plan.year)
    for record in plan.records:
        if record.kind == "pit" and record.period == "annual" and record.point_id not in used:
            yield Flag(f"pit {record.point_id}", "beside_a_read_stake", f"stake {record.beside}", plan.year)


def flag_table(years: Sequence[BalanceYear], records: Iterable[PointRecord], others: Iterable[Flag]) -> pd.DataFrame:
    """Every flag in the shape of ``schemas.tables.QUALITY_FLAGS``: of years, of point balances, of the fieldwork.

    A flag that many point balances of a year and period share stands in one row that lists the points.

    Parameters
    ----------
    years : of the result.
    records : point balances.
    others : flags of the fieldwork.
    """
    flags = [_split(flag, str(year.year), year.year) for year in years for flag in year.flags]
    listed: dict[tuple[int, str, str, str], list[str]] = defaultdict(list)
    for record in records:
        for flag in record.balance.flags:
            name, _, detail = flag.partition(":")
            listed[record.year, record.period, name, detail].append(f"{record.kind} {record.point_id}")
    for (year, period, name, detail), points in listed.items():
        every = ", ".join(dict.fromkeys(points))
        flags.append(Flag(f"{period} balances", name, f"{detail}: {every}" if detail else every, year))
    return with_more_flags(pd.DataFrame(columns=list(QUALITY_FLAGS.column_names)), [*flags, *others])


def with_more_flags(table: pd.DataFrame, flags: Sequence[Flag]) -> pd.DataFrame:
    """A table of flags with more of them at its end.

    Parameters
    ----------
    table : shaped as ``schemas.tables.QUALITY_FLAGS``.
    flags : go to its end.
    """
    rows = [
        (number, flag.year, flag.subject, flag.name, flag.detail or None, MEANINGS[flag.name])
        for number, flag in enumerate(flags, start=len(table) + 1)
    ]
    if not rows:
        return table
    more = pd.DataFrame(rows, columns=list(QUALITY_FLAGS.column_names), dtype=object)
    return more if table.empty else pd.concat([table.astype(object), more], ignore_index=True)


def _split(flag: str, subject: str, year: int) -> Flag:
    name, _, detail = flag.partition(":")
    return Flag(subject, name, detail, year)
