"""The synthetic glaciers are what they say: truth, knee, scour, sun, networks, readings, seeds."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely

from benchmarks.coverage_by_network import Row, compared, coverage, markdown, read_coverage, write_results
from pipeline.mass_balance import BalanceYear, mass_balance, read_field_data
from schemas.settings import MassBalanceSettings
from tests.made.glacier_families import FAMILIES, equilibrium_line, knee_profile, sunshine, synthetic_glacier
from tests.made.glacier_fieldwork import NETWORKS, area_below, write_fieldwork
from tests.made.glacier_land import NORTH_M, PIXEL_M, WEST_M, Land

SEEDS = range(6)


@pytest.fixture(scope="module")
def glaciers():
    return {family: [synthetic_glacier(family, seed) for seed in SEEDS] for family in FAMILIES}


@pytest.mark.parametrize("family", FAMILIES)
def test_glaciers_have_the_sizes_that_are_asked_for(glaciers, family):
    for glacier in glaciers[family]:
        land = glacier.land
        assert land.outline.is_valid
        assert 0.9 < land.outline.area / 1e6 < 6.5
        assert 400 <= np.ptp(land.surface_m[land.inside]) <= 900
        assert 0.15 < land.slope_deg[land.inside].mean() / 20 < 2
    areas = [round(glacier.land.outline.area) for glacier in glaciers[family]]
    assert len(set(areas)) == len(areas)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_truth_is_the_mean_over_the_outline(glaciers, family):
    """An independent sum: pixel by pixel, each weighted by the area that it shares with the outline."""
    glacier = glaciers[family][0]
    rows, columns = glacier.land.surface_m.shape
    places = [(r, c) for r in range(rows) for c in range(columns)]
    west = np.array([WEST_M + PIXEL_M * c for _, c in places])
    north = np.array([NORTH_M - PIXEL_M * r for r, _ in places])
    boxes = shapely.box(west, north - PIXEL_M, west + PIXEL_M, north)
    shared = shapely.area(shapely.intersection(boxes, glacier.land.outline)).tolist()
    for year, truth in zip(glacier.years, glacier.truth, strict=True):
        for field, found in (
            (year.winter_m_we, truth.winter_m_we),
            (year.summer_m_we, truth.summer_m_we),
            (year.annual_m_we, truth.annual_m_we),
        ):
            total = math.fsum(area * float(field[place]) for area, place in zip(shared, places, strict=True) if area)
            assert found == pytest.approx(total / glacier.land.outline.area, abs=0.01)
        assert truth.annual_m_we == pytest.approx(truth.winter_m_we + truth.summer_m_we, abs=1e-9)
        gains = math.fsum(
            area for area, place in zip(shared, places, strict=True) if float(year.annual_m_we[place]) >= 0
        )
        assert truth.aar == pytest.approx(gains / glacier.land.outline.area, abs=0.01)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_balance_about_the_equilibrium_line_is_zero(glaciers, family):
    on_glacier = 0
    for glacier in glaciers[family]:
        heights = glacier.land.surface_m[glacier.land.inside]
        for year, truth in zip(glacier.years, glacier.truth, strict=True):
            balance = year.annual_m_we[glacier.land.inside]
            if truth.ela_position == "=":
                on_glacier += 1
                assert abs(balance[np.abs(heights - truth.ela_m) <= 25].mean()) < 0.05
            else:
                assert truth.ela_m == (heights.max() if truth.ela_position == ">" else heights.min())
                assert (balance.mean() < 0) == (truth.ela_position == ">")
    assert on_glacier > 12


def test_the_equilibrium_line_of_simple_profiles():
    heights = np.arange(3000.0, 3500.0, 0.5)
    assert equilibrium_line(heights, 0.01 * (heights - 3210)) == (pytest.approx(3210, abs=1), "=")
    assert equilibrium_line(heights, heights * 0 - 1) == (3499.5, ">")
    assert equilibrium_line(heights, heights * 0 + 1) == (3000.0, "<")
    # gains between 3050 and 3100 and above 3300: the upper turn leaves less area on its wrong side
    waves = np.where((heights > 3300) | ((heights > 3050) & (heights < 3100)), 1.0, -1.0)
    assert equilibrium_line(heights, waves)[0] == pytest.approx(3300, abs=2)


def test_the_gradient_changes_at_the_knee():
    heights = np.arange(3000.0, 3401.0, 50.0)
    profile = knee_profile(heights, 3200, 50, (0.008, 0.002))
    assert np.diff(profile)[:3] == pytest.approx(0.4)
    assert np.diff(profile)[-3:] == pytest.approx(0.1)
    assert profile[0] == 0


def _gradient(glacier, chosen) -> float:
    land = glacier.land
    on = land.inside & chosen
    fields = [year.annual_m_we[on] for year in glacier.years]
    return float(np.polyfit(land.surface_m[on], np.mean(fields, axis=0), 1)[0])


def test_the_profile_of_family_one_flattens_and_that_of_family_two_does_not(glaciers):
    ratios: dict[str, list[float]] = {family: [] for family in FAMILIES}
    for family in FAMILIES:
        for glacier in glaciers[family]:
            land = glacier.land
            knee = glacier.patterns_m_we["knee"][0, 0] if family == "wind" else land.quantile_m(0.5)
            ratios[family].append(
                _gradient(glacier, land.surface_m > knee) / _gradient(glacier, land.surface_m <= knee)
            )
    assert max(ratios["wind"]) < 0.6
    assert np.median(ratios["wind"]) < 0.45
    assert 0.75 < np.median(ratios["plain"]) < 1.3


def test_the_wind_takes_snow_from_the_upper_ribs_and_from_nowhere_else(glaciers):
    for glacier in glaciers["wind"]:
        land, ribs = glacier.land, glacier.patterns_m_we["ribs"]
        upper = land.inside & (land.surface_m > land.quantile_m(0.8))
        bare = upper & (ribs >= np.quantile(ribs[upper], 0.8))
        full = upper & (ribs <= np.quantile(ribs[upper], 0.2))
        snow = np.mean([year.winter_m_we for year in glacier.years], axis=0)
        assert snow[full].mean() - snow[bare].mean() > 0.10
        assert not ribs[land.inside & (land.surface_m < land.quantile_m(0.35))].any()
        # more is taken than lies in the hollows again
        assert glacier.patterns_m_we["scour"][land.inside].mean() > 0.005
    assert all("ribs" not in glacier.patterns_m_we for glacier in glaciers["plain"])


def _roof() -> Land:
    """A ridge from west to east, 300 m high, with slopes to the north and south."""
    rows, columns = np.indices((80, 40))
    surface = 3300 - 0.3 * PIXEL_M * np.abs(rows - 40.0)
    place = shapely.box(WEST_M, NORTH_M - 80 * PIXEL_M, WEST_M + 40 * PIXEL_M, NORTH_M)
    line = np.array([[WEST_M, NORTH_M], [WEST_M + 1, NORTH_M]])
    flat = np.zeros(surface.shape)
    return Land(surface_m=surface, inside=columns >= 0, along=flat, across=flat, outline=place, centre_line=line)


def test_slopes_to_the_south_and_places_without_a_wall_before_them_have_more_sun():
    roof = _roof()
    light = sunshine(roof)
    assert light[60, 20] > light[20, 20] + 0.05
    walled = roof.surface_m * 0 + 3000
    walled[50:, :] = 3500
    shade = sunshine(replace(roof, surface_m=walled))
    assert shade[44, 20] < shade[5, 20] - 0.3
    # the sun stands in the east and west alike
    assert light[30, 5] == pytest.approx(light[30, 34], abs=0.02)


def test_avalanches_reach_the_upper_margins_alone(glaciers):
    for glacier in glaciers["plain"]:
        land, gain = glacier.land, glacier.patterns_m_we["avalanches"]
        assert gain[land.inside & (land.along < 0.25)].max() == 0
        assert gain[land.inside & (land.margin_m > 400)].max(initial=0) < 0.02
        assert 0 < gain[land.inside].mean() < 0.05


@pytest.mark.parametrize("family", FAMILIES)
def test_networks_are_where_they_say(glaciers, family, tmp_path):
    counts = {"all_elevations": 12, "centre_line": 10, "two_high": 10, "none_high": 8, "high_only": 8}
    for glacier in glaciers[family][:4]:
        land = glacier.land
        below = {}
        for network in NETWORKS:
            sites = write_fieldwork(tmp_path / f"{glacier.seed}-{network}", glacier, network).sites
            rows, columns = np.round(sites).astype(int).T
            assert land.inside[rows, columns].all()
            assert len({tuple(site) for site in sites}) == counts[network]
            below[network] = area_below(land, land.surface_m[rows, columns])
            if network == "centre_line":
                assert np.abs(land.across[rows, columns]).max() < 0.2
        assert below["all_elevations"].min() < 0.12
        assert below["all_elevations"].max() > 0.85
        assert np.diff(np.sort(below["all_elevations"])).max() < 0.25
        assert (below["two_high"] > 0.6).sum() == 2
        assert below["none_high"].max() < 0.5
        assert below["high_only"].min() > 0.5


def test_a_seed_makes_the_same_files_and_another_others(tmp_path):
    texts = []
    for number, seed in enumerate((3, 3, 4)):
        survey = write_fieldwork(tmp_path / str(number), synthetic_glacier("wind", seed), "all_elevations")
        files = [*sorted(survey.folder.iterdir()), survey.outline, survey.dem]
        texts.append([path.read_bytes() for path in files])
    assert texts[0] == texts[1]
    assert all(same != other for same, other in zip(texts[0], texts[2], strict=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_chain_finds_the_point_balances_again(glaciers, family, tmp_path):
    """Readings, snow and firn are written down as the tables mean them: errors are those of reading and density."""
    errors: dict[str, list[float]] = {"annual": [], "winter": []}
    for glacier in glaciers[family][:3]:
        survey = write_fieldwork(tmp_path / str(glacier.seed), glacier, "all_elevations")
        data = read_field_data(survey.folder)
        assert not data.corrections
        table = mass_balance(data, MassBalanceSettings()).tables["point_balances"]
        table = table[(table["kind"] == "stake") & table["period"].isin(list(errors))]
        for row in table.to_dict("records"):
            winter, annual = survey.points_m_we[row["point_id"], row["year"]]
            true = annual if row["period"] == "annual" else winter
            errors[row["period"]].append(row["balance_m_we"] - true)
    assert len(errors["annual"]) > 100
    assert len(errors["winter"]) > 60
    assert abs(np.mean(errors["annual"])) < 0.02
    assert np.std(errors["annual"]) < 0.08
    assert np.std(errors["winter"]) < 0.18


def test_coverage_counts_what_lies_within_the_stated_errors():
    rows = [
        Row("annual", value, 0.0, 0.1, family="wind", network="two_high", seed=1, year=2011)
        for value in (0.05, -0.15, 0.4)
    ]
    (found,) = coverage(rows)
    assert (found.n, found.sigma) == (3, pytest.approx(0.1))
    assert found.bias == pytest.approx(0.1)
    assert found.rms == pytest.approx(math.sqrt((0.0025 + 0.0225 + 0.16) / 3))
    assert (found.within_1, found.within_196) == (pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_a_line_off_the_glacier_agrees_with_one_off_the_same_side(glaciers):
    truth = replace(glaciers["wind"][0].truth[0], ela_m=3400.0, ela_position=">", aar=0.0)
    blank = BalanceYear(**dict.fromkeys(BalanceYear.__dataclass_fields__) | {"ela_m": 3398.0, "ela_position": ">"})
    (line,) = compared(blank, truth)
    assert line.within(1.0)
    near = replace(blank, ela_m=3300.0, ela_position="=", sigma_ela_m=60.0, aar=0.1, sigma_aar=0.05)
    line, ratio = compared(near, truth)
    assert (line.within(1.0), line.within(1.96)) == (False, True)
    assert (ratio.within(1.0), ratio.within(1.96)) == (False, False)


def test_readings_stand_for_the_balance_of_every_stake(tmp_path):
    """Between bare visits a year apart, a balance is the lowering of the surface times a density of ice or firn.

    Seed 14 has a melt that ends within a layer of firn, where what is left to melt is a rounding error.
    """
    survey = write_fieldwork(tmp_path, synthetic_glacier("wind", 14), "all_elevations")
    rows = pd.read_csv(survey.folder / "readings.csv", parse_dates=["date"])
    autumn = rows[rows["date"].dt.month == 9]
    densities = []
    for (stake, _), leg in autumn.groupby(["stake_id", "leg"]):
        for first, second in itertools.pairwise(leg.to_dict("records")):
            one_year = second["date"].year - first["date"].year == 1
            if one_year and first["snow_depth_m"] == 0 and second["snow_depth_m"] == 0:
                lowering = second["exposed_m"] - first["exposed_m"]
                balance = survey.points_m_we[stake, second["date"].year][1]
                if lowering > 1:
                    densities.append(-1000 * balance / lowering)
    assert len(densities) > 5
    assert all(520 < density < 960 for density in densities)


def test_an_earlier_run_stands_beside_a_later_one(tmp_path):
    def rows(errors):
        return [Row("aar", 0.5 + e, 0.5, 0.1, family="plain", network="high_only", seed=1, year=2011) for e in errors]

    write_results(tmp_path, rows([0.05, 0.15]), [])
    then = read_coverage(tmp_path / "coverage.json")
    assert then == coverage(rows([0.05, 0.15]))
    (line,) = (
        line for line in markdown(coverage(rows([0.3])), then).splitlines() if NETWORKS["high_only"].meaning in line
    )
    assert [cell.strip() for cell in line.split("|")][2:8] == [
        "1",
        "+0.100 → +0.300",
        "0.112 → 0.300",
        "0.100 → 0.100",
        "50 % → 0 %",
        "100 % → 0 %",
    ]
