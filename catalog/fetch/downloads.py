"""Getting a file over HTTP as one has to: resumed, retried with patience, whole or by ranges, never half a file."""

from __future__ import annotations

import errno
import io
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn, TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx

from catalog.fetch.addresses import without_secrets
from pipeline.patience import PASSING, Again, OutOfPatience, Patience, asked_wait_s, is_number
from pipeline.progress import Tell, silent
from schemas.errors import BadInput

T = TypeVar("T")
# name of the file, bytes at hand, bytes in all where the server says
Meter = Callable[[str, int, int | None], None]

_NO_HEAD = (403, 405, 501)
# any other success is a file no more than an error is: 203 was altered on the way, 204 and 205 have none
_FILES = (200, 206)
_PAGES = ("text/html", "application/xhtml+xml")
# what servers say in place of a file that is no text
_MESSAGES = ("application/json", "application/problem+json", "application/xml", "text/xml")
_BINARY = (".tif", ".tiff", ".zip", ".hgt", ".gz", ".shp", ".dbf", ".gpkg", ".gtx")
# how files of a kind begin
_BEGINNINGS = {
    ".tif": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    ".json": (b"{", b"["),
    ".geojson": (b"{", b"["),
}
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 10
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_MOST_BYTES = 16 << 30  # of a file of unknown size; the largest that is wanted, a zip of tiles, has some two gigabytes


def unmetered(_name: str, _at_hand: int, _in_all: int | None) -> None:
    """Count nothing."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file on a server.

    Attributes
    ----------
    token : bearer token; sent to the server of this address and to ``login_host`` only, whatever a redirect names,
        and never unencrypted.
    login_host : the server that issued the token and that a redirect may pass through to confirm it.
    login_remedy : what to do when the server wants a login.
    stop : set by who wants all transfers to end.
    """

    client: httpx.Client
    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    login_host: str = ""
    login_remedy: str = "get the file by hand"
    patience: Patience = field(default_factory=Patience)
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def shown(self) -> str:
        """Its address as it may be told and recorded."""
        return without_secrets(self.url)

    def headers(self, more: Mapping[str, str] | None = None, address: str = "") -> dict[str, str]:
        """Request headers for this file's address, or for ``address`` that a redirect names.

        Bytes are asked for as they are, since sizes and ranges count them so.
        """
        headers = {"Accept-Encoding": "identity", **(more or {})}
        if self.token and self._trusts(urlsplit(address or self.url)):
            headers["Authorization"] = f"Bearer {self.token}"
        return headers

    def _trusts(self, address: SplitResult) -> bool:
        own, host = urlsplit(self.url), address.hostname
        known = (host, address.port) == (own.hostname, own.port) or (bool(self.login_host) and host == self.login_host)
        return known and (address.scheme == "https" or host in _LOOPBACK)


@dataclass(frozen=True)
class Announced:
    """What a server says of a file before it is fetched.

    Attributes
    ----------
    size : bytes; None where it does not say.
    note : why not.
    """

    url: str
    size: int | None
    note: str = ""


class NoRanges(Exception):
    """The server sends whole files only."""


class Stopped(Exception):
    """The transfer was told to end; what has arrived is kept."""


def open_client(timeout_s: float = 30.0) -> httpx.Client:
    """A client that gives up on a silent server after ``timeout_s``; redirects are followed by ``Remote``'s rules."""
    return httpx.Client(timeout=timeout_s, headers={"User-Agent": "glacier-archive"})


def announced_size(remote: Remote) -> Announced:
    """What the server says of the file's size, asked once and without fetching it; never fails."""
    try:
        return _persist(remote, lambda: _ask_size(remote), silent)
    except BadInput as error:
        return Announced(remote.url, None, error.found)


def _ask_size(remote: Remote) -> Announced:
    with _answer(remote, "HEAD") as answer:
        if answer.status_code not in _NO_HEAD:
            _refuse(remote, answer)
            length = answer.headers.get("content-length", "")
            return (
                Announced(remote.url, int(length)) if is_number(length) else Announced(remote.url, None, "not stated")
            )
    with _answer(remote, "GET", {"Range": "bytes=0-0"}) as answer:  # some servers know no HEAD
        _refuse(remote, answer)
        length = answer.headers.get("content-range", "").rpartition("/")[2]
        whole = answer.headers.get("content-length", "") if answer.status_code == 200 else length
        return Announced(remote.url, int(whole)) if is_number(whole) else Announced(remote.url, None, "not stated")


