"""Cloud-Optimized GeoTIFFs by one fixed profile, and what a written one says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import DatasetWriter, MemoryFile
from rasterio.rio.overview import get_maximum_overview_level
from rasterio.shutil import copy
from rasterio.transform import Affine
from rio_cogeo.cogeo import cog_validate

from pipeline.grid import Grid

NODATA = -9999.0
CLASS_NODATA = 255
VISUAL_NODATA = 0
BLOCK = 256
DECIMALS = 2
MEDIA_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"

# the deflate level is fixed because the library's default may change between versions
_PROFILE = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK, "compress": "deflate", "zlevel": 6}
# nothing but the GeoTIFF itself: no .aux.xml beside it, and the same bytes with any number of threads
_ENVIRONMENT = {"GDAL_PAM_ENABLED": "NO", "GDAL_NUM_THREADS": "ALL_CPUS", "GDAL_TIFF_INTERNAL_MASK": "YES"}

RasterArray = NDArray[Any]
Colormap = Mapping[int, tuple[int, int, int]]


@dataclass(frozen=True)
class BandFacts:
    """One band as written: statistics over all valid pixels at full resolution, None where there is none."""

    data_type: str
    nodata: float | None
    unit: str
    description: str
    minimum: float | None
    maximum: float | None
    mean: float | None
    std: float | None
    count: int
    valid_percent: float


@dataclass(frozen=True)
class RasterFacts:
    """A raster as written; ``transform`` in affine order (a, b, c, d, e, f), ``shape`` (rows, columns)."""

    crs: str
    transform: tuple[float, float, float, float, float, float]
    shape: tuple[int, int]
    bounds: tuple[float, float, float, float]
    bands: tuple[BandFacts, ...]


def write_cog(
    path: Path,
    array: RasterArray,
    grid: Grid,
    *,
    nodata: float | None,
    unit: str | tuple[str, ...],
    description: str | tuple[str, ...],
    resampling: Literal["average", "nearest"],
    tags: Mapping[str, str],
    colormap: Colormap | None = None,
) -> None:
    """Write one Cloud-Optimized GeoTIFF; the same arguments give the same bytes.

    The file is laid out as rio-cogeo lays it out (a tiled GeoTIFF with overviews in memory, copied with its overviews),
    but without its warping pass, and with the band's unit, which that pass drops.

    Parameters
    ----------
    array : (rows, columns) or (bands, rows, columns); floats are rounded to 0.01 and stored as float32, NaN becoming
        ``nodata``; integers are stored as they are.
    grid : where the pixels lie.
    unit, description : of the band, or of each band.
    resampling : of the overviews: ``average`` for quantities, ``nearest`` for classes.
    tags : metadata of the file.
    colormap : red, green, blue (0-255) of each class of a one-band uint8 array.

    Errors
    ------
    ValueError : the array does not fit the grid, or an infinite value.
    """
    bands = _as_stored(array, nodata)
    if bands.shape[1:] != grid.shape:
        raise ValueError(f"{path.name}: array of shape {bands.shape} on a grid of shape {grid.shape}")
    profile = {
        "driver": "GTiff",
        "count": bands.shape[0],
        "height": grid.shape[0],
        "width": grid.shape[1],
        "dtype": bands.dtype.name,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": nodata,
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
    }
    with rasterio.Env(**_ENVIRONMENT), MemoryFile() as memory, memory.open(**profile) as draft:
        draft.write(bands)
        _describe(draft, bands, nodata, unit, description)
        draft.update_tags(**dict(sorted(tags.items())), OVERVIEW_RESAMPLING=resampling.upper())
        if colormap is not None:
            draft.write_colormap(1, {value: (*rgb, 255) for value, rgb in sorted(colormap.items())})
        levels = get_maximum_overview_level(grid.shape[1], grid.shape[0], minsize=BLOCK)
        draft.build_overviews([2**level for level in range(1, levels + 1)], Resampling[resampling])
        interleave = "pixel" if bands.shape[0] == 3 else "band"
        options = {**_PROFILE, "predictor": best_predictor(bands[0]), "interleave": interleave}
        copy(draft, path, driver="GTiff", copy_src_overviews=True, **options)


def raster_facts(path: Path) -> RasterFacts:
    """Read a raster back and tell what it holds; the statistics come from its pixels, not from its tags."""
    with rasterio.Env(**_ENVIRONMENT), rasterio.open(path) as raster:
        bands = tuple(
            _band_facts(
                raster.read(index),
                raster.nodatavals[index - 1],
                raster.units[index - 1],
                raster.descriptions[index - 1],
            )
            for index in raster.indexes
        )
        code = raster.crs.to_epsg()
        a, b, c, d, e, f = (float(value) for value in raster.transform[:6])
        west, south, east, north = (float(value) for value in raster.bounds)
        return RasterFacts(
            crs=f"EPSG:{code}" if code else raster.crs.to_wkt(),
            transform=(a, b, c, d, e, f),
            shape=(raster.height, raster.width),
            bounds=(west, south, east, north),
            bands=bands,
        )


def cog_failures(path: Path) -> list[str]:
    """What keeps a file from being a Cloud-Optimized GeoTIFF; warnings count."""
    with rasterio.Env(**_ENVIRONMENT):
        _, errors, warnings = cog_validate(str(path), strict=True, quiet=True)
    return [*errors, *warnings]


def best_predictor(band: RasterArray) -> int:
    """The TIFF predictor (1 none, 2 horizontal, 3 floating point) that packs the middle of the band smallest.

    Tried rather than fixed: on values rounded to 0.01 the floating-point predictor can cost 30 %.
    """
    rows, columns = (slice(max(0, size // 2 - 2 * BLOCK), size // 2 + 2 * BLOCK) for size in band.shape)
    middle = np.ascontiguousarray(band[rows, columns])
    candidates = (1, 2, 3) if band.dtype.kind == "f" else (1, 2)
    return min(candidates, key=lambda predictor: (_packed_size(middle, predictor), predictor))


def _packed_size(band: RasterArray, predictor: int) -> int:
    size = {"height": band.shape[0], "width": band.shape[1]}
    # any transform: a raster without one, or with the identity, is warned about
    profile = {"driver": "GTiff", "count": 1, **size, "dtype": band.dtype.name, "transform": Affine.scale(2, -2)}
    with MemoryFile() as memory:
        with memory.open(**profile, **_PROFILE, predictor=predictor) as trial:
            trial.write(band, 1)
        return len(memory.getbuffer())


def _as_stored(array: RasterArray, nodata: float | None) -> RasterArray:
    bands = array if array.ndim == 3 else array[np.newaxis]
    if bands.dtype.kind != "f":
        return bands
    if np.isinf(bands).any():
        raise ValueError("an infinite value cannot be published")
    # adding zero turns -0.0 into 0.0, which packs better and reads better
    rounded = np.round(bands.astype(np.float64), DECIMALS).astype(np.float32) + np.float32(0)
    if nodata is not None:
        rounded[np.isnan(rounded)] = nodata
    return rounded


def _describe(
    draft: DatasetWriter,
    bands: RasterArray,
    nodata: float | None,
    unit: str | tuple[str, ...],
    description: str | tuple[str, ...],
) -> None:
    count = bands.shape[0]
    units = (unit,) * count if isinstance(unit, str) else unit
    draft.units = units
    texts = (description,) * count if isinstance(description, str) else description
    for index, (band, text) in enumerate(zip(bands, texts, strict=True), start=1):
        draft.set_band_description(index, text)
        draft.update_tags(index, **_statistics_tags(_band_facts(band, nodata, "", "")))
    if count == 3 and bands.dtype == np.uint8:
        draft.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def _band_facts(band: RasterArray, nodata: float | None, unit: str | None, description: str | None) -> BandFacts:
    valid = np.isfinite(band) if band.dtype.kind == "f" else np.ones(band.shape, bool)
    if nodata is not None:
        valid &= band != nodata
    values = band[valid].astype(np.float64)
    present = values.size > 0
    return BandFacts(
        data_type=band.dtype.name,
        nodata=nodata,
        unit=unit or "",
        description=description or "",
        minimum=float(values.min()) if present else None,
        maximum=float(values.max()) if present else None,
        mean=float(values.mean()) if present else None,
        std=float(values.std()) if present else None,
        count=int(values.size),
        valid_percent=100.0 * values.size / band.size,
    )


def _statistics_tags(facts: BandFacts) -> dict[str, str]:
    """Statistics under the names that GDAL and QGIS read."""
    values = {
        "STATISTICS_MINIMUM": facts.minimum,
        "STATISTICS_MAXIMUM": facts.maximum,
        "STATISTICS_MEAN": facts.mean,
        "STATISTICS_STDDEV": facts.std,
        "STATISTICS_VALID_PERCENT": facts.valid_percent,
    }
    return {name: f"{round(value, 6):.10g}" for name, value in values.items() if value is not None}
