"""The default chain on independent scenes of the dataset's own pairing: is the truth where the stated error says?

Bounds as the twelve scenes meet them; their seeds and amplitudes were fixed before the method was changed for them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from benchmarks.known_truth import SETTINGS, settings_with_input
from pipeline.elevation_change.chain import elevation_change
from tests.made.alpine_scenes import NEED_INPUT, SLOW_TEST_SCENES, write_scene

pytestmark = pytest.mark.slow

HANDLED = [scene for scene in SLOW_TEST_SCENES if scene.kind not in NEED_INPUT]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Result and truth of a scene, made and differenced once."""

    @cache
    def of(scene):
        files = write_scene(scene, tmp_path_factory.mktemp(scene.name))
        settings = settings_with_input(scene, files.truth) or SETTINGS
        found = elevation_change(files.earlier, files.later, settings, outlines=[files.outlines])
        return found, files.truth

    return of


def error_of(found, truth):
    return found.totals.mean_dh_m - truth.mean_dh_m


@pytest.mark.parametrize("scene", SLOW_TEST_SCENES, ids=lambda scene: scene.name)
def test_the_region_lies_within_two_sigma(measured, scene):
    """Penetration with its input; filled voids and a share of the elevation without any."""
    found, truth = measured(scene)
    assert abs(error_of(found, truth)) < 2 * found.totals.sigma_mean_dh_m


@pytest.mark.parametrize("scene", HANDLED, ids=lambda scene: scene.name)
def test_the_point_spread_is_taken_off_and_the_shift_comes_out(measured, scene):
    found, truth = measured(scene)
    assert found.resolution.method == "point_spread"
    assert found.resolution.coefficient == pytest.approx(0.9, abs=0.1)
    assert abs(found.shift_m.up - truth.shift.up) < 0.25
    assert np.hypot(found.shift_m.east - truth.shift.east, found.shift_m.north - truth.shift.north) < 0.4
    assert abs(found.after.mean_m) < 0.1


def test_regions_and_glaciers_together_are_unbiased_and_covered(measured):
    errors, scores = [], []
    for scene in HANDLED:
        found, truth = measured(scene)
        errors.append(error_of(found, truth))
        glaciers = found.tables["glaciers"].set_index("glacier_id")
        for glacier in truth.glaciers:
            row = glaciers.loc[glacier.glacier_id]
            scores.append((row["mean_dh_m"] - glacier.mean_dh_m) / row["sigma_mean_dh_m"])
    size = np.abs(scores)
    assert abs(np.mean(errors)) < 0.2
    assert 0.60 < np.mean(size < 1) < 0.76
    assert 0.91 < np.mean(size < 1.96) < 0.98
