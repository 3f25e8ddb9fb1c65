"""Voids of known content: filled without bias, and with an error that says how far off they are."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from rasterio.transform import Affine

from pipeline.elevation_change.glaciers.change import Surface, change_of_glaciers
from pipeline.elevation_change.glaciers.normalised_profile import (
    MARGINS,
    NODES,
    PARTS,
    PositionSums,
    margin_factors,
    margin_of,
)
from pipeline.elevation_change.glaciers.pixels import FARTHEST_M, GlacierPixels, GlacierShapes, read_pixels
from pipeline.elevation_change.glaciers.profile_deviation import fit_deviation, pairs_of_deviations
from pipeline.elevation_change.glaciers.profile_prior import GlacierPrior, ProfilePrior
from pipeline.elevation_change.glaciers.void_filling import YIELD_M, fill_voids
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


def glacier(height, dh, from_margin=FARTHEST_M):
    """Pixels in one row of a grid, ten of each kind, with white errors of 1 m."""
    height, dh = np.repeat(np.asarray(height, float), 10), np.repeat(np.asarray(dh, float), 10)
    places = np.arange(height.size)
    return GlacierPixels(
        window=(slice(0, 1), slice(0, height.size)),
        row=0 * places,
        column=places,
        dh=dh,
        sigma=np.ones(height.size),
        height=height,
        from_margin=np.repeat(np.broadcast_to(np.asarray(from_margin, float), height.size // 10), 10),
    )


def expected(mean=0.0, spread=5.0, reach=0.4):
    """A prior with a smooth covariance, and with a shared level that is known within 2 m."""
    covariance = spread**2 * np.exp(-(((NODES[:, None] - NODES) / reach) ** 2)) + 1e-6 * np.eye(PARTS + 1)
    forms = np.column_stack([np.ones(PARTS + 1), 1 - NODES, NODES])
    return GlacierPrior(
        mean_m=np.full(PARTS + 1, mean),
        covariance_m2=covariance,
        shared=forms,
        covariance_shared=np.diag([4.0, 0.0, 0.0]),
    )


def fill(pixels, variance=1e-4, prior=None, factor=None):
    factor = np.ones(MARGINS) if factor is None else factor
    sums = PositionSums.of(pixels, 30.0)
    parts = np.where(sums.count > 0, variance, 1e8)
    return fill_voids(pixels, sums, factor, parts, prior or expected())


def test_voids_take_the_best_linear_value_given_the_measured_pixels():
    """Against kriging of single pixels, written down without parts, sums or gains."""
    draw = np.random.default_rng(4)
    height = np.linspace(3000, 4000, 200)
    pixels = glacier(height, np.where((height > 3400) & (height < 3900), np.nan, draw.normal(-5, 1, 200)))
    prior, error = expected(mean=-2.0), 0.3
    position = (pixels.height - 3000) / 1000
    seen = pixels.observed
    hats = np.maximum(0, 1 - np.abs(position[:, None] - NODES) * PARTS)
    cov = prior.covariance_m2 + 4.0
    # pixels of one part share the part's error
    part = np.minimum((position * PARTS).astype(int), PARTS - 1)
    per_part = np.stack([hats[seen & (part == one)].mean(axis=0) for one in np.unique(part[seen])])
    values = np.array([pixels.dh[seen & (part == one)].mean() for one in np.unique(part[seen])])
    weights = np.linalg.inv(per_part @ cov @ per_part.T + error * np.eye(len(values)))
    best = -2 + hats @ cov @ per_part.T @ weights @ (values + 2)
    found = fill(pixels, error, prior)
    assert found.dh[~seen] == pytest.approx(best[~seen], abs=1e-8)
    assert np.array_equal(found.dh[seen], pixels.dh[seen])


def test_a_well_measured_profile_is_met_whatever_was_expected():
    draw = np.random.default_rng(0)
    height = draw.uniform(3000, 3200, 4000)
    dh = (height - 3000) ** 2 / 4000
    void = draw.random(4000) < 0.3
    found = fill(glacier(height, np.where(void, np.nan, dh)), 1e-6, expected(mean=40.0))
    assert found.dh == pytest.approx(np.repeat(dh, 10), abs=0.05)


def test_a_glacier_with_little_measured_leans_on_the_others():
    pixels = glacier(np.arange(3000, 4000, 5), [-30, *[np.nan] * 199])
    alone = fill(pixels, 1e4, expected(mean=-3.0))
    assert np.nanmax(np.abs(alone.dh[10:] + 3)) < 0.2
    assert alone.weight[:10] == pytest.approx(1, abs=1)


def test_the_weights_are_the_derivatives_of_the_filled_sum():
    draw = np.random.default_rng(2)
    height = draw.uniform(3000, 3400, 60)
    dh = np.where(draw.random(60) < 0.4, np.nan, draw.normal(-5, 2, 60))
    dh[height > 3330] = np.nan
    factor, far = np.linspace(0.3, 1.2, MARGINS), draw.uniform(20, 300, 60)
    pixels = glacier(height, dh, far)
    found = fill(pixels, 0.5, factor=factor)
    for place in np.flatnonzero(pixels.observed)[::7]:
        other = glacier(height, dh, far)
        other.dh[place] += 1
        change = fill(other, 0.5, factor=factor).dh.sum() - found.dh.sum()
        assert change == pytest.approx(found.weight[place], abs=1e-9)


def test_the_stated_error_of_the_profile_is_how_far_drawn_profiles_lie_from_their_filling():
    """Profiles drawn from what is expected, measured below without error: 3000 fillings against what was drawn."""
    height = np.linspace(3000, 4000, 100)
    draw = np.random.default_rng(6)
    prior = expected(spread=2.0)
    root = np.linalg.cholesky(prior.covariance_m2)
    void = np.repeat(height > 3450, 10)
    rest = []
    for _ in range(300):
        profile = root @ draw.normal(size=PARTS + 1) + draw.normal(0, 2)
        true = np.repeat(np.interp((height - 3000) / 1000, NODES, profile), 10)
        pixels = glacier(height, true[::10])
        pixels.dh[void] = np.nan
        found = fill(pixels, 1e-3, prior)
        rest.append(found.dh.sum() - true.sum())
    assert np.mean(rest) == pytest.approx(0, abs=3 * np.std(rest) / np.sqrt(300))
    assert np.std(rest) == pytest.approx(np.hypot(found.sigma_profile_sum_m, found.sigma_shared_sum_m), rel=0.12)


def test_a_void_thins_by_no_more_than_ice_is_thick_so_near_the_margin():
    height = np.arange(3000, 4000, 10)
    dh = np.where(height < 3500, -60.0, np.nan)
    found = fill(glacier(height, dh, np.where(height < 3700, 30.0, FARTHEST_M)), prior=expected(mean=-60.0))
    near = np.repeat((height >= 3500) & (height < 3700), 10)
    assert found.dh[near] == pytest.approx(-np.sqrt(2 * YIELD_M * 30), abs=1e-9)
    assert found.dh[np.repeat(height >= 3700, 10)] == pytest.approx(-60, abs=0.1)
    assert (found.dh[np.repeat(height < 3500, 10)] == -60).all()


def region(bends, noise_m, draw, lost):
    """Glaciers whose change fades upwards with these bends and towards their margins; the top of each is lost."""
    made = []
    for bend, share in zip(bends, lost, strict=True):
        height, far = np.linspace(3000, 4000, 400), draw.uniform(20, 300, 400)
        margin = 1 - np.exp(-far / 60)
        true = margin * (-12 * (1 - (height - 3000) / 1000) ** bend)
        seen = height < 3000 + 1000 * (1 - share)
        pixels = glacier(height, np.where(seen, true, np.nan), far)
        pixels.dh[:] += noise_m * draw.normal(size=pixels.dh.size)
        made.append((pixels, np.repeat(true, 10)))
    return made


WHITE = Variogram(ranges_m=(30.0,), sills=(1.0,))


def prior_of(made):
    sums = [PositionSums.of(pixels, 30.0) for pixels, _ in made]
    factor = margin_factors(sums, WHITE)
    pairs = [
        pairs_of_deviations(pixels, own, WHITE, 30.0, 2000, 1) for (pixels, _), own in zip(made, sums, strict=True)
    ]
    return sums, ProfilePrior.of(sums, fit_deviation(pairs, factor, 30.0), WHITE, 30.0)


def test_a_region_tells_how_its_profiles_bend_and_fade_towards_the_margin():
    draw = np.random.default_rng(3)
    made = region([3.0] * 6, 1.0, draw, [0.0, 0.0, 0.0, 0.1, 0.1, 0.1])
    _, prior = prior_of(made)
    assert prior.bend == pytest.approx(3, abs=0.6)
    far = np.concatenate([pixels.from_margin for pixels, _ in made])
    member = np.concatenate([margin_of(pixels) for pixels, _ in made])
    left = np.array([(1 - np.exp(-far[member == one] / 60)).mean() for one in range(MARGINS)])
    assert prior.factor / prior.factor[-1] == pytest.approx(left / left[-1], abs=0.08)


def test_lost_tops_are_filled_as_the_region_bends():
    draw = np.random.default_rng(5)
    made = region([2.0, 2.4, 2.8, 2.2, 2.6, 3.0], 1.0, draw, [0.8, 0.1, 0.7, 0.2, 0.6, 0.5])
    sums, prior = prior_of(made)
    for number, (pixels, true) in enumerate(made):
        found = fill_voids(pixels, sums[number], prior.factor, prior.variance_m2[number], prior.of_glacier(number))
        assert found.dh.mean() == pytest.approx(true.mean(), abs=0.5)
    # the glacier's own change does not stand in what the others tell about it
    before = prior.of_glacier(0).mean_m
    pixels, _ = made[0]
    pixels.dh[:] -= 50
    assert prior.of_glacier(0).mean_m == pytest.approx(before)


def test_no_change_leaves_the_margins_factors_near_one_and_fills_nothing_in():
    draw = np.random.default_rng(7)
    made = region([2.0] * 4, 1.0, draw, [0.5] * 4)
    for pixels, _ in made:
        pixels.dh[pixels.observed] = draw.normal(size=int(pixels.observed.sum()))
    sums, prior = prior_of(made)
    found = fill_voids(made[0][0], sums[0], prior.factor, prior.variance_m2[0], prior.of_glacier(0))
    assert abs(found.dh.mean()) < 0.1
    assert (np.abs(prior.factor - 1) < 0.7).all()


@pytest.mark.parametrize(("about", "sigma"), [(3.0, 3.0), (np.nan, np.nan)])
def test_a_change_without_a_sigma_takes_that_of_its_surroundings_or_counts_as_void(about, sigma):
    """Met where the finer DEM has a void over all of a small glacier's surroundings but for a few pixels."""
    grid = Grid("EPSG:32645", Affine(30, 0, 0, 0, -30, 3000), (100, 100))
    triangle = shapely.Polygon([(300, 900), (1500, 900), (300, 2100)])
    shapes = GlacierShapes.of(gpd.GeoDataFrame({"glacier_id": ["a"]}, geometry=[triangle], crs=grid.crs), grid)
    rows, columns = np.mgrid[:100, :100]
    unknown = np.where(columns + 30 < rows, np.nan, about)
    unknown[shapes.inside(0, (slice(0, 100), slice(0, 100)))] = np.nan
    pixels = read_pixels(shapes, 0, np.full(grid.shape, -2.0), unknown, np.full(grid.shape, 4000.0))
    assert pixels.sigma == pytest.approx(np.full(pixels.dh.size, sigma), nan_ok=True)
    assert pixels.observed.all() == np.isfinite(sigma)
    assert pixels.observed.any() == np.isfinite(sigma)


def test_distances_from_the_margin_see_neighbours_as_ice_and_the_edge_as_unknown():
    """Two glaciers side by side at the northern edge of a grid of 30 x 20 m pixels."""
    grid = Grid("EPSG:32645", Affine(30, 0, 0, 0, -20, 2000), (100, 100))
    outlines = gpd.GeoDataFrame(
        {"glacier_id": ["a", "b"]},
        geometry=[shapely.box(300, 1000, 900, 2000), shapely.box(900, 1000, 1500, 2000)],
        crs=grid.crs,
    )
    flat = np.zeros(grid.shape)
    pixels = read_pixels(GlacierShapes.of(outlines, grid), 0, flat, flat, flat)
    west = 30.0 * (pixels.column - 9)
    south = 20.0 * (50 - pixels.row)
    assert pixels.from_margin == pytest.approx(np.minimum(np.minimum(west, south), FARTHEST_M))


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
            from_margin=np.full(row.size, FARTHEST_M),
        )  # fmt: skip
        pairs.append(pairs_of_deviations(pixels, PositionSums.of(pixels, 30.0), ERROR, 30.0, 30_000, number))
    found = fit_deviation(pairs, np.ones(MARGINS), 30.0)
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
