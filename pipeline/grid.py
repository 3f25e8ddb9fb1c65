"""A raster grid as one immutable value: coordinate reference system, affine transform and shape."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS, Transformer
from rasterio.transform import Affine, array_bounds
from rasterio.warp import transform_bounds

from schemas.errors import BadInput

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True)
class Grid:
    """Where the pixels of an array lie.

    Attributes
    ----------
    crs : horizontal coordinate reference system, as PROJ understands it (``"EPSG:32645"``).
    transform : affine map from (column, row) to (easting, northing) of the pixel's upper-left corner; never rotated.
    shape : (rows, columns).

    Raises
    ------
    BadInput : a rotated, mirrored or empty grid.
    """

    crs: str
    transform: Affine
    shape: tuple[int, int]

    def __post_init__(self) -> None:
        t = self.transform
        if t.b != 0 or t.d != 0 or t.a <= 0 or t.e >= 0:
            raise BadInput(
                "grid", f"transform {tuple(t)[:6]}", "a north-up grid without rotation", "warp it with gdalwarp"
            )
        if min(self.shape) < 1:
            raise BadInput("grid", f"shape {self.shape}", "at least one row and one column")

    @property
    def pixel_size(self) -> tuple[float, float]:
        """(width, height) of a pixel in the units of the CRS, both positive."""
        return float(self.transform.a), float(-self.transform.e)

    @property
    def pixel_area_km2(self) -> float:
        """Area of a pixel in km2; the CRS must be projected in metres."""
        width, height = self.pixel_size
        return width * height / 1e6

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in the grid's own CRS."""
        west, south, east, north = array_bounds(*self.shape, self.transform)
        return float(west), float(south), float(east), float(north)

    @cached_property
    def bounds_lonlat(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) in degrees, WGS 84, the edges densified."""
        west, south, east, north = transform_bounds(self.crs, "EPSG:4326", *self.bounds, densify_pts=21)
        return float(west), float(south), float(east), float(north)

    def centres(self) -> tuple[FloatArray, FloatArray]:
        """Easting of each column, shape (columns,), and northing of each row, shape (rows,), at pixel centres."""
        rows, columns = self.shape
        easting = self.transform.c + self.transform.a * (np.arange(columns) + 0.5)
        northing = self.transform.f + self.transform.e * (np.arange(rows) + 0.5)
        return easting, northing

    def index_of(self, easting: FloatArray, northing: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Fractional (row, column) of points, counted from the centre of the first pixel.

            row = (northing - f) / e - 1/2,    column = (easting - c) / a - 1/2

        with a, c, e, f of the transform.

        Parameters
        ----------
        easting, northing : positions in the grid's CRS, any one shape; m where the CRS is projected.

        Returns
        -------
        row, column : of the same shape; outside 0 ... size - 1 where a position lies off the grid.
        """
        row = (northing - self.transform.f) / self.transform.e - 0.5
        column = (easting - self.transform.c) / self.transform.a - 0.5
        return row, column

    def moved(self, east_m: float, north_m: float) -> Grid:
        """The same pixels, moved by (east, north) in units of the CRS.

        Parameters
        ----------
        east_m, north_m : what is added to the position of every pixel, in units of the CRS.
        """
        t = self.transform
        return Grid(self.crs, Affine(t.a, 0, t.c + east_m, 0, t.e, t.f + north_m), self.shape)

    def window(self, row: int, column: int, shape: tuple[int, int]) -> Grid:
        """The part of ``shape`` whose first pixel is (row, column).

        Parameters
        ----------
        row, column : first pixel of the part, counted from the grid's upper-left one; may lie outside.
        shape : (rows, columns) of the part.
        """
        width, height = self.pixel_size
        return replace(self.moved(column * width, -row * height), shape=shape)

    @classmethod
    def covering(cls, bounds: tuple[float, float, float, float], resolution: float, crs: str) -> Grid:
        """The grid of square pixels that covers ``bounds``, its origin snapped to multiples of the resolution.

        Parameters
        ----------
        bounds : (west, south, east, north) in units of the CRS.
        resolution : side of a pixel, in units of the CRS.
        crs : as PROJ understands it, ``"EPSG:32645"``.

        Example
        -------
        >>> grid = Grid.covering((500_010.0, 4_790_020.0, 500_100.0, 4_790_080.0), 30.0, "EPSG:32645")
        >>> grid.bounds, grid.shape
        ((500010.0, 4790010.0, 500100.0, 4790100.0), (3, 3))
        """
        west, south, east, north = bounds
        left, top = math.floor(west / resolution + 1e-9) * resolution, math.ceil(north / resolution - 1e-9) * resolution
        columns = max(1, math.ceil((east - left) / resolution - 1e-9))
        rows = max(1, math.ceil((top - south) / resolution - 1e-9))
        return cls(crs, Affine(resolution, 0, left, 0, -resolution, top), (rows, columns))


def utm_crs(longitude: float, latitude: float) -> str:
    """EPSG code of the WGS 84 UTM zone that holds a point given in degrees.

    Parameters
    ----------
    longitude, latitude : degrees, WGS 84; the exceptions of the zones about Norway and Svalbard are not made.

    Example
    -------
    >>> utm_crs(86.81, 43.11)
    'EPSG:32645'
    """
    zone = min(60, int((longitude + 180) // 6) + 1)
    return f"EPSG:{(32600 if latitude >= 0 else 32700) + zone}"


def is_projected_metres(crs: str) -> bool:
    """Whether a CRS is projected with metres on both axes.

    Parameters
    ----------
    crs : as PROJ understands it.
    """
    parsed = CRS.from_user_input(crs)
    return bool(parsed.is_projected) and all(axis.unit_conversion_factor == 1 for axis in parsed.axis_info[:2])


def project_points(longitude: FloatArray, latitude: FloatArray, crs: str) -> tuple[FloatArray, FloatArray]:
    """Easting and northing (m) of points given in WGS 84 degrees.

    Parameters
    ----------
    longitude, latitude : degrees, any one shape.
    crs : the projection, as PROJ understands it.

    Returns
    -------
    easting, northing : of the same shape, in units of ``crs``.
    """
    easting, northing = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude)
    return np.asarray(easting, float), np.asarray(northing, float)
