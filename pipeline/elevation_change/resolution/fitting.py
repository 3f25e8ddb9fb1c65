"""Fit the resolution effect on stable terrain, in each of its three forms."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipeline.elevation_change.resolution.bias_curve import curve_through
from pipeline.elevation_change.resolution.effects import (
    LEAST_POST_PIXELS,
    Effect,
    PointSpread,
    PointSpreadEffect,
    PrincipalCurvaturesEffect,
)
from pipeline.elevation_change.statistics import NMAD_FACTOR, IntArray, median, nmad
from pipeline.elevation_change.terrain import inner_principal_curvatures
from pipeline.grid import BoolArray, FloatArray

POINT_SPREAD, PRINCIPAL, MAXIMUM, NONE = "point_spread", "principal_curvatures", "maximum_curvature", "none"
METHODS = (POINT_SPREAD, PRINCIPAL, MAXIMUM)
# those whose difference from each other is a measure of how well the effect is known
UNBIASED = (POINT_SPREAD, PRINCIPAL)

# standard deviations of the Gaussian part of the point spread that are tried, in posts of the coarser DEM
WIDTHS_IN_POSTS = (0.08, 0.17, 0.25, 0.35, 0.5, 0.7)
# the same in pixels where the Gaussian is all there is: narrower ones leave a pixel as it is
WIDTHS_IN_PIXELS = (0.45, 0.6, 0.8, 1.1, 1.5, 2.0)
# the forms are fitted to so many evenly spaced stable pixels, the width to fewer
MOST_PIXELS, MOST_PIXELS_OF_CURVES, MOST_PIXELS_OF_WIDTH = 150_000, 50_000, 40_000
LEAST_PIXELS = 500
# least absolute deviations: residuals beyond this share of their spread enter linearly
LINEAR_BEYOND, ROUNDS = 0.1, 6
# knots of a curve stand at these shares of the pixels, and at zero
KNOT_SHARES = (0.002, 0.01, *np.linspace(0.03, 0.97, 12).tolist(), 0.99, 0.998)
# slopes err more: vertical over horizontal error, as in the co-registration
SLOPE_ERROR_RATIO = 0.3


@dataclass(frozen=True, kw_only=True)
class StablePixels:
    """Stable pixels on which the effect is fitted.

    Attributes
    ----------
    heights : of the finer DEM in windows with ``rim`` more pixels on every side, m.
    inside : which pixels of the windows these are, shape (windows, rows, columns).
    difference : reference minus aligned DEM, shape (pixels,), m; without outliers.
    tangent_squared : squared tangent of their slope, shape (pixels,).
    lost : what point spreads take from these heights, by the point spread; kept from one turn to the next.
    """

    heights: FloatArray
    inside: BoolArray
    difference: FloatArray
    tangent_squared: FloatArray
    rim: int
    lost: dict[PointSpread, FloatArray] = field(default_factory=dict)

    def of(self, effect: Effect) -> FloatArray:
        """An effect at the pixels, shape (pixels,), m."""
        return self.everywhere(effect)[self.inside]

    def everywhere(self, effect: Effect) -> FloatArray:
        """An effect in all of the windows, shape (windows, rows, columns), m."""
        cut = self.rim - effect.rim
        heights = self.heights[..., cut:-cut, cut:-cut] if cut else self.heights
        if not isinstance(effect, PointSpreadEffect):
            return effect.on(heights)
        if effect.spread not in self.lost:
            self.lost[effect.spread] = effect.spread.lost(heights)
        return effect.of_lost(self.lost[effect.spread])

    def curvatures(self, pixel_m: float) -> tuple[FloatArray, FloatArray]:
        """Maximum and minimum curvature of the finer DEM at the pixels, shape (pixels,) each, (100 m)-1."""
        cut = self.rim - 1
        heights = self.heights[..., cut:-cut, cut:-cut] if cut else self.heights
        maximum, minimum = inner_principal_curvatures(heights, pixel_m)
        return maximum[self.inside], minimum[self.inside]

    @property
    def precision(self) -> FloatArray:
        """1 / sqrt(1 + tan^2(slope) / h^2), Koppe's formula; shape (pixels,)."""
        result: FloatArray = 1 / np.sqrt(1 + self.tangent_squared / np.float32(SLOPE_ERROR_RATIO**2))
        return result


