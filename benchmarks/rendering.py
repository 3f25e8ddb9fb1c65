"""Time of rendering both sample datasets: everything of a build but the science and the proof.

    python benchmarks/rendering.py

The science is done first and not counted; then products, tables, metadata, the STAC catalogue, the pages and the
manifest are written in the same process. Prints the wall time of each stage, and the whole beside its limit.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from catalog.build import write_collection  # noqa: E402 - the project's folder comes first
from catalog.definitions import default_definitions  # noqa: E402 - as above
from catalog.manifest import write_manifest  # noqa: E402 - as above
from catalog.pages import write_pages  # noqa: E402 - as above
from catalog.production import produce_all  # noqa: E402 - as above
from catalog.stac import write_stac  # noqa: E402 - as above
from pipeline.resources import bytes_of, open_resources  # noqa: E402 - as above

LIMIT_S = 10.0
Found = TypeVar("Found")


def timed(seconds: dict[str, float], name: str, stage: Callable[[], Found]) -> Found:
    """Run a stage and add its wall time under its name."""
    begin = time.perf_counter()
    found = stage()
    seconds[name] = time.perf_counter() - begin
    return found


def main() -> None:
    """Do the science, render, and print."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, open_resources(2, None, bytes_of("1GB")) as resources:
        inputs, archive = Path(name) / "inputs", Path(name) / "archive"
        inputs.mkdir()
        archive.mkdir()
        datasets = produce_all(default_definitions(), inputs, resources, synthetic=True)
        written = [
            (one, timed(seconds, one.definition.id, partial(write_collection, one, archive))) for one in datasets
        ]
        timed(seconds, "STAC catalogue", partial(write_stac, archive, written, None))
        timed(seconds, "pages", partial(write_pages, archive, written))
        timed(seconds, "manifest", partial(write_manifest, archive, datasets, "benchmark", None))
    for stage, spent in seconds.items():
        print(f"{stage}: {spent:.1f} s")
    print(f"rendering of both datasets: {sum(seconds.values()):.1f} s (limit {LIMIT_S:.0f} s)")


if __name__ == "__main__":
    main()
