"""Stake readings and pits as the computation needs them: heights vertical, every snow depth with a density."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from pipeline.mass_balance.fieldwork.read import FieldData
from pipeline.mass_balance.points.point_balance import OldSnow, PitLayer, Visit, lowering_within_error, sum_pit
from pipeline.mass_balance.points.snow_density import DensitySample, SnowDensities, fit_densities
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
        """Horizontal distance to another place."""
        return math.hypot(other.easting - self.easting, other.northing - self.northing)

    def towards(self, other: Place, share: float) -> Place:
        """The place on the straight way to another one, ``share`` of it from here."""
        names = self.__dataclass_fields__
        return Place(**{name: (1 - share) * getattr(self, name) + share * getattr(other, name) for name in names})


@dataclass(frozen=True, kw_only=True)
class Pit:
    """A snow pit: its layers from the surface down, its floor, and the stake it was dug beside, if any.

    ``probed_m`` is the snow depth down to the last summer's surface where the pit did not reach it, or None. Of a pit
    that went deeper, the layers end at that surface; ``older_m`` is what of it lay below.
    """

    pit_id: str
    day: date
    stake_id: str | None
    place: Place
    floor: str
    layers: tuple[PitLayer, ...]
    probed_m: float | None = None
    older_m: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Probing:
    """A probed snow depth with the density taken for it (kg m-3) and what was assumed."""

    probing_id: str
    day: date
    place: Place
    snow_m: float
    density_kg_m3: float
    flags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Network:
    """Everything measured on the glacier.

    Attributes
    ----------
    stakes : where each stands, as listed.
    visits : by stake, in order of time.
    pits, probings : snow measured apart from stakes, or beside them.
    surveys : stake -> (day, place) of its positions on known days, in order of time; empty where it was placed once.
    densities : what is known of snow density.
    """

    stakes: Mapping[str, Place]
    visits: Mapping[str, tuple[Visit, ...]]
    pits: tuple[Pit, ...]
    probings: tuple[Probing, ...]
    surveys: Mapping[str, tuple[tuple[date, Place], ...]]
    densities: SnowDensities

    @cached_property
    def days(self) -> list[date]:
        """Every day on which something was read or dug, in order, each as often as it was."""
        found = [visit.day for visits in self.visits.values() for visit in visits]
        return sorted(found + [pit.day for pit in self.pits])

    def place_on(self, stake: str, day: date) -> Place:
        """Where a stake stood: between two surveys on the straight way, before the first and after the last there."""
        surveys = self.surveys.get(stake, ())
        if not surveys:
            return self.stakes[stake]
        after = next((k for k, (when, _) in enumerate(surveys) if when >= day), len(surveys))
        if after in (0, len(surveys)):
            return surveys[min(after, len(surveys) - 1)][1]
        (before, start), (behind, end) = surveys[after - 1], surveys[after]
        return start.towards(end, (day - before).days / (behind - before).days)

    def place_over(self, stake: str, begin: date, end: date) -> tuple[Place, float]:
        """The middle of a stake's way over a period, and how far it moved (m)."""
        if not self.surveys.get(stake):
            return self.stakes[stake], 0.0
        start, last = self.place_on(stake, begin), self.place_on(stake, end)
        return start.towards(last, 0.5), start.distance_m(last)


def build_network(data: FieldData, calendar: Calendar, settings: MassBalanceSettings) -> Network:
    """The network of a field workbook.

    A snow depth without a density takes that of the pit beside the stake, else that of its depth by the line fitted to
    the campaign's densities, else their mean, else the settings' default; each is flagged.
    """
    stakes = {str(row["stake_id"]): _place(row) for row in data.stakes.to_dict("records")}
    pits = _pits(data, stakes)
    densities = _densities(data, pits, settings)
    rows = data.readings.to_dict("records")
    visits: dict[str, list[Visit]] = {stake: [] for stake in stakes}
    for row in rows:
        visits[str(row["stake_id"])].append(_visit(row, calendar, densities))
    unstated = {f"{row['stake_id']}/{row['leg']}/{row['date'].isoformat()}" for row in rows if not row["surface"]}
    ordered = {stake: _with_old_snow(_with_assumed_ice(found, unstated), settings) for stake, found in visits.items()}
    probings = tuple(_probing(row, densities) for row in data.probings.to_dict("records"))
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


