"""Inverse-distance weights: plain, as a cross-check, and for the departures from the elevation trend, by setting."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from pipeline.grid import FloatArray
from pipeline.mass_balance.field.kriging import Kriged, Points

# closer than this (m) a point stands for the place alone
_NEAREST_M = 1.0
# a mean over a glacier needs no more places than this
_PLACES = 2_000


def plain_weights(positions: FloatArray, points: Points) -> FloatArray:
    """Weights 1 / d^2, each row adding up to one, shape (places, points) (Shepard, 1968)."""
    inverse = 1 / np.maximum(cdist(positions, points.positions, "sqeuclidean"), _NEAREST_M**2)
    return np.asarray(inverse / inverse.sum(axis=1, keepdims=True))


def inverse_distance_weights(kriged: Kriged, positions: FloatArray, elevation_m: FloatArray) -> FloatArray:
    """Weights of the points in a field of elevation trend plus inverse-distance-weighted departures from it.

    With H = F (F'F)^-1 F' the weights of the least-squares trend at the points and D those of ``plain_weights``, a
    place with drift f has the weights f' (F'F)^-1 F' + d' (I - H); shape (places, points).
    """
    drift = kriged.drift
    solver = np.linalg.solve(drift.T @ drift, drift.T)
    at = kriged.trend.at(elevation_m)
    near = plain_weights(positions, kriged.points)
    return np.asarray(at @ solver + near - (near @ drift) @ solver)


def inverse_distance_balance(points: Points, positions: FloatArray) -> float:
    """Mean over an area's pixels of plain inverse-distance weights (m w.e.): a cross-check that knows no elevation.

    Of many pixels an even selection is taken.
    """
    chosen = positions[:: max(1, len(positions) // _PLACES)]
    return float((plain_weights(chosen, points) @ points.balance_m_we).mean())
