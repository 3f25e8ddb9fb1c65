"""The documentation says what the commands do: the README's commands exist, and generated pages have not drifted."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from tests.command_line import run

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.strip().splitlines()]


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["archive.md", "cli.md", "tables.md", "settings.md", "checks.md"])
def test_generated_pages_have_not_drifted(name):
    expected = generator().PAGES[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == expected, "run python docs/generate.py"


def test_every_generated_page_is_listed_here():
    assert set(generator().PAGES) == {
        "archive.md",
        "cli.md",
        "tables.md",
        "settings.md",
        "checks.md",
        "licences.md",
    }


def calls():
    for line in COMMANDS:
        for part in line.split("&&"):
            words = shlex.split(part)
            if "cli.py" in words:
                yield words[words.index("cli.py") + 1 :]


@pytest.mark.parametrize("words", list(calls()), ids=" ".join)
def test_the_readmes_commands_exist_with_their_options(words):
    shown = run(words[0], "--help")
    assert shown.code == 0
    for option in (word for word in words if word.startswith("--")):
        assert option in shown.out, f"{words[0]} has no {option}"


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    tests = [line for line in COMMANDS if "pytest" in line]
    assert len(tests) == 1
    assert tests[0] in script.splitlines()


def test_links_between_pages_lead_somewhere():
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert not broken


def test_the_methods_page_names_functions_that_exist():
    text = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    source: dict[str, str] = {}
    for path in (ROOT / "pipeline").rglob("*.py"):
        source[path.stem] = source.get(path.stem, "") + path.read_text(encoding="utf-8")
    names = re.findall(r"\| `([a-z_]+)\.([A-Za-z_]+)` \|", text)
    assert len(names) > 20
    for module, function in names:
        assert re.search(rf"^(?:def|class) {function}\b", source[module], re.MULTILINE), f"{module}.{function}"


def test_the_console_output_in_the_readme_is_real():
    """The closing line of a build, with its numbers left open, stands in the README as the program prints it."""
    assert re.search(r"^Published archive: \d+ files, [\d.]+ MB, \d+ checks passed$", README, re.MULTILINE)
