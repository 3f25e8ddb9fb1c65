"""Reading DEM tiles: what is refused at the door, and where pixels land."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine

from pipeline.elevation_change.dem_checks import seams_between_tiles, spikes
from pipeline.elevation_change.target_grid import target_grid
from pipeline.elevation_change.tiles import aligned_offset, open_mosaic, read_native, read_onto, require_coverage, warp
from pipeline.grid import Grid
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from tests.synthetic_pairs import fractal, write_dem


def write_hgt(folder, name, heights):
    path = folder / f"{name}.hgt"
    path.write_bytes(heights.astype(">i2").tobytes())
    return path


def hgt_surface(west, south):
    """A plane on the posts of a 3 second tile: height tells the position."""
    rows, columns = np.mgrid[:1201, :1201]
    longitude, latitude = west + columns / 1200, south + 1 - rows / 1200
    return np.round(1000 + 400 * (longitude - 86) + 300 * (latitude - 43))


def test_hgt_posts_are_pixel_centres_and_neighbours_share_a_column(tmp_path):
    for longitude in (86, 87):
        write_hgt(tmp_path, f"N43E0{longitude}", hgt_surface(longitude, 43))
    mosaic = open_mosaic(tmp_path, "earlier")
    assert mosaic.vertical_datum == "EPSG:5773"
    assert mosaic.nominal_resolution_m == 90
    heights, transform = read_native(mosaic, mosaic.bounds)
    assert heights.shape == (1201, 2401)
    longitude, latitude = transform.c + 1200.5 * transform.a, transform.f + 600.5 * transform.e
    assert (longitude, latitude) == pytest.approx((87.0, 43.5))
    assert heights[600, 1200] == 1000 + 400 + 150


def test_voids_of_hgt_become_nan(tmp_path):
    heights = hgt_surface(86, 43)
    heights[5, 7] = -32768
    write_hgt(tmp_path, "N43E086", heights)
    read, _ = read_native(open_mosaic(tmp_path, "earlier"), (86, 43, 87, 44))
    assert np.isnan(read).sum() == 1


def test_equal_grids_under_different_names_lose_nothing(tmp_path):
    """EPSG:25833 and EPSG:32633 agree to centimetres: the pixels are copied, not resampled."""
    heights = fractal((50, 70))
    path = write_dem(tmp_path / "a.tif", heights, crs="EPSG:25833", west=500_000, north=8_600_000, pixel=20)
    grid = Grid("EPSG:32633", Affine(20, 0, 500_000, 0, -20, 8_600_000), heights.shape)
    mosaic = open_mosaic(path, "earlier")
    assert aligned_offset(mosaic, grid) == (0, 0)
    np.testing.assert_array_equal(read_onto(mosaic, grid, "cubic"), heights)
    inner = Grid("EPSG:32633", Affine(20, 0, 500_060, 0, -20, 8_599_900), (20, 30))
    np.testing.assert_array_equal(read_onto(mosaic, inner, "cubic"), heights[5:25, 3:33])


def test_a_shift_moves_the_dem_to_the_east_and_north(tmp_path):
    heights = fractal((60, 80))
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", heights), "earlier")
    moved = read_onto(mosaic, mosaic.grid(), "bilinear", (60.0, 30.0))
    np.testing.assert_allclose(moved[0:50, 10:70], heights[1:51, 8:68], atol=1e-3)


def test_a_void_does_not_spread(tmp_path):
    heights = fractal((60, 80))
    heights[30, 40] = np.nan
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", heights), "earlier")
    moved = read_onto(mosaic, mosaic.grid(), "cubic", (7.0, 11.0))
    assert np.isnan(moved[10:50, 10:70]).sum() == 1


def test_missing_tile_is_named(tmp_path):
    write_hgt(tmp_path, "N43E086", hgt_surface(86, 43))
    with pytest.raises(BadInput, match=r"earlier DEM: found no tile N43E087 \(have N43E086.hgt\)"):
        require_coverage(open_mosaic(tmp_path, "earlier"), (86.5, 43.0, 87.5, 43.3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: folder / "absent.tif", "no such file for the earlier DEM"),
        (lambda folder: folder, "no raster tile in the folder"),
        (lambda folder: write_dem(folder / "x.tif", fractal((20, 20)), crs=None), "no coordinate reference system"),
    ],
)
def test_unusable_sources_are_refused(tmp_path, make, message):
    with pytest.raises(BadInput, match=message):
        open_mosaic(make(tmp_path), "earlier")


def test_a_truncated_file_is_named(tmp_path):
    path = write_dem(tmp_path / "a.tif", fractal((400, 500)))
    path.write_bytes(path.read_bytes()[:300_000])
    mosaic = open_mosaic(path, "earlier")
    with pytest.raises(BadInput, match=r"a\.tif: found .*; expected a complete raster"):
        read_onto(mosaic, mosaic.grid(), "bilinear")


def test_a_rotated_grid_is_refused(tmp_path):
    path = tmp_path / "r.tif"
    profile = {"driver": "GTiff", "height": 9, "width": 9, "count": 1, "dtype": "float32", "crs": "EPSG:32645"}
    with rasterio.open(path, "w", transform=Affine(30, 5, 4e5, 5, -30, 4.8e6), **profile) as target:
        target.write(np.zeros((1, 9, 9), "float32"))
    with pytest.raises(BadInput, match="a rotated or mirrored grid"):
        open_mosaic(path, "later")


def test_mixed_crs_pixel_size_and_duplicates_are_refused(tmp_path):
    first = write_dem(tmp_path / "a.tif", fractal((20, 20)))
    other = write_dem(tmp_path / "b.tif", fractal((20, 20)), crs="EPSG:32646", west=500_000)
    coarse = write_dem(tmp_path / "c.tif", fractal((20, 20)), west=600_000, pixel=60)
    twin = write_dem(tmp_path / "d.tif", fractal((20, 20)))
    for second, message in ((other, "CRS EPSG:32646"), (coarse, "pixel size 60"), (twin, "same extent as a.tif")):
        with pytest.raises(BadInput, match=message):
            open_mosaic([first, second], "earlier")


def test_the_grid_is_the_finer_dems_own(tmp_path):
    fine = open_mosaic(write_dem(tmp_path / "f.tif", fractal((300, 300))), "later")
    coarse = open_mosaic(write_dem(tmp_path / "c.tif", fractal((100, 100)), pixel=90), "earlier")
    grid = target_grid(coarse, fine, ElevationChangeSettings())
    assert grid.crs == "EPSG:32645"
    assert grid.pixel_size == (30, 30)
    assert (grid.transform.c, grid.transform.f) == (400_000, 4_800_000)


def test_geographic_dems_go_to_their_utm_zone(tmp_path):
    for longitude in (86, 87):
        write_hgt(tmp_path, f"N43E0{longitude}", hgt_surface(longitude, 43))
    mosaic = open_mosaic(tmp_path, "earlier")
    grid = target_grid(mosaic, mosaic, ElevationChangeSettings(), (86.5, 43.0, 87.5, 43.3))
    assert (grid.crs, grid.pixel_size) == ("EPSG:32645", (90, 90))
    assert grid.transform.c % 90 == 0
    west, south, east, north = grid.bounds_lonlat
    assert west < 86.51
    assert east > 87.49
    assert (south, north) == pytest.approx((43.0, 43.3), abs=0.02)


def test_dems_that_do_not_overlap_are_refused(tmp_path):
    one = open_mosaic(write_dem(tmp_path / "a.tif", fractal((20, 20))), "earlier")
    other = open_mosaic(write_dem(tmp_path / "b.tif", fractal((20, 20)), west=500_000), "later")
    with pytest.raises(BadInput, match="DEMs: found no overlap"):
        target_grid(one, other, ElevationChangeSettings())


@pytest.mark.parametrize(("crs", "message"), [("EPSG:4326", "not projected in metres"), ("EPSG:99", "PROJ knows")])
def test_a_grid_needs_metres(tmp_path, crs, message):
    dem = open_mosaic(write_dem(tmp_path / "a.tif", fractal((20, 20))), "earlier")
    with pytest.raises(BadInput, match=message):
        target_grid(dem, dem, ElevationChangeSettings(crs=crs))


def test_planted_spikes_are_found_and_clean_terrain_shows_none():
    heights = fractal((120, 150), relief_m=500)
    assert not spikes(heights).any()
    planted = heights.copy()
    for row, column in ((20, 30), (77, 99), (100, 12)):
        planted[row, column] += 180
    assert {tuple(place) for place in np.argwhere(spikes(planted)).tolist()} == {(20, 30), (77, 99), (100, 12)}


@pytest.mark.parametrize("arc_seconds", [1, 3])
@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_warping_puts_every_pixel_where_it_belongs(arc_seconds, resampling):
    """A DEM whose height is its latitude, or longitude, keeps it to a few centimetres on the ground."""
    grid = Grid("EPSG:32645", Affine(20, 0, 459_280, 0, -20, 4_794_300), (400, 1100))
    easting, northing = np.meshgrid(*grid.centres())
    expected = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(easting, northing)
    pixel = arc_seconds / 3600
    longitude, latitude = np.meshgrid(np.arange(86.4, 87.6, pixel), np.arange(43.4, 42.9, -pixel))
    transform = Affine(pixel, 0, 86.4 - pixel / 2, 0, -pixel, 43.4 + pixel / 2)
    for axis, (values, origin) in enumerate(((longitude, 87), (latitude, 43))):
        metres = ((values - origin) * 111_000).astype(np.float32)
        warped = warp(metres, transform, "EPSG:4326", grid, resampling)
        off = warped - (expected[axis] - origin) * 111_000
        assert np.abs(off).max() < 0.05


@pytest.mark.parametrize("step", [0.0, 6.0])
def test_a_planted_seam_is_measured(tmp_path, step):
    heights = fractal((100, 200), relief_m=300)
    left = write_dem(tmp_path / "left.tif", heights[:, :100])
    right = write_dem(tmp_path / "right.tif", heights[:, 100:] + step, west=400_000 + 3000)
    mosaic = open_mosaic([left, right], "later")
    native, transform = read_native(mosaic, mosaic.bounds)
    found = seams_between_tiles(mosaic, native, transform.c, transform.f)
    assert list(found) == ["left.tif | right.tif"]
    assert found["left.tif | right.tif"] == pytest.approx(step, abs=0.5)
