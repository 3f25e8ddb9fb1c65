"""A DEM seen on a grid: rectangles of it are read, or resampled, when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pipeline.blocks import Window
from pipeline.elevation_change.dems import (
    Mosaic,
    aligned_offset,
    native_index,
    read_pixels,
    resampling_scale,
    warp_native,
)
from pipeline.elevation_change.pairing.axis_resampling import AxisAligned, axis_aligned, resampled
from pipeline.grid import FloatArray, Grid

CHUNK = 1024
# native pixels beneath a chunk are held in memory a few times over; finer DEMs get smaller chunks
MOST_NATIVE_PIXELS = 4_000_000
LEAST_CHUNK = 32
# every n-th row is read with the rows between up to so many
ROWS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class GriddedDem:
    """Heights of a mosaic on the pixels of a grid, m, NaN where void; a ``pipeline.blocks.Raster``.

    Where the grid's pixels are native ones they are read as they are. Where they divide native ones regularly they are
    resampled by weights that know no rectangle; elsewhere GDAL warps them, chunk by chunk of a fixed lattice. So a
    value is the same to the bit whichever rectangle is asked for.

    Attributes
    ----------
    mosaic : the tiles; opened anew in each thread and process that reads them.
    grid : of the pixels, moved against the shift of the DEM.
    resampling : GDAL's name of the method where pixels do not coincide.
    first : (row, column) of the grid's first pixel, from the mosaic's first tile, where they coincide; else None.
    axes : how the grid's rows and columns lie among native ones, where they do so regularly; else None, and GDAL warps.
    scale : of the resampling kernel.
    beneath : tiles of the same DEM with other pixels, on the same grid; they fill what these leave void.
    """

    mosaic: Mosaic
    grid: Grid
    resampling: str
    first: tuple[int, int] | None
    axes: AxisAligned | None
    scale: tuple[float, float]
    beneath: GriddedDem | None = None

    @property
    def shape(self) -> tuple[int, int]:
        return self.grid.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float32)

    @property
    def coincides(self) -> bool:
        """Whether the pixels of the grid are native ones, so that nothing is resampled."""
        return self.first is not None and self.beneath is None

    @property
    def cheap_to_read(self) -> bool:
        """Whether reading a rectangle again costs about as little as reading it from a scratch file."""
        return self.coincides and all(tile.plain for tile in self.mosaic.tiles)

    @property
    def chunk_size(self) -> int:
        """Side of the chunks of a resampled DEM, in pixels of the grid."""
        finest = math.isqrt(int(MOST_NATIVE_PIXELS * self.scale[0] * self.scale[1]))
        return max(LEAST_CHUNK, min(CHUNK, finest))

    @property
    def chunks(self) -> tuple[Window, ...]:
        """Rectangles that cover the grid, row by row of them; each is best read at once.

        Those of a resampled DEM are squares; those of native pixels begin where the blocks of the file do, so that each
        block is decompressed once.
        """
        if self.first is None:
            edges = [list(range(0, size, self.chunk_size)) for size in self.shape]
        else:
            rows, columns = self.mosaic.tiles[0].block
            wide = columns * max(1, CHUNK * CHUNK // (rows * columns))
            high = rows * max(1, CHUNK * CHUNK // (rows * min(wide, self.shape[1])))
            spacing = zip(self.shape, self.first, (high, wide), strict=True)
            edges = [[0, *range(-start % side or side, size, side)] for size, start, side in spacing]
        rows_of, columns_of = (
            [slice(start, stop) for start, stop in zip(starts, [*starts[1:], size], strict=True)]
            for starts, size in zip(edges, self.shape, strict=True)
        )
        return tuple((row, column) for row in rows_of for column in columns_of)

    def __getitem__(self, window: Window, /) -> FloatArray:
        """Heights of (rows, columns), slices with a positive step; float32.

        Errors
        ------
        BadInput : a tile that cannot be read to its end.
        """
        rows, columns = (range(*part.indices(size)) for part, size in zip(window, self.shape, strict=True))
        if len(rows) == 0 or len(columns) == 0:
            return np.empty((len(rows), len(columns)), np.float32)
        heights = self._of_own_tiles(rows, columns)
        if self.beneath is not None:
            void = np.isnan(heights)
            if void.any():
                np.copyto(heights, self.beneath[window], where=void)
        return heights

    def _of_own_tiles(self, rows: range, columns: range) -> FloatArray:
        if self.first is not None:
            return self._native(rows, columns, self.first)
        if self.axes is not None and rows.step == columns.step == 1:
            corner, shape = (rows[0], columns[0]), (len(rows), len(columns))
            return resampled(self.mosaic, self.axes, corner, shape, self.resampling)
        return self._by_chunks(rows, columns)

    def _native(self, rows: range, columns: range, first: tuple[int, int]) -> FloatArray:
        width = columns[-1] + 1 - columns[0]
        if rows.step == 1:
            block = read_pixels(self.mosaic, (first[0] + rows[0], first[1] + columns[0]), (len(rows), width))
            return np.ascontiguousarray(block[:, :: columns.step])
        # a reading costs as much as a few rows do: rows that lie near each other come together
        at_once = max(1, ROWS_AT_ONCE // rows.step)
        result = np.empty((len(rows), len(columns)), np.float32)
        for start in range(0, len(rows), at_once):
            some = rows[start : start + at_once]
            shape = (some[-1] + 1 - some[0], width)
            block = read_pixels(self.mosaic, (first[0] + some[0], first[1] + columns[0]), shape)
            result[start : start + at_once] = block[:: rows.step, :: columns.step]
        return result

    def _by_chunks(self, rows: range, columns: range) -> FloatArray:
        result = np.empty((len(rows), len(columns)), np.float32)
        for row_part, chunk_rows in _parts(rows, self.chunk_size):
            for column_part, chunk_columns in _parts(columns, self.chunk_size):
                chunk = self._chunk(rows[row_part.start], columns[column_part.start])
                result[row_part, column_part] = chunk[chunk_rows, chunk_columns]
        return result

    def _chunk(self, row: int, column: int) -> FloatArray:
        """The chunk of the lattice that holds a pixel."""
        side = self.chunk_size
        top, left = row // side * side, column // side * side
        shape = (min(side, self.shape[0] - top), min(side, self.shape[1] - left))
        if self.axes is not None:
            return resampled(self.mosaic, self.axes, (top, left), shape, self.resampling)
        return warp_native(self.mosaic, self.grid.window(top, left, shape), self.resampling, self.scale)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> FloatArray:
        whole = self[:, :]
        return whole if dtype is None else whole.astype(dtype, copy=False)


def _parts(wanted: range, side: int) -> Iterator[tuple[slice, slice]]:
    """Where the pixels asked for lie in the result, and within their chunk, chunk by chunk."""
    start = 0
    while start < len(wanted):
        chunk = wanted[start] // side
        # the first pixel asked for that lies in a later chunk
        stop = min(len(wanted), start - (-((chunk + 1) * side - wanted[start]) // wanted.step))
        origin = chunk * side
        yield slice(start, stop), slice(wanted[start] - origin, wanted[stop - 1] - origin + 1, wanted.step)
        start = stop


def gridded(mosaic: Mosaic, grid: Grid, resampling: str, shift: tuple[float, float] = (0.0, 0.0)) -> GriddedDem:
    """A DEM on the pixels of ``grid``, moved by ``shift`` = (east, north) m; nothing is read yet.

    Parameters
    ----------
    resampling : "nearest", "bilinear", "cubic" ..., where the grid's pixels are not the native ones.
    """
    moved = grid.moved(-shift[0], -shift[1])
    offset = aligned_offset(mosaic, moved)
    first = None if offset is None else native_index(mosaic, offset)
    axes = axis_aligned(mosaic, moved) if resampling in ("bilinear", "cubic") else None
    return GriddedDem(
        mosaic=mosaic,
        grid=moved,
        resampling=resampling,
        first=first,
        axes=axes,
        scale=resampling_scale(mosaic, moved),
        beneath=None if mosaic.beneath is None else gridded(mosaic.beneath, grid, resampling, shift),
    )
