"""Reading field workbooks: forgiving in form, strict in meaning, every error with its cell."""

from __future__ import annotations

import re
from datetime import date, datetime

import numpy as np
import pytest

from pipeline.mass_balance.fieldwork.headers import recognise, sheet_key
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.fieldwork.values import to_date, to_integer, to_name
from schemas.errors import BadInput, ManyBadInputs
from schemas.tables import HYPSOMETRY, PIT_LAYERS, READINGS, STAKES, WORKBOOK
from tests.made.field_workbook import sheets, write_folder, write_legacy_workbook, write_workbook


def read(tmp_path, change=lambda tables: None, **more):
    tables = sheets()
    change(tables)
    return read_field_data(write_workbook(tmp_path / "field.xlsx", tables, **more))


# --- forgiving in form -------------------------------------------------------------------------------------------


def test_a_workbook_as_typed_becomes_typed_tables(tmp_path) -> None:
    data = read(tmp_path)
    assert data.glacier.glacier_id == "T1"
    assert data.stakes["stake_id"].tolist() == ["1", "2", "3", "4"]
    assert data.readings["exposed_m"].tolist() == [0.5, 2.3, 0.6, 1.5, 0.7, 0.9, 1.5, 0.6]
    assert set(data.readings["date"]) == {date(2003, 8, 27), date(2004, 8, 26)}
    assert data.readings["leg"].tolist() == [1] * 8
    assert set(data.readings["status"]) == {"ok"}
    assert data.readings["snow_depth_m"].isna().sum() == 7
    assert data.snow_pits["floor"].tolist() == ["summer_surface"]
    assert data.pit_layers["bottom_m"].tolist() == [0.3, 0.9]
    for table in WORKBOOK:
        if table.name != "glacier":
            assert tuple(getattr(data, table.name).columns) == table.column_names


def test_every_reading_that_differs_from_what_is_typed_is_listed(tmp_path) -> None:
    listed = {(c.sheet, c.cell): (c.found, c.used) for c in read(tmp_path).corrections}
    assert listed["readings", "D1"] == ("exposed_m in cm", "m")
    assert listed["readings", "C3"] == ("2004.8.26", "2004-08-26")
    assert listed["readings", "C5"] == ("27 Aug 2003", "2003-08-27")
    assert ("readings", "C7") not in listed


def test_each_record_knows_its_row(tmp_path) -> None:
    assert read(tmp_path).origins["readings"][:3] == ("readings!2", "readings!3", "readings!5")


def test_a_folder_of_csv_files_is_the_same_data(tmp_path) -> None:
    folder = read_field_data(write_folder(tmp_path / "field", sheets()))
    book = read(tmp_path)
    for name in ("stakes", "readings", "snow_pits", "pit_layers", "hypsometry"):
        assert getattr(folder, name).equals(getattr(book, name)), name


def test_merged_cells_are_filled_down(tmp_path) -> None:
    def blank(tables) -> None:
        tables["readings"][2][0] = None

    data = read(tmp_path, blank, finish=lambda book: book["readings"].merge_cells("A2:A3"))
    assert data.readings["stake_id"].tolist()[:2] == ["1", "1"]
    assert any(c.cell == "A3" and c.found == "part of a merged cell" for c in data.corrections)


def test_degrees_give_metres_and_metres_give_degrees(tmp_path) -> None:
    data = read(tmp_path)
    again = sheets()
    again["stakes"][1] = ["stake", "longitude (deg)", "latitude (deg)", "elevation (m)"]
    for row, record in zip(again["stakes"][2:], data.stakes.to_dict("records"), strict=True):
        row[1:3] = record["longitude"], record["latitude"]
    from_degrees = read_field_data(write_workbook(tmp_path / "degrees.xlsx", again)).stakes
    assert from_degrees["easting"].tolist() == pytest.approx([500_300, 500_600, 500_700, 500_500], abs=1e-3)
    assert from_degrees["northing"].tolist() == pytest.approx(data.stakes["northing"].tolist(), abs=1e-3)


def test_without_a_crs_the_glacier_lies_in_its_utm_zone(tmp_path) -> None:
    def change(tables) -> None:
        tables["glacier"] = [["glacier_id", "glacier_name", "longitude", "latitude"], ["T1", "Test", 87.006, 43.344]]

    assert read(tmp_path, change).glacier.crs == "EPSG:32645"


