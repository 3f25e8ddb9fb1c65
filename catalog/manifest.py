"""The archive's manifest: every file with size and checksum, and what the archive was made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.layout import MANIFEST_JSON

if TYPE_CHECKING:
    from catalog.collection import Collection

ARCHIVE = "glacier-archive"
FORMAT = 1
# of a manifest that is read whole; a million files take 200 MB
MOST_BYTES = 500_000_000
_CHUNK = 1 << 20
# the libraries whose version can change a published byte
_LIBRARIES = ("geopandas", "matplotlib", "openpyxl", "pandas", "pyarrow", "rasterio", "rio-cogeo", "scipy", "shapely")


@dataclass(frozen=True)
class ListedFile:
    """A file of the archive: path relative to the root with forward slashes, size (bytes), sha256 (hex)."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class InputFile:
    """A raw input: the source it belongs to, its name below the inputs folder, size (bytes), sha256 (hex)."""

    source: str
    name: str
    size: int
    sha256: str


def sha256_of(path: Path) -> str:
    """sha256 of a file, hex, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def list_files(root: Path) -> tuple[ListedFile, ...]:
    """Every file below ``root`` but the manifest, sorted by path."""
    files = sorted((path.relative_to(root).as_posix(), path) for path in root.rglob("*") if path.is_file())
    return tuple(
        ListedFile(name, path.stat().st_size, sha256_of(path)) for name, path in files if name != MANIFEST_JSON
    )


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
    collections: Sequence[Collection], files: Iterable[ListedFile], code_version: str, base_url: str | None
) -> dict[str, Any]:
    """The manifest's content; the same collections, files and versions give the same content."""
    return {
        "archive": ARCHIVE,
        "format": FORMAT,
        "code_version": code_version,
        "base_url": base_url,
        "synthetic": any(collection.facts.synthetic for collection in collections),
        "tools": tool_versions(),
        "datasets": [_describe_dataset(collection) for collection in collections],
        "files": [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files],
    }


def write_manifest(root: Path, collections: Sequence[Collection], code_version: str, base_url: str | None) -> None:
    """Write ``manifest.json`` over everything that stands below ``root``."""
    content = describe_archive(collections, list_files(root), code_version, base_url)
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (root / MANIFEST_JSON).write_text(text, encoding="utf-8", newline="\n")


def manifest_of(folder: Path) -> dict[str, Any] | None:
    """The manifest of an archive of ours, or None where ``folder`` is not one."""
    path = folder / MANIFEST_JSON
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MOST_BYTES:
        return None
    return parse_manifest(path.read_bytes())


def parse_manifest(content: bytes) -> dict[str, Any] | None:
    """A manifest that says it is ours, or None."""
    try:
        manifest = json.loads(content)
    except (ValueError, RecursionError):  # ValueError covers wrong JSON and wrong UTF-8
        return None
    return manifest if isinstance(manifest, dict) and manifest.get("archive") == ARCHIVE else None


def listed_files(folder: Path) -> set[str]:
    """Paths that the manifest of ``folder`` lists; empty where it has none."""
    files = (manifest_of(folder) or {}).get("files")
    entries = files if isinstance(files, list) else []
    return {str(entry.get("path")) for entry in entries if isinstance(entry, dict)}


def _describe_dataset(collection: Collection) -> dict[str, Any]:
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
