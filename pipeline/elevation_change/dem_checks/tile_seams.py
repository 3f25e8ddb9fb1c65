"""Seams of a DEM: steps in height where two of its tiles meet, from a few lines on either side of each border."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from pipeline.elevation_change.dems import Mosaic, Tile, native_window, read_pixels
from pipeline.grid import FloatArray, Grid

SEAM_LIMIT_M = 1.0
# a step is told from the terrain when it is this many times what the lines off the border show
SEAM_NOISES = 4.0
# lines read on either side of a border, and the fewest places along it that say anything
LINES, FEWEST = 8, 20


@dataclass(frozen=True, kw_only=True)
class Border:
    """Where two tiles meet; rows and columns are counted from the first pixel of the mosaic's first tile.

    Attributes
    ----------
    first, second : the western and the eastern tile, or the northern and the southern one.
    upright : whether the tiles lie side by side, so that the border runs from north to south.
    line : first line (column of an upright border, else row) of the second tile.
    shared : lines that both tiles hold; SRTM tiles share one.
    start, stop : the part along the border, rows of an upright one, else columns.
    """

    first: Tile
    second: Tile
    upright: bool
    line: int
    shared: int
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Seam:
    """The step across a border.

    Attributes
    ----------
    step_m : how much higher the second tile stands; NaN where too few heights are known on both sides.
    noise_m : what the same measure gives off the border, one standard deviation.
    count : places along the border.
    ends : both ends of the border, (easting, northing) or (longitude, latitude) in the CRS of the tiles.
    """

    first: str
    second: str
    step_m: float
    noise_m: float
    count: int
    ends: tuple[tuple[float, float], tuple[float, float]]

    @property
    def tiles(self) -> str:
        return f"{self.first} | {self.second}"

    @property
    def passed(self) -> bool:
        return not abs(self.step_m) > max(SEAM_LIMIT_M, SEAM_NOISES * self.noise_m)


def tile_borders(mosaic: Mosaic, grid: Grid) -> list[Border]:
    """The borders between tiles of a mosaic, as far as they lie within a grid.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : borders outside it are left out.
    """
    wanted = native_window(mosaic, grid)
    boxes = [
        (row, column, row + tile.shape[0], column + tile.shape[1])
        for tile, (row, column) in zip(mosaic.tiles, mosaic.corners, strict=True)
    ]
    borders = []
    for one, other in combinations(range(len(boxes)), 2):
        rows = min(boxes[one][2], boxes[other][2]) - max(boxes[one][0], boxes[other][0])
        columns = min(boxes[one][3], boxes[other][3]) - max(boxes[one][1], boxes[other][1])
        if min(rows, columns) < 0 or max(rows, columns) < FEWEST:
            continue
        upright = rows > columns
        axis = 1 if upright else 0  # the axis across the border
        first, second = (one, other) if boxes[one][axis] <= boxes[other][axis] else (other, one)
        line, along = boxes[second][axis], 1 - axis
        start = max(boxes[one][along], boxes[other][along], wanted[along])
        stop = min(boxes[one][along + 2], boxes[other][along + 2], wanted[along + 2])
        if stop - start >= FEWEST and wanted[axis] < line < wanted[axis + 2]:
            shared = columns if upright else rows
            borders.append(
                Border(
                    first=mosaic.tiles[first],
                    second=mosaic.tiles[second],
                    upright=upright,
                    line=line,
                    shared=shared,
                    start=start,
                    stop=stop,
                )
            )
    return borders


def measure_seam(mosaic: Mosaic, border: Border) -> Seam:
    """The step across one border; reads a few lines of both tiles.

    Lines that both tiles hold are compared directly. Else the step is what the jump between the last and the first
    line, z2 and z3 of four, has beyond the slopes on both sides, (z3 - z2) - (z2 - z1 + z4 - z3) / 2, which no plane
    or parabola has; the same off the border tells what the terrain itself gives. Means of the middle half throughout.

    Parameters
    ----------
    mosaic : the opened DEM.
    border : two of its tiles, and the stretch that they share.

    Returns
    -------
    step and noise in m, and how many places along the border they rest on.

    Errors
    ------
    BadInput : a tile that cannot be read.
    """
    if border.shared:
        count = min(border.shared, LINES)
        before = _lines(mosaic, border, border.first, border.line, count)
        after = _lines(mosaic, border, border.second, border.line, count)
        step, noise, places = _direct_step(after - before)
    else:
        before = _lines(mosaic, border, border.first, border.line - LINES, LINES)
        after = _lines(mosaic, border, border.second, border.line, LINES)
        step, noise, places = _step_beyond_slope(np.concatenate([before, after]), LINES)
    return Seam(
        first=border.first.name,
        second=border.second.name,
        step_m=step,
        noise_m=noise,
        count=places,
        ends=_ends(mosaic, border),
    )


def _lines(mosaic: Mosaic, border: Border, tile: Tile, line: int, count: int) -> FloatArray:
    """Lines of one tile beside a border, shape (count, length), m; NaN where the tile does not reach."""
    corner = mosaic.corners[mosaic.tiles.index(tile)]
    alone = replace(mosaic, tiles=(tile,))
    along = border.stop - border.start
    if border.upright:
        return read_pixels(alone, (border.start - corner[0], line - corner[1]), (along, count)).T.astype(np.float64)
    return read_pixels(alone, (line - corner[0], border.start - corner[1]), (count, along)).astype(np.float64)


def _direct_step(difference: FloatArray) -> tuple[float, float, int]:
    """Step, its noise and the places it comes from; difference of shared lines, shape (lines, length)."""
    values = difference[np.isfinite(difference)]
    if values.size < FEWEST:
        return math.nan, 0.0, values.size
    quartiles = np.percentile(values, [25, 75])
    # neighbouring places err alike: what a tenth of them would give
    noise = float(quartiles[1] - quartiles[0]) / 1.349 / math.sqrt(values.size / 10)
    return middle_mean(values), noise, values.size


def _step_beyond_slope(lines: FloatArray, border: int) -> tuple[float, float, int]:
    """Step before line number ``border``, its noise from the lines off it, and the places it comes from."""
    slope = np.diff(lines, axis=0)
    beyond = slope[1:-1] - (slope[:-2] + slope[2:]) / 2  # number i lies between lines i + 1 and i + 2
    known = [row[np.isfinite(row)] for row in beyond]
    here = border - 2
    if known[here].size < FEWEST:
        return math.nan, 0.0, known[here].size
    # two further on, all four lines lie in one tile
    off = [middle_mean(row) for number, row in enumerate(known) if abs(number - here) > 1 and row.size >= FEWEST]
    noise = math.sqrt(sum(value**2 for value in off) / len(off)) if off else 0.0
    return middle_mean(known[here]), noise, known[here].size


def middle_mean(values: FloatArray) -> float:
    """Mean of the middle half of the values.

    Parameters
    ----------
    values : shape (n,), n > 0, finite.
    """
    quarter = values.size // 4
    return float(np.sort(values)[quarter : values.size - quarter].mean())


def _ends(mosaic: Mosaic, border: Border) -> tuple[tuple[float, float], tuple[float, float]]:
    origin, (width, height) = mosaic.tiles[0].transform, mosaic.pixel
    line = border.line + border.shared / 2
    pairs = ((border.start, line), (border.stop, line)) if border.upright else (
        (line, border.start), (line, border.stop))  # fmt: skip
    (row0, column0), (row1, column1) = pairs
    return (
        (origin.c + column0 * width, origin.f - row0 * height),
        (origin.c + column1 * width, origin.f - row1 * height),
    )
