"""Empirical variogram of a raster of any size: all pixel pairs of near tiles and of a thinned whole, by FFT."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2

from pipeline.blocks import Raster, Runner, Window
from pipeline.grid import BoolArray, FloatArray
from schemas.errors import BadInput

# a raster is thinned to about so many pixels for the long lags
MOST_THINNED_PIXELS = 1 << 20
# short lags come from tiles at full resolution, of at most so many
TILE, SHORT_REACH, MOST_TILES = 512, 64, 64
TILES_AT_ONCE, LINES_AT_ONCE = 4, 64
# limits of the near distance classes, in pixels: every lag up to two pixels stands alone; wider ones follow
NEAR_LIMITS = (0.9, 1.2, 1.8, 2.5, 3.5, 4.5)
FAR_CLASSES = 28
LEAST_PAIRS, LEAST_CLASSES = 30, 6
# sides of the windows whose means show whether a fitted variogram holds, in pixels, and what of them must be known
WINDOWS = (8, 24, 96)
LEAST_KNOWN = 0.6
LEAST_WINDOWS = 20


@dataclass(frozen=True)
class WindowSpread:
    """Spread of the means of square windows of one size.

    Attributes
    ----------
    size : side, pixels.
    count : windows at least six tenths known.
    spread : standard deviation of their means.
    """

    size: int
    count: int
    spread: float


@dataclass(frozen=True)
class EmpiricalVariogram:
    """Half the mean squared difference of pixel pairs by distance, and the spread of window means beside it.

    Attributes
    ----------
    lag_m, gamma, pairs : mean distance, variogram and number of pairs of each class; shape (classes,).
    windows : sizes of which at least twenty windows are known.
    """

    lag_m: FloatArray
    gamma: FloatArray
    pairs: FloatArray
    windows: tuple[WindowSpread, ...]


def empirical_variogram(residual: Raster, pixel_m: float, runner: Runner | None = None) -> EmpiricalVariogram:
    """Empirical variogram up to half the diagonal, by the autocorrelation of the masked field.

    gamma(h) = sum over pairs (z_i - z_j)^2 / 2 N(h). A raster of up to a million pixels enters whole: every pair
    counts. A larger one is thinned to every k-th line and column, not averaged, for the long lags; the short ones (up
    to 64 pixels) come from tiles at full resolution, all of them or 64 in proportion to what they know. Voids only
    lower the number of pairs. About 150 MB, whatever the size; the same bytes for any number of workers.

    Parameters
    ----------
    residual : shape (rows, columns), standardised residuals, NaN where not to be used.
    pixel_m : pixel size, m.

    Errors
    ------
    BadInput : pixel pairs at too few distances.
    """
    shape = (residual.shape[0], residual.shape[1])
    farthest = 0.5 * float(np.hypot(*shape))
    step = thinning_step(shape)
    thinned = _thinned(residual, step, runner)
    known = np.isfinite(thinned)
    # a variogram does not feel the mean; without it nothing is lost to rounding
    centre = float(thinned[known].mean(dtype=np.float64)) if known.any() else 0.0
    limits = np.concatenate([NEAR_LIMITS, np.geomspace(NEAR_LIMITS[-1], max(farthest, 5) + 1, FAR_CLASSES + 1)[1:]])
    far = _class_sums([thinned - np.float32(centre)], step, farthest, limits)
    tiles = spread_tiles(shape, known, step, TILE, MOST_TILES)
    groups = [tiles[first : first + TILES_AT_ONCE] for first in range(0, len(tiles), TILES_AT_ONCE)]
    function = _Tiles(residual, centre, limits, min(farthest, SHORT_REACH) if step > 1 else 0)
    near, windows = np.zeros_like(far), np.zeros((len(WINDOWS), 3))
    for sums, means in map(function, groups) if runner is None else runner.map(function, groups):
        near += sums
        windows += means
    return _summed_up(_joined(near, far), windows, pixel_m)


def thinning_step(shape: tuple[int, int]) -> int:
    """Every how many lines and columns are taken.

    A DEM resampled from a two, three or four times coarser one errs most between its posts: a step with a common
    divisor would always hit, or always miss, them. So the step is no multiple of 2 or 3.

    Parameters
    ----------
    shape : (rows, columns) of the raster.
    """
    step: int = max(1, ceil((prod(shape) / MOST_THINNED_PIXELS) ** 0.5))
    while step > 1 and (step % 2 == 0 or step % 3 == 0):
        step += 1
    return step


def _joined(near: FloatArray, far: FloatArray) -> FloatArray:
    """Sums of the tiles and of the thinned raster together, the latter's variogram moved onto the former's.

    What chance the few pixels of the thinned raster have in their variance enters all their classes alike; where both
    know a class, the tiles' many pixels tell how much it is. Left as it is, it would look like correlation.
    """
    both = (near[1] > LEAST_PAIRS) & (far[1] > LEAST_PAIRS)
    if not both.any():
        return near + far
    difference = near[0, both] / near[1, both] - far[0, both] / far[1, both]
    moved = far.copy()
    moved[0] += far[1] * np.average(difference, weights=far[1, both])
    return near + moved


def _summed_up(total: FloatArray, windows: FloatArray, pixel_m: float) -> EmpiricalVariogram:
    squares, pairs, distance = total[:, total[1] > LEAST_PAIRS]
    if pairs.size < LEAST_CLASSES:
        raise BadInput(
            "variogram",
            f"pixel pairs at {pairs.size} distances",
            f"at least {LEAST_CLASSES}",
            "widen the area or the stable mask",
        )
    spreads = []
    for size, (count, mean, square) in zip(WINDOWS, windows, strict=True):
        if count >= LEAST_WINDOWS:
            variance = (square - mean**2 / count) / (count - 1)
            spreads.append(WindowSpread(size, int(count), float(np.sqrt(max(variance, 0.0)))))
    return EmpiricalVariogram(distance / pairs * pixel_m, squares / (2 * pairs), pairs, tuple(spreads))


@dataclass(frozen=True)
class _Lines:
    """Every k-th line and column of a raster."""

    residual: Raster
    step: int

    def __call__(self, first: int) -> FloatArray:
        rows = slice(first, min(first + LINES_AT_ONCE * self.step, self.residual.shape[0]), self.step)
        return np.array(self.residual[rows, slice(0, self.residual.shape[1], self.step)], np.float32)


def _thinned(residual: Raster, step: int, runner: Runner | None) -> FloatArray:
    firsts = range(0, residual.shape[0], LINES_AT_ONCE * step)
    function = _Lines(residual, step)
    return np.concatenate(list(map(function, firsts) if runner is None else runner.map(function, firsts)))


def spread_tiles(shape: tuple[int, int], known: BoolArray, step: int, tile: int, most: int) -> list[Window]:
    """At most ``most`` tiles of a raster that know any pixel, evenly spaced along the sum of what they know.

    Parameters
    ----------
    shape : (rows, columns) of the raster.
    known : the raster thinned to every ``step``-th line and column.
    tile : side of a tile, pixels; the last ones are cut.
    """
    starts = [range(0, size, tile) for size in shape]
    # a tile narrower than the step may hold no thinned line at all
    lines, columns = (
        np.minimum([ceil(start / step) for start in axis], size - 1)
        for axis, size in zip(starts, known.shape, strict=True)
    )
    counts = np.add.reduceat(np.add.reduceat(known.astype(np.int64), lines, axis=0), columns, axis=1).ravel()
    if np.count_nonzero(counts) <= most:
        chosen = np.flatnonzero(counts)
    else:
        cumulated = np.cumsum(counts)
        marks = (np.arange(most) + 0.5) * cumulated[-1] / most
        chosen = np.unique(np.searchsorted(cumulated, marks, "right"))
    corners = [(row, column) for row in starts[0] for column in starts[1]]
    return [
        (slice(row, min(row + tile, shape[0])), slice(column, min(column + tile, shape[1])))
        for row, column in (corners[number] for number in chosen)
    ]


@dataclass(frozen=True)
class _Tiles:
    """Sums by distance class (none where ``reach`` is 0) and of window means, over a few tiles."""

    residual: Raster
    centre: float
    limits: FloatArray
    reach: float

    def __call__(self, tiles: list[Window]) -> tuple[FloatArray, FloatArray]:
        fields = [np.asarray(self.residual[tile]) - np.float32(self.centre) for tile in tiles]
        windows = sum((_window_sums(field) for field in fields), np.zeros((len(WINDOWS), 3)))
        if not self.reach:
            return np.zeros((3, self.limits.size + 1)), windows
        return _class_sums(fields, 1, self.reach, self.limits), windows


def _class_sums(fields: list[FloatArray], step: int, farthest: float, limits: FloatArray) -> FloatArray:
    """Squared differences, pairs and their distances summed by distance class, over all pairs within each field.

    Parameters
    ----------
    fields : NaN where unknown.
    step, farthest, limits : distance between the fields' pixels, greatest distance and class limits, in pixels.

    Returns
    -------
    Shape (3, classes).
    """
    largest = (max(field.shape[0] for field in fields), max(field.shape[1] for field in fields))
    reach = (min(int(farthest / step), largest[0] - 1), min(int(farthest / step), largest[1] - 1))
    pairs, squares = _lag_sums(fields, reach)
    rows, columns = np.arange(reach[0] + 1)[:, None], np.arange(-reach[1], reach[1] + 1)
    distance = step * np.hypot(rows, columns)
    # the upper half plane of lags; the other half repeats it
    use = ((rows > 0) | (columns > 0)) & (distance <= farthest) & (pairs > 0.5)
    distance, pairs, squares = distance[use], np.rint(pairs[use]), squares[use]
    member = np.digitize(distance, limits)
    sums = (np.bincount(member, part, limits.size + 1) for part in (squares, pairs, distance * pairs))
    # without a single pair the sums would come as integers
    return np.stack(list(sums)).astype(np.float64)


def _lag_sums(fields: list[FloatArray], reach: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """Number of pairs, and sum of their squared differences, at each lag of the upper half plane, over all fields.

    With m the mask, sum (z_i - z_j)^2 is m.z^2 + z^2.m - 2 z.z correlated at the lag: spectra of several fields add up,
    so that a single transform back serves them all. Shape of both (reach[0] + 1, 2 reach[1] + 1).
    """
    largest = [max(field.shape[axis] for field in fields) for axis in (0, 1)]
    padded = [next_fast_len(size + far, real=True) for size, far in zip(largest, reach, strict=True)]
    pairs_power, squares_power = np.zeros((2, padded[0], padded[1] // 2 + 1))
    for field in fields:
        known = np.isfinite(field)
        z = np.where(known, field, np.float32(0)).astype(np.float64)
        mask = rfft2(known.astype(np.float64), padded, workers=2)
        pairs_power += np.square(mask.real) + np.square(mask.imag)
        square = rfft2(z * z, padded, workers=2)
        squares_power += mask.real * square.real + mask.imag * square.imag
        del mask, square
        wave = rfft2(z, padded, workers=2)
        squares_power -= np.square(wave.real) + np.square(wave.imag)
    pairs = _half_plane(irfft2(pairs_power, padded, workers=2), reach)
    return pairs, 2 * _half_plane(irfft2(squares_power, padded, workers=2), reach)


def _half_plane(lags: FloatArray, reach: tuple[int, int]) -> FloatArray:
    columns = np.arange(-reach[1], reach[1] + 1)
    return lags[: reach[0] + 1].take(columns, axis=1, mode="wrap")


def _window_sums(field: FloatArray) -> FloatArray:
    """Number, sum and sum of squares of the window means, for each size; shape (sizes, 3)."""
    known = np.isfinite(field)
    values = np.where(known, field, np.float32(0))
    result = np.zeros((len(WINDOWS), 3))
    for number, size in enumerate(WINDOWS):
        means = _means(values, known, size)
        result[number] = means.size, means.sum(), np.square(means).sum()
    return result


def _means(values: FloatArray, known: FloatArray, size: int) -> FloatArray:
    rows, columns = (length // size for length in values.shape)
    if rows == 0 or columns == 0:
        return np.empty(0)
    cut = (slice(0, rows * size), slice(0, columns * size))
    sums, counts = (
        part[cut].reshape(rows, size, -1).sum(axis=1, dtype=np.float64).reshape(rows, columns, size).sum(axis=2)
        for part in (values, known)
    )
    full = counts >= LEAST_KNOWN * size * size
    means: FloatArray = sums[full] / counts[full]
    return means
