"""Elevation change on independent alpine scenes against their truth, by kind of trouble.

    python -m benchmarks.known_truth [--kinds plain voids ...] [--scenes 2] [--workers 1] [--uncorrected]
        [--rows ROWS.jsonl] [--json SUMMARY.json]

The scenes of ``tests/made/alpine_scenes.py`` go through the chain as ``difference`` runs it, with default settings.
Each is paired with its twin without a resolution effect, which is differenced without the correction: what the two
results differ by is the cost of the resolution effect and of its correction. Scenes whose trouble needs an input run
once more with it. Errors are found minus true. With ``--rows`` every finished scene is kept and not run again.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.elevation_change.chain import elevation_change
from pipeline.elevation_change.result import ElevationChange
from schemas.settings import ElevationChangeSettings, SurfaceCorrection
from tests.made.alpine_scenes import (
    KINDS,
    NEED_INPUT,
    SCENES,
    SIGMA_PENETRATION_M,
    Scene,
    SceneFiles,
    SceneTruth,
    write_scene,
)

# both DEMs stand on one datum: the geoid is no part of what is tried here
SETTINGS = ElevationChangeSettings(
    vertical_datum_earlier="EPSG:3855", vertical_datum_later="EPSG:3855",
    earlier_date="2000-02-16", later_date="2012-07-01",
)  # fmt: skip
WITHOUT_CORRECTION = SETTINGS.model_copy(update={"correct_curvature": False})
Row = dict[str, Any]


def settings_with_input(scene: Scene, truth: SceneTruth) -> ElevationChangeSettings | None:
    """The settings of a user who knows of the trouble what can be known; None where the product takes no such input."""
    if scene.kappa:
        return SETTINGS.model_copy(update={"correct_elevation_scale": True})
    if not scene.penetration_m:
        return None
    line, sigma = truth.firn_line_m, SIGMA_PENETRATION_M
    ice, firn = truth.stated_penetration_m
    surfaces = (
        SurfaceCorrection(surface="ice", to_m=line, penetration_earlier_m=ice, sigma_penetration_m=sigma),
        SurfaceCorrection(surface="firn", from_m=line, penetration_earlier_m=firn, sigma_penetration_m=sigma),
    )
    return SETTINGS.model_copy(update={"surface_corrections": surfaces})


def rows_of(scene: Scene, uncorrected: bool = False) -> list[Row]:
    """One scene differenced: by default, its twin, with its input, and where asked without the correction."""
    with tempfile.TemporaryDirectory() as scratch:
        files, twin = write_scene(scene, Path(scratch) / "scene"), write_scene(scene.twin(), Path(scratch) / "twin")
        runs = {"default": (files, SETTINGS), "twin": (twin, WITHOUT_CORRECTION)}
        told = settings_with_input(scene, files.truth)
        if told is not None:
            runs["with input"] = (files, told)
        if uncorrected:
            runs["uncorrected"] = (files, WITHOUT_CORRECTION)
        return [
            {"scene": scene.name, "kind": scene.kind, "run": run, **errors_of(found, settings)}
            for run, (found, settings) in runs.items()
        ]


def errors_of(files: SceneFiles, settings: ElevationChangeSettings) -> Row:
    """What the chain finds in a scene, against the truth; metres."""
    result = elevation_change(files.earlier, files.later, settings, outlines=[files.outlines])
    if result.totals is None:
        raise RuntimeError("the scene's glaciers were not found")
    shift, true_shift = asdict(result.shift_m), asdict(files.truth.shift)
    sigma_shift = asdict(result.sigma_shift_m)
    return {
        "error_m": result.totals.mean_dh_m - files.truth.mean_dh_m,
        "sigma_m": result.totals.sigma_mean_dh_m,
        "true_m": files.truth.mean_dh_m,
        "glaciers": _glaciers(result, files.truth),
        "shift_error_m": {axis: shift[axis] - true_shift[axis] for axis in shift},
        "sigma_shift_m": {axis: sigma_shift[axis] for axis in shift},
        "patch_spread": result.patches.spread,
        "nmad_m": [result.before.nmad_m, result.after_coregistration.nmad_m, result.after.nmad_m],
        "stable_mean_m": result.after.mean_m,
        "notes": list(result.notes),
    }


def _glaciers(result: ElevationChange, truth: SceneTruth) -> list[Row]:
    table = result.tables["glaciers"].set_index("glacier_id")
    found = []
    for glacier in truth.glaciers:
        mean, sigma = (float(table[name][glacier.glacier_id]) for name in ("mean_dh_m", "sigma_mean_dh_m"))
        found.append(
            {
                "glacier": glacier.glacier_id,
                "area_km2": glacier.area_km2,
                "error_m": mean - glacier.mean_dh_m,
                "sigma_m": sigma,
            }
        )
    return found


def by_kind(rows: Sequence[Row], run: str) -> pd.DataFrame:
    """The numbers of every kind in one way of running, last those that the default claims to handle together."""
    chosen = [row for row in rows if row["run"] == run]
    twins = {row["scene"]: row for row in rows if row["run"] == "twin"}
    groups = {kind: [row for row in chosen if row["kind"] == kind] for kind in KINDS}
    if run != "with input":
        groups["all that the default handles"] = [row for row in chosen if row["kind"] not in NEED_INPUT]
    return pd.DataFrame({kind: _summary(group, twins) for kind, group in groups.items() if group}).T


def _summary(rows: Sequence[Row], twins: dict[str, Row]) -> dict[str, float]:
    error, sigma = _column(rows, "error_m"), _column(rows, "sigma_m")
    glaciers = [glacier for row in rows for glacier in row["glaciers"]]
    glacier_error, glacier_sigma = _column(glaciers, "error_m"), _column(glaciers, "sigma_m")
    # the twin is differenced without any input: beside a run with one it tells nothing of the resolution
    pairs = [(row, twins[row["scene"]]) for row in rows if row["run"] != "with input"]
    cost = np.array([row["error_m"] - twin["error_m"] for row, twin in pairs])
    glacier_cost = [
        one["error_m"] - other["error_m"]
        for row, twin in pairs
        for one, other in zip(row["glaciers"], twin["glaciers"], strict=True)
    ]
    # a glacier without any height has no mean
    known = np.isfinite(glacier_error)
    score = np.abs(glacier_error[known] / glacier_sigma[known])
    axes = {
        f"shift_{axis}_rms_m": _rms([row["shift_error_m"][axis] for row in rows]) for axis in ("east", "north", "up")
    }
    return {
        "regions": len(rows), "mean_error_m": error.mean(), "rms_error_m": _rms(error), "stated_sigma_m": sigma.mean(),
        "within_1": np.mean(np.abs(error) < sigma), "within_1_96": np.mean(np.abs(error) < 1.96 * sigma),
        "glaciers": int(known.sum()), "glacier_mean_error_m": glacier_error[known].mean(),
        "glaciers_within_1": np.mean(score < 1), "glaciers_within_1_96": np.mean(score < 1.96),
        "cost_mean_m": cost.mean() if pairs else np.nan, "cost_rms_m": _rms(cost),
        "glacier_cost_rms_m": _rms(glacier_cost),
        "patch_spread": float(np.nanmean(_column(rows, "patch_spread"))),
        "nmad_m": float(np.mean([row["nmad_m"][-1] for row in rows])), **axes,
    }  # fmt: skip


def _column(rows: Sequence[Row], name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.array([np.nan if row[name] is None else row[name] for row in rows], dtype=float)


def _rms(values: Iterable[float]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.sqrt(np.mean(np.square(known)))) if known else float("nan")


HEADINGS = (
    "kind", "regions", "mean error (m)", "rms (m)", "stated sigma (m)", "within 1, 1.96 sigma (%)", "glaciers",
    "mean error (m)", "within 1, 1.96 sigma (%)", "cost: mean, rms (m)", "patch spread", "shift east, north, up (m)",
)  # fmt: skip


def markdown(table: pd.DataFrame) -> str:
    """The table of one way of running, as docs/known-truth.md has it."""
    lines = [f"| {' | '.join(HEADINGS)} |", f"| --- |{' ---: |' * (len(HEADINGS) - 1)}"]
    for kind, row in table.iterrows():
        cells = [
            str(kind).replace("_", " "), f"{row['regions']:.0f}", f"{row['mean_error_m']:+.2f}",
            f"{row['rms_error_m']:.2f}", f"{row['stated_sigma_m']:.2f}",
            f"{100 * row['within_1']:.0f}, {100 * row['within_1_96']:.0f}", f"{row['glaciers']:.0f}",
            f"{row['glacier_mean_error_m']:+.2f}",
            f"{100 * row['glaciers_within_1']:.0f}, {100 * row['glaciers_within_1_96']:.0f}",
            "" if np.isnan(row["cost_mean_m"]) else f"{row['cost_mean_m']:+.2f}, {row['cost_rms_m']:.2f}",
            f"{row['patch_spread']:.2f}",
            ", ".join(f"{row[f'shift_{axis}_rms_m']:.2f}" for axis in ("east", "north", "up")),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def measured(scenes: Sequence[Scene], workers: int, uncorrected: bool) -> Iterator[list[Row]]:
    """The rows of every scene as they are finished, in the scenes' order."""
    if workers == 1:
        for scene in scenes:
            yield rows_of(scene, uncorrected)
        return
    # processes of their own, started afresh: the chain has threads
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(rows_of, scenes, [uncorrected] * len(scenes))


