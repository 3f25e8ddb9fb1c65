"""Glacier sums: each band in its own row, errors that add up by source, regions whose glaciers err together."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rasterio.features import rasterize
from rasterio.transform import Affine

from pipeline.blocks import StoredArray
from pipeline.elevation_change.glaciers import pixels as glacier_pixels
from pipeline.elevation_change.glaciers import shape_error
from pipeline.elevation_change.glaciers.change import Surface, change_of_glaciers
from pipeline.elevation_change.glaciers.error_budget import volume_and_mass
from pipeline.elevation_change.uncertainty.variogram import Variogram, spherical
from pipeline.grid import Grid
from schemas.settings import ElevationChangeSettings
from schemas.tables import ELEVATION_BANDS, GLACIERS, REGION

GRID = Grid("EPSG:32645", Affine(30, 0, 400_000, 0, -30, 4_800_000), (120, 160))
SETTINGS = ElevationChangeSettings(
    earlier_date="2000-02-16", later_date="2013-02-15", sigma_later_date_years=1.0, band_height_m=50
)
NOISE = Variogram(ranges_m=(31.0, 900.0), sills=(0.9, 0.1))
ELEVATION = np.tile(np.linspace(4200, 3400, 120)[:, None], (1, 160)).astype(np.float32)


def glacier_tables(surface, outlines):
    """Table of glaciers, table of elevation bands, and the totals of the region."""
    change = change_of_glaciers(surface, outlines)
    return change.glaciers, change.bands, change.totals


def sloping_surface(dh=None, settings=SETTINGS, elevation=ELEVATION, **others):
    change = ((ELEVATION - 4000) / 50 if dh is None else dh).astype(np.float32)
    sigma = np.full(GRID.shape, 1.5, np.float32)
    return Surface(
        grid=GRID,
        dh_m=change,
        sigma_m=sigma,
        elevation_m=elevation,
        variogram=NOISE,
        sigma_bias_m=0.05,
        settings=settings,
        **others,
    )


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


ONE = outlines(("G1", 0, 20, 100, 30, 130))


# --- the tables ---------------------------------------------------------------------------------------------------


def test_each_band_stands_in_its_own_row():
    elevation = np.full(GRID.shape, np.nan, np.float32)
    elevation[10, 10:15] = [3010, 3020, 3060, 3110, 3149.9]
    dh = np.full(GRID.shape, np.nan)
    dh[10, 10:15] = [-3, -5, -2, np.nan, -1]
    bands = glacier_tables(sloping_surface(dh, elevation=elevation), outlines(("G", 0, 10, 11, 10, 15)))[1]
    for _, own in bands.groupby("glacier_id"):
        assert own["lower_m"].tolist() == [3000, 3050, 3100]
        assert own["upper_m"].tolist() == [3050, 3100, 3150]
        assert own["area_km2"].tolist() == pytest.approx([0.0018, 0.0009, 0.0018])
        assert own["mean_dh_m"].tolist() == [-4, -2, -1]
        assert own["median_dh_m"].tolist() == [-4, -2, -1]
        assert own["observed_share"].tolist() == [1, 1, 0.5]
    assert set(bands["glacier_id"]) == {"G", "all"}


def test_tables_have_the_columns_of_their_schemas():
    change = change_of_glaciers(sloping_surface(), ONE)
    for table, frame in ((GLACIERS, change.glaciers), (ELEVATION_BANDS, change.bands), (REGION, change.region)):
        assert tuple(frame.columns) == table.column_names
    assert len(change.region) == 1


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


def test_a_specific_mass_change_refers_to_the_mean_area_of_both_epochs():
    shapes = outlines(("G1", 0, 20, 100, 30, 130), ("G1", 1, 20, 80, 30, 130))
    row = glacier_tables(sloping_surface(), shapes)[0].iloc[0]
    assert row["mean_area_km2"] == pytest.approx(6.3)
    assert row["specific_mass_change_m_we"] == pytest.approx(row["mean_dh_m"] * 0.85 * 7.2 / 6.3)
    assert row["mass_balance_m_we_a"] == pytest.approx(row["specific_mass_change_m_we"] / 13, rel=1e-3)


def test_rates_carry_the_error_of_the_dates():
    row = glacier_tables(sloping_surface(), ONE)[0].iloc[0]
    assert row["mean_dhdt_m_a"] == pytest.approx(row["mean_dh_m"] / 13, rel=1e-3)
    of_dates = abs(row["mean_dh_m"]) * 1.0 / 13**2
    assert row["sigma_mean_dhdt_m_a"] == pytest.approx(np.hypot(row["sigma_mean_dh_m"] / 13, of_dates), rel=1e-3)


def test_without_dates_there_are_no_rates():
    row = glacier_tables(sloping_surface(settings=ElevationChangeSettings()), ONE)[0].iloc[0]
    assert np.isnan(
        row[["mean_dhdt_m_a", "sigma_mean_dhdt_m_a", "mass_balance_m_we_a", "sigma_date_m"]].astype(float)
    ).all()
    assert np.isfinite(row["mass_change_kg"])


def test_volume_and_mass_by_hand():
    found = volume_and_mass(-2.0, 0.1, 1e6, ElevationChangeSettings())
    assert found["volume_change_m3"] == -2e6
    assert found["mass_change_kg"] == -1.7e9
    assert found["sigma_volume_change_m3"] == pytest.approx(np.hypot(1e5, 1e5))
    assert found["sigma_mass_change_kg"] == pytest.approx(np.hypot(850 * np.hypot(1e5, 1e5), 60 * 2e6))


# --- flags --------------------------------------------------------------------------------------------------------


def test_glaciers_at_the_edge_and_of_one_pixel_are_flagged():
    shapes = outlines(("edge", 0, 100, 140, 30, 60), ("tiny", 0, 10, 11, 10, 11), ("whole", 0, 20, 60, 80, 120))
    glaciers = glacier_tables(sloping_surface(), shapes)[0].set_index("glacier_id")
    assert "crosses the edge" in glaciers.loc["edge", "flags"]
    assert "fewer than 25 pixels" in glaciers.loc["tiny", "flags"]
    assert glaciers.loc["whole", "flags"] == ""


def test_a_period_too_short_for_the_density_is_flagged():
    flags = []
    for later in ("2004-02-16", "2006-02-16"):
        settings = ElevationChangeSettings(earlier_date="2000-02-16", later_date=later)
        change = change_of_glaciers(sloping_surface(settings=settings), ONE)
        flags.append((change.glaciers["flags"].iloc[0], change.region["flags"].iloc[0]))
    assert flags == [("period below five years",) * 2, ("", "")]


def test_an_outline_of_one_epoch_only_is_flagged_and_its_area_not_taken_for_the_other():
    shapes = outlines(
        ("A", 0, 20, 60, 30, 60), ("A", 1, 20, 50, 30, 60), ("gone", 0, 20, 60, 80, 120), ("new", 1, 70, 90, 80, 120)
    )
    rows = glacier_tables(sloping_surface(), shapes)[0].set_index("glacier_id")
    assert rows.loc["gone", "flags"] == "no outline at the later epoch"
    assert np.isnan(rows.loc["gone", "area_later_km2"])
    assert rows.loc["new", "flags"] == "no outline at the earlier epoch"
    assert np.isnan(rows.loc["new", "area_earlier_km2"])
    assert rows.loc["new", "mean_area_km2"] == rows.loc["new", "area_later_km2"]
    assert rows.loc["A", "flags"] == ""


def test_a_glacier_without_data_stays_in_the_table():
    change = sloping_surface().dh_m.copy()
    change[20:60, 80:120] = np.nan
    shapes = outlines(("void", 0, 20, 60, 80, 120), ("seen", 0, 70, 110, 80, 120))
    found = change_of_glaciers(sloping_surface(change), shapes)
    assert found.glaciers.set_index("glacier_id").loc["void", "flags"] == "no data"
    assert found.totals.area_km2 == pytest.approx(1.44)
    assert (found.totals.count, found.region["count_measured"].iloc[0]) == (2, 1)
    assert found.region["flags"].iloc[0] == "1 glaciers without data"


def test_glaciers_all_without_data_give_no_number():
    found = change_of_glaciers(sloping_surface(np.full(GRID.shape, np.nan)), ONE)
    assert np.isnan([found.totals.mean_dh_m, found.totals.sigma_mean_dh_m, found.totals.volume_change_m3]).all()
    assert found.bands.empty
    assert found.glaciers["flags"].tolist() == ["no data"]


# --- reading ------------------------------------------------------------------------------------------------------


class Watched:
    """A raster that remembers what was read of it."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.read = values, values.shape, values.dtype, []

    def __getitem__(self, window):
        self.read.append(window)
        return self.values[window]


