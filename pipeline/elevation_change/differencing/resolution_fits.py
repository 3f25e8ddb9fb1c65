"""The resolution effect in all its forms, side by side at the final shift, and the one that is taken off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from pipeline.blocks import Runner, Window
from pipeline.elevation_change.coregistration import Coregistration, SurveyedTerrain
from pipeline.elevation_change.differencing.shift_and_resolution import (
    ResolutionChoice,
    places_of,
    stable_pixels,
)
from pipeline.elevation_change.pairing import DemPair
from pipeline.elevation_change.resolution import (
    MAXIMUM,
    NONE,
    POINT_SPREAD,
    PRINCIPAL,
    UNBIASED,
    BandMeans,
    Bands,
    Fit,
    MaximumCurvatureEffect,
    Paired,
    PointSpreadEffect,
    curve_through,
    finer_heights,
    fit_curvature_bias,
    fit_point_spread,
    fit_principal_curvatures,
    means_by_band,
    reason_against,
)
from pipeline.elevation_change.result import CurvatureCorrection, Shift
from pipeline.elevation_change.statistics import IntArray, Range, nmad
from pipeline.grid import BoolArray, FloatArray
from pipeline.worker_threads import worker_threads
from schemas.messages import Message
from schemas.settings import ElevationChangeSettings


@dataclass(frozen=True, kw_only=True)
class Surveyed:
    """Stable pixels of the survey at the final shift.

    Attributes
    ----------
    difference : reference minus aligned DEM, shape (pixels,), m.
    curvature : maximum curvature of the finer DEM, shape (pixels,), (100 m)-1.
    stable : which pixels of the windows these are, shape (windows, rows, columns).
    """

    difference: FloatArray
    curvature: FloatArray
    stable: BoolArray


@dataclass(frozen=True, kw_only=True)
class MethodOnStable:
    """What one form takes off stable terrain (later minus earlier, m).

    Attributes
    ----------
    means : of all stable terrain, then of each band of 200 m; before and after.
    nmad_m : of stable terrain that it leaves.
    """

    means: tuple[BandMeans, ...]
    nmad_m: float


@dataclass(frozen=True, kw_only=True)
class ResolutionFits:
    """The resolution effect of a pair in all its forms.

    Attributes
    ----------
    choice : which one is taken off, and why none.
    fits : each form fitted at the final shift; nothing where the DEMs resolve the same detail.
    taken_off : what the chosen one takes off the sample's pixels (reference minus aligned), m; None for nothing.
    curvature : the form by maximum curvature alone as a record; None where no correction was asked for.
    on_stable : what each form takes off stable terrain.
    """

    choice: ResolutionChoice
    fits: dict[str, Fit]
    taken_off: FloatArray | None
    curvature: CurvatureCorrection | None
    on_stable: dict[str, MethodOnStable]
    source: Message

    @property
    def effect(self) -> MaximumCurvatureEffect | PointSpreadEffect | None:
        """What is taken off every pixel."""
        fit = self.fits.get(self.choice.method)
        return None if fit is None else fit.effect  # type: ignore[return-value]  # one of the three forms

    @property
    def vertical_m(self) -> float:
        """The vertical term of the published form, to which the others' are counted, m."""
        fit = self.fits.get(self.choice.method)
        return 0.0 if fit is None else fit.vertical_m

    @property
    def coefficient(self) -> float:
        """Of the point spread; NaN where it was not fitted."""
        fit = self.fits.get(POINT_SPREAD)
        return fit.effect.coefficient if fit and isinstance(fit.effect, PointSpreadEffect) else float("nan")

    def effects_in(self, window: Window, pair: DemPair, shift: Shift) -> list[FloatArray]:
        """What each form takes off a window of reference minus aligned DEM, without its vertical term, m."""
        widest = max((fit.effect.rim for fit in self.fits.values()), default=0)
        heights = finer_heights(pair, window, shift, widest)
        cuts = [(fit.effect, widest - fit.effect.rim) for fit in self.fits.values()]
        return [effect.on(heights[cut:-cut, cut:-cut] if cut else heights) for effect, cut in cuts]

    def spread_m(self, taken_off: dict[str, float]) -> float:
        """How far the other unbiased forms lie from the published one, the farthest of them; 0 without any, m.

        Parameters
        ----------
        taken_off : what each form takes off a place, its vertical term included, m.
        """
        published = taken_off.get(self.choice.method, 0.0)
        others = [taken_off[name] for name in UNBIASED if name in taken_off]
        return max((abs(other - published) for other in others), default=0.0)


