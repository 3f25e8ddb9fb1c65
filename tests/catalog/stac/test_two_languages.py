"""Nothing that this software says of a result stands in English where the archive speaks Chinese."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from schemas.messages import Message, in_chinese
from tests.made.fakes import NOTE

# what others have said, and names: a portal's record, people, places, papers, licences, what a definition fills in
OF_OTHERS = {
    *("glacier:ncdc", "contacts", "providers", "sci:citation", "glacier:project", "glacier:origin", "themes"),
    *("glacier:settings", "glacier:inputs", "processing:software", "reference", "glacier:glacier_name", "keywords"),
}
ENGLISH = re.compile(r"\b[A-Za-z]?[a-z]{2,} [a-z]{2,}")
# what a Chinese sentence quotes as it stands in a table, and papers
QUOTED = re.compile(r"“[^”]*”| et al\.")


def texts(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a document that this software words, with its place."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in OF_OTHERS:
                yield from texts(part, f"{place}/{key}")
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from texts(part, f"{place}/{number}")
    elif isinstance(value, str):
        yield place, value


def untranslated(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Texts with two English words in a row, the links aside that lead to what is in English."""
    links = [
        link for link in document.get("links", ()) if link.get("hreflang") != "en" and link["rel"] != "derived_from"
    ]
    return [
        (place, text) for place, text in texts({**document, "links": links}) if ENGLISH.search(QUOTED.sub("", text))
    ]


def said_in_chinese(path: Path) -> str:
    """What a reader of the Chinese page reads: all but what is marked as English."""
    document = html.document_fromstring(path.read_text(encoding="utf-8"))
    for element in document.xpath('//body//*[@lang="en"] | //script | //style'):
        element.drop_tree()
    return " ".join(document.text_content().split())


@pytest.fixture(scope="module")
def documents(whole_archive: Path) -> dict[str, dict[str, Any]]:
    return {
        path.relative_to(whole_archive).as_posix(): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(whole_archive.rglob("*.zh.json"))
    }


def test_no_chinese_record_says_anything_in_english(documents):
    assert len(documents) >= 5
    assert [(name, *wrong) for name, document in documents.items() for wrong in untranslated(document)] == []


def test_notes_flags_gates_and_steps_are_said_in_chinese(documents):
    of_items = {name.rpartition("/")[2]: document.get("properties", {}) for name, document in documents.items()}
    change, balance = of_items["elevation-change.zh.json"], of_items["balance-2001.zh.json"]
    assert change["glacier:notes"] == [NOTE.cn]
    assert balance["glacier:flags"] == ["仅为上限，未用于全冰川值：3"]
    assert {gate["subject"] for gate in change["glacier:gates"]} == {"稳定地形"}
    steps = [step for item in (change, balance) for step in item["processing:expression"]["expression"]]
    assert all(re.search("[\u4e00-\u9fff]", step["name"]) for step in steps)


def test_a_note_in_english_is_noticed():
    note = Message("a sentence that nobody has translated, of {count} words", count=9)
    document = {"properties": {"glacier:notes": [note, NOTE]}}
    assert untranslated(in_chinese(document)) == [("/properties/glacier:notes/0", note)]


def test_no_page_says_a_sentence_of_ours_in_english_alone(whole_archive, documents):
    pages = {path: said_in_chinese(path) for path in sorted(whole_archive.rglob("index.html"))}
    sentences = set()
    for name in documents:
        english = json.loads((whole_archive / name.replace(".zh.json", ".json")).read_text(encoding="utf-8"))
        said = english.get("properties", english)
        fields = ("glacier:notes", "processing:lineage", "processing:expression", "glacier:vertical_datum")
        told = {text for field in fields for _, text in texts(said.get(field), field)}
        sentences |= {text for text in told if len(text.split()) > 4 and ENGLISH.search(text)}
        sentences |= {flag.replace("_", " ").replace(":", ": ") for flag in said.get("glacier:flags", ())}
    assert len(sentences) > 10
    assert [(path.name, text) for path, page in pages.items() for text in sorted(sentences) if text in page] == []
