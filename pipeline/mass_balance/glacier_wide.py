"""The balance of the whole glacier in one period: from points, by contour method and zoning, with its error budget."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.grid import FloatArray
from pipeline.mass_balance.contour_method import classes_of_outline, contour_balance, isolines
from pipeline.mass_balance.equilibrium_line import EquilibriumLine, accumulation_area_ratio, equilibrium_line
from pipeline.mass_balance.field import AreaMean, Covariance, Kriged, Points, area_mean, leave_one_out, predict, prepare
from pipeline.mass_balance.hypsometry import GlacierSurface, Hypsometry
from pipeline.mass_balance.points import PointRecord
from pipeline.mass_balance.result import BalanceField
from pipeline.mass_balance.uncertainty import Budget, area_error, inflation, method_spread, shared_error
from pipeline.mass_balance.zoning import Zones, gradient_balance, gradient_weights, zone_mean, zones_of_points
from schemas.settings import MassBalanceSettings


@dataclass(frozen=True)
class SharedErrors:
    """Change of each point's balance (m w.e.) by one standard deviation of a density, shape (points,)."""

    snow_m_we: FloatArray
    ice_m_we: FloatArray


@dataclass(frozen=True)
class GlacierWide:
    """The glacier-wide balance of one period.

    Attributes
    ----------
    balance_m_we : by the method the settings call primary, or zoning where there is no map.
    budget : its errors.
    by_method : contour, field, zone and gradient (m w.e.); None where a method could not be used.
    gradient_m_we_per_100m : of the straight line.
    zones, zone_balance_m_we, zone_sigma_m_we : the elevation zones.
    line, aar : equilibrium line and accumulation-area ratio of this period's balance.
    field : the balance on the map; None without DEM and outline.
    """

    balance_m_we: float
    budget: Budget
    by_method: dict[str, float | None]
    gradient_m_we_per_100m: float
    zones: Zones
    zone_balance_m_we: FloatArray
    zone_sigma_m_we: FloatArray
    line: EquilibriumLine
    aar: float
    field: BalanceField | None


def as_points(records: Sequence[PointRecord], settings: MassBalanceSettings) -> tuple[Points, SharedErrors]:
    """The arrays of some point balances; each point also carries how well it stands for its surroundings."""
    columns = np.array(
        [
            (
                r.place.easting,
                r.place.northing,
                r.place.elevation_m,
                r.balance.balance_m_we,
                r.balance.sigma_random_m_we,
            )
            for r in records
        ],
        float,
    ).reshape(len(records), 5)
    random = np.hypot(columns[:, 4], settings.sigma_point_m_we)
    shared = SharedErrors(
        np.array([record.balance.shared_snow_m_we for record in records]),
        np.array([record.balance.shared_ice_m_we for record in records]),
    )
    return Points(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3], random), shared


def by_zones(
    points: Points, shared: SharedErrors, hypsometry: Hypsometry, settings: MassBalanceSettings
) -> GlacierWide:
    """The glacier-wide balance on an area-altitude distribution alone: contour zoning, no map."""
    zones = zones_of_points(hypsometry, points.elevation_m)
    balance = zones.weights @ points.balance_m_we
    scatter = gradient_scatter(points)
    sigma = _zone_sigma(zones, points, shared, scatter)
    wide = zone_mean(hypsometry, balance)
    straight, slope = gradient_balance(hypsometry, points.elevation_m, points.balance_m_we)
    weights = zones.area_weights
    unmeasured = math.sqrt(max(scatter**2 - float(np.mean(points.sigma_random_m_we**2)), 0.0))
    budget = Budget(
        point=math.sqrt(float(weights**2 @ points.sigma_random_m_we**2)),
        density=shared_error(weights, shared.snow_m_we, shared.ice_m_we),
        interpolation=unmeasured * math.sqrt(float(weights @ weights)),
        area=area_error(settings.sigma_area_relative, balance, hypsometry.area_km2),
        method=method_spread([wide, straight]),
        leave_one_out=scatter,
    )
    line = equilibrium_line(hypsometry.lower_m, hypsometry.upper_m, hypsometry.area_km2, balance)
    aar = accumulation_area_ratio(hypsometry.lower_m, hypsometry.upper_m, hypsometry.area_km2, line)
    methods: dict[str, float | None] = {"contour": None, "field": None, "zone": wide, "gradient": straight}
    return GlacierWide(wide, budget, methods, slope, zones, balance, sigma, line, aar, None)


def gradient_scatter(points: Points) -> float:
    """Standard deviation of the balances about the straight line with elevation (m w.e.); their noise if only two."""
    slope = gradient_weights(points.elevation_m) @ points.balance_m_we
    residual = (
        points.balance_m_we - points.balance_m_we.mean() - slope * (points.elevation_m - points.elevation_m.mean())
    )
    if points.count < 3:
        return float(np.sqrt(np.mean(points.sigma_random_m_we**2)))
    return math.sqrt(float(residual @ residual) / (points.count - 2))


