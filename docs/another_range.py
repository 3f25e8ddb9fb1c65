"""A small synthetic range of the southern hemisphere as a third party brings it: three surveys, two stake networks.

``python docs/another_range.py FOLDER`` writes the files of the worked example in ``docs/another-range.md``.
They resemble nothing that comes with the archive: UTM zone 19 south, ellipsoidal heights, balance years from April to
March, three elevation models (2000, 2010, 2019) of different places and pixel sizes, outlines of each epoch, and two
glaciers with stakes. Nothing follows the model of the chains; what is true is returned.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import rasterio
from openpyxl import Workbook
from pyproj import Transformer
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from scipy import ndimage
from shapely.geometry import Polygon, mapping
from shapely.geometry.base import BaseGeometry

from pipeline.grid import BoolArray, FloatArray
from pipeline.sample.terrain import correlated_field, stream
from pipeline.timeless_workbook import CoreProperties, workbook_bytes
from schemas.tables import GLACIER, READINGS, STAKES

SEED = 19
CRS = "EPSG:32719"
WEST, NORTH = 384_015.0, 6_316_035.0
SHAPE, PIXEL_M = (300, 380), 30.0
CHANGE_FOLDER = "olivares-elevation-change"
SURVEYS = {2000: "dem_2000.tif", 2010: "dem_2010.tif", 2019: "dem_2019.tif"}
FIRST_BALANCE_YEAR, BALANCE_YEARS = 2014, 4
SYNTHETIC = "SYNTHETIC: made by a seeded program, no observation of any real place"
_ICE_KG_M3, _SNOW_KG_M3 = 900.0, 420.0
# place of each survey against the true one: east, north, up (m)
_OFFSETS = {2000: (11.0, -7.0, 3.5), 2010: (0.0, 0.0, 0.0), 2019: (-6.0, 9.0, -1.8)}
_PIXELS = {2000: 45.0, 2010: 30.0, 2019: 30.0}
_NOISE_M = {2000: 1.6, 2010: 0.9, 2019: 0.8}
# thinning at the snout (m a-1) from survey to survey
_THINNING = {(2000, 2010): -0.7, (2010, 2019): -1.3}
_MARGIN_M = 120.0  # thinning fades to nothing over this distance, for no grid can show a step
_TERRAIN, _NOISE, _WEATHER, _READING = range(1, 5)
Cell = str | int | float | date | None


@dataclass(frozen=True, kw_only=True)
class _Glacier:
    """A glacier on a slope: its snout (m from the north-western corner), direction, length and half width (m)."""

    glacier_id: str
    name: str
    east_m: float
    south_m: float
    towards_deg: float
    length_m: float
    half_width_m: float
    stakes: int = 0


GLACIERS = (
    _Glacier(
        glacier_id="OLI-1",
        name="Olivares Norte",
        east_m=3300,
        south_m=3500,
        towards_deg=20,
        length_m=2500,
        half_width_m=430,
        stakes=12,
    ),
    _Glacier(
        glacier_id="OLI-2",
        name="Olivares Sur",
        east_m=7800,
        south_m=5600,
        towards_deg=200,
        length_m=2200,
        half_width_m=400,
        stakes=10,
    ),
    _Glacier(
        glacier_id="OLI-3",
        name="Juncal Chico",
        east_m=8600,
        south_m=2600,
        towards_deg=75,
        length_m=1500,
        half_width_m=330,
    ),
    _Glacier(
        glacier_id="OLI-4",
        name="Risopatron",
        east_m=2600,
        south_m=6600,
        towards_deg=300,
        length_m=1400,
        half_width_m=300,
    ),
)


@dataclass(frozen=True)
class RangeTruth:
    """What is true of the range.

    Attributes
    ----------
    mean_dh_m : by first and last year of a pair and by glacier, over its outlines of both epochs.
    shift_m : by survey, what brings it to its true place: east, north, up.
    annual_m_we : by glacier and balance year, glacier-wide, over the outline of 2010.
    """

    mean_dh_m: dict[tuple[int, int], dict[str, float]]
    shift_m: dict[int, tuple[float, float, float]]
    annual_m_we: dict[str, dict[int, float]]


def write_range(folder: Path, seed: int = SEED) -> RangeTruth:
    """Write all files of the range below ``folder``; the same seed gives the same bytes.

    ``olivares-elevation-change/`` gets the three elevation models and the outlines; each glacier with stakes a folder
    ``<name>-mass-balance/`` with workbook, elevation model and outline.
    """
    range_folder = folder / CHANGE_FOLDER
    range_folder.mkdir(parents=True, exist_ok=True)
    land = _land(seed)
    for year, name in SURVEYS.items():
        write_survey(range_folder / name, land, year, seed)
        _write_outlines(range_folder / f"outlines_{year}.geojson", [(one, land.outline(one, year)) for one in GLACIERS])
    balances = {one.glacier_id: _write_fieldwork(folder, land, one, seed) for one in GLACIERS if one.stakes}
    return RangeTruth(
        {pair: {one.glacier_id: land.mean_change_m(one, pair) for one in GLACIERS} for pair in _THINNING},
        {year: (-east, -north, -up) for year, (east, north, up) in _OFFSETS.items()},
        balances,
    )


def balance_folder(glacier: _Glacier) -> str:
    """Name of the folder, and of the dataset, of a glacier with stakes."""
    return f"{glacier.name.lower().replace(' ', '-')}-mass-balance"


# --- the land -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Land:
    """The surface of 2010 (m, ellipsoidal), shape SHAPE, and each glacier's relative height by identifier."""

    surface_m: FloatArray
    relative: dict[str, FloatArray]

    def outline(self, glacier: _Glacier, year: int) -> BaseGeometry:
        """The outline of a survey's year (m): the snout draws back by 9 m a year."""
        gone = 9.0 * (year - min(SURVEYS)) / glacier.length_m
        share = np.linspace(gone, 1.0, 50)
        width = glacier.half_width_m * np.interp(share, [gone, gone + 0.06, 0.35, 0.8, 1.0], [0.1, 0.7, 1.0, 0.8, 0.1])
        along = np.concatenate([share, share[::-1]]) * glacier.length_m
        across = np.concatenate([width, -width[::-1]])
        return Polygon(_to_map(glacier, along, across)).buffer(0)

    def inside(self, glacier: _Glacier, *years: int) -> BoolArray:
        """Pixels within the outline of any of the years."""
        outlines = [self.outline(glacier, year) for year in years]
        return np.asarray(~geometry_mask(outlines, SHAPE, _transform(PIXEL_M)))

    def change_m(self, first: int, last: int) -> FloatArray:
        """Elevation change between two years, zero off the glaciers: most at the snout, none at head and margin."""
        total = np.zeros(SHAPE)
        for (start, end), rate in _THINNING.items():
            years = max(0, min(end, last) - max(start, first))
            for glacier in GLACIERS:
                ice = self.inside(glacier, start, end)
                margin = np.clip(ndimage.distance_transform_edt(ice) * PIXEL_M / _MARGIN_M, 0, 1)
                pattern = rate * years * margin * (1 - self.relative[glacier.glacier_id]) ** 1.5
                total = np.where(ice, total + pattern, total)
        return total

    def mean_change_m(self, glacier: _Glacier, pair: tuple[int, int]) -> float:
        return float(self.change_m(*pair)[self.inside(glacier, *pair)].mean())

    def of_year(self, year: int) -> FloatArray:
        """The surface of a survey's year (m)."""
        middle = 2010
        return (
            self.surface_m + self.change_m(middle, year)
            if year >= middle
            else self.surface_m - self.change_m(year, middle)
        )