def test_chinese_headers_and_sheet_names(tmp_path) -> None:
    def change(tables) -> None:
        rows = tables.pop("stakes")
        tables["花杆"] = [["花杆编号", "东坐标", "北坐标", "海拔（m）"], *rows[2:]]

    assert read(tmp_path, change).stakes["elevation_m"].tolist() == [3480, 3620, 3740, 3860]


def test_unknown_sheets_are_ignored_and_unknown_columns_noted(tmp_path) -> None:
    def change(tables) -> None:
        tables["README"] = [["anything", 1, 2, 3]]
        tables["hypsometry"][0].append("checked by")

    data = read(tmp_path, change)
    assert any(c.sheet == "hypsometry" and c.found == "column 'checked by'" for c in data.corrections)


@pytest.mark.parametrize(
    "text", ["2004-08-26", "2004.8.26", "2004/8/26", "26 Aug 2004", "26 August 2004", "Aug 26, 2004", "20040826",
             "2004年8月26日", "2004-08-26 00:00:00", datetime(2004, 8, 26), date(2004, 8, 26), 38225, 20040826]
)  # fmt: skip
def test_days_in_many_spellings(text) -> None:
    assert to_date(text) == date(2004, 8, 26)


@pytest.mark.parametrize("text", ["3/4/2005", "2004-13-01", "30 Feb 2004", "soon", "1.5.2004", 2004])
def test_days_that_cannot_be_told_are_refused(text) -> None:
    with pytest.raises(ValueError, match=r".+"):
        to_date(text)


def test_names_and_whole_numbers() -> None:
    assert [to_name(value) for value in (7, 7.0, " A7 ")] == ["7", "7", "A7"]
    assert to_integer("3.0") == 3
    with pytest.raises(ValueError, match="whole"):
        to_integer(3.5)


@pytest.mark.parametrize(
    ("text", "table", "name", "factor"),
    [("exposed (cm)", READINGS, "exposed_m", (1, 100)), ("Exposed_cm", READINGS, "exposed_m", (1, 100)),
     ("snow density [g/cm³]", READINGS, "snow_density_kg_m3", (1000, 1)), ("tilt (°)", READINGS, "tilt_deg", (1, 1)),
     ("No.", PIT_LAYERS, "layer", (1, 1)), ("density_kg_m3", PIT_LAYERS, "density_kg_m3", (1, 1)),
     ("Elevation (m a.s.l.)", STAKES, "elevation_m", (1, 1)), ("area (m2)", HYPSOMETRY, "area_km2", (1, 1_000_000))]
)  # fmt: skip
def test_headers_in_many_spellings(text, table, name, factor) -> None:
    heading = recognise(text, 0, table)
    assert (heading.column.name, (heading.multiply, heading.divide)) == (name, factor)


def test_sheet_names_in_many_spellings() -> None:
    assert sheet_key(" Snow pits ") == sheet_key("snow-pits") == "snow_pits"


# --- strict in meaning -------------------------------------------------------------------------------------------


