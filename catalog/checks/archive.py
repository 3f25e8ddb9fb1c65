"""An archive as the checks see it: files behind a small reading interface, and the documents made of them."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Protocol, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import httpx
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError

from catalog.layout import CATALOG_JSON, COLLECTION_JSON, INDEX_HTML, MANIFEST_JSON, VERSIONS, chinese_twin
from catalog.manifest import parse_manifest, sha256_of
from schemas.errors import BadInput

GEOTIFF = "image/tiff; application=geotiff"
PART = re.compile(r"items-\d{4,}\.json")  # a sub-catalogue of a large collection
_CHINESE = ".zh.json"
T = TypeVar("T")
# of a file that is read whole; rasters are not
MOST_BYTES = 500_000_000
# a compressed answer would state another length than the file's
_IDENTITY = {"accept-encoding": "identity"}
# a store that does not list its files to everyone answers 403 for one that is not there
_ABSENT = (403, 404, 410)
_TROUBLE = (429, 500, 502, 503, 504)
_TRIALS = 3
_SERVER = "try again, or see to the server"
_NO_MANIFEST: dict[str, Any] = {}


class Files(Protocol):
    """Where the files of an archive are read from.

    ``deep`` tells whether whole rasters may be read; paths are relative to the root, with forward slashes.
    """

    name: str
    deep: bool
    local: bool

    def paths(self) -> tuple[str, ...]: ...
    def links(self) -> tuple[str, ...]: ...
    def size(self, path: str) -> int | None: ...
    def read(self, path: str) -> bytes | None: ...
    def sha256(self, path: str) -> str | None: ...
    def dataset_name(self, path: str) -> str: ...


class FolderFiles:
    """An archive in a folder; nothing outside of it is ever read, whatever a path or a link in it says."""

    local = True
    deep = True

    def __init__(self, root: Path) -> None:
        self.root, self.name = root, str(root)

    def paths(self) -> tuple[str, ...]:
        """Every file, sorted; neither links nor what is no plain file."""
        return tuple(sorted(name for name, path in self._entries() if not path.is_symlink() and path.is_file()))

    def links(self) -> tuple[str, ...]:
        """Everything that is neither a file nor a folder: links, pipes, devices; sorted."""
        odd = (name for name, path in self._entries() if path.is_symlink() or not (path.is_file() or path.is_dir()))
        return tuple(sorted(odd))

    def _entries(self) -> Iterator[tuple[str, Path]]:
        """Everything below the root but the earlier versions that are kept there: each is an archive of its own."""
        for path in self.root.rglob("*"):
            name = path.relative_to(self.root).as_posix()
            if name.partition("/")[0] != VERSIONS:
                yield name, path

    def size(self, path: str) -> int | None:
        place = self._place(path)
        return None if place is None else place.stat().st_size

    def read(self, path: str) -> bytes | None:
        """The whole file, or None.

        Errors
        ------
        ValueError : more than ``MOST_BYTES``.
        """
        place = self._place(path)
        if place is None:
            return None
        with place.open("rb") as file:
            return _bounded(file.read(MOST_BYTES + 1))

    def sha256(self, path: str) -> str | None:
        place = self._place(path)
        return None if place is None else sha256_of(place)

    def dataset_name(self, path: str) -> str:
        """What rasterio opens."""
        return str(self.root / path)

    def _place(self, path: str) -> Path | None:
        """The plain file that a path names without a link on the way; else None."""
        if not leads_inside(path):
            return None
        place = self.root
        for part in path.split("/"):
            place = place / part
            if place.is_symlink():
                return None
        return place if place.is_file() else None


def leads_inside(path: str) -> bool:
    """Whether a path, relative to the root, stays below it."""
    parts = path.split("/")
    return bool(path) and not set(parts) & {"", ".", ".."} and not set("\\\0") & set(path) and len(path) < 1000


def _bounded(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return content


class WebFiles:
    """An archive behind http(s); rasters are read by ranges and whole only where ``deep``."""

    local = False

    def __init__(self, url: str, client: httpx.Client, *, deep: bool = False, pause_s: float = 1.0) -> None:
        """``pause_s`` is waited before a server in trouble is asked again, and twice as long the next time.

        Errors
        ------
        BadInput : a URL with a query or without a host.
        """
        self.name = root_of(url)
        self.deep = deep
        self._client, self._pause_s = client, pause_s
        self._contents: dict[str, bytes | None] = {}
        self._sizes: dict[str, int | None] = {}

    def paths(self) -> tuple[str, ...]:
        """What the manifest lists: a web server tells of no other file."""
        manifest = parse_manifest(self.read(MANIFEST_JSON) or b"") or {}
        entries = manifest.get("files")
        listed = {str(entry.get("path")) for entry in entries if isinstance(entry, dict)} if entries else set()
        return tuple(sorted({MANIFEST_JSON, *filter(leads_inside, listed)}))

    def links(self) -> tuple[str, ...]:
        return ()

    def size(self, path: str) -> int | None:
        if self._contents.get(path) is not None:
            return len(self._contents[path] or b"")
        if path not in self._sizes:
            self._sizes[path] = self._size(path) if leads_inside(path) else None
        return self._sizes[path]

    def _size(self, path: str) -> int | None:
        """As the server states it, to HEAD or, where it does not know that, to a request for the first byte."""
        answers = (("HEAD", _IDENTITY), ("GET", {**_IDENTITY, "range": "bytes=0-0"}))
        for method, headers in answers:
            with self._answer(method, path, headers) as answer:
                if answer.status_code in _ABSENT:
                    return None
                total = answer.headers.get("content-range", "").rpartition("/")[2]
                length = total if answer.status_code == 206 else answer.headers.get("content-length", "")
            if answer.is_success and re.fullmatch("[0-9]{1,18}", length):
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
        """The whole file, read piece by piece: a server may send without end."""
        content = bytearray()
        with self._answer("GET", path, _IDENTITY) as answer:
            if answer.status_code in _ABSENT:
                return None
            if not answer.is_success:
                raise self._refused(path, answer)
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

    @contextmanager
    def _answer(self, method: str, path: str, headers: dict[str, str]) -> Iterator[httpx.Response]:
        """The answer to one request; a server in trouble is asked again a few times."""
        for trial in range(_TRIALS):
            try:
                with self._client.stream(method, self._url(path), headers=headers) as answer:
                    if answer.status_code not in _TROUBLE:
                        yield answer
                        return
                    refusal = self._refused(path, answer)
            except httpx.HTTPError as error:
                raise self._unanswered(path, error) from None
            if trial + 1 == _TRIALS:
                raise refusal
            time.sleep(self._pause_s * 2**trial)

    def _refused(self, path: str, answer: httpx.Response) -> BadInput:
        found = f"answer {answer.status_code} {answer.reason_phrase}".rstrip()
        return BadInput(self._url(path), found, "the file, or 404 where there is none", _SERVER)

    def _unanswered(self, path: str, error: httpx.HTTPError) -> BadInput:
        kind = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or type(error).__name__
        return BadInput(self._url(path), kind, "an answer from the server", _SERVER)


def root_of(url: str) -> str:
    """URL of an archive's root, without a slash at its end, from that of the root or of its first documents.

    Errors
    ------
    BadInput : a query, which could not be kept from file to file, or no host.
    """
    parts = urlsplit(url)
    if parts.query or not parts.hostname:
        found = "a query" if parts.query else "no host"
        raise BadInput(url, found, "the URL of an archive's root or catalog.json", "leave out what follows '?'")
    path = parts.path
    for name in (CATALOG_JSON, INDEX_HTML, MANIFEST_JSON):
        path = path.removesuffix(f"/{name}")
    return urlunsplit((parts.scheme, parts.netloc, path.rstrip("/"), "", ""))


@dataclass(frozen=True)
class File:
    """Any file of the archive."""

    archive: Archive
    file: str


@dataclass(frozen=True)
class Document:
    """A STAC catalogue, sub-catalogue, collection or item: its path and its parsed JSON."""

    archive: Archive
    file: str
    content: dict[str, Any]

    @property
    def folder(self) -> str:
        """Folder of the document, relative to the root; empty at the root."""
        return self.file.rpartition("/")[0]

    @property
    def collection_id(self) -> str:
        """Name of the collection's folder; empty for the catalogue."""
        return self.folder.partition("/")[0]

    @property
    def english(self) -> str:
        """Path of the English document, which for an English one is its own."""
        return f"{self.file.removesuffix(_CHINESE)}.json" if self.file.endswith(_CHINESE) else self.file

    @property
    def twin(self) -> str:
        """Path of the same document in the other language."""
        return self.english if self.file.endswith(_CHINESE) else chinese_twin(self.file)

    @property
    def kind(self) -> str:
        """ "Catalog", "Collection" or "Feature"."""
        return str(self.content.get("type"))

    @property
    def links(self) -> list[dict[str, Any]]:
        return [link for link in self.content.get("links") or [] if isinstance(link, dict)]

    @property
    def assets(self) -> dict[str, dict[str, Any]]:
        assets = self.content.get("assets") or {}
        return (
            {key: asset for key, asset in assets.items() if isinstance(asset, dict)} if isinstance(assets, dict) else {}
        )

    def target(self, href: str) -> str | None:
        """Path of a relative ``href`` from the root; None where it leads out of the archive."""
        return join(self.folder, href)


