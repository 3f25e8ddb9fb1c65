"""The manifest of an archive in a folder, with every file that it lists."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from catalog.archive.forms import WrongForm, formed
from catalog.archive.layout import MANIFEST_JSON
from catalog.archive.manifest import PARTS, ListedFile, whole_manifest
from schemas.errors import BadInput


@dataclass(frozen=True)
class StoredManifest:
    """A manifest's bytes, read once, and what it lists: its own parts first."""

    content: bytes
    files: tuple[ListedFile, ...]


def read_stored_manifest(archive: Path) -> StoredManifest:
    """The manifest of the archive in a folder; none of the files that it lists is looked at.

    Errors
    ------
    BadInput : no archive of ours, or a manifest that lacks what it must say.
    """
    path = archive / MANIFEST_JSON
    content = path.read_bytes() if path.is_file() else b""
    manifest = whole_manifest(lambda name: content if name == MANIFEST_JSON else read_if_there(archive / name))
    if manifest is None:
        missing = "no such folder" if not archive.is_dir() else "no manifest.json of ours"
        raise BadInput(str(archive), missing, "the root folder of an archive", "build one with the build command")
    try:
        entries = [*formed(MANIFEST_JSON, manifest).get(PARTS, ()), *manifest["files"]]
        files = tuple(ListedFile(file["path"], file["size"], file["sha256"]) for file in entries)
    except (KeyError, WrongForm):
        raise BadInput(
            str(path), "an entry without path, size or sha256", "a complete manifest", "build again"
        ) from None
    return StoredManifest(content, files)


def read_if_there(path: Path) -> bytes | None:
    """Content of a file, or None."""
    return path.read_bytes() if path.is_file() else None
