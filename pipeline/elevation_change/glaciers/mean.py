"""The mean change of one glacier and of its elevation bands, voids filled, with the error of each source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.differencing import sigma_of_corrections, surface_shares
from pipeline.elevation_change.glaciers.elevation_profile import Bands, band_of
from pipeline.elevation_change.glaciers.error_budget import ChangeBudget
from pipeline.elevation_change.glaciers.normalised_profile import PositionSums, margin_factors, position_of
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, GlacierShapes, IntArray, mean_slope, read_pixels
from pipeline.elevation_change.glaciers.profile_deviation import (
    Deviation,
    Pairs,
    fit_deviation,
    pairs_of_deviations,
    pairs_of_each,
)
from pipeline.elevation_change.glaciers.profile_prior import ProfilePrior
from pipeline.elevation_change.glaciers.shape_error import ShapeError
from pipeline.elevation_change.glaciers.surface import Surface
from pipeline.elevation_change.glaciers.void_filling import Filling, fill_voids, nothing_filled
from pipeline.elevation_change.statistics import median, nmad
from pipeline.grid import FloatArray

# pixels of the first glaciers that stay in memory from the first reading to the second, 48 bytes each
MOST_KEPT = 1_000_000


@dataclass(frozen=True, kw_only=True)
class GlacierSurvey:
    """What the glaciers of a region tell about each other.

    Attributes
    ----------
    pixels : of all glaciers together.
    kept : the pixels of the first glaciers, by number, as far as there is room.
    sums : over the parts of each glacier's elevation range; None without a measured pixel.
    known : place of each among those with a measured pixel; -1 for the others.
    deviation : how the true change deviates from a glacier's profile.
    prior : what is expected of a glacier's profile; None where nothing has to be filled.
    """

    pixels: int
    kept: dict[int, GlacierPixels]
    sums: tuple[PositionSums | None, ...]
    known: tuple[int, ...]
    deviation: Deviation
    prior: ProfilePrior | None

    @property
    def covariance_shared(self) -> FloatArray:
        """Of the region's level, tongue and bend, which the filled values of all glaciers lean on; shape (3, 3)."""
        return np.zeros((3, 3)) if self.prior is None else self.prior.covariance_shared

    def filled(self, pixels: GlacierPixels, number: int) -> Filling:
        """The glacier's change with its voids filled.

        Parameters
        ----------
        pixels : of the glacier.
        number : of the glacier.
        """
        sums, known = self.sums[number], self.known[number]
        if self.prior is None or sums is None:
            return nothing_filled(pixels)
        expected = self.prior.of_glacier(known)
        return fill_voids(pixels, sums, self.prior.factor, self.prior.variance_m2[known], expected)


@dataclass(frozen=True, kw_only=True)
class BandMean:
    """One elevation band of a glacier: its number, its pixels, and statistics of the measured ones (NaN without any).

    Attributes
    ----------
    measured : places of the band's measured pixels among those of the glacier.
    sigma_of_sum_m : standard deviation of the sum of their errors of measurement.
    sigma_mean_dh_m : standard deviation of their mean, from all sources.
    surface_shares : share of the band's pixels on each surface with a correction of its own.
    """

    number: int
    pixels: int
    measured: IntArray
    mean_dh_m: float
    median_dh_m: float
    nmad_dh_m: float
    sigma_of_sum_m: float
    sigma_mean_dh_m: float
    surface_shares: FloatArray


