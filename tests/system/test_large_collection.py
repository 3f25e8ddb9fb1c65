"""No document of a large collection exceeds a megabyte: long lists stand in parts, and every reader joins them."""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pystac
import pytest
from lxml import html
from rocrate.rocrate import ROCrate

from catalog.archive.draft import open_draft
from catalog.archive.layout import MANIFEST_PARTS, VERSIONS, VOUCHERS, is_of_manifest
from catalog.archive.manifest import (
    FILES_IN_A_PART,
    broken_seal,
    list_files,
    listed_files,
    manifest_documents,
    manifest_files,
    manifest_of,
    whole_manifest,
)
from catalog.archive.opened import Archive, FolderFiles
from catalog.archive.web_files import WebFiles
from catalog.build.cache import Cache
from catalog.build.definitions import DATASETS
from catalog.checks import validate
from catalog.metadata.data_files import FILES_IN_A_LIST, file_lists, own_files
from catalog.metadata.facts import describe
from catalog.metadata.jsonld import dataset_jsonld, page_document
from catalog.metadata.rocrate import crate_texts
from catalog.publish.upload import STAGES, publish, stage_of
from catalog.versions.compare import compare_archives
from schemas.definition import ARCHIVE_FOLDERS, parse_definition
from schemas.errors import BadDefinition, BadInput, FailedCheck
from schemas.glacier_extension import SCHEMA_PATH
from tests.made.fakes import make_mass_balance_dataset
from tests.made.large_archive import lists_in_parts
from tests.made.tiny_archive import write_archive
from tests.system.counting_server import counting_server

MEGABYTE = 1_000_000
LONG = "x" * 60  # longer than the name of any folder of ours


def manifest_of_many(count: int) -> dict[str, Any]:
    files = [{"path": f"c/{LONG}-{n:06d}/{LONG}.json", "size": n, "sha256": f"{n:064x}"} for n in range(count)]
    return {"archive": "glacier-archive", "format": 1, "files": files}


def reader_of(documents: dict[str, bytes]) -> Any:
    return documents.get


def test_a_manifest_of_few_files_is_one_document() -> None:
    manifest = manifest_of_many(FILES_IN_A_PART)
    documents = manifest_documents(manifest)
    assert list(documents) == ["manifest.json"]
    assert json.loads(documents["manifest.json"])["files"] == manifest["files"]


def test_a_manifest_of_many_files_lists_each_once_in_parts_of_less_than_a_megabyte() -> None:
    manifest = manifest_of_many(2 * FILES_IN_A_PART + 1)
    documents = manifest_documents(manifest)
    assert list(documents) == ["manifest/0001.json", "manifest/0002.json", "manifest/0003.json", "manifest.json"]
    assert max(map(len, documents.values())) < MEGABYTE
    top = json.loads(documents["manifest.json"])
    assert "files" not in top
    for entry in top["parts"]:
        content = documents[entry["path"]]
        assert entry["size"] == len(content)
        assert entry["sha256"] == hashlib.sha256(content).hexdigest()
    listed = [file for entry in top["parts"] for file in json.loads(documents[entry["path"]])["files"]]
    assert listed == manifest["files"]
    assert broken_seal(documents["manifest.json"]) is None
    whole = whole_manifest(reader_of(documents)) or {}
    assert whole["files"] == manifest["files"]
    assert whole["parts"] == top["parts"]


@pytest.mark.parametrize("part", [None, b"", b"[]", b'{"files": 1}', b"\xff", b"[" * 100_000])
def test_a_part_that_is_none_adds_no_file(part: bytes | None) -> None:
    manifest = manifest_of_many(FILES_IN_A_PART + 3)
    documents: dict[str, Any] = {**manifest_documents(manifest), "manifest/0001.json": part}
    whole = whole_manifest(reader_of(documents)) or {}
    assert whole["files"] == manifest["files"][FILES_IN_A_PART:]


