"""What a `difference` run writes and says: rasters, figures, tables, summary, and the table on the screen."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
import rasterio

from catalog.figures.elevation_change import DIAGRAMS
from catalog.reports.rows import change_rows
from catalog.reports.summaries import difference_summary
from catalog.reports.terminal import show_rows
from catalog.runs.single_run import write_difference
from pipeline.blocks import StoredArray
from pipeline.elevation_change.result import GLACIER
from schemas.tables import DATES
from tests.made.cog_structure import cog_failures
from tests.made.fakes import NOTE, make_elevation_change_dataset


@pytest.fixture(scope="module")
def change():
    result = make_elevation_change_dataset((80, 130)).result
    dates = pd.DataFrame([["earlier", date(2000, 2, 16), 0.01]], columns=["input", "date", "sigma_years"], dtype=object)
    return replace(result, tables={**result.tables, "dates": dates.reindex(columns=list(DATES.column_names))})


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_run_writes_its_rasters_figures_and_tables(change, tmp_path):
    outputs = write_difference(change, tmp_path / "out", "v1")
    written = digests(tmp_path / "out")
    assert set(outputs.values()) | {"manifest.json"} == set(written)
    assert {outputs[diagram.name] for diagram in DIAGRAMS} == {f"{diagram.name}.png" for diagram in DIAGRAMS}
    assert outputs["map"] == "map.png"
    second = {"outlines": "geojson", "outlines_geoparquet": "parquet", "outlines_style": "qml"}
    assert {name: outputs[name] for name in second} == {name: f"outlines.{suffix}" for name, suffix in second.items()}
    for name, values in (("elevation_change", change.dh_m), ("elevation_change_sigma", change.sigma_dh_m)):
        path = tmp_path / "out" / outputs[name]
        assert cog_failures(path) == []
        with rasterio.open(path) as raster:
            read = raster.read(1, masked=True).filled(np.nan)
        assert np.allclose(read, values, atol=0.00501, equal_nan=True)
    with rasterio.open(tmp_path / "out" / outputs["classification"]) as raster:
        assert (raster.read(1) == change.classification).all()
        assert raster.colormap(1)[GLACIER][2] > raster.colormap(1)[GLACIER][0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_without_figures_everything_else_is_the_same(change, tmp_path):
    outputs = write_difference(change, tmp_path / "bare", "v1", figures=False)
    whole = write_difference(change, tmp_path / "whole", "v1")
    assert {path for path in whole.values() if path not in outputs.values()} == {
        "map.png",
        *(f"{diagram.name}.png" for diagram in DIAGRAMS),
    }
    bare, drawn = digests(tmp_path / "bare"), digests(tmp_path / "whole")
    told = {"manifest.json", "report.html", "settings.toml"}  # these say whether figures were drawn, or hold them
    assert {path: digest for path, digest in drawn.items() if path in bare and path not in told} == {
        path: digest for path, digest in bare.items() if path not in told
    }
    listed = json.loads((tmp_path / "bare" / "manifest.json").read_text())["files"]
    assert {file["path"] for file in listed} == set(outputs.values())


def test_stored_rasters_give_the_same_bytes_as_arrays(change, tmp_path):
    stored = {}
    for name in ("dh_m", "sigma_dh_m", "surface_m", "classification"):
        values = getattr(change, name)
        stored[name] = StoredArray(tmp_path / name, values.shape, values.dtype)
        stored[name][:, :] = values
    # the diagrams have nothing of the rasters
    bare = replace(change, figures={}, tables={name: change.tables[name] for name in ("dates", "glaciers")})
    write_difference(bare, tmp_path / "arrays", "v1")
    write_difference(replace(bare, **stored), tmp_path / "stored", "v1")
    assert digests(tmp_path / "arrays") == digests(tmp_path / "stored")


def test_an_error_while_drawing_leaves_nothing_behind(change, tmp_path):
    broken = replace(change, figures={"variogram": {}}, tables={}, outlines=None)
    with pytest.raises(KeyError):
        write_difference(broken, tmp_path / "out", "v1")
    assert not (tmp_path / "out").exists()


def test_the_summary_says_shift_error_patches_dates_and_notes(change):
    found = difference_summary(change)
    assert found["sigma_shift_m"] == {"east": 0.21, "north": 0.32, "up": 0.04}
    assert found["shift_by_cosine_m"]["east"] == 12.31
    assert found["patch_test"]["spread"] == 1.04
    assert found["notes"] == [NOTE]
    (row,) = found["dates"]
    assert (row["input"], row["date"], row["sigma_years"], row["product"]) == ("earlier", "2000-02-16", 0.01, None)
    json.dumps(found, allow_nan=False)


def test_the_screen_shows_errors_and_notes(change, capsys):
    show_rows("Elevation change", change_rows(change))
    shown = " ".join(capsys.readouterr().out.split())
    assert "12.346, −45.678, 1.200 m ± 0.210, 0.320, 0.040 m" in shown
    assert "Patch test spread 1.04 1 expected; 240 stable patches of 0.8 km2" in shown
    assert f"Note: {NOTE}" in shown


@pytest.mark.parametrize(
    ("count", "said"),
    [(12, "spread 1.04 1 expected; 12 stable patches of 0.8 km2: too few to tell"), (0, "no patch stable terrain has")],
)
def test_the_screen_says_where_a_patch_test_proves_nothing(change, capsys, count, said):
    spread = 1.04 if count else math.nan
    few = replace(change, patches=replace(change.patches, count=count, spread=spread, enough=False))
    show_rows("Elevation change", change_rows(few))
    assert said in " ".join(capsys.readouterr().out.split())
