"""The archive as a whole: every collection and what stands above them, written into a folder and proved."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.archive import (
    CollectionFolder,
    Dataset,
    differs_from_published,
    list_files,
    media_type_of,
    write_manifest,
    write_statement,
)
from catalog.build.cache import Cache, cache_dropped, keep_if_possible
from catalog.build.collection import Collection, facts_from_json, facts_of, facts_to_json
from catalog.build.order import Order
from catalog.build.report import BuildReport, FailedBuild
from catalog.checks import ValidationReport, validate
from catalog.items import write_elevation_change, write_mass_balance
from catalog.metadata import describe, write_changelog, write_metadata
from catalog.pages import write_collection_pages, write_front_page, write_readme
from catalog.stac import Child, write_catalog, write_collection_stac
from catalog.tables import write_tables
from catalog.versions import refuse_unversioned_change
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from schemas.definition import Definition

# by the kind that a definition states
_ITEM_WRITERS = {"elevation_change": write_elevation_change, "mass_balance": write_mass_balance}


@dataclass(frozen=True)
class Assembly:
    """A whole archive below a folder, neither proved nor published yet.

    Attributes
    ----------
    collections : in the order of the definitions.
    reused : ids of those that were taken from the cache.
    foreign : ids of those among them that another user or machine kept there.
    """

    collections: tuple[Collection, ...]
    reused: tuple[str, ...]
    foreign: tuple[str, ...] = ()


def assemble(
    order: Order,
    root: Path,
    resources: Resources,
    keys: Sequence[str] = (),
    cache: Cache | None = None,
    tell: Tell = silent,
) -> Assembly:
    """Write the whole archive that is asked for below ``root``: its collections, and what stands above them.

    Building and verifying differ only in what they do with it.

    Parameters
    ----------
    keys : for each definition the digest of all that its collection depends on; needed with a cache only.

    Errors
    ------
    BadInput : a bad or missing input.
    """
    assembly = _write_collections(order, root, resources, keys, cache, tell)
    write_archive_documents(root, assembly.collections, order.code_version, figures=order.figures)
    return assembly


def write_collection(
    dataset: Dataset, root: Path, code_version: str, tell: Tell = silent, *, figures: bool = True
) -> Collection:
    """Write everything below one collection's folder: products, tables, README, metadata, STAC documents, pages.

    Without ``figures`` no maps, diagrams and thumbnails are drawn.
    """
    folder = CollectionFolder(root, dataset.definition.id)
    folder.path.mkdir()
    tell(f"writing {dataset.definition.title.en}")
    facts = describe(dataset)
    items = _ITEM_WRITERS[dataset.definition.kind](dataset, facts, folder, tell, figures=figures)
    write_tables(dataset, facts, folder)
    data = [(file.path, file.size, file.sha256, media_type_of(file.path)) for file in list_files(folder.path)]
    write_metadata(facts.with_files(data), folder.metadata)
    write_readme(dataset, facts, items, folder)
    write_changelog(dataset.definition, dataset.synthetic, folder)
    tell(f"writing the catalogue and pages of {dataset.definition.title.en}")
    write_collection_stac(root, dataset, facts, items, None, code_version)
    card = write_collection_pages(root, dataset, facts, items)
    return Collection(dataset.definition, facts_of(dataset, facts, items, card))


def _write_collections(
    order: Order, root: Path, resources: Resources, keys: Sequence[str], cache: Cache | None, tell: Tell
) -> Assembly:
    """Every collection in the order of the definitions, taken from the cache or computed."""
    keyed = {definition.id: key for definition, key in zip(order.definitions, keys, strict=False)}
    collections: dict[str, Collection] = {}
    foreign = []
    for definition in order.definitions if cache else ():
        taken = cache and _taken(definition, root, cache, keyed[definition.id], tell)
        if taken:
            collections[definition.id], own = taken
            foreign += [] if own else [definition.id]
    reused = tuple(collections)
    missing = [definition for definition in order.definitions if definition.id not in collections]
    for dataset in order.datasets(missing, resources, tell):
        name = dataset.definition.id
        collections[name] = write_collection(dataset, root, order.code_version, tell, figures=order.figures)
        # raw inputs that changed while they were read belong to no key
        if cache and order.key(dataset.definition, dataset.inputs) == keyed[name]:
            facts = facts_to_json(collections[name].facts)
            keep_if_possible(cache, keyed[name], CollectionFolder(root, name).path, facts, tell)
    return Assembly(tuple(collections[definition.id] for definition in order.definitions), reused, tuple(foreign))


def _taken(definition: Definition, root: Path, cache: Cache, key: str, tell: Tell) -> tuple[Collection, bool] | None:
    """A collection from the cache, and whether this user kept it there; None where there is none."""
    folder = CollectionFolder(root, definition.id).path
    folder.mkdir()
    entry = cache.restored(key, folder, cache_dropped(tell))
    if entry is not None:
        try:
            collection = Collection(definition, facts_from_json(entry.facts))
        except (LookupError, TypeError, ValueError, AttributeError):
            cache_dropped(tell)("facts of another form")
            cache.drop(key)
        else:
            tell(f"taken from the cache: {definition.title.en}")
            return collection, entry.own
    shutil.rmtree(folder)
    return None


def write_archive_documents(
    root: Path, collections: Sequence[Collection], code_version: str, *, figures: bool = True
) -> None:
    """Write the catalogue, the front page and, last, the manifest over all of it and what is stated of it."""
    children = [
        Child(collection.definition.id, collection.facts.title, collection.facts.synthetic, collection.facts.items)
        for collection in collections
    ]
    write_catalog(root, children, None)
    write_front_page(root, [(collection.definition, collection.facts.card) for collection in collections])
    write_manifest(root, collections, code_version, figures=figures)
    write_statement(root)


def proved(assembly: Assembly, root: Path, out: Path, tell: Tell = silent) -> BuildReport:
    """Check everything of the archive assembled below ``root``, and compare it with what is published at ``out``.

    Errors
    ------
    FailedCheck : a check or quality gate did not pass, or published values would change without a new version.
    """
    tell("checking the draft")
    validation = prove(root, out, tell)
    if differs_from_published(out, root):
        refuse_unversioned_change(out, root)
    files = list_files(root)
    return BuildReport(
        folder=out,
        collections=tuple(collection.published() for collection in assembly.collections),
        files=len(files),
        size=sum(file.size for file in files),
        checks=tuple(result.name for result in validation.results),
        not_checked=tuple(result.name for result in validation.results if result.skipped),
        reused=assembly.reused,
    )


def prove(draft: Path, out: Path, tell: Tell = silent) -> ValidationReport:
    """Make all checks of a draft.

    Errors
    ------
    FailedBuild : any check did not pass.
    """
    report = validate(draft, tell=tell)
    named = ValidationReport(str(out), report.results, report.signed_by)
    if not named.passed:
        raise FailedBuild(named)
    return named
