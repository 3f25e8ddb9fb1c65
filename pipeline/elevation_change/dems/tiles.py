"""Read DEM tiles: one raster, a list, a folder or an archive; each checked at the door, read by window."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import ProjError
from rasterio._err import CPLE_BaseError  # what a transformation that PROJ cannot find raises as it is
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.transform import Affine, array_bounds
from rasterio.warp import transform_bounds
from rasterio.windows import Window

from pipeline.elevation_change.dems.filled_pixels import filled_pixels
from pipeline.elevation_change.dems.opened_rasters import opened, quiet_gdal, require_intact_once
from pipeline.elevation_change.dems.products import ELLIPSOIDAL, corner_by_name
from pipeline.elevation_change.dems.raster_files import (
    MOST_UNPACKED_BYTES,
    RasterFile,
    find_rasters,
    other_format,
    product_by_name,
    refuse_format,
    require_intact,
)
from pipeline.elevation_change.dems.warping import warp
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.inputs.fill_masks import FillMask, fill_mask_of
from pipeline.inputs.gdal_inputs import open_raster, require_sizes
from pipeline.longitudes import gathered, turned_to, unwrapped, within_a_turn
from schemas.errors import BadInput

# Heights outside this range are voids or corrupt on Earth: the Dead Sea shore is at -430 m, Everest at 8849 m.
LOWEST_M, HIGHEST_M = -500.0, 9000.0
# source pixels that the widest resampling kernel (Lanczos) reaches, and what is read beyond it
KERNEL_REACH, MARGIN = 3, 2
# a side, of the points at which a degree of a region is asked for a tile
COVERAGE_POINTS = 41
# a pixel is not so many times longer than wide; at 84 degrees of latitude, one of equal degrees is ten times
LONGEST_PIXEL = 1000.0
# products whose tiles may differ in their pixels
MIXED_PIXELS = frozenset({"Copernicus DEM", "FABDEM", "TanDEM-X DEM"})
_HEIGHT_TYPES = (
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float16",
    "float32",
    "float64",
)


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One raster: where it lies and how its heights are stored. Units of transform and bounds are its CRS's.

    Attributes
    ----------
    file : the file or archive, and what GDAL opens.
    nodata : the declared value of voids, None when the file declares none.
    scale, offset : height = scale * stored + offset, m.
    masked : whether a mask band of the file marks its voids.
    block : (rows, columns) of the rectangles that the file is stored in.
    plain : whether they are stored uncompressed, so that reading them again costs little.
    south_up : whether the file begins with its southernmost row; transform and all that is read are north-up.
    vertical_datum : EPSG code that the file, or else its name, states; None where neither does.
    named_product : the product by whose name the vertical datum is known; empty where the file states it.
    fill_mask : tells which heights come from elsewhere and count as voids; None where no mask lies beside the tile.
    """

    file: RasterFile
    crs: str
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    dtype: str
    vertical_datum: str | None
    scale: float = 1.0
    offset: float = 0.0
    masked: bool = False
    block: tuple[int, int] = (1, 1)
    plain: bool = False
    south_up: bool = False
    named_product: str = ""
    fill_mask: FillMask | None = None

    @property
    def path(self) -> Path:
        return self.file.path

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def where(self) -> str:
        """How errors name it."""
        return self.file.where

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        west, south, east, north = array_bounds(*self.shape, self.transform)
        return float(west), float(south), float(east), float(north)


