"""Files that others made, before a byte of them is read: plain files only, and no larger than stated."""

from __future__ import annotations

import stat
from pathlib import Path

from schemas.errors import ArchiveError, BadInput

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def require_plain_file(
    path: Path,
    where: str,
    expected: str,
    most_bytes: int | None = None,
    error: type[ArchiveError] = BadInput,
) -> None:
    """Refuse what would be waited for or read without end, and what is larger than a reader takes into memory.

    A link is followed: the user named it. ``expected`` says what kind of file is wanted.

    Errors
    ------
    error : no such file, one that cannot be looked at, a folder, pipe, socket or device, more than ``most_bytes``.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise error(where, "no such file", expected) from None
    except (OSError, ValueError) as problem:  # ValueError: a null character in the name
        raise error(where, getattr(problem, "strerror", None) or str(problem), expected) from None
    for is_kind, kind in _KINDS:
        if is_kind(status.st_mode):
            raise error(where, kind, f"{expected} that can be read", "name the file itself")
    if most_bytes is not None and status.st_size > most_bytes:
        raise error(where, f"{status.st_size} bytes", f"{expected}, of at most {most_bytes} bytes")


def read_plain_file(
    path: Path, where: str, expected: str, most_bytes: int, error: type[ArchiveError] = BadInput
) -> bytes:
    """The whole content of a plain file of at most ``most_bytes``.

    Errors
    ------
    error : as ``require_plain_file``; a file that cannot be read, or grows while it is read.
    """
    require_plain_file(path, where, expected, most_bytes, error)
    try:
        with path.open("rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as problem:
        raise error(where, problem.strerror or str(problem), f"{expected} that can be read") from None
    if len(content) > most_bytes:
        raise error(where, f"more than {most_bytes} bytes", f"{expected}, of at most {most_bytes} bytes")
    return content
