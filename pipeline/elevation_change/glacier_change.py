"""Elevation, volume and mass change of each glacier, by elevation band with voids filled hypsometrically."""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from rasterio.features import rasterize
from scipy import ndimage
from shapely.geometry.base import BaseGeometry

from pipeline.elevation_change.result import GlacierTotals
from pipeline.elevation_change.statistics import nmad
from pipeline.elevation_change.uncertainty import CovarianceIntegrator, Variogram
from pipeline.grid import BoolArray, FloatArray, Grid
from schemas.settings import ElevationChangeSettings
from schemas.tables import ELEVATION_BANDS, GLACIERS


@dataclass(frozen=True)
class Surface:
    """What the glacier statistics are taken from; arrays share the grid's shape.

    Attributes
    ----------
    dh_m, sigma_m, elevation_m : elevation change, its standard deviation, elevation of the reference; NaN where void.
    variogram : spatial correlation of the error.
    sigma_bias_m : standard deviation of the stable terrain's own mean, which every glacier shares.
    """

    grid: Grid
    dh_m: FloatArray
    sigma_m: FloatArray
    elevation_m: FloatArray
    variogram: Variogram
    sigma_bias_m: float
    settings: ElevationChangeSettings


@dataclass(frozen=True)
class _Sample:
    """The pixels of one shape: filled dh, which of them were observed, and their bands."""

    dh: FloatArray
    observed: BoolArray
    elevation: FloatArray
    bands: pd.DataFrame
    sigma_measured_m: float  # of the mean over the observed pixels


def glacier_tables(surface: Surface, outlines: gpd.GeoDataFrame) -> tuple[pd.DataFrame, pd.DataFrame, GlacierTotals]:
    """Table of glaciers, table of elevation bands, and the totals of the region.

    A glacier's change is averaged over the union of its outlines of all epochs: the ice of a lost tongue counts.
    """
    union = outlines.dissolve("glacier_id", sort=True)
    numbers = _numbered(union.geometry, surface.grid)
    boxes = ndimage.find_objects(numbers, max_label=len(union))
    rows, bands = [], []
    for number, (identifier, glacier) in enumerate(union.iterrows(), start=1):
        own = outlines[outlines["glacier_id"] == identifier]
        identity = _identity(str(identifier), own, glacier.geometry, surface.grid)
        box = boxes[number - 1]
        mask = numbers[box] == number if box else np.zeros((1, 1), bool)
        flags = _flags(glacier.geometry, int(mask.sum()), surface.grid)
        if box is None or not np.isfinite(surface.dh_m[box][mask]).any():
            rows.append({**identity, "flags": ";".join([*flags, "no data"])})
            continue
        sample = _sample(surface, box, mask)
        rows.append(_glacier_row(surface, sample, identity, flags))
        bands.append(sample.bands.assign(glacier_id=str(identifier)))
    region = _sample(surface, (slice(None), slice(None)), numbers > 0)
    bands.append(region.bands.assign(glacier_id="all"))
    glaciers = pd.DataFrame(rows).reindex(columns=list(GLACIERS.column_names))
    profile = pd.concat(bands, ignore_index=True).reindex(columns=list(ELEVATION_BANDS.column_names))
    return glaciers, profile, _totals(surface, region, glaciers)


def _numbered(geometries: gpd.GeoSeries, grid: Grid) -> FloatArray:
    """Number of the glacier (from 1) that holds each pixel's centre, 0 elsewhere."""
    shapes = [(geometry, number) for number, geometry in enumerate(geometries, start=1)]
    burned: FloatArray = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, fill=0, dtype="int32")
    return burned


def _flags(geometry: BaseGeometry, pixels: int, grid: Grid) -> list[str]:
    flags = []
    if not shapely.box(*grid.bounds).contains(geometry):
        flags.append("crosses the edge of the DEMs")
    if pixels < 25:
        flags.append("fewer than 25 pixels")
    return flags


