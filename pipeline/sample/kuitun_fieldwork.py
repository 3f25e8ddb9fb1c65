"""What a field team would have written down on the synthetic glacier: stakes, readings, snow pits, probings.

How a stake is read
-------------------
``exposed_m`` is the stake's length above the *present* surface, along the stake: vertical height / cos(tilt).
``snow_depth_m`` is snow above the last summer's surface, that is above the surface met at the previous late-August
visit; ``superimposed_ice_m`` is what formed above it since. Every late-August visit makes a new summer surface of
whatever lies there: ice, firn (snow left over), superimposed ice. Below a summer surface nothing changes but melts.

From a late-August visit 1 to any visit 2 up to the next August, heights therefore count from the surface of visit 1::

    D = (m2 + h_s2 + h_si2) - m1
    b = rho_s2 h_s2 + rho_si h_si2 - loss(D)

``loss(D)`` takes from the top down what lay below that surface: the h_s1 found at visit 1 at its own density, then
h_si1, then ice (or firn, where ``surface`` says so). Where the old snow melted away wholly this is the usual stake
relation b = -rho_ice [(m2 + h_s2 + h_si2) - (m1 + h_s1 + h_si1)] + rho_s2 h_s2 - rho_s1 h_s1 + rho_si (h_si2 - h_si1);
where nothing melted D is 0. From an early-summer visit to the following August both depths stand on one summer surface,
and the usual relation holds as it is.

The exact balance at a point is the smooth field's value plus a local offset (a lasting part and one of each year).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
from pyproj import Transformer

from pipeline.sample.kuitun_balance import YEARS, TrueYear, campaigns, true_years
from pipeline.sample.kuitun_terrain import CRS, kuitun_terrain

ICE, SUPERIMPOSED_ICE, FIRN = 900.0, 870.0, 600.0  # kg m-3
_SIGMA_READING_M, _SIGMA_SUPERIMPOSED_M, _SIGMA_DENSITY = 0.02, 0.005, 0.05
_SIGMA_LAYER, _DENSEST_SNOW = 0.04, 600.0  # relative; kg m-3
_LOCAL_LASTING_M_WE, _LOCAL_YEARLY_M_WE, _LOCAL_WINTER_M_WE = 0.05, 0.06, 0.015
# stakes on cross-profiles from the snout up, as shares of the glacier's length and half width
_STAKES = (
    (0.95, 0.0),
    *((0.86, across) for across in (-0.45, 0.45)),
    *((0.76, across) for across in (-0.55, 0.45)),
    *((0.65, across) for across in (-0.65, 0.0, 0.6)),
    *((0.54, across) for across in (-0.7, 0.0, 0.65)),
    *((0.42, across) for across in (-0.75, 0.0, 0.7)),
    *((0.28, across) for across in (-0.6, 0.55)),
    *((0.15, across) for across in (-0.45, 0.5)),
)
_PITS = ((0.07, 0.05), (0.21, -0.05), (0.19, 0.75), (0.31, 0.05), (0.36, -0.4))
_LAST_TONGUE_STAKE = 5  # up to this number the stakes are 6 m long, the others 4 m
_FIRST_FIRN_STAKE = 15  # from this number on the stakes were drilled in firn
_JUNE_PIT_STAKES = (5, 13, 17)
_TILTED, _SHALLOW, _BURIED, _MISSED, _REPLACED, _LOST = "13", "1", "18", "9", "4", "14"
_TILT_DEG = {2004: 9.0, 2005: 14.0, 2006: 19.0, 2007: 24.0}
_SHALLOW_YEAR, _MISSED_YEAR, _REPLACED_YEAR, _LOST_YEAR = 2005, 2004, 2008, 2010
_SHALLOW_M = 0.75  # length in ice after a failed drilling


@dataclass(frozen=True, kw_only=True)
class Stake:
    """A stake and where it stands; degrees and metres."""

    stake_id: str
    longitude: float
    latitude: float
    elevation_m: float
    installed: date
    remarks: str = ""


@dataclass(frozen=True, kw_only=True)
class WrittenReading:
    """One visit to one leg of a stake, in the units of the readings table; None where nothing was measured."""

    stake_id: str
    leg: int
    date: date
    exposed_m: float | None
    stake_length_m: float
    snow_depth_m: float | None = 0.0
    snow_density_kg_m3: float | None = None
    superimposed_ice_m: float | None = 0.0
    tilt_deg: float | None = None
    surface: str = "ice"
    status: str = "ok"
    remarks: str = ""


@dataclass(frozen=True)
class WrittenLayer:
    """One layer of a pit, metres below the surface."""

    top_m: float
    bottom_m: float
    density_kg_m3: float
    kind: str


@dataclass(frozen=True, kw_only=True)
class WrittenPit:
    """A snow pit down to the last summer's surface."""

    pit_id: str
    date: date
    stake_id: str
    longitude: float
    latitude: float
    elevation_m: float
    floor: str
    layers: tuple[WrittenLayer, ...]
    remarks: str = ""


