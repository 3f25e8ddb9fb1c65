"""A new dataset: the definition that is written, its workbook, and what is said of a portal record."""

import json
import tomllib
from datetime import date
from pathlib import Path

import openpyxl
import pytest

from catalog.start.ncdc_record import parse_portal_record, without_markup
from catalog.start.start import blanks_of, init_definition, init_from_ncdc
from catalog.start.workbook_template import EXAMPLE_SHEET, LAST_ROW, example_row, header_of, workbook_template
from pipeline.mass_balance.fieldwork.read import read_field_data
from schemas.definition import ElevationChangeDefinition, MassBalanceDefinition, Pair, read_definition
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings, MassBalanceSettings
from schemas.tables import READING_STATUS, WORKBOOK_SHEETS

# --- the definition ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "model", "settings"),
    [
        ("elevation_change", ElevationChangeDefinition, ElevationChangeSettings()),
        ("mass_balance", MassBalanceDefinition, MassBalanceSettings()),
    ],
)
def test_new_definition_is_valid_with_default_settings(tmp_path, kind, model, settings):
    paths = init_definition("range-x", tmp_path, kind)
    definition = read_definition(tmp_path / "range-x.toml")
    assert paths[0] == tmp_path / "range-x.toml"
    assert type(definition) is model
    assert (definition.id, definition.processing) == ("range-x", settings)


@pytest.mark.parametrize("kind", ["elevation_change", "mass_balance"])
def test_every_setting_stands_there_with_its_default(tmp_path, kind):
    """Taking the # away from a setting that has a default leaves the definition as it was."""
    init_definition("range-x", tmp_path, kind)
    path = tmp_path / "range-x.toml"
    before = read_definition(path)
    head, _, settings = path.read_text(encoding="utf-8").partition("[processing]\n")
    lines = settings.splitlines()
    opened = [line.removeprefix("#") if line[1:2] != " " and "(none)" not in line else line for line in lines]
    assert sum(line != was for line, was in zip(opened, lines, strict=True)) > 10
    path.write_text(head + "[processing]\n" + "\n".join(opened), encoding="utf-8")
    assert read_definition(path) == before
    assert all(f"#{name} = " in settings for name in type(before.processing).model_fields)


def test_blanks_are_listed_until_they_are_filled(tmp_path):
    init_definition("range-x", tmp_path, "elevation_change")
    path = tmp_path / "range-x.toml"
    before = blanks_of(path)
    assert 'publisher = "not stated"  # FILL IN: the institution that publishes' in " ".join(before)
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace('publisher = "not stated"  # FILL IN: the institution that publishes', 'publisher = "A"')
    )
    assert len(blanks_of(path)) == len(before) - 1


def test_mass_balance_names_its_workbook(tmp_path):
    paths = init_definition("range-x", tmp_path, "mass_balance")
    assert [path.name for path in paths] == ["range-x.toml", "range-x-workbook.xlsx"]
    assert read_definition(paths[0]).source("workbook").files == ("range-x-workbook.xlsx",)


@pytest.mark.parametrize("name", ["Range", "range x", "../range", "range_x", "-range", "", "r" * 81, "range-"])
def test_unusable_names_are_refused(tmp_path, name):
    with pytest.raises(BadInput, match="expected lower-case letters, digits and single hyphens, at most 80"):
        init_definition(name, tmp_path / "new", "mass_balance")
    assert not (tmp_path / "new").exists()


def test_unknown_kind_is_refused(tmp_path):
    with pytest.raises(BadInput, match="found 'velocity'; expected elevation_change or mass_balance"):
        init_definition("range-x", tmp_path, "velocity")


@pytest.mark.parametrize("taken", ["range-x.toml", "range-x-workbook.xlsx"])
def test_nothing_is_overwritten(tmp_path, taken):
    (tmp_path / taken).write_text("mine")
    with pytest.raises(BadInput, match=rf"{taken}: found a file that is there already; .* nothing was written"):
        init_definition("range-x", tmp_path, "mass_balance")
    assert [path.name for path in tmp_path.iterdir()] == [taken]
    assert (tmp_path / taken).read_text() == "mine"


