"""What the software is made of: a lock that is whole, licences that are known, and code that runs nobody's text."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

from docs.bills import BROWSER_BILL, BROWSER_LOCK, PYTHON_BILL, bill_of_browser, licences_in
from docs.licences import canonical, licence_of, licences_page, locked_packages
from tests.root import ROOT

# of developers, and the part of it that the program needs to run
LOCK = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8")
RUN_TIME_LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
OWN_CODE = ("schemas", "pipeline", "catalog", "docs")
_MARKED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?==[^\n;]*;\s*([^\\\n]+)", re.MULTILINE)


def required_names() -> set[str]:
    """Everything that pyproject.toml asks for, extras included."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    return {canonical(re.split(r"[\s\[<>=!~;]", text, maxsplit=1)[0]) for text in asked}


def needed_by(name: str) -> Iterator[str]:
    """What an installed package requires on this platform, extras left out."""
    from packaging.requirements import Requirement

    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonical(requirement.name)


def test_every_dependency_is_locked_with_all_that_it_needs():
    locked = {package.name for package in locked_packages(LOCK)}
    assert required_names() <= locked
    pending, seen = sorted(required_names()), set()
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        assert name in locked, f"{name} is needed and not locked"
        pending += needed_by(name)
    assert len(seen) > 60


def entries_of(lock: str) -> list[str]:
    return re.split(r"\n(?=\S)", lock.strip())


def test_the_lock_of_users_is_what_the_program_needs_and_no_more():
    """Entry for entry as developers have it; what no platform needs to run the program is left out."""
    assert set(entries_of(RUN_TIME_LOCK)) <= set(entries_of(LOCK))
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    pending, needed = [canonical(re.split(r"[\s\[<>=!~;]", text, maxsplit=1)[0]) for text in asked], set()
    while pending:
        name = pending.pop()
        if name not in needed:
            needed.add(name)
            pending += needed_by(name)
    locked = {package.name for package in locked_packages(RUN_TIME_LOCK)}
    assert needed <= locked
    assert locked - needed <= {"colorama", "tzdata"}, "what Windows needs besides"


def test_the_environment_is_the_locked_one():
    """Else the licences and all other tests speak of something else."""
    locked: dict[str, set[str]] = {}
    for package in locked_packages(LOCK):
        locked.setdefault(package.name, set()).add(package.version)
    here = {name: metadata.version(name) for name in locked if licence_of(name)}
    assert {name: version for name, version in here.items() if version not in locked[name]} == {}


def test_every_entry_of_the_lock_has_hashes_and_none_an_address():
    entries = entries_of(LOCK)
    packages = [entry for entry in entries if not entry.startswith("#")]
    assert len(packages) == len(locked_packages(LOCK))
    for entry in packages:
        lines = entry.replace("\\\n", "\n").splitlines()
        hashes = [line.strip() for line in lines[1:] if not line.strip().startswith("#")]
        assert hashes, lines[0]
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line) for line in hashes), lines[0]
        assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[^\]]*\])?==[^\s;]+( ; .+)?\s*", lines[0]), lines[0]
    assert not re.search(r"://|@ |--(extra-)?index-url|--find-links|--trusted-host|^-e ", LOCK, re.MULTILINE)


def test_no_package_is_locked_twice():
    """One that is, as one version for older and one for newer Pythons, says which holds where."""
    lines = re.findall(r"^[A-Za-z0-9][^\n]*==[^\n]*", LOCK, re.MULTILINE)
    names = [canonical(re.split(r"[\[=]", line)[0]) for line in lines]
    assert len(names) == len(locked_packages(LOCK))
    for name in {name for name in names if names.count(name) > 1}:
        markers = [line.partition(";")[2].strip(" \\") for line, own in zip(lines, names, strict=True) if own == name]
        assert all(markers), name
        assert len(set(markers)) == len(markers), name


