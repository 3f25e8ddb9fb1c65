"""The clients people use, over HTTP, on a published archive: what they read is what stands in its files.

The tests know nothing of the archive but its address: they find everything through the catalogue. They run on an
archive served by ourselves, on its copies published to a folder and to an S3 bucket, and on any copy elsewhere whose
address ``GLACIER_ARCHIVE_URL`` names.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import frictionless
import geopandas as gpd
import httpx
import numpy as np
import odc.stac
import pandas as pd
import pystac
import pystac_client
import pytest
import rasterio
from moto.server import ThreadedMotoServer
from odc.geo.geobox import GeoBox
from rasterio.windows import Window

from catalog.archive import write_statement
from catalog.publish.upload import publish
from catalog.serve.server import application
from tests.catalog.publish.test_s3 import ADDRESS, make_public_bucket
from tests.catalog.serve.test_serve import running
from tests.root import ROOT

pytestmark = [
    pytest.mark.slow,  # builds an archive
    pytest.mark.filterwarnings("ignore::pystac_client.warnings.PystacClientWarning"),  # it is no API, and says so
]
PUBLISHED_URL = os.environ.get("GLACIER_ARCHIVE_URL", "")
# GDAL's first look at a file
HEADER_BYTES = 16_384


@dataclass(frozen=True)
class Site:
    """An archive somewhere on HTTP.

    ``asked`` fills with (method, path) where the server is ours; ``kept`` names a version published before.
    """

    base: str
    asked: list[tuple[str, str]] | None = None
    kept: str = ""

    def url(self, path: str) -> str:
        return f"{self.base}/{path}"

    def whole(self, url: str) -> bytes:
        """The file in one plain request: what every client's reading is compared with."""
        return httpx.get(url, trust_env=False, timeout=60).raise_for_status().content


@contextmanager
def counted(root: Path, kept: str = "") -> Iterator[Site]:
    """Our server over ``root``, with a list of what it was asked."""
    app, asked = application(root), []

    async def counting(scope, receive, send):
        asked.append((scope["method"], scope["path"]))
        await app(scope, receive, send)

    with running(counting) as base:
        yield Site(base, asked, kept)


@contextmanager
def bucket() -> Iterator[str]:
    """An S3 store on loopback with a bucket that everybody may read; gives its endpoint."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("AWS_")]:
                patch.delenv(name)
            patch.setenv("AWS_ACCESS_KEY_ID", "test")
            patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
            make_public_bucket(f"http://{host}:{port}")
            yield f"http://{host}:{port}"
    finally:
        server.stop()


@pytest.fixture(scope="module")
def archive(large_archive: Path) -> Path:
    return large_archive


def publish_twice(archive: Path, destination: str, scratch: Path, endpoint_url: str | None = None) -> str:
    """Publish the archive over an older version of itself; returns where that is kept."""
    older = shutil.copytree(archive, scratch / "older")
    manifest = json.loads((older / "manifest.json").read_bytes())
    for dataset in manifest["datasets"]:
        dataset["version"] = "0.9.0"
    (older / "manifest.json").write_text(json.dumps(manifest))
    write_statement(older)
    publish(older, destination, endpoint_url=endpoint_url)
    return publish(archive, destination, endpoint_url=endpoint_url).kept


@pytest.fixture(
    scope="module", params=["archive", "published folder", "published bucket", *(["named"] if PUBLISHED_URL else [])]
)
def site(request, tmp_path_factory) -> Iterator[Site]:
    """The archive served as it was built, its copy in a folder served, its copy in a bucket; and one of the world."""
    if request.param == "named":
        yield Site(PUBLISHED_URL.removesuffix("/"))
        return
    root, scratch, kept = request.getfixturevalue("archive"), tmp_path_factory.mktemp("published"), ""
    if request.param == "published bucket":
        with bucket() as endpoint:
            kept = publish_twice(root, ADDRESS, scratch, endpoint)
            yield Site(f"{endpoint}/{ADDRESS.removeprefix('s3://')}", None, kept)
        return
    if request.param == "published folder":
        kept = publish_twice(root, str(scratch / "copy"), scratch)
        root = scratch / "copy"
    with counted(root, kept) as served:
        yield served


@pytest.fixture(scope="module", autouse=True)
def no_proxy():
    """Clients that read the environment must not ask a proxy for loopback; nor GDAL look for files beside a raster."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost")
        patch.setenv("GDAL_DISABLE_READDIR_ON_OPEN", "EMPTY_DIR")
        yield


