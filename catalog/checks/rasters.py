"""Checks of the rasters: structure, georeference, nodata, units, statistics, classes."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.enums import Interleaving
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rio_cogeo.cogeo import cog_validate

from catalog.archive import OpenedRaster, rasters
from catalog.checks.result import Failure, NotChecked, check
from catalog.formats import even_shape
from pipeline.grid import Grid

TILE = 256
_REBUILD = "build the archive again"
_OVERVIEW_SLACK = 1e-5  # of a mean in float32
_STATISTICS = ("minimum", "maximum", "mean", "stddev", "count", "valid_percent")


@check("raster-opens", "every GeoTIFF can be read to the last tile of every overview", rasters)
def raster_opens(raster: OpenedRaster) -> Iterator[Failure]:
    try:
        with geotiff(raster) as source:
            levels, bands = range(len(source.overviews(1))), source.indexes
        for index in bands if raster.archive.files.deep else ():
            raster.archive.band(raster.file, index)  # kept for the checks that look at it next
        for level in levels if raster.archive.files.deep else ():
            with geotiff(raster, overview_level=level) as source:
                source.read()
    except RasterioError as error:
        yield Failure(raster.file, _first_line(error), "a readable GeoTIFF", _REBUILD)


@check(
    "raster-tiles", "every tile of a GeoTIFF, and of its overviews, unpacks to the checksum that it carries", rasters
)
def raster_tiles(raster: OpenedRaster) -> Iterator[Failure]:
    files = raster.archive.files
    if not files.deep:
        raise NotChecked("needs every tile; over the network only where the validation is deep")
    with _opened(raster) as source:
        if source.profile.get("compress") != "deflate":
            return  # named by the check of structure
        places = list(tile_places(source))
    content = files.read(raster.file) or b""
    for name, start, size in places:
        try:
            zlib.decompress(content[start : start + size])  # GDAL does not compare the Adler-32 of RFC 1950
        except zlib.error as error:
            yield Failure(f"{raster.file}: {name}", str(error), "a tile as it was written", _REBUILD)


def tile_places(source: Any) -> Iterator[tuple[str, int, int]]:
    """Name, offset and size (bytes) of every tile of the raster and its overviews; one that is left out has none."""
    bands = source.indexes if source.interleaving == Interleaving.band else (1,)
    for level in (None, *range(len(source.overviews(1)))):
        factor = 1 if level is None else 2 ** (level + 1)
        rows, columns = (math.ceil(math.ceil(size / factor) / TILE) for size in source.shape)
        for band, row, column in product(bands, range(rows), range(columns)):
            place = [
                source.get_tag_item(f"BLOCK_{what}_{column}_{row}", "TIFF", bidx=band, ovr=level)
                for what in ("OFFSET", "SIZE")
            ]
            if all(place):
                yield f"overview {factor}, band {band}, tile {row}, {column}", int(place[0]), int(place[1])


@check(
    "cog-structure", "every GeoTIFF is a Cloud-Optimized GeoTIFF of 256-pixel tiles, DEFLATE, with overviews", rasters
)
def cog_structure(raster: OpenedRaster) -> Iterator[Failure]:
    with _opened(raster) as source:
        tiles, compression = set(source.block_shapes), source.profile.get("compress")
        overviews, large = source.overviews(1), max(source.shape) > 2 * TILE
    valid, errors, warnings = cog_validate(raster.dataset_name, strict=True, quiet=True)
    if not valid:
        yield Failure(raster.file, "; ".join([*errors, *warnings]), "a valid COG", _REBUILD)
    if tiles != {(TILE, TILE)}:
        yield Failure(raster.file, f"tiles {sorted(tiles)}", f"{TILE} x {TILE}", _REBUILD)
    if str(compression).lower() != "deflate":
        yield Failure(raster.file, f"compression {compression}", "deflate", _REBUILD)
    if large and not overviews:
        yield Failure(raster.file, "no overviews", f"overviews of a raster larger than {2 * TILE} pixels", _REBUILD)


@check(
    "raster-georeference",
    "CRS, shape, transform (affine order), pixel size and bbox in STAC are those of the raster",
    rasters,
)
def raster_georeference(raster: OpenedRaster) -> Iterator[Failure]:
    with _opened(raster) as source:
        crs, transform, extent = source.crs, list(source.transform)[:6], list(source.bounds)
        shape = list(source.shape)
        lonlat = transform_bounds(crs, "EPSG:4326", *source.bounds, densify_pts=21) if crs else None
    if crs is None:
        yield Failure(raster.file, "no CRS", "a CRS", _REBUILD)
        return
    code = _projected(raster, "proj:code")
    if code is None or CRS.from_user_input(code) != CRS.from_user_input(crs.to_wkt()):
        yield _differs(raster, "proj:code", code, crs.to_string())
    if list(_projected(raster, "proj:shape") or ()) != shape:
        yield _differs(raster, "proj:shape", _projected(raster, "proj:shape"), shape)
    if not _close(list(_projected(raster, "proj:transform") or ())[:6], transform):
        yield _differs(raster, "proj:transform", _projected(raster, "proj:transform"), transform)
    stated = _projected(raster, "proj:bbox")
    if stated is not None and not _close(stated, extent):
        yield _differs(raster, "proj:bbox", stated, extent)
    pixel = _projected(raster, "raster:spatial_resolution")
    if pixel is not None and not math.isclose(pixel, abs(transform[0]), rel_tol=1e-6):
        yield _differs(raster, "raster:spatial_resolution", pixel, abs(transform[0]))
    if _measured_beside(raster) is not None:
        return  # filled up at two edges; what it shows lies where the check of pictures asks it to
    bbox = raster.item.content["bbox"]
    allowed = _pixel_degrees(lonlat, shape) if lonlat else math.inf
    if lonlat and max(abs(a - b) for a, b in zip(bbox, lonlat, strict=True)) > allowed:
        yield Failure(
            f"{raster.item.file}: bbox", str(bbox), f"{_rounded(lonlat)}, the extent of {raster.file}", _REBUILD
        )


@check(
    "picture-on-grid",
    "a picture has the pixels of the raster that it shows, or whole parts of them, and more only for even overviews",
    rasters,
)
def picture_on_grid(raster: OpenedRaster) -> Iterator[Failure]:
    shown = _measured_beside(raster)
    if shown is None:
        return
    with _opened(raster) as source, _opened(shown) as other:
        parts = max(1, round(other.transform.a / source.transform.a))
        placed, (a, b, west, d, e, north) = list(source.transform)[:6], list(other.transform)[:6]
        expected = [a / parts, b / parts, west, d / parts, e / parts, north]
        shape, inner, nodata = source.shape, tuple(parts * size for size in other.shape), source.nodatavals
    if not _close(placed, expected):
        yield Failure(raster.file, f"transform {placed}", f"{expected}, by that of {shown.file}", _REBUILD)
    if shape not in (inner, even_shape(inner)):
        sizes = f"{inner}, by that of {shown.file}, or filled up to {even_shape(inner)}"
        yield Failure(raster.file, f"shape {shape}", sizes, _REBUILD)
    elif raster.archive.files.deep and shape != inner:
        for index, empty in enumerate(nodata, 1):
            band = raster.archive.band(raster.file, index)
            if (band[inner[0] :] != empty).any() or (band[:, inner[1] :] != empty).any():
                beyond = f"band {index} with a picture beyond row {inner[0]} or column {inner[1]}"
                yield Failure(raster.file, beyond, f"nothing but {empty} there", _REBUILD)


def _measured_beside(raster: OpenedRaster) -> OpenedRaster | None:
    """The raster of quantities that a picture beside it shows; None for any other raster."""
    if "visual" not in raster.asset.get("roles", []):
        return None
    beside = (one for one in rasters(raster.archive) if one.item.file == raster.item.file)
    return next((one for one in beside if "data" in one.asset.get("roles", [])), None)


@check("raster-bands", "data type, nodata, unit and number of bands in STAC are those of the raster", rasters)
def raster_bands(raster: OpenedRaster) -> Iterator[Failure]:
    bands = raster.asset["bands"]
    with _opened(raster) as source:
        count, types, units, nodata = source.count, source.dtypes, source.units, source.nodatavals
    if len(bands) != count:
        yield _differs(raster, "bands", len(bands), count)
        return
    for index, band in enumerate(bands):
        own = {**raster.asset, **band}
        if own.get("data_type") != types[index]:
            yield _differs(raster, f"band {index + 1} data_type", own.get("data_type"), types[index])
        if not _same_nodata(own.get("nodata"), nodata[index]):
            yield _differs(raster, f"band {index + 1} nodata", own.get("nodata"), nodata[index])
        if (own.get("unit") or "") != (units[index] or ""):
            yield _differs(raster, f"band {index + 1} unit", own.get("unit"), units[index])
        if types[index].startswith("float") and nodata[index] != -9999:
            yield Failure(raster.file, f"nodata {nodata[index]}", "nodata -9999", _REBUILD)


@check("raster-statistics", "statistics in STAC and in the file are those of all pixels at full resolution", rasters)
def raster_statistics(raster: OpenedRaster) -> Iterator[Failure]:
    if not raster.archive.files.deep:
        raise NotChecked("needs every pixel; over the network only where the validation is deep")
    with _opened(raster) as source:
        tags = [source.tags(index) for index in source.indexes]
    for index, band in enumerate(raster.asset["bands"]):
        stated = band.get("statistics")
        if not stated:
            yield Failure(
                f"{raster.item.file}: asset {raster.key}", "no statistics", "statistics of each band", _REBUILD
            )
            continue
        true = band_statistics(raster, index + 1)
        for name in _STATISTICS:
            if name not in stated and name in true:
                yield _differs(raster, f"band {index + 1} statistics.{name}", "missing", true[name])
            elif name in stated and not (name in true and _near(stated[name], true[name])):
                yield _differs(raster, f"band {index + 1} statistics.{name}", stated[name], true.get(name, "none"))
        for name in ("minimum", "maximum", "mean", "stddev"):
            tag = tags[index].get(f"STATISTICS_{name.upper()}")
            if tag is not None and not (name in true and _near(float(tag), true[name])):
                yield Failure(raster.file, f"tag {name} {tag}", f"{true.get(name, 'none')}", _REBUILD)


@check(
    "raster-overviews",
    "every overview halves the one before, and its pixels lie between those of the raster that they stand for",
    rasters,
)
def raster_overviews(raster: OpenedRaster) -> Iterator[Failure]:
    with _opened(raster) as source:
        factors, count = source.overviews(1), source.count
    if factors != [2**level for level in range(1, len(factors) + 1)]:
        yield Failure(raster.file, f"overviews {factors}", "each half as fine as the one before", _REBUILD)
        return
    if not raster.archive.files.deep:
        raise NotChecked("needs every pixel; over the network only where the validation is deep")
    for index in range(1, count + 1):
        yield from _strange_overviews(raster, index, factors)


def _strange_overviews(raster: OpenedRaster, index: int, factors: list[int]) -> Iterator[Failure]:
    """Overviews of one band that have values which the raster has not around them.

    Where a size is odd a pixel stands for a shifted window: the blocks around its own are counted in.
    """
    if not factors:
        return
    nodata, band = nodata_of(raster, index), raster.archive.band(raster.file, index)
    # of whole numbers the ends of their kind stand for nothing: they are as fast again as decimals
    whole = np.issubdtype(band.dtype, np.integer)
    ends = (np.iinfo(band.dtype).max, np.iinfo(band.dtype).min) if whole else (np.inf, -np.inf)
    held = _is_held(band, nodata)
    lowest, highest = (np.where(held, band, band.dtype.type(end)) for end in ends)
    for level, factor in enumerate(factors):
        lowest, highest = _halved(lowest, np.minimum), _halved(highest, np.maximum)
        with geotiff(raster, overview_level=level) as source:
            overview = source.read(index)
        if overview.shape != lowest.shape:
            unlike = f"overview {factor} of shape {overview.shape}"
            yield Failure(raster.file, unlike, f"shape {lowest.shape}", _REBUILD)
            continue
        valid = _is_held(overview, nodata)
        slack = 0 if whole else _OVERVIEW_SLACK * np.maximum(1.0, np.abs(overview))
        strange = int((valid & ((overview < lowest - slack) | (overview > highest + slack))).sum())
        if strange:  # where a size is odd
            below = overview < _around(lowest, np.minimum, ends[0]) - slack
            above = overview > _around(highest, np.maximum, ends[1]) + slack
            strange = int((valid & (below | above)).sum())
        if strange:
            pixels = f"{strange} pixels of overview {factor}, band {index}, unlike the raster"
            yield Failure(raster.file, pixels, "overviews of the raster itself", _REBUILD)


def _is_held(band: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Where a band has a value."""
    there = np.isfinite(band) if np.issubdtype(band.dtype, np.floating) else np.ones(band.shape, bool)
    return there if nodata is None else there & (band != nodata)


