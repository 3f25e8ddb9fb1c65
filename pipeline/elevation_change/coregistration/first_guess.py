"""The first guess of a shift, from pictures of both DEMs a few hundred lines high."""

from __future__ import annotations

from functools import partial

import numpy as np

from pipeline.blocks import Raster, Runner
from pipeline.elevation_change.pairing import DemPair
from pipeline.grid import BoolArray, FloatArray
from schemas.settings import ElevationChangeSettings

LINES = 512
# of the rows that a line of the picture stands for, so many are averaged
ROWS_AVERAGED = 4
# relief wider than so many lines is taken out
HIGH_PASS_LINES = 13


def coarse_offset(pair: DemPair, runner: Runner, settings: ElevationChangeSettings) -> tuple[float, float]:
    """Offset (east, north) in m of the aligned DEM's position, from which the linearised steps converge.

    The linear relation of difference and slope holds while the shift is short against the relief's wavelength; a
    longer one is found first as the peak of the cross-correlation of both DEMs, high-passed and thinned.

    Parameters
    ----------
    pair : reference and aligned DEM on one grid.
    runner : what it runs on.
    settings : the longest shift that is sought, m.
    """
    thinning = max(1, -(-max(pair.shape) // LINES))
    pictures = [_picture(dem, pair.mask, thinning, runner) for dem in (pair.reference, pair.aligned.heights)]
    highs = [_high_passed(*picture) for picture in pictures]
    shape = tuple(2 * size for size in highs[0].shape)
    product = np.fft.rfft2(highs[0], shape) * np.conj(np.fft.rfft2(highs[1], shape))
    correlation = np.fft.irfft2(product, shape)
    cell = thinning * pair.pixel_m
    reach = int(settings.max_shift_m / cell) + 2
    rows, columns = (min(reach, size - 1) for size in highs[0].shape)
    near = np.roll(correlation, (rows, columns), (0, 1))[: 2 * rows + 1, : 2 * columns + 1]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    south, east = row - rows + _peak(near[:, column], int(row)), column - columns + _peak(near[row], int(column))
    # a peak within one line says nothing that the first linear step does not know better
    return (0.0, 0.0) if max(abs(east), abs(south)) <= 1 else (float(east * cell), float(-south * cell))


def _peak(values: FloatArray, place: int) -> float:
    """Where between its neighbours the top of a parabola through a maximum lies."""
    if not 0 < place < values.size - 1:
        return 0.0
    before, middle, after = (float(value) for value in values[place - 1 : place + 2])
    bend = before - 2 * middle + after
    return 0.0 if bend >= 0 else 0.5 * (before - after) / bend


def _picture(heights: Raster, mask: Raster, thinning: int, runner: Runner) -> tuple[FloatArray, BoolArray]:
    """Mean height of square cells of pixels outside the mask, and which cells have one."""
    lines = heights.shape[0] // thinning
    groups = [range(start, min(start + 16, lines)) for start in range(0, lines, 16)]
    parts = list(runner.map(partial(_lines, heights, mask, thinning), groups))
    sums, counts = (np.concatenate(part) for part in zip(*parts, strict=True))
    known = counts > 0
    return np.divide(sums, counts, out=np.zeros_like(sums), where=known), known


def _lines(heights: Raster, mask: Raster, thinning: int, lines: range) -> tuple[FloatArray, FloatArray]:
    columns = heights.shape[1] // thinning
    sums, counts = np.zeros((len(lines), columns), np.float32), np.zeros((len(lines), columns), np.float32)
    height = min(thinning, ROWS_AVERAGED)
    # a reading costs as much as a few rows do: lines that lie near each other come together
    at_once = len(lines) if thinning <= 2 * ROWS_AVERAGED else 1
    for first in range(0, len(lines), at_once):
        some = lines[first : first + at_once]
        rows = slice(some[0] * thinning, some[-1] * thinning + height)
        values = heights[rows, 0 : columns * thinning]
        known = np.isfinite(values)
        known &= mask[rows, 0 : columns * thinning] == 0
        values = np.where(known, values, np.float32(0))
        for number in range(len(some)):
            own, cells = slice(number * thinning, number * thinning + height), (height, columns, thinning)
            sums[first + number] = values[own].reshape(cells).sum(axis=(0, 2))
            counts[first + number] = known[own].reshape(cells).sum(axis=(0, 2), dtype=np.float32)
    return sums, counts


def _high_passed(picture: FloatArray, known: BoolArray) -> FloatArray:
    weight = known.astype(np.float64)
    local = _box_sums(picture * weight) / np.maximum(_box_sums(weight), 1e-6)
    return np.where(known, picture - local, 0.0).astype(np.float32)


def _box_sums(values: FloatArray) -> FloatArray:
    """Sum over the square of ``HIGH_PASS_LINES`` around every cell; shaped like values."""
    half = HIGH_PASS_LINES // 2
    for axis in (0, 1):
        running = np.cumsum(values, axis=axis, dtype=np.float64)
        size = values.shape[axis]
        upper = np.take(running, np.minimum(np.arange(size) + half, size - 1), axis=axis)
        below = np.arange(size) - half - 1
        lower = np.take(running, np.maximum(below, 0), axis=axis)
        inside = (below >= 0)[:, None] if axis == 0 else (below >= 0)[None, :]
        values = upper - np.where(inside, lower, 0.0)
    return values
