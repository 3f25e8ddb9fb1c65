"""The citation for LaTeX: one BibTeX entry, as biblatex and BibTeX read it (UTF-8)."""

from __future__ import annotations

from catalog.metadata.facts import Facts, one_line

_SAID = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "{}&%$#_"},
}


def bibtex_text(facts: Facts) -> str:
    """One ``@misc`` entry, the type that both read, with ``howpublished`` saying that it is a dataset.

    Names and title stand in braces of their own: what is a family name is not ours to guess, and capitals stay.
    """
    definition = facts.definition
    fields = {
        "title": f"{{{_plain(facts.title.en)}}}",
        "author": " and ".join(f"{{{_plain(name)}}}" for name in facts.creators),
        "year": str(definition.publication_date.year),
        "publisher": _plain(definition.publisher),
        "version": _plain(definition.version),
        "howpublished": "Dataset",
        "doi": _plain(definition.doi),
        "url": _plain(definition.publisher_url),
        "keywords": _plain(", ".join(facts.keywords)),
        "note": _plain(facts.citation.en),
    }
    lines = [f"  {name} = {{{value}}}," for name, value in fields.items() if value.strip("{}")]
    return "\n".join([f"@misc{{{definition.id},", *lines, "}"]) + "\n"


def _plain(text: str) -> str:
    """A text without what LaTeX would take for a command."""
    return "".join(_SAID.get(character, character) for character in one_line(text))
