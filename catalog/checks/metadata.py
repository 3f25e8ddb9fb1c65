"""Checks of the metadata records and vector files: standards, agreement with each other and with the files."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from catalog.archive import (
    CITATION_TXT,
    CRATE_JSON,
    DATACITE_JSON,
    DATAPACKAGE_JSON,
    DATASET_JSONLD,
    INDEX_HTML,
    ITEMS_PARQUET,
    METADATA,
    NCDC_JSON,
    README_MD,
    Archive,
    Document,
    File,
    collections,
    files_ending,
    geometry_of,
    join,
    whole,
)
from catalog.checks.metadata_facts import READERS, one_line, stated_facts
from catalog.checks.result import Failure, check
from catalog.formats import FORMULA_SIGNS
from catalog.metadata import NCDC_FIELDS, datacite_errors, is_large, is_of_item, markdown_line
from schemas.glacier_extension import SCHEMA_PATH, json_schema

_REBUILD = "build the archive again"
_EDGE_DEGREES = 0.01


@check("own-schema", "the archive holds the schema of its glacier fields as this software publishes it", whole)
def own_schema(root: File) -> Iterator[Failure]:
    schema = root.archive.parsed(SCHEMA_PATH)
    if not isinstance(schema, dict):
        yield Failure(SCHEMA_PATH, "no JSON", "the schema of the glacier fields", _REBUILD)
    elif schema != json_schema(schema.get("$id")):
        yield Failure(SCHEMA_PATH, "another schema", "that of this software", "validate with the version that built it")


@check(
    "geojson",
    "every GeoJSON file holds valid features inside its item, and says whether they are synthetic",
    files_ending(".geojson"),
)
def geojson(file: File) -> Iterator[Failure]:
    archive, content = file.archive, file.archive.parsed(file.file)
    if not isinstance(content, dict) or content.get("type") != "FeatureCollection":
        yield Failure(file.file, "no feature collection", "a GeoJSON FeatureCollection", _REBUILD)
        return
    archive.require_form(file.file, content)
    item = archive.item_in.get(file.file.rpartition("/")[0])
    if item is None:
        yield Failure(file.file, "a file beside no item", "a file of an item", _REBUILD)
        return
    if content.get("synthetic") is not item.content["properties"]["glacier:synthetic"]:
        yield Failure(file.file, f"synthetic {content.get('synthetic')}", f"as in {item.file}", _REBUILD)
    if not isinstance(content.get("title"), str) or not content["title"]:
        yield Failure(file.file, f"title {content.get('title')!r}", "a title", _REBUILD)
    west, south, east, north = item.content["bbox"]
    for number, feature in enumerate(content["features"]):
        where, geometry = f"{file.file}: feature {number}", geometry_of(feature["geometry"])
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
    record = archive.json(f"{folder}/{DATACITE_JSON}")
    for error in datacite_errors(record):
        place = "/".join(str(part) for part in error.absolute_path) or "record"
        yield Failure(f"{folder}/datacite.json: {place}", error.message[:200], "what DataCite 4.5 allows", _REBUILD)
    portal = archive.json(f"{folder}/{NCDC_JSON}")
    missing = [name for name in NCDC_FIELDS if name not in portal]
    if missing:
        yield Failure(f"{folder}/{NCDC_JSON}", f"no {', '.join(missing)}", "every field, empty where unknown", _REBUILD)


# of all renderings these two hold every fact, and each what the other lacks; the rest is held against them
_PORTAL, _DATACITE = f"{METADATA}/{NCDC_JSON}", f"{METADATA}/{DATACITE_JSON}"
_CITATION = f"{METADATA}/{CITATION_TXT}"


@dataclass(frozen=True)
class Rendering:
    """One rendering of a collection's metadata: its path, and the path from the collection's folder."""

    collection: Document
    name: str

    @property
    def file(self) -> str:
        return f"{self.collection.folder}/{self.name}"

    @property
    def content(self) -> bytes:
        content = self.collection.archive.files.read(self.file)
        if content is None:
            raise LookupError("no such file")
        return content

    def of(self, name: str) -> Rendering:
        """Another rendering of the same metadata."""
        return Rendering(self.collection, name)

    def expected(self) -> dict[str, Any]:
        """The facts as the portal's and the DataCite record state them."""
        notes, key = self.collection.archive.notes, f"facts:{self.collection.folder}"
        if key not in notes:
            pair = [stated_facts(name, self.of(name).content) for name in (_DATACITE, _PORTAL)]
            notes[key] = {**pair[0], **pair[1]}
        facts: dict[str, Any] = notes[key]
        return facts


def _renderings(*names: str) -> Any:
    def chosen(archive: Archive) -> Iterator[Rendering]:
        return (Rendering(collection, name) for collection in archive.collections for name in names)

    return chosen


