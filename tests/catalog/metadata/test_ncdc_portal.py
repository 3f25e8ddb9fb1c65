"""The portal's own form: an export that init began from comes back, field for field, and gives the same definition."""

import json

import pytest

from catalog.metadata import describe
from catalog.metadata.citation import citation_text
from catalog.metadata.ncdc_portal import portal_record
from catalog.start import init_from_ncdc
from schemas.definition import read_definition
from tests.catalog.metadata.test_metadata import FILES, URUMQI, elevation_change, mass_balance

TEXTS = ("ds_abstract", "ds_source", "ds_process_way", "ds_quality", "ds_acq_place")
# an export made up for this test, in the order and with the types of the portal's
EXPORT = {
    "created": "2026-02-05 10:35:25",
    "updated": "2026-05-06 13:11:34",
    "id": "00000000-0000-4000-8000-000000000001",
    "version": 3,
    "ds_topic": None,
    "title_cn": "某流域冰川表面高程变化（2000-2010年）",
    "title_en": "Glacier elevation change of a made-up basin (2000-2010)",
    "ds_abstract": "虚构的摘要。",
    "ds_source": "虚构来源。",
    "ds_process_way": "虚构方法。",
    "ds_quality": "虚构质量。",
    "ds_acq_start_time": "2000-01-01 00:00:00",
    "ds_acq_end_time": "2010-12-31 00:00:00",
    "ds_acq_place": "虚构流域",
    "ds_acq_lon_east": 85,
    "ds_acq_lat_south": 43.0,
    "ds_acq_lon_west": 84.5,
    "ds_acq_lat_north": 44.0,
    "ds_acq_alt_low": None,
    "ds_acq_alt_high": None,
    "ds_share_type": "apply-access",
    "ds_total_size": 1000,
    "ds_files_count": 2,
    "ds_format": "tif",
    "ds_space_res": "30m",
    "ds_time_res": "",
    "ds_coordinate": "WGS84",
    "ds_projection": "UTM",
    "ds_thumbnail": "x.png",
    "ds_thumb_from": 0,
    "ds_ref_way": "",
    "paper_ref_way": "",
    "ds_ref_instruction": "None",
    "ds_from_station": None,
    "organization_id": "00000000-0000-4000-8000-000000000002",
    "ds_serv_man": "某人",
    "ds_serv_phone": "0",
    "ds_serv_mail": "a@example.org",
    "doi_value": "",
    "subject_codes": ["170.45", "170.50"],
    "quality_level": 3,
    "publish_time": "2026-02-06 10:00:00",
    "last_updated": "2026-02-06 10:00:00",
    "protected": False,
    "protected_to": None,
    "lang": "zh",
    "cstr": "11738.11.ncdc.example.2026.1",
    "i18n": {
        "en": {
            "title": "Glacier elevation change of a made-up basin (2000-2010)",
            **{name: f"ENGLISH {name}." for name in TEXTS},
        }
    },
}


def started(export, folder):
    folder.mkdir()
    record = folder / "record.json"
    record.write_text(json.dumps(export, ensure_ascii=False), encoding="utf-8")
    paths, _ = init_from_ncdc(record, "made-up", folder / "new", "elevation_change")
    return read_definition(paths[0])


def written(definition):
    return portal_record(describe(elevation_change(definition)).with_files(FILES))


def test_an_export_carries_both_languages_identifiers_and_times(tmp_path):
    definition = started(EXPORT, tmp_path / "one")
    assert definition.reading.description.en == "ENGLISH ds_abstract."
    assert definition.reading.description.cn == "虚构的摘要。"
    assert definition.reading.collect_place.en == "ENGLISH ds_acq_place."
    assert definition.cstr == "11738.11.ncdc.example.2026.1"
    assert definition.publication_date.isoformat() == "2026-02-06"
    assert definition.portal.fields["ds_share_type"] == "apply-access"
    assert definition.portal.fields["subject_codes"] == ["170.45", "170.50"]


ENGLISH = {
    **{name: EXPORT["i18n"]["en"][name] for name in TEXTS},
    "lang": "en",
    "i18n": {"zh": {"title": EXPORT["title_cn"], **{name: EXPORT[name] for name in TEXTS}}},
}


