"""Statistics of any number of pixels in blocks, overall and by terrain class, against NumPy on all of them at once."""

from __future__ import annotations

from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.elevation_change.statistics import (
    FEW_VALUES,
    FINE_BINS,
    Bins,
    rebinned,
    statistics,
    statistics_of,
    tally,
)
from pipeline.elevation_change.terrain import aspect_deg, inner_gradient, inner_maximum_curvature, slope_deg
from pipeline.elevation_change.uncertainty.accuracy import (
    ASPECT_EDGES_DEG,
    SLOPE_EDGES_DEG,
    BlockTerrain,
    accuracy_plan,
    accuracy_table_of,
    aspect_class_numbers,
    class_numbers,
    histogram_numbers,
    slope_class_numbers,
    tally_accuracy,
)
from schemas.tables import ACCURACY
from tests.made.synthetic_pairs import fractal

EXACT = ("mean_m", "mean_absolute_m", "std_m", "rmse_m")
ORDERED = ("median_m", "nmad_m", "le90_m")


def draw(kind, count=200_000, seed=3):
    rng = np.random.default_rng(seed)
    values = {
        "normal": lambda: 3 * rng.normal(size=count) - 1.5,
        "heavy tails": lambda: 3 * rng.standard_t(2, count),
        "skewed": lambda: 4 * rng.gamma(1.5, size=count) - 2,
        "far from zero": lambda: 500 + 3 * rng.normal(size=count),
        "two heaps": lambda: np.where(rng.random(count) < 0.4, -20, 5) + rng.normal(size=count),
        "few": lambda: 3 * rng.normal(size=37),
    }
    return values[kind]().astype(np.float32)


# --- one tally ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["normal", "heavy tails", "skewed", "far from zero", "two heaps", "few"])
def test_a_tally_knows_the_statistics_of_the_values(kind):
    values = draw(kind)
    exact, found = statistics(values), statistics_of(tally(values, Bins.spanning(values[::3])))
    assert found.count == exact.count
    for name in EXACT:
        assert getattr(found, name) == pytest.approx(getattr(exact, name), rel=1e-11)
    # each of a few values is known to the bin it lies in, and the NMAD is a difference of two of them
    allowed = 3e-3 if kind == "few" else 1e-3
    for name in ORDERED:
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=allowed * exact.nmad_m)


def test_whole_metres_are_known_to_a_bin():
    """Of lattice values no place within the bin is known: the error is that of a bin, 0.2 % of the NMAD."""
    values = np.rint(draw("normal") * 2)
    bins = Bins.spanning(values)
    exact, found = statistics(values), statistics_of(tally(values, bins))
    for name in ORDERED:
        assert abs(getattr(found, name) - getattr(exact, name)) <= 1.5 * bins.width


@pytest.mark.parametrize("count", [1, 2, 3, 10, FEW_VALUES - 1, FEW_VALUES, FEW_VALUES + 1])
def test_few_values_follow_the_same_definition_as_many(count):
    values = draw("normal", count)
    bins = Bins(0.0, 0.01, 4096)
    exact, found = statistics(values), statistics_of(tally(values, bins))
    for name in ORDERED:
        assert getattr(found, name) == pytest.approx(getattr(exact, name), abs=0.02)


def test_a_value_alone_in_its_bin_lies_in_the_middle_of_it():
    bins = Bins(0.0, 0.01, 4096)
    for values, middle in (([0.0099], 0.005), ([0.0099, 1.0099], 0.505), ([-3.0001, 0.0099, 1.0001], 0.005)):
        assert statistics_of(tally(np.array(values), bins)).median_m == pytest.approx(middle, abs=1e-9)


def test_sums_are_exact_and_counts_whole_for_any_blocking():
    values = draw("heavy tails", 150_001)
    bins = Bins.spanning(values)
    whole = tally(values, bins)
    for size in (1_000, 77_777, 140_000):
        parts = [tally(values[start : start + size], bins) for start in range(0, values.size, size)]
        total = sum(parts[1:], start=parts[0])
        np.testing.assert_array_equal(total.histogram, whole.histogram)
        assert total.count == whole.count == values.size
        for name in ("total", "squares", "absolutes"):
            assert getattr(total, name) == pytest.approx(getattr(whole, name), rel=1e-12)


