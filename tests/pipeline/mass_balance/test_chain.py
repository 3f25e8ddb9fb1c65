"""The whole chain on small glaciers with known answers, and on the synthetic Glacier No. 51 against its truth."""

from __future__ import annotations

import json
from datetime import date
from functools import partial

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine
from shapely.geometry import Polygon, mapping

from pipeline.mass_balance.chain import mass_balance
from pipeline.mass_balance.fieldwork.read import read_field_data
from pipeline.mass_balance.result import METHODS
from pipeline.sample.kuitun import DEM_NAME, OUTLINE_NAME, WORKBOOK_NAME, write_kuitun_inputs
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from schemas.tables import MASS_BALANCE_TABLES
from tests.made.field_workbook import sheets, write_workbook
from tests.made.kuitun_truth import kuitun_truth

SETTINGS = MassBalanceSettings()


def run(tmp_path, change=lambda tables: None, settings=SETTINGS, **more):
    tables = sheets()
    change(tables)
    return mass_balance(read_field_data(write_workbook(tmp_path / "field.xlsx", tables)), settings, **more)


# --- an area-altitude table and no map ---------------------------------------------------------------------------


def test_zones_of_a_table_give_the_balance_by_hand(tmp_path) -> None:
    """Stakes -1.62, -0.81, -0.18, +0.378 in bands 1, 3, 4, 5; band 2 between: (-1.62 - 0.81) / 2."""
    year = run(tmp_path).years[0]
    by_hand = (0.2 * -1.62 + 0.3 * -1.215 + 0.4 * -0.81 + 0.3 * -0.18 + 0.2 * 0.378) / 1.4
    assert year.annual_m_we == pytest.approx(by_hand)
    assert year.by_method["contour"] is None
    assert year.ela_m == pytest.approx(3750 + 100 * 0.18 / 0.558)
    assert year.area_km2 == pytest.approx(1.4)
    assert (year.begin, year.end, year.midseason) == (date(2003, 8, 27), date(2004, 8, 26), None)
    assert year.winter_m_we is None
    assert "no_map" in year.flags
    assert 0 < year.sigma_annual_m_we < 1


def test_tables_have_the_published_shape(tmp_path) -> None:
    tables = run(tmp_path).tables
    assert list(tables) == [table.name for table in MASS_BALANCE_TABLES]
    for table in MASS_BALANCE_TABLES:
        assert tuple(tables[table.name].columns) == table.column_names
        assert not tables[table.name].duplicated(list(table.primary_key)).any(), table.name


def test_the_gate_is_computed(tmp_path) -> None:
    verdicts = {
        limit: run(tmp_path, sigma_limit_m_we=limit).tables["glacier_balances"]["gate_passed"].tolist()
        for limit in (None, 0.001, 10.0)
    }
    assert verdicts == {None: [None], 0.001: [False], 10.0: [True]}


def test_a_pit_beside_a_stake_that_was_read_is_published_and_not_used_twice(tmp_path) -> None:
    points = run(tmp_path).tables["point_balances"]
    pit = points[points["kind"] == "pit"].iloc[0]
    assert pit["balance_m_we"] == pytest.approx(0.3 * 0.38 + 0.6 * 0.44)
    assert run(tmp_path).tables["glacier_balances"].iloc[0][["n_stakes", "n_pits"]].tolist() == [4, 0]

    def lose_the_stake(tables) -> None:
        tables["readings"][9][3:8] = [None, None, None, None, "lost"]

    row = run(tmp_path, lose_the_stake).tables["glacier_balances"].iloc[0]
    assert row[["n_stakes", "n_pits"]].tolist() == [3, 1]


def test_a_bound_is_published_and_left_out_of_the_glacier(tmp_path) -> None:
    def melt_out(tables) -> None:
        tables["readings"][2][3], tables["readings"][2][7] = None, "melted_out"

    result = run(tmp_path, melt_out)
    points = result.tables["point_balances"]
    stake = points[(points["point_id"] == "1") & (points["period"] == "annual")].iloc[0]
    assert (stake["bound"], stake["balance_m_we"]) == ("<=", pytest.approx(-0.9 * 3.5))
    assert "bound_not_used:1" in result.years[0].flags
    assert result.tables["glacier_balances"].iloc[0]["n_stakes"] == 3
    assert result.tables["zone_balances"].iloc[0]["basis"] == "extrapolated"


