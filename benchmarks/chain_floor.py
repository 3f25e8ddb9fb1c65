"""The floor of the chain: read both rasters, subtract, write the COG with GDAL on all cores.

python benchmarks/chain_floor.py EARLIER LATER OUT.tif
"""

from __future__ import annotations

import sys
from pathlib import Path

import rasterio
from rasterio.io import MemoryFile
from rasterio.shutil import copy


def main(earlier: Path, later: Path, out: Path) -> None:
    """Subtract where they stand."""
    with rasterio.Env(GDAL_NUM_THREADS="ALL_CPUS"):
        with rasterio.open(later) as source:
            difference, profile = source.read(1), source.profile
        with rasterio.open(earlier) as source:
            difference -= source.read(1)
        plain = {name: profile[name] for name in ("driver", "height", "width", "count", "dtype", "crs", "transform")}
        with MemoryFile() as memory:
            with memory.open(**plain, nodata=-9999.0) as target:
                target.write(difference, 1)
            with memory.open() as source:
                copy(source, out, driver="COG", compress="DEFLATE", predictor="YES", num_threads="ALL_CPUS")


if __name__ == "__main__":
    main(*(Path(part) for part in sys.argv[1:4]))
