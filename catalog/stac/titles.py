"""Titles of the files beside a collection, where no other part of the project states them in both languages."""

from __future__ import annotations

from schemas.definition import Bilingual

METADATA_TITLES = {
    "ncdc.json": Bilingual(
        en="Record of the National Cryosphere Desert Data Center", cn="国家冰川冻土沙漠科学数据中心元数据记录"
    ),
    "citation.txt": Bilingual(en="Citation text", cn="引用文本"),
    "CITATION.cff": Bilingual(en="Citation File Format", cn="引用文件（CFF）"),
    "datacite.json": Bilingual(en="DataCite metadata (JSON)", cn="DataCite 元数据（JSON）"),
    "datacite.xml": Bilingual(en="DataCite metadata (XML)", cn="DataCite 元数据（XML）"),
    "iso19139.xml": Bilingual(en="ISO 19139 metadata", cn="ISO 19139 元数据"),
    "dataset.jsonld": Bilingual(en="schema.org Dataset", cn="schema.org 数据集描述"),
    "ro-crate-metadata.json": Bilingual(en="RO-Crate metadata", cn="RO-Crate 元数据"),
}
