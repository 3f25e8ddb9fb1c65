"""Scratch folders of runs that were killed are found and removed by the next one; those of living runs stay."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pipeline import scratch_folders
from pipeline.scratch_folders import PREFIX, scratch_folder
from tests.root import ROOT

HOLD = (
    "from pipeline.scratch_folders import scratch_folder\n"
    "with scratch_folder() as folder:\n"
    "    (folder / 'half.tif').write_text('half written')\n"
    "    print(folder, flush=True)\n"
    "    input()\n"
)


@pytest.fixture(autouse=True)
def own_place(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(scratch_folders, "SECONDS_UNTIL_LOCKED", 0.0)


def start(tmp_path: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=ROOT, env={**os.environ, "TMPDIR": str(tmp_path)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_run_left_goes_and_what_a_living_one_holds_stays(tmp_path):
    killed, left = start(tmp_path)
    living, held = start(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert left.is_dir()
    with scratch_folder("verify-") as own:
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted([held.name, own.name])
        assert (held / "half.tif").read_text() == "half written"
    living.communicate("\n")
    assert list(tmp_path.iterdir()) == []


def test_nothing_but_folders_of_ours_is_touched(tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "kept.txt").write_text("kept")
    (tmp_path / f"{PREFIX}abcdefgh").symlink_to(tmp_path / "elsewhere")
    (tmp_path / f"{PREFIX}abcdefgi").write_text("a file")
    names = {"glacier-archive-main", f"{PREFIX}of-mine", f"x{PREFIX}abcdefgh", f"{PREFIX}abcdefgj"}
    for name in names:
        (tmp_path / name).mkdir()  # the last with the name of a scratch folder, but open to others
    with scratch_folder():
        pass
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    (tmp_path / f"{PREFIX}abcdefgk").mkdir(mode=0o700)
    with scratch_folder():
        pass
    names |= {"elsewhere", *(f"{PREFIX}abcdefg{letter}" for letter in "hik")}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert (tmp_path / "elsewhere" / "kept.txt").read_text() == "kept"


def test_one_that_was_just_made_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(scratch_folders, "SECONDS_UNTIL_LOCKED", 60.0)
    (tmp_path / f"{PREFIX}abcdefgh").mkdir(mode=0o700)
    with scratch_folder():
        pass
    assert [path.name for path in tmp_path.iterdir()] == [f"{PREFIX}abcdefgh"]
