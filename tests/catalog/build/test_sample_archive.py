"""The main job: the archive of the embedded sample, from raw files to the checks, against the sample's known truth."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import rasterio

from tests.made.command_line import run
from tests.made.kuitun_truth import kuitun_truth
from tests.made.urumqi_truth import urumqi_truth

pytestmark = pytest.mark.slow
CHANGE, BALANCE = "urumqi-glacier-elevation-change", "kuitun51-glacier-mass-balance"


@pytest.fixture(scope="module")
def summary(sample):
    return sample.report["datasets"]


@pytest.fixture(scope="module")
def basin():
    return urumqi_truth()


def test_nothing_of_it_came_from_a_cache(sample):
    assert sample.report["reused"] == []


def test_the_archive_passes_its_checks(sample):
    done = run("validate", sample.archive, "--json")
    assert done.code == 0, done.out
    assert json.loads(done.out)["passed"]


def test_no_truth_is_read_while_building(sample):
    opened = sample.opened
    assert "pipeline.elevation_change.chain" in opened
    assert any(name.endswith(".xlsx") for name in opened)
    assert not [name for name in opened if "truth" in name]


def test_the_shift_is_that_of_the_sample(summary, basin):
    truth, found = basin, summary[CHANGE]["shift_m"]
    assert found["east"] == pytest.approx(truth.shift_m.east, abs=0.05 * 30)
    assert found["north"] == pytest.approx(truth.shift_m.north, abs=0.05 * 30)
    # what the chain really reaches is far better than what is promised
    assert np.hypot(found["east"] - truth.shift_m.east, found["north"] - truth.shift_m.north) < 0.3


def test_the_glacier_change_is_that_of_the_sample(summary, basin):
    truth, found = basin, summary[CHANGE]["glaciers"]
    error = found["mean_dh_m"] - truth.mean_dh_m
    assert abs(error) < 0.2
    assert abs(error) < 2 * found["sigma_mean_dh_m"]
    assert found["area_km2"] == pytest.approx(truth.area_km2, rel=0.01)


def test_every_glacier_lies_within_its_stated_error(sample, basin):
    table = pd.read_csv(sample.archive / CHANGE / "tables" / "glaciers.csv").set_index("glacier_id")
    truth = {glacier.rgi_id: glacier.mean_dh_m for glacier in basin.glaciers}
    score = (table["mean_dh_m"] - pd.Series(truth)) / table["sigma_mean_dh_m"]
    assert score.notna().sum() == len(truth)
    assert (score.abs() < 1).mean() > 0.5
    assert (score.abs() < 3).all()


def test_stable_terrain_is_unbiased(summary):
    stable = summary[CHANGE]["stable_terrain"]
    assert abs(stable["after"]["mean_m"]) < 0.6
    assert stable["after"]["nmad_m"] < stable["after_coregistration"]["nmad_m"] < stable["before"]["nmad_m"]


def test_the_twelve_balances_are_those_of_the_sample(summary):
    truth = {year.year: year for year in kuitun_truth().years}
    years = summary[BALANCE]["years"]
    assert [year["year"] for year in years] == list(range(2000, 2012))
    error = np.array([year["annual_balance_m_we"] - truth[year["year"]].annual_m_we for year in years])
    sigma = np.array([year["sigma_annual_m_we"] for year in years])
    assert (np.abs(error) < sigma).sum() >= 6
    assert (np.abs(error) < 3 * sigma).all()
    assert (sigma < 0.2).all()


def test_all_gates_passed(summary):
    for dataset in summary.values():
        assert dataset["quality_gates"]
        assert all(gate["passed"] for gate in dataset["quality_gates"])


def test_every_product_is_called_synthetic(sample):
    root = sample.archive
    texts = [root / "index.html", root / "catalog.json", root / "manifest.json"]
    for collection in (CHANGE, BALANCE):
        folder = root / collection
        texts += [folder / name for name in ("collection.json", "datapackage.json", "index.html", "README.md")]
        texts += sorted((folder / "metadata").iterdir())
        texts += sorted(folder.glob("*/*.html")) + sorted(folder.glob("*/*.json")) + sorted(folder.glob("*/*.geojson"))
    silent = [path.relative_to(root) for path in texts if "synthetic" not in path.read_text(encoding="utf-8").lower()]
    assert not silent
    for path in root.rglob("*.tif"):
        with rasterio.open(path) as raster:
            assert "synthetic" in json.dumps(raster.tags()).lower(), path


def test_the_datums_are_transformed_by_the_grids_of_the_sample(sample, summary, basin):
    """The default build needs no fetched geoids; what the scene invents between the datums is not left in the shift."""
    datum = summary[CHANGE]["vertical_datum"]
    assert datum["method"] == "PROJ grids"
    assert summary[CHANGE]["shift_m"]["up"] == pytest.approx(basin.shift_m.up, abs=0.2)
    item = (sample.archive / CHANGE / "elevation-change" / "elevation-change.json").read_text(encoding="utf-8")
    assert "the inputs' own geoid grids" in item
    manifest = json.loads((sample.archive / "manifest.json").read_text(encoding="utf-8"))
    assert "geoids/us_nga_egm08_25.tif" in json.dumps(manifest)
