"""Stake years without a value, by the linear model of balances: a term of the stake plus a term of the year."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.grid import FloatArray
from pipeline.mass_balance.points.points import PointRecord
from pipeline.mass_balance.points.visits import Place
from pipeline.mass_balance.points.years import Calendar
from schemas.tables import FILLED_BALANCES, LINEAR_MODEL

# balances beyond the number of terms that a model needs before it fills anything
_SPARE = 3
# a sum of terms is told by the balances if it is no further than this from what they span
_TOLD = 1e-6


@dataclass(frozen=True)
class Observation:
    """The balance of a stake (m w.e.) over one mass-balance year, or over several that were read as one period."""

    stake: str
    years: tuple[int, ...]
    balance_m_we: float


@dataclass(frozen=True, kw_only=True)
class LinearModel:
    """b_jt = alpha_j + beta_t, fitted by least squares; the betas add up to zero.

    Attributes
    ----------
    stakes, years : which terms there are.
    terms_m_we, covariance : alphas then betas, shape (terms,), and their covariance for unit variance.
    told : projector onto what the balances span, shape (terms, terms).
    counts : balances that each term rests on, shape (terms,).
    rms_residual_m_we : with degrees of freedom taken off.
    rms_cross_validation_m_we : of each balance predicted from the others.
    """

    stakes: tuple[str, ...]
    years: tuple[int, ...]
    terms_m_we: FloatArray
    covariance: FloatArray
    told: FloatArray
    counts: FloatArray
    rms_residual_m_we: float
    rms_cross_validation_m_we: float

    def row(self, stake: str, years: Iterable[int]) -> FloatArray | None:
        """Which terms make a balance, shape (terms,); None for a stake or year that the model lacks.

        Parameters
        ----------
        stake : its identifier.
        years : whose terms are summed.
        """
        row = np.zeros(len(self.stakes) + len(self.years))
        if stake not in self.stakes:
            return None
        for year in years:
            if year not in self.years:
                return None
            row[self.stakes.index(stake)] += 1
            row[len(self.stakes) + self.years.index(year)] += 1
        return row

    def predict(self, stake: str, year: int) -> tuple[float, float] | None:
        """Balance of a stake in a year and its standard deviation (m w.e.); None where the balances do not tell it.

            b_jt = alpha_j + beta_t

        Parameters
        ----------
        stake : its identifier.
        year : of the balance.

        Source
        ------
        Lliboutry (1974).
        """
        row = self.row(stake, (year,))
        if row is None or float(np.abs(self.told @ row - row).max()) > _TOLD:
            return None
        leverage = float(row @ self.covariance @ row)
        return float(row @ self.terms_m_we), self.rms_residual_m_we * math.sqrt(1 + leverage)


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A filled balance: stake, year, place, value with its standard deviation (m w.e.), and the stakes of the year."""

    stake: str
    year: int
    place: Place
    balance_m_we: float
    sigma_m_we: float
    stake_term_m_we: float
    year_term_m_we: float
    stakes_of_year: int
    used: bool


def observations(records: Iterable[PointRecord], calendar: Calendar) -> list[Observation]:
    """What the model is fitted to: annual values of stakes, and readings from one year's end to that of a later one.

    Parameters
    ----------
    records : point balances of all periods.
    calendar : of the mass-balance years.
    """
    balances = []
    for record in records:
        if record.kind != "stake" or not record.is_value:
            continue
        if record.period == "annual":
            balances.append(Observation(record.point_id, (record.year,), record.balance.balance_m_we))
        elif record.period == "instantaneous":
            first, last = calendar.closing_year(record.begin), calendar.closing_year(record.end)
            if first is not None and last is not None and last - first > 1:
                years = tuple(range(first + 1, last + 1))
                balances.append(Observation(record.point_id, years, record.balance.balance_m_we))
    return sorted(balances, key=lambda one: (one.stake, one.years))


