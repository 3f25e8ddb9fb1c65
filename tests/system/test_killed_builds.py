"""Builds and publications that are killed, find the disk full or a target that cannot be written: the archive that
stood there stays whole, no draft is taken for one, and the next build succeeds."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.archive.layout import is_of_manifest
from catalog.archive.manifest import manifest_of, sha256_of
from catalog.checks import validate
from catalog.publish.lease import LOCK_JSON
from catalog.publish.upload import JOURNAL_JSON
from tests.root import ROOT

pytestmark = pytest.mark.slow

# imports once and forks for each run, so that a run begins at once; {action} is done in the child
ZYGOTE = """
    import os, signal, sys, time
    from pathlib import Path
    {prepare}
    print("ready", flush=True)
    for line in sys.stdin:
        out, seconds = line.rstrip("\\n").split("\\t")
        child = os.fork()
        if child == 0:
            try:
                {action}
            except BaseException as error:
                print(f"{{type(error).__name__}}: {{error}}", file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        begun = time.monotonic()
        while time.monotonic() - begun < float(seconds):
            if os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
            time.sleep(0.001)
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), time.monotonic() - begun, flush=True)
"""
# one small dataset, with a new version of the software; the second of the two takes all of it from a cache
PREPARED = (
    "from catalog.build.cache import Cache; import catalog.build.assembly; "
    "from catalog.build.order import Order; from catalog.build.regeneration import regenerate; "
    "from pipeline.resources import open_resources; "
    "from tests.made.whole_archive import make_datasets, publish_datasets; "
    "sets = make_datasets()[:1]; Order.datasets = lambda *_: iter(sets); "
    "order = Order(definitions=(sets[0].definition,), inputs=None, base_url=None, code_version='0.2.0'); order.keys(); "
    "resources = open_resources(1).__enter__()"
)
BUILDS = (PREPARED, "publish_datasets(sets, Path(out), code_version='0.2.0')")
REBUILDS = (
    PREPARED,
    "regenerate(order, Path(out), resources, cache=Cache(Path(out).parent / 'cache'))",
)
PUBLICATIONS = ("from catalog.publish.upload import publish", "publish(Path(out).parent / 'new', out, workers=2)")


class Runs:
    """Runs of one action in children of a process that has everything loaded; what they say goes into a file."""

    def __init__(self, prepare: str, action: str, said: Path) -> None:
        program = textwrap.dedent(ZYGOTE).format(prepare=prepare, action=action)
        self.said = said
        with said.open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", program], cwd=ROOT, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the runs ended: {self.said.read_text()}")
        return line.strip()

    def run(self, out: Path, seconds: float) -> tuple[int, float]:
        """Exit code (-9 where killed) and duration (s) of a run that is killed after so many seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{out}\t{seconds}\n")
        self.process.stdin.flush()
        code, took = self._line().split()
        assert int(code) in (0, -9), self.said.read_text()
        return int(code), float(took)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def old(change_archive: Path) -> Path:
    """An archive of code version 0.1.0; the killed builds would replace it by one of 0.2.0."""
    return change_archive


@pytest.fixture
def begin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[tuple[str, str]], Runs]]:
    """Begin runs of an action; they end with the test."""
    begun: list[Runs] = []

    def start(kind: tuple[str, str]) -> Runs:
        begun.append(Runs(*kind, tmp_path_factory.mktemp("runs") / "said.txt"))
        return begun[-1]

    yield start
    for runs in begun:
        runs.close()


def version_of(archive: Path, besides: tuple[str, ...] = ()) -> str:
    """The code version of an archive, every file of which agrees with its manifest; ``besides`` may stand there too."""
    manifest = manifest_of(archive)
    assert manifest is not None, f"{archive} is no archive"
    wrong = [
        entry["path"]
        for entry in manifest["files"]
        if not (archive / entry["path"]).is_file() or sha256_of(archive / entry["path"]) != entry["sha256"]
    ]
    assert wrong == []
    present = {path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()}
    products = {path for path in present - set(besides) if not is_of_manifest(path)}
    assert products == {entry["path"] for entry in manifest["files"]}
    return str(manifest["code_version"])


