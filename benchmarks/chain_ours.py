"""One run of our chain: read, co-register on all pixels, correct by curvature, difference, statistics, COG.

python benchmarks/chain_ours.py EARLIER LATER OUT.tif [MEMORY]
"""

from __future__ import annotations

import sys
from pathlib import Path

from catalog.formats.cogs import NODATA, write_cog
from pipeline.elevation_change.differencing.comparison import difference
from pipeline.elevation_change.pairing.observations import Request, observe
from pipeline.resources import bytes_of, open_resources
from schemas.settings import ElevationChangeSettings


def main(earlier: Path, later: Path, out: Path, memory: str = "1GB") -> None:
    """Run the chain and print shift and spread."""
    settings = ElevationChangeSettings()
    with open_resources(memory_bytes=bytes_of(memory)) as resources:
        observed = observe(Request(earlier=earlier, later=later), settings, resources)
        found = difference(observed, settings, resources)
        write_cog(
            out, found.layers.dh, observed.grid, nodata=NODATA, unit="m", resampling="average", tags={},
            description="elevation change, later minus earlier",
        )  # fmt: skip
    shift, after = found.registration.shift, found.statistics["corrected"]
    print(shift.east, shift.north, shift.up, after.nmad_m, after.count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:5])
