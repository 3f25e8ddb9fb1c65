"""What the changelog of a collection says, and which definitions of versions contradict themselves."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.metadata.changelog import changelog_text
from schemas.definition import Definition, parse_definition
from schemas.errors import BadDefinition
from tests.made.fakes import make_elevation_change_definition

FIRST = {"version": "1.0.0", "publication_date": "2021-03-01", "doi": "10.12072/ncdc.test.1"}
SECOND = {
    "version": "1.1.0",
    "publication_date": "2022-03-01",
    "href": "https://example.org/1.1.0/collection.json",
    "changes": {"data": ["glaciers: 3 records changed"]},
}


def with_versions(**keys: Any) -> Definition:
    """The test definition, version 1.2.0, with what it says of versions."""
    raw = make_elevation_change_definition().model_dump(mode="json", exclude_defaults=True)
    return parse_definition(raw | keys, "test")


def test_each_version_says_what_it_changed_the_newest_first() -> None:
    definition = with_versions(
        previous_versions=[FIRST, SECOND],
        changes={"data": ["sigma of *all* glaciers\nas the variogram says"], "metadata": ["the citation"]},
    )
    text = changelog_text(definition, synthetic=False)
    assert text.startswith("# Changelog of Glacier elevation change in a test basin\n\nVersions follow SemVer")
    assert text.partition("## ")[2] == (
        "1.2.0 (2024-05-17)\n\n"
        "### Data\n\n- sigma of \\*all\\* glaciers as the variogram says\n\n"
        "### Metadata\n\n- the citation\n\n"
        "## 1.1.0 (2022-03-01)\n\n"
        "### Data\n\n- glaciers: 3 records changed\n\n"
        "Published at <https://example.org/1.1.0/collection.json>.\n\n"
        "## 1.0.0 (2021-03-01)\n\n"
        "The first version.\n\n"
        "Published at <https://doi.org/10.12072/ncdc.test.1>.\n"
    )


def test_a_version_whose_changes_nobody_wrote_down_is_said_to_be_one() -> None:
    silent = SECOND | {"changes": {}}
    text = changelog_text(with_versions(previous_versions=[FIRST, silent], changes={"data": ["x"]}), synthetic=False)
    assert "## 1.1.0 (2022-03-01)\n\nWhat it changed is not recorded.\n" in text


def test_a_replaced_version_names_its_successor_first() -> None:
    successor = {"version": "2.0.0", "publication_date": "2025-01-01", "href": "https://example.org/2/collection.json"}
    text = changelog_text(with_versions(successor=successor), synthetic=True)
    assert "**Synthetic sample.**" in text
    assert text.index("## 2.0.0 (2025-01-01)\n\nReplaces the version of this folder") < text.index("## 1.2.0")
    assert text.endswith("## 1.2.0 (2024-05-17)\n\nThe first version.\n")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"previous_versions": [FIRST]}, r"version 1\.2\.0 after 1\.0\.0 without changes; expected what it changed"),
        ({"changes": {"data": ["x"]}}, "found changes without previous_versions"),
        ({"previous_versions": [FIRST], "changes": {"data": [""]}}, r"changes\.data\.0: found the blank text ''"),
        (
            {"previous_versions": [FIRST], "changes": {"values": ["x"]}},
            r"changes\.values: .*expected one of the keys data, metadata, structure",
        ),
        (
            {"version": "1.1.1", "previous_versions": [SECOND], "changes": {"structure": ["a column"]}},
            r"1\.1\.1 after 1\.1\.0 with changes of data or structure; expected a higher minor or major version",
        ),
    ],
)
def test_definitions_that_contradict_themselves(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(BadDefinition, match=message):
        with_versions(**keys)


def test_a_patch_changes_metadata_alone() -> None:
    definition = with_versions(version="1.1.1", previous_versions=[SECOND], changes={"metadata": ["a contact"]})
    assert "## 1.1.1 (2024-05-17)\n\n### Metadata\n\n- a contact\n" in changelog_text(definition, synthetic=False)
