"""STAC Browser beside the archive: its cache, its settings, and what a reader sees in headless Chromium."""

from __future__ import annotations

import io
import json
import os
import re
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image
from pyproj import CRS

from catalog.serve import stac_browser
from catalog.serve.server import application
from catalog.serve.stac_browser import built_browser, configuration, default_browser_cache, projections
from schemas.errors import BadInput
from tests.catalog.serve.test_serve import running
from tests.made.tiny_archive import COLLECTION, write_archive, write_text

TILES_JS = "node_modules/ol/source/GeoTIFF.js"
SOURCE_FILES = {
    "package/package.json": json.dumps({"name": "x", "dependencies": {"ol-stac": "^1.0.0"}}),
    "package/basemaps.config.js": "export default () => ['https://tiles.example/{z}'];",
    "package/public/index.html": '<head>\n<!-- <script defer="defer" src="/config.js"></script> --></head>',
    "package/src/locales/en/texts.json": "{}",
}


def write_package(path: Path) -> None:
    """A source package in the form of the real one."""
    import tarfile

    with tarfile.open(path, "w:gz") as archive:
        for name, text in SOURCE_FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))


@pytest.fixture
def npm(tmp_path, monkeypatch) -> Path:
    """A stand-in for npm and Node.js: it notes what it was asked, and its build copies the prepared source.

    Returns the file of its notes.
    """
    import base64
    import hashlib

    package, notes, bin_folder = tmp_path / "source.tgz", tmp_path / "notes.txt", tmp_path / "bin"
    write_package(package)
    bin_folder.mkdir()
    script = f"""#!/bin/sh
echo "$1 SB=$SB_catalogUrl NODE_ENV=$NODE_ENV $*" >> {notes}
case "$1" in
  pack) cp {package} source.tgz ;;
  ci) test "$FAIL_INSTALL" && {{ echo 'npm error network unreachable' >&2; exit 1; }}
      mkdir -p node_modules/ol/source; echo "[${{TILE_HEIGHT:-sourceTileSize[1] / aspectRatio,}}]" > {TILES_JS} ;;
  exec) sleep 0.1; mkdir dist; cp {TILES_JS} dist/
        cp -r src public/index.html basemaps.config.js package.json dist/; : >dist/config.js ;;
esac
"""
    for name, text in (("npm", script), ("node", "#!/bin/sh\necho ${FAKE_NODE:-v20.20.2}\n")):
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    monkeypatch.setattr(stac_browser, "_SOURCE_SHA512", digest)
    return notes


def builds(notes: Path) -> int:
    return sum(line.startswith("exec") for line in notes.read_text().splitlines()) if notes.exists() else 0


def test_source_is_prepared_and_built_with_pinned_dependencies(npm, tmp_path, monkeypatch):
    monkeypatch.setenv("SB_catalogUrl", "https://elsewhere.example")
    monkeypatch.setenv("NODE_ENV", "production")
    said: list[str] = []
    site = built_browser(tmp_path / "cache", said.append)
    page = (site / "index.html").read_text()
    assert '<script defer="defer" src="./config.js"></script>' in page
    assert "<!--" not in page
    assert "tiles.example" not in (site / "basemaps.config.js").read_text()
    assert json.loads((site / "package.json").read_text())["dependencies"]["ol-stac"] == "1.1.0"
    assert json.loads((site / "src/locales/zh/config.json").read_text())["native"] == "中文"
    assert "< 0.01 ? sourceTileSize[1] : sourceTileSize[1] / aspectRatio," in (site / "GeoTIFF.js").read_text()
    assert not (site / "config.js").exists()
    assert "--ignore-scripts" in npm.read_text()
    assert "elsewhere.example" not in npm.read_text()
    assert "NODE_ENV=production" not in npm.read_text()
    assert len(said) == 3
    assert [path.name for path in (tmp_path / "cache").iterdir() if path.name.startswith("building")] == []


def test_second_time_comes_from_the_cache_without_npm(npm, tmp_path, monkeypatch):
    site = built_browser(tmp_path / "cache")
    monkeypatch.setenv("PATH", "")
    assert built_browser(tmp_path / "cache") == site
    assert builds(npm) == 1


@pytest.mark.parametrize("damage", ["changed", "missing", "added", "list"])
def test_damaged_cache_is_built_again(npm, tmp_path, damage):
    site = built_browser(tmp_path / "cache")
    page = (site / "index.html").read_bytes()
    if damage == "changed":
        (site / "index.html").write_bytes(page.replace(b"config", b"konfig"))
    elif damage == "missing":
        (site / "index.html").unlink()
    elif damage == "added":
        (site / "evil.js").write_text("alert(1)")
    else:
        (site.parent / "files.json").write_text("[{}")
    again = built_browser(tmp_path / "cache")
    assert (again, builds(npm)) == (site, 2)
    assert (again / "index.html").read_bytes() == page
    assert not (again / "evil.js").exists()


