"""The sources: who made them, under which licence, how they want to be named, in every place that tells of them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from lxml import etree

from catalog.build.definitions import default_definitions
from catalog.metadata.datapackage import package_facts
from catalog.metadata.facts import describe
from catalog.metadata.iso19139 import iso19139_xml
from schemas.definition import Producer
from tests.made.fakes import make_elevation_change_dataset
from tests.made.whole_archive import write_stac

ISO = {"gmd": "http://www.isotc211.org/2005/gmd", "gco": "http://www.isotc211.org/2005/gco"}
AGENCY = Producer(name="Space Agency", name_cn="航天局", url="https://example.org/agency")
SURVEY = Producer(name="Survey & Sons", roles=("licensor",))


@pytest.fixture(scope="module")
def dataset():
    made = make_elevation_change_dataset(shape=(40, 60))
    first, second, *others = made.definition.sources
    first = first.model_copy(
        update={
            "title": "DEM <A>",
            "title_cn": "高程模型A",
            "attribution": "(c) Agency & others",
            "licence": "CC-BY-4.0",
            "licence_note": "cite us",
            "url": "https://doi.org/10.1234/a",
            "producers": (AGENCY, SURVEY),
        }
    )
    second = second.model_copy(update={"title": "DEM B", "title_cn": "高程模型B", "producers": (AGENCY,)})
    definition = made.definition.model_copy(update={"sources": (first, second, *others)})
    return replace(made, definition=definition)


@pytest.fixture(scope="module")
def collections(dataset, tmp_path_factory):
    root = tmp_path_factory.mktemp("sources")
    (root / dataset.definition.id).mkdir()
    write_stac(root, [(dataset, describe(dataset), ())], None)
    folder = root / dataset.definition.id
    return [json.loads((folder / name).read_text("utf-8")) for name in ("collection.json", "collection.zh.json")]


def test_each_maker_is_a_provider_once_after_the_host(dataset, collections):
    host, *makers = collections[0]["providers"]
    assert host["name"] == dataset.definition.publisher
    assert host["roles"] == ["host"]
    assert makers == [
        {
            "name": "Space Agency",
            "description": "Input of this dataset: DEM <A>; DEM B",
            "roles": ["producer"],
            "url": "https://example.org/agency",
        },
        {"name": "Survey & Sons", "description": "Input of this dataset: DEM <A>", "roles": ["licensor"]},
    ]


def test_the_chinese_twin_names_the_same_makers(collections):
    english, chinese = (document["providers"] for document in collections)
    assert [maker["name"] for maker in chinese] == [maker["name"] for maker in english]
    assert chinese[1]["description"] == "本数据集的输入：高程模型A；高程模型B"


def test_the_collection_says_when_it_was_published(dataset, collections):
    for document in collections:
        assert document["published"] == f"{dataset.definition.publication_date.isoformat()}T00:00:00Z"
        assert any("timestamps" in extension for extension in document["stac_extensions"])


def test_a_source_in_the_data_package_has_attribution_and_licence(dataset):
    source = package_facts(describe(dataset))["sources"][0]
    assert source == {
        "title": "DEM <A>",
        "titleTranslated": "高程模型A",
        "path": "https://doi.org/10.1234/a",
        "attribution": "(c) Agency & others",
        "license": "CC-BY-4.0",
        "licenseNote": "cite us",
        "producers": "Space Agency; Survey & Sons",
    }


def test_a_source_is_in_the_lineage_of_iso_19139(dataset):
    root = etree.fromstring(iso19139_xml(describe(dataset)).encode())
    sources = root.findall(".//gmd:LI_Lineage/gmd:source/gmd:LI_Source", ISO)
    assert len(sources) == len(dataset.definition.sources)
    text = sources[0].findtext("gmd:description/gco:CharacterString", None, ISO)
    assert text.startswith("DEM <A>. (c) Agency & others. Licence: CC-BY-4.0. cite us.")
    citation = sources[0].find("gmd:sourceCitation/gmd:CI_Citation", ISO)
    assert [etree.QName(child).localname for child in citation] == [
        "title",
        "date",
        "identifier",
        "citedResponsibleParty",
        "citedResponsibleParty",
    ]
    assert citation.findtext("gmd:identifier//gco:CharacterString", None, ISO) == "https://doi.org/10.1234/a"
    roles = [code.get("codeListValue") for code in citation.iterfind(".//gmd:CI_RoleCode", ISO)]
    assert roles == ["originator", "owner"]


def test_the_shipped_definitions_name_the_makers_of_what_they_did_not_observe():
    change, _ = sorted(default_definitions(), key=lambda definition: definition.kind)
    makers = {source.key: [maker.name for maker in source.producers] for source in change.sources}
    assert makers["earlier"] == ["NASA Jet Propulsion Laboratory"]
    assert makers["later"][0] == "University of Bristol"
    for definition in default_definitions():
        assert all(source.title_cn for source in definition.sources)
        assert all(gate.name_cn and gate.meaning_cn for gate in definition.gates)
        assert definition.licence_note_cn