def fit_linear_model(balances: Sequence[Observation]) -> LinearModel | None:
    """Stake and year terms by least squares; None where there are too few balances for them.

        sum_t b_jt = n alpha_j + sum_t beta_t,    sum of all beta_t = 0

    A period of several years enters as the sum of its terms, unsplit. With H the projector onto the terms, the residual
    of a balance predicted from the others is r_i / (1 - H_ii); balances with H_ii = 1 tell nothing and are left out of
    it.

    References: Lliboutry (1974), Multivariate statistical analysis of glacier annual balances, J. Glaciol. 13(69), with
    periods of several years as there; Thibert and Vincent (2009), Ann. Glaciol. 50(50).

    Parameters
    ----------
    balances : of stakes over one year or several, m w.e.
    """
    stakes = tuple(sorted({one.stake for one in balances}))
    years = tuple(sorted({year for one in balances for year in one.years}))
    terms = len(stakes) + len(years)
    if len(balances) < terms - 1 + _SPARE:
        return None
    matrix = np.zeros((len(balances), terms))
    place = {stake: k for k, stake in enumerate(stakes)}
    column = {year: len(stakes) + k for k, year in enumerate(years)}
    for row, one in enumerate(balances):
        matrix[row, place[one.stake]] = len(one.years)
        for year in one.years:
            matrix[row, column[year]] = 1
    values = np.array([one.balance_m_we for one in balances])
    normal = matrix.T @ matrix
    inverse = np.linalg.pinv(normal, hermitian=True)
    solution = inverse @ (matrix.T @ values)
    residual = values - matrix @ solution
    leverage = np.sum((matrix @ inverse) * matrix, axis=1)
    rank = round(float(leverage.sum()))
    spare = leverage < 1 - 1e-6
    if len(balances) - rank < _SPARE or not spare.any():
        return None
    # the mean of the betas belongs to the stakes
    mean = float(solution[len(stakes) :].mean())
    solution = solution + np.where(np.arange(terms) < len(stakes), mean, -mean)
    return LinearModel(
        stakes=stakes,
        years=years,
        terms_m_we=solution,
        covariance=inverse,
        told=inverse @ normal,
        counts=(matrix > 0).sum(axis=0).astype(float),
        rms_residual_m_we=math.sqrt(float(residual @ residual) / (len(balances) - rank)),
        rms_cross_validation_m_we=math.sqrt(float(np.mean((residual[spare] / (1 - leverage[spare])) ** 2))),
    )


def fill(
    model: LinearModel, records: Iterable[PointRecord], places: Mapping[str, Place], *, used: bool
) -> list[Filled]:
    """The stake years without an annual value that the model tells; a bound is never overruled.

    A filled balance above the upper bound of a stake that melted out takes the bound.

    Parameters
    ----------
    model : as fitted.
    records : point balances that were observed; bounds among them.
    places : of each stake.
    used : whether the filled balances enter the glacier-wide balance.
    """
    values: dict[int, set[str]] = defaultdict(set)
    bounds: dict[tuple[str, int], float] = {}
    for record in records:
        if record.kind == "stake" and record.period == "annual":
            if record.is_value:
                values[record.year].add(record.point_id)
            else:
                bounds[record.point_id, record.year] = record.balance.balance_m_we
    filled = []
    for year in model.years:
        for stake in model.stakes:
            told = model.predict(stake, year) if stake not in values[year] and values[year] else None
            if told is not None:
                alpha = float(model.terms_m_we[model.stakes.index(stake)])
                beta = float(model.terms_m_we[len(model.stakes) + model.years.index(year)])
                balance = min(told[0], bounds.get((stake, year), math.inf))
                own = len(values[year])
                filled.append(
                    Filled(
                        stake=stake,
                        year=year,
                        place=places[stake],
                        balance_m_we=balance,
                        sigma_m_we=told[1],
                        stake_term_m_we=alpha,
                        year_term_m_we=beta,
                        stakes_of_year=own,
                        used=used,
                    )
                )
    return filled


def filled_table(filled: Sequence[Filled]) -> pd.DataFrame:
    """The filled balances in the shape of ``schemas.tables.FILLED_BALANCES``, full precision.

    Parameters
    ----------
    filled : in order.
    """
    rows = [
        (
            one.stake,
            one.year,
            one.balance_m_we,
            one.sigma_m_we,
            one.stake_term_m_we,
            one.year_term_m_we,
            one.stakes_of_year,
            one.used,
        )
        for one in filled
    ]
    return pd.DataFrame(rows, columns=list(FILLED_BALANCES.column_names))


def model_table(model: LinearModel | None) -> pd.DataFrame:
    """The model's terms in the shape of ``schemas.tables.LINEAR_MODEL``, full precision; empty without a model.

    Parameters
    ----------
    model : as fitted, or None.
    """
    rows: list[tuple[str, str, float, float, int]] = []
    if model is not None:
        names = [("stake", stake) for stake in model.stakes] + [("year", str(year)) for year in model.years]
        count = int(model.counts[: len(model.stakes)].sum())
        # a term alone is told only up to the constant that stakes and years share: its error is that of its
        # difference from the mean of its kind
        for k, (kind, name) in enumerate(names):
            own = np.arange(len(names)) < len(model.stakes)
            own = own if kind == "stake" else ~own
            contrast = np.where(own, -1 / own.sum(), 0.0)
            contrast[k] += 1
            sigma = model.rms_residual_m_we * math.sqrt(max(float(contrast @ model.covariance @ contrast), 0.0))
            rows.append((kind, name, float(model.terms_m_we[k]), sigma, int(model.counts[k])))
        rows.append(("model", "residual", model.rms_residual_m_we, math.nan, count))
        rows.append(("model", "cross_validation", model.rms_cross_validation_m_we, math.nan, count))
    return pd.DataFrame(rows, columns=list(LINEAR_MODEL.column_names))
