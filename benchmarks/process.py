"""Whole processes, timed side by side: wall time with all imports, and peak memory."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Run:
    """One run of a process."""

    seconds: float
    peak_mb: float
    output: str


def run(command: Sequence[str | Path]) -> Run:
    """Run a command in the project's folder and wait for it; a failure stops the benchmark."""
    begin = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [str(part) for part in command], cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment
    )
    output = process.stdout.read() if process.stdout else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}")
    return Run(time.perf_counter() - begin, usage.ru_maxrss / 1e3, output)


def interleaved(commands: Mapping[str, Sequence[str | Path]], rounds: int) -> dict[str, list[Run]]:
    """Every command once a round, in turn, so that a noisy machine is noisy for all."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            found[name].append(run(command))
    return found


def median_seconds(runs: Sequence[Run]) -> float:
    """Median wall time."""
    return statistics.median(one.seconds for one in runs)


def peak_mb(runs: Sequence[Run]) -> float:
    """Median peak of the memory, MB."""
    return statistics.median(one.peak_mb for one in runs)


def measure_sides(
    about: str,
    sides: Sequence[int],
    commands: Callable[[int, Path, Path | None], Mapping[str, Sequence[str | Path]]],
    report: Callable[[int, dict[str, list[Run]]], None],
) -> None:
    """The command line of a benchmark of pairs: its commands interleaved on each size that is asked for, and reported.

    Parameters
    ----------
    about : said by --help.
    sides : sizes that are measured when none is asked for, in pixels.
    commands : what is run on a pair of one size in a folder, with the Python of xDEM's environment if there is one.
    report : prints the runs of one size.
    """
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--sides", type=int, nargs="+", default=sides)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--xdem-python", type=Path)
    parser.add_argument("--folder", type=Path, help="where the pairs are kept; a temporary folder when absent")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for side in asked.sides:
            report(side, interleaved(commands(side, folder, asked.xdem_python), asked.rounds))
