"""Workbooks that others made (.xlsx), looked at before a spreadsheet library builds them up in memory."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from xml.parsers import expat

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook import Workbook

from pipeline.inputs.zip_archives import opened_zip
from schemas.errors import BadInput

# all members unpacked; a sheet of a million cells has some 40 MB
MOST_UNPACKED_BYTES = 128_000_000
# of a member that is no sheet, and between the rows of a sheet: so much is held as a tree at once
MOST_TREE_BYTES = 8_000_000
# opening and closing tags of the same: each element becomes an object of some 500 bytes; a spreadsheet program keeps at
# most 65 490 formats of cells, and 16 384 cells a row
MOST_TREE_TAGS = 500_000
_AT_ONCE = 1 << 20
_SHEETS, _STRINGS = "worksheets", "sharedStrings.xml"
_ROW, _STRING = re.compile(rb"<(?:\w+:)?row[\s/>]"), re.compile(rb"<(?:\w+:)?si[\s/>]")
_NEVER = re.compile(rb"(?!)")


# openpyxl documents InvalidFileException and lets these out too: it looks at the types of what it has parsed only by
# using it (openpyxl.descriptors, openpyxl.worksheet._reader)
_LET_OUT = (AttributeError, TypeError)


class _DocumentType(Exception):
    """Raised where an XML document declares one: it defines entities, of which a few lines can become gigabytes."""


def require_harmless_package(path: Path | BytesIO, where: str) -> None:
    """Refuse a workbook whose members are huge when unpacked, declare a document type, or are too large to be a tree.

    The format (ECMA-376) knows no document types.

    Parameters
    ----------
    path : of the workbook, or its bytes.
    where : how errors name it.

    Errors
    ------
    BadInput : such a member.
    zipfile.BadZipFile and others of ``ZIP_DAMAGE`` : a damaged archive.
    """
    with opened_zip(path, where, MOST_UNPACKED_BYTES) as archive:
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if _is_xml(archive, entry, where):
                _require_small_tree(archive, entry, where)


def _require_small_tree(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> None:
    name = posixpath.basename(entry.filename)
    in_rows = posixpath.basename(posixpath.dirname(entry.filename)) == _SHEETS
    stretch, tags = _longest_tree(archive, entry, _ROW if in_rows else _STRING if name == _STRINGS else _NEVER)
    size = stretch if in_rows else entry.file_size
    if size > MOST_TREE_BYTES:
        what = f"{size} bytes of XML without a row in {entry.filename}"
        raise BadInput(where, what, f"at most {MOST_TREE_BYTES}", "save the workbook anew")
    if tags > MOST_TREE_TAGS:
        what = f"{tags} tags of XML without a row in {entry.filename}"
        raise BadInput(where, what, f"at most {MOST_TREE_TAGS}", "save the workbook anew")


def open_workbook(file: Path | BytesIO) -> Workbook:
    """The workbook as openpyxl reads it, row by row and with the values as last computed.

    Errors
    ------
    InvalidFileException, KeyError, ValueError, SyntaxError and those of ``ZIP_DAMAGE`` : a damaged workbook.
    """
    try:
        return openpyxl.load_workbook(file, read_only=True, data_only=True)
    except _LET_OUT as error:
        raise InvalidFileException(str(error)) from None


def sheet_rows(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """The values of a sheet, row by row; errors as ``open_workbook``, never those of who takes the rows."""
    try:
        yield from sheet.iter_rows(values_only=True)
    except _LET_OUT as error:
        raise InvalidFileException(str(error)) from None


def _is_xml(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, where: str) -> bool:
    """Whether a member is an XML document; refuses one that declares a document type."""
    parser = expat.ParserCreate()
    root: list[str] = []
    parser.StartElementHandler = lambda name, _: root.append(name)
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        with archive.open(entry) as member:
            while not root and (piece := member.read(65_536)):
                parser.Parse(piece, False)
    except expat.ExpatError:
        return bool(root)
    except _DocumentType:
        declaration = f"a document type in {entry.filename}"
        raise BadInput(where, declaration, "a workbook without one", "save the workbook anew") from None
    return bool(root)


def _refuse_document_type(*_: object) -> None:
    raise _DocumentType


def _longest_tree(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, part: re.Pattern[bytes]) -> tuple[int, int]:
    """The longest stretch of a member without the start of a part, in bytes and in tags; readers forget a part."""
    longest = most = reached = read = tags = 0
    tail = b""
    with archive.open(entry) as member:
        while piece := member.read(_AT_ONCE):
            text, counted = tail + piece, len(tail)
            start = read - len(tail)
            for begin in part.finditer(text):
                place = begin.start()
                longest, reached = max(longest, start + place - reached), start + place
                tags += text.count(b"<", counted, max(place, counted))
                most, tags, counted = max(most, tags), 0, max(place, counted)
            tags += text.count(b"<", counted)
            read += len(piece)
            tail = text[-64:]
    return max(longest, read - reached), max(most, tags)
