"""Vertical datum transformations against published heights."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer, datadir
from rasterio.transform import Affine

from pipeline.elevation_change.datum import datum_field, height_change
from pipeline.grid import Grid
from tests.real.data import REAL_DATA, needs_real_data

pytestmark = needs_real_data


@pytest.fixture
def grids(request):
    """PROJ's search path with the geoid folders put before it, restored afterwards."""
    before = datadir.get_data_dir()
    geoid = REAL_DATA / "geoid"
    datadir.append_data_dir(str(geoid / request.param))
    datadir.append_data_dir(str(geoid))
    yield
    datadir.set_data_dir(before)


@pytest.mark.parametrize(
    ("grids", "longitude", "latitude", "expected"),
    [("crop_fairbanks", -147.70, 64.80, 0.3494), ("crop_los_angeles", -118.0, 34.0, 0.7218)],
    indirect=["grids"],
)
def test_egm96_to_egm2008(grids, longitude, latitude, expected):
    change = height_change("EPSG:5773", "EPSG:3855", np.array([longitude]), np.array([latitude]))
    assert change[0] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("grids", ["crop_fairbanks"], indirect=True)
def test_the_undulation_at_urumqi_glacier_no_1(grids):
    change = height_change("EPSG:5773", "EPSG:4979", np.array([86.81]), np.array([43.11]))
    assert change[0] == pytest.approx(-52.773, abs=1e-3)


@pytest.mark.parametrize("grids", ["crop_fairbanks"], indirect=True)
def test_the_field_on_a_grid_is_that_of_its_pixels(grids):
    grid = Grid("EPSG:32645", Affine(400, 0, 460_000, 0, -400, 4_790_000), (30, 45))
    field = datum_field("EPSG:5773", "EPSG:4979", grid)
    easting, northing = grid.centres()
    east, north = np.meshgrid(easting, northing)
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(east, north)
    exact = height_change("EPSG:5773", "EPSG:4979", longitude, latitude)
    np.testing.assert_allclose(field, exact, atol=2e-3)
