"""The shift and the resolution effect, solved in turn on the survey until neither moves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipeline.blocks import Runner
from pipeline.elevation_change.coregistration import Iteration, SurveyedTerrain, search_on_survey, tangent_limits
from pipeline.elevation_change.pairing import DemPair
from pipeline.elevation_change.resolution import (
    MAXIMUM,
    NONE,
    POINT_SPREAD,
    PRINCIPAL,
    Effect,
    Fit,
    Paired,
    PointSpread,
    ResolvedDetail,
    StablePixels,
    choose_point_spread,
    finer_windows,
    fit_point_spread,
    fit_principal_curvatures,
    reason_against,
    resolved_detail,
    widest_rim,
)
from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.statistics import IntArray, within_nmad
from pipeline.grid import BoolArray, FloatArray
from schemas.messages import Message
from schemas.settings import ElevationChangeSettings

# the shift and the effect are solved in turn so often at most; three times do where both are found at all
MOST_TURNS = 6
# neither moves: steps of the shift below this share of the tolerance, of the effect's spread below this share
EFFECT_TOLERANCE = 0.005
# squares of ground this wide err independently enough for the mean of a band; at least so many across the grid
PLACE_M, LEAST_ACROSS = 3000.0, 6

NOT_ASKED = Message("the settings leave it out")
SAME_DETAIL = Message("both DEMs resolve the same detail, whatever their pixel sizes")


@dataclass(frozen=True, kw_only=True)
class ResolutionChoice:
    """What is done about the resolution effect of a pair.

    Attributes
    ----------
    asked : method of the settings.
    method : what is taken off: the one that was asked for, or "none".
    reason : why nothing is taken off; None where something is.
    detail : how much of each other's detail the DEMs resolve.
    spread : point spread of the coarser DEM; None where the DEMs resolve the same detail or nothing was asked for.
    """

    asked: str
    method: str
    reason: Message | None
    detail: ResolvedDetail
    spread: PointSpread | None

    @property
    def differs(self) -> bool:
        """Whether the DEMs differ in the detail they resolve."""
        return self.spread is not None


@dataclass(frozen=True)
class InTurnStart:
    """The shift found without any correction, and the steps to it."""

    shift: Shift
    iterations: list[Iteration]


@dataclass(frozen=True, kw_only=True)
class InTurn:
    """Where shift and resolution effect stand on the survey.

    Attributes
    ----------
    pair : the same, with the DEM that resolves more told as the finer one.
    terrain : with the effect taken off its differences.
    effect : what is taken off; None where nothing is, or by a curve that is fitted once the shift is settled.
    """

    pair: DemPair
    terrain: SurveyedTerrain
    shift: Shift
    iterations: list[Iteration]
    choice: ResolutionChoice
    effect: Effect | None


def solved_in_turn(
    pair: DemPair, terrain: SurveyedTerrain, start: InTurnStart, settings: ElevationChangeSettings, runner: Runner
) -> InTurn:
    """Decide on the resolution correction, and solve shift and effect in turn where one is taken off.

    While the effect stands in dh it is the largest noise of the shift, and its skewness moves the vertical term; while
    the shift is wrong, slopes pass for curvature. So each is fitted with the other taken off until neither moves. The
    correction is kept if the DEMs differ in resolved detail and ``reason_against`` finds none.

    Parameters
    ----------
    start : shift found without any correction.
    """
    asked = settings.resolution_method
    detail = resolved_detail(pair, start.shift, runner)
    pair = with_finer_told(pair, detail)
    differs = detail.coarser_lacks(aligned_is_finer=pair.curvature_of_aligned)
    choice = ResolutionChoice(asked=asked, method=NONE, reason=NOT_ASKED, detail=detail, spread=None)
    plain = InTurn(
        pair=pair, terrain=terrain, shift=start.shift, iterations=start.iterations, choice=choice, effect=None
    )
    if not differs:
        return replace(plain, choice=choice if asked == NONE else replace(choice, reason=SAME_DETAIL))
    pixels = stable_pixels(pair, terrain, start.shift, settings, runner)
    if not pair.curvature_of_aligned:
        terrain.finer = pixels.heights
    spread = choose_point_spread(pixels, pair.post_pixels, cubic=pair.aligned.cubic)
    choice = replace(choice, spread=spread)
    if asked in (NONE, MAXIMUM):
        return replace(plain, choice=choice if asked == NONE else replace(choice, method=MAXIMUM, reason=None))
    solved = _turns(plain, choice, settings, runner)
    reason = reason_against(_paired(plain, solved, settings))
    if reason:
        return replace(plain, choice=replace(choice, reason=reason))
    return replace(solved, choice=replace(choice, method=asked, reason=None))


def with_finer_told(pair: DemPair, detail: ResolvedDetail) -> DemPair:
    """The pair with the DEM of more detail as the finer one where both have the same pixel size."""
    if pair.post_pixels > 1 or not detail.known:
        return pair
    return replace(pair, curvature_of_aligned=detail.reference_keeps < detail.aligned_keeps)


def stable_pixels(
    pair: DemPair, terrain: SurveyedTerrain, shift: Shift, settings: ElevationChangeSettings, runner: Runner
) -> StablePixels:
    """The survey's stable pixels without outliers, and the finer DEM around them."""
    rim = widest_rim(pair.post_pixels, cubic=pair.aligned.cubic)
    heights, lost = terrain.finer, terrain.lost_of_finer
    if heights is None:
        lost = {}
        heights = finer_windows(pair, terrain.survey.lattice, shift, rim, runner)
    difference = terrain.difference(shift)
    inside = within_nmad(difference, stable_terrain(terrain, settings), settings.outlier_nmad)
    return StablePixels(
        heights=heights,
        inside=inside,
        difference=terrain.plain_difference(shift)[inside],
        tangent_squared=terrain.steepness[inside],
        rim=rim,
        lost=lost,
    )


