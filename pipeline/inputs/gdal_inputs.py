"""What of the user's files GDAL may open: formats that hold their own pixels or shapes, and nothing that leads away.

GDAL tells a format by its content: a file named ``dem.tif`` may be a list of web addresses, and reading it would ask
for them.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import rasterio
from lxml import etree
from rasterio.env import hasenv
from rasterio.errors import RasterioError
from rasterio.io import DatasetReader

from pipeline.inputs.beside_rasters import (
    HEAD_BYTES,
    MOST_NOTES_BYTES,
    is_opened_beside,
    parsed_xml,
    require_harmless_beside,
    require_plain_domains,
)
from pipeline.inputs.gdal_drivers import RASTER_DRIVERS, allow_raster_drivers, allow_vector_drivers
from pipeline.inputs.linked_crs import require_no_linked_crs
from pipeline.inputs.sidecars import RASTER_SUFFIXES, files_beside
from schemas.errors import BadInput
from schemas.input_files import read_plain_file, require_plain_file
from schemas.inside import lies_inside

# pixels of one rectangle that a file is stored in: it is unpacked whole, 400 MB as float32
MOST_BLOCK_PIXELS = 100_000_000
# rows and columns: twice the circumference of the Earth in metres
MOST_PIXELS_A_SIDE = 80_000_000
# a sound file has pixels on disk; sparse and packed ones fewer, but not a millionth of a byte each
MOST_PIXELS_A_BYTE = 100_000
_MOST_VRT_BYTES = 16_000_000
# what gdalbuildvrt, gdal_translate and gdalwarp write into a VRT
VRT_CLASSES = ("VRTSourcedRasterBand", "VRTWarpedDataset", "VRTWarpedRasterBand")
VRT_SOURCES = ("SourceFilename", "SourceDataset")
VRT_ELEMENTS = frozenset(
    (
        *VRT_SOURCES,
        *("VRTDataset", "SRS", "GeoTransform", "Metadata", "MDI", "OverviewList", "MaskBand", "VRTRasterBand"),
        *("BlockXSize", "BlockYSize", "Description", "UnitType", "Offset", "Scale", "NoDataValue", "HideNoDataValue"),
        *("ColorInterp", "ColorTable", "Entry", "CategoryNames", "Category", "Histograms", "HistItem", "HistMin"),
        *("HistMax", "BucketCount", "IncludeOutOfRange", "Approximate", "HistCounts", "Overview"),
        *("SimpleSource", "ComplexSource", "AveragedSource", "NoDataFromMaskSource", "SourceBand", "SourceProperties"),
        *("SrcRect", "DstRect", "NODATA", "ScaleOffset", "ScaleRatio", "LUT", "UseMaskBand"),
        *("GDALWarpOptions", "WarpMemoryLimit", "ResampleAlg", "WorkingDataType", "Option", "Transformer"),
        *("ApproxTransformer", "MaxError", "BaseTransformer", "GenImgProjTransformer", "SrcGeoTransform"),
        *("SrcInvGeoTransform", "DstGeoTransform", "DstInvGeoTransform", "ReprojectTransformer", "Reversed"),
        *("ReprojectionTransformer", "SourceSRS", "TargetSRS", "SourceCRS", "TargetCRS", "BandList", "BandMapping"),
        *("SrcNoDataReal", "SrcNoDataImag", "DstNoDataReal", "DstNoDataImag", "SrcAlphaBand", "DstAlphaBand"),
    )
)
VRT_ATTRIBUTES = frozenset(
    (
        *("rasterXSize", "rasterYSize", "dataType", "band", "blockXSize", "blockYSize", "subClass", "relativeToVRT"),
        *("shared", "RasterXSize", "RasterYSize", "DataType", "BlockXSize", "BlockYSize", "xOff", "yOff", "xSize"),
        *("ySize", "key", "domain", "name", "src", "dst", "c1", "c2", "c3", "c4", "dataAxisToSRSAxisMapping"),
        *("coordinateEpoch", "resampling"),
    )
)
_VECTOR_EXPECTED = "glacier outlines (GeoPackage, GeoJSON, FlatGeobuf or shapefile)"
# an index of boxes is the one virtual table that a GeoPackage has
_COMPUTED = """
    SELECT type, CAST(name AS BLOB) FROM sqlite_master
    WHERE type = 'view' OR (lower(sql) LIKE '%virtual%table%' AND lower(sql) NOT LIKE '%using rtree%')
