"""Glacier sums: each band in its own row, voids filled without bias, volume and mass with their errors."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rasterio.transform import Affine

from pipeline.elevation_change.glacier_change import (
    Surface,
    elevation_bands,
    fill_by_band,
    glacier_tables,
    volume_and_mass,
)
from pipeline.elevation_change.uncertainty import Variogram
from pipeline.grid import Grid
from schemas.settings import ElevationChangeSettings

GRID = Grid("EPSG:32645", Affine(30, 0, 400_000, 0, -30, 4_800_000), (120, 160))
SETTINGS = ElevationChangeSettings(
    earlier_date="2000-02-16", later_date="2013-02-15", sigma_later_date_years=1.0, band_height_m=50
)
NOISE = Variogram((30.0, 900.0), (0.9, 0.1), np.empty(0), np.empty(0), np.empty(0))


def sloping_surface(dh=None):
    elevation = np.tile(np.linspace(4200, 3400, 120)[:, None], (1, 160)).astype(np.float32)
    change = (elevation - 4000) / 50 if dh is None else dh
    return Surface(GRID, change, np.full(GRID.shape, 1.5, np.float32), elevation, NOISE, 0.05, SETTINGS)


def outlines(*boxes):
    """Boxes as (identifier, epoch, first row, last row, first column, last column), in pixels."""
    west, north = GRID.transform.c, GRID.transform.f
    shapes = [
        shapely.box(west + left * 30, north - bottom * 30, west + right * 30, north - top * 30)
        for _, _, top, bottom, left, right in boxes
    ]
    names = [box[0] for box in boxes]
    epochs = [box[1] for box in boxes]
    return gpd.GeoDataFrame(
        {"glacier_id": names, "glacier_name": "", "epoch": epochs, "date": ""}, geometry=shapes, crs=GRID.crs
    )


def test_each_band_stands_in_its_own_row():
    elevation = np.array([3010.0, 3020.0, 3060.0, 3110.0, 3149.9])
    dh = np.array([-3.0, -5.0, -2.0, np.nan, -1.0])
    bands = elevation_bands(dh, elevation, 0.01, 50)
    assert bands["lower_m"].tolist() == [3000, 3050, 3100]
    assert bands["upper_m"].tolist() == [3050, 3100, 3150]
    assert bands["area_km2"].tolist() == pytest.approx([0.02, 0.01, 0.02])
    assert bands["mean_dh_m"].tolist() == [-4, -2, -1]
    assert bands["observed_share"].tolist() == [1, 1, 0.5]


def test_voids_take_their_bands_mean_and_empty_bands_are_interpolated():
    elevation = np.array([3010.0, 3020.0, 3060.0, 3110.0, 3130.0])
    dh = np.array([-4.0, np.nan, np.nan, -1.0, -3.0])
    filled = fill_by_band(dh, elevation, elevation_bands(dh, elevation, 0.01, 50))
    assert filled.tolist() == [-4, -4, -3, -1, -3]


@pytest.mark.parametrize("seed", range(5))
def test_holes_of_known_content_are_filled_without_bias(seed):
    """20 % of a glacier punched out where it is high, as radar shadow does; the mean stays within 0.1 m."""
    draw = np.random.default_rng(seed)
    surface = sloping_surface()
    noisy = surface.dh_m + draw.normal(0, 1.0, GRID.shape)
    holes = np.zeros(GRID.shape, bool)
    while holes[20:100, 30:130].mean() < 0.2:
        row, column = draw.integers(20, 60), draw.integers(30, 120)
        holes[row : row + 8, column : column + 12] = True
    punched = sloping_surface(np.where(holes, np.nan, noisy))
    shapes = outlines(("G1", 0, 20, 100, 30, 130))
    whole = glacier_tables(sloping_surface(noisy), shapes)[2]
    found = glacier_tables(punched, shapes)[2]
    assert 0.7 < found.observed_share < 0.85
    assert found.mean_dh_m == pytest.approx(whole.mean_dh_m, abs=0.1)
    assert found.sigma_mean_dh_m > whole.sigma_mean_dh_m


def test_the_change_covers_the_ice_of_all_epochs():
    shapes = outlines(("G1", 0, 20, 100, 30, 130), ("G1", 1, 20, 80, 30, 130))
    glaciers, bands, totals = glacier_tables(sloping_surface(), shapes)
    row = glaciers.iloc[0]
    assert row["area_earlier_km2"] == pytest.approx(7.2)
    assert row["area_later_km2"] == pytest.approx(5.4)
    assert row["area_km2"] == pytest.approx(7.2)
    expected = sloping_surface().dh_m[20:100, 30:130].mean()
    assert row["mean_dh_m"] == pytest.approx(expected, abs=1e-4)
    assert row["volume_change_m3"] == pytest.approx(expected * 7.2e6, rel=1e-4)
    assert totals.mean_dh_m == pytest.approx(row["mean_dh_m"])
    region = bands[bands["glacier_id"] == "all"]
    assert region["area_km2"].sum() == pytest.approx(7.2)
    assert np.average(region["mean_dh_m"], weights=region["area_km2"]) == pytest.approx(expected, abs=1e-4)


def test_rates_carry_the_error_of_the_dates():
    row = glacier_tables(sloping_surface(), outlines(("G1", 0, 20, 100, 30, 130)))[0].iloc[0]
    assert row["mean_dhdt_m_a"] == pytest.approx(row["mean_dh_m"] / 13, rel=1e-3)
    of_dates = abs(row["mean_dh_m"]) * 1.0 / 13**2
    assert row["sigma_mean_dhdt_m_a"] == pytest.approx(np.hypot(row["sigma_mean_dh_m"] / 13, of_dates), rel=1e-3)


def test_volume_and_mass_by_hand():
    found = volume_and_mass(-2.0, 0.1, 1e6, ElevationChangeSettings())
    assert found["volume_change_m3"] == -2e6
    assert found["mass_change_kg"] == -1.7e9
    assert found["sigma_volume_change_m3"] == pytest.approx(np.hypot(1e5, 1e5))
    assert found["sigma_mass_change_kg"] == pytest.approx(np.hypot(850 * np.hypot(1e5, 1e5), 60 * 2e6))


def test_glaciers_at_the_edge_and_of_one_pixel_are_flagged():
    shapes = outlines(("edge", 0, 100, 140, 30, 60), ("tiny", 0, 10, 11, 10, 11), ("whole", 0, 20, 60, 80, 120))
    glaciers = glacier_tables(sloping_surface(), shapes)[0].set_index("glacier_id")
    assert "crosses the edge" in glaciers.loc["edge", "flags"]
    assert "fewer than 25 pixels" in glaciers.loc["tiny", "flags"]
    assert glaciers.loc["whole", "flags"] == ""


def test_a_glacier_without_data_stays_in_the_table():
    change = sloping_surface().dh_m.copy()
    change[20:60, 80:120] = np.nan
    shapes = outlines(("void", 0, 20, 60, 80, 120), ("seen", 0, 70, 110, 80, 120))
    glaciers, _, totals = glacier_tables(sloping_surface(change), shapes)
    assert glaciers.set_index("glacier_id").loc["void", "flags"] == "no data"
    assert totals.area_km2 == pytest.approx(1.44)
