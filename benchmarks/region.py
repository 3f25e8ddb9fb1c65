"""A region of many one-degree tiles on a local Dask cluster: pixels per second, and the memory of each worker.

    python benchmarks/region.py [--tiles 40] [--side 3600] [--workers 2] [--memory 1GB]

Every tile's pair is made by the worker that differences it, when its turn comes, and is gone afterwards. The time of
making the pairs is taken out of the rate. The whole Tianshan is some 140 tiles at one arc second.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.pairs import PIXEL_M, SHIFT_EAST_M, SHIFT_NORTH_M, make_pair
from pipeline.blocks import Runner
from pipeline.elevation_change.chain import elevation_change
from pipeline.resources import bytes_of, open_resources
from schemas.settings import ElevationChangeSettings

TIANSHAN_TILES, TIANSHAN_SIDE = 140, 3600


@dataclass(frozen=True, kw_only=True)
class TileDone:
    """What came back of one tile."""

    tile: int
    shift_error_pixels: float
    nmad_m: float
    seconds: float
    peak_before_mb: float
    peak_mb: float


def difference_of_tile(side: int, memory_bytes: int, tile: int) -> TileDone:
    """Make a tile's pair and run the whole chain on it, uncertainty included, on one thread."""
    with tempfile.TemporaryDirectory() as folder:
        pair = make_pair(Path(folder), side, seed=tile + 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        begin = time.perf_counter()
        with open_resources(1, memory_bytes=memory_bytes) as resources:
            found = elevation_change(pair.earlier, pair.later, ElevationChangeSettings(), resources=resources)
        seconds = time.perf_counter() - begin
    error = np.hypot(found.shift_m.east - SHIFT_EAST_M, found.shift_m.north - SHIFT_NORTH_M) / PIXEL_M
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    return TileDone(
        tile=tile,
        shift_error_pixels=float(error),
        nmad_m=found.after.nmad_m,
        seconds=seconds,
        peak_before_mb=before,
        peak_mb=peak,
    )


def main() -> None:
    """Run the tiles and print."""
    from distributed import Client, LocalCluster

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiles", type=int, default=40)
    parser.add_argument("--side", type=int, default=3600)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="1GB")
    asked = parser.parse_args()
    memory = bytes_of(asked.memory)
    function = partial(difference_of_tile, asked.side, memory)
    with (
        LocalCluster(n_workers=asked.workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        runner = Runner(client.get_executor(pure=False, retries=5), asked.workers)
        done = []
        for tile in runner.map(function, range(asked.tiles)):
            done.append(tile)
            print(
                f"tile {tile.tile + 1:3d}  {tile.seconds:6.1f} s  NMAD {tile.nmad_m:.2f} m  "
                f"shift error {tile.shift_error_pixels:.4f} pixel  peak {tile.peak_mb:.0f} MB", flush=True,
            )  # fmt: skip
    seconds = sum(tile.seconds for tile in done) / asked.workers
    rate = asked.tiles * asked.side**2 / seconds
    whole = TIANSHAN_TILES * TIANSHAN_SIDE**2 / rate
    print(f"{asked.tiles} tiles of {asked.side} x {asked.side} pixels on {asked.workers} workers")
    print(f"{rate / 1e6:.2f} million pixels per second with uncertainty; peak {max(t.peak_mb for t in done):.0f} MB")
    print(f"(making the pairs alone took up to {max(t.peak_before_mb for t in done):.0f} MB)")
    print(f"worst shift error {max(t.shift_error_pixels for t in done):.4f} pixel")
    print(f"the whole Tianshan, {TIANSHAN_TILES} tiles at 1 arc second: {whole / 60:.0f} minutes on these workers")


if __name__ == "__main__":
    main()
