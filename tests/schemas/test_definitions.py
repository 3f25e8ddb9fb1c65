"""The shipped definitions against the published descriptions, and the refusals of wrong ones."""

import json
import os
import re
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from catalog.build.definitions import DATASETS, default_definitions, read_definitions
from schemas.definition import (
    ElevationChangeDefinition,
    MassBalanceDefinition,
    definition_json_schema,
    parse_definition,
    read_definition,
)
from schemas.errors import BadDefinition
from schemas.settings import ElevationChangeSettings, MassBalanceSettings
from tests.root import ROOT

SEEDS = Path(os.environ.get("GLACIER_SEEDS", ROOT.parent / "shared" / "seeds"))
URUMQI, KUITUN = "urumqi-glacier-elevation-change", "kuitun51-glacier-mass-balance"
BLANK = " \t\u2002\u2003\u2001\u2000"
# every label of the two descriptions; anything else that a line holds must stand in a field
LABELS = (
    "Datasets description",
    "Data source description",
    "Data processing method",
    "Data quality description",
    "Base information",
    "Keywords",
    "Space scope",
    "Service information",
    "Contact information",
    "Project information",
    "Citations and annotations",
    "collect time:",
    "collect place:",
    "altitude:",
    "data size:",
    "data format:",
    "Coordinate system:",
    "Projection",
    "Theme:",
    "Subject:",
    "Time:",
    "Place:",
    "north：",
    "west：",
    "east：",
    "south：",
    "contacts:",
    "phone:",
    "mailbox:",
    "contributors:",
    "author:",
    "manager:",
)
needs_seeds = pytest.mark.skipif(not SEEDS.is_dir(), reason=f"the published descriptions are not at {SEEDS}")


@pytest.fixture(scope="module")
def definitions():
    return {definition.id: definition for definition in default_definitions()}


@pytest.fixture(scope="module")
def descriptions():
    """The published descriptions by dataset id."""
    texts = [path.read_bytes().decode("utf-8") for path in sorted(SEEDS.glob("*.txt"))]
    return {URUMQI if "Urumqi" in text else KUITUN: text for text in texts}


def spoken(original):
    """Every text of an original description, keywords joined as the source joins them."""
    keywords = original.keywords
    fields = [value for name, value in original if name != "keywords"]
    joined = [
        ", ".join(keywords.theme),
        ", ".join(keywords.subject),
        " ".join(keywords.time),
        ", ".join(keywords.place),
    ]
    return [text for text in (*fields, *joined) if text]


# --- word for word ------------------------------------------------------------------------------------------------


@needs_seeds
@pytest.mark.parametrize("dataset", [URUMQI, KUITUN])
def test_every_original_text_stands_in_the_description(dataset, definitions, descriptions):
    for text in spoken(definitions[dataset].original):
        assert text in descriptions[dataset]


@needs_seeds
@pytest.mark.parametrize("dataset", [URUMQI, KUITUN])
def test_every_line_of_the_description_stands_in_a_field(dataset, definitions, descriptions):
    said = set(spoken(definitions[dataset].original))
    project = re.compile("number:(?P<number>.*)，name:(?P<name>.*)")
    for line in descriptions[dataset].splitlines():
        text = line.strip(BLANK)
        if match := project.fullmatch(text):
            assert {match["number"], match["name"]} <= said
            continue
        label = next((label for label in LABELS if text.startswith(label)), "")
        value = text.removeprefix(label).strip(BLANK)
        assert not value or value in said, f"{line!r} is in no field"


@needs_seeds
@pytest.mark.parametrize("dataset", [URUMQI, KUITUN])
def test_a_field_holds_the_value_of_its_own_label(dataset, definitions, descriptions):
    original = definitions[dataset].original
    labels = {
        "collect time:": original.collect_time,
        "collect place:": original.collect_place,
        "altitude:": original.altitude,
        "data size:": original.data_size,
        "data format:": original.data_format,
        "Coordinate system:": original.coordinate_system,
        "Projection": original.projection,
        "north：": original.north,
        "west：": original.west,
        "east：": original.east,
        "south：": original.south,
        "contacts:": original.contacts,
        "phone:": original.phone,
        "mailbox:": original.mailbox,
        "contributors:": original.contributors,
        "author:": original.author,
        "manager:": original.manager,
        "Theme:": ", ".join(original.keywords.theme),
        "Time:": " ".join(original.keywords.time),
    }
    for label, value in labels.items():
        found = [line.strip(BLANK) for line in descriptions[dataset].splitlines()]
        stated = [line.removeprefix(label).strip(BLANK) for line in found if line.startswith(label)]
        assert value == (stated[0] if stated else ""), label


