"""Temporary folders that the next run removes where their own was killed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# nobody else names a folder so; what a user keeps beside them may begin with the name of this software
PREFIX = "glacier-archive-scratch-"
_OURS = re.compile(rf"{PREFIX}(?:[a-z]+-)?[a-z0-9_]{{8}}")
_MODE = 0o700
# between its making and its lock a folder looks like one left behind
SECONDS_UNTIL_LOCKED = 60.0


@contextmanager
def scratch_folder(kind: str = "") -> Iterator[Path]:
    """A folder below TMPDIR that goes when the context ends; those of runs that were killed go first.

    Parameters
    ----------
    kind : a word of its name, for people.
    """
    remove_left_behind()
    # after Ctrl-C a thread may still be writing into it
    with tempfile.TemporaryDirectory(prefix=PREFIX + kind, ignore_cleanup_errors=True) as folder:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            with suppress(OSError):  # a file system without locks: nobody takes it for left behind there
                fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            yield Path(folder)
        finally:
            os.close(descriptor)


def remove_left_behind() -> None:
    """Remove this user's scratch folders that no living process holds; the kernel ends the lock of a killed one."""
    try:
        with os.scandir(tempfile.gettempdir()) as entries:
            folders = [Path(entry.path) for entry in entries if _OURS.fullmatch(entry.name)]
    except OSError:
        return
    for folder in folders:
        with suppress(OSError):  # of somebody else, or gone meanwhile
            _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        is_new = time.time() - max(status.st_mtime, status.st_ctime) < SECONDS_UNTIL_LOCKED
        if status.st_uid != os.getuid() or is_new or stat.S_IMODE(status.st_mode) != _MODE:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
