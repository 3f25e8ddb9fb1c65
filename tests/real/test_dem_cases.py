"""Pairs of DEMs as people have them, each with the answer that is right; all are made here, and small."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from catalog.reports import difference_summary
from pipeline.elevation_change.chain import elevation_change
from pipeline.elevation_change.dems import open_mosaic
from pipeline.elevation_change.pairing.pair_checks import notes_on_names
from schemas.settings import ElevationChangeSettings
from tests.made.awkward_dems import SECOND, Seen, Sunk, write
from tests.made.command_line import run

EARLIER = Seen(20.0, -15.0, seed=1)


def differenced(earlier, later, *, outlines=(), stable=None, exclude=(), **settings) -> dict:
    """What the command line would print as JSON, without the time that figures take."""
    result = elevation_change(
        earlier, later, ElevationChangeSettings(**settings), outlines=outlines, stable_mask=stable
    )
    return difference_summary(result)


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
        ("heights.txt", b"x y z\n86.5 43.3 3000\n86.6 43.3 3001\n", "gdal_translate -of GTiff -a_srs"),
    ],
)
def test_other_formats_are_named_with_the_command(tmp_path, name, content, said) -> None:
    one, _ = pair(tmp_path)
    odd = tmp_path / "odd" / name
    odd.parent.mkdir()
    odd.write_bytes(content)
    assert said in refused(odd, one)
    if name.endswith((".nc", ".sdat")):
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
    quiet = differenced(*pair(tmp_path))
    assert not [note for note in quiet["notes"] if "outlines" in note]


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
