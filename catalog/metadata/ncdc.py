"""The record as the data centre's portal exports it: its fields, in its order, with the source's own words."""

from __future__ import annotations

from typing import Any

from catalog.metadata.facts import LANGUAGE, LANGUAGES, Facts
from schemas.definition import Bilingual, Contact, Extent, KeywordReading, Keywords

# what the portal exports, in its order; a field that is not known stays empty
# fmt: off
NCDC_FIELDS = (
    "id", "created", "updated", "version", "ds_topic", "title_cn", "title_en", "ds_abstract", "ds_source",
    "ds_process_way", "ds_quality", "ds_acq_start_time", "ds_acq_end_time", "ds_acq_place", "ds_acq_lon_east",
    "ds_acq_lat_south", "ds_acq_lon_west", "ds_acq_lat_north", "ds_acq_alt_low", "ds_acq_alt_high", "ds_share_type",
    "ds_total_size", "ds_files_count", "ds_format", "ds_space_res", "ds_time_res", "ds_coordinate", "ds_projection",
    "ds_thumbnail", "ds_thumb_from", "ds_ref_way", "paper_ref_way", "ds_ref_instruction", "ds_from_station",
    "organization_id", "ds_serv_man", "ds_serv_phone", "ds_serv_mail", "doi_value", "subject_codes",
    "quality_level", "publish_time", "last_updated", "protected", "protected_to", "lang", "cstr", "i18n",
    "ds_category", "meta_code", "ds_topic_tags", "ds_subject_tags", "ds_class_tags", "ds_time_tags",
    "ds_locus_tags", "ds_projects", "ds_contributors", "ds_meta_authors", "ds_managers", "ds_outcomes",
)
# fmt: on
# fields of ours, after the portal's
OWN_FIELDS = ("synthetic", "computed_quality", "source_description", "reading_notes", "filled")
_LISTS = ("subject_codes", "ds_class_tags", "ds_contributors", "ds_meta_authors", "ds_managers", "ds_outcomes")
_UNKNOWN = ("protected", "protected_to")


def stated_fields(record: dict[str, Any]) -> dict[str, Any]:
    """The portal's own fields that a record fills, for STAC; the citation is left out, for STAC has a field for it."""
    return {
        name: record[name]
        for name in NCDC_FIELDS
        if name.startswith("ds_") and name != "ds_ref_way" and record.get(name) not in ("", [], None)
    }


def ncdc_record(facts: Facts) -> dict[str, Any]:
    """The portal record.

    The portal's text fields hold the source's words; ``i18n`` holds the clean reading in both languages, and
    ``computed_quality`` what was computed here, apart from what the source claims.
    """
    definition = facts.definition
    record: dict[str, Any] = dict.fromkeys(NCDC_FIELDS, "")
    record.update({name: [] for name in _LISTS})
    record.update(dict.fromkeys(_UNKNOWN))
    record.update(_identity(facts) | _words(facts) | _coverage(facts) | _service(facts) | _tags(facts))
    record["synthetic"] = facts.synthetic
    record["computed_quality"] = facts.computed_quality
    record["source_description"] = definition.original.model_dump(mode="json")
    record["reading_notes"] = list(definition.reading.notes)
    record["filled"] = _filled(facts)
    return record


def _identity(facts: Facts) -> dict[str, Any]:
    definition = facts.definition
    # midnight UTC: the publication date is an input without an hour, and a time without a zone means nothing
    published = f"{definition.publication_date.isoformat()}T00:00:00Z"
    return {
        "id": definition.id,
        "created": published,
        "updated": published,
        "version": definition.version,
        "title_cn": facts.title.cn,
        "title_en": facts.title.en,
        "doi_value": definition.doi,
        "publish_time": published,
        "last_updated": published,
        "lang": LANGUAGE,
        "ds_total_size": facts.total_size,
        "ds_files_count": len(facts.files),
        "ds_thumbnail": facts.thumbnail,
        "ds_ref_way": facts.citation.en,
    }


