"""The bend of the balance profile that returns every year: steep on the tongue, flat in the accumulation area."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import FloatArray
from pipeline.mass_balance.field.kriging import Points
from pipeline.mass_balance.ground import SortedHeights

# knees are sought between these quantiles of the points' elevations, this many of them
_KNEE_QUANTILES = (0.2, 0.8)
_KNEES = 25
# sites that must lie on either side of the knee
_SITES_A_SIDE = 3
# how much better than its two parameters cost (Bayesian information criterion) the bend must explain the sites
_REQUIRED_GAIN = 2.0


@dataclass(frozen=True)
class Bend:
    """The profile's gradient changes at one elevation, alike in every year: change * max(z - knee, 0).

    Attributes
    ----------
    knee_m : where it changes.
    change_m_we_per_m, sigma_change_m_we_per_m : gradient above minus gradient below, and its standard deviation.
    """

    knee_m: float
    change_m_we_per_m: float
    sigma_change_m_we_per_m: float

    def at(self, elevation_m: FloatArray) -> FloatArray:
        """What the bend adds to a straight profile (m w.e.), any shape."""
        return np.asarray(self.change_m_we_per_m * np.maximum(elevation_m - self.knee_m, 0.0))

    def off(self, points: Points) -> Points:
        """The points with the bend taken off their balances."""
        return replace(points, balance_m_we=points.balance_m_we - self.at(points.elevation_m))

    def sigma_of_mean(self, points: Points, weights: FloatArray, heights: SortedHeights) -> float:
        """What the error of the change does to an area's mean (m w.e.).

        ``weights`` of the points in that mean, ``heights`` of the area's pixels: the part of the bend that the points
        themselves do not hold in place.
        """
        area = heights.mean_above(self.knee_m)
        held = float(weights @ np.maximum(points.elevation_m - self.knee_m, 0.0))
        return self.sigma_change_m_we_per_m * abs(area - held)


def fit_bend(years: Sequence[Points]) -> Bend | None:
    """The bend common to all years, or None where the sites do not call for one.

    Each year has its own straight line with elevation; the bend, the same for all, is fitted by least squares to what
    the lines leave, averaged over the years at each site, for what lasts at a site is one observation however often it
    is read. The knee is the best of a set of elevations. The bend is kept if it explains the sites better than its two
    parameters cost by the Bayesian information criterion, with at least three sites on either side.

    References: Schwarz (1978), Ann. Stat. 6(2); a piecewise linear profile: Fountain and Vecchia (1999), Geogr. Ann.
    81A(4).
    """
    long_enough = [points for points in years if points.count >= 3 and np.ptp(points.elevation_m) > 1.0]
    if not long_enough:
        return None
    sites, site_of = _sites(long_enough)
    count = len(sites)
    if count < 2 * _SITES_A_SIDE:
        return None
    straight = _site_means(long_enough, site_of, count, [points.balance_m_we for points in long_enough])
    best: tuple[float, Bend] | None = None
    for knee in np.unique(np.quantile(sites, np.linspace(*_KNEE_QUANTILES, _KNEES))):
        if min((sites < knee).sum(), (sites > knee).sum()) < _SITES_A_SIDE:
            continue
        above = [np.maximum(points.elevation_m - knee, 0.0) for points in long_enough]
        shape = _site_means(long_enough, site_of, count, above)
        power = float(shape @ shape)
        if power < 1e-6:
            continue
        change = float(shape @ straight) / power
        left = float(np.sum((straight - change * shape) ** 2))
        sigma = math.sqrt(left / max(count - 4, 1) / power)
        if best is None or left < best[0]:
            best = left, Bend(float(knee), change, sigma)
    if best is None:
        return None
    gain = count * math.log(max(float(straight @ straight), 1e-12) / max(best[0], 1e-12)) - 2 * math.log(count)
    return best[1] if gain > _REQUIRED_GAIN else None


def _sites(years: Sequence[Points]) -> tuple[FloatArray, list[NDArray[np.intp]]]:
    """Elevation of every site (m), and for each year the number of each point's site; points on one metre share one."""
    positions = np.concatenate([np.round(points.positions) for points in years])
    elevation = np.concatenate([points.elevation_m for points in years])
    _, first, number = np.unique(positions, axis=0, return_index=True, return_inverse=True)
    parts = np.split(np.ravel(number).astype(np.intp), np.cumsum([points.count for points in years])[:-1])
    return elevation[first], list(parts)


def _site_means(
    years: Sequence[Points], site_of: Sequence[NDArray[np.intp]], count: int, values: Sequence[FloatArray]
) -> FloatArray:
    """Mean over the years, at each site, of what each year's straight line with elevation leaves of some values."""
    total, number = np.zeros(count), np.zeros(count)
    for points, sites, own in zip(years, site_of, values, strict=True):
        centred = points.elevation_m - points.elevation_m.mean()
        slope = float(centred @ own) / float(centred @ centred)
        np.add.at(total, sites, own - own.mean() - slope * centred)
        np.add.at(number, sites, 1.0)
    return np.asarray(total / number)