"""
_SQLITE = b"SQLite format 3\x00"


def open_raster(source: str) -> Any:
    """The raster as rasterio opens it, in one of ``RASTER_DRIVERS``; a VRT only where its name says so.

    What GDAL opens with it beside the file is looked at first; nothing but allowed formats can be opened.

    Parameters
    ----------
    source : GDAL's name of the raster, a path or one within an archive (``/vsizip/...``).

    Errors
    ------
    BadInput : a mask, overviews or notes beside it that lead elsewhere; a file outside of its folder.
    RasterioError : GDAL cannot open it, or it is of another format.
    """
    drivers = [name for name in RASTER_DRIVERS if name != "VRT" or source.lower().endswith(".vrt")]
    path = Path(source.removeprefix("/vsigzip/"))
    if not source.startswith("/vsizip/"):
        require_harmless_surroundings(path)
    if "VRT" in drivers and not source.startswith("/vsi"):
        require_local_mosaic(path)
    with rasterio.Env() if not hasenv() else nullcontext():
        allow_raster_drivers()
        # rasterio.open takes a single driver only
        opened = DatasetReader(source, driver=drivers)
        if not source.startswith("/vsi"):
            _require_own_files(path, opened)
        return opened


def files_read(path: Path) -> tuple[Path, ...]:
    """The files that GDAL itself names as read with a raster; none for what it cannot open, and for other files.

    Parameters
    ----------
    path : of a file of any kind.

    Errors
    ------
    BadInput : as ``open_raster``, and ``require_local_mosaic`` for a VRT.
    """
    if path.suffix.lower() not in RASTER_SUFFIXES or path.suffix.lower() == ".vrt":
        return ()  # what a VRT joins is told by itself, also where it is missing
    try:
        with open_raster(str(path.absolute())) as opened:
            return tuple(path.parent / Path(file).name for file in opened.files)
    except RasterioError:
        return ()


def _require_own_files(path: Path, opened: DatasetReader) -> None:
    """Refuse a raster that is read from files outside of its folder, as those of ERDAS may be."""
    for file in opened.files:
        if not lies_inside(Path(file).parent, path.parent) and not os.path.samefile(file, path):
            opened.close()
            raise BadInput(str(path), f"a raster that reads {file}", "files within its folder", "make a GeoTIFF of it")


def require_local_mosaic(path: Path) -> None:
    """Refuse a VRT that leads to anything but plain raster files below its folder, or that brings its own code.

    It may hold what gdalbuildvrt, gdal_translate and gdalwarp write, and nothing else.

    Parameters
    ----------
    path : of the ``.vrt``.

    Errors
    ------
    BadInput : no XML; a source on the web, elsewhere or of another kind; a pixel function; an element or attribute that
        is none of those.
    """
    where, expected = str(path), "a VRT that joins raster files"
    root = parsed_xml(where, read_plain_file(path, where, expected, _MOST_VRT_BYTES), expected)
    for element in root.iter(etree.Element):
        name = str(element.tag)
        if name.startswith("PixelFunction"):
            raise BadInput(where, "a pixel function", expected, "make a GeoTIFF of it with gdal_translate")
        odd = [name] if name not in VRT_ELEMENTS else sorted(set(map(str, element.attrib)) - VRT_ATTRIBUTES)
        if odd or element.get("subClass", VRT_CLASSES[0]) not in VRT_CLASSES:
            what = f"{odd[0][:60]!r}" if odd else f"the class {element.get('subClass')!r}"
            raise BadInput(
                where, what, f"{expected}, as gdalbuildvrt writes it", "make a GeoTIFF of it with gdal_translate"
            )
        if name in VRT_SOURCES:
            _require_local_source(path, element)
    require_plain_domains(where, root.iter(etree.Element))


def _require_local_source(path: Path, element: etree._Element) -> None:
    name, relative = (element.text or "").strip(), element.get("relativeToVRT", "0")
    where, expected = f"{path}: source {name[:200]}", "a raster file on this machine"
    if not name or len(element) or set("<:\0") & set(name) or relative not in ("0", "1"):
        raise BadInput(where, "no plain file", expected, "fetch it first")
    if name.lower().endswith(".vrt"):
        raise BadInput(where, "another VRT", expected, "join the files that it joins")
    place = path.parent / name if relative == "1" else Path(name)
    if place.exists():  # one that is missing is named when it is read
        require_plain_file(place, where, expected)
    if not lies_inside(place, path.parent):
        odd = "no plain file" if name.startswith("/vsi") else "a file outside of its folder"
        raise BadInput(where, odd, expected, "put the VRT above the files that it joins, and make it anew there")
    if place.exists():
        with place.open("rb") as file:
            if b"<VRTDataset" in file.read(HEAD_BYTES):
                raise BadInput(where, "another VRT", expected, "join the files that it joins")
        require_harmless_surroundings(place)


def require_harmless_surroundings(path: Path) -> None:
    """Refuse a raster whose masks, overviews or notes in files beside it lead elsewhere.

    Parameters
    ----------
    path : of the raster.

    Errors
    ------
    BadInput : such a file; one that is no plain file.
    """
    for beside in files_beside(path):
        if is_opened_beside(beside.name):
            where, expected = str(beside), "a plain file beside a raster"
            if beside.name.lower().endswith(".aux.xml"):
                content = read_plain_file(beside, where, expected, MOST_NOTES_BYTES)
            else:
                require_plain_file(beside, where, expected)
                with beside.open("rb") as file:
                    content = file.read(HEAD_BYTES)
            require_harmless_beside(where, beside.name, content)


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
    allow_vector_drivers()
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
    if plain.lstrip().startswith((b"{", b"[")):
        require_no_linked_crs(path, where)


def _refuse_views(path: Path, where: str) -> None:
    # a view computes its records when it is read, without end if it is meant so; a virtual table may be another file
    for kind, name in _computed(path, where):
        raise BadInput(where, f"the {kind} {name!r}", "a GeoPackage of plain tables", "write it anew with ogr2ogr")


def _computed(path: Path, where: str) -> Iterator[tuple[str, str]]:
    # immutable: nothing is written beside the file, not even a journal
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True)) as base:
            listed = base.execute(_COMPUTED).fetchmany(1)
    except (sqlite3.Error, ValueError, OverflowError) as error:
        raise BadInput(where, f"a damaged GeoPackage ({error})", _VECTOR_EXPECTED, "fetch the file again") from None
    for kind, name in listed:
        yield "view" if kind == "view" else "virtual table", bytes(name).decode("utf-8", "replace")


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
