"""What was asked of a run: the command with its inputs, and the settings as they were given; it repeats the run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pydantic import BaseModel

from catalog.archive import SETTINGS_TOML, InputFile, sha256_of
from catalog.runs.settings_file import settings_text

# a folder of more bytes is listed without a checksum: reading all of it would take longer than the run
_MOST_BYTES = 4_000_000_000


@dataclass(frozen=True)
class Given:
    """An input as it was named: its role, the option that names it (empty for an argument), its path."""

    role: str
    option: str
    path: Path


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A run as it was asked for.

    Attributes
    ----------
    command : ``difference`` or ``balance``.
    settings, options : of the chain, and of the command beside it.
    given : the inputs, arguments first.
    """

    command: str
    settings: BaseModel
    options: BaseModel
    given: Sequence[Given] = field(default=())

    @property
    def repeat(self) -> str:
        """The command line that repeats the run; inputs by their names, wherever they stand."""
        words = ["glacier-archive", self.command]
        for one in self.given:
            words += [one.option, one.path.name] if one.option else [one.path.name]
        return shlex.join([*words, "--settings", SETTINGS_TOML, "--out", "repeated"])

    @property
    def settings_text(self) -> str:
        """The settings file."""
        return settings_text(self.command, self.repeat, self.settings, self.options)

    def inputs(self) -> tuple[InputFile, ...]:
        """Size and checksum of each input; a folder is one entry, with the checksum of its files' checksums."""
        return tuple(_measured(one) for one in self.given)


def given(role: str, option: str, paths: Iterable[Path | None]) -> tuple[Given, ...]:
    """Those of the paths that are given, in one role."""
    return tuple(Given(role, option, path) for path in paths if path is not None)


def _measured(one: Given) -> InputFile:
    if one.path.is_file():
        return InputFile(one.role, one.path.name, one.path.stat().st_size, sha256_of(one.path))
    files = sorted(path for path in one.path.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in files)
    name = f"{one.path.name}/ ({len(files)} file{'' if len(files) == 1 else 's'})"
    if size > _MOST_BYTES:
        return InputFile(one.role, name, size, "")
    listed = "".join(f"{path.relative_to(one.path).as_posix()} {sha256_of(path)}\n" for path in files)
    return InputFile(one.role, name, size, sha256(listed.encode()).hexdigest())
