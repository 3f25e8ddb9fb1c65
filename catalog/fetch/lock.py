"""The record of what was fetched: size, checksum, address and licence of every file as it was first seen."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from schemas.errors import BadInput
from schemas.input_files import read_plain_file

LOCK_TOML = "inputs.lock.toml"
_MOST_BYTES = 50_000_000
_KINDS = {"size": int}


@dataclass(frozen=True, kw_only=True)
class Locked:
    """What was recorded of a file when it was first seen."""

    name: str
    url: str
    size: int
    sha256: str
    licence: str = ""
    attribution: str = ""


def read_lock(path: Path) -> dict[str, Locked]:
    """What was recorded, by name; empty where nothing was yet.

    Errors
    ------
    BadInput : not TOML, or not our form.
    """
    if not path.exists() and not path.is_symlink():
        return {}
    content = read_plain_file(path, str(path), "the lock file as fetch wrote it", _MOST_BYTES)
    try:
        entries = [Locked(**entry) for entry in tomllib.loads(content.decode()).get("file", [])]
        for entry in entries:
            wrong = [name for name, value in asdict(entry).items() if type(value) is not _KINDS.get(name, str)]
            if wrong:
                raise TypeError(f"{wrong[0]} of another kind")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(str(path), str(error), "the lock file as fetch wrote it", "correct it, or remove it") from None
    return {entry.name: entry for entry in entries}


def write_lock(path: Path, entries: Iterable[Locked]) -> None:
    """Write the records, sorted by name, by one rename."""
    lines = [
        "# What was fetched, as first seen; a file that differs from this is refused. Keep it with the definition."
    ]
    for entry in sorted(entries, key=lambda entry: entry.name):
        lines += ["", "[[file]]", *(f"{key} = {_toml(value)}" for key, value in asdict(entry).items())]
    part = path.with_name(f".{path.name}.part")
    part.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    part.replace(path)


def _toml(value: str | int) -> str:
    # JSON's escapes are among TOML's; only DEL must be escaped there and need not here
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