@pytest.mark.parametrize("name", ["../manifest/0001.json", "/etc/passwd", "manifest/../x.json", "manifest.json", "c/x"])
def test_only_a_part_of_the_manifest_is_read_as_one(name: str) -> None:
    asked = []

    def read(path: str) -> bytes | None:
        asked.append(path)
        top = {"archive": "glacier-archive", "parts": [{"path": name, "size": 1, "sha256": "0" * 64}]}
        return json.dumps(top).encode() if path == "manifest.json" else None

    assert (whole_manifest(read) or {})["files"] == []
    assert asked == ["manifest.json"]


@pytest.mark.parametrize(
    ("path", "own"),
    [
        ("manifest.json", True),
        ("manifest/0001.json", True),
        ("manifest/12345.json", True),
        ("manifest/1.json", False),
        ("manifest/notes.txt", False),
        ("c/manifest/0001.json", False),
        ("manifest/0001.json/x", False),
    ],
)
def test_paths_of_the_manifest(path: str, own: bool) -> None:
    assert is_of_manifest(path) is own


def test_no_dataset_takes_the_name_of_a_folder_of_the_archive() -> None:
    assert set(ARCHIVE_FOLDERS) == {MANIFEST_PARTS, VERSIONS, SCHEMA_PATH.partition("/")[0]}
    stated = tomllib.loads(sorted(DATASETS.glob("*.toml"))[0].read_text(encoding="utf-8"))
    for name in ARCHIVE_FOLDERS:
        with pytest.raises(BadDefinition, match="names no folder which the archive itself may have"):
            parse_definition({**stated, "id": name}, "d.toml")
    for name in ("con", "prn", "aux", "nul", "com1", "lpt9"):
        with pytest.raises(BadDefinition, match="an id under which every system can keep a folder"):
            parse_definition({**stated, "id": name}, "d.toml")


# --- the lists of the metadata ------------------------------------------------------------------------------------


def many_files(items: int) -> list[tuple[str, int, str, str]]:
    own = [("datapackage.json", 7, "ab" * 32, "application/json"), ("tables/stakes.csv", 11, "cd" * 32, "text/csv")]
    return [*own, *((f"{LONG}-{n:06d}/a b.tif", n, f"{n:064x}", "image/tiff") for n in range(items))]


def test_few_files_are_one_list() -> None:
    files = many_files(FILES_IN_A_LIST - 2)
    assert own_files(files) == tuple(files)
    assert file_lists(files) == ()


def test_the_files_of_many_items_are_described_by_crates_of_their_own(tmp_path: Path) -> None:
    files = many_files(2 * FILES_IN_A_LIST + 1)
    facts = describe(make_mass_balance_dataset()).with_files(files)
    texts = crate_texts(facts)
    assert list(texts) == [
        "ro-crate-metadata.json",
        *(f"files-000{n}/ro-crate-metadata.json" for n in (1, 2, 3)),
    ]
    assert max(len(text.encode()) for text in texts.values()) < MEGABYTE
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(text.encode())
    named: dict[str, tuple[str, str]] = {}
    for folder in (tmp_path, *sorted(tmp_path.glob("files-*"))):
        crate = ROCrate(folder)
        for entity in crate.data_entities:
            if "sha256" in entity and not entity.id.endswith("ro-crate-metadata.json"):
                name = entity["name"]
                assert name not in named
                up = "../" if folder == tmp_path else "../../"
                assert entity.id == up + name.replace(" ", "%20")
                named[name] = (entity["contentSize"], entity["sha256"])
    assert named == {path: (str(size), digest) for path, size, digest, _ in files}
    top = ROCrate(tmp_path)
    part = top.get("files-0002/")
    assert part["subjectOf"].id == "files-0002/ro-crate-metadata.json"
    assert part["subjectOf"]["sha256"] == hashlib.sha256(texts[part["subjectOf"].id].encode()).hexdigest()
    assert part in top.root_dataset["hasPart"]
    size = sum(size for _, size, _, _ in files)
    assert top.root_dataset["size"] == f"{len(files)} files, {size} bytes"


