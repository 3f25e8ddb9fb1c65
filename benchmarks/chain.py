"""Our chain, xDEM's and the floor on synthetic pairs, interleaved, as whole processes with imports.

    python benchmarks/chain.py [--sides 1000 3000 6000] [--rounds 3] [--xdem-python PATH] [--folder FOLDER]

Prints for every size the median wall time, the peak memory, the ratios, and how far the shift is from the truth. At
12000 pixels a side only ours and the floor run, ours also with 400 MB. xDEM runs if its environment's Python is given.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.pairs import PIXEL_M, SHIFT_EAST_M, SHIFT_NORTH_M, pair_in
from benchmarks.process import ROOT, Run, measure_sides, median_seconds, peak_mb, run

XDEM_UP_TO, XDEM_ALL_UP_TO = 6000, 6000
SMALL_MEMORY, SMALL_MEMORY_FROM = "400MB", 12000


def commands(side: int, folder: Path, xdem_python: Path | None) -> dict[str, list[str | Path]]:
    """What is run on a pair of one size, by name."""
    # in a process of its own: the peak memory of a child counts from that of its parent
    run([sys.executable, "-m", "benchmarks.pairs", folder, str(side)])
    pair = pair_in(folder, side)
    files = [pair.earlier, pair.later, folder / "out.tif"]
    scripts = ROOT / "benchmarks"
    found: dict[str, list[str | Path]] = {
        "ours": [sys.executable, scripts / "chain_ours.py", *files],
        "floor": [sys.executable, scripts / "chain_floor.py", *files],
    }
    if side >= SMALL_MEMORY_FROM:
        found[f"ours, {SMALL_MEMORY}"] = [*found["ours"], SMALL_MEMORY]
    if xdem_python and side <= XDEM_UP_TO:
        found["xDEM, default subsample"] = [xdem_python, scripts / "chain_xdem.py", *files, "default"]
    if xdem_python and side <= XDEM_ALL_UP_TO:
        found["xDEM, all pixels"] = [xdem_python, scripts / "chain_xdem.py", *files, "all"]
    return found


def report(side: int, runs: dict[str, list[Run]]) -> None:
    """A table of one size."""
    ours, floor = median_seconds(runs["ours"]), median_seconds(runs["floor"])
    print(f"\n{side} x {side} pixels, medians of {len(runs['ours'])}; ours {ours / floor:.2f} times the floor")
    print(f"{'':26}{'wall':>9}{'of ours':>9}{'peak':>10}{'of ours':>9}{'shift error':>22}")
    for name, found in runs.items():
        seconds, peak = median_seconds(found), peak_mb(found)
        print(
            f"{name:26}{seconds:8.2f}s{seconds / ours:9.1f}{peak:8.0f}MB{peak / peak_mb(runs['ours']):9.1f}"
            f"{shift_error(found[0].output):>22}"
        )


def shift_error(output: str) -> str:
    """How far a printed shift is from the truth, in pixels."""
    if not output.strip():
        return ""
    east, north = (float(part) for part in output.split()[:2])
    return f"{(east - SHIFT_EAST_M) / PIXEL_M:+.4f}, {(north - SHIFT_NORTH_M) / PIXEL_M:+.4f} px"


def main() -> None:
    """Measure and print."""
    measure_sides(__doc__.splitlines()[0], [1000, 3000, 6000], commands, report)


if __name__ == "__main__":
    main()
