"""What a second build of the sample costs: nothing changed, one stake reading touched, or the cache deleted.

    python -m benchmarks.rebuild [RUNS]

Each run builds into a new folder with an empty cache, the same again from that cache, then with one reading of the
field workbook raised by a centimetre, then once more after the cache was deleted; every build is a process of its own.
The floor of the same run copies the archive's files and does nothing else. Each step is told as it ends, on stderr; the
medians follow on stdout. No other tool builds such an archive: there is no peer.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import openpyxl

from benchmarks.process import run

LIMIT = 0.1
SAMPLE = (
    "import sys; from pathlib import Path; from catalog.build.definitions import default_definitions;"
    "from catalog.build.production import write_sample;"
    "[write_sample(definition, Path(sys.argv[1])) for definition in default_definitions()]"
)
STEPS = ("floor: copying the archive", "first build", "the same again", "one stake reading touched", "cache deleted")


def seconds(step: str, *command: str) -> float:
    """Wall time of one process."""
    taken = run([sys.executable, *command]).seconds
    print(f"{step}: {taken:.2f} s", file=sys.stderr, flush=True)
    return taken


def seconds_of_copying(archive: Path, target: Path) -> float:
    """Wall time of copying every file of the archive."""
    begin = time.perf_counter()
    shutil.copytree(archive, target)
    taken = time.perf_counter() - begin
    print(f"{STEPS[0]}: {taken:.2f} s", file=sys.stderr, flush=True)
    return taken


def raise_a_reading(inputs: Path) -> None:
    """One centimetre more of one stake stands out of the ice."""
    (book,) = inputs.rglob("*.xlsx")
    workbook = openpyxl.load_workbook(book)
    sheet = workbook["readings"]
    heading = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "exposed (cm)")
    cell = sheet.cell(heading.row + 3, heading.column)
    cell.value = float(str(cell.value)) + 1
    workbook.save(book)


def computed_again(before: Path, after: Path) -> set[str]:
    """Collections of which any file differs between two archives."""
    files = (json.loads((root / "manifest.json").read_text(encoding="utf-8"))["files"] for root in (before, after))
    old, new = ({entry["path"]: entry["sha256"] for entry in listed} for listed in files)
    return {path.partition("/")[0] for path in {*old, *new} if "/" in path and old.get(path) != new.get(path)}


def one_run(folder: Path) -> tuple[float, ...]:
    """Seconds of ``STEPS``; stops where a build gives other bytes than it should."""
    inputs, cache, first = folder / "inputs", folder / "cache", folder / "first"
    run([sys.executable, "-c", SAMPLE, inputs])
    build = ("cli.py", "build", "--quiet", "--inputs", str(inputs), "--cache", str(cache), "--out")
    built = [
        seconds(step, *build, str(folder / name)) for step, name in zip(STEPS[1:3], ("first", "again"), strict=True)
    ]
    floor = seconds_of_copying(first, folder / "copy")
    reading = folder / "workbook.xlsx"
    (book,) = inputs.rglob("*.xlsx")
    shutil.copy2(book, reading)
    raise_a_reading(inputs)
    built.append(seconds(STEPS[3], *build, str(folder / "touched")))
    shutil.copy2(reading, book)
    shutil.rmtree(cache)
    built.append(seconds(STEPS[4], *build, str(folder / "anew")))
    if computed_again(first, folder / "again") or computed_again(first, folder / "anew"):
        raise SystemExit("the same inputs gave other bytes")
    if len(computed_again(first, folder / "touched")) != 1:
        raise SystemExit("a touched reading changed more than one collection")
    return floor, *built


def main(runs: int) -> int:
    """Print medians and ratios; 1 where the second build takes too long."""
    rows = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(one_run(Path(folder)))
    medians = [statistics.median(column) for column in zip(*rows, strict=True)]
    first, again = medians[1], medians[2]
    for step, median in zip(STEPS, medians, strict=True):
        print(f"{step}: {median:.2f} s, {median / first:.3f} of the first build")
    print(f"limit of the second build: {LIMIT} of the first")
    return int(again > LIMIT * first)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1))
