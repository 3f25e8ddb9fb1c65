"""Heights beside voids: on an even slope nothing is lost, however the DEM is resampled."""

from __future__ import annotations

import numpy as np
import pytest
from rasterio.transform import Affine

from pipeline.elevation_change.dems.tiles import open_mosaic
from pipeline.elevation_change.dems.void_edges import continued_into_voids
from pipeline.elevation_change.dems.warping import warp
from pipeline.elevation_change.pairing.dem_pair import interpolated
from pipeline.elevation_change.pairing.gridded_dem import gridded
from pipeline.grid import Grid
from tests.made.synthetic_pairs import CRS, write_dem

SHAPE = (60, 80)
STEEP = 0.7  # rise over run: a wall of 35 degrees


def plane(pixel: float = 30.0, shape=SHAPE) -> np.ndarray:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return (3000 + STEEP * pixel * (columns - 0.5 * rows)).astype(np.float32)


def holed(heights: np.ndarray) -> np.ndarray:
    heights = heights.copy()
    heights[20:26, 30:38] = np.nan
    heights[40, 50:60] = np.nan
    heights[45:50, 12] = np.nan
    heights[52:54, 62] = np.nan
    return heights


def test_a_plane_continues_as_a_plane():
    continued = continued_into_voids(holed(plane()))
    known = np.isfinite(continued)
    assert np.count_nonzero(~known) == 2 * 4  # two rings into the largest void leave its middle
    np.testing.assert_allclose(continued[known], plane()[known], atol=2e-2)


def test_what_is_known_stays_as_it_is():
    heights = holed(plane())
    known = np.isfinite(heights)
    np.testing.assert_array_equal(continued_into_voids(heights)[known], heights[known])
    np.testing.assert_array_equal(continued_into_voids(plane()), plane())


def test_a_single_known_pixel_lends_its_height():
    heights = np.full((5, 5), np.nan, np.float32)
    heights[2, 2] = 1234.0
    assert (continued_into_voids(heights, rings=1)[1:4, 1:4] == 1234.0).all()
    assert np.isnan(continued_into_voids(heights, rings=1)[0]).all()


@pytest.mark.parametrize("cubic", [False, True])
@pytest.mark.parametrize("offset", [(0.45, -0.3), (-0.2, 0.49)])
def test_moving_a_dem_loses_nothing_beside_its_voids(cubic, offset):
    whole = (slice(0, SHAPE[0]), slice(0, SHAPE[1]))
    expected = interpolated(plane(), *whole, offset, cubic=cubic)
    found = interpolated(holed(plane()), *whole, offset, cubic=cubic)
    known = np.isfinite(found)
    assert np.count_nonzero(np.isfinite(expected) & ~known) == np.count_nonzero(np.isnan(holed(plane())))
    np.testing.assert_allclose(found[known], expected[known], atol=2e-2)


@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_refining_a_coarse_dem_loses_nothing_beside_its_voids(tmp_path, resampling):
    """90 m onto 30 m on the same projection."""
    grid = Grid(CRS, Affine(30.0, 0, 400_300.0, 0, -30.0, 4_799_700.0), (150, 210))
    whole = write_dem(tmp_path / "whole.tif", plane(90.0), pixel=90.0)
    torn = write_dem(tmp_path / "torn.tif", holed(plane(90.0)), pixel=90.0)
    expected, found = (
        np.asarray(gridded(open_mosaic(path, "earlier"), grid, resampling, (7.0, -11.0))) for path in (whole, torn)
    )
    known = np.isfinite(found)
    assert 0 < np.count_nonzero(~known) < 9 * np.count_nonzero(np.isnan(holed(plane())))
    np.testing.assert_allclose(found[known], expected[known], atol=5e-2)


@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_warping_loses_nothing_beside_voids(resampling):
    """Through a map projection: from one UTM zone into its neighbour."""
    transform = Affine(90.0, 0, 740_000.0, 0, -90.0, 4_800_000.0)
    grid = Grid("EPSG:32646", Affine(30.0, 0, 257_500.0, 0, -30.0, 4_799_000.0), (110, 160))
    expected, found = (warp(heights, transform, CRS, grid, resampling) for heights in (plane(90.0), holed(plane(90.0))))
    known = np.isfinite(found) & np.isfinite(expected)
    assert np.count_nonzero(known) > 10_000
    assert np.count_nonzero(~np.isfinite(found) & np.isfinite(expected)) > 50
    np.testing.assert_allclose(found[known], expected[known], atol=0.3)
