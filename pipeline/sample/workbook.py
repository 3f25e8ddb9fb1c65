"""Types a field workbook as a field team does: titles, centimetres, merged cells, mixed dates, bilingual remarks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from pipeline.sample.kuitun_fieldwork import Fieldwork, Stake, WrittenPit, WrittenProbing, WrittenReading
from pipeline.sample.kuitun_terrain import CRS, GLACIER_ID, GLACIER_NAME, LATITUDE, LONGITUDE
from pipeline.timeless_workbook import CoreProperties, workbook_bytes

Typed = str | int | float | date | None
TITLE = "SYNTHETIC sample, not observations: Haxilegen Glacier No. 51 (Kuitun River) / 合成样例数据，非实测"
NOT_MEASURED = "-"
_DAY = date(2012, 1, 1)
_MONTHS = {5: "May", 6: "June", 8: "Aug"}  # spelled here, for strftime follows the locale
_WIDTHS = {"remarks": 46, "date": 13, "installed": 13, "glacier name": 40, "region": 36}
_READING_HEADER = (
    "stake",
    "leg",
    "date",
    "exposed (cm)",
    "stake length (cm)",
    "snow depth (cm)",
    "snow density (kg/m3)",
    "superimposed ice (cm)",
    "tilt (deg)",
    "surface",
    "status",
    "remarks",
)
_PIT_HEADER = ("pit", "date", "stake", "longitude", "latitude", "elevation (m)", "floor", "remarks")
_LAYER_HEADER = ("pit", "No.", "top (cm)", "bottom (cm)", "density (kg/m3)", "kind", "remarks")
_STAKE_HEADER = ("stake", "longitude", "latitude", "elevation (m)", "installed", "remarks")
_PROBING_HEADER = ("probing id", "date", "longitude", "latitude", "elevation (m)", "snow depth (cm)", "remarks")
_GLACIER_HEADER = ("glacier id", "glacier name", "longitude", "latitude", "crs", "region", "remarks")
_README = (
    TITLE,
    "Every number in this workbook was computed by a generator with a fixed seed. Nobody measured any of it.",
    "Position, aspect, altitude range and area are those published; balances are drawn around the known mean.",
    "",
    "exposed: length of stake above the present surface (snow or ice), along the stake, also where it leans (tilt).",
    "snow depth, superimposed ice: above the last summer's surface, the surface met at the previous August visit.",
    "Each late-August visit makes a new summer surface of whatever lies there; below it things change only by melting.",
    "A redrilled stake is a new leg; its first row bears the date of the old leg's last row. Leg empty: 1.",
    "'-' or 'n/a': not measured. Snow depth 0 or empty: no snow.",
    "surface: what lies below this year's snow. Pits reach the last summer's surface, superimposed ice included.",
    "花杆读数单位为厘米，沿花杆量取；雪深自上年夏末面起算。",
)


def write_workbook(path: Path, work: Fieldwork) -> None:
    """Write the workbook; the same fieldwork gives the same bytes.

    Parameters
    ----------
    path : of the ``.xlsx``.
    work : everything the team wrote down.
    """
    book = Workbook()
    first = book.active
    if first is not None:
        book.remove(first)
    _readme(book.create_sheet("README"))
    _glacier(book.create_sheet("glacier"))
    _stakes(book.create_sheet("stakes"), work.stakes)
    _readings(book.create_sheet("readings"), work.readings)
    _pits(book.create_sheet("snow_pits"), work.pits)
    _layers(book.create_sheet("pit_layers"), work.pits)
    _probings(book.create_sheet("probings"), work.probings)
    subject = "SYNTHETIC sample data, not observations"
    path.write_bytes(
        workbook_bytes(
            book,
            CoreProperties(title=TITLE, creator="synthetic sample", day=_DAY, subject=subject, keywords="synthetic"),
        )
    )


def _typed_date(day: date, row: int) -> Typed:
    """How the day was typed: mostly as a date, in some years as text."""
    if day.year == 2003 and row % 2:
        return day.isoformat()
    if day.year == 2004:
        return f"{day.year}.{day.month}.{day.day}"
    if day.year == 2005 and row % 3:
        return f"{day.day} {_MONTHS[day.month]} {day.year}"
    return day


def _cm(value_m: float | None, missing: Typed = NOT_MEASURED) -> Typed:
    """Metres as whole centimetres."""
    return missing if value_m is None else round(value_m * 100)


def _whole(value: float | None, missing: Typed = NOT_MEASURED) -> Typed:
    return missing if value is None else round(value)


def _title(sheet: Worksheet, text: str, columns: int) -> None:
    """A title row over the header, merged across the columns."""
    sheet.append([f"{text}  |  {TITLE}"])
    sheet.merge_cells(start_row=sheet.max_row, end_row=sheet.max_row, start_column=1, end_column=columns)
    sheet.cell(sheet.max_row, 1).font = Font(bold=True)


def _header(sheet: Worksheet, names: Sequence[str]) -> None:
    sheet.append(list(names))
    for column, name in enumerate(names, start=1):
        sheet.cell(sheet.max_row, column).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(column)].width = _WIDTHS.get(name, max(9, len(name) + 2))


def _put(sheet: Worksheet, row: int, values: Iterable[Typed]) -> None:
    """Fill a row; dates are shown as year-month-day."""
    for column, value in enumerate(values, start=1):
        cell = sheet.cell(row, column, value)
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd"


def _append(sheet: Worksheet, values: Iterable[Typed]) -> None:
    """Fill the row below the last one."""
    _put(sheet, sheet.max_row + 1, values)


def _merge_first_column(sheet: Worksheet, first_row: int) -> None:
    """One cell for the name that the last rows share."""
    last = sheet.max_row
    if last > first_row:
        sheet.merge_cells(start_row=first_row, end_row=last, start_column=1, end_column=1)
    sheet[f"A{first_row}"].alignment = Alignment(vertical="top")


def _readme(sheet: Worksheet) -> None:
    for line in _README:
        sheet.append([line])
    sheet.column_dimensions["A"].width = 120


def _glacier(sheet: Worksheet) -> None:
    _title(sheet, "Glacier", len(_GLACIER_HEADER))
    _header(sheet, _GLACIER_HEADER)
    region = "Kuitun River, Tianshan / 天山奎屯河"
    _append(sheet, (GLACIER_ID, GLACIER_NAME, LONGITUDE, LATITUDE, CRS, region, "SYNTHETIC sample / 合成样例"))


def _stakes(sheet: Worksheet, stakes: Iterable[Stake]) -> None:
    _title(sheet, "Stakes set in August 1999 / 花杆", len(_STAKE_HEADER))
    _header(sheet, _STAKE_HEADER)
    for stake in stakes:
        place = (stake.longitude, stake.latitude, round(stake.elevation_m))
        _append(sheet, (int(stake.stake_id), *place, stake.installed, stake.remarks or None))


def _readings(sheet: Worksheet, readings: Iterable[WrittenReading]) -> None:
    """One block a stake: its number in one merged cell over its rows, an empty row after it."""
    _title(sheet, "Stake readings 1999-2011 / 花杆读数", len(_READING_HEADER))
    sheet.append(["lengths in cm, along the stake; '-' or n/a: not measured / 单位：厘米"])
    _header(sheet, _READING_HEADER)
    sheet.freeze_panes = f"D{sheet.max_row + 1}"
    row = sheet.max_row + 1
    for stake_id, visits in groupby(readings, key=lambda reading: reading.stake_id):
        start = row
        for reading in visits:
            _put(sheet, row, _reading_row(reading, int(stake_id) if row == start else None, row))
            row += 1
        _merge_first_column(sheet, start)
        row += 1


def _reading_row(reading: WrittenReading, name: Typed, row: int) -> tuple[Typed, ...]:
    """The cells of one reading."""
    bare = reading.snow_depth_m == 0
    empty_or_zero: Typed = 0 if int(reading.stake_id) % 2 else None
    return (
        name,
        reading.leg if reading.leg > 1 else None,
        _typed_date(reading.date, row),
        _cm(reading.exposed_m, "n/a"),
        _cm(reading.stake_length_m),
        empty_or_zero if bare else _cm(reading.snow_depth_m),
        None if bare else _whole(reading.snow_density_kg_m3),
        empty_or_zero if bare else _cm(reading.superimposed_ice_m),
        _whole(reading.tilt_deg, None),
        reading.surface,
        reading.status if reading.status != "ok" or row % 3 else None,
        reading.remarks or None,
    )


def _pits(sheet: Worksheet, pits: Iterable[WrittenPit]) -> None:
    _title(sheet, "Snow pits / 雪坑", len(_PIT_HEADER))
    _header(sheet, _PIT_HEADER)
    for row, pit in enumerate(pits):
        place = (pit.longitude, pit.latitude, round(pit.elevation_m))
        beside = int(pit.stake_id) if pit.stake_id else NOT_MEASURED
        _append(sheet, (pit.pit_id, _typed_date(pit.date, row), beside, *place, pit.floor, pit.remarks or None))


def _layers(sheet: Worksheet, pits: Iterable[WrittenPit]) -> None:
    _header(sheet, _LAYER_HEADER)
    for pit in pits:
        start = sheet.max_row + 1
        for number, layer in enumerate(pit.layers, start=1):
            remark = "clear ice / 附加冰" if layer.kind == "superimposed_ice" else None
            depths = (_cm(layer.top_m), _cm(layer.bottom_m), _whole(layer.density_kg_m3))
            _append(sheet, (pit.pit_id if number == 1 else None, number, *depths, layer.kind, remark))
        _merge_first_column(sheet, start)


def _probings(sheet: Worksheet, probings: Iterable[WrittenProbing]) -> None:
    _title(sheet, "Snow probings in early summer / 雪深探测", len(_PROBING_HEADER))
    _header(sheet, _PROBING_HEADER)
    for row, probing in enumerate(probings):
        place = (probing.longitude, probing.latitude, round(probing.elevation_m))
        _append(sheet, (probing.probing_id, _typed_date(probing.date, row), *place, _cm(probing.snow_depth_m), None))
