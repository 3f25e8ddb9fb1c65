"""Whether two DEMs differ in the detail they resolve, told by spectra of pairs whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from pipeline.blocks import threads
from pipeline.elevation_change.resolution.detail import ResolvedDetail, resolved_detail
from pipeline.elevation_change.result import Shift
from tests.made.synthetic_pairs import array_pair, fractal

SHAPE = (300, 360)


def detail_of(reference, aligned, post_m=None):
    pair = replace(array_pair(reference, aligned), coarser_post_m=post_m)
    with threads(2) as runner:
        return resolved_detail(pair, Shift(0.0, 0.0, 0.0), runner)


def rough_ground():
    """Relief with detail down to two pixels, which the fractal alone does not have."""
    return fractal(SHAPE) + 5 * gaussian_filter(noise(10.0, 7), 0.7)


def noise(sigma, seed):
    return np.random.default_rng(seed).normal(0, sigma, SHAPE).astype(np.float32)


def test_a_smoothed_dem_lacks_detail_that_the_other_shows():
    ground = rough_ground()
    found = detail_of(ground, gaussian_filter(ground, 1.0))
    # a Gaussian of 1 pixel keeps exp(-2 pi^2 / L^2) of wavelength L: 0.11 at 3 pixels, 0.58 at 6
    assert 0.3 < found.aligned_keeps < 0.58
    assert found.coarser_lacks(aligned_is_finer=False)
    assert not found.coarser_lacks(aligned_is_finer=True)


def test_the_smoothed_dem_may_be_the_reference():
    ground = rough_ground()
    found = detail_of(gaussian_filter(ground, 1.0), ground)
    assert found.reference_keeps < 0.58
    assert found.aligned_keeps > 1


@pytest.mark.parametrize("sigma", [0.0, 1.0, 3.0])
def test_noise_is_no_detail(sigma):
    """Neither noise of one nor of both makes DEMs of the same ground differ in detail."""
    ground = rough_ground()
    found = detail_of(ground + noise(sigma, 1), ground + noise(sigma, 2))
    assert not found.coarser_lacks(aligned_is_finer=False)
    assert not found.coarser_lacks(aligned_is_finer=True)


@pytest.mark.parametrize(("own", "others"), [(1.0, 0.3), (0.3, 1.0), (3.0, 0.0)])
def test_noise_of_one_dem_is_not_detail_that_the_other_lacks(own, others):
    """Where the ground is smooth at these wavelengths, the noisier DEM shows more; none of it is in the other."""
    ground = fractal(SHAPE)
    found = detail_of(ground + noise(own, 1), ground + noise(others, 2))
    assert not found.coarser_lacks(aligned_is_finer=False)
    assert not found.coarser_lacks(aligned_is_finer=True)


def test_pixel_size_alone_is_no_detail():
    """Posts of 90 m that a smooth ground fills as well as those of 30 m."""
    smooth = gaussian_filter(fractal(SHAPE), 6.0)
    found = detail_of(smooth, smooth + noise(0.01, 3), post_m=90.0)
    assert not found.coarser_lacks(aligned_is_finer=False)


def test_without_tiles_a_difference_is_assumed():
    void = np.full(SHAPE, np.nan, np.float32)
    found = detail_of(void, void)
    assert not found.known
    assert found.coarser_lacks(aligned_is_finer=False)


def test_unknown_detail_is_told():
    assert not ResolvedDetail(kept=0.5, power=0.3, tiles=2).known
