"""The data files of a collection as RO-Crate and schema.org list them: in one list, or many in several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.archive import CRATE_JSON, METADATA, TABLES
from catalog.metadata.facts import DataFile

# with paths of ordinary length a third of the megabyte that no document may exceed
FILES_IN_A_LIST = 1_000


@dataclass(frozen=True)
class FileList:
    """Some files of a large collection, described by a crate of their own below the metadata folder.

    Attributes
    ----------
    folder : of the crate, from the metadata folder, with a slash at its end.
    first : position of the first of them among all files of items, from 1.
    """

    folder: str
    first: int
    files: tuple[DataFile, ...]

    @property
    def document(self) -> str:
        """Path of the crate's document from the metadata folder."""
        return f"{self.folder}{CRATE_JSON}"


def is_large(files: Sequence[object]) -> bool:
    """Whether the files are too many for one document."""
    return len(files) > FILES_IN_A_LIST


def own_files(files: Sequence[DataFile]) -> tuple[DataFile, ...]:
    """Of a large collection the files that belong to no item; else all of them."""
    return tuple(file for file in files if not is_of_item(file[0])) if is_large(files) else tuple(files)


def file_lists(files: Sequence[DataFile]) -> tuple[FileList, ...]:
    """Of a large collection the files of its items, in the order of their paths; else nothing."""
    of_items = [file for file in files if is_of_item(file[0])] if is_large(files) else []
    starts = range(0, len(of_items), FILES_IN_A_LIST)
    return tuple(
        FileList(f"files-{number:04d}/", start + 1, tuple(of_items[start : start + FILES_IN_A_LIST]))
        for number, start in enumerate(starts, 1)
    )


def is_of_item(path: str) -> bool:
    """Whether a file, by its path from the collection's folder, stands in the folder of an item."""
    folder, slash, _ = path.partition("/")
    return bool(slash) and folder not in (TABLES, METADATA)


def size_of(files: Sequence[DataFile]) -> str:
    """Number and size (bytes) of files, as one text."""
    return f"{len(files)} files, {sum(size for _, size, _, _ in files)} bytes"
