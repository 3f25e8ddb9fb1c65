"""Synthetic terrain and outline in the known geometry of Haxilegen Glacier No. 51: position, aspect, altitude, area.

The glacier is drawn in its own axes: ``along`` runs from the headwall to the snout (towards the north-east), ``across``
to the right of it. The terrain does not depend on the sample's seed: the glacier is a fact, its weather is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from rasterio.features import geometry_mask
from scipy.interpolate import PchipInterpolator
from scipy.ndimage import distance_transform_edt, gaussian_filter
from shapely.affinity import scale, translate
from shapely.geometry import Polygon

from pipeline.grid import BoolArray, FloatArray, Grid, project_points

CRS = "EPSG:32645"
GLACIER_ID = "CN5Y741C0051"
GLACIER_NAME = "Haxilegen Glacier No. 51, Kuitun River"
LONGITUDE, LATITUDE = 84.391, 43.731
AREA_KM2 = 1.48
LOWEST_M, HIGHEST_M = 3490.0, 4000.0
RESOLUTION_M = 10.0
_LENGTH_M = 2060.0
_MARGIN_M = (1450.0, 1350.0)  # terrain shown beyond the glacier, east-west and north-south
_NOISE_SEED = 51
# half width (m) of the glacier along its axis: a wide cirque, a narrow tongue
_HALF_WIDTH = PchipInterpolator(
    [0.0, 0.04, 0.14, 0.30, 0.45, 0.60, 0.76, 0.91, 0.97, 1.0],
    [0.0, 210.0, 440.0, 570.0, 490.0, 340.0, 245.0, 190.0, 120.0, 0.0],
)
# height above the snout as a share of the whole range, along the axis: steep headwall, gentle basin, steeper tongue
_PROFILE = PchipInterpolator(
    [-0.4, 0.0, 0.10, 0.25, 0.45, 0.65, 0.85, 1.0, 1.5], [1.08, 1.0, 0.87, 0.72, 0.54, 0.36, 0.15, 0.0, -0.42]
)
# the forefield stream in lengths of the glacier; start, end (along, across; m), height (m) and fall of other streams
_FOREFIELD = np.arange(1.01, 2.4, 0.02)
_NEIGHBOURS = (
    ((150.0, -1420.0), (4200.0, -1900.0), 3760.0, 0.21),
    ((-60.0, 1480.0), (4200.0, 1650.0), 3800.0, 0.21),
    ((-620.0, -500.0), (-3000.0, -1300.0), 3780.0, 0.27),
    ((-560.0, 560.0), (-3000.0, 1700.0), 3800.0, 0.27),
)


@dataclass(frozen=True, kw_only=True)
class Terrain:
    """The glacier and its surroundings.

    Attributes
    ----------
    grid : 10 m, UTM 45N.
    surface_m : elevation, shape grid.shape.
    mask : True on the glacier, shape grid.shape.
    outline : the glacier's outline in the grid's CRS.
    along, across : glacier coordinates of each pixel as shares of length and of half width, shape grid.shape.
    """

    grid: Grid
    surface_m: FloatArray
    mask: BoolArray
    outline: Polygon
    along: FloatArray
    across: FloatArray

    def sample(self, field: FloatArray, easting: FloatArray, northing: FloatArray) -> FloatArray:
        """Values of a field at the pixels that hold the points.

        Parameters
        ----------
        field : shape of the grid.
        easting, northing : of the points, m, shape (points,).
        """
        row, column = self.grid.index_of(easting, northing)
        return np.asarray(field[np.rint(row).astype(int), np.rint(column).astype(int)], float)


def fractal(shape: tuple[int, int], exponent: float, longest_m: float, seed: int) -> FloatArray:
    """Gaussian noise with spectrum k**-exponent below a longest wavelength (m), mean 0 and deviation 1.

    Parameters
    ----------
    shape : (rows, columns).
    exponent : of the spectrum.
    longest_m : wavelength.
    seed : of the noise.
    """
    white = np.random.default_rng([_NOISE_SEED, seed]).standard_normal(shape)
    frequency = np.hypot(np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None, :]) / RESOLUTION_M
    gain = np.maximum(frequency, 1 / longest_m) ** (-exponent / 2)
    gain[0, 0] = 0.0
    noise = np.fft.irfft2(np.fft.rfft2(white) * gain, shape)
    return np.asarray((noise - noise.mean()) / noise.std(), float)


def _axis_offset(share: FloatArray) -> FloatArray:
    """Distance (m) of the glacier's centre line from the straight axis: the tongue bends to the right."""
    return np.asarray(110.0 * np.sin(2.9 * share - 0.5) + 20.0 * np.sin(7.0 * share), float)


def glacier_outline() -> Polygon:
    """The outline in UTM 45N: 1.48 km2, its representative middle at the glacier's known position."""
    share = (1 - np.cos(np.linspace(0, np.pi, 120))) / 2
    wiggle = 1 + 0.06 * np.sin(17 * share + 0.6) + 0.035 * np.sin(29 * share)
    half = np.maximum(_HALF_WIDTH(share), 0)
    right = _axis_offset(share) + half * wiggle
    left = _axis_offset(share) - half * (2.03 - wiggle)
    along = np.concatenate([share, share[-2:0:-1]]) * _LENGTH_M
    across = np.concatenate([right, left[-2:0:-1]])
    raw = Polygon(np.column_stack([(along + across) / np.sqrt(2), (along - across) / np.sqrt(2)]))
    factor = float(np.sqrt(AREA_KM2 * 1e6 / raw.area))
    sized = scale(raw, factor, factor, origin=(0, 0))
    (east,), (north,) = project_points(np.array([LONGITUDE]), np.array([LATITUDE]), CRS)
    return translate(sized, east - sized.centroid.x, north - sized.centroid.y)


