"""Accuracy checks of each DEM before anything is computed from it; they report and never repair."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import ndimage

from pipeline.elevation_change.tiles import HIGHEST_M, LOWEST_M, Mosaic
from pipeline.grid import BoolArray, FloatArray
from schemas.tables import DEM_CHECKS

VOID_LIMIT = 0.10
GLACIER_VOID_LIMIT = 0.20
SPIKE_LIMIT = 1e-4
# A spike stands this many times the local roughness, and at least this high, off the median of its neighbours.
SPIKE_ROUGHNESS, SPIKE_LEAST_M = 12.0, 50.0
SEAM_LIMIT_M = 1.0


@dataclass(frozen=True)
class Check:
    """One check of one DEM."""

    tile: str
    check: str
    value: float
    limit: float
    unit: str
    passed: bool
    note: str


def spikes(heights: FloatArray) -> BoolArray:
    """Pixels that stand far off the median of their 3 x 3 neighbourhood, against the roughness around them.

    |z - median(z, 3 x 3)| > max(50 m, 12 r), with r the median of that distance in the 9 x 9 window.
    """
    known = np.isfinite(heights)
    filled = np.where(known, heights, np.nanmean(heights) if known.any() else 0.0)
    distance = np.abs(filled - ndimage.median_filter(filled, 3))
    candidate: BoolArray = known & (distance > SPIKE_LEAST_M)
    if not candidate.any():
        return candidate
    roughness = ndimage.median_filter(distance, 9)
    found: BoolArray = candidate & (distance > SPIKE_ROUGHNESS * np.maximum(roughness, 0.5))
    beside_void: BoolArray = ndimage.binary_dilation(~known, iterations=2)
    return found & ~beside_void


def seam_step_m(first: FloatArray, second: FloatArray) -> float:
    """Median jump across a tile border, beyond the terrain's own slope there; m.

    Parameters
    ----------
    first, second : the two lines on each side of the border, shape (2, length), nearest line last and first.
    """
    jump = second[0] - first[1]
    trend = ((first[1] - first[0]) + (second[1] - second[0])) / 2
    excess = jump - trend
    excess = excess[np.isfinite(excess)]
    return float(np.median(excess)) if excess.size >= 20 else 0.0


def check_dem(mosaic: Mosaic, heights: FloatArray, glaciers: BoolArray, seams: dict[str, float]) -> pd.DataFrame:
    """All checks of one DEM on the common grid, shaped as ``schemas.tables.DEM_CHECKS``.

    Parameters
    ----------
    heights : on the grid, before any correction; m, NaN where void.
    glaciers : glacier pixels.
    seams : median step across each pair of neighbouring tiles, m.
    """
    known = np.isfinite(heights)
    void = float(1 - known.mean())
    glacier_void = float(1 - known[glaciers].mean()) if glaciers.any() else 0.0
    spiky = float(spikes(heights).sum() / max(1, known.sum()))
    lowest, highest = (float(np.nanmin(heights)), float(np.nanmax(heights))) if known.any() else (np.nan, np.nan)
    stated = mosaic.vertical_datum is not None
    checks = [
        Check("all", "tiles", len(mosaic.tiles), 1, "1", True, ", ".join(tile.name for tile in mosaic.tiles)),
        Check("all", "datum_stated", float(stated), 1, "1", stated, mosaic.vertical_datum or "vertical datum unknown"),
        Check("all", "void_share", void, VOID_LIMIT, "1", void <= VOID_LIMIT, "share of the grid without a height"),
        Check("all", "glacier_void_share", glacier_void, GLACIER_VOID_LIMIT, "1", glacier_void <= GLACIER_VOID_LIMIT,
              "share of the glacier area without a height"),
        Check("all", "spike_share", spiky, SPIKE_LIMIT, "1", spiky <= SPIKE_LIMIT, "pixels far off their neighbours"),
        Check("all", "lowest", lowest, LOWEST_M, "m", lowest >= LOWEST_M, "lowest height"),
        Check("all", "highest", highest, HIGHEST_M, "m", highest <= HIGHEST_M, "highest height"),
    ]  # fmt: skip
    checks += [
        Check(pair, "seam", step, SEAM_LIMIT_M, "m", abs(step) <= SEAM_LIMIT_M, "median step across the border")
        for pair, step in sorted(seams.items())
    ]
    frame = pd.DataFrame([{"dem": mosaic.role, **check.__dict__} for check in checks])
    return frame[list(DEM_CHECKS.column_names)]


def seams_between_tiles(mosaic: Mosaic, native: FloatArray, left: float, top: float) -> dict[str, float]:
    """Steps across the borders of tiles that lie side by side, on native pixels.

    Parameters
    ----------
    native : heights of the mosaic, m; (left, top) is its upper-left corner in the native CRS.
    """
    width, height = mosaic.pixel
    found: dict[str, float] = {}
    for tile in mosaic.tiles:
        for other in mosaic.tiles:
            west, _, east, north = tile.bounds
            o_west, o_south, o_east, o_north = other.bounds
            if abs(o_west - east) < 2 * width and o_south < north and o_north > tile.bounds[1] and other is not tile:
                column = round((max(east, o_west) - left) / width)
                lines = native[:, max(0, column - 2) : column + 2].T
            elif abs(o_north - tile.bounds[1]) < 2 * height and o_west < east and o_east > west and other is not tile:
                row = round((top - min(tile.bounds[1], o_north)) / height)
                lines = native[max(0, row - 2) : row + 2]
            else:
                continue
            if lines.shape[0] == 4:
                found[f"{tile.name} | {other.name}"] = seam_step_m(lines[:2], lines[2:])
    return found
