"""The documentation says what the commands do: its blocks run, and generated pages have not drifted."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import typer.main

import cli
from tests.made.once import made_once
from tests.system.browser import chromium
from tests.system.documentation import DOCS, NOT_RUN, ROOT, Block, Reader, blocks_of

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.strip().splitlines()]
# written beside its own test, which runs it in a folder of its own
RUN_ELSEWHERE = {"another-range.md"}
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.name not in RUN_ELSEWHERE and blocks_of(page))
RUN = [page for page in PAGES if any(not block.marks & NOT_RUN for block in blocks_of(page))]
# what they do is done to any archive: a small one is checked, copied and compared in a tenth of the time
OF_ANY_ARCHIVE = {"publish", "verify"}


def generator():
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATED = ("archive.md", "cli.md", "tables.md", "settings.md", "definition.md", "stac.md", "checks.md", "damages.md")


@pytest.mark.parametrize("name", GENERATED)
def test_generated_pages_have_not_drifted(name):
    expected = generator().PAGES[name]()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == expected, "run python docs/generate.py"


def test_every_generated_page_is_listed_here():
    assert set(generator().PAGES) == {*GENERATED, "licences.md", "sbom/python.cdx.json", "sbom/browser.cdx.json"}


def calls():
    for page in (ROOT / "README.md", *PAGES):
        for block in blocks_of(page):
            for words in block.commands:
                yield pytest.param(words, id=f"{page.stem}: {' '.join(words)}")


@pytest.mark.parametrize("words", list(calls()))
def test_every_command_exists_with_its_options(words):
    group = typer.main.get_command(cli.app)
    command = group if words[0].startswith("--") else group.commands[words[0]]
    known = {spelled for parameter in command.params for spelled in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known


def test_ci_runs_the_readmes_test_command():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    tests = [line for line in COMMANDS if "pytest" in line]
    assert len(tests) == 1
    assert tests[0] in script.splitlines()


def test_every_file_that_the_page_for_contributors_names_is_there():
    text = (DOCS / "contributing.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:schemas|pipeline|catalog|tests|docs)/[a-z_/]*(?:\.py)?)`", text))
    assert len(named) > 15
    assert not [name for name in sorted(named) if not (ROOT / name).exists()]


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
    folders = [ROOT / "pipeline" / name for name in ("elevation_change", "mass_balance")]
    names = re.findall(r"`((?:[a-z_]+\.)?[a-z_]+)\.([A-Za-z_]+)`", text)
    assert len(names) > 80
    for module, function in names:
        if module.startswith("pipeline."):
            continue  # the chapters' own first functions, which the API page proves
        files = [path for folder in folders if (path := folder / f"{module.replace('.', '/')}.py").is_file()]
        source = "".join(path.read_text(encoding="utf-8") for path in files)
        assert re.search(rf"^(?:def|class) {function}\b", source, re.MULTILINE), f"{module}.{function}"


def test_the_console_output_in_the_readme_is_real():
    """The verdict of a build, with its numbers left open, stands first in the README as the program prints it."""
    shown = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1].splitlines()
    assert re.fullmatch(r"Passed: \d+ checks; the archive holds \d+ files, [\d.]+ MB", shown[0])
    assert len(shown) == 6
    assert max(map(len, shown)) <= 80


def test_the_methods_page_names_every_module_that_follows_a_paper():
    text = (DOCS / "methods.md").read_text(encoding="utf-8")
    cited = re.compile(r"(?:et al\.|and [A-Z]\w+),? \(?(?:19|20)\d\d|\([A-Z]\w+, (?:19|20)\d\d")
    folders = [ROOT / "pipeline" / name for name in ("elevation_change", "mass_balance")]
    follow = {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        for folder in folders
        for path in folder.rglob("*.py")
        if cited.search(path.read_text(encoding="utf-8"))
    }
    assert len(follow) > 20
    # the result only holds what other modules computed
    assert {name for name in follow if f"`{name}." not in text} <= {"result"}


def test_every_paper_of_the_methods_is_listed():
    table, _, listed = (DOCS / "methods.md").read_text(encoding="utf-8").partition("## Papers")
    named = set(re.findall(r"([A-ZØ]\w+)(?: et al\.| and [A-ZØ]\w+)?,? \((?:\d{4}|\w+ et al\., \d{4})\)", table))
    assert len(named) > 12
    assert not {name for name in named if not re.search(rf"^- {name}\b", listed, re.MULTILINE)}


# --- blocks -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def cache(sample) -> Path:
    """A cache that holds the finished sample; what the pages build besides is kept there too."""
    return sample.cache


def test_only_known_marks_keep_a_block_from_being_run():
    for page in (ROOT / "README.md", *PAGES):
        for block in blocks_of(page):
            assert block.marks <= NOT_RUN, f"{page.name}:{block.line}"
            if "needs-server" in block.marks:
                before = "\n".join(page.read_text(encoding="utf-8").splitlines()[: block.line - 1])
                assert re.search(r"\bneeds? ", before[-400:]), f"{page.name}:{block.line} does not say what it needs"


def test_lines_that_are_not_run_on_every_page_are_the_readmes():
    """Pages that begin with it are given what it makes, checked already; the README's test builds and checks it."""
    run = [words for block in blocks_of(ROOT / "README.md") for words in block.commands]
    assert ["build", "--out", "archive"] in run
    for name in OF_ANY_ARCHIVE:
        text = (DOCS / "how-to" / f"{name}.md").read_text(encoding="utf-8")
        assert not re.search("urumqi|kuitun", text), f"{name}.md names what only the sample holds"


