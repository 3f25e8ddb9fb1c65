"""Every item in one file beside ``catalog.json``: ``items.parquet``, and ``items.json`` where they are not too many.

Who reads an item there has only that file: each reference leads on from it, and from its address where that is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from catalog.archive import CATALOG_JSON, ITEMS_JSON, ITEMS_PARQUET, MOST_IN_JSON, media_type_of
from catalog.stac.documents import CATALOG_TITLE, Json, write_json
from catalog.stac.search_table import write_search_table


def write_item_lists(root: Path, paths: Sequence[str]) -> bool:
    """Write the lists of all items; whether ``items.json`` is among them. Nothing is written where there is no item.

    Parameters
    ----------
    paths : of the item documents below ``root``, in the order of the lists.
    """
    write_search_table(root / ITEMS_PARQUET, _listed(root, paths))
    if not 0 < len(paths) <= MOST_IN_JSON:
        return False
    write_json(root / ITEMS_JSON, feature_collection(list(_listed(root, paths))), indented=False)
    return True


def _listed(root: Path, paths: Sequence[str]) -> Iterator[Json]:
    for path in paths:
        yield listed_item(json.loads((root / path).read_text(encoding="utf-8")), path)


def listed_item(item: Json, path: str) -> Json:
    """An item as a list beside ``catalog.json`` states it: every reference leads on from there.

    References are absolute where the item names its own address (link ``self``), else relative to the list; the item
    has a link to itself in either case.

    Parameters
    ----------
    path : of the item's document, from the archive's root.
    """
    own = next((str(link["href"]) for link in item["links"] if link["rel"] == "self"), "")
    links = [_from_list(link, path, own) for link in item["links"]]
    if not own:
        links.append({"rel": "self", "href": f"./{path}", "type": media_type_of(path)})
    assets = {key: _from_list(asset, path, own) for key, asset in item["assets"].items()}
    return {**item, "links": links, "assets": assets}


def feature_collection(items: Sequence[Json]) -> dict[str, Any]:
    """All items as one GeoJSON document (a STAC ItemCollection)."""
    root = {"rel": "root", "href": f"./{CATALOG_JSON}", "type": media_type_of(CATALOG_JSON), "title": CATALOG_TITLE.en}
    return {"type": "FeatureCollection", "features": items, "links": [root]}


def _from_list(referring: Json, path: str, own: str) -> Json:
    """A link or an asset of the document at ``path`` as the list has it."""
    return {**referring, "href": _reference(str(referring["href"]), path, own)}


def _reference(href: str, path: str, own: str) -> str:
    if "://" in href:
        return href
    if own:
        return urljoin(own, href)
    above = path.split("/")[:-1]
    for part in href.split("/"):
        if part == "..":
            above = above[:-1]
        elif part != ".":
            above = [*above, part]
    return f"./{'/'.join(above)}"
