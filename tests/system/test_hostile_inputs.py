"""Files that others made, damaged or meant to harm: a clear refusal or a result, in bounded time and memory.

Nothing may be printed beside the error, left behind, written elsewhere or asked of a server.
"""

from __future__ import annotations

import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from catalog.checks import validate
from pipeline.inputs.undecodable_messages import undecodable_messages_unprinted
from tests.made.command_line import run
from tests.made.synthetic_pairs import fractal, write_dem
from tests.root import ROOT
from tests.system.hostile.archive_cases import HARMS, OUTSIDE
from tests.system.hostile.cases import BOMBS, CASES, ELSEWHERE, source, vrt
from tests.system.hostile.command_readers import COMMAND_READERS
from tests.system.hostile.examine import examine
from tests.system.hostile.readers import ARCHIVE_READERS, READERS, Reader, place

# cases of each reader that the quick tests try; the slow ones try them all
QUICK = 1
# seeds of the damages that once crashed a reader, hung it, or made it print or leave something
FAILED_ONCE = (
    *(f"geotiff:{number}" for number in (0, 2, 6, 13, 1007, 1008, 1019, 1108, 1145, 1226, 1227, 1262, 1399, 5005)),
    *("shapefile.shp:1", "shapefile.shp:11", "shapefile.dbf:0", "shapefile.dbf:7", "shapefile.prj:24"),
    *("geojson:0", "geojson:5", "flatgeobuf:0", "flatgeobuf:4", "shapefile.shp:5221", "zip:5006", "zip:5032"),
)
# the same of commands that take an archive
COMMANDS_FAILED_ONCE = ("serve catalog.json:0", "trace zone_balances.csv:108", "diff elevation_change.tif:18")


def tried(reader: Reader, numbers: range, tmp_path: Path) -> dict[str, str]:
    """What went wrong with each damaged file, by its seed."""
    found = {}
    for number in numbers:
        problem = tried_once(reader, f"{reader.name}:{number}", tmp_path)
        if problem:
            found[f"{reader.name}:{number}"] = problem
    return found


def tried_once(reader: Reader, seed: str, tmp_path: Path) -> str:
    folder = tmp_path / "case"
    folder.mkdir()
    place(reader, folder, seed)
    problem = examine(reader.read, folder)
    shutil.rmtree(folder)
    return problem


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_damaged_files_are_refused_or_read(reader, tmp_path):
    assert tried(reader, range(min(QUICK, reader.cases)), tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.name)
