"""Forgiving in form: the same measurements however a field team typed them, and a note of everything read otherwise."""

from __future__ import annotations

import zipfile
from datetime import date, datetime, timedelta

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.utils.datetime import MAC_EPOCH

from pipeline.mass_balance.fieldwork.field_files import read_sheets
from pipeline.mass_balance.fieldwork.headers import find_header, recognise, sheet_key
from pipeline.mass_balance.fieldwork.input_notes import notes_table
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.fieldwork.values import Habits, to_angle, to_crs, to_date, to_quantity, to_word, to_year
from schemas.errors import BadInput
from schemas.input_notes import INPUT_NOTES
from schemas.tables import PIT_LAYERS, READINGS, SNOW_PITS, STAKES, ZONE_OBSERVATIONS
from tests.made.field_workbook import sheets, write_big_workbook, write_folder, write_legacy_workbook, write_workbook

TABLES = ("stakes", "readings", "snow_pits", "pit_layers", "hypsometry")


def read(tmp_path, change=lambda tables: None, **more):
    tables = sheets()
    change(tables)
    return read_field_data(write_workbook(tmp_path / "field.xlsx", tables, **more))


def notes(data, sheet: str) -> dict[str, tuple[str, str]]:
    return {note.cell: (note.found, note.used) for note in data.corrections if note.sheet == sheet}


# --- numbers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [("2.3", 2.3), (" 2,3 ", 2.3), ("2,35", 2.35), ("0,123", 0.123), (",5", 0.5), ("-0,5", -0.5), ("−3", -3.0),
     ("1.234,5", 1234.5), ("1,234.5", 1234.5), ("1 234", 1234.0), ("1\u2009234,5", 1234.5), ("1'234", 1234.0),
     ("２．５", 2.5), ("２，５", 2.5), ("1e3", 1000.0), ("3\u00a0480", 3480.0), ("+7", 7.0), (7, 7.0)],
)  # fmt: skip
def test_numbers_in_many_spellings(text, number) -> None:
    assert to_quantity(text, "m").number == pytest.approx(number, abs=0)


@pytest.mark.parametrize(("text", "metres"), [("230 cm", 2.3), ("2.3m", 2.3), ("2300毫米", 2.3), ("２３０ｃｍ", 2.3)])
def test_a_unit_beside_the_number_counts(text, metres) -> None:
    quantity = to_quantity(text, "m")
    assert quantity.scale.convert(quantity.number) == metres


@pytest.mark.parametrize(
    "text", ["about 230", "~3", "0.5-0.7", "2 3", "12 %", "5²", "2.3 kg", "1.2.3", "inf", "", "1,2,3", True,
             date(2004, 1, 2)]
)  # fmt: skip
def test_what_is_no_number_is_refused(text) -> None:
    with pytest.raises(ValueError, match=r"no|date|digit"):
        to_quantity(text, "m")


def test_a_comma_that_can_be_read_in_two_ways_needs_a_neighbour() -> None:
    with pytest.raises(ValueError, match="thousands or for decimals") as caught:
        to_quantity("1,234", "m")
    assert caught.value.remedy == "write 1234 or 1.234"
    assert to_quantity("1,234", "m", Habits(comma_seen=True)).number == 1.234
    with pytest.raises(ValueError, match="thousands or for decimals") as caught:
        to_quantity("1.234", "m", Habits(comma_seen=True))
    assert caught.value.remedy == "write 1234 or 1,234"


def test_decimal_commas_of_a_column_are_read_together_and_noted(tmp_path) -> None:
    texts = ["0,5", "2,325", "0,6", "1,5", "0,7", "0,9", "1,5", "0,6"]

    def commas(tables) -> None:
        tables["readings"][0][3] = "exposed (m)"
        for row, text in zip((2, 3, 5, 6, 7, 8, 9, 10), texts, strict=True):
            tables["readings"][row - 1][3] = text

    data = read(tmp_path, commas)
    assert data.readings["exposed_m"].tolist() == [0.5, 2.325, 0.6, 1.5, 0.7, 0.9, 1.5, 0.6]
    assert notes(data, "readings")["D3"] == ("2,325", "2.325 m")


