"""schema.org Dataset as JSON-LD, for search engines; also safe to stand in a ``<script>`` element."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from catalog.archive import COLLECTION_JSON, CRATE_JSON, DATASET_JSONLD, ITEMS_PARQUET, METADATA, media_type_of
from catalog.metadata.data_files import is_large, own_files, size_of
from catalog.metadata.facts import LANGUAGES, DataFile, Facts, licence_url

_MOST_FILES_OF_A_PAGE = 200
# where the files of the items of a large collection are found, from the collection's folder
_LISTINGS = {
    COLLECTION_JSON: "STAC collection: every item with its files",
    f"../{ITEMS_PARQUET}": "Every item as a row of one table (stac-geoparquet)",
    f"{METADATA}/{CRATE_JSON}": "RO-Crate: every file with its size and sha256",
}


def dataset_jsonld(facts: Facts, base: str = "../") -> dict[str, Any]:
    """The schema.org description; of a large collection it leaves the files of items to the documents that list them.

    ``base`` is the relative path from the place of the JSON-LD to the collection's folder: ``"../"`` in its metadata
    folder, ``""`` in the collection's page.
    """
    definition = facts.definition
    document: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": facts.title.en,
        "alternateName": facts.title.cn,
        "description": facts.abstract.en,
        "abstract": {"@language": "zh", "@value": facts.abstract.cn},
        "identifier": _identifier(facts),
        "version": definition.version,
        "datePublished": definition.publication_date.isoformat(),
        "inLanguage": list(LANGUAGES),
        "creativeWorkStatus": "Synthetic sample" if facts.synthetic else "Published",
        "keywords": [*facts.keywords],
        "temporalCoverage": f"{definition.period.start.isoformat()}/{definition.period.end.isoformat()}",
        "spatialCoverage": _place(facts),
        "creator": _creators(facts),
        "publisher": _publisher(facts),
        "license": licence_url(definition.licence),
        "usageInfo": definition.licence_note,
        "creditText": " ".join(text for text in (facts.citation.en, definition.original.citation) if text),
        "funding": _funding(facts),
        "isBasedOn": _products(facts),
        "measurementTechnique": facts.methods.en,
        "variableMeasured": [*_variables(facts), *_quality(facts)],
        # of a small collection the list itself says it
        "size": size_of(facts.files) if is_large(facts.files) else "",
        "distribution": [
            *(_download(file, base) for file in own_files(facts.files)),
            *(_listing(path, name, base) for path, name in _LISTINGS.items() if is_large(facts.files)),
        ],
    }
    if not facts.abstract.cn:
        del document["abstract"]
    return {key: value for key, value in document.items() if value}


def page_document(document: dict[str, Any]) -> dict[str, Any]:
    """The description as a collection's page holds it, made of the file in its metadata folder: paths from the page.

    A long list of files is left to ``dataset.jsonld``, so that the page stays small.
    """
    files = document.get("distribution", [])
    listed = files if len(files) <= _MOST_FILES_OF_A_PAGE else []
    here = {
        **document,
        "distribution": [{**file, "contentUrl": file["contentUrl"].removeprefix("../")} for file in listed],
        "subjectOf": {
            "@type": "DataDownload",
            "contentUrl": f"{METADATA}/{DATASET_JSONLD}",
            "encodingFormat": "application/ld+json",
        },
    }
    return {key: value for key, value in here.items() if value}


def _download(file: DataFile, base: str) -> dict[str, Any]:
    path, size, sha256, media_type = file
    return {
        "@type": "DataDownload",
        "name": path,
        "contentUrl": base + quote(path),
        "encodingFormat": media_type,
        "contentSize": f"{size} B",
        "sha256": sha256,
    }


def _listing(path: str, name: str, base: str) -> dict[str, Any]:
    """A document that lists what is not listed here; it is written later, and its size and checksum with it."""
    return {
        "@type": "DataDownload",
        "name": name,
        "contentUrl": base + path,
        "encodingFormat": media_type_of(path),
    }


def _identifier(facts: Facts) -> Any:
    definition = facts.definition
    if definition.doi:
        return f"https://doi.org/{definition.doi}"
    return {"@type": "PropertyValue", "propertyID": "archive collection", "value": definition.id}


def _place(facts: Facts) -> dict[str, Any]:
    definition = facts.definition
    extent, altitude = definition.extent, definition.altitude
    return {
        "@type": "Place",
        "name": definition.reading.collect_place.en,
        "geo": {"@type": "GeoShape", "box": f"{extent.south} {extent.west} {extent.north} {extent.east}"},
        "additionalProperty": {
            "@type": "PropertyValue",
            "name": "altitude",
            "minValue": altitude.low,
            "maxValue": altitude.high,
            "unitText": altitude.unit,
        },
    }


def _creators(facts: Facts) -> list[dict[str, Any]]:
    kind = "Person" if facts.creators_are_people else "Organization"
    return [{"@type": kind, "name": name} for name in facts.creators]


def _publisher(facts: Facts) -> dict[str, Any]:
    definition = facts.definition
    contacts = [
        {
            "@type": "ContactPoint",
            "name": contact.name,
            "telephone": contact.phone,
            "email": contact.email,
            "contactType": contact.role,
        }
        for contact in definition.contacts
    ]
    organization = {
        "@type": "Organization",
        "name": definition.publisher,
        "alternateName": definition.publisher_cn,
        "url": definition.publisher_url,
        "contactPoint": contacts,
    }
    return {key: value for key, value in organization.items() if value}


def _funding(facts: Facts) -> dict[str, Any]:
    project = facts.definition.project
    return {"@type": "Grant", "identifier": project.number, "name": project.name} if project else {}


def _products(facts: Facts) -> list[dict[str, Any]]:
    products = [
        {
            "@type": "Dataset" if source.url else "CreativeWork",
            "name": source.title,
            # search engines want a description of every Dataset they meet
            "description": source.attribution or source.title,
            "url": source.url,
            "license": licence_url(source.licence) if source.licence else "",
            "creditText": source.attribution,
        }
        for source in facts.definition.sources
    ]
    return [{key: value for key, value in product.items() if value} for product in products]


def _variables(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "@type": "PropertyValue",
            "name": variable.name.en,
            "alternateName": variable.name.cn,
            "unitText": variable.unit,
        }
        for variable in facts.variables
    ]


def _quality(facts: Facts) -> list[dict[str, Any]]:
    """Each quality gate with its value; the verdict stands in the description."""
    properties = []
    for gate in facts.gates:
        entry = {
            "@type": "PropertyValue",
            "name": f"{gate.gate}, {gate.subject}",
            "value": gate.value,
            "maxValue": gate.limit,
            "unitText": gate.unit,
            "description": str(gate),
        }
        properties.append({key: value for key, value in entry.items() if value is not None})
    return properties
