"""What a field team can get wrong, one case each: handled and flagged, or refused with sheet and cell."""

from __future__ import annotations

import re
from datetime import date, datetime

import pytest

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from schemas.errors import BadInput, ManyBadInputs
from schemas.settings import MassBalanceSettings
from tests.made.field_workbook import sheets, write_legacy_workbook, write_workbook


def field(tmp_path, change=lambda tables: None, **more):
    tables = sheets()
    change(tables)
    return read_field_data(write_workbook(tmp_path / "field.xlsx", tables), **more)


def refused(tmp_path, change, **more) -> dict[str, tuple[str, str, str]]:
    """Sheet and cell of every error -> found, expected, remedy."""
    with pytest.raises(ManyBadInputs) as caught:
        field(tmp_path, change, **more)
    return {f"{error.sheet}!{error.cell}": (error.found, error.expected, error.remedy) for error in caught.value.errors}


def balance(tmp_path, change):
    return mass_balance(field(tmp_path, change), MassBalanceSettings())


def put(sheet: str, cells: dict[tuple[int, int], object]):
    def change(tables) -> None:
        for (row, column), value in cells.items():
            tables[sheet][row - 1][column - 1] = value

    return change


def columns_of(sheet: str, name: str, **values):
    """Add a column to a sheet; ``values`` by row, as ``r3=...``."""

    def change(tables) -> None:
        header = 1 if sheet == "stakes" else 0
        for number, row in enumerate(tables[sheet]):
            row.append(name if number == header else values.get(f"r{number + 1}"))

    return change


# --- few stakes, few places ---------------------------------------------------------------------------------------


def keep_stakes(*names: int):
    def change(tables) -> None:
        tables["stakes"] = [*tables["stakes"][:2], *(row for row in tables["stakes"][2:] if row[0] in names)]
        tables["readings"] = [tables["readings"][0], *(row for row in tables["readings"][1:] if row[0] in names)]
        if 4 not in names:
            del tables["snow_pits"], tables["pit_layers"]

    return change


def test_one_stake_gives_its_point_balance_and_no_glacier_wide_one(tmp_path) -> None:
    result = balance(tmp_path, keep_stakes(1))
    points = result.tables["point_balances"]
    assert points[points["period"] == "annual"]["balance_m_we"].tolist() == [pytest.approx(-1.62)]
    assert result.years[0].annual_m_we is None
    assert "too_few_points:1" in result.years[0].flags


def test_without_a_stake_in_the_ablation_area_the_lower_zones_say_that_nothing_was_measured_there(tmp_path) -> None:
    def gain(tables) -> None:
        for row in (2, 5, 7, 9):
            tables["readings"][row - 1][3] = 100
            tables["readings"][row if row > 2 else 2][3:7] = [40, None, 60, 400]
        tables["stakes"][2][3], tables["stakes"][3][3] = 3650, 3720

    result = balance(tmp_path, gain)
    zones = result.tables["zone_balances"].set_index("lower_m")
    assert zones["basis"].tolist()[:2] == ["extrapolated", "extrapolated"]
    # all stakes gained: where the unmeasured tongue begins to lose, it says, lies below the lowest of them
    assert result.years[0].ela_m < 3600
    flags = {flag.partition(":")[0] for flag in result.years[0].flags}
    assert {"no_point_in_ablation_area", "unmeasured_area"} <= flags
    assert result.tables["glacier_balances"]["observed_share"].iloc[0] == pytest.approx(0.9 / 1.4, abs=1e-3)


def test_stakes_in_one_band_leave_the_others_extrapolated(tmp_path) -> None:
    def crowd(tables) -> None:
        for number, row in enumerate(tables["stakes"][2:]):
            row[3] = 3601 + 32 * number

    result = balance(tmp_path, crowd)
    assert result.tables["zone_balances"]["basis"].tolist() == [
        "extrapolated",
        "extrapolated",
        "observed",
        "extrapolated",
        "extrapolated",
    ]
    assert result.tables["glacier_balances"]["observed_share"].iloc[0] == pytest.approx(0.4 / 1.4, abs=1e-3)


