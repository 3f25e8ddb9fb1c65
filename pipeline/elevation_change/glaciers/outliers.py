"""Blunders on glaciers: measured pixels that stand apart from the change all around them become voids.

Field practice limits the change on glaciers by the spread of its elevation band (Gardelle et al., 2013; Brun et al.,
2017; McNabb et al., 2019). About the band's median that removes real change which others at this elevation do not
share, a surging tongue for one. Here every pixel is held against its own surroundings, and the limit is

    L = k max(s_band, sigma_dh),    s_band = 1.4826 median |dh_i - dh_j| / sqrt(2)

over pixels j a post to the east or south of i, within elevation bands of all glaciers together: how rough the change
is does not hang on how much it is. A pixel is set aside where fewer than a quarter of the measured glacier pixels
about it (5 x 5 posts) reach its value to within L: beyond a quartile of its surroundings by more than L. Coherent
change, even the corner of a patch of it, always has that quarter.

The posts are those of the coarser DEM, over several pixels of the grid of which its blunders spread. Resampling thins
them out further: within a post of what was set aside a fifth of L is enough, or the rims would stay and bias the mean.

Where blunders are many (1 %), they widen the limit; it is drawn again without them, in three rounds at most. A round
reads the rows with glaciers twice, block by block, and once more where something was found; all that is counted is
whole numbers, so that the size of the blocks does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import Block, Raster
from pipeline.elevation_change.differencing import ErrorLayers, Layers
from pipeline.elevation_change.glaciers.pixels import IntArray
from pipeline.elevation_change.pairing import ON_GLACIER
from pipeline.elevation_change.result import VOID
from pipeline.elevation_change.statistics import NMAD_FACTOR
from pipeline.grid import BoolArray, FloatArray
from pipeline.resources import Resources

BAND_M = 100.0
# bands from -1000 to 10 000 m; what lies beyond shares the end ones
LOWEST_BAND, BANDS = -10, 110
# |differences| are counted in classes of 2 % from a millimetre up: the median is right to 1 %
CLASS_RATIO, LEAST_DIFFERENCE_M, CLASSES = 1.02, 0.001, 700
# a band with fewer differences takes the spread of all bands together
FEWEST_DIFFERENCES = 200
# more blunders than this share widen the limit; with those found taken out it is drawn again
MANY_SHARE, ROUNDS = 0.01, 3
# beside a pixel set aside, where resampling has spread its blunder, a share of the limit is enough
BESIDE_SHARE = 0.2
# surroundings reach so many posts to every side
REACH = 2
COHERENT_SHARE = 0.25
# a pixel with fewer measured glacier pixels about it cannot be judged
FEWEST_NEIGHBOURS = 6
# nearest first, so that most pixels are settled by the first few
_AROUND = sorted(
    ((row, column) for row in range(-REACH, REACH + 1) for column in range(-REACH, REACH + 1) if row or column),
    key=lambda place: place[0] ** 2 + place[1] ** 2,
)


@dataclass(frozen=True)
class GlacierOutliers:
    """Measured glacier pixels that were set aside.

    Attributes
    ----------
    place : of each on the grid, row * columns + column, in order, shape (pixels,).
    columns : of the grid.
    measured : glacier pixels that had a measured change.
    """

    place: NDArray[np.int64]
    columns: int
    measured: int

    @property
    def count(self) -> int:
        """How many were set aside."""
        return int(self.place.size)

    def of_rows(self, start: int, stop: int) -> NDArray[np.int64]:
        """Places from one row up to but not including another.

        Parameters
        ----------
        start, stop : rows of the grid.
        """
        first, last = np.searchsorted(self.place, [start * self.columns, stop * self.columns])
        return self.place[first:last]

    def count_among(self, row: IntArray, column: IntArray) -> int:
        """How many of these pixels, shape (pixels,), were set aside.

        Parameters
        ----------
        row, column : of the pixels, shape (pixels,).
        """
        if self.count == 0 or row.size == 0:
            return 0
        own = self.of_rows(int(row.min()), int(row.max()) + 1)
        return int(np.isin(own, row.astype(np.int64) * self.columns + column, assume_unique=True).sum())


@dataclass(frozen=True)
class Rule:
    """How far a pixel may be off its surroundings.

    Attributes
    ----------
    limit_nmad : k.
    spread_m : s of every band, shape (BANDS,).
    """

    limit_nmad: float
    spread_m: FloatArray


# a block, the rule, and the places to judge in order; None judges every measured glacier pixel of the block
Task = tuple[Block, Rule, NDArray[np.int64] | None]
NO_OUTLIERS = GlacierOutliers(np.empty(0, np.int64), 1, 0)


@dataclass(frozen=True, kw_only=True)
class GlacierRasters:
    """What the rule reads; all of the grid's shape.

    Attributes
    ----------
    dh, sigma : elevation change and its standard deviation, m; NaN where void.
    height : elevation of the reference DEM, m.
    mask : with ``ON_GLACIER``.
    post : pixels from one post of the coarser DEM to the next.
    """

    dh: Raster
    sigma: Raster
    height: Raster
    mask: Raster
    post: int


def set_outliers_aside(
    layers: Layers, height: Raster, mask: Raster, post: int, limit_nmad: float, resources: Resources
) -> GlacierOutliers:
    """Find the outliers on glaciers and make them voids in every layer; a limit of 0 leaves all as they are.

    Parameters
    ----------
    layers : dh, sigma and classification; changed in place.
    post : pixels from one post of the coarser DEM to the next.
    limit_nmad : k, see above.
    """
    if limit_nmad == 0 or layers.error is None:
        return NO_OUTLIERS
    rasters = GlacierRasters(dh=layers.dh, sigma=layers.error.sigma, height=height, mask=mask, post=post)
    place, measured = np.empty(0, np.int64), 0
    for number in range(ROUNDS):
        outliers = _round(rasters, limit_nmad, resources)
        measured = measured if number else outliers.measured
        # written once a round is over: a pixel is judged by its surroundings as the round found them
        _make_void(layers, layers.error, outliers)
        place = _distinct(np.concatenate([place, outliers.place]))
        if outliers.count <= MANY_SHARE * measured:
            break
    return GlacierOutliers(place, mask.shape[1], measured)


def _round(rasters: GlacierRasters, limit_nmad: float, resources: Resources) -> GlacierOutliers:
    """What stands apart from what is measured now, and beside it what does so by a smaller limit."""
    rows, columns = rasters.mask.shape
    blocks = resources.blocks((rows, columns))
    counts = reduce(add, resources.runner.map(partial(_differences_by_band, rasters), blocks))
    rule = Rule(limit_nmad, spread_of_bands(counts))
    outliers = _found(rasters, [(block, rule, None) for block in blocks], resources)
    if outliers.count == 0:
        return outliers
    near = beside(outliers, rows, rasters.post)
    weaker = Rule(BESIDE_SHARE * limit_nmad, rule.spread_m)
    more = _found(rasters, [(block, weaker, near.of_rows(block.start, block.stop)) for block in blocks], resources)
    return replace(outliers, place=_distinct(np.concatenate([outliers.place, more.place])))


def _found(rasters: GlacierRasters, tasks: Sequence[Task], resources: Resources) -> GlacierOutliers:
    parts = list(resources.runner.map(partial(_outliers_of_block, rasters), tasks))
    place = np.concatenate([part.place for part in parts])
    return GlacierOutliers(place, rasters.mask.shape[1], sum(part.measured for part in parts))


def beside(outliers: GlacierOutliers, rows: int, post: int) -> GlacierOutliers:
    """The places within one post of those found, over which resampling spreads a blunder.

    Parameters
    ----------
    outliers : pixels that stand apart.
    rows : of the grid.
    post : pixels from one post of the coarser DEM to the next.
    """
    row, column = np.divmod(outliers.place, outliers.columns)
    reach = np.arange(-post, post + 1)
    rows_near = row[:, None, None] + reach[None, :, None]
    columns_near = column[:, None, None] + reach[None, None, :]
    inside = (rows_near >= 0) & (rows_near < rows) & (columns_near >= 0) & (columns_near < outliers.columns)
    return replace(outliers, place=_distinct((rows_near * outliers.columns + columns_near)[inside]))


def _distinct(place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each place once, in order; a sort is many times faster here than the table of ``np.unique``."""
    in_order = np.sort(place)
    first = np.ones(in_order.size, bool)
    first[1:] = in_order[1:] != in_order[:-1]
    distinct: NDArray[np.int64] = in_order[first]
    return distinct


