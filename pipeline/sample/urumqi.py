"""The synthetic Urumqi River Basin: an invented landscape observed the way SRTM V3 and FABDEM V1-2 observe a real one.

Sign conventions. Elevation change is later minus earlier. ``SeenAs.shift`` is what must be added to the position
of the earlier DEM to bring it onto the later one; the earlier DEM is therefore displaced by its negative. The datum
difference is the EGM2008 height minus the EGM96 height of a place: what must be added to an EGM96 height.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyogrio
import rasterio
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy import ndimage
from scipy.interpolate import RectBivariateSpline
from shapely.geometry.base import BaseGeometry

from pipeline.elevation_change.result import Shift
from pipeline.grid import BoolArray, FloatArray, utm_crs
from pipeline.progress import Tell, silent
from pipeline.sample.geoids import EGM96_GRID, EGM2008_GRID, write_geoids
from pipeline.sample.glaciation import (
    EVERYWHERE,
    IceSettings,
    LabelArray,
    contour_polygons,
    cut_outlines,
    divide_cells,
    grow_ice,
    longest_flowlines,
    part_glaciers,
    thinning,
)
from pipeline.sample.terrain import (
    ReliefSettings,
    bend,
    carve_relief,
    correlated_field,
    refine,
    round_valleys,
    slope_tangent,
    stream,
)
from schemas.errors import BadInput

SEED = 7
SRTM_FOLDER, FABDEM_FOLDER, OUTLINES_FOLDER, GEOIDS_FOLDER = "srtm_v3", "fabdem_v1-2", "outlines", "geoids"
SRTM_VOID, FABDEM_VOID = -32768, -9999.0
SYNTHETIC = "SYNTHETIC: made by a seeded program, no observation of any real place"

_LATTICE_M = 101.0  # spacing of the lattice on which relief and ice are made
_ARC_SECOND_M = 30.87  # length of a second of latitude
_RIM_M = 5500.0  # the lattice reaches this far beyond the tiles' content, so that no edge of it is seen
_LEAST_MAPPED_KM2 = 0.01  # inventories leave out what is smaller
_FRINGE = 12  # arc seconds by which the fine surface reaches beyond the content: averaging, shift, spline

# one random stream a purpose
_RELIEF, _BENDING, _THINNING, _ROUGHNESS, _NOISE_EARLIER, _NOISE_LATER, _VOIDS = range(1, 8)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Which landscape: seed, extent (degrees) and height range (m).

    Tiles that the extent touches are written whole, filled over the extent and ``margin_deg`` around it as far as
    those tiles reach.
    """

    seed: int = SEED
    west: float = 86.5
    south: float = 43.0
    east: float = 87.5
    north: float = 43.3
    lowest_m: float = 2500.0
    highest_m: float = 4500.0
    margin_deg: float = 0.03
    relief: ReliefSettings = field(default_factory=ReliefSettings)
    ice: IceSettings = field(default_factory=IceSettings)

    def __post_init__(self) -> None:
        if not (self.west < self.east and self.south < self.north and self.lowest_m < self.highest_m):
            raise ValueError(f"extent or heights out of order: {self}")

    @property
    def tiles(self) -> tuple[tuple[int, int], ...]:
        """(latitude, longitude) of the south-western corner of each tile, northern hemisphere, east of Greenwich."""
        latitudes = range(int(np.floor(self.south)), int(np.ceil(self.north)))
        longitudes = range(int(np.floor(self.west)), int(np.ceil(self.east)))
        return tuple((latitude, longitude) for latitude in latitudes for longitude in longitudes)

    @property
    def tile_bounds(self) -> tuple[float, float, float, float]:
        """West, south, east and north of all tiles, degrees."""
        latitudes, longitudes = zip(*self.tiles, strict=True)
        return min(longitudes), min(latitudes), max(longitudes) + 1, max(latitudes) + 1

    @property
    def content(self) -> tuple[int, int, int, int]:
        """West, south, east, north of the filled part, in arc seconds, multiples of three."""
        west, south = min(t[1] for t in self.tiles), min(t[0] for t in self.tiles)
        east, north = max(t[1] for t in self.tiles) + 1, max(t[0] for t in self.tiles) + 1
        margin = self.margin_deg
        return (
            max(3600 * west, 3 * round((self.west - margin) * 1200)),
            max(3600 * south, 3 * round((self.south - margin) * 1200)),
            min(3600 * east, 3 * round((self.east + margin) * 1200)),
            min(3600 * north, 3 * round((self.north + margin) * 1200)),
        )

    @property
    def crs(self) -> str:
        """UTM zone of the extent's centre, in whose metres the shift is meant."""
        return utm_crs((self.west + self.east) / 2, (self.south + self.north) / 2)