def _sample(surface: Surface, box: tuple[slice, ...], mask: BoolArray) -> _Sample:
    dh, elevation = surface.dh_m[box][mask].astype(float), surface.elevation_m[box][mask].astype(float)
    observed = np.isfinite(dh)
    bands = elevation_bands(dh, elevation, surface.grid.pixel_area_km2, surface.settings.band_height_m)
    sigma = np.nan_to_num(surface.sigma_m[box], nan=0.0)
    integrator = CovarianceIntegrator((mask.shape[0], mask.shape[1]), surface.variogram, surface.grid.pixel_size[0])

    def spread(chosen: BoolArray) -> float:
        member = np.zeros(mask.shape, bool)
        member[mask] = chosen
        return integrator.sigma_of_mean(sigma, member)

    for index, band in bands.iterrows():
        inside = (elevation >= band["lower_m"]) & (elevation < band["upper_m"]) & observed
        bands.loc[index, "sigma_mean_dh_m"] = np.hypot(spread(inside), surface.sigma_bias_m) if inside.any() else np.nan
    return _Sample(fill_by_band(dh, elevation, bands), observed, elevation, bands, spread(observed))


def elevation_bands(dh: FloatArray, elevation: FloatArray, pixel_km2: float, height_m: float) -> pd.DataFrame:
    """Area, observed share, mean, median and NMAD of dh in each elevation band; one row a band, each in its own row.

    Parameters
    ----------
    dh, elevation : shape (pixels,), m; dh is NaN where void.
    """
    known = np.isfinite(elevation)
    if not known.any():
        return pd.DataFrame(columns=["lower_m", "upper_m", "area_km2", "observed_share", "mean_dh_m"])
    lowest = np.floor(elevation[known].min() / height_m)
    band = np.where(known, np.floor(np.where(known, elevation, 0) / height_m) - lowest, -1).astype(int)
    rows = []
    for number in np.unique(band[known]):
        inside = band == number
        values = dh[inside & np.isfinite(dh)]
        rows.append(
            {
                "lower_m": (lowest + number) * height_m,
                "upper_m": (lowest + number + 1) * height_m,
                "area_km2": float(inside.sum() * pixel_km2),
                "observed_share": float(values.size / inside.sum()),
                "mean_dh_m": float(values.mean()) if values.size else np.nan,
                "median_dh_m": float(np.median(values)) if values.size else np.nan,
                "nmad_dh_m": nmad(values) if values.size else np.nan,
            }
        )
    return pd.DataFrame(rows).assign(sigma_mean_dh_m=np.nan)


def fill_by_band(dh: FloatArray, elevation: FloatArray, bands: pd.DataFrame) -> FloatArray:
    """dh with voids filled by the mean of their band of the same glacier (local hypsometric, McNabb et al., 2019).

    A band without any observation takes the value interpolated between the observed bands, the end values beyond them.
    """
    filled = dh.copy()
    void = np.isnan(filled)
    known = bands[np.isfinite(bands["mean_dh_m"])] if len(bands) else bands
    if not void.any() or len(known) == 0:
        return filled
    middle = ((known["lower_m"] + known["upper_m"]) / 2).to_numpy(float)
    # each void takes its own band's mean: the profile is read at the middle of the band it lies in
    height = float(bands["upper_m"].iloc[0] - bands["lower_m"].iloc[0])
    own_middle = (np.floor(elevation[void] / height) + 0.5) * height
    filled[void] = np.interp(own_middle, middle, known["mean_dh_m"].to_numpy(float))
    unknown_height = void & np.isnan(elevation)
    filled[unknown_height] = np.nanmean(dh)
    return filled


def sigma_of_shape(surface: Surface, sample: _Sample) -> float:
    """Standard deviation of a shape's mean dh, m: measurement, filling, shared bias, penetration in quadrature."""
    share = float(sample.observed.mean())
    # the filled pixels repeat the error of the observed ones, so it counts in full
    measured = sample.sigma_measured_m
    filled = 0.0
    if share < 1:
        spread = float(np.nanmean(sample.bands["nmad_dh_m"]))
        area = (1 - share) * sample.dh.size * surface.grid.pixel_area_km2 * 1e6
        filled = (1 - share) * spread / np.sqrt(max(1.0, area / surface.variogram.correlation_area_m2))
    parts = [measured, filled, surface.sigma_bias_m, surface.settings.sigma_penetration_m]
    return float(np.sqrt(sum(part**2 for part in parts)))


