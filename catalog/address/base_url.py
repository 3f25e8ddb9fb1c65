"""The address of an archive as it is given."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from catalog.archive import CATALOG_JSON
from schemas.errors import BadInput

_PLAIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?(/[A-Za-z0-9._~%+,=:@-]+)*")
_EXPECTED = "an http or https address of a folder, without user, query and fragment"


def base_of(base_url: str | None) -> str:
    """Where an archive is served from, without a slash at its end; empty where that is not known.

    Parameters
    ----------
    base_url : address of the archive's folder, or of its catalog.json.

    Errors
    ------
    BadInput : another scheme or none; a user, a query, a fragment; spaces or other characters that an address has not.
    """
    if base_url is None:
        return ""
    base = base_url.removesuffix(f"/{CATALOG_JSON}").rstrip("/")
    if not _PLAIN.fullmatch(base) or {".", ".."} & set(base.split("/")) or not _has_port(base):
        remedy = "give it as https://data.example.org/archive, or leave it out for an archive that can be moved"
        raise BadInput("--base-url", repr(base_url), _EXPECTED, remedy)
    return base


def _has_port(base: str) -> bool:
    try:
        return urlsplit(base).port != 0
    except ValueError:
        return False
