"""Vertical datums: PROJ's silent ballpark is refused, and what was done is said."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer, datadir
from rasterio.transform import Affine

from pipeline.elevation_change.pairing.datum import (
    DatumField,
    MissingGeoidGrid,
    datum_field,
    datum_step,
    geoid_undulation_m,
    height_change,
    vertical_datum,
    vertical_transformer,
)
from pipeline.grid import Grid
from schemas.errors import BadInput

# EGM96 heights to heights above the ellipsoid: PROJ takes one grid for it, which the tests make up
EGM96_TO_ELLIPSOID = ("EPSG:5773", "EPSG:4979")
GRID = Grid("EPSG:32645", Affine(300, 0, 500_000, 0, -300, 4_800_000), (20, 30))
# no machine carries the grids of this national datum by chance
WITHOUT_GRID = ("EPSG:5728", "EPSG:3855")


def test_a_missing_grid_is_named_with_the_cure():
    with pytest.raises(MissingGeoidGrid, match=r"no PROJ grid .* \(looked in .*proj.*\).*fetch geoids"):
        vertical_transformer(*WITHOUT_GRID)


def test_the_cure_is_a_folder_that_proj_searches():
    with pytest.raises(MissingGeoidGrid, match=rf"or put it into {datadir.get_user_data_dir()}$"):
        vertical_transformer(*WITHOUT_GRID)


@pytest.mark.parametrize(
    ("code", "datum"),
    [
        ("EPSG:5773", "EPSG:5773"), ("5773", "EPSG:5773"), ("EPSG:32645+5773", "EPSG:5773"), ("EPSG:4979", "EPSG:4979")
    ],
)  # fmt: skip
def test_a_stated_datum_has_one_form(code, datum):
    assert vertical_datum(code, "later") == datum


@pytest.mark.parametrize("code", ["egm96", "EPSG:4326", "EPSG:32645"])
def test_what_is_no_vertical_datum_is_refused_for_its_dem(code):
    with pytest.raises(BadInput, match=r"vertical datum of the earlier DEM: found .*expected .*as EPSG:5773"):
        vertical_datum(code, "earlier")


def test_a_datum_without_a_code_is_no_ballpark():
    """A national geoid that a file defines in words: PROJ knows no way from it, and says so in a line."""
    own = (
        'VERTCRS["own heights",VDATUM["own geoid"],CS[vertical,1],'
        'AXIS["gravity-related height (H)",up,LENGTHUNIT["metre",1]]]'
    )
    assert vertical_datum(own, "later") == own
    with pytest.raises(MissingGeoidGrid, match="no PROJ grid for it"):
        vertical_transformer(own, "EPSG:3855")


def test_the_difference_may_be_left_to_coregistration():
    step, field = datum_step(*WITHOUT_GRID, "later", GRID, "coregistration")
    assert field is None
    assert step.method == "left to co-registration"
    assert "lacks the geoid grid" in step.note


def test_or_the_run_stops():
    with pytest.raises(MissingGeoidGrid):
        datum_step(*WITHOUT_GRID, "later", GRID, "stop")


def test_equal_datums_need_nothing():
    step, field = datum_step("EPSG:3855", "EPSG:3855", "later", GRID, "stop")
    assert (step.method, field) == ("none needed", None)


def test_an_unstated_datum_is_said():
    step, field = datum_step(None, "EPSG:3855", "later", GRID, "stop")
    assert field is None
    assert (step.earlier, step.method) == ("not stated", "left to co-registration")


@pytest.mark.parametrize("code", ["EPSG:32645", "nonsense"])
def test_what_is_no_vertical_datum_is_refused(code):
    with pytest.raises(BadInput, match="vertical datum: found"):
        vertical_transformer(code, "EPSG:3855")


def undulation(longitude, latitude):
    """An invented geoid, m."""
    return 20 * np.sin(np.radians(longitude * 7)) + 30 * np.cos(np.radians(latitude * 9)) - 10


@pytest.fixture
def geoid(tmp_path):
    """A geoid grid of 15' under the name that PROJ looks for, at 80-100 E and across the antimeridian, 30-50 N."""

    def install(west, columns, name="us_nga_egm96_15.tif"):
        longitude, latitude = west + 0.25 * np.arange(columns), 50 - 0.25 * np.arange(81)
        heights = undulation(*np.meshgrid(longitude, latitude)).astype(np.float32)
        transform = Affine(0.25, 0, west - 0.125, 0, -0.25, 50.125)
        shape = {"height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32"}
        with rasterio.open(
            tmp_path / name, "w", driver="GTiff", crs="EPSG:4326", transform=transform, **shape
        ) as target:
            target.write(heights, 1)
            target.update_tags(AREA_OR_POINT="Point", TYPE="VERTICAL_OFFSET_GEOGRAPHIC_TO_VERTICAL")
            target.set_band_description(1, "geoid_undulation")
            target.units = ["metre"]

    before = datadir.get_data_dir()
    # PROJ's database must lie in the first folder that it searches
    (tmp_path / "proj.db").symlink_to(Path(before.split(os.pathsep)[0]) / "proj.db")
    datadir.set_data_dir(str(tmp_path))
    yield install
    datadir.set_data_dir(before)


