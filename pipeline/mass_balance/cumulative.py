"""The cumulative balance of a series of years, and how its error grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.mass_balance.result import BalanceYear

# errors that repeat from year to year: the same densities, the same outline, the same places of the same stakes
SYSTEMATIC = ("density", "area", "interpolation")


@dataclass(frozen=True)
class Cumulative:
    """Sum of the annual balances up to ``year``, m w.e.; ``sigma_m_we`` is None without error budgets."""

    year: int
    balance_m_we: float
    sigma_m_we: float | None


def cumulative_balance(years: Sequence[BalanceYear]) -> tuple[Cumulative, ...]:
    """Running sums of annual balances; a year without a balance ends the series.

    Random errors add in quadrature, systematic ones linearly (Zemp et al., 2013, section 3.2):
    sigma^2 = sum_t random_t^2 + sum_k (sum_t systematic_kt)^2.

    Parameters
    ----------
    years : in order.
    """
    series: list[Cumulative] = []
    total, random_squared, shared = 0.0, 0.0, dict.fromkeys(SYSTEMATIC, 0.0)
    supported = True
    for year in years:
        if year.annual_m_we is None:
            break
        total += year.annual_m_we
        supported = supported and bool(year.budget)
        random_squared += sum(year.budget.get(source, 0.0) ** 2 for source in ("point", "method"))
        for source in SYSTEMATIC:
            shared[source] += year.budget.get(source, 0.0)
        sigma = math.sqrt(random_squared + sum(part**2 for part in shared.values()))
        series.append(Cumulative(year.year, total, sigma if supported else None))
    return tuple(series)
