"""An archive as the checks see it: files behind a small reading interface, and the documents made of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.errors import RasterioError
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from catalog.archive.forms import WrongForm, misfit
from catalog.archive.layout import CATALOG_JSON, COLLECTION_JSON, MANIFEST_JSON, VERSIONS, chinese_twin
from catalog.archive.manifest import BASE_URL, sha256_of, whole_manifest
from schemas.inside import leads_inside

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

GEOTIFF = "image/tiff; application=geotiff"
PART = re.compile(r"items-\d{4,}\.json")  # a sub-catalogue of a large collection
_CHINESE = ".zh.json"
T = TypeVar("T")
# of a file that is read whole; rasters are not
MOST_BYTES = 500_000_000
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
    def kept(self) -> tuple[str, ...]: ...
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

    def kept(self) -> tuple[str, ...]:
        """Everything that is no folder among the earlier versions that are kept, sorted."""
        inside = (self.root / VERSIONS).rglob("*")
        return tuple(sorted(path.relative_to(self.root).as_posix() for path in inside if not path.is_dir()))

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


def _bounded(content: bytes) -> bytes:
    if len(content) > MOST_BYTES:
        raise ValueError(f"more than {MOST_BYTES} bytes")
    return content


@dataclass(frozen=True)
class File:
    """Any file of the archive."""

    archive: Archive
    file: str


@dataclass(frozen=True)
class Document:
    """A STAC catalogue, sub-catalogue, collection or item: its path and its parsed JSON, of whatever form."""

    archive: Archive
    file: str
    parsed: dict[str, Any]

    @property
    def content(self) -> dict[str, Any]:
        """What it says.

        Errors
        ------
        WrongForm : not as STAC documents are.
        """
        self.archive.require_form(self.file, self.parsed)
        return self.parsed

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
        links: list[dict[str, Any]] = self.content.get("links", [])
        return links

    @property
    def assets(self) -> dict[str, dict[str, Any]]:
        assets: dict[str, dict[str, Any]] = self.content.get("assets", {})
        return assets

    def target(self, href: str) -> str | None:
        """Path of an ``href`` from the root, relative or at the archive's address; None where it leads out of it."""
        return self.archive.target(self.folder, href)


