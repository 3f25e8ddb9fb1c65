"""The human pages: self-contained, escaped, in both languages, and saying what the data say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from lxml import html
from shapely.geometry import box

from catalog.build import build_archive
from catalog.dataset import Dataset
from catalog.drawings import balance_chart, extent_map, glacier_shapes
from catalog.key_numbers import item_numbers, key_numbers, measured, signed
from catalog.manifest import list_files
from catalog.mass_balance_items import COLLECTION_FIGURES
from catalog.pages import readable_size
from schemas.definition import Bilingual
from tests.whole_archive import CODE_VERSION, ELEVATION_CHANGE, MASS_BALANCE, build, make_datasets

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("pages") / "archive"
    build(out)
    return out


def page(path: Path) -> Any:
    return html.document_fromstring(path.read_text(encoding="utf-8"))


def words(path: Path) -> str:
    return " ".join(page(path).text_content().split())


def test_every_folder_of_people_has_a_page(root: Path) -> None:
    found = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.html"))
    assert found == [
        "index.html",
        f"{ELEVATION_CHANGE}/elevation-change/index.html",
        f"{ELEVATION_CHANGE}/index.html",
        f"{MASS_BALANCE}/balance-2001/index.html",
        f"{MASS_BALANCE}/balance-2003/index.html",
        f"{MASS_BALANCE}/index.html",
    ]


def test_pages_ask_nothing_of_another_server(root: Path) -> None:
    for path in root.rglob("*.html"):
        tree = page(path)
        for element in tree.iter("script", "link", "img", "iframe", "object", "source"):
            address = element.get("src") or element.get("href") or ""
            assert not address.startswith(("http:", "https:", "//")), (path, address)
        assert "@import" not in path.read_text(encoding="utf-8")
        assert "url(" not in path.read_text(encoding="utf-8")
        assert "default-src 'none'" in tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]


@pytest.mark.slow
def test_every_page_says_synthetic_and_no_page_of_real_data_does(root: Path, tmp_path: Path) -> None:
    for path in root.rglob("*.html"):
        assert page(path).find_class("banner"), path
    build_archive(make_datasets(synthetic=False)[1:], tmp_path / "real", code_version=CODE_VERSION)
    for path in (tmp_path / "real").rglob("*.html"):
        assert not page(path).find_class("banner"), path


def test_pages_are_made_for_phones_readers_and_printers(root: Path) -> None:
    text = (root / "index.html").read_text(encoding="utf-8")
    for needed in ('name="viewport"', "prefers-color-scheme: dark", "@media print", "@media (max-width"):
        assert needed in text
    for path in root.rglob("*.html"):
        for image in page(path).iter("img"):
            assert image.get("alt") is not None
            assert int(image.get("width")) > 0
            assert int(image.get("height")) > 0
        assert page(path).get("lang") == "en"
        assert len(list(page(path).iter("h1"))) == 1


def test_index_shows_each_collection_with_numbers_gates_and_picture(root: Path) -> None:
    cards = page(root / "index.html").find_class("card")
    assert [card.xpath(".//h2/a/@href")[0] for card in cards] == [
        f"{ELEVATION_CHANGE}/index.html",
        f"{MASS_BALANCE}/index.html",
    ]
    assert "Volume change" in cards[0].text_content()
    assert re.search(r"Lowest year.*−0\.48 ± 0\.14", cards[1].text_content(), re.S)
    assert "140 kg m⁻² a⁻¹ at most, 3 of 3 years" in " ".join(cards[1].text_content().split())
    assert all(card.xpath(".//img") for card in cards)
    assert len(page(root / "index.html").xpath("//svg//polygon")) >= 2


def test_collection_says_what_how_quality_citation_and_downloads(root: Path) -> None:
    text = words(root / ELEVATION_CHANGE / "index.html")
    for heading in (
        "What it is",
        "How it was made",
        "Quality",
        "Where and when",
        "Citation",
        "Downloads",
        "Provenance",
    ):
        assert heading in text
    assert "12.35 m east东, −45.68 m north北, 1.20 m up上" in text
    assert "left to co-registration" in text
    assert "as the source says" in text, "the description word for word"
    citation = (root / ELEVATION_CHANGE / "metadata/citation.txt").read_text(encoding="utf-8").splitlines()[2]
    assert citation in text


def test_downloads_give_the_size_and_checksum_of_every_file(root: Path) -> None:
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        tree = page(root / collection / "index.html")
        offered = {
            row.xpath(".//a/@href")[0]: (row.xpath(".//code/text()")[0], row.xpath("./td[3]/text()")[0])
            for row in tree.xpath("//table[@class='downloads']/tbody/tr")
        }
        files = {file.path: file for file in list_files(root / collection) if not file.path.endswith(".html")}
        extra = set(COLLECTION_FIGURES)  # shown as figures
        assert set(offered) | extra == set(files) | extra
        for path, (checksum, size) in offered.items():
            assert checksum == files[path].sha256
            assert size == readable_size(files[path].size)


def test_collection_of_balances_shows_every_year(root: Path) -> None:
    tree = page(root / MASS_BALANCE / "index.html")
    assert len(tree.xpath("//svg[@class='chart']//rect")) == 2
    rows = [[cell.text_content().strip() for cell in row] for row in tree.xpath("//tr[td]")]
    years = {row[0]: row[1:4] for row in rows if row[0] in ("2001", "2002", "2003")}
    assert years == {
        "2001": ["−0.48 ± 0.14", "0.21 ± 0.08", "−0.69 ± 0.16"],
        "2002": ["–", "–", "–"],
        "2003": ["0.07 ± 0.14", "–", "–"],
    }
    assert tree.xpath("//ul[@class='items']//a/@href") == ["balance-2001/index.html", "balance-2003/index.html"]


def test_item_shows_picture_statistics_lineage_and_downloads(root: Path) -> None:
    text = words(root / MASS_BALANCE / "balance-2001/index.html")
    for needed in ("Mass balance 2001", "Equilibrium line", "3,838 m", "one stake melted out", "glacier51.xlsx"):
        assert needed in text
    tree = page(root / MASS_BALANCE / "balance-2001/index.html")
    assert tree.xpath("//figure//img/@src") == ["map.png", "profile.png"]
    assert "balance-2001.json" in tree.xpath("//table[@class='downloads']//a/@href")


def test_both_languages_stand_in_the_page_where_the_definition_has_both(root: Path) -> None:
    tree = page(root / ELEVATION_CHANGE / "index.html")
    assert tree.xpath("//h1/span[@lang='zh']/text()") == ["冰川高程变化"]
    assert tree.xpath("//h1/span[@lang='en']/text()") == ["Glacier elevation change in a test basin"]
    assert tree.xpath("//p[@lang='zh']/text()")[0] == "冰川"


@pytest.mark.slow
def test_without_chinese_only_english_is_written(tmp_path: Path) -> None:
    dataset = make_datasets()[1]
    plain = dataset.definition.model_copy(update={"title": Bilingual(en="Only English")})
    build_archive([replace(dataset, definition=plain)], tmp_path / "archive", code_version=CODE_VERSION)
    tree = page(tmp_path / "archive" / MASS_BALANCE / "index.html")
    assert tree.xpath("//h1/text()") == ["Only English"]


def hostile_dataset() -> Dataset:
    dataset = make_datasets()[1]
    reading = dataset.definition.reading.model_copy(
        update={"description": Bilingual(en=HOSTILE, cn=HOSTILE), "collect_place": Bilingual(en=HOSTILE)}
    )
    sources = tuple(
        source.model_copy(update={"title": HOSTILE, "url": "javascript:alert(1)"})
        for source in dataset.definition.sources
    )
    definition = dataset.definition.model_copy(
        update={"title": Bilingual(en=HOSTILE), "reading": reading, "publisher": HOSTILE, "sources": sources}
    )
    return replace(dataset, definition=definition)


@pytest.mark.slow
def test_text_of_a_definition_is_never_markup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # only the pages are looked at: what other standards make of such a title is not the point here
    from catalog import build as building

    monkeypatch.setattr(building, "write_metadata", lambda *_: None)
    monkeypatch.setattr(building, "write_stac", lambda root, written, _: stac_stubs(written))
    monkeypatch.setattr(building, "prove", lambda *_: building.ValidationReport("", ()))
    build_archive([hostile_dataset()], tmp_path / "archive", code_version=CODE_VERSION)
    for path in (tmp_path / "archive").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert 'href="javascript:' not in text, path
        assert "&lt;script&gt;alert(1)" in text, path


def stac_stubs(written: list[Any]) -> None:
    for _, items in written:
        for item in items:
            (item.folder / f"{item.item_id}.json").write_text('{"assets": {}}')


def test_readme_holds_tables_citation_and_files(root: Path) -> None:
    text = (root / MASS_BALANCE / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Mass balance of a test glacier\n")
    assert "**Synthetic sample.**" in text
    assert "| `point_balances` | 36 |" in text
    assert "- `balance-2001/`: " in text
    assert "\n\n\n" not in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert line.endswith("|"), line


# --- numbers and drawings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (-1.234, 2, "−1.23"),
        (0.001, 2, "0.00"),
        (-0.001, 2, "0.00"),
        (1234567.0, 0, "1,234,567"),
        (None, 2, "–"),
        (float("nan"), 1, "–"),
    ],
)
def test_signed(value: float | None, decimals: int, text: str) -> None:
    assert signed(value, decimals) == text


def test_measured_leaves_out_a_missing_sigma() -> None:
    assert measured(-0.5, 0.04, 2) == "−0.50 ± 0.04"
    assert measured(-0.5, None, 2) == "−0.50"


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536 * 1024, "1.5 MiB"), (5 << 40, "5120.0 GiB")],
)
def test_readable_size(size: int, text: str) -> None:
    assert readable_size(size) == text


def test_key_numbers_of_a_dataset_without_glaciers_or_balances() -> None:
    change, balance = make_datasets()
    bare = replace(change, result=replace(change.result, totals=None))
    assert [number.label.en for number in key_numbers(bare)] == ["Off-glacier bias", "Off-glacier NMAD"]
    empty = replace(balance, result=replace(balance.result, years=()))
    assert [number.value for number in key_numbers(empty)] == ["0"]
    assert item_numbers(balance, "balance-1900") == ()
    assert balance_chart(empty, ()) is None
    assert balance_chart(change, ()) is None


def test_extent_map_keeps_shapes_and_order() -> None:
    drawn = extent_map([("west", box(84, 43, 85, 44)), ("east", box(88, 43, 89, 44))], 600)
    west, east = drawn.places
    assert west.middle[0] < east.middle[0]
    assert (west.number, east.number) == (1, 2)
    xs = [float(point.split(",")[0]) for point in west.outline[0].split()]
    ys = [float(point.split(",")[1]) for point in west.outline[0].split()]
    # a degree of longitude is shorter than one of latitude by the cosine of the latitude
    assert (max(xs) - min(xs)) / (max(ys) - min(ys)) == pytest.approx(0.7254, abs=0.002)
    assert all(0 <= tick.at <= drawn.width for tick in drawn.meridians)
    assert all(0 <= tick.at <= drawn.height for tick in drawn.parallels)


def test_a_place_too_small_to_see_gets_a_ring() -> None:
    drawn = extent_map([("glacier", box(84.38, 43.72, 84.4, 43.74)), ("basin", box(86.5, 43, 87.5, 43.3))])
    assert [place.ring for place in drawn.places] == [True, False]


def test_southern_and_western_degrees_are_named() -> None:
    drawn = extent_map([("Andes", box(-71, -34, -70, -33))])
    assert all(tick.label.endswith("° W") for tick in drawn.meridians)
    assert all(tick.label.endswith("° S") for tick in drawn.parallels)


def test_bars_stand_on_zero_and_whiskers_span_two_sigma() -> None:
    chart = balance_chart(make_datasets()[1], ())
    assert chart is not None
    loss, gain = chart.bars
    assert loss.top == chart.zero
    assert gain.top + gain.height == pytest.approx(chart.zero, abs=0.02)
    scale = loss.height / 0.482152
    assert loss.low is not None
    assert loss.high is not None
    assert loss.low - loss.high == pytest.approx(2 * 0.14 * scale, abs=0.05)
    assert [tick.label for tick in chart.ticks] == ["−0.8", "−0.6", "−0.4", "−0.2", "0.0", "0.2", "0.4"]


def test_glaciers_of_the_map_are_in_degrees() -> None:
    change, balance = make_datasets()
    for dataset in (change, balance):
        shapes = glacier_shapes(dataset)
        assert shapes
        bounds = pd.DataFrame([shape.bounds for shape in shapes])
        assert bounds[0].between(84, 88).all()
        assert bounds[1].between(43, 44).all()
    assert glacier_shapes(replace(balance, result=replace(balance.result, outline=None))) == ()
