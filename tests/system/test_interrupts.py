"""Ctrl-C and a request to end: a command stops at once, says one line, and leaves nothing that hinders the next."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from catalog.archive.draft import open_draft
from catalog.checks import validate
from catalog.fetch.plan import STAC_SCHEMAS
from catalog.publish.upload import publish
from pipeline.worker_threads import worker_threads
from schemas.errors import BadInput
from tests.made import field_workbook, tiny_archive
from tests.made.synthetic_pairs import fractal, write_dem
from tests.root import ROOT
from tests.system.misbehaving_server import Behaviour, running_server, stalled

# far beyond what any of them takes, far below what each would go on for
SOON_S = 60
SAID = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}


# --- the parts ---------------------------------------------------------------------------------------------------


def test_nobody_waits_for_threads_after_ctrl_c() -> None:
    release, begun, second = threading.Event(), threading.Event(), []
    with suppress(KeyboardInterrupt), worker_threads(1) as pool:
        running = pool.submit(lambda: (begun.set(), release.wait(SOON_S)))
        waiting = pool.submit(second.append, 1)
        begun.wait(SOON_S)
        raise KeyboardInterrupt
    assert not running.done()
    assert waiting.cancelled()
    release.set()
    running.result(SOON_S)
    assert second == []


def test_after_an_error_what_has_begun_is_waited_for_and_the_rest_dropped() -> None:
    begun, first, second = threading.Event(), [], []

    def work() -> None:
        begun.set()
        stopped.wait(0.2)
        first.append(1)

    stopped = threading.Event()
    with suppress(BadInput), worker_threads(1) as pool:
        pool.submit(work)
        pool.submit(second.append, 1)
        begun.wait(SOON_S)
        raise BadInput("a file", "this", "that")
    assert (first, second) == ([1], [])


def test_threads_that_are_left_in_peace_finish_all_their_work() -> None:
    done: list[int] = []
    with worker_threads(2) as pool:
        for number in range(20):
            pool.submit(done.append, number)
    assert sorted(done) == list(range(20))


def test_a_draft_goes_while_a_thread_still_writes_into_it(tmp_path: Path) -> None:
    """The thread finds its folder gone; nothing that it wrote is left, and nothing hinders the removal."""
    written, failures = threading.Event(), []

    def write(folder: Path) -> None:
        try:
            for number in range(1_000_000):
                (folder / f"{number}.txt").write_text("x" * 100)
                if number == 500:
                    written.set()
        except FileNotFoundError as error:
            failures.append(error)

    with suppress(KeyboardInterrupt), open_draft(tmp_path / "archive") as draft:
        thread = threading.Thread(target=write, args=(draft.folder,))
        thread.start()
        assert written.wait(SOON_S)
        raise KeyboardInterrupt
    thread.join(SOON_S)
    assert len(failures) == 1
    assert os.listdir(tmp_path) == []


def test_a_draft_that_was_being_discarded_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".archive.glacier-discarded/archive"
    left.mkdir(parents=True)
    (left / "half.txt").write_text("x")
    with open_draft(tmp_path / "archive"):
        assert not left.exists()
    assert os.listdir(tmp_path) == []


# --- the commands ------------------------------------------------------------------------------------------------

# the command line, saying on stderr what it does
COMMAND = """
    import sys
    from contextlib import contextmanager
    import cli
    import catalog.reports.terminal

    @contextmanager
    def shown(quiet, known=None):
        yield lambda message: print("now", message, file=sys.stderr, flush=True)

    catalog.reports.terminal.progress = shown
    cli.main()
"""


@contextmanager
def command(scratch: Path, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """The command line in a process of its own, with a folder for what it puts aside."""
    scratch.mkdir(exist_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(COMMAND), *map(str, arguments)],
        cwd=ROOT, env={**os.environ, "TMPDIR": str(scratch)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def await_line(process: subprocess.Popen[str], begin: str) -> None:
    """Read what a command says until a line begins so."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith(begin):
            return
    pytest.fail(f"the command ended without saying {begin!r}")


