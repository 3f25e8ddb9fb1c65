"""Stake readings and pits as the computation needs them: heights vertical, every snow depth with a density."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from pipeline.mass_balance.fieldwork import FieldData
from pipeline.mass_balance.points.point_balance import (
    OldSnow,
    PitLayer,
    Visit,
    lowering_within_error,
    rise_limit_m,
    sum_pit,
)
from pipeline.mass_balance.points.snow_density import (
    AssumedDensities,
    DensitySample,
    SnowDensities,
    TakenDensity,
    fit_densities,
)
from pipeline.mass_balance.points.years import Calendar
from schemas.settings import MassBalanceSettings


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a point lies: metres in the glacier's CRS, degrees, elevation (m)."""

    easting: float
    northing: float
    longitude: float
    latitude: float
    elevation_m: float

    def distance_m(self, other: Place) -> float:
        """Horizontal distance to another place.

        Parameters
        ----------
        other : in the same projection.
        """
        return math.hypot(other.easting - self.easting, other.northing - self.northing)

    def towards(self, other: Place, share: float) -> Place:
        """The place on the straight way to another one, ``share`` of it from here.

            (1 - share) here + share there

        Parameters
        ----------
        other : in the same projection.
        share : of the way, 0 to 1.
        """
        names = self.__dataclass_fields__
        return Place(**{name: (1 - share) * getattr(self, name) + share * getattr(other, name) for name in names})


@dataclass(frozen=True)
class Surveyed:
    """Where a leg of a stake stood on a day."""

    day: date
    leg: int
    place: Place


@dataclass(frozen=True, kw_only=True)
class Pit:
    """A snow pit: its layers from the surface down, its floor, and the stake it was dug beside, if any.

    ``probed_m`` is the snow depth down to the last summer's surface where the pit did not reach it, or None. Of a pit
    that went deeper, the layers end at that surface; ``older_m`` is what of it lay below. ``density_known`` is False
    where the water equivalent was measured without a depth: its one layer then has a depth that fits it.
    """

    pit_id: str
    day: date
    stake_id: str | None
    place: Place
    floor: str
    layers: tuple[PitLayer, ...]
    probed_m: float | None = None
    older_m: float = 0.0
    density_known: bool = True


@dataclass(frozen=True, kw_only=True)
class Probing:
    """A probed snow depth with the density taken for it (kg m-3) and what was assumed.

    Of snow whose water equivalent was measured, depth times density is that; a depth that nobody noted fits it.
    """

    probing_id: str
    day: date
    place: Place
    snow_m: float
    density_kg_m3: float
    flags: tuple[str, ...]
    sigma_relative: float | None = None


@dataclass(frozen=True, kw_only=True)
class Network:
    """Everything measured on the glacier.

    Attributes
    ----------
    stakes : where each stands, as listed.
    visits : by stake, in order of time.
    pits, probings : snow measured apart from stakes, or beside them.
    surveys : stake -> its positions on known days, in order of time and leg; empty where it was placed once.
    densities : what is known of snow density.
    """

    stakes: Mapping[str, Place]
    visits: Mapping[str, tuple[Visit, ...]]
    pits: tuple[Pit, ...]
    probings: tuple[Probing, ...]
    surveys: Mapping[str, tuple[Surveyed, ...]]
    densities: SnowDensities

    @cached_property
    def days(self) -> list[date]:
        """Every day on which something was read, dug or probed, in order, each as often as it was."""
        visited = [visit.day for visits in self.visits.values() for visit in visits]
        return sorted(visited + [pit.day for pit in self.pits] + [probing.day for probing in self.probings])

    def place_on(self, stake: str, day: date) -> Place:
        """Where a stake stood on a day, by the surveys of its last leg.

        Parameters
        ----------
        stake : its identifier.
        day : of the visit.
        """
        surveys = self.surveys.get(stake, ())
        return _place_on(_way_of_leg(surveys, None), day) if surveys else self.stakes[stake]

    def place_over(self, stake: str, begin: date, end: date, legs: Iterable[int] = ()) -> tuple[Place, float]:
        """The middle of a stake's way over a period, and how far it moved (m); of several legs the mean over time.

        ``legs`` are those that the balance of the period rests on; a stake that was drilled anew may stand elsewhere.
        """
        surveys = self.surveys.get(stake, ())
        if not surveys:
            return self.stakes[stake], 0.0
        ways = []
        for leg in dict.fromkeys(legs) or (None,):
            own = _way_of_leg(surveys, leg)
            start, last = _place_on(own, begin), _place_on(own, end)
            ways.append((start.towards(last, 0.5), start.distance_m(last)))
        place = ways[0][0]
        for number, (other, _) in enumerate(ways[1:], start=2):
            place = place.towards(other, 1 / number)
        return place, max(moved_m for _, moved_m in ways)


