"""The error budget of a glacier-wide balance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import dropwhile

import numpy as np
import pandas as pd

from pipeline.grid import FloatArray
from pipeline.mass_balance.glacier_wide.cumulative import cumulative_balance
from pipeline.mass_balance.result import BalanceYear
from schemas.settings import MassBalanceSettings
from schemas.tables import ERROR_BUDGETS

SOURCES = ("point", "density", "interpolation", "area", "method", "total")


@dataclass(frozen=True, kw_only=True)
class BalanceBudget:
    """One standard deviation (m w.e.) of each source of error of a glacier-wide balance.

    Attributes
    ----------
    point : readings, and how well a point stands for its surroundings; shrinks with the number of points.
    density : snow and ice densities, shared by all points; does not shrink.
    interpolation : the field between and beyond the points.
    area : the glacier's area.
    method : spread of the methods of integration.
    leave_one_out : root mean square error of points predicted from the others; a check, no part of the sum.
    unmeasured : the part of ``interpolation`` that comes from elevations nobody measured.
    uneven : the part of ``interpolation`` that comes from points that stand for much, or lie far from much of the area.
    """

    point: float
    density: float
    interpolation: float
    area: float
    method: float
    leave_one_out: float
    unmeasured: float = 0.0
    uneven: float = 0.0

    @property
    def total(self) -> float:
        """Root of the sum of squares of the sources."""
        return math.hypot(self.point, self.density, self.interpolation, self.area, self.method)

    def as_dict(self) -> dict[str, float]:
        """The sources by name, for a record."""
        return {
            "point": self.point,
            "density": self.density,
            "interpolation": self.interpolation,
            "area": self.area,
            "method": self.method,
            "leave_one_out": self.leave_one_out,
            "unmeasured": self.unmeasured,
            "total": self.total,
        }


def shared_error(weights: FloatArray, shared_snow_m_we: FloatArray, shared_ice_m_we: FloatArray) -> float:
    """Error from densities common to all points (m w.e.): |sum(w_i s_i)| for snow and for ice, in quadrature.

    ``weights`` of the points in the glacier's mean, and the signed change of each point's balance by one standard
    deviation of the density, all shape (points,). Errors that are shared do not shrink with the root of n.

    Parameters
    ----------
    weights : of the points in the glacier's mean, shape (points,).
    shared_snow_m_we, shared_ice_m_we : what one standard deviation more density does to each point, shape (points,).
    """
    return math.hypot(float(weights @ shared_snow_m_we), float(weights @ shared_ice_m_we))


def area_error(sigma_area_relative: float, balance_m_we: FloatArray, area: FloatArray) -> float:
    """Error from the glacier's area (m w.e.): the margin in doubt differs from the mean by about the balance's spread.

    dB = (b_margin - B) dA / A, with b_margin - B taken as the area-weighted standard deviation of the balance.

    Parameters
    ----------
    sigma_area_relative : one standard deviation of the area over the area.
    balance_m_we, area : of bands, classes or pixels, shape (n,).

    Source
    ------
    Zemp et al. (2013), section 4.1, names the term; its size is estimated here.
    """
    mean = float(np.average(balance_m_we, weights=area))
    return sigma_area_relative * math.sqrt(float(np.average((balance_m_we - mean) ** 2, weights=area)))


def method_spread(balances: list[float]) -> float:
    """Standard deviation of the methods' results about their mean (m w.e.); 0 for a single one.

    Parameters
    ----------
    balances : m w.e., one a method.
    """
    return float(np.std(balances)) if len(balances) > 1 else 0.0


def inflation(standardised_errors: FloatArray) -> float:
    """Factor that widens a year's interpolation error: root mean square of its leave-one-out errors, at least 1.

        max(1, sqrt(mean(e^2)))

    The covariance is fitted to all years together; a year whose points predict each other worse than it says is given
    the larger error that its points show.

    Parameters
    ----------
    standardised_errors : leave-one-out errors over their standard deviation, shape (points,).
    """
    return max(1.0, math.sqrt(float(np.mean(standardised_errors**2)))) if standardised_errors.size else 1.0


def budget_table(years: Sequence[BalanceYear], settings: MassBalanceSettings | None = None) -> pd.DataFrame:
    """The error budgets in the shape of ``schemas.tables.ERROR_BUDGETS``, by formula; years without one left out.

    Parameters
    ----------
    years : of the result, in order.
    settings : tell the error of the internal accumulation; it is "not measured" where they say nothing.
    """
    internal = settings.internal_accumulation_m_we if settings is not None else None
    sigma = settings.sigma_internal_accumulation_m_we if settings is not None and internal is not None else math.nan
    note = "not measured" if internal is None else f"{internal:g} m w.e. a year, as stated; see climatic_balance_m_we"
    rows: list[tuple[str, int, str, float, float, str | None]] = [
        ("annual", year.year, source, year.budget[source], math.nan, None)
        for year in years
        if year.budget
        for source in SOURCES
    ]
    rows += [("annual", year.year, "internal_accumulation", sigma, math.nan, note) for year in years if year.budget]
    begun = list(dropwhile(lambda year: year.annual_m_we is None, years))
    rows += [
        ("cumulative", step.year, source, step.budget[source], math.nan, None)
        for step in cumulative_balance(begun)
        if step.budget
        for source in SOURCES
    ]
    return pd.DataFrame(rows, columns=list(ERROR_BUDGETS.column_names))
