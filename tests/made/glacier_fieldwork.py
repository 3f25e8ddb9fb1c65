"""What a team writes down on a synthetic glacier with one of five networks, as a folder of CSVs with DEM and outline.

Every stake is followed from autumn to autumn with the snow and firn it stands in. A reading is the stake's length above
the present surface; a snow depth counts from the last summer's surface. A stake shows what lies within some metres,
which departs from the field by a lasting and a yearly part of its own; readings, depths, densities, DEM and outline
have errors.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from pyproj import Transformer
from scipy.ndimage import gaussian_filter, map_coordinates
from shapely.geometry import mapping

from tests.made.glacier_families import FAMILIES, Glacier, Year
from tests.made.glacier_land import (
    CRS,
    NORTH_M,
    PIXEL_M,
    STEEPEST_STAKE_DEG,
    WEST_M,
    BoolArray,
    FloatArray,
    Land,
    random_field,
)

# densities (kg m-3) and errors as they really are; no setting of the chain is read. The shared error of snow densities
# comes twice: once for the team's tube, once a campaign
_ICE, _SIGMA_ICE = 895.0, 12.0
_SPRING, _AUTUMN, _FIRN = (360.0, 460.0), (500.0, 560.0), (570.0, 660.0)
_SITE_DENSITY, _SAMPLE_DENSITY, _SHARED_DENSITY = 0.035, 0.04, 0.05
_MISSED_VISITS = 0.03
# how well a stake stands for its surroundings (m w.e.): lasting, yearly, and in winter
_LOCAL_LASTING, _LOCAL_YEARLY, _LOCAL_WINTER = (0.04, 0.09), (0.04, 0.08), 0.05


@dataclass(frozen=True)
class Network:
    """Where stakes stand: what it is, and how their pixels are chosen."""

    meaning: str
    choose: Callable[[Land, np.random.Generator], FloatArray]


@dataclass(frozen=True, kw_only=True)
class Fieldwork:
    """The files of one survey, where its stakes stand, and what was true there.

    Attributes
    ----------
    folder, dem, outline : the tables, the map and the glacier's outline.
    sites : row and column of each stake, shape (stakes, 2).
    points_m_we : winter and annual balance just at a stake, by stake and year.
    """

    folder: Path
    dem: Path
    outline: Path
    sites: FloatArray
    points_m_we: dict[tuple[str, int], tuple[float, float]]


def _allowed(land: Land) -> BoolArray:
    """Where a stake can stand: not at the very margin, not in a steep place."""
    return land.inside & (land.margin_m > 1.5 * PIXEL_M) & (land.slope_deg < STEEPEST_STAKE_DEG)


def area_below(land: Land, height_m: FloatArray) -> FloatArray:
    """The share of the glacier's area that lies below some heights."""
    return np.asarray(np.searchsorted(np.sort(land.surface_m[land.inside]), height_m) / land.inside.sum())


def _by_height(
    land: Land, draw: np.random.Generator, shares: Sequence[float], within: tuple[float, float] = (0.0, 1.0)
) -> FloatArray:
    """A stake near each height, to either side of the centre line; heights, and the limits that none may leave, as the
    share of the glacier's area below them."""
    ranks = area_below(land, land.surface_m)
    rows, columns = np.nonzero(_allowed(land) & (ranks > within[0]) & (ranks < within[1]))
    ranks = ranks[rows, columns]
    sides = land.across[rows, columns]
    places: list[tuple[int, int]] = []
    for share in shares:
        wanted = draw.uniform(-0.75, 0.75)
        cost = np.hypot((ranks - share) / 0.02, (sides - wanted) / 0.25)
        for row, column in places:  # two stakes never stand within 120 m
            cost[np.hypot(rows - row, columns - column) * PIXEL_M < 120] = np.inf
        best = int(np.argmin(cost))
        places.append((int(rows[best]), int(columns[best])))
    return np.array(places, float)


def _all_over(land: Land, draw: np.random.Generator) -> FloatArray:
    return _by_height(land, draw, (np.arange(12) + draw.uniform(0.2, 0.8, 12)) / 12)


def _centre_line(land: Land, draw: np.random.Generator) -> FloatArray:
    shares = np.clip(np.linspace(0.07, 0.92, 10) + draw.uniform(-0.02, 0.02, 10), 0, 1)
    places = land.centre_line[np.round(shares * (len(land.centre_line) - 1)).astype(int)]
    return np.column_stack([(NORTH_M - places[:, 1]) / PIXEL_M - 0.5, (places[:, 0] - WEST_M) / PIXEL_M - 0.5])


