"""The alpine scenes are what they say: relief, glaciers, noise, geometry, and every trouble by its amplitude."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import lru_cache

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from scipy import ndimage

from tests.made.alpine_ground import ARC_SECOND, FINE_PER_SECOND, MARGIN_SECONDS, FineGrid, bumps
from tests.made.alpine_scenes import (
    HANDLED,
    KINDS,
    SCENES,
    SIGMA_PENETRATION_M,
    SLOW_TEST_SCENES,
    Scene,
    make_scene,
    write_scene,
)

PLAIN = Scene(kind="plain", seed=7, size_seconds=(540, 600))


@lru_cache(maxsize=16)
def made(scene):
    return make_scene(scene)


def variant(kind="plain", **amplitudes):
    return replace(PLAIN, kind=kind, **amplitudes)


def inner(values, seconds=1):
    """The places of the fine grid under the cells of a DEM."""
    margin = MARGIN_SECONDS * FINE_PER_SECOND
    return values[margin : -margin : seconds * FINE_PER_SECOND, margin : -margin : seconds * FINE_PER_SECOND]


def metres(scene, seconds):
    """Height and width of a cell by the projection library."""
    grid = made(scene).ground.grid
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32645", always_xy=True)
    longitude, latitude = grid.west + grid.step * grid.shape[1] / 2, grid.middle_latitude
    here = np.array(to_utm.transform(longitude, latitude))
    east = np.array(to_utm.transform(longitude + seconds * ARC_SECOND, latitude)) - here
    north = np.array(to_utm.transform(longitude, latitude + seconds * ARC_SECOND)) - here
    return np.hypot(*north) / 0.9996, np.hypot(*east) / 0.9996


def slope_deg(heights, height_m, width_m):
    north, east = np.gradient(heights, height_m, width_m)
    return np.degrees(np.arctan(np.hypot(north, east)))


def later_slope(scene):
    return slope_deg(made(scene.without_noise()).later_m, *metres(scene, 1))


def noise_of(scene, dem):
    """What the noise and the rounding to metres add to a DEM."""
    return getattr(made(scene), dem) - getattr(made(scene.without_noise()), dem)


def change_in(dem, scene, of=PLAIN):
    """What a trouble adds to a DEM, NaN where either is void."""
    return getattr(made(scene.without_noise()), dem) - getattr(made(of.without_noise()), dem)


def unshifted(scene):
    """The earlier DEM of a scene brought onto the cells of the later one by its true shift, cubic splines."""
    one = made(scene)
    shift, cell = one.truth.shift, metres(scene, 3)
    rows, columns = (np.arange(size) / 3 for size in one.later_m.shape)
    rows, columns = rows + shift.north / 0.9996 / cell[0], columns - shift.east / 0.9996 / cell[1]
    place = np.meshgrid(rows, columns, indexing="ij")
    return ndimage.map_coordinates(one.earlier_m, place, order=3, mode="nearest") + shift.up


def over_glaciers(scene, values):
    labels = inner(made(scene).ground.glaciers)
    return ndimage.mean(values, labels, np.arange(1, len(made(scene).truth.glaciers) + 1))


def true_means(scene):
    return np.array([glacier.mean_dh_m for glacier in made(scene).truth.glaciers])


def test_the_table_is_whole():
    assert len(SCENES) >= 44
    assert len(SLOW_TEST_SCENES) == 12
    assert {scene.kind for scene in SLOW_TEST_SCENES} == set(KINDS)
    assert min(sum(scene.kind == kind for scene in SCENES) for kind in KINDS) >= 5
    assert len({scene.seed for scene in SCENES}) == len(SCENES)
    assert not any(scene.same_detail or not scene.noisy for scene in SCENES)


def test_the_table_stays_as_it_was_fixed():
    """Scenes may be added to; those that the published tables rest on are never changed."""
    fixed = hashlib.sha256(repr(SCENES[:66]).encode()).hexdigest()
    assert fixed == "3da192044a87fb9594bfbde766e5003a6855efe2dfa0da4e717d35bbbb646135"


def test_amplitudes_of_the_table_span_what_the_kinds_promise():
    def span(name, kind):
        values = [getattr(scene, name) for scene in SCENES if scene.kind == kind]
        return min(values), max(values)

    assert span("surge_m", "surges") == (25, 40)
    assert span("void_share", "voids") == pytest.approx((0.2, 0.6))
    assert span("snow_m", "snow") == (0.5, 2.0)
    assert span("undulation_m", "undulation") == (1, 3)
    assert span("penetration_m", "penetration") == (1, 4)
    assert span("kappa", "kappa_z") == pytest.approx((0.003, 0.01))
    together = [scene for scene in SCENES if scene.kind == "together"]
    for name in ("surge_m", "debris_m", "void_share", "blunder_share", "snow_m", "undulation_m", "tilt"):
        assert all(getattr(scene, name) > 0 for scene in together)
    assert "together" in HANDLED


def test_slopes_are_those_of_high_mountains_and_glaciers_are_smoother():
    slope, ice = later_slope(PLAIN), inner(made(PLAIN).ground.glaciers) > 0
    assert 20 <= np.median(slope) <= 25
    assert np.quantile(slope, 0.95) > 40
    heights = made(PLAIN.without_noise()).later_m
    roughness = np.abs(heights - ndimage.uniform_filter(heights, 5))
    assert np.median(slope[ice]) < 15
    assert np.median(roughness[ice]) < 0.25 * np.median(roughness[~ice])


def test_crests_are_sharper_than_valleys():
    heights = made(PLAIN.without_noise()).later_m
    curved = ndimage.laplace(heights)[inner(made(PLAIN).ground.glaciers) == 0]
    assert np.quantile(curved, 0.02) < -1.2 * np.quantile(curved, 0.98)


@pytest.mark.parametrize(("dem", "seconds"), [("earlier_m", 3), ("later_m", 1)])
def test_noise_grows_with_slope(dem, seconds):
    noise = noise_of(PLAIN, dem)
    slope = later_slope(PLAIN)[::seconds, ::seconds]
    gentle, steep = noise[slope < 10], noise[slope > 35]
    assert steep.std() > 1.5 * gentle.std()
    assert 0.3 < gentle.std() < 3


def test_noise_is_correlated_over_tenths_to_kilometres():
    noise = noise_of(PLAIN, "earlier_m")
    slope = later_slope(PLAIN)[::3, ::3]
    unit = noise / (1.6 + 3.6 * np.tan(np.radians(slope)))
    unit = unit - unit.mean()
    power = np.abs(np.fft.fft2(unit, [2 * size for size in unit.shape])) ** 2
    overlap = np.abs(np.fft.fft2(np.ones(unit.shape), [2 * size for size in unit.shape])) ** 2
    covariance = np.fft.ifft2(power).real[0] / np.fft.ifft2(overlap).real[0]
    correlation = covariance / covariance[0]
    cell = metres(PLAIN, 3)[1]
    assert correlation[1] > 0.6, "cells of 68 m are not independent"
    assert 0.1 < correlation[round(450 / cell)] < 0.45, "a part of some hundred metres"
    assert 0.02 < correlation[round(1200 / cell)] < 0.25, "a part of kilometres"


def test_bumps_have_variance_one_and_their_own_wavelength():
    draw = np.random.default_rng(3)
    field = bumps((600, 900), (20.0, 10.0), 400.0, draw)
    assert field.std() == pytest.approx(1, abs=0.08)
    # half a wavelength apart nearly nothing is left of the correlation, either way
    along = [np.corrcoef(field[:, :-lag].ravel(), field[:, lag:].ravel())[0, 1] for lag in (4, 40)]
    down = [np.corrcoef(field[:-lag].ravel(), field[lag:].ravel())[0, 1] for lag in (2, 20)]
    assert along[0] > 0.9
    assert abs(along[1]) < 0.25
    assert along == pytest.approx(down, abs=0.1)


def test_the_earlier_dem_is_an_average_and_the_later_one_sharp():
    later = made(PLAIN.without_noise()).later_m
    lost = later - unshifted(PLAIN.without_noise())
    stable = inner(made(PLAIN).ground.glaciers) == 0
    curved = ndimage.gaussian_laplace(later, 1)
    ridges, valleys = stable & (curved < np.quantile(curved, 0.05)), stable & (curved > np.quantile(curved, 0.95))
    assert lost[ridges].mean() > 3
    assert lost[valleys].mean() < -3
    assert abs(lost[stable].mean()) < 0.1


def test_the_twin_has_no_resolution_effect_and_the_same_earlier_dem():
    twin = PLAIN.twin()
    np.testing.assert_array_equal(made(twin).earlier_m, made(PLAIN).earlier_m)
    stable = inner(made(PLAIN).ground.glaciers) == 0
    effect = (made(PLAIN.without_noise()).later_m - unshifted(PLAIN.without_noise()))[stable]
    left = (made(twin.without_noise()).later_m - unshifted(twin.without_noise()))[stable]
    assert effect.std() > 4
    # what interpolation between cells of 90 m cannot restore is left: a tenth of the variance
    assert left.std() < 0.35 * effect.std()
    curved = ndimage.gaussian_laplace(made(twin.without_noise()).later_m, 1)[stable]
    assert abs(np.polyfit(curved, left, 1)[0]) < 0.2 * abs(np.polyfit(curved, effect, 1)[0])
    assert made(twin).truth == made(PLAIN).truth


def test_the_noise_of_the_twin_is_the_same():
    np.testing.assert_allclose(noise_of(PLAIN.twin(), "later_m"), noise_of(PLAIN, "later_m"), atol=1e-9)


@pytest.mark.parametrize("trouble", [{}, {"surge_m": 40.0}, {"debris_m": 7.0}])
def test_noise_free_twins_differ_by_the_truth(trouble):
    scene = variant(**trouble).twin().without_noise()
    found = over_glaciers(scene, made(scene).later_m - unshifted(scene))
    truth = true_means(scene)
    assert found == pytest.approx(truth, abs=0.4)
    areas = np.array([glacier.area_km2 for glacier in made(scene).truth.glaciers])
    assert ((found - truth) * areas).sum() / areas.sum() == pytest.approx(0, abs=0.06)
    assert made(scene).truth.mean_dh_m == pytest.approx((truth * areas).sum() / areas.sum())


def test_tongues_thin_and_tops_are_balanced():
    one = made(PLAIN)
    height, ice = one.ground.heights_within, one.ground.glaciers > 0
    change = one.change.true_m
    assert change[ice & (height < 0.25) & (one.ground.from_margin_m > 120)].mean() < -6
    assert abs(change[ice & (height > 0.85)].mean()) < 1.5
    assert not change[~ice].any()


def test_files_are_of_the_pairing(tmp_path):
    files = write_scene(variant(void_share=0.4), tmp_path / "scene")
    with rasterio.open(files.earlier) as earlier, rasterio.open(files.later) as later:
        assert earlier.dtypes == ("int16",)
        assert later.dtypes == ("float32",)
        assert earlier.crs.to_epsg() == later.crs.to_epsg() == 4326
        assert earlier.nodata == -32768
        assert earlier.transform.a == pytest.approx(3 * ARC_SECOND)
        assert later.transform.a == pytest.approx(ARC_SECOND)
        for dem, seconds in ((earlier, 3), (later, 1)):
            # centres of cells are whole multiples of their size, as posts of SRTM are
            middle = (dem.transform.c + dem.transform.a / 2) / (seconds * ARC_SECOND)
            assert middle == pytest.approx(round(middle), abs=1e-6)
        heights = earlier.read(1)
        assert (heights == -32768).mean() > 0.003
    outlines = gpd.read_file(files.outlines)
    assert list(outlines["glacier_id"]) == [glacier.glacier_id for glacier in files.truth.glaciers]
    area_km2 = outlines.to_crs("EPSG:32645").area / 1e6 / 0.9996**2
    assert area_km2.to_numpy() == pytest.approx([glacier.area_km2 for glacier in files.truth.glaciers], rel=0.02)
    assert outlines.is_valid.all()
    assert files.filled is None


def test_seeds_are_reproducible_and_differ(tmp_path):
    first, second = write_scene(PLAIN, tmp_path / "a"), write_scene(PLAIN, tmp_path / "b")
    for name in ("earlier", "later"):
        assert getattr(first, name).read_bytes() == getattr(second, name).read_bytes()
    assert first.truth == second.truth
    other = make_scene(replace(PLAIN, seed=8))
    assert abs(np.corrcoef(other.later_m.ravel(), made(PLAIN).later_m.ravel())[0, 1]) < 0.8
    assert other.truth.shift != first.truth.shift


def test_surges_raise_and_lower_the_chosen_tongues():
    one = made(variant("surges", surge_m=30.0))
    surged = [number for number, glacier in enumerate(one.truth.glaciers, 1) if glacier.surged]
    assert len(surged) == 3
    moved = one.change.true_m - made(PLAIN).change.true_m
    peaks = ndimage.maximum(moved, one.ground.glaciers, surged), ndimage.minimum(moved, one.ground.glaciers, surged)
    assert np.maximum(peaks[0], -peaks[1]) == pytest.approx(30)
    assert max(peaks[0]) > 20
    assert min(peaks[1]) < -20
    still = ~np.isin(one.ground.glaciers, surged)
    assert not moved[still].any()


def test_debris_makes_tongues_rough():
    scene = variant("debris", debris_m=6.0)
    # the larger half of the tongues' roughness at both dates
    rough = change_in("later_m", scene)
    one = made(scene)
    tongue = inner((one.ground.glaciers % 2 == 1) & (one.ground.heights_within < 0.4))
    assert 2.5 < rough[tongue].std() < 7
    assert np.abs(rough[inner(one.ground.glaciers) == 0]).mean() < 0.05
    assert np.abs(true_means(scene) - true_means(PLAIN)).max() < 2.5


def test_voids_lie_high_on_glaciers():
    one = made(variant("voids", void_share=0.6))
    void, glaciers = np.isnan(one.earlier_m), inner(one.ground.glaciers, 3)
    assert not void[glaciers == 0].any()
    shares = ndimage.mean(void, glaciers, np.unique(glaciers[glaciers > 0]))
    assert shares.min() > 0.08
    assert shares.max() < 0.63
    assert np.ptp(shares) > 0.2
    height = inner(one.ground.heights_within, 3)
    assert height[void].mean() > height[(glaciers > 0) & ~void].mean() + 0.2


def test_filled_voids_hold_a_later_surface(tmp_path):
    scene = variant("filled_voids", void_share=0.6, filled_voids=True)
    one = made(scene)
    np.testing.assert_array_equal(one.filled, np.isnan(made(variant("voids", void_share=0.6)).earlier_m))
    assert not np.isnan(one.earlier_m).any()
    quiet = change_in("earlier_m", scene)
    expected = inner(one.change.true_m, 3)[one.filled]
    # the shift moves the cells by half their size: the change where they are differs a little
    assert quiet[one.filled].mean() == pytest.approx(expected.mean(), abs=0.6)
    assert not quiet[~one.filled].any()
    files = write_scene(scene, tmp_path / "scene")
    with rasterio.open(files.filled) as mask:
        np.testing.assert_array_equal(mask.read(1) == 1, one.filled)


def test_blunders_hit_the_share_that_is_asked_for():
    wrong = change_in("earlier_m", variant("blunders", blunder_share=0.04))
    assert (wrong != 0).mean() == pytest.approx(0.04, abs=0.002)
    assert 25 < wrong[wrong != 0].std() < 50
    assert wrong[wrong != 0].mean() > 2
    assert (wrong[inner(made(PLAIN).ground.glaciers, 3) > 0] != 0).mean() > 0.01


def test_snow_lies_on_high_stable_ground_of_the_later_dem():
    scene = variant("snow", snow_m=1.5)
    snow, ground = change_in("later_m", scene), made(PLAIN).ground
    heights, stable = inner(ground.surface_m), inner(ground.glaciers) == 0
    high = stable & (heights > np.quantile(heights[stable], 0.93)) & (later_slope(PLAIN) < 25)
    assert snow[high].mean() == pytest.approx(1.5, abs=0.35)
    assert np.abs(snow[heights < np.quantile(heights[stable], 0.75)]).max() < 0.2
    assert not np.nan_to_num(change_in("earlier_m", scene)).any()
    assert made(scene).truth == made(PLAIN).truth


def test_the_earlier_track_undulates():
    wave = change_in("earlier_m", variant("undulation", undulation_m=2.0))
    assert 2.0 < np.abs(wave).max() < 2.7
    assert abs(wave.mean()) < 1
    assert np.abs(np.diff(wave, axis=1)).max() < 0.5


def test_the_tilt_is_a_plane_of_the_stated_slope():
    plane = change_in("earlier_m", variant("tilt", tilt=1e-4))
    north, east = np.gradient(plane, *metres(PLAIN, 3))
    assert np.hypot(north, east) == pytest.approx(1e-4, rel=2e-3)
    assert plane.mean() == pytest.approx(0, abs=1e-6)


def test_penetration_lowers_the_earlier_dem_on_glaciers_alone():
    scene = variant("penetration", penetration_m=3.0)
    lowered, one = change_in("earlier_m", scene), made(scene)
    glaciers, heights = inner(one.ground.glaciers, 3), inner(one.ground.surface_m, 3)
    firn = (glaciers > 0) & (heights > one.truth.firn_line_m + 60)
    ice = (glaciers > 0) & (heights < one.truth.firn_line_m - 60)
    # the shift and the point spread mix margins in: medians
    assert np.median(lowered[firn]) == pytest.approx(-3.0, abs=0.02)
    assert np.median(lowered[ice]) == pytest.approx(-0.75, abs=0.02)
    far = ndimage.distance_transform_edt(glaciers == 0) > 3
    assert np.abs(lowered[far]).max() < 1e-3
    stated = np.array(one.truth.stated_penetration_m) - [0.75, 3.0]
    assert np.abs(stated).max() < 4 * SIGMA_PENETRATION_M
    assert one.truth.mean_dh_m == made(PLAIN).truth.mean_dh_m


def test_kappa_adds_a_share_of_the_elevation():
    added = change_in("later_m", variant("kappa_z", kappa=0.005))
    np.testing.assert_allclose(added, 0.005 * made(PLAIN.without_noise()).later_m)


def test_metres_per_degree_agree_with_the_projection_library():
    grid = FineGrid(86.9, 43.7, (801, 801))
    middle = grid.west + grid.step * 400
    to_utm = Transformer.from_crs("EPSG:4326", "EPSG:32645", always_xy=True)
    low, high = (np.array(to_utm.transform(middle, grid.middle_latitude + side * grid.step)) for side in (0, 1))
    assert grid.metres[0] == pytest.approx((high - low)[1] / 0.9996, rel=1e-4)
    right = np.array(to_utm.transform(middle + grid.step, grid.middle_latitude))
    assert grid.metres[1] == pytest.approx((right - low)[0] / 0.9996, rel=1e-4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "plane"}, "'plane' is none of plain, surges"),
        ({"size_seconds": (541, 600)}, "not whole cells of 3 arc seconds"),
        ({"filled_voids": True}, "filled voids need a share of voids"),
    ],
)
def test_impossible_scenes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(PLAIN, **change)
