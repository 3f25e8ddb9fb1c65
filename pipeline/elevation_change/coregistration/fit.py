"""Plane and elevation correction of two DEMs by the cosine relation of aspect and elevation difference."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from pipeline.blocks import Block, Raster, Runner
from pipeline.elevation_change.coregistration.survey import AlignedWindows, PixelSurvey
from pipeline.elevation_change.pairing import RIM, DemPair, inner_columns, inner_rows, with_rim
from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.statistics import NMAD_FACTOR, median, nmad
from pipeline.elevation_change.terrain import aspect_deg, inner_gradient, slope_deg
from pipeline.grid import BoolArray, FloatArray
from pipeline.worker_threads import worker_threads
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings

# vertical over horizontal error of a DEM, as in Koppe's formula
SLOPE_ERROR_RATIO = 0.3
# residuals beyond this share of the spread enter linearly, not squared
LINEAR_BEYOND = 0.1
NEWTON_BELOW, LEAST_CORE_SHARE = 0.3, 0.2
# medians and spreads of a step are taken from so many evenly spaced pixels of the survey
SAMPLE = 200_000
# steps on the survey end below this share of the tolerance, so that a step on all pixels can be the last
SURVEY_TOLERANCE = 0.2
# windows are summed up in so many parts, two at a time
SURVEY_PARTS = 4


@dataclass(frozen=True)
class Iteration:
    """One step: the shift after it, and the stable terrain's spread before it (m)."""

    shift: Shift
    nmad_m: float
    count: int


@dataclass(frozen=True)
class Coregistration:
    """The shift that brings the aligned DEM onto the reference, and how it was reached.

    Attributes
    ----------
    pair : the DEMs as they stand after it: the aligned one resampled at the shift, if it had to be resampled.
    shift : what was added to the aligned DEM's position.
    """

    pair: DemPair
    shift: Shift
    iterations: tuple[Iteration, ...]


@dataclass(frozen=True, kw_only=True)
class CosineFit:
    """dh / tan(slope) = a cos(b - aspect) + c (Nuth and Kaab, 2011, eq. 3).

    Attributes
    ----------
    a_m, b_deg, c_m : size and direction of the horizontal offset, and mean bias over the mean slope tangent.
    bin_centre_deg, bin_median_m : the binned values behind the fit, for the figure; shape (bins,).
    """

    a_m: float
    b_deg: float
    c_m: float
    bin_centre_deg: FloatArray
    bin_median_m: FloatArray


@dataclass(frozen=True)
class Weighting:
    """Which pixels a step keeps and how they weigh.

    Attributes
    ----------
    centre_m, limit_m : a difference farther than the limit from the centre is left out.
    scale_m : spread of the differences of level ground, where they begin to enter linearly: ``LINEAR_BEYOND`` of it.
    tangent_squared : least and greatest squared slope tangent of the aspect fit.
    """

    centre_m: float
    limit_m: float
    scale_m: float
    tangent_squared: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class StepSums:
    """Sums over pixels of one step, which blocks add up.

    Attributes
    ----------
    products : Gram matrix of (-dz/dE, -dz/dN, 1, d) with the pixels' weights, shape (4, 4).
    core_weight : sum of the weights of the differences that enter squared.
    count : pixels kept.
    level_m, level_count : sum and number of the differences that are no outliers, level ground among them, m.
    """

    products: FloatArray
    core_weight: float
    count: int
    level_m: float
    level_count: int

    @classmethod
    def nothing(cls) -> StepSums:
        return cls(products=np.zeros((4, 4)), core_weight=0.0, count=0, level_m=0.0, level_count=0)

    def __add__(self, other: StepSums) -> StepSums:
        return StepSums(
            products=self.products + other.products,
            core_weight=self.core_weight + other.core_weight,
            count=self.count + other.count,
            level_m=self.level_m + other.level_m,
            level_count=self.level_count + other.level_count,
        )

    def levelled(self, step: Shift) -> Shift:
        """A step with the height that leaves stable terrain a mean difference of zero.

        Least absolute deviations bring the median to zero. A smoother DEM lies below the crests and above the gullies
        by as much on average but by different shapes, so that the median of the difference is off where its mean is
        not, and so is what a smooth glacier, which has neither, is measured against.

        Parameters
        ----------
        step : east and north count, m.
        """
        east, north = self.products[:2, 2] / self.products[2, 2]  # mean slopes, with their signs turned
        mean = self.level_m / max(self.level_count, 1)
        return Shift(step.east, step.north, float(mean - east * step.east - north * step.north))

    def step(self, scale_m: float) -> Shift:
        """The step to the least absolute deviations; errors as ``solve_step``.

        Reweighted normal equations creep: a difference that weighs 1 / |d| resists a step although its pull does not
        change with it. Only the pull of those that enter squared does, so the share of their weight in the whole, which
        takes the place of the second derivative, scales the step to Newton's, once the step changes the differences by
        less than their spread ``scale_m``.

        Parameters
        ----------
        scale_m : spread of the differences.
        """
        step = solve_step(self.products[:3, :3], self.products[:3, 3])
        weight = float(self.products[2, 2])
        slope = np.sqrt((self.products[0, 0] + self.products[1, 1]) / weight)
        if np.hypot(np.hypot(step.east, step.north) * slope, step.up) > NEWTON_BELOW * scale_m:
            return step
        share = max(self.core_weight / weight, LEAST_CORE_SHARE)
        return Shift(step.east / share, step.north / share, step.up / share)


