"""The search of the front page: one script with the titles, keywords and years of everything, read without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.archive import (
    INDEX_HTML,
    SEARCH_JS,
    CollectionFolder,
    Dataset,
    Item,
    WrongForm,
    misfit,
)
from schemas.definition import Bilingual

_HEAD = "window.GLACIER_ARCHIVE = "
# line ends of JavaScript that are none of JSON, and what could end a script where a reader pastes it into a page
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "\N{LINE SEPARATOR}": "\\u2028", "\N{PARAGRAPH SEPARATOR}": "\\u2029"}


@dataclass(frozen=True)
class Searchable:
    """What a collection and its items are found by.

    Attributes
    ----------
    collection : id, titles, keywords, years, and what the titles of its items begin with alike.
    items : page, title's tail in English and in Chinese, first year, last year of each.
    """

    collection: dict[str, Any]
    items: tuple[tuple[str, str, str, int, int], ...]


def searchable(folder: CollectionFolder, dataset: Dataset, title: Bilingual, items: Sequence[Item]) -> Searchable:
    """All the words of a collection and the titles of its items; what these begin with alike stands once.

    ``title`` is the collection's as it is published: of a synthetic dataset it says so.
    """
    prefix = [_common_start([item.title for item in items]), _common_start([item.title_cn for item in items])]
    keywords = dataset.definition.keywords
    period = dataset.definition.period
    collection = {
        "id": dataset.definition.id,
        "title": [title.en, title.cn or title.en],
        "keywords": list(dict.fromkeys([*_words(keywords.en), *_words(keywords.cn), *_about(dataset)])),
        "years": [period.start.year, period.end.year],
        "items": len(items),
        "prefix": prefix,
    }
    rows = tuple(
        (
            f"{item.folder.relative_to(folder.path).as_posix()}/{INDEX_HTML}",
            item.title[len(prefix[0]) :], item.title_cn[len(prefix[1]) :], item.start.year, item.end.year,
        )
        for item in items
    )  # fmt: skip
    return Searchable(collection, rows)


def search_script(collections: Sequence[Searchable]) -> str:
    """The script: the collections, and their items, each headed by the number of its collection."""
    rows = ",\n".join(_json([at, *item]) for at, one in enumerate(collections) for item in one.items)
    heads = _json([one.collection for one in collections])
    return f'{_HEAD}{{"collections": {heads},\n"items": [\n{rows}\n]}};\n'


def parse_search_script(text: str) -> dict[str, Any]:
    """What ``search_script`` wrote.

    Errors
    ------
    ValueError : a text of another shape.
    """
    if not text.startswith(_HEAD) or not text.rstrip().endswith(";"):
        raise ValueError("not the search data of an archive")
    search = json.loads(text[len(_HEAD) :].rstrip()[:-1])
    if not isinstance(search, dict) or not {"collections", "items"} <= set(search):
        raise ValueError("search data without collections and items")
    if place := misfit(SEARCH_JS, search):
        raise WrongForm(place)
    if strange := [row for row in search["items"] if [type(part) for part in row[:3]] != [int, str, str]]:
        raise WrongForm(f"items: {str(strange[0])[:60]}")
    return search


def _common_start(texts: Sequence[str]) -> str:
    """What all texts begin with: the first and the last in order differ the earliest."""
    if not texts:
        return ""
    first, last = min(texts), max(texts)
    length = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[:length]


def _words(keywords: Any) -> Iterator[str]:
    for kind in ("theme", "subject", "place", "time"):
        yield from getattr(keywords, kind, ()) or ()


def _about(dataset: Dataset) -> Iterator[str]:
    definition = dataset.definition
    yield from (definition.reading.collect_place.en, definition.reading.collect_place.cn, definition.publisher)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character, escape in _UNSAFE.items():
        text = text.replace(character, escape)
    return text
