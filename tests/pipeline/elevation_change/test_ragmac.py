"""Scenes like those of the inter-comparison of glacier change from space: is the truth where the stated error says?"""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.ragmac import TERMS, row_of, table
from tests.made.ragmac_scenes import scene_of

pytestmark = pytest.mark.slow

# one scene of each sensor and site, drawn before the chain had seen any
SEEDS = (1, 2, 3, 4)


@pytest.fixture(scope="module")
def rows():
    return [row_of(scene_of(seed)) for seed in SEEDS]


def test_the_truth_lies_within_the_stated_intervals(rows):
    score = np.array([row["error_m"] / row["sigma_m"] for row in rows])
    rate = np.array([row["error_m_a"] / row["sigma_m_a"] for row in rows])
    assert (np.abs(score) < 2.6).all()
    assert (np.abs(rate) < 2.6).all()
    assert all(0.2 < row["sigma_m"] < 5 for row in rows)


def test_the_error_budget_names_what_is_wrong_with_a_scene(rows):
    for row in rows:
        assert (row["sigma_correction_m"] > 0) == (row["sensor"] != "aster")
        assert row["sigma_filling_m"] > 0
        assert "voids filled" in row["flags"]
        terms = [value for name, value in row.items() if name.startswith("sigma_") and name[6:-2] in TERMS]
        assert row["sigma_m"] == pytest.approx(np.linalg.norm(terms), rel=1e-6)


def test_untold_penetration_is_what_the_error_is(rows):
    """Without the input the radar pair's change is off by what the input would have added."""
    told = next(row for row in rows if row["sensor"] == "tandem")
    untold = row_of(scene_of(told["seed"]), told=False)
    assert untold["sigma_correction_m"] == 0
    assert abs(untold["error_m"] - told["error_m"]) > 0.05


def test_the_table_counts_every_scene_once_by_site_and_by_sensor(rows):
    summary = table(rows)
    assert summary.loc["all", "scenes"] == len(SEEDS)
    assert summary.loc[["aletsch", "vestisen", "hintereisferner"], "scenes"].sum() == len(SEEDS)
