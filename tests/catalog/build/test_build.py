"""The build as a whole: the same bytes each time, and a failure changes nothing that was there before."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from catalog.archive.dataset import Dataset
from catalog.archive.manifest import list_files
from catalog.build import assembly
from catalog.build.order import Order
from catalog.build.report import FailedBuild
from catalog.checks import validate
from schemas.definition import Changes, OtherVersion
from schemas.errors import BadInput
from tests.made.command_line import Done, run
from tests.made.damage import in_json
from tests.made.whole_archive import ELEVATION_CHANGE, MASS_BALANCE, build, make_datasets, publish_datasets

# each builds, or copies, whole archives
pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def first(whole_archive: Path) -> Path:
    """Built in whichever process asked first."""
    return whole_archive


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its time and content."""
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def failing_datasets() -> list[Dataset]:
    """The second dataset misses its gate."""
    one, two = make_datasets()
    gates = two.gates.copy()
    gates.loc[0, ["value", "passed"]] = [999.0, False]
    return [one, replace(two, gates=gates)]


@pytest.mark.slow
def test_a_build_by_another_gives_the_same_bytes_and_reports_what_was_published(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    for name, value in (
        ("TZ", "Asia/Urumqi"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("USER", "somebody"),
        ("HOME", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)
    second = tmp_path / "another place" / "named otherwise"
    mask = os.umask(0o077)
    try:
        second.parent.mkdir()
        report = publish_datasets(make_datasets(), second, tell=said.append)
    finally:
        os.umask(mask)
    assert {name: content for name, (_, content) in state(second).items()} == {
        name: content for name, (_, content) in state(first).items()
    }
    assert report.items == {ELEVATION_CHANGE: ("elevation-change",), MASS_BALANCE: ("balance-2001", "balance-2003")}
    assert report.files == len(list_files(second))
    assert report.to_dict()["checks"] == len(report.checks) > 50
    assert said[-1] == "publishing"
    assert "writing Glacier elevation change in a test basin" in said


def test_a_published_archive_is_valid_wherever_it_is_moved(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "moved")
    assert validate(tmp_path / "moved").failures == ()
    assert [path.name for path in first.parent.iterdir()] == ["archive"]


@pytest.mark.slow
def test_an_archive_is_replaced_by_the_next(first: Path, tmp_path: Path) -> None:
    shutil.copytree(first, tmp_path / "archive")
    report = publish_datasets(make_datasets()[:1], tmp_path / "archive", code_version="0.2.0")
    assert list(report.items) == [ELEVATION_CHANGE]
    assert not (tmp_path / "archive" / MASS_BALANCE).exists()
    assert validate(tmp_path / "archive").passed


@pytest.mark.slow
def test_a_failed_gate_publishes_nothing_and_keeps_the_previous_archive(first: Path, tmp_path: Path) -> None:
    out = tmp_path / "archive"
    shutil.copytree(first, out)
    before = state(out)
    with pytest.raises(FailedBuild, match=r"glacier-wide uncertainty.*checks that failed: .*quality-gates") as caught:
        publish_datasets(failing_datasets(), out)
    assert caught.value.exit_code == 1
    assert "quality-gates" in caught.value.report.failed_checks()
    assert str(out) in caught.value.report.lines()[-1], "the report names the target, not the draft"
    assert state(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


@pytest.mark.slow
def test_an_error_while_writing_keeps_the_previous_archive(
    first: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "archive"
    shutil.copytree(first, out)
    before = state(out)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(assembly, "write_collection_pages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(out)
    assert state(out) == before
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]


def test_a_bad_target_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive/thesis.doc").write_text("years of work")
    monkeypatch.setattr(assembly, "write_collection", lambda *_: pytest.fail("the build began"))
    with pytest.raises(BadInput, match="a folder that is not an archive"):
        build(tmp_path / "archive")
    assert (tmp_path / "archive/thesis.doc").read_text() == "years of work"


def test_refuses_one_dataset_twice_and_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the same id twice"):
        publish_datasets(make_datasets()[:1] * 2, tmp_path / "archive")
    with pytest.raises(BadInput, match="found none; expected at least one dataset"):
        publish_datasets([], tmp_path / "archive")
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_bad_base_url_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="an http or https address"):
        publish_datasets(make_datasets()[1:], tmp_path / "archive", base_url="ftp://x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_base_url_and_a_target_with_a_dot_in_its_name_give_a_valid_archive_too(tmp_path: Path) -> None:
    out = tmp_path / "archive.v1"
    publish_datasets(make_datasets()[1:], out, base_url="https://example.org/archive")
    assert validate(out).passed


@pytest.mark.slow
def test_a_dataset_of_real_inputs_is_not_called_synthetic(tmp_path: Path) -> None:
    out = tmp_path / "archive"
    build(out, synthetic=False)  # which publishes nothing that does not pass its checks
    for path in out.rglob("*.html"):
        assert "synthetic" not in path.read_text(encoding="utf-8").replace("synthetic-", "").lower(), path


# --- quality gates, through the command --------------------------------------------------------------------------


@pytest.fixture
def commissioned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Make `build` build given datasets in the place of the shipped ones."""

    def commission(*datasets: Dataset) -> Callable[..., Done]:
        monkeypatch.setattr(
            "catalog.build.definitions.default_definitions", lambda: tuple(d.definition for d in datasets)
        )
        monkeypatch.setattr(Order, "datasets", lambda *_: iter(datasets))
        return lambda *options: run("build", "--no-cache", "--quiet", *options)

    return commission


def beyond_its_gate(**definition: Any) -> Dataset:
    """A dataset whose stable terrain is biased more than its definition allows."""
    one = make_datasets()[0]
    limit = one.definition.gates[0].model_copy(update={"limit": 0.01})
    gates = one.gates.copy()
    gates.loc[0, ["limit", "passed"]] = [0.01, False]
    return replace(one, definition=one.definition.model_copy(update={"gates": (limit,), **definition}), gates=gates)


def test_a_failed_gate_ends_in_exit_1_with_the_report_and_nothing_published(
    tmp_path: Path, commissioned: Callable[..., Any]
) -> None:
    build_it = commissioned(beyond_its_gate())
    done = build_it("--out", tmp_path / "archive")
    assert done.code == 1
    assert "off-glacier bias of stable terrain" in done.out
    assert "publish_failing" in done.out
    assert re.search(r"1 of \d+ checks failed", done.out)
    assert "error: " in done.err
    assert "checks that failed: quality-gates)" in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_report_of_a_failed_build_as_json(tmp_path: Path, commissioned: Callable[..., Any]) -> None:
    done = commissioned(beyond_its_gate())("--out", tmp_path / "archive", "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert report["passed"] is False
    failed = [result for result in report["results"] if result["failures"]]
    assert [result["name"] for result in failed] == ["quality-gates"]


@pytest.mark.slow
def test_a_declared_failing_is_published_with_its_verdict(tmp_path: Path, commissioned: Callable[..., Any]) -> None:
    out = tmp_path / "archive"
    done = commissioned(beyond_its_gate(publish_failing=True))("--out", out)
    assert done.code == 0, done.out + done.err
    assert validate(out).passed
    folder = out / ELEVATION_CHANGE
    collection = json.loads((folder / "collection.json").read_text(encoding="utf-8"))
    assert [gate["passed"] for gate in collection["glacier:gates"]] == [False]
    item = json.loads((folder / "elevation-change/elevation-change.json").read_text(encoding="utf-8"))
    assert [gate["passed"] for gate in item["properties"]["glacier:gates"]] == [False]
    for page in (out / "index.html", folder / "index.html", folder / "elevation-change/index.html"):
        assert '<li class="failed">' in page.read_text(encoding="utf-8"), page
    assert "**Published although a quality gate failed**" in (folder / "README.md").read_text(encoding="utf-8")
    citation = (folder / "metadata/citation.txt").read_text(encoding="utf-8")
    assert re.search(r"quality gates failed .*\n\n- off-glacier bias, stable terrain: .*FAILED", citation)
    assert commissioned(beyond_its_gate(publish_failing=True))("--verify", out).code == 0

    # the declaration is part of the archive: without it the verdict is a finding
    def undeclared(manifest: Any) -> None:
        del manifest["datasets"][0]["definition"]["publish_failing"]

    in_json("manifest.json", undeclared)(out)
    assert validate(out).failed_checks() == ("manifest-intact", "quality-gates")


@pytest.mark.slow
def test_an_archive_of_gates_that_passed_says_nothing_of_failing(first: Path) -> None:
    for name in (ELEVATION_CHANGE, MASS_BALANCE):
        assert "although" not in (first / name / "README.md").read_text(encoding="utf-8")
        assert "although" not in (first / name / "metadata/citation.txt").read_text(encoding="utf-8")


# --- versions, through the command -------------------------------------------------------------------------------


@pytest.mark.slow
def test_changed_values_are_published_under_a_new_version_alone(
    tmp_path: Path, commissioned: Callable[..., Any]
) -> None:
    out = tmp_path / "archive"
    one = make_datasets()[0]
    assert commissioned(one)("--out", out).code == 0
    before = state(out)
    table = one.result.tables["glaciers"].copy()
    table.loc[0, "median_dh_m"] -= 1
    changed = replace(one, result=replace(one.result, tables={**one.result.tables, "glaciers": table}))
    refused = commissioned(changed)("--out", out)
    assert refused.code == 1, refused.err
    assert "version 1.2.0: found a minor change of the values published" in refused.err
    assert "expected version 1.3.0 or later" in refused.err
    assert state(out) == before

    first = OtherVersion(version="1.2.0", publication_date="2023-05-17", href="https://example.org/1.2.0/")
    new = {"version": "1.3.0", "previous_versions": (first,), "changes": Changes(data=("the median of one glacier",))}
    definition = changed.definition.model_copy(update=new)
    done = commissioned(replace(changed, definition=definition))("--out", out)
    assert done.code == 0, done.out + done.err
    folder = out / ELEVATION_CHANGE
    assert "### Data\n\n- the median of one glacier\n" in (folder / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "the median of one glacier" in (folder / "index.html").read_text(encoding="utf-8")
    collection = json.loads((folder / "collection.json").read_text(encoding="utf-8"))
    assert collection["assets"]["changelog"]["href"] == "./CHANGELOG.md"
    links = {link["rel"]: link["href"] for link in collection["links"]}
    assert links["predecessor-version"] == "https://example.org/1.2.0/"
    assert links["latest-version"] == "./collection.json"


@pytest.mark.slow
def test_a_gate_without_a_value_fails(tmp_path: Path) -> None:
    one, _ = make_datasets()
    gates = pd.DataFrame([["off-glacier bias", "stable terrain", None, 0.6, "m", False]], columns=one.gates.columns)
    with pytest.raises(FailedBuild, match="quality-gates"):
        publish_datasets([replace(one, gates=gates)], tmp_path / "archive")
