"""The renderings of the metadata: one set of facts in all of them, the same bytes every time, inert to hostile text."""

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pystac
import pytest
import yaml
from datacite import schema45
from frictionless import Package
from lxml import etree, html
from markdown_it import MarkdownIt
from owslib.iso import MD_Metadata
from rdflib import RDF, Graph, Namespace
from rocrate.rocrate import ROCrate

from catalog.archive.dataset import Dataset
from catalog.archive.layout import METADATA_FILES
from catalog.build.definitions import DATASETS, default_definitions
from catalog.metadata import render_metadata, write_metadata
from catalog.metadata.facts import describe
from catalog.metadata.json_text import json_text
from catalog.metadata.jsonld import dataset_jsonld, page_document
from catalog.metadata.ncdc import NCDC_FIELDS, OWN_FIELDS
from pipeline.elevation_change.result import DatumStep, ElevationChange, ResolutionCorrection, Shift, Statistics
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.definition import parse_definition
from schemas.errors import FailedCheck
from tests.made.whole_archive import make_datasets, publish_datasets
from tests.root import ROOT

URUMQI, KUITUN = default_definitions()
FILES = (
    ("tables/glaciers.csv", 1200, "ab" * 32, "text/csv"),
    ("elevation-change/thumbnail.png", 34, "cd" * 32, "image/png"),
    ("elevation-change/a change.tif", 5_000_000, "ef" * 32, "image/tiff; application=geotiff"),
)
KERNEL = "{http://datacite.org/schema/kernel-4}"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ISO = {
    "gmd": "http://www.isotc211.org/2005/gmd",
    "gco": "http://www.isotc211.org/2005/gco",
    "gml": "http://www.opengis.net/gml",
}


def rendered(dataset, files=None):
    return render_metadata(describe(dataset).with_files(FILES if files is None else files))


def made(kind, **values):
    """A result with only the values that metadata reads."""
    return kind(**({field.name: None for field in fields(kind)} | values))


def statistics(mean):
    return Statistics(
        count=5000,
        mean_m=mean,
        mean_absolute_m=2.0,
        median_m=mean,
        std_m=3.0,
        nmad_m=2.5,
        rmse_m=3.1,
        le90_m=float("nan"),
    )


def gates(definition, subjects, values, passed):
    gate = definition.gates[0]
    frame = pd.DataFrame({"gate": gate.name, "subject": subjects, "value": values, "limit": gate.limit})
    return frame.assign(unit=gate.unit, passed=passed)


def elevation_change(definition=URUMQI, synthetic=False):
    result = made(
        ElevationChange,
        shift_m=Shift(10.0, -5.0, 0.5),
        resolution=made(ResolutionCorrection, method="point_spread", by_method={}),
        before=statistics(3.21),
        after_coregistration=statistics(0.05),
        after=statistics(-0.04321),
        datum=DatumStep("EPSG:5773", "EPSG:3855", "left to co-registration", "no grid"),
        tables={},
    )
    return Dataset(
        definition=definition,
        result=result,
        inputs=(),
        synthetic=synthetic,
        gates=gates(definition, ["stable terrain"], [0.04321], [True]),
    )


def mass_balance(definition=KUITUN, synthetic=False):
    years = tuple(
        made(BalanceYear, year=year, annual_m_we=-0.37, sigma_annual_m_we=sigma, provenance="observed")
        for year, sigma in ((2000, 0.12), (2001, None))
    )
    result = made(MassBalance, years=years, tables={})
    verdicts = gates(definition, ["2000", "2001"], [120.0, np.nan], np.array([True, False]))
    return Dataset(definition=definition, result=result, inputs=(), synthetic=synthetic, gates=verdicts)


@pytest.fixture(scope="module", params=["urumqi", "kuitun", "urumqi synthetic"])
def case(request):
    """A dataset, its definition and its renderings."""
    synthetic = request.param.endswith("synthetic")
    make = elevation_change if request.param.startswith("urumqi") else mass_balance
    dataset = make(synthetic=synthetic)
    return dataset, dataset.definition, rendered(dataset)


def expected_title(dataset):
    title, mark = dataset.definition.title, dataset.synthetic
    return (f"[SYNTHETIC SAMPLE] {title.en}", f"[合成样本] {title.cn}") if mark else (title.en, title.cn)


def xml(text):
    return etree.fromstring(text.encode(), etree.XMLParser(resolve_entities=False))


def graph(renderings):
    return {entity["@id"]: entity for entity in json.loads(renderings["ro-crate-metadata.json"])["@graph"]}


def iso_texts(renderings, path):
    return [node.text for node in xml(renderings["iso19139.xml"]).xpath(path, namespaces=ISO)]


# --- files --------------------------------------------------------------------------------------------------------


def test_every_file_of_the_layout_is_written_with_line_feeds(tmp_path):
    write_metadata(describe(elevation_change()).with_files(FILES), tmp_path / "metadata")
    written = {path.name: path.read_bytes() for path in (tmp_path / "metadata").iterdir()}
    assert sorted(written) == sorted(METADATA_FILES)
    assert tuple(rendered(elevation_change())) == METADATA_FILES
    for name, content in written.items():
        assert b"\r" not in content, name
        assert content.endswith(b"\n"), name
        assert not content.startswith(b"\xef\xbb\xbf"), name
        content.decode("utf-8")


def test_bytes_do_not_depend_on_the_run_or_on_the_order_of_the_files():
    first = rendered(elevation_change())
    assert rendered(elevation_change(), FILES[::-1]) == first


@pytest.mark.slow
def test_bytes_are_the_same_in_another_process(tmp_path):
    code = (
        "import sys, pathlib; sys.path.insert(0, sys.argv[1]); import tests.catalog.metadata.test_metadata as t;"
        "t.write_metadata(t.describe(t.elevation_change()).with_files(t.FILES), pathlib.Path(sys.argv[2]))"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(tmp_path)]
    environment = {"PYTHONHASHSEED": "7", "TZ": "Asia/Shanghai", "PATH": ""}
    subprocess.run(command, check=True, env=environment, cwd=tmp_path)
    expected = rendered(elevation_change())
    assert {path.name: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()} == expected


def test_no_clock_no_library_version_no_path(case):
    _, _, renderings = case
    for name, text in renderings.items():
        assert "pygeometa" not in text, name
        assert str(ROOT) not in text, name
        assert set(re.findall(r"20[2-9]\d-\d\d-\d\d", text)) <= {"2026-11-21"}, name


# --- one fact, every rendering ------------------------------------------------------------------------------------


