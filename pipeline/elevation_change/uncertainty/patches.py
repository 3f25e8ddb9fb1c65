"""Patch test: do means over stable patches of a glacier's size spread as the stated uncertainty predicts?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, prod

import numpy as np

from pipeline.blocks import Raster, Runner, Window
from pipeline.elevation_change.statistics import nmad
from pipeline.elevation_change.terrain import inner_principal_curvatures
from pipeline.elevation_change.uncertainty.covariance_integral import CovarianceIntegrator
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.grid import BoolArray, FloatArray

ENOUGH_PATCHES, MOST_PATCHES = 200, 600
SPREAD_LIMITS = (0.8, 1.2)
# share of a patch that must be stable and measured, and of one whose smooth pixels alone count that must be smooth too
LEAST_COVERAGE, LEAST_SMOOTH = 0.7, 0.1
# the smoothest fifth of stable terrain counts as smooth, judged on so many tiles of so many pixels
SMOOTH_SHARE, SMOOTH_TILES, SMOOTH_TILE = 0.2, 36, 64
# patches are sought on a thinned raster: so many of its pixels across a patch, and so many in all
PIXELS_ACROSS, MOST_THINNED_PIXELS = 12, 1 << 21
LINES_AT_ONCE, PATCHES_AT_ONCE = 64, 25
# larger patches are summed up in blocks before the covariance is integrated: within 1 %
MOST_PIXELS_ACROSS = 160


@dataclass(frozen=True)
class PatchTest:
    """Means over stable patches against the standard deviation predicted for each of them.

    Attributes
    ----------
    area_m2 : of a patch.
    mean_m, sigma_m : mean dh over each patch, and its predicted standard deviation; shape (patches,).
    """

    area_m2: float
    mean_m: FloatArray
    sigma_m: FloatArray

    @property
    def count(self) -> int:
        """Number of patches."""
        return int(self.mean_m.size)

    @cached_property
    def standardised(self) -> FloatArray:
        """Means over their predicted standard deviation; spread 1 if the prediction holds; shape (patches,)."""
        # without any error known there is nothing to hold the means against
        known = self.sigma_m > 0
        result: FloatArray = np.divide(self.mean_m, self.sigma_m, out=np.full(known.shape, np.nan), where=known)
        return result

    @property
    def mean(self) -> float:
        """Mean of the standardised means; NaN without patches."""
        return float(self.standardised.mean()) if self.count else float("nan")

    @property
    def spread(self) -> float:
        """Standard deviation of the standardised means; NaN below two patches."""
        return float(self.standardised.std(ddof=1)) if self.count > 1 else float("nan")

    @property
    def robust_spread(self) -> float:
        """NMAD of the standardised means; NaN below two patches."""
        return nmad(self.standardised) if self.count > 1 else float("nan")

    @property
    def enough(self) -> bool:
        """Whether there are the 200 patches that the test asks for."""
        return self.count >= ENOUGH_PATCHES

    @property
    def passed(self) -> bool:
        """Whether there are enough patches and their spread lies between 0.8 and 1.2."""
        return self.enough and SPREAD_LIMITS[0] <= self.spread <= SPREAD_LIMITS[1]


@dataclass(frozen=True)
class PatchTests:
    """The test on all stable ground, and on the smooth pixels of the same patches alone."""

    every: PatchTest
    smooth: PatchTest


@dataclass(frozen=True)
class SmoothGround:
    """Ground as smooth as ice: where sqrt(k_max^2 + k_min^2) is small.

    Attributes
    ----------
    heights : of the reference, m; shape (rows, columns).
    limit_per_100m : the greatest curvature of smooth ground.
    """

    heights: Raster
    pixel_m: float
    limit_per_100m: float

    @classmethod
    def of(cls, heights: Raster, residual: Raster, pixel_m: float) -> SmoothGround:
        """The smoothest fifth of stable terrain.

        Parameters
        ----------
        heights : of the reference, m. residual : NaN off stable terrain; the same shape.
        """
        across = round(SMOOTH_TILES**0.5)
        starts = [
            np.unique(np.linspace(0, max(0, size - SMOOTH_TILE), across).astype(int)).tolist() for size in heights.shape
        ]
        bends = []
        for row, column in product(*starts):
            tile = (slice(row, row + SMOOTH_TILE), slice(column, column + SMOOTH_TILE))
            bend = _bend(heights, pixel_m, tile)
            bends.append(bend[np.isfinite(bend) & np.isfinite(np.asarray(residual[tile]))])
        known = np.concatenate(bends)
        return cls(heights, pixel_m, float(np.quantile(known, SMOOTH_SHARE)) if known.size else 0.0)

    def __call__(self, window: Window) -> BoolArray:
        """Which pixels of a window are smooth."""
        smooth: BoolArray = _bend(self.heights, self.pixel_m, window) <= self.limit_per_100m
        return smooth


def _bend(heights: Raster, pixel_m: float, window: Window) -> FloatArray:
    """sqrt(k_max^2 + k_min^2) of a window, (100 m)-1; NaN at the edge of the raster and beside voids."""
    wide = [slice(max(0, part.start - 1), part.stop + 1) for part in window]
    around = np.asarray(heights[wide[0], wide[1]])
    missing = [(int(part.start == 0), int(part.stop >= size)) for part, size in zip(window, heights.shape, strict=True)]
    maximum, minimum = inner_principal_curvatures(np.pad(around, missing, constant_values=np.nan), pixel_m)
    result: FloatArray = np.hypot(maximum, minimum)
    return result


def patch_test(
    residual: Raster,
    sigma: Raster,
    variogram: Variogram,
    pixel_m: float,
    area_m2: float,
    runner: Runner | None = None,
    smooth: SmoothGround | None = None,
) -> PatchTest:
    """Means of dh over discs of stable terrain, at most 600, evenly chosen and apart from each other.

    A patch takes part if at least 70 % of it is stable and measured; its predicted standard deviation is integrated
    over its own measured pixels with their own sigma (Hugonnet et al., 2022, section III-D, by exact covariance).
    On rough ground a correction that was fitted there cannot be seen to fail on smooth glaciers; with ``smooth`` the
    smooth pixels of each patch alone count.

    Parameters
    ----------
    residual : dh / sigma on stable terrain, NaN elsewhere: what the variogram was fitted to; shape (rows, columns).
    sigma : standard deviation of dh, m; the same shape.
    area_m2 : size of a patch, such as the median glacier's.
    smooth : which pixels alone count; all without it.

    Returns
    -------
    PatchTest, with fewer than 200 patches where no more fit; its ``enough`` says so.
    """
    radius = max(0.5, float(np.sqrt(area_m2 / np.pi)) / pixel_m)
    disc = _disc(radius)
    corners = _corners(residual, disc, radius, runner)
    if len(corners) > MOST_PATCHES:
        evenly = np.linspace(0, len(corners) - 1, MOST_PATCHES).round().astype(int)
        corners = [corners[number] for number in evenly]
    block = ceil(disc.shape[0] / MOST_PIXELS_ACROSS)
    integrator = CovarianceIntegrator(disc.shape, variogram, pixel_m, block)
    function = _Patches(residual=residual, sigma=sigma, disc=disc, integrator=integrator, smooth=smooth)
    groups = [corners[first : first + PATCHES_AT_ONCE] for first in range(0, len(corners), PATCHES_AT_ONCE)]
    parts = list(map(function, groups) if runner is None else runner.map(function, groups))
    means = np.concatenate(parts) if parts else np.empty((0, 2))
    return PatchTest(area_m2, means[:, 0], means[:, 1])


def _disc(radius: float) -> BoolArray:
    """Pixels whose centre lies within a circle around the middle pixel."""
    offset = np.arange(-int(radius), int(radius) + 1)
    disc: BoolArray = np.hypot(offset[:, None], offset) <= radius
    return disc


@dataclass(frozen=True)
class _Known:
    """Every k-th line and column of a raster: whether it is known."""

    raster: Raster
    step: int

    def __call__(self, first: int) -> BoolArray:
        rows = slice(first, min(first + LINES_AT_ONCE * self.step, self.raster.shape[0]), self.step)
        return np.isfinite(self.raster[rows, slice(0, self.raster.shape[1], self.step)])


def _corners(residual: Raster, disc: BoolArray, radius: float, runner: Runner | None) -> list[tuple[int, int]]:
    """Upper-left corners of well covered boxes that do not overlap, from the north-west."""
    shape, side = residual.shape, disc.shape[0]
    if min(shape) < side:
        return []
    step = max(1, side // PIXELS_ACROSS, ceil((prod(shape) / MOST_THINNED_PIXELS) ** 0.5))
    firsts = range(0, shape[0], LINES_AT_ONCE * step)
    function = _Known(residual, step)
    known = np.concatenate(list(map(function, firsts) if runner is None else runner.map(function, firsts)))
    free = _coverage(known, radius / step) >= LEAST_COVERAGE
    # only boxes that lie within the raster: centres are pixels number step * (row, column)
    margin, last = ceil(side // 2 / step), [(size - 1 - side // 2) // step for size in shape]
    free[:margin], free[last[0] + 1 :] = False, False
    free[:, :margin], free[:, last[1] + 1 :] = False, False
    corners = []
    apart = ceil(side / step)
    for row in range(free.shape[0]):
        column = 0
        while free[row, column:].any():
            column += int(free[row, column:].argmax())
            corners.append((row * step - side // 2, column * step - side // 2))
            free[row : row + apart, max(0, column - apart + 1) : column + apart] = False
            column += apart
    return corners


def _coverage(known: BoolArray, radius: float) -> FloatArray:
    """Share of the disc around each pixel that is known; what lies outside the raster is not."""
    reach = int(radius)
    padded = np.pad(known, reach)
    # sums from the left, so that a run of pixels is one difference
    sums = np.zeros((padded.shape[0], padded.shape[1] + 1), np.int32)
    np.cumsum(padded, axis=1, out=sums[:, 1:])
    rows, columns = known.shape
    total, pixels = np.zeros(known.shape, np.int32), 0
    for offset in range(-reach, reach + 1):
        half = int(np.sqrt(max(radius**2 - offset**2, 0.0)))
        line = sums[reach + offset : reach + offset + rows]
        total += line[:, reach + half + 1 : reach + half + 1 + columns]
        total -= line[:, reach - half : reach - half + columns]
        pixels += 2 * half + 1
    return total / np.float32(pixels)


@dataclass(frozen=True, kw_only=True)
class _Patches:
    """Mean dh and its predicted standard deviation over a few patches; shape (patches that are covered, 2)."""

    residual: Raster
    sigma: Raster
    disc: BoolArray
    integrator: CovarianceIntegrator
    smooth: SmoothGround | None

    def __call__(self, corners: Sequence[tuple[int, int]]) -> FloatArray:
        means = []
        side = self.disc.shape[0]
        for row, column in corners:
            window = (slice(row, row + side), slice(column, column + side))
            residual, sigma = np.asarray(self.residual[window]), np.asarray(self.sigma[window])
            inside = self.disc & np.isfinite(residual) & np.isfinite(sigma)
            covered = inside.sum() >= LEAST_COVERAGE * self.disc.sum()
            if covered and self.smooth is not None:
                inside &= self.smooth(window)
                covered = inside.sum() >= LEAST_SMOOTH * self.disc.sum()
            if covered:
                change = residual[inside].astype(np.float64) * sigma[inside]
                means.append((change.mean(), self.integrator.sigma_of_mean(sigma, inside)))
        return np.array(means, np.float64).reshape(-1, 2)
