"""What may take the place of an archive that people read: never less, never older, never other values unsaid."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from catalog.archive import (
    CATALOG_JSON,
    COLLECTION_JSON,
    DATAPACKAGE_JSON,
    MANIFEST_JSON,
    PARTS,
    ListedFile,
    whole_manifest,
)
from catalog.publish.destinations import Destination
from catalog.versions import PublishedDataset, refuse_to_supersede, refuse_unversioned_change, stated_datasets
from pipeline.scratch_folders import scratch_folder
from schemas.errors import FailedCheck

_DATA = (".csv", ".geojson", ".parquet", ".tif", ".xlsx")
# a comparison of tables needs them whether they differ or not
_DESCRIPTIONS = (CATALOG_JSON, COLLECTION_JSON, DATAPACKAGE_JSON)


@dataclass(frozen=True)
class Listed:
    """An archive as its manifest lists it.

    Attributes
    ----------
    content : the manifest's bytes; empty where there is none.
    manifest : parsed.
    files : by path, the parts of the manifest among them; of an entry of another form nothing.
    """

    content: bytes
    manifest: Mapping[str, Any]
    files: Mapping[str, ListedFile]

    @classmethod
    def of(cls, content: bytes, read: Callable[[str], bytes | None]) -> Listed:
        """Of the manifest's bytes and what gives the content of its parts."""
        manifest = whole_manifest(lambda path: content if path == MANIFEST_JSON else read(path)) or {}
        entries = [entry for key in (PARTS, "files") for entry in _entries(manifest.get(key))]
        return cls(content if manifest else b"", manifest, {file.path: file for file in entries})


def _entries(listed: object) -> Iterator[ListedFile]:
    for entry in listed if isinstance(listed, list) else ():
        known = entry if isinstance(entry, dict) else {}
        path, size, sha256 = known.get("path"), known.get("size"), known.get("sha256")
        if isinstance(path, str) and isinstance(size, int) and isinstance(sha256, str):
            yield ListedFile(path, size, sha256)


def refuse_replacement(
    place: Callable[[str], Path], coming: Listed, target: Destination, there: Listed, kept: str
) -> None:
    """Refuse to publish what would lose or silently change what stands published.

    Parameters
    ----------
    place, coming : what is to be published: where each of its files lies, and as its manifest lists it.
    target, there : where it is to be published, and what stands there.
    kept : where else its files may stand, after a publication that was interrupted.

    Errors
    ------
    FailedCheck : a dataset would be lost, observations be replaced by a sample, a version go back, or values change
        under a version that does not say so.
    BadInput : a manifest that does not say which datasets of which versions it has.
    """
    old = stated_datasets(dict(there.manifest), target.name)
    new = stated_datasets(dict(coming.manifest), "the archive")
    refuse_to_supersede(old, new, target.name)
    compared = _to_compare(coming, there, old, new)
    if not compared:
        return
    with scratch_folder() as folder:
        before, after = folder / "published", folder / "new"
        for path in compared:
            if path in there.files:
                _fetch(target, there.files[path], before, kept)
            if path in coming.files:
                _copy(place(path), after / path)
        for root, content in ((before, there.content), (after, coming.content)):
            root.mkdir(exist_ok=True)
            (root / MANIFEST_JSON).write_bytes(content)
        refuse_unversioned_change(before, after, target.name)


def _to_compare(
    coming: Listed,
    there: Listed,
    old: Mapping[str, PublishedDataset],
    new: Mapping[str, PublishedDataset],
) -> list[str]:
    """Paths of the files that can show a change which the versions do not allow; none where they allow any."""
    paths: list[str] = []
    for name, before in old.items():
        after = new[name]
        if (before.synthetic and not after.synthetic) or after.version >= before.version.after("major"):
            continue
        below = [path for path in {*there.files, *coming.files} if path.startswith(f"{name}/")]
        # a raster whose pixels changed asks for a minor version
        values = after.version < before.version.after("minor")
        differing = [
            path
            for path in below
            if _tells(path, values=values, shared=path in there.files and path in coming.files)
            and there.files.get(path) != coming.files.get(path)
        ]
        if differing:
            paths += {*differing, *(path for path in below if path.count("/") == 1 and _describes(path))}
    return sorted({*paths, *(path for path in (CATALOG_JSON,) if path in coming.files)}) if paths else []


def _tells(path: str, *, values: bool, shared: bool) -> bool:
    """Whether a file can show a change: a raster that both archives have only in its values."""
    if path.endswith(".tif") and shared:
        return values
    return path.endswith(_DATA) or _describes(path)


def _describes(path: str) -> bool:
    return PurePosixPath(path).name in _DESCRIPTIONS


def _fetch(target: Destination, file: ListedFile, folder: Path, kept: str) -> None:
    """A file of the published archive as its manifest states it."""
    place = folder / file.path
    place.parent.mkdir(parents=True, exist_ok=True)
    for path in (file.path, f"{kept}/{file.path}"):
        if target.stands(ListedFile(path, file.size, file.sha256)) and target.fetch(path, place):
            return
    raise FailedCheck(
        f"{target.name}/{file.path}",
        "another file than the manifest published there lists",
        "the published file, to compare its values",
        "publish that version there again first, or raise the first number of the new version",
    )


def _copy(source: Path, place: Path) -> None:
    """A second name where the file system has such, else a copy: it is only read."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)
