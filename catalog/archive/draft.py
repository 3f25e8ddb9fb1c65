"""A draft folder beside the target, and the one rename that makes it the archive.

``docs/decisions/001-atomic-publication.md`` tells why it is done this way.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from catalog.archive.file_lock import held_lock
from catalog.archive.layout import ELEVATION_CHANGE_TIF, MANIFEST_JSON, SUMMARY_JSON
from catalog.archive.manifest import listed_files, manifest_of
from schemas.errors import BadInput

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP, errno.EPERM)
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Output(StrEnum):
    """What a command writes into a folder; each replaces only its like."""

    archive = "an archive"
    difference = "the output of a difference"
    balance = "the output of a balance"


@dataclass(frozen=True)
class Places:
    """The target and its helpers; all in one folder, so that a rename never crosses a file system."""

    target: Path

    @property
    def draft(self) -> Path:
        return self.target.with_name(f".{self.target.name}.glacier-draft")

    @property
    def previous(self) -> Path:
        return self.target.with_name(f".{self.target.name}.glacier-previous")

    @property
    def discarded(self) -> Path:
        return self.target.with_name(f".{self.target.name}.glacier-discarded")

    @property
    def lock(self) -> Path:
        return self.target.with_name(f".{self.target.name}.glacier-lock")


@dataclass(frozen=True)
class Draft:
    """An archive in the making; ``folder`` has a plain name whatever the target's is."""

    folder: Path
    places: Places
    output: Output = Output.archive

    def publish(self) -> None:
        """Make the draft the archive; what stood there before is replaced as a whole.

        Errors
        ------
        BadInput : something that is not its like has come to stand at the target meanwhile.
        """
        _refuse_foreign(self.places.target, self.output)
        _flush(self.folder)
        if _is_empty_or_absent(self.places.target):
            os.rename(self.folder, self.places.target)
        else:
            replace_folder(self.folder, self.places)
        _flush_folder(self.places.target.parent)


def preflight(out: Path, output: Output = Output.archive) -> None:
    """Refuse a target that could not be published to, before anything is computed; nothing is written.

    Parameters
    ----------
    output : what is to be written there.

    Errors
    ------
    BadInput : the parent folder is missing or not writable; the target is a file, a mount point, read-only, or holds
        anything that is not the like of what is to be written: an archive, or the output of the same command.
    """
    try:
        target = out.resolve()
        _refuse_parent(target.parent)
        _refuse_foreign(target, output)
        with suppress(FileNotFoundError):
            Places(target).discarded.lstat()  # the longest of the names beside it
    except (OSError, RuntimeError) as error:  # a name too long, a loop of links
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "a loop of symbolic links"
        raise BadInput(str(out), reason, "a path that can be written to", "choose another output folder") from None


@contextmanager
def open_draft(out: Path, output: Output = Output.archive) -> Iterator[Draft]:
    """An empty draft folder beside ``out``, under a lock; removed on leaving, whatever happened.

    What an earlier process that was killed left behind is put right first: its draft is removed, and an archive that
    it had set aside and not replaced yet is put back.

    Errors
    ------
    BadInput : as ``preflight``; another build holds the lock; the disk is full.
    """
    preflight(out, output)
    places = Places(out.resolve())
    with _locked(places):
        _recover(places)
        try:
            folder = places.draft / "archive"
            folder.mkdir(parents=True)
            yield Draft(folder, places, output)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            raise BadInput(
                str(out), "no space left on the disk", "room for the new archive beside the old one"
            ) from None
        finally:
            _recover(places)


def replace_folder(new: Path, places: Places, exchange: Callable[[Path, Path], bool] | None = None) -> None:
    """Put ``new`` in the target's place and remove what stood there.

    One atomic exchange where the system offers it; else two renames, and ``_recover`` closes the gap between them
    after a crash.
    """
    if (exchange or _exchange)(new, places.target):
        _remove(new)
        return
    os.rename(places.target, places.previous)
    os.rename(new, places.target)
    _remove(places.previous)


