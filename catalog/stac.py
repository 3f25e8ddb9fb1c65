"""The static STAC 1.1.0 catalogue, derived from the files as they were written.

Links are relative, so that the archive can be moved. The ``glacier:`` fields are described by a schema inside the
archive (link ``describedby``); it is also declared in ``stac_extensions`` where ``base_url`` makes it resolvable,
for an extension is declared by an absolute address.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any

import pystac

from catalog.cogs import RasterFacts, raster_facts
from catalog.dataset import Asset, Dataset, Item
from catalog.elevation_change_item import gate_records, supported_period
from catalog.layout import CATALOG_JSON, DATAPACKAGE_JSON, METADATA, METADATA_FILES, README_MD, TABLES, CollectionFolder
from catalog.manifest import sha256_of, tool_versions
from catalog.mass_balance_items import COLLECTION_FIGURES
from catalog.media_types import COG, media_type_of
from catalog.metadata.facts import Facts, describe
from catalog.metadata.ncdc import stated_fields
from catalog.tables import workbook_path
from schemas.definition import Contact, Definition
from schemas.errors import BadInput
from schemas.fields import Table
from schemas.glacier_extension import PREFIX, SCHEMA_PATH, json_schema
from schemas.tables import PUBLISHED_TABLES

CATALOG_ID = "glacier-archive"

# links are relative, so any root serves; the real one will not do, for pystac takes a folder "x.y" for a file
_ANYWHERE = "/archive"
_EXTENSIONS = "https://stac-extensions.github.io"
# each field, or prefix of fields, and the extensions that define it
_DECLARED = {
    "proj:": ("projection/v2.0.0",),
    "raster:": ("raster/v2.0.0",),
    "file:": ("file/v2.1.0",),
    "table:": ("table/v1.2.0",),
    "processing:": ("processing/v1.2.0",),
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
_METADATA_TITLES = {
    "ncdc.json": "Record of the National Cryosphere Desert Data Center",
    "citation.txt": "Citation text",
    "CITATION.cff": "Citation File Format",
    "datacite.json": "DataCite metadata (JSON)",
    "datacite.xml": "DataCite metadata (XML)",
    "iso19139.xml": "ISO 19139 metadata",
    "dataset.jsonld": "schema.org Dataset",
    "ro-crate-metadata.json": "RO-Crate metadata",
}
_TABLES = {table.name: table for table in PUBLISHED_TABLES}

Written = tuple[Dataset, tuple[Item, ...]]


def write_stac(root: Path, datasets: Sequence[Written], base_url: str | None) -> None:
    """Write ``catalog.json``, each ``collection.json`` and item, and the schema of our fields.

    Parameters
    ----------
    root : the archive; the products, tables and metadata stand in it already.
    datasets : each dataset with the items that were written for it, in the order of the catalogue.
    base_url : where the archive will be served from; adds absolute ``self`` and ``canonical`` links.

    Errors
    ------
    BadInput : a base URL that is not http(s).
    """
    base = _base(base_url)
    catalog = _catalog(datasets)
    extra: dict[str, dict[str, Any]] = {}
    for dataset, items in datasets:
        folder = CollectionFolder(root, dataset.definition.id)
        collection = _collection(dataset, items)
        catalog.add_child(collection, title=collection.title)
        for item in items:
            collection.add_item(_item(dataset, item), title=item.title)
        extra |= {f"{folder.collection_id}/{item.item_id}": _item_extra(item) for item in items}
        extra[folder.collection_id] = _collection_extra(dataset, items, folder, extra)
    # before any asset is added: setting self links later would rewrite relative asset links
    catalog.normalize_hrefs(_ANYWHERE)
    for entry in (catalog, *catalog.get_children(), *catalog.get_items(recursive=True)):
        place = PurePosixPath(str(entry.get_self_href())).relative_to(_ANYWHERE)
        _write_json(root / place, _document(entry, extra.get(place.parent.as_posix(), {}), place, base))
    _write_json(root / SCHEMA_PATH, json_schema(f"{base}/{SCHEMA_PATH}" if base else None))


# --- the three kinds of documents --------------------------------------------------------------------------------


def _catalog(datasets: Sequence[Written]) -> pystac.Catalog:
    titles = "; ".join(describe(dataset, ()).title.en for dataset, _ in datasets)
    synthetic = any(dataset.synthetic for dataset, _ in datasets)
    note = "Contains products of a synthetic sample, which are no observations. " if synthetic else ""
    return pystac.Catalog(
        CATALOG_ID,
        f"{note}Glacier change from raw observations: {titles}.",
        title="Glacier archive",
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
    )


def _collection(dataset: Dataset, items: tuple[Item, ...]) -> pystac.Collection:
    definition, facts = dataset.definition, describe(dataset, ())
    return pystac.Collection(
        definition.id,
        facts.abstract.en,
        _extent(definition, items),
        title=facts.title.en,
        license=definition.licence,
        keywords=[*facts.keywords, *(["synthetic"] if dataset.synthetic else [])],
        providers=[pystac.Provider(definition.publisher, roles=_roles("host"), url=definition.publisher_url)],
        catalog_type=pystac.CatalogType.SELF_CONTAINED,
    )


def _item(dataset: Dataset, item: Item) -> pystac.Item:
    start, end = _first_second(item.start), _last_second(item.end)
    facts = describe(dataset, ())
    return pystac.Item(
        item.item_id,
        item.geometry,
        list(item.bbox),
        end,  # non-null beside start and end: clients that know no ranges still find it
        {
            "title": item.title,
            "description": item.description,
            "keywords": [*facts.keywords, *(["synthetic"] if dataset.synthetic else [])],
            "license": dataset.definition.licence,
            "version": dataset.definition.version,
            "published": _stamp(_first_second(dataset.definition.publication_date)),
            "start_datetime": _stamp(start),
            "end_datetime": _stamp(end),
            "processing:software": tool_versions(),
            **item.properties,
        },
    )


def _extent(definition: Definition, items: tuple[Item, ...]) -> pystac.Extent:
    """The union of the items; the definition's own extent where there is none."""
    if not items:
        stated = definition.extent
        bbox = [stated.west, stated.south, stated.east, stated.north]
        days = (definition.period.start, definition.period.end)
    else:
        west, south, east, north = zip(*(item.bbox for item in items), strict=True)
        bbox = [min(west), min(south), max(east), max(north)]
        days = (min(item.start for item in items), max(item.end for item in items))
    interval: list[datetime | None] = [_first_second(days[0]), _last_second(days[1])]
    return pystac.Extent(pystac.SpatialExtent([bbox]), pystac.TemporalExtent([interval]))


