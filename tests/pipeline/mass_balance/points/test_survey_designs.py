"""The surveys that field teams make: each gives what it measured, and says what it did not."""

from __future__ import annotations

import random

import numpy as np
import pytest

from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings
from tests.made.field_surveys import AREAS, STAKES, point, reading, survey, year_of

LOSS = (2.0, 1.5, 1.0, 0.5, 0.2)
NAMES = [row[0] for row in STAKES]
# of balances -1.8 to -0.18 in five bands, the sixth above them by the gradient of all points: by hand
ANNUAL = -0.723


def two_autumns(first="2003-09-25", last="2004-09-20", **more):
    rows = []
    for stake, loss in zip(NAMES, LOSS, strict=True):
        rows += [reading(stake, first, 1.0, snow_depth_m=0), reading(stake, last, 1.0 + loss, snow_depth_m=0)]
    return rows


def zone_mean(values):
    """Mean over the bands of balances of the five stakes, the band above them by the straight line through all."""
    heights = np.array([row[3] for row in STAKES])
    slope = np.polyfit(heights, values, 1)[0]
    bands = [*values, values[-1] + 100 * slope]
    return float(np.dot(bands, AREAS) / np.sum(AREAS))


# --- chains before days ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("drilled", ["2004-09-30", "2004-10-01", "2004-10-12", "2004-08-25"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_stake_drilled_anew_around_the_years_end_keeps_both_years(tmp_path, drilled, seed) -> None:
    rows = []
    for stake, loss in zip(NAMES, LOSS, strict=True):
        rows += [reading(stake, "2003-09-30", 1.0), reading(stake, "2004-09-30", 1.0 + loss)]
        rows += [reading(stake, drilled, 0.8, leg=2), reading(stake, "2005-09-30", 0.8 + loss, leg=2)]
    random.Random(seed).shuffle(rows)
    result = survey(tmp_path / "field", {"readings": rows})
    assert [year_of(result, year).annual_m_we for year in (2004, 2005)] == pytest.approx([ANNUAL, ANNUAL], abs=5e-4)


@pytest.mark.parametrize(
    "nearest",
    [
        {"exposed_m": None, "status": "lost"},
        {"exposed_m": None, "status": "buried"},
        {"exposed_m": None},
        {"exposed_m": None, "status": "melted_out", "stake_length_m": 6.0},
    ],
)
@pytest.mark.parametrize("end", ["opening", "closing"])
def test_a_visit_that_says_nothing_gives_way_to_the_next_nearest(tmp_path, nearest, end) -> None:
    rows = two_autumns()
    day = "2003-10-01" if end == "opening" else "2004-10-01"
    rows += [{**reading(stake, day, None, snow_depth_m=None), **nearest} for stake in NAMES]
    year = year_of(survey(tmp_path / "field", {"readings": rows}), 2004)
    assert year.annual_m_we == pytest.approx(ANNUAL, abs=5e-4)
    assert not any(flag.startswith("bound_not_used") for flag in year.flags)


def test_of_equal_chains_the_nearest_days_count(tmp_path) -> None:
    rows = two_autumns() + [reading(stake, "2004-10-01", 2.0 + loss) for stake, loss in zip(NAMES, LOSS, strict=True)]
    annual = point(survey(tmp_path / "field", {"readings": rows}), "S1", "annual")
    assert str(annual["end_date"]) == "2004-10-01"
    assert annual["balance_m_we"] == pytest.approx(-0.9 * 3.0)


def test_a_season_takes_the_visit_that_a_chain_reaches(tmp_path) -> None:
    """On the campaign's last day the stakes could not be read: the day before counts."""
    rows = two_autumns()
    for stake in NAMES:
        rows.append(reading(stake, "2004-04-27", 0.0, snow_depth_m=1.0, snow_density_kg_m3=400))
        rows.append(reading(stake, "2004-04-29", None, status="buried"))
    year = year_of(survey(tmp_path / "field", {"readings": rows}), 2004)
    assert year.winter_m_we == pytest.approx(0.4, abs=1e-6)
    assert year.annual_m_we == pytest.approx(ANNUAL, abs=5e-4)