@given(st.floats(0, 20).map(lambda x: round(x, 3)), st.sampled_from(["{:.3f}", "{:.3f} m", "  {:.3f}m ", "+{:.3f}"]))
def test_any_length_survives_its_spelling(length, form) -> None:
    text = form.format(length)
    for spelled in (text, "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)):
        quantity = to_quantity(spelled, "m")
        assert quantity.number == length


# --- angles, dates, years, words ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "degrees"),
    [("84°23'27.6\"E", 84.391), ("84°23′27.6″", 84.391), ("E84°23.46'", 84.391), ("东经84度23分27.6秒", 84.391),
     ("84.391°", 84.391), ("84.391 E", 84.391), ("84,391 E", None), ("W 84°30'", -84.5),
     ("-84°30'", -84.5), (84.391, 84.391)],
)  # fmt: skip
def test_longitudes_in_many_spellings(text, degrees) -> None:
    if degrees is None:
        with pytest.raises(ValueError, match=r"thousands or for decimals|not a number"):
            to_angle(text, "longitude")
    else:
        assert to_angle(text, "longitude") == pytest.approx(degrees, abs=1e-12)


def test_a_latitude_among_longitudes_is_refused() -> None:
    with pytest.raises(ValueError, match="no longitude"):
        to_angle("43°43'52\"N", "longitude")
    with pytest.raises(ValueError, match="beyond 59"):
        to_angle("43°61'N", "latitude")


@given(st.floats(-179.99, 179.99))
def test_any_longitude_survives_degrees_minutes_seconds(degrees) -> None:
    minutes = abs(degrees) % 1 * 60
    side = "W" if degrees < 0 else "E"
    text = f"{int(abs(degrees))}°{int(minutes):02d}'{minutes % 1 * 60:.6f}\"{side}"
    if "60.000000" not in text:
        assert to_angle(text, "longitude") == pytest.approx(degrees, abs=1e-8)


@pytest.mark.parametrize(
    "text", ["2009年8月23日", "2009年08月23号", "２００９－０８－２３", "2009、8、23", "2009 8 23", "23/8/2009",
             "8/23/2009", "23.08.2009", "Aug 23rd, 2009", "23-Aug-2009", "23 August 2009", "2009 Aug 23",
             "2009-8-23 14:30", "2009-08-23T14:30:00Z", 40048.6]
)  # fmt: skip
def test_days_in_more_spellings(text) -> None:
    assert to_date(text) == date(2009, 8, 23)


def test_numbers_with_the_year_last_need_a_neighbour(tmp_path) -> None:
    with pytest.raises(ValueError, match="day or month first") as caught:
        to_date("3/4/2005")
    assert caught.value.remedy == "write 2005-04-03 or 2005-03-04"
    assert to_date("8/8/2004") == date(2004, 8, 8)

    def day_first(tables) -> None:
        tables["readings"][1][2], tables["readings"][2][2] = "27/8/2003", "5/9/2004"

    data = read(tmp_path, day_first)
    assert data.readings["date"].tolist()[:2] == [date(2003, 8, 27), date(2004, 9, 5)]
    assert notes(data, "readings")["C3"] == ("5/9/2004", "2004-09-05")


def test_a_column_that_has_both_orders_settles_nothing(tmp_path) -> None:
    def both(tables) -> None:
        tables["readings"][1][2], tables["readings"][2][2], tables["readings"][4][2] = (
            "27/8/2003",
            "8/27/2004",
            "3/4/2003",
        )

    with pytest.raises(BadInput, match=r"cell C5: found '3/4/2003'.*write 2003-04-03 or 2003-03-04"):
        read(tmp_path, both)


@given(st.dates(date(1850, 1, 1), date(2099, 12, 31)))
def test_any_day_survives_its_spelling(day) -> None:
    for form in ("{0:%Y-%m-%d}", "{0.year}年{0.month}月{0.day}日", "{0.year}.{0.month}.{0.day}", "{0:%Y%m%d}"):
        assert to_date(form.format(day)) == day
    assert to_date(datetime(day.year, day.month, day.day, 13, 45)) == day


