"""The human pages: self-contained, escaped, in both languages, and saying what the data say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pandas as pd
import pytest
from lxml import html
from shapely.geometry import box

from catalog.archive.dataset import Dataset, Item
from catalog.archive.layout import SITE_FILES, CollectionFolder
from catalog.archive.manifest import list_files
from catalog.build import assembly
from catalog.formats.number_text import measured, signed
from catalog.metadata.facts import describe
from catalog.pages import write
from catalog.pages.drawings import common_extent, extent_map, glacier_shapes
from catalog.pages.map import utm_zone
from catalog.pages.plots import Series, draw, plots_of
from catalog.pages.search import parse_search_script
from catalog.pages.write import ITEMS_A_PAGE, MOST_ITEMS, readable_size, write_readme
from catalog.reports.headline import item_numbers, key_numbers
from schemas.definition import Bilingual, Producer
from tests.made.whole_archive import ELEVATION_CHANGE, MASS_BALANCE, make_datasets, publish_datasets, write_pages

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&"


@pytest.fixture(scope="session")
def root(whole_archive: Path) -> Path:
    return whole_archive


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
        policy = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
    for name in SITE_FILES:
        text = (root / name).read_text(encoding="utf-8")
        for outward in ("@import", "url(", "http://", "https://"):
            assert outward not in text, (name, outward)


@pytest.mark.slow
def test_every_page_says_synthetic_and_no_page_of_real_data_does(root: Path, tmp_path: Path) -> None:
    for path in root.rglob("*.html"):
        assert page(path).find_class("banner"), path
    publish_datasets(make_datasets(synthetic=False)[1:], tmp_path / "real")
    for path in (tmp_path / "real").rglob("*.html"):
        assert not page(path).find_class("banner"), path


def test_pages_are_made_for_phones_readers_and_printers(root: Path) -> None:
    style = (root / "site.css").read_text(encoding="utf-8")
    assert 'name="viewport"' in (root / "index.html").read_text(encoding="utf-8")
    for needed in ("prefers-color-scheme: dark", "@media print", "@media (max-width", "prefers-reduced-motion"):
        assert needed in style
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
    assert not page(root / "index.html").xpath("//svg"), "a map without coast, border or relief shows no place"


def test_glaciers_are_listed_as_their_table_has_them_each_with_its_place_on_the_map(root: Path) -> None:
    rows = page(root / ELEVATION_CHANGE / "index.html").xpath("//table[@class='sortable']/tbody/tr")
    table = pd.read_csv(root / ELEVATION_CHANGE / "tables/glaciers.csv").set_index("glacier_id")
    assert sorted(row.get("data-glacier") for row in rows) == sorted(table.index)
    areas = []
    for row in rows:
        stated = table.loc[row.get("data-glacier")]
        assert row.xpath(".//a/@href") == [f"elevation-change/index.html#glacier={row.get('data-glacier')}"]
        cells = {cell.get("data-column"): cell for cell in row.xpath("./td[@data-column]")}
        areas.append(float(cells["area_km2"].get("data-sort")))
        assert float(cells["mean_dh_m"].get("data-sort")) == pytest.approx(stated["mean_dh_m"], abs=6e-4)
        shown = float(cells["mean_dh_m"].text.split(" ± ")[0].replace("−", "-"))
        assert shown == pytest.approx(stated["mean_dh_m"], abs=6e-3)
        assert float(cells["observed_share"].text) == pytest.approx(100 * stated["observed_share"], abs=0.51)
    assert areas == sorted(areas, reverse=True)


def test_what_the_description_says_is_marked_as_its_own(root: Path) -> None:
    tree = page(root / ELEVATION_CHANGE / "index.html")
    claimed = " ".join(part.text_content() for part in tree.find_class("claim"))
    reading = make_datasets()[0].definition.reading
    for text in (reading.description.en, reading.processing_method.en, reading.data_quality.en):
        assert text.split("\n")[0].strip() in claimed
    assert "Off-glacier" not in claimed


def test_a_picture_of_what_the_page_plots_is_not_shown_too(root: Path) -> None:
    assert page(root / MASS_BALANCE / "index.html").xpath("//figure//img[@src='balance_series.png']") == []
    assert page(root / ELEVATION_CHANGE / "index.html").xpath("//figure//img/@src") == ["elevation-change/map.png"]


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
    assert "12.35 m east, 东，−45.68 m north, 北，1.20 m up上" in text
    assert "left to co-registration" in text
    assert "as the source says" in text, "the description word for word"
    citation = (root / ELEVATION_CHANGE / "metadata/citation.txt").read_text(encoding="utf-8").splitlines()[2]
    assert citation in text


def test_downloads_give_the_size_and_checksum_of_every_file_once(root: Path) -> None:
    for collection in (ELEVATION_CHANGE, MASS_BALANCE):
        files = {file.path: file for file in list_files(root / collection) if not file.path.endswith(".html")}
        tree = page(root / collection / "index.html")
        offered = tree.xpath("//table[@class='downloads']//a/@href")
        assert sorted(offered) == sorted(files)
        titles = [
            " ".join(title.text_content().split())
            for title in tree.xpath("//table[@class='downloads']//th[@scope='row']")
        ]
        assert len(set(titles)) == len(titles), "a product has one row, whatever its years and forms"
        stated = dict(stated_files(tree))
        for item in tree.xpath("//table[@class='downloads']//ul[@class='years']//a/@href"):
            folder = item.rpartition("/")[0]
            own = stated_files(page(root / collection / folder / "index.html"))
            stated |= {f"{folder}/{name}": said for name, said in own}
        assert set(stated) == set(files)
        for path, (checksum, size) in stated.items():
            assert checksum == files[path].sha256
            assert size == readable_size(files[path].size)


def stated_files(tree: Any) -> list[tuple[str, tuple[str, str]]]:
    """Address, checksum and size of each file that a page states by itself."""
    return [
        (line.xpath("./a/@href")[0], (line.xpath("./code/text()")[0], line.xpath("./span[2]/text()")[0]))
        for line in tree.xpath("//table[@class='downloads']//div[@class='file']")
    ]


def test_files_of_a_product_are_told_apart_by_their_year(root: Path) -> None:
    tree = page(root / MASS_BALANCE / "index.html")
    groups = tree.xpath("//ul[@class='years']")
    assert all(group.xpath(".//a/text()") == ["2001", "2003"] for group in groups)
    assert ["balance-2001/balance.tif", "balance-2003/balance.tif"] in [group.xpath(".//a/@href") for group in groups]


def test_collection_of_balances_shows_every_year(root: Path) -> None:
    tree = page(root / MASS_BALANCE / "index.html")
    first = tree.xpath("//figure[@class='plot wide']//svg")[0]
    assert len(first.xpath(".//rect[@class='loss' or @class='gain']")) == 2
    assert first.xpath(".//a/@href") == ["balance-2001/index.html", "balance-2003/index.html"]
    rows = [[cell.text_content().strip() for cell in row] for row in tree.xpath("//tr[td]")]
    years = {row[0]: row[1:4] for row in rows if len(row) > 4 and row[0] in ("2001", "2002", "2003")}
    assert years == {
        "2001": ["−0.48 ± 0.14", "0.21 ± 0.08", "−0.69 ± 0.16"],
        "2002": ["–", "–", "–"],
        "2003": ["0.07 ± 0.14", "–", "–"],
    }
    assert tree.xpath("//ul[@class='items']//a/@href") == ["balance-2001/index.html", "balance-2003/index.html"]


def test_item_shows_picture_statistics_lineage_and_downloads(root: Path) -> None:
    text = words(root / MASS_BALANCE / "balance-2001/index.html")
    for needed in ("Mass balance 2001", "Equilibrium line", "3,838 ± 14 m", "bound not used: 3", "glacier51.xlsx"):
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
    publish_datasets([replace(dataset, definition=plain)], tmp_path / "archive")
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
    monkeypatch.setattr(assembly, "write_metadata", lambda *_: None)
    monkeypatch.setattr(assembly, "write_collection_stac", lambda root, dataset, facts, items, *_: stac_stubs(items))
    monkeypatch.setattr(assembly, "write_catalog", lambda *_: None)
    monkeypatch.setattr(assembly, "prove", lambda *_: assembly.ValidationReport("", ()))
    publish_datasets([hostile_dataset()], tmp_path / "archive")
    for path in (tmp_path / "archive").rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert 'href="javascript:' not in text, path
        assert "&lt;script&gt;alert(1)" in text, path


def stac_stubs(items: Sequence[Item]) -> None:
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


def code_of(path: Path, program: str, root: Path) -> str:
    """The code that an item's page offers for a program, with the archive's folder in its place."""
    for section in page(path).xpath("//div[@class='snippets']/section"):
        if section.findtext("h3") == program:
            for name in section.xpath(".//span[@data-archive]"):
                name.text = root.as_posix()
            return str(section.xpath(".//pre")[0].text_content())
    raise AssertionError(f"no code for {program}")


@pytest.mark.parametrize("item", [f"{ELEVATION_CHANGE}/elevation-change", f"{MASS_BALANCE}/balance-2001"])
def test_code_for_rasterio_prints_the_mean_that_the_page_states(
    root: Path, item: str, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(code_of(root / item / "index.html", "Python, rasterio", root), {})  # what readers will run
    mean, unit = capsys.readouterr().out.split(maxsplit=1)
    row = page(root / item / "index.html").xpath("//table[@class='bands']/tbody/tr")[0]
    assert row.xpath("./td/text()")[0] == unit.strip()
    assert signed(float(mean), 2) == row.xpath("./td/text()")[3]


@pytest.mark.slow
def test_code_for_odc_stac_loads_the_raster(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("odc.stac")
    path = root / ELEVATION_CHANGE / "elevation-change/index.html"
    exec(code_of(path, "Python, odc-stac", root), {})  # what readers will run
    assert "elevation_change" in capsys.readouterr().out


def test_code_for_duckdb_reads_the_table(root: Path) -> None:
    for item, name in (
        (f"{ELEVATION_CHANGE}/elevation-change", "glaciers"),
        (f"{MASS_BALANCE}/balance-2001", "glacier_balances"),
    ):
        code = code_of(root / item / "index.html", "DuckDB", root)
        columns = re.findall(r"\w+", code.split("FROM")[0])[1:]
        path = re.findall(r"'([^']+)'", code)[0]
        table = pd.read_parquet(path)
        assert Path(path).name == f"{name}.parquet"
        assert set(columns) <= set(table.columns)
        assert len(duckdb.sql(code).fetchall()) == len(table)


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
    region = change.result.tables["region"].assign(
        mean_dhdt_m_a=-0.5387, sigma_mean_dhdt_m_a=0.0528, mass_balance_m_we_a=-0.3049, sigma_mass_balance_m_we_a=0.066
    )
    dated = replace(change, result=replace(change.result, tables={**change.result.tables, "region": region}))
    assert [(number.value, number.unit) for number in key_numbers(dated)[:2]] == [
        ("−0.54 ± 0.05", "m a⁻¹"),
        ("−0.30 ± 0.07", "m w.e. a⁻¹"),
    ]
    empty = replace(balance, result=replace(balance.result, years=()))
    assert [number.value for number in key_numbers(empty)] == ["0"]
    assert item_numbers(balance, "balance-1900") == ()
    assert plots_of(empty, ()) == ()


def test_extent_map_keeps_shapes_and_order() -> None:
    drawn = extent_map([box(84, 43, 85, 44), box(88, 43, 89, 44)], 600)
    west, east = drawn.places
    assert west.middle[0] < east.middle[0]
    xs = [float(point.split(",")[0]) for point in west.outline[0].split()]
    ys = [float(point.split(",")[1]) for point in west.outline[0].split()]
    # a degree of longitude is shorter than one of latitude by the cosine of the latitude
    assert (max(xs) - min(xs)) / (max(ys) - min(ys)) == pytest.approx(0.7254, abs=0.002)
    assert all(0 <= tick.at <= drawn.width for tick in drawn.meridians)
    assert all(0 <= tick.at <= drawn.height for tick in drawn.parallels)


def test_a_place_too_small_to_see_gets_a_ring() -> None:
    drawn = extent_map([box(84.38, 43.72, 84.4, 43.74), box(86.5, 43, 87.5, 43.3)])
    assert [place.ring for place in drawn.places] == [True, False]


def test_southern_and_western_degrees_are_named() -> None:
    drawn = extent_map([box(-71, -34, -70, -33)])
    assert all(tick.label.endswith("° W") for tick in drawn.meridians)
    assert all(tick.label.endswith("° S") for tick in drawn.parallels)


def test_bars_stand_on_zero_and_whiskers_span_two_sigma() -> None:
    chart = plots_of(make_datasets()[1], ())[0]
    loss, gain = (category.marks[0] for category in chart.categories)
    assert (loss.style, gain.style) == ("loss", "gain")
    assert loss.top == chart.zero
    assert gain.top + gain.height == pytest.approx(chart.zero, abs=0.02)
    assert loss.low is not None
    assert loss.high is not None
    scale = loss.height / 0.482152
    assert loss.low - loss.high == pytest.approx(2 * 0.14 * scale, abs=0.05)
    assert chart.rows == (("2001", "−0.48 ± 0.14"), ("2003", "0.07 ± 0.14"))
    assert chart.categories[0].text == "2001: −0.48 ± 0.14 m w.e."


NAME = Bilingual(en="series", cn="序列")


def test_a_missing_value_breaks_a_line_and_stays_a_gap() -> None:
    plot = draw(NAME, "m", list("abcd"), [Series(name=NAME, kind="line", style="b", values=(1.0, 2.0, None, 4.0))])
    assert [len(points.split()) for _, points in plot.lines] == [2, 1]
    assert [len(category.marks) for category in plot.categories] == [1, 1, 0, 1]
    assert plot.rows[2] == ("c", "–")


def test_an_axis_leaves_zero_out_only_where_all_values_lie_far_from_it() -> None:
    far = draw(NAME, "m", list("ab"), [Series(name=NAME, kind="line", style="b", values=(3800.0, 3950.0))])
    near = draw(NAME, "m", list("ab"), [Series(name=NAME, kind="line", style="b", values=(2.0, 9.0))])
    assert far.zero is None
    assert near.zero == near.ticks[0].at
    assert [tick.label for tick in far.ticks] == ["3,800", "3,850", "3,900", "3,950"]


def test_a_plot_refuses_what_does_not_fit_its_categories() -> None:
    with pytest.raises(ValueError, match="series of other lengths than the 3 categories"):
        draw(NAME, "m", list("abc"), [Series(name=NAME, kind="line", style="b", values=(1.0,))])
    with pytest.raises(ValueError, match="without any value"):
        draw(NAME, "m", ["a"], [Series(name=NAME, kind="line", style="b", values=(None,))])


def test_glaciers_of_the_map_are_in_degrees() -> None:
    change, balance = make_datasets()
    for dataset in (change, balance):
        shapes = glacier_shapes(dataset)
        assert shapes
        bounds = pd.DataFrame([shape.bounds for shape in shapes])
        assert bounds[0].between(84, 88).all()
        assert bounds[1].between(43, 44).all()
    assert glacier_shapes(replace(balance, result=replace(balance.result, outline=None))) == ()


# --- search, languages, colours ----------------------------------------------------------------------------------


def test_the_search_holds_every_title_keyword_and_year(root: Path) -> None:
    found = parse_search_script((root / "search.js").read_text(encoding="utf-8"))
    assert [entry["id"] for entry in found["collections"]] == [ELEVATION_CHANGE, MASS_BALANCE]
    change, balance = make_datasets()
    for entry, dataset in zip(found["collections"], (change, balance), strict=True):
        assert {*dataset.definition.keywords.en.theme, *dataset.definition.keywords.cn.theme} <= set(entry["keywords"])
        assert entry["title"][1].endswith(dataset.definition.title.cn)
    years = [(page_, first, last) for at, page_, _, _, first, last in found["items"] if at == 1]
    assert [page_ for page_, _, _ in years] == ["balance-2001/index.html", "balance-2003/index.html"]
    titles = [found["collections"][at]["prefix"][0] + tail for at, _, tail, *_ in found["items"]]
    assert titles[-1].endswith("Mass balance of a test glacier, 2003")


@pytest.mark.parametrize("text", ["", "window.GLACIER_ARCHIVE = [];", 'window.GLACIER_ARCHIVE = {"items": []};'])
def test_search_data_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="search data"):
        parse_search_script(text)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_contrast_by_hand() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_its_ground(root: Path, theme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", (root / "site.css").read_text(encoding="utf-8"), re.S)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[theme]))
    for ground in ("paper", "card", "water"):
        for ink in ("ink", "soft", "link", "loss", "gain", "second", "good"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["mark"], colours[ground]) >= 3
    assert contrast(colours["warn"], colours["warn-back"]) >= 4.5


# --- the map's data ----------------------------------------------------------------------------------------------


def test_utm_zones() -> None:
    assert utm_zone("EPSG:32645") == {"meridian": 87.0, "falseNorthing": 0.0}
    assert utm_zone("EPSG:32719") == {"meridian": -69.0, "falseNorthing": 10_000_000.0}
    assert utm_zone("EPSG:32661") is None
    assert utm_zone("EPSG:3857") is None


def test_the_map_is_told_scales_and_classes_as_the_item_states_them(root: Path) -> None:
    path = root / ELEVATION_CHANGE / "elevation-change"
    stated = json.loads((path / "elevation-change.json").read_text(encoding="utf-8"))
    told = json.loads(page(path / "index.html").get_element_by_id("viewer-data").text)
    layers = {layer["key"]: layer for layer in told["layers"]}
    assert list(layers) == ["elevation_change", "elevation_change_sigma", "classification", "visual"]
    [[low, high]] = stated["properties"]["renders"]["elevation_change"]["rescale"]
    assert (layers["elevation_change"]["low"], layers["elevation_change"]["high"]) == (low, high)
    assert layers["elevation_change"]["sigma"] == "elevation_change_sigma"
    assert [entry["title"] for entry in layers["classification"]["classes"]][1] == ["Stable", "稳定地形"]
    assert [lines["href"] for lines in told["lines"]] == ["glaciers.geojson"]
    assert told["utm"] == {"meridian": 87.0, "falseNorthing": 0.0}


def test_the_map_of_a_year_draws_outline_and_isolines(root: Path) -> None:
    path = root / MASS_BALANCE / "balance-2001"
    told = json.loads(page(path / "index.html").get_element_by_id("viewer-data").text)
    assert [lines["href"] for lines in told["lines"]] == ["outline.geojson", "isolines.geojson"]
    assert [layer["key"] for layer in told["layers"]] == ["balance", "balance_sigma", "visual"]
    assert all((path / lines["href"]).is_file() for lines in told["lines"])


# --- words in Chinese --------------------------------------------------------------------------------------------


def chinese(path: Path) -> str:
    """What a reader of the Chinese page reads: all but what is marked as English."""
    document = page(path)
    for element in document.xpath('//body//*[@lang="en"]'):
        element.drop_tree()
    return " ".join(document.text_content().split())


def test_pages_say_tables_gates_lineage_and_figures_in_chinese(root: Path) -> None:
    collection, year = (chinese(root / MASS_BALANCE / name) for name in ("index.html", "balance-2001/index.html"))
    change = chinese(root / ELEVATION_CHANGE / "elevation-change/index.html")
    for text in ("全冰川年、冬季和夏季物质平衡及误差、平衡线高度和积累区比率", "各年物质平衡随高程的变化及平衡线"):
        assert text in collection
    for english in (
        "annual, winter and summer balance of the whole glacier",
        "Balance against elevation in every year",
    ):
        assert english not in collection
        assert english in words(root / MASS_BALANCE / "index.html")
    assert "由花杆和雪坑得到的单点物质平衡" in year
    assert "Point balances from stakes" not in year
    assert "等高线分区法" in year
    assert "在稳定地形上按坡度坡向与高程差的余弦关系配准" in change
    assert "were checked, brought onto" not in change
    assert "留待配准消除" in change or "PROJ格网" in change or "无需转换" in change


def test_sources_are_shown_with_their_makers_and_licences(tmp_path: Path) -> None:
    dataset = make_datasets()[0]
    maker = Producer(name="Space Agency <A>", name_cn="航天局", url="https://example.org/agency")
    changes = {
        "producers": (maker,),
        "licence": "CC-BY-4.0",
        "licence_note": "cite us",
        "licence_note_cn": "须引用",
        "title_cn": "前期高程模型",
        "attribution": "(c) Agency",
    }
    first, *others = dataset.definition.sources
    sources = (first.model_copy(update=changes), *others)
    dataset = replace(dataset, definition=dataset.definition.model_copy(update={"sources": sources}))
    (tmp_path / dataset.definition.id).mkdir()
    write_pages(tmp_path, [(dataset, describe(dataset), ())])
    table = page(tmp_path / dataset.definition.id / "index.html").find_class("sources")[0]
    row = table.xpath(".//tbody/tr")[0]
    assert [link.get("href") for link in row.iter("a")][-2:] == [
        "https://example.org/agency",
        "https://spdx.org/licenses/CC-BY-4.0.html",
    ]
    for text in ("Space Agency <A>", "航天局", "cite us", "须引用", "前期高程模型", "(c) Agency"):
        assert text in row.text_content()
    folder = CollectionFolder(tmp_path, dataset.definition.id)
    write_readme(dataset, describe(dataset), (), folder)
    readme = (folder.path / "README.md").read_text(encoding="utf-8")
    told = readme[readme.index("## Sources") : readme.index("## Key numbers")]
    assert "  - Made by Space Agency \\<A\\>\n" in told
    assert "  - Licence: CC\\-BY\\-4\\.0 (cite us)\n" in told or "  - Licence: CC-BY-4.0 (cite us)\n" in told
    assert "  - Attribution: " in told


# --- many items --------------------------------------------------------------------------------------------------


def write_many(root: Path, count: int) -> None:
    """Pages of a collection of so many items, each with its STAC document alone."""
    dataset = make_datasets()[1]
    items = []
    for number in range(count):
        name = f"item-{number:05d}"
        folder = root / dataset.definition.id / name
        folder.mkdir(parents=True)
        west, south, year = 84 + number % 100 / 50, 43 + number // 100 / 50, 1960 + number % 60
        geometry = json.loads(json.dumps(box(west, south, west + 0.01, south + 0.01).__geo_interface__))
        (folder / f"{name}.json").write_text('{"assets": {}}')
        items.append(
            Item(
                item_id=name,
                folder=folder,
                title=f"Glacier {number}",
                description="",
                start=date(year, 1, 1),
                end=date(year, 12, 31),
                geometry=geometry,
                bbox=(west, south, west + 0.01, south + 0.01),
                properties={},
                assets=(),
                title_cn=f"冰川 {number}",
            )
        )
    write_pages(root, [(dataset, describe(dataset), items)])


def test_a_large_collection_lists_its_items_on_pages_of_their_own(tmp_path: Path) -> None:
    write_many(tmp_path, 450)
    assert 450 > ITEMS_A_PAGE > MOST_ITEMS
    folder = tmp_path / MASS_BALANCE
    parts = page(folder / "index.html").xpath("//ul[@class='plain-list']//a/@href")
    assert parts == ["items-1.html", "items-2.html", "items-3.html"]
    linked = [link for part in parts for link in page(folder / part).xpath("//ul[@class='items']//a/@href")]
    assert linked == [f"item-{number:05d}/index.html" for number in range(450)]
    around = page(folder / "item-00007/index.html").xpath("//nav[@class='around']/a/@href")
    assert around == ["../item-00006/index.html", "../item-00008/index.html"]
    assert max(path.stat().st_size for path in tmp_path.rglob("*.html")) < 200_000
    assert len(parse_search_script((tmp_path / "search.js").read_text(encoding="utf-8"))["items"]) == 450


def draw_the_pages_of_some_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of every hundred items the pages of the first and the last: those of the others differ in names alone."""
    about, written = write._item_page, write.write_page

    def about_some(collection: Any, at: int, item: Item) -> dict[str, Any]:
        return about(collection, at, item) if at % 100 in (0, 99) else {}

    def write_some(path: Path, template: str, content: Mapping[str, Any]) -> None:
        if template != "item.html" or "item" in content:
            written(path, template, content)

    monkeypatch.setattr(write, "_item_page", about_some)
    monkeypatch.setattr(write, "write_page", write_some)


