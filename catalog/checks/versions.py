"""Checks of what an archive says of its versions."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from catalog.archive import CHANGELOG_MD, MANIFEST_JSON, Document, collections
from catalog.checks.result import Failure, check
from catalog.metadata import changelog_text
from schemas.definition import parse_definition
from schemas.errors import BadDefinition

_REBUILD = "build the archive again"


@check(
    "changelog",
    "the changelog tells what this version and those before it changed, as the definition in the manifest says",
    collections,
)
def changelog(collection: Document) -> Iterator[Failure]:
    archive, path = collection.archive, f"{collection.folder}/{CHANGELOG_MD}"
    entry = next(entry for entry in archive.manifest["datasets"] if entry["id"] == collection.collection_id)
    try:
        definition = parse_definition(entry["definition"], f"{MANIFEST_JSON}: definition of {entry['id']}")
    except BadDefinition as error:
        yield Failure(error.where, error.found, error.expected, _REBUILD)
        return
    if definition.version != entry["version"]:
        where = f"{MANIFEST_JSON}: {entry['id']}"
        yield Failure(where, f"version {entry['version']}", f"{definition.version}, as in its definition", _REBUILD)
    text = archive.text(path)
    if text is None:
        yield Failure(path, "no such file", "the changelog of the collection", _REBUILD)
        return
    stated = changelog_text(definition, bool(entry["synthetic"])).split("\n")
    for number, (line, wanted) in enumerate(zip_longest(text.split("\n"), stated, fillvalue=""), 1):
        if line != wanted:
            yield Failure(f"{path}:{number}", repr(line), f"{wanted!r}, as the definition says", _REBUILD)
            return
