"""The glacier's surface and its area-altitude distribution: from a table, or from a DEM and an outline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import rasterio
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import geometry_mask
from rasterio.warp import reproject, transform_bounds
from shapely.geometry.base import BaseGeometry

from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.inputs.gdal_inputs import (
    open_raster,
    require_local_mosaic,
    require_sizes,
)
from pipeline.mass_balance.ground.sorted_heights import SortedHeights
from pipeline.mass_balance.ground.surveyed_outlines import KnownBy, read_surveyed_outlines
from schemas.errors import BadInput
from schemas.input_files import require_plain_file

# pixels kept around the outline, so that isolines run through it
MARGIN_PIXELS = 3
# a DEM that lacks more of the glacier than this is no basis for an area-altitude distribution
MAXIMUM_VOID_SHARE = 0.05
# the largest glacier outside the ice sheets has some 10 000 km2, 25 million pixels of 20 m
MOST_PIXELS = 100_000_000
# edges of bands closer than this (m) are the same edge
_EDGE_M = 0.01


@dataclass(frozen=True, kw_only=True)
class PixelBands:
    """Pixels by elevation band, from the lowest band up.

    Attributes
    ----------
    index : band of each pixel, shape (pixels,).
    count, height_m : pixels of each band and their mean elevation, NaN where there is none, shape (bands,).
    lower_m : lower edges.
    span_m : lowest and highest pixel.
    """

    index: NDArray[np.intp]
    count: FloatArray
    height_m: FloatArray
    lower_m: FloatArray
    span_m: tuple[float, float]

    @classmethod
    def of(cls, elevation_m: FloatArray, band_height_m: float) -> PixelBands:
        """Those of some pixels, shape (pixels,), in bands of a height (m)."""
        first = math.floor(elevation_m.min() / band_height_m)
        index = np.floor(elevation_m / band_height_m).astype(np.intp) - first
        count = np.bincount(index).astype(float)
        with np.errstate(invalid="ignore"):
            height = np.bincount(index, weights=elevation_m) / count
        lower = (first + np.arange(count.size)) * band_height_m
        span = float(elevation_m.min()), float(elevation_m.max())
        return cls(index=index, count=count, height_m=height, lower_m=lower, span_m=span)

    def profile(self, values: FloatArray) -> FloatArray:
        """Mean of some values of the pixels in each band, NaN in an empty one, shape (bands,)."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.bincount(self.index, weights=values) / self.count)


@dataclass(frozen=True)
class GlacierSurface:
    """The glacier's surface on a grid.

    Attributes
    ----------
    grid : projected, metres.
    surface_m : elevation, shape grid.shape; NaN where the DEM is void.
    inside : True where the pixel's centre lies on the glacier and the elevation is known.
    outline : the glacier in the grid's CRS.
    """

    grid: Grid
    surface_m: FloatArray
    inside: BoolArray
    outline: BaseGeometry

    @property
    def area_km2(self) -> float:
        """Area of the outline."""
        return float(self.outline.area) / 1e6

    @property
    def pixels(self) -> int:
        """Number of pixels on the glacier."""
        return int(self.inside.sum())

    @cached_property
    def inside_positions(self) -> FloatArray:
        """Easting and northing of the pixels on the glacier, shape (pixels, 2)."""
        easting, northing = self.grid.centres()
        rows, columns = np.nonzero(self.inside)
        return np.column_stack([easting[columns], northing[rows]])

    @cached_property
    def inside_elevation_m(self) -> FloatArray:
        """Elevation of the pixels on the glacier, shape (pixels,)."""
        inside: FloatArray = self.surface_m[self.inside]
        return inside

    @cached_property
    def heights(self) -> SortedHeights:
        """The same, sorted."""
        return SortedHeights.of(self.inside_elevation_m)

    def pixel_bands(self, band_height_m: float) -> PixelBands:
        """The pixels on the glacier by elevation band; found once for each height of the bands.

        Parameters
        ----------
        band_height_m : height of a band.
        """
        if band_height_m not in self._bands:
            self._bands[band_height_m] = PixelBands.of(self.inside_elevation_m, band_height_m)
        return self._bands[band_height_m]

    @cached_property
    def _bands(self) -> dict[float, PixelBands]:
        return {}