def tangent_limits(settings: ElevationChangeSettings) -> tuple[float, float]:
    """Squared slope tangents between which terrain enters the aspect fit.

        tan^2(slope_min), tan^2(slope_max)

    Parameters
    ----------
    settings : slopes in degrees.
    """
    least, greatest = np.tan(np.radians([settings.slope_min_deg, settings.slope_max_deg])) ** 2
    return float(least), float(greatest)


def step_sums(reference: FloatArray, difference: FloatArray, suitable: BoolArray, pixel_m: float,
              weighting: Weighting) -> StepSums:  # fmt: skip
    """Normal equations of one step of the linear relation d = -dx dz/dE - dy dz/dN + dz, robustly weighted.

    The Cartesian form of Nuth and Kaab's cosine relation (2011, eq. 3), linearised after Rosenholm and Torlegard
    (1988). A height's error grows with the slope as sigma^2 = sigma_v^2 (1 + tan^2(slope) / h^2) (Koppe's formula;
    h = 0.3 is the usual ratio of vertical to horizontal error), so steep pixels count less; differences beyond a tenth
    of sigma weigh as 1 / |d|: reweighted step by step, least absolute deviations.

    Parameters
    ----------
    reference : heights with a rim of ``RIM`` pixels, shape (..., rows + 4, columns + 4), m.
    difference : reference minus aligned DEM as it stands, shape (..., rows, columns), m; NaN where void. Overwritten.
    suitable : pixels that may be stable terrain, shaped like difference.
    """
    design = np.empty((*difference.shape[:-1], 4, difference.shape[-1]), np.float32)
    east, north, root, last = (design[..., part, :] for part in range(4))
    inner_gradient(reference[..., 1:-1, 1:-1], pixel_m, (east, north))
    steepness = east * east
    square = north * north
    steepness += square
    level = _within(difference, steepness, suitable, weighting)
    level_m = float(np.sum(difference, where=level, dtype=np.float64))
    kept = level & (steepness >= np.float32(weighting.tangent_squared[0]))
    # precision = 1 / sqrt(1 + tan^2 / h^2); sqrt(weight) = precision / sqrt(max(precision |d| / limit, 1))
    steepness *= np.float32(1 / SLOPE_ERROR_RATIO**2)
    steepness += 1
    np.sqrt(steepness, out=steepness)
    np.abs(difference, out=square)
    square /= steepness
    square *= np.float32(1 / (LINEAR_BEYOND * weighting.scale_m))
    core = square <= 1
    core &= kept
    np.maximum(square, 1, out=square)
    np.sqrt(square, out=square)
    square *= steepness
    np.divide(kept, square, out=root)
    core_weight = _sum_of_squares(root, core)
    last[...] = difference
    last *= root
    np.negative(root, out=square)  # the relation holds with the slopes' signs turned
    east *= square
    north *= square
    return StepSums(
        products=_gram(design),
        core_weight=core_weight,
        count=int(np.count_nonzero(kept)),
        level_m=level_m,
        level_count=int(np.count_nonzero(level)),
    )


def _sum_of_squares(root: FloatArray, core: BoolArray) -> float:
    squares = root * core
    squares *= squares
    return float(np.nansum(squares.sum(axis=-1), dtype=np.float64))


def _within(difference: FloatArray, steepness: FloatArray, suitable: BoolArray, weighting: Weighting) -> BoolArray:
    """Stable pixels without outliers, level ones among them."""
    low, high = weighting.centre_m - weighting.limit_m, weighting.centre_m + weighting.limit_m
    within: BoolArray = difference >= np.float32(low)
    within &= difference <= np.float32(high)
    within &= steepness <= np.float32(weighting.tangent_squared[1])
    within &= suitable
    return within


