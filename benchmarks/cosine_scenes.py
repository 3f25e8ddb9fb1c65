"""Scenes whose shift and glacier change are known: ours and xDEM's against the truth.

    python -m benchmarks.cosine_scenes [--scenes 24] [--xdem-python PATH] [--xdem-scenes 8] [--folder FOLDER]

Each scene is a sum of cosines, so that the earlier DEM is the same ground at exactly shifted places. Four kinds in
turn: noise alone; blunders on a twentieth of the pixels; a tilt of 1e-4; an earlier DEM that was averaged to 90 m.
Three glaciers thin by a known bowl. Both programs get the same outlines, the later DEM as reference, and correct the
resolution effect only where there is one. Errors are found minus true, root mean squares over the scenes of a kind.
xDEM takes ten times as long and runs on the first scenes alone; a second table has both programs on these.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine

KINDS = ("noise", "blunders", "tilt", "90 m")
SHAPE, PIXEL_M = (360, 480), 30.0
WEST_M, NORTH_M = 500_000.0, 4_800_000.0
RADIUS_M, TILT = 1000.0, 1e-4
CENTRES_M = ((3500.0, -3000.0), (11_000.0, -4200.0), (7200.0, -8000.0))


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What must be added to the earlier DEM's position (m), and the mean change over all glaciers (m)."""

    kind: str
    east: float
    north: float
    up: float
    mean_dh_m: float


def write_scene(folder: Path, number: int) -> Truth:
    """Write earlier.tif, later.tif and glaciers.geojson; returns what is true of them."""
    draw = np.random.default_rng([29, number])
    kind = KINDS[number % len(KINDS)]
    waves = _waves(draw)
    east, north, up = draw.uniform(-45, 45), draw.uniform(-45, 45), draw.uniform(-8, 8)
    rates = draw.uniform(-25, -2, len(CENTRES_M))
    eastings, northings = _centres(PIXEL_M)
    change = _bowls(eastings, northings, rates)
    later = _ground(waves, eastings, northings) + change + draw.normal(0, 0.7, SHAPE)
    # averaged posts are computed on a grid of their own
    post = 90.0 if kind == "90 m" else PIXEL_M
    earlier = _earlier(waves, post, (east, north)) - up
    earlier += draw.normal(0, 1.5, earlier.shape)
    if kind == "tilt":
        columns = np.arange(earlier.shape[1])
        earlier += TILT * post * (columns - columns.mean())
    if kind == "blunders":
        hit = draw.random(earlier.shape) < 0.05
        earlier[hit] += draw.normal(0, 40, int(hit.sum())) + 15
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "later.tif", later, PIXEL_M)
    _write(folder / "earlier.tif", earlier, post)
    _write_outlines(folder / "glaciers.geojson")
    return Truth(kind=kind, east=east, north=north, up=up, mean_dh_m=float(change[_on_ice(eastings, northings)].mean()))


def _waves(draw: np.random.Generator, count: int = 120) -> NDArray[np.float64]:
    """Wave numbers east and north, amplitude and phase, shape (4, count); 350 m of relief, 250 m to 9 km long."""
    length = np.exp(draw.uniform(np.log(250), np.log(9000), count))
    direction, phase = draw.uniform(0, 2 * np.pi, (2, count))
    size = length**1.1
    size *= 350 / np.sqrt((size**2).sum() / 2)
    return np.stack([2 * np.pi / length * np.cos(direction), 2 * np.pi / length * np.sin(direction), size, phase])


def _ground(
    waves: NDArray[np.float64], eastings: NDArray[np.float64], northings: NDArray[np.float64]
) -> NDArray[np.float64]:
    heights = np.full(eastings.shape, 3800.0)
    for east, north, size, phase in waves.T:
        heights += size * np.cos(east * eastings + north * northings + phase)
    return heights


