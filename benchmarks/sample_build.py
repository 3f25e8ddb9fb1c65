"""Time and memory of the main job: `cli.py build` on the embedded sample, as a whole process.

    python benchmarks/sample_build.py [RUNS]

Prints the median wall time, the peak memory, and the ratio to a floor measured in the same run: Python importing the
libraries that the job needs and doing nothing.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOOR = "import catalog.build.assembly, catalog.build.production"


def seconds(*command: str) -> float:
    """Wall time of one run of a command in the project's folder."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main(runs: int) -> None:
    """Interleave the job and the floor, and print medians."""
    job, floor = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            floor.append(seconds("-c", FLOOR))
            job.append(seconds("cli.py", "build", "--quiet", "--no-cache", "--out", f"{folder}/archive"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    middle, least = statistics.median(job), statistics.median(floor)
    print(f"build of the sample: median {middle:.1f} s of {runs} runs (limit 60 s), peak {peak:.2f} GB (limit 2 GB)")
    print(f"importing alone: median {least:.1f} s; ratio {middle / least:.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