def test_too_few_points_give_no_glacier_wide_balance(tmp_path) -> None:
    year = run(tmp_path, settings=MassBalanceSettings(minimum_points=5)).years[0]
    assert year.annual_m_we is None
    assert "too_few_points:4" in year.flags


def test_without_areas_point_balances_alone_come_back(tmp_path) -> None:
    result = run(tmp_path, lambda tables: tables.pop("hypsometry"))
    assert len(result.tables["point_balances"]) == 9
    assert result.years[0].annual_m_we is None
    assert {"no_map", "no_area_altitude_distribution"} <= set(result.years[0].flags)


def test_a_missed_year_stays_one_period_and_is_never_split(tmp_path) -> None:
    def miss(tables) -> None:
        tables["readings"][2][2] = "2005-08-26"

    result = run(tmp_path, miss)
    points = result.tables["point_balances"]
    stake = points[points["point_id"] == "1"]
    assert stake["period"].tolist() == ["instantaneous"]
    assert stake["flags"].tolist() == ["spans_several_years"]
    assert (stake["begin_date"].iloc[0], stake["end_date"].iloc[0]) == (date(2003, 8, 27), date(2005, 8, 26))
    assert [year.year for year in result.years] == [2004, 2005]
    assert result.years[1].annual_m_we is None


def test_a_mid_season_visit_parts_the_year(tmp_path) -> None:
    def visit_in_june(tables) -> None:
        rows = tables["readings"]
        june = [[row[0], 1, "2004-06-01", exposed, None, 40, 300, None] for row, exposed in
                zip(rows[1:10:2], (10, None, 20, 30, 110), strict=True)]  # fmt: skip
        tables["readings"] = [
            rows[0], rows[1], june[0], rows[2], rows[4], [2, 1, "2004-06-01", 20, None, 40, 300, None], rows[5],
            rows[6], [3, 1, "2004-06-01", 30, None, 40, 300, None], rows[7],
            rows[8], [4, 1, "2004-06-01", 110, None, 40, 300, None], rows[9],
        ]  # fmt: skip

    year = run(tmp_path, visit_in_june).years[0]
    assert year.midseason == date(2004, 6, 1)
    assert year.winter_m_we == pytest.approx(0.12)
    assert year.summer_m_we == pytest.approx(year.annual_m_we - 0.12)
    assert year.sigma_summer_m_we > year.sigma_annual_m_we


def test_two_stakes_with_one_position_are_flagged(tmp_path) -> None:
    def move(tables) -> None:
        tables["stakes"][3][1:3] = tables["stakes"][2][1:3]

    assert "one_position:1+2" in run(tmp_path, move).years[0].flags


def test_band_balances_serve_instead_of_readings(tmp_path) -> None:
    def only_bands(tables) -> None:
        for name in ("stakes", "readings", "snow_pits", "pit_layers", "hypsometry"):
            tables.pop(name)
        tables["zone_balances"] = [
            [
                "year",
                "lower_m",
                "upper_m",
                "area_km2",
                "winter_balance_m_we",
                "summer_balance_m_we",
                "annual_balance_m_we",
            ],
            [2004, 3400, 3500, 1.0, 0.2, -1.2, -1.0],
            [2004, 3500, 3600, 3.0, 0.4, -0.4, 0.0],
            [2004, 3600, 3700, 1.0, 0.5, 0.0, 0.5],
            [2005, 3400, 3500, 1.0, 0.2, -1.0, -1.0],
        ]

    first, second = run(tmp_path, only_bands).years
    assert (first.annual_m_we, first.winter_m_we) == (pytest.approx(-0.1), pytest.approx(0.38))
    assert first.by_method["zone"] == first.annual_m_we
    assert first.sigma_annual_m_we is None
    assert (first.ela_m, first.aar) == (pytest.approx(3550), pytest.approx(0.5))
    assert "annual_is_not_winter_plus_summer" in second.flags
    assert (second.ela_position, second.ela_m, second.aar) == (">", 3500, 0.0)