def stopped(process: subprocess.Popen[str], how: signal.Signals) -> None:
    """Ask it to end, and find that it does, with its code and one line."""
    process.send_signal(how)
    _, said = process.communicate(timeout=SOON_S)
    code, word = SAID[how]
    assert process.returncode == code, said
    assert [line for line in said.splitlines() if not line.startswith("now ")] == [word]


@pytest.mark.slow
@pytest.mark.parametrize("how", SAID)
@pytest.mark.parametrize("moment", ["now ", "now Writing the results"])
def test_a_difference_that_is_stopped_leaves_nothing(how: signal.Signals, moment: str, tmp_path: Path) -> None:
    write_dem(tmp_path / "earlier.tif", fractal((190, 240), shift=(0.3, 0.2)))
    write_dem(tmp_path / "later.tif", fractal((190, 240)))
    out = tmp_path / "out"
    out.mkdir()
    dems = (tmp_path / "earlier.tif", tmp_path / "later.tif")
    with command(tmp_path / "scratch", "difference", *dems, "--out", out / "change") as process:
        await_line(process, moment)
        stopped(process, how)
    assert os.listdir(out) == os.listdir(tmp_path / "scratch") == []


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["now Reading", "now Writing the results"])
def test_a_balance_that_is_stopped_leaves_nothing(moment: str, tmp_path: Path) -> None:
    source = field_workbook.write_workbook(tmp_path / "field.xlsx", field_workbook.sheets())
    out = tmp_path / "out"
    out.mkdir()
    with command(tmp_path / "scratch", "balance", source, "--out", out / "balance") as process:
        await_line(process, moment)
        stopped(process, signal.SIGINT)
    assert os.listdir(out) == os.listdir(tmp_path / "scratch") == []


@pytest.mark.slow
@pytest.mark.parametrize("how", SAID)
def test_a_validation_that_is_stopped_leaves_nothing(how: signal.Signals, whole_archive: Path, tmp_path: Path) -> None:
    with command(tmp_path / "scratch", "validate", whole_archive) as process:
        await_line(process, "now checking")
        stopped(process, how)
    assert os.listdir(tmp_path / "scratch") == []


@pytest.mark.slow
@pytest.mark.parametrize("how", SAID)
def test_a_publication_that_is_stopped_is_resumed(how: signal.Signals, whole_archive: Path, tmp_path: Path) -> None:
    with command(tmp_path / "scratch", "publish", whole_archive, tmp_path / "copy") as process:
        await_line(process, "now data")
        stopped(process, how)
    assert not (tmp_path / "copy/catalog.json").exists()
    publish(whole_archive, str(tmp_path / "copy"))
    assert validate(tmp_path / "copy").passed


@pytest.mark.slow
@pytest.mark.parametrize("how", SAID)
def test_a_server_stops_though_a_client_has_not_taken_its_file_yet(how: signal.Signals, tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    tiny_archive.write_archive(archive, raster=False)
    with (archive / "large.tif").open("wb") as file:
        file.truncate(200_000_000)
    tiny_archive.write_manifest(archive)
    with command(tmp_path / "scratch", "serve", archive, "--port", 0) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        port = int(lines[0].rsplit(":", 1)[1].strip().rstrip("/"))
        with socket.create_connection(("127.0.0.1", port), timeout=SOON_S) as client:
            client.sendall(b"GET /large.tif HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(1000).startswith(b"HTTP/1.1 200")
            stopped(process, how)


@pytest.mark.slow
def test_a_fetch_stops_though_the_server_keeps_silent(tmp_path: Path) -> None:
    with running_server() as server:
        for name in STAC_SCHEMAS:
            server.paths[f"/{name}"] = Behaviour(troubles=[stalled(10 * SOON_S)])
        arguments = (
            "fetch",
            "schemas",
            "--dry-run",
            "--to",
            tmp_path / "to",
            "--mirror",
            f"stac={server.base}/{{name}}",
        )
        with command(tmp_path / "scratch", *arguments) as process:
            while process.poll() is None and not server.asked:
                time.sleep(0.02)
            stopped(process, signal.SIGINT)
    assert not (tmp_path / "to").exists()
