"""The wheel and the sdist: what is in them, and that the program they install works from any folder."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from tests.made.once import made_once
from tests.root import ROOT

PACKAGES = ("catalog", "pipeline", "schemas")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def shipped_files() -> set[str]:
    """Every file of the packages in this checkout that the program may need."""
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*")]
    kept = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(ROOT).as_posix() for path in kept} | {"cli.py"}


def third_party_imports() -> set[str]:
    """Top modules that the program imports and that are neither its own nor Python's."""
    names = set()
    for name in shipped_files():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    names |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom):
                    names.add(str(node.module).partition(".")[0])
    return names - set(sys.stdlib_module_names) - {*PACKAGES, "cli"}


def test_every_library_that_is_imported_is_a_stated_dependency():
    extras = (PROJECT["optional-dependencies"][name] for name in ("distributed", "s3", "sign"))
    stated = [*PROJECT["dependencies"], *(name for extra in extras for name in extra)]
    known = {_normal(re.split(r"[\[<>=!~ ]", requirement)[0]) for requirement in stated}
    owners = metadata.packages_distributions()
    strangers = {
        name: owners.get(name, ["nobody"])
        for name in third_party_imports()
        if not known & {_normal(owner) for owner in owners.get(name, ())}
    }
    assert strangers == {}


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def built(folder: Path, source: Path) -> tuple[Path, Path]:
    """The wheel, made from the sdist as an installer would make it, and the sdist."""
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def built_once() -> tuple[Path, Path]:
    """The wheel and the sdist of this checkout, made once a run."""
    folder = made_once("dist", lambda draft: built(draft, ROOT))
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="module")
def packages() -> tuple[Path, Path]:
    return built_once()