def _document(entry: pystac.STACObject, extra: dict[str, Any], place: PurePosixPath, base: str) -> dict[str, Any]:
    """The JSON of one document: what pystac says, what is derived from files, links and declared extensions."""
    document = entry.to_dict(include_self_link=False)
    properties = {**document.get("properties", {}), **extra.get("properties", {})}
    document |= {key: value for key, value in extra.items() if key not in ("properties", "links")}
    if properties:
        document["properties"] = properties
    up = "../" * (len(place.parts) - 1) or "./"
    document["links"] = [*document["links"], *extra.get("links", []), _schema_link(up), *_absolute_links(place, base)]
    document["stac_extensions"] = sorted(_extensions_of(document, base))
    ordered = {key: document.pop(key) for key in _ORDER if key in document}
    return ordered | {key: document[key] for key in sorted(document, key=lambda key: (key in ("links", "assets"), key))}


# --- items -------------------------------------------------------------------------------------------------------


def _item_extra(item: Item) -> dict[str, Any]:
    assets = {asset.key: _asset(item.folder / asset.href, asset) for asset in item.assets}
    codes = sorted({entry["proj:code"] for entry in assets.values() if "proj:code" in entry})
    return {"assets": assets, "properties": {"proj:code": codes[0]} if len(codes) == 1 else {}}