def _make_void(layers: Layers, error: ErrorLayers, outliers: GlacierOutliers) -> None:
    for row in _distinct(outliers.place // outliers.columns):
        columns = outliers.of_rows(int(row), int(row) + 1) - row * outliers.columns
        line = (slice(int(row), int(row) + 1), slice(int(columns[0]), int(columns[-1]) + 1))
        for raster, nothing in ((layers.dh, np.nan), (error.sigma, np.nan), (error.classification, VOID)):
            values = np.array(raster[line])
            values[0, columns - columns[0]] = nothing
            raster[line] = values


def spread_of_bands(counts: NDArray[np.int64]) -> FloatArray:
    """Standard deviation of the local scatter of dh in every band, m, shape (BANDS,), from counted |differences|.

    Parameters
    ----------
    counts : |differences| from post to post by band and class of size, shape (BANDS, classes).
    """
    together = _median_of_counts(counts.sum(axis=0))
    enough = counts.sum(axis=1) >= FEWEST_DIFFERENCES
    medians = [_median_of_counts(own) if known else together for own, known in zip(counts, enough, strict=True)]
    spread: FloatArray = NMAD_FACTOR * np.array(medians) / np.sqrt(2)
    return spread


def _median_of_counts(counts: NDArray[np.int64]) -> float:
    if counts.sum() == 0:
        return 0.0
    middle = int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
    return float(LEAST_DIFFERENCE_M * CLASS_RATIO ** (middle + 0.5))


def _differences_by_band(rasters: GlacierRasters, block: Block) -> NDArray[np.int64]:
    """Counts of |differences| between posts by elevation band, shape (BANDS, CLASSES)."""
    counts = np.zeros((BANDS, CLASSES), np.int64)
    if not _on_glacier(rasters, block.rows).any():
        return counts
    rows, post = slice(block.start, min(block.stop + rasters.post, rasters.mask.shape[0])), rasters.post
    dh = _dh_of_glaciers(rasters, rows)
    height = block.stop - block.start
    bands = _bands_of(np.asarray(rasters.height[block.rows, slice(0, dh.shape[1])]))
    for down, right in ((post, 0), (0, post)):
        there = dh[down : down + height, right:]
        here = dh[: there.shape[0], : there.shape[1]]
        difference = np.abs(there - here)
        known = np.isfinite(difference)
        place = np.log(np.maximum(difference[known], LEAST_DIFFERENCE_M) / LEAST_DIFFERENCE_M) / np.log(CLASS_RATIO)
        member = np.minimum(place.astype(np.int64), CLASSES - 1)
        member += CLASSES * bands[: there.shape[0], : there.shape[1]][known]
        counts += np.bincount(member, minlength=counts.size).reshape(counts.shape)
    return counts


def _outliers_of_block(rasters: GlacierRasters, task: Task) -> GlacierOutliers:
    block, rule, asked = task
    width = rasters.mask.shape[1]
    if not _on_glacier(rasters, block.rows).any() or (asked is not None and asked.size == 0):
        return NO_OUTLIERS
    halo = REACH * rasters.post
    rows = block.widened(halo, rasters.mask.shape[0])
    wide = np.pad(_dh_of_glaciers(rasters, rows), halo, constant_values=np.nan)
    top = halo + block.start - rows.start
    own = wide[top : top + block.stop - block.start, halo:-halo]
    if asked is None:
        place = np.flatnonzero(np.isfinite(own))
    else:
        asked = asked - block.start * width
        place = asked[np.isfinite(own[np.divmod(asked, width)])]
    row, column = np.divmod(place, width)
    columns = slice(0, width)
    sigma = np.asarray(rasters.sigma[block.rows, columns])[row, column]
    band = _bands_of(np.asarray(rasters.height[block.rows, columns])[row, column])
    limit = rule.limit_nmad * np.fmax(sigma, rule.spread_m[band])
    apart = stands_apart(wide, row + top, column + halo, limit, rasters.post)
    return GlacierOutliers(place[apart] + block.start * width, width, int(place.size))


def stands_apart(dh: FloatArray, row: IntArray, column: IntArray, limit: FloatArray, post: int) -> BoolArray:
    """Which pixels fewer than a quarter of their surroundings reach to within the limit.

    Parameters
    ----------
    dh : m, NaN off the glaciers and where void, with a rim of ``REACH`` posts of NaN or more pixels.
    row, column : of the pixels to judge, shape (pixels,).
    limit : m, shape (pixels,).
    """
    flat, width = np.ravel(dh), dh.shape[1]
    place = row.astype(np.int64) * width + column
    low, high = flat[place] - limit, flat[place] + limit
    known, above, below = (np.zeros(place.size, np.int8) for _ in range(3))
    left = np.arange(place.size)
    for number, (down, right) in enumerate(_AROUND):
        if number % 8 == 0 and number:
            # a quarter of all the places about a pixel is enough, however many of them are measured
            settled = np.minimum(above[left], below[left]) >= COHERENT_SHARE * len(_AROUND)
            left = left[~settled]
        value = flat[place[left] + post * (down * width + right)]
        known[left] += np.isfinite(value)
        above[left] += value >= low[left]
        below[left] += value <= high[left]
    apart: BoolArray = np.minimum(above, below) < COHERENT_SHARE * known
    return apart & (known >= FEWEST_NEIGHBOURS)


def _on_glacier(rasters: GlacierRasters, rows: slice) -> BoolArray:
    member: BoolArray = (rasters.mask[rows, slice(0, rasters.mask.shape[1])] & np.uint8(ON_GLACIER)) > 0
    return member


def _dh_of_glaciers(rasters: GlacierRasters, rows: slice) -> FloatArray:
    dh = np.array(rasters.dh[rows, slice(0, rasters.mask.shape[1])])
    dh[~_on_glacier(rasters, rows)] = np.nan
    return dh


def _bands_of(height: FloatArray) -> IntArray:
    place = np.floor(np.nan_to_num(height) / BAND_M) - LOWEST_BAND
    bands: IntArray = np.clip(place, 0, BANDS - 1).astype(np.int64)
    return bands