def test_blocks_that_install_name_files_that_are_there():
    named = re.findall(r"-r (\S+)", " ".join(block.code for page in PAGES for block in blocks_of(page)))
    assert named
    assert all((ROOT / name).is_file() for name in named)


@pytest.mark.slow
@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_every_block_runs(page, tmp_path, cache, sample, whole_archive):
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder, cache, whole_archive if page.stem in OF_ANY_ARCHIVE else sample.archive)
    ran = 0
    for block in blocks_of(page):
        if not block.marks & NOT_RUN:
            try:
                reader.run(block)
            except AssertionError as error:
                pytest.fail(f"{page.relative_to(ROOT)}:{block.line}: {error}", pytrace=False)
            ran += 1
    assert ran


@pytest.mark.parametrize("code", ["glacier-archive build --no-such-option", "glacier-archive trace no --year 2003"])
def test_a_block_that_fails_is_noticed(tmp_path, code):
    folder = tmp_path / "reader"
    folder.mkdir()
    with pytest.raises(AssertionError, match="ended with 2"):
        Reader(folder, tmp_path).run(Block(0, "sh", frozenset(), code))


@pytest.mark.slow
def test_the_readmes_commands_run(tmp_path, cache):
    """Those that need neither a server, a package index nor the real inputs."""
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder, cache)
    (command,) = [line for line in COMMANDS if "pytest" not in line]
    program = re.sub(r"^.*requirements\.lock && \.venv/bin/python cli\.py", "glacier-archive", command)
    reader.run(Block(0, "sh", frozenset(), program))
    printed = reader.printed
    shown, (verdict, *numbers) = re.search(r"```text\n(.*?)```", README, re.DOTALL)[1], printed.splitlines()[:6]
    assert shown.splitlines()[1:] == numbers
    # how many checks and files there are changes often and says nothing of the science
    assert re.sub(r"[\d.]+", "1", shown.splitlines()[0]) == re.sub(r"[\d.]+", "1", verdict)
    # other pages have it done already, and leave it out
    reader.run(Block(0, "sh", frozenset(), "glacier-archive validate archive --quiet"))


# --- Python -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("package", ["pipeline.elevation_change", "pipeline.mass_balance"])
def test_public_names_are_there_and_explained(package):
    module = importlib.import_module(package)
    assert module.__all__ == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name).__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'no_such_name'"):
        module.no_such_name  # noqa: B018 - the look-up itself is tested