@needs_seeds
def test_sections_are_in_their_fields(definitions, descriptions):
    sections = {
        "Datasets description": "description",
        "Data source description": "data_source",
        "Data processing method": "processing_method",
        "Data quality description": "data_quality",
    }
    for dataset, text in descriptions.items():
        lines = [line.strip(BLANK) for line in text.splitlines()]
        for label, name in sections.items():
            assert getattr(definitions[dataset].original, name) == lines[lines.index(label) + 1]


def test_garbled_terms_stay_in_the_original_and_are_gone_from_the_reading(definitions):
    original, reading = definitions[KUITUN].original, definitions[KUITUN].reading
    told = " ".join(spoken(original))
    clean = " ".join(
        text.en for text in (reading.description, reading.processing_method, reading.data_quality, reading.data_format)
    )
    for garbled in ("flower stem", "flower pole", "material balance", "net equilibrium contour", "excle"):
        assert garbled in told
        assert garbled not in clean
    for term in ("stake", "snow pit", "mass balance", "net-balance contour", "Excel"):
        assert term in clean
    assert "花杆/雪坑法" in reading.description.cn
    assert "物质平衡" in reading.description.cn
    assert "等值线法" in reading.description.cn
    assert "等高线分区法" in reading.data_quality.cn


def test_inner_blanks_of_the_source_are_kept(definitions):
    assert "90 meter resolution DEM. \u2003 \u2003 FABDEM V1-2" in definitions[URUMQI].original.data_source


# --- typed values -------------------------------------------------------------------------------------------------


def test_urumqi_values(definitions):
    definition = definitions[URUMQI]
    assert isinstance(definition, ElevationChangeDefinition)
    extent = definition.extent
    assert (extent.west, extent.south, extent.east, extent.north) == (86.5, 43.0, 87.5, 43.3)
    assert extent.origin == "source"
    assert (definition.period.start, definition.period.end) == (date(2000, 1, 1), date(2010, 12, 31))
    assert definition.period.supported_start == date(2000, 2, 11)
    assert definition.period.supported_end == date(2015, 1, 31)
    assert (definition.altitude.low, definition.altitude.high) == (2500, 4500)
    assert definition.project.number == "2023NCDC008"
    gate = definition.gates[0]
    assert (gate.measure, gate.limit, gate.unit) == ("abs_mean_stable_dh", 0.6, "m")
    assert definition.source("earlier").vertical_datum == "EPSG:5773"
    assert definition.source("later").vertical_datum == "EPSG:3855"
    assert definition.source("later").licence == "CC-BY-NC-SA-4.0"
    assert definition.processing.resolution_m == 30
    assert definition.processing.datum_grid_missing == "coregistration"
    assert definition.doi == ""


def test_typed_values_agree_with_the_original_text(definitions):
    for definition in definitions.values():
        original = definition.original
        start, end = original.collect_time.split("-")
        assert definition.period.start == date(*map(int, start.split("/")))
        assert definition.period.end == date(*map(int, end.split("/")))
        low, high = original.altitude.replace("m", "").split("-")
        assert (definition.altitude.low, definition.altitude.high) == (float(low), float(high))
        for corner in ("north", "west", "east", "south"):
            stated = getattr(original, corner)
            assert definition.extent.origin == ("source" if stated else "filled")
            if stated:
                assert getattr(definition.extent, corner) == float(stated)
        if original.contacts:
            contact = definition.contacts[0]
            assert (contact.name, contact.phone, contact.email) == (
                original.contacts,
                original.phone,
                original.mailbox,
            )
        if definition.keywords.origin == "source":
            assert definition.keywords.en == original.keywords
        years = tuple(str(year) for year in range(definition.period.start.year, definition.period.end.year + 1))
        assert definition.keywords.en.time == years


def test_what_the_second_description_lacks_is_filled_and_marked_or_empty(definitions):
    definition = definitions[KUITUN]
    assert isinstance(definition, MassBalanceDefinition)
    extent = definition.extent
    assert extent.west < 84.391 < extent.east
    assert extent.south < 43.731 < extent.north
    assert extent.east - extent.west < 0.05
    assert extent.north - extent.south < 0.05
    filled = (extent, definition.contacts[0], definition.keywords)
    assert all(part.origin == "filled" and part.basis for part in filled)
    assert definition.contacts[0].name == "National Cryosphere Desert Data Center"
    assert definition.project is None
    empty = ("projection", "contacts", "author", "manager", "project_name", "citation", "citation_intro", "north")
    assert not any(getattr(definition.original, name) for name in empty)
    gate = definition.gates[0]
    assert (gate.measure, gate.limit, gate.unit) == ("sigma_annual_balance", 200, "kg m-2 a-1")
    assert definition.processing.band_height_m == 50
    assert definition.processing.isoline_interval_m_we == 0.1


