"""Every kind of damage is reported by the check that is meant for it; a good archive gives no finding."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from catalog import checks
from catalog.checks import CHECKS, validate
from catalog.checks.archive import Archive, Document, File, FolderFiles, join, whole
from catalog.checks.result import CheckResult, Failure, NotChecked, ValidationReport, check
from schemas.errors import BadInput
from schemas.stac_schemas import schema_folder
from tests.damage import DAMAGES, EC_ITEM, MB_ITEM, Damage, reseal, setting
from tests.whole_archive import MASS_BALANCE, build

ROOT = Path(__file__).resolve().parents[1]
needs_extension_schemas = pytest.mark.skipif(
    schema_folder() is None, reason="the STAC extension schemas are not here; point GLACIER_STAC_SCHEMAS at them"
)
# what only an extension's own schema can see
SEEN_BY_EXTENSIONS = {"checksum that is no multihash"}
DAMAGE_CASES = [
    pytest.param(damage, marks=needs_extension_schemas if damage.name in SEEN_BY_EXTENSIONS else ())
    for damage in DAMAGES
]
BY_NAME = {one.name: one for one in CHECKS}


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One archive for all tests of this module; nobody may change it."""
    out = tmp_path_factory.mktemp("good") / "archive"
    build(out)
    return out


@pytest.fixture
def archive(good: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "archive"))


def test_a_good_archive_gives_no_finding(good: Path) -> None:
    report = validate(good)
    assert report.failures == ()
    assert report.passed
    assert f"all {len(CHECKS)} checks passed" in report.lines()[-1]


@pytest.mark.slow
def test_resealing_a_good_archive_changes_nothing_that_is_checked(archive: Path) -> None:
    reseal(archive)
    assert validate(archive).failures == ()


@pytest.mark.parametrize("damage", DAMAGE_CASES, ids=lambda damage: damage.name)
def test_damage_is_reported_by_the_check_for_it(damage: Damage, archive: Path) -> None:
    damage.apply(archive)
    result = BY_NAME[damage.check](Archive(FolderFiles(archive)))
    assert not result.passed, f"{damage.check} did not see: {damage.name}"
    for failure in result.failures:
        assert failure.file
        assert failure.found
        assert failure.expected
        assert str(archive) not in str(failure), "a report names files of the archive, not of this machine"


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGE_CASES, ids=lambda damage: damage.name)
def test_damage_stops_no_check_and_fails_the_validation(damage: Damage, archive: Path) -> None:
    damage.apply(archive)
    report = validate(archive)
    assert damage.check in report.failed_checks()


def test_every_check_has_damage_that_it_catches() -> None:
    assert {one.name for one in CHECKS} == {damage.check for damage in DAMAGES}


def test_names_and_meanings_are_unique() -> None:
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    assert len({one.meaning for one in CHECKS}) == len(CHECKS)
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES)


_VALUES = (None, 0, -1, "x", "", [], {}, True, float("inf"), [[[]]], {"a": []}, "2000-01-01T00:00:00Z", ["a"], 10**400)


def _replace_somewhere(content: object, choose: random.Random) -> None:
    """Put a strange value at a random place of a JSON document."""
    node = content
    while True:
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key = choose.choice(keys)
        if choose.random() < 0.3 or not isinstance(node[key], (dict, list)) or not node[key]:
            node[key] = choose.choice(_VALUES)
            return
        node = node[key]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(60))
def test_strange_values_anywhere_in_a_document_stop_no_check(seed: int, archive: Path) -> None:
    choose = random.Random(seed)
    path = choose.choice(sorted([*archive.rglob("*.json"), *archive.rglob("*.geojson")]))
    content = json.loads(path.read_text(encoding="utf-8"))
    _replace_somewhere(content, choose)
    path.write_text(json.dumps(content), encoding="utf-8")
    assert not validate(archive).passed, "the manifest at least sees it"


# --- what the reports say ----------------------------------------------------------------------------------------


def test_a_failure_says_file_found_expected_and_remedy(archive: Path) -> None:
    setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "statistics", "mean", to=1.0)(archive)
    reseal(archive)
    report = validate(archive)
    assert report.failed_checks() == ("raster-statistics",)
    text = "\n".join(report.lines())
    assert "FAILED raster-statistics" in text
    assert f"  {EC_ITEM}: asset elevation_change" in text
    assert "found    band 1 statistics.mean 1.0" in text
    assert "do       build the archive again" in text
    assert text.endswith(f"1 of {len(CHECKS)} checks failed")


def test_report_as_json_and_junit(archive: Path) -> None:
    setting(MB_ITEM, "properties", "glacier:balance", "annual_m_we", to=0.3)(archive)
    reseal(archive)
    report = validate(archive)
    content = json.loads(json.dumps(report.to_dict()))
    assert content["passed"] is False
    assert content["failed"] == ["balance-table-is-in-stac"]
    suite = ElementTree.fromstring(report.to_junit())
    assert suite.attrib["tests"] == str(len(CHECKS))
    assert suite.attrib["failures"] == "1"
    failed = [case.attrib["name"] for case in suite if case.find("failure") is not None]
    assert failed == ["balance-table-is-in-stac"]


