"""Sentences in two languages: every one has its Chinese, with the same values, and none is left over."""

from __future__ import annotations

import ast
import copy
import json
import pickle
import string

import pytest

from schemas.definition import Bilingual
from schemas.messages import Advice, Listed, Message, chinese_of, paragraph, word
from schemas.sentences_cn import SENTENCES_CN
from tests.root import ROOT

SOURCES = [path for folder in ("schemas", "pipeline", "catalog") for path in sorted((ROOT / folder).rglob("*.py"))]


def fields_of(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def has_words(sentence: str) -> bool:
    """Whether a sentence has words of its own; between placeholders an abbreviation is the same in both languages."""
    return any(part.strip(" ,.;:()").islower() for part, *_ in string.Formatter().parse(sentence))


def sentences_of(source: str) -> list[tuple[str | None, set[str]]]:
    """The words of each ``Message`` or ``Advice`` call, None where they are no literal, and the names of its values."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        (
            node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None,
            {keyword.arg for keyword in node.keywords},
        )
        for node in calls
        if isinstance(node.func, ast.Name) and node.func.id in ("Message", "Advice")
    ]


SAID = [
    pytest.param(words, values, id=f"{path.relative_to(ROOT).as_posix()}: {words}")
    for path in SOURCES
    if path.name != "messages.py"
    for words, values in sentences_of(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("words", "values"), SAID)
def test_every_sentence_has_its_chinese_with_the_same_values(words, values):
    assert words is not None, "the words of a message are a literal, so that this test can read them"
    assert fields_of(words) == values
    assert fields_of(SENTENCES_CN[words]) == values
    is_chinese = any("\u4e00" <= char <= "\u9fff" for char in SENTENCES_CN[words])
    assert is_chinese or not has_words(words)


def test_no_sentence_is_left_over():
    said = {param.values[0] for param in SAID}
    given = {name for name in SENTENCES_CN if " " not in name}  # single words are values of settings
    assert len(said) > 10
    assert set(SENTENCES_CN) - said - given == set()


def test_a_sentence_is_its_english_text_and_says_the_same_in_chinese():
    note = Message(
        "PROJ grids changed {source} heights to {target} by {least:.2f} to {greatest:.2f} m",
        source="EPSG:5773",
        target="EPSG:3855",
        least=-0.311,
        greatest=1.42,
    )
    assert note == "PROJ grids changed EPSG:5773 heights to EPSG:3855 by -0.31 to 1.42 m"
    assert json.dumps([note]) == f'["{note.en}"]'
    assert note.cn == "PROJ格网将EPSG:5773高程转换为EPSG:3855，改变-0.31至1.42米"


def test_words_within_a_sentence_are_said_in_its_language():
    said = Message("{role} DEM, Zevenbergen and Thorne 3 x 3 at {pixel_m:g} m", role=word("earlier"), pixel_m=90.0)
    assert said == "earlier DEM, Zevenbergen and Thorne 3 x 3 at 90 m"
    assert said.cn.startswith("前期DEM")
    titled = Message("{role} DEM, Zevenbergen and Thorne 3 x 3 at {pixel_m:g} m", role=Bilingual(en="A"), pixel_m=90.0)
    assert titled.cn.startswith("ADEM"), "what has no Chinese stands in English"


def test_copies_and_pickles_keep_both_languages():
    said = word("none needed")
    for again in (copy.deepcopy(said), pickle.loads(pickle.dumps(said))):  # noqa: S301 - it was pickled here
        assert (again.en, again.cn) == ("none needed", "无需转换")
    assert type(pickle.loads(pickle.dumps(Advice("none needed")))) is Advice  # noqa: S301 - it was pickled here


def test_a_paragraph_joins_its_sentences():
    text = paragraph([word("none needed"), Message("none of the catalogue {number}", number=3)])
    assert text.en == "none needed none of the catalogue 3"
    assert text.cn == "无需转换none of the catalogue 3"


def test_a_list_stands_in_either_language_and_in_a_sentence():
    listed = Listed([word("earlier"), "N43E087.tif", word("later")], " and ", "和")
    assert (listed, listed.cn) == ("earlier and N43E087.tif and later", "前期和N43E087.tif和后期")
    said = Message("missing: {tiles}", tiles=listed)
    assert (said, said.cn) == (f"missing: {listed}", f"缺少：{listed.cn}")
    again = pickle.loads(pickle.dumps(listed))  # noqa: S301 - it was pickled here
    assert (again, again.cn) == (listed, listed.cn)
    assert chinese_of(listed) == listed.cn


def test_plain_text_has_no_chinese_and_a_value_may_not_lack():
    assert chinese_of("typed by somebody") == ""
    with pytest.raises(KeyError, match="source"):
        Message("PROJ grids changed {source} heights", other=1)
