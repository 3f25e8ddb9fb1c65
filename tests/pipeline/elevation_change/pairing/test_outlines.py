"""Glacier outlines: attribute names of several inventories, and what is refused with its record."""

from __future__ import annotations

import zipfile

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine

from pipeline.elevation_change.pairing import outlines
from pipeline.elevation_change.pairing.outlines import rasterized, read_outlines
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


INVENTORIES = {
    "RGI 7": ({"rgi_id": "RGI2000-v7.0-G-13-1", "glac_name": "No. 1", "src_date": "2000-08-20T00:00:00"}, "2000-08-20"),
    "RGI 6": ({"RGIId": "RGI60-13.1", "GLIMSId": "G086", "BgnDate": "19990920", "Name": "No. 1"}, "19990920"),
    "second Chinese": (
        {"Glc_Name": "No. 1", "FCGI_ID": "5Y730C29", "GLIMS_ID": "G086", "Rep_Date": "2006-09"},
        "2006-09",
    ),
    "first Chinese": ({"CGI_ID": "5Y730C29", "GLC_NAME": "No. 1", "GLC_DATE": "1964"}, "1964"),
    "GLIMS": ({"glac_id": "G086", "anlys_id": 7, "glac_name": "No. 1", "src_date": "2011-08-20"}, "2011-08-20"),
    "upper case": ({"RGI_ID": "RGI2000", "GLAC_NAME": "No. 1", "SRC_DATE": "2000-08-20"}, "2000-08-20"),
}


@pytest.mark.parametrize("inventory", INVENTORIES)
def test_attributes_of_the_inventories(tmp_path, inventory):
    attributes, date = INVENTORIES[inventory]
    path = save(tmp_path / "o.gpkg", [box(300, 300)], **{name: [value] for name, value in attributes.items()})
    found = read_outlines([path], GRID).iloc[0]
    expected = {"second Chinese": "G086"}.get(inventory, next(iter(attributes.values())))
    assert (found["glacier_id"], found["glacier_name"]) == (expected, "No. 1")
    assert found["date"].startswith(date)
    assert found["flags"] == ""


def test_attributes_that_are_missing_or_empty(tmp_path):
    """Glaciers without an identifier are named after their record; RGI 6 writes -9999999 for no date."""
    attributes = {"RGIId": ["G7", None, ""], "Name": [None, "B", None], "BgnDate": ["-9999999", "20009999", None]}
    path = save(tmp_path / "o.gpkg", [box(left, 300) for left in (300, 1100, 1900)], **attributes)
    found = read_outlines([path], GRID)
    assert found["glacier_id"].tolist() == ["G7", "outline-2", "outline-3"]
    assert found["glacier_name"].tolist() == ["", "B", ""]
    assert found["date"].tolist() == ["", "2000", ""]
    numbers = save(tmp_path / "n.gpkg", [box(300, 300), box(1100, 300)], id=[12.0, 3.0])
    assert read_outlines([numbers], GRID)["glacier_id"].tolist() == ["12", "3"]
    nothing = save(tmp_path / "x.shp", [box(300, 300), box(1100, 300)], other=[1, 2])
    assert read_outlines([nothing], GRID)["glacier_id"].tolist() == ["outline-1", "outline-2"]


def test_only_outlines_about_the_grid_are_read(tmp_path):
    """A whole region's inventory: an invalid outline far away is no concern, its record numbers still count."""
    bow = shapely.Polygon([(900_300, 4_799_000), (900_900, 4_799_600), (900_900, 4_799_000), (900_300, 4_799_600)])
    twisted = shapely.transform(bow, lambda points: points - (500_000, 0))
    for name in ("o.shp", "o.gpkg"):
        path = save(tmp_path / name, [bow, box(300, 300)], rgi_id=["far", "near"])
        assert read_outlines([path], GRID)["glacier_id"].tolist() == ["near"]
        path = save(tmp_path / f"t{name}", [bow, box(1500, 300), twisted], rgi_id=["far", "near", "twisted"])
        with pytest.raises(BadInput, match=rf"t{name}: record 3 \(twisted\): found Self-intersection"):
            read_outlines([path], GRID)


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
    assert_refused(
        tmp_path,
        r"o\.gpkg: record 2 \(G1\): found Self-intersection.* \(a repair changes 100 % of its area\)",
        [box(300, 300), bow],
    )


def with_loop(size):
    """A square with a loop of the given size, which its line crosses to make."""
    west, north = 400_300, 4_799_700
    ring = [(0, 0), (900, 0), (900, -900), (500, -900), (500 - size, -900 - size), (500, -900 - size)]
    ring += [(500 - size, -900), (0, -900)]
    return shapely.Polygon([(west + east, north + up) for east, up in ring])


