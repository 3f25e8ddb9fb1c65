"""Pictures filled up so that overviews halve exactly."""

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from rasterio.transform import Affine

from catalog.formats.cogs import write_cog
from catalog.formats.even_overviews import FilledUp, even_shape, filled_up
from pipeline.grid import Grid


@pytest.mark.parametrize(
    ("shape", "even"),
    [
        ((90, 150), (90, 150)),  # one tile, no overview
        ((257, 300), (258, 300)),
        ((1115, 2718), (1120, 2720)),
        ((511, 511), (512, 512)),
        ((1023, 300), (1024, 300)),
    ],
)
def test_even_shape(shape, even):
    assert even_shape(shape) == even


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_even_shape_is_the_next_multiple_and_is_even_itself(rows, columns):
    up = even_shape((rows, columns))
    assert even_shape(up) == up
    assert 0 <= up[0] - rows < max(1, max(up) // 128)
    assert 0 <= up[1] - columns < max(1, max(up) // 128)


@pytest.mark.parametrize("window", [(0, 7, 0, 9), (0, 4, 0, 5), (3, 7, 2, 9), (5, 7, 0, 9), (0, 7, 6, 9), (4, 6, 4, 7)])
def test_windows_are_those_of_the_padded_array(window):
    picture = np.random.default_rng(3).integers(1, 255, (3, 5, 6), np.uint8)
    expected = np.pad(picture, ((0, 0), (0, 2), (0, 3)))
    top, bottom, left, right = window
    found = FilledUp(picture, (3, 7, 9), 0)[0:3, top:bottom, left:right]
    np.testing.assert_array_equal(found, expected[:, top:bottom, left:right])


def test_every_overview_of_the_file_has_the_ratio_of_the_whole(tmp_path):
    """What the web map divides: without filling up, 557 / 1109 is halved to 279 / 555."""
    grid = Grid("EPSG:32645", Affine(30, 0, 500_000, 0, -25, 4_800_000), (557, 1109))
    picture = np.random.default_rng(5).integers(1, 255, (3, *grid.shape), np.uint8)
    filled, frame = filled_up(picture, grid, 0)
    path = tmp_path / "visual.tif"
    about = {"unit": "", "resampling": "average", "description": ("red", "green", "blue"), "tags": {}}
    write_cog(path, filled, frame, nodata=0, **about)
    with rasterio.open(path) as raster:
        levels = range(len(raster.overviews(1)))
        whole, transform = raster.read(), raster.transform
    assert transform == grid.transform
    np.testing.assert_array_equal(whole[:, :557, :1109], picture)
    assert not whole[:, 557:].any()
    assert not whole[:, :, 1109:].any()
    assert len(levels) >= 2
    for level in levels:
        with rasterio.open(path, overview_level=level) as overview:
            assert overview.height * whole.shape[2] == overview.width * whole.shape[1]
