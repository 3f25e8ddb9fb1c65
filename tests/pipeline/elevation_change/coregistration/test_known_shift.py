"""The shift of pairs of 30 m and really averaged 90 m on ridged ground, which their Fourier series know exactly."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.shift import row_of
from tests.made.ridged_pairs import PIXEL_M, make_pair


def test_a_pair_is_moved_by_what_it_says():
    """Without noise or resolution: the later DEM averaged to 90 m and the earlier one part by the shift's slopes."""
    pair = make_pair(3, side=240)
    height, width = (size * 3 for size in pair.earlier_m.shape)
    means = pair.later_m[:height, :width].reshape(height // 3, 3, width // 3, 3).mean(axis=(1, 3))
    north, east = np.gradient(means.astype(float), -3 * PIXEL_M, 3 * PIXEL_M)
    inner = (slice(3, -3), slice(3, -3))
    design = np.stack([-east[inner].ravel(), -north[inner].ravel(), np.ones(east[inner].size)])
    left = (means - pair.earlier_m)[inner].ravel()
    moved = np.linalg.lstsq(design.T, left, rcond=None)[0]
    # linearised and of coarse slopes: right to a few metres of forty, the signs told beyond doubt
    assert moved == pytest.approx([pair.east, pair.north, pair.up], abs=5)
    assert max(abs(pair.east), abs(pair.north)) > 15


@pytest.mark.slow
def test_the_shift_is_found_within_its_error_where_the_resolution_effect_dominates():
    rows = [row_of(seed, "quiet", 360) for seed in (1, 2)]
    for row in rows:
        assert row["nmad_m"][1] > 2 * row["nmad_m"][2]  # the effect was the larger part
        for axis in ("east", "north"):
            assert abs(row["error_m"][axis]) < 3 * row["sigma_m"][axis]
            assert 0.01 < row["sigma_m"][axis] < 0.004 * PIXEL_M
        # the median is off by 0.05 m on sharp ridges; no edge of uncorrected pixels widens the error
        assert abs(row["error_m"]["up"]) < 3 * row["sigma_m"]["up"] < 0.15
