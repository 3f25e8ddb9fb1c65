"""The resolution effect's three forms on planes, bowls and a ground that was really averaged."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import binary_dilation, correlate1d

from pipeline.elevation_change.resolution.bias_curve import curve_through
from pipeline.elevation_change.resolution.effects import (
    EffectRaster,
    MaximumCurvatureEffect,
    PointSpread,
    PointSpreadEffect,
    PrincipalCurvaturesEffect,
    finer_heights,
)
from pipeline.elevation_change.resolution.fitting import (
    StablePixels,
    choose_point_spread,
    fit_point_spread,
    fit_principal_curvatures,
    widest_rim,
)
from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.statistics import nmad
from tests.made.synthetic_pairs import array_pair

PIXEL_M = 30.0


def keys(distance):
    """Keys' cubic convolution, a = -0.5 (1981, eq. 4), written out here for itself."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


def plane(shape, east=0.3, north=-0.2):
    rows, columns = np.indices(shape)
    return (4000 + PIXEL_M * (east * columns - north * rows)).astype(np.float32)


@pytest.fixture(scope="module")
def ridged():
    """Ridged ground every 10 m, as averaged over pixels of 30 m, and averaged over 90 m and resampled to 30 m."""
    draw = np.random.default_rng(11)
    size = (720, 900)
    wave = np.hypot(np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None, :])
    wave[0, 0] = 1
    spectrum = (draw.normal(size=wave.shape) + 1j * draw.normal(size=wave.shape)) * wave**-1.9
    spectrum *= np.exp(-((wave * 6) ** 2))
    spectrum[0, 0] = 0
    ground = -np.abs(np.fft.irfft2(spectrum, size))
    ground *= 250 / ground.std()

    def averaged(width):
        weights = np.ones(width) / width
        return correlate1d(correlate1d(ground, weights, axis=0, mode="wrap"), weights, axis=1, mode="wrap")

    fine = averaged(3)[1::3, 1::3]
    coarse = averaged(9)[4::9, 4::9]
    row, column = ((np.arange(length) - 1) / 3 for length in fine.shape)

    def weights(places, count):
        return keys(np.abs(places[:, None] - np.arange(-2, count + 2)))

    padded = np.pad(coarse, 2, mode="wrap")
    resampled = weights(row, coarse.shape[0]) @ padded @ weights(column, coarse.shape[1]).T
    return fine.astype(np.float32), resampled.astype(np.float32)


def pixels_of(fine, coarse, rim):
    """All pixels but a frame, as one window."""
    window = fine[None]
    inside = np.ones((1, fine.shape[0] - 2 * rim, fine.shape[1] - 2 * rim), bool)
    difference = (fine - coarse)[rim:-rim, rim:-rim][None]
    north, east = np.gradient(fine, PIXEL_M)
    steep = (north**2 + east**2)[rim:-rim, rim:-rim][None]
    return StablePixels(
        heights=window, inside=inside, difference=difference[inside], tangent_squared=steep[inside], rim=rim
    )


@pytest.mark.parametrize("cubic", [True, False])
@pytest.mark.parametrize(("posts", "sigma"), [(3.0, 0.5), (3.0, 1.5), (1.0, 0.8), (1.5, 0.3)])
def test_a_point_spread_is_symmetric_weighs_one_and_leaves_a_plane(posts, sigma, cubic):
    spread = PointSpread.of(posts, sigma, cubic=cubic)
    assert spread.weights[0] + 2 * sum(spread.weights[1:]) == pytest.approx(1)
    lost = spread.lost(plane((60, 70)))
    assert lost.shape == (60 - 2 * spread.rim, 70 - 2 * spread.rim)
    assert np.abs(lost).max() < 2e-3


def test_the_point_spread_of_a_coarse_dem_has_the_variance_of_its_cell_and_its_gaussian():
    """Cubic convolution adds none of its own: it is exact for parabolas."""
    weights = np.array(PointSpread.of(3.0, 0.6, cubic=True).weights)
    variance = 2 * (weights * np.arange(weights.size) ** 2).sum()
    assert variance == pytest.approx(3.0**2 / 12 + 0.6**2, rel=0.02)


def test_a_bowl_loses_half_its_variance_times_its_bend():
    """z = b (x^2 + y^2) / 2 has the mean z + b s^2 under a spread of variance s^2 in each direction."""
    rows, columns = np.indices((80, 80)) - 40.0
    bend = 0.02
    spread = PointSpread.of(1.0, 1.2, cubic=True)
    weights = np.array(spread.weights)
    variance = 2 * (weights * np.arange(weights.size) ** 2).sum()
    lost = spread.lost((bend / 2 * (rows**2 + columns**2)).astype(np.float32))
    np.testing.assert_allclose(lost, -bend * variance, rtol=1e-3)


def test_the_point_spread_takes_nothing_off_on_average(ridged):
    """On ground that goes round, heights minus their mean have the mean zero."""
    fine, _ = ridged
    spread = PointSpread.of(3.0, 0.5, cubic=True)
    around = np.pad(fine, spread.rim, mode="wrap")
    assert abs(spread.lost(around).mean(dtype=np.float64)) < 1e-4


