"""Publication to a folder, and what is refused before anything is sent."""

import json
import os
import shutil
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from catalog.archive.manifest import ListedFile, manifest_of, sha256_of
from catalog.publish import destinations
from catalog.publish import upload as publishing
from catalog.publish.lease import LOCK_JSON
from catalog.publish.upload import JOURNAL_JSON, STAGES, in_order, publish, stage_of, version_of
from pipeline.patience import Patience
from schemas.errors import BadInput, FailedCheck
from tests.made.tiny_archive import (
    COG_PATH,
    COLLECTION,
    CSV_PATH,
    ITEM_PATH,
    surface,
    write_archive,
    write_cog,
    write_manifest,
    write_text,
)


@pytest.fixture
def archive(tmp_path) -> Path:
    return write_archive(tmp_path / "archive", raster=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def order_of_arrival(monkeypatch) -> list[str]:
    """Names in the order in which they come to stand at the destination."""
    arrived = []
    replace = Path.replace

    def watched(self, target):
        arrived.append(Path(target).as_posix())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    return arrived


def test_copy_is_the_archive(archive, tmp_path):
    report = publish(archive, str(tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(archive)
    assert sorted(report.copied) == sorted(contents(archive))
    assert report.copied_bytes == sum(len(content) for content in contents(archive).values())
    assert (report.unchanged, report.deleted, report.left_behind) == ((), (), ())
    assert json.loads(json.dumps(report.to_dict()))["dry_run"] is False


def test_copy_agrees_with_its_manifest(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    listed = {file["path"]: file["sha256"] for file in manifest_of(tmp_path / "out")["files"]}
    found = {name: sha256_of(tmp_path / "out" / name) for name in contents(tmp_path / "out") if name != "manifest.json"}
    assert found == listed


@pytest.mark.parametrize(
    ("stage", "paths"),
    [
        (
            "data",
            [COG_PATH, CSV_PATH, "c/i/outlines.geojson", "c/i/a.qml", "site.css", "schemas/glacier/v1/schema.json"],
        ),
        (
            "descriptions",
            ["c/datapackage.json", "c/metadata/ro-crate-metadata.json", "c/metadata/dataset.jsonld", "c/README.md"],
        ),
        ("items", [ITEM_PATH, "c/balance-2001/balance-2001.zh.json"]),
        ("lists of items", ["c/items-0001.json", "c/items-0012.zh.json", "items.parquet"]),
        ("collections", ["c/collection.json", "c/collection.zh.json"]),
        ("pages", ["index.html", "c/index.html", "c/items-2.html", "search.js"]),
        ("manifest", ["manifest.json"]),
        ("catalogue", ["catalog.zh.json", "catalog.json"]),
    ],
)
def test_stages_put_what_links_after_what_is_linked(stage, paths):
    assert {path: STAGES[stage_of(path)] for path in paths} == dict.fromkeys(paths, stage)


def test_pages_go_from_the_inside_out_and_the_catalogue_in_english_is_the_very_last():
    paths = ["catalog.json", "catalog.zh.json", "index.html", "b/i/index.html", "a/index.html", "manifest.json"]
    ordered = [file.path for file in in_order(ListedFile(path, 1, "") for path in paths)]
    assert ordered == [
        "b/i/index.html",
        "a/index.html",
        "index.html",
        "manifest.json",
        "catalog.zh.json",
        "catalog.json",
    ]


@pytest.mark.slow
def test_no_link_of_a_real_archive_leads_to_a_file_sent_later(whole_archive):
    """Every downward link (child, item, asset) of every document in both languages."""
    files = in_order(publishing._read_source(whole_archive).files)
    order = {file.path: number for number, file in enumerate(files)}
    links = 0
    for path in order:
        if not path.endswith(".json") or path == "manifest.json":
            continue
        document = json.loads((whole_archive / path).read_bytes())
        if "stac_version" not in document:
            continue
        down = [link["href"] for link in document["links"] if link["rel"] in ("child", "item", "describedby")]
        for href in [*down, *(asset["href"] for asset in document.get("assets", {}).values())]:
            if "://" not in href:
                target = os.path.normpath(Path(path).parent / href)
                assert order[target] < order[path], f"{path} before {target}"
                links += 1
    assert links > 20


def test_catalogue_arrives_last(archive, tmp_path, monkeypatch):
    arrived = order_of_arrival(monkeypatch)
    publish(archive, str(tmp_path / "out"), workers=1)
    names = [Path(path).relative_to(tmp_path / "out").as_posix() for path in arrived]
    assert names[0] == JOURNAL_JSON
    assert names[-2:] == ["manifest.json", "catalog.json"]
    assert names.index(COG_PATH) < names.index(ITEM_PATH) < names.index(f"{COLLECTION}/collection.json")
    assert names.index(f"{COLLECTION}/collection.json") < names.index("index.html")


def test_unchanged_files_are_not_touched(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    before = {path: os.stat(path).st_ino for path in (tmp_path / "out").rglob("*")}
    again = publish(archive, str(tmp_path / "out"))
    assert again.copied == ()
    assert len(again.unchanged) == len(contents(archive))
    assert {path: os.stat(path).st_ino for path in (tmp_path / "out").rglob("*")} == before


def test_only_what_changed_is_copied(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    write_text(archive, CSV_PATH, "glacier_id,mean_dh_m\nG1,-0.6\n")
    write_manifest(archive)
    assert publish(archive, str(tmp_path / "out")).copied == (CSV_PATH, "manifest.json")
    assert contents(tmp_path / "out") == contents(archive)


def test_damaged_copy_of_the_same_size_is_replaced(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    damaged = tmp_path / "out" / COG_PATH
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    assert publish(archive, str(tmp_path / "out")).copied == (COG_PATH,)
    assert contents(tmp_path / "out") == contents(archive)


def without_table(archive: Path) -> None:
    (archive / CSV_PATH).unlink()
    write_manifest(archive)


def test_old_files_stay_unless_deletion_is_asked_for(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    without_table(archive)
    report = publish(archive, str(tmp_path / "out"))
    assert (report.deleted, report.left_behind) == ((), (CSV_PATH,))
    assert (tmp_path / "out" / CSV_PATH).exists()
    assert report.lines()[-1] == "left behind from the previous version: 1; --delete removes them"


def test_deletion_takes_only_what_the_previous_manifest_lists(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    (tmp_path / "out" / "robots.txt").write_text("the web master's own")
    without_table(archive)
    report = publish(archive, str(tmp_path / "out"), delete=True)
    assert report.deleted == (CSV_PATH,)
    assert set(contents(tmp_path / "out")) == {*contents(archive), "robots.txt"}


def test_deletion_removes_folders_left_empty(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    shutil.rmtree(archive / COLLECTION / "tables")
    write_manifest(archive)
    publish(archive, str(tmp_path / "out"), delete=True)
    assert not (tmp_path / "out" / COLLECTION / "tables").exists()


def test_dry_run_changes_nothing(archive, tmp_path):
    report = publish(archive, str(tmp_path / "out"), dry_run=True)
    assert not (tmp_path / "out").exists()
    assert report.dry_run
    assert f"copy {COG_PATH}" in report.lines()
    assert f"would copy {len(contents(archive))} files" in report.lines()[-1]
    assert len(report.copied) == len(contents(archive))
    publish(archive, str(tmp_path / "out"))
    without_table(archive)
    before = contents(tmp_path / "out")
    assert publish(archive, str(tmp_path / "out"), dry_run=True, delete=True).deleted == (CSV_PATH,)
    assert contents(tmp_path / "out") == before


def killed_after(monkeypatch, count: int) -> None:
    """End the run as a kill would, once ``count`` files have been copied."""
    copied = []
    put = destinations.FolderDestination.put

    def put_until(self, source, file):
        if len(copied) == count:
            raise KeyboardInterrupt
        copied.append(file.path)
        put(self, source, file)

    monkeypatch.setattr(destinations.FolderDestination, "put", put_until)


def test_interrupted_first_publication_is_resumed(archive, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        killed_after(patched, 4)
        with pytest.raises(KeyboardInterrupt):
            publish(archive, str(tmp_path / "out"), workers=1)
    there = contents(tmp_path / "out")
    assert JOURNAL_JSON in there
    assert "catalog.json" not in there
    report = publish(archive, str(tmp_path / "out"))
    assert len(report.unchanged) == 4
    assert contents(tmp_path / "out") == contents(archive)


def test_interrupted_deletion_is_resumed(archive, tmp_path, monkeypatch):
    publish(archive, str(tmp_path / "out"))
    without_table(archive)

    def stop(self, path):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(destinations.FolderDestination, "delete", stop)
        with pytest.raises(KeyboardInterrupt):
            publish(archive, str(tmp_path / "out"), delete=True)
    assert manifest_of(tmp_path / "out") == manifest_of(archive)  # which no longer names the table
    assert publish(archive, str(tmp_path / "out"), delete=True).deleted == (CSV_PATH,)
    assert contents(tmp_path / "out") == contents(archive)


def test_interrupted_publication_leaves_the_old_catalogue(archive, tmp_path, monkeypatch):
    publish(archive, str(tmp_path / "out"))
    for path in (CSV_PATH, f"{COLLECTION}/collection.json", "catalog.json"):
        write_text(archive, path, (archive / path).read_text() + " ")
    write_manifest(archive)
    before = contents(tmp_path / "out")
    killed_after(monkeypatch, 1)
    with pytest.raises(KeyboardInterrupt):
        publish(archive, str(tmp_path / "out"), workers=1)
    after = contents(tmp_path / "out")
    assert {name for name in before if before[name] != after[name]} == {CSV_PATH}


def versioned(archive: Path, *versions: str, **texts: str) -> Path:
    """The archive under these versions of its datasets, with some files changed."""
    for path, text in texts.items():
        write_text(archive, path, text)
    write_manifest(archive)
    manifest = manifest_of(archive)
    names = [COLLECTION, *(f"d{number}" for number in range(1, len(versions)))]
    manifest["datasets"] = [
        {"id": name, "version": version, "synthetic": False} for name, version in zip(names, versions, strict=True)
    ]
    write_text(archive, "manifest.json", json.dumps(manifest))
    return archive


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (["1.0.0"], "1.0.0"),
        (["1.0.0", "1.0.0"], "1.0.0"),
        (["1.0.0", "2.1.0"], "1.0.0_2.1.0"),
        ([], ""),
        (["../../x"], ""),
        ([".."], ""),
        (["1/2"], ""),
    ],
)
def test_version_of_an_archive_is_that_of_its_datasets(versions, expected):
    assert version_of({"datasets": [{"version": version} for version in versions]}) == expected


def test_version_published_before_stays_readable_under_its_number(archive, tmp_path):
    out = tmp_path / "out"
    publish(versioned(archive, "1.0.0"), str(out))
    first = contents(archive)
    (archive / COG_PATH).unlink()
    report = publish(versioned(archive, "2.0.0", **{CSV_PATH: "glacier_id\n"}), str(out), delete=True)
    assert report.kept == "versions/1.0.0"
    assert report.lines()[-1] == f"the previous version is kept as {out}/versions/1.0.0/"
    assert contents(out / "versions/1.0.0") == first
    current = {path: text for path, text in contents(out).items() if not path.startswith("versions/")}
    assert current == contents(archive)
    third = publish(versioned(archive, "3.0.0", "1.1.0"), str(out), delete=True)
    assert third.kept == "versions/2.0.0"
    assert contents(out / "versions/1.0.0") == first
    assert contents(out / "versions/2.0.0") == current


def test_kept_version_is_no_second_name_of_what_is_published_later(archive, tmp_path):
    out = tmp_path / "out"
    publish(versioned(archive, "1.0.0"), str(out))
    before = (archive / CSV_PATH).read_bytes()
    publish(versioned(archive, "1.1.0", **{CSV_PATH: "changed\n"}), str(out))
    publish(versioned(archive, "1.1.0", **{CSV_PATH: "changed again\n"}), str(out))
    assert (out / "versions/1.0.0" / CSV_PATH).read_bytes() == before
    assert (out / CSV_PATH).read_bytes() == b"changed again\n"


def test_same_version_and_no_version_are_not_kept(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    report = publish(versioned(archive, "1.0.0", **{CSV_PATH: "changed\n"}), str(tmp_path / "out"))
    unkept = publish(versioned(archive, "1.1.0"), str(tmp_path / "out"), keep_previous=False)
    assert (report.kept, unkept.kept) == ("", "")
    assert not (tmp_path / "out" / "versions").exists()


def test_dry_run_says_what_would_be_kept_and_keeps_nothing(archive, tmp_path):
    publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    report = publish(versioned(archive, "1.1.0"), str(tmp_path / "out"), dry_run=True)
    assert report.lines()[-1] == f"the previous version would be kept as {tmp_path}/out/versions/1.0.0/"
    assert not (tmp_path / "out" / "versions").exists()


@pytest.mark.parametrize("stopped", ["keeping", "sending"])
def test_version_is_kept_whole_though_the_publication_is_interrupted(archive, tmp_path, monkeypatch, stopped):
    """A mixture of both versions, as an interruption leaves it, must not replace the kept version."""
    out = tmp_path / "out"
    publish(versioned(archive, "1.0.0"), str(out))
    first = contents(archive)
    changed = {path: (archive / path).read_text() + " " for path in (CSV_PATH, ITEM_PATH, "catalog.json")}
    versioned(archive, "1.1.0", **changed)
    with monkeypatch.context() as patched:
        if stopped == "keeping":
            copy, done = destinations.FolderDestination.copy, []

            def copy_until(self, path, to):
                if len(done) == 3:
                    raise KeyboardInterrupt
                done.append(path)
                return copy(self, path, to)

            patched.setattr(destinations.FolderDestination, "copy", copy_until)
        else:
            killed_after(patched, 1)
        with pytest.raises(KeyboardInterrupt):
            publish(archive, str(out), workers=1)
    publish(archive, str(out))
    assert contents(out / "versions/1.0.0") == first
    assert {path: text for path, text in contents(out).items() if not path.startswith("versions/")} == contents(archive)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("altered")], ids=["gone", "altered"])
def test_damaged_previous_version_is_kept_whole_or_not_at_all(archive, tmp_path, damage):
    out = tmp_path / "out"
    publish(versioned(archive, "1.0.0"), str(out))
    damage(out / CSV_PATH)
    before = contents(out)
    with pytest.raises(FailedCheck, match=r"glaciers\.csv: found a file that is missing or .*--no-keep-previous"):
        publish(versioned(archive, "2.0.0"), str(out))
    assert contents(out) == before
    publish(archive, str(out), keep_previous=False)
    assert contents(out) == contents(archive)


def test_kept_version_is_never_written_over(archive, tmp_path):
    out = tmp_path / "out"
    publish(versioned(archive, "1.0.0"), str(out))
    write_text(out, "versions/1.0.0/manifest.json", "another archive, kept under this version")
    with pytest.raises(FailedCheck, match=r"versions/1\.0\.0: found another archive of that version"):
        publish(versioned(archive, "2.0.0"), str(out))
    assert (out / "versions/1.0.0/manifest.json").read_text() == "another archive, kept under this version"


def stated(archive: Path, datasets: dict[str, tuple[str, bool]]) -> Path:
    """The archive with datasets of these versions, synthetic or not."""
    manifest = manifest_of(archive)
    manifest["datasets"] = [
        {"id": name, "version": version, "synthetic": synthetic} for name, (version, synthetic) in datasets.items()
    ]
    write_text(archive, "manifest.json", json.dumps(manifest))
    return archive


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("there", "coming", "message"),
    [
        ({"d": ("1.0.0", False)}, {"d": ("1.0.0", True)}, "dataset d: found a synthetic sample; expected observations"),
        ({"d": ("1.0.0", False)}, {"d": ("9.0.0", True)}, "dataset d: found a synthetic sample; expected observations"),
        (
            {"d": ("1.10.0", False)},
            {"d": ("1.9.0", False)},
            "version 1.9.0: found published at .*version 1.10.0",
        ),
        ({"d": ("2.0.0", True)}, {"d": ("1.0.0", True)}, "expected version 2.0.0 or later"),
        ({"d": ("1.0.0", False)}, {"e": ("1.0.0", False)}, "dataset d: found an archive without it"),
        ({"d": ("1.0.0", True)}, {"e": ("1.0.0", False)}, "dataset d: found an archive without it"),
        (
            {"d": ("1.0.0", False), "e": ("1.0.0", False)},
            {"d": ("2.0.0", False)},
            "dataset e: found an archive wit",
        ),
        ({"d": ("1.0.0", False)}, {}, "dataset d: found an archive without it"),
    ],
)
def test_what_people_read_is_not_replaced_by_less(archive, tmp_path, there, coming, message, dry_run):
    out = tmp_path / "out"
    publish(stated(archive, there), str(out))
    before = contents(out)
    with pytest.raises(FailedCheck, match=message):
        publish(stated(archive, coming), str(out), dry_run=dry_run)
    assert contents(out) == before


def test_observations_replace_a_sample_of_any_version(archive, tmp_path):
    publish(stated(archive, {"d": ("2.0.0", True)}), str(tmp_path / "out"))
    publish(stated(archive, {"d": ("1.0.0", False)}), str(tmp_path / "out"))
    assert contents(tmp_path / "out" / "versions/2.0.0") != {}


def with_a_table(archive: Path) -> Path:
    """The archive with a description of its table, as whole ones have it."""
    resource = {
        "name": "glaciers",
        "path": "tables/glaciers.csv",
        "schema": {
            "fields": [{"name": "glacier_id", "type": "string"}, {"name": "mean_dh_m", "type": "number"}],
            "primaryKey": ["glacier_id"],
        },
    }
    write_text(archive, f"{COLLECTION}/datapackage.json", json.dumps({"resources": [resource]}))
    write_text(archive, CSV_PATH, "glacier_id,mean_dh_m\nG1,-0.5\n")
    return archive


@pytest.mark.parametrize(
    ("path", "text", "step", "enough"),
    [
        (CSV_PATH, "glacier_id,mean_dh_m\nG1,-0.6\n", "minor", "1.1.0"),
        (CSV_PATH, "glacier_id,mean_dh_m\nG1,-0.5\nG2,-0.1\n", "major", "2.0.0"),
        (f"{COLLECTION}/elevation-change/outlines.geojson", '{"type": "FeatureCollection", "n": 1}', "minor", "1.1.0"),
        (f"{COLLECTION}/elevation-change/new.geojson", '{"type": "FeatureCollection"}', "major", "2.0.0"),
    ],
)
def test_values_change_only_under_a_new_version(archive, tmp_path, path, text, step, enough):
    out = tmp_path / "out"
    publish(versioned(with_a_table(archive), "1.0.0"), str(out))
    before = contents(out)
    for version in ("1.0.0", "1.0.1") + (("1.1.0",) if step == "major" else ()):
        with pytest.raises(FailedCheck, match=rf"found a {step} change of the values .*expected version {enough}"):
            publish(versioned(archive, version, **{path: text}), str(out))
        assert contents(out) == before
    assert publish(versioned(archive, enough), str(out)).kept == "versions/1.0.0"
    assert (out / path).read_text() == text


def test_pixels_change_only_under_a_new_version(archive, tmp_path):
    values = surface(90, 130)
    write_cog(archive / COG_PATH, values)
    publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    values[7, 9] += 0.5
    write_cog(archive / COG_PATH, values)
    with pytest.raises(FailedCheck, match=r"1 of 11700 pixels differ, by at most 0\.5.*expected version 1\.1\.0"):
        publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    publish(versioned(archive, "1.1.0"), str(tmp_path / "out"))
    assert (tmp_path / "out" / COG_PATH).read_bytes() == (archive / COG_PATH).read_bytes()


def test_metadata_may_be_mended_under_a_version(archive, tmp_path):
    publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    report = publish(versioned(archive, "1.0.0", **{f"{COLLECTION}/README.md": "mended\n"}), str(tmp_path / "out"))
    assert report.copied == (f"{COLLECTION}/README.md", "manifest.json")


def test_second_publication_at_once_is_refused(archive, tmp_path, monkeypatch):
    """While the first sends a file, another one tries; afterwards nothing of the lock is left."""
    refused = []
    put = destinations.FolderDestination.put

    def put_while_another_tries(self, source, file):
        if not refused:
            with pytest.raises(BadInput, match=rf"another publication at work \(process {os.getpid()}\)") as error:
                publish(archive, str(tmp_path / "out"))
            refused.append(str(error.value))
        put(self, source, file)

    monkeypatch.setattr(destinations.FolderDestination, "put", put_while_another_tries)
    publish(archive, str(tmp_path / "out"), workers=1)
    assert len(refused) == 1
    assert contents(tmp_path / "out") == contents(archive)


def test_lock_of_a_killed_publication_bars_nobody(archive, tmp_path):
    write_text(tmp_path / "out", LOCK_JSON, "4194304\n")
    write_text(tmp_path / "out", "old/.gone.tif.glacier-part", "half written")
    write_text(tmp_path / "out", JOURNAL_JSON, '{"archive": "glacier-archive"}')
    publish(archive, str(tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(archive)


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b'{"archive": "glacier-archive", "files": 7}']
)
def test_damaged_journal_stops_nothing_and_hides_nothing(archive, tmp_path, content):
    publish(versioned(archive, "1.1.0"), str(tmp_path / "out"))
    (tmp_path / "out" / JOURNAL_JSON).write_bytes(content)
    before = contents(tmp_path / "out")
    with pytest.raises(FailedCheck, match=r"expected version 1\.1\.0 or later"):
        publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    assert contents(tmp_path / "out") == before
    publish(versioned(archive, "1.1.0"), str(tmp_path / "out"))
    assert contents(tmp_path / "out").keys() - {JOURNAL_JSON} == contents(archive).keys()


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_lock_file_is_said(archive, tmp_path, kind):
    publish(archive, str(tmp_path / "out"))
    lock = tmp_path / "out" / LOCK_JSON
    {"folder": lock.mkdir, "link": lambda: lock.symlink_to(tmp_path / "x"), "pipe": lambda: os.mkfifo(lock)}[kind]()
    with pytest.raises(BadInput, match=r"\.glacier-publishing\.lock: found (a folder|a symbolic link|no plain file)"):
        publish(archive, str(tmp_path / "out"))
    assert not (tmp_path / "x").exists()


def test_kept_version_is_copied_where_files_cannot_have_two_names(archive, tmp_path, monkeypatch):
    def refused(*_):
        raise OSError("no links here")

    monkeypatch.setattr(destinations.os, "link", refused)
    publish(versioned(archive, "1.0.0"), str(tmp_path / "out"))
    first = contents(archive)
    publish(versioned(archive, "1.1.0"), str(tmp_path / "out"))
    assert contents(tmp_path / "out/versions/1.0.0") == first


def test_bad_copy_is_found_and_does_not_get_its_name(archive, tmp_path, monkeypatch):
    def damage(source, target):
        Path(target).write_bytes(Path(source).read_bytes()[:-1] + b"?")

    monkeypatch.setattr(destinations.shutil, "copyfile", damage)
    with pytest.raises(FailedCheck, match=r"found sha256 [0-9a-f]{64}; expected sha256 [0-9a-f]{64}; publish again"):
        publish(archive, str(tmp_path / "out"), workers=1)
    assert set(contents(tmp_path / "out")) == {JOURNAL_JSON}


def test_archive_that_disagrees_with_its_manifest_is_not_published(archive, tmp_path):
    write_text(archive, CSV_PATH, "changed by hand\n")
    with pytest.raises(FailedCheck, match=r"glaciers\.csv: found sha256 .* as the manifest says; build again"):
        publish(archive, str(tmp_path / "out"))
    assert not (tmp_path / "out" / "catalog.json").exists()


def test_archive_lacking_a_file_is_refused(archive, tmp_path):
    (archive / CSV_PATH).unlink()
    with pytest.raises(BadInput, match=r"glaciers\.csv: found no such file; expected a file that the manifest lists"):
        publish(archive, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/passwd", "", JOURNAL_JSON, "versions/1.0.0/catalog.json"])
def test_manifest_with_a_path_out_of_the_archive_is_refused(archive, tmp_path, path):
    manifest = manifest_of(archive)
    manifest["files"].append({"path": path, "size": 1, "sha256": "0" * 64})
    write_text(archive, "manifest.json", json.dumps(manifest))
    with pytest.raises(BadInput, match="expected paths inside the archive"):
        publish(archive, str(tmp_path / "out"))


def test_manifest_of_another_shape_is_refused(archive, tmp_path):
    write_text(archive, "manifest.json", '{"archive": "glacier-archive", "files": [{"path": "catalog.json"}]}')
    with pytest.raises(BadInput, match="an entry without path, size or sha256"):
        publish(archive, str(tmp_path / "out"))


def test_foreign_folder_is_refused_and_left_alone(archive, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(BadInput, match=r"files that are no archive .* choose another destination; nothing was changed"):
        publish(archive, str(tmp_path / "out"), delete=True)
    assert contents(tmp_path / "out") == {"thesis.txt": b"mine"}


def test_empty_folder_is_accepted(archive, tmp_path):
    (tmp_path / "out").mkdir()
    publish(archive, str(tmp_path / "out"))
    assert contents(tmp_path / "out") == contents(archive)


def test_overlapping_folders_are_refused(archive, tmp_path):
    for destination in (archive, archive / "public", tmp_path):
        with pytest.raises(BadInput, match="a folder that overlaps the archive"):
            publish(archive, str(destination))


def test_destination_that_is_a_file_or_has_no_parent_is_refused(archive, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="found a file; expected a folder, or nothing"):
        publish(archive, str(tmp_path / "file"))
    with pytest.raises(BadInput, match=r"found no such folder; .* create it first"):
        publish(archive, str(tmp_path / "absent" / "out"))


def test_file_where_a_folder_is_needed_is_reported(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    shutil.rmtree(tmp_path / "out" / COLLECTION)
    (tmp_path / "out" / COLLECTION).write_text("in the way")
    with pytest.raises(BadInput, match=r"expected a place that can be written to; nothing published before"):
        publish(archive, str(tmp_path / "out"))


def test_link_out_of_the_destination_is_not_followed(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    (tmp_path / "elsewhere").mkdir()
    shutil.rmtree(tmp_path / "out" / COLLECTION / "tables")
    (tmp_path / "out" / COLLECTION / "tables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BadInput, match="a symbolic link that leads out of the destination"):
        publish(archive, str(tmp_path / "out"))
    assert not any((tmp_path / "elsewhere").iterdir())


def test_link_in_the_place_of_a_file_is_replaced_not_written_through(archive, tmp_path):
    publish(archive, str(tmp_path / "out"))
    (tmp_path / "other.csv").write_text("not ours")
    (tmp_path / "out" / CSV_PATH).unlink()
    (tmp_path / "out" / CSV_PATH).symlink_to(tmp_path / "other.csv")
    publish(archive, str(tmp_path / "out"))
    assert (tmp_path / "other.csv").read_text() == "not ours"
    assert contents(tmp_path / "out") == contents(archive)


def test_what_is_no_archive_is_refused(tmp_path):
    with pytest.raises(BadInput, match="found no such folder; expected the root folder of an archive"):
        publish(tmp_path / "absent", str(tmp_path / "out"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"found no manifest\.json of ours"):
        publish(tmp_path / "empty", str(tmp_path / "out"))


# --- addresses of buckets, without a bucket ----------------------------------------------------------------------


@pytest.fixture
def credentials(monkeypatch):
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setattr(destinations, "PATIENCE", Patience(attempts=2, first_wait_s=0.2))


@pytest.mark.parametrize(
    ("address", "endpoint", "message"),
    [
        ("s3:///prefix", None, "found no bucket; expected s3://bucket/prefix"),
        ("gs://bucket/prefix", None, "found scheme 'gs'; expected a folder or s3://bucket/prefix"),
        ("s3://bucket", "ftp://host", "no http or https address"),
        ("folder", "https://host", "found a folder and the endpoint https://host"),
    ],
)
def test_wrong_addresses_are_refused(archive, credentials, address, endpoint, message):
    with pytest.raises(BadInput, match=message):
        publish(archive, address, endpoint_url=endpoint)


def test_missing_credentials_are_named(archive, credentials, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(BadInput, match="no credentials in the environment; expected AWS_ACCESS_KEY_ID and AWS_SECRET"):
        publish(archive, "s3://bucket/prefix")


def test_plain_http_from_the_environment_is_refused(archive, credentials, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example")
    with pytest.raises(BadInput, match=r"the unencrypted address http://store\.example; expected https"):
        publish(archive, "s3://bucket/prefix")


def test_refused_connection_is_one_clear_line(archive, credentials):
    with pytest.raises(BadInput, match=r"s3://bucket/prefix at http://127\.0\.0\.1:9.*found no connection") as caught:
        publish(archive, "s3://bucket/prefix", endpoint_url="http://127.0.0.1:9")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "AccessDenied", r"found 403 Forbidden \(AccessDenied\); expected leave to list, read and write"),
        (401, "Unauthorized", "check the credentials and the bucket's policy"),
        (404, "NoSuchBucket", r"found 404 Not Found \(NoSuchBucket\); expected an existing bucket"),
        (503, "SlowDown", "found 503 Service Unavailable"),
    ],
)
def test_refusals_of_the_store_are_explained(archive, credentials, status, code, message):
    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self):
            body = f"<Error><Code>{code}</Code></Error>".encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with pytest.raises(BadInput, match=message) as caught:
                publish(archive, "s3://bucket/prefix", endpoint_url=f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
    assert "\n" not in str(caught.value)


def test_threads_stop_at_the_first_error():
    done = []

    def act(number):
        if number == 0:
            raise BadInput("here", "trouble", "none")
        done.append(number)

    with pytest.raises(BadInput, match="trouble"):
        publishing._each(list(range(500)), act, 1)
    assert len(done) < 500
