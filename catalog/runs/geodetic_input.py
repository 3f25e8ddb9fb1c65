"""What `balance --geodetic` takes: the output folder of a `difference`, or a number with its error and two days."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
from pydantic import ValidationError

from catalog.archive import SUMMARY_JSON, TABLES
from pipeline.mass_balance.proof import GeodeticSurvey, StatedBalance, survey_of_table
from pipeline.mass_balance.result import GlacierIdentity
from schemas.errors import BadInput
from schemas.input_files import read_plain_file, require_plain_file
from schemas.settings import ElevationChangeSettings
from schemas.tables import GLACIERS

_OPTION = "--geodetic"
_NUMBER = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:\+-|\+/-|\u00b1)\s*(\d+(?:\.\d+)?)")
_WANTED = "the output folder of a difference, or a balance with its error in m w.e., as -4.2+-0.6"
_MOST_BYTES = 100_000_000


def measured_number(option: str, text: str) -> tuple[float, float]:
    """A number with its standard deviation, as 0.1+-0.05.

    Parameters
    ----------
    option : for the error.
    text : as typed.

    Errors
    ------
    BadInput : anything else.
    """
    number = _parsed(text)
    if number is None:
        raise BadInput(option, repr(text), "a number with its standard deviation, as 0.1+-0.05")
    return number


def _parsed(text: str) -> tuple[float, float] | None:
    number = _NUMBER.fullmatch(text.strip().replace("\u2212", "-"))
    return None if number is None else (float(number[1]), float(number[2]))


@dataclass(frozen=True)
class GeodeticInput:
    """A geodetic balance as it was handed in: of any glacier of a folder, or one number."""

    settings: ElevationChangeSettings | None = None
    glaciers: pd.DataFrame | None = None
    stated: StatedBalance | None = None

    @classmethod
    def of(cls, text: str, days: tuple[date, date] | None) -> GeodeticInput:
        """What a text and two days say.

        Parameters
        ----------
        text : a folder, or a number with its error.
        days : of the two surveys; needed by a number.

        Errors
        ------
        BadInput : neither, or days that lack or are too many.
        """
        number = _parsed(text)
        if number is None:
            return cls._of_folder(Path(text), days)
        if days is None:
            remedy = "add --geodetic-dates 2000-02-11 2012-06-01"
            raise BadInput(_OPTION, f"{text} without days", "the days of both surveys", remedy)
        begin, end = days
        return cls(stated=StatedBalance(begin=begin, end=end, balance_m_we=number[0], sigma_m_we=number[1]))

    @classmethod
    def _of_folder(cls, folder: Path, days: tuple[date, date] | None) -> GeodeticInput:
        table = folder / TABLES / f"{GLACIERS.name}.csv"
        if not table.is_file():
            what = "a folder without tables/glaciers.csv" if folder.is_dir() else repr(str(folder))
            raise BadInput(_OPTION, what, _WANTED, "difference needs --glaciers for it")
        if days is not None:
            raise BadInput("--geodetic-dates", "days beside a folder that has its own", "one of them", "leave them out")
        require_plain_file(table, str(table), "a CSV file as this software writes it", _MOST_BYTES)
        summary = read_plain_file(folder / SUMMARY_JSON, str(folder / SUMMARY_JSON), "a summary", _MOST_BYTES)
        try:
            settings = ElevationChangeSettings.model_validate(json.loads(summary)["settings"])
            glaciers = pd.read_csv(table, dtype={"glacier_id": str, "glacier_name": str})
            lacking = {"glacier_id", "glacier_name", "mean_dh_m", "sigma_mean_dh_m", "area_km2"} - set(glaciers)
        except (ValueError, KeyError, TypeError, RecursionError, ValidationError, pd.errors.ParserError):
            raise BadInput(str(folder), "a damaged difference", _WANTED, "run difference again") from None
        if lacking:
            raise BadInput(str(table), f"no column {min(lacking)!r}", "a table of glaciers", "run difference again")
        return cls(settings=settings, glaciers=glaciers)

    def survey(self, glacier: GlacierIdentity, count: int) -> GeodeticSurvey | StatedBalance:
        """The geodetic side of one of so many glaciers.

        Parameters
        ----------
        glacier : whose balance it is held against.
        count : glaciers of the run.

        Errors
        ------
        BadInput : one number for several glaciers, or a folder without this one.
        """
        if self.stated is not None:
            if count > 1:
                raise BadInput(_OPTION, f"one number for {count} glaciers", "one glacier", "name it with --glacier")
            return self.stated
        if self.settings is None or self.glaciers is None:
            raise ValueError("a geodetic input of nothing")
        return survey_of_table(self.settings, self.glaciers, glacier.glacier_id, glacier.name)
