"""In which encoding the texts of a shapefile are written that does not say so: Chinese ones often are in GBK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# GB18030 holds GBK and GB 2312
CHINESE = "GB18030"
# what a shapefile's table states in its header where it states nothing: none, and the code page of the machine
_UNSTATED = (0x00, 0x57)
_MOST_BYTES = 8_000_000
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]+[\x40-\x7e]?")
# share of the characters that lie where GB 2312 has its common ones
_LEAST_COMMON = 0.9


def encoding_of_shapefile(path: Path) -> str | None:
    """The encoding of a shapefile's texts that has no ``.cpg`` and whose table states none; None where GDAL knows.

    UTF-8 where all texts are valid in it; else GB18030 where nearly all of what lies beyond ASCII are pairs of bytes as
    GB 2312 has them; western letters stand alone among ASCII ones.

    Parameters
    ----------
    path : of the ``.shp``.
    """
    table = _beside(path, ".dbf")
    if table is None or _beside(path, ".cpg") is not None:
        return None
    with table.open("rb") as file:
        content = file.read(_MOST_BYTES)
    if len(content) < 32 or content[29] not in _UNSTATED:
        return None
    texts = [text for text in _texts(content) if not text.isascii()]
    if not texts:
        return None
    if all(_is_valid(text, "utf-8") for text in texts):
        return "UTF-8"
    return CHINESE if _looks_chinese(texts) else None


def _beside(path: Path, suffix: str) -> Path | None:
    return next(
        (place for place in (path.with_suffix(suffix), path.with_suffix(suffix.upper())) if place.is_file()), None
    )


def _texts(content: bytes) -> Iterator[bytes]:
    """Values of the text fields of a dBASE table, the names of its fields among them."""
    header, length = int.from_bytes(content[8:10], "little"), int.from_bytes(content[10:12], "little")
    fields: list[tuple[int, int]] = []
    start = 1
    for place in range(32, min(header, len(content)) - 31, 32):
        field = content[place : place + 32]
        if field[0] == 0x0D:
            break
        yield field[:11].split(b"\0")[0]
        width = field[16]
        if field[11:12] == b"C":
            fields.append((start, width))
        start += width
    if length < 1:
        return
    for record in range(header, len(content) - length + 1, length):
        for first, width in fields:
            # a character may be cut off at the end of its field
            yield content[record + first : record + first + width].rstrip(b" \0")


def _is_valid(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError as error:
        # but for a last character that the field has cut off
        return error.reason == "unexpected end of data" and error.start >= len(text) - 3
    return True


def _looks_chinese(texts: list[bytes]) -> bool:
    pairs = common = 0
    for text in texts:
        if not _is_valid(text, CHINESE) and not _is_valid(text[:-1], CHINESE):
            return False
        for run in _BEYOND_ASCII.findall(text):
            for place in range(0, len(run), 2):
                pair = run[place : place + 2]
                pairs += 1
                common += len(pair) == 2 and 0xA1 <= pair[0] <= 0xF7 and pair[1] >= 0xA1
    return common >= _LEAST_COMMON * pairs
