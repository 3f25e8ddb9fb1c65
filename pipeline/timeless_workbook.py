"""Excel workbooks without a clock: the same content gives the same bytes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from xml.sax.saxutils import escape

from openpyxl import Workbook

_END_OF_ROWS = b"</sheetData>"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest a zip archive can state
# written whole: the library puts the time of writing into it, under a prefix that other libraries can change
_CORE = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
    "<dc:title>{title}</dc:title><dc:subject>{subject}</dc:subject><dc:creator>{creator}</dc:creator>"
    "<cp:keywords>{keywords}</cp:keywords>"
    '<dcterms:created xsi:type="dcterms:W3CDTF">{stamp}</dcterms:created>'
    '<dcterms:modified xsi:type="dcterms:W3CDTF">{stamp}</dcterms:modified></cp:coreProperties>'
)


@dataclass(frozen=True, kw_only=True)
class CoreProperties:
    """What a workbook says of itself; ``day`` stands in place of the time of writing."""

    title: str
    creator: str
    day: date
    subject: str = ""
    keywords: str = ""

    def xml(self) -> bytes:
        """The workbook's docProps/core.xml."""
        words = {name: escape(getattr(self, name)) for name in ("title", "creator", "subject", "keywords")}
        return _CORE.format_map({**words, "stamp": f"{self.day.isoformat()}T00:00:00Z"}).encode("utf-8")


def workbook_bytes(book: Workbook, properties: CoreProperties, more_rows: Mapping[int, bytes] | None = None) -> bytes:
    """The workbook as .xlsx, with these properties and no time of writing anywhere.

    ``more_rows`` of sheets, by their number from 1: ``row`` elements that follow those the sheet has, as XML in UTF-8.

    Parameters
    ----------
    book : with all its sheets.
    properties : author, title and dates that the file states; no other date stands in it.
    more_rows : by number of the sheet from 1, rows that follow those it has, as XML in UTF-8.
    """
    parts = {f"xl/worksheets/sheet{number}.xml": rows for number, rows in (more_rows or {}).items()}
    draft, result = io.BytesIO(), io.BytesIO()
    book.save(draft)
    with zipfile.ZipFile(draft) as old, zipfile.ZipFile(result, "w") as new:
        for name in sorted(old.namelist()):
            content = properties.xml() if name == "docProps/core.xml" else old.read(name)
            if name in parts:
                content = content.replace(_END_OF_ROWS, parts[name] + _END_OF_ROWS, 1)
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            new.writestr(entry, content, compresslevel=6)
    return result.getvalue()
