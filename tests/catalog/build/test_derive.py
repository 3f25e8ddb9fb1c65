"""What follows from an archive is written again and compared byte by byte; each file that differs is named."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from catalog.archive.opened import Archive, FolderFiles
from catalog.build import derivation, verification
from catalog.build.derivation import derive
from catalog.checks.result import ValidationReport
from pipeline.resources import open_resources
from schemas.errors import BadInput
from tests.made.damage import EC, MB, add, in_text, remove
from tests.made.forgeries import FORGERIES
from tests.made.whole_archive import CODE_VERSION


@pytest.fixture
def archive(whole_archive: Path, tmp_path: Path) -> Path:
    """A copy to be forged."""
    return Path(shutil.copytree(whole_archive, tmp_path / "archive"))


@pytest.fixture
def written_again(whole_archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The small archive has no sample of its own: what the writers would write of it is what they wrote."""

    def assemble(_order: Any, root: Path, *_: Any, **__: Any) -> None:
        shutil.copytree(whole_archive, root, dirs_exist_ok=True)

    monkeypatch.setattr(verification, "assemble", assemble)


def _derived(archive: Path) -> dict[str, str]:
    with open_resources(1) as resources:
        result = derive(archive, None, resources, code_version=CODE_VERSION)
    assert result.skipped is None
    return {failure.file: failure.found for failure in result.failures}


def test_a_good_archive_is_what_follows(archive: Path, written_again: None) -> None:
    assert _derived(archive) == {}


def test_each_file_that_differs_is_named_with_its_first_difference(archive: Path, written_again: None) -> None:
    in_text(f"{MB}/README.md", "# Mass balance of a test glacier", "# Another")(archive)
    remove(f"{EC}/elevation-change/aspect.png")(archive)
    add("setup.exe", b"MZ")(archive)
    seen = _derived(archive)
    assert seen.keys() == {f"{MB}/README.md", f"{EC}/elevation-change/aspect.png", "setup.exe"}
    assert seen[f"{MB}/README.md"].startswith('line 1 "# Another" -> "# Mass balance')
    assert seen["setup.exe"] == "a file that follows from nothing"


@pytest.mark.parametrize("name", [one.name for one in FORGERIES if not one.seen_by and one.kind in ("picture", "STAC")])
def test_what_no_fact_tells_is_derived(name: str, archive: Path, written_again: None) -> None:
    next(one for one in FORGERIES if one.name == name).apply(archive)
    named = _derived(archive).keys() - {"manifest.json", "statement.json"}
    assert any(path.endswith((".png", ".json")) for path in named)


def test_what_follows_from_the_archive_alone_needs_no_inputs(archive: Path) -> None:
    written = dict(derivation._from_the_archive(Archive(FolderFiles(archive))))
    assert {"site.js", "items.parquet", f"{MB}/CHANGELOG.md"} <= written.keys()
    assert [path for path, content in written.items() if (archive / path).read_bytes() != content] == []


def test_of_observations_without_their_inputs_the_rest_is_said_to_be_left_out(archive: Path) -> None:
    in_text("manifest.json", '"synthetic": true,\n  "tools"', '"synthetic": false,\n  "tools"')(archive)
    add("site.js", b"alert(1)")(archive)
    with open_resources(1) as resources:
        result = derive(archive, None, resources, code_version=CODE_VERSION)
    assert [failure.file for failure in result.failures if failure.file.endswith(".js")] == ["site.js"]
    assert result.skipped is not None
    report = ValidationReport("archive", ()).with_result(result)
    assert "not checked: derivation - without raw inputs" in "\n".join(report.lines())


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with open_resources(1) as resources, pytest.raises(BadInput, match=r"no manifest\.json that lists datasets"):
        derive(tmp_path, None, resources, code_version=CODE_VERSION)
