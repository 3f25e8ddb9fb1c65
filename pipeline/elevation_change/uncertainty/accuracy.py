"""Relative accuracy over stable terrain, overall and by terrain class, after every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import inf, prod, radians, tan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.elevation_change.statistics import (
    CHUNK,
    FINE_BINS,
    Bins,
    IntArray,
    Tally,
    moments,
    rebinned,
    statistics_of,
)
from pipeline.grid import BoolArray, FloatArray
from schemas.tables import ACCURACY

ClassNumbers = NDArray[np.uint8]

SLOPE_EDGES_DEG = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 90.0)
ASPECT_EDGES_DEG = tuple(45.0 * number for number in range(9))
ELEVATION_STEP_M = 200.0
CURVATURE_CLASSES = 6
# the histogram of one class is coarser than that of all pixels: so many bins become one
FINE_PER_CLASS_BIN = 16
CLASS_BINS = FINE_BINS // FINE_PER_CLASS_BIN


@dataclass(frozen=True)
class Classes:
    """The classes of one terrain attribute.

    Attributes
    ----------
    edges : of n classes n + 1 edges, increasing. An infinite first or last edge leaves the class open; the table then
        gives the lowest or highest value met.
    """

    name: str
    unit: str
    edges: tuple[float, ...]

    @property
    def count(self) -> int:
        return len(self.edges) - 1

    def numbers(self, values: FloatArray) -> ClassNumbers:
        """Number of the class of each value, from 1; 0 for NaN and beyond the edges. The last class holds its end.

        Parameters
        ----------
        values : any shape, in the attribute's unit; NaN where it is not known.
        """
        return class_numbers(values, self.edges)


def class_numbers(values: FloatArray, edges: tuple[float, ...]) -> ClassNumbers:
    """How many of the edges each value has reached, and 0 above the last; shaped like the values.

    Parameters
    ----------
    values : any shape.
    edges : rising, in the unit of the values.
    """
    result = np.zeros(values.shape, np.uint8)
    reached = np.empty(values.shape, bool)
    for edge in edges[:-1]:
        np.greater_equal(values, edge, out=reached)
        result += reached.view(np.uint8)
    if edges[-1] < inf:
        np.less_equal(values, edges[-1], out=reached)
        result *= reached.view(np.uint8)
    return result


def slope_class_numbers(gradient_east: FloatArray, gradient_north: FloatArray) -> ClassNumbers:
    """Classes of ``SLOPE_EDGES_DEG`` by the square of the slope's tangent, which saves the arctangent.

    Parameters
    ----------
    gradient_east, gradient_north : m per m, any one shape.
    """
    squared = gradient_east * gradient_east
    squared += gradient_north * gradient_north
    # no slope is beyond a right angle, the last edge
    edges = [tan(radians(edge)) ** 2 for edge in SLOPE_EDGES_DEG[:-1]]
    return class_numbers(squared, (*edges, inf))


def aspect_class_numbers(gradient_east: FloatArray, gradient_north: FloatArray) -> ClassNumbers:
    """Classes of ``ASPECT_EDGES_DEG`` by comparing both components, which saves the arctangent; 0 on level ground.

    Parameters
    ----------
    gradient_east, gradient_north : m per m, any one shape.
    """
    # the way down; its western half is turned round to the eastern one, four classes on
    western = gradient_east > 0
    western |= (gradient_east == 0) & (gradient_north > 0)
    turn = np.where(western, np.float32(1), np.float32(-1))
    east, north = gradient_east * turn, gradient_north * turn
    result = (east >= north).view(np.uint8) + (north <= 0).view(np.uint8)
    np.negative(north, out=north)
    result += (north >= east).view(np.uint8)
    result += western.view(np.uint8) << np.uint8(2)
    result += np.uint8(1)
    sloping = np.abs(east)
    sloping += np.abs(north)
    result *= (sloping > 0).view(np.uint8)
    return result


@dataclass(frozen=True)
class BlockTerrain:
    """The terrain of a block, arrays of one shape.

    Attributes
    ----------
    elevation : m. gradient_east, gradient_north : m per m. curvature : maximum curvature, (100 m)-1.
    """

    elevation: FloatArray
    gradient_east: FloatArray
    gradient_north: FloatArray
    curvature: FloatArray


@dataclass(frozen=True, kw_only=True)
class AccuracyPlan:
    """What is tallied: the classes of each attribute and the bins of each step; chosen beforehand from a sample."""

    slope: Classes
    aspect: Classes
    elevation: Classes
    curvature: Classes
    bins: Mapping[str, Bins]

    def __post_init__(self) -> None:
        if any(bins.count != FINE_BINS for bins in self.bins.values()):
            raise ValueError(f"the bins of every step must number {FINE_BINS}")

    @property
    def attributes(self) -> tuple[Classes, ...]:
        return self.slope, self.aspect, self.elevation, self.curvature

    @property
    def table_shape(self) -> tuple[int, ...]:
        """Classes of each attribute, one more for pixels in none."""
        return tuple(attribute.count + 1 for attribute in self.attributes)

    def numbers(self, terrain: BlockTerrain) -> tuple[ClassNumbers, ...]:
        """Class of each pixel by each attribute.

        Parameters
        ----------
        terrain : gradient, curvature and elevation of a block, shape (rows, columns) each.
        """
        slopes = terrain.gradient_east, terrain.gradient_north
        return (
            slope_class_numbers(*slopes),
            aspect_class_numbers(*slopes),
            self.elevation.numbers(terrain.elevation),
            self.curvature.numbers(terrain.curvature),
        )


def accuracy_plan(
    lowest_m: float, highest_m: float, curvature: FloatArray, steps: Mapping[str, FloatArray]
) -> AccuracyPlan:
    """Classes of slope, aspect, elevation (200 m) and maximum curvature (sixths of a sample), and bins for each step.

    Parameters
    ----------
    lowest_m, highest_m : of the stable terrain, or of a sample of it: one more class stands on either side.
    curvature : of a sample of stable terrain, any shape, (100 m)-1.
    steps : step name to dh of a sample of stable terrain, any shape, m.
    """
    lowest = np.floor(lowest_m / ELEVATION_STEP_M) - 1
    heights = ELEVATION_STEP_M * np.arange(lowest, np.floor(highest_m / ELEVATION_STEP_M) + 3)
    known = curvature[np.isfinite(curvature)]
    sixths = np.linspace(0, 100, CURVATURE_CLASSES + 1)[1:-1]
    bends = np.unique(np.round(np.percentile(known, sixths), 3)) if known.size else np.empty(0)
    return AccuracyPlan(
        slope=Classes("slope", "degree", SLOPE_EDGES_DEG),
        aspect=Classes("aspect", "degree", ASPECT_EDGES_DEG),
        elevation=Classes("elevation", "m", tuple(float(edge) for edge in heights)),
        curvature=Classes("curvature", "(100 m)-1", (-inf, *(float(edge) for edge in bends), inf)),
        bins={step: Bins.spanning(sample) for step, sample in steps.items()},
    )


@dataclass(frozen=True)
class AccuracyTally:
    """Elevation differences of stable pixels, tallied overall and by class; tallies of one plan add up.

    Attributes
    ----------
    overall : step to the tally of all pixels.
    by_class : step to one tally an attribute, each of the shape (classes + 1,); number 0 holds pixels in no class.
    curvature_range : lowest and highest curvature met; infinite and reversed where none was.
    """

    plan: AccuracyPlan
    overall: Mapping[str, Tally]
    by_class: Mapping[str, tuple[Tally, ...]]
    curvature_range: tuple[float, float]

    def __add__(self, other: AccuracyTally) -> AccuracyTally:
        return AccuracyTally(
            self.plan,
            {step: tallied + other.overall[step] for step, tallied in self.overall.items()},
            {
                step: tuple(ours + theirs for ours, theirs in zip(tallies, other.by_class[step], strict=True))
                for step, tallies in self.by_class.items()
            },
            (
                min(self.curvature_range[0], other.curvature_range[0]),
                max(self.curvature_range[1], other.curvature_range[1]),
            ),
        )


def tally_accuracy(
    plan: AccuracyPlan, steps: Mapping[str, FloatArray], judged: BoolArray, terrain: BlockTerrain
) -> AccuracyTally:
    """Tally a block's elevation differences after every step, overall and by class of each terrain attribute.

    Parameters
    ----------
    steps : step name, as in the plan, to dh, m; finite where judged.
    judged : stable pixels; shaped like dh and the terrain, (rows, columns) or (pixels,).
    """
    sums = {step: _Sums(plan, bins) for step, bins in plan.bins.items()}
    lowest, highest = inf, -inf
    rows = max(1, CHUNK // max(1, prod(judged.shape[1:])))
    for start in range(0, judged.shape[0], rows):
        part = slice(start, start + rows)
        mask = judged[part]
        here = BlockTerrain(
            *(
                values[part][mask]
                for values in (terrain.elevation, terrain.gradient_east, terrain.gradient_north, terrain.curvature)
            )
        )
        classed = _Classed.of(plan, here)
        for step, summed in sums.items():
            summed.add(steps[step][part][mask], classed)
        # fmin and fmax leave NaN aside
        lowest = float(np.fmin.reduce(here.curvature, initial=lowest))
        highest = float(np.fmax.reduce(here.curvature, initial=highest))
    return AccuracyTally(
        plan,
        {step: summed.overall() for step, summed in sums.items()},
        {step: summed.by_class() for step, summed in sums.items()},
        (lowest, highest),
    )


@dataclass(frozen=True)
class _Classed:
    """Classes of some pixels: first histogram bin of each pixel's class, by attribute, and its place in the table."""

    first_bins: tuple[IntArray, ...]
    place: IntArray

    @classmethod
    def of(cls, plan: AccuracyPlan, terrain: BlockTerrain) -> _Classed:
        numbers = [number.astype(np.int64) for number in plan.numbers(terrain)]
        place = numbers[0]
        for number, size in zip(numbers[1:], plan.table_shape[1:], strict=True):
            place = place * size + number
        return cls(tuple(number * CLASS_BINS for number in numbers), place)


