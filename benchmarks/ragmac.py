"""Stated 95 % intervals against the truth on scenes like those of the inter-comparison of glacier change from space.

    python -m benchmarks.ragmac [--scenes 200] [--untold] [--rows ROWS.jsonl] [--json SUMMARY.json]

The scenes of ``tests/made/ragmac_scenes.py`` go through the chain as ``difference`` runs it, with default settings, the
stated dates and, where a radar looks into firn, the penetration as told; ``--untold`` leaves it out. The change of the
site's own glacier, and its rate, are held against the truth; the score is (found - true) / sigma. In the
inter-comparison 52 to 71 % of the runs had the reference inside their 95 % interval. With ``--rows`` every finished
scene is kept and not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.elevation_change.chain import elevation_change
from tests.made.ragmac_scenes import RagmacScene, scene_of, write_ragmac

Row = dict[str, Any]
SCENES = 200
TERMS = ("measurement", "filling", "coregistration", "correction", "resolution")


def row_of(scene: RagmacScene, told: bool = True) -> Row:
    """One scene differenced; metres, and metres per year."""
    with tempfile.TemporaryDirectory() as scratch:
        files = write_ragmac(scene, Path(scratch))
        settings = files.settings if told else files.untold
        result = elevation_change(files.earlier, files.later, settings, outlines=[files.outlines])
    glacier = result.tables["glaciers"].set_index("glacier_id").loc["R1"]
    return {
        "scene": scene.name,
        "seed": scene.seed,
        "site": scene.site.name,
        "sensor": scene.sensor,
        "told": told,
        "true_m": files.true_m,
        "error_m": float(glacier["mean_dh_m"]) - files.true_m,
        "sigma_m": float(glacier["sigma_mean_dh_m"]),
        "error_m_a": float(glacier["mean_dhdt_m_a"]) - files.true_m_a,
        "sigma_m_a": float(glacier["sigma_mean_dhdt_m_a"]),
        "filled_share": float(glacier["filled_share"]),
        "flags": str(glacier["flags"]),
        **{f"sigma_{term}_m": float(glacier[f"sigma_{term}_m"]) for term in TERMS},
    }


def table(rows: Sequence[Row]) -> pd.DataFrame:
    """Error, stated sigma and coverage by site, by sensor and of all."""
    frame = pd.DataFrame(rows)
    groups = {
        **{str(name): own for name, own in frame.groupby("site", sort=False)},
        **{str(name): own for name, own in frame.groupby("sensor", sort=False)},
        "all": frame,
    }
    return pd.DataFrame({name: _numbers(own) for name, own in groups.items()}).T


def _numbers(own: pd.DataFrame) -> dict[str, float]:
    score, rate = own["error_m"] / own["sigma_m"], own["error_m_a"] / own["sigma_m_a"]
    return {
        "scenes": len(own), "true_m": own["true_m"].mean(), "bias_m": own["error_m"].mean(),
        "rms_m": _rms(own["error_m"]), "sigma_m": _rms(own["sigma_m"]),
        "within_68_%": 100 * np.mean(np.abs(score) < 1), "within_95_%": 100 * np.mean(np.abs(score) < 1.96),
        "score_rms": _rms(score), "rate_rms_m_a": _rms(own["error_m_a"]),
        "rate_within_95_%": 100 * np.mean(np.abs(rate) < 1.96), "rate_score_rms": _rms(rate),
    }  # fmt: skip


def _rms(values: pd.Series) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def main() -> None:
    """Run the scenes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--scenes", type=int, default=SCENES)
    parser.add_argument("--untold", action="store_true", help="leave out the penetration, in scenes that have any")
    parser.add_argument("--rows", type=Path, help="every finished scene, one JSON object a line; those in it stay")
    parser.add_argument("--json", type=Path, help="the table as JSON")
    asked = parser.parse_args()
    kept = asked.rows if asked.rows and asked.rows.exists() else None
    rows: list[Row] = [json.loads(line) for line in kept.read_text().splitlines()] if kept else []
    scenes = [scene_of(seed) for seed in range(1, asked.scenes + 1)]
    scenes = [scene for scene in scenes if not asked.untold or scene.sensor != "aster"]
    done = {row["scene"] for row in rows}
    for scene in scenes:
        if scene.name in done:
            continue
        rows.append(row_of(scene, not asked.untold))
        if asked.rows:
            with asked.rows.open("a") as target:
                target.write(json.dumps(rows[-1]) + "\n")
    names = {scene.name for scene in scenes}
    summary = table([row for row in rows if row["scene"] in names])
    print(summary.to_string(float_format=lambda value: f"{value:.2f}"))
    if asked.json:
        asked.json.write_text(json.dumps(json.loads(summary.to_json(orient="index")), indent=2) + "\n")


if __name__ == "__main__":
    main()
