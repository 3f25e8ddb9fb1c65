"""What the error of a balance profile does to its equilibrium line and accumulation-area ratio."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from pipeline.grid import FloatArray
from pipeline.mass_balance.field import AreaMean, FieldModel, YearField, YearPoints, area_mean_of
from pipeline.mass_balance.glacier_wide.equilibrium_line import EquilibriumLine
from pipeline.mass_balance.glacier_wide.uncertainty import shared_error
from pipeline.mass_balance.ground import GlacierSurface, SortedHeights

# an even selection of so many pixels stands for the surroundings of the line
_PIXELS = 400
# of what the points depart from the profile, this share is left in the mean of a band of elevation: it is a few times
# as long as the pattern of snow and shade
BAND_SHARE = 0.25
# 95 % of a normal distribution lie within so many standard deviations
_Z95 = 1.96


@dataclass(frozen=True)
class EquilibriumError:
    """One standard deviation of the equilibrium line's elevation (m), None where it lies off the glacier, and of the
    accumulation-area ratio."""

    elevation_m: float | None
    aar: float


def error_of_line(
    line_of: Callable[[float], EquilibriumLine],
    ratio_of: Callable[[float], float],
    sigma_m_we: float,
    gradient_m_we_per_100m: float,
) -> EquilibriumError:
    """How far the line and the ratio move when the whole profile is raised or lowered by its error; the further counts.

    sigma = max(|x(+z s) - x|, |x(-z s) - x|) / z with s the profile's error and z = 1.96: where the profile flattens
    near the line, the interval of 95 % is wider than its middle part tells. ``line_of`` and ``ratio_of`` give the line
    and the ratio of the profile with some balance (m w.e.) added to it. A line that leaves the glacier moves to its
    end; one that lies off it may move onto it, and has no error where it does not.

    Parameters
    ----------
    line_of, ratio_of : line and ratio of the profile with so much balance (m w.e.) added.
    sigma_m_we : error of the profile.
    gradient_m_we_per_100m : of the profile about the line.
    """
    line, ratio = line_of(0.0), ratio_of(0.0)
    shifts = (_Z95 * sigma_m_we, -_Z95 * sigma_m_we)
    of_ratio = max(abs(ratio_of(shift) - ratio) for shift in shifts) / _Z95
    move = max(abs(line_of(shift).elevation_m - line.elevation_m) for shift in shifts) / _Z95
    if line.position != "=":
        return EquilibriumError(move if move > 0 else None, of_ratio)
    return EquilibriumError(move or 100 * sigma_m_we / max(abs(gradient_m_we_per_100m), 1e-3), of_ratio)


def errors_of_mean(
    mean: AreaMean, heights: SortedHeights, year: YearPoints, model: FieldModel, widening: float
) -> dict[str, float]:
    """Errors by source (m w.e.) of the field's mean over an area whose pixels have some ``heights``.

    point : the points' own noise; density : what all points share; interpolation : the kriging error of the mean
    without that noise, times ``widening``, and what the bend of the trend, and the profile beyond the points, may be
    wrong by.

    Parameters
    ----------
    mean : of the area, with the points' weights.
    heights : of the area's pixels.
    year : the points and what they share.
    model : covariance and trend of all years.
    widening : of the kriging error, at least 1.
    """
    interpolation = math.sqrt(max(mean.variance - mean.noise_variance, 0.0)) * widening
    if model.bend is not None:
        interpolation = math.hypot(interpolation, model.bend.sigma_of_mean(year.observed, mean.weights, heights))
    interpolation = math.hypot(interpolation, year.beyond.error_over(heights, year.observed.elevation_m))
    return {
        "point": math.sqrt(mean.noise_variance),
        "density": shared_error(mean.weights, year.shared[:, 0], year.shared[:, 1]),
        "interpolation": interpolation,
    }


def field_error_at(
    place_m: tuple[float, float],
    year: YearPoints,
    field: YearField,
    ground: tuple[GlacierSurface, FieldModel],
    widening: float,
) -> float:
    """One standard deviation (m w.e.) of the field's mean over the pixels at an elevation.

    Block kriging of these pixels, with the sources of ``errors_of_mean``. ``place_m`` : the elevation, and how near to
    it pixels count.
    """
    surface, model = ground
    elevation_m, within_m = place_m
    inside = surface.inside_elevation_m
    distance = np.abs(inside - elevation_m)
    near = np.flatnonzero(distance <= max(within_m, float(distance.min())))
    near = near[:: max(1, near.size // _PIXELS)]
    positions, heights = surface.inside_positions[near], SortedHeights.of(inside[near])
    kriged = field.kriged
    to_points = model.covariance.of(cdist(positions, kriged.points.positions)).mean(axis=0)
    within = float(model.covariance.of(cdist(positions, positions)).mean())
    mean = area_mean_of(kriged, to_points, heights, within)
    return math.hypot(*errors_of_mean(mean, heights, year, model, widening).values())


def profile_error_at(elevation_m: float, middle_m: FloatArray, sigma_m_we: FloatArray) -> float:
    """Error (m w.e.) of a profile of zones at an elevation: that of the zones next to it, by height between them.

    Parameters
    ----------
    elevation_m : where it is asked for.
    middle_m, sigma_m_we : of the zones, lowest first, shape (zones,).
    """
    known = np.isfinite(sigma_m_we)
    return float(np.interp(elevation_m, middle_m[known], sigma_m_we[known]))
