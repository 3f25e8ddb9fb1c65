"""The change of all glaciers of a region together, gathered glacier by glacier."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pipeline.elevation_change.differencing import sigma_of_corrections
from pipeline.elevation_change.glaciers.elevation_profile import band_of
from pipeline.elevation_change.glaciers.error_budget import Areas, ChangeBudget, change_columns, flags_of_period
from pipeline.elevation_change.glaciers.identity import Identity
from pipeline.elevation_change.glaciers.mean import GlacierMean, GlacierSurvey, MeasuredGlacier
from pipeline.elevation_change.glaciers.pixels import GlacierShapes, IntArray
from pipeline.elevation_change.glaciers.shape_error import RegionError
from pipeline.elevation_change.glaciers.surface import Surface
from pipeline.elevation_change.result import GlacierTotals
from pipeline.elevation_change.statistics import median, nmad
from pipeline.grid import FloatArray
from schemas.tables import REGION

# medians over the region are taken from about so many pixels at most, evenly spaced within each glacier
MOST_VALUES = 8_000_000
ALL = "all"
_TOTALS = (
    "mean_dh_m", "sigma_mean_dh_m", "mean_dhdt_m_a", "sigma_mean_dhdt_m_a", "volume_change_m3",
    "sigma_volume_change_m3", "mass_change_kg", "sigma_mass_change_kg",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RegionSums:
    """The region summed up: its table, the rows of its bands, its totals, and what each resolution form takes off."""

    table: pd.DataFrame
    band_rows: list[dict[str, Any]]
    totals: GlacierTotals
    taken_off: FloatArray


class RegionChange:
    """Sums over the glaciers with a measured change; each enters the region's mean with its area.

    Parameters
    ----------
    surveyed : what a first reading of all glaciers told.
    """

    def __init__(self, surface: Surface, shapes: GlacierShapes, surveyed: GlacierSurvey) -> None:
        self._surface, self._shared = surface, surveyed.covariance_shared
        windows = [shapes.window(number) for number in range(len(shapes))]
        self._error = RegionError(windows, surface.variogram, surface.pixel_m)
        self._every = max(1, math.ceil(surveyed.pixels / MOST_VALUES))
        self._glaciers: list[tuple[Identity, GlacierMean]] = []
        # by band: pixels, measured pixels, sum of their dh, pixels on each surface with a correction
        self._bands: dict[int, FloatArray] = {}
        self._values: list[tuple[IntArray, FloatArray, FloatArray]] = []

    def add(self, identity: Identity, glacier: MeasuredGlacier) -> None:
        """Add one glacier.

        Parameters
        ----------
        identity : of the glacier.
        glacier : its mean, pixels, filling and bands.
        """
        pixels = glacier.pixels
        each = identity.areas.averaged / pixels.dh.size
        weights = each * glacier.filling.weight * pixels.sigma
        self._error.add(ALL, pixels.row, pixels.column, weights, each * glacier.sigma_of_sum_m)
        for band in glacier.bands:
            own = band.measured
            self._error.add(band.number, pixels.row[own], pixels.column[own], pixels.sigma[own], band.sigma_of_sum_m)
            sums = np.array([band.pixels, own.size, pixels.dh[own].sum(), *(band.pixels * band.surface_shares)])
            self._bands[band.number] = self._bands.get(band.number, np.zeros(sums.size)) + sums
        kept = slice(None, None, self._every)
        band_numbers = band_of(pixels.height[kept], self._surface.settings.band_height_m)
        self._values.append(
            (band_numbers, pixels.dh[kept].astype(np.float32), glacier.filling.dh[kept].astype(np.float32))
        )
        self._glaciers.append((identity, glacier.mean))

    def summed_up(self, identities: list[Identity]) -> RegionSums:
        """The region's table, the rows of its bands and its totals; ``identities`` of all glaciers, measured or not."""
        settings = self._surface.settings
        sigma_of_sums = self._error.of_sums()
        mean = self._mean(sigma_of_sums.get(ALL, 0.0))
        areas = self._areas()
        numbers = change_columns(mean.mean_dh_m, mean.budget, areas, settings)
        missing = len(identities) - len(self._glaciers)
        flags = ([f"{missing} glaciers without data"] if missing else []) + flags_of_period(settings)
        row = {
            "region": ALL,
            "count": len(identities),
            "count_measured": len(self._glaciers),
            **areas.columns,
            **numbers,
            **mean.columns,
            "flags": ";".join(flags),
        }
        totals = GlacierTotals(
            count=len(identities),
            area_km2=areas.averaged,
            observed_share=mean.observed_share,
            **{name: numbers[name] for name in _TOTALS},
        )
        region = pd.DataFrame([row], columns=list(REGION.column_names))
        return RegionSums(
            table=region, band_rows=list(self._band_rows(mean, sigma_of_sums)), totals=totals, taken_off=mean.taken_off
        )

    def _areas(self) -> Areas:
        """Sums over the measured glaciers; NaN for an epoch at which none has an outline."""
        areas = [identity.areas for identity, _ in self._glaciers]
        epochs = []
        for values in ([own.earlier for own in areas], [own.later for own in areas]):
            known = [value for value in values if not math.isnan(value)]
            epochs.append(math.fsum(known) if known else math.nan)
        return Areas(math.fsum(own.averaged for own in areas), *epochs)

    def _mean(self, sigma_of_sum: float) -> GlacierMean:
        """The glaciers' means weighted with their areas.

        The error of measurement is integrated over all glaciers at once. Deviations from the profiles, and the profiles
        from what is expected of them, are independent; what is expected errs alike for all. The error of
        co-registration and, within a surface, that of the corrections are shared by all.
        """
        area = np.array([identity.areas.averaged for identity, _ in self._glaciers])
        means = [mean for _, mean in self._glaciers]
        if not means:
            return GlacierMean(
                mean_dh_m=math.nan,
                median_dh_m=math.nan,
                budget=ChangeBudget(
                    measurement=math.nan, filling=math.nan, coregistration=math.nan, correction=math.nan
                ),
                shared_profile=np.zeros(3),
                observed_share=0.0,
                extrapolated_share=0.0,
                outlier_share=0.0,
                surface_shares=np.zeros(0),
                slope=(0.0, 0.0),
                middle_m=math.nan,
                taken_off=np.zeros(0),
                lowest_m=math.nan,
                highest_m=math.nan,
            )
        share = area / area.sum()

        def weighted(values: list[float]) -> float:
            return float(share @ np.array(values))

        slope = (weighted([mean.slope[0] for mean in means]), weighted([mean.slope[1] for mean in means]))
        middle = weighted([mean.middle_m for mean in means])
        surface_shares: FloatArray = share @ np.stack([mean.surface_shares for mean in means])
        taken_off: FloatArray = share @ np.stack([mean.taken_off for mean in means])
        shared: FloatArray = share @ np.stack([mean.shared_profile for mean in means])
        own = np.sqrt([max(mean.budget.filling**2 - self._of_shared(mean.shared_profile), 0.0) for mean in means])
        return GlacierMean(
            mean_dh_m=weighted([mean.mean_dh_m for mean in means]),
            median_dh_m=median(np.concatenate([filled for _, _, filled in self._values])),
            budget=ChangeBudget(
                measurement=sigma_of_sum / float(area.sum()),
                filling=math.hypot(math.sqrt(self._of_shared(shared)), float(np.linalg.norm(share * own))),
                coregistration=self._surface.sigma_of_coregistration(slope, middle),
                correction=sigma_of_corrections(surface_shares, self._surface.settings),
                resolution=self._surface.sigma_of_resolution(taken_off),
            ),
            shared_profile=shared,
            observed_share=weighted([mean.observed_share for mean in means]),
            extrapolated_share=weighted([mean.extrapolated_share for mean in means]),
            outlier_share=weighted([mean.outlier_share for mean in means]),
            surface_shares=surface_shares,
            slope=slope,
            middle_m=middle,
            taken_off=taken_off,
            lowest_m=min(mean.lowest_m for mean in means),
            highest_m=max(mean.highest_m for mean in means),
        )

    def _of_shared(self, shared_profile: FloatArray) -> float:
        """Variance of a mean that takes so much of the error of the region's level, tongue and bend, m2."""
        return max(float(shared_profile @ self._shared @ shared_profile), 0.0)

    def _band_rows(self, mean: GlacierMean, sigma_of_sums: dict[Any, float]) -> Iterator[dict[str, Any]]:
        settings, pixel_km2 = self._surface.settings, self._surface.grid.pixel_area_km2
        values = self._measured_values()
        shared = math.hypot(mean.budget.coregistration, mean.budget.resolution)
        for number, (pixels, measured, total, *surfaces) in sorted(self._bands.items()):
            of_correction = sigma_of_corrections(np.array(surfaces) / pixels, settings)
            own = values.get(number, np.empty(0))
            yield {
                "glacier_id": ALL,
                "lower_m": number * settings.band_height_m,
                "upper_m": (number + 1) * settings.band_height_m,
                "area_km2": pixels * pixel_km2,
                "observed_share": measured / pixels,
                "mean_dh_m": total / measured if measured else math.nan,
                "sigma_mean_dh_m": (
                    math.hypot(sigma_of_sums[number] / measured, shared, of_correction) if measured else math.nan
                ),
                "median_dh_m": median(own),
                "nmad_dh_m": nmad(own) if own.size else math.nan,
            }

    def _measured_values(self) -> dict[int, FloatArray]:
        """Measured changes of the region by band."""
        if not self._values:
            return {}
        band, dh = (np.concatenate([part[place] for part in self._values]) for place in (0, 1))
        measured = np.isfinite(dh)
        order = np.argsort(band[measured], kind="stable")
        numbers, starts = np.unique(band[measured][order], return_index=True)
        parts = np.split(dh[measured][order], starts[1:])
        return {int(number): part.astype(np.float64) for number, part in zip(numbers, parts, strict=True)}
