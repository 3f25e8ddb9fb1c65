"""The shift between two DEMs: recovered to a thousandth of a pixel, and behaving as geometry demands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.blocks import Scratch, threads
from pipeline.elevation_change.coregistration.fit import cosine_fit, cosine_search, solve_step
from pipeline.elevation_change.differencing.comparison import coregistered
from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.terrain import gradient, slope_deg
from pipeline.resources import Resources
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from tests.made.synthetic_pairs import PIXEL_M, array_pair, fractal

SHAPE = (180, 240)
SETTINGS = ElevationChangeSettings(slope_min_deg=2.0)


def registered(pair, chosen=SETTINGS, workers=2, block_pixels=20_000):
    with threads(workers) as runner:
        found, terrain, _ = coregistered(pair, chosen, Resources(runner, Scratch(10**8), block_pixels))
        return found, terrain


def solved(reference, aligned, stable=None, chosen=SETTINGS):
    return registered(array_pair(reference, aligned, stable), chosen)[0].shift


@pytest.mark.parametrize("shift", [(0.37, -0.21), (-1.4, 2.6), (0.0, 0.5), (6.3, -4.8), (0.0, 0.0)])
def test_a_known_shift_is_recovered(shift):
    """The aligned DEM lies ``shift`` pixels off; bringing it back adds the opposite."""
    reference = fractal(SHAPE)
    found = solved(reference, fractal(SHAPE, shift=shift) - 1.5)
    assert found.east / PIXEL_M == pytest.approx(-shift[0], abs=0.002)
    assert found.north / PIXEL_M == pytest.approx(-shift[1], abs=0.002)
    assert found.up == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize("shift", [(31.6, -4.2), (-20.5, 26.1)])
def test_a_shift_of_nearly_a_kilometre_is_recovered(shift):
    shape = (400, 500)
    found = solved(fractal(shape, seed=5), fractal(shape, seed=5, shift=shift))
    assert (found.east / PIXEL_M, found.north / PIXEL_M) == pytest.approx((-shift[0], -shift[1]), abs=0.002)


@settings(max_examples=8, deadline=None)
@given(constant=st.floats(-80, 80))
def test_a_constant_changes_the_vertical_term_alone(constant):
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.4, 0.3))
    plain, raised = solved(reference, aligned), solved(reference, aligned + np.float32(constant))
    assert (raised.east, raised.north) == pytest.approx((plain.east, plain.north), abs=0.01)
    assert raised.up == pytest.approx(plain.up - constant, abs=0.01)


@settings(max_examples=8, deadline=None)
@given(east=st.integers(-6, 6), north=st.integers(-6, 6))
def test_moving_the_aligned_dem_moves_the_answer(east, north):
    """By whole pixels, for which the DEM is the same but for its edge."""
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.3, -0.2))
    plain = solved(reference, aligned)
    moved = solved(reference, np.roll(aligned, (-north, east), (0, 1)))
    assert moved.east - plain.east == pytest.approx(-east * PIXEL_M, abs=0.03)
    assert moved.north - plain.north == pytest.approx(-north * PIXEL_M, abs=0.03)


@settings(max_examples=4, deadline=None)
@given(turns=st.integers(1, 3), east=st.floats(-2, 2), north=st.floats(-2, 2))
def test_rotating_both_dems_rotates_the_shift(turns, east, north):
    reference, aligned = fractal((200, 200)), fractal((200, 200), shift=(east, north))
    straight = solved(reference, aligned)
    turned = solved(np.rot90(reference, turns).copy(), np.rot90(aligned, turns).copy())
    # a quarter turn anticlockwise takes east to north and north to west
    expected = complex(straight.east, straight.north) * 1j**turns
    assert complex(turned.east, turned.north) == pytest.approx(expected, abs=0.01)


def test_swapping_the_dems_reverses_the_shift():
    one, other = fractal(SHAPE), fractal(SHAPE, shift=(0.5, 0.8))
    there, back = solved(one, other), solved(other, one)
    assert (back.east, back.north) == pytest.approx((-there.east, -there.north), abs=0.05)


def test_blunders_and_change_pull_little():
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.4, -0.2)).copy()
    aligned[60:90, 80:130] += 35  # an unmapped glacier, 3.5 % of the area
    found = solved(reference, aligned)
    assert found.east / PIXEL_M == pytest.approx(-0.4, abs=0.005)
    assert found.north / PIXEL_M == pytest.approx(0.2, abs=0.005)


def test_masked_terrain_does_not_count():
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.4, -0.2)).copy()
    aligned[:, 120:] = fractal(SHAPE, seed=9)[:, 120:]
    stable = np.zeros(SHAPE, bool)
    stable[:, :110] = True
    found = solved(reference, aligned, stable)
    assert (found.east / PIXEL_M, found.north / PIXEL_M) == pytest.approx((-0.4, 0.2), abs=0.004)


def test_the_answer_does_not_depend_on_workers_or_blocks():
    draw = np.random.default_rng(2)
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.37, -0.21))
    aligned = aligned + draw.normal(0, 2, SHAPE).astype(np.float32)
    aligned[50:60, 70:90] = np.nan
    pair = array_pair(reference, aligned)
    first = registered(pair, workers=1)[0].shift
    assert registered(pair, workers=3)[0].shift == first
    for block_pixels in (2_000, 7_777, 10**6):
        other = registered(pair, block_pixels=block_pixels)[0].shift
        assert (other.east, other.north, other.up) == pytest.approx((first.east, first.north, first.up), abs=1e-9)


def test_every_stable_pixel_takes_part_in_the_last_step():
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.37, -0.21))
    slope = slope_deg(*gradient(reference, PIXEL_M))[2:-2, 2:-2]
    found = registered(array_pair(reference, aligned))[0]
    steep = int(((slope >= 2) & (slope <= SETTINGS.slope_max_deg)).sum())
    # but for outliers and the row and column that the shift leaves without support
    assert 0.97 * steep < found.iterations[-1].count <= steep


def test_the_cosine_fit_tells_size_and_direction_of_the_shift():
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.3, 0.0))
    slopes = gradient(reference, PIXEL_M)
    steep = slope_deg(*slopes) > 4
    fit = cosine_fit(reference - aligned, slopes, steep)
    # reference - aligned grows on slopes that face where the aligned DEM was moved from
    assert fit.a_m == pytest.approx(0.3 * PIXEL_M, rel=0.03)
    assert fit.b_deg == pytest.approx(270, abs=3)
    assert fit.c_m == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("shift", [(0.35, -0.58), (-2.2, 1.3)])
def test_the_published_form_and_the_normal_equations_agree(shift):
    """Nuth and Kaab's cosine of aspect classes, iterated, and its Cartesian form: to 0.002 pixel, on all pixels."""
    draw = np.random.default_rng(8)
    shape = (600, 700)
    reference, aligned = fractal(shape, seed=4), fractal(shape, seed=4, shift=shift)
    aligned = aligned + draw.normal(0, 1, shape).astype(np.float32)
    found, terrain = registered(array_pair(reference, aligned), ElevationChangeSettings())
    cosine = cosine_search(terrain, Shift(0.0, 0.0, 0.0), ElevationChangeSettings())
    for ours, theirs in ((found.shift.east, cosine.east), (found.shift.north, cosine.north)):
        assert ours / PIXEL_M == pytest.approx(theirs / PIXEL_M, abs=0.002)
    assert (found.shift.east / PIXEL_M, found.shift.north / PIXEL_M) == pytest.approx((-shift[0], -shift[1]), abs=0.002)