@dataclass(frozen=True)
class Hypsometry:
    """Area of each elevation band, from the lowest up.

    Attributes
    ----------
    lower_m, upper_m, area_km2 : shape (bands,).
    year : the year the distribution is of; None where one distribution serves every year.
    """

    lower_m: FloatArray
    upper_m: FloatArray
    area_km2: FloatArray
    year: int | None = None

    @property
    def middle_m(self) -> FloatArray:
        """Elevation of the middle of each band (m)."""
        return (self.lower_m + self.upper_m) / 2

    @property
    def mean_m(self) -> float:
        """Mean elevation of the glacier (m)."""
        return float(self.area_km2 @ self.middle_m / self.total_km2)

    @property
    def total_km2(self) -> float:
        """Area of the glacier."""
        return float(self.area_km2.sum())


@dataclass(frozen=True)
class SurveyedGround:
    """The glacier within the outline of one year.

    Attributes
    ----------
    year : calendar year in which the outline was surveyed; None where the file states none.
    surface : the glacier's surface; all surveys of a glacier lie on one grid.
    bands : its area-altitude distribution.
    """

    year: int | None
    surface: GlacierSurface
    bands: Hypsometry


def read_surveys(
    dem: Path,
    outline: Path,
    identity: tuple[str, str],
    resolution_m: float,
    band_height_m: float,
    known_by: KnownBy | None = None,
) -> tuple[SurveyedGround, ...]:
    """The glacier's surface within the outline of every year that the file has, the earliest first.

    ``identity`` : identifier of the glacier, and the projected CRS to work in; ``resolution_m`` : pixel size;
    ``known_by`` : what tells it apart in a file of several glaciers that lacks its identifier.

    Parameters
    ----------
    dem : of the glacier, any CRS, m.
    outline : polygons, with a year each where there are several.
    identity : identifier of the glacier, and the projected CRS to work in.
    resolution_m : side of the pixels.
    band_height_m : of the bands of elevation.
    known_by : what tells the glacier apart in a file of several that lacks its identifier.

    Errors
    ------
    BadInput : unreadable file, no CRS, invalid or empty outline, a DEM that does not cover the outline.
    """
    glacier_id, crs = identity
    outlines = read_surveyed_outlines(outline, glacier_id, crs, known_by)
    grid = _grid_of(outlines.values(), crs, resolution_m, outline.name)
    surface = _warp(dem, grid)
    surveys = []
    for year, geometry in outlines.items():
        within = _within(surface, grid, geometry, (dem.name, outline.name))
        surveys.append(SurveyedGround(year, within, hypsometry_of_surface(within, band_height_m)))
    return tuple(surveys)


def survey_of_year(surveys: Sequence[SurveyedGround], year: int) -> SurveyedGround:
    """The survey that serves a mass-balance year: that calendar year's, else the nearest earlier, else the earliest.

    Parameters
    ----------
    surveys : the earliest first.
    year : of the mass balance.
    """
    earlier = [one for one in surveys if one.year is None or one.year <= year]
    return earlier[-1] if earlier else surveys[0]


def _grid_of(outlines: Iterable[BaseGeometry], crs: str, resolution_m: float, where: str) -> Grid:
    """The grid about some outlines, with its margin."""
    west, south, east, north = shapely.total_bounds(list(outlines))
    margin = MARGIN_PIXELS * resolution_m
    if (east - west + 2 * margin) * (north - south + 2 * margin) > MOST_PIXELS * resolution_m**2:
        extent = f"an outline {(east - west) / 1000:.0f} km wide and {(north - south) / 1000:.0f} km high"
        raise BadInput(where, extent, f"one glacier, within {MOST_PIXELS} pixels of {resolution_m:g} m")
    return Grid.covering((west - margin, south - margin, east + margin, north + margin), resolution_m, crs)


def _within(surface: FloatArray, grid: Grid, outline: BaseGeometry, names: tuple[str, str]) -> GlacierSurface:
    """The surface within one outline; ``names`` of the files of DEM and outline."""
    on_glacier = ~geometry_mask([outline], grid.shape, grid.transform)
    inside = on_glacier & np.isfinite(surface)
    pixels = int(on_glacier.sum())
    if pixels == 0:
        size = f"an outline smaller than a pixel of {grid.pixel_size[0]:g} m"
        raise BadInput(names[1], size, "a larger glacier or a finer grid")
    share = 1 - int(inside.sum()) / pixels
    if share > MAXIMUM_VOID_SHARE:
        voids = f"no elevation over {share:.0%} of the outline"
        raise BadInput(names[0], voids, "a DEM that covers the glacier", f"outline: {names[1]}")
    return GlacierSurface(grid, surface, inside, outline)