def stable_terrain(terrain: SurveyedTerrain, settings: ElevationChangeSettings) -> BoolArray:
    """The survey's pixels that are stable terrain by mask, water and slope, shaped like the windows."""
    inside: BoolArray = terrain.survey.suitable & (terrain.steepness <= tangent_limits(settings)[1])
    return inside


def fitted(method: str, pixels: StablePixels, spread: PointSpread, pixel_m: float) -> Fit:
    """The form of the effect that a method takes off, fitted to stable pixels; of the two that vanish on a plane."""
    if method == POINT_SPREAD:
        return fit_point_spread(pixels, spread)
    if method == PRINCIPAL:
        return fit_principal_curvatures(pixels, pixel_m)
    raise ValueError(f"{method} is not fitted in turn with the shift")


def with_effect(
    terrain: SurveyedTerrain, pair: DemPair, choice: ResolutionChoice, settings: ElevationChangeSettings,
    place: tuple[Shift, Runner],
) -> tuple[SurveyedTerrain, Effect]:  # fmt: skip
    """The terrain with the effect fitted anew at a shift and taken off its differences, and the effect."""
    shift, runner = place
    if choice.spread is None:
        raise ValueError("there is no resolution effect to fit")
    pixels = stable_pixels(pair, terrain, shift, settings, runner)
    effect = fitted(choice.asked, pixels, choice.spread, pair.pixel_m).effect
    return terrain.less(pixels.everywhere(effect)), effect


def _turns(plain: InTurn, choice: ResolutionChoice, settings: ElevationChangeSettings, runner: Runner) -> InTurn:
    terrain, shift, iterations = plain.terrain, plain.shift, list(plain.iterations)
    effect: Effect | None = None
    for _ in range(MOST_TURNS):
        before = terrain.taken_off
        terrain, effect = with_effect(terrain, plain.pair, choice, settings, (shift, runner))
        moved, more = search_on_survey(terrain, (shift.east, shift.north), settings)
        iterations += more
        step = float(np.hypot(moved.east - shift.east, moved.north - shift.north))
        shift = moved
        if step < settings.tolerance_pixel * terrain.pixel_m and _settled(before, terrain.taken_off):
            break
    return replace(plain, terrain=terrain, shift=shift, iterations=iterations, effect=effect)


def _settled(before: FloatArray | None, after: FloatArray | None) -> bool:
    if before is None or after is None:
        return False
    return float((before - after).std()) <= EFFECT_TOLERANCE * max(float(after.std()), 1e-3)


def _paired(plain: InTurn, solved: InTurn, settings: ElevationChangeSettings) -> Paired:
    """Stable terrain at the shift without any correction, and at the shift with the effect taken off."""
    before, after = plain.terrain.difference(plain.shift), solved.terrain.difference(solved.shift)
    inside = within_nmad(after, stable_terrain(plain.terrain, settings) & np.isfinite(before), settings.outlier_nmad)
    return Paired(
        before=before[inside],
        after=after[inside],
        elevation=plain.terrain.centre[inside],
        place=places_of(plain.terrain, plain.pair)[inside],
    )


def places_of(terrain: SurveyedTerrain, pair: DemPair) -> IntArray:
    """Number of the square of ground in which each of the survey's pixels lies; shaped like the windows."""
    side = max(1, min(int(PLACE_M / pair.pixel_m), min(pair.shape) // LEAST_ACROSS))
    rows, columns = terrain.survey.rows_of() // side, terrain.survey.columns_of() // side
    return np.asarray(rows * (pair.shape[1] // side + 1) + columns)
