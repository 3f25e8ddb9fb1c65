"""What is taken of the balance beyond the elevations that were measured, and how wrong that may be."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from pipeline.grid import FloatArray
from pipeline.mass_balance.ground import SortedHeights

# balance gradient of the ablation over that of the accumulation area, mean of the glaciers of the world (Rea, 2009)
BALANCE_RATIO = 1.75
# what the gradient may differ by where nobody measured (m w.e. per 100 m), of the annual and of the winter balance
SIGMA_GRADIENT = {"annual": 0.30, "winter": 0.12, "summer": 0.18}
# mean gradient of glacier tongues (m w.e. per 100 m), and how far a network of points that all gained leans on it
TONGUE_GRADIENT, SHRUNK = 0.65, 0.7
# shares of the area beyond the points between which the profile comes to bend there
BENDS_FROM = (0.20, 0.35)
# between two measured elevations a profile is held at both ends: what is left of that error there
GAP_SHARE = 0.3
# how far a point may be off for the area that it stands for beyond an even share of the glacier (m w.e.)
SIGMA_UNEVEN = {"annual": 0.6, "winter": 0.2, "summer": 0.2}
# error of an annual balance (m w.e.) for each point spacing that its area lies further from the points than under an
# even net of them, and the mean distance under such a net, in spacings
SIGMA_FAR = {"annual": 0.2, "winter": 0.0, "summer": 0.0}
EVEN_DISTANCE = 0.45
# an even selection of so many pixels tells how far a glacier lies from its points
_PIXELS = 4000


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """The profile beyond the highest and the lowest point: its gradient there over that of the points.

    Attributes
    ----------
    above, below : ratio of the gradients, 1 where the profile goes on straight.
    added_below_m_we_per_100m : gradient added below the points, whatever theirs is.
    sigma_m_we_per_100m : standard deviation of the gradient there.
    sigma_uneven_m_we : of a point for what it stands for beyond an even share of the area.
    sigma_far_m_we : of the mean for each point spacing that the area lies too far from the points.
    """

    above: float = 1.0
    below: float = 1.0
    added_below_m_we_per_100m: float = 0.0
    sigma_m_we_per_100m: float = 0.0
    sigma_uneven_m_we: float = 0.0
    sigma_far_m_we: float = 0.0

    @classmethod
    def of(cls, balance_m_we: FloatArray, period: str) -> Beyond:
        """That of some point balances of a period, shape (points,).

        The gradient of the ablation area is r = ``BALANCE_RATIO`` times that of the accumulation area. The points show
        a mixture of both, by the share f of them that gained. Above them the gradient is 1 / (1 + (1 - f)(r - 1)) of
        theirs. Below them it would be 1 + f (r - 1) of theirs; as the accumulation area says little of the tongue, it
        is shrunk by ``SHRUNK`` f towards ``TONGUE_GRADIENT``. The seasons go on straight.

        References: Rea (2009), Quat. Sci. Rev. 28(3-4), table 2.
        """
        gained = float(np.mean(balance_m_we >= 0)) if balance_m_we.size else 0.5
        straight = cls(
            sigma_m_we_per_100m=SIGMA_GRADIENT[period],
            sigma_uneven_m_we=SIGMA_UNEVEN[period],
            sigma_far_m_we=SIGMA_FAR[period],
        )
        if period != "annual":
            return straight
        excess, shrunk = BALANCE_RATIO - 1, SHRUNK * gained
        return replace(
            straight,
            above=1 / (1 + (1 - gained) * excess),
            below=(1 + gained * excess) * (1 - shrunk),
            added_below_m_we_per_100m=shrunk * TONGUE_GRADIENT,
        )

    def for_shares(self, above: float, below: float) -> Beyond:
        """The same where these shares of the area lie above and below the points: straight on over a small part.

        Up to the first of ``BENDS_FROM`` the profile of the points goes on as it is, from the second on it bends in
        full; between the two in proportion.
        """
        first, full = BENDS_FROM
        up, down = (min(max((share - first) / (full - first), 0.0), 1.0) for share in (above, below))
        return replace(
            self,
            above=1 + up * (self.above - 1),
            below=1 + down * (self.below - 1),
            added_below_m_we_per_100m=down * self.added_below_m_we_per_100m,
        )

    def added(self, elevation_m: FloatArray, lowest_m: float) -> FloatArray:
        """What ``added_below_m_we_per_100m`` does to the balance below the lowest point (m w.e.), same shape."""
        return np.asarray(-self.added_below_m_we_per_100m / 100 * np.maximum(lowest_m - elevation_m, 0.0))

    def stretched(self, elevation_m: FloatArray, lowest_m: float, highest_m: float) -> FloatArray:
        """Elevations at which the straight profile of the points has the balance that is taken, same shape (m)."""
        over, under = np.maximum(elevation_m - highest_m, 0.0), np.maximum(lowest_m - elevation_m, 0.0)
        return np.asarray(elevation_m - (1 - self.above) * over + (1 - self.below) * under)

    def error_of_uneven(self, heights: SortedHeights, points_m: FloatArray) -> float:
        """Standard deviation (m w.e.) of a mean over an area by points that stand for more than an even share of it.

        sigma = ``sigma_uneven_m_we`` sqrt(sum max(a_i - 1/n, 0)^2), with a_i the share of the area, within the measured
        elevations, that is nearest in elevation to point i: how well a point stands for its surroundings depends on how
        far they reach.

        Parameters
        ----------
        heights : of the area's pixels.
        points_m : of the points (m), shape (points,).
        """
        if not self.sigma_m_we_per_100m or np.ptp(points_m) <= 1.0:
            return 0.0
        shares = heights.nearest_shares(np.sort(points_m))
        return self.sigma_uneven_m_we * math.sqrt(float(np.sum(np.maximum(shares - 1 / shares.size, 0.0) ** 2)))

    def error_over(self, heights: SortedHeights, points_m: FloatArray) -> float:
        """``error_of_mean`` of an area of many pixels of one size.

        Parameters
        ----------
        heights : of the area's pixels.
        points_m : of the points (m), shape (points,).
        """
        if not self.sigma_m_we_per_100m or np.ptp(points_m) <= 1.0:
            return 0.0
        known = np.sort(points_m)
        parts = heights.mean_above(known[-1]), heights.mean_below(known[0]), GAP_SHARE * heights.mean_gap(known)
        return self.sigma_m_we_per_100m / 100 * math.hypot(*parts)

    def error_of_distance(self, measured_m: FloatArray, points_m: FloatArray, area_m2: float, share: float) -> float:
        """Standard deviation (m w.e.) of a mean over an area that lies far from its points, as from a centre line.

        sigma = f ``sigma_far_m_we`` max(d / sqrt(A / n) - ``EVEN_DISTANCE``, 0), with d the mean distance of the area A
        within the measured elevations, a share f of the whole, to the nearest of n points: what the wind and the shade
        do across a glacier shows in no point on its middle line, and is one error for all of it.

        Parameters
        ----------
        measured_m : easting and northing of the pixels within the measured elevations, shape (pixels, 2).
        points_m : of the points, shape (points, 2).
        area_m2 : of these pixels.
        share : of the whole area that they are.
        """
        if not self.sigma_far_m_we or not len(measured_m):
            return 0.0
        some = measured_m[:: max(1, len(measured_m) // _PIXELS)]
        distance_m, _ = cKDTree(points_m).query(some)
        spacings = float(distance_m.mean()) / math.sqrt(area_m2 / len(points_m))
        return share * self.sigma_far_m_we * max(spacings - EVEN_DISTANCE, 0.0)

    def error_of_mean(self, elevation_m: FloatArray, points_m: FloatArray, area: FloatArray | None = None) -> float:
        """Standard deviation (m w.e.) of a mean over an area by what was not measured of its elevations.

        The gradient's error counts over the height to the nearest measured elevation. It is one for everything above
        the points, and another for everything below them; between two of them a share of it is left.

        Parameters
        ----------
        elevation_m : of the area's pixels or zones (m), shape (n,).
        points_m : of the points (m), shape (points,).
        area : of the pixels or zones, any unit; all alike when absent.
        """
        if not self.sigma_m_we_per_100m or np.ptp(points_m) <= 1.0:
            return 0.0
        known = np.sort(points_m)
        after = np.clip(np.searchsorted(known, elevation_m), 1, known.size - 1)
        nearest = np.minimum(np.abs(elevation_m - known[after - 1]), np.abs(elevation_m - known[after]))
        above, below = elevation_m > known[-1], elevation_m < known[0]
        parts = [np.average(np.where(held, nearest, 0.0), weights=area) for held in (above, below, ~(above | below))]
        return self.sigma_m_we_per_100m / 100 * math.hypot(parts[0], parts[1], GAP_SHARE * parts[2])


# the profile goes on straight, and nothing is said of its error
STRAIGHT_ON = Beyond()