def on(rasters):
    dh_m, sigma_m, elevation_m = rasters
    return Surface(
        grid=GRID,
        dh_m=dh_m,
        sigma_m=sigma_m,
        elevation_m=elevation_m,
        variogram=NOISE,
        sigma_bias_m=0.05,
        settings=SETTINGS,
    )


def test_only_the_boxes_of_the_glaciers_are_read():
    surface = sloping_surface()
    watched = [Watched(values) for values in (surface.dh_m, surface.sigma_m, surface.elevation_m)]
    change_of_glaciers(on(watched), outlines(("A", 0, 20, 30, 40, 55)))
    for raster in watched:
        assert raster.read
        for rows, columns in raster.read:
            assert (rows.start >= 19, rows.stop <= 31, columns.start >= 39, columns.stop <= 56) == (True,) * 4


def test_stored_rasters_and_strips_change_nothing(tmp_path, monkeypatch):
    draw = np.random.default_rng(1)
    dh = np.where(draw.random(GRID.shape) < 0.1, np.nan, (ELEVATION - 4000) / 50 + draw.normal(0, 1.5, GRID.shape))
    surface = sloping_surface(dh)
    shapes = outlines(("A", 0, 20, 60, 30, 90), ("B", 0, 60, 110, 30, 100), ("C", 0, 5, 45, 100, 150))
    expected = change_of_glaciers(surface, shapes)
    stored = []
    for name, values in (("dh", surface.dh_m), ("sigma", surface.sigma_m), ("height", surface.elevation_m)):
        stored.append(StoredArray(tmp_path / name, GRID.shape, np.float32))
        stored[-1][:, :] = values
    monkeypatch.setattr(glacier_pixels, "PIXELS_AT_ONCE", 300)
    found = change_of_glaciers(on(stored), shapes)
    for name in ("glaciers", "bands", "region"):
        assert getattr(found, name).equals(getattr(expected, name)), name


