"""The rasters as files: layout, values, statistics, units, and bytes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import threading

import numpy as np
import pytest
import rasterio
from rasterio.enums import ColorInterp, Resampling
from rasterio.io import MemoryFile
from rasterio.shutil import copy
from rasterio.transform import Affine
from rasterio.windows import Window
from rio_cogeo.cogeo import cog_validate

import catalog.formats.cogs
from catalog.formats.cogs import NODATA, Moments, best_predictor, raster_facts, write_cog
from pipeline.blocks import StoredArray
from pipeline.grid import Grid
from schemas.errors import FailedCheck
from tests.made.cog_structure import cog_failures
from tests.root import ROOT

# seconds of drawing or computing each
pytestmark = pytest.mark.slow

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


class Computed:
    """A raster, or several bands, that exists only where it is asked for; it notes what was asked for."""

    def __init__(self, values):
        self._values, self.shape, self.dtype = values, values.shape, values.dtype
        self.asked, self._busy = [], threading.Lock()

    def __getitem__(self, window):
        assert self._busy.acquire(blocking=False), "asked for a block while another is computed"
        try:
            rows, columns = window[-2:]
            self.asked.append((rows.start, rows.stop, columns.start, columns.stop))
            return self._values[window].copy()
        finally:
            self._busy.release()


def written_at_once(path, array, *, nodata, unit, description, resampling, tags, level):
    """The same file made the plain way: all pixels in memory, statistics and rounding by NumPy on the whole array."""
    bands = array if array.ndim == 3 else array[np.newaxis]
    if bands.dtype.kind == "f":
        bands = np.round(bands.astype(float), 2).astype(np.float32) + np.float32(0)
        bands[np.isnan(bands)] = nodata
    count = len(bands)
    tiled = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    profile = {
        "driver": "GTiff", "count": count, "height": bands.shape[1], "width": bands.shape[2], "crs": GRID.crs,
        "dtype": bands.dtype.name, "transform": GRID.transform, "nodata": nodata, **tiled,
    }  # fmt: skip
    texts = (description,) * count if isinstance(description, str) else description
    with rasterio.Env(GDAL_PAM_ENABLED="NO"), MemoryFile() as memory, memory.open(**profile) as draft:
        draft.write(bands)
        draft.units = (unit,) * count
        for index, band in enumerate(bands, start=1):
            valid = band[band != nodata].astype(float)
            numbers = {
                "MINIMUM": valid.min(), "MAXIMUM": valid.max(), "MEAN": valid.mean(), "STDDEV": valid.std(),
                "VALID_PERCENT": 100 * valid.size / band.size,
            }  # fmt: skip
            draft.set_band_description(index, texts[index - 1])
            draft.update_tags(index, **{f"STATISTICS_{key}": f"{round(v, 6):.10g}" for key, v in numbers.items()})
        if count == 3:
            draft.colorinterp = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
        draft.update_tags(**dict(sorted(tags.items())), OVERVIEW_RESAMPLING=resampling.upper())
        draft.build_overviews([2, 4], Resampling[resampling])
        copy(
            draft, path, driver="GTiff", copy_src_overviews=True, compress="deflate", zlevel=level,
            **({"predictor": 2, "interleave": "pixel"} if count == 3 else
               {"predictor": best_predictor(bands[0]), "interleave": "band"}), **tiled,
        )  # fmt: skip


@pytest.mark.parametrize("kind", ["double", "single", "classes", "colours"])
def test_the_bytes_are_those_of_the_plain_way_whatever_holds_the_pixels(tmp_path, values, monkeypatch, kind):
    rng = np.random.default_rng(7)
    array, settings = {
        "double": (values, {}),
        "single": (values.astype(np.float32), {}),
        "classes": (rng.integers(0, 4, GRID.shape, np.uint8), {"nodata": 255, "unit": "", "resampling": "nearest"}),
        "colours": (
            rng.integers(0, 200, (3, *GRID.shape), np.uint8),
            {"nodata": 0, "unit": "", "description": ("red", "green", "blue")},
        ),
    }[kind]
    settings = {
        "nodata": NODATA, "unit": "m", "description": "elevation change", "resampling": "average",
        "tags": {"SYNTHETIC": "YES", "DATASET": "test"}, **settings,
    }  # fmt: skip
    expected = tmp_path / "expected.tif"
    written_at_once(expected, array, **settings, level={"classes": 6, "colours": 5}.get(kind, 1))
    # three blocks instead of one
    monkeypatch.setattr(catalog.formats.cogs, "_BLOCK_PIXELS", 1)
    held = {"array": array, "computed": Computed(array)}
    if array.ndim == 2:
        stored = StoredArray(tmp_path / "stored", array.shape, array.dtype)
        stored[:, :] = array
        held["stored"] = stored
    for name, raster in held.items():
        write(tmp_path / f"{name}.tif", raster, **settings)
        assert (tmp_path / f"{name}.tif").read_bytes() == expected.read_bytes(), name


def test_every_block_is_asked_for_once_from_the_north_by_one_thread_at_a_time(tmp_path, values, monkeypatch):
    monkeypatch.setattr(catalog.formats.cogs, "_BLOCK_PIXELS", 1)
    raster = Computed(values)
    write(tmp_path / "x.tif", raster)
    assert raster.asked == [(0, 256, 0, 830), (256, 512, 0, 830), (512, 600, 0, 830)]


def test_a_half_is_rounded_as_in_double_precision(tmp_path):
    single = (np.random.default_rng(3).integers(-40000, 40000, GRID.shape) / 200).astype(np.float32)
    expected = np.round(single.astype(float), 2).astype(np.float32)
    assert (np.round(single, 2) != expected).any()  # in single precision some land on the other side
    write(tmp_path / "x.tif", single)
    with rasterio.open(tmp_path / "x.tif") as raster:
        assert (raster.read(1) == expected).all()


def test_moments_of_parts_add_up_to_those_of_the_whole():
    values = 4000 + np.random.default_rng(2).normal(size=9000) * 0.01
    nothing = catalog.formats.cogs._moments(np.full(5, -9999.0), -9999.0)
    parts = [catalog.formats.cogs._moments(part, None) for part in (values[:10], values[10:4000], values[4000:])]
    whole = sum([nothing, parts[0], nothing, *parts[1:]], Moments())
    assert whole.count == 9000
    assert (whole.minimum, whole.maximum) == (values.min(), values.max())
    assert whole.mean == pytest.approx(values.mean(), rel=1e-14)
    # the naive difference of squares has lost all digits here
    assert np.sqrt(whole.squares / 9000) == pytest.approx(values.std(), rel=1e-9)


MEMORY = """
import resource, sys
from pathlib import Path
import numpy as np
from rasterio.transform import Affine
from rasterio.windows import Window
from catalog.formats.cogs import write_cog
from pipeline.grid import Grid
from schemas.errors import FailedCheck

