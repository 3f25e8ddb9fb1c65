"""A lock on a file that the kernel releases when its process dies, so that a lock file left behind bars nobody."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import BadInput

# of a file system, as some on a network, that has none
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


@contextmanager
def held_lock(path: Path, busy: Callable[[str], BadInput]) -> Iterator[None]:
    """Hold the lock at ``path``; the file is removed on leaving. On a file system without locks none is held.

    Parameters
    ----------
    busy : what to raise where another process holds it, given that process's number or 'unknown'.

    Errors
    ------
    BadInput : as said; a folder, a link or a device in the lock's place.
    OSError : the folder cannot be written to.
    """
    descriptor = _take(path, busy)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        # removed while held: whoever waits on this file sees in _take that it is no longer the lock
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _take(path: Path, busy: Callable[[str], BadInput]) -> int:
    while True:
        descriptor = _opened(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 20).decode("ascii", "replace").strip()
            os.close(descriptor)
            raise busy(holder or "unknown") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                os.close(descriptor)
                raise
        if _is_same_file(descriptor, path):
            return descriptor
        os.close(descriptor)


def _opened(path: Path) -> int:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        kind = "a symbolic link" if path.is_symlink() else "a folder" if path.is_dir() else "no plain file"
        raise BadInput(str(path), kind, "a lock file of ours, or nothing", "remove it, or choose another folder")
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o644)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):  # put there since
        os.close(descriptor)
        raise BadInput(str(path), "no plain file", "a lock file of ours, or nothing", "remove it")
    return descriptor


def _is_same_file(descriptor: int, path: Path) -> bool:
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    held = os.fstat(descriptor)
    return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)