def _halved(band: NDArray[Any], extreme: np.ufunc) -> NDArray[Any]:
    """Extreme of each 2 x 2 pixels; of an odd size the last are alone."""
    even = np.pad(band, [(0, size % 2) for size in band.shape], mode="edge") if any(np.mod(band.shape, 2)) else band
    rows = extreme(even[::2], even[1::2])
    return np.asarray(extreme(rows[:, ::2], rows[:, 1::2]))


def _around(blocks: NDArray[Any], extreme: np.ufunc, nothing: float) -> NDArray[Any]:
    """Extreme over each block and its eight neighbours."""
    framed = np.pad(blocks, 1, constant_values=nothing)
    across = extreme(extreme(framed[:-2], framed[1:-1]), framed[2:])
    return np.asarray(extreme(extreme(across[:, :-2], across[:, 1:-1]), across[:, 2:]))


@check("raster-classes", "every value of a classed raster is one of its classes, and their names are there", rasters)
def raster_classes(raster: OpenedRaster) -> Iterator[Failure]:
    for index, band in enumerate(raster.asset.get("bands") or [], 1):
        classes = band.get("classification:classes") or raster.asset.get("classification:classes")
        if not classes:
            continue
        if not raster.archive.files.deep:
            raise NotChecked("needs every pixel; over the network only where the validation is deep")
        known = {entry["value"] for entry in classes}
        strange = sorted(set(np.unique(raster.archive.band(raster.file, index)).tolist()) - known)
        if strange:
            yield Failure(raster.file, f"values {strange}", f"one of {sorted(known)}", _REBUILD)
        for entry in classes:
            if not entry.get("name") and not entry.get("description"):
                yield Failure(f"{raster.item.file}: asset {raster.key}", f"class {entry}", "a name", _REBUILD)


