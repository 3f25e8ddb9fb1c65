"""What must hold of every reading of a hostile file: a clear refusal or a result, and nothing else."""

from __future__ import annotations

import io
import logging
import os
import socket
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

from pipeline.inputs.undecodable_messages import undecodable_messages_unprinted
from schemas.errors import ArchiveError

# of processor time for one reading; a machine that does other things beside it takes longer by the clock
MOST_SECONDS = 30.0
# what Python itself does not print
_UNSEEN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


class NetworkUsed(BaseException):
    """A socket was opened; of its own kind, so that no reader takes it for a damaged file."""


def examine(read: Callable[[Path], object], folder: Path) -> str:
    """Read from ``folder`` and say what is wrong with the way it ended; empty where all is well."""
    before = _listing(folder)
    with _watched() as watch:
        started = time.process_time()
        try:
            read(folder)
        except ArchiveError as error:
            watch.problems += problems_of_message(str(error))
        except NetworkUsed as error:
            watch.problems.append(f"network used: {error}")
        except Exception as error:  # noqa: BLE001 - any other error at all is what is looked for
            watch.problems.append(f"{type(error).__module__}.{type(error).__name__}: {str(error)[:300]}")
        spent = time.process_time() - started
    if spent > MOST_SECONDS:
        watch.problems.append(f"took {spent:.0f} s")
    if _listing(folder) != before:
        watch.problems.append(f"left behind or changed: {sorted(set(_listing(folder)) ^ set(before))}")
    return "; ".join(watch.problems)


class _Watch:
    def __init__(self) -> None:
        self.problems: list[str] = []


@contextmanager
def _watched() -> Iterator[_Watch]:
    """Sockets refused, temporary files in a folder of their own, and all that is printed or warned of kept."""
    watch = _Watch()
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []  # as in a run of the command line, where nobody has set any
    printed = io.StringIO()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="hostile-tmp-") as scratch,
            mock.patch.object(tempfile, "tempdir", scratch),
            _no_sockets(),
            undecodable_messages_unprinted(),  # as in a run of the command line
            warnings.catch_warnings(record=True) as warned,
            _descriptor_2() as told,
            redirect_stderr(printed),
            redirect_stdout(printed),
        ):
            warnings.simplefilter("always")
            yield watch
            left = sorted(os.listdir(scratch))
    finally:
        root.handlers = handlers
    shown = [str(one.message) for one in warned if not issubclass(one.category, _UNSEEN)]
    watch.problems += [f"warning: {text}" for text in shown]
    watch.problems += [f"printed: {text}" for text in (printed.getvalue(), told()) if text.strip()]
    watch.problems += [f"left in the temporary folder: {left}"] if left else []


@contextmanager
def _no_sockets() -> Iterator[None]:
    def refuse(*arguments: Any, **_: Any) -> Any:
        raise NetworkUsed(repr(arguments[1:]))

    with (
        mock.patch.object(socket.socket, "connect", refuse),
        mock.patch.object(socket.socket, "connect_ex", refuse),
        mock.patch.object(socket, "getaddrinfo", refuse),
    ):
        yield


@contextmanager
def _descriptor_2() -> Iterator[Callable[[], str]]:
    """What C libraries print on standard error."""
    with tempfile.TemporaryFile() as kept:
        real = os.dup(2)
        os.dup2(kept.fileno(), 2)
        text: list[str] = []
        try:
            yield lambda: "".join(text)
        finally:
            os.dup2(real, 2)
            os.close(real)
            kept.seek(0)
            text.append(kept.read().decode("utf-8", "replace"))


def problems_of_message(message: str) -> list[str]:
    found = []
    for line in message.splitlines() or [""]:
        if not line.strip() or ": found " not in line or "; expected " not in line:
            found.append(f"a line without file, found and expected: {line[:200]!r}")
        if "Traceback" in line or " object at 0x" in line:
            found.append(f"a line of Python's own: {line[:200]!r}")
    return found


def _listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((path.relative_to(folder).as_posix(), path.lstat().st_size) for path in folder.rglob("*"))
