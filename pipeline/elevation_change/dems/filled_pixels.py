"""Pixels that a DEM took from other data, as the masks of global DEMs tell: another sensor, at another time.

A change against such a height is not one between the two DEMs: the pixels count as voids.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from pipeline.grid import BoolArray
from pipeline.inputs.fill_masks import FillMask
from pipeline.inputs.gdal_inputs import open_raster
from pipeline.inputs.zip_archives import ZIP_DAMAGE
from schemas.errors import BadInput

# a mask of 3601 x 3601 pixels takes 13 MB
_MASKS_HELD = 6
# SRTM V3: water of SRTM, SRTM by way of ASTER GDEM, and the number of swaths; others name what filled it
_SRTM_OWN = frozenset({2, 25, *range(201, 225)})
# NASADEM: water, the number of swaths, and SRTM by way of ASTER GDEM
_NASADEM_OWN = frozenset({*range(24), 231, 232, 233})
# both come as .num: the swaths of the one, and numbers of swaths of the other that the one does not use
_SRTM_SWATHS, _NASADEM_ALONE = range(201, 225), _NASADEM_OWN & set(range(24)) - {1, 2, 5, 11, 21}
# Copernicus DEM: edited and not edited heights of TanDEM-X; from 3 on, other DEMs
_COPERNICUS_OWN = frozenset({1, 2})


@lru_cache(maxsize=_MASKS_HELD)
def filled_pixels(mask: FillMask, shape: tuple[int, int]) -> BoolArray:
    """Where a tile's heights come from elsewhere; shape of the tile.

    Parameters
    ----------
    mask : beside the tile.
    shape : (rows, columns) of the tile.

    Errors
    ------
    BadInput : a mask that cannot be read, or of another shape.
    """
    where = f"{mask.path}: {mask.member}" if mask.member else str(mask.path)
    try:
        values = _raster(mask) if mask.is_raster else np.frombuffer(mask.content(), np.uint8)
    except (*ZIP_DAMAGE, RasterioError) as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(where, damage, "the mask of filled pixels", "fetch it again, or move it elsewhere") from None
    if values.size != shape[0] * shape[1]:
        raise BadInput(
            where, f"a mask of {values.size} pixels", f"{shape[0]} x {shape[1]}, as its tile has", "move it elsewhere"
        )
    filled: BoolArray = ~np.isin(values, sorted(_own(mask, values))).reshape(shape)
    return filled


def _own(mask: FillMask, values: NDArray[np.integer]) -> frozenset[int]:
    """The values of pixels that are the DEM's own."""
    if not mask.is_raster:
        alone, swaths = (int(np.isin(values, sorted(codes)).sum()) for codes in (_NASADEM_ALONE, _SRTM_SWATHS))
        is_nasadem = mask.path.name.lower().startswith("nasadem") or alone > swaths
        return _NASADEM_OWN if is_nasadem else _SRTM_OWN
    if mask.name.lower().endswith("_flm.tif"):
        return _COPERNICUS_OWN
    return frozenset(np.unique(values[values >= 0]).tolist())  # ASTER: scenes; below zero what filled it


def _raster(mask: FillMask) -> NDArray[np.integer]:
    source = f"/vsizip/{{{mask.path.absolute()}}}/{mask.member}" if mask.member else str(mask.path.absolute())
    with rasterio.Env(), open_raster(source) as opened:
        values: NDArray[np.integer] = opened.read(1)
    return values
