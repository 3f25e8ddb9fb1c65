"""What a second build of the sample costs: nothing changed, or one stake reading.

    python benchmarks/rebuild.py [RUNS]

Each run builds into a new folder with an empty cache, then again from that cache, then with one reading of the field
workbook raised by a centimetre; every build is a process of its own. Prints medians, and the ratios to the first build:
the second may take a tenth of it. The floor of the same run is a process that imports the command line and ends.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import openpyxl

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 0.1
SAMPLE = (
    "import sys; from pathlib import Path; from catalog.definitions import default_definitions;"
    "from catalog.production import write_sample;"
    "[write_sample(definition, Path(sys.argv[1])) for definition in default_definitions()]"
)


def seconds(*command: str) -> float:
    """Wall time of one run of a command in the project's folder."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def raise_a_reading(inputs: Path) -> None:
    """One centimetre more of one stake stands out of the ice."""
    (book,) = inputs.rglob("*.xlsx")
    workbook = openpyxl.load_workbook(book)
    sheet = workbook["readings"]
    heading = next(cell for row in sheet.iter_rows() for cell in row if cell.value == "exposed (cm)")
    cell = sheet.cell(heading.row + 3, heading.column)
    cell.value = float(cell.value) + 1
    workbook.save(book)


def one_run(folder: Path) -> tuple[float, float, float, float]:
    """Seconds of the floor, of the first build, of the second, and of one after a touched reading."""
    inputs = folder / "inputs"
    seconds("-c", SAMPLE, str(inputs))
    options = ("cli.py", "build", "--quiet", "--inputs", str(inputs), "--cache", str(folder / "cache"), "--out")
    floor = seconds("cli.py", "--version")
    first, second = (seconds(*options, str(folder / name)) for name in ("first", "second"))
    raise_a_reading(inputs)
    return floor, first, second, seconds(*options, str(folder / "touched"))


def main(runs: int) -> int:
    """Print medians and ratios; 1 where the second build takes too long."""
    rows = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            rows.append(one_run(Path(folder)))
    floor, first, second, touched = (statistics.median(column) for column in zip(*rows, strict=True))
    print(f"first build {first:.1f} s; the same again {second:.2f} s, {second / first:.3f} of it (limit {LIMIT})")
    print(f"one stake reading touched {touched:.1f} s, {touched / first:.2f} of it; starting alone {floor:.2f} s")
    return int(second > LIMIT * first)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