def test_titles_in_both_languages_name_the_years_of_the_period(definitions):
    for definition in definitions.values():
        for title in (definition.title.en, definition.title.cn):
            years = re.findall(r"(\d{4})-(\d{4})", title)
            assert years == [(str(definition.period.start.year), str(definition.period.end.year))]
        assert any(note.startswith("title:") for note in definition.reading.notes)


def test_every_reading_is_given_in_both_languages(definitions):
    for definition in definitions.values():
        reading = definition.reading
        for name in ("description", "data_source", "processing_method", "data_quality", "collect_place", "data_format"):
            text = getattr(reading, name)
            assert text.en
            assert re.search("[\u4e00-\u9fff]", text.cn), name
        kinds = definition.keywords
        assert [len(words) for _, words in kinds.en] == [len(words) for _, words in kinds.cn]


def test_defaults_come_in_a_fixed_order():
    assert [definition.id for definition in default_definitions()] == [URUMQI, KUITUN]


# --- refusals -----------------------------------------------------------------------------------------------------


def shipped(name=URUMQI):
    return (DATASETS / f"{name}.toml").read_text(encoding="utf-8")


def changed(tmp_path, old, new, name=URUMQI):
    text = shipped(name)
    assert text.count(old) >= 1, old
    path = tmp_path / "changed.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