def chosen_scenes(kinds: Sequence[str], most: int | None) -> list[Scene]:
    """At most so many scenes of each kind, spread over its amplitudes."""
    found = []
    for kind in kinds:
        same = [scene for scene in SCENES if scene.kind == kind]
        count = len(same) if most is None else min(most, len(same))
        # the middle of each of so many parts
        found += [same[int((number + 0.5) * len(same) / count)] for number in range(count)]
    return found


def main() -> None:
    """Run the scenes and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--scenes", type=int, help="at most so many of each kind")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--uncorrected", action="store_true", help="also without the correction of the resolution")
    parser.add_argument("--rows", type=Path, help="every finished run, one JSON object a line; those in it stay")
    parser.add_argument("--json", type=Path, help="the tables as JSON")
    asked = parser.parse_args()
    scenes = chosen_scenes(asked.kinds, asked.scenes)
    rows = [json.loads(line) for line in asked.rows.read_text().splitlines()] if _exists(asked.rows) else []
    done = {row["scene"] for row in rows}
    for found in measured([scene for scene in scenes if scene.name not in done], asked.workers, asked.uncorrected):
        rows += found
        print(*(f"{row['scene']} {row['run']} {row['error_m']:+.2f}" for row in found), sep=", ", flush=True)
        if asked.rows:
            with asked.rows.open("a") as target:
                target.writelines(json.dumps(row) + "\n" for row in found)
    names = {scene.name for scene in scenes}
    rows = [row for row in rows if row["scene"] in names]
    tables = {run: by_kind(rows, run) for run in ("default", "with input", "uncorrected", "twin")}
    for run, table in tables.items():
        if len(table):
            print(f"\n{run}\n\n{markdown(table)}")
    if asked.json:
        summary = {run: json.loads(table.to_json(orient="index")) for run, table in tables.items() if len(table)}
        asked.json.write_text(json.dumps(summary, indent=2) + "\n")


def _exists(path: Path | None) -> bool:
    return path is not None and path.exists()


if __name__ == "__main__":
    main()
