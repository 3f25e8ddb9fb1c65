"""One collection as a STAC document: what the definition says, what its items have in common, its own files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from pystac import Collection, Extent, Link, Provider, ProviderRole, SpatialExtent, TemporalExtent
from pystac.extensions.projection import ProjectionExtension
from pystac.extensions.scientific import ScientificExtension
from pystac.extensions.timestamps import TimestampsExtension
from pystac.extensions.version import VersionExtension, VersionRelType
from pystac.utils import datetime_to_str

from catalog.archive import CATALOG_JSON, ISO19139_XML, METADATA, NCDC_JSON
from catalog.items import acquisitions, gate_records, periods_of
from catalog.metadata import stated_fields
from catalog.stac.catalogs import part_title
from catalog.stac.collection_files import offered_files
from catalog.stac.documents import CATALOG_TITLE, DocumentPlace, Json, completed, root_link
from catalog.stac.glacier import GlacierExtension
from catalog.stac.item import title_of
from catalog.stac.languages import LANGUAGES, Language
from catalog.stac.source import DescribedDataset, first_second, last_second
from catalog.stac.summary import Summary
from schemas.definition import Bilingual, Contact, Definition, OtherVersion, Producer

_MOST_GATES = 200


def collection_documents(source: DescribedDataset, summary: Summary) -> list[tuple[DocumentPlace, Collection]]:
    """The collection in every language, with its place; its files and items are written already."""
    files = list(offered_files(source))
    documents = []
    for language in LANGUAGES:
        place = DocumentPlace(source.collection_path, language, source.base)
        made = _collection(source, summary, language)
        for file in files:
            file.add_to(made, language)
        links = [root_link(place), *_parent_and_members(source, place), *_other_links(source, language)]
        documents.append((place, completed(place, made, links, source.facts.title)))
    return documents


def _collection(source: DescribedDataset, summary: Summary, language: Language) -> Collection:
    definition, facts = source.definition, source.facts
    made = Collection(
        id=definition.id,
        title=language.text(facts.title),
        description=language.text(facts.abstract),
        extent=_extent(source),
        license=definition.licence,
        keywords=source.keywords(language),
        providers=_providers(definition, language),
        summaries=summary.summaries,
        extra_fields={**_contacts(definition), **_themes(definition, language)},
    )
    version = VersionExtension.ext(made, add_if_missing=True)
    version.version, version.deprecated = definition.version, bool(definition.successor) or None
    TimestampsExtension.add_to(made)
    made.extra_fields["published"] = datetime_to_str(first_second(definition.publication_date))
    ScientificExtension.ext(made, add_if_missing=True).apply(definition.doi or None, facts.citation.en)
    if summary.systems:
        ProjectionExtension.summaries(made, add_if_missing=True).code = sorted(summary.systems)
    made.item_assets = summary.item_assets.get(language.code, {})
    GlacierExtension(made).apply(language.document({**_glacier_fields(source), **_ncdc_fields(source)}))
    return made


def _extent(source: DescribedDataset) -> Extent:
    """In space the union of the items, and the definition's own extent where there is none.

    In time the whole span first, as the specification asks; then, where they are others, the period that the
    description claims, and the days on which each source was acquired.
    """
    definition, items = source.definition, source.items
    if items:
        west, south, east, north = zip(*(item.bbox for item in items), strict=True)
        bbox = [min(west), min(south), max(east), max(north)]
    else:
        stated = definition.extent
        bbox = [stated.west, stated.south, stated.east, stated.north]
    claimed = (definition.period.start, definition.period.end)
    spans = [(item.start, item.end) for item in items] + [claimed]
    whole = (min(first for first, _ in spans), max(last for _, last in spans))
    acquired = [(first, last) for _, first, last in acquisitions(definition)]
    intervals = [_interval(*days) for days in dict.fromkeys([whole, claimed, *acquired])]
    return Extent(SpatialExtent([bbox]), TemporalExtent(intervals))


def _interval(start: date, end: date) -> list[datetime | None]:
    return [first_second(start), last_second(end)]


def _ncdc_fields(source: DescribedDataset) -> Json:
    """The portal record's fields, as ``metadata/ncdc.json`` states them."""
    record = source.folder.metadata / NCDC_JSON
    if not record.is_file():
        return {}
    return {"glacier:ncdc": stated_fields(json.loads(record.read_text(encoding="utf-8")))}


def _glacier_fields(source: DescribedDataset) -> Json:
    definition = source.definition
    origin = {}
    if definition.extent.origin == "filled":
        origin["extent"] = definition.extent.basis
    filled = [contact for contact in definition.contacts if contact.origin == "filled"]
    origin |= {f"contact {contact.name}": contact.basis for contact in filled}
    fields: Json = {
        "glacier:kind": definition.kind,
        "glacier:synthetic": source.dataset.synthetic,
        "glacier:gates": _gates(source),
        "glacier:altitude_m": {"low": definition.altitude.low, "high": definition.altitude.high},
    }
    if definition.project:
        fields["glacier:project"] = {"number": definition.project.number, "name": definition.project.name}
    if definition.previous_versions:
        fields["glacier:previous_versions"] = [_version(other) for other in definition.previous_versions]
    if origin:
        fields["glacier:origin"] = origin
    return fields | periods_of(source.dataset)