def test_least_absolute_deviations_against_a_general_minimiser():
    """The fixed point minimises the Huber loss of slope-weighted residuals, found here by a library's minimiser."""
    from scipy.optimize import least_squares

    draw = np.random.default_rng(3)
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.05, 0.03))
    aligned = aligned + draw.standard_t(2, SHAPE).astype(np.float32)
    chosen = SETTINGS.model_copy(update={"outlier_nmad": 1e3})
    found = solved(reference, aligned, chosen=chosen)
    east, north = gradient(reference, PIXEL_M)
    inner = (slice(2, -2), slice(2, -2))
    squared = (east**2 + north**2)[inner]
    steep = (squared >= np.tan(np.radians(2)) ** 2) & (squared <= np.tan(np.radians(50)) ** 2)
    design = np.stack([-east[inner][steep], -north[inner][steep], np.ones(int(steep.sum()))], axis=1).astype(float)
    precision = 1 / np.sqrt(1 + squared[steep] / 0.3**2)
    values = (reference - aligned)[inner][steep].astype(float)
    best = least_squares(
        lambda shift: (values - design @ shift) * precision, np.zeros(3), loss="huber", f_scale=0.1, xtol=1e-12
    ).x
    # translation is bilinear here and linear there, on a shift of a twentieth of a pixel
    assert (found.east, found.north, found.up) == pytest.approx(tuple(best), abs=0.06)


