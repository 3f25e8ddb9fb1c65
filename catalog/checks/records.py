"""Checks of the words and numbers of the metadata records against definition and STAC."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import reduce
from typing import Any

from catalog.archive import (
    CITATION_CFF,
    CITATION_TXT,
    CRATE_JSON,
    DATACITE_JSON,
    DATACITE_XML,
    DATAPACKAGE_JSON,
    DATASET_JSONLD,
    ISO19139_XML,
    METADATA,
    NCDC_JSON,
    README_MD,
    Archive,
    Document,
    collections,
)
from catalog.checks.provenance import definition_of, plain
from catalog.checks.result import Failure, check
from catalog.checks.stac import leaves
from catalog.checks.stated import rows_of

_REBUILD = "build the archive again"
# the words of the definition that each rendering repeats, by their place in it
_ABSTRACT, _METHODS, _QUALITY = "reading.description", "reading.processing_method", "reading.data_quality"
_SOURCES = "reading.data_source"
_TOLD: dict[str, tuple[str, ...]] = {
    f"{METADATA}/{DATACITE_JSON}": tuple(
        f"{place}.{tongue}" for place in (_ABSTRACT, _SOURCES, _METHODS, _QUALITY) for tongue in ("en", "cn")
    ),
    f"{METADATA}/{DATACITE_XML}": tuple(
        f"{place}.{tongue}" for place in (_ABSTRACT, _SOURCES, _METHODS, _QUALITY) for tongue in ("en", "cn")
    ),
    f"{METADATA}/{ISO19139_XML}": tuple(
        f"{place}.{tongue}" for place in (_ABSTRACT, _SOURCES, _METHODS, _QUALITY) for tongue in ("en", "cn")
    ),
    f"{METADATA}/{DATASET_JSONLD}": (f"{_ABSTRACT}.en", f"{_ABSTRACT}.cn"),
    f"{METADATA}/{CRATE_JSON}": (f"{_ABSTRACT}.en",),
    f"{METADATA}/{CITATION_CFF}": (f"{_ABSTRACT}.en",),
    f"{METADATA}/{CITATION_TXT}": ("title.en", "title.cn", "original.citation"),
    DATAPACKAGE_JSON: (f"{_ABSTRACT}.en",),
    README_MD: ("title.en", "title.cn", f"{_ABSTRACT}.en"),
}
# field of the portal's record, and where the definition has it
_PORTAL = {
    "ds_abstract": "original.description",
    "ds_source": "original.data_source",
    "ds_process_way": "original.processing_method",
    "ds_quality": "original.data_quality",
    "ds_acq_alt_low": "altitude.low",
    "ds_acq_alt_high": "altitude.high",
    "title_cn": "title.cn",
    "title_en": "title.en",
    "ds_serv_man": "contacts.0.name",
}


def _at(definition: Any, place: str) -> Any:
    """What stands at a place of the definition; None where nothing does."""

    def step(holder: Any, key: str) -> Any:
        if isinstance(holder, list):
            return holder[int(key)] if len(holder) > int(key) else None
        return holder.get(key) if isinstance(holder, dict) else None

    return reduce(step, place.split("."), definition)


def _whole_text(archive: Archive, path: str) -> str:
    text = archive.text(path) or ""
    if path.endswith((".json", ".jsonld")):
        return plain("\n".join(str(leaf) for leaf in leaves(archive.json(path))))
    if path.endswith(".cff"):
        import yaml

        return plain("\n".join(str(leaf) for leaf in leaves(_parsed(yaml.safe_load(text)))))
    return plain(text)


def _parsed(content: Any) -> Any:
    # YAML may hold days, which are no values of JSON
    return json.loads(json.dumps(content, default=str))


@check(
    "records-tell-the-definition",
    "every record repeats abstract, sources, methods and quality of the definition",
    collections,
)
def records_tell_the_definition(collection: Document) -> Iterator[Failure]:
    definition, archive = definition_of(collection), collection.archive
    for name, places in _TOLD.items():
        path = f"{collection.folder}/{name}"
        if path not in archive.path_set:
            continue  # named by the check of the layout
        text = _whole_text(archive, path)
        for place in places:
            words = _at(definition, place)
            if words and plain(str(words)) not in text:
                yield Failure(path, "a record without it", f"{str(words)[:160]!r}, as {place} says", _REBUILD)


@check(
    "portal-tells-the-original",
    "the portal's record repeats the original description, its altitudes and its contact",
    collections,
)
def portal_tells_the_original(collection: Document) -> Iterator[Failure]:
    definition, path = definition_of(collection), f"{collection.folder}/{METADATA}/{NCDC_JSON}"
    record = collection.archive.json(path)
    for name, place in _PORTAL.items():
        wanted, stated = _at(definition, place), record.get(name)
        if wanted is None or name not in record:
            continue
        told = stated == wanted if isinstance(wanted, int | float) else plain(str(wanted)) in plain(str(stated))
        if not told:
            yield Failure(f"{path}: {name}", f"{stated!r}"[:200], f"{str(wanted)[:160]!r}, as {place} says", _REBUILD)
    stated_sizes = (raster.get("raster:spatial_resolution") for raster in _measured(collection))
    resolutions = {float(size) for size in stated_sizes if size is not None}
    stated_m = re.fullmatch(r"([\d.]+) m", str(record.get("ds_space_res")))
    if stated_m and resolutions and float(stated_m[1]) not in resolutions:
        yield Failure(f"{path}: ds_space_res", stated_m[0], f"{sorted(resolutions)}, of its rasters", _REBUILD)


def _measured(collection: Document) -> Iterator[dict[str, Any]]:
    for item in collection.archive.items_of(collection):
        yield from (asset for asset in item.assets.values() if "data" in (asset.get("roles") or ()))


@check(
    "computed-quality",
    "the quality that the portal's record gives as computed is that of STAC and of the tables",
    collections,
)
def computed_quality(collection: Document) -> Iterator[Failure]:
    archive, path = collection.archive, f"{collection.folder}/{METADATA}/{NCDC_JSON}"
    computed = archive.json(path).get("computed_quality")
    if not isinstance(computed, dict):
        return
    stated = computed.get("statistics")
    statistics = stated if isinstance(stated, dict) else {}
    for item in archive.items_of(collection):
        properties = item.content["properties"]
        pairs = statistics.get("pairs")
        pair = pairs.get(properties.get("glacier:pair")) if isinstance(pairs, dict) else statistics
        if not isinstance(pair, dict):
            continue
        for name, key in (
            ("stable_terrain", "glacier:stable_terrain"),
            ("shift_m", "glacier:shift_m"),
            ("glaciers", "glacier:totals"),
        ):
            if pair.get(name) is not None and key in properties and pair[name] != properties[key]:
                yield Failure(
                    f"{path}: computed_quality {name}", f"{pair[name]}"[:200], f"that of {item.file}", _REBUILD
                )
    gates = [(g.get("gate"), g.get("subject"), g.get("passed")) for g in _objects(computed.get("gates"))]
    rows = rows_of(archive, collection.collection_id, "quality_gates")
    expected = [(row["gate"], row["subject"], row["passed"] == "true") for row in rows]
    if gates != expected:
        yield Failure(f"{path}: computed_quality gates", f"{gates}"[:200], f"{expected}"[:200], _REBUILD)
    years = {
        row["year"]: row["annual_balance_m_we"]
        for row in rows_of(archive, collection.collection_id, "glacier_balances")
    }
    for year in _objects(statistics.get("years")):
        text = years.get(str(year.get("year")), "")
        value = year.get("annual_balance_m_we")
        known = isinstance(value, int | float)
        if known != (text != "") or (known and abs(float(text) - float(value or 0)) > _ROUNDED_TWICE):
            yield Failure(f"{path}: computed_quality", f"{year}", f"{text or None} in the table", _REBUILD)


_ROUNDED_TWICE = 0.0051  # the record gives balances at 0.0001 m w.e., the table at 0.01


def _objects(value: Any) -> list[dict[str, Any]]:
    """The objects of a list; anything else stands for none, and is then unlike what the tables state."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


@check("citation-in-chinese", "the citation text cites in Chinese with year and version of the definition", collections)
def citation_in_chinese(collection: Document) -> Iterator[Failure]:
    definition, path = definition_of(collection), f"{collection.folder}/{METADATA}/{CITATION_TXT}"
    text = collection.archive.text(path) or ""
    year, version = str(definition["publication_date"])[:4], definition["version"]
    if f"，{year}，版本{version}" not in text:
        yield Failure(path, "another year or version in Chinese", f"'，{year}，版本{version}'", _REBUILD)
    keywords = definition["reading"].get("keywords") or definition["original"].get("keywords") or {}
    words = keywords.get("en", keywords)
    listed = next((line for line in text.split("\n") if line.startswith("Keywords")), "").partition(": ")[2]
    expected = list(
        dict.fromkeys(word for kind in ("theme", "subject", "place", "time") for word in words.get(kind, ()))
    )
    # each stands on one line, and may itself hold what parts them
    parted = "; ".join(" ".join(str(word).split()) for word in expected).split("; ")
    if expected and sorted(listed.split("; ")) != sorted(parted):
        yield Failure(path, f"keywords {listed}"[:200], f"{expected}"[:200], _REBUILD)
