"""The balance that the synthetic glacier really had in each year: smooth fields whose means are known.

Annual balance follows elevation with a steep gradient below a knee and a flat one above, plus a smooth anomaly of
shading and wind; each year has its own mean and steepness. Means over the twelve years are those known of Haxilegen
Glacier No. 51: -0.37 annual and +0.16 winter, hence -0.53 summer (m w.e. a-1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from scipy.ndimage import distance_transform_edt

from pipeline.grid import FloatArray
from pipeline.sample.kuitun_terrain import RESOLUTION_M, Terrain, fractal, kuitun_terrain

DEFAULT_SEED = 1999
YEARS = tuple(range(2000, 2012))
EARLY_SUMMER_YEARS = (2000, 2001, 2003, 2005, 2006, 2008, 2010)
MEAN_ANNUAL_M_WE, SPREAD_ANNUAL_M_WE = -0.37, 0.30
MEAN_WINTER_M_WE, SPREAD_WINTER_M_WE = 0.16, 0.04
_KNEE_M, _KNEE_WIDTH_M = 3800.0, 45.0
_GRADIENT_BELOW, _GRADIENT_ABOVE = 0.0065, 0.0022  # m w.e. per m
_GRADIENT_WINTER = 0.00014
_ANOMALY_M_WE, _YEARLY_ANOMALY_M_WE, _AVALANCHE_M_WE = 0.10, 0.10, 0.25
_AVALANCHE_REACH_M = 70.0


@dataclass(frozen=True, kw_only=True)
class TrueYear:
    """One mass-balance year as it really was, from one late-August visit to the next.

    Attributes
    ----------
    year : calendar year in which it ends.
    begin, end : first days of the late-August campaigns; midseason of the early-summer one, None without a visit.
    annual_m_we, winter_m_we, summer_m_we : fields on the terrain's grid, NaN off the glacier; annual = winter + summer.
    """

    year: int
    begin: date
    midseason: date | None
    end: date
    annual_m_we: FloatArray
    winter_m_we: FloatArray
    summer_m_we: FloatArray


def _standardised(draw: np.random.Generator, mean: float, deviation: float) -> FloatArray:
    """One value a year, drawn with exactly this mean and standard deviation over the years."""
    values = draw.standard_normal(len(YEARS))
    return np.asarray(mean + deviation * (values - values.mean()) / values.std(), float)


def _profile(elevation_m: FloatArray) -> FloatArray:
    """Balance (m w.e.) by elevation: a steep line below the knee runs smoothly into a flat one above it."""
    above = elevation_m - _KNEE_M
    bend = _KNEE_WIDTH_M * np.logaddexp(0.0, -above / _KNEE_WIDTH_M)
    return np.asarray(_GRADIENT_ABOVE * above - (_GRADIENT_BELOW - _GRADIENT_ABOVE) * bend, float)


def _centred(field: FloatArray, terrain: Terrain) -> FloatArray:
    """The field with mean 0 over the glacier."""
    return np.asarray(field - field[terrain.mask].mean(), float)


def _shading(terrain: Terrain) -> FloatArray:
    """Smooth anomaly with deviation 1 over the glacier: the right-hand wall shades its side, drift fills hollows."""
    raw = 0.8 * np.clip(terrain.across, -1.2, 1.2) + 0.5 * fractal(terrain.grid.shape, 5.0, 1500, 7)
    centred = _centred(raw, terrain)
    return np.asarray(centred / centred[terrain.mask].std(), float)


def _avalanches(terrain: Terrain) -> FloatArray:
    """Gain (m w.e.) below the walls of the cirque, where no stake can stand; fades within some tens of metres."""
    inside_m = distance_transform_edt(terrain.mask) * RESOLUTION_M
    in_cirque = np.interp(terrain.along, [0.35, 0.6], [1.0, 0.0])
    return np.asarray(_AVALANCHE_M_WE * np.exp(-inside_m / _AVALANCHE_REACH_M) * in_cirque, float)


@lru_cache(maxsize=4)
def campaigns(seed: int) -> tuple[dict[int, date], dict[int, date]]:
    """First day of the late-August visit of each year from 1999 on, and of the early-summer visits.

    Parameters
    ----------
    seed : of the sample.
    """
    draw = np.random.default_rng([seed, 1])
    august = {year: date(year, 8, int(draw.integers(22, 30))) for year in (YEARS[0] - 1, *YEARS)}
    early = {year: int(draw.integers(29, 35)) for year in EARLY_SUMMER_YEARS}
    return august, {year: date(year, 5, day) if day <= 31 else date(year, 6, day - 31) for year, day in early.items()}


@lru_cache(maxsize=2)
def true_years(seed: int) -> tuple[TrueYear, ...]:
    """The true balance of the years 2000-2011.

    Parameters
    ----------
    seed : of the sample.
    """
    terrain = kuitun_terrain()
    august, early = campaigns(seed)
    draw = np.random.default_rng([seed, 2])
    annual = _standardised(draw, MEAN_ANNUAL_M_WE, SPREAD_ANNUAL_M_WE)
    winter = _standardised(draw, MEAN_WINTER_M_WE, SPREAD_WINTER_M_WE)
    steepness = 1 - 0.15 * (annual - MEAN_ANNUAL_M_WE)
    profile, shading = _centred(_profile(terrain.surface_m), terrain), _shading(terrain)
    lasting = _centred(_ANOMALY_M_WE * shading + _avalanches(terrain), terrain)
    height = _centred(terrain.surface_m, terrain)
    years = []
    for index, year in enumerate(YEARS):
        weather = _centred(fractal(terrain.grid.shape, 5.0, 600, 100 + year + 31 * seed), terrain)
        smooth = lasting + _YEARLY_ANOMALY_M_WE * weather
        total = annual[index] + steepness[index] * profile + smooth
        snow = winter[index] + _GRADIENT_WINTER * height + 0.12 * smooth
        fields = [np.where(terrain.mask, field, np.nan) for field in (total, snow, total - snow)]
        years.append(
            TrueYear(
                year=year,
                begin=august[year - 1],
                midseason=early.get(year),
                end=august[year],
                annual_m_we=fields[0],
                winter_m_we=fields[1],
                summer_m_we=fields[2],
            )
        )
    return tuple(years)