def test_years_words_and_projections() -> None:
    assert [to_year(text) for text in ("2003/04", "1999/00", "2003-2004", "2004年度", 2004.0)] == [
        2004,
        2000,
        *[2004] * 3,
    ]
    assert [to_word(text) for text in ("Melted out", "弯曲", " 附加冰 ", "Summer-surface", "ICE")] == [
        "melted_out", "bent", "superimposed_ice", "summer_surface", "ice",
    ]  # fmt: skip
    assert [to_crs(text) for text in ("epsg:32645", "EPSG 32645", 32645, "32645", "UTM 45")] == [
        *["EPSG:32645"] * 4, "UTM 45",
    ]  # fmt: skip


def test_the_time_of_day_is_left_away_and_noted(tmp_path) -> None:
    def timed(tables) -> None:
        tables["readings"][1][2] = datetime(2003, 8, 27, 14, 30)

    data = read(tmp_path, timed)
    assert data.readings["date"].iloc[0] == date(2003, 8, 27)
    assert notes(data, "readings")["C2"] == ("2003-08-27 14:30:00", "2003-08-27")


# --- headers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "table", "name", "factor"),
    [("雪深/cm", READINGS, "snow_depth_m", (1, 100)), ("雪深cm", READINGS, "snow_depth_m", (1, 100)),
     ("雪深 snow depth (cm)", READINGS, "snow_depth_m", (1, 100)), ("Stake / 花杆", READINGS, "stake_id", (1, 1)),
     ("出露高度（厘米）", READINGS, "exposed_m", (1, 100)), ("海拔【m】", STAKES, "elevation_m", (1, 1)),
     ("Exposed (along the stake) [cm]", READINGS, "exposed_m", (1, 100)),
     ("ｄｅｎｓｉｔｙ（ｇ／ｃｍ³）", PIT_LAYERS, "density_kg_m3", (1000, 1)),
     ("密度(kg·m⁻³)", PIT_LAYERS, "density_kg_m3", (1, 1)),
     ("年平衡 (mm w.e.)", ZONE_OBSERVATIONS, "annual_balance_m_we", (1, 1000)),
     ("面积 (平方公里)", ZONE_OBSERVATIONS, "area_km2", (1, 1)),
     ("Area (ha)", ZONE_OBSERVATIONS, "area_km2", (1, 100)),
     ("探测雪深 (cm)", SNOW_PITS, "probed_depth_m", (1, 100)),
     ("Probed depth (m)", SNOW_PITS, "probed_depth_m", (1, 1)),
     ("探测深度 probed depth [cm]", SNOW_PITS, "probed_depth_m", (1, 100)),
     ("数据来源", ZONE_OBSERVATIONS, "provenance", (1, 1)), ("Data source", ZONE_OBSERVATIONS, "provenance", (1, 1)),
     ("发表冬季物质平衡 (mm w.e.)", ZONE_OBSERVATIONS, "published_winter_balance_m_we", (1, 1000)),
     ("发表夏平衡（米水当量）", ZONE_OBSERVATIONS, "published_summer_balance_m_we", (1, 1)),
     ("已发表年物质平衡 [mm w.e.]", ZONE_OBSERVATIONS, "published_annual_balance_m_we", (1, 1000)),
     ("Published Ba (mm w.e.)", ZONE_OBSERVATIONS, "published_annual_balance_m_we", (1, 1000)),
     ("published winter balance (m w.e.)", ZONE_OBSERVATIONS, "published_winter_balance_m_we", (1, 1))],
)  # fmt: skip
def test_headers_in_more_spellings(text, table, name, factor) -> None:
    heading = recognise(text, 0, table)
    assert (heading.column.name, (heading.multiply, heading.divide)) == (name, factor)
    assert heading.known_unit


def test_a_metre_of_what_is_no_unit_of_balance() -> None:
    assert not recognise("annual balance (m)", 0, ZONE_OBSERVATIONS).known_unit


@pytest.mark.parametrize(("sheet", "title"), [("glacier", "Glacier"), ("stakes", "花杆"), ("readings", "Date")])
def test_a_title_that_is_the_name_of_a_column_is_no_header(tmp_path, sheet, title) -> None:
    def entitle(tables) -> None:
        tables[sheet].insert(0, [title])

    data = read(tmp_path, entitle)
    assert data.readings.equals(read(tmp_path).readings)
    assert data.glacier.glacier_id == "T1"


def test_sheet_names_in_more_spellings() -> None:
    assert {sheet_key(name) for name in ("Stake readings", "花杆读数", "reading", "readings ")} == {"readings"}
    assert sheet_key("雪坑分层") == sheet_key("Layers") == "pit_layers"