def resolution_fits(
    registration: Coregistration, terrain: SurveyedTerrain, choice: ResolutionChoice, surveyed: Surveyed,
    settings: ElevationChangeSettings, runner: Runner,
) -> ResolutionFits:  # fmt: skip
    """Fit every form of the effect at the final shift; the one by maximum curvature is judged here, the others were.

    Parameters
    ----------
    terrain : with what is taken off its differences, if anything.
    """
    pair, asked, source = registration.pair, settings.resolution_method != NONE, curvature_source(registration.pair)
    with worker_threads(2) as pool:
        maximum = pool.submit(_by_maximum_curvature, surveyed, settings, source)
        if choice.spread is None:
            kept = maximum.result() if asked else None
            return ResolutionFits(choice=choice, fits={}, taken_off=None, curvature=kept, on_stable={}, source=source)
        pixels = stable_pixels(pair, terrain, registration.shift, settings, runner)
        spread = pool.submit(fit_point_spread, pixels, choice.spread)
        principal, curvature = fit_principal_curvatures(pixels, pair.pixel_m), maximum.result()
        curve = curve_through(np.array(curvature.knots_per_100m), np.array(curvature.bias_m))
        by_maximum = Fit(MaximumCurvatureEffect(curve, pair.pixel_m), 0.0)
        fits = {POINT_SPREAD: spread.result(), PRINCIPAL: principal, MAXIMUM: by_maximum}
        everywhere = pool.map(lambda fit: pixels.everywhere(fit.effect)[surveyed.stable], fits.values())
        effects = dict(zip(fits, everywhere, strict=True))
        ground = Ground(terrain.centre[surveyed.stable], places_of(terrain, pair)[surveyed.stable])
        if choice.method == MAXIMUM:
            choice = _judged_here(choice, surveyed.difference, effects[MAXIMUM], ground, settings)
        taken_off = effects.get(choice.method)
        left = surveyed.difference if taken_off is None else surveyed.difference - taken_off
        judging = _Judging(
            difference=surveyed.difference,
            sign=pair.sign,
            inside=Range.within_nmad(left, settings.outlier_nmad).holds(left),
            ground=ground,
            vertical_m=fits[choice.method].vertical_m if choice.method in fits else 0.0,
        )
        on_stable = pool.map(judging.of, effects.values(), fits.values())
        return ResolutionFits(
            choice=choice,
            fits=fits,
            taken_off=taken_off,
            curvature=replace(curvature, applied=choice.method == MAXIMUM) if asked else None,
            on_stable=dict(zip(fits, on_stable, strict=True)),
            source=source,
        )


@dataclass(frozen=True)
class Ground:
    """Where stable pixels lie: elevation, m, and number of the square of ground; shape (pixels,) each."""

    elevation: FloatArray
    place: IntArray


def _judged_here(
    choice: ResolutionChoice, difference: FloatArray, effect: FloatArray, ground: Ground,
    settings: ElevationChangeSettings,
) -> ResolutionChoice:  # fmt: skip
    """The choice of the form by maximum curvature alone, kept or not."""
    after = difference - effect
    inside = Range.within_nmad(after, settings.outlier_nmad).holds(after)
    reason = reason_against(_paired(difference, after, inside, ground))
    return replace(choice, method=NONE if reason else MAXIMUM, reason=reason)


@dataclass(frozen=True, kw_only=True)
class _Judging:
    """What forms of the effect are judged on, all of them on the same pixels.

    Attributes
    ----------
    difference : reference minus aligned DEM, shape (pixels,), m.
    sign : later minus earlier is sign times reference minus aligned.
    inside : pixels without outliers, shape (pixels,).
    vertical_m : vertical term of the published form.
    """

    difference: FloatArray
    sign: int
    inside: BoolArray
    ground: Ground
    vertical_m: float

    @cached_property
    def bands(self) -> Bands:
        """Of the pixels without outliers."""
        return Bands.of(self.ground.elevation[self.inside], self.ground.place[self.inside])

    def of(self, effect: FloatArray, fit: Fit) -> MethodOnStable:
        """What one form takes off."""
        after = self.difference - effect - np.float32(fit.vertical_m - self.vertical_m)
        paired = _paired(self.sign * self.difference, self.sign * after, self.inside, self.ground)
        return MethodOnStable(means=tuple(means_by_band(paired, self.bands)), nmad_m=nmad(paired.after))


def _paired(before: FloatArray, after: FloatArray, inside: BoolArray, ground: Ground) -> Paired:
    return Paired(
        before=before[inside], after=after[inside], elevation=ground.elevation[inside], place=ground.place[inside]
    )


def _by_maximum_curvature(
    surveyed: Surveyed, settings: ElevationChangeSettings, source: Message
) -> CurvatureCorrection:
    kept = Range.within_nmad(surveyed.difference, settings.outlier_nmad).holds(surveyed.difference)
    return fit_curvature_bias(surveyed.difference[kept], surveyed.curvature[kept], source)


def curvature_source(pair: DemPair) -> Message:
    """The DEM whose heights the effect follows, and the operator of its curvature."""
    later_is_reference = pair.sign == 1
    role = Message("later") if later_is_reference != pair.curvature_of_aligned else Message("earlier")
    return Message("{role} DEM, Zevenbergen and Thorne 3 x 3 at {pixel_m:g} m", role=role, pixel_m=pair.pixel_m)