class _Sums:
    """Running sums of one step.

    The moments are summed in a table over all attributes at once, one pass for all of them; the histograms apart.
    """

    def __init__(self, plan: AccuracyPlan, bins: Bins) -> None:
        self._shape, self._bins, self._class_bins = plan.table_shape, bins, bins.merged(FINE_PER_CLASS_BIN)
        self._table = np.zeros((3, prod(self._shape)))
        self._histogram = np.zeros(FINE_BINS, np.int64)
        self._class_histograms = [np.zeros(size * CLASS_BINS, np.int64) for size in self._shape]

    def add(self, values: FloatArray, classed: _Classed) -> None:
        number = self._bins.numbers(values)
        self._histogram += np.bincount(number, minlength=FINE_BINS)
        number //= FINE_PER_CLASS_BIN
        for attribute, first in enumerate(classed.first_bins):
            counts = self._class_histograms[attribute]
            counts += np.bincount(first + number, minlength=counts.size)
        for row, moment in enumerate(moments(values)):
            self._table[row] += np.bincount(classed.place, moment, minlength=prod(self._shape))

    def overall(self) -> Tally:
        total, squares, absolutes = self._table.sum(axis=1)
        return Tally(
            bins=self._bins,
            count=self._histogram.sum(),
            total=total,
            squares=squares,
            absolutes=absolutes,
            histogram=self._histogram,
        )

    def by_class(self) -> tuple[Tally, ...]:
        table = self._table.reshape(3, *self._shape)
        return tuple(self._of_attribute(axis, table) for axis in range(len(self._shape)))

    def _of_attribute(self, axis: int, table: FloatArray) -> Tally:
        histogram = self._class_histograms[axis].reshape(self._shape[axis], CLASS_BINS)
        others = tuple(other + 1 for other in range(len(self._shape)) if other != axis)
        total, squares, absolutes = table.sum(axis=others)
        return Tally(
            bins=self._class_bins,
            count=histogram.sum(axis=1),
            total=total,
            squares=squares,
            absolutes=absolutes,
            histogram=histogram,
        )


