"""The elevations of many pixels, sorted once, so that what a year asks of them needs no look at each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.grid import FloatArray


@dataclass(frozen=True)
class SortedHeights:
    """Elevations of pixels of one size, in order, with their running sums.

    Attributes
    ----------
    values_m : lowest first, shape (pixels,).
    sums_m : sum of the first k of them, shape (pixels + 1,).
    """

    values_m: FloatArray
    sums_m: FloatArray

    @classmethod
    def of(cls, elevation_m: FloatArray) -> SortedHeights:
        """Those of some pixels, in any order, shape (pixels,)."""
        values = np.sort(np.asarray(elevation_m, float))
        return cls(values, np.concatenate([[0.0], np.cumsum(values)]))

    @property
    def count(self) -> int:
        """Number of pixels."""
        return int(self.values_m.size)

    @property
    def mean_m(self) -> float:
        """Their mean (m)."""
        return float(self.sums_m[-1]) / self.count

    def up_to(self, level_m: FloatArray) -> NDArray[np.intp]:
        """How many of them lie at each level or below it, shape of the levels."""
        return np.asarray(np.searchsorted(self.values_m, level_m, side="right"))

    def mean_above(self, level_m: float) -> float:
        """Mean over all pixels of max(z - level, 0) (m)."""
        below = int(self.up_to(np.asarray(level_m)))
        return float(self.sums_m[-1] - self.sums_m[below] - (self.count - below) * level_m) / self.count

    def mean_below(self, level_m: float) -> float:
        """Mean over all pixels of max(level - z, 0) (m)."""
        below = int(self.up_to(np.asarray(level_m)))
        return float(below * level_m - self.sums_m[below]) / self.count

    def mean_gap(self, known_m: FloatArray) -> float:
        """Mean over all pixels of the height to the nearest of some levels, 0 below the first and above the last (m).

        Parameters
        ----------
        known_m : the levels, lowest first, at least two.
        """
        middles = (known_m[1:] + known_m[:-1]) / 2
        low, middle, high = (self.up_to(levels) for levels in (known_m[:-1], middles, known_m[1:]))
        upwards = self.sums_m[middle] - self.sums_m[low] - (middle - low) * known_m[:-1]
        downwards = (high - middle) * known_m[1:] - (self.sums_m[high] - self.sums_m[middle])
        return float(np.sum(upwards) + np.sum(downwards)) / self.count

    def nearest_shares(self, known_m: FloatArray) -> FloatArray:
        """Share of all pixels between the first and the last of some levels that is nearest to each, lowest first.

        Parameters
        ----------
        known_m : the levels, lowest first, shape (levels,).
        """
        first = np.searchsorted(self.values_m, known_m[0], side="left")
        edges = np.concatenate([[first], self.up_to((known_m[1:] + known_m[:-1]) / 2), [self.up_to(known_m[-1])]])
        return np.asarray(np.diff(edges) / self.count)