def test_slopes_that_face_one_way_are_refused():
    ramp = np.tile(np.arange(240, dtype=np.float32) * 10, (180, 1)) + 2000
    with pytest.raises(BadInput, match="slopes that face one way only"):
        solved(ramp, ramp + 1)


def test_flat_terrain_is_refused():
    flat = np.full(SHAPE, 1000, np.float32)
    with pytest.raises(BadInput, match="stable terrain: found 0 pixels"):
        solved(flat, flat)


def test_singular_sums_name_the_cause():
    with pytest.raises(BadInput, match="expected terrain of many aspects"):
        solve_step(np.diag([0.0, 0.0, 10.0]), np.zeros(3))


@pytest.mark.parametrize("pixels", [5, 25])
def test_a_shift_beyond_the_limit_is_refused(pixels):
    limited = SETTINGS.model_copy(update={"max_shift_m": 60.0})
    with pytest.raises(BadInput, match=r"a shift of \d+ m; expected at most 60 m"):
        solved(fractal(SHAPE), fractal(SHAPE, shift=(pixels, 0)), chosen=limited)


def test_few_stable_pixels_of_a_large_grid_are_found(monkeypatch):
    """The survey goes to where the stable terrain is, however little of the grid it may be."""
    monkeypatch.setattr("pipeline.elevation_change.pairing.spread_windows.MOST_PIXELS", 4_000)
    shape = (600, 500)
    reference, aligned = fractal(shape), fractal(shape, shift=(0.4, -0.2))
    stable = np.zeros(shape, bool)
    stable[331:371, 205:265] = True
    found = solved(reference, aligned, stable)
    assert (found.east / PIXEL_M, found.north / PIXEL_M) == pytest.approx((-0.4, 0.2), abs=0.01)


def test_a_thinned_survey_gives_nearly_the_answer_of_all_pixels(monkeypatch):
    shape = (600, 500)
    draw = np.random.default_rng(1)
    reference = fractal(shape)
    aligned = fractal(shape, shift=(1.4, -2.2)) + draw.normal(0, 2, shape).astype(np.float32)
    whole = solved(reference, aligned)
    monkeypatch.setattr("pipeline.elevation_change.pairing.spread_windows.MOST_PIXELS", 30_000)
    thinned = solved(reference, aligned)
    assert (thinned.east, thinned.north, thinned.up) == pytest.approx((whole.east, whole.north, whole.up), abs=0.01)


def test_dems_of_different_places_are_refused():
    with pytest.raises(BadInput, match=r"co-registration: found (a shift of|no convergence)"):
        solved(fractal(SHAPE, seed=1), fractal(SHAPE, seed=2))
