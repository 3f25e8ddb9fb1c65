"""Voids of a glacier filled from its own profile of change with elevation, and the error that this leaves.

Local hypsometric filling (McNabb et al., 2019): a void takes the mean change of its elevation band of the same glacier,
here with straight lines between the bands' means, so that voids which lie higher in their band than what was measured
get no biased value; what the lines miss of a band's mean is given back, so that over the measured pixels of every band
they are right on average. Above and below the measured elevations the profile goes on by the mean steps of the region's
other glaciers, or holds its end value without them.

The filled mean is a weighted sum of the measured changes, so its error has three parts: that of the measurements, under
these weights; how far the true change in the voids deviates from the profile (``profile_deviation``); and the profile
itself where no band was measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.elevation_change.glaciers.elevation_profile import Nodes, Profile, Steps, band_of, sums_of
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, IntArray
from pipeline.grid import FloatArray


@dataclass(frozen=True)
class Filling:
    """A glacier's change with its voids filled.

    Attributes
    ----------
    dh : filled change of every pixel, m, shape (pixels,).
    weight : share of every pixel's measured change in the sum over all pixels; 1 where nothing is filled, more where
        it stands for voids, 0 in voids. Shape (pixels,).
    extrapolated : number of pixels above or below the measured elevations.
    sigma_profile_sum_m : standard deviation of the sum over the voids from bands without a measured mean.
    """

    dh: FloatArray
    weight: FloatArray
    extrapolated: int
    sigma_profile_sum_m: float


def fill_voids(pixels: GlacierPixels, profile: Profile, nodes: Nodes, steps: Steps) -> Filling:
    """Fill the voids of a glacier that has at least one measured pixel.

    Parameters
    ----------
    pixels : of the glacier.
    profile, nodes : its bands, and those with measured pixels.
    steps : of all glaciers, by which a profile goes on beyond its nodes.
    """
    seen = pixels.observed
    if seen.all():
        return Filling(pixels.dh, np.ones(seen.size), 0, 0.0)
    place = band_of(pixels.height, profile.band_height_m) - profile.first
    # the node of each band; -1, the last entry of a table with a zero appended, where the band is none
    node = np.full(profile.pixels.size, -1)
    node[nodes.number - profile.first] = np.arange(nodes.number.size)
    lent = _lent(pixels, node[place], nodes)
    height = pixels.height[~seen]
    beyond = steps.rise(height) - steps.rise(np.clip(height, nodes.height_m[0], nodes.height_m[-1]))
    dh = pixels.dh.copy()
    dh[~seen] = nodes.at(height) + beyond + _missed(pixels, node[place], nodes)
    # what a band lends is shared by its measured pixels
    share = np.append(lent / nodes.measured, 0.0)
    weight = np.where(seen, 1 + share[node[place]], 0.0)
    outside = (profile.numbers < nodes.number[0]) | (profile.numbers > nodes.number[-1])
    voids = profile.pixels - profile.measured
    return Filling(dh, weight, int(voids[outside].sum()), sigma_of_unmeasured(profile, nodes, steps))


def _missed(pixels: GlacierPixels, node: IntArray, nodes: Nodes) -> FloatArray:
    """What the straight lines miss of the mean of each void's own band, m; zero in bands that are no nodes."""
    seen = pixels.observed
    used = seen & (node >= 0)
    by_lines = sums_of(node[used], nodes.at(pixels.height[used]), nodes.number.size) / nodes.measured
    return np.append(nodes.dh_m - by_lines, 0.0)[node[~seen]]


def _lent(pixels: GlacierPixels, node: IntArray, nodes: Nodes) -> FloatArray:
    """How much of each node's mean change is in the sum over the voids; shape (nodes,), it may be negative."""
    seen, count = pixels.observed, nodes.number.size
    lines = _line_weights(pixels.height[~seen], nodes.height_m)
    voids = np.bincount(node[~seen & (node >= 0)], minlength=count)
    used = seen & (node >= 0)
    below, part = _line_places(pixels.height[used], nodes.height_m)
    # row: the band of the measured pixel; column: the node that its line leans on
    leaning = sums_of(node[used] * count + below, 1 - part, count * count)
    leaning += sums_of(node[used] * count + np.minimum(below + 1, count - 1), part, count * count)
    missed = np.eye(count) - leaning.reshape(count, count) / nodes.measured[:, None]
    lent: FloatArray = lines + voids @ missed
    return lent


def _line_weights(height: FloatArray, node_height: FloatArray) -> FloatArray:
    """Weights of the nodes in the straight lines between them, summed up over these heights; shape of node_height."""
    below, part = _line_places(height, node_height)
    count = node_height.size
    return sums_of(below, 1 - part, count) + sums_of(np.minimum(below + 1, count - 1), part, count)


def _line_places(height: FloatArray, node_height: FloatArray) -> tuple[IntArray, FloatArray]:
    """The node below each height and how far it is to the next one, from 0 to 1; the end nodes hold beyond them."""
    place = np.interp(height, node_height, np.arange(node_height.size))
    below = np.minimum(place.astype(np.int64), max(node_height.size - 2, 0))
    return below, place - below


def sigma_of_unmeasured(profile: Profile, nodes: Nodes, steps: Steps) -> float:
    """Standard deviation of the sum over the voids of bands that are no nodes, m.

    From band to band the profile is a random walk with the region's steps: free beyond the last node, a bridge between
    two nodes, whose covariance is s^2 min(i, j) (n - max(i, j)) / n for n steps from node to node.

    Parameters
    ----------
    profile, nodes : the glacier's bands, and those with measured pixels.
    steps : of all glaciers.
    """
    voids = profile.pixels - profile.measured
    place = nodes.number - profile.first
    variance = _walk(voids[place[-1] + 1 :], steps.sigma_of(profile.first + np.arange(place[-1], voids.size - 1)))
    down = np.arange(place[0])[::-1]
    variance += _walk(voids[down], steps.sigma_of(profile.first + down))
    for low, high in pairwise(place):
        between = voids[low + 1 : high]
        if between.any():
            size = float(np.mean(steps.sigma_of(profile.first + np.arange(low, high)) ** 2))
            at, count = np.arange(1, high - low), high - low
            bridge = np.minimum.outer(at, at) * (count - np.maximum.outer(at, at)) / count
            variance += size * float(between @ bridge @ between)
    return float(np.sqrt(variance))


def _walk(voids: IntArray, sigma: FloatArray) -> float:
    """Variance of a sum over bands that follow each other: every step is shared by all bands beyond it."""
    beyond = np.cumsum(voids[::-1])[::-1]
    return float(np.sum((sigma * beyond) ** 2))
