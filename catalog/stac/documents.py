"""What every STAC document has: language and twin, links, the extensions it declares, an order of keys, its bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pystac import Catalog, Collection, Item, Link

from catalog.archive import CATALOG_JSON, media_type_of
from catalog.stac.glacier import GlacierExtension
from catalog.stac.languages import Language, other_than
from schemas.definition import Bilingual
from schemas.errors import BadInput
from schemas.glacier_extension import SCHEMA_PATH

CATALOG_TITLE = Bilingual(en="Glacier archive", cn="冰川档案库")
_EXTENSIONS = "https://stac-extensions.github.io"
# the extensions that pystac has no class for, or one of an older version: a field, or prefix of fields, of each
WITHOUT_CLASS = {
    "raster:": "raster/v2.0.0",
    "processing:": "processing/v1.2.0",
    "accuracy:": "accuracy/v1.0.0-beta.1",
    "contacts": "contacts/v1.0.0",
    "themes": "themes/v1.0.0",
    "language": "language/v1.0.0",
}
_ORDER = ("type", "stac_version", "stac_extensions", "id", "title", "description", "geometry", "bbox", "properties")
_SCHEMA_TITLE = Bilingual(en="Schema of the glacier fields", cn="冰川字段的模式")
_THIS_TITLE = Bilingual(en="This document", cn="本文档")

Json = dict[str, Any]
Thing = TypeVar("Thing", Catalog, Collection, Item)


@dataclass(frozen=True)
class DocumentPlace:
    """Where a document stands: its English path from the root, its language, and where the archive is served from.

    Links lead from here to other documents in the same language; those to a document in the other language and to
    this one from outside are made when it is written.
    """

    path: str
    language: Language
    base: str

    def link(self, rel: str, target: str, title: Bilingual) -> Link:
        """A link to the document that stands in English at ``target``, in this place's language."""
        return self._link(rel, target, title, self.language)

    def _link(self, rel: str, target: str, title: Bilingual, language: Language) -> Link:
        href, kind = self.href(language.path(target)), media_type_of(target)
        return Link(rel, href, kind, language.text(title))

    def href(self, target: str) -> str:
        """The relative reference to a file of the archive."""
        here, there = self.path.split("/")[:-1], target.split("/")
        shared = 0
        while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
            shared += 1
        rest = "/".join(there[shared:])
        return f"{'../' * (len(here) - shared)}{rest}" if len(here) > shared else f"./{rest}"

    def own_links(self, title: Bilingual) -> list[Link]:
        """The same document in the other language, the schema of our fields, and the address where it is served."""
        other = other_than(self.language)
        twin = self._link("alternate", self.path, title, other)
        twin.extra_fields["hreflang"] = other.code
        named = self.language.text(_SCHEMA_TITLE)
        schema = Link("describedby", self.href(SCHEMA_PATH), "application/schema+json", named)
        return [twin, schema, *self._absolute()]

    def _absolute(self) -> list[Link]:
        if not self.base:
            return []
        href = f"{self.base}/{self.language.path(self.path)}"
        title = self.language.text(_THIS_TITLE)
        return [Link(rel, href, media_type_of(self.path), title) for rel in ("self", "canonical")]


def completed(place: DocumentPlace, thing: Thing, links: Iterable[Link], title: Bilingual) -> Thing:
    """A catalogue, collection or item with its language, all of its links and the extensions it declares."""
    fields = thing.properties if isinstance(thing, Item) else thing.extra_fields
    fields |= {"language": place.language.to_dict(), "languages": [other_than(place.language).to_dict()]}
    thing.clear_links()  # a new catalogue names itself as its root
    thing.add_links([*links, *place.own_links(title)])
    thing.stac_extensions += _without_class(thing)
    GlacierExtension.declare(thing, place.base)
    thing.stac_extensions.sort()
    return thing


def as_json(thing: Catalog | Collection | Item) -> Json:
    """What is written of it; who opens the file sees first what it is."""
    content = thing.to_dict(transform_hrefs=False)
    first = {key: content[key] for key in _ORDER if key in content}
    last = {key: content[key] for key in ("links", "assets") if key in content}
    return first | {key: content[key] for key in sorted(content.keys() - first.keys() - last.keys())} | last


def write_document(
    root: Path, place: DocumentPlace, thing: Catalog | Collection | Item, *, indented: bool = True
) -> None:
    """Write a document where it belongs."""
    write_json(root / place.language.path(place.path), as_json(thing), indented=indented)


def write_json(path: Path, content: Mapping[str, Any], *, indented: bool = True) -> None:
    """UTF-8 JSON, indented or on one line, which is four times as fast; NaN and infinity are refused."""
    text = json.dumps(content, indent=2 if indented else None, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        path.write_bytes(text.encode())
    except FileNotFoundError:  # the folder of nearly every document stands already
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def root_link(place: DocumentPlace) -> Link:
    """The link to the catalogue."""
    return place.link("root", CATALOG_JSON, CATALOG_TITLE)


def base_of(base_url: str | None) -> str:
    """Where the archive is served from, without a slash at its end; empty where that is not known.

    Errors
    ------
    BadInput : a base URL that is not http(s).
    """
    if not base_url:
        return ""
    if not base_url.startswith(("http://", "https://")):
        raise BadInput(
            "--base-url", repr(base_url), "an http or https address", "leave it out for a relocatable archive"
        )
    return base_url.removesuffix(CATALOG_JSON).rstrip("/")


def _without_class(thing: Catalog | Collection | Item) -> list[str]:
    """The extensions without a class of pystac's whose fields stand in a document."""
    places: list[Json] = [thing.extra_fields]
    if isinstance(thing, Item):
        places += [thing.properties, *(asset.extra_fields for asset in thing.assets.values())]
    if isinstance(thing, Collection):
        places += [thing.summaries.to_dict(), *thing.extra_fields.get("item_assets", {}).values()]
        places += [asset.extra_fields for asset in thing.assets.values()]
    names = {name for place in places for name in place}
    prefixes = {f"{name.partition(':')[0]}:" for name in names if ":" in name}
    return [f"{_EXTENSIONS}/{name}/schema.json" for field, name in WITHOUT_CLASS.items() if field in names | prefixes]
