"""What lies beside an input file and changes what is read from it: its checksum counts as much as the file's own."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from lxml import etree

from pipeline.inputs.fill_masks import fill_mask_of
from schemas.errors import BadInput
from schemas.input_files import read_plain_file

RASTER_SUFFIXES = (".tif", ".tiff", ".hgt", ".vrt", ".img", ".asc", ".dem", ".bil", ".flt", ".dt1", ".dt2", ".jp2")
# beside X.shp: index, attributes, CRS, encoding; only the .shp is opened by name
_OF_SHAPEFILES = (".shx", ".dbf", ".prj", ".cpg", ".cst", ".qix", ".sbn", ".sbx")
# beside X.tif: X.tif.aux.xml holds scale, offset, nodata and CRS; X.tif.msk marks voids; X.tif.ovr has coarser pixels
_AFTER_THE_NAME = re.compile(r"(?:\.(?:msk|ovr))*(?:\.aux\.xml)?|\.aux|\.vat\.dbf|-(?:wal|shm|journal)")
# X.tfw and its like place the pixels, .hdr and .stx describe them, .ige holds those of a large .img
_IN_PLACE_OF_THE_SUFFIX = (
    ".aux", ".prj", ".hdr", ".stx", ".clr", ".ige", ".rrd", ".tfw", ".tifw", ".tiffw", ".wld", ".hgw", ".j2w", ".jp2w",
    ".igw", ".imgw", ".blw", ".bilw", ".bqw", ".flw", ".fltw", ".asw", ".tab", ".imd", ".rpb", ".rpc", ".pvl",
    "_rpc.txt", ".aux.xml",
)  # fmt: skip
_MOST_VRT_BYTES = 16_000_000
# letters by which the names of a folder are looked up
_ALIKE = 24


def sidecars(path: Path) -> tuple[Path, ...]:
    """The files beside an input that are read with it, and what a VRT joins, sorted; those that exist alone.

    Parameters
    ----------
    path : of the input as it was named; of an archive or a folder nothing is asked.

    Errors
    ------
    BadInput : a VRT that is no XML, or that cannot be read.
    """
    files = set(files_beside(path))
    if path.suffix.lower() == ".vrt":
        for joined in _joined(path):
            files |= {joined, *files_beside(joined)}
    mask = fill_mask_of(path, path.name)
    if mask is not None:
        files.add(mask.path)
    return tuple(sorted(files - {path}))


def files_beside(path: Path) -> Iterator[Path]:
    """The files beside a raster or shapefile that GDAL reads with it, whatever the letters of their names.

    Parameters
    ----------
    path : of the raster or shapefile.
    """
    try:
        names = _names_in(path.parent, path.parent.stat().st_mtime_ns)
    except OSError:
        return
    suffixes = _OF_SHAPEFILES if path.suffix.lower() == ".shp" else _IN_PLACE_OF_THE_SUFFIX
    wanted, name = {(path.stem + suffix).lower() for suffix in suffixes}, path.name.lower()
    for child in names.get(path.stem.lower()[:_ALIKE], ()):
        lower = child.lower()
        after = lower.startswith(name) and _AFTER_THE_NAME.fullmatch(lower[len(name) :])
        if (lower in wanted or after) and child != path.name and (path.parent / child).exists():
            yield path.parent / child


@lru_cache(maxsize=16)
def _names_in(folder: Path, _changed_ns: int) -> dict[str, list[str]]:
    """Names in a folder by how they begin; a folder of thousands of tiles is listed once."""
    names: dict[str, list[str]] = {}
    for child in sorted(os.listdir(folder)):
        for length in range(min(_ALIKE, len(child)) + 1):
            names.setdefault(child.lower()[:length], []).append(child)
    return names


def _joined(path: Path) -> Iterator[Path]:
    """The files that a VRT joins, as far as they exist."""
    expected = "a VRT that joins raster files"
    content = read_plain_file(path, str(path), expected, _MOST_VRT_BYTES)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput(str(path), f"broken XML ({error})", expected) from None
    for element in root.iter(etree.Element):
        name, text = etree.QName(element).localname, (element.text or "").strip()
        if text and name.endswith(("Filename", "Dataset")):
            place = path.parent / text if element.get("relativeToVRT") == "1" else Path(text)
            if place.is_file():
                yield place
