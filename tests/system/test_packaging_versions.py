"""The wheel under every promised Python, and under the oldest libraries that it asks for: the sample, with the same
numbers.

Libraries come from the index that pip is set to. An interpreter that is not on this machine skips its case and says so.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from tests.system.test_packaging import PROJECT, ROOT, built_once, run_in

EXTRAS = PROJECT["optional-dependencies"]
RUN_TIME = [*PROJECT["dependencies"], *EXTRAS["distributed"], *EXTRAS["earthdata"], *EXTRAS["s3"], *EXTRAS["sign"]]


@dataclass(frozen=True)
class Setting:
    """An interpreter, and which libraries stand under the program: those of the lock, or the oldest that it allows."""

    python: str
    oldest: bool

    def __str__(self) -> str:
        return f"{self.python}-{'oldest' if self.oldest else 'lock'}"

    @property
    def libraries(self) -> list[str]:
        """What pip is asked for; the oldest are the stated bounds themselves, to the letter."""
        if self.oldest:
            return [requirement.replace(">=", "==") for requirement in RUN_TIME]
        return [*RUN_TIME, "--constraint", str(ROOT / "requirements-dev.lock")]


SETTINGS = (Setting("3.11", oldest=True), Setting("3.12", oldest=False), Setting("3.13", oldest=False))


def has(version: str) -> bool:
    """Whether a Python of this version is on the path and runs; a shim of pyenv may be there and not run."""
    found = shutil.which(f"python{version}")
    said = found and subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    return bool(said) and said.returncode == 0 and said.stdout.startswith(f"Python {version}.")


@dataclass(frozen=True)
class Program:
    """The wheel in an environment of its own."""

    script: Path
    home: Path

    def run(self, *words: str) -> str:
        """What a command prints on stdout; it must end well."""
        done = run_in(self.home, self.script, *words, GLACIER_CACHE=str(self.home / "cache"))
        assert done.returncode == 0, done.stderr
        return done.stdout


def install(home: Path, setting: Setting, wheel: Path) -> Program:
    """A new environment with the libraries of the setting and the wheel."""
    environment = home / "environment"
    python = environment / "bin" / "python"
    # what is imported compiles itself; the rest need not
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    for words in (
        [f"python{setting.python}", "-m", "venv", environment],
        [*pip, *_without_hashes(setting.libraries, home)],
        [*pip, "--no-deps", "--no-index", wheel],
    ):
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert done.returncode == 0, _errors(done.stderr)
    return Program(environment / "bin" / "glacier-archive", home)


def _without_hashes(words: list[str], home: Path) -> list[str]:
    """With hashes in its constraints pip would want one for every requirement."""
    plain = home / "constraints.txt"
    lock = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
    plain.write_text(re.sub(r" \\\n(?:    --hash=\S+(?: \\)?\n?)+", "\n", lock), encoding="utf-8")
    return [word.replace(str(ROOT / "requirements-dev.lock"), str(plain)) for word in words]


def _errors(printed: str) -> str:
    """Pip's errors; its warnings speak of where it looked."""
    return "\n".join(line for line in printed.splitlines() if not line.startswith("WARNING"))


def test_every_python_that_is_promised_is_tried():
    promised = {line.rpartition(" ")[2] for line in PROJECT["classifiers"] if "Python :: 3." in line}
    assert {setting.python for setting in SETTINGS} == promised
    oldest = min(promised, key=lambda text: int(text.partition(".")[2]))
    assert PROJECT["requires-python"] == f">={oldest}"
    assert Setting(oldest, oldest=True) in SETTINGS


def test_every_library_that_is_run_with_has_one_lower_bound_and_no_other():
    assert [text for text in RUN_TIME if not re.fullmatch(r"[a-z0-9-]+>=\d+(\.\d+)*", text)] == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "setting",
    [
        pytest.param(
            setting,
            id=str(setting),
            marks=pytest.mark.skipif(not has(setting.python), reason=f"no Python {setting.python} on the path"),
        )
        for setting in SETTINGS
    ],
)
def test_the_wheel_builds_the_same_numbers(setting, sample, tmp_path):
    """As this interpreter and the locked libraries build them."""
    program = install(tmp_path, setting, built_once()[0])
    # a library that logs to stdout would be seen here
    built = json.loads(program.run("build", "--out", "x", "--quiet", "--json"))
    # what is published has passed every check under these libraries: to validate it anew would repeat them
    assert built["checks"] == sample.report["checks"]
    assert "table-copies" in program.run("validate", "--list")
    tables = sorted(path.relative_to(sample.archive) for path in sample.archive.glob("*/tables/*.csv"))
    assert len(tables) > 25
    for table in tables:
        here, there = pd.read_csv(sample.archive / table), pd.read_csv(tmp_path / "x" / table)
        # libraries differ in the last digits; what is published is rounded, so that a step of the last digit may show,
        # and a class of few pixels may lose one to its neighbour
        pd.testing.assert_frame_equal(there, here, rtol=4e-3, atol=2e-3, obj=str(table))
