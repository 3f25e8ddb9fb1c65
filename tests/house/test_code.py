"""Lint, format and strict types, as tests, so that one command says whether the code is in order."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.root import ROOT

# what follows the bracket must be a reason, not an end of line
BARE_IGNORE = re.compile(r"# (?:type: ignore(?:\[[^\]]*\])?|noqa(?:: [A-Z0-9, ]+)?)\s*$")


def run(*arguments):
    return subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [("ruff", "check", "."), ("ruff", "format", "--check", ".")])
def test_ruff(arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_strict_types():
    done = run("mypy")
    assert done.returncode == 0, done.stdout + done.stderr


def source_files():
    return [
        path
        for folder in ("schemas", "pipeline", "catalog", "tests", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
    ]


def test_every_ignore_says_why():
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*source_files(), ROOT / "cli.py"]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if BARE_IGNORE.search(line)
    ]
    assert not bare


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_names_versions_and_hashes_and_no_host(lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    assert "--find-links" not in text
    names = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", text, re.MULTILINE)
    assert {"rasterio", "numpy", "pystac", "rio-cogeo", "frictionless", "pandas", "typer"} <= set(names)
    blocks = re.split(r"^(?=[A-Za-z0-9._-]+(?:\[[^\]]*\])?==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)


def test_no_file_of_the_repository_is_large_or_names_this_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    paths = [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    assert paths
    assert not [path for path in paths if path.stat().st_size > 1_000_000]
    home = str(ROOT) + "/"
    assert not [path for path in paths if home.encode() in path.read_bytes()]