def test_a_year_without_a_visit_has_no_balance_and_its_reading_is_not_split(tmp_path) -> None:
    def skip(tables) -> None:
        for row in tables["readings"][1:]:
            if row[2] is not None and "2004" in str(row[2]):
                row[2] = date(2005, 8, 26)
        tables["snow_pits"][1][1] = date(2005, 8, 26)

    result = balance(tmp_path, skip)
    assert [(year.year, year.annual_m_we) for year in result.years] == [(2004, None), (2005, None)]
    assert all("too_few_points:0" in year.flags or "too_few_points:1" in year.flags for year in result.years)
    stakes = result.tables["point_balances"].query("kind == 'stake'")
    assert stakes["period"].unique().tolist() == ["instantaneous"]
    assert all("spans_several_years" in flags for flags in stakes["flags"])


def test_a_year_without_areas_takes_the_nearest_and_says_so(tmp_path) -> None:
    def earlier(tables) -> None:
        for row in tables["hypsometry"][1:]:
            row[0] = 1999

    year = balance(tmp_path, earlier).years[0]
    assert year.annual_m_we is not None
    assert "hypsometry_of:1999" in year.flags


# --- readings twice, readings that contradict each other ----------------------------------------------------------


def test_a_reading_copied_twice_is_used_once_and_noted(tmp_path) -> None:
    def copy_row(tables) -> None:
        tables["readings"].insert(3, list(tables["readings"][2]))

    data, once = field(tmp_path, copy_row), field(tmp_path)
    assert data.readings.equals(once.readings)
    notes = {(note.cell, note.found, note.used) for note in data.corrections}
    assert ("A4:H4", "the same record as in row 3", "left out") in notes
    assert data.origins["readings"][:3] == ("readings!2", "readings!3", "readings!6")


def test_two_readings_of_one_day_that_differ_are_refused_with_both_rows(tmp_path) -> None:
    def contradict(tables) -> None:
        tables["readings"].insert(3, [*tables["readings"][2][:3], 250, 400, None, None, "ok"])

    found, expected, remedy = refused(tmp_path, contradict)["readings!C4"]
    assert found == "1, 1, 2004-08-26 a second time, with exposed_m 2.5 where row 3 has 2.3"
    assert expected == "each stake_id, leg, date once"
    assert remedy == "keep the one that is right, row 3 or 4"


def test_two_legs_read_on_one_day_are_no_contradiction(tmp_path) -> None:
    def redrill(tables) -> None:
        tables["readings"].insert(3, [1, 2, date(2004, 8, 26), 50, 400, None, None, "ok"])

    assert field(tmp_path, redrill).readings["leg"].tolist() == [1, 1, 2, 1, 1, 1, 1, 1, 1]


# --- places -------------------------------------------------------------------------------------------------------


def measured_again(east: float):
    def change(tables) -> None:
        columns_of("readings", "easting", r2=500_300, r3=500_300 + east)(tables)
        columns_of("readings", "northing", r2=4_798_800, r3=4_798_800)(tables)

    return change


def test_a_stake_that_moves_300_metres_between_visits_is_kept_and_doubted(tmp_path) -> None:
    data = field(tmp_path, measured_again(300))
    assert [(doubt.sheet, doubt.cell, doubt.found) for doubt in data.doubts] == [
        ("readings", "I3", "stake 1 300 m from where it stood before")
    ]
    assert data.readings["easting"].tolist()[:2] == [500_300, 500_600]
    assert not field(tmp_path, measured_again(30)).doubts


def test_a_stake_that_moves_further_than_ice_can_is_refused(tmp_path) -> None:
    found, expected, remedy = refused(tmp_path, measured_again(1500))["readings!I3"]
    assert (found, expected) == ("stake 1 1500 m from where it stood before", "a place within 1000 m of the last one")
    assert remedy == "a stake set elsewhere is another stake: give it a number of its own"


def test_a_stake_with_two_positions_in_the_sheet_of_stakes_is_refused(tmp_path) -> None:
    def again(tables) -> None:
        tables["stakes"].append([1, 500_600, 4_798_800, 3480])

    assert refused(tmp_path, again)["stakes!A7"][0] == "1 a second time, with easting 500600 where row 3 has 500300"


