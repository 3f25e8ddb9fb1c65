"""Tables of a collection as CSV, Parquet and one workbook, described by a Data Package; all hold the same records."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from catalog.archive import DATAPACKAGE_JSON, TABLES, CollectionFolder, Dataset, sha256_of
from catalog.formats import (
    LONGEST_SHEET,
    About,
    PublishedTable,
    csv_bytes,
    published_table,
    results_workbook,
    write_csv_tables,
    write_parquet,
)
from catalog.metadata import Facts, package_facts
from catalog.tables.every_table import dataset_tables
from catalog.tables.places import places_of
from schemas.errors import BadInput
from schemas.fields import Table
from schemas.tables import published_schemas

__all__ = [
    "csv_bytes",
    "data_package",
    "published_table",
    "published_tables",
    "workbook_path",
    "write_tables",
]

_UNITS = {
    "elevation_change": "Changes are later minus earlier, in metres. Areas are in km2.",
    "mass_balance": "Balances are in metres of water equivalent, published at 0.01 m w.e. (10 kg m-2); areas in km2.",
}
_PROVENANCE = (
    "Computed from the input files listed below, with the settings listed below. The archive's manifest.json states"
    " size and sha256 of every file, and the version of the software."
)


def write_tables(dataset: Dataset, facts: Facts, folder: CollectionFolder) -> None:
    """Write every table of the dataset in each format, and ``datapackage.json``.

    Errors
    ------
    BadInput : a table lacks a column, has one too many, or a cell that does not fit its column.
    """
    folder.tables.mkdir(parents=True, exist_ok=True)
    published = published_tables(dataset)
    write_csv_tables(published, folder.tables)
    for table in published:
        write_parquet(folder.table_parquet(table.table.name), table, places_of(dataset, table))
    workbook_path(folder).write_bytes(results_workbook(_about(dataset, facts), published, LONGEST_SHEET))
    package = data_package(facts, folder, [table.table for table in published])
    text = json.dumps(package, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    (folder.path / DATAPACKAGE_JSON).write_text(text, encoding="utf-8", newline="\n")


def workbook_path(folder: CollectionFolder) -> Path:
    """Where the collection's workbook stands."""
    return folder.tables / f"{folder.collection_id}.xlsx"


def _about(dataset: Dataset, facts: Facts) -> About:
    """What the workbook's README sheet says of a dataset."""
    definition = dataset.definition
    licence = definition.licence if definition.licence != "other" else definition.licence_note
    return About(
        title=facts.title.en,
        subtitle=facts.title.cn,
        creator=definition.publisher,
        day=definition.publication_date,
        synthetic=dataset.synthetic,
        statements=(
            ("What this is", facts.abstract.en),
            ("内容", facts.abstract.cn),
            ("Units", _UNITS[definition.kind]),
            ("Citation", facts.citation.en),
            ("引用", facts.citation.cn),
            ("Version", f"{definition.version}, {definition.publication_date.isoformat()}"),
            ("Publisher", f"{definition.publisher}, {definition.publisher_url}"),
            ("Licence", licence),
            ("Period", f"{definition.period.start.isoformat()} to {definition.period.end.isoformat()}"),
            ("Projection", definition.crs),
            ("Provenance", _PROVENANCE),
        ),
        inputs=tuple((file.name, file.sha256, file.size, file.source) for file in dataset.inputs),
        settings=definition.processing.model_dump(mode="json"),
    )


def published_tables(dataset: Dataset) -> tuple[PublishedTable, ...]:
    """The dataset's tables, each cell checked and rounded as its column says."""
    schemas = published_schemas(several_pairs=bool(dataset.pairs))
    tables = dataset_tables(dataset)
    unknown = sorted(set(tables) - set(schemas))
    if unknown:
        raise BadInput("tables", ", ".join(unknown), f"tables among {', '.join(schemas)}")
    return tuple(published_table(schemas[name], frame) for name, frame in tables.items())


def data_package(facts: Facts, folder: CollectionFolder, tables: Iterable[Table]) -> dict[str, Any]:
    """The Data Package descriptor of the tables as they stand in ``folder``; paths are relative to it."""
    listed = list(tables)
    return {
        **package_facts(facts),
        "resources": resources_of(folder, listed),
    }


def resources_of(folder: CollectionFolder, tables: Sequence[Table]) -> list[dict[str, Any]]:
    """The resources of a data package: the tables as they stand in ``folder``, with keys to one another."""
    names = [table.name for table in tables]
    return [_resource(folder, table, names) for table in tables]


# --- the data package --------------------------------------------------------------------------------------------


def _resource(folder: CollectionFolder, table: Table, present: list[str]) -> dict[str, Any]:
    path = folder.table_csv(table.name)
    return {
        "name": table.name,
        "type": "table",
        "path": f"{TABLES}/{path.name}",
        "title": table.title,
        "description": table.meaning,
        "scheme": "file",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        # stated: where it is not, readers guess it from the cells, and a cell may mislead them
        "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\n"},
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "schema": table.table_schema(present),
    }
