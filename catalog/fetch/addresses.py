"""Addresses as they may be told and recorded."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit


def without_secrets(url: str) -> str:
    """An address without name and password, query and fragment: a token may stand in any of them.

    Example
    -------
    >>> without_secrets("https://me:pw@host:8080/a.tif?token=1#x")
    'https://host:8080/a.tif'
    """
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:  # no address: said by who asks for it
        return url.partition("?")[0]
