"""A small field workbook that tests change cell by cell."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

Sheets = dict[str, list[list[Any]]]

SHEETS: Sheets = {
    "glacier": [
        ["glacier_id", "glacier name", "longitude", "latitude", "crs"],
        ["T1", "Test glacier", 84.391, 43.731, "EPSG:32645"],
    ],
    "stakes": [
        ["Stakes of the test glacier", None, None, None],
        ["stake", "easting (m)", "northing (m)", "elevation (m)"],
        [1, 500_300, 4_798_800, 3480],
        [2, 500_600, 4_799_100, 3620],
        [3, 500_700, 4_799_300, 3740],
        [4, 500_500, 4_799_500, 3860],
    ],
    "readings": [
        [
            "stake",
            "leg",
            "date",
            "exposed (cm)",
            "stake length (cm)",
            "snow depth (cm)",
            "snow density (kg/m3)",
            "status",
        ],
        [1, 1, date(2003, 8, 27), 50, 400, None, None, None],
        [1, 1, "2004.8.26", 230, 400, None, None, "ok"],
        [None, None, None, None, None, None, None, None],
        [2, None, "27 Aug 2003", 60, None, "-", None, None],
        [2, None, "2004/8/26", 150, None, "n/a", None, None],
        [3, 1, "2003-08-27", 70, None, None, None, None],
        [3, 1, "2004-08-26", 90, None, None, None, None],
        [4, 1, "2003-08-27", 150, None, None, None, None],
        [4, 1, "2004-08-26", 60, None, 90, 420, None],
    ],
    "snow_pits": [
        ["pit", "date", "stake", "elevation_m", "floor"],
        ["P1", date(2004, 8, 26), 4, 3861, "summer surface"],
    ],
    "pit_layers": [
        ["pit", "No.", "top (cm)", "bottom (cm)", "density (kg/m3)", "kind"],
        ["P1", 1, 0, 30, 380, "snow"],
        ["P1", 2, 30, 90, 440, "firn"],
    ],
    "hypsometry": [
        ["year", "lower_m", "upper_m", "area (km2)"],
        [2004, 3400, 3500, 0.2],
        [2004, 3500, 3600, 0.3],
        [2004, 3600, 3700, 0.4],
        [2004, 3700, 3800, 0.3],
        [2004, 3800, 3900, 0.2],
    ],
}


def sheets() -> Sheets:
    """A copy to change."""
    return copy.deepcopy(SHEETS)


def write_workbook(path: Path, tables: Sheets, finish: Callable[[openpyxl.Workbook], None] = lambda book: None) -> Path:
    """Write the sheets as .xlsx; ``finish`` may merge cells or the like."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    finish(book)
    book.save(path)
    return path


def write_folder(path: Path, tables: Sheets) -> Path:
    """Write the sheets as a folder of CSV files."""
    path.mkdir()
    for name, rows in tables.items():
        with (path / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(["" if cell is None else cell for cell in row] for row in rows)
    return path