@dataclass(frozen=True, kw_only=True)
class GlacierMean:
    """The mean change of one glacier and what it rests on.

    Attributes
    ----------
    mean_dh_m, median_dh_m : of all pixels, voids filled.
    shared_profile : what the mean takes of the error of the region's level, tongue and bend, shape (3,).
    observed_share, extrapolated_share, outlier_share : shares of the pixels: measured; filled beyond the measured
        elevations; filled because what was measured there is a blunder.
    surface_shares : share of the pixels on each surface with a correction of its own.
    slope : mean rise to the east and to the north, m per m.
    middle_m : mean elevation.
    taken_off : what each form of the resolution correction takes off it, m.
    """

    mean_dh_m: float
    median_dh_m: float
    budget: ChangeBudget
    shared_profile: FloatArray
    observed_share: float
    extrapolated_share: float
    outlier_share: float
    surface_shares: FloatArray
    slope: tuple[float, float]
    middle_m: float
    taken_off: FloatArray
    lowest_m: float
    highest_m: float

    @property
    def columns(self) -> dict[str, float]:
        """What the mean rests on, under the names of the published columns."""
        return {
            "median_dh_m": self.median_dh_m,
            "observed_share": self.observed_share,
            "filled_share": 1 - self.observed_share,
            "extrapolated_share": self.extrapolated_share,
            "outlier_share": self.outlier_share,
            "lowest_m": self.lowest_m,
            "highest_m": self.highest_m,
        }


@dataclass(frozen=True, kw_only=True)
class MeasuredGlacier:
    """The mean change of one glacier with the pixels and bands behind it.

    Attributes
    ----------
    sigma_of_sum_m : standard deviation of the sum of the measurements' errors, each weighted as the filling asks.
    """

    mean: GlacierMean
    pixels: GlacierPixels
    filling: Filling
    bands: tuple[BandMean, ...]
    sigma_of_sum_m: float


def survey(surface: Surface, shapes: GlacierShapes) -> GlacierSurvey:
    """A first reading of all glaciers: their profiles, what is common to them, and the deviations from them.

    Parameters
    ----------
    surface : change, its sigma and the elevation on one grid, m.
    shapes : the glaciers on that grid.
    """
    sums: list[PositionSums | None] = []
    pairs: list[Pairs] = []
    kept: dict[int, GlacierPixels] = {}
    total = 0
    for number in range(len(shapes)):
        pixels = _read(surface, shapes, number)
        total += pixels.dh.size
        if total <= MOST_KEPT:
            kept[number] = pixels
        own = None
        if pixels.observed.any() and np.isfinite(pixels.height).all():
            own = PositionSums.of(pixels, surface.pixel_m)
            count = pairs_of_each(len(shapes))
            pairs.append(pairs_of_deviations(pixels, own, surface.variogram, surface.pixel_m, count, number))
        sums.append(own)
    known = [own for own in sums if own is not None]
    voids = any(own.measured.sum() < own.pixels.sum() for own in known)
    deviation = fit_deviation(pairs if voids else [], margin_factors(known, surface.variogram), surface.pixel_m)
    prior = ProfilePrior.of(known, deviation, surface.variogram, surface.pixel_m) if voids else None
    places = np.cumsum([own is not None for own in sums]) - 1
    return GlacierSurvey(
        pixels=total,
        kept=kept,
        sums=tuple(sums),
        known=tuple(int(place) if own is not None else -1 for place, own in zip(places, sums, strict=True)),
        deviation=deviation,
        prior=prior,
    )


def _read(surface: Surface, shapes: GlacierShapes, number: int) -> GlacierPixels:
    return read_pixels(shapes, number, surface.dh_m, surface.sigma_m, surface.elevation_m)