REFUSALS = {
    "unknown key": ("[altitude]", "[altitude]\nhight = 4500.0", "altitude.hight", "4500.0", "did you mean 'high'"),
    "unknown key at the top": ('doi = ""', 'doi = ""\ncolour = "red"', "colour", "'red'", "one of the keys altitude,"),
    "unknown setting": ("resolution_m = 30.0", "resolution_n = 30.0", "resolution_n", "30.0", "'resolution_m'"),
    "wrong unit": (
        'unit = "m"\nmeaning',
        'unit = "kg m-2 a-1"\nmeaning',
        "gates.0",
        "unit 'kg m-2 a-1' with measure 'abs_mean_stable_dh'",
        "unit 'm'",
    ),
    "unit nobody knows": ('unit = "m"\n\n[[contacts', 'unit = "ft"\n\n[[contacts', "altitude.unit", "'ft'", "'m'"),
    "swapped corners, south and north": (
        "south = 43.00\neast = 87.50\nnorth = 43.30",
        "south = 43.30\neast = 87.50\nnorth = 43.00",
        "extent",
        "south 43.3, north 43.0",
        "south below north",
    ),
    "swapped corners, west and east": (
        "west = 86.50\nsouth = 43.00\neast = 87.50",
        "west = 87.50\nsouth = 43.00\neast = 86.50",
        "extent",
        "west 87.5, east 86.5",
        "west less than east",
    ),
    "latitude for longitude": ("north = 43.30", "north = 143.30", "extent.north", "143.3", "at most 90"),
    "corner in quotes": ("north = 43.30", 'north = "43.30"', "extent.north", "'43.30'", "a number, without quotes"),
    "end before start": (
        "end = 2010-12-31",
        "end = 1999-12-31",
        "period",
        "start 2000-01-01, end 1999-12-31",
        "end on or after start",
    ),
    "a number for a date": ("end = 2010-12-31", "end = 2010", "period.end", "2010", "a date, YYYY-MM-DD"),
    "a word for a date": ("end = 2010-12-31", 'end = "2010"', "period.end", "'2010'", "a date, YYYY-MM-DD"),
    "missing key": ("high = 4500.0\n", "", "altitude.high", "nothing", "the key 'high'"),
    "missing table": ("[extent]", "[[removed]]", "extent", "nothing", "the key 'extent'"),
    "altitudes swapped": ("low = 2500.0", "low = 5500.0", "altitude", "low 5500.0, high 4500.0", "low below high"),
    "filled without a basis": (
        'origin = "source"\n\n[period]',
        'origin = "filled"\n\n[period]',
        "extent",
        "",
        "a basis",
    ),
    "no such origin": (
        'origin = "source"\n\n[period]',
        'origin = "guess"\n\n[period]',
        "",
        "'guess'",
        "'source' or 'fi",
    ),
    "wrong kind": ('kind = "elevation_change"', 'kind = "velocity"', "kind", "'velocity'", "'elevation_change' or"),
    "no kind": ('kind = "elevation_change"', "", "kind", "nothing", "'elevation_change' or 'mass_balance'"),
    "source missing": ('key = "outlines"', 'key = "outline"', "definition", "no source outlines", "sources earlier"),
    "source twice": ('key = "outlines"', 'key = "later"', "definition", "source later twice", "each source once"),
    "gate of the other kind": (
        'measure = "abs_mean_stable_dh"\nlimit = 0.6\nunit = "m"',
        'measure = "sigma_annual_balance"\nlimit = 0.6\nunit = "kg m-2 a-1"',
        "definition",
        "measures 'sigma_annual_balance'",
        "'abs_mean_stable_dh'",
    ),
    "limit of nothing": ("limit = 0.6", "limit = 0.0", "gates.0.limit", "0.0", "a number above 0"),
    "files outside the inputs": ("srtm_v3/*.hgt", "../secret/*.hgt", "sources.0.files.0", "../secret", "without '..'"),
    "absolute files": ("srtm_v3/*.hgt", "/srtm_v3/*.hgt", "sources.0.files.0", "/srtm_v3", "below the inputs folder"),
    "an id that is no folder": (f'id = "{URUMQI}"', 'id = "Urumqi: 2000"', "id", "'Urumqi: 2000'", "lower-case words"),
    "a script for an address": ("https://www.ncdc", "javascript:alert(1)//", "publisher_url", "javascript", "http(s)"),
    "no mail address": ('email = "ncdc@lzb.ac.cn"', 'email = "ncdc"', "contacts.0.email", "'ncdc'", "name@host.domain"),
    "a DOI as an address": ('doi = ""', 'doi = "https://doi.org/10.1/x"', "doi", "https://doi", "bare DOI, or nothing"),
    "an empty reading": (
        '[reading.description]\nen = """',
        '[reading.description]\nen = ""\n[reading.other]\nen = """',
        "reading.description.en",
        "''",
        "a text that is not empty",
    ),
    "a blank text": ('title_cn = "SRTM V3', 'title_cn = " \u3000"  # "', "sources.0.title_cn", "' ", "left out"),
    "a text without width": ('title_cn = "SRTM V3', 'title_cn = "\u200b"  # "', "title_cn", "u200b", "left out"),
    "an empty entry": (
        '"srtm_v3/*.hgt"',
        '""',
        "sources.0.files.0",
        "the blank text ''",
        "a text, or the key left out",
    ),
    "a source without files": ('["srtm_v3/*.hgt"]', "[]", "sources.0.files", "[]", "at least one entry"),
    "a licence in words": (
        'licence = "other"',
        'licence = "free for all"',
        ".licence",
        "'free for all'",
        "SPDX identifier",
    ),
    "a carriage return": ('title_cn = "SRTM V3', 'title_cn = "a\\rb', "title_cn", "'\\r'", "text without them"),
    "a CRS that nobody knows": ('crs = "EPSG:32645"', 'crs = "EPSG:99999"', "crs", "'EPSG:99999'", "that PROJ knows"),
    "a CRS in degrees": ('crs = "EPSG:32645"', 'crs = "EPSG:4326"', "crs", "(WGS 84)", "a projected CRS in metres"),
    "a CRS of heights": (
        'crs = "EPSG:32645"',
        'crs = "EPSG:5773"',
        "crs",
        "(EGM96 height)",
        "a projected CRS in metres",
    ),
    "a CRS in feet": ('crs = "EPSG:32645"', 'crs = "EPSG:2263"', "crs", "(ftUS)", "a projected CRS in metres"),
    "a datum in words": (
        'vertical_datum = "EPSG:5773"',
        'vertical_datum = "EGM96"',
        "sources.0.vertical_datum",
        "'EGM96'",
        "as EPSG:5773",
    ),
    "a datum without heights": (
        'vertical_datum = "EPSG:3855"',
        'vertical_datum = "EPSG:4326"',
        "sources.1.vertical_datum",
        "(WGS 84)",
        "a vertical CRS",
    ),
    "a datum of the settings in words": (
        'vertical_datum_earlier = "EPSG:5773"',
        'vertical_datum_earlier = "geoid"',
        "definition",
        "processing.vertical_datum_earlier 'geoid'",
        "as EPSG:5773",
    ),
    "a CRS of the settings in degrees": (
        'crs = "EPSG:32645"\nresolution_m',
        'crs = "EPSG:4326"\nresolution_m',
        "definition",
        "processing.crs EPSG:4326 (WGS 84)",
        "a projected CRS in metres",
    ),
    "a folder of a machine": (
        'title_cn = "SRTM V3',
        'title_cn = "/home/ann/SRTM V3',
        "sources.0.title_cn",
        "'/home/a'",
        "no folder of a machine",
    ),
    "a control character": ('cn = "天山乌', 'cn = "\\u0007天山乌', "title.cn", "'\\x07'", "text without them"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_wrong_definition_is_refused_with_file_key_found_expected(case, tmp_path):
    old, new, key, found, expected = REFUSALS[case]
    path = changed(tmp_path, old, new)
    with pytest.raises(BadDefinition) as caught:
        read_definition(path)
    error = caught.value
    assert str(path) in error.where
    assert key in error.where
    assert found in error.found
    assert expected in error.expected
    assert str(error).startswith(f"{error.where}: found {error.found}; expected {error.expected}")
    assert "\n" not in str(error)


def test_dates_of_the_supported_period_are_checked_too(tmp_path):
    path = changed(tmp_path, "supported_start = 1999-08-01", "supported_start = 2019-08-01", KUITUN)
    with pytest.raises(BadDefinition, match="supported_end on or after supported_start"):
        read_definition(path)


def test_broken_toml_names_the_line(tmp_path):
    path = changed(tmp_path, "[altitude]", "[altitude")
    with pytest.raises(BadDefinition, match=r"changed.toml: found broken TOML: .*line \d+.*; expected a TOML file"):
        read_definition(path)


def test_not_utf8_names_the_byte(tmp_path):
    path = tmp_path / "latin.toml"
    path.write_bytes(b'kind = "Gletscher\xe4nderung"')
    with pytest.raises(BadDefinition, match=r"latin.toml: found byte 0xe4 at offset 17, which is not UTF-8; expected"):
        read_definition(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(BadDefinition, match=r"none.toml: found no such file; expected a dataset definition"):
        read_definition(tmp_path / "none.toml")
    with pytest.raises(BadDefinition, match=r"(?i)directory; expected a dataset definition that can be read"):
        read_definition(tmp_path)


def test_several_problems_are_counted(tmp_path):
    path = changed(tmp_path, "low = 2500.0\nhigh = 4500.0", "")
    with pytest.raises(BadDefinition, match=r"altitude.low: found nothing; .*; and 1 more of this file"):
        read_definition(path)


def test_one_id_twice_is_refused(tmp_path):
    path = tmp_path / "copy.toml"
    path.write_text(shipped(), encoding="utf-8")
    with pytest.raises(BadDefinition, match=r"copy.toml: id: .*also the id of .*urumqi.*; expected another id"):
        read_definitions((DATASETS / f"{URUMQI}.toml", path))


def test_byte_order_mark_and_carriage_returns_are_read(tmp_path):
    path = tmp_path / "windows.toml"
    path.write_bytes(b"\xef\xbb\xbf" + shipped().replace("\n", "\r\n").encode())
    assert read_definition(path) == read_definition(DATASETS / f"{URUMQI}.toml")


# --- JSON Schema --------------------------------------------------------------------------------------------------


def test_json_schema_accepts_the_shipped_definitions_and_refuses_an_unknown_key(definitions):
    schema = definition_json_schema()
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for definition in definitions.values():
        document = json.loads(definition.model_dump_json(exclude_none=True))
        assert list(validator.iter_errors(document)) == []
        assert parse_definition(document, "again") == definition
        assert list(validator.iter_errors({**document, "colour": "red"}))
        assert list(validator.iter_errors({**document, "kind": "velocity"}))


def test_json_schema_is_the_same_every_time():
    assert json.dumps(definition_json_schema()) == json.dumps(definition_json_schema())


# --- limits of the settings ---------------------------------------------------------------------------------------

NUMBERS = [
    (model, name, field)
    for model in (ElevationChangeSettings, MassBalanceSettings)
    for name, field in model.model_fields.items()
    if type(field.default) in (int, float)
]


@pytest.mark.parametrize(("model", "name", "field"), NUMBERS, ids=[f"{m.__name__}-{n}" for m, n, _ in NUMBERS])
def test_every_number_has_limits_on_both_sides(model, name, field):
    """A number without one overflows, fills the memory or never ends, after the inputs have been read."""
    assert model(**{name: field.default}) == model()
    for extreme in (-(10**30), 10**30):
        with pytest.raises(ValidationError, match=name):
            model(**{name: extreme})


@pytest.mark.parametrize("day", ["02-29", "13-45", "00-10", "04-31"])
def test_a_balance_year_begins_on_a_day_of_every_year(day):
    with pytest.raises(ValidationError, match=f"'{day}' is no day of every year"):
        MassBalanceSettings(year_start=day)
    assert MassBalanceSettings(year_start="04-01").year_start == "04-01"