def test_exchanged_longitude_and_latitude_are_refused_and_named(tmp_path) -> None:
    def exchange(tables) -> None:
        tables["stakes"][1] = ["stake", "longitude", "latitude", "elevation (m)"]
        for row in tables["stakes"][2:]:
            row[1:3] = [87.004, 43.343]
        tables["stakes"][4][1:3] = [43.343, 87.004]

    errors = refused(tmp_path, exchange)
    assert list(errors) == ["stakes!B5"]
    assert errors["stakes!B5"][0].startswith("43.343 E, 87.004 N, ")
    assert errors["stakes!B5"][2] == "longitude and latitude may be exchanged"


def test_exchanged_easting_and_northing_are_refused_and_named(tmp_path) -> None:
    found, expected, remedy = refused(tmp_path, put("stakes", {(4, 2): 4_799_100, (4, 3): 500_600}))["stakes!B4"]
    assert found.startswith("easting 4799100, northing 500600, ")
    assert expected == "a place within 100 km of 87.006 E, 43.344 N"
    assert remedy == "easting and northing may be exchanged"


def test_a_position_given_twice_must_be_one_place(tmp_path) -> None:
    def degrees(longitude: float):
        def change(tables) -> None:
            columns_of("stakes", "longitude", r3=longitude)(tables)
            columns_of("stakes", "latitude", r3=43.34205)(tables)

        return change

    errors = refused(tmp_path, degrees(87.05))
    assert errors["stakes!B3"][:2] == (
        "easting and northing 4 km from longitude and latitude",
        "the same place in EPSG:32645",
    )
    doubts = field(tmp_path, degrees(87.0046)).doubts
    assert [(doubt.cell, doubt.meaning) for doubt in doubts] == [
        ("B3", "both kept; easting and northing place the point")
    ]
    assert not field(tmp_path, degrees(87.0037)).doubts


def test_a_stake_beyond_every_band_is_doubted(tmp_path) -> None:
    doubts = field(tmp_path, put("stakes", {(3, 4): 3050})).doubts
    assert [(doubt.sheet, doubt.cell, doubt.found) for doubt in doubts] == [
        ("stakes", "D3", "3050 m, where the glacier reaches from 3400 to 3900 m")
    ]


# --- dates and years ----------------------------------------------------------------------------------------------


def test_a_date_after_the_publication_is_refused(tmp_path) -> None:
    change = put("readings", {(3, 3): date(2031, 8, 26)})
    assert refused(tmp_path, change, not_after=date(2024, 5, 1)) == {
        "readings!C3": ("2031-08-26", "date no later than 2024-05-01", "")
    }
    assert field(tmp_path, not_after=date(2004, 8, 26)).readings.shape[0] == 8


def test_a_year_after_the_publication_is_refused(tmp_path) -> None:
    errors = refused(tmp_path, put("hypsometry", {(3, 1): 2034}), not_after=date(2024, 5, 1))
    assert errors == {"hypsometry!A3": ("2034", "year no later than 2024", "")}


def test_without_a_limit_a_date_far_from_all_others_is_doubted(tmp_path) -> None:
    doubts = field(tmp_path, put("readings", {(3, 3): date(2040, 8, 26)})).doubts
    assert [(doubt.cell, doubt.found) for doubt in doubts] == [
        ("C3", "2040-08-26, 36 years after the nearest of the other dates")
    ]
    assert not field(tmp_path, put("readings", {(3, 3): date(2012, 8, 26)})).doubts


@pytest.mark.parametrize("typed", [date(2204, 8, 26), "1704-08-26"])
def test_a_date_that_no_workbook_can_hold_is_refused(tmp_path, typed) -> None:
    found, expected, _ = refused(tmp_path, put("readings", {(3, 3): typed}))["readings!C3"]
    assert found == repr(str(typed))
    assert expected == "date: a date such as 2003-08-27, from 1800 to 2100"


def test_a_reading_older_than_its_stake_is_doubted(tmp_path) -> None:
    doubts = field(tmp_path, columns_of("stakes", "installed", r3=date(2004, 1, 1), r4=date(2003, 8, 27))).doubts
    assert [(doubt.sheet, doubt.cell, doubt.found) for doubt in doubts] == [
        ("readings", "C2", "2003-08-27, before stake 1 was installed on 2004-01-01")
    ]


