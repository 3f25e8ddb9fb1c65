"""Cumulative balance: random errors in quadrature, systematic ones linearly."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from pipeline.mass_balance.glacier_wide.cumulative import cumulative_balance, cumulative_table
from pipeline.mass_balance.result import BalanceYear


def year(number, annual, **budget):
    return BalanceYear(
        year=number,
        begin=None,
        midseason=None,
        end=None,
        time_system="FLO",
        annual_m_we=annual,
        winter_m_we=None,
        summer_m_we=None,
        sigma_annual_m_we=budget.get("total"),
        sigma_winter_m_we=None,
        sigma_summer_m_we=None,
        ela_m=None,
        ela_position=None,
        aar=None,
        area_km2=1.0,
        by_method={},
        provenance="observed",
        flags=(),
        field=None,
        budget=budget,
    )


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


def test_density_errors_are_summed_with_their_sign():
    """A year of gain and a year of loss: the snow's error and the ice's stay apart, and the ice's partly cancels."""
    years = [year(2000, 0.2, point=0.1, density=0.05), year(2001, -0.5, point=0.1, density=0.05)]
    signed = [replace(years[0], density_errors_m_we=(0.05, 0.0)), replace(years[1], density_errors_m_we=(-0.03, 0.04))]
    assert cumulative_balance(years)[-1].budget["density"] == pytest.approx(0.10)
    assert cumulative_balance(signed)[-1].budget["density"] == pytest.approx(math.hypot(0.02, 0.04))
    # a year without signs leaves the sum linear
    mixed = [signed[0], years[1]]
    assert cumulative_balance(mixed)[-1].budget["density"] == pytest.approx(0.10)


def test_the_budget_of_the_sum_adds_up():
    series = cumulative_balance(
        [year(2000 + n, -0.5, point=0.1, density=0.03, area=0.01, method=0.02) for n in range(4)]
    )
    budget = series[-1].budget
    assert budget["method"] == pytest.approx(0.04)
    assert budget["area"] == pytest.approx(0.04)
    assert budget["total"] == pytest.approx(math.hypot(*(budget[name] for name in budget if name != "total")))


def test_the_table_begins_with_the_first_year_that_has_a_balance():
    table = cumulative_table([year(1999, None), year(2000, -0.5, point=0.1), year(2001, -0.2, point=0.1)])
    assert table["year"].tolist() == [2000, 2001]
    assert table["cumulative_balance_m_we"].tolist() == pytest.approx([-0.5, -0.7])
    assert cumulative_table([year(1999, None)]).empty
