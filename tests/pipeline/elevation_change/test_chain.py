"""The whole chain on a small pair with a known shift, a known resolution effect and a known glacier change."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely

from pipeline.blocks import Scratch, StoredArray
from pipeline.elevation_change.chain import elevation_change
from pipeline.elevation_change.report import notes_on_checks, notes_on_patches, notes_on_penetration
from pipeline.elevation_change.result import EXCLUDED, GLACIER, STABLE, VOID
from pipeline.elevation_change.uncertainty.patches import PatchTest
from pipeline.resources import Resources, open_resources
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from schemas.tables import DEM_CHECKS, ELEVATION_CHANGE_TABLES
from tests.made.synthetic_pairs import fractal, write_dem

SHAPE = (300, 360)
SHIFT = (0.43, -0.27)  # pixels, of the earlier DEM
THINNING = -8.0
BOX = (slice(100, 160), slice(140, 210))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    draw = np.random.default_rng(0)
    earlier = fractal(SHAPE, shift=SHIFT) + draw.normal(0, 1.0, SHAPE).astype(np.float32) - 2
    later = fractal(SHAPE) + draw.normal(0, 0.5, SHAPE).astype(np.float32)
    later[BOX] += THINNING
    earlier[10:14, 10:14] = np.nan
    shape = shapely.box(400_000 + 140 * 30, 4_800_000 - 160 * 30, 400_000 + 210 * 30, 4_800_000 - 100 * 30)
    outlines = folder / "glaciers.gpkg"
    gpd.GeoDataFrame({"rgi_id": ["G1"]}, geometry=[shape], crs="EPSG:32645").to_file(outlines)
    return write_dem(folder / "earlier.tif", earlier), write_dem(folder / "later.tif", later), outlines


@pytest.fixture(scope="module")
def result(pair):
    return elevation_change(pair[0], pair[1], ElevationChangeSettings(), outlines=[pair[2]])


def test_the_shift_is_that_of_the_pair(result):
    assert result.shift_m.east / 30 == pytest.approx(-SHIFT[0], abs=0.005)
    assert result.shift_m.north / 30 == pytest.approx(-SHIFT[1], abs=0.005)
    assert result.shift_m.up == pytest.approx(2, abs=0.05)
    assert result.shift_native_pixels.columns == pytest.approx(-SHIFT[0], abs=0.005)
    assert result.shift_native_pixels.rows == pytest.approx(SHIFT[1], abs=0.005)


def test_the_glacier_change_and_its_error(result):
    assert result.totals.count == 1
    assert result.totals.mean_dh_m == pytest.approx(THINNING, abs=0.1)
    assert abs(result.totals.mean_dh_m - THINNING) < 3 * result.totals.sigma_mean_dh_m
    assert result.totals.sigma_mean_dh_m < 0.2
    assert result.totals.volume_change_m3 == pytest.approx(THINNING * 60 * 70 * 900, rel=0.02)


def test_stable_terrain_gets_better_and_is_unbiased(result):
    assert result.before.count == result.after.count
    assert result.after.nmad_m < result.before.nmad_m
    assert abs(result.after.mean_m) < 0.05
    assert result.after.nmad_m == pytest.approx(np.hypot(1.0 * 0.7, 0.5), abs=0.25)


def test_classes_tell_what_each_pixel_is(result):
    assert (result.classification[BOX] == GLACIER).all()
    assert result.classification[11, 11] == VOID
    assert {STABLE, EXCLUDED} <= set(np.unique(result.classification).tolist())
    assert (result.classification[97:100, 140:210] != STABLE).all()  # the buffer around the glacier


def test_tables_have_the_columns_of_their_schemas(result):
    for table in ELEVATION_CHANGE_TABLES:
        frame = result.tables[table.name]
        assert tuple(frame.columns) == table.column_names
        assert not frame.duplicated(list(table.primary_key)).any()


def test_blunders_on_a_glacier_are_voids_of_its_mean_and_counted(pair, result, tmp_path):
    with rasterio.open(pair[0]) as source:
        heights = source.read(1)
    draw = np.random.default_rng(11)
    hit = np.zeros(SHAPE, bool)
    hit[BOX] = draw.random(hit[BOX].shape) < 0.05
    heights[hit] -= 45
    earlier = write_dem(tmp_path / "earlier.tif", heights)
    found = elevation_change(earlier, pair[1], ElevationChangeSettings(), outlines=[pair[2]])
    kept = elevation_change(earlier, pair[1], ElevationChangeSettings(glacier_outlier_nmad=0), outlines=[pair[2]])
    sigma_m = found.totals.sigma_mean_dh_m
    assert abs(found.totals.mean_dh_m - result.totals.mean_dh_m) < 2 * sigma_m
    assert kept.totals.mean_dh_m - result.totals.mean_dh_m > 20 * sigma_m
    glacier, region = (found.tables[name].iloc[0] for name in ("glaciers", "region"))
    void = np.isnan(found.dh_m[BOX])
    assert 0.05 < glacier["outlier_share"] == region["outlier_share"] == void.mean() < 0.2
    assert glacier["outlier_share"] + glacier["observed_share"] == pytest.approx(1)
    assert "voids filled" in glacier["flags"]
    assert (found.classification[BOX][void] == VOID).all()
    assert f"{void.sum()} of 4200 measured glacier pixels stand apart" in " ".join(found.notes)
    assert kept.tables["region"]["outlier_share"].iloc[0] == 0
    assert not np.isnan(kept.dh_m[BOX]).any()
    # nothing but the glacier is touched
    off = np.ones(SHAPE, bool)
    off[BOX] = False
    np.testing.assert_array_equal(found.dh_m[off], kept.dh_m[off])


def test_swapping_the_dems_negates_the_change(pair, result):
    swapped = elevation_change(pair[1], pair[0], ElevationChangeSettings(reference="earlier"), outlines=[pair[2]])
    np.testing.assert_allclose(swapped.dh_m, -result.dh_m, atol=1e-3)
    assert swapped.totals.mean_dh_m == pytest.approx(-result.totals.mean_dh_m, abs=1e-4)


def test_moving_the_other_dem_gives_the_same_change(pair):
    """By cubic convolution: a bilinear one smooths the DEM that is moved, which lowers its ridges by a decimetre here.

    The change moves with the later DEM, 13 m, under outlines that stay: 0.43 of 70 columns and 0.27 of 60 rows.
    """
    one, other = (
        elevation_change(
            *pair[:2], ElevationChangeSettings(reference=reference, resampling="cubic"), outlines=[pair[2]]
        )
        for reference in ("later", "earlier")
    )
    assert other.shift_m.east == pytest.approx(-one.shift_m.east, abs=0.3)
    assert other.totals.mean_dh_m == pytest.approx(one.totals.mean_dh_m, abs=0.06)


def test_a_stable_mask_replaces_nothing_but_narrows(pair, result, tmp_path):
    mask = np.zeros(SHAPE, np.float32)
    mask[:, :150] = 1
    narrowed = elevation_change(
        pair[0], pair[1], ElevationChangeSettings(), outlines=[pair[2]],
        stable_mask=write_dem(tmp_path / "mask.tif", mask, nodata=None),
    )  # fmt: skip
    assert (narrowed.classification[:, 150:] != STABLE).all()
    assert narrowed.after.count < result.after.count


def test_penetration_is_added_on_glaciers_alone(pair, result):
    settings = ElevationChangeSettings(penetration_earlier_m=2.5, sigma_penetration_m=1.0)
    corrected = elevation_change(pair[0], pair[1], settings, outlines=[pair[2]])
    added = corrected.dh_m - result.dh_m
    assert np.nanmax(np.abs(added[BOX] + 2.5)) < 1e-4
    assert np.nanmax(np.abs(added[:90])) < 1e-4
    assert corrected.totals.sigma_mean_dh_m > 1.0


def test_a_tilt_is_reported_and_removed_on_request(pair, tmp_path):
    heights = fractal(SHAPE)
    tilted = heights + np.linspace(-6, 6, SHAPE[1], dtype=np.float32)[None, :]
    paths = write_dem(tmp_path / "a.tif", heights), write_dem(tmp_path / "b.tif", tilted)
    slope = 12 / ((SHAPE[1] - 1) * 30)
    kept = elevation_change(*paths, ElevationChangeSettings(correct_curvature=False))
    removed = elevation_change(*paths, ElevationChangeSettings(correct_tilt=True, correct_curvature=False))
    assert kept.tilt.east == pytest.approx(slope, rel=0.2)  # the translation has taken up some of it
    assert removed.after.nmad_m < 0.5 * kept.after.nmad_m
    assert any("--remove-tilt" in note for note in kept.notes)
    assert not any("--remove-tilt" in note for note in removed.notes)


def test_a_scale_error_and_waves_are_told_and_removed_on_request(tmp_path):
    """0.6 % of the elevation and a wave of 2.5 m and 3.2 km: what is asked for is taken off, the other is told."""
    shape = (260, 320)
    heights = fractal(shape)
    noise = np.random.default_rng(2).normal(0, 0.8, shape).astype(np.float32)
    row, column = np.mgrid[: shape[0], : shape[1]]
    wave = (2.5 * np.sin(2 * np.pi * 30 * (0.8 * column - 0.6 * row) / 3200)).astype(np.float32)
    paths = write_dem(tmp_path / "a.tif", heights), write_dem(tmp_path / "b.tif", 1.006 * heights + wave + noise)
    asked = {"kept": {}, "scale": {"correct_elevation_scale": True}, "waves": {"correct_undulation": True}}
    results = {name: elevation_change(*paths, ElevationChangeSettings(**given)) for name, given in asked.items()}
    kept = results["kept"]
    assert kept.elevation_scale.stands_out
    assert abs(kept.elevation_scale.per_metre - 0.006) < 3 * kept.elevation_scale.sigma_per_metre
    assert kept.undulation.waves[0].amplitude_m == pytest.approx(2.5, abs=0.2)
    assert kept.undulation.waves[0].wavelength_m == pytest.approx(3200, rel=0.02)
    told = {
        name: {flag for flag in ("--remove-elevation-scale", "--remove-undulation") if flag in " ".join(result.notes)}
        for name, result in results.items()
    }
    both = {"--remove-elevation-scale", "--remove-undulation"}
    assert told == {"kept": both, "scale": {"--remove-undulation"}, "waves": {"--remove-elevation-scale"}}
    for name, error in (("scale", wave), ("waves", 0.006 * (heights - heights.mean()))):
        result = results[name]
        assert abs(result.after.mean_m) < 0.03
        left = result.dh_m[5:-5, 5:-5] - error[5:-5, 5:-5]
        assert np.nanstd(left) < 1.1
        assert result.after.nmad_m < kept.after.nmad_m


def test_a_tilt_that_is_removed_leaves_the_mean_of_stable_terrain(tmp_path):
    """Stable terrain in the western third alone: a plane about the grid's middle would lift it by metres."""
    heights = fractal(SHAPE)
    noise = np.random.default_rng(2).normal(0, 0.5, SHAPE).astype(np.float32)
    tilted = heights + noise + np.linspace(-12, 12, SHAPE[1], dtype=np.float32)[None, :]
    mask = np.zeros(SHAPE, np.float32)
    mask[:, :120] = 1
    removed = elevation_change(
        write_dem(tmp_path / "a.tif", heights),
        write_dem(tmp_path / "b.tif", tilted),
        ElevationChangeSettings(correct_tilt=True),
        stable_mask=write_dem(tmp_path / "mask.tif", mask, nodata=None),
    )
    assert removed.tilt.removed
    assert abs(removed.after.mean_m) < 0.03


