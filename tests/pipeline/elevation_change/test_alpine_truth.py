"""The default chain on independent scenes of the dataset's own pairing: is the truth where the stated error says?

Bounds as the twelve scenes meet them; their seeds and amplitudes were fixed before the method was changed for them.
"""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import rasterio
from pyproj import Geod

from benchmarks.known_truth import SETTINGS, settings_with_input
from pipeline.elevation_change.chain import elevation_change
from tests.made.alpine_scenes import NEED_INPUT, SLOW_TEST_SCENES, write_scene
from tests.made.once import made_once

pytestmark = pytest.mark.slow

HANDLED = [scene for scene in SLOW_TEST_SCENES if scene.kind not in NEED_INPUT]


@pytest.fixture(scope="module")
def measured():
    """Result without its rasters, truth, and median slope of a scene, made and differenced once a test run."""

    @cache
    def of(scene):
        folder = made_once(f"alpine-{scene.name}", lambda draft: measure(scene, draft))
        return pickle.loads((folder / "measured.pickle").read_bytes())  # noqa: S301 - this run wrote it

    return of


def measure(scene, folder: Path) -> None:
    files = write_scene(scene, folder)
    settings = settings_with_input(scene, files.truth) or SETTINGS
    found = elevation_change(files.earlier, files.later, settings, outlines=[files.outlines])
    facts = {name: getattr(found, name) for name in ("totals", "shift_m", "resolution", "after", "tables")}
    told = SimpleNamespace(**facts), files.truth, median_slope_deg(files.later)
    (folder / "measured.pickle").write_bytes(pickle.dumps(told))
    for path in (files.earlier, files.later):
        path.unlink()


def median_slope_deg(dem: Path) -> float:
    with rasterio.open(dem) as raster:
        heights, (west, south, east, north) = raster.read(1), raster.bounds
    middle = (south + north) / 2
    across, along = (
        Geod(ellps="WGS84").inv(*ends)[2] for ends in ((west, middle, east, middle), (west, south, west, north))
    )
    down, right = np.gradient(heights, along / heights.shape[0], across / heights.shape[1])
    return float(np.median(np.degrees(np.arctan(np.hypot(down, right)))))


def error_of(found, truth):
    return found.totals.mean_dh_m - truth.mean_dh_m


@pytest.mark.parametrize("scene", SLOW_TEST_SCENES, ids=lambda scene: scene.name)
def test_the_scene_has_glaciers_of_many_sizes_among_high_mountains(measured, scene):
    _, truth, slope_deg = measured(scene)
    areas = [glacier.area_km2 for glacier in truth.glaciers]
    assert len(areas) >= 16
    assert max(areas) > 8 * min(areas)
    assert 20 <= slope_deg <= 25


@pytest.mark.parametrize("scene", SLOW_TEST_SCENES, ids=lambda scene: scene.name)
def test_the_region_lies_within_two_sigma(measured, scene):
    """Penetration with its input, a share of the elevation removed; filled voids without any input."""
    found, truth, _ = measured(scene)
    assert abs(error_of(found, truth)) < 2 * found.totals.sigma_mean_dh_m


@pytest.mark.parametrize("scene", HANDLED, ids=lambda scene: scene.name)
def test_the_point_spread_is_taken_off_and_the_shift_comes_out(measured, scene):
    found, truth, _ = measured(scene)
    assert found.resolution.method == "point_spread"
    # the wider the Gaussian that fits best, the smaller its coefficient: 15 m with 0.86, 22 m with 0.79
    assert found.resolution.coefficient == pytest.approx(0.9, abs=0.15)
    assert abs(found.shift_m.up - truth.shift.up) < 0.25
    assert np.hypot(found.shift_m.east - truth.shift.east, found.shift_m.north - truth.shift.north) < 0.4
    assert abs(found.after.mean_m) < 0.1


def test_regions_and_glaciers_together_are_unbiased_and_covered(measured):
    errors, scores = [], []
    for scene in HANDLED:
        found, truth, _ = measured(scene)
        errors.append(error_of(found, truth))
        glaciers = found.tables["glaciers"].set_index("glacier_id")
        for glacier in truth.glaciers:
            row = glaciers.loc[glacier.glacier_id]
            scores.append((row["mean_dh_m"] - glacier.mean_dh_m) / row["sigma_mean_dh_m"])
    size = np.abs(scores)
    assert abs(np.mean(errors)) < 0.2
    assert 0.60 < np.mean(size < 1) < 0.76
    assert 0.91 < np.mean(size < 1.96) < 0.98
