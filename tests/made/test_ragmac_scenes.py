"""The scenes of the inter-comparison are what they say: sizes, truths, dates, penetration."""

from __future__ import annotations

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import rasterio

from tests.made.ragmac_scenes import SENSORS, SITES, scene_of, write_ragmac

AREAS_KM2 = {"hintereisferner": (6, 12), "aletsch": (60, 110), "vestisen": (120, 260)}
SEEDS = (2, 3, 4)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """One scene of each site."""
    scenes = [scene_of(seed) for seed in SEEDS]
    return {scene.site.name: (scene, write_ragmac(scene, tmp_path_factory.mktemp(scene.name))) for scene in scenes}


@pytest.mark.parametrize("site", SITES, ids=lambda site: site.name)
def test_glaciers_have_the_sizes_of_their_models_and_small_neighbours(written, site):
    _, files = written[site.name]
    outlines = gpd.read_file(files.outlines).set_index("glacier_id")
    least, most = AREAS_KM2[site.name]
    areas = outlines.area / 1e6
    assert least < areas["R1"] < most
    assert len(areas) >= 3
    assert areas.drop("R1").max() < areas["R1"] / 10
    assert -25 < files.true_m < 0


def test_dems_lie_on_one_grid_of_at_most_250_pixels_and_hold_voids(written):
    for scene, files in written.values():
        for path in (files.earlier, files.later):
            with rasterio.open(path) as dem:
                assert max(dem.shape) <= 250
                assert dem.res == (scene.site.pixel_m, scene.site.pixel_m)
                assert 0 < np.mean(dem.read(1) == dem.nodata) < 0.4


def test_what_is_told_scatters_about_the_truth_as_its_sigma_says():
    """Dates over 300 scenes without making them: the lots alone."""
    shares = [scene_of(seed).sensor for seed in range(1, 301)]
    counts = np.array([shares.count(sensor) for sensor in SENSORS])
    assert counts == pytest.approx([135, 105, 60], abs=25)
    assert [scene_of(seed).site.name for seed in (1, 2, 3)] == ["aletsch", "vestisen", "hintereisferner"]


def test_a_radar_s_penetration_is_told_with_a_sigma_and_an_optical_pair_s_is_not(written):
    told = {scene.sensor: files for scene, files in written.values()}
    for sensor, files in told.items():
        corrections = files.settings.surface_corrections
        assert bool(corrections) == (sensor != "aster")
        assert files.untold.surface_corrections == ()
        for one in corrections:
            assert one.sigma_penetration_m > 0
    first, last = SITES[0].first, SITES[0].last
    assert (first, last) == (date(2010, 10, 8), date(2019, 9, 21))
    assert {files.settings.earlier_date for _, files in written.values()} == {site.first.isoformat() for site in SITES}