def measured_glacier(
    surface: Surface, shapes: GlacierShapes, number: int, surveyed: GlacierSurvey
) -> MeasuredGlacier | None:
    """Mean change of a glacier and of its bands; None where it has no measured pixel.

    Parameters
    ----------
    surface : change, its sigma and the elevation on one grid, m.
    shapes : the glaciers on that grid.
    number : of the glacier among them.
    surveyed : what a first reading of all of them told.
    """
    if surveyed.sums[number] is None:
        return None
    pixels = surveyed.kept.get(number) or _read(surface, shapes, number)
    filling = surveyed.filled(pixels, number)
    error = ShapeError(pixels, surface.variogram, surface.pixel_m)
    sigma_of_sum = error.of_sum(filling.weight * pixels.sigma)
    slope = mean_slope(pixels, surface.grid) if any(surface.sigma_shift_m) else (0.0, 0.0)
    shares = surface_shares(pixels.height, surface.settings)
    of_profile = math.hypot(filling.sigma_profile_sum_m, filling.sigma_shared_sum_m) / pixels.dh.size
    taken_off = surface.taken_off(pixels)
    mean = GlacierMean(
        mean_dh_m=float(filling.dh.mean()),
        median_dh_m=median(filling.dh),
        budget=ChangeBudget(
            measurement=sigma_of_sum / pixels.dh.size,
            filling=math.hypot(_sigma_of_deviation(pixels, filling, surveyed.deviation, surface.pixel_m), of_profile),
            coregistration=surface.sigma_of_coregistration(slope, float(pixels.height.mean())),
            correction=sigma_of_corrections(shares, surface.settings),
            resolution=surface.sigma_of_resolution(taken_off),
        ),
        shared_profile=filling.shared_sum / pixels.dh.size,
        observed_share=float(pixels.observed.mean()),
        extrapolated_share=filling.extrapolated / pixels.dh.size,
        outlier_share=surface.outliers.count_among(pixels.row, pixels.column) / pixels.dh.size,
        surface_shares=shares,
        slope=slope,
        middle_m=float(pixels.height.mean()),
        taken_off=taken_off,
        lowest_m=float(pixels.height.min()),
        highest_m=float(pixels.height.max()),
    )
    shared = math.hypot(mean.budget.coregistration, mean.budget.resolution)
    bands = tuple(_bands(surface, pixels, error, shared))
    return MeasuredGlacier(mean=mean, pixels=pixels, filling=filling, bands=bands, sigma_of_sum_m=sigma_of_sum)


def _sigma_of_deviation(pixels: GlacierPixels, filling: Filling, deviation: Deviation, pixel_m: float) -> float:
    """Standard deviation that deviations from the profile give to the mean with its voids filled, m.

    In the voids they count in full, and with the opposite sign those of the measured pixels that lend their mean.
    """
    if not (filling.weight != 1).any():
        return 0.0
    weights = (1 - filling.weight) * deviation.size_at(position_of(pixels))
    return ShapeError(pixels, deviation.variogram, pixel_m).of_sum(weights) / pixels.dh.size


def _bands(surface: Surface, pixels: GlacierPixels, error: ShapeError, sigma_shared: float) -> Iterator[BandMean]:
    """Statistics of each band that the glacier reaches, each of its own pixels alone.

    ``sigma_shared`` : what co-registration and resolution correction give to every mean of the glacier, m.
    """
    profile = Bands.of(pixels, surface.settings.band_height_m)
    place = band_of(pixels.height, profile.band_height_m) - profile.first
    order = np.argsort(place, kind="stable")
    seen = pixels.observed
    for number, members in enumerate(np.split(order, np.cumsum(profile.pixels)[:-1])):
        if members.size == 0:
            continue
        measured, shares = members[seen[members]], surface_shares(pixels.height[members], surface.settings)
        if measured.size == 0:
            yield BandMean(
                number=profile.first + number,
                pixels=members.size,
                measured=measured,
                mean_dh_m=np.nan,
                median_dh_m=np.nan,
                nmad_dh_m=np.nan,
                sigma_of_sum_m=0.0,
                sigma_mean_dh_m=np.nan,
                surface_shares=shares,
            )
            continue
        values = pixels.dh[measured]
        weights = np.zeros(seen.size)
        weights[measured] = pixels.sigma[measured]
        sigma_of_sum = error.of_sum(weights)
        yield BandMean(
            number=profile.first + number,
            pixels=members.size,
            measured=measured,
            mean_dh_m=float(values.mean()),
            median_dh_m=median(values),
            nmad_dh_m=nmad(values),
            sigma_of_sum_m=sigma_of_sum,
            sigma_mean_dh_m=math.hypot(
                sigma_of_sum / measured.size, sigma_shared, sigma_of_corrections(shares, surface.settings)
            ),
            surface_shares=shares,
        )