def test_all_damaged_files_are_refused_or_read(reader, tmp_path):
    assert tried(reader, range(QUICK, reader.cases), tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("reader", ARCHIVE_READERS, ids=lambda reader: reader.name)
def test_damaged_archives_are_judged(reader, tmp_path):
    assert tried(reader, range(reader.cases), tmp_path) == {}


@pytest.mark.slow
@pytest.mark.parametrize("reader", COMMAND_READERS, ids=lambda reader: reader.name)
def test_every_command_meets_damaged_archives(reader, tmp_path):
    assert tried(reader, range(reader.cases), tmp_path) == {}


def test_there_are_two_thousand_cases():
    assert (
        sum(reader.cases for reader in (*READERS, *ARCHIVE_READERS, *COMMAND_READERS)) + len(CASES) + len(HARMS) >= 2000
    )


SLOW_SEEDS = [pytest.param(seed, marks=pytest.mark.slow) for seed in COMMANDS_FAILED_ONCE]


@pytest.mark.parametrize("seed", [*FAILED_ONCE, *SLOW_SEEDS])
def test_what_failed_once_does_not_fail_again(seed, tmp_path):
    name = seed.rpartition(":")[0]
    (reader,) = (reader for reader in (*READERS, *COMMAND_READERS) if reader.name == name)
    assert tried_once(reader, seed, tmp_path) == ""


def test_the_same_seed_damages_in_the_same_way(tmp_path):
    for reader in READERS[:4]:
        for folder in ("one", "two"):
            (tmp_path / folder).mkdir(exist_ok=True)
            place(reader, tmp_path / folder, "same")
        assert (tmp_path / "one" / reader.file).read_bytes() == (tmp_path / "two" / reader.file).read_bytes()
        for folder in ("one", "two"):
            shutil.rmtree(tmp_path / folder)


def test_the_examination_finds_what_it_looks_for(tmp_path):
    """An oracle that finds nothing would pass everything."""
    import socket
    import tempfile
    import warnings

    def crash(_: Path) -> None:
        raise KeyError("x")

    for read, told in (
        (crash, "KeyError"),
        (lambda _: os.write(2, b"Warning 1: x"), "printed: Warning 1"),
        (lambda _: print("x"), "printed: x"),
        (lambda _: warnings.warn("odd", UserWarning, stacklevel=1), "warning: odd"),
        (lambda folder: (folder / "left").write_text("x"), "left behind or changed"),
        (lambda _: tempfile.mkdtemp(), "left in the temporary folder"),
        (lambda _: socket.create_connection(("127.0.0.1", 9)), "network used"),
    ):
        assert told in examine(read, tmp_path)
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()


def test_of_messages_that_are_no_text_only_those_of_gdal_are_kept_back(monkeypatch):
    """GDAL quotes a damaged file, rasterio decodes it where nothing can be raised, and Python would print that."""
    broken = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
    shown: list[object] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: shown.append(error))
    monkeypatch.setattr(sys, "unraisablehook", lambda found: shown.append(found.object))
    with undecodable_messages_unprinted():
        sys.excepthook(UnicodeDecodeError, broken, None)
        sys.unraisablehook(SimpleNamespace(object="rasterio._env.log_error", exc_value=broken))
        assert shown == []
        other = KeyError("x")
        sys.excepthook(KeyError, other, None)
        sys.unraisablehook(SimpleNamespace(object="another.place", exc_value=broken))
        sys.unraisablehook(SimpleNamespace(object="rasterio._env.log_error", exc_value=other))
    assert shown == [other, "another.place", "rasterio._env.log_error"]
    sys.excepthook(UnicodeDecodeError, broken, None)
    assert shown[-1] is broken


SLOW_CASES = {
    *("a row number beyond all", "cells at the edge", "merged over and over", "a row that is a tree"),
    *("styles that are a tree", "200 MB of blanks", "a single line of 30 MB", "a row over many lines"),
    *("many empty rows", "entities in UTF-16", "entities in a workbook"),
}
ALL_CASES = [
    pytest.param(case, id=case.name, marks=pytest.mark.slow if case.name in SLOW_CASES else ()) for case in CASES
]


def test_the_slow_cases_are_there():
    assert {case.name for case in CASES} > SLOW_CASES


@pytest.mark.parametrize("case", ALL_CASES)
def test_hostile_file(case, tmp_path):
    path = case.make(tmp_path)
    said: list[str] = []

    def read(_: Path) -> object:
        try:
            return case.read(path)
        except Exception as error:
            said.append(str(error))
            raise

    assert examine(read, tmp_path) == ""
    if case.message is None:
        assert said == []
    else:
        assert re.search(case.message, "\n".join(said)), said


