"""ISO 19115 as ISO 19139 XML, in English with Chinese beside it, for geoportals."""

from __future__ import annotations

from typing import Any

from lxml import etree
from markupsafe import Markup, escape

from catalog.metadata.facts import Facts, GateResult, licence_url
from schemas.definition import Bilingual, Keywords, Producer

_GMD, _GCO = "http://www.isotc211.org/2005/gmd", "http://www.isotc211.org/2005/gco"
_NAMES = {"gmd": _GMD, "gco": _GCO}
_CODES = "http://www.isotc211.org/2005/resources/Codelist/gmxCodelists.xml"
_ENGLISH, _CHINESE = "eng", "zho"
# stands for a line break while the library drops blank lines; a private-use character, in no text of ours
_LINE_BREAK = "\ue00a"
_KEYWORD_TYPES = {"theme": "theme", "subject": "discipline", "place": "place", "time": "temporal"}


def iso19139_xml(facts: Facts) -> str:
    """The record as XML."""
    # slow to import, and needed only where a record is made
    from pygeometa.schemas.iso19139 import ISO19139OutputSchema

    rendered = ISO19139OutputSchema().write(_content(facts)).replace(_LINE_BREAK, "\n")
    # without blank text, so that the indentation is ours whichever release of the library wrote it
    root = etree.fromstring(rendered.encode(), etree.XMLParser(remove_blank_text=True, resolve_entities=False))
    _repair(root, facts)
    _add_altitude(root, facts)
    _credit(root, facts)
    _cite(root, facts)
    _report(root, facts.gates)
    _list_sources(root, facts)
    etree.indent(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True).decode() + "\n"


def _content(facts: Facts) -> dict[str, Any]:
    """The library's content model; it holds the metadata date under one name in one release, another in the next."""
    definition = facts.definition
    extent, period = definition.extent, definition.period
    published = definition.publication_date.isoformat()
    spatial = {"bbox": [extent.west, extent.south, extent.east, extent.north], "crs": 4326}
    return {
        "mcf": {"version": "1.0"},
        "metadata": {
            "identifier": _text(definition.id),
            "language": _ENGLISH,
            "language_alternate": _CHINESE,
            "charset": "utf8",
            "hierarchylevel": "dataset",
            "datestamp": published,
            "dates": {"creation": published},
            "dataseturi": _text(f"https://doi.org/{definition.doi}" if definition.doi else ""),
        },
        "spatial": {"datatype": "grid", "geomtype": "surface"},
        "identification": {
            "language": _ENGLISH,
            "charset": "utf8",
            "title": _both(facts.title),
            "edition": _text(definition.version),
            "abstract": _both(facts.abstract),
            "dates": {"publication": published},
            "status": "completed",
            "maintenancefrequency": "notPlanned",
            "topiccategory": ["elevation" if definition.kind == "elevation_change" else "environment"],
            "keywords": _keywords(facts),
            "extents": {
                "spatial": [spatial],
                "temporal": [{"begin": period.start.isoformat(), "end": period.end.isoformat()}],
            },
            "accessconstraints": "license",
            "rights": _text(definition.original.citation or definition.licence_note or "not stated"),
            "license": {"name": _text(definition.licence), "url": licence_url(definition.licence)},
        },
        "contact": _contacts(facts),
        "distribution": {},
        "dataquality": {
            "scope": {"level": "dataset"},
            "lineage": {"statement": _both(_lineage(facts))},
        },
    }


def _text(text: str) -> Markup:
    # the library escapes some fields and not others; escaped markup is escaped once in both cases
    return escape(text.replace("\n", _LINE_BREAK))


def _both(text: Bilingual) -> Markup | dict[str, Markup]:
    return {_ENGLISH: _text(text.en), _CHINESE: _text(text.cn)} if text.cn else _text(text.en)


def _lineage(facts: Facts) -> Bilingual:
    return Bilingual(
        en=f"{facts.methods.en} {facts.quality.en}",
        cn=facts.methods.cn + facts.quality.cn if facts.methods.cn else "",
    )


def _keywords(facts: Facts) -> dict[str, Any]:
    english, chinese = facts.definition.keywords.en, facts.definition.keywords.cn
    groups = {}
    for kind, code in _KEYWORD_TYPES.items():
        words, translated = _of(english, kind), _of(chinese, kind)
        if not words:
            continue
        texts: Any = [_text(word) for word in words]
        if len(translated) == len(words):
            texts = {_ENGLISH: texts, _CHINESE: [_text(word) for word in translated]}
        groups[kind] = {"keywords": texts, "keywords_type": code}
    return groups


def _of(keywords: Keywords, kind: str) -> tuple[str, ...]:
    words: tuple[str, ...] = getattr(keywords, kind)
    return words


def _contacts(facts: Facts) -> dict[str, Any]:
    definition = facts.definition
    office = {
        "organization": _both(Bilingual(en=definition.publisher, cn=definition.publisher_cn)),
        "url": _text(definition.publisher_url),
    }
    contacts: dict[str, Any] = {"publisher": office, "distributor": office}
    if definition.contacts:
        first = definition.contacts[0]
        contacts["pointOfContact"] = {
            "individualname": _text(first.name),
            "organization": _text(first.organization or definition.publisher),
            "phone": _text(first.phone),
            "email": _text(first.email),
            "url": _text(definition.publisher_url),
        }
    return contacts


