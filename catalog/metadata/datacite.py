"""DataCite Metadata Schema 4.5, as JSON and XML.

A DataCite record is made to register a DOI, and none is known for these datasets. Without one the JSON has no ``doi``,
which the schema allows (a draft), and the XML, whose schema demands an ``identifier`` but not that it be a DOI, carries
the archive's own identifier with a type that says what it is. A DOI in the definition takes both places.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from catalog.metadata.facts import LANGUAGE, Facts, licence_url
from schemas.definition import Bilingual
from schemas.errors import FailedCheck

if TYPE_CHECKING:
    from jsonschema import ValidationError

_KERNEL = "http://datacite.org/schema/kernel-4"
_LOCAL_TYPE = "Local accession number"
# DataCite's word for a value that is required and not available
_UNAVAILABLE = ":unav"


def datacite_record(facts: Facts) -> dict[str, Any]:
    """The record as DataCite's JSON.

    Errors
    ------
    FailedCheck : the record contradicts DataCite's schema.
    """
    definition = facts.definition
    record = {
        "creators": _creators(facts),
        "titles": [
            {"title": facts.title.en, "lang": "en"},
            {"title": facts.title.cn, "titleType": "TranslatedTitle", "lang": "zh"},
        ][: 2 if facts.title.cn else 1],
        "publisher": {"name": definition.publisher, "lang": "en"},
        "publicationYear": str(definition.publication_date.year),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": _resource_type(facts)},
        "subjects": _subjects(facts),
        "contributors": _contributors(facts),
        "dates": _dates(facts),
        "language": LANGUAGE,
        "alternateIdentifiers": [{"alternateIdentifier": definition.id, "alternateIdentifierType": _LOCAL_TYPE}],
        "relatedIdentifiers": _products(facts),
        "sizes": [f"{facts.total_size} bytes", f"{len(facts.files)} files"],
        "formats": sorted({media_type for *_, media_type in facts.files}),
        "version": definition.version,
        "rightsList": _rights(facts),
        "descriptions": _descriptions(facts),
        "geoLocations": [_place(facts)],
        "fundingReferences": _funding(facts),
        "schemaVersion": _KERNEL,
    }
    if definition.doi:
        record["doi"] = definition.doi
    record = {key: _once(value) if isinstance(value, list) else value for key, value in record.items() if value}
    for error in datacite_errors(record):
        where = f"{definition.id}: datacite.json: {'/'.join(str(part) for part in error.absolute_path)}"
        raise FailedCheck(where, error.message, "a record that follows DataCite 4.5")
    return record


def datacite_errors(record: Any) -> Iterator[ValidationError]:
    """What DataCite's schema 4.5 finds wrong with a record."""
    # the package imports a whole client for DataCite's web interface: only where a record is made or checked
    from datacite import schema45

    yield from schema45.validator.iter_errors(record)


def datacite_xml(facts: Facts) -> str:
    """The same record as XML."""
    from datacite import schema45
    from lxml import etree

    root = schema45.dump_etree(datacite_record(facts))
    if not facts.definition.doi:
        identifier = etree.Element(f"{{{_KERNEL}}}identifier", identifierType=_LOCAL_TYPE)
        identifier.text = facts.definition.id
        root.insert(0, identifier)
    text: str = schema45.etree_to_string(root)
    return text


def _once(entries: list[Any]) -> list[Any]:
    """Entries without repetition: DataCite refuses a list that says one thing twice."""
    return [entry for place, entry in enumerate(entries) if entry not in entries[:place]]


def _creators(facts: Facts) -> list[dict[str, Any]]:
    # the source writes names in one piece; which part is the family name is not ours to guess
    kind = {} if facts.creators_are_people else {"nameType": "Organizational"}
    return [{"name": name, **kind} for name in facts.creators]


def _resource_type(facts: Facts) -> str:
    return "Synthetic sample" if facts.synthetic else "Glacier observations"