def moments(count: int, whole: float, seed: int) -> list[float]:
    """Random times within a run, a third of them near its end, where the old archive makes way for the new."""
    draw = random.Random(seed)
    return [whole * (draw.uniform(0.85, 1.02) if n % 3 == 0 else draw.random()) for n in range(count)]


@pytest.mark.parametrize(("kind", "count"), [(BUILDS, 20), (REBUILDS, 80)], ids=["computed", "from the cache"])
def test_killed_at_random_moments_a_build_leaves_one_whole_archive(
    begin: Callable[[tuple[str, str]], Runs], old: Path, tmp_path: Path, kind: tuple[str, str], count: int
) -> None:
    runs, out = begin(kind), tmp_path / "archive"
    shutil.copytree(old, out)
    assert runs.run(tmp_path / "elsewhere", 600)[0] == 0
    _, whole = runs.run(tmp_path / "elsewhere", 600)
    killed = 0
    beside = {f".archive.glacier-{kind}" for kind in ("draft", "discarded", "lock")}
    allowed = {"archive", "elsewhere", "cache", *beside}
    for seconds in moments(4 * count, whole, seed=1):
        if killed == count:
            break
        code, _ = runs.run(out, seconds)
        killed += code == -9
        assert {path.name for path in tmp_path.iterdir()} <= allowed
        if version_of(out) == "0.2.0":  # start again from the old one
            shutil.rmtree(out)
            shutil.copytree(old, out)
        else:
            assert code == -9, "a build that was not killed has replaced the archive"
    assert killed == count
    assert runs.run(out, 600)[0] == 0, "the next build must succeed"
    assert version_of(out) == "0.2.0"
    assert {path.name for path in tmp_path.iterdir()} == {"archive", "elsewhere"} | (
        {"cache"} & set(os.listdir(tmp_path))
    )
    assert validate(out).passed


def test_killed_at_100_random_moments_a_publication_can_be_read_and_resumed(
    begin: Callable[[tuple[str, str]], Runs], old: Path, tmp_path: Path
) -> None:
    runs, out = begin(PUBLICATIONS), tmp_path / "copy"
    shutil.copytree(old, tmp_path / "new")
    assert runs.run(tmp_path / "elsewhere", 600)[0] == 0
    shutil.rmtree(tmp_path / "elsewhere")
    _, whole = runs.run(tmp_path / "elsewhere", 600)
    killed = 0
    for seconds in moments(400, whole, seed=2):
        if killed == 100:
            break
        code, _ = runs.run(out, seconds)
        killed += code == -9
        # whatever a catalogue that stands there already links to is there
        if (out / "catalog.json").is_file():
            # the journal goes last: a publication may be killed when all but that is done
            assert version_of(out, (JOURNAL_JSON, LOCK_JSON)) == "0.1.0"
        if code == 0:
            shutil.rmtree(out)
    assert killed == 100
    assert runs.run(out, 600)[0] == 0
    assert validate(out).passed


# --- the command -------------------------------------------------------------------------------------------------

# `build` of two small datasets that says on stderr what it is doing
COMMAND = """
    import sys
    from contextlib import contextmanager
    import cli
    import catalog.build.definitions, catalog.reports.terminal
    from catalog.build.order import Order
    from tests.made.whole_archive import make_datasets

    @contextmanager
    def shown(*_):
        yield lambda message: print(message, file=sys.stderr, flush=True)

    datasets = make_datasets()
    catalog.reports.terminal.progress = shown
    catalog.build.definitions.default_definitions = lambda: tuple(dataset.definition for dataset in datasets)
    Order.datasets = lambda *_: iter(datasets)
    cli.main()
"""
MARK = "GLACIER_TEST_RUN"
# computing, drawing, checking, publishing
MOMENTS = ("writing elevation-change rasters", "writing the balance of", "checking the draft", "publishing")


