"""Checks of the catalogue as a whole: both languages say the same, and ``items.parquet`` says what the items say."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator
from typing import Any

from catalog.archive import (
    ITEMS_JSON,
    ITEMS_PARQUET,
    MOST_IN_JSON,
    Archive,
    Document,
    File,
    documents,
    every_language,
    files_ending,
    whole,
)
from catalog.checks.result import Failure, check

_REBUILD = "build the archive again"
_CODES = {False: "en", True: "zh"}
# what is said differently in the two languages; links are compared by where they lead
_WORDS = frozenset({"title", "description", "keywords", "language", "languages", "links", "processing:lineage"})
# words within a field
_WORDS_OF = {
    "glacier:curvature_correction": {"source"},
    "glacier:gates": {"name", "subject"},
    "glacier:resolution_correction": {"reason"},
    "glacier:supported_period": {"note"},
    "expression": {"name"},
}
# sentences of this software: in Chinese they give the numbers that they give in English
_SENTENCES = frozenset({"glacier:notes", "glacier:vertical_datum", "expression"})
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_LARGEST = 1_000_000  # bytes


@check(
    "language-twins", "every STAC document stands in English and Chinese, and the two name each other", every_language
)
def language_twins(document: Document) -> Iterator[Failure]:
    chinese = document.file != document.english
    own, other = _CODES[chinese], _CODES[not chinese]
    alternates = [link for link in document.links if link.get("rel") == "alternate" and "hreflang" in link]
    twins = [(link.get("hreflang"), document.target(str(link.get("href", "")))) for link in alternates]
    if twins != [(other, document.twin)]:
        yield Failure(document.file, f"alternate links {twins}", f"one to {document.twin}, in {other}", _REBUILD)
    if document.twin not in document.archive.path_set:
        yield Failure(document.file, f"no {document.twin}", f"the same document in {other}", _REBUILD)
    holder = document.content["properties"] if document.kind == "Feature" else document.content
    stated = holder["language"]["code"], [language["code"] for language in holder["languages"]]
    if stated != (own, [other]):
        yield Failure(document.file, f"language {stated[0]}, also in {stated[1]}", f"{own}, also in {other}", _REBUILD)


@check("twins-equal", "the Chinese document states the facts and links of the English one", documents)
def twins_equal(document: Document) -> Iterator[Failure]:
    if document.twin not in document.archive.path_set:
        return  # its absence is for the check of twins
    twin = document.archive.json(document.twin)
    for place, stated, expected in _differences(_facts(twin), _facts(document.content), ""):
        yield Failure(f"{document.twin}: {place}", _short(stated), f"{_short(expected)}, as in English", _REBUILD)
    stated_links, expected_links = (sorted(_ends(content)) for content in (twin, document.content))
    if stated_links != expected_links:
        differing = sorted(set(stated_links) ^ set(expected_links))[:5]
        yield Failure(f"{document.twin}: links", f"other links {differing}", "those of the English document", _REBUILD)


def _facts(value: Any, field: str = "") -> Any:
    """What a document states under a field, without its words; of sentences the numbers."""
    if isinstance(value, dict):
        words = _WORDS | _WORDS_OF.get(field, frozenset())
        return {
            key: _facts(part, field if field in _SENTENCES else key) for key, part in value.items() if key not in words
        }
    if field == "glacier:flags":
        return len(value) if isinstance(value, list) else value
    if isinstance(value, list):
        return [_facts(part, field) for part in value]
    return sorted(_NUMBER.findall(value)) if field in _SENTENCES and isinstance(value, str) else value


def _differences(one: Any, other: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        for key in sorted({*one, *other}):
            yield from _differences(one.get(key), other.get(key), f"{place}/{key}" if place else key)
    elif one != other:
        yield place, one, other


def _ends(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Relation and target of every link, the language left out."""
    for link in content.get("links") or ():
        if not (link.get("rel") == "alternate" and "hreflang" in link):
            yield str(link.get("rel")), str(link.get("href")).replace(".zh.json", ".json")


@check(
    "document-size",
    f"no JSON of STAC, of metadata or of the manifest is larger than a megabyte; {ITEMS_JSON} alone may be",
    files_ending(".json", ".jsonld"),
)
def document_size(file: File) -> Iterator[Failure]:
    if file.file == ITEMS_JSON:  # all items at once is what it is for; of very many there is none
        return
    size = file.archive.files.size(file.file) or 0
    if size > _LARGEST:
        yield Failure(file.file, f"{size} bytes", f"at most {_LARGEST}", "shorten its texts, or split the collection")


@check("search-table", f"{ITEMS_PARQUET} and {ITEMS_JSON} state every item as its document does", whole)
def search_table(root: File) -> Iterator[Failure]:
    # half a second to load; who only lists the checks need not wait for it
    from catalog.stac import read_search_table

    content = root.archive.files.read(ITEMS_PARQUET)
    if content is not None:
        yield from _listed_failures(root.archive, ITEMS_PARQUET, read_search_table(io.BytesIO(content)))
    elif root.archive.items:
        yield Failure(ITEMS_PARQUET, "no such file", f"a table of {len(root.archive.items)} items", _REBUILD)
    if ITEMS_JSON in root.archive.path_set:
        features = root.archive.json(ITEMS_JSON)["features"]
        yield from _listed_failures(root.archive, ITEMS_JSON, features)
    elif 0 < len(root.archive.items) <= MOST_IN_JSON:
        yield Failure(ITEMS_JSON, "no such file", f"a list of {len(root.archive.items)} items", _REBUILD)


def _listed_failures(archive: Archive, name: str, stated: Iterable[dict[str, Any]]) -> Iterator[Failure]:
    """What a list of all items says that their documents do not, references as they lead on from the list."""
    from catalog.stac import listed_item, without_nulls

    expected = {(item.content.get("collection"), item.content.get("id")): item for item in archive.items}
    for row in stated:
        item = expected.pop((row.get("collection"), row.get("id")), None)
        where = f"{name}: {row.get('collection')}/{row.get('id')}"
        if item is None:
            yield Failure(where, "an item that is not there, or twice", "one row an item", _REBUILD)
            continue
        wanted = without_nulls(listed_item(item.content, item.file))
        for place, said, true in _differences(without_nulls(row), wanted, ""):
            yield Failure(f"{where}: {place}", _short(said), f"{_short(true)}, as in {item.file}", _REBUILD)
    for item in expected.values():
        yield Failure(name, f"no row of {item.file}", "one row an item", _REBUILD)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
