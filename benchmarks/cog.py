"""Time, memory and size of writing one large COG: ours beside GDAL's own driver, as whole processes.

    PYTHONPATH=. python benchmarks/cog.py [SIDE] [RUNS]

The raster is a synthetic elevation difference of SIDE x SIDE float32 pixels (6000 when absent), read from a file. The
floor writes it with GDAL's COG driver (DEFLATE, all threads) with and without the floating-point predictor; it neither
rounds nor writes statistics. Ours and both floors take turns; medians of RUNS (3 when absent) runs are printed.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.process import interleaved, median_seconds, peak_mb

OURS = """
import sys
from pathlib import Path
import numpy as np
from rasterio.transform import Affine
from catalog.formats.cogs import write_cog
from pipeline.grid import Grid
values = np.load(sys.argv[1], mmap_mode="r")
grid = Grid("EPSG:32645", Affine(30, 0, 4e5, 0, -30, 4.8e6), values.shape)
write_cog(
    Path(sys.argv[2]), values, grid, nodata=-9999.0, unit="m", description="difference", resampling="average", tags={}
)
print(Path(sys.argv[2]).stat().st_size)
"""
FLOOR = """
import sys
from pathlib import Path
import numpy as np
import rasterio
from rasterio.transform import Affine
values = np.load(sys.argv[1], mmap_mode="r")
profile = {
    "driver": "COG", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32",
    "crs": "EPSG:32645", "transform": Affine(30, 0, 4e5, 0, -30, 4.8e6), "nodata": -9999.0, "compress": "DEFLATE",
    "predictor": sys.argv[3], "num_threads": "ALL_CPUS",
}
with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS"), rasterio.open(sys.argv[2], "w", **profile) as raster:
    raster.write(values, 1)
print(Path(sys.argv[2]).stat().st_size)
"""


def synthetic_difference(path: Path, side: int) -> None:
    """Long waves and white noise of two metres, written row by row."""
    noise = np.random.default_rng(1)
    columns = np.arange(side, dtype=np.float32)
    values = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(side, side))
    for row in range(side):
        wave = np.float32(3 * np.sin(row / 400)) * np.cos(columns / 300)
        values[row] = wave + 2 * noise.standard_normal(side, dtype=np.float32)
    values.flush()


def main(side: int, rounds: int) -> None:
    """Take turns, and print medians."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "difference.npy", Path(folder) / "written.tif"
        synthetic_difference(source, side)
        scripts = {"ours": (OURS, ""), "floor, predictor": (FLOOR, "YES"), "floor, no predictor": (FLOOR, "NO")}
        commands: dict[str, list[str | Path]] = {
            name: [sys.executable, "-c", script, source, target, predictor]
            for name, (script, predictor) in scripts.items()
        }
        found = interleaved(commands, rounds)
    print(f"{side} x {side} float32, medians of {rounds} runs; the peak holds the mapped input")
    for name, runs in found.items():
        size_mb = statistics.median(float(run.output) for run in runs) / 1e6
        print(f"{name:20} {median_seconds(runs):6.2f} s  peak {peak_mb(runs):5.0f} MB  file {size_mb:6.1f} MB")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 6000, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
