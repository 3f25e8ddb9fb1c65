"""Small glaciers whose balance is known everywhere: terrain, years of balance fields, and what a team would read.

Nothing here follows the model of the chain: balances bend at a knee, anomalies are smooth random fields that partly
last from year to year, stakes stand on a centre line and cross-profiles and never on the headwall, and what a stake
shows differs a little from its surroundings.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from rasterio.features import geometry_mask
from rasterio.transform import Affine
from scipy.ndimage import gaussian_filter
from shapely.geometry import Polygon, mapping

from pipeline.mass_balance.fieldwork.read import FieldData
from pipeline.mass_balance.result import GlacierIdentity
from schemas.tables import WORKBOOK

CRS = "EPSG:32645"
FIRST_YEAR = 2001
TRUE_SNOW_DENSITY = 480.0


@dataclass(frozen=True, kw_only=True)
class SyntheticGlacier:
    """Inputs of the chain, and the truth over the true outline by year: glacier-wide annual balance (m w.e.),
    equilibrium-line altitude (m, NaN off the glacier) and accumulation-area ratio."""

    data: FieldData
    dem: Path
    outline: Path
    truth_m_we: dict[int, float]
    ela_m: dict[int, float]
    aar: dict[int, float]


@dataclass(frozen=True, kw_only=True)
class _Land:
    """Terrain (m) and glacier axes on a square grid of ``pixel`` metres, north up, from (500 km, 4800 km)."""

    pixel: float
    surface: np.ndarray
    along: np.ndarray
    across: np.ndarray
    inside: np.ndarray
    outline: Polygon

    def centres(self) -> tuple[np.ndarray, np.ndarray]:
        rows, columns = self.surface.shape
        return np.meshgrid(
            500_000 + self.pixel * (np.arange(columns) + 0.5), 4_800_000 - self.pixel * (np.arange(rows) + 0.5)
        )


def synthetic_glacier(folder: Path, seed: int, years: int = 5, stakes: int | None = None) -> SyntheticGlacier:
    """One glacier: the number of stakes (5 to 30), their noise and the share of gaps are drawn with the seed."""
    draw = np.random.default_rng([seed, 17])
    land = _land(draw)
    count = stakes or int(draw.integers(5, 31))
    sites = _sites(land, count, draw)
    fields = _fields(land, years, draw)
    truth = {year: float(field[land.inside].mean()) for year, field in fields.items()}
    folder.mkdir(parents=True, exist_ok=True)
    data = _field_data(land, sites, fields, draw)
    lines = {year: _equilibrium_line(land.surface[land.inside], field[land.inside]) for year, field in fields.items()}
    ratios = {year: float(np.mean(field[land.inside] >= 0)) for year, field in fields.items()}
    return SyntheticGlacier(
        data=data,
        dem=_write_dem(folder, land),
        outline=_write_outline(folder, land, draw),
        truth_m_we=truth,
        ela_m=lines,
        aar=ratios,
    )


def _equilibrium_line(elevation: np.ndarray, balance: np.ndarray) -> float:
    """Where the mean balance of 25 m of height turns from loss to gain, from below; NaN where it does not."""
    heights = np.arange(elevation.min() + 12.5, elevation.max() - 12.5, 1.0)
    order = np.argsort(elevation)
    sums = np.concatenate([[0.0], np.cumsum(balance[order])])
    first, last = (np.searchsorted(elevation[order], heights + side) for side in (-12.5, 12.5))
    means = (sums[last] - sums[first]) / np.maximum(last - first, 1)
    turns = np.flatnonzero((means[:-1] < 0) & (means[1:] >= 0))
    return float(heights[turns[0]]) if turns.size else math.nan


def _land(draw: np.random.Generator) -> _Land:
    length = draw.uniform(1200, 4500)
    half = length * draw.uniform(0.14, 0.26)
    pixel = 10.0 * math.ceil(length / 1500)
    lowest, relief = draw.uniform(3300, 3700), length * draw.uniform(0.18, 0.34)
    share = np.linspace(0, 1, 60)
    width = half * np.interp(share, [0, 0.05, 0.25, 0.6, 0.93, 1], [0, 0.7, 1.0, draw.uniform(0.4, 0.8), 0.35, 0])
    bend = length * draw.uniform(-0.08, 0.08) * np.sin(np.pi * share * draw.uniform(1, 2))
    angle = draw.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    right = np.column_stack([share * length, bend + width * draw.uniform(0.9, 1.1)])
    left = np.column_stack([share * length, bend - width])[::-1]
    corners = np.concatenate([right, left]) @ turn.T
    shift = np.array([500_000 + 400, 4_800_000 - 400]) - np.array([corners[:, 0].min(), corners[:, 1].max()])
    outline = Polygon(corners + shift).buffer(0)
    _, south, east, _ = outline.bounds
    shape = (math.ceil((4_800_400 - south) / pixel), math.ceil((east + 400 - 500_000) / pixel))
    transform = Affine(pixel, 0, 500_000, 0, -pixel, 4_800_000)
    inside = ~geometry_mask([outline], shape, transform)
    land = _Land(
        pixel=pixel,
        surface=np.zeros(shape),
        along=np.zeros(shape),
        across=np.zeros(shape),
        inside=inside,
        outline=outline,
    )
    own = np.stack(land.centres(), axis=-1) - shift
    own = own @ turn
    along = own[..., 0] / length
    across = (own[..., 1] - np.interp(along, share, bend)) / half
    height = lowest + relief * (1 - np.clip(along, -0.3, 1.0)) ** draw.uniform(0.8, 1.4)
    surface = height + relief * 0.05 * across**2 + 8 * _smooth(shape, 6, draw)
    return _Land(pixel=pixel, surface=surface, along=along, across=across, inside=inside, outline=outline)


def _smooth(shape: tuple[int, int], scale: float, draw: np.random.Generator) -> np.ndarray:
    """A Gaussian random field with deviation 1 and a correlation of about ``scale`` pixels."""
    noise = gaussian_filter(draw.standard_normal(shape), scale, mode="wrap")
    return (noise - noise.mean()) / noise.std()


def _sites(land: _Land, count: int, draw: np.random.Generator) -> np.ndarray:
    """Row and column of every stake: in steps of height, alternately on the centre line and to its sides."""
    rows, columns = np.nonzero(land.inside & (land.along > 0.10) & (land.along < 0.97))
    along, across = land.along[rows, columns], land.across[rows, columns]
    half = np.array([np.abs(across[np.abs(along - a) < 0.03]).max() for a in along])
    chosen = []
    for number in range(count):
        wanted = 0.12 + 0.82 * (number + draw.uniform(0.2, 0.8)) / count
        side = (0.0, -0.55, 0.55)[number % 3] + draw.uniform(-0.15, 0.15)
        distance = np.hypot(3 * (along - wanted), across / half - side)
        chosen.append(int(np.argmin(distance)))
    picked = np.unique(chosen)
    return np.column_stack([rows[picked], columns[picked]])


def _fields(land: _Land, years: int, draw: np.random.Generator) -> dict[int, np.ndarray]:
    """Annual balance (m w.e.) of every year over the whole grid."""
    inside = land.surface[land.inside]
    knee = np.quantile(inside, draw.uniform(0.45, 0.75))
    steep, flat = draw.uniform(0.004, 0.009), draw.uniform(0.001, 0.003)
    above = land.surface - knee
    profile = np.where(above < 0, steep * above, flat * above)
    profile = profile - profile[land.inside].mean()
    size = math.sqrt(land.inside.sum())
    lasting = draw.uniform(0.05, 0.20) * _smooth(land.surface.shape, size * draw.uniform(0.06, 0.2), draw)
    yearly = draw.uniform(0.04, 0.12)
    fields = {}
    for year in range(FIRST_YEAR, FIRST_YEAR + years):
        weather = yearly * _smooth(land.surface.shape, size * draw.uniform(0.06, 0.2), draw)
        mean = draw.normal(-0.4, 0.4)
        fields[year] = mean + (1 - 0.15 * (mean + 0.4)) * profile + lasting + weather
    return fields


def _field_data(land: _Land, sites: np.ndarray, fields: dict[int, np.ndarray], draw: np.random.Generator) -> FieldData:
    """Every stake is set anew each August and read the next; some visits fail, some stakes fail for good."""
    easting, northing = land.centres()
    local_lasting = draw.normal(0, draw.uniform(0.03, 0.12), len(sites))
    local_yearly, gaps = draw.uniform(0.02, 0.09), draw.uniform(0.0, 0.25)
    ice = 900 + draw.normal(0, 15)
    snow_scale = 1 + draw.normal(0, 0.06)
    rows = []
    for number, (row, column) in enumerate(sites):
        for leg, (year, field) in enumerate(fields.items(), start=1):
            balance = field[row, column] + local_lasting[number] + draw.normal(0, local_yearly)
            if draw.random() < gaps and number not in (0, len(sites) // 2, len(sites) - 1):
                continue
            first, second = date(year - 1, 8, 25), date(year, 8, 25)
            lowered = max(0.0, -balance) * 1000 / ice
            depth = max(0.0, balance) * 1000 / TRUE_SNOW_DENSITY
            exposed = 2.0 + lowered - depth + draw.normal(0, 0.03)
            density = TRUE_SNOW_DENSITY * snow_scale * (1 + draw.normal(0, 0.03))
            snow = max(0.01, depth + draw.normal(0, 0.03)) if depth > 0.02 else 0.0
            rows.append((str(number + 1), leg, first, 2.0 + draw.normal(0, 0.03), 0.0, np.nan))
            rows.append((str(number + 1), leg, second, exposed, snow, density if snow else np.nan))
    names = ["stake_id", "leg", "date", "exposed_m", "snow_depth_m", "snow_density_kg_m3"]
    readings = pd.DataFrame(rows, columns=names)
    stakes = pd.DataFrame(
        {
            "stake_id": [str(number + 1) for number in range(len(sites))],
            "easting": [easting[tuple(site)] for site in sites],
            "northing": [northing[tuple(site)] for site in sites],
            "elevation_m": [land.surface[tuple(site)] for site in sites],
        }
    )
    return field_data({"stakes": stakes, "readings": readings})


def field_data(frames: dict[str, pd.DataFrame]) -> FieldData:
    """Field data as the reader hands it over, with the columns that a frame lacks left empty."""
    filled = {}
    for table in WORKBOOK:
        frame = frames.get(table.name, pd.DataFrame())
        columns = {}
        for column in table.columns:
            empty = np.nan if column.type == "number" else None
            columns[column.name] = frame.get(column.name, pd.Series([empty] * len(frame), dtype=object))
            if column.type == "number":
                columns[column.name] = columns[column.name].astype(float)
        filled[table.name] = pd.DataFrame(columns)
    filled.pop("glacier")
    glacier = GlacierIdentity(glacier_id="S1", name="Synthetic glacier", longitude=87.0, latitude=43.3, crs=CRS)
    return FieldData(source="memory", glacier=glacier, **filled, corrections=(), origins={})


def _write_dem(folder: Path, land: _Land) -> Path:
    path = folder / "dem.tif"
    rows, columns = land.surface.shape
    profile = {"driver": "GTiff", "height": rows, "width": columns, "count": 1, "dtype": "float32", "crs": CRS}
    transform = Affine(land.pixel, 0, 500_000, 0, -land.pixel, 4_800_000)
    with rasterio.open(path, "w", **profile, transform=transform) as target:
        target.write(land.surface.astype("float32"), 1)
    return path


def _write_outline(folder: Path, land: _Land, draw: np.random.Generator) -> Path:
    """The outline as mapped: too large or too small by about 2 % of the area."""
    path = folder / "outline.geojson"
    distance = draw.normal(0, 0.02) * land.outline.area / land.outline.length
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(land.outline.buffer(distance))}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]}))
    return path
