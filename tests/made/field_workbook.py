"""A small field workbook that tests change cell by cell."""

from __future__ import annotations

import copy
import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl

from pipeline.timeless_workbook import CoreProperties, workbook_bytes

Sheets = dict[str, list[list[Any]]]

SHEETS: Sheets = {
    "glacier": [
        ["glacier_id", "glacier name", "longitude", "latitude", "crs"],
        ["T1", "Test glacier", 87.006, 43.344, "EPSG:32645"],
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


def write_folder(path: Path, tables: Sheets, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    """Write the sheets as a folder of CSV files."""
    path.mkdir()
    for name, rows in tables.items():
        with (path / f"{name}.csv").open("w", encoding=encoding, newline="") as stream:
            writer = csv.writer(stream, delimiter=delimiter)
            writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return path


def write_legacy_workbook(path: Path, tables: Sheets, finish: Callable[[Any], None] = lambda book: None) -> Path:
    """Write the sheets as .xls, dates as dates; ``finish`` gets the ``xlwt`` workbook."""
    import xlwt  # a test dependency of this one function

    book = xlwt.Workbook()
    day = xlwt.easyxf(num_format_str="yyyy-mm-dd")
    for name, rows in tables.items():
        sheet = book.add_sheet(name)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if isinstance(cell, date | datetime):
                    sheet.write(row, column, cell, day)
                elif cell is not None:
                    sheet.write(row, column, cell)
    finish(book)
    book.save(str(path))
    return path


# --- a network as large as they come ------------------------------------------------------------------------------

FIRST_YEAR = 1980
_LENGTH_M, _WIDTH_M = 24_000.0, 3_000.0
_LOWEST_M, _SLOPE = 3_200.0, 0.07
_BAND_M = 100.0
_STAKE_LENGTH_M, _DRILLED_M = 10.0, 4.0
_ELA_M = 4_150.0
_BIG_READINGS = (
    *("stake_id", "leg", "date", "exposed_m", "stake_length_m", "snow_depth_m", "snow_density_kg_m3"),
    *("surface", "status"),
)


def write_big_workbook(path: Path, stakes: int, years: int, seed: int) -> Path:
    """Write a network of ``stakes`` read in June and September of each of ``years`` years; the same bytes each time.

    A straight glacier 24 km long and 3 km wide; its balance rises by 0.25 m w.e. for each 100 m below 4150 m and by 0.1
    above, with a year's and a stake's own deviation. A stake of which too much or too little stands out of the surface
    is drilled anew and starts another leg on the same day.
    """
    rng = np.random.default_rng(seed)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    along_m = np.sort(rng.uniform(0.02, 0.98, stakes)) * _LENGTH_M
    across_m = rng.uniform(-0.4, 0.4, stakes) * _WIDTH_M
    elevation_m = _LOWEST_M + _SLOPE * along_m
    places = enumerate(zip(across_m, along_m, elevation_m, strict=True))
    tables: Sheets = {
        "glacier": [
            ["glacier_id", "glacier_name", "longitude", "latitude", "crs"],
            ["BIG-1", "Large synthetic glacier", 87.0, 43.4, "EPSG:32645"],
        ],
        "stakes": [
            ["stake_id", "easting", "northing", "elevation_m", "installed"],
            *(
                [f"S{n:03d}", round(500_000 + x, 1), round(4_795_000 + y, 1), round(z, 1), date(FIRST_YEAR, 9, 25)]
                for n, (x, y, z) in places
            ),
        ],
        "hypsometry": [["year", "lower_m", "upper_m", "area_km2"], *_big_bands(years)],
    }
    for name, rows in tables.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    sheet = book.create_sheet("readings")
    sheet.append(list(_BIG_READINGS))
    for number in range(stakes):
        for row in _stake_history(f"S{number:03d}", elevation_m[number], years, rng):
            sheet.append(row)
    properties = CoreProperties(
        title="Large synthetic network",
        creator="synthetic",
        day=date(1980, 1, 1),
        subject="SYNTHETIC, not observations",
    )
    path.write_bytes(workbook_bytes(book, properties))
    return path


def _big_bands(years: int) -> Iterator[list[Any]]:
    count = round(_LENGTH_M * _SLOPE / _BAND_M + 0.5)
    for year in range(FIRST_YEAR + 1, FIRST_YEAR + years + 1):
        for band in range(count):
            lower = _LOWEST_M + band * _BAND_M
            share = min(1.0, (_LENGTH_M * _SLOPE - band * _BAND_M) / _BAND_M)
            yield [year, lower, lower + _BAND_M, round(share * _BAND_M / _SLOPE * _WIDTH_M / 1e6, 4)]


def _stake_history(stake: str, elevation_m: float, years: int, rng: np.random.Generator) -> Iterator[list[Any]]:
    """The rows of one stake: September of the first year, then June and September of each year after it."""
    leg, exposed = 1, _DRILLED_M
    yield [stake, leg, date(FIRST_YEAR, 9, 25), exposed, _STAKE_LENGTH_M, None, None, "ice", "ok"]
    own = rng.normal(0.0, 0.15)
    for year in range(FIRST_YEAR + 1, FIRST_YEAR + years + 1):
        above_m = elevation_m - _ELA_M
        balance = (0.001 if above_m > 0 else 0.0025) * above_m + own + 0.3 * np.sin(year) + rng.normal(0.0, 0.1)
        surface = "ice" if balance < 0 else "firn"
        winter = round(float(rng.uniform(0.6, 1.4)), 2)
        spring = round(exposed - winter, 3)
        if spring > 0:
            yield [stake, leg, date(year, 6, 1), spring, _STAKE_LENGTH_M, winter, 380, surface, "ok"]
        snow = round(float(balance) / 0.45, 2) if balance > 0 else None
        change = -snow if snow is not None else -float(balance) / 0.9
        exposed = round(exposed + change, 3)
        day = date(year, 9, 25)
        if 0 < exposed < _STAKE_LENGTH_M:
            density = None if snow is None else 450
            yield [stake, leg, day, exposed, _STAKE_LENGTH_M, snow, density, surface, "ok"]
        else:
            yield [stake, leg, day, None, _STAKE_LENGTH_M, None, None, surface, "lost"]
        if not 2.6 <= exposed <= 7.0:
            leg, exposed = leg + 1, _DRILLED_M
            yield [stake, leg, day, exposed, _STAKE_LENGTH_M, None, None, surface, "ok"]
