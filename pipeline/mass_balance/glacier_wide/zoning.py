"""Contour zoning: the mean balance of each elevation zone times its area; and the straight balance gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import FloatArray
from pipeline.mass_balance.field import STRAIGHT_ON, Beyond
from pipeline.mass_balance.ground import Hypsometry

# balance gradients known of glaciers lie well inside (m w.e. per 100 m)
PLAUSIBLE_GRADIENT = (0.0, 2.5)
# root mean square of the gradients of glaciers from 0.2 (cold and dry) to 1.0 (maritime), m w.e. per 100 m: what the
# other elevations may differ by where the points tell no gradient
UNKNOWN_GRADIENT = 0.6


@dataclass(frozen=True, kw_only=True)
class Zones:
    """The balance of every elevation zone, as a linear combination of the points.

    Attributes
    ----------
    hypsometry : the zones.
    weights : share of each point in each zone, shape (zones, points); rows add up to one.
    basis : observed, interpolated or extrapolated, a zone each.
    counts : points in each zone.
    added_m_we : what a zone's balance has besides, beyond the points, shape (zones,).
    """

    hypsometry: Hypsometry
    weights: FloatArray
    basis: tuple[str, ...]
    counts: tuple[int, ...]
    added_m_we: FloatArray

    def balance(self, balance_m_we: FloatArray) -> FloatArray:
        """Balance of each zone (m w.e.) from those of the points, shapes (points,) and (zones,)."""
        return np.asarray(self.weights @ balance_m_we + self.added_m_we)

    @property
    def area_weights(self) -> FloatArray:
        """Share of each point in the glacier's mean, shape (points,); they add up to one."""
        return np.asarray(self.hypsometry.area_km2 @ self.weights / self.hypsometry.total_km2)

    @property
    def observed_share(self) -> float:
        """Share of the area in zones that held a point."""
        return self.share_of("observed")

    def held_by(self, elevation_m: FloatArray) -> Zones:
        """The same balances, with counts and basis told from some of the points, at such elevations (m).

        With none of them every zone is extrapolated: nothing was measured on the glacier.

        Parameters
        ----------
        elevation_m : of the points, shape (points,).
        """
        counts = _counts(self.hypsometry, elevation_m)
        return replace(self, basis=_basis(counts), counts=tuple(int(count) for count in counts))

    def share_of(self, basis: str) -> float:
        """Share of the area in zones of one basis.

        Parameters
        ----------
        basis : "observed", "interpolated" or "extrapolated".
        """
        held = np.array([own == basis for own in self.basis])
        return float(self.hypsometry.area_km2[held].sum() / self.hypsometry.total_km2)


def zones_of_points(hypsometry: Hypsometry, elevation_m: FloatArray, beyond: Beyond | None = None) -> Zones:
    """Zones from the elevations (m) of the points, shape (points,).

    A zone that holds points takes their mean. A zone between such zones is interpolated linearly between their middles.
    A zone beyond them follows the balance gradient of all points from the outermost of them, bent as ``beyond`` says.
    A point below the lowest or above the highest zone counts for that zone.

    References: Ostrem and Brugman (1991), chapter 6.
    """
    bands, points = hypsometry.lower_m.size, elevation_m.size
    index = _band_of(hypsometry, elevation_m)
    counts = _counts(hypsometry, elevation_m)
    weights = np.zeros((bands, points))
    weights[index, np.arange(points)] = 1 / counts[index]
    observed = np.flatnonzero(counts)
    slope = gradient_weights(elevation_m)
    middle, basis = hypsometry.middle_m, _basis(counts)
    ends = (float(middle[observed[0]]), float(middle[observed[-1]])) if observed.size else (0.0, 0.0)
    along = (beyond or STRAIGHT_ON).stretched(middle, *ends)
    for band in np.flatnonzero(counts == 0):
        below, above = observed[observed < band], observed[observed > band]
        if basis[band] == "interpolated":
            low, high = below[-1], above[0]
            share = (middle[band] - middle[low]) / (middle[high] - middle[low])
            weights[band] = (1 - share) * weights[low] + share * weights[high]
        else:
            nearest = below[-1] if below.size else above[0]
            weights[band] = weights[nearest] + (along[band] - middle[nearest]) * slope
    return Zones(
        hypsometry=hypsometry,
        weights=weights,
        basis=basis,
        counts=tuple(int(count) for count in counts),
        added_m_we=(beyond or STRAIGHT_ON).added(middle, ends[0]),
    )


def shares_beyond(hypsometry: Hypsometry, elevation_m: FloatArray) -> tuple[float, float]:
    """Shares of the area above the highest and below the lowest of some elevations (m); a band is parted by height."""
    lower, upper = hypsometry.lower_m, hypsometry.upper_m
    above = np.clip((upper - elevation_m.max()) / (upper - lower), 0.0, 1.0)
    below = np.clip((elevation_m.min() - lower) / (upper - lower), 0.0, 1.0)
    area = hypsometry.area_km2 / hypsometry.total_km2
    return float(area @ above), float(area @ below)


