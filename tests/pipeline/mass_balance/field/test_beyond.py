"""What is taken beyond the measured elevations, and its error, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pipeline.mass_balance.field.beyond import (
    BALANCE_RATIO,
    EVEN_DISTANCE,
    GAP_SHARE,
    SHRUNK,
    SIGMA_GRADIENT,
    TONGUE_GRADIENT,
    Beyond,
)
from pipeline.mass_balance.ground import SortedHeights
from pipeline.mass_balance.result import BalanceYear
from tests.made.field_surveys import STAKES, reading, survey, year_of

LOST, GAINED = np.array([-2.0, -1.0, -0.5]), np.array([0.2, 0.4, 0.7])


def test_above_points_that_all_lost_the_gradient_falls_by_the_balance_ratio() -> None:
    beyond = Beyond.of(LOST, "annual")
    assert (beyond.above, beyond.below) == (pytest.approx(1 / BALANCE_RATIO), 1.0)
    assert beyond.stretched(np.array([3400.0, 3600.0, 3700.0]), 3500, 3600) == pytest.approx(
        [3400, 3600, 3600 + 100 / BALANCE_RATIO]
    )


def test_below_points_that_all_gained_the_gradient_leans_on_that_of_tongues() -> None:
    beyond = Beyond.of(GAINED, "annual")
    slope = 0.3
    down = -(3500 - beyond.stretched(np.array([3400.0]), 3500, 3700)[0]) / 100 * slope
    down += beyond.added(np.array([3400.0]), 3500)[0]
    assert down == pytest.approx(-((1 - SHRUNK) * BALANCE_RATIO * slope + SHRUNK * TONGUE_GRADIENT))
    assert beyond.above == 1


def test_seasons_go_on_straight() -> None:
    beyond = Beyond.of(GAINED, "winter")
    assert (beyond.above, beyond.below, beyond.sigma_m_we_per_100m) == (1, 1, SIGMA_GRADIENT["winter"])


def test_over_a_small_part_of_the_area_the_profile_goes_on_straight() -> None:
    beyond = Beyond.of(LOST, "annual")
    assert beyond.for_shares(0.17, 0.04).above == 1
    assert beyond.for_shares(0.5, 0.0).above == beyond.above
    assert beyond.above < beyond.for_shares(0.27, 0.0).above < 1


def test_the_error_counts_the_height_to_the_nearest_point_and_is_one_above_and_one_below() -> None:
    beyond = Beyond(sigma_m_we_per_100m=0.3)
    points = np.array([3500.0, 3600.0])
    area = np.array([3400.0, 3450.0, 3540.0, 3700.0, 3800.0])
    above, below, gap = (100 + 200) / 5, (100 + 50) / 5, 40 / 5
    assert beyond.error_of_mean(area, points) == pytest.approx(0.003 * math.hypot(above, below, GAP_SHARE * gap))
    # more of the same area does not make it smaller
    assert beyond.error_of_mean(np.repeat(area, 50), points) == pytest.approx(beyond.error_of_mean(area, points))
    assert beyond.error_of_mean(area, np.array([3500.0, 3500.0])) == 0


@pytest.mark.parametrize("points", [np.array([3500.0, 3600.0]), np.array([3350.0, 3900.0, 3620.0, 3620.0, 3701.5])])
def test_sorted_heights_give_the_errors_of_pixel_by_pixel(points) -> None:
    beyond = Beyond(sigma_m_we_per_100m=0.3)
    area = np.random.default_rng(7).gamma(4, 60, 999) + 3400
    heights = SortedHeights.of(area)
    assert beyond.error_over(heights, points) == pytest.approx(beyond.error_of_mean(area, points), rel=1e-9)
    assert heights.mean_above(3600) == pytest.approx(np.mean(np.maximum(area - 3600, 0)))
    assert heights.mean_below(3600) == pytest.approx(np.mean(np.maximum(3600 - area, 0)))
    known = np.sort(points)
    held = area[(area >= known[0]) & (area <= known[-1])]
    nearest = np.abs(held[:, None] - known).min(axis=1)
    assert heights.mean_gap(known) == pytest.approx(nearest.sum() / area.size)
    assert heights.nearest_shares(known).sum() == pytest.approx(held.size / area.size)


def test_points_that_stand_for_more_than_their_share_are_less_sure() -> None:
    beyond = Beyond(sigma_m_we_per_100m=0.3, sigma_uneven_m_we=0.5)
    area = SortedHeights.of(np.arange(3400.0, 3801.0))
    even = beyond.error_of_uneven(area, np.array([3400.0, 3500.0, 3600.0, 3700.0, 3800.0]))
    high = beyond.error_of_uneven(area, np.array([3400.0, 3425.0, 3450.0, 3475.0, 3800.0]))
    # the highest stands for the upper half of its gap, 162.5 of 401 m, the next for as much and 12.5 m
    assert high == pytest.approx(0.5 * math.hypot(162.5 / 401 - 0.2, 175 / 401 - 0.2), rel=0.02)
    assert even < high / 3


def test_an_area_far_from_its_points_is_less_sure() -> None:
    """A square of 100 x 100 pixels: an even net of 5 x 5 points adds nothing, a line of 25 down its middle does."""
    beyond = Beyond(sigma_far_m_we=0.5)
    side = np.arange(100) + 0.5
    area = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    net = np.stack(np.meshgrid(side[10::20], side[10::20]), axis=-1).reshape(-1, 2)
    line = np.column_stack([np.full(25, 50.0), np.linspace(2, 98, 25)])
    assert beyond.error_of_distance(area, net, 1e4, 1.0) == 0
    # distances to the middle line run evenly from 0 to half the side: 25 in the mean, 1.25 spacings
    assert beyond.error_of_distance(area, line, 1e4, 0.6) == pytest.approx(0.3 * (25 / 20 - EVEN_DISTANCE), rel=0.03)


def test_only_the_annual_balance_counts_the_distance() -> None:
    assert Beyond.of(LOST, "annual").sigma_far_m_we > 0
    assert Beyond.of(LOST, "winter").sigma_far_m_we == 0


def low_stakes(count: int, spacing_m: float):
    stakes = [
        {"stake_id": f"S{k}", "easting": 290_000 + 100 * k, "northing": 4_845_000, "elevation_m": 3420 + spacing_m * k}
        for k in range(count)
    ]
    rows = []
    for k in range(count):
        rows += [reading(f"S{k}", "2003-09-25", 1.0), reading(f"S{k}", "2004-09-20", 3.0 - 0.005 * spacing_m * k)]
    return {"stakes": stakes, "readings": rows}


def balance_of(tmp_path, name: str, tables) -> BalanceYear:
    return year_of(survey(tmp_path / name, tables), 2004)


def test_three_stakes_in_a_line_under_two_thirds_of_the_area_say_how_little_they_know(tmp_path) -> None:
    year = balance_of(tmp_path, "low", low_stakes(3, 20))
    assert year.budget["interpolation"] > 0.3
    assert year.budget["unmeasured"] <= year.budget["interpolation"]
    assert year.unmeasured_area_share == pytest.approx(1 - (40 / 100) * 0.1 / 1.2)
    assert {"unmeasured_area", "unmeasured_error"} <= {flag.partition(":")[0] for flag in year.flags}
    assert year.unmeasured_error_share == pytest.approx(year.budget["unmeasured"] ** 2 / year.sigma_annual_m_we**2)


def test_the_error_grows_with_what_is_not_measured(tmp_path) -> None:
    sigmas = [balance_of(tmp_path, f"{count}", low_stakes(count, 50)).sigma_annual_m_we for count in (9, 7, 5, 3)]
    assert sigmas == sorted(sigmas)
    assert sigmas[-1] > 3 * sigmas[0]


def test_a_network_over_all_elevations_is_not_flagged(tmp_path) -> None:
    rows = []
    for name, *_ in STAKES:
        rows += [reading(name, "2003-09-25", 1.0), reading(name, "2004-09-20", 2.0)]
    year = balance_of(tmp_path, "all", {"readings": rows})
    assert year.unmeasured_area_share == pytest.approx((0.05 + 0.1 + 0.1) / 1.2)
    assert not any(flag.startswith("unmeasured") for flag in year.flags)


def test_stakes_a_and_b_of_one_site_count_once(tmp_path) -> None:
    """A second stake beside each halves the reading error of a site, not how well the site stands for its zone."""
    rows, twins, stakes = [], [], []
    for name, easting, northing, elevation in STAKES:
        for letter, place in (("a", 0), ("b", 3)):
            own = f"{name}{letter}"
            stakes.append({"stake_id": own, "easting": easting + place, "northing": northing, "elevation_m": elevation})
            twins += [reading(own, "2003-09-25", 1.0), reading(own, "2004-09-20", 2.0)]
        rows += [reading(name, "2003-09-25", 1.0), reading(name, "2004-09-20", 2.0)]
    alone = balance_of(tmp_path, "alone", {"readings": rows})
    doubled = balance_of(tmp_path, "doubled", {"stakes": stakes, "readings": twins})
    assert doubled.budget["point"] == pytest.approx(alone.budget["point"], rel=0.1)
    assert doubled.budget["point"] > alone.budget["point"] / math.sqrt(2) * 1.2
