"""Reading DEM tiles: which files are found, what is refused at the door, and where pixels land."""

from __future__ import annotations

import gzip
import pickle
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import Affine

from pipeline.elevation_change.dems import tiles
from pipeline.elevation_change.dems.tiles import aligned_offset, open_mosaic, read_native, read_pixels, require_coverage
from pipeline.elevation_change.dems.warping import warp
from pipeline.elevation_change.pairing import gridded_dem
from pipeline.elevation_change.pairing.axis_resampling import Axis
from pipeline.elevation_change.pairing.gridded_dem import gridded
from pipeline.elevation_change.pairing.target_grid import target_grid
from pipeline.grid import Grid
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from tests.made.dem_reading import read_onto
from tests.made.synthetic_pairs import fractal, write_dem


def write_hgt(folder, name, heights):
    path = folder / f"{name}.hgt"
    path.write_bytes(heights.astype(">i2").tobytes())
    return path


def hgt_surface(west, south):
    """A plane on the posts of a 3 second tile: height tells the position."""
    rows, columns = np.mgrid[:1201, :1201]
    longitude, latitude = west + columns / 1200, south + 1 - rows / 1200
    return np.round(1000 + 400 * (longitude - 86) + 300 * (latitude - 43))


def pack(path, *members, compression=zipfile.ZIP_DEFLATED):
    """A zip archive of (name within it, bytes)."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def as_sent(value):
    """What another process receives."""
    return pickle.loads(pickle.dumps(value))  # noqa: S301  # written a moment ago


def degrees_dem(path, heights, west, north, arc_seconds=1.0):
    """A GeoTIFF in degrees whose upper-left corner is (west, north)."""
    return write_dem(path, heights, crs="EPSG:4326", west=west, north=north, pixel=arc_seconds / 3600)


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


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("N43E086.hgt.gz", None),
        ("N43E086.SRTMGL3.hgt.gz", None),
        ("N43E086.hgt.zip", "N43E086.hgt"),
        ("N43E086.SRTMGL3.hgt.zip", "N43E086.hgt"),
        ("N43E086.SRTMGL3.hgt", None),
        ("tile.zip", "deep/er/N43E086.hgt"),
    ],
)
def test_packed_srtm_is_read_where_it_lies(tmp_path, name, member):
    surface = hgt_surface(86, 43)
    content = surface.astype(">i2").tobytes()
    if member:
        pack(tmp_path / name, ("readme.txt", b"words"), (member, content))
    else:
        (tmp_path / name).write_bytes(gzip.compress(content, 1) if name.endswith(".gz") else content)
    for source in (tmp_path / name, tmp_path):
        mosaic = open_mosaic(source, "earlier")
        assert (mosaic.vertical_datum, mosaic.crs, mosaic.nominal_resolution_m) == ("EPSG:5773", "EPSG:4326", 90)
        np.testing.assert_array_equal(read_pixels(mosaic, (100, 200), (40, 60)), surface[100:140, 200:260])
    assert [path.name for path in tmp_path.iterdir()] == [name], "something was left beside the input"


def test_srtm_of_one_second(tmp_path):
    heights = np.add.outer(np.arange(3601), np.arange(3601)) % 5000
    path = write_hgt(tmp_path, "S01W072", heights)
    mosaic = open_mosaic(path, "earlier")
    assert mosaic.nominal_resolution_m == 30
    assert mosaic.bounds == pytest.approx((-72 - 0.5 / 3600, -1 - 0.5 / 3600, -71 + 0.5 / 3600, 0.5 / 3600))
    np.testing.assert_array_equal(read_pixels(mosaic, (3590, 17), (11, 5)), heights[3590:, 17:22])


def test_fabdem_is_read_within_its_ten_degree_archive(tmp_path):
    heights = fractal((60, 90))
    tiles_of = {"N43E086": heights[:, :40], "N43E087": heights[:, 40:]}
    members = []
    for number, (name, part) in enumerate(tiles_of.items()):
        west = 87 + (number - 1) * 40 / 3600
        path = degrees_dem(tmp_path / f"{name}_FABDEM_V1-2.tif", part, west, 43.5)
        members.append((f"N40E080-N50E090_FABDEM_V1-2/{path.name}", path.read_bytes()))
        path.unlink()
    archive = pack(tmp_path / "N40E080-N50E090_FABDEM_V1-2.zip", *members, compression=zipfile.ZIP_STORED)
    mosaic = open_mosaic(archive, "later")
    assert [tile.name for tile in mosaic.tiles] == ["N43E086_FABDEM_V1-2.tif", "N43E087_FABDEM_V1-2.tif"]
    assert mosaic.vertical_datum == "EPSG:3855"
    np.testing.assert_array_equal(read_pixels(mosaic, (0, 0), heights.shape), heights)
    np.testing.assert_array_equal(np.asarray(as_sent(gridded(mosaic, mosaic.grid(), "cubic"))), heights)


def test_copernicus_tiles_and_their_companions(tmp_path):
    folder = "Copernicus_DSM_COG_30_N43_00_E086_00_DEM"
    path = degrees_dem(tmp_path / f"{folder}.tif", fractal((50, 60)), 86.2, 43.8, 3)
    degrees_dem(tmp_path / "Copernicus_DSM_COG_30_N43_00_E086_00_HEM.tif", fractal((50, 60)), 86.2, 43.8, 3)
    mosaic = open_mosaic(tmp_path, "later")
    assert [tile.name for tile in mosaic.tiles] == [path.name]
    assert (mosaic.vertical_datum, mosaic.nominal_resolution_m) == ("EPSG:3855", 90)


def test_a_tile_that_lies_elsewhere_than_its_name_says_is_refused(tmp_path):
    path = degrees_dem(tmp_path / "N43E086_FABDEM_V1-2.tif", fractal((50, 60)), 87.2, 43.8)
    with pytest.raises(BadInput, match=r"found a raster about 43.79 N 87.21 E; expected one within N43E086"):
        open_mosaic(path, "later")


@pytest.mark.parametrize(
    ("name", "datum"),
    [("n43_e086_3arc_v2.tif", "EPSG:5773"), ("srtm_54_04.tif", "EPSG:5773"), ("survey.tif", None)],
)
def test_the_datum_that_a_name_implies(tmp_path, name, datum):
    assert open_mosaic(write_dem(tmp_path / name, fractal((20, 30))), "earlier").vertical_datum == datum


def write_vrt(path, sources, shape):
    """A VRT of 30 m tiles: (file, column, row, columns, rows)."""
    parts = "".join(
        f'<SimpleSource><SourceFilename relativeToVRT="1">{name}</SourceFilename><SourceBand>1</SourceBand>'
        f'<SrcRect xOff="0" yOff="0" xSize="{columns}" ySize="{rows}"/>'
        f'<DstRect xOff="{left}" yOff="{top}" xSize="{columns}" ySize="{rows}"/></SimpleSource>'
        for name, left, top, columns, rows in sources
    )
    path.write_text(
        f'<VRTDataset rasterXSize="{shape[1]}" rasterYSize="{shape[0]}"><SRS>EPSG:32645</SRS>'
        "<GeoTransform>400000,30,0,4800000,0,-30</GeoTransform>"
        f'<VRTRasterBand dataType="Float32" band="1"><NoDataValue>-9999</NoDataValue>{parts}</VRTRasterBand>'
        "</VRTDataset>"
    )
    return path


def test_a_huge_vrt_is_read_by_window(tmp_path):
    """240 000 million pixels, of which two tiles hold heights: nothing but the window is ever held."""
    heights = fractal((40, 90))
    write_dem(tmp_path / "left.tif", heights[:, :50])
    write_dem(tmp_path / "right.tif", heights[:, 50:], west=401_500)
    far = [("left.tif", 0, 0, 50, 40), ("right.tif", 500_000, 300_000, 40, 40)]
    mosaic = open_mosaic(write_vrt(tmp_path / "all.vrt", far, (400_000, 600_000)), "earlier")
    dem = gridded(mosaic, mosaic.grid(), "bilinear")
    np.testing.assert_array_equal(dem[300_000:300_040, 500_000:500_040], heights[:, 50:])
    shifted = gridded(mosaic, mosaic.grid(), "bilinear", (15.0, 0.0))
    between = (heights[10:20, 50:89] + heights[10:20, 51:90]) / 2
    np.testing.assert_allclose(shifted[300_010:300_020, 500_001:500_040], between, atol=1e-3)


def test_a_vrt_with_a_missing_tile_is_refused_when_it_is_read(tmp_path):
    path = write_vrt(tmp_path / "all.vrt", [("gone.tif", 0, 0, 50, 40)], (40, 50))
    with pytest.raises(BadInput, match=r"all\.vrt: found .*gone\.tif.*; expected a complete raster"):
        read_pixels(open_mosaic(path, "earlier"), (0, 0), (40, 50))


def test_a_vrt_beside_its_tiles_is_refused(tmp_path):
    write_dem(tmp_path / "left.tif", fractal((40, 50)))
    write_vrt(tmp_path / "all.vrt", [("left.tif", 0, 0, 50, 40)], (40, 50))
    with pytest.raises(BadInput, match=r"found all\.vrt beside the tiles it may join"):
        open_mosaic(tmp_path, "earlier")
    assert open_mosaic(tmp_path / "all.vrt", "earlier").grid().shape == (40, 50)


def test_where_tiles_overlap_the_first_height_counts(tmp_path):
    heights = fractal((40, 60))
    first, second = heights[:, :40].copy(), heights[:, 20:] + 5
    first[10, 25] = np.nan
    write_dem(tmp_path / "a.tif", first)
    write_dem(tmp_path / "b.tif", second, west=400_600)
    expected = np.hstack([heights[:, :40], second[:, 20:]])
    expected[10, 25] = second[10, 5]
    np.testing.assert_array_equal(read_pixels(open_mosaic(tmp_path, "earlier"), (0, 0), (40, 60)), expected)
    beyond = read_pixels(open_mosaic(tmp_path, "earlier"), (-3, 55), (10, 10))
    assert np.isnan(beyond[:3]).all()
    assert np.isnan(beyond[:, 5:]).all()
    np.testing.assert_array_equal(beyond[3:, :5], expected[:7, 55:])


def write_raw(path, stored, **profile):
    """A GeoTIFF of any type, with scale, offset or a mask."""
    mask, scale, offset = (profile.pop(name, None) for name in ("mask", "scale", "offset"))
    shape = {"height": stored.shape[0], "width": stored.shape[1], "count": 1, "dtype": stored.dtype}
    place = {"crs": "EPSG:32645", "transform": Affine(30, 0, 400_000, 0, -30, 4_800_000)}
    with rasterio.open(path, "w", driver="GTiff", **shape, **place, **profile) as target:
        target.write(stored, 1)
        if scale is not None:
            target.scales, target.offsets = [scale], [offset]
        if mask is not None:
            target.write_mask(mask)
    return path


def test_scaled_heights_and_a_nodata_value_within_range(tmp_path):
    """Decimetres above 1000 m in 16 bits; the void 0 would be a height of 1000 m."""
    stored = np.arange(20, dtype=np.int16).reshape(4, 5) * 100
    path = write_raw(tmp_path / "s.tif", stored, nodata=0, scale=0.1, offset=1000.0)
    heights = read_pixels(open_mosaic(path, "later"), (0, 0), (4, 5))
    assert np.isnan(heights[0, 0])
    np.testing.assert_allclose(heights.ravel()[1:], 1000 + 10 * np.arange(1, 20), rtol=1e-6)


def test_a_mask_band_marks_voids(tmp_path):
    mask = np.ones((4, 5), bool)
    mask[1, 3] = False
    path = write_raw(tmp_path / "m.tif", np.full((4, 5), 700, np.int16), mask=mask)
    assert np.argwhere(np.isnan(read_pixels(open_mosaic(path, "later"), (0, 0), (4, 5)))).tolist() == [[1, 3]]


def test_equal_grids_under_different_names_lose_nothing(tmp_path):
    """EPSG:25833 and EPSG:32633 agree to centimetres: the pixels are copied, not resampled."""
    heights = fractal((50, 70))
    path = write_dem(tmp_path / "a.tif", heights, crs="EPSG:25833", west=500_000, north=8_600_000, pixel=20)
    grid = Grid("EPSG:32633", Affine(20, 0, 500_000, 0, -20, 8_600_000), heights.shape)
    mosaic = open_mosaic(path, "earlier")
    assert aligned_offset(mosaic, grid) == (0, 0)
    inner = Grid("EPSG:32633", Affine(20, 0, 500_060, 0, -20, 8_599_900), (20, 30))
    for own, expected in ((grid, heights), (inner, heights[5:25, 3:33])):
        assert gridded(mosaic, own, "cubic").coincides
        np.testing.assert_array_equal(np.asarray(gridded(mosaic, own, "cubic")), expected)
        np.testing.assert_array_equal(read_onto(mosaic, own, "cubic"), expected)


def test_a_shift_moves_the_dem_to_the_east_and_north(tmp_path):
    heights = fractal((60, 80))
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", heights), "earlier")
    for moved in (
        read_onto(mosaic, mosaic.grid(), "bilinear", (60.0, 30.0)),
        gridded(mosaic, mosaic.grid(), "bilinear", (60.0, 30.0))[:, :],
    ):
        np.testing.assert_allclose(moved[0:50, 10:70], heights[1:51, 8:68], atol=1e-3)


def test_a_void_does_not_spread(tmp_path):
    heights = fractal((60, 80))
    heights[30, 40] = np.nan
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", heights), "earlier")
    for resampling in ("bilinear", "cubic"):
        for moved in (
            read_onto(mosaic, mosaic.grid(), resampling, (7.0, 11.0)),
            np.asarray(gridded(mosaic, mosaic.grid(), resampling, (7.0, 11.0))),
        ):
            assert np.argwhere(np.isnan(moved[10:50, 10:70])).tolist() == [[20, 30]]


def mosaic_of_degrees(folder, shape=(300, 420), arc_seconds=3.0):
    """Two tiles side by side in degrees, with voids."""
    heights = fractal(shape)
    heights[40:60, 100:103] = np.nan
    heights[200, 333] = np.nan
    middle = shape[1] // 2
    pixel = arc_seconds / 3600
    degrees_dem(folder / "left.tif", heights[:, :middle], 86.5, 43.5, arc_seconds)
    degrees_dem(folder / "right.tif", heights[:, middle:], 86.5 + middle * pixel, 43.5, arc_seconds)
    return open_mosaic(folder, "earlier")


@pytest.mark.parametrize("case", ["native", "axes", "warped"])
def test_any_rectangle_holds_the_same_bits(tmp_path, monkeypatch, case):
    """Rows, windows, steps, chunks, another thread and another process's copy all give what the whole gives."""
    monkeypatch.setattr(gridded_dem, "CHUNK", 64)
    monkeypatch.setattr(gridded_dem, "LEAST_CHUNK", 64)
    mosaic = mosaic_of_degrees(tmp_path) if case == "warped" else open_mosaic(
        write_dem(tmp_path / "a.tif", fractal((170, 230)), pixel=30), "earlier"
    )  # fmt: skip
    grid = {
        "native": Grid("EPSG:32645", Affine(30, 0, 400_090, 0, -30, 4_800_060), (150, 240)),
        "axes": Grid("EPSG:32645", Affine(10, 0, 399_980, 0, -10, 4_800_013), (300, 410)),
        "warped": Grid("EPSG:32645", Affine(90, 0, 458_000, 0, -90, 4_816_000), (240, 310)),
    }[case]
    dem = gridded(mosaic, grid, "cubic", (0.0, 0.0) if case == "native" else (4.3, -7.7))
    assert (dem.coincides, dem.axes is not None) == (case == "native", case != "warped")
    whole = np.asarray(dem)
    assert whole.dtype == np.float32
    assert 0.1 < np.isfinite(whole).mean() < 1
    copied = np.full(grid.shape, -1, np.float32)
    for rows, columns in dem.chunks:
        assert (copied[rows, columns] == -1).all(), "chunks overlap"
        copied[rows, columns] = as_sent(dem)[rows, columns]
    np.testing.assert_array_equal(copied, whole)
    windows = [(slice(3, 77), slice(None)), (slice(130, 131), slice(60, 200)), (slice(5, 149, 7), slice(1, 236, 3))]
    windows += [(slice(10, 10), slice(0, 5)), (slice(140, 999), slice(-9, None)), (slice(0, 150, 40), slice(2, 3))]
    with ThreadPoolExecutor(2) as pool:
        for window, read in zip(windows, pool.map(dem.__getitem__, windows), strict=True):
            np.testing.assert_array_equal(read, whole[window])


