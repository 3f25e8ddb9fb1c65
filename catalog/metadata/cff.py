"""CITATION.cff, Citation File Format 1.2.0, for reference managers and code hosts."""

from __future__ import annotations

import json
from typing import Any

from catalog.metadata.facts import Facts, one_line
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


def _without_empty(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if value}


def _scalar(text: str) -> str:
    # a JSON string is a double-quoted YAML scalar: nothing in it can be taken for a date, a number or a tag
    return inert(json.dumps(text, ensure_ascii=False))


def _yaml(key: str, value: Any, indent: str = "") -> str:
    """One key with its text, its list of texts, or its list of tables."""
    if isinstance(value, str):
        return f"{indent}{key}: {_scalar(value)}\n"
    text = f"{indent}{key}:\n"
    for entry in value:
        if isinstance(entry, str):
            text += f"{indent}  - {_scalar(entry)}\n"
        else:
            inner = "".join(_yaml(name, part, f"{indent}    ") for name, part in entry.items())
            text += f"{indent}  - {inner.lstrip()}"
    return text
