"""Checks of what STAC states: each fact is that of the definition, of the tables, or of the document beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import hypot, isclose
from typing import Any

from catalog.archive import (
    COLLECTION_JSON,
    MANIFEST_JSON,
    Archive,
    Document,
    WrongForm,
    collections,
    every_language,
    items,
    media_type_of,
    tables_of,
)
from catalog.checks.provenance import definition_of
from catalog.checks.result import Failure, check
from catalog.checks.tables import of_pair

_REBUILD = "build the archive again"
_SLACK = 1e-6
_ROUNDED = 0.00005  # numbers of a document
Rows = list[dict[str, str]]
# one fact: where it stands, what stands there, what should
Fact = tuple[str, Any, Any]


def rows_of(archive: Archive, collection: str, name: str, properties: dict[str, Any] | None = None) -> Rows:
    """The records of a table, of an item's own pair of DEMs where its properties are given; none where it is absent."""
    for table in tables_of(archive, collection):
        if table.resource.get("name") == name:
            frame = table.frame()
            own = frame if properties is None else of_pair(frame, properties)
            return [{str(key): str(value) for key, value in row.items()} for row in own.to_dict("records")]
    return []


def same(stated: Any, text: str, slack: float = 0.0) -> bool:
    """Whether a value says what a cell says, to the digits that the cell gives."""
    if stated is None or text == "":
        return stated is None and text == ""
    if isinstance(stated, bool):
        return text == str(stated).lower()
    if isinstance(stated, int | float):
        digits = 0.5 * 10.0 ** -len(text.partition(".")[2])
        return abs(float(stated) - float(text)) <= digits + slack + _SLACK * max(1.0, abs(float(text)))
    return str(stated) == text


def _without_years(keywords: Any) -> list[str]:
    """The keywords that an item has of its collection; the years are its own."""
    return sorted(str(word) for word in keywords or () if not str(word).isdigit())


def _unlike(where: str, facts: Iterator[Fact], source: str) -> Iterator[Failure]:
    for name, stated, expected in facts:
        told = (
            same(stated, expected, _ROUNDED)
            if isinstance(expected, str) and not isinstance(stated, str)
            else stated == expected
        )
        if not told:
            yield Failure(f"{where}: {name}", f"{stated!r}"[:200], f"{expected!r}"[:200] + f", as {source}", _REBUILD)


@check(
    "item-repeats-collection",
    "an item states keywords, licence, version and day of publication of its collection, and ends with its last day",
    items,
)
def item_repeats_collection(item: Document) -> Iterator[Failure]:
    collection = item.archive.json(f"{item.collection_id}/{COLLECTION_JSON}")
    properties = item.content["properties"]
    facts: list[Fact] = [(key, properties.get(key), collection.get(key)) for key in ("license", "version", "published")]
    told, own = (_without_years(one.get("keywords")) for one in (properties, collection))
    facts.append(("keywords", told, own))
    facts.append(("datetime", properties.get("datetime"), properties.get("end_datetime")))
    title, description = str(collection.get("title")), str(collection.get("description"))
    yield from _unlike(item.file, iter(facts), f"in {item.collection_id}/{COLLECTION_JSON}")
    for key, words in (("title", title), ("description", description)):
        if words not in str(properties.get(key)):
            yield Failure(f"{item.file}: {key}", f"{properties.get(key)!r}"[:200], f"{words!r}"[:200], _REBUILD)


