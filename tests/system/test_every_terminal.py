"""Terminals, streams, names and files of ours as they can be: one line, the right exit code, nothing left half done."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.root import ROOT

CLI = [sys.executable, str(ROOT / "cli.py")]
LONGER = "a" * 256


def shell(command: str, folder: Path, **environment: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line in a shell; ``$CLI`` stands for it."""
    named = {**os.environ, "CLI": " ".join(CLI), "OMP_NUM_THREADS": "1", **environment}
    done = subprocess.run(["bash", "-c", command], cwd=folder, env=named, capture_output=True, check=False, timeout=120)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        ("$CLI validate --list > /dev/full", 2, "error: the output: found No space left on device"),
        ("$CLI validate --list >&-", 0, ""),
        ("$CLI validate nowhere 2>&-", 2, ""),
        ("$CLI validate nowhere 2> /dev/full", 2, ""),
        ("$CLI validate nowhere <&- >&- 2>&-", 2, ""),
        ("($CLI validate --list; echo $? > code) | true; exit $(cat code)", 141, ""),
        (f"$CLI validate {LONGER}", 2, "File name too long"),
        (f"$CLI difference {LONGER} {LONGER} --out x", 2, "File name too long"),
        (f"$CLI init new --folder {LONGER}", 2, "File name too long"),
        ("mkdir gone; cd gone; rmdir ../gone; $CLI init new", 2, "No such file or directory"),
    ],
)
def test_one_line_and_the_right_code(tmp_path, command, code, said):
    returned, _, err = shell(command, tmp_path)
    lines = err.strip().splitlines()
    assert (returned, len(lines)) == (code, int(bool(said))), err
    assert said in err
    assert [path.name for path in tmp_path.iterdir() if path.name != "code"] == []


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["gbk", "ascii", "latin-1", "utf-8"])
def test_names_in_any_encoding_of_the_terminal(tmp_path, encoding):
    folder = tmp_path / "冰川🏔é"
    folder.mkdir()
    code, out, err = shell(f"$CLI init new --folder '{folder.name}'", tmp_path, PYTHONIOENCODING=encoding)
    assert (code, err) == (0, "")
    assert out.startswith("Wrote ")
    assert {path.name for path in folder.iterdir()} == {"new.toml"}


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["gbk", "latin-1"])
def test_json_is_json_in_any_encoding(tmp_path, encoding):
    plan = "$CLI fetch schemas --dry-run --json --mirror 'stac=http://127.0.0.1:1/{name}' --to '冰川🏔é'"
    code, out, _ = shell(plan, tmp_path, PYTHONIOENCODING=encoding)
    assert code == 0
    assert json.loads(out)["destination"] == "冰川🏔é"
