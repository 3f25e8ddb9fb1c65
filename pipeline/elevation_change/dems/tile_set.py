"""Which tiles a DEM lacks, and which it holds twice."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from pyproj import Transformer
from rasterio.warp import transform_bounds

from pipeline.elevation_change.dems.tiles import Mosaic, tile_name
from pipeline.grid import Grid
from schemas.messages import Message

IntArray = NDArray[np.int64]

# tiles that overlap by more than this share of the smaller one hold the same ground twice
OVERLAP_LIMIT = 0.1


def native_window(mosaic: Mosaic, grid: Grid) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a grid in native pixels, counted from the mosaic's first tile.

    Parameters
    ----------
    mosaic : the opened DEM; its first tile fixes where pixels are counted from.
    grid : in any CRS.
    """
    west, south, east, north = transform_bounds(grid.crs, mosaic.crs, *grid.bounds, densify_pts=21)
    if mosaic.is_geographic and not west <= east:  # the grid lies across the antimeridian, the DEM on one side of it
        west, east = mosaic.bounds[0], mosaic.bounds[2]
    origin, (width, height) = mosaic.tiles[0].transform, mosaic.pixel
    return (
        math.floor((origin.f - north) / height),
        math.floor((west - origin.c) / width),
        math.ceil((origin.f - south) / height),
        math.ceil((east - origin.c) / width),
    )


def missing_tiles(mosaic: Mosaic, grid: Grid) -> tuple[str, ...]:
    """Empty places of a regular set of tiles within the grid, by their name as N43E087 or by their middle.

    Tiles of one size whose corners lie on a lattice of that size, or of a pixel less as SRTM's, are a regular set; of
    others nothing is said.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : only places within it are named.
    """
    regular = _lattice(mosaic)
    if regular is None:
        return ()
    places, pitch = regular
    first = np.array(mosaic.corners).min(axis=0)
    taken = {tuple(place) for place in places.tolist()}
    (rows, columns), (top, left, bottom, right) = mosaic.tiles[0].shape, native_window(mosaic, grid)
    missing = []
    for place in np.ndindex(*(places.max(axis=0) + 1)):
        row, column = (first + np.array(place) * pitch).tolist()
        within = row < bottom - 1 and row + rows > top + 1 and column < right - 1 and column + columns > left + 1
        middle = row + rows / 2, column + columns / 2
        if within and place not in taken and not _is_filled(mosaic, *middle):
            missing.append(_tile_around(mosaic, *middle))
    return tuple(missing)


def _is_filled(mosaic: Mosaic, row: float, column: float) -> bool:
    """Whether a tile beneath the others holds a native pixel."""
    if mosaic.beneath is None:
        return False
    origin, (width, height) = mosaic.tiles[0].transform, mosaic.pixel
    easting, northing = origin.c + column * width, origin.f - row * height
    boxes = (tile.bounds for tile in mosaic.beneath.every_tile)
    return any(west <= easting <= east and south <= northing <= north for west, south, east, north in boxes)


def _lattice(mosaic: Mosaic) -> tuple[IntArray, IntArray] | None:
    """(row, column) of each tile among the tiles, shape (tiles, 2), and the pixels from one tile to the next."""
    shape = mosaic.tiles[0].shape
    if any(tile.shape != shape for tile in mosaic.tiles):
        return None
    corners = np.array(mosaic.corners) - np.array(mosaic.corners).min(axis=0)
    for shared in (0, 1):
        pitch = np.maximum(np.array(shape) - shared, 1)
        if not (corners % pitch).any():
            return corners // pitch, pitch
    return None


def _tile_around(mosaic: Mosaic, row: float, column: float) -> str:
    """Name of the tile around a native pixel."""
    origin, (width, height) = mosaic.tiles[0].transform, mosaic.pixel
    easting, northing = origin.c + column * width, origin.f - row * height
    if mosaic.is_geographic and abs(mosaic.tiles[0].shape[0] * height - 1) < 0.01:
        return tile_name(math.floor(northing), math.floor(easting))
    longitude, latitude = Transformer.from_crs(mosaic.crs, "EPSG:4326", always_xy=True).transform(easting, northing)
    return Message("the tile around {place}", place=place_name(longitude, latitude))


def overlapping_tiles(mosaic: Mosaic) -> tuple[Message, ...]:
    """Pairs of tiles that hold more than a tenth of the smaller one's ground twice.

    Parameters
    ----------
    mosaic : the opened DEM.
    """
    overlaps = []
    for (one, (top, left)), (other, (o_top, o_left)) in combinations(zip(mosaic.tiles, mosaic.corners, strict=True), 2):
        rows = min(top + one.shape[0], o_top + other.shape[0]) - max(top, o_top)
        columns = min(left + one.shape[1], o_left + other.shape[1]) - max(left, o_left)
        smaller = min(one.shape[0] * one.shape[1], other.shape[0] * other.shape[1])
        if min(rows, columns) > 0 and rows * columns > OVERLAP_LIMIT * smaller:
            share = rows * columns / smaller
            overlaps.append(
                Message("{one} and {other} overlap by {share:.0%}", one=one.name, other=other.name, share=share)
            )
    return tuple(overlaps)


def place_name(longitude: float, latitude: float) -> str:
    """A position in words, to about ten metres: 43.1100 N 86.8100 E.

    Parameters
    ----------
    longitude, latitude : degrees.

    Example
    -------
    >>> place_name(86.81, 43.11)
    '43.1100 N 86.8100 E'
    """
    east_west, north_south = "E" if longitude >= 0 else "W", "N" if latitude >= 0 else "S"
    return f"{abs(latitude):.4f} {north_south} {abs(longitude):.4f} {east_west}"