def accuracy_table_of(tallied: AccuracyTally) -> pd.DataFrame:
    """Statistics of dh after every step, overall and by class, shaped as ``schemas.tables.ACCURACY``.

    A class without pixels has no row.

    Parameters
    ----------
    tallied : counted over all stable pixels, m.
    """
    rows = []
    for step, overall in tallied.overall.items():
        whole = {"step": step, "class": "all", "lower": 0.0, "upper": 0.0, "unit": ""}
        rows.append({**whole, **asdict(statistics_of(overall))})
        for attribute, classes in zip(tallied.plan.attributes, tallied.by_class[step], strict=True):
            edges = _finite_edges(attribute, tallied.curvature_range)
            for number in range(1, attribute.count + 1):
                if classes.count[number]:
                    limits = {"lower": edges[number - 1], "upper": edges[number], "unit": attribute.unit}
                    statistics = asdict(statistics_of(classes[number]))
                    rows.append({"step": step, "class": attribute.name, **limits, **statistics})
    return pd.DataFrame(rows)[list(ACCURACY.column_names)]


def _finite_edges(attribute: Classes, extremes: tuple[float, float]) -> tuple[float, ...]:
    """The edges of the table: an open end stands at the extreme value met, to a thousandth."""
    ends = {-inf: np.floor(extremes[0] * 1000) / 1000, inf: np.ceil(extremes[1] * 1000) / 1000}
    return tuple(float(ends.get(edge, edge)) for edge in attribute.edges)


def histogram_numbers(tallied: AccuracyTally, bins: int = 120) -> dict[str, FloatArray | IntArray]:
    """The histograms of dh for a figure: common edges around the first step's spread, and counts of every step.

    Parameters
    ----------
    tallied : counted over all stable pixels, m.
    bins : of the figure.

    Returns
    -------
    "edges_m", shape (bins + 1,), and for each step its counts, shape (bins,).
    """
    first = statistics_of(next(iter(tallied.overall.values())))
    centre, spread = first.median_m, max(first.nmad_m, 0.1)
    edges = np.linspace(min(0.0, centre) - 5 * spread, max(0.0, centre) + 5 * spread, bins + 1)
    return {"edges_m": edges, **{step: rebinned(overall, edges) for step, overall in tallied.overall.items()}}
