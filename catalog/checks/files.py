"""Checks of files as files: is this an archive, is it whole, can every file be read, does it betray a machine."""

from __future__ import annotations

import io
import json
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from lxml import etree

from catalog.archive import (
    CATALOG_JSON,
    COLLECTION_JSON,
    DATAPACKAGE_JSON,
    FORMAT,
    INDEX_HTML,
    LATER_METADATA_FILES,
    MANIFEST_JSON,
    MANIFEST_PARTS,
    METADATA,
    METADATA_FILES,
    MOST_BYTES,
    PARTS,
    README_MD,
    TABLES,
    THUMBNAIL_PNG,
    VOUCHERS,
    Archive,
    Document,
    File,
    broken_seal,
    collections,
    files_ending,
    whole,
)
from catalog.checks.result import Failure, NotChecked, check
from pipeline.inputs.zip_archives import ZIP_DAMAGE
from schemas.glacier_extension import SCHEMA_PATH
from schemas.machine_folders import machine_folders

THUMBNAIL_LIMIT = 600
SCHEMAS = SCHEMA_PATH.split("/")[0]
_REBUILD = "build the archive again, or fetch the file anew"
_TEXTS = (".json", ".jsonld", ".geojson", ".html", ".md", ".txt", ".cff", ".xml", ".csv")
_PNG = b"\x89PNG\r\n\x1a\n"


@check("is-archive", "catalog.json and our manifest.json stand at the root", whole)
def is_archive(root: File) -> Iterator[Failure]:
    archive = root.archive
    if archive.files.read(CATALOG_JSON) is None:
        yield Failure(
            CATALOG_JSON, "no such file", "the STAC catalogue of an archive", "give the archive's root folder"
        )
    if archive.files.read(MANIFEST_JSON) is None:
        yield Failure(MANIFEST_JSON, "no such file", "the manifest of an archive", "give the archive's root folder")
    elif not archive.parsed_manifest:
        yield Failure(MANIFEST_JSON, "a file that is no manifest of ours", "a JSON manifest", _REBUILD)


@check("layout", "each collection has its documents, metadata and tables, and each document its page", whole)
def layout_complete(root: File) -> Iterator[Failure]:
    paths = root.archive.path_set
    folders = sorted({path.split("/")[0] for path in paths if "/" in path} - {SCHEMAS, MANIFEST_PARTS})
    expected = [INDEX_HTML]
    for folder in folders:
        names = (
            COLLECTION_JSON,
            DATAPACKAGE_JSON,
            INDEX_HTML,
            README_MD,
            *(f"{METADATA}/{n}" for n in METADATA_FILES if n not in LATER_METADATA_FILES),
        )
        expected += [f"{folder}/{name}" for name in names]
        if not any(path.startswith(f"{folder}/{TABLES}/") and path.endswith(".csv") for path in paths):
            yield Failure(f"{folder}/{TABLES}", "no table", "at least one CSV table", _REBUILD)
    for parts in sorted({tuple(path.split("/")[:2]) for path in paths if path.count("/") >= 2}):
        if parts[0] != SCHEMAS and parts[1] not in (TABLES, METADATA):
            expected += [f"{parts[0]}/{parts[1]}/{parts[1]}.json", f"{parts[0]}/{parts[1]}/{INDEX_HTML}"]
    for path in expected:
        if path not in paths:
            yield Failure(path, "no such file", "a file of the archive's layout", _REBUILD)


@check("manifest-intact", "the manifest has the sha256 that it states of itself, 64 zeros in that one's place", whole)
def manifest_intact(root: File) -> Iterator[Failure]:
    if broken := broken_seal(root.archive.files.read(MANIFEST_JSON) or b""):
        stated, own = broken
        yield Failure(MANIFEST_JSON, f"sha256 {own}", f"sha256 {stated or 'of its own'}, as it states", _REBUILD)


@check("manifest-complete", "the manifest lists every file once and nothing else", whole)
def manifest_complete(root: File) -> Iterator[Failure]:
    archive = root.archive
    parts = {str(entry["path"]) for entry in archive.manifest.get(PARTS, ())}
    listed = [str(entry["path"]) for entry in archive.manifest["files"]]
    for path, count in Counter(listed).items():
        if count > 1:
            yield Failure(MANIFEST_JSON, f"{path} listed {count} times", "each file once", _REBUILD)
    if listed != sorted(listed):
        yield Failure(MANIFEST_JSON, "files out of order", "files sorted by path", _REBUILD)
    for path in sorted({*parts, *listed}):
        if archive.files.size(path) is None:
            yield Failure(path, "no such file", "a file that the manifest lists", _REBUILD)
    for path in sorted(archive.path_set - {MANIFEST_JSON, *VOUCHERS, *parts, *listed}):
        yield Failure(path, "a file that the manifest does not list", "no stray file", "move it out of the archive")
    for path in archive.files.links():
        yield Failure(path, "a symbolic link", "a plain file", "put the file itself in its place")