def _way_of_leg(surveys: Sequence[Surveyed], leg: int | None) -> list[Surveyed]:
    """The surveys of a leg, one a day; where it was surveyed once at most, those of the other legs besides."""
    own = [one for one in surveys if one.leg == leg]
    known = own if len(own) > 1 else [*surveys, *own]
    by_day = {one.day: one for one in known}  # the later in the list counts: the leg's own, else the last leg drilled
    return [by_day[day] for day in sorted(by_day)]


def _place_on(surveys: Sequence[Surveyed], day: date) -> Place:
    """Where a stake stood: between two surveys on the straight way, before the first and after the last there."""
    after = next((k for k, one in enumerate(surveys) if one.day >= day), len(surveys))
    if after in (0, len(surveys)):
        return surveys[min(after, len(surveys) - 1)].place
    before, behind = surveys[after - 1], surveys[after]
    return before.place.towards(behind.place, (day - before.day).days / (behind.day - before.day).days)


def build_network(data: FieldData, calendar: Calendar, settings: MassBalanceSettings) -> Network:
    """The network of a field workbook.

    A snow depth without a density takes that of the pit beside the stake, else that of its depth by the line fitted to
    the campaign's densities, else their mean, else the settings' default; each is flagged.

    Parameters
    ----------
    data : the fieldwork, as read.
    calendar : of the mass-balance years.
    settings : densities and their errors.
    """
    stakes = {str(row["stake_id"]): _place(row) for row in data.stakes.to_dict("records")}
    pits = _pits(data, stakes, settings)
    densities = _densities(data, pits, settings)
    rows = data.readings.to_dict("records")
    visits: dict[str, list[Visit]] = {stake: [] for stake in stakes}
    for row in rows:
        visits[str(row["stake_id"])].append(_visit(row, calendar, densities))
    unstated = {f"{row['stake_id']}/{row['leg']}/{row['date'].isoformat()}" for row in rows if not row["surface"]}
    ordered = {
        stake: _with_old_snow(_with_risen_snow(_with_assumed_ice(own, unstated), densities, settings), settings)
        for stake, own in visits.items()
    }
    probings = tuple(_probing(row, calendar, densities) for row in data.probings.to_dict("records"))
    return Network(
        stakes=stakes, visits=ordered, pits=pits, probings=probings, surveys=_surveys(data, stakes), densities=densities
    )


def _with_assumed_ice(visits: Sequence[Visit], unstated: Set[str]) -> Iterator[Visit]:
    """The visits in order of time; flagged where ice is assumed though an earlier year left snow, which may be firn."""
    left_snow = False
    for visit in sorted(visits, key=lambda visit: (visit.day, visit.leg)):
        if left_snow and visit.key in unstated and visit.exposed_m is not None:
            yield replace(visit, flags=(*visit.flags, "ice_assumed"))
        else:
            yield visit
        left_snow = left_snow or (visit.opens_year and visit.snow_m > 0)


def _with_risen_snow(
    visits: Iterable[Visit], densities: SnowDensities, settings: MassBalanceSettings
) -> Iterator[Visit]:
    """The visits, with snow up to the surface where it lies above the last summer's by more than the noted snow.

    Ice does not grow: what a stake rose by is snow, whether or not somebody noted it. Within a leg the last summer's
    surface is that of the year's opening, and lower where a later visit found it lower.
    """
    opening: dict[int, Visit] = {}
    summer_m: dict[int, float] = {}
    for visit in sorted(visits, key=lambda visit: (visit.leg, visit.day)):
        if visit.exposed_m is None:
            yield visit
            continue
        own = visit.exposed_m + visit.snow_m + visit.superimposed_m
        level, first = summer_m.get(visit.leg, own), opening.get(visit.leg, visit)
        if level - own > rise_limit_m((first, visit), settings):
            visit = _risen(visit, level - own, densities)  # noqa: PLW2901 - the visit, completed
        yield visit
        if visit.opens_year:
            opening[visit.leg], summer_m[visit.leg] = visit, visit.exposed_m or 0.0
        else:
            summer_m[visit.leg] = max(own, level)


def _risen(visit: Visit, rise_m: float, densities: SnowDensities) -> Visit:
    """A visit with so much more snow: as dense as the noted one, else as measured then, else as assumed; all wide."""
    density, flags = visit.snow_density_kg_m3, visit.flags
    sigma = densities.assumed.risen_relative
    if not visit.snow_m > 0:
        taken = densities.of(visit.day, visit.stake_id, rise_m, closes_year=visit.opens_year)
        if "density_assumed" in taken.flags:
            taken = densities.assumed.taken(closes_year=visit.opens_year, rose=True)
        density, flags = taken.density_kg_m3, (*flags, *taken.flags)
        sigma = taken.sigma_relative or sigma
    return replace(
        visit,
        snow_m=visit.snow_m + rise_m,
        snow_density_kg_m3=density,
        snow_sigma_relative=sigma,
        flags=(*flags, "surface_rise"),
    )


