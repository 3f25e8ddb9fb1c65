"""The Chinese words below the figures: all that is written in a figure is told, and nothing that is not."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from matplotlib.text import Text

from catalog.figures import frame as figure_frame
from catalog.figures.words import words_of
from tests.made.whole_archive import ELEVATION_CHANGE, MASS_BALANCE, build

KINDS = {ELEVATION_CHANGE: "elevation_change", MASS_BALANCE: "mass_balance"}
# names, symbols and units stand in both languages
NAMES = (
    "Test Glacier No. 51", "Glacier elevation change in a test basin", "WGS 84 / UTM zone 45N",
    "Zevenbergen-Thorne 3x3", "m w.e.", "DEM", "NMAD", "RMSE", "cos", "tan", "NE", "NW", "SE", "SW", "km", "dh",
)  # fmt: skip


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[tuple[str, str], set[str]]]:
    """An archive, and all texts of each of its figures, by kind and file name."""
    texts: dict[tuple[str, str], set[str]] = defaultdict(set)
    save = figure_frame._save

    def listen(canvas: Any, path: Path, few_colours: bool) -> None:
        save(canvas, path, few_colours)
        kind = next(kind for name, kind in KINDS.items() if name in path.parts)
        shown = (text for text in canvas.figure.findobj(Text) if text.get_visible() and _of_visible_axes(text))
        texts[kind, path.name] |= {text.get_text().strip() for text in shown} - {""}

    root = tmp_path_factory.mktemp("figures") / "archive"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figure_frame, "_save", listen)
        build(root)
    return root, texts


def _of_visible_axes(text: Text) -> bool:
    return text.axes is None or bool(text.axes.get_visible())


def untold(text: str, words: tuple[tuple[str, str], ...]) -> list[str]:
    """Words of a text that are neither a name nor in ``words``."""
    for known in sorted((*NAMES, *(english for english, _ in words)), key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z]){re.escape(known)}(?![A-Za-z])", " ", text)
    return re.findall(r"[A-Za-z]{2,}", text)


def test_a_word_that_is_not_told_is_found() -> None:
    words = (("mean", "均值"), ("later", "后期"))
    assert untold("mean −2.20 ± 0.31 m, later", words) == []
    assert untold("mean of means, later", words) == ["of", "means"]


@pytest.mark.slow
def test_all_that_is_written_in_a_figure_is_told_in_chinese(
    drawn: tuple[Path, dict[tuple[str, str], set[str]]],
) -> None:
    root, texts = drawn
    figures = {place: said for place, said in texts.items() if place[1] != "thumbnail.png"}
    written = {(KINDS[path.relative_to(root).parts[0]], path.name) for path in root.rglob("*.png")}
    # the pictures of the years are drawn on a canvas that stays open, and not saved here one by one
    silent = {("mass_balance", "map.png"), ("mass_balance", "profile.png")}
    silent |= {(kind, "thumbnail.png") for kind in KINDS.values()}
    assert sorted(written - silent - set(figures)) == []
    for (kind, name), said in figures.items():
        words = words_of(kind, name, synthetic=True)
        assert {text: untold(text, words) for text in said if untold(text, words)} == {}, (kind, name)
        assert all(re.search(r"[\u4e00-\u9fff]", chinese) for _, chinese in words), (kind, name)


def test_only_a_sample_is_called_one() -> None:
    for kind in KINDS.values():
        told = dict(words_of(kind, "map.png", synthetic=False))
        assert set(dict(words_of(kind, "map.png", synthetic=True))) - set(told) == {
            "SYNTHETIC SAMPLE — not observations"
        }
    assert words_of("elevation_change", "thumbnail.png", synthetic=True) == ()


@pytest.mark.slow
def test_the_pages_tell_the_words_of_each_figure(drawn: tuple[Path, dict[tuple[str, str], set[str]]]) -> None:
    root, _ = drawn
    for page in (f"{ELEVATION_CHANGE}/elevation-change/index.html", f"{MASS_BALANCE}/balance-2001/index.html"):
        document = html.document_fromstring((root / page).read_text(encoding="utf-8"))
        kind = KINDS[page.partition("/")[0]]
        figures = document.xpath("//figure[.//img]")
        assert figures
        for figure in figures:
            [name] = figure.xpath(".//img/@src")
            told = [
                (item.xpath("string(i)"), item.xpath("string(text())").strip())
                for item in figure.xpath(".//details[@lang='zh']//li")
            ]
            assert tuple(told) == words_of(kind, name, synthetic=True), name
            assert re.search(r"[\u4e00-\u9fff]", figure.xpath("string(.//img/@data-zh-alt)")), name