def test_two_surfaces_that_are_equal_off_the_glaciers_give_a_change_without_a_sigma(pair, tmp_path):
    """One was patched into the other: nothing tells the error, and nothing else is wrong."""
    earlier = fractal(SHAPE)
    later = earlier.copy()
    later[BOX] += THINNING
    paths = write_dem(tmp_path / "a.tif", earlier), write_dem(tmp_path / "b.tif", later)
    found = elevation_change(*paths, ElevationChangeSettings(), outlines=[pair[2]])
    assert found.totals.mean_dh_m == pytest.approx(THINNING, abs=0.01)
    assert np.isnan(found.totals.sigma_mean_dh_m)
    assert any("does not differ at all" in note for note in found.notes)


@pytest.mark.parametrize(
    ("value", "found"),
    [(2000.0, "found the height 2000 m everywhere; expected a surface with relief"), (np.nan, "found no height")],
)
def test_a_constant_or_void_dem_is_refused(pair, tmp_path, value, found):
    flat = write_dem(tmp_path / "flat.tif", np.full(SHAPE, value, np.float32))
    with pytest.raises(BadInput, match=found):
        elevation_change(flat, flat, ElevationChangeSettings())


def test_glaciers_everywhere_leave_no_stable_terrain(pair, tmp_path):
    west, north = 400_000, 4_800_000
    everywhere = shapely.box(west - 1000, north - 20_000, west + 20_000, north + 1000)
    path = tmp_path / "all.gpkg"
    gpd.GeoDataFrame({"rgi_id": ["G"]}, geometry=[everywhere], crs="EPSG:32645").to_file(path)
    with pytest.raises(BadInput, match="stable terrain: found 0 pixels; expected at least 500"):
        elevation_change(pair[0], pair[1], ElevationChangeSettings(), outlines=[path])