def test_a_chunked_dem_is_the_dem_warped_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(gridded_dem, "CHUNK", 100)
    mosaic = mosaic_of_degrees(tmp_path)
    grid = Grid("EPSG:32645", Affine(90, 0, 458_000, 0, -90, 4_816_000), (240, 310))
    for resampling in ("bilinear", "cubic", "nearest"):
        whole = read_onto(mosaic, grid, resampling, (12.0, 31.0))
        chunked = np.asarray(gridded(mosaic, grid, resampling, (12.0, 31.0)))
        assert (np.isnan(whole) == np.isnan(chunked)).mean() > 0.9999
        # each window approximates the projection to 1e-4 pixel of its own
        assert np.nanmax(np.abs(whole - chunked)) < (0.02 if resampling != "nearest" else 1e-9)


@pytest.mark.parametrize("pixel", [30.0, 60.0, 90.0])
@pytest.mark.parametrize("resampling", ["bilinear", "cubic"])
def test_resampling_by_slices_is_gdals(tmp_path, pixel, resampling):
    """Against GDAL's warp: the same kernels, the same voids, beyond the edge and beside voids too."""
    heights = fractal((50, 70), relief_m=150)
    heights[10:14, 20:22] = np.nan
    heights[30:, 50:][np.random.default_rng(1).random((20, 20)) < 0.3] = np.nan
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", heights, pixel=pixel), "earlier")
    grid = Grid("EPSG:32645", Affine(30, 0, 400_017.3 - 90, 0, -30, 4_800_064.4), (90, 130))
    dem = gridded(mosaic, grid, resampling, (7.5, -11.2))
    assert dem.axes is not None
    assert dem.axes.rows.phases == round(pixel / 30)
    ours, gdals = np.asarray(dem), read_onto(mosaic, grid, resampling, (7.5, -11.2))
    np.testing.assert_array_equal(np.isnan(ours), np.isnan(gdals))
    assert np.isnan(ours).any()
    np.testing.assert_allclose(ours, gdals, atol=0.002)