@pytest.mark.parametrize("seed", range(4))
def test_the_order_of_rows_never_moves_a_stake_that_was_drilled_anew(tmp_path, seed) -> None:
    rows = []
    for name, easting, northing, elevation in STAKES:
        drilled = {"easting": easting, "northing": northing, "elevation_m": elevation}
        carried = {"easting": easting + 80, "northing": northing, "elevation_m": elevation - 8}
        for leg, year in ((1, 2003), (2, 2004)):
            rows.append(reading(name, f"{year}-09-20", 1.0, leg=leg, **drilled))
            rows.append(reading(name, f"{year + 1}-09-20", 2.0, leg=leg, **carried))
    random.Random(seed).shuffle(rows)
    result = survey(tmp_path / "field", {"readings": rows})
    for year in (2004, 2005):
        places = [point(result, name, "annual", year) for name in NAMES]
        assert [place["easting"] for place in places] == [row[1] + 40 for row in STAKES]
        assert [place["elevation_m"] for place in places] == [row[3] - 4 for row in STAKES]


# --- what was measured of a year ---------------------------------------------------------------------------------

SPRING = (1.2, 1.5, 1.8, 2.2, 2.8)


def spring_drilled(density=420.0, remains=(0, 0, 0, 0.1, 1.0)):
    """Stakes drilled through the winter's snow: exposed length plus snow depth is the last summer's surface."""
    rows = []
    for stake, snow, left, loss in zip(NAMES, SPRING, remains, (2.4, 1.5, 0.7, 0, 0), strict=True):
        rows.append(reading(stake, "2004-04-25", 0.5, snow_depth_m=snow, snow_density_kg_m3=density))
        autumn = {"snow_depth_m": left, "snow_density_kg_m3": 550 if left else None}
        rows.append(reading(stake, "2004-09-20", 0.5 + snow + loss - left, **autumn))
    return rows


def test_stakes_drilled_in_spring_give_all_three_balances(tmp_path) -> None:
    result = survey(tmp_path / "field", {"readings": spring_drilled()})
    year = year_of(result, 2004)
    winter = [0.42 * snow for snow in SPRING]
    annual = [-0.9 * 2.4, -0.9 * 1.5, -0.9 * 0.7, 0.1 * 0.55, 1.0 * 0.55]
    assert year.winter_m_we == pytest.approx(zone_mean(winter))
    assert year.annual_m_we == pytest.approx(zone_mean(annual))
    assert year.summer_m_we == pytest.approx(zone_mean(annual) - zone_mean(winter))
    assert (year.begin, year.time_system) == (None, "COM")
    assert "no_visit_at_start" in year.flags
    summer = [point(result, name, "summer")["balance_m_we"] for name in NAMES]
    assert summer == pytest.approx(np.subtract(annual, winter))
    assert point(result, "S3", "annual")["flags"] == "from_summer_surface"


def test_stakes_drilled_in_spring_without_snow_depths_give_the_summer_alone(tmp_path) -> None:
    rows = [{**row, "snow_depth_m": None, "snow_density_kg_m3": None} for row in spring_drilled(remains=(0,) * 5)]
    year = year_of(survey(tmp_path / "field", {"readings": rows}), 2004)
    assert (year.annual_m_we, year.winter_m_we) == (None, None)
    assert year.summer_m_we == pytest.approx(
        zone_mean([-0.9 * (snow + ice) for snow, ice in zip(SPRING, (2.4, 1.5, 0.7, 0, 0), strict=False)])
    )
    assert year.sigma_summer_m_we > 0
    assert "too_few_points:0" in year.flags


def test_a_spring_survey_of_stakes_gives_the_winter_alone(tmp_path) -> None:
    rows = []
    for stake, snow in zip(NAMES, SPRING, strict=True):
        rows.append(reading(stake, "2003-09-25", 3.0, snow_depth_m=0))
        rows.append(reading(stake, "2004-04-28", 3.0 - snow, snow_depth_m=snow, snow_density_kg_m3=400))
    year = year_of(survey(tmp_path / "field", {"readings": rows}), 2004)
    assert year.winter_m_we == pytest.approx(zone_mean([0.4 * snow for snow in SPRING]))
    assert (year.annual_m_we, year.summer_m_we, year.ela_m) == (None, None, None)
    assert "no_visit_at_end" in year.flags


