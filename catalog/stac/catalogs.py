"""The catalogue at the root, and the sub-catalogues that keep the documents of a large collection small."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from catalog.archive import CATALOG_JSON, COLLECTION_JSON, ITEMS_PARQUET, media_type_of
from catalog.stac.documents import CATALOG_TITLE, DocumentPlace, Json, completed, root_link
from catalog.stac.item import title_of
from catalog.stac.languages import LANGUAGES, Language
from catalog.stac.source import DescribedDataset, Part
from schemas.definition import Bilingual

CATALOG_ID = "glacier-archive"
_NOTE = Bilingual(
    en="Contains products of a synthetic sample, which are no observations. ", cn="包含合成样本的产品，并非观测数据。"
)
_SAYS = Bilingual(en="Glacier change from raw observations: ", cn="由原始观测得到的冰川变化：")
_TABLE_TITLE = Bilingual(
    en="Every item as a row of one table (stac-geoparquet)", cn="全部条目的表格（stac-geoparquet）"
)


@dataclass(frozen=True)
class Child:
    """A collection as the catalogue names it: id, title, whether it is synthetic, the ids of its items."""

    collection_id: str
    title: Bilingual
    synthetic: bool
    items: tuple[str, ...]


def catalog_documents(collections: Sequence[Child], base: str) -> list[tuple[DocumentPlace, Json]]:
    """``catalog.json`` in every language."""
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(CATALOG_JSON, language, base)
        children = [place.link("child", f"{of.collection_id}/{COLLECTION_JSON}", of.title) for of in collections]
        content = {
            "type": "Catalog",
            "id": CATALOG_ID,
            "title": language.text(CATALOG_TITLE),
            "description": _description(collections, language),
        }
        links = [root_link(place), *children, *_table_link(collections, place)]
        documents.append((place, completed(place, content, links, CATALOG_TITLE)))
    return documents


def part_documents(source: DescribedDataset, part: Part) -> list[tuple[DocumentPlace, Json]]:
    """One sub-catalogue in every language."""
    title, description = part_title(source, part), source.facts.title
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(source.part_path(part.part_id), language, source.base)
        content = {
            "type": "Catalog",
            "id": part.part_id,
            "title": language.text(title),
            "description": f"{language.text(title)}. {language.text(description)}",
        }
        links = [root_link(place), place.link("parent", source.collection_path, source.facts.title)]
        links += [place.link("item", source.item_path(item), title_of(item)) for item in part.items]
        documents.append((place, completed(place, content, links, title)))
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


def _table_link(collections: Sequence[Child], place: DocumentPlace) -> list[Json]:
    if not any(of.items for of in collections):
        return []
    title = place.language.text(_TABLE_TITLE)
    return [
        {"rel": "alternate", "href": place.href(ITEMS_PARQUET), "type": media_type_of(ITEMS_PARQUET), "title": title}
    ]
