"""Scenes like those of the inter-comparison of glacier elevation changes from space, with a known answer.

Piermattei and others (2024, doi 10.5194/tc-18-3195-2024) let twelve groups find the change of given glaciers over given
periods and held it against airborne surveys. Three of their sites are imitated by size, relief and period: a valley
glacier of some 8 km2 (Hintereisferner), a long one of some 80 km2 (Aletsch), an ice cap with outlet lobes of some
200 km2 (Vestisen). Each scene has the glacier, small neighbours, and two DEMs

- ``aster``: both from optical stereo: metres of noise that grow with slope, waves along the track, voids where snow has
  no contrast, patches where clouds were matched;
- ``tandem``: both from radar: little noise, a ramp, layover where it is steep, penetration into firn at both dates;
- ``mixed``: radar first, optical later.

The user knows the dates to some weeks and the penetration as well as it is told. Nothing is shared with the other
scenes of these tests, nor with the sample. Sites, sensors, seeds and amplitudes were fixed before the chain was run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.features import shapes
from rasterio.transform import Affine
from scipy import ndimage
from shapely.geometry import Polygon, shape
from shapely.ops import unary_union

from schemas.settings import ElevationChangeSettings, SurfaceCorrection

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]

CRS = "EPSG:32632"
WEST, NORTH = 620_000.0, 5_200_000.0
# places of the fine grid on a pixel, and pixels beyond the scene's edge that a shift may reach
FINE, MARGIN = 2, 4
NODATA = -9999.0
SENSORS = ("aster", "tandem", "mixed")
SHARES_OF_SENSORS = (0.45, 0.35, 0.2)


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a glacier looks like: pixel (m), pixels along a side, elevations (m), period, change (m per year)."""

    name: str
    pixel_m: float
    size: int
    lowest_m: float
    relief_m: float
    first: date
    last: date
    tongue_m_a: float
    top_m_a: float = -0.2
    cap: bool = False
    rough_m: float = 170.0


