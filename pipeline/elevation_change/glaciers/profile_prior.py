"""What a region's glaciers tell about the profile of any one of them, before its own change is looked at.

The profile of glacier j at position p between its lowest and highest elevation is

    beta_j(p) = l_j + t_j f(p) + b_j df/d(ln k) + r_j(p),    f(p) = (1 - p)^k

a level at the top, a change of the tongue, its bend, and a smooth rest. Published profiles have that form with k from 2
for small to 6 for large glaciers and with no change at the top (Huss et al., 2010). k, and how widely level, tongue,
bend and rest differ between glaciers, are the most probable ones of the region's measured parts; little known, they
stay near those profiles. Level, tongue and bend that a glacier is expected to have are the mean of the others', each
counted by what it knows and by how near it lies and how like its size is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.normalised_profile import NODES, PARTS, PositionSums, margin_factors
from pipeline.elevation_change.glaciers.profile_deviation import Deviation
from pipeline.elevation_change.uncertainty import Variogram
from pipeline.grid import FloatArray

# distance and ratio of areas (ln) at which another glacier counts for exp(-1/2), and the least that it counts
NEAR_M, LIKE_SIZE, LEAST_WEIGHT = 15_000.0, 1.0, 0.05
# before anything is measured, in root mean squares of the change: how widely glaciers differ in level, tongue, bend and
# rest, and how far the region's own level, tongue and bend may lie from (0, 0, 0)
SPREAD, SIGMA_REGION = (0.25, 0.8, 0.4, 0.15), (0.3, 3.0, 0.6)
BEND = 2.2
# standard deviations of the logarithms of the spreads and of the bend
SIGMA_LN_SPREAD, SIGMA_LN_BEND = 0.8, 0.5
LEAST_BEND, MOST_BEND = 1.0, 8.0
# the rest is correlated over such a part of the elevation range, and smaller at the top
REACH, REST_AT_TOP = 0.3, 0.35
# the spreads are taken from so many glaciers at most, in so many steps
MOST_GLACIERS, MOST_STEPS = 60, 160
LEAST_SCALE_M = 0.05
# parts without a measured pixel enter with an error beyond any
UNKNOWN_M2 = 1e8
SAMPLED_AREAS = 40


@dataclass(frozen=True, kw_only=True)
class GlacierPrior:
    """What is expected of one glacier: arrays over the nodes of its profile.

    Attributes
    ----------
    mean_m, covariance_m2 : of the profile, given level, tongue and bend of the region; shape (nodes,), (nodes, nodes).
    shared : level, tongue and bend over the nodes, shape (nodes, 3).
    covariance_shared : of what is expected of level, tongue and bend, shape (3, 3).
    """

    mean_m: FloatArray
    covariance_m2: FloatArray
    shared: FloatArray
    covariance_shared: FloatArray

    @property
    def whole_m2(self) -> FloatArray:
        """Covariance of the profile from all sources, shape (nodes, nodes)."""
        whole: FloatArray = self.covariance_m2 + self.shared @ self.covariance_shared @ self.shared.T
        return whole


@dataclass(frozen=True, kw_only=True)
class ProfilePrior:
    """The region's profiles.

    Attributes
    ----------
    factor : of each margin class, shape (margins,).
    bend : k.
    scale_m : root mean square of the measured change.
    variance_m2 : of each part's mean as a value of the profile, shape (glaciers, parts).
    spread : standard deviations of level, tongue, bend and rest between glaciers, in ``scale_m``.
    place : easting (m), northing (m) and logarithm of the area of each glacier, shape (glaciers, 3).
    information, weighted : what each glacier tells about level, tongue and bend: inverse covariance and its product
        with the value; shape (glaciers, 3, 3) and (glaciers, 3).
    """

    factor: FloatArray
    bend: float
    scale_m: float
    variance_m2: FloatArray
    spread: FloatArray
    place: FloatArray
    information: FloatArray
    weighted: FloatArray

    @classmethod
    def of(
        cls, glaciers: Sequence[PositionSums], deviation: Deviation, error: Variogram, pixel_m: float
    ) -> ProfilePrior:
        """The prior of a region.

        Parameters
        ----------
        glaciers : sums of each that has a measured pixel.
        deviation : of the true change from a profile.
        error : spatial correlation of the error of measurement.
        pixel_m : side of a pixel, m.
        """
        factor = margin_factors(glaciers, error)
        data = _Data.of(glaciers, factor, deviation, error, pixel_m)
        spread, bend = _most_probable(data.of_some(), data.scale_m)
        information, weighted = data.told(spread, bend)
        return cls(
            factor=factor,
            bend=bend,
            scale_m=data.scale_m,
            variance_m2=data.variance,
            spread=spread,
            place=np.array([(own.easting_m, own.northing_m, np.log(own.area_m2)) for own in glaciers]).reshape(-1, 3),
            information=information,
            weighted=weighted,
        )

    def of_glacier(self, number: int) -> GlacierPrior:
        """What the others tell about one glacier.

        Parameters
        ----------
        number : of the glacier among those the prior was made of.
        """
        away = self.place - self.place[number]
        far = (away[:, 0] ** 2 + away[:, 1] ** 2) / NEAR_M**2 + (away[:, 2] / LIKE_SIZE) ** 2
        weight = np.maximum(np.exp(-far / 2), LEAST_WEIGHT)
        weight[number] = 0.0
        covariance = np.linalg.inv(self._region + np.tensordot(weight, self.information, 1))
        shared = _forms(self.bend)
        return GlacierPrior(
            mean_m=shared @ (covariance @ (weight @ self.weighted)),
            covariance_m2=_covariance(self.spread * self.scale_m, self.bend),
            shared=shared,
            covariance_shared=covariance,
        )

    @property
    def _region(self) -> FloatArray:
        return np.diag((np.array(SIGMA_REGION) * self.scale_m) ** -2.0)

    @property
    def covariance_shared(self) -> FloatArray:
        """Of the level, tongue and bend that all glaciers together tell, shape (3, 3)."""
        covariance: FloatArray = np.linalg.inv(self._region + self.information.sum(axis=0))
        return covariance


@dataclass(frozen=True)
class _Data:
    """Means of the parts: what they take of the nodes, their value (m) and its variance (m2); one row a glacier."""

    design: FloatArray
    mean: FloatArray
    variance: FloatArray
    scale_m: float

    @classmethod
    def of(
        cls,
        glaciers: Sequence[PositionSums],
        factor: FloatArray,
        deviation: Deviation,
        error: Variogram,
        pixel_m: float,
    ) -> _Data:
        if not glaciers:
            return cls(np.empty((0, PARTS, PARTS + 1)), np.empty((0, PARTS)), np.empty((0, PARTS)), LEAST_SCALE_M)
        count = np.stack([own.count for own in glaciers])
        mean = np.stack([own.mean_m for own in glaciers])
        area = np.maximum(count, 1) * pixel_m**2
        sigma = np.array([own.sigma_m for own in glaciers])[:, None]
        size = deviation.size_at((np.arange(PARTS) + 0.5) / PARTS)
        variance = sigma**2 * _of_discs(error, area) + size**2 * _of_discs(deviation.variogram, area)
        known = count > 0
        scale = np.sqrt(np.mean([np.mean(own[seen] ** 2) for own, seen in zip(mean, known, strict=True)]))
        variance = np.where(known, np.maximum(variance, (1e-3 * scale) ** 2 + 1e-6), UNKNOWN_M2)
        return cls(np.stack([own.design(factor) for own in glaciers]), mean, variance, max(scale, LEAST_SCALE_M))

    def of_some(self) -> _Data:
        """The data of at most so many glaciers, evenly chosen."""
        count = len(self.mean)
        chosen = np.unique(np.linspace(0, max(count - 1, 0), min(count, MOST_GLACIERS)).astype(int))
        return _Data(self.design[chosen], self.mean[chosen], self.variance[chosen], self.scale_m)

    def told(self, spread: FloatArray, bend: float) -> tuple[FloatArray, FloatArray]:
        """Information on level, tongue and bend, and its product with their values; of each glacier."""
        seen = self.design @ _forms(bend)
        solved = np.linalg.solve(self.covariance(spread, bend), np.dstack([seen, self.mean[..., None]]))
        both = np.swapaxes(seen, 1, 2) @ solved
        return both[..., :3], both[..., 3]

    def covariance(self, spread: FloatArray, bend: float) -> FloatArray:
        """Of the parts' means of each glacier, shape (glaciers, parts, parts)."""
        between = self.design @ _covariance(spread * self.scale_m, bend) @ np.swapaxes(self.design, 1, 2)
        between[:, np.arange(PARTS), np.arange(PARTS)] += self.variance
        return between