def test_the_licence_of_every_installed_package_is_known():
    from packaging.markers import Marker

    elsewhere = {canonical(name) for name, marker in _MARKED.findall(LOCK) if not Marker(marker.strip()).evaluate()}
    unknown = [package.name for package in locked_packages(LOCK) if not licence_of(package.name)]
    assert set(unknown) <= elsewhere
    page = licences_page(LOCK)
    assert "| numpy | " in page
    assert page.count("\n| ") == len(locked_packages(LOCK)) + 2
    assert page == licences_page(LOCK)


def test_no_licence_forbids_what_ours_allows():
    """Apache-2.0 code may not be bound to a package under the GPL or AGPL alone."""
    bound = [
        f"{package.name}: {licence}"
        for package in locked_packages(LOCK)
        if re.search(r"\bA?GPL|General Public", licence := licence_of(package.name))
        and not re.search(r"LGPL|Lesser|Artistic|MIT|BSD|Apache", licence)
    ]
    assert bound == []


@pytest.mark.slow
def test_pip_finds_no_broken_requirement():
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- our code -----------------------------------------------------------------------------------------------------

FORBIDDEN_MODULES = {
    *("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "jsonpickle", "code", "codeop"),
    *("telnetlib", "ftplib", "pty", "xmlrpc", "xml.sax", "xml.dom", "xml.dom.minidom", "pulldom"),
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
FORBIDDEN_ATTRIBUTES = {
    *(
        "os.system",
        "os.popen",
        "os.execv",
        "os.execvp",
        "os.spawnl",
        "subprocess.getoutput",
        "subprocess.getstatusoutput",
    ),
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.unsafe_load", "yaml.Loader", "yaml.UnsafeLoader"),
    *(
        "tempfile.mktemp",
        "pandas.read_pickle",
        "pd.read_pickle",
        "pd.eval",
        "pandas.eval",
        "ssl._create_unverified_context",
    ),
    *("shutil.unpack_archive", "etree.parse"),
}
# findings that are no danger, each with its reason
EXCEPTIONS = {
    (
        "pipeline/mass_balance/fieldwork/xlsx_cells.py",
        "ElementTree",
    ): "a document type is refused before (xlsx_packages)",
    ("catalog/items/qgis.py", "ElementTree"): "it writes and does not read",
}
PROCESSES = {
    "catalog/serve/stac_browser.py": "npm, to build the browser of the catalogue when it is asked for",
}


def own_files() -> list[Path]:
    return [ROOT / "cli.py", *(path for folder in OWN_CODE for path in sorted((ROOT / folder).rglob("*.py")))]


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else ""


def findings(source: str, name: str = "x.py") -> list[str]:
    """What in a module would run text, a shell or foreign objects, or read XML with entities."""
    found = []
    for node in ast.walk(ast.parse(source)):
        where = f"{name}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", "") or ""
            names = {alias.name for alias in node.names}
            modules = names if isinstance(node, ast.Import) else {module, *(f"{module}.{alias}" for alias in names)}
            found += [f"{where}: import {bad}" for bad in sorted(modules & FORBIDDEN_MODULES)]
            if modules & {"xml.etree", "xml.etree.ElementTree"}:
                found.append(f"{where}: ElementTree")
        elif isinstance(node, ast.Call):
            found += [f"{where}: {problem}" for problem in call_problems(node)]
        elif isinstance(node, ast.Attribute) and dotted(node) in FORBIDDEN_ATTRIBUTES:
            found.append(f"{where}: {dotted(node)}")
    return found


def call_problems(node: ast.Call) -> Iterator[str]:
    called = dotted(node.func)
    given = {keyword.arg: keyword.value for keyword in node.keywords}
    values = {key: value.value for key, value in given.items() if isinstance(value, ast.Constant)}
    if called in FORBIDDEN_CALLS:
        yield called
    if values.get("shell") or ("shell" in given and "shell" not in values):
        yield "shell"
    if values.get("allow_pickle") or ("allow_pickle" in given and "allow_pickle" not in values):
        yield "allow_pickle"
    if values.get("verify") is False:
        yield "verify=False"
    if called.endswith("XMLParser") and (
        values.get("resolve_entities") is not False or ("no_network" in given and not values.get("no_network"))
    ):
        yield "an XML parser that resolves entities or may use the network"
    copied = bool(node.args) and isinstance(node.args[0], ast.Call) and dotted(node.args[0].func) == "etree.tostring"
    alone = len(node.args) < 2 and "parser" not in given and not copied
    if called in ("etree.fromstring", "etree.XML", "etree.iterparse") and alone:
        yield f"{called} without a parser of its own"
    if called.endswith(".extractall") and values.get("filter") != "data":
        yield called


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "from pickle import loads", "eval('1')", "exec(text)", "subprocess.run('ls', shell=True)",
        "subprocess.run('ls', shell=wanted)", "os.system('ls')", "yaml.load(text)", "np.load(p, allow_pickle=True)",
        "etree.XMLParser()",
        "etree.XMLParser(resolve_entities=False, no_network=False)", "etree.fromstring(text)", "etree.parse(path)",
        "from xml.etree import ElementTree", "import xml.etree.ElementTree as ET", "from xml.dom import minidom",
        "httpx.Client(verify=False)", "archive.extractall(folder)", "tempfile.mktemp()", "__import__(name)",
    ],
)  # fmt: skip
def test_the_search_finds(source):
    assert findings(source)