def test_at_the_edge_and_at_voids_what_is_known_counts_and_a_plane_loses_nothing(ridged):
    """Left out, the effect stood in a rim of nine pixels around every edge and void as if it were noise."""
    fine, _ = ridged
    spread = PointSpread.of(3.0, 0.5, cubic=True)
    whole = spread.lost(fine)
    # the frame, a void of some pixels, and single ones
    holed, tilted = fine.copy(), plane(fine.shape)
    for void in (np.s_[:, : spread.rim], np.s_[40:46, 30:50], np.s_[70, 70]):
        holed[void] = tilted[void] = np.nan
    lost = spread.lost(holed)
    own = np.isnan(holed[spread.rim : -spread.rim, spread.rim : -spread.rim])
    np.testing.assert_array_equal(np.isnan(lost), own)
    assert np.nanmax(np.abs(spread.lost(tilted))) < 2e-3
    inner = np.s_[spread.rim : -spread.rim, spread.rim : -spread.rim]
    near = binary_dilation(np.isnan(holed), np.ones((3, 3)), spread.rim)[inner]
    near &= ~own
    assert near.sum() > 1000
    assert np.std((lost - whole)[near]) < 0.4 * np.std(whole[near])
    np.testing.assert_allclose(lost[~near & ~own], whole[~near & ~own], atol=1e-4)


def test_no_value_depends_on_how_the_raster_is_cut(ridged):
    fine, coarse = ridged
    pair = array_pair(fine, coarse)
    raster = EffectRaster(PointSpreadEffect(PointSpread.of(3.0, 0.5, cubic=True), 0.9), pair, Shift(0, 0, 0))
    whole = raster[slice(0, fine.shape[0]), slice(0, fine.shape[1])]
    parts = [raster[slice(top, min(top + 37, fine.shape[0])), slice(0, fine.shape[1])] for top in range(0, 240, 37)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_beyond_the_grid_and_beside_voids_nothing_is_taken_off():
    heights = plane((50, 60))
    heights[25, 30] = np.nan
    pair = array_pair(heights, heights)
    wide = finer_heights(pair, (slice(0, 10), slice(50, 60)), Shift(0, 0, 0), 4)
    assert wide.shape == (18, 18)
    assert np.isnan(wide[:4]).all()
    assert np.isnan(wide[:, -4:]).all()
    effect = EffectRaster(PointSpreadEffect(PointSpread.of(1.0, 1.0, cubic=True), 5.0), pair, Shift(0, 0, 0))
    assert np.abs(effect[slice(0, 50), slice(0, 60)]).max() < 0.01


def test_both_curves_are_zero_on_a_plane_and_the_end_values_hold():
    effect = PrincipalCurvaturesEffect(
        curve_through(np.array([-2.0, 0.0, 2.0]), np.array([-1.0, 0.0, 3.0])),
        curve_through(np.array([-4.0, 0.0, 1.0]), np.array([-5.0, 0.0, 1.0])),
        PIXEL_M,
    )
    assert np.abs(effect.on(plane((9, 9)))).max() < 0.01
    rows, columns = np.indices((9, 9)) - 4.0
    dome = (-50 * (rows**2 + columns**2)).astype(np.float32)  # both curvatures far beyond the knots
    assert effect.on(dome) == pytest.approx(4.0)


def test_maximum_curvature_takes_off_what_its_curve_says():
    effect = MaximumCurvatureEffect(curve_through(np.array([-1.0, 1.0]), np.array([-2.0, 2.0])), PIXEL_M)
    columns = np.indices((9, 9))[1] - 4.0
    ridge = (-0.5 * PIXEL_M * 0.15 * columns**2).astype(np.float32)
    # z'' = -0.15 / 30 per m: a curvature of 0.5 in the unit of the curves, 100 [-(D + E) + ...] = 100 z''
    assert effect.on(ridge)[4, 4] == pytest.approx(2 * 0.5, abs=0.01)


def test_averaging_is_found_and_taken_off_by_the_point_spread(ridged):
    """Really averaged to 90 m and resampled by cubic convolution: coefficient near one, little left, no mean moved."""
    fine, coarse = ridged
    pixels = pixels_of(fine, coarse, widest_rim(3.0, cubic=True))
    spread = choose_point_spread(pixels, 3.0, cubic=True)
    fit = fit_point_spread(pixels, spread)
    assert fit.effect.coefficient == pytest.approx(1, abs=0.12)
    before, after = pixels.difference, pixels.difference - pixels.of(fit.effect) - fit.vertical_m
    assert nmad(after) < 0.4 * nmad(before)
    assert abs(after.mean()) < 0.05 * before.std()


def test_minimum_curvature_completes_the_maximum(ridged):
    """Both together leave less than maximum curvature alone, and take nothing off a plane."""
    fine, coarse = ridged
    pixels = pixels_of(fine, coarse, widest_rim(3.0, cubic=True))
    fit = fit_principal_curvatures(pixels, PIXEL_M)
    both = pixels.difference - pixels.of(fit.effect) - fit.vertical_m
    maximum = pixels.curvatures(PIXEL_M)[0]
    order = np.array_split(np.argsort(maximum), 40)
    alone = np.interp(maximum, [np.median(maximum[g]) for g in order], [np.median(pixels.difference[g]) for g in order])
    assert nmad(both) < 0.8 * nmad(pixels.difference - alone)
    assert np.abs(fit.effect.on(plane((20, 20)))).max() < 0.05


def test_noise_alone_has_next_to_no_effect(ridged):
    fine, _ = ridged
    noisy = fine + np.random.default_rng(3).normal(0, 2, fine.shape).astype(np.float32)
    pixels = pixels_of(fine, noisy, widest_rim(3.0, cubic=True))
    fit = fit_point_spread(pixels, PointSpread.of(3.0, 0.5, cubic=True))
    assert abs(fit.effect.coefficient) < 0.02