@dataclass(frozen=True)
class Raster:
    """A GeoTIFF asset of an item."""

    item: Document
    key: str
    asset: dict[str, Any]
    file: str

    @property
    def archive(self) -> Archive:
        return self.item.archive

    @property
    def dataset_name(self) -> str:
        return self.archive.files.dataset_name(self.file)


class Archive:
    """The documents of an archive; a file that is absent or no JSON yields no document."""

    def __init__(self, files: Files, schemas: Path | None = None) -> None:
        self.files, self.schemas = files, schemas
        self._json: dict[str, Any] = {}
        self.notes: dict[str, Any] = {}  # what a check reads once and another asks for again
        # a handful: enough for the checks that look at one item, without holding every raster at once
        self.band = lru_cache(maxsize=6)(self._read_band)

    @cached_property
    def paths(self) -> tuple[str, ...]:
        return self.files.paths()

    @cached_property
    def path_set(self) -> frozenset[str]:
        return frozenset(self.paths)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest; empty where there is none of ours."""
        return parse_manifest(self.files.read(MANIFEST_JSON) or b"") or _NO_MANIFEST

    def json(self, path: str) -> Any:
        """Parsed JSON, or None."""
        if path not in self._json:
            try:
                content = self.files.read(path) if path in self.path_set else None
                self._json[path] = None if content is None else json.loads(content)
            except (ValueError, RecursionError):
                self._json[path] = None
        return self._json[path]

    def _read_band(self, path: str, index: int) -> NDArray[Any]:
        """One band of a raster as it stands on disk, shape (rows, columns)."""
        try:
            with rasterio.open(self.files.dataset_name(path), driver="GTiff") as source:
                if source.width * source.height > MOST_BYTES:
                    raise ValueError(f"{source.height} x {source.width} pixels")
                band: NDArray[Any] = source.read(index)
        except RasterioError:
            raise ValueError("a raster that cannot be read") from None
        return band

    def text(self, path: str) -> str | None:
        """Text in UTF-8, or None."""
        content = self.files.read(path) if path in self.path_set else None
        try:
            return None if content is None else content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """All documents in English, found by where they stand and not by links, which may be broken."""
        names = [path for path in self.paths if _is_stac_path(path)]
        parsed = ((name, self.json(name)) for name in names)
        return tuple(Document(self, name, content) for name, content in parsed if isinstance(content, dict))

    @cached_property
    def twins(self) -> tuple[Document, ...]:
        """The same documents in Chinese, as far as they are there."""
        parsed = ((chinese_twin(one.file), self.json(chinese_twin(one.file))) for one in self.documents)
        return tuple(Document(self, name, content) for name, content in parsed if isinstance(content, dict))

    @property
    def collections(self) -> tuple[Document, ...]:
        return tuple(document for document in self.documents if document.file.endswith(f"/{COLLECTION_JSON}"))

    def parts_of(self, collection: Document) -> tuple[Document, ...]:
        """Sub-catalogues that stand beside ``collection``."""
        beside = (one for one in self.documents if one.folder == collection.folder)
        return tuple(one for one in beside if PART.fullmatch(one.file.rpartition("/")[2]))

    @property
    def items(self) -> tuple[Document, ...]:
        return tuple(document for document in self.documents if document.file.count("/") == 2)

    def items_of(self, collection: Document) -> tuple[Document, ...]:
        """Items that stand in the folder of ``collection``."""
        return tuple(item for item in self.items if item.collection_id == collection.collection_id)


def first(found: Iterable[T], what: str) -> T:
    """The first of some things; LookupError where there is none, which ``next`` would hide inside a generator."""
    for thing in found:
        return thing
    raise LookupError(f"no {what}")


def join(folder: str, href: str) -> str | None:
    """Path of ``href``, relative to ``folder``, from the root; None where it leads out of the archive."""
    if not isinstance(href, str) or "://" in href or href.startswith("/") or "\\" in href:
        return None
    parts = folder.split("/") if folder else []
    for part in href.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)


def whole(archive: Archive) -> Iterator[File]:
    """The archive as one subject."""
    yield File(archive, ".")


def every_file(archive: Archive) -> Iterator[File]:
    for path in archive.paths:
        yield File(archive, path)


def files_ending(*suffixes: str) -> Any:
    """Subjects: the files with one of these suffixes."""

    def chosen(archive: Archive) -> Iterator[File]:
        return (file for file in every_file(archive) if file.file.endswith(suffixes))

    return chosen


def documents(archive: Archive) -> tuple[Document, ...]:
    return archive.documents


def collections(archive: Archive) -> tuple[Document, ...]:
    return archive.collections


def every_language(archive: Archive) -> tuple[Document, ...]:
    return (*archive.documents, *archive.twins)


def items(archive: Archive) -> tuple[Document, ...]:
    return archive.items


def rasters(archive: Archive) -> Iterator[Raster]:
    """GeoTIFF assets whose file is there; an absent file is for the check of assets."""
    for item in archive.items:
        for key, asset in item.assets.items():
            path = item.target(asset.get("href", ""))
            if str(asset.get("type", "")).startswith(GEOTIFF) and path in archive.path_set:
                yield Raster(item, key, asset, str(path))


def _is_stac_path(path: str) -> bool:
    if path == CATALOG_JSON:
        return True
    parts = path.split("/")
    if len(parts) == 2:
        return parts[1] == COLLECTION_JSON or bool(PART.fullmatch(parts[1]))
    return len(parts) == 3 and parts[2] == f"{parts[1]}.json"