def test_title(case):
    dataset, _, renderings = case
    english, chinese = expected_title(dataset)
    ncdc = json.loads(renderings["ncdc.json"])
    assert (ncdc["title_en"], ncdc["title_cn"]) == (english, chinese)
    assert (ncdc["i18n"]["en"]["title"], ncdc["i18n"]["zh"]["title"]) == (english, chinese)
    assert english in renderings["citation.txt"]
    assert chinese in renderings["citation.txt"]
    assert yaml.safe_load(renderings["CITATION.cff"])["title"] == english
    titles = json.loads(renderings["datacite.json"])["titles"]
    assert {title["lang"]: title["title"] for title in titles} == {"en": english, "zh": chinese}
    nodes = xml(renderings["datacite.xml"]).findall(f"{KERNEL}titles/{KERNEL}title")
    assert {node.get(LANG): node.text for node in nodes} == {"en": english, "zh": chinese}
    title = "//gmd:identificationInfo//gmd:citation//gmd:title"
    assert iso_texts(renderings, f"{title}/gco:CharacterString") == [english]
    assert iso_texts(renderings, f"{title}//gmd:LocalisedCharacterString") == [chinese]
    document = json.loads(renderings["dataset.jsonld"])
    assert (document["name"], document["alternateName"]) == (english, chinese)
    root = graph(renderings)["./"]
    assert (root["name"], root["alternateName"]) == (english, chinese)


def test_extent(case):
    _, definition, renderings = case
    extent = definition.extent
    corners = (extent.west, extent.south, extent.east, extent.north)
    ncdc = json.loads(renderings["ncdc.json"])
    sides = ("ds_acq_lon_west", "ds_acq_lat_south", "ds_acq_lon_east", "ds_acq_lat_north")
    assert tuple(ncdc[side] for side in sides) == corners
    box = json.loads(renderings["datacite.json"])["geoLocations"][0]["geoLocationBox"]
    names = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")
    assert tuple(box[name] for name in names) == corners
    root = xml(renderings["datacite.xml"])
    assert tuple(float(root.findtext(f".//{KERNEL}{name}")) for name in names) == corners
    assert tuple(float(iso_texts(renderings, f"//gmd:{name}/gco:Decimal")[0]) for name in names) == corners
    south_west_north_east = [corners[1], corners[0], corners[3], corners[2]]
    boxes = (
        json.loads(renderings["dataset.jsonld"])["spatialCoverage"]["geo"]["box"],
        graph(renderings)["#extent"]["box"],
    )
    for text in boxes:
        assert [float(part) for part in text.split()] == south_west_north_east


def test_dates(case):
    _, definition, renderings = case
    start, end = definition.period.start.isoformat(), definition.period.end.isoformat()
    published = "2026-11-21"
    ncdc = json.loads(renderings["ncdc.json"])
    assert (ncdc["ds_acq_start_time"], ncdc["ds_acq_end_time"]) == (start, end)
    for name in ("created", "updated", "publish_time", "last_updated"):
        assert ncdc[name] == f"{published}T00:00:00Z"
    assert yaml.safe_load(renderings["CITATION.cff"])["date-released"] == published
    assert ", 2026, version 1.0.0." in renderings["citation.txt"]
    supported = f"{definition.period.supported_start}/{definition.period.supported_end}"
    expected = [
        ("Issued", published, None),
        ("Collected", f"{start}/{end}", "as the description claims"),
        ("Collected", supported, "as the sources support"),
    ]
    dates = json.loads(renderings["datacite.json"])["dates"]
    assert [(date["dateType"], date["date"], date.get("dateInformation")) for date in dates] == expected
    nodes = xml(renderings["datacite.xml"]).findall(f"{KERNEL}dates/{KERNEL}date")
    assert [(node.get("dateType"), node.text, node.get("dateInformation")) for node in nodes] == expected
    assert iso_texts(renderings, "//gml:beginPosition") == [start]
    assert iso_texts(renderings, "//gml:endPosition") == [end]
    assert iso_texts(renderings, "//gmd:dateStamp/gco:Date") == [published]
    for document in (json.loads(renderings["dataset.jsonld"]), graph(renderings)["./"]):
        assert document["temporalCoverage"] == f"{start}/{end}"
        assert document["datePublished"] == published


def test_claim_and_support_of_the_dates_stand_in_every_abstract(case):
    _, definition, renderings = case
    abstracts = (
        json.loads(renderings["ncdc.json"])["i18n"]["en"]["ds_abstract"],
        yaml.safe_load(renderings["CITATION.cff"])["abstract"],
        json.loads(renderings["datacite.json"])["descriptions"][0]["description"],
        iso_texts(renderings, "//gmd:abstract/gco:CharacterString")[0],
        json.loads(renderings["dataset.jsonld"])["description"],
        graph(renderings)["./"]["description"],
    )
    assert len(set(abstracts)) == 1
    assert definition.reading.description.en in abstracts[0]
    assert definition.period.note in abstracts[0]


def test_keywords(case):
    _, definition, renderings = case
    english, chinese = definition.keywords.en, definition.keywords.cn
    together = {*english.theme, *english.subject, *english.place, *english.time}
    ncdc = json.loads(renderings["ncdc.json"])
    tags = ("ds_topic_tags", "ds_subject_tags", "ds_time_tags", "ds_locus_tags")
    assert tuple(tuple(ncdc[tag]) for tag in tags) == (english.theme, english.subject, english.time, english.place)
    assert set(yaml.safe_load(renderings["CITATION.cff"])["keywords"]) == together
    subjects = json.loads(renderings["datacite.json"])["subjects"]
    assert {subject["subject"] for subject in subjects if subject["lang"] == "en"} == together
    nodes = xml(renderings["datacite.xml"]).iter(f"{KERNEL}subject")
    assert {node.text for node in nodes if node.get(LANG) == "en"} == together
    assert set(iso_texts(renderings, "//gmd:keyword/gco:CharacterString")) == together
    assert set(chinese.theme) <= set(iso_texts(renderings, "//gmd:keyword//gmd:LocalisedCharacterString"))
    assert set(json.loads(renderings["dataset.jsonld"])["keywords"]) == together
    assert set(graph(renderings)["./"]["keywords"]) == together


