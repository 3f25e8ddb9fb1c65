"""Synthetic glaciers on a given bed: ice that flows, glaciers parted at their divides, thinning, and outlines.

Thickness comes from the shallow-ice equation (Hutter, 1983; Mahaffy, 1976), so that tongues, cirques and smooth
surfaces arise by themselves. Nothing here knows of any satellite or datum.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import shapes as raster_shapes
from rasterio.transform import Affine
from scipy import ndimage
from shapely.geometry import shape as as_geometry
from shapely.geometry.base import BaseGeometry

from pipeline.grid import BoolArray, FloatArray
from pipeline.sample.terrain import accumulate, correlated_field, descent_tree, tree_levels

LabelArray = NDArray[np.int32]
EVERYWHERE = np.ones((3, 3), bool)


@dataclass(frozen=True, kw_only=True)
class IceSettings:
    """Climate and flow of the glaciers.

    Attributes
    ----------
    accumulation_share : share of the places where ice may be that lies above the equilibrium line.
    balance_gradient_per_year : change of the annual balance with height (a-1).
    greatest_accumulation_m : annual balance far above the equilibrium line (m of ice).
    shade_m : the equilibrium line is this much lower on shaded (NNE) and higher on sunny slopes (m).
    drift : rise of the equilibrium line per metre that a place stands above its surroundings: wind bares the ridges.
    bare_slope_deg : steeper walls keep no snow.
    softness : Glen's rate factor with the density and gravity terms, D = softness H^5 |grad s|^2 (m-3 a-1).
    years : length of the growth on the halved and on the full lattice (a).
    margin_m : ice thinner than this is left out.
    tongue_change_m, top_change_m : elevation change at the lowest tongue and on the highest firn.
    change_contrast : logarithmic standard deviation of the thinning from place to place.
    least_area_km2 : smaller glaciers melt away.
    """

    accumulation_share: float = 0.02
    balance_gradient_per_year: float = 0.006
    greatest_accumulation_m: float = 0.7
    shade_m: float = 140.0
    drift: float = 3.0
    bare_slope_deg: float = 40.0
    softness: float = 6e-5
    years: tuple[float, float] = (220.0, 25.0)
    margin_m: float = 4.0
    tongue_change_m: float = -18.0
    top_change_m: float = 1.0
    change_contrast: float = 0.2
    least_area_km2: float = 0.05


# --- ice ----------------------------------------------------------------------------------------------------------


def grow_ice(bed: FloatArray, spacing_m: float, warmer_m: FloatArray, settings: IceSettings) -> FloatArray:
    """Ice thickness (m) on ``bed`` (m), shape (rows, columns), after growth on the halved and on the full lattice.

    ``warmer_m`` raises the equilibrium line (m), to keep ice away from where none may be; shape of ``bed``.

    Parameters
    ----------
    bed : m, shape (rows, columns).
    spacing_m : of the lattice.
    warmer_m : raises the equilibrium line, m; shape of ``bed``.
    settings : of climate and ice.
    """
    level = float(np.quantile(bed[warmer_m <= 0] if (warmer_m <= 0).any() else bed, 1 - settings.accumulation_share))
    low = level - 550.0
    used = np.flatnonzero((bed > low).any(axis=1))
    rows = slice(max(0, int(used[0]) - 4), int(used[-1]) + 5)
    line = (equilibrium_line(bed, spacing_m, level, settings) + warmer_m)[rows]
    high = bed[rows]
    half = _flow(high[::2, ::2], line[::2, ::2], None, (2 * spacing_m, settings.years[0]), settings)
    factors = (high.shape[0] / half.shape[0], high.shape[1] / half.shape[1])
    start = np.maximum(ndimage.zoom(half, factors, order=1), 0.0)
    thickness = np.zeros(bed.shape)
    thickness[rows] = _flow(high, line, start, (spacing_m, settings.years[1]), settings)
    return thickness


def equilibrium_line(bed: FloatArray, spacing_m: float, level_m: float, settings: IceSettings) -> FloatArray:
    """Height (m) of the equilibrium line: about ``level_m``, lower in the shade and in hollows.

    Parameters
    ----------
    bed : m, shape (rows, columns).
    spacing_m : of the lattice.
    level_m : about which the line lies.
    settings : of climate and ice.
    """
    down, right = np.gradient(ndimage.gaussian_filter(bed, 250.0 / spacing_m), spacing_m)
    north, east = down, -right  # downhill direction
    facing = (north * np.cos(np.radians(25.0)) + east * np.sin(np.radians(25.0))) / np.hypot(
        0.15, np.hypot(north, east)
    )
    drift = np.clip(bed - ndimage.gaussian_filter(bed, 400.0 / spacing_m), -60.0, 60.0)
    return np.asarray(level_m - settings.shade_m * facing + settings.drift * drift)


def _flow(
    bed: FloatArray,
    line: FloatArray,
    start: FloatArray | None,
    lattice: tuple[float, float],
    settings: IceSettings,
) -> FloatArray:
    """Explicit steps of dH/dt = b + div(D grad s) for ``lattice`` = (spacing in m, years)."""
    spacing_m, years = lattice
    down, right = np.gradient(bed, spacing_m)
    wall = np.hypot(down, right) > np.tan(np.radians(settings.bare_slope_deg))
    ice = np.zeros(bed.shape) if start is None else start.copy()
    passed = 0.0
    while passed < years:
        surface = bed + ice
        balance = np.minimum(settings.balance_gradient_per_year * (surface - line), settings.greatest_accumulation_m)
        balance = np.where(wall, np.minimum(balance, 0.0), balance)
        gain, fastest = _divergence(surface, ice, spacing_m, settings.softness)
        step = min(2.0, 0.22 * spacing_m**2 / max(fastest, 1.0), years - passed + 1e-9)
        ice = np.maximum(ice + step * (gain + balance), 0.0)
        passed += step
    return ice


def _divergence(surface: FloatArray, ice: FloatArray, spacing_m: float, softness: float) -> tuple[FloatArray, float]:
    """Convergence of the ice flux (m a-1) and the greatest diffusivity (m2 a-1); ice leaves the higher place only."""
    gain = np.zeros_like(surface)
    fastest = 0.0
    rise = (np.diff(surface, axis=0) / spacing_m, np.diff(surface, axis=1) / spacing_m)
    squared = np.zeros_like(surface)
    for axis in (0, 1):
        ahead, behind = _shifted(axis, 1), _shifted(axis, 0)
        squared[ahead] += 0.5 * rise[axis] ** 2
        squared[behind] += 0.5 * rise[axis] ** 2
    mobility = softness * (ice * ice) * (ice * ice) * ice * np.minimum(squared, 0.25)
    np.minimum(mobility, 2.5e4, out=mobility)
    fastest = float(mobility.max())
    for axis in (0, 1):
        ahead, behind = _shifted(axis, 1), _shifted(axis, 0)
        flux = np.where(rise[axis] > 0, mobility[ahead], mobility[behind]) * rise[axis] / spacing_m
        gain[behind] += flux
        gain[ahead] -= flux
    return gain, fastest


def _shifted(axis: int, by: int) -> tuple[slice, ...]:
    part = slice(1, None) if by else slice(None, -1)
    return (part, slice(None)) if axis == 0 else (slice(None), part)


def thinning(
    surface: FloatArray, ice: BoolArray, spacing_m: float, settings: IceSettings, rng: np.random.Generator
) -> FloatArray:
    """Elevation change (m) that ice at each place would suffer: strong at low tongues, slight gain at the top.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    ice : where there is some.
    spacing_m : of the lattice.
    settings : of climate and ice.
    rng : for the part that differs from glacier to glacier.
    """
    heights = surface[ice] if ice.any() else surface
    low, high = float(np.quantile(heights, 0.01)), float(heights.max())
    relative = np.clip((surface - low) / max(high - low, 1.0), 0.0, 1.0) ** 0.7
    change = settings.tongue_change_m + (settings.top_change_m - settings.tongue_change_m) * relative
    length = 2 * np.pi * 2500.0 / spacing_m
    varied = np.exp(settings.change_contrast * correlated_field(surface.shape, (length, length), 2.0, rng))
    return np.asarray(np.where(change < 0, change * varied, change))


# --- glaciers -----------------------------------------------------------------------------------------------------


def part_glaciers(surface: FloatArray, ice: BoolArray, least_pixels: int) -> LabelArray:
    """Number of the glacier that each icy place drains to, 0 where bare; small basins join their neighbour.

    Ice that leaves through margins close to each other is one glacier (after Kienholz et al., 2013).

    Parameters
    ----------
    surface : m, shape (rows, columns).
    ice : where there is some.
    least_pixels : of a glacier of its own.
    """
    if not ice.any():
        return np.zeros(ice.shape, np.int32)
    window = ndimage.find_objects(ndimage.binary_dilation(ice, EVERYWHERE, iterations=2).astype(np.int8))[0]
    labels = np.zeros(ice.shape, np.int32)
    labels[window] = _join_small(_basins(surface[window], ice[window]), least_pixels)
    return labels


def _basins(surface: FloatArray, ice: BoolArray) -> NDArray[np.int64]:
    """Number of the glacier front through which the ice of each place leaves, 0 where bare."""
    edge = np.zeros(surface.shape, bool)
    edge[0, :] = edge[-1, :] = edge[:, 0] = edge[:, -1] = True
    receiver = descent_tree(surface, edge)
    levels = tree_levels(receiver)
    icy = ice.ravel()
    stays = np.where(icy & icy[receiver], receiver, np.arange(icy.size))
    load = accumulate(receiver, levels, icy.astype(float)).reshape(ice.shape)
    leaves = ice & (stays.reshape(ice.shape) == np.arange(icy.size).reshape(ice.shape))
    strong = ndimage.binary_dilation(leaves & (load >= 8), EVERYWHERE, iterations=3)
    fronts, count = ndimage.label(strong, EVERYWHERE)
    front = np.where(leaves, np.where(fronts > 0, fronts, count + 1 + np.cumsum(leaves).reshape(ice.shape)), 0)
    exit_of = stays
    while True:
        further = exit_of[exit_of]
        if np.array_equal(further, exit_of):
            break
        exit_of = further
    return np.asarray(np.where(icy, front.ravel()[exit_of], 0).reshape(ice.shape), np.int64)


def _join_small(labels: NDArray[np.int64], least_pixels: int) -> LabelArray:
    """Give every small basin, smallest first, to the neighbour with which it shares the longest border."""
    _, flat = np.unique(labels, return_inverse=True)
    merged = flat.reshape(labels.shape).astype(np.int32)
    sizes = np.bincount(merged.ravel())
    for number in np.argsort(sizes, kind="stable"):
        if number == 0 or not 0 < sizes[number] < least_pixels:
            continue
        rows, columns = np.nonzero(merged == number)
        part = merged[max(0, rows.min() - 1) : rows.max() + 2, max(0, columns.min() - 1) : columns.max() + 2]
        own = part == number
        around = part[ndimage.binary_dilation(own, EVERYWHERE) & ~own & (part > 0)]
        if around.size:
            host = int(np.bincount(around).argmax())
            part[own] = host
            sizes[host] += sizes[number]
            sizes[number] = 0
    _, renumbered = np.unique(merged, return_inverse=True)
    return np.asarray(renumbered.reshape(labels.shape), np.int32)


def longest_flowlines(surface: FloatArray, labels: LabelArray, spacing_m: float) -> FloatArray:
    """Length (m) of the longest flowline of each glacier, indexed by its number; entry 0 is unused.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    labels : number of the glacier, 0 where bare.
    spacing_m : of the lattice.
    """
    edge = np.ones(surface.shape, bool)
    edge[1:-1, 1:-1] = False
    receiver = descent_tree(surface, edge)
    columns = surface.shape[1]
    number = labels.ravel()
    hop = np.abs(receiver - np.arange(number.size))
    reach = spacing_m * np.where((hop == 1) | (hop == columns), 1.0, np.sqrt(2.0))
    length = np.zeros(number.size)
    for places in tree_levels(receiver)[1:]:
        ahead = receiver[places]
        onward = np.where(number[ahead] == number[places], length[ahead], 0.0)
        length[places] = np.where(number[places] > 0, onward + reach[places], 0.0)
    longest = np.zeros(int(number.max()) + 1)
    np.maximum.at(longest, number, length)
    return longest


# --- outlines -----------------------------------------------------------------------------------------------------


def contour_polygons(field: FloatArray, columns_at: FloatArray, rows_at: FloatArray) -> BaseGeometry:
    """Where ``field`` (rows, columns) is positive, as polygons with holes through its zero line.

    ``columns_at`` and ``rows_at`` are the coordinates of the columns and rows. A place is inside exactly where its
    value is positive, for the line runs linearly between places.

    Parameters
    ----------
    field : shape (rows, columns).
    columns_at, rows_at : coordinates of the columns and of the rows.
    """
    generator = contourpy.contour_generator(
        columns_at, rows_at, field, name="serial", fill_type=contourpy.FillType.OuterOffset
    )
    filled: Any = generator.filled(0.0, np.inf)  # the shape of the answer hangs on the fill type
    parts = []
    for points, offsets in zip(*filled, strict=True):
        rings = [points[begin:end] for begin, end in itertools.pairwise(offsets)]
        parts.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.make_valid(shapely.union_all(parts))


def divide_cells(labels: LabelArray, transform: Affine, tolerance: float) -> dict[int, BaseGeometry]:
    """One cell per glacier that holds all places nearest to it; neighbours share their smoothed borders exactly.

    ``transform`` maps (column, row) of a place's upper-left corner; ``tolerance`` is in its unit.

    Parameters
    ----------
    labels : number of the glacier, 0 where bare; shape (rows, columns).
    transform : of (column, row) of a place's upper-left corner.
    tolerance : of the smoothing, in the transform's unit.
    """
    nearest = ndimage.distance_transform_edt(labels == 0, return_distances=False, return_indices=True)
    filled = labels[nearest[0], nearest[1]].astype(np.int32)
    pieces: dict[int, list[BaseGeometry]] = {}
    for geometry, number in raster_shapes(filled, transform=transform):
        pieces.setdefault(int(number), []).append(as_geometry(geometry))
    numbers = sorted(pieces)
    cells = shapely.coverage_simplify(
        np.array([shapely.union_all(pieces[number]) for number in numbers]), tolerance, simplify_boundary=False
    )
    return dict(zip(numbers, cells, strict=True))


def cut_outlines(ice: BaseGeometry, cells: dict[int, BaseGeometry]) -> dict[int, BaseGeometry]:
    """The part of ``ice`` in each cell, polygons only, glaciers without ice left out.

    Parameters
    ----------
    ice : all of it.
    cells : by glacier number.
    """
    shapely.prepare(list(cells.values()))
    outlines = {}
    for number, cell in cells.items():
        part = shapely.intersection(ice, cell)
        polygons = [piece for piece in shapely.get_parts(part) if piece.geom_type == "Polygon" and piece.area > 0]
        if polygons:
            outlines[number] = polygons[0] if len(polygons) == 1 else shapely.MultiPolygon(polygons)
    return outlines