def pits(day="2004-04-28", depths=SPRING, density=400.0):
    return {
        "snow_pits": [
            {
                "pit_id": f"P{k}",
                "date": day,
                "easting": e,
                "northing": n + 50,
                "elevation_m": z,
                "floor": "summer_surface",
            }
            for k, (_, e, n, z) in enumerate(STAKES)
        ],
        "pit_layers": [
            {"pit_id": f"P{k}", "layer": 1, "top_m": 0, "bottom_m": depth, "density_kg_m3": density}
            for k, depth in enumerate(depths)
        ],
    }


def test_pits_alone_give_the_winter_in_spring_and_the_year_in_autumn(tmp_path) -> None:
    spring = year_of(survey(tmp_path / "spring", pits()), 2004)
    assert spring.winter_m_we == pytest.approx(zone_mean([0.4 * depth for depth in SPRING]))
    assert spring.annual_m_we is None
    autumn = year_of(survey(tmp_path / "autumn", pits("2004-09-25")), 2004)
    assert autumn.annual_m_we == pytest.approx(zone_mean([0.4 * depth for depth in SPRING]))
    assert autumn.winter_m_we is None


def probings(day="2004-04-28", snow=lambda z: 1.0 + 0.003 * (z - 3450), count=41):
    heights = np.linspace(3450, 3850, count)
    return [
        {"probing_id": f"Q{k}", "date": day, "easting": 290_000 + k, "northing": 4_845_000, "elevation_m": z,
         "snow_depth_m": snow(z)}
        for k, z in enumerate(heights)
    ]  # fmt: skip


def test_probings_and_one_density_give_the_winter_balance(tmp_path) -> None:
    one_pit = {name: rows[:1] for name, rows in pits().items()}
    with_pit = survey(tmp_path / "a", {"readings": two_autumns(), "probings": probings(), **one_pit})
    assert "density_of_campaign" in point(with_pit, "Q7", "winter")["flags"]
    year = year_of(with_pit, 2004)
    assert year.winter_m_we == pytest.approx(0.4 * zone_mean([1 + 0.3 * k for k in range(5)]), abs=0.01)
    assert year.annual_m_we == pytest.approx(ANNUAL, abs=5e-4)
    # a density weighed three weeks earlier serves too, with a wide error
    earlier = {"snow_pits": [{**one_pit["snow_pits"][0], "date": "2004-04-05"}], "pit_layers": one_pit["pit_layers"]}
    other = year_of(survey(tmp_path / "b", {"readings": two_autumns(), "probings": probings(), **earlier}), 2004)
    assert other.winter_m_we == pytest.approx(year.winter_m_we, abs=0.01)
    assert other.sigma_winter_m_we > year.sigma_winter_m_we


def test_probings_alone_are_a_survey_with_an_assumed_density(tmp_path) -> None:
    result = survey(tmp_path / "field", {"probings": probings()})
    year = year_of(result, 2004)
    assert year.winter_m_we == pytest.approx(0.35 * zone_mean([1 + 0.3 * k for k in range(5)]), abs=0.01)
    assert year.sigma_winter_m_we > 0.2 * year.winter_m_we
    assert point(result, "Q0", "winter")["flags"].startswith("density_assumed")


def test_probings_at_the_years_end_are_accumulation(tmp_path) -> None:
    upper = [row for row in probings("2004-09-20", lambda z: 0.005 * (z - 3600)) if row["elevation_m"] >= 3700]
    bare = [{**upper[0], "probing_id": "Q99", "snow_depth_m": 0}]
    lower = [row for row in two_autumns() if row["stake_id"] in NAMES[:3]]
    result = survey(tmp_path / "field", {"readings": lower, "probings": upper + bare})
    year = year_of(result, 2004)
    assert "no_point_in_accumulation_area" not in year.flags
    row = point(result, upper[0]["probing_id"], "annual")
    assert row["balance_m_we"] == pytest.approx(0.55 * upper[0]["snow_depth_m"])
    # no snow says nothing of the ice that went
    assert "Q99" not in set(result.tables["point_balances"]["point_id"])


