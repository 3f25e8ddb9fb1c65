"""Robust and plain statistics of an elevation difference: of values in memory, and of any number of them in blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.elevation_change.result import Statistics
from pipeline.grid import BoolArray, FloatArray

IntArray = NDArray[np.int64]

# makes the median absolute deviation of a normal distribution its standard deviation
NMAD_FACTOR = 1.4826
# how far the bins of a histogram reach, in NMAD from the median
REACH_NMAD = 60.0
FINE_BINS = 2**16
# of fewer values than this, order statistics are taken from the place of each in the histogram
FEW_VALUES = 4096
# so many values are worked on at a time: their temporary arrays stay in the processor's cache
CHUNK = 2**17


def median(values: FloatArray) -> float:
    """What ``np.median`` gives, in a fifth of its time; NaN without values.

        x_(n/2) of the values in order, the mean of the two middle ones of an even number

    Parameters
    ----------
    values : any shape, finite.

    Example
    -------
    >>> median(np.array([4.0, 1.0, 3.0, 2.0]))
    2.5
    """
    return float(_median(values))


def _median(values: FloatArray) -> np.floating[Any]:
    """The same in the precision of the values."""
    middle = values.size // 2
    if values.size == 0:
        return np.float64(math.nan)
    # one place in order, not the three that NumPy's own median asks for, is found by vector instructions
    ordered = np.partition(values, middle, axis=None)
    both = ordered[middle : middle + 1] if values.size % 2 else np.array([ordered[:middle].max(), ordered[middle]])
    result: np.floating[Any] = np.mean(both)
    return result


def nmad(values: FloatArray) -> float:
    """Normalised median absolute deviation, 1.4826 median(|x - median(x)|) (Hoehle and Hoehle, 2009, eq. 7).

        NMAD = 1.4826 median(|x - median(x)|)

    Parameters
    ----------
    values : any shape, finite, at least one.

    Returns
    -------
    in the unit of the values; for normal ones their standard deviation.

    Example
    -------
    >>> round(nmad(np.array([1.0, 2.0, 3.0, 4.0, 100.0])), 4)
    1.4826
    """
    return float(NMAD_FACTOR * _median(np.abs(values - _median(values))))


def _nothing() -> Statistics:
    """The statistics of no values."""
    unknown = {name: math.nan for name in Statistics.__dataclass_fields__ if name != "count"}
    return Statistics(count=0, **unknown)


def statistics(values: FloatArray) -> Statistics:
    """Statistics of finite differences in m; an empty array gives NaN and count 0.

    LE90 is the 90th percentile of the absolute difference (Hoehle and Hoehle, 2009).

    Parameters
    ----------
    values : any shape, finite, m.
    """
    if values.size == 0:
        return _nothing()
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
    """Every k-th value, at least ``least`` of them: medians of so many are known to a thousandth of their spread.

    Parameters
    ----------
    values : shape (n, ...); every k-th along the first axis stays.
    least : how many stay at least, where there are so many.
    """
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
        centre, spread = median(inside), nmad(inside)
        narrowed = kept & (np.abs(chosen - centre) <= limit * max(spread, 1e-6))
        if narrowed.sum() == kept.sum():
            break
        kept = narrowed
    candidate[candidate] = kept
    return candidate


@dataclass(frozen=True)
class Range:
    """Values within ``half_width`` of the centre; NaN is never within."""

    centre: float
    half_width: float

    @classmethod
    def within_nmad(cls, values: FloatArray, limit: float, rounds: int = 5) -> Range:
        """Median and ``limit`` NMAD of values (pixels,), of what lies within them, iterated until none more leaves.

        Parameters
        ----------
        values : shape (pixels,), m.
        limit : in NMAD.
        rounds : most of the iterations.
        """
        chosen = thinned(values[np.isfinite(values)])
        narrowest = cls(0.0, np.inf)
        for _ in range(rounds):
            if chosen.size == 0:
                break
            narrowest = cls(median(chosen), limit * max(nmad(chosen), 1e-6))
            narrowed = chosen[narrowest.holds(chosen)]
            if narrowed.size == chosen.size:
                break
            chosen = narrowed
        return narrowest

    def holds(self, values: FloatArray) -> BoolArray:
        """Which values lie within; shaped like them.

        Parameters
        ----------
        values : any shape, m.
        """
        inside: BoolArray = values >= np.float32(self.centre - self.half_width)
        inside &= values <= np.float32(self.centre + self.half_width)
        return inside


@dataclass(frozen=True)
class Bins:
    """Equal bins on both sides of a value; what lies beyond them is counted in the outermost.

    Attributes
    ----------
    centre, width : in the unit of the values.
    count : an even number of bins.
    """

    centre: float
    width: float
    count: int = FINE_BINS

    def __post_init__(self) -> None:
        if not (math.isfinite(self.centre) and self.width > 0 and self.count >= 2 and self.count % 2 == 0):
            raise ValueError(f"not bins: {self.count} of width {self.width} around {self.centre}")

    @classmethod
    def spanning(cls, sample: FloatArray, count: int = FINE_BINS) -> Bins:
        """Bins that reach 60 NMAD from a sample's median, further where a hundredth of the sample lies beyond.

        Parameters
        ----------
        sample : any shape; voids in it do not count.
        """
        known = thinned(sample[np.isfinite(sample)].astype(np.float64))
        if known.size == 0:
            return cls(0.0, 2.0 * REACH_NMAD / count, count)
        centre = median(known)
        beyond = float(np.percentile(np.abs(known - centre), 99))
        # a sample without any spread still needs a width
        return cls(centre, 2 * max(REACH_NMAD * nmad(known), 1.5 * beyond, 0.01) / count, count)

    @property
    def lowest(self) -> float:
        """Lower edge of the first bin."""
        return self.centre - self.width * (self.count // 2)

    def edges(self) -> FloatArray:
        """All edges, shape (count + 1,)."""
        result: FloatArray = self.lowest + self.width * np.arange(self.count + 1)
        return result

    def numbers(self, values: FloatArray) -> IntArray:
        """Number of the bin of each value, shaped like the values, which must be finite.

            floor((x - centre) / width) + count / 2, held to 0 ... count - 1

        Parameters
        ----------
        values : finite, any shape.
        """
        place = values - self.lowest
        place *= 1 / self.width
        np.maximum(place, 0, out=place)
        np.minimum(place, self.count - 1, out=place)
        return place.astype(np.int64)

    def merged(self, by: int) -> Bins:
        """The same range in bins ``by`` times as wide.

        Parameters
        ----------
        by : divides ``count``.
        """
        return Bins(self.centre, self.width * by, self.count // by)


@dataclass(frozen=True, kw_only=True)
class Tally:
    """What is kept of any number of values: exact sums and a histogram. Tallies with the same bins add up.

    A tally of several classes holds arrays of the shape ``classes``; ``tally[i]`` is that of one class.

    Attributes
    ----------
    bins : of the histogram.
    count : number of values; shape classes.
    total, squares, absolutes : sums of the values, of their squares and of their absolutes; shape classes, float64.
    histogram : values in each bin; shape (*classes, bins.count).
    """

    bins: Bins
    count: IntArray
    total: FloatArray
    squares: FloatArray
    absolutes: FloatArray
    histogram: IntArray

    def __add__(self, other: Tally) -> Tally:
        if self.bins != other.bins or self.histogram.shape != other.histogram.shape:
            raise ValueError(f"tallies of different bins or classes do not add up: {self.bins}, {other.bins}")
        return Tally(
            bins=self.bins,
            count=self.count + other.count,
            total=self.total + other.total,
            squares=self.squares + other.squares,
            absolutes=self.absolutes + other.absolutes,
            histogram=self.histogram + other.histogram,
        )

    def __getitem__(self, number: int) -> Tally:
        return Tally(
            bins=self.bins,
            count=self.count[number],
            total=self.total[number],
            squares=self.squares[number],
            absolutes=self.absolutes[number],
            histogram=self.histogram[number],
        )


def tally(values: FloatArray, bins: Bins) -> Tally:
    """Count values into bins and add up their moments.

    Parameters
    ----------
    values : shape (n,), finite.
    """
    histogram = np.zeros(bins.count, np.int64)
    total = squares = absolutes = np.zeros(())
    for start in range(0, values.size, CHUNK):
        chunk = values[start : start + CHUNK]
        histogram += np.bincount(bins.numbers(chunk), minlength=bins.count)
        parts = moments(chunk)
        total, squares, absolutes = total + parts[0].sum(), squares + parts[1].sum(), absolutes + parts[2].sum()
    return Tally(
        bins=bins, count=np.asarray(values.size), total=total, squares=squares, absolutes=absolutes, histogram=histogram
    )


def moments(values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values, their squares and their absolutes as float64, shaped like the values.

    Parameters
    ----------
    values : any shape.
    """
    wide = values.astype(np.float64)
    return wide, np.square(wide), np.abs(wide)


