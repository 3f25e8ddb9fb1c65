"""Moving a DEM by fractions of a pixel, and what may be stable terrain: against independent reckonings."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.elevation_change.coregistration.survey import AlignedWindows, aligned_windows
from pipeline.elevation_change.pairing.dem_pair import MovableDem, interpolated, level_surface, taps_of
from pipeline.elevation_change.pairing.spread_windows import lattice_of
from pipeline.elevation_change.result import Shift
from tests.made.synthetic_pairs import PIXEL_M, array_pair, fractal

SHAPE = (40, 60)
WHOLE = (slice(0, SHAPE[0]), slice(0, SHAPE[1]))


@pytest.mark.parametrize("offset", [(0.3, -1.7), (2.0, 0.5), (0.0, 0.25), (-3.0, 4.0), (1e4, 0.0)])
def test_bilinear_against_an_independent_interpolation(offset):
    from scipy.ndimage import map_coordinates

    heights = fractal(SHAPE, seed=3)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]].astype(float)
    places = [rows + offset[0], columns + offset[1]]
    expected = map_coordinates(heights.astype(float), places, order=1, cval=np.nan)
    moved = interpolated(heights, *WHOLE, offset, cubic=False)
    inside = (places[0] >= 0) & (places[0] <= SHAPE[0] - 1) & (places[1] >= 0) & (places[1] <= SHAPE[1] - 1)
    assert (np.isfinite(moved) == inside).all()
    np.testing.assert_allclose(moved[inside], expected[inside], atol=2e-3)


@given(st.floats(-0.999, 0.999))
def test_cubic_convolution_reproduces_a_parabola(part):
    """Keys' kernel with a = -1/2 is exact for polynomials of second order, and its weights sum to one."""
    taps = taps_of(part, cubic=True)
    assert sum(weight for _, weight in taps) == pytest.approx(1)
    assert sum(weight * (3 + 2 * tap + 5 * tap**2) for tap, weight in taps) == pytest.approx(3 + 2 * part + 5 * part**2)


@settings(max_examples=25, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3), st.booleans(), st.integers(0, 30), st.integers(0, 50))
def test_a_rectangle_is_cut_from_the_whole(row, column, cubic, top, left):
    heights = fractal(SHAPE, seed=3)
    heights[10:12, 20:25] = np.nan
    whole = interpolated(heights, *WHOLE, (row, column), cubic=cubic)
    part = interpolated(heights, slice(top, top + 9), slice(left, left + 8), (row, column), cubic=cubic)
    np.testing.assert_array_equal(part, whole[top : top + 9, left : left + 8])


@pytest.mark.parametrize("cubic", [False, True])
@pytest.mark.parametrize("offset", [(0.4, 0.3), (-0.3, 0.45), (1.2, -2.4)])
def test_voids_keep_their_size(cubic, offset):
    heights = np.full(SHAPE, 2000.0, np.float32) + np.arange(SHAPE[1], dtype=np.float32)
    heights[15:20, 30:36] = np.nan
    moved = interpolated(heights, *WHOLE, offset, cubic=cubic)
    inner = moved[6:-6, 6:-6]
    assert np.isnan(inner).sum() == 30
    # the void is the nearest pixels' and nothing else
    row, column = round(15 - offset[0]), round(30 - offset[1])
    assert np.isnan(moved[row : row + 5, column : column + 6]).all()
    expected = 2000 + np.arange(SHAPE[1]) + offset[1]
    assert np.nanmax(np.abs(inner - expected[6:-6])) < (0.6 if cubic else 0.51)


def test_a_dem_moved_east_takes_its_heights_from_the_west():
    heights = fractal(SHAPE)
    dem = MovableDem(heights, (0.0, 0.0), PIXEL_M, cubic=False)
    moved = dem.moved(*WHOLE, Shift(2 * PIXEL_M, 3 * PIXEL_M, 5.0))
    np.testing.assert_allclose(moved[:-3, 2:], heights[3:, :-2] + 5)
    assert np.isnan(moved[-3:]).all()
    assert np.isnan(moved[:, :2]).all()


def test_a_dem_read_at_its_shift_is_not_moved_again():
    heights = fractal(SHAPE)
    dem = MovableDem(heights, (12.5, -3.0), PIXEL_M, cubic=True)
    np.testing.assert_array_equal(dem.moved(*WHOLE, Shift(12.5, -3.0, 0.0)), heights)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_level_surface_against_looking_at_every_window(seed):
    draw = np.random.default_rng(seed)
    heights = draw.integers(0, 2, (14, 17)).astype(np.float32)
    heights[3:9, 4:12] = 7
    heights[5, 6] = draw.choice([7.0, np.nan])
    expected = [[np.ptp(heights[row : row + 5, column : column + 5]) == 0 for column in range(13)] for row in range(10)]
    np.testing.assert_array_equal(level_surface(heights), expected)
    np.testing.assert_array_equal(level_surface(np.stack([heights, heights]))[1], expected)


@pytest.mark.parametrize("shift", [Shift(11.0, -4.0, 1.0), Shift(-75.0, 60.0, 0.0), Shift(250.0, 30.0, -2.0)])
def test_windows_of_the_moved_dem(shift, monkeypatch):
    from pipeline.blocks import threads

    monkeypatch.setattr("pipeline.elevation_change.pairing.spread_windows.MOST_PIXELS", 5_000)
    pair = array_pair(fractal((150, 210)), fractal((150, 210), seed=2))
    lattice = lattice_of(pair.shape)
    with threads(2) as runner:
        exact = aligned_windows(pair, lattice, shift, runner)
        windows = AlignedWindows(pair, lattice, runner)
        np.testing.assert_allclose(windows.at(Shift(0, 0, 0)), aligned_windows(pair, lattice, Shift(0, 0, 0), runner))
        quick = windows.at(shift)
    assert exact.shape == quick.shape
    assert (np.isfinite(exact) == np.isfinite(quick)).all()
    np.testing.assert_allclose(quick[np.isfinite(exact)], exact[np.isfinite(exact)], atol=2e-3)


@pytest.mark.parametrize("shape", [(3, 900), (40, 60), (999, 1001), (2000, 3000), (5000, 1200)])
def test_windows_lie_within_the_rim_and_apart(shape):
    lattice = lattice_of(shape)
    rows, columns = lattice.size
    for axis, corners, size in (
        (0, [band.top for band in lattice.bands], rows),
        (1, list(lattice.bands[0].lefts) if lattice.bands else [], columns),
    ):
        if corners:
            assert min(corners) >= 2
            assert max(corners) + size <= shape[axis] - 2
            assert all(later - earlier >= size for earlier, later in pairwise(corners))
    assert lattice.pixels <= 1_000_000
    assert lattice.pixels > 0.8 * min(1_000_000, (shape[0] - 4) * (shape[1] - 4))