def test_the_kernels_weights():
    """Weights add up to one and carry their own position; on a native centre only that pixel counts."""
    for start in (0.25, 3.9, -2.4):
        for kernel in ("bilinear", "cubic"):
            for phase in range(3):
                first, weights = Axis(start, 3).weights(phase, kernel)
                places = first + np.arange(len(weights))
                assert sum(weights) == pytest.approx(1)
                assert np.dot(weights, places) == pytest.approx(start + phase / 3)
    assert Axis(5.0, 1).weights(0, "cubic") == (4, (0.0, 1.0, 0.0, 0.0))


def test_a_fine_dem_is_averaged_in_small_chunks(tmp_path):
    """A 1 m DEM on a 30 m grid: chunks are small, and a checkerboard comes out as its mean."""
    heights = np.where(np.add.outer(np.arange(240), np.arange(300)) % 2, 900, 1100).astype(np.float32)
    mosaic = open_mosaic(write_dem(tmp_path / "a.tif", heights, pixel=1), "later")
    grid = Grid("EPSG:32645", Affine(30, 0, 400_000, 0, -30, 4_800_000), (8, 10))
    dem = gridded(mosaic, grid, "bilinear")
    assert dem.scale == pytest.approx((1 / 30, 1 / 30))
    assert (dem.chunk_size * 30) ** 2 <= 4_000_000
    np.testing.assert_allclose(np.asarray(dem), 1000, atol=1)


