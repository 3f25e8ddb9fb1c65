"""Records in XML with their address: DataCite, and the distribution of ISO 19139."""

from __future__ import annotations

from lxml import etree

from catalog.address.records import Offer, Offers, related_addresses
from catalog.address.references import Address
from catalog.archive import COLLECTION_JSON, INDEX_HTML, media_type_of

_KERNEL = "http://datacite.org/schema/kernel-4"
_GMD, _GCO = "http://www.isotc211.org/2005/gmd", "http://www.isotc211.org/2005/gco"
_NAMES = {"gmd": _GMD, "gco": _GCO, "d": _KERNEL}
# what only an archive with an address has, so that it is known again
_MARK = "address-"


def datacite_xml_without_address(content: bytes, address: Address) -> bytes:
    """The record as it is in an archive that can be moved."""
    root = _parsed(content)
    for name in ("alternateIdentifier", "relatedIdentifier"):
        for element in _all(root, f"//d:{name}"):
            if (element.text or "").startswith(f"{address.base}/"):
                _remove(element)
    for group in _all(root, "//d:alternateIdentifiers[not(*)] | //d:relatedIdentifiers[not(*)]"):
        _remove(group)
    return _encoded(root, content)


def datacite_xml_with_address(content: bytes, offers: Offers, address: Address) -> bytes:
    """The record with the addresses that ``datacite_with_address`` writes into the JSON."""
    root = _parsed(content)
    identifier = etree.SubElement(
        _group(root, "alternateIdentifiers"), f"{{{_KERNEL}}}alternateIdentifier", alternateIdentifierType="URL"
    )
    identifier.text = address.of(offers.page)
    group = _group(root, "relatedIdentifiers")
    for relation, href in related_addresses(offers, address):
        kinds = {"relatedIdentifierType": "URL", "relationType": relation}
        etree.SubElement(group, f"{{{_KERNEL}}}relatedIdentifier", kinds).text = href
    return _encoded(root, content)


def _group(root: etree._Element, name: str) -> etree._Element:
    """The group of a name; a new one stands last, for the schema asks for no order."""
    groups = _all(root, f"/d:resource/d:{name}")
    return groups[0] if groups else etree.SubElement(root, f"{{{_KERNEL}}}{name}")


def iso_without_address(content: bytes, address: Address) -> bytes:
    """The record as it is in an archive that can be moved: it says nothing of a distribution."""
    root = _parsed(content)
    for element in _all(root, f"//gmd:*[starts-with(@id, '{_MARK}')]"):
        parent = element.getparent()
        if parent is not None:
            _remove(parent)
    for uri in _all(root, "/gmd:MD_Metadata/gmd:dataSetURI"):
        if "".join(str(text) for text in uri.itertext()).strip().startswith(f"{address.base}/"):
            _remove(uri)
    return _encoded(root, content)


def iso_with_address(content: bytes, offers: Offers, address: Address) -> bytes:
    """The record with where the dataset is: its page as the dataset's URI, a picture, formats, and links to files."""
    root = _parsed(content)
    if not _all(root, "/gmd:MD_Metadata/gmd:dataSetURI"):
        version = _all(root, "/gmd:MD_Metadata/gmd:metadataStandardVersion")[0]
        version.addnext(_string("dataSetURI", address.of(offers.page)))
    if offers.thumbnail:
        before = _all(root, "//gmd:MD_DataIdentification/gmd:resourceMaintenance")[-1]
        before.addnext(_picture(address.of(offers.thumbnail), media_type_of(offers.thumbnail)))
    distribution = _all(root, "/gmd:MD_Metadata/gmd:distributionInfo/gmd:MD_Distribution")[0]
    formats = dict.fromkeys(file.media_type for file in offers.files)
    for place, media_type in enumerate(formats):
        distribution.insert(place, _format(place + 1, media_type))
    codes = str(_all(root, "//gmd:CI_RoleCode")[0].get("codeList")).partition("#")[0]
    options = _child(_child(distribution, "transferOptions"), "MD_DigitalTransferOptions")
    options.set("id", f"{_MARK}links")
    page = Offer(offers.page, INDEX_HTML, media_type_of(INDEX_HTML))
    document = Offer(offers.document, COLLECTION_JSON, media_type_of(COLLECTION_JSON))
    for file in (page, document, *offers.files):
        _child(options, "onLine").append(_online(file, address, "information" if file is page else "download", codes))
    return _encoded(root, content)


def _format(number: int, media_type: str) -> etree._Element:
    element = _element("distributionFormat")
    inner = _child(element, "MD_Format")
    inner.set("id", f"{_MARK}format-{number}")
    inner.append(_string("name", media_type))
    _child(inner, "version").set(f"{{{_GCO}}}nilReason", "inapplicable")
    return element


def _picture(href: str, media_type: str) -> etree._Element:
    element = _element("graphicOverview")
    inner = _child(element, "MD_BrowseGraphic")
    inner.set("id", f"{_MARK}picture")
    inner.append(_string("fileName", href))
    inner.append(_string("fileDescription", "thumbnail"))
    inner.append(_string("fileType", media_type))
    return element


def _online(file: Offer, address: Address, function: str, codes: str) -> etree._Element:
    element = _element("CI_OnlineResource")
    etree.SubElement(_child(element, "linkage"), f"{{{_GMD}}}URL").text = address.of(file.path)
    protocol = "WWW:LINK-1.0-http--link" if function == "information" else "WWW:DOWNLOAD-1.0-http--download"
    element.append(_string("protocol", protocol))
    element.append(_string("name", file.name))
    element.append(_string("description", file.media_type))
    code = etree.SubElement(_child(element, "function"), f"{{{_GMD}}}CI_OnLineFunctionCode")
    code.set("codeList", f"{codes}#CI_OnLineFunctionCode")
    code.set("codeListValue", function)
    code.text = function
    return element


def _parsed(content: bytes) -> etree._Element:
    parser = etree.XMLParser(remove_blank_text=True, resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(content, parser)


def _encoded(root: etree._Element, like: bytes) -> bytes:
    """Indented; with a line feed at its end, as both writers leave it."""
    etree.indent(root)
    return etree.tostring(root, encoding="utf-8", xml_declaration=True).rstrip(b"\n") + like[len(like.rstrip(b"\n")) :]


def _all(root: etree._Element, path: str) -> list[etree._Element]:
    nodes = root.xpath(path, namespaces=_NAMES)
    return [node for node in nodes if isinstance(node, etree._Element)] if isinstance(nodes, list) else []


def _remove(element: etree._Element) -> None:
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _element(name: str) -> etree._Element:
    return etree.Element(f"{{{_GMD}}}{name}")


def _child(parent: etree._Element, name: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{_GMD}}}{name}")


def _string(name: str, text: str) -> etree._Element:
    element = _element(name)
    etree.SubElement(element, f"{{{_GCO}}}CharacterString").text = text
    return element