def _with_old_snow(visits: Iterable[Visit], settings: MassBalanceSettings) -> tuple[Visit, ...]:
    """The visits of a stake in order of time, those inside a year with what is left of the snow it began with."""
    opening: dict[int, Visit] = {}
    completed = []
    for visit in sorted(visits, key=lambda visit: (visit.leg, visit.day)):
        if visit.opens_year:
            opening[visit.leg] = visit
        elif visit.leg in opening:
            visit = _on_old_snow(visit, opening[visit.leg], settings)  # noqa: PLW2901 - the visit, completed
        completed.append(visit)
    return tuple(sorted(completed, key=lambda visit: (visit.day, visit.leg)))


def _on_old_snow(visit: Visit, opening: Visit, settings: MassBalanceSettings) -> Visit:
    if visit.exposed_m is None or opening.exposed_m is None or opening.snow_m + opening.superimposed_m <= 0:
        return visit
    lost = max(0.0, visit.exposed_m + visit.snow_m + visit.superimposed_m - opening.exposed_m)
    sigma = math.hypot(settings.sigma_reading_m, settings.sigma_reading_m)
    if visit.snow_m + visit.superimposed_m > 0 and lowering_within_error(lost, sigma):
        lost = 0.0
    snow = max(0.0, opening.snow_m - lost)
    superimposed = max(0.0, opening.superimposed_m - max(0.0, lost - opening.snow_m))
    if snow + superimposed <= 0:
        return visit
    return replace(visit, old=OldSnow(snow, opening.snow_density_kg_m3, superimposed, opening.surface))


def _place(row: Mapping[Any, Any]) -> Place:
    return Place(**{name: float(row[name]) for name in Place.__dataclass_fields__})


def _surveys(data: FieldData, stakes: Mapping[str, Place]) -> dict[str, tuple[Surveyed, ...]]:
    """Positions typed with readings, and the listed one on the day of installation; by stake, in order of time."""
    placed = data.readings[data.readings[["easting", "northing"]].notna().all(axis=1)]
    surveys: dict[str, dict[tuple[date, int], Place]] = {}
    for row in placed.to_dict("records"):
        place = _place(row)
        if not math.isfinite(place.elevation_m):
            place = replace(place, elevation_m=stakes[str(row["stake_id"])].elevation_m)
        surveys.setdefault(str(row["stake_id"]), {})[row["date"], int(row["leg"])] = place
    for row in data.stakes.to_dict("records"):
        if str(row["stake_id"]) in surveys and row["installed"] is not None:
            own = surveys[str(row["stake_id"])]
            own.setdefault((row["installed"], min(leg for _, leg in own)), _place(row))
    return {
        stake: tuple(Surveyed(day, leg, place) for (day, leg), place in sorted(places.items(), key=lambda one: one[0]))
        for stake, places in surveys.items()
    }


def _pits(data: FieldData, stakes: Mapping[str, Place], settings: MassBalanceSettings) -> tuple[Pit, ...]:
    layers: dict[str, list[PitLayer]] = {}
    for row in data.pit_layers.sort_values(["pit_id", "layer"], kind="stable").to_dict("records"):
        thickness = float(row["bottom_m"]) - float(row["top_m"])
        layers.setdefault(str(row["pit_id"]), []).append(
            PitLayer(thickness, float(row["density_kg_m3"]), row["kind"] or "snow")
        )
    pits = []
    for row in data.snow_pits.to_dict("records"):
        place = _place(row)
        if not math.isfinite(place.easting) and row["stake_id"] is not None:
            beside = stakes[str(row["stake_id"])]
            known = math.isfinite(place.elevation_m)
            place = replace(beside, elevation_m=place.elevation_m if known else beside.elevation_m)
        pit = Pit(
            pit_id=str(row["pit_id"]),
            day=row["date"],
            stake_id=row["stake_id"],
            place=place,
            floor=row["floor"],
            layers=tuple(layers.get(str(row["pit_id"]), ())),
            probed_m=_number(row["probed_depth_m"]),
        )
        pits.append(_down_to_summer_surface(pit) if pit.layers else _weighed_whole(pit, row["swe_m_we"], settings))
    return tuple(pits)


def _weighed_whole(pit: Pit, swe_m_we: float, settings: MassBalanceSettings) -> Pit:
    """A pit without layers, whose water equivalent down to the last summer's surface was measured as one.

    Without a depth its layer is as deep as snow of the assumed density would be, which tells no density.
    """
    depth_m = pit.probed_m or 1000 * swe_m_we / settings.snow_density_kg_m3
    layers = (PitLayer(depth_m, 1000 * swe_m_we / depth_m),)
    floor = "summer_surface" if pit.floor in ("not_reached", "below_summer_surface") else pit.floor
    known = pit.probed_m is not None
    return replace(pit, floor=floor, layers=layers, probed_m=None, density_known=known)