def test_burning_by_box_gives_every_pixel_to_the_glacier_that_burning_all_at_once_does():
    draw = np.random.default_rng(4)
    shapes = []
    for _ in range(25):
        angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        radius = draw.uniform(200, 700) * (1 + 0.3 * np.sin(3 * angle + draw.uniform(0, 6)))
        east, north = 400_000 + draw.uniform(-200, 5000), 4_800_000 - draw.uniform(-200, 3800)
        shapes.append(shapely.Polygon(np.column_stack([east + radius * np.cos(angle), north + radius * np.sin(angle)])))
    names = [f"G{number:02d}" for number in range(25)]
    frame = gpd.GeoDataFrame({"glacier_id": names, "epoch": 0}, geometry=shapes, crs=GRID.crs)
    pairs = [(shape, number + 1) for number, shape in enumerate(shapes)]
    whole = rasterize(pairs, GRID.shape, transform=GRID.transform, dtype="int32")
    united = glacier_pixels.GlacierShapes.of(frame, GRID)
    found = np.zeros(GRID.shape, int)
    for number in range(25):
        window = united.window(number)
        found[window][united.inside(number, window)] += number + 1
    np.testing.assert_array_equal(found, whole)


def test_a_void_height_is_taken_from_the_glaciers_nearest_ones():
    dh = sloping_surface().dh_m.copy()
    elevation = ELEVATION.copy()
    hole = (slice(50, 56), slice(60, 66))
    dh[hole], elevation[hole] = np.nan, np.nan
    found = glacier_tables(sloping_surface(dh, elevation=elevation), ONE)[0].iloc[0]
    known = glacier_tables(sloping_surface(dh), ONE)[0].iloc[0]
    assert found["mean_dh_m"] == pytest.approx(known["mean_dh_m"], abs=2e-4)
    assert found["observed_share"] == known["observed_share"] < 1


