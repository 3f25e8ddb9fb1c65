"""The finer DEM of a pair in the windows of a survey, with room for what an effect looks at."""

from __future__ import annotations

from functools import partial

from pipeline.blocks import Runner
from pipeline.elevation_change.pairing import Band, DemPair, Lattice, cut_windows, in_windows
from pipeline.elevation_change.resolution.effects import finer_heights
from pipeline.elevation_change.result import Shift
from pipeline.grid import FloatArray


def finer_windows(pair: DemPair, lattice: Lattice, shift: Shift, rim: int, runner: Runner) -> FloatArray:
    """Heights of the finer DEM in the windows with ``rim`` more pixels on every side; NaN beyond the grid.

    Returns
    -------
    Shape (windows, rows + 2 rim, columns + 2 rim), m.
    """
    return in_windows(partial(_finer_band, pair, lattice.size, shift, rim), lattice, runner)


def _finer_band(pair: DemPair, size: tuple[int, int], shift: Shift, rim: int, band: Band) -> FloatArray:
    window = (slice(band.top, band.top + size[0]), slice(0, pair.shape[1]))
    # column 0 of these rows stands ``rim`` to the west of the grid
    return cut_windows(finer_heights(pair, window, shift, rim), band, size[1] + 2 * rim, 0)
