"""The archive's manifest: every file with size and checksum, and what the archive was made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

from catalog.archive.layout import MANIFEST_JSON, MANIFEST_PARTS, VOUCHERS, is_of_manifest, manifest_part
from schemas.definition import Definition

ARCHIVE = "glacier-archive"
FORMAT = 1
# of a manifest that is read whole; a million files take 200 MB
MOST_BYTES = 500_000_000
# a manifest of more files lists them in parts, so that no document is larger than a megabyte
FILES_IN_A_PART = 2_000
PARTS = "parts"
_CHUNK = 1 << 20
SEAL = "manifest_sha256"
# where the archive is served from, and what is told of it as it was before it had that address
BASE_URL, ADDRESSED_FROM = "base_url", "addressed_from"
_UNSEALED = "0" * 64
# the libraries whose version can change a published byte
_LIBRARIES = ("geopandas", "matplotlib", "openpyxl", "pandas", "pyarrow", "rasterio", "rio-cogeo", "scipy", "shapely")


@dataclass(frozen=True)
class ListedFile:
    """A file of the archive: path relative to the root with forward slashes, size (bytes), sha256 (hex)."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, order=True)
class InputFile:
    """A raw input: the source it belongs to, its name below the inputs folder, size (bytes), sha256 (hex).

    They are listed in the order of their sources and names.
    """

    source: str
    name: str
    size: int
    sha256: str


class FactsOfRun(Protocol):
    """What a manifest states of the run behind a dataset."""

    @property
    def synthetic(self) -> bool: ...

    @property
    def inputs(self) -> tuple[InputFile, ...]: ...

    @property
    def settings(self) -> dict[str, Any]: ...


class StatedDataset(Protocol):
    """A dataset as a manifest states it: its definition, and the facts of the run."""

    @property
    def definition(self) -> Definition: ...

    @property
    def facts(self) -> FactsOfRun: ...


def sha256_of(path: Path) -> str:
    """sha256 of a file, hex, read in pieces."""
    digest = sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def list_files(root: Path) -> tuple[ListedFile, ...]:
    """Every file below ``root`` but the manifest, its parts and what vouches for it, sorted by path."""
    files = sorted((path.relative_to(root).as_posix(), path) for path in root.rglob("*") if path.is_file())
    return tuple(_measured(name, path) for name, path in files if not is_of_manifest(name))


def manifest_files(root: Path) -> tuple[ListedFile, ...]:
    """The manifest, its parts and what vouches for it, as far as they stand below ``root``, sorted by path."""
    places = sorted([root / MANIFEST_JSON, *(root / name for name in VOUCHERS), *root.glob(f"{MANIFEST_PARTS}/*.json")])
    named = ((path.relative_to(root).as_posix(), path) for path in places if path.is_file())
    return tuple(_measured(name, path) for name, path in named if is_of_manifest(name))


def _measured(name: str, path: Path) -> ListedFile:
    return ListedFile(name, path.stat().st_size, sha256_of(path))


def tool_versions() -> dict[str, str]:
    """Versions of the libraries whose results reach the archive, by name."""
    # checksums and listings need none of them: they are loaded only here
    import numpy
    import pyproj
    import rasterio
    import shapely

    libraries = {name: version(name) for name in _LIBRARIES}
    native = {
        "gdal": rasterio.__gdal_version__,
        "geos": ".".join(str(part) for part in shapely.geos_version),
        "numpy": numpy.__version__,
        "proj": pyproj.proj_version_str,
    }
    return dict(sorted({**libraries, **native}.items()))


def describe_archive(
    collections: Sequence[StatedDataset],
    files: Iterable[ListedFile],
    code_version: str,
    *,
    figures: bool = True,
) -> dict[str, Any]:
    """The manifest's content, all files in it; the same collections, files and versions give the same content.

    An archive without figures says so, for who builds it again. It has no address: that is written into it later.
    """
    return {
        "archive": ARCHIVE,
        "format": FORMAT,
        "code_version": code_version,
        BASE_URL: None,
        "synthetic": any(collection.facts.synthetic for collection in collections),
        **({} if figures else {"figures": False}),
        "tools": tool_versions(),
        "datasets": [_describe_dataset(collection) for collection in collections],
        "files": [_entry(file) for file in files],
    }


def write_manifest(
    root: Path, collections: Sequence[StatedDataset], code_version: str, *, figures: bool = True
) -> None:
    """Write ``manifest.json`` over everything that stands below ``root``, with its parts where these are many."""
    content = describe_archive(collections, list_files(root), code_version, figures=figures)
    for name, written in manifest_documents(content).items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written)


def manifest_documents(manifest: dict[str, Any]) -> dict[str, bytes]:
    """A manifest as it is written, by path: one file, or more than ``FILES_IN_A_PART`` files in parts.

    A part holds ``files`` as a small manifest does, one a line, in the order of their paths from part to part.
    ``manifest.json`` then names each part with size and sha256 under ``parts`` and has no ``files`` of its own; the
    sha256 that it states of itself covers the parts by theirs.
    """
    files = manifest["files"]
    if len(files) <= FILES_IN_A_PART:
        return {MANIFEST_JSON: sealed(manifest)}
    starts = range(0, len(files), FILES_IN_A_PART)
    parts = {
        manifest_part(number): _part_text(files[start : start + FILES_IN_A_PART])
        for number, start in enumerate(starts, 1)
    }
    listed = [_entry(ListedFile(name, len(text), sha256(text).hexdigest())) for name, text in parts.items()]
    above = {key: value for key, value in manifest.items() if key != "files"}
    return {**parts, MANIFEST_JSON: sealed({**above, PARTS: listed})}