# --- errors -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def budgets():
    """Glaciers and region of a surface with every source of error."""
    draw = np.random.default_rng(7)
    dh = (ELEVATION - 4000) / 50 + draw.normal(0, 2, GRID.shape)
    dh[draw.random(GRID.shape) < 0.15] = np.nan
    dh[:30] = np.nan
    settings = SETTINGS.model_copy(update={"sigma_penetration_m": 0.4})
    shapes = outlines(
        ("A", 0, 20, 60, 30, 90), ("A", 1, 22, 60, 30, 88), ("B", 0, 60, 110, 30, 100), ("B", 1, 60, 105, 30, 99)
    )
    change = change_of_glaciers(sloping_surface(dh, settings, sigma_shift_m=(0.3, 0.4)), shapes)
    return [*change.glaciers.to_dict("records"), *change.region.to_dict("records")]


def test_the_sources_add_up_to_the_published_errors(budgets):
    for row in budgets:
        own = [row[f"sigma_{name}_m"] for name in ("measurement", "filling", "coregistration", "correction")]
        assert min(own) > 0.005
        assert np.linalg.norm(own) == pytest.approx(row["sigma_mean_dh_m"])
        years = row["mean_dh_m"] / row["mean_dhdt_m_a"]
        rate = np.linalg.norm([*own, row["sigma_date_m"]]) / years
        assert rate == pytest.approx(row["sigma_mean_dhdt_m_a"])
        area_m2 = row["area_km2"] * 1e6
        volume = np.linalg.norm([*own, row["sigma_area_m"]]) * area_m2
        assert volume == pytest.approx(row["sigma_volume_change_m3"])
        mass = np.linalg.norm([*own, row["sigma_area_m"], row["sigma_density_m"]]) * 850 * area_m2
        assert mass == pytest.approx(row["sigma_mass_change_kg"])
        specific = mass / (1000 * row["mean_area_km2"] * 1e6)
        assert specific == pytest.approx(row["sigma_specific_mass_change_m_we"])
        date = row["sigma_date_m"] / abs(row["mean_dh_m"]) * row["specific_mass_change_m_we"]
        assert np.hypot(specific, date) / years == pytest.approx(row["sigma_mass_balance_m_we_a"])
        assert row["observed_share"] + row["filled_share"] == pytest.approx(1)
        assert 0 < row["extrapolated_share"] + 0 <= row["filled_share"] or row["glacier_id"] == "B"


def test_sources_that_glaciers_share_do_not_shrink_with_their_number(budgets):
    *glaciers, region = budgets
    for name in ("coregistration", "correction", "area", "date", "density"):
        column = f"sigma_{name}_m"
        weighted = sum(row[column] * row["area_km2"] for row in glaciers) / region["area_km2"]
        assert region[column] == pytest.approx(weighted, rel=0.01), name
    for name in ("measurement", "filling"):
        column = f"sigma_{name}_m"
        assert region[column] < max(row[column] for row in glaciers), name


