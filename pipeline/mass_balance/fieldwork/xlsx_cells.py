"""The cells of an .xlsx workbook, read row by row so that a large one stays small in memory."""

from __future__ import annotations

import io
import posixpath
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.cell_range import CellRange

from pipeline.inputs.xlsx_packages import open_workbook, require_harmless_package, sheet_rows
from pipeline.inputs.zip_archives import ZIP_DAMAGE
from pipeline.mass_balance.fieldwork.cells import (
    WINDOWS_EPOCH,
    RawSheet,
    TooManyCells,
    comment_aside,
    fill_merged,
    hidden_lines,
    trimmed,
)
from schemas.errors import BadInput

# what the readers of zip, XML and spreadsheets raise for a file damaged inside; SyntaxError is an XML parser's
_DAMAGE = (*ZIP_DAMAGE, SyntaxError, InvalidFileException, MemoryError)
_OFFICE_DOCUMENT = "/officeDocument"
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+\d+(?::[A-Z]+\d+)?)"')
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ROW = re.compile(rb"<(?:\w+:)?row\s([^>]*)>")
_COLUMN = re.compile(rb"<(?:\w+:)?col\s([^>]*)>")
_HIDDEN = re.compile(rb'\bhidden="(?:1|true)"')
_NUMBER = re.compile(rb'\b(r|min|max)="(\d+)"')
_COMMENTS = "/comments"
# columns that a file hides up to its edge stand for no more than these
_MOST_HIDDEN = 200


@dataclass(frozen=True)
class _Part:
    """What a sheet's XML says beyond its values: merged ranges (from 0), formulas never computed, and what is aside."""

    merged: tuple[tuple[int, int, int, int], ...]
    uncomputed: tuple[str, ...]
    asides: tuple[tuple[str, str], ...] = ()


def read_xlsx(path: Path) -> tuple[RawSheet, ...]:
    """Every sheet: values as last computed, formula errors as their text, merged ranges filled down.

    The values are read by openpyxl. A faster reader was left aside: it gives an empty text for a cell that holds a
    formula error, and a division by zero would become "not measured".

    Errors
    ------
    BadInput : a corrupt workbook, or one that is huge when unpacked.
    """
    try:
        require_harmless_package(path, path.name)
        parts = _parts(path)
        sheets = _sheets(path, parts)
    except TooManyCells as error:
        raise BadInput(path.name, str(error), "a workbook of field data") from None
    except _DAMAGE as error:
        damage = f"a corrupt workbook ({' '.join(str(error).split()) or type(error).__name__})"
        raise BadInput(path.name, damage, "an .xlsx workbook", "save it again") from None
    return sheets


def _sheets(path: Path, parts: dict[str, _Part]) -> tuple[RawSheet, ...]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of styles and rules that it does not keep, and we do not need
        book = open_workbook(path)
        try:
            epoch = MAC_EPOCH.date() if book.epoch == MAC_EPOCH else WINDOWS_EPOCH
            sheets = []
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # programs write extents that are not those of the cells
                rows = trimmed(sheet_rows(sheet))
                part = parts.get(sheet.title, _Part((), ()))
                filled = fill_merged(rows, part.merged)
                cells = tuple(tuple(row) for row in rows)
                sheets.append(
                    RawSheet(
                        file=path.name,
                        name=sheet.title,
                        rows=cells,
                        filled=filled,
                        epoch=epoch,
                        uncomputed=part.uncomputed,
                        asides=part.asides,
                    )
                )
            return tuple(sheets)
        finally:
            book.close()


def _parts(path: Path) -> dict[str, _Part]:
    """What the reader of values leaves out, by title of sheet."""
    with zipfile.ZipFile(path) as archive:
        parts = {title: (_part(archive.read(member)), member) for title, member in _members(archive).items()}
        return {
            title: replace(part, asides=(*part.asides, *_comments(archive, member)))
            for title, (part, member) in parts.items()
        }


def _members(archive: zipfile.ZipFile) -> dict[str, str]:
    """The file of each worksheet inside the workbook, by title, as the relations of the package state it (ECMA-376)."""
    documents = [target for kind, target in _relations(archive, "").values() if kind.endswith(_OFFICE_DOCUMENT)]
    workbook = documents[0]
    relations = _relations(archive, workbook)
    members = {}
    for element in ElementTree.fromstring(archive.read(workbook)).iter():
        if _local(element.tag) == "sheet":
            identifiers = [value for name, value in element.attrib.items() if _local(name) == "id"]
            kind, target = relations[identifiers[0]]
            if kind.endswith("/worksheet"):
                members[element.attrib["name"]] = target
    return members


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Kind and target of each relation of a part of the package, by identifier."""
    folder, name = posixpath.split(part)
    root = ElementTree.fromstring(archive.read(posixpath.join(folder, "_rels", f"{name}.rels")))
    return {
        element.attrib["Id"]: (element.attrib["Type"], _resolved(folder, element.attrib["Target"])) for element in root
    }


def _resolved(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _part(xml: bytes) -> _Part:
    ranges = []
    for match in _MERGED.finditer(xml):
        merged = CellRange(match.group(1).decode("ascii"))
        ranges.append((merged.min_row - 1, merged.min_col - 1, merged.max_row - 1, merged.max_col - 1))
    asides = (*_hidden(xml, _ROW, "rows"), *_hidden(xml, _COLUMN, "columns"))
    return _Part(tuple(ranges), _uncomputed(xml) if _FORMULA.search(xml) else (), asides)


def _hidden(xml: bytes, element: re.Pattern[bytes], what: str) -> Iterator[tuple[str, str]]:
    """Hidden rows or columns, neighbours together: first cell and what it is."""
    numbers: list[int] = []
    for line in element.finditer(xml) if _HIDDEN.search(xml) else ():
        if _HIDDEN.search(line.group(1)):
            stated = {name: int(number) for name, number in _NUMBER.findall(line.group(1))}
            first = stated.get(b"r") or stated.get(b"min", 0)
            numbers += range(first, min(stated.get(b"max", first), _MOST_HIDDEN) + 1)
    yield from hidden_lines([number - 1 for number in numbers if number], what)


def _comments(archive: zipfile.ZipFile, member: str) -> Iterator[tuple[str, str]]:
    """The comments of a sheet: cell and text."""
    folder, name = posixpath.split(member)
    if posixpath.join(folder, "_rels", f"{name}.rels") not in archive.namelist():
        return
    for kind, target in _relations(archive, member).values():
        if not kind.endswith(_COMMENTS):
            continue
        for element in ElementTree.fromstring(archive.read(target)).iter():
            if _local(element.tag) == "comment":
                text = "".join(part.text or "" for part in element.iter() if _local(part.tag) == "t")
                yield element.attrib["ref"], comment_aside(text)


def _uncomputed(xml: bytes) -> tuple[str, ...]:
    """Cells with a formula and no stored value; a stored empty text is a value."""
    cells = []
    for _, element in ElementTree.iterparse(io.BytesIO(xml)):
        name = _local(element.tag)
        if name == "c" and element.attrib.get("t") != "str":
            parts = {_local(part.tag): part.text for part in element}
            if "f" in parts and not parts.get("v") and "is" not in parts:
                cells.append(element.attrib["r"])
        elif name == "row":
            element.clear()  # a large sheet must not stand in memory as a tree
    return tuple(cells)


def _local(tag: str) -> str:
    """The name without its namespace."""
    return tag.rsplit("}", 1)[-1]