@dataclass(frozen=True)
class OpenedRaster:
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

    def __init__(self, files: Files, schemas: Path | None = None, signed_by: Ed25519PublicKey | None = None) -> None:
        """Of ``files``; with ``signed_by`` a signature by that key is asked for."""
        self.files, self.schemas, self.signed_by = files, schemas, signed_by
        self._json: dict[str, Any] = {}
        self._parts: dict[bytes, Any] = {}
        self._misfits: dict[str, str] = {}
        # features are asked for by the checks of one item, and would fill the memory
        self._features = lru_cache(maxsize=8)(self._read_json)
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
    def parsed_manifest(self) -> dict[str, Any]:
        """The manifest, of whatever form, with the files of all its parts; empty where there is none of ours."""
        return whole_manifest(self.files.read) or _NO_MANIFEST

    @property
    def manifest(self) -> dict[str, Any]:
        """What the manifest says.

        Errors
        ------
        WrongForm : not as our manifests are.
        """
        self.require_form(MANIFEST_JSON, self.parsed_manifest)
        return self.parsed_manifest

    @cached_property
    def base(self) -> str:
        """Where the manifest says that the archive is served from; empty where it does not say."""
        return str(self.parsed_manifest.get(BASE_URL) or "")

    def target(self, folder: str, href: str) -> str | None:
        """Path of a reference that stands in ``folder``, from the root; None where it leads out of the archive."""
        own = f"{self.base}/"
        if self.base and isinstance(href, str) and href.startswith(own):
            return join("", href.removeprefix(own))
        return join(folder, href)

    def json(self, path: str) -> Any:
        """What a JSON document says.

        Errors
        ------
        LookupError : no such document, or no JSON.
        WrongForm : not as documents of its name are.
        """
        content = self.parsed(path)
        if content is None:
            raise LookupError(f"no JSON document {path}")
        self.require_form(path, content)
        return content

    def parsed(self, path: str) -> Any:
        """Parsed JSON, of whatever form, or None."""
        if path.endswith(".geojson"):
            return self._features(path)
        if path not in self._json:
            self._json[path] = self._shared(self._read_json(path))
        return self._json[path]

    def require_form(self, path: str, content: object) -> None:
        """Refuse a document that is not of the form that its path asks for; each is looked at once."""
        if path not in self._misfits:
            self._misfits[path] = misfit(path, content)
        if self._misfits[path]:
            raise WrongForm(f"{path}: {self._misfits[path]}")

    def has_form(self, document: Document) -> bool:
        """Whether what a document says can be read."""
        try:
            return bool(document.content)
        except WrongForm:
            return False

    def _shared(self, document: Any) -> Any:
        """The document, each part of it that another document has too being one object with that.

        Items repeat settings, software, providers and bands of each other: apart they take three times the memory.
        """
        whole = document if isinstance(document, dict) else {}
        inner = (whole.get(key) for key in ("properties", "assets"))
        for holder in (*(one for one in inner if isinstance(one, dict)), whole):
            for key, part in holder.items():
                if isinstance(part, dict | list):
                    holder[key] = self._parts.setdefault(_digest(part), part)
        return document

    def _read_json(self, path: str) -> Any:
        try:
            content = self.files.read(path) if path in self.path_set else None
            return None if content is None else json.loads(content)
        except (ValueError, RecursionError):
            return None

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
        parsed = ((name, self.parsed(name)) for name in names)
        return tuple(Document(self, name, content) for name, content in parsed if isinstance(content, dict))

    @cached_property
    def twins(self) -> tuple[Document, ...]:
        """The same documents in Chinese, as far as they are there."""
        parsed = ((chinese_twin(one.file), self.parsed(chinese_twin(one.file))) for one in self.documents)
        return tuple(Document(self, name, content) for name, content in parsed if isinstance(content, dict))

    @property
    def collections(self) -> tuple[Document, ...]:
        return tuple(document for document in self.documents if document.file.endswith(f"/{COLLECTION_JSON}"))

    def parts_of(self, collection: Document) -> tuple[Document, ...]:
        """Sub-catalogues that stand beside ``collection``."""
        beside = (one for one in self.documents if one.folder == collection.folder)
        return tuple(one for one in beside if PART.fullmatch(one.file.rpartition("/")[2]))

    @cached_property
    def items(self) -> tuple[Document, ...]:
        return tuple(document for document in self.documents if document.file.count("/") == 2)

    @cached_property
    def item_in(self) -> dict[str, Document]:
        """Each item by its folder."""
        return {item.folder: item for item in self.items}

    @cached_property
    def below_item(self) -> dict[str, list[str]]:
        """The files below each folder of a collection, by the path of that folder, sorted."""
        by_folder: dict[str, list[str]] = {}
        for path in self.paths:
            if path.count("/") >= 2:
                by_folder.setdefault("/".join(path.split("/", 2)[:2]), []).append(path)
        return by_folder

    def items_of(self, collection: Document) -> tuple[Document, ...]:
        """Items that stand in the folder of ``collection``."""
        return tuple(item for item in self.items if item.collection_id == collection.collection_id)


def geometry_of(stated: Any) -> BaseGeometry:
    """A geometry of GeoJSON.

    Errors
    ------
    ValueError, LookupError, ShapelyError : none of any kind that GeoJSON knows.
    """
    try:
        with np.errstate(invalid="ignore"):  # numbers that are none are found where the geometry is judged
            return shape(stated)
    except (AttributeError, TypeError) as error:  # shapely takes the coordinates apart without a look at them
        raise ValueError(f"no geometry ({error})") from None


def _digest(value: Any) -> bytes:
    """What two equal values of JSON have alike, and no others."""
    return sha256(json.dumps(value).encode()).digest()


def first(things: Iterable[T], what: str) -> T:
    """The first of some things; LookupError where there is none, which ``next`` would hide inside a generator."""
    for thing in things:
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


def rasters(archive: Archive) -> Iterator[OpenedRaster]:
    """GeoTIFF assets whose file is there; an absent file, or an item of another form, is for the checks of these."""
    for item in filter(archive.has_form, archive.items):
        for key, asset in item.assets.items():
            path = item.target(asset.get("href", ""))
            if str(asset.get("type", "")).startswith(GEOTIFF) and path in archive.path_set:
                yield OpenedRaster(item, key, asset, str(path))


def _is_stac_path(path: str) -> bool:
    if path == CATALOG_JSON:
        return True
    parts = path.split("/")
    if len(parts) == 2:
        return parts[1] == COLLECTION_JSON or bool(PART.fullmatch(parts[1]))
    return len(parts) == 3 and parts[2] == f"{parts[1]}.json"
