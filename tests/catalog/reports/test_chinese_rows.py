"""What the terminal says in Chinese: the same numbers as in English, whatever language the cache was filled in."""

from __future__ import annotations

import re

from catalog.build.collection import facts_of
from catalog.build.report import BuildReport, PublishedCollection, report_from_json, report_to_json
from catalog.metadata.facts import describe
from catalog.pages.facts import Card
from catalog.pages.search import Searchable
from catalog.reports.terminal import show_rows
from tests.made.whole_archive import make_datasets

NUMBER = re.compile(r"[−-]?\d+(?:,\d{3})*(?:\.\d+)?")
CARD = Card(href="", synthetic=False, picture=None, numbers=(), gates=(), count=0, search=Searchable({}, ()))


def published(synthetic: bool = True) -> list[PublishedCollection]:
    found = []
    for dataset in make_datasets(synthetic=synthetic):
        facts = facts_of(dataset, describe(dataset), (), CARD)
        titles = {"title": dataset.definition.title.en, "title_cn": dataset.definition.title.cn}
        rows = {"rows": facts.rows, "rows_cn": facts.rows_cn, "items": (), "summary": {}}
        found.append(
            PublishedCollection(collection_id=dataset.definition.id, synthetic=dataset.synthetic, **titles, **rows)
        )
    return found


def test_every_row_has_the_same_numbers_in_chinese() -> None:
    for collection in published():
        assert len(collection.rows) == len(collection.rows_cn)
        for english, chinese in zip(collection.rows, collection.rows_cn, strict=True):
            assert sorted(NUMBER.findall(" ".join(english))) == sorted(NUMBER.findall(" ".join(chinese)))
            assert re.search("[\u4e00-\u9fff]", chinese[0]), chinese


def test_a_report_from_the_cache_speaks_both_languages(tmp_path) -> None:
    report = BuildReport(
        folder=tmp_path, collections=tuple(published()), files=1, size=1, checks=("a",), not_checked=()
    )
    again = report_from_json(tmp_path, report_to_json(report))
    for kept, first in zip(again.collections, report.collections, strict=True):
        assert kept.told("zh") == first.told("zh")
        assert kept.told("zh")[0].endswith("（合成样本）")
        assert kept.told("en")[0].endswith(" (synthetic sample)")


def test_a_chinese_table_cuts_nothing(capsys) -> None:
    title, rows = published()[0].told("zh")
    show_rows(title, rows, "zh")
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert "稳定像元" in printed
