"""Every kind of damage is reported by the check that is meant for it; a good archive gives no finding."""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import struct
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

import catalog.checks
from catalog.archive.layout import is_of_manifest
from catalog.archive.opened import Archive, Document, File, FolderFiles, join, whole
from catalog.archive.web_files import WebFiles, root_of
from catalog.checks import CHECKS, validate
from catalog.checks.every_check import written_checks
from catalog.checks.result import CheckResult, Failure, NotChecked, ValidationReport, check
from pipeline.patience import Patience
from schemas.errors import BadInput
from schemas.stac_schemas import schema_folder
from tests.made.damage import DAMAGES, DH, EC_ITEM, MB_ITEM, Damage, flip_bit_of_tile, reseal, setting
from tests.made.forgeries import FOREIGN, FORGERIES, KINDS, Forgery
from tests.made.large_archive import lists_in_parts
from tests.made.whole_archive import MASS_BALANCE
from tests.root import ROOT
from tests.system.counting_server import counting_server

needs_extension_schemas = pytest.mark.skipif(
    schema_folder() is None, reason="the STAC extension schemas are not here; point GLACIER_STAC_SCHEMAS at them"
)
# what only an extension's own schema can see
SEEN_BY_EXTENSIONS = {"checksum that is no multihash"}
BY_NAME = {one.name: one for one in CHECKS}
QUICK = {damage.name for damage in random.Random(6).sample(DAMAGES, 12) if not damage.parted}


def _case(damage: Damage, *marks: Any) -> Any:
    seen_by_extensions = [needs_extension_schemas] if damage.name in SEEN_BY_EXTENSIONS else []
    return pytest.param(damage, marks=[*marks, *seen_by_extensions], id=damage.name)


DAMAGE_CASES = [_case(damage, *([] if damage.name in QUICK else [pytest.mark.slow])) for damage in DAMAGES]
WHOLE_CASES = [_case(damage, pytest.mark.slow) for damage in random.Random(7).sample(DAMAGES, 8)]


@pytest.fixture(scope="session")
def good(whole_archive: Path) -> Path:
    """One archive for all tests of this module; nobody may change it."""
    return whole_archive