def test_the_scale_of_the_kernel_is_the_pixels_on_the_ground(tmp_path):
    """At 43.2 N an arc second is 22.6 m wide and 30.9 m high: 30 m pixels average across and not along."""
    mosaic = open_mosaic(degrees_dem(tmp_path / "a.tif", fractal((300, 420)), 86.9, 43.3), "later")
    grid = Grid("EPSG:32645", Affine(30, 0, 492_000, 0, -30, 4_794_000), (250, 200))
    across, along = tiles.resampling_scale(mosaic, grid)
    assert across == pytest.approx(np.cos(np.radians(43.25)) * 30.92 / 30, abs=0.005)
    assert along == 1


def test_missing_tile_is_named(tmp_path):
    write_hgt(tmp_path, "N43E086", hgt_surface(86, 43))
    with pytest.raises(BadInput, match=r"earlier DEM: found no tile N43E087 \(have N43E086.hgt\)"):
        require_coverage(open_mosaic(tmp_path, "earlier"), (86.5, 43.0, 87.5, 43.3))


def test_tiles_smaller_than_a_degree_cover_a_region_together(tmp_path):
    """Sheets of a national survey: none of them holds the region, all four do; three do not."""
    for row, north in enumerate((4_800_000, 4_797_000)):
        for column, west in enumerate((400_000, 403_600)):
            write_dem(tmp_path / f"sheet_{row}{column}.tif", fractal((100, 120)), west=west, north=north)
    region = (85.79, 43.305, 85.84, 43.335)
    require_coverage(open_mosaic(tmp_path, "earlier"), region)
    (tmp_path / "sheet_11.tif").unlink()
    covered = r"\(85\.7\d+, 43\.2\d+, 85\.8\d+, 43\.3\d+\)"
    message = rf"no tile N43E085 \(have .*expected .*not only {covered}; .*correct the extent"
    with pytest.raises(BadInput, match=message):
        require_coverage(open_mosaic(tmp_path, "earlier"), region)


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


