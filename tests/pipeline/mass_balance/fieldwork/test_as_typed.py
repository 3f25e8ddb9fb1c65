"""One small survey in the many forms in which teams type it: every form gives the same readings of the same stakes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.mass_balance.fieldwork.read import FieldData, read_field_data
from schemas.errors import BadInput
from tests.made.field_workbook import Sheets, write_folder, write_legacy_workbook, write_workbook

PLACES = {"A1": (500_300, 4_798_800, 3480), "A2": (500_600, 4_799_100, 3620), "A3": (500_700, 4_799_300, 3740)}
DAYS = (date(2003, 9, 5), date(2004, 9, 16))
EXPOSED_CM = {"A1": (120, 305), "A2": (90, 210), "A3": (110, 155)}
EXPECTED = {(stake, day, cm / 100) for stake, own in EXPOSED_CM.items() for day, cm in zip(DAYS, own, strict=True)}

Form = Callable[[Path], Path]
FORMS: dict[str, Form] = {}


def form(function: Form) -> Form:
    FORMS[function.__name__] = function
    return function


def glacier(name: str = "glacier") -> Sheets:
    return {
        name: [
            ["glacier_id", "glacier_name", "longitude", "latitude", "crs"],
            ["T1", "T", 87.006, 43.344, "EPSG:32645"],
        ]
    }


def places(*header: str) -> list[list[Any]]:
    return [list(header), *([stake, *place] for stake, place in PLACES.items())]


def readings(*header: str, day=lambda day: day, length=lambda cm: cm) -> list[list[Any]]:
    rows = [(stake, at, cm) for stake, own in EXPOSED_CM.items() for at, cm in zip(DAYS, own, strict=True)]
    return [list(header), *([stake, day(at), length(cm)] for stake, at, cm in rows)]


def one_sheet(*blocks: list[list[Any]]) -> list[list[Any]]:
    """Blocks below each other with an empty row between."""
    return [row for block in blocks for row in (*block, [])]


STAKES = ("stake", "easting", "northing", "elevation")


@form
def norwegian_workbook(path: Path) -> Path:
    sheets = glacier("Bre") | {"Staker": places("Stake nr", "Øst", "Nord", "Høyde (moh)")}
    sheets["Avlesninger"] = readings("Stake", "Dato", "Lengde over snø (cm)", day=lambda d: f"{d:%d.%m.%Y}")
    return write_workbook(path / "a.xlsx", sheets)


@form
def norwegian_folder_of_an_old_windows(path: Path) -> Path:
    sheets = glacier("Bre") | {"Staker": places("Stake", "Øst (m)", "Nord (m)", "Høyde (m o.h.)")}
    comma = lambda cm: f"{cm / 100:.2f}".replace(".", ",")  # noqa: E731 - one expression
    sheets["Avlesninger"] = readings("Stake", "Måledato", "Stakelengde (m)", length=comma)
    return write_folder(path / "a", sheets, encoding="cp1252", delimiter=";")


@form
def swiss_workbook(path: Path) -> Path:
    sheets = glacier("Gletscher") | {"Pegel": places("Pegel-Nr.", "Rechtswert", "Hochwert", "Höhe (m ü. M.)")}
    sheets["Ablesungen"] = readings("Pegel", "Messdatum", "Ablesung (cm)", day=lambda d: f"{d.day}.{d.month}.{d.year}")
    return write_workbook(path / "a.xlsx", sheets)


@form
def french_workbook(path: Path) -> Path:
    sheets = glacier() | {"Balises": places("Balise", "Coordonnée X", "Coordonnée Y", "Altitude")}
    sheets["Lectures"] = readings("Balise", "Date", "Émergence (cm)", day=lambda d: f"{d:%d/%m/%Y}")
    return write_workbook(path / "a.xlsx", sheets)


@form
def chinese_workbook(path: Path) -> Path:
    sheets = glacier("冰川") | {"花杆坐标": places("编号", "X坐标（GPS）", "Y坐标（GPS）", "海拔（米）")}
    sheets["花杆记录"] = readings("杆号", "测量日期", "读数（厘米）", day=lambda d: f"{d.year}年{d.month}月{d.day}日")
    return write_workbook(path / "a.xlsx", sheets)


@form
def chinese_folder_of_windows(path: Path) -> Path:
    sheets = glacier("冰川") | {"花杆": places("杆号", "东坐标", "北坐标", "高程")}
    sheets["花杆读数"] = readings("杆号", "日期", "出露高度（厘米）", day=lambda d: f"{d.year}.{d.month}.{d.day}")
    return write_folder(path / "a", sheets, encoding="gbk")


@form
def chinese_workbook_of_the_nineties(path: Path) -> Path:
    sheets = glacier("冰川") | {"测杆": places("测杆号", "横坐标", "纵坐标", "海拔高度")}
    sheets["测杆读数"] = readings("测杆编号", "观测日期", "测杆读数(cm)")
    return write_legacy_workbook(path / "a.xls", sheets)


@form
def full_width_figures(path: Path) -> Path:
    sheets = glacier() | {"花杆": places("花杆号", "东坐标", "北坐标", "海拔")}
    wide = str.maketrans("0123456789.-", "０１２３４５６７８９．－")
    sheets["花杆读数"] = readings(
        "花杆号",
        "日期",
        "读数（ｃｍ）",
        day=lambda d: str(d).translate(wide),
        length=lambda cm: str(cm).translate(wide),
    )
    return write_workbook(path / "a.xlsx", sheets)


@form
def columns_of_the_wgms(path: Path) -> Path:
    sheets = glacier() | {"stakes": places("POINT_ID", "UTM_X", "UTM_Y", "POINT_ELEVATION")}
    sheets["readings"] = readings("POINT_ID", "SURVEY_DATE", "stake height (cm)", day=lambda d: f"{d:%Y%m%d}")
    return write_folder(path / "a", sheets)


@form
def tabs_and_two_bytes_a_letter(path: Path) -> Path:
    sheets = glacier() | {"stakes": places(*STAKES), "readings": readings("stake", "date", "exposed (cm)")}
    return write_folder(path / "a", sheets, encoding="utf-16", delimiter="\t")


@form
def month_as_a_word_and_two_figures_of_the_year(path: Path) -> Path:
    sheets = glacier() | {"stakes": places(*STAKES)}
    sheets["readings"] = readings("stake", "date", "exposed (cm)", day=lambda d: f"{d.day}-{d:%b-%y}")
    return write_folder(path / "a", sheets)


@form
def serial_numbers_in_a_workbook(path: Path) -> Path:
    sheets = glacier() | {"stakes": places(*STAKES)}
    sheets["readings"] = readings("stake", "date", "exposed (cm)", day=lambda d: (d - date(1899, 12, 30)).days)
    return write_workbook(path / "a.xlsx", sheets)


@form
def serial_numbers_in_a_folder(path: Path) -> Path:
    sheets = glacier() | {"stakes": places(*STAKES)}
    sheets["readings"] = readings("stake", "date", "exposed (cm)", day=lambda d: (d - date(1899, 12, 30)).days + 0.5)
    return write_folder(path / "a", sheets)


@form
def day_month_and_year_apart(path: Path) -> Path:
    rows = [[stake, day.day, day.month, day.year, cm] for stake, day, cm in readings()[1:]]
    header = ["杆号", "日", "月", "年", "读数 (cm)"]
    return write_workbook(path / "a.xlsx", glacier() | {"stakes": places(*STAKES), "readings": [header, *rows]})


@form
def header_again_on_every_page_with_its_units(path: Path) -> Path:
    header, *rows = readings("stake", "date", "exposed")
    units = ["-", "-", "cm"]
    paged = [header, units, *rows[:3], [], header, units, *rows[3:]]
    return write_workbook(path / "a.xlsx", glacier() | {"stakes": places(*STAKES), "readings": paged})


@form
def merged_names_of_stakes(path: Path) -> Path:
    header, *rows = readings("stake", "date", "exposed (cm)")
    for row in rows[1::2]:
        row[0] = None
    sheets = glacier() | {"stakes": places(*STAKES), "readings": [header, *rows]}

    def merge(book) -> None:
        for first in (2, 4, 6):
            book["readings"].merge_cells(f"A{first}:A{first + 1}")

    return write_workbook(path / "a.xlsx", sheets, merge)


def a_date_a_column(head=lambda day: day, unit: str = "(cm)") -> list[list[Any]]:
    title = ["杆号", *map(head, DAYS)]
    return [[f"花杆读数 {unit}"], title, *([stake, *own] for stake, own in EXPOSED_CM.items())]


@form
def a_date_a_column_of_a_workbook(path: Path) -> Path:
    return write_workbook(path / "a.xlsx", glacier() | {"stakes": places(*STAKES), "readings": a_date_a_column()})


@form
def a_date_a_column_of_a_folder(path: Path) -> Path:
    table = a_date_a_column(lambda d: f"{d.year}年{d.month}月{d.day}日")
    return write_folder(path / "a", glacier() | {"stakes": places(*STAKES), "readings": table})


@form
def a_date_a_column_of_an_old_workbook(path: Path) -> Path:
    return write_legacy_workbook(path / "a.xls", glacier() | {"stakes": places(*STAKES), "readings": a_date_a_column()})


@form
def two_columns_below_each_date(path: Path) -> Path:
    first = ["Stake", DAYS[0], None, DAYS[1], None]
    second = [None, "exposed (cm)", "snow depth (cm)", "exposed (cm)", "snow depth (cm)"]
    rows = [[stake, own[0], 0, own[1], 0] for stake, own in EXPOSED_CM.items()]
    sheets = glacier() | {"stakes": places(*STAKES), "readings": [first, second, *rows]}
    return write_workbook(path / "a.xlsx", sheets)


@form
def a_stake_a_column(path: Path) -> Path:
    rows = [[day, *(own[number] for own in EXPOSED_CM.values())] for number, day in enumerate(DAYS)]
    table = [["readings (cm)"], ["date", *PLACES], *rows]
    return write_workbook(path / "a.xlsx", glacier() | {"stakes": places(*STAKES), "readings": table})


@form
def dates_beside_the_positions(path: Path) -> Path:
    header = [*STAKES, *DAYS]
    rows = [[stake, *place, *EXPOSED_CM[stake]] for stake, place in PLACES.items()]
    table = [["exposed length (cm)"], header, *rows]
    return write_workbook(path / "a.xlsx", glacier() | {"stakes": table})


@form
def everything_in_one_list(path: Path) -> Path:
    header, *rows = readings("花杆号", "日期", "读数(cm)")
    listed = [[*header, "东坐标", "北坐标", "海拔"], *([*row, *PLACES[row[0]]] for row in rows)]
    return write_workbook(path / "a.xlsx", glacier() | {"Sheet1": listed})


@form
def all_tables_on_one_sheet(path: Path) -> Path:
    own = glacier()["glacier"]
    blocks = (
        own,
        [["Stakes, surveyed in 2003"], *places(*STAKES)],
        [["Readings"], *readings("stake", "date", "exposed (cm)")],
    )
    return write_workbook(path / "a.xlsx", {"Tabelle1": one_sheet(*blocks)})


@form
def readings_below_the_stakes(path: Path) -> Path:
    table = one_sheet(places(*STAKES), readings("stake", "date", "exposed (cm)"))
    return write_folder(path / "a", glacier() | {"stakes": table})


@form
def sheets_that_say_nothing(path: Path) -> Path:
    sheets = {"Sheet1": glacier()["glacier"], "Sheet2": places(*STAKES)}
    return write_workbook(path / "a.xlsx", sheets | {"Sheet3": readings("stake", "date", "exposed (cm)")})


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_the_same_survey(tmp_path, name) -> None:
    data = read_field_data(FORMS[name](tmp_path))
    columns = (data.readings[column] for column in ("stake_id", "date", "exposed_m"))
    assert set(zip(*columns, strict=True)) == EXPECTED
    assert len(data.readings) == len(EXPECTED)
    columns = (data.stakes[column] for column in ("stake_id", "easting", "northing", "elevation_m"))
    assert {stake: place for stake, *place in zip(*columns, strict=True)} == {k: list(v) for k, v in PLACES.items()}


def test_enough_forms() -> None:
    assert len(FORMS) >= 25


# --- what is told of the forms --------------------------------------------------------------------------------------


def said(data: FieldData) -> set[tuple[str, str]]:
    return {(one.cell, one.found) for one in data.corrections}


def plain(**tables: list[list[Any]]) -> Sheets:
    return glacier() | {"stakes": places(*STAKES), "readings": readings("stake", "date", "exposed (cm)")} | tables


def test_a_cell_of_a_wide_sheet_is_named_where_it_stands(tmp_path) -> None:
    table = a_date_a_column()
    table[3][2] = "about 2 m"
    with pytest.raises(BadInput, match=r"cell C4: found 'about 2 m'; expected exposed_m"):
        read_field_data(write_workbook(tmp_path / "a.xlsx", plain(readings=table)))
    table[3][2] = "丢失"
    data = read_field_data(write_workbook(tmp_path / "b.xlsx", plain(readings=table)))
    row = data.readings[(data.readings["stake_id"] == "A2") & (data.readings["date"] == DAYS[1])].iloc[0]
    assert (row["status"], row["exposed_m"] >= 0) == ("lost", False)
    assert ("", "2 dates as heads of columns") in said(data)
    assert data.sources("readings")["source_cell"].tolist()[:2] == ["A3:C3", "A3:C3"]


def test_a_date_that_nobody_read_is_no_record(tmp_path) -> None:
    table = a_date_a_column()
    table[2][1], table[4][2] = None, "-"
    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(readings=table)))
    assert len(data.readings) == 4


def test_a_wide_sheet_in_an_unknown_unit_is_refused_with_what_to_do(tmp_path) -> None:
    with pytest.raises(
        BadInput, match=r"cell B3: found 120; expected .*; 120 m is 1.2 m if typed in cm: write the unit"
    ):
        read_field_data(write_workbook(tmp_path / "a.xlsx", plain(readings=a_date_a_column(unit=""))))


def bands(area: Any = 0.3, year: int = 2003) -> list[list[Any]]:
    rows = [[y, low, low + 200, 0.5] for y in (2003, 2004) for low in (3400, 3600)]
    next(row for row in rows if row[0] == year)[3] = area
    return [["year", "lower_m", "upper_m", "area (km2)"], *rows]


def test_years_as_heads_of_columns_are_areas(tmp_path) -> None:
    table = [["Areas (km2)"], ["lower_m", "upper_m", 2003, "2004年"], [3400, 3600, 0.3, 0.25], [3600, 3800, 0.5, 0.45]]
    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(hypsometry=table)))
    found = data.hypsometry[["year", "lower_m", "area_km2"]].to_numpy().tolist()
    assert found == [[2003, 3400, 0.3], [2004, 3400, 0.25], [2003, 3600, 0.5], [2004, 3600, 0.45]]


@pytest.mark.parametrize("area", [-9999, None, "?", "n/a", -1])
def test_one_dirty_band_costs_its_year_alone(tmp_path, area) -> None:
    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(hypsometry=bands(area))))
    assert data.hypsometry["year"].tolist() == [2004, 2004]
    assert [(one.cell, "2003" in one.meaning) for one in data.doubts] == [("D2", True)]


def test_a_dirty_band_of_the_only_year_is_refused(tmp_path) -> None:
    table = [row for row in bands("?", 2004) if row[0] != 2003]
    with pytest.raises(BadInput, match=r"sheet hypsometry: cell D2: found '\?'"):
        read_field_data(write_workbook(tmp_path / "a.xlsx", plain(hypsometry=table)))


@pytest.mark.parametrize("code", [-9999, -999.0, "-9999", 9999, -99])
def test_a_code_for_nothing_is_an_empty_cell(tmp_path, code) -> None:
    table = readings("stake", "date", "exposed (cm)")
    table[0].append("snow depth (cm)")
    for row in table[1:]:
        row.append(code if row[0] == "A2" else 0)
    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(readings=table)))
    assert data.readings["snow_depth_m"].isna().tolist() == [False, False, True, True, False, False]
    used = {one.cell: one.used for one in data.corrections}
    assert used["D4"] == "empty: the code for 'not measured'"


def test_a_number_that_may_be_a_length_stays_an_error(tmp_path) -> None:
    table = readings("stake", "date", "exposed (m)", length=lambda cm: cm / 100)
    table[1][2] = 99
    with pytest.raises(BadInput, match=r"cell C2: found 99; .*leave the cell empty if 99 stands for 'not measured'"):
        read_field_data(write_workbook(tmp_path / "a.xlsx", plain(readings=table)))


def test_positions_of_a_code_are_none(tmp_path) -> None:
    table = places(*STAKES)
    table[1][1:3] = [-9999, -9999]
    with pytest.raises(BadInput, match="cell A2: found stake A1 without position"):
        read_field_data(write_workbook(tmp_path / "a.xlsx", plain(stakes=table)))


def test_hidden_rows_columns_and_comments_are_noted(tmp_path) -> None:
    from openpyxl.comments import Comment

    def hide(book) -> None:
        sheet = book["readings"]
        sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True
        sheet.column_dimensions["C"].hidden = True
        sheet["C5"].comment = Comment("read from\nthe photograph", "observer")
        sheet["A1"].comment = Comment("what the column means", "template")

    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(), hide))
    assert len(data.readings) == 6
    told = {(one.cell, one.found, one.used) for one in data.corrections}
    assert ("A3", "hidden rows 3 to 4", "read like any other") in told
    assert ("C1", "hidden column C", "read like any other") in told
    assert ("C5", "a comment: read from the photograph", "not read: what matters belongs into 'remarks'") in told
    assert not any(cell == "A1" for cell, _, _ in told)


def test_hidden_rows_of_an_old_workbook_are_noted(tmp_path) -> None:
    def hide(book) -> None:
        book.get_sheet("readings").row(2).hidden = True

    data = read_field_data(write_legacy_workbook(tmp_path / "a.xls", plain(), hide))
    assert len(data.readings) == 6
    assert ("A3", "hidden row 3") in said(data)


def test_a_copy_beside_the_sheet_of_its_table_is_left_out(tmp_path) -> None:
    table = readings("stake", "date", "exposed (cm)", day=lambda d: d + timedelta(days=300))
    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(**{"Copy (2)": table})))
    assert len(data.readings) == 6
    assert any((one.sheet, one.used) == ("Copy (2)", "left out") for one in data.corrections)


def test_two_nameless_lists_of_one_table_are_refused(tmp_path) -> None:
    own = readings("stake", "date", "exposed (cm)")
    sheets = glacier() | {"stakes": places(*STAKES), "2003": own, "2004": own}
    with pytest.raises(BadInput, match=r"a second sheet of readings, beside '2003'; .*join them"):
        read_field_data(write_workbook(tmp_path / "a.xlsx", sheets))


# --- snow without a depth -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "typed"),
    [("SWE (mm)", 420), ("雪水当量（毫米）", 420), ("swe_m_we", 0.42), ("SWE", 420),
     ("snow water equivalent (kg m-2)", 420), ("water equivalent [cm]", 42), ("vannekvivalent (mm)", "420")],
)  # fmt: skip
def test_water_equivalents_in_the_units_of_their_scales(tmp_path, header, typed) -> None:
    table = [["point", "date", "easting", "northing", "elevation", header]]
    table += [[f"Q{n}", "2004-05-01", 500_300 + n, 4_798_800, 3500, typed] for n in range(3)]
    data = read_field_data(write_workbook(tmp_path / "a.xlsx", plain(probings=table)))
    assert data.probings["swe_m_we"].tolist() == [0.42] * 3
    assert data.probings["snow_depth_m"].isna().all()


def test_a_probing_of_nothing_is_refused_with_what_to_do(tmp_path) -> None:
    table = [["probing_id", "date", "easting", "northing", "snow depth (m)"]]
    table += [["Q1", "2004-05-01", 500_300, 4_798_800, None], ["Q2", "2004-05-01", 500_300, 4_798_800, 1.2]]
    with pytest.raises(BadInput, match=r"cell E2: found probing Q1 without snow; .*write 0 where there was none"):
        read_field_data(write_workbook(tmp_path / "a.xlsx", plain(probings=table)))
    with pytest.raises(BadInput, match="neither snow depths nor water equivalents"):
        read_field_data(write_workbook(tmp_path / "b.xlsx", plain(probings=[row[:4] for row in table])))
