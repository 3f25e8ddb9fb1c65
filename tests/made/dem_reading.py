"""A whole DEM read onto a grid in one step, of the readings that the product does window by window."""

from __future__ import annotations

from pipeline.elevation_change.dems.tiles import (
    Mosaic,
    aligned_offset,
    native_index,
    read_pixels,
    resampling_scale,
    warp_native,
)
from pipeline.grid import FloatArray, Grid


def read_onto(mosaic: Mosaic, grid: Grid, resampling: str, shift: tuple[float, float] = (0.0, 0.0)) -> FloatArray:
    """Heights on the pixels of ``grid``, the DEM moved by ``shift`` = (east, north) m; one resampling at most.

    Pixels that coincide with the native ones are copied, so that equal grids under different CRS names lose nothing.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : in any CRS.
    resampling : "bilinear", "cubic" or "nearest".
    shift : (east, north), m, added to the DEM's position.

    Returns
    -------
    heights : float32, shape grid.shape, m; NaN where void. A void grows by no more than the pixel it lies in.
    """
    moved = grid.moved(-shift[0], -shift[1])
    offset = aligned_offset(mosaic, moved)
    if offset is not None:
        return read_pixels(mosaic, native_index(mosaic, offset), grid.shape)
    return warp_native(mosaic, moved, resampling, resampling_scale(mosaic, moved))