def test_folder_that_cannot_be_made_is_explained(tmp_path):
    with pytest.raises(BadInput, match="expected a folder that can be written to"):
        init_definition("range-x", tmp_path / "absent" / "deeper", "mass_balance")
    (tmp_path / "file").write_text("x")
    with pytest.raises(BadInput, match="expected a folder that can be written to"):
        init_definition("range-x", tmp_path / "file", "mass_balance")


# --- the workbook ------------------------------------------------------------------------------------------------


@pytest.fixture
def template(tmp_path) -> Path:
    workbook_template(tmp_path / "template.xlsx")
    return tmp_path / "template.xlsx"


def test_workbook_has_a_sheet_a_table_with_units_and_meanings(template):
    book = openpyxl.load_workbook(template)
    assert book.sheetnames == ["read me", *(table.name for table in WORKBOOK_SHEETS), EXAMPLE_SHEET]
    for table in WORKBOOK_SHEETS:
        sheet = book[table.name]
        assert [cell.value for cell in sheet[1]] == [header_of(column) for column in table.columns]
        assert sheet.freeze_panes == "A2"
        for cell, column in zip(sheet[1], table.columns, strict=True):
            assert column.meaning in cell.comment.text
            assert not column.unit or column.unit in cell.comment.text
    assert book["stakes"]["B1"].value == "longitude (degree)"
    assert book["readings"]["D1"].value == "exposed_m"


def test_lists_and_bounds_are_offered(template):
    book = openpyxl.load_workbook(template)
    rules = {str(rule.sqref): rule for rule in book["readings"].data_validations.dataValidation}
    columns = [column.name for column in next(table for table in WORKBOOK_SHEETS if table.name == "readings").columns]
    letter = openpyxl.utils.get_column_letter
    status = rules[f"{letter(columns.index('status') + 1)}2:{letter(columns.index('status') + 1)}{LAST_ROW}"]
    assert (status.type, status.formula1) == ("list", f'"{",".join(READING_STATUS)}"')
    exposed = rules[f"{letter(columns.index('exposed_m') + 1)}2:{letter(columns.index('exposed_m') + 1)}{LAST_ROW}"]
    assert (exposed.type, exposed.formula1, exposed.formula2) == ("decimal", "0", "20")


def test_empty_template_holds_no_data(template):
    """The reader finds the sheets, and nothing in them: the example is not taken for an observation."""
    with pytest.raises(BadInput, match="sheet glacier: found no glacier row"):
        read_field_data(template)


def test_filled_template_is_read_back(template):
    book = openpyxl.load_workbook(template)
    for table in WORKBOOK_SHEETS:
        for number, value in enumerate(example_row(table), start=1):
            book[table.name].cell(2, number, value)
    book.save(template)
    data = read_field_data(template)
    assert data.glacier.name == "Example Glacier"
    assert not data.corrections
    for table in WORKBOOK_SHEETS[1:]:
        frame = getattr(data, table.name)
        assert len(frame) == 1, table.name
        for column, value in zip(table.columns, example_row(table), strict=True):
            if value is not None:
                found = frame.iloc[0][column.name]
                assert found == (pytest.approx(value) if isinstance(value, float) else value), column.name


def test_workbook_is_the_same_bytes_each_time(template, tmp_path):
    workbook_template(tmp_path / "again.xlsx")
    assert (tmp_path / "again.xlsx").read_bytes() == template.read_bytes()


# --- from a record of the portal ---------------------------------------------------------------------------------

