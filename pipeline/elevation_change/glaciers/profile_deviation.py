"""How far the true change of a glacier deviates from its profile with elevation: size and correlation in space.

Found from the differences of measured pixels of one part of the elevation range, less what the error of measurement
contributes to them. The error that a filled void makes follows from it as in kriging: by integration over voids and
measured pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.elevation_profile import sums_of
from pipeline.elevation_change.glaciers.normalised_profile import PARTS, PositionSums, margin_of, places_of, position_of
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, IntArray
from pipeline.elevation_change.uncertainty import Variogram, spherical
from pipeline.grid import FloatArray

PAIRS_OF_REGION = 200_000
FEWEST_PAIRS, MOST_PAIRS = 20, 20_000
# half of the pairs are near ones: so many places on among the pixels of their band, row by row
NEAR_PLACES = 12
LAG_CLASSES = 24
# parts of a glacier's elevation range in which the deviations have a size of their own
POSITIONS = 5
LEAST_SIZE = 0.1
# farther pairs are too few to be told apart
FAR_QUANTILE = 0.98


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Pairs of measured pixels of one part of a glacier's elevation range.

    Attributes
    ----------
    lag_m : distance of each pair, shape (pairs,).
    position : of both pixels between the glacier's lowest (0) and highest (1) elevation, shape (2, pairs).
    margin : margin class of both, shape (2, pairs).
    dh_m : change of both, shape (2, pairs).
    of_error_m2 : what the error of measurement contributes to half the squared difference, shape (pairs,).
    profile_m : mean measured change of each part, shape (parts,); NaN where nothing is measured.
    """

    lag_m: FloatArray
    position: FloatArray
    margin: IntArray
    dh_m: FloatArray
    of_error_m2: FloatArray
    profile_m: FloatArray

    def half_square_m2(self, factor: FloatArray) -> FloatArray:
        """Half the squared difference of the deviations from the profile, less the part of the error; shape (pairs,).

        Parameters
        ----------
        factor : of each margin class, shape (margins,).
        """
        known = np.isfinite(self.profile_m)
        middles = (np.arange(PARTS)[known] + 0.5) / PARTS
        rest = self.dh_m - factor[self.margin] * np.interp(self.position, middles, self.profile_m[known])
        half: FloatArray = (rest[0] - rest[1]) ** 2 / 2 - self.of_error_m2
        return half


@dataclass(frozen=True)
class Deviation:
    """How the true change deviates from a glacier's profile: K(i, j) = s_i s_j C(|i - j|), m2.

    Attributes
    ----------
    variogram : of the deviations divided by their relative size s, m2.
    size : s in equal parts of the glacier's elevation range, from the lowest up; about 1.
    """

    variogram: Variogram
    size: FloatArray

    def size_at(self, position: FloatArray) -> FloatArray:
        """Relative size at positions from 0 (lowest elevation) to 1 (highest); shape of position.

        Parameters
        ----------
        position : from 0 to 1, any shape.
        """
        middles = (np.arange(self.size.size) + 0.5) / self.size.size
        sizes: FloatArray = np.interp(position, middles, self.size)
        return sizes


def pairs_of_deviations(
    pixels: GlacierPixels, sums: PositionSums, error: Variogram, pixel_m: float, count: int, seed: int
) -> Pairs:
    """Pairs of measured pixels within the parts of one glacier's elevation range, half of them near each other.

    Taken within a part, the differences need no mean, so that a small glacier's variogram is not flattened by it.

    Parameters
    ----------
    error : spatial correlation of the error of measurement.
    count : how many to draw, with the glacier's own random numbers.
    """
    position = position_of(pixels)
    seen = np.flatnonzero(pixels.observed)
    part, _ = places_of(position[seen])
    order = seen[np.argsort(part, kind="stable")]
    measured = sums.count.astype(np.int64)
    start = np.cumsum(measured) - measured
    draw = np.random.default_rng([3, seed])
    first = draw.integers(0, order.size, count)
    # an empty part starts where the next one does; the last of them holds the pixel
    own = np.searchsorted(start, first, "right") - 1
    anywhere = start[own] + (draw.random(count) * measured[own]).astype(np.int64)
    near = first + draw.integers(1, NEAR_PLACES + 1, count)
    second = np.where(np.arange(count) % 2 == 0, anywhere, near)
    kept = (second != first) & (second < start[own] + measured[own])
    both = np.stack([order[first[kept]], order[second[kept]]])
    lag = pixel_m * np.hypot(np.diff(pixels.row[both], axis=0)[0], np.diff(pixels.column[both], axis=0)[0])
    sigma = pixels.sigma[both]
    of_error = (sigma**2).mean(axis=0) * error.sill - sigma.prod(axis=0) * error.covariance(lag)
    return Pairs(
        lag_m=lag,
        position=position[both],
        margin=margin_of(pixels)[both],
        dh_m=pixels.dh[both],
        of_error_m2=of_error,
        profile_m=np.where(sums.count > 0, sums.mean_m, np.nan),
    )


