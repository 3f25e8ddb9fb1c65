"""The balance field between points: universal kriging with elevation as linear drift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dpotri
from scipy.spatial.distance import cdist, pdist

from pipeline.grid import BoolArray, FloatArray
from pipeline.mass_balance.field.beyond import STRAIGHT_ON, Beyond
from pipeline.mass_balance.ground import SortedHeights

# pixels handled at once: bounds the memory of the covariance between pixels and points
_CHUNK_PIXELS = 20_000
# points that enter the covariance fit in one year at most: the cost grows with their cube, so that many years share
# what few years may spend
_FIT_POINTS = 150
_FIT_CUBES = 8e6
_GRID_STEPS = 13
_ZOOMS = 3


@dataclass(frozen=True, kw_only=True)
class Points:
    """Point balances of one year.

    Attributes
    ----------
    easting, northing, elevation_m : where they lie (m), shape (points,).
    balance_m_we : their balances.
    sigma_random_m_we : what is particular to each point: its readings, and how well it stands for its surroundings.
    """

    easting: FloatArray
    northing: FloatArray
    elevation_m: FloatArray
    balance_m_we: FloatArray
    sigma_random_m_we: FloatArray

    @property
    def count(self) -> int:
        """Number of points."""
        return int(self.balance_m_we.size)

    @property
    def positions(self) -> FloatArray:
        """Easting and northing, shape (points, 2)."""
        return np.column_stack([self.easting, self.northing])

    def taken(self, chosen: NDArray[Any]) -> Points:
        """Some of the points, by index or mask."""
        return Points(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})

    def joined(self, others: Points) -> Points:
        """These points and others."""
        names = self.__dataclass_fields__
        return Points(**{name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in names})


@dataclass(frozen=True)
class ElevationTrend:
    """The drift of a field: one, and elevation where the points differ in it.

    Attributes
    ----------
    origin_m : elevation at which the second term is zero.
    with_elevation : whether there is a second term.
    span_m : lowest and highest elevation of the points, beyond which the profile may bend.
    beyond : how it goes on there.
    """

    origin_m: float
    with_elevation: bool
    span_m: tuple[float, float]
    beyond: Beyond = STRAIGHT_ON

    @classmethod
    def of(cls, points: Points, beyond: Beyond | None = None) -> ElevationTrend:
        """That of some points: without elevation where all lie at one height, or are fewer than three."""
        elevation = points.elevation_m
        with_elevation = points.count >= 3 and float(np.ptp(elevation)) > 1.0
        span = (float(elevation.min()), float(elevation.max()))
        return cls(float(elevation.mean()), with_elevation, span, beyond or STRAIGHT_ON)

    def at(self, elevation_m: FloatArray) -> FloatArray:
        """Drift at some elevations, shape (n, 1) or (n, 2): one, and hundreds of metres above the origin."""
        ones = np.ones_like(elevation_m)
        if not self.with_elevation:
            return ones[:, None]
        return np.column_stack([ones, (self.stretched(elevation_m) - self.origin_m) / 100])

    def mean_over(self, heights: SortedHeights) -> FloatArray:
        """Mean of the drift over an area, shape (1,) or (2,).

        Parameters
        ----------
        heights : of the area's pixels.
        """
        if not self.with_elevation:
            return np.ones(1)
        lowest, highest = self.span_m
        over, under = heights.mean_above(highest), heights.mean_below(lowest)
        stretched = heights.mean_m - (1 - self.beyond.above) * over + (1 - self.beyond.below) * under
        return np.array([1.0, (stretched - self.origin_m) / 100])

    def added(self, elevation_m: FloatArray) -> FloatArray:
        """What the gradient of a region adds beyond the points (m w.e.), same shape."""
        return self.beyond.added(elevation_m, self.span_m[0])

    def stretched(self, elevation_m: FloatArray) -> FloatArray:
        """Elevations at which the profile of the points has the balance that is taken (m), same shape."""
        return self.beyond.stretched(elevation_m, *self.span_m)


@dataclass(frozen=True)
class Covariance:
    """C(d) = sill exp(-d / range) of the balance left over when the elevation trend is taken off.

    Attributes
    ----------
    sill_m2_we2 : variance ((m w.e.)^2).
    range_m : distance over which it falls by e (m); the practical range is three times this.
    """

    sill_m2_we2: float
    range_m: float

    def of(self, distance_m: FloatArray) -> FloatArray:
        """Covariance at a distance (m), any shape."""
        return np.asarray(self.sill_m2_we2 * np.exp(-distance_m / self.range_m))


@dataclass(frozen=True, kw_only=True)
class Kriged:
    """Points made ready for kriging: the matrices every prediction shares.

    K = C + N, F the drift (1, elevation), P = K^-1 - K^-1 F (F' K^-1 F)^-1 F' K^-1.
    """

    points: Points
    covariance: Covariance
    noise: FloatArray
    trend: ElevationTrend
    inverse: FloatArray
    drift_inverse: FloatArray
    drift: FloatArray

    @property
    def coefficients(self) -> FloatArray:
        """Generalised least-squares drift: balance at the origin's elevation (m w.e.), and its gradient per 100 m."""
        return np.asarray(self.drift_inverse @ self.drift.T @ self.inverse @ self.points.balance_m_we)


@dataclass(frozen=True)
class Prediction:
    """A kriged field at pixels: balance and its standard deviation (m w.e.), shape (pixels,)."""

    balance_m_we: FloatArray
    sigma_m_we: FloatArray


@dataclass(frozen=True)
class AreaMean:
    """The mean of the field over an area.

    Attributes
    ----------
    balance_m_we : the mean.
    weights : weight of each point in it, shape (points,); they add up to one.
    variance : kriging variance of the mean ((m w.e.)^2), the noise of the points included.
    noise_variance : the part of it that comes from the noise of the points.
    """

    balance_m_we: float
    weights: FloatArray
    variance: float
    noise_variance: float


def fit_covariance(years: Sequence[Points]) -> Covariance:
    """Covariance of the balance about the elevation trend, by restricted maximum likelihood over all years together.

    The pattern of snow drift and shade returns every year, so the years share one covariance. With r the generalised
    least-squares residuals, minus twice the log-likelihood of a year is

        log|K| + log|F' K^-1 F| + r' K^-1 r,    K = sill exp(-d / range) + diag(sigma^2).

    The minimum is sought on a grid of log range and log sill that is refined three times, so it needs no start value
    and always gives the same answer. The range stays between the typical distance of neighbours and the extent of the
    network, the sill between (0.01 m w.e.)^2 and four times the variance about the trend.

    Limits: with fewer than six degrees of freedom nothing can be fitted; the range is then a third of the extent and
    the sill what the variance about the trend leaves above the noise.

    References: Patterson and Thompson (1971), Biometrika 58(3), eq. 5; Cressie (1993), 2.6.
    """
    enough = [points for points in years if points.count >= 3]
    if not enough:
        raise ValueError("a covariance needs a year with three points")
    most = min(_FIT_POINTS, round((_FIT_CUBES / len(enough)) ** (1 / 3)))
    thinned = [_thinned(points, most) for points in enough]
    extent = max(float(pdist(points.positions).max()) for points in thinned)
    extent = max(extent, 1.0)
    residual = _mean_residual_variance(thinned)
    noise = float(np.mean([np.mean(points.sigma_random_m_we**2) for points in thinned]))
    freedom = sum(points.count - _drift(points).shape[1] for points in thinned)
    if freedom < 6:
        return Covariance(max(residual - noise, 1e-4), extent / 3)
    lowest = (math.log(max(_neighbour_distance(thinned), extent / 50)), math.log(1e-4))
    highest = (math.log(extent), math.log(max(4 * residual, 4e-4)))
    best = _refined_minimum(thinned, lowest, highest)
    return Covariance(math.exp(best[1]), math.exp(best[0]))


def _refined_minimum(
    years: Sequence[Points], lowest: tuple[float, float], highest: tuple[float, float]
) -> tuple[float, float]:
    """(log range, log sill) of the greatest likelihood inside a box, by a grid that closes in on the best node."""
    prepared = [
        _Prepared(cdist(p.positions, p.positions), _drift(p), p.balance_m_we, p.sigma_random_m_we**2) for p in years
    ]
    low, high = np.array(lowest), np.array(highest)
    best = low
    for _ in range(_ZOOMS):
        axes = [np.linspace(low[k], high[k], _GRID_STEPS) for k in range(2)]
        scores = []
        for log_range in axes[0]:
            deviances = np.sum([_deviances(year, float(log_range), axes[1]) for year in prepared], axis=0)
            scores += [(float(d), float(log_range), float(s)) for d, s in zip(deviances, axes[1], strict=True)]
        best = np.array(min(scores)[1:])
        step = np.array([axis[1] - axis[0] for axis in axes])
        low, high = np.maximum(best - step, lowest), np.minimum(best + step, highest)
    return float(best[0]), float(best[1])


@dataclass(frozen=True)
class _Prepared:
    distance: FloatArray
    drift: FloatArray
    balance: FloatArray
    noise: FloatArray


def _deviances(year: _Prepared, log_range: float, log_sill: FloatArray) -> FloatArray:
    """Minus twice the restricted log-likelihood of one year at one range and several sills, without its constant."""
    correlation = Covariance(1.0, math.exp(log_range)).of(year.distance)
    matrices = np.exp(log_sill)[:, None, None] * correlation + np.diag(year.noise)
    factors = np.linalg.cholesky(matrices)
    known = np.repeat(np.column_stack([year.drift, year.balance])[None], len(log_sill), axis=0)
    whitened = np.linalg.solve(factors, known)
    drift, balance = whitened[:, :, :-1], whitened[:, :, -1:]
    normal = drift.transpose(0, 2, 1) @ drift
    residual = balance - drift @ np.linalg.solve(normal, drift.transpose(0, 2, 1) @ balance)
    log_determinant = 2 * np.sum(np.log(np.diagonal(factors, axis1=1, axis2=2)), axis=1)
    return np.asarray(log_determinant + np.linalg.slogdet(normal)[1] + np.sum(residual**2, axis=(1, 2)))


def _thinned(points: Points, most: int) -> Points:
    """At most so many points, evenly taken in order of elevation."""
    if points.count <= most:
        return points
    order = np.argsort(points.elevation_m, kind="stable")
    return points.taken(np.sort(order[np.linspace(0, points.count - 1, most).round().astype(int)]))


def _mean_residual_variance(years: Sequence[Points]) -> float:
    """Variance of the balances about each year's straight line with elevation, degrees of freedom taken off."""
    squares, freedom = 0.0, 0
    for points in years:
        drift = _drift(points)
        residual = points.balance_m_we - drift @ np.linalg.lstsq(drift, points.balance_m_we, rcond=None)[0]
        squares += float(residual @ residual)
        freedom += points.count - drift.shape[1]
    return squares / max(freedom, 1)


def _neighbour_distance(years: Sequence[Points]) -> float:
    distances = []
    for points in years:
        matrix = cdist(points.positions, points.positions)
        np.fill_diagonal(matrix, np.inf)
        distances.append(float(np.median(matrix.min(axis=1))))
    return float(np.median(distances))


def _drift(points: Points) -> FloatArray:
    """Drift of the points, shape (points, 1 or 2)."""
    return ElevationTrend.of(points).at(points.elevation_m)


def prepare(points: Points, covariance: Covariance, beyond: Beyond | None = None) -> Kriged:
    """Set up universal kriging (Cressie, 1993, eq. 3.4.2) for the points of one year.

    The drift may bend ``beyond`` the points.
    """
    trend = ElevationTrend.of(points, beyond)
    drift = trend.at(points.elevation_m)
    noise = points.sigma_random_m_we**2
    matrix = covariance.of(cdist(points.positions, points.positions)) + np.diag(noise + 1e-12)
    inverse = _inverse(matrix)
    drift_inverse = np.linalg.inv(drift.T @ inverse @ drift)
    return Kriged(
        points=points,
        covariance=covariance,
        noise=noise,
        trend=trend,
        inverse=inverse,
        drift_inverse=drift_inverse,
        drift=drift,
    )


def _inverse(matrix: FloatArray) -> FloatArray:
    """Inverse of a covariance matrix by its Cholesky factor; by elimination where rounding leaves it no factor."""
    factor, failed = dpotrf(matrix, lower=1)
    if failed:
        return np.asarray(np.linalg.inv(matrix))
    half, _ = dpotri(factor, lower=1)
    lower = np.tril(half)
    return np.asarray(lower + np.tril(lower, -1).T)


def predict(kriged: Kriged, easting: FloatArray, northing: FloatArray, elevation_m: FloatArray) -> Prediction:
    """The field at pixels, all shape (pixels,); NaN elevation gives NaN.

    b(x) = f' beta + c' K^-1 (y - F beta); variance sill - c' K^-1 c + g' (F' K^-1 F)^-1 g with g = f - F' K^-1 c. The
    noise of the points is filtered: the field passes near a stake, not through it.
    """
    balance, variance = np.empty(easting.size), np.empty(easting.size)
    beta = kriged.coefficients
    scaled_residual = kriged.inverse @ (kriged.points.balance_m_we - kriged.drift @ beta)
    for start in range(0, easting.size, _CHUNK_PIXELS):
        part = slice(start, start + _CHUNK_PIXELS)
        where = np.column_stack([easting[part], northing[part]])
        covariance = kriged.covariance.of(cdist(where, kriged.points.positions))
        drift = kriged.trend.at(elevation_m[part])
        weighted = covariance @ kriged.inverse
        gap = drift - weighted @ kriged.drift
        balance[part] = drift @ beta + covariance @ scaled_residual
        variance[part] = kriged.covariance.sill_m2_we2 - np.einsum("ij,ij->i", weighted, covariance)
        variance[part] += np.einsum("ij,jk,ik->i", gap, kriged.drift_inverse, gap)
    return Prediction(balance, np.sqrt(np.maximum(variance, 0.0)))


def area_mean(kriged: Kriged, grid_mask: BoolArray, pixel_m: tuple[float, float], pixels: Points) -> AreaMean:
    """Mean of the field over pixels with its exact kriging variance.

    ``grid_mask`` is the area on its grid, ``pixel_m`` (width, height) of a pixel, ``pixels`` the same pixels as points.
    With c and f the means of covariance and drift over the area and g = f - F' K^-1 c, the weights are
    K^-1 [c + F (F' K^-1 F)^-1 g] and the variance C(area, area) - c' K^-1 c + g' (F' K^-1 F)^-1 g
    (block kriging: Cressie, 1993, section 3.4).

    Parameters
    ----------
    kriged : the prepared system of a year's points.
    grid_mask : the area on its grid, shape (rows, columns).
    pixel_m : (width, height) of a pixel, m.
    pixels : the same pixels as points.
    """
    inside = mean_covariance_within(grid_mask, pixel_m, kriged.covariance)
    return area_mean_of(kriged, _mean_covariance(kriged, pixels), SortedHeights.of(pixels.elevation_m), inside)


def area_mean_of(kriged: Kriged, mean_covariance: FloatArray, heights: SortedHeights, inside: float) -> AreaMean:
    """``area_mean`` from its parts: mean covariance of each point with the area, shape (points,), elevations of the
    area's pixels, and the mean covariance within the area."""
    mean_drift = kriged.trend.mean_over(heights)
    gap = mean_drift - kriged.drift.T @ kriged.inverse @ mean_covariance
    weights = kriged.inverse @ (mean_covariance + kriged.drift @ kriged.drift_inverse @ gap)
    variance = inside - mean_covariance @ kriged.inverse @ mean_covariance + gap @ kriged.drift_inverse @ gap
    return AreaMean(
        float(weights @ kriged.points.balance_m_we),
        weights,
        max(float(variance), 0.0),
        float(weights**2 @ kriged.noise),
    )


def _mean_covariance(kriged: Kriged, pixels: Points) -> FloatArray:
    """Mean covariance of each point with all pixels, shape (points,)."""
    total = np.zeros(kriged.points.count)
    for start in range(0, pixels.count, _CHUNK_PIXELS):
        where = pixels.positions[start : start + _CHUNK_PIXELS]
        total += kriged.covariance.of(cdist(where, kriged.points.positions)).sum(axis=0)
    return total / pixels.count


def mean_covariance_within(mask: BoolArray, pixel_m: tuple[float, float], covariance: Covariance) -> float:
    """Mean covariance between all pairs of pixels of an area: its autocorrelation, by FFT, times the covariance."""
    rows, columns = mask.shape
    padded = (2 * rows, 2 * columns)
    spectrum = np.fft.rfft2(mask.astype(float), padded)
    pairs = np.fft.irfft2(np.abs(spectrum) ** 2, padded)
    row = np.minimum(np.arange(padded[0]), padded[0] - np.arange(padded[0])) * pixel_m[1]
    column = np.minimum(np.arange(padded[1]), padded[1] - np.arange(padded[1])) * pixel_m[0]
    distance = np.hypot(row[:, None], column[None, :])
    return float(np.sum(pairs * covariance.of(distance)) / float(mask.sum()) ** 2)


def leave_one_out(kriged: Kriged) -> tuple[FloatArray, FloatArray]:
    """Each point predicted from the others: error (m w.e.) and error over its predicted standard deviation.

    With P as in ``Kriged``, the error is (P y)_i / P_ii and its variance 1 / P_ii (Dubrule, 1983, Math. Geol. 15(6)).
    """
    outer = kriged.inverse @ kriged.drift
    projector = kriged.inverse - outer @ kriged.drift_inverse @ outer.T
    diagonal = np.maximum(np.diag(projector), 1e-12)
    error = projector @ kriged.points.balance_m_we / diagonal
    return error, error * np.sqrt(diagonal)
