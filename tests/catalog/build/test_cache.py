"""The cache of finished files: what is kept comes back the same, and a damaged cache is never believed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.build import cache as caching
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


def forge(cache: Cache, key: str, change: Callable[[dict[str, Any]], None], code: str = "") -> None:
    """Alter an entry as one would who can write into the cache: its checksum fits again, its code cannot."""
    (entry,) = cache.folder.rglob(f"entries/{key}")
    head, _, body = entry.read_text().partition("\n")
    content = json.loads(body)
    change(content)
    body = json.dumps(content)
    entry.write_text(f"{hashlib.sha256(body.encode()).hexdigest()} {code or head.partition(' ')[2]}\n{body}\n")


def poison(cache: Cache, key: str, name: str, content: bytes) -> None:
    """Put another file into an entry, all checksums made to fit."""
    digest = hashlib.sha256(content).hexdigest()
    (objects,) = cache.folder.rglob("objects")
    (objects / digest[:2]).mkdir(exist_ok=True)
    (objects / digest[:2] / digest).write_bytes(content)

    def change(entry: dict[str, Any]) -> None:
        entry["files"] = [
            [path, len(content), digest] if path == name else [path, *rest] for path, *rest in entry["files"]
        ]

    forge(cache, key, change)


def test_what_somebody_else_put_there_is_not_taken_for_ones_own(tmp_path: Path, product: Path) -> None:
    cache = Cache(tmp_path / "cache")
    cache.keep("k1", product, {"n": 1})
    own = cache.restored("k1", empty(tmp_path / "own"))
    poison(cache, "k1", "tables/stakes.csv", b"stake_id\nforged\n")
    forged = cache.restored("k1", empty(tmp_path / "forged"))
    assert own is not None
    assert own.own
    assert forged is not None
    assert not forged.own
    assert (tmp_path / "forged/tables/stakes.csv").read_bytes() == b"stake_id\nforged\n"


@pytest.mark.parametrize("secret", [None, b"", b"short"])
def test_without_a_secret_nothing_is_ones_own(
    tmp_path: Path, product: Path, secret: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    if secret is None:
        state.write_text("a file in the way")
    else:
        (state / "glacier-archive").mkdir(parents=True)
        (state / "glacier-archive/cache.secret").write_bytes(secret)
    caching._secret.cache_clear()
    cache = Cache(tmp_path / "cache")
    cache.keep("k1", product, {})
    entry = cache.restored("k1", empty(tmp_path / "into"))
    caching._secret.cache_clear()
    assert entry is not None
    assert not entry.own


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda entry: entry.update(key="k2"), "is that of another key"),
        (lambda entry: entry.update(files=[["../x", 1, "0" * 64]]), "which is no file below it"),
        (lambda entry: entry.update(files=[["x", 1, "../../secret"]]), "is of another form"),
        (lambda entry: entry.update(files=7), "is of another form"),
        (lambda entry: entry.update(facts=[]), "is of another form"),
        (lambda entry: entry.pop("facts"), "is of another form"),
    ],
)
def test_entry_of_another_form_is_dropped(tmp_path: Path, product: Path, change: Any, told: str) -> None:
    cache = Cache(tmp_path / "cache")
    cache.keep("k1", product, {})
    forge(cache, "k1", change)
    said: list[str] = []
    assert cache.restored("k1", empty(tmp_path / "into"), said.append) is None
    assert told in said[0]
    assert not list(cache.folder.rglob("entries/k1"))
