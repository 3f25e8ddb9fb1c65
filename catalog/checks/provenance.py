"""Checks of where everything comes from: from each product over its dataset to the checksums of the raw inputs."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from catalog.archive import MANIFEST_JSON, Document, WrongForm, collections, first, items
from catalog.checks.result import Failure, check
from catalog.formats import inert_text
from schemas.definition import parse_definition
from schemas.errors import BadDefinition

_REBUILD = "build the archive again"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SOFTWARE = "glacier-archive"


def dataset_of(document: Document) -> dict[str, Any]:
    """What the manifest says of the dataset to which a document belongs."""
    datasets = document.archive.manifest["datasets"]
    dataset: dict[str, Any] = first((one for one in datasets if one["id"] == document.collection_id), "dataset")
    return dataset


def plain(text: str) -> str:
    """A text without what formats do to it: breaks, blanks, escapes, control characters and direction marks."""
    bare = inert_text(text).replace("\\", "")
    while (read := html.unescape(bare)) != bare:
        bare = read
    return "".join(bare.split())


def definition_of(document: Document) -> dict[str, Any]:
    """The definition that the manifest records of the dataset to which a document belongs.

    Errors
    ------
    WrongForm : none that this software can read.
    """
    dataset, notes = dataset_of(document), document.archive.notes
    key = f"definition:{dataset['id']}"
    if key not in notes:
        try:
            parse_definition(dataset["definition"], f"{MANIFEST_JSON}: definition of {dataset['id']}")
            notes[key] = ""
        except BadDefinition as error:
            notes[key] = str(error)
    if notes[key]:
        raise WrongForm(notes[key])
    definition: dict[str, Any] = dataset["definition"]
    return definition


@check(
    "provenance-chain",
    "every item names its settings, its steps, and the inputs with the checksums that the manifest records",
    items,
)
def provenance_chain(item: Document) -> Iterator[Failure]:
    properties, dataset = item.content["properties"], dataset_of(item)
    stated, recorded = _by_name(properties.get("glacier:inputs") or []), _by_name(dataset["inputs"])
    if not stated:
        yield Failure(item.file, "no glacier:inputs", "the raw inputs with size and sha256", _REBUILD)
    # an item of one pair of DEMs comes from some of the inputs, never from others
    missing = (
        {} if properties.get("glacier:pair") else {name: recorded[name] for name in recorded.keys() - stated.keys()}
    )
    for name, entry in sorted({**stated, **missing}.items()):
        if stated.get(name) != recorded.get(name):
            where = f"{item.file}: glacier:inputs {' '.join(name)}"
            yield Failure(where, f"{stated.get(name)}", f"{recorded.get(name)}, as in {MANIFEST_JSON}", _REBUILD)
        elif not _SHA256.fullmatch(str(entry[1])):
            yield Failure(
                f"{item.file}: glacier:inputs {' '.join(name)}", f"sha256 {entry[1]!r}", "64 hexadecimal digits"
            )
    for key in ("glacier:settings", "processing:lineage", "processing:expression"):
        if not properties.get(key):
            yield Failure(item.file, f"no {key}", "settings and steps of the processing", _REBUILD)


def _by_name(inputs: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[int, str]]:
    """Size and checksum of each input by its source and name."""
    return {(entry["source"], entry["name"]): (entry["size"], entry["sha256"]) for entry in inputs}


@check(
    "software-equal",
    "every item names the software, with versions, that the manifest says the archive was made with",
    items,
)
def software_equal(item: Document) -> Iterator[Failure]:
    manifest = item.archive.manifest
    recorded = {_SOFTWARE: manifest["code_version"], **manifest["tools"]}
    stated = item.content["properties"].get("processing:software") or {}
    for name in sorted(stated.keys() | recorded.keys()):
        if stated.get(name) != recorded.get(name):
            where = f"{item.file}: processing:software {name}"
            yield Failure(where, f"{stated.get(name)}", f"{recorded.get(name)}, as in {MANIFEST_JSON}", _REBUILD)


@check(
    "definition-agrees",
    "the definition that the manifest records has the id, kind and licence of its collection",
    collections,
)
def definition_agrees(collection: Document) -> Iterator[Failure]:
    dataset = dataset_of(collection)
    definition, content = dataset["definition"], collection.content
    for name, stated, expected in (
        ("id", definition["id"], collection.collection_id),
        ("kind", dataset["kind"], content["glacier:kind"]),
        ("kind of the definition", definition["kind"], content["glacier:kind"]),
        ("licence", definition["licence"], content["license"]),
    ):
        if stated != expected:
            where = f"{MANIFEST_JSON}: {collection.collection_id}"
            yield Failure(where, f"{name} {stated!r}", f"{expected!r}, as in {collection.file}", _REBUILD)