@dataclass(frozen=True, kw_only=True)
class SeenAs:
    """How the two products see the landscape; every constant of shift, datum, noise and voids stands here.

    Attributes
    ----------
    shift : to be added to the earlier DEM's position to bring it onto the later one (m), apart from the datum.
    datum_mean_m, datum_variation_m : EGM2008 height minus EGM96 height: mean over the extent and amplitude about it.
    short_sigma_m, short_range_m : radar noise of the earlier DEM on level ground and its correlation length.
    slope_noise : growth of that noise with the slope's tangent.
    long_sigma_m, long_range_m : the earlier DEM's noise of long range.
    later_sigma_m, later_range_m : noise of the later DEM.
    shadow_voids, glacier_voids : number of voids on steep walls, and of voids that touch glaciers.
    void_radius_m : mean radius of a void.
    """

    shift: Shift = field(default_factory=lambda: Shift(east=14.3, north=-9.7, up=-1.4))
    datum_mean_m: float = 0.30
    datum_variation_m: float = 0.10
    short_sigma_m: float = 1.8
    short_range_m: float = 150.0
    slope_noise: float = 0.5
    long_sigma_m: float = 0.3
    long_range_m: float = 4000.0
    later_sigma_m: float = 0.4
    later_range_m: float = 60.0
    shadow_voids: int = 14
    glacier_voids: int = 3
    void_radius_m: float = 300.0


@dataclass(frozen=True)
class Glacier:
    """One glacier: its number and its outlines of both epochs in degrees; ``later`` is None when it melted away."""

    number: int
    earlier: BaseGeometry
    later: BaseGeometry | None
    longest_m: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """The invented truth.

    Attributes
    ----------
    scene : what it was made from.
    longitude, latitude : of the columns and rows, in whole arc seconds (degrees); latitude decreases.
    earlier_m : surface at the earlier epoch, EGM2008 heights, shape (rows, columns).
    dh_m : elevation change, later minus earlier, exactly zero where no glacier was.
    glaciers : by number from west to east.
    """

    scene: Scene
    longitude: FloatArray
    latitude: FloatArray
    earlier_m: FloatArray
    dh_m: FloatArray
    glaciers: tuple[Glacier, ...]

    @property
    def transform(self) -> Affine:
        """(column, row) of the upper-left pixel corner to degrees."""
        second = 1 / 3600
        return Affine(second, 0, self.longitude[0] - second / 2, 0, -second, self.latitude[0] + second / 2)

    @property
    def pixel_m(self) -> tuple[float, float]:
        """Width and height of a pixel at the middle of the landscape (m)."""
        return _ARC_SECOND_M * float(np.cos(np.radians(self.latitude.mean()))), _ARC_SECOND_M

    def numbers(self, outlines: dict[int, BaseGeometry]) -> LabelArray:
        """Raster of glacier numbers whose outline holds the pixel's centre, 0 elsewhere.

        Parameters
        ----------
        outlines : by glacier number, degrees.
        """
        if not outlines:
            return np.zeros(self.earlier_m.shape, np.int32)
        pairs = [(outline, number) for number, outline in outlines.items()]
        burnt = rasterize(pairs, self.earlier_m.shape, transform=self.transform, dtype="int32")
        return np.asarray(burnt, np.int32)