def test_schema_org_of_many_files_names_those_of_the_collection_and_where_to_find_the_rest() -> None:
    files = many_files(FILES_IN_A_LIST)
    document = dataset_jsonld(describe(make_mass_balance_dataset()).with_files(files))
    addresses = [entry["contentUrl"] for entry in document["distribution"]]
    listings = ["../collection.json", "../../items.parquet", "../metadata/ro-crate-metadata.json"]
    assert addresses == ["../datapackage.json", "../tables/stakes.csv", *listings]
    size = sum(size for _, size, _, _ in files)
    assert document["size"] == f"{len(files)} files, {size} bytes"
    page = [entry["contentUrl"] for entry in page_document(document)["distribution"]]
    assert page[2:] == ["collection.json", "../items.parquet", "metadata/ro-crate-metadata.json"]


# --- an archive whose lists stand in parts ------------------------------------------------------------------------


@pytest.fixture
def parted_tiny(tmp_path: Path) -> Path:
    """The tiny archive, quick to write, with a manifest in parts of four files."""
    root = write_archive(tmp_path / "archive", raster=False)
    part_again(root)
    return root


def part_again(root: Path, count: int = 4) -> None:
    for path in manifest_files(root):
        (root / path.path).unlink()
    files = [{"path": file.path, "size": file.size, "sha256": file.sha256} for file in list_files(root)]
    datasets = [{"id": "glacier-x-elevation-change", "version": "1.0.0", "synthetic": False}]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("catalog.archive.manifest.FILES_IN_A_PART", count)
        documents = manifest_documents({"archive": "glacier-archive", "datasets": datasets, "files": files})
    for name, content in documents.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(content)


