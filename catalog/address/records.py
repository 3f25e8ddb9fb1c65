"""Records with their address: schema.org, DataCite as JSON, the citation file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalog.address.references import Address
from catalog.archive import (
    COG,
    COLLECTION_JSON,
    DATAPACKAGE_JSON,
    INDEX_HTML,
    ISO19139_XML,
    METADATA,
    media_type_of,
)
from catalog.metadata import inert

Json = dict[str, Any]
_URL = "URL"
_OFFERED = (COG, media_type_of("workbook.xlsx"))


@dataclass(frozen=True)
class Offer:
    """A file that a record leads to: its path from the root, what it is called, its media type."""

    path: str
    name: str
    media_type: str


@dataclass(frozen=True)
class Offers:
    """What the records of a collection lead to: its page, its STAC document, its picture, and the files to fetch."""

    collection_id: str
    thumbnail: str
    files: tuple[Offer, ...]

    @property
    def page(self) -> str:
        """Path of the page that people are led to."""
        return f"{self.collection_id}/{INDEX_HTML}"

    @property
    def document(self) -> str:
        """Path of the STAC document."""
        return f"{self.collection_id}/{COLLECTION_JSON}"

    @property
    def record(self) -> str:
        """Path of the record in ISO 19139."""
        return f"{self.collection_id}/{METADATA}/{ISO19139_XML}"


def offers_of(collection_id: str, collection: Json, dataset: Json) -> Offers:
    """What a collection offers, from its STAC document and its schema.org description, both relative.

    Of the files the rasters, the workbook and the description of the tables, as far as schema.org names them: of a
    large collection the files of its items are left to the documents that list them.
    """
    thumbnails = [one["href"] for one in collection["assets"].values() if "thumbnail" in one.get("roles", ())]
    files = tuple(
        Offer(f"{collection_id}/{one['name']}", one["name"], one["encodingFormat"])
        for one in dataset["distribution"]
        if one["encodingFormat"] in _OFFERED or one["name"] == DATAPACKAGE_JSON
    )
    thumbnail = f"{collection_id}/{thumbnails[0].removeprefix('./')}" if thumbnails else ""
    return Offers(collection_id, thumbnail, files)


# --- schema.org ---------------------------------------------------------------------------------------------------


def dataset_without_address(dataset: Json, path: str, address: Address) -> Json:
    """The description as it is in an archive that can be moved."""
    folder = path.rpartition("/")[0]
    own = {"@id", "url"} if str(dataset.get("@id", "")).startswith(f"{address.base}/") else set()
    kept = {key: value for key, value in dataset.items() if key not in own}
    return _offering(kept, lambda href: address.relative(folder, href))


def dataset_with_address(dataset: Json, path: str, address: Address) -> Json:
    """The description of an archive that can be moved, as it is at an address: what it is, and where its files are."""
    folder, page = path.rpartition("/")[0], address.of(f"{path.partition('/')[0]}/{INDEX_HTML}")
    offering = _offering(dataset, lambda href: address.absolute(folder, href))
    names = [key for key in offering if key in ("@context", "@type")]
    first: Json = {key: offering.pop(key) for key in names}
    return {**first, "@id": page, "url": page, **offering}


def _offering(dataset: Json, refer: Callable[[str], str]) -> Json:
    """A description whose files are referred to another way."""

    def referring(value: Any) -> Any:
        if isinstance(value, list):
            return [referring(part) for part in value]
        if isinstance(value, dict):
            return {key: refer(part) if key == "contentUrl" else referring(part) for key, part in value.items()}
        return value

    offering: Json = referring(dataset)
    return offering


def record_text(record: Json) -> str:
    """A record in JSON as its file holds it."""
    return inert(json.dumps(record, ensure_ascii=False, allow_nan=False, indent=2)) + "\n"


def encoded_in_a_page(dataset: Json) -> str:
    """The description as the script element of a page holds it."""
    return inert(json.dumps(dataset, ensure_ascii=False, separators=(",", ":"), allow_nan=False))


# --- DataCite -----------------------------------------------------------------------------------------------------


def datacite_without_address(record: Json, address: Address) -> Json:
    """The record as it is in an archive that can be moved."""
    kept = {key: value for key, value in record.items() if key != "url"}
    for key, name in (("alternateIdentifiers", "alternateIdentifier"), ("relatedIdentifiers", "relatedIdentifier")):
        entries = [one for one in record.get(key, ()) if not str(one.get(name)).startswith(f"{address.base}/")]
        kept.pop(key, None) if not entries else kept.update({key: entries})
    return kept


def datacite_with_address(record: Json, offers: Offers, address: Address) -> Json:
    """The record with the address of the page, which a DOI would lead to, and those of the documents and files."""
    addressed = {**record, "url": address.of(offers.page)}
    own = {"alternateIdentifier": address.of(offers.page), "alternateIdentifierType": _URL}
    addressed["alternateIdentifiers"] = [*record.get("alternateIdentifiers", ()), own]
    related = [
        {"relatedIdentifier": href, "relatedIdentifierType": _URL, "relationType": relation}
        for relation, href in related_addresses(offers, address)
    ]
    addressed["relatedIdentifiers"] = [*record.get("relatedIdentifiers", ()), *related]
    return addressed


def related_addresses(offers: Offers, address: Address) -> list[tuple[str, str]]:
    """Where the descriptions of a dataset and its files are, each with its relation in DataCite's words."""
    metadata = [("HasMetadata", address.of(path)) for path in (offers.document, offers.record)]
    return metadata + [("HasPart", address.of(file.path)) for file in offers.files]


# --- the citation file --------------------------------------------------------------------------------------------

_HEAD_URL = re.compile(r'^url: ".*"\n', re.MULTILINE)
_PREFERRED_URL = re.compile(r'^  url: ".*"\n', re.MULTILINE)
_HEAD_DATE = re.compile(r'^date-released: ".*"\n', re.MULTILINE)
_PREFERRED_VERSION = re.compile(r'^preferred-citation:\n(?:  .*\n)*?  version: ".*"\n', re.MULTILINE)
_WEBSITE = re.compile(r'^  publisher:\n(?:    .*\n)*?    website: (".*")\n', re.MULTILINE)


def citation_without_address(text: str) -> str:
    """The citation file of an archive that can be moved: the publisher's website stands for where the dataset is."""
    website = _WEBSITE.search(text)
    return _with_url(text, website[1] if website else "")


def citation_with_address(text: str, offers: Offers, address: Address) -> str:
    """The citation file with the address of the dataset's page."""
    return _with_url(text, inert(json.dumps(address.of(offers.page))))


def _with_url(text: str, url: str) -> str:
    """The file with this address, in the places where the writer of the file has it; without one for none."""
    bare = _PREFERRED_URL.sub("", _HEAD_URL.sub("", text, 1), 1)
    if not url:
        return bare
    headed = _HEAD_DATE.sub(lambda line: f"{line[0]}url: {url}\n", bare, 1)
    return _PREFERRED_VERSION.sub(lambda lines: f"{lines[0]}  url: {url}\n", headed, 1)
