"""One item as a STAC document."""

from __future__ import annotations

import pystac
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.render import Render, RenderExtension
from pystac.extensions.timestamps import TimestampsExtension
from pystac.extensions.version import VersionExtension

from catalog.archive import Item
from catalog.stac.assets import FileFacts, add_item_asset, file_facts
from catalog.stac.documents import DocumentPlace, completed, root_link
from catalog.stac.glacier import GlacierExtension
from catalog.stac.languages import LANGUAGES, Language
from catalog.stac.source import DescribedDataset, first_second, last_second
from schemas.definition import Bilingual
from schemas.glacier_extension import PREFIX

_RENDERS = "renders"


def item_documents(
    source: DescribedDataset, item: Item, parent: tuple[str, Bilingual]
) -> list[tuple[DocumentPlace, pystac.Item]]:
    """The item in every language, with its place; ``parent`` is the path and title of the document that names it."""
    files = [file_facts(item.folder / asset.href, asset) for asset in item.assets]
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(source.item_path(item), language, source.base)
        links = [
            root_link(place),
            place.link("collection", source.collection_path, source.facts.title),
            place.link("parent", parent[0], parent[1]),
            source.licence_link(language),
        ]
        documents.append((place, completed(place, _item(source, item, files, language), links, title_of(item))))
    return documents


def title_of(item: Item) -> Bilingual:
    """The item's title in both languages."""
    return Bilingual(en=item.title, cn=item.title_cn)


def _item(source: DescribedDataset, item: Item, files: list[FileFacts], language: Language) -> pystac.Item:
    definition, end = source.definition, last_second(item.end)
    made = pystac.Item(
        id=item.item_id,
        geometry=item.geometry,
        bbox=list(item.bbox),
        datetime=end,  # beside start and end: clients that know no ranges still find it
        start_datetime=first_second(item.start),
        end_datetime=end,
        collection=definition.id,
        properties={
            "title": language.text(title_of(item)),
            "description": language.say(item.description, item.description_cn),
            "keywords": source.item_keywords(item, language),
            "license": definition.licence,
            "processing:software": source.software,
        },
    )
    VersionExtension.ext(made, add_if_missing=True).version = definition.version
    TimestampsExtension.ext(made, add_if_missing=True).published = first_second(definition.publication_date)
    _add_fields(made, item, language)
    for file in files:
        add_item_asset(made, file, language)
    systems = {file.raster.crs for file in files if file.raster}
    if len(systems) == 1:
        ProjectionExtension.ext(made, add_if_missing=True).code = systems.pop()
    return made


def _add_fields(made: pystac.Item, item: Item, language: Language) -> None:
    """What the science says of an item: our fields, how to draw its files, and those of other extensions."""
    said = language.document(item.properties)
    if _RENDERS in said:
        renders = {name: Render(how) for name, how in said[_RENDERS].items()}
        RenderExtension.ext(made, add_if_missing=True).renders = renders
    GlacierExtension(made).apply({name: value for name, value in said.items() if name.startswith(PREFIX)})
    others = {name: value for name, value in said.items() if not name.startswith(PREFIX) and name != _RENDERS}
    made.properties |= others