# --- the landscape ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Lattice:
    """The coarse lattice of relief and ice: degrees of its first place and steps, and its shape."""

    west: float
    north: float
    step_east: float
    step_south: float
    shape: tuple[int, int]

    @classmethod
    def around(cls, scene: Scene) -> _Lattice:
        west, south, east, north = (edge / 3600 for edge in scene.content)
        step_south = _LATTICE_M / _ARC_SECOND_M / 3600
        step_east = step_south / float(np.cos(np.radians((south + north) / 2)))
        rim = _RIM_M / _LATTICE_M
        shape = (
            int(np.ceil((north - south) / step_south + 2 * rim)),
            int(np.ceil((east - west) / step_east + 2 * rim)),
        )
        return cls(
            west=west - rim * step_east,
            north=north + rim * step_south,
            step_east=step_east,
            step_south=step_south,
            shape=shape,
        )

    def columns(self, longitude: FloatArray) -> FloatArray:
        return (longitude - self.west) / self.step_east

    def rows(self, latitude: FloatArray) -> FloatArray:
        return (self.north - latitude) / self.step_south

    def beyond(self, scene: Scene) -> FloatArray:
        """Distance of each place from the extent's inside (m): zero or less in it, positive outside."""
        longitude = self.west + self.step_east * np.arange(self.shape[1])
        latitude = self.north - self.step_south * np.arange(self.shape[0])
        outside_east = np.maximum(scene.west - longitude, longitude - scene.east) / self.step_east
        outside_north = np.maximum(scene.south - latitude, latitude - scene.north) / self.step_south
        return np.asarray(_LATTICE_M * np.maximum(outside_east[None, :], outside_north[:, None]))

    @property
    def transform(self) -> Affine:
        """(column, row) of a place's upper-left corner to degrees."""
        west, north = self.west - self.step_east / 2, self.north + self.step_south / 2
        return Affine(self.step_east, 0, west, 0, -self.step_south, north)


def make_landscape(scene: Scene, tell: Tell = silent) -> Landscape:
    """The landscape of a scene: rivers carve a range, ice fills its heights and thins, and fine roughness is added.

    Parameters
    ----------
    scene : extent, resolution and seed.
    tell : takes a line for each step.
    """
    lattice = _Lattice.around(scene)
    west, south, east, north = scene.content
    longitude = np.arange(west - _FRINGE, east + _FRINGE + 1) / 3600
    latitude = np.arange(north + _FRINGE, south - _FRINGE - 1, -1) / 3600
    rows, columns = lattice.rows(latitude), lattice.columns(longitude)
    tell("synthetic Urumqi: rivers carve the mountains")
    bed = _bed(scene, lattice)
    tell("synthetic Urumqi: glaciers grow")
    ice, labels = _glaciers(bed, scene, lattice)
    if not labels.any():
        raise BadInput(
            f"synthetic scene {scene.seed}", "no glacier", "at least one", "widen the extent or change the seed"
        )
    change = thinning(bed + ice, labels > 0, _LATTICE_M, scene.ice, stream(scene.seed, _THINNING))
    tell("synthetic Urumqi: outlines of both epochs")
    fine_change = refine(change, rows, columns)
    above = refine(ice, rows, columns) - scene.ice.margin_m
    above = _without_islands(above, labels, (rows, columns), scene.ice)
    before = np.maximum(above, 0.0)
    after = np.where(above > 0, np.maximum(above + fine_change, 0.0), 0.0)
    ground = refine(bed, rows, columns)
    rough = _roughness(ground, before, stream(scene.seed, _ROUGHNESS))
    later = np.minimum(above, above + fine_change)
    surfaces = (bed + ice, ice + np.minimum(change, 0.0) > scene.ice.margin_m)
    glaciers = _outlines((above, later), (longitude, latitude), (surfaces[0], labels, surfaces[1]), lattice)
    return Landscape(
        scene=scene,
        longitude=longitude,
        latitude=latitude,
        earlier_m=ground + before + rough,
        dh_m=after - before,
        glaciers=glaciers,
    )