def band_statistics(raster: OpenedRaster, index: int) -> dict[str, float]:
    """Minimum, maximum, mean, population standard deviation and share of valid pixels (%)."""
    band, nodata = raster.archive.band(raster.file, index), nodata_of(raster, index)
    if band.dtype == np.uint8:
        return _counted_statistics(np.bincount(band.ravel(), minlength=256), nodata, band.size)
    values = valid_values(band, nodata)
    if not values.size:
        return {"count": 0.0, "valid_percent": 0.0}
    return {
        "minimum": float(values.min()),
        "maximum": float(values.max()),
        "mean": float(values.mean()),
        "stddev": float(values.std()),
        "count": float(values.size),
        "valid_percent": 100.0 * values.size / band.size,
    }


def _counted_statistics(counts: NDArray[np.intp], nodata: float | None, size: int) -> dict[str, float]:
    """The same of whole numbers from 0 to 255, of which only how often each occurs is needed."""
    if nodata is not None and 0 <= nodata <= 255:
        counts[int(nodata)] = 0
    held, total = np.flatnonzero(counts), int(counts.sum())
    if not total:
        return {"count": 0.0, "valid_percent": 0.0}
    values = np.arange(256)
    mean = float((counts * values).sum()) / total
    return {
        "minimum": float(held[0]),
        "maximum": float(held[-1]),
        "mean": mean,
        "stddev": math.sqrt(float((counts * (values - mean) ** 2).sum()) / total),
        "count": float(total),
        "valid_percent": 100.0 * total / size,
    }


