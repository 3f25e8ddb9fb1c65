"""Co-registration of real DEM pairs whose answers others have published."""

from __future__ import annotations

import numpy as np
import pytest

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
