"""Resampling through a map projection, exactly where GDAL by default is not."""

from __future__ import annotations

from typing import Any

import numpy as np
from rasterio.enums import Resampling
from rasterio.io import MemoryFile
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT

from pipeline.elevation_change.dems.void_edges import continued_into_voids
from pipeline.grid import FloatArray, Grid

# GDAL approximates the map projection to within this many source pixels. Its default, which rasterio.warp.reproject
# cannot change, is 0.125: a 90 m DEM then comes out 5 m too far south on average, more than the shift one looks for.
WARP_TOLERANCE = 1e-4


def warp(
    heights: FloatArray,
    transform: Affine,
    crs: str,
    grid: Grid,
    resampling: str,
    scale: tuple[float, float] | None = None,
) -> FloatArray:
    """Resample heights onto a grid; a pixel whose nearest source pixel is void is void, so voids keep their size.

    Beside voids heights are continued along the slope (``void_edges``).

    Parameters
    ----------
    heights : shape (rows, columns), float32, NaN where void; ``transform`` and ``crs`` say where its pixels lie.
    scale : of the kernel, see ``resampling_scale``; GDAL's own choice when absent.
    """
    void = np.isnan(heights)
    if void.all():
        return np.full(grid.shape, np.nan, np.float32)
    continued = continued_into_voids(heights) if void.any() and resampling != "nearest" else heights
    result = _warped(continued, transform, grid, crs, _kernel(resampling, scale))
    if void.any():
        covered = _warped((~void).astype(np.float32), transform, grid, crs, _kernel("nearest", scale))
        result[np.nan_to_num(covered) == 0] = np.nan
    return result


def _kernel(resampling: str, scale: tuple[float, float] | None) -> dict[str, Any]:
    chosen = {"XSCALE": repr(scale[0]), "YSCALE": repr(scale[1])} if scale else {}
    return {"resampling": Resampling[resampling], **chosen}


def _warped(values: FloatArray, transform: Affine, grid: Grid, crs: str, kernel: dict[str, Any]) -> FloatArray:
    profile = {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32",
        "crs": crs, "transform": transform, "nodata": np.nan,
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(values, 1)
        with (
            memory.open() as source,
            WarpedVRT(
                source, crs=grid.crs, transform=grid.transform, height=grid.shape[0], width=grid.shape[1],
                nodata=np.nan, tolerance=WARP_TOLERANCE, **kernel,
            ) as warped,
        ):  # fmt: skip
            read: FloatArray = warped.read(1)
    return read
