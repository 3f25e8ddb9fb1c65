"""The elevation change in colour over shaded relief, computed where it is looked at: the whole is never in memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.features import rasterize
from shapely.geometry.base import BaseGeometry

from catalog.figures.colours import RgbArray, hillshade, paint, symmetric_limit
from catalog.formats import VISUAL_NODATA
from pipeline.elevation_change.result import GLACIER, ElevationChange
from pipeline.grid import BoolArray, FloatArray, Grid

# longest side of what is drawn or searched for the ends of a scale
MOST_PIXELS_ASIDE = 1600
_OUTLINE_RGB = (25, 30, 38)
# shading and colouring take some forty passes; a few rows at a time stay in the processor's cache
_PIXELS_AT_ONCE = 65_536

PixelNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class ChangePicture:
    """Elevation change over shaded relief: uint8 (3, rows, columns), 0 where neither is known.

    Glaciers carry the full colour, everything else a hint of it; without outlines everything does.
    ``picture[:, rows, columns]`` computes that window; with a step it is the picture of the raster's every n-th pixel.

    Attributes
    ----------
    limit : end of the colour scale, m.
    outlined : pixels drawn in the colour of outlines, as numbers counted row by row, increasing.
    """

    result: ElevationChange
    limit: float
    outlined: PixelNumbers | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """(3, rows, columns)."""
        return (3, *self.result.grid.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8."""
        return np.dtype(np.uint8)

    def __getitem__(self, window: tuple[slice, slice, slice]) -> RgbArray:
        """Pixels of (bands, rows, columns), slices with a positive step."""
        rows, columns = (
            range(*part.indices(size)) for part, size in zip(window[1:], self.result.grid.shape, strict=True)
        )
        picture = np.empty((3, len(rows), len(columns)), np.uint8)
        at_once = max(1, _PIXELS_AT_ONCE // max(1, len(columns)))
        for first in range(0, len(rows), at_once):
            self._fill(picture[:, first : first + at_once], rows[first : first + at_once], columns)
        chosen: RgbArray = picture[window[0]]
        return chosen

    def _fill(self, target: RgbArray, rows: range, columns: range) -> None:
        result = self.result
        height, width = result.grid.shape
        wide_rows, inner_rows = _with_neighbours(rows, height)
        wide_columns, inner_columns = _with_neighbours(columns, width)
        pixel_m = result.grid.pixel_size[0] * columns.step, result.grid.pixel_size[1] * rows.step
        # a slope needs the pixels on either side
        shade = hillshade(result.surface_m[wide_rows, wide_columns], pixel_m)[inner_rows, inner_columns]
        window = slice(rows.start, rows.stop, rows.step), slice(columns.start, columns.stop, columns.step)
        # where no glacier is known, everything carries the full colour
        glacier = np.asarray(result.classification[window]) == GLACIER if result.outlines is not None else np.True_
        _colour(target, shade, np.asarray(result.dh_m[window]), glacier, self.limit)
        if self.outlined is not None:
            within = np.searchsorted(self.outlined, (rows[0] * width, (rows[-1] + 1) * width))
            row, column = np.divmod(self.outlined[slice(*within)], width)
            seen = np.isin(row, rows) & np.isin(column, columns)
            at = (row[seen] - rows.start) // rows.step, (column[seen] - columns.start) // columns.step
            target[:, at[0], at[1]] = np.array(_OUTLINE_RGB, np.uint8)[:, np.newaxis]


@dataclass(frozen=True)
class Overview:
    """A window of an elevation change, thinned out so that it can be drawn.

    Attributes
    ----------
    rgb : uint8 (3, rows, columns), 0 where nothing is known.
    extent : (west, south, east, north) of its pixels, m.
    """

    rgb: RgbArray
    extent: tuple[float, float, float, float]


def change_limit(result: ElevationChange) -> float:
    """End of the colour scale (m): what holds 98 % of the glacier pixels, or of all where no glacier is known."""
    step = _step(*result.grid.shape)
    thinned = slice(step // 2, None, step), slice(step // 2, None, step)
    dh_m = np.asarray(result.dh_m[thinned])
    on_glaciers = dh_m[np.asarray(result.classification[thinned]) == GLACIER]
    return symmetric_limit(on_glaciers if np.isfinite(on_glaciers).any() else dh_m)


def sigma_limit(result: ElevationChange) -> float:
    """End of the scale of the standard deviation (m): what holds 98 % of the pixels."""
    step = _step(*result.grid.shape)
    thinned = slice(step // 2, None, step), slice(step // 2, None, step)
    return symmetric_limit(np.asarray(result.sigma_dh_m[thinned]))


def known_window(result: ElevationChange) -> tuple[slice, slice]:
    """The rows and columns that hold all pixels with a height or an elevation change, as far as a thinned look tells.

    Two DEMs that cover a corner of their grid alone would else be drawn as a stamp on an empty sheet.
    """
    step = _step(*result.grid.shape)
    thinned = slice(step // 2, None, step), slice(step // 2, None, step)
    known = np.isfinite(result.surface_m[thinned]) | np.isfinite(result.dh_m[thinned])
    whole = tuple(slice(0, size) for size in result.grid.shape)
    if not known.any():
        return whole[0], whole[1]
    places = (np.flatnonzero(known.any(axis=axis)) for axis in (1, 0))
    rows, columns = (
        slice(max(0, int(at[0] - 1) * step), min(size, int(at[-1] + 2) * step))
        for at, size in zip(places, result.grid.shape, strict=True)
    )
    return rows, columns


def overview(result: ElevationChange, limit: float, window: tuple[slice, slice] | None = None) -> Overview:
    """The picture of an elevation change, or of a window (slices without a step) of it, fit to be drawn."""
    rows, columns = window or tuple(slice(0, size) for size in result.grid.shape)
    step = _step(rows.stop - rows.start, columns.stop - columns.start)
    # from the middle of a cell of step by step pixels, so that the picture lies where the pixels do
    at = [slice(part.start + min(step // 2, part.stop - part.start - 1), part.stop, step) for part in (rows, columns)]
    rgb = ChangePicture(result, limit)[slice(0, 3), at[0], at[1]]
    west, _, _, north = result.grid.bounds
    width, height = result.grid.pixel_size
    left, top = west + columns.start * width, north - rows.start * height
    return Overview(rgb, (left, top - rgb.shape[1] * step * height, left + rgb.shape[2] * step * width, top))


def outlined_pixels(geometries: Iterable[BaseGeometry], grid: Grid) -> PixelNumbers:
    """Pixels that the boundaries of geometries run through, one pixel wide; numbers counted row by row, increasing.

    Each geometry is burnt within its own bounds, so that neither memory nor the pixels depend on what lies around it.
    """
    numbers = [_boundary_pixels(geometry, grid) for geometry in geometries if not geometry.is_empty]
    return np.unique(np.concatenate(numbers)) if numbers else np.empty(0, np.int64)


def _boundary_pixels(geometry: BaseGeometry, grid: Grid) -> PixelNumbers:
    west, south, east, north = geometry.bounds
    (top, bottom), (left, right) = (
        (max(0, floor(low) - 1), min(size, ceil(high) + 2))
        for (low, high), size in zip(
            (
                ((grid.bounds[3] - north) / grid.pixel_size[1], (grid.bounds[3] - south) / grid.pixel_size[1]),
                ((west - grid.bounds[0]) / grid.pixel_size[0], (east - grid.bounds[0]) / grid.pixel_size[0]),
            ),
            grid.shape,
            strict=True,
        )
    )
    if top >= bottom or left >= right:
        return np.empty(0, np.int64)
    part = grid.window(top, left, (bottom - top, right - left))
    burnt = rasterize([(geometry.boundary, 1)], out_shape=part.shape, transform=part.transform, dtype="uint8")
    rows, columns = np.nonzero(burnt)
    numbers: PixelNumbers = (rows + top) * np.int64(grid.shape[1]) + columns + left
    return numbers


def _step(height: int, width: int) -> int:
    return max(1, ceil(max(height, width) / MOST_PIXELS_ASIDE))


def _with_neighbours(lines: range, size: int) -> tuple[slice, slice]:
    """The lines with one more on either side, as far as there are any; and where among these the lines themselves are.

    ``lines`` is not empty.
    """
    first = lines[0] - lines.step if lines[0] >= lines.step else lines[0]
    last = lines[-1] + lines.step if lines[-1] + lines.step < size else lines[-1]
    before = (lines[0] - first) // lines.step
    return slice(first, last + 1, lines.step), slice(before, before + len(lines))


def _colour(target: RgbArray, shade: FloatArray, dh_m: FloatArray, glacier: BoolArray | np.bool_, limit: float) -> None:
    known = np.isfinite(dh_m)
    relief = np.where(np.isfinite(shade), 0.45 + 0.55 * shade, 0.9).astype(np.float32)
    strength = np.where(known, np.where(glacier, 1.0, 0.16), 0.0).astype(np.float32)
    # colours on glaciers are shaded lightly, so that they can still be read off the scale
    light = np.where(glacier & known, 0.8 + 0.2 * relief, relief)
    nothing = ~np.isfinite(shade) & ~known
    colours = paint(dh_m, limit)
    for band in range(3):
        value = (1 - strength + strength * colours[..., band]) * light
        # a drawn pixel is at least 1: 0 is kept for "nothing here"
        target[band] = np.where(nothing, VISUAL_NODATA, np.clip(np.rint(value * 255), 1, 255))