@check(
    "definition-is-stated",
    "a collection states title, abstract, publisher, project, period, extent and altitudes of its definition",
    collections,
)
def definition_is_stated(collection: Document) -> Iterator[Failure]:
    definition, content = definition_of(collection), collection.content
    reading, period = definition["reading"], definition["period"]
    project, publisher = definition.get("project"), content["providers"][0]
    facts: list[Fact] = [
        ("providers", publisher.get("name"), definition["publisher"]),
        ("providers url", publisher.get("url"), definition["publisher_url"]),
        ("published", str(content.get("published"))[:10], str(definition["publication_date"])),
        ("glacier:altitude_m", content.get("glacier:altitude_m"), definition.get("altitude")),
        ("glacier:project", content.get("glacier:project"), project),
        ("glacier:claimed_period", content.get("glacier:claimed_period"), _days(period, "")),
    ]
    yield from _unlike(collection.file, iter(facts), f"in the definition in {MANIFEST_JSON}")
    told = (("title", definition["title"]["en"]), ("description", reading["description"]["en"]))
    for key, words in told:
        if str(words) not in str(content.get(key)):
            yield Failure(f"{collection.file}: {key}", f"{content.get(key)!r}"[:200], f"{words!r}"[:200], _REBUILD)
    chinese = collection.archive.json(collection.twin)
    for key, words in (("title", definition["title"].get("cn")), ("description", reading["description"].get("cn"))):
        if words and str(words) not in str(chinese.get(key)):
            yield Failure(f"{collection.twin}: {key}", f"{chinese.get(key)!r}"[:200], f"{words!r}"[:200], _REBUILD)


def _days(period: dict[str, Any], which: str) -> dict[str, str]:
    return {name: str(period[f"{which}{name}"]) for name in ("start", "end")}


@check("period-is-stated", "an item states the days that the definition claims and supports", items)
def period_is_stated(item: Document) -> Iterator[Failure]:
    period, properties = definition_of(item)["period"], item.content["properties"]
    facts: list[Fact] = []
    if "glacier:claimed_period" in properties and not properties.get("glacier:pair"):
        facts.append(("glacier:claimed_period", properties["glacier:claimed_period"], _days(period, "")))
    supported = properties.get("glacier:supported_period")
    if supported and not properties.get("glacier:pair"):
        stated = {name: supported.get(name) for name in ("start", "end")}
        facts.append(("glacier:supported_period", stated, _days(period, "supported_")))
    yield from _unlike(item.file, iter(facts), f"in the definition in {MANIFEST_JSON}")


@check("link-titles", "a link has the title and the media type of the document that it leads to", every_language)
def link_titles(document: Document) -> Iterator[Failure]:
    archive = document.archive
    for link in document.links:
        target = document.target(str(link.get("href", "")))
        if target is None or target not in archive.path_set or not target.endswith(".json"):
            continue
        if link.get("rel") not in ("root", "parent", "child", "item", "collection") or "hreflang" in link:
            continue
        content = archive.json(target)
        title = content.get("title") or content.get("properties", {}).get("title")
        if link.get("title") != title:
            where = f"{document.file}: link {link.get('rel')}"
            yield Failure(where, f"title {link.get('title')!r}", f"{title!r}, as in {target}", _REBUILD)


@check(
    "assets-as-described", "an asset has title, description, type, roles and bands that its collection describes", items
)
def assets_as_described(item: Document) -> Iterator[Failure]:
    described = item.archive.json(f"{item.collection_id}/{COLLECTION_JSON}").get("item_assets") or {}
    for key, asset in item.assets.items():
        for name in ("title", "description", "type", "roles", "bands"):
            own = described.get(key, {})
            if name not in own:
                continue
            stated, expected = (_of_every_item(one) for one in (asset.get(name), own[name]))
            if stated != expected:
                where, words = f"{item.file}: asset {key}", f"{expected!r}"[:200]
                yield Failure(where, f"{name} {stated!r}"[:200], f"{words}, as its collection says", _REBUILD)
        expected_type = media_type_of(str(asset.get("href")))
        if asset.get("type") != expected_type:
            yield Failure(f"{item.file}: asset {key}", f"type {asset.get('type')!r}", repr(expected_type), _REBUILD)


def _of_every_item(value: Any) -> Any:
    """What is said of an asset in every item: of its bands without what their pixels are, of words without numbers."""
    if isinstance(value, str):
        return re.sub(r"[-\N{MINUS SIGN}]?\d+(\.\d+)?", "#", value)
    if not isinstance(value, list):
        return value
    return [{k: v for k, v in one.items() if k not in _OF_ITEM} if isinstance(one, dict) else one for one in value]


