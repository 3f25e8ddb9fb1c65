"""A finished archive given an address: only documents that hold addresses are written anew, and what lists them.

What an address changes can be taken back, so that an archive with an address is given another one to the same bytes as
one without. No raster, table or figure is read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from catalog.address import pages, records, stac_documents, xml_records
from catalog.address.references import Address
from catalog.archive import (
    ADDRESSED_FROM,
    BASE_URL,
    CATALOG_JSON,
    CITATION_CFF,
    COLLECTION_JSON,
    DATACITE_JSON,
    DATACITE_XML,
    DATASET_JSONLD,
    ISO19139_XML,
    ITEMS_JSON,
    ITEMS_PARQUET,
    MANIFEST_JSON,
    METADATA,
    SIGNATURES_JSON,
    SIGNERS_PUB,
    SITEMAP_XML,
    STATEMENT_JSON,
    ListedFile,
    broken_seal,
    is_of_manifest,
    manifest_documents,
    read_if_there,
    read_signed,
    read_stored_manifest,
    statement_of,
    told_signatures,
    whole_manifest,
)
from catalog.stac import write_item_lists
from pipeline.progress import Tell, silent
from schemas.errors import FailedCheck
from schemas.glacier_extension import SCHEMA_PATH

Json = dict[str, Any]
_RECORDS = (DATASET_JSONLD, DATACITE_JSON, DATACITE_XML, ISO19139_XML, CITATION_CFF)
_REBUILD = "build again, or run validate"


def address_archive(archive: Path, base: str, into: Path, tell: Tell = silent) -> bool:
    """Write below ``into`` every file of an archive that an address changes; whether it changes any.

    Parameters
    ----------
    archive : folder of an archive, with an address or without; it is only read, unless it is ``into``.
    base : where it will be served from, as ``base_of`` gives it.
    into : a folder that is there; the archive itself is then changed in its place.

    Errors
    ------
    BadInput : no archive.
    FailedCheck : a document that is not as the manifest states.
    """
    stored = read_stored_manifest(archive)
    manifest = whole_manifest(lambda path: read_if_there(archive / path)) or {}
    old = str(manifest.get(BASE_URL) or "")
    if old == base:
        return False
    if broken_seal(stored.content):
        raise FailedCheck(f"{archive}/{MANIFEST_JSON}", "altered since it was written", "as it was written", _REBUILD)
    tell(f"writing the address {base} into its documents")
    from_where = manifest.get(ADDRESSED_FROM) or _first_manifest(archive, stored.content)
    # in its own place the archive changes while it is written
    work = _Addressing(
        archive=archive,
        into=into,
        old=Address(old),
        new=Address(base),
        listed={file.path: file for file in stored.files},
    )
    files = work.carried_out()
    content = {key: value for key, value in manifest.items() if key not in (ADDRESSED_FROM, "files")}
    place = list(content).index(BASE_URL)
    named = [*list(content.items())[:place], (BASE_URL, base), (ADDRESSED_FROM, from_where)]
    entries = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in files]
    whole = {**dict([*named, *list(content.items())[place + 1 :]]), "files": entries}
    written = manifest_documents(whole)
    for path, text in {**written, STATEMENT_JSON: statement_of(written[MANIFEST_JSON])}.items():
        _write(into / path, text)
    return True


def documents_unlike_addressed(
    read: Callable[[str], bytes | None], paths: Iterable[str], base: str
) -> Iterator[tuple[str, str]]:
    """Each file of an archive that does not state the address as it should, and how."""
    known = sorted(paths)
    context, address = _Context(read, Address(base)), Address(base)
    for path in known:
        if _stage(path) is not None:
            content = read(path) or b""
            if _with_address(path, _without_address(path, content, address), address, context) != content:
                yield path, "addresses that are not those of the archive"
    if read(SITEMAP_XML) != pages.sitemap(known, address):
        yield SITEMAP_XML, "not the list of its pages"


def _first_manifest(archive: Path, manifest: bytes) -> Json:
    """What is told of the archive as it was built, without an address: its manifest's sha256, and who had signed it."""
    signatures: list[Json] = []
    envelope, keys = (read_if_there(archive / name) for name in (SIGNATURES_JSON, SIGNERS_PUB))
    if envelope is not None:
        try:
            signed = read_signed(envelope, keys or b"")
            holds = signed.statement == statement_of(manifest) and not [*signed.broken()]
        except ValueError:
            holds = False
        if not holds:
            remedy = "sign it again, or remove the signature"
            raise FailedCheck(f"{archive}/{SIGNATURES_JSON}", "a signature that does not hold", "one that does", remedy)
        signatures = told_signatures(signed)
    return {"sha256": sha256(manifest).hexdigest(), "signatures": signatures}


