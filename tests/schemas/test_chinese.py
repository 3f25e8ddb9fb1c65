"""The Chinese words: complete, none left over, and said where the English ones are."""

from __future__ import annotations

import pytest

from catalog.items.processing_steps import elevation_change_steps, mass_balance_steps
from catalog.stac.assets import columns_of
from catalog.stac.languages import CHINESE, ENGLISH
from pipeline.elevation_change.pairing.datum import datum_step
from schemas.chinese import MEANINGS_CN, meaning_cn, table_meaning_cn, table_title_cn
from schemas.flags import MEANINGS, flag_said, raised
from schemas.messages import Message, chinese_of, in_chinese
from schemas.tables import OUTLINE, OUTLINES, PUBLISHED_TABLES, published_schemas
from tests.made.fakes import make_elevation_change_dataset, make_mass_balance_dataset

TABLES = (*PUBLISHED_TABLES, *published_schemas(several_pairs=True).values(), OUTLINE, OUTLINES)


def has_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)


@pytest.mark.parametrize("table", {table.name: table for table in TABLES}.values(), ids=lambda table: table.name)
def test_every_table_and_column_is_named_in_chinese(table):
    assert has_chinese(table_title_cn(table))
    assert has_chinese(table_meaning_cn(table))
    assert [column.name for column in table.columns if not meaning_cn(column)] == []


def test_no_translation_is_left_over():
    said = {column.meaning for table in TABLES for column in table.columns}
    assert set(MEANINGS_CN) - said == set()


def test_a_flag_keeps_its_detail():
    said = flag_said("filled_stakes:3")
    assert (said, chinese_of(said)) == ("filled_stakes:3", f"{MEANINGS['filled_stakes'].cn}：3")
    assert chinese_of(flag_said("no_map")) == MEANINGS["no_map"].cn
    assert has_chinese(chinese_of(flag_said("no_map")))
    far = raised("visits_far_from_year_start", Message("{days} days", days=45))
    assert far == "visits_far_from_year_start:45 days"
    assert chinese_of(flag_said(far)) == f"{MEANINGS['visits_far_from_year_start'].cn}：45天"
    assert (flag_said("of another: software"), chinese_of(flag_said("no flag"))) == ("of another: software", "")


def test_columns_are_told_with_their_unit_in_either_language():
    table = next(table for table in PUBLISHED_TABLES if table.name == "glaciers")
    english, chinese = (columns_of(table, language) for language in (ENGLISH, CHINESE))
    assert [column["name"] for column in english] == [column["name"] for column in chinese]
    at = table.column_names.index("mass_change_kg")
    assert english[at]["description"] == "mass change (kg)"
    assert chinese[at]["description"] == "质量变化 (kg)"


def test_every_step_is_said_in_chinese_and_formulas_stay():
    change, balance = make_elevation_change_dataset(shape=(40, 60)).result, make_mass_balance_dataset().result
    steps = [*elevation_change_steps(change), *mass_balance_steps(balance, balance.years[0])]
    assert [step["name"] for step in steps if not has_chinese(chinese_of(step["name"]))] == []
    formulas = [step["expression"] for step in steps if not has_chinese(chinese_of(step["expression"]))]
    assert [text for text in formulas if " = " not in text] == []


@pytest.mark.parametrize(
    ("earlier", "later"), [("EPSG:5773", "EPSG:3855"), ("EPSG:3855", "EPSG:3855"), (None, "EPSG:3855")]
)
def test_what_is_said_of_the_datum_has_chinese_words(earlier, later):
    grid = make_elevation_change_dataset(shape=(40, 60)).result.grid
    step, _ = datum_step(earlier, later, "later", grid, "coregistration")
    assert has_chinese(step.method.cn)
    assert has_chinese(step.note.cn)


def test_a_document_is_said_in_chinese_and_its_facts_stay():
    english = {
        "renders": {"balance": {"title": Message("Annual balance"), "rescale": [[-2, 2]]}, "own": {"title": "Own"}},
        "steps": (Message("snow pit"), 3, None),
    }
    assert in_chinese(english) == {
        "renders": {"balance": {"title": "年物质平衡", "rescale": [[-2, 2]]}, "own": {"title": "Own"}},
        "steps": ["雪坑", 3, None],
    }
