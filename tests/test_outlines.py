"""Glacier outlines: attribute names of several inventories, and what is refused with its record."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rasterio.transform import Affine

from pipeline.elevation_change.outlines import rasterized, read_outlines
from pipeline.grid import Grid
from schemas.errors import BadInput

GRID = Grid("EPSG:32645", Affine(30, 0, 400_000, 0, -30, 4_800_000), (100, 120))


def box(left, top, size=600.0):
    return shapely.box(400_000 + left, 4_800_000 - top - size, 400_000 + left + size, 4_800_000 - top)


def save(path, shapes, crs="EPSG:32645", **columns):
    frame = gpd.GeoDataFrame({**columns}, geometry=shapes, crs=crs)
    frame.to_file(path)
    return path


@pytest.mark.parametrize(
    ("attribute", "suffix"), [("rgi_id", "gpkg"), ("RGIId", "geojson"), ("GLIMS_ID", "shp"), ("CGI_ID", "fgb")]
)
def test_inventories_and_formats(tmp_path, attribute, suffix):
    shapes = gpd.GeoSeries([box(300, 300), box(1500, 300)], crs="EPSG:32645").to_crs("EPSG:4326")
    path = save(tmp_path / f"o.{suffix}", shapes, "EPSG:4326", **{attribute: ["B", "A"]})
    found = read_outlines([path], GRID)
    assert found["glacier_id"].tolist() == ["A", "B"]
    assert found.crs.to_epsg() == 32645
    assert found.area.sum() == pytest.approx(2 * 600**2, rel=1e-3)


def test_epochs_stand_side_by_side(tmp_path):
    first = save(tmp_path / "a.gpkg", [box(300, 300)], rgi_id=["G"])
    second = save(tmp_path / "b.gpkg", [box(300, 300, 450)], rgi_id=["G"])
    found = read_outlines([first, second], GRID)
    assert found["epoch"].tolist() == [0, 1]
    assert found.area.tolist() == pytest.approx([600**2, 450**2])


def test_holes_stay_open(tmp_path):
    ring = box(300, 300, 900).difference(box(600, 600, 300))
    found = read_outlines([save(tmp_path / "h.gpkg", [ring], rgi_id=["G"])], GRID)
    assert rasterized(found.geometry, GRID).sum() * 900 == pytest.approx(900**2 - 300**2)


def assert_refused(tmp_path, message, shapes, crs="EPSG:32645", name="o.gpkg", **columns):
    path = save(tmp_path / name, shapes, crs, **(columns or {"rgi_id": [f"G{n}" for n in range(len(shapes))]}))
    with pytest.raises(BadInput, match=message):
        read_outlines([path], GRID)


def test_a_self_intersection_is_refused_with_its_record(tmp_path):
    bow = shapely.Polygon([(400_300, 4_799_000), (400_900, 4_799_600), (400_900, 4_799_000), (400_300, 4_799_600)])
    assert_refused(tmp_path, r"o\.gpkg: record 2 \(G1\): found Self-intersection", [box(300, 300), bow])


def test_outlines_elsewhere_are_refused(tmp_path):
    assert_refused(tmp_path, "no outline within the DEMs", [box(90_000, 300)])


def test_a_missing_crs_is_refused(tmp_path):
    assert_refused(tmp_path, "outlines without a CRS", [box(300, 300)], None, "o.shp")


def test_points_and_repeated_glaciers_are_refused(tmp_path):
    assert_refused(tmp_path, "found Point; expected a polygon", [box(300, 300).centroid])
    assert_refused(
        tmp_path, "the identifier a second time", [box(300, 300), box(1500, 300)], name="d.gpkg", rgi_id=["G", "G"]
    )


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "o.shp"
    path.write_bytes(b"no shapefile")
    with pytest.raises(BadInput, match=r"o\.shp: found"):
        read_outlines([path], GRID)


def test_rasterized_counts_pixel_centres():
    burned = rasterized(gpd.GeoSeries([box(0, 0, 300)]), GRID)
    assert burned.sum() == 100
    assert np.argwhere(burned).max() == 9