RECORD = {
    "id": "22322d3e",
    "created": "2023-08-31 12:27:01",
    "updated": "2026-05-05T16:47:43Z",
    "title_cn": "1959-2022年某冰川物质平衡数据集",
    "title_en": "Glacier mass balance dataset of Glacier X in 1959-2021",
    "ds_abstract": '<p>&emsp;&emsp;本数据是"某冰川"的数据。</p><br/>第二段',
    "ds_source": "<p>定期测量花杆高度</p>",
    "ds_process_way": "Stakes & pits, where a < b; C:\\data",
    "ds_quality": "WGMS",
    "ds_acq_start_time": "1959-05-01 00:00:00",
    "ds_acq_end_time": "2022-10-01 00:00:00",
    "ds_acq_place": "天山",
    "ds_acq_lon_east": 86.11,
    "ds_acq_lat_south": 43.03,
    "ds_acq_lon_west": 86.14,
    "ds_acq_lat_north": 43.02,
    "ds_acq_alt_low": None,
    "ds_acq_alt_high": None,
    "ds_total_size": 12112,
    "ds_format": "XLS",
    "ds_coordinate": "无",
    "ds_projection": "",
    "ds_serv_man": "Somebody",
    "ds_serv_phone": "0931",
    "ds_serv_mail": "a@example.org",
    "doi_value": "https://doi.org/10.12072/ncdc.x.db0001.2023",
    "ds_topic_tags": ["冰川", "物质平衡"],
    "ds_locus_tags": "天山，乌鲁木齐",
    "ds_projects": [{"code": "2023X", "title": "A project"}],
    "ds_meta_authors": [{"name_cn": "某人"}, "Another"],
}


def record_file(tmp_path: Path, **changes) -> Path:
    path = tmp_path / "record.json"
    path.write_text(json.dumps(RECORD | changes, ensure_ascii=False), encoding="utf-8")
    return path


def defects_of(**changes) -> tuple[str, ...]:
    return parse_portal_record(RECORD | changes).defects


def test_record_becomes_a_valid_definition(tmp_path):
    paths, defects = init_from_ncdc(record_file(tmp_path), "glacier-x", tmp_path / "new")
    definition = read_definition(paths[0])
    assert isinstance(definition, MassBalanceDefinition)
    assert [path.name for path in paths] == ["glacier-x.toml", "glacier-x-workbook.xlsx"]
    assert definition.original.description == definition.reading.description.cn
    assert definition.original.processing_method == RECORD["ds_process_way"]
    assert definition.reading.description.cn == '本数据是"某冰川"的数据。\n第二段'
    assert definition.reading.description.en == "not stated"
    assert definition.reading.processing_method.en == "Stakes & pits, where a < b; C:\\data"
    assert (definition.period.start, definition.period.end) == (date(1959, 5, 1), date(2022, 10, 1))
    assert (definition.extent.south, definition.extent.north) == (43.02, 43.03)
    assert (definition.extent.west, definition.extent.east) == (86.11, 86.14)
    assert (definition.extent.origin, definition.extent.basis) == ("filled", "the record's corners, put in order")
    assert definition.doi == "10.12072/ncdc.x.db0001.2023"
    assert definition.original.keywords.place == ("天山", "乌鲁木齐")
    assert (definition.project.number, definition.project.name) == ("2023X", "A project")
    assert definition.original.author == "某人, Another"
    assert definition.contacts[0].email == "a@example.org"
    assert definition.reading.notes == tuple(f"portal record: {defect}" for defect in defects[2:]), "all but markup"


def test_every_defect_of_the_record_is_named():
    assert defects_of() == (
        "ds_abstract: HTML in text (<p>, &emsp;); removed",
        "ds_source: HTML in text (<p>); removed",
        "ds_acq_lon_west 86.14, ds_acq_lon_east 86.11: swapped; put in order",
        "ds_acq_lat_south 43.03, ds_acq_lat_north 43.02: swapped; put in order",
        "created: '2023-08-31 12:27:01' has no time zone; read as a day",
        "ds_acq_start_time: '1959-05-01 00:00:00' has no time zone; read as a day",
        "ds_acq_end_time: '2022-10-01 00:00:00' has no time zone; read as a day",
        "years disagree: title_cn says 1959, 2022, title_en says 1959, 2021; both kept",
        "ds_acq_alt_low, ds_acq_alt_high: null; left to be filled in",
        "doi_value: 'https://doi.org/10.12072/ncdc.x.db0001.2023' is not a bare DOI; "
        "'10.12072/ncdc.x.db0001.2023' taken",
    )


CLEAN = {
    "created": None,
    "title_cn": "某冰川",
    "ds_abstract": "text",
    "ds_source": "text",
    "title_en": "Glacier X",
    "ds_acq_start_time": "1959-05-01",
    "ds_acq_end_time": "2022-10-01",
    "ds_acq_lon_west": 86.0,
    "ds_acq_lat_south": 43.0,
    "ds_acq_alt_low": 3000,
    "ds_acq_alt_high": "4000",
    "doi_value": None,
}


