"""The formats that GDAL may meet in this process: a list of what is allowed, also for the files that a file leads to.

A VRT, a mask or an overview is opened by GDAL itself, in whatever format its bytes tell. What is not registered cannot
be opened, by whatever name it comes; the formats of the web, of catalogues and of lists are none of these.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Collection
from functools import lru_cache

# a raster of the user's is opened in one of these
RASTER_DRIVERS = (
    "GTiff", "SRTMHGT", "HFA", "AAIGrid", "GRASSASCIIGrid", "USGSDEM", "EHdr", "ENVI", "DTED", "JP2OpenJPEG", "VRT",
)  # fmt: skip
# what is computed and written needs these
_OWN = ("MEM", "Memory", "COG", "PNG", "JPEG")
_VECTOR_DRIVERS = (
    "ESRI Shapefile", "GPKG", "GeoJSON", "GeoJSONSeq", "ESRIJSON", "TopoJSON", "JSONFG", "FlatGeobuf", "LIBKML", "KML",
    "OpenFileGDB", "MEM", "Memory",
)  # fmt: skip
_registering = threading.Lock()


def allow_raster_drivers() -> None:
    """Leave rasterio's GDAL the formats that are read and written here; to be called within a ``rasterio.Env``."""
    import rasterio._base

    with _registering:
        _keep_only(rasterio._base.__file__, (*RASTER_DRIVERS, *_OWN))


def allow_vector_drivers() -> None:
    """Leave pyogrio's GDAL the formats of shapes that are read and written here."""
    import pyogrio
    import pyogrio._ogr

    with _registering:
        pyogrio.list_drivers()  # they are registered by the first call
        _keep_only(pyogrio._ogr.__file__, _VECTOR_DRIVERS)


@lru_cache(maxsize=4)
def _keep_only(module: str, allowed: Collection[str]) -> None:
    """Take every other driver out of the GDAL that a module is linked with; its C interface is stable."""
    gdal = ctypes.CDLL(module)
    gdal.GDALGetDriver.restype = ctypes.c_void_p
    gdal.GDALGetDriver.argtypes = [ctypes.c_int]
    gdal.GDALGetDescription.restype = ctypes.c_char_p
    gdal.GDALGetDescription.argtypes = [ctypes.c_void_p]
    gdal.GDALDeregisterDriver.restype = None
    gdal.GDALDeregisterDriver.argtypes = [ctypes.c_void_p]
    drivers = [gdal.GDALGetDriver(number) for number in range(gdal.GDALGetDriverCount())]
    for driver in drivers:
        if gdal.GDALGetDescription(driver).decode() not in allowed:
            gdal.GDALDeregisterDriver(driver)