def _warp(dem: Path, grid: Grid) -> FloatArray:
    """The DEM on the grid, bilinear, NaN where void."""
    if not dem.exists():
        raise BadInput(dem.name, "no such file", "a DEM (GeoTIFF or any raster with a CRS)")
    require_plain_file(dem, dem.name, "a DEM (GeoTIFF or any raster with a CRS)")
    if dem.suffix.lower() == ".vrt":
        require_local_mosaic(dem)
    surface = np.full(grid.shape, np.nan, np.float64)
    try:
        with rasterio.Env(), open_raster(str(dem.absolute())) as source:
            require_sizes(dem.name, source, dem.stat().st_size)
            if source.crs is None:
                raise BadInput(dem.name, "no coordinate reference system", "a DEM with a CRS")
            _require_overlap(dem, source.crs.to_wkt(), source.bounds, grid)
            reproject(
                rasterio.band(source, 1),
                surface,
                src_nodata=source.nodata,
                dst_crs=CRS.from_user_input(grid.crs).to_wkt(),
                dst_transform=grid.transform,
                dst_nodata=np.nan,
                resampling=Resampling.bilinear,
            )
    except RasterioError as error:
        raise BadInput(dem.name, f"an unreadable raster ({str(error).splitlines()[0]})", "a DEM") from None
    return surface


def _require_overlap(dem: Path, crs: str, bounds: tuple[float, float, float, float], grid: Grid) -> None:
    west, south, east, north = transform_bounds(crs, CRS.from_user_input(grid.crs).to_wkt(), *bounds)
    left, bottom, right, top = grid.bounds
    if east <= left or west >= right or north <= bottom or south >= top:
        raise BadInput(dem.name, "a DEM that does not reach the outline", "a DEM that covers the glacier")


def hypsometry_of_surface(surface: GlacierSurface, band_height_m: float) -> Hypsometry:
    """Area in bands of elevation aligned to multiples of their height, adding up to the outline's area.

        A_i = A n_i / n

    n_i: pixels of band i, n: of the glacier, A: area of the outline.

    Every pixel on the glacier counts the same share of the outline, so that the rim of half-covered pixels is neither
    lost nor counted twice.

    Parameters
    ----------
    surface : heights within the outline, m.
    band_height_m : of the bands.
    """
    elevation = surface.surface_m[surface.inside]
    first = np.floor(elevation.min() / band_height_m)
    count = int(np.floor(elevation.max() / band_height_m) - first) + 1
    index = (np.floor(elevation / band_height_m) - first).astype(int)
    area = np.bincount(index, minlength=count) * (surface.area_km2 / elevation.size)
    lower = (first + np.arange(count)) * band_height_m
    return Hypsometry(lower, lower + band_height_m, area)


def hypsometry_of_year(table: pd.DataFrame, year: int) -> Hypsometry:
    """The table's distribution for a year: that year's, else the nearest earlier one, else the earliest.

    Parameters
    ----------
    table : shaped as ``schemas.tables.HYPSOMETRY``.
    year : of the mass balance.
    """
    years = sorted(set(table["year"]))
    chosen = max((known for known in years if known <= year), default=years[0])
    rows = table[table["year"] == chosen].sort_values("lower_m")
    lower, upper, area = (rows[name].to_numpy(float) for name in ("lower_m", "upper_m", "area_km2"))
    return Hypsometry(lower, upper, area, int(chosen))


def band_flags(bands: Hypsometry) -> list[str]:
    """What is wrong with some elevation bands, lowest first: overlaps, gaps, bands without area.

    Parameters
    ----------
    bands : lowest first.
    """
    edges = list(zip(bands.lower_m, bands.upper_m, strict=True))
    flags = [
        f"band_without_area:{lower:g}-{upper:g}"
        for (lower, upper), area in zip(edges, bands.area_km2, strict=True)
        if not area > 0
    ]
    for (_, below), (above, upper) in pairwise(edges):
        if above < below - _EDGE_M:
            flags.append(f"overlapping_bands:{above:g}-{upper:g}")
    if any(above > below + _EDGE_M for (_, below), (above, _) in pairwise(edges)):
        flags.append("bands_with_a_gap")
    return flags