def test_a_small_self_intersection_is_repaired_and_flagged(tmp_path):
    """A loop of 15 m in an outline of 900 m hardly matters; one of 300 m leaves open what was meant."""
    sound, small, large = box(300, 1500), with_loop(15), with_loop(300)
    assert not small.is_valid
    found = read_outlines([save(tmp_path / "s.gpkg", [sound, small], rgi_id=["A", "B"])], GRID)
    assert found["flags"].tolist() == ["", "outline repaired"]
    assert found.geometry.is_valid.all()
    assert found.area.tolist() == pytest.approx([600**2, 900**2], rel=1e-3)
    assert_refused(tmp_path, r"expected a valid polygon, or one that a repair changes by less than 0\.1 %", [large])


def test_a_hole_outside_its_shell_is_refused(tmp_path):
    odd = shapely.Polygon(box(300, 300).exterior.coords, [box(1800, 300).exterior.coords])
    assert_refused(tmp_path, r"record 1 \(G0\): found Hole lies outside shell", [odd])


def test_outlines_in_several_layers(tmp_path):
    """Points and tables beside the outlines do no harm; two layers of polygons leave open which one is meant."""
    path = tmp_path / "o.gpkg"
    gpd.GeoDataFrame({"n": [1]}, geometry=[box(300, 300).centroid], crs="EPSG:32645").to_file(path, layer="terminus")
    gpd.GeoDataFrame({"rgi_id": ["G"]}, geometry=[box(300, 300)], crs="EPSG:32645").to_file(path, layer="outlines")
    assert read_outlines([path], GRID)["glacier_id"].tolist() == ["G"]
    gpd.GeoDataFrame({"rgi_id": ["L"]}, geometry=[box(300, 300)], crs="EPSG:32645").to_file(path, layer="lakes")
    with pytest.raises(BadInput, match=r"o\.gpkg: found 2 layers of polygons \(outlines, lakes\); expected one"):
        read_outlines([path], GRID)


def test_outlines_with_heights_lie_flat(tmp_path):
    """RGI 7 stores its shapefiles with a third coordinate."""
    tall = shapely.force_3d(box(300, 300), 4000.0)
    found = read_outlines([save(tmp_path / "z.shp", [tall], rgi_id=["G"])], GRID)
    assert not found.geometry.has_z.any()


def test_an_outline_across_the_antimeridian(tmp_path):
    """Whether its longitudes jump there, go on beyond 180, or it is cut there, it is the same glacier."""
    grid = Grid("EPSG:32660", Affine(300, 0, 565_000, 0, -300, 7_900_000), (300, 320))
    latitudes = 70.4, 70.6
    shapes = {
        "jumps": shapely.box(-179.9, latitudes[0], 179.9, latitudes[1]),
        "goes on": shapely.box(179.9, latitudes[0], 180.1, latitudes[1]),
        "halves": shapely.MultiPolygon(
            [shapely.box(179.9, latitudes[0], 180, latitudes[1]), shapely.box(-180, latitudes[0], -179.9, latitudes[1])]
        ),
    }
    expected_km2 = 0.2 * 111.4 * np.cos(np.radians(70.5)) * 0.2 * 111.55
    for name, shape in shapes.items():
        frame = read_outlines([save(tmp_path / f"{name}.gpkg", [shape], "EPSG:4326", rgi_id=["G"])], grid)
        assert frame.area[0] / 1e6 == pytest.approx(expected_km2, rel=0.01), name
    half_the_world = save(tmp_path / "w.gpkg", [shapely.box(-179.0, 60, 10, 61)], "EPSG:4326", rgi_id=["G"])
    with pytest.raises(BadInput, match=r"record 1 \(G\): found an outline over 189\.0 degrees"):
        read_outlines([half_the_world], grid)


def test_a_glacier_across_the_edge_is_kept_whole(tmp_path):
    path = save(tmp_path / "o.gpkg", [box(-300, 300)], rgi_id=["G"])
    found = read_outlines([path], GRID)
    assert found.area.tolist() == pytest.approx([600**2])
    assert rasterized(found.geometry, GRID).sum() == 10 * 20


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


def test_a_glacier_smaller_than_a_pixel_has_the_pixel_whose_centre_it_holds():
    around, beside = box(28 * 30 + 12, 17 * 30 + 12, 6.0), box(40 * 30 + 1, 17 * 30 + 1, 6.0)
    assert np.argwhere(rasterized(gpd.GeoSeries([around, beside]), GRID)).tolist() == [[17, 28]]