@dataclass(frozen=True, kw_only=True)
class Mosaic:
    """Tiles of one DEM that share CRS, pixel size and pixel phase, and others of it beneath where these leave gaps.

    The Copernicus DEM has wider pixels towards the poles (1" to 10" of longitude), and tiles of its 90 m edition stand
    for those of 30 m that are not released.

    Attributes
    ----------
    role : "earlier" or "later"; errors and tables name it.
    tiles : in the order of their names.
    vertical_datum : EPSG code of the heights, or None when neither the files nor the caller state it.
    datum_by_name : the product by whose name alone the vertical datum is known; empty where somebody stated it.
    beneath : tiles of the same DEM with other pixels, and what lies beneath them; None for most.
    """

    role: str
    tiles: tuple[Tile, ...]
    vertical_datum: str | None
    datum_by_name: str = ""
    beneath: Mosaic | None = None

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
    def every_tile(self) -> tuple[Tile, ...]:
        """The tiles, and those beneath them."""
        return self.tiles if self.beneath is None else (*self.tiles, *self.beneath.every_tile)

    @cached_property
    def extent(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) around all tiles and those beneath them, native CRS."""
        if self.beneath is None:
            return self.bounds
        own, other = self.bounds, self.beneath.extent
        return min(own[0], other[0]), min(own[1], other[1]), max(own[2], other[2]), max(own[3], other[3])

    @property
    def is_geographic(self) -> bool:
        return bool(CRS.from_user_input(self.crs).is_geographic)

    @property
    def nominal_resolution_m(self) -> float:
        """Pixel size in metres; for a geographic grid the usual name of it, 30 m an arc second."""
        if not self.is_geographic:
            return self.pixel[1] * float(CRS.from_user_input(self.crs).axis_info[0].unit_conversion_factor)
        arc_seconds = self.pixel[1] * 3600
        return 30.0 * (round(arc_seconds) if arc_seconds > 0.75 else arc_seconds)

    @cached_property
    def corners(self) -> tuple[tuple[int, int], ...]:
        """(row, column) of each tile's first pixel, counted from the first tile's."""
        origin, (width, height) = self.tiles[0].transform, self.pixel
        return tuple(
            (round((origin.f - tile.transform.f) / height), round((tile.transform.c - origin.c) / width))
            for tile in self.tiles
        )

    def grid(self) -> Grid:
        """The mosaic's native grid."""
        west, south, east, north = self.bounds
        width, height = self.pixel
        shape = (round((north - south) / height), round((east - west) / width))
        return Grid(self.crs, Affine(width, 0, west, 0, -height, north), shape)


def open_mosaic(source: Path | Sequence[Path], role: str, vertical_datum: str | None = None) -> Mosaic:
    """Open the tiles of one DEM and check that they belong together.

    Parameters
    ----------
    source : as ``find_rasters`` takes it.
    role : "earlier" or "later", as errors name the DEM.
    vertical_datum : EPSG code that counts before what files and names state; None when nobody stated one.

    Errors
    ------
    BadInput : unreadable file or archive, no CRS, rotated grid, heights in other units than metres, a tile that is not
        where its name says, mixed CRS, pixel size, phase or datum, duplicate tiles.
    """
    tiles = _side_by_side(tuple(_open_tile(raster) for raster in find_rasters(source, role)))
    lattices = _lattices_of(tiles)
    for own in lattices:
        for tile in own[1:]:
            _check_alike(own[0], tile)
        _check_duplicates(own)
    stated = {tile.vertical_datum for tile in tiles} - {None}
    if vertical_datum is None and len(stated) > 1:
        raise BadInput(f"{role} DEM", f"tiles in several vertical datums {sorted(map(str, stated))}", "one datum")
    named = {tile.named_product for tile in tiles if tile.vertical_datum}
    by_name = "" if vertical_datum is not None or "" in named else " and ".join(sorted(named))
    datum = vertical_datum or (stated.pop() if stated else None)
    beneath: Mosaic | None = None
    for own in reversed(lattices):
        beneath = Mosaic(role=role, tiles=own, vertical_datum=datum, datum_by_name=by_name, beneath=beneath)
    if beneath is None:
        raise BadInput(f"{role} DEM", "no tile", "at least one")
    return beneath


def _lattices_of(tiles: tuple[Tile, ...]) -> list[tuple[Tile, ...]]:
    """Tiles of one product by the size of their pixels, the finest first; all together where they are of none."""
    products = {product.name if product else "" for product in (product_by_name(tile.file) for tile in tiles)}
    if not products <= MIXED_PIXELS or len(products) > 1 or len({tile.crs for tile in tiles}) > 1:
        return [tiles]
    by_size: dict[tuple[float, float], list[Tile]] = {}
    for tile in tiles:
        by_size.setdefault((round(-tile.transform.e, 9), round(tile.transform.a, 9)), []).append(tile)
    return [tuple(by_size[size]) for size in sorted(by_size)]


