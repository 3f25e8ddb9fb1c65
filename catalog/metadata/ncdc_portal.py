"""The record in the form in which the data centre's portal exports it: its fields alone, its order, types and nulls.

What the export that a definition began from says, and the definition has no place for, is written as it stood there
(``[portal]``); the rest follows the definition. Nothing is invented: without such an export the portal's own fields
(identifiers of the portal, share type, subject codes, level) are null.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from catalog.metadata.facts import SYNTHETIC, Facts
from schemas.definition import (
    ALTITUDE_BY_INIT,
    FILLED_BY_INIT,
    NOT_STATED,
    PORTAL_FIELDS,
    PORTAL_TEXTS,
    Bilingual,
    Portal,
)

_CHINESE = "zh"
_CORNERS = {
    "ds_acq_lon_east": "east",
    "ds_acq_lat_south": "south",
    "ds_acq_lon_west": "west",
    "ds_acq_lat_north": "north",
}
_HEIGHTS = ("ds_acq_alt_low", "ds_acq_alt_high")
_DAY = re.compile(r"\d{4}[-/]?\d\d[-/]?\d\d")


def portal_record(facts: Facts) -> dict[str, Any]:
    """The portal's fields in its order; what is not known is null."""
    portal = facts.definition.portal or Portal()
    known = _of_the_definition(facts, portal)
    record = {name: None if name in portal.null else known.get(name) for name in PORTAL_FIELDS}
    return record | {name: value for name, value in portal.fields.items() if name not in record}


def _of_the_definition(facts: Facts, portal: Portal) -> dict[str, Any]:
    """Every field with a value: the export's where the definition says nothing else."""
    definition, stated = facts.definition, portal.fields
    texts = _texts(facts)
    language = str(stated.get("lang") or _CHINESE)
    known = {"lang": _CHINESE} | _from_the_facts(facts) | dict(stated)
    known |= {name: _main(text, language) for name, text in texts.items() if name != "title"}
    known["title_cn"] = texts["title"].cn or None
    known["title_en"] = texts["title"].en or None
    known["i18n"] = _other_languages(texts, language, portal)
    extent, altitude = definition.extent, (definition.altitude.low, definition.altitude.high)
    heights = dict(zip(_HEIGHTS, altitude, strict=True))
    corners = {name: getattr(extent, side) for name, side in _CORNERS.items()}
    for numbers, unfilled in ((corners, extent.basis == FILLED_BY_INIT), (heights, altitude == ALTITUDE_BY_INIT)):
        # a number that init put there to be replaced is nobody's: what the export says of it stands
        keep = unfilled and definition.portal is not None
        known |= {
            name: stated.get(name) if keep else _number(stated.get(name), value) for name, value in numbers.items()
        }
    period = definition.period
    for name, day in (("ds_acq_start_time", period.start), ("ds_acq_end_time", period.end)):
        known[name] = _time(stated.get(name), day)
    for name, value in (("doi_value", definition.doi), ("cstr", definition.cstr)):
        known[name] = value or stated.get(name)
    return known


def _from_the_facts(facts: Facts) -> dict[str, Any]:
    """What is known of a dataset that began from no export."""
    definition, original = facts.definition, facts.definition.original
    published = _time(None, definition.publication_date)
    contact = definition.contacts[0] if definition.contacts else None
    resolution = definition.processing.resolution_m
    known = {
        "publish_time": published,
        "last_updated": published,
        "ds_total_size": facts.total_size,
        "ds_files_count": len(facts.files),
        "ds_format": original.data_format,
        "ds_space_res": f"{resolution:g}m" if resolution else None,
        "ds_coordinate": original.coordinate_system,
        "ds_projection": original.projection,
        "ds_thumbnail": facts.thumbnail,
        "ds_ref_way": facts.citation.cn,
        "ds_ref_instruction": definition.reading.citation_instruction.cn,
        "ds_serv_man": contact.name if contact else None,
        "ds_serv_phone": contact.phone if contact else None,
        "ds_serv_mail": contact.email if contact else None,
        "subject_codes": [],
    }
    return {name: None if value == "" else value for name, value in known.items()}


def _texts(facts: Facts) -> dict[str, Bilingual]:
    """The texts in both languages; those of a synthetic sample say so."""
    reading, title = facts.definition.reading, facts.title
    texts = {name: getattr(reading, key) for name, key in PORTAL_TEXTS.items()}
    if facts.synthetic:
        for name in ("ds_abstract", "ds_quality"):
            text = texts[name]
            texts[name] = Bilingual(en=f"{SYNTHETIC.en} {text.en}", cn=text.cn and f"{SYNTHETIC.cn} {text.cn}")
    texts["title"] = Bilingual(en="" if title.en == title.cn else title.en, cn=title.cn)
    return {name: Bilingual(en="" if text.en == NOT_STATED else text.en, cn=text.cn) for name, text in texts.items()}


def _main(text: Bilingual, language: str) -> str | None:
    """A text in the record's language, in the other where it is in that alone."""
    chinese = language.startswith(_CHINESE)
    return (text.cn or text.en if chinese else text.en or text.cn) or None


def _other_languages(texts: dict[str, Bilingual], language: str, portal: Portal) -> dict[str, Any] | None:
    """What stands beside the record's language: the same texts in the other one, and what the export says more."""
    chinese = language.startswith(_CHINESE)
    # both titles are fields of their own; another text stands here only where it is in both languages
    both = {name: text for name, text in texts.items() if name == "title" or (text.en and text.cn)}
    other = {name: text.en if chinese else text.cn for name, text in ({"title": texts["title"]} | both).items()}
    other = {name: text for name, text in other.items() if text}
    code = "en" if chinese else _CHINESE
    spoken = ({code: other} if other else {}) | dict(portal.i18n)
    if other and code in portal.i18n:
        spoken[code] = other | portal.i18n[code]
    return spoken or None


def _number(stated: Any, value: float) -> Any:
    """The number as the export writes it, a whole one without its point, as long as it is the definition's."""
    return stated if isinstance(stated, int | float) and stated == value else value


def _time(stated: Any, day: date) -> str:
    """The time as the export writes it, as long as it is of the definition's day or of none."""
    text = str(stated or "")
    if text and not _DAY.match(text.strip()):
        return text
    return text if text.strip().replace("/", "-").startswith(day.isoformat()) else f"{day.isoformat()} 00:00:00"