def odd_shapes(draw, grid):
    """Ragged polygons, and squares and triangles whose edges run exactly through pixel centres."""
    width, height = grid.pixel_size
    shapes = []
    for _ in range(120):
        angle = np.sort(draw.uniform(0, 2 * np.pi, draw.integers(4, 60)))
        reach = draw.uniform(0.3, 1, angle.size) * draw.uniform(10, 900)
        east, north = grid.bounds[0] + draw.uniform(-300, 3800), grid.bounds[3] - draw.uniform(-300, 3300)
        shapes.append(shapely.Polygon(np.column_stack([east + reach * np.cos(angle), north + reach * np.sin(angle)])))
    for row, column in draw.integers(0, 80, (40, 2)).tolist():
        corners = [(0, 0), (20, 0), (20, 20), (0, 20)] if row % 2 else [(0, 0), (20, 20), (0, 40)]
        shapes.append(
            shapely.Polygon([
                (grid.transform.c + (column + right + 0.5) * width, grid.transform.f - (row + down + 0.5) * height)
                for right, down in corners
            ])
        )  # fmt: skip
    return gpd.GeoSeries(shapes)


def test_windows_together_are_the_whole():
    """Bit for bit, on an odd origin, for blocks of rows and for rectangles; and GDAL's own burning but for ties."""
    grid = Grid("EPSG:32645", Affine(29.7, 0, 400_000.13, 0, -30.3, 4_800_000.61), (100, 120))
    shapes = odd_shapes(np.random.default_rng(5), grid)
    whole = rasterized(shapes, grid)
    assert 0.3 < whole.mean() < 0.99
    for rows, columns in ((7, 120), (1, 120), (33, 41)):
        parts = np.zeros(grid.shape, bool)
        for top in range(0, 100, rows):
            for left in range(0, 120, columns):
                shape = (min(rows, 100 - top), min(columns, 120 - left))
                window = grid.window(top, left, shape)
                parts[top : top + shape[0], left : left + shape[1]] = rasterized(shapes, window)
        np.testing.assert_array_equal(parts, whole)
    ragged = shapes[:120]
    burned = rasterize(list(ragged), out_shape=grid.shape, transform=grid.transform).astype(bool)
    np.testing.assert_array_equal(rasterized(ragged, grid), burned)


def test_outlines_far_away_are_not_burned(monkeypatch):
    burned = []

    def recorded(shapes, **options):
        burned.append(len(shapes))
        return rasterize(shapes, **options)

    monkeypatch.setattr(outlines, "rasterize", recorded)
    shapes = gpd.GeoSeries([box(left, 300, 200) for left in range(0, 3600, 400)])
    assert rasterized(shapes, GRID.window(0, 0, (40, 20))).any()
    assert not rasterized(shapes, GRID.window(60, 0, (40, 20))).any()
    assert burned == [2]


def test_longitudes_from_0_to_360(tmp_path):
    grid = Grid("EPSG:32618", Affine(300, 0, 400_000, 0, -300, 8_000_000), (100, 120))
    west, south, east, north = grid.bounds_lonlat
    middle = (west + east) / 2 + 360, (south + north) / 2
    shape = shapely.Point(middle).buffer(0.1)
    frame = read_outlines([save(tmp_path / "o.gpkg", [shape], "EPSG:4326", rgi_id=["G"])], grid)
    assert frame.geometry.intersects(shapely.box(*grid.bounds)).all()


def test_a_layer_is_named(tmp_path):
    path = tmp_path / "o.gpkg"
    for layer, name in (("outlines_2000", "A"), ("outlines_2018", "B")):
        gpd.GeoDataFrame({"rgi_id": [name]}, geometry=[box(300, 300)], crs="EPSG:32645").to_file(path, layer=layer)
    assert read_outlines([path], GRID, ["Outlines_2018"])["glacier_id"].tolist() == ["B"]
    both = read_outlines([path, path], GRID, ["outlines_2000", "outlines_2018"])
    assert both["epoch"].tolist() == [0, 1]
    with pytest.raises(BadInput, match=r"no layer 'ice'; expected one of its layers: outlines_2000, outlines_2018"):
        read_outlines([path], GRID, ["ice"])
    with pytest.raises(BadInput, match="name the one that is meant with --layer"):
        read_outlines([path], GRID)
    with pytest.raises(BadInput, match="3 layers for 2 files"):
        read_outlines([path, path], GRID, ["a", "b", "c"])