@dataclass(frozen=True, kw_only=True)
class WrittenProbing:
    """A snow depth probed in early summer."""

    probing_id: str
    date: date
    longitude: float
    latitude: float
    elevation_m: float
    snow_depth_m: float


@dataclass(frozen=True)
class Fieldwork:
    """Everything in the workbook, as values."""

    stakes: tuple[Stake, ...]
    readings: tuple[WrittenReading, ...]
    pits: tuple[WrittenPit, ...]
    probings: tuple[WrittenProbing, ...]


@dataclass(frozen=True)
class Snow:
    """What lies above the last summer's surface at a visit, exactly."""

    depth_m: float
    density_kg_m3: float
    superimposed_m: float

    @property
    def height_m(self) -> float:
        return self.depth_m + self.superimposed_m


@dataclass(frozen=True, kw_only=True)
class Site:
    """A place on the glacier where something is measured, and what was really there.

    Attributes
    ----------
    longitude, latitude, elevation_m : degrees, WGS 84; metres.
    annual_m_we, winter_m_we : exact point balance by year.
    june, august : the snow in early summer (whether or not anybody came) and in late August by year.
    """

    name: str
    longitude: float
    latitude: float
    elevation_m: float
    annual_m_we: dict[int, float]
    winter_m_we: dict[int, float]
    june: dict[int, Snow]
    august: dict[int, Snow]