def test_importing_the_packages_imports_nothing_heavy():
    code = "import sys, pipeline.elevation_change, pipeline.mass_balance; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"numpy", "pandas", "rasterio", "pydantic", "scipy"} & set(done.stdout.split())


def test_every_name_of_the_api_page_is_there_and_explained():
    names = re.findall(r"^\.\. auto\w+:: (\S+)$", (DOCS / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(names) > 40
    for full in names:
        module, _, name = full.rpartition(".")
        assert getattr(importlib.import_module(module), name).__doc__, full


def test_the_notebook_holds_no_output():
    cells = json.loads((DOCS / "tutorial.ipynb").read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert len(code) > 10
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)


# --- the site -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site():
    """The site as Sphinx builds it, every warning an error, the notebook executed on the way."""

    def build(folder: Path) -> None:
        words = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-d", folder / "doctrees"]
        done = subprocess.run(
            [*words, DOCS, folder / "html"], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
        )
        assert done.returncode == 0, done.stderr

    return made_once("documentation-site", build) / "html"


@dataclass
class Links(HTMLParser):
    """What a page loads, where its links lead, and the names within it."""

    loaded: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag, attrs):
        said = {name: value or "" for name, value in attrs}
        self.names |= {said["id"]} if "id" in said else set()
        if tag == "a" or said.get("rel") in ("next", "prev", "search", "index"):
            self.linked |= {said["href"]} if "href" in said else set()
        else:
            self.loaded |= {said[name] for name in ("src", "href", "data") if name in said}
            self.loaded |= {part.split()[0] for part in said.get("srcset", "").split(",") if part.strip()}


def links_of(page: Path) -> Links:
    found = Links()
    found.feed(page.read_text(encoding="utf-8"))
    return found


@pytest.mark.slow
def test_no_page_or_style_of_the_site_loads_from_elsewhere(site):
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        away = {name for name in links_of(page).loaded if re.match(r"(https?:)?//", name)}
        assert not away, page.name
    for style in site.rglob("*.css"):
        found = re.findall(r"url\(['\"]?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", style.read_text(encoding="utf-8"))
        assert not found, style.name


@pytest.mark.slow
def test_every_link_within_the_site_leads_somewhere(site):
    pages = {page.resolve(): links_of(page) for page in site.rglob("*.html")}
    checked = 0
    for page, links in pages.items():
        for link in links.linked | links.loaded:
            where = urlsplit(link)
            if where.scheme or where.netloc:
                continue
            target = (page.parent / unquote(where.path)).resolve() if where.path else page
            assert target.exists(), f"{page.name}: {link}"
            if where.fragment and target in pages and not where.fragment.startswith("furo"):
                assert unquote(where.fragment) in pages[target].names, f"{page.name}: {link}"
            checked += 1
    assert checked > 1000


@pytest.mark.slow
def test_the_notebook_was_executed(site):
    text = (site / "tutorial.html").read_text(encoding="utf-8")
    assert "38 glaciers, 68.9 km2" in text
    assert text.count("<img") >= 6
    assert "Traceback" not in text


@pytest.mark.slow
def test_equations_are_mathml(site):
    text = (site / "methods.html").read_text(encoding="utf-8")
    assert text.count("<math") > 40
    assert "\\sigma" not in text


@pytest.mark.slow
def test_pages_ask_nothing_and_fit_a_phone(site):
    asked: list[str] = []
    with chromium() as browser:
        for scheme, width in (("light", 1280), ("dark", 390)):
            context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
            page = context.new_page()
            page.on("request", lambda request: asked.append(request.url))
            for name in ("index", "methods", "tutorial", "api", "stac", "how-to/difference"):
                page.goto((site / f"{name}.html").as_uri())
                assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
            context.close()
    assert len(asked) > 12
    assert [address for address in asked if not address.startswith("file:")] == []
