"""Titles of the files beside a collection, where no other part of the project states them in both languages."""

from __future__ import annotations

from catalog.archive import (
    CITATION_BIB,
    CITATION_CFF,
    CITATION_RIS,
    CITATION_TXT,
    CRATE_JSON,
    DATACITE_JSON,
    DATACITE_XML,
    DATASET_JSONLD,
    ISO19139_XML,
    NCDC_JSON,
    NCDC_PORTAL_JSON,
)
from schemas.definition import Bilingual

ITEM_TABLE_TITLE = Bilingual(
    en="Every item as a row of one table (stac-geoparquet)", cn="全部条目的表格（stac-geoparquet）"
)
ITEM_LIST_TITLE = Bilingual(en="Every item in one GeoJSON", cn="全部条目（一个 GeoJSON 文件）")
METADATA_TITLES = {
    NCDC_JSON: Bilingual(
        en="Record of the National Cryosphere Desert Data Center", cn="国家冰川冻土沙漠科学数据中心元数据记录"
    ),
    NCDC_PORTAL_JSON: Bilingual(
        en="The record in the form of the portal's export", cn="数据中心门户导出格式的元数据记录"
    ),
    CITATION_TXT: Bilingual(en="Citation text", cn="引用文本"),
    CITATION_CFF: Bilingual(en="Citation File Format", cn="引用文件（CFF）"),
    CITATION_BIB: Bilingual(en="Citation for LaTeX (BibTeX)", cn="引用信息（BibTeX）"),
    CITATION_RIS: Bilingual(en="Citation for reference managers (RIS)", cn="引用信息（RIS）"),
    DATACITE_JSON: Bilingual(en="DataCite metadata (JSON)", cn="DataCite 元数据（JSON）"),
    DATACITE_XML: Bilingual(en="DataCite metadata (XML)", cn="DataCite 元数据（XML）"),
    ISO19139_XML: Bilingual(en="ISO 19139 metadata", cn="ISO 19139 元数据"),
    DATASET_JSONLD: Bilingual(en="schema.org Dataset", cn="schema.org 数据集描述"),
    CRATE_JSON: Bilingual(en="RO-Crate metadata", cn="RO-Crate 元数据"),
}