@dataclass
class _Ground:
    """What lies below the last summer's surface: layers (thickness, density, kind) from the bottom up, on ice."""

    height_m: float = 0.0
    layers: list[tuple[float, float, str]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.layers[-1][2] if self.layers else "ice"

    def lower(self, mass_m_we: float) -> None:
        """Melt a mass (m w.e.) off the top."""
        left = mass_m_we * 1000
        while left > 1e-9:
            thickness, density, kind = self.layers.pop() if self.layers else (math.inf, ICE, "ice")
            melted = min(thickness, left / density)
            left -= melted * density
            self.height_m -= melted
            if melted < thickness < math.inf:
                self.layers.append((thickness - melted, density, kind))

    def add(self, snow: Snow) -> None:
        """Let this year's remains become part of the ground."""
        new = ((snow.superimposed_m, SUPERIMPOSED_ICE, "ice"), (snow.depth_m, snow.density_kg_m3, "firn"))
        self.layers += [layer for layer in new if layer[0] > 0]
        self.height_m += snow.height_m


def _site(name: str, along: float, across: float, seed: int) -> Site:
    """The place at these glacier axes (shares of length and half width), with its exact balances."""
    terrain = kuitun_terrain()
    off = np.where(terrain.mask, np.hypot(2.5 * (terrain.along - along), 0.5 * (terrain.across - across)), np.inf)
    row, column = np.unravel_index(int(np.argmin(off)), terrain.grid.shape)
    number = sum(ord(letter) * 131**place for place, letter in enumerate(name))
    draw = np.random.default_rng([seed, 3, number])
    easting, northing = terrain.grid.centres()
    jitter = draw.uniform(-4.5, 4.5, 2)
    lonlat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    longitude, latitude = lonlat.transform(easting[column] + jitter[0], northing[row] + jitter[1])
    annual, winter = _local_balances(int(row), int(column), draw, seed)
    june = {year: _june_snow(balance, draw) for year, balance in winter.items()}
    august = {year: _august_snow(balance, draw) for year, balance in annual.items()}
    z = float(terrain.surface_m[row, column])
    return Site(
        name=name,
        longitude=round(float(longitude), 6),
        latitude=round(float(latitude), 6),
        elevation_m=z,
        annual_m_we=annual,
        winter_m_we=winter,
        june=june,
        august=august,
    )


def _local_balances(
    row: int, column: int, draw: np.random.Generator, seed: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Exact annual and winter balance (m w.e.) at a pixel by year: the smooth field plus what is local."""
    lasting = draw.normal(0, _LOCAL_LASTING_M_WE)
    annual, winter = {}, {}
    for true in true_years(seed):
        local = lasting + draw.normal(0, _LOCAL_YEARLY_M_WE)
        annual[true.year] = float(true.annual_m_we[row, column] + local)
        winter[true.year] = max(0.03, float(true.winter_m_we[row, column] + draw.normal(0, _LOCAL_WINTER_M_WE)))
    return annual, winter


@lru_cache(maxsize=2)
def sites(seed: int) -> tuple[tuple[Site, ...], tuple[Site, ...]]:
    """The stakes' places and the pits' places, with the exact balances of each year.

    Parameters
    ----------
    seed : of the sample.
    """
    stakes = tuple(_site(str(number), *place, seed) for number, place in enumerate(_STAKES, start=1))
    pits = tuple(_site(f"P{number}", *place, seed) for number, place in enumerate(_PITS, start=1))
    return stakes, pits


def _june_snow(winter_m_we: float, draw: np.random.Generator) -> Snow:
    """Early summer: cold snow, a little superimposed ice already."""
    density = float(draw.uniform(300, 370))
    superimposed = min(0.03, 0.1 * winter_m_we)
    return Snow((winter_m_we * 1000 - superimposed * SUPERIMPOSED_ICE) / density, density, superimposed)


def _august_snow(annual_m_we: float, draw: np.random.Generator) -> Snow:
    """Late August: old coarse snow on superimposed ice where the year ended with a gain, nothing elsewhere."""
    density = float(draw.uniform(440, 520))
    if annual_m_we <= 0:
        return Snow(0.0, density, 0.0)
    superimposed = min(0.12, 0.22 * annual_m_we)
    return Snow((annual_m_we * 1000 - superimposed * SUPERIMPOSED_ICE) / density, density, superimposed)


def visit_day(first: date, stake_number: int) -> date:
    """A campaign takes two days: the tongue on the first, the upper stakes and the pits on the second.

    Parameters
    ----------
    first : day of the campaign.
    stake_number : from 1, rising with elevation.
    """
    return first + timedelta(days=int(stake_number >= 9))


def _with_snow(row: WrittenReading, snow: Snow, draw: np.random.Generator) -> WrittenReading:
    """The row with snow depth, density and superimposed ice as read: with errors, to the centimetre and 10 kg m-3."""
    depth, density, superimposed = draw.normal(size=3)
    if snow.depth_m < 0.015:
        return row
    return replace(
        row,
        snow_depth_m=max(0.01, round(snow.depth_m + depth * _SIGMA_READING_M, 2)),
        snow_density_kg_m3=round(snow.density_kg_m3 * (1 + density * _SIGMA_DENSITY), -1),
        superimposed_ice_m=max(0.0, round(snow.superimposed_m + superimposed * _SIGMA_SUPERIMPOSED_M, 2)),
    )


class _StakeHistory:
    """Follows one stake through the years and writes its readings."""

    def __init__(self, site: Site, seed: int) -> None:
        self.site, self.number = site, int(site.name)
        self.draw = np.random.default_rng([seed, 4, self.number])
        annual = {true.year: float(np.nanmean(true.annual_m_we)) for true in true_years(seed)}
        self.best_year = max(YEARS[1:-1], key=annual.__getitem__)
        self.start_m = 0.80 if self.number <= _LAST_TONGUE_STAKE else 1.00
        self.ground = _Ground()
        if self.number >= _FIRST_FIRN_STAKE:
            self.ground.layers.append((2.5, FIRN, "firn"))
            self.start_m = 1.80
        self.leg, self.length_m, self.top_m, self.standing, self.leaning = 0, 0.0, 0.0, True, False
        self.rows: list[WrittenReading] = []

    def drill(
        self, day: date, exposed_m: float, length_m: float, like: WrittenReading | None = None, why: str = ""
    ) -> None:
        """Set a new leg; its first reading repeats what was measured beside the old one that day."""
        exposed = round(exposed_m, 2)
        self.leg, self.length_m, self.standing = self.leg + 1, length_m, True
        self.top_m = self.ground.height_m + exposed
        self.leaning = self.site.name == _TILTED and day.year < min(_TILT_DEG)
        base = like or WrittenReading(
            stake_id=self.site.name, leg=1, date=day, exposed_m=None, stake_length_m=length_m, surface=self.ground.kind
        )
        row = replace(base, leg=self.leg, exposed_m=exposed, stake_length_m=length_m, tilt_deg=None, status="ok")
        self.rows.append(replace(row, remarks=why))

    def read(self, day: date, snow: Snow, surface: str, density_known: bool = True) -> WrittenReading:
        """Write the row of an ordinary visit; ``snow`` lies on the last summer's surface, of kind ``surface``."""
        tilt = _TILT_DEG.get(day.year) if self.leaning else None
        vertical = self.top_m - self.ground.height_m - snow.height_m
        exposed = vertical / math.cos(math.radians(tilt or 0)) + self.draw.normal(0, _SIGMA_READING_M)
        bare = WrittenReading(
            stake_id=self.site.name,
            leg=self.leg,
            date=day,
            exposed_m=round(exposed, 2),
            stake_length_m=self.length_m,
            tilt_deg=tilt,
            surface=surface,
        )
        row = _with_snow(bare, snow, self.draw)
        if not density_known:
            row = replace(row, snow_density_kg_m3=None)
        if tilt:
            row = replace(row, remarks=f"leaning, measured along the stake / 花杆倾斜约{tilt:.0f}°")
        if vertical < 0.04:
            why = "stake under snow, depth probed beside it / 花杆被雪埋没"
            row = replace(row, exposed_m=None, status="buried", remarks=why)
        elif vertical > self.length_m - 0.02:
            row = replace(row, exposed_m=None, status="melted_out", remarks="stake lying on the ice / 花杆已倒")
        self.rows.append(row)
        return row

    def redrill_if_needed(self, row: WrittenReading, year: int) -> None:
        """Late August, after the reading: drill anew where the stake would not last the next year."""
        above = self.top_m - self.ground.height_m
        in_ice = self.length_m - above
        if self.site.name == _SHALLOW and year == _SHALLOW_YEAR:
            self.drill(
                row.date, self.length_m - _SHALLOW_M, self.length_m, row, "drill broke, only 75 cm deep / 钻机故障"
            )
        elif self.site.name == _BURIED and year == self.best_year - 1:
            self.drill(row.date, 0.35, self.length_m, row, "redrilled, set too deep")
        elif row.status == "melted_out" or in_ice < self._lowering_to_expect():
            self.drill(row.date, self.start_m, self.length_m, row, "redrilled / 重新钻孔布设")
        elif row.status == "buried" or (above < 0.7 and self.number > _LAST_TONGUE_STAKE):
            self.drill(row.date, self.start_m, self.length_m, row, "redrilled, raised")
        elif row.tilt_deg and year == max(_TILT_DEG):
            self.drill(row.date, self.start_m, self.length_m, row, "set upright again in a new hole / 重新布设")

    def _lowering_to_expect(self) -> float:
        """Ice (m) that the team expects to melt here in a bad year."""
        return 0.3 + max(0.0, -min(self.site.annual_m_we.values())) * 1000 / ICE

    def lose(self, day: date, replaced: bool) -> None:
        """The stake is gone; either a new one is set the same day or the series ends."""
        why = "not found, avalanche debris / 花杆丢失" if not replaced else "not found, new stake set / 花杆丢失，补设"
        gone = WrittenReading(
            stake_id=self.site.name,
            leg=self.leg,
            date=day,
            exposed_m=None,
            stake_length_m=self.length_m,
            snow_depth_m=None,
            snow_density_kg_m3=None,
            superimposed_ice_m=None,
            status="lost",
        )
        self.rows.append(replace(gone, surface=self.ground.kind, remarks=why))
        if replaced:
            self.drill(day, self.start_m, self.length_m, replace(gone, snow_depth_m=0.0, superimposed_ice_m=0.0))
        else:
            self.standing = False

    def run(self, seed: int) -> tuple[WrittenReading, ...]:
        """All readings of the stake, from its installation on."""
        august, _ = campaigns(seed)
        length = 6.0 if self.number <= _LAST_TONGUE_STAKE or self.site.name == _TILTED else 4.0
        self.drill(visit_day(august[YEARS[0] - 1], self.number), self.start_m, length)
        for true in true_years(seed):
            if self.standing:
                self._year(true)
        return tuple(self.rows)

    def _year(self, true: TrueYear) -> None:
        """One balance year: early-summer visit if there was one, then the late-August visit."""
        site, year = self.site, true.year
        annual, august = site.annual_m_we[year], site.august[year]
        surface = self.ground.kind
        if true.midseason is not None:
            known = (self.number + true.year) % 4 != 0
            self.read(visit_day(true.midseason, self.number), site.june[year], surface, density_known=known)
        day = visit_day(true.end, self.number)
        if annual < 0:
            self.ground.lower(-annual)
            surface = self.ground.kind
        if (self.site.name, true.year) in ((_REPLACED, _REPLACED_YEAR), (_LOST, _LOST_YEAR)):
            self.lose(day, replaced=self.site.name == _REPLACED)
            return
        if (self.site.name, true.year) == (_MISSED, _MISSED_YEAR):
            self.ground.add(august)
            return
        row = self.read(day, august, surface)
        self.ground.add(august)
        self.redrill_if_needed(row, true.year)


def _layers(snow: Snow, draw: np.random.Generator) -> tuple[WrittenLayer, ...]:
    """Layers that tile the pit, denser with depth, superimposed ice last; errors of each density included."""
    depth = max(0.05, round(snow.depth_m + draw.normal(0, 0.01), 2))
    count = 1 + min(4, int(depth / 0.22))
    edges = np.round(np.linspace(0, depth, count + 1) + np.r_[0, draw.uniform(-0.03, 0.03, count - 1), 0], 2)
    middle = (edges[1:] + edges[:-1]) / 2 / depth
    shape = 0.90 + 0.20 * middle
    share = np.diff(edges) / depth
    density = snow.density_kg_m3 * shape / float(np.sum(shape * share)) * (1 + draw.normal(0, _SIGMA_LAYER, count))
    layers = [
        WrittenLayer(float(top), float(bottom), float(min(np.round(rho, -1), _DENSEST_SNOW)), "snow")
        for top, bottom, rho in zip(edges[:-1], edges[1:], density, strict=True)
    ]
    superimposed = round(snow.superimposed_m, 2)
    if superimposed >= 0.01:
        layers.append(WrittenLayer(depth, round(depth + superimposed, 2), SUPERIMPOSED_ICE, "superimposed_ice"))
    return tuple(layers)


def _pit(pit_id: str, day: date, site: Site, snow: Snow, draw: np.random.Generator, stake_id: str = "") -> WrittenPit:
    """A pit at a site, or some metres from the stake there."""
    layers = _layers(snow, draw)
    near = draw.uniform(-8e-5, 8e-5, 2) if stake_id else np.zeros(2)
    longitude, latitude = (round(float(value), 6) for value in (site.longitude + near[0], site.latitude + near[1]))
    floor = "ice" if stake_id and int(stake_id) < _FIRST_FIRN_STAKE else "summer_surface"
    return WrittenPit(
        pit_id=pit_id,
        date=day,
        stake_id=stake_id,
        longitude=longitude,
        latitude=latitude,
        elevation_m=site.elevation_m,
        floor=floor,
        layers=layers,
    )


def _pits(seed: int, readings: tuple[WrittenReading, ...]) -> tuple[WrittenPit, ...]:
    """Late-August pits where snow is left and beside buried stakes; early-summer pits beside three stakes."""
    stakes, places = sites(seed)
    draw = np.random.default_rng([seed, 5])
    pits = []
    for true in true_years(seed):
        if true.midseason is not None:
            for number in _JUNE_PIT_STAKES:
                site = stakes[number - 1]
                day = visit_day(true.midseason, number)
                pits.append(_pit(f"{true.year}-S{number}", day, site, site.june[true.year], draw, site.name))
        day = visit_day(true.end, len(_STAKES))
        for place in places:
            if place.annual_m_we[true.year] > 0.06:
                pits.append(_pit(f"{true.year}-{place.name}", day, place, place.august[true.year], draw))
        for row in readings:
            if row.date == day and row.status == "buried":
                site = stakes[int(row.stake_id) - 1]
                pit_id = f"{true.year}-B{row.stake_id}"
                pits.append(_pit(pit_id, day, site, site.august[true.year], draw, row.stake_id))
    return tuple(pits)


def _probings(seed: int) -> tuple[WrittenProbing, ...]:
    """Snow depths probed half-way between neighbouring stakes in early summer."""
    terrain = kuitun_terrain()
    stakes, _ = sites(seed)
    to_grid = Transformer.from_crs("EPSG:4326", CRS, always_xy=True)
    draw = np.random.default_rng([seed, 6])
    probings = []
    for true in true_years(seed):
        if true.midseason is None:
            continue
        for number, (left, right) in enumerate(zip(stakes[2:-2:3], stakes[3:-1:3], strict=True), start=1):
            longitude = round((left.longitude + right.longitude) / 2, 6)
            latitude = round((left.latitude + right.latitude) / 2, 6)
            easting, northing = (np.array([value]) for value in to_grid.transform(longitude, latitude))
            winter = float(terrain.sample(true.winter_m_we, easting, northing)[0])
            elevation = float(terrain.sample(terrain.surface_m, easting, northing)[0])
            snow = _june_snow(max(0.03, winter + draw.normal(0, _LOCAL_WINTER_M_WE)), draw)
            depth = max(0.01, round(snow.depth_m + draw.normal(0, _SIGMA_READING_M), 2))
            day = visit_day(true.midseason, int(left.name))
            probings.append(
                WrittenProbing(
                    probing_id=f"{true.year}-{number}",
                    date=day,
                    longitude=longitude,
                    latitude=latitude,
                    elevation_m=elevation,
                    snow_depth_m=depth,
                )
            )
    return tuple(probings)


@lru_cache(maxsize=2)
def fieldwork(seed: int) -> Fieldwork:
    """Everything the team wrote down from August 1999 to August 2011.

    Parameters
    ----------
    seed : of the sample.
    """
    places, _ = sites(seed)
    august, _ = campaigns(seed)
    first = august[YEARS[0] - 1]
    stakes = tuple(
        Stake(
            stake_id=site.name,
            longitude=site.longitude,
            latitude=site.latitude,
            elevation_m=site.elevation_m,
            installed=visit_day(first, int(site.name)),
        )
        for site in places
    )
    readings = tuple(row for site in places for row in _StakeHistory(site, seed).run(seed))
    return Fieldwork(stakes, readings, _pits(seed, readings), _probings(seed))
