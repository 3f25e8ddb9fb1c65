"""An archive behind http(s), read as the checks read a folder."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import httpx

from catalog.archive.layout import CATALOG_JSON, INDEX_HTML, MANIFEST_JSON
from catalog.archive.manifest import manifest_parts, whole_manifest
from catalog.archive.opened import MOST_BYTES
from pipeline.patience import PASSING, Again, OutOfPatience, Patience, asked_wait_s
from schemas.errors import BadInput
from schemas.inside import leads_inside

# a compressed answer would state another length than the file's
_IDENTITY = {"accept-encoding": "identity"}
# a store that does not list its files to everyone answers 403 for one that is not there
_ABSENT = (403, 404, 410)
PATIENCE = Patience(attempts=3, longest_asked_s=30.0)
T = TypeVar("T")
_SERVER = "try again, or see to the server"


class WebFiles:
    """An archive behind http(s); rasters are read by ranges and whole only where ``deep``."""

    local = False

    def __init__(self, url: str, client: httpx.Client, *, deep: bool = False, patience: Patience = PATIENCE) -> None:
        """Over ``client``; whole rasters are read only where ``deep``.

        Errors
        ------
        BadInput : a URL with a query or without a host.
        """
        self.name = root_of(url)
        self.deep = deep
        self._client, self._patience = client, patience
        self._contents: dict[str, bytes | None] = {}
        self._sizes: dict[str, int | None] = {}

    def paths(self) -> tuple[str, ...]:
        """What the manifest lists: a web server tells of no other file."""
        manifest = whole_manifest(self.read) or {}
        entries = manifest.get("files")
        listed = {str(entry.get("path")) for entry in entries if isinstance(entry, dict)} if entries else set()
        return tuple(sorted({MANIFEST_JSON, *manifest_parts(manifest), *filter(leads_inside, listed)}))

    def links(self) -> tuple[str, ...]:
        return ()

    def kept(self) -> tuple[str, ...]:
        """Nothing: a server does not tell which earlier versions it keeps."""
        return ()

    def size(self, path: str) -> int | None:
        if self._contents.get(path) is not None:
            return len(self._contents[path] or b"")
        if path not in self._sizes:
            self._sizes[path] = self._size(path) if leads_inside(path) else None
        return self._sizes[path]

    def _size(self, path: str) -> int | None:
        """As the server states it, to HEAD or, where it does not know that, to a request for the first byte."""
        for method, headers in (("HEAD", _IDENTITY), ("GET", {**_IDENTITY, "range": "bytes=0-0"})):
            length = self._ask(method, path, headers, _stated_length)
            if length is None:
                return None
            if re.fullmatch("[0-9]{1,18}", length):
                return int(length)
        raise BadInput(self._url(path), "an answer without the file's length", "a server that states it", _SERVER)

    def read(self, path: str) -> bytes | None:
        """The whole file, or None where the server has none.

        Errors
        ------
        BadInput : the server gives no answer, or none that tells whether the file is there.
        ValueError : more than ``MOST_BYTES``.
        """
        if path not in self._contents:
            self._contents[path] = self._get(path) if leads_inside(path) else None
        return self._contents[path]

    def _get(self, path: str) -> bytes | None:
        return self._ask("GET", path, _IDENTITY, lambda answer: self._content(path, answer))

    def _content(self, path: str, answer: httpx.Response) -> bytes | None:
        """The whole file, read piece by piece: a server may send without end."""
        if answer.status_code in _ABSENT:
            return None
        if not answer.is_success:
            raise self._refused(path, _status(answer))
        content = bytearray()
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
        return bytes(content)

    def sha256(self, path: str) -> str | None:
        content = self.read(path)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def dataset_name(self, path: str) -> str:
        return f"/vsicurl/{self._url(path)}"

    def _url(self, path: str) -> str:
        return f"{self.name}/{quote(path)}"

    def _ask(self, method: str, path: str, headers: dict[str, str], read: Callable[[httpx.Response], T]) -> T:
        """What ``read`` makes of the answer to one request; a server in trouble is asked again a few times."""

        def once() -> T:
            with self._client.stream(method, self._url(path), headers=headers) as answer:
                if answer.status_code in PASSING:
                    raise Again(_status(answer), asked_wait_s(answer.headers.get("retry-after", "")))
                return read(answer)

        try:
            return self._patience.until_done(once)
        except httpx.HTTPError as error:
            raise self._unanswered(path, error) from None
        except OutOfPatience as end:
            raise self._refused(path, end.found) from None

    def _refused(self, path: str, status: str) -> BadInput:
        return BadInput(self._url(path), f"answer {status}", "the file, or 404 where there is none", _SERVER)

    def _unanswered(self, path: str, error: httpx.HTTPError) -> BadInput:
        kind = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
        return BadInput(self._url(path), kind, "an answer from the server", _SERVER)


def _status(answer: httpx.Response) -> str:
    return f"{answer.status_code} {answer.reason_phrase}".rstrip()


def _stated_length(answer: httpx.Response) -> str | None:
    """The length of the file in an answer's words, empty where it does not say; None where there is no such file."""
    if answer.status_code in _ABSENT:
        return None
    total = str(answer.headers.get("content-range", "")).rpartition("/")[2]
    length = total if answer.status_code == 206 else str(answer.headers.get("content-length", ""))
    return length if answer.is_success else ""


def root_of(url: str) -> str:
    """URL of an archive's root, without a slash at its end, from that of the root or of its first documents.

    Errors
    ------
    BadInput : a query, which could not be kept from file to file, or no host.
    """
    parts = urlsplit(url)
    if parts.query or not parts.hostname:
        odd = "a query" if parts.query else "no host"
        raise BadInput(url, odd, "the URL of an archive's root or catalog.json", "leave out what follows '?'")
    path = parts.path
    for name in (CATALOG_JSON, INDEX_HTML, MANIFEST_JSON):
        path = path.removesuffix(f"/{name}")
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))
