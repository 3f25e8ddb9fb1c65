"""RO-Crate 1.1: the data files of the collection with their checksums, and what they were made from.

The files of the items of a large collection are described by crates of their own, which the collection's crate names.
"""

from __future__ import annotations

from hashlib import sha256 as sha256_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from catalog.archive import CRATE_JSON
from catalog.metadata.data_files import FileList, file_lists, is_large, own_files, size_of
from catalog.metadata.facts import LANGUAGES, DataFile, Facts, licence_url
from catalog.metadata.json_text import json_text

if TYPE_CHECKING:
    from rocrate.model import ContextEntity, DataEntity
    from rocrate.rocrate import ROCrate

# the version that most tools read; the library's own default changes with its releases
_VERSION = "1.1"


def crate_texts(facts: Facts) -> dict[str, str]:
    """The crate's metadata document and those of its parts, by path from the collection's metadata folder."""
    lists = file_lists(facts.files)
    parts = {of.document: json_text(_part_document(facts, of)) for of in lists}
    return {CRATE_JSON: json_text(_crate_document(facts, lists, parts)), **parts}


def _crate_document(facts: Facts, lists: tuple[FileList, ...], parts: dict[str, str]) -> dict[str, Any]:
    """The crate of the collection; it stands in the metadata folder, so files are at ``../``."""
    crate = _new_crate()
    publisher = crate.add(_organization(crate, facts))
    contacts = [crate.add(contact) for contact in _contacts(crate, facts)]
    products = [crate.add(product) for product in _products(crate, facts)]
    measures = [crate.add(measure) for measure in (*_variables(crate, facts), *_gates(crate, facts))]
    for file in own_files(facts.files):
        crate.add(_file(crate, file, "../"))
    for of in lists:
        _add_part(crate, of, parts[of.document].encode())
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
    return _generated(crate)


def _part_document(facts: Facts, of: FileList) -> dict[str, Any]:
    """The crate of some files of the items; it stands one folder deeper than that of the collection."""
    crate = _new_crate()
    for file in of.files:
        crate.add(_file(crate, file, "../../"))
    root = {
        "name": f"{_title_of(of)} of {facts.title.en}",
        "description": f"{_description_of(of)} The collection's own crate describes all of it.",
        "datePublished": facts.definition.publication_date.isoformat(),
        "version": facts.definition.version,
        "size": size_of(of.files),
        "isPartOf": {"@id": "../"},
    }
    for name, value in root.items():
        crate.root_dataset[name] = value
    crate.root_dataset["license"] = crate.add(_licence(crate, facts))
    return _generated(crate)


def _add_part(crate: ROCrate, of: FileList, document: bytes) -> None:
    """Name a part: the data set that its crate describes, and the crate's document with its checksum."""
    described = crate.add(
        _data(
            crate,
            of.document,
            {
                "@type": "File",
                "name": of.document,
                "about": {"@id": of.folder},
                "contentSize": str(len(document)),
                "encodingFormat": "application/ld+json",
                "sha256": sha256_digest(document).hexdigest(),
            },
        )
    )
    properties = {
        "@type": "Dataset",
        "name": _title_of(of),
        "description": _description_of(of),
        "conformsTo": {"@id": f"https://w3id.org/ro/crate/{_VERSION}"},
        "size": size_of(of.files),
    }
    crate.add(_data(crate, of.folder, properties))["subjectOf"] = described


def _title_of(of: FileList) -> str:
    return f"Files of items, {of.first} to {of.first + len(of.files) - 1}"


def _description_of(of: FileList) -> str:
    return f"The files of items from {of.files[0][0]} to {of.files[-1][0]} with their sizes and checksums."


def _new_crate() -> ROCrate:
    # slow to import, and needed only where a crate is made
    from rocrate.rocrate import ROCrate

    return ROCrate(version=_VERSION)


def _generated(crate: ROCrate) -> dict[str, Any]:
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
        # of a small collection the list itself says it
        "size": size_of(facts.files) if is_large(facts.files) else "",
    }
    return {key: value for key, value in values.items() if value}


def _file(crate: ROCrate, file: DataFile, up: str) -> DataEntity:
    """A data file; ``up`` leads from the crate's folder to the collection's."""
    path, size, sha256, media_type = file
    properties = {
        "@type": "File",
        "name": path,
        "contentSize": str(size),
        # without parameters, as readers of crates look for it
        "encodingFormat": media_type.partition(";")[0],
        "sha256": sha256,
    }
    return _data(crate, f"{up}{quote(path)}", properties)


def _data(crate: ROCrate, entity_id: str, properties: dict[str, Any]) -> DataEntity:
    from rocrate.model import DataEntity

    return DataEntity(crate, entity_id, properties=properties)


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