def _words(facts: Facts) -> dict[str, Any]:
    original, reading = facts.definition.original, facts.definition.reading
    mark = "[SYNTHETIC SAMPLE] " if facts.synthetic else ""
    instruction = (original.citation_intro, original.citation_english_note, original.citation)
    resolution, step = _resolution(facts), _time_step(facts)
    i18n = {
        language: {
            "title": _in(facts.title, language),
            "ds_abstract": _in(facts.abstract, language),
            "ds_source": _in(reading.data_source, language),
            "ds_process_way": _in(reading.processing_method, language),
            "ds_quality": _in(facts.quality, language),
            "ds_acq_place": _in(reading.collect_place, language),
            "ds_format": _in(reading.data_format, language),
            "ds_space_res": _in(resolution, language),
            "ds_time_res": _in(step, language),
            "ds_coordinate": original.coordinate_system,
            "ds_projection": original.projection,
            "ds_ref_instruction": _in(reading.citation_instruction, language),
            "ds_ref_way": _in(facts.citation, language),
            "keywords": _keywords(facts, language).model_dump(mode="json"),
        }
        for language in LANGUAGES
    }
    return {
        "ds_abstract": mark + original.description,
        "ds_source": original.data_source,
        "ds_process_way": original.processing_method,
        "ds_quality": mark + original.data_quality,
        "ds_acq_place": original.collect_place,
        "ds_format": original.data_format,
        "ds_coordinate": original.coordinate_system,
        "ds_projection": original.projection,
        "ds_ref_instruction": "\n".join(text for text in instruction if text),
        "i18n": i18n,
    }


def _coverage(facts: Facts) -> dict[str, Any]:
    definition = facts.definition
    extent, altitude, period = definition.extent, definition.altitude, definition.period
    return {
        "ds_acq_start_time": period.start.isoformat(),
        "ds_acq_end_time": period.end.isoformat(),
        "ds_acq_lon_east": extent.east,
        "ds_acq_lat_south": extent.south,
        "ds_acq_lon_west": extent.west,
        "ds_acq_lat_north": extent.north,
        "ds_acq_alt_low": altitude.low,
        "ds_acq_alt_high": altitude.high,
        "ds_space_res": _resolution(facts).en,
        "ds_time_res": _time_step(facts).en,
    }


def _resolution(facts: Facts) -> Bilingual:
    resolution = facts.definition.processing.resolution_m
    return Bilingual(en=f"{resolution:g} m", cn=f"{resolution:g}米") if resolution else Bilingual(en="")


def _time_step(facts: Facts) -> Bilingual:
    return Bilingual(en="1 year", cn="1年") if facts.definition.kind == "mass_balance" else Bilingual(en="")


def _service(facts: Facts) -> dict[str, Any]:
    contacts, original = facts.definition.contacts, facts.definition.original
    first = contacts[0] if contacts else None
    return {
        "ds_serv_man": first.name if first else "",
        "ds_serv_phone": first.phone if first else "",
        "ds_serv_mail": first.email if first else "",
        "ds_contributors": [original.contributors] if original.contributors else [],
        "ds_meta_authors": [original.author] if original.author else [],
        "ds_managers": [original.manager] if original.manager else [],
    }


def _tags(facts: Facts) -> dict[str, Any]:
    keywords, project = facts.definition.keywords.en, facts.definition.project
    return {
        "ds_topic_tags": list(keywords.theme),
        "ds_subject_tags": list(keywords.subject),
        "ds_time_tags": list(keywords.time),
        "ds_locus_tags": list(keywords.place),
        "ds_projects": [{"number": project.number, "name": project.name}] if project else [],
    }


def _filled(facts: Facts) -> dict[str, str]:
    """What the source lacks and we filled, with where it comes from."""
    definition = facts.definition
    parts: dict[str, Extent | KeywordReading | Contact] = {
        "extent": definition.extent,
        "keywords": definition.keywords,
    }
    parts |= {f"contacts.{number}": contact for number, contact in enumerate(definition.contacts)}
    return {"title": "ours; the source states none"} | {
        name: part.basis for name, part in parts.items() if part.origin == "filled"
    }


def _in(text: Bilingual, language: str) -> str:
    return text.cn if language == "zh" else text.en


def _keywords(facts: Facts, language: str) -> Keywords:
    return facts.definition.keywords.cn if language == "zh" else facts.definition.keywords.en
