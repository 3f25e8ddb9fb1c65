"""An empty field workbook: one sheet a table, with units, meanings and drop-down lists."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.mass_balance.fieldwork import FIRST_YEAR, LAST_YEAR
from pipeline.timeless_workbook import CoreProperties, workbook_bytes
from schemas.fields import Column, Table
from schemas.tables import WORKBOOK_SHEETS

EXAMPLE_SHEET = "example"
READ_ME_SHEET = "read me"
# drop-down lists and bounds reach down to here: a large network, read twice a year for decades
LAST_ROW = 50_000
_DATE_FORMAT = "yyyy-mm-dd"
_REQUIRED = PatternFill("solid", fgColor="F4C7A1")
_OPTIONAL = PatternFill("solid", fgColor="D9E5EE")
_READ_ME = (
    "How to fill in this workbook",
    "One sheet a table. The first row names the columns with their units; rest the pointer on a name for its meaning.",
    "Orange columns must be filled in every row, blue ones where the value is known. Leave unknown cells empty.",
    "Needed are 'glacier', and either 'stakes' with 'readings', or 'snow_pits' with 'pit_layers', or",
    "'point_balances' or 'zone_balances': balances that are known already.",
    "Remove the sheets that you do not need. The sheets 'read me' and 'example' are not read.",
    "Dates are days: 2004-08-26. A stake that is drilled anew keeps its number and gets the next leg.",
    "One unit a column. If you measure in another, say so in the header: 'exposed (cm)', 'density (g cm-3)'.",
    "A position is longitude and latitude in degrees, or easting and northing in metres of the CRS in 'glacier'.",
    "One glacier: leave the columns 'glacier_id' of the other sheets empty. Several: a row each in 'glacier', and the",
    "'glacier_id' of every stake, probing and band; readings and pits need it where two glaciers have the same number.",
    "To check the workbook: glacier-archive balance WORKBOOK --out FOLDER --marked-copy CHECKED.xlsx",
)
# one row a table, of an invented glacier
_EXAMPLES: dict[str, dict[str, Any]] = {
    "glacier": {
        "glacier_id": "EXAMPLE-1",
        "glacier_name": "Example Glacier",
        "longitude": 84.391,
        "latitude": 43.731,
        "crs": "EPSG:32645",
        "region": "Example Range",
    },
    "stakes": {
        "stake_id": "A1",
        "longitude": 84.3921,
        "latitude": 43.7324,
        "elevation_m": 3620,
        "installed": date(1999, 8, 20),
    },
    "readings": {
        "stake_id": "A1",
        "leg": 1,
        "date": date(2000, 8, 25),
        "exposed_m": 1.35,
        "stake_length_m": 4,
        "snow_depth_m": 0,
        "surface": "ice",
        "status": "ok",
    },
    "snow_pits": {
        "pit_id": "P1",
        "date": date(2000, 8, 25),
        "stake_id": "A1",
        "longitude": 84.3921,
        "latitude": 43.7324,
        "elevation_m": 3620,
        "floor": "summer_surface",
    },
    "pit_layers": {"pit_id": "P1", "layer": 1, "top_m": 0, "bottom_m": 0.4, "density_kg_m3": 380, "kind": "snow"},
    "probings": {
        "probing_id": "S1",
        "date": date(2000, 8, 25),
        "longitude": 84.3930,
        "latitude": 43.7330,
        "elevation_m": 3650,
        "snow_depth_m": 0.35,
    },
    "hypsometry": {"year": 2000, "lower_m": 3600, "upper_m": 3650, "area_km2": 0.12},
    "zone_balances": {
        "year": 2000,
        "begin_date": date(1999, 9, 1),
        "end_date": date(2000, 8, 31),
        "lower_m": 3600,
        "upper_m": 3650,
        "area_km2": 0.12,
        "winter_balance_m_we": 0.25,
        "summer_balance_m_we": -0.9,
        "annual_balance_m_we": -0.65,
    },
    "point_balances": {
        "point_id": "A1",
        "year": 2000,
        "period": "annual",
        "begin_date": date(1999, 8, 30),
        "end_date": date(2000, 8, 28),
        "longitude": 84.3921,
        "latitude": 43.7324,
        "elevation_m": 3620,
        "balance_m_we": -0.84,
        "sigma_balance_m_we": 0.06,
    },
}


def workbook_template(path: Path) -> None:
    """Write the empty workbook; the same bytes each time."""
    book = Workbook()
    _fill_read_me(book.worksheets[0])
    for table in WORKBOOK_SHEETS:
        _fill_sheet(book.create_sheet(table.name), table)
    _fill_example(book.create_sheet(EXAMPLE_SHEET))
    path.write_bytes(
        workbook_bytes(book, CoreProperties(title="Field workbook", creator="glacier-archive", day=date(1980, 1, 1)))
    )


def header_of(column: Column) -> str:
    """Name of the column with its unit; a unit that the name carries is not said twice."""
    carried = column.unit in ("", "1") or column.name.endswith(("_m", "_km2", "_kg_m3", "_deg", "_m_we"))
    return column.name if carried else f"{column.name} ({column.unit})"


def example_row(table: Table) -> tuple[Any, ...]:
    """A row of an invented glacier, in the order of the columns."""
    return tuple(_EXAMPLES[table.name].get(column.name) for column in table.columns)


def _fill_read_me(sheet: Worksheet) -> None:
    sheet.title = READ_ME_SHEET
    for row, line in enumerate(_READ_ME, start=1):
        sheet.cell(row, 1, line)
    sheet["A1"].font = Font(bold=True, size=14)
    for row, table in enumerate(WORKBOOK_SHEETS, start=len(_READ_ME) + 2):
        sheet.cell(row, 1, f"{table.name}: {table.meaning}")
    sheet.column_dimensions["A"].width = 120


def _fill_sheet(sheet: Worksheet, table: Table) -> None:
    _fill_header(sheet, 1, table)
    for number, column in enumerate(table.columns, start=1):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = max(12, len(header_of(column)) + 2)
        if rule := _list_of_names(column, table) or _rule_of(column):
            rule.add(f"{letter}2:{letter}{LAST_ROW}")
            sheet.add_data_validation(rule)
        if column.type == "date":
            sheet.column_dimensions[letter].number_format = _DATE_FORMAT
    sheet.freeze_panes = "A2"


def _fill_header(sheet: Worksheet, row: int, table: Table) -> None:
    for number, column in enumerate(table.columns, start=1):
        cell = sheet.cell(row, number, header_of(column))
        cell.font = Font(bold=True)
        cell.fill = _REQUIRED if column.required else _OPTIONAL
        cell.comment = Comment(_meaning(column), "", height=110, width=280)


def _meaning(column: Column) -> str:
    lines = [column.meaning, "must be filled in" if column.required else "may stay empty"]
    if column.unit:
        lines.append(f"unit: {column.unit}")
    if column.enum:
        lines.append(f"one of: {', '.join(column.enum)}")
    if column.minimum is not None or column.maximum is not None:
        bounds = [("from", column.minimum), ("to", column.maximum)]
        lines.append(" ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None))
    return "\n".join(lines)


def _list_of_names(column: Column, table: Table) -> DataValidation | None:
    """The names of another sheet, for a column that points at it; another name is warned of, for it may come later."""
    for key in table.foreign_keys:
        if key.columns == (column.name,):
            target = next(other for other in WORKBOOK_SHEETS if other.name == key.table)
            letter = get_column_letter(target.column_names.index(key.reference_columns[0]) + 1)
            names = f"{target.name}!${letter}$2:${letter}${LAST_ROW}"
            rule = DataValidation(type="list", formula1=names, allow_blank=True, errorStyle="warning")
            rule.error, rule.showErrorMessage = f"not yet in the sheet '{target.name}'", True
            return rule
    return None


def _rule_of(column: Column) -> DataValidation | None:
    """What the spreadsheet program accepts in the column: a list, a date, a year, or a number within the bounds."""
    if column.enum:
        rule = DataValidation(type="list", formula1=f'"{",".join(column.enum)}"', allow_blank=True)
    elif column.type == "date":
        rule = DataValidation(type="date", operator="greaterThan", formula1="1", allow_blank=True)
    elif column.type == "year":
        first, last = str(FIRST_YEAR), str(LAST_YEAR)
        rule = DataValidation(type="whole", operator="between", formula1=first, formula2=last, allow_blank=True)
    elif column.type in ("number", "integer") and (column.minimum is not None or column.maximum is not None):
        kind: Literal["whole", "decimal"] = "whole" if column.type == "integer" else "decimal"
        low = -1e9 if column.minimum is None else column.minimum
        high = 1e9 if column.maximum is None else column.maximum
        rule = DataValidation(
            type=kind, operator="between", formula1=f"{low:g}", formula2=f"{high:g}", allow_blank=True
        )
    else:
        return None
    rule.error, rule.errorTitle, rule.showErrorMessage = _meaning(column)[:250], column.name[:30], True
    return rule


def _fill_example(sheet: Worksheet) -> None:
    sheet["A1"] = "An invented glacier, to show the form; this sheet is not read. Type your data into the other sheets."
    sheet["A1"].font = Font(bold=True)
    for number, table in enumerate(WORKBOOK_SHEETS):
        row = 3 + number * 4
        sheet.cell(row, 1, table.name).font = Font(bold=True, italic=True)
        _fill_header(sheet, row + 1, table)
        for column, value in enumerate(example_row(table), start=1):
            cell = sheet.cell(row + 2, column, value)
            if isinstance(value, date):
                cell.number_format = _DATE_FORMAT
    for number in range(1, 14):
        sheet.column_dimensions[get_column_letter(number)].width = 22
