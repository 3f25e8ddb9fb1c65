"""Voids of known content: filled without bias, and with an error that says how far off they are."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rasterio.transform import Affine

from pipeline.elevation_change.glaciers.change import Surface, change_of_glaciers
from pipeline.elevation_change.glaciers.elevation_profile import Nodes, Profile, Steps
from pipeline.elevation_change.glaciers.pixels import GlacierPixels
from pipeline.elevation_change.glaciers.profile_deviation import fit_deviation, pairs_of_deviations
from pipeline.elevation_change.glaciers.void_filling import fill_voids, sigma_of_unmeasured
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.grid import Grid
from schemas.settings import ElevationChangeSettings

GRID = Grid("EPSG:32645", Affine(30, 0, 400_000, 0, -30, 4_800_000), (150, 260))
NOISE_M = 1.5
DEVIATION_M = 1.2


def correlated(draw, reach):
    """White noise smoothed by a disc of ``reach`` pixels, unit variance: correlated up to twice that."""
    white = np.fft.rfft2(draw.normal(size=GRID.shape))
    rows, columns = (np.abs(np.fft.fftfreq(size) * size) for size in GRID.shape)
    disc = np.hypot(rows[:, None], columns[None, :]) <= reach
    field = np.fft.irfft2(white * np.fft.rfft2(disc.astype(float)), GRID.shape)
    return field / field.std()


# the noise is smoothed by a disc of 29 pixels, whose correlation has that integral; that of a spherical model has
# pi range^2 / 5
ERROR = Variogram(ranges_m=(30.0 * float(np.sqrt(29 * 5 / np.pi)),), sills=(1.0,))
BOXES = [(5 + 75 * (number // 3), 8 + 85 * (number % 3)) for number in range(6)]
SIZE = (62, 74)


def six_glaciers():
    west, north = GRID.transform.c, GRID.transform.f
    shapes = [
        shapely.box(west + 30 * left, north - 30 * (top + SIZE[0]), west + 30 * (left + SIZE[1]), north - 30 * top)
        for top, left in BOXES
    ]
    names = [f"G{number}" for number in range(6)]
    return gpd.GeoDataFrame(
        {"glacier_id": names, "glacier_name": "", "epoch": 0, "date": ""}, geometry=shapes, crs=GRID.crs
    )


def landscape(seed):
    """Elevation, true change (a bent profile of elevation with deviations from it) and noise, in metres."""
    draw = np.random.default_rng([11, seed])
    height = np.zeros(GRID.shape)
    for top, left in BOXES:
        own = (slice(top, top + SIZE[0]), slice(left, left + SIZE[1]))
        base = draw.uniform(3450, 3650)
        height[own] = (base + 8 * np.arange(SIZE[0])[::-1])[:, None] + draw.normal(0, 5, SIZE)
    truth = -14 * np.exp(-(height - 3450) / 250) + DEVIATION_M * correlated(draw, 5)
    return height, truth, NOISE_M * correlated(draw, 3), draw


def punched(kind, height, draw, share=0.2):
    """Voids in a fifth of every glacier: single pixels, clusters anywhere, clusters mostly where it is high."""
    holes = np.zeros(GRID.shape, bool)
    if kind == "random":
        return draw.random(GRID.shape) < share
    rows, columns = np.ogrid[: GRID.shape[0], : GRID.shape[1]]
    for top, left in BOXES:
        own = (slice(top, top + SIZE[0]), slice(left, left + SIZE[1]))
        while holes[own].mean() < share:
            highest = 0.6 if kind == "high" and draw.random() < 0.8 else 1.0
            row, column = top + draw.uniform(-4, SIZE[0] * highest), left + draw.uniform(-4, SIZE[1] + 4)
            holes |= np.hypot(rows - row, columns - column) < draw.uniform(2, 6)
    return holes


def filled(seed, kind):
    height, truth, noise, draw = landscape(seed)
    dh = np.where(punched(kind, height, draw), np.nan, truth + noise).astype(np.float32)
    sigma = np.full(GRID.shape, NOISE_M, np.float32)
    surface = Surface(
        grid=GRID,
        dh_m=dh,
        sigma_m=sigma,
        elevation_m=height.astype(np.float32),
        variogram=ERROR,
        sigma_bias_m=0.0,
        settings=ElevationChangeSettings(),
    )
    change = change_of_glaciers(surface, six_glaciers())
    means = [truth[top : top + SIZE[0], left : left + SIZE[1]].mean() for top, left in BOXES]
    return change.glaciers.assign(truth_m=means)


@pytest.mark.parametrize("kind", ["random", "cluster", "high"])
def test_holes_of_known_content_are_filled_without_bias_and_their_error_is_known(kind):
    """Forty-eight glaciers with a fifth punched out: bias below 0.1 m, and standardised errors with a spread near 1."""
    found = [filled(seed, kind) for seed in range(8)]
    rows = {name: np.concatenate([part[name] for part in found]) for name in found[0].columns}
    error = (rows["mean_dh_m"] - rows["truth_m"]).astype(float)
    assert 0.7 < rows["observed_share"].mean() < 0.81
    assert abs(error.mean()) < 0.1
    assert 0.75 < (error / rows["sigma_mean_dh_m"].astype(float)).std() < 1.25
    assert all("voids filled" in flags for flags in rows["flags"])


def test_without_noise_the_filling_alone_explains_the_errors(monkeypatch):
    """The measured pixels being true, what is left is the filling's own error; its share is not hidden by noise."""
    monkeypatch.setitem(globals(), "NOISE_M", 0.01)
    found = [filled(seed, "cluster") for seed in range(8)]
    error = np.concatenate([part["mean_dh_m"] - part["truth_m"] for part in found])
    sigma = np.concatenate([part["sigma_filling_m"] for part in found]).astype(float)
    assert 0.7 < (error / sigma).std() < 1.3
    assert sigma.mean() > 20 * np.concatenate([part["sigma_measurement_m"] for part in found]).mean()