@check("manifest-sizes", "every file has the size that the manifest states", whole)
def manifest_sizes(root: File) -> Iterator[Failure]:
    for entry in _stated(root.archive.manifest):
        size = root.archive.files.size(entry["path"])
        if size is not None and size != entry["size"]:
            yield Failure(entry["path"], f"{size} bytes", f"{entry['size']} bytes", _REBUILD)


@check("manifest-checksums", "every file has the sha256 that the manifest states", whole)
def manifest_checksums(root: File) -> Iterator[Failure]:
    archive = root.archive
    for entry in _stated(archive.manifest):
        if not archive.files.deep and entry["path"].endswith(".tif"):
            continue
        digest = archive.files.sha256(entry["path"])
        if digest is not None and digest != entry["sha256"]:
            yield Failure(entry["path"], f"sha256 {digest}", f"sha256 {entry['sha256']}", _REBUILD)
    if not archive.files.deep:
        raise NotChecked("rasters are not read whole over the network unless the validation is deep")


def _stated(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """What the manifest says of each file, its own parts first."""
    return [*manifest.get(PARTS, ()), *manifest["files"]]


@check("manifest-provenance", "the manifest names each collection with version, settings and checksummed inputs", whole)
def manifest_provenance(root: File) -> Iterator[Failure]:
    manifest = root.archive.manifest
    for key in ("code_version", "tools"):
        if not manifest.get(key):
            yield Failure(MANIFEST_JSON, f"no {key}", f"a {key}", _REBUILD)
    if manifest.get("format") != FORMAT:
        yield Failure(MANIFEST_JSON, f"format {manifest.get('format')}", f"format {FORMAT}", "use another version")
    if manifest.get("synthetic") is not any(dataset["synthetic"] for dataset in manifest["datasets"]):
        yield Failure(MANIFEST_JSON, f"synthetic {manifest.get('synthetic')}", "whether any dataset is", _REBUILD)
    for name, version in dict(manifest["tools"]).items():
        if not isinstance(version, str) or not version:
            yield Failure(MANIFEST_JSON, f"version {version!r} of {name}", "a version", _REBUILD)
    named = [dataset["id"] for dataset in manifest["datasets"]]
    present = sorted(document.collection_id for document in root.archive.collections)
    if sorted(named) != present:
        yield Failure(MANIFEST_JSON, f"datasets {sorted(named)}", f"one a collection: {present}", _REBUILD)
    for dataset in manifest["datasets"]:
        yield from _provenance_of(dataset)


def _provenance_of(dataset: dict[str, Any]) -> Iterator[Failure]:
    where = f"{MANIFEST_JSON}: {dataset['id']}"
    if not re.fullmatch(r"\d+\.\d+\.\d+", dataset["version"]):
        yield Failure(where, f"version {dataset['version']!r}", "a version such as 1.0.0", _REBUILD)
    if not dataset["settings"]:
        yield Failure(where, "no settings", "the settings of the run", _REBUILD)
    if not dataset["inputs"]:
        yield Failure(where, "no inputs", "the raw inputs with size and sha256", _REBUILD)
    for entry in dataset["inputs"]:
        if not re.fullmatch(r"[0-9a-f]{64}", entry["sha256"]):
            yield Failure(f"{where}: {entry['name']}", f"sha256 {entry['sha256']!r}", "64 hexadecimal digits", _REBUILD)


@check(
    "json-parses",
    "every JSON file is UTF-8 and strict JSON without duplicate keys",
    files_ending(".json", ".jsonld", ".geojson"),
)
def json_parses(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file)
    if content is None:
        return
    try:
        json.loads(content.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates)
    except (ValueError, RecursionError) as error:
        yield Failure(file.file, str(error), "strict JSON in UTF-8", _REBUILD)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name}, which JSON does not know")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = [key for key, count in Counter(key for key, _ in pairs).items() if count > 1]
    if repeated:
        raise ValueError(f"key {repeated[0]!r} given more than once")
    return dict(pairs)


@check("xml-parses", "every XML file is well-formed and has no document type or entity", files_ending(".xml"))
def xml_parses(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file)
    if content is None:
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(content, parser).getroottree()
    except etree.XMLSyntaxError as error:
        yield Failure(file.file, str(error), "well-formed XML", _REBUILD)
        return
    if tree.docinfo.doctype:
        yield Failure(file.file, "a document type", "no document type", _REBUILD)


