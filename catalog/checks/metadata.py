"""Checks of the metadata records and vector files: standards, agreement with each other and with the files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from datacite import schema45
from shapely.geometry import shape

from catalog.checks.archive import Archive, Document, File, collections, files_ending, whole
from catalog.checks.result import Failure, check
from catalog.layout import DATAPACKAGE_JSON, INDEX_HTML, METADATA
from catalog.metadata.ncdc import NCDC_FIELDS
from schemas.glacier_extension import SCHEMA_PATH, json_schema

_REBUILD = "build the archive again"
_EDGE_DEGREES = 0.01


@check("own-schema", "the archive holds the schema of its glacier fields as this software publishes it", whole)
def own_schema(root: File) -> Iterator[Failure]:
    found = root.archive.json(SCHEMA_PATH)
    if found is None:
        yield Failure(SCHEMA_PATH, "no JSON", "the schema of the glacier fields", _REBUILD)
    elif found != json_schema(found.get("$id")):
        yield Failure(SCHEMA_PATH, "another schema", "that of this software", "validate with the version that built it")


@check(
    "geojson",
    "every GeoJSON file holds valid features inside its item, and says whether they are synthetic",
    files_ending(".geojson"),
)
def geojson(file: File) -> Iterator[Failure]:
    archive, content = file.archive, file.archive.json(file.file)
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        yield Failure(file.file, "no feature collection", "a GeoJSON FeatureCollection", _REBUILD)
        return
    item = next((item for item in archive.items if item.folder == file.file.rpartition("/")[0]), None)
    if item is None:
        yield Failure(file.file, "a file beside no item", "a file of an item", _REBUILD)
        return
    if content.get("synthetic") is not item.content["properties"]["glacier:synthetic"]:
        yield Failure(file.file, f"synthetic {content.get('synthetic')}", f"as in {item.file}", _REBUILD)
    if not isinstance(content.get("title"), str) or not content["title"]:
        yield Failure(file.file, f"title {content.get('title')!r}", "a title", _REBUILD)
    west, south, east, north = item.content["bbox"]
    for number, feature in enumerate(content["features"]):
        where, geometry = f"{file.file}: feature {number}", shape(feature["geometry"])
        if feature["type"] != "Feature" or not isinstance(feature["properties"], dict) or not feature["properties"]:
            yield Failure(where, "no feature with properties", "a GeoJSON Feature", _REBUILD)
        if geometry.is_empty or not geometry.is_valid:
            yield Failure(where, "an empty or invalid geometry", "a valid geometry", _REBUILD)
            continue
        left, bottom, right, top = geometry.bounds
        outside = right < west - _EDGE_DEGREES or left > east + _EDGE_DEGREES
        if outside or top < south - _EDGE_DEGREES or bottom > north + _EDGE_DEGREES:
            yield Failure(where, f"bounds {geometry.bounds}", f"inside {item.content['bbox']}", _REBUILD)


@check(
    "metadata-standards",
    "the DataCite record follows its schema, and the NCDC record has every field of the portal",
    collections,
)
def metadata_standards(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, f"{collection.folder}/{METADATA}"
    record = archive.json(f"{folder}/datacite.json")
    for error in schema45.validator.iter_errors(record):
        place = "/".join(str(part) for part in error.absolute_path) or "record"
        yield Failure(f"{folder}/datacite.json: {place}", error.message[:200], "what DataCite 4.5 allows", _REBUILD)
    portal = archive.json(f"{folder}/ncdc.json")
    missing = [name for name in NCDC_FIELDS if name not in portal]
    if missing:
        yield Failure(f"{folder}/ncdc.json", f"no {', '.join(missing)}", "every field, empty where unknown", _REBUILD)


@check("metadata-agrees", "the records state one identifier, title, version, period and bounding box", collections)
def metadata_agrees(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, f"{collection.folder}/{METADATA}"
    portal, cite, data = (archive.json(f"{folder}/{name}") for name in ("ncdc.json", "datacite.json", "dataset.jsonld"))
    box = cite["geoLocations"][0]["geoLocationBox"]
    bounds = [box[f"{side}Bound{kind}"] for side, kind in _SIDES]
    south, west, north, east = (float(value) for value in data["spatialCoverage"]["geo"]["box"].split())
    period = f"{portal['ds_acq_start_time']}/{portal['ds_acq_end_time']}"
    collected = [entry["date"] for entry in cite["dates"] if entry["dateType"] == "Collected"]
    issued = next((entry["date"] for entry in cite["dates"] if entry["dateType"] == "Issued"), None)
    version, title = collection.content["version"], collection.content["title"]
    stated = [portal[f"ds_acq_{name}"] for name in ("lon_west", "lat_south", "lon_east", "lat_north")]
    for name, key, found, expected in (
        ("ncdc.json", "id", portal["id"], collection.collection_id),
        ("ncdc.json", "title", portal["title_en"], title),
        ("datacite.json", "title", cite["titles"][0]["title"], title),
        ("dataset.jsonld", "name", data["name"], title),
        ("ncdc.json", "version", portal["version"], version),
        ("datacite.json", "version", cite["version"], version),
        ("dataset.jsonld", "version", data["version"], version),
        ("datacite.json", "bounding box", bounds, stated),
        ("dataset.jsonld", "bounding box", [west, south, east, north], stated),
        ("datacite.json", "period", collected[0], period),
        ("dataset.jsonld", "period", data["temporalCoverage"], period),
        ("datacite.json", "issued", issued, str(portal["publish_time"])[:10]),
        ("datacite.json", "publication year", cite["publicationYear"], str(issued)[:4]),
        ("ncdc.json", "synthetic", portal["synthetic"], collection.content["glacier:synthetic"]),
    ):
        if found != expected:
            yield Failure(f"{folder}/{name}: {key}", f"{found!r}", f"{expected!r}, as elsewhere", _REBUILD)


_SIDES = (("west", "Longitude"), ("south", "Latitude"), ("east", "Longitude"), ("north", "Latitude"))


@check(
    "metadata-files", "RO-Crate, schema.org and NCDC name the data files with their true size and sha256", collections
)
def metadata_files(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, f"{collection.folder}/{METADATA}"
    graph = archive.json(f"{folder}/ro-crate-metadata.json")["@graph"]
    crate = {entry["@id"]: entry for entry in graph if "sha256" in entry}
    listed = {entry["contentUrl"]: entry for entry in archive.json(f"{folder}/dataset.jsonld")["distribution"]}
    yield from _listed_files(archive, folder, "ro-crate-metadata.json", crate)
    yield from _listed_files(archive, folder, "dataset.jsonld", listed)
    portal = archive.json(f"{folder}/ncdc.json")
    sizes = [archive.files.size(f"{collection.folder}/{name.removeprefix('../')}") or 0 for name in crate]
    for key, true in (("ds_files_count", len(crate)), ("ds_total_size", sum(sizes))):
        if portal[key] != true:
            yield Failure(f"{folder}/ncdc.json: {key}", f"{portal[key]}", f"{true}", _REBUILD)


def _listed_files(archive: Archive, folder: str, name: str, entries: dict[str, Any]) -> Iterator[Failure]:
    where, top = f"{folder}/{name}", folder.rpartition("/")[0]
    expected = {path for path in archive.paths if path.startswith(f"{top}/") and _is_data(path, top)}
    found = {f"{top}/{href.removeprefix('../')}": entry for href, entry in entries.items()}
    for path in sorted(expected - found.keys()):
        yield Failure(where, f"no word of {path}", "every data file of the collection", _REBUILD)
    for path, entry in found.items():
        if path not in archive.path_set:
            yield Failure(where, f"{path}, where no file is", "the files of the collection", _REBUILD)
            continue
        size = int(str(entry["contentSize"]).removesuffix(" B"))
        if size != archive.files.size(path):
            yield Failure(f"{where}: {path}", f"{size} bytes", f"{archive.files.size(path)} bytes", _REBUILD)
        if archive.files.deep or not path.endswith(".tif"):
            digest = archive.files.sha256(path)
            if entry["sha256"] != digest:
                yield Failure(f"{where}: {path}", f"sha256 {entry['sha256']}", f"sha256 {digest}", _REBUILD)


def _is_data(path: str, top: str) -> bool:
    """Whether a file is data: tables, figures and the files of items, but neither STAC documents nor pages."""
    parts = path.removeprefix(f"{top}/").split("/")
    if len(parts) == 1:
        return parts[0] == DATAPACKAGE_JSON or parts[0].endswith(".png")
    document = parts[-1] == INDEX_HTML or parts[1] == f"{parts[0]}.json"
    return parts[0] != METADATA and not document


CHECKS = (own_schema, geojson, metadata_standards, metadata_agrees, metadata_files)
