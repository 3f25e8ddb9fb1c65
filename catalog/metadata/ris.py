"""The citation for reference managers: RIS, a tag and a value a line (UTF-8)."""

from __future__ import annotations

from collections.abc import Iterator

from catalog.metadata.facts import Facts, one_line


def ris_text(facts: Facts) -> str:
    """One record of type DATA; a name that would hold several authors apart is a line of its own."""
    return "".join(f"{tag}  - {one_line(value)}".rstrip(" ") + "\n" for tag, value in _fields(facts)) + "ER  -\n"


def _fields(facts: Facts) -> Iterator[tuple[str, str]]:
    definition = facts.definition
    yield "TY", "DATA"
    yield "ID", definition.id
    yield "TI", facts.title.en
    for name in facts.creators:
        yield "AU", name
    yield "PY", str(definition.publication_date.year)
    yield "DA", definition.publication_date.strftime("%Y/%m/%d")
    yield "PB", definition.publisher
    yield "ET", definition.version
    for tag, value in (("DO", definition.doi), ("UR", definition.publisher_url)):
        if value:
            yield tag, value
    for word in facts.keywords:
        yield "KW", word
    yield "AB", facts.abstract.en
    yield "N1", facts.citation.en
