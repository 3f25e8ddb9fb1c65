"""The manifest names every file, every input, the settings and the tools, and nothing of the machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy
import pytest
import rasterio

from catalog.archive.manifest import (
    broken_seal,
    describe_archive,
    list_files,
    listed_files,
    manifest_of,
    parse_manifest,
    sealed,
    sha256_of,
    tool_versions,
    write_manifest,
)
from tests.made.whole_archive import collections_of, make_datasets


def put(root: Path, **files: bytes) -> None:
    for name, content in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_sha256_of_a_file_longer_than_a_piece(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9000
    put(tmp_path, big=content)
    assert sha256_of(tmp_path / "big") == hashlib.sha256(content).hexdigest()


def test_lists_files_sorted_with_forward_slashes_and_without_itself(tmp_path: Path) -> None:
    put(tmp_path, b__z=b"1", a=b"22", b__a=b"", B=b"")
    (tmp_path / "manifest.json").write_text("{}")
    files = list_files(tmp_path)
    assert [file.path for file in files] == ["B", "a", "b/a", "b/z"]
    assert [file.size for file in files] == [0, 2, 0, 1]
    assert files[0].sha256 == hashlib.sha256(b"").hexdigest()


def test_describes_datasets_inputs_settings_and_tools() -> None:
    content = describe_archive(collections_of(make_datasets()), [], "0.1.0")
    first = content["datasets"][0]
    assert first["id"] == "test-elevation-change"
    assert first["inputs"] == [{"source": "earlier", "name": "N43E086.hgt", "size": 2884802, "sha256": "0" * 64}]
    assert first["settings"]["earlier_date"] == "2000-02-16"
    assert content["synthetic"] is True
    assert content["code_version"] == "0.1.0"
    assert content["base_url"] is None


def test_tools_are_those_that_run() -> None:
    tools = tool_versions()
    assert tools["numpy"] == numpy.__version__
    assert tools["gdal"] == rasterio.__gdal_version__
    assert {"proj", "rasterio", "rio-cogeo", "scipy"} <= set(tools)
    assert list(tools) == sorted(tools)


def test_the_same_archive_gives_the_same_manifest(tmp_path: Path) -> None:
    for name in ("one", "two"):
        put(tmp_path / name, data=b"1")
        write_manifest(tmp_path / name, collections_of(make_datasets()), "0.1.0")
    assert (tmp_path / "one/manifest.json").read_bytes() == (tmp_path / "two/manifest.json").read_bytes()
    # what may vouch for it belongs to the archive though no manifest can list it
    assert listed_files(tmp_path / "one") == {"data", "statement.json", "statement.dsse.json", "statement.pub"}


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"archive": 1}', b"[" * 100_000, b"null"])
def test_what_is_no_manifest_of_ours(content: bytes, tmp_path: Path) -> None:
    assert parse_manifest(content) is None
    (tmp_path / "manifest.json").write_bytes(content)
    assert manifest_of(tmp_path) is None
    assert listed_files(tmp_path) == set()


def test_a_link_is_no_manifest(tmp_path: Path) -> None:
    put(tmp_path, real=json.dumps({"archive": "glacier-archive"}).encode())
    (tmp_path / "manifest.json").symlink_to(tmp_path / "real")
    assert manifest_of(tmp_path) is None


def test_a_manifest_states_its_own_sha256_with_zeros_in_its_place() -> None:
    content = sealed({"archive": "glacier-archive", "files": [], "z": "冰川"})
    stated = json.loads(content)["manifest_sha256"]
    assert hashlib.sha256(content.replace(stated.encode(), b"0" * 64)).hexdigest() == stated
    assert broken_seal(content) is None
    assert sealed(json.loads(content)) == content


def test_every_bit_of_a_manifest_is_under_its_seal() -> None:
    described = describe_archive(collections_of(make_datasets())[1:], [], "0.1.0")
    definition = dict(described["datasets"][0]["definition"])
    for name in ("original", "reading", "sources"):  # long texts
        del definition[name]
    content = sealed({**described, "datasets": [{"id": "a", "definition": definition}], "files": []})
    for place in range(len(content)):
        for bit in range(8):
            altered = bytearray(content)
            altered[place] ^= 1 << bit
            assert broken_seal(bytes(altered)) is not None, (place, bit)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"archive": "glacier-archive"}'])
def test_what_states_no_sha256_of_itself_is_not_intact(content: bytes) -> None:
    stated, found = broken_seal(content) or ("", "")
    assert stated == ""
    assert found == hashlib.sha256(content).hexdigest()