SITES = (
    Site(
        name="hintereisferner", pixel_m=30.0, size=250, lowest_m=2450, relief_m=1250, first=date(2010, 10, 8),
        last=date(2019, 9, 21), tongue_m_a=-4.5,
    ),
    Site(
        name="aletsch", pixel_m=90.0, size=250, lowest_m=1600, relief_m=2500, first=date(2011, 9, 13),
        last=date(2017, 9, 21), tongue_m_a=-6.0,
    ),
    Site(
        name="vestisen", pixel_m=90.0, size=240, lowest_m=150, relief_m=1400, first=date(2008, 9, 2),
        last=date(2020, 8, 20), tongue_m_a=-2.5, top_m_a=-0.45, cap=True, rough_m=120.0,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Sensor:
    """Noise of a DEM: m on level ground and per tangent of slope, share of variance and length (m) of its parts."""

    flat_m: float
    per_tangent_m: float
    parts: tuple[tuple[float, float], ...]
    spread_m: float
    blunders: float


OPTICAL = Sensor(5.0, 6.0, ((0.62, 60.0), (0.26, 250.0), (0.12, 1500.0)), 18.0, 0.006)
RADAR = Sensor(1.0, 3.0, ((0.72, 40.0), (0.18, 220.0), (0.10, 1600.0)), 14.0, 0.001)


@dataclass(frozen=True, kw_only=True)
class RagmacScene:
    """One pair of DEMs: of which site, with which sensors, with which seed."""

    site: Site
    sensor: str
    seed: int

    @property
    def name(self) -> str:
        """Site, sensor and seed."""
        return f"{self.site.name}-{self.sensor}-{self.seed}"

    def draw(self, purpose: str) -> np.random.Generator:
        """Random numbers of their own for every purpose."""
        return np.random.default_rng([2024, self.seed, *purpose.encode()])


def scene_of(seed: int) -> RagmacScene:
    """Sites in turn, sensors by lot."""
    sensor = np.random.default_rng([31, seed]).choice(len(SENSORS), p=SHARES_OF_SENSORS)
    return RagmacScene(site=SITES[seed % len(SITES)], sensor=SENSORS[sensor], seed=seed)


@dataclass(frozen=True, kw_only=True)
class RagmacFiles:
    """Where a scene was written, what is true, and what a user would tell the chain.

    Attributes
    ----------
    true_m, true_m_a : mean change of the glacier between the DEMs, and per year between their true dates.
    settings : with stated dates and, in ``settings``, penetration as told; ``untold`` lacks the penetration.
    """

    earlier: Path
    later: Path
    outlines: Path
    true_m: float
    true_m_a: float
    settings: ElevationChangeSettings
    untold: ElevationChangeSettings


@dataclass(frozen=True, kw_only=True)
class _Land:
    """On the fine grid: number of the glacier (1 the site's own), elevation, change, position on its glacier."""

    glaciers: NDArray[np.int32]
    surface_m: FloatArray
    change_m: FloatArray
    position: FloatArray


def write_ragmac(scene: RagmacScene, folder: Path) -> RagmacFiles:
    """Write earlier.tif, later.tif and outlines.gpkg."""
    folder.mkdir(parents=True, exist_ok=True)
    land = _land(scene)
    kinds = {"aster": (OPTICAL, OPTICAL), "tandem": (RADAR, RADAR), "mixed": (RADAR, OPTICAL)}[scene.sensor]
    depths = _depths(scene, kinds)
    earlier = _dem(scene, "earlier", kinds[0], land.surface_m, land, depths[0])
    later = _dem(scene, "later", kinds[1], land.surface_m + land.change_m, land, depths[1])
    paths = folder / "earlier.tif", folder / "later.tif", folder / "outlines.gpkg"
    _write(paths[0], earlier, scene.site)
    _write(paths[1], later, scene.site)
    _outlines(land, scene.site).to_file(paths[2], driver="GPKG")
    own = land.glaciers == 1
    true = float(land.change_m[own].mean())
    settings, years = _stated(scene, land, depths)
    return RagmacFiles(
        earlier=paths[0],
        later=paths[1],
        outlines=paths[2],
        true_m=true,
        true_m_a=true / years,
        settings=settings,
        untold=settings.model_copy(update={"surface_corrections": ()}),
    )


def _field(size: int, length: float, draw: np.random.Generator) -> FloatArray:
    """Gaussian noise of variance 1, smooth over ``length`` places (the standard deviation of its smoothing)."""
    wave = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size))
    spectrum = np.fft.rfft2(draw.normal(size=(size, size))) * np.exp(-2 * (np.pi * wave * length) ** 2)
    smooth = np.fft.irfft2(spectrum, (size, size))
    result: FloatArray = smooth / np.sqrt(np.mean(np.exp(-4 * (np.pi * _full_wave(size) * length) ** 2)))
    return result


def _full_wave(size: int) -> FloatArray:
    wave: FloatArray = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size))
    return wave


def _fractal(size: int, step_m: float, draw: np.random.Generator) -> FloatArray:
    """Ground whose amplitude grows with the wavelength up to 4 km, sharp where it is high; about unit variance."""
    wave = np.hypot(np.fft.fftfreq(size, step_m)[:, None], np.fft.rfftfreq(size, step_m))
    power = (wave**2 + 4000.0**-2) ** -0.95 * np.exp(-((wave * 60.0) ** 2))
    rough = np.fft.irfft2(np.fft.rfft2(draw.normal(size=(size, size))) * power, (size, size))
    rough /= rough.std()
    result: FloatArray = rough - 0.5 * np.abs(rough - 0.4)
    return (result - result.mean()) / result.std()


def _land(scene: RagmacScene) -> _Land:
    site, draw = scene.site, scene.draw("land")
    size, step = (site.size + 2 * MARGIN) * FINE, site.pixel_m / FINE
    down, right = np.mgrid[:size, :size] / size
    glaciers, rise = (_cap if site.cap else _valley)(down, right, draw)
    _neighbours(glaciers, draw)
    ice = glaciers > 0
    off = ndimage.distance_transform_edt(~ice, sampling=step)
    within = ndimage.distance_transform_edt(ice, sampling=step)
    rough = site.rough_m * _fractal(size, step, draw)
    surface = site.lowest_m + site.relief_m * rise
    reach = 1 - np.exp(-off / 250.0)
    walls = (-0.10 if site.cap else 0.55) * np.minimum(off, 900.0 if not site.cap else 4000.0)
    surface = surface + walls * reach + rough * reach + 4.0 * _field(size, 200.0 / step, draw)
    position = _positions(surface, glaciers)
    change = _change(scene, position, within, glaciers)
    return _Land(glaciers=glaciers, surface_m=surface, change_m=change, position=position)