def _refuse_parent(parent: Path) -> None:
    if not parent.is_dir():
        in_the_way = "a file" if parent.exists() else "no such folder"
        raise BadInput(str(parent), in_the_way, "a folder to put the archive in", "create it first")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise BadInput(
            str(parent), "a folder that is not writable", "a writable folder", "choose another output folder"
        )


def _refuse_foreign(target: Path, output: Output) -> None:
    """The like of what is to be written, an empty folder or nothing may stand at the target."""
    if target.is_file():
        raise BadInput(str(target), "a file", "a folder, or nothing", "choose another output folder")
    if _is_empty_or_absent(target):
        _refuse_mount(target)
        return
    there = _output_at(target)
    if there is not output:
        raise BadInput(
            str(target),
            there or "a folder that is not an archive (no manifest.json of ours)",
            f"{output} made earlier, an empty folder, or nothing",
            "choose another output folder; nothing was deleted",
        )
    _refuse_mount(target)
    if not os.access(target, os.W_OK):
        raise BadInput(
            str(target), f"{output} that is read-only", "a writable folder", "allow writing, or build elsewhere"
        )
    _refuse_strays(target)


def _output_at(target: Path) -> Output | None:
    """Which of our commands wrote the folder at the target, as its manifest says; None for nobody's of ours."""
    manifest = manifest_of(target)
    if manifest is None:
        return None
    listed = listed_files(target)
    if manifest.get("datasets") or SUMMARY_JSON not in listed:
        return Output.archive
    return Output.difference if ELEVATION_CHANGE_TIF in listed else Output.balance


def _refuse_mount(target: Path) -> None:
    if os.path.ismount(target):
        raise BadInput(
            str(target),
            "a mount point, which no rename can replace",
            "a folder inside it",
            "add a folder name to --out",
        )


def _refuse_strays(target: Path) -> None:
    """Files that somebody put into an archive would be lost with it."""
    known = listed_files(target) | {MANIFEST_JSON}
    strays = sorted(
        path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_symlink() or not path.is_dir()
    )
    strays = [name for name in strays if name not in known]
    if strays:
        more = f" and {len(strays) - 1} more" if len(strays) > 1 else ""
        raise BadInput(
            str(target),
            f"{strays[0]}{more}, which the archive's manifest does not list",
            "an archive with nothing added to it",
            "move the added files elsewhere; nothing was deleted",
        )


def _is_empty_or_absent(target: Path) -> bool:
    return not target.exists() or (target.is_dir() and next(target.iterdir(), None) is None)


@contextmanager
def _locked(places: Places) -> Iterator[None]:
    """Hold the target's lock."""

    def busy(holder: str) -> BadInput:
        return BadInput(
            str(places.target),
            f"another build writing to it (process {holder})",
            "one build at a time on one target",
            "wait until it has ended, or choose another output folder",
        )

    with held_lock(places.lock, busy):
        yield


def _recover(places: Places) -> None:
    if places.previous.exists() and not places.target.exists():
        os.rename(places.previous, places.target)
    _remove(places.previous)
    _remove(places.discarded)
    if places.draft.exists() or places.draft.is_symlink():
        # out of the way first: after Ctrl-C a thread may still be writing into it
        os.rename(places.draft, places.discarded)
        _remove(places.discarded)


def _remove(folder: Path) -> None:
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
    elif folder.exists():
        for root, _, _ in os.walk(folder):
            os.chmod(root, 0o700)
        shutil.rmtree(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders atomically (Linux ``renameat2``); False where system or file system cannot."""
    rename = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _NO_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _flush(folder: Path) -> None:
    """Force every file and folder to the disk: a rename that outlives its contents would publish empty files."""
    for root, _, names in os.walk(folder, topdown=False):
        for name in names:
            with open(os.path.join(root, name), "rb") as file:
                os.fsync(file.fileno())
        _flush_folder(Path(root))


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