def test_years_typed_as_text_are_read_and_noted(tmp_path) -> None:
    change = put("hypsometry", {(2, 1): "2004", (3, 1): "2003/04", (4, 1): "2004年", (5, 1): " 2003-2004 "})
    data = field(tmp_path, change)
    assert data.hypsometry["year"].tolist() == [2004] * 5
    notes = {note.cell: (note.found, note.used) for note in data.corrections if note.sheet == "hypsometry"}
    assert notes["A2"] == ("2004", "2004")
    assert notes["A3"] == ("2003/04", "2004")
    assert set(notes) == {"A2", "A3", "A4", "A5"}


@pytest.mark.parametrize("typed", ["2003/2005", "03/04", 99, "last year", 2004.5, date(2004, 1, 1)])
def test_what_is_no_year_is_refused(tmp_path, typed) -> None:
    found, expected, _ = refused(tmp_path, put("hypsometry", {(3, 1): typed}))["hypsometry!A3"]
    assert found == repr(typed.isoformat() if isinstance(typed, date) else typed)
    assert expected == "year: a year from 1800 to 2100"


def test_a_sheet_from_the_newest_reading_down_is_in_order(tmp_path) -> None:
    def turn(tables) -> None:
        header, *rows = tables["readings"]
        tables["readings"] = [header, *rows[::-1]]

    assert field(tmp_path, turn).readings["date"].tolist()[:2] == [date(2004, 8, 26), date(2003, 8, 27)]


# --- kept though it looks wrong, and said -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "place", "typed", "cell", "found"),
    [
        ("readings", (3, 3), "2002-08-26", "C3", "2002-08-26, below a reading of the same leg on 2003-08-27"),
        ("pit_layers", (2, 5), 700, "E2", "snow of 700 kg m-3, where snow has 10 to 600"),
        ("pit_layers", (3, 5), 200, "E3", "firn of 200 kg m-3, where firn has 350 to 860"),
        ("hypsometry", (3, 2), 3450, "B3", "a band from 3450 m, below the end of the band before, 3500 m"),
    ],
)
def test_what_the_science_can_still_use_is_kept_and_doubted(tmp_path, sheet, place, typed, cell, found) -> None:
    assert not [doubt for doubt in field(tmp_path).doubts if doubt.sheet == sheet]
    again = tmp_path / "again"
    again.mkdir()
    data = field(again, put(sheet, {place: typed}))
    assert [(doubt.cell, doubt.found) for doubt in data.doubts if doubt.sheet == sheet] == [(cell, found)]
    assert len(getattr(data, sheet)) == len(sheets()[sheet]) - 1 - (sheet == "readings")  # an empty row there


# --- cells that hold no number ------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["n/a", "-", "—", "N/A", " na ", "/", "缺测", "无", "Ｎ／Ａ"])
def test_words_for_not_measured_are_empty_and_noted(tmp_path, typed) -> None:
    data = field(tmp_path, put("readings", {(3, 5): typed}))
    assert data.readings["stake_length_m"].isna().tolist()[:2] == [False, True]
    assert ("E3", typed, "empty: not measured") in {(n.cell, n.found, n.used) for n in data.corrections}


def test_a_word_for_not_measured_where_a_value_must_stand_is_refused(tmp_path) -> None:
    found, expected, _ = refused(tmp_path, put("hypsometry", {(3, 4): "n/a"}))["hypsometry!D3"]
    assert (found, expected) == ("'n/a'", "area_km2: a number (km2) of at least 0")


def test_99_beyond_the_bounds_is_refused_with_what_to_do(tmp_path) -> None:
    change = columns_of("readings", "tilt (deg)", r3=99)
    found, expected, remedy = refused(tmp_path, change)["readings!I3"]
    assert (found, expected) == ("99", "tilt_deg: a number (degree) from 0 to 85")
    assert remedy == "leave the cell empty if 99 stands for 'not measured'"


