"""Read DEM tiles: one raster, a list, or a folder; each checked at the door, read by window onto a grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import rasterio
from pyproj import CRS, Transformer
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine, array_bounds
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from pipeline.grid import FloatArray, Grid
from schemas.errors import BadInput

# Heights outside this range are voids or corrupt on Earth: the Dead Sea shore is at -430 m, Everest at 8849 m.
LOWEST_M, HIGHEST_M = -500.0, 9000.0
EGM96, EGM2008 = "EPSG:5773", "EPSG:3855"
# GDAL approximates the map projection to within this many source pixels. Its default, which rasterio.warp.reproject
# cannot change, is 0.125: a 90 m DEM then comes out 5 m too far south on average, more than the shift one looks for.
WARP_TOLERANCE = 1e-4
RASTER_SUFFIXES = (".tif", ".tiff", ".hgt", ".vrt", ".img", ".asc", ".dem")


@dataclass(frozen=True)
class Tile:
    """One raster file: where it lies and how its heights are stored. Units of transform and bounds are its CRS's."""

    path: Path
    crs: str
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    dtype: str
    vertical_datum: str | None

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        west, south, east, north = array_bounds(*self.shape, self.transform)
        return float(west), float(south), float(east), float(north)


@dataclass(frozen=True)
class Mosaic:
    """Tiles of one DEM that share CRS, pixel size and pixel phase.

    Attributes
    ----------
    role : "earlier" or "later"; errors and tables name it.
    tiles : in the order of their names.
    vertical_datum : EPSG code of the heights, or None when neither the files nor the caller state it.
    """

    role: str
    tiles: tuple[Tile, ...]
    vertical_datum: str | None

    @property
    def crs(self) -> str:
        return self.tiles[0].crs

    @property
    def pixel(self) -> tuple[float, float]:
        """(width, height) of a native pixel, in units of the CRS."""
        return float(self.tiles[0].transform.a), float(-self.tiles[0].transform.e)

    @cached_property
    def bounds(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) around all tiles, native CRS."""
        edges = np.array([tile.bounds for tile in self.tiles])
        return (
            float(edges[:, 0].min()),
            float(edges[:, 1].min()),
            float(edges[:, 2].max()),
            float(edges[:, 3].max()),
        )

    @property
    def is_geographic(self) -> bool:
        return bool(CRS.from_user_input(self.crs).is_geographic)

    @property
    def nominal_resolution_m(self) -> float:
        """Pixel size in metres; for a geographic grid the usual name of it, 30 m an arc second."""
        if not self.is_geographic:
            return self.pixel[1]
        arc_seconds = self.pixel[1] * 3600
        return 30.0 * (round(arc_seconds) if arc_seconds > 0.75 else arc_seconds)

    def grid(self) -> Grid:
        """The mosaic's native grid."""
        west, south, east, north = self.bounds
        width, height = self.pixel
        shape = (round((north - south) / height), round((east - west) / width))
        return Grid(self.crs, Affine(width, 0, west, 0, -height, north), shape)


def find_rasters(source: Path | Sequence[Path], role: str) -> tuple[Path, ...]:
    """The raster files meant by a path, a folder of tiles, or a list of either, sorted by name.

    Errors
    ------
    BadInput : no such file, or a folder without rasters.
    """
    sources = [source] if isinstance(source, Path) else list(source)
    found: list[Path] = []
    for path in sources:
        if path.is_dir():
            inside = sorted(child for child in path.iterdir() if child.suffix.lower() in RASTER_SUFFIXES)
            if not inside:
                raise BadInput(
                    str(path), "no raster tile in the folder", f"files ending in {', '.join(RASTER_SUFFIXES)}"
                )
            found += inside
        elif path.exists():
            found.append(path)
        else:
            raise BadInput(str(path), f"no such file for the {role} DEM", "a raster file or a folder of tiles")
    return tuple(sorted(set(found), key=lambda path: path.name))


