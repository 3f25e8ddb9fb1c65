"""Terrain attributes on a square grid, from the 3 x 3 quadratic of Zevenbergen and Thorne (1987)."""

from __future__ import annotations

import numpy as np

from pipeline.grid import FloatArray


def gradient(heights: FloatArray, pixel_m: float) -> tuple[FloatArray, FloatArray]:
    """Slope components dz/dEast and dz/dNorth by central differences.

    dz/dE = (z6 - z4) / 2L and dz/dN = (z2 - z8) / 2L, with z1..z9 row by row from the north-west (Zevenbergen and
    Thorne, 1987, eqs 9 and 10).

    Parameters
    ----------
    heights : shape (rows, columns), m, row 0 in the north.
    pixel_m : pixel size L, m.

    Returns
    -------
    Two arrays shaped like heights, m per m; NaN on the border and beside voids.
    """
    east, north = np.full_like(heights, np.nan), np.full_like(heights, np.nan)
    east[1:-1, 1:-1] = (heights[1:-1, 2:] - heights[1:-1, :-2]) / (2 * pixel_m)
    north[1:-1, 1:-1] = (heights[:-2, 1:-1] - heights[2:, 1:-1]) / (2 * pixel_m)
    undefined = np.isnan(east) | np.isnan(north)
    east[undefined] = north[undefined] = np.nan
    return east, north


def slope_deg(gradient_east: FloatArray, gradient_north: FloatArray) -> FloatArray:
    """Slope in degrees, arctan of the gradient's length."""
    result: FloatArray = np.degrees(np.arctan(np.hypot(gradient_east, gradient_north)))
    return result


def aspect_deg(gradient_east: FloatArray, gradient_north: FloatArray) -> FloatArray:
    """Direction of steepest descent in degrees clockwise from north, 0 to 360."""
    result: FloatArray = np.degrees(np.arctan2(-gradient_east, -gradient_north)) % 360
    return result


def maximum_curvature(heights: FloatArray, pixel_m: float) -> FloatArray:
    """Maximum curvature, convex positive, per 100 m.

    k_max = 100 [-(D + E) + sqrt((D - E)^2 + F^2)], with D, E, F the second-order terms of the quadratic through the
    3 x 3 window (Zevenbergen and Thorne, 1987, eqs 3-5; the extremes after Wood, 1996, eq. 4.11): the greatest
    negative eigenvalue of the surface's Hessian. Gardelle et al. (2012) relate the resolution bias to it.

    Parameters
    ----------
    heights : shape (rows, columns), m.
    pixel_m : pixel size, m.

    Returns
    -------
    Shaped like heights, (100 m)-1; NaN on the border and beside voids.
    """
    z = heights
    centre = z[1:-1, 1:-1]
    d = ((z[1:-1, :-2] + z[1:-1, 2:]) / 2 - centre) / pixel_m**2
    e = ((z[:-2, 1:-1] + z[2:, 1:-1]) / 2 - centre) / pixel_m**2
    f = (-z[:-2, :-2] + z[:-2, 2:] + z[2:, :-2] - z[2:, 2:]) / (4 * pixel_m**2)
    result = np.full_like(heights, np.nan)
    result[1:-1, 1:-1] = 100 * (-(d + e) + np.hypot(d - e, f))
    return result