def _with_old_snow(visits: Iterable[Visit], settings: MassBalanceSettings) -> tuple[Visit, ...]:
    """The visits of a stake in order of time, those inside a year with what is left of the snow it began with."""
    opening: dict[int, Visit] = {}
    found = []
    for visit in sorted(visits, key=lambda visit: (visit.leg, visit.day)):
        if visit.opens_year:
            opening[visit.leg] = visit
        elif visit.leg in opening:
            visit = _on_old_snow(visit, opening[visit.leg], settings)  # noqa: PLW2901 - the visit, completed
        found.append(visit)
    return tuple(sorted(found, key=lambda visit: (visit.day, visit.leg)))


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


def _surveys(data: FieldData, stakes: Mapping[str, Place]) -> dict[str, tuple[tuple[date, Place], ...]]:
    """Positions typed with readings, and the listed one on the day of installation; by stake, in order of time."""
    placed = data.readings[data.readings[["easting", "northing"]].notna().all(axis=1)]
    found: dict[str, dict[date, Place]] = {}
    for row in placed.to_dict("records"):
        place = _place(row)
        if not math.isfinite(place.elevation_m):
            listed = stakes[str(row["stake_id"])]
            place = Place(
                easting=place.easting,
                northing=place.northing,
                longitude=place.longitude,
                latitude=place.latitude,
                elevation_m=listed.elevation_m,
            )
        found.setdefault(str(row["stake_id"]), {})[row["date"]] = place
    for row in data.stakes.to_dict("records"):
        if str(row["stake_id"]) in found and row["installed"] is not None:
            found[str(row["stake_id"])].setdefault(row["installed"], _place(row))
    return {stake: tuple(sorted(places.items())) for stake, places in found.items()}


def _pits(data: FieldData, stakes: Mapping[str, Place]) -> tuple[Pit, ...]:
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
            place = Place(
                easting=beside.easting,
                northing=beside.northing,
                longitude=beside.longitude,
                latitude=beside.latitude,
                elevation_m=place.elevation_m,
            )
        own = tuple(layers[str(row["pit_id"])])
        pit = Pit(
            pit_id=str(row["pit_id"]),
            day=row["date"],
            stake_id=row["stake_id"],
            place=place,
            floor=row["floor"],
            layers=own,
            probed_m=_number(row["probed_depth_m"]),
        )
        pits.append(_down_to_summer_surface(pit))
    return tuple(pits)


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
        total = sum_pit(pit.layers)
        if math.isfinite(total.snow_density_kg_m3):
            depth = sum(layer.thickness_m for layer in pit.layers if layer.kind not in ("superimposed_ice", "ice"))
            samples.append(DensitySample(pit.day, depth, total.snow_density_kg_m3))
            if pit.stake_id is not None:
                beside.setdefault(str(pit.stake_id), []).append((pit.day, total.snow_density_kg_m3))
    typed = data.readings.dropna(subset=["snow_density_kg_m3"])
    columns = (typed[name] for name in ("date", "snow_depth_m", "snow_density_kg_m3"))
    samples += [DensitySample(day, float(h), float(density)) for day, h, density in zip(*columns, strict=True)]
    return SnowDensities(beside, fit_densities(samples), settings.snow_density_kg_m3)


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
    if snow > 0 and density is None:
        density, assumed = densities.of(day, stake, snow)
        flags += assumed
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
        opens_year=calendar.closing_year(day) is not None,
        flags=flags,
    )


def _probing(row: Mapping[Any, Any], densities: SnowDensities) -> Probing:
    depth = float(row["snow_depth_m"])
    density, flags = densities.of(row["date"], None, depth)
    return Probing(
        probing_id=str(row["probing_id"]),
        day=row["date"],
        place=_place(row),
        snow_m=depth,
        density_kg_m3=density,
        flags=flags,
    )


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