def test_the_year_says_how_much_of_the_glacier_its_points_cover(tmp_path) -> None:
    row = run(tmp_path).tables["glacier_balances"].iloc[0]
    assert (row["provenance"], row["n_stakes"], row["n_filled"]) == ("observed", 4, 0)
    assert (row["lowest_point_m"], row["highest_point_m"]) == (3480.0, 3860.0)
    # band 2 lies between points, none beyond them
    assert (row["observed_share"], row["extrapolated_share"]) == (pytest.approx(1.1 / 1.4), 0.0)

    def drop_the_lowest(tables) -> None:
        tables["readings"] = [row for row in tables["readings"] if row[0] != 1 and row[0] is not None]

    row = run(tmp_path, drop_the_lowest).tables["glacier_balances"].iloc[0]
    assert (row["lowest_point_m"], row["extrapolated_share"]) == (3620.0, pytest.approx(0.5 / 1.4))


def test_methods_gradients_and_areas_stand_beside_the_balance(tmp_path) -> None:
    result = run(tmp_path)
    row, year = result.tables["glacier_balances"].iloc[0], result.years[0]
    known = [row["zone_balance_m_we"], row["gradient_balance_m_we"]]
    assert row["method_range_m_we"] == pytest.approx(max(known) - min(known))
    assert list(year.by_method) == list(METHODS)
    assert {name for name, value in year.by_method.items() if value is None} == set(METHODS) - {"zone", "gradient"}
    # the line is at 3782 m: three stakes below it, one above
    heights, balances = [3480, 3620, 3740], [-1.62, -0.81, -0.18]
    slope = 100 * np.polyfit(heights, balances, 1)[0]
    assert row["gradient_below_ela_m_we_per_100m"] == pytest.approx(slope)
    assert row["gradient_above_ela_m_we_per_100m"] is None
    assert row["accumulation_area_km2"] == pytest.approx(1.4 * year.aar)
    assert row["ablation_area_km2"] + row["accumulation_area_km2"] == pytest.approx(1.4)


def test_the_budget_table_has_every_source_and_adds_up(tmp_path) -> None:
    table = run(tmp_path).tables["error_budgets"]
    assert set(table["scope"]) == {"annual", "cumulative"}
    for _, rows in table.groupby("scope"):
        parts = rows[rows["source"] != "total"]["sigma_m_we"]
        assert np.sqrt(np.sum(parts**2)) == pytest.approx(rows[rows["source"] == "total"]["sigma_m_we"].iloc[0])


def test_each_stake_is_predicted_from_the_others(tmp_path) -> None:
    """Without a map by the straight line through the others; the influence is what its absence would change."""
    table = run(tmp_path).tables["leave_one_out"].set_index("point_id")
    heights, balances = [3620, 3740, 3860], [-0.81, -0.18, 0.378]
    predicted = np.polyval(np.polyfit(heights, balances, 1), 3480)
    assert table.loc["1", "predicted_balance_m_we"] == pytest.approx(predicted)
    assert table.loc["1", "balance_m_we"] == pytest.approx(-1.62)
    error = (-1.62 - predicted) / table.loc["1", "sigma_predicted_m_we"]
    assert table.loc["1", "standardised_error"] == pytest.approx(error)


# --- a map -------------------------------------------------------------------------------------------------------

CORNERS = [(500_150, 4_798_650), (500_700, 4_798_600), (500_900, 4_799_200), (500_600, 4_799_700), (500_250, 4_799_500)]


def write_map(tmp_path):
    """A plane that rises 0.4 m a metre to the north from 3400 m, under a pentagon."""
    northing = 4_800_000 - 10 * (np.arange(160) + 0.5)
    surface = np.repeat((3400 + 0.4 * (northing - 4_798_600))[:, None], 120, axis=1)
    profile = {"driver": "GTiff", "height": 160, "width": 120, "count": 1, "dtype": "float32", "crs": "EPSG:32645"}
    with rasterio.open(
        tmp_path / "dem.tif", "w", **profile, transform=Affine(10, 0, 500_000, 0, -10, 4_800_000)
    ) as file:
        file.write(surface.astype("float32"), 1)
    feature = {"type": "Feature", "properties": {}, "geometry": mapping(Polygon(CORNERS))}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32645"}}
    (tmp_path / "outline.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "crs": crs, "features": [feature]})
    )
    return {"dem": tmp_path / "dem.tif", "outline": tmp_path / "outline.geojson"}


