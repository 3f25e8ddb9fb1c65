"""The cache of finished files: what is kept comes back the same, and a damaged cache is never believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalog.build.cache import Cache, default_cache_folder
from schemas.errors import BadInput


@pytest.fixture
def product(tmp_path: Path) -> Path:
    folder = tmp_path / "product"
    (folder / "tables").mkdir(parents=True)
    (folder / "tables" / "stakes.csv").write_text("stake_id\nA1\n")
    (folder / "map.png").write_bytes(b"\x89PNG" * 1000)
    (folder / "manifest.json").write_text("{}\n")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def only_object(cache: Cache, content: bytes) -> Path:
    (found,) = (path for path in cache.folder.rglob("objects/*/*") if path.read_bytes() == content)
    return found


def test_what_is_kept_comes_back_with_its_facts(tmp_path: Path, product: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.keep("k1", product, {"sigma_m": 0.19, "name": "冰川"})
    into = empty(tmp_path / "draft")
    found = cache.restore("k1", into)
    assert found == {"sigma_m": 0.19, "name": "冰川"}
    assert list(found) == ["sigma_m", "name"], "the order in which facts were told is part of what is written of them"
    assert contents(into) == contents(product)


def test_another_key_finds_nothing(tmp_path: Path, product: Path) -> None:
    cache = Cache(tmp_path / "cache")
    assert cache.restore("k1", empty(tmp_path / "one")) is None
    cache.keep("k1", product, {})
    assert cache.restore("k2", empty(tmp_path / "two")) is None
    assert contents(tmp_path / "two") == {}


@pytest.mark.parametrize("damage", ["flipped bit", "shorter", "missing", "entry edited", "entry not text"])
def test_a_damaged_entry_is_told_dropped_and_can_be_made_again(tmp_path: Path, product: Path, damage: str) -> None:
    cache = Cache(tmp_path / "cache")
    cache.keep("k1", product, {"n": 1})
    kept = only_object(cache, (product / "map.png").read_bytes())
    (entry,) = cache.folder.rglob("entries/k1")
    if damage == "flipped bit":
        content = bytearray(kept.read_bytes())
        content[1234] ^= 1
        kept.write_bytes(content)
    elif damage == "shorter":
        kept.write_bytes(kept.read_bytes()[:-1])
    elif damage == "missing":
        kept.unlink()
    elif damage == "entry edited":
        entry.write_text(entry.read_text().replace('"n": 1', '"n": 2'))
    else:
        entry.write_bytes(b"\xff\xfe\x00")
    told: list[str] = []
    into = empty(tmp_path / "draft")
    assert cache.restore("k1", into, told.append) is None
    assert contents(into) == {}
    assert list(tmp_path.glob(".draft*")) == []
    assert len(told) == 1
    assert ("k1" if "entry" in damage else "map.png") in told[0]
    # the same key once more: it is made anew
    cache.keep("k1", product, {"n": 1})
    assert cache.restore("k1", into) == {"n": 1}
    assert contents(into) == contents(product)


def test_equal_files_are_stored_once(tmp_path: Path, product: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.keep("k1", product, {})
    (product / "copy.png").write_bytes((product / "map.png").read_bytes())
    cache.keep("k2", product, {})
    assert len(list(cache.folder.rglob("objects/*/*"))) == 3


def test_the_longest_unused_makes_room(tmp_path: Path, product: Path) -> None:
    cache = Cache(tmp_path / "cache", limit_bytes=9000)
    for key in ("old", "used", "new"):
        (product / "map.png").write_bytes(key.encode() * 1000)
        if key == "new":  # the older two get times of their own; "used" was used last
            for name, seconds in (("old", 1_000), ("used", 2_000)):
                os.utime(next(cache.folder.rglob(f"entries/{name}")), (seconds, seconds))
        cache.keep(key, product, {})
    assert sorted(path.name for path in cache.folder.rglob("entries/*")) == ["new", "used"]
    assert not any(path.read_bytes() == b"old" * 1000 for path in cache.folder.rglob("objects/*/*"))
    assert cache.restore("used", empty(tmp_path / "draft")) == {}


def test_an_entry_larger_than_the_limit_is_still_kept(tmp_path: Path, product: Path) -> None:
    cache = Cache(tmp_path / "cache", limit_bytes=10)
    cache.keep("k1", product, {})
    assert cache.restore("k1", empty(tmp_path / "draft")) == {}


def test_a_cache_that_cannot_be_written_is_one_clear_error(tmp_path: Path, product: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(BadInput, match=r"a cache folder that can be written.*--no-cache"):
        Cache(tmp_path / "cache").keep("k1", product, {})


def test_where_the_cache_stands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GLACIER_CACHE", str(tmp_path / "own"))
    assert default_cache_folder() == tmp_path / "own"
    monkeypatch.delenv("GLACIER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert default_cache_folder() == tmp_path / "x" / "glacier-archive"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert default_cache_folder() == tmp_path / "home" / ".cache" / "glacier-archive"