def _land(seed: int) -> _Land:
    draw = stream(seed, _TERRAIN)
    surface = 4300 + 330 * ndimage.gaussian_filter(correlated_field(SHAPE, (150.0, 150.0), 2.6, draw), 2.0)
    relative = {}
    for glacier in GLACIERS:
        along, across = _from_map(glacier, *_centres(PIXEL_M, SHAPE))
        # ice fills a smooth trough that rises to the head
        trough = 3900 + 0.32 * along + 60 * (across / glacier.half_width_m) ** 2
        far = np.maximum(np.abs(across) - 1.1 * glacier.half_width_m, 0) + np.maximum(-along - 60, 0)
        far = far + np.maximum(along - glacier.length_m - 60, 0)
        weight = np.exp(-((far / 350.0) ** 2))
        surface = weight * trough + (1 - weight) * surface
        relative[glacier.glacier_id] = np.clip(along / glacier.length_m, 0, 1)
    return _Land(np.asarray(surface, float), relative)


def _to_map(glacier: _Glacier, along: FloatArray, across: FloatArray) -> FloatArray:
    """Easting and northing of places given along and across a glacier (m), shape (n, 2)."""
    angle = math.radians(glacier.towards_deg)
    east = WEST + glacier.east_m + along * math.sin(angle) + across * math.cos(angle)
    north = NORTH - glacier.south_m + along * math.cos(angle) - across * math.sin(angle)
    return np.column_stack([east, north])