def _bed(scene: Scene, lattice: _Lattice) -> FloatArray:
    """Bed (m) on the lattice, stretched so that the extent spans the scene's height range."""
    carved = carve_relief(lattice.shape, _LATTICE_M, scene.relief, stream(scene.seed, _RELIEF))
    bent = bend(carved, _LATTICE_M, stream(scene.seed, _BENDING))
    inside = lattice.beyond(scene) <= 0
    rounded = round_valleys(_stretched(bent, inside, scene), 4.0, 15.0)
    return _stretched(rounded, inside, scene)


def _stretched(surface: FloatArray, inside: BoolArray, scene: Scene) -> FloatArray:
    low, high = surface[inside].min(), surface[inside].max()
    return np.asarray(scene.lowest_m + (surface - low) * (scene.highest_m - scene.lowest_m) / (high - low))


def _glaciers(bed: FloatArray, scene: Scene, lattice: _Lattice) -> tuple[FloatArray, LabelArray]:
    """Ice thickness and glacier numbers on the lattice; only glaciers wholly inside the extent."""
    beyond = lattice.beyond(scene)
    warmer = 0.5 * np.clip(beyond + 1800.0, 0.0, 3000.0)
    ice = ndimage.gaussian_filter(grow_ice(bed, _LATTICE_M, warmer, scene.ice), 0.7)
    parts, _ = ndimage.label(ice > scene.ice.margin_m, EVERYWHERE)
    least = scene.ice.least_area_km2 * 1e6 / _LATTICE_M**2
    kept = np.bincount(parts.ravel()) >= 1.2 * least
    kept[np.unique(parts[beyond > -250.0])] = False
    kept[0] = False
    nearby = ndimage.grey_dilation(np.where(kept[parts], parts, 0), size=(3, 3)) > 0
    ice = np.where(nearby, ice, 0.0)
    return ice, part_glaciers(bed + ice, kept[parts], int(np.ceil(4 * least)))


def _without_islands(
    above: FloatArray, labels: LabelArray, at: tuple[FloatArray, FloatArray], ice: IceSettings
) -> FloatArray:
    """Ice above the margin with specks removed that the fine lattice shows but no numbered glacier owns."""
    parts, count = ndimage.label(above > 0, EVERYWHERE)
    nearest = labels[np.ix_(np.rint(at[0]).astype(int), np.rint(at[1]).astype(int))]
    owned = np.bincount(parts.ravel(), weights=(nearest > 0).ravel(), minlength=count + 1)
    pixels = ice.least_area_km2 / (_ARC_SECOND_M**2 * 0.73 * 1e-6)
    speck = (np.bincount(parts.ravel()) < pixels) | (owned == 0)
    speck[0] = False
    return np.where(speck[parts], -ice.margin_m, above)


