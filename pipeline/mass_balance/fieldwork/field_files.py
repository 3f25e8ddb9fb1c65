"""Opens what a field team hands over, a workbook (.xlsx, .xls) or a folder of CSV files; judges no meaning."""

from __future__ import annotations

from pathlib import Path

from pipeline.inputs.zip_archives import ZIP_DAMAGE, opened_zip
from pipeline.mass_balance.fieldwork.cells import RawSheet
from pipeline.mass_balance.fieldwork.csv_cells import read_folder
from pipeline.mass_balance.fieldwork.xls_cells import read_xls
from pipeline.mass_balance.fieldwork.xlsx_cells import read_xlsx
from schemas.errors import BadInput
from schemas.input_files import read_plain_file, require_plain_file

# as it lies on disk; a network of 300 stakes over 60 years has 2 MB
MOST_WORKBOOK_BYTES = 32_000_000
_OLE_MAGIC = bytes.fromhex("D0CF11E0A1B11AE1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
# files that are zip archives too, told by a member
_OTHER_ARCHIVES = {
    "xl/workbook.bin": "a binary workbook (.xlsb)",
    "content.xml": "an OpenDocument workbook (.ods)",
    "word/document.xml": "a text document (.docx)",
}

_TIFF, _GEOPACKAGE, _GEOJSON = "a TIFF, which is a raster", "a GeoPackage or another database", "a JSON file"
_MAPS = (_TIFF, _GEOPACKAGE, _GEOJSON)
# how files of other kinds begin
_NO_WORKBOOKS = (
    *((begin, _TIFF) for begin in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    (b"SQLite format 3\0", _GEOPACKAGE),
    (b"{", _GEOJSON),
    (b"%PDF-", "a PDF file"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x1f\x8b", "a file packed with gzip"),
)


def read_sheets(path: Path) -> tuple[RawSheet, ...]:
    """Every sheet of a workbook, or every CSV file of a folder, in name order for a folder.

    Parameters
    ----------
    path : of a workbook (``.xlsx``, ``.xls``) or a folder of CSV files.

    Errors
    ------
    BadInput : no such file, empty folder, password-protected or corrupt workbook, another kind of file, a CSV file in
        an encoding that cannot be told.
    """
    if not path.exists():
        raise BadInput(path.name, "no such file or folder", "a field workbook (.xlsx, .xls) or a folder of CSV files")
    if path.is_dir():
        return read_folder(path)
    return read_xls(path) if is_legacy(path) else read_xlsx(path)


def kind_of(head: bytes) -> str:
    """What a file is that is no workbook, by its first bytes; empty where they tell nothing.

    Parameters
    ----------
    head : the first 16 bytes.
    """
    return next((kind for begin, kind in _NO_WORKBOOKS if head.startswith(begin)), "")


def is_legacy(path: Path) -> bool:
    """Whether a file is a workbook of the older binary format, by its content; refuses what is no workbook.

    Parameters
    ----------
    path : of the workbook.

    Errors
    ------
    BadInput : password-protected, empty, unreadable, or another kind of file.
    """
    require_plain_file(path, path.name, "a field workbook (.xlsx, .xls)")
    with path.open("rb") as file:
        kind = kind_of(file.read(16))
    if kind:
        wanted = "an .xlsx or .xls workbook, or a folder of CSV files"
        remedy = "a DEM is given with --dem, an outline with --outline" if kind in _MAPS else ""
        raise BadInput(path.name, kind, wanted, remedy)
    head = read_plain_file(path, path.name, "a field workbook (.xlsx, .xls)", MOST_WORKBOOK_BYTES)
    if head.startswith(_OLE_MAGIC):
        if _ENCRYPTED in head:
            raise BadInput(path.name, "a password-protected workbook", "a workbook without a password", "remove it")
        return True
    if path.suffix.lower() == ".csv":
        contents, remedy = "a single CSV file", "name the folder it lies in"
        raise BadInput(path.name, contents, "a workbook, or a folder with a CSV file for each table", remedy)
    try:
        with opened_zip(path, path.name) as archive:
            members = set(archive.namelist())
    except ZIP_DAMAGE:
        expected = "an .xlsx or .xls workbook, or a folder of CSV files"
        raise BadInput(path.name, "a corrupt file, not an Excel workbook", expected) from None
    for member in sorted(members & set(_OTHER_ARCHIVES)):
        raise BadInput(path.name, _OTHER_ARCHIVES[member], "an .xlsx or .xls workbook", "save it as .xlsx")
    return False