def _gram(design: FloatArray) -> FloatArray:
    """Sums of products over pixels, shape (4, 4): in single precision along a row, in double precision over rows.

    Void pixels, whose weight is zero, leave NaN behind; they are cleared only where there are any.
    """
    total: FloatArray = np.zeros(1)
    for _ in range(2):
        products = np.matmul(design, np.swapaxes(design, -1, -2))
        total = products.sum(axis=tuple(range(products.ndim - 2)), dtype=np.float64)
        if np.isfinite(total).all():
            break
        np.nan_to_num(design, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    return total


def solve_step(matrix: FloatArray, right: FloatArray) -> Shift:
    """Solve the normal equations for one shift.

        M s = r,    s = (east, north, up)

    Parameters
    ----------
    matrix : sums of the products of (dz/dE, dz/dN, 1), shape (3, 3).
    right : sums of their products with dh, shape (3,), m.

    Errors
    ------
    BadInput : the slopes do not span two directions, so a horizontal shift cannot be told from a vertical one.

    Source
    ------
    Rosenholm and Torlegard (1988).
    """
    count = matrix[2, 2]  # the sum of weights
    mean = matrix[:2, 2] / count
    covariance = matrix[:2, :2] / count - np.outer(mean, mean)
    weakest, strongest = np.linalg.eigvalsh(covariance)
    if strongest < 1e-8 or weakest < 0.005 * strongest:
        raise BadInput(
            "stable terrain",
            f"slopes that face one way only (variance ratio {weakest / max(strongest, 1e-12):.4f})",
            "terrain of many aspects",
            "widen the area or the slope limits",
        )
    east, north, up = np.linalg.solve(matrix, right)
    return Shift(float(east), float(north), float(up))


def plus(shift: Shift, step: Shift) -> Shift:
    """One shift after the other.

    Parameters
    ----------
    shift, step : east, north, up, m.
    """
    return Shift(shift.east + step.east, shift.north + step.north, shift.up + step.up)


class SurveyedTerrain:
    """The survey's slopes, and how its differences spread under a shift."""

    def __init__(self, pair: DemPair, survey: PixelSurvey, runner: Runner, settings: ElevationChangeSettings) -> None:
        self.survey, self.pixel_m = survey, pair.pixel_m
        self._settings, self._limits = settings, tangent_limits(settings)
        self._windows = AlignedWindows(pair, survey.lattice, runner)
        self.taken_off: FloatArray | None = None
        # heights of the finer DEM around the windows, kept where no shift moves them
        self.finer: FloatArray | None = None
        # what point spreads take from them, by the point spread
        self.lost_of_finer: dict[Any, FloatArray] = {}
        self.centre = survey.reference[..., RIM:-RIM, RIM:-RIM]
        self.gradient = inner_gradient(survey.reference[..., 1:-1, 1:-1], pair.pixel_m)
        self.steepness = steepness = self.gradient[0] ** 2 + self.gradient[1] ** 2
        fitting = survey.suitable & (steepness >= self._limits[0]) & (steepness <= self._limits[1])
        self.fitting = fitting
        places = np.flatnonzero(fitting)
        self._sample = places[:: max(1, places.size // SAMPLE)]
        self._precision = 1 / np.sqrt(1 + steepness.ravel()[self._sample] / np.float32(SLOPE_ERROR_RATIO**2))

    def of(self, pair: DemPair, runner: Runner) -> SurveyedTerrain:
        """The same terrain with the aligned DEM as it stands in another pair.

        Parameters
        ----------
        pair : the pair to look at.
        runner : what reads the windows.
        """
        other = copy(self)
        other._windows = AlignedWindows(pair, self.survey.lattice, runner)
        return other

    def less(self, taken_off: FloatArray) -> SurveyedTerrain:
        """The same terrain with so much (m, shaped like the windows) taken off every difference."""
        other = copy(self)
        other.taken_off = taken_off
        return other

    def plain_difference(self, shift: Shift) -> FloatArray:
        """Reference minus aligned DEM at a shift, nothing taken off, shaped like the windows, m."""
        result: FloatArray = self.centre - self._windows.at(shift)
        return result

    def difference(self, shift: Shift) -> FloatArray:
        """Reference minus aligned DEM at a shift, less what is taken off, shaped like the windows, m.

        Parameters
        ----------
        shift : east, north, up, m, added to the aligned DEM's position.
        """
        result = self.plain_difference(shift)
        if self.taken_off is not None:
            result -= self.taken_off
        return result

    def weighting(self, difference: FloatArray) -> tuple[Weighting, float]:
        """Limits and scale for a step on these differences, and their NMAD (m).

        Parameters
        ----------
        difference : shaped like the windows, m.

        Errors
        ------
        BadInput : fewer pixels than ``minimum_stable_pixels``.
        """
        values = difference.ravel()[self._sample]
        known = np.isfinite(values)
        _require_enough(int(known.sum()), self._settings)
        values, precision = values[known], self._precision[known]
        kept = np.ones(values.shape, bool)
        centre, spread = 0.0, 0.0
        for _ in range(5):
            centre, spread = median(values[kept]), max(nmad(values[kept]), 1e-6)
            narrowed = np.abs(values - centre) <= self._settings.outlier_nmad * spread
            if (narrowed == kept).all():
                break
            kept = narrowed
        scale = NMAD_FACTOR * median(np.abs(values[kept]) * precision[kept])
        limit = self._settings.outlier_nmad * spread
        return Weighting(centre, limit, max(scale, 1e-6), self._limits), spread

    def sums(self, difference: FloatArray, weighting: Weighting) -> StepSums:
        """Normal equations over the survey; overwrites the differences.

        Parameters
        ----------
        difference : shaped like the windows, m; is overwritten.
        weighting : limits and scale of the step.
        """
        reference, suitable = self.survey.reference, self.survey.suitable
        edges = np.linspace(0, len(reference), min(SURVEY_PARTS, len(reference)) + 1).round().astype(int)

        def of_part(first: int, last: int) -> StepSums:
            part = slice(first, last)
            return step_sums(reference[part], difference[part], suitable[part], self.pixel_m, weighting)

        with worker_threads(2) as pool:
            return sum(pool.map(of_part, edges[:-1], edges[1:]), StepSums.nothing())


def search_on_survey(
    terrain: SurveyedTerrain, start: tuple[float, float], settings: ElevationChangeSettings
) -> tuple[Shift, list[Iteration]]:
    """Least absolute deviations on the survey, from a first guess (east, north) in m until the steps are negligible.

    Parameters
    ----------
    terrain : windows of both DEMs and their slopes.
    start : first guess, east and north, m.
    settings : limits of slope, shift and steps.

    Errors
    ------
    BadInput : too few stable pixels, slopes facing one way, a shift beyond ``max_shift_m``, no convergence.
    """
    shift = Shift(*start, 0.0)
    iterations: list[Iteration] = []
    step = shift
    for number in range(settings.max_iterations):
        difference = terrain.difference(shift)
        weighting, spread = terrain.weighting(difference)
        if number == 0:
            shift = plus(shift, Shift(0.0, 0.0, weighting.centre_m))
            difference -= np.float32(weighting.centre_m)
            weighting, spread = terrain.weighting(difference)
        sums = terrain.sums(difference, weighting)
        step = sums.step(weighting.scale_m)
        shift = plus(shift, step)
        iterations.append(Iteration(shift, spread, sums.count))
        refuse_far(shift, settings)
        if np.hypot(step.east, step.north) < SURVEY_TOLERANCE * settings.tolerance_pixel * terrain.pixel_m:
            return shift, iterations
    if np.hypot(step.east, step.north) < settings.tolerance_pixel * terrain.pixel_m:
        return shift, iterations
    raise BadInput(
        "co-registration",
        f"no convergence in {settings.max_iterations} steps (last step {step.east:.2f}, {step.north:.2f} m)",
        f"steps below {settings.tolerance_pixel} pixel",
        "check that both DEMs show the same terrain",
    )


def refuse_far(shift: Shift, settings: ElevationChangeSettings) -> None:
    """Refuse a shift longer than ``max_shift_m``.

    Parameters
    ----------
    shift : east, north, up, m.
    settings : ``max_shift_m``.

    Errors
    ------
    BadInput : a longer one.
    """
    length = float(np.hypot(shift.east, shift.north))
    if length > settings.max_shift_m:
        raise BadInput(
            "co-registration",
            f"a shift of {length:.0f} m",
            f"at most {settings.max_shift_m:.0f} m",
            "raise max_shift_m if the DEMs really lie that far apart",
        )


@dataclass(frozen=True)
class StepOfAll:
    """A step over every pixel of the grid.

    Attributes
    ----------
    shift : from which it goes.
    taken_off : of every difference, m, shape of the grid; None for nothing.
    """

    pair: DemPair
    shift: Shift
    weighting: Weighting
    taken_off: Raster | None = None


def sums_over_all_pixels(step: StepOfAll, runner: Runner, blocks: list[Block]) -> StepSums:
    """Normal equations of one step over every pixel of the grid."""
    parts = runner.map(partial(_block_sums, step), blocks)
    total = StepSums.nothing()
    for part in parts:
        total = total + part
    return total


def _block_sums(step: StepOfAll, block: Block) -> StepSums:
    pair = step.pair
    rows, columns = inner_rows(block.rows, pair.shape), inner_columns(pair.shape)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return StepSums.nothing()
    reference = pair.reference[with_rim(rows), with_rim(columns)]
    difference = pair.aligned.moved(rows, columns, step.shift)
    np.subtract(reference[RIM:-RIM, RIM:-RIM], difference, out=difference)
    if step.taken_off is not None:
        difference -= step.taken_off[rows, columns]
    return step_sums(reference, difference, pair.suitable(reference, rows, columns), pair.pixel_m, step.weighting)


def cosine_search(terrain: SurveyedTerrain, start: Shift, settings: ElevationChangeSettings, rounds: int = 10) -> Shift:
    """The shift by Nuth and Kaab's published form: the cosine fitted to medians of aspect classes, iterated.

    dh / tan(slope) = a cos(b - aspect) + c (2011, eqs 2 and 3), with the horizontal shift a (sin b, cos b) and the
    vertical one the median of what it leaves.

    Parameters
    ----------
    terrain : windows of both DEMs and their slopes.
    start : shift to begin from, m.
    settings : limits of slope.
    rounds : most of the iterations.

    Source
    ------
    Nuth and Kaab (2011), eqs 2 and 3.
    """
    shift = start
    for _ in range(rounds):
        difference = terrain.difference(shift)
        weighting, _ = terrain.weighting(difference)
        kept = terrain.fitting & (np.abs(difference - weighting.centre_m) <= weighting.limit_m)
        fit = cosine_fit(difference, terrain.gradient, kept)
        direction = np.radians(fit.b_deg)
        # the fit tells where the aligned DEM lies; it is moved the other way
        step = Shift(float(fit.a_m * np.sin(direction)), float(fit.a_m * np.cos(direction)), weighting.centre_m)
        shift = plus(shift, step)
        if np.hypot(step.east, step.north) < settings.tolerance_pixel * terrain.pixel_m:
            break
    return shift


def _require_enough(count: int, settings: ElevationChangeSettings) -> None:
    if count < settings.minimum_stable_pixels:
        raise BadInput(
            "stable terrain",
            f"{count} pixels",
            f"at least {settings.minimum_stable_pixels} with slopes of {settings.slope_min_deg:g} to "
            f"{settings.slope_max_deg:g} degrees",
            "widen the area, the slope limits or the stable mask, or check the outlines",
        )


def cosine_fit(
    difference: FloatArray, gradient: tuple[FloatArray, FloatArray], kept: BoolArray, bins: int = 72
) -> CosineFit:
    """Fit dh / tan(slope) = a cos(b - aspect) + c to medians of aspect bins (Nuth and Kaab, 2011, eqs 2 and 3).

    Parameters
    ----------
    difference : reference minus aligned DEM, m.
    gradient : slope components of the reference, m per m.
    kept : stable pixels with a slope above zero.
    """
    slope_tangent = np.tan(np.radians(slope_deg(*gradient)[kept]))
    aspect = aspect_deg(*gradient)[kept]
    ratio = difference[kept] / slope_tangent
    edges = np.linspace(0, 360, bins + 1)
    member = np.clip(np.digitize(aspect, edges) - 1, 0, bins - 1)
    order = np.argsort(member, kind="stable")
    groups = np.split(ratio[order], np.searchsorted(member[order], np.arange(1, bins)))
    medians = np.array([median(group) if group.size >= 10 else np.nan for group in groups])
    centre = (edges[:-1] + edges[1:]) / 2
    known = np.isfinite(medians)
    if known.sum() < 8:
        raise BadInput(
            "stable terrain", f"pixels in {int(known.sum())} of {bins} aspect classes", "terrain of many aspects"
        )
    angle = np.radians(centre[known])
    design = np.column_stack([np.cos(angle), np.sin(angle), np.ones(angle.size)])
    cosine, sine, constant = np.linalg.lstsq(design, medians[known], rcond=None)[0]
    direction = float(np.degrees(np.arctan2(sine, cosine)) % 360)
    return CosineFit(
        a_m=float(np.hypot(cosine, sine)),
        b_deg=direction,
        c_m=float(constant),
        bin_centre_deg=centre,
        bin_median_m=medians,
    )