def _two_high(land: Land, draw: np.random.Generator) -> FloatArray:
    low = 0.03 + 0.52 * (np.arange(8) + draw.uniform(0.2, 0.8, 8)) / 8
    return _by_height(land, draw, [*low, draw.uniform(0.65, 0.75), draw.uniform(0.82, 0.92)])


def _none_high(land: Land, draw: np.random.Generator) -> FloatArray:
    shares = 0.03 + 0.45 * (np.arange(8) + draw.uniform(0.2, 0.8, 8)) / 8
    return _by_height(land, draw, shares, (0.0, 0.5))


def _high_only(land: Land, draw: np.random.Generator) -> FloatArray:
    shares = 0.55 + 0.42 * (np.arange(8) + draw.uniform(0.2, 0.8, 8)) / 8
    return _by_height(land, draw, shares, (0.5, 1.0))


NETWORKS = {
    "all_elevations": Network("12 stakes over all elevations", _all_over),
    "centre_line": Network("10 on the centre line", _centre_line),
    "two_high": Network("10, of which two high", _two_high),
    "none_high": Network("8, none in the upper half of the area", _none_high),
    "high_only": Network("8, in the upper half of the area only", _high_only),
}


def write_fieldwork(folder: Path, glacier: Glacier, network: str) -> Fieldwork:
    """Write the survey of a glacier with a network: tables as CSVs in ``tables/``, ``dem.tif``, ``outline.geojson``."""
    families, names = FAMILIES.index(glacier.family), list(NETWORKS)
    key = [7411, families, glacier.seed, names.index(network)]
    sites = NETWORKS[network].choose(glacier.land, np.random.default_rng([*key, 1]))
    tables = folder / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    team = _Team(glacier, np.random.default_rng([*key, 2]))
    for number, site in enumerate(sites, start=1):
        team.follow_stake(f"S{number:02d}", site)
    team.dig_pits()
    for name, rows in team.tables.items():
        if rows:
            _write_table(tables / f"{name}.csv", rows)
    # the map is the same for all networks of a glacier
    draw = np.random.default_rng([*key[:3], 99])
    dem, outline = folder / "dem.tif", folder / "outline.geojson"
    _write_dem(dem, glacier.land, draw)
    _write_outline(outline, glacier.land, draw)
    return Fieldwork(folder=tables, dem=dem, outline=outline, sites=sites, points_m_we=team.points_m_we)


@dataclass(frozen=True, kw_only=True)
class _Snow:
    """Snow above the last summer's surface at a stake on a day: what really lies there, and on what."""

    stake_id: str
    day: date
    depth_m: float
    density_kg_m3: float
    floor: str
    place: tuple[float, float, float]