def _centres(post_m: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eastings and northings of pixel centres from the grid's upper-left corner, m."""
    rows, columns = (int(size * PIXEL_M / post_m) for size in SHAPE)
    eastings, northings = np.meshgrid(post_m * (np.arange(columns) + 0.5), -post_m * (np.arange(rows) + 0.5))
    return eastings, northings


def _earlier(waves: NDArray[np.float64], post_m: float, shift: tuple[float, float]) -> NDArray[np.float64]:
    """The ground as the earlier DEM has it: at shifted places, averaged over what a post covers."""
    eastings, northings = _centres(post_m)
    within = (np.arange(round(post_m / PIXEL_M)) - (round(post_m / PIXEL_M) - 1) / 2) * PIXEL_M
    parts = [
        _ground(waves, eastings + shift[0] + east, northings + shift[1] + north) for east in within for north in within
    ]
    return np.asarray(np.mean(parts, axis=0))


def _bowls(
    eastings: NDArray[np.float64], northings: NDArray[np.float64], rates: NDArray[np.float64]
) -> NDArray[np.float64]:
    total = np.zeros(eastings.shape)
    for (east, north), rate in zip(CENTRES_M, rates, strict=True):
        inside = 1 - ((eastings - east) ** 2 + (northings - north) ** 2) / RADIUS_M**2
        total += 2 * rate * np.clip(inside, 0, None)
    return total


def _on_ice(eastings: NDArray[np.float64], northings: NDArray[np.float64]) -> NDArray[np.bool_]:
    near = [np.hypot(eastings - east, northings - north) < RADIUS_M for east, north in CENTRES_M]
    return np.asarray(np.any(near, axis=0))


def _write(path: Path, heights: NDArray[np.float64], post_m: float) -> None:
    profile = {
        "driver": "GTiff", "height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32",
        "crs": "EPSG:32645", "transform": Affine(post_m, 0, WEST_M, 0, -post_m, NORTH_M), "nodata": -9999.0,
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(heights.astype(np.float32), 1)


def _write_outlines(path: Path) -> None:
    angles = np.linspace(0, 2 * np.pi, 181)
    features = [
        {
            "type": "Feature",
            "properties": {"glacier_id": f"G{number}"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [
                    np.column_stack(
                        [WEST_M + east + RADIUS_M * np.cos(angles), NORTH_M + north + RADIUS_M * np.sin(angles)]
                    ).tolist()
                ],
            },
        }
        for number, (east, north) in enumerate(CENTRES_M)
    ]
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}
    path.write_text(json.dumps({"type": "FeatureCollection", "crs": crs, "features": features}))


def ours(folder: Path, kind: str) -> dict[str, float]:
    """Shift, spread off the glaciers, and glacier change with its sigma, of our chain."""
    from pipeline.elevation_change.chain import elevation_change
    from schemas.settings import ElevationChangeSettings

    settings = ElevationChangeSettings(correct_curvature=kind == "90 m")
    found = elevation_change(
        folder / "earlier.tif", folder / "later.tif", settings, outlines=[folder / "glaciers.geojson"]
    )
    if found.totals is None:
        raise RuntimeError("the scene's glaciers were not found")
    shift = found.shift_m
    return {
        "east": shift.east, "north": shift.north, "up": shift.up, "before_m": found.before.nmad_m,
        "after_m": found.after.nmad_m, "mean_dh_m": found.totals.mean_dh_m, "sigma_m": found.totals.sigma_mean_dh_m,
    }  # fmt: skip


def table(found: pd.DataFrame) -> pd.DataFrame:
    """Root mean square errors by kind and program, and how widely the glacier change's errors spread in its sigma."""
    errors = found.assign(score=found["error_dh"] / found["sigma_m"])
    rms = ["error_east", "error_north", "error_up", "error_dh", "score"]
    grouped = errors.groupby(["kind", "program"], sort=False)
    result = grouped[rms].agg(_root_mean_square)
    result["nmad_before"], result["nmad_after"] = grouped["before_m"].mean(), grouped["after_m"].mean()
    result["sigma"] = grouped["sigma_m"].mean()
    result["scenes"], result["with_sigma"] = grouped.size(), grouped["sigma_m"].count()
    return result


def _root_mean_square(values: pd.Series[float]) -> float:
    """Of the values that there are: xDEM finds no variogram in some scenes."""
    return float(np.sqrt(np.nanmean(np.square(values))))


def main() -> None:
    """Make the scenes, run both programs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--xdem-python", type=Path)
    parser.add_argument("--xdem-scenes", type=int, default=8)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        folders = [folder / f"{number:02d}" for number in range(asked.scenes)]
        truths = [write_scene(one, number) for number, one in enumerate(folders)]
        found = [ours(one, truth.kind) for one, truth in zip(folders, truths, strict=True)]
        rows = [_row("ours", truth, numbers) for truth, numbers in zip(truths, found, strict=True)]
        print(f"ours, {len(rows)} scenes\n{table(pd.DataFrame(rows)).round(4).to_string()}", flush=True)
        if asked.xdem_python:
            both = slice(0, asked.xdem_scenes)
            peer = _xdem(asked.xdem_python, folders[both], truths[both])
            rows = rows[both] + [
                _row("xDEM", truth, numbers) for truth, numbers in zip(truths[both], peer, strict=True)
            ]
            print(f"\nthe first {len(peer)} scenes\n{table(pd.DataFrame(rows)).round(4).to_string()}")


def _xdem(python: Path, folders: list[Path], truths: list[Truth]) -> list[dict[str, float]]:
    scenes = [f"{folder}={truth.kind}" for folder, truth in zip(folders, truths, strict=True)]
    script = Path(__file__).with_name("cosine_scenes_xdem.py")
    done = subprocess.run([python, script, *scenes], check=True, stdout=subprocess.PIPE, text=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _row(program: str, truth: Truth, found: dict[str, float]) -> dict[str, object]:
    errors = {f"error_{axis}": found[axis] - getattr(truth, axis) for axis in ("east", "north", "up")}
    error_dh = found["mean_dh_m"] - truth.mean_dh_m
    return {"kind": truth.kind, "program": program, **found, **errors, "error_dh": error_dh}


if __name__ == "__main__":
    main()