# --- snow is no ice ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noted", [{}, {"snow_depth_m": 0}, {"snow_depth_m": 0, "surface": "ice"}])
@pytest.mark.parametrize("rise", [0.3, 1.2, 2.5])
def test_what_a_stake_rose_by_is_snow(tmp_path, noted, rise) -> None:
    rows = two_autumns()[:-2]
    rows += [reading("S5", "2003-09-25", 3.0, snow_depth_m=0), reading("S5", "2004-09-20", 3.0 - rise, **noted)]
    result = survey(tmp_path / "field", {"readings": rows})
    row = point(result, "S5", "annual")
    assert row["balance_m_we"] == pytest.approx(0.5 * rise)
    assert (row["ice_balance_m_we"], row["snow_balance_m_we"]) == (0, pytest.approx(0.5 * rise))
    assert row["sigma_balance_m_we"] >= 0.1 * rise
    assert row["flags"].split(";") == ["density_assumed", "surface_rise"]
    assert "surface_rise:S5" in year_of(result, 2004).flags


def test_a_rise_within_the_reading_error_is_none(tmp_path) -> None:
    rows = [*two_autumns()[:-2], reading("S5", "2003-09-25", 3.0), reading("S5", "2004-09-20", 2.95)]
    result = survey(tmp_path / "field", {"readings": rows})
    assert "surface_rise:S5" not in year_of(result, 2004).flags


def test_snow_that_nobody_noted_in_spring_is_no_ice_that_melts_in_summer(tmp_path) -> None:
    rows = two_autumns()
    rows += [reading(stake, "2004-04-28", 0.2) for stake in NAMES]
    result = survey(tmp_path / "field", {"readings": rows})
    parts = {period: point(result, "S1", period)["balance_m_we"] for period in ("annual", "winter", "summer")}
    assert parts == pytest.approx({"annual": -1.8, "winter": 0.8 * 0.35, "summer": -1.8 - 0.8 * 0.35})


def test_more_rise_than_the_noted_snow_is_more_of_that_snow(tmp_path) -> None:
    rows = [*two_autumns()[:-2], reading("S5", "2003-09-25", 3.0, snow_depth_m=0)]
    rows.append(reading("S5", "2004-09-20", 1.8, snow_depth_m=0.4, snow_density_kg_m3=450))
    row = point(survey(tmp_path / "field", {"readings": rows}), "S5", "annual")
    assert row["balance_m_we"] == pytest.approx(1.2 * 0.45)
    assert "surface_rise" in row["flags"]


def test_what_rose_is_the_next_years_old_snow(tmp_path) -> None:
    rows = [*two_autumns()[:-2], reading("S5", "2003-09-25", 3.0), reading("S5", "2004-09-20", 1.8)]
    rows += [reading("S5", "2005-09-20", 2.2, snow_depth_m=0)]
    row = point(survey(tmp_path / "field", {"readings": rows}), "S5", "annual", 2005)
    assert row["balance_m_we"] == pytest.approx(-0.4 * 0.5)
    assert row["ice_balance_m_we"] == 0


@pytest.mark.parametrize(("day", "density", "sigma"), [("2004-09-20", 550, 80), ("2004-04-28", 350, 70)])
def test_snow_without_a_density_is_that_of_its_season(tmp_path, day, density, sigma) -> None:
    rows = two_autumns()
    rows[-1] = reading("S5", "2004-09-20", 1.0, snow_depth_m=0)
    rows = [row for row in rows if (row["stake_id"], row["date"]) != ("S5", day)]
    rows.append(reading("S5", day, 0.0, snow_depth_m=1.0))
    result = survey(tmp_path / "field", {"readings": rows})
    table = result.tables["point_balances"]
    row = table[(table["point_id"] == "S5") & (table["period"] == "instantaneous")].iloc[0]
    assert row["balance_m_we"] == pytest.approx(density / 1000)
    assert row["sigma_balance_m_we"] == pytest.approx(sigma / 1000, rel=0.2)
    assert "density_assumed" in row["flags"]


