"""Finished files kept between builds, found again by what they were made from.

An entry is named by a key: the digest of all that its files depend on (``catalog.build.fingerprint``). The files
themselves are stored once each under their own sha256. Whatever is read back is compared with that checksum, so a
damaged cache costs a rebuild and never reaches an archive; the folder may be deleted at any time.

A checksum can be made to fit. An entry therefore carries a code over all of it by a secret of the user, kept
elsewhere: what bears it is as this user kept it, and passed its checks then. Whatever else lies there, from another
user, a machine that was thrown away or a forger, is taken for what it says only after its checks were made again.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import io
import json
import os
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from catalog.archive import ListedFile, list_files, manifest_files, sha256_of
from pipeline.progress import Tell
from schemas.errors import BadInput
from schemas.inside import leads_inside

LIMIT_BYTES = 4_000_000_000
_FORMAT = "2"
_CHUNK = 1 << 20
_SECRET_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64}")
_ABANDONED_SECONDS = 86_400


class DamagedEntry(Exception):
    """A cache entry whose files are not what it says; it is dropped and made again."""


@dataclass(frozen=True)
class Entry:
    """What was kept.

    Attributes
    ----------
    files : by path below the folder they were kept from.
    facts : told beside them.
    own : this user kept it, so that what was true of it then is true of it now.
    """

    files: tuple[ListedFile, ...]
    facts: dict[str, Any]
    own: bool


@dataclass(frozen=True)
class Cache:
    """A folder of kept files.

    Attributes
    ----------
    folder : is made when something is kept; several builds may share it.
    limit_bytes : entries that were not used for longest make room beyond this size.
    """

    folder: Path
    limit_bytes: int = LIMIT_BYTES

    def restore(self, key: str, into: Path, dropped: Callable[[str], None] = lambda _: None) -> dict[str, Any] | None:
        """The facts of ``restored``."""
        entry = self.restored(key, into, dropped)
        return None if entry is None else entry.facts

    def restored(self, key: str, into: Path, dropped: Callable[[str], None] = lambda _: None) -> Entry | None:
        """Copy the files of an entry below ``into`` and return it; None where there is no whole entry.

        Parameters
        ----------
        key : digest of all that the files depend on.
        into : a folder that exists; left as it was where None is returned.
        dropped : told what was wrong with an entry that had to be dropped.
        """
        try:
            entry = self._entry(key)
            if entry is None:
                return None
            with tempfile.TemporaryDirectory(dir=into.parent, prefix=f".{into.name}.restored-") as folder:
                for file in entry.files:
                    self._fetch(file, Path(folder))
                for path in sorted(Path(folder).iterdir()):
                    os.rename(path, into / path.name)
        except DamagedEntry as damage:
            dropped(str(damage))
            self.drop(key)
            return None
        # a recent time keeps it from being trimmed
        with suppress(OSError):
            os.utime(self._entry_path(key))
        return entry

    def drop(self, key: str) -> None:
        """Forget an entry; where the cache may only be read, what is kept next replaces it."""
        with suppress(OSError):
            self._entry_path(key).unlink(missing_ok=True)

    def keep(self, key: str, folder: Path, facts: dict[str, Any]) -> None:
        """Keep all files below ``folder`` under ``key``, with facts that JSON can hold.

        Errors
        ------
        BadInput : the cache folder cannot be written.
        """
        files = tuple(_listed(folder))
        content = {"key": key, "files": [[file.path, file.size, file.sha256] for file in files], "facts": facts}
        body = json.dumps(content, ensure_ascii=True, allow_nan=False)
        text = f"{hashlib.sha256(body.encode()).hexdigest()} {_code_of(body)}\n{body}\n"
        with self._said_if_unwritable(), self._locked():
            for file in files:
                self._keep_file(folder / file.path, file)
            self._put(io.BytesIO(text.encode()), self._entry_path(key))
            self._trim()

    def require_writable(self) -> None:
        """Find out before a long computation whether its result can be kept.

        Errors
        ------
        BadInput : the cache folder cannot be made or written.
        """
        with self._said_if_unwritable():
            self._incoming.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self._incoming):
                pass

    # --- on the disk ---------------------------------------------------------------------------------------------

    @property
    def _root(self) -> Path:
        return self.folder / _FORMAT

    @property
    def _incoming(self) -> Path:
        return self._root / "incoming"

    def _entry_path(self, key: str) -> Path:
        return self._root / "entries" / key

    def _object_path(self, sha256: str) -> Path:
        return self._root / "objects" / sha256[:2] / sha256

    @contextmanager
    def _said_if_unwritable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BadInput(
                str(self.folder), error.strerror or type(error).__name__, "a cache folder that can be written",
                "name another with --cache, or build with --no-cache",
            ) from None  # fmt: skip

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time keeps and trims: a file is not dropped before the entry that names it stands."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _entry(self, key: str) -> Entry | None:
        try:
            head, _, body = self._entry_path(key).read_text(encoding="ascii").partition("\n")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise DamagedEntry(f"entry {key[:12]} cannot be read ({type(error).__name__})") from None
        digest, _, code = head.partition(" ")
        body = body.removesuffix("\n")
        if hashlib.sha256(body.encode()).hexdigest() != digest:
            raise DamagedEntry(f"entry {key[:12]} does not agree with its own checksum")
        try:
            content = json.loads(body)
            files, facts, named = (
                tuple(ListedFile(*file) for file in content["files"]),
                content["facts"],
                content["key"],
            )
            strange = [file.path for file in files if not leads_inside(file.path)]
            if not isinstance(facts, dict) or not all(_HEX.fullmatch(file.sha256) for file in files):
                raise ValueError("facts or checksums of another form")
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            raise DamagedEntry(f"entry {key[:12]} is of another form") from None
        if named != key:
            raise DamagedEntry(f"entry {key[:12]} is that of another key")
        if strange:
            raise DamagedEntry(f"entry {key[:12]} names {strange[0]!r}, which is no file below it")
        own = _code_of(body)
        return Entry(files, facts, own=bool(own) and hmac.compare_digest(own, code))

    def _fetch(self, file: ListedFile, folder: Path) -> None:
        """Copy one file out of the cache, and prove it on the way."""
        kept, target = self._object_path(file.sha256), folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256()
        with target.open("xb") as copy:
            for piece in _pieces(kept, file.path):
                digest.update(piece)
                copy.write(piece)
        if digest.hexdigest() != file.sha256:
            with suppress(OSError):
                kept.unlink(missing_ok=True)
            raise DamagedEntry(f"{file.path} is not what was kept")

    def _keep_file(self, path: Path, file: ListedFile) -> None:
        kept = self._object_path(file.sha256)
        # one that was damaged meanwhile is replaced
        if kept.is_file() and kept.stat().st_size == file.size and sha256_of(kept) == file.sha256:
            return
        with path.open("rb") as source:
            self._put(source, kept)

    def _put(self, source: BinaryIO, place: Path) -> None:
        """Write a file of the cache beside its place and rename it there: nobody sees half of it."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._incoming, delete=False) as copy:
            shutil.copyfileobj(source, copy, _CHUNK)
        os.replace(copy.name, place)

    def _trim(self) -> None:
        """Drop the entries that were not used for longest until the rest fits; then the files that nobody names."""
        paths = sorted((self._root / "entries").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        held: dict[str, int] = {}
        for place, path in enumerate(paths):
            try:
                entry = self._entry(path.name)
            except DamagedEntry:
                entry = None
            new = {} if entry is None else {file.sha256: file.size for file in entry.files}
            # the newest always stays: it is the one just kept
            if entry is None or (place and sum((held | new).values()) > self.limit_bytes):
                path.unlink(missing_ok=True)
            else:
                held |= new
        for path in (self._root / "objects").glob("*/*"):
            if path.name not in held:
                path.unlink(missing_ok=True)
        # what a killed build left half written; a living one takes no day for a file
        for path in self._incoming.iterdir():
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _ABANDONED_SECONDS:
                    path.unlink()


def _code_of(body: str) -> str:
    """The code of an entry by the user's secret; empty where none can be kept."""
    secret = _secret()
    return hmac.new(secret, body.encode(), "sha256").hexdigest() if secret else ""


@lru_cache(maxsize=1)
def _secret() -> bytes:
    """The user's secret, made at first need in a file that only the user reads; empty where that cannot be."""
    base = os.environ.get("XDG_STATE_HOME")
    try:
        path = (Path(base) if base else Path.home() / ".local" / "state") / "glacier-archive" / "cache.secret"
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError), tempfile.NamedTemporaryFile(dir=path.parent) as made:  # of mode 600
            made.write(secrets.token_bytes(_SECRET_BYTES))
            made.flush()
            os.link(made.name, path)  # whole, or not at all where another process was first
        secret = path.read_bytes() if path.is_file() else b""
    except (OSError, RuntimeError):  # RuntimeError: no home
        return b""
    return secret if len(secret) == _SECRET_BYTES else b""