def glacier(height, dh):
    """Pixels in one row of a grid, ten of each kind: fewer lend nothing to voids."""
    height, dh = np.repeat(np.asarray(height, float), 10), np.repeat(np.asarray(dh, float), 10)
    places = np.arange(height.size)
    return GlacierPixels(
        window=(slice(0, 1), slice(0, height.size)),
        row=0 * places,
        column=places,
        dh=dh,
        sigma=np.ones(height.size),
        height=height,
    )


def fill(pixels, band_height_m=50.0, others=()):
    profile = Profile.of(pixels, band_height_m)
    nodes = Nodes.of(profile)
    known = [Nodes.of(Profile.of(other, band_height_m)) for other in (pixels, *others)]
    return fill_voids(pixels, profile, nodes, Steps.of(known, band_height_m))


def test_voids_lie_on_the_lines_between_the_bands():
    pixels = glacier([3010, 3030, 3060, 3070, 3110, 3130], [-4, np.nan, -3, -3, -2, np.nan])
    # means stand at 3010, 3065 and 3110 m; beyond the last the end value holds
    assert fill(pixels).dh[::10].tolist() == pytest.approx([-4, -4 + 20 / 55, -3, -3, -2, -2])


def test_an_empty_band_is_bridged():
    pixels = glacier([3010, 3025, 3075, 3110, 3125, 3140], [-4, -4, np.nan, -1, -1, -1])
    assert fill(pixels).dh[20] == pytest.approx(-4 + 3 * (3075 - 3017.5) / (3125 - 3017.5))


def test_what_the_lines_miss_of_a_band_is_given_back():
    """A profile bent within its bands: voids spread like the measured pixels do not change the mean."""
    draw = np.random.default_rng(0)
    height = draw.uniform(3000, 3200, 4000)
    dh = (height - 3000) ** 2 / 4000
    void = draw.random(4000) < 0.3
    found = fill(glacier(height, np.where(void, np.nan, dh)), 100.0)
    assert found.dh.mean() == pytest.approx(dh.mean(), abs=0.02)


def test_the_weights_are_the_derivatives_of_the_filled_sum():
    draw = np.random.default_rng(2)
    height = draw.uniform(3000, 3400, 60)
    dh = np.where(draw.random(60) < 0.4, np.nan, draw.normal(-5, 2, 60))
    dh[height > 3330] = np.nan
    pixels = glacier(height, dh)
    profile = Profile.of(pixels, 50.0)
    steps = Steps(band_height_m=50.0, first=60, mean_m=np.full(7, 0.5), sigma_m=np.ones(7), typical_m=1.0)
    found = fill_voids(pixels, profile, Nodes.of(profile), steps)
    for place in np.flatnonzero(pixels.observed)[::7]:
        other = glacier(height, dh)
        other.dh[place] += 1
        own = Profile.of(other, 50.0)
        change = fill_voids(other, own, Nodes.of(own), steps).dh.sum() - found.dh.sum()
        assert change == pytest.approx(found.weight[place], abs=1e-9)
    assert found.weight.sum() == pytest.approx(600)


