"""Scenes of the dataset's own pairing with a known answer: SRTM V3 of 3" (earlier) and a FABDEM-like DEM of 1" (later).

The ground of ``alpine_ground`` is known every half arc second. The earlier DEM averages it over a radar's point spread
and over its own cell of 3", on its own grid of degrees, shifted by a known vector, in whole metres; the later one
averages it over 1". Noise grows with slope and is correlated over 0.1 to 3 km. Every trouble is an amplitude of a
``Scene``; troubles combine. ``same_detail`` makes the twin of a scene without a resolution effect: both DEMs then
resolve what the earlier one does, all else (noise, troubles, change, every byte of the earlier DEM) stays the same.

``SCENES`` and ``SLOW_TEST_SCENES`` were fixed before the method that they judge was touched: no seed, amplitude or
constant here is changed to make a method look better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy import ndimage

from tests.made.alpine_ground import (
    ARC_SECOND,
    FINE_PER_SECOND,
    MARGIN_SECONDS,
    BoolArray,
    Change,
    FineGrid,
    FloatArray,
    Ground,
    Relief,
    bumps,
    make_change,
    make_ground,
    metres_per_degree,
    slope_of,
    stream,
)

VOID_EARLIER, VOID_LATER = -32768, -9999.0
EARLIER_SECONDS, LATER_SECONDS = 3, 1
# standard deviation of the radar's and the optics' point spread, m; the averaging over cells comes on top
EARLIER_SPREAD_M, LATER_SPREAD_M = 22.0, 8.0
# scenes lie on the central meridian of UTM zone 45, where grid north is north; its scale there
MERIDIAN, GRID_SCALE = 87.0, 0.9996
# standard deviation of what is stated about penetration, m
SIGMA_PENETRATION_M = 0.15

HANDLED = ("plain", "surges", "debris", "voids", "blunders", "snow", "undulation", "tilt", "together")
NEED_INPUT = ("penetration", "filled_voids", "kappa_z")
KINDS = (*HANDLED, *NEED_INPUT)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One scene, told by its seed and by how large each trouble is; zero leaves a trouble out.

    Attributes
    ----------
    kind : what the scene is counted as, one of ``KINDS``.
    surge_m : rise or fall of the lower part of three surging glaciers.
    debris_m : standard deviation of the hummocks on debris-covered tongues.
    void_share : voids lie high on every glacier and cover 10 % up to this share of it.
    filled_voids : the voids hold heights of a third, later DEM instead of nothing.
    blunder_share : share of the earlier DEM's cells that are wrong by tens of metres.
    snow_m : snow on high stable ground that only the later DEM sees.
    undulation_m : amplitude of the waves along the earlier DEM's track.
    tilt : of the earlier DEM, radians.
    penetration_m : how deep the earlier DEM looks into firn; into bare ice a quarter of it.
    kappa : share of the elevation that is added to the later DEM.
    same_detail : both DEMs resolve what the earlier one does.
    noisy : with noise and whole metres; without, the scene shows its geometry alone.
    """

    kind: str
    seed: int
    surge_m: float = 0.0
    debris_m: float = 0.0
    void_share: float = 0.0
    filled_voids: bool = False
    blunder_share: float = 0.0
    snow_m: float = 0.0
    undulation_m: float = 0.0
    tilt: float = 0.0
    penetration_m: float = 0.0
    kappa: float = 0.0
    same_detail: bool = False
    noisy: bool = True
    size_seconds: tuple[int, int] = (870, 1200)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is none of {', '.join(KINDS)}")
        if any(size % EARLIER_SECONDS for size in self.size_seconds):
            raise ValueError(f"{self.size_seconds} are not whole cells of {EARLIER_SECONDS} arc seconds")
        if self.filled_voids and not self.void_share:
            raise ValueError("filled voids need a share of voids")

    @property
    def name(self) -> str:
        """Kind and seed."""
        return f"{self.kind}-{self.seed}"

    def twin(self) -> Scene:
        """The same scene without a resolution effect."""
        return replace(self, same_detail=True)

    def without_noise(self) -> Scene:
        """The same scene as two perfect instruments of the same geometry see it."""
        return replace(self, noisy=False)


