"""Balance fields of many years on one map: what the years share is computed once.

Years share the covariance, the pixels and most of the sites. The covariance between pixels and sites is the costly
part; it is computed once, block of pixels by block of pixels, and one matrix product gives all years from it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, map_coordinates
from scipy.spatial.distance import cdist

from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.mass_balance.field.beyond import STRAIGHT_ON, Beyond
from pipeline.mass_balance.field.inverse_distance import inverse_distance_weights
from pipeline.mass_balance.field.kriging import (
    AreaMean,
    Covariance,
    ElevationTrend,
    Kriged,
    Points,
    area_mean_of,
    fit_covariance,
    mean_covariance_within,
    prepare,
)
from pipeline.mass_balance.field.side_by_side import in_threads
from pipeline.mass_balance.field.thinning import COARSEST
from pipeline.mass_balance.field.trend import Bend, fit_bend
from pipeline.mass_balance.ground import GlacierSurface

# pixels kept around the glacier, so that isolines run out through the outline even where they are drawn coarsely
_REACH_PIXELS = COARSEST + 1
# elements of a block of pixel-by-site covariances: bounds the memory
_BLOCK_ELEMENTS = 500_000
# beyond this many multiplications in a year the variance is computed on a lattice of pixels and interpolated
_EXACT_VARIANCE = 1e9
_LATTICE_NODES = 3_000
# cells in which very many points are joined: the finest, and how much coarser the next is
_FINEST_CELL_M, _COARSER = 5.0, 1.25


@dataclass(frozen=True)
class FieldModel:
    """What all years of a period share: the covariance about the trend, and the bend of the trend, if any."""

    covariance: Covariance
    bend: Bend | None

    def straightened(self, points: Points) -> Points:
        """The points without the bend."""
        return self.bend.off(points) if self.bend is not None else points

    def bend_at(self, elevation_m: FloatArray) -> FloatArray:
        """What the bend adds at some elevations (m w.e.)."""
        return self.bend.at(elevation_m) if self.bend is not None else np.zeros_like(elevation_m)


@dataclass(frozen=True, kw_only=True)
class YearPoints:
    """The points of one year.

    Attributes
    ----------
    observed : what was measured; errors are told from these alone.
    shared : change of each observed balance by one standard deviation of the snow (ice) density, shape (points, 2).
    filled : balances that the linear model filled; they shape the field and no error.
    reconstructed : how many at the end of ``observed`` were filled too, and stand there because too few were measured.
    beyond : how the profile goes on beyond the points, and how wrong that may be.
    """

    observed: Points
    shared: FloatArray
    filled: Points | None = None
    reconstructed: int = 0
    beyond: Beyond = STRAIGHT_ON

    def joined_to(self, most: int) -> YearPoints:
        """The same with neighbours joined, where more than ``most`` were observed: one point for each cell of a grid.

        A joined point lies in the middle of its own, has their mean balance and shared errors, and the random error of
        that mean. The matrices of kriging grow with the square of the points, their inversion with the cube, and a
        thousand probings along a line say no more of the glacier than a hundred.

        Parameters
        ----------
        most : of the joined points.
        """
        points = self.observed
        if points.count <= most or self.reconstructed:
            return self
        cell = _cell_of(points.positions, most)
        count = np.bincount(cell)
        mean = {name: np.bincount(cell, getattr(points, name)) / count for name in points.__dataclass_fields__}
        mean["sigma_random_m_we"] = np.sqrt(np.bincount(cell, points.sigma_random_m_we**2)) / count
        shared = np.column_stack([np.bincount(cell, column) / count for column in self.shared.T])
        return replace(self, observed=Points(**mean), shared=shared)

    @property
    def measured_elevation_m(self) -> FloatArray:
        """Elevations of what was measured and not filled (m)."""
        return self.observed.elevation_m[: self.observed.count - self.reconstructed]

    @property
    def all(self) -> Points:
        """Observed and filled together."""
        return self.observed if self.filled is None else self.observed.joined(self.filled)


def _cell_of(positions: FloatArray, most: int) -> NDArray[np.intp]:
    """The cell of each position, numbered from 0, in the finest of some grids that has no more cells than ``most``."""
    low = positions.min(axis=0)
    size_m = _FINEST_CELL_M
    while True:
        cells, number = np.unique(np.floor((positions - low) / size_m), axis=0, return_inverse=True)
        if len(cells) <= most:
            return np.ravel(number).astype(np.intp)
        size_m *= _COARSER


@dataclass(frozen=True)
class YearField:
    """The field of one year.

    Attributes
    ----------
    balance_m_we : on the grid, float32, NaN further off the glacier than isolines need.
    sigma_m_we : one standard deviation, float32, shared density errors included; None where not asked for.
    kriged : the system of the observed points, the bend taken off.
    mean : mean over the glacier; its weights and variances are those of the observed points.
    """

    balance_m_we: FloatArray
    sigma_m_we: FloatArray | None
    kriged: Kriged
    mean: AreaMean


def fit_field_model(years: Sequence[Points], *, two_piece: bool) -> FieldModel:
    """The bend, where it is allowed and the points call for it, and the covariance of what then is left."""
    bend = fit_bend(years) if two_piece else None
    straight = FieldModel(Covariance(1.0, 1.0), bend)
    return FieldModel(fit_covariance([straight.straightened(points) for points in years]), bend)


def fields_of_years(
    years: Sequence[YearPoints],
    model: FieldModel,
    surface: GlacierSurface,
    *,
    with_sigma: bool,
    inverse_distance: bool = False,
) -> Iterator[YearField]:
    """The balance field of every year, in order, and its mean over the glacier.

    Universal kriging as in ``field.predict``; with ``inverse_distance`` the departures from the elevation trend are
    weighted by the inverse square of their distance instead, and the errors are those of these weights under the
    same covariance.
    """
    pixels = _MapPixels.of(surface)
    within = mean_covariance_within(surface.inside, surface.grid.pixel_size, model.covariance)
    if inverse_distance:
        systems = (_System.of(year, model) for year in years)
        yield from (_by_inverse_distance(system, model, pixels, within, with_sigma) for system in systems)
        return
    # the matrices of many years are large: they are made twice rather than kept
    parts = list(in_threads(lambda year: _System.of(year, model).part, years))
    sums = _kriged_sums(parts, model, pixels, 3 if with_sigma else 1)

    def of_year(entry: tuple[int, YearPoints]) -> YearField:
        number, year = entry
        observed = prepare(model.straightened(year.observed), model.covariance, year.beyond)
        return _by_kriging(observed, sums.of_year(number), pixels, within)

    yield from in_threads(of_year, enumerate(years))


@dataclass(frozen=True)
class _Lattice:
    """Some rows and columns of the map.

    Attributes
    ----------
    lines : their numbers: rows, columns.
    positions : of the nodes (m), row by row, shape (nodes, 2).
    reach_at : row and column of every pixel of the field, counted in those of the lattice.
    """

    lines: tuple[NDArray[np.intp], NDArray[np.intp]]
    positions: FloatArray
    reach_at: list[FloatArray]

    @property
    def shape(self) -> tuple[int, int]:
        return self.lines[0].size, self.lines[1].size


@dataclass(frozen=True, kw_only=True)
class _MapPixels:
    """The pixels that a field is computed for, shape (pixels,), and where they lie on the grid."""

    surface: GlacierSurface
    reach: BoolArray
    positions: FloatArray
    elevation_m: FloatArray
    inside: BoolArray

    @classmethod
    def of(cls, surface: GlacierSurface) -> _MapPixels:
        reach = binary_dilation(surface.inside, np.ones((3, 3), bool), _REACH_PIXELS) & np.isfinite(surface.surface_m)
        rows, columns = np.nonzero(reach)
        easting, northing = surface.grid.centres()
        positions = np.column_stack([easting[columns], northing[rows]])
        return cls(
            surface=surface,
            reach=reach,
            positions=positions,
            elevation_m=surface.surface_m[reach],
            inside=surface.inside[reach],
        )

    @cached_property
    def lattice(self) -> _Lattice:
        """The nodes between which the variance of very many points is interpolated."""
        grid = self.surface.grid
        step = max(1, round((self.reach.size / _LATTICE_NODES) ** 0.5))
        rows, columns = (np.unique(np.append(np.arange(0, size, step), size - 1)) for size in grid.shape)
        easting, northing = grid.centres()
        nodes = np.stack(np.meshgrid(easting[columns], northing[rows]), axis=-1).reshape(-1, 2)
        reach = zip(np.nonzero(self.reach), (rows, columns), strict=True)
        reach_at = [np.interp(index, edges, np.arange(edges.size)).astype(np.float32) for index, edges in reach]
        return _Lattice((rows, columns), nodes, reach_at)

    def blocks(self, sites: int) -> list[slice]:
        """Blocks of pixels whose covariances with so many sites fit into memory."""
        size = max(256, _BLOCK_ELEMENTS // max(sites, 1))
        return [slice(start, start + size) for start in range(0, len(self.positions), size)]

    def on_grid(self, values: FloatArray) -> FloatArray:
        """Values of the pixels on the grid, NaN elsewhere."""
        grid = np.full(self.surface.grid.shape, np.nan, np.float32)
        grid[self.reach] = values
        return grid


@dataclass(frozen=True)
class _System:
    """The kriging systems of one year: of all points for the field, of the observed ones for the errors."""

    year: YearPoints
    field: Kriged
    observed: Kriged

    @classmethod
    def of(cls, year: YearPoints, model: FieldModel) -> _System:
        observed = prepare(model.straightened(year.observed), model.covariance, year.beyond)
        if year.filled is None:
            return cls(year, observed, observed)
        return cls(year, prepare(model.straightened(year.all), model.covariance, year.beyond), observed)

    @cached_property
    def columns(self) -> FloatArray:
        """What is interpolated, shape (all points, 3): balance, and the shared changes by snow and ice density."""
        added = np.zeros((self.field.points.count - self.observed.points.count, 2))
        return np.column_stack([self.field.points.balance_m_we, np.concatenate([self.year.shared, added])])

    @cached_property
    def coefficients(self) -> FloatArray:
        """Generalised least-squares drift of each column, shape (drift, 3)."""
        return np.asarray(self.field.drift_inverse @ self.field.drift.T @ self.field.inverse @ self.columns)

    @cached_property
    def scaled_residual(self) -> FloatArray:
        """K^-1 (y - F beta) of each column, shape (all points, 3)."""
        return np.asarray(self.field.inverse @ (self.columns - self.field.drift @ self.coefficients))

    @property
    def part(self) -> _YearPart:
        """What the year adds to the product of all years; nothing of it is as large as the matrices."""
        field, observed = self.field, self.observed.points.count
        return _YearPart(
            positions=field.points.positions,
            observed=observed,
            scaled_residual=self.scaled_residual,
            coefficients=self.coefficients,
            trend=field.trend,
        )


@dataclass(frozen=True, kw_only=True)
class _YearPart:
    """What one year adds to the product of all years.

    Attributes
    ----------
    positions : of all points, the observed ones first, shape (points, 2).
    observed : how many were observed.
    scaled_residual, coefficients : as in ``_System``.
    trend : the drift, as in ``Kriged``.
    """

    positions: FloatArray
    observed: int
    scaled_residual: FloatArray
    coefficients: FloatArray
    trend: ElevationTrend


@dataclass(frozen=True, kw_only=True)
class _Profiles:
    """Drift and bend of every year: what of a field hangs on the elevation alone.

    Attributes
    ----------
    trends : one a year.
    constant, slope : coefficients of the drift, shape (years, columns, 1); the slope is per 100 m.
    bend : of the trend, the same in every year.
    """

    trends: Sequence[ElevationTrend]
    constant: FloatArray
    slope: FloatArray
    bend: FieldModel

    @classmethod
    def of(cls, parts: Sequence[_YearPart], model: FieldModel, columns: int) -> _Profiles:
        constant, slope = np.zeros((len(parts), columns, 1)), np.zeros((len(parts), columns, 1))
        for year, own in enumerate(parts):
            constant[year, :, 0] = own.coefficients[0, :columns]
            if own.trend.with_elevation:
                slope[year, :, 0] = own.coefficients[1, :columns]
        return cls(trends=[own.trend for own in parts], constant=constant, slope=slope, bend=model)

    def at(self, elevation_m: FloatArray) -> FloatArray:
        """Their values at some elevations (m w.e.), shape (years, columns, n)."""
        stretched = np.stack([trend.stretched(elevation_m) for trend in self.trends])
        origins = np.array([[trend.origin_m] for trend in self.trends])
        values = self.slope * ((stretched - origins) / 100)[:, None, :]
        values += self.constant
        values[:, 0] += self.bend.bend_at(stretched)
        for year, trend in enumerate(self.trends):
            if trend.beyond.added_below_m_we_per_100m:
                values[year, 0] += trend.added(elevation_m)
        return np.asarray(values)


@dataclass(frozen=True)
class _YearSums:
    """What one year takes from the blocks of pixels.

    Attributes
    ----------
    balance_m_we, shared_m_we : at the pixels, float32; the shared density errors None where not asked for.
    mean_m_we : mean of the balance over the glacier.
    mean_covariance : mean covariance of each observed point with the glacier.
    """

    balance_m_we: FloatArray
    shared_m_we: FloatArray | None
    mean_m_we: float
    mean_covariance: FloatArray


@dataclass(frozen=True)
class _Sums:
    """What all years take from the blocks of pixels; the arrays of a year are handed over once and then let go."""

    balance_m_we: list[FloatArray | None]
    shared_m_we: list[FloatArray | None]
    mean_m_we: FloatArray
    mean_covariance: list[FloatArray]

    def of_year(self, number: int) -> _YearSums:
        balance, self.balance_m_we[number] = self.balance_m_we[number], None
        shared, self.shared_m_we[number] = self.shared_m_we[number], None
        if balance is None:
            raise LookupError(f"year {number} was handed over before")
        return _YearSums(balance, shared, float(self.mean_m_we[number]), self.mean_covariance[number])


def _kriged_sums(parts: Sequence[_YearPart], model: FieldModel, pixels: _MapPixels, columns: int) -> _Sums:
    """Drift plus departures of every year at every pixel: covariances once, then one product for all years."""
    sites, site_of = _sites(parts)
    loads = np.zeros((len(parts), columns, len(sites)))
    for year, own in enumerate(parts):
        for column in range(columns):
            np.add.at(loads[year, column], site_of[year], own.scaled_residual[:, column])
    count = len(pixels.positions)
    balance = [np.empty(count, np.float32) for _ in parts]
    shared = [np.empty(count, np.float32) if columns == 3 else None for _ in parts]
    origin = sites.mean(axis=0)
    near_sites, weights = (sites - origin).astype(np.float32), loads.reshape(-1, len(sites)).astype(np.float32)
    profiles = _Profiles.of(parts, model, columns)

    def of_block(part: slice) -> tuple[FloatArray, FloatArray]:
        covariance = _single_covariance((pixels.positions[part] - origin).astype(np.float32), near_sites, model)
        values = profiles.at(pixels.elevation_m[part])
        values += (weights @ covariance).reshape(values.shape)
        inside = pixels.inside[part]
        for year, own in enumerate(values):
            balance[year][part] = own[0]
            if columns == 3:
                shared[year][part] = np.hypot(own[1], own[2])  # type: ignore[index]  # arrays when three columns
        return values[:, 0] @ inside.astype(float), np.asarray(covariance @ inside.astype(np.float32), float)

    means, covariances = np.zeros(len(parts)), np.zeros(len(sites))
    # added up in the order of the blocks, so that any number of threads gives the same sums
    for own_means, own_covariances_of_block in in_threads(of_block, pixels.blocks(len(sites))):
        means += own_means
        covariances += own_covariances_of_block
    area = pixels.inside.sum()
    own_covariances = [covariances[site_of[year][: own.observed]] / area for year, own in enumerate(parts)]
    return _Sums(list(balance), shared, means / area, own_covariances)


def _single_covariance(positions: FloatArray, sites: FloatArray, model: FieldModel) -> FloatArray:
    """Covariance of each site with each place in single precision, shape (sites, places); positions near zero.

    A map is handed on in single precision; its covariances with the sites are the largest arrays of all.
    """
    away = sites[:, :1] - positions[:, 0]
    north = sites[:, 1:] - positions[:, 1]
    away *= away
    north *= north
    away += north
    np.sqrt(away, out=away)
    away *= np.float32(-1 / model.covariance.range_m)
    np.exp(away, out=away)
    away *= np.float32(model.covariance.sill_m2_we2)
    return away


def _sites(parts: Sequence[_YearPart]) -> tuple[FloatArray, list[NDArray[np.intp]]]:
    """Positions of all points of all years, each once, shape (sites, 2), and the site of each point of each year."""
    positions = np.concatenate([own.positions for own in parts])
    sites, number = np.unique(positions, axis=0, return_inverse=True)
    ends = np.cumsum([len(own.positions) for own in parts])[:-1]
    return sites, list(np.split(np.ravel(number).astype(np.intp), ends))


def _by_kriging(observed: Kriged, sums: _YearSums, pixels: _MapPixels, within: float) -> YearField:
    """One year from the sums of all: its field, and the variance of its mean."""
    mean = area_mean_of(observed, sums.mean_covariance, pixels.surface.heights, within)
    sigma = None
    if sums.shared_m_we is not None:
        sigma = pixels.on_grid(np.sqrt(_kriging_variance(observed, pixels) + sums.shared_m_we**2))
    return YearField(pixels.on_grid(sums.balance_m_we), sigma, observed, _with_balance(mean, sums.mean_m_we))


def _with_balance(mean: AreaMean, balance_m_we: float) -> AreaMean:
    """The mean of the field itself (bend and filled points included) with the errors of the observed points."""
    return AreaMean(balance_m_we, mean.weights, mean.variance, mean.noise_variance)


def _kriging_variance(kriged: Kriged, pixels: _MapPixels) -> FloatArray:
    """Kriging variance at every pixel ((m w.e.)^2); of very many points by way of a lattice.

    What is interpolated between the lattice's nodes is the variance over that of a prediction from the nearest point
    alone, which holds the cusps at the points; the rest is smooth.
    """
    if float(len(pixels.positions)) * kriged.points.count**2 <= _EXACT_VARIANCE:
        return _variance_at(kriged, pixels.positions, pixels.elevation_m)
    lattice, step = pixels.lattice, np.ix_(*pixels.lattice.lines)
    number = _nearest_point(kriged, pixels.surface.grid)
    height = pixels.surface.surface_m[step].ravel()
    height = np.where(np.isfinite(height), height, kriged.trend.origin_m)
    ratio = _variance_at(kriged, lattice.positions, height) / _variance_from(
        kriged, number[step].ravel(), lattice.positions
    )
    between = map_coordinates(ratio.reshape(lattice.shape), lattice.reach_at, order=1, mode="nearest")
    return np.asarray(between * _variance_from(kriged, number[pixels.reach], pixels.positions))


def _nearest_point(kriged: Kriged, grid: Grid) -> NDArray[np.intp]:
    """Number of the point whose pixel is nearest to each pixel; -1 where no point lies on the grid."""
    row, column = (np.rint(index).astype(int) for index in grid.index_of(kriged.points.easting, kriged.points.northing))
    held = (row >= 0) & (row < grid.shape[0]) & (column >= 0) & (column < grid.shape[1])
    number = np.full(grid.shape, -1)
    if not held.any():
        return number
    number[row[held], column[held]] = np.flatnonzero(held)
    width, height = grid.pixel_size
    nearest = distance_transform_edt(number < 0, sampling=(height, width), return_distances=False, return_indices=True)
    return np.asarray(number[tuple(nearest)])


def _variance_from(kriged: Kriged, number: NDArray[np.intp], positions: FloatArray) -> FloatArray:
    """Variance of a prediction from one point alone, sill - C(d)^2 / (sill + noise), shape (places,)."""
    sill = kriged.covariance.sill_m2_we2
    if number.min(initial=0) < 0:
        return np.full(len(positions), sill)
    points = kriged.points.positions[number]
    away = np.hypot(positions[:, 0] - points[:, 0], positions[:, 1] - points[:, 1])
    return np.asarray(sill - kriged.covariance.of(away) ** 2 / (sill + kriged.noise[number]))


def _variance_at(kriged: Kriged, positions: FloatArray, elevation_m: FloatArray) -> FloatArray:
    """sill - c' K^-1 c + g' (F' K^-1 F)^-1 g with g = f - F' K^-1 c, shape (places,)."""
    variance = np.empty(len(positions))
    size = max(256, _BLOCK_ELEMENTS // kriged.points.count)
    for start in range(0, len(positions), size):
        part = slice(start, start + size)
        covariance = kriged.covariance.of(cdist(positions[part], kriged.points.positions))
        weighted = covariance @ kriged.inverse
        gap = kriged.trend.at(elevation_m[part]) - weighted @ kriged.drift
        variance[part] = kriged.covariance.sill_m2_we2 - np.einsum("ij,ij->i", weighted, covariance)
        variance[part] += np.einsum("ij,jk,ik->i", gap, kriged.drift_inverse, gap)
    return np.maximum(variance, 0.0)


def _by_inverse_distance(
    system: _System, model: FieldModel, pixels: _MapPixels, within: float, with_sigma: bool
) -> YearField:
    """One year by weights that are linear in the points; the variance of any such weights follows from the covariance.

    With weights w and covariance c between a place and the points, the error's variance is C(0) - 2 w'c + w'K w; for
    the mean over the glacier the same with the means of w and c over it and the mean covariance within it.
    """
    kriged, observed = system.field, system.observed
    fields, variance = np.empty((len(pixels.positions), 3)), np.empty(len(pixels.positions))
    mean_weights, mean_covariance = np.zeros(observed.points.count), np.zeros(observed.points.count)
    matrix = model.covariance.of(cdist(observed.points.positions, observed.points.positions)) + np.diag(observed.noise)
    for part in pixels.blocks(kriged.points.count):
        where = pixels.positions[part], pixels.elevation_m[part]
        fields[part] = inverse_distance_weights(kriged, *where) @ system.columns
        weights = inverse_distance_weights(observed, *where)
        covariance = model.covariance.of(cdist(where[0], observed.points.positions))
        variance[part] = model.covariance.sill_m2_we2 - 2 * np.einsum("ij,ij->i", weights, covariance)
        variance[part] += np.einsum("ij,ij->i", weights @ matrix, weights)
        mean_weights += weights[pixels.inside[part]].sum(axis=0) / pixels.inside.sum()
        mean_covariance += covariance[pixels.inside[part]].sum(axis=0) / pixels.inside.sum()
    total = within - 2 * mean_weights @ mean_covariance + mean_weights @ matrix @ mean_weights
    mean = AreaMean(0.0, mean_weights, max(float(total), 0.0), float(mean_weights**2 @ observed.noise))
    balance = fields[:, 0] + model.bend_at(kriged.trend.stretched(pixels.elevation_m))
    balance += kriged.trend.added(pixels.elevation_m)
    sigma = np.sqrt(np.maximum(variance, 0.0) + fields[:, 1] ** 2 + fields[:, 2] ** 2) if with_sigma else None
    on_grid = pixels.on_grid(sigma) if sigma is not None else None
    wide = _with_balance(mean, float(balance[pixels.inside].mean()))
    return YearField(pixels.on_grid(balance), on_grid, observed, wide)
