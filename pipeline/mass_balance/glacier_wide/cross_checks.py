"""Other ways from point balances to the glacier's balance: they are published beside the chosen one, never for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.grid import FloatArray
from pipeline.mass_balance.ground import Hypsometry

# points that a parabola and a line with a bend need at least, and the spread of elevation (m) that supports a fit
_QUADRATIC_POINTS, _PIECEWISE_POINTS, _SPREAD_M = 5, 7, 20.0
# index stakes: read in this share of the years, so many of them, judged over at least so many years
_INDEX_SHARE, _INDEX_STAKES, _INDEX_YEARS = 0.9, 3, 5


def quadratic_balance(hypsometry: Hypsometry, elevation_m: FloatArray, balance_m_we: FloatArray) -> float | None:
    """Glacier mean (m w.e.) by a parabola of balance against elevation; None with fewer than five points.

        b(z) = a_0 + a_1 z + a_2 z^2,    B = sum(A_i b(z_i)) / sum(A_i)

    Beyond the lowest and the highest point the parabola goes on as a straight line, its tangent there: a parabola
    turns round where nothing holds it.

    References: Fountain and Vecchia (1999), Geogr. Ann. 81A(4), quadratic regression.

    Parameters
    ----------
    hypsometry : area of each band, km2.
    elevation_m, balance_m_we : of the points, shape (points,).
    """
    if elevation_m.size < _QUADRATIC_POINTS or np.ptp(elevation_m) < _SPREAD_M:
        return None
    origin = float(elevation_m.mean())
    curve = np.polynomial.Polynomial.fit(elevation_m - origin, balance_m_we, 2)
    inside = np.clip(hypsometry.middle_m, elevation_m.min(), elevation_m.max())
    values = curve(inside - origin) + curve.deriv()(inside - origin) * (hypsometry.middle_m - inside)
    return _mean(hypsometry, values)


def piecewise_balance(hypsometry: Hypsometry, elevation_m: FloatArray, balance_m_we: FloatArray) -> float | None:
    """Glacier mean (m w.e.) by a line with one bend, by least squares; None with fewer than seven points.

        b(z) = a_0 + a_1 z + a_2 max(0, z - z_0),    B = sum(A_i b(z_i)) / sum(A_i)

    The bend is sought between the third lowest and the third highest point: either slope rests on three points.

    References: Fountain and Vecchia (1999), Geogr. Ann. 81A(4), piecewise linear spline.

    Parameters
    ----------
    hypsometry : area of each band, km2.
    elevation_m, balance_m_we : of the points, shape (points,).
    """
    ordered = np.sort(elevation_m)
    if elevation_m.size < _PIECEWISE_POINTS or ordered[-3] - ordered[2] < _SPREAD_M:
        return None
    best: tuple[float, FloatArray, float] | None = None
    for bend in np.linspace(ordered[2], ordered[-3], 41):
        matrix = _two_lines(elevation_m, float(bend))
        terms, *_ = np.linalg.lstsq(matrix, balance_m_we, rcond=None)
        left = float(np.sum((balance_m_we - matrix @ terms) ** 2))
        if best is None or left < best[0] - 1e-12:
            best = left, terms, float(bend)
    if best is None:
        return None
    return _mean(hypsometry, _two_lines(hypsometry.middle_m, best[2]) @ best[1])


def _two_lines(elevation_m: FloatArray, bend_m: float) -> FloatArray:
    above = elevation_m - bend_m
    return np.column_stack([np.ones_like(above), np.minimum(above, 0.0), np.maximum(above, 0.0)])


def _mean(hypsometry: Hypsometry, values: FloatArray) -> float:
    return float(hypsometry.area_km2 @ values / hypsometry.total_km2)


def gradient_of(elevation_m: FloatArray, balance_m_we: FloatArray) -> float | None:
    """Least-squares balance gradient (m w.e. per 100 m); None for fewer than three points or points at one height.

    Parameters
    ----------
    elevation_m, balance_m_we : of the points, shape (points,).

    Example
    -------
    >>> round(gradient_of(np.array([3500.0, 3600.0, 3700.0]), np.array([-2.0, -1.5, -1.0])), 6)
    0.5
    """
    if elevation_m.size < 3 or np.ptp(elevation_m) < _SPREAD_M:
        return None
    return float(100 * np.polyfit(elevation_m - elevation_m.mean(), balance_m_we, 1)[0])


@dataclass(frozen=True)
class IndexYear:
    """A year for the index-stake method: the glacier-wide balance, and each stake's balance (m w.e.)."""

    balance_m_we: float
    stakes: Mapping[str, float]


def index_stakes(elevation_of: Mapping[str, float], years: Sequence[Mapping[str, float]]) -> tuple[str, ...]:
    """The index stakes of a network: of those read in nine of ten years, three spread evenly over the elevations.

    Parameters
    ----------
    elevation_of : m, by stake.
    years : balance by stake, m w.e., of each year.
    """
    kept = [
        stake
        for stake in elevation_of
        if sum(stake in year for year in years) >= _INDEX_SHARE * len(years) and len(years) >= _INDEX_YEARS
    ]
    ordered = sorted(kept, key=lambda stake: (elevation_of[stake], stake))
    if len(ordered) <= _INDEX_STAKES:
        return tuple(ordered)
    places = np.linspace(0, len(ordered) - 1, 2 * _INDEX_STAKES + 1)[1::2]
    return tuple(ordered[round(float(place))] for place in places)


def index_stake_balance(year: int, years: Mapping[int, IndexYear], stakes: Sequence[str]) -> float | None:
    """Balance of a year (m w.e.) from its index stakes and from how they and the glacier went in the other years.

    The glacier's departure from its mean is regressed on that of the index stakes over the other years, so that the
    year's own glacier-wide balance has no part in it. None with fewer than five other years, or without an index stake.

    Parameters
    ----------
    year : whose balance is asked for.
    years : by year, the glacier's balance and those of its stakes, m w.e.
    stakes : the index stakes.
    """
    others = [other for number, other in years.items() if number != year]
    own = years[year].stakes
    known = [stake for stake in stakes if stake in own and any(stake in other.stakes for other in others)]
    if len(others) < _INDEX_YEARS or not known:
        return None
    mean_of = {stake: np.mean([o.stakes[stake] for o in others if stake in o.stakes]) for stake in known}

    def departure(of: Mapping[str, float]) -> float:
        present = [stake for stake in known if stake in of]
        return float(np.mean([of[stake] - mean_of[stake] for stake in present])) if present else 0.0

    at = np.array([departure(other.stakes) for other in others])
    glacier = np.array([other.balance_m_we for other in others])
    centred = at - at.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (glacier - glacier.mean())) / spread if spread > 1e-9 else 1.0
    return float(glacier.mean() + slope * (departure(own) - at.mean()))
