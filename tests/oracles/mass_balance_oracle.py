"""Independent re-derivations for the mass-balance tests: they share no code with what they test."""

from __future__ import annotations

import math

import numpy as np


def column_of_mass(layers: list[tuple[float, float]]) -> float:
    """Mass (m w.e.) of a column given as (thickness m, density kg m-3)."""
    return sum(thickness * density for thickness, density in layers) / 1000


def balance_by_bookkeeping(top1: float, old: dict, top2: float, new: dict, bottom: float = 50.0) -> float:
    """Balance at a stake by weighing the column of ice, superimposed ice and snow at both visits.

    ``top`` is the height of the stake's top above the present surface; the stake's foot is 50 m of ice below the ice
    surface of the first visit. ``old`` and ``new`` hold snow, rho_snow, si, rho_ice, rho_si.
    """
    ice_1 = bottom
    stake_top = bottom + old["si"] + old["snow"] + top1
    ice_2 = stake_top - top2 - new["snow"] - new["si"]
    before = [(ice_1, old["rho_ice"]), (old["si"], old["rho_si"]), (old["snow"], old["rho_snow"])]
    after = [(ice_2, old["rho_ice"]), (new["si"], old["rho_si"]), (new["snow"], new["rho_snow"])]
    return column_of_mass(after) - column_of_mass(before)


def kriging_by_lagrange(positions, elevation, values, noise, sill, length, target, target_elevation):
    """Universal kriging of the noise-free field at points, by the augmented system with Lagrange multipliers.

    Returns the prediction and variance at each target, one at a time; nothing is inverted twice or shared.
    """
    n = len(values)
    origin = float(np.mean(elevation))
    system = np.zeros((n + 2, n + 2))
    for i in range(n):
        for j in range(n):
            distance = math.dist(positions[i], positions[j])
            system[i, j] = sill * math.exp(-distance / length) + (noise[i] if i == j else 0.0)
        system[i, n:] = system[n:, i] = 1.0, (elevation[i] - origin) / 100
    predictions, variances = [], []
    for where, height in zip(target, target_elevation, strict=True):
        right = [sill * math.exp(-math.dist(where, point) / length) for point in positions]
        right = np.array([*right, 1.0, (height - origin) / 100])
        solution = np.linalg.solve(system, right)
        predictions.append(float(solution[:n] @ values))
        variances.append(float(sill - solution @ right))
    return np.array(predictions), np.array(variances)


def area_mean_by_pairs(positions, elevation, values, noise, sill, length, target, target_elevation):
    """Mean of the field over targets and its kriging variance, by summing over all pairs of targets."""
    n, m = len(values), len(target)
    origin = float(np.mean(elevation))
    points = np.asarray(positions, float)
    pixels = np.asarray(target, float)

    def covariance(a, b):
        return sill * np.exp(-np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1]) / length)

    system = np.zeros((n + 2, n + 2))
    system[:n, :n] = covariance(points, points) + np.diag(noise)
    drift = np.column_stack([np.ones(n), (np.asarray(elevation) - origin) / 100])
    system[:n, n:], system[n:, :n] = drift, drift.T
    mean_height = (float(np.mean(target_elevation)) - origin) / 100
    right = np.concatenate([covariance(points, pixels).mean(axis=1), [1.0, mean_height]])
    solution = np.linalg.solve(system, right)
    within = float(covariance(pixels, pixels).sum()) / m**2
    return float(solution[:n] @ values), within - float(solution @ right)
