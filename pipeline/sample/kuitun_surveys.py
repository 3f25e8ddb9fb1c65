"""Two elevation models of the synthetic glacier, as surveys of 2000 and 2011 would give them.

Between the surveys the glacier thins by what its true balances of 2001 to 2011 took, spread over the glacier as flow
spreads it: most at the snout, least below the headwall. Each survey has its own errors: noise correlated over some tens
and some hundreds of metres, and for the earlier one a shift.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from pipeline.grid import FloatArray
from pipeline.sample.kuitun_balance import campaigns, true_years
from pipeline.sample.kuitun_terrain import RESOLUTION_M, Terrain, fractal, kuitun_terrain

EARLIER_YEAR, LATER_YEAR = 2000, 2011
# what the volume lost really weighed; the usual conversion takes 850 +- 60
TRUE_DENSITY_KG_M3 = 862.0
# the earlier survey lies this far from its place: east, north, up (m)
SHIFT_M = (13.0, -8.0, 2.4)
_ROUGH_M, _ROUGH_REACH_PIXELS = 0.9, 2.5
_SMOOTH_M, _SMOOTH_REACH_M = 0.35, 300.0


@dataclass(frozen=True)
class WrittenSurvey:
    """An elevation model of the glacier and its surroundings: its day, and elevation (m) on the terrain's grid."""

    day: date
    surface_m: FloatArray


def true_change_m(seed: int) -> FloatArray:
    """Elevation change from the earlier to the later survey (m), zero off the glacier, shape of the terrain's grid.

    Parameters
    ----------
    seed : of the sample.
    """
    terrain = kuitun_terrain()
    sums = [year.annual_m_we for year in true_years(seed) if EARLIER_YEAR < year.year <= LATER_YEAR]
    total_m_we = float(np.sum([field[terrain.mask].mean() for field in sums]))
    height = terrain.surface_m[terrain.mask]
    low = np.clip((height.max() - terrain.surface_m) / np.ptp(height), 0.0, 1.0)
    pattern = 0.15 + low**2.2
    mean = total_m_we * 1000 / TRUE_DENSITY_KG_M3
    return np.asarray(np.where(terrain.mask, mean * pattern / pattern[terrain.mask].mean(), 0.0), float)


def surveys(seed: int) -> tuple[WrittenSurvey, WrittenSurvey]:
    """The earlier and the later survey, each made when the stakes were read in late August.

    Parameters
    ----------
    seed : of the sample.
    """
    terrain = kuitun_terrain()
    august, _ = campaigns(seed)
    earlier = terrain.surface_m - true_change_m(seed)
    return (
        WrittenSurvey(august[EARLIER_YEAR], _surveyed(_moved(earlier, SHIFT_M), terrain, [seed, 8, 0])),
        WrittenSurvey(august[LATER_YEAR], _surveyed(terrain.surface_m, terrain, [seed, 8, 1])),
    )


def _surveyed(surface_m: FloatArray, terrain: Terrain, seeds: list[int]) -> FloatArray:
    """The surface with the survey's own errors."""
    draw = np.random.default_rng(seeds)
    rough = gaussian_filter(draw.standard_normal(terrain.grid.shape), _ROUGH_REACH_PIXELS)
    smooth = _SMOOTH_M * fractal(terrain.grid.shape, 5.0, _SMOOTH_REACH_M, int(draw.integers(10_000, 20_000)))
    return np.asarray(surface_m + _ROUGH_M * rough / rough.std() + smooth, float)


def _moved(surface_m: FloatArray, shift_m: tuple[float, float, float]) -> FloatArray:
    """The surface moved by (east, north, up): what stood at a place now stands that far from it."""
    east, north, up = shift_m
    rows, columns = np.indices(surface_m.shape, dtype=float)
    at = (rows + north / RESOLUTION_M, columns - east / RESOLUTION_M)
    return np.asarray(map_coordinates(surface_m, at, order=3, mode="nearest") + up, float)