def _pieces(kept: Path, name: str) -> Iterator[bytes]:
    """The content of a kept file; whatever hinders its reading is damage of the cache."""
    try:
        with kept.open("rb") as source:
            while piece := source.read(_CHUNK):
                yield piece
    except FileNotFoundError:
        raise DamagedEntry(f"{name} is missing") from None
    except OSError as error:
        raise DamagedEntry(f"{name} cannot be read ({error.strerror})") from None


def keep_if_possible(cache: Cache, key: str, folder: Path, facts: dict[str, Any], tell: Tell) -> None:
    """``Cache.keep``; a build does not fail because the next one will have to compute again."""
    try:
        cache.keep(key, folder, facts)
    except BadInput as error:
        tell(f"not kept for the next build: {error}")


def cache_dropped(tell: Tell) -> Callable[[str], None]:
    """Says that an entry was damaged and is made again."""
    return lambda damage: tell(f"the cache was damaged ({damage}): computing again")


def default_cache_folder() -> Path:
    """Where builds keep finished files: ``GLACIER_CACHE``, or ``glacier-archive`` in the user's cache folder."""
    own = os.environ.get("GLACIER_CACHE")
    if own:
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "glacier-archive"


def _listed(folder: Path) -> Iterator[ListedFile]:
    yield from list_files(folder)
    yield from manifest_files(folder)