def _repair(root: etree._Element, facts: Facts) -> None:
    """Set right what the library's template fixes: the locale's id, the projection, and its own version as a note."""
    for locale in _all(root, "//gmd:PT_Locale"):
        locale.set("id", _CHINESE)
    for code in _all(root, "//gmd:referenceSystemIdentifier//gmd:code/gco:CharacterString"):
        code.text = f"urn:ogc:def:crs:EPSG::{facts.definition.crs.removeprefix('EPSG:')}"
    for unknown in _all(
        root,
        "//gmd:maintenanceNote | //gmd:transferOptions | //gmd:referenceSystemIdentifier//gmd:version"
        " | //gmd:postalCode | //gmd:facsimile | //gmd:spatialRepresentationInfo"
        " | //gmd:dataSetURI[not(gco:CharacterString/text())]",
    ):
        _parent(unknown).remove(unknown)


def _add_altitude(root: etree._Element, facts: Facts) -> None:
    """The altitude range, last in the extent; the source does not say above which datum."""
    altitude = facts.definition.altitude
    extent = _all(root, "//gmd:MD_DataIdentification/gmd:extent/gmd:EX_Extent")[0]
    vertical = _child(_child(extent, "verticalElement"), "EX_VerticalExtent")
    for name, value in (("minimumValue", altitude.low), ("maximumValue", altitude.high)):
        etree.SubElement(_child(vertical, name), f"{{{_GCO}}}Real").text = str(value)
    _child(vertical, "verticalCRS").set(f"{{{_GCO}}}nilReason", "unknown")


def _credit(root: etree._Element, facts: Facts) -> None:
    """The project, after the abstract as the standard orders it."""
    if project := facts.definition.project:
        abstract = _all(root, "//gmd:MD_DataIdentification/gmd:abstract")[0]
        abstract.addnext(_string("credit", f"{project.number}, {project.name}"))


def _cite(root: etree._Element, facts: Facts) -> None:
    """How to cite, as the last detail of the citation."""
    citation = _all(root, "//gmd:MD_DataIdentification/gmd:citation/gmd:CI_Citation")[0]
    citation.append(_string("otherCitationDetails", facts.citation.en))


def _report(root: etree._Element, gates: tuple[GateResult, ...]) -> None:
    """One conformance report for each quality gate, between scope and lineage."""
    lineage = _all(root, "//gmd:DQ_DataQuality/gmd:lineage")[0]
    for gate in gates:
        lineage.addprevious(_conformance(gate, root))


def _list_sources(root: etree._Element, facts: Facts) -> None:
    """Each input product, last in the lineage: what it is, who made it, under which licence, where it is found."""
    lineage = _all(root, "//gmd:lineage/gmd:LI_Lineage")[0]
    for source in facts.definition.sources:
        element = _child(_child(lineage, "source"), "LI_Source")
        acquired = [day.isoformat() for day in (source.acquired_start, source.acquired_end) if day]
        told = (
            source.title,
            source.attribution,
            f"Licence: {source.licence}" if source.licence else "",
            source.licence_note,
            f"Acquired {' to '.join(dict.fromkeys(acquired))}" if acquired else "",
        )
        element.append(_string("description", ". ".join(text.rstrip(".") for text in told if text) + "."))
        citation = _child(_child(element, "sourceCitation"), "CI_Citation")
        citation.append(_string("title", source.title))
        # when the product was published the definition does not say
        _child(citation, "date").set(f"{{{_GCO}}}nilReason", "unknown")
        if source.url:
            identifier = _child(_child(citation, "identifier"), "MD_Identifier")
            identifier.append(_string("code", source.url))
        for producer in source.producers:
            citation.append(_responsible(producer))


def _responsible(producer: Producer) -> etree._Element:
    party = _element("citedResponsibleParty")
    office = _child(party, "CI_ResponsibleParty")
    office.append(_string("organisationName", producer.name))
    if producer.url:
        online = _child(_child(_child(office, "contactInfo"), "CI_Contact"), "onlineResource")
        linkage = _child(_child(online, "CI_OnlineResource"), "linkage")
        etree.SubElement(linkage, f"{{{_GMD}}}URL").text = producer.url
    code = "originator" if "producer" in producer.roles else "owner"
    role = etree.SubElement(_child(office, "role"), f"{{{_GMD}}}CI_RoleCode")
    role.set("codeList", f"{_CODES}#CI_RoleCode")
    role.set("codeListValue", code)
    role.text = code
    return party


def _conformance(gate: GateResult, root: etree._Element) -> etree._Element:
    report = _element("report")
    element = _child(report, "DQ_QuantitativeAttributeAccuracy")
    element.append(_string("nameOfMeasure", gate.gate))
    element.append(_string("measureDescription", gate.meaning or gate.gate))
    result = _child(_child(element, "result"), "DQ_ConformanceResult")
    citation = _child(_child(result, "specification"), "CI_Citation")
    citation.append(_string("title", f"{gate.gate}: at most {gate.limit:g} {gate.unit}"))
    published = _all(root, "//gmd:MD_DataIdentification//gmd:CI_Date")[0]
    _child(citation, "date").append(etree.fromstring(etree.tostring(published)))
    result.append(_string("explanation", str(gate)))
    passed = etree.SubElement(_child(result, "pass"), f"{{{_GCO}}}Boolean")
    passed.text = "true" if gate.passed else "false"
    return report


def _element(name: str) -> etree._Element:
    return etree.Element(f"{{{_GMD}}}{name}", nsmap=_NAMES)


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_GMD}}}{name}")


def _string(name: str, text: str) -> etree._Element:
    element = _element(name)
    etree.SubElement(element, f"{{{_GCO}}}CharacterString").text = text
    return element


def _all(root: etree._Element, path: str) -> list[etree._Element]:
    nodes = root.xpath(path, namespaces=_NAMES)
    return [node for node in nodes if isinstance(node, etree._Element)] if isinstance(nodes, list) else []


def _parent(element: etree._Element) -> etree._Element:
    parent = element.getparent()
    if parent is None:
        raise ValueError("the root has no parent")
    return parent
