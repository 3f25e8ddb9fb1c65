"""The shift between two DEMs: recovered to a thousandth of a pixel, and behaving as geometry demands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.elevation_change.coregistration import (
    StepPixels,
    coregister,
    cosine_fit,
    robust_step,
    solve_step,
    translated,
)
from pipeline.elevation_change.terrain import gradient, slope_deg
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings
from tests.synthetic_pairs import PIXEL_M, fractal

SHAPE = (180, 240)
SETTINGS = ElevationChangeSettings()


def solved(reference, aligned, stable=None, chosen=SETTINGS):
    slopes = gradient(reference, PIXEL_M)
    steep = slope_deg(*slopes) >= 2
    return coregister(reference, aligned, slopes, steep if stable is None else steep & stable, PIXEL_M, chosen).shift


@pytest.mark.parametrize("shift", [(0.37, -0.21), (-1.4, 2.6), (0.0, 0.5), (6.3, -4.8)])
def test_a_known_shift_is_recovered(shift):
    """The aligned DEM lies ``shift`` pixels off; bringing it back adds the opposite."""
    reference = fractal(SHAPE)
    found = solved(reference, fractal(SHAPE, shift=shift) - 1.5)
    assert found.east / PIXEL_M == pytest.approx(-shift[0], abs=0.002)
    assert found.north / PIXEL_M == pytest.approx(-shift[1], abs=0.002)
    assert found.up == pytest.approx(1.5, abs=0.02)


@settings(max_examples=8, deadline=None)
@given(constant=st.floats(-80, 80))
def test_a_constant_changes_the_vertical_term_alone(constant):
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.4, 0.3))
    plain, raised = solved(reference, aligned), solved(reference, aligned + np.float32(constant))
    assert (raised.east, raised.north) == pytest.approx((plain.east, plain.north), abs=0.01)
    assert raised.up == pytest.approx(plain.up - constant, abs=0.01)


def test_rotating_both_dems_rotates_the_shift():
    reference, aligned = fractal((200, 200)), fractal((200, 200), shift=(0.6, -0.3))
    straight = solved(reference, aligned)
    turned = solved(np.rot90(reference).copy(), np.rot90(aligned).copy())
    # a quarter turn anticlockwise takes east to north and north to west
    assert (turned.north, -turned.east) == pytest.approx((straight.east, straight.north), abs=0.01)


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


def test_the_cosine_fit_tells_size_and_direction_of_the_shift():
    reference, aligned = fractal(SHAPE), fractal(SHAPE, shift=(0.3, 0.0))
    slopes = gradient(reference, PIXEL_M)
    steep = slope_deg(*slopes) > 4
    fit = cosine_fit(reference - aligned, slopes, steep)
    # reference - aligned grows on slopes that face where the aligned DEM was moved from
    assert fit.a_m == pytest.approx(0.3 * PIXEL_M, rel=0.03)
    assert fit.b_deg == pytest.approx(270, abs=3)
    assert fit.c_m == pytest.approx(0, abs=0.2)


def test_both_forms_of_the_relation_agree():
    """Nuth and Kaab's cosine, and the normal equations of its Cartesian form, on a short shift."""
    reference, aligned = fractal((400, 500), seed=4), fractal((400, 500), seed=4, shift=(0.05, -0.08))
    slopes = gradient(reference, PIXEL_M)
    steep = slope_deg(*slopes) > 4
    fit = cosine_fit(reference - aligned, slopes, steep)
    step = robust_step(StepPixels.of(reference - aligned, slopes, steep))
    east, north = fit.a_m * np.sin(np.radians(fit.b_deg)), fit.a_m * np.cos(np.radians(fit.b_deg))
    assert (east / PIXEL_M, north / PIXEL_M) == pytest.approx((step.east / PIXEL_M, step.north / PIXEL_M), abs=0.002)


@pytest.mark.parametrize(("east", "north"), [(15.0, -40.0), (-95.0, 7.5), (0.0, 30.0), (1e6, 0.0)])
def test_translation_against_an_independent_interpolation(east, north):
    from scipy.ndimage import map_coordinates

    heights = fractal((40, 60), seed=3)
    rows, columns = np.mgrid[:40, :60].astype(float)
    # the pixel centred at (row, column) takes the height that stood at its position minus the shift
    expected = map_coordinates(
        heights.astype(float), [rows + north / PIXEL_M, columns - east / PIXEL_M], order=1, cval=np.nan
    )
    moved = translated(heights, east, north, PIXEL_M)
    both = np.isfinite(expected) & np.isfinite(moved)
    assert both.sum() == np.isfinite(expected).sum()
    np.testing.assert_allclose(moved[both], expected[both], atol=2e-3)


def test_sums_over_blocks_add_up():
    reference, aligned = fractal((60, 80)), fractal((60, 80), shift=(0.3, 0.1))
    slopes = gradient(reference, PIXEL_M)
    kept = np.isfinite(slopes[0])
    whole = StepPixels.of(reference - aligned, slopes, kept)
    weight = np.linspace(0.5, 1, whole.difference.size)
    cut = 1234
    parts = [
        StepPixels(whole.difference[part], whole.design[part]).sums(weight[part])
        for part in (slice(0, cut), slice(cut, None))
    ]
    matrix, right = whole.sums(weight)
    np.testing.assert_allclose(parts[0][0] + parts[1][0], matrix, rtol=1e-12)
    np.testing.assert_allclose(parts[0][1] + parts[1][1], right, rtol=1e-10)


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


def test_a_shift_beyond_the_limit_is_refused():
    limited = SETTINGS.model_copy(update={"max_shift_m": 60.0})
    with pytest.raises(BadInput, match=r"a shift of \d+ m; expected at most 60 m"):
        solved(fractal(SHAPE), fractal(SHAPE, shift=(5, 0)), chosen=limited)


def test_unrelated_terrain_is_refused():
    with pytest.raises(BadInput, match="co-registration: found"):
        solved(fractal(SHAPE, seed=1), fractal(SHAPE, seed=99))