def fit_deviation(drawn: Iterable[Pairs], factor: FloatArray, pixel_m: float) -> Deviation:
    """Variogram and relative size of the deviations, from the pairs of all glaciers of a region.

    Tongues deviate more from their profile than firn does, so that the size is told apart by the position on the
    glacier. The variogram is a sum of spherical models by non-negative least squares, as for the error of measurement.

    Parameters
    ----------
    drawn : pairs of pixels of each glacier: their distance, change and positions.
    factor : of each margin class, shape (margins,).
    pixel_m : side of a pixel, m.
    """
    pairs = list(drawn)
    lag = np.concatenate([part.lag_m for part in pairs]) if pairs else np.empty(0)
    position = np.concatenate([part.position.mean(axis=0) for part in pairs]) if pairs else np.empty(0)
    square = np.concatenate([part.half_square_m2(factor) for part in pairs]) if pairs else np.empty(0)
    alike = np.ones(POSITIONS)
    variogram = _fitted(lag, square, pixel_m)
    if variogram.sill == 0:
        return Deviation(variogram, alike)
    member = np.minimum((position * POSITIONS).astype(np.int64), POSITIONS - 1)
    expected = sums_of(member, variogram.sill - variogram.covariance(lag), POSITIONS)
    # a position with few pairs stays near the size of all
    least = 0.02 * expected.sum()
    size = np.sqrt(np.maximum((sums_of(member, square, POSITIONS) + least) / (expected + least), LEAST_SIZE**2))
    return Deviation(_fitted(lag, square / size[member] ** 2, pixel_m), size)


def _fitted(lag: FloatArray, half_square: FloatArray, pixel_m: float) -> Variogram:
    from scipy.optimize import nnls  # only where there are voids

    if lag.size == 0:
        return Variogram(ranges_m=(pixel_m,), sills=(0.0,))
    farthest = max(float(np.quantile(lag, FAR_QUANTILE)), 4 * pixel_m)
    member = np.digitize(lag, np.geomspace(pixel_m, 1.001 * farthest, LAG_CLASSES)) - 1
    count = sums_of(member, np.ones(member.size), LAG_CLASSES)
    filled = count > 0
    mean_lag, gamma = (sums_of(member, values, LAG_CLASSES)[filled] / count[filled] for values in (lag, half_square))
    # a range that the pairs do not reach has no sill that they know of
    ranges = np.geomspace(1.01 * pixel_m, farthest / 2, 16)
    weight = np.sqrt(count[filled] / count.max())
    sills, _ = nnls(spherical(mean_lag[:, None] / ranges) * weight[:, None], gamma * weight)
    kept = sills > 1e-6 * sills.sum()
    if not kept.any():
        return Variogram(ranges_m=(pixel_m,), sills=(0.0,), lag_m=mean_lag, empirical=gamma, pairs=count[filled])
    return Variogram(
        ranges_m=tuple(ranges[kept].tolist()),
        sills=tuple(sills[kept].tolist()),
        lag_m=mean_lag,
        empirical=gamma,
        pairs=count[filled],
    )


def pairs_of_each(glaciers: int) -> int:
    """How many pairs to draw from each glacier of a region.

    Parameters
    ----------
    glaciers : how many the region has.
    """
    return int(np.clip(PAIRS_OF_REGION // max(glaciers, 1), FEWEST_PAIRS, MOST_PAIRS))
