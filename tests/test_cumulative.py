"""Cumulative balance: random errors in quadrature, systematic ones linearly."""

from __future__ import annotations

import math

import pytest

from pipeline.mass_balance.cumulative import cumulative_balance
from pipeline.mass_balance.result import BalanceYear


def year(number, annual, **budget):
    return BalanceYear(
        number, None, None, None, "FLO", annual, None, None, budget.get("total"), None, None, None, None, None, 1.0,
        {}, "observed", (), None, budget,
    )  # fmt: skip


def test_errors_grow_as_they_should():
    series = cumulative_balance([year(2000 + n, -0.5, point=0.1, density=0.03) for n in range(4)])
    assert [round(step.balance_m_we, 10) for step in series] == [-0.5, -1.0, -1.5, -2.0]
    assert series[-1].sigma_m_we == pytest.approx(math.hypot(0.1 * 2, 0.03 * 4))


def test_a_gap_ends_the_series():
    series = cumulative_balance([year(2000, -0.5, point=0.1), year(2001, None), year(2002, -0.4, point=0.1)])
    assert [step.year for step in series] == [2000]


def test_without_a_budget_there_is_no_error():
    series = cumulative_balance([year(2000, -0.5, point=0.1), year(2001, -0.4), year(2002, 0.1, point=0.1)])
    assert [step.sigma_m_we is None for step in series] == [False, True, True]