def _side_by_side(tiles: tuple[Tile, ...]) -> tuple[Tile, ...]:
    """Tiles in degrees as they lie on the ball: without longitudes of another turn, and on both sides of 180.

    Across the antimeridian longitudes are counted from there, by a CRS with that prime meridian, so that whatever is
    transformed finds them in one piece.
    """
    crs = CRS.from_user_input(tiles[0].crs)
    if not crs.is_geographic or any(tile.crs != tiles[0].crs for tile in tiles):
        return tiles
    turns, crossing = gathered([(tile.bounds[0], tile.bounds[2]) for tile in tiles])
    # the posts of a tile that ends there reach half a pixel beyond
    margin = 2 * tiles[0].transform.a
    ends = [edge + turn for tile, turn in zip(tiles, turns, strict=True) for edge in (tile.bounds[0], tile.bounds[2])]
    if not crossing or min(ends) > 180 - margin or max(ends) < 180 + margin:
        return tuple(_moved_east(tile, turn, tile.crs) for tile, turn in zip(tiles, turns, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of what a PROJ string cannot say; datum and ellipsoid it can
        opposite = f"{crs.to_proj4()} +pm=180"
    return tuple(_moved_east(tile, turn - 180, opposite) for tile, turn in zip(tiles, turns, strict=True))


def _moved_east(tile: Tile, degrees: float, crs: str) -> Tile:
    if degrees == 0:
        return tile
    t = tile.transform
    return replace(tile, crs=crs, transform=Affine(t.a, t.b, t.c + degrees, t.d, t.e, t.f))


def _open_tile(raster: RasterFile) -> Tile:
    where = raster.where
    if raster.is_packed and not raster.member:
        require_intact_once(raster)  # GDAL unpacks the whole of it to tell what it is
    try:
        with quiet_gdal(raster), warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # said below, in words of this project
            with open_raster(raster.source) as source:
                return _described(raster, source)
    except RasterioError as error:
        require_intact(raster)
        known = None if raster.is_packed else other_format(raster.path)
        if known is not None:
            refuse_format(raster.path, *known)
        raise BadInput(where, _one_line(error), "a raster that GDAL can read", "is the file complete?") from None
    except (CPLE_BaseError, ProjError, UnicodeError, OverflowError) as error:
        georeference = f"a georeference that cannot be used ({_one_line(error)})"
        raise BadInput(
            where, georeference, "a georeferenced raster", "set it with gdal_edit.py -a_srs -a_ullr"
        ) from None


def _described(raster: RasterFile, source: Any) -> Tile:
    where, crs, transform, bands = raster.where, source.crs, source.transform, source.count
    if crs is None or not crs.to_wkt():
        raise BadInput(
            where, "no coordinate reference system", "a georeferenced raster", "set it with gdal_edit.py -a_srs"
        )
    if bands != 1:
        raise BadInput(where, f"{bands} bands", "one band of heights", "choose it with gdal_translate -b")
    south_up = transform.e > 0 and not transform.is_identity
    if south_up:
        transform = _north_up(transform, source.height)
    _require_north_up(where, transform)
    require_sizes(where, source, _unpacked_bytes(raster))
    _require_real_numbers(where, source)
    _require_heights_in_metres(where, source.units[0])
    horizontal, datum = _split_crs(where, CRS.from_user_input(crs.to_wkt()))
    product = product_by_name(raster) if datum is None else None
    tile = Tile(
        file=raster, crs=horizontal, transform=transform, shape=source.shape, nodata=source.nodata,
        dtype=source.dtypes[0], vertical_datum=product.datum if product else datum,
        scale=float(source.scales[0]), offset=float(source.offsets[0]),
        masked=source.nodata is None and MaskFlags.per_dataset in source.mask_flag_enums[0],
        block=source.block_shapes[0], plain=_is_plain(raster, source), south_up=south_up,
        named_product=product.name if product else "",
        fill_mask=None if south_up else fill_mask_of(raster.path, raster.name, raster.member),
    )  # fmt: skip
    _require_place_on_earth(tile)
    _require_named_place(tile)
    return tile


def _unpacked_bytes(raster: RasterFile) -> int:
    # of a member, the archive's own size would say too little and its declared one is what binds it
    return (
        MOST_UNPACKED_BYTES
        if raster.is_packed or raster.source.lower().endswith(".vrt")
        else raster.path.stat().st_size
    )


def _north_up(south_up: Affine, rows: int) -> Affine:
    """Where the pixels lie once the rows are read in the opposite order."""
    return Affine(south_up.a, south_up.b, south_up.c, south_up.d, -south_up.e, south_up.f + rows * south_up.e)


def _require_north_up(where: str, transform: Affine) -> None:
    if transform.b != 0 or transform.d != 0 or transform.e >= 0 or transform.a <= 0:
        if transform.is_identity:
            raise BadInput(where, "no georeference", "a north-up grid", "set it with gdal_edit.py -a_ullr")
        raise BadInput(where, "a rotated or mirrored grid", "a north-up grid", "warp it with gdalwarp")
    numbers = tuple(transform)[:6]
    if not all(map(math.isfinite, numbers)) or not 1 / LONGEST_PIXEL < transform.a / -transform.e < LONGEST_PIXEL:
        raise BadInput(
            where, f"pixels of {transform.a:g} x {-transform.e:g} from {transform.c:g}, {transform.f:g}",
            "a pixel size and an origin on Earth", "set them with gdal_edit.py -a_ullr",
        )  # fmt: skip


def _require_real_numbers(where: str, source: Any) -> None:
    if source.dtypes[0] not in _HEIGHT_TYPES:
        raise BadInput(
            where, f"values of type {source.dtypes[0]}", "real numbers", "convert it with gdal_translate -ot"
        )
    if not all(map(math.isfinite, (source.scales[0], source.offsets[0]))) or source.scales[0] == 0:
        scaling = f"scale {source.scales[0]:g} and offset {source.offsets[0]:g}"
        raise BadInput(where, scaling, "heights = scale x stored + offset, both finite", "set them with gdal_edit.py")


def _require_place_on_earth(tile: Tile) -> None:
    west, south, east, north = transform_bounds(tile.crs, "EPSG:4326", *tile.bounds)
    if not all(map(math.isfinite, (west, south, east, north))):
        bounds = ", ".join(f"{edge:g}" for edge in tile.bounds)
        raise BadInput(
            tile.where, f"bounds {bounds} in {tile.crs[:40]}, which lie nowhere on Earth",
            "a raster where its CRS holds", "is the CRS, or the georeferencing, right?",
        )  # fmt: skip


def _is_plain(raster: RasterFile, source: Any) -> bool:
    uncompressed = source.driver in ("SRTMHGT", "EHdr", "ENVI") or (
        source.driver == "GTiff" and source.compression is None
    )
    return uncompressed and not raster.source.startswith("/vsi")


def _require_heights_in_metres(where: str, unit: str | None) -> None:
    if unit and unit.strip().lower() not in ("m", "metre", "metres", "meter", "meters"):
        raise BadInput(where, f"heights in '{unit}'", "heights in metres", "convert them with gdal_calc")


def _require_named_place(tile: Tile) -> None:
    corner = corner_by_name(tile.name)
    if corner is None:
        return
    west, south, east, north = transform_bounds(tile.crs, "EPSG:4326", *tile.bounds)
    longitude, latitude = (west + east) / 2, (south + north) / 2
    wide = max(1.0, east - west)  # towards the poles, tiles of TanDEM-X are
    if not (corner[0] <= longitude <= corner[0] + wide and corner[1] <= latitude <= corner[1] + 1):
        raise BadInput(
            tile.where, f"a raster about {latitude:.2f} N {longitude:.2f} E", f"one within {tile_name(*corner[::-1])}",
            "is the name or the georeferencing right?",
        )  # fmt: skip


def _split_crs(where: str, crs: CRS) -> tuple[str, str | None]:
    """Horizontal CRS and vertical datum (EPSG code) of a CRS that may have a height axis.

    Errors
    ------
    BadInput : a height axis in other units than metres.
    """
    if crs.is_compound:
        horizontal, vertical = crs.sub_crs_list[0], crs.sub_crs_list[1]
        axis = vertical.axis_info[0]
        if axis.unit_conversion_factor != 1:
            raise BadInput(where, f"heights in {axis.unit_name}", "heights in metres", "convert them with gdal_calc")
        return _name_of(horizontal), _name_of(vertical)
    if len(crs.axis_info) == 3:
        return _name_of(crs.to_2d()), ELLIPSOIDAL
    return _name_of(crs), None


def _name_of(crs: CRS) -> str:
    authority = crs.to_authority(min_confidence=70)
    return ":".join(authority) if authority else str(crs.to_wkt())


def _check_alike(first: Tile, tile: Tile) -> None:
    where = tile.where
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
            raise BadInput(tile.where, f"the same extent as {seen[key].name}", "each tile once", "remove one of them")
        seen[key] = tile


def require_coverage(mosaic: Mosaic, region_lonlat: tuple[float, float, float, float]) -> None:
    """Refuse a mosaic that does not cover the region; edges may fall short by two pixels.

    Tiles of any size and CRS count together; what they cover is looked at a degree at a time, at points spread over it.

    Parameters
    ----------
    mosaic : the opened DEM.
    region_lonlat : (west, south, east, north), degrees.

    Errors
    ------
    BadInput : names the missing degree as its tile would be, as N43E087, and what is covered.
    """
    west, south, east, north = region_lonlat
    region = unwrapped(region_lonlat)
    boxes = [
        turned_to(unwrapped(transform_bounds(tile.crs, "EPSG:4326", *tile.bounds)), region)
        for tile in mosaic.every_tile
    ]
    margin = 2 * (mosaic.pixel[0] if mosaic.is_geographic else mosaic.pixel[0] / 111_000)
    for latitude in range(math.floor(south), math.ceil(north)):
        for longitude in range(math.floor(west), math.ceil(east)):
            cell = (max(west, longitude), max(south, latitude), min(east, longitude + 1), min(north, latitude + 1))
            if not _hold(boxes, cell, margin):
                name = tile_name(latitude, longitude)
                held = ", ".join(tile.name for tile in mosaic.every_tile)
                raise BadInput(
                    f"{mosaic.role} DEM",
                    f"no tile {name} (have {held})",
                    f"tiles that cover {region_lonlat}, not only {_around(boxes)}",
                    f"add the tile {name}, or correct the extent",
                )


def tile_name(latitude: int, longitude: int) -> str:
    """Name of the one-degree tile by its south-west corner, as N43E087.

    Parameters
    ----------
    latitude, longitude : of the south-west corner, whole degrees.

    Example
    -------
    >>> tile_name(43, 86)
    'N43E086'
    """
    north_south, east_west = "N" if latitude >= 0 else "S", "E" if longitude >= 0 else "W"
    return f"{north_south}{abs(latitude):02d}{east_west}{abs(longitude):03d}"


def _hold(boxes: Sequence[tuple[float, ...]], cell: tuple[float, ...], margin: float) -> bool:
    """Whether the boxes together hold a cell, but for a margin along its edges; all in degrees."""
    points = (
        np.linspace(min(low + margin, high), max(high - margin, low), COVERAGE_POINTS)
        for low, high in ((cell[0], cell[2]), (cell[1], cell[3]))
    )
    longitude, latitude = np.meshgrid(*points)
    held = np.zeros(longitude.shape, bool)
    for west, south, east, north in boxes:
        held |= (
            (longitude >= west - margin)
            & (longitude <= east + margin)
            & (latitude >= south - margin)
            & (latitude <= north + margin)
        )
    return bool(held.all())


def _around(boxes: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """(west, south, east, north) around boxes, to a thousandth of a degree."""
    edges = np.array(boxes)
    corners = (*edges[:, :2].min(axis=0), *edges[:, 2:].max(axis=0))
    return tuple(round(float(edge), 3) for edge in corners)


def read_native(mosaic: Mosaic, bounds: tuple[float, float, float, float]) -> tuple[FloatArray, Affine]:
    """Heights of the native pixels that touch ``bounds`` (native CRS); float32, NaN where void.

    Parameters
    ----------
    mosaic : the opened DEM.
    bounds : (west, south, east, north) in the DEM's own CRS.

    Returns
    -------
    heights : shape (rows, columns), m.
    transform : of the array; may reach beyond the tiles, where it is NaN.

    Errors
    ------
    BadInput : a tile that cannot be read to its end.
    """
    width, height = mosaic.pixel
    west, north = mosaic.tiles[0].transform.c, mosaic.tiles[0].transform.f
    left, right = math.floor((bounds[0] - west) / width), math.ceil((bounds[2] - west) / width)
    top, bottom = math.floor((north - bounds[3]) / height), math.ceil((north - bounds[1]) / height)
    heights = read_pixels(mosaic, (top, left), (bottom - top, right - left))
    return heights, Affine(width, 0, west + left * width, 0, -height, north - top * height)


def read_pixels(mosaic: Mosaic, first: tuple[int, int], shape: tuple[int, int]) -> FloatArray:
    """Heights of native pixels; where tiles overlap, the first one that has a height there counts.

    Parameters
    ----------
    first : (row, column) of the first pixel, counted from that of the mosaic's first tile.

    Returns
    -------
    float32, the shape asked for, m; NaN where void and beyond the tiles.

    Errors
    ------
    BadInput : a tile that cannot be read to its end.
    """
    heights = np.empty(shape, np.float32)
    wanted = _Extent(*first, first[0] + shape[0], first[1] + shape[1])
    filled: list[_Extent] = []
    for tile, corner in zip(mosaic.tiles, mosaic.corners, strict=True):
        own = _Extent(*corner, corner[0] + tile.shape[0], corner[1] + tile.shape[1])
        part = own.common(wanted)
        if part is None:
            continue
        if not filled and part != wanted:
            heights.fill(np.nan)
        _fill(heights[part.within(wanted)], tile, part.window(corner), any(part.common(other) for other in filled))
        filled.append(part)
    if not filled:
        heights.fill(np.nan)
    return heights


class _Extent(NamedTuple):
    """Pixels from (top, left) up to but not including (bottom, right)."""

    top: int
    left: int
    bottom: int
    right: int

    def common(self, other: _Extent) -> _Extent | None:
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom, right = min(self.bottom, other.bottom), min(self.right, other.right)
        return _Extent(top, left, bottom, right) if top < bottom and left < right else None

    def within(self, outer: _Extent) -> tuple[slice, slice]:
        """Where an array of ``outer`` holds these pixels."""
        return (
            slice(self.top - outer.top, self.bottom - outer.top),
            slice(self.left - outer.left, self.right - outer.left),
        )

    def window(self, corner: tuple[int, int]) -> Window:
        """The window of these pixels in a tile whose first pixel is ``corner``."""
        return Window(self.left - corner[1], self.top - corner[0], self.right - self.left, self.bottom - self.top)


def _fill(target: FloatArray, tile: Tile, window: Window, overlapping: bool) -> None:
    """Read a window of a tile into an array; where other tiles came first, only into what they left void."""
    if not overlapping:
        _read_window(tile, window, target)
        return
    void = np.isnan(target)
    if void.any():
        part = np.empty(target.shape, np.float32)
        _read_window(tile, window, part)
        np.copyto(target, part, where=void)


def _read_window(tile: Tile, window: Window, heights: FloatArray) -> None:
    """Read a window of a tile into ``heights`` (float32, of the window's shape), its voids as NaN."""
    mask = read_stored(tile, window, heights)
    set_void(tile, heights, mask)
    if tile.fill_mask is not None:
        filled = filled_pixels(tile.fill_mask, tile.shape)[window.toslices()]
        np.copyto(heights, np.nan, where=filled)


def read_stored(tile: Tile, window: Window, stored: FloatArray) -> BoolArray | None:
    """Read a window's values as the file has them into ``stored`` (float32), and what its mask band leaves out.

    Parameters
    ----------
    tile : what to read from.
    window : its part, counted north-up.
    stored : float32, shape of the window; is written.

    Returns
    -------
    True where a mask band leaves a pixel out, shape of the window; None for a file without one.

    Errors
    ------
    BadInput : a tile that cannot be read to its end.
    """
    if tile.south_up:
        window = Window(window.col_off, tile.shape[0] - window.row_off - window.height, window.width, window.height)
    try:
        with opened(tile.file) as source:
            source.read(1, window=window, out=stored)
            masked = source.read_masks(1, window=window) == 0 if tile.masked else None
    except RasterioError as error:
        raise BadInput(tile.where, _one_line(error), "a complete raster", "fetch the file again") from None
    if tile.south_up:
        stored[:] = stored[::-1].copy()
        masked = None if masked is None else masked[::-1]
    return masked


def set_void(tile: Tile, heights: FloatArray, masked: BoolArray | None) -> None:
    """Turn stored values into heights, m, in place: NaN where declared void, masked, or no height on Earth.

        height = scale stored + offset

    Parameters
    ----------
    tile : tells nodata, scale and offset.
    heights : float32; stored values on entry, m on return.
    masked : as ``read_stored`` gives it.
    """
    nodata = math.nan if tile.nodata is None else tile.nodata
    scaled = (tile.scale, tile.offset) != (1.0, 0.0)
    if not math.isnan(nodata) and (scaled or LOWEST_M <= nodata <= HIGHEST_M):
        # other declared values lie outside the range of heights and go with all that does
        np.copyto(heights, np.nan, where=heights == np.float32(nodata))
    if scaled:
        heights *= np.float32(tile.scale)
        heights += np.float32(tile.offset)
    if masked is not None:
        np.copyto(heights, np.nan, where=masked)
    if np.fmin.reduce(heights, axis=None) < LOWEST_M or np.fmax.reduce(heights, axis=None) > HIGHEST_M:
        np.copyto(heights, np.nan, where=(heights < LOWEST_M) | (heights > HIGHEST_M))


def native_index(mosaic: Mosaic, offset: tuple[int, int]) -> tuple[int, int]:
    """(row, column) counted from the first tile's first pixel, of one counted from the mosaic's upper-left corner.

    Parameters
    ----------
    mosaic : the opened DEM.
    offset : (row, column) counted from the mosaic's upper-left corner.
    """
    return offset[0] + min(row for row, _ in mosaic.corners), offset[1] + min(column for _, column in mosaic.corners)


def resampling_scale(mosaic: Mosaic, grid: Grid) -> tuple[float, float]:
    """Native pixels' size over the grid's, across and along, at the grid's centre and at most 1.

    Below 1 the resampling kernel is widened so that it averages. GDAL would take the ratio from every window it warps,
    so that values depended on the window; it counts ratios within 5 % of 1/n as 1/n, and so do we.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : what it is resampled onto.
    """
    west, south, east, north = grid.bounds
    width, height = grid.pixel_size
    easting, northing = (west + east) / 2, (south + north) / 2
    to_native = Transformer.from_crs(grid.crs, mosaic.crs, always_xy=True)
    columns, rows = to_native.transform(
        [easting - width / 2, easting + width / 2, easting, easting],
        [northing, northing, northing - height / 2, northing + height / 2],
    )
    wide, turn = columns[1] - columns[0], columns[3] - columns[2]
    if mosaic.is_geographic:  # the centre may lie on the antimeridian
        wide, turn = within_a_turn(wide), within_a_turn(turn)
    across = math.hypot(wide / mosaic.pixel[0], (rows[1] - rows[0]) / mosaic.pixel[1])
    along = math.hypot(turn / mosaic.pixel[0], (rows[3] - rows[2]) / mosaic.pixel[1])
    return _kernel_scale(across), _kernel_scale(along)


def _kernel_scale(native_per_pixel: float) -> float:
    whole = max(1, round(native_per_pixel))
    return 1 / whole if abs(native_per_pixel - whole) < 0.05 or native_per_pixel < 1 else 1 / native_per_pixel


def warp_native(mosaic: Mosaic, grid: Grid, resampling: str, scale: tuple[float, float]) -> FloatArray:
    """The mosaic resampled onto a grid, of which only the native pixels beneath it are read; float32, m.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : in any CRS; may be a window of a larger one.
    resampling : "bilinear", "cubic" or "nearest".
    scale : as ``resampling_scale`` gives it for the whole grid, so that windows agree.
    """
    west, south, east, north = transform_bounds(grid.crs, mosaic.crs, *grid.bounds, densify_pts=21)
    if mosaic.is_geographic and not west <= east:  # the grid lies across the antimeridian, the DEM on one side of it
        west, east = mosaic.bounds[0], mosaic.bounds[2]
    width, height = mosaic.pixel
    across, along = (width * (KERNEL_REACH / scale[0] + MARGIN), height * (KERNEL_REACH / scale[1] + MARGIN))
    bounds = (west - across, south - along, east + across, north + along)
    heights, transform = read_native(mosaic, bounds)
    return warp(heights, transform, mosaic.crs, grid, resampling, scale)


def aligned_offset(mosaic: Mosaic, grid: Grid) -> tuple[int, int] | None:
    """(row, column) of the grid's first pixel in the mosaic's native grid when the pixels coincide, else None.

    The CRS are compared by where they put the grid's corners, not by name: EPSG:25833 and EPSG:32633 agree to
    centimetres. Corners within 0.01 pixel of native pixel corners count as coincident.

    Parameters
    ----------
    mosaic : the opened DEM.
    grid : in any CRS.
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


def _one_line(error: Exception) -> str:
    """What GDAL said: rasterio's own error points to it where a read failed."""
    told = error.__cause__ or error
    return " ".join(str(told).split()) or type(told).__name__