@check(
    "metadata-agrees",
    "every rendering states the same title, extent, dates, keywords, contact, project, citation, licence and version",
    _renderings(*READERS),
)
def metadata_agrees(rendering: Rendering) -> Iterator[Failure]:
    expected = rendering.expected()
    for fact, stated in stated_facts(rendering.name, rendering.content).items():
        if fact in expected and stated != expected[fact]:
            where = f"{rendering.file}: {fact}"
            yield Failure(where, f"{stated!r}", f"{expected[fact]!r}, as in {_PORTAL} and {_DATACITE}", _REBUILD)


@check(
    "metadata-texts-agree",
    "citation text and README state the facts of the records in their own words",
    _renderings(_CITATION, README_MD),
)
def metadata_texts_agree(rendering: Rendering) -> Iterator[Failure]:
    facts, text = rendering.expected(), rendering.content.decode("utf-8")
    if rendering.name == _CITATION:
        wanted, lines = _cited_lines(facts), set(text.splitlines())
        absent = [line for line in wanted if line not in lines]
    else:
        absent = [markdown_line(said) for said in _told(facts) if markdown_line(said) not in text]
    for line in absent:
        yield Failure(rendering.file, "a text without it", f"{line!r}, as the records state it", _REBUILD)


def _cited_lines(facts: dict[str, Any]) -> list[str]:
    """Whole lines of the citation text."""
    box = " ".join(str(side) for side in facts["extent"])
    contact = ", ".join(part for part in (facts["contact"], facts["phone"], facts["email"]) if part)
    return [
        facts["citation"],
        f"Identifier / 标识: {facts['identifier']}",
        f"Period / 时间: {facts['period']}",
        f"Extent in degrees, west south east north / 范围（西 南 东 北）: {box}",
        f"Published / 发布: {facts['published']}",
        f"Licence / 许可: {facts['licence']}",
        f"DOI: {facts['doi'] or 'none assigned / 尚未分配'}",
        *([f"Contact / 联系人: {contact}"] if contact else []),
        *([f"Project / 项目: {facts['project']}"] if facts["project"] else []),
    ]


def _told(facts: dict[str, Any]) -> list[str]:
    """What the README tells, word for word."""
    start, _, end = facts["period"].partition("/")
    west, south, east, north = facts["extent"]
    said = [
        facts["citation"],
        facts["identifier"],
        f"Version {facts['version']}, published {facts['published']} by {facts['publisher']}",
        f"Period {start} to {end}",
        # it stands within a line: a minus sign opens a list where a line begins with it
        f"; {west} to {east} degrees east, {south} to {north} degrees north",
        f"Licence: {facts['licence']}",
        facts["contact"],
        facts["phone"],
        facts["email"],
        facts["project"],
        *facts["keywords"],
    ]
    return [one_line(text) for text in said if text]


@check("metadata-is-dated", "publication year, issue date and the mark of a synthetic sample agree", collections)
def metadata_is_dated(collection: Document) -> Iterator[Failure]:
    archive = collection.archive
    portal, cite = (archive.json(f"{collection.folder}/{name}") for name in (_PORTAL, _DATACITE))
    issued = next((entry["date"] for entry in cite["dates"] if entry["dateType"] == "Issued"), None)
    for name, key, stated, expected in (
        (_DATACITE, "publication year", cite["publicationYear"], str(issued)[:4]),
        (_PORTAL, "synthetic", portal["synthetic"], collection.content["glacier:synthetic"]),
    ):
        if stated != expected:
            yield Failure(f"{collection.folder}/{name}: {key}", f"{stated!r}", f"{expected!r}, as elsewhere", _REBUILD)