def test_the_shift_counts_by_the_slope_of_the_glacier():
    """South-facing ground that falls by 800 m over 119 pixels: an error of the shift to the north tilts dh by it."""
    slope = 800 / (119 * 30)
    for shift, expected in (((0.5, 0.0), 0.05), ((0.0, 0.5), np.hypot(0.05, 0.5 * slope))):
        row = glacier_tables(sloping_surface(sigma_shift_m=shift), ONE)[0].iloc[0]
        assert row["sigma_coregistration_m"] == pytest.approx(expected, rel=1e-4)


def scattered_glaciers(seed):
    """Twelve round glaciers, some of them side by side, on a grid of 120 x 160 pixels."""
    draw = np.random.default_rng(seed)
    places = [(draw.uniform(10, 110), draw.uniform(10, 150), draw.uniform(3, 10)) for _ in range(12)]
    shapes = [
        shapely.Point(GRID.transform.c + 30 * column, GRID.transform.f - 30 * row).buffer(30 * radius)
        for row, column, radius in places
    ]
    names = [f"G{number:02d}" for number in range(len(shapes))]
    return gpd.GeoDataFrame(
        {"glacier_id": names, "glacier_name": "", "epoch": 0, "date": ""}, geometry=shapes, crs=GRID.crs
    )


@pytest.mark.parametrize(("blocks", "within"), [(1 << 17, 1e-9), (1200, 0.01), (200, 0.03)])
def test_the_regions_error_is_the_sum_over_all_pairs_of_its_pixels(monkeypatch, blocks, within):
    """Against the explicit double sum over every pixel of every glacier; coarse blocks come within a few percent."""
    monkeypatch.setattr(shape_error, "BLOCKS_OF_REGION", blocks)
    model = Variogram(ranges_m=(150.0, 3000.0), sills=(0.7, 0.3))
    frame = scattered_glaciers(3)
    draw = np.random.default_rng(1)
    sigma = draw.uniform(0.5, 3, GRID.shape).astype(np.float32)
    surface = Surface(
        grid=GRID,
        dh_m=(ELEVATION - 4000) / 50,
        sigma_m=sigma,
        elevation_m=ELEVATION,
        variogram=model,
        sigma_bias_m=0.0,
        settings=SETTINGS,
    )
    change = change_of_glaciers(surface, frame)
    united = glacier_pixels.GlacierShapes.of(frame, GRID)
    weights = np.zeros(GRID.shape)
    for number, area in enumerate(change.glaciers["area_km2"]):
        window = united.window(number)
        inside = united.inside(number, window)
        weights[window][inside] += area / inside.sum() / change.totals.area_km2

    def of_pairs(own):
        rows, columns = np.nonzero(own)
        distance = 30 * np.hypot(rows[:, None] - rows, columns[:, None] - columns)
        covariance = 0.7 * (1 - spherical(distance / 150)) + 0.3 * (1 - spherical(distance / 3000))
        spread = own[rows, columns] * sigma[rows, columns]
        return np.sqrt(spread @ covariance @ spread)

    assert change.region["sigma_measurement_m"].iloc[0] == pytest.approx(of_pairs(weights), rel=within)
    bands = change.bands[change.bands["glacier_id"] == "all"].set_index("lower_m")
    own = (weights > 0) & (np.floor(ELEVATION / 50) * 50 == 3800)
    assert bands.loc[3800, "sigma_mean_dh_m"] == pytest.approx(of_pairs(own / own.sum()), rel=within)


def test_a_box_beyond_a_million_pixels_is_summed_in_blocks(monkeypatch):
    """The exact sum and the one by blocks of four pixels agree within a percent."""
    exact = glacier_tables(sloping_surface(), ONE)[0]["sigma_measurement_m"].iloc[0]
    monkeypatch.setattr(shape_error, "block_side", lambda shape: 4)
    found = glacier_tables(sloping_surface(), ONE)[0]["sigma_measurement_m"].iloc[0]
    assert found != exact
    assert found == pytest.approx(exact, rel=0.01)
