"""Resampling between north-up grids of one projection: one axis after the other, by a few weighted slices.

Where n pixels of the one grid make a pixel of the other, the weights repeat every n pixels, so that a raster is
resampled by adding up shifted copies of it: exactly, and several times faster than by a warp through the projection.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from pyproj import Transformer

from pipeline.elevation_change.dems import MARGIN, WARP_TOLERANCE, Mosaic, continued_into_voids, read_pixels
from pipeline.grid import FloatArray, Grid

# pixels of one grid to a pixel of the other; beyond it the weights hardly repeat and a warp serves as well
MOST_PHASES = 16


@dataclass(frozen=True)
class Axis:
    """Where the pixel centres of a grid lie among native ones: centre i at native index ``start + i / phases``."""

    start: float
    phases: int

    def weights(self, phase: int, kernel: str) -> tuple[int, tuple[float, ...]]:
        """Native index of the first tap of pixel ``phase``, and the weights from there on.

        Bilinear, or cubic convolution with a = -0.5 (Keys, 1981, eq. 4), which is GDAL's.

        Parameters
        ----------
        phase : which of the pixels that share a native one, 0 the first.
        kernel : "bilinear" or "cubic".

        Returns
        -------
        native index of the first tap; weights of that pixel and those after it, which sum to 1.
        """
        position = self.start + phase / self.phases
        whole = math.floor(position)
        t = position - whole
        if kernel == "bilinear":
            return whole, (1 - t, t)
        return whole - 1, (
            ((-0.5 * t + 1) * t - 0.5) * t,
            (1.5 * t - 2.5) * t * t + 1,
            ((-1.5 * t + 2) * t + 0.5) * t,
            (0.5 * t - 0.5) * t * t,
        )

    def nearest(self, first: int, count: int) -> FloatArray:
        """Native index of the pixel that holds each of ``count`` centres.

        Parameters
        ----------
        first : first pixel of the grid.
        count : how many follow from there.
        """
        return np.floor(self.start + np.arange(first, first + count) / self.phases + 0.5).astype(np.int64)


@dataclass(frozen=True)
class AxisAligned:
    """How the rows and the columns of a grid lie among those of a mosaic, counted from its first tile's first pixel."""

    rows: Axis
    columns: Axis


def axis_aligned(mosaic: Mosaic, grid: Grid) -> AxisAligned | None:
    """The relation of a grid to a mosaic of one projection, if n of its pixels make a native one; else None.

    The projections are compared by where they put nine points of the grid, to ``WARP_TOLERANCE`` native pixels.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : what it is resampled onto.
    """
    rows, columns = (np.array([0.0, size / 2, size]) for size in grid.shape)
    origin, (width, height) = mosaic.tiles[0].transform, mosaic.pixel
    easting, northing = np.meshgrid(
        grid.transform.c + columns * grid.transform.a, grid.transform.f + rows * grid.transform.e
    )
    if grid.crs != mosaic.crs:
        to_native = Transformer.from_crs(grid.crs, mosaic.crs, always_xy=True)
        easting, northing = (np.asarray(part) for part in to_native.transform(easting, northing))
    native_columns, native_rows = (easting - origin.c) / width, (origin.f - northing) / height
    if not (np.isfinite(native_columns).all() and np.isfinite(native_rows).all()):
        return None
    row_axis, column_axis = _axis(native_rows, rows), _axis(native_columns.T, columns)
    return None if row_axis is None or column_axis is None else AxisAligned(row_axis, column_axis)


def _axis(native: FloatArray, pixels: FloatArray) -> Axis | None:
    """The relation along the first dimension of ``native``, if it is the same all over the second."""
    step = (native[-1].mean() - native[0].mean()) / (pixels[-1] - pixels[0])
    phases = round(1 / step) if step > 0.5 / MOST_PHASES else 0
    if not 1 <= phases <= MOST_PHASES:
        return None
    expected = native[0, 0] + pixels[:, None] / phases
    if np.abs(native - expected).max() > WARP_TOLERANCE:
        return None
    # centre to centre; what lies within rounding of a native centre is taken to be there
    start = float(native[0, 0]) + 0.5 / phases - 0.5
    return Axis(round(start * phases) / phases if abs(start * phases - round(start * phases)) < 1e-6 else start, phases)


