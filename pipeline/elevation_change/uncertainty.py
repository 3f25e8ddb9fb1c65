"""Uncertainty of an elevation change: per pixel by terrain, in space by a variogram, per glacier by integration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft2, next_fast_len, rfft2
from scipy.interpolate import RegularGridInterpolator
from scipy.optimize import nnls

from pipeline.elevation_change.statistics import nmad, within_nmad
from pipeline.grid import BoolArray, FloatArray
from schemas.errors import BadInput

LEAST_PIXELS_IN_CLASS = 60
RESIDUAL_LIMIT_NMAD = 4.0


@dataclass(frozen=True)
class TerrainSigma:
    """Standard deviation of dh as a function of slope and absolute maximum curvature (Hugonnet et al., 2022, eq. 5).

    Attributes
    ----------
    slope_deg, curvature_per_100m : class centres, increasing.
    sigma_m : shape (slopes, curvatures).
    """

    slope_deg: FloatArray
    curvature_per_100m: FloatArray
    sigma_m: FloatArray

    def on(self, slope: FloatArray, curvature: FloatArray) -> FloatArray:
        """sigma on every pixel, float32, m; classes' end values hold beyond them, NaN where slope is unknown."""
        interpolate = RegularGridInterpolator((self.slope_deg, self.curvature_per_100m), self.sigma_m)
        steep = np.clip(slope, self.slope_deg[0], self.slope_deg[-1])
        bent = np.clip(np.abs(np.nan_to_num(curvature)), self.curvature_per_100m[0], self.curvature_per_100m[-1])
        known = np.isfinite(slope)
        result = np.full(slope.shape, np.nan, np.float32)
        result[known] = interpolate(np.column_stack([steep[known], bent[known]]))
        return result


@dataclass(frozen=True)
class Variogram:
    """Spatial correlation of standardised residuals: a sum of spherical models without nugget gap at a pixel's size.

    gamma(h) = sum_k s_k sph(h / r_k); correlation rho(h) = 1 - gamma(h) / sum_k s_k (Rolstad et al., 2009, eq. 1;
    Hugonnet et al., 2022, eq. 13).

    Attributes
    ----------
    ranges_m, sills : one a model, sills sum to the variance of the standardised residuals (about 1).
    lag_m, empirical, pairs : the empirical variogram it was fitted to.
    """

    ranges_m: tuple[float, ...]
    sills: tuple[float, ...]
    lag_m: FloatArray
    empirical: FloatArray
    pairs: FloatArray

    def covariance(self, distance_m: FloatArray) -> FloatArray:
        """Covariance of standardised residuals at a distance; shaped like distance_m."""
        total = np.zeros_like(distance_m)
        for reach, sill in zip(self.ranges_m, self.sills, strict=True):
            total += sill * (1 - spherical(distance_m / reach))
        return total

    @property
    def correlation_area_m2(self) -> float:
        """Integral of the correlation over the plane: the area that one independent value stands for."""
        # for the spherical model the integral of 1 - sph over a disc of its range is pi r^2 / 5
        weighted = sum(sill * np.pi * reach**2 / 5 for reach, sill in zip(self.ranges_m, self.sills, strict=True))
        return float(weighted / sum(self.sills))


def spherical(ratio: FloatArray) -> FloatArray:
    """Spherical variogram model of unit sill, 1.5 x - 0.5 x^3 up to x = 1."""
    near = np.minimum(ratio, 1.0)
    result: FloatArray = 1.5 * near - 0.5 * near**3
    return result


def terrain_sigma(dh: FloatArray, slope: FloatArray, curvature: FloatArray, stable: BoolArray) -> TerrainSigma:
    """NMAD of stable dh in classes of slope and absolute maximum curvature (Hugonnet et al., 2022, section III-C).

    Classes with fewer than 60 pixels take the value of the nearest filled one along curvature, then slope. The field
    is scaled so that the standardised residuals have unit standard deviation.
    """
    known = stable & np.isfinite(dh) & np.isfinite(slope) & np.isfinite(curvature)
    values, steep, bent = dh[known].astype(float), slope[known].astype(float), np.abs(curvature[known]).astype(float)
    slope_edges, curve_edges = _quantile_edges(steep, 9), _quantile_edges(bent, 7)
    row = np.clip(np.searchsorted(slope_edges, steep, "right") - 1, 0, slope_edges.size - 2)
    column = np.clip(np.searchsorted(curve_edges, bent, "right") - 1, 0, curve_edges.size - 2)
    table = np.full((slope_edges.size - 1, curve_edges.size - 1), np.nan)
    member = row * table.shape[1] + column
    order = np.argsort(member, kind="stable")
    for number, group in enumerate(np.split(order, np.searchsorted(member[order], np.arange(1, table.size)))):
        if group.size >= LEAST_PIXELS_IN_CLASS:
            table.flat[number] = nmad(values[group])
    filled = _fill_nearest(table, nmad(values))
    model = TerrainSigma(_centres(slope_edges), _centres(curve_edges), np.maximum(filled, 1e-3))
    residual = values / model.on(steep, bent)
    inside = residual[within_nmad(residual, np.ones(residual.shape, bool), RESIDUAL_LIMIT_NMAD)]
    return TerrainSigma(model.slope_deg, model.curvature_per_100m, model.sigma_m * float(inside.std()))


