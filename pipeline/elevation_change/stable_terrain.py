"""Which pixels did not change: outside every outline, measured in both DEMs, not too steep."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np

from pipeline.elevation_change.outlines import rasterized
from pipeline.elevation_change.tiles import open_mosaic, read_onto
from pipeline.grid import BoolArray, FloatArray, Grid
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings


def glacier_pixels(outlines: gpd.GeoDataFrame | None, grid: Grid, buffer_m: float = 0.0) -> BoolArray:
    """Pixels within the outlines of any epoch, widened by ``buffer_m``; shape grid.shape."""
    if outlines is None:
        return np.zeros(grid.shape, bool)
    geometries = outlines.geometry.buffer(buffer_m) if buffer_m > 0 else outlines.geometry
    return rasterized(geometries, grid)


def read_stable_mask(path: Path, grid: Grid) -> BoolArray:
    """A raster of the user's own stable terrain: every pixel above zero; shape grid.shape."""
    values = read_onto(open_mosaic(path, "stable mask"), grid, "nearest")
    return np.nan_to_num(values, nan=0.0) > 0


def flat_water(heights: FloatArray) -> BoolArray:
    """Water bodies, which DEM editing leaves exactly flat: 5 x 5 windows without any relief.

    Parameters
    ----------
    heights : shape (rows, columns), m.
    """
    level = np.zeros(heights.shape, bool)
    inner = np.ones((heights.shape[0] - 4, heights.shape[1] - 4), bool)
    centre = heights[2:-2, 2:-2]
    for row in range(5):
        for column in range(5):
            inner &= heights[row : row + inner.shape[0], column : column + inner.shape[1]] == centre
    level[2:-2, 2:-2] = inner
    return level


def stable_terrain(
    measured: BoolArray,
    excluded: BoolArray,
    slope: FloatArray,
    settings: ElevationChangeSettings,
) -> BoolArray:
    """Stable terrain for the accuracy: measured in both DEMs, not excluded, no steeper than ``slope_max_deg``.

    Parameters
    ----------
    measured : both DEMs have a height.
    excluded : glaciers with their buffer, water, or all that a stable mask leaves out.
    slope : degrees.

    Errors
    ------
    BadInput : fewer pixels than ``minimum_stable_pixels``.
    """
    stable: BoolArray = measured & ~excluded & (slope <= settings.slope_max_deg)
    count = int(stable.sum())
    if count < settings.minimum_stable_pixels:
        raise BadInput(
            "stable terrain",
            f"{count} pixels outside the glaciers",
            f"at least {settings.minimum_stable_pixels}",
            "widen the area, or check the outlines, their buffer and the stable mask",
        )
    return stable
