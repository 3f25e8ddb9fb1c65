"""Slope, aspect and maximum curvature on surfaces whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.elevation_change.terrain import aspect_deg, gradient, maximum_curvature, slope_deg

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