def set_cell(sheet: str, row: int, column: int, value):
    return lambda tables: tables[sheet][row - 1].__setitem__(column - 1, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda t: t.pop("stakes"),
            "field.xlsx: found no sheet 'stakes'; expected a sheet 'stakes': the ablation stakes",
        ),
        (lambda t: t.pop("readings"), "found no sheet 'readings'; expected a sheet 'readings'"),
        (lambda t: t.pop("glacier"), "found no sheet 'glacier'"),
        (lambda t: t.pop("pit_layers"), "found no sheet 'pit_layers'"),
        (lambda t: t["glacier"].pop(), "sheet glacier: found no glacier row; expected one row that names the glacier"),
        (
            lambda t: t["glacier"].append(["T2", "Another", 84, 43, None]),
            "sheet stakes: cell A3: found no column 'glacier_id'; expected glacier_id: one of 'T1', 'T2'",
        ),
        (
            set_cell("readings", 3, 4, "about 230"),
            "field.xlsx: sheet readings: cell D3: found 'about 230'; expected exposed_m: a number (cm)",
        ),
        (set_cell("readings", 3, 4, -16), "from 0 to 20 m; leave it empty, status 'buried', if the top of the stake"),
        (set_cell("readings", 3, 4, "#DIV/0!"), "cell D3: found '#DIV/0!'; expected exposed_m: a number (cm)"),
        (
            set_cell("readings", 3, 3, "last week"),
            "cell C3: found 'last week'; expected date: a date such as 2003-08-27",
        ),
        (set_cell("readings", 3, 3, None), "cell C3: found an empty cell; expected date: a date"),
        (
            set_cell("readings", 3, 3, "2003-08-27"),
            "cell C3: found 1, 1, 2003-08-27 a second time, with exposed_m 2.3 where row 2 has 0.5; expected",
        ),
        (set_cell("readings", 3, 4, -5), "cell D3: found -5; expected exposed_m: a number (cm) from 0 to 20 m"),
        (set_cell("readings", 3, 4, 450), "cell D3: found exposed 4.5 m of a stake of 4 m; expected no more than"),
        (set_cell("readings", 10, 7, -420), "cell G10: found -420; expected snow_density_kg_m3: a number"),
        (set_cell("readings", 10, 7, 900), "cell G10: found 900; expected snow_density_kg_m3: a number"),
        (
            set_cell("readings", 3, 1, 9),
            "sheet readings: cell A3: found stake '9'; expected a stake of the sheet 'stakes'",
        ),
        (set_cell("readings", 3, 8, "stolen"), "cell H3: found 'stolen'; expected status: one of ok, bent, melted_out"),
        (
            set_cell("readings", 1, 4, "exposed (feet)"),
            "sheet readings: cell D1: found unit 'feet'; expected exposed_m in m",
        ),
        (
            set_cell("stakes", 4, 2, None),
            "sheet stakes: cell A4: found stake 2 without position; expected longitude and latitude, or easting",
        ),
        (
            set_cell("stakes", 4, 1, 1),
            "sheet stakes: cell A4: found 1 a second time, with easting 500600 where row 3 has 500300; expected",
        ),
        (set_cell("stakes", 4, 4, "high"), "sheet stakes: cell D4: found 'high'; expected elevation_m: a number (m)"),
        (set_cell("snow_pits", 2, 3, 17), "sheet snow_pits: cell C2: found stake '17'"),
        (set_cell("snow_pits", 2, 3, None), "sheet snow_pits: cell A2: found pit P1 without position"),
        (set_cell("snow_pits", 2, 1, "P2"), "sheet snow_pits: cell A2: found pit P2 without layers"),
        (
            set_cell("pit_layers", 3, 3, 40),
            "sheet pit_layers: cell C3: found layer 2 of pit P1 from 0.4 m; expected from 0.3 m: layers must tile",
        ),
        (
            set_cell("pit_layers", 3, 4, 20),
            "cell D3: found layer 2 of pit P1 from 0.3 to 0.2 m; expected a bottom below",
        ),
        (set_cell("pit_layers", 2, 5, -380), "cell E2: found -380; expected density_kg_m3: a number"),
        (set_cell("hypsometry", 3, 3, 3450), "cell C3: found a band from 3500 to 3450 m; expected an upper edge above"),
        (
            lambda t: t.__setitem__("hypsometry", [["a", "b"], [1, 2]]),
            "sheet hypsometry: found no header row; expected",
        ),
        (set_cell("hypsometry", 1, 4, "surface"), "sheet hypsometry: found no column 'area_km2' in row 1; expected"),
        (set_cell("glacier", 2, 5, "EPSG:4326"), "cell E2: found 'EPSG:4326'; expected a projected CRS in metres"),
        (set_cell("glacier", 2, 5, "EPSG:9999"), "cell E2: found 'EPSG:9999'; expected a projected CRS in metres"),
        (set_cell("readings", 3, 2, 10**20), "cell B3: found 1e+20; expected leg: a whole number"),
        (set_cell("glacier", 2, 5, "UTM 45"), "cell E2: found 'UTM 45'; expected crs: text like EPSG"),
    ],
)
def test_bad_cells_are_named(tmp_path, change, message) -> None:
    with pytest.raises(BadInput, match=re.escape(message)) as caught:
        read(tmp_path, change)
    assert caught.value.exit_code == 2
    assert "Traceback" not in str(caught.value)


def test_all_errors_come_at_once(tmp_path) -> None:
    def change(tables) -> None:
        tables["readings"][2][3] = "about 230"
        tables["stakes"][3][3] = "high"
        tables["hypsometry"][2][3] = -1

    with pytest.raises(ManyBadInputs) as caught:
        read(tmp_path, change)
    assert [error.where.split(": ", 1)[1] for error in caught.value.errors] == [
        "sheet stakes: cell D4",
        "sheet readings: cell D3",
        "sheet hypsometry: cell D3",
    ]
    assert len(str(caught.value).splitlines()) == 3


