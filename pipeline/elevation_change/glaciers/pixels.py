"""The pixels of each glacier, read from its own box of the rasters."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize

from pipeline.blocks import Raster, Window
from pipeline.elevation_change.glaciers.ownership import OwnGround, own_ground
from pipeline.grid import BoolArray, FloatArray, Grid

if TYPE_CHECKING:
    import geopandas as gpd

# so many pixels of a box are read at once, however large the glacier
PIXELS_AT_ONCE = 1 << 20
NEIGHBOURS = 12
# of the sigma about a glacier every so many pixels tell enough
ABOUT_STEP = 17
# the margin is looked for so far away, m
FARTHEST_M = 300.0
IntArray = NDArray[np.integer[Any]]


@dataclass(frozen=True, kw_only=True)
class GlacierShapes:
    """The glaciers of a region, each with the ground it owns over all epochs, and where they lie on a grid.

    Attributes
    ----------
    identifiers, geometries : one a glacier, in the order of the identifiers; geometries in the grid's CRS. None holds
        ground of another: see ``own_ground``.
    ground : what each owns at each epoch, and who shares with whom.
    """

    grid: Grid
    identifiers: tuple[str, ...]
    geometries: NDArray[np.object_]
    ground: OwnGround
    _tree: shapely.STRtree

    @classmethod
    def of(cls, outlines: gpd.GeoDataFrame, grid: Grid) -> GlacierShapes:
        """The ground that each glacier owns of outlines of all epochs.

        Parameters
        ----------
        outlines : columns glacier_id, epoch, geometry, in the grid's CRS.
        grid : on which pixels are owned.
        """
        ground = own_ground(outlines)
        geometries = np.array(list(ground.by_glacier.values()), dtype=object)
        return cls(
            grid=grid,
            identifiers=tuple(ground.by_glacier),
            geometries=geometries,
            ground=ground,
            _tree=shapely.STRtree(geometries),
        )

    def __len__(self) -> int:
        return len(self.identifiers)

    def window(self, number: int) -> Window:
        """The box of a glacier in pixels, cut at the grid's edge; it may be empty.

        Parameters
        ----------
        number : of the glacier.
        """
        if self.geometries[number].is_empty:
            return slice(0, 0), slice(0, 0)
        west, south, east, north = shapely.bounds(self.geometries[number])
        (top, bottom), (left, right) = self.grid.index_of(np.array([west, east]), np.array([north, south]))
        rows, columns = self.grid.shape
        # a pixel belongs to the glacier where its centre does; half a pixel of room for rounding
        first, last = int(np.clip(np.floor(top), 0, rows)), int(np.clip(np.ceil(bottom) + 1, 0, rows))
        start, stop = int(np.clip(np.floor(left), 0, columns)), int(np.clip(np.ceil(right) + 1, 0, columns))
        return slice(first, max(first, last)), slice(start, max(start, stop))

    def inside(self, number: int, window: Window) -> BoolArray:
        """Pixels of a window whose centre the glacier holds; where glaciers overlap, the last of them has the pixel.

        Parameters
        ----------
        number : of the glacier.
        window : of the grid.
        """
        own: BoolArray = self.numbers(window) == number + 1
        return own

    def numbers(self, window: Window) -> NDArray[np.int32]:
        """Number from 1 of the glacier that holds each pixel of a window, 0 where none does.

        Parameters
        ----------
        window : of the grid.
        """
        rows, columns = window
        shape = rows.stop - rows.start, columns.stop - columns.start
        if min(shape) == 0:
            return np.zeros(shape, np.int32)
        part = self.grid.window(rows.start, columns.start, shape)
        near = np.sort(self._tree.query(shapely.box(*part.bounds)))
        shapes = [(self.geometries[other], int(other) + 1) for other in near]
        if not shapes:
            return np.zeros(part.shape, np.int32)
        burned: NDArray[np.int32] = rasterize(
            shapes, out_shape=part.shape, transform=part.transform, fill=0, dtype="int32"
        )
        return burned


@dataclass(frozen=True, kw_only=True)
class GlacierPixels:
    """The pixels of one glacier, from north to south.

    Attributes
    ----------
    window : the box in which they lie.
    row, column : of each pixel on the grid, shape (pixels,).
    dh, sigma, height : m, float64, shape (pixels,); dh is NaN where void, sigma and height are known everywhere.
    from_margin : distance of each pixel from the nearest one without ice, m, at most ``FARTHEST_M``; shape (pixels,).
    """

    window: Window
    row: IntArray
    column: IntArray
    dh: FloatArray
    sigma: FloatArray
    height: FloatArray
    from_margin: FloatArray

    @property
    def observed(self) -> BoolArray:
        known: BoolArray = np.isfinite(self.dh)
        return known


def read_pixels(shapes: GlacierShapes, number: int, dh: Raster, sigma: Raster, height: Raster) -> GlacierPixels:
    """Read one glacier's pixels.

    A height that is void is taken from the glacier's nearest known ones, a sigma that is void from the mean of the
    known ones, or of those about the glacier where it has none; a change whose sigma nothing tells counts as void.

    Parameters
    ----------
    dh, sigma, height : elevation change, its standard deviation and elevation, m, shape of the grid.
    """
    window = shapes.window(number)
    kinds = (np.int32, np.int32, float, float, float, float)
    fields: list[list[NDArray[Any]]] = [[np.empty(0, kind)] for kind in kinds]
    about = [np.empty(0)]
    for strip in strips(window):
        holder, from_margin = _holder_and_margin(shapes, strip)
        inside = holder == number + 1
        place = np.nonzero(inside)
        layers = [np.asarray(raster[strip]) for raster in (dh, sigma, height)]
        values = [layer[inside].astype(np.float64) for layer in (*layers, from_margin)]
        about.append(layers[1][np.isfinite(layers[1])].ravel()[::ABOUT_STEP].astype(np.float64))
        fields[0].append((place[0] + strip[0].start).astype(np.int32))
        fields[1].append((place[1] + strip[1].start).astype(np.int32))
        for parts, own in zip(fields[2:], values, strict=True):
            parts.append(own)
    # one after the other, so that the parts of a large glacier are not held beside all of it
    row, column, change, spread, heights, distance = (np.concatenate(fields.pop(0)) for _ in kinds)
    known = np.isfinite(spread)
    others = spread[known] if known.any() else np.concatenate(about)
    if not known.all() and others.size:
        spread[~known] = others.mean()
    change[np.isnan(spread)] = np.nan
    return GlacierPixels(
        window=window,
        row=row,
        column=column,
        dh=change,
        sigma=spread,
        height=_without_gaps(heights, row, column),
        from_margin=distance,
    )


def _holder_and_margin(shapes: GlacierShapes, strip: Window) -> tuple[NDArray[np.int32], FloatArray]:
    """``GlacierShapes.numbers`` of a strip, and how far each of its pixels lies from the nearest one without ice, m.

    The distance is at most as far as it is looked for.

    Beyond the grid's edge nothing is known of the ice, and no margin is seen.
    """
    from scipy.ndimage import distance_transform_edt

    width, height = shapes.grid.pixel_size
    (rows, columns), (bottom, right) = strip, shapes.grid.shape
    down, across = ceil(FARTHEST_M / height), ceil(FARTHEST_M / width)
    top, left = max(0, rows.start - down), max(0, columns.start - across)
    wide = slice(top, min(bottom, rows.stop + down)), slice(left, min(right, columns.stop + across))
    own = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    holder = shapes.numbers(wide)
    ice = holder > 0
    if ice.all():
        return holder[own], np.full(holder[own].shape, FARTHEST_M)
    distance = np.minimum(distance_transform_edt(ice, sampling=(height, width)), FARTHEST_M)
    return holder[own], distance[own]


def mean_slope(pixels: GlacierPixels, grid: Grid) -> tuple[float, float]:
    """Mean rise of the glacier's surface to the east and to the north, over all neighbouring pixels, m per m.

    Parameters
    ----------
    pixels : of one glacier, with their heights, m.
    grid : tells the pixels' size, m.
    """
    slopes = []
    for along, across, size in (
        (pixels.column, pixels.row, grid.pixel_size[0]),
        (-pixels.row, pixels.column, grid.pixel_size[1]),
    ):
        order = np.lexsort((along, across))
        next_to = (np.diff(along[order]) == 1) & (np.diff(across[order]) == 0)
        rises = np.diff(pixels.height[order])[next_to]
        slopes.append(float(rises.mean() / size) if rises.size else 0.0)
    return slopes[0], slopes[1]


def strips(window: Window) -> Iterator[Window]:
    """A window in parts of whole rows, none larger than what is read at once."""
    rows, columns = window
    width = columns.stop - columns.start
    if width == 0:
        return
    step = max(1, PIXELS_AT_ONCE // width)
    for start in range(rows.start, rows.stop, step):
        yield slice(start, min(start + step, rows.stop)), columns


def _without_gaps(heights: FloatArray, row: IntArray, column: IntArray) -> FloatArray:
    """Heights with voids filled from the nearest known pixels, weighted by the inverse square of their distance."""
    void = np.isnan(heights)
    if not void.any() or void.all():
        return heights
    from scipy.spatial import cKDTree  # few glaciers have voids in the reference

    places = np.column_stack([row, column])
    distance, nearest = cKDTree(places[~void]).query(places[void], k=min(NEIGHBOURS, int((~void).sum())))
    distance, nearest = distance.reshape(int(void.sum()), -1), nearest.reshape(int(void.sum()), -1)
    weight = 1 / distance**2
    filled = heights.copy()
    filled[void] = (weight * heights[~void][nearest]).sum(axis=1) / weight.sum(axis=1)
    return filled
