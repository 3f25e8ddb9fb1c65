"""What of the user's files GDAL may open: formats that hold their own pixels or shapes, and nothing that leads away.

GDAL tells a format by its content: a file named ``dem.tif`` may be a list of web addresses, and reading it would ask
for them.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import rasterio
from lxml import etree
from rasterio.env import hasenv
from rasterio.io import DatasetReader

from schemas.errors import BadInput
from schemas.input_files import read_plain_file, require_plain_file

RASTER_DRIVERS = (
    "GTiff", "SRTMHGT", "HFA", "AAIGrid", "GRASSASCIIGrid", "USGSDEM", "EHdr", "ENVI", "DTED", "JP2OpenJPEG", "VRT",
)  # fmt: skip
# pixels of one rectangle that a file is stored in: it is unpacked whole, 400 MB as float32
MOST_BLOCK_PIXELS = 100_000_000
# rows and columns: twice the circumference of the Earth in metres
MOST_PIXELS_A_SIDE = 80_000_000
# a sound file has pixels on disk; sparse and packed ones fewer, but not a millionth of a byte each
MOST_PIXELS_A_BYTE = 100_000
_MOST_VRT_BYTES = 16_000_000
_LOCAL_ARCHIVES = ("/vsizip/", "/vsigzip/", "/vsitar/")
_VECTOR_EXPECTED = "glacier outlines (GeoPackage, GeoJSON, FlatGeobuf or shapefile)"
_SQLITE = b"SQLite format 3\x00"


def open_raster(source: str) -> Any:
    """The raster as rasterio opens it, in one of ``RASTER_DRIVERS``; a VRT only where its name says so.

    Parameters
    ----------
    source : GDAL's name of the raster, a path or one within an archive (``/vsizip/...``).

    Errors
    ------
    RasterioError : GDAL cannot open it, or it is of another format.
    """
    drivers = [name for name in RASTER_DRIVERS if name != "VRT" or source.lower().endswith(".vrt")]
    with rasterio.Env() if not hasenv() else nullcontext():
        # rasterio.open takes a single driver only
        return DatasetReader(source, driver=drivers)


def require_local_mosaic(path: Path) -> None:
    """Refuse a VRT that leads to anything but plain raster files on this machine, or that brings its own code.

    Parameters
    ----------
    path : of the ``.vrt``.

    Errors
    ------
    BadInput : no XML, a source on the web or of another kind; a pixel function.
    """
    where, expected = str(path), "a VRT that joins raster files"
    content = read_plain_file(path, where, expected, _MOST_VRT_BYTES)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput(where, f"broken XML ({error})", expected) from None
    if root.getroottree().docinfo.doctype:
        raise BadInput(where, "a document type", expected, "make it anew with gdalbuildvrt")
    for element in root.iter(etree.Element):
        name = etree.QName(element).localname
        if name.startswith("PixelFunction"):
            raise BadInput(where, "a pixel function", expected, "make a GeoTIFF of it with gdal_translate")
        if name.endswith(("Filename", "Dataset")) and (element.text or "").strip():
            _require_local_source(path, (element.text or "").strip(), relative=element.get("relativeToVRT") == "1")


def _require_local_source(path: Path, name: str, *, relative: bool) -> None:
    where, expected = f"{path}: source {name[:200]}", "a raster file on this machine"
    packed = name.startswith(_LOCAL_ARCHIVES)
    if "://" in name or name.startswith("<") or "/vsi" in name[4 if packed else 0 :]:
        raise BadInput(where, "no plain file", expected, "fetch it first")
    if name.lower().endswith(".vrt"):
        raise BadInput(where, "another VRT", expected, "join the files that it joins")
    place = path.parent / name if relative else Path(name)
    if not packed and place.exists():  # one that is missing is named when it is read
        require_plain_file(place, where, expected)


def require_sizes(where: str, source: Any, packed_bytes: int) -> None:
    """Refuse a raster whose declared size cannot be that of heights, or is out of all proportion to its file.

    Parameters
    ----------
    where : how errors name the raster.
    source : the dataset as rasterio opened it.
    packed_bytes : size of the file that holds it.

    Errors
    ------
    BadInput : too many rows or columns, a stored rectangle beyond ``MOST_BLOCK_PIXELS``, more than
        ``MOST_PIXELS_A_BYTE`` pixels a byte.
    """
    rows, columns = source.shape
    if max(rows, columns) > MOST_PIXELS_A_SIDE or rows * columns > MOST_PIXELS_A_BYTE * max(packed_bytes, 1):
        raise BadInput(
            where, f"{rows} x {columns} pixels declared in a file of {packed_bytes} bytes", "a raster of its true size",
            "is the file damaged?",
        )  # fmt: skip
    high, wide = source.block_shapes[0]
    if high * wide > MOST_BLOCK_PIXELS:
        raise BadInput(
            where, f"stored in pieces of {high} x {wide} pixels", f"pieces of at most {MOST_BLOCK_PIXELS} pixels",
            "tile it with gdal_translate -co TILED=YES",
        )  # fmt: skip


def require_plain_outlines(path: Path, where: str) -> None:
    """Refuse outlines in a format that leads to other files or servers, or that computes what it holds.

    Parameters
    ----------
    path : of the file.
    where : how errors name it.

    Errors
    ------
    BadInput : a pipe or device; XML of any kind but KML; a GeoPackage with views.
    """
    if path.is_dir():
        return
    require_plain_file(path, where, _VECTOR_EXPECTED)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise BadInput(where, error.strerror or str(error), f"{_VECTOR_EXPECTED} that can be read") from None
    plain = head.replace(b"\x00", b"").removeprefix(b"\xef\xbb\xbf").removeprefix(b"\xff\xfe").removeprefix(b"\xfe\xff")
    if plain.lstrip().startswith(b"<") and b"<kml" not in plain:
        raise BadInput(where, "an XML file that may lead elsewhere", _VECTOR_EXPECTED, "convert it with ogr2ogr")
    if head.startswith(_SQLITE):
        _refuse_views(path, where)


def _refuse_views(path: Path, where: str) -> None:
    # a view computes its records when it is read, without end if it is meant so
    for name in _views(path, where):
        raise BadInput(where, f"the view {name!r}", "a GeoPackage of plain tables", "write it anew with ogr2ogr")


def _views(path: Path, where: str) -> Iterator[str]:
    # immutable: nothing is written beside the file, not even a journal
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as base:
            views = base.execute("SELECT CAST(name AS BLOB) FROM sqlite_master WHERE type = 'view'").fetchmany(1)
    except (sqlite3.Error, ValueError, OverflowError) as error:
        raise BadInput(where, f"a damaged GeoPackage ({error})", _VECTOR_EXPECTED, "fetch the file again") from None
    yield from (bytes(name).decode("utf-8", "replace") for (name,) in views)


def require_plausible_count(path: Path, where: str, features: int) -> None:
    """Refuse a file that claims more features than it has bytes: memory is set aside for each.

    Parameters
    ----------
    path : of the file.
    where : how errors name it.
    features : what its header claims.

    Errors
    ------
    BadInput : such a count.
    """
    size = path.stat().st_size
    if path.is_file() and path.suffix.lower() != ".zip" and features > size:
        raise BadInput(where, f"{features} features in {size} bytes", _VECTOR_EXPECTED, "is the file damaged?")
