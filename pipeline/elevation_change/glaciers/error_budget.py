"""The error of a mean change by its sources, and what follows for rate, volume and mass."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pipeline.elevation_change.pairing import period_years
from schemas.settings import ElevationChangeSettings

# below it the density of the volume change is not known (Huss, 2013)
SHORTEST_PERIOD_YEARS = 5.0
WATER_DENSITY_KG_M3 = 1000.0


@dataclass(frozen=True, kw_only=True)
class ChangeBudget:
    """Independent sources of the error of a mean elevation change, standard deviations in m.

    Attributes
    ----------
    measurement : of the measured pixels, integrated over the shape with their correlation.
    filling : of the voids' filled values.
    coregistration : of the shift and of the mean over stable terrain.
    correction : of the corrections for penetration and season.
    resolution : of the correction of the resolution effect: how far its forms lie apart.
    """

    measurement: float
    filling: float
    coregistration: float
    correction: float
    resolution: float = 0.0

    @property
    def total(self) -> float:
        """All sources in quadrature, m."""
        return math.hypot(self.measurement, self.filling, self.coregistration, self.correction, self.resolution)


@dataclass(frozen=True)
class Areas:
    """Areas of a shape in km2: over which the change is averaged, and at both epochs (NaN where not known)."""

    averaged: float
    earlier: float
    later: float

    @property
    def mean(self) -> float:
        """Mean of both epochs, to which a specific mass change refers; of the one epoch where there is one only."""
        known = [area for area in (self.earlier, self.later) if not math.isnan(area)]
        return sum(known) / len(known) if known else math.nan

    @property
    def columns(self) -> dict[str, float]:
        """The areas under the names of the published columns."""
        return {
            "area_earlier_km2": self.earlier,
            "area_later_km2": self.later,
            "area_km2": self.averaged,
            "mean_area_km2": self.mean,
        }


def change_columns(
    mean_dh_m: float, budget: ChangeBudget, areas: Areas, settings: ElevationChangeSettings
) -> dict[str, float]:
    """Mean change, rate, volume and mass with their errors, under the names of the published columns.

    dh/dt = dh / T; dV = dh A; dM = rho dV with rho = 850 +- 60 kg m-3 (Huss, 2013); B = dM / mean A of both epochs
    (Zemp et al., 2013). sigma_area_m = |dh| sigma_A / A (Paul et al., 2013), sigma_date_m = |dh| sigma_T / T,
    sigma_density_m = |dh| sigma_rho / rho, so that all sources add up in quadrature as metres of the mean change:
    those of the budget alone to sigma(dh), with the date to T sigma(dh/dt), with the area to sigma(dV) / A, with the
    area and the density to sigma(dM) / (rho A).

    Parameters
    ----------
    mean_dh_m : over the outlines of all epochs.
    budget : one standard deviation of it by source, m.
    areas : of both epochs and of all together, km2.
    settings : dates, density and the outline's error.

    Returns
    -------
    Numbers by column; rates are NaN where a date is not known.
    """
    size = abs(mean_dh_m)
    years, sigma_years = period_years(settings)
    of_area, of_date = size * settings.sigma_area_relative, size * sigma_years / years
    of_density = size * settings.sigma_ice_density_kg_m3 / settings.ice_density_kg_m3
    mass = volume_and_mass(mean_dh_m, budget.total, areas.averaged * 1e6, settings)
    # kg to metres of water over the mean area
    to_specific = 1 / (WATER_DENSITY_KG_M3 * areas.mean * 1e6) if areas.mean else math.nan
    specific = mass["mass_change_kg"] * to_specific
    sigma_specific = mass["sigma_mass_change_kg"] * to_specific
    return {
        "mean_dh_m": mean_dh_m,
        "sigma_mean_dh_m": budget.total,
        "sigma_measurement_m": budget.measurement,
        "sigma_filling_m": budget.filling,
        "sigma_coregistration_m": budget.coregistration,
        "sigma_correction_m": budget.correction,
        "sigma_resolution_m": budget.resolution,
        "sigma_area_m": of_area,
        "sigma_date_m": of_date,
        "sigma_density_m": of_density,
        **rate(mean_dh_m, budget.total, settings),
        **mass,
        "specific_mass_change_m_we": specific,
        "sigma_specific_mass_change_m_we": sigma_specific,
        "mass_balance_m_we_a": specific / years,
        "sigma_mass_balance_m_we_a": math.hypot(sigma_specific, specific * sigma_years / years) / years,
    }


def rate(mean_dh_m: float, sigma_m: float, settings: ElevationChangeSettings) -> dict[str, float]:
    """dh/dt and its standard deviation, the dates' errors included; NaN without both dates.

        sigma(dh/dt)^2 = (sigma / T)^2 + (dh sigma_T / T^2)^2

    Parameters
    ----------
    mean_dh_m, sigma_m : change and its standard deviation.
    settings : dates and their errors.
    """
    years, sigma_years = period_years(settings)
    return {
        "mean_dhdt_m_a": mean_dh_m / years,
        "sigma_mean_dhdt_m_a": math.hypot(sigma_m / years, mean_dh_m * sigma_years / years**2),
    }


def volume_and_mass(mean: float, sigma: float, area_m2: float, settings: ElevationChangeSettings) -> dict[str, float]:
    """Volume change (m3) and mass change (kg), with the errors of dh (m), area and density in quadrature.

        dV = A dh,    (sigma_V / A)^2 = sigma^2 + (dh sigma_A / A)^2,    dM = rho dV

    dM = rho dV with rho = 850 +- 60 kg m-3 (Huss, 2013), valid for periods of about five years and more; the area's
    relative error after Paul et al. (2013).

    Parameters
    ----------
    mean, sigma : change and its standard deviation, m.
    area_m2 : over which it is averaged.
    settings : density and the outline's error.
    """
    volume, density = mean * area_m2, settings.ice_density_kg_m3
    sigma_volume = math.hypot(sigma * area_m2, settings.sigma_area_relative * volume)
    return {
        "volume_change_m3": volume,
        "sigma_volume_change_m3": sigma_volume,
        "mass_change_kg": density * volume,
        "sigma_mass_change_kg": math.hypot(density * sigma_volume, settings.sigma_ice_density_kg_m3 * volume),
    }


def flags_of_period(settings: ElevationChangeSettings) -> list[str]:
    """A flag where the period is known to be too short for the density of the volume change.

    Parameters
    ----------
    settings : the two dates.
    """
    years, _ = period_years(settings)
    return ["period below five years"] if years < SHORTEST_PERIOD_YEARS else []