def test_what_lies_beyond_the_bins_is_counted_in_the_outermost():
    values = np.concatenate([np.linspace(-1, 1, 4001), [1e5, -1e5, 3e4]])
    tallied = tally(values, Bins(0.0, 0.01, 400))
    assert tallied.histogram[[0, -1]].tolist() == [1, 2]
    assert statistics_of(tallied).mean_absolute_m == pytest.approx(np.abs(values).mean(), rel=1e-12)


def test_nothing_has_no_statistics():
    found = statistics_of(tally(np.empty(0, np.float32), Bins(0.0, 1.0, 2)))
    assert found.count == 0
    assert np.isnan([value for name, value in asdict(found).items() if name != "count"]).all()


def test_tallies_of_different_bins_do_not_add_up():
    values = draw("few")
    with pytest.raises(ValueError, match="different bins"):
        tally(values, Bins(0.0, 1.0, 8)) + tally(values, Bins(0.5, 1.0, 8))


@pytest.mark.parametrize("wrong", [{"width": 0.0}, {"width": np.nan}, {"centre": np.inf}, {"count": 3}, {"count": 0}])
def test_impossible_bins_are_refused(wrong):
    with pytest.raises(ValueError, match="not bins"):
        replace(Bins(0.0, 1.0, 8), **wrong)


def test_bins_span_a_sample_without_its_voids_and_with_its_tail():
    assert Bins.spanning(np.array([[np.nan, 2.0], [2.0, 2.0]])).centre == 2.0
    assert Bins.spanning(np.full(5, np.nan)).edges()[[0, -1]].tolist() == [-60, 60]
    mostly_zero = np.concatenate([np.zeros(900), np.full(100, 70.0)])
    assert Bins.spanning(mostly_zero).edges()[-1] > 70


def test_a_histogram_for_a_figure_counts_what_numpy_counts():
    values = draw("normal")
    edges = np.linspace(-20, 20, 81)
    found = rebinned(tally(values, Bins.spanning(values)), edges)
    expected = np.histogram(values, edges)[0]
    # a fine bin that an edge cuts is shared out evenly; it holds at most some 200 of the values
    assert np.abs(found - expected).max() <= 30
    assert found.sum() == expected.sum() == values.size


# --- classes ------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([-2.0, -1.0, -0.5, -1e-3, 0.0, 1e-3, 0.5, 1.0, 2.0]), min_size=2, max_size=2))
def test_aspect_classes_are_those_of_the_angle_and_level_ground_has_none(components):
    east, north = (np.array([component], np.float32) for component in components)
    angle = np.degrees(np.arctan2(-east.astype(np.float64), -north.astype(np.float64))) % 360
    expected = 0 if east == north == 0 else int(np.searchsorted(ASPECT_EDGES_DEG, angle, "right")[0])
    assert aspect_class_numbers(east, north).tolist() == [expected]


def test_slope_and_aspect_classes_of_random_ground():
    draws = np.random.default_rng(2)
    east, north = (draws.normal(size=(40, 71)).astype(np.float32) * draws.random((40, 71)) for _ in range(2))
    east[3, 4] = north[5, 6] = np.nan
    slope, aspect = slope_deg(east, north), aspect_deg(east, north)
    for found, angle, edges in (
        (slope_class_numbers(east, north), slope, SLOPE_EDGES_DEG),
        (aspect_class_numbers(east, north), aspect, ASPECT_EDGES_DEG),
    ):
        expected = np.searchsorted(edges, angle, "right")
        expected[np.isnan(angle)] = 0
        np.testing.assert_array_equal(found, expected)


def test_classes_hold_their_lower_edge_and_the_last_its_upper_one():
    values = np.array([-1, 0, 4.999, 5, 9.99, 10, 10.01, np.nan])
    assert class_numbers(values, (0.0, 5.0, 10.0)).tolist() == [0, 1, 1, 2, 2, 2, 0, 0]
    assert class_numbers(values, (-np.inf, 5.0, np.inf)).tolist() == [1, 1, 1, 2, 2, 2, 2, 0]