def _valley(down: FloatArray, right: FloatArray, draw: np.random.Generator) -> tuple[NDArray[np.int32], FloatArray]:
    """A glacier that flows down the grid, with two tributaries; and how high its level lies at every place, 0 to 1."""
    along = np.clip((0.93 - down) / 0.85, -0.1, 1.1)
    middle = 0.5 + 0.05 * np.sin(3.2 * along + draw.uniform(0, 6)) + draw.uniform(-0.05, 0.05)
    basin = 0.34 * draw.uniform(0.8, 1.2)
    half = 0.5 * np.interp(along, [0, 0.05, 0.4, 0.65, 0.85, 1], [0, 0.09, 0.13, 0.19, basin, 0.1])
    inside = (np.abs(right - middle) < half) & (along > 0) & (along < 1)
    for side in (-1, 1):
        start, lean = draw.uniform(0.35, 0.6), draw.uniform(0.5, 0.8)
        out = side * (right - middle)
        inside |= (out > 0) & (out < 0.27) & (np.abs(along - start - lean * out) < 0.035 + 0.12 * out)
    across = np.minimum(np.abs(right - middle) / 0.3, 1.2)
    rise: FloatArray = np.clip(along, 0, 1.1) ** draw.uniform(1.0, 1.3) + 0.10 * across**2
    return inside.astype(np.int32), rise


def _cap(down: FloatArray, right: FloatArray, draw: np.random.Generator) -> tuple[NDArray[np.int32], FloatArray]:
    """A dome with lobes."""
    radius, angle = np.hypot(down - 0.5, right - 0.5), np.arctan2(down - 0.5, right - 0.5)
    edge = np.full(down.shape, 0.36)
    for number in (2, 3, 5, 7, 9):
        edge += draw.normal(0, 0.06 / number**0.6) * np.cos(number * angle + draw.uniform(0, 6))
    share = radius / np.clip(edge, 0.12, 0.46)
    rise: FloatArray = np.sqrt(np.clip(1 - np.minimum(share, 1) ** 2, 0, 1)) * 0.75
    rise = 0.25 + rise + 0.10 * (np.clip(edge / 0.36, 0.5, 1.3) - 1)
    return (share < 1).astype(np.int32), rise


def _neighbours(glaciers: NDArray[np.int32], draw: np.random.Generator) -> None:
    """Four small ellipses of ice away from the site's own glacier, numbered from 2."""
    size = glaciers.shape[0]
    row, column = np.ogrid[:size, :size]
    number = 2
    for _ in range(60):
        centre, half = draw.uniform(0.08, 0.92, 2) * size, draw.uniform(0.018, 0.045, 2) * size
        ellipse = ((row - centre[0]) / half[0]) ** 2 + ((column - centre[1]) / half[1]) ** 2
        if number < 6 and not (glaciers[ellipse < 2.5] > 0).any():
            glaciers[ellipse < 1] = number
            number += 1


def _positions(surface: FloatArray, glaciers: NDArray[np.int32]) -> FloatArray:
    """Between the lowest (0) and the highest (1) of each glacier; 0 off them."""
    position = np.zeros(surface.shape)
    for number in range(1, int(glaciers.max()) + 1):
        own = glaciers == number
        heights = surface[own]
        position[own] = (heights - heights.min()) / np.ptp(heights)
    return position


def _change(scene: RagmacScene, position: FloatArray, within: FloatArray, glaciers: NDArray[np.int32]) -> FloatArray:
    """Thinning tongues, tops that lose a little or nothing, no more lost than the ice is thick at the margin."""
    site, draw = scene.site, scene.draw("change")
    years, size = (site.last - site.first).days / 365.25, glaciers.shape[0]
    change = np.zeros(glaciers.shape)
    for number in range(1, int(glaciers.max()) + 1):
        own = glaciers == number
        tongue = site.tongue_m_a * draw.lognormal(0, 0.25) * (1.0 if number == 1 else 0.45)
        top, bend = site.top_m_a + draw.normal(0, 0.2), draw.uniform(1.4, 3.5)
        tilted = position + 0.05 * _field(size, 900.0 / site.pixel_m * FINE, draw)
        change[own] = years * (tongue * np.clip(1 - tilted, 0, 1.2) ** bend + top)[own]
    change += (0.07 * np.abs(change) + 0.3) * _field(size, 350.0 / site.pixel_m * FINE, draw)
    # the surface near a margin cannot fall below the bed: some plastic ice's half thickness
    thick = 0.6 * np.sqrt(2 * 11.0 * within)
    return np.where(glaciers > 0, np.clip(change, -thick, thick), 0.0)


