"""Elevation, volume and mass change of each glacier and of all together, voids filled, with errors by source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from pipeline.elevation_change.glaciers.error_budget import change_columns, flags_of_period
from pipeline.elevation_change.glaciers.identity import Identity, identities_of
from pipeline.elevation_change.glaciers.mean import MeasuredGlacier, measured_glacier, survey
from pipeline.elevation_change.glaciers.pixels import GlacierShapes
from pipeline.elevation_change.glaciers.region import RegionChange
from pipeline.elevation_change.glaciers.surface import Surface
from pipeline.elevation_change.result import GlacierTotals
from schemas.settings import ElevationChangeSettings
from schemas.tables import ELEVATION_BANDS, GLACIERS

__all__ = ["GlacierChange", "Surface", "change_of_glaciers"]

FEWEST_PIXELS = 25


@dataclass(frozen=True, kw_only=True)
class GlacierChange:
    """The change of every glacier and of the region.

    Attributes
    ----------
    glaciers, bands, region : as ``schemas.tables.GLACIERS``, ``ELEVATION_BANDS`` and ``REGION``.
    totals : the region's numbers.
    taken_off : what each form of the resolution correction takes off the region, m; empty without any.
    """

    glaciers: pd.DataFrame
    bands: pd.DataFrame
    region: pd.DataFrame
    totals: GlacierTotals
    taken_off: dict[str, float]

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by the name under which each is published."""
        return {"glaciers": self.glaciers, "elevation_bands": self.bands, "region": self.region}


def change_of_glaciers(surface: Surface, outlines: gpd.GeoDataFrame) -> GlacierChange:
    """Mean change, rate, volume, mass and hypsometric profile of each glacier and of the region.

    A glacier's change is averaged over the union of its outlines of all epochs: the ice of a lost tongue counts. Only
    the glaciers' own boxes are read, twice: what they tell about each other must be known before any is summed up.

    Parameters
    ----------
    outlines : columns glacier_id, glacier_name, epoch, geometry, in the grid's CRS.
    """
    shapes = GlacierShapes.of(outlines, surface.grid)
    identities = identities_of(shapes, outlines)
    surveyed = survey(surface, shapes)
    region = RegionChange(surface, shapes, surveyed)
    rows: list[dict[str, Any]] = []
    bands: list[dict[str, Any]] = []
    for number, identity in enumerate(identities):
        glacier = measured_glacier(surface, shapes, number, surveyed)
        rows.append(_row(identity, glacier, surface.settings))
        if glacier is not None:
            region.add(identity, glacier)
            bands += _band_rows(identity, glacier, surface)
    whole = region.summed_up(identities)
    methods = () if surface.resolution is None else surface.resolution.methods
    return GlacierChange(
        glaciers=pd.DataFrame(rows, columns=list(GLACIERS.column_names)),
        bands=pd.DataFrame([*bands, *whole.band_rows], columns=list(ELEVATION_BANDS.column_names)),
        region=whole.table,
        totals=whole.totals,
        taken_off=dict(zip(methods, whole.taken_off.tolist(), strict=False)),
    )


def _row(identity: Identity, glacier: MeasuredGlacier | None, settings: ElevationChangeSettings) -> dict[str, Any]:
    row: dict[str, Any] = {
        "glacier_id": identity.identifier,
        "glacier_name": identity.name,
        "longitude": identity.longitude,
        "latitude": identity.latitude,
        **identity.areas.columns,
    }
    if glacier is None:
        return {**row, "flags": ";".join([*identity.flags, "no data"])}
    numbers = change_columns(glacier.mean.mean_dh_m, glacier.mean.budget, identity.areas, settings)
    flags = [*identity.flags, *_flags(glacier), *flags_of_period(settings)]
    return {**row, **numbers, **glacier.mean.columns, "flags": ";".join(flags)}


def _flags(glacier: MeasuredGlacier) -> list[str]:
    observed = glacier.mean.observed_share
    conditions = {
        f"fewer than {FEWEST_PIXELS} pixels": glacier.pixels.dh.size < FEWEST_PIXELS,
        "voids filled": observed < 1,
        "less than half observed": observed < 0.5,
        "extrapolated beyond the measured elevations": glacier.mean.extrapolated_share > 0,
    }
    return [flag for flag, holds in conditions.items() if holds]


def _band_rows(identity: Identity, glacier: MeasuredGlacier, surface: Surface) -> list[dict[str, Any]]:
    height, pixel_km2 = surface.settings.band_height_m, surface.grid.pixel_area_km2
    return [
        {
            "glacier_id": identity.identifier,
            "lower_m": band.number * height,
            "upper_m": (band.number + 1) * height,
            "area_km2": band.pixels * pixel_km2,
            "observed_share": band.measured.size / band.pixels,
            "mean_dh_m": band.mean_dh_m,
            "sigma_mean_dh_m": band.sigma_mean_dh_m,
            "median_dh_m": band.median_dh_m,
            "nmad_dh_m": band.nmad_dh_m,
        }
        for band in glacier.bands
    ]