# differs from item to item
_OF_ITEM = ("statistics", "description", "nodata", "data_type", "classification:classes", "histogram")

# property of a balance item, and the column of the table of balances that it comes from
_OF_YEAR = {
    "glacier:glacier_id": "glacier_id",
    "glacier:time_system": "time_system",
    "glacier:provenance": "provenance",
    "glacier:aar": "aar",
    "glacier:sigma_aar": "sigma_aar",
    "glacier:area_km2": "area_km2",
}


@check("year-is-in-table", "a balance item states identity, time system, provenance and flags of its year", items)
def year_is_in_table(item: Document) -> Iterator[Failure]:
    properties = item.content["properties"]
    if properties.get("glacier:kind") != "mass_balance":
        return
    rows = rows_of(item.archive, item.collection_id, "glacier_balances")
    year = str(properties.get("glacier:year"))
    row = next((one for one in rows if one["year"] == year), None)
    if row is None:
        return  # named by the check of years
    facts: list[Fact] = [(key, properties.get(key), row[column]) for key, column in _OF_YEAR.items()]
    flags = [str(flag).partition(":")[0] for flag in properties.get("glacier:flags") or ()]
    facts.append(("glacier:flags", flags, [one.partition(":")[0] for one in row["flags"].split(";") if one]))
    name = properties.get("glacier:glacier_name")
    facts.append(("title of the glacier", str(name) in str(properties.get("description")), True))
    yield from _unlike(item.file, iter(facts), "in the table glacier_balances")


@check("gates-equal", "a gate in STAC has the value, the limit and the unit of the table", lambda a: a.documents)
def gates_equal(document: Document) -> Iterator[Failure]:
    content = document.content
    stated = content.get("glacier:gates") or content.get("properties", {}).get("glacier:gates") or []
    rows = {(r["gate"], r["subject"]): r for r in rows_of(document.archive, document.collection_id, "quality_gates")}
    promised = {gate["name"]: gate for gate in definition_of(document).get("gates", ())} if stated else {}
    for gate in stated:
        row = rows.get((gate["name"], gate["subject"]))
        facts: list[Fact] = (
            [] if row is None else [(key, gate.get(key), row[key]) for key in ("value", "limit", "unit")]
        )
        own = promised.get(gate["name"])
        if own is not None:
            facts.append(("limit", gate.get("limit"), float(own["limit"])))
        yield from _unlike(f"{document.file}: gate {gate['name']}", iter(facts), "in the table and the definition")


# of the region, by the names of both
_TOTALS = ("count", "area_km2", "mean_dh_m", "sigma_mean_dh_m", "mean_dhdt_m_a", "sigma_mean_dhdt_m_a")
_MORE_TOTALS = (
    "volume_change_m3",
    "sigma_volume_change_m3",
    "mass_change_kg",
    "sigma_mass_change_kg",
    "observed_share",
)


@check(
    "change-is-in-tables",
    "an elevation change states totals, shift, accuracy and correction as the tables do",
    items,
)
def change_is_in_tables(item: Document) -> Iterator[Failure]:
    properties = item.content["properties"]
    if properties.get("glacier:kind") != "elevation_change":
        return
    yield from _unlike(item.file, _totals(item, properties), "in the table region")
    yield from _unlike(item.file, _shift(item, properties), "in the table coregistration")
    yield from _unlike(item.file, _accuracy(item, properties), "in the table accuracy")
    yield from _unlike(item.file, _taken_off(item, properties), "in the table resolution")
    yield from _unlike(item.file, _own_accuracy(properties), "among its own properties")


def _totals(item: Document, properties: dict[str, Any]) -> Iterator[Fact]:
    totals: dict[str, Any] = properties.get("glacier:totals") or {}
    for row in rows_of(item.archive, item.collection_id, "region", properties)[:1] if totals else ():
        for name in (*_TOTALS, *_MORE_TOTALS):
            if row[name] != "" and totals.get(name) is not None:
                yield f"glacier:totals {name}", totals[name], row[name]