def _subjects(facts: Facts) -> list[dict[str, Any]]:
    chinese = facts.definition.keywords.cn
    ordered = dict.fromkeys((*chinese.theme, *chinese.subject, *chinese.place))
    return [{"subject": word, "lang": "en"} for word in facts.keywords] + [
        {"subject": word, "lang": "zh"} for word in ordered
    ]


def _contributors(facts: Facts) -> list[dict[str, Any]]:
    definition = facts.definition
    people = [
        {"name": contact.name, "contributorType": "ContactPerson"}
        | ({"affiliation": [{"name": contact.organization}]} if contact.organization else {})
        for contact in definition.contacts
    ]
    host = {"name": definition.publisher, "nameType": "Organizational", "contributorType": "HostingInstitution"}
    return [*people, host]


def _dates(facts: Facts) -> list[dict[str, Any]]:
    definition, period = facts.definition, facts.definition.period
    dates = [
        {"date": definition.publication_date.isoformat(), "dateType": "Issued"},
        {
            "date": f"{period.start.isoformat()}/{period.end.isoformat()}",
            "dateType": "Collected",
            "dateInformation": "as the description claims",
        },
    ]
    if period.supported_start and period.supported_end:
        supported = f"{period.supported_start.isoformat()}/{period.supported_end.isoformat()}"
        dates.append({"date": supported, "dateType": "Collected", "dateInformation": "as the sources support"})
    return dates


def _products(facts: Facts) -> list[dict[str, Any]]:
    return [
        {
            "relatedIdentifier": source.url.removeprefix("https://doi.org/"),
            "relatedIdentifierType": "DOI" if source.url.startswith("https://doi.org/") else "URL",
            "relationType": "IsDerivedFrom",
        }
        for source in facts.definition.sources
        if source.url
    ]


def _rights(facts: Facts) -> list[dict[str, Any]]:
    definition = facts.definition
    if definition.licence == "other":
        rights: list[dict[str, Any]] = [{"rights": definition.licence_note or "not stated", "lang": "en"}]
    else:
        rights = [
            {
                "rights": definition.licence,
                "rightsUri": licence_url(definition.licence),
                "rightsIdentifier": definition.licence,
                "rightsIdentifierScheme": "SPDX",
                "schemeUri": "https://spdx.org/licenses/",
            }
        ]
    if definition.original.citation:
        rights.append({"rights": definition.original.citation, "lang": "en"})
    return rights


def _descriptions(facts: Facts) -> list[dict[str, Any]]:
    gates = " ".join(f"{gate}." for gate in facts.gates)
    quality = f"Quality as computed: {gates}" if gates else ""
    english = [("Abstract", facts.abstract.en), ("Methods", facts.methods.en), ("TechnicalInfo", facts.quality.en)]
    chinese = [("Abstract", facts.abstract.cn), ("Methods", facts.methods.cn), ("TechnicalInfo", facts.quality.cn)]
    extra = [("TechnicalInfo", quality), ("Other", facts.citation.en)]
    spoken = [(*entry, "en") for entry in (*english, *extra)] + [(*entry, "zh") for entry in chinese]
    return [{"description": text, "descriptionType": kind, "lang": language} for kind, text, language in spoken if text]


def _place(facts: Facts) -> dict[str, Any]:
    extent, place = facts.definition.extent, facts.definition.reading.collect_place
    box = {
        "westBoundLongitude": extent.west,
        "eastBoundLongitude": extent.east,
        "southBoundLatitude": extent.south,
        "northBoundLatitude": extent.north,
    }
    return {"geoLocationPlace": _both(place), "geoLocationBox": box}


def _funding(facts: Facts) -> list[dict[str, Any]]:
    project = facts.definition.project
    if project is None:
        return []
    # the source gives the project and not who paid for it
    return [{"funderName": _UNAVAILABLE, "awardNumber": project.number, "awardTitle": project.name}]


def _both(text: Bilingual) -> str:
    return f"{text.en} / {text.cn}" if text.cn else text.en