def test_contact(case):
    _, definition, renderings = case
    contact = definition.contacts[0]
    expected = (contact.name, contact.phone, contact.email)
    ncdc = json.loads(renderings["ncdc.json"])
    assert (ncdc["ds_serv_man"], ncdc["ds_serv_phone"], ncdc["ds_serv_mail"]) == expected
    found = yaml.safe_load(renderings["CITATION.cff"])["contact"][0]
    assert (found["name"], found["tel"], found["email"]) == expected
    people = json.loads(renderings["datacite.json"])["contributors"]
    assert [person["name"] for person in people if person["contributorType"] == "ContactPerson"] == [contact.name]
    point = "//gmd:identificationInfo//gmd:pointOfContact"
    assert iso_texts(renderings, f"{point}//gmd:individualName/gco:CharacterString") == [contact.name]
    assert iso_texts(renderings, f"{point}//gmd:voice/gco:CharacterString") == [contact.phone]
    assert iso_texts(renderings, f"{point}//gmd:electronicMailAddress/gco:CharacterString") == [contact.email]
    points = (json.loads(renderings["dataset.jsonld"])["publisher"]["contactPoint"][0], graph(renderings)["#contact-1"])
    for entry in points:
        assert (entry["name"], entry["telephone"], entry["email"]) == expected


def test_project(case):
    _, definition, renderings = case
    project = definition.project
    expected = [(project.number, project.name)] if project else []
    ncdc = json.loads(renderings["ncdc.json"])
    assert [(entry["number"], entry["name"]) for entry in ncdc["ds_projects"]] == expected
    awards = json.loads(renderings["datacite.json"]).get("fundingReferences", [])
    assert [(award["awardNumber"], award["awardTitle"]) for award in awards] == expected
    # the source names no funder: DataCite's word for that, not a guess
    assert {award["funderName"] for award in awards} <= {":unav"}
    credits = iso_texts(renderings, "//gmd:credit/gco:CharacterString")
    assert credits == [f"{number}, {name}" for number, name in expected]
    grants = (json.loads(renderings["dataset.jsonld"]).get("funding"), graph(renderings).get("#project"))
    for grant in grants:
        assert ([(grant["identifier"], grant["name"])] if grant else []) == expected
    assert ("2023NCDC008" in renderings["citation.txt"]) == bool(project)


def test_citation_in_both_languages_with_the_sentence_of_the_source(case):
    dataset, definition, renderings = case
    english, chinese = expected_title(dataset)
    cited = f"{english}, National Cryosphere Desert Data Center (www.ncdc.ac.cn), 2026, version 1.0.0."
    lines = renderings["citation.txt"].splitlines()
    assert cited in lines
    assert f"{chinese}，国家冰川冻土沙漠科学数据中心（www.ncdc.ac.cn），2026，版本1.0.0。" in lines
    original = definition.original
    for sentence in (original.citation_intro, original.citation_english_note, original.citation):
        assert not sentence or sentence in lines
    assert json.loads(renderings["ncdc.json"])["ds_ref_way"] == cited
    described = [entry["description"] for entry in json.loads(renderings["datacite.json"])["descriptions"]]
    assert cited in described
    assert iso_texts(renderings, "//gmd:otherCitationDetails/gco:CharacterString") == [cited]
    for document in (json.loads(renderings["dataset.jsonld"]), graph(renderings)["./"]):
        assert document["creditText"].startswith(cited)
        assert document["creditText"].endswith(original.citation)


def test_altitude(case):
    _, definition, renderings = case
    expected = (definition.altitude.low, definition.altitude.high)
    ncdc = json.loads(renderings["ncdc.json"])
    assert (ncdc["ds_acq_alt_low"], ncdc["ds_acq_alt_high"]) == expected
    vertical = "//gmd:EX_VerticalExtent/gmd:{}/gco:Real"
    found = tuple(float(iso_texts(renderings, vertical.format(end))[0]) for end in ("minimumValue", "maximumValue"))
    assert found == expected
    height = json.loads(renderings["dataset.jsonld"])["spatialCoverage"]["additionalProperty"]
    assert (height["minValue"], height["maxValue"]) == expected


def test_no_doi_is_invented_and_a_known_one_is_used_everywhere(case):
    _, _, renderings = case
    own = re.compile(r"10\.\d{4,9}/")
    for name, text in renderings.items():
        known = text.replace("10.5067/MEaSUREs/SRTM/SRTMGL3.003", "")
        known = known.replace("10.5523/bris.s5hqmjcdj8yo2ibzi9b4ew3sn", "").replace("10.5067/F6JMOVY5NAVZ", "")
        assert not own.search(known), name
    assert json.loads(renderings["ncdc.json"])["doi_value"] == ""
    assert json.loads(renderings["ncdc.json"])["cstr"] == ""
    known = rendered(elevation_change(URUMQI.model_copy(update={"doi": "10.12072/test.2026"})))
    for name, text in known.items():
        assert "10.12072/test.2026" in text, name
    identifier = xml(known["datacite.xml"]).find(f"{KERNEL}identifier")
    assert (identifier.get("identifierType"), identifier.text) == ("DOI", "10.12072/test.2026")
    assert yaml.safe_load(known["CITATION.cff"])["doi"] == "10.12072/test.2026"


def test_authors_are_cited_where_the_source_names_them():
    original = URUMQI.original.model_copy(update={"author": "Wang Li; Zhao Min"})
    renderings = rendered(elevation_change(URUMQI.model_copy(update={"original": original})))
    assert f"Wang Li, Zhao Min, {URUMQI.title.en}, National" in renderings["citation.txt"]
    names = [creator["name"] for creator in json.loads(renderings["datacite.json"])["creators"]]
    assert names == ["Wang Li", "Zhao Min"]
    assert [author["name"] for author in yaml.safe_load(renderings["CITATION.cff"])["authors"]] == names
    assert [author["name"] for author in json.loads(renderings["dataset.jsonld"])["creator"]] == names
    entities = graph(renderings)
    assert [entities[author["@id"]]["name"] for author in entities["./"]["author"]] == names


# --- the portal's record ------------------------------------------------------------------------------------------


def test_ncdc_fields_all_present_in_the_portal_order(case):
    dataset, definition, renderings = case
    record = json.loads(renderings["ncdc.json"])
    assert tuple(record) == (*NCDC_FIELDS, *OWN_FIELDS)
    assert len(NCDC_FIELDS) == 60
    assert NCDC_FIELDS[:4] == ("id", "created", "updated", "version")
    assert NCDC_FIELDS[47:49] == ("i18n", "ds_category")
    mark = "[SYNTHETIC SAMPLE] " if dataset.synthetic else ""
    original = definition.original
    assert record["ds_abstract"] == mark + original.description
    assert record["ds_quality"] == mark + original.data_quality
    assert record["ds_source"] == original.data_source
    assert record["ds_process_way"] == original.processing_method
    assert record["ds_format"] == original.data_format
    assert record["source_description"]["data_size"] == original.data_size
    assert record["ds_total_size"] == sum(size for _, size, _, _ in FILES)
    assert record["ds_files_count"] == 3
    assert record["ds_thumbnail"] == "elevation-change/thumbnail.png"
    assert record["synthetic"] is dataset.synthetic
    unknown = ("ds_topic", "ds_share_type", "organization_id", "quality_level", "meta_code", "paper_ref_way")
    assert [record[name] for name in unknown] == [""] * len(unknown)
    assert record["protected"] is None