def test_two_at_once_build_it_once(npm, tmp_path):
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(built_browser(tmp_path / "cache"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 3
    assert len(set(found)) == 1
    assert builds(npm) == 1


def test_other_versions_are_another_entry(npm, tmp_path, monkeypatch):
    first = built_browser(tmp_path / "cache")
    monkeypatch.setattr(stac_browser, "OL_STAC_VERSION", "1.2.0")
    second = built_browser(tmp_path / "cache")
    assert first != second
    assert first.is_dir()
    assert builds(npm) == 2


def test_what_a_killed_build_left_is_swept_away(npm, tmp_path):
    (tmp_path / "cache" / "building-abc" / "package").mkdir(parents=True)
    built_browser(tmp_path / "cache")
    assert not (tmp_path / "cache" / "building-abc").exists()


def test_without_npm_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadInput, match=r"serve --browser: found no npm on the PATH; expected Node\.js 20\.19 or newer"):
        built_browser(tmp_path / "cache")


def test_old_node_is_refused(npm, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_NODE", "v18.20.0")
    with pytest.raises(BadInput, match=r"found Node\.js v18\.20\.0; expected Node\.js 20\.19 or newer"):
        built_browser(tmp_path / "cache")


def test_failing_installation_is_told_in_one_line_and_leaves_nothing(npm, tmp_path, monkeypatch):
    monkeypatch.setenv("FAIL_INSTALL", "1")
    with pytest.raises(BadInput, match=r"npm ci: found exit code 1 \(npm error network unreachable\).*needs a network"):
        built_browser(tmp_path / "cache")
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]


def test_another_map_library_than_the_pinned_one_is_refused(npm, tmp_path, monkeypatch):
    monkeypatch.setenv("TILE_HEIGHT", "rewritten")
    with pytest.raises(BadInput, match=r"GeoTIFF\.js: found no place where the height of a tile is set"):
        built_browser(tmp_path / "cache")
    assert builds(npm) == 0


def test_another_source_than_the_pinned_one_is_refused(npm, tmp_path, monkeypatch):
    monkeypatch.setattr(stac_browser, "_SOURCE_SHA512", "A" * 88)
    with pytest.raises(BadInput, match=r"stac-browser@4\.0\.1: found sha512 .*; expected sha512 AAAA"):
        built_browser(tmp_path / "cache")
    assert builds(npm) == 0


def test_cache_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match=r"a folder to keep the built STAC Browser in; set GLACIER_BROWSER_CACHE"):
        built_browser(tmp_path / "file" / "cache")


def test_browser_cache_can_be_set_apart_from_that_of_builds(tmp_path, monkeypatch):
    monkeypatch.setenv("GLACIER_CACHE", str(tmp_path / "builds"))
    monkeypatch.delenv("GLACIER_BROWSER_CACHE", raising=False)
    assert default_browser_cache() == tmp_path / "builds" / "stac-browser"
    monkeypatch.setenv("GLACIER_BROWSER_CACHE", str(tmp_path / "browsers"))
    assert default_browser_cache() == tmp_path / "browsers"