class _Team:
    """Writes down a survey; its densities and errors are drawn once for the glacier, once a campaign, or each time."""

    def __init__(self, glacier: Glacier, draw: np.random.Generator) -> None:
        self.glacier, self.draw = glacier, draw
        self.ice = draw.normal(_ICE, _SIGMA_ICE)
        self.tube = draw.normal(0, _SHARED_DENSITY)
        self.campaigns: dict[date, float] = {}
        self.sigma_reading, self.sigma_depth = draw.uniform(0.01, 0.03), draw.uniform(0.02, 0.05)
        self.lasting, self.yearly = draw.uniform(*_LOCAL_LASTING), draw.uniform(*_LOCAL_YEARLY)
        self.spring = {year.year: draw.uniform(*_SPRING) for year in glacier.years}
        self.autumn = {year.year: draw.uniform(*_AUTUMN) for year in glacier.years}
        self.snow: dict[date, list[_Snow]] = {}
        self.points_m_we: dict[tuple[str, int], tuple[float, float]] = {}
        self.tables: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("glacier", "stakes", "readings", "snow_pits", "pit_layers")
        }
        outline = glacier.land.outline.centroid
        longitude, latitude = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(outline.x, outline.y)
        name = f"{glacier.family}-{glacier.seed}"
        self.tables["glacier"].append(
            {
                "glacier_id": name,
                "glacier_name": f"Synthetic glacier {name}",
                "longitude": round(longitude, 6),
                "latitude": round(latitude, 6),
                "crs": CRS,
            }
        )

    def follow_stake(self, stake_id: str, site: FloatArray) -> None:
        """All readings of a stake at a place (row, column)."""
        at = _sampler(site)
        easting, northing = WEST_M + PIXEL_M * (site[1] + 0.5), NORTH_M - PIXEL_M * (site[0] + 0.5)
        height = at(self.glacier.land.surface_m)
        place = easting, northing, height
        self.tables["stakes"].append(
            {
                "stake_id": stake_id,
                "easting": round(easting, 1),
                "northing": round(northing, 1),
                "elevation_m": round(height + self.draw.normal(0, 1.0), 1),
            }
        )
        lasting = self.draw.normal(0, self.lasting)
        balances = [self._local(year, at, lasting) for year in self.glacier.years]
        stake = _Stake(self, stake_id, place, [annual for _, annual in balances])
        for year, (winter, annual) in zip(self.glacier.years, balances, strict=True):
            self.points_m_we[stake_id, year.year] = winter, annual
            stake.live_through(year, winter, annual)

    def _local(self, year: Year, at: Callable[[FloatArray], float], lasting: float) -> tuple[float, float]:
        """Winter and annual balance of a year just where the stake stands (m w.e.)."""
        winter = max(0.03, at(year.winter_m_we) + self.draw.normal(0, _LOCAL_WINTER))
        return winter, at(year.annual_m_we) + lasting + self.draw.normal(0, self.yearly)

    def reading(self, stake_id: str, leg: int, day: date, exposed_m: float, snow_m: float, surface: str) -> None:
        """Note a reading of lengths as they are; a stake under snow is probed for."""
        seen = round(exposed_m + self.draw.normal(0, self.sigma_reading), 2)
        buried = exposed_m < 0.05
        depth = max(0.01, round(snow_m + self.draw.normal(0, self.sigma_depth), 2)) if snow_m > 0.01 else 0.0
        self.tables["readings"].append(
            {
                "stake_id": stake_id,
                "leg": leg,
                "date": day.isoformat(),
                "exposed_m": None if buried else max(seen, 0.0),
                "snow_depth_m": depth,
                "surface": surface,
                "status": "buried" if buried else "ok",
            }
        )

    def dig_pits(self) -> None:
        """In each campaign one to three pits where the snow is deepest, least deep and between: what there is of it."""
        for day in sorted(self.snow):
            deep = sorted((one for one in self.snow[day] if one.depth_m > 0.15), key=lambda one: one.depth_m)
            deep = deep or sorted(self.snow[day], key=lambda one: one.depth_m)[-1:]
            picked = {0, (len(deep) - 1) // 2, len(deep) - 1}
            for index in sorted(picked):
                self._pit(deep[index])

    def _pit(self, snow: _Snow) -> None:
        """A pit beside a stake, down to the last summer's surface, in layers that grow denser downwards."""
        name = f"P{snow.day:%Y%m%d}-{snow.stake_id}"
        depth = max(0.03, round(snow.depth_m + self.draw.normal(0, self.sigma_depth), 2))
        count = int(np.clip(depth / 0.4, 1, 6))
        easting, northing, height = snow.place
        self.tables["snow_pits"].append(
            {
                "pit_id": name,
                "date": snow.day.isoformat(),
                "stake_id": snow.stake_id,
                "easting": round(easting + self.draw.uniform(-5, 5), 1),
                "northing": round(northing + self.draw.uniform(-5, 5), 1),
                "elevation_m": round(height + self.draw.normal(0, 1.0), 1),
                "floor": "ice" if snow.floor == "ice" else "summer_surface",
            }
        )
        shared = 1 + self.tube + self.campaigns.setdefault(snow.day, self.draw.normal(0, _SHARED_DENSITY))
        edges = np.round(np.linspace(0, depth, count + 1), 2)
        for layer, (top, bottom) in enumerate(pairwise(edges), start=1):
            shape = 1 + 0.10 * ((top + bottom) / depth - 1)
            found = snow.density_kg_m3 * shared * shape * (1 + self.draw.normal(0, _SAMPLE_DENSITY))
            self.tables["pit_layers"].append(
                {
                    "pit_id": name,
                    "layer": layer,
                    "top_m": float(top),
                    "bottom_m": float(bottom),
                    "density_kg_m3": round(found),
                    "kind": "snow",
                }
            )


class _Stake:
    """One stake through the years: its top, the last summer's surface, and the firn below that."""

    def __init__(
        self, team: _Team, stake_id: str, place: tuple[float, float, float], annual_m_we: Sequence[float]
    ) -> None:
        self.team, self.stake_id, self.place = team, stake_id, place
        self.draw = team.draw
        years = team.glacier.years
        firn = [(12.0, self.draw.uniform(*_FIRN))] if np.mean(annual_m_we) > 0.1 else []
        self.layers: list[tuple[float, float]] = firn  # thickness (m), density; the uppermost last
        self.ground_m, self.leg = 0.0, 0
        self.least_held_m = 0.5 + max(0.0, -min(annual_m_we)) * 1000 / (550 if firn else 880)
        self.start_m = 3.2 if np.mean(annual_m_we) > -0.2 else 1.2
        self.length_m = self.top_m = 0.0
        self._drill(years[0].begin, 0.0)

    @property
    def _surface(self) -> str:
        return "firn" if self.layers else "ice"

    def _drill(self, day: date, snow_m: float) -> None:
        self.leg += 1
        self.top_m = self.ground_m + snow_m + self.start_m
        self.length_m = self.start_m + snow_m + 2 * self.least_held_m + 1.0
        self.team.reading(self.stake_id, self.leg, day, self.start_m, snow_m, self._surface)

    def live_through(self, year: Year, winter_m_we: float, annual_m_we: float) -> None:
        """A year: its snow, a visit in spring if there was one, melt or gain, the visit in autumn, a new hole."""
        if year.visited_in_spring:
            density = self._density(self.team.spring[year.year])
            self._visit(year.middle, winter_m_we * 1000 / density, density)
        if annual_m_we < 0:
            self.ground_m -= self._melt(-annual_m_we * 1000)
            self._visit(year.end, 0.0, 0.0)
            left = 0.0
        else:
            density = self._density(self.team.autumn[year.year])
            left = annual_m_we * 1000 / density
            self._visit(year.end, left, density)
        held = self.length_m - (self.top_m - self.ground_m)
        if held < self.least_held_m or self.top_m - self.ground_m - left < 1.0:
            self._drill(year.end, left)
        if left > 0:
            self.layers.append((left, density))
            self.ground_m += left

    def _density(self, campaign: float) -> float:
        return campaign * (1 + self.draw.normal(0, _SITE_DENSITY))

    def _melt(self, mass_kg_m2: float) -> float:
        """Lowering (m) when a mass goes from the top of what lies below the last summer's surface."""
        lowering = 0.0
        while self.layers:
            thickness, density = self.layers.pop()
            if thickness * density > mass_kg_m2:
                gone = mass_kg_m2 / density
                self.layers.append((thickness - gone, density))
                return lowering + gone
            lowering += thickness
            mass_kg_m2 -= thickness * density
        return lowering + mass_kg_m2 / self.team.ice

    def _visit(self, day: date, snow_m: float, density_kg_m3: float) -> None:
        if snow_m > 0:
            self.team.snow.setdefault(day, []).append(
                _Snow(
                    stake_id=self.stake_id,
                    day=day,
                    depth_m=snow_m,
                    density_kg_m3=density_kg_m3,
                    floor=self._surface,
                    place=self.place,
                )
            )
        if self.draw.random() >= _MISSED_VISITS:
            exposed = self.top_m - self.ground_m - snow_m
            self.team.reading(self.stake_id, self.leg, day, exposed, snow_m, self._surface)


def _sampler(site: FloatArray) -> Callable[[FloatArray], float]:
    place = site[:, None]
    return lambda grid: float(map_coordinates(grid, place, order=1, mode="nearest")[0])


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_dem(path: Path, land: Land, draw: np.random.Generator) -> None:
    """The surface with errors of 1.5 m that neighbours share."""
    error = gaussian_filter(random_field(land.surface_m.shape, 150.0, draw), 1.0)
    surface = (land.surface_m + 1.5 * error / error.std()).astype("float32")
    rows, columns = surface.shape
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": CRS}
    with rasterio.open(path, "w", **profile, transform=land.transform) as target:
        target.write(surface, 1)


def _write_outline(path: Path, land: Land, draw: np.random.Generator) -> None:
    """The outline as mapped: too wide or too narrow by some 1.5 % of the area."""
    distance = draw.normal(0, 0.015) * land.outline.area / land.outline.length
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(land.outline.buffer(distance))}
    crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{CRS.replace(':', '::')}"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}), encoding="utf-8")