def _depths(scene: RagmacScene, kinds: tuple[Sensor, Sensor]) -> tuple[float, float]:
    """How deep each DEM looks into firn, m; into ice a fifth of it."""
    draw = scene.draw("depth")
    winter = draw.uniform(1.5, 5.0) * draw.uniform(0.7, 1.3, 2)
    earlier, later = (depth if kind is RADAR else 0.0 for depth, kind in zip(winter.tolist(), kinds, strict=True))
    return earlier, later


def _firn(land: _Land) -> float:
    """Elevation above which there is firn, m."""
    return float(np.quantile(land.surface_m[land.glaciers == 1], 0.45))


def _dem(
    scene: RagmacScene, role: str, sensor: Sensor, surface_m: FloatArray, land: _Land, depth_m: float
) -> FloatArray:
    """A DEM of a surface: spread, sampled at its shift, with noise, waves or a ramp, blunders and voids."""
    site, draw = scene.site, scene.draw(role)
    step, count = site.pixel_m / FINE, site.size
    firn = _firn(land)
    seen = surface_m - np.where(land.glaciers > 0, np.where(land.surface_m > firn, 1.0, 0.2) * depth_m, 0.0)
    spread = ndimage.gaussian_filter(seen, max(sensor.spread_m, 0.3 * site.pixel_m) / step, mode="nearest")
    shift = draw.uniform(-0.8, 0.8, 2) * site.pixel_m if role == "earlier" else np.zeros(2)
    rows = FINE * (MARGIN + np.arange(count) + 0.5) - 0.5 + shift[0] / step
    columns = FINE * (MARGIN + np.arange(count) + 0.5) - 0.5 + shift[1] / step
    places = np.meshgrid(rows, columns, indexing="ij")
    heights: FloatArray = ndimage.map_coordinates(spread, places, order=3)
    tangent = np.hypot(*np.gradient(ndimage.gaussian_filter(heights, 1.0), site.pixel_m))
    sigma = sensor.flat_m + sensor.per_tangent_m * np.minimum(tangent, 1.5)
    heights += sigma * _noise(sensor, site, draw) + (draw.uniform(-6, 6) if role == "earlier" else 0.0)
    heights += _waves(count, site.pixel_m, draw) if sensor is OPTICAL else _ramp(count, site.pixel_m, draw)
    rough = _field(count, 150.0 / site.pixel_m + 0.5, draw)
    hit = rough > np.quantile(rough, 1 - sensor.blunders)
    heights[hit] += draw.choice([-1, 1]) * draw.uniform(30, 90)
    near = np.rint(np.clip(places, 0, land.glaciers.shape[0] - 1)).astype(int)
    voids = _voids(sensor, tangent, land.position[near[0], near[1]], land.glaciers[near[0], near[1]], site, draw)
    heights[voids] = np.nan
    return heights


def _noise(sensor: Sensor, site: Site, draw: np.random.Generator) -> FloatArray:
    """Noise of variance 1: what is smoother than a pixel is averaged over it."""
    total = np.zeros((site.size, site.size))
    for share, length in sensor.parts:
        # a pixel larger than the noise's patches averages over some of them
        averaged = min(1.0, (3.5 * length / site.pixel_m) ** 2)
        total += math.sqrt(share * averaged) * _field(site.size, max(length / site.pixel_m, 0.35), draw)
    return total