def test_errors_in_a_csv_folder_name_the_file(tmp_path) -> None:
    tables = sheets()
    tables["readings"][2][3] = "about 230"
    with pytest.raises(BadInput, match=r"field/readings.csv: cell D3: found 'about 230'"):
        read_field_data(write_folder(tmp_path / "field", tables))


def test_end_before_start_in_band_balances(tmp_path) -> None:
    bands = [
        ["year", "begin_date", "end_date", "lower_m", "upper_m", "area_km2", "annual_balance_m_we"],
        [2004, "2004-09-30", "2003-10-01", 3400, 3500, 0.2, -1.0],
    ]
    with pytest.raises(BadInput, match=r"cell C2: found end_date 2003-10-01 before begin_date 2004-09-30"):
        read(tmp_path, lambda tables: tables.__setitem__("zone_balances", bands))


def test_what_is_no_workbook_is_refused_in_one_line(tmp_path) -> None:
    ole = bytes.fromhex("D0CF11E0A1B11AE1")
    cases = {
        "locked.xlsx": (ole + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le"), "a password-protected workbook"),
        "legacy.xls": (ole + b"\0" * 512, r"a password-protected or corrupt workbook, or another document \(.+\)"),
        "corrupt.xlsx": (b"this is no zip file", "a corrupt file, not an Excel workbook"),
        "empty.xlsx": (b"", "a corrupt file, not an Excel workbook"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(BadInput, match=rf"{name}: found {message}; expected"):
            read_field_data(tmp_path / name)


def test_a_truncated_workbook_is_refused(tmp_path) -> None:
    path = write_workbook(tmp_path / "field.xlsx", sheets())
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(BadInput, match=r"field.xlsx: found a corrupt"):
        read_field_data(path)


def test_a_workbook_damaged_inside_is_refused(tmp_path) -> None:
    path = write_workbook(tmp_path / "field.xlsx", sheets())
    content = bytearray(path.read_bytes())
    content[len(content) // 3] ^= 0xFF
    content[len(content) // 3 + 1] ^= 0xFF
    path.write_bytes(bytes(content))
    with pytest.raises(BadInput, match=r"field.xlsx"):
        read_field_data(path)


def test_whatever_is_damaged_ends_in_bad_input_or_in_data(tmp_path) -> None:
    """Bytes changed at random places: one clear refusal, or a reading; never another exception."""
    rng = np.random.default_rng(7)
    sources = [write_workbook(tmp_path / "a.xlsx", sheets()), write_legacy_workbook(tmp_path / "a.xls", sheets())]
    refusals = []
    for number in range(40):
        content = bytearray(sources[number % 2].read_bytes())
        for place in rng.integers(0, len(content), rng.choice([1, 3, 20])):
            content[place] = rng.integers(0, 256)
        damaged = tmp_path / f"damaged{sources[number % 2].suffix}"
        damaged.write_bytes(content[: rng.integers(1, len(content))] if number % 5 == 0 else content)
        try:
            read_field_data(damaged)
        except BadInput as error:
            refusals.append(str(error))
    assert 10 < len(refusals) < 40
    assert all(refusal.startswith("damaged.xls") for refusal in refusals)


def test_formulas_that_were_never_computed_are_refused(tmp_path) -> None:
    with pytest.raises(BadInput, match=r"sheet readings: cell D3: found a formula without a stored value"):
        read(tmp_path, set_cell("readings", 3, 4, "=200+30"))


def test_missing_files_and_empty_folders(tmp_path) -> None:
    with pytest.raises(BadInput, match=r"none.xlsx: found no such file or folder; expected a field workbook"):
        read_field_data(tmp_path / "none.xlsx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match=r"empty: found a folder without CSV files"):
        read_field_data(tmp_path / "empty")
    (tmp_path / "latin").mkdir()
    (tmp_path / "latin" / "glacier.csv").write_bytes(b"glacier_id,name\nG\x9d,1")
    with pytest.raises(BadInput, match=r"latin/glacier.csv: found byte .* that is not UTF-8"):
        read_field_data(tmp_path / "latin")


def test_a_title_above_the_header_is_no_header(tmp_path) -> None:
    book = write_workbook(tmp_path / "field.xlsx", sheets())
    data = read_field_data(book)
    assert data.origins["stakes"][0] == "stakes!3"