def _roughness(ground: FloatArray, ice: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Fractal roughness (m) of rock and debris, strongest on steep ground, nearly absent on ice."""
    pixel = (_ARC_SECOND_M * 0.73, _ARC_SECOND_M)
    length_m = 2 * np.pi * 90.0
    texture = correlated_field(ground.shape, (length_m / pixel[1], length_m / pixel[0]), 1.9, rng)
    steepness = ndimage.gaussian_filter(slope_tangent(ground, pixel), 3.0)
    bare = 0.1 + 0.9 * np.exp(-ice / 8.0)
    return np.asarray(texture * (0.6 + 7.0 * steepness) * bare)


def _outlines(
    fields: tuple[FloatArray, FloatArray],
    at: tuple[FloatArray, FloatArray],
    coarse: tuple[FloatArray, LabelArray, BoolArray],
    lattice: _Lattice,
) -> tuple[Glacier, ...]:
    """Glaciers numbered from west to east with the zero lines of both epochs' fields as outlines."""
    surface, labels, later_ice = coarse
    cells = divide_cells(labels, lattice.transform, 1.2 * lattice.step_south)
    longitude, latitude = at
    # contours want increasing coordinates
    ice = [contour_polygons(values[::-1], longitude, latitude[::-1]) for values in fields]
    earlier = cut_outlines(ice[0], cells)
    later = {n: rest for n, rest in cut_outlines(ice[1], earlier).items() if area_km2(rest) >= _LEAST_MAPPED_KM2}
    longest = longest_flowlines(surface, labels, _LATTICE_M)
    longest_later = np.zeros_like(longest)
    flowlines = longest_flowlines(surface, np.where(later_ice, labels, 0), _LATTICE_M)
    longest_later[: flowlines.size] = flowlines
    order = sorted(earlier, key=lambda number: float(earlier[number].centroid.x))
    return tuple(
        Glacier(rank, earlier[number], later.get(number), (float(longest[number]), float(longest_later[number])))
        for rank, number in enumerate(order, start=1)
    )


# --- what the satellites see --------------------------------------------------------------------------------------


def datum_difference_m(longitude: FloatArray, latitude: FloatArray, scene: Scene, seen: SeenAs) -> FloatArray:
    """EGM2008 height minus EGM96 height (m) at the given degrees: invented, smooth, its extent mean near the mean.

    Parameters
    ----------
    longitude, latitude : degrees, any one shape.
    scene : its extent.
    seen : the mean of the difference.
    """
    east = (longitude - scene.west) / (scene.east - scene.west)
    north = (latitude - scene.south) / (scene.north - scene.south)
    wave = 0.7 * np.sin(2 * np.pi * east + 0.6) + 0.5 * (north - 0.5)
    return np.asarray(seen.datum_mean_m + seen.datum_variation_m * wave)


def observe_earlier(land: Landscape, seen: SeenAs) -> NDArray[np.int16]:
    """The SRTM posts over the scene's content, every 3": the mean of the 3" x 3" cell about each displaced post.

    SRTM(p) = mean of the earlier surface about (p + horizontal shift) - shift.up - datum difference + noise.

    Parameters
    ----------
    land : the true surfaces.
    seen : shift, datum and noise of the observation.
    """
    west, south, east, north = land.scene.content
    longitude, latitude = np.arange(west, east + 1, 3) / 3600, np.arange(north, south - 1, -3) / 3600
    averaged = ndimage.uniform_filter(land.earlier_m, 3)
    east_deg, north_deg = _displacement(longitude, latitude, land.scene.crs, seen.shift)
    columns = (longitude[None, :] + east_deg - land.longitude[0]) * 3600
    rows = (land.latitude[0] - latitude[:, None] - north_deg) * 3600
    heights = ndimage.map_coordinates(averaged, [rows, columns], order=3)
    heights -= seen.shift.up
    heights -= datum_difference_m(longitude[None, :], latitude[:, None], land.scene, seen)
    pixel_m = (3 * land.pixel_m[0], 3 * land.pixel_m[1])
    steep = slope_tangent(heights, pixel_m)
    heights += _radar_noise(steep, pixel_m, seen, stream(land.scene.seed, _NOISE_EARLIER))
    posts: NDArray[np.int16] = np.rint(heights).astype(np.int16)
    icy = (land.dh_m != 0)[_FRINGE:-_FRINGE:3, _FRINGE:-_FRINGE:3]
    posts[_voids(steep, icy, pixel_m, seen, stream(land.scene.seed, _VOIDS))] = SRTM_VOID
    return posts


def observe_later(land: Landscape, seen: SeenAs) -> NDArray[np.float32]:
    """The FABDEM pixels over the scene's content, every 1": the later surface with a little noise.

    Parameters
    ----------
    land : the true surfaces.
    seen : noise of the observation.
    """
    inner = (slice(_FRINGE, -_FRINGE), slice(_FRINGE, -_FRINGE))
    surface = (land.earlier_m + land.dh_m)[inner]
    length = 2 * np.pi * seen.later_range_m
    wavelength = (length / land.pixel_m[1], length / land.pixel_m[0])
    noise = correlated_field(surface.shape, wavelength, 2.0, stream(land.scene.seed, _NOISE_LATER))
    return np.asarray(np.round(surface + seen.later_sigma_m * noise, 2), np.float32)


def _displacement(longitude: FloatArray, latitude: FloatArray, crs: str, shift: Shift) -> tuple[FloatArray, FloatArray]:
    """Degrees east and north that a constant shift in projected metres means at each (latitude, longitude)."""
    coarse_lon = np.linspace(float(longitude[0]), float(longitude[-1]), 17)
    coarse_lat = np.linspace(float(latitude[-1]), float(latitude[0]), 17)
    grid_lon, grid_lat = np.meshgrid(coarse_lon, coarse_lat)
    project = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    easting, northing = project.transform(grid_lon, grid_lat)
    moved_lon, moved_lat = project.transform(easting + shift.east, northing + shift.north, direction="INVERSE")
    parts = (moved_lon - grid_lon, moved_lat - grid_lat)
    splines = [RectBivariateSpline(coarse_lat, coarse_lon, part, s=0) for part in parts]
    east, north = (spline(latitude[::-1], longitude)[::-1] for spline in splines)
    return east, north


def _radar_noise(steep: FloatArray, pixel_m: tuple[float, float], seen: SeenAs, rng: np.random.Generator) -> FloatArray:
    fields = []
    for length_m in (seen.short_range_m, seen.long_range_m):
        wavelength = (2 * np.pi * length_m / pixel_m[1], 2 * np.pi * length_m / pixel_m[0])
        fields.append(correlated_field(steep.shape, wavelength, 2.0, rng))
    growth = 1.0 + seen.slope_noise * ndimage.gaussian_filter(steep, 1.0)
    return np.asarray(seen.short_sigma_m * growth * fields[0] + seen.long_sigma_m * fields[1])


def _voids(
    steep: FloatArray, icy: BoolArray, pixel_m: tuple[float, float], seen: SeenAs, rng: np.random.Generator
) -> BoolArray:
    """Ragged voids about random places among the steepest walls, a few of them beside or on glaciers."""
    places: list[int] = []
    near_ice = ndimage.binary_dilation(icy, EVERYWHERE)
    for allowed, count in ((~near_ice, seen.shadow_voids), (near_ice, seen.glacier_voids)):
        candidates = np.flatnonzero(allowed)
        if candidates.size:
            walls = candidates[np.argsort(steep.ravel()[candidates], kind="stable")[-max(1, candidates.size // 200) :]]
            places.extend(int(place) for place in rng.choice(walls, min(count, walls.size), replace=False))
    void = np.zeros(steep.shape, bool)
    ragged = 1.0 + 0.35 * correlated_field(steep.shape, (12.0, 12.0), 2.0, rng)
    row, column = np.ogrid[: steep.shape[0], : steep.shape[1]]
    for place in sorted(places):
        middle = divmod(place, steep.shape[1])
        distance = np.hypot((row - middle[0]) * pixel_m[1], (column - middle[1]) * pixel_m[0])
        void |= distance < seen.void_radius_m * rng.uniform(0.4, 1.4) * ragged
    return void


# --- the files ----------------------------------------------------------------------------------------------------


def write_urumqi_inputs(folder: Path, seed: int = SEED, tell: Tell = silent) -> None:
    """Write the embedded sample as the real products come: SRTM tiles, FABDEM tiles, outlines of 2000 and 2012, geoids.

    The same seed gives the same bytes. Of the truth the difference of the two datums alone is among the files.

    Parameters
    ----------
    folder : made where it is missing.
    seed : of the sample.
    tell : takes a line for each step.
    """
    write_inputs(folder, make_landscape(Scene(seed=seed), tell), SeenAs(), tell)


def write_inputs(folder: Path, land: Landscape, seen: SeenAs, tell: Tell = silent) -> None:
    """Write tiles, outlines and geoid grids that show ``land`` as ``seen``, and a README that calls them synthetic.

    Parameters
    ----------
    folder : made where it is missing.
    land : the true surfaces.
    seen : how they were observed.
    tell : takes a line for each step.
    """
    for name in (SRTM_FOLDER, FABDEM_FOLDER, OUTLINES_FOLDER):
        (folder / name).mkdir(parents=True, exist_ok=True)
    tell("synthetic Urumqi: SRTM tiles")
    posts, pixels = observe_earlier(land, seen), observe_later(land, seen)
    for latitude, longitude in land.scene.tiles:
        name = f"N{latitude:02d}E{longitude:03d}"
        corner = (3600 * longitude, 3600 * (latitude + 1))
        tile = _cut(posts, land.scene.content, corner, (3, 1201), SRTM_VOID)
        (folder / SRTM_FOLDER / f"{name}.hgt").write_bytes(tile.astype(">i2").tobytes())
    tell("synthetic Urumqi: FABDEM tiles")
    for latitude, longitude in land.scene.tiles:
        name = f"N{latitude:02d}E{longitude:03d}_FABDEM_V1-2.tif"
        corner = (3600 * longitude, 3600 * (latitude + 1))
        _write_fabdem(
            folder / FABDEM_FOLDER / name, _cut(pixels, land.scene.content, corner, (1, 3600), FABDEM_VOID), corner
        )
    tell("synthetic Urumqi: glacier outlines")
    for epoch, later in ((2000, False), (2012, True)):
        _write_outlines(folder / OUTLINES_FOLDER / f"glaciers_{epoch}.shp", outline_table(land, later))
    tell("synthetic Urumqi: geoid grids")
    write_geoids(
        folder / GEOIDS_FOLDER, land.scene.tile_bounds, partial(datum_difference_m, scene=land.scene, seen=seen)
    )
    (folder / "README.txt").write_text(_readme(land.scene), encoding="utf-8", newline="\n")


def _cut(
    values: NDArray[Any],
    content: tuple[int, int, int, int],
    corner: tuple[int, int],
    lattice: tuple[int, int],
    void: float,
) -> NDArray[Any]:
    """A tile of ``lattice`` = (step in arc seconds, size), its first post at ``corner``, void beyond the content."""
    step, size = lattice
    column, row = (content[0] - corner[0]) // step, (corner[1] - content[3]) // step
    tile = np.full((size, size), void, values.dtype)
    rows, columns = values.shape
    top, left = max(0, row), max(0, column)
    bottom, right = min(size, row + rows), min(size, column + columns)
    tile[top:bottom, left:right] = values[top - row : bottom - row, left - column : right - column]
    return tile


def _write_fabdem(path: Path, heights: NDArray[np.float32], corner: tuple[int, int]) -> None:
    second = 1 / 3600
    transform = Affine(second, 0, corner[0] / 3600 - second / 2, 0, -second, corner[1] / 3600 + second / 2)
    profile = {
        "driver": "GTiff",
        "width": heights.shape[1],
        "height": heights.shape[0],
        "count": 1,
        "dtype": "float32",
        "crs": "EPSG:4326",
        "transform": transform,
        "nodata": FABDEM_VOID,
        "tiled": True,
        "blockxsize": 256,
        "blockysize": 256,
        "compress": "deflate",
        "zlevel": 6,
    }
    with rasterio.open(path, "w", **profile) as tile:
        tile.write(heights, 1)
        tile.update_tags(SYNTHETIC="yes", TIFFTAG_IMAGEDESCRIPTION=SYNTHETIC, VERTICAL_DATUM="EGM2008 (EPSG:3855)")


def area_km2(outline: BaseGeometry) -> float:
    """Area of an outline given in degrees, on the WGS 84 ellipsoid (km2).

    Parameters
    ----------
    outline : polygons, longitude and latitude in degrees.
    """
    return abs(float(Geod(ellps="WGS84").geometry_area_perimeter(outline)[0])) / 1e6


def outline_table(land: Landscape, later: bool) -> gpd.GeoDataFrame:
    """Outlines of one epoch with the attributes of the Randolph Glacier Inventory 7, in degrees.

    Parameters
    ----------
    land : the glaciers.
    later : the later epoch, else the earlier one.
    """
    outlines = {g.number: g.later if later else g.earlier for g in land.glaciers}
    standing = {number: outline for number, outline in outlines.items() if outline is not None}
    surface: FloatArray = land.earlier_m + land.dh_m if later else land.earlier_m
    numbers = land.numbers(standing)
    rise = np.gradient(surface, land.pixel_m[1], land.pixel_m[0])
    records = []
    for glacier in land.glaciers:
        outline = standing.get(glacier.number)
        inside = numbers == glacier.number if outline is not None else np.zeros(0, bool)
        if outline is None or not inside.any():
            continue
        facts = {"area_km2": round(area_km2(outline), 4), "lmax_m": round(glacier.longest_m[int(later)])}
        facts |= _relief_facts(surface[inside], rise[0][inside], rise[1][inside])
        records.append(_inventory_record(glacier.number, outline, facts, 2012 if later else 2000))
    return gpd.GeoDataFrame(records, geometry="geometry", crs="EPSG:4326")


def _relief_facts(heights: FloatArray, down: FloatArray, right: FloatArray) -> dict[str, float]:
    """Height statistics, mean slope and mean aspect (degrees, clockwise from north) of one glacier."""
    slope = np.degrees(np.arctan(np.hypot(down, right)))
    aspect = np.degrees(np.arctan2(-right.sum(), down.sum())) % 360
    return {
        "zmin_m": round(float(heights.min()), 1),
        "zmax_m": round(float(heights.max()), 1),
        "zmed_m": round(float(np.median(heights)), 1),
        "zmean_m": round(float(heights.mean()), 1),
        "slope_deg": round(float(slope.mean()), 2),
        "aspect_deg": round(float(aspect), 1),
    }


def _inventory_record(number: int, outline: BaseGeometry, facts: dict[str, float], epoch: int) -> dict[str, Any]:
    centre = outline.representative_point()
    record = {
        "rgi_id": f"SYNTHETIC-G-13-{number:05d}",
        "o1region": "13",
        "o2region": "13-04",
        "glims_id": "",
        "src_date": f"{epoch}-08-20T00:00:00",
        "cenlon": round(centre.x, 6),
        "cenlat": round(centre.y, 6),
        "utm_zone": int((centre.x + 180) // 6) + 1,
        "primeclass": 0,
        "surge_type": 0,
        "term_type": 0,
        "glac_name": f"Synthetic glacier {number:03d}",
        "dem_source": "SYNTHETIC",
    }
    sector = int((facts["aspect_deg"] + 22.5) // 45) % 8 + 1
    return record | facts | {"aspect_sec": sector, "geometry": outline}


def _write_outlines(path: Path, table: gpd.GeoDataFrame) -> None:
    # a fixed date, for the table's header would carry the day of writing
    options = {"DBF_DATE_LAST_UPDATE": "2000-01-01", "ENCODING": "UTF-8"}
    pyogrio.write_dataframe(table, path, driver="ESRI Shapefile", layer_options=options)


def _readme(scene: Scene) -> str:
    west, south, east, north = (edge / 3600 for edge in scene.content)
    return f"""SYNTHETIC DATA: everything in this folder was made by a seeded program; nothing of it was observed.

It imitates the form of real products for {scene.south:g}-{scene.north:g} N, {scene.west:g}-{scene.east:g} E
(seed {scene.seed}).

{SRTM_FOLDER}      like SRTM V3, 3 arc seconds: 1201 x 1201 big-endian 16-bit heights above EGM96 (EPSG:5773),
             posts on whole arc seconds, void {SRTM_VOID}; epoch February 2000
{FABDEM_FOLDER}  like FABDEM V1-2, 1 arc second: float32 heights above EGM2008 (EPSG:3855), nodata {FABDEM_VOID:g};
             epoch 2012
{OUTLINES_FOLDER}     glacier outlines of August 2000 and August 2012, attribute names of the
             Randolph Glacier Inventory 7

Tiles have their full size but hold heights over {south:.3f}-{north:.3f} N, {west:.3f}-{east:.3f} E only;
the rest is void. The difference between EGM96 and EGM2008 in these heights is invented as well; no published
geoid grid removes it, but those in
{GEOIDS_FOLDER}       do: like PROJ's, posts 1 minute apart, under the names {EGM96_GRID} and {EGM2008_GRID}.
"""
