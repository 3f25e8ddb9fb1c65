"""What is counted of a DEM on the grid before anything is computed from it: block by block, in whole numbers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import Block
from pipeline.elevation_change.dem_checks.spikes import SpikeRule, Spikes, find_spikes
from pipeline.elevation_change.dems import HIGHEST_M, LOWEST_M, Mosaic
from pipeline.grid import BoolArray, FloatArray, Grid

IntArray = NDArray[np.int64]

# the map of the counts has at most so many cells a side
MAP_CELLS = 300
# hypsometry and whole metres are counted on every so many rows and columns
THINNING = 4
HYPSOMETRY_EDGES_M = np.arange(LOWEST_M, HIGHEST_M + 1, 50.0)


@dataclass(frozen=True)
class CountLayout:
    """How a DEM is counted: the raster's (rows, columns), and what counts as a spike."""

    shape: tuple[int, int]
    rule: SpikeRule

    @classmethod
    def of(cls, mosaic: Mosaic, grid: Grid) -> CountLayout:
        """The layout for a DEM resampled onto a grid in metres.

        Parameters
        ----------
        mosaic : the opened DEM.
        grid : what it is resampled onto, m.
        """
        return cls(grid.shape, SpikeRule.of(mosaic.nominal_resolution_m, grid.pixel_size[0]))

    @property
    def halo(self) -> int:
        """Rows beyond a block that the counts of the block need."""
        return self.rule.reach

    @property
    def cell(self) -> int:
        """Rows and columns of a cell of the map."""
        return max(1, ceil(max(self.shape) / MAP_CELLS))

    @property
    def map_shape(self) -> tuple[int, int]:
        return ceil(self.shape[0] / self.cell), ceil(self.shape[1] / self.cell)

    def pixels(self) -> IntArray:
        """Pixels in each cell, shape map_shape; the last row and column of cells may be cut off."""
        rows, columns = (
            np.minimum(self.cell, size - self.cell * np.arange(cells))
            for size, cells in zip(self.shape, self.map_shape, strict=True)
        )
        result: IntArray = np.multiply.outer(rows, columns)
        return result


@dataclass(frozen=True)
class Spike:
    """One spike: its pixel, and how far it stands above (negative: below) the median of its neighbours, m."""

    row: int
    column: int
    off_m: float


# what is counted in each cell of the map
MEASURED, LEVEL, SPIKES, GLACIER, GLACIER_MEASURED = range(5)


@dataclass(frozen=True, kw_only=True)
class DemCounts:
    """Counts of a DEM in the cells of a map; those of different blocks add up.

    Attributes
    ----------
    first_line : number of the map's first row held here; a block touches only some.
    cells : pixels with a height (MEASURED), of these as high as both their eastern and southern neighbours (LEVEL),
        spikes (SPIKES), glacier pixels (GLACIER), and those with a height (GLACIER_MEASURED). Shape (5, lines,
        columns of the map).
    lowest_m, highest_m : heights; shape (lines, columns), NaN where all is void.
    hypsometry : heights in the classes of ``HYPSOMETRY_EDGES_M``, of every fourth row and column.
    whole_metres : how many of those heights are whole metres.
    worst : the spike that stands out most, the first of them in reading order.
    """

    layout: CountLayout
    first_line: int
    cells: IntArray
    lowest_m: FloatArray
    highest_m: FloatArray
    hypsometry: IntArray
    whole_metres: int
    worst: Spike | None

    @property
    def lines(self) -> int:
        return int(self.cells.shape[1])

    def __add__(self, other: DemCounts) -> DemCounts:
        if self.layout != other.layout:
            raise ValueError(f"counts of different layouts do not add up: {self.layout}, {other.layout}")
        first = min(self.first_line, other.first_line)
        shape = (max(part.first_line + part.lines for part in (self, other)) - first, self.cells.shape[2])
        cells = np.zeros((len(self.cells), *shape), np.int64)
        lowest, highest = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
        for part in (self, other):
            lines = slice(part.first_line - first, part.first_line - first + part.lines)
            cells[:, lines] += part.cells
            lowest[lines], highest[lines] = (
                np.fmin(lowest[lines], part.lowest_m),
                np.fmax(highest[lines], part.highest_m),
            )
        spikes = [part.worst for part in (self, other) if part.worst is not None]
        return DemCounts(
            layout=self.layout,
            first_line=first,
            cells=cells,
            lowest_m=lowest,
            highest_m=highest,
            hypsometry=self.hypsometry + other.hypsometry,
            whole_metres=self.whole_metres + other.whole_metres,
            worst=min(spikes, key=lambda spike: (-abs(spike.off_m), spike.row, spike.column), default=None),
        )


