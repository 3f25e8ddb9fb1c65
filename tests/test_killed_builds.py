"""Builds and publications that are killed, find the disk full or a target that cannot be written: the archive that
stood there stays whole, no draft is taken for one, and the next build succeeds."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.checks import validate
from catalog.manifest import manifest_of, sha256_of
from tests.whole_archive import build

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow

# imports once and forks for each run, so that a run begins at once; {action} is done in the child
ZYGOTE = """
    import os, signal, sys, time
    from pathlib import Path
    {prepare}
    print("ready", flush=True)
    for line in sys.stdin:
        out, seconds = line.split("\\t")
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


class Runs:
    """Runs of one action in children of a process that has everything loaded."""

    def __init__(self, prepare: str, action: str) -> None:
        program = textwrap.dedent(ZYGOTE).format(prepare=prepare, action=action)
        self.process = subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, error = self.process.communicate()
            pytest.fail(f"the runs ended: {error}")
        return line.strip()

    def run(self, out: Path, seconds: float) -> tuple[int, float]:
        """Exit code (-9 where killed) and duration (s) of a run that is killed after so many seconds."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{out}\t{seconds}\n")
        self.process.stdin.flush()
        code, took = self._line().split()
        return int(code), float(took)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


BUILDS = (
    "from catalog.build import build_archive; from tests.whole_archive import make_datasets; sets = make_datasets()",
    "build_archive(sets, Path(out), code_version='0.2.0')",
)
PUBLICATIONS = (
    "from catalog.publish import publish",
    "publish(Path(out).parent / 'new', out, workers=2)",
)


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of code version 0.1.0; the killed builds would replace it by one of 0.2.0."""
    out = tmp_path_factory.mktemp("old") / "archive"
    build(out)
    return out


@pytest.fixture
def runs(request: pytest.FixtureRequest) -> Iterator[Runs]:
    begun = Runs(*request.param)
    yield begun
    begun.close()


def version_of(archive: Path) -> str:
    """The code version of an archive, every file of which agrees with its manifest."""
    manifest = manifest_of(archive)
    assert manifest is not None, f"{archive} is no archive"
    wrong = [
        entry["path"]
        for entry in manifest["files"]
        if not (archive / entry["path"]).is_file() or sha256_of(archive / entry["path"]) != entry["sha256"]
    ]
    assert wrong == []
    present = {path.relative_to(archive).as_posix() for path in archive.rglob("*") if path.is_file()}
    assert present == {entry["path"] for entry in manifest["files"]} | {"manifest.json"}
    return str(manifest["code_version"])


def moments(count: int, whole: float, seed: int) -> list[float]:
    """Random times within a run, a third of them near its end, where the old archive makes way for the new."""
    draw = random.Random(seed)
    return [whole * (draw.uniform(0.85, 1.02) if n % 3 == 0 else draw.random()) for n in range(count)]


@pytest.mark.parametrize("runs", [BUILDS], indirect=True)
def test_killed_at_100_random_moments_a_build_leaves_one_whole_archive(runs: Runs, old: Path, tmp_path: Path) -> None:
    out = tmp_path / "archive"
    shutil.copytree(old, out)
    code, whole = runs.run(tmp_path / "elsewhere", 600)
    assert code == 0
    killed = 0
    for place, seconds in enumerate(moments(100, whole, seed=1)):
        code, _ = runs.run(out, seconds)
        assert code in (0, -9)
        killed += code == -9
        beside = {path.name for path in tmp_path.iterdir()}
        assert beside <= {"archive", "elsewhere", ".archive.glacier-draft", ".archive.glacier-lock"}
        assert version_of(out) in ("0.1.0", "0.2.0")
        if version_of(out) == "0.2.0":  # start again from the old one
            shutil.rmtree(out)
            shutil.copytree(old, out)
        if place % 25 == 24:
            assert runs.run(out, 600)[0] == 0, "the next build must succeed"
            assert version_of(out) == "0.2.0"
            assert {path.name for path in tmp_path.iterdir()} == {"archive", "elsewhere"}
    assert killed > 50
    assert validate(out).passed


@pytest.mark.parametrize("runs", [PUBLICATIONS], indirect=True)
def test_killed_at_100_random_moments_a_publication_can_be_read_and_resumed(
    runs: Runs, old: Path, tmp_path: Path
) -> None:
    build(tmp_path / "new", synthetic=False)
    code, whole = runs.run(tmp_path / "elsewhere", 600)
    assert code == 0
    out = tmp_path / "copy"
    for seconds in moments(100, whole, seed=2):
        code, _ = runs.run(out, seconds)
        assert code in (0, -9)
        # whatever a catalogue that stands there already links to is there
        if (out / "catalog.json").is_file():
            assert version_of(out) == "0.1.0"
        if code == 0:
            shutil.rmtree(out)
    assert runs.run(out, 600)[0] == 0
    assert validate(out).passed


@pytest.mark.parametrize("seconds", [1.0, 4.0, 9.0, 15.0])
def test_a_killed_command_leaves_no_archive_and_no_process(seconds: float, tmp_path: Path) -> None:
    command = [sys.executable, "cli.py", "build", "--no-cache", "--out", str(tmp_path / "archive")]
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        time.sleep(seconds)
        process.kill()
    assert not (tmp_path / "archive").exists()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and _in_session(process.pid):
        time.sleep(0.2)
    assert _in_session(process.pid) == []


def _in_session(session: int) -> list[int]:
    """Processes that are still in a session."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has just ended
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                found.append(int(entry.name))
    return found


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB, less than two archives."""
    disk = tmp_path / "disk"
    disk.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"only an administrator can mount a small disk: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_keeps_the_archive_and_says_so(old: Path, small_disk: Path) -> None:
    size = sum(path.stat().st_size for path in old.rglob("*") if path.is_file())
    shutil.copytree(old, small_disk / "archive")
    # too little room for the draft, whatever the size of the archive
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "filler").write_bytes(b"\1" * max(0, free - size // 2))
    program = f"{BUILDS[0]}; from pathlib import Path; out = sys.argv[1]; {BUILDS[1]}"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; {program}", str(small_disk / "archive")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "no space left on the disk" in done.stderr
    assert version_of(small_disk / "archive") == "0.1.0"
    assert {path.name for path in small_disk.iterdir()} == {"archive", "filler"}
    (small_disk / "filler").unlink()
    build(small_disk / "archive")
    assert version_of(small_disk / "archive") == "0.1.0"
