"""Slope, aspect and maximum curvature on surfaces whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.elevation_change.terrain import (
    aspect_deg,
    gradient,
    inner_gradient,
    inner_maximum_curvature,
    maximum_curvature,
    slope_deg,
)

PIXEL_M = 25.0


def surface(function, shape=(9, 13)):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    east, north = columns * PIXEL_M, -rows * PIXEL_M
    return function(east - east.mean(), north - north.mean())


@pytest.mark.parametrize(
    ("east", "north", "aspect"),
    [(0.3, 0.0, 270), (-0.3, 0.0, 90), (0.0, 0.2, 180), (0.0, -0.2, 0), (0.1, 0.1, 225), (-0.1, 0.1, 135)],
)
def test_planes(east, north, aspect):
    """Aspect is where the water runs: a plane that rises to the east faces west."""
    slopes = gradient(surface(lambda x, y: 2000 + east * x + north * y), PIXEL_M)
    inner = (slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(slopes[0][inner], east, atol=1e-12)
    np.testing.assert_allclose(slopes[1][inner], north, atol=1e-12)
    np.testing.assert_allclose(slope_deg(*slopes)[inner], np.degrees(np.arctan(np.hypot(east, north))))
    difference = (aspect_deg(*slopes)[inner] - aspect + 180) % 360 - 180
    np.testing.assert_allclose(difference, 0, atol=1e-9)


@pytest.mark.parametrize(("a", "b", "c"), [(-2e-3, -1e-3, 0.0), (1e-3, -1e-3, 5e-4), (1e-3, 2e-3, -7e-4)])
def test_maximum_curvature_is_the_hessians_eigenvalue(a, b, c):
    """On z = a x2 + b y2 + c x y the answer is minus the least eigenvalue of [[2a, c], [c, 2b]], times 100."""
    curvature = maximum_curvature(surface(lambda x, y: a * x**2 + b * y**2 + c * x * y), PIXEL_M)
    expected = -100 * np.linalg.eigvalsh([[2 * a, c], [c, 2 * b]])[0]
    np.testing.assert_allclose(curvature[1:-1, 1:-1], expected, rtol=1e-9)
    assert np.isnan(curvature[0]).all()


def test_a_ridge_is_convex_and_a_plane_is_not_curved():
    ridge = maximum_curvature(surface(lambda x, y: -np.abs(x)), PIXEL_M)
    assert ridge[4, 6] == pytest.approx(100 * 2 / PIXEL_M)
    assert maximum_curvature(surface(lambda x, y: 0.4 * x), PIXEL_M)[4, 6] == pytest.approx(0, abs=1e-9)


def test_voids_stay_among_their_neighbours():
    heights = surface(lambda x, y: 0.1 * x)
    heights[4, 6] = np.nan
    assert np.isnan(gradient(heights, PIXEL_M)[0][1:-1, 1:-1]).sum() == 4
    assert np.isnan(maximum_curvature(heights, PIXEL_M)[1:-1, 1:-1]).sum() == 9


def mountains(dtype, shape=(40, 57)):
    """Rough ground at five thousand metres, where float32 has a step of half a millimetre."""
    draw = np.random.default_rng(4)
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    smooth = 900 * np.sin(columns / 9) * np.cos(rows / 7)
    return (5000 + smooth + draw.normal(size=shape) * 3).astype(dtype)


def test_float32_stays_float32_and_loses_nothing_that_matters():
    exact, single = mountains(np.float64), mountains(np.float32)
    slopes = gradient(single, 30.0)
    assert {part.dtype for part in (*slopes, slope_deg(*slopes), aspect_deg(*slopes))} == {np.dtype(np.float32)}
    np.testing.assert_allclose(slope_deg(*slopes), slope_deg(*gradient(exact, 30.0)), atol=1e-3)
    curved = maximum_curvature(single, 30.0)
    assert curved.dtype == np.float32
    # heights rounded to 0.25 mm in one window change the curvature by up to 4 x 0.25 mm x 100 / (30 m)2
    np.testing.assert_allclose(curved, maximum_curvature(exact, 30.0), atol=1.2e-4)


def test_inner_pixels_and_stacks_are_the_same_numbers():
    heights = mountains(np.float32)
    inner = (slice(1, -1), slice(1, -1))
    for whole, part in zip(gradient(heights, 30.0), inner_gradient(heights, 30.0), strict=True):
        np.testing.assert_array_equal(whole[inner], part)
    np.testing.assert_array_equal(maximum_curvature(heights, 30.0)[inner], inner_maximum_curvature(heights, 30.0))
    stack = np.stack([heights[:20, :30], heights[15:35, 22:52]])
    for number, window in enumerate(stack):
        np.testing.assert_array_equal(maximum_curvature(stack, 30.0)[number], maximum_curvature(window, 30.0))
        np.testing.assert_array_equal(inner_gradient(stack, 30.0)[1][number], inner_gradient(window, 30.0)[1])


def test_blocks_give_the_same_bits_as_the_whole():
    heights = mountains(np.float32)
    whole = inner_maximum_curvature(heights, 30.0)
    parts = [inner_maximum_curvature(heights[top : top + 9], 30.0) for top in range(0, 38, 7)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_an_aspect_is_never_the_full_circle():
    """A hair west of north is rounded to 360 degrees in float32, which is 0."""
    east, north = np.float32([0.0, 1e-9, -1e-9, 1e-9]), np.float32([-1.0, -1.0, -1.0, 1.0])
    np.testing.assert_array_equal(aspect_deg(east, north), np.float32([0.0, 0.0, 0.0, 180.0]))


def test_a_void_takes_only_what_looks_at_it():
    heights = mountains(np.float32)
    heights[10, 20] = np.nan
    east, north = inner_gradient(heights, 30.0)
    assert np.argwhere(np.isnan(east)).tolist() == [[9, 18], [9, 20]]
    assert np.argwhere(np.isnan(north)).tolist() == [[8, 19], [10, 19]]
