"""Two DEMs on one grid: read in rectangles, the aligned one moved by any shift."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from pipeline.blocks import Raster
from pipeline.elevation_change.dems import MARGIN, continued_into_voids
from pipeline.elevation_change.result import Shift
from pipeline.grid import BoolArray, FloatArray, Grid

# the terrain attributes and the water test reach this far; the rim of so many pixels is never stable terrain
RIM = 2
# values of the mask of a pair
ON_GLACIER, UNSUITABLE = 1, 2


@dataclass(frozen=True)
class MovableDem:
    """The DEM that is aligned, on the grid.

    Attributes
    ----------
    heights : m, NaN where void, as resampled from the source with the source moved by ``resampled_at``.
    resampled_at : (east, north), m.
    cubic : whether other shifts are interpolated by cubic convolution, else bilinearly.
    """

    heights: Raster
    resampled_at: tuple[float, float]
    pixel_m: float
    cubic: bool

    def moved(self, rows: slice, columns: slice, shift: Shift) -> FloatArray:
        """Heights of a rectangle with the DEM moved by ``shift``, m; NaN where void or beyond its edge.

        Parameters
        ----------
        rows, columns : the rectangle, in pixels of the grid.
        shift : east and north, m, added to the DEM's position; its upward part is added to the heights.
        """
        # where a pixel of the result looks in the resampled heights
        row_offset = (shift.north - self.resampled_at[1]) / self.pixel_m
        column_offset = -(shift.east - self.resampled_at[0]) / self.pixel_m
        result = interpolated(self.heights, rows, columns, (row_offset, column_offset), cubic=self.cubic)
        if shift.up:
            result += np.float32(shift.up)
        return result


@dataclass(frozen=True, kw_only=True)
class DemPair:
    """The reference DEM, the aligned DEM and what of the grid cannot be stable terrain.

    Attributes
    ----------
    reference : heights on the grid, m, NaN where void.
    aligned : the DEM that is moved, as it now stands: resampled at the last shift where its pixels are not the grid's.
    unmoved : the aligned DEM before any shift.
    mask : uint8, the sum of ON_GLACIER and UNSUITABLE (buffers, what the user's own mask leaves out).
    sign : later minus earlier is sign * (reference - aligned).
    curvature_of_aligned : whether the aligned DEM is the finer one, whose heights the resolution effect follows.
    coarser_post_m : distance of the posts of the coarser DEM, m; the grid's pixel size when absent.
    """

    grid: Grid
    reference: Raster
    aligned: MovableDem
    unmoved: Raster
    mask: Raster
    sign: int
    curvature_of_aligned: bool
    coarser_post_m: float | None = None

    @property
    def pixel_m(self) -> float:
        return self.grid.pixel_size[0]

    @property
    def shape(self) -> tuple[int, int]:
        return self.grid.shape

    @property
    def post_pixels(self) -> float:
        """Distance of the coarser DEM's posts in pixels of the grid, at least one."""
        return max(1.0, (self.coarser_post_m or self.pixel_m) / self.pixel_m)

    def finer(self, rows: slice, columns: slice, shift: Shift) -> FloatArray:
        """Heights of the finer DEM in a rectangle within the grid, m; ``shift`` moves the aligned DEM if that is it."""
        if self.curvature_of_aligned:
            return self.aligned.moved(rows, columns, shift)
        return np.asarray(self.reference[rows, columns])

    def suitable(self, reference: FloatArray, rows: slice, columns: slice) -> BoolArray:
        """Pixels that may be stable terrain by the mask and are no water.

        Parameters
        ----------
        reference : heights of the rectangle with ``RIM`` more pixels on every side.
        """
        usable: BoolArray = self.mask[rows, columns] == 0
        usable &= ~level_surface(reference)
        return usable


class RasterOfPair(ABC):
    """What is computed on a pair's grid wherever it is asked for; reads like any raster."""

    pair: DemPair

    @property
    def shape(self) -> tuple[int, ...]:
        return self.pair.shape

    @property
    def dtype(self) -> np.dtype[np.float32]:
        return np.dtype(np.float32)

    @abstractmethod
    def __getitem__(self, window: tuple[slice, slice]) -> FloatArray: ...

    def __array__(self, dtype: np.dtype[np.float32] | None = None, /) -> FloatArray:
        return self[slice(0, self.shape[0]), slice(0, self.shape[1])].astype(dtype or self.dtype)


@dataclass(frozen=True)
class MovedRaster(RasterOfPair):
    """The aligned DEM of a pair moved by a shift."""

    pair: DemPair
    shift: Shift

    def __getitem__(self, window: tuple[slice, slice]) -> FloatArray:
        return self.pair.aligned.moved(window[0], window[1], self.shift)


def inner_rows(rows: slice, shape: tuple[int, int]) -> slice:
    """Rows that lie off the rim.

    Parameters
    ----------
    rows : a range of rows.
    shape : (rows, columns) of the grid.
    """
    return slice(max(rows.start, RIM), max(RIM, min(rows.stop, shape[0] - RIM)))


def inner_columns(shape: tuple[int, int]) -> slice:
    """Columns that lie off the rim.

    Parameters
    ----------
    shape : (rows, columns) of the grid.
    """
    return slice(RIM, max(RIM, shape[1] - RIM))


def with_rim(part: slice) -> slice:
    """A range with ``RIM`` more on either side.

    Parameters
    ----------
    part : a range that lies off the rim.
    """
    return slice(part.start - RIM, part.stop + RIM)


def level_surface(heights: FloatArray) -> BoolArray:
    """Water bodies, which DEM editing leaves exactly flat: 5 x 5 windows without any relief.

    Parameters
    ----------
    heights : shape (..., rows + 4, columns + 4), m.

    Returns
    -------
    Shape (..., rows, columns), of the windows' centres.
    """
    alike = heights[..., :, 1:] == heights[..., :, :-1]
    alike = alike[..., :, :-1] & alike[..., :, 1:]
    in_row = alike[..., :, :-2] & alike[..., :, 2:]  # five equal heights side by side
    shape = (*heights.shape[:-2], heights.shape[-2] - 4, heights.shape[-1] - 4)
    if not in_row.any():
        return np.zeros(shape, bool)
    middle = heights[..., :, 2:-2]
    down = middle[..., 1:, :] == middle[..., :-1, :]
    level: BoolArray = in_row[..., :-4, :].copy()
    for row in range(1, 5):
        level &= in_row[..., row : row + shape[-2], :]
        level &= down[..., row - 1 : row - 1 + shape[-2], :]
    return level


def interpolated(
    heights: Raster, rows: slice, columns: slice, offset: tuple[float, float], *, cubic: bool
) -> FloatArray:
    """result[i, j] = heights[i + offset row, j + offset column] for a rectangle, by a few weighted slices.

    A result is void where the pixel nearest to it is void; other voids beside it are bridged along the slope, so that
    voids keep their size. Beyond the edge of the raster there is nothing.

    Parameters
    ----------
    heights : shape (rows, columns), m, NaN where void.
    offset : (rows, columns), in pixels, of any size and fraction.
    """
    if offset == (0.0, 0.0):
        return np.array(heights[rows, columns], np.float32)
    row_taps, column_taps = taps_of(offset[0], cubic=cubic), taps_of(offset[1], cubic=cubic)
    result = np.full((rows.stop - rows.start, columns.stop - columns.start), np.nan, np.float32)
    # the part of the rectangle whose every tap lies within the raster
    inner_r = _supported(rows, row_taps, heights.shape[0])
    inner_c = _supported(columns, column_taps, heights.shape[1])
    if inner_r.start >= inner_r.stop or inner_c.start >= inner_c.stop:
        return result
    source = heights[
        inner_r.start + row_taps[0][0] : inner_r.stop + row_taps[-1][0],
        inner_c.start + column_taps[0][0] : inner_c.stop + column_taps[-1][0],
    ]
    target = result[
        inner_r.start - rows.start : inner_r.stop - rows.start,
        inner_c.start - columns.start : inner_c.stop - columns.start,
    ]
    _weigh(source, row_taps, column_taps, target)
    if np.isnan(target).any():
        nearest = [max(taps, key=lambda tap: tap[1])[0] - taps[0][0] for taps in (row_taps, column_taps)]
        known = np.isfinite(
            source[nearest[0] : nearest[0] + target.shape[0], nearest[1] : nearest[1] + target.shape[1]]
        )
        beside = np.empty_like(target)
        first = (inner_r.start + row_taps[0][0], inner_c.start + column_taps[0][0])
        _weigh(_continued(heights, first, source.shape), row_taps, column_taps, beside)
        np.copyto(target, beside, where=np.isnan(target) & known)
    return result


def _continued(heights: Raster, first: tuple[int, int], shape: tuple[int, ...]) -> FloatArray:
    """A rectangle of heights, continued into its voids; read with a margin, so that no value depends on its cut."""
    wide = tuple(
        slice(max(0, start - MARGIN), min(size, start + length + MARGIN))
        for start, length, size in zip(first, shape, heights.shape, strict=True)
    )
    own = tuple(
        slice(start - part.start, start - part.start + length)
        for start, length, part in zip(first, shape, wide, strict=True)
    )
    return continued_into_voids(np.asarray(heights[wide[0], wide[1]]))[own]


Taps = list[tuple[int, float]]  # offset in whole pixels and weight


def taps_of(offset: float, *, cubic: bool) -> Taps:
    """Which pixels, counted from the one asked for, an offset looks at, and with what weight.

    Parameters
    ----------
    offset : pixels, fractional.
    cubic : cubic convolution with a = -0.5 (Keys, 1981, eq. 4) in place of a straight line.
    """
    whole = math.floor(offset)
    part = offset - whole
    if part == 0:
        return [(whole, 1.0)]
    if not cubic:
        return [(whole, 1 - part), (whole + 1, part)]
    return [(whole + step, _keys(abs(step - part))) for step in (-1, 0, 1, 2)]


def _keys(distance: float) -> float:
    """Cubic convolution with a = -0.5 (Keys, 1981, eq. 4)."""
    if distance <= 1:
        return 1.5 * distance**3 - 2.5 * distance**2 + 1
    return -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2


def _supported(part: slice, taps: Taps, size: int) -> slice:
    return slice(max(part.start, -taps[0][0]), min(part.stop, size - taps[-1][0]))


def _weigh(source: FloatArray, row_taps: Taps, column_taps: Taps, target: FloatArray) -> None:
    lines = weighted_sum(source, [(offset - row_taps[0][0], w) for offset, w in row_taps], target.shape[0], -2)
    first = column_taps[0][0]
    target[...] = weighted_sum(lines, [(offset - first, w) for offset, w in column_taps], target.shape[1], -1)


def weighted_sum(values: FloatArray, taps: Taps, length: int, axis: int) -> FloatArray:
    """Slices of ``length`` along the last axis (-1) or the one before (-2), begun at each tap's offset, weighted.

        sum_k w_k values[..., k : k + length]

    Parameters
    ----------
    values : heights, m; at least ``length`` and the taps' reach along ``axis``.
    taps : offsets and weights.
    length : of the result along ``axis``.
    axis : -1 or -2.
    """
    total: FloatArray | None = None
    for offset, weight in taps:
        chosen = slice(offset, offset + length)
        part = values[..., chosen, :] if axis == -2 else values[..., chosen]
        if total is None:
            total = part * np.float32(weight)
        else:
            total += part * np.float32(weight)
    if total is None:
        raise ValueError("no tap")
    return total