def open_mosaic(source: Path | Sequence[Path], role: str, vertical_datum: str | None = None) -> Mosaic:
    """Open the tiles of one DEM and check that they belong together.

    Errors
    ------
    BadInput : unreadable or truncated file, no CRS, rotated grid, mixed CRS, pixel size or phase, duplicate tiles.
    """
    tiles = tuple(_open_tile(path) for path in find_rasters(source, role))
    first = tiles[0]
    for tile in tiles[1:]:
        _check_alike(first, tile)
    _check_duplicates(tiles)
    stated = {tile.vertical_datum for tile in tiles} - {None}
    if vertical_datum is None and len(stated) > 1:
        raise BadInput(f"{role} DEM", f"tiles in several vertical datums {sorted(map(str, stated))}", "one datum")
    return Mosaic(role, tiles, vertical_datum or (stated.pop() if stated else None))


def _open_tile(path: Path) -> Tile:
    try:
        with rasterio.open(path) as source:
            crs, transform, shape = source.crs, source.transform, source.shape
            nodata, dtype, bands = source.nodata, source.dtypes[0], source.count
    except RasterioError as error:
        raise BadInput(str(path), _one_line(error), "a raster that GDAL can read", "is the file complete?") from None
    if crs is None:
        raise BadInput(
            str(path), "no coordinate reference system", "a georeferenced raster", "set it with gdal_edit.py -a_srs"
        )
    if bands != 1:
        raise BadInput(str(path), f"{bands} bands", "one band of heights")
    if transform.b != 0 or transform.d != 0 or transform.e >= 0 or transform.a <= 0:
        raise BadInput(str(path), "a rotated or mirrored grid", "a north-up grid", "warp it with gdalwarp")
    horizontal, datum = _split_crs(CRS.from_user_input(crs.to_wkt()))
    return Tile(path, horizontal, transform, shape, nodata, dtype, datum or _datum_by_name(path.name))


def _split_crs(crs: CRS) -> tuple[str, str | None]:
    """Horizontal CRS and vertical datum (EPSG code) of a CRS that may be compound."""
    if crs.is_compound:
        horizontal, vertical = crs.sub_crs_list[0], crs.sub_crs_list[1]
        return _name_of(horizontal), _name_of(vertical)
    return _name_of(crs), None


def _name_of(crs: CRS) -> str:
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.to_wkt())


def _datum_by_name(name: str) -> str | None:
    """Vertical datum that a product's file name implies: SRTM stands on EGM96, Copernicus and FABDEM on EGM2008."""
    lowered = name.lower()
    if lowered.endswith(".hgt") or "srtm" in lowered:
        return EGM96
    return EGM2008 if "fabdem" in lowered or lowered.startswith("copernicus_dsm") else None


def _check_alike(first: Tile, tile: Tile) -> None:
    where = f"{tile.path}"
    if tile.crs != first.crs:
        raise BadInput(where, f"CRS {tile.crs[:40]}", f"{first.crs[:40]} as in {first.name}", "reproject one of them")
    for ours, theirs in ((tile.transform.a, first.transform.a), (tile.transform.e, first.transform.e)):
        if abs(ours - theirs) > 1e-6 * abs(theirs):
            raise BadInput(
                where, f"pixel size {abs(ours):g}", f"{abs(theirs):g} as in {first.name}", "resample one of them"
            )
    columns = (tile.transform.c - first.transform.c) / first.transform.a
    rows = (tile.transform.f - first.transform.f) / first.transform.e
    if max(abs(columns - round(columns)), abs(rows - round(rows))) > 0.02:
        raise BadInput(where, "pixels between those of its neighbour", f"the pixel phase of {first.name}")


def _check_duplicates(tiles: Sequence[Tile]) -> None:
    seen: dict[tuple[float, ...], Tile] = {}
    for tile in tiles:
        key = tuple(round(edge, 6) for edge in tile.bounds)
        if key in seen:
            raise BadInput(
                str(tile.path), f"the same extent as {seen[key].name}", "each tile once", "remove one of them"
            )
        seen[key] = tile