def test_beyond_the_measured_elevations_the_profile_goes_on_as_on_other_glaciers():
    heights = np.arange(3010, 3400, 5)
    low = glacier(heights, np.where(heights < 3200, -6.0 + (heights - 3000) / 100, np.nan))
    others = [glacier(heights, (heights - 3000) / 50 + level) for level in (-3.0, 1.0, 2.0)]
    alone, together = fill(low), fill(low, others=others)
    top = low.height == 3390
    assert alone.dh[top] == pytest.approx(-6 + 1.725)
    assert together.dh[top] == pytest.approx(-6 + 1.725 + (3375 - 3172.5) / 50, abs=0.01)
    assert together.extrapolated == alone.extrapolated == np.count_nonzero(low.height >= 3200)
    # alone, a step that is not known is taken to be as large as those that are
    typical = np.linalg.norm([0.45, 0.5, 0.5]) / np.sqrt(3)
    assert alone.sigma_profile_sum_m == pytest.approx(typical * np.linalg.norm([400, 300, 200, 100]))
    assert together.sigma_profile_sum_m < 0.5 * alone.sigma_profile_sum_m


def test_the_unmeasured_profile_is_a_walk_beyond_the_nodes_and_a_bridge_between_them():
    """Against the covariance of a random walk from node to node, conditioned on the nodes by hand."""
    pixels = np.array([4, 3, 6, 2, 5, 7, 1, 8])
    measured = np.array([0, 3, 0, 0, 5, 7, 0, 0])
    profile = Profile(
        band_height_m=50.0,
        first=60,
        pixels=pixels,
        measured=measured,
        dh_sum_m=-1.0 * measured,
        height_sum_m=3000.0 * measured,
    )
    nodes = Nodes(np.array([61, 64, 65]), measured[[1, 4, 5]], np.array([3075.0, 3225, 3275]), np.zeros(3))
    step = 0.7
    steps = Steps(band_height_m=50.0, first=60, mean_m=np.zeros(7), sigma_m=np.full(7, step), typical_m=step)
    walk = step**2 * np.minimum.outer(np.arange(1, 9), np.arange(1, 9)) + 1e6  # the level itself is not known
    known, void = [1, 4, 5], [0, 2, 3, 6, 7]
    rest = walk[np.ix_(void, void)] - walk[np.ix_(void, known)] @ np.linalg.solve(
        walk[np.ix_(known, known)], walk[np.ix_(known, void)]
    )
    expected = np.sqrt(pixels[void] @ rest @ pixels[void])
    assert sigma_of_unmeasured(profile, nodes, steps) == pytest.approx(expected, rel=1e-4)


def test_a_band_with_few_measured_pixels_lends_nothing_to_voids():
    pixels = glacier([3005, 3045, 3060, 3070], [-5, -5, 30, np.nan])
    pixels.dh[21:30] = np.nan  # of the pixels at 3060 m one is measured
    found = fill(pixels)
    assert found.dh[21:] == pytest.approx(-5)
    assert (found.dh[20], found.weight[20]) == (30, 1)


def test_deviations_are_found_beneath_the_noise():
    """The pairs' noise is taken off: what is left has the sill and the range of the true deviations."""
    height, truth, noise, _ = landscape(3)
    known = truth + noise
    pairs = []
    for number, (top, left) in enumerate(BOXES):
        row, column = np.mgrid[top : top + SIZE[0], left : left + SIZE[1]].reshape(2, -1)
        pixels = GlacierPixels(
            window=(slice(top, top + SIZE[0]), slice(left, left + SIZE[1])), row=row, column=column,
            dh=known[row, column], sigma=np.full(row.size, NOISE_M), height=height[row, column],
        )  # fmt: skip
        profile = Profile.of(pixels, 100.0)
        pairs.append(pairs_of_deviations(pixels, profile, Nodes.of(profile), ERROR, 30.0, 30_000, number))
    found = fit_deviation(pairs, 30.0)
    assert found.variogram.sill == pytest.approx(DEVIATION_M**2, rel=0.3)
    half = found.variogram.covariance(np.array([5 * 30.0]))[0] / found.variogram.sill
    assert 0.15 < half < 0.5  # a disc of radius 5 pixels has 0.31 of its covariance left at 5 pixels
    assert found.size == pytest.approx(1, abs=0.35)


def test_no_voids_no_error_of_filling():
    height, truth, noise, _ = landscape(0)
    surface = Surface(
        grid=GRID,
        dh_m=(truth + noise).astype(np.float32),
        sigma_m=np.full(GRID.shape, NOISE_M, np.float32),
        elevation_m=height.astype(np.float32),
        variogram=ERROR,
        sigma_bias_m=0.0,
        settings=ElevationChangeSettings(),
    )
    change = change_of_glaciers(surface, six_glaciers())
    assert (change.glaciers["sigma_filling_m"] == 0).all()
    assert (change.glaciers[["filled_share", "extrapolated_share"]] == 0).all(axis=None)
    assert (change.glaciers["flags"] == "").all()