@dataclass(frozen=True)
class TrueShift:
    """What must be added to the earlier DEM's position to bring it onto the later one, m in UTM."""

    east: float
    north: float
    up: float


@dataclass(frozen=True)
class GlacierTruth:
    """A glacier's true mean elevation change over its outline, m, later minus earlier."""

    glacier_id: str
    area_km2: float
    mean_dh_m: float
    surged: bool


@dataclass(frozen=True, kw_only=True)
class SceneTruth:
    """What is true of a scene.

    Attributes
    ----------
    mean_dh_m : over all glaciers by area.
    firn_line_m : elevation above which the earlier DEM looks into firn.
    stated_penetration_m : what a user is told of penetration into ice and into firn; true within its stated sigma.
    """

    shift: TrueShift
    glaciers: tuple[GlacierTruth, ...]
    mean_dh_m: float
    firn_line_m: float
    stated_penetration_m: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class SceneFiles:
    """Where a scene was written, and what is true of it; ``filled`` is 1 where a void was filled, None without."""

    earlier: Path
    later: Path
    outlines: Path
    filled: Path | None
    truth: SceneTruth


@dataclass(frozen=True, kw_only=True)
class MadeScene:
    """A scene in memory.

    Attributes
    ----------
    earlier_m, later_m : the two DEMs, NaN where void; cells of 3" and of 1".
    filled : cells of the earlier DEM that hold a third DEM's heights.
    """

    scene: Scene
    ground: Ground
    change: Change
    earlier_m: FloatArray
    later_m: FloatArray
    filled: BoolArray
    truth: SceneTruth


def write_scene(scene: Scene, folder: Path) -> SceneFiles:
    """Write earlier.tif, later.tif, outlines.gpkg and, where voids were filled, filled.tif; WGS 84 in degrees."""
    made = make_scene(scene)
    folder.mkdir(parents=True, exist_ok=True)
    whole = np.where(np.isnan(made.earlier_m), VOID_EARLIER, np.rint(made.earlier_m)).astype(np.int16)
    earlier, later, outlines = folder / "earlier.tif", folder / "later.tif", folder / "outlines.gpkg"
    _write_raster(earlier, whole if scene.noisy else made.earlier_m.astype(np.float32), scene, EARLIER_SECONDS)
    _write_raster(later, made.later_m.astype(np.float32), scene, LATER_SECONDS)
    identities = [glacier.glacier_id for glacier in made.truth.glaciers]
    frame = gpd.GeoDataFrame({"glacier_id": identities}, geometry=list(made.ground.outlines), crs="EPSG:4326")
    frame.to_file(outlines, driver="GPKG")
    filled = folder / "filled.tif" if scene.filled_voids else None
    if filled:
        _write_raster(filled, made.filled.astype(np.uint8), scene, EARLIER_SECONDS)
    return SceneFiles(earlier=earlier, later=later, outlines=outlines, filled=filled, truth=made.truth)


def make_scene(scene: Scene) -> MadeScene:
    """Ground, change and both DEMs of a scene."""
    grid = _fine_grid(scene)
    ground = _ground(grid, scene.seed)
    change = make_change(ground, scene.seed, scene.surge_m)
    hummocks = _hummocks(ground, scene)
    first, second = ground.surface_m + hummocks[0], ground.surface_m + change.true_m + hummocks[1]
    truth = _truth(ground, change, second - first, scene)
    seen = first - _penetration(ground, truth.firn_line_m, scene)
    earlier = _earlier(seen, grid, truth.shift, scene)
    filled = np.zeros(earlier.shape, bool)
    if scene.void_share:
        voids = _voids(ground, scene)
        if scene.filled_voids:
            filled = voids
            earlier[voids] = _filling(second, grid, truth.shift, scene)[voids]
        else:
            earlier[voids] = np.nan
    later = _later(second, ground, scene)
    return MadeScene(
        scene=scene, ground=ground, change=change, earlier_m=earlier, later_m=later, filled=filled, truth=truth
    )