@pytest.mark.slow
def test_no_page_of_ten_thousand_items_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draw_the_pages_of_some_items(monkeypatch)
    write_many(tmp_path, 10_000)
    assert len(list(tmp_path.glob("*/item-*/index.html"))) == 200
    assert len(list(tmp_path.glob("*/items-*.html"))) == 50
    written = (path for path in tmp_path.rglob("*") if path.suffix in (".html", ".js", ".css"))
    sizes = {path.relative_to(tmp_path).as_posix(): path.stat().st_size for path in written}
    assert max(sizes.values()) < 1_000_000, sizes


def test_a_common_extent_keeps_each_outline_once_and_thins_what_nobody_can_tell_apart() -> None:
    def items(shapes: list[Any]) -> list[Any]:
        return [SimpleNamespace(geometry=shape.__geo_interface__) for shape in shapes]

    assert common_extent(()) is None
    same = common_extent(items([box(84, 43, 85, 44)] * 12))
    assert same is not None
    assert len(same.geoms) == 1
    many = common_extent(items([box(84 + k / 1000, 43, 84.0005 + k / 1000, 44) for k in range(1000)]))
    assert many is not None
    assert 30 <= len(many.geoms) <= 45
    assert many.bounds == pytest.approx((84.0, 43, 84.9995, 44), abs=0.03)