def test_a_row_of_units_belongs_to_the_header(tmp_path) -> None:
    def units_below(tables) -> None:
        tables["readings"][0] = [
            "stake",
            "leg",
            "date",
            "exposed",
            "stake length",
            "snow depth",
            "snow density",
            "status",
        ]
        tables["readings"].insert(1, ["-", None, "-", "cm", "cm", "cm", "kg/m3", None])

    data, plain = read(tmp_path, units_below), read(tmp_path)
    assert data.readings.equals(plain.readings)
    assert data.origins["readings"][0] == "readings!3"


def test_a_second_row_of_names_belongs_to_the_header(tmp_path) -> None:
    def bilingual(tables) -> None:
        tables["readings"].insert(1, ["花杆", "段", "日期", "出露高度", "杆长", "雪深", "雪密度", "状态"])

    assert read(tmp_path, bilingual).readings.equals(read(tmp_path).readings)


def test_a_header_without_a_unit_is_taken_as_the_schemas_and_noted(tmp_path) -> None:
    def no_unit(tables) -> None:
        tables["stakes"][1][3] = "elevation"

    assert notes(read(tmp_path, no_unit), "stakes")["D2"] == ("elevation_m without a unit", "taken as m")


def test_a_header_far_down_is_none(tmp_path) -> None:
    def sink(tables) -> None:
        tables["stakes"] = [*([["note"]] * 60), *tables["stakes"]]

    with pytest.raises(BadInput, match=r"sheet stakes: found no header row; expected .* within the first 40 rows"):
        read(tmp_path, sink)


# --- cells that lack something ------------------------------------------------------------------------------------


def test_blank_legs_and_states_have_a_meaning_and_are_noted_as_ranges(tmp_path) -> None:
    found = notes(read(tmp_path), "readings")
    assert found["B5:B6"] == ("an empty cell", "1")
    assert found["H2"] == ("an empty cell", "ok")
    assert found["H5:H10"] == ("an empty cell", "ok")


def test_columns_that_are_missing_altogether_are_noted_once(tmp_path) -> None:
    def without_leg(tables) -> None:
        for row in tables["readings"]:
            del row[1]

    data = read(tmp_path, without_leg)
    assert data.readings["leg"].tolist() == [1] * 8
    assert notes(data, "readings")[""] == ("no column 'leg'", "1 in every row")


def test_names_that_differ_in_case_and_blanks_are_one_and_noted(tmp_path) -> None:
    def rename(tables) -> None:
        for row in tables["stakes"][2:]:
            row[0] = f"A {row[0]}"
        for row in tables["readings"][1:]:
            row[0] = row[0] and f"a{row[0]}"
        tables["snow_pits"][1][2] = "Ａ４"

    data = read(tmp_path, rename)
    assert data.readings["stake_id"].tolist()[:2] == ["A 1", "A 1"]
    assert notes(data, "readings")["A2"] == ("a1", "A 1, as in stakes")
    assert data.snow_pits["stake_id"].tolist() == ["A 4"]


def test_a_name_that_is_only_like_another_is_refused_with_a_suggestion(tmp_path) -> None:
    def rename(tables) -> None:
        for row in (*tables["stakes"][2:], *tables["readings"][1:]):
            row[0] = row[0] and f"KT-{row[0]}"
        tables["snow_pits"][1][2] = "KT4"

    with pytest.raises(BadInput, match=r"cell C2: found stake 'KT4'; expected a stake .*; did you mean 'KT-4'\?"):
        read(tmp_path, rename)


def test_sheets_that_name_no_table_are_noted(tmp_path) -> None:
    def more(tables) -> None:
        tables["Readme"] = [["what this is"]]
        tables["old stuff"] = [["a", 1]]

    left_out = [note for note in read(tmp_path, more).corrections if note.cell == "" and note.used == "left out"]
    assert [(note.sheet, note.found) for note in left_out] == [("old stuff", "a sheet that names no table")]


