"""The settings that a command line asks for: its options over its settings file, each error named as it was typed."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from catalog.runs.settings_file import OPTIONS_OF, SETTINGS_OF, read_settings
from pipeline.elevation_change.pairing import middle_of
from schemas.errors import BadInput

# options that are not called as the setting is
_OPTIONS = {
    "resolution_m": "--resolution",
    "earlier_date": "--date-earlier",
    "later_date": "--date-later",
    "penetration_earlier_m": "--penetration-earlier",
    "penetration_later_m": "--penetration-later",
    "sigma_penetration_m": "--sigma-penetration",
    "max_shift_m": "--max-shift",
    "correct_tilt": "--remove-tilt",
    "correct_elevation_scale": "--remove-elevation-scale",
    "correct_undulation": "--remove-undulation",
    "correct_curvature": "--no-curvature",
    "primary_method": "--method",
    "seasons": "--no-seasons",
    "internal_accumulation_m_we": "--internal-accumulation",
    "sigma_internal_accumulation_m_we": "--internal-accumulation",
    "sigma_limit_m_we": "--sigma-limit",
    "layers": "--layer",
    "figures": "--no-figures",
    "monte_carlo": "--monte-carlo",
}
_UNITS = {
    "m_we": "m w.e.",
    "kg_m3": "kg m-3",
    "km2": "km2",
    "m": "m",
    "deg": "degrees",
    "years": "years",
    "days": "days",
}
_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"(\d{4})-(\d{1,2})")


def asked_of(command: str, file: Path | None, wanted: Mapping[str, Any]) -> tuple[Any, Any]:
    """The settings of the chain and the options of the command: those of the file, those given on the line before them.

    Parameters
    ----------
    command : ``difference`` or ``balance``.
    file : the settings file, or None.
    wanted : by name of the setting or option; None where it was not given.

    Errors
    ------
    BadInput : a value that cannot be; it names the option, or the file where the value comes from there.
    """
    given = {name: value for name, value in wanted.items() if value is not None}
    parts = zip((SETTINGS_OF[command], OPTIONS_OF[command]), read_settings(file, command), strict=True)
    settings, options = (
        _validated(model, stated | {name: given[name] for name in model.model_fields if name in given}, given, file)
        for model, stated in parts
    )
    return settings, options


def _validated(model: type[BaseModel], values: Mapping[str, Any], given: Mapping[str, Any], file: Path | None) -> Any:
    try:
        return model(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        told = problem["msg"].removeprefix("Value error, ")
        if not problem["loc"]:  # of several together: the input, all of the settings, would say too much
            raise BadInput("options", as_typed(told), "options that go together") from None
        name = str(problem["loc"][0])
        where = option_of(name) if name in given or file is None else f"{file}: {name}"
        if told != problem["msg"]:
            raise BadInput(where, as_typed(told), "a value of that form") from None
        expected = told.replace("Input should be", "a value that is")
        raise BadInput(where, repr(problem["input"]), f"{expected}{_unit_of(name, problem['type'])}") from None


def option_of(name: str) -> str:
    """The option of a setting, as it is typed."""
    return _OPTIONS.get(name, f"--{name.replace('_', '-')}")


def as_typed(text: str) -> str:
    """A sentence about settings with each named as its option."""
    names = [name for name in _OPTIONS if "_" in name] + ["slope_min_deg", "slope_max_deg"]
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"\b{name}\b", option_of(name) if name in _OPTIONS else name, text)
    return text


def _unit_of(name: str, problem: str) -> str:
    """The unit behind a limit, as the setting's name ends."""
    if not problem.startswith(("greater_than", "less_than")):
        return ""
    unit = next((unit for ending, unit in _UNITS.items() if name.endswith(f"_{ending}")), "")
    return f" {unit}" if unit else ""


def days_of(**dates: str | None) -> dict[str, Any]:
    """Dates of the DEMs as settings; a year or a month alone stands for its middle, with the error that this has.

    Parameters
    ----------
    dates : ``earlier`` and ``later``, as typed: 2000, 2000-02 or 2000-02-16.

    Example
    -------
    >>> days_of(earlier="2000-02", later=None)["earlier_date"]
    '2000-02-15'
    """
    wanted: dict[str, Any] = {}
    for side, text in dates.items():
        period = _period_of(text.strip()) if text else None
        wanted[f"{side}_date"] = text
        if period is not None:
            middle, sigma = middle_of(*period)
            wanted |= {f"{side}_date": middle.isoformat(), f"sigma_{side}_date_years": round(sigma, 4)}
    return wanted


def _period_of(text: str) -> tuple[date, date] | None:
    """First and last day of a year or a month; None for anything else."""
    if _YEAR.fullmatch(text) and int(text) > 0:
        return date(int(text), 1, 1), date(int(text), 12, 31)
    month = _MONTH.fullmatch(text)
    if month is None or not (int(month[1]) > 0 and 1 <= int(month[2]) <= 12):
        return None
    year, number = int(month[1]), int(month[2])
    return date(year, number, 1), date(year, number, monthrange(year, number)[1])
