"""What the synthetic Glacier No. 51 really did: for tests only, never read by the processing chains."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.sample.kuitun_balance import DEFAULT_SEED, TrueYear, true_years
from pipeline.sample.kuitun_fieldwork import sites
from pipeline.sample.kuitun_terrain import kuitun_terrain

_BAND_M = 20.0


@dataclass(frozen=True, kw_only=True)
class YearTruth:
    """One balance year, visit to visit.

    Attributes
    ----------
    begin, end : first days of the late-August campaigns; midseason of the early-summer one, None without a visit.
    annual_field_m_we, winter_field_m_we, summer_field_m_we : shape of the grid, NaN off the glacier.
    annual_m_we, winter_m_we, summer_m_we : means over the outline.
    ela_m, ela_position : zero of the mean balance of 20 m bands; where there is none, the glacier's lowest or highest
        elevation with '<' or '>'.
    aar : share of the area with a balance of at least 0.
    """

    year: int
    begin: date
    midseason: date | None
    end: date
    annual_field_m_we: FloatArray
    winter_field_m_we: FloatArray
    summer_field_m_we: FloatArray
    annual_m_we: float
    winter_m_we: float
    summer_m_we: float
    ela_m: float
    ela_position: str
    aar: float


@dataclass(frozen=True, kw_only=True)
class PointTruth:
    """The exact balance at a stake or pit site (``P1`` ...) in one year, local variability included (m w.e.)."""

    point_id: str
    year: int
    elevation_m: float
    annual_m_we: float
    winter_m_we: float


@dataclass(frozen=True, kw_only=True)
class KuitunTruth:
    """Grid, elevation and glacier mask, the truth of each year 2000-2011, and of each site and year."""

    grid: Grid
    surface_m: FloatArray
    mask: BoolArray
    area_km2: float
    years: tuple[YearTruth, ...]
    points: tuple[PointTruth, ...]


def kuitun_truth(seed: int = DEFAULT_SEED) -> KuitunTruth:
    """The truth behind the inputs that ``write_kuitun_inputs`` writes for the same seed."""
    terrain = kuitun_terrain()
    years = tuple(_year_truth(true, terrain.surface_m, terrain.mask) for true in true_years(seed))
    points = tuple(
        PointTruth(
            point_id=site.name,
            year=year,
            elevation_m=site.elevation_m,
            annual_m_we=site.annual_m_we[year],
            winter_m_we=site.winter_m_we[year],
        )
        for group in sites(seed)
        for site in group
        for year in sorted(site.annual_m_we)
    )
    return KuitunTruth(
        grid=terrain.grid,
        surface_m=terrain.surface_m,
        mask=terrain.mask,
        area_km2=terrain.outline.area / 1e6,
        years=years,
        points=points,
    )


def _year_truth(true: TrueYear, surface_m: FloatArray, mask: BoolArray) -> YearTruth:
    ela_m, position = _equilibrium_line(surface_m[mask], true.annual_m_we[mask])
    return YearTruth(
        year=true.year,
        begin=true.begin,
        midseason=true.midseason,
        end=true.end,
        annual_field_m_we=true.annual_m_we,
        winter_field_m_we=true.winter_m_we,
        summer_field_m_we=true.summer_m_we,
        annual_m_we=float(true.annual_m_we[mask].mean()),
        winter_m_we=float(true.winter_m_we[mask].mean()),
        summer_m_we=float(true.summer_m_we[mask].mean()),
        ela_m=ela_m,
        ela_position=position,
        aar=float((true.annual_m_we[mask] >= 0).mean()),
    )


def _equilibrium_line(elevation_m: FloatArray, balance_m_we: FloatArray) -> tuple[float, str]:
    """Highest upward zero crossing of the mean balance of 20 m bands, by straight lines between band means."""
    band = np.floor(elevation_m / _BAND_M).astype(int)
    numbers = np.unique(band)
    height = np.array([elevation_m[band == number].mean() for number in numbers])
    balance = np.array([balance_m_we[band == number].mean() for number in numbers])
    crossing = np.flatnonzero((balance[:-1] < 0) & (balance[1:] >= 0))
    if crossing.size:
        below = int(crossing[-1])
        step = balance[below] / (balance[below] - balance[below + 1])
        return float(height[below] + step * (height[below + 1] - height[below])), "="
    if balance[-1] < 0:
        return float(elevation_m.max()), ">"
    return float(elevation_m.min()), "<"


def write_kuitun_truth(folder: Path, seed: int = DEFAULT_SEED) -> None:
    """Write the truth apart from the inputs: ``kuitun51_truth.npz`` (fields) and ``kuitun51_truth.json`` (means)."""
    folder.mkdir(parents=True, exist_ok=True)
    truth = kuitun_truth(seed)
    fields: dict[str, NDArray[Any]] = {f"annual_{year.year}": year.annual_field_m_we for year in truth.years}
    fields |= {f"winter_{year.year}": year.winter_field_m_we for year in truth.years}
    fields |= {"surface": truth.surface_m, "mask": truth.mask}
    np.savez_compressed(folder / "kuitun51_truth.npz", allow_pickle=False, **fields)
    rows = [
        {
            "year": year.year,
            "begin": year.begin.isoformat(),
            "end": year.end.isoformat(),
            "annual_m_we": year.annual_m_we,
            "winter_m_we": year.winter_m_we,
            "summer_m_we": year.summer_m_we,
            "ela_m": year.ela_m,
            "ela_position": year.ela_position,
            "aar": year.aar,
        }
        for year in truth.years
    ]
    text = json.dumps({"synthetic": True, "area_km2": truth.area_km2, "years": rows}, indent=1)
    (folder / "kuitun51_truth.json").write_text(text + "\n", encoding="utf-8", newline="\n")
