"""What of a difference follows the place alone: a tilt, a share of the elevation, and waves along a track."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.elevation_change.differencing.undulation import FoundWave, PlaneWave, oscillation, waves_in
from pipeline.elevation_change.statistics import IntArray, Range, nmad
from pipeline.grid import BoolArray, FloatArray
from schemas.settings import ElevationChangeSettings

# trends are fitted to so many evenly spaced pixels, summed over so many at once; outliers are judged anew so many times
MOST_PIXELS, CHUNK, ROUNDS = 250_000, 100_000, 2
# a share of the elevation stands out from so many of its standard deviations on, and from half a metre per kilometre on
SCALE_SIGMAS, LEAST_SCALE = 4.0, 5e-4
# both halves of the elevations must show at least this much of it: snow on high ground shows in one
LEAST_IN_HALF = 1 / 3


@dataclass(frozen=True)
class Ground:
    """Where pixels lie: easting and northing from the middle of the grid, and elevation, m; arrays that broadcast."""

    east_m: FloatArray
    north_m: FloatArray
    elevation_m: FloatArray

    def __getitem__(self, kept: BoolArray | slice) -> Ground:
        return Ground(self.east_m[kept], self.north_m[kept], self.elevation_m[kept])


@dataclass(frozen=True, kw_only=True)
class Trend:
    """What is taken off reference minus aligned DEM; over stable terrain its mean is that of the difference.

        t = t_0 + a (E - E_0) + b (N - N_0) + kappa (z - z_0) + waves

    Attributes
    ----------
    east, north : slopes of the plane, m per m; 0 where it stays.
    scale : kappa; 0 where it stays.
    waves : those that are taken off.
    middle_m : easting, northing and elevation of stable terrain's own middle.
    height_m : t_0.
    """

    east: float
    north: float
    scale: float
    waves: tuple[PlaneWave, ...]
    middle_m: tuple[float, float, float]
    height_m: float

    def at(self, ground: Ground) -> FloatArray:
        """The trend at places, m."""
        east, north, elevation = self.middle_m
        result: FloatArray = self.height_m + self.east * (ground.east_m - east) + self.north * (ground.north_m - north)
        if self.scale:
            result = result + self.scale * (ground.elevation_m - elevation)
        for wave in self.waves:
            result = result + wave.at(ground.east_m, ground.north_m)
        return result


@dataclass(frozen=True, kw_only=True)
class Scale:
    """A share of the elevation in the difference.

    Attributes
    ----------
    value, sigma : kappa and its standard deviation, m per m.
    stands_out : whether it is larger than chance and than 0.5 m per km, and shows in both halves of the elevations.
    middle_m : elevation of stable terrain's own middle.
    """

    value: float
    sigma: float
    stands_out: bool
    middle_m: float


@dataclass(frozen=True, kw_only=True)
class Trends:
    """What follows the place in a difference of reference minus aligned DEM over stable terrain.

    Attributes
    ----------
    whole : all that stands out, and the plane.
    taken_off : what the settings ask to take off; None where they ask for nothing.
    waves : with their errors.
    tilt_explains, scale_explains, waves_explain : share of the NMAD of stable terrain that each explains, 0 to 1.
    """

    whole: Trend
    taken_off: Trend | None
    scale: Scale
    waves: tuple[FoundWave, ...]
    tilt_explains: float
    scale_explains: float
    waves_explain: float


def fitted_trends(difference: FloatArray, ground: Ground, place: IntArray, settings: ElevationChangeSettings) -> Trends:
    """Fit plane, share of the elevation and waves together by least squares, and pick what is to be taken off.

    What does not stand out is left out of the fit, but for the plane and for what is to be taken off. The mean of all
    of stable terrain is taken off with it: the vertical term is solved again.

    Parameters
    ----------
    difference : reference minus aligned DEM of stable terrain, shape (pixels,), m.
    ground : of the pixels.
    place : number of the square of ground in which each lies; squares err independently.
    settings : limit of outliers, and what is to be taken off.
    """
    every = slice(None, None, max(1, difference.size // MOST_PIXELS))
    some, here, square = difference[every], ground[every], place[every]
    kept = _near(some, here, None, settings)
    trends = _fitted(some[kept].astype(np.float64), here[kept], square[kept], settings)
    for _ in range(ROUNDS):
        # an outlier is one of the trend: else the highest ground is cut on the side to which it deviates
        kept = _near(some, here, trends.whole, settings)
        trends = _fitted(some[kept].astype(np.float64), here[kept], square[kept], settings)
    if trends.taken_off is None:
        return trends
    kept = _near(difference, ground, trends.whole, settings)
    values = difference[kept].astype(np.float64)
    return replace(trends, taken_off=_with_mean(trends.taken_off, values, ground[kept]))


def _near(difference: FloatArray, ground: Ground, trend: Trend | None, settings: ElevationChangeSettings) -> BoolArray:
    """Pixels whose difference is no outlier of the trend, or of the rest without one."""
    left = difference if trend is None else difference - trend.at(ground).astype(np.float32)
    return Range.within_nmad(left, settings.outlier_nmad).holds(left)


def _fitted(values: FloatArray, own: Ground, place: IntArray, settings: ElevationChangeSettings) -> Trends:
    """The trends of a difference without outliers."""
    middle = tuple(float(part.mean(dtype=np.float64)) for part in (own.east_m, own.north_m, own.elevation_m))
    fit = _Fit(ground=own, middle_m=(middle[0], middle[1], middle[2]), with_scale=True, numbers=())
    waves = waves_in(values - fit.solved(values).at(own), own.east_m, own.north_m)
    fit = replace(fit, numbers=tuple((one.wave.east, one.wave.north) for one in waves))
    scale = _scale(fit, values, place)
    if not (scale.stands_out or settings.correct_elevation_scale):
        fit = replace(fit, with_scale=False)
    whole = fit.solved(values)
    waves = tuple(replace(one, wave=wave) for one, wave in zip(waves, whole.waves, strict=True))
    asked = _only(whole, values, own, settings)
    spread = max(nmad(values), 1e-6)

    def explains(part: Trend) -> float:
        return max(0.0, 1 - nmad(values - part.at(own)) / spread)

    return Trends(
        whole=whole,
        taken_off=asked,
        scale=scale,
        waves=waves,
        tilt_explains=explains(_with_mean(replace(whole, scale=0.0, waves=()), values, own)),
        scale_explains=explains(_with_mean(replace(whole, east=0.0, north=0.0, waves=()), values, own)),
        waves_explain=explains(_with_mean(replace(whole, east=0.0, north=0.0, scale=0.0), values, own)),
    )


@dataclass(frozen=True, kw_only=True)
class _Fit:
    """Least squares on some ground: a constant, a plane, the elevation where asked, and waves of these numbers."""

    ground: Ground
    middle_m: tuple[float, float, float]
    with_scale: bool
    numbers: tuple[tuple[float, float], ...]

    def chunks(self) -> Iterator[tuple[slice, FloatArray]]:
        """The design of so many pixels at once, shape (columns, pixels), elevations last but for the waves."""
        for start in range(0, self.ground.east_m.size, CHUNK):
            part = slice(start, start + CHUNK)
            here = self.ground[part]
            columns = [
                np.ones(here.east_m.size), here.east_m - self.middle_m[0], here.north_m - self.middle_m[1],
                here.elevation_m.astype(np.float64) - self.middle_m[2],
            ]  # fmt: skip
            for pair in self.numbers:
                columns += oscillation(pair, here.east_m, here.north_m)
            yield part, np.stack(columns if self.with_scale else [*columns[:3], *columns[4:]])

    def coefficients(self, values: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Those of least squares, and the inverse of the normal equations."""
        size = 3 + int(self.with_scale) + 2 * len(self.numbers)
        products, right = np.zeros((size, size)), np.zeros(size)
        for part, design in self.chunks():
            products += design @ design.T
            right += design @ values[part]
        inverse: FloatArray = np.linalg.pinv(products, rcond=1e-14, hermitian=True)
        return inverse @ right, inverse

    def solved(self, values: FloatArray) -> Trend:
        """The trend of least squares."""
        solution, _ = self.coefficients(values)
        first = 3 + int(self.with_scale)
        waves = [
            PlaneWave(*pair, float(cosine), float(sine))
            for pair, (cosine, sine) in zip(self.numbers, solution[first:].reshape(-1, 2), strict=True)
        ]
        return Trend(
            east=float(solution[1]),
            north=float(solution[2]),
            scale=float(solution[3]) if self.with_scale else 0.0,
            waves=tuple(waves),
            middle_m=self.middle_m,
            height_m=float(solution[0]),
        )