def test_ncdc_says_every_text_in_both_languages(case):
    _, definition, renderings = case
    record = json.loads(renderings["ncdc.json"])
    english, chinese = record["i18n"]["en"], record["i18n"]["zh"]
    assert list(english) == list(chinese)
    texts = {name for name in NCDC_FIELDS if name.startswith("ds_") and isinstance(record[name], str) and record[name]}
    # addresses, numbers and dates are the same in every language
    alike = {"ds_acq_start_time", "ds_acq_end_time", "ds_thumbnail", "ds_serv_man", "ds_serv_phone", "ds_serv_mail"}
    assert texts - alike <= set(english)
    for name, text in english.items():
        if name not in ("keywords", "ds_coordinate", "ds_projection"):
            assert bool(re.search("[\u4e00-\u9fff]", chinese[name])) == bool(text), name
    assert definition.title.cn in chinese["title"]
    assert chinese["keywords"]["theme"] == list(definition.keywords.cn.theme)


def test_every_word_of_the_source_stands_in_the_portal_record(case):
    _, definition, renderings = case
    assert json.loads(renderings["ncdc.json"])["source_description"] == definition.original.model_dump(mode="json")


def test_ncdc_tells_what_was_filled():
    filled = json.loads(rendered(mass_balance())["ncdc.json"])["filled"]
    assert sorted(filled) == ["contacts.0", "extent", "keywords", "title"]
    assert "CN5Y741C0051" in filled["extent"]
    assert sorted(json.loads(rendered(elevation_change())["ncdc.json"])["filled"]) == ["title"]


def test_computed_quality_stands_apart_from_the_claim():
    record = json.loads(rendered(elevation_change())["ncdc.json"])
    quality = record["computed_quality"]
    assert quality["all_gates_passed"] is True
    assert quality["gates"][0]["value"] == 0.0432
    assert quality["gates"][0]["limit"] == 0.6
    assert quality["statistics"]["stable_terrain"]["before"]["mean_m"] == 3.21
    assert quality["statistics"]["stable_terrain"]["after"]["mean_m"] == -0.0432
    assert quality["statistics"]["stable_terrain"]["after"]["le90_m"] is None
    assert "0.0432" not in record["ds_quality"]


def test_a_failed_gate_is_told_in_every_rendering_that_carries_quality():
    renderings = rendered(mass_balance())
    quality = json.loads(renderings["ncdc.json"])["computed_quality"]
    assert quality["all_gates_passed"] is False
    assert [gate["passed"] for gate in quality["gates"]] == [True, False]
    assert [gate["value"] for gate in quality["gates"]] == [120.0, None]
    assert [year["sigma_annual_m_we"] for year in quality["statistics"]["years"]] == [0.12, None]
    verdicts = iso_texts(renderings, "//gmd:DQ_ConformanceResult/gmd:pass/gco:Boolean")
    assert verdicts == ["true", "false"]
    sentence = "2001: not computed (limit 200 kg m-2 a-1): FAILED"
    for name in ("datacite.json", "datacite.xml", "dataset.jsonld", "ro-crate-metadata.json", "iso19139.xml"):
        assert sentence in renderings[name], name


def test_synthetic_is_said_in_every_file_and_nowhere_else():
    synthetic = rendered(elevation_change(synthetic=True))
    real = rendered(elevation_change())
    for name in METADATA_FILES:
        assert "[SYNTHETIC SAMPLE]" in synthetic[name], name
        assert "synthetic sample" not in real[name].lower(), name
    record = json.loads(synthetic["ncdc.json"])
    for name in ("title_en", "ds_abstract", "ds_quality"):
        assert record[name].startswith("[SYNTHETIC SAMPLE] ")
    assert record["i18n"]["zh"]["ds_abstract"].startswith("[合成样本] ")


# --- standards ----------------------------------------------------------------------------------------------------


def test_datacite_follows_its_schema_and_the_xml_says_the_same(case):
    _, definition, renderings = case
    record = json.loads(renderings["datacite.json"])
    assert list(schema45.validator.iter_errors(record)) == []
    root = xml(renderings["datacite.xml"])
    assert root.tag == f"{KERNEL}resource"
    for required in ("identifier", "creators", "titles", "publisher", "publicationYear", "resourceType"):
        assert len(root.findall(f"{KERNEL}{required}")) == 1, required
        assert "".join(root.find(f"{KERNEL}{required}").itertext()).strip(), required
    names = [child.tag for child in root]
    assert len(names) == len(set(names)), "xs:all allows each child once"
    identifier = root.find(f"{KERNEL}identifier")
    assert (identifier.get("identifierType"), identifier.text) == ("Local accession number", definition.id)
    assert "doi" not in record
    described = root.findall(f"{KERNEL}descriptions/{KERNEL}description")
    assert [(node.get("descriptionType"), node.get(LANG), node.text) for node in described] == [
        (entry["descriptionType"], entry["lang"], entry["description"]) for entry in record["descriptions"]
    ]
    assert root.findtext(f"{KERNEL}version") == definition.version
    assert [node.text for node in root.iter(f"{KERNEL}size")] == ["5001234 bytes", "3 files"]


def test_a_record_against_the_datacite_schema_is_refused():
    period = URUMQI.period.model_copy(update={"start": URUMQI.period.start.replace(year=2000)})
    extent = URUMQI.extent.model_copy(update={"west": 1000.0})
    wrong = URUMQI.model_copy(update={"extent": extent, "period": period})
    with pytest.raises(FailedCheck, match=r"datacite.json: geoLocations/0/.*westBoundLongitude: found 1000.0 is great"):
        rendered(elevation_change(wrong))