@check("texts-portable", "text files are UTF-8 with LF ends and name no folder of a machine", files_ending(*_TEXTS))
def texts_portable(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file)
    if content is None:
        return
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        yield Failure(file.file, str(error), "UTF-8", _REBUILD)
        return
    if "\r" in text:
        yield Failure(file.file, "a carriage return", "lines that end with LF", _REBUILD)
    for number, line in enumerate(text.split("\n"), 1):
        if (folders := set(machine_folders(line))) and (own := folders - _folders_of_the_originals(file.archive)):
            remedy = "take it out of the input or the definition that says so, or build from the released code"
            yield Failure(f"{file.file}:{number}", f"{min(own)!r}", "no folder of a machine", remedy)


def _folders_of_the_originals(archive: Archive) -> set[str]:
    """What the descriptions that are published word for word name of the machines of others."""
    originals = [dataset["definition"].get("original") for dataset in archive.manifest["datasets"]]
    return {folder for original in originals for folder in machine_folders(json.dumps(original))}


@check(
    "images",
    "every PNG is whole to the checksum of each chunk, and thumbnails are at most 600 pixels wide and high",
    files_ending(".png"),
)
def images(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file)
    if content is None:
        return
    if content[:8] != _PNG or content[12:16] != b"IHDR" or content[-8:-4] != b"IEND":
        yield Failure(file.file, "no whole PNG", "a PNG image", _REBUILD)
        return
    if broken := _broken_chunk(content):
        yield Failure(file.file, broken, "a PNG whose chunks have their checksums", _REBUILD)
        return
    width, height = struct.unpack(">II", content[16:24])
    if file.file.endswith(THUMBNAIL_PNG) and max(width, height) > THUMBNAIL_LIMIT:
        yield Failure(
            file.file, f"{width} x {height} pixels", f"at most {THUMBNAIL_LIMIT} pixels a side", "make it smaller"
        )


def _broken_chunk(content: bytes) -> str:
    """What is wrong with the chunks of a PNG (ISO/IEC 15948, section 5.3); empty where nothing is."""
    place = len(_PNG)
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        end = place + 12 + length
        if end > len(content):
            return f"chunk {kind!r} cut short"
        if zlib.crc32(content[place + 4 : end - 4]) != struct.unpack(">I", content[end - 4 : end])[0]:
            return f"chunk {kind!r} with another checksum"
        place = end
    return ""


@check(
    "workbooks",
    "every workbook is a whole package whose parts have their checksums, and holds what a workbook must",
    files_ending(".xlsx"),
)
def workbooks(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file)
    if content is None:
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            names, broken = set(book.namelist()), _broken_part(book)
    except zipfile.BadZipFile as error:
        yield Failure(file.file, str(error), "an xlsx workbook", _REBUILD)
        return
    if broken:
        yield Failure(f"{file.file}: {broken}", "a part that cannot be read", "a part with its checksum", _REBUILD)
    for name in sorted({"[Content_Types].xml", "_rels/.rels", "xl/workbook.xml"} - names):
        yield Failure(file.file, f"no part {name}", "the parts of a workbook", _REBUILD)


def _broken_part(book: zipfile.ZipFile) -> str | None:
    """The first part that cannot be unpacked to the checksum that the package states."""
    for entry in book.infolist():
        if entry.file_size > MOST_BYTES:
            return entry.filename
        try:
            book.read(entry)
        except ZIP_DAMAGE:
            return entry.filename
    return None


@check(
    "synthetic-stated",
    "what is made of synthetic inputs says so in every document and page, and nothing else does",
    collections,
)
def synthetic_stated(collection: Document) -> Iterator[Failure]:
    archive = collection.archive
    datasets = {dataset["id"]: dataset for dataset in archive.manifest["datasets"]}
    synthetic = bool(datasets.get(collection.collection_id, {}).get("synthetic"))
    members = archive.items_of(collection)
    flags = [(collection.file, collection.content.get("glacier:synthetic"))]
    flags += [(item.file, item.content["properties"].get("glacier:synthetic")) for item in members]
    for path, flag in flags:
        if flag is not synthetic:
            yield Failure(path, f"glacier:synthetic {flag}", f"{synthetic}, as in {MANIFEST_JSON}", _REBUILD)
    if not synthetic:
        return
    folder = collection.folder
    stac = [collection.file, *(item.file for item in members)]
    pages = [path for path in archive.paths if path.startswith(f"{folder}/") and path.endswith(".html")]
    for path in [*stac, *pages, f"{folder}/{README_MD}"]:
        if "synthetic" not in (archive.text(path) or "").lower():
            yield Failure(path, "no word of it", "the word 'synthetic'", _REBUILD)