def require_coverage(mosaic: Mosaic, region_lonlat: tuple[float, float, float, float]) -> None:
    """Refuse a mosaic that lacks a one-degree tile of the region; edges may fall short by two pixels.

    Errors
    ------
    BadInput : names the missing tile, as N43E087.
    """
    west, south, east, north = region_lonlat
    boxes = [transform_bounds(tile.crs, "EPSG:4326", *tile.bounds) for tile in mosaic.tiles]
    margin = 2 * (mosaic.pixel[0] if mosaic.is_geographic else mosaic.pixel[0] / 111_000)
    for latitude in range(math.floor(south), math.ceil(north)):
        for longitude in range(math.floor(west), math.ceil(east)):
            cell = (max(west, longitude), max(south, latitude), min(east, longitude + 1), min(north, latitude + 1))
            if not any(_holds(box, cell, margin) for box in boxes):
                name = tile_name(latitude, longitude)
                held = ", ".join(tile.name for tile in mosaic.tiles)
                raise BadInput(
                    f"{mosaic.role} DEM",
                    f"no tile {name} (have {held})",
                    f"tiles that cover {region_lonlat}",
                    f"add the tile {name}",
                )


def tile_name(latitude: int, longitude: int) -> str:
    """Name of the one-degree tile by its south-west corner, as N43E087."""
    north_south, east_west = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{north_south}{abs(latitude):02d}{east_west}{abs(longitude):03d}"


def _holds(box: tuple[float, ...], cell: tuple[float, ...], margin: float) -> bool:
    return (
        box[0] <= cell[0] + margin
        and box[1] <= cell[1] + margin
        and box[2] >= cell[2] - margin
        and box[3] >= cell[3] - margin
    )


def read_native(mosaic: Mosaic, bounds: tuple[float, float, float, float]) -> tuple[FloatArray, Affine]:
    """Heights of the native pixels that touch ``bounds`` (native CRS); float32, NaN where void.

    Returns
    -------
    heights : shape (rows, columns), m.
    transform : of the array; may reach beyond the tiles, where it is NaN.

    Errors
    ------
    BadInput : a tile that cannot be read to its end.
    """
    width, height = mosaic.pixel
    west0, north0 = mosaic.tiles[0].transform.c, mosaic.tiles[0].transform.f
    column0, column1 = math.floor((bounds[0] - west0) / width), math.ceil((bounds[2] - west0) / width)
    row0, row1 = math.floor((north0 - bounds[3]) / height), math.ceil((north0 - bounds[1]) / height)
    heights = np.full((row1 - row0, column1 - column0), np.nan, np.float32)
    transform = Affine(width, 0, west0 + column0 * width, 0, -height, north0 - row0 * height)
    for tile in mosaic.tiles:
        left = round((tile.transform.c - transform.c) / width)
        top = round((transform.f - tile.transform.f) / height)
        rows = slice(max(0, top), min(heights.shape[0], top + tile.shape[0]))
        columns = slice(max(0, left), min(heights.shape[1], left + tile.shape[1]))
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        window = Window(columns.start - left, rows.start - top, columns.stop - columns.start, rows.stop - rows.start)
        part = _read_window(tile, window)
        target = heights[rows, columns]
        np.copyto(target, part, where=np.isnan(target))
    return heights, transform


def _read_window(tile: Tile, window: Window) -> FloatArray:
    try:
        with rasterio.open(tile.path) as source:
            raw = source.read(1, window=window)
    except RasterioError as error:
        raise BadInput(str(tile.path), _one_line(error), "a complete raster", "fetch the file again") from None
    heights: FloatArray = raw.astype(np.float32)
    if tile.nodata is not None and not math.isnan(tile.nodata):
        heights[raw == tile.nodata] = np.nan
    heights[(heights < LOWEST_M) | (heights > HIGHEST_M)] = np.nan
    return heights