class Waves:
    dtype = np.dtype(np.float32)
    shape = (int(sys.argv[1]), 3000)
    def __getitem__(self, window):
        rows = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None]
        return 40 * np.sin(rows / 50) * np.cos(np.arange(3000, dtype=np.float32) / 70)

write_cog(
    Path(sys.argv[2]), Waves(), Grid("EPSG:32645", Affine(30, 0, 4e5, 0, -30, 4.8e6), Waves.shape), nodata=-9999.0,
    unit="m", description="waves", resampling="average", tags={},
)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_raster(tmp_path):
    def peak_mb(rows):
        command = [sys.executable, "-c", MEMORY, str(rows), str(tmp_path / f"{rows}.tif")]
        root = ROOT
        return float(subprocess.run(command, capture_output=True, text=True, check=True, cwd=root).stdout)

    small, medium, large = peak_mb(300), peak_mb(4000), peak_mb(16000)
    assert large < small + 110
    assert large < medium + 30  # the raster itself is 144 MB larger


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
    monkeypatch.setattr(
        catalog.formats.cogs, "_ENVIRONMENT", {**catalog.formats.cogs._ENVIRONMENT, "GDAL_NUM_THREADS": "1"}
    )
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


def test_pixels_that_read_back_otherwise_are_refused_and_leave_no_file(tmp_path, values, monkeypatch):
    def copy_with_a_fault(draft, path, **options):
        copy(draft, path, **options)
        with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as raster:
            pixel = raster.read(1, window=Window(829, 599, 1, 1))
            raster.write(pixel + np.float32(0.01), 1, window=Window(829, 599, 1, 1))

    monkeypatch.setattr(catalog.formats.cogs, "_BLOCK_PIXELS", 1)
    monkeypatch.setattr(catalog.formats.cogs, "copy", copy_with_a_fault)
    with pytest.raises(FailedCheck, match=r"b\.tif: found other pixels in rows 512 to 599 when read back"):
        write(tmp_path / "b.tif", values)
    assert list(tmp_path.iterdir()) == []


def test_a_unit_lost_in_packing_is_refused(tmp_path, values, monkeypatch):
    def copy_without_unit(draft, path, **options):
        copy(draft, path, **options)
        with rasterio.open(path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as raster:
            raster.units = ("",)

    monkeypatch.setattr(catalog.formats.cogs, "copy", copy_without_unit)
    with pytest.raises(FailedCheck, match=r"found units \(.*\) when read back; expected \('m',\)"):
        write(tmp_path / "u.tif", values)
    assert list(tmp_path.iterdir()) == []


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
    assert list(tmp_path.iterdir()) == []  # neither a file nor what it was drafted in


def test_the_predictor_is_the_one_that_packs_best():
    noise = np.round(np.random.default_rng(1).normal(size=(700, 700)) * 5, 2).astype(np.float32)
    ramp = np.tile(np.arange(512, dtype=np.uint8), (512, 1))
    assert best_predictor(noise) == 1  # the floating-point predictor loses on rounded values
    assert best_predictor(ramp) == 2
