"""Write every rendering of a dataset's metadata; one source, one set of facts, its files."""

from __future__ import annotations

from pathlib import Path

from catalog.archive import (
    CITATION_BIB,
    CITATION_CFF,
    CITATION_RIS,
    CITATION_TXT,
    DATACITE_JSON,
    DATACITE_XML,
    DATASET_JSONLD,
    ISO19139_XML,
    NCDC_JSON,
    NCDC_PORTAL_JSON,
)
from catalog.metadata.bibtex import bibtex_text
from catalog.metadata.cff import cff_text
from catalog.metadata.citation import citation_text
from catalog.metadata.datacite import datacite_record, datacite_xml
from catalog.metadata.facts import Facts
from catalog.metadata.iso19139 import iso19139_xml
from catalog.metadata.json_text import json_text
from catalog.metadata.jsonld import dataset_jsonld
from catalog.metadata.ncdc import ncdc_record
from catalog.metadata.ncdc_portal import portal_record
from catalog.metadata.ris import ris_text
from catalog.metadata.rocrate import crate_texts


def render_metadata(facts: Facts) -> dict[str, str]:
    """Every rendering by file name, in the order of ``archive.layout.METADATA_FILES``, then a large crate's parts.

    Errors
    ------
    FailedCheck : a rendering contradicts its standard.
    """
    return {
        NCDC_JSON: json_text(ncdc_record(facts)),
        NCDC_PORTAL_JSON: json_text(portal_record(facts)),
        CITATION_TXT: citation_text(facts),
        CITATION_CFF: cff_text(facts),
        CITATION_BIB: bibtex_text(facts),
        CITATION_RIS: ris_text(facts),
        DATACITE_JSON: json_text(datacite_record(facts)),
        DATACITE_XML: datacite_xml(facts),
        ISO19139_XML: iso19139_xml(facts),
        DATASET_JSONLD: json_text(dataset_jsonld(facts)),
        **crate_texts(facts),
    }


def write_metadata(facts: Facts, folder: Path) -> None:
    """Write every rendering into ``folder``, the collection's metadata folder, as UTF-8 with line feeds."""
    renderings = render_metadata(facts)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in renderings.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