def test_a_mercator_dem_goes_to_its_utm_zone(tmp_path):
    """Web Mercator's metres are 0.73 m at 43 N: slopes and areas would be wrong by as much."""
    path = write_dem(tmp_path / "a.tif", fractal((50, 60)), crs="EPSG:3857", west=9_660_000, north=5_320_000, pixel=41)
    mosaic = open_mosaic(path, "later")
    grid = target_grid(mosaic, mosaic, ElevationChangeSettings(resolution_m=30))
    assert (grid.crs, grid.pixel_size) == ("EPSG:32645", (30, 30))
    assert grid.shape[0] == pytest.approx(50, abs=3)


def test_pixels_in_feet_are_named_in_metres(tmp_path):
    """New York Long Island, US survey feet: 98.4 feet are 30 m."""
    path = write_dem(tmp_path / "f.tif", fractal((20, 30)), crs="EPSG:2263", west=1e6, north=2e5, pixel=98.425)
    assert open_mosaic(path, "later").nominal_resolution_m == pytest.approx(30, abs=0.001)


def test_dems_that_do_not_overlap_are_refused(tmp_path):
    one = open_mosaic(write_dem(tmp_path / "a.tif", fractal((20, 20))), "earlier")
    other = open_mosaic(write_dem(tmp_path / "b.tif", fractal((20, 20)), west=500_000), "later")
    with pytest.raises(BadInput, match="DEMs: found no overlap"):
        target_grid(one, other, ElevationChangeSettings())


