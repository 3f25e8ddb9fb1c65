"""Windows spread evenly over the grid, in which a pair of DEMs is looked at without reading all of it.

They depend on the size of the grid alone. A grid of up to a million pixels is one window.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.blocks import AnyArray, Raster, Runner
from pipeline.elevation_change.pairing.dem_pair import RIM
from pipeline.grid import FloatArray

WINDOW = 32
MOST_PIXELS = 1_000_000


@dataclass(frozen=True)
class Band:
    """Windows side by side: the row of their upper edge and the column of each one's left edge."""

    top: int
    lefts: tuple[int, ...]


@dataclass(frozen=True)
class Lattice:
    """The windows of a survey, all of one size (rows, columns)."""

    bands: tuple[Band, ...]
    size: tuple[int, int]

    @property
    def pixels(self) -> int:
        """Pixels of all windows together."""
        return self.size[0] * self.size[1] * sum(len(band.lefts) for band in self.bands)

    @property
    def most_windows(self) -> int:
        """How many windows of this size are held at once."""
        return MOST_PIXELS // (self.size[0] * self.size[1])


def lattice_of(shape: tuple[int, int], most_pixels: float = MOST_PIXELS) -> Lattice:
    """Evenly spread windows off the rim of a grid; one that holds all of it where it is small.

    Parameters
    ----------
    shape : (rows, columns) of the grid.
    most_pixels : what the windows hold together.
    """
    inner = (max(0, shape[0] - 2 * RIM), max(0, shape[1] - 2 * RIM))
    if min(inner) == 0:
        return Lattice((), inner)
    if inner[0] * inner[1] <= MOST_PIXELS:
        return Lattice((Band(RIM, (RIM,)),), inner)
    thinning = max(1.0, (inner[0] * inner[1] / most_pixels) ** 0.5)
    size = (min(WINDOW, inner[0]), min(WINDOW, inner[1]))
    lefts = _corners(inner[1], size[1], thinning)
    return Lattice(tuple(Band(top, lefts) for top in _corners(inner[0], size[0], thinning)), size)


def _corners(length: int, window: int, thinning: float) -> tuple[int, ...]:
    count = max(1, int(length / window / thinning))
    spacing = (length - window) / max(1, count - 1)
    return tuple(RIM + round(number * spacing) for number in range(count))


def raster_windows(raster: Raster, lattice: Lattice, runner: Runner) -> FloatArray:
    """Any raster of the grid in the windows; shape (windows, rows, columns).

    Parameters
    ----------
    raster : shape of the grid.
    lattice : where the windows lie.
    runner : what reads them.
    """
    return in_windows(partial(_raster_band, raster, lattice.size), lattice, runner)


def _raster_band(raster: Raster, size: tuple[int, int], band: Band) -> FloatArray:
    return cut_windows(raster[band.top : band.top + size[0], 0 : raster.shape[1]], band, size[1], 0)


def in_windows(function: partial[FloatArray], lattice: Lattice, runner: Runner) -> FloatArray:
    """What a function of each band gives, band after band; shape (windows, rows, columns).

    Parameters
    ----------
    function : of a band, gives shape (windows of the band, rows, columns).
    lattice : where the windows lie.
    runner : what it runs on.
    """
    parts = list(runner.map(function, lattice.bands))
    return np.concatenate(parts) if parts else np.empty((0, *lattice.size), np.float32)


def cut_windows(rows: AnyArray, band: Band, width: int, rim: int) -> AnyArray:
    """The windows of a band, cut from its rows, with so many columns more on either side.

    Parameters
    ----------
    rows : shape (..., rows of the band, columns of the grid).
    band : whose windows they are.
    width : columns of a window.
    rim : columns more on either side.
    """
    return np.stack([rows[:, left - rim : left + width + rim] for left in band.lefts])