def _entry(file: ListedFile) -> dict[str, Any]:
    return {"path": file.path, "size": file.size, "sha256": file.sha256}


def _part_text(files: Sequence[dict[str, Any]]) -> bytes:
    lines = ",\n".join(json.dumps(file, ensure_ascii=False, allow_nan=False) for file in files)
    return f'{{"files": [\n{lines}\n]}}\n'.encode()


def sealed(manifest: dict[str, Any]) -> bytes:
    """A manifest as it is written: with the sha256 of its own bytes, in which 64 zeros stand in that sha256's place.

    Whatever lists all checksums has none itself elsewhere, and one altered character of it must not go unseen.
    """
    # ahead of what could hold the same digits by chance
    content = {"archive": ARCHIVE, SEAL: _UNSEALED, **{key: manifest[key] for key in manifest if key != SEAL}}
    text = (json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()
    return text.replace(_UNSEALED.encode(), sha256(text).hexdigest().encode(), 1)


def broken_seal(content: bytes) -> tuple[str, str] | None:
    """The sha256 that a manifest states of itself and the one that it has; None where they are one."""
    stated = str((parse_manifest(content) or {}).get(SEAL, ""))
    unsealed = content.replace(stated.encode(), _UNSEALED.encode(), 1) if len(stated) == len(_UNSEALED) else content
    own = sha256(unsealed).hexdigest()
    return None if stated == own else (stated, own)


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """``manifest.json`` of an archive of ours, or None where ``folder`` is not one; its parts are not read."""
    return parse_manifest(_content(folder, MANIFEST_JSON) or b"")


def whole_manifest(read: Callable[[str], bytes | None]) -> dict[str, Any] | None:
    """The manifest of an archive of ours with the files of all its parts under ``files``, or None.

    A part that is missing or no part adds no file: what it lists is then in no list.

    Parameters
    ----------
    read : gives the content of a file of the archive by its path, or None.
    """
    manifest = parse_manifest(read(MANIFEST_JSON) or b"")
    if manifest is None or PARTS not in manifest:
        return manifest
    files = [entry for part in manifest_parts(manifest) for entry in _files_of(read(part))]
    return {**manifest, "files": files}


def manifest_parts(manifest: dict[str, Any]) -> tuple[str, ...]:
    """Paths of the parts that ``manifest.json`` names, in its order; what can be none of its parts is left out."""
    parts = manifest.get(PARTS)
    entries = parts if isinstance(parts, list) else []
    names = (str(entry.get("path")) for entry in entries if isinstance(entry, dict))
    return tuple(name for name in names if is_of_manifest(name) and name not in (MANIFEST_JSON, *VOUCHERS))


def _files_of(part: bytes | None) -> list[Any]:
    try:
        content = json.loads(part or b"")
    except (ValueError, RecursionError):
        return []
    files = content.get("files") if isinstance(content, dict) else None
    return files if isinstance(files, list) else []


def differs_from_published(published: Path, new: Path) -> bool:
    """Whether the archive at ``published``, if any, differs from ``new`` in any byte, as their manifests state."""
    manifests = [folder / MANIFEST_JSON for folder in (published, new)]
    return manifests[0].is_file() and manifests[0].read_bytes() != manifests[1].read_bytes()


def parse_manifest(content: bytes) -> dict[str, Any] | None:
    """A manifest that says it is ours, or None."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):  # ValueError covers wrong JSON and wrong UTF-8
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("archive") == ARCHIVE else None


def listed_files(folder: Path) -> set[str]:
    """Paths that the manifest of ``folder`` lists, its own parts included, and what vouches for it.

    Empty where it has none.
    """
    manifest = whole_manifest(lambda name: _content(folder, name))
    if manifest is None:
        return set()
    files = manifest.get("files")
    entries = files if isinstance(files, list) else []
    named = {str(entry.get("path")) for entry in entries if isinstance(entry, dict)}
    return {*named, *manifest_parts(manifest), *VOUCHERS}


def _content(folder: Path, name: str) -> bytes | None:
    """A plain file of the archive, or None; never what a link leads to, nor more than can be read whole."""
    path = folder / name
    if path.is_symlink() or path.parent.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return None
    return path.read_bytes()


def _describe_dataset(collection: StatedDataset) -> dict[str, Any]:
    definition, facts = collection.definition, collection.facts
    return {
        "id": definition.id,
        "version": definition.version,
        "kind": definition.kind,
        "synthetic": facts.synthetic,
        "inputs": [
            {"source": file.source, "name": file.name, "size": file.size, "sha256": file.sha256}
            for file in facts.inputs
        ],
        "settings": facts.settings,
        "definition": definition.model_dump(mode="json", exclude_defaults=True),
    }
