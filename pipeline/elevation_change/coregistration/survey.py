"""A survey of the pair: small windows spread evenly over the grid, held in memory.

Medians, class limits and first guesses come from these million pixels, in which they are known to a thousandth of
the spread; what has to be exact is then summed over all pixels. The windows depend on the size of the grid alone. A
grid of up to a million pixels is surveyed whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from pipeline.blocks import Raster, Runner
from pipeline.elevation_change.pairing import (
    RIM,
    Band,
    DemPair,
    Lattice,
    Taps,
    cut_windows,
    in_windows,
    lattice_of,
    level_surface,
    taps_of,
    weighted_sum,
)
from pipeline.elevation_change.result import Shift
from pipeline.grid import BoolArray, FloatArray

# of a survey with fewer stable pixels than this, and windows on less than this share of the grid, another is taken
FEW_PIXELS, LEAST_SHARE = 100_000, 0.9
# the aligned DEM's windows are read with so many pixels more on every side, so that small shifts need no new reading
REACH = 6


@dataclass(frozen=True)
class PixelSurvey:
    """The windows of a pair.

    Attributes
    ----------
    reference : heights with a rim of ``RIM`` pixels, shape (windows, rows + 4, columns + 4), m.
    suitable : pixels that may be stable terrain, shape (windows, rows, columns).
    lattice : where the windows lie.
    """

    lattice: Lattice
    reference: FloatArray
    suitable: BoolArray

    def rows_of(self) -> FloatArray:
        """Row of every pixel on the grid; broadcasts to (windows, rows, columns)."""
        tops = np.array([band.top for band in self.lattice.bands for _ in band.lefts], int)
        return tops[:, None, None] + np.arange(self.lattice.size[0])[None, :, None]

    def columns_of(self) -> FloatArray:
        """Column of every pixel on the grid; broadcasts to (windows, rows, columns)."""
        lefts = np.array([left for band in self.lattice.bands for left in band.lefts], int)
        return lefts[:, None, None] + np.arange(self.lattice.size[1])[None, None, :]


def take_survey(pair: DemPair, runner: Runner) -> PixelSurvey:
    """Read the reference and the mask in the windows; where little of them is stable, in windows that hold some.

    Parameters
    ----------
    pair : reference and aligned DEM on one grid.
    runner : what reads the windows.
    """
    lattice = lattice_of(pair.shape)
    survey = _surveyed(pair, lattice, runner)
    if np.count_nonzero(survey.suitable) >= FEW_PIXELS or lattice.pixels >= LEAST_SHARE * pair.shape[0] * pair.shape[1]:
        return survey
    return _surveyed(pair, _where_stable(pair, runner), runner)


def _surveyed(pair: DemPair, lattice: Lattice, runner: Runner) -> PixelSurvey:
    parts = list(runner.map(partial(_reference_band, pair, lattice.size), lattice.bands))
    if not parts:
        return PixelSurvey(lattice, np.empty((0, 4, 4), np.float32), np.empty((0, 0, 0), bool))
    reference, suitable = (np.concatenate(part) for part in zip(*parts, strict=True))
    return PixelSurvey(lattice, reference, suitable)


def _reference_band(pair: DemPair, size: tuple[int, int], band: Band) -> tuple[FloatArray, BoolArray]:
    rows = slice(band.top, band.top + size[0])
    heights = cut_windows(pair.reference[rows.start - RIM : rows.stop + RIM, 0 : pair.shape[1]], band, size[1], RIM)
    usable = cut_windows(pair.mask[rows, 0 : pair.shape[1]], band, size[1], 0) == 0
    usable &= ~level_surface(heights)
    return heights, usable


def _where_stable(pair: DemPair, runner: Runner) -> Lattice:
    """Evenly chosen ones of the windows that tile the grid and are not masked throughout."""
    whole = lattice_of(pair.shape, np.inf)
    kept = list(runner.map(partial(_unmasked, pair.mask, whole.size), whole.bands))
    windows = [(band.top, left) for band in kept for left in band.lefts]
    if len(windows) > whole.most_windows:
        windows = [windows[round(number)] for number in np.linspace(0, len(windows) - 1, whole.most_windows)]
    tops = sorted({top for top, _ in windows})
    return Lattice(tuple(Band(top, tuple(left for t, left in windows if t == top)) for top in tops), whole.size)


def _unmasked(mask: Raster, size: tuple[int, int], band: Band) -> Band:
    rows = mask[band.top : band.top + size[0], 0 : mask.shape[1]] == 0
    return Band(band.top, tuple(left for left in band.lefts if rows[:, left : left + size[1]].any()))


def aligned_windows(pair: DemPair, lattice: Lattice, shift: Shift, runner: Runner, rim: int = 0) -> FloatArray:
    """The aligned DEM moved by ``shift`` in the windows, with a rim; shape (windows, rows, columns), m.

    Parameters
    ----------
    pair : reference and aligned DEM on one grid.
    lattice : where the windows lie.
    shift : east, north, up, m.
    runner : what reads them.
    rim : pixels more on every side.
    """
    return in_windows(partial(_aligned_band, pair, lattice.size, shift, rim), lattice, runner)


def _aligned_band(pair: DemPair, size: tuple[int, int], shift: Shift, rim: int, band: Band) -> FloatArray:
    rows = slice(band.top - rim, band.top + size[0] + rim)
    return cut_windows(pair.aligned.moved(rows, slice(0, pair.shape[1]), shift), band, size[1], rim)


class AlignedWindows:
    """The aligned DEM in the windows, read once and moved by whatever shift lies near the one it was read for."""

    def __init__(self, pair: DemPair, lattice: Lattice, runner: Runner) -> None:
        self._pair, self._lattice, self._runner = pair, lattice, runner
        self._centre: tuple[int, int] | None = None
        self._heights = np.empty((0, *lattice.size), np.float32)

    def at(self, shift: Shift) -> FloatArray:
        """Heights of the windows at a shift, shape (windows, rows, columns), m; void beside voids.

        Parameters
        ----------
        shift : east, north, up, m.
        """
        dem = self._pair.aligned
        row = (shift.north - dem.resampled_at[1]) / dem.pixel_m
        column = -(shift.east - dem.resampled_at[0]) / dem.pixel_m
        if self._centre is None or max(abs(row - self._centre[0]), abs(column - self._centre[1])) > REACH - 2:
            self._read((round(row), round(column)))
        taps = [taps_of(offset, cubic=dem.cubic) for offset in (row, column)]
        lines = weighted_sum(self._heights, self._relative(taps[0], 0), self._lattice.size[0], -2)
        result = weighted_sum(lines, self._relative(taps[1], 1), self._lattice.size[1], -1)
        result += np.float32(shift.up)
        return result

    def _relative(self, taps: Taps, axis: int) -> Taps:
        """Taps counted from the first pixel of the windows as they were read."""
        centre = self._centre[axis] if self._centre else 0
        return [(offset - centre + REACH, weight) for offset, weight in taps]

    def _read(self, centre: tuple[int, int]) -> None:
        self._centre = centre
        function = partial(_wide_band, self._pair.aligned.heights, self._lattice.size, centre)
        parts = list(self._runner.map(function, self._lattice.bands))
        self._heights = np.concatenate(parts)


def _wide_band(heights: Raster, size: tuple[int, int], centre: tuple[int, int], band: Band) -> FloatArray:
    shape = heights.shape
    first, last = band.top + centre[0] - REACH, band.top + centre[0] + size[0] + REACH
    left, right = centre[1] - REACH, centre[1] + shape[1] + REACH
    wide = np.full((last - first, right - left), np.nan, np.float32)
    rows, columns = slice(max(0, first), min(shape[0], last)), slice(max(0, left), min(shape[1], right))
    if rows.start < rows.stop and columns.start < columns.stop:
        part = wide[rows.start - first : rows.stop - first, columns.start - left : columns.stop - left]
        part[...] = heights[rows, columns]
    # column 0 of these rows stands ``REACH`` to the west of where the windows count from
    return cut_windows(wide, band, size[1] + 2 * REACH, 0)
