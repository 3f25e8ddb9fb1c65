"""Which paths of a folder belong to the archive in it: those that its manifest lists, whatever else lies there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from catalog.archive import MANIFEST_JSON, VERSIONS, listed_files


@dataclass(frozen=True)
class _Listed:
    """Of a manifest as it was last seen."""

    seen: tuple[int, ...]
    files: frozenset[str]
    folders: frozenset[str]


class ListedPaths:
    """The files of an archive and of the versions kept in it, as their manifests list them; read anew when replaced."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._listed: dict[str, _Listed] = {}

    def is_file(self, path: str) -> bool:
        """Whether a file belongs to the archive.

        Parameters
        ----------
        path : relative to the root, with forward slashes, in one spelling.
        """
        below, rest = _version(path)
        return not _is_hidden(path) and rest in self._of(below).files

    def is_folder(self, path: str) -> bool:
        """Whether a folder, '' for the root, holds files that belong to the archive."""
        below, rest = _version(path)
        if _is_hidden(path) or not self._of(below).files:
            return False
        return rest in ("", ".") or rest in self._of(below).folders or (path == VERSIONS and not below)

    def _of(self, below: str) -> _Listed:
        """What the manifest in the root, or in the folder of a version, lists."""
        folder = self._root / below
        try:
            status = os.stat(folder / MANIFEST_JSON)
        except OSError:
            return _Listed((), frozenset(), frozenset())
        seen = (status.st_ino, status.st_mtime_ns, status.st_size)
        known = self._listed.get(below)
        if known is None or known.seen != seen:
            files = frozenset({*listed_files(folder), MANIFEST_JSON})
            folders = frozenset(parent.as_posix() for file in files for parent in PurePosixPath(file).parents)
            known = self._listed[below] = _Listed(seen, files, folders)
        return known


def _version(path: str) -> tuple[str, str]:
    """The folder of a kept version that a path lies in, or '', and the path below that."""
    parts = path.split("/")
    return ("/".join(parts[:2]), "/".join(parts[2:])) if parts[0] == VERSIONS and len(parts) > 1 else ("", path)


def _is_hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/") if part)