@dataclass(frozen=True)
class Fit:
    """A fitted form.

    Attributes
    ----------
    effect : what it takes off.
    vertical_m : the constant fitted beside it, which belongs to the vertical shift.
    """

    effect: Effect
    vertical_m: float


def widest_rim(post_pixels: float, *, cubic: bool) -> int:
    """Pixels around a window that the widest point spread on trial looks at."""
    return PointSpread.of(post_pixels, _widths(post_pixels)[-1], cubic=cubic).rim


def _widths(post_pixels: float) -> tuple[float, ...]:
    """Standard deviations of the Gaussian that are tried, in pixels, increasing."""
    if post_pixels < LEAST_POST_PIXELS:
        return WIDTHS_IN_PIXELS
    return tuple(width * post_pixels for width in WIDTHS_IN_POSTS)


def choose_point_spread(pixels: StablePixels, post_pixels: float, *, cubic: bool) -> PointSpread:
    """The point spread whose fit leaves the least NMAD, of Gaussians of 0.08 to 0.7 posts over the coarse DEM's cell.

    Parameters
    ----------
    pixels : stable pixels; a tenth of the windows serves as well as all.
    post_pixels : distance of the coarser DEM's posts, in pixels.
    cubic : whether that DEM was resampled by cubic convolution, else bilinearly.
    """
    few = _fewer_windows(pixels, MOST_PIXELS_OF_WIDTH)
    tried: list[tuple[float, int, PointSpread]] = []
    for width in _widths(post_pixels):
        spread = PointSpread.of(post_pixels, width, cubic=cubic)
        covariate = few.of(PointSpreadEffect(spread, 1.0))
        constant, coefficient = _least_absolute(covariate[:, None], few.difference, few.precision)
        left = few.difference - constant - coefficient * covariate
        tried.append((nmad(left), len(tried), spread))
    return min(tried)[2]


def _fewer_windows(pixels: StablePixels, most: int) -> StablePixels:
    """The same with about so many pixels: of evenly spaced windows, or of the middle rows of a single one."""
    share = most / max(1, pixels.difference.size)
    if share >= 1:
        return pixels
    windows, rows = pixels.inside.shape[0], pixels.inside.shape[1]
    counts = pixels.inside.sum(axis=2)
    if windows > 1:
        chosen = np.unique(np.linspace(0, windows - 1, max(1, round(share * windows))).astype(int))
        member = np.zeros(windows, bool)
        member[chosen] = True
        kept = np.repeat(member, counts.sum(axis=1))
        return StablePixels(
            heights=pixels.heights[member],
            inside=pixels.inside[member],
            difference=pixels.difference[kept],
            tangent_squared=pixels.tangent_squared[kept],
            rim=pixels.rim,
        )
    first = int(rows * (0.5 - share / 2))
    last = max(first + 1, int(rows * (0.5 + share / 2)))
    start, stop = int(counts[0, :first].sum()), int(counts[0, :last].sum())
    return StablePixels(
        heights=pixels.heights[:, first : last + 2 * pixels.rim],
        inside=pixels.inside[:, first:last],
        difference=pixels.difference[start:stop],
        tangent_squared=pixels.tangent_squared[start:stop],
        rim=pixels.rim,
    )


def fit_point_spread(pixels: StablePixels, spread: PointSpread) -> Fit:
    """d = c0 + c (z - K * z) by least absolute deviations: one coefficient, and a constant that belongs to the shift.

    A coarse DEM shows the ground averaged over its cell and resampled, z_coarse = K * z_fine, which lowers ridges and
    raises valleys; K is ``PointSpread``. The effect vanishes on a plane and leaves the mean of all ground as it is.
    c is about 1 where K describes the coarse DEM in full.
    """
    covariate = pixels.of(PointSpreadEffect(spread, 1.0))
    every = _every(covariate)
    constant, coefficient = _least_absolute(covariate[every, None], pixels.difference[every], pixels.precision[every])
    return Fit(PointSpreadEffect(spread, float(coefficient)), float(constant))