def _forms(bend: float) -> FloatArray:
    """Level, tongue and bend over the nodes, shape (nodes, 3)."""
    below = 1 - NODES
    power = below**bend
    return np.column_stack([np.ones(NODES.size), power, bend * power * np.log(np.maximum(below, 1e-9))])


def _covariance(spread_m: FloatArray, bend: float) -> FloatArray:
    """Covariance of the profiles of a region about their mean, m2, shape (nodes, nodes)."""
    forms = _forms(bend) * spread_m[:3]
    lag = np.sqrt(3) * np.abs(NODES[:, None] - NODES) / REACH
    size = spread_m[3] * (1 - (1 - REST_AT_TOP) * NODES)
    result: FloatArray = forms @ forms.T + np.outer(size, size) * (1 + lag) * np.exp(-lag)
    return result


def _most_probable(data: _Data, scale_m: float) -> tuple[FloatArray, float]:
    """Spreads and bend of greatest posterior density."""
    if not len(data.mean):
        return np.array(SPREAD), BEND
    from scipy.optimize import minimize  # only where there are voids

    start = np.zeros(len(SPREAD) + 1)
    options = {"maxfev": MOST_STEPS, "xatol": 0.05, "fatol": 0.02, "initial_simplex": _simplex(start.size)}
    best = minimize(_improbability, start, (data, scale_m), method="Nelder-Mead", options=options)
    return _spread_and_bend(best.x)