def _asset(path: Path, asset: Asset) -> dict[str, Any]:
    described = {
        "href": f"./{asset.href}",
        "title": asset.title,
        **({"description": asset.description} if asset.description else {}),
        "type": asset.media_type,
        "roles": list(asset.roles),
    }
    raster = _raster_fields(asset.key, raster_facts(path)) if asset.media_type == COG else {}
    return {**described, **raster, **asset.extra, **_file_fields(path)}


def _file_fields(path: Path) -> dict[str, Any]:
    # a multihash: 0x12 for sha2-256, 0x20 for its 32 bytes
    return {"file:size": path.stat().st_size, "file:checksum": f"1220{sha256_of(path)}"}


def _raster_fields(key: str, facts: RasterFacts) -> dict[str, Any]:
    names = ("red", "green", "blue") if len(facts.bands) == 3 else (key,)
    return {
        "proj:code": facts.crs,
        "proj:shape": list(facts.shape),
        "proj:transform": list(facts.transform),
        "proj:bbox": list(facts.bounds),
        "raster:spatial_resolution": abs(facts.transform[0]),
        "bands": [
            {
                "name": names[index],
                "description": band.description,
                "data_type": band.data_type,
                **({"nodata": _whole(band.nodata)} if band.nodata is not None else {}),
                **({"unit": band.unit} if band.unit else {}),
                "statistics": _without_none(
                    {
                        "minimum": band.minimum,
                        "maximum": band.maximum,
                        "mean": band.mean,
                        "stddev": band.std,
                        "count": band.count,
                        "valid_percent": band.valid_percent,
                    }
                ),
            }
            for index, band in enumerate(facts.bands)
        ],
    }


# --- collections -------------------------------------------------------------------------------------------------


