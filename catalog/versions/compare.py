"""What changed between two archives: by record, by pixel, by file; and the version number that this asks for."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from catalog.archive import (
    MANIFEST_JSON,
    VISUAL_TIF,
    Archive,
    FolderFiles,
    TableFile,
    all_tables,
    is_of_manifest,
    manifest_of,
)
from catalog.versions.file_difference import what_differs
from schemas.errors import BadInput

Kind = Literal["created", "changed", "removed"]
Step = Literal["major", "minor", "patch", "none"]

_SHOWN = 40
_MEANINGS = ("type", "unit", "description")
# coloured for the eye: its colours may change while no value does
_PICTURE = VISUAL_TIF


@dataclass(frozen=True, kw_only=True)
class ValueChange:
    """A cell of a record: text as published, the standard deviation beside it where the table has one."""

    column: str
    old: str
    new: str
    old_sigma: str = ""
    new_sigma: str = ""

    def __str__(self) -> str:
        old, new = (
            f"{value or 'nothing'}{f' +- {error}' if error else ''}"
            for value, error in ((self.old, self.old_sigma), (self.new, self.new_sigma))
        )
        return f"{self.column} {old} -> {new}"


@dataclass(frozen=True)
class RecordChange:
    """A record of a table, named by its key; ``values`` is empty unless it changed."""

    table: str
    key: dict[str, str]
    kind: Kind
    values: tuple[ValueChange, ...] = ()

    def __str__(self) -> str:
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        return f"{self.kind} {key}" + (f": {'; '.join(map(str, self.values))}" if self.values else "")


@dataclass(frozen=True)
class MeaningChange:
    """A table or column that came, went or changed its meaning (type, unit, description, key)."""

    table: str
    what: str


@dataclass(frozen=True, kw_only=True)
class RasterChange:
    """Pixels of a raster that differ, and by how much at most; ``note`` where the grids cannot be compared."""

    path: str
    changed_pixels: int
    pixels: int
    max_difference: float | None
    note: str = ""

    def __str__(self) -> str:
        if self.note:
            return f"{self.path}: {self.note}"
        most = "" if self.max_difference is None else f", by at most {self.max_difference:g}"
        return f"{self.path}: {self.changed_pixels} of {self.pixels} pixels differ{most}"


@dataclass(frozen=True)
class FileChange:
    """Any other file that came, went or changed; ``what`` tells the first differences of a changed one."""

    path: str
    kind: Kind
    what: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.path}" + (f": {self.what}" if self.what else "")


@dataclass(frozen=True)
class ArchiveDifference:
    """All that changed from ``old`` to ``new``."""

    meanings: tuple[MeaningChange, ...]
    records: tuple[RecordChange, ...]
    rasters: tuple[RasterChange, ...]
    files: tuple[FileChange, ...]

    @property
    def version_step(self) -> Step:
        """SemVer for data: records or meanings changed is major, values is minor, anything else a patch."""
        if self.meanings or any(record.kind != "changed" for record in self.records):
            return "major"
        if any(file.kind != "changed" and _is_data(file.path) for file in self.files):
            return "major"
        values = any(raster.changed_pixels and not _is_picture(raster.path) for raster in self.rasters)
        if self.records or values or any(_is_data(file.path) for file in self.files):
            return "minor"
        return "patch" if self.files or self.rasters else "none"

    def below(self, folder: str) -> ArchiveDifference:
        """What of it concerns the files below ``folder``."""
        start = f"{folder}/"
        return ArchiveDifference(
            tuple(change for change in self.meanings if change.table.startswith(start)),
            tuple(change for change in self.records if change.table.startswith(start)),
            tuple(change for change in self.rasters if change.path.startswith(start)),
            tuple(change for change in self.files if change.path.startswith(start)),
        )

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "identical": self.version_step == "none",
            "version_step": self.version_step,
            "meanings": [dict(change.__dict__) for change in self.meanings],
            "records": [
                {**change.__dict__, "values": [dict(value.__dict__) for value in change.values]}
                for change in self.records
            ],
            "rasters": [dict(change.__dict__) for change in self.rasters],
            "files": [dict(change.__dict__) for change in self.files],
        }

    def lines(self) -> list[str]:
        """For people: structure, then records by table, rasters, other files, and the version step."""
        if self.version_step == "none":
            return ["the two archives are identical"]
        lines = [f"{change.table}: {change.what}" for change in self.meanings]
        for table in dict.fromkeys(record.table for record in self.records):
            lines += _capped(table, [str(record) for record in self.records if record.table == table])
        lines += _capped("rasters", [str(change) for change in self.rasters])
        lines += _capped("other files", [str(change) for change in self.files])
        return [*lines, f"asks for a {self.version_step} version"]


def compare_archives(old: Path, new: Path) -> ArchiveDifference:
    """Compare two archives in folders.

    Errors
    ------
    BadInput : one of the two is no archive of ours.
    """
    before, after = _opened(old), _opened(new)
    try:
        return _compare(before, after)
    except (LookupError, ValueError, RasterioError) as error:
        damage = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(
            f"{old} and {new}",
            f"an archive that cannot be read ({damage})",
            "two whole archives",
            "validate them first",
        ) from None


def _compare(before: Archive, after: Archive) -> ArchiveDifference:
    tables = {table.file: table for table in all_tables(before)}, {table.file: table for table in all_tables(after)}
    shared = sorted(tables[0].keys() & tables[1].keys())
    changed = [path for path in sorted(before.path_set & after.path_set) if not _same_file(before, after, path)]
    meanings = (
        *(MeaningChange(name, "a table that came") for name in sorted(tables[1].keys() - tables[0].keys())),
        *(MeaningChange(name, "a table that went") for name in sorted(tables[0].keys() - tables[1].keys())),
        *(change for name in shared for change in _meanings(tables[0][name], tables[1][name])),
    )
    records = tuple(change for name in shared for change in _records(tables[0][name], tables[1][name]))
    told = {change.table for change in meanings} | {change.table for change in records}
    rasters = tuple(_raster_change(before, after, path) for path in changed if path.endswith(".tif"))
    return ArchiveDifference(meanings, records, rasters, tuple(_files(before, after, changed, told)))


def _opened(folder: Path) -> Archive:
    if not folder.is_dir() or manifest_of(folder) is None:
        odd = "a folder without a manifest.json of ours" if folder.is_dir() else "no such folder"
        raise BadInput(str(folder), odd, "an archive", "give the folder that holds catalog.json and manifest.json")
    return Archive(FolderFiles(folder))


def _same_file(before: Archive, after: Archive, path: str) -> bool:
    if before.files.size(path) != after.files.size(path):
        return False
    return before.files.sha256(path) == after.files.sha256(path)


def _files(before: Archive, after: Archive, changed: list[str], told: set[str]) -> Iterator[FileChange]:
    here, there = ({path for path in one.paths if not is_of_manifest(path)} for one in (before, after))
    yield from (FileChange(path, "created") for path in sorted(there - here))
    yield from (FileChange(path, "removed") for path in sorted(here - there))
    for path in changed:
        if not is_of_manifest(path) and not path.endswith(".tif") and not _is_told(path, told):
            yield FileChange(path, "changed", _what(before, after, path))
    # the manifest repeats every checksum; it is news only where nothing else changed
    if MANIFEST_JSON in changed and all(map(is_of_manifest, changed)):
        yield FileChange(MANIFEST_JSON, "changed", _what(before, after, MANIFEST_JSON))


def _what(before: Archive, after: Archive, path: str) -> str:
    return what_differs(path, before.files.read(path) or b"", after.files.read(path) or b"")


def _is_told(path: str, told: set[str]) -> bool:
    """Whether the records of a table, or of a copy of one, say already what changed in it."""
    if path.endswith((".csv", ".parquet")):
        return f"{path.rpartition('.')[0]}.csv" in told
    folder = path.rpartition("/")[0]
    return path.endswith(".xlsx") and any(table.rpartition("/")[0] == folder for table in told)


def _is_data(path: str) -> bool:
    return path.endswith((".tif", ".geojson")) and not _is_picture(path)


def _is_picture(path: str) -> bool:
    """Whether a raster shows values that another one holds."""
    return path.rpartition("/")[2] == _PICTURE


def _meanings(old: TableFile, new: TableFile) -> Iterator[MeaningChange]:
    before, after = ({field["name"]: field for field in table.fields} for table in (old, new))
    yield from (MeaningChange(new.file, f"column {name} came") for name in after if name not in before)
    yield from (MeaningChange(new.file, f"column {name} went") for name in before if name not in after)
    for name in (name for name in before if name in after):
        for key in _MEANINGS:
            if before[name].get(key) != after[name].get(key):
                what = f"{key} of {name} {before[name].get(key)!r} -> {after[name].get(key)!r}"
                yield MeaningChange(new.file, what)
    if old.schema["primaryKey"] != new.schema["primaryKey"]:
        yield MeaningChange(new.file, f"key {old.schema['primaryKey']} -> {new.schema['primaryKey']}")


def _records(old: TableFile, new: TableFile) -> Iterator[RecordChange]:
    if old.archive.files.sha256(old.file) == new.archive.files.sha256(new.file):
        return
    keys = [key for key in new.schema["primaryKey"] if key in old.schema["primaryKey"]]
    before, after = _by_key(old.frame(), keys), _by_key(new.frame(), keys)
    for key, record in after.items():
        named = dict(zip(keys, key, strict=True))
        if key not in before:
            yield RecordChange(new.file, named, "created")
        elif values := tuple(_values(before[key], record)):
            yield RecordChange(new.file, named, "changed", values)
    for key in before:
        if key not in after:
            yield RecordChange(new.file, dict(zip(keys, key, strict=True)), "removed")


def _by_key(frame: pd.DataFrame, keys: list[str]) -> dict[tuple[str, ...], dict[str, str]]:
    records = ({str(name): str(value) for name, value in row.items()} for row in frame.to_dict("records"))
    return {tuple(record[key] for key in keys): record for record in records}


def _values(old: dict[str, str], new: dict[str, str]) -> Iterator[ValueChange]:
    for column in (column for column in new if column in old):
        if old[column] != new[column]:
            # the error of annual_balance_m_we is called sigma_annual_m_we
            names = (f"sigma_{column}", f"sigma_{column.replace('_balance', '', 1)}")
            error = next((name for name in names if name in old and name in new), None)
            yield ValueChange(
                column=column,
                old=old[column],
                new=new[column],
                old_sigma=old[error] if error else "",
                new_sigma=new[error] if error else "",
            )


def _raster_change(before: Archive, after: Archive, path: str) -> RasterChange:
    names = [archive.files.dataset_name(path) for archive in (before, after)]
    # as GeoTIFF only: what is of another format may lead elsewhere
    with _raster(names[0]) as one, _raster(names[1]) as two:
        if (one.crs, one.transform, one.shape, one.count) != (two.crs, two.transform, two.shape, two.count):
            pixels = one.width * one.height
            return RasterChange(
                path=path,
                changed_pixels=pixels,
                pixels=pixels,
                max_difference=None,
                note="another grid or number of bands",
            )
        old, new = one.read(masked=True), two.read(masked=True)
    holes = np.ma.getmaskarray(old), np.ma.getmaskarray(new)
    both = ~holes[0] & ~holes[1]
    difference = np.abs(old.data.astype(np.float64) - new.data.astype(np.float64))
    differs = (holes[0] != holes[1]) | (both & (difference != 0))
    pixels = int(differs.any(axis=0).sum())
    note = "" if pixels else "the same pixels, written otherwise (tags, compression or nodata)"
    largest = float(difference[both].max()) if both.any() and pixels else None
    return RasterChange(
        path=path, changed_pixels=pixels, pixels=int(differs[0].size), max_difference=largest, note=note
    )


@contextmanager
def _raster(name: str) -> Iterator[Any]:
    with warnings.catch_warnings():
        # a raster that has lost its place differs in its transform, which is told
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        with rasterio.open(name, driver="GTiff") as source:
            yield source


def _capped(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    more = [f"  and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return [f"{title}: {len(lines)}", *(f"  {line}" for line in lines[:_SHOWN]), *more]