def every_file(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_manifest_lists_neither_itself_nor_its_parts_but_knows_them(parted_tiny: Path) -> None:
    parts = sorted(path for path in every_file(parted_tiny) if path.startswith("manifest/"))
    assert len(parts) >= 3
    assert {file.path for file in manifest_files(parted_tiny)} == {"manifest.json", *parts}
    names = {file.path for file in list_files(parted_tiny)}
    assert not names & {"manifest.json", *parts}
    assert listed_files(parted_tiny) == {*names, *parts, *VOUCHERS}


def test_publication_sends_the_parts_before_the_manifest_and_resumes(parted_tiny: Path, tmp_path: Path) -> None:
    assert STAGES[stage_of("manifest/0001.json")] == "manifest"
    first = publish(parted_tiny, str(tmp_path / "out"))
    assert every_file(tmp_path / "out") == every_file(parted_tiny)
    order = [path for path in first.copied if is_of_manifest(path) or path == "catalog.json"]
    assert order == [*sorted(order[:-2]), "manifest.json", "catalog.json"]
    assert publish(parted_tiny, str(tmp_path / "out")).copied == ()


def test_publication_removes_the_parts_that_a_smaller_version_has_no_more(parted_tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    publish(parted_tiny, str(out))
    shutil.rmtree(parted_tiny / "manifest")
    part_again(parted_tiny, 1000)
    report = publish(parted_tiny, str(out), delete=True)
    assert {path.partition("/")[0] for path in report.deleted} == {"manifest"}
    assert every_file(out) == every_file(parted_tiny)


def test_a_version_with_parts_is_kept_whole(parted_tiny: Path, tmp_path: Path) -> None:
    out, before = tmp_path / "out", every_file(parted_tiny)
    publish(parted_tiny, str(out))
    text = (parted_tiny / "manifest.json").read_text().replace("1.0.0", "1.1.0")
    (parted_tiny / "manifest.json").write_text(text)
    publish(parted_tiny, str(out))
    assert every_file(out / "versions/1.0.0") == before


@pytest.mark.parametrize("content", [b'{"files": []}', b"{"])
def test_an_altered_part_is_not_published(content: bytes, parted_tiny: Path, tmp_path: Path) -> None:
    (parted_tiny / "manifest/0002.json").write_bytes(content)
    with pytest.raises((BadInput, FailedCheck), match=r"manifest/0002\.json: found sha256"):
        publish(parted_tiny, str(tmp_path / "out"))
    (parted_tiny / "manifest/0002.json").unlink()
    with pytest.raises(BadInput, match=r"manifest/0002\.json: found no such file"):
        publish(parted_tiny, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_archive_with_parts_may_be_replaced_and_one_with_a_stray_file_may_not(parted_tiny: Path) -> None:
    with open_draft(parted_tiny):
        pass
    (parted_tiny / "manifest/notes.txt").write_text("mine")
    with (
        pytest.raises(BadInput, match=r"manifest/notes\.txt, which the archive's manifest does not list"),
        open_draft(parted_tiny),
    ):
        pass


def test_the_cache_keeps_the_parts_too(parted_tiny: Path, tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.keep("0" * 64, parted_tiny, {})
    (tmp_path / "again").mkdir()
    assert cache.restore("0" * 64, tmp_path / "again", lambda _: None) == {}
    assert every_file(tmp_path / "again") == every_file(parted_tiny)


def test_over_http_the_parts_tell_of_every_file(parted_tiny: Path) -> None:
    with counting_server(parted_tiny) as (url, _), httpx.Client() as client:
        assert set(WebFiles(url, client).paths()) == set(every_file(parted_tiny))


@pytest.mark.slow
def test_a_parted_archive_is_valid_over_http_too_and_differs_from_the_whole_one_in_lists_alone(
    parted_archive: Path, whole_archive: Path
) -> None:
    manifest = manifest_of(parted_archive) or {}
    assert len(manifest["parts"]) >= 3
    with lists_in_parts():
        assert validate(parted_archive).failures == ()
        with counting_server(parted_archive) as (url, _):
            assert validate(url).failures == ()
    difference = compare_archives(whole_archive, parted_archive)
    assert difference.records == difference.meanings == difference.rasters == ()
    created = {change.path for change in difference.files if change.kind == "created"}
    assert {path.rpartition("/")[2] for path in created} == {
        "ro-crate-metadata.json", "items-0001.json", "items-0002.json", "items-0001.zh.json", "items-0002.zh.json",
    }  # fmt: skip


@pytest.mark.slow
def test_every_data_file_of_a_parted_archive_is_in_one_crate_that_the_library_reads(parted_archive: Path) -> None:
    folder = parted_archive / "test-mass-balance"
    found: Counter[Path] = Counter()
    for crate in (folder / "metadata", *sorted(folder.glob("metadata/files-*"))):
        for entity in ROCrate(crate).data_entities:
            if "sha256" in entity and not entity.id.endswith("ro-crate-metadata.json"):
                path = (crate / entity.id).resolve()
                assert hashlib.sha256(path.read_bytes()).hexdigest() == entity["sha256"]
                found[path] += 1
    assert set(found.values()) == {1}
    items = {path.resolve() for path in folder.glob("balance-*/*") if path.suffix not in (".json", ".html")}
    assert items <= set(found)
    page = html.document_fromstring((folder / "index.html").read_bytes())
    offered = {str(link) for link in page.xpath("//a/@href")}
    assert {f"metadata/files-000{n}/ro-crate-metadata.json" for n in (1, 2, 3)} <= offered


@pytest.mark.slow
@pytest.mark.parametrize("name", ["catalog.json", "catalog.zh.json"])
def test_a_parted_catalogue_is_walked_in_either_language(name: str, parted_archive: Path) -> None:
    catalog = pystac.Catalog.from_file(str(parted_archive / name))
    walked = [(str(root.id), [item.id for item in items]) for root, _, items in catalog.walk()]
    assert ("items-0001", ["balance-2001"]) in walked
    assert ("items-0002", ["balance-2003"]) in walked
    chinese = name.endswith(".zh.json")
    for place, _, items in catalog.walk():
        for one in (place, *items):
            assert str(one.get_self_href()).endswith(".zh.json") is chinese
    assert Archive(FolderFiles(parted_archive)).manifest["files"]
