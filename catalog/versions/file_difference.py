"""What differs between two versions of one file, in words: a JSON value, a line, pixels of a picture, or bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from itertools import islice, zip_longest
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

_MOST = 3
_LONGEST = 60
_ABSENT = object()
_TEXTS = (".txt", ".md", ".html", ".xml", ".cff", ".csv", ".qml", ".js", ".css")


def what_differs(path: str, old: bytes, new: bytes) -> str:
    """The first few differences of a file; empty where the bytes are the same.

    Parameters
    ----------
    path : tells by its ending how the file is read.
    old, new : its content before and after.
    """
    if old == new:
        return ""
    suffix = "." + path.rpartition(".")[2].lower()
    try:
        if suffix in (".json", ".geojson", ".jsonld"):
            return _told(_json_differences(json.loads(old), json.loads(new), ""), "the same values, written otherwise")
        if suffix == ".png":
            return _picture_difference(old, new)
        if suffix in _TEXTS:
            return _told(_line_differences(old.decode(), new.decode()), "the same lines, ended otherwise")
    except (ValueError, RecursionError, UnidentifiedImageError, OSError):
        return f"not a readable {suffix} file; {_byte_difference(old, new)}"
    return _byte_difference(old, new)


def _told(differences: Iterator[str], none: str) -> str:
    told = list(islice(differences, _MOST + 1))
    if not told:
        return none
    return "; ".join(told[:_MOST]) + ("; and more" if len(told) > _MOST else "")


def _json_differences(old: Any, new: Any, pointer: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _json_differences(old.get(key, _ABSENT), new.get(key, _ABSENT), f"{pointer}/{key}")
    elif isinstance(old, list) and isinstance(new, list):
        for place, (one, other) in enumerate(zip_longest(old, new, fillvalue=_ABSENT)):
            yield from _json_differences(one, other, f"{pointer}/{place}")
    elif type(old) is not type(new) or old != new:
        yield f"{pointer or '/'} {_short(old)} -> {_short(new)}"


def _line_differences(old: str, new: str) -> Iterator[str]:
    pairs = zip_longest(old.splitlines(), new.splitlines(), fillvalue=_ABSENT)
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            yield f"line {number} {_short(one)} -> {_short(other)}"


def _picture_difference(old: bytes, new: bytes) -> str:
    with Image.open(io.BytesIO(old)) as one, Image.open(io.BytesIO(new)) as two:
        if one.size != two.size:
            return f"{one.size[0]} x {one.size[1]} -> {two.size[0]} x {two.size[1]} pixels"
        differs = (np.asarray(one.convert("RGBA")) != np.asarray(two.convert("RGBA"))).any(axis=2)
    count = int(differs.sum())
    return f"{count} of {differs.size} pixels differ" if count else "the same pixels, written otherwise"


def _byte_difference(old: bytes, new: bytes) -> str:
    shared = min(len(old), len(new))
    unlike = np.flatnonzero(np.frombuffer(old, np.uint8, shared) != np.frombuffer(new, np.uint8, shared))
    place = int(unlike[0]) if unlike.size else shared
    return f"bytes differ from {place} on ({len(old)} -> {len(new)} bytes)"


def _short(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
