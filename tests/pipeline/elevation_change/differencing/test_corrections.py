"""Radar penetration and season: added on glaciers, by surface, with an error that does not shrink with the area."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pydantic import ValidationError
from rasterio.transform import Affine

from pipeline.elevation_change.differencing.corrections import corrections_table, with_corrections
from pipeline.elevation_change.glaciers.change import Surface, change_of_glaciers
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.grid import Grid
from schemas.settings import ElevationChangeSettings, SurfaceCorrection
from schemas.tables import CORRECTIONS

SHAPE = (40, 70)
ELEVATION = np.linspace(3500, 4300, 40, dtype=np.float32)[:, None] + np.zeros(SHAPE, np.float32)
GLACIER = np.zeros(SHAPE, bool)
GLACIER[5:35, 10:60] = True
ICE = {"surface": "ice and snow below 4000 m", "to_m": 4000, "snow_later_m": 0.3, "sigma_snow_m": 0.2}
FIRN = {
    "surface": "firn", "from_m": 4000, "penetration_earlier_m": 2.5, "penetration_later_m": 1.0,
    "sigma_penetration_m": 0.8, "snow_earlier_m": 0.5, "sigma_snow_m": 0.6, "basis": "a study of that firn",
}  # fmt: skip
BOTH = ElevationChangeSettings(surface_corrections=(SurfaceCorrection(**ICE), SurfaceCorrection(**FIRN)))


def test_each_surface_gets_its_own_correction_and_stable_ground_none():
    dh = np.full(SHAPE, -3, np.float32)
    dh[20, 30] = np.nan
    found = with_corrections(dh, ELEVATION, GLACIER, BOTH)
    firn = ELEVATION >= 4000
    expected = np.where(GLACIER, np.where(firn, -3 + (1.0 - 2.5) + 0.5, -3 - 0.3), -3).astype(np.float32)
    expected[20, 30] = np.nan
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    assert (dh[np.isfinite(dh)] == -3).all()  # the input stays


def test_blocks_give_what_the_whole_gives():
    dh = np.random.default_rng(0).normal(-3, 4, SHAPE).astype(np.float32)
    whole = with_corrections(dh, ELEVATION, GLACIER, BOTH)
    for rows in (7, 16):
        parts = [slice(start, start + rows) for start in range(0, SHAPE[0], rows)]
        blocks = [with_corrections(dh[part], ELEVATION[part], GLACIER[part], BOTH) for part in parts]
        np.testing.assert_array_equal(np.concatenate(blocks), whole)


def test_by_default_nothing_is_added_and_the_table_says_so():
    dh = np.ones(SHAPE, np.float32)
    assert with_corrections(dh, ELEVATION, GLACIER, ElevationChangeSettings()) is dh
    table = corrections_table(ElevationChangeSettings())
    assert tuple(table.columns) == CORRECTIONS.column_names
    row = table.iloc[0]
    assert (len(table), row["surface"], row["added_m"], row["sigma_added_m"]) == (1, "all glacier surfaces", 0, 0)
    assert row["basis"] == "none applied: no value is given"


def test_one_value_for_all_surfaces():
    settings = ElevationChangeSettings(penetration_earlier_m=2.0, penetration_later_m=0.5, sigma_penetration_m=1.0)
    found = with_corrections(np.zeros(SHAPE, np.float32), ELEVATION, GLACIER, settings)
    assert set(found[GLACIER].tolist()) == {-1.5}
    assert not found[~GLACIER].any()
    row = corrections_table(settings).iloc[0]
    assert (row["penetration_earlier_m"], row["added_m"], row["sigma_added_m"]) == (2.0, -1.5, 1.0)
    assert row["basis"] == "the settings of the run"


def test_the_table_states_every_surface():
    table = corrections_table(BOTH).set_index("surface")
    assert table.loc["firn", ["from_m", "added_m", "basis"]].tolist() == [4000, -1.0, "a study of that firn"]
    assert table.loc["firn", "sigma_added_m"] == pytest.approx(1.0)
    assert table.loc["ice and snow below 4000 m", "added_m"] == pytest.approx(-0.3)
    assert np.isnan(table.loc["firn", "to_m"])


def test_the_error_counts_by_the_share_of_the_surface_and_is_shared_by_all_glaciers():
    grid = Grid("EPSG:32645", Affine(30, 0, 400_000, 0, -30, 4_800_000), SHAPE)
    boxes = [(5, 35, 10, 40), (20, 35, 42, 60)]
    shapes = [
        shapely.box(400_000 + 30 * left, 4_800_000 - 30 * bottom, 400_000 + 30 * right, 4_800_000 - 30 * top)
        for top, bottom, left, right in boxes
    ]
    frame = gpd.GeoDataFrame(
        {"glacier_id": ["A", "B"], "glacier_name": "", "epoch": 0}, geometry=shapes, crs="EPSG:32645"
    )
    one = np.ones(SHAPE, np.float32)
    change = change_of_glaciers(
        Surface(
            grid=grid,
            dh_m=-3 * one,
            sigma_m=one,
            elevation_m=ELEVATION,
            variogram=Variogram(ranges_m=(31.0,), sills=(1.0,)),
            sigma_bias_m=0,
            settings=BOTH,
        ),
        frame,
    )
    firn = [float((ELEVATION[top:bottom, 0] >= 4000).mean()) for top, bottom, _, _ in boxes]
    expected = [np.hypot(share * 1.0, (1 - share) * 0.2) for share in firn]
    assert change.glaciers["sigma_correction_m"].tolist() == pytest.approx(expected)
    area = np.array([(bottom - top) * (right - left) for top, bottom, left, right in boxes])
    region = float(np.average(firn, weights=area))
    assert change.region["sigma_correction_m"].iloc[0] == pytest.approx(np.hypot(region * 1.0, (1 - region) * 0.2))
    highest = change.bands[change.bands["glacier_id"] == "all"].iloc[-1]
    assert highest["sigma_mean_dh_m"] == pytest.approx(1.0, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"surface_corrections": [ICE, {**FIRN, "from_m": 3900}]}, "overlap: -inf to 4000 m and 3900 to inf m"),
        ({"surface_corrections": [ICE, {**FIRN, "surface": ICE["surface"]}]}, "names a surface twice"),
        ({"surface_corrections": [{**FIRN, "to_m": 3900}]}, "from_m 4000.0 must be below to_m 3900.0"),
        ({"surface_corrections": [FIRN], "penetration_later_m": 1}, "exclude each other: give one of them"),
        ({"surface_corrections": [{**FIRN, "sigma_snow_m": -1}]}, "greater than or equal to 0"),
        ({"surface_corrections": [{**FIRN, "surface": ""}]}, "at least 1 character"),
    ],
)
def test_corrections_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        ElevationChangeSettings(**settings)