def test_citation_file_format(case):
    _, definition, renderings = case
    document = yaml.safe_load(renderings["CITATION.cff"])
    known = {
        "abstract",
        "authors",
        "cff-version",
        "contact",
        "date-released",
        "doi",
        "identifiers",
        "keywords",
        "license",
        "message",
        "preferred-citation",
        "references",
        "title",
        "type",
        "url",
        "version",
    }
    assert {"authors", "cff-version", "message", "title"} <= set(document) <= known
    # what the head of the file has no keys for
    preferred = document["preferred-citation"]
    assert {"authors", "title", "type"} <= set(preferred)
    assert preferred["title"] == document["title"]
    assert preferred["publisher"]["name"] == definition.publisher
    assert preferred["languages"] == ["en", "zh"]
    extent = definition.extent
    assert preferred["notes"].splitlines()[:2] == [
        f"Period: {definition.period.start}/{definition.period.end}",
        f"Extent, west south east north: {extent.west} {extent.south} {extent.east} {extent.north}",
    ]
    assert document["cff-version"] == "1.2.0"
    assert document["type"] == "dataset"
    assert document.get("license", "other") == definition.licence
    entity = {"name", "email", "tel", "website"}
    for person in (*document["authors"], *document["contact"]):
        assert {"name"} <= set(person) <= entity
        assert all(isinstance(value, str) and value for value in person.values())
    for reference in document.get("references", []):
        assert {"authors", "title", "type"} <= set(reference)
        assert reference["type"] == "data"
    for name in ("keywords", "identifiers", "authors", "contact"):
        entries = [json.dumps(entry) for entry in document[name]]
        assert entries
        assert len(set(entries)) == len(entries)
    assert document["identifiers"][0]["type"] == "other"
    # a version or a date that YAML would turn into a number or a date object breaks readers
    assert all(isinstance(document[name], str) for name in ("version", "date-released", "cff-version"))


def test_iso19139_as_an_independent_reader_sees_it(case):
    dataset, definition, renderings = case
    record = MD_Metadata(xml(renderings["iso19139.xml"]))
    identification = record.identification[0]
    assert record.identifier == definition.id
    assert record.hierarchy == "dataset"
    assert record.datestamp == "2026-11-21"
    assert identification.title == expected_title(dataset)[0]
    box = identification.extent.boundingBox
    assert [float(box.minx), float(box.maxy)] == [definition.extent.west, definition.extent.north]
    assert identification.temporalextent_start == definition.period.start.isoformat()
    assert identification.edition == definition.version
    assert record.referencesystem.code == "urn:ogc:def:crs:EPSG::32645"
    assert [(contact.role, contact.organization) for contact in record.contact] == [("publisher", definition.publisher)]
    assert [contact.name for contact in identification.contact] == [definition.contacts[0].name]


def test_iso19139_references_within_the_document_resolve(case):
    _, _, renderings = case
    root = xml(renderings["iso19139.xml"])
    identifiers = [node.get("id") for node in root.iter() if isinstance(node.tag, str) and node.get("id")]
    identifiers += root.xpath("//@gml:id", namespaces=ISO)
    assert len(set(identifiers)) == len(identifiers)
    locales = set(root.xpath("//gmd:LocalisedCharacterString/@locale", namespaces=ISO))
    assert locales == {"#zho"}
    assert "zho" in identifiers
    empty = root.xpath("//gco:CharacterString[not(normalize-space())]", namespaces=ISO)
    assert empty == []


def test_iso19139_children_stand_in_the_order_of_the_standard(case):
    _, _, renderings = case
    root = xml(renderings["iso19139.xml"])
    identification = [
        "citation",
        "abstract",
        "credit",
        "status",
        "pointOfContact",
        "resourceMaintenance",
        "descriptiveKeywords",
        "resourceConstraints",
        "spatialRepresentationType",
        "spatialResolution",
        "language",
        "characterSet",
        "topicCategory",
        "extent",
    ]
    quality = ["scope", "report", "lineage"]
    extent = ["description", "geographicElement", "temporalElement", "verticalElement"]
    for path, order in (
        ("MD_DataIdentification", identification),
        ("DQ_DataQuality", quality),
        ("EX_Extent", extent),
    ):
        node = root.xpath(f"//gmd:{path}", namespaces=ISO)[0]
        positions = [order.index(etree.QName(child).localname) for child in node]
        assert positions == sorted(positions), path


def test_ro_crate_is_read_back_and_lists_every_file(case, tmp_path):
    _, definition, renderings = case
    (tmp_path / "ro-crate-metadata.json").write_text(renderings["ro-crate-metadata.json"], encoding="utf-8")
    crate = ROCrate(tmp_path)
    assert crate.root_dataset["datePublished"] == "2026-11-21"
    assert crate.root_dataset["version"] == definition.version
    files = {entity.id: entity for entity in crate.data_entities}
    assert sorted(files) == sorted(f"../{path.replace(' ', '%20')}" for path, *_ in FILES)
    table = files["../tables/glaciers.csv"]
    assert (table["sha256"], table["contentSize"], table["encodingFormat"]) == ("ab" * 32, "1200", "text/csv")
    entities = graph(renderings)
    references = re.findall(r'"@id": "([^"]+)"', renderings["ro-crate-metadata.json"])
    outside = {"https://w3id.org/ro/crate/1.1"}
    assert set(references) - set(entities) == outside, "every reference points at an entity of the crate"


def test_jsonld_has_what_a_dataset_search_asks_for(case):
    _, definition, renderings = case
    document = json.loads(renderings["dataset.jsonld"])
    assert (document["@context"], document["@type"]) == ("https://schema.org/", "Dataset")
    assert 50 <= len(document["description"]) <= 5000
    assert document["identifier"]["value"] == definition.id
    assert [entry["contentUrl"] for entry in document["distribution"]] == [
        "../elevation-change/a%20change.tif",
        "../elevation-change/thumbnail.png",
        "../tables/glaciers.csv",
    ]
    assert document["variableMeasured"][0]["unitText"] == ("m" if definition is URUMQI else "m w.e.")


def test_jsonld_of_the_page_points_below_the_page():
    document = dataset_jsonld(describe(elevation_change()).with_files(FILES), base="")
    assert document["distribution"][0]["contentUrl"] == "elevation-change/a%20change.tif"
    page = page_document(dataset_jsonld(describe(elevation_change()).with_files(FILES)))
    assert page["distribution"] == document["distribution"]
    assert page["subjectOf"]["contentUrl"] == "metadata/dataset.jsonld"


def test_jsonld_of_a_page_leaves_a_long_list_of_files_to_the_file():
    many = [(f"tables/{number}.csv", 1, "ab" * 32, "text/csv") for number in range(201)]
    document = dataset_jsonld(describe(elevation_change()).with_files(many))
    assert len(document["distribution"]) == 201
    assert "distribution" not in page_document(document)


