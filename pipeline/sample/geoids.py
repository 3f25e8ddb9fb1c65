"""The synthetic geoid grids of the sample: its own truth, under the names and in the form of those that PROJ reads.

Their difference is the invented one between the sample's two DEMs; the undulation itself is a plane.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from pipeline.grid import FloatArray

# as the chain looks for them in the inputs; see pipeline.elevation_change.pairing.datum
EGM96_GRID, EGM2008_GRID = "us_nga_egm96_15.tif", "us_nga_egm08_25.tif"
# distance of the posts, and how far the grids reach beyond the tiles, degrees
_POST_DEG, _BEYOND_DEG = 1 / 60, 0.25
SYNTHETIC_GEOID = "SYNTHETIC: an invented geoid, no model of the Earth"


def _undulation_m(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    """Height of the invented EGM2008 geoid above the ellipsoid, m."""
    return np.asarray(-52.0 + 0.8 * (longitude - 87.0) - 0.5 * (latitude - 43.0))


def write_geoids(
    folder: Path,
    bounds: tuple[float, float, float, float],
    difference_m: Callable[[FloatArray, FloatArray], FloatArray],
) -> None:
    """Write both grids as Geodetic TIFFs (GTG), their posts a minute apart.

        N_EGM96 = N_EGM2008 + difference

    Parameters
    ----------
    folder : made where it is missing.
    bounds : (west, south, east, north) of the tiles, degrees.
    difference_m : EGM2008 height minus EGM96 height at longitudes and latitudes, m.
    """
    folder.mkdir(parents=True, exist_ok=True)
    west, south, east, north = bounds
    columns = round((east - west + 2 * _BEYOND_DEG) / _POST_DEG) + 1
    rows = round((north - south + 2 * _BEYOND_DEG) / _POST_DEG) + 1
    longitude = west - _BEYOND_DEG + _POST_DEG * np.arange(columns)
    latitude = north + _BEYOND_DEG - _POST_DEG * np.arange(rows)
    places = np.meshgrid(longitude, latitude)
    later = _undulation_m(*places)
    corner = Affine(_POST_DEG, 0, longitude[0] - _POST_DEG / 2, 0, -_POST_DEG, latitude[0] + _POST_DEG / 2)
    for name, heights in ((EGM96_GRID, later + difference_m(*places)), (EGM2008_GRID, later)):
        _write(folder / name, heights, corner)


def _write(path: Path, heights: FloatArray, corner: Affine) -> None:
    profile = {
        "driver": "GTiff", "height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32",
        "crs": "EPSG:4326", "transform": corner, "compress": "deflate", "zlevel": 6,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(heights.astype(np.float32), 1)
        target.update_tags(
            AREA_OR_POINT="Point", TYPE="VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL", SYNTHETIC="yes",
            TIFFTAG_IMAGEDESCRIPTION=SYNTHETIC_GEOID,
        )  # fmt: skip
        target.set_band_description(1, "geoid_undulation")
        target.units = ["metre"]
