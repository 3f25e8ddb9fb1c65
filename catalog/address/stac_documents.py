"""STAC documents with their address: every reference absolute, their own address, the schema of our fields declared."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from catalog.address.references import Address
from catalog.archive import ListedFile, media_type_of
from schemas.definition import Bilingual
from schemas.glacier_extension import PREFIX, SCHEMA_PATH

Json = dict[str, Any]
_STAC_PATH = re.compile(
    r"catalog(\.zh)?\.json|[^/]+/(collection|items-\d+)(\.zh)?\.json|[^/]+/(?P<item>[^/]+)/(?P=item)(\.zh)?\.json"
)
_OWN = ("self", "canonical")
_TITLE = Bilingual(en="This document", cn="本文档")
_CHINESE = ".zh.json"


def is_stac(path: str) -> bool:
    """Whether a STAC document stands at a path, in either language."""
    return bool(_STAC_PATH.fullmatch(path))


def without_address(document: Json, path: str, address: Address) -> Json:
    """A STAC document as it is in an archive that can be moved."""
    folder = path.rpartition("/")[0]
    own = [link for link in document["links"] if link["rel"] in _OWN and link["href"] == address.of(path)]
    kept = {**document, "links": [link for link in document["links"] if link not in own]}
    if "stac_extensions" in document:
        schema = address.of(SCHEMA_PATH)
        kept["stac_extensions"] = [name for name in document["stac_extensions"] if name != schema]
    return _referring(kept, lambda href: address.relative(folder, href, "./"))


def with_address(document: Json, path: str, address: Address) -> Json:
    """A STAC document of an archive that can be moved, as it is at an address."""
    folder = path.rpartition("/")[0]
    title = _TITLE.cn if path.endswith(_CHINESE) else _TITLE.en
    own = [
        {"rel": rel, "href": address.of(path), "type": media_type_of(path.replace(_CHINESE, ".json")), "title": title}
        for rel in _OWN
    ]
    addressed = _referring(document, lambda href: address.absolute(folder, href))
    addressed["links"] = [*addressed["links"], *own]
    if any(name.startswith(PREFIX) for name in (*document, *document.get("properties", {}))):
        addressed["stac_extensions"] = sorted([*document.get("stac_extensions", ()), address.of(SCHEMA_PATH)])
    return addressed


def renewed_assets(document: Json, path: str, address: Address, renewed: Mapping[str, ListedFile]) -> Json:
    """A document whose assets state the size and sha256 of the files that were written anew."""
    folder = path.rpartition("/")[0]
    assets = {}
    for key, asset in document.get("assets", {}).items():
        target = address.absolute(folder, asset["href"]).removeprefix(f"{address.base}/")
        file = renewed.get(target)
        fresh = {"file:size": file.size, "file:checksum": f"1220{file.sha256}"} if file else {}
        assets[key] = {**asset, **{name: value for name, value in fresh.items() if name in asset}}
    return {**document, "assets": assets} if assets else document


def schema_with_address(schema: Json, address: Address) -> Json:
    """The schema of our fields, named by its own address where it has one."""
    plain = {key: value for key, value in schema.items() if key != "$id"}
    return {"$id": address.of(SCHEMA_PATH), **plain} if address.base else plain


def encoded_like(content: bytes, document: Json) -> bytes:
    """A document as bytes, indented where ``content`` is."""
    indent = 2 if content.startswith(b"{\n") else None
    return (json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _referring(document: Json, refer: Callable[[str], str]) -> Json:
    changed = {**document, "links": [{**link, "href": refer(link["href"])} for link in document["links"]]}
    if "assets" in document:
        changed["assets"] = {key: {**one, "href": refer(one["href"])} for key, one in document["assets"].items()}
    return changed
