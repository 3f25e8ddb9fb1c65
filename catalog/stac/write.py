"""The order in which the catalogue is written: what is checksummed stands before the document that states it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pystac import Catalog, Collection

from catalog.archive import Dataset, Item, tool_versions
from catalog.metadata import Facts
from catalog.stac.catalogs import Child, catalog_documents, part_documents, part_title
from catalog.stac.collection import collection_documents
from catalog.stac.documents import DocumentPlace, base_of, write_document, write_json
from catalog.stac.item import item_documents
from catalog.stac.item_lists import write_item_lists
from catalog.stac.source import DescribedDataset
from catalog.stac.summary import Summary
from schemas.definition import Bilingual
from schemas.glacier_extension import SCHEMA_PATH, json_schema


def write_collection_stac(
    root: Path, dataset: Dataset, facts: Facts, items: Sequence[Item], base_url: str | None, code_version: str = ""
) -> None:
    """Write the documents of one collection, its items and its sub-catalogues, in both languages.

    Links are relative, so that the archive can be moved. The ``glacier:`` fields are described by a schema inside the
    archive (link ``describedby``); it is also declared in ``stac_extensions`` where ``base_url`` makes it resolvable,
    for an extension is declared by an absolute address. One document is held at a time.

    Parameters
    ----------
    root : the archive; the products, tables and metadata of the collection stand in it already.
    facts : of the dataset.
    items : that were written for it.
    base_url : where the archive will be served from; adds absolute ``self`` and ``canonical`` links.
    code_version : version of this software, for the items' ``processing:software``.

    Errors
    ------
    BadInput : a base URL that is not http(s).
    """
    software = {**({"glacier-archive": code_version} if code_version else {}), **tool_versions()}
    source = DescribedDataset(
        dataset=dataset, facts=facts, items=tuple(items), root=root, base=base_of(base_url), software=software
    )
    summary = Summary()
    _write_items(source, summary)
    _write_all(root, collection_documents(source, summary))


def write_catalog(root: Path, children: Sequence[Child], base_url: str | None) -> None:
    """Write what stands above the collections: ``catalog.json``, the lists of all items and our schema."""
    base = base_of(base_url)
    paths = [f"{child.collection_id}/{name}/{name}.json" for child in children for name in child.items]
    listed = write_item_lists(root, paths)
    _write_all(root, catalog_documents(children, base, listed=listed))
    write_json(root / SCHEMA_PATH, json_schema(f"{base}/{SCHEMA_PATH}" if base else None))


def _write_items(source: DescribedDataset, summary: Summary) -> None:
    """Write the items and the sub-catalogues that name them."""
    collection = (source.collection_path, source.facts.title)
    if not source.parts:
        for item in source.items:
            _write_item(source, item, summary, collection)
    for part in source.parts:
        _write_all(source.root, part_documents(source, part))
        parent = (source.part_path(part.part_id), part_title(source, part))
        for item in part.items:
            _write_item(source, item, summary, parent)


def _write_item(source: DescribedDataset, item: Item, summary: Summary, parent: tuple[str, Bilingual]) -> None:
    documents = item_documents(source, item, parent)
    # nobody reads thousands of documents by eye
    for place, made in documents:
        write_document(source.root, place, made, indented=not source.is_large)
    summary.add({place.language.code: made for place, made in documents})


def _write_all(root: Path, documents: Sequence[tuple[DocumentPlace, Catalog | Collection]]) -> None:
    for place, made in documents:
        write_document(root, place, made)
