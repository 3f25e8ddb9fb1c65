"""The mean change of one glacier and of its elevation bands, voids filled, with the error of each source."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.differencing import sigma_of_corrections, surface_shares
from pipeline.elevation_change.glaciers.elevation_profile import Nodes, Profile, Steps, band_of
from pipeline.elevation_change.glaciers.error_budget import ChangeBudget
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, GlacierShapes, IntArray, mean_slope, read_pixels
from pipeline.elevation_change.glaciers.profile_deviation import (
    Deviation,
    fit_deviation,
    pairs_of_deviations,
    pairs_of_each,
    position_of,
)
from pipeline.elevation_change.glaciers.shape_error import ShapeError
from pipeline.elevation_change.glaciers.surface import Surface
from pipeline.elevation_change.glaciers.void_filling import Filling, fill_voids
from pipeline.elevation_change.statistics import median, nmad
from pipeline.grid import FloatArray


@dataclass(frozen=True, kw_only=True)
class GlacierSurvey:
    """What the glaciers of a region tell about each other; one entry a glacier, None without a measured pixel.

    Attributes
    ----------
    pixels : of all glaciers together.
    profiles, nodes : sums by elevation band, and the bands that lend their mean to voids.
    steps : how the change goes on from band to band.
    deviation : how the true change deviates from a glacier's profile.
    """

    pixels: int
    profiles: tuple[Profile | None, ...]
    nodes: tuple[Nodes | None, ...]
    steps: Steps
    deviation: Deviation


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
    sigma_profile_m : the part of the filling's error that comes from bands without measured pixels.
    observed_share, extrapolated_share, outlier_share : shares of the pixels: measured; filled beyond the measured
        elevations; filled because what was measured there is a blunder.
    surface_shares : share of the pixels on each surface with a correction of its own.
    slope : mean rise to the east and to the north, m per m.
    taken_off : what each form of the resolution correction takes off it, m.
    """

    mean_dh_m: float
    median_dh_m: float
    budget: ChangeBudget
    sigma_profile_m: float
    observed_share: float
    extrapolated_share: float
    outlier_share: float
    surface_shares: FloatArray
    slope: tuple[float, float]
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
    """A first reading of all glaciers: profiles, the steps between their bands, and the deviations from them.

    Parameters
    ----------
    surface : change, its sigma and the elevation on one grid, m.
    shapes : the glaciers on that grid.
    """
    profiles: list[Profile | None] = []
    nodes: list[Nodes | None] = []
    deviations, total = [], 0
    for number in range(len(shapes)):
        pixels = _read(surface, shapes, number)
        total += pixels.dh.size
        profile = own = None
        if pixels.observed.any() and np.isfinite(pixels.height).all():
            profile = Profile.of(pixels, surface.settings.band_height_m)
            own = Nodes.of(profile)
            pairs = pairs_of_each(len(shapes))
            deviations.append(
                pairs_of_deviations(pixels, profile, own, surface.variogram, surface.pixel_m, pairs, number)
            )
        profiles.append(profile)
        nodes.append(own)
    voids = any(profile is not None and profile.measured.sum() < profile.pixels.sum() for profile in profiles)
    return GlacierSurvey(
        pixels=total,
        profiles=tuple(profiles),
        nodes=tuple(nodes),
        steps=Steps.of([own for own in nodes if own is not None], surface.settings.band_height_m),
        deviation=fit_deviation(deviations if voids else [], surface.pixel_m),
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
    profile, nodes = surveyed.profiles[number], surveyed.nodes[number]
    if profile is None or nodes is None:
        return None
    pixels = _read(surface, shapes, number)
    filling = fill_voids(pixels, profile, nodes, surveyed.steps)
    error = ShapeError(pixels, surface.variogram, surface.pixel_m)
    sigma_of_sum = error.of_sum(filling.weight * pixels.sigma)
    slope = mean_slope(pixels, surface.grid) if any(surface.sigma_shift_m) else (0.0, 0.0)
    shares = surface_shares(pixels.height, surface.settings)
    profile_m = filling.sigma_profile_sum_m / pixels.dh.size
    taken_off = surface.taken_off(shapes, number)
    mean = GlacierMean(
        mean_dh_m=float(filling.dh.mean()),
        median_dh_m=median(filling.dh),
        budget=ChangeBudget(
            measurement=sigma_of_sum / pixels.dh.size,
            filling=math.hypot(_sigma_of_deviation(pixels, filling, surveyed.deviation, surface.pixel_m), profile_m),
            coregistration=surface.sigma_of_coregistration(slope),
            correction=sigma_of_corrections(shares, surface.settings),
            resolution=surface.sigma_of_resolution(taken_off),
        ),
        sigma_profile_m=profile_m,
        observed_share=float(pixels.observed.mean()),
        extrapolated_share=filling.extrapolated / pixels.dh.size,
        outlier_share=surface.outliers.count_among(pixels.row, pixels.column) / pixels.dh.size,
        surface_shares=shares,
        slope=slope,
        taken_off=taken_off,
        lowest_m=float(pixels.height.min()),
        highest_m=float(pixels.height.max()),
    )
    shared = math.hypot(mean.budget.coregistration, mean.budget.resolution)
    bands = tuple(_bands(surface, pixels, profile, error, shared))
    return MeasuredGlacier(mean=mean, pixels=pixels, filling=filling, bands=bands, sigma_of_sum_m=sigma_of_sum)


def _sigma_of_deviation(pixels: GlacierPixels, filling: Filling, deviation: Deviation, pixel_m: float) -> float:
    """Standard deviation that deviations from the profile give to the mean with its voids filled, m.

    In the voids they count in full, and with the opposite sign those of the measured pixels that lend their mean.
    """
    if not (filling.weight != 1).any():
        return 0.0
    weights = (1 - filling.weight) * deviation.size_at(position_of(pixels))
    return ShapeError(pixels, deviation.variogram, pixel_m).of_sum(weights) / pixels.dh.size


def _bands(
    surface: Surface, pixels: GlacierPixels, profile: Profile, error: ShapeError, sigma_shared: float
) -> Iterator[BandMean]:
    """Statistics of each band that the glacier reaches, each of its own pixels alone.

    ``sigma_shared`` : what co-registration and resolution correction give to every mean of the glacier, m.
    """
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