def test_less_memory_gives_the_same_result(pair, result):
    """Blocks of another size, and rasters in scratch files instead of memory."""
    with open_resources(workers=3, memory_bytes=285_000_000) as resources:
        few = Resources(resources.runner, Scratch(), block_pixels=8 * SHAPE[1])
        other = elevation_change(pair[0], pair[1], ElevationChangeSettings(), outlines=[pair[2]], resources=few)
    assert isinstance(other.dh_m, StoredArray)
    assert not isinstance(result.dh_m, StoredArray)
    for ours, theirs in ((other.shift_m, result.shift_m), (other.sigma_shift_m, result.sigma_shift_m)):
        assert dataclasses.astuple(ours) == pytest.approx(dataclasses.astuple(theirs), abs=1e-9)
    assert dataclasses.astuple(other.after) == pytest.approx(dataclasses.astuple(result.after), abs=1e-9)
    assert dataclasses.astuple(other.totals) == pytest.approx(dataclasses.astuple(result.totals), rel=1e-9, nan_ok=True)
    np.testing.assert_array_equal(np.asarray(other.classification), result.classification)
    np.testing.assert_allclose(np.asarray(other.dh_m), result.dh_m, atol=1e-9)
    np.testing.assert_allclose(np.asarray(other.sigma_dh_m), result.sigma_dh_m, atol=1e-9)


