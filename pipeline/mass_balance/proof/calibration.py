"""A glaciological series that is calibrated with a geodetic balance, beside both: neither of them is changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.grid import FloatArray
from pipeline.mass_balance.result import BalanceYear
from schemas.tables import CALIBRATED_BALANCES

# share of the variance of the interpolation that is another one each year; the rest is the same in all years and goes
# with the mean that the geodetic balance replaces. Of 100 synthetic glaciers with five networks each, deviations of the
# errors from their mean over four years show 0.1 (nothing measured in the upper half) to 0.2 (high points only)
YEARLY_SHARE = 0.2


@dataclass(frozen=True)
class GeodeticSum:
    """The geodetic balance of some years together, with its error (m w.e.)."""

    first_year: int
    last_year: int
    balance_m_we: float
    sigma_m_we: float

    @property
    def count(self) -> int:
        """How many years."""
        return self.last_year - self.first_year + 1


@dataclass(frozen=True, kw_only=True)
class CalibratedYear:
    """One year: the glaciological balance and the calibrated one, each with its error; and what was added (m w.e.)."""

    year: int
    balance_m_we: float
    sigma_m_we: float | None
    calibrated_m_we: float
    sigma_calibrated_m_we: float | None
    geodetic_m_we_a: float
    added_m_we: float


def calibrated(years: Sequence[BalanceYear], geodetic: GeodeticSum) -> tuple[CalibratedYear, ...]:
    """The years of a geodetic survey, calibrated; empty where a year between lacks a balance.

        b_cal,t = b_t + (B_geod - sum_s b_s) / N

    The mean comes from the geodetic balance, the departures from it from the glaciological series. So do the errors:
    that of the geodetic balance over N, and of the departures what differs from year to year: readings, methods and
    ``YEARLY_SHARE`` of the variance of the interpolation; what repeats counts by its departure from its mean.

    Parameters
    ----------
    years : of the glaciological series, m w.e.
    geodetic : the geodetic balance of the years from one survey to the other.

    References: Zemp et al. (2013), The Cryosphere 7, 1227-1245, section 2.5 (calibration) and 3.
    """
    chosen = [year for year in years if geodetic.first_year <= year.year <= geodetic.last_year]
    values = [year.annual_m_we for year in chosen if year.annual_m_we is not None]
    if len(values) != geodetic.count:
        return ()
    rate = geodetic.balance_m_we / geodetic.count
    added = rate - sum(values) / geodetic.count
    sigmas = _sigmas(chosen, geodetic.sigma_m_we)
    return tuple(
        CalibratedYear(
            year=year.year,
            balance_m_we=value,
            sigma_m_we=year.sigma_annual_m_we,
            calibrated_m_we=value + added,
            sigma_calibrated_m_we=sigma,
            geodetic_m_we_a=rate,
            added_m_we=added,
        )
        for year, value, sigma in zip(chosen, values, sigmas, strict=True)
    )


def _sigmas(years: Sequence[BalanceYear], sigma_geodetic_m_we: float) -> list[float | None]:
    """Standard deviation of each calibrated balance; None without error budgets."""
    count = len(years)
    if any(not year.budget for year in years):
        return [None] * count
    source = {
        name: np.array([year.budget.get(name, 0.0) for year in years])
        for name in ("point", "method", "interpolation", "area")
    }
    densities = np.array([year.density_errors_m_we or (year.budget.get("density", 0.0), 0.0) for year in years])
    random = source["point"] ** 2 + source["method"] ** 2 + YEARLY_SHARE * source["interpolation"] ** 2
    # an independent error less the mean of all: (1 - 1/N)^2 of its own variance, 1/N^2 of each other's
    departing = random * (1 - 2 / count) + random.sum() / count**2
    repeated = _about_mean(math.sqrt(1 - YEARLY_SHARE) * source["interpolation"]) ** 2
    repeated = repeated + _about_mean(source["area"]) ** 2 + np.sum(_about_mean(densities) ** 2, axis=1)
    total = np.sqrt(departing + repeated + (sigma_geodetic_m_we / count) ** 2)
    return [float(sigma) for sigma in total]


def _about_mean(values: FloatArray) -> FloatArray:
    return np.asarray(values - values.mean(axis=0))


def calibrated_table(series: Sequence[CalibratedYear]) -> pd.DataFrame:
    """The series in the shape of ``schemas.tables.CALIBRATED_BALANCES``, full precision.

    Parameters
    ----------
    series : in order.
    """
    rows = [
        (
            one.year,
            one.balance_m_we,
            one.sigma_m_we,
            one.geodetic_m_we_a,
            one.calibrated_m_we,
            one.sigma_calibrated_m_we,
            one.added_m_we,
        )
        for one in series
    ]
    return pd.DataFrame(rows, columns=list(CALIBRATED_BALANCES.column_names))
