"""``build --verify``: an archive is built again from what it records; whatever differs is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import catalog.build.verification
from catalog.build.assembly import Assembly
from catalog.build.order import Order
from catalog.build.production import write_sample
from catalog.build.verification import Verification, verify
from pipeline.resources import open_resources
from schemas.errors import BadDefinition, BadInput
from tests.made.command_line import run
from tests.made.damage import DH, EC, EC_ITEM, flip_bit, in_copies, in_json, in_text, rewritten
from tests.made.whole_archive import CODE_VERSION, make_datasets

# each builds, or copies, whole archives
pytestmark = pytest.mark.slow

Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def built(change_archive: Path) -> Path:
    """An archive of one small dataset; it is also what building it again gives, here and now."""
    return change_archive


@pytest.fixture
def archive(built: Path, tmp_path: Path) -> Path:
    """A copy, of which a test can make one that differs."""
    return Path(shutil.copytree(built, tmp_path / "archive"))


@pytest.fixture
def rebuilding(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Building again takes a copy instead of a minute."""

    def copy(_order: Any, root: Path, *_: Any, **__: Any) -> Assembly:
        shutil.copytree(built, root, dirs_exist_ok=True)
        return Assembly((), ())

    monkeypatch.setattr(catalog.build.verification, "assemble", copy)


def verified(archive: Path, inputs: Path | None = None, code_version: str = CODE_VERSION) -> Verification:
    with open_resources(1) as resources:
        return verify(archive, inputs, resources, code_version=code_version)


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_fresh_archive_is_built_again_to_the_same_bytes_and_only_read(
    archive: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Order, "datasets", lambda *_: iter(make_datasets()[:1]))
    before = state(archive)
    for folder in (archive, *(path for path in archive.rglob("*") if path.is_dir())):
        folder.chmod(0o555)
    try:
        found = verified(archive)
    finally:
        for folder in (archive, *(path for path in archive.rglob("*") if path.is_dir())):
            folder.chmod(0o755)
    assert found.difference.lines() == ["the two archives are identical"]
    assert (found.passed, found.values_agree, found.tools) == (True, True, {})
    assert found.lines() == [f"{archive}: built again to the same bytes"]
    assert state(archive) == before
    assert [path.name for path in archive.parent.iterdir()] == ["archive"]


def _one_pixel(bands: np.ndarray) -> np.ndarray:
    row, column = np.argwhere(bands[0] != -9999)[0]
    bands[0, row, column] -= 1
    return bands


def _statistic(item: Any) -> None:
    item["properties"]["glacier:stable_terrain"]["after"]["nmad_m"] = 9.5


DIFFERENCES: dict[str, tuple[Edit, str, bool]] = {
    "pixels": (rewritten(DH, pixels=_one_pixel), rf"{DH}: 1 of \d+ pixels differ, by at most 1", False),
    "a table cell": (in_copies(EC, "glaciers", 2, "mean_dh_m", "-7.000"), r"mean_dh_m -7\.000.* -> ", False),
    "a statistic": (
        in_json(EC_ITEM, _statistic),
        rf"changed {EC_ITEM}: /properties/glacier:stable_terrain/after/nmad_m 9\.5 -> ",
        True,
    ),
    "words": (in_text(f"{EC}/README.md", "## Files", "## The files"), rf"changed {EC}/README\.md: line \d+", True),
    "a picture": (flip_bit(f"{EC}/elevation-change/thumbnail.png", 0.6), r"changed .*thumbnail\.png", True),
    "a file more": (lambda root: (root / "notes.txt").write_text("x") and None, r"removed notes\.txt", True),
    "a file less": (lambda root: (root / DH).unlink(), rf"created {DH}", False),
}


@pytest.mark.parametrize("kind", DIFFERENCES)
def test_a_difference_is_named_by_file_and_content(kind: str, rebuilding: None, archive: Path) -> None:
    edit, told, values_agree = DIFFERENCES[kind]
    edit(archive)
    done = run("build", "--verify", archive, "--quiet")
    assert done.code == 1, done.err
    assert any(_found(told, line) for line in done.out.splitlines()), done.out
    assert f"{archive}: NOT the same when built again" in done.out
    assert ("every value and pixel agrees" in done.out) is values_agree


def _found(pattern: str, line: str) -> bool:
    import re

    return re.search(pattern, line) is not None


def test_another_library_or_version_of_the_software_is_named(rebuilding: None, archive: Path) -> None:
    in_json("manifest.json", lambda manifest: manifest["tools"].update(scipy="0.0.1"))(archive)
    found = verified(archive, code_version="9.9.9")
    assert set(found.tools) == {"glacier-archive", "scipy"}
    assert not found.passed
    lines = found.lines()
    assert f"glacier-archive: {CODE_VERSION} when built, 9.9.9 here" in lines
    assert lines[1].startswith("scipy: 0.0.1 when built, ")
    assert lines[-1] == (
        "every value and pixel agrees; what differs are documents, pictures or how files are written, "
        "as other versions of the tools leave"
    )


