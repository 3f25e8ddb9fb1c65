"""Raster files kept open between readings, a few in each thread."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import rasterio
from rasterio.env import get_gdal_config, set_gdal_config

from pipeline.elevation_change.dems.raster_files import RasterFile, require_intact
from pipeline.inputs.gdal_inputs import open_raster
from schemas.errors import BadInput

# files that a thread keeps open
MOST_OPEN = 64
# GDAL keeps decoded blocks, by default in a twentieth of the machine's memory; more than this speeds nothing up here
BLOCK_CACHE_BYTES = 64_000_000
# what GDAL opens, time of the last change (ns), size (bytes), process
_FileKey = tuple[str, int, int, int]


class _OpenedRasters(threading.local):
    """Opened rasters, the last used ones of each thread: GDAL's handles must not be shared between threads."""

    def __init__(self) -> None:
        self._opened: OrderedDict[_FileKey, Any] = OrderedDict()
        if get_gdal_config("GDAL_CACHEMAX") > BLOCK_CACHE_BYTES and "GDAL_CACHEMAX" not in os.environ:
            set_gdal_config("GDAL_CACHEMAX", BLOCK_CACHE_BYTES)

    def get(self, raster: RasterFile) -> Any:
        """The opened raster; opened anew when the file has changed, or in another process."""
        key = _key_of(raster)
        dataset = self._opened.pop(key, None)
        if dataset is None:
            if raster.is_packed:
                require_intact_once(raster)
            dataset = open_raster(raster.source)
        self._opened[key] = dataset
        while len(self._opened) > MOST_OPEN:
            self._opened.popitem(last=False)[1].close()
        return dataset


_of_this_thread = _OpenedRasters()
# archived rasters whose checksum was found right, in any thread
_intact: set[_FileKey] = set()
_checking = threading.Lock()


def _key_of(raster: RasterFile) -> _FileKey:
    try:
        status = os.stat(raster.path)
    except OSError as error:
        raise BadInput(raster.where, error.strerror or str(error), "the file as it was opened") from None
    return raster.source, status.st_mtime_ns, status.st_size, os.getpid()


def require_intact_once(raster: RasterFile) -> None:
    """``require_intact`` the first time that this process meets the file as it is.

    Parameters
    ----------
    raster : in an archive, or a plain file, of which nothing is asked.

    Errors
    ------
    BadInput : gone, damaged, or too large when unpacked.
    """
    key = _key_of(raster)
    with _checking:
        if key not in _intact:
            require_intact(raster)
            _intact.add(key)


def quiet_gdal(raster: RasterFile) -> AbstractContextManager[object]:
    """GDAL's warnings go to the log and not to the screen; within an archive it leaves nothing beside the file.

    Left alone, it puts a ``.properties`` file beside every ``.gz`` that it reads.

    Parameters
    ----------
    raster : what will be read while it holds.
    """
    quiet: AbstractContextManager[object] = rasterio.Env(
        **({"CPL_VSIL_GZIP_WRITE_PROPERTIES": "NO"} if raster.is_packed else {})
    )
    return quiet


@contextmanager
def opened(raster: RasterFile) -> Iterator[Any]:
    """The raster as rasterio opens it, to read from; it stays open. An archived one is checked against its checksum.

    Parameters
    ----------
    raster : what to read; each thread has a handle of its own.

    Errors
    ------
    BadInput : the file is gone, or its archive is damaged.
    RasterioError : GDAL cannot open it.
    """
    with quiet_gdal(raster):
        yield _of_this_thread.get(raster)