def _band_of(hypsometry: Hypsometry, elevation_m: FloatArray) -> NDArray[np.intp]:
    """The zone of each elevation; below the lowest and above the highest, that one."""
    return np.clip(np.searchsorted(hypsometry.upper_m, elevation_m, side="right"), 0, hypsometry.lower_m.size - 1)


def _counts(hypsometry: Hypsometry, elevation_m: FloatArray) -> NDArray[np.intp]:
    return np.bincount(_band_of(hypsometry, elevation_m), minlength=hypsometry.lower_m.size)


def _basis(counts: NDArray[np.intp]) -> tuple[str, ...]:
    """Observed where a zone holds a point, interpolated between such zones, extrapolated beyond them."""
    held = np.flatnonzero(counts)
    lowest, highest = (int(held[0]), int(held[-1])) if held.size else (len(counts), -1)
    return tuple(
        "observed" if count else "interpolated" if lowest < band < highest else "extrapolated"
        for band, count in enumerate(counts)
    )


def gradient_is_unknown(hypsometry: Hypsometry, elevation_m: FloatArray, balance_m_we: FloatArray) -> bool:
    """Whether points of one zone alone, shape (points,), have a gradient that no glacier has.

    It is then the difference between neighbours and says nothing about the other zones: nothing can be extrapolated.

    Parameters
    ----------
    hypsometry : the zones.
    elevation_m, balance_m_we : of the points, shape (points,).
    """
    if hypsometry.lower_m.size == 1 or np.count_nonzero(_counts(hypsometry, elevation_m)) > 1:
        return False
    return abs(100 * float(gradient_weights(elevation_m) @ balance_m_we)) > PLAUSIBLE_GRADIENT[1]


def gradient_weights(elevation_m: FloatArray) -> FloatArray:
    """Weights of the points in the least-squares balance gradient (per m); zero where all lie at one height.

        w_i = (z_i - mean(z)) / sum_j (z_j - mean(z))^2

    Parameters
    ----------
    elevation_m : of the points, shape (points,).
    """
    centred = elevation_m - elevation_m.mean()
    spread = float(centred @ centred)
    return centred / spread if spread > 1.0 else np.zeros_like(centred)


def unknown_gradient_error(elevation_m: FloatArray, at_m: float) -> float:
    """Standard deviation (m w.e.) of the balance at the elevation ``at_m`` where all points lie at one height; else 0.

    The balance of such points is taken for the whole glacier: no gradient is measured, and none is assumed.

    Parameters
    ----------
    elevation_m : of the points, shape (points,).
    at_m : where the balance is asked for.
    """
    if gradient_weights(elevation_m).any():
        return 0.0
    return abs(at_m - float(elevation_m.mean())) * UNKNOWN_GRADIENT / 100


def unknown_gradient_error_of_mean(hypsometry: Hypsometry, elevation_m: FloatArray) -> float:
    """Standard deviation (m w.e.) of the glacier's mean where all points, shape (points,), lie at one height; else 0.

    A straight gradient g counts over the height between the points and the glacier's mean; one that bends at the points
    by g / 2 changes the balance on one side by g / 4 more and on the other by g / 4 less, which does not cancel.

    Parameters
    ----------
    hypsometry : the zones.
    elevation_m : of the points, shape (points,).
    """
    to_mean = unknown_gradient_error(elevation_m, hypsometry.mean_m)
    to_zones = np.array([unknown_gradient_error(elevation_m, middle) for middle in hypsometry.middle_m.tolist()])
    return math.hypot(to_mean, zone_mean(hypsometry, to_zones) / 4)


def gradient_balance(hypsometry: Hypsometry, elevation_m: FloatArray, balance_m_we: FloatArray) -> tuple[float, float]:
    """Glacier mean (m w.e.) by a straight balance-elevation line, and the line's slope (m w.e. per 100 m).

        B = sum(A_i b(z_i)) / sum(A_i),    b(z) = mean(b) + g (z - mean(z))

    Parameters
    ----------
    hypsometry : the zones.
    elevation_m, balance_m_we : of the points, shape (points,).
    """
    slope = float(gradient_weights(elevation_m) @ balance_m_we)
    return float(balance_m_we.mean() + slope * (hypsometry.mean_m - elevation_m.mean())), slope * 100


def zone_mean(hypsometry: Hypsometry, balance_m_we: FloatArray) -> float:
    """B = sum(A_i b_i) / sum(A_i) over zones (Cogley et al., 2011); zones without area count for nothing.

    Parameters
    ----------
    hypsometry : the zones, with their areas.
    balance_m_we : of each zone, shape (zones,).
    """
    return float(hypsometry.area_km2 @ balance_m_we / hypsometry.total_km2)
