"""Every item in one file beside the catalogue, as programs that never saw the catalogue read it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import geopandas as gpd
import pystac
import pytest
import rasterio
from fsspec.implementations.http import HTTPFileSystem

from catalog.archive.opened import Archive, FolderFiles
from catalog.checks.stac_twins import search_table
from catalog.stac.item_lists import listed_item
from catalog.stac.search_table import read_search_table
from tests.system.counting_server import counting_server

ITEM = {
    "id": "balance-2003",
    "properties": {"title": "A year"},
    "links": [
        {"rel": "root", "href": "../../catalog.json"},
        {"rel": "parent", "href": "../collection.json"},
        {"rel": "license", "href": "https://spdx.org/licenses/CC-BY-4.0.html"},
    ],
    "assets": {"balance": {"href": "./balance.tif", "title": "Balance"}},
}
PLACE = "kuitun/balance-2003/balance-2003.json"


def hrefs(item):
    return {link["rel"]: link["href"] for link in item["links"]} | {"asset": item["assets"]["balance"]["href"]}


def test_references_lead_on_from_the_list():
    assert hrefs(listed_item(ITEM, PLACE)) == {
        "root": "./catalog.json",
        "parent": "./kuitun/collection.json",
        "license": "https://spdx.org/licenses/CC-BY-4.0.html",
        "self": "./kuitun/balance-2003/balance-2003.json",
        "asset": "./kuitun/balance-2003/balance.tif",
    }


def test_references_are_absolute_where_the_item_names_its_address():
    own = {"rel": "self", "href": f"https://example.org/ice/{PLACE}"}
    assert hrefs(listed_item({**ITEM, "links": [*ITEM["links"], own]}, PLACE)) == {
        "root": "https://example.org/ice/catalog.json",
        "parent": "https://example.org/ice/kuitun/collection.json",
        "license": "https://spdx.org/licenses/CC-BY-4.0.html",
        "self": f"https://example.org/ice/{PLACE}",
        "asset": "https://example.org/ice/kuitun/balance-2003/balance.tif",
    }


class Http(HTTPFileSystem):
    """In place of DuckDB's own extension for HTTP, which is fetched when first used."""

    def modified(self, path):
        """When the file was changed, which DuckDB asks before it keeps anything of it."""
        return datetime(2026, 1, 1, tzinfo=UTC)


def test_duckdb_finds_a_balance_year_over_http_and_its_raster_opens(whole_archive):
    with counting_server(whole_archive) as (url, _), duckdb.connect() as database:
        database.register_filesystem(Http())
        rows = database.execute(
            'select id, "glacier:annual_m_we", "glacier:sigma_annual_m_we", "glacier:ela_m", assets.balance.href'
            f" from read_parquet('{url}/items.parquet')"
            """ where "glacier:year" = 2003 and "glacier:annual_m_we" < 100 and collection like '%balance'"""
        ).fetchall()
        ((name, balance, sigma, line, href),) = rows
        assert not href.startswith("/")
        with rasterio.open(f"{url}/{href}") as raster:
            values = raster.read(1, masked=True)
    assert name == "balance-2003"
    # each is what the published table of the glacier's years says
    (year,) = duckdb.sql(
        "select annual_balance_m_we, sigma_annual_m_we, ela_m"
        f" from read_csv('{whole_archive}/test-mass-balance/tables/glacier_balances.csv') where year = 2003"
    ).fetchall()
    assert (balance, sigma, line) == pytest.approx(year)
    assert values.count() > 0


def test_every_reference_of_both_lists_leads_to_a_file(whole_archive):
    listed = json.loads((whole_archive / "items.json").read_text(encoding="utf-8"))["features"]
    for items in (listed, list(read_search_table(whole_archive / "items.parquet"))):
        assert [item["id"] for item in items] == ["elevation-change", "balance-2001", "balance-2003"]
        for item in items:
            assert [link["rel"] for link in item["links"]].count("self") == 1
            for reference in (*item["links"], *item["assets"].values()):
                href = reference["href"]
                assert href.startswith("https://") or (whole_archive / href).is_file(), href


def test_pystac_and_geopandas_read_the_list(whole_archive):
    listed = pystac.ItemCollection.from_file(str(whole_archive / "items.json"))
    frame = gpd.read_file(whole_archive / "items.json", engine="pyogrio")
    assert [item.id for item in listed] == list(frame["id"])
    change, *years = listed
    stated = change.properties["glacier:totals"]
    assert frame["glacier:mean_dh_m"][0] == change.properties["glacier:mean_dh_m"] == stated["mean_dh_m"]
    for item in years:
        own = item.properties
        assert own["glacier:annual_m_we"] == own["glacier:balance"]["annual_m_we"]
        assert own["glacier:sigma_ela_m"] == own["glacier:ela"]["sigma_m"]


def test_a_collection_offers_the_table_as_the_mirror_of_its_items(whole_archive):
    for name in ("test-elevation-change", "test-mass-balance"):
        collection = pystac.Collection.from_file(str(whole_archive / name / "collection.json"))
        (table,) = (asset for asset in collection.assets.values() if asset.has_role("collection-mirror"))
        assert table.media_type == "application/vnd.apache.parquet"
        assert Path(table.get_absolute_href()).resolve() == (whole_archive / "items.parquet").resolve()


def test_an_item_s_keywords_name_its_own_year_and_no_other(whole_archive):
    for year in ("2001", "2003"):
        for name in (f"balance-{year}.json", f"balance-{year}.zh.json"):
            item = json.loads((whole_archive / f"test-mass-balance/balance-{year}" / name).read_text(encoding="utf-8"))
            words = item["properties"]["keywords"]
            assert [word for word in words if re.fullmatch(r"\d{4}", word)] == [year]
            assert len(words) > 3


def test_a_list_that_is_missing_or_wrong_is_found(whole_archive, tmp_path):
    for path in ("items.parquet", "items.json"):
        (tmp_path / path).write_bytes((whole_archive / path).read_bytes())
    # no item stands beside them
    failures = search_table(Archive(FolderFiles(tmp_path))).failures
    assert {failure.file.partition(":")[0] for failure in failures} == {"items.parquet", "items.json"}
