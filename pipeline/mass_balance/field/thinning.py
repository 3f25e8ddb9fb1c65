"""A field fine enough for its isolines, and no finer."""

from __future__ import annotations

import numpy as np
from rasterio.transform import Affine

from pipeline.grid import FloatArray, Grid

# isolines of a field with more pixels than this are drawn through every second, third or fourth of them
DRAWN_PIXELS = 400_000
COARSEST = 4


def thinned(grid: Grid, balance_m_we: FloatArray) -> tuple[Grid, FloatArray]:
    """A field fine enough for its isolines: every k-th pixel of a very large one, at the same places; itself else."""
    step = min(COARSEST, int(np.ceil((balance_m_we.size / DRAWN_PIXELS) ** 0.5)))
    if step <= 1:
        return grid, balance_m_we
    chosen = np.ascontiguousarray(balance_m_we[::step, ::step])
    width, height = grid.pixel_size
    moved = grid.moved((1 - step) * width / 2, (step - 1) * height / 2).transform
    shape = (int(chosen.shape[0]), int(chosen.shape[1]))
    return Grid(grid.crs, Affine(step * width, 0, moved.c, 0, -step * height, moved.f), shape), chosen