def valid_values(band: NDArray[Any], nodata: float | None) -> NDArray[np.float64]:
    """The valid pixels of one band, flat; nodata and NaN left out."""
    keep = np.isfinite(band) if nodata is None else np.isfinite(band) & (band != nodata)
    return np.asarray(band[keep], dtype=np.float64)


def nodata_of(raster: OpenedRaster, index: int) -> float | None:
    with _opened(raster) as source:
        nodata: float | None = source.nodatavals[index - 1]
    return nodata


def grid_of(raster: OpenedRaster) -> Grid:
    """Where the pixels of a raster lie."""
    with _opened(raster) as source:
        if source.crs is None:
            raise ValueError(f"{raster.file} without a coordinate system")
        return Grid(source.crs.to_wkt(), source.transform, source.shape)


def _opened(raster: OpenedRaster) -> Any:
    try:
        return geotiff(raster)
    except RasterioError as error:
        raise ValueError(f"{raster.file}: {_first_line(error)}") from None


def geotiff(raster: OpenedRaster, **options: Any) -> Any:
    # GDAL tells a format by its content: of another one, a file could lead out of the archive and to other servers
    return rasterio.open(raster.dataset_name, driver="GTiff", **options)


def _first_line(error: BaseException) -> str:
    # a path of this machine in front of the message says nothing about the archive
    return str(error).splitlines()[0].rpartition("/")[2] if str(error) else type(error).__name__


def _projected(raster: OpenedRaster, key: str) -> Any:
    """A ``proj:`` field of the asset, else of the item."""
    return raster.asset.get(key, raster.item.content["properties"].get(key))


def _differs(raster: OpenedRaster, key: str, stated: object, expected: object) -> Failure:
    return Failure(
        f"{raster.item.file}: asset {raster.key}", f"{key} {stated}", f"{expected}, as in {raster.file}", _REBUILD
    )


def _close(one: Any, other: list[float]) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= 1e-6 * max(1, abs(b)) for a, b in zip(one, other, strict=True))


def _near(stated: float, true: float) -> bool:
    return math.isclose(stated, true, rel_tol=1e-4, abs_tol=1e-4)


def _same_nodata(stated: Any, true: float | None) -> bool:
    if stated == "nan":
        return true is not None and math.isnan(true)
    return bool(stated == true)


def _pixel_degrees(lonlat: tuple[float, ...], size: list[int]) -> float:
    """Size of a pixel in degrees, the larger way."""
    return max((lonlat[2] - lonlat[0]) / size[1], (lonlat[3] - lonlat[1]) / size[0])


def _rounded(values: tuple[float, ...]) -> list[float]:
    return [round(value, 6) for value in values]
