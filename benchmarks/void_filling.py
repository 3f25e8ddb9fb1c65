"""Voids of 40 to 90 % of a glacier against what was there before they were punched, by kind and share of the void.

    python -m benchmarks.void_filling [--seeds 6] [--before CHECKOUT] [--rows ROWS.jsonl] [--json SUMMARY.json]

The scenes of ``tests/made/punched_glaciers.py`` are summed up glacier by glacier by this checkout and, where asked, by
another one; both get the same arrays. Errors are found minus true. With ``--rows`` every finished scene is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tests.made.punched_glaciers import CRS, NOISE, NOISE_M, SCENES, MadePunched, PunchedScene, make_punched

ROOT = Path(__file__).resolve().parents[1]
SHARES = ((0.0, 0.4), (0.4, 0.55), (0.55, 0.75), (0.75, 0.95))
Row = dict[str, Any]

# stands alone, so that any checkout can run it; the module moved between the versions that are compared
_SUMMED_UP = """
import json, sys
import geopandas as gpd, numpy as np
from rasterio.transform import Affine
try:
    from pipeline.elevation_change.glaciers import Surface, change_of_glaciers
    from pipeline.elevation_change.uncertainty import Variogram
except ModuleNotFoundError:
    from pipeline.elevation_change.glacier_change import Surface, change_of_glaciers
    from pipeline.elevation_change.variogram import Variogram
from pipeline.grid import Grid
from schemas.settings import ElevationChangeSettings
for folder in sys.argv[1:]:
    told = json.load(open(folder + "/told.json"))
    arrays = np.load(folder + "/arrays.npz")
    surface = Surface(
        grid=Grid(told["crs"], Affine(*told["transform"]), arrays["dh"].shape), dh_m=arrays["dh"],
        sigma_m=arrays["sigma"], elevation_m=arrays["height"],
        variogram=Variogram(ranges_m=tuple(told["ranges_m"]), sills=tuple(told["sills"])), sigma_bias_m=0.0,
        settings=ElevationChangeSettings(),
    )
    change = change_of_glaciers(surface, gpd.read_file(folder + "/outlines.gpkg"))
    columns = ["mean_dh_m", "sigma_mean_dh_m", "sigma_filling_m"]
    means = {name: change.glaciers[name].astype(float).tolist() for name in columns}
    region = {name: float(change.region[name].iloc[0]) for name in columns}
    json.dump({"glaciers": means, "region": region}, open(folder + "/found.json", "w"))
