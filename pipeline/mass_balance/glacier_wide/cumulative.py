"""The cumulative balance of a series of years, and how its error grows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from itertools import dropwhile

import pandas as pd

from pipeline.mass_balance.result import BalanceYear
from schemas.tables import CUMULATIVE_BALANCES

# errors that repeat from year to year: the same densities, the same outline, the same places of the same stakes
SYSTEMATIC = ("density", "area", "interpolation", "internal_accumulation")
RANDOM = ("point", "method")


@dataclass(frozen=True)
class Cumulative:
    """Sum of the annual balances up to ``year``, m w.e.

    ``sigma_m_we`` is None without error budgets; ``budget`` has its sources and ``total``, empty without.
    """

    year: int
    balance_m_we: float
    sigma_m_we: float | None
    budget: dict[str, float] = dataclass_field(default_factory=dict)


def cumulative_balance(years: Sequence[BalanceYear]) -> tuple[Cumulative, ...]:
    """Running sums of annual balances; a year without a balance ends the series.

    Random errors add in quadrature, systematic ones linearly (Zemp et al., 2013, section 3.2):
    sigma^2 = sum_t random_t^2 + sum_k (sum_t systematic_kt)^2. What the densities of snow and of ice do has a sign,
    which differs between years of gain and of loss; where it is known, the sums are taken with it.

    Parameters
    ----------
    years : in order.
    """
    series: list[Cumulative] = []
    total, squared, linear = 0.0, dict.fromkeys(RANDOM, 0.0), dict.fromkeys(SYSTEMATIC, 0.0)
    signed: tuple[float, float] | None = (0.0, 0.0)
    supported = True
    for year in years:
        if year.annual_m_we is None:
            break
        total += year.annual_m_we
        supported = supported and bool(year.budget)
        for source in RANDOM:
            squared[source] += year.budget.get(source, 0.0) ** 2
        for source in SYSTEMATIC:
            linear[source] += year.budget.get(source, 0.0)
        own = year.density_errors_m_we
        signed = (signed[0] + own[0], signed[1] + own[1]) if signed is not None and own is not None else None
        if not supported:
            series.append(Cumulative(year.year, total, None))
            continue
        budget = {**{source: math.sqrt(square) for source, square in squared.items()}, **linear}
        if signed is not None:
            budget["density"] = math.hypot(*signed)
        sigma = math.hypot(*budget.values())
        series.append(Cumulative(year.year, total, sigma, {**budget, "total": sigma}))
    return tuple(series)


def cumulative_table(years: Sequence[BalanceYear]) -> pd.DataFrame:
    """The series from the first year with a balance on, shaped as ``schemas.tables.CUMULATIVE_BALANCES``.

        C_n = sum_{t <= n} B_t

    Parameters
    ----------
    years : in order.
    """
    begun = list(dropwhile(lambda year: year.annual_m_we is None, years))
    rows = [
        (step.year, year.annual_m_we, step.balance_m_we, step.sigma_m_we)
        for step, year in zip(cumulative_balance(begun), begun, strict=False)
    ]
    return pd.DataFrame(rows, columns=list(CUMULATIVE_BALANCES.column_names))