def straight_balance(tables, zero_m=3700) -> None:
    """Every stake on b = 0.005 (z - zero_m), lost as ice and gained as snow, with its elevation on the plane."""
    tables.pop("hypsometry"), tables.pop("snow_pits"), tables.pop("pit_layers")
    for row in tables["stakes"][2:]:
        row[3] = 3400 + 0.4 * (row[2] - 4_798_600)
    heights = {row[0]: row[3] for row in tables["stakes"][2:]}
    rows = [row for row in tables["readings"][1:] if row[0] is not None]
    for first, second in zip(rows[::2], rows[1::2], strict=True):
        balance = 0.005 * (heights[first[0]] - zero_m)
        loss, snow = max(-balance, 0) / 0.9 * 100, max(balance, 0) / 0.5 * 100
        first[3:7] = [400, None, None, None]
        second[3:7] = [400 + loss - snow, None, snow, 500 if snow else None]
    tables["readings"] = [tables["readings"][0], *rows]


def test_a_straight_balance_over_a_plane_is_integrated_exactly(tmp_path) -> None:
    """The mean of a linear field is its value at the centroid of the outline; the line of zero is at 3700 m."""
    result = run(tmp_path, straight_balance, **write_map(tmp_path))
    year = result.years[0]
    outline = Polygon(CORNERS)
    exact = 0.005 * (3400 + 0.4 * (outline.centroid.y - 4_798_600) - 3700)
    assert year.by_method["field"] == pytest.approx(exact, abs=0.002)
    assert year.by_method["contour"] == pytest.approx(exact, abs=0.002)
    assert year.by_method["gradient"] == pytest.approx(exact, abs=0.01)
    assert year.ela_m == pytest.approx(3700, abs=1)
    above = outline.intersection(Polygon([(5e5, 4_799_350), (5.02e5, 4_799_350), (5.02e5, 4.8e6), (5e5, 4.8e6)]))
    assert year.aar == pytest.approx(above.area / outline.area, abs=0.005)
    assert year.area_km2 == pytest.approx(outline.area / 1e6)
    assert result.outline.equals_exact(outline, 1e-6)


def test_the_field_has_isolines_errors_and_nothing_off_the_glacier(tmp_path) -> None:
    field = run(tmp_path, straight_balance, **write_map(tmp_path)).years[0].field
    inside = np.isfinite(field.balance_m_we)
    assert inside.sum() * 100 == pytest.approx(Polygon(CORNERS).area, rel=0.01)
    assert (field.sigma_balance_m_we[inside] > 0).all()
    assert np.isnan(field.sigma_balance_m_we[~inside]).all()
    levels = [line.balance_m_we for line in field.isolines]
    assert levels == sorted(levels)
    assert np.diff(levels) == pytest.approx(0.1)


def test_the_budget_adds_up_and_densities_do_not_average_out(tmp_path) -> None:
    year = run(tmp_path, partial(straight_balance, zero_m=4000), **write_map(tmp_path)).years[0]
    parts = [year.budget[name] for name in ("point", "density", "interpolation", "area", "method")]
    assert year.sigma_annual_m_we == pytest.approx(np.sqrt(np.sum(np.square(parts))))
    # every stake stands in ice: 15 of 900 kg m-3 of the glacier's balance
    assert year.budget["density"] == pytest.approx(abs(year.by_method["field"]) * 15 / 900, rel=0.01)


def test_stakes_off_the_outline_or_off_the_dem_are_flagged(tmp_path) -> None:
    def misplace(tables) -> None:
        straight_balance(tables)
        tables["stakes"][2][1] = 501_100
        tables["stakes"][3][3] += 80

    flags = run(tmp_path, misplace, **write_map(tmp_path)).years[0].flags
    assert {"off_the_outline:1", "elevation_unlike_dem:2"} <= set(flags)


def test_a_dem_needs_an_outline(tmp_path) -> None:
    ground = write_map(tmp_path)
    with pytest.raises(BadInput, match=r"glacier surface: found a DEM without an outline; expected both"):
        run(tmp_path, dem=ground["dem"])
    with pytest.raises(BadInput, match=r"glacier surface: found an outline without a DEM"):
        run(tmp_path, outline=ground["outline"])