# --- the table of accuracy ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ground():
    heights = fractal((162, 243), seed=5, relief_m=500)
    slopes = inner_gradient(heights, 30.0)
    return BlockTerrain(heights[1:-1, 1:-1], *slopes, inner_maximum_curvature(heights, 30.0))


@pytest.fixture(scope="module")
def steps(ground):
    noise = np.random.default_rng(6).normal(size=(3, *ground.elevation.shape)).astype(np.float32)
    return {
        "raw": 5 * noise[0] + 12 * ground.gradient_east - 7 * ground.gradient_north + 8,
        "coregistered": 4 * noise[1] + 6 * ground.curvature,
        "corrected": 3 * noise[2],
    }


@pytest.fixture(scope="module")
def judged(ground):
    mask = np.random.default_rng(7).random(ground.elevation.shape) < 0.7
    mask[40:60, 100:130] = False
    return mask


def part_of(ground, rows):
    return BlockTerrain(*(values[rows] for values in vars(ground).values()))


def plan_for(ground, steps, judged):
    sample = {name: dh[judged][::5] for name, dh in steps.items()}
    heights = ground.elevation[judged][::5]
    return accuracy_plan(float(heights.min()), float(heights.max()), ground.curvature[judged][::5], sample)


@pytest.fixture(scope="module")
def tallied(ground, steps, judged):
    return tally_accuracy(plan_for(ground, steps, judged), steps, judged, ground)


def test_the_table_is_that_of_all_pixels_at_once(ground, steps, judged, tallied):
    """Attribute by attribute with masks and medians: sums agree exactly, medians to a fraction of their own error."""
    found = accuracy_table_of(tallied)
    assert tuple(found.columns) == ACCURACY.column_names
    assert not found.duplicated(list(ACCURACY.primary_key)).any()
    slope, aspect = (angle(ground.gradient_east, ground.gradient_north) for angle in (slope_deg, aspect_deg))
    attributes = {"slope": slope, "aspect": aspect, "elevation": ground.elevation, "curvature": ground.curvature}
    for row in found.to_dict("records"):
        chosen = judged
        if row["class"] != "all":
            values = attributes[row["class"]]
            last = row["upper"] == found[found["class"] == row["class"]]["upper"].max()
            chosen = judged & (values >= row["lower"]) & ((values <= row["upper"]) if last else (values < row["upper"]))
        exact = statistics(steps[row["step"]][chosen])
        assert row["count"] == exact.count
        for name in EXACT:
            assert row[name] == pytest.approx(getattr(exact, name), rel=1e-10, abs=1e-12)
        for name in ORDERED:
            # one bin of a class is 3 % of the NMAD wide; the standard error of a median is 1.25 sigma / sqrt(n)
            allowed = 1e-3 * exact.nmad_m if row["class"] == "all" else 0.06 * exact.nmad_m
            assert row[name] == pytest.approx(getattr(exact, name), abs=allowed)


def test_every_judged_pixel_is_in_one_class_of_each_attribute(judged, tallied):
    found = accuracy_table_of(tallied)
    for _, group in found[found["class"] != "all"].groupby(["step", "class"]):
        assert group["count"].sum() == judged.sum()


def test_rows_come_step_by_step_and_class_by_class(tallied):
    found = accuracy_table_of(tallied)
    assert found["step"].drop_duplicates().tolist() == ["raw", "coregistered", "corrected"]
    for _, group in found.groupby("step"):
        assert group["class"].drop_duplicates().tolist() == ["all", "slope", "aspect", "elevation", "curvature"]
        for name, classes in group.groupby("class"):
            assert classes["lower"].is_monotonic_increasing
            assert classes["unit"].unique().tolist() == [
                {"all": "", "slope": "degree", "aspect": "degree", "elevation": "m", "curvature": "(100 m)-1"}[name]
            ]
    heights = found[found["class"] == "elevation"]
    assert ((heights["upper"] - heights["lower"]) == 200).all()
    assert (heights["lower"] % 200 == 0).all()


