"""Whether what others wrote down leads to a place inside a folder: asked of every path that comes from outside."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

_LONGEST = 1000
_DEVICES = frozenset(
    {
        "con",
        "prn",
        "aux",
        "nul",
        "conin$",
        "conout$",
        *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
    }
)


def is_device_name(name: str) -> bool:
    """Whether Windows takes a name for a device, whatever ending it has: no file can be copied there under it."""
    return name.partition(".")[0].rstrip().lower() in _DEVICES


def leads_inside(path: str) -> bool:
    """Whether a path, relative to a folder and with forward slashes, names something below it, in one spelling."""
    parts = path.split("/")
    return bool(path) and not set(parts) & {"", ".", ".."} and not set("\\\0") & set(path) and len(path) < _LONGEST


def plainly(path: str) -> str:
    """The path without repeated slashes, ``.`` and a slash at its end, as ``leads_inside`` wants it."""
    return str(PurePosixPath(path))


def lies_inside(place: str | Path, folder: str | Path) -> bool:
    """Whether a place lies in a folder or is that folder, all links followed; nothing need stand there."""
    real, root = os.path.realpath(place), os.path.realpath(folder)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)
