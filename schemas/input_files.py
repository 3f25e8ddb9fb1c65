"""Files that others made, before a byte of them is read: plain files only, and no larger than stated."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import NoReturn

from schemas.errors import ArchiveError, BadInput

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)

# a path takes one of the two slashes away
_WEB = re.compile(r"^(/vsi(?:curl|s3|gs|az|adls|oss|swift|webhdfs)[^/]*/)?(?:([a-z][a-z0-9+.-]+):/+)?(.+)$", re.I)
_OWN_TOOLS = {"s3": "aws s3 cp {address} .", "gs": "gcloud storage cp {address} .", "az": "azcopy copy {address} ."}


def refuse_web_address(path: Path, error: type[ArchiveError] = BadInput) -> None:
    """Refuse an address of the web, or of an object store, given in place of a file.

    Parameters
    ----------
    path : as the user named it.

    Errors
    ------
    error : an address; says how to get the file.
    """
    match = _WEB.match(str(path))
    if match is None or not (match[1] or (match[2] and len(match[2]) > 1)):
        return
    scheme = (match[2] or re.sub(r"^/vsi|/$", "", match[1] or "")).lower()
    address = f"{scheme}://{match[3]}"
    if scheme == "file":
        _refuse(error, address, "an address", "a path", f"name it as /{match[3]}")
    scheme_tool = _OWN_TOOLS.get(scheme, "curl -fLO {address}")
    _refuse(
        error, address, "an address, which is not read: nothing here asks the web",
        "a file or folder on this machine", f"get it first: {scheme_tool.format(address=address)}",
    )  # fmt: skip


def _refuse(error: type[ArchiveError], where: str, what: str, expected: str, remedy: str) -> NoReturn:
    raise error(where, what, expected, remedy)


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
        refuse_web_address(path, error)
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