def _simplex(size: int) -> FloatArray:
    return np.vstack([np.zeros(size), 0.7 * np.eye(size)])


def _spread_and_bend(scores: FloatArray) -> tuple[FloatArray, float]:
    spread = np.array(SPREAD) * np.exp(SIGMA_LN_SPREAD * scores[:-1])
    return spread, float(np.clip(BEND * np.exp(SIGMA_LN_BEND * scores[-1]), LEAST_BEND, MOST_BEND))


def _improbability(scores: FloatArray, data: _Data, scale_m: float) -> float:
    """Minus the logarithm of the posterior density, but for a constant; scores are standard normal a priori."""
    spread, bend = _spread_and_bend(scores)
    covariance = data.covariance(spread, bend)
    factor = np.linalg.cholesky(covariance)
    seen = np.dstack([data.design @ _forms(bend), data.mean[..., None]])
    white = np.linalg.solve(factor, seen)
    sums = np.einsum("gpi,gpj->ij", white, white)
    region = np.diag((np.array(SIGMA_REGION) * scale_m) ** -2.0) + sums[:3, :3]
    logarithm = 2 * np.log(np.diagonal(factor, axis1=1, axis2=2)).sum() + np.linalg.slogdet(region)[1]
    square = sums[3, 3] - sums[:3, 3] @ np.linalg.solve(region, sums[:3, 3])
    return float(logarithm + square + scores @ scores) / 2


def _of_discs(variogram: Variogram, area_m2: FloatArray) -> FloatArray:
    """Variance of means over discs of these areas, by interpolation over their logarithms; shape of area_m2."""
    sampled = np.geomspace(area_m2.min(), 1.01 * area_m2.max(), SAMPLED_AREAS)
    variance = [variogram.variance_of_disc_mean(float(area)) for area in sampled]
    result: FloatArray = np.interp(np.log(area_m2), np.log(sampled), variance)
    return result
