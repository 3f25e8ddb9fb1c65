"""Plane and elevation correction of two DEMs by the cosine relation of aspect and elevation difference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.statistics import NMAD_FACTOR, nmad, thinned, within_nmad
from pipeline.elevation_change.terrain import aspect_deg, slope_deg
from pipeline.grid import BoolArray, FloatArray
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings

# vertical over horizontal error of a DEM, as in Koppe's formula
SLOPE_ERROR_RATIO = 0.3
# residuals beyond this share of the spread enter linearly, not squared
LINEAR_BEYOND = 0.1
# the steps of the co-registration go on where the reweightings of the last one ended
REWEIGHTINGS = 6
# on the DEM as it was first resampled; what is left is settled on the DEM resampled anew at its shifted position
COARSE_TOLERANCE_PIXEL = 0.01


@dataclass(frozen=True)
class Iteration:
    """One step: the shift after it, and the stable terrain's spread before it (m)."""

    shift: Shift
    nmad_m: float
    count: int


@dataclass(frozen=True)
class Coregistration:
    """The shift that brings the aligned DEM onto the reference, and how it was reached."""

    shift: Shift
    iterations: tuple[Iteration, ...]


@dataclass(frozen=True)
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
class StepPixels:
    """The kept pixels of one step of the linear relation d = -dx dz/dE - dy dz/dN + dz.

    Attributes
    ----------
    difference : reference minus aligned DEM, shape (pixels,), m.
    design : columns -dz/dE, -dz/dN and 1, shape (pixels, 3).
    """

    difference: FloatArray
    design: FloatArray

    @classmethod
    def of(cls, difference: FloatArray, gradient: tuple[FloatArray, FloatArray], kept: BoolArray) -> StepPixels:
        design = np.empty((int(kept.sum()), 3))
        np.negative(gradient[0][kept], out=design[:, 0])
        np.negative(gradient[1][kept], out=design[:, 1])
        design[:, 2] = 1
        return cls(difference[kept].astype(np.float64), design)

    def residual(self, shift: Shift) -> FloatArray:
        """What a shift leaves of the difference, m."""
        left: FloatArray = self.difference - self.design @ np.array([shift.east, shift.north, shift.up])
        return left

    def sums(self, weight: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Normal matrix, shape (3, 3), and right-hand side, shape (3,): sums over pixels, so blocks add up."""
        weighted = self.design * weight[:, None]
        return weighted.T @ self.design, weighted.T @ self.difference


def robust_step(pixels: StepPixels) -> Shift:
    """One step of the co-registration: least absolute deviations, weighted by the slope.

    The Cartesian, linearised form of Nuth and Kaab's relation (Rosenholm and Torlegard, 1988), solved by iteratively
    reweighted normal equations. A height's error grows with the slope as sigma^2 = sigma_v^2 (1 + tan^2(slope) / h^2)
    (Koppe's formula; h = 0.3 is the usual ratio of vertical to horizontal error), so steep pixels count less; residuals
    beyond a tenth of sigma weigh as 1 / |residual|, so change, tilt and blunders pull little.

    Errors
    ------
    BadInput : see ``solve_step``.
    """
    tangent_squared = pixels.design[:, 0] ** 2 + pixels.design[:, 1] ** 2
    precision = 1 / np.sqrt(1 + tangent_squared / SLOPE_ERROR_RATIO**2)
    shift = Shift(0.0, 0.0, float(np.median(thinned(pixels.difference))))
    scale = max(float(np.median(thinned(np.abs(pixels.residual(shift)) * precision))) * NMAD_FACTOR, 1e-9)
    for _ in range(REWEIGHTINGS):
        standardised = np.abs(pixels.residual(shift)) * precision
        weight = precision**2 / np.maximum(standardised / (LINEAR_BEYOND * scale), 1.0)
        last, shift = shift, solve_step(*pixels.sums(weight))
        if max(abs(shift.east - last.east), abs(shift.north - last.north), abs(shift.up - last.up)) < 2e-3:
            break
    return shift


def solve_step(matrix: FloatArray, right: FloatArray) -> Shift:
    """Solve the normal equations for one shift.

    Errors
    ------
    BadInput : the slopes do not span two directions, so a horizontal shift cannot be told from a vertical one.
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


def translated(heights: FloatArray, east_m: float, north_m: float, pixel_m: float) -> FloatArray:
    """The DEM moved by (east, north) m on its own grid: bilinear, four weighted slices; NaN where it has no support.

    Parameters
    ----------
    heights : shape (rows, columns), m; row 0 in the north.
    """
    columns, rows = -east_m / pixel_m, north_m / pixel_m  # where a pixel of the result looks in the source
    whole_row, whole_column = int(np.floor(rows)), int(np.floor(columns))
    part_row, part_column = rows - whole_row, columns - whole_column
    result = np.zeros_like(heights)
    for row, weight_row in ((whole_row, 1 - part_row), (whole_row + 1, part_row)):
        for column, weight_column in ((whole_column, 1 - part_column), (whole_column + 1, part_column)):
            if weight_row * weight_column > 0:
                result += np.float32(weight_row * weight_column) * _rolled(heights, row, column)
    return result


def _rolled(heights: FloatArray, row: int, column: int) -> FloatArray:
    """result[i, j] = heights[i + row, j + column]; NaN outside."""
    result = np.full_like(heights, np.nan)
    rows, columns = heights.shape
    if abs(row) >= rows or abs(column) >= columns:
        return result
    result[max(0, -row) : rows - max(0, row), max(0, -column) : columns - max(0, column)] = heights[
        max(0, row) : rows + min(0, row), max(0, column) : columns + min(0, column)
    ]
    return result


def coregister(
    reference: FloatArray,
    aligned: FloatArray,
    gradient: tuple[FloatArray, FloatArray],
    stable: BoolArray,
    pixel_m: float,
    settings: ElevationChangeSettings,
) -> Coregistration:
    """Find the shift that brings ``aligned`` onto ``reference``, on all stable pixels, robustly and iterated.

    d(p) = reference(p) - aligned(p - s) is regressed on the reference's slope components at every step, with pixels
    beyond ``outlier_nmad`` left out, until the step falls below a hundredth of a pixel (Nuth and Kaab, 2011, eq. 3, in
    the Cartesian form of Rosenholm and Torlegard, 1988).

    Parameters
    ----------
    reference, aligned : shape (rows, columns), m, NaN where void.
    gradient : slope components of the reference, m per m.
    stable : terrain that did not change and is steep enough to show an aspect signal.
    pixel_m : pixel size, m.

    Errors
    ------
    BadInput : too few stable pixels, slopes facing one way, a shift beyond ``max_shift_m``, no convergence.
    """
    start = coarse_offset(reference, aligned, stable, pixel_m, settings)
    shift = Shift(*start, 0.0)
    iterations: list[Iteration] = []
    for _ in range(settings.max_iterations):
        difference = reference - translated(aligned, shift.east, shift.north, pixel_m) - np.float32(shift.up)
        kept = within_nmad(difference, stable, settings.outlier_nmad)
        _require_enough(int(kept.sum()), settings)
        spread = nmad(difference[kept])
        step = robust_step(StepPixels.of(difference, gradient, kept))
        shift = Shift(shift.east + step.east, shift.north + step.north, shift.up + step.up)
        iterations.append(Iteration(shift, spread, int(kept.sum())))
        if np.hypot(shift.east, shift.north) > settings.max_shift_m:
            raise BadInput(
                "co-registration",
                f"a shift of {np.hypot(shift.east, shift.north):.0f} m",
                f"at most {settings.max_shift_m:.0f} m",
                "raise max_shift_m if the DEMs really lie that far apart",
            )
        if np.hypot(step.east, step.north) < COARSE_TOLERANCE_PIXEL * pixel_m:
            return Coregistration(shift, tuple(iterations))
    raise BadInput(
        "co-registration",
        f"no convergence in {settings.max_iterations} steps (last step {step.east:.2f}, {step.north:.2f} m)",
        f"steps below {COARSE_TOLERANCE_PIXEL} pixel",
        "check that both DEMs show the same terrain",
    )


def coarse_offset(
    reference: FloatArray, aligned: FloatArray, stable: BoolArray, pixel_m: float, settings: ElevationChangeSettings
) -> tuple[float, float]:
    """Whole-pixel offset (east, north) in m from which the linearised steps converge.

    The linear relation holds while the shift is short against the relief's wavelength; a longer one is found first as
    the peak of the phase-free cross-correlation of both DEMs, high-passed and thinned to at most about 256 lines.
    """
    thin = max(1, max(reference.shape) // 256)
    pictures = []
    for heights in (reference, aligned):
        known = stable & np.isfinite(heights)
        filled = np.where(known, heights, 0.0).astype(np.float64)
        weight = known.astype(np.float64)
        window = 12 * thin + 1
        local = ndimage.uniform_filter(filled, window) / np.maximum(ndimage.uniform_filter(weight, window), 1e-6)
        high = np.where(known, heights - local, 0.0)
        pictures.append(ndimage.uniform_filter(high, thin)[::thin, ::thin] if thin > 1 else high)
    shape = [2 * size for size in pictures[0].shape]
    product = np.fft.rfft2(pictures[0], shape) * np.conj(np.fft.rfft2(pictures[1], shape))
    correlation = np.fft.irfft2(product, shape)
    reach = int(settings.max_shift_m / (thin * pixel_m)) + 1
    rows, columns = np.minimum(reach, np.array(pictures[0].shape) - 1)
    near = np.roll(correlation, (rows, columns), (0, 1))[: 2 * rows + 1, : 2 * columns + 1]
    row, column = np.unravel_index(int(np.argmax(near)), near.shape)
    east, north = (int(column) - columns) * thin * pixel_m, -(int(row) - rows) * thin * pixel_m
    # a peak within one thinned pixel says nothing that the first linear step does not know better
    return (0.0, 0.0) if max(abs(east), abs(north)) <= thin * pixel_m else (float(east), float(north))


def _require_enough(count: int, settings: ElevationChangeSettings) -> None:
    if count < settings.minimum_stable_pixels:
        raise BadInput(
            "stable terrain",
            f"{count} pixels",
            f"at least {settings.minimum_stable_pixels}",
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
    medians = np.array([np.median(group) if group.size >= 10 else np.nan for group in groups])
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
    return CosineFit(float(np.hypot(cosine, sine)), direction, float(constant), centre, medians)
