"""The rasters as files: layout, values, statistics, units, and bytes."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from rio_cogeo.cogeo import cog_validate

import catalog.cogs
from catalog.cogs import NODATA, best_predictor, cog_failures, raster_facts, write_cog
from pipeline.grid import Grid

GRID = Grid("EPSG:32645", Affine(30.0, 0.0, 460020.0, 0.0, -20.0, 4794000.0), (600, 830))


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(11)
    rows, columns = np.mgrid[: GRID.shape[0], : GRID.shape[1]]
    field = 40 * np.sin(rows / 60) * np.cos(columns / 90) + rng.normal(size=GRID.shape)
    field[100:180, 300:420] = np.nan
    return field


@pytest.fixture
def written(tmp_path, values):
    path = tmp_path / "dh.tif"
    write(path, values)
    return path


def write(path, array, **changes):
    settings = {
        "nodata": NODATA,
        "unit": "m",
        "description": "elevation change",
        "resampling": "average",
        "tags": {"SYNTHETIC": "YES", "DATASET": "test"},
    }
    write_cog(path, array, GRID, **{**settings, **changes})


def test_it_is_a_valid_cog_with_the_fixed_profile(written):
    valid, errors, warnings = cog_validate(str(written), strict=True)
    assert (valid, errors, warnings) == (True, [], [])
    assert cog_failures(written) == []
    with rasterio.open(written) as raster:
        assert raster.profile["compress"] == "deflate"
        assert raster.block_shapes == [(256, 256)]
        assert raster.overviews(1) == [2, 4]
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"


def test_values_come_back_rounded_to_a_centimetre_with_nodata_for_nan(written, values):
    with rasterio.open(written) as raster:
        read = raster.read(1)
        assert raster.nodata == -9999
        assert raster.crs.to_epsg() == 32645
        assert raster.transform == GRID.transform
    void = np.isnan(values)
    assert (read[void] == -9999).all()
    assert read[~void] == pytest.approx(np.round(values[~void], 2), abs=1e-5)
    assert np.abs(read[~void] - values[~void]).max() <= 0.005001


def test_overviews_average_valid_pixels_only(written, values):
    with rasterio.open(written, overview_level=0) as raster:
        small = raster.read(1)
    # half of this block is void: the mean of the other half, not pulled towards -9999
    assert small[:50][:, 155:][small[:50][:, 155:] != -9999].min() > -60
    block = np.round(values[400:402, 600:602], 2)
    assert small[200, 300] == pytest.approx(block.mean(), abs=1e-3)


def test_unit_description_tags_and_statistics_stand_in_the_file(written, values):
    with rasterio.open(written) as raster:
        assert raster.units == ("m",)
        assert raster.descriptions == ("elevation change",)
        assert raster.tags()["SYNTHETIC"] == "YES"
        tags = raster.tags(1)
    rounded = np.round(values[np.isfinite(values)], 2)
    assert float(tags["STATISTICS_MINIMUM"]) == pytest.approx(rounded.min(), abs=1e-5)
    assert float(tags["STATISTICS_MAXIMUM"]) == pytest.approx(rounded.max(), abs=1e-5)
    assert float(tags["STATISTICS_MEAN"]) == pytest.approx(rounded.mean(), abs=1e-5)
    assert float(tags["STATISTICS_STDDEV"]) == pytest.approx(rounded.std(), abs=1e-5)
    assert float(tags["STATISTICS_VALID_PERCENT"]) == pytest.approx(100 * rounded.size / values.size, abs=1e-5)


def test_gdal_agrees_with_the_statistics_read_back(written):
    facts = raster_facts(written)
    band = facts.bands[0]
    with rasterio.open(written) as raster:
        gdal = raster.stats(approx=False)[0]
    assert (band.minimum, band.maximum) == pytest.approx((gdal.min, gdal.max))
    assert (band.mean, band.std) == pytest.approx((gdal.mean, gdal.std), rel=1e-6)
    assert facts.crs == "EPSG:32645"
    assert facts.transform == (30.0, 0.0, 460020.0, 0.0, -20.0, 4794000.0)
    assert facts.shape == (600, 830)
    assert band.count == 600 * 830 - 80 * 120
    assert (band.data_type, band.nodata, band.unit) == ("float32", -9999, "m")


def test_the_same_array_gives_the_same_bytes_and_nothing_beside_the_file(written, values, tmp_path, monkeypatch):
    monkeypatch.setattr(catalog.cogs, "_ENVIRONMENT", {**catalog.cogs._ENVIRONMENT, "GDAL_NUM_THREADS": "1"})
    again = tmp_path / "again.tif"
    write(again, values)
    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in (written, again)}
    raster_facts(again)
    assert len(digests) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["again.tif", "dh.tif"]


def test_classes_keep_their_values_in_overviews_and_carry_colours(tmp_path):
    classes = np.random.default_rng(5).integers(0, 4, GRID.shape).astype(np.uint8)
    colours = {0: (1, 2, 3), 1: (200, 100, 50), 2: (0, 0, 255), 3: (9, 9, 9)}
    write(tmp_path / "c.tif", classes, nodata=255, unit="", resampling="nearest", colormap=colours)
    assert cog_failures(tmp_path / "c.tif") == []
    with rasterio.open(tmp_path / "c.tif") as raster:
        assert (raster.read(1) == classes).all()
        assert raster.colormap(1)[1] == (200, 100, 50, 255)
        assert raster.nodata == 255
    with rasterio.open(tmp_path / "c.tif", overview_level=0) as raster:
        assert set(np.unique(raster.read(1))) == {0, 1, 2, 3}
    band = raster_facts(tmp_path / "c.tif").bands[0]
    assert (band.minimum, band.maximum, band.valid_percent) == (0, 3, 100)


def test_a_visual_has_three_colour_bands_with_nodata_zero(tmp_path):
    picture = np.random.default_rng(5).integers(1, 255, (3, *GRID.shape)).astype(np.uint8)
    picture[:, :40] = 0
    write(tmp_path / "v.tif", picture, nodata=0, unit="", description=("red", "green", "blue"))
    assert cog_failures(tmp_path / "v.tif") == []
    with rasterio.open(tmp_path / "v.tif") as raster:
        assert (raster.read() == picture).all()
        assert [interpretation.name for interpretation in raster.colorinterp] == ["red", "green", "blue"]
        assert raster.nodatavals == (0, 0, 0)
        assert raster.descriptions == ("red", "green", "blue")


def test_a_raster_of_nodata_alone_has_no_statistics(tmp_path):
    write(tmp_path / "n.tif", np.full(GRID.shape, np.nan))
    band = raster_facts(tmp_path / "n.tif").bands[0]
    assert (band.minimum, band.mean, band.count, band.valid_percent) == (None, None, 0, 0)
    with rasterio.open(tmp_path / "n.tif") as raster:
        assert "STATISTICS_MEAN" not in raster.tags(1)


def test_a_raster_smaller_than_a_block_is_a_cog_too(tmp_path):
    grid = Grid("EPSG:32645", Affine(10.0, 0.0, 290010.0, 0.0, -10.0, 4845500.0), (17, 23))
    write_cog(
        tmp_path / "s.tif", np.ones((17, 23)), grid, nodata=NODATA, unit="m w.e.", description="balance",
        resampling="average", tags={},
    )  # fmt: skip
    assert cog_failures(tmp_path / "s.tif") == []
    assert raster_facts(tmp_path / "s.tif").bands[0].unit == "m w.e."


def test_negative_zero_becomes_zero(tmp_path):
    write(tmp_path / "z.tif", np.full(GRID.shape, -0.001))
    with rasterio.open(tmp_path / "z.tif") as raster:
        assert not np.signbit(raster.read(1)).any()


def test_an_array_off_its_grid_and_an_infinite_value_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"array of shape \(1, 3, 4\) on a grid of shape \(600, 830\)"):
        write(tmp_path / "x.tif", np.zeros((3, 4)))
    infinite = np.zeros(GRID.shape)
    infinite[3, 3] = np.inf
    with pytest.raises(ValueError, match="infinite value"):
        write(tmp_path / "x.tif", infinite)
    assert not (tmp_path / "x.tif").exists()


def test_the_predictor_is_the_one_that_packs_best():
    noise = np.round(np.random.default_rng(1).normal(size=(700, 700)) * 5, 2).astype(np.float32)
    ramp = np.tile(np.arange(512, dtype=np.uint8), (512, 1))
    assert best_predictor(noise) == 1  # the floating-point predictor loses on rounded values
    assert best_predictor(ramp) == 2