@pytest.fixture(scope="module")
def catalogue(site) -> pystac_client.Client:
    return pystac_client.Client.open(site.url("catalog.json"))


@pytest.fixture(scope="module")
def change(catalogue) -> pystac.Item:
    """The item of an elevation change, found by its asset."""
    return next(item for item in catalogue.get_items(recursive=True) if "elevation_change" in item.assets)


def href_of(item: pystac.Item | pystac.Collection, key: str) -> str:
    href = item.assets[key].get_absolute_href()
    assert href is not None
    return href


def resources(site: Site, catalogue: pystac_client.Client) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(address of the data package, address of the table, its description) of every table of the archive."""
    for collection in catalogue.get_collections():
        package = collection.get_self_href().replace("collection.json", "datapackage.json")
        for resource in json.loads(site.whole(package))["resources"]:
            yield package, package.replace("datapackage.json", resource["path"]), resource


def test_validate_proves_it_at_its_address(site):
    """In a process of its own: GDAL holds the interpreter while it waits, and our server needs it to answer."""
    root = ROOT
    command = [sys.executable, str(root / "cli.py"), "validate", site.base, "--deep", "--json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    report = json.loads(done.stdout)
    assert (report["passed"], report["failed"]) == (True, [])
    assert report["checks"] > 50


def test_version_published_before_is_a_catalogue_of_its_own(site, catalogue):
    if not site.kept:
        pytest.skip("nothing was published here before")
    assert site.kept == "versions/0.9.0"
    kept = pystac_client.Client.open(site.url(f"{site.kept}/catalog.json"))
    items = list(kept.get_items(recursive=True))
    assert [item.id for item in items] == [item.id for item in catalogue.get_items(recursive=True)]
    assert all(item.get_self_href().startswith(site.url(site.kept)) for item in items)
    for asset in items[0].assets.values():
        assert len(site.whole(asset.get_absolute_href())) == asset.extra_fields["file:size"]


def test_pystac_client_walks_the_whole_catalogue(site, catalogue):
    """Every object lies where its link says, names the same root, and is listed once."""
    collections = list(catalogue.get_collections())
    items = list(catalogue.get_items(recursive=True))
    listed = {file["path"] for file in json.loads(site.whole(site.url("manifest.json")))["files"]}
    found = {thing.get_self_href().removeprefix(f"{site.base}/") for thing in (*collections, *items)}
    assert len(found) == len(collections) + len(items)
    assert found <= listed
    assert len(collections) == sum(path.endswith("/collection.json") for path in listed) == 2
    assert {item.get_collection().id for item in items} == {collection.id for collection in collections}
    assert {item.get_root().get_self_href() for item in items} == {site.url("catalog.json")}


def test_pystac_client_finds_items_by_property_time_and_place(catalogue, change):
    items = list(catalogue.get_items(recursive=True))
    changes = [item for item in items if item.properties["glacier:kind"] == "elevation_change"]
    assert [item.id for item in changes] == [change.id]
    years = sorted(item.properties["end_datetime"][:4] for item in items if item not in changes)
    assert years
    assert len(years) == len(set(years))
    west, south, east, north = change.bbox
    collection = change.get_collection()
    assert collection.extent.spatial.bboxes[0] == pytest.approx([west, south, east, north], abs=1e-6)
    start, end = collection.extent.temporal.intervals[0]
    assert start <= pystac.utils.str_to_datetime(change.properties["start_datetime"]) < end


def test_every_asset_is_there_with_its_size_and_checksum(site, catalogue):
    owners = [*catalogue.get_collections(), *catalogue.get_items(recursive=True)]
    assets = [asset for owner in owners for asset in owner.assets.values()]
    assert len(assets) > 20
    for asset in assets:
        content = site.whole(asset.get_absolute_href())
        if asset.has_role("collection-mirror"):  # of all collections: the manifest alone vouches for it
            assert content.startswith(b"PAR1")
            continue
        assert len(content) == asset.extra_fields["file:size"], asset.href
        assert "1220" + hashlib.sha256(content).hexdigest() == asset.extra_fields["file:checksum"], asset.href


def test_odc_stac_loads_the_change_as_it_stands_in_the_file(site, change):
    loaded = odc.stac.load([change], bands=["elevation_change"])["elevation_change"].isel(time=0)
    with rasterio.MemoryFile(site.whole(href_of(change, "elevation_change"))) as file, file.open() as raster:
        expected, box = raster.read(1), GeoBox.from_rio(raster)
        nodata, code = raster.nodata, raster.crs.to_epsg()
    assert loaded.odc.geobox == box
    assert loaded.odc.crs.to_epsg() == code == int(change.properties["proj:code"].removeprefix("EPSG:"))
    assert (loaded.dtype, loaded.attrs["nodata"]) == (np.dtype("float32"), nodata)
    np.testing.assert_array_equal(loaded.values, expected)
    assert 0 < (expected == nodata).mean() < 0.5


def test_odc_stac_takes_grid_and_types_from_the_metadata_alone(change):
    """Nothing but STAC is read until values are asked for: projection and bands must be complete there."""
    stated = change.assets["elevation_change"].to_dict()
    lazy = odc.stac.load([change], bands=["elevation_change"], chunks={})["elevation_change"]
    assert lazy.shape[1:] == tuple(stated["proj:shape"])
    assert list(lazy.odc.geobox.transform)[:6] == stated["proj:transform"][:6]
    assert lazy.dtype == np.dtype(stated["bands"][0]["data_type"])


def test_gdal_reads_a_window_in_four_requests(site, change):
    href = href_of(change, "elevation_change")
    content = site.whole(href)
    assert len(content) > 10 * HEADER_BYTES
    with rasterio.MemoryFile(content) as file, file.open() as raster:
        window = Window(raster.width // 256 // 2 * 256, raster.height // 256 // 2 * 256, 256, 256)
        expected = raster.read(1, window=window)
    before = len(site.asked or [])
    with rasterio.Env(CPL_VSIL_CURL_NON_CACHED=f"/vsicurl/{href}"), rasterio.open(f"/vsicurl/{href}") as raster:
        found = raster.read(1, window=window)
    np.testing.assert_array_equal(found, expected)
    if site.asked is not None:
        asked = site.asked[before:]
        assert {path for _, path in asked} == {href.removeprefix(site.base)}
        assert 2 <= len(asked) <= 4, asked


def test_pandas_reads_every_table_by_its_schema(site, catalogue):
    read = 0
    for _, url, resource in resources(site, catalogue):
        if not url.endswith(".csv"):
            continue
        table = pd.read_csv(url)
        assert list(table.columns) == [field["name"] for field in resource["schema"]["fields"]], url
        assert len(table) == sum(1 for _ in csv.DictReader(io.StringIO(site.whole(url).decode()))), url
        read += 1
    assert read >= 10


def test_pandas_reads_the_same_from_parquet(site, catalogue):
    """Text and numbers of each table are the same in both forms."""
    compared = 0
    for _, url, _ in resources(site, catalogue):
        if not url.endswith(".csv") or "/tables/" not in url:
            continue
        answer = httpx.get(url.replace(".csv", ".parquet"), trust_env=False)
        if answer.status_code == 404:
            continue
        columns = pd.read_parquet(io.BytesIO(answer.content))
        text = pd.read_csv(url)
        assert len(columns) == len(text)
        assert set(text.columns) <= set(columns.columns)
        for name in text.select_dtypes("number"):
            np.testing.assert_allclose(columns[name].astype(float), text[name], rtol=1e-12, err_msg=f"{url} {name}")
        compared += 1
    assert compared >= 8


def test_frictionless_proves_the_remote_data_packages(site, catalogue):
    packages = sorted({package for package, _, _ in resources(site, catalogue)})
    assert len(packages) == 2
    for package in packages:
        report = frictionless.Package(package).validate()
        assert report.valid, report.flatten(["name", "title", "message"])[:3]
        assert report.stats["tasks"] == len(json.loads(site.whole(package))["resources"])


@pytest.mark.parametrize("table", ["glaciers", "outlines", "stakes"])
def test_geopandas_reads_the_geoparquet(site, catalogue, table):
    listed = [file["path"] for file in json.loads(site.whole(site.url("manifest.json")))["files"]]
    paths = [path for path in listed if path.endswith(f"/{table}.parquet")]
    assert paths, f"no {table}.parquet in the archive"
    for path in paths:
        frame = gpd.read_parquet(site.url(path))
        assert len(frame) > 0
        assert frame.crs.to_epsg() == 4326 or frame.crs.to_string() == "OGC:CRS84"
        assert frame.geometry.is_valid.all()
        assert not frame.geometry.is_empty.any()
        collection = next(c for c in catalogue.get_collections() if c.id == path.split("/")[0])
        west, south, east, north = collection.extent.spatial.bboxes[0]
        bounds = frame.total_bounds
        assert west - 0.1 < bounds[0] <= bounds[2] < east + 0.1
        assert south - 0.1 < bounds[1] <= bounds[3] < north + 0.1
