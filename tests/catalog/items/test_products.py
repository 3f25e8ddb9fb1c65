"""The files of a result: one writer each, whether an archive or a run of one's own asks for them."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import rasterio

from catalog.archive.layout import CollectionFolder, balance_item_id
from catalog.items.balance_products import draw_balance_figures
from catalog.items.elevation_change import write_elevation_change
from catalog.items.mass_balance import write_mass_balance
from catalog.metadata.facts import describe
from catalog.runs.single_run import write_balance, write_difference
from tests.made.fakes import make_elevation_change_dataset, make_mass_balance_dataset

SAID_APART = {"title", "synthetic"}
# what a run of one's own has beside the products
OF_A_RUN = {"manifest.json", "summary.json", "report.html", "settings.toml"}


def features(path):
    """What a GeoJSON file holds, apart from what it says of its dataset."""
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: value for name, value in content.items() if name not in SAID_APART}


def assert_the_same(own, published):
    """Pixels, features, styles and diagrams of a run and of an archive, whatever they say of the dataset."""
    if own.suffix == ".tif":
        with rasterio.open(own) as one, rasterio.open(published) as other:
            assert one.profile == other.profile
            assert (one.descriptions, one.units) == (other.descriptions, other.units)
            assert np.array_equal(one.read(), other.read())
    elif own.suffix == ".geojson":
        assert features(own) == features(published)
    else:
        assert own.read_bytes() == published.read_bytes(), own.name


@pytest.mark.slow
def test_a_run_and_an_archive_hold_the_same_elevation_change(tmp_path):
    dataset = make_elevation_change_dataset((60, 90), synthetic=False)
    (item,) = write_elevation_change(dataset, describe(dataset), CollectionFolder(tmp_path, "archive"))
    write_difference(dataset.result, tmp_path / "run", "v1")
    own = {path.name for path in (tmp_path / "run").iterdir() if path.is_file()}
    to_browse = {"visual.tif", "thumbnail.png"}
    assert {path.name for path in item.folder.iterdir()} - to_browse == own - OF_A_RUN
    # over the map stands the title, which is the dataset's own
    for name in own - OF_A_RUN - {"map.png"}:
        assert_the_same(tmp_path / "run" / name, item.folder / name)
        assert name.endswith((".tif", ".geojson", ".parquet", ".png", ".qml"))


@pytest.mark.slow
def test_a_run_and_an_archive_hold_the_same_mass_balance(tmp_path):
    dataset = make_mass_balance_dataset(synthetic=False)
    folder = CollectionFolder(tmp_path, "archive")
    items = write_mass_balance(dataset, describe(dataset), folder)
    write_balance(dataset.result, tmp_path / "run", "v1")
    own = {path.name for path in (tmp_path / "run").iterdir()}
    for item in items:
        year = item.properties["glacier:year"]
        assert item.folder == folder.item(balance_item_id(year))
        for path in item.folder.iterdir():
            name = f"{path.stem}_{year}{path.suffix}"
            if path.name not in ("visual.tif", "thumbnail.png"):
                assert_the_same(tmp_path / "run" / name, path)
                own.remove(name)
    figures = {"balance_series.png", "balance_profiles.png", "balance_methods.png", "stake_history.png"}
    assert own == figures | {"tables", "results.xlsx"} | OF_A_RUN
    for name in figures:
        assert_the_same(tmp_path / "run" / name, folder.path / name)


def test_a_series_without_stakes_or_balances_has_no_such_figures(tmp_path):
    result = make_mass_balance_dataset().result
    bare = replace(result, years=(), tables={name: table.iloc[:0] for name, table in result.tables.items()})
    draw_balance_figures(bare, tmp_path, {}, False)
    assert list(tmp_path.iterdir()) == []