def _glacier_axes(grid: Grid, outline: Polygon) -> tuple[FloatArray, FloatArray]:
    """Distance along the axis from the head, and across it, in shares of the length; shape grid.shape each."""
    corners = np.asarray(outline.exterior.coords)
    head = corners[0]
    length = float(np.max((corners - head) @ [1, 1]) / np.sqrt(2))
    easting, northing = np.meshgrid(*grid.centres())
    east, north = easting - head[0], northing - head[1]
    along = (east + north) / np.sqrt(2) / length
    across = (east - north) / np.sqrt(2) / length
    return along, across - _axis_offset(along) / _LENGTH_M


def _valleys() -> FloatArray:
    """Stream points around the glacier: (along, across) in metres of the glacier's axes and elevation, shape (n, 3).

    The glacier's own forefield, a neighbour valley on either hand and two behind the headwall, each with side gullies.
    """
    draw = np.random.default_rng([_NOISE_SEED, 0])
    points = [(_LENGTH_M * s, float(_axis_offset(np.asarray(s))) * 0.9, 3490 - 380 * (s - 0.98)) for s in _FOREFIELD]
    for start, end, top_m, fall in _NEIGHBOURS:
        begin, direction = np.array(start), np.array(end) - np.array(start)
        length = float(np.hypot(*direction))
        direction = direction / length
        right = np.array([-direction[1], direction[0]])
        for step in np.arange(0.0, length, 50.0):
            points.append((*(begin + direction * step), top_m - fall * step))
        side = 1
        for step in np.arange(60.0, length, 190.0):
            mouth = begin + direction * (step + draw.uniform(-60, 60))
            heading = direction * -0.55 + right * side * draw.uniform(0.8, 1.1)
            for reach in np.arange(40.0, draw.uniform(350, 620), 40.0):
                points.append((*(mouth + heading * reach), top_m - fall * step + 0.42 * reach))
            side = -side
    return np.array(points, float)


def _lower_envelope(along_m: FloatArray, across_m: FloatArray, points: FloatArray) -> FloatArray:
    """Terrain of straight flanks above streams: min over stream points of z + slope * distance (m)."""
    lowest = np.full(along_m.shape, np.inf)
    for along, across, z in points:
        np.minimum(lowest, z + 0.74 * np.hypot(along_m - along, across_m - across), out=lowest)
    return lowest


def _surroundings(ice_m: FloatArray, distance_m: FloatArray, along_m: FloatArray, across_m: FloatArray) -> FloatArray:
    """Elevation (m) of the ice-free terrain: walls that rise from the ice margin meet the flanks of other valleys."""
    shape = (ice_m.shape[0], ice_m.shape[1])
    warp = 95 * fractal(shape, 5.0, 1100, 1), 95 * fractal(shape, 5.0, 1100, 2)
    flanks = _lower_envelope(along_m + warp[0], across_m + warp[1], _valleys())
    wall = np.interp(along_m / _LENGTH_M, [-0.1, 0.3, 0.8, 1.0], [0.86, 0.84, 0.74, 0.55])
    walls = ice_m + wall * distance_m * (1 + 0.12 * fractal(shape, 5.0, 800, 3))
    ribs = 1 - 1.3 * np.abs(fractal(shape, 4.2, 500, 4))
    rough = 20 * ribs + 7 * fractal(shape, 3.8, 200, 5)
    meeting = np.minimum(walls, np.maximum(flanks, ice_m - 60 - 0.2 * distance_m))
    return np.asarray(gaussian_filter(meeting + rough * (1 - np.exp(-distance_m / 90)), 1.0), float)


@lru_cache(maxsize=1)
def kuitun_terrain() -> Terrain:
    """The synthetic terrain; the glacier spans exactly 3490-4000 m."""
    outline = glacier_outline()
    west, south, east, north = outline.bounds
    wide, high = _MARGIN_M
    grid = Grid.covering((west - wide, south - high, east + wide, north + high), RESOLUTION_M, CRS)
    mask = ~geometry_mask([outline], grid.shape, grid.transform)
    along, across = _glacier_axes(grid, outline)
    inside_m = distance_transform_edt(mask) * RESOLUTION_M
    outside_m = gaussian_filter(distance_transform_edt(~mask) * RESOLUTION_M, 1.5)
    half = np.maximum(_HALF_WIDTH(np.clip(along, 0.1, 0.95)), 120) / _LENGTH_M
    bowl = np.interp(along, [0.0, 0.45, 0.7, 1.0], [0.10, 0.07, 0.01, -0.03])
    ice = _PROFILE(np.clip(along, -0.4, 1.5)) + bowl * np.clip(across / half, -1.3, 1.3) ** 2
    ice = gaussian_filter(ice, 5) + 0.004 * fractal(grid.shape, 4.5, 400, 6) * np.tanh(inside_m / 60)
    low, high_share = ice[mask].min(), ice[mask].max()
    metres = LOWEST_M + (HIGHEST_M - LOWEST_M) * (ice - low) / (high_share - low)
    around = _surroundings(metres, outside_m, along * _LENGTH_M, across * _LENGTH_M)
    surface = np.where(mask, metres, around)
    arrays = np.round(surface, 2), mask, along, across / half
    for array in arrays:
        array.flags.writeable = False  # the terrain is kept and handed out again
    return Terrain(grid=grid, surface_m=arrays[0], mask=arrays[1], outline=outline, along=arrays[2], across=arrays[3])