def _identity(identifier: str, own: gpd.GeoDataFrame, union: BaseGeometry, grid: Grid) -> dict[str, object]:
    first, last = own["epoch"].min(), own["epoch"].max()
    areas = {epoch: float(own.loc[own["epoch"] == epoch].area.sum() / 1e6) for epoch in (first, last)}
    point = union.representative_point()
    longitude, latitude = Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(point.x, point.y)
    several = first != last
    return {
        "glacier_id": identifier,
        "glacier_name": str(own["glacier_name"].iloc[0]),
        "longitude": float(longitude),
        "latitude": float(latitude),
        "area_earlier_km2": areas[first],
        "area_later_km2": areas[last] if several else np.nan,
        "area_km2": float(union.area / 1e6),
    }


def _glacier_row(surface: Surface, sample: _Sample, identity: dict[str, object], flags: list[str]) -> dict[str, object]:
    mean = float(np.nanmean(sample.dh))
    sigma = sigma_of_shape(surface, sample)
    share = float(sample.observed.mean())
    known = np.isfinite(sample.elevation)
    if share < 0.5:
        flags = [*flags, "less than half observed"]
    return {
        **identity,
        "mean_dh_m": mean,
        "sigma_mean_dh_m": sigma,
        "median_dh_m": float(np.nanmedian(sample.dh)),
        **_rate(mean, sigma, surface.settings),
        **volume_and_mass(mean, sigma, float(str(identity["area_km2"])) * 1e6, surface.settings),
        "observed_share": share,
        "lowest_m": float(sample.elevation[known].min()) if known.any() else np.nan,
        "highest_m": float(sample.elevation[known].max()) if known.any() else np.nan,
        "flags": ";".join(flags),
    }


def _rate(mean: float, sigma: float, settings: ElevationChangeSettings) -> dict[str, float]:
    """dh/dt and its standard deviation, the dates' errors included; NaN without both dates."""
    if not settings.earlier_date or not settings.later_date:
        return {"mean_dhdt_m_a": np.nan, "sigma_mean_dhdt_m_a": np.nan}
    dates = np.array([settings.earlier_date, settings.later_date], "datetime64[D]")
    years = float((dates[1] - dates[0]).astype(int) / 365.25)
    sigma_years = float(np.hypot(settings.sigma_earlier_date_years, settings.sigma_later_date_years))
    return {
        "mean_dhdt_m_a": mean / years,
        "sigma_mean_dhdt_m_a": float(np.hypot(sigma / years, mean * sigma_years / years**2)),
    }


def volume_and_mass(mean: float, sigma: float, area_m2: float, settings: ElevationChangeSettings) -> dict[str, float]:
    """Volume change (m3) and mass change (kg), with errors of dh, of density and of 5 % of the area in quadrature.

    dM = rho dV with rho = 850 +- 60 kg m-3 (Huss, 2013); the outline's error after Paul et al. (2013).
    """
    volume, density = mean * area_m2, settings.ice_density_kg_m3
    sigma_volume = float(np.hypot(sigma * area_m2, 0.05 * volume))
    sigma_mass = float(np.hypot(density * sigma_volume, settings.sigma_ice_density_kg_m3 * volume))
    return {
        "volume_change_m3": volume,
        "sigma_volume_change_m3": sigma_volume,
        "mass_change_kg": density * volume,
        "sigma_mass_change_kg": sigma_mass,
    }


def _totals(surface: Surface, region: _Sample, glaciers: pd.DataFrame) -> GlacierTotals:
    """All glaciers: area-weighted mean of the table, its sigma by integration over all glaciers at once."""
    usable = glaciers[np.isfinite(glaciers["mean_dh_m"].to_numpy(float))]
    area = float(usable["area_km2"].sum())
    mean = float((usable["mean_dh_m"] * usable["area_km2"]).sum() / area) if area else float("nan")
    share = float((usable["observed_share"] * usable["area_km2"]).sum() / area) if area else 0.0
    sigma = sigma_of_shape(surface, region)
    return GlacierTotals(
        count=len(glaciers),
        area_km2=area,
        mean_dh_m=mean,
        sigma_mean_dh_m=sigma,
        observed_share=share,
        **_rate(mean, sigma, surface.settings),
        **volume_and_mass(mean, sigma, area * 1e6, surface.settings),
    )