def test_99_within_the_bounds_is_kept_and_doubted_where_it_stands_apart(tmp_path) -> None:
    change = put("readings", {(row, 6): depth for row, depth in ((2, 99), (3, 10), (5, 20), (6, 99), (10, 40))})
    data = field(tmp_path, change)
    assert data.readings["snow_depth_m"].max() == 0.99
    assert [(doubt.cell, doubt.found) for doubt in data.doubts] == [
        ("F2", "99 in 2 cells of the column, beyond every other number of it")
    ]
    among_others = put("readings", {(row, 6): depth for row, depth in ((2, 99), (3, 10), (5, 120), (6, 99))})
    assert not field(tmp_path, among_others).doubts


@pytest.mark.parametrize("typed", ["#DIV/0!", "#REF!", "#VALUE!", "#N/A", "#NAME?"])
@pytest.mark.parametrize(("sheet", "cell", "name"), [("readings", (3, 4), "D3"), ("stakes", (3, 1), "A3")])
def test_formula_errors_are_refused_in_numbers_and_in_names(tmp_path, typed, sheet, cell, name) -> None:
    found, _, remedy = refused(tmp_path, put(sheet, {cell: typed}))[f"{sheet}!{name}"]
    assert found == repr(typed)
    assert remedy == "correct the formula, or leave the cell empty if nothing was measured"


def test_formula_errors_of_a_legacy_workbook_are_refused(tmp_path) -> None:
    def break_cell(book) -> None:
        book.get_sheet("readings").row(2).set_cell_error(12, 7)

    tables = sheets()
    tables["readings"][0] += [None] * 4 + ["tilt"]
    path = write_legacy_workbook(tmp_path / "field.xls", tables, break_cell)
    with pytest.raises(BadInput, match=r"field.xls: sheet readings: cell M3: found '#DIV/0!'; expected tilt_deg"):
        read_field_data(path)


def test_a_date_in_a_number_is_refused_with_what_a_spreadsheet_did(tmp_path) -> None:
    found, _, remedy = refused(tmp_path, put("readings", {(3, 4): datetime(2004, 5, 1)}))["readings!D3"]
    assert found == "'2004-05-01'"
    assert remedy.startswith("a spreadsheet took a number for a date")


def test_a_date_in_a_name_is_refused(tmp_path) -> None:
    assert "readings!A3" in refused(tmp_path, put("readings", {(3, 1): datetime(2004, 3, 2)}))


# --- numbers that cannot be ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sheet", "row", "column", "cell", "name"),
    [("readings", 3, 4, "D3", "exposed_m"), ("readings", 10, 6, "F10", "snow_depth_m"),
     ("pit_layers", 2, 3, "C2", "top_m"), ("pit_layers", 2, 4, "D2", "bottom_m")],
)  # fmt: skip
def test_a_negative_thickness_is_refused(tmp_path, sheet, row, column, cell, name) -> None:
    found, expected, _ = refused(tmp_path, put(sheet, {(row, column): -5}))[f"{sheet}!{cell}"]
    assert found == "-5"
    assert re.match(rf"{name}: a number \(cm\) from 0 to 20 m", expected)


def test_a_layer_of_negative_thickness_is_refused(tmp_path) -> None:
    found, _, _ = refused(tmp_path, put("pit_layers", {(2, 3): 30, (2, 4): 0}))["pit_layers!D2"]
    assert found == "layer 1 of pit P1 from 0.3 to 0 m"


def test_a_density_in_grams_under_a_header_in_kilograms_is_refused(tmp_path) -> None:
    found, expected, remedy = refused(tmp_path, put("pit_layers", {(2, 5): 0.38}))["pit_layers!E2"]
    assert (found, expected) == ("0.38", "density_kg_m3: a number (kg m-3) from 10 to 917")
    assert remedy == "0.38 looks like g cm-3: write the unit into the header"


def test_densities_in_grams_under_a_header_without_a_unit_are_converted_and_noted(tmp_path) -> None:
    data = field(tmp_path, put("pit_layers", {(1, 5): "density", (2, 5): 0.38, (3, 5): 0.44}))
    assert data.pit_layers["density_kg_m3"].tolist() == [380.0, 440.0]
    notes = {note.cell: (note.found, note.used) for note in data.corrections if note.sheet == "pit_layers"}
    assert notes["E1"] == ("density_kg_m3 without a unit", "g cm-3, for every value lies between 0.01 and 1")


def test_mixed_units_of_density_are_refused(tmp_path) -> None:
    errors = refused(tmp_path, put("pit_layers", {(1, 5): "density", (2, 5): 0.38}))
    assert list(errors) == ["pit_layers!E2"]


