"""What GDAL opens by itself beside a raster: masks, overviews and its own notes, which may lead elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lxml import etree

from schemas.errors import BadInput

MOST_NOTES_BYTES = 16_000_000
HEAD_BYTES = 4096
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ERDAS = (b"EHFA_HEADER_TAG",)
_RASTERS = re.compile(r"(?:\.(?:msk|ovr))+$", re.I)
_ERDAS_FILES = re.compile(r"\.(?:aux|rrd)$", re.I)
_NOTES = re.compile(r"\.aux\.xml$", re.I)
# of the domains of metadata in GDAL's notes, those that name no other file
_DOMAINS = frozenset({"", "IMAGE_STRUCTURE", "RPC", "IMD", "Esri", "COLOR_PROFILE", "LAYER_TYPE"})


def is_opened_beside(name: str) -> bool:
    """Whether GDAL opens a file of such a name by itself, in a format that its bytes tell.

    Parameters
    ----------
    name : of the file.
    """
    return bool(_RASTERS.search(name) or _ERDAS_FILES.search(name) or _NOTES.search(name))


def require_harmless_beside(where: str, name: str, content: bytes) -> None:
    """Refuse a mask, overviews or notes that are not what their name says, or that lead to other files.

    Parameters
    ----------
    where : how errors name the file.
    name : of the file.
    content : of notes the whole of it; else its first bytes.

    Errors
    ------
    BadInput : as said.
    """
    if _NOTES.search(name):
        _require_plain_notes(where, content)
    elif _RASTERS.search(name) and not content.startswith(_TIFF):
        raise BadInput(where, "a mask or overviews that are no TIFF", "a TIFF", "remove it, or make it anew")
    elif _ERDAS_FILES.search(name) and not content.startswith(_ERDAS):
        raise BadInput(where, "a file beside a raster that is none of ERDAS", "one of ERDAS", "move it elsewhere")


def parsed_xml(where: str, content: bytes, expected: str) -> etree._Element:
    """The root of an XML document without document type, read without asking anybody.

    Parameters
    ----------
    where : how errors name it.
    content : of the document.
    expected : what it should be.

    Errors
    ------
    BadInput : broken, or with a document type.
    """
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise BadInput(where, f"broken XML ({error})", expected) from None
    if root.getroottree().docinfo.doctype:
        raise BadInput(where, "a document type", expected, "make it anew with GDAL")
    return root


def require_plain_domains(where: str, elements: Iterable[etree._Element]) -> None:
    """Refuse metadata of a domain by which GDAL is led to other files.

    Parameters
    ----------
    where : how errors name the document.
    elements : all of it.

    Errors
    ------
    BadInput : such a domain, or one that is stated in an odd way.
    """
    for element in elements:
        # GDAL takes an attribute and a child of one name for the same
        stated = [value for key, value in element.attrib.items() if str(key).lower() == "domain"]
        if str(element.tag).lower() == "domain":
            stated.append(element.text or "?")
        for domain in stated:
            if domain not in _DOMAINS:
                raise BadInput(
                    where, f"metadata of the domain {str(domain)[:40]!r}", "notes that lead nowhere", "remove it"
                )


def _require_plain_notes(where: str, content: bytes) -> None:
    root = parsed_xml(where, content, "GDAL's notes on a raster")
    require_plain_domains(where, root.iter(etree.Element))