def fit_principal_curvatures(pixels: StablePixels, pixel_m: float) -> Fit:
    """d = c0 + f(k_max) + g(k_min), f(0) = g(0) = 0, by least absolute deviations.

    f and g are straight between knots at fixed shares of the pixels, one of them zero; the end values hold beyond.
    Gardelle et al. (2012) relate d to k_max alone: on rough ground a pixel with k_max = 0 has a negative k_min, so that
    their curve takes something off a plane, which a smooth glacier inherits.
    """
    curvatures = pixels.curvatures(pixel_m)
    every = _every(curvatures[0], MOST_PIXELS_OF_CURVES)
    knots = [_knots(values[every]) for values in curvatures]
    design = np.concatenate([_hats(values[every], own) for values, own in zip(curvatures, knots, strict=True)], axis=1)
    constant, *weights = _least_absolute(design, pixels.difference[every], pixels.precision[every])
    curves = []
    for own in knots:
        values, weights = weights[: own.size - 1], weights[own.size - 1 :]
        curves.append(curve_through(own, np.insert(values, int(np.searchsorted(own, 0.0)), 0.0)))
    return Fit(PrincipalCurvaturesEffect(curves[0], curves[1], pixel_m), float(constant))


def _every(values: FloatArray, most: int = MOST_PIXELS) -> IntArray:
    """Evenly spaced ones of the known values, by number."""
    known = np.flatnonzero(np.isfinite(values))
    result: IntArray = known[:: max(1, known.size // most)]
    return result


def _knots(values: FloatArray) -> FloatArray:
    """Places of the knots: fixed shares of the values, none close to zero, and zero."""
    places = np.quantile(values, KNOT_SHARES)
    apart = 0.02 * float(values.std(dtype=np.float64))
    return np.unique(np.append(places[np.abs(places) > apart], 0.0))


def _hats(values: FloatArray, knots: FloatArray) -> FloatArray:
    """Piecewise linear functions, each one at its own knot and zero at the others; all but the one at zero.

    Returns
    -------
    Shape (values, knots - 1).
    """
    clipped = np.clip(values.astype(np.float64), knots[0], knots[-1])
    first = np.clip(np.searchsorted(knots, clipped, "right") - 1, 0, max(0, knots.size - 2))
    result = np.zeros((values.size, knots.size))
    if knots.size > 1:
        share = (clipped - knots[first]) / (knots[first + 1] - knots[first])
        row = np.arange(values.size)
        result[row, first], result[row, first + 1] = 1 - share, share
    return np.delete(result, int(np.searchsorted(knots, 0.0)), axis=1)


def _least_absolute(design: FloatArray, values: FloatArray, precision: FloatArray) -> FloatArray:
    """Constant and coefficients of least absolute deviations, by reweighted normal equations; shape (columns + 1,).

    Parameters
    ----------
    design : shape (pixels, columns). values, precision : shape (pixels,).
    """
    design = np.concatenate([np.ones((values.size, 1)), design.astype(np.float64)], axis=1)
    weights = precision.astype(np.float64) ** 2
    coefficients = np.zeros(design.shape[1])
    left = values - median(values) if values.size else values
    for _ in range(ROUNDS):
        size = np.abs(left) * precision
        scale = max(NMAD_FACTOR * median(size), 1e-6) if size.size else 1.0
        weighted = design * (weights / np.maximum(size / (LINEAR_BEYOND * scale), 1))[:, None]
        # a column that no pixel fills gets nothing
        coefficients = np.linalg.lstsq(design.T @ weighted, weighted.T @ values, rcond=None)[0]
        left = values - design @ coefficients
    return coefficients