def read_onto(mosaic: Mosaic, grid: Grid, resampling: str, shift: tuple[float, float] = (0.0, 0.0)) -> FloatArray:
    """Heights on the pixels of ``grid``, the DEM moved by ``shift`` = (east, north) m; one resampling at most.

    Pixels that coincide with the native ones are copied, so that equal grids under different CRS names lose nothing.

    Returns
    -------
    heights : float32, shape grid.shape, m; NaN where void. A void grows by no more than the pixel it lies in.
    """
    moved = grid.moved(-shift[0], -shift[1])
    offset = aligned_offset(mosaic, moved)
    if offset is not None:
        return _read_pixels(mosaic, moved, offset)
    native_bounds = transform_bounds(moved.crs, mosaic.crs, *moved.bounds, densify_pts=21)
    margin_x, margin_y = 4 * mosaic.pixel[0], 4 * mosaic.pixel[1]
    heights, transform = read_native(
        mosaic,
        (
            native_bounds[0] - margin_x,
            native_bounds[1] - margin_y,
            native_bounds[2] + margin_x,
            native_bounds[3] + margin_y,
        ),
    )
    return warp(heights, transform, mosaic.crs, moved, resampling)


def warp(heights: FloatArray, transform: Affine, crs: str, grid: Grid, resampling: str) -> FloatArray:
    """Resample heights onto a grid; a pixel whose nearest source pixel is void is void, so voids keep their size.

    Parameters
    ----------
    heights : shape (rows, columns), float32, NaN where void; ``transform`` and ``crs`` say where its pixels lie.
    """
    result = _warped(heights, transform, crs, grid, resampling)
    void = np.isnan(heights)
    if void.any():
        covered = _warped((~void).astype(np.float32), transform, crs, grid, "nearest")
        result[np.nan_to_num(covered) == 0] = np.nan
    return result


def _warped(values: FloatArray, transform: Affine, crs: str, grid: Grid, resampling: str) -> FloatArray:
    profile = {
        "driver": "GTiff", "height": values.shape[0], "width": values.shape[1], "count": 1, "dtype": "float32",
        "crs": crs, "transform": transform, "nodata": np.nan,
    }  # fmt: skip
    with MemoryFile() as memory:
        with memory.open(**profile) as target:
            target.write(values, 1)
        with (
            memory.open() as source,
            WarpedVRT(
                source, crs=grid.crs, transform=grid.transform, height=grid.shape[0], width=grid.shape[1],
                resampling=Resampling[resampling], nodata=np.nan, tolerance=WARP_TOLERANCE, num_threads=2,
            ) as warped,
        ):  # fmt: skip
            read: FloatArray = warped.read(1)
    return read


def aligned_offset(mosaic: Mosaic, grid: Grid) -> tuple[int, int] | None:
    """(row, column) of the grid's first pixel in the mosaic's native grid when the pixels coincide, else None.

    The CRS are compared by where they put the grid's corners, not by name: EPSG:25833 and EPSG:32633 agree to
    centimetres. Corners within 0.01 pixel of native pixel corners count as coincident.
    """
    native = mosaic.grid()
    if mosaic.is_geographic != bool(CRS.from_user_input(grid.crs).is_geographic):
        return None
    west, south, east, north = grid.bounds
    transformer = Transformer.from_crs(grid.crs, mosaic.crs, always_xy=True)
    easting, northing = transformer.transform([west, east, west, east], [north, north, south, south])
    rows = (native.transform.f - np.asarray(northing)) / native.pixel_size[1]
    columns = (np.asarray(easting) - native.transform.c) / native.pixel_size[0]
    row, column = round(rows[0]), round(columns[0])
    expected_rows = np.array([row, row, row + grid.shape[0], row + grid.shape[0]])
    expected_columns = np.array([column, column + grid.shape[1], column, column + grid.shape[1]])
    off = max(np.abs(rows - expected_rows).max(), np.abs(columns - expected_columns).max())
    return (row, column) if off < 0.01 else None


def _read_pixels(mosaic: Mosaic, grid: Grid, offset: tuple[int, int]) -> FloatArray:
    native = mosaic.grid()
    width, height = native.pixel_size
    west = native.transform.c + offset[1] * width
    north = native.transform.f - offset[0] * height
    inset = (width / 4, height / 4)
    heights, _ = read_native(
        mosaic,
        (
            west + inset[0],
            north - grid.shape[0] * height + inset[1],
            west + grid.shape[1] * width - inset[0],
            north - inset[1],
        ),
    )
    return heights


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