def test_merged_cells_over_several_rows_are_one_note(tmp_path) -> None:
    def blank(tables) -> None:
        tables["pit_layers"][2][0] = None
        tables["pit_layers"].append([None, 3, 90, 120, 450, "firn"])

    data = read(tmp_path, blank, finish=lambda book: book["pit_layers"].merge_cells("A2:A4"))
    assert data.pit_layers["pit_id"].tolist() == ["P1"] * 3
    assert notes(data, "pit_layers")["A3:A4"] == ("part of a merged cell", "P1")


def test_every_note_fits_the_table_of_notes(tmp_path) -> None:
    data = read(tmp_path, lambda tables: tables["stakes"][2].__setitem__(3, 3050))
    table = notes_table(data.corrections, data.doubts)
    assert tuple(table.columns) == INPUT_NOTES.column_names
    assert table["kind"].tolist() == ["correction"] * len(data.corrections) + ["doubt"]
    assert table["note"].tolist() == list(range(1, len(table) + 1))
    assert table[["sheet", "found", "used"]].notna().all().all()


def test_every_record_knows_its_cells(tmp_path) -> None:
    sources = read(tmp_path).sources("readings")
    assert sources.iloc[2].tolist() == ["readings", "A5:H5"]
    assert len(sources) == 8


# --- files --------------------------------------------------------------------------------------------------------


def test_a_legacy_workbook_is_the_same_data(tmp_path) -> None:
    legacy = read_field_data(write_legacy_workbook(tmp_path / "field.xls", sheets()))
    book = read(tmp_path)
    for name in TABLES:
        assert getattr(legacy, name).equals(getattr(book, name)), name
    assert legacy.origins["readings"] == book.origins["readings"]


def test_a_legacy_workbook_has_merged_cells_and_chinese_names(tmp_path) -> None:
    def merge(book) -> None:
        book.get_sheet("雪坑分层").merge(1, 2, 0, 0)

    tables = sheets()
    tables["pit_layers"][2][0] = None
    tables["雪坑分层"] = tables.pop("pit_layers")
    data = read_field_data(write_legacy_workbook(tmp_path / "field.xls", tables, merge))
    assert data.pit_layers["pit_id"].tolist() == ["P1", "P1"]
    assert data.origins["pit_layers"] == ("雪坑分层!2", "雪坑分层!3")


def test_a_legacy_workbook_under_the_newer_name_is_read(tmp_path) -> None:
    path = write_legacy_workbook(tmp_path / "field.xls", sheets())
    assert len(read_field_data(path.rename(tmp_path / "renamed.xlsx")).readings) == 8


def test_a_truncated_legacy_workbook_is_refused(tmp_path) -> None:
    path = write_legacy_workbook(tmp_path / "field.xls", sheets())
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadInput, match=r"field.xls: found a password-protected or corrupt workbook"):
        read_field_data(path)


@pytest.mark.parametrize(
    ("encoding", "delimiter", "note"),
    [("utf-8-sig", ",", None), ("gbk", ",", "text in GB 18030 (GBK)"), ("utf-16", "\t", "text in UTF-16"),
     ("utf-8", ";", "columns parted by semicolons"), ("gb18030", ";", "text in GB 18030 (GBK)")],
)  # fmt: skip
def test_csv_files_as_programs_write_them(tmp_path, encoding, delimiter, note) -> None:
    tables = sheets()
    tables["readings"][0] = [
        "花杆编号",
        "段",
        "日期",
        "出露高度（厘米）",
        "杆长（厘米）",
        "雪深（厘米）",
        "雪密度（kg/m3）",
        "状态",
    ]
    tables["glacier"][1][1] = "哈希勒根51号冰川"
    folder = write_folder(tmp_path / "field", tables, encoding=encoding, delimiter=delimiter)
    data = read_field_data(folder)
    assert data.readings.equals(read(tmp_path).readings)
    assert data.glacier.name == "哈希勒根51号冰川"
    found = {note.found for note in data.corrections if note.sheet == "readings" and note.cell == ""}
    assert note is None or note in found


def test_a_csv_file_with_semicolons_has_decimal_commas(tmp_path) -> None:
    tables = sheets()
    tables["hypsometry"][1][3] = "0,125"
    tables["stakes"][2][3] = "3480,125"
    data = read_field_data(write_folder(tmp_path / "field", tables, delimiter=";"))
    assert data.hypsometry["area_km2"].iloc[0] == 0.125
    assert data.stakes["elevation_m"].iloc[0] == 3480.125


