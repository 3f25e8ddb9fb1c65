"""The settings of a run as a file: written beside every result, read by ``--settings`` to repeat it.

The file is TOML. ``[settings]`` holds what the chain is told, each line with its meaning; ``[run]`` the options of the
command that are no setting of the chain. Paths stand in neither: inputs are named on the command line.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import BadInput
from schemas.input_files import read_plain_file
from schemas.settings import ElevationChangeSettings, Frozen, MassBalanceSettings

_MOST_BYTES = 1_000_000
_COMMAND, _SETTINGS, _RUN = "command", "settings", "run"
_WANTED = "a settings file as difference and balance write it"


class DifferenceOptions(Frozen):
    """Options of ``difference`` beside the settings of the chain."""

    layers: tuple[str, ...] = Field((), description="layer of the outlines: one for all files, or one for each")
    figures: bool = Field(True, description="false draws no maps and diagrams")


class BalanceOptions(Frozen):
    """Options of ``balance`` beside the settings of the chain."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    glacier: str | None = Field(None, description="identifier or name of one glacier; all of the workbook when absent")
    sigma_limit_m_we: float | None = Field(
        None, description="quality gate on the standard deviation of the annual balance (m w.e.)"
    )
    between: tuple[date, date] | None = Field(None, description="two survey dates whose balance is asked for besides")
    geodetic: str | None = Field(None, description="geodetic balance with its error (m w.e.), as -4.2+-0.6")
    geodetic_dates: tuple[date, date] | None = Field(None, description="days of its two surveys")
    monte_carlo: int | None = Field(None, ge=2, description="draws of the input's errors on which the chain runs again")
    not_after: date | None = Field(None, description="dates after this day are refused")


SETTINGS_OF: Mapping[str, type[BaseModel]] = {"difference": ElevationChangeSettings, "balance": MassBalanceSettings}
OPTIONS_OF: Mapping[str, type[BaseModel]] = {"difference": DifferenceOptions, "balance": BalanceOptions}


def settings_text(command: str, repeat: str, settings: BaseModel, options: BaseModel) -> str:
    """The settings file of a run.

    Parameters
    ----------
    command : ``difference`` or ``balance``.
    repeat : the command line that repeats the run.
    settings, options : as they were asked for.
    """
    lines = [
        f"# The settings of a run of `glacier-archive {command}`. The same inputs and this file give the same bytes:",
        f"#     {repeat}",
        "# An option on the command line wins over its line here. A line with # in front of its name is not set.",
        f'{_COMMAND} = "{command}"',
        "",
        f"[{_SETTINGS}]",
        *_lines_of(settings),
        "",
        f"[{_RUN}]",
        *_lines_of(options),
    ]
    return "\n".join(lines) + "\n"


def _lines_of(model: BaseModel) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        yield f"# {field.description}"
        yield f"# {name} =" if value is None else f"{name} = {_toml(value)}"


def _toml(value: Any) -> str:
    """A value as TOML spells it."""
    if isinstance(value, BaseModel):
        fields = ((name, getattr(value, name)) for name in type(value).model_fields)
        return "{" + ", ".join(f"{name} = {_toml(part)}" for name, part in fields if part is not None) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value) if not isinstance(value, bool) else str(value).lower()


def read_settings(path: Path | None, command: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings of the chain and the options of the run that a file holds; two empty ones where none is named.

    Errors
    ------
    BadInput : no such file, no TOML, of another command, or an unknown or unusable value, which is named.
    """
    if path is None:
        return {}, {}
    text = read_plain_file(path, str(path), "a settings file", _MOST_BYTES)
    try:
        content = tomllib.loads(text.decode() if isinstance(text, bytes) else text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(str(path), f"no TOML: {error}", _WANTED) from None
    if content.get(_COMMAND, command) != command:
        raise BadInput(str(path), f"settings of {content[_COMMAND]!r}", f"settings of {command!r}")
    strange = sorted(set(content) - {_COMMAND, _SETTINGS, _RUN})
    if strange:
        raise BadInput(str(path), f"the key {strange[0]!r}", f"[{_SETTINGS}] and [{_RUN}]", _WANTED)
    return tuple(  # type: ignore[return-value]  # a generator of two has no length for the type checker
        _checked(path, content.get(part, {}), model[command])
        for part, model in ((_SETTINGS, SETTINGS_OF), (_RUN, OPTIONS_OF))
    )


def _checked(path: Path, part: Any, model: type[BaseModel]) -> dict[str, Any]:
    """What the file sets of a model; each value is one that the model takes."""
    try:
        read = model.model_validate(part)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = ".".join(str(step) for step in problem["loc"]) or "its settings"
        known = problem["type"] != "extra_forbidden"
        wanted = problem["msg"].removeprefix("Value error, ") if known else "a setting that there is"
        raise BadInput(f"{path}: {name}", repr(problem["input"])[:80] if known else "an unknown name", wanted) from None
    return {name: getattr(read, name) for name in read.model_fields_set}
