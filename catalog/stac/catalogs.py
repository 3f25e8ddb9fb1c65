"""The catalogue at the root, and the sub-catalogues that keep the documents of a large collection small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pystac import Catalog, Link

from catalog.archive import CATALOG_JSON, COLLECTION_JSON, ITEMS_JSON, ITEMS_PARQUET, media_type_of
from catalog.stac.documents import CATALOG_TITLE, DocumentPlace, completed, root_link
from catalog.stac.item import title_of
from catalog.stac.languages import LANGUAGES, Language
from catalog.stac.source import DescribedDataset, Part
from catalog.stac.titles import ITEM_LIST_TITLE, ITEM_TABLE_TITLE
from schemas.definition import Bilingual

CATALOG_ID = "glacier-archive"
_NOTE = Bilingual(
    en="Contains products of a synthetic sample, which are no observations. ", cn="包含合成样本的产品，并非观测数据。"
)
_SAYS = Bilingual(en="Glacier change from raw observations: ", cn="由原始观测得到的冰川变化：")


@dataclass(frozen=True)
class Child:
    """A collection as the catalogue names it: id, title, whether it is synthetic, the ids of its items."""

    collection_id: str
    title: Bilingual
    synthetic: bool
    items: tuple[str, ...]


def catalog_documents(collections: Sequence[Child], base: str, *, listed: bool) -> list[tuple[DocumentPlace, Catalog]]:
    """``catalog.json`` in every language; ``listed`` where ``items.json`` is there."""
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(CATALOG_JSON, language, base)
        made = Catalog(CATALOG_ID, _description(collections, language), language.text(CATALOG_TITLE))
        children = [place.link("child", f"{of.collection_id}/{COLLECTION_JSON}", of.title) for of in collections]
        links = [root_link(place), *children, *_item_lists(collections, place, listed=listed)]
        documents.append((place, completed(place, made, links, CATALOG_TITLE)))
    return documents


def part_documents(source: DescribedDataset, part: Part) -> list[tuple[DocumentPlace, Catalog]]:
    """One sub-catalogue in every language."""
    title, description = part_title(source, part), source.facts.title
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(source.part_path(part.part_id), language, source.base)
        said = f"{language.text(title)}. {language.text(description)}"
        made = Catalog(part.part_id, said, language.text(title))
        links = [root_link(place), place.link("parent", source.collection_path, source.facts.title)]
        links += [place.link("item", source.item_path(item), title_of(item)) for item in part.items]
        documents.append((place, completed(place, made, links, title)))
    return documents


def part_title(source: DescribedDataset, part: Part) -> Bilingual:
    """Which items a sub-catalogue names, and of which years."""
    first, last, count = part.first, part.first + len(part.items) - 1, len(source.items)
    years = sorted({item.end.year for item in part.items})
    span = f"{years[0]}-{years[-1]}" if len(years) > 1 else f"{years[0]}"
    return Bilingual(
        en=f"Items {first} to {last} of {count} ({span})", cn=f"第{first}至{last}条，共{count}条（{span}年）"
    )


def _description(collections: Sequence[Child], language: Language) -> str:
    note = language.text(_NOTE) if any(of.synthetic for of in collections) else ""
    titles = language.say("; ", "；").join(language.text(of.title) for of in collections)
    return f"{note}{language.text(_SAYS)}{titles}{language.say('.', '。')}"


def _item_lists(collections: Sequence[Child], place: DocumentPlace, *, listed: bool) -> list[Link]:
    """Links to the files that hold all items of the archive."""
    if not any(of.items for of in collections):
        return []
    named = {ITEMS_PARQUET: ITEM_TABLE_TITLE} | ({ITEMS_JSON: ITEM_LIST_TITLE} if listed else {})
    return [
        Link("alternate", place.href(name), media_type_of(name), place.language.text(title))
        for name, title in named.items()
    ]