@dataclass(frozen=True)
class _Context:
    """What a document says of others: documents of the archive as they are at an address, and what records offer."""

    read: Callable[[str], bytes | None]
    address: Address

    @cached_property
    def _offers(self) -> dict[str, records.Offers]:
        return {}

    def document(self, path: str) -> Json | None:
        """A STAC document at its address."""
        content = self.read(path)
        return None if content is None else json.loads(content)

    def offers(self, collection_id: str) -> records.Offers:
        """What the records of a collection offer."""
        if collection_id not in self._offers:
            place, record = f"{collection_id}/{COLLECTION_JSON}", f"{collection_id}/{METADATA}/{DATASET_JSONLD}"
            collection = stac_documents.without_address(self.document(place) or {}, place, self.address)
            dataset = records.dataset_without_address(self.document(record) or {}, record, self.address)
            self._offers[collection_id] = records.offers_of(collection_id, collection, dataset)
        return self._offers[collection_id]


@dataclass(frozen=True, kw_only=True)
class _Addressing:
    """The documents of one archive on their way to an address; ``listed`` are its files by path."""

    archive: Path
    into: Path
    old: Address
    new: Address
    listed: dict[str, ListedFile]
    renewed: dict[str, ListedFile] = field(default_factory=dict)
    by_sum: dict[str, ListedFile] = field(default_factory=dict)

    @cached_property
    def before(self) -> dict[str, ListedFile]:
        """The files as they were listed, by sha256."""
        return {file.sha256: file for file in self.listed.values()}

    def carried_out(self) -> tuple[ListedFile, ...]:
        """Write the documents, innermost first; every file of the archive as it then is, sorted by path."""
        item_paths = self._item_paths()
        before = _Context(self._stored, self.old)
        offers = {path.partition("/")[0]: before.offers(path.partition("/")[0]) for path in self._collections()}
        context = _Context(self._written, self.new)
        context._offers.update(offers)
        staged = sorted((stage, path) for path in self.listed if (stage := _stage(path)) is not None)
        lists_written = False
        for stage, path in staged:
            if stage > _ITEMS and not lists_written:
                lists_written = self._write_lists(item_paths)
            self._rewrite(path, context)
        self._put(SITEMAP_XML, pages.sitemap(self.listed, self.new))
        files = {**{path: file for path, file in self.listed.items() if not _is_part(path)}, **self.renewed}
        return tuple(files[path] for path in sorted(files))

    def _rewrite(self, path: str, context: _Context) -> None:
        content = _without_address(path, self._stored(path), self.old)
        fresh = self._with_renewed(path, _with_address(path, content, self.new, context))
        self._put(path, fresh)

    def _with_renewed(self, path: str, content: bytes) -> bytes:
        if path.endswith(".html"):
            return pages.renewed_sums(content.decode(), self.before, self.by_sum).encode()
        if stac_documents.is_stac(path):
            document = stac_documents.renewed_assets(json.loads(content), path, self.new, self.renewed)
            return stac_documents.encoded_like(content, document)
        return content

    def _write_lists(self, item_paths: list[str]) -> bool:
        """The lists of all items, made of the items as they now are."""
        write_item_lists(self.into, item_paths)
        for path in sorted(self.listed):
            if path in (ITEMS_PARQUET, ITEMS_JSON):
                self._note(path, (self.into / path).read_bytes())
        return True

    def _item_paths(self) -> list[str]:
        """Of the items in English, in the order of the catalogue."""
        return list(self._items_below(CATALOG_JSON))

    def _items_below(self, path: str) -> Iterator[str]:
        folder = path.rpartition("/")[0]
        for link in json.loads(self._stored(path)).get("links", ()):
            target = self.old.absolute(folder, link["href"]).removeprefix(f"{self.old.base}/")
            if link["rel"] == "item":
                yield target
            elif link["rel"] == "child":
                yield from self._items_below(target)

    def _collections(self) -> Iterator[str]:
        return (path for path in self.listed if path.count("/") == 1 and path.endswith(f"/{COLLECTION_JSON}"))

    def _stored(self, path: str) -> bytes:
        """A document as it stands in the archive, which must be as the manifest states."""
        content = (self.archive / path).read_bytes()
        digest = sha256(content).hexdigest()
        if path not in self.listed or digest != self.listed[path].sha256:
            place = str(self.archive / path)
            raise FailedCheck(place, f"sha256 {digest}", "the file that the manifest lists", _REBUILD)
        return content

    def _written(self, path: str) -> bytes | None:
        return read_if_there(self.into / path)

    def _put(self, path: str, content: bytes) -> None:
        _write(self.into / path, content)
        self._note(path, content)

    def _note(self, path: str, content: bytes) -> None:
        file = ListedFile(path, len(content), sha256(content).hexdigest())
        self.renewed[path] = file
        if path in self.listed:
            self.by_sum[self.listed[path].sha256] = file


