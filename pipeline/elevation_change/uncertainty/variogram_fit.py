"""Fit of a sum of variogram models to an empirical variogram, and the refusal of one that does not hold."""

from __future__ import annotations

import numpy as np

from pipeline.blocks import Raster, Runner
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean
from pipeline.elevation_change.uncertainty.empirical_variogram import EmpiricalVariogram, empirical_variogram
from pipeline.elevation_change.uncertainty.variogram import Form, Variogram, correlation
from pipeline.grid import FloatArray
from schemas.messages import Message

RANGES = 36
FORMS = (Form.SPHERICAL, Form.GAUSSIAN)
# what dropping models may add to the sum of squared errors of the classes, each in units of its standard deviation
TOLERATED_MISFIT = 0.3
# relative error of a class however many pairs it has, and the size below which a class is not believed
RELATIVE_ERROR, LEAST_GAMMA = 0.01, 0.02
# how many times wider than predicted the means of windows may spread
COLLAPSE_RATIO = 2.0


NOTHING_VARIES = Message(
    "stable terrain does not differ at all: one DEM was made from the other there, and nothing tells the error of the"
    " change"
)


def fit_variogram(residual: Raster, pixel_m: float, runner: Runner | None = None) -> Variogram:
    """Variogram of a raster of standardised residuals of any size; ``variogram_and_note`` without the note.

    Parameters
    ----------
    residual : shape (rows, columns), NaN off stable terrain and where void.
    pixel_m : pixel size, m.

    Errors
    ------
    BadInput : pixel pairs at too few distances.
    """
    return variogram_and_note(residual, pixel_m, runner)[0]


def variogram_and_note(
    residual: Raster, pixel_m: float, runner: Runner | None = None
) -> tuple[Variogram, Message | None]:
    """Variogram of a raster of standardised residuals of any size: empirical, fitted, and held against windows.

    Parameters
    ----------
    residual : shape (rows, columns), NaN off stable terrain and where void.
    pixel_m : pixel size, m.

    Errors
    ------
    BadInput : pixel pairs at too few distances.

    Returns
    -------
    The variogram, without a sill where the residuals do not vary, and what has to be told of it: that, or a long range
    that is not resolved; None where it holds as fitted.
    """
    empirical = empirical_variogram(residual, pixel_m, runner)
    if not empirical.gamma.max() > 0:
        nothing = Variogram(
            ranges_m=(pixel_m,), sills=(0.0,), lag_m=empirical.lag_m, empirical=empirical.gamma, pairs=empirical.pairs
        )
        return nothing, NOTHING_VARIES
    return widened(fitted(empirical, pixel_m), empirical, pixel_m)


def fitted(empirical: EmpiricalVariogram, pixel_m: float) -> Variogram:
    """Fit a sum of spherical and gaussian models by non-negative least squares over many ranges of each.

    The problem is convex, so the fit cannot end in a local minimum, and it picks the ranges that the data support; then
    models are dropped, the least needed first, as long as the others fit as well. Gaussian models describe errors that
    resampling has smoothed, spherical ones all else.

    Parameters
    ----------
    empirical : semivariance by lag, and the pairs behind each.
    pixel_m : side of a pixel, m.

    """
    lag, gamma, pairs = empirical.lag_m, empirical.gamma, empirical.pairs
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


def widened(model: Variogram, empirical: EmpiricalVariogram, pixel_m: float) -> tuple[Variogram, Message | None]:
    """The model with what window means spread beyond it, as correlation over the longest lag, and a note of it.

    Window means that spread twice as widely as predicted show a range that the lags do not resolve. Their excess of
    variance is added as a spherical model of the longest lag, which makes every error larger, never smaller.

    Parameters
    ----------
    model : as fitted.
    empirical : semivariance by lag, and the spread of window means.
    pixel_m : side of a pixel, m.

    Returns
    -------
    The model, and None where it holds as it is.
    """
    note = None
    for window in empirical.windows:
        whole = np.ones((window.size, window.size))
        predicted = sigma_of_mean(whole, whole > 0, model, pixel_m)
        if window.spread <= COLLAPSE_RATIO * predicted:
            continue
        longest = max(float(empirical.lag_m[-1]), 2 * window.size * pixel_m)
        unit = Variogram(ranges_m=(longest,), sills=(1.0,))
        missing = (window.spread**2 - predicted**2) / sigma_of_mean(whole, whole > 0, unit, pixel_m) ** 2
        model = Variogram(
            ranges_m=(*model.ranges_m, longest),
            sills=(*model.sills, missing),
            lag_m=model.lag_m,
            empirical=model.empirical,
            pairs=model.pairs,
            forms=(*(model.forms or (Form.SPHERICAL,) * len(model.sills)), Form.SPHERICAL),
        )
        note = Message(
            "the long range of the errors is not resolved: means of {size} x {size} pixels spread {ratio:.1f} times as"
            " widely as the fitted variogram says; the stated errors were widened by what is missing",
            size=window.size,
            ratio=window.spread / max(predicted, 1e-9),
        )
    return model, note