def test_pinned_dependencies_carry_checksums_and_no_address():
    lock = json.loads((Path(stac_browser.__file__).parent / "stac_browser_build/package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert len(packages) > 1000
    assert all(package.get("integrity") for package in packages.values())
    assert not any("resolved" in package for package in packages.values())
    assert lock["packages"][""]["dependencies"]["ol-stac"] == stac_browser.OL_STAC_VERSION
    assert lock["version"] == stac_browser.VERSION


def archive_with(root: Path, *codes: str, summary: bool = True) -> Path:
    """The tiny archive with linked items in the coordinate systems named."""
    write_archive(root, raster=False)
    links = [{"rel": "child", "href": f"./{COLLECTION}/collection.json"}, {"rel": "child", "href": "../outside.json"}]
    write_text(root, "catalog.json", json.dumps({"type": "Catalog", "title": "A </script> title", "links": links}))
    items = [{"rel": "item", "href": f"./i{number}/i{number}.json"} for number in range(len(codes))]
    collection = {"type": "Collection", "links": items, "summaries": {"proj:code": list(codes)} if summary else {}}
    write_text(root, f"{COLLECTION}/collection.json", json.dumps(collection))
    for number, code in enumerate(codes):
        item = {"type": "Feature", "properties": {}, "assets": {"a": {"href": "./a.tif", "proj:code": code}}}
        write_text(root, f"{COLLECTION}/i{number}/i{number}.json", json.dumps(item))
    return root


def settings_in(script: str) -> dict:
    return json.loads(re.search(r"Object\.assign\((\{.*\}), \{ catalogUrl", script, re.DOTALL)[1])


@pytest.mark.parametrize("summary", [True, False])
def test_settings_define_the_archives_own_projections(tmp_path, summary):
    root = archive_with(tmp_path / "archive", "EPSG:32719", "EPSG:32645", summary=summary)
    assert projections(root) == ("EPSG:32645", "EPSG:32719")
    settings = settings_in(configuration(root))
    for code in ("EPSG:32645", "EPSG:32719"):
        assert CRS.from_wkt(settings["crs"][code]).to_epsg() == int(code.removeprefix("EPSG:"))
    assert settings["allowExternalAccess"] is False
    assert settings["displayGeoTiffByDefault"] is True
    assert settings["supportedLocales"] == ["en", "zh"]


def test_unknown_projection_and_damaged_catalogue_are_refused(tmp_path):
    root = archive_with(tmp_path / "archive", "EPSG:999999")
    with pytest.raises(BadInput, match=r"proj:code: found 'EPSG:999999'; expected a coordinate system that PROJ"):
        configuration(root)
    write_text(root, f"{COLLECTION}/collection.json", '{"type": ')
    with pytest.raises(BadInput, match=r"collection\.json: found JSONDecodeError.*expected a JSON document of STAC"):
        configuration(root)


def test_browser_is_served_beside_the_archive(tmp_path):
    root, site = archive_with(tmp_path / "archive", "EPSG:32645"), tmp_path / "site"
    write_text(site, "index.html", "<p>browser")
    write_text(site, "js/app.js", "let x = 1;")
    write_text(site, "config.js", "of another archive")
    with running(application(root, site)) as base, httpx.Client(base_url=base, trust_env=False) as client:
        moved, page, script = client.get("browser"), client.get("browser/"), client.get("browser/js/app.js")
        config, catalogue = client.get("browser/config.js"), client.get("catalog.json")
        outside = client.get("browser/%2e%2e/archive/catalog.json")
    assert (moved.status_code, moved.headers["location"]) == (307, "./browser/")
    assert page.text == "<p>browser"
    assert (script.text, script.headers["content-type"]) == ("let x = 1;", "text/javascript; charset=utf-8")
    assert config.text == configuration(root)
    assert config.headers["content-type"] == "text/javascript; charset=utf-8"
    assert catalogue.json()["type"] == "Catalog"
    assert outside.status_code == 404


def test_archive_with_a_folder_of_that_name_is_refused(tmp_path):
    root = archive_with(tmp_path / "archive", "EPSG:32645")
    (root / "browser").mkdir()
    with pytest.raises(BadInput, match=r"expected /browser/ to be free for STAC Browser"):
        application(root, tmp_path)


# --- what a reader sees ---------------------------------------------------------------------------------------------


@contextmanager
def opened(base: str) -> Iterator[tuple]:
    """A page of headless Chromium, with every request it makes and everything it complains of."""
    from tests.system.browser import chromium

    requests: list[str] = []
    complaints: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
        page.set_default_timeout(60_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("requestfailed", lambda request: complaints.append(f"failed {request.url}"))
        page.on("pageerror", lambda error: complaints.append(f"error {error}"))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.on("response", lambda answer: complaints.append(answer.url) if answer.status >= 400 else None)
        page.goto(f"{base}/browser/")
        yield page, requests, complaints


# the fake's glaciers are small; a map in grey has none of this colour at all
_LEAST_LOSS = 4e-4


@pytest.fixture(scope="module")
def shots(tmp_path_factory) -> Path:
    """Where the screenshots go: ``GLACIER_SCREENSHOTS``, or a folder of the test run."""
    named = os.environ.get("GLACIER_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def map_pixels(page) -> np.ndarray:
    """The map as it is seen: (rows, columns, 3)."""
    picture = Image.open(io.BytesIO(page.locator(".ol-viewport").first.screenshot()))
    return np.asarray(picture.convert("RGB")).astype(int)


def shares(pixels: np.ndarray) -> dict[str, float]:
    """Shares of the map in the colours of a loss, of the shaded relief, and in black."""
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]  # the frame of the footprint is blue
    spread = pixels.max(-1) - pixels.min(-1)
    return {
        "loss": float(((red - green > 25) & (red - blue > 25)).mean()),
        "relief": float(((spread < 25) & (red > 60) & (red < 245)).mean()),
        "black": float((pixels.max(-1) < 12).mean()),
    }


def waited_for(page, seen, seconds: float = 90) -> dict[str, float]:
    """The shares once ``seen`` holds of them, or the last ones; the map comes tile by tile."""
    deadline = time.monotonic() + seconds
    while True:
        found = shares(map_pixels(page))
        if seen(found) or time.monotonic() > deadline:
            return found
        page.wait_for_timeout(500)


def shared_browser() -> Path:
    """The real STAC Browser, built with npm once a machine and not once a test run: it takes minutes.

    It is kept where ``GLACIER_BROWSER_CACHE`` says, or in the user's own cache; the entry is locked while it is built
    and compared with its checksums each time, so that test runs at once may share it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GLACIER_CACHE")  # a folder of this test run, gone with it
        return built_browser()


@pytest.fixture(scope="module")
def browsed(large_archive: Path) -> Iterator[str]:
    """The address of an archive served with the real STAC Browser."""
    with running(application(large_archive, shared_browser())) as base:
        yield base


@pytest.mark.slow
def test_reader_goes_from_the_catalogue_to_the_coloured_map(browsed, shots):
    with opened(browsed) as (page, requests, complaints):
        page.locator("a.stretched-link", has_text="elevation change").wait_for()
        page.screenshot(path=shots / "1-catalogue.png")
        page.locator("a.stretched-link", has_text="elevation change").click()
        page.locator(".item-card a.stretched-link").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=shots / "2-collection.png")
        page.locator(".item-card a.stretched-link").first.click()
        page.locator(".ol-viewport canvas").first.wait_for()
        found = waited_for(page, lambda share: share["loss"] > _LEAST_LOSS and share["relief"] > 0.3)
        page.screenshot(path=shots / "3-item.png")
    assert found["loss"] > _LEAST_LOSS, found
    assert found["relief"] > 0.3, found
    assert found["black"] < 0.01, found  # tiles out of place are filled up in black
    assert any(url.endswith("/visual.tif") for url in requests)
    assert {url for url in requests if not url.startswith((f"{browsed}/", "data:", "blob:"))} == set()
    assert complaints == []


@pytest.mark.slow
def test_reader_switches_to_chinese(browsed, shots):
    with opened(browsed) as (page, requests, complaints):
        page.locator("a.stretched-link").first.wait_for()
        page.locator("button", has_text="Language").click()
        page.get_by_role("menuitem", name="中文").click()
        page.get_by_text("语言", exact=False).first.wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=shots / "4-chinese.png")
        assert page.locator("html").get_attribute("lang") == "zh"
        page.locator("a.stretched-link").first.click()
        page.locator(".item-card a.stretched-link").first.click()
        page.locator(".ol-viewport canvas").first.wait_for()
        page.wait_for_url("**/browser/#/*/*/*.zh.json*")
        page.locator("h1", has_text="冰川").wait_for()
        found = waited_for(page, lambda share: share["loss"] > _LEAST_LOSS and share["relief"] > 0.3)
        page.screenshot(path=shots / "5-chinese-item.png")
    assert found["loss"] > _LEAST_LOSS, found
    assert found["relief"] > 0.3, found
    assert found["black"] < 0.01, found
    assert {url for url in requests if not url.startswith((f"{browsed}/", "data:", "blob:"))} == set()
    assert complaints == []


@pytest.mark.slow
def test_reader_sees_the_balance_of_a_year(browsed, shots):
    """In colour: red where the glacier lost mass, over its shaded surroundings."""
    with opened(browsed) as (page, requests, complaints):
        page.locator("a.stretched-link", has_text="balance").first.click()
        page.locator(".item-card a.stretched-link").first.click()
        page.locator(".ol-viewport canvas").first.wait_for()
        found = waited_for(page, lambda share: share["loss"] > 0.02 and share["relief"] > 0.02)
        page.screenshot(path=shots / "6-balance.png")
    assert found["loss"] > 0.02, found
    assert found["relief"] > 0.02, found
    assert found["black"] < 0.01, found
    assert any(url.endswith("/visual.tif") for url in requests)
    assert {url for url in requests if not url.startswith((f"{browsed}/", "data:", "blob:"))} == set()
    assert complaints == []


@pytest.mark.slow
@pytest.mark.parametrize("title", ["Elevation change", "Uncertainty of the elevation change", "Classification"])
def test_data_of_odd_size_are_shown_in_their_place(browsed, shots, title):
    """No overview halves the grid of the archive exactly; out of place, tiles are stripes on black."""
    with opened(browsed) as (page, _, complaints):
        page.locator("a.stretched-link", has_text="elevation change").click()
        page.locator(".item-card a.stretched-link").first.click()
        page.locator(".ol-viewport canvas").first.wait_for()
        waited_for(page, lambda share: share["loss"] > _LEAST_LOSS)
        page.get_by_text(title, exact=True).first.click()
        page.get_by_role("button", name="Show on Map").locator("visible=true").first.click()
        page.evaluate("window.scrollTo(0, 0)")
        found = waited_for(page, lambda share: share["loss"] == 0 and share["relief"] > 0.2)
        page.screenshot(path=shots / f"7-{title.lower().replace(' ', '-')}.png")
    assert found["loss"] == 0, found  # the coloured picture is gone
    assert found["relief"] > 0.2, found
    assert found["black"] < 0.05, found
    assert complaints == []
