"""The tables of an archive as its checks read them: the CSV resources that a data package names, every cell as text."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from catalog.archive.forms import WrongForm
from catalog.archive.layout import DATAPACKAGE_JSON
from catalog.archive.opened import Archive, first

# of the tables of one archive that are kept for the next check to ask; longer ones are read again
_KEPT_CELLS = 2_000_000


@dataclass(frozen=True)
class TableFile:
    """A CSV resource of a collection's data package."""

    archive: Archive
    collection: str
    resource: dict[str, Any]

    @property
    def file(self) -> str:
        return f"{self.collection}/{self.resource.get('path')}"

    @property
    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = self.resource["schema"]
        return schema

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The columns as the data package describes them.

        Errors
        ------
        ValueError : two of one name.
        """
        fields: list[dict[str, Any]] = self.schema["fields"]
        if len({field["name"] for field in fields}) < len(fields):
            raise ValueError(f"two fields of one name in {self.resource.get('name')}")
        return fields

    def frame(self) -> pd.DataFrame:
        """All cells as text, empty where missing; one row a record."""
        return read_text_table(self.archive, self.file)

    def sibling(self, name: str) -> TableFile:
        """Another table of the same collection."""
        return first(
            (t for t in tables_of(self.archive, self.collection) if t.resource["name"] == name), f"table {name}"
        )


def read_text_table(archive: Archive, path: str) -> pd.DataFrame:
    """A CSV with every cell as text, empty where missing; a dozen checks ask for each, and it is read once.

    Errors
    ------
    ValueError : the file is absent, no UTF-8, or no table.
    """
    tables: dict[str, pd.DataFrame] = archive.notes.setdefault("tables", {})
    frame = tables.get(path)
    if frame is None:
        frame = _read_text_table(archive, path)
        if frame.size + sum(table.size for table in tables.values()) <= _KEPT_CELLS:
            tables[path] = frame
    return frame.copy(deep=False)


def _read_text_table(archive: Archive, path: str) -> pd.DataFrame:
    content = archive.files.read(path) if path in archive.path_set else None
    if content is None:
        raise ValueError(f"{path}: no such file")
    try:
        return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from None


def tables_of(archive: Archive, collection: str) -> Iterator[TableFile]:
    """The CSV resources that the collection's data package names; none where it is of another form."""
    try:
        package = archive.json(f"{collection}/{DATAPACKAGE_JSON}")
    except (LookupError, WrongForm):
        return  # for the check of data packages to say
    for resource in package.get("resources", ()):
        if resource.get("path", "").endswith(".csv"):
            yield TableFile(archive, collection, resource)


def of_several_pairs(archive: Archive, collection: str) -> bool:
    """Whether the items of a collection say that each is one of several pairs of DEMs."""
    members = (item for item in filter(archive.has_form, archive.items) if item.collection_id == collection)
    return any("glacier:pair" in item.content["properties"] for item in members)


def all_tables(archive: Archive) -> Iterator[TableFile]:
    for collection in archive.collections:
        yield from tables_of(archive, collection.collection_id)
