"""The Chinese words: complete, none left over, and said where the English ones are."""

from __future__ import annotations

import pytest

from catalog.items.balance_products import COLLECTION_FIGURES
from catalog.items.processing_steps import elevation_change_steps, mass_balance_steps
from catalog.items.titles_cn import COLLECTION_FIGURES_CN, STEPS_CN, renders_cn, step_cn
from catalog.stac.assets import columns_of
from catalog.stac.languages import CHINESE, ENGLISH
from pipeline.elevation_change.pairing.datum import datum_step
from schemas.chinese import MEANINGS_CN, meaning_cn, table_meaning_cn, table_title_cn
from schemas.flags import MEANINGS, flag_cn, raised
from schemas.messages import Message
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
    assert set(COLLECTION_FIGURES_CN) == set(COLLECTION_FIGURES)


def test_a_flag_keeps_its_detail():
    assert flag_cn("filled_stakes:3") == f"{MEANINGS['filled_stakes'].cn}：3"
    assert flag_cn("no_map") == MEANINGS["no_map"].cn
    assert has_chinese(flag_cn("no_map"))
    far = raised("visits_far_from_year_start", Message("{days} days", days=45))
    assert far == "visits_far_from_year_start:45 days"
    assert flag_cn(far) == f"{MEANINGS['visits_far_from_year_start'].cn}：45天"
    assert flag_cn("of another software") == ""


def test_columns_are_told_with_their_unit_in_either_language():
    table = next(table for table in PUBLISHED_TABLES if table.name == "glaciers")
    english, chinese = (columns_of(table, language) for language in (ENGLISH, CHINESE))
    assert [column["name"] for column in english] == [column["name"] for column in chinese]
    at = table.column_names.index("mass_change_kg")
    assert english[at]["description"] == "mass change (kg)"
    assert chinese[at]["description"] == "质量变化 (kg)"


def test_every_step_has_a_chinese_name():
    change, balance = make_elevation_change_dataset(shape=(40, 60)).result, make_mass_balance_dataset().result
    steps = [*elevation_change_steps(change), *mass_balance_steps(balance, balance.years[0])]
    assert [step["name"] for step in steps if not step_cn(step["name"])] == []
    assert {step["name"] for step in steps} <= set(STEPS_CN)
    assert step_cn("radar penetration and season, firn") == "雷达穿透与季节改正：firn"
    assert step_cn("something else") == ""


@pytest.mark.parametrize(
    ("earlier", "later"), [("EPSG:5773", "EPSG:3855"), ("EPSG:3855", "EPSG:3855"), (None, "EPSG:3855")]
)
def test_what_is_said_of_the_datum_has_chinese_words(earlier, later):
    grid = make_elevation_change_dataset(shape=(40, 60)).result.grid
    step, _ = datum_step(earlier, later, "later", grid, "coregistration")
    assert has_chinese(step.method.cn)
    assert has_chinese(step.note.cn)


def test_renders_keep_their_scale():
    renders = {"balance": {"title": "Annual balance", "rescale": [[-2, 2]]}, "own": {"title": "Own"}}
    assert renders_cn(renders, "mass_balance") == {
        "balance": {"title": "年物质平衡", "rescale": [[-2, 2]]},
        "own": {"title": "Own"},
    }