def _collection_extra(
    dataset: Dataset, items: tuple[Item, ...], folder: CollectionFolder, written: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    definition, facts = dataset.definition, describe(dataset, ())
    own = [written[f"{folder.collection_id}/{item.item_id}"] for item in items]
    return {
        **_glacier_fields(dataset),
        **_ncdc_fields(folder),
        "version": definition.version,
        "sci:citation": facts.citation.en,
        **({"sci:doi": definition.doi} if definition.doi else {}),
        "language": {"code": "en", "name": "English", "dir": "ltr"},
        **_contacts(definition),
        **_themes(definition),
        "summaries": _summaries(items, own),
        "item_assets": _item_assets(own),
        "assets": dict(_collection_assets(items, folder, facts)),
        "links": list(_collection_links(definition, folder)),
    }


def _ncdc_fields(folder: CollectionFolder) -> dict[str, Any]:
    """The portal record's fields, as ``metadata/ncdc.json`` states them."""
    record = folder.metadata / "ncdc.json"
    if not record.is_file():
        return {}
    return {"glacier:ncdc": stated_fields(json.loads(record.read_text(encoding="utf-8")))}


def _glacier_fields(dataset: Dataset) -> dict[str, Any]:
    definition = dataset.definition
    origin = {}
    if definition.extent.origin == "filled":
        origin["extent"] = definition.extent.basis
    filled = [contact for contact in definition.contacts if contact.origin == "filled"]
    origin |= {f"contact {contact.name}": contact.basis for contact in filled}
    fields: dict[str, Any] = {
        "glacier:kind": definition.kind,
        "glacier:synthetic": dataset.synthetic,
        "glacier:gates": gate_records(dataset),
        "glacier:altitude_m": {"low": definition.altitude.low, "high": definition.altitude.high},
    }
    if definition.project:
        fields["glacier:project"] = {"number": definition.project.number, "name": definition.project.name}
    if origin:
        fields["glacier:origin"] = origin
    if supported := supported_period(dataset):
        fields["glacier:supported_period"] = supported
    return fields


def _collection_assets(
    items: tuple[Item, ...], folder: CollectionFolder, facts: Facts
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every file beside the collection that is there: tables, workbook, package, metadata, figures."""
    best = next((item for item in reversed(items) if (item.folder / "thumbnail.png").is_file()), None)
    if best:
        yield (
            "thumbnail",
            _file_asset(folder, f"{best.item_id}/thumbnail.png", "Thumbnail with colour scale", "thumbnail"),
        )
    for path in sorted(folder.tables.glob("*.csv")):
        table = _TABLES[path.stem]
        asset = _file_asset(folder, f"{TABLES}/{path.name}", table.title, "data", table.meaning)
        yield f"table_{path.stem}", {**asset, **_table_fields(path, table)}
    for path in sorted(folder.tables.glob("*.parquet")):
        table = _TABLES[path.stem]
        title = f"{table.title} (Parquet)"
        yield f"table_{path.stem}_parquet", _file_asset(folder, f"{TABLES}/{path.name}", title, "data", table.meaning)
    described = [
        ("workbook", workbook_path(folder).relative_to(folder.path).as_posix(), "All tables in one workbook", "data"),
        ("datapackage", DATAPACKAGE_JSON, "Data Package with the schemas of the tables", "metadata"),
        ("readme", README_MD, "README of the collection", "metadata"),
        *((f"figure_{Path(name).stem}", name, title, "overview") for name, title in COLLECTION_FIGURES.items()),
        *((_metadata_key(name), f"{METADATA}/{name}", _METADATA_TITLES[name], "metadata") for name in METADATA_FILES),
    ]
    for key, href, title, role in described:
        if (folder.path / href).is_file():
            yield key, _file_asset(folder, href, title, role)


def _file_asset(folder: CollectionFolder, href: str, title: str, role: str, description: str = "") -> dict[str, Any]:
    asset: dict[str, Any] = {"href": f"./{href}", "title": title}
    if description:
        asset["description"] = description
    return {**asset, "type": media_type_of(href), "roles": [role], **_file_fields(folder.path / href)}


def _metadata_key(name: str) -> str:
    return "metadata_" + name.replace(".", "_").replace("-", "_").lower()


def _table_fields(path: Path, table: Table) -> dict[str, Any]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = sum(1 for _ in csv.reader(file)) - 1
    columns = [
        {
            "name": column.name,
            "type": column.type,
            "description": f"{column.meaning} ({column.unit})" if column.unit else column.meaning,
        }
        for column in table.columns
    ]
    return {"table:columns": columns, "table:row_count": rows}


def _collection_links(definition: Definition, folder: CollectionFolder) -> Iterator[dict[str, Any]]:
    yield {
        "rel": "license",
        "href": definition.publisher_url
        if definition.licence == "other"
        else f"https://spdx.org/licenses/{definition.licence}.html",
        "type": "text/html",
        "title": definition.licence_note or f"Licence: {definition.licence}",
    }
    yield {"rel": "about", "href": definition.publisher_url, "type": "text/html", "title": definition.publisher}
    if definition.doi:
        yield {"rel": "cite-as", "href": f"https://doi.org/{definition.doi}", "title": f"doi:{definition.doi}"}
    for source in definition.sources:
        if source.url:
            yield {"rel": "derived_from", "href": source.url, "title": source.title}
    if (folder.metadata / "iso19139.xml").is_file():
        href = f"./{METADATA}/iso19139.xml"
        yield {"rel": "describedby", "href": href, "type": "application/xml", "title": "ISO 19139 metadata"}


def _contacts(definition: Definition) -> dict[str, Any]:
    return {"contacts": [_contact(contact) for contact in definition.contacts]} if definition.contacts else {}


def _contact(contact: Contact) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": contact.name, "roles": [contact.role]}
    if contact.organization:
        entry["organization"] = contact.organization
    if contact.email:
        entry["emails"] = [{"value": contact.email}]
    if contact.phone.startswith("+"):
        entry["phones"] = [{"value": contact.phone}]
    elif contact.phone:
        # STAC wants the international form; a country code that the source does not state is not made up
        entry["contactInstructions"] = [f"Telephone {contact.phone}"]
    return entry


def _themes(definition: Definition) -> dict[str, Any]:
    words = definition.keywords.en
    kinds = {"theme": words.theme, "subject": words.subject, "place": words.place, "time": words.time}
    themes = [
        {
            "scheme": f"{definition.publisher}: {kind} keywords",
            "concepts": [{"id": word} for word in dict.fromkeys(listed)],
        }
        for kind, listed in kinds.items()
        if listed
    ]
    return {"themes": themes} if themes else {}


def _summaries(items: tuple[Item, ...], written: list[dict[str, Any]]) -> dict[str, Any]:
    """Values that the items have: lists of the different ones, ranges of numbers."""
    codes = {entry["properties"]["proj:code"] for entry in written if "proj:code" in entry["properties"]}
    levels = {item.properties["processing:level"] for item in items if "processing:level" in item.properties}
    summaries: dict[str, Any] = {"proj:code": sorted(codes), "processing:level": sorted(levels)}
    for name, values in (
        ("glacier:year", [item.properties.get("glacier:year") for item in items]),
        ("glacier:annual_m_we", [item.properties.get("glacier:balance", {}).get("annual_m_we") for item in items]),
        ("glacier:ela_m", [item.properties.get("glacier:ela", {}).get("altitude_m") for item in items]),
    ):
        known = [value for value in values if value is not None]
        if known:
            summaries[name] = {"minimum": min(known), "maximum": max(known)}
    return {name: value for name, value in summaries.items() if value}


def _item_assets(written: list[dict[str, Any]]) -> dict[str, Any]:
    """What the items' assets have in common: all but what depends on one file."""
    result: dict[str, Any] = {}
    for entry in written:
        for key, asset in entry["assets"].items():
            kept = {name: asset[name] for name in ("title", "type", "roles", "raster:sampling") if name in asset}
            bands = [
                {name: value for name, value in band.items() if name != "statistics"} for band in asset.get("bands", ())
            ]
            classes = {name: asset[name] for name in asset if name.startswith("classification:")}
            result.setdefault(key, {**kept, **({"bands": bands} if bands else {}), **classes})
    return result


# --- parts of every document -------------------------------------------------------------------------------------


def _extensions_of(document: dict[str, Any], base: str) -> set[str]:
    """The extensions whose fields stand in a document."""
    groups = [document.get(name, {}).values() for name in ("assets", "item_assets")]
    places = [document, document.get("properties", {}), document.get("summaries", {}), *chain.from_iterable(groups)]
    names = {name for place in places for name in place}
    found = set()
    for field, versions in _DECLARED.items():
        if any(name.startswith(field) if field.endswith(":") else name == field for name in names):
            found |= {f"{_EXTENSIONS}/{version}/schema.json" for version in versions}
    if base and any(name.startswith(PREFIX) for name in names):
        found.add(f"{base}/{SCHEMA_PATH}")
    return found


def _schema_link(up: str) -> dict[str, str]:
    title = "Schema of the glacier fields"
    return {"rel": "describedby", "href": f"{up}{SCHEMA_PATH}", "type": "application/schema+json", "title": title}


def _absolute_links(place: PurePosixPath, base: str) -> list[dict[str, str]]:
    if not base:
        return []
    kind = "application/geo+json" if len(place.parts) == 3 else "application/json"
    href = f"{base}/{place.as_posix()}"
    return [{"rel": rel, "href": href, "type": kind, "title": "This document"} for rel in ("self", "canonical")]


def _base(base_url: str | None) -> str:
    if not base_url:
        return ""
    if not base_url.startswith(("http://", "https://")):
        raise BadInput(
            "--base-url", repr(base_url), "an http or https address", "leave it out for a relocatable archive"
        )
    return base_url.removesuffix(CATALOG_JSON).rstrip("/")


def _roles(*names: str) -> list[pystac.ProviderRole]:
    return [pystac.ProviderRole(name) for name in names]


def _first_second(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _last_second(day: date) -> datetime:
    return datetime.combine(day, time(23, 59, 59), UTC)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _without_none(values: dict[str, float | int | None]) -> dict[str, float | int]:
    return {name: round(value, 6) for name, value in values.items() if value is not None}


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")