def test_letters_with_accents_are_not_taken_for_chinese(tmp_path) -> None:
    folder = write_folder(tmp_path / "field", sheets())
    (folder / "glacier.csv").write_bytes(
        "glacier_id,glacier name,longitude,latitude\nT1,Géant névé,87.0,43.3".encode("latin-1")
    )
    data = read_field_data(folder)
    assert data.glacier.name == "Géant névé"
    assert [(one.found, one.used) for one in data.corrections if "text in" in one.found] == [
        ("text in Windows-1252", "read as such; save it as UTF-8 to be safe")
    ]


def test_bytes_of_no_text_are_refused(tmp_path) -> None:
    folder = write_folder(tmp_path / "field", sheets())
    (folder / "glacier.csv").write_bytes(b"glacier_id,glacier name,longitude,latitude\nT1,G\x9d,87.0,43.3")
    with pytest.raises(BadInput, match=r"glacier.csv: found byte 47 that is not UTF-8; expected .* UTF-8 or GBK"):
        read_field_data(folder)


@pytest.mark.parametrize(
    ("name", "members", "message"),
    [("field.ods", ["content.xml", "mimetype"], "an OpenDocument workbook"),
     ("field.xlsb", ["xl/workbook.bin"], "a binary"),
     ("field.docx", ["word/document.xml"], "a text document"), ("field.xlsx", ["a.txt"], "a corrupt workbook")],
)  # fmt: skip
def test_other_zip_archives_are_named(tmp_path, name, members, message) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        for member in members:
            archive.writestr(member, "")
    with pytest.raises(BadInput, match=rf"{name}: found {message}"):
        read_field_data(tmp_path / name)


def test_a_single_csv_file_is_refused(tmp_path) -> None:
    (tmp_path / "readings.csv").write_text("stake_id,date\n")
    with pytest.raises(BadInput, match=r"readings.csv: found a single CSV file; expected .*; name the folder"):
        read_field_data(tmp_path / "readings.csv")


def test_a_row_of_formulas_that_were_never_computed_is_no_blank_row(tmp_path) -> None:
    def formulas(tables) -> None:
        tables["hypsometry"].append(["=A2", "=C6", "=B7+100", "=D6/2"])

    with pytest.raises(BadInput) as caught:
        read(tmp_path, formulas)
    assert [error.cell for error in caught.value.errors] == ["A7", "B7", "C7", "D7"]


def test_a_workbook_that_states_a_wrong_extent_is_read_whole(tmp_path) -> None:
    path = write_workbook(tmp_path / "field.xlsx", sheets())
    changed = tmp_path / "changed.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet3.xml":
                assert b'<dimension ref="A1:H10"' in content
                content = content.replace(b'<dimension ref="A1:H10"', b'<dimension ref="A1:A1"')
            new.writestr(name, content)
    assert read_field_data(changed).readings.equals(read_field_data(path).readings)


def test_serial_dates_of_the_older_macintosh_calendar(tmp_path) -> None:
    def macintosh(book: openpyxl.Workbook) -> None:
        book.epoch = MAC_EPOCH
        book["readings"]["C2"] = (date(2003, 8, 27) - MAC_EPOCH.date()) // timedelta(days=1)
        book["readings"]["C2"].number_format = "General"

    data = read(tmp_path, finish=macintosh)
    assert data.readings["date"].iloc[0] == date(2003, 8, 27)


def test_a_large_network_is_read_cell_by_cell(tmp_path) -> None:
    """The generator's own numbers: one stake, each reading, and nothing to correct."""
    path = write_big_workbook(tmp_path / "big.xlsx", stakes=12, years=3, seed=5)
    again = write_big_workbook(tmp_path / "again.xlsx", stakes=12, years=3, seed=5)
    assert path.read_bytes() == again.read_bytes()
    data = read_field_data(path)
    assert not data.corrections
    assert not data.doubts
    typed = next(sheet for sheet in read_sheets(path) if sheet.name == "readings")
    assert len(data.readings) == len(typed.rows) - 1
    assert data.readings["exposed_m"].tolist() == pytest.approx([row[3] for row in typed.rows[1:]], abs=0)
    assert data.stakes["stake_id"].tolist() == [f"S{number:03d}" for number in range(12)]
    assert find_header(typed, READINGS).first_record == 1