def test_importing_the_metadata_loads_none_of_the_slow_libraries():
    code = (
        "import sys, catalog.metadata, catalog.metadata.facts, catalog.metadata.jsonld, catalog.metadata.ncdc;"
        "print(sorted({'datacite', 'pygeometa', 'rocrate', 'rasterio', 'pandas'} & set(sys.modules)))"
    )
    root = ROOT
    done = subprocess.run([sys.executable, "-c", code], check=True, cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


# --- the standards' own schemas -----------------------------------------------------------------------------------

# each comes with a package that is installed for the tests; none of them is imported
GMD = "plugins/profiles/apiso/schemas/ogc/iso/19139/20060504/gmd/gmd.xsd"


def schema_in(package, path):
    """A schema that an installed package carries."""
    found = importlib.util.find_spec(package)
    assert found is not None, f"{package} is not installed"
    return Path(found.submodule_search_locations[0]) / path


def xml_schema(*parts):
    """One schema that takes in several files; nothing is fetched."""
    imports = "".join(f'<xs:import namespace="{space}" schemaLocation="{path.as_uri()}"/>' for space, path in parts)
    text = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imports}</xs:schema>'
    return etree.XMLSchema(etree.fromstring(text, etree.XMLParser(no_network=True)))


def test_iso19139_follows_its_xml_schema(case, hostile):
    # a licence with an address is an anchor, which the extension namespace declares
    spaces = [("http://www.isotc211.org/2005/gmd", "gmd"), ("http://www.isotc211.org/2005/gmx", "gmx")]
    schema = xml_schema(*((space, schema_in("pycsw", GMD.replace("gmd", name))) for space, name in spaces))
    for renderings in (case[2], hostile):
        schema.assertValid(xml(renderings["iso19139.xml"]))
    with pytest.raises(etree.DocumentInvalid):
        schema.assertValid(xml(case[2]["iso19139.xml"].replace("gmd:edition>", "gmd:edicion>")))


def test_datacite_follows_its_xml_schema(case, hostile):
    schema = xml_schema(("http://datacite.org/schema/kernel-4", schema_in("validator", "schema/metadata.xsd")))
    for renderings in (case[2], hostile):
        schema.assertValid(xml(renderings["datacite.xml"]))
    with pytest.raises(etree.DocumentInvalid):
        schema.assertValid(xml(case[2]["datacite.xml"].replace("publicationYear>", "anno>")))


