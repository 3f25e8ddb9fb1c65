"""RO-Crate 1.1: the data files of the collection with their checksums, and what they were made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalog.metadata.facts import LANGUAGES, Facts, licence_url

if TYPE_CHECKING:
    from rocrate.model import ContextEntity, DataEntity
    from rocrate.rocrate import ROCrate

# the version that most tools read; the library's own default changes with its releases
_VERSION = "1.1"


def crate_document(facts: Facts) -> dict[str, Any]:
    """The crate's metadata document; it stands in the collection's metadata folder, so files are at ``../``."""
    # slow to import, and needed only where a crate is made
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=_VERSION)
    publisher = crate.add(_organization(crate, facts))
    contacts = [crate.add(contact) for contact in _contacts(crate, facts)]
    products = [crate.add(product) for product in _products(crate, facts)]
    measures = [crate.add(measure) for measure in (*_variables(crate, facts), *_gates(crate, facts))]
    for path, size, sha256, media_type in facts.files:
        crate.add(_file(crate, path, size, sha256, media_type))
    for name, value in _root(facts).items():
        crate.root_dataset[name] = value
    crate.root_dataset["publisher"] = publisher
    crate.root_dataset["license"] = crate.add(_licence(crate, facts))
    people = [crate.add(person) for person in _people(crate, facts)] if facts.creators_are_people else [publisher]
    crate.root_dataset["author"] = _one_or_more(people)
    for name, entities in (("contactPoint", contacts), ("isBasedOn", products), ("variableMeasured", measures)):
        if entities:
            crate.root_dataset[name] = _one_or_more(entities)
    crate.root_dataset["contentLocation"] = crate.add(_place(crate, facts))
    if grant := _grant(crate, facts):
        crate.root_dataset["funding"] = crate.add(grant)
    document: dict[str, Any] = crate.metadata.generate()
    return {"@context": document["@context"], "@graph": [_sorted_keys(entity) for entity in document["@graph"]]}


def _one_or_more(entities: list[Any]) -> Any:
    """RO-Crate recommends that a single value stand without a list around it."""
    return entities if len(entities) != 1 else entities[0]


def _root(facts: Facts) -> dict[str, Any]:
    definition = facts.definition
    values = {
        "name": facts.title.en,
        "alternateName": facts.title.cn,
        "description": facts.abstract.en,
        # the library would put the present moment here
        "datePublished": definition.publication_date.isoformat(),
        "identifier": f"https://doi.org/{definition.doi}" if definition.doi else definition.id,
        "version": definition.version,
        "inLanguage": list(LANGUAGES),
        "keywords": list(facts.keywords),
        "temporalCoverage": f"{definition.period.start.isoformat()}/{definition.period.end.isoformat()}",
        "creditText": " ".join(text for text in (facts.citation.en, definition.original.citation) if text),
        "creativeWorkStatus": "Synthetic sample" if facts.synthetic else "Published",
    }
    return {key: value for key, value in values.items() if value}


def _file(crate: ROCrate, path: str, size: int, sha256: str, media_type: str) -> DataEntity:
    from rocrate.model import DataEntity

    properties = {
        "@type": "File",
        "name": path,
        "contentSize": str(size),
        # without parameters, as readers of crates look for it
        "encodingFormat": media_type.partition(";")[0],
        "sha256": sha256,
    }
    return DataEntity(crate, identifier=f"../{quote(path)}", properties=properties)


def _context(crate: ROCrate, entity_id: str, kind: str, **values: Any) -> ContextEntity:
    from rocrate.model import ContextEntity

    properties = {"@type": kind, **{key: value for key, value in values.items() if value not in ("", None)}}
    return ContextEntity(crate, entity_id, properties=properties)


def _organization(crate: ROCrate, facts: Facts) -> ContextEntity:
    definition = facts.definition
    return _context(
        crate,
        definition.publisher_url,
        "Organization",
        name=definition.publisher,
        alternateName=definition.publisher_cn,
        url=definition.publisher_url,
    )


def _people(crate: ROCrate, facts: Facts) -> list[ContextEntity]:
    return [
        _context(crate, f"#author-{number}", "Person", name=name) for number, name in enumerate(facts.creators, start=1)
    ]


def _contacts(crate: ROCrate, facts: Facts) -> list[ContextEntity]:
    return [
        _context(
            crate,
            f"#contact-{number}",
            "ContactPoint",
            name=contact.name,
            telephone=contact.phone,
            email=contact.email,
            contactType=contact.role,
        )
        for number, contact in enumerate(facts.definition.contacts, start=1)
    ]


def _products(crate: ROCrate, facts: Facts) -> list[ContextEntity]:
    return [
        _context(
            crate,
            source.url or f"#source-{source.key}",
            "CreativeWork",
            name=source.title,
            creditText=source.attribution,
            license=licence_url(source.licence) if source.licence else "",
        )
        for source in facts.definition.sources
    ]


def _licence(crate: ROCrate, facts: Facts) -> ContextEntity:
    definition = facts.definition
    stated = "not stated" if definition.licence == "other" else definition.licence
    identifier = licence_url(definition.licence) or "#licence"
    return _context(crate, identifier, "CreativeWork", name=stated, description=definition.licence_note)


def _variables(crate: ROCrate, facts: Facts) -> list[ContextEntity]:
    return [
        _context(
            crate,
            f"#variable-{number}",
            "PropertyValue",
            name=variable.name.en,
            alternateName=variable.name.cn,
            unitText=variable.unit,
        )
        for number, variable in enumerate(facts.variables, start=1)
    ]


def _gates(crate: ROCrate, facts: Facts) -> list[ContextEntity]:
    return [
        _context(
            crate,
            f"#quality-{number}",
            "PropertyValue",
            name=f"{gate.gate}, {gate.subject}",
            value=gate.value,
            maxValue=gate.limit,
            unitText=gate.unit,
            description=str(gate),
        )
        for number, gate in enumerate(facts.gates, start=1)
    ]


def _place(crate: ROCrate, facts: Facts) -> ContextEntity:
    extent = facts.definition.extent
    shape = crate.add(
        _context(
            crate,
            "#extent",
            "GeoShape",
            box=f"{extent.south} {extent.west} {extent.north} {extent.east}",
        )
    )
    return _context(crate, "#place", "Place", name=facts.definition.reading.collect_place.en, geo=shape)


def _grant(crate: ROCrate, facts: Facts) -> ContextEntity | None:
    project = facts.definition.project
    if project is None:
        return None
    return _context(crate, "#project", "Grant", identifier=project.number, name=project.name)


def _sorted_keys(entity: dict[str, Any]) -> dict[str, Any]:
    return {key: entity[key] for key in sorted(entity)}