@pytest.mark.parametrize(
    ("crs", "message"),
    [
        ("EPSG:4326", "not projected in metres"),
        ("EPSG:99", "PROJ knows"),
        ("EPSG:3857", r"EPSG:3857, where a metre is 0\.72\d m on the ground; expected a CRS .*, as EPSG:32645"),
        ("EPSG:2193", r"EPSG:2193, where a metre is 0\.6\d+ m on the ground"),
    ],
)
def test_a_grid_needs_metres(tmp_path, crs, message):
    dem = open_mosaic(write_dem(tmp_path / "a.tif", fractal((20, 20))), "earlier")
    with pytest.raises(BadInput, match=message):
        target_grid(dem, dem, ElevationChangeSettings(crs=crs))


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


def south_up(path, north_up, target):
    """The same raster with its rows in the opposite order, block size and mask band of its own."""
    with rasterio.open(north_up) as source:
        heights, transform, profile = source.read(1), source.transform, source.profile
    bottom = transform.f + transform.e * heights.shape[0]
    profile.update(transform=Affine(transform.a, 0, transform.c, 0, -transform.e, bottom), **target)
    with rasterio.open(path, "w", **profile) as turned:
        turned.write(heights[::-1], 1)
        if profile["nodata"] is None:
            turned.write_mask(heights[::-1] > 0)
    return path