def _quantile_edges(values: FloatArray, classes: int) -> FloatArray:
    edges = np.unique(np.percentile(values, np.linspace(0, 100, classes + 1)))
    # one class only: open it so that it has a width
    return edges if edges.size >= 3 else np.array([edges[0], edges[0] + 0.5, edges[-1] + 1.0])


def _centres(edges: FloatArray) -> FloatArray:
    centres: FloatArray = (edges[:-1] + edges[1:]) / 2
    return centres


def _fill_nearest(table: FloatArray, fallback: float) -> FloatArray:
    filled = table.copy()
    for lines in (filled, filled.T):
        for line in lines:
            known = np.nonzero(np.isfinite(line))[0]
            if known.size and known.size < line.size:
                nearest = known[np.abs(np.arange(line.size)[:, None] - known).argmin(axis=1)]
                line[:] = line[nearest]
    return np.where(np.isfinite(filled), filled, fallback)


def empirical_variogram(
    residual: FloatArray, known: BoolArray, pixel_m: float, farthest_m: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Empirical variogram of all pixel pairs, through the autocorrelation of the masked field by FFT.

    gamma(h) = sum over pairs (z_i - z_j)^2 / 2 N(h), the sum being m.z^2 + z^2.m - 2 z.z correlated at lag h.

    Parameters
    ----------
    residual : standardised residuals, any value where not known.
    known : pixels to use; shaped like residual.
    farthest_m : greatest lag.

    Returns
    -------
    Mean lag (m), variogram and number of pairs of each distance class; the classes widen geometrically.
    """
    reach = int(min(farthest_m / pixel_m, *(np.array(residual.shape) - 1)))
    shape = [next_fast_len(size + reach, real=True) for size in residual.shape]
    mask = known.astype(np.float64)
    z = np.where(known, residual, 0.0).astype(np.float64)
    f_mask, f_z, f_square = (rfft2(field, shape) for field in (mask, z, z * z))
    pairs = irfft2(f_mask * np.conj(f_mask), shape)
    cross = irfft2(f_z * np.conj(f_z), shape)
    square = irfft2(f_square * np.conj(f_mask), shape)
    # lags of the upper half plane; the other half repeats them
    rows, columns = np.mgrid[0 : reach + 1, -reach : reach + 1]
    index = (rows % shape[0], columns % shape[1])
    mirrored = (-rows % shape[0], -columns % shape[1])
    weight = pairs[index]
    squares = square[index] + square[mirrored] - 2 * cross[index]
    distance = np.hypot(rows, columns)
    once = (rows > 0) | (columns > 0)
    use = once & (distance <= reach) & (weight > 0.5)
    edges = np.concatenate([[0.9, 1.2, 1.8, 2.5, 3.5], np.geomspace(4.5, reach + 1, 28)])
    member = np.digitize(distance[use], edges)
    sums = [
        np.bincount(member, part, edges.size + 1) for part in (squares[use], weight[use], distance[use] * weight[use])
    ]
    filled = sums[1] > 30
    counts: FloatArray = sums[1][filled].astype(np.float64)
    return sums[2][filled] / counts * pixel_m, sums[0][filled] / (2 * counts), counts


def fit_variogram(residual: FloatArray, known: BoolArray, pixel_m: float) -> Variogram:
    """Fit a sum of spherical models to the empirical variogram by non-negative least squares over many ranges.

    The problem is convex, so the fit cannot end in a local minimum, and it picks the few ranges that the data support.

    Errors
    ------
    BadInput : the fit collapses to uncorrelated noise although the residuals of windows show correlation.
    """
    farthest = 0.5 * pixel_m * float(np.hypot(*residual.shape))
    lag, gamma, pairs = empirical_variogram(residual, known, pixel_m, farthest)
    ranges = np.geomspace(1.01 * pixel_m, farthest, 36)
    design = spherical(lag[:, None] / ranges[None, :])
    # weights as Cressie (1985): pairs against the variogram's own size, damped so that far lags do not drown near ones
    weight = np.sqrt(pairs / pairs.max()) ** 0.5 / np.maximum(gamma, 0.05 * gamma.max())
    sills, _ = nnls(design * weight[:, None], gamma * weight)
    kept = sills > 1e-4 * sills.sum()
    model = Variogram(tuple(ranges[kept].tolist()), tuple(sills[kept].tolist()), lag, gamma, pairs)
    _refuse_collapse(model, residual, known, pixel_m)
    return model


def _refuse_collapse(model: Variogram, residual: FloatArray, known: BoolArray, pixel_m: float) -> None:
    """Compare the predicted spread of window means with the one found; a tenfold gap means the fit is worthless."""
    size = max(4, min(20, min(residual.shape) // 8))
    means = window_means(residual, known, size)
    if means.size < 20:
        return
    predicted = sigma_of_mean(np.ones((size, size)), np.ones((size, size), bool), model, pixel_m)
    found = float(means.std())
    if found > 4 * predicted:
        raise BadInput(
            "variogram",
            f"a predicted spread of {predicted:.3f} sigma for windows of {size} pixels where {found:.3f} is found",
            "a variogram that reproduces the spread of window means",
            "check the stable terrain for leftovers of change",
        )


def window_means(values: FloatArray, known: BoolArray, size: int) -> FloatArray:
    """Means of the square windows of ``size`` pixels that are at least 90 % known; shape (windows,)."""
    rows, columns = (length // size for length in values.shape)
    cut = (slice(0, rows * size), slice(0, columns * size))
    blocks = np.where(known, values, 0.0)[cut].astype(np.float64).reshape(rows, size, columns, size)
    counts = known[cut].reshape(rows, size, columns, size).sum(axis=(1, 3))
    full = counts >= 0.9 * size * size
    means: FloatArray = blocks.sum(axis=(1, 3))[full] / counts[full]
    return means


class CovarianceIntegrator:
    """Standard deviations of means over shapes within one box, by summing the covariance of all pixel pairs.

    sigma^2 = (1 / n^2) sum_i sum_j sigma_i sigma_j rho(|i - j|), the double sum that Rolstad et al. (2009, eq. 8) and
    Hugonnet et al. (2022, eq. 18) approximate by a disc or by samples; here exact, by FFT (Parseval): the covariance's
    spectrum is computed once a box and serves every shape in it.
    """

    def __init__(self, shape: tuple[int, int], variogram: Variogram, pixel_m: float) -> None:
        # beyond the longest range the covariance is zero, so that padding by it suffices
        reach = int(np.ceil(max(variogram.ranges_m) / pixel_m)) if variogram.ranges_m else 1
        self._shape = tuple(next_fast_len(size + min(size - 1, reach), real=True) for size in shape)
        lags = [np.minimum(np.arange(size), size - np.arange(size)) for size in self._shape]
        distance = pixel_m * np.hypot(lags[0][:, None], lags[1][None, :])
        self._spectrum = rfft2(variogram.covariance(distance), workers=2).real

    def sigma_of_mean(self, sigma: FloatArray, mask: BoolArray) -> float:
        """Standard deviation of the mean over ``mask``, m.

        Parameters
        ----------
        sigma : per-pixel standard deviation, m; shape of mask, the box's.
        mask : pixels over which the mean is taken.

        Returns
        -------
        float, m; 0 for an empty mask.
        """
        count = int(mask.sum())
        if count == 0:
            return 0.0
        weights = np.where(mask, sigma, 0.0).astype(np.float64)
        power = np.abs(rfft2(weights, self._shape, workers=2)) ** 2 * self._spectrum
        # the half spectrum holds every column but the first (and the last, for an even width) twice
        last = power[:, -1].sum() if self._shape[1] % 2 == 0 else 0.0
        total = (2 * power.sum() - power[:, 0].sum() - last) / (self._shape[0] * self._shape[1])
        return float(np.sqrt(max(float(total), 0.0)) / count)


def sigma_of_mean(sigma: FloatArray, mask: BoolArray, variogram: Variogram, pixel_m: float) -> float:
    """``CovarianceIntegrator.sigma_of_mean`` for a single shape."""
    rows, columns = np.nonzero(mask)
    if rows.size == 0:
        return 0.0
    box = (slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1))
    cut = mask[box]
    return CovarianceIntegrator((cut.shape[0], cut.shape[1]), variogram, pixel_m).sigma_of_mean(sigma[box], cut)