"""


def write_punched(made: MadePunched, folder: Path) -> None:
    """What any checkout needs to sum the glaciers up."""
    folder.mkdir(parents=True)
    arrays = {
        "dh": made.dh_m.astype(np.float32),
        "sigma": np.full(made.dh_m.shape, NOISE_M, np.float32),
        "height": made.region.height_m.astype(np.float32),
    }
    np.savez(folder / "arrays.npz", **arrays)
    made.outlines().to_file(folder / "outlines.gpkg")
    told = {"crs": CRS, "transform": made.transform[:6], "ranges_m": NOISE.ranges_m, "sills": NOISE.sills}
    (folder / "told.json").write_text(json.dumps(told))


def rows_of(scene: PunchedScene, checkouts: dict[str, Path]) -> list[Row]:
    """Every glacier of a scene as each checkout sums it up."""
    made = make_punched(scene)
    number = np.bincount(made.region.labels.ravel())[1:]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "scene"
        write_punched(made, folder)
        return [row for name, root in checkouts.items() for row in _summed_up(name, root, folder, scene, made, number)]


def _summed_up(
    name: str, root: Path, folder: Path, scene: PunchedScene, made: MadePunched, pixels: np.ndarray[Any, Any]
) -> Iterator[Row]:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", _SUMMED_UP, str(folder)], cwd=root, env=environment, check=True)
    told = json.loads((folder / "found.json").read_text())
    glaciers = told["glaciers"]
    shared = {"scene": scene.name, "ground": scene.ground, "voids": scene.voids, "every": scene.every, "code": name}
    for place, true in enumerate(made.mean_m):
        yield {
            **shared, "lost": made.lost[place], "pixels": int(pixels[place]), "true_m": true,
            "found_m": glaciers["mean_dh_m"][place], "sigma_m": glaciers["sigma_mean_dh_m"][place],
        }  # fmt: skip
    true = float(np.average(made.mean_m, weights=pixels))
    yield {
        **shared, "lost": float(np.average(made.lost, weights=pixels)), "pixels": int(pixels.sum()), "true_m": true,
        "found_m": told["region"]["mean_dh_m"], "sigma_m": told["region"]["sigma_mean_dh_m"], "region": True,
    }  # fmt: skip


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """Bias, rms and coverage of the glaciers by kind and share of the void, then of all that lost 40 to 90 %."""
    frame = pd.DataFrame(rows)
    frame["region"] = frame["region"].eq(True) if "region" in frame else False
    glaciers = frame[~frame["region"]]
    lines = []
    for kind in (*sorted(glaciers["voids"].unique()), "all"):
        own = glaciers if kind == "all" else glaciers[glaciers["voids"] == kind]
        for low, high in (*SHARES, (0.4, 0.95)):
            part = own[(own["lost"] >= low) & (own["lost"] < high)]
            if len(part):
                lines.append({"voids": kind, "lost": f"{low:.2f}-{high:.2f}", **_numbers(part)})
    for every in (True, False):
        part = glaciers[(glaciers["every"] == every) & (glaciers["lost"] >= 0.4)]
        if len(part):
            lines.append(
                {"voids": "in every glacier" if every else "in every second", "lost": ">0.40", **_numbers(part)}
            )
    if frame["region"].any():
        lines.append({"voids": "regions", "lost": "", **_numbers(frame[frame["region"]])})
    return pd.DataFrame(lines)


def _numbers(part: pd.DataFrame) -> Row:
    numbers: Row = {}
    for name, own in part.groupby("code", sort=False):
        error = (own["found_m"] - own["true_m"]).to_numpy(float)
        score = error / own["sigma_m"].to_numpy(float)
        numbers["glaciers"] = len(own)
        numbers["true_m"] = own["true_m"].mean()
        numbers[f"{name} bias_%"] = 100 * error.mean() / abs(own["true_m"].mean())
        numbers[f"{name} rms_m"] = np.sqrt(np.mean(error**2))
        numbers[f"{name} sigma_m"] = np.sqrt(np.mean(own["sigma_m"] ** 2))
        numbers[f"{name} within_1_%"] = 100 * np.mean(np.abs(score) < 1)
        numbers[f"{name} within_1_96_%"] = 100 * np.mean(np.abs(score) < 1.96)
    return numbers


def main() -> None:
    """Run the scenes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seeds", type=int, default=6, help="so many scenes of each kind")
    parser.add_argument("--before", type=Path, help="another checkout, summed up beside this one")
    parser.add_argument("--rows", type=Path, help="every finished glacier, one JSON object a line; those in it stay")
    parser.add_argument("--json", type=Path, help="the table as JSON")
    asked = parser.parse_args()
    checkouts = {"before": asked.before.resolve()} if asked.before else {}
    checkouts["after"] = ROOT
    kept = asked.rows if asked.rows and asked.rows.exists() else None
    rows: list[Row] = [json.loads(line) for line in kept.read_text().splitlines()] if kept else []
    done = {(row["scene"], row["code"]) for row in rows}
    for scene in SCENES:
        missing = {name: root for name, root in checkouts.items() if (scene.name, name) not in done}
        if scene.seed > asked.seeds or not missing:
            continue
        new = rows_of(scene, missing)
        rows += new
        if asked.rows:
            with asked.rows.open("a") as target:
                target.writelines(json.dumps(row) + "\n" for row in new)
    names = {scene.name for scene in SCENES if scene.seed <= asked.seeds}
    summary = table([row for row in rows if row["scene"] in names and row["code"] in checkouts])
    print(summary.to_string(index=False, float_format=lambda value: f"{value:.2f}"))
    if asked.json:
        asked.json.write_text(json.dumps(json.loads(summary.to_json(orient="records")), indent=2) + "\n")


if __name__ == "__main__":
    main()
