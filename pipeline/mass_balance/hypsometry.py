"""The glacier's surface and its area-altitude distribution: from a table, or from a DEM and an outline."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import rasterio
from pyproj import CRS
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.features import geometry_mask
from rasterio.warp import reproject, transform_bounds
from shapely.geometry.base import BaseGeometry
from shapely.validation import explain_validity

from pipeline.gdal_inputs import (
    open_raster,
    require_local_mosaic,
    require_plain_outlines,
    require_plausible_count,
    require_sizes,
)
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.outline_errors import UNUSABLE, quiet_outlines
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
    def total_km2(self) -> float:
        """Area of the glacier."""
        return float(self.area_km2.sum())


def read_surface(dem: Path, outline: Path, glacier_id: str, crs: str, resolution_m: float) -> GlacierSurface:
    """The glacier's surface from any DEM and outline file, on a grid of the given CRS and pixel size (m).

    Errors
    ------
    BadInput : unreadable file, no CRS, invalid or empty outline, a DEM that does not cover the outline.
    """
    geometry = read_outline(outline, glacier_id, crs)
    west, south, east, north = geometry.bounds
    margin = MARGIN_PIXELS * resolution_m
    if (east - west + 2 * margin) * (north - south + 2 * margin) > MOST_PIXELS * resolution_m**2:
        found = f"an outline {(east - west) / 1000:.0f} km wide and {(north - south) / 1000:.0f} km high"
        raise BadInput(outline.name, found, f"one glacier, within {MOST_PIXELS} pixels of {resolution_m:g} m")
    grid = Grid.covering((west - margin, south - margin, east + margin, north + margin), resolution_m, crs)
    surface = _warp(dem, grid)
    on_glacier = ~geometry_mask([geometry], grid.shape, grid.transform)
    inside = on_glacier & np.isfinite(surface)
    pixels = int(on_glacier.sum())
    if pixels == 0:
        raise BadInput(
            outline.name, f"an outline smaller than a pixel of {resolution_m:g} m", "a larger glacier or a finer grid"
        )
    share = 1 - int(inside.sum()) / pixels
    if share > MAXIMUM_VOID_SHARE:
        raise BadInput(
            dem.name,
            f"no elevation over {share:.0%} of the outline",
            "a DEM that covers the glacier",
            f"outline: {outline.name}",
        )
    return GlacierSurface(grid, surface, inside, geometry)


def read_outline(path: Path, glacier_id: str, crs: str) -> BaseGeometry:
    """The outline of the glacier in ``crs``: the features that bear its identifier, or all of the file.

    Errors
    ------
    BadInput : no such file, not a vector file, no CRS, no polygon, invalid geometry.
    """
    if not path.exists():
        raise BadInput(path.name, "no such file", "an outline (GeoPackage, GeoJSON or shapefile)")
    require_plain_outlines(path, path.name)
    try:
        with quiet_outlines():
            return _outline(path, glacier_id, crs)
    except UNUSABLE as error:
        found = " ".join(str(error).split()) or type(error).__name__
        raise BadInput(path.name, found, "an outline (GeoPackage, GeoJSON or shapefile)") from None


def _outline(path: Path, glacier_id: str, crs: str) -> BaseGeometry:
    require_plausible_count(path, path.name, int(pyogrio.read_info(path)["features"]))
    frame = gpd.read_file(path)
    if not isinstance(frame, gpd.GeoDataFrame):
        raise BadInput(path.name, "a table without shapes", "the glacier as polygon")
    if frame.crs is None:
        raise BadInput(path.name, "no coordinate reference system", "an outline with a CRS", "add the .prj file")
    polygons = frame[frame.geometry.geom_type.isin(["Polygon", "MultiPolygon"])]
    if polygons.empty:
        raise BadInput(path.name, f"{len(frame)} features, no polygon", "the glacier as polygon")
    named = polygons.drop(columns="geometry").astype(str).eq(glacier_id).any(axis=1).to_numpy()
    chosen = polygons[named] if named.any() else polygons
    for geometry in chosen.geometry:
        if not geometry.is_valid:
            raise BadInput(path.name, f"invalid geometry: {explain_validity(geometry)}", "a valid polygon", "repair it")
    union = chosen.to_crs(crs).union_all()
    if union.is_empty or not np.isfinite(union.area) or union.area == 0:
        raise BadInput(path.name, "an empty outline", "a glacier with an area")
    merged: BaseGeometry = union
    return merged


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

    Every pixel on the glacier counts the same share of the outline, so that the rim of half-covered pixels is neither
    lost nor counted twice.
    """
    elevation = surface.surface_m[surface.inside]
    first = np.floor(elevation.min() / band_height_m)
    count = int(np.floor(elevation.max() / band_height_m) - first) + 1
    index = (np.floor(elevation / band_height_m) - first).astype(int)
    area = np.bincount(index, minlength=count) * (surface.area_km2 / elevation.size)
    lower = (first + np.arange(count)) * band_height_m
    return Hypsometry(lower, lower + band_height_m, area)


def hypsometry_of_year(table: pd.DataFrame, year: int) -> Hypsometry:
    """The table's distribution for a year: that year's, else the nearest earlier one, else the earliest."""
    years = sorted(set(table["year"]))
    chosen = max((known for known in years if known <= year), default=years[0])
    rows = table[table["year"] == chosen].sort_values("lower_m")
    lower, upper, area = (rows[name].to_numpy(float) for name in ("lower_m", "upper_m", "area_km2"))
    return Hypsometry(lower, upper, area, int(chosen))


def band_flags(bands: Hypsometry) -> list[str]:
    """What is wrong with some elevation bands, lowest first: overlaps, gaps, bands without area."""
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