def download(
    remote: Remote,
    target: Path,
    tell: Tell = silent,
    *,
    meter: Meter = unmetered,
    size: int = 0,
    most: int = 0,
    verify: Callable[[Path], object] | None = None,
) -> None:
    """Download to ``target``; it appears there when it is complete and ``verify`` has not refused it.

    What has arrived is kept beside it in ``.<name>.part``. It is continued only when the server vouches, by ETag or
    date, that the file is still the same one. ``size`` (bytes) is what it must have, where that is known, else
    ``most`` what it may have (0: as much as any file that is wanted).

    Errors
    ------
    BadInput : a refusal (401, 403, 404 ...), a web page instead of the file, another size, no room, no connection, too
        many passing troubles, or what ``verify`` raises; what it refuses is not kept.
    Stopped : ``remote.stop`` was set.
    """
    part = target.with_name(f".{target.name}.part")
    transfer = _Transfer(remote=remote, part=part, name=target.name, meter=meter, size=size, most=most or _MOST_BYTES)
    _persist(remote, transfer.carry_on, tell, lambda: transfer.furthest)
    try:
        _refuse_web_page(remote, part)
        _refuse_other_kind(remote, part, target.suffix.lower())
        if verify is not None:
            verify(part)
    except BadInput:
        _discard(part)
        raise
    # before the file gets its name: a kill in between then leaves nothing beside it
    _validator_file(part).unlink(missing_ok=True)
    part.replace(target)


