"""Heights beside voids: continued along the slope, so that a DEM can be resampled up to the edge of its voids."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import FloatArray

IntArray = NDArray[np.integer[Any]]

# cubic convolution looks two pixels away; each ring of continued pixels looks two pixels further
RINGS = 2
MARGIN = 2 * RINGS
_DIRECTIONS = [(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1) if (row, column) != (0, 0)]


def continued_into_voids(heights: FloatArray, rings: int = RINGS) -> FloatArray:
    """Heights with the voids beside known pixels filled by 2 z1 - z2 along the lines that lead into them.

    Weights that are merely scaled to what is known move the sample by up to half a pixel, which on a wall of 35 degrees
    in a 90 m DEM is thirty metres; continued along the slope the sample stays in its place. Where only one pixel of a
    line is known its height is taken.

    Parameters
    ----------
    heights : shape (rows, columns), m, NaN where void. A value depends on ``MARGIN`` pixels around it.
    rings : how far into the voids, in pixels.

    Returns
    -------
    A copy; voids further in stay NaN.
    """
    result = heights.copy()
    for _ in range(rings):
        rows, columns = _void_beside_known(result)
        if rows.size == 0:
            break
        result[rows, columns] = _continued(result, rows, columns)
    return result


def _void_beside_known(heights: FloatArray) -> tuple[IntArray, IntArray]:
    void = np.isnan(heights)
    known = np.pad(~void, 1)
    shape = heights.shape
    beside = np.zeros(shape, bool)
    for row, column in _DIRECTIONS:
        beside |= known[1 + row : 1 + row + shape[0], 1 + column : 1 + column + shape[1]]
    rows, columns = np.nonzero(void & beside)
    return rows, columns


def _continued(heights: FloatArray, rows: IntArray, columns: IntArray) -> FloatArray:
    """Mean over the directions in which two pixels are known of 2 z1 - z2; else of z1, where one is."""
    padded = np.pad(heights.astype(np.float64), 2, constant_values=np.nan)
    lines = np.zeros((2, rows.size))
    counts = np.zeros((2, rows.size))
    for row, column in _DIRECTIONS:
        near = padded[2 + rows + row, 2 + columns + column]
        far = padded[2 + rows + 2 * row, 2 + columns + 2 * column]
        for number, estimate in enumerate((2 * near - far, near)):
            usable = np.isfinite(estimate)
            lines[number] += np.where(usable, estimate, 0)
            counts[number] += usable
    means = lines / np.maximum(counts, 1)
    continued: FloatArray = np.where(counts[0] > 0, means[0], means[1]).astype(heights.dtype)
    return continued
