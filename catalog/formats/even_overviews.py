"""A picture enlarged so that every overview of its COG halves it exactly.

OpenLayers 10.6, and with it STAC Browser 4, takes the resolution of an overview from the ratio of the sizes, apart for
columns and rows. Where an odd size is halved the two differ, and reprojected tiles come out as stripes in the wrong
place. A picture for viewers is therefore filled up with nothing, at its lower and right edge.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from rasterio.rio.overview import get_maximum_overview_level

from catalog.formats.cogs import BLOCK, RasterBands
from pipeline.grid import Grid


@dataclass(frozen=True)
class FilledUp:
    """Bands (bands, rows, columns) on a larger shape: the picture at the upper left, ``fill`` beyond it."""

    picture: RasterBands
    shape: tuple[int, int, int]
    fill: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """That of the picture."""
        return self.picture.dtype

    def __getitem__(self, window: tuple[slice, slice, slice]) -> Any:
        """Pixels of (bands, rows, columns), slices without a step."""
        (_, bottom, right), (_, height, width) = self.shape, self.picture.shape
        top, stop, _ = window[1].indices(bottom)
        left, end, _ = window[2].indices(right)
        bands = len(range(*window[0].indices(self.shape[0])))
        filled = np.full((bands, max(0, stop - top), max(0, end - left)), self.fill, self.dtype)
        if top < min(stop, height) and left < min(end, width):
            known = self.picture[window[0], slice(top, min(stop, height)), slice(left, min(end, width))]
            filled[:, : known.shape[1], : known.shape[2]] = known
        return filled


def even_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """The smallest (rows, columns) not below ``shape`` that all overviews down to one tile halve exactly."""
    rows, columns = shape
    while True:
        step = 2 ** get_maximum_overview_level(columns, rows, minsize=BLOCK)
        rows_up, columns_up = -(-rows // step) * step, -(-columns // step) * step
        if (rows_up, columns_up) == (rows, columns):  # filling up can ask for one overview more
            return rows, columns
        rows, columns = rows_up, columns_up


def filled_up(picture: RasterBands, grid: Grid, fill: int) -> tuple[FilledUp, Grid]:
    """A picture and its grid, filled up to an even shape; the pixels that were there stay where they were."""
    shape = even_shape(grid.shape)
    return FilledUp(picture, (picture.shape[0], *shape), fill), replace(grid, shape=shape)