@check(
    "metadata-files",
    "RO-Crate, schema.org and NCDC name the data files, each in one list, with their true size and sha256",
    collections,
)
def metadata_files(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, f"{collection.folder}/{METADATA}"
    data = sorted(path for path in archive.paths if path.startswith(f"{collection.folder}/"))
    data = [path for path in data if _is_data(path, collection.folder)]
    crates, broken = _crates(archive, f"{folder}/{CRATE_JSON}")
    yield from broken
    yield from _crate_files(archive, crates, data)
    yield from _downloads(collection, data)
    portal = archive.json(f"{folder}/{NCDC_JSON}")
    for key, true in (("ds_files_count", len(data)), ("ds_total_size", _total_size(archive, data))):
        if portal[key] != true:
            yield Failure(f"{folder}/ncdc.json: {key}", f"{portal[key]}", f"{true}", _REBUILD)


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FORMULA_CELL = re.compile(rb"<(?:\w+:)?f[\s>/]")
# what makes a workbook run or fetch something when it is opened
_ACTIVE_PARTS = ("xl/vbaProject", "xl/externalLinks/", "xl/connections", "xl/activeX/", "xl/embeddings/")


@check("no-formulas", "no cell of a CSV or workbook runs as a formula", files_ending(".csv", ".xlsx"))
def no_formulas(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file) or b""
    formulas = _workbook_formulas(content) if file.file.endswith(".xlsx") else _csv_formulas(content.decode("utf-8"))
    for where, text in formulas:
        yield Failure(f"{file.file}: {where}", text, "text that no spreadsheet runs", _REBUILD)


def _csv_formulas(text: str) -> Iterator[tuple[str, str]]:
    rows = csv.reader(io.StringIO(text, newline=""))
    for row in rows:
        for cell in row:
            # a sign by itself is a value ('=' of a bound), and a signed number is a number
            if len(cell) > 1 and cell.startswith(FORMULA_SIGNS) and not _NUMBER.fullmatch(cell):
                yield f"line {rows.line_num}", f"{cell[:60]!r}"


def _workbook_formulas(content: bytes) -> Iterator[tuple[str, str]]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for part in book.namelist():
            if part.startswith(_ACTIVE_PARTS):
                yield part, "a part that runs or loads something"
            elif part.startswith("xl/worksheets/") and _FORMULA_CELL.search(book.read(part)):
                yield part, "a formula"


def _crates(archive: Archive, top: str) -> tuple[dict[str, dict[str, Any]], list[Failure]]:
    """The files that a crate and those it names describe: by the crate's path, entries by the path of their file.

    A crate that is not as the one above it states, or that none names, is a failure.
    """
    folder = top.rpartition("/")[0]
    crates: dict[str, dict[str, Any]] = {top: _crate_entries(archive, top)}
    parts = {path: entry for path, entry in crates[top].items() if path.endswith(f"/{CRATE_JSON}")}
    broken = [failure for path, entry in parts.items() for failure in _untrue(archive, top, path, entry)]
    there = {path for path in archive.paths if path.startswith(f"{folder}/") and path.endswith(f"/{CRATE_JSON}")}
    for path in sorted(there - {top, *parts}):
        broken.append(Failure(path, "a crate that no other names", "a crate that the collection's names", _REBUILD))
    for path in sorted(there & parts.keys()):
        crates[path] = _crate_entries(archive, path)
        del crates[top][path]
    return crates, broken


def _crate_entries(archive: Archive, crate: str) -> dict[str, Any]:
    folder = crate.rpartition("/")[0]
    graph = archive.json(crate)["@graph"]
    return {str(join(folder, unquote(entry["@id"]))): entry for entry in graph if "sha256" in entry}


def _crate_files(archive: Archive, crates: dict[str, dict[str, Any]], data: list[str]) -> Iterator[Failure]:
    """What is wrong with the lists of the crates: together they name each file once, and its size and checksum."""
    where = next(iter(crates))
    named = Counter(path for entries in crates.values() for path in entries)
    for path in sorted(set(data) - named.keys()):
        yield Failure(where, f"no word of {path}", "every data file of the collection", _REBUILD)
    for path, count in named.items():
        if count > 1:
            yield Failure(where, f"{path} in {count} crates", "each file in one", _REBUILD)
    for crate, entries in crates.items():
        for path, entry in entries.items():
            yield from _untrue(archive, crate, path, entry)


def _downloads(collection: Document, data: list[str]) -> Iterator[Failure]:
    """What is wrong with the files that schema.org offers: all, or those of the collection and where to find the rest.

    A document that lists the rest is written after this one, which therefore states no checksum of it.
    """
    archive, folder = collection.archive, f"{collection.folder}/{METADATA}"
    where, content = f"{folder}/{DATASET_JSONLD}", archive.json(f"{folder}/{DATASET_JSONLD}")
    offered = {str(archive.target(folder, unquote(entry["contentUrl"]))): entry for entry in content["distribution"]}
    many = is_large(data)
    listed = [path for path in data if not (many and is_of_item(path.removeprefix(f"{collection.folder}/")))]
    for path in sorted(set(listed) - offered.keys()):
        yield Failure(where, f"no word of {path}", "every data file of the collection", _REBUILD)
    rest = {collection.file, ITEMS_PARQUET, f"{folder}/{CRATE_JSON}"} if many else set()
    for path in sorted(rest - offered.keys()):
        yield Failure(where, f"no word of {path}", "where the files of the items are listed", _REBUILD)
    for path, entry in offered.items():
        if path not in rest:
            yield from _untrue(archive, where, path, entry)
    size = f"{len(data)} files, {_total_size(archive, data)} bytes"
    if many and content.get("size") != size:
        yield Failure(f"{where}: size", f"{content.get('size')!r}", f"{size!r}", _REBUILD)


def _total_size(archive: Archive, paths: list[str]) -> int:
    return sum(archive.files.size(path) or 0 for path in paths)


def _untrue(archive: Archive, where: str, path: str, entry: dict[str, Any]) -> Iterator[Failure]:
    """Where an entry of a list says other than the file."""
    if path not in archive.path_set:
        yield Failure(where, f"{path}, where no file is", "the files of the collection", _REBUILD)
        return
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
    document = parts[-1] == INDEX_HTML or parts[1] in (f"{parts[0]}.json", f"{parts[0]}.zh.json")
    return parts[0] != METADATA and not document
