"""Whole processes, timed side by side: wall time with all imports, and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
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