@pytest.fixture(scope="module")
def installed(packages, tmp_path_factory) -> Path:
    """The scripts of a new environment that holds the wheel, and the libraries of this one behind it."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False)
    scripts = home / "bin"
    place = Path(sysconfig.get_path("purelib", vars={"base": str(home)}))
    wheel, _ = packages
    command = [sys.executable, "-m", "pip", "--python", scripts / "python", "install", "--no-deps", "--no-index", wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # behind the wheel's own files in the search path
    (place / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    return scripts


def run_in(folder: Path, *command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "GLACIER"))}
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_wheel_holds_all_of_the_program_and_nothing_else(packages):
    wheel, _ = packages
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        entry_points = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "glacier-archive = cli:main" in archive.read(entry_points).decode()
    assert names == shipped_files()
    assert any(name.startswith("catalog/datasets/") and name.endswith(".toml") for name in names)
    assert any(name.startswith("catalog/pages/templates/") for name in names)


@pytest.mark.slow
def test_wheel_carries_the_licence_it_names(packages):
    wheel, sdist = packages
    text = (ROOT / "LICENSE").read_bytes()
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/licenses/LICENSE"))
        assert archive.read(name) == text
        about = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        assert f"License-Expression: {PROJECT['license']}\n" in archive.read(about).decode()
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("/LICENSE") for name in archive.getnames())


def test_the_licence_is_whole():
    """The text of the Apache Software Foundation, by the checksum under which it is known."""
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"


@pytest.mark.slow
def test_sdist_holds_what_a_rebuild_and_a_test_need(packages):
    _, sdist = packages
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert shipped_files() <= names
    assert {
        "pyproject.toml",
        "README.md",
        "requirements.lock",
        "requirements-dev.lock",
        "docs/fetching.md",
        "tests/system/test_packaging.py",
    } <= names
    unwanted = re.compile(r"(^|/)(\.venv|\.git|__pycache__|\.mypy_cache|dist)/|^archive/")
    assert [name for name in names if unwanted.search(name)] == []


@pytest.mark.slow
def test_wheel_is_the_same_bytes_each_time(packages, tmp_path):
    first, _ = packages
    second, _ = built(tmp_path / "again", ROOT)
    assert second.read_bytes() == first.read_bytes()


@pytest.mark.slow
def test_installed_program_runs_its_own_code(installed, tmp_path):
    code = "import catalog, cli; print(catalog.__file__); print(cli.__file__)"
    done = run_in(tmp_path, installed / "python", "-c", code)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(str(installed.parent)) for line in done.stdout.splitlines())
    version = run_in(tmp_path, installed / "glacier-archive", "--version")
    assert version.stdout == f"glacier-archive {PROJECT['version']}\n", version.stderr


@pytest.mark.slow
def test_installed_program_builds_the_same_bytes_anywhere_for_anybody_and_proves_them(installed, sample, tmp_path):
    """As this checkout does: other folder, user, home, time zone, locale, umask, hash seed, clock, one worker."""
    folder, home = tmp_path / "another folder" / "二", tmp_path / "home of another"
    folder.mkdir(parents=True)
    home.mkdir()
    elsewhere = {
        "TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "de_DE.UTF-8", "USER": "somebody",
        "LOGNAME": "somebody", "HOME": str(home), "PYTHONHASHSEED": "4242", "HOSTNAME": "elsewhere", "COLUMNS": "40",
    }  # fmt: skip
    clock = ["faketime", "2031-02-03 04:05:06"] if shutil.which("faketime") else []
    program = "import os, sys; os.umask(0o077); import cli; sys.argv = ['x', *sys.argv[1:]]; sys.exit(cli.run())"
    words = ("build", "--out", "x", "--json", "--quiet", "--no-cache", "--workers", "1")
    done = run_in(folder, *clock, installed / "python", "-c", program, *words, **elsewhere)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["reused"] == []
    assert {path.name for path in folder.iterdir()} == {"x"}
    found, expected = contents(folder / "x"), contents(sample.archive)
    assert sorted(found) == sorted(expected)
    assert [name for name in expected if found[name] != expected[name]] == []
    assert json.loads(found["manifest.json"])["code_version"] == PROJECT["version"]
    proved = run_in(folder, installed / "glacier-archive", "validate", "x", "--quiet", **elsewhere)
    assert proved.returncode == 0, proved.stdout + proved.stderr


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_installed_program_starts_a_dataset_and_plans_its_inputs(installed, tmp_path):
    program = installed / "glacier-archive"
    assert run_in(tmp_path, program, "init", "range-x", "--kind", "mass_balance").returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"range-x.toml", "range-x-workbook.xlsx"}
    planned = run_in(tmp_path, program, "fetch", "inputs", "range-x.toml", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "range-x-workbook.xlsx" in planned.stdout


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shell_completes_commands(installed, tmp_path, shell):
    program = installed / "glacier-archive"
    script = run_in(tmp_path, program, "--show-completion", shell)
    assert "_GLACIER_ARCHIVE_COMPLETE" in script.stdout, script.stderr
    asked = {
        "bash": {"COMP_WORDS": "glacier-archive va", "COMP_CWORD": "1"},
        "zsh": {"_TYPER_COMPLETE_ARGS": "glacier-archive va"},
        "fish": {"_TYPER_COMPLETE_ARGS": "glacier-archive va", "_TYPER_COMPLETE_FISH_ACTION": "get-args"},
    }[shell]
    done = run_in(tmp_path, program, _GLACIER_ARCHIVE_COMPLETE=f"complete_{shell}", **asked)
    assert "validate" in done.stdout
    assert "serve" not in done.stdout


def test_container_is_made_of_the_locked_libraries():
    """An engine is not everywhere; what can be held together without one is."""
    text = (ROOT / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = text.splitlines()
    base = re.search(r"^ARG BASE=docker\.io/library/python:(3\.\d+)-slim-bookworm$", text, re.MULTILINE)
    assert base
    assert f"Programming Language :: Python :: {base.group(1)}" in PROJECT["classifiers"]
    assert [line.split()[1] for line in lines if line.startswith("FROM ")] == ["${BASE}"] * 2
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert {name.rstrip("/") for name in copied} >= {"requirements-dev.lock", "LICENSE", "cli.py", *PACKAGES}
    assert [name for name in copied if not (ROOT / name).exists()] == []
    # whatever comes from an index is in the lock with its checksum; the rest asks no index
    installs = [line for line in lines if re.search(r"\bpip (install|wheel)\b", line)]
    assert installs
    for line in installs:
        assert all("--no-index" in call or "--require-hashes" in call for call in re.findall(r"pip [^&]*", line)), line
    extras = re.search(r"'glacier-archive\[([\w,]+)\]'", text)
    assert extras
    assert set(extras.group(1).split(",")) == set(PROJECT["optional-dependencies"]) - {"dev"}
    assert 'ENTRYPOINT ["glacier-archive"]' in text
    assert re.search(r"^USER (?!root)\w+", text, re.MULTILINE)
