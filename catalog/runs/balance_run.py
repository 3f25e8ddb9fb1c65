"""The mass balances of a `balance` run: each glacier of the field data in turn, by the same settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from catalog.runs.geodetic_input import GeodeticInput
from catalog.runs.settings_file import BalanceOptions
from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork import FieldData
from pipeline.mass_balance.proof import monte_carlo, with_monte_carlo, with_survey
from pipeline.mass_balance.result import MassBalance
from pipeline.progress import Tell, silent
from schemas.errors import BadInput, ManyBadInputs
from schemas.settings import MassBalanceSettings


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is asked of every glacier.

    Attributes
    ----------
    settings : of the chain.
    dem, outline : of all glaciers; None where area-altitude tables serve.
    sigma_limit_m_we : quality gate on the error of the annual balance, or None.
    geodetic : a geodetic balance to hold the series against, or None.
    between : days of two surveys whose balance is asked for besides, or None.
    draws, seed : of the Monte Carlo run; no run where ``draws`` is None.
    """

    settings: MassBalanceSettings
    dem: Path | None = None
    outline: Path | None = None
    sigma_limit_m_we: float | None = None
    between: tuple[date, date] | None = None
    geodetic: GeodeticInput | None = None
    draws: int | None = None
    seed: int = 0

    @classmethod
    def of(
        cls,
        settings: MassBalanceSettings,
        options: BalanceOptions,
        dem: Path | None,
        outline: Path | None,
        survey: Path | None,
        seed: int,
    ) -> Task:
        """What the settings and options of a command ask for; ``survey`` is a folder that ``--geodetic`` names.

        Errors
        ------
        BadInput : a geodetic balance that is none.
        """
        days, geodetic = options.geodetic_dates, str(survey) if survey is not None else options.geodetic
        return cls(
            settings=settings,
            dem=dem,
            outline=outline,
            sigma_limit_m_we=options.sigma_limit_m_we,
            geodetic=GeodeticInput.of(geodetic, days) if geodetic else None,
            between=options.between,
            draws=options.monte_carlo,
            seed=seed,
        )


def run_balances(glaciers: Sequence[FieldData], task: Task, tell: Tell = silent) -> tuple[MassBalance, ...]:
    """The balance of each glacier, in order.

    Errors
    ------
    BadInput : what one glacier lacks; of several glaciers each that lacks something is told, with its identifier.
    """
    balances, errors = [], []
    for data in glaciers:
        glacier_id = data.glacier.glacier_id
        of_one = tell if len(glaciers) == 1 else _of(glacier_id, tell)
        try:
            balances.append(_balance(data, task, of_one, len(glaciers)))
        except BadInput as error:
            if len(glaciers) == 1:
                raise
            where = f"glacier {glacier_id}: {error.where}"
            errors.append(BadInput(where, error.found, error.expected, error.remedy))
    if errors:
        raise ManyBadInputs(errors)
    return tuple(balances)


def _balance(data: FieldData, task: Task, tell: Tell, count: int) -> MassBalance:
    places = {"dem": task.dem, "outline": task.outline}
    result = mass_balance(
        data, task.settings, sigma_limit_m_we=task.sigma_limit_m_we, between=task.between, tell=tell, **places
    )
    if task.geodetic is not None:
        result = with_survey(result, task.geodetic.survey(result.glacier, count))
    if task.draws is None:
        return result
    return with_monte_carlo(result, monte_carlo(data, task.settings, task.draws, task.seed, tell=tell, **places))


def _of(glacier_id: str, tell: Tell) -> Tell:
    """Progress that says which glacier it is of."""
    return lambda message: tell(f"{glacier_id}: {message}")