def test_without_a_point_the_map_gives_what_its_influence_says(tmp_path) -> None:
    """The balance of the field without a stake is that with it minus its influence, under one covariance."""
    tables = run(tmp_path, straight_balance, **write_map(tmp_path)).tables
    influence = tables["leave_one_out"].set_index("point_id")["influence_m_we"]
    # stakes on one straight profile predict each other exactly: none of them moves the balance
    assert np.abs(influence).max() < 1e-6


def test_the_primary_method_is_a_setting(tmp_path) -> None:
    settings = MassBalanceSettings(primary_method="zone")
    year = run(tmp_path, straight_balance, settings, **write_map(tmp_path)).years[0]
    assert year.annual_m_we == year.by_method["zone"] != year.by_method["contour"]


def test_the_chain_tells_what_it_does_and_gives_the_same_twice(tmp_path) -> None:
    told: list[str] = []
    ground = write_map(tmp_path)
    first = run(tmp_path, straight_balance, tell=told.append, **ground)
    second = run(tmp_path, straight_balance, **ground)
    assert "integrating the balance of 2004" in told
    for name, table in first.tables.items():
        assert table.equals(second.tables[name]), name
    assert np.array_equal(first.years[0].field.balance_m_we, second.years[0].field.balance_m_we, equal_nan=True)


# --- the synthetic Glacier No. 51 --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def kuitun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kuitun")
    write_kuitun_inputs(folder)
    data = read_field_data(folder / WORKBOOK_NAME)
    ground = {"dem": folder / DEM_NAME, "outline": folder / OUTLINE_NAME}
    return mass_balance(data, MassBalanceSettings(year_start="09-01"), sigma_limit_m_we=0.2, **ground)


@pytest.mark.slow
def test_the_stated_error_covers_the_truth(kuitun) -> None:
    truth = kuitun_truth().years
    assert [year.year for year in kuitun.years] == [year.year for year in truth] == list(range(2000, 2012))
    ratios = [
        abs(year.annual_m_we - true.annual_m_we) / year.sigma_annual_m_we
        for year, true in zip(kuitun.years, truth, strict=True)
    ]
    assert sum(ratio <= 1 for ratio in ratios) >= 6
    assert max(ratios) <= 3
    assert max(year.sigma_annual_m_we for year in kuitun.years) < 0.2
    assert kuitun.tables["glacier_balances"]["gate_passed"].all()


@pytest.mark.slow
def test_seasons_exist_exactly_where_a_mid_season_visit_does(kuitun) -> None:
    for year, true in zip(kuitun.years, kuitun_truth().years, strict=True):
        assert (year.winter_m_we is None) == (true.midseason is None)
        if true.midseason is not None:
            assert abs(year.winter_m_we - true.winter_m_we) <= 3 * year.sigma_winter_m_we
            assert year.annual_m_we == pytest.approx(year.winter_m_we + year.summer_m_we)


@pytest.mark.slow
def test_point_balances_agree_with_the_truth_at_the_stakes(kuitun) -> None:
    truth = {(point.point_id, point.year): point for point in kuitun_truth().points}
    points = kuitun.tables["point_balances"]
    stakes = points[(points["kind"] == "stake") & (points["period"] == "annual")]
    values = stakes[stakes["bound"] == "="].to_dict("records")
    ratios = [
        (row["balance_m_we"] - truth[row["point_id"], row["year"]].annual_m_we) / row["sigma_balance_m_we"]
        for row in values
    ]
    assert len(ratios) > 180
    assert np.mean(np.abs(ratios) <= 1) > 0.6
    assert max(np.abs(ratios)) < 4
    for row in stakes[stakes["bound"] == "<="].to_dict("records"):
        assert truth[row["point_id"], row["year"]].annual_m_we <= row["balance_m_we"]


@pytest.mark.slow
def test_equilibrium_line_and_accumulation_area_follow_the_truth(kuitun) -> None:
    for year, true in zip(kuitun.years, kuitun_truth().years, strict=True):
        assert abs(year.ela_m - true.ela_m) < 50
        assert abs(year.aar - true.aar) < 0.10
