"""Cloud-Optimized GeoTIFFs by one fixed profile, written block by block, and what a written one says of itself."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import DatasetReader, DatasetWriter, MemoryFile
from rasterio.rio.overview import get_maximum_overview_level
from rasterio.shutil import copy
from rasterio.transform import Affine
from rasterio.windows import Window

from pipeline.blocks import Block, Raster
from pipeline.grid import Grid
from schemas.errors import FailedCheck

NODATA = -9999.0
CLASS_NODATA = 255
VISUAL_NODATA = 0
BLOCK = 256
DECIMALS = 2

_TILED = {"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK}
# Nothing but the GeoTIFF itself (no .aux.xml beside it), the same bytes with any number of threads, and a small cache
# of GDAL's own: by default it takes a twentieth of the machine's memory.
_ENVIRONMENT = {
    "GDAL_PAM_ENABLED": "NO",
    "GDAL_NUM_THREADS": "ALL_CPUS",
    "GDAL_TIFF_INTERNAL_MASK": "YES",
    "GDAL_CACHEMAX": 32_000_000,
}
# what a raster says of itself, beside its pixels
_STATED = ("crs", "transform", "shape", "count", "dtypes", "nodatavals", "units", "descriptions", "colorinterp")
# rows of tiles are put together until a block has so many pixels
_BLOCK_PIXELS = 1_000_000
# rounding and adding up take several passes over these, which a processor's cache holds
_CHUNK_PIXELS = 32_768

RasterArray = NDArray[Any]
Colormap = Mapping[int, tuple[int, int, int]]
Item = TypeVar("Item")
Result = TypeVar("Result")


class RasterBands(Protocol):
    """A ``Raster`` of several bands, shape (bands, rows, columns)."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def __getitem__(self, window: tuple[slice, slice, slice], /) -> RasterArray: ...


@dataclass(frozen=True, kw_only=True)
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


