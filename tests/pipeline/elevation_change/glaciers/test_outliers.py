"""Blunders on glaciers: isolated ones go with their rims, coherent change stays, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.blocks import Scratch, StoredArray
from pipeline.elevation_change.differencing.layers import ErrorLayers, Layers
from pipeline.elevation_change.glaciers.outliers import (
    NO_OUTLIERS,
    GlacierOutliers,
    set_outliers_aside,
    spread_of_bands,
    stands_apart,
)
from pipeline.elevation_change.pairing.dem_pair import ON_GLACIER, UNSUITABLE
from pipeline.elevation_change.report import notes_on_outliers
from pipeline.elevation_change.result import GLACIER, STABLE, VOID
from pipeline.resources import Resources, open_resources

SHAPE = (130, 170)
ICE = (slice(10, 120), slice(15, 150))
NOISE_M = 1.5
HEIGHT = np.tile(np.linspace(4300, 3500, SHAPE[0], dtype=np.float32)[:, None], (1, SHAPE[1]))


def noisy_glacier(seed=3):
    """Change that falls from -2 m high up to -30 m at the tongue, with noise."""
    change = np.tile(np.linspace(-2, -30, SHAPE[0])[:, None], (1, SHAPE[1]))
    return (change + np.random.default_rng(seed).normal(0, NOISE_M, SHAPE)).astype(np.float32)


def glaciers():
    mask = np.full(SHAPE, UNSUITABLE, np.uint8)
    mask[ICE] |= ON_GLACIER
    return mask


def layers_of(dh, scratch=None):
    dh = np.asarray(dh, np.float32)
    sigma = np.where(np.isnan(dh), np.nan, np.float32(NOISE_M)).astype(np.float32)
    classes = np.where(np.isnan(dh), VOID, np.where(glaciers() & ON_GLACIER, GLACIER, STABLE)).astype(np.uint8)
    if scratch is None:
        return Layers(dh.copy(), ErrorLayers(classes, sigma, dh * np.nan))
    stored = [scratch.array(SHAPE, values.dtype) for values in (dh, classes, sigma)]
    for target, values in zip(stored, (dh, classes, sigma), strict=True):
        target[slice(0, SHAPE[0]), slice(0, SHAPE[1])] = values
    return Layers(stored[0], ErrorLayers(stored[1], stored[2], stored[0]))


def aside(dh, post=1, limit=5.0, block_pixels=None):
    """The layers afterwards, and what was found."""
    layers = layers_of(dh)
    with open_resources() as resources:
        some = Resources(resources.runner, Scratch(), block_pixels or resources.block_pixels)
        found = set_outliers_aside(layers, HEIGHT, glaciers(), post, limit, some)
    return layers, found


def test_isolated_blunders_become_voids_in_every_layer_and_nothing_else_does():
    dh = noisy_glacier()
    for row, column, off in ((30, 40, 40), (31, 90, -35), (80, 60, 25), (10, 15, 50), (119, 149, -60)):
        dh[row, column] += off
    layers, found = aside(dh)
    rows, columns = np.nonzero(np.isnan(layers.dh))
    blunders = {(30, 40), (31, 90), (80, 60), (10, 15), (119, 149)}
    assert blunders <= set(zip(rows.tolist(), columns.tolist(), strict=True))
    # beside a blunder a fifth of the limit is enough: about a tenth of the eight pixels about it goes with it
    assert found.count == rows.size <= len(blunders) + 10
    assert found.measured == 110 * 135
    assert (layers.error.classification[rows, columns] == VOID).all()
    assert np.isnan(layers.error.sigma[rows, columns]).all()
    kept = ~np.isnan(layers.dh)
    np.testing.assert_array_equal(layers.dh[kept], dh[kept])
    assert (layers.error.classification[kept] != VOID).all()


def test_noise_alone_loses_next_to_nothing():
    layers, found = aside(noisy_glacier())
    assert found.count <= 1  # of 14 850 pixels; 5.7 standard deviations from the middle of their surroundings
    assert np.isnan(layers.dh).sum() == found.count


def test_a_coherent_tongue_that_thins_by_60_m_survives_where_the_limit_about_the_band_would_take_it():
    dh = noisy_glacier()
    tongue = (slice(60, 100), slice(70, 90))
    dh[tongue] -= 60
    dh[80, 80] += 45  # a blunder on the tongue itself
    layers, _ = aside(dh)
    void = np.isnan(layers.dh)
    assert void[80, 80]
    void[79:82, 79:82] = False
    assert not void[ICE].any()
    # the oracle: one tongue in a row of ordinary ones is far beyond 5 NMAD of its elevation band
    band = dh[70:80, 15:150]
    spread = 1.4826 * np.median(np.abs(band - np.median(band)))
    assert (np.abs(band - np.median(band)) > 5 * spread).mean() > 0.1


@pytest.mark.parametrize("width", [5, 8])
def test_the_corners_of_a_patch_with_sharp_edges_stay(width):
    dh = noisy_glacier()
    dh[50 : 50 + width, 60 : 60 + width] += 40
    layers, _ = aside(dh)
    assert not np.isnan(layers.dh[ICE]).any()


def test_a_blunder_of_a_coarse_post_goes_whole():
    """Three pixels to a post: one bad post is a square of 3 x 3 pixels, or a pyramid of 5 x 5 once interpolated."""
    square, pyramid = noisy_glacier(), noisy_glacier()
    square[60:63, 70:73] += 60
    rise = 1 - np.abs(np.arange(-2, 3)) / 3
    pyramid[60:65, 70:75] += (60 * rise[:, None] * rise[None, :]).astype(np.float32)
    void = np.isnan(aside(square, post=3)[0].dh)
    assert void[60:63, 70:73].all()
    void[57:66, 67:76] = False
    assert not void.any()
    assert np.isnan(aside(pyramid, post=3)[0].dh)[60:65, 70:75].sum() >= 23
    # of posts as fine as the pixels it would be nine that agree
    assert not np.isnan(aside(square, post=1)[0].dh)[60:63, 70:73].any()


def test_the_rim_of_a_resampled_blunder_goes_with_it():
    dh = noisy_glacier()
    dh[40:42, 50:52] += np.float32([[40, 6], [6, 1]])
    void = np.isnan(aside(dh)[0].dh)
    assert void[40, 50]
    assert void[40, 51]
    alone = noisy_glacier()
    alone[40, 51] += 6
    assert not np.isnan(aside(alone)[0].dh)[40, 51]


@pytest.mark.parametrize("pixels", [8 * SHAPE[1], 9 * SHAPE[1], 23 * SHAPE[1]])
def test_any_size_of_block_and_rasters_in_files_find_the_same(pixels):
    dh = noisy_glacier()
    draw = np.random.default_rng(8)
    hit = draw.random(SHAPE) < 0.05
    dh[hit] += draw.normal(10, 40, int(hit.sum())).astype(np.float32)
    dh[50:53, 60:70] = np.nan
    whole, found = aside(dh, post=2)
    assert 300 < found.count < 1500
    scratch = Scratch()
    layers = layers_of(dh, scratch)
    assert isinstance(layers.dh, StoredArray)
    with open_resources(workers=3) as resources:
        few = Resources(resources.runner, scratch, pixels)
        again = set_outliers_aside(layers, HEIGHT, glaciers(), 2, 5.0, few)
    np.testing.assert_array_equal(again.place, found.place)
    assert again.measured == found.measured
    np.testing.assert_array_equal(np.asarray(layers.dh), whole.dh)
    np.testing.assert_array_equal(np.asarray(layers.error.classification), whole.error.classification)


def test_blunders_off_the_glaciers_are_none_of_this_step():
    dh = noisy_glacier()
    dh[5, 5] += 80
    layers, found = aside(dh)
    assert not np.isnan(layers.dh[5, 5])
    assert found.count_among(np.array([5]), np.array([5])) == 0


def test_a_limit_of_zero_keeps_all():
    dh = noisy_glacier()
    dh[30, 40] += 400
    layers, found = aside(dh, limit=0.0)
    assert found is NO_OUTLIERS
    np.testing.assert_array_equal(layers.dh, dh)


def test_a_rough_band_has_a_wider_limit_than_a_smooth_one():
    dh = noisy_glacier()
    draw = np.random.default_rng(1)
    rough = HEIGHT > 4000
    dh[rough] += draw.normal(0, 8, int(rough.sum())).astype(np.float32)
    off_m = 25.0
    dh[30, 40] += off_m  # 4200 m, rough
    dh[100, 40] += off_m  # 3700 m, smooth
    void = np.isnan(aside(dh)[0].dh)
    assert not void[30, 40]
    assert void[100, 40]


def test_spread_is_that_of_the_noise_and_thin_bands_take_that_of_all():
    counts = np.zeros((110, 700), np.int64)
    draw = np.random.default_rng(5)
    difference = np.abs(draw.normal(0, 2 * np.sqrt(2), 50_000))
    place = (np.log(difference.clip(1e-3) / 1e-3) / np.log(1.02)).astype(int)
    counts[40] = np.bincount(place, minlength=700)
    counts[41, 10] = 3
    spread = spread_of_bands(counts)
    assert spread[40] == pytest.approx(2.0, rel=0.03)
    assert spread[41] == pytest.approx(spread[40], rel=0.03)


def test_a_pixel_with_too_few_neighbours_is_not_judged():
    dh = np.full((9, 9), np.nan, np.float32)
    dh[4, 2:7] = [0, 0, 90, 0, 0]
    judged = (np.array([4]), np.array([4]), np.array([5.0]))
    assert not stands_apart(dh, *judged, 1)[0]
    dh[3, 3:5] = 0
    assert stands_apart(dh, *judged, 1)[0]


def test_places_are_counted_among_the_pixels_of_a_glacier():
    found = GlacierOutliers(np.array([12, 25, 26, 47]), 10, 99)
    row, column = np.divmod(np.array([11, 12, 13, 26, 40, 47, 48]), 10)
    assert found.count_among(row, column) == 3
    assert found.count_among(row[:1], column[:1]) == 0
    assert NO_OUTLIERS.count_among(row, column) == 0


def test_the_run_tells_how_many_were_set_aside():
    (note,) = notes_on_outliers(GlacierOutliers(np.array([12, 25, 26]), 10, 99))
    assert note.startswith("3 of 99 measured glacier pixels stand apart from the change around them")
    assert notes_on_outliers(NO_OUTLIERS) == ()
