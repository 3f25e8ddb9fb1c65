"""Terrain attributes on a square grid, from the 3 x 3 quadratic of Zevenbergen and Thorne (1987).

Heights may be a raster or a stack of windows, shape (..., rows, columns), row 0 in the north, NaN where void. Results
keep the type of the heights: float32 in, float32 out. The ``inner_`` functions leave the outermost pixels off.
"""

from __future__ import annotations

import numpy as np

from pipeline.grid import FloatArray

_INNER = (..., slice(1, -1), slice(1, -1))
_NORTH, _SOUTH = (..., slice(None, -2), slice(1, -1)), (..., slice(2, None), slice(1, -1))
_WEST, _EAST = (..., slice(1, -1), slice(None, -2)), (..., slice(1, -1), slice(2, None))


def inner_gradient(
    heights: FloatArray, pixel_m: float, out: tuple[FloatArray, FloatArray] | None = None
) -> tuple[FloatArray, FloatArray]:
    """Slope components dz/dEast and dz/dNorth by central differences.

    dz/dE = (z6 - z4) / 2L and dz/dN = (z2 - z8) / 2L, with z1..z9 row by row from the north-west (Zevenbergen and
    Thorne, 1987, eqs 9 and 10).

    Parameters
    ----------
    heights : shape (..., rows, columns), m.
    pixel_m : pixel size L, m.
    out : where the components are put; two new arrays where not given.

    Returns
    -------
    Two arrays of shape (..., rows - 2, columns - 2), m per m; each NaN where one of its own two heights is void.
    """
    into = out or (None, None)
    east = np.subtract(heights[_EAST], heights[_WEST], out=into[0])
    north = np.subtract(heights[_NORTH], heights[_SOUTH], out=into[1])
    scale = 1 / (2 * pixel_m)
    east *= scale
    north *= scale
    return east, north


def gradient(heights: FloatArray, pixel_m: float) -> tuple[FloatArray, FloatArray]:
    """``inner_gradient`` with the outermost pixels as NaN; both components are NaN where either is.

    Parameters
    ----------
    heights : shape (rows, columns), m; NaN where void.
    pixel_m : side of a pixel, m.

    Returns
    -------
    Two arrays shaped like heights, m per m.
    """
    east, north = inner_gradient(heights, pixel_m)
    undefined = np.isnan(east)
    undefined |= np.isnan(north)
    if undefined.any():
        east[undefined] = north[undefined] = np.nan
    return _bordered(east, heights), _bordered(north, heights)


def slope_deg(gradient_east: FloatArray, gradient_north: FloatArray) -> FloatArray:
    """Slope in degrees, arctan of the gradient's length.

        slope = arctan sqrt((dz/dE)^2 + (dz/dN)^2)

    Parameters
    ----------
    gradient_east, gradient_north : m per m, any one shape.

    Returns
    -------
    degrees, 0 to 90, of the same shape.

    Example
    -------
    >>> slope_deg(np.array([0.6]), np.array([0.8])).round(6).tolist()
    [45.0]
    """
    result: FloatArray = gradient_east * gradient_east
    result += gradient_north * gradient_north
    np.sqrt(result, out=result)
    np.arctan(result, out=result)
    result *= 180 / np.pi
    return result


def aspect_deg(gradient_east: FloatArray, gradient_north: FloatArray) -> FloatArray:
    """Direction of steepest descent in degrees clockwise from north, 0 up to 360; of no meaning where it is level.

        aspect = atan2(-dz/dE, -dz/dN)

    Parameters
    ----------
    gradient_east, gradient_north : m per m, any one shape.

    Returns
    -------
    degrees, of the same shape.

    Example
    -------
    >>> aspect_deg(np.array([-1.0]), np.array([0.0])).tolist()
    [90.0]
    """
    result: FloatArray = np.arctan2(gradient_east, gradient_north)
    result *= 180 / np.pi
    # the way up, turned round
    result += 180
    result[result >= 360] = 0
    return result


def inner_maximum_curvature(heights: FloatArray, pixel_m: float) -> FloatArray:
    """Maximum curvature, convex positive, per 100 m.

    k_max = 100 [-(D + E) + sqrt((D - E)^2 + F^2)], with D, E, F the second-order terms of the quadratic through the
    3 x 3 window (Zevenbergen and Thorne, 1987, eqs 3-5; the extremes after Wood, 1996, eq. 4.11): the greatest
    negative eigenvalue of the surface's Hessian. Gardelle et al. (2012) relate the resolution bias to it.

    Parameters
    ----------
    heights : shape (..., rows, columns), m.
    pixel_m : pixel size, m.

    Returns
    -------
    Shape (..., rows - 2, columns - 2), (100 m)-1; NaN where the window holds a void.
    """
    root, total = _second_order(heights)
    root -= total
    root *= 50 / pixel_m**2
    return root


def inner_principal_curvatures(heights: FloatArray, pixel_m: float) -> tuple[FloatArray, FloatArray]:
    """Maximum and minimum curvature, convex positive, per 100 m.

    k_max, k_min = 100 [-(D + E) +- sqrt((D - E)^2 + F^2)], as in ``inner_maximum_curvature``; their sum is the negative
    Laplacian. Both are zero on a plane.

    Parameters
    ----------
    heights : shape (..., rows, columns), m.
    pixel_m : pixel size, m.

    Returns
    -------
    Two arrays of shape (..., rows - 2, columns - 2), (100 m)-1; NaN where the window holds a void.
    """
    root, total = _second_order(heights)
    scale = 50 / pixel_m**2
    root *= scale
    total *= scale
    minimum = -root
    minimum -= total
    root -= total
    return root, minimum


def _second_order(heights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """2 L^2 times sqrt((D - E)^2 + F^2) and times D + E of Zevenbergen and Thorne's quadratic."""
    # differences from the centre first: they are small, so that float32 loses nothing of heights of thousands of metres
    centre = heights[_INNER]
    across = heights[_WEST] - centre  # becomes 2 L^2 D
    across += heights[_EAST] - centre
    along = heights[_NORTH] - centre  # becomes 2 L^2 E
    along += heights[_SOUTH] - centre
    twist = heights[..., :-2, 2:] - heights[..., :-2, :-2]  # becomes 4 L^2 F
    twist += heights[..., 2:, :-2] - heights[..., 2:, 2:]
    total = across + along
    across -= along
    np.square(across, out=across)
    twist *= 0.5
    np.square(twist, out=twist)
    across += twist
    return np.sqrt(across, out=across), total


def maximum_curvature(heights: FloatArray, pixel_m: float) -> FloatArray:
    """``inner_maximum_curvature`` with the outermost pixels as NaN.

    Parameters
    ----------
    heights : shape (rows, columns), m; NaN where void.
    pixel_m : side of a pixel, m.

    Returns
    -------
    Shaped like heights, (100 m)-1.
    """
    return _bordered(inner_maximum_curvature(heights, pixel_m), heights)


def _bordered(inner: FloatArray, heights: FloatArray) -> FloatArray:
    """The inner pixels within a frame of NaN, shaped like the heights they come from."""
    result = np.empty(heights.shape, inner.dtype)
    result[..., 0, :] = result[..., -1, :] = result[..., :, 0] = result[..., :, -1] = np.nan
    result[_INNER] = inner
    return result
