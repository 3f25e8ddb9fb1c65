"""Correct the bias of different resolutions by maximum curvature (Gardelle et al., 2012)."""

from __future__ import annotations

import numpy as np

from pipeline.elevation_change.result import CurvatureCorrection
from pipeline.elevation_change.statistics import nmad
from pipeline.grid import BoolArray, FloatArray

BINS = 40
LEAST_PIXELS_IN_BIN = 50
# a smaller gain can be chance: the NMAD of some ten thousand correlated pixels is known to about a percent
LEAST_GAIN = 0.01


def fit_curvature_bias(dh: FloatArray, curvature: FloatArray, stable: BoolArray, source: str) -> CurvatureCorrection:
    """Median dh of stable terrain in classes of equal count of maximum curvature, kept if it lowers the NMAD by 1 %.

    A coarse DEM cuts ridges and fills valleys, so dh grows with curvature; Gardelle et al. (2012, section 3.3) remove
    the relation found off glaciers from every pixel. The same curvature raster must serve fit and application. The fit
    uses every second pixel and is judged on the others.

    Parameters
    ----------
    dh : elevation difference, m.
    curvature : maximum curvature, (100 m)-1, shaped like dh.
    stable : stable pixels.
    source : which DEM and operator the curvature comes from.
    """
    known = stable & np.isfinite(dh) & np.isfinite(curvature)
    rows, columns = np.nonzero(known)
    fitting = (rows + columns) % 2 == 0
    values, attribute = dh[known].astype(np.float64), curvature[known].astype(np.float64)
    knots, bias = _class_medians(attribute[fitting], values[fitting])
    judged = values[~fitting]
    corrected = judged - np.interp(attribute[~fitting], knots, bias) if knots.size else judged
    before, after = (nmad(judged), nmad(corrected)) if judged.size else (float("nan"), float("nan"))
    return CurvatureCorrection(
        applied=bool(after < (1 - LEAST_GAIN) * before),
        source=source,
        knots_per_100m=tuple(float(knot) for knot in knots),
        bias_m=tuple(float(value) for value in bias),
        nmad_before_m=before,
        nmad_after_m=after,
    )


def _class_medians(attribute: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Median attribute and median value of classes of equal count; fewer classes where pixels are few."""
    classes = min(BINS, attribute.size // LEAST_PIXELS_IN_BIN)
    if classes < 3:
        return np.empty(0), np.empty(0)
    order = np.argsort(attribute, kind="stable")
    groups = np.array_split(order, classes)
    knots = np.array([np.median(attribute[group]) for group in groups])
    bias = np.array([np.median(values[group]) for group in groups])
    distinct = np.concatenate([[True], np.diff(knots) > 0])
    return knots[distinct], bias[distinct]


def curvature_bias(correction: CurvatureCorrection, curvature: FloatArray) -> FloatArray:
    """The fitted bias on every pixel, m: linear between the knots, the end values beyond them, 0 where unknown."""
    if not correction.applied:
        return np.zeros_like(curvature)
    bias = np.interp(curvature, correction.knots_per_100m, correction.bias_m)
    return np.nan_to_num(bias, nan=0.0).astype(np.float32)
