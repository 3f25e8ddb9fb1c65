"""Checks of the STAC documents: schemas, links both ways, assets, extents, dates."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any

from referencing.exceptions import Unresolvable

from catalog.archive import (
    CATALOG_JSON,
    COLLECTION_JSON,
    ITEMS_PARQUET,
    PART,
    Archive,
    Document,
    File,
    WrongForm,
    chinese_twin,
    collections,
    documents,
    every_language,
    geometry_of,
    items,
    media_type_of,
    whole,
)
from catalog.checks.result import Failure, NotChecked, check
from schemas.glacier_extension import SEARCHED
from schemas.stac_schemas import Schemas, schema_folder, schemas_at_hand, validate_stac

_REBUILD = "build the archive again"
_STRUCTURAL = {"root", "parent", "child", "item", "collection", "self"}
_DEGREE = 1e-6


@check(
    "stac-type",
    "catalogue, collections and items say what they are, and their id is the name of their folder",
    every_language,
)
def stac_type(document: Document) -> Iterator[Failure]:
    content = document.content
    expected, name = _type_and_name(document)
    if content.get("type") != expected:
        yield Failure(document.file, f"type {content.get('type')!r}", f"type {expected!r}", _REBUILD)
    if content.get("stac_version") != "1.1.0":
        yield Failure(document.file, f"stac_version {content.get('stac_version')!r}", "'1.1.0'", _REBUILD)
    if name and content.get("id") != name:
        yield Failure(document.file, f"id {content.get('id')!r}", f"id {name!r}, as its folder", _REBUILD)
    if expected == "Feature" and content.get("collection") != document.collection_id:
        yield Failure(
            document.file, f"collection {content.get('collection')!r}", repr(document.collection_id), _REBUILD
        )
    if not str(content.get("id") or "") or set(str(content.get("id"))) & set(":/"):
        yield Failure(document.file, f"id {content.get('id')!r}", "an id without ':' or '/'", _REBUILD)


def _type_and_name(document: Document) -> tuple[str, str]:
    """The type of document that stands at a path, and the id it must have; no id is asked of the catalogue."""
    folder, _, name = document.english.rpartition("/")
    if not folder:
        return "Catalog", ""
    if PART.fullmatch(name):
        return "Catalog", name.removesuffix(".json")
    return ("Collection" if name == COLLECTION_JSON else "Feature"), folder.rpartition("/")[2]


@check("stac-schema", "every STAC document follows the schemas of STAC and of the extensions it declares", whole)
def stac_schema(root: File) -> Iterator[Failure]:
    registry = _registry(root.archive.schemas)
    unread: set[str] = set()
    for document in every_language(root.archive):
        try:
            verdict = validate_stac(document.parsed, registry)
        except Unresolvable as error:  # a schema that leads to another, which is never fetched
            unread.add(str(error.ref))
            continue
        unread.update(verdict.not_at_hand)
        for failure in verdict.failures:
            yield Failure(document.file, failure, "what the schema allows", _REBUILD)
    if unread:
        raise NotChecked(f"no schema at hand (set GLACIER_STAC_SCHEMAS) for {', '.join(sorted(unread))}")


@check("numbers-finite", "every number of a STAC document is finite", every_language)
def numbers_finite(document: Document) -> Iterator[Failure]:
    if any(isinstance(value, float) and not math.isfinite(value) for value in leaves(document.parsed)):
        yield Failure(document.file, "NaN or infinity", "finite numbers", _REBUILD)


@check(
    "links-resolve",
    "every link inside the archive is relative, or at its own address, and leads to a file of it",
    every_language,
)
def links_resolve(document: Document) -> Iterator[Failure]:
    for link in document.links:
        href, rel = str(link.get("href", "")), str(link.get("rel", ""))
        where = f"{document.file}: link {rel}"
        target = document.target(href)
        if target is None and href.startswith(("http://", "https://")):
            if rel in _STRUCTURAL - {"self"}:
                yield Failure(where, href, "a relative link", _REBUILD)
            continue
        if target is None:
            yield Failure(where, repr(href), "a relative link inside the archive", _REBUILD)
        elif target not in document.archive.path_set:
            yield Failure(where, f"{href!r}, where no file is", "a file of the archive", _REBUILD)


@check(
    "links-both-ways",
    "parents and children name each other in one language, and each document names root and collection",
    every_language,
)
def links_both_ways(document: Document) -> Iterator[Failure]:
    for rel, relatives in _relatives(document).items():
        wanted = relatives if document.file == document.english else {chinese_twin(path) for path in relatives}
        hrefs = [str(link.get("href", "")) for link in document.links if link.get("rel") == rel]
        targets = {document.target(href) for href in hrefs}
        if targets != wanted or len(hrefs) != len(wanted):
            extra, missing = sorted(map(str, targets - wanted)), sorted(wanted - targets)
            yield Failure(
                document.file,
                f"{len(hrefs)} {rel} links, {_some(extra)} too many and {_some(missing)} missing",
                f"{rel} links to {_some(sorted(wanted))}",
                _REBUILD,
            )


def _some(paths: list[str]) -> str:
    """The first of many paths."""
    more = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
    return f"{', '.join(paths[:5]) or 'none'}{more}"


def _relatives(document: Document) -> dict[str, set[str]]:
    """The documents, by their English paths, to which each kind of link must lead."""
    archive, path = document.archive, document.english
    expected: dict[str, set[str]] = {"root": {CATALOG_JSON}, "parent": set(), "child": set(), "item": set()}
    collection = f"{document.collection_id}/{COLLECTION_JSON}"
    if path == CATALOG_JSON:
        expected["child"] = {child.file for child in archive.collections}
    elif path == collection:
        parts, own = archive.parts_of(document), archive.items_of(document)
        expected |= {"parent": {CATALOG_JSON}, "child": {part.file for part in parts}}
        expected["item"] = set() if parts else {item.file for item in own}
    elif PART.fullmatch(path.rpartition("/")[2]):
        expected |= {"parent": {collection}, "item": _children_by_parent(archive).get(path, set())}
    else:
        expected |= {"parent": {_part_of(archive).get(path, collection)}, "collection": {collection}}
    return expected


def _part_of(archive: Archive) -> dict[str, str]:
    """The sub-catalogue that names each item."""
    if "part of" not in archive.notes:
        parts = [part for collection in archive.collections for part in archive.parts_of(collection)]
        archive.notes["part of"] = {
            str(part.target(str(link.get("href", "")))): part.file
            for part in parts
            for link in part.links
            if link.get("rel") == "item"
        }
    named: dict[str, str] = archive.notes["part of"]
    return named


def _children_by_parent(archive: Archive) -> dict[str, set[str]]:
    """The items that name each document as their parent."""
    if "children" not in archive.notes:
        children: dict[str, set[str]] = {}
        for item in archive.items:
            parents = (link.get("href", "") for link in item.links if link.get("rel") == "parent")
            for parent in parents:
                children.setdefault(str(item.target(parent)), set()).add(item.file)
        archive.notes["children"] = children
    by_parent: dict[str, set[str]] = archive.notes["children"]
    return by_parent


@check(
    "assets-exist", "every asset is a file inside the archive, and every file beside an item is its asset", documents
)
def assets_exist(document: Document) -> Iterator[Failure]:
    paths = document.archive.path_set
    targets = set()
    for key, asset in document.assets.items():
        target = document.target(asset.get("href", ""))
        targets.add(target)
        if target is None or target not in paths:
            yield Failure(
                f"{document.file}: asset {key}",
                repr(asset.get("href")),
                "the path of a file inside the archive",
                _REBUILD,
            )
    if document.file.count("/") == 2:
        below = document.archive.below_item.get(document.folder, ())
        beside = {path for path in below if not path.endswith(".html")}
        beside -= {document.file, document.twin}
        for path in sorted(beside - targets):
            yield Failure(path, "a file that no asset names", "an asset of the item", _REBUILD)


@check("asset-types", "every asset has the media type of its file, a role and a title", documents)
def asset_types(document: Document) -> Iterator[Failure]:
    for key, asset in document.assets.items():
        where, expected = f"{document.file}: asset {key}", media_type_of(str(asset.get("href")))
        if asset.get("type") != expected:
            yield Failure(where, f"type {asset.get('type')!r}", repr(expected), _REBUILD)
        for name in ("roles", "title"):
            if not asset.get(name):
                yield Failure(where, f"no {name}", f"{name} of every asset", _REBUILD)


@check("asset-checksums", "file:size and file:checksum of every asset are those of its file", documents)
def asset_checksums(document: Document) -> Iterator[Failure]:
    files = document.archive.files
    for key, asset in document.assets.items():
        target = document.target(asset.get("href", ""))
        # the table of all items is no collection's own; the manifest vouches for it
        if target is None or target not in document.archive.path_set or target == ITEMS_PARQUET:
            continue
        where = f"{document.file}: asset {key}"
        if asset.get("file:size") != files.size(target):
            yield Failure(where, f"file:size {asset.get('file:size')}", f"{files.size(target)} bytes", _REBUILD)
        if not files.deep and target.endswith(".tif"):
            continue
        expected = f"1220{files.sha256(target)}"
        if asset.get("file:checksum") != expected:
            yield Failure(where, f"file:checksum {asset.get('file:checksum')}", expected, _REBUILD)


@check("item-extent", "bbox has its corners in order, lies on the globe and is that of the geometry", items)
def item_extent(item: Document) -> Iterator[Failure]:
    bbox = [float(value) for value in item.content["bbox"]]
    yield from _corner_failures(item.file, bbox)
    geometry = geometry_of(item.content["geometry"])
    if geometry.is_empty or not geometry.is_valid:
        yield Failure(f"{item.file}: geometry", "an empty or invalid geometry", "a valid polygon", _REBUILD)
        return
    if max(abs(one - other) for one, other in zip(bbox, geometry.bounds, strict=True)) > _DEGREE:
        yield Failure(f"{item.file}: bbox", str(bbox), f"{list(geometry.bounds)}, the bounds of the geometry", _REBUILD)


def _corner_failures(where: str, bbox: list[float]) -> Iterator[Failure]:
    west, south, east, north = bbox
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        yield Failure(f"{where}: bbox", str(bbox), "west < east and south < north, in degrees", "swap the corners back")


@check("item-time", "datetime lies between start and end, and the start is before the end", items)
def item_time(item: Document) -> Iterator[Failure]:
    properties = item.content["properties"]
    start, end = _moment(properties["start_datetime"]), _moment(properties["end_datetime"])
    if end < start:
        yield Failure(item.file, f"end {end.isoformat()} before start {start.isoformat()}", "start <= end", _REBUILD)
    stated = properties.get("datetime")
    if stated is not None and not start <= _moment(stated) <= end:
        yield Failure(item.file, f"datetime {stated}", f"between {start.isoformat()} and {end.isoformat()}", _REBUILD)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} without a time zone")
    return moment


@check("collection-extent", "a collection's extent holds all of its items, and its dates are in order", collections)
def collection_extent(collection: Document) -> Iterator[Failure]:
    extent = collection.content["extent"]
    west, south, east, north = (float(value) for value in extent["spatial"]["bbox"][0])
    yield from _corner_failures(collection.file, [west, south, east, north])
    start, end = (None if text is None else _moment(text) for text in extent["temporal"]["interval"][0])
    if start and end and end < start:
        yield Failure(collection.file, f"interval {start} to {end}", "start <= end", "swap the dates back")
    for item in collection.archive.items_of(collection):
        left, bottom, right, top = item.content["bbox"]
        outside = max(west - left, south - bottom, right - east, top - north)
        if outside > _DEGREE:
            corners = f"{item.content['bbox']}, {outside:.6f} degrees outside"
            yield Failure(
                f"{item.file}: bbox", corners, f"inside {[west, south, east, north]} of the collection", _REBUILD
            )
        first, last = (_moment(item.content["properties"][key]) for key in ("start_datetime", "end_datetime"))
        if (start and first < start) or (end and last > end):
            yield Failure(
                item.file, f"{first.date()} to {last.date()}", f"inside {start} to {end} of the collection", _REBUILD
            )


@check(
    "collection-union",
    "a collection's extent is the union of its items and, in time, of the claimed period, which it lists",
    collections,
)
def collection_union(collection: Document) -> Iterator[Failure]:
    members = collection.archive.items_of(collection)
    if not members:
        yield Failure(collection.file, "no item", "at least one item", _REBUILD)
        return
    boxes = [[float(value) for value in item.content["bbox"]] for item in members]
    union = [*(min(box[k] for box in boxes) for k in (0, 1)), *(max(box[k] for box in boxes) for k in (2, 3))]
    stated_box = collection.content["extent"]["spatial"]["bbox"][0]
    if max(abs(one - other) for one, other in zip(stated_box, union, strict=True)) > _DEGREE:
        yield Failure(
            f"{collection.file}: extent.spatial", str(stated_box), f"{union}, the union of its items", _REBUILD
        )
    periods = [
        [_moment(item.content["properties"][key]) for key in ("start_datetime", "end_datetime")] for item in members
    ]
    listed = [[_moment(str(text)) for text in one] for one in collection.content["extent"]["temporal"]["interval"]]
    stated, claimed = listed[0], _claimed(collection)
    if claimed is not None:
        periods.append(claimed)
        if claimed not in listed:
            expected = f"{claimed[0].date()} to {claimed[1].date()} among its intervals, as the description claims"
            yield Failure(f"{collection.file}: extent.temporal", "the claimed period is not listed", expected, _REBUILD)
    union_of_time = [min(start for start, _ in periods), max(end for _, end in periods)]
    if stated != union_of_time:
        expected = f"{' to '.join(moment.isoformat() for moment in union_of_time)}, the union of its items"
        found_time = " to ".join(moment.isoformat() for moment in stated)
        yield Failure(f"{collection.file}: extent.temporal", found_time, expected, _REBUILD)


def _claimed(collection: Document) -> list[datetime] | None:
    """First and last second of the period that the description claims; None in an archive that does not name it."""
    claimed = collection.content.get("glacier:claimed_period")
    if not isinstance(claimed, dict):
        return None
    return [_moment(f"{claimed['start']}T00:00:00Z"), _moment(f"{claimed['end']}T23:59:59Z")]


@check(
    "item-dates",
    "an elevation change begins and ends on the days between which its rate counts",
    items,
)
def item_dates(item: Document) -> Iterator[Failure]:
    properties = item.content["properties"]
    settings = properties.get("glacier:settings")
    if properties.get("glacier:kind") != "elevation_change" or not isinstance(settings, dict):
        return
    days = [settings.get("earlier_date"), settings.get("later_date")]
    if not all(days) or "glacier:rate_period" not in properties:
        return
    stated = [str(properties[key])[:10] for key in ("start_datetime", "end_datetime")]
    period = properties["glacier:rate_period"]
    if stated != days or [period["start"], period["end"]] != days:
        told = f"{' to '.join(stated)}, rate from {period['start']} to {period['end']}"
        yield Failure(item.file, told, f"{days[0]} to {days[1]}, as in glacier:settings", _REBUILD)


@check(
    "collection-summaries",
    "a collection summarises values that its items have, and describes each of their assets",
    collections,
)
def collection_summaries(collection: Document) -> Iterator[Failure]:
    members = collection.archive.items_of(collection)
    where, summaries = f"{collection.file}: summaries", collection.content.get("summaries") or {}
    for name, stated in summaries.items():
        values = [value for item in members for value in _summarised(item, name)]
        if any(isinstance(value, dict | list) for value in values) or len({isinstance(v, str) for v in values}) > 1:
            raise WrongForm(f"summary {name}: items say what cannot be summed up")
        if not values:
            yield Failure(f"{where} {name}", f"{stated}", "no summary of a field that no item has", _REBUILD)
            continue
        if isinstance(stated, dict):
            true: object = {"minimum": min(values), "maximum": max(values)}
            said: object = {key: stated.get(key) for key in ("minimum", "maximum")}
        else:
            true, said = sorted(set(values), key=str), sorted(stated, key=str)
        if said != true:
            yield Failure(f"{where} {name}", f"{stated}", f"{true}, by its items", _REBUILD)
    described = set(collection.content.get("item_assets") or {})
    for item in members:
        for key in sorted(item.assets.keys() - described):
            expected = f"every asset in item_assets of {collection.file}"
            yield Failure(
                f"{item.file}: asset {key}", "an asset that its collection does not describe", expected, _REBUILD
            )


def _summarised(item: Document, name: str) -> list[Any]:
    """The values of an item that a summary of this name tells of: the property, or those of its assets."""
    properties = item.content["properties"]
    values = [properties[name]] if name in properties else [one[name] for one in item.assets.values() if name in one]
    return [value for value in values if value is not None]


@check("flat-fields", "the fields for search state what the records of the same item state", items)
def flat_fields(item: Document) -> Iterator[Failure]:
    properties = item.content["properties"]
    for name, (record, inner) in SEARCHED.items():
        expected = (properties.get(record) or {}).get(inner)
        if properties.get(name) != expected:
            told = f"{expected!r}, as {record}.{inner}"
            yield Failure(f"{item.file}: {name}", repr(properties.get(name)), told, _REBUILD)


@check("renders", "every render names assets that are there", documents)
def renders(document: Document) -> Iterator[Failure]:
    stated = document.content.get("renders") or document.content.get("properties", {}).get("renders") or {}
    known = set(document.assets) | set(document.content.get("item_assets") or {})
    for name, render in stated.items():
        for asset in render["assets"]:
            if asset not in known:
                yield Failure(
                    f"{document.file}: render {name}", f"asset {asset!r}", f"one of {sorted(known)}", _REBUILD
                )


def leaves(value: Any) -> Iterator[Any]:
    """Every value in a JSON document that is no object or list."""
    if isinstance(value, dict):
        yield from chain.from_iterable(leaves(part) for part in value.values())
    elif isinstance(value, list):
        yield from chain.from_iterable(leaves(part) for part in value)
    else:
        yield value


@lru_cache(maxsize=2)
def _registry(folder: Path | None) -> Schemas:
    return schemas_at_hand(folder or schema_folder())
