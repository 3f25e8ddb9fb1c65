"""A correction is kept where it helps and harms nothing, band by band."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.elevation_change.resolution.verdict import Paired, means_by_band, reason_against

PIXELS, PLACES = 60_000, 60


def paired(before, taken_off, elevation=None):
    draw = np.random.default_rng(4)
    heights = draw.uniform(3000, 4000, PIXELS) if elevation is None else elevation
    return Paired(
        before=before, after=before - taken_off, elevation=heights, place=np.arange(PIXELS) * PLACES // PIXELS
    )


@pytest.fixture
def rough():
    """An effect of spread 3 m and mean zero under noise of 4 m."""
    draw = np.random.default_rng(9)
    effect = draw.normal(0, 3, PIXELS)
    return effect + draw.normal(0, 4, PIXELS), effect


def test_an_effect_that_is_there_is_taken_off(rough):
    assert reason_against(paired(*rough)) is None


def test_noise_is_not(rough):
    before, _ = rough
    useless = np.random.default_rng(1).normal(0, 0.3, PIXELS)
    assert "spread" in str(reason_against(paired(before, useless)))


def test_a_mean_moved_away_from_zero_is_harm(rough):
    before, effect = rough
    assert "mean of stable terrain from" in str(reason_against(paired(before, effect + 0.5)))


def test_a_mean_brought_to_zero_is_none(rough):
    before, effect = rough
    assert reason_against(paired(before + 0.5, effect + 0.5)) is None


def test_one_band_is_enough(rough):
    before, effect = rough
    heights = np.random.default_rng(4).uniform(3000, 4000, PIXELS)
    # the mean of all stays: one band pays for the others
    moved = np.where(heights < 3200, 1.0, -0.25)
    told = str(reason_against(paired(before, effect + moved, heights)))
    assert "3000 to 3200 m" in told


def test_the_means_are_those_of_each_band(rough):
    before, effect = rough
    heights = np.where(np.arange(PIXELS) % 2 == 0, 3050.0, 3250.0)
    means = means_by_band(paired(before, effect, heights))
    assert [(band.lower_m, band.upper_m) for band in means[1:]] == [(3000, 3200), (3200, 3400)]
    assert means[1].before_m == pytest.approx(before[heights < 3200].mean())
    assert means[2].after_m == pytest.approx((before - effect)[heights > 3200].mean())
    assert means[0].sigma_paired_m == pytest.approx(effect.std() / PIXELS**0.5, rel=0.3)


@pytest.mark.parametrize("scale", [0.006, -0.006])
def test_a_scale_error_of_the_dems_does_not_speak_against_a_correction(rough, scale):
    """Between two DEMs of which one is longer, an effect that grows with height moves some band away from zero."""
    before, effect = rough
    heights = np.random.default_rng(4).uniform(3000, 4000, PIXELS)
    longer = scale * (heights - 3500)
    with_height = 0.0005 * (heights - 3500)
    assert reason_against(paired(before + with_height + longer, effect + with_height, heights)) is None


def test_a_correction_that_puts_a_scale_error_in_is_harm(rough):
    before, effect = rough
    heights = np.random.default_rng(4).uniform(3000, 4000, PIXELS)
    assert "m from" in str(reason_against(paired(before, effect + 0.006 * (heights - 3500), heights)))