@pytest.mark.parametrize(
    "change",
    [
        {},
        ENGLISH,
        {"cstr": "11738.11.NCDC.Group.DB0001.2026", "version": None},
        {"version": "V1.0", "subject_codes": [], "protected": None, "cstr": None},
        {"i18n": None, "title_en": None},
        {"ds_acq_alt_low": 3000, "ds_acq_alt_high": 4000.5, "doi_value": "10.12345/made.up"},
        {"i18n": EXPORT["i18n"] | {"ru": {"title": "Название"}}, "ds_outcomes": [{"title": "a paper", "year": 2024}]},
        {"ds_acq_alt_low": -9999, "ds_acq_lat_north": "43°06′", "ds_acq_start_time": "1999 ?"},
        {"ds_acq_lon_east": None, "ds_acq_end_time": None, "publish_time": None, "ds_serv_man": None},
    ],
)
def test_an_export_comes_back_field_for_field(tmp_path, change):
    export = EXPORT | change
    first = started(export, tmp_path / "one")
    record = written(first)
    assert json.dumps(record) == json.dumps(export), "values, types, nulls and order"
    again = started(record, tmp_path / "two")
    assert again == first
    assert written(again) == record


def test_markup_and_swapped_corners_are_not_published_and_missing_fields_are_null(tmp_path):
    export = {name: value for name, value in EXPORT.items() if name not in ("quality_level", "ds_topic")}
    export |= {
        "ds_abstract": "<p>&emsp;&emsp;虚构的摘要。</p>\n<p>二",
        "ds_acq_lat_south": 44.0,
        "ds_acq_lat_north": 43.0,
    }
    record = written(started(export, tmp_path / "one"))
    assert record["ds_abstract"] == "虚构的摘要。\n二"
    assert (record["ds_acq_lat_south"], record["ds_acq_lat_north"]) == (43.0, 44.0)
    assert record["quality_level"] is None
    assert tuple(record) == tuple(EXPORT)
    assert written(started(record, tmp_path / "two")) == record


def test_markup_leaves_the_definition_as_without_it(tmp_path):
    plain = started(EXPORT, tmp_path / "one")
    wrapped = {name: f"<p>&emsp;&emsp;{EXPORT[name]}" for name in TEXTS}
    assert started(EXPORT | wrapped, tmp_path / "two") == plain


def test_what_is_edited_in_the_definition_is_what_is_written(tmp_path):
    definition = started(EXPORT, tmp_path / "one")
    extent = definition.extent.model_copy(update={"north": 44.25})
    record = written(definition.model_copy(update={"extent": extent, "doi": "10.12345/new"}))
    assert (record["ds_acq_lat_north"], record["doi_value"]) == (44.25, "10.12345/new")


@pytest.mark.parametrize("make", [elevation_change, mass_balance])
def test_a_dataset_without_an_export_has_the_form_and_invents_nothing(make, tmp_path):
    record = portal_record(describe(make()).with_files(FILES))
    assert tuple(record) == tuple(EXPORT)
    for name in ("id", "version", "cstr", "doi_value", "ds_share_type", "organization_id", "quality_level"):
        assert record[name] is None, name
    assert record["lang"] == "zh"
    assert record["subject_codes"] == []
    first = started(record, tmp_path / "one")
    assert written(first) == record
    assert started(written(first), tmp_path / "two") == first


def test_a_synthetic_sample_says_so_in_the_portals_form():
    record = portal_record(describe(elevation_change(URUMQI, synthetic=True)).with_files(FILES))
    assert record["title_cn"].startswith("[合成样本]")
    assert record["ds_abstract"].startswith("[合成样本]")
    assert record["i18n"]["en"]["ds_quality"].startswith("[SYNTHETIC SAMPLE]")


def test_the_citation_stands_in_the_national_form_in_both_languages(tmp_path):
    """GB/T 7714-2015, 8.8 to 8.10: authors. title[DS/OL]. publisher, year(day). address. identifier."""
    definition = started(EXPORT | {"doi_value": "10.12345/a", "cstr": "CSTR:11738.11.NCDC.x"}, tmp_path / "one")
    original = definition.original.model_copy(update={"author": "张三；李四"})
    names = {"publisher": "Data Center", "publisher_cn": "数据中心", "original": original}
    lines = citation_text(describe(elevation_change(definition.model_copy(update=names)))).splitlines()
    end = "2026(2026-02-06). https://doi.org/10.12345/a. DOI:10.12345/a. CSTR:11738.11.NCDC.x."
    assert f"张三, 李四. 某流域冰川表面高程变化（2000-2010年）[DS/OL]. 数据中心, {end}" in lines
    assert f"张三, 李四. Glacier elevation change of a made-up basin (2000-2010)[DS/OL]. Data Center, {end}" in lines
    assert "CSTR: 11738.11.NCDC.x" in lines


def test_without_authors_and_identifiers_none_are_made_up():
    text = citation_text(describe(elevation_change()))
    assert "[DS/OL]. 国家冰川冻土沙漠科学数据中心, 2026(2026-11-21). https://www.ncdc.ac.cn.\n" in text
    assert "CSTR" not in text
