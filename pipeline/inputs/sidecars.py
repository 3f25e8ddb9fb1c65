"""What lies beside an input file and changes what is read from it: its checksum counts as much as the file's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from pipeline.inputs.fill_masks import fill_mask_of
from schemas.errors import BadInput
from schemas.input_files import read_plain_file

# beside X.shp: index, attributes, CRS, encoding; only the .shp is opened by name
_OF_SHAPEFILES = (".shx", ".dbf", ".prj", ".cpg", ".cst")
# beside X.tif: X.tif.aux.xml holds scale, offset, nodata and CRS; X.tif.msk marks voids
_AFTER_THE_NAME = (".aux.xml", ".msk", ".msk.aux.xml", ".aux")
# X.tfw and its like place the pixels, .hdr and .stx describe them, .ige holds those of a large .img
_IN_PLACE_OF_THE_SUFFIX = (
    ".aux", ".prj", ".hdr", ".stx", ".ige", ".rrd", ".tfw", ".tifw", ".tiffw", ".wld", ".hgw", ".j2w", ".igw", ".blw",
    ".bqw", ".aux.xml",
)  # fmt: skip
_MOST_VRT_BYTES = 16_000_000


def sidecars(path: Path) -> tuple[Path, ...]:
    """The files beside an input that are read with it, and what a VRT joins, sorted; those that exist alone.

    Parameters
    ----------
    path : of the input as it was named; of an archive or a folder nothing is asked.

    Errors
    ------
    BadInput : a VRT that is no XML, or that cannot be read.
    """
    files = set(_beside(path))
    if path.suffix.lower() == ".vrt":
        for joined in _joined(path):
            files |= {joined, *_beside(joined)}
    mask = fill_mask_of(path, path.name)
    if mask is not None:
        files.add(mask.path)
    return tuple(sorted(files - {path}))


def _beside(path: Path) -> Iterator[Path]:
    suffixes = _OF_SHAPEFILES if path.suffix.lower() == ".shp" else _IN_PLACE_OF_THE_SUFFIX
    wanted = {(path.stem + suffix).lower() for suffix in suffixes}
    wanted |= {(path.name + suffix).lower() for suffix in _AFTER_THE_NAME}
    try:
        children = list(path.parent.iterdir())
    except OSError:
        return
    yield from (child for child in children if child.name.lower() in wanted and child.is_file())


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