def test_the_published_form_of_the_fit_stands_beside_the_shift(result):
    for axis in ("east", "north"):
        ours, published = getattr(result.shift_m, axis), getattr(result.shift_by_cosine_m, axis)
        assert published == pytest.approx(ours, abs=0.02 * 30)
        assert 0 < getattr(result.sigma_shift_m, axis) < 0.02 * 30


def test_odd_inputs_are_told_of(pair, tmp_path):
    with rasterio.open(pair[1]) as source:
        heights = source.read(1)
    heights[5:9, 5:9] = 32768.0  # a void that the file does not declare
    raised = np.where(heights > -9000, heights + 40, heights)
    found = elevation_change(pair[0], write_dem(tmp_path / "odd.tif", raised), ElevationChangeSettings())
    assert any("32808, no height on Earth and not declared as nodata; void" in note for note in found.notes)
    assert any(re.search(r"earlier DEM are -4\d\.\d m off those of later DEM", note) for note in found.notes)
    assert found.classification[6, 6] == VOID


def test_voids_that_hold_a_height_stop_the_run(pair, tmp_path):
    """A glacier under an undeclared 0 m would gain its whole elevation."""
    with rasterio.open(pair[0]) as source:
        heights = source.read(1)
    heights[110:130, 150:190] = 0.0
    with pytest.raises(BadInput, match=r"filled\.tif\): found 0\.74 % of the pixels at exactly 0 m.*-a_nodata 0"):
        elevation_change(write_dem(tmp_path / "filled.tif", heights), pair[1], ElevationChangeSettings())


