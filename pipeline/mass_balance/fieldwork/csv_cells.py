"""The cells of a folder of CSV files, one a table, in any common encoding, parted by commas, semicolons or tabs."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet, TooManyCells, trimmed
from schemas.errors import BadInput
from schemas.input_files import read_plain_file

# 500 000 readings
MOST_CSV_BYTES = 32_000_000
LONGEST_RECORD = 1_000_000
LONGEST_CELL = 100_000
LINES_BEFORE_A_TABLE = 1000

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# of the characters beyond ASCII in a Chinese text, the share that the older, smaller character set holds; letters with
# accents misread as Chinese are rare signs outside it
_COMMON_SHARE = 0.8
_WESTERN_SIGNS = "°²³±–—‘’“”´·µ½¼¾«»…\u00a0"
_DELIMITERS = (",", ";", "\t")


def read_folder(path: Path) -> tuple[RawSheet, ...]:
    """Every CSV file of the folder, in name order.

    Parameters
    ----------
    path : of the folder; files may be in UTF-8, UTF-16 or GBK, with commas, semicolons or tabs.

    Errors
    ------
    BadInput : a folder without CSV files, a file in an encoding that cannot be told, a file that is no CSV.
    """
    files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv")
    if not files:
        raise BadInput(path.name, "a folder without CSV files", "glacier.csv, stakes.csv, readings.csv and the like")
    return tuple(_read_csv(file, path.name) for file in files)


def _read_csv(file: Path, folder: str) -> RawSheet:
    name = f"{folder}/{file.name}"
    content = read_plain_file(file, name, "a CSV file", MOST_CSV_BYTES)
    text, encoding = _decoded(content, name)
    delimiter = _delimiter(text)
    try:
        rows: list[list[Any]] = trimmed(_records(text, delimiter))
    except TooManyCells as error:
        raise BadInput(name, str(error), "one table of field data") from None
    except csv.Error as error:
        raise BadInput(name, str(error), "a CSV file", "check its quotation marks") from None
    notes = []
    if encoding:
        notes.append((f"text in {encoding}", "read as such; save it as UTF-8 to be safe"))
    if delimiter != ",":
        parted = {";": "semicolons", "\t": "tabs"}[delimiter]
        notes.append((f"columns parted by {parted}", "read as such"))
    comma = delimiter == ";"  # a program that parts columns so has a comma before the decimals
    cells = tuple(tuple(row) for row in rows)
    return RawSheet(file=name, name=file.stem, rows=cells, is_csv=True, decimal_comma=comma, notes=tuple(notes))


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """The rows, none of which may be longer than ``LONGEST_RECORD`` signs over all its lines."""
    length = 0

    def lines() -> Iterator[str]:
        nonlocal length
        for line in io.StringIO(text, newline=""):
            length += len(line)
            if length > LONGEST_RECORD:
                raise csv.Error(f"a row of more than {LONGEST_RECORD} characters")
            yield line

    for row in csv.reader(lines(), delimiter=delimiter, strict=True):
        length = 0
        # the limit of the csv module is one for the whole process, and a library may have raised it
        if any(len(cell) > LONGEST_CELL for cell in row):
            raise csv.Error(f"a cell of more than {LONGEST_CELL} characters")
        yield row


def _decoded(content: bytes, name: str) -> tuple[str, str]:
    """The text, and its encoding where it is not UTF-8 (with or without byte order mark)."""
    if content.startswith(_UTF16):
        try:
            return content.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError:
            raise BadInput(name, "broken UTF-16 text", "a CSV file in UTF-8", "save it as UTF-8") from None
    try:
        return content.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        chinese = _chinese(content)
        if chinese is not None:
            return chinese, "GB 18030 (GBK)"
        western = _western(content)
        if western is not None:
            return western, "Windows-1252"
        byte = f"byte {error.start} that is not UTF-8"
        raise BadInput(name, byte, "a CSV file in UTF-8 or GBK", "save it as UTF-8") from None


def _chinese(content: bytes) -> str | None:
    """The text as Windows saves it in China (GB 18030, of which GBK is a part); None where it is not Chinese."""
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    plain = len(text.encode("ascii", errors="ignore"))
    beyond = len(text) - plain
    common = (len(text.encode("gb2312", errors="ignore")) - plain) // 2  # two bytes for each sign beyond ASCII
    return text if beyond and common >= _COMMON_SHARE * beyond else None


def _western(content: bytes) -> str | None:
    """The text as Windows saves it in western Europe; None where some sign of it is no letter, degree or the like."""
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    beyond = [sign for sign in text if ord(sign) > 127]
    return text if all(sign.isalpha() or sign in _WESTERN_SIGNS for sign in beyond) else None


def _delimiter(text: str) -> str:
    """What parts the columns: the sign that stands most often in the first line that holds one; a comma in doubt."""
    for line in islice(io.StringIO(text), LINES_BEFORE_A_TABLE):
        counts = {sign: line.count(sign) for sign in _DELIMITERS}
        if any(counts.values()):
            return max(_DELIMITERS, key=lambda sign: counts[sign])
    return ","
