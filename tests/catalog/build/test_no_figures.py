"""An archive without figures: proved like any other, with nothing that points to a picture."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.build.fingerprint import collection_key
from tests.made.shared_archives import change_archive, whole_archive
from tests.made.whole_archive import make_datasets, publish_datasets

DATA = (".tif", ".csv", ".geojson", ".qml")


@pytest.fixture(scope="module", params=["elevation change", pytest.param("both", marks=pytest.mark.slow)])
def archives(request, tmp_path_factory) -> tuple[Path, Path]:
    """An archive without figures, and the same with them."""
    root = tmp_path_factory.mktemp("bare") / "archive"
    alone = request.param == "elevation change"
    report = publish_datasets(make_datasets()[: 1 if alone else 2], root, figures=False)
    assert {"page-links", "manifest-complete"} <= set(report.checks)
    return root, change_archive() if alone else whole_archive()


def files_below(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_no_document_names_a_picture_that_is_not_there(archives):
    own, whole = (files_below(archive) for archive in archives)
    assert not [path for path in own if path.endswith(".png")]
    said = {path: content.decode() for path, content in own.items() if path.endswith((".json", ".html", ".md"))}
    pictures = {Path(path).name for path in whole if path.endswith(".png")}
    assert len(pictures) >= 5
    assert not [(path, name) for path, text in said.items() for name in pictures if name in text]
    assert not [path for path, text in said.items() if '"image/png"' in text]


def test_the_data_are_those_of_an_archive_with_figures(archives):
    own, whole = (files_below(archive) for archive in archives)
    data = [path for path in whole if path.endswith(DATA)]
    assert len(data) > 10
    assert not [path for path in data if own[path] != whole[path]]


def test_the_manifest_says_so_for_who_builds_it_again(archives):
    own, whole = (json.loads((archive / "manifest.json").read_text()) for archive in archives)
    assert own["figures"] is False
    assert "figures" not in whole


def test_the_cache_tells_the_two_apart():
    definition = make_datasets()[0].definition
    assert collection_key(definition, None) != collection_key(definition, None, figures=False)