@dataclass(frozen=True, kw_only=True)
class RasterFacts:
    """A raster as written; ``transform`` in affine order (a, b, c, d, e, f), ``shape`` (rows, columns)."""

    crs: str
    transform: tuple[float, float, float, float, float, float]
    shape: tuple[int, int]
    bounds: tuple[float, float, float, float]
    bands: tuple[BandFacts, ...]


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, extremes, mean and sum of squared deviations of values; ``+`` puts those of two parts together."""

    count: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    mean: float = 0.0
    squares: float = 0.0

    def __add__(self, other: Moments) -> Moments:
        """Of both parts together (Chan et al., 1983, eq. 2.1): no cancellation, however far the mean is from zero."""
        count = self.count + other.count
        if not self.count or not other.count:
            return self if self.count else other
        step = other.mean - self.mean
        return Moments(
            count=count,
            minimum=min(self.minimum, other.minimum),
            maximum=max(self.maximum, other.maximum),
            mean=self.mean + step * (other.count / count),
            squares=self.squares + other.squares + step * step * (self.count * other.count / count),
        )


def write_cog(
    path: Path,
    array: RasterArray | Raster | RasterBands,
    grid: Grid,
    *,
    nodata: float | None,
    unit: str | tuple[str, ...],
    description: str | tuple[str, ...],
    resampling: Literal["average", "nearest"],
    tags: Mapping[str, str],
    colormap: Colormap | None = None,
) -> None:
    """Write one Cloud-Optimized GeoTIFF; the same pixels give the same bytes, wherever they are kept.

    The file is laid out as rio-cogeo lays it out (a tiled GeoTIFF with overviews, copied with its overviews), but
    without its warping pass, and with the band's unit, which that pass drops. The first GeoTIFF is written block by
    block into the output's folder and removed again, so that memory does not grow with the raster. The file is read
    back whole: every pixel must be the one that was handed to it, and so must what it says of itself.

    Parameters
    ----------
    array : (rows, columns) or (bands, rows, columns); floats are rounded to 0.01 and stored as float32, NaN becoming
        ``nodata``; integers are stored as they are. It need not be stored anywhere: it is asked for blocks of whole
        rows, each block once, from the north, by one thread at a time.
    grid : where the pixels lie.
    unit, description : of the band, or of each band.
    resampling : of the overviews: ``average`` for quantities, ``nearest`` for classes.
    tags : metadata of the file.
    colormap : red, green, blue (0-255) of each class of a one-band uint8 array.

    Errors
    ------
    ValueError : the array does not fit the grid, or an infinite value.
    FailedCheck : what was read back from the file is not what was written; no file is left.
    """
    count = array.shape[0] if len(array.shape) == 3 else 1
    if array.shape[-2:] != grid.shape:
        raise ValueError(f"{path.name}: array of shape {(count, *array.shape[-2:])} on a grid of shape {grid.shape}")
    with rasterio.Env(**_ENVIRONMENT), _draft(path.parent, array, count, grid, nodata) as draft:
        moments, digests = _write_blocks(draft, array, nodata)
        _describe(draft, moments, unit, description)
        draft.update_tags(**dict(sorted(tags.items())), OVERVIEW_RESAMPLING=resampling.upper())
        if colormap is not None:
            draft.write_colormap(1, {value: (*rgb, 255) for value, rgb in sorted(colormap.items())})
        levels = get_maximum_overview_level(grid.shape[1], grid.shape[0], minsize=BLOCK)
        draft.build_overviews([2**level for level in range(1, levels + 1)], Resampling[resampling])
        options = _picture_packing() if _is_picture(draft) else _band_packing(_sampled_tiles(draft))
        copy(draft, path, driver="GTiff", copy_src_overviews=True, **options)
        _prove_written(path, draft, digests)


def raster_facts(path: Path) -> RasterFacts:
    """Read a raster back and tell what it holds; the statistics come from its pixels, not from its tags."""
    # told its driver and to look for no file beside it, the library opens it twice as fast
    alone = {**_ENVIRONMENT, "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
    with rasterio.Env(**alone), rasterio.open(path, driver="GTiff") as raster:
        bands = tuple(
            _band_facts(
                _stored_moments(raster, index),
                raster.nodatavals[index - 1],
                raster.units[index - 1],
                raster.descriptions[index - 1],
                raster.dtypes[index - 1],
                raster.height * raster.width,
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


def best_predictor(band: RasterArray) -> int:
    """The TIFF predictor (1 none, 2 horizontal, 3 floating point) that packs a band, or a sample of it, smallest.

    Tried rather than fixed: on values rounded to 0.01 the floating-point predictor can cost 30 %.
    """
    candidates = (1, 2, 3) if band.dtype.kind == "f" else (1, 2)
    return min(candidates, key=lambda predictor: (_packed_size(band, predictor), predictor))


def _is_picture(raster: DatasetReader | DatasetWriter) -> bool:
    return bool(raster.count == 3 and raster.dtypes[0] == "uint8")


def _picture_packing() -> dict[str, Any]:
    """Of three colours: the horizontal predictor packs shaded relief by 5 to 20 % better than none.

    Level 6 takes twice as long as level 5 and saves 6 %.
    """
    return {**_packing(np.dtype(np.uint8)), "zlevel": 5, "predictor": 2, "interleave": "pixel"}


def _band_packing(sample: RasterArray) -> dict[str, Any]:
    """Of quantities and classes, of which a sample is tried."""
    return {**_packing(sample.dtype), "predictor": best_predictor(sample), "interleave": "band"}


def _packed_size(band: RasterArray, predictor: int) -> int:
    size = {"height": band.shape[0], "width": band.shape[1]}
    # any transform: a raster without one, or with the identity, is warned about
    profile = {"driver": "GTiff", "count": 1, **size, "dtype": band.dtype.name, "transform": Affine.scale(2, -2)}
    with MemoryFile() as memory:
        with memory.open(**profile, **_packing(band.dtype), predictor=predictor) as trial:
            trial.write(band, 1)
        return len(memory.getbuffer())


def _packing(dtype: np.dtype[Any]) -> dict[str, Any]:
    """How pixels are packed; the level is fixed because the library's default may change between versions.

    Hundredths of a metre are noisy: on them level 6 takes 2.6 times as long as level 1 and saves 1 % (elevation
    change) to 9 % (its standard deviation). Classes are worth it.
    """
    return {**_TILED, "compress": "deflate", "zlevel": 1 if dtype.kind == "f" else 6, "bigtiff": "if_safer"}


@contextmanager
def _draft(
    folder: Path, array: RasterArray | Raster | RasterBands, count: int, grid: Grid, nodata: float | None
) -> Iterator[DatasetWriter]:
    """An open GeoTIFF, tiled and not packed, in a folder that is removed on leaving."""
    profile = {
        "driver": "GTiff",
        "count": count,
        "height": grid.shape[0],
        "width": grid.shape[1],
        "dtype": "float32" if array.dtype.kind == "f" else array.dtype.name,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": nodata,
        "bigtiff": "if_safer",  # the overviews come on top of what GDAL counts by itself
        **_TILED,
    }
    # beside the output: there is room for it, and /tmp can be memory
    with (
        TemporaryDirectory(prefix=".", dir=folder) as scratch,
        rasterio.open(Path(scratch) / "draft.tif", "w+", **profile) as draft,
    ):
        yield draft


def _write_blocks(
    draft: DatasetWriter, array: RasterArray | Raster | RasterBands, nodata: float | None
) -> tuple[list[Moments], list[bytes]]:
    """Round and write all pixels; moments of each band as stored, and a digest of the pixels of each block.

    A block is prepared while the last one is written.
    """
    moments, digests = [Moments() for _ in range(draft.count)], []
    blocks = _tile_rows(draft)
    with ThreadPoolExecutor(1) as worker:
        prepared = _ahead(worker, lambda block: _as_stored(_rows(array, block), nodata), blocks)
        for block, (stored, parts) in zip(blocks, prepared, strict=True):
            draft.write(stored, window=Window(0, block.start, draft.width, block.stop - block.start))
            moments = [whole + part for whole, part in zip(moments, parts, strict=True)]
            digests.append(_digest(stored))
    return moments, digests


def _digest(pixels: RasterArray) -> bytes:
    """A digest that differs where any pixel does; it is kept of each block where the pixels would fill the memory."""
    return hashlib.sha256(pixels.tobytes()).digest()


def _prove_written(path: Path, draft: DatasetWriter, digests: Sequence[bytes]) -> None:
    """Read a written file back and hold it against what was handed to it; remove it where they differ."""
    with rasterio.open(path) as written:
        difference = next(_differences(written, draft, digests), None)
    if difference is not None:
        path.unlink()
        read_back, expected = difference
        raise FailedCheck(
            str(path), f"{read_back} when read back", expected, "see whether the disk is sound, and try again"
        )


def _differences(written: DatasetReader, draft: DatasetWriter, digests: Sequence[bytes]) -> Iterator[tuple[str, str]]:
    """What was found in a file and what was handed to it, where the two differ."""
    for name in _STATED:
        on_disk, expected = getattr(written, name), getattr(draft, name)
        if on_disk != expected:
            yield f"{name} {on_disk}", str(expected)
    for block, digest in zip(_tile_rows(draft), digests, strict=True):
        window = Window(0, block.start, draft.width, block.stop - block.start)
        if _digest(written.read(window=window)) != digest:
            yield f"other pixels in rows {block.start} to {block.stop - 1}", "the pixels that were written"


def _tile_rows(raster: DatasetReader | DatasetWriter) -> list[Block]:
    """Blocks of whole rows of tiles: each tile is written once. They depend on nothing but the raster's shape."""
    rows = BLOCK * max(1, _BLOCK_PIXELS // (BLOCK * raster.width))
    return [Block(start, min(start + rows, raster.height)) for start in range(0, raster.height, rows)]


def _rows(array: RasterArray | Raster | RasterBands, block: Block) -> RasterArray:
    """A block as (bands, rows, columns)."""
    columns = slice(0, array.shape[-1])
    # Any: one bracket takes two slices or three
    pixels: Any = array
    if len(array.shape) == 3:
        bands: RasterArray = pixels[slice(0, array.shape[0]), block.rows, columns]
        return bands
    band: RasterArray = pixels[block.rows, columns]
    return band[np.newaxis]


def _ahead(worker: Executor, function: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """``function`` of every item, in order; the next is computed while the caller uses the present one."""
    present: Future[Result] | None = None
    for item in items:
        following = worker.submit(function, item)
        if present is not None:
            yield present.result()
        present = following
    if present is not None:
        yield present.result()


def _as_stored(bands: RasterArray, nodata: float | None) -> tuple[RasterArray, list[Moments]]:
    """The pixels as the file holds them, and the moments of each band."""
    stored = np.empty(bands.shape, np.float32) if bands.dtype.kind == "f" else np.ascontiguousarray(bands)
    moments = []
    for values, target in zip(bands, stored, strict=True):
        flat_values, flat_target = values.reshape(-1), target.reshape(-1)
        whole = Moments()
        for start in range(0, target.size, _CHUNK_PIXELS):
            chunk = flat_target[start : start + _CHUNK_PIXELS]
            if bands.dtype.kind == "f":
                _round_into(chunk, flat_values[start : start + _CHUNK_PIXELS], nodata)
            whole += _moments(chunk, nodata)
        moments.append(whole)
    return stored, moments


def _round_into(stored: RasterArray, values: RasterArray, nodata: float | None) -> None:
    # in double precision: a float32 times a hundred can land on the other side of a half
    wide = values.astype(np.float64)
    np.multiply(wide, 10.0**DECIMALS, out=wide)
    np.rint(wide, out=wide)
    np.divide(wide, 10.0**DECIMALS, out=wide)
    # adding zero turns -0.0 into 0.0, which packs better and reads better
    np.add(wide, 0.0, out=stored, casting="same_kind")
    if np.isfinite(stored.min()) and np.isfinite(stored.max()):
        return
    if np.isinf(stored).any():
        raise ValueError("an infinite value cannot be published")
    if nodata is not None:
        stored[np.isnan(stored)] = nodata


def _moments(stored: RasterArray, nodata: float | None) -> Moments:
    """Moments of the valid among some values."""
    values = stored.astype(np.float64)
    low, high = values.min(), values.max()
    # most chunks are valid throughout; a comparison with NaN is false
    if not (low > -np.inf and high < np.inf) or (nodata is not None and low <= nodata <= high):
        values = values[np.isfinite(values) & (values != nodata)]
        if values.size == 0:
            return Moments()
        low, high = values.min(), values.max()
    mean = float(values.sum() / values.size)
    values -= mean
    np.multiply(values, values, out=values)
    return Moments(count=values.size, minimum=float(low), maximum=float(high), mean=mean, squares=float(values.sum()))


def _stored_moments(raster: DatasetReader, index: int) -> Moments:
    whole = Moments()
    for block in _tile_rows(raster):
        window = Window(0, block.start, raster.width, block.stop - block.start)
        flat = raster.read(index, window=window).reshape(-1)
        for start in range(0, flat.size, _CHUNK_PIXELS):
            whole += _moments(flat[start : start + _CHUNK_PIXELS], raster.nodatavals[index - 1])
    return whole


def _sampled_tiles(draft: DatasetWriter) -> RasterArray:
    """Pixels of the first band put together from three by three places; of a small raster all."""
    rows, columns = (
        [(0, size)] if size <= 4 * BLOCK else [((2 * part + 1) * size // 6 - BLOCK // 2, BLOCK) for part in range(3)]
        for size in (draft.height, draft.width)
    )
    return np.block(
        [[draft.read(1, window=Window(left, top, width, height)) for left, width in columns] for top, height in rows]
    )


def _describe(
    draft: DatasetWriter, moments: Sequence[Moments], unit: str | tuple[str, ...], description: str | tuple[str, ...]
) -> None:
    count = draft.count
    units = (unit,) * count if isinstance(unit, str) else unit
    draft.units = units
    texts = (description,) * count if isinstance(description, str) else description
    size = draft.height * draft.width
    for index, (band, text) in enumerate(zip(moments, texts, strict=True), start=1):
        draft.set_band_description(index, text)
        draft.update_tags(index, **_statistics_tags(_band_facts(band, None, "", "", draft.dtypes[0], size)))
    if count == 3 and draft.dtypes[0] == "uint8":
        draft.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)


def _band_facts(
    moments: Moments, nodata: float | None, unit: str | None, description: str | None, data_type: str, size: int
) -> BandFacts:
    present = moments.count > 0
    return BandFacts(
        data_type=data_type,
        nodata=nodata,
        unit=unit or "",
        description=description or "",
        minimum=moments.minimum if present else None,
        maximum=moments.maximum if present else None,
        mean=moments.mean if present else None,
        std=math.sqrt(moments.squares / moments.count) if present else None,
        count=moments.count,
        valid_percent=100.0 * moments.count / size,
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