@dataclass(kw_only=True)
class _Transfer:
    """One file on its way into its part, over as many requests as it takes."""

    remote: Remote
    part: Path
    name: str
    meter: Meter
    size: int
    most: int
    furthest: int = 0

    def carry_on(self) -> None:
        offset, validator = _resumable(self.part)
        ask = {"Range": f"bytes={offset}-", "If-Range": validator} if offset else {}
        with _answer(self.remote, "GET", ask) as answer:
            if answer.status_code == 416:
                _discard(self.part)
                raise Again("416 Range Not Satisfiable")
            _refuse(self.remote, answer)
            start = self._start(answer, offset, validator)
            if start == 0:
                # the old bytes go before the new validator comes: a kill in between must not join the two
                _discard(self.part)
                _remember_validator(self.part, answer)
            if _encoding(answer):
                self._inflate(answer)
            else:
                self._append(answer, start)

    def _start(self, answer: httpx.Response, offset: int, validator: str) -> int:
        """Offset at which the answer's bytes belong; what is at hand is thrown away where they do not join it."""
        if answer.status_code != 206:
            return 0
        start = _first_byte(answer)
        stated = {answer.headers.get("etag"), answer.headers.get("last-modified")} - {None}
        if start == offset and (not stated or validator in stated) and not _encoding(answer):
            return start
        _discard(self.part)
        raise Again(f"bytes from {start} of another file" if start == offset else f"bytes from {start}, not {offset}")

    def _append(self, answer: httpx.Response, start: int) -> None:
        length = answer.headers.get("content-length", "")
        total = start + int(length) if is_number(length) else None
        if answer.status_code == 206:  # the whole is what it says, not what it sends
            whole = answer.headers.get("content-range", "").rpartition("/")[2]
            total = int(whole) if is_number(whole) else total
        self._require_size(total)
        _require_room(self.part, (total or 0) - start)
        with self.part.open("r+b" if start else "wb") as file:
            file.seek(start)
            for piece in self._watched(answer.iter_raw()):
                file.write(piece)
                self._moved(file.tell(), total)
            file.truncate()
            arrived = file.tell()
        if total is not None and arrived != total:
            raise Again(f"{arrived} of {total} bytes")
        self._require_size(arrived)

    def _inflate(self, answer: httpx.Response) -> None:
        """Undo a compression that was not asked for; its bytes cannot be continued."""
        _validator_file(self.part).unlink(missing_ok=True)
        decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            with self.part.open("wb") as file:
                for piece in self._watched(answer.iter_raw()):
                    file.write(decoder.decompress(piece))
                    self._moved(file.tell(), self.size or None)
                file.write(decoder.flush())
                arrived = file.tell()
        except zlib.error as error:
            raise Again(f"a damaged {_encoding(answer)} stream ({error})") from None
        if not decoder.eof:
            raise Again(f"a {_encoding(answer)} stream that breaks off")
        self._require_size(arrived)

    def _watched(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The pieces, until the run is stopped or they come too slowly."""
        patience = self.remote.patience
        since, moved = time.monotonic(), 0
        for piece in pieces:
            _go_on(self.remote)
            moved += len(piece)
            elapsed_s = time.monotonic() - since
            if elapsed_s >= patience.slow_for_s:
                if moved < patience.slowest_bytes_s * elapsed_s:
                    raise Again(f"{moved} bytes in {elapsed_s:.0f} s")
                since, moved = time.monotonic(), 0
            yield piece

    def _moved(self, at_hand: int, in_all: int | None) -> None:
        self.furthest = max(self.furthest, at_hand)
        self.meter(self.name, at_hand, in_all)
        if at_hand > (self.size or self.most):  # of an answer without end, or one that swells when it is unpacked
            self._refuse_size(f"more than {self.size or self.most} bytes")

    def _require_size(self, size: int | None) -> None:
        if size is not None and (size != self.size if self.size else size > self.most):
            self._refuse_size(f"{size} bytes")

    def _refuse_size(self, size: str) -> NoReturn:
        _discard(self.part)
        raise BadInput(
            self.remote.shown,
            size,
            f"{self.size} bytes, as known of this file" if self.size else f"at most {self.most} bytes",
            "the source may have changed, or another --mirror may have it: see docs/fetching.md",
        )


def _resumable(part: Path) -> tuple[int, str]:
    """Bytes at hand and the validator under which they came; (0, '') where they cannot be continued."""
    try:
        return part.stat().st_size, _validator_file(part).read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0, ""


def _remember_validator(part: Path, answer: httpx.Response) -> None:
    etag = answer.headers.get("etag", "")
    validator = etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", "")
    if validator.isascii() and validator.isprintable() and validator:  # it is sent back as a header
        _validator_file(part).write_text(validator, encoding="utf-8")


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    _validator_file(part).unlink(missing_ok=True)


def _first_byte(answer: httpx.Response) -> int:
    start = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    return int(start) if is_number(start) else -1


def _encoding(answer: httpx.Response) -> str:
    """The compression of an answer, '' for none."""
    encoding = str(answer.headers.get("content-encoding", "")).strip().lower()
    return "" if encoding == "identity" else encoding


def _require_room(path: Path, missing_bytes: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if missing_bytes > free:
        text = f"only {free / 1e6:.0f} MB free for {missing_bytes / 1e6:.0f} MB to come"
        raise OSError(errno.ENOSPC, text, str(path))


def _refuse_web_page(remote: Remote, path: Path) -> None:
    """Refuse a page that a server gives for a file with status 200 and any media type."""
    if remote.url.endswith((".html", ".htm")):
        return
    with path.open("rb") as file:
        head = file.read(512).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")):
        host = urlsplit(remote.url).hostname
        raise BadInput(remote.shown, f"a web page of {host} instead of the file", "the file", remote.login_remedy)


def _refuse_other_kind(remote: Remote, path: Path, suffix: str) -> None:
    """Refuse a file that does not begin as one of its name does."""
    beginnings = _BEGINNINGS.get(suffix)
    with path.open("rb") as file:
        head = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip() if suffix != ".tif" else file.read(4)
    if beginnings and not head.startswith(beginnings):
        odd = f"a file that is no {suffix[1:]} by its first bytes"
        raise BadInput(remote.shown, odd, "the file", "try another --mirror")


class RangeFile(io.RawIOBase):
    """A remote file that is read by byte ranges, as if it lay here; for ``zipfile`` inside an ``io.BufferedReader``.

    Errors
    ------
    NoRanges : on opening, where the server does not offer ranges.
    BadInput : as ``download``; the file changed on the server while it was read.
    """

    def __init__(self, remote: Remote, tell: Tell = silent) -> None:
        super().__init__()
        self._remote, self._tell = remote, tell
        self._position, self._etag = 0, ""
        self.size = 0
        self.requests = 0
        _persist(remote, self._open, tell)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError(f"seek to {base + offset}, before the start")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer, in practice this
        count = min(len(buffer), self.size - self._position)
        if count <= 0:
            return 0
        content = _persist(self._remote, lambda: self._range(self._position, count), self._tell)
        buffer[:count] = content
        self._position += count
        return count

    def _open(self) -> None:
        self.requests += 1
        with _answer(self._remote, "GET", {"Range": "bytes=0-0"}) as answer:
            _refuse(self._remote, answer)
            total = answer.headers.get("content-range", "").rpartition("/")[2]
            if answer.status_code != 206 or not is_number(total) or _encoding(answer):
                raise NoRanges(self._remote.url)
            self.size, self._etag = int(total), answer.headers.get("etag", "")

    def _range(self, start: int, count: int) -> bytes:
        self.requests += 1
        with _answer(self._remote, "GET", {"Range": f"bytes={start}-{start + count - 1}"}) as answer:
            _refuse(self._remote, answer)
            total = answer.headers.get("content-range", "").rpartition("/")[2]
            same = answer.headers.get("etag", "") == self._etag and total in (str(self.size), "*")
            if not same or answer.status_code != 206:
                raise BadInput(
                    self._remote.shown, "a file that changed while it was read", "one version", "run fetch again"
                )
            content = b""
            for piece in answer.iter_raw():
                content += piece
                if len(content) > count:  # an answer may have no end
                    break
        if len(content) != count or _first_byte(answer) != start:
            raise Again(f"{len(content)} of {count} bytes")
        return content


@contextmanager
def _answer(remote: Remote, method: str, more: Mapping[str, str] | None = None) -> Iterator[httpx.Response]:
    """The answer at the end of all redirects; the token goes only where ``Remote`` trusts the server with it."""
    address = httpx.URL(remote.url)
    for _ in range(_MOST_REDIRECTS + 1):
        _go_on(remote)
        headers = remote.headers(more, str(address))
        with remote.client.stream(method, address, headers=headers, follow_redirects=False) as answer:
            if answer.status_code not in _REDIRECTS or not answer.headers.get("location"):
                yield answer
                return
            onward = address.join(answer.headers["location"])
        if address.scheme == "https" and onward.scheme != "https":
            raise BadInput(
                remote.shown, f"a redirect to the unencrypted {onward.host}", "https", "try another --mirror"
            )
        address = onward
    raise BadInput(remote.shown, f"more than {_MOST_REDIRECTS} redirects", "the file", "try another --mirror")


def _go_on(remote: Remote) -> None:
    if remote.stop.is_set():
        raise Stopped(remote.url)


def _persist(remote: Remote, act: Callable[[], T], tell: Tell, progress: Callable[[], int] = lambda: 0) -> T:
    """``act`` until it succeeds, is refused, or patience ends; what brings ``progress`` further costs no patience."""

    def once() -> T:
        try:
            return act()
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, UnicodeError) as error:  # the last of a host's name
            raise BadInput(remote.shown, str(error), "an http or https address", "check --mirror") from None
        except httpx.TransportError as error:
            raise Again(_describe(error)) from None

    def waiting(trouble: str, wait_s: float) -> None:
        tell(f"{remote.shown}: {trouble}; asking again in {wait_s:.0f} s")

    try:
        return remote.patience.until_done(once, waiting, progress)
    except OutOfPatience as end:
        if end.asked_s is not None:
            remedy = f"run fetch again in {end.asked_s:.0f} s, and it resumes"
            raise BadInput(
                remote.shown, f"{end.found}, to be asked again in {end.asked_s:.0f} s", "the file", remedy
            ) from None
        times = f", {end.trials} times" if end.trials > 1 else ""
        remedy = "check the network; run fetch again later, and it resumes"
        raise BadInput(remote.shown, f"{end.found}{times}", "the whole file", remedy) from None


def _describe(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"no connection ({error})" if str(error) else "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "a broken connection"


def _refuse(remote: Remote, answer: httpx.Response) -> None:
    """Raise what an answer other than the file's bytes means."""
    status = f"{answer.status_code} {answer.reason_phrase}".strip()
    if answer.status_code in PASSING:
        raise Again(status, asked_wait_s(answer.headers.get("retry-after", "")))
    if answer.status_code in (401, 403):
        raise BadInput(remote.shown, status, "leave to download", remote.login_remedy)
    if answer.status_code == 404:
        raise BadInput(remote.shown, status, "the file", "the server may have moved it: see docs/fetching.md, --mirror")
    if answer.status_code not in _FILES:
        raise BadInput(remote.shown, status, "the file", "see docs/fetching.md")
    kind, path = answer.headers.get("content-type", "").partition(";")[0].strip().lower(), urlsplit(remote.url).path
    if kind in _PAGES and not path.endswith((".html", ".htm")):
        where = answer.url.host
        raise BadInput(remote.shown, f"a web page of {where} instead of the file", "the file", remote.login_remedy)
    if kind in _MESSAGES and path.lower().endswith(_BINARY):
        message = f"a message of the server ({kind}) instead of the file"
        raise BadInput(remote.shown, message, "the file", "see docs/fetching.md")
    if _encoding(answer) not in ("", "gzip", "x-gzip", "deflate"):
        raise BadInput(remote.shown, f"the encoding {_encoding(answer)!r}", "the file as it is", "try another --mirror")