def _shift(item: Document, properties: dict[str, Any]) -> Iterator[Fact]:
    rows = rows_of(item.archive, item.collection_id, "coregistration", properties)
    if rows and "glacier:shift_m" in properties:
        last = max(rows, key=lambda row: int(row["iteration"]))
        for name in ("east", "north"):
            yield f"glacier:shift_m {name}", properties["glacier:shift_m"][name], last[f"shift_{name}_m"]


_STEPS = {"before": "raw", "after_coregistration": "coregistered", "after": "corrected"}
_MEASURES = ("count", "mean_m", "mean_absolute_m", "median_m", "std_m", "nmad_m", "rmse_m", "le90_m")


def _accuracy(item: Document, properties: dict[str, Any]) -> Iterator[Fact]:
    rows = rows_of(item.archive, item.collection_id, "accuracy", properties)
    whole = {row["step"]: row for row in rows if row["class"] == "all"}
    for name, step in _STEPS.items():
        stated = properties.get("glacier:stable_terrain", {}).get(name, {})
        for measure in _MEASURES if step in whole else ():
            yield f"glacier:stable_terrain {name} {measure}", stated.get(measure), whole[step][measure]


def _taken_off(item: Document, properties: dict[str, Any]) -> Iterator[Fact]:
    correction = properties.get("glacier:resolution_correction") or {}
    rows = rows_of(item.archive, item.collection_id, "resolution", properties)
    for row in rows:
        if row["area"] not in ("stable", "glaciers"):
            continue
        key, value = f"{row['area']}_m", row["taken_off_m"]
        own = correction.get("by_method", {}).get(row["method"], {}).get(key)
        yield f"glacier:resolution_correction {row['method']} {key}", own, value
        if row["published"] == "true" and row["method"] == correction.get("method"):
            yield f"glacier:resolution_correction {key}", correction.get("taken_off", {}).get(key), value


def _own_accuracy(properties: dict[str, Any]) -> Iterator[Fact]:
    sigma, after = properties.get("glacier:sigma_shift_m"), properties.get("glacier:stable_terrain", {}).get("after")
    if sigma:
        for name, true in (
            ("geometric_x_stddev", sigma["east"]),
            ("geometric_y_stddev", sigma["north"]),
            ("geometric_rmse", hypot(sigma["east"], sigma["north"])),
        ):
            stated = properties.get(f"accuracy:{name}")
            if stated is not None and not isclose(stated, true, rel_tol=1e-3, abs_tol=1e-3):
                yield f"accuracy:{name}", stated, true
    relative = properties.get("accuracy:measurement_relative")
    if after and relative is not None and not isclose(relative, after["nmad_m"], rel_tol=1e-6):
        yield "accuracy:measurement_relative", relative, after["nmad_m"]


# what a collection sums up of its items, by their kind
_SUMMARIES = {
    "mass_balance": {"glacier:year", "glacier:annual_m_we", "glacier:ela_m", "proj:code", "processing:level"},
    "elevation_change": {"proj:code", "processing:level"},
}


@check("summaries-complete", "a collection sums up the years, balances and lines of its items", collections)
def summaries_complete(collection: Document) -> Iterator[Failure]:
    summaries, members = collection.content.get("summaries") or {}, collection.archive.items_of(collection)
    told: set[str] = set()
    for item in members:
        properties = item.content["properties"]
        told |= {key for key in ("glacier:year", "processing:level") if properties.get(key) is not None}
        told |= (
            {"glacier:annual_m_we"}
            if (properties.get("glacier:balance") or {}).get("annual_m_we") is not None
            else set()
        )
        told |= {"glacier:ela_m"} if (properties.get("glacier:ela") or {}).get("altitude_m") is not None else set()
    wanted = _SUMMARIES.get(str(collection.content.get("glacier:kind")))
    if wanted is None:
        raise WrongForm(f"kind {collection.content.get('glacier:kind')!r}")
    for name in sorted((wanted & told) - summaries.keys()):
        yield Failure(f"{collection.file}: summaries", f"no {name}", "what its items state", _REBUILD)
