"""Correct the bias of different resolutions by maximum curvature (Gardelle et al., 2012)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.elevation_change.result import CurvatureCorrection
from pipeline.elevation_change.statistics import median, nmad
from pipeline.grid import FloatArray
from schemas.messages import Message

BINS = 40
LEAST_PIXELS_IN_BIN = 50
# a smaller gain can be chance: the NMAD of some ten thousand correlated pixels is known to about a percent
LEAST_GAIN = 0.01
# the fitted curve is looked up in so many steps between its end points
STEPS = 32_768


def fit_curvature_bias(dh: FloatArray, curvature: FloatArray, source: Message) -> CurvatureCorrection:
    """Median dh of stable pixels in classes of equal count of maximum curvature, kept if it lowers the NMAD by 1 %.

    A coarse DEM cuts ridges and fills valleys, so dh grows with curvature; Gardelle et al. (2012, section 3.3) remove
    the relation found off glaciers from every pixel. The same curvature raster must serve fit and application. The fit
    uses every second pixel and is judged on the others.

    Parameters
    ----------
    dh : elevation difference of stable pixels, shape (pixels,), m.
    curvature : their maximum curvature, (100 m)-1.
    source : which DEM and operator the curvature comes from.
    """
    known = np.isfinite(dh) & np.isfinite(curvature)
    values, attribute = dh[known].astype(np.float64), curvature[known].astype(np.float64)
    knots, bias = _class_medians(attribute[::2], values[::2])
    judged = values[1::2]
    corrected = judged - np.interp(attribute[1::2], knots, bias) if knots.size else judged
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
    knots = np.array([median(attribute[group]) for group in groups])
    bias = np.array([median(values[group]) for group in groups])
    distinct = np.concatenate([[True], np.diff(knots) > 0])
    return knots[distinct], bias[distinct]


@dataclass(frozen=True)
class BiasCurve:
    """The fitted bias by curvature, evenly spaced so that a pixel's is looked up.

    Attributes
    ----------
    first : curvature of the first value, (100 m)-1.
    steps_per_unit : values per (100 m)-1.
    bias_m : shape (steps,).
    """

    first: float
    steps_per_unit: float
    bias_m: NDArray[np.float32]

    @classmethod
    def of(cls, correction: CurvatureCorrection | None) -> BiasCurve | None:
        """The curve of a correction that was kept, else None."""
        if correction is None or not correction.applied:
            return None
        return curve_through(np.array(correction.knots_per_100m), np.array(correction.bias_m))

    def at(self, curvature: FloatArray) -> FloatArray:
        """Bias of every pixel, float32, m: the curve's end values beyond it, 0 where the curvature is unknown."""
        place = curvature - np.float32(self.first)
        place *= np.float32(self.steps_per_unit)
        place += np.float32(0.5)
        unknown = np.isnan(place)
        np.clip(place, 0, self.bias_m.size - 1, out=place)
        if unknown.any():
            place[unknown] = 0
            bias = self.bias_m[place.astype(np.int32)]
            bias[unknown] = 0
            return bias
        return self.bias_m[place.astype(np.int32)]


def curve_through(knots: FloatArray, bias_m: FloatArray) -> BiasCurve:
    """The curve that is straight between knots (increasing, (100 m)-1) with the bias at each; flat for a single one."""
    if knots.size < 2:
        return BiasCurve(0.0, 0.0, np.full(1, bias_m[0] if knots.size else 0.0, np.float32))
    even = np.linspace(knots[0], knots[-1], STEPS)
    steps = float((STEPS - 1) / (knots[-1] - knots[0]))
    return BiasCurve(float(knots[0]), steps, np.interp(even, knots, bias_m).astype(np.float32))
