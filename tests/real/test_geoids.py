"""Vertical datum transformations against published heights."""

from __future__ import annotations

import numpy as np
import pytest
from pyproj import Transformer, datadir
from rasterio.transform import Affine

from pipeline.blocks import row_blocks
from pipeline.elevation_change.pairing.datum import DatumField, MissingGeoidGrid, datum_field, height_change
from pipeline.grid import Grid, project_points
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
    ("grids", "crs", "longitude", "latitude", "expected"),
    [
        ("crop_fairbanks", "EPSG:32606", -147.70, 64.80, 0.3494),
        ("crop_los_angeles", "EPSG:32611", -118.0, 34.0, 0.7218),
    ],
    indirect=["grids"],
)
def test_egm96_to_egm2008(grids, crs, longitude, latitude, expected):
    """100 m become 100.3494 m and 100.7218 m; on a grid too, and the other way round 100 m again."""
    place = np.array([longitude]), np.array([latitude])
    change = height_change("EPSG:5773", "EPSG:3855", *place)
    assert change[0] == pytest.approx(expected, abs=1e-4)
    assert height_change("EPSG:3855", "EPSG:5773", *place)[0] == pytest.approx(-expected, abs=1e-4)
    easting, northing = project_points(*place, crs)
    # five pixels, the middle one on the place
    grid = Grid(crs, Affine(30, 0, easting[0] - 75, 0, -40, northing[0] + 100), (5, 5))
    # Los Angeles lies on a post of EGM96, where the field's lattice rounds off the kink
    assert datum_field("EPSG:5773", "EPSG:3855", grid)[2, 2] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("grids", ["crop_fairbanks"], indirect=True)
def test_a_crop_of_the_geoid_is_no_geoid_for_another_region(grids):
    """PROJ has a file of the right name; over the Tianshan it answers infinity, or a ballpark if it may choose."""
    with pytest.raises(MissingGeoidGrid, match=r"no PROJ grid that holds 43\.110 N 86\.810 E"):
        height_change("EPSG:5773", "EPSG:3855", np.array([86.81]), np.array([43.11]))


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


@pytest.mark.parametrize("grids", ["crop_fairbanks"], indirect=True)
def test_a_large_field_is_that_of_its_pixels_in_blocks(grids):
    """EGM96 over a whole UTM tile of the Tianshan, block by block: to 3 mm at the kinks, without bias."""
    grid = Grid("EPSG:32645", Affine(90, 0, 400_020, 0, -90, 4_790_010), (900, 1100))
    field = DatumField("EPSG:5773", "EPSG:4979", grid)
    east, north = np.meshgrid(*grid.centres())
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(east, north)
    exact = height_change("EPSG:5773", "EPSG:4979", np.asarray(longitude), np.asarray(latitude))
    off = np.vstack([field[block.rows, :] for block in row_blocks(grid.shape, 100_000)]) - exact
    assert np.abs(off).max() < 3e-3
    assert abs(off.mean()) < 1e-5
    assert off.std() < 1e-4
