"""Stake readings and pits as the computation needs them: heights vertical, every snow depth with a density."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from pipeline.mass_balance.point_balance import PitLayer, Visit, sum_pit
from pipeline.mass_balance.read import FieldData
from pipeline.mass_balance.years import CAMPAIGN_GAP_DAYS, Calendar
from schemas.settings import MassBalanceSettings


@dataclass(frozen=True)
class Place:
    """Where a point lies: metres in the glacier's CRS, degrees, elevation (m)."""

    easting: float
    northing: float
    longitude: float
    latitude: float
    elevation_m: float


@dataclass(frozen=True)
class Pit:
    """A snow pit: its layers from the surface down, its floor, and the stake it was dug beside, if any."""

    pit_id: str
    day: date
    stake_id: str | None
    place: Place
    floor: str
    layers: tuple[PitLayer, ...]


@dataclass(frozen=True)
class Probing:
    """A probed snow depth with the density taken for it (kg m-3) and what was assumed."""

    probing_id: str
    day: date
    place: Place
    snow_m: float
    density_kg_m3: float
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Network:
    """Everything measured on the glacier: visits by stake, pits, probings, and where the stakes stand."""

    stakes: Mapping[str, Place]
    visits: Mapping[str, tuple[Visit, ...]]
    pits: tuple[Pit, ...]
    probings: tuple[Probing, ...]

    @property
    def days(self) -> list[date]:
        """Every day on which something was read or dug."""
        return [visit.day for visits in self.visits.values() for visit in visits] + [pit.day for pit in self.pits]


# (day, stake or None) -> density (kg m-3) and what was assumed
DensityOf = Callable[[date, str | None], tuple[float, tuple[str, ...]]]


def build_network(data: FieldData, calendar: Calendar, settings: MassBalanceSettings) -> Network:
    """The network of a field workbook.

    A snow depth without a density takes that of the pit beside the stake, else the mean of what was measured in the
    same campaign, else the settings' default; each is flagged.
    """
    stakes = {str(row["stake_id"]): _place(row) for row in data.stakes.to_dict("records")}
    pits = _pits(data, stakes)
    density_of = _densities(data, pits, settings)
    visits: dict[str, list[Visit]] = {stake: [] for stake in stakes}
    for row in data.readings.to_dict("records"):
        visits[str(row["stake_id"])].append(_visit(row, calendar, density_of))
    ordered = {stake: tuple(sorted(found, key=lambda v: (v.day, v.leg))) for stake, found in visits.items()}
    probings = tuple(_probing(row, density_of) for row in data.probings.to_dict("records"))
    return Network(stakes, ordered, pits, probings)


def _place(row: Mapping[Any, Any]) -> Place:
    return Place(*(float(row[name]) for name in ("easting", "northing", "longitude", "latitude", "elevation_m")))


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
            place = Place(beside.easting, beside.northing, beside.longitude, beside.latitude, place.elevation_m)
        pits.append(
            Pit(
                str(row["pit_id"]), row["date"], row["stake_id"], place, row["floor"], tuple(layers[str(row["pit_id"])])
            )
        )
    return tuple(pits)


def _densities(data: FieldData, pits: Sequence[Pit], settings: MassBalanceSettings) -> DensityOf:
    """Snow density on a day: of the pit beside the stake, of the campaign, or assumed."""
    of_pits = [(pit.day, pit.stake_id, sum_pit(pit.layers).snow_density_kg_m3) for pit in pits]
    of_pits = [entry for entry in of_pits if math.isfinite(entry[2])]
    typed = data.readings.dropna(subset=["snow_density_kg_m3"])
    measured = [(day, float(density)) for day, density in zip(typed["date"], typed["snow_density_kg_m3"], strict=True)]
    measured += [(day, density) for day, _, density in of_pits]

    def density_of(day: date, stake: str | None) -> tuple[float, tuple[str, ...]]:
        beside = [d for when, at, d in of_pits if at is not None and at == stake and _same_campaign(when, day)]
        if beside:
            return float(np.mean(beside)), ("density_from_pit",)
        campaign = [density for when, density in measured if _same_campaign(when, day)]
        if campaign:
            return float(np.mean(campaign)), ("density_of_campaign",)
        return settings.snow_density_kg_m3, ("density_assumed",)

    return density_of


def _same_campaign(first: date, second: date) -> bool:
    return abs((first - second).days) <= CAMPAIGN_GAP_DAYS


def _visit(row: Mapping[Any, Any], calendar: Calendar, density_of: DensityOf) -> Visit:
    """One reading with vertical heights: L cos(tilt); a stake lost or buried shows no length above the surface."""
    stake, day = str(row["stake_id"]), row["date"]
    tilt = _number(row["tilt_deg"])
    exposed = _number(row["exposed_m"])
    if exposed is not None and tilt is not None:
        exposed *= math.cos(math.radians(tilt))
    if row["status"] in ("melted_out", "buried", "lost"):
        exposed = None
    snow, density = _number(row["snow_depth_m"]) or 0.0, _number(row["snow_density_kg_m3"])
    flags: tuple[str, ...] = () if tilt is None or tilt == 0 else ("tilted",)
    if snow > 0 and density is None:
        density, assumed = density_of(day, stake)
        flags += assumed
    return Visit(
        stake,
        int(row["leg"]),
        day,
        exposed,
        _number(row["stake_length_m"]),
        snow,
        density or 0.0,
        _number(row["superimposed_ice_m"]) or 0.0,
        row["surface"] or "ice",
        row["status"] or "ok",
        calendar.closing_year(day) is not None,
        flags,
    )


def _probing(row: Mapping[Any, Any], density_of: DensityOf) -> Probing:
    density, flags = density_of(row["date"], None)
    return Probing(str(row["probing_id"]), row["date"], _place(row), float(row["snow_depth_m"]), density, flags)


def _number(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
