"""Spikes of a DEM: single heights far off their neighbours, found in blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import BoolArray, FloatArray

IndexArray = NDArray[np.intp]

# A spike stands this many times the local roughness, and at least this high, off the median of its neighbours.
SPIKE_ROUGHNESS, SPIKE_LEAST_M = 12.0, 50.0
LEAST_ROUGHNESS_M = 0.5
# a ridge of this slope stands (post spacing) x tan(slope) off the median of its neighbours, and is no spike
STEEPEST_DEG = 60.0
# so much of the least height a spike stands off the nearest of its neighbours too, which ridges and crags do not
ALONE_SHARE = 0.5
# how far, in posts of the DEM, the windows reach: the 9 x 9 of 3 x 3
REACH = 5
# pixels whose medians are computed at a time, and candidates whose windows are held at a time
CHUNK, WINDOWS = 2**17, 4096


@dataclass(frozen=True)
class Spikes:
    """Places and strength of spikes; arrays of one length, sorted by row and column of the raster.

    Attributes
    ----------
    off_m : height above (below: negative) the median of the neighbourhood.
    """

    row: IndexArray
    column: IndexArray
    off_m: FloatArray


@dataclass(frozen=True)
class SpikeRule:
    """What counts as a spike of a DEM.

    Attributes
    ----------
    spacing : pixels between the DEM's own posts, above 1 where it was resampled onto a finer grid.
    least_m : least distance from the median of the neighbours, m.
    """

    spacing: int = 1
    least_m: float = SPIKE_LEAST_M

    @classmethod
    def of(cls, post_m: float, pixel_m: float) -> SpikeRule:
        """The rule for a DEM of posts every ``post_m`` on a grid of ``pixel_m``: no slope below 60 degrees is one.

        Parameters
        ----------
        post_m : distance of the DEM's own heights, m.
        pixel_m : side of the grid's pixels, m.
        """
        spacing = max(1, round(post_m / pixel_m))
        return cls(spacing, max(SPIKE_LEAST_M, spacing * pixel_m * math.tan(math.radians(STEEPEST_DEG))))

    @property
    def reach(self) -> int:
        """How far the windows reach, in pixels."""
        return REACH * self.spacing


def spikes(heights: FloatArray, rule: SpikeRule | None = None) -> BoolArray:
    """Which pixels of a whole raster are spikes; see ``find_spikes``. Shaped like heights.

    Parameters
    ----------
    heights : shape (rows, columns), m; NaN where void.
    rule : None for a raster whose pixels are its posts.
    """
    result = np.zeros(heights.shape, bool)
    places = find_spikes(heights, 0, range(heights.shape[0]), heights.shape[0], rule or SpikeRule())
    result[places.row, places.column] = True
    return result


def find_spikes(heights: FloatArray, top: int, wanted: range, rows: int, rule: SpikeRule) -> Spikes:
    """Heights that stand far off the median of their 3 x 3 neighbourhood, against the roughness around them, and alone.

    |z - median(z, 3 x 3)| > max(least, 12 r), with r the median of that distance in the 9 x 9 window, at least 0.5 m;
    and z is more than half of ``least`` above the highest, or below the lowest, of its eight neighbours.
    Beside a void there is no median: a pixel with a void among its eight neighbours, or two posts off in its row or
    column, is no spike, and such neighbourhoods do not count in r. Beyond the raster's edge lies its mirror image.

    Parameters
    ----------
    heights : rows of the raster from number ``top`` on, ``rule.reach`` more on both sides of the wanted ones as far as
        the raster has them; m, NaN where void.
    wanted : rows of the raster to look at.
    rows : of the whole raster.
    """
    columns = heights.shape[1]
    lines = max(1, CHUNK // columns)
    row: list[IndexArray] = []
    column: list[IndexArray] = []
    for start in range(wanted.start, wanted.stop, lines):
        strip = range(start, min(start + lines, wanted.stop))
        framed = _framed(heights, top, strip, rows, rule.spacing)
        distance = distance_from_median(framed, rule.spacing)
        # a void's distance is NaN and not above the limit
        place = np.argwhere(distance > rule.least_m)
        row.append(place[:, 0] + start)
        column.append(place[:, 1])
    candidates = np.concatenate([*row, np.empty(0, np.intp)]), np.concatenate([*column, np.empty(0, np.intp)])
    return _confirmed(heights, top, candidates, (rows, columns), rule)


def _framed(heights: FloatArray, top: int, strip: range, rows: int, spacing: int) -> FloatArray:
    """Rows of a strip with ``spacing`` more pixels on every side, mirrored at the raster's edge."""
    first, last = strip.start - spacing, strip.stop + spacing
    if first >= 0 and last <= rows:
        lines = heights[first - top : last - top]
    else:
        lines = heights[mirrored(np.arange(first, last), rows) - top]
    columns = heights.shape[1]
    result = np.empty((lines.shape[0], columns + 2 * spacing), heights.dtype)
    result[:, spacing:-spacing] = lines
    beyond = np.r_[-spacing:0, columns : columns + spacing]
    result[:, beyond + spacing] = lines[:, mirrored(beyond, columns)]
    return result


