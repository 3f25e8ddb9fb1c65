"""GeoJSON whose coordinate reference system is an address: GDAL would ask for it."""

from __future__ import annotations

import json
import mmap
import re
from pathlib import Path

from schemas.errors import BadInput

# the member's name in any letters, also written as escapes; GDAL takes crs of GeoJSON and coordRefSys of JSON-FG
_LETTERS = {letter: rf"(?:{letter}|\\u00{ord(letter):02x}|\\u00{ord(letter.upper()):02x})" for letter in "cordefsy"}
_OLD, _NEW = ("".join(_LETTERS[letter] for letter in name) for name in ("crs", "coordrefsys"))
_NAMED = re.compile(rf'"(?:{_OLD}|(?P<new>{_NEW}))"\s*:\s*(?=[{{\["])'.encode(), re.I)
_LONGEST = 100_000
# what a stated system may be: a name, as "urn:ogc:def:crs:EPSG::32645", or the one address that GDAL knows by heart
_KINDS = ("name", "epsg")
_KNOWN = "http://www.opengis.net/def/crs/"


def require_no_linked_crs(path: Path, where: str) -> None:
    """Refuse GeoJSON that names an address for its coordinate reference system.

    Parameters
    ----------
    path : of a file of JSON.
    where : how errors name it.

    Errors
    ------
    BadInput : as said.
    """
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        for member in _NAMED.finditer(content):
            if _is_linked(content[member.end() : member.end() + _LONGEST], names_too=member["new"] is not None):
                what = "a coordinate reference system that is an address"
                raise BadInput(where, what, "coordinates in degrees, or a named system", "write it anew with ogr2ogr")


def _is_linked(text: bytes, *, names_too: bool) -> bool:
    try:
        stated, _ = json.JSONDecoder().raw_decode(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return True
    if isinstance(stated, dict):
        kinds = [str(value).lower() for key, value in stated.items() if key.lower() == "type"]
        return any(kind not in _KINDS for kind in kinds)
    if not names_too:  # an attribute of that name
        return False
    names = stated if isinstance(stated, list) else [stated]
    return any("://" in str(name) and not str(name).startswith(_KNOWN) for name in names)