# --- archives of others -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good_archive(change_archive: Path) -> Path:
    return change_archive


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """A server that nobody may ask: its address, and what was asked of it."""
    requests: list[str] = []

    class Server(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x.tif", requests
    server.shutdown()
    thread.join()
    server.server_close()


_opened: list[str] = []
_watching = threading.Event()


def _note_opened(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _watching.is_set():
        _opened.append(str(arguments[0]))


sys.addaudithook(_note_opened)  # there is no way to take it away again; it is idle outside of the tests below


@pytest.mark.slow
@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.name)
def test_hostile_archive(harm, good_archive, asked, tmp_path):
    address, requests = asked
    archive = tmp_path / "archive"
    shutil.copytree(good_archive, archive)
    (tmp_path / OUTSIDE).write_text('{"archive": "glacier-archive", "secret": "open sesame"}', encoding="utf-8")
    harm.do(archive, address)
    reports = []
    _opened.clear()
    _watching.set()
    try:
        problem = examine(lambda folder: reports.append(validate(archive)), tmp_path)
    finally:
        _watching.clear()
    assert problem == ""
    (report,) = reports
    assert harm.check in report.failed_checks()
    assert requests == []
    assert not [name for name in _opened if name.endswith((OUTSIDE, "/etc/hostname"))]
    assert "sesame" not in "\n".join(report.lines())


@pytest.mark.slow
def test_a_comparison_asks_no_server(good_archive, asked, tmp_path):
    address, requests = asked
    archive = tmp_path / "archive"
    shutil.copytree(good_archive, archive)
    next(harm for harm in HARMS if harm.name == "a raster that is a list of addresses").do(archive, address)
    for old, new in ((good_archive, archive), (archive, good_archive)):
        done = run("diff", old, new)
        assert done.code == 2
        assert "an archive that cannot be read" in done.err
    assert requests == []


def test_a_vrt_asks_no_server(asked, tmp_path):
    """Not even while GDAL finds out what it is."""
    address, requests = asked
    write_dem(tmp_path / "later.tif", fractal((30, 40)))
    for name in (address, f"/vsicurl/{address}"):
        path = vrt(source(name))(tmp_path)
        done = run("difference", path, tmp_path / "later.tif", "--out", tmp_path / "out")
        assert done.code == 2
        assert "found no plain file" in done.err
    assert requests == []
    assert address != ELSEWHERE


# --- through the command line -------------------------------------------------------------------------------------


def command(kind: str, path: Path, folder: Path) -> list[object]:
    out = ["--out", folder / "out", "--quiet"]
    if kind == "balance":
        return ["balance", path, *out]
    earlier = path
    if kind == "difference --glaciers":
        earlier = write_dem(folder / "earlier.tif", fractal((60, 50)))
        out += ["--glaciers", path]
    later = write_dem(folder / "later.tif", fractal((60, 50), seed=2))
    return ["difference", earlier, later, *out]


def in_limits(*arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, with the limits that ``tests.system.hostile.limited`` states."""
    command_line = [sys.executable, "-m", "tests.system.hostile.limited", *map(str, arguments)]
    return subprocess.run(command_line, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def assert_refused(done: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert done.returncode == 2, done.stderr[-2000:]
    lines = done.stderr.splitlines()
    assert lines
    for line in lines:
        assert line.startswith("error: "), done.stderr
        assert ": found " in line
        assert "; expected " in line
    assert done.stdout == ""
    assert not (folder / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "make", "kind"), BOMBS, ids=[name for name, _, _ in BOMBS])
def test_a_bomb_stays_small(name, make, kind, tmp_path):
    done = in_limits(*command(kind, make(tmp_path), tmp_path))
    if name == "sheet":  # nothing but many cells, which are read
        assert done.returncode == 0
        assert "on the input are listed in tables/input_notes.csv" in done.stderr
        assert len(done.stderr.splitlines()) == 1
    else:
        assert_refused(done, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "seed", ["geotiff:6", "geotiff:1019", "hgt.gz:1", "zip:3", "xlsx:4", "xls:2", "csv readings:1"]
)
def test_a_damaged_file_ends_the_command_well(seed, tmp_path):
    name = seed.rpartition(":")[0]
    (reader,) = (reader for reader in READERS if reader.name == name)
    place(reader, tmp_path, seed)
    path = tmp_path / reader.file
    kind = "balance" if name.startswith(("xls", "csv")) else "difference"
    done = in_limits(*command(kind, path if path.suffix != ".csv" else path.parent, tmp_path))
    assert done.returncode in (0, 2), done.stderr[-2000:]
    if done.returncode == 2:
        assert_refused(done, tmp_path)
    else:
        assert done.stderr == ""