def test_citation_file_follows_its_schema(case, hostile):
    path = schema_in("check_jsonschema", "builtin_schemas/vendor/citation-file-format.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=jsonschema.FormatChecker())
    for renderings in (case[2], hostile):
        assert [error.message for error in validator.iter_errors(yaml.safe_load(renderings["CITATION.cff"]))] == []
    wrong = yaml.safe_load(case[2]["CITATION.cff"]) | {"date-released": "soon"}
    assert {tuple(error.absolute_path) for error in validator.iter_errors(wrong)} == {("date-released",)}


# --- the renderings outside the metadata folder -------------------------------------------------------------------

DOI = "10.12072/test.2026"


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """An archive of both kinds, the one with an SPDX licence, the other with a DOI and authors."""
    change, balance = make_datasets()
    original = balance.definition.original.model_copy(update={"author": "Wang Li; Zhao Min"})
    definitions = (
        change.definition.model_copy(update={"licence": "CC-BY-4.0"}),
        balance.definition.model_copy(update={"doi": DOI, "original": original}),
    )
    out = tmp_path_factory.mktemp("facts") / "archive"
    datasets = [replace(one, definition=two) for one, two in zip((change, balance), definitions, strict=True)]
    publish_datasets(datasets, out)
    return out, definitions


def facts_of(definition):
    """What every rendering has to say, taken from the definition."""
    extent, words, contact = definition.extent, definition.keywords.en, definition.contacts[0]
    authors = f"{', '.join(part.strip() for part in definition.original.author.split(';'))}, "
    doi = f", https://doi.org/{definition.doi}" if definition.doi else ""
    return {
        "title": f"[SYNTHETIC SAMPLE] {definition.title.en}",
        "extent": (extent.west, extent.south, extent.east, extent.north),
        "period": (definition.period.start.isoformat(), definition.period.end.isoformat()),
        "published": definition.publication_date.isoformat(),
        "keywords": {*words.theme, *words.subject, *words.place, *words.time},
        "contact": (contact.name, contact.phone, contact.email),
        "project": (definition.project.number, definition.project.name),
        "citation": (
            f"{authors if definition.original.author else ''}[SYNTHETIC SAMPLE] {definition.title.en},"
            f" National Cryosphere Desert Data Center (www.ncdc.ac.cn), 2024, version 1.2.0{doi}."
        ),
        "licence": definition.licence,
        "version": definition.version,
        "publisher": definition.publisher,
        "language": "en",
        "doi": definition.doi,
    }


def read_jsonld(text):
    """schema.org read as a graph of triples, by a library that knows nothing of documents."""
    document = json.loads(text)
    assert document.pop("@context") == "https://schema.org/"
    graph = Graph().parse(
        data=json.dumps({"@context": {"@vocab": "https://schema.org/"}, **document}), format="json-ld"
    )
    word = Namespace("https://schema.org/")
    (dataset,) = [node for node in graph.subjects(RDF.type, word.Dataset) if (node, word.creditText, None) in graph]

    def one(node, *path):
        for name in path:
            node = graph.value(node, word[name])
        return None if node is None else str(node)

    place = graph.value(dataset, word.spatialCoverage)
    south, west, north, east = (float(part) for part in one(place, "geo", "box").split())
    publisher = graph.value(dataset, word.publisher)
    point = graph.value(publisher, word.contactPoint)
    identifier = one(dataset, "identifier") or ""
    licence = one(dataset, "license") or "other"
    return {
        "title": one(dataset, "name"),
        "extent": (west, south, east, north),
        "period": tuple(one(dataset, "temporalCoverage").split("/")),
        "published": one(dataset, "datePublished"),
        "keywords": {str(word_) for word_ in graph.objects(dataset, word.keywords)},
        "contact": (one(point, "name"), one(point, "telephone"), one(point, "email")),
        "project": (one(dataset, "funding", "identifier"), one(dataset, "funding", "name")),
        "citation": one(dataset, "creditText").partition(" The dataset is provided by")[0],
        "licence": licence.removeprefix("https://spdx.org/licenses/").removesuffix(".html"),
        "version": one(dataset, "version"),
        "publisher": one(publisher, "name"),
        "language": sorted(str(code) for code in graph.objects(dataset, word.inLanguage))[0],
        "doi": identifier.removeprefix("https://doi.org/") if identifier.startswith("https://doi.org/") else "",
    }


def read_datapackage(folder):
    package = Package("datapackage.json", basepath=str(folder))
    told = package.to_descriptor()
    people = {person["role"]: person for person in package.contributors}
    contact, grant = people["contact"], told["funding"][0]
    return {
        "title": package.title,
        "extent": tuple(told["spatialCoverage"]["bbox"]),
        "period": tuple(told["temporalCoverage"].split("/")),
        "published": package.created[:10],
        "keywords": set(package.keywords),
        "contact": (contact["title"], contact["telephone"], contact["email"]),
        "project": (grant["identifier"], grant["name"]),
        "citation": told["citation"],
        "licence": package.licenses[0]["name"],
        "version": package.version,
        "publisher": people["publisher"]["title"],
        "language": told["inLanguage"][0],
        "doi": told.get("id", "").removeprefix("https://doi.org/"),
    }


def read_stac(folder):
    collection = pystac.Collection.from_file(str(folder / "collection.json"))
    told, contact = collection.extra_fields, collection.extra_fields["contacts"][0]
    record = told["glacier:ncdc"]
    project = told["glacier:project"]
    phone = contact["contactInstructions"]
    return {
        "title": collection.title,
        "extent": tuple(record[f"ds_acq_{side}"] for side in ("lon_west", "lat_south", "lon_east", "lat_north")),
        "period": (record["ds_acq_start_time"], record["ds_acq_end_time"]),
        "keywords": set(collection.keywords) - {"synthetic"},
        "contact": (contact["name"], re.search(r"\d+", str(phone)).group(), contact["emails"][0]["value"]),
        "project": (project["number"], project["name"]),
        "citation": told["sci:citation"],
        "licence": collection.license,
        "version": told["version"],
        "publisher": collection.providers[0].name,
        "language": told["language"]["code"],
        "doi": told.get("sci:doi", ""),
    }


def read_readme(folder):
    """The README as a reader of Markdown shows it."""
    tokens = MarkdownIt("commonmark").enable("table").parse((folder / "README.md").read_text(encoding="utf-8"))
    shown = ["".join(part.content for part in token.children or ()) for token in tokens if token.type == "inline"]
    told = dict(line.split(": ", 1) for line in shown if ": " in line)
    place = re.search(r"; ([\d.]+) to ([\d.]+) degrees east, ([\d.]+) to ([\d.]+) degrees north", told["Place"])
    west, east, south, north = (float(side) for side in place.groups())
    period = next(re.match(r"Period (\S+) to (\S+)", line) for line in shown if line.startswith("Period "))
    version = next(
        re.match(r"Version (\S+), published (\S+) by (.*)", line) for line in shown if line.startswith("Vers")
    )
    number, name = told["Project"].split(", ", 1)
    doi = re.search(r"; doi:(\S+)", told["Identifier"])
    assert "Synthetic sample. All numbers here come from made-up inputs with known truth." in " ".join(shown)
    return {
        "title": f"[SYNTHETIC SAMPLE] {shown[0]}",
        "extent": (west, south, east, north),
        "period": period.groups(),
        "published": version[2],
        "keywords": set(told["Keywords"].split("; ")),
        "contact": tuple(told["Contact"].split(", ")),
        "project": (number, name),
        "citation": shown[shown.index("Citation") + 1],
        "licence": told["Licence"],
        "version": version[1],
        "publisher": version[3],
        "language": {"English": "en"}[told["Languages"].split(", ")[0]],
        "doi": doi[1] if doi else "",
    }


def read_citation(folder):
    lines = (folder / "metadata/citation.txt").read_text(encoding="utf-8").splitlines()
    told = {
        line.split(" / ")[0].split(",")[0]: line.split(": ", 1)[1] for line in lines if " / " in line and ": " in line
    }
    doi = next(line.removeprefix("DOI: ") for line in lines if line.startswith("DOI: "))
    return {
        "title": next(part for part in re.findall(r"\[SYN.*?(?=, National)", lines[2])),
        "extent": tuple(float(side) for side in told["Extent in degrees"].split()),
        "period": tuple(told["Period"].split("/")),
        "published": told["Published"],
        "keywords": set(told["Keywords"].split("; ")),
        "contact": tuple(told["Contact"].split(", ")),
        "project": tuple(told["Project"].split(", ", 1)),
        "citation": lines[2],
        "licence": told["Licence"],
        "version": re.search(r"version ([\d.]+\d)", lines[2])[1],
        "publisher": re.search(r"(National[^(]*) \(", lines[2])[1],
        "language": told["Languages"].split(", ")[0],
        "doi": "" if doi.startswith("none") else doi,
    }


def read_page(folder):
    page = html.document_fromstring((folder / "index.html").read_bytes())
    (script,) = page.xpath("//script[@type='application/ld+json']")
    return read_jsonld(script.text)


def read_file(folder):
    return read_jsonld((folder / "metadata/dataset.jsonld").read_text(encoding="utf-8"))


@pytest.mark.slow
@pytest.mark.parametrize("place", [0, 1], ids=["elevation change", "mass balance"])
@pytest.mark.parametrize(
    "read",
    [read_page, read_file, read_datapackage, read_stac, read_readme, read_citation],
    ids=lambda read: read.__name__,
)
def test_each_fact_stands_in_each_rendering(archive, read, place):
    root, definitions = archive
    expected, found = facts_of(definitions[place]), read(root / definitions[place].id)
    assert set(expected) - set(found) <= ({"published"} if read is read_stac else set())
    assert found == {fact: value for fact, value in expected.items() if fact in found}


@pytest.mark.slow
def test_no_identifier_is_invented_in_any_file(archive):
    root, (change, balance) = archive
    identifier = re.compile(r"\b10\.\d{4,9}/[^\s\"<>\\]+|\bCSTR\b[:/]\S+|\b\d{5}\.\d\d\.[a-z]\S+", re.IGNORECASE)
    known = {balance.id: {DOI}, change.id: set()}
    kinds = {".json", ".jsonld", ".xml", ".cff", ".txt", ".md", ".html", ".csv", ".geojson", ".js"}
    looked_at = 0
    for path in root.rglob("*"):
        if path.suffix in kinds and path.is_file():
            looked_at += 1
            allowed = known.get(path.relative_to(root).parts[0], {DOI})
            found = {text.rstrip(".,;)&。") for text in identifier.findall(path.read_text(encoding="utf-8"))}
            assert found <= allowed, path
    assert looked_at > 30


# --- hostile text -------------------------------------------------------------------------------------------------

HOSTILE = (
    "</script><script>alert(1)</script> ]]> <!-- --> &amp; &#60; \"double\" 'single' {{ 7 * 7 }} {% raw %} ${HOME} "
    "\u202egnihton\u202c \u05e2\u05d1\u05e8\u05d9\u05ea \u2028 line \\ back\\u003c: - #hash @at \x85 %s None 𝄞"
)


def hostile_definition():
    """The shipped definition with hostile text in every text field that has no pattern of its own."""
    raw = tomllib.loads((DATASETS / "urumqi-glacier-elevation-change.toml").read_text(encoding="utf-8"))
    paragraphs = f"first {HOSTILE}\n\nsecond paragraph: {HOSTILE}"
    raw["title"] = {"en": f"Title {HOSTILE}", "cn": f"标题 {HOSTILE}"}
    raw["publisher"], raw["publisher_cn"], raw["licence_note"] = HOSTILE, HOSTILE, HOSTILE
    raw["original"] |= dict.fromkeys(("description", "data_quality", "author", "citation", "data_format"), HOSTILE)
    for name in ("description", "data_quality", "collect_place", "processing_method"):
        raw["reading"][name] = {"en": paragraphs, "cn": f"中文 {HOSTILE}"}
    for language in ("en", "cn"):
        raw["reading"]["keywords"][language]["theme"] = [HOSTILE, "plain"]
    raw["contacts"][0] |= {"name": HOSTILE, "organization": HOSTILE, "phone": HOSTILE}
    raw["project"] = {"number": HOSTILE, "name": HOSTILE}
    raw["sources"][0] |= {"title": HOSTILE, "attribution": HOSTILE}
    raw["gates"][0] |= {"name": HOSTILE, "meaning": HOSTILE}
    return parse_definition(raw, "hostile.toml")


@pytest.fixture(scope="module")
def hostile():
    return rendered(elevation_change(hostile_definition()))


def test_hostile_text_survives_word_for_word(hostile):
    title = f"Title {HOSTILE}"
    assert json.loads(hostile["ncdc.json"])["title_en"] == title
    assert json.loads(hostile["datacite.json"])["titles"][0]["title"] == title
    assert xml(hostile["datacite.xml"]).findtext(f"{KERNEL}titles/{KERNEL}title") == title
    found = iso_texts(hostile, "//gmd:identificationInfo//gmd:citation//gmd:title/gco:CharacterString")
    assert found == [title]
    assert json.loads(hostile["dataset.jsonld"])["name"] == title
    assert graph(hostile)["./"]["name"] == title
    # a citation and a citation file's title are one line: white space of any kind becomes a blank
    assert yaml.safe_load(hostile["CITATION.cff"])["title"] == " ".join(title.split())
    assert yaml.safe_load(hostile["CITATION.cff"])["contact"][0]["name"] == HOSTILE
    assert iso_texts(hostile, "//gmd:individualName/gco:CharacterString") == [HOSTILE]
    assert iso_texts(hostile, "//gmd:pointOfContact//gmd:voice/gco:CharacterString") == [HOSTILE]


def test_paragraphs_survive(hostile):
    abstract = iso_texts(hostile, "//gmd:abstract/gco:CharacterString")[0]
    assert f"{HOSTILE}\n\nsecond paragraph" in abstract
    assert yaml.safe_load(hostile["CITATION.cff"])["abstract"] == abstract
    assert json.loads(hostile["dataset.jsonld"])["description"] == abstract


def test_hostile_text_adds_no_element(hostile):
    ordinary = rendered(elevation_change())
    for name in ("datacite.xml", "iso19139.xml"):
        allowed = {node.tag for node in xml(ordinary[name]).iter()}
        allowed |= {f"{KERNEL}givenName"}
        assert {node.tag for node in xml(hostile[name]).iter()} <= allowed, name
        assert "<script" not in hostile[name]
        assert "{{ 7 * 7 }}" in hostile[name], "nothing was evaluated"


def test_jsonld_is_inert_in_a_page(hostile):
    class Page(HTMLParser):
        """Collects what a browser would take for elements and for the content of the first script."""

        def __init__(self):
            super().__init__()
            self.elements, self.script = [], ""

        def handle_starttag(self, tag, attrs):
            self.elements.append(tag)

        def handle_data(self, data):
            if self.elements == ["script"]:
                self.script += data

    page = Page()
    page.feed(f'<script type="application/ld+json">{hostile["dataset.jsonld"]}</script><p>after</p>')
    assert page.elements == ["script", "p"]
    for name in ("dataset.jsonld", "ncdc.json", "ro-crate-metadata.json", "datacite.json", "CITATION.cff"):
        assert not re.search("[<>&\u2028\u202e\x85]", hostile[name]), name


def test_json_refuses_what_json_cannot_say():
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"value": float("nan")})