def test_the_search_lets_pass():
    sound = (
        "etree.fromstring(text, etree.XMLParser(resolve_entities=False, no_network=True)); re.compile('x'); m.eval()"
    )
    assert findings(sound) == []


def test_our_code_runs_nobodys_text():
    found = [
        problem
        for path in own_files()
        for problem in findings(path.read_text(encoding="utf-8"), path.relative_to(ROOT).as_posix())
    ]
    excepted = {problem for problem in found if _key(problem) in EXCEPTIONS}
    assert sorted(set(found) - excepted) == []
    assert {_key(problem) for problem in excepted} == set(EXCEPTIONS)  # no exception outlives its reason


def _key(problem: str) -> tuple[str, str]:
    place, _, what = problem.partition(": ")
    return place.rpartition(":")[0], what


def test_few_parts_of_our_code_start_a_process():
    """And none through a shell, as the search above sees to."""
    starting = [
        path.relative_to(ROOT).as_posix()
        for path in own_files()
        if re.search(r"^\s*(?:import|from)\s+(?:subprocess|multiprocessing)\b", path.read_text("utf-8"), re.MULTILINE)
    ]
    assert starting == sorted(PROCESSES)


@pytest.mark.parametrize("name", [PYTHON_BILL, BROWSER_BILL])
def test_bills_of_materials_are_whole(name):
    """Every package once, with an address of its own, its licence, and no word that changes from day to day."""
    bill = json.loads((ROOT / "docs" / name).read_text(encoding="utf-8"))
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert "timestamp" not in bill["metadata"]
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(set(references)) == len(references) > 100
    for component in bill["components"]:
        assert re.fullmatch(r"pkg:(pypi|npm)/\S+@\S+", component["purl"]), component["name"]
        for licence in component.get("licenses", ()):
            assert licence.get("expression") or licence["license"]["name"]


def test_the_bill_of_python_names_what_the_lock_names():
    bill = json.loads((ROOT / "docs" / PYTHON_BILL).read_text(encoding="utf-8"))
    listed = {(component["name"], component["version"]) for component in bill["components"]}
    assert listed == {(package.name, package.version) for package in locked_packages(RUN_TIME_LOCK)}


def test_the_bill_of_the_browser_is_that_of_its_lock():
    text = (ROOT / "docs" / BROWSER_BILL).read_text(encoding="utf-8")
    assert bill_of_browser(BROWSER_LOCK.read_text(encoding="utf-8"), licences_in(text)) == text
    components = json.loads(text)["components"]
    unknown = [component["name"] for component in components if not component.get("licenses")]
    assert len(unknown) <= len(components) // 50, unknown
    bound = [name for name, licence in licences_in(text).items() if re.search(r"\bA?GPL", licence)]
    assert bound == []
