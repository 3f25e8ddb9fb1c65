"""How far the true change of a glacier deviates from its profile with elevation: size and correlation in space.

Found from the differences of measured pixels of one band, less what the error of measurement contributes to them. The
error that a filled void makes follows from it as in kriging: by integration over voids and measured pixels.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.elevation_profile import Nodes, Profile, band_of, sums_of
from pipeline.elevation_change.glaciers.pixels import GlacierPixels
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


@dataclass(frozen=True)
class Pairs:
    """Half squared differences of the deviations from the profile, between measured pixels of one band of a glacier.

    Attributes
    ----------
    lag_m : distance of each pair, shape (pairs,).
    position : of the pair's band between the glacier's lowest (0) and highest (1) elevation.
    half_square_m2 : half the squared difference, less what the error of measurement contributes.
    """

    lag_m: FloatArray
    position: FloatArray
    half_square_m2: FloatArray


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
    pixels: GlacierPixels, profile: Profile, nodes: Nodes, error: Variogram, pixel_m: float, count: int, seed: int
) -> Pairs:
    """Pairs of measured pixels within the bands of one glacier, half of them near each other.

    Taken within a band, the differences need no mean, so that a small glacier's variogram is not flattened by it.

    Parameters
    ----------
    error : spatial correlation of the error of measurement.
    count : how many to draw, with the glacier's own random numbers.
    """
    seen = np.flatnonzero(pixels.observed)
    band = band_of(pixels.height[seen], profile.band_height_m)
    order = seen[np.argsort(band, kind="stable")]
    start = np.cumsum(profile.measured) - profile.measured
    draw = np.random.default_rng([3, seed])
    first = draw.integers(0, order.size, count)
    # an empty band starts where the next one does; the last of them holds the pixel
    own = np.searchsorted(start, first, "right") - 1
    anywhere = start[own] + (draw.random(count) * profile.measured[own]).astype(np.int64)
    near = first + draw.integers(1, NEAR_PLACES + 1, count)
    second = np.where(np.arange(count) % 2 == 0, anywhere, near)
    kept = (second != first) & (second < start[own] + profile.measured[own])
    a, b = order[first[kept]], order[second[kept]]
    lag = pixel_m * np.hypot(pixels.row[a] - pixels.row[b], pixels.column[a] - pixels.column[b])
    rest = pixels.dh - nodes.at(pixels.height)
    of_error = (pixels.sigma[a] ** 2 + pixels.sigma[b] ** 2) / 2 * error.sill
    of_error -= pixels.sigma[a] * pixels.sigma[b] * error.covariance(lag)
    position = position_of(pixels)
    return Pairs(lag, (position[a] + position[b]) / 2, (rest[a] - rest[b]) ** 2 / 2 - of_error)


def position_of(pixels: GlacierPixels) -> FloatArray:
    """Position of each pixel between the glacier's lowest (0) and highest (1) elevation; shape (pixels,).

        p = (z - z_min) / (z_max - z_min)

    Parameters
    ----------
    pixels : of one glacier.
    """
    lowest, highest = float(pixels.height.min()), float(pixels.height.max())
    position: FloatArray = (pixels.height - lowest) / max(highest - lowest, 1e-6)
    return position


def fit_deviation(of_glaciers: Iterable[Pairs], pixel_m: float) -> Deviation:
    """Variogram and relative size of the deviations, from the pairs of all glaciers of a region.

    Tongues deviate more from their profile than firn does, so that the size is told apart by the position on the
    glacier. The variogram is a sum of spherical models by non-negative least squares, as for the error of measurement.

    Parameters
    ----------
    of_glaciers : pairs of pixels of each glacier: their distance, deviations and positions.
    pixel_m : side of a pixel, m.
    """
    pairs = list(of_glaciers)
    lag, position, square = (
        np.concatenate([getattr(part, name) for part in pairs]) if pairs else np.empty(0)
        for name in ("lag_m", "position", "half_square_m2")
    )
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
    farthest = max(float(lag.max()), 2 * pixel_m)
    member = np.digitize(lag, np.geomspace(pixel_m, 1.001 * farthest, LAG_CLASSES + 1)) - 1
    count = sums_of(member, np.ones(member.size), LAG_CLASSES)
    filled = count > 0
    mean_lag, gamma = (sums_of(member, values, LAG_CLASSES)[filled] / count[filled] for values in (lag, half_square))
    ranges = np.geomspace(1.01 * pixel_m, 2 * farthest, 16)
    weight = (count[filled] / count.max()) ** 0.25
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