def test_centimetres_under_a_header_without_a_unit_are_refused_with_what_they_would_be(tmp_path) -> None:
    found, _, remedy = refused(tmp_path, put("readings", {(1, 4): "exposed"}))["readings!D3"]
    assert found == "230"
    assert remedy == "230 m is 2.3 m if typed in cm: write the unit into the header"


# --- sheets and columns -------------------------------------------------------------------------------------------


def test_two_sheets_for_one_table_are_refused(tmp_path) -> None:
    def twice(tables) -> None:
        tables["花杆读数"] = [list(row) for row in tables["readings"]]

    errors = refused(tmp_path, twice)
    assert errors["花杆读数!"][:2] == ("a second sheet of readings, beside 'readings'", "one sheet a table")


def test_two_columns_of_one_quantity_are_refused(tmp_path) -> None:
    found, expected, _ = refused(tmp_path, columns_of("readings", "exposed_m"))["readings!I1"]
    assert (found, expected) == ("column 'exposed_m', which stands there before", "each column once")


def test_a_workbook_without_observations_is_refused(tmp_path) -> None:
    def empty(tables) -> None:
        tables["readings"] = tables["readings"][:1]
        del tables["snow_pits"], tables["pit_layers"]

    with pytest.raises(BadInput, match=r"field.xlsx: found no observation; expected rows in 'readings', 'snow_pits'"):
        field(tmp_path, empty)


def test_one_slip_gives_one_error(tmp_path) -> None:
    """A stake whose number cannot be read does not make all its readings wrong, nor a lost date a disorder."""
    assert list(refused(tmp_path, put("stakes", {(3, 1): "#REF!"}))) == ["stakes!A3"]
    assert list(refused(tmp_path, put("readings", {(2, 3): "soon"}))) == ["readings!C2"]
    assert list(refused(tmp_path, put("readings", {(2, 4): -1}))) == ["readings!D2"]
    assert list(refused(tmp_path, put("stakes", {(2, 1): "name of it"}))) == ["stakes!"]
    assert list(refused(tmp_path, put("glacier", {(1, 3): "where"}))) == ["glacier!"]


def test_neighbours_that_contradict_each_other_are_extrapolated_to_no_other_band(tmp_path) -> None:
    """Four stakes within six metres of height whose balances differ by two metres would give any number at all."""

    def crowd(tables) -> None:
        for number, row in enumerate(tables["stakes"][2:]):
            row[3] = 3610 + 2 * number

    year = balance(tmp_path, crowd).years[0]
    assert year.annual_m_we is None
    assert "gradient_unknown" in year.flags


def test_a_refused_workbook_says_what_is_doubtful_besides(tmp_path) -> None:
    change = put("readings", {(2, 4): "about 50", (3, 3): date(2044, 8, 26)})
    with pytest.raises(ManyBadInputs) as caught:
        field(tmp_path, change)
    assert [error.cell for error in caught.value.errors] == ["D2"]
    assert [(doubt.cell, doubt.found[:10]) for doubt in caught.value.doubts] == [("C3", "2044-08-26")]


def test_readings_without_an_exposed_length_are_said(tmp_path) -> None:
    data = field(tmp_path, put("readings", {(1, 4): "stick (cm)"}))
    assert data.readings["exposed_m"].isna().all()
    assert [doubt.found for doubt in data.doubts] == ["no exposed length in any of 8 readings"]


@pytest.mark.parametrize("header", ["露出长度 (cm)", "测杆露出长度（cm）", "花杆读数(cm)"])
def test_chinese_names_of_the_exposed_length_are_known(tmp_path, header) -> None:
    assert field(tmp_path, put("readings", {(1, 4): header})).readings["exposed_m"].iloc[0] == 0.5


def test_a_code_that_stands_alone_in_its_column_is_doubted(tmp_path) -> None:
    data = field(tmp_path, put("readings", {(1, 6): "snow depth (m)", (2, 6): 9.99, (6, 6): 9.99, (10, 6): None}))
    assert [doubt.cell for doubt in data.doubts if "9.99 in 2 cells" in doubt.found] == ["F2"]
