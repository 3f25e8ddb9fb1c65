"""What the resolution effect takes off each pixel, from the heights of the finer DEM, in three forms."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.elevation_change.pairing import DemPair, RasterOfPair
from pipeline.elevation_change.resolution.bias_curve import BiasCurve
from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.terrain import inner_maximum_curvature, inner_principal_curvatures
from pipeline.grid import FloatArray

# kernels are built at so many places a pixel, and reach so many standard deviations of the Gaussian
PLACES, REACH_SIGMA = 20, 2.5
# a DEM whose posts stand this many pixels apart was resampled between them; nearer ones are pixels of the grid
LEAST_POST_PIXELS = 1.3


class Effect(Protocol):
    """A fitted resolution effect: what reference minus aligned DEM owes to the different detail of the two.

    Attributes
    ----------
    rim : how many pixels around a rectangle it looks at.
    """

    @property
    def rim(self) -> int: ...

    def on(self, heights: FloatArray) -> FloatArray:
        """The effect of a rectangle or of a stack of windows, m, float32; 0 where it is not known.

        Parameters
        ----------
        heights : of the finer DEM with ``rim`` more pixels on every side, shape (..., rows, columns), m.
        """
        ...


@dataclass(frozen=True)
class MaximumCurvatureEffect:
    """A curve of maximum curvature alone (Gardelle et al., 2012, section 3.3)."""

    curve: BiasCurve
    pixel_m: float
    rim: int = 1

    def on(self, heights: FloatArray) -> FloatArray:
        """f(k_max) of every pixel; see ``Effect.on``."""
        return self.curve.at(inner_maximum_curvature(heights, self.pixel_m))


@dataclass(frozen=True)
class PrincipalCurvaturesEffect:
    """A curve of maximum curvature plus a curve of minimum curvature, both zero on a plane."""

    maximum: BiasCurve
    minimum: BiasCurve
    pixel_m: float
    rim: int = 1

    def on(self, heights: FloatArray) -> FloatArray:
        """f(k_max) + g(k_min) of every pixel; see ``Effect.on``."""
        maximum, minimum = inner_principal_curvatures(heights, self.pixel_m)
        result = self.maximum.at(maximum)
        result += self.minimum.at(minimum)
        return result


@dataclass(frozen=True)
class PointSpread:
    """What a coarse DEM makes of the finer one's heights: its weights along one axis, the same along the other.

    Attributes
    ----------
    weights : of the pixel itself and of its neighbours at distance 1, 2, ...; symmetric, sum over both sides 1.
    sigma_pixels : standard deviation of its Gaussian part, pixels.
    """

    weights: tuple[float, ...]
    sigma_pixels: float

    @classmethod
    def of(cls, post_pixels: float, sigma_pixels: float, *, cubic: bool) -> PointSpread:
        """A cell averaged over its own size, resampled between the posts and blurred by a Gaussian.

        K = box(p) * r(x / p) * N(0, s), with p the distance of the posts, r the interpolation's own response averaged
        over all places between the posts: cubic convolution (Keys, 1981, eq. 4) or a triangle. A DEM whose posts are
        the grid's pixels is neither averaged further nor resampled, and K is the Gaussian alone.

        Parameters
        ----------
        post_pixels : distance of the coarser DEM's posts, in pixels of the grid.
        sigma_pixels : standard deviation of the Gaussian, above zero, in pixels.
        cubic : whether it was resampled by cubic convolution, else bilinearly.
        """
        coarse = post_pixels >= LEAST_POST_PIXELS
        reach = ceil(REACH_SIGMA * sigma_pixels + (2.5 * post_pixels if coarse else 0))
        places = np.arange(-(reach + 1) * PLACES, (reach + 1) * PLACES + 1) / PLACES
        kernel = np.exp(-((places / sigma_pixels) ** 2) / 2)
        if coarse:
            box = np.clip((post_pixels / 2 - np.abs(places)) * PLACES + 0.5, 0, 1)
            for part in (box, _interpolation(np.abs(places) / post_pixels, cubic=cubic)):
                kernel = np.convolve(kernel, part, "same")
        own = kernel[(reach + 1) * PLACES :: PLACES][: reach + 1]
        return cls(tuple(float(weight) for weight in own / (own[0] + 2 * own[1:].sum())), sigma_pixels)

    @property
    def rim(self) -> int:
        """How many pixels it reaches."""
        return len(self.weights) - 1

    def lost(self, heights: FloatArray) -> NDArray[np.float32]:
        """Heights minus their mean under the point spread, m: zero on a plane, and zero on average over any ground.

        Summed from differences to the pixel itself, which are small, so that single precision loses nothing and no
        value depends on how a raster is cut. Neighbours enter as pairs on opposite sides; a pair with a void in it is
        taken to lie on a plane through the pixel, so that at the edge of a DEM or of a void all that is known counts
        and a plane still loses nothing.

        Parameters
        ----------
        heights : shape (..., rows, columns), m, with ``rim`` pixels on every side; NaN where void.

        Returns
        -------
        Shape (..., rows - 2 rim, columns - 2 rim), float32; NaN where the pixel itself is void.
        """
        has_voids = bool(np.isnan(heights).any())
        along = self._change(heights, -1, has_voids)
        smoothed = heights[..., self.rim : -self.rim] + along
        total = along[..., self.rim : -self.rim, :]
        total += self._change(smoothed, -2, has_voids)
        np.negative(total, out=total)
        if has_voids:
            own = heights[..., self.rim : -self.rim, self.rim : -self.rim]
            np.copyto(total, np.float32(np.nan), where=np.isnan(own))
        return total

    def _change(self, heights: FloatArray, axis: int, has_voids: bool) -> NDArray[np.float32]:
        """Weighted mean along an axis minus the middle pixel, pairs with a void counted as 0."""
        size, rim = heights.shape[axis], self.rim

        def part(offset: int) -> FloatArray:
            chosen = slice(rim + offset, size - rim + offset)
            return heights[..., chosen] if axis == -1 else heights[..., chosen, :]

        middle = part(0)
        total = np.zeros(middle.shape, np.float32)
        pair = np.empty(middle.shape, np.float32)
        for distance, weight in enumerate(self.weights[1:], 1):
            np.subtract(part(distance), middle, out=pair)
            pair += part(-distance)
            pair -= middle
            if has_voids:
                np.copyto(pair, np.float32(0), where=np.isnan(pair))
            pair *= np.float32(weight)
            total += pair
        return total


def _interpolation(distance: FloatArray, *, cubic: bool) -> FloatArray:
    """Weight of a post by its distance in posts: Keys' cubic convolution with a = -0.5, or linear."""
    if not cubic:
        return np.clip(1 - distance, 0, None)
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


