"""CITATION.cff, Citation File Format 1.2.0, for reference managers and code hosts."""

from __future__ import annotations

import json
from typing import Any

from catalog.metadata.facts import LANGUAGES, Facts, one_line
from catalog.metadata.json_text import inert

_MESSAGE = "If you use this dataset, please cite it as below."


def cff_text(facts: Facts) -> str:
    """The citation file as YAML."""
    definition = facts.definition
    people = facts.creators_are_people
    fields: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": _MESSAGE,
        "type": "dataset",
        "title": one_line(facts.title.en),
        "abstract": facts.abstract.en,
        # a name as the source writes it: which part is the family name is not ours to guess
        "authors": [
            {"name": name} if people else {"name": name, "website": definition.publisher_url} for name in facts.creators
        ],
        "contact": [
            _without_empty({"name": contact.name, "email": contact.email, "tel": contact.phone})
            for contact in definition.contacts
        ],
        "version": definition.version,
        "date-released": definition.publication_date.isoformat(),
        "url": definition.publisher_url,
        "keywords": list(facts.keywords),
        "identifiers": [
            {"type": "other", "value": definition.id, "description": "identifier of the collection in its archive"}
        ],
        # the format knows SPDX identifiers only
        "license": "" if definition.licence == "other" else definition.licence,
        "doi": definition.doi,
        "preferred-citation": _preferred(facts),
        "references": [
            {
                "type": "data",
                "title": source.title,
                "authors": [{"name": source.attribution.split(" (")[0]}],
                "notes": source.attribution,
                "url": source.url,
            }
            for source in definition.sources
            if source.attribution and source.url
        ],
    }
    return "".join(_yaml(key, value) for key, value in _without_empty(fields).items())


def _preferred(facts: Facts) -> dict[str, Any]:
    """The dataset as a reference: it has keys for publisher, languages and notes, which the head of the file lacks."""
    definition, extent = facts.definition, facts.definition.extent
    notes = [
        f"Period: {definition.period.start.isoformat()}/{definition.period.end.isoformat()}",
        f"Extent, west south east north: {extent.west} {extent.south} {extent.east} {extent.north}",
        f"Citation: {facts.citation.en}",
    ]
    if project := definition.project:
        notes.append(f"Project: {one_line(project.number)}, {one_line(project.name)}")
    return _without_empty(
        {
            "type": "data",
            "title": one_line(facts.title.en),
            "authors": [{"name": name} for name in facts.creators],
            "publisher": {"name": definition.publisher, "website": definition.publisher_url},
            "year": str(definition.publication_date.year),
            "version": definition.version,
            "url": definition.publisher_url,
            "languages": list(LANGUAGES),
            "doi": definition.doi,
            "notes": "\n".join(notes),
        }
    )


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that say something, and lists without repetition, which the format refuses."""
    return {
        key: [entry for place, entry in enumerate(value) if entry not in value[:place]]
        if isinstance(value, list)
        else value
        for key, value in fields.items()
        if value
    }


def _scalar(text: str) -> str:
    # a JSON string is a double-quoted YAML scalar: nothing in it can be taken for a date, a number or a tag
    return inert(json.dumps(text, ensure_ascii=False))


def _yaml(key: str, value: Any, indent: str = "") -> str:
    """One key with its text, its table, its list of texts, or its list of tables."""
    if isinstance(value, str):
        return f"{indent}{key}: {_scalar(value)}\n"
    text = f"{indent}{key}:\n"
    if isinstance(value, dict):
        return text + "".join(_yaml(name, part, f"{indent}  ") for name, part in value.items())
    for entry in value:
        if isinstance(entry, str):
            text += f"{indent}  - {_scalar(entry)}\n"
        else:
            inner = "".join(_yaml(name, part, f"{indent}    ") for name, part in entry.items())
            text += f"{indent}  - {inner.lstrip()}"
    return text