def _waves(size: int, pixel_m: float, draw: np.random.Generator) -> FloatArray:
    """Jitter of the platform: waves of 3 to 8 km along the track."""
    azimuth = math.radians(draw.uniform(5, 20))
    row, column = np.mgrid[:size, :size] * pixel_m
    along = row * math.cos(azimuth) + column * math.sin(azimuth)
    phase = 2 * np.pi * along / draw.uniform(3000, 8000) + draw.uniform(0, 6)
    waves: FloatArray = draw.uniform(0.2, 1.0) * np.sin(phase)
    return waves


def _ramp(size: int, pixel_m: float, draw: np.random.Generator) -> FloatArray:
    """What is left of the baseline's error: up to half a metre from edge to edge."""
    row, column = np.mgrid[:size, :size] / size - 0.5
    ramp: FloatArray = draw.uniform(-0.5, 0.5) * row + draw.uniform(-0.5, 0.5) * column
    return ramp


def _voids(
    sensor: Sensor, tangent: FloatArray, position: FloatArray, glaciers: NDArray[np.int32], site: Site,
    draw: np.random.Generator,
) -> BoolArray:  # fmt: skip
    """Snow without contrast, high on the glaciers (optical); slopes in layover, and a few patches (radar)."""
    ragged = _field(site.size, 400.0 / site.pixel_m, draw)
    patches = _field(site.size, 120.0 / site.pixel_m + 0.3, draw)
    share = draw.uniform(0.02, 0.35)
    if sensor is OPTICAL:
        ice = glaciers > 0
        bright = position + 0.25 * ragged
        return ice & (bright > np.quantile(bright[ice], 1 - share)) | (patches > 2.3)
    steep: BoolArray = (tangent > 1.0) & (ragged > -0.3)
    return steep | (patches > 2.5)


def _write(path: Path, heights: FloatArray, site: Site) -> None:
    transform = Affine(site.pixel_m, 0, WEST, 0, -site.pixel_m, NORTH)
    profile = {
        "driver": "GTiff", "height": site.size, "width": site.size, "count": 1, "dtype": "float32", "crs": CRS,
        "transform": transform, "nodata": NODATA,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(np.nan_to_num(heights, nan=NODATA).astype(np.float32), 1)


def _outlines(land: _Land, site: Site) -> gpd.GeoDataFrame:
    """Outlines along the fine grid."""
    step = site.pixel_m / FINE
    corner = MARGIN * site.pixel_m
    transform = Affine(step, 0, WEST - corner, 0, -step, NORTH + corner)
    parts: dict[int, list[Polygon]] = {}
    for geometry, number in shapes(land.glaciers, mask=land.glaciers > 0, transform=transform):
        parts.setdefault(int(number), []).append(shape(geometry))
    names = sorted(parts)
    geometry = [unary_union(parts[number]) for number in names]
    return gpd.GeoDataFrame({"glacier_id": [f"R{number}" for number in names]}, geometry=geometry, crs=CRS)


def _stated(scene: RagmacScene, land: _Land, depths: tuple[float, float]) -> tuple[ElevationChangeSettings, float]:
    """What a user knows: dates to some weeks, penetration as well as it is told; and the true years between."""
    site, draw = scene.site, scene.draw("stated")
    sigma_years = draw.uniform(0.02, 0.15)
    days = [round(365.25 * draw.normal(0, sigma_years)) for _ in range(2)]
    true = site.first + timedelta(days[0]), site.last + timedelta(days[1])
    sigma = 0.25 * abs(depths[1] - depths[0]) + 0.3 if any(depths) else 0.0
    line = _firn(land)
    surfaces = tuple(
        SurfaceCorrection(
            surface=name,
            from_m=line if name == "firn" else None,
            to_m=None if name == "firn" else line,
            penetration_earlier_m=share * depths[0],
            # the difference of both is what counts, and it is told to within its sigma
            penetration_later_m=share * (depths[1] + sigma * draw.normal()),
            sigma_penetration_m=share * sigma,
        )
        for name, share in (("ice", 0.2), ("firn", 1.0))
    )
    settings = ElevationChangeSettings(
        vertical_datum_earlier="EPSG:3855", vertical_datum_later="EPSG:3855",
        earlier_date=site.first.isoformat(), later_date=site.last.isoformat(),
        sigma_earlier_date_years=sigma_years, sigma_later_date_years=sigma_years,
        surface_corrections=surfaces if any(depths) else (),
    )  # fmt: skip
    return settings, (true[1] - true[0]).days / 365.25
