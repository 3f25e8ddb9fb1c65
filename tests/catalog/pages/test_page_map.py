"""The map of an item page in a real browser: the values it reads are those of the raster, by few Range requests."""

from __future__ import annotations

import json
import math
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rasterio
from playwright.sync_api import Browser, Page
from pyproj import Transformer
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.transform import from_origin

from catalog.formats.cogs import write_cog
from catalog.serve.server import application, listen, server_of
from pipeline.grid import Grid
from tests.made.whole_archive import ELEVATION_CHANGE, MASS_BALANCE
from tests.system.browser import chromium

pytestmark = pytest.mark.slow

SHAPE = (700, 1100)
TRANSFORM = from_origin(480_000, 4_800_000, 30, 25)
ITEM = f"{ELEVATION_CHANGE}/elevation-change/index.html"
YEAR = f"{MASS_BALANCE}/balance-2001/index.html"


def field(seed: int = 3) -> np.ndarray:
    """A field with noise, a smooth part, holes, a hole as large as a tile, and a corner without data."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    noise = np.random.default_rng(seed).normal(0, 3, SHAPE)
    values = np.round(noise + 20 * np.sin(rows / 90) * np.cos(columns / 130), 2).astype(np.float32)
    values[100:140, 200:330] = np.nan
    values[256:512, 512:768] = np.nan
    values[-60:, -200:] = np.nan
    return values


def write_by_gdal(path: Path, values: np.ndarray, **options: Any) -> None:
    stored = np.where(np.isnan(values), -9999, values).astype(np.float32)
    profile = {"driver": "GTiff", "count": 1, "height": SHAPE[0], "width": SHAPE[1], "dtype": "float32"}
    with MemoryFile() as memory:
        with memory.open(**profile, crs="EPSG:32645", transform=TRANSFORM, nodata=-9999) as raster:
            raster.write(stored, 1)
        with rasterio.open(memory.name) as raster:
            copy(raster, path, driver="COG", compress="DEFLATE", blocksize=256, **options)


def write_rasters(folder: Path) -> list[str]:
    """Every kind of raster that the reader is to read: all predictors, both byte sizes, three bands, BigTIFF."""
    values, grid = field(), Grid("EPSG:32645", TRANSFORM, SHAPE)
    classes = np.random.default_rng(5).integers(0, 5, SHAPE).astype(np.uint8)
    classes[classes == 4] = 255
    painted = np.random.default_rng(6).integers(0, 3, (3, *SHAPE)).astype(np.uint8) * 100
    tags = {"DATASET": "test"}
    common: dict[str, Any] = {"unit": "m", "tags": tags}
    write_cog(folder / "own.tif", values, grid, nodata=-9999, description="x", resampling="average", **common)
    write_cog(folder / "classes.tif", classes, grid, nodata=255, description="x", resampling="nearest", **common)
    write_cog(folder / "rgb.tif", painted, grid, nodata=0, description=("r", "g", "b"), resampling="average", **common)
    for name, options in {
        "none": {"predictor": "NO"},
        "horizontal": {"predictor": "STANDARD"},
        "floating": {"predictor": "FLOATING_POINT"},
        "big": {"predictor": "FLOATING_POINT", "bigtiff": "YES"},
        "sparse": {"predictor": "NO", "sparse_ok": "TRUE"},
    }.items():
        write_by_gdal(folder / f"{name}.tif", values, **options)
    return sorted(path.name for path in folder.glob("*.tif"))


@pytest.fixture(scope="module")
def root(whole_archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = Path(shutil.copytree(whole_archive, tmp_path_factory.mktemp("map") / "archive"))
    own = write_rasters(out)
    # a server answers what the manifest lists
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    manifest["files"] += [{"path": name, "size": (out / name).stat().st_size, "sha256": ""} for name in own]
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def base(root: Path) -> Iterator[str]:
    listener = listen("127.0.0.1", 0)
    server = server_of(application(root))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


class Watch:
    """What a page said and asked for."""

    def __init__(self, page: Page) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self.said.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))

    def rasters(self) -> list[str]:
        return [url for url in self.asked if url.endswith(".tif")]


@contextmanager
def page_at(browser: Browser, url: str, **context: Any) -> Iterator[tuple[Page, Watch]]:
    opened = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB", **context)
    page = opened.new_page()
    watch = Watch(page)
    page.goto(url)
    yield page, watch
    opened.close()


def said_of(page: Page) -> dict[str, str]:
    """The readout once it has settled."""
    page.wait_for_timeout(700)
    found: dict[str, str] = page.eval_on_selector_all(
        "[data-part=readout] dd", "all => Object.fromEntries(all.map(dd => [dd.dataset.value, dd.innerText]))"
    )
    return found


def wait_for_map(page: Page) -> None:
    page.wait_for_selector("#viewer[data-waiting='0'] canvas")


PIXELS = [
    (0, 0),
    (255, 255),
    (256, 256),
    (110, 250),
    (300, 600),
    (699, 1099),
    (699, 0),
    (0, 1099),
    (511, 767),
    (640, 900),
]
READ = """async ([url, pixels]) => {
  const cog = await GlacierCog.open(url), found = [];
  for (let level = 0; level < cog.levels.length; level += 1) {
    const {width, height} = cog.levels[level], list = [];
    for (const [row, column] of pixels) {
      list.push(await cog.pixel(Math.floor(column * width / cog.levels[0].width), Math.floor(row * height / cog.levels[0].height), level));
    }
    found.push({width, height, list});
  }
  return {found, nodata: cog.nodata, grid: cog.grid, outside: [await cog.pixel(-1, 0), await cog.pixel(0, cog.levels[0].height)]};
}"""  # noqa: E501  # the script's lines


@pytest.mark.parametrize("name", ["own", "none", "horizontal", "floating", "big", "sparse", "classes", "rgb"])
def test_values_read_in_the_browser_are_those_of_the_raster(root: Path, base: str, browser: Browser, name: str) -> None:
    with page_at(browser, base + ITEM) as (page, watch):
        wait_for_map(page)
        read = page.evaluate(READ, [f"{base}{name}.tif", [list(pixel) for pixel in PIXELS]])
        assert watch.said == []
    assert read["outside"] == [None, None]
    with rasterio.open(root / f"{name}.tif") as raster:
        assert len(read["found"]) == 1 + len(raster.overviews(1))
        assert [read["grid"][key] for key in ("west", "north", "pixelWidth", "pixelHeight")] == [
            480_000,
            4_800_000,
            30,
            25,
        ]
    nothing = 0
    for level, found in enumerate(read["found"]):
        with rasterio.open(root / f"{name}.tif", **({"overview_level": level - 1} if level else {})) as raster:
            pixels, nodata = raster.read(), raster.nodata
            assert (found["height"], found["width"]) == raster.shape
        for (row, column), value in zip(PIXELS, found["list"], strict=True):
            expected = pixels[:, row * pixels.shape[1] // SHAPE[0], column * pixels.shape[2] // SHAPE[1]]
            if (expected == nodata).all():
                nothing += 1
                assert value is None
            else:
                assert value == [float(part) for part in expected]
    assert nothing or name in ("classes", "rgb")


def test_one_pixel_costs_two_requests_and_neighbouring_tiles_come_together(base: str, browser: Browser) -> None:
    with page_at(browser, base + ITEM) as (page, watch):
        wait_for_map(page)
        # of these files alone: the page itself may still be asking for its picture
        page.evaluate("async url => (await GlacierCog.open(url)).pixel(600, 300)", base + "floating.tif")
        assert watch.asked.count(base + "floating.tif") == 2
        page.evaluate("async url => Promise.all((await GlacierCog.open(url)).load(1, [0, 1, 2, 3]))", base + "none.tif")
        assert watch.asked.count(base + "none.tif") == 2


def test_the_cursor_tells_value_sigma_class_and_place(root: Path, base: str, browser: Browser) -> None:
    folder = root / ELEVATION_CHANGE / "elevation-change"
    with page_at(browser, base + ITEM) as (page, watch):
        wait_for_map(page)
        box = page.locator("[data-part=canvas]").bounding_box()
        assert box is not None
        voids = 0
        for across, down in ((0.5, 0.5), (0.3, 0.42), (0.71, 0.63), (0.02, 0.06), (0.97, 0.95), (0.15, 0.8)):
            page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])
            told = said_of(page)
            column, row = (int(part) for part in told["pixel"].split(", "))
            with rasterio.open(folder / "elevation_change.tif") as raster:
                value, transform, nodata = raster.read(1)[row, column], raster.transform, raster.nodata
            with rasterio.open(folder / "elevation_change_sigma.tif") as raster:
                sigma = raster.read(1)[row, column]
            voids += bool(value == nodata)
            assert told["value"] == ("no data" if value == nodata else f"{signed(value)} ± {sigma:.2f} m")
            with rasterio.open(folder / "classification.tif") as raster:
                names = {0: "Void", 1: "Stable", 2: "Glacier", 3: "Excluded"}
                assert told["class"] == names[int(raster.read(1)[row, column])]
            east, north = (float(re.sub(r"\D", "", part)) for part in told["projected"].split(","))
            assert (math.floor((east - transform.c) / transform.a + 0.02), row) == (column, row)
            longitude, latitude = Transformer.from_crs("EPSG:32645", "EPSG:4326", always_xy=True).transform(east, north)
            degrees = [float(part) for part in re.findall(r"[\d.]+(?=°)", told["degrees"])]
            assert degrees == pytest.approx([longitude, latitude], abs=1e-5)
        assert watch.said == []
        assert all(url.startswith(base) for url in watch.asked)
        # a header and at most one tile each of the picture, change, sigma and classes: this raster has one tile
        assert len(watch.rasters()) == 8


def signed(value: float) -> str:
    return f"{abs(value):.2f}" if round(float(value), 2) >= 0 else f"−{abs(value):.2f}"


def test_layers_keyboard_and_zoom(base: str, browser: Browser) -> None:
    picture = "document.querySelector('[data-part=canvas]').toDataURL()"
    with page_at(browser, base + ITEM) as (page, watch):
        wait_for_map(page)
        assert page.locator("input[name=layer]:checked").input_value() == "visual", "it opens on colour over relief"
        seen = [page.evaluate(picture)]
        for key in ("elevation_change", "elevation_change_sigma", "classification"):
            page.locator(f"input[value={key}]").check(force=True)
            page.wait_for_timeout(500)
            seen.append(page.evaluate(picture))
        assert len(set(seen)) == 4
        page.locator("[data-part=canvas]").focus()
        first = said_of(page)["pixel"]
        page.keyboard.press("+")
        page.keyboard.press("ArrowRight")
        after = said_of(page)
        assert after["pixel"] != first
        assert after["pixel"] in page.locator("[data-part=announced]").inner_text()
        page.keyboard.press("0")
        assert said_of(page)["pixel"] == first
        assert watch.said == []


def test_the_map_of_a_balance_year(base: str, browser: Browser) -> None:
    with page_at(browser, base + YEAR) as (page, watch):
        wait_for_map(page)
        assert re.fullmatch(r"(no data|−?\d+\.\d\d ± \d+\.\d\d m w\.e\.)", said_of(page)["value"])
        assert page.locator("[data-part=layers] label").count() == 3
        switch = page.locator("[data-part=lines-switch]")
        # the picture has its lines drawn already
        assert not switch.is_visible()
        assert "m w.e." in page.locator("[data-part=legend]").inner_text()
        page.locator("input[name=layer][value=balance]").check(force=True)
        assert switch.is_visible()
        assert watch.said == []


def test_pointing_at_a_stake_tells_its_balance(root: Path, base: str, browser: Browser) -> None:
    table = pd.read_csv(root / MASS_BALANCE / "tables/point_balances.csv")
    annual = table[(table["year"] == 2001) & (table["period"] == "annual") & (table["bound"] == "=")]
    stake = annual[annual["kind"] == "stake"].iloc[0]
    to_map = Transformer.from_crs("EPSG:4326", "EPSG:32645", always_xy=True)
    wanted = to_map.transform(stake["longitude"], stake["latitude"])
    with page_at(browser, base + YEAR) as (page, watch):
        wait_for_map(page)
        page.locator("[data-part=canvas]").evaluate(
            "canvas => canvas.scrollIntoView({behavior: 'instant', block: 'center'})"
        )
        box = page.locator("[data-part=canvas]").bounding_box()
        assert box is not None

        def told_at(x: float, y: float) -> dict[str, str]:
            page.mouse.move(box["x"] + x, box["y"] + y)
            return said_of(page)

        def place_of(told: dict[str, str]) -> tuple[float, float]:
            east, north = (float(re.sub(r"\D", "", part)) for part in told["projected"].split(","))
            return east, north

        # two points of the map give its scale; then to the stake
        first, second = (place_of(told_at(x, y)) for x, y in ((100, 100), (500, 400)))
        metres = ((second[0] - first[0]) / 400, (first[1] - second[1]) / 300)
        told = told_at(100 + (wanted[0] - first[0]) / metres[0], 100 + (first[1] - wanted[1]) / metres[1])
        value = f"{signed(stake['balance_m_we'])} ± {stake['sigma_balance_m_we']:.2f} m w.e."
        assert told["point"] == f"{stake['point_id']}: {value}"
        assert watch.said == []


def test_a_link_from_the_list_shows_its_glacier_with_its_numbers(root: Path, base: str, browser: Browser) -> None:
    table = pd.read_csv(root / ELEVATION_CHANGE / "tables/glaciers.csv")
    with page_at(browser, f"{base}{ELEVATION_CHANGE}/index.html") as (page, watch):
        for record in table.tail(2).to_dict("records"):  # they overlap: the one that was chosen is told
            page.goto(f"{base}{ITEM}#glacier={record['glacier_id']}")
            wait_for_map(page)
            told = said_of(page)
            assert told["glacier"] in (record["glacier_name"], record["glacier_id"])
            assert told["mean_dh_m"].startswith(signed(record["mean_dh_m"]))
            assert told["area_km2"] == f"{record['area_km2']:.2f} km²"
        assert watch.said == []


def test_without_a_server_the_picture_stands_in(root: Path, browser: Browser) -> None:
    with page_at(browser, (root / ITEM).as_uri()) as (page, watch):
        page.wait_for_timeout(300)
        assert page.locator("p[data-instead-of-map]").is_visible()
        assert not page.locator("#viewer").is_visible()
        assert page.locator(".hero img").evaluate("image => image.naturalWidth") > 0
        assert watch.said == []


def test_a_raster_that_cannot_be_read_leaves_the_picture(root: Path, base: str, browser: Browser) -> None:
    opened = browser.new_context()
    page = opened.new_page()
    page.route("**/*.tif", lambda route: route.fulfill(status=200, body=b"not a raster at all" * 20))
    page.goto(base + ITEM)
    page.wait_for_timeout(500)
    assert page.locator("p[data-instead-of-map]").is_visible()
    assert not page.locator("#viewer").is_visible()
    opened.close()


def test_utm_in_the_browser_agrees_with_proj(base: str, browser: Browser) -> None:
    random = np.random.default_rng(2)
    with page_at(browser, base + ITEM) as (page, _):
        wait_for_map(page)
        for code, meridian, false_northing, south in (("EPSG:32645", 87, 0, 0), ("EPSG:32719", -69, 10_000_000, 1)):
            points = np.column_stack(
                [meridian + random.uniform(-3, 3, 40), random.uniform(0, 80, 40) * (1 - 2 * south)]
            )
            zone = {"meridian": meridian, "falseNorthing": false_northing}
            expected = np.column_stack(Transformer.from_crs("EPSG:4326", code, always_xy=True).transform(*points.T))
            found = page.evaluate(
                "([points, zone]) => points.map(p => GlacierUtm.project(...p, zone))", [points.tolist(), zone]
            )
            assert np.abs(np.array(found) - expected).max() < 2e-3
            back = page.evaluate(
                "([points, zone]) => points.map(p => GlacierUtm.unproject(...p, zone))", [expected.tolist(), zone]
            )
            assert np.abs(np.array(back) - points).max() < 2e-8


@pytest.mark.parametrize("served", [True, False], ids=["http", "file"])
def test_the_search_finds_titles_keywords_and_years(root: Path, base: str, browser: Browser, *, served: bool) -> None:
    with page_at(browser, f"{base}index.html" if served else (root / "index.html").as_uri()) as (page, watch):
        links = "#results a"
        hrefs = "all => all.map(a => a.getAttribute('href'))"
        # a word and a year: what is of that year, and the collections that span it, though keywords name every year
        page.fill("input[name=words]", "2003 test-mass")
        assert page.locator(links).evaluate_all(hrefs) == [
            f"{MASS_BALANCE}/index.html",
            f"{MASS_BALANCE}/balance-2003/index.html",
        ]
        page.fill("input[name=words]", "2003")
        assert f"{MASS_BALANCE}/balance-2001/index.html" not in page.locator(links).evaluate_all(hrefs)
        assert not page.locator("#cards").is_visible()
        page.fill("input[name=words]", "")
        page.fill("input[name=to]", "2001")
        assert page.locator(links).count() >= 2
        page.select_option("select[name=of]", "1")
        assert all(MASS_BALANCE in href for href in page.locator(links).evaluate_all("all => all.map(a => a.href)"))
        page.fill("input[name=words]", "nothing at all like this")
        assert page.locator("#found").inner_text() == "0 found"
        assert page.locator(links).count() == 0
        assert watch.said == []


def test_a_heading_sorts_the_glaciers(base: str, browser: Browser) -> None:
    with page_at(browser, f"{base}{ELEVATION_CHANGE}/index.html") as (page, watch):
        column = "all => all.map(cell => Number(cell.dataset.sort))"
        for heading, name in ((1, "area_km2"), (2, "mean_dh_m")):
            button = page.locator("table.sortable thead th").nth(heading).locator("button")
            button.click()
            down = page.locator(f"td[data-column={name}]").evaluate_all(column)
            assert down == sorted(down, reverse=True)
            button.click()
            assert page.locator(f"td[data-column={name}]").evaluate_all(column) == sorted(down)
        assert page.locator("th[aria-sort=ascending]").count() == 1
        assert watch.said == []


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_no_page_overflows_and_each_shows_one_language(
    root: Path, base: str, browser: Browser, width: int, language: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, locale=language)
    hidden, shown = ("en", "zh") if language == "zh-CN" else ("zh", "en")
    for path in ("index.html", f"{ELEVATION_CHANGE}/index.html", ITEM, f"{MASS_BALANCE}/index.html", YEAR):
        page = context.new_page()
        watch = Watch(page)
        page.goto(base + path)
        page.wait_for_timeout(300)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.evaluate("document.documentElement.lang") == shown
        visible = page.locator(f"main [lang={hidden}]").evaluate_all("all => all.filter(e => e.offsetParent).length")
        assert visible == 0, path
        assert watch.said == []
        page.close()
    context.close()