@pytest.fixture
def archive(good: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    return Path(shutil.copytree(good, tmp_path / "archive"))


@pytest.fixture
def damaged(damage: Damage, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A copy of the archive that a damage is meant for, damaged."""
    whole = request.getfixturevalue("parted_archive" if damage.parted else "whole_archive")
    copied = Path(shutil.copytree(whole, tmp_path / "archive"))
    with lists_in_parts() if damage.parted else nullcontext():
        damage.apply(copied)
        yield copied


def test_a_good_archive_gives_no_finding(good: Path) -> None:
    report = validate(good)
    assert report.failures == ()
    assert report.passed
    assert f"all {len(CHECKS)} checks passed" in report.lines()[-1]


@pytest.mark.slow
def test_resealing_a_good_archive_changes_nothing_that_is_checked(archive: Path) -> None:
    reseal(archive)
    assert validate(archive).failures == ()


@pytest.mark.parametrize("damage", DAMAGE_CASES)
def test_damage_is_reported_by_the_check_for_it(damage: Damage, damaged: Path) -> None:
    result = BY_NAME[damage.check](Archive(FolderFiles(damaged)))
    assert not result.passed, f"{damage.check} did not see: {damage.name}"
    for failure in result.failures:
        assert failure.file
        assert failure.found
        assert failure.expected
        assert str(damaged) not in str(failure), "a report names files of the archive, not of this machine"


@pytest.mark.parametrize("damage", WHOLE_CASES)
def test_damage_stops_no_check_and_fails_the_validation(damage: Damage, damaged: Path) -> None:
    report = validate(damaged)
    assert damage.check in report.failed_checks()


def _forgery_case(forgery: Forgery, *marks: Any) -> Any:
    return pytest.param(forgery, marks=marks, id=forgery.name)


SEEN = [forgery for forgery in FORGERIES if forgery.seen_by]
_CHOSEN = random.Random(8).sample(SEEN, 32)
FORGERY_CASES = [_forgery_case(one, *([] if at < 6 else [pytest.mark.slow])) for at, one in enumerate(_CHOSEN)]


@pytest.mark.parametrize("forgery", FORGERY_CASES)
def test_forgery_is_reported_whatever_version_the_archive_says_to_be_of(forgery: Forgery, archive: Path) -> None:
    forgery.apply(archive, version=FOREIGN)
    result = BY_NAME[forgery.seen_by](Archive(FolderFiles(archive)))
    assert result.failures, f"{forgery.seen_by} did not see: {forgery.name}"
    assert all(failure.file for failure in result.failures)


def test_most_forgeries_of_every_kind_are_seen_in_the_facts() -> None:
    assert len(FORGERIES) >= 144
    assert len({forgery.name for forgery in FORGERIES}) == len(FORGERIES)
    assert len(SEEN) / len(FORGERIES) >= 125 / 144
    for kind in KINDS:
        own = [forgery for forgery in FORGERIES if forgery.kind == kind]
        assert sum(bool(forgery.seen_by) for forgery in own) / len(own) > 0.5, kind


def test_damages_are_many() -> None:
    assert len(DAMAGES) >= 150


def _flip(path: Path, choose: random.Random) -> None:
    content = bytearray(path.read_bytes())
    content[choose.randrange(len(content))] ^= 1 << choose.randrange(8)
    path.write_bytes(bytes(content))


def _flip_in_a_sheet(path: Path) -> None:
    """One bit in the middle of the packed first sheet; names and times in a package have no checksum."""
    with zipfile.ZipFile(path) as book:
        part = book.getinfo("xl/worksheets/sheet1.xml")
    content = bytearray(path.read_bytes())
    lengths = struct.unpack("<HH", content[part.header_offset + 26 : part.header_offset + 30])
    content[part.header_offset + 30 + sum(lengths) + part.compress_size // 2] ^= 1
    path.write_bytes(bytes(content))


def test_one_bit_in_every_file_is_reported_by_the_checksums(archive: Path) -> None:
    choose = random.Random(1)
    files = [path for path in sorted(archive.rglob("*")) if path.is_file() and not is_of_manifest(path.name)]
    for path in files:
        _flip(path, choose)
    result = BY_NAME["manifest-checksums"](Archive(FolderFiles(archive)))
    assert {failure.file for failure in result.failures} == {path.relative_to(archive).as_posix() for path in files}
    assert BY_NAME["manifest-sizes"](Archive(FolderFiles(archive))).passed


# the formats that carry checksums of their own, and the tables, which stand in three formats
@pytest.mark.parametrize(
    ("suffix", "names"),
    [
        (".png", ("images",)),
        (".xlsx", ("workbooks",)),
        (".tif", ("raster-tiles",)),
        (".csv", ("table-header", "table-cells", "table-copies")),
    ],
)
def test_one_bit_in_every_such_file_is_reported_by_its_content(
    suffix: str, names: tuple[str, ...], archive: Path
) -> None:
    choose = random.Random(2)
    files = sorted(archive.rglob(f"*{suffix}"))
    for path in files:
        if suffix == ".tif":
            flip_bit_of_tile(path.relative_to(archive).as_posix())(archive)
        elif suffix == ".xlsx":
            _flip_in_a_sheet(path)
        else:
            _flip(path, choose)
    seen = Archive(FolderFiles(archive))
    reported = {failure.file.partition(":")[0] for name in names for failure in BY_NAME[name](seen).failures}
    expected = {path.relative_to(archive).as_posix() for path in files}
    if suffix == ".csv":  # a table is held against its copies, and either may be named
        reported = {path.rpartition(".")[0] for path in reported} | {path[:-4] for path in reported}
        expected = {path.removesuffix(".csv") for path in expected}
    assert expected <= reported


# what an archive is proved by when its manifest is touched
_OF_MANIFEST = (
    *("is-archive", "json-parses", "manifest-complete", "manifest-sizes", "manifest-checksums"),
    *("manifest-provenance", "synthetic-stated", "provenance-chain", "software-equal", "definition-agrees"),
    *("versions-equal", "changelog"),
)


@pytest.mark.slow
def test_one_bit_of_the_manifest_is_reported(archive: Path) -> None:
    """Anywhere but in the recorded definition, whose prose stands there alone."""
    choose, path = random.Random(3), archive / "manifest.json"
    good = path.read_bytes()
    starts = [at.start() for at in re.finditer(b'"definition"', good)]
    ends = [good.index(b"    },\n    {", starts[0]), good.index(b'"files"')]
    prose = list(zip(starts, ends, strict=True))
    places = [at for at in range(len(good)) if not any(start <= at < end for start, end in prose)]
    unseen = []
    for place in choose.sample(places, 40):
        bit = 1 << choose.randrange(7)
        path.write_bytes(good[:place] + bytes([good[place] ^ bit]) + good[place + 1 :])
        seen = Archive(FolderFiles(archive))
        if json_equal(path.read_bytes(), good):
            continue  # a blank for another
        if all(BY_NAME[name](seen).passed for name in _OF_MANIFEST):
            unseen.append(good[max(0, place - 30) : place + 30])
    assert unseen == []


def json_equal(one: bytes, other: bytes) -> bool:
    """Whether two texts are JSON of one content."""
    try:
        return bool(json.loads(one) == json.loads(other))
    except ValueError:
        return False


def test_every_check_has_damage_that_it_catches() -> None:
    seen = {damage.check for damage in DAMAGES} | {forgery.seen_by for forgery in FORGERIES}
    assert {one.name for one in CHECKS} == seen - {""}


def test_names_and_meanings_are_unique() -> None:
    assert len({one.name for one in CHECKS}) == len(CHECKS)
    assert len({one.meaning for one in CHECKS}) == len(CHECKS)
    assert len({damage.name for damage in DAMAGES}) == len(DAMAGES)


_PLANTED = """
from catalog.archive.opened import whole
from catalog.checks.result import Failure, check


@check("planted", "nothing is wrong", whole)
def _planted(root):
    yield Failure(root.file, "a check that nobody listed", "that it is made")
"""


def test_a_check_that_is_written_is_made_and_no_list_need_name_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "planted_module.py").write_text(_PLANTED, encoding="utf-8")
    monkeypatch.setattr("catalog.checks.__path__", [*catalog.checks.__path__, str(tmp_path)])
    try:
        made = {one.name: one for one in written_checks()}
    finally:
        sys.modules.pop("catalog.checks.planted_module", None)
    assert made.keys() - BY_NAME.keys() == {"planted"}
    assert made["planted"](Archive(FolderFiles(tmp_path))).failures[0].found == "a check that nobody listed"


def test_every_function_decorated_as_a_check_is_made_once() -> None:
    """Counted in the source, so that a check hidden by a later one of its name would be missed."""
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "catalog/checks").glob("*.py"))
    assert len(re.findall(r"^ *@check\(", source, re.MULTILINE)) == len(CHECKS) == len(set(BY_NAME))


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
@pytest.mark.parametrize("seed", range(4))
def test_strange_values_anywhere_in_documents_stop_no_check(seed: int, archive: Path) -> None:
    choose = random.Random(seed)
    documents = {*archive.rglob("*.json"), *archive.rglob("*.geojson")}
    chosen = choose.sample(sorted(path for path in documents if not is_of_manifest(path.name)), 15)
    for path in chosen:
        content = json.loads(path.read_text(encoding="utf-8"))
        _replace_somewhere(content, choose)
        path.write_text(json.dumps(content), encoding="utf-8")
    report = validate(archive)
    by_checksum = next(result for result in report.results if result.name == "manifest-checksums")
    assert {one.file for one in by_checksum.failures} == {path.relative_to(archive).as_posix() for path in chosen}


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
def test_strange_values_in_the_manifest_stop_no_check(seed: int, archive: Path) -> None:
    choose, path = random.Random(seed), archive / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    for _ in range(5):
        _replace_somewhere(content, choose)
    path.write_text(json.dumps(content), encoding="utf-8")
    assert not validate(archive).passed


# --- what the reports say ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_failure_says_file_found_expected_and_remedy(archive: Path) -> None:
    setting(EC_ITEM, "assets", "elevation_change", "bands", 0, "statistics", "mean", to=1.0)(archive)
    reseal(archive)
    report = validate(archive)
    assert report.failed_checks() == ("raster-statistics", "numbers-traced"), "the page shows the mean as it was"
    text = "\n".join(report.lines())
    assert "FAILED raster-statistics" in text
    assert f"  {EC_ITEM}: asset elevation_change" in text
    assert "found    band 1 statistics.mean 1.0" in text
    assert "do       build the archive again" in text
    assert f": 2 of {len(CHECKS)} checks failed" in text.splitlines()[-1]


@pytest.mark.slow
def test_report_as_json_and_junit(archive: Path) -> None:
    setting(MB_ITEM, "properties", "glacier:balance", "sigma_annual_m_we", to=0.01)(archive)
    setting(MB_ITEM, "properties", "glacier:sigma_annual_m_we", to=0.01)(archive)
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


# what the readers of JUnit reports (Jenkins, GitLab, Azure) agree on
JUNIT_XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="testsuite"><xs:complexType>
    <xs:sequence><xs:element ref="testcase" minOccurs="0" maxOccurs="unbounded"/></xs:sequence>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="tests" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
    <xs:attribute name="skipped" type="xs:nonNegativeInteger"/>
  </xs:complexType><xs:unique name="cases"><xs:selector xpath="testcase"/><xs:field xpath="@name"/></xs:unique>
  </xs:element>
  <xs:element name="testcase"><xs:complexType>
    <xs:choice minOccurs="0"><xs:element ref="failure"/><xs:element ref="skipped"/></xs:choice>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="classname" type="xs:string" use="required"/>
  </xs:complexType></xs:element>
  <xs:element name="failure"><xs:complexType><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="type" type="xs:string" use="required"/>
    <xs:attribute name="message" type="xs:string"/>
  </xs:extension></xs:simpleContent></xs:complexType></xs:element>
  <xs:element name="skipped"><xs:complexType>
    <xs:attribute name="message" type="xs:string"/>
  </xs:complexType></xs:element>
</xs:schema>"""


def test_junit_follows_the_schema_of_its_readers(good: Path, tmp_path: Path) -> None:
    results = [BY_NAME[name](Archive(FolderFiles(good), tmp_path)) for name in ("is-archive", "stac-schema", "layout")]
    results.append(CheckResult("failed", "it is true", (Failure("a", "\x02", "<c>"),)))
    document = etree.fromstring(ValidationReport("archive", tuple(results)).to_junit().encode())
    etree.XMLSchema(etree.fromstring(JUNIT_XSD)).assertValid(document)
    assert document.attrib["skipped"] == "1"
    assert [case.get("name") for case in document if case.find("failure") is not None] == ["failed"]


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


@pytest.mark.parametrize("bug", [TypeError("None is no number"), AttributeError("no such name")])
def test_an_error_of_a_check_is_no_damage_of_the_archive(good: Path, bug: Exception) -> None:
    @check("small", "meaning", whole)
    def small(root: File) -> Iterator[Failure]:
        yield from ()
        raise bug

    with pytest.raises(type(bug), match=str(bug)):
        small(Archive(FolderFiles(good)))


def test_a_value_of_another_kind_is_named_by_its_place(archive: Path) -> None:
    setting(EC_ITEM, "properties", "glacier:pair", to=5)(archive)
    seen = Archive(FolderFiles(archive))
    result = BY_NAME["item-time"](seen)
    assert [failure.file for failure in result.failures] == [EC_ITEM]
    assert "properties.glacier:pair: '5' (input should be a valid string)" in result.failures[0].found
    assert BY_NAME["raster-opens"](seen).passed, "the rasters of other items are still looked at"


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


def _no_network(*_: object, **__: object) -> None:
    raise AssertionError("the network was asked")


def test_a_reference_between_schemas_never_leads_to_the_network(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _no_network)
    monkeypatch.setattr(socket.socket, "connect", _no_network)
    place = tmp_path / "schemas" / "example.org" / "x" / "v1.0.0" / "schema.json"
    place.parent.mkdir(parents=True)
    elsewhere = "https://example.org/elsewhere.json"
    place.write_text(json.dumps({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": elsewhere}))
    declared = ["https://example.org/x/v1.0.0/schema.json", "https://example.org/unknown/schema.json"]
    setting("catalog.json", "stac_extensions", to=declared)(archive)
    result = BY_NAME["stac-schema"](Archive(FolderFiles(archive), tmp_path / "schemas"))
    assert result.skipped is not None
    assert elsewhere in result.skipped
    assert result.failures == ()


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


@pytest.mark.slow
def test_over_http_rasters_are_read_by_ranges_below_any_path(archive: Path) -> None:
    with (archive / DH).open("ab") as raster:
        raster.write(bytes(3_000_000))  # behind the last tile: nobody need read it
    reseal(archive)
    size = (archive / DH).stat().st_size
    with counting_server(archive, "/data/v1") as (url, counts):
        report = validate(f"{url}/catalog.json")
        sent = counts()
    seen = {"raster-bytes", "metadata-files"}
    assert set(report.failed_checks()) == seen, "RO-Crate and schema.org state the size as it was"
    skipped = {result.name for result in report.results if result.skipped}
    assert {"manifest-checksums", "raster-statistics", "raster-overviews"} <= skipped
    assert 0 < sent[DH] < size / 10
    assert sent["catalog.json"] == (archive / "catalog.json").stat().st_size, "each document is fetched once"


@needs_extension_schemas
@pytest.mark.slow
def test_over_http_everything_is_read_where_deep(archive: Path) -> None:
    with counting_server(archive) as (url, counts):
        report = validate(url, deep=True)
        sent = counts()
    assert report.failures == ()
    assert {result.name for result in report.results if result.skipped} == set()
    assert sent[DH] >= (archive / DH).stat().st_size


@pytest.mark.slow
def test_finds_damage_over_http(archive: Path) -> None:
    (archive / MASS_BALANCE / "README.md").unlink()
    setting(EC_ITEM, "assets", "elevation_change", "proj:shape", to=[3, 4])(archive)
    with counting_server(archive) as (url, _):
        failed = validate(f"{url}/").failed_checks()
    assert {"manifest-complete", "manifest-sizes", "raster-georeference"} <= set(failed)


@pytest.mark.parametrize(
    "url",
    [
        "https://host/a/b",
        "https://host/a/b/",
        "https://host/a/b/catalog.json",
        "https://host/a/b/index.html",
        "https://host/a/b/catalog.json#top",
    ],
)
def test_every_address_of_an_archive_leads_to_its_root(url: str) -> None:
    assert root_of(url) == "https://host/a/b"


def test_the_root_of_a_host_is_an_archive_too() -> None:
    assert root_of("http://host:8000/catalog.json") == root_of("http://host:8000") == "http://host:8000"


def test_an_address_with_a_query_is_refused() -> None:
    with pytest.raises(BadInput, match="found a query; expected the URL of an archive's root"):
        validate("https://host/a/catalog.json?token=1")


def test_a_server_that_does_not_answer_is_bad_input() -> None:
    with pytest.raises(BadInput, match="expected an answer from the server"):
        validate("http://127.0.0.1:9/archive")


def test_a_silent_server_is_bad_input(good: Path) -> None:
    with (
        counting_server(good, troubles={"catalog.json": [0]}) as (url, _),
        pytest.raises(BadInput, match=r"catalog\.json: found no answer in time"),
    ):
        validate(url, timeout_s=0.3)


def test_a_server_in_trouble_is_asked_again_and_named_when_it_stays(good: Path) -> None:
    troubles = {"catalog.json": [503, 500, 200], "manifest.json": [500], "index.html": [401]}
    with counting_server(good, troubles=troubles) as (url, _), httpx.Client() as client:
        files = WebFiles(url, client, patience=Patience(attempts=3, first_wait_s=0.01))
        assert files.read("catalog.json") == (good / "catalog.json").read_bytes()
        with pytest.raises(BadInput, match=r"manifest\.json: found answer 500"):
            files.read("manifest.json")
        with pytest.raises(BadInput, match=r"index\.html: found answer 401"):
            files.read("index.html")
        assert files.read("gone.json") is None
        assert files.size("gone.json") is None
        assert files.size("site.css") == (good / "site.css").stat().st_size


def test_a_server_without_an_archive(good: Path) -> None:
    with counting_server(good) as (url, _):
        report = validate(f"{url}/{MASS_BALANCE}")
    assert report.failed_checks() == ("is-archive",)
    assert "catalog.json: found no such file" in str(report.failures[0])


def test_an_interrupted_answer_is_bad_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> httpx.Response:
        raise httpx.RemoteProtocolError("peer closed connection")

    monkeypatch.setattr(httpx.Client, "send", broken)
    with pytest.raises(BadInput, match="peer closed connection"):
        validate("http://example.invalid/")
