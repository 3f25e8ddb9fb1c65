"""The net-balance contour method: the area between isolines times the middle of their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import contourpy
import numpy as np
import shapely
from shapely.geometry import MultiLineString, Polygon
from shapely.geometry.base import BaseGeometry

from pipeline.grid import FloatArray, Grid
from pipeline.mass_balance.result import Isoline


@dataclass(frozen=True)
class BalanceClass:
    """The part of the glacier between two isolines: its bounds (m w.e.) and area (m2, or any measure of area)."""

    lower_m_we: float
    upper_m_we: float
    area: float

    @property
    def middle_m_we(self) -> float:
        """Middle of the class (m w.e.)."""
        return (self.lower_m_we + self.upper_m_we) / 2


def class_levels(lowest: float, highest: float, interval: float) -> FloatArray:
    """Isoline values at multiples of the interval that enclose a range; at least two.

    Parameters
    ----------
    lowest, highest : m w.e.
    interval : m w.e.

    Example
    -------
    >>> class_levels(-0.35, 0.25, 0.2).round(1).tolist()
    [-0.4, -0.2, 0.0, 0.2, 0.4]
    """
    first, last = np.floor(lowest / interval), np.ceil(highest / interval)
    return np.round(np.arange(first, max(last, first + 1) + 1) * interval, 10)


def classes_of_outline(
    grid: Grid, balance_m_we: FloatArray, outline: BaseGeometry, interval: float
) -> list[BalanceClass]:
    """The classes of a field inside an outline, by the polygons between isolines (m2).

    ``balance_m_we`` has the grid's shape and must reach over the outline by a pixel; NaN draws no isoline.

    Parameters
    ----------
    grid : in metres.
    balance_m_we : shape grid.shape; must reach over the outline by a pixel.
    outline : in the grid's CRS.
    interval : between isolines, m w.e.
    """
    contours = _contours(grid, balance_m_we)
    shapely.prepare(outline)
    levels = class_levels(float(np.nanmin(balance_m_we)), float(np.nanmax(balance_m_we)), interval)
    classes = []
    for lower, upper in pairwise(levels):
        between = _filled(contours, float(lower), float(upper))
        area = sum(shapely.intersection(shapely.make_valid(part), outline).area for part in between)
        if area > 0:
            classes.append(BalanceClass(float(lower), float(upper), float(area)))
    return classes


def contour_balance(classes: Sequence[BalanceClass]) -> float:
    """B = sum(A_i b_i) / sum(A_i), b_i the middle of each class (m w.e.).

    References: Ostrem and Brugman (1991), chapter 6; Cogley et al. (2011), 'contour method'.

    Parameters
    ----------
    classes : between two isolines each, with their area.
    """
    return sum(part.area * part.middle_m_we for part in classes) / sum(part.area for part in classes)


def isolines(grid: Grid, balance_m_we: FloatArray, outline: BaseGeometry, interval: float) -> tuple[Isoline, ...]:
    """Lines of equal balance at multiples of the interval, clipped to the outline, lowest first.

    Parameters
    ----------
    grid : in metres.
    balance_m_we : shape grid.shape.
    outline : in the grid's CRS.
    interval : between isolines, m w.e.
    """
    contours = _contours(grid, balance_m_we)
    levels = class_levels(float(np.nanmin(balance_m_we)), float(np.nanmax(balance_m_we)), interval)
    lines = []
    for level in levels:
        parts = [part for part in _lines(contours, float(level)) if len(part) > 1]
        clipped = shapely.intersection(MultiLineString(parts), outline)
        if not clipped.is_empty and clipped.length > 0:
            lines.append(Isoline(float(level), clipped))
    return tuple(lines)


def _contours(grid: Grid, balance_m_we: FloatArray) -> contourpy.ContourGenerator:
    easting, northing = grid.centres()
    return contourpy.contour_generator(
        easting,
        northing[::-1],
        np.ma.masked_invalid(balance_m_we[::-1]),
        name="serial",
        fill_type="OuterOffset",
        line_type="Separate",
    )


def _filled(contours: contourpy.ContourGenerator, lower: float, upper: float) -> list[Polygon]:
    """The polygons between two isolines."""
    points, offsets, *_ = contours.filled(lower, upper)
    return [
        _polygon(np.asarray(ring), np.asarray(splits))
        for ring, splits in zip(points, offsets, strict=True)
        if ring is not None and splits is not None
    ]


def _lines(contours: contourpy.ContourGenerator, level: float) -> list[FloatArray]:
    """The lines of one level, each shape (points, 2)."""
    return [np.asarray(line, float) for line in contours.lines(level)]


def _polygon(points: FloatArray, offsets: FloatArray) -> Polygon:
    """A polygon with holes from contourpy's outer ring and holes, laid end to end."""
    rings = [points[start:stop] for start, stop in pairwise(offsets)]
    return Polygon(rings[0], [ring for ring in rings[1:] if len(ring) > 3])
