"""Time and memory of `cli.py balance` on a network of 500 stakes with 40 years of readings, as a whole process.

    python benchmarks/mass_balance_scale.py [STAKES] [YEARS]

Two runs: on the workbook's own area-altitude table, and on a DEM and outline made for it. Prints wall time and peak
memory beside the limits, and the time of the chain alone, without reading the workbook and writing the results.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# as the command line has it, and before numpy is loaded
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import rasterio
from rasterio.transform import Affine
from shapely.geometry import MultiPoint, mapping

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.mass_balance.chain import mass_balance  # noqa: E402 - the project's folder comes first
from pipeline.mass_balance.fieldwork.read import FieldData, read_field_data  # noqa: E402 - as above
from schemas.settings import MassBalanceSettings  # noqa: E402 - as above
from tests.made.field_workbook import write_big_workbook  # noqa: E402 - as above

LIMIT_S, LIMIT_GB = 30.0, 1.0
PIXEL_M, MARGIN_M = 20.0, 250.0


def write_ground(folder: Path, data: FieldData) -> tuple[Path, Path]:
    """A DEM and outline for a network: the plane through its stakes, and their hull with a margin."""
    stakes = data.stakes
    columns = [stakes[name].to_numpy(float) for name in ("easting", "northing", "elevation_m")]
    plane, *_ = np.linalg.lstsq(np.column_stack([*columns[:2], np.ones(len(stakes))]), columns[2], rcond=None)
    outline = MultiPoint(list(zip(*columns[:2], strict=True))).convex_hull.buffer(MARGIN_M)
    west, south, east, north = outline.buffer(MARGIN_M).bounds
    shape = (int((north - south) / PIXEL_M), int((east - west) / PIXEL_M))
    rows, columns_ = np.indices(shape)
    surface = plane[0] * (west + PIXEL_M * (columns_ + 0.5)) + plane[1] * (north - PIXEL_M * (rows + 0.5)) + plane[2]
    profile = {"driver": "GTiff", "height": shape[0], "width": shape[1], "count": 1, "dtype": "float32"}
    transform = Affine(PIXEL_M, 0, west, 0, -PIXEL_M, north)
    with rasterio.open(folder / "dem.tif", "w", **profile, crs=data.glacier.crs, transform=transform) as target:
        target.write(surface.astype("float32"), 1)
    crs = {"type": "name", "properties": {"name": f"urn:ogc:def:crs:{data.glacier.crs.replace(':', '::')}"}}
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(outline)}
    collection = {"type": "FeatureCollection", "crs": crs, "features": [feature]}
    (folder / "outline.geojson").write_text(json.dumps(collection))
    return folder / "dem.tif", folder / "outline.geojson"


def whole_process(*arguments: str) -> tuple[float, float]:
    """Wall time (s) and peak memory (GB) of one run of the command line."""
    begin = time.perf_counter()
    child = subprocess.Popen([sys.executable, "cli.py", *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"cli.py {' '.join(arguments)} ended with status {status}")
    return time.perf_counter() - begin, usage.ru_maxrss / 1e6


def main(stakes: int, years: int) -> None:
    """Write the inputs, run both ways, and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        workbook = write_big_workbook(folder / "network.xlsx", stakes, years, 1)
        begin = time.perf_counter()
        data = read_field_data(workbook)
        print(f"{stakes} stakes, {years} years, {len(data.readings)} readings: read in", end=" ")
        print(f"{time.perf_counter() - begin:.1f} s")
        dem, outline = write_ground(folder, data)
        for title, ground in (("by zones", {}), ("on a map", {"dem": dem, "outline": outline})):
            begin = time.perf_counter()
            result = mass_balance(data, MassBalanceSettings(), **ground)
            seconds = time.perf_counter() - begin
            known = sum(year.annual_m_we is not None for year in result.years)
            print(f"{title}: chain alone {seconds:.1f} s, {known} of {len(result.years)} years with a balance")
            del result
            options = [part for key, path in ground.items() for part in (f"--{key}", str(path))]
            seconds, memory = whole_process(
                "balance", str(workbook), *options, "--quiet", "--out", f"{name}/{len(ground)}"
            )
            limits = f"limits {LIMIT_S:.0f} s and {LIMIT_GB:.0f} GB"
            print(f"{title}: cli.py balance {seconds:.1f} s, {memory:.2f} GB ({limits})")


if __name__ == "__main__":
    main(*(int(argument) for argument in (sys.argv[1:] or ("500", "40"))))
