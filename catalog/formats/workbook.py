"""The workbook of results for people: a README sheet, then one sheet a table.

Row 1 of a sheet names the columns, with a comment on each; row 2 gives the units (``-`` where a column has none);
records begin in row 3. Both rows and the first column stay in sight, and row 2 filters. Every text is stored as text,
so that none runs as a formula. The same content gives the same bytes: the workbook states the day of publication in
place of the time of writing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties

from catalog.formats.cell_text import FORMULA_SIGNS, inert_text
from catalog.formats.published import PublishedTable
from pipeline.timeless_workbook import CoreProperties, workbook_bytes
from schemas.fields import Column, Table

README = "README"
UNITS_ROW = 2
_LONGEST_NAME = 31  # no sheet may have a longer one
# a sheet of more records is slow to open, and better read from the CSV file; a spreadsheet ends at a million
LONGEST_SHEET = 20_000
SYNTHETIC_BANNER = "SYNTHETIC SAMPLE — computed from made-up inputs, not from observations"
_HOW_TO_READ = (
    "In each sheet row 1 names the columns, with a comment on each, and row 2 gives the units (- where a column has"
    " none); records begin in row 3. A gain is positive. sigma_ is one standard deviation. An empty cell means: not"
    " measured, or not computed."
)
_UNTYPED_TO_EXCEL: Any = to_excel  # Any, for it carries no types


def _font(size: float = 11, **drawn: Any) -> Font:
    """A font of the family that spreadsheets take for plain cells; one without a name would be set in another."""
    return Font(name="Calibri", size=size, **drawn)


_TITLE, _SUBTITLE = _font(15, bold=True, color="1F3A5F"), _font(12, color="1F3A5F")
_LABEL, _LINK = _font(bold=True, color="1F3A5F"), _font(color="1F4E9C", underline="single")
_HEAD, _HEAD_FILL = _font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F3A5F")
_UNIT, _UNIT_FILL = _font(italic=True, color="5B6672"), PatternFill("solid", fgColor="EEF2F6")
_BANNER_FILL = PatternFill("solid", fgColor="9A5B12")
_WRAPPED, _TOP = Alignment(wrap_text=True, vertical="top"), Alignment(vertical="top")
_TO_THE_RIGHT, _INDENTED = Alignment(horizontal="right"), Alignment(horizontal="left", indent=1)
_README_WIDTHS = {"A": 32, "B": 96, "C": 14, "D": 12, "E": 30}
_LINE_POINTS = 15.0
_NARROWEST, _WIDEST = 9, 44  # characters of a table's column
_A4 = 9  # as the file format numbers papers
_LOOKED_AT = 300  # records that a column's width is taken from


@dataclass(frozen=True, kw_only=True)
class About:
    """What the README sheet says beside the tables.

    Attributes
    ----------
    title, subtitle : in English and, where there is one, in Chinese.
    creator, day : who publishes it, and when.
    synthetic : whether the inputs are the embedded sample; the sheet then says so in colour.
    statements : label and text, in order: what it is, citation, licence, conventions.
    inputs : of each input file: name, sha256, bytes, source.
    settings : processing settings by name.
    """

    title: str
    creator: str
    day: date
    subtitle: str = ""
    synthetic: bool = False
    statements: tuple[tuple[str, str], ...] = ()
    inputs: tuple[tuple[str, str, int, str], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the README sheet: its cells from column A on, how the first is drawn, where it leads."""

    cells: tuple[Any, ...] = ()
    font: Font | None = None
    heading: bool = False
    fill: PatternFill | None = None
    sheet: str = ""

    @property
    def height(self) -> float:
        """Points for the longest wrapped text in column B."""
        text = str(self.cells[1]) if len(self.cells) > 1 else ""
        wrapped = sum(max(1, math.ceil(_breadth(part) / _README_WIDTHS["B"])) for part in text.split("\n"))
        return _LINE_POINTS * max(wrapped, 1.5 if self.font is _TITLE else 1)


def _breadth(text: str) -> int:
    """Breadth of a text in Latin letters; a Chinese character is as broad as two."""
    return len(text) + sum(ord(letter) >= 0x2E80 for letter in text)


def results_workbook(about: About, tables: Sequence[PublishedTable], longest: int | None = None) -> bytes:
    """The workbook as .xlsx.

    Parameters
    ----------
    about : for the README sheet.
    tables : in the order of the sheets.
    longest : most records of a sheet; a longer table has none, and the README says so. None: every table has one.
    """
    book = Workbook(write_only=True)
    shown = {published.table.name for published in tables if longest is None or len(published.rows) <= longest}
    _fill_readme(book.create_sheet(README), list(_readme(about, tables, shown)))
    sheets = [published for published in tables if published.table.name in shown]
    for published in sheets:
        _open_sheet(book.create_sheet(sheet_name(published.table)), published)
    # rows are written as text: through the library, which makes an object of each cell, they take ten times as long
    formats = [_formats(book.worksheets[0], published.table) for published in sheets]
    records = {
        number: _records(published, each)
        for number, (published, each) in enumerate(zip(sheets, formats, strict=True), start=2)
    }
    return workbook_bytes(book, CoreProperties(title=about.title, creator=about.creator, day=about.day), records)