def mirrored(index: IndexArray, size: int) -> IndexArray:
    """Indices beyond an axis as those of its mirror image about the outermost pixel: -1 is 1, size is size - 2.

    Parameters
    ----------
    index : whole numbers, any shape, however far beyond the axis.
    size : of the axis.
    """
    period = max(1, 2 * (size - 1))
    folded: IndexArray = index % period
    return np.minimum(folded, period - folded)


def distance_from_median(heights: FloatArray, spacing: int = 1) -> FloatArray:
    """|z - median| of the 3 x 3 posts around each pixel; NaN where one of them is void.

    The median of nine by minima and maxima: columns of three are sorted, then the middle one of the greatest low, the
    middle of the middles and the least high is taken.

    Parameters
    ----------
    heights : shape (..., rows + 2 spacing, columns + 2 spacing), m.

    Returns
    -------
    Shape (..., rows, columns), m.
    """
    upper, middle, lower = _column_of_three(heights, spacing)
    low, high = np.minimum(upper, middle), np.maximum(upper, middle)
    least = np.minimum(low, lower)
    np.maximum(low, lower, out=low)
    between = np.minimum(high, low)
    np.maximum(high, low, out=high)
    west, centre, east = _row_of_three(least, spacing)
    greatest_low = np.maximum(west, centre)
    np.maximum(greatest_low, east, out=greatest_low)
    middle_between = _middle(*_row_of_three(between, spacing))
    west, centre, east = _row_of_three(high, spacing)
    least_high = np.minimum(west, centre)
    np.minimum(least_high, east, out=least_high)
    result = _middle(greatest_low, middle_between, least_high)
    np.subtract(_row_of_three(middle, spacing)[1], result, out=result)
    return np.abs(result, out=result)


def _column_of_three(values: FloatArray, spacing: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What lies ``spacing`` pixels north of, at and south of each pixel."""
    size = values.shape[-2]
    return values[..., : size - 2 * spacing, :], values[..., spacing : size - spacing, :], values[..., 2 * spacing :, :]


def _row_of_three(values: FloatArray, spacing: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What lies ``spacing`` pixels west of, at and east of each pixel."""
    size = values.shape[-1]
    return values[..., : size - 2 * spacing], values[..., spacing : size - spacing], values[..., 2 * spacing :]


def _middle(first: FloatArray, second: FloatArray, third: FloatArray) -> FloatArray:
    """The middle one of three, pixel by pixel; NaN where one is."""
    result = np.maximum(first, second)
    np.minimum(result, third, out=result)
    np.maximum(result, np.minimum(first, second), out=result)
    return result


def _confirmed(
    heights: FloatArray, top: int, candidates: tuple[IndexArray, IndexArray], shape: tuple[int, int], rule: SpikeRule
) -> Spikes:
    """The candidates that stand off the roughness around them, alone, and not beside a void."""
    reach = rule.spacing * np.arange(-REACH, REACH + 1)
    kept = np.zeros(candidates[0].size, bool)
    off = np.zeros(candidates[0].size, np.float32)
    for start in range(0, kept.size, WINDOWS):
        part = slice(start, start + WINDOWS)
        rows = mirrored(candidates[0][part, None] + reach, shape[0]) - top
        columns = mirrored(candidates[1][part, None] + reach, shape[1])
        window = heights[rows[:, :, None], columns[:, None, :]]
        distance = distance_from_median(window)
        own = distance[:, REACH - 1, REACH - 1]
        limit = SPIKE_ROUGHNESS * np.maximum(_median_of_known(distance), LEAST_ROUGHNESS_M)
        two_off = window[:, [REACH - 2, REACH + 2, REACH, REACH], [REACH, REACH, REACH - 2, REACH + 2]]
        # in order, the middle of the nine heights is their median, and beside an end stands its nearest neighbour
        nine = np.sort(window[:, REACH - 1 : REACH + 2, REACH - 1 : REACH + 2].reshape(-1, 9), axis=1)
        height = window[:, REACH, REACH]
        alone = np.maximum(height - nine[:, 7], nine[:, 1] - height) > ALONE_SHARE * rule.least_m
        kept[part] = (own > limit) & alone & np.isfinite(two_off).all(axis=1)
        off[part] = height - nine[:, 4]
    return Spikes(candidates[0][kept], candidates[1][kept], off[kept])


def _median_of_known(windows: FloatArray) -> FloatArray:
    """Median of what is not NaN in each window, shape (n,); at least one value of each is known."""
    values = np.sort(windows.reshape(windows.shape[0], -1), axis=1)
    known = np.isfinite(values).sum(axis=1)
    numbers = np.arange(values.shape[0])
    result: FloatArray = (values[numbers, (known - 1) // 2] + values[numbers, known // 2]) / 2
    return result
