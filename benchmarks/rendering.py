"""Time of rendering both sample datasets: everything of a build but the science and the proof.

    python benchmarks/rendering.py

The science is done first and not counted; then products, tables, metadata, STAC documents and pages of each collection
are written in the same process, and the catalogue, front page and manifest above them. Prints wall and processor time
of each stage, and the whole beside its limit. On a busy machine the processor time tells more.
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

from catalog.build.assembly import write_archive_documents, write_collection  # noqa: E402 - the project's folder comes first
from catalog.build.definitions import default_definitions  # noqa: E402 - as above
from catalog.build.production import produce_all  # noqa: E402 - as above
from pipeline.resources import bytes_of, open_resources  # noqa: E402 - as above

LIMIT_S = 10.0
Found = TypeVar("Found")


def timed(seconds: dict[str, tuple[float, float]], name: str, stage: Callable[[], Found]) -> Found:
    """Run a stage and note its wall and processor time under its name."""
    begin, worked = time.perf_counter(), time.process_time()
    found = stage()
    seconds[name] = time.perf_counter() - begin, time.process_time() - worked
    return found


def main() -> None:
    """Do the science, render, and print."""
    seconds: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as name, open_resources(2, None, bytes_of("1GB")) as resources:
        inputs, archive = Path(name) / "inputs", Path(name) / "archive"
        inputs.mkdir()
        archive.mkdir()
        # all of it before the first stage: the datasets are computed side by side
        datasets = list(produce_all(default_definitions(), inputs, resources, synthetic=True))
        collections = [
            timed(seconds, one.definition.id, partial(write_collection, one, archive, None, "benchmark"))
            for one in datasets
        ]
        above = partial(write_archive_documents, archive, collections, None, "benchmark")
        timed(seconds, "catalogue, front page and manifest", above)
    for stage, (wall, processor) in seconds.items():
        print(f"{stage}: {wall:.1f} s, {processor:.1f} s of processor")
    wall, processor = (sum(each) for each in zip(*seconds.values(), strict=True))
    print(f"rendering of both datasets: {wall:.1f} s (limit {LIMIT_S:.0f} s), {processor:.1f} s of processor")


if __name__ == "__main__":
    main()