@pytest.mark.parametrize(
    "target", [{}, {"nodata": None}, {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}]
)
def test_a_raster_that_begins_in_the_south_is_read_like_its_north_up_twin(tmp_path, target):
    heights = fractal((70, 90))
    heights[10:14, 20:31] = np.nan
    twin = open_mosaic(write_dem(tmp_path / "north.tif", heights), "earlier")
    turned = open_mosaic(south_up(tmp_path / "south.tif", tmp_path / "north.tif", target), "earlier")
    assert turned.grid() == twin.grid()
    np.testing.assert_array_equal(read_onto(turned, twin.grid(), "bilinear"), heights)
    part = twin.grid().window(3, 5, (17, 40))
    np.testing.assert_array_equal(read_onto(turned, part, "bilinear"), heights[3:20, 5:45])
    elsewhere = part.moved(11.0, -7.0)
    np.testing.assert_array_equal(
        read_onto(turned, elsewhere, "cubic"), read_onto(twin, elsewhere, "cubic"), strict=True
    )
    in_utm_44 = target_grid(turned, twin, ElevationChangeSettings(crs="EPSG:32644"))
    np.testing.assert_array_equal(
        np.asarray(gridded(turned, in_utm_44, "bilinear")), np.asarray(gridded(twin, in_utm_44, "bilinear"))
    )


def test_tiles_of_either_direction_make_one_mosaic(tmp_path):
    heights = fractal((80, 60))
    for name, rows in (("a", slice(0, 37)), ("b", slice(37, 80))):
        write_dem(tmp_path / f"{name}.tif", heights[rows], north=4_800_000 - 30 * rows.start)
    south_up(tmp_path / "c.tif", tmp_path / "b.tif", {})
    mosaic = open_mosaic([tmp_path / "a.tif", tmp_path / "c.tif"], "later")
    np.testing.assert_array_equal(read_onto(mosaic, mosaic.grid(), "bilinear"), heights)
