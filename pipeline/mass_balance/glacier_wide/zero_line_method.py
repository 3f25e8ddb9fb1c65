"""The balance of a year from its equilibrium line alone: a cross-check for glaciers with few stakes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.mass_balance.result import BalanceYear
from schemas.tables import ZERO_LINE_METHOD

# a line through fewer years says nothing, and so does one through lines at one height (m)
_OTHER_YEARS, _SPREAD_M = 5, 20.0


@dataclass(frozen=True, kw_only=True)
class ZeroLineYear:
    """A year by the zero-line method, from the other years.

    Attributes
    ----------
    year, annual_m_we, ela_m : what is known of it.
    ela0_m : equilibrium line of a year without gain or loss.
    gradient_m_we_per_100m : how much the balance falls for each 100 m that the line rises.
    balance_m_we : by the method.
    others : years that it rests on.
    """

    year: int
    annual_m_we: float
    ela_m: float
    ela0_m: float
    gradient_m_we_per_100m: float
    balance_m_we: float
    others: int

    @property
    def difference_m_we(self) -> float:
        """By the method, less the published balance."""
        return self.balance_m_we - self.annual_m_we


def zero_line_years(years: Sequence[BalanceYear]) -> tuple[ZeroLineYear, ...]:
    """Each year's balance from its equilibrium line, by what the other years show; the year itself is held out.

        B_a = g (ELA_0 - ELA_a)

    with g the slope, and ELA_0 the zero, of the straight line of balance against equilibrium line over the other years.
    None of years whose line lies off the glacier, or with fewer than five others.

    Parameters
    ----------
    years : of the series.

    References: Braithwaite (1984), J. Glaciol. 30(106), 364-368; Cogley et al. (2011), 'balanced-budget ELA'.
    """
    known = [
        (year.year, year.annual_m_we, year.ela_m)
        for year in years
        if year.annual_m_we is not None and year.ela_m is not None and year.ela_position == "="
    ]
    computed = []
    for number, annual, line in known:
        others = np.array([(height, value) for other, value, height in known if other != number], float).reshape(-1, 2)
        if len(others) < _OTHER_YEARS or np.ptp(others[:, 0]) < _SPREAD_M:
            continue
        mean, level = others.mean(axis=0)
        slope = float(np.polyfit(others[:, 0] - mean, others[:, 1], 1)[0])
        if slope >= 0:
            continue
        computed.append(
            ZeroLineYear(
                year=number,
                annual_m_we=annual,
                ela_m=line,
                ela0_m=float(mean - level / slope),
                gradient_m_we_per_100m=-100 * slope,
                balance_m_we=float(level + slope * (line - mean)),
                others=len(others),
            )
        )
    return tuple(computed)


def zero_line_table(years: Sequence[BalanceYear]) -> pd.DataFrame:
    """The years in the shape of ``schemas.tables.ZERO_LINE_METHOD``, full precision.

    The error of each is the root mean square of what the method is off by in the held-out years.

    Parameters
    ----------
    years : of the series.
    """
    series = zero_line_years(years)
    sigma = math.sqrt(sum(one.difference_m_we**2 for one in series) / len(series)) if series else math.nan
    rows = [
        (
            one.year,
            one.ela_m,
            one.ela0_m,
            one.gradient_m_we_per_100m,
            one.balance_m_we,
            sigma,
            one.difference_m_we,
            one.others,
        )
        for one in series
    ]
    return pd.DataFrame(rows, columns=list(ZERO_LINE_METHOD.column_names))
