"""Getting a file over HTTP as one has to: resumed, retried with patience, whole or by ranges, never half a file."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import httpx

from pipeline.progress import Tell, silent
from schemas.errors import BadInput

T = TypeVar("T")
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_TELL_BYTES = 32_000_000
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Patience:
    """How often to ask again, and how long to wait in between (seconds, doubled each time up to the longest)."""

    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    sleep: Callable[[float], None] = time.sleep

    def wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Wait after attempt number ``attempt`` (from 0); what the server asks for counts, within bounds."""
        own = self.first_wait_s * 2.0**attempt
        return min(max(own, asked_s or 0.0), self.longest_wait_s)


@dataclass(frozen=True)
class Remote:
    """A file on a server.

    Attributes
    ----------
    token : bearer token; sent to this address only (never on to a redirect's other host) and never unencrypted.
    login_remedy : what to do when the server wants a login.
    """

    client: httpx.Client
    url: str
    token: str = ""
    login_remedy: str = "get the file by hand"
    patience: Patience = field(default_factory=Patience)

    def headers(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Request headers; bytes are asked for as they are, since sizes and ranges count them so."""
        headers = {"Accept-Encoding": "identity", **(more or {})}
        address = urlsplit(self.url)
        if self.token and (address.scheme == "https" or address.hostname in _LOOPBACK):
            headers["Authorization"] = f"Bearer {self.token}"
        return headers


class NoRanges(Exception):
    """The server sends whole files only."""


class _Again(Exception):
    """A passing trouble: what was found, and how long the server asks to wait (seconds)."""

    def __init__(self, found: str, wait_s: float | None = None) -> None:
        self.found, self.wait_s = found, wait_s
        super().__init__(found)


def open_client(timeout_s: float = 30.0) -> httpx.Client:
    """A client that follows redirects and gives up on a silent server after ``timeout_s``."""
    return httpx.Client(follow_redirects=True, timeout=timeout_s, headers={"User-Agent": "glacier-archive"})


def download(remote: Remote, target: Path, tell: Tell = silent) -> None:
    """Download to ``target``; it appears there when it is complete.

    What has arrived is kept beside it in ``.<name>.part``. It is continued only when the server vouches, by ETag or
    date, that the file is still the same one.

    Errors
    ------
    BadInput : a refusal (401, 403, 404 ...), a login page instead of the file, no connection, too many passing
        troubles.
    """
    part = target.with_name(f".{target.name}.part")
    _persist(remote, lambda: _continue(remote, part, tell), tell)
    part.replace(target)
    _validator_file(part).unlink(missing_ok=True)


def _continue(remote: Remote, part: Path, tell: Tell) -> None:
    offset, validator = _resumable(part)
    ask = {"Range": f"bytes={offset}-", "If-Range": validator} if offset else {}
    with remote.client.stream("GET", remote.url, headers=remote.headers(ask)) as answer:
        if answer.status_code == 416:
            part.unlink(missing_ok=True)
            raise _Again("416 Range Not Satisfiable")
        _refuse(remote, answer)
        start = _first_byte(answer) if answer.status_code == 206 else 0
        if start not in (0, offset):
            part.unlink(missing_ok=True)
            raise _Again(f"bytes from {start}, where those from {offset} were asked for")
        _remember_validator(part, answer)
        _append(answer, part, start, remote.url, tell)


def _append(answer: httpx.Response, part: Path, start: int, url: str, tell: Tell) -> None:
    length = answer.headers.get("content-length", "")
    total = start + int(length) if length.isdigit() else None
    name = url.rpartition("/")[2]
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        told = start
        for piece in answer.iter_raw():
            file.write(piece)
            if file.tell() - told >= _TELL_BYTES:
                told = file.tell()
                tell(f"{name}: {told / 1e6:.0f} MB" + (f" of {total / 1e6:.0f}" if total else ""))
        file.truncate()
        arrived = file.tell()
    if total is not None and arrived != total:
        raise _Again(f"{arrived} of {total} bytes")


def _resumable(part: Path) -> tuple[int, str]:
    """Bytes at hand and the validator under which they came; (0, '') where they cannot be continued."""
    try:
        return part.stat().st_size, _validator_file(part).read_text(encoding="utf-8")
    except FileNotFoundError:
        return 0, ""


def _remember_validator(part: Path, answer: httpx.Response) -> None:
    etag = answer.headers.get("etag", "")
    validator = etag if etag and not etag.startswith("W/") else answer.headers.get("last-modified", "")
    if validator:
        _validator_file(part).write_text(validator, encoding="utf-8")
    else:
        _validator_file(part).unlink(missing_ok=True)


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.validator")


def _first_byte(answer: httpx.Response) -> int:
    start = answer.headers.get("content-range", "").removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else -1


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
        with self._remote.client.stream(
            "GET", self._remote.url, headers=self._remote.headers({"Range": "bytes=0-0"})
        ) as answer:
            _refuse(self._remote, answer)
            total = answer.headers.get("content-range", "").rpartition("/")[2]
            if answer.status_code != 206 or not total.isdigit():
                raise NoRanges(self._remote.url)
            self.size, self._etag = int(total), answer.headers.get("etag", "")

    def _range(self, start: int, count: int) -> bytes:
        self.requests += 1
        ask = {"Range": f"bytes={start}-{start + count - 1}"}
        answer = self._remote.client.get(self._remote.url, headers=self._remote.headers(ask))
        _refuse(self._remote, answer)
        if answer.headers.get("etag", "") != self._etag or answer.status_code != 206:
            raise BadInput(self._remote.url, "a file that changed while it was read", "one version", "run fetch again")
        if len(answer.content) != count or _first_byte(answer) != start:
            raise _Again(f"{len(answer.content)} of {count} bytes")
        return answer.content


def _persist(remote: Remote, act: Callable[[], T], tell: Tell) -> T:
    """``act`` until it succeeds, is refused, or patience ends."""
    patience = remote.patience
    for attempt in range(patience.attempts):
        try:
            return act()
        except _Again as trouble:
            found, asked_s = trouble.found, trouble.wait_s
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.TooManyRedirects) as error:
            raise BadInput(remote.url, str(error), "an http or https address", "check --mirror") from None
        except httpx.TransportError as error:
            found, asked_s = _describe(error), None
        if attempt + 1 < patience.attempts:
            wait_s = patience.wait_s(attempt, asked_s)
            tell(f"{remote.url}: {found}; asking again in {wait_s:.0f} s")
            patience.sleep(wait_s)
    raise BadInput(
        remote.url,
        f"{found}, {patience.attempts} times",
        "the whole file",
        "check the network; run fetch again later, and it resumes",
    )


def _describe(error: httpx.TransportError) -> str:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"no connection ({error})" if str(error) else "no connection"
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    return "a broken connection"


def _refuse(remote: Remote, answer: httpx.Response) -> None:
    """Raise what an answer other than the file's bytes means."""
    status = f"{answer.status_code} {answer.reason_phrase}".strip()
    if answer.status_code in _PASSING:
        asked = answer.headers.get("retry-after", "")
        raise _Again(status, float(asked) if asked.isdigit() else None)
    if answer.status_code in (401, 403):
        raise BadInput(remote.url, status, "leave to download", remote.login_remedy)
    if answer.status_code == 404:
        raise BadInput(remote.url, status, "the file", "the server may have moved it: see docs/fetching.md, --mirror")
    if not answer.is_success:
        raise BadInput(remote.url, status, "the file", "see docs/fetching.md")
    if answer.headers.get("content-type", "").startswith("text/html") and not remote.url.endswith(".html"):
        where = answer.url.host
        raise BadInput(remote.url, f"a web page of {where} instead of the file", "the file", remote.login_remedy)