def test_junit_survives_control_characters_and_markup() -> None:
    failures = (Failure("a<b>.json", "\x00\x1b]0;evil\x07 & <tag>", '"quoted"'),)
    report = ValidationReport(
        "archive", (CheckResult("name", "mean<ing", failures), CheckResult("s", "m", (), "<\x01>"))
    )
    suite = ElementTree.fromstring(report.to_junit())
    assert "evil" in "".join(suite.itertext())
    assert suite.attrib["skipped"] == "1"


def test_long_lists_are_cut_in_lines_and_whole_in_json() -> None:
    failures = tuple(Failure(f"{number}.tif", "x", "y") for number in range(50))
    report = ValidationReport("archive", (CheckResult("name", "meaning", failures),))
    assert "  and 30 more" in report.lines()
    assert len(report.to_dict()["results"][0]["failures"]) == 50


# --- how a check is made -----------------------------------------------------------------------------------------


def test_a_subject_of_another_shape_is_a_failure_and_the_others_are_still_checked(good: Path) -> None:
    @check("small", "every document has a title of text", lambda archive: archive.documents)
    def small(document: Document) -> Iterator[Failure]:
        if document.file == "catalog.json":
            raise KeyError("title")
        yield Failure(document.file, "x", "y")

    result = small(Archive(FolderFiles(good)))
    assert result.failures[0] == Failure(
        "catalog.json", "KeyError: 'title'", "content in which every document has a title of text"
    )
    assert len(result.failures) == 6


def test_a_check_that_cannot_be_made_is_skipped_with_its_reason(good: Path) -> None:
    @check("small", "meaning", whole)
    def small(root: File) -> Iterator[Failure]:
        yield from ()
        raise NotChecked("the moon is down")

    result = small(Archive(FolderFiles(good)))
    assert result.passed
    assert result.skipped == "the moon is down"


def test_schemas_that_are_not_at_hand_are_named(good: Path, tmp_path: Path) -> None:
    result = BY_NAME["stac-schema"](Archive(FolderFiles(good), tmp_path))
    assert result.passed
    assert result.skipped is not None
    assert "no schema at hand (set GLACIER_STAC_SCHEMAS)" in result.skipped
    assert "projection/v2.0.0" in result.skipped


@pytest.mark.parametrize(
    ("folder", "href", "path"),
    [
        ("", "a/b.json", "a/b.json"),
        ("a/b", "../c.json", "a/c.json"),
        ("a/b", "./c.json", "a/b/c.json"),
        ("a", "../../c.json", None),
        ("a", "/etc/passwd", None),
        ("a", "file:///etc/passwd", None),
        ("a", "..\\..\\c.json", None),
        ("a", "b/../../../c", None),
    ],
)
def test_join_stays_inside_the_archive(folder: str, href: str, path: str | None) -> None:
    assert join(folder, href) == path


# --- what is refused ---------------------------------------------------------------------------------------------


def test_refuses_a_path_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such folder; expected the root folder of an archive"):
        validate(tmp_path / "gone")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="found a file; expected the root folder"):
        validate(tmp_path / "file")


def test_a_folder_that_is_no_archive_fails_and_the_rest_is_left_out(tmp_path: Path) -> None:
    report = validate(tmp_path)
    assert report.failed_checks() == ("is-archive",)
    assert {result.skipped for result in report.results[1:]} == {"this is no archive"}


# --- over http ---------------------------------------------------------------------------------------------------


@pytest.fixture
def served(archive: Path) -> Iterator[tuple[str, Path]]:
    """Our own server, in another process: GDAL holds the interpreter while it waits for an answer."""
    program = (
        "import sys; from pathlib import Path; from catalog.serve import serve;"
        "serve(Path(sys.argv[1]), port=0, tell=lambda line: print(line, flush=True))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(archive)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    address = re.search(r"http://[\w.:]+", process.stdout.readline())
    assert address is not None
    yield address.group().rstrip("/"), archive
    process.terminate()
    process.communicate()


def test_validates_over_http(served: tuple[str, Path]) -> None:
    url, _ = served
    report = validate(url)
    assert report.failures == ()
    skipped = {result.name for result in report.results if result.skipped}
    assert {"manifest-checksums", "raster-statistics", "datapackage-conforms"} <= skipped


@needs_extension_schemas
@pytest.mark.slow
def test_validates_over_http_whole_where_deep(served: tuple[str, Path]) -> None:
    url, _ = served
    report = validate(f"{url}/catalog.json", deep=True)
    assert report.failures == ()
    assert {result.name for result in report.results if result.skipped} == {"datapackage-conforms"}


def test_finds_damage_over_http(served: tuple[str, Path]) -> None:
    url, root = served
    (root / MASS_BALANCE / "README.md").unlink()
    setting(EC_ITEM, "assets", "elevation_change", "proj:shape", to=[3, 4])(root)
    failed = validate(url).failed_checks()
    assert {"manifest-complete", "manifest-sizes", "raster-georeference"} <= set(failed)


def test_a_server_that_does_not_answer_is_bad_input() -> None:
    with pytest.raises(BadInput, match="expected an answer from the server"):
        validate("http://127.0.0.1:9/archive")


def test_a_server_without_an_archive(served: tuple[str, Path]) -> None:
    url, _ = served
    assert validate(f"{url}/{MASS_BALANCE}").failed_checks() == ("is-archive",)


def test_an_interrupted_answer_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> httpx.Response:
        raise httpx.RemoteProtocolError("peer closed connection")

    monkeypatch.setattr(checks.httpx.Client, "request", broken)
    with pytest.raises(BadInput, match="peer closed connection"):
        validate("http://example.invalid/")
