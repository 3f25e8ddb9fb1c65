"""The synthetic Urumqi River Basin: its files, its physics, and that truth and files agree."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy import ndimage
from scipy.interpolate import RegularGridInterpolator

from pipeline.elevation_change.pairing.datum import MissingGeoidGrid, datum_step, height_change
from pipeline.elevation_change.result import Shift
from pipeline.grid import Grid
from pipeline.sample import glaciation, terrain, urumqi
from schemas.errors import BadInput
from tests.made.urumqi_truth import truth_of, write_urumqi_truth

# seconds of drawing or computing each
pytestmark = pytest.mark.slow

SMALL = urumqi.Scene(seed=3, west=86.55, south=43.06, east=86.75, north=43.17, lowest_m=3200, highest_m=4400)
GRID_WITHIN = Grid("EPSG:32645", Affine(300, 0, 450_000, 0, -300, 4_790_000), (40, 50))
FAR_AWAY = Grid("EPSG:32644", Affine(300, 0, 450_000, 0, -300, 4_790_000), (40, 50))
STILL = urumqi.SeenAs(
    shift=Shift(0.0, 0.0, 0.0),
    datum_mean_m=0.0,
    datum_variation_m=0.0,
    short_sigma_m=0.0,
    long_sigma_m=0.0,
    later_sigma_m=0.0,
    shadow_voids=0,
    glacier_voids=0,
)


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def land() -> urumqi.Landscape:
    return urumqi.make_landscape(SMALL)


@pytest.fixture(scope="module")
def folder(land: urumqi.Landscape, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("inputs")
    urumqi.write_inputs(target, land, urumqi.SeenAs())
    return target


# --- building blocks, by hand -------------------------------------------------------------------------------------


def test_drainage_of_a_hand_made_slope_goes_down_the_steepest_way_to_the_outlet():
    surface = np.array([[9.0, 8.0, 7.0, 6.0], [9.0, 5.0, 4.0, 0.0], [9.0, 8.0, 7.0, 6.0]])
    outlet = np.zeros(surface.shape, bool)
    outlet[1, 3] = True
    even = np.ones((8, *surface.shape))
    even[[0, 2, 5, 7]] /= np.sqrt(2)
    receiver = terrain.steepest_tree(surface, outlet, even)
    assert receiver.reshape(surface.shape).tolist() == [[5, 5, 7, 7], [5, 6, 7, 7], [5, 5, 7, 7]]
    levels = terrain.tree_levels(receiver)
    area = terrain.accumulate(receiver, levels, np.ones(12))
    assert area[7] == 12
    assert area[5] == 6
    assert [places.tolist() for places in levels] == [[7], [2, 3, 6, 10, 11], [5], [0, 1, 4, 8, 9]]


def test_flooding_tree_leaves_a_hollow_over_its_lowest_rim():
    surface = np.full((5, 7), 9.0)
    surface[2, 1:7] = [3.0, 1.0, 6.0, 2.0, 1.0, 0.0]  # a hollow at column 2, a pass of 6 at column 3
    outlet = np.zeros(surface.shape, bool)
    outlet[2, 6] = True
    receiver = terrain.flooding_tree(surface, outlet)
    path, place = [], 2 * 7 + 1
    while receiver[place] != place:
        place = int(receiver[place])
        path.append(place - 14)
    assert path == [2, 3, 4, 5, 6]


def test_descent_tree_fills_hollows_and_then_takes_the_steepest_way():
    surface = np.add.outer(np.arange(12.0, 0.0, -1.0), np.zeros(9))
    surface[5, 4] = 2.0  # a pit in an even slope
    outlet = np.zeros(surface.shape, bool)
    outlet[-1] = True
    receiver = terrain.descent_tree(surface, outlet)
    below = np.arange(surface.size) + 9
    straight = receiver[: -2 * 9] == below[: -2 * 9]
    assert straight.mean() > 0.95
    assert len(terrain.tree_levels(receiver)) == 12


def test_correlated_field_has_unit_variance_and_the_asked_range():
    rough = terrain.correlated_field((300, 400), (20.0, 20.0), 2.0, terrain.stream(1, 1))
    smooth = terrain.correlated_field((300, 400), (120.0, 120.0), 2.0, terrain.stream(1, 1))
    for values in (rough, smooth):
        assert abs(values.mean()) < 1e-9
        assert values.std() == pytest.approx(1.0)
    lag = [float((values[:, 8:] * values[:, :-8]).mean()) for values in (rough, smooth)]
    assert lag[0] < 0.3 < 0.6 < lag[1]


def test_carved_relief_has_no_pits_and_rivers_flatter_than_hillsides():
    shape, spacing = (120, 150), 200.0
    relief = terrain.carve_relief(shape, spacing, terrain.ReliefSettings(), terrain.stream(5, 1))
    inner = relief[1:-1, 1:-1]
    lowest = ndimage.minimum_filter(relief, size=3)[1:-1, 1:-1]
    assert (lowest < inner).mean() > 0.999
    even = np.ones((8, *shape))
    border = np.zeros(shape, bool)
    border[[0, -1]] = True
    receiver = terrain.steepest_tree(relief, border, even)
    area = terrain.accumulate(receiver, terrain.tree_levels(receiver), np.ones(relief.size)).reshape(shape)
    slope = terrain.slope_tangent(relief, (spacing, spacing))
    assert np.median(slope[area > 200]) < 0.5 * np.median(slope[area < 5])


def test_ice_on_a_ridge_is_parted_at_its_crest():
    across = np.abs(np.arange(41) - 20.0)
    surface = 4000.0 - 10.0 * np.tile(across[:, None], (1, 30)) + 0.01 * np.arange(30)[None, :]
    ice = np.zeros(surface.shape, bool)
    ice[10:31, 8:22] = True
    labels = glaciation.part_glaciers(surface, ice, 20)
    assert set(np.unique(labels[ice])) == {1, 2}
    assert len(np.unique(labels[10:20, 12:20])) == 1
    assert len(np.unique(labels[21:31, 12:20])) == 1
    assert labels[12, 15] != labels[28, 15]
    assert not labels[~ice].any()


def test_contour_holds_exactly_the_positive_places_and_keeps_holes():
    rows, columns = np.mgrid[0:40, 0:50]
    distance = np.hypot(rows - 20.0, columns - 25.0)
    values = np.minimum(12.3 - distance, distance - 4.4)
    polygon = glaciation.contour_polygons(values, np.arange(50.0), np.arange(40.0))
    assert polygon.is_valid
    assert polygon.area == pytest.approx(np.pi * (12.3**2 - 4.4**2), rel=0.02)
    burnt = rasterize([(polygon, 1)], (40, 50), transform=rasterio.Affine(1, 0, -0.5, 0, 1, -0.5))
    assert np.array_equal(burnt > 0, values > 0)


# --- the landscape ------------------------------------------------------------------------------------------------


def test_change_is_on_glaciers_only_strong_low_and_slight_high(land: urumqi.Landscape):
    outlines = {glacier.number: glacier.earlier for glacier in land.glaciers}
    icy = land.numbers(outlines) > 0
    assert icy.any()
    assert not land.dh_m[~icy].any()
    assert (land.dh_m[icy] != 0).mean() > 0.999
    assert land.dh_m.max() <= 1.3
    assert -40 < land.dh_m.min() < -8
    heights, change = land.earlier_m[icy], land.dh_m[icy]
    low, high = np.quantile(heights, [0.2, 0.8])
    assert change[heights < low].mean() < change[heights > high].mean() - 2


def test_ice_is_smoother_than_rock_of_the_same_steepness(land: urumqi.Landscape):
    icy = ndimage.binary_erosion(land.dh_m != 0, iterations=4)
    rough = np.abs(land.earlier_m - ndimage.gaussian_filter(land.earlier_m, 1.5))
    steep = terrain.slope_tangent(land.earlier_m, land.pixel_m)
    alike = (steep > 0.2) & (steep < 0.5)
    rock = alike & ~ndimage.binary_dilation(land.dh_m != 0, iterations=8)
    assert rough[alike & icy].mean() < 0.6 * rough[rock].mean()


def test_outlines_are_valid_inside_the_extent_and_shrink(land: urumqi.Landscape):
    tables = [urumqi.outline_table(land, later) for later in (False, True)]
    for table in tables:
        assert table.geometry.is_valid.all()
        west, south, east, north = table.total_bounds
        assert SMALL.west < west < east < SMALL.east
        assert SMALL.south < south < north < SMALL.north
        overlap = table.sindex.query(table.geometry, predicate="overlaps")
        shared = [
            table.geometry.iloc[int(a)].intersection(table.geometry.iloc[int(b)]).area for a, b in overlap.T if a < b
        ]
        assert sum(shared) < 1e-12
    earlier = tables[0].set_index("rgi_id").geometry
    for identifier, outline in tables[1].set_index("rgi_id").geometry.items():
        assert outline.difference(earlier[identifier]).area < 1e-12
    assert set(tables[1].rgi_id) <= set(tables[0].rgi_id)
    assert 0.5 < tables[1].area_km2.sum() / tables[0].area_km2.sum() < 0.97


def test_outline_attributes_are_those_of_the_randolph_inventory(land: urumqi.Landscape):
    table = urumqi.outline_table(land, later=False)
    expected = {"rgi_id", "glac_name", "src_date", "cenlon", "cenlat", "area_km2", "zmin_m", "zmax_m", "zmed_m"}
    expected |= {"zmean_m", "slope_deg", "aspect_deg", "lmax_m", "o1region", "o2region"}
    assert expected <= set(table.columns)
    assert max(len(name) for name in table.columns if name != "geometry") <= 10  # what a shapefile can name
    assert table.rgi_id.str.startswith("SYNTHETIC").all()
    projected = table.to_crs("EPSG:32645")
    assert table.area_km2.to_numpy() == pytest.approx(projected.area / 1e6, rel=2e-3, abs=1e-4)
    assert (table.zmin_m < table.zmed_m).all()
    assert (table.zmed_m < table.zmax_m).all()
    span = projected.geometry.minimum_bounding_radius() * 2
    assert (table.lmax_m < 3 * span + 300).all()
    assert (table.lmax_m > 0.15 * span).all()


def test_a_scene_without_glaciers_or_with_swapped_corners_is_refused():
    flat = dataclasses.replace(SMALL, ice=glaciation.IceSettings(margin_m=1e4))
    with pytest.raises(BadInput, match="no glacier"):
        urumqi.make_landscape(flat)
    with pytest.raises(ValueError, match="out of order"):
        urumqi.Scene(west=87.0, east=86.0)


# --- how the satellites see it ------------------------------------------------------------------------------------


def test_srtm_post_is_the_mean_of_its_cell(land: urumqi.Landscape):
    posts = urumqi.observe_earlier(land, STILL)
    west, south, east, north = SMALL.content
    assert posts.shape == ((north - south) // 3 + 1, (east - west) // 3 + 1)
    rows, columns = posts.shape
    first = 12  # the fine surface begins 12 seconds before the content
    cells = land.earlier_m[first - 1 : first - 1 + 3 * rows, first - 1 : first - 1 + 3 * columns]
    mean = cells.reshape(rows, 3, columns, 3).mean(axis=(1, 3))
    assert np.abs(posts - mean).max() <= 0.5 + 1e-6


def test_block_average_cuts_ridges_and_fills_hollows(land: urumqi.Landscape):
    posts = urumqi.observe_earlier(land, STILL)
    fine = land.earlier_m[12:-12:3, 12:-12:3]
    curvature = ndimage.laplace(ndimage.gaussian_filter(land.earlier_m, 1.0))[12:-12:3, 12:-12:3]
    low, high = np.quantile(curvature, [0.02, 0.98])
    assert (fine - posts)[curvature < low].mean() > 1.5
    assert (fine - posts)[curvature > high].mean() < -1.5
    assert abs((fine - posts).mean()) < 0.1


def test_displacement_has_the_stated_sign_and_size_in_projected_metres(land: urumqi.Landscape):
    project = Transformer.from_crs("EPSG:4326", SMALL.crs, always_xy=True)
    easting, northing = project.transform(*np.meshgrid(land.longitude, land.latitude))
    tilted = dataclasses.replace(land, earlier_m=0.30 * (easting - 4.6e5) - 0.20 * (northing - 4.77e6) + 2000.0)
    shift = Shift(east=14.3, north=-9.7, up=-1.4)
    seen = dataclasses.replace(STILL, shift=shift, datum_mean_m=0.3)
    posts = urumqi.observe_earlier(tilted, seen).astype(float)
    truth = tilted.earlier_m[12:-12:3, 12:-12:3]
    # a feature of the truth appears at its place minus the shift: SRTM(p) = truth(p + shift) - up - datum
    expected = 0.30 * shift.east - 0.20 * shift.north - shift.up - 0.3
    assert (posts - truth).mean() == pytest.approx(expected, abs=0.01)
    assert np.abs(posts - truth - expected).max() < 0.52


def test_datum_difference_is_smooth_and_of_the_stated_size():
    seen = urumqi.SeenAs()
    scene = urumqi.Scene()
    longitude, latitude = np.linspace(86.5, 87.5, 200)[None, :], np.linspace(43.0, 43.3, 80)[:, None]
    field = urumqi.datum_difference_m(longitude, latitude, scene, seen)
    assert field.mean() == pytest.approx(seen.datum_mean_m, abs=0.02)
    assert 0.05 < np.ptp(field) / 2 < 0.15
    assert np.abs(np.diff(field, axis=1)).max() < 0.005


def test_fabdem_shows_the_later_surface(land: urumqi.Landscape):
    pixels = urumqi.observe_later(land, urumqi.SeenAs())
    noise = pixels - (land.earlier_m + land.dh_m)[12:-12, 12:-12]
    assert 0.35 < noise.std() < 0.45
    assert abs(noise.mean()) < 0.02


def test_voids_are_few_and_some_touch_glaciers(land: urumqi.Landscape):
    posts = urumqi.observe_earlier(land, dataclasses.replace(urumqi.SeenAs(), shadow_voids=4, glacier_voids=2))
    void = posts == urumqi.SRTM_VOID
    assert 0 < void.mean() < 0.02
    assert (void & (land.dh_m != 0)[12:-12:3, 12:-12:3]).any()


# --- the files ----------------------------------------------------------------------------------------------------


def test_files_are_exactly_the_inputs_and_say_synthetic(folder: Path):
    sidecars = [
        f"outlines/glaciers_{epoch}.{ext}" for epoch in (2000, 2012) for ext in ["cpg", "dbf", "prj", "shp", "shx"]
    ]
    geoids = {f"geoids/{name}.tif" for name in ("us_nga_egm96_15", "us_nga_egm08_25")}
    expected = {"README.txt", "srtm_v3/N43E086.hgt", "fabdem_v1-2/N43E086_FABDEM_V1-2.tif", *sidecars, *geoids}
    assert set(_digests(folder)) == expected
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    assert readme.splitlines()[0].startswith("SYNTHETIC")
    assert "14.3" not in readme


def test_the_geoid_grids_bring_one_datum_to_the_other(folder: Path):
    """PROJ, told of them alone, changes EGM96 heights by what the scene invents, to millimetres."""
    longitude, latitude = np.meshgrid(np.linspace(86.02, 86.98, 40), np.linspace(43.02, 43.98, 30))
    expected = urumqi.datum_difference_m(longitude, latitude, SMALL, urumqi.SeenAs())
    geoids = str(folder / "geoids")
    change = height_change("EPSG:5773", "EPSG:3855", longitude, latitude, geoids)
    np.testing.assert_allclose(change, expected, atol=4e-3)
    back = height_change("EPSG:3855", "EPSG:5773", longitude, latitude, geoids)
    np.testing.assert_allclose(back, -expected, atol=4e-3)
    step, field = datum_step("EPSG:5773", "EPSG:3855", "later", GRID_WITHIN, "stop", geoids)
    assert step.method == "PROJ grids"
    assert "the inputs' own geoid grids" in step.note
    assert field is not None
    # of another run nothing is changed
    with pytest.raises(MissingGeoidGrid):
        datum_step("EPSG:5773", "EPSG:3855", "later", FAR_AWAY, "stop", geoids)


def test_same_seed_same_bytes_and_another_seed_other_bytes(folder: Path, tmp_path: Path):
    urumqi.write_inputs(tmp_path / "again", urumqi.make_landscape(SMALL), urumqi.SeenAs())
    assert _digests(tmp_path / "again") == _digests(folder)
    other = urumqi.make_landscape(dataclasses.replace(SMALL, seed=4))
    urumqi.write_inputs(tmp_path / "other", other, urumqi.SeenAs())
    ours, theirs = _digests(folder), _digests(tmp_path / "other")
    for name in ours:
        # the geoids are facts of the place, as in any other year
        if name.endswith((".hgt", ".tif", ".shp", ".dbf", "README.txt")) and not name.startswith("geoids/"):
            assert ours[name] != theirs[name], name


def test_the_table_of_outlines_carries_no_day_of_writing(folder: Path):
    header = (folder / "outlines" / "glaciers_2000.dbf").read_bytes()[:4]
    assert header[1:4] == bytes((100, 1, 1))


def test_srtm_tile_reads_as_pixel_is_point(folder: Path):
    with rasterio.open(folder / "srtm_v3" / "N43E086.hgt") as tile:
        half = 1.5 / 3600
        assert tile.driver == "SRTMHGT"
        assert tile.shape == (1201, 1201)
        assert tile.dtypes == ("int16",)
        assert tile.nodata == -32768
        assert tuple(tile.bounds) == pytest.approx((86 - half, 43 - half, 87 + half, 44 + half), abs=1e-9)
        posts = tile.read(1)
    valid = posts[posts != -32768]
    assert 3000 < valid.min() < valid.max() < 4600


def test_fabdem_tile_has_the_products_grid_and_form(folder: Path):
    with rasterio.open(folder / "fabdem_v1-2" / "N43E086_FABDEM_V1-2.tif") as tile:
        second = 1 / 3600
        assert tile.shape == (3600, 3600)
        assert tile.dtypes == ("float32",)
        assert tile.nodata == -9999
        assert tile.crs.to_epsg() == 4326
        assert tuple(tile.transform)[:6] == pytest.approx(
            (second, 0, 86 - second / 2, 0, -second, 44 + second / 2), abs=1e-9
        )
        assert tile.profile["compress"] == "deflate"
        assert tile.profile["tiled"]
        assert tile.tags()["SYNTHETIC"] == "yes"
        heights = tile.read(1)
    assert heights[heights != -9999].min() > 3000


def test_both_products_stand_at_the_same_places(folder: Path):
    with rasterio.open(folder / "srtm_v3" / "N43E086.hgt") as tile:
        posts, post_transform = tile.read(1), tile.transform
    with rasterio.open(folder / "fabdem_v1-2" / "N43E086_FABDEM_V1-2.tif") as tile:
        heights, transform = tile.read(1), tile.transform
    longitude = post_transform.c + 700.5 * post_transform.a
    latitude = post_transform.f + 1050.5 * post_transform.e
    column, row = (longitude - transform.c) / transform.a, (latitude - transform.f) / transform.e
    assert (column % 1, row % 1) == pytest.approx((0.5, 0.5), abs=1e-6)
    assert abs(float(heights[int(row), int(column)]) - float(posts[1050, 700])) < 40


# --- the truth ----------------------------------------------------------------------------------------------------


def test_truth_sums_up_and_agrees_with_the_outlines(land: urumqi.Landscape):
    truth = truth_of(land, urumqi.SeenAs())
    table = urumqi.outline_table(land, later=False)
    assert [glacier.rgi_id for glacier in truth.glaciers] == table.rgi_id.tolist()
    weight = np.cos(np.radians(land.latitude))[:, None] * np.ones(land.dh_m.shape)
    icy = land.dh_m != 0
    assert truth.mean_dh_m == pytest.approx(np.average(land.dh_m[icy], weights=weight[icy]), abs=0.02)
    assert truth.area_km2 == pytest.approx(table.area_km2.sum(), rel=1e-3)
    pixel_km2 = 30.87**2 * 1e-6 * weight  # a second of arc is 30.8-30.9 m
    assert truth.volume_change_m3 == pytest.approx((land.dh_m * pixel_km2).sum() * 1e6, rel=0.02)
    assert truth.up_with_datum_m == pytest.approx(-1.1, abs=0.03)
    assert truth.grid.shape == truth.dh_m.shape


# --- the embedded sample itself -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> urumqi.Landscape:
    return urumqi.make_landscape(urumqi.Scene())


@pytest.mark.slow
def test_embedded_sample_has_the_relief_and_glaciers_of_the_basin(whole: urumqi.Landscape):
    inside = np.ix_(
        (whole.latitude >= 43.0) & (whole.latitude <= 43.3), (whole.longitude >= 86.5) & (whole.longitude <= 87.5)
    )
    heights = whole.earlier_m[inside]
    assert 2440 < heights.min() < 2560
    assert 4440 < heights.max() < 4560
    slope = np.degrees(np.arctan(terrain.slope_tangent(whole.earlier_m, whole.pixel_m)))
    assert 15 < np.median(slope) < 30
    assert np.quantile(slope, 0.999) < 65
    truth = truth_of(whole, urumqi.SeenAs())
    assert 30 <= len(truth.glaciers) <= 120
    assert 40 <= truth.area_km2 <= 150
    assert min(glacier.area_earlier_km2 for glacier in truth.glaciers) > 0.05
    assert -12 < truth.mean_dh_m < -4
    aspects = np.radians(urumqi.outline_table(whole, later=False).aspect_deg)
    assert np.cos(aspects - np.radians(25)).mean() > 0.3  # they shun the sun


@pytest.mark.slow
def test_embedded_files_hold_the_stated_shift_and_bias(whole: urumqi.Landscape, tmp_path: Path):
    """An independent reading of the files: spline interpolation at exactly projected places, then least squares."""
    urumqi.write_inputs(tmp_path, whole, urumqi.SeenAs())
    easting, northing = np.arange(4.60e5, 5.405e5, 60.0), np.arange(4.7930e6, 4.7625e6, -60.0)
    later = _sampled(tmp_path, "fabdem_v1-2", easting, northing)
    earlier = _sampled(tmp_path, "srtm_v3", easting, northing)
    outlines = gpd.read_file(tmp_path / "outlines" / "glaciers_2000.shp").to_crs(32645)
    transform = rasterio.Affine(60, 0, easting[0] - 30, 0, -60, northing[0] + 30)
    near_ice = rasterize(outlines.buffer(120), later.shape, transform=transform) > 0
    truth = truth_of(whole, urumqi.SeenAs())
    shifted = _sampled(
        tmp_path, "srtm_v3", easting - truth.shift_m.east, northing - truth.shift_m.north
    )  # moved by +shift
    stable = np.isfinite(later) & np.isfinite(shifted) & ~near_ice
    bias = (later - shifted)[stable].mean()
    assert bias == pytest.approx(truth.up_with_datum_m, abs=0.1)
    # what is left of the shift, in the linearised form of Nuth and Kaab
    down, right = np.gradient(later, 60.0)
    design = np.stack([right[stable], -down[stable], np.ones(stable.sum())], axis=1)
    use = np.isfinite(design).all(axis=1)
    left = np.linalg.lstsq(design[use], (later - shifted)[stable][use], rcond=None)[0]
    assert np.hypot(left[0], left[1]) < 0.3
    unshifted = np.isfinite(later) & np.isfinite(earlier) & ~near_ice
    assert (later - earlier)[unshifted].std() > 1.5 * (later - shifted)[stable].std()
    glaciers = rasterize(outlines.geometry, later.shape, transform=transform) > 0
    change = (later - shifted - truth.up_with_datum_m)[glaciers & np.isfinite(shifted)]
    assert change.mean() == pytest.approx(truth.mean_dh_m, abs=0.2)


def _sampled(folder: Path, product: str, easting: np.ndarray, northing: np.ndarray) -> np.ndarray:
    """Heights of a product at projected places (cubic spline on the mosaic), NaN near voids."""
    with rasterio.open(sorted((folder / product).iterdir())[0]) as tile:
        west, nodata, step = tile.read(1), tile.nodata, tile.transform.a
        left, top = tile.transform.c + step / 2, tile.transform.f - step / 2
    with rasterio.open(sorted((folder / product).iterdir())[1]) as tile:
        east = tile.read(1)
    mosaic = np.hstack([west, east if product.startswith("fabdem") else east[:, 1:]]).astype(float)
    void = mosaic == nodata
    mosaic[void] = 3500.0
    back = Transformer.from_crs("EPSG:32645", "EPSG:4326", always_xy=True)
    longitude, latitude = back.transform(*np.meshgrid(easting, northing))
    index = [(top - latitude) / step, (longitude - left) / step]
    heights = ndimage.map_coordinates(mosaic, index, order=3)
    near = RegularGridInterpolator(
        (np.arange(void.shape[0]), np.arange(void.shape[1])),
        ndimage.binary_dilation(void, iterations=3).astype(float),
        bounds_error=False,
        fill_value=1.0,
    )(np.stack(index, axis=-1))
    return np.where(near > 0, np.nan, heights)


@pytest.mark.slow
def test_truth_files_hold_what_the_truth_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    small = SMALL
    monkeypatch.setattr("tests.made.urumqi_truth.Scene", lambda seed: dataclasses.replace(small, seed=seed))
    write_urumqi_truth(tmp_path, seed=small.seed)
    numbers = json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))
    assert numbers["shift_m"] == {"east": 14.3, "north": -9.7, "up": -1.4}
    with np.load(tmp_path / "truth.npz") as rasters:
        assert rasters["dh_m"].min() < -5
        assert rasters["dh_m"].shape == rasters["earlier_m"].shape
    assert len(numbers["glaciers"]) > 3