def _gates(source: DescribedDataset) -> list[Json]:
    """All verdicts; of very many those that failed and the one nearest its limit of each gate: a table has them all."""
    records = gate_records(source.dataset)
    if len(records) <= _MOST_GATES:
        return records
    nearest: dict[str, Json] = {}
    for record in records:
        best = nearest.setdefault(record["name"], record)
        if (record["value"] or 0) > (best["value"] or 0):
            nearest[record["name"]] = record
    failed = [record for record in records if not record["passed"]][:_MOST_GATES]
    return failed + [record for record in nearest.values() if record not in failed]


def _version(other: OtherVersion) -> Json:
    record = {"version": other.version, "published": other.publication_date.isoformat(), "address": other.address}
    return {**record, **({"changes": other.changes.model_dump(mode="json")} if other.changes.stated else {})}


# --- links -------------------------------------------------------------------------------------------------------


def _parent_and_members(source: DescribedDataset, place: DocumentPlace) -> Iterator[Link]:
    yield place.link("parent", CATALOG_JSON, CATALOG_TITLE)
    if not source.parts:
        for item in source.items:
            yield place.link("item", source.item_path(item), title_of(item))
    for part in source.parts:
        yield place.link("child", source.part_path(part.part_id), part_title(source, part))


def _other_links(source: DescribedDataset, language: Language) -> Iterator[Link]:
    definition = source.definition
    yield source.licence_link(language)
    publisher = language.say(definition.publisher, definition.publisher_cn)
    yield Link("about", definition.publisher_url, "text/html", publisher)
    if definition.doi:
        yield Link("cite-as", f"https://doi.org/{definition.doi}", title=f"doi:{definition.doi}")
    for origin in definition.sources:
        if origin.url:
            said = {"description": origin.attribution, "license": origin.licence}
            stated = {name: text for name, text in said.items() if text}
            title = language.say(origin.title, origin.title_cn)
            yield Link("derived_from", origin.url, title=title, extra_fields=stated)
    if (source.folder.metadata / ISO19139_XML).is_file():
        title = language.say("ISO 19139 metadata", "ISO 19139 元数据")
        yield Link("describedby", f"./{METADATA}/{ISO19139_XML}", "application/xml", title)
    yield from _version_links(source, language)


def _version_links(source: DescribedDataset, language: Language) -> Iterator[Link]:
    """The version before this one, the one after it, and the latest one known when this was published (RFC 5829)."""
    definition = source.definition
    if definition.previous_versions:
        yield _version_link(VersionRelType.PREDECESSOR, definition.previous_versions[-1], language)
    if definition.successor:
        yield _version_link(VersionRelType.SUCCESSOR, definition.successor, language)
        yield _version_link(VersionRelType.LATEST, definition.successor, language)
    elif definition.previous_versions:
        place = DocumentPlace(source.collection_path, language, source.base)
        title = Bilingual(en=f"Version {definition.version}", cn=f"版本{definition.version}")
        yield place.link(VersionRelType.LATEST, source.collection_path, title)


def _version_link(rel: VersionRelType, other: OtherVersion, language: Language) -> Link:
    title = language.say(f"Version {other.version}", f"版本{other.version}")
    return Link(rel, other.address, title=f"{title} ({other.publication_date.isoformat()})")


# --- people and words --------------------------------------------------------------------------------------------


def _contacts(definition: Definition) -> Json:
    return {"contacts": [_contact(contact) for contact in definition.contacts]} if definition.contacts else {}


def _contact(contact: Contact) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": contact.name, "roles": [contact.role]}
    if contact.organization:
        entry["organization"] = contact.organization
    if contact.email:
        entry["emails"] = [{"value": contact.email}]
    if contact.phone.startswith("+"):
        entry["phones"] = [{"value": contact.phone}]
    elif contact.phone:
        # STAC wants the international form; a country code that the source does not state is not made up
        entry["contactInstructions"] = [f"Telephone {contact.phone}"]
    return entry


def _providers(definition: Definition, language: Language) -> list[Provider]:
    """Who hosts the archive, then who made or licenses its inputs, each once with what of theirs was used."""
    host = Provider(definition.publisher, roles=[ProviderRole.HOST], url=definition.publisher_url)
    made: dict[str, list[tuple[Producer, Bilingual]]] = {}
    for source in definition.sources:
        for producer in source.producers:
            made.setdefault(producer.name, []).append((producer, Bilingual(en=source.title, cn=source.title_cn)))
    return [host, *(_maker(name, products, language) for name, products in made.items())]


def _maker(name: str, products: list[tuple[Producer, Bilingual]], language: Language) -> Provider:
    titles = language.say("; ", "；").join(language.text(title) for _, title in products)
    return Provider(
        name,
        f"{language.say('Input of this dataset: ', '本数据集的输入：')}{titles}",
        [ProviderRole(role) for role in dict.fromkeys(role for producer, _ in products for role in producer.roles)],
        next((producer.url for producer, _ in products if producer.url), None),
    )


def _themes(definition: Definition, language: Language) -> Json:
    """The keywords by kind; their id is the English word in every language."""
    themes = []
    for kind in ("theme", "subject", "place", "time"):
        words, chinese = (getattr(words, kind) for words in (definition.keywords.en, definition.keywords.cn))
        # lists of different lengths say nothing about which word is which
        titles = chinese if language.code == "zh" and len(chinese) == len(words) else ()
        concepts = [{"id": word} for word in dict.fromkeys(words)]
        named = dict(zip(words, titles, strict=True)) if titles else {}
        concepts = [{**concept, **({"title": named[concept["id"]]} if named else {})} for concept in concepts]
        if concepts:
            themes.append({"scheme": f"{definition.publisher}: {kind} keywords", "concepts": concepts})
    return {"themes": themes} if themes else {}
