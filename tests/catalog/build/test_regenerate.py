"""Building with a cache: only what changed is computed, the bytes are those of a build without a cache, and neither a
damaged cache nor a failed check is ever believed.

The quick tests put a few small files in the place of products; the slow ones at the end build the sample.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest

import catalog.build.assembly
import catalog.build.fingerprint
from catalog.archive.manifest import list_files, write_manifest
from catalog.build.assembly import Assembly
from catalog.build.cache import Cache
from catalog.build.collection import Collection, CollectionFacts
from catalog.build.definitions import DATASETS, default_definitions
from catalog.build.fingerprint import archive_key, collection_key, software_digest
from catalog.build.order import Order
from catalog.build.production import write_sample
from catalog.build.raw_inputs import input_files
from catalog.build.regeneration import regenerate
from catalog.build.report import BuildReport, FailedBuild, report_to_json
from catalog.checks import CheckResult, Failure, ValidationReport
from catalog.pages.facts import Card
from catalog.pages.search import Searchable
from pipeline.resources import open_resources
from schemas.definition import Bilingual, Definition
from schemas.errors import BadInput
from tests.catalog.build.test_cache import poison
from tests.made.command_line import run
from tests.made.fakes import make_elevation_change_definition, make_mass_balance_definition
from tests.root import ROOT

CHANGE, BALANCE = make_elevation_change_definition(), make_mass_balance_definition()
HEAVY = ("fiona", "frictionless", "geopandas", "matplotlib", "openpyxl", "pandas", "pyarrow", "rasterio", "scipy")


@dataclass(frozen=True)
class Produced:
    """What stands for a computed dataset here."""

    definition: Definition
    inputs: tuple[Any, ...]


@dataclass
class Workshop:
    """The computing half of a build in small: products follow from inputs, definition, address and version."""

    computed: list[str] = field(default_factory=list)
    checked: int = 0
    verdict: Callable[[Path], None] = lambda root: None
    while_computing: Callable[[], None] = lambda: None

    def datasets(self, order: Order, definitions: Sequence[Definition]) -> Any:
        assert order.inputs is not None
        for definition in definitions:
            self.computed.append(definition.id)
            self.while_computing()
            yield Produced(definition, input_files(definition, order.inputs))

    def write_collection(
        self, made: Produced, root: Path, code_version: str, _tell: Any, **_figures: Any
    ) -> Collection:
        folder = root / made.definition.id
        (folder / "tables").mkdir(parents=True)
        told = [made.definition.title.en, code_version, [file.sha256 for file in made.inputs]]
        (folder / "collection.json").write_text(json.dumps(told))
        (folder / "tables" / "numbers.csv").write_text("\n".join(file.sha256 for file in made.inputs))
        nothing = Card(href="", synthetic=False, picture=None, numbers=(), gates=(), count=0, search=Searchable({}, ()))
        title = Bilingual(en=made.definition.title.en)
        facts = CollectionFacts(
            title=title,
            synthetic=False,
            inputs=made.inputs,
            settings={"setting": 1},
            items=("item",),
            card=nothing,
            summary={"mean": 1.5},
            rows=(),
        )
        return Collection(made.definition, facts)

    def write_archive_documents(
        self, root: Path, collections: Sequence[Collection], code_version: str, *, figures: bool
    ) -> None:
        write_manifest(root, collections, code_version, figures=figures)

    def proved(self, assembly: Assembly, root: Path, out: Path, _tell: Any) -> BuildReport:
        self.checked += 1
        self.verdict(root)
        files = list_files(root)
        published = tuple(collection.published() for collection in assembly.collections)
        return BuildReport(
            folder=out,
            collections=published,
            files=len(files),
            size=sum(file.size for file in files),
            checks=("a check",),
            not_checked=(),
            reused=assembly.reused,
        )


@pytest.fixture
def workshop(monkeypatch: pytest.MonkeyPatch) -> Workshop:
    made = Workshop()
    monkeypatch.setattr(Order, "datasets", lambda order, definitions, *_: made.datasets(order, definitions))
    for name in ("write_collection", "write_archive_documents", "proved"):
        monkeypatch.setattr(catalog.build.assembly, name, getattr(made, name))
    return made


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """Raw inputs of both definitions, of a few bytes each."""
    folder = tmp_path / "inputs"
    names = {
        CHANGE.id: ("N43E086.hgt", "later.tif", "outlines.geojson"),
        BALANCE.id: [source.files[0].replace("*", "any") for source in BALANCE.sources],
    }
    for dataset, files in names.items():
        for name in files:
            path = folder / dataset / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{dataset} {name}")
    return folder


@pytest.fixture
def order(inputs: Path) -> Order:
    return Order(definitions=(CHANGE, BALANCE), inputs=inputs, base_url=None, code_version="0.1.0")


def build(order: Order, out: Path, cache: Path | None, told: list[str] | None = None) -> BuildReport:
    with open_resources(1) as resources:
        return regenerate(
            order, out, resources, cache=Cache(cache) if cache else None, tell=(told if told is not None else []).append
        )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- what is computed --------------------------------------------------------------------------------------------


def test_a_second_build_computes_nothing_and_gives_the_same_bytes_and_report(
    workshop: Workshop, order: Order, tmp_path: Path
) -> None:
    first = build(order, tmp_path / "first", tmp_path / "cache")
    assert (workshop.computed, first.reused) == ([CHANGE.id, BALANCE.id], ())
    second = build(order, tmp_path / "second", tmp_path / "cache")
    assert workshop.computed == [CHANGE.id, BALANCE.id]
    assert workshop.checked == 1, "the same bytes passed the checks then"
    assert second.reused == (CHANGE.id, BALANCE.id)
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
    assert replace(second, reused=(), folder=first.folder) == first


def test_without_a_cache_everything_is_computed_and_nothing_kept(
    workshop: Workshop, order: Order, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        build(order, tmp_path / name, None)
    assert workshop.computed == [CHANGE.id, BALANCE.id] * 2
    assert {path.name for path in tmp_path.iterdir()} == {"inputs", "first", "second"}


@pytest.mark.parametrize("touched", [CHANGE, BALANCE], ids=lambda definition: definition.kind)
def test_one_changed_input_computes_its_dataset_alone(
    workshop: Workshop, order: Order, inputs: Path, tmp_path: Path, touched: Definition
) -> None:
    build(order, tmp_path / "first", tmp_path / "cache")
    workshop.computed.clear()
    file = sorted((inputs / touched.id).iterdir())[0]
    file.write_bytes(file.read_bytes()[:-1] + b"!")  # the same length
    report = build(order, tmp_path / "second", tmp_path / "cache")
    assert workshop.computed == [touched.id]
    assert report.reused == tuple(one.id for one in (CHANGE, BALANCE) if one is not touched)
    build(order, tmp_path / "plain", None)
    assert contents(tmp_path / "second") == contents(tmp_path / "plain") != contents(tmp_path / "first")


def test_another_order_of_the_datasets_is_another_archive_of_the_same_collections(
    workshop: Workshop, order: Order, tmp_path: Path
) -> None:
    build(order, tmp_path / "first", tmp_path / "cache")
    report = build(replace(order, definitions=(BALANCE, CHANGE)), tmp_path / "second", tmp_path / "cache")
    assert (len(workshop.computed), workshop.checked, report.reused) == (2, 2, (BALANCE.id, CHANGE.id))


def _reworded(definition: Definition) -> Definition:
    return definition.model_copy(update={"title": Bilingual(en="Another title")})


@pytest.mark.parametrize(
    "change",
    [
        lambda order: replace(order, definitions=tuple(map(_reworded, order.definitions))),
        lambda order: replace(order, code_version="0.2.0"),
    ],
    ids=["definition", "version of the software"],
)
def test_whatever_else_products_depend_on_computes_them_anew(
    workshop: Workshop, order: Order, tmp_path: Path, change: Callable[[Order], Order]
) -> None:
    build(order, tmp_path / "first", tmp_path / "cache")
    workshop.computed.clear()
    build(change(order), tmp_path / "second", tmp_path / "cache")
    assert workshop.computed == [CHANGE.id, BALANCE.id]
    build(change(order), tmp_path / "plain", None)
    assert contents(tmp_path / "second") == contents(tmp_path / "plain")


class _Distribution:
    def __init__(self, name: str, version: str) -> None:
        self.metadata, self.version = {"Name": name}, version


@pytest.mark.parametrize("what", ["code", "library", "environment", "grid", "python"])
def test_another_code_library_setting_or_grid_is_another_software(
    what: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    code, grid = tmp_path / "chain.py", tmp_path / "geoid.tif"
    code.write_text("x = 1\n")
    grid.write_bytes(b"\0" * 8)
    monkeypatch.setattr(catalog.build.fingerprint, "_code_files", lambda: [("pipeline/chain.py", code)])
    monkeypatch.setattr(catalog.build.fingerprint, "_geoid_grids", lambda: [grid])
    libraries = [_Distribution("scipy", "1.15.0")]
    monkeypatch.setattr(catalog.build.fingerprint.metadata, "distributions", lambda: libraries)
    before = software_digest.__wrapped__()
    assert software_digest.__wrapped__() == before
    if what == "code":
        code.write_text("x = 2\n")
    elif what == "library":
        libraries[0].version = "1.15.1"
    elif what == "environment":
        monkeypatch.setenv("PROJ_NETWORK", "ON")
    elif what == "grid":
        grid.write_bytes(b"\1" * 8)
    else:
        monkeypatch.setattr(catalog.build.fingerprint.platform, "python_version", lambda: "3.99.0")
    assert software_digest.__wrapped__() != before
    key = collection_key(CHANGE, None)
    monkeypatch.setattr(catalog.build.fingerprint, "software_digest", lambda: "another")
    assert collection_key(CHANGE, None) != key


def test_inputs_that_change_while_they_are_read_are_not_kept(
    workshop: Workshop, order: Order, inputs: Path, tmp_path: Path
) -> None:
    def touch() -> None:
        (inputs / CHANGE.id / "N43E086.hgt").write_text(f"survey {len(workshop.computed)}")

    workshop.while_computing = touch
    build(order, tmp_path / "first", tmp_path / "cache")
    workshop.while_computing = lambda: None
    workshop.computed.clear()
    (inputs / CHANGE.id / "N43E086.hgt").write_text(f"{CHANGE.id} N43E086.hgt")  # as it was when the build began
    build(order, tmp_path / "second", tmp_path / "cache")
    assert workshop.computed == [CHANGE.id]
    build(order, tmp_path / "plain", None)
    assert contents(tmp_path / "second") == contents(tmp_path / "plain")


# --- a cache that cannot be trusted ------------------------------------------------------------------------------


@pytest.mark.parametrize("part", ["objects", "entries"])
def test_a_damaged_cache_is_told_and_made_good(workshop: Workshop, order: Order, tmp_path: Path, part: str) -> None:
    build(order, tmp_path / "first", tmp_path / "cache")
    for path in (tmp_path / "cache").rglob(f"{part}/**/*"):
        if path.is_file():
            content = bytearray(path.read_bytes())
            content[len(content) // 2] ^= 1
            path.write_bytes(content)
    workshop.computed.clear()
    told: list[str] = []
    report = build(order, tmp_path / "second", tmp_path / "cache", told)
    assert (workshop.computed, report.reused) == ([CHANGE.id, BALANCE.id], ())
    assert len([line for line in told if line.startswith("the cache was damaged")]) == 3  # the whole, and each dataset
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
    build(order, tmp_path / "third", tmp_path / "cache")
    assert len(workshop.computed) == 2
    assert contents(tmp_path / "third") == contents(tmp_path / "first")


def test_a_deleted_cache_costs_a_computation(workshop: Workshop, order: Order, tmp_path: Path) -> None:
    build(order, tmp_path / "first", tmp_path / "cache")
    shutil.rmtree(tmp_path / "cache")
    build(order, tmp_path / "second", tmp_path / "cache")
    assert len(workshop.computed) == 4
    assert contents(tmp_path / "second") == contents(tmp_path / "first")


def test_a_cache_that_cannot_be_written_hinders_no_build(workshop: Workshop, order: Order, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    told: list[str] = []
    build(order, tmp_path / "first", tmp_path / "cache", told)
    assert (tmp_path / "first" / "manifest.json").is_file()
    assert any("not kept for the next build" in line and "--no-cache" in line for line in told)


def test_a_cache_named_by_the_user_must_be_writable(workshop: Workshop, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    done = run("build", "--cache", tmp_path / "cache", "--out", tmp_path / "x", "--quiet")
    assert done.code == 2
    assert "a cache folder that can be written" in done.err
    assert workshop.computed == []


def test_a_cache_within_the_archive_is_refused(workshop: Workshop, order: Order, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"found a cache within the archive; expected a folder elsewhere"):
        build(order, tmp_path / "archive", tmp_path / "archive" / "cache")
    assert workshop.computed == []


def test_what_failed_its_checks_is_never_taken_for_checked(workshop: Workshop, order: Order, tmp_path: Path) -> None:
    def fail(_root: Path) -> None:
        found = Failure("x/tables/numbers.csv", "7", "6")
        raise FailedBuild(ValidationReport("x", (CheckResult("statistics", "numbers add up", (found,)),)))

    workshop.verdict = fail
    for attempt in (1, 2):
        with pytest.raises(FailedBuild, match=r"found 7 \(checks that failed: statistics\)"):
            build(order, tmp_path / "archive", tmp_path / "cache")
        assert workshop.checked == attempt
        assert not (tmp_path / "archive").exists()
    assert workshop.computed == [CHANGE.id, BALANCE.id], "the collections need not be computed again"
    workshop.verdict = lambda root: None
    report = build(order, tmp_path / "archive", tmp_path / "cache")
    assert (workshop.checked, report.reused) == (3, (CHANGE.id, BALANCE.id))


@pytest.mark.parametrize("whole", [True, False], ids=["archive", "collection"])
def test_what_another_kept_is_checked_and_where_it_fails_computed(
    workshop: Workshop, order: Order, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """All checksums fit; only the checks can tell that a number was forged."""
    build(order, tmp_path / "first", tmp_path / "cache")
    keys = order.keys()
    cache = Cache(tmp_path / "cache")
    if whole:
        poison(cache, archive_key(keys), f"{CHANGE.id}/tables/numbers.csv", b"forged")
    else:
        poison(cache, keys[0], "tables/numbers.csv", b"forged")
        cache.drop(archive_key(keys))

    def verdict(root: Path) -> None:
        if (root / CHANGE.id / "tables/numbers.csv").read_bytes() == b"forged":
            found = Failure("numbers.csv", "forged", "6")
            raise FailedBuild(ValidationReport("x", (CheckResult("statistics", "numbers add up", (found,)),)))

    workshop.verdict = verdict
    monkeypatch.setattr(catalog.build.assembly, "prove", lambda root, *_: verdict(root))
    workshop.computed.clear()
    told: list[str] = []
    build(order, tmp_path / "second", tmp_path / "cache", told)
    assert contents(tmp_path / "second") == contents(tmp_path / "first")
    assert any(line.startswith("the cache was damaged") and "pass" in line for line in told)
    assert workshop.computed == ([] if whole else [CHANGE.id])
    checked = workshop.checked
    build(order, tmp_path / "third", tmp_path / "cache")
    assert workshop.checked == checked, "what was made again is one's own"


def test_builds_that_share_a_cache_at_once(workshop: Workshop, order: Order, tmp_path: Path) -> None:
    build(order, tmp_path / "first", None)
    outs = [tmp_path / f"archive-{number}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda out: build(order, out, tmp_path / "cache"), outs))
    expected = contents(tmp_path / "first")
    assert all(contents(out) == expected for out in outs)
    workshop.computed.clear()
    build(order, tmp_path / "last", tmp_path / "cache")
    assert workshop.computed == []


# --- the command -------------------------------------------------------------------------------------------------


def keep_as_the_sample(archive: Path, cache: Path) -> None:
    """Make the cache believe that an archive is what `build` makes of the embedded sample."""
    import cli

    definitions = default_definitions()
    key = archive_key(
        Order(definitions=definitions, inputs=None, base_url=None, code_version=cli.code_version()).keys()
    )
    report = BuildReport(folder=archive, collections=(), files=2, size=7, checks=("a check",), not_checked=())
    Cache(cache).keep(key, archive, report_to_json(report))


def test_what_is_in_the_cache_is_published_without_loading_a_heavy_library(tmp_path: Path) -> None:
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "manifest.json").write_text('{"archive": "glacier-archive", "files": [{"path": "a.txt"}]}')
    (tmp_path / "made" / "a.txt").write_text("content")
    keep_as_the_sample(tmp_path / "made", tmp_path / "cache")
    program = (
        "import sys; import cli; sys.argv = ['x', *sys.argv[1:]]; code = cli.run();"
        "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr); sys.exit(code)"
    )
    arguments = ["build", "--quiet", "--json", "--cache", str(tmp_path / "cache"), "--out", str(tmp_path / "archive")]
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == 2
    assert contents(tmp_path / "archive") == contents(tmp_path / "made")
    loaded = set(json.loads(done.stderr.strip().splitlines()[-1].replace("'", '"')))
    assert "pydantic" in loaded, "the list of modules is none"
    assert loaded & set(HEAVY) == set()


# --- the sample, as its users have it ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real_inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's raw inputs as a user's own."""
    folder = tmp_path_factory.mktemp("sample") / "inputs"
    for definition in default_definitions():
        write_sample(definition, folder)
    return folder


