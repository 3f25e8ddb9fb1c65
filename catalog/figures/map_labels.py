"""Where words stand on a map: none over another, over a mark, or beyond the edge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.font_manager import FontProperties
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray
from shapely.geometry import LineString
from shapely.geometry.base import BaseGeometry

from catalog.figures.colours import PAPER
from pipeline.grid import FloatArray

_HALO_POINTS = 2.2
_HALO = [withStroke(linewidth=_HALO_POINTS, foreground=PAPER)]
_UNTYPED_RENDERER: Any = RendererAgg
# a point's label: so far from it (points), at one of its corners, then above or below it
_OFFSET = (5.0, 4.0)
_MARK_POINTS = 3.5  # half the width of a point's mark with its edge
_PLACES = np.linspace(0.1, 0.9, 33)  # along a line, as shares of its length
_LEAST_LENGTH = 1.3  # of a line, in widths of its label
_STRAIGHT = 0.98  # a label stands where the line is as straight as this share of its straightest place

Boxes = NDArray[np.object_]


class LabelSheet:
    """The labels of one map, each written where it covers nothing that was written before it.

    All places are in dots of the figure, so the axes' limits must be fixed.

    Parameters
    ----------
    axes : of the map.
    marks : what must not be covered: (easting, northing) of each, shape (count, 2).
    lines : what labels keep away from where they can.
    """

    def __init__(self, axes: Any, marks: FloatArray, lines: Sequence[BaseGeometry] = ()) -> None:
        self._axes = axes
        self._dots = float(axes.get_figure().dpi) / 72  # of a point
        self._renderer = _UNTYPED_RENDERER(10, 10, 72 * self._dots)
        self._edge = shapely.box(*axes.get_window_extent().extents)
        half = _MARK_POINTS * self._dots
        x, y = self._placed(marks).T
        boxes = shapely.box(x - half, y - half, x + half, y + half)
        self._taken: Boxes = np.concatenate(
            [
                boxes,
                [
                    LineString(self._placed(shapely.get_coordinates(part)))
                    for line in lines
                    for part in shapely.get_parts(line)
                ],
            ]
        )

    def write_beside(self, place: tuple[float, float], text: str, size: float) -> None:
        """Write next to a mark, at its upper right where that is free, else where it covers least.

        A mark beyond the map has no label.
        """
        (at,) = self._placed(np.array([place], float))
        if not shapely.intersects_xy(self._edge, *at):
            return
        middles, width, height = self._around(at, self._size(text, size, bold=False))
        boxes = _turned(middles, (width, height), np.zeros(len(middles)))
        chosen = int(np.argmin(self._covered(boxes)))
        self._write(text, middles[chosen], 0.0, boxes[chosen], size, bold=False)

    def write_along(self, line: BaseGeometry, text: str, size: float, *, must: bool) -> None:
        """Write on the longest part of a line, where that is straight and farthest from all else on the map.

        Where it would cover something everywhere, or is longer than the line, it is left out, unless it ``must`` be
        written; such a label is bold.
        """
        parts = [part for part in shapely.get_parts(line) if part.geom_type == "LineString" and part.length > 0]
        if not parts:
            return
        longest = max(parts, key=lambda part: float(part.length))
        drawn = LineString(self._placed(shapely.get_coordinates(longest)))
        width, height = self._size(text, size, bold=must)
        if drawn.length < _LEAST_LENGTH * width and not must:
            return
        middles, angles, straightness = _directions(drawn, width)
        boxes = _turned(middles, (width, height), angles)
        covered = self._covered(boxes)
        if covered.min() > 0 and not must:
            return
        best = np.flatnonzero(covered <= covered.min() + 1e-6)
        best = best[straightness[best] >= _STRAIGHT * straightness[best].max()]
        free = self._distances(boxes[best]) if len(self._taken) else -np.abs(_PLACES[best] - 0.5)
        chosen = best[int(np.argmax(free))]
        self._write(text, middles[chosen], float(angles[chosen]), boxes[chosen], size, bold=must)

    def _placed(self, positions: FloatArray) -> FloatArray:
        placed: FloatArray = self._axes.transData.transform(positions).reshape(-1, 2)
        return placed

    def _size(self, text: str, size: float, *, bold: bool) -> tuple[float, float]:
        """Width and height of a text with its halo."""
        font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
        width, height, _ = self._renderer.get_text_width_height_descent(text, font, ismath=False)
        halo = _HALO_POINTS * self._dots
        return width + halo, height + halo

    def _around(self, at: FloatArray, size: tuple[float, float]) -> tuple[FloatArray, float, float]:
        """Where the middle of a label of that size may stand about a mark, the best first."""
        width, height = size
        right, up = (offset * self._dots for offset in _OFFSET)
        aside, above = right + width / 2, up + height / 2 - _HALO_POINTS * self._dots
        clear = right + height / 2
        steps = [(aside, above), (aside, -above), (-aside, above), (-aside, -above), (0.0, clear), (0.0, -clear)]
        return at + np.array(steps), width, height

    def _covered(self, boxes: Boxes) -> FloatArray:
        """Area of each label beyond the map, and over what is there."""
        area: FloatArray = shapely.area(boxes) - shapely.area(shapely.intersection(boxes, self._edge))
        area[area < 1e-6 * shapely.area(boxes)] = 0  # rounding
        over, under = np.nonzero(shapely.intersects(boxes[:, np.newaxis], self._taken))
        np.add.at(area, over, shapely.area(shapely.intersection(boxes[over], self._taken[under])))
        return area

    def _distances(self, boxes: Boxes) -> FloatArray:
        nearest: FloatArray = shapely.distance(boxes[:, np.newaxis], self._taken).min(axis=1)
        return nearest

    def _write(
        self, text: str, at: FloatArray, angle_deg: float, covers: BaseGeometry, size: float, *, bold: bool
    ) -> None:
        self._taken = np.concatenate([self._taken, [covers]])
        easting, northing = self._axes.transData.inverted().transform(at)
        self._axes.text(
            easting, northing, text, rotation=angle_deg, ha="center", va="center", fontsize=size, zorder=6,
            fontweight="bold" if bold else "normal", path_effects=_HALO, clip_on=True,
        )  # fmt: skip


def _directions(line: LineString, width: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places for a text of that width along a line, (count, 2), directions in degrees, and how straight the line is.

    No text stands upside down; straightness is the chord below the text over its width.
    """
    along = _PLACES * line.length
    before, at, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(line, np.clip(along + step, 0, line.length)))
        for step in (-width / 2, 0, width / 2)
    )
    aside, up = (after - before).T
    return at, (np.degrees(np.arctan2(up, aside)) + 90) % 180 - 90, np.hypot(aside, up) / width


def _turned(middles: FloatArray, size: tuple[float, float], angles_deg: FloatArray) -> Boxes:
    """Boxes of one size about their middles, (count, 2), turned counter-clockwise."""
    upright = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * np.array(size) / 2
    cosine, sine = np.cos(np.radians(angles_deg)), np.sin(np.radians(angles_deg))
    turn = np.stack([np.stack([cosine, sine], -1), np.stack([-sine, cosine], -1)], axis=-2)
    boxes: Boxes = shapely.polygons(upright @ turn + middles[:, np.newaxis])
    return boxes
