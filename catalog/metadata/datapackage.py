"""What a Data Package says of the dataset as a whole; its resources are described where the tables are written."""

from __future__ import annotations

from typing import Any

from catalog.metadata.facts import LANGUAGES, Facts, licence_url
from schemas.definition import Definition, Source


def package_facts(facts: Facts) -> dict[str, Any]:
    """The descriptor without its resources.

    The Data Package standard has no words for time, place, project, language and citation; they stand here under the
    names that schema.org gives them.
    """
    definition = facts.definition
    extent, place = definition.extent, definition.reading.collect_place
    described: dict[str, Any] = {
        "name": definition.id,
        "id": f"https://doi.org/{definition.doi}" if definition.doi else "",
        "title": facts.title.en,
        "titleTranslated": facts.title.cn,
        "description": facts.abstract.en,
        "version": definition.version,
        "created": f"{definition.publication_date.isoformat()}T00:00:00Z",
        "licenses": [_licence(definition)],
        "sources": [_source(source) for source in definition.sources],
        "contributors": _contributors(facts),
        "keywords": list(facts.keywords),
        "inLanguage": list(LANGUAGES),
        "temporalCoverage": f"{definition.period.start.isoformat()}/{definition.period.end.isoformat()}",
        "spatialCoverage": {"name": place.en, "bbox": [extent.west, extent.south, extent.east, extent.north]},
        "funding": [],
        "citation": facts.citation.en,
    }
    if project := definition.project:
        described["funding"] = [{"identifier": project.number, "name": project.name}]
    return {key: value for key, value in described.items() if value}


def _licence(definition: Definition) -> dict[str, str]:
    if definition.licence == "other":
        return {"name": "other", "title": f"as stated by {definition.publisher}", "path": definition.publisher_url}
    return {"name": definition.licence, "path": licence_url(definition.licence)}


def _source(source: Source) -> dict[str, str]:
    described = {
        "title": source.title,
        "titleTranslated": source.title_cn,
        "path": source.url,
        "attribution": source.attribution,
        "license": source.licence,
        "licenseNote": source.licence_note,
        "producers": "; ".join(producer.name for producer in source.producers),
    }
    return {key: value for key, value in described.items() if value}


def _contributors(facts: Facts) -> list[dict[str, str]]:
    definition = facts.definition
    authors = [{"title": name, "role": "author"} for name in facts.creators] if facts.creators_are_people else []
    publisher = {"title": definition.publisher, "path": definition.publisher_url, "role": "publisher"}
    contacts = [
        {
            "title": contact.name,
            "role": "contact",
            "email": contact.email,
            "telephone": contact.phone,
            "organization": contact.organization,
        }
        for contact in definition.contacts
    ]
    listed = [*authors, publisher, *contacts]
    return [{key: value for key, value in person.items() if value} for person in listed]