@lru_cache(maxsize=1)
def _ground(grid: FineGrid, seed: int) -> Ground:
    """Kept for the twin of a scene, which lies on the same ground; nobody changes its arrays."""
    ground = make_ground(grid, seed, Relief(median_slope_deg=stream(seed, "slope").uniform(22, 25)))
    for values in (ground.surface_m, ground.glaciers):
        values.setflags(write=False)
    return ground


def _fine_grid(scene: Scene) -> FineGrid:
    rows, columns = scene.size_seconds
    latitude = 43.0 + 0.9 * stream(scene.seed, "place").random()
    north = round((latitude + rows / 2 * ARC_SECOND) * 1200) / 1200
    west = round((MERIDIAN - columns / 2 * ARC_SECOND) * 1200) / 1200
    shape = tuple((size + 2 * MARGIN_SECONDS) * FINE_PER_SECOND for size in scene.size_seconds)
    margin = MARGIN_SECONDS * ARC_SECOND
    return FineGrid(west - margin, north + margin, (shape[0], shape[1]))


def _write_raster(path: Path, values: NDArray[np.generic], scene: Scene, seconds: int) -> None:
    """A raster whose cells lie around whole multiples of their size, as those of the originals do."""
    grid, step = _fine_grid(scene), seconds * ARC_SECOND
    west, north = grid.west + MARGIN_SECONDS * ARC_SECOND, grid.north - MARGIN_SECONDS * ARC_SECOND
    nodata = {"int16": VOID_EARLIER, "uint8": None}.get(values.dtype.name, VOID_LATER)
    stored = np.nan_to_num(values, nan=VOID_LATER) if values.dtype.kind == "f" else values
    profile = {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": values.dtype.name,
        "crs": "EPSG:4326", "transform": Affine(step, 0, west - step / 2, 0, -step, north + step / 2), "nodata": nodata,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(stored, 1)


def _truth(ground: Ground, change: Change, true_m: FloatArray, scene: Scene) -> SceneTruth:
    means, areas = ground.mean_over(true_m)
    draw = stream(scene.seed, "shift")
    shift = TrueShift(draw.uniform(-45, 45), draw.uniform(-45, 45), draw.uniform(-6, 6))
    glaciers = tuple(
        GlacierTruth(f"G{number:02d}", float(area / 1e6), float(mean), number in change.surged)
        for number, (mean, area) in enumerate(zip(means, areas, strict=True), 1)
    )
    told = stream(scene.seed, "stated").normal(0, SIGMA_PENETRATION_M, 2)
    stated = np.array([0.25, 1.0]) * scene.penetration_m + told if scene.penetration_m else np.zeros(2)
    firn_line = float(np.median(ground.surface_m[ground.glaciers > 0]))
    mean = float((means * areas).sum() / areas.sum())
    return SceneTruth(
        shift=shift,
        glaciers=glaciers,
        mean_dh_m=mean,
        firn_line_m=firn_line,
        stated_penetration_m=(float(stated[0]), float(stated[1])),
    )


def _hummocks(ground: Ground, scene: Scene) -> tuple[FloatArray, FloatArray]:
    """Rough debris on the lower third of every second glacier at both dates: partly the same, moved, partly new."""
    if not scene.debris_m:
        return np.zeros(ground.grid.shape), np.zeros(ground.grid.shape)
    draw = stream(scene.seed, "debris")
    height = ground.heights_within
    covered = (ground.glaciers % 2 == 1) & (height < 0.45)
    cover = np.where(covered, scene.debris_m, 0.0) * (1 - np.exp(-((ground.from_margin_m / 60.0) ** 2)))
    kept, old, new = (_hummocky(ground.grid, draw) for _ in range(3))
    moved = np.roll(kept, (3, -4), axis=(0, 1))
    return cover * (0.7 * kept + 0.7 * old), cover * (0.7 * moved + 0.7 * new)


def _hummocky(grid: FineGrid, draw: np.random.Generator) -> FloatArray:
    """Hummocks of 70 to 300 m, sharper above than below, mean 0, variance about 1."""
    ridged = np.abs(bumps(grid.shape, grid.metres, 300.0, draw)) - 0.8
    result: FloatArray = 0.9 * ridged + 0.6 * bumps(grid.shape, grid.metres, 140.0, draw)
    return result + 0.4 * bumps(grid.shape, grid.metres, 75.0, draw)


def _penetration(ground: Ground, firn_line_m: float, scene: Scene) -> FloatArray:
    """How far below the glaciers' surface the earlier DEM lies, m."""
    depth = np.where(ground.surface_m > firn_line_m, 1.0, 0.25) * scene.penetration_m
    return np.where(ground.glaciers > 0, depth, 0.0)


def _earlier(surface_m: FloatArray, grid: FineGrid, shift: TrueShift, scene: Scene) -> FloatArray:
    """The earlier DEM's cells, float, before voids."""
    north, east = (size // EARLIER_SECONDS for size in scene.size_seconds)
    fine = EARLIER_SECONDS * FINE_PER_SECOND
    per_second = [metres * ARC_SECOND / 2 for metres in metres_per_degree(grid.middle_latitude)]
    start = MARGIN_SECONDS * FINE_PER_SECOND
    rows = start + fine * np.arange(north) - shift.north / GRID_SCALE / per_second[0]
    columns = start + fine * np.arange(east) + shift.east / GRID_SCALE / per_second[1]
    seen = _cell_means(surface_m, grid, EARLIER_SECONDS, EARLIER_SPREAD_M)
    heights: FloatArray = _sampled(seen, rows, columns) - shift.up
    heights += _undulation(heights.shape, grid, scene)
    heights += _tilted(heights.shape, grid, scene)
    if scene.noisy:
        slope = _sampled(_smooth_slope(surface_m, grid), rows, columns)
        heights += _noise(slope, _cell_metres(grid, EARLIER_SECONDS), EARLIER_NOISE, stream(scene.seed, "earlier"))
    if scene.blunder_share:
        heights += _blunders(heights.shape, scene)
    return heights


def _later(surface_m: FloatArray, ground: Ground, scene: Scene) -> FloatArray:
    """The later DEM's cells."""
    grid = ground.grid
    own = slice(MARGIN_SECONDS * FINE_PER_SECOND, -MARGIN_SECONDS * FINE_PER_SECOND, FINE_PER_SECOND)
    detail = (EARLIER_SECONDS, EARLIER_SPREAD_M) if scene.same_detail else (LATER_SECONDS, LATER_SPREAD_M)
    snowy = surface_m + _snow(ground, scene) if scene.snow_m else surface_m
    heights = _cell_means(snowy, grid, *detail)[own, own] * (1 + scene.kappa)
    if scene.noisy:
        slope = _smooth_slope(ground.surface_m, grid)[own, own]
        heights = heights + _noise(slope, _cell_metres(grid, LATER_SECONDS), LATER_NOISE, stream(scene.seed, "later"))
    return heights


def _cell_means(surface_m: FloatArray, grid: FineGrid, seconds: int, spread_m: float) -> FloatArray:
    """Means over cells around every fine place, of what a Gaussian point spread leaves."""
    spread: FloatArray = ndimage.gaussian_filter(
        surface_m, [spread_m / metres for metres in grid.metres], mode="nearest"
    )
    weights = np.ones(seconds * FINE_PER_SECOND + 1)
    weights[[0, -1]] = 0.5
    for axis in (0, 1):
        spread = ndimage.correlate1d(spread, weights / weights.sum(), axis=axis, mode="nearest")
    return spread


def _sampled(values: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    result: FloatArray = ndimage.map_coordinates(values, np.meshgrid(rows, columns, indexing="ij"), order=3)
    return result


def _cell_metres(grid: FineGrid, seconds: int) -> tuple[float, float]:
    return grid.metres[0] * seconds * FINE_PER_SECOND, grid.metres[1] * seconds * FINE_PER_SECOND


def _smooth_slope(surface_m: FloatArray, grid: FineGrid) -> FloatArray:
    """Tangent of the slope over some 90 m at every fine place."""
    seen = ndimage.uniform_filter(surface_m, 6, mode="nearest")
    return slope_of(seen, grid.metres)


@dataclass(frozen=True)
class Noise:
    """A DEM's noise.

    Attributes
    ----------
    flat_m, per_tangent_m : standard deviation on flat ground, and what it gains per tangent of the slope.
    parts : share of the variance and wavelength (m) of each correlated part.
    offset_m : standard deviation of a part of 3 km that does not grow with slope.
    """

    flat_m: float
    per_tangent_m: float
    parts: tuple[tuple[float, float], ...]
    offset_m: float


EARLIER_NOISE = Noise(1.6, 3.6, ((0.80, 250.0), (0.14, 900.0), (0.06, 3000.0)), 0.35)
LATER_NOISE = Noise(0.4, 1.6, ((0.85, 120.0), (0.10, 600.0), (0.05, 2500.0)), 0.15)


def _noise(slope: FloatArray, metres: tuple[float, float], noise: Noise, draw: np.random.Generator) -> FloatArray:
    unit = sum(np.sqrt(share) * bumps(slope.shape, metres, length, draw) for share, length in noise.parts)
    sigma = noise.flat_m + noise.per_tangent_m * np.minimum(slope, 2.0)
    result: FloatArray = sigma * unit + noise.offset_m * bumps(slope.shape, metres, 6000.0, draw)
    return result


def _places_m(shape: tuple[int, int], grid: FineGrid) -> tuple[FloatArray, FloatArray]:
    """Metres north and east of the middle for the cells of the earlier DEM."""
    north, east = _cell_metres(grid, EARLIER_SECONDS)
    return north * ((shape[0] - 1) / 2 - np.arange(shape[0])[:, None]), east * (
        np.arange(shape[1]) - (shape[1] - 1) / 2
    )


def _undulation(shape: tuple[int, int], grid: FineGrid, scene: Scene) -> FloatArray:
    """Waves along a track at 30 to 60 degrees; the longer one of the amplitude asked, the shorter a third of it."""
    draw = stream(scene.seed, "undulation")
    north, east = _places_m(shape, grid)
    azimuth = np.radians(draw.uniform(30, 60))
    along = north * np.cos(azimuth) + east * np.sin(azimuth)
    total = np.zeros(shape)
    for share, length in ((1.0, draw.uniform(6000, 14_000)), (1 / 3, draw.uniform(2500, 5000))):
        total += share * np.sin(2 * np.pi * (along / length + draw.random()))
    return scene.undulation_m * total


def _tilted(shape: tuple[int, int], grid: FineGrid, scene: Scene) -> FloatArray:
    north, east = _places_m(shape, grid)
    azimuth = stream(scene.seed, "tilt").uniform(0, 2 * np.pi)
    result: FloatArray = scene.tilt * (north * np.cos(azimuth) + east * np.sin(azimuth))
    return result


def _blunders(shape: tuple[int, int], scene: Scene) -> FloatArray:
    """Patches of two to six cells that are wrong by some -60 to +90 m, on rock and on ice alike."""
    draw = stream(scene.seed, "blunders")
    rough = bumps(shape, (1.0, 1.0), 7.0, draw)
    hit = rough > np.quantile(rough, 1 - scene.blunder_share)
    patches, count = ndimage.label(hit)
    size = draw.normal(15, 35, count + 1)
    size[0] = 0
    result: FloatArray = size[patches] + np.where(hit, draw.normal(0, 5, shape), 0.0)
    return result


def _snow(ground: Ground, scene: Scene) -> FloatArray:
    """Snow on the highest fifth of the stable ground where it is not too steep to lie, m."""
    draw = stream(scene.seed, "snow")
    off = ground.glaciers == 0
    line = np.quantile(ground.surface_m[off], 0.8)
    depth = np.clip((ground.surface_m - line) / 150.0, 0, 1)
    lies = np.clip((1.0 - _smooth_slope(ground.surface_m, ground.grid)) / 0.3, 0, 1)
    drifts = np.clip(1 + 0.4 * bumps(ground.grid.shape, ground.grid.metres, 1500.0, draw), 0, None)
    # the glaciers' change is that of the surface at both dates: snow of a season on them is another kind of error
    result: FloatArray = np.where(off, scene.snow_m * depth * lies * drifts, 0.0)
    return result


def _voids(ground: Ground, scene: Scene) -> BoolArray:
    """Cells of the earlier DEM without a height: the ragged high part of every glacier, 10 % up to the share asked."""
    draw = stream(scene.seed, "voids")
    cells = slice(
        MARGIN_SECONDS * FINE_PER_SECOND, -MARGIN_SECONDS * FINE_PER_SECOND, EARLIER_SECONDS * FINE_PER_SECOND
    )
    glaciers, height = ground.glaciers[cells, cells], ground.heights_within[cells, cells]
    ragged = height + 0.15 * bumps(height.shape, _cell_metres(ground.grid, EARLIER_SECONDS), 700.0, draw)
    voids = np.zeros(glaciers.shape, bool)
    for number in range(1, len(ground.outlines) + 1):
        on = glaciers == number
        share = draw.uniform(0.1, scene.void_share)
        if on.any():
            voids |= on & (ragged > np.quantile(ragged[on], 1 - share))
    return voids


def _filling(surface_m: FloatArray, grid: FineGrid, shift: TrueShift, scene: Scene) -> FloatArray:
    """A third DEM of the later surface on the earlier DEM's cells, brought to its position, with noise of its own."""
    quiet = replace(scene, noisy=False, blunder_share=0.0)
    heights = _earlier(surface_m, grid, shift, quiet)
    return heights + 3.0 * bumps(heights.shape, _cell_metres(grid, EARLIER_SECONDS), 250.0, stream(scene.seed, "third"))


def _table() -> tuple[Scene, ...]:
    """All scenes: seeds and amplitudes of every kind."""
    fifths = (0.0, 0.25, 0.5, 0.75, 1.0)
    plain = [Scene(kind="plain", seed=101 + number) for number in range(8)]
    together = [
        Scene(
            kind="together", seed=901 + number, surge_m=25 + 2 * number, debris_m=3 + 0.5 * number,
            void_share=0.25 + 0.05 * number, blunder_share=0.01 + 0.005 * number, snow_m=0.5 + 0.2 * number,
            undulation_m=1 + 0.25 * number, tilt=(0.4 + 0.2 * number) * 1e-4,
        )
        for number in range(8)
    ]  # fmt: skip
    by_amplitude = [
        [
            Scene(kind="surges", seed=201 + number, surge_m=25 + 15 * part),
            Scene(kind="debris", seed=301 + number, debris_m=3 + 4 * part),
            Scene(kind="voids", seed=401 + number, void_share=0.2 + 0.4 * part),
            Scene(kind="blunders", seed=501 + number, blunder_share=0.01 + 0.04 * part),
            Scene(kind="snow", seed=601 + number, snow_m=0.5 + 1.5 * part),
            Scene(kind="undulation", seed=701 + number, undulation_m=1 + 2 * part),
            Scene(kind="tilt", seed=801 + number, tilt=(0.4 + 1.6 * part) * 1e-4),
            Scene(kind="penetration", seed=1001 + number, penetration_m=1 + 3 * part),
            Scene(kind="filled_voids", seed=1101 + number, void_share=0.2 + 0.4 * part, filled_voids=True),
            Scene(kind="kappa_z", seed=1201 + number, kappa=0.003 + 0.007 * part),
        ]
        for number, part in enumerate(fifths)
    ]
    scenes = [*plain, *together, *(scene for same in by_amplitude for scene in same)]
    return tuple(sorted(scenes, key=lambda scene: scene.seed))


SCENES = _table()
# the third of every kind, of middling amplitude
SLOW_TEST_SCENES = tuple(scene for scene in SCENES if scene.seed % 100 == 3)