def _scale(fit: _Fit, values: FloatArray, place: IntArray) -> Scale:
    """The share of the elevation beside plane and waves, its error from squares of ground, and whether it counts."""
    solution, inverse = fit.coefficients(values)
    pull, left = np.empty(values.size), np.empty(values.size)
    for part, design in fit.chunks():
        # kappa = sum pull values
        pull[part] = inverse[3] @ design
        left[part] = values[part] - solution @ design
    value = float(solution[3])
    sums = np.bincount(np.unique(place, return_inverse=True)[1].ravel(), pull * left)
    sigma = math.sqrt(sums.size / max(1, sums.size - 1) * float(sums @ sums))
    # the elevation as far as plane and waves do not tell it
    own = pull / max(float(pull @ pull), 1e-300)
    lower = fit.ground.elevation_m < np.median(fit.ground.elevation_m)
    halves = [_slope(own[half], left[half] + value * own[half]) for half in (lower, ~lower)]
    both = all(math.copysign(1.0, value) * half >= LEAST_IN_HALF * abs(value) for half in halves)
    large = abs(value) > SCALE_SIGMAS * sigma and abs(value) >= LEAST_SCALE
    return Scale(value=value, sigma=sigma, stands_out=large and both, middle_m=fit.middle_m[2])


def _slope(own: FloatArray, values: FloatArray) -> float:
    """Slope of a straight line through values."""
    if own.size < 2:
        return 0.0
    about = own - own.mean()
    return float(about @ values) / max(float(about @ about), 1e-300)


def _only(whole: Trend, values: FloatArray, own: Ground, settings: ElevationChangeSettings) -> Trend | None:
    """What the settings ask to take off; None where they ask for nothing."""
    if not (settings.correct_tilt or settings.correct_elevation_scale or settings.correct_undulation):
        return None
    asked = replace(
        whole,
        east=whole.east if settings.correct_tilt else 0.0,
        north=whole.north if settings.correct_tilt else 0.0,
        scale=whole.scale if settings.correct_elevation_scale else 0.0,
        waves=whole.waves if settings.correct_undulation else (),
    )
    return _with_mean(asked, values, own)


def _with_mean(trend: Trend, values: FloatArray, own: Ground) -> Trend:
    """The trend moved up or down so that its mean over stable terrain is that of the difference."""
    return replace(trend, height_m=trend.height_m + float((values - trend.at(own)).mean()))
