"""The pictures of profiles, stakes and methods: what is drawn, and that nothing is invented across a gap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from catalog.figures import mass_balance as figures
from tests.made.fakes import make_mass_balance_dataset
from tests.made.year_drawings import draw_year_profile


@pytest.fixture(scope="module")
def result():
    return make_mass_balance_dataset().result


def with_points(result, rows):
    columns = result.tables["point_balances"].columns
    frame = pd.DataFrame(rows).reindex(columns=columns)
    return replace(result, tables={**result.tables, "point_balances": frame})


def visit(begin, end, balance, sigma=0.1, stake="1", bound="="):
    return {
        "point_id": stake, "kind": "stake", "year": end.year, "period": "instantaneous", "begin_date": begin,
        "end_date": end, "balance_m_we": balance, "sigma_balance_m_we": sigma, "bound": bound,
    }  # fmt: skip


A, B, C, D, E = (date(2000 + year, 8, 28) for year in range(5))


def draw_all(result, folder):
    folder.mkdir()
    figures.draw_balance_profiles(folder / "profiles.png", result, True)
    figures.draw_stake_history(folder / "stakes.png", result, True)
    figures.draw_methods(folder / "methods.png", result, True)
    draw_year_profile(folder / "year.png", result, result.years[0], "Test 2001", True)
    return folder


def test_the_same_numbers_give_the_same_bytes(result, tmp_path):
    few = replace(result, tables={**result.tables, "stakes": result.tables["stakes"].iloc[:5]})
    first, second = draw_all(few, tmp_path / "a"), draw_all(few, tmp_path / "b")
    names = sorted(path.name for path in first.iterdir())
    assert names == ["methods.png", "profiles.png", "stakes.png", "year.png"]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()
        with Image.open(first / name) as picture:
            assert min(picture.size) > 500
            assert len(set(picture.convert("L").resize((64, 64)).tobytes())) > 3  # something is drawn


def test_a_synthetic_picture_says_so(result, tmp_path):
    for synthetic in (True, False):
        figures.draw_methods(tmp_path / f"{synthetic}.png", result, synthetic)
    assert (tmp_path / "True.png").read_bytes() != (tmp_path / "False.png").read_bytes()


def test_stakes_stand_from_the_highest_down(result):
    histories = figures.stake_histories(result)
    heights = [history.elevation_m for history in histories]
    assert len(histories) == 18
    assert heights == sorted(heights, reverse=True)


def test_of_many_stakes_the_highest_and_the_lowest_are_among_those_drawn(result):
    histories = figures.stake_histories(result, most=5)
    everything = figures.stake_histories(result)
    assert len(histories) == 5
    assert (histories[0], histories[-1]) == (everything[0], everything[-1])


def test_a_run_adds_up_balances_and_errors_in_quadrature(result):
    rows = [visit(A, B, -1.0, 0.3), visit(B, C, -0.5, 0.4), visit(A, B, 9.0, stake="2", bound="<=")]
    history = {h.name: h for h in figures.stake_histories(with_points(result, rows))}
    ((days, total, sigma),) = history["1"].runs
    assert days == [A, B, C]
    np.testing.assert_allclose(total, [0, -1.0, -1.5])
    np.testing.assert_allclose(sigma, [0, 0.3, 0.5])
    assert history["2"].runs == ()  # a bound is no balance


def test_nothing_is_drawn_across_a_gap_and_nothing_added_for_it(result):
    rows = [visit(A, B, -1.0), visit(C, D, -0.5), visit(D, E, 0.2)]
    history = next(h for h in figures.stake_histories(with_points(result, rows)) if h.name == "1")
    first, second = history.runs
    assert (first[0], second[0]) == ([A, B], [C, D, E])
    np.testing.assert_allclose(second[1], [-1.0, -1.5, -1.3])


def test_legs_read_side_by_side_count_once(result):
    rows = [visit(A, C, -1.0), visit(B, C, -0.6), visit(C, D, -0.5)]
    history = next(h for h in figures.stake_histories(with_points(result, rows)) if h.name == "1")
    ((days, total, _),) = history.runs
    assert days == [A, C, D]
    np.testing.assert_allclose(total, [0, -1.0, -1.5])


def test_each_leg_is_a_line_of_its_own(result):
    readings = pd.DataFrame(
        [
            {"stake_id": "1", "leg": 2, "date": B, "exposed_m": 0.8},
            {"stake_id": "1", "leg": 1, "date": B, "exposed_m": 3.0},
            {"stake_id": "1", "leg": 1, "date": A, "exposed_m": 1.0},
            {"stake_id": "1", "leg": 2, "date": C, "exposed_m": None},
        ]
    ).reindex(columns=result.tables["readings"].columns)
    changed = replace(result, tables={**result.tables, "readings": readings})
    history = next(h for h in figures.stake_histories(changed) if h.name == "1")
    (first_days, first), (second_days, second) = history.legs
    assert (first_days, second_days) == ([A, B], [B, C])
    np.testing.assert_allclose(first, [1.0, 3.0])
    np.testing.assert_allclose(second, [0.8, np.nan])


def test_the_parts_of_the_budget_add_up_to_the_error(result, tmp_path, monkeypatch):
    """The bars of a year end at its standard deviation; the sum and the check of a budget are no sources."""
    drawn = []
    budget = {"point": 0.3, "density": 0.4, "leave_one_out": 2.0, "total": 0.5}
    years = tuple(replace(year, budget=budget if year.annual_m_we is not None else {}) for year in result.years)
    original = figures._draw_budget

    def spy(axes, chosen, at, sources):
        original(axes, chosen, at, sources)
        drawn.append((sources, [patch.get_y() + patch.get_height() for patch in axes.patches]))

    monkeypatch.setattr(figures, "_draw_budget", spy)
    figures.draw_methods(tmp_path / "m.png", replace(result, years=years), False)
    ((sources, tops),) = drawn
    assert sources == ["density", "point"]
    assert tops == pytest.approx([0.32, 0.32, 0.5, 0.5])


def test_a_series_without_any_balance_has_no_picture(result, tmp_path):
    empty = replace(result, years=(result.years[1],))
    for draw in (figures.draw_methods, figures.draw_balance_profiles):
        with pytest.raises(ValueError, match="no year with a balance"):
            draw(tmp_path / "x.png", empty, False)
    bare = replace(result, tables={**result.tables, "stakes": result.tables["stakes"].iloc[:0]})
    with pytest.raises(ValueError, match="no stake to draw"):
        figures.draw_stake_history(tmp_path / "x.png", bare, False)
    assert not (tmp_path / "x.png").exists()


def test_a_year_of_bands_alone_and_one_stake_alone_are_drawn(result, tmp_path):
    bands = with_points(result, [])
    draw_year_profile(tmp_path / "bands.png", bands, result.years[0], "Bands", False)
    one = replace(result, tables={**result.tables, "stakes": result.tables["stakes"].iloc[:1]})
    figures.draw_stake_history(tmp_path / "one.png", one, False)
    assert (tmp_path / "bands.png").stat().st_size > 5000
    assert (tmp_path / "one.png").stat().st_size > 5000
