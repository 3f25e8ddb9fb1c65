"""The items: which files they hold, whether these say what the result says, and what STAC is told."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from shapely.geometry import box, shape

from catalog.archive.layout import CollectionFolder
from catalog.figures.balance_maps import balance_limit
from catalog.figures.change_picture import ChangePicture, change_limit, outlined_pixels
from catalog.formats.geojson import footprint, to_degrees, to_geojson, write_features
from catalog.items.balance_products import COLLECTION_FIGURES
from catalog.items.elevation_change import write_elevation_change
from catalog.items.mass_balance import write_mass_balance
from catalog.items.processing_steps import elevation_change_steps
from catalog.metadata.facts import describe
from pipeline.elevation_change.result import GLACIER
from pipeline.grid import Grid
from tests.made.cog_structure import cog_failures
from tests.made.fakes import NOTE, make_elevation_change_dataset, make_mass_balance_dataset

# seconds of drawing or computing each
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def change(tmp_path_factory):
    dataset = make_elevation_change_dataset()
    folder = CollectionFolder(tmp_path_factory.mktemp("change"), dataset.definition.id)
    return dataset, write_elevation_change(dataset, describe(dataset), folder)


@pytest.fixture(scope="module")
def balance(tmp_path_factory):
    dataset = make_mass_balance_dataset()
    folder = CollectionFolder(tmp_path_factory.mktemp("balance"), dataset.definition.id)
    told = []
    return dataset, write_mass_balance(dataset, describe(dataset), folder, told.append), folder, told


def test_an_elevation_change_is_one_item_with_its_assets(change):
    dataset, (item,) = change
    assert item.item_id == "elevation-change"
    assert item.folder.name == "elevation-change"
    keys = [asset.key for asset in item.assets]
    expected = {
        "elevation_change", "elevation_change_sigma", "classification", "visual", "glaciers", "outlines", "thumbnail",
        "map", "figure_dem_checks", "figure_stable_terrain", "figure_aspect", "figure_curvature", "figure_accuracy",
        "figure_variogram", "figure_patches", "figure_hypsometry",
    }  # fmt: skip
    assert expected <= set(keys)
    assert len(set(keys)) == len(keys)
    assert {asset.href for asset in item.assets} == {path.name for path in item.folder.iterdir()}
    # the days between which its rate counts, not the claimed period
    assert (item.start, item.end) == (date(2000, 2, 16), date(2012, 6, 30))
    assert item.title.startswith("[SYNTHETIC SAMPLE]")
    assert "synthetic" in item.properties["processing:lineage"].lower()
    assert dataset.result.datum.note in item.properties["processing:lineage"]


def test_the_chinese_lineage_says_what_the_english_one_says(change):
    """No datum was transformed here, and neither text may say that it was; both give the same numbers."""
    dataset, (item,) = change
    english = item.properties["processing:lineage"]
    chinese = english.cn
    assert "left to co-registration" in english
    assert dataset.result.datum.note.cn in chinese
    assert "同一高程基准" not in chinese
    numbers = [sorted(re.findall(r"-?\d+\.\d+", text)) for text in (english, chinese)]
    assert numbers[0] == numbers[1] != []


def test_the_rasters_hold_the_result(change):
    dataset, (item,) = change
    result = dataset.result
    for name, values in (("elevation_change", result.dh_m), ("elevation_change_sigma", result.sigma_dh_m)):
        with rasterio.open(item.folder / f"{name}.tif") as raster:
            read = raster.read(1, masked=True)
            assert raster.units == ("m",)
            assert "synthetic" in raster.tags()["SYNTHETIC"]
        assert (np.ma.getmaskarray(read) == np.isnan(values)).all()
        assert np.abs(read - np.where(np.isnan(values), 0, values)).max() <= 0.00501
    with rasterio.open(item.folder / "classification.tif") as raster:
        assert (raster.read(1) == result.classification).all()
        assert raster.tags()["CLASS_2"] == "glacier"
        assert raster.colormap(1)[GLACIER][2] > raster.colormap(1)[GLACIER][0]
    for path in item.folder.glob("*.tif"):
        assert cog_failures(path) == []


def test_the_visual_is_the_picture_with_its_outlines(change):
    dataset, (item,) = change
    result = dataset.result
    outlined = outlined_pixels(result.outlines.geometry, result.grid)
    with rasterio.open(item.folder / "visual.tif") as raster:
        read = raster.read()
        assert float(raster.tags()["COLOUR_SCALE_M"]) == change_limit(result)
    assert (read == ChangePicture(result, change_limit(result), outlined)[:, :, :]).all()


def test_the_vectors_hold_every_glacier_and_epoch(change):
    dataset, (item,) = change
    result = dataset.result
    glaciers, outlines = (gpd.read_file(item.folder / f"{name}.geojson") for name in ("glaciers", "outlines"))
    assert glaciers.crs.to_epsg() == 4326
    assert list(glaciers["glacier_id"]) == sorted(result.outlines["glacier_id"].unique())
    assert list(outlines["epoch"]) == ["2000", "2012"] * len(glaciers)
    assert glaciers.geometry.is_valid.all()
    area = glaciers.to_crs(result.grid.crs).geometry.area / 1e6
    assert area.to_numpy() == pytest.approx(glaciers["area_km2"].to_numpy(), rel=2e-3)
    assert glaciers["mean_dh_m"].iloc[0] == pytest.approx(1.235, abs=1e-9)  # rounded as in the table
    raw = json.loads((item.folder / "glaciers.geojson").read_text(encoding="utf-8"))
    assert raw["synthetic"] is True
    ring = shape(raw["features"][0]["geometry"]).exterior
    assert ring.is_ccw
    assert "\u202e" not in (item.folder / "glaciers.geojson").read_text(encoding="utf-8")


def test_the_footprint_is_the_raster_s(change):
    dataset, (item,) = change
    outline = shape(item.geometry)
    assert outline.is_valid
    assert item.bbox == pytest.approx(outline.bounds, abs=1e-9)
    assert item.bbox == pytest.approx(dataset.result.grid.bounds_lonlat, abs=2e-5)


def test_the_properties_say_what_was_computed(change):
    _, (item,) = change
    said = item.properties
    assert said["glacier:shift_m"] == {"east": 12.3457, "north": -45.678, "up": 1.2}
    assert said["glacier:sigma_shift_m"] == {"east": 0.21, "north": 0.32, "up": 0.04}
    assert said["glacier:shift_by_cosine_m"] == {"east": 12.31, "north": -45.71, "up": 1.2}
    assert said["glacier:patch_test"] == {
        "count": 240, "area_km2": 0.8, "mean": 0.02, "spread": 1.04, "robust_spread": 1.01, "enough": True,
    }  # fmt: skip
    assert said["glacier:notes"] == [NOTE]
    assert said["glacier:stable_terrain"]["before"]["mean_m"] == 3.21
    assert said["glacier:stable_terrain"]["after"]["nmad_m"] == 4.2
    assert said["glacier:gates"] == [
        {
            "name": "off-glacier bias", "subject": "stable terrain", "value": 0.12, "limit": 0.6, "unit": "m",
            "passed": True,
        }
    ]  # fmt: skip
    assert said["glacier:supported_period"]["end"] == "2014-12-31"
    assert said["glacier:totals"]["count"] == 9
    json.dumps(said, allow_nan=False)


def test_two_rasters_without_outlines_make_an_item_too(tmp_path):
    dataset = make_elevation_change_dataset((40, 60))
    result = replace(
        dataset.result,
        outlines=None,
        totals=None,
        curvature=None,
        figures={},
        tables={
            **dataset.result.tables,
            "elevation_bands": dataset.result.tables["elevation_bands"].iloc[:0],
            "accuracy": dataset.result.tables["accuracy"].iloc[:0],
        },
    )
    dataset = replace(dataset, result=result, synthetic=False)
    (item,) = write_elevation_change(dataset, describe(dataset), CollectionFolder(tmp_path, "x"))
    keys = {asset.key for asset in item.assets if "style" not in asset.roles}
    rasters = {"elevation_change", "elevation_change_sigma", "classification", "visual"}
    assert keys == rasters | {"thumbnail", "map", "figure_resolution"}
    assert "ynthetic" not in item.title + item.description + item.properties["processing:lineage"]
    assert "glacier:totals" not in item.properties
    with rasterio.open(item.folder / "elevation_change.tif") as raster:
        assert raster.tags()["SYNTHETIC"] == "NO"


def test_nan_in_a_result_becomes_null(tmp_path):
    dataset = make_elevation_change_dataset((40, 60))
    totals = replace(dataset.result.totals, mass_change_kg=float("nan"))
    dataset = replace(dataset, result=replace(dataset.result, totals=totals))
    (item,) = write_elevation_change(dataset, describe(dataset), CollectionFolder(tmp_path, "x"))
    assert item.properties["glacier:totals"]["mass_change_kg"] is None


def test_only_years_with_a_field_are_items(balance):
    _, items, folder, told = balance
    assert [item.item_id for item in items] == ["balance-2001", "balance-2003"]
    assert [item.properties["glacier:year"] for item in items] == [2001, 2003]
    assert told == ["writing the balance of 2001", "writing the balance of 2003"]
    for item in items:
        keys = [asset.key for asset in item.assets if "style" not in asset.roles]
        vectors = ["isolines", "outline", "outline_geoparquet"]
        assert keys == ["balance", "balance_sigma", "visual", *vectors, "map", "profile", "thumbnail"]
        assert {asset.href for asset in item.assets} == {path.name for path in item.folder.iterdir()}
    beside = sorted(path.name for path in folder.path.iterdir() if path.is_file())
    assert beside == sorted(COLLECTION_FIGURES)


def test_a_year_s_files_hold_its_field_and_isolines(balance):
    dataset, items, _, _ = balance
    year = dataset.result.years[0]
    with rasterio.open(items[0].folder / "balance.tif") as raster:
        read = raster.read(1, masked=True)
        assert raster.units == ("m w.e.",)
        assert raster.tags()["YEAR"] == "2001"
    assert read.mean() == pytest.approx(year.annual_m_we, abs=0.002)
    lines = gpd.read_file(items[0].folder / "isolines.geojson")
    assert list(lines["balance_m_we"]) == sorted(lines["balance_m_we"])
    assert len(lines) == len(year.field.isolines)
    by_value = {round(line.balance_m_we, 2): line.geometry for line in year.field.isolines}
    projected = lines.to_crs(dataset.result.glacier.crs)
    for value, geometry in zip(projected["balance_m_we"], projected.geometry, strict=True):
        assert geometry.hausdorff_distance(by_value[value]) < 0.2


def test_a_year_s_picture_lies_where_its_field_lies(balance):
    dataset, items, _, _ = balance
    result = dataset.result
    field = result.years[0].field
    with rasterio.open(items[0].folder / "visual.tif") as raster:
        rgb = raster.read()
        assert raster.crs == field.grid.crs
        assert (raster.bounds.left, raster.bounds.top) == (field.grid.bounds[0], field.grid.bounds[3])
        parts = field.grid.pixel_size[0] / raster.res[0]
        assert parts == round(parts) > 1
        assert float(raster.tags()["COLOUR_SCALE_M_WE"]) == balance_limit(result)
    # in the middle of pixels well inside the glacier, away from lines: as red or blue as the sign of their balance
    inside = np.argwhere(np.isfinite(field.balance_m_we) & (np.abs(field.balance_m_we) > 0.3))
    middle = (inside * parts + parts / 2).astype(int)
    red, _, blue = rgb[:, middle[:, 0], middle[:, 1]].astype(int)
    loss = field.balance_m_we[tuple(inside.T)] < 0
    assert np.mean((red > blue) == loss) > 0.9
    assert len(inside) > 100
    assert 0 < loss.mean() < 1


def test_a_year_s_outline_is_that_of_the_balance(balance):
    dataset, items, _, _ = balance
    result = dataset.result
    read = gpd.read_file(items[1].folder / "outline.geojson")
    assert list(read["glacier_id"]) == [result.glacier.glacier_id]
    assert read["area_km2"][0] == pytest.approx(result.outline.area / 1e6, abs=1e-5)
    projected = read.to_crs(result.glacier.crs).geometry[0]
    assert projected.symmetric_difference(result.outline).area < 0.002 * result.outline.area
    parquet = gpd.read_parquet(items[1].folder / "outline.parquet")
    assert parquet.geometry[0].equals_exact(read.geometry[0], 1e-6, normalize=True)
    assert list(parquet.columns) == ["glacier_id", "glacier_name", "area_km2", "geometry"]


def test_a_year_says_its_balance_ela_and_gate(balance):
    dataset, items, _, _ = balance
    year, said = dataset.result.years[0], items[0].properties
    assert said["glacier:balance"]["annual_m_we"] == round(year.annual_m_we, 2)
    assert said["glacier:balance"]["winter_m_we"] == 0.21
    assert items[1].properties["glacier:balance"]["winter_m_we"] is None
    assert said["glacier:ela"] == {"altitude_m": 3838.0, "sigma_m": 14.0, "position": "="}
    assert [gate["subject"] for gate in said["glacier:gates"]] == ["2001"]
    assert said["glacier:provenance"] == "observed"
    assert (items[0].start, items[0].end) == (date(2000, 8, 28), date(2001, 8, 30))


def test_a_year_without_days_spans_the_fixed_date_year(tmp_path):
    dataset = make_mass_balance_dataset()
    years = tuple(replace(year, begin=None, end=None) for year in dataset.result.years)
    dataset = replace(dataset, result=replace(dataset.result, years=years[:1]))
    (item,) = write_mass_balance(dataset, describe(dataset), CollectionFolder(tmp_path, "x"))
    assert (item.start, item.end) == (date(2000, 10, 1), date(2001, 9, 30))


def test_a_dataset_of_the_other_kind_is_refused(tmp_path):
    change, balance = make_elevation_change_dataset(), make_mass_balance_dataset()
    with pytest.raises(TypeError, match="test-mass-balance: not an elevation change"):
        write_elevation_change(balance, describe(balance), CollectionFolder(tmp_path, "x"))
    with pytest.raises(TypeError, match="test-elevation-change: not a mass balance"):
        write_mass_balance(change, describe(change), CollectionFolder(tmp_path, "x"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_same_result_gives_the_same_bytes(change, balance, tmp_path):
    for write, dataset, items in ((write_elevation_change, *change), (write_mass_balance, *balance[:2])):
        again = write(dataset, describe(dataset), CollectionFolder(tmp_path, dataset.definition.id))
        assert [item.properties for item in again] == [item.properties for item in items]
        for old, new in zip(items, again, strict=True):
            for asset in old.assets:
                assert (old.folder / asset.href).read_bytes() == (new.folder / asset.href).read_bytes(), asset.href


def test_geojson_is_wgs84_counter_clockwise_and_rounded(tmp_path):
    square = box(460000, 4790000, 461000, 4791000)
    clockwise = square.reverse() if square.exterior.is_ccw else square
    write_features(tmp_path / "x.geojson", [(clockwise, {"name": "α <b>"})], "EPSG:32645", {"title": "t"})
    raw = json.loads((tmp_path / "x.geojson").read_text(encoding="utf-8"))
    geometry = raw["features"][0]["geometry"]
    assert shape(geometry).exterior.is_ccw
    assert all(value == round(value, 6) for point in geometry["coordinates"][0] for value in point)
    assert raw["features"][0]["properties"] == {"name": "α <b>"}
    assert 86.5 < shape(geometry).centroid.x < 86.6


def test_a_sliver_below_the_rounding_is_kept():
    sliver = box(460000, 4790000, 460000.01, 4790000.01)
    assert not to_degrees(sliver, "EPSG:32645").is_empty


def test_a_footprint_follows_curved_edges():
    grid = Grid("EPSG:32645", Affine(30.0, 0.0, 460020.0, 0.0, -30.0, 4794000.0), (2000, 3000))
    outline = footprint(grid)
    assert len(outline.exterior.coords) > 12
    assert to_geojson(outline)["type"] == "Polygon"
    assert outline.bounds == pytest.approx(grid.bounds_lonlat, abs=5e-5)


def test_every_file_has_a_chinese_title(change, balance):
    for item in (*change[1], *balance[1]):
        assert item.title_cn
        assert item.description_cn
        for asset in item.assets:
            assert any("\u4e00" <= char <= "\u9fff" for char in asset.title.cn), asset.key


def test_an_item_tells_its_inputs_and_every_step(change, balance):
    dataset, (item,) = change
    assert item.properties["glacier:inputs"] == [
        {"source": "earlier", "name": "N43E086.hgt", "size": 2884802, "sha256": "0" * 64}
    ]
    steps = {step["name"]: step["expression"] for step in item.properties["processing:expression"]["expression"]}
    assert steps["elevation difference"] == "dh = h_later - h_earlier"
    assert "(12.3457, -45.6780, 1.2000) m east, north, up" in steps["co-registration"]
    assert "outside all outlines by 90 m" in steps["stable terrain"]
    assert "EPSG:5773 to EPSG:3855: left to co-registration" in steps["one vertical datum"]
    assert "resolution effect" in steps
    assert "reach dh to within 5 max(NMAD" in steps["blunders on glaciers"]
    unlimited = dataset.result.settings.model_copy(update={"glacier_outlier_nmad": 0})
    all_kept = elevation_change_steps(replace(dataset.result, settings=unlimited))
    assert "blunders on glaciers" not in {step["name"] for step in all_kept}
    kept = replace(dataset.result, resolution=replace(dataset.result.resolution, method="none"))
    assert "resolution effect" not in {step["name"] for step in elevation_change_steps(kept)}
    year = balance[1][0].properties["processing:expression"]["expression"]
    assert "rho_ice = 900" in year[0]["expression"]
    assert "classes of 0.1 m w.e." in next(step for step in year if step["name"] == "contour method")["expression"]


def test_accuracy_is_that_of_the_shift_the_stable_terrain_and_the_balance(change, balance):
    said = change[1][0].properties
    assert said["accuracy:geometric_x_stddev"] == 0.21
    assert said["accuracy:geometric_y_stddev"] == 0.32
    assert said["accuracy:geometric_rmse"] == 0.3828
    assert said["accuracy:measurement_relative"] == change[0].result.after.nmad_m
    for item in balance[1]:
        sigma = item.properties["glacier:balance"]["sigma_annual_m_we"]
        assert item.properties["accuracy:measurement_absolute"] == sigma
