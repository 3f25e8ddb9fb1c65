"""What every STAC document has: language and twin, links, the extensions it declares, an order of keys, its bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from catalog.archive import CATALOG_JSON, media_type_of
from catalog.stac.languages import Language, other_than
from schemas.definition import Bilingual
from schemas.errors import BadInput
from schemas.glacier_extension import PREFIX, SCHEMA_PATH

STAC_VERSION = "1.1.0"
CATALOG_TITLE = Bilingual(en="Glacier archive", cn="冰川档案库")
_EXTENSIONS = "https://stac-extensions.github.io"
# each field, or prefix of fields, and the extensions that define it
DECLARED = {
    "proj:": ("projection/v2.0.0",),
    "raster:": ("raster/v2.0.0",),
    "file:": ("file/v2.1.0",),
    "table:": ("table/v1.2.0",),
    "processing:": ("processing/v1.2.0",),
    "accuracy:": ("accuracy/v1.0.0-beta.1",),
    "sci:": ("scientific/v1.0.0",),
    # the schema published as v2.0.0 requires that v1.1.0 be declared
    "classification:": ("classification/v2.0.0", "classification/v1.1.0"),
    "renders": ("render/v2.0.0",),
    "version": ("version/v1.2.0",),
    "published": ("timestamps/v1.1.0",),
    "contacts": ("contacts/v1.0.0",),
    "themes": ("themes/v1.0.0",),
    "language": ("language/v1.0.0",),
}
_ORDER = ("type", "stac_version", "stac_extensions", "id", "title", "description", "geometry", "bbox", "properties")
_SCHEMA_TITLE = Bilingual(en="Schema of the glacier fields", cn="冰川字段的模式")
_THIS_TITLE = Bilingual(en="This document", cn="本文档")

Json = dict[str, Any]


@dataclass(frozen=True)
class DocumentPlace:
    """Where a document stands: its English path from the root, its language, and where the archive is served from.

    Links lead from here to other documents in the same language; those to a document in the other language and to
    this one from outside are made when it is written.
    """

    path: str
    language: Language
    base: str

    def link(self, rel: str, target: str, title: Bilingual) -> Json:
        """A link to the document that stands in English at ``target``, in this place's language."""
        return self._link(rel, target, title, self.language)

    def _link(self, rel: str, target: str, title: Bilingual, language: Language) -> Json:
        href, kind = self.href(language.path(target)), media_type_of(target)
        return {"rel": rel, "href": href, "type": kind, "title": language.text(title)}

    def href(self, target: str) -> str:
        """The relative reference to a file of the archive."""
        here, there = self.path.split("/")[:-1], target.split("/")
        shared = 0
        while shared < min(len(here), len(there) - 1) and here[shared] == there[shared]:
            shared += 1
        rest = "/".join(there[shared:])
        return f"{'../' * (len(here) - shared)}{rest}" if len(here) > shared else f"./{rest}"

    def own_links(self, title: Bilingual) -> list[Json]:
        """The same document in the other language, the schema of our fields, and the address where it is served."""
        other = other_than(self.language)
        schema = {
            "rel": "describedby",
            "href": self.href(SCHEMA_PATH),
            "type": "application/schema+json",
            "title": self.language.text(_SCHEMA_TITLE),
        }
        return [{**self._link("alternate", self.path, title, other), "hreflang": other.code}, schema, *self._absolute()]

    def _absolute(self) -> list[Json]:
        if not self.base:
            return []
        href = f"{self.base}/{self.language.path(self.path)}"
        title = self.language.text(_THIS_TITLE)
        return [
            {"rel": rel, "href": href, "type": media_type_of(self.path), "title": title}
            for rel in ("self", "canonical")
        ]


def completed(place: DocumentPlace, document: Mapping[str, Any], links: Iterable[Json], title: Bilingual) -> Json:
    """A document with its language, all of its links and the extensions it declares, keys in a fixed order."""
    language = {"language": place.language.to_dict(), "languages": [other_than(place.language).to_dict()]}
    content = {**document, "stac_version": STAC_VERSION, "links": [*links, *place.own_links(title)]}
    if "properties" in content:
        content["properties"] = {**content["properties"], **language}
    else:
        content |= language
    content["stac_extensions"] = sorted(_extensions_of(content, place.base))
    ordered = {key: content.pop(key) for key in _ORDER if key in content}
    return ordered | {key: content[key] for key in sorted(content, key=lambda key: (key in ("links", "assets"), key))}


def write_document(root: Path, place: DocumentPlace, content: Mapping[str, Any], *, indented: bool = True) -> None:
    """Write a document where it belongs."""
    write_json(root / place.language.path(place.path), content, indented=indented)


def write_json(path: Path, content: Mapping[str, Any], *, indented: bool = True) -> None:
    """UTF-8 JSON, indented or on one line, which is four times as fast; NaN and infinity are refused."""
    text = json.dumps(content, indent=2 if indented else None, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        path.write_bytes(text.encode())
    except FileNotFoundError:  # the folder of nearly every document stands already
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())


def root_link(place: DocumentPlace) -> Json:
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


def _extensions_of(document: Json, base: str) -> set[str]:
    """The extensions whose fields stand in a document."""
    groups: list[Sequence[Json]] = [list(document.get(name, {}).values()) for name in ("assets", "item_assets")]
    places = [document, document.get("properties", {}), document.get("summaries", {}), *chain.from_iterable(groups)]
    names = {name for place in places for name in place}
    prefixes = {f"{name.partition(':')[0]}:" for name in names if ":" in name}
    extensions = set()
    for field, versions in DECLARED.items():
        if field in (prefixes if field.endswith(":") else names):
            extensions |= {f"{_EXTENSIONS}/{version}/schema.json" for version in versions}
    if base and PREFIX in prefixes:
        extensions.add(f"{base}/{SCHEMA_PATH}")
    return extensions