def _down_to_summer_surface(pit: Pit) -> Pit:
    """The pit without what lies below the last summer's surface, which is no balance of this year."""
    if pit.floor != "below_summer_surface" or pit.probed_m is None:
        return pit
    left, kept = pit.probed_m, []
    for layer in pit.layers:
        if left > 0:
            kept.append(replace(layer, thickness_m=min(left, layer.thickness_m)))
        left -= layer.thickness_m
    return replace(pit, floor="summer_surface", layers=tuple(kept), probed_m=None, older_m=max(0.0, -left))


def _densities(data: FieldData, pits: Sequence[Pit], settings: MassBalanceSettings) -> SnowDensities:
    """Everything measured of snow density: in pits, and with readings."""
    beside: dict[str, list[tuple[date, float]]] = {}
    samples = []
    for pit in pits:
        if not pit.density_known:
            continue
        total = sum_pit(pit.layers)
        if math.isfinite(total.snow_density_kg_m3):
            depth = sum(layer.thickness_m for layer in pit.layers if layer.kind not in ("superimposed_ice", "ice"))
            samples.append(DensitySample(pit.day, depth, total.snow_density_kg_m3))
            if pit.stake_id is not None:
                beside.setdefault(str(pit.stake_id), []).append((pit.day, total.snow_density_kg_m3))
    typed = data.readings.dropna(subset=["snow_density_kg_m3"])
    columns = (typed[name] for name in ("date", "snow_depth_m", "snow_density_kg_m3"))
    samples += [DensitySample(day, float(h), float(density)) for day, h, density in zip(*columns, strict=True)]
    weighed = data.probings[(data.probings["swe_m_we"] > 0) & (data.probings["snow_depth_m"] > 0)]
    columns = (weighed[name] for name in ("date", "snow_depth_m", "swe_m_we"))
    samples += [
        DensitySample(day, float(h), 1000 * float(swe) / float(h)) for day, h, swe in zip(*columns, strict=True)
    ]
    return SnowDensities(beside, fit_densities(samples), AssumedDensities.of(settings))


def _visit(row: Mapping[Any, Any], calendar: Calendar, densities: SnowDensities) -> Visit:
    """One reading with vertical heights: L cos(tilt); a stake lost or buried shows no length above the surface."""
    stake, day = str(row["stake_id"]), row["date"]
    tilt = _number(row["tilt_deg"])
    exposed, length = _number(row["exposed_m"]), _number(row["stake_length_m"])
    upright = math.cos(math.radians(tilt or 0.0))
    if exposed is not None:
        exposed *= upright
    if length is not None and row["status"] != "melted_out":  # how a stake lies that fell is not how it stood
        length *= upright
    if row["status"] in ("melted_out", "buried", "lost"):
        exposed = None
    snow, density = _number(row["snow_depth_m"]) or 0.0, _number(row["snow_density_kg_m3"])
    flags: tuple[str, ...] = () if tilt is None or tilt == 0 else ("tilted",)
    closes_year = calendar.closing_year(day) is not None
    taken = None
    if snow > 0 and density is None:
        taken = densities.of(day, stake, snow, closes_year=closes_year)
        density, flags = taken.density_kg_m3, flags + taken.flags
    return Visit(
        stake_id=stake,
        leg=int(row["leg"]),
        day=day,
        exposed_m=exposed,
        stake_length_m=length,
        snow_m=snow,
        snow_density_kg_m3=density or 0.0,
        superimposed_m=_number(row["superimposed_ice_m"]) or 0.0,
        surface=row["surface"] or "ice",
        status=row["status"] or "ok",
        opens_year=closes_year,
        flags=flags,
        snow_sigma_relative=taken.sigma_relative if taken is not None else None,
    )


def _probing(row: Mapping[Any, Any], calendar: Calendar, densities: SnowDensities) -> Probing:
    depth, swe = _number(row["snow_depth_m"]), _number(row["swe_m_we"])
    closes_year = calendar.closing_year(row["date"]) is not None
    taken = densities.of(row["date"], None, math.nan if depth is None else depth, closes_year=closes_year)
    if swe is not None:  # weighed: nothing of its density is assumed
        density = 1000 * swe / depth if depth else taken.density_kg_m3
        depth, taken = 1000 * swe / density if swe else 0.0, TakenDensity(density, ())
    return Probing(
        probing_id=str(row["probing_id"]),
        day=row["date"],
        place=_place(row),
        snow_m=depth or 0.0,
        density_kg_m3=taken.density_kg_m3,
        flags=taken.flags,
        sigma_relative=taken.sigma_relative,
    )


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