@dataclass(frozen=True)
class PointSpreadEffect:
    """One coefficient times what the coarse DEM's point spread takes from the finer one's heights."""

    spread: PointSpread
    coefficient: float

    @property
    def rim(self) -> int:
        """How many pixels around a rectangle it looks at."""
        return self.spread.rim

    def on(self, heights: FloatArray) -> FloatArray:
        """c (z - K * z) of every pixel; see ``Effect.on``."""
        return self.of_lost(self.spread.lost(heights))

    def of_lost(self, lost: FloatArray) -> FloatArray:
        """The same from what the point spread takes from the heights, m."""
        result: FloatArray = lost * np.float32(self.coefficient)
        np.copyto(result, np.float32(0), where=np.isnan(result))
        return result


@dataclass(frozen=True)
class EffectRaster(RasterOfPair):
    """The effect on a pair's grid."""

    effect: Effect
    pair: DemPair
    shift: Shift

    def __getitem__(self, window: tuple[slice, slice]) -> FloatArray:
        return self.effect.on(finer_heights(self.pair, window, self.shift, self.effect.rim))


def finer_heights(pair: DemPair, window: tuple[slice, slice], shift: Shift, rim: int) -> FloatArray:
    """Heights of a pair's finer DEM in a window with ``rim`` more pixels on every side; NaN beyond the grid.

    Parameters
    ----------
    window : rows and columns within the grid.
    shift : of the aligned DEM, where that is the finer one.
    """
    known = tuple(
        slice(max(0, part.start - rim), min(size, part.stop + rim))
        for part, size in zip(window, pair.shape, strict=True)
    )
    heights = pair.finer(known[0], known[1], shift)
    missing = [
        (inner.start - part.start + rim, part.stop + rim - inner.stop)
        for part, inner in zip(window, known, strict=True)
    ]
    if not any(before or after for before, after in missing):
        return heights
    return np.pad(heights, missing, constant_values=np.nan)