@pytest.mark.parametrize("rows", [9, 40, 101])
def test_any_blocking_gives_the_same_table(ground, steps, judged, tallied, rows):
    parts = [
        tally_accuracy(
            tallied.plan,
            {name: dh[start : start + rows] for name, dh in steps.items()},
            judged[start : start + rows],
            part_of(ground, slice(start, start + rows)),
        )
        for start in range(0, judged.shape[0], rows)
    ]
    total = sum(parts[1:], start=parts[0])
    whole, blocked = accuracy_table_of(tallied), accuracy_table_of(total)
    assert whole["count"].tolist() == blocked["count"].tolist()
    for name in (*EXACT, *ORDERED, "lower", "upper"):
        np.testing.assert_allclose(blocked[name], whole[name], rtol=1e-10, atol=1e-12)
    for step, overall in tallied.overall.items():
        np.testing.assert_array_equal(total.overall[step].histogram, overall.histogram)


def test_a_planted_bias_stands_in_its_class(ground, steps, judged):
    """Nine metres on slopes that face south-east to south, and nowhere else."""
    aspect = aspect_deg(ground.gradient_east, ground.gradient_north)
    facing = (aspect >= 135) & (aspect < 180)
    planted = {"corrected": steps["corrected"] + 9 * facing.astype(np.float32)}
    found = accuracy_table_of(tally_accuracy(plan_for(ground, planted, judged), planted, judged, ground))
    by_aspect = found[found["class"] == "aspect"].set_index("lower")
    assert by_aspect["median_m"].drop(135.0).abs().max() < 0.5
    assert by_aspect["median_m"][135.0] == pytest.approx(9, abs=0.5)


def test_pixels_beyond_the_sample_open_the_classes_of_curvature(ground, steps, judged, tallied):
    bent = ground.curvature.copy()
    bent[np.nonzero(judged)[0][0], np.nonzero(judged)[1][0]] = 77.7777
    found = accuracy_table_of(tally_accuracy(tallied.plan, steps, judged, replace(ground, curvature=bent)))
    classes = found[(found["class"] == "curvature") & (found["step"] == "raw")]
    assert classes["upper"].max() == 77.778
    assert classes["lower"].min() <= ground.curvature[judged].min()
    assert classes["count"].sum() == judged.sum()


def test_without_curvature_there_are_no_rows_of_it(ground, steps, judged):
    flat = replace(ground, curvature=np.full_like(ground.curvature, np.nan))
    found = accuracy_table_of(tally_accuracy(plan_for(flat, steps, judged), steps, judged, flat))
    assert set(found["class"]) == {"all", "slope", "aspect", "elevation"}


def test_nothing_judged_gives_counts_of_zero(ground, steps, judged, tallied):
    nothing = tally_accuracy(tallied.plan, steps, np.zeros_like(judged), ground)
    found = accuracy_table_of(nothing)
    assert found["class"].tolist() == ["all"] * 3
    assert found["count"].tolist() == [0, 0, 0]
    both = accuracy_table_of(nothing + tallied)
    assert both["count"].tolist() == accuracy_table_of(tallied)["count"].tolist()


def test_bins_of_another_number_are_refused(ground, steps, judged):
    plan = plan_for(ground, steps, judged)
    with pytest.raises(ValueError, match=f"must number {FINE_BINS}"):
        replace(plan, bins={"raw": Bins(0.0, 1.0, 128)})


def test_the_figures_histograms_show_both_spreads(steps, judged, tallied):
    numbers = histogram_numbers(tallied, bins=100)
    edges = numbers["edges_m"]
    assert edges.shape == (101,)
    for name, dh in steps.items():
        expected = np.histogram(dh[judged], edges)[0]
        # an edge may cut a fine bin, of some twenty values at most
        assert np.abs(numbers[name] - expected).max() <= 10
    assert numbers["corrected"].max() > 1.3 * numbers["raw"].max()