def _zone_sigma(zones: Zones, points: Points, shared: SharedErrors, scatter: float) -> FloatArray:
    """Standard deviation of each zone's balance (m w.e.): its points' scatter and noise, and the shared densities.

    A zone without a point carries the scatter about the balance gradient besides.
    """
    per_point = np.maximum(points.sigma_random_m_we**2, scatter**2)
    own = zones.weights**2 @ per_point
    lacking = np.array([0.0 if basis == "observed" else scatter**2 for basis in zones.basis])
    densities = (zones.weights @ shared.snow_m_we) ** 2 + (zones.weights @ shared.ice_m_we) ** 2
    return np.asarray(np.sqrt(own + lacking + densities))


def by_map(
    points: Points,
    shared: SharedErrors,
    covariance: Covariance,
    ground: tuple[GlacierSurface, Hypsometry],
    settings: MassBalanceSettings,
) -> GlacierWide:
    """The glacier-wide balance on the map: kriged field, contour method, direct mean; zoning and gradient beside it."""
    surface, hypsometry = ground
    zoned = by_zones(points, shared, hypsometry, settings)
    kriged = prepare(points, covariance)
    balance, sigma = _on_grid(kriged, surface)
    pixels = _pixels(surface)
    mean = area_mean(kriged, surface.inside, surface.grid.pixel_size, pixels)
    interval = settings.isoline_interval_m_we
    contour = contour_balance(classes_of_outline(surface.grid, balance, surface.outline, interval))
    zone = zoned.balance_m_we
    methods = {**zoned.by_method, "contour": contour, "field": mean.balance_m_we}
    inside = balance[surface.inside]
    budget = _budget(kriged, mean, shared, [contour, mean.balance_m_we, zone], settings.sigma_area_relative, inside)
    densities = _shared_on_grid(kriged, surface, shared)
    on_glacier = np.where(surface.inside, 1.0, np.nan)
    field = BalanceField(
        surface.grid,
        balance * on_glacier,
        np.hypot(sigma, densities) * on_glacier,
        surface.surface_m,
        isolines(surface.grid, balance, surface.outline, interval),
    )
    line = _line_of_field(surface, balance, settings.band_height_m)
    return GlacierWide(
        contour if settings.primary_method == "contour" else zone,
        budget,
        methods,
        zoned.gradient_m_we_per_100m,
        zoned.zones,
        zoned.zone_balance_m_we,
        zoned.zone_sigma_m_we,
        line,
        float(np.mean(inside >= 0)),
        field,
    )


def _budget(
    kriged: Kriged,
    mean: AreaMean,
    shared: SharedErrors,
    methods: list[float],
    sigma_area_relative: float,
    inside: FloatArray,
) -> Budget:
    error, standardised = leave_one_out(kriged)
    interpolation = math.sqrt(max(mean.variance - mean.noise_variance, 0.0)) * inflation(standardised)
    return Budget(
        point=math.sqrt(mean.noise_variance),
        density=shared_error(mean.weights, shared.snow_m_we, shared.ice_m_we),
        interpolation=interpolation,
        area=area_error(sigma_area_relative, inside, np.ones_like(inside)),
        method=method_spread(methods),
        leave_one_out=math.sqrt(float(np.mean(error**2))),
    )


def _pixels(surface: GlacierSurface) -> Points:
    easting, northing = surface.grid.centres()
    rows, columns = np.nonzero(surface.inside)
    nothing = np.empty(0)
    return Points(easting[columns], northing[rows], surface.surface_m[rows, columns], rows.astype(float), nothing)


def _on_grid(kriged: Kriged, surface: GlacierSurface) -> tuple[FloatArray, FloatArray]:
    """The field over the whole grid, so that isolines run out through the outline; NaN where the DEM is void."""
    easting, northing = np.meshgrid(*surface.grid.centres())
    prediction = predict(kriged, easting.ravel(), northing.ravel(), surface.surface_m.ravel())
    shape = surface.grid.shape
    return prediction.balance_m_we.reshape(shape), prediction.sigma_m_we.reshape(shape)


def _shared_on_grid(kriged: Kriged, surface: GlacierSurface, shared: SharedErrors) -> FloatArray:
    """What the shared density errors do to each pixel (m w.e.): the field of the points' shared changes."""
    total = np.zeros(surface.grid.shape)
    for change in (shared.snow_m_we, shared.ice_m_we):
        points = Points(
            kriged.points.easting,
            kriged.points.northing,
            kriged.points.elevation_m,
            change,
            kriged.points.sigma_random_m_we,
        )
        total = np.hypot(total, _on_grid(prepare(points, kriged.covariance), surface)[0])
    return total


def _line_of_field(surface: GlacierSurface, balance_m_we: FloatArray, band_height_m: float) -> EquilibriumLine:
    """Equilibrium line of the field's mean profile by elevation band."""
    elevation, values = surface.surface_m[surface.inside], balance_m_we[surface.inside]
    first = math.floor(elevation.min() / band_height_m)
    index = np.floor(elevation / band_height_m).astype(int) - first
    count = np.bincount(index).astype(float)
    with np.errstate(invalid="ignore"):
        profile = np.bincount(index, weights=values) / count
        height = np.bincount(index, weights=elevation) / count
    lower = (first + np.arange(count.size)) * band_height_m
    span = (float(elevation.min()), float(elevation.max()))
    return equilibrium_line(lower, lower + band_height_m, count, profile, span, height)