def exact_on(grid):
    east, north = np.meshgrid(*grid.centres())
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(east, north)
    return height_change(*EGM96_TO_ELLIPSOID, np.asarray(longitude), np.asarray(latitude))


@pytest.mark.parametrize(
    ("crs", "west", "geoid_west"),
    [("EPSG:32645", 430_000.37, 80.0), ("EPSG:32601", 240_000.37, 170.0)],
    ids=["Tianshan", "across the antimeridian"],
)
def test_a_field_is_the_change_at_its_pixels(geoid, crs, west, geoid_west):
    """To 3 mm beside the posts of the geoid grid, to 0.1 mm elsewhere; non-square pixels, an odd origin."""
    geoid(geoid_west, 81)
    grid = Grid(crs, Affine(291.3, 0, west, 0, -407.9, 4_812_000.61), (150, 260))
    field = datum_field(*EGM96_TO_ELLIPSOID, grid)
    assert field.dtype == np.float32
    off = np.abs(field - exact_on(grid))
    assert field.std() > 0.1
    assert off.max() < 3e-3
    assert np.median(off) < 1e-4
    # PROJ itself is bilinear between posts
    east, north = (float(part[60]) for part in grid.centres())
    place = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(east, north)
    assert field[60, 60] == pytest.approx(undulation(*place), abs=0.02)


def test_any_window_of_a_field_holds_the_same_bits(geoid):
    geoid(80.0, 81)
    grid = Grid("EPSG:32645", Affine(31.7, 0, 430_000.37, 0, -47.1, 4_812_000.61), (300, 410))
    field = DatumField(*EGM96_TO_ELLIPSOID, grid)
    whole = np.asarray(field)
    assert (field.shape, field.dtype) == (grid.shape, np.float32)
    np.testing.assert_array_equal(whole, datum_field(*EGM96_TO_ELLIPSOID, grid))
    windows = [(slice(first, first + 7), slice(None)) for first in range(0, 300, 41)]
    windows += [(slice(11, 12), slice(33, 34)), (slice(5, 290, 13), slice(1, 400, 9)), (slice(3, 3), slice(0, 9))]
    sent = pickle.loads(pickle.dumps(field))  # noqa: S301  # written a moment ago
    for window in windows:
        np.testing.assert_array_equal(field[window], whole[window])
        np.testing.assert_array_equal(sent[window], whole[window])
    part = datum_field(*EGM96_TO_ELLIPSOID, grid.window(37, 101, (60, 90)))
    np.testing.assert_array_equal(part, whole[37:97, 101:191])


def test_the_step_states_the_range_of_the_field(geoid):
    geoid(80.0, 81)
    grid = Grid("EPSG:32645", Affine(300, 0, 430_000, 0, -300, 4_812_000), (150, 260))
    step, field = datum_step(*EGM96_TO_ELLIPSOID, "later", grid, "stop")
    heights = np.asarray(field)
    assert step.method == "PROJ grids"
    assert f"by {heights.min():.2f} to {heights.max():.2f} m" in step.note
    # the aligned DEM is brought to the reference: the other way round
    _, back = datum_step(*EGM96_TO_ELLIPSOID, "earlier", grid, "stop")
    np.testing.assert_allclose(np.asarray(back), -heights, atol=1e-4)


def test_a_grid_of_another_region_counts_as_missing(geoid):
    """PROJ finds the file, and answers infinity."""
    geoid(170.0, 81)
    with pytest.raises(MissingGeoidGrid, match=r"no PROJ grid that holds 4\d\.\d{3} N 8\d\.\d{3} E \(looked in "):
        datum_field(*EGM96_TO_ELLIPSOID, GRID)
    step, field = datum_step(*EGM96_TO_ELLIPSOID, "later", GRID, "coregistration")
    assert (step.method, field) == ("left to co-registration", None)


def test_the_geoid_undulation_of_a_place(geoid):
    geoid(80.0, 81)
    west, south, east, north = GRID.bounds_lonlat
    expected = undulation((west + east) / 2, (south + north) / 2)
    assert geoid_undulation_m(GRID) == pytest.approx(expected, abs=0.02)


def test_the_geoid_undulation_is_unknown_without_a_grid(geoid):
    geoid(170.0, 81)
    assert geoid_undulation_m(GRID) is None
