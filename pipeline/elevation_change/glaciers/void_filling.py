"""Voids of a glacier filled from its own normalised profile, and the error that this leaves.

Local hypsometric filling (McNabb et al., 2019): a void takes the change that its own glacier has at this elevation.
The glacier's profile is the best linear one, between what was measured of it and what the region's other glaciers lead
to expect (``profile_prior``):

    beta = m + C R' (R C R' + V)^-1 (y - R m)

y are the means of the measured parts of its elevation range, V their variance, R what they take of the profile's
nodes, m and C mean and covariance of the profile as expected. Where much is measured it goes through the means, where
little is, it leans on the others.

The filled mean is a weighted sum of the measured changes and of what is expected, so its error has three parts: that of
the measurements, under these weights; how far the true change deviates from the profile (``profile_deviation``); and
how far the profile may differ from the expected one, with C under what the weights leave of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.normalised_profile import (
    PARTS,
    PositionSums,
    margin_of,
    places_of,
    position_of,
)
from pipeline.elevation_change.glaciers.pixels import FARTHEST_M, GlacierPixels
from pipeline.elevation_change.glaciers.profile_prior import GlacierPrior
from pipeline.grid import FloatArray

# yield stress of ice over its weight, m: 150 kPa over 900 kg m-3 and g
YIELD_M = 17.0


@dataclass(frozen=True, kw_only=True)
class Filling:
    """A glacier's change with its voids filled.

    Attributes
    ----------
    dh : filled change of every pixel, m, shape (pixels,).
    weight : share of every pixel's measured change in the sum over all pixels; 1 where nothing is filled, more where
        it stands for voids, 0 in voids. Shape (pixels,).
    extrapolated : number of voids above or below the measured elevations.
    sigma_profile_sum_m : standard deviation of the sum from how the glacier's own profile may differ from the region's.
    shared_sum : what the sum takes of the error of the region's level, tongue and bend, shape (3,).
    sigma_shared_sum_m : standard deviation that this gives to the sum.
    """

    dh: FloatArray
    weight: FloatArray
    extrapolated: int
    sigma_profile_sum_m: float
    shared_sum: FloatArray
    sigma_shared_sum_m: float


def fill_voids(
    pixels: GlacierPixels, sums: PositionSums, factor: FloatArray, variance_m2: FloatArray, prior: GlacierPrior
) -> Filling:
    """Fill the voids of a glacier that has at least one measured pixel.

    Parameters
    ----------
    pixels : of the glacier.
    sums : over the parts of its elevation range.
    factor : of each margin class, shape (margins,).
    variance_m2 : of each part's mean as a value of the profile, shape (parts,).
    prior : what the region's other glaciers lead to expect.
    """
    seen = pixels.observed
    if seen.all():
        return nothing_filled(pixels)
    rows, voids = sums.design(factor), sums.voids(factor)
    whole = prior.whole_m2
    gain = np.linalg.solve(rows @ whole @ rows.T + np.diag(variance_m2), rows @ whole).T
    profile = prior.mean_m + gain @ (sums.mean_m - rows @ prior.mean_m)
    lent = voids @ gain
    # what the weights leave of the profile's own value
    left = voids - lent @ rows
    part, _ = places_of(position_of(pixels))
    share = np.where(sums.count > 0, lent / np.maximum(sums.count, 1), 0.0)
    of_profile = float(left @ prior.covariance_m2 @ left)
    shared = left @ prior.shared
    return Filling(
        dh=np.where(seen, pixels.dh, _bounded(_at(pixels, profile, factor), pixels.from_margin)),
        weight=np.where(seen, 1 + share[part], 0.0),
        extrapolated=sums.extrapolated,
        sigma_profile_sum_m=math.sqrt(max(of_profile, 0.0)),
        shared_sum=shared,
        sigma_shared_sum_m=math.sqrt(max(float(shared @ prior.covariance_shared @ shared), 0.0)),
    )


def nothing_filled(pixels: GlacierPixels) -> Filling:
    """The change as it was measured.

    Parameters
    ----------
    pixels : of a glacier without voids.
    """
    return Filling(
        dh=pixels.dh,
        weight=np.ones(pixels.dh.size),
        extrapolated=0,
        sigma_profile_sum_m=0.0,
        shared_sum=np.zeros(3),
        sigma_shared_sum_m=0.0,
    )


def _at(pixels: GlacierPixels, profile_m: FloatArray, factor: FloatArray) -> FloatArray:
    """Change that the profile gives to every pixel, m."""
    part, place = places_of(position_of(pixels))
    change: FloatArray = (1 - place) * profile_m[part] + place * profile_m[np.minimum(part + 1, PARTS)]
    return factor[margin_of(pixels)] * change


def _bounded(change: FloatArray, from_margin: FloatArray) -> FloatArray:
    """Thinning of a void that ice can bear: no more than the thickness of perfectly plastic ice so near its margin.

        H = sqrt(2 (tau / rho g) d)

    (Nye, 1951), with a yield stress of 150 kPa; unbounded where the margin is farther than was looked for.
    """
    thickness = np.sqrt(2 * YIELD_M * from_margin)
    return np.where(from_margin < FARTHEST_M, np.maximum(change, -thickness), change)
