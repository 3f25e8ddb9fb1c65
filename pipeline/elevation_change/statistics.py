"""Robust and plain statistics of an elevation difference."""

from __future__ import annotations

import numpy as np

from pipeline.elevation_change.result import Statistics
from pipeline.grid import BoolArray, FloatArray

# makes the median absolute deviation of a normal distribution its standard deviation
NMAD_FACTOR = 1.4826


def nmad(values: FloatArray) -> float:
    """Normalised median absolute deviation, 1.4826 median(|x - median(x)|) (Hoehle and Hoehle, 2009, eq. 7)."""
    return float(NMAD_FACTOR * np.median(np.abs(values - np.median(values))))


def statistics(values: FloatArray) -> Statistics:
    """Statistics of finite differences in m; an empty array gives NaN and count 0.

    LE90 is the 90th percentile of the absolute difference (Hoehle and Hoehle, 2009).
    """
    if values.size == 0:
        return Statistics(0, *([float("nan")] * 7))
    wide = values.astype(np.float64)
    absolute = np.abs(wide)
    return Statistics(
        count=int(wide.size),
        mean_m=float(wide.mean()),
        mean_absolute_m=float(absolute.mean()),
        median_m=float(np.median(wide)),
        std_m=float(wide.std()),
        nmad_m=nmad(wide),
        rmse_m=float(np.sqrt(np.mean(wide**2))),
        le90_m=float(np.percentile(absolute, 90)),
    )


def thinned(values: FloatArray, least: int = 400_000) -> FloatArray:
    """Every k-th value, at least ``least`` of them: medians of so many are known to a thousandth of their spread."""
    return values[:: max(1, values.size // least)]


def within_nmad(values: FloatArray, mask: BoolArray, limit: float, rounds: int = 5) -> BoolArray:
    """The pixels of ``mask`` whose value lies within ``limit`` NMAD of the median, iterated until none more leaves.

    Median and NMAD of very many pixels are taken from evenly spaced ones.

    Parameters
    ----------
    values : any shape, m; NaN is never kept.
    mask : the same shape.
    limit : in NMAD.
    """
    candidate: BoolArray = mask & np.isfinite(values)
    chosen = values[candidate]
    kept = np.ones(chosen.size, bool)
    for _ in range(rounds):
        inside = thinned(chosen[kept])
        if inside.size == 0:
            break
        centre, spread = float(np.median(inside)), nmad(inside)
        narrowed = kept & (np.abs(chosen - centre) <= limit * max(spread, 1e-6))
        if narrowed.sum() == kept.sum():
            break
        kept = narrowed
    candidate[candidate] = kept
    return candidate
