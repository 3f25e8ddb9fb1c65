"""Voids of 40 to 90 % of a glacier on punched scenes: held against what was there, and against plain hypsometry."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.elevation_change.glaciers import Surface, change_of_glaciers
from pipeline.grid import Grid
from schemas.settings import ElevationChangeSettings
from tests.made.punched_glaciers import CRS, NOISE, NOISE_M, SCENES, make_punched

pytestmark = pytest.mark.slow

CHOSEN = [scene for scene in SCENES if scene.ground == "valleys" and scene.every and scene.seed <= 2]


def by_plain_bands(made):
    """Mean of each glacier with the mean of its 100 m band in every void, the end bands held beyond."""
    means = []
    for number in range(1, made.mean_m.size + 1):
        own = made.region.labels == number
        height, dh = made.region.height_m[own], made.dh_m[own].copy()
        seen = np.isfinite(dh)
        band = np.floor(height / 100)
        known = np.unique(band[seen])
        of_band = [dh[seen & (band == one)].mean() for one in known]
        dh[~seen] = np.interp(band[~seen], known, of_band)
        means.append(dh.mean())
    return np.array(means)


@pytest.fixture(scope="module")
def errors():
    """By scene: error, stated sigma, error by plain bands and share lost, of every glacier."""
    rows = {}
    for scene in CHOSEN:
        made = make_punched(scene)
        surface = Surface(
            grid=Grid(CRS, made.transform, made.dh_m.shape),
            dh_m=made.dh_m.astype(np.float32),
            sigma_m=np.full(made.dh_m.shape, NOISE_M, np.float32),
            elevation_m=made.region.height_m.astype(np.float32),
            variogram=NOISE,
            sigma_bias_m=0.0,
            settings=ElevationChangeSettings(),
        )
        change = change_of_glaciers(surface, made.outlines())
        mean, sigma = (change.glaciers[name].to_numpy(float) for name in ("mean_dh_m", "sigma_mean_dh_m"))
        rows[scene.name] = mean - made.mean_m, sigma, by_plain_bands(made) - made.mean_m, made.lost
    return [np.concatenate(values) for values in zip(*rows.values(), strict=True)]


def rms(values):
    return float(np.sqrt(np.mean(values**2)))


def test_large_voids_are_filled_better_than_by_plain_hypsometry(errors):
    error, _, plain, lost = errors
    assert lost.min() > 0.35
    assert error.size == 72
    assert rms(error) < 0.7 * rms(plain)
    assert abs(error.mean()) < 0.3


def test_the_stated_error_grows_with_the_void_and_holds_the_truth(errors):
    error, sigma, _, lost = errors
    score = np.abs(error / sigma)
    assert 0.55 < np.mean(score < 1) < 0.82
    assert np.mean(score < 1.96) > 0.88
    assert sigma[lost > 0.75].mean() > 1.1 * sigma[lost < 0.55].mean()