def zipped(path, folder, prefix=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
        archive.writestr("__MACOSX/._o.shp", b"fork")
        archive.writestr("readme.pdf", b"paper")
    return path


@pytest.mark.parametrize("prefix", ["", "13_rgi60_CentralAsia/", "deep/er/"])
@pytest.mark.parametrize("suffix", ["shp", "gpkg", "geojson"])
def test_zipped_outlines(tmp_path, prefix, suffix):
    folder = tmp_path / "in"
    folder.mkdir()
    save(folder / f"o.{suffix}", gpd.GeoSeries([box(300, 300)], crs="EPSG:32645").to_crs(4326), 4326, RGIId=["G"])
    path = zipped(tmp_path / "o.zip", folder, prefix)
    frame = read_outlines([path], GRID)
    assert frame["glacier_id"].tolist() == ["G"]
    assert frame.area[0] == pytest.approx(600**2, rel=1e-3)


def test_a_zip_without_shapes_is_refused(tmp_path):
    (tmp_path / "in").mkdir()
    with pytest.raises(BadInput, match=r"an archive without shapes; expected members ending in \.shp"):
        read_outlines([zipped(tmp_path / "o.zip", tmp_path / "in")], GRID)


NAME = "天山乌鲁木齐河源一号冰川"


@pytest.mark.parametrize(
    ("encoding", "name", "noted"),
    [("GBK", NAME, True), ("UTF-8", NAME, True), ("ISO-8859-1", "Østre Brøgger", False), ("ascii", "No. 1", False)],
)
def test_texts_of_shapefiles_without_an_encoding(tmp_path, encoding, name, noted):
    """The table is written as old programs do: no .cpg, and no code page in its header."""
    frame = gpd.GeoDataFrame({"RGIId": ["G"], "Name": [name]}, geometry=[box(300, 300)], crs="EPSG:32645")
    pyogrio.write_dataframe(frame, tmp_path / "o.shp", encoding=encoding)
    (tmp_path / "o.cpg").unlink(missing_ok=True)
    table = bytearray((tmp_path / "o.dbf").read_bytes())
    table[29] = 0
    (tmp_path / "o.dbf").write_bytes(table)
    notes = []
    assert read_outlines([tmp_path / "o.shp"], GRID, (), notes)["glacier_name"].tolist() == [name]
    assert len(notes) == noted
    assert not noted or f"read as {'GB18030' if encoding == 'GBK' else encoding}" in notes[0]


def test_line_types_of_glims(tmp_path):
    """Rock is a hole, debris stays a part of the glacier, a lake beside it is none."""
    shapes = [box(300, 300), box(450, 450, 150), box(600, 600, 150), box(950, 300, 150)]
    kinds = ["glac_bound", "intrnl_rock", "debris_cov", "pro_lake"]
    path = save(tmp_path / "glims.shp", shapes, glac_id=["G"] * 4, line_type=kinds)
    notes = []
    frame = read_outlines([path], GRID, (), notes)
    assert frame["glacier_id"].tolist() == ["G"]
    assert frame.area[0] == pytest.approx(600**2 - 150**2)
    assert any("1 outlines of rock" in note for note in notes)
    assert any("2 shapes" in note and "debris_cov, pro_lake" in note for note in notes)


def test_epochs_within_a_file(tmp_path):
    shapes = [box(300, 300), box(1500, 300), box(300, 300, 500), box(1500, 300, 500)]
    dates = ["19990920", "20029999", "2013-08-01", "2014-09-09"]
    path = save(tmp_path / "o.gpkg", shapes, glac_id=["A", "B", "A", "B"], src_date=dates)
    frame = read_outlines([path], GRID)
    assert frame[["glacier_id", "epoch"]].to_numpy().tolist() == [["A", 0], ["A", 1], ["B", 0], ["B", 1]]
    path = save(tmp_path / "t.gpkg", shapes, glac_id=["A", "B", "A", "B"], src_date=["2000"] * 4)
    with pytest.raises(BadInput, match=r"record 3 \(A\): found the identifier a second time"):
        read_outlines([path], GRID)


def test_inventories_of_two_naming_systems_are_linked_by_overlap(tmp_path):
    first = save(tmp_path / "a.gpkg", [box(300, 300), box(1500, 300)], GLC_CODE=["5Y1", "5Y2"])
    # the first glacier fell into two parts, a third was not there before
    second = save(
        tmp_path / "b.gpkg",
        [box(300, 300, 200), box(700, 700, 190), box(1500, 300, 550), box(2400, 300)],
        FCGI_ID=["G1", "G2", "G3", "G4"],
    )
    notes = []
    frame = read_outlines([first, second], GRID, (), notes)
    assert frame[["glacier_id", "epoch"]].to_numpy().tolist() == [
        ["5Y1", 0],
        ["5Y1", 1],
        ["5Y2", 0],
        ["5Y2", 1],
        ["G4", 1],
    ]
    parts = frame[(frame["glacier_id"] == "5Y1") & (frame["epoch"] == 1)].iloc[0]
    assert parts.geometry.area == pytest.approx(200**2 + 190**2)
    assert parts["flags"] == "G1 linked by overlap;G2 linked by overlap"
    assert notes == [
        "3 outlines of epoch 2 bear other names than those of the epoch before and are linked to them by overlap"
    ]
