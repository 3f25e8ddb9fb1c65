"""Checks of what files there are: each of a kind and in a place that an archive has, and nothing hidden within one."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any

from catalog.archive import (
    CATALOG_JSON,
    COLLECTION_JSON,
    DATAPACKAGE_JSON,
    INDEX_HTML,
    ITEMS_JSON,
    ITEMS_PARQUET,
    MANIFEST_JSON,
    METADATA_FILES,
    PARTS,
    SITE_FILES,
    SITEMAP_XML,
    VOUCHERS,
    Archive,
    Document,
    File,
    chinese_twin,
    collections,
    files_ending,
    is_of_manifest,
    tables_of,
    whole,
    whole_manifest,
)
from catalog.checks.result import Failure, check
from schemas.glacier_extension import SCHEMA_PATH

_REMOVE = "move it out of the archive"
_REBUILD = "build the archive again"
_AT_ROOT = {
    *SITE_FILES,
    INDEX_HTML,
    CATALOG_JSON,
    chinese_twin(CATALOG_JSON),
    ITEMS_PARQUET,
    ITEMS_JSON,
    SITEMAP_XML,
    SCHEMA_PATH,
}
_OF_COLLECTION = re.compile(
    r"(collection(\.zh)?\.json|datapackage\.json|README\.md|CHANGELOG\.md|index\.html"
    r"|items-\d+\.html|items-\d{4,}(\.zh)?\.json|ro-crate-metadata\.json|ro-crate-preview\.html)"
)
_OF_METADATA = re.compile(rf"({'|'.join(map(re.escape, METADATA_FILES))}|files-\d{{4,}}/ro-crate-metadata\.json)")
_BESIDE_ITEM = re.compile(r"[a-z][a-z_0-9]*\.(tif|png|geojson|parquet|qml)")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]*")
# what a picture of ours consists of, in PNG's words: its size, its colours, its pixels
_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}
_PARTS_OF_BOOK = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml|xl/(workbook|styles|theme/theme1|sharedStrings)\.xml"
    r"|xl/_rels/workbook\.xml\.rels|xl/worksheets/(_rels/)?sheet\d+\.xml(\.rels)?"
    r"|xl/comments/comment\d+\.xml|xl/drawings/commentsDrawing\d+\.vml"
)


@check("known-kinds", "every file is of a kind that an archive has, and stands where such files do", whole)
def known_kinds(root: File) -> Iterator[Failure]:
    archive = root.archive
    named = _named_files(archive)
    for path in archive.paths:
        if not (path in _AT_ROOT or is_of_manifest(path) or path in named or _is_known(archive, path)):
            yield Failure(path, "a file of no known kind, or where none stands", "the files of an archive", _REMOVE)


def _named_files(archive: Archive) -> set[str]:
    """Tables in each of their formats, and the pictures that a collection names."""
    named: set[str] = set()
    for collection in archive.collections:
        folder = collection.folder
        named.add(f"{folder}/tables/{folder}.xlsx")
        for table in tables_of(archive, collection.collection_id):
            named |= {table.file, f"{table.file.removesuffix('.csv')}.parquet"}
        if archive.has_form(collection):
            hrefs = (asset.get("href", "") for asset in collection.assets.values())
            named |= {str(collection.target(href)) for href in hrefs if str(href).endswith(".png")}
    return named


def _is_known(archive: Archive, path: str) -> bool:
    folder, _, rest = path.partition("/")
    inner, _, name = rest.rpartition("/")
    if f"{folder}/{COLLECTION_JSON}" not in archive.path_set:
        return False
    if not inner:
        return bool(_OF_COLLECTION.fullmatch(name)) or rest == DATAPACKAGE_JSON
    if inner.partition("/")[0] == "metadata":
        return bool(_OF_METADATA.fullmatch(rest.partition("/")[2]))
    if "/" in inner or f"{folder}/{inner}/{inner}.json" not in archive.path_set:
        return False
    return bool(_BESIDE_ITEM.fullmatch(name)) or name in (INDEX_HTML, f"{inner}.json", f"{inner}.zh.json")


@check("site-files", "the style and the scripts of the pages are those of a version of this software", whole)
def site_files(root: File) -> Iterator[Failure]:
    for name, known in _known_site_files().items():
        digest = root.archive.files.sha256(name)
        if digest is None:
            yield Failure(name, "no such file", "a file that every page asks for", _REBUILD)
        elif digest not in known:
            yield Failure(name, f"sha256 {digest}", f"one of the {len(known)} that this software has written", _REBUILD)


@cache
def _known_site_files() -> dict[str, set[str]]:
    """Digests of every style and script that a version of this software has written, this one among them."""
    # which versions wrote what is a list; what this one writes is asked of the files themselves
    from catalog.pages import site_files as written

    known = {name: {sha256(text.encode()).hexdigest()} for name, text in written().items()}
    listed = resources.files("catalog.checks").joinpath("known_site_files.txt").read_text(encoding="utf-8")
    for line in listed.splitlines():
        name, _, digest = line.partition(" ")
        if name in known:
            known[name].add(digest)
    return known


@check("kept-versions", "every earlier version that is kept is whole by its own manifest, and nothing else is", whole)
def kept_versions(root: File) -> Iterator[Failure]:
    files = root.archive.files
    kept: dict[str, list[str]] = {}
    for path in files.kept():
        kept.setdefault("/".join(path.split("/", 2)[:2]), []).append(path)
    for place, paths in sorted(kept.items()):
        manifest = _manifest_of(root.archive, place)
        if not _VERSION.fullmatch(place.partition("/")[2]) or manifest is None:
            yield Failure(paths[0], f"{len(paths)} files of no earlier version", "whole versions and no other", _REMOVE)
            continue
        yield from _unlike_manifest(root.archive, place, paths, manifest)


def _manifest_of(archive: Archive, place: str) -> dict[str, Any] | None:
    """The manifest of an archive kept below the root, with the files of all its parts."""
    return whole_manifest(lambda name: archive.files.read(f"{place}/{name}"))


def _unlike_manifest(archive: Archive, place: str, paths: list[str], manifest: dict[str, Any]) -> Iterator[Failure]:
    listed = [*manifest.get(PARTS, ()), *manifest.get("files", ())]
    stated = {f"{place}/{entry['path']}": entry for entry in listed}
    for path in sorted(set(paths) - stated.keys() - {f"{place}/{name}" for name in (MANIFEST_JSON, *VOUCHERS)}):
        yield Failure(path, "a file that the manifest of its version does not list", "no stray file", _REMOVE)
    for path, entry in stated.items():
        if archive.files.size(path) != entry["size"] or archive.files.sha256(path) != entry["sha256"]:
            yield Failure(
                path, "another file, or none", f"that of {place}/{MANIFEST_JSON}", "publish that version anew"
            )


@check("picture-chunks", "a picture holds its pixels and nothing besides", files_ending(".png"))
def picture_chunks(file: File) -> Iterator[Failure]:
    content = file.archive.files.read(file.file) or b""
    place, strange = 8, set()
    while place + 8 <= len(content):
        length, kind = struct.unpack(">I4s", content[place : place + 8])
        if kind not in _CHUNKS:
            strange.add(kind)
        place += 12 + length
    for kind in sorted(strange):
        yield Failure(file.file, f"a chunk {kind!r}", f"{sorted(_CHUNKS)}", _REBUILD)


@check(
    "workbook-parts", "a workbook is its parts and nothing besides, and none of them is of another kind", collections
)
def workbook_parts(collection: Document) -> Iterator[Failure]:
    for path in collection.archive.paths:
        if path.startswith(f"{collection.folder}/") and path.endswith(".xlsx"):
            yield from _strange_parts(path, collection.archive.files.read(path) or b"")


def _strange_parts(path: str, content: bytes) -> Iterator[Failure]:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        names, comment, start = book.namelist(), book.comment, book.start_dir
        size = sum(46 + len(one.filename.encode()) + len(one.extra) + len(one.comment) for one in book.infolist())
    for name in names:
        if not _PARTS_OF_BOOK.fullmatch(name):
            yield Failure(path, f"a part {name!r}", "the parts of a workbook of ours", _REBUILD)
    if beyond := len(content) - start - size - 22:
        yield Failure(path, f"{beyond} bytes ({comment[:20]!r}) behind its directory", "the package alone", _REBUILD)