def dem_block_counts(heights: FloatArray, glaciers: BoolArray | None, block: Block, layout: CountLayout) -> DemCounts:
    """Count one block of a DEM.

    Parameters
    ----------
    heights : the block's rows and ``layout.halo`` more on either side, as far as the raster has them
        (``block.widened(layout.halo, rows)``); m, NaN where void.
    glaciers : glacier pixels of the block's own rows; None for none.
    """
    top = max(0, block.start - layout.halo)
    lines = range(block.start // layout.cell, (block.stop - 1) // layout.cell + 1)
    spikes = find_spikes(heights, top, range(block.start, block.stop), layout.shape[0], layout.rule)
    sums = np.zeros((5, len(lines), layout.shape[1]), np.uint16)
    extremes = np.empty((2, len(lines), layout.shape[1]), np.float32)
    for number, line in enumerate(lines):
        rows = slice(max(block.start, line * layout.cell), min(block.stop, (line + 1) * layout.cell))
        # with the row to the south, if there is one
        part = heights[rows.start - top : rows.stop + 1 - top]
        own = None if glaciers is None else glaciers[rows.start - block.start : rows.stop - block.start]
        _count_line(part, rows.stop - rows.start, own, sums[:, number])
        np.fmin.reduce(part[: rows.stop - rows.start], axis=0, out=extremes[0, number])
        np.fmax.reduce(part[: rows.stop - rows.start], axis=0, out=extremes[1, number])
    starts = np.arange(0, layout.shape[1], layout.cell)
    cells = np.add.reduceat(sums, starts, axis=2, dtype=np.int64)
    np.add.at(cells[SPIKES], (spikes.row // layout.cell - lines.start, spikes.column // layout.cell), 1)
    hypsometry, whole_metres = _hypsometry(heights, top, block)
    return DemCounts(
        layout=layout,
        first_line=lines.start,
        cells=cells,
        lowest_m=np.fmin.reduceat(extremes[0], starts, axis=1),
        highest_m=np.fmax.reduceat(extremes[1], starts, axis=1),
        hypsometry=hypsometry,
        whole_metres=whole_metres,
        worst=_worst(spikes),
    )


def _count_line(heights: FloatArray, rows: int, glaciers: BoolArray | None, sums: NDArray[np.uint16]) -> None:
    """Add up a row of cells along its columns; ``heights`` may have one row more than the ``rows`` counted."""
    known = np.isfinite(heights[:rows])
    _add_rows(known, sums[MEASURED])
    level = heights[:-1, :-1] == heights[:-1, 1:]
    level &= heights[:-1, :-1] == heights[1:, :-1]
    _add_rows(level[:rows], sums[LEVEL, :-1])
    if glaciers is not None and glaciers.any():
        _add_rows(glaciers, sums[GLACIER])
        known &= glaciers
        _add_rows(known, sums[GLACIER_MEASURED])


def _add_rows(mask: BoolArray, total: NDArray[np.uint16]) -> None:
    np.add.reduce(mask.view(np.uint8), axis=0, dtype=np.uint16, out=total)


def _hypsometry(heights: FloatArray, top: int, block: Block) -> tuple[IntArray, int]:
    """Thinned heights of a block by class, and how many are whole metres."""
    first = -(-block.start // THINNING) * THINNING
    values = heights[first - top : block.stop - top : THINNING, ::THINNING]
    values = values[np.isfinite(values)]
    place = ((values - HYPSOMETRY_EDGES_M[0]) / np.diff(HYPSOMETRY_EDGES_M[:2])).astype(np.intp)
    last = HYPSOMETRY_EDGES_M.size - 2
    classes = np.bincount(np.clip(place, 0, last), minlength=last + 1)
    return classes, int(np.count_nonzero(values == np.rint(values)))


def _worst(spikes: Spikes) -> Spike | None:
    if spikes.row.size == 0:
        return None
    place = int(np.argmax(np.abs(spikes.off_m)))
    return Spike(int(spikes.row[place]), int(spikes.column[place]), float(spikes.off_m[place]))
