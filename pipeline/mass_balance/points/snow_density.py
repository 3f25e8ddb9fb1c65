"""Density of snow that nobody weighed: from the pit beside it, from its depth, from the campaign, or assumed."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import pandas as pd

from pipeline.mass_balance.points.years import CAMPAIGN_GAP_DAYS, campaigns
from schemas.settings import MassBalanceSettings
from schemas.tables import DENSITY_FITS

# fewer densities, or a smaller range of depths (m), say nothing of how density grows with depth
MINIMUM_DENSITIES = 4
MINIMUM_DEPTH_RANGE_M = 0.3
# the fitted growth must exceed this many of its standard deviations to be used
SIGNIFICANCE = 2.0
# a campaign so near tells the density of another in the same season, for which this is its relative standard deviation
SEASON_GAP_DAYS = 60
SIGMA_OTHER_CAMPAIGN_RELATIVE = 0.15


@dataclass(frozen=True)
class DensitySample:
    """A measured bulk density of snow (kg m-3) with its day and depth (m; NaN where only the density was noted)."""

    day: date
    depth_m: float
    density_kg_m3: float


@dataclass(frozen=True, kw_only=True)
class DensityFit:
    """Bulk density against depth in one campaign: rho = intercept + slope * depth.

    Attributes
    ----------
    first, last : days of the campaign.
    count, shallowest_m, deepest_m, mean_kg_m3 : what was measured.
    intercept_kg_m3, slope_kg_m3_per_m, sigma_slope_kg_m3_per_m : the line; NaN where too little was measured.
    sigma_density_kg_m3 : standard deviation of a density about the line, or about the mean where that is used.
    used : whether the line stands for snow without a density; else the mean does.
    lightest_kg_m3, heaviest_kg_m3 : range of the measured densities, which the line never leaves.
    """

    first: date
    last: date
    count: int
    shallowest_m: float
    deepest_m: float
    mean_kg_m3: float
    intercept_kg_m3: float
    slope_kg_m3_per_m: float
    sigma_slope_kg_m3_per_m: float
    sigma_density_kg_m3: float
    used: bool
    lightest_kg_m3: float
    heaviest_kg_m3: float

    def at(self, depth_m: float) -> float:
        """Density of snow of this depth (kg m-3), within the range that was measured.

            rho(h) = rho_0 + g h

        Parameters
        ----------
        depth_m : of the snow.
        """
        if not self.used or not math.isfinite(depth_m):
            return self.mean_kg_m3
        line = self.intercept_kg_m3 + self.slope_kg_m3_per_m * depth_m
        return min(max(line, self.lightest_kg_m3), self.heaviest_kg_m3)


@dataclass(frozen=True)
class TakenDensity:
    """A density taken for snow that nobody weighed (kg m-3), and the flags that say where it comes from.

    ``sigma_relative`` is its relative standard deviation where that is wider than a measured density's, else None.
    """

    density_kg_m3: float
    flags: tuple[str, ...]
    sigma_relative: float | None = None


@dataclass(frozen=True)
class AssumedDensities:
    """What is taken where nothing was measured (kg m-3), each with its standard deviation: (density, sigma).

    Attributes
    ----------
    seasonal : snow found inside a year.
    old : snow found at a year's end, which has outlasted a summer or the melt season.
    risen : what a stake rose by up to a year's end where nobody noted snow.
    """

    seasonal: tuple[float, float]
    old: tuple[float, float]
    risen: tuple[float, float]

    @classmethod
    def of(cls, settings: MassBalanceSettings) -> AssumedDensities:
        """Those of the settings."""
        return cls(
            (settings.snow_density_kg_m3, settings.sigma_assumed_snow_density_kg_m3),
            (settings.old_snow_density_kg_m3, settings.sigma_old_snow_density_kg_m3),
            (settings.risen_density_kg_m3, settings.sigma_risen_density_kg_m3),
        )

    @property
    def risen_relative(self) -> float:
        """Relative standard deviation of the density of what a stake rose by."""
        return self.risen[1] / self.risen[0]

    def taken(self, *, closes_year: bool, rose: bool = False) -> TakenDensity:
        """The density of snow at a visit that closes a year, or inside one."""
        density, sigma = (self.risen if rose else self.old) if closes_year else self.seasonal
        return TakenDensity(density, ("density_assumed",), sigma / density)


@dataclass(frozen=True)
class SnowDensities:
    """Everything known of snow density.

    Attributes
    ----------
    beside : stake -> (day, density) of the pits dug beside it.
    fits : one a campaign, in order of time.
    assumed : where nothing was measured.
    """

    beside: Mapping[str, Sequence[tuple[date, float]]]
    fits: tuple[DensityFit, ...]
    assumed: AssumedDensities
    _starts: list[date] = field(init=False, repr=False, default_factory=list)

    def __post_init__(self) -> None:
        self._starts.extend(fit.first for fit in self.fits)

    def of(self, day: date, stake: str | None, depth_m: float, *, closes_year: bool) -> TakenDensity:
        """Density of snow of a depth (m) on a day that closes a year, or lies inside one.

        That of the pit beside the stake, else of its depth or the mean in the campaign, else of the nearest campaign of
        the same season within two months, else what is assumed for the season.
        """
        pits = [density for when, density in self.beside.get(stake or "", ()) if _same_campaign(when, day)]
        if pits:
            return TakenDensity(float(np.mean(pits)), ("density_from_pit",))
        fit = self._of_campaign(day)
        if fit is not None:
            return TakenDensity(fit.at(depth_m), (("density_from_depth",) if fit.used else ("density_of_campaign",)))
        if not closes_year and (fit := self._of_season(day)) is not None:
            return TakenDensity(fit.mean_kg_m3, ("density_of_other_campaign",), SIGMA_OTHER_CAMPAIGN_RELATIVE)
        return self.assumed.taken(closes_year=closes_year)

    def _of_season(self, day: date) -> DensityFit | None:
        """The campaign nearest to a day, within two months of it."""
        apart = {fit: max((fit.first - day).days, (day - fit.last).days, 0) for fit in self.fits}
        near = [fit for fit, days in apart.items() if days <= SEASON_GAP_DAYS]
        return min(near, key=lambda fit: (apart[fit], fit.first), default=None)

    def _of_campaign(self, day: date) -> DensityFit | None:
        gap = timedelta(days=CAMPAIGN_GAP_DAYS)
        after = bisect_left(self._starts, day - gap)
        near = self.fits[max(0, after - 1) : after + 2]
        held = [fit for fit in near if fit.first - gap <= day <= fit.last + gap]
        return min(held, key=lambda fit: max((fit.first - day).days, (day - fit.last).days, 0), default=None)


def fit_densities(samples: Iterable[DensitySample]) -> tuple[DensityFit, ...]:
    """A straight line of bulk density against depth for each campaign, by least squares.

    It is used where at least four densities cover a range of 0.3 m in depth and grow significantly; else their mean.

    References: Ostrem and Brugman (1991), Glacier mass-balance measurements, chapter 5; Kaser et al. (2003), 4.3.

    Parameters
    ----------
    samples : day, depth (m) and bulk density (kg m-3).
    """
    ordered = sorted(samples, key=lambda sample: (sample.day, sample.depth_m, sample.density_kg_m3))
    days = [sample.day for sample in ordered]
    fits = []
    for first, last in campaigns(days):
        own = [sample for sample in ordered[bisect_left(days, first) :] if sample.day <= last]
        fits.append(_fit(first, last, own))
    return tuple(fits)


def _fit(first: date, last: date, samples: Sequence[DensitySample]) -> DensityFit:
    depth = np.array([sample.depth_m for sample in samples])
    density = np.array([sample.density_kg_m3 for sample in samples])
    known = np.isfinite(depth)
    spread = float(np.ptp(depth[known])) if known.any() else 0.0
    intercept = slope = sigma_slope = math.nan
    sigma = float(density.std(ddof=1)) if density.size > 1 else math.nan
    used = False
    if known.sum() >= MINIMUM_DENSITIES and spread >= MINIMUM_DEPTH_RANGE_M:
        slope, intercept = (float(value) for value in np.polyfit(depth[known], density[known], 1))
        residual = density[known] - intercept - slope * depth[known]
        about = math.sqrt(float(residual @ residual) / (known.sum() - 2))
        sigma_slope = about / math.sqrt(float(np.sum((depth[known] - depth[known].mean()) ** 2)))
        used = slope > SIGNIFICANCE * sigma_slope
        sigma = about if used else sigma
    return DensityFit(
        first=first,
        last=last,
        count=len(samples),
        shallowest_m=float(depth[known].min()) if known.any() else math.nan,
        deepest_m=float(depth[known].max()) if known.any() else math.nan,
        mean_kg_m3=float(density.mean()),
        intercept_kg_m3=intercept,
        slope_kg_m3_per_m=slope,
        sigma_slope_kg_m3_per_m=sigma_slope,
        sigma_density_kg_m3=sigma,
        used=used,
        lightest_kg_m3=float(density.min()),
        heaviest_kg_m3=float(density.max()),
    )


def density_table(fits: Sequence[DensityFit]) -> pd.DataFrame:
    """The fits in the shape of ``schemas.tables.DENSITY_FITS``, full precision.

    Parameters
    ----------
    fits : one a campaign.
    """
    rows = [
        {
            "begin_date": fit.first,
            "end_date": fit.last,
            "n": fit.count,
            **{
                name: getattr(fit, name)
                for name in DENSITY_FITS.column_names
                if name not in ("begin_date", "end_date", "n")
            },
        }
        for fit in fits
    ]
    return pd.DataFrame(rows, columns=list(DENSITY_FITS.column_names))


def _same_campaign(first: date, second: date) -> bool:
    return abs((first - second).days) <= CAMPAIGN_GAP_DAYS
