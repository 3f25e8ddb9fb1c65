"""Layouts of field sheets beyond our own: headers, dates, brackets and axes as teams have them."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.mass_balance.fieldwork.read import FieldData, read_field_data
from schemas.errors import BadInput
from tests.made.field_workbook import Sheets, sheets, write_folder, write_workbook


def used(data: FieldData) -> list[tuple[str, str, str]]:
    return [(one.cell, one.found, one.used) for one in data.corrections]


def with_header(name: str, column: int, header: str, row: int = 0) -> Sheets:
    tables = sheets()
    tables[name][row][column] = header
    return tables


@pytest.mark.parametrize(
    ("sheet", "column", "header", "note"),
    [
        ("glacier", 2, "longitude (E)", ("C1", "(E)", "no unit; in degree")),
        ("glacier", 3, "Latitude [°N]", ("D1", "(°N)", "no unit; in degree")),
        ("glacier", 2, "经度（东经）", ("C1", "(东经)", "no unit; in degree")),
        ("hypsometry", 3, "area (km^2)", ("D1", "(km^2)", "read as km2")),
        ("hypsometry", 3, "Area [km**2]", ("D1", "(km**2)", "read as km2")),
        ("hypsometry", 1, "lower (WGS 84)", ("B1", "(WGS 84)", "no unit; in m")),
        ("hypsometry", 2, "upper_m (from DEM)", ("C1", "(from DEM)", "no unit; in m")),
    ],
)
def test_brackets_that_are_no_unit_are_noted(tmp_path, sheet, column, header, note) -> None:
    data = read_field_data(write_folder(tmp_path / "field", with_header(sheet, column, header)))
    assert data.glacier.longitude == 87.006
    assert data.hypsometry["area_km2"].tolist() == [0.2, 0.3, 0.4, 0.3, 0.2]
    assert note in used(data)


@pytest.mark.parametrize(
    ("sheet", "column", "header", "unit"),
    [
        ("hypsometry", 3, "area (acres)", "acres"),
        ("hypsometry", 3, "area (m)", "m"),
        ("hypsometry", 3, "area (kq)", "kq"),
        ("glacier", 2, "longitude (W)", "w"),
        ("glacier", 3, "latitude (E)", "e"),
        ("readings", 3, "exposed (in)", "in"),
    ],
)
def test_brackets_that_may_be_another_unit_are_refused(tmp_path, sheet, column, header, unit) -> None:
    with pytest.raises(BadInput, match=f"found unit '{unit}'"):
        read_field_data(write_folder(tmp_path / "field", with_header(sheet, column, header)))


def three_columns(names: tuple[str, str, str], typed) -> Sheets:
    """The readings with the date in three columns, of each day as ``typed`` makes it."""
    tables = sheets()
    header, *rows = tables["readings"]
    days = {"A": date(2003, 8, 27), "B": date(2004, 8, 26)}
    visits = [row for row in rows if any(cell is not None for cell in row)]
    out = [[*header[:2], *names, *header[3:]]]
    for number, row in enumerate(visits):
        day = days["AB"[number % 2]]
        out.append([*row[:2], *typed(day), *row[3:]])
    tables["readings"] = out
    return tables


@pytest.mark.parametrize(
    ("names", "typed"),
    [
        (("day", "month", "year"), lambda day: (day.day, day.month, day.year)),
        (("Year", "Month", "Day"), lambda day: (day.year, day.month, day.day)),
        (("年", "月", "日"), lambda day: (day.year, day.month, day.day)),
        (("day", "month", "year"), lambda day: (float(day.day), f"{day:%b}", float(day.year))),
    ],
)
@pytest.mark.parametrize("write", [write_folder, write_workbook])
def test_a_date_in_three_columns_is_one_date(tmp_path, names, typed, write) -> None:
    data = read_field_data(write(tmp_path / "field.xlsx", three_columns(names, typed)))
    assert data.readings["date"].tolist() == [date(2003, 8, 27), date(2004, 8, 26)] * 4
    assert any(found.startswith("a date in three columns") for _, found, _ in used(data))


def test_a_date_in_three_columns_that_no_calendar_has_is_refused_at_its_day(tmp_path) -> None:
    tables = three_columns(("day", "month", "year"), lambda day: (31, 9, day.year))
    with pytest.raises(BadInput, match=r"cell C2: found '2003-9-31'"):
        read_field_data(write_folder(tmp_path / "field", tables))


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("37889", date(2003, 9, 25)),
        ("37889.75", date(2003, 9, 25)),
        ("38250", date(2004, 9, 20)),
        ("25-Sep-03", date(2003, 9, 25)),
        ("25 Sep '98", date(1998, 9, 25)),
        ("20030999", date(2003, 9, 15)),
    ],
)
def test_dates_of_other_programs_are_read_and_noted(tmp_path, typed, read) -> None:
    tables = sheets()
    tables["readings"] = [tables["readings"][0], [1, 1, typed, 50, 400, None, None, None]]
    tables["readings"].append([1, 1, "2005-09-01", 230, 400, None, None, None])
    data = read_field_data(write_folder(tmp_path / "field", tables))
    assert data.readings["date"].tolist() == [read, date(2005, 9, 1)]
    assert ("C2", typed, read.isoformat()) in used(data)


@pytest.mark.parametrize(("typed", "said"), [("20039999", "write the day"), ("00042", ""), ("99999", "")])
def test_dates_that_say_too_little_are_refused(tmp_path, typed, said) -> None:
    tables = sheets()
    tables["readings"][1][2] = typed
    with pytest.raises(BadInput, match=f"cell C2: found '{typed}'.*{said}"):
        read_field_data(write_folder(tmp_path / "field", tables))


def test_chinese_headers_of_the_field(tmp_path) -> None:
    tables = sheets()
    tables["stakes"][1] = ["编号", "X坐标", "Y坐标", "海拔"]
    tables["readings"][0][:4] = ["杆号", "段号", "测量日期", "读数 (cm)"]
    data = read_field_data(write_folder(tmp_path / "field", tables))
    assert data.stakes["stake_id"].tolist() == ["1", "2", "3", "4"]
    assert data.stakes["easting"].tolist()[0] == 500_300
    assert data.readings["exposed_m"].tolist()[:2] == [0.5, 2.3]


def test_headers_of_the_exchange_formats(tmp_path) -> None:
    tables = sheets()
    tables["hypsometry"][0] = ["YEAR", "LOWER_BOUND", "UPPER_BOUND", "AREA"]
    tables["stakes"] = [["POINT_ID", "POINT_LAT", "POINT_LON", "POINT_ELEVATION"], ["1", 43.34, 87.003, 3480]]
    tables["readings"] = [["ID", "Survey date", "stake height (m)"], ["1", "2003-08-27", 1], ["1", "2004-08-26", 2]]
    del tables["snow_pits"], tables["pit_layers"]
    data = read_field_data(write_folder(tmp_path / "field", tables))
    assert data.stakes[["longitude", "latitude", "elevation_m"]].iloc[0].tolist() == [87.003, 43.34, 3480]
    assert data.hypsometry["lower_m"].tolist() == [3400, 3500, 3600, 3700, 3800]
    assert data.readings["exposed_m"].tolist() == [1, 2]


def test_a_vague_header_gives_way_to_a_plain_one(tmp_path) -> None:
    tables = sheets()
    tables["readings"] = [
        [("id"), *tables["readings"][0]],
        *([number, *row] for number, row in enumerate(tables["readings"][1:])),
    ]
    data = read_field_data(write_folder(tmp_path / "field", tables))
    assert data.readings["stake_id"].tolist() == ["1", "1", "2", "2", "3", "3", "4", "4"]
    assert ("A1", "column 'id'", "left out: no such column in the table") in used(data)


def test_axes_of_a_chinese_survey_are_turned_where_the_positions_show_it(tmp_path) -> None:
    tables = sheets()
    title, _, *rows = tables["stakes"]
    tables["stakes"] = [title, ["花杆号", "X坐标", "Y坐标", "海拔"], *([a, c, b, d] for a, b, c, d in rows)]
    data = read_field_data(write_folder(tmp_path / "field", tables))
    assert data.stakes["easting"].tolist() == [500_300, 500_600, 500_700, 500_500]
    assert data.stakes["northing"].tolist() == [4_798_800, 4_799_100, 4_799_300, 4_799_500]
    assert ("B3", "X and Y", "X taken as northing, Y as easting") in used(data)


def test_a_header_row_that_comes_again_is_left_out(tmp_path) -> None:
    tables = sheets()
    tables["readings"].insert(4, list(tables["readings"][0]))
    data = read_field_data(write_folder(tmp_path / "field", tables))
    assert len(data.readings) == 8
    assert ("A5", "the header row once more", "left out") in used(data)
