"""The command line: its JSON, its exit codes, and one clear line for every kind of bad input."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import tomllib

import geopandas as gpd
import numpy as np
import pytest
import shapely
import typer

import cli
from tests.made.command_line import run
from tests.made.field_workbook import sheets, write_workbook
from tests.made.synthetic_pairs import fractal, write_dem
from tests.root import ROOT

SHAPE = (160, 200)


@pytest.fixture(scope="module")
def dems(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dems")
    earlier = write_dem(folder / "earlier.tif", fractal(SHAPE, shift=(0.3, 0.2)) - 1)
    return earlier, write_dem(folder / "later.tif", fractal(SHAPE))


def outlines(path, left=60, top=60, crs="EPSG:32645", geometry=None):
    west, north = 400_000 + left * 30, 4_800_000 - top * 30
    shape = geometry or shapely.box(west, north - 900, west + 900, north)
    gpd.GeoDataFrame({"rgi_id": ["G1"]}, geometry=[shape], crs=crs).to_file(path)
    return path


def test_difference_prints_one_json_object_as_the_contract_says(dems, tmp_path):
    done = run("difference", *dems, "--glaciers", outlines(tmp_path / "g.gpkg"), "--out", tmp_path / "x", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert set(found["shift_m"]) == {"east", "north", "up"}
    assert found["shift_m"]["east"] / 30 == pytest.approx(-0.3, abs=0.01)
    for step in ("before", "after_coregistration", "after"):
        assert {"mean_m", "median_m", "std_m", "nmad_m", "rmse_m", "le90_m"} <= set(found["stable_terrain"][step])
    assert found["stable_terrain"]["count"] > 1000
    assert {"count", "area_km2", "mean_dh_m", "sigma_mean_dh_m", "volume_change_m3"} <= set(found["glaciers"])
    assert "curvature_correction" in found
    for path in found["outputs"].values():
        assert (tmp_path / "x").exists(), path
    assert (tmp_path / "x" / "elevation_change.tif").is_file()


def test_difference_prints_a_table_for_people(dems, tmp_path):
    done = run("difference", *dems, "--out", tmp_path / "x")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("Elevation change. Tests: ")
    assert "Shift east, north, up" in done.out
    assert "Off-glacier NMAD" in done.out
    assert "To do: no glacier outlines are given" in done.out
    assert lines[-1].startswith(f"Open {tmp_path / 'x' / 'report.html'}: ")
    assert max(len(line.rstrip()) for line in lines if str(tmp_path) not in line) <= 80


@pytest.mark.slow
def test_a_run_from_the_settings_of_another_replaces_it_with_the_same_bytes(dems, tmp_path):
    kept = tmp_path / "kept.toml"
    asked = ("--no-curvature", "--no-figures", "--remove-tilt", "--date-earlier", "2001", "--max-shift", "200")
    for arguments in (asked, ("--settings", kept)):
        done = run("difference", *dems, "--out", tmp_path / "x", *arguments)
        assert done.code == 0, done.err
        written = {path.name: path.read_bytes() for path in (tmp_path / "x").rglob("*") if path.is_file()}
        if arguments is asked:
            first = written
            kept.write_bytes(written["settings.toml"])
    assert written == first
    settings = tomllib.loads(kept.read_text(encoding="utf-8"))
    assert settings["settings"]["earlier_date"] == "2001-07-02"
    # a year in which every day is as likely: its length over the root of 12
    assert settings["settings"]["sigma_earlier_date_years"] == pytest.approx(1 / 12**0.5, abs=0.001)
    assert settings["run"]["figures"] is False


def test_balance_prints_years_as_the_contract_says(tmp_path):
    book = write_workbook(tmp_path / "field.xlsx", sheets())
    done = run("balance", book, "--out", tmp_path / "x", "--json")
    assert done.code == 0, done.err
    year = json.loads(done.out)["years"][0]
    assert {
        "year", "annual_balance_m_we", "winter_balance_m_we", "summer_balance_m_we", "sigma_annual_m_we", "ela_m",
        "sigma_ela_m", "ela_position", "aar", "sigma_aar", "area_km2", "by_method", "flags",
    } <= set(year)  # fmt: skip
    assert (tmp_path / "x" / "tables" / "point_balances.csv").is_file()
    stake = next(point for point in json.loads(done.out)["points"] if point["point_id"] == "1")
    # 230 - 50 cm of ice at 900 kg m-3
    assert stake["balance_m_we"] == pytest.approx(-1.62)
    assert (stake["begin_date"], stake["bound"]) == ("2003-08-27", "=")


def change(sheet, row, column, value):
    tables = sheets()
    tables[sheet][row][column] = value
    return tables


def without(sheet):
    tables = sheets()
    del tables[sheet]
    return tables


BAD_WORKBOOKS = {
    "missing sheet": (without("stakes"), "stakes"),
    "text in a number column": (change("readings", 1, 3, "fifty"), r"sheet readings: cell D2: found 'fifty'"),
    "stake without position": (change("stakes", 2, 1, None), r"sheet stakes: "),
    "negative density": (change("pit_layers", 1, 4, -380), r"sheet pit_layers: cell E2: found -380"),
}


@pytest.mark.parametrize("kind", BAD_WORKBOOKS)
def test_a_bad_workbook_ends_in_clear_lines_and_leaves_nothing(kind, tmp_path):
    tables, where = BAD_WORKBOOKS[kind]
    done = run("balance", write_workbook(tmp_path / "field.xlsx", tables), "--out", tmp_path / "x")
    assert_refused(done, where, tmp_path / "x")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "password"),
        (b"PK\x03\x04 cut off", r"field\.xlsx: found a corrupt file"),
        (
            b"II*\x00" + bytes(60),
            r"field\.xlsx: found a TIFF, .*; a DEM is given with --dem",
        ),
        (b"%PDF-1.7 ", r"field\.xlsx: found a PDF file"),
    ],
)
def test_a_protected_or_corrupt_workbook(content, message, tmp_path):
    (tmp_path / "field.xlsx").write_bytes(content)
    assert_refused(run("balance", tmp_path / "field.xlsx", "--out", tmp_path / "x"), message, tmp_path / "x")


def assert_refused(done, message, out):
    """Exit code 2, only 'error:' lines on stderr, one of them matching; nothing at the target or beside it."""
    assert done.code == 2, (done.out, done.err)
    lines = done.err.strip().splitlines()
    assert lines
    assert all(line.startswith("error: ") for line in lines), done.err
    assert done.out == ""
    assert any(re.search(message, line) for line in lines), done.err
    assert not out.exists()
    assert not [path for path in out.parent.iterdir() if path.name.startswith(f".{out.name}")]


def bad_dems(folder, dems):
    """Each kind of bad raster or outline: arguments of `difference` and what the message says."""
    elsewhere = write_dem(folder / "far.tif", fractal(SHAPE), west=700_000)
    no_crs = write_dem(folder / "nocrs.tif", fractal(SHAPE), crs=None)
    cut = write_dem(folder / "cut.tif", fractal(SHAPE))
    cut.write_bytes(cut.read_bytes()[:60_000])
    flat = write_dem(folder / "flat.tif", np.full(SHAPE, 3000, np.float32))
    bow = shapely.Polygon([(402_000, 4_797_000), (403_000, 4_798_000), (403_000, 4_797_000), (402_000, 4_798_000)])
    everywhere = shapely.box(390_000, 4_790_000, 420_000, 4_810_000)
    earlier, later = dems
    far, loose = outlines(folder / "o.gpkg", 9000), outlines(folder / "n.shp", crs=None)
    crossed, vast = outlines(folder / "b.gpkg", geometry=bow), outlines(folder / "e.gpkg", geometry=everywhere)
    return {
        "absent": ((folder / "no.tif", later), "no such file"),
        "no overlap": ((elsewhere, later), "no overlap"),
        "no crs": ((no_crs, later), "no coordinate reference system"),
        "truncated": ((cut, later), r"cut\.tif: found"),
        "constant": ((flat, flat), "the height 3000 m everywhere"),
        "outlines outside": ((earlier, later, "--glaciers", far), "no outline within the DEMs"),
        "outlines without crs": ((earlier, later, "--glaciers", loose), "without a CRS"),
        "invalid outline": ((earlier, later, "--glaciers", crossed), "Self-intersection"),
        "no stable terrain": ((earlier, later, "--glaciers", vast), "stable terrain: found 0 pixels"),
        "wrong crs": ((earlier, later, "--crs", "EPSG:4326"), "not projected in metres"),
        "wrong option": ((earlier, later, "--resolution", "-5"), r"--resolution: found -5\.0; expected .* 0\.01 m$"),
    }


KINDS = (
    "absent", "no overlap", "no crs", "truncated", "constant", "outlines outside", "outlines without crs",
    "invalid outline", "no stable terrain", "wrong crs", "wrong option",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bad_rasters_and_outlines(kind, dems, tmp_path):
    arguments, message = bad_dems(tmp_path, dems)[kind]
    assert_refused(run("difference", *arguments, "--out", tmp_path / "x"), message, tmp_path / "x")


def test_settings_that_exclude_each_other_are_named_alone(dems, tmp_path):
    dates = ("--date-earlier", "2010-01-01", "--date-later", "2000-01-01")
    found = run("difference", *dems, *dates, "--out", tmp_path / "x")
    assert_refused(
        found, "options: found --date-earlier 2010-01-01 must be before --date-later 2000-01-01", tmp_path / "x"
    )
    found = run("difference", *dems, "--date-earlier", "spring", "--out", tmp_path / "x")
    assert_refused(found, "--date-earlier: found 'spring' is not a date of the form YYYY-MM-DD", tmp_path / "x")


def test_a_proj_folder_without_its_database_is_refused(dems, tmp_path, monkeypatch):
    """PROJ finds no CRS at all then; geoid grids alone in a folder are the usual reason."""
    monkeypatch.setenv("PROJ_DATA", str(tmp_path))
    assert_refused(run("difference", *dems, "--out", tmp_path / "x"), "PROJ_DATA: found .*proj.db", tmp_path / "x")


def test_a_foreign_target_is_never_touched(dems, tmp_path):
    target = tmp_path / "letters"
    target.mkdir()
    (target / "dear.txt").write_text("do not delete")
    for arguments, wanted in ((("difference", *dems), "the output of a difference"), (("build",), "an archive")):
        done = run(*arguments, "--out", target)
        assert done.code == 2
        assert wanted in done.err
    assert [path.name for path in target.iterdir()] == ["dear.txt"]


@pytest.mark.parametrize("target", ["absent/archive", "file/archive"])
def test_a_target_that_cannot_be_written(target, tmp_path):
    (tmp_path / "file").write_text("a file")
    done = run("build", "--out", tmp_path / target)
    assert done.code == 2
    assert "error: " in done.err


@pytest.mark.slow
def test_inputs_without_a_tile_name_it(tmp_path):
    from pipeline.sample.urumqi import Scene, SeenAs, make_landscape, write_inputs

    # a corner of the region, all of it on the western tile
    corner = Scene(seed=3, west=86.55, south=43.06, east=86.75, north=43.17, lowest_m=3200, highest_m=4400)
    folder = tmp_path / "inputs" / "urumqi-glacier-elevation-change"
    write_inputs(folder, make_landscape(corner), SeenAs())
    assert [path.name for path in (folder / "srtm_v3").iterdir()] == ["N43E086.hgt"]
    definition = next(path for path in _definitions() if path.stem.startswith("urumqi"))
    done = run("build", definition, "--inputs", tmp_path / "inputs", "--out", tmp_path / "x")
    assert_refused(done, r"earlier DEM: found no tile N43E087", tmp_path / "x")


def test_missing_inputs_are_named(tmp_path):
    done = run("build", "--inputs", tmp_path, "--out", tmp_path / "x")
    assert_refused(done, r"no file for the source 'earlier'; expected srtm_v3/\*\.hgt", tmp_path / "x")


def _definitions():
    from catalog.build.definitions import DATASETS

    return sorted(DATASETS.glob("*.toml"))


def test_a_wrong_definition_is_refused(tmp_path):
    path = tmp_path / "d.toml"
    path.write_text(_definitions()[0].read_text(encoding="utf-8") + '\n[surprise]\nkey = "value"\n', encoding="utf-8")
    assert_refused(run("build", path, "--out", tmp_path / "x"), r"d\.toml: surprise: found", tmp_path / "x")


def test_help_version_and_usage():
    assert "build" in run("--help").out
    assert run("--version").out.startswith("glacier-archive 0.")
    assert run("difference", "one.tif").code == 2


def test_validate_explains_its_checks_and_refuses_what_is_no_archive(tmp_path):
    listed = run("validate", "--list")
    assert listed.code == 0
    assert len(listed.out.splitlines()) > 30
    assert run("validate", tmp_path / "absent").code == 2
    assert run("validate", tmp_path).code == 1


@pytest.mark.parametrize("command", ["build", "difference", "balance", "validate", "publish"])
def test_help_names_every_option_whole(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = run(command, "--help").out
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    group = typer.main.get_command(cli.app)
    for parameter in group.commands[command].params:
        if parameter.param_type_name == "option":
            assert parameter.opts[-1] in shown


def test_a_folder_that_is_no_archive_is_told_in_one_line(tmp_path):
    done = run("validate", tmp_path)
    assert done.code == 1
    (line,) = done.out.splitlines()
    assert line.startswith(f"{tmp_path}: no archive (catalog.json: no such file, ")


def test_init_writes_a_definition_that_holds(tmp_path):
    from schemas.definition import read_definition

    done = run("init", "my-glacier", "--kind", "mass_balance", "--folder", tmp_path)
    assert done.code == 0, done.err
    assert read_definition(tmp_path / "my-glacier.toml").kind == "mass_balance"
    assert list(tmp_path.glob("*.xlsx"))


def test_fetch_lists_before_it_fetches(tmp_path):
    done = run("fetch", "inputs", "--to", tmp_path, "--dry-run")
    assert done.code == 0, done.err
    assert "N43E087" in done.out
    assert not list(tmp_path.rglob("*.hgt"))


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [2.0, 8.0])
def test_ctrl_c_ends_a_build_at_once_and_leaves_nothing(after_s, tmp_path):
    command = [sys.executable, ROOT / "cli.py", "build", "--no-cache", "--out", tmp_path / "x"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=30)
    assert process.returncode == 130
    assert error == "interrupted\n"
    assert not list(tmp_path.iterdir())
