"""What each rendering of a dataset's metadata says of one set of facts, read the way its own readers would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree, html

from catalog.archive import (
    CITATION_BIB,
    CITATION_CFF,
    CITATION_RIS,
    COLLECTION_JSON,
    CRATE_JSON,
    DATACITE_JSON,
    DATACITE_XML,
    DATAPACKAGE_JSON,
    DATASET_JSONLD,
    INDEX_HTML,
    ISO19139_XML,
    METADATA,
    NCDC_JSON,
    WrongForm,
    misfit,
)

Facts = dict[str, Any]

_DATACITE = {"d": "http://datacite.org/schema/kernel-4", "xml": "http://www.w3.org/XML/1998/namespace"}
_ISO = {
    "gmd": "http://www.isotc211.org/2005/gmd",
    "gco": "http://www.isotc211.org/2005/gco",
    "gml": "http://www.opengis.net/gml",
}
_DOI = "https://doi.org/"
_SPDX = re.compile(r"https://spdx\.org/licenses/(.+)\.html")
_SIDES = ("west", "south", "east", "north")


def stated_facts(name: str, content: bytes) -> Facts:
    """The facts that a rendering states, in one form for all; a fact that its format has no place for is left out.

    Errors
    ------
    ValueError, LookupError : the rendering is broken, of another form, or lacks a fact that its format holds.
    """
    return READERS[name](content)


def _document(name: str, content: bytes) -> dict[str, Any]:
    """A JSON document of the form that its name asks for."""
    return _of_form(name, json.loads(content))


def _of_form(name: str, document: Any) -> dict[str, Any]:
    if place := misfit(name, document):
        raise WrongForm(place)
    formed: dict[str, Any] = document
    return formed


def one_line(text: object) -> str:
    """A text as formats of one line hold it."""
    return " ".join(str(text).split())


def _words(words: Any) -> tuple[str, ...]:
    return tuple(sorted({one_line(word) for word in words}))


def _project(number: object, name: object) -> str:
    return one_line(f"{number}, {name}")


def _licence(address: str) -> str:
    match = _SPDX.fullmatch(address)
    return match[1] if match else "other"


def _box(text: str) -> tuple[float, ...]:
    """A box of schema.org, 'south west north east', in the order of the others."""
    south, west, north, east = (float(part) for part in text.split())
    return west, south, east, north


def _doi(identifier: object) -> str:
    return str(identifier).removeprefix(_DOI) if str(identifier).startswith(_DOI) else ""


def _ncdc(content: bytes) -> Facts:
    record = _document(NCDC_JSON, content)
    tags = ("ds_topic_tags", "ds_subject_tags", "ds_locus_tags", "ds_time_tags")
    corners = ("ds_acq_lon_west", "ds_acq_lat_south", "ds_acq_lon_east", "ds_acq_lat_north")
    projects = record["ds_projects"]
    return {
        "identifier": record["id"],
        "doi": record["doi_value"],
        "title": one_line(record["title_en"]),
        "title_cn": one_line(record["title_cn"]),
        "version": record["version"],
        "published": record["publish_time"][:10],
        "period": f"{record['ds_acq_start_time']}/{record['ds_acq_end_time']}",
        "extent": tuple(float(record[corner]) for corner in corners),
        "keywords": _words(word for tag in tags for word in record[tag]),
        "contact": one_line(record["ds_serv_man"]),
        "phone": one_line(record["ds_serv_phone"]),
        "email": record["ds_serv_mail"],
        "project": _project(projects[0]["number"], projects[0]["name"]) if projects else "",
        "citation": record["ds_ref_way"],
        "credit": " ".join(part for part in (record["ds_ref_way"], record["source_description"]["citation"]) if part),
        "language": record["lang"],
    }


def _datacite_json(content: bytes) -> Facts:
    record = _document(DATACITE_JSON, content)
    box = record["geoLocations"][0]["geoLocationBox"]
    titles = {title["lang"]: title["title"] for title in record["titles"]}
    dates: dict[str, str] = {}
    for date in record["dates"]:
        dates.setdefault(date["dateType"], date["date"])
    awards = record.get("fundingReferences", [])
    persons = [one["name"] for one in record["contributors"] if one["contributorType"] == "ContactPerson"]
    return {
        "identifier": record["alternateIdentifiers"][0]["alternateIdentifier"],
        "doi": record.get("doi", ""),
        "title": one_line(titles["en"]),
        "title_cn": one_line(titles.get("zh", "")),
        "version": record["version"],
        "published": dates["Issued"],
        "period": dates["Collected"],
        "extent": tuple(float(box[f"{side}Bound{_axis(side)}"]) for side in _SIDES),
        "keywords": _words(one["subject"] for one in record["subjects"] if one["lang"] == "en"),
        "contact": one_line(persons[0]) if persons else "",
        "project": _project(awards[0]["awardNumber"], awards[0]["awardTitle"]) if awards else "",
        "citation": next(one["description"] for one in record["descriptions"] if one["descriptionType"] == "Other"),
        "licence": record["rightsList"][0].get("rightsIdentifier", "other"),
        "publisher": record["publisher"]["name"],
        "language": record["language"],
    }


def _axis(side: str) -> str:
    return "Longitude" if side in ("west", "east") else "Latitude"


def _datacite_xml(content: bytes) -> Facts:
    root = _xml(content)

    def text(path: str) -> str:
        return _text(root, path, _DATACITE)

    identifier = text("d:identifier[@identifierType='DOI']")
    award = text("d:fundingReferences/d:fundingReference[1]/d:awardNumber")
    return {
        "identifier": text("d:alternateIdentifiers/d:alternateIdentifier[1]"),
        "doi": identifier,
        "title": one_line(text("d:titles/d:title[@xml:lang='en']")),
        "title_cn": one_line(text("d:titles/d:title[@xml:lang='zh']")),
        "version": text("d:version"),
        "published": text("d:dates/d:date[@dateType='Issued'][1]"),
        "period": text("d:dates/d:date[@dateType='Collected'][1]"),
        "extent": tuple(float(text(f"//d:geoLocationBox/d:{side}Bound{_axis(side)}")) for side in _SIDES),
        "keywords": _words(_texts(root, "d:subjects/d:subject[@xml:lang='en']", _DATACITE)),
        "contact": one_line(
            text("d:contributors/d:contributor[@contributorType='ContactPerson'][1]/d:contributorName")
        ),
        "project": _project(award, text("d:fundingReferences/d:fundingReference[1]/d:awardTitle")) if award else "",
        "citation": text("d:descriptions/d:description[@descriptionType='Other'][1]"),
        "licence": _attribute(root, "d:rightsList/d:rights[1]/@rightsIdentifier", _DATACITE) or "other",
        "publisher": text("d:publisher"),
        "language": text("d:language"),
    }


def _iso19139(content: bytes) -> Facts:
    root = _xml(content)
    about = "//gmd:MD_DataIdentification"

    def text(path: str) -> str:
        return _text(root, path, _ISO)

    point, constraint = f"{about}/gmd:pointOfContact[1]//gmd:", f"{about}//gmd:otherConstraints[1]/*"
    sides = (f"//gmd:{side}Bound{_axis(side)}/gco:Decimal" for side in _SIDES)
    title = f"{about}/gmd:citation//gmd:title"
    return {
        "identifier": text("gmd:fileIdentifier/gco:CharacterString"),
        "doi": _doi(text("gmd:dataSetURI/gco:CharacterString")),
        "title": one_line(text(f"{title}/gco:CharacterString")),
        "title_cn": one_line(text(f"{title}//gmd:LocalisedCharacterString")),
        "version": text(f"{about}/gmd:citation//gmd:edition/gco:CharacterString"),
        "published": text("gmd:dateStamp/gco:Date"),
        "period": f"{text(f'{about}//gml:beginPosition')}/{text(f'{about}//gml:endPosition')}",
        "extent": tuple(float(text(side)) for side in sides),
        "keywords": _words(_texts(root, f"{about}//gmd:keyword/gco:CharacterString", _ISO)),
        "contact": one_line(text(f"{point}individualName/gco:CharacterString")),
        "phone": one_line(text(f"{point}voice/gco:CharacterString")),
        "email": text(f"{point}electronicMailAddress/gco:CharacterString"),
        "project": one_line(text(f"{about}/gmd:credit/gco:CharacterString")),
        "citation": text(f"{about}/gmd:citation//gmd:otherCitationDetails/gco:CharacterString"),
        "licence": text(constraint),
        "publisher": text("gmd:contact[1]//gmd:organisationName/gco:CharacterString"),
        "language": _text(root, "gmd:language/*", _ISO)[:2],
    }


def _jsonld(content: bytes) -> Facts:
    document = _document(DATASET_JSONLD, content)
    identifier, publisher = document["identifier"], document["publisher"]
    points = publisher.get("contactPoint", [])
    return {
        **({} if isinstance(identifier, str) else {"identifier": identifier["value"]}),
        **_schema_org(document, document.get("funding")),
        "extent": _box(document["spatialCoverage"]["geo"]["box"]),
        **_person(points[0] if points else {}),
        "licence": _licence(document.get("license", "")),
        "publisher": publisher["name"],
    }


def _schema_org(dataset: Mapping[str, Any], grant: Mapping[str, Any] | None) -> Facts:
    """What a Dataset of schema.org states in its own properties, and the project that its grant names."""
    return {
        "doi": _doi(dataset["identifier"]),
        "title": one_line(dataset["name"]),
        "title_cn": one_line(dataset.get("alternateName", "")),
        "version": dataset["version"],
        "published": dataset["datePublished"],
        "period": dataset["temporalCoverage"],
        "keywords": _words(dataset["keywords"]),
        "project": _project(grant["identifier"], grant["name"]) if grant else "",
        "credit": dataset["creditText"],
        "language": dataset["inLanguage"][0],
    }


def _person(entry: Mapping[str, Any]) -> Facts:
    return {
        "contact": one_line(entry.get("name", "")),
        "phone": one_line(entry.get("telephone", "")),
        "email": entry.get("email", ""),
    }


def _page(content: bytes) -> Facts:
    page = html.document_fromstring(content.decode("utf-8"), parser=html.HTMLParser(encoding="utf-8"))
    scripts = page.xpath("//script[@type='application/ld+json']")
    if len(scripts) != 1:
        raise ValueError(f"{len(scripts)} JSON-LD descriptions in the page, where one belongs")
    return _jsonld((scripts[0].text or "").encode())


def _rocrate(content: bytes) -> Facts:
    entities = {entity["@id"]: entity for entity in _document(CRATE_JSON, content)["@graph"]}
    root = entities["./"]
    grant = entities[root["funding"]["@id"]] if "funding" in root else None
    identifier = root["identifier"]
    return {
        **({} if _doi(identifier) else {"identifier": identifier}),
        **_schema_org(root, grant),
        "extent": _box(entities[entities[root["contentLocation"]["@id"]]["geo"]["@id"]]["box"]),
        **_person(entities.get("#contact-1", {})),
        "licence": _licence(_pointed_at(root["license"])),
        "publisher": entities[root["publisher"]["@id"]]["name"],
    }


def _pointed_at(reference: Mapping[str, str] | str) -> str:
    """The entity that a property leads to; a text leads to none."""
    if isinstance(reference, str):
        raise WrongForm(f"the text {reference[:60]!r} where a reference belongs")
    return reference["@id"]


_FIELD_OF_BIBTEX = re.compile(r"^  (\w+) = \{(.*)\},$", re.MULTILINE)
_OF_LATEX = re.compile(r"\\textbackslash\{\}|\\textasciitilde\{\}|\\textasciicircum\{\}|\\(.)")
_CHARACTERS = {r"\textbackslash{}": "\\", r"\textasciitilde{}": "~", r"\textasciicircum{}": "^"}


def _bibtex(content: bytes) -> Facts:
    text = content.decode("utf-8")
    entry = re.match(r"@misc\{([^,\s]+),\n", text)
    if entry is None or not text.endswith("\n}\n"):
        raise ValueError("no entry of BibTeX")
    fields = dict(_FIELD_OF_BIBTEX.findall(text))
    fields["title"] = fields["title"].removeprefix("{").removesuffix("}")
    plain = {
        name: _OF_LATEX.sub(lambda said: _CHARACTERS.get(said[0], said[1]), value) for name, value in fields.items()
    }
    return {
        "identifier": entry[1],
        "title": plain["title"],
        "version": plain["version"],
        "doi": plain.get("doi", ""),
        "citation": plain["note"],
    }


def _ris(content: bytes) -> Facts:
    lines = [line.split("  - ", 1) for line in content.decode("utf-8").splitlines() if "  - " in line]
    if [tag for tag, _ in lines[:1]] != ["TY"]:
        raise ValueError("no record of RIS")
    fields = dict(lines)
    return {
        "identifier": fields["ID"],
        "title": fields["TI"],
        "version": fields["ET"],
        "published": fields["DA"].replace("/", "-"),
        "keywords": _words(value for tag, value in lines if tag == "KW"),
        "doi": fields.get("DO", ""),
        "citation": fields["N1"],
    }


def _cff(content: bytes) -> Facts:
    import yaml

    try:
        document = _of_form(CITATION_CFF, yaml.safe_load(content))
    except yaml.YAMLError as error:
        raise ValueError(f"no YAML ({one_line(error)})") from None
    preferred = document["preferred-citation"]
    notes = dict(line.split(": ", 1) for line in preferred["notes"].splitlines())
    contact = (document.get("contact") or [{}])[0]
    return {
        "identifier": document["identifiers"][0]["value"],
        "doi": document.get("doi", ""),
        "title": one_line(document["title"]),
        "version": document["version"],
        "published": document["date-released"],
        "period": notes["Period"],
        "extent": tuple(float(part) for part in notes["Extent, west south east north"].split()),
        "keywords": _words(document["keywords"]),
        "contact": one_line(contact.get("name", "")),
        "phone": one_line(contact.get("tel", "")),
        "email": contact.get("email", ""),
        "project": notes.get("Project", ""),
        "citation": notes["Citation"],
        "licence": document.get("license", "other"),
        "publisher": preferred["publisher"]["name"],
        "language": preferred["languages"][0],
    }


def _datapackage(content: bytes) -> Facts:
    package = _document(DATAPACKAGE_JSON, content)
    people = {person["role"]: person for person in reversed(package["contributors"])}
    contact, grant = people.get("contact", {}), (package.get("funding") or [None])[0]
    return {
        "identifier": package["name"],
        "doi": _doi(package.get("id", "")),
        "title": one_line(package["title"]),
        "title_cn": one_line(package.get("titleTranslated", "")),
        "version": package["version"],
        "published": package["created"][:10],
        "period": package["temporalCoverage"],
        "extent": tuple(float(side) for side in package["spatialCoverage"]["bbox"]),
        "keywords": _words(package["keywords"]),
        **_person({**contact, "name": contact.get("title", "")}),
        "project": _project(grant["identifier"], grant["name"]) if grant else "",
        "citation": package["citation"],
        "licence": package["licenses"][0]["name"],
        "publisher": people["publisher"]["title"],
        "language": package["inLanguage"][0],
    }


def _stac(content: bytes) -> Facts:
    collection = _document(COLLECTION_JSON, content)
    contacts = collection.get("contacts") or [{}]
    project = collection.get("glacier:project")
    record = collection["glacier:ncdc"]
    corners = ("ds_acq_lon_west", "ds_acq_lat_south", "ds_acq_lon_east", "ds_acq_lat_north")
    language = collection["language"]
    return {
        "identifier": collection["id"],
        "doi": collection.get("sci:doi", ""),
        "title": one_line(collection["title"]),
        "version": collection["version"],
        "published": collection["published"][:10],
        "period": f"{record['ds_acq_start_time']}/{record['ds_acq_end_time']}",
        "extent": tuple(float(record[corner]) for corner in corners),
        # the mark of a sample is a word of ours and no keyword of the dataset
        "keywords": _words(word for word in collection["keywords"] if word != "synthetic"),
        "contact": one_line(contacts[0].get("name", "")),
        "email": (contacts[0].get("emails") or [{"value": ""}])[0]["value"],
        "project": _project(project["number"], project["name"]) if project else "",
        "citation": collection["sci:citation"],
        "licence": collection["license"],
        "publisher": collection["providers"][0]["name"],
        "language": language["code"],
    }


def _xml(content: bytes) -> etree._Element:
    # a record of another's archive may declare entities: none is expanded, nothing is fetched
    return etree.fromstring(content, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _texts(root: etree._Element, path: str, names: Mapping[str, str]) -> list[str]:
    nodes = root.xpath(path, namespaces=dict(names))
    return [node.text or "" for node in nodes if isinstance(node, etree._Element)] if isinstance(nodes, list) else []


def _text(root: etree._Element, path: str, names: Mapping[str, str]) -> str:
    return next(iter(_texts(root, path, names)), "")


def _attribute(root: etree._Element, path: str, names: Mapping[str, str]) -> str:
    values = root.xpath(path, namespaces=dict(names))
    return str(values[0]) if isinstance(values, list) and values else ""


READERS: dict[str, Callable[[bytes], Facts]] = {
    f"{METADATA}/{NCDC_JSON}": _ncdc,
    f"{METADATA}/{DATACITE_JSON}": _datacite_json,
    f"{METADATA}/{DATACITE_XML}": _datacite_xml,
    f"{METADATA}/{ISO19139_XML}": _iso19139,
    f"{METADATA}/{DATASET_JSONLD}": _jsonld,
    INDEX_HTML: _page,
    f"{METADATA}/{CRATE_JSON}": _rocrate,
    f"{METADATA}/{CITATION_CFF}": _cff,
    f"{METADATA}/{CITATION_BIB}": _bibtex,
    f"{METADATA}/{CITATION_RIS}": _ris,
    DATAPACKAGE_JSON: _datapackage,
    COLLECTION_JSON: _stac,
}
