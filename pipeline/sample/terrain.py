"""Synthetic mountains: relief carved by rivers on a coarse lattice, refined smoothly and roughened.

The relief follows the stream-power law with implicit time steps on a drainage tree (Braun and Willett, 2013); divides
migrate until the tree hardly changes. Nothing here knows of any satellite, datum or file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import RectBivariateSpline
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from pipeline.grid import BoolArray, FloatArray

IntArray = NDArray[np.int64]

_NEIGHBOURS = ((-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1))


@dataclass(frozen=True, kw_only=True)
class ReliefSettings:
    """How the relief is carved.

    Attributes
    ----------
    concavity : exponent theta of slope ~ area^-theta along rivers (Flint, 1974).
    steepness : slope x area^theta of a river under unit uplift (m^(2 theta)).
    greatest_slope_deg : slope at which hillsides fail.
    hillside_area_m2 : below this drainage area a place is hillside and creeps.
    creep_pixel : creep of hillsides per step, as the width of a Gaussian (pixel).
    outlet_spacing_m : distance between rivers that leave the domain.
    rock_contrast : logarithmic standard deviation of the erodibility of the rock.
    waywardness : logarithmic standard deviation of the favour that uneven ground gives to one direction of flow.
    crest_row : the main crest's place between the northern (0) and the southern edge (1).
    """

    concavity: float = 0.52
    steepness: float = 330.0
    greatest_slope_deg: float = 45.0
    hillside_area_m2: float = 4e5
    creep_pixel: float = 0.9
    outlet_spacing_m: float = 14_000.0
    rock_contrast: float = 0.25
    waywardness: float = 0.35
    crest_row: float = 0.66


def stream(seed: int, purpose: int) -> np.random.Generator:
    """A random stream of its own for each purpose, so that a change of one product leaves the others as they were.

    Parameters
    ----------
    seed : of the sample.
    purpose : a number of its own for each product.
    """
    return np.random.default_rng([seed, purpose])


def correlated_field(
    shape: tuple[int, int], wavelength_pixel: tuple[float, float], exponent: float, rng: np.random.Generator
) -> FloatArray:
    """Gaussian field of zero mean and unit variance whose power falls as (1 + (k L)^2)^-exponent.

    Arguments
    ---------
    shape : (rows, columns).
    wavelength_pixel : 2 pi x the length L at which the spectrum bends, along rows' and columns' direction (pixel).
    exponent : 1 for rough fields; 3 and more for smooth ones.
    """
    k_row = np.fft.fftfreq(shape[0])[:, None] * wavelength_pixel[0]
    k_column = np.fft.rfftfreq(shape[1])[None, :] * wavelength_pixel[1]
    amplitude = (1.0 + k_row**2 + k_column**2) ** (-exponent / 2)
    amplitude[0, 0] = 0.0
    field = np.fft.irfft2(np.fft.rfft2(rng.standard_normal(shape)) * amplitude, shape)
    return np.asarray(field / field.std(), np.float64)


# --- the drainage tree: each place and the neighbour it drains to -------------------------------------------------


def flooding_tree(surface: FloatArray, outlet: BoolArray) -> IntArray:
    """Receiver of each place when every hollow spills over its lowest rim: the minimum spanning tree of the passes.

    An edge weighs the higher of its two ends, so that paths of the tree have the lowest possible highest point.
    Outlets receive themselves. Shapes: surface and outlet (rows, columns); result flat, in row-major order.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    outlet : shape (rows, columns); at least one.
    """
    count = surface.size
    index = np.arange(count).reshape(surface.shape)
    rows, columns = surface.shape
    begins, ends, weights = [], [], []
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        here = (slice(0, rows - down), slice(max(0, -right), columns - max(0, right)))
        there = (slice(down, rows), slice(max(0, right), columns - max(0, -right)))
        begins.append(index[here].ravel())
        ends.append(index[there].ravel())
        weights.append(np.maximum(surface[here], surface[there]).ravel())
    gates = np.flatnonzero(outlet)
    begins.append(np.full(gates.size, count))
    ends.append(gates)
    lowest = min(float(weight.min()) for weight in weights if weight.size)
    weights.append(np.full(gates.size, lowest))
    # weights must be positive: a zero is no edge to a sparse matrix
    edges = (np.concatenate(weights) - lowest + 1.0, (np.concatenate(begins), np.concatenate(ends)))
    tree = minimum_spanning_tree(coo_matrix(edges, shape=(count + 1, count + 1)).tocsr())
    _, receiver = breadth_first_order(tree, count, directed=False)
    receiver = receiver[:count].astype(np.int64)
    receiver[gates] = gates
    return np.asarray(receiver)


def steepest_tree(surface: FloatArray, outlet: BoolArray, favour: FloatArray) -> IntArray:
    """Receiver of each place by steepest descent to one of eight neighbours; pits and outlets receive themselves.

    ``favour``, shape (8, rows, columns), multiplies the descents: the inverse distance to each neighbour, times what
    uneven ground does to keep rivers from running straight.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    outlet : shape (rows, columns).
    favour : shape (8, rows, columns).
    """
    rows, columns = surface.shape
    steepest, towards = np.zeros(surface.shape), np.zeros(surface.shape, np.int64)
    walled = np.pad(surface, 1, constant_values=np.inf)
    for (down, right), weight in zip(_NEIGHBOURS, favour, strict=True):
        descent = surface - walled[1 + down : 1 + down + rows, 1 + right : 1 + right + columns]
        descent *= weight
        better = descent > steepest
        np.copyto(steepest, descent, where=better)
        np.copyto(towards, down * columns + right, where=better)
    towards[outlet] = 0
    return np.arange(surface.size) + towards.ravel()


def descent_tree(surface: FloatArray, outlet: BoolArray) -> IntArray:
    """Receiver of each place by steepest descent after every hollow was filled to its lowest rim: no pits remain.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    outlet : shape (rows, columns); at least one.
    """
    receiver = flooding_tree(surface, outlet)
    filled = np.array(surface, np.float64).ravel()
    for places in tree_levels(receiver)[1:]:
        filled[places] = np.maximum(filled[places], filled[receiver[places]] + 1e-4)
    inverse_distance = 1.0 / np.hypot(*np.transpose(_NEIGHBOURS))[:, None, None]
    return steepest_tree(filled.reshape(surface.shape), outlet, np.broadcast_to(inverse_distance, (8, *surface.shape)))


def tree_levels(receiver: IntArray) -> list[IntArray]:
    """Places by number of steps to their outlet, nearest first; each level depends on the one before only.

    Parameters
    ----------
    receiver : of each place, flat.
    """
    steps = (receiver != np.arange(receiver.size)).astype(np.int64)
    ahead = receiver
    while True:
        further = steps + steps[ahead]
        if np.array_equal(further, steps):
            break
        steps, ahead = further, ahead[ahead]
    # short integers are sorted by radix, several times faster
    keys = steps.astype(np.uint16) if steps.max() < 2**16 else steps
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.cumsum(np.bincount(steps))[:-1])


def accumulate(receiver: IntArray, levels: list[IntArray], amount: FloatArray) -> FloatArray:
    """Sum of ``amount`` over each place and all that drains through it; flat.

    Parameters
    ----------
    receiver : of each place, flat.
    levels : as ``tree_levels`` gives them.
    amount : of each place, flat.
    """
    total = np.array(amount, np.float64)
    for places in reversed(levels[1:]):
        np.add.at(total, receiver[places], total[places])
    return total


# --- carving ------------------------------------------------------------------------------------------------------


def carve_relief(
    shape: tuple[int, int], spacing_m: float, settings: ReliefSettings, rng: np.random.Generator
) -> FloatArray:
    """Relief (m above the outlets) of a range that rises along a west-east crest and drains north and south.

    dz/dt = U - K A^theta |dz/ds|, solved from coarse to fine lattices until uplift and incision nearly balance.

    Parameters
    ----------
    shape : (rows, columns).
    spacing_m : of the lattice.
    settings : uplift, incision and their exponents.
    rng : for the first roughness.
    """
    hardness = np.exp(settings.rock_contrast * correlated_field(shape, _pixels(19e3, spacing_m), 1.5, rng))
    blocks = correlated_field(shape, _pixels(75e3, spacing_m), 2.0, rng)
    gates = tuple(_outlet_places(shape[1] * spacing_m, settings.outlet_spacing_m, rng) for _ in range(2))
    surface: FloatArray = _uplift(blocks[::8, ::8], settings.crest_row) + 20.0 * rng.random(blocks[::8, ::8].shape)
    for coarser, steps in ((8, 60), (4, 50), (2, 30), (1, 18)):
        rock = hardness[::coarser, ::coarser]
        uplift = _uplift(blocks[::coarser, ::coarser], settings.crest_row)
        outlet = np.zeros(rock.shape, bool)
        for row, places in zip((0, -1), gates, strict=True):
            outlet[row, (places * rock.shape[1]).astype(int)] = True
        surface = _stretch(surface, rock.shape) + 0.05 * spacing_m * coarser * rng.random(rock.shape)
        surface[outlet] = 0.0
        favour = np.exp(settings.waywardness * rng.standard_normal((8, *rock.shape)))
        favour /= np.hypot(*np.transpose(_NEIGHBOURS))[:, None, None]
        surface = _evolve(surface, outlet, uplift, rock, (spacing_m * coarser, coarser, steps), settings, favour)
    return surface


def _pixels(length_m: float, spacing_m: float) -> tuple[float, float]:
    return length_m / spacing_m, length_m / spacing_m


def _outlet_places(width_m: float, spacing_m: float, rng: np.random.Generator) -> FloatArray:
    count = max(2, round(width_m / spacing_m))
    return np.asarray((np.arange(count) + rng.uniform(0.2, 0.8, count)) / count)


def _stretch(surface: FloatArray, shape: tuple[int, int]) -> FloatArray:
    factors = (shape[0] / surface.shape[0], shape[1] / surface.shape[1])
    return np.asarray(ndimage.zoom(surface, factors, order=1))


def _uplift(blocks: FloatArray, crest_row: float) -> FloatArray:
    """Relative uplift, shape of ``blocks``: one along a winding crest, a quarter far from it."""
    rows, columns = blocks.shape
    south = ((np.arange(rows) + 0.5) / rows)[:, None]
    east = ((np.arange(columns) + 0.5) / columns)[None, :]
    crest = crest_row + 0.04 * np.sin(2 * np.pi * (1.3 * east + 0.1)) + 0.03 * np.sin(2 * np.pi * (3.1 * east + 0.4))
    distance = south - crest
    dome = np.exp(-((distance / np.where(distance < 0, 0.30, 0.20)) ** 2))
    return np.asarray(np.clip((0.32 + 0.9 * dome) * (1 + 0.08 * blocks), 0.15, None))


def _evolve(
    surface: FloatArray,
    outlet: BoolArray,
    uplift: FloatArray,
    rock: FloatArray,
    lattice: tuple[float, int, int],
    settings: ReliefSettings,
    favour: FloatArray,
) -> FloatArray:
    """Uplift, creep and incise ``surface`` for some steps; ``lattice`` is spacing (m), coarsening and steps."""
    spacing_m, coarser, steps = lattice
    columns = surface.shape[1]
    index = np.arange(surface.size)
    receiver = flooding_tree(surface, outlet)
    for step in range(steps):
        lift = 40.0 * (coarser if step < 0.6 * steps else 1)
        levels = tree_levels(receiver)
        area = accumulate(receiver, levels, np.full(surface.size, spacing_m**2))
        straight = (np.abs(receiver - index) == 1) | (np.abs(receiver - index) == columns)
        reach = spacing_m * np.where(straight, 1.0, np.sqrt(2.0))
        if coarser <= 2:
            crept = ndimage.gaussian_filter(surface, settings.creep_pixel / (1.0 if coarser == 1 else 1.8))
            hillside = area.reshape(surface.shape) < settings.hillside_area_m2
            surface = np.where(hillside, crept, surface)
        incision = lift * area**settings.concavity * rock.ravel() / settings.steepness / reach
        surface = _incise((surface + lift * uplift).ravel(), (receiver, levels), incision, reach, settings).reshape(
            surface.shape
        )
        receiver = steepest_tree(surface, outlet, favour)
    return surface


def _incise(
    lifted: FloatArray,
    tree: tuple[IntArray, list[IntArray]],
    incision: FloatArray,
    reach: FloatArray,
    settings: ReliefSettings,
) -> FloatArray:
    """Implicit step z = (z_lifted + f z_receiver) / (1 + f), kept above the receiver and below the failing slope."""
    receiver, levels = tree
    steepest = np.tan(np.radians(settings.greatest_slope_deg))
    carved = np.zeros(lifted.size)
    for places in levels[1:]:
        below = carved[receiver[places]]
        factor, distance = incision[places], reach[places]
        height = (lifted[places] + factor * below) / (1 + factor)
        carved[places] = np.clip(height, below + 1e-3 * distance, below + steepest * distance)
    return carved


# --- refining -----------------------------------------------------------------------------------------------------


def bend(surface: FloatArray, spacing_m: float, rng: np.random.Generator) -> FloatArray:
    """The surface on a smoothly bent lattice, which hides the eight directions of the drainage tree.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    spacing_m : of the lattice.
    rng : for the bends.
    """
    places = np.indices(surface.shape, dtype=np.float64)
    for axis in (0, 1):
        places[axis] += 3.0 * correlated_field(surface.shape, _pixels(12e3, spacing_m), 4.0, rng)
    smooth = ndimage.gaussian_filter(surface, 0.7)
    return np.asarray(ndimage.map_coordinates(smooth, places, order=3, mode="nearest"))


def round_valleys(surface: FloatArray, width_pixel: float, depth_m: float) -> FloatArray:
    """The surface with its valley floors raised to at most ``depth_m`` below its local mean: V turns into U.

    Parameters
    ----------
    surface : m, shape (rows, columns).
    width_pixel : of the neighbourhood whose mean counts.
    depth_m : below that mean.
    """
    floor = ndimage.gaussian_filter(surface, width_pixel) - depth_m
    blend = 12.0  # metres over which floor and flank merge
    return np.asarray(surface + blend * np.logaddexp(0.0, (floor - surface) / blend))


def refine(coarse: FloatArray, rows: FloatArray, columns: FloatArray) -> FloatArray:
    """Cubic spline through ``coarse`` at fractional ``rows`` and ``columns`` (two axes, not pairs).

    Parameters
    ----------
    coarse : shape (n, m).
    rows, columns : places in the lattice of ``coarse``, fractional.

    Returns
    -------
    shape (rows, columns).
    """
    spline = RectBivariateSpline(np.arange(coarse.shape[0]), np.arange(coarse.shape[1]), coarse, s=0)
    return np.asarray(spline(rows, columns))


def slope_tangent(surface: FloatArray, pixel_m: tuple[float, float]) -> FloatArray:
    """Tangent of the slope; ``pixel_m`` is (width, height).

    Parameters
    ----------
    surface : m, shape (rows, columns).
    pixel_m : (width, height).
    """
    down, right = np.gradient(surface, pixel_m[1], pixel_m[0])
    return np.asarray(np.hypot(down, right))