# --- years -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["2003-12-31", "2004-01-01", "2004-01-09", "2003-12-20"])
def test_calendar_years_are_named_after_the_year_they_cover(tmp_path, last) -> None:
    settings = MassBalanceSettings(year_start="01-01")
    result = survey(tmp_path / "field", {"readings": two_autumns("2002-12-31", last)}, settings)
    assert [year.year for year in result.years] == [2003]
    assert result.years[0].annual_m_we == pytest.approx(ANNUAL, abs=5e-4)


# --- snow weighed and not measured -------------------------------------------------------------------------------


def weighed(day="2004-04-28", count=41, **more):
    """Probings given as water equivalents, of the snow that ``probings`` has at 400 kg m-3."""
    rows = probings(day, count=count)
    return [
        {**{k: v for k, v in row.items() if k != "snow_depth_m"}, "swe_m_we": 0.4 * row["snow_depth_m"], **more}
        for row in rows
    ]


def test_water_equivalents_need_neither_depth_nor_density(tmp_path) -> None:
    result = survey(tmp_path / "field", {"probings": weighed()})
    year = year_of(result, 2004)
    assert year.winter_m_we == pytest.approx(0.4 * zone_mean([1 + 0.3 * k for k in range(5)]), abs=0.01)
    row = point(result, "Q0", "winter")
    assert row["balance_m_we"] == pytest.approx(0.4)
    assert "density" not in row["flags"]
    # nothing of it is assumed: the error is that of a measured density
    assert row["sigma_balance_m_we"] == pytest.approx(np.hypot(0.08 * 0.4, 0.35 * 0.03), rel=1e-6)


def test_a_snow_tube_tells_the_density_of_the_other_probings(tmp_path) -> None:
    rows = [*probings(), {**probings(count=1)[0], "probing_id": "T", "snow_depth_m": 1.0, "swe_m_we": 0.45}]
    result = survey(tmp_path / "field", {"probings": rows})
    assert point(result, "T", "winter")["balance_m_we"] == pytest.approx(0.45)
    assert point(result, "Q0", "winter")["balance_m_we"] == pytest.approx(0.45 * 1.0)
    assert "density_of_campaign" in point(result, "Q0", "winter")["flags"]


def test_water_equivalents_at_the_years_end_are_accumulation(tmp_path) -> None:
    upper = weighed("2004-09-20")[25:]
    lower = [row for row in two_autumns() if row["stake_id"] in NAMES[:3]]
    result = survey(tmp_path / "field", {"readings": lower, "probings": upper})
    assert "no_point_in_accumulation_area" not in year_of(result, 2004).flags
    assert point(result, upper[0]["probing_id"], "annual")["balance_m_we"] == pytest.approx(upper[0]["swe_m_we"])


@pytest.mark.parametrize("floor", ["summer_surface", "not_reached", "below_summer_surface"])
@pytest.mark.parametrize("depth", [None, 1.1])
def test_pits_weighed_as_a_whole_need_no_layers(tmp_path, floor, depth) -> None:
    rows = [
        {**pit, "floor": floor, "swe_m_we": 0.4 * snow, "probed_depth_m": depth}
        for pit, snow in zip(pits()["snow_pits"], SPRING, strict=True)
    ]
    result = survey(tmp_path / "field", {"snow_pits": rows})
    assert year_of(result, 2004).winter_m_we == pytest.approx(zone_mean([0.4 * snow for snow in SPRING]))
    # a depth beside it makes it a density for others
    assert len(result.tables["density_fits"]) == (depth is not None)


def test_a_pit_of_neither_layers_nor_water_is_refused(tmp_path) -> None:
    rows = [{**pit, "swe_m_we": None} for pit in pits()["snow_pits"]]
    with pytest.raises(BadInput, match=r"no sheet 'pit_layers'|or its water equivalent in 'swe_m_we'"):
        survey(tmp_path / "field", {"snow_pits": rows})