def statistics_of(tallied: Tally) -> Statistics:
    """Statistics of the values behind a tally (of one class); without values NaN and count 0.

    Mean, standard deviation and RMSE come from the exact sums; median, NMAD and LE90 from the histogram, taken as
    evenly filled within each bin, which puts them off by less than a bin's width.

    Parameters
    ----------
    tallied : counts, sums and histogram of one class; m.
    """
    count = int(tallied.count)
    if count == 0:
        return _nothing()
    mean, square = float(tallied.total) / count, float(tallied.squares) / count
    median, spread, le90 = _order_statistics(tallied, count)
    return Statistics(
        count=count,
        mean_m=mean,
        mean_absolute_m=float(tallied.absolutes) / count,
        median_m=median,
        std_m=math.sqrt(max(0.0, square - mean**2)),
        nmad_m=spread,
        rmse_m=math.sqrt(square),
        le90_m=le90,
    )


def _order_statistics(tallied: Tally, count: int) -> tuple[float, float, float]:
    """Median, NMAD and 90th percentile of the absolute values."""
    cumulative = np.concatenate([[0], np.cumsum(tallied.histogram)])
    edges = tallied.bins.edges()
    if count < FEW_VALUES:
        values = np.interp(np.arange(count) + 0.5, cumulative, edges)
        return float(np.median(values)), nmad(values), float(np.percentile(np.abs(values), 90))
    median = float(np.interp(count / 2, cumulative, edges))
    spread = NMAD_FACTOR * _distance_within(edges, cumulative, median, count / 2)
    return median, spread, _distance_within(edges, cumulative, 0.0, 0.9 * (count - 1) + 0.5)


def _distance_within(edges: FloatArray, cumulative: FloatArray, about: float, number: float) -> float:
    """The distance from ``about`` within which so many of the values lie."""
    ends = np.abs(edges[[0, -1]] - about)
    nearest = 0.0 if edges[0] <= about <= edges[-1] else float(ends.min())
    distance = np.linspace(nearest, float(ends.max()), edges.size)
    within = np.interp(about + distance, edges, cumulative) - np.interp(about - distance, edges, cumulative)
    return float(np.interp(number, within, distance))


def rebinned(tallied: Tally, edges: FloatArray) -> IntArray:
    """How many of the tallied values lie between each two of ``edges``, to within the bins of the tally.

    Parameters
    ----------
    edges : shape (n + 1,), increasing.

    Returns
    -------
    Shape (n,).
    """
    cumulative = np.concatenate([[0], np.cumsum(tallied.histogram)])
    below = np.rint(np.interp(edges, tallied.bins.edges(), cumulative)).astype(np.int64)
    result: IntArray = np.diff(below)
    return result