def test_clean_record_has_no_defect():
    assert defects_of(**CLEAN) == ()


@pytest.mark.parametrize(
    ("change", "defect"),
    [
        ({"ds_acq_lon_east": None}, "ds_acq_lon_east: null or no number; the extent is left to be filled in"),
        ({"ds_acq_lat_north": "43°06′"}, "ds_acq_lat_north: null or no number; the extent is left to be filled in"),
        ({"ds_acq_lat_north": 430.2}, "corners: west 86, south 43, east 86.11, north 430.2 are no box on the globe"),
        ({"ds_acq_lat_north": 43.0}, "are no box on the globe"),
        ({"ds_acq_end_time": None}, "ds_acq_end_time: null; left to be filled in"),
        ({"ds_acq_start_time": "last summer"}, "ds_acq_start_time: 'last summer' is no date; left to be filled in"),
        ({"ds_acq_end_time": "1950-01-01"}, "ds_acq_end_time 1950-01-01: before ds_acq_start_time 1959-05-01"),
        ({"ds_acq_alt_low": 4500}, "ds_acq_alt_low 4500, ds_acq_alt_high 4000: swapped; put in order"),
        ({"ds_acq_alt_low": -9999}, "ds_acq_alt_low -9999, ds_acq_alt_high 4000: no range on the globe"),
        ({"title_en": "Glacier X in 2031"}, "years disagree: title_en says 2031, the acquisition is 1959-2022"),
        ({"doi_value": "pending"}, "doi_value: 'pending' is no DOI; left empty"),
        ({"ds_quality": "  "}, "ds_quality: empty; left blank"),
        ({"ds_quality": "a\x0bb"}, r"ds_quality: control character '\x0b'; removed"),
    ],
)
def test_each_defect_is_reported_and_survived(tmp_path, change, defect):
    assert any(found.startswith(defect) or defect in found for found in defects_of(**CLEAN | change))
    paths, _ = init_from_ncdc(
        record_file(tmp_path, **CLEAN | change), "glacier-x", tmp_path / "new", "elevation_change"
    )
    read_definition(paths[0])


def test_kind_is_taken_from_the_words_or_from_the_caller(tmp_path):
    record = record_file(tmp_path, title_en="Elevation change", title_cn="高程变化")
    paths, _ = init_from_ncdc(record, "one", tmp_path)
    assert read_definition(paths[0]).kind == "elevation_change"
    paths, _ = init_from_ncdc(record, "two", tmp_path, "mass_balance")
    assert read_definition(paths[0]).kind == "mass_balance"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<p>one</p>\n\n<p class='x'>two</p>", "one\ntwo"),
        ("a&nbsp;b &lt; c<br>d", "a b < c\nd"),
        ("\u2003\u2003indented", "indented"),
        ("density < 900 kg m<sup>-3</sup>, x > 2", "density < 900 kg m-3, x > 2"),
    ],
)
def test_markup_is_removed_and_arithmetic_is_not(text, clean):
    assert without_markup(text) == clean


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "found no JSON"),
        (b"\xff\xfe", "found no JSON"),
        (b"[1, 2]", "found no title_en, title_cn or ds_abstract; expected a record of the portal"),
        (b'{"name": "x"}', "expected a record of the portal"),
    ],
)
def test_what_is_no_record_is_refused(tmp_path, content, message):
    (tmp_path / "record.json").write_bytes(content)
    with pytest.raises(BadInput, match=message):
        init_from_ncdc(tmp_path / "record.json", "glacier-x", tmp_path / "new")
    with pytest.raises(BadInput, match="no such file"):
        init_from_ncdc(tmp_path / "absent.json", "glacier-x", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_pairs_in_a_new_definition_are_written_as_they_are_read(tmp_path):
    init_definition("range-x", tmp_path, "elevation_change")
    lines = (tmp_path / "range-x.toml").read_text(encoding="utf-8").splitlines()
    start = lines.index("# [[pairs]]")
    raw = tomllib.loads("\n".join(line.removeprefix("# ") for line in lines[start : start + 4]))
    pair = Pair.model_validate(raw["pairs"][0])
    assert pair.keys == ("dem_2000", "dem_2010", "outlines_2000", "outlines_2010")
