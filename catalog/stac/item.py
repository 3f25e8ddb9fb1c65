"""One item as a STAC document."""

from __future__ import annotations

from typing import Any

from catalog.archive import Item
from catalog.stac.assets import item_asset, item_file_facts
from catalog.stac.documents import DocumentPlace, Json, completed, root_link
from catalog.stac.languages import LANGUAGES, Language
from catalog.stac.source import DescribedDataset, first_second, last_second, stamp
from schemas.definition import Bilingual


def item_documents(
    source: DescribedDataset, item: Item, parent: tuple[str, Bilingual]
) -> list[tuple[DocumentPlace, Json]]:
    """The item in every language, with its place; ``parent`` is the path and title of the document that names it."""
    files = {asset.key: item_file_facts(item.folder / asset.href, asset) for asset in item.assets}
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(source.item_path(item), language, source.base)
        content = _content(source, item, files, language)
        links = [
            root_link(place),
            place.link("collection", source.collection_path, source.facts.title),
            place.link("parent", parent[0], parent[1]),
            source.licence_link(language),
        ]
        documents.append((place, completed(place, content, links, title_of(item))))
    return documents


def title_of(item: Item) -> Bilingual:
    """The item's title in both languages."""
    return Bilingual(en=item.title, cn=item.title_cn)


def _content(source: DescribedDataset, item: Item, files: dict[str, dict[str, Any]], language: Language) -> Json:
    codes = {facts["proj:code"] for facts in files.values() if "proj:code" in facts}
    definition, end = source.definition, stamp(last_second(item.end))
    return {
        "type": "Feature",
        "id": item.item_id,
        "collection": definition.id,
        "geometry": item.geometry,
        "bbox": list(item.bbox),
        "properties": {
            "title": language.text(title_of(item)),
            "description": language.say(item.description, item.description_cn),
            "datetime": end,  # non-null beside start and end: clients that know no ranges still find it
            "start_datetime": stamp(first_second(item.start)),
            "end_datetime": end,
            "keywords": source.keywords(language),
            "license": definition.licence,
            "version": definition.version,
            "published": stamp(first_second(definition.publication_date)),
            "processing:software": source.software,
            **language.document(item.properties),
            **({"proj:code": codes.pop()} if len(codes) == 1 else {}),
        },
        "assets": {asset.key: item_asset(asset, files[asset.key], language) for asset in item.assets},
    }