def resampled(
    mosaic: Mosaic, relation: AxisAligned, first: tuple[int, int], shape: tuple[int, int], kernel: str
) -> FloatArray:
    """Heights of a rectangle of the grid, float32, m; NaN where the native pixel that holds the centre is void.

    Beside voids heights are continued along the slope (``void_edges``).

    Parameters
    ----------
    first : (row, column) of the rectangle on the grid.
    kernel : "bilinear" or "cubic".

    Errors
    ------
    BadInput : a tile that cannot be read to its end.
    """
    rows, columns = (
        (axis, start, count) for axis, start, count in zip((relation.rows, relation.columns), first, shape, strict=True)
    )
    top, row_taps = _taps(*rows, kernel)
    left, column_taps = _taps(*columns, kernel)
    extent = tuple(max(tap.stop for tap in taps) for taps in (row_taps, column_taps))
    native = read_pixels(mosaic, (top, left), (extent[0], extent[1]))
    result = _summed_up(native, row_taps, column_taps, shape)
    if np.isnan(native).any():
        wide = read_pixels(mosaic, (top - MARGIN, left - MARGIN), (extent[0] + 2 * MARGIN, extent[1] + 2 * MARGIN))
        continued = continued_into_voids(wide)[MARGIN:-MARGIN, MARGIN:-MARGIN]
        beside = _summed_up(continued, row_taps, column_taps, shape)
        held = [
            axis.nearest(start, count) - origin
            for (axis, start, count), origin in zip((rows, columns), (top, left), strict=True)
        ]
        known = np.isfinite(native[np.ix_(*held)])
        np.copyto(result, beside, where=np.isnan(result) & known)
        result[~known] = np.nan
    return result


def _summed_up(
    native: FloatArray, row_taps: list[_Phase], column_taps: list[_Phase], shape: tuple[int, int]
) -> FloatArray:
    across = np.empty((native.shape[0], shape[1]), np.float32)
    for tap in column_taps:
        _add_up(across.T[tap.pixels], native.T, tap)
    result = np.empty(shape, np.float32)
    for tap in row_taps:
        _add_up(result[tap.pixels], across, tap)
    return result


@dataclass(frozen=True)
class _Phase:
    """Pixels of one phase along an axis, and the native pixels, weighted, that make them up."""

    pixels: slice
    start: int
    count: int
    weights: tuple[float, ...]

    @property
    def stop(self) -> int:
        return self.start + self.count + len(self.weights) - 1


def _taps(axis: Axis, first: int, count: int, kernel: str) -> tuple[int, list[_Phase]]:
    """Native index that the rectangle begins at, and the taps of every phase counted from there."""
    phases = []
    for offset in range(min(axis.phases, count)):
        period, phase = divmod(first + offset, axis.phases)
        start, weights = axis.weights(phase, kernel)
        pixels = slice(offset, None, axis.phases)
        phases.append((start + period, pixels, len(range(offset, count, axis.phases)), weights))
    lowest = min(start for start, *_ in phases)
    return lowest, [_Phase(pixels, start - lowest, number, weights) for start, pixels, number, weights in phases]


def _add_up(target: FloatArray, source: FloatArray, tap: _Phase) -> None:
    """target[i] = sum of weights[k] * source[start + i + k]."""
    for number, weight in enumerate(tap.weights):
        part = source[tap.start + number : tap.start + number + tap.count]
        if number == 0:
            np.multiply(part, np.float32(weight), out=target)
        else:
            target += part * np.float32(weight)
