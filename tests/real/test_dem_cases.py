"""Pairs of DEMs as people have them, each with the answer that is right; all are made here, and small."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from pyproj import Transformer
from rasterio.transform import Affine
from shapely import affinity

from catalog.reports import difference_summary
from pipeline.elevation_change.chain import elevation_change
from pipeline.elevation_change.dems import missing_tiles, open_mosaic, read_pixels, require_coverage, tile_contents
from pipeline.elevation_change.pairing.gridded_dem import gridded
from pipeline.elevation_change.pairing.masks import UserMasks, unsuitable_ground
from pipeline.elevation_change.pairing.pair_checks import notes_on_names
from pipeline.elevation_change.pairing.target_grid import target_grid
from pipeline.elevation_change.result import STABLE, ElevationChange
from pipeline.inputs.sidecars import sidecars
from pipeline.longitudes import gathered
from pipeline.resources import open_resources
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from tests.made.awkward_dems import SECOND, Seen, Sunk, relief, write
from tests.made.command_line import run

EARLIER = Seen(20.0, -15.0, seed=1)


def changed(earlier, later, *, outlines=(), layers=(), stable=None, exclude=(), **settings) -> ElevationChange:
    return elevation_change(
        earlier,
        later,
        ElevationChangeSettings(**settings),
        outlines=outlines,
        layers=layers,
        stable_mask=stable,
        exclude=exclude,
    )


def differenced(earlier, later, **options) -> dict:
    """What the command line would print as JSON, without the time that figures take."""
    return difference_summary(changed(earlier, later, **options))


def refused(*arguments) -> str:
    """What the command line says of a pair that cannot be used."""
    with tempfile.TemporaryDirectory() as folder:
        done = run("difference", *arguments, "--out", Path(folder) / "out", "-q")
    assert done.code == 2, done.out
    assert "Traceback" not in done.err
    return done.err


def pair(tmp_path: Path, names=("one.tif", "two.tif"), sunk: tuple[Sunk, ...] = ()) -> tuple[Path, Path]:
    """Two DEMs of one place in the Tianshan."""
    place = {"west": 86.5, "north": 43.3, "pixel": (3 * SECOND, 3 * SECOND), "shape": (100, 120)}
    return (
        write(tmp_path / names[0], EARLIER, **place),
        write(tmp_path / names[1], Seen(sunk=sunk, seed=2), **place),
    )


@pytest.mark.slow
def test_stated_dates_count_before_names(tmp_path) -> None:
    one, two = pair(tmp_path, ("Copernicus_DSM_2012.tif", "pleiades_2018_srtm_align.tif"))
    summary = differenced(one, two)
    assert summary["vertical_datum"]["earlier"] == summary["vertical_datum"]["later"] == "not stated"
    whole = ("Copernicus_DSM_COG_10_N43_00_E086_00_DEM.tif", "n43_e086_3arc_v2.tif")
    one, two = pair(tmp_path, whole)
    assert "swap the DEMs" in refused(one, two)
    datums = {"vertical_datum_earlier": "EPSG:3855", "vertical_datum_later": "EPSG:3855"}
    differenced(one, two, earlier_date="1999-01-01", later_date="2000-02-16", **datums)


@pytest.mark.parametrize(
    ("name", "datum"),
    [
        ("AST_20120815_nuth_to_srtm.tif", None),
        ("output_SRTMGL1_E.tif", "EPSG:4979"),
        ("my_fabdem_cut.tif", None),
        ("ASTGTMV003_N43E086_dem.tif", "EPSG:5773"),
        ("ALPSMLC30_N043E086_DSM.tif", "EPSG:5773"),
        ("TDM1_DEM__30_N43E086_DEM.tif", "EPSG:4979"),
        ("SETSM_s2s041_WV01_20160504_102001004C_102001004D_2m_seg1_dem.tif", "EPSG:4979"),
        ("HMA_DEM8m_AT_20101231_0458_102001000F_102001001.tif", "EPSG:4979"),
        ("N43E086_FABDEM_V1-2.tif", "EPSG:3855"),
    ],
)
def test_datums_of_names(tmp_path, name, datum) -> None:
    one, _ = pair(tmp_path, (name, "two.tif"))
    mosaic = open_mosaic(one, "earlier")
    assert mosaic.vertical_datum == datum
    notes = notes_on_names(mosaic)
    assert len(notes) == (datum is not None)
    assert all(datum in note and name in note and datum in note.cn for note in notes)
    assert notes_on_names(open_mosaic(one, "earlier", "EPSG:3855")) == ()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("heights.nc", b"CDF\x01", 'gdal_translate -of GTiff NETCDF:"'),
        ("heights.dat", b"\x89HDF\r\n\x1a\n", "a netCDF or HDF5 file"),
        ("heights.sdat", b"", "a SAGA file"),
        ("heights.sgrd", b"NAME\t= x", ".sdat heights.tif"),
        ("heights.xyz", b"86.5 43.3 3000\n86.6 43.3 3001\n", "a XYZ file"),
        ("rasters_SRTMGL1.tar.gz", b"", "unpack it first"),
        ("heights.7z", b"7z", "unpack it first"),
        ("heights.txt", b"x y z\n86.5 43.3 3000\n86.6 43.3 3001\n", "gdal_translate -of GTiff -a_srs"),
    ],
)
def test_other_formats_are_named_with_the_command(tmp_path, name, content, said) -> None:
    one, _ = pair(tmp_path)
    odd = tmp_path / "odd" / name
    odd.parent.mkdir()
    odd.write_bytes(content)
    assert said in refused(odd, one)
    if name.endswith((".nc", ".sdat", ".7z")):
        assert said in refused(one, odd.parent)


@pytest.mark.parametrize(
    ("address", "how"),
    [
        ("https://example.org/a/dem.tif", "curl -fLO https://example.org/a/dem.tif"),
        ("http://example.org/dem.tif", "curl -fLO http://example.org/dem.tif"),
        ("s3://bucket/dem.tif", "aws s3 cp s3://bucket/dem.tif ."),
        ("/vsicurl/https://example.org/dem.tif", "curl -fLO https://example.org/dem.tif"),
        ("/vsis3/bucket/dem.tif", "aws s3 cp s3://bucket/dem.tif ."),
    ],
)
def test_the_web_is_not_read(tmp_path, address, how) -> None:
    one, two = pair(tmp_path)
    for arguments in (
        (address, one),
        (one, address),
        (one, two, "--glaciers", address),
        (one, two, "--stable", address),
    ):
        said = refused(*arguments)
        assert "nothing here asks the web" in said
        assert how in said


def test_glaciers_nobody_outlined_are_told_of(tmp_path) -> None:
    # relief of 10 to 30 degrees; a lens of 12 m sank away over 0.8 km2
    lens = Sunk(86.55, 43.26, 500.0, 12.0)
    one, two = pair(tmp_path, sunk=(lens,))
    summary = differenced(one, two)
    (note,) = [note for note in summary["notes"] if "no glacier outlines are given" in note]
    assert "glaciers count as stable terrain" in note
    assert "km2 of" in note
    # where nothing moved, the note says no more than that outlines are missing
    quiet = differenced(*pair(tmp_path))
    (note,) = [note for note in quiet["notes"] if "outlines" in note]
    assert "km2" not in note


@pytest.mark.slow
def test_a_folder_of_tiles_and_what_comes_with_them(tmp_path) -> None:
    one, two = pair(tmp_path, ("tiles/one.tif", "two.tif"))
    for name in ("N43E086.SRTMSWBD.raw.zip", "N43E086.SRTMGL1N.num.zip", "outlines.zip"):
        with zipfile.ZipFile(tmp_path / "tiles" / name, "w") as archive:
            archive.writestr("N43E086.raw", b"\0" * 10)
    (tmp_path / "tiles" / "._one.tif").write_bytes(b"Mac OS X")
    summary = differenced(tmp_path / "tiles", two)
    alone = differenced(one, two)
    assert summary["shift_m"] == alone["shift_m"]


def test_products_in_folders_of_their_own(tmp_path) -> None:
    name = "Copernicus_DSM_COG_30_N43_00_E086_00_DEM"
    one, _ = pair(tmp_path, ("one.tif", f"all/{name}/DEM/{name}.tif"))
    (tmp_path / "all" / name / "PREVIEW").mkdir()
    write(
        tmp_path / "all" / name / "PREVIEW" / "browse.tif",
        Seen(),
        west=86.5,
        north=43.3,
        pixel=(0.01, 0.01),
        shape=(9, 9),
    )
    summary = differenced(one, tmp_path / "all")
    assert summary["vertical_datum"]["later"] == "EPSG:3855"
    assert np.hypot(summary["shift_m"]["east"] + 20, summary["shift_m"]["north"] - 15) < 3


# --- outlines and masks as people have them ---------------------------------------------------------------------------

LENS = Sunk(86.55, 43.26, 500.0, 12.0)
LENS_KM2 = np.pi * 0.5**2


def shapes_about(longitude: float, latitude: float, *radii_m: float) -> gpd.GeoSeries:
    """Discs about a place, in degrees."""
    middle = gpd.GeoSeries([shapely.Point(longitude, latitude)], crs=4326).to_crs(32645)
    return gpd.GeoSeries([middle[0].buffer(radius) for radius in radii_m], crs=32645).to_crs(4326)


def saved(path: Path, shapes: gpd.GeoSeries, **columns) -> Path:
    gpd.GeoDataFrame(columns, geometry=list(shapes), crs=shapes.crs).to_file(path)
    return path


def test_one_glacier_under_two_names_counts_once(tmp_path) -> None:
    one, two = pair(tmp_path, sunk=(LENS,))
    first = saved(tmp_path / "first.shp", shapes_about(86.55, 43.26, 500), GLC_CODE=["5Y730"])
    second = saved(tmp_path / "second.gpkg", shapes_about(86.55, 43.26, 450), FCGI_ID=["G086"])
    result = changed(one, two, outlines=[first, second])
    assert result.tables["glaciers"]["glacier_id"].tolist() == ["5Y730"]
    assert result.totals.area_km2 == pytest.approx(LENS_KM2, rel=0.01)
    assert result.totals.mean_dh_m == pytest.approx(-12, abs=0.7)
    assert any("linked to them by overlap" in note and note.cn for note in result.notes)


def test_ground_that_two_outlines_share_counts_once(tmp_path) -> None:
    one, two = pair(tmp_path, sunk=(LENS,))
    discs = shapes_about(86.55, 43.26, 500, 400)
    both = saved(tmp_path / "both.gpkg", discs, rgi_id=["A", "B"])
    result = changed(one, two, outlines=[both])
    areas = result.tables["glaciers"].set_index("glacier_id")["area_km2"]
    assert result.totals.area_km2 == pytest.approx(LENS_KM2, rel=0.01)
    assert areas["B"] == pytest.approx(np.pi * 0.4**2, rel=0.01)
    assert areas["A"] == pytest.approx(LENS_KM2 - np.pi * 0.4**2, rel=0.01)
    assert result.totals.volume_change_m3 == pytest.approx(-12 * LENS_KM2 * 1e6, rel=0.06)
    assert "shares ground with B" in result.tables["glaciers"]["flags"][0]
    assert any("overlap others of the same epoch" in note for note in result.notes)


def test_a_divide_that_moved_changes_no_sum(tmp_path) -> None:
    one, two = pair(tmp_path, sunk=(LENS,))
    disc = shapes_about(86.55, 43.26, 500).to_crs(32645)[0]
    west, south, east, north = disc.bounds
    epochs = []
    for number, divide in enumerate((west + 400, west + 550)):
        halves = [disc & shapely.box(west, south, divide, north), disc & shapely.box(divide, south, east, north)]
        shapes = gpd.GeoSeries(halves, crs=32645)
        epochs.append(saved(tmp_path / f"{number}.gpkg", shapes, rgi_id=["A", "B"]))
    result = changed(one, two, outlines=epochs)
    assert result.totals.area_km2 == pytest.approx(LENS_KM2, rel=0.01)
    table = result.tables["glaciers"].set_index("glacier_id")
    # the newer divide counts
    newer = gpd.read_file(epochs[1]).set_index("rgi_id").area / 1e6
    assert table["area_km2"].to_dict() == pytest.approx(newer.to_dict(), rel=1e-6)
    assert not table["flags"].str.contains("shares").any()


@pytest.mark.parametrize("form", ["geojson", "gpkg", "shp", "zip", "tif"])
def test_masks_are_shapes_or_rasters(tmp_path, form) -> None:
    """Half of the ground is left out; what is stable, and what is excluded, are two ways to say so."""
    one, _ = pair(tmp_path)
    half = gpd.GeoSeries([shapely.box(86.5, 43.0, 86.55, 43.5)], crs=4326)
    if form == "zip":
        saved(tmp_path / "half.shp", half)
        with zipfile.ZipFile(tmp_path / "half.zip", "w") as archive:
            for file in tmp_path.glob("half.*"):
                if file.suffix != ".zip":
                    archive.write(file, f"folder/{file.name}")
    elif form == "tif":
        with rasterio.open(one) as source:
            profile = {**source.profile, "dtype": "uint8", "nodata": 255}
        inside = np.broadcast_to(np.arange(120) < 60, (100, 120)).astype(np.uint8)
        with rasterio.open(tmp_path / "half.tif", "w", **profile) as target:
            target.write(inside, 1)
    else:
        saved(tmp_path / f"half.{form}", half)
    mask = tmp_path / f"half.{form}"
    for masks, left_out in ((UserMasks(stable=mask), [False, True]), (UserMasks(exclude=(mask,)), [True, False])):
        notes, unsuitable = unsuitable_about(one, masks)
        halves = unsuitable[:, :55], unsuitable[:, 65:]
        assert [bool(half.all()) for half in halves] == left_out
        assert [bool(half.any()) for half in halves] == left_out
        assert notes == []


def unsuitable_about(dem: Path, masks: UserMasks) -> tuple[list[str], np.ndarray]:
    grid = open_mosaic(dem, "later").grid()
    notes: list[str] = []
    with open_resources() as resources:
        return notes, np.asarray(unsuitable_ground(None, masks, grid, (90.0, 0.002), resources, notes)) > 0


def test_rivers_are_lines_with_a_width(tmp_path) -> None:
    one, two = pair(tmp_path)
    river = gpd.GeoSeries([shapely.LineString([(86.55, 43.0), (86.55, 43.5)])], crs=4326)
    rivers = saved(tmp_path / "rivers.geojson", river)
    nowhere = saved(tmp_path / "far.geojson", gpd.GeoSeries([shapely.box(10, 40, 11, 41)], crs=4326))
    result = changed(one, two, exclude=[rivers, nowhere])
    excluded = np.asarray(result.classification)[10:-10, 10:-10] != STABLE
    # 90 m to either side, of pixels of 90 m
    assert 2 <= np.median(excluded.sum(axis=1)) <= 4
    assert any("90 m wide to either side" in note for note in result.notes)
    assert any("nothing of it lies within" in note for note in result.notes)


# --- the antimeridian, other turns of longitude, polar projections ----------------------------------------------------


def across_180(folder: Path, seen: Seen, form: str, latitude: float = 65.0) -> Path:
    """A DEM 10 km wide over the antimeridian, in one of the forms in which such come."""
    degrees = {"north": latitude + 0.04, "pixel": (6 * SECOND, 3 * SECOND)}
    if form == "two tiles":
        write(folder / "east.tif", seen, west=179.9, shape=(96, 60), **degrees)
        write(folder / "west.tif", seen, west=-180.0, shape=(96, 60), **degrees)
        return folder
    if form in ("beyond 180", "below -180"):
        west = 179.9 if form == "beyond 180" else -180.1
        return write(folder / "one.tif", seen, west=west, shape=(96, 120), **degrees)
    crs = "EPSG:3413" if latitude > 0 else "EPSG:3031"
    east, north = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(180.0, latitude)
    corner = {"west": round(east - 4500, -2), "north": round(north + 4500, -2)}
    return write(folder / "polar.tif", seen, crs=crs, pixel=(90.0, 90.0), shape=(100, 100), **corner)


FORMS = ["two tiles", "beyond 180", "below -180", "polar"]


@pytest.mark.parametrize(
    ("earlier", "later", "latitude"),
    [
        ("two tiles", "beyond 180", 65.0),
        pytest.param("polar", "polar", 65.0, marks=pytest.mark.slow),
        ("polar", "two tiles", 70.0),
        pytest.param("below -180", "two tiles", 65.0, marks=pytest.mark.slow),
        pytest.param("polar", "polar", -72.0, marks=pytest.mark.slow),
        pytest.param("two tiles", "polar", -72.0, marks=pytest.mark.slow),
    ],
)
def test_across_the_antimeridian(tmp_path, earlier, later, latitude) -> None:
    lens = Sunk(180.0, latitude, 900.0, 12.0)
    one = across_180(tmp_path / "a", EARLIER, earlier, latitude)
    two = across_180(tmp_path / "b", Seen(sunk=(lens,), seed=2), later, latitude)
    # cut at 180 degrees, as inventories are
    radius = np.degrees(900.0 / 6_371_000.0)
    disc = affinity.scale(shapely.Point(180, latitude).buffer(radius, 64), 1 / np.cos(np.radians(latitude)), 1)
    beyond = affinity.translate(disc & shapely.box(180, -90, 190, 90), -360)
    halves = shapely.MultiPolygon([disc & shapely.box(170, -90, 180, 90), beyond])
    outlines = saved(tmp_path / "glacier.gpkg", gpd.GeoSeries([halves], crs=4326), rgi_id=["G"])
    result = changed(one, two, outlines=[outlines])
    assert min(result.grid.shape) > 50
    assert result.dh_m.shape[0] * result.dh_m.shape[1] < 60_000
    assert result.totals.area_km2 == pytest.approx(np.pi * 0.9**2, rel=0.06)
    assert result.totals.observed_share > 0.93  # the rim of the lens is a step, which is set aside as a blunder
    assert result.totals.mean_dh_m == pytest.approx(-12, abs=0.8)
    assert np.isfinite(np.asarray(result.dh_m)).mean() > 0.6
    moved = np.hypot(result.shift_m.east, result.shift_m.north)
    assert moved == pytest.approx(np.hypot(20, 15), abs=3)
    assert abs(result.shift_native_pixels.columns) < 5


def test_longitudes_from_0_to_360(tmp_path) -> None:
    place = {"north": 43.3, "pixel": (3 * SECOND, 3 * SECOND), "shape": (100, 120)}
    one = write(tmp_path / "one.tif", EARLIER, west=266.0, **place)
    two = write(tmp_path / "two.tif", Seen(seed=2), west=-94.0, **place)
    summary = differenced(one, two)
    assert summary["shift_m"]["east"] == pytest.approx(-20, abs=2)
    assert summary["shift_m"]["north"] == pytest.approx(15, abs=2)


@pytest.mark.parametrize(
    ("spans", "turns", "crossing"),
    [
        ([(86, 87)], [0], False),
        ([(0, 360)], [0], False),
        ([(-180, 180)], [0], False),
        ([(179, 180), (-180, -179)], [0, 360], True),
        ([(179, 180.001), (-180.001, -179)], [0, 360], True),
        ([(359, 360), (0, 1)], [-360, 0], False),
        ([(170, 190)], [0], True),
        ([(-190, -170)], [360], True),
        ([(300, 301), (299, 300)], [-360, -360], False),
    ],
)
def test_spans_of_longitude_are_gathered(spans, turns, crossing) -> None:
    assert gathered(spans) == ([float(turn) for turn in turns], crossing)


# --- tiles of one DEM with other pixels -------------------------------------------------------------------------------


def copernicus(folder: Path, seen: Seen, corner: tuple[int, int], seconds: tuple[float, float], **place) -> Path:
    """A part of a Copernicus tile, its posts so many arc seconds apart; 10 of GLO-30, 30 of GLO-90."""
    edition = 10 if seconds[1] == 1 else 30
    name = f"Copernicus_DSM_COG_{edition}_N{corner[1]:02d}_00_E{corner[0]:03d}_00_DEM.tif"
    return write(folder / name, seen, pixel=(seconds[0] * SECOND, seconds[1] * SECOND), **place)


def test_bands_of_latitude_are_one_dem(tmp_path) -> None:
    """Beyond 50 degrees the pixels are half as wide again; what lies on either side is compared alike."""
    seen = Seen(seed=2)
    copernicus(tmp_path / "later", seen, (86, 49), (3, 3), west=86.5, north=50.0, shape=(60, 150))
    copernicus(tmp_path / "later", seen, (86, 50), (4.5, 3), west=86.5, north=50.05, shape=(60, 100))
    one = write(tmp_path / "one.tif", EARLIER, west=86.5, north=50.05, pixel=(3 * SECOND, 3 * SECOND), shape=(120, 150))
    result = changed(one, tmp_path / "later", vertical_datum_earlier="EPSG:3855")
    assert result.shift_m.east == pytest.approx(-20, abs=2)
    assert result.shift_m.north == pytest.approx(15, abs=2)
    dh = np.asarray(result.dh_m)[5:-5, 12:-12]
    assert np.isfinite(dh).mean() > 0.98
    north, south = dh[: dh.shape[0] // 2], dh[dh.shape[0] // 2 :]
    assert abs(np.nanmean(north) - np.nanmean(south)) < 0.3
    assert any("tiles of other pixels fill" in note and note.cn for note in result.notes)


def test_glo_90_stands_for_a_tile_of_glo_30(tmp_path) -> None:
    seen = Seen(seed=2)
    copernicus(tmp_path, seen, (86, 43), (1, 1), west=86.95, north=43.3, shape=(180, 180))
    copernicus(tmp_path, seen, (87, 43), (3, 3), west=87.0, north=43.3, shape=(60, 60))
    dem = open_mosaic(tmp_path, "later")
    assert (dem.nominal_resolution_m, len(dem.tiles), len(dem.every_tile)) == (30, 1, 2)
    assert dem.vertical_datum == "EPSG:3855"
    require_coverage(dem, (86.95, 43.25, 87.05, 43.3))
    grid = target_grid(dem, dem, ElevationChangeSettings())
    heights = np.asarray(gridded(dem, grid, "bilinear"))
    east, north = np.meshgrid(*grid.centres())
    truth = relief(*Transformer.from_crs(grid.crs, "EPSG:4326", always_xy=True).transform(east, north))
    off = heights - truth
    assert np.isfinite(off[10:-10, 10:-10]).mean() > 0.98
    assert np.nanstd(off[:, : off.shape[1] // 2 - 5]) < 1
    assert np.nanstd(off[:, off.shape[1] // 2 + 5 :]) < 6
    assert missing_tiles(dem, grid) == ()


def test_tiles_of_different_products_are_no_dem(tmp_path) -> None:
    copernicus(tmp_path, Seen(), (86, 43), (3, 3), west=86.9, north=43.3, shape=(60, 60))
    write(tmp_path / "N43E087_FABDEM_V1-2.tif", Seen(), west=87.0, north=43.3, pixel=(SECOND, SECOND), shape=(60, 60))
    with pytest.raises(BadInput, match="pixel size"):
        open_mosaic(tmp_path, "later")


# --- masks of pixels that were filled from elsewhere ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dem", "mask", "own", "foreign"),
    [
        ("Copernicus_DSM_COG_30_N43_00_E086_00_DEM.tif", "Copernicus_DSM_COG_30_N43_00_E086_00_FLM.tif", 2, 9),
        ("ASTGTMV003_N43E086_dem.tif", "ASTGTMV003_N43E086_num.tif", 12, -1),
        ("N43E086.hgt", "N43E086.num", 205, 140),
        ("n43e086.hgt", "n43e086.num", 3, 120),
        ("N43E086.SRTMGL3.hgt.zip", "N43E086.SRTMGL3N.num.zip", 210, 31),
        ("NASADEM_HGT_n43e086.zip", "NASADEM_HGT_n43e086.zip", 0, 45),
    ],
)
def test_filled_pixels_are_voids(tmp_path, dem, mask, own, foreign) -> None:
    """The first third of the tile was filled from another DEM; its mask says so."""
    side = 1201 if "hgt" in dem.lower() else 90
    filled = np.zeros((side, side), bool)
    filled[: side // 3] = True
    codes = np.where(filled, foreign, own)
    heights = np.add.outer(np.arange(side), np.arange(side)) % 3000 + 500
    if side == 90:
        place = {"crs": 4326, "transform": Affine(1 / 1200, 0, 86.1, 0, -1 / 1200, 43.9)}
        for name, values, kind in ((dem, heights, "float32"), (mask, codes, "int16")):
            profile = {"driver": "GTiff", "height": side, "width": side, "count": 1, "dtype": kind, **place}
            with rasterio.open(tmp_path / name, "w", **profile) as target:
                target.write(values.astype(kind), 1)
    else:
        tile = "n43e086" if "n43e086" in dem else "N43E086"
        contents = {f"{tile}.hgt": heights.astype(">i2").tobytes(), f"{tile}.num": codes.astype("uint8").tobytes()}
        for name, member in ((dem, f"{tile}.hgt"), (mask, f"{tile}.num")):
            if name.endswith(".zip"):
                with zipfile.ZipFile(tmp_path / name, "a") as archive:
                    archive.writestr(member, contents[member])
            else:
                (tmp_path / name).write_bytes(contents[member])
    for source in (tmp_path / dem, tmp_path):
        mosaic = open_mosaic(source, "earlier")
        assert len(mosaic.tiles) == 1
        np.testing.assert_array_equal(np.isnan(read_pixels(mosaic, (0, 0), (side, side))), filled)
    (content,) = tile_contents(mosaic)
    assert any("come from other data" in note and note.cn for note in content.notes)
    if mask != dem:
        assert [path.name for path in sidecars(tmp_path / dem)] == [mask]


def test_a_mask_of_another_size_is_refused(tmp_path) -> None:
    (tmp_path / "N43E086.hgt").write_bytes(np.ones((1201, 1201), ">i2").tobytes())
    (tmp_path / "N43E086.num").write_bytes(b"\xcd" * 100)
    with pytest.raises(BadInput, match="a mask of 100 pixels; expected 1201 x 1201"):
        read_pixels(open_mosaic(tmp_path / "N43E086.hgt", "earlier"), (0, 0), (5, 5))
