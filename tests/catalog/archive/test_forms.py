"""The form of an archive's documents: what is written has it, what is altered is named by its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from catalog.archive.forms import misfit

SUFFIXES = (".json", ".jsonld", ".geojson", ".cff")


def test_every_document_that_is_written_has_its_form(whole_archive: Path) -> None:
    paths = [path for path in sorted(whole_archive.rglob("*")) if path.suffix in SUFFIXES]
    assert len(paths) > 25
    for path in paths:
        read = yaml.safe_load if path.suffix == ".cff" else json.loads
        name = path.relative_to(whole_archive).as_posix()
        assert misfit(name, read(path.read_text(encoding="utf-8"))) == "", name


@pytest.mark.parametrize(
    ("path", "content", "place"),
    [
        ("manifest.json", {"files": [{"path": "a"}, {"path": 1}]}, "files.1.path: '1'"),
        ("c/collection.json", {"extent": {"spatial": {"bbox": [["x"]]}}}, "extent.spatial.bbox.0.0: 'x'"),
        ("c/i/i.json", {"properties": {"glacier:ela": {"altitude_m": True}}}, "properties.glacier:ela.altitude_m: 'Tr"),
        ("c/i/i.json", {"bbox": [10**400]}, "bbox.0: '1000"),
        ("c/i/i.json", [], "the document: '[]'"),
        ("c/i/glaciers.geojson", {"features": [{"properties": None}]}, "features.0.properties: 'None'"),
        ("c/datapackage.json", {"resources": [{"schema": {"fields": ["a"]}}]}, "resources.0.schema.fields.0: 'a'"),
        ("c/metadata/ncdc.json", {"ds_topic_tags": "ice"}, "ds_topic_tags: 'ice'"),
        ("c/metadata/ro-crate-metadata.json", {"@graph": {}}, "@graph: '{}'"),
        ("c/metadata/CITATION.cff", {"keywords": None}, "keywords: 'None'"),
    ],
)
def test_what_is_of_another_kind_is_named_by_its_place(path: str, content: object, place: str) -> None:
    assert misfit(path, content).startswith(place)


@pytest.mark.parametrize("path", ["manifest.json", "c/collection.json", "c/i/i.json", "c/datapackage.json"])
def test_what_is_absent_or_of_no_concern_may_be_so(path: str) -> None:
    assert misfit(path, {}) == ""
    assert misfit(path, {"x:of_others": [{"a": None}]}) == ""


def test_a_source_of_a_crate_may_state_its_licence_in_words() -> None:
    graph = [{"@id": "./", "license": {"@id": "#licence"}}, {"@id": "#input", "license": "CC-BY-NC-SA-4.0"}]
    assert misfit("c/metadata/ro-crate-metadata.json", {"@graph": graph}) == ""


def test_whole_numbers_stand_for_numbers() -> None:
    assert misfit("c/i/i.json", {"bbox": [86, 43.5, 87, 44]}) == ""