def edit_a_reading(inputs: Path) -> None:
    """Change one cell: an exposed length of one stake by a centimetre."""
    (book,) = inputs.rglob("*.xlsx")
    workbook = openpyxl.load_workbook(book)
    sheet = workbook["readings"]
    heading = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "exposed (cm)")
    cell = sheet.cell(heading.row + 3, heading.column)
    assert isinstance(cell.value, int)
    cell.value += 1
    workbook.save(book)


@pytest.mark.slow
def test_touching_one_stake_reading_computes_the_mass_balance_alone(real_inputs: Path, tmp_path: Path) -> None:
    change, balance = "urumqi-glacier-elevation-change", "kuitun51-glacier-mass-balance"
    cache = ("--cache", tmp_path / "cache")
    common = ("build", "--inputs", real_inputs, "--quiet", "--json")
    first = run(*common, *cache, "--out", tmp_path / "first")
    assert first.code == 0, first.err
    again = run(*common, *cache, "--out", tmp_path / "again")
    assert sorted(json.loads(again.out)["reused"]) == sorted([change, balance])
    assert contents(tmp_path / "again") == contents(tmp_path / "first")

    edit_a_reading(real_inputs)
    touched = run(*common, *cache, "--out", tmp_path / "touched")
    assert touched.code == 0, touched.err
    assert json.loads(touched.out)["reused"] == [change]
    # the balance alone without a cache: the change was computed above, and a build in small is compared whole
    plain = run(*common, DATASETS / f"{balance}.toml", "--no-cache", "--out", tmp_path / "plain")
    assert plain.code == 0, plain.err
    assert json.loads(plain.out)["reused"] == []
    assert contents(tmp_path / "touched" / balance) == contents(tmp_path / "plain" / balance)
    assert contents(tmp_path / "touched" / change) == contents(tmp_path / "first" / change)
    assert contents(tmp_path / "touched" / balance) != contents(tmp_path / "first" / balance)

    # the old archive's values may not be replaced without a new version
    before = contents(tmp_path / "again")
    refused = run(*common, *cache, "--out", tmp_path / "again")
    assert refused.code == 1
    assert f"dataset {balance}" in refused.err
    assert "raise the version in its definition" in refused.err
    assert contents(tmp_path / "again") == before
