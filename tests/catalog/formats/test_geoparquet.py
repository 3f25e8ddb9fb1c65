"""Tables with places, read by GeoPandas as any user would."""

from __future__ import annotations

import json
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from pyproj import CRS

from catalog.archive.layout import CollectionFolder
from catalog.formats.parquet import arrow_table, write_parquet
from catalog.formats.published import PublishedTable
from catalog.items.change_products import write_change_outlines
from catalog.metadata.facts import describe
from catalog.tables.places import POINT_TABLES, published_outlines
from catalog.tables.write import write_tables
from schemas.fields import Column, Table
from tests.made.fakes import HOSTILE, make_elevation_change_dataset, make_mass_balance_dataset

PLACES = Table(
    name="places",
    title="Places",
    meaning="some places",
    columns=(Column(name="name", type="string", meaning="name", required=True),),
    primary_key=("name",),
)


def read(path):
    return gpd.read_parquet(path)


@pytest.fixture(scope="module")
def change(tmp_path_factory):
    dataset = make_elevation_change_dataset((90, 140))
    folder = CollectionFolder(tmp_path_factory.mktemp("change"), "change")
    folder.path.mkdir()
    # without the figures, which take seconds
    assets = tuple(write_change_outlines(dataset.result, folder.path, {}))
    write_tables(dataset, describe(dataset), folder)
    return dataset, folder, assets


@pytest.fixture(scope="module")
def balance(tmp_path_factory):
    dataset = make_mass_balance_dataset()
    stakes = dataset.result.tables["stakes"].astype({"longitude": float, "latitude": float})
    stakes.loc[stakes.stake_id == "3", ["longitude", "latitude"]] = [84.3911111, 43.7312345]
    stakes.loc[stakes.stake_id == "4", ["easting", "northing"]] = np.nan
    dataset = replace(dataset, result=replace(dataset.result, tables={**dataset.result.tables, "stakes": stakes}))
    folder = CollectionFolder(tmp_path_factory.mktemp("balance"), "balance")
    write_tables(dataset, describe(dataset), folder)
    return dataset, folder


def test_glaciers_are_polygons_where_geojson_has_them(change):
    dataset, folder, _ = change
    frame = read(folder.table_parquet("glaciers"))
    drawn = gpd.read_file(folder.path / "glaciers.geojson").set_index("glacier_id")
    assert frame.crs == CRS("OGC:CRS84")
    assert list(frame.glacier_id) == sorted(dataset.result.outlines.glacier_id.unique())
    for record in frame.itertuples():
        other = drawn.geometry[record.glacier_id]
        assert record.geometry.symmetric_difference(other).area < 1e-12
        assert record.mean_dh_m == pytest.approx(drawn.mean_dh_m[record.glacier_id])
    # an oracle of its own: the union in metres has the area that the places have on the projection
    union = dataset.result.outlines.dissolve("glacier_id").geometry.area
    assert frame.to_crs(dataset.result.grid.crs).area.to_numpy() == pytest.approx(union.to_numpy(), rel=1e-3)


def test_outlines_are_those_of_geojson_record_by_record(change):
    _, folder, assets = change
    frame = read(folder.path / "outlines.parquet")
    drawn = gpd.read_file(folder.path / "outlines.geojson")
    names = ["glacier_id", "glacier_name", "epoch"]
    assert frame[names].astype(str).values.tolist() == drawn[names].astype(str).values.tolist()
    assert shapely.equals_exact(frame.geometry.values, drawn.geometry.values, 1.5e-6).all()
    asset = next(asset for asset in assets if asset.href == "outlines.parquet")
    assert asset.media_type == "application/vnd.apache.parquet"


def test_outlines_keep_their_shapes_when_names_are_cleaned_and_rows_unsorted(change):
    outlines = change[0].result.outlines.sample(frac=1, random_state=3)
    outlines.loc[outlines.index[0], "glacier_name"] = HOSTILE
    table, shapes = published_outlines(outlines)
    areas = {(row.glacier_id, row.epoch): row.geometry.area for row in outlines.itertuples()}
    assert [areas[row[0], row[2]] for row in table.rows] == [shape.area for shape in shapes]
    assert [(row[0], row[2]) for row in table.rows] == sorted(areas)


def test_stakes_are_points_from_degrees_or_from_metres(balance):
    dataset, folder = balance
    frame = read(folder.table_parquet("stakes")).set_index("stake_id")
    assert frame.crs == CRS("OGC:CRS84")
    assert (frame.geometry["3"].x, frame.geometry["3"].y) == (84.391111, 43.731234)
    assert frame.geometry["4"] is None
    metres = frame.drop(index=["3", "4"]).to_crs(dataset.definition.crs)
    found = np.column_stack([metres.geometry.x, metres.geometry.y])
    assert np.abs(found - metres[["easting", "northing"]].to_numpy(float)).max() < 0.2


@pytest.mark.parametrize("name", POINT_TABLES)
def test_tables_of_points_are_geoparquet_even_without_records(balance, name):
    _, folder = balance
    frame = read(folder.table_parquet(name))
    assert frame.geometry.name == "geometry"
    assert len(frame) == len(pd.read_csv(folder.table_csv(name)))


def test_the_metadata_is_that_of_the_standard(change, balance):
    for path, kinds in (
        (change[1].table_parquet("glaciers"), {"Polygon", "MultiPolygon"}),
        (balance[1].table_parquet("stakes"), {"Point"}),
    ):
        schema = pq.read_schema(path)
        geo = json.loads(schema.metadata[b"geo"])
        column = geo["columns"][geo["primary_column"]]
        frame = read(path)
        assert geo["version"] == "1.1.0"
        assert column["encoding"] == "WKB"
        assert set(column["geometry_types"]) == set(frame.geometry.dropna().geom_type) <= kinds
        assert column["bbox"] == pytest.approx(frame.total_bounds)
        assert schema.field(geo["primary_column"]).type == pa.binary()
    outer = read(change[1].table_parquet("glaciers")).geometry.explode().exterior
    assert shapely.is_ccw(outer.values).all()


def test_other_tables_are_plain_parquet_with_units(balance):
    schema = pq.read_schema(balance[1].table_parquet("zone_balances"))
    assert b"geo" not in schema.metadata
    assert schema.metadata[b"title"] == b"Balances of elevation zones"
    assert schema.field("area_km2").metadata == {b"description": b"glacier area", b"unit": b"km2"}


def test_a_place_without_a_record_is_refused(tmp_path):
    table = PublishedTable(PLACES, (("a",), ("b",)))
    with pytest.raises(ValueError, match="table places: 1 places of 2 records"):
        write_parquet(tmp_path / "p.parquet", table, [shapely.Point(1, 2)])


def test_the_bytes_depend_on_the_records_alone(tmp_path):
    table = PublishedTable(PLACES, (("a",), ("b",)))
    clockwise = shapely.Polygon([(0, 0), (0, 1), (1, 1), (1, 0)])
    for name, shape in (("one", clockwise), ("two", clockwise.reverse())):
        write_parquet(tmp_path / name, table, [shape, None])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert arrow_table(table, [clockwise, None]).schema.metadata[b"title"] == b"Places"