def sheet_name(table: Table) -> str:
    """Name of a table's sheet."""
    return table.name[:_LONGEST_NAME]


# --- README ------------------------------------------------------------------------------------------------------


def _readme(about: About, tables: Sequence[PublishedTable], shown: Collection[str]) -> Iterator[Line]:
    yield Line(cells=(about.title,), font=_TITLE)
    if about.subtitle:
        yield Line(cells=(about.subtitle,), font=_SUBTITLE)
    if about.synthetic:
        yield Line(cells=(SYNTHETIC_BANNER, None, None, None, None), font=_HEAD, fill=_BANNER_FILL)
    yield Line()
    yield from (Line(cells=(label, text), font=_LABEL) for label, text in about.statements if text)
    yield Line(cells=("How to read", _HOW_TO_READ), font=_LABEL)
    yield Line()
    yield from _list_of_sheets(tables, shown)
    yield from _list_of_references(tables)
    if about.inputs:
        yield Line(cells=("input file", "sha256", "bytes", "source"), heading=True)
        yield from (Line(cells=entry) for entry in about.inputs)
        yield Line()
    if about.settings:
        yield Line(cells=("processing setting", "value"), heading=True)
        yield from (Line(cells=(name, _as_text(value))) for name, value in about.settings.items())
        yield Line()
    yield from _list_of_columns(tables)


def _list_of_sheets(tables: Sequence[PublishedTable], shown: Collection[str]) -> Iterator[Line]:
    yield Line(cells=("sheet", "holds", "records", "", "primary key"), heading=True)
    for published in tables:
        table = published.table
        here = table.name in shown
        note = "" if here else " (too long for a sheet: see the CSV file of this name)"
        cells = (table.name, f"{table.title}: {table.meaning}{note}", len(published.rows), None)
        name = sheet_name(table) if here else ""
        yield Line(cells=(*cells, ", ".join(table.primary_key)), font=_LINK if here else None, sheet=name)
    yield Line()


def _list_of_references(tables: Sequence[PublishedTable]) -> Iterator[Line]:
    """The foreign keys between the tables of this workbook."""
    present = [published.table.name for published in tables]
    keys = [(published.table.name, key) for published in tables for key in published.table.references(present)]
    if not keys:
        return
    yield Line(cells=("sheet", "every value of", "", "", "is found in"), heading=True)
    for name, key in keys:
        target = ", ".join(f"{key.table}.{column}" for column in key.reference_columns)
        yield Line(cells=(name, ", ".join(key.columns), None, None, target))
    yield Line()


def _list_of_columns(tables: Sequence[PublishedTable]) -> Iterator[Line]:
    yield Line(cells=("column", "meaning", "unit", "type", "sheet"), heading=True)
    for published in tables:
        for column in published.table.columns:
            yield Line(cells=(column.name, _meaning(column), column.unit, column.type, published.table.name))


def _meaning(column: Column) -> str:
    return f"{column.meaning} (one of: {', '.join(column.enum)})" if column.enum else column.meaning


def _as_text(value: Any) -> str:
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _fill_readme(sheet: Any, lines: Sequence[Line]) -> None:
    _state_size(sheet, len(_README_WIDTHS), len(lines))
    for letter, width in _README_WIDTHS.items():
        sheet.column_dimensions[letter].width = width
    sheet.sheet_view.showGridLines = False
    _set_for_print(sheet)
    for number, line in enumerate(lines, start=1):
        sheet.row_dimensions[number].height = line.height
        sheet.append([_readme_cell(sheet, line, place) for place in range(len(line.cells))])


def _readme_cell(sheet: Any, line: Line, place: int) -> Any:
    cell = _cell(sheet, line.cells[place])
    cell.alignment = _WRAPPED if place in (1, 4) else _TOP
    if line.heading:
        cell.font, cell.fill = _HEAD, _HEAD_FILL
    elif place == 0 and line.font is not None:
        cell.font = line.font
    if line.fill is not None:
        cell.fill = line.fill
    if place == 0 and line.sheet:
        cell.hyperlink = Hyperlink(ref="", location=f"'{line.sheet}'!A1")
    return cell


# --- tables ------------------------------------------------------------------------------------------------------