class Command:
    """``build`` into a folder, caught at a moment; all processes it starts carry a mark."""

    def __init__(self, out: Path, moment: str) -> None:
        self.mark = f"{MARK}={out}"
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(COMMAND), "build", "--no-cache", "--out", str(out)],
            cwd=ROOT, env={**os.environ, MARK: str(out)}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith(moment):
                return
        pytest.fail(f"the build ended without saying {moment!r}")

    def end(self, sign: signal.Signals) -> tuple[int, str]:
        """Exit code and last words after a signal."""
        self.process.send_signal(sign)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said

    def left(self) -> list[str]:
        """Command lines of processes that outlive it by more than half a minute."""
        deadline = time.monotonic() + 30
        while (found := self._marked()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return found

    def _marked(self) -> list[str]:
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    if self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                        found.append((entry / "cmdline").read_text().replace("\0", " ")[:200])
                except OSError:  # it has just ended, or belongs to somebody else
                    continue
        return found


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_command_leaves_no_process_and_the_old_archive(moment: str, old: Path, tmp_path: Path) -> None:
    out = tmp_path / "archive"
    command = Command(out, moment)
    assert command.end(signal.SIGKILL)[0] == -signal.SIGKILL
    assert command.left() == []
    assert not (out / "manifest.json").exists() or validate(out).passed
    # what is left of it is no archive and hinders no other build
    for path in tmp_path.iterdir():
        assert path.name in ("archive", ".archive.glacier-draft", ".archive.glacier-discarded", ".archive.glacier-lock")
    build_here(old, out)
    assert os.listdir(tmp_path) == ["archive"]


@pytest.mark.parametrize("moment", MOMENTS[:3])
def test_ctrl_c_ends_a_build_with_130_and_leaves_nothing(moment: str, tmp_path: Path) -> None:
    command = Command(tmp_path / "archive", moment)
    code, said = command.end(signal.SIGINT)
    assert code == 130
    assert said.splitlines()[-1] == "interrupted"
    assert "Traceback" not in said
    assert os.listdir(tmp_path) == []
    assert command.left() == []


def test_ctrl_c_a_moment_later_leaves_all_of_an_archive_or_nothing(tmp_path: Path) -> None:
    """In the midst of the checks on a slow machine; on a fast one the archive may already stand."""
    command = Command(tmp_path / "archive", "checking the draft")
    time.sleep(0.4)
    code, said = command.end(signal.SIGINT)
    assert "Traceback" not in said
    assert command.left() == []
    if code == 0:
        assert os.listdir(tmp_path) == ["archive"]
        assert validate(tmp_path / "archive").passed
    else:
        assert code == 130
        assert os.listdir(tmp_path) == []


def build_here(old: Path, out: Path) -> None:
    """A next build, in small: it publishes a copy of an archive by a draft."""
    from catalog.archive.draft import open_draft

    with open_draft(out) as draft:
        shutil.copytree(old, draft.folder, dirs_exist_ok=True)
        draft.publish()
    assert version_of(out) == "0.1.0"


# --- the disk ----------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(old: Path, tmp_path: Path) -> Iterator[Path]:
    """A file system with room for two archives and a bit."""
    disk = tmp_path / "disk"
    disk.mkdir()
    pages = sum(path.stat().st_size // 4096 + 1 for path in old.rglob("*"))
    options = f"size={int(2.5 * pages) * 4096}"
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"only an administrator can mount a small disk: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6, 0.9])
def test_a_full_disk_keeps_the_archive_and_says_so(share: float, old: Path, small_disk: Path) -> None:
    """Room for a share of the new archive: the disk is full while rasters, tables, documents or pages are written."""
    from schemas.errors import BadInput
    from tests.made.whole_archive import make_datasets, publish_datasets

    size = sum(path.stat().st_size for path in old.rglob("*") if path.is_file())
    out = Path(shutil.copytree(old, small_disk / "archive"))
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "filler").write_bytes(b"\1" * max(0, free - int(share * size)))
    with pytest.raises(BadInput, match="no space left on the disk") as refusal:
        publish_datasets(make_datasets()[:1], out, code_version="0.2.0")
    assert refusal.value.exit_code == 2
    assert version_of(out) == "0.1.0"
    assert {path.name for path in small_disk.iterdir()} == {"archive", "filler"}
    (small_disk / "filler").unlink()
    build_here(old, out)


def test_a_read_only_file_system_is_refused_before_anything_is_computed(old: Path, small_disk: Path) -> None:
    from catalog.archive.draft import preflight
    from schemas.errors import BadInput

    out = Path(shutil.copytree(old, small_disk / "archive"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        for target in (out, small_disk / "new"):
            with pytest.raises(BadInput, match=r"read-only|not writable"):
                preflight(target)
        assert version_of(out) == "0.1.0"
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