def test_json_tells_the_same(rebuilding: None, archive: Path) -> None:
    in_json("manifest.json", lambda manifest: manifest["tools"].update(scipy="0.0.1"))(archive)
    done = run("build", "--verify", archive, "--quiet", "--json")
    found = json.loads(done.out)
    assert (done.code, found["passed"], found["values_agree"], found["version_step"]) == (1, False, True, "patch")
    assert found["tools"]["scipy"]["recorded"] == "0.0.1"
    assert found["files"][0]["path"] == "manifest.json"
    assert '/tools/scipy "0.0.1" -> ' in found["files"][0]["what"]


# --- what cannot be built again ----------------------------------------------------------------------------------


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        done = run("build", "--verify", folder, "--quiet")
        assert done.code == 2
        assert "no manifest.json that lists datasets" in done.err


def test_a_manifest_without_definitions_is_refused(archive: Path) -> None:
    in_json("manifest.json", lambda manifest: manifest["datasets"][0].pop("definition"))(archive)
    with pytest.raises(BadDefinition, match=r"definition of test-elevation-change: found nothing"):
        verified(archive)


def test_the_sample_takes_no_inputs(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="found an archive of the embedded sample; expected no --inputs"):
        verified(archive, tmp_path)


@pytest.fixture
def real(archive: Path, tmp_path: Path) -> tuple[Path, Path]:
    """An archive that says to be made of three real files, and these files."""
    from catalog.archive.manifest import sha256_of

    inputs = tmp_path / "inputs" / EC
    inputs.mkdir(parents=True)
    entries = []
    for source, name in (("earlier", "N43E086.hgt"), ("later", "later.tif"), ("outlines", "outlines.gpkg")):
        (inputs / name).write_text(f"content of {name}")
        size, digest = (inputs / name).stat().st_size, sha256_of(inputs / name)
        entries.append({"source": source, "name": name, "size": size, "sha256": digest})

    def claim(manifest: Any) -> None:
        manifest["synthetic"] = manifest["datasets"][0]["synthetic"] = False
        manifest["datasets"][0]["inputs"] = entries

    in_json("manifest.json", claim)(archive)
    return archive, tmp_path / "inputs"


def test_recorded_inputs_are_built_from(rebuilding: None, real: tuple[Path, Path]) -> None:
    found = verified(*real)
    assert [change.path for change in found.difference.files] == ["manifest.json"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda folder: (folder / "later.tif").write_text("content of another"),
            r"later\.tif: found sha256 \w{12}\.\.\.; expected sha256 \w{12}\.\.\., as recorded",
        ),
        (lambda folder: (folder / "later.tif").unlink(), "no file for the source 'later'"),
        (
            lambda folder: (folder / "more.tif").write_text("x"),
            r"more\.tif: found a file that was not recorded; expected only recorded inputs",
        ),
        (
            lambda folder: (folder / "N43E086.hgt").rename(folder / "N44E086.hgt"),
            r"N43E086\.hgt: found no such file; expected sha256 \w{12}\.\.\., as recorded",
        ),
    ],
    ids=["changed", "missing", "more", "renamed"],
)
def test_inputs_that_are_not_those_recorded_are_refused(
    real: tuple[Path, Path], change: Callable[[Path], Any], message: str
) -> None:
    archive, inputs = real
    change(inputs / EC)
    with pytest.raises(BadInput, match=message) as refusal:
        verified(archive, inputs)
    assert refusal.value.exit_code == 2


def test_an_archive_of_real_data_asks_for_its_inputs(real: tuple[Path, Path]) -> None:
    done = run("build", "--verify", real[0], "--quiet")
    assert done.code == 2
    assert "name it with --inputs" in done.err


@pytest.mark.slow
def test_the_mass_balance_of_real_inputs_is_verified_by_the_command(tmp_path: Path) -> None:
    from catalog.build.definitions import DATASETS, default_definitions

    balance = next(one for one in default_definitions() if one.kind == "mass_balance")
    write_sample(balance, tmp_path / "inputs")
    options = ("--inputs", tmp_path / "inputs", "--quiet")
    done = run("build", DATASETS / f"{balance.id}.toml", *options, "--no-cache", "--out", tmp_path / "archive")
    assert done.code == 0, done.err
    done = run("build", "--verify", tmp_path / "archive", *options, "--workers", 1)
    assert done.code == 0, done.out + done.err
    assert done.out.strip() == f"{tmp_path / 'archive'}: built again to the same bytes"
