"""Find the raw inputs that a definition names, and say which are missing."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.inputs.sidecars import RASTER_SUFFIXES, sidecars
from schemas.definition import Definition
from schemas.errors import BadInput

# geoid grids that inputs bring lie here, and are told to PROJ for the run alone
GEOIDS = "geoids"


@dataclass(frozen=True)
class Inputs:
    """The files of one definition: by source key, and the folder their names are relative to."""

    folder: Path
    files: dict[str, tuple[Path, ...]]

    def one(self, key: str) -> Path:
        """The only file of a source.

        Parameters
        ----------
        key : of the source in the definition.

        Errors
        ------
        BadInput : the source matches several files.
        """
        paths = self.files[key]
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise BadInput(f"{self.folder}: {key}", f"{len(paths)} files ({names})", "one file")
        return paths[0]

    @property
    def geoids(self) -> Path | None:
        """The folder of geoid grids that the inputs bring; None where there is none, and for a field workbook."""
        folder = self.folder / GEOIDS
        return folder if folder.is_dir() and "workbook" not in self.files else None

    def all_files(self) -> list[tuple[str, Path]]:
        """(source key, path) of every file, of what is read with it and of geoid grids, sorted.

        Errors
        ------
        BadInput : a VRT that joins files outside the folder, whose checksums nobody could compare.
        """
        keyed = set()
        if self.geoids is not None:
            keyed |= {(GEOIDS, grid) for grid in self.geoids.glob("*.tif")}
        for key, paths in self.files.items():
            for path in paths:
                beside = {*sidecars(path), *_named_by_gdal(path)} - {path}
                keyed |= {(key, path), *[(key, self._inside(other, path)) for other in sorted(beside)]}
        return sorted((key, path) for key, path in keyed if path.exists())

    def _inside(self, beside: Path, path: Path) -> Path:
        """A file that is read with another, by its path below the folder."""
        below = Path(os.path.relpath(beside, self.folder))
        if below.parts[0] == "..":
            raise BadInput(
                str(path), f"a VRT that joins {beside}", f"files below {self.folder}, whose checksums are recorded",
                "put them there and make the VRT anew with gdalbuildvrt",
            )  # fmt: skip
        return self.folder / below


def _named_by_gdal(path: Path) -> tuple[Path, ...]:
    """Files that GDAL says it reads with a raster, whatever they are called."""
    if path.suffix.lower() not in RASTER_SUFFIXES:
        return ()
    from pipeline.inputs.gdal_inputs import files_read  # loads rasterio, which a workbook has no use for

    return files_read(path)


def find_inputs(definition: Definition, folder: Path) -> Inputs:
    """The files below ``folder/<definition id>`` (or ``folder`` itself) that match each source of the definition.

    Optional sources without a file are left out.

    Parameters
    ----------
    definition : its sources name the files by pattern.
    folder : of raw inputs, for one dataset or for several.

    Errors
    ------
    BadInput : no such folder; a source that is not optional without a matching file.
    """
    if not folder.is_dir():
        raise BadInput(str(folder), "no such folder", "the folder of raw inputs")
    own = folder / definition.id
    root = own if own.is_dir() else folder
    matching = {source.key: _matching(root, source.files) for source in definition.sources}
    files = {key: paths for key, paths in matching.items() if paths}
    for source in definition.sources:
        if source.key not in files and not source.optional:
            raise BadInput(
                str(root),
                f"no file for the source '{source.key}'",
                " or ".join(source.files),
                f"put {source.title} there",
            )
    return Inputs(root, files)


def _matching(root: Path, patterns: Iterable[str]) -> tuple[Path, ...]:
    """Files whose name below ``root`` matches a pattern; ``*`` stays within one folder."""
    paths = set()
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_file() and any(
            fnmatch.fnmatchcase(name, pattern) and name.count("/") == pattern.count("/") for pattern in patterns
        ):
            paths.add(path)
    return tuple(sorted(paths))
