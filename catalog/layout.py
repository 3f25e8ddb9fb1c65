"""Where everything stands in the archive; the only place that spells a file name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CATALOG_JSON = "catalog.json"
INDEX_HTML = "index.html"
MANIFEST_JSON = "manifest.json"
COLLECTION_JSON = "collection.json"
DATAPACKAGE_JSON = "datapackage.json"
README_MD = "README.md"
TABLES = "tables"
METADATA = "metadata"
ELEVATION_CHANGE_ITEM = "elevation-change"

METADATA_FILES = (
    "ncdc.json",
    "citation.txt",
    "CITATION.cff",
    "datacite.json",
    "datacite.xml",
    "iso19139.xml",
    "dataset.jsonld",
    "ro-crate-metadata.json",
)


def balance_item_id(year: int) -> str:
    """Item of one mass-balance year."""
    return f"balance-{year}"


@dataclass(frozen=True)
class CollectionFolder:
    """Paths of one collection below the archive's root."""

    root: Path
    collection_id: str

    @property
    def path(self) -> Path:
        return self.root / self.collection_id

    @property
    def tables(self) -> Path:
        return self.path / TABLES

    @property
    def metadata(self) -> Path:
        return self.path / METADATA

    def item(self, item_id: str) -> Path:
        return self.path / item_id

    def item_json(self, item_id: str) -> Path:
        return self.path / item_id / f"{item_id}.json"

    def table_csv(self, name: str) -> Path:
        return self.tables / f"{name}.csv"
