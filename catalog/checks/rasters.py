"""Checks of the rasters: structure, georeference, nodata, units, statistics, classes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import rasterio
from numpy.typing import NDArray
from pyproj import CRS
from rasterio.errors import RasterioError
from rasterio.warp import transform_bounds
from rio_cogeo.cogeo import cog_validate

from catalog.checks.archive import Raster, rasters
from catalog.checks.result import Failure, NotChecked, check
from pipeline.grid import Grid

TILE = 256
_REBUILD = "build the archive again"
_RELATIVE = 1e-6
_STATISTICS = ("minimum", "maximum", "mean", "stddev", "count", "valid_percent")


@check("raster-opens", "every GeoTIFF can be read to its last tile", rasters)
def raster_opens(raster: Raster) -> Iterator[Failure]:
    try:
        with _geotiff(raster) as source:
            if raster.archive.files.deep:
                for _, window in source.block_windows(1):
                    source.read(window=window)
    except RasterioError as error:
        yield Failure(raster.file, _first_line(error), "a readable GeoTIFF", _REBUILD)


@check(
    "cog-structure", "every GeoTIFF is a Cloud-Optimized GeoTIFF of 256-pixel tiles, DEFLATE, with overviews", rasters
)
def cog_structure(raster: Raster) -> Iterator[Failure]:
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


@check("raster-georeference", "CRS, shape, transform (affine order) and bbox in STAC are those of the raster", rasters)
def raster_georeference(raster: Raster) -> Iterator[Failure]:
    with _opened(raster) as source:
        crs, transform, extent = source.crs, list(source.transform)[:6], list(source.bounds)
        found = {"proj:shape": list(source.shape)}
        # a picture may be filled up, by less than a pixel of its coarsest overview (catalog.even_overviews)
        pixels = 2 ** len(source.overviews(1)) if "visual" in raster.asset.get("roles", []) else 1
        lonlat = transform_bounds(crs, "EPSG:4326", *source.bounds, densify_pts=21) if crs else None
    if crs is None:
        yield Failure(raster.file, "no CRS", "a CRS", _REBUILD)
        return
    code = _projected(raster, "proj:code")
    if code is None or CRS.from_user_input(code) != CRS.from_user_input(crs.to_wkt()):
        yield _differs(raster, "proj:code", code, crs.to_string())
    if list(_projected(raster, "proj:shape") or ()) != found["proj:shape"]:
        yield _differs(raster, "proj:shape", _projected(raster, "proj:shape"), found["proj:shape"])
    if not _close(list(_projected(raster, "proj:transform") or ())[:6], transform):
        yield _differs(raster, "proj:transform", _projected(raster, "proj:transform"), transform)
    stated = _projected(raster, "proj:bbox")
    if stated is not None and not _close(stated, extent):
        yield _differs(raster, "proj:bbox", stated, extent)
    bbox = raster.item.content["bbox"]
    allowed = pixels * _pixel_degrees(lonlat, found["proj:shape"]) if lonlat else math.inf
    if lonlat and max(abs(a - b) for a, b in zip(bbox, lonlat, strict=True)) > allowed:
        yield Failure(
            f"{raster.item.file}: bbox", str(bbox), f"{_rounded(lonlat)}, the extent of {raster.file}", _REBUILD
        )


@check("raster-bands", "data type, nodata, unit and number of bands in STAC are those of the raster", rasters)
def raster_bands(raster: Raster) -> Iterator[Failure]:
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
def raster_statistics(raster: Raster) -> Iterator[Failure]:
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


@check("raster-classes", "every value of a classed raster is one of its classes, and their names are there", rasters)
def raster_classes(raster: Raster) -> Iterator[Failure]:
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


def band_statistics(raster: Raster, index: int) -> dict[str, float]:
    """Minimum, maximum, mean, population standard deviation and share of valid pixels (%)."""
    band = raster.archive.band(raster.file, index)
    values = valid_values(band, nodata_of(raster, index))
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


def valid_values(band: NDArray[Any], nodata: float | None) -> NDArray[np.float64]:
    """The valid pixels of one band, flat; nodata and NaN left out."""
    keep = np.isfinite(band) if nodata is None else np.isfinite(band) & (band != nodata)
    return np.asarray(band[keep], dtype=np.float64)


def nodata_of(raster: Raster, index: int) -> float | None:
    with _opened(raster) as source:
        nodata: float | None = source.nodatavals[index - 1]
    return nodata


def grid_of(raster: Raster) -> Grid:
    """Where the pixels of a raster lie."""
    with _opened(raster) as source:
        return Grid(source.crs.to_wkt(), source.transform, source.shape)


def _opened(raster: Raster) -> Any:
    try:
        return _geotiff(raster)
    except RasterioError as error:
        raise ValueError(f"{raster.file}: {_first_line(error)}") from None


def _geotiff(raster: Raster) -> Any:
    # GDAL tells a format by its content: of another one, a file could lead out of the archive and to other servers
    return rasterio.open(raster.dataset_name, driver="GTiff")


def _first_line(error: BaseException) -> str:
    # a path of this machine in front of the message says nothing about the archive
    return str(error).splitlines()[0].rpartition("/")[2] if str(error) else type(error).__name__


def _projected(raster: Raster, key: str) -> Any:
    """A ``proj:`` field of the asset, else of the item."""
    return raster.asset.get(key, raster.item.content["properties"].get(key))


def _differs(raster: Raster, key: str, found: object, expected: object) -> Failure:
    return Failure(
        f"{raster.item.file}: asset {raster.key}", f"{key} {found}", f"{expected}, as in {raster.file}", _REBUILD
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


CHECKS = (raster_opens, cog_structure, raster_georeference, raster_bands, raster_statistics, raster_classes)
