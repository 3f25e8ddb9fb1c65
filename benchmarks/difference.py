"""`difference` with everything, without figures, `xdem accuracy` and the floor, interleaved, as whole processes.

    python -m benchmarks.difference [--sides 3000 6000] [--rounds 3] [--xdem-python PATH] [--folder FOLDER]

Ours reads two DEMs and the outlines of glaciers, and does all that the command does: checks, co-registration,
resolution correction, uncertainty, change of every glacier, patch test, rasters, tables and figures. `xdem accuracy`
co-registers (Nuth and Kaab), corrects by maximum curvature and writes its report, without glaciers or uncertainty; it
runs if the Python of an environment with xdem[opt] is given, up to 3000 pixels a side. The floor reads both DEMs,
subtracts and writes one COG with GDAL on all cores.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.pairs import pair_in
from benchmarks.process import ROOT, Run, measure_sides, median_seconds, peak_mb, run

XDEM_UP_TO = 3000


def commands(side: int, folder: Path, xdem_python: Path | None) -> dict[str, list[str | Path]]:
    """What is run on a pair of one size, by name."""
    # in a process of its own: the peak memory of a child counts from that of its parent
    run([sys.executable, "-m", "benchmarks.pairs", folder, str(side)])
    pair = pair_in(folder, side)
    ours = [sys.executable, ROOT / "cli.py", "difference", pair.earlier, pair.later, "--glaciers", pair.outlines, "-q"]
    chosen: dict[str, list[str | Path]] = {
        "floor": [sys.executable, ROOT / "benchmarks" / "chain_floor.py", pair.earlier, pair.later, folder / "out.tif"],
        "difference": [*ours, "--out", folder / "everything"],
        "difference --no-figures": [*ours, "--no-figures", "--out", folder / "no_figures"],
    }
    if xdem_python and side <= XDEM_UP_TO:
        chosen["xdem accuracy"] = [
            xdem_python.parent / "xdem", "accuracy", "--config", _xdem_settings(folder, pair.earlier, pair.later),
        ]  # fmt: skip
    return chosen


def _xdem_settings(folder: Path, earlier: Path, later: Path) -> Path:
    """The settings of `xdem accuracy` for the same two steps; JSON is YAML too."""
    settings = {
        "inputs": {
            "reference_elev": {"path_to_elev": str(later)},
            "to_be_aligned_elev": {"path_to_elev": str(earlier)},
            "sampling_grid": "reference_elev",
        },
        "coregistration": {
            "step_one": {"method": "NuthKaab"},
            "step_two": {"method": "TerrainBias", "extra_information": {"terrain_attribute": "max_curvature"}},
        },
        "outputs": {"level": 1, "path": str(folder / "xdem")},
    }
    path = folder / "xdem.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return path


def report(side: int, runs: dict[str, list[Run]]) -> None:
    """A table of one size."""
    floor = median_seconds(runs["floor"])
    print(f"\n{side} x {side} pixels, medians of {len(runs['floor'])}")
    print(f"{'':26}{'wall':>9}{'of floor':>10}{'peak':>10}")
    for name, own in runs.items():
        seconds = median_seconds(own)
        print(f"{name:26}{seconds:8.2f}s{seconds / floor:10.2f}{peak_mb(own):8.0f}MB", flush=True)


def main() -> None:
    """Measure and print."""
    measure_sides(__doc__.splitlines()[0], [3000, 6000], commands, report)


if __name__ == "__main__":
    main()
