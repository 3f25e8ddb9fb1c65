"""Fit of a sum of variogram models to an empirical variogram, and the refusal of one that does not hold."""

from __future__ import annotations

import numpy as np

from pipeline.blocks import Raster, Runner
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean
from pipeline.elevation_change.uncertainty.empirical_variogram import EmpiricalVariogram, empirical_variogram
from pipeline.elevation_change.uncertainty.variogram import Form, Variogram, correlation
from pipeline.grid import FloatArray
from schemas.errors import BadInput

RANGES = 36
FORMS = (Form.SPHERICAL, Form.GAUSSIAN)
# what dropping models may add to the sum of squared errors of the classes, each in units of its standard deviation
TOLERATED_MISFIT = 0.3
# relative error of a class however many pairs it has, and the size below which a class is not believed
RELATIVE_ERROR, LEAST_GAMMA = 0.01, 0.02
# how many times wider than predicted the means of windows may spread
COLLAPSE_RATIO = 2.0


def fit_variogram(residual: Raster, pixel_m: float, runner: Runner | None = None) -> Variogram:
    """Variogram of a raster of standardised residuals of any size: empirical, fitted, and checked against windows.

    Parameters
    ----------
    residual : shape (rows, columns), NaN off stable terrain and where void.
    pixel_m : pixel size, m.

    Errors
    ------
    BadInput : pixel pairs at too few distances, or a fit that predicts far smaller errors of means than are found.
    """
    empirical = empirical_variogram(residual, pixel_m, runner)
    model = fitted(empirical, pixel_m)
    require_no_collapse(model, empirical, pixel_m)
    return model


def fitted(empirical: EmpiricalVariogram, pixel_m: float) -> Variogram:
    """Fit a sum of spherical and gaussian models by non-negative least squares over many ranges of each.

    The problem is convex, so the fit cannot end in a local minimum, and it picks the ranges that the data support; then
    models are dropped, the least needed first, as long as the others fit as well. Gaussian models describe errors that
    resampling has smoothed, spherical ones all else.

    Parameters
    ----------
    empirical : semivariance by lag, and the pairs behind each.
    pixel_m : side of a pixel, m.

    Errors
    ------
    BadInput : residuals that do not vary at all.
    """
    lag, gamma, pairs = empirical.lag_m, empirical.gamma, empirical.pairs
    if not gamma.max() > 0:
        raise BadInput(
            "variogram",
            "no difference between any two stable pixels",
            "two DEMs with errors of their own",
            "check that both inputs are not the same DEM",
        )
    ranges = np.geomspace(1.01 * pixel_m, max(lag[-1], 2 * pixel_m), RANGES)
    candidates = [(form, reach) for form in FORMS for reach in ranges.tolist()]
    design = np.stack([1 - correlation(form, lag / reach) for form, reach in candidates], axis=1)
    weight = _weights(gamma, pairs)
    chosen, sills = _few_columns(design * weight[:, None], gamma * weight)
    order = sorted(range(len(chosen)), key=lambda number: candidates[chosen[number]][1])
    forms, reaches = zip(*(candidates[chosen[number]] for number in order), strict=True)
    return Variogram(
        ranges_m=reaches, sills=tuple(sills[order].tolist()), lag_m=lag, empirical=gamma, pairs=pairs, forms=forms
    )


def _few_columns(design: FloatArray, right: FloatArray) -> tuple[list[int], FloatArray]:
    """Non-negative least squares with as few columns as fit about as well as all of them; columns and coefficients."""
    # a sixth of a second that a run without uncertainty does not pay
    from scipy.optimize import nnls

    coefficients, misfit = nnls(design, right)
    chosen = np.flatnonzero(coefficients).tolist()
    most = misfit**2 + TOLERATED_MISFIT
    while len(chosen) > 1:
        without = [[number for number in chosen if number != dropped] for dropped in chosen]
        misfits = [nnls(design[:, fewer], right)[1] ** 2 for fewer in without]
        least = int(np.argmin(misfits))
        if misfits[least] > most:
            break
        chosen = without[least]
    return chosen, nnls(design[:, chosen], right)[0]


def _weights(gamma: FloatArray, pairs: FloatArray) -> FloatArray:
    """One over the error of each class: of its own size, from the number of pairs and from the field's few long waves.

    Weights by pairs alone (Cressie, 1985) would leave the near lags to noise: pairs at long lags are many, but all of
    them repeat the same long waves.
    """
    size = np.maximum(gamma, LEAST_GAMMA * gamma.max())
    weight: FloatArray = 1 / (size * np.sqrt(1 / pairs + RELATIVE_ERROR**2))
    return weight


def require_no_collapse(model: Variogram, empirical: EmpiricalVariogram, pixel_m: float) -> None:
    """Compare the predicted spread of window means with the one found: twice as wide, and the fit is worthless.

    Parameters
    ----------
    model : as fitted.
    empirical : semivariance by lag, and the spread of window means.
    pixel_m : side of a pixel, m.

    Errors
    ------
    BadInput : the fit collapses to uncorrelated noise although the residuals of windows show correlation.
    """
    for window in empirical.windows:
        whole = np.ones((window.size, window.size))
        predicted = sigma_of_mean(whole, whole > 0, model, pixel_m)
        if window.spread > COLLAPSE_RATIO * predicted:
            raise BadInput(
                "variogram",
                f"a predicted spread of {predicted:.3f} sigma for windows of {window.size} pixels where "
                f"{window.spread:.3f} is found",
                "a variogram that reproduces the spread of window means",
                "check the stable terrain for leftovers of change",
            )
