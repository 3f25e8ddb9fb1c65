"""Processor time and memory of `cli.py balance` on large surveys, as whole processes, beside those of an earlier state.

    python benchmarks/mass_balance_scale.py [--stakes N] [--years N] [--before CHECKOUT] [--rounds N]

Three surveys: a network of 500 stakes with 40 years of readings on the workbook's own area-altitude table, the same on
a DEM and outline made for it, and one winter of 10 000 probings on that ground (of 5000 for the earlier state). Each
round runs every survey in both checkouts in turn, so that a noisy machine is noisy for both.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import astuple, dataclass
from pathlib import Path

# as the command line has it, and before numpy is loaded
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import rasterio
from rasterio.transform import Affine
from shapely.geometry import MultiPoint, mapping

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from pipeline.mass_balance.fieldwork.read import (  # noqa: E402 - the project's folder comes first
    FieldData,
    read_field_data,
)
from tests.made.field_workbook import write_big_workbook  # noqa: E402 - as above

PIXEL_M, MARGIN_M = 20.0, 250.0
# of this state, and of the earlier one
PROBINGS = (10_000, 5_000)


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


def write_probings(folder: Path, count: int) -> Path:
    """A winter of probings on the ground of the network, with four pits and a dozen stakes read in two autumns."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    along, across = rng.uniform(0.05, 0.95, count) * 24_000, rng.uniform(-0.4, 0.4, count) * 3_000
    deep = 1.0 + 0.001 * 0.07 * along + rng.normal(0.0, 0.15, count)
    stakes = [(f"S{number}", 500_000 + (number % 3 - 1) * 800, 1_500 + 1_900 * number) for number in range(12)]
    pits = [(f"P{number}", 3_000 + 6_000 * number) for number in range(4)]
    tables = {
        "glacier": [["glacier_id", "glacier_name", "longitude", "latitude", "crs"]],
        "stakes": [["stake_id", "easting", "northing", "elevation_m"]],
        "readings": [["stake_id", "leg", "date", "exposed_m"]],
        "snow_pits": [["pit_id", "date", "easting", "northing", "elevation_m", "floor"]],
        "pit_layers": [["pit_id", "layer", "top_m", "bottom_m", "density_kg_m3"]],
        "probings": [["probing_id", "date", "easting", "northing", "elevation_m", "snow_depth_m"]],
    }
    tables["glacier"].append(["BIG-1", "Large synthetic glacier", 87.0, 43.4, "EPSG:32645"])
    for name, east, north in stakes:
        tables["stakes"].append([name, east, 4_795_000 + north, _elevation(north)])
        lost = max(0.1, (4_150 - _elevation(north)) * 0.004)
        tables["readings"] += [[name, 1, "2003-09-25", 1.0], [name, 1, "2004-09-20", 1.0 + lost]]
    for name, north in pits:
        place = [500_000, 4_795_000 + north, _elevation(north)]
        tables["snow_pits"].append([name, "2004-05-01", *place, "summer_surface"])
        tables["pit_layers"].append([name, 1, 0, 1 + 0.001 * 0.07 * north, 400])
    for number, (x, y, depth) in enumerate(zip(across, along, deep, strict=True)):
        place = [round(500_000 + x, 1), round(4_795_000 + y, 1), round(_elevation(y), 1)]
        tables["probings"].append([f"Q{number}", "2004-05-01", *place, round(float(depth), 2)])
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(rows)
    return folder


def _elevation(along_m: float) -> float:
    return 3_200 + 0.07 * along_m


@dataclass(frozen=True)
class Cost:
    """What one run took: processor time (s) and peak memory (GB)."""

    seconds: float
    memory_gb: float


def whole_process(checkout: Path, *arguments: str) -> Cost:
    """One run of the command line of a checkout."""
    command = [sys.executable, "cli.py", *arguments, "--quiet"]
    child = subprocess.Popen(command, cwd=checkout, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"cli.py {' '.join(arguments)} ended with status {status}")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def surveys(folder: Path, stakes: int, years: int) -> dict[str, tuple[list[str], list[str]]]:
    """The arguments of each survey: of this checkout, and of the earlier one."""
    folder.mkdir()
    workbook = write_big_workbook(folder / "network.xlsx", stakes, years, 1)
    dem, outline = write_ground(folder, read_field_data(workbook))
    ground = ["--dem", str(dem), "--outline", str(outline)]
    many, fewer = (write_probings(folder / f"probings_{count}", count) for count in PROBINGS)
    by_zones, on_map = [str(workbook)], [str(workbook), *ground]
    return {
        f"{stakes} stakes, {years} years, by zones": (by_zones, by_zones),
        f"{stakes} stakes, {years} years, {years} maps": (on_map, on_map),
        f"{PROBINGS[0]} probings (before: {PROBINGS[1]})": ([str(many), *ground], [str(fewer), *ground]),
    }


def main() -> None:
    """Write the inputs, run every survey in turn, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stakes", type=int, default=500)
    parser.add_argument("--years", type=int, default=40)
    parser.add_argument("--before", type=Path, help="checkout of the earlier state")
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs: dict[tuple[str, str], list[Cost]] = {}
        for number in range(options.rounds):
            for title, (now, before) in surveys(folder / f"{number}", options.stakes, options.years).items():
                checkouts = {"now": (ROOT, now)} | ({"before": (options.before, before)} if options.before else {})
                for state, (checkout, arguments) in checkouts.items():
                    out = folder / f"out_{len(costs)}_{state}_{number}"
                    cost = whole_process(checkout, "balance", *arguments, "--out", str(out))
                    costs.setdefault((title, state), []).append(cost)
        for (title, state), own in costs.items():
            seconds, memory = (statistics.median(values) for values in zip(*map(astuple, own), strict=True))
            print(f"{title}, {state}: {seconds:.1f} s of processor, {memory:.2f} GB")


if __name__ == "__main__":
    main()