_RECORD, _ITEMS, _COLLECTIONS, _CATALOGUE, _PAGES = range(5)


def _stage(path: str) -> int | None:
    """When a document is written anew, after all whose size and sha256 it states; None for what holds no address."""
    if path == SCHEMA_PATH or (path.split("/")[1:2] == [METADATA] and path.split("/")[2:] in [[n] for n in _RECORDS]):
        return _RECORD
    if path.endswith(".html"):
        return _PAGES
    if not stac_documents.is_stac(path):
        return None
    return (_CATALOGUE, _COLLECTIONS, _ITEMS)[path.count("/")]


def _without_address(path: str, content: bytes, address: Address) -> bytes:
    """A document as it is in an archive that can be moved."""
    if not address.base:
        return content
    name = path.rpartition("/")[2]
    if path.endswith(".html"):
        return pages.page_without_address(content.decode(), path, address).encode()
    if name == CITATION_CFF:
        return records.citation_without_address(content.decode()).encode()
    if name == DATACITE_XML:
        return xml_records.datacite_xml_without_address(content, address)
    if name == ISO19139_XML:
        return xml_records.iso_without_address(content, address)
    document = json.loads(content)
    if name == DATASET_JSONLD:
        return records.record_text(records.dataset_without_address(document, path, address)).encode()
    if name == DATACITE_JSON:
        return records.record_text(records.datacite_without_address(document, address)).encode()
    if path == SCHEMA_PATH:
        return stac_documents.encoded_like(content, stac_documents.schema_with_address(document, Address("")))
    return stac_documents.encoded_like(content, stac_documents.without_address(document, path, address))


def _with_address(path: str, content: bytes, address: Address, context: _Context) -> bytes:
    """A document of an archive that can be moved, as it is at an address."""
    name, top = path.rpartition("/")[2], path.partition("/")[0]
    if path.endswith(".html"):
        return pages.page_with_address(content.decode(), path, context.document, address).encode()
    if name == CITATION_CFF:
        return records.citation_with_address(content.decode(), context.offers(top), address).encode()
    if name == DATACITE_XML:
        return xml_records.datacite_xml_with_address(content, context.offers(top), address)
    if name == ISO19139_XML:
        return xml_records.iso_with_address(content, context.offers(top), address)
    document = json.loads(content)
    if name == DATASET_JSONLD:
        return records.record_text(records.dataset_with_address(document, path, address)).encode()
    if name == DATACITE_JSON:
        return records.record_text(records.datacite_with_address(document, context.offers(top), address)).encode()
    if path == SCHEMA_PATH:
        return stac_documents.encoded_like(content, stac_documents.schema_with_address(document, address))
    return stac_documents.encoded_like(content, stac_documents.with_address(document, path, address))


def _is_part(path: str) -> bool:
    """Whether a path is that of a part of the manifest, which is written last."""
    return is_of_manifest(path)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