def _open_sheet(sheet: Any, published: PublishedTable) -> None:
    """Set up a table's sheet and write the rows above its records."""
    columns = published.table.columns
    _state_size(sheet, len(columns), UNITS_ROW + len(published.rows))
    for number, width in enumerate(_widths(published), start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    sheet.freeze_panes = f"B{UNITS_ROW + 1}"
    last = get_column_letter(len(columns))
    sheet.auto_filter.ref = f"A{UNITS_ROW}:{last}{UNITS_ROW + max(1, len(published.rows))}"
    sheet.print_title_rows = f"1:{UNITS_ROW}"
    _set_for_print(sheet)
    sheet.append([_head_cell(sheet, column) for column in columns])
    sheet.append([_unit_cell(sheet, column) for column in columns])


def _formats(sheet: Any, table: Table) -> list[tuple[int, int]]:
    """For each column the numbers under which the workbook keeps its format: as it is, and for quoted text."""
    formats = []
    for column in table.columns:
        pair = _cell(sheet, None), _quoted(_cell(sheet, None))
        for cell in pair:
            cell.number_format, cell.alignment = _number_format(column), _alignment(column)
        formats.append((pair[0].style_id, pair[1].style_id))
    return formats


def _records(published: PublishedTable, formats: Sequence[tuple[int, int]]) -> bytes:
    """The records as rows of a sheet: Office Open XML (ECMA-376, part 1, 18.3.1.73 and 18.3.1.4)."""
    letters = [get_column_letter(number) for number in range(1, len(formats) + 1)]
    lines = []
    for number, values in enumerate(published.rows, start=UNITS_ROW + 1):
        cells = [
            _cell_xml(f"{letter}{number}", value, pair)
            for letter, value, pair in zip(letters, values, formats, strict=True)
            if value is not None
        ]
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    return "".join(lines).encode("utf-8")


def _cell_xml(at: str, value: Any, formats: tuple[int, int]) -> str:
    """One cell; its text is inert already."""
    if isinstance(value, str):
        space = ' xml:space="preserve"' if value != value.strip() else ""
        text = f"<is><t{space}>{escape(value)}</t></is>"
        return f'<c r="{at}" s="{formats[_is_formula(value)]}" t="inlineStr">{text}</c>'
    if isinstance(value, bool):
        return f'<c r="{at}" s="{formats[0]}" t="b"><v>{int(value)}</v></c>'
    return f'<c r="{at}" s="{formats[0]}" t="n"><v>{_number_text(value)}</v></c>'


def _number_text(value: float | date) -> str:
    """A number or a day, which a spreadsheet counts, as the file states it."""
    number = _UNTYPED_TO_EXCEL(value) if isinstance(value, date) else value
    return str(number) if isinstance(number, int) else f"{number:.16g}"


def _head_cell(sheet: Any, column: Column) -> Any:
    cell = _cell(sheet, column.name)
    cell.font, cell.fill, cell.alignment = _HEAD, _HEAD_FILL, _alignment(column)
    unit = f" [{column.unit}]" if column.unit else ""
    cell.comment = Comment(f"{_meaning(column)}{unit}", "", height=90, width=260)
    return cell


def _unit_cell(sheet: Any, column: Column) -> Any:
    cell = _cell(sheet, column.unit or "-")
    cell.font, cell.fill, cell.alignment = _UNIT, _UNIT_FILL, _alignment(column)
    return cell


def _alignment(column: Column) -> Alignment:
    """Numbers and days to the right, words to the left, kept off the number before them."""
    return _INDENTED if column.type in ("string", "boolean") else _TO_THE_RIGHT


def _number_format(column: Column) -> str:
    if column.type == "date":
        return "yyyy-mm-dd"
    if column.type in ("integer", "year"):
        return "0"
    if column.type == "number" and column.decimals is not None:
        return "0." + "0" * column.decimals if column.decimals else "0"
    return "General"


def _widths(published: PublishedTable) -> list[float]:
    """Width of each column in characters: what its name, unit and first records need, within limits."""
    widths = []
    for place, column in enumerate(published.table.columns):
        texts = [_displayed(column, row[place]) for row in published.rows[:_LOOKED_AT]]
        longest = max(len(text) for text in (column.name, column.unit, *texts))
        widths.append(float(min(_WIDEST, max(_NARROWEST, longest + 3))))
    return widths


def _displayed(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and column.decimals is not None:
        return f"{value:.{column.decimals}f}"
    return str(value)


def _state_size(sheet: Any, columns: int, rows: int) -> None:
    """Have the sheet state its size, which a streamed one does not: readers that stream it in turn need it."""
    sheet.calculate_dimension = lambda: f"A1:{get_column_letter(columns)}{rows}"


def _set_for_print(sheet: Any) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def _cell(sheet: Any, value: Any) -> Any:
    cell = _with_value(WriteOnlyCell(sheet), inert_text(value) if isinstance(value, str) else value)
    return _quoted(cell) if _is_formula(cell.value) else cell


def _is_formula(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(FORMULA_SIGNS)


def _quoted(cell: Any) -> Any:
    """A cell whose text stays text when somebody edits it: a spreadsheet would read it anew, as a formula."""
    cell.quotePrefix = True
    return cell


def _with_value(cell: Any, value: Any) -> Any:
    cell.value = value
    if isinstance(value, str):
        cell.data_type = "s"  # text that begins with = is text, not a formula
    return cell
