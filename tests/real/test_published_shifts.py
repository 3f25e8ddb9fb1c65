"""Co-registration of real DEM pairs whose answers others have published."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely

from pipeline.elevation_change.chain import elevation_change
from schemas.settings import ElevationChangeSettings
from tests.real.data import REAL_DATA, needs_real_data

pytestmark = needs_real_data


@pytest.fixture(scope="module")
def longyearbyen():
    folder = REAL_DATA / "longyearbyen"
    return elevation_change(folder / "dem_1990.tif", folder / "dem_1990_aligned.tif", ElevationChangeSettings())


def test_longyearbyen_is_within_half_a_metre_of_a_pure_translation(longyearbyen):
    """xDEM's Nuth and Kaab fit on all pixels: (10.0017, 1.9504, -1.9671) m, NMAD 2.574 to 1.251 m."""
    shift = longyearbyen.shift_m
    assert (shift.east, shift.north, shift.up) == pytest.approx((10.0, 1.95, -1.97), abs=0.5)
    assert longyearbyen.before.nmad_m == pytest.approx(2.57, abs=0.03)
    assert longyearbyen.after_coregistration.nmad_m <= 1.26
    assert longyearbyen.after.nmad_m <= 1.26


def test_longyearbyen_comes_closer_to_the_published_alignment_than_the_peer(longyearbyen):
    """The published rigid alignment moved it by (10.2549, 1.9059, -1.9354) m and tilted it by 1.2e-4 rad."""
    shift = longyearbyen.shift_m
    published = np.array([10.2549, 1.9059, -1.9354])
    ours = np.linalg.norm(np.array([shift.east, shift.north, shift.up]) - published)
    peer = np.linalg.norm(np.array([10.0017, 1.9504, -1.9671]) - published)
    assert ours < 0.1 < peer
    assert np.hypot(longyearbyen.tilt.east, longyearbyen.tilt.north) == pytest.approx(1.2e-4, rel=0.6)


def test_names_of_the_same_grid_cost_nothing(longyearbyen):
    """EPSG:25833 and EPSG:32633: the pixels coincide, so both DEMs are compared where they stand."""
    assert longyearbyen.grid.shape == (985, 1332)
    assert longyearbyen.before.mean_m == pytest.approx(-2.14, abs=0.05)


@pytest.mark.slow
def test_srtm_known_shift():
    """demcompare's test pair: 3.0 pixels in x and 5.0 in y on a geographic grid, dz -0.01765 m."""
    folder = REAL_DATA / "srtm_known_shift"
    found = elevation_change(
        folder / "srtm_ref.tif", folder / "srtm_blurred_and_shifted.tif", ElevationChangeSettings()
    )
    pixels = found.shift_native_pixels
    assert (abs(pixels.columns), abs(pixels.rows)) == pytest.approx((3.0, 5.0), abs=0.01)
    assert found.grid.crs == "EPSG:32637"
    assert found.shift_m.up == pytest.approx(0, abs=0.2)


def square_on(path, folder):
    """An outline of a twelfth of a raster's side around its middle: on these pairs nothing changed in it."""
    with rasterio.open(path) as source:
        bounds, crs = source.bounds, source.crs
    east, north = (bounds.left + bounds.right) / 2, (bounds.bottom + bounds.top) / 2
    half = (bounds.right - bounds.left) / 24
    outline = shapely.box(east - half, north - half, east + half, north + half)
    outlines = folder / "square.gpkg"
    gpd.GeoDataFrame({"glacier_id": ["nothing"]}, geometry=[outline], crs=crs).to_file(outlines)
    return outlines


@pytest.mark.slow
def test_nothing_changed_in_a_square_of_the_blurred_pair(tmp_path):
    """The blur is a resolution effect without noise: taken off, a square shows no change and stable terrain no bias."""
    folder = REAL_DATA / "srtm_known_shift"
    paths = folder / "srtm_blurred_and_shifted.tif", folder / "srtm_ref.tif"
    found = elevation_change(*paths, ElevationChangeSettings(), outlines=[square_on(paths[1], tmp_path)])
    assert found.resolution.method == "point_spread"
    assert abs(found.totals.mean_dh_m) < 0.1
    assert abs(found.after.mean_m) < 0.02


@pytest.mark.slow
def test_an_unresolved_long_range_gives_a_result_with_a_flag(tmp_path):
    folder = REAL_DATA / "copernicus_known_shift"
    paths = folder / "copernicus_blurred_and_shifted.tif", folder / "copernicus_ref.tif"
    settings = ElevationChangeSettings(max_shift_m=3000.0)
    found = elevation_change(*paths, settings, outlines=[square_on(paths[1], tmp_path)])
    assert any("long range of the errors is not resolved" in note for note in found.notes)
    assert abs(found.totals.mean_dh_m) < 2 * found.totals.sigma_mean_dh_m
