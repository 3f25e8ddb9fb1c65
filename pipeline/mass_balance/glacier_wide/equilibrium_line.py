"""Equilibrium line and accumulation-area ratio of a balance profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import FloatArray


@dataclass(frozen=True)
class EquilibriumLine:
    """Where the balance is zero.

    Attributes
    ----------
    elevation_m : its elevation; the glacier's lowest (highest) where all of it gained (lost).
    position : '=' on the glacier, '<' below its lowest, '>' above its highest point.
    crossings : how often the profile changes sign from loss to gain.
    """

    elevation_m: float
    position: str
    crossings: int


def equilibrium_line(
    lower_m: FloatArray,
    upper_m: FloatArray,
    area_km2: FloatArray,
    balance_m_we: FloatArray,
    span_m: tuple[float, float] | None = None,
    height_m: FloatArray | None = None,
) -> EquilibriumLine:
    """The equilibrium-line altitude of a profile of elevation bands, lowest first, all shape (bands,).

    Linear interpolation between the bands' elevations ``height_m`` (their middles when absent) where the balance turns
    from loss to gain; of several such places, the one that leaves the least area on the wrong side. It is never
    extrapolated off the glacier, whose lowest and highest elevation are ``span_m`` (the outer band edges when absent).

    References: Cogley et al. (2011), Glossary of glacier mass balance, 'equilibrium line'.

    Parameters
    ----------
    lower_m, upper_m : edges of the bands.
    area_km2, balance_m_we : of the bands.
    span_m : lowest and highest elevation of the glacier.
    height_m : elevation that stands for each band.
    """
    lowest, highest = span_m or (float(lower_m[0]), float(upper_m[-1]))
    held = np.isfinite(balance_m_we) & (area_km2 > 0)
    height = (lower_m + upper_m) / 2 if height_m is None else height_m
    middle, balance, area = height[held], balance_m_we[held], area_km2[held]
    upward = np.flatnonzero((balance[:-1] < 0) & (balance[1:] >= 0))
    if upward.size == 0:
        if np.sum(area * (balance >= 0)) * 2 > area.sum():
            return EquilibriumLine(lowest, "<", 0)
        return EquilibriumLine(highest, ">", 0)
    wrong = [area[: k + 1][balance[: k + 1] >= 0].sum() + area[k + 1 :][balance[k + 1 :] < 0].sum() for k in upward]
    k = int(upward[int(np.argmin(wrong))])
    share = -balance[k] / (balance[k + 1] - balance[k])
    elevation = float(middle[k] + share * (middle[k + 1] - middle[k]))
    return EquilibriumLine(elevation, "=", int(upward.size))


def accumulation_area_ratio(
    lower_m: FloatArray, upper_m: FloatArray, area_km2: FloatArray, line: EquilibriumLine
) -> float:
    """Share of the area above the equilibrium line; the band that holds the line is parted by height.

        AAR = A(z > ELA) / A

    Parameters
    ----------
    lower_m, upper_m, area_km2 : of the bands, lowest first, shape (bands,).
    line : the equilibrium line of the same profile.
    """
    if line.position != "=":
        return 1.0 if line.position == "<" else 0.0
    above = np.clip((upper_m - line.elevation_m) / (upper_m - lower_m), 0.0, 1.0)
    return float(np.sum(area_km2 * above) / np.sum(area_km2))


def zero_line(elevation_m: FloatArray, inside: NDArray[np.bool_], balance_m_we: FloatArray) -> float | None:
    """Mean elevation of the line of zero balance on the map (m); None where all of the glacier gained, or all lost.

        z_0 = mean of z_i + s (z_j - z_i),    s = b_i / (b_i - b_j)

    over all neighbours i, j of which one lost and one gained. Unlike the profile's, this line knows where on its way
    across the glacier the balance is zero; where balance differs much at one height, the two are apart.

    Parameters
    ----------
    elevation_m, balance_m_we : on the grid, shape (rows, columns).
    inside : which pixels are glacier, same shape.

    References: Cogley et al. (2011), Glossary of glacier mass balance, 'equilibrium line'.
    """
    held = inside & np.isfinite(balance_m_we)
    total, count = 0.0, 0
    for first, second in ((np.s_[:-1, :], np.s_[1:, :]), (np.s_[:, :-1], np.s_[:, 1:])):
        turns = held[first] & held[second] & ((balance_m_we[first] >= 0) != (balance_m_we[second] >= 0))
        here, there = (np.asarray(balance_m_we[part][turns], float) for part in (first, second))
        low, high = (np.asarray(elevation_m[part][turns], float) for part in (first, second))
        total += float(np.sum(low + here / (here - there) * (high - low)))
        count += int(turns.sum())
    return total / count if count else None