# --- reference managers -------------------------------------------------------------------------------------------


def test_bibtex_holds_the_citation_and_its_braces_close(hostile):
    for renderings in (rendered(elevation_change()), hostile):
        text = renderings["citation.bib"]
        depth, escaped = 0, False
        for at, character in enumerate(text):
            depth += 0 if escaped else (character == "{") - (character == "}")
            assert depth >= 0
            assert escaped or character not in "%#$" or text[at - 1] == "\\"
            escaped = character == "\\" and not escaped
        assert depth == 0
        assert text.count("\n@") == 0, "one entry"
        assert len(re.findall(r"(?m)^  year = \{\d{4}\},$", text)) == 1
    plain = rendered(elevation_change())
    citation = json.loads(plain["ncdc.json"])["ds_ref_way"]
    assert f"note = {{{citation}}}" in re.sub(r"\\([&%$#_{}])", r"\1", plain["citation.bib"])


def test_ris_is_one_record_of_known_tags(hostile):
    for renderings in (rendered(elevation_change()), hostile):
        lines = renderings["citation.ris"].splitlines()
        assert lines[0] == "TY  - DATA"
        assert lines[-1] == "ER  -"
        assert all(re.match(r"[A-Z][A-Z0-9]  - \S", line) for line in lines[:-1])
        assert [line[:2] for line in lines].count("TY") == 1
    plain = rendered(elevation_change())
    assert f"N1  - {json.loads(plain['ncdc.json'])['ds_ref_way']}" in plain["citation.ris"].splitlines()