def test_what_is_no_vertical_datum_is_refused_where_the_other_is_unknown(pair):
    with pytest.raises(BadInput, match="vertical datum of the later DEM: found 'egm96'"):
        elevation_change(pair[0], pair[1], ElevationChangeSettings(vertical_datum_later="egm96"))


def checks(*rows):
    return pd.DataFrame(rows, columns=list(DEM_CHECKS.column_names))


def test_failed_checks_of_a_dem_are_told_once_each():
    table = checks(
        ("earlier", "all", "datum_stated", 0.0, 1.0, "1", False, "unknown"),
        ("earlier", "all", "void_share", 0.31, 0.1, "1", False, "of 900 pixels; in a.tif"),
        ("earlier", "a.tif", "void_share", 0.5, 0.1, "1", False, "of 450 pixels"),
        ("later", "all", "lowest", 12.0, -480.0, "m", True, "lowest height"),
        ("later", "c.tif | d.tif", "seam", 4.0, 1.0, "m", False, "mean step"),
        ("later", "d.tif | e.tif", "seam", -3.0, 1.0, "m", False, "mean step"),
    )
    assert notes_on_checks(table) == (
        "earlier DEM fails the check void_share: 0.31, limit 0.1 (of 900 pixels; in a.tif)",
        "later DEM fails the check seam of c.tif | d.tif: 4 m, limit 1 m (mean step, and 1 more in the table of the "
        "checks)",
    )
    assert notes_on_checks(table[table["passed"]]) == ()


@pytest.mark.parametrize(("spread", "word"), [(1.3, "too small"), (0.6, "too large"), (1.1, "")])
def test_patches_that_contradict_the_stated_error_are_told_of(spread, word):
    draw = np.random.default_rng(4)
    standardised = draw.standard_normal(400)
    standardised *= spread / standardised.std(ddof=1)
    notes = notes_on_patches(PatchTest(1e6, standardised, np.ones(400)))
    assert (word in notes[0] and f"{spread:.2f} times" in notes[0]) if word else notes == ()
    assert notes_on_patches(PatchTest(1e6, standardised[:5], np.ones(5))) == ()


def observed_of(*names, outlines=True):
    """As much of an observed pair as tells what its DEMs are named."""
    dems = [SimpleNamespace(tiles=(SimpleNamespace(file=SimpleNamespace(name=n, path=Path(n))),)) for n in names]
    return SimpleNamespace(reference_dem=dems[0], aligned_dem=dems[1], outlines=object() if outlines else None)


@pytest.mark.parametrize(
    ("names", "radars"),
    [
        (("N43E086_FABDEM_V1-2.tif", "N43E086.SRTMGL3.hgt"), "FABDEM, SRTM: a radar"),
        (("ASTGTMV003_N43E086_dem.tif", "TDM1_DEM__30_N43E086.tif"), "TanDEM-X DEM: a radar"),
        (("ASTGTMV003_N43E086_dem.tif", "ALPSMLC30_N043E086_DSM.tif"), ""),
        (("earlier.tif", "pleiades_2018_srtm_align.tif"), ""),
    ],
)
def test_a_radar_s_unstated_penetration_is_told_of(names, radars):
    notes = notes_on_penetration(observed_of(*names), ElevationChangeSettings())
    assert [note.startswith(radars) for note in notes] == ([True] if radars else [])
    assert all("雷达" in note.cn for note in notes)
    assert notes_on_penetration(observed_of(*names, outlines=False), ElevationChangeSettings()) == ()
    assert notes_on_penetration(observed_of(*names), ElevationChangeSettings(sigma_penetration_m=0.5)) == ()
