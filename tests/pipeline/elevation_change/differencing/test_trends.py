"""Tilt, share of the elevation and waves: found in correlated noise, told apart, and taken off on request."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pipeline.elevation_change.differencing.trends import Ground, fitted_trends
from pipeline.elevation_change.differencing.undulation import waves_in
from schemas.settings import ElevationChangeSettings

SHAPE, CELL_M = (270, 340), 90.0
PLAIN = ElevationChangeSettings()


def smooth(draw, length_m):
    """A field of about this wavelength, mean 0, variance 1."""
    field = gaussian_filter(draw.normal(size=SHAPE), length_m / CELL_M / 4, mode="wrap")
    return (field - field.mean()) / field.std()


def scene(seed, *, tilt=(0.0, 0.0), scale=0.0, waves=(), snow_m=0.0):
    """Differences of stable terrain on a hilly ground: (difference, ground, places)."""
    draw = np.random.default_rng(seed)
    row, column = np.mgrid[: SHAPE[0], : SHAPE[1]]
    east, north = CELL_M * (column - SHAPE[1] / 2), CELL_M * (SHAPE[0] / 2 - row)
    height = 3500 + 350 * smooth(draw, 8000) + 120 * smooth(draw, 1500)
    rough = 1.5 + np.abs(smooth(draw, 5000))
    noise = rough * (0.9 * smooth(draw, 300) + 0.35 * smooth(draw, 900) + 0.2 * smooth(draw, 3000))
    values = noise + tilt[0] * east + tilt[1] * north + scale * height
    for amplitude, length, azimuth in waves:
        along = east * np.sin(np.radians(azimuth)) + north * np.cos(np.radians(azimuth))
        values = values + amplitude * np.sin(2 * np.pi * along / length + 0.7)
    values = values + snow_m * np.clip((height - np.quantile(height, 0.8)) / 100, 0, 1)
    stable = smooth(draw, 4000) > -0.6
    place = (row // 33) * 100 + column // 33
    values -= np.median(values[stable])
    ground = Ground(east[stable], north[stable], height[stable])
    return values[stable].astype(np.float32), ground, place[stable]


@pytest.mark.parametrize(("amplitude", "length", "azimuth"), [(1.0, 7000.0, 35.0), (3.0, 13_000.0, 55.0)])
def test_waves_are_found_with_their_errors(amplitude, length, azimuth):
    difference, ground, _ = scene(4, waves=[(amplitude, length, azimuth), (amplitude / 3, 3300.0, azimuth)])
    first, second = waves_in(difference, ground.east_m, ground.north_m)
    for found, true in ((first, (amplitude, length)), (second, (amplitude / 3, 3300.0))):
        assert abs(found.wave.amplitude_m - true[0]) < 3 * found.sigma_amplitude_m
        assert abs(found.wave.wavelength_m - true[1]) < 3 * found.sigma_wavelength_m
        assert found.wave.azimuth_deg == pytest.approx(azimuth, abs=3)
    assert 0 < first.sigma_amplitude_m < 0.2
    assert 0 < first.sigma_wavelength_m < 0.05 * length


@pytest.mark.parametrize("seed", [1, 2, 3, 5])
def test_noise_alone_has_neither_waves_nor_a_scale(seed):
    trends = fitted_trends(*scene(seed), PLAIN)
    assert trends.waves == ()
    assert not trends.scale.stands_out
    assert trends.taken_off is None


def test_an_area_smaller_than_any_wave_has_none():
    small = np.arange(40.0) * 10
    assert waves_in(np.sin(small), small, small[::-1].copy()) == ()
    assert waves_in(np.empty(0), np.empty(0), np.empty(0)) == ()


@pytest.mark.parametrize("scale", [0.003, -0.01])
def test_a_share_of_the_elevation_is_told_from_a_tilt(scale):
    trends = fitted_trends(*scene(6, scale=scale, tilt=(8e-5, -5e-5)), PLAIN)
    assert trends.scale.stands_out
    assert abs(trends.scale.value - scale) < 3 * trends.scale.sigma
    assert trends.whole.east == pytest.approx(8e-5, abs=2e-5)
    assert trends.whole.north == pytest.approx(-5e-5, abs=2e-5)
    assert trends.scale_explains > 0.05


def test_snow_on_high_ground_is_no_scale_error():
    trends = fitted_trends(*scene(7, snow_m=2.0), PLAIN)
    assert trends.scale.value > 3 * trends.scale.sigma  # it does grow with elevation
    assert not trends.scale.stands_out


@pytest.mark.parametrize(
    "setting", ["correct_tilt", "correct_elevation_scale", "correct_undulation"], ids=["tilt", "scale", "waves"]
)
def test_only_what_is_asked_for_is_taken_off_and_the_mean_with_it(setting):
    waves = [(2.0, 9000.0, 40.0)]
    difference, ground, place = scene(8, tilt=(1e-4, 6e-5), scale=0.006, waves=waves)
    # stable terrain in the western half alone
    west = ground.east_m < 0
    difference, ground, place = difference[west], ground[west], place[west]
    settings = ElevationChangeSettings(**{setting: True})
    taken = fitted_trends(difference, ground, place, settings).taken_off
    assert (taken.east != 0, taken.scale != 0, bool(taken.waves)) == (
        setting == "correct_tilt", setting == "correct_elevation_scale", setting == "correct_undulation"
    )  # fmt: skip
    left = difference - taken.at(ground)
    inner = np.abs(left - np.median(left)) < 4 * 1.4826 * np.median(np.abs(left - np.median(left)))
    assert abs(left[inner].mean()) < 0.05
    assert left.std() < difference.std()
