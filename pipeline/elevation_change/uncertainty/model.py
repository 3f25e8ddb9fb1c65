"""The error of an elevation change: per pixel, in space, of the mean over stable terrain and of the shift."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.elevation_change.differencing import STEPS, BlockOfDifferences, Differenced, ErrorLayers, StableSample
from pipeline.elevation_change.pairing import MovedRaster, Observations
from pipeline.elevation_change.result import STABLE, Shift
from pipeline.elevation_change.uncertainty.accuracy import (
    AccuracyPlan,
    AccuracyTally,
    BlockTerrain,
    accuracy_plan,
    tally_accuracy,
)
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean_large
from pipeline.elevation_change.uncertainty.shift_sigma import sigma_of_shift
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.elevation_change.uncertainty.variogram_fit import variogram_and_note
from pipeline.resources import Resources
from schemas.messages import Message


@dataclass(frozen=True)
class ClassTallying:
    """Tallies a block of differences overall and by class of terrain."""

    plan: AccuracyPlan

    @classmethod
    def for_sample(cls, sample: StableSample) -> ClassTallying:
        heights = sample.elevation[sample.judged]
        steps = {step: sample.step(step) for step in STEPS}
        return cls(accuracy_plan(float(heights.min()), float(heights.max()), sample.curvature, steps))

    def __call__(self, part: BlockOfDifferences) -> AccuracyTally:
        terrain = BlockTerrain(part.reference, *part.gradient, part.curvature)
        return tally_accuracy(self.plan, {step: part.step(step) for step in STEPS}, part.judged, terrain)


@dataclass(frozen=True, kw_only=True)
class ErrorModel:
    """The error of dh: per pixel, in space, of the mean over stable terrain, and of the shift.

    Attributes
    ----------
    layers : rasters of sigma, of standardised residuals, and the classification.
    variogram : spatial correlation of the standardised residuals.
    sigma_bias_m : standard deviation of the mean over stable terrain, which every pixel shares, m.
    sigma_shift_m : standard deviation of the shift, m.
    tallied : all judged pixels by class of terrain.
    note : what has to be told of the variogram; None where it holds as fitted.
    """

    layers: ErrorLayers
    variogram: Variogram
    sigma_bias_m: float
    sigma_shift_m: Shift
    tallied: AccuracyTally
    note: Message | None


def error_model(observed: Observations, compared: Differenced, resources: Resources) -> ErrorModel:
    """Variogram of the standardised residuals, and the error of the stable mean and of the shift themselves.

    Parameters
    ----------
    observed : both DEMs and the outlines.
    compared : the layers of the difference, m.
    resources : what the run computes with.
    """
    layers, tallied = compared.layers.error, compared.tallied
    if layers is None or not isinstance(tallied, AccuracyTally):
        raise TypeError("the difference was made without its error")
    pixel_m, runner = observed.pixel_m, resources.runner
    variogram, note = variogram_and_note(layers.residual, pixel_m, runner)
    if variogram.sill == 0:
        unknown = Shift(math.nan, math.nan, math.nan)
        return ErrorModel(
            layers=layers,
            variogram=variogram,
            sigma_bias_m=math.nan,
            sigma_shift_m=unknown,
            tallied=tallied,
            note=note,
        )
    bias = sigma_of_mean_large(layers.sigma, layers.classification, variogram, pixel_m, member=STABLE, runner=runner)
    registration = compared.registration
    moved = MovedRaster(registration.pair, registration.shift)
    shift = sigma_of_shift(observed.pair.reference, layers.residual, layers.sigma, variogram, pixel_m, runner, moved)
    return ErrorModel(
        layers=layers, variogram=variogram, sigma_bias_m=bias, sigma_shift_m=shift, tallied=tallied, note=note
    )