def _from_map(glacier: _Glacier, easting: FloatArray, northing: FloatArray) -> tuple[FloatArray, FloatArray]:
    angle = math.radians(glacier.towards_deg)
    east, north = easting - WEST - glacier.east_m, northing - NORTH + glacier.south_m
    return east * math.sin(angle) + north * math.cos(angle), east * math.cos(angle) - north * math.sin(angle)


def _transform(pixel_m: float) -> Affine:
    return Affine(pixel_m, 0, WEST, 0, -pixel_m, NORTH)


def _centres(pixel_m: float, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    rows, columns = np.indices(shape, dtype=float)
    return WEST + pixel_m * (columns + 0.5), NORTH - pixel_m * (rows + 0.5)


# --- surveys ------------------------------------------------------------------------------------------------------


def write_survey(path: Path, land: _Land, year: int, seed: int) -> None:
    """The elevation model of one year: the surface from its wrong place, on its own pixels, with noise."""
    east, north, up = _OFFSETS[year]
    pixel = _PIXELS[year]
    shape = (int(SHAPE[0] * PIXEL_M / pixel), int(SHAPE[1] * PIXEL_M / pixel))
    easting, northing = _centres(pixel, shape)
    at = ((NORTH - (northing - north)) / PIXEL_M - 0.5, (easting - east - WEST) / PIXEL_M - 0.5)
    surface = land.of_year(year)
    draw = stream(seed, 10 * _NOISE + year)
    rough = ndimage.gaussian_filter(draw.standard_normal(shape), 1.0)
    heights = ndimage.map_coordinates(surface, at, order=3, mode="nearest") + up
    _write_raster(path, heights + _NOISE_M[year] * rough / rough.std(), _transform(pixel))


def _write_raster(path: Path, heights_m: FloatArray, transform: Affine) -> None:
    profile = {
        "driver": "GTiff", "height": heights_m.shape[0], "width": heights_m.shape[1], "count": 1, "dtype": "float32",
        "crs": CRS, "transform": transform, "nodata": -9999.0, "compress": "deflate", "predictor": 3,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.round(heights_m, 2).astype(np.float32), 1)
        target.update_tags(SYNTHETIC="YES", TIFFTAG_IMAGEDESCRIPTION=SYNTHETIC)


def _write_outlines(path: Path, outlines: Sequence[tuple[_Glacier, BaseGeometry]]) -> None:
    """Outlines as GeoJSON in degrees, to 1e-6."""
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    features = []
    for glacier, outline in outlines:
        corners = np.asarray(outline.exterior.coords)  # type: ignore[attr-defined]  # each outline is one polygon
        degrees = np.round(np.column_stack(to_degrees.transform(corners[:, 0], corners[:, 1])), 6)
        properties = {"glacier_id": glacier.glacier_id, "name": glacier.name, "remarks": SYNTHETIC}
        features.append({"type": "Feature", "properties": properties, "geometry": mapping(Polygon(degrees))})
    text = json.dumps({"type": "FeatureCollection", "name": path.stem, "features": features}, indent=1)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


# --- fieldwork ----------------------------------------------------------------------------------------------------


def _write_fieldwork(folder: Path, land: _Land, glacier: _Glacier, seed: int) -> dict[int, float]:
    """Workbook, elevation model and outline of a glacier with stakes; its true annual balances."""
    own = folder / balance_folder(glacier)
    own.mkdir(parents=True, exist_ok=True)
    _write_raster(own / "dem.tif", land.surface_m, _transform(PIXEL_M))
    _write_outlines(own / "outline.geojson", [(glacier, land.outline(glacier, 2010))])
    inside = land.inside(glacier, 2010)
    fields = _balance_fields(land, glacier, inside, seed)
    (own / "workbook.xlsx").write_bytes(_workbook(land, glacier, fields, seed))
    return {year: float(field[inside].mean()) for year, field in fields.items()}


def _balance_fields(land: _Land, glacier: _Glacier, inside: BoolArray, seed: int) -> dict[int, FloatArray]:
    """Annual balance (m w.e.) by year: a steep line with height below a knee, a flat one above, and the weather."""
    draw = stream(seed, 100 * _WEATHER + glacier.stakes)
    knee = float(np.quantile(land.surface_m[inside], 0.65))
    above = land.surface_m - knee
    profile = np.where(above < 0, 0.0055 * above, 0.0015 * above)
    lasting = 0.08 * correlated_field(SHAPE, (90.0, 90.0), 3.0, draw)
    fields = {}
    for year in range(FIRST_BALANCE_YEAR, FIRST_BALANCE_YEAR + BALANCE_YEARS):
        weather = 0.06 * correlated_field(SHAPE, (90.0, 90.0), 3.0, draw)
        fields[year] = np.asarray(draw.normal(0.15, 0.3) + profile + lasting + weather)
    return fields


def _workbook(land: _Land, glacier: _Glacier, fields: dict[int, FloatArray], seed: int) -> bytes:
    """The sheets that a team needs at least, under the names of the table schemas."""
    places = list(_places(land, glacier))
    centre = np.asarray(land.outline(glacier, 2010).centroid.coords[0])
    longitude, latitude = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(*centre)
    about: dict[str, Cell] = {"glacier_id": glacier.glacier_id, "glacier_name": glacier.name, "crs": CRS}
    about |= {"longitude": round(longitude, 5), "latitude": round(latitude, 5), "remarks": SYNTHETIC}
    stakes = [_stake(name, east, north, height) for name, east, north, height, _ in places]
    readings = list(_readings(places, fields, stream(seed, 100 * _READING + glacier.stakes)))
    book = Workbook()
    if book.active is not None:
        book.remove(book.active)
    for table, rows in ((GLACIER, [about]), (STAKES, stakes), (READINGS, readings)):
        sheet = book.create_sheet(table.name)
        names = [name for name in table.column_names if any(row.get(name) is not None for row in rows)]
        sheet.append(names)
        for row in rows:
            sheet.append([row.get(name) for name in names])
    title = f"{SYNTHETIC}: {glacier.name}"
    return workbook_bytes(
        book,
        CoreProperties(
            title=title, creator="synthetic sample", day=date(2020, 1, 1), subject=title, keywords="synthetic"
        ),
    )


def _stake(name: str, easting: float, northing: float, height_m: float) -> dict[str, Cell]:
    place = {"easting": round(easting, 1), "northing": round(northing, 1), "elevation_m": round(height_m, 1)}
    return {"stake_id": name, **place, "installed": date(FIRST_BALANCE_YEAR - 1, 3, 30)}


_Place = tuple[str, float, float, float, tuple[int, int]]


def _places(land: _Land, glacier: _Glacier) -> Iterator[_Place]:
    """Name, easting, northing, height and pixel of each stake: up the glacier, by turns in its middle and beside it."""
    for number in range(glacier.stakes):
        along = np.array([(0.12 + 0.8 * (number + 0.5) / glacier.stakes) * glacier.length_m])
        across = np.array([(0.0, -0.5, 0.5)[number % 3] * glacier.half_width_m])
        east, north = _to_map(glacier, along, across)[0]
        row, column = int((NORTH - north) // PIXEL_M), int((east - WEST) // PIXEL_M)
        yield str(number + 1), float(east), float(north), float(land.surface_m[row, column]), (row, column)


def _readings(
    places: Sequence[_Place], fields: dict[int, FloatArray], draw: np.random.Generator
) -> Iterator[dict[str, Cell]]:
    """Each stake is set anew late in March and read the next: exposed length, and the snow that stayed."""
    for name, _, _, _, pixel in places:
        own = draw.normal(0, 0.04)
        for leg, (year, field) in enumerate(fields.items(), start=1):
            balance = float(field[pixel]) + own + draw.normal(0, 0.04)
            lowered = max(0.0, -balance) * 1000 / _ICE_KG_M3
            depth = max(0.0, balance) * 1000 / _SNOW_KG_M3
            yield _reading(name, leg, date(year - 1, 3, 30), _measured(2.5, draw), 0.0)
            yield _reading(name, leg, date(year, 3, 30), _measured(2.5 + lowered - depth, draw), round(depth, 2))


def _measured(metres: float, draw: np.random.Generator) -> float:
    return round(metres + draw.normal(0, 0.02), 2)


def _reading(stake: str, leg: int, day: date, exposed_m: float, snow_m: float) -> dict[str, Cell]:
    row: dict[str, Cell] = {"stake_id": stake, "leg": leg, "date": day, "exposed_m": exposed_m, "snow_depth_m": snow_m}
    return row | ({"snow_density_kg_m3": _SNOW_KG_M3} if snow_m > 0 else {})


def main(arguments: Sequence[str]) -> int:
    """Write the files into the folder named; exit code."""
    if len(arguments) != 1:
        print("usage: python docs/another_range.py FOLDER", file=sys.stderr)
        return 2
    write_range(Path(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
