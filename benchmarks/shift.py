"""The shift of a co-registration against the truth: how far off, and how often within its stated sigma.

    python -m benchmarks.shift [--pairs 40] [--side 500] [--families quiet noisy] [--rows ROWS.jsonl]
        [--json SUMMARY.json]

Pairs of ``tests/made/ridged_pairs.py``: a DEM of 30 m against one really averaged to 90 m, on ridged ground, with a
shift known exactly; default settings, no outlines. Errors are found minus true. With ``--rows`` every finished pair is
kept and not run again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.elevation_change.differencing import difference
from pipeline.elevation_change.pairing import Request, observe
from pipeline.elevation_change.uncertainty import ClassTallying, error_model
from pipeline.resources import open_resources
from schemas.settings import ElevationChangeSettings
from tests.made.ridged_pairs import FAMILIES, PIXEL_M, make_pair, write_pair

# both DEMs stand on one datum: the geoid is no part of what is tried here
SETTINGS = ElevationChangeSettings(vertical_datum_earlier="EPSG:3855", vertical_datum_later="EPSG:3855")
AXES = ("east", "north", "up")
Row = dict[str, Any]


def row_of(seed: int, family: str, side: int) -> Row:
    """One pair co-registered as ``difference`` does it: errors of the shift and what is stated of them, m."""
    pair = make_pair(seed, family, side)
    with tempfile.TemporaryDirectory() as scratch, open_resources() as resources:
        earlier, later = write_pair(pair, Path(scratch))
        observed = observe(Request(earlier=earlier, later=later), SETTINGS, resources)
        compared = difference(observed, SETTINGS, resources, tallying=ClassTallying.for_sample, with_error=True)
        sigma = asdict(error_model(observed, compared, resources).sigma_shift_m)
        shift = asdict(compared.registration.shift)
        nmad = [statistics.nmad_m for statistics in compared.statistics.values()]
    error = {axis: shift[axis] - getattr(pair, axis) for axis in AXES}
    return {"seed": seed, "family": family, "side": side, "error_m": error, "sigma_m": sigma, "nmad_m": nmad}


def summary(rows: Sequence[Row]) -> Row:
    """Root mean square, mean and stated sigma by axis (m), and how often the truth lies within 1 and 1.96 sigma."""
    result: Row = {"pairs": len(rows), "nmad_m": np.mean([row["nmad_m"] for row in rows], axis=0).round(2).tolist()}
    for axis in AXES:
        error, sigma = (np.array([row[name][axis] for row in rows]) for name in ("error_m", "sigma_m"))
        result[axis] = {
            "mean_m": float(error.mean()),
            "rms_m": float(np.sqrt((error**2).mean())),
            "rms_pixel": float(np.sqrt((error**2).mean()) / PIXEL_M),
            "sigma_m": float(np.sqrt((sigma**2).mean())),
            "within_1": float((np.abs(error) < sigma).mean()),
            "within_1_96": float((np.abs(error) < 1.96 * sigma).mean()),
        }
    return result


def markdown(tables: dict[str, Row]) -> str:
    """The table that docs/known-truth.md has."""
    headings = ("pairs of", "side", "number", "axis", "mean (m)", "rms (m)", "rms (pixel)", "stated sigma (m)",
                "within 1, 1.96 sigma (%)")  # fmt: skip
    lines = [f"| {' | '.join(headings)} |", f"| --- | ---: | ---: | --- |{' ---: |' * 5}"]
    for name, table in tables.items():
        family, side = name.split("-")
        for axis in AXES:
            one = table[axis]
            cells = [
                family, side, str(table["pairs"]), axis, f"{one['mean_m']:+.3f}", f"{one['rms_m']:.3f}",
                f"{one['rms_pixel']:.4f}", f"{one['sigma_m']:.3f}",
                f"{100 * one['within_1']:.0f}, {100 * one['within_1_96']:.0f}",
            ]  # fmt: skip
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Run the pairs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pairs", type=int, default=40, help="of each family")
    parser.add_argument("--side", type=int, default=500, help="pixels of 30 m")
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--rows", type=Path, help="every finished pair, one JSON object a line; those in it stay")
    parser.add_argument("--json", type=Path, help="the table as JSON")
    asked = parser.parse_args()
    rows = (
        [json.loads(line) for line in asked.rows.read_text().splitlines()] if asked.rows and asked.rows.exists() else []
    )
    done = {(row["family"], row["side"], row["seed"]): row for row in rows}
    wanted = [(family, asked.side, seed) for seed in range(1, asked.pairs + 1) for family in asked.families]
    for family, side, seed in wanted:
        if (family, side, seed) in done:
            continue
        row = done[family, side, seed] = row_of(seed, family, side)
        if asked.rows:
            with asked.rows.open("a") as target:
                target.write(json.dumps(row) + "\n")
    tables = {
        f"{family}-{asked.side}": summary([done[key] for key in wanted if key[0] == family])
        for family in asked.families
    }
    print(markdown(tables))
    if asked.json:
        asked.json.write_text(json.dumps(tables, indent=2) + "\n")


if __name__ == "__main__":
    main()
