"""Sigma by terrain: recovers a known law, looks every pixel up alike however a raster is cut, survives odd terrain."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import RegularGridInterpolator

from pipeline.elevation_change.differencing.terrain_sigma import TerrainSigma, terrain_sigma
from schemas.errors import BadInput


def terrain(shape, seed=4):
    draw = np.random.default_rng(seed)
    slope, curvature = draw.gamma(3, 6, shape), 0.5 * draw.standard_t(4, shape)
    true = 0.8 + 0.05 * slope + 0.4 * np.abs(curvature)
    return slope.astype(np.float32), curvature.astype(np.float32), true, draw.normal(size=shape) * true


def test_sigma_follows_slope_and_curvature():
    slope, curvature, true, dh = terrain((300, 400))
    estimated = terrain_sigma(dh, slope, curvature, np.ones(slope.shape, bool)).on(slope, curvature)
    common = (slope < 45) & (np.abs(curvature) < 2)
    assert np.median(estimated[common] / true[common]) == pytest.approx(1, abs=0.02)
    assert np.std(estimated[common] / true[common]) < 0.06


def test_the_standardised_residuals_have_unit_spread():
    slope, curvature, _, dh = terrain((200, 300))
    residual = dh / terrain_sigma(dh, slope, curvature, np.ones(slope.shape, bool)).on(slope, curvature)
    assert residual[np.abs(residual) < 4].std() == pytest.approx(1, abs=0.01)


def test_only_stable_and_known_pixels_count():
    slope, curvature, true, dh = terrain((300, 400))
    stable = np.ones(slope.shape, bool)
    stable[:150] = False
    dh[:150] = 1e6
    dh[200:210], slope[220, :50] = np.nan, np.nan
    estimated = terrain_sigma(dh, slope, curvature, stable).on(slope, curvature)
    assert np.nanmedian(estimated / true) == pytest.approx(1, abs=0.03)


def test_the_table_is_the_bilinear_interpolation_of_the_classes():
    draw = np.random.default_rng(2)
    model = TerrainSigma(np.array([2.0, 9, 20, 41]), np.array([0.1, 0.4, 3.0]), draw.uniform(2, 5, (4, 3)))
    slope, curvature = draw.uniform(0, 60, (70, 50)), draw.normal(0, 2, (70, 50))
    points = np.stack([np.clip(slope, 2, 41), np.clip(np.abs(curvature), 0.1, 3.0)], axis=-1)
    expected = RegularGridInterpolator((model.slope_deg, model.curvature_per_100m), model.sigma_m)(points)
    found = model.on(slope.astype(np.float32), curvature.astype(np.float32))
    assert found.dtype == np.float32
    assert np.abs(found / expected - 1).max() < 0.02


def test_every_pixel_is_looked_up_by_itself():
    slope, curvature, _, dh = terrain((120, 170))
    model = terrain_sigma(dh, slope, curvature, np.ones(slope.shape, bool))
    whole = model.on(slope, curvature)
    pieces = np.concatenate([model.on(slope[a : a + 37], curvature[a : a + 37]) for a in range(0, 120, 37)])
    assert (whole == pieces).all()
    assert (model.on(slope[:, ::-1], curvature[:, ::-1])[:, ::-1] == whole).all()


def test_unknown_slope_gives_no_sigma_and_unknown_curvature_counts_as_none():
    model = TerrainSigma(np.array([2.0, 30.0]), np.array([0.0, 2.0]), np.array([[1.0, 2.0], [3.0, 4.0]]))
    found = model.on(np.array([np.nan, 2.0, 90.0]), np.array([0.0, np.nan, -9.0]))
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([1, 4], abs=0.02)


def test_terrain_of_one_slope_has_one_sigma():
    dh = np.random.default_rng(3).normal(0, 2.5, (80, 60))
    flat = np.zeros(dh.shape)
    found = terrain_sigma(dh, flat, flat, np.ones(dh.shape, bool)).on(np.array([0.0, 20.0]), np.array([0.0, 1.0]))
    assert found == pytest.approx([2.5, 2.5], rel=0.05)


def test_a_handful_of_pixels_is_refused():
    few = np.ones((5, 7))
    with pytest.raises(BadInput, match=r"uncertainty: found 35 stable pixels; expected at least 100"):
        terrain_sigma(few, few, few, np.ones(few.shape, bool))
