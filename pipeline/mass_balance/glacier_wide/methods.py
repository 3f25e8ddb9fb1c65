"""The balance of the whole glacier in one period: from points, by contour method and zoning, with its error budget."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial import cKDTree

from pipeline.grid import FloatArray
from pipeline.mass_balance.field import (
    Beyond,
    FieldModel,
    Points,
    YearField,
    YearPoints,
    inverse_distance_balance,
    leave_one_out,
    thinned,
)
from pipeline.mass_balance.glacier_wide.contour_method import classes_of_outline, contour_balance, isolines
from pipeline.mass_balance.glacier_wide.cross_checks import gradient_of, piecewise_balance, quadratic_balance
from pipeline.mass_balance.glacier_wide.equilibrium_error import (
    BAND_SHARE,
    EquilibriumError,
    error_of_line,
    errors_of_mean,
    field_error_at,
    profile_error_at,
)
from pipeline.mass_balance.glacier_wide.equilibrium_line import (
    EquilibriumLine,
    accumulation_area_ratio,
    equilibrium_line,
    zero_line,
)
from pipeline.mass_balance.glacier_wide.uncertainty import (
    BalanceBudget,
    area_error,
    inflation,
    method_spread,
    shared_error,
)
from pipeline.mass_balance.glacier_wide.zoning import (
    Zones,
    gradient_balance,
    gradient_weights,
    shares_beyond,
    unknown_gradient_error,
    unknown_gradient_error_of_mean,
    zone_mean,
    zones_of_points,
)
from pipeline.mass_balance.ground import GlacierSurface, Hypsometry
from pipeline.mass_balance.points import PointRecord
from pipeline.mass_balance.result import METHODS, BalanceField
from schemas.settings import MassBalanceSettings

# points so near to each other are one site
SAME_SITE_M = 25.0


@dataclass(frozen=True)
class LeaveOneOut:
    """Each observed point predicted from the others, shape (points,).

    Attributes
    ----------
    error_m_we : balance minus prediction.
    standardised : that over its standard deviation.
    influence_m_we : glacier-wide balance with the point minus without it.
    """

    error_m_we: FloatArray
    standardised: FloatArray
    influence_m_we: FloatArray


@dataclass(frozen=True, kw_only=True)
class GlacierWide:
    """The glacier-wide balance of one period.

    Attributes
    ----------
    balance_m_we : by the method the settings call primary, or zoning where there is no map.
    budget : its errors.
    by_method : each of ``METHODS`` (m w.e.); None where a method could not be used.
    gradient_m_we_per_100m, gradient_below_m_we_per_100m, gradient_above_m_we_per_100m : of the straight line through
        all points, and through those below and above the equilibrium line; None where too few lie there.
    zones, zone_balance_m_we, zone_sigma_m_we : the elevation zones.
    line, aar, line_error : equilibrium line and accumulation-area ratio of this period's balance, and their errors.
    field : the balance on the map; None without DEM and outline.
    left_out : each point predicted from the others.
    density_errors_m_we : what one standard deviation more of snow density, and of ice density, does to the balance.
    unmeasured_area_share : share of the area above the highest and below the lowest point.
    zero_line_m : mean elevation of the line of zero balance on the map; None without one.
    """

    balance_m_we: float
    budget: BalanceBudget
    by_method: dict[str, float | None]
    gradient_m_we_per_100m: float
    gradient_below_m_we_per_100m: float | None
    gradient_above_m_we_per_100m: float | None
    zones: Zones
    zone_balance_m_we: FloatArray
    zone_sigma_m_we: FloatArray
    line: EquilibriumLine
    aar: float
    line_error: EquilibriumError
    field: BalanceField | None
    left_out: LeaveOneOut
    density_errors_m_we: tuple[float, float]
    unmeasured_area_share: float
    zero_line_m: float | None = None

    @property
    def unmeasured_error_share(self) -> float:
        """Share of the variance that comes from elevations nobody measured."""
        total = self.budget.total
        return self.budget.unmeasured**2 / total**2 if total > 0 else 0.0


def as_points(records: Sequence[PointRecord], settings: MassBalanceSettings, period: str = "") -> YearPoints:
    """The arrays of some point balances; each point also carries how well it stands for its surroundings.

    Parameters
    ----------
    records : point balances of one period.
    settings : what a point departs from its surroundings by, m w.e.
    period : annual, winter or summer, whose errors beyond the points they have; that of the records when empty.
    """
    columns = np.array(
        [
            (
                r.place.easting,
                r.place.northing,
                r.place.elevation_m,
                r.balance.balance_m_we,
                r.balance.sigma_random_m_we,
                r.balance.shared_snow_m_we,
                r.balance.shared_ice_m_we,
            )
            for r in records
        ],
        float,
    ).reshape(len(records), 7)
    random = np.hypot(columns[:, 4], settings.sigma_point_m_we * np.sqrt(_at_one_site(columns[:, :2])))
    easting, northing, elevation, balance = columns[:, :4].T
    points = Points(
        easting=easting, northing=northing, elevation_m=elevation, balance_m_we=balance, sigma_random_m_we=random
    )
    beyond = Beyond.of(balance, period or (records[0].period if records else "annual"))
    return YearPoints(observed=points, shared=columns[:, 5:], beyond=beyond)


def bent_beyond(points: YearPoints, hypsometry: Hypsometry) -> YearPoints:
    """The points with a profile that bends beyond them by as much as the unmeasured area calls for."""
    return replace(points, beyond=points.beyond.for_shares(*shares_beyond(hypsometry, points.all.elevation_m)))


def _at_one_site(positions: FloatArray) -> FloatArray:
    """How many points stand at each point's site: stakes a and b of one place stand for its surroundings once."""
    if len(positions) == 0:
        return np.ones(0)
    neighbours = cKDTree(positions).query_ball_point(positions, SAME_SITE_M, return_length=True)
    return np.asarray(neighbours, float)


def by_zones(year: YearPoints, hypsometry: Hypsometry, settings: MassBalanceSettings) -> GlacierWide:
    """The glacier-wide balance on an area-altitude distribution alone: contour zoning, no map.

    Filled points shape the zones where there are any; the errors are those of the observed ones.

    Parameters
    ----------
    year : the points, m and m w.e.
    hypsometry : area of each zone, km2.
    settings : of the mass balance.
    """
    points, own = year.observed, year.all
    zones = zones_of_points(hypsometry, own.elevation_m, year.beyond)
    balance = zones.balance(own.balance_m_we)
    held = zones if year.filled is None else zones_of_points(hypsometry, points.elevation_m, year.beyond)
    scatter = gradient_scatter(points)
    wide = zone_mean(hypsometry, balance)
    straight, slope = gradient_balance(hypsometry, own.elevation_m, own.balance_m_we)
    weights = held.area_weights
    unmeasured = math.sqrt(max(scatter**2 - float(np.mean(points.sigma_random_m_we**2)), 0.0))
    elsewhere = unknown_gradient_error_of_mean(hypsometry, points.elevation_m)
    beyond = year.beyond.error_of_mean(hypsometry.middle_m, points.elevation_m, hypsometry.area_km2)
    budget = BalanceBudget(
        point=math.sqrt(float(weights**2 @ points.sigma_random_m_we**2)),
        density=shared_error(weights, year.shared[:, 0], year.shared[:, 1]),
        # the weights hold the areas that points stand for, even or not
        interpolation=math.hypot(unmeasured * math.sqrt(float(weights @ weights)), elsewhere, beyond),
        area=area_error(settings.sigma_area_relative, balance, hypsometry.area_km2),
        method=method_spread([wide, straight]),
        leave_one_out=scatter,
        unmeasured=math.hypot(elsewhere, beyond),
    )
    zone_sigma = _zone_sigma(held, year, scatter)
    line, ratio, line_error = _line_of_zones(hypsometry, balance, zone_sigma, slope)
    below, above = gradients_about(line, own)
    return GlacierWide(
        balance_m_we=wide,
        budget=budget,
        by_method=_methods(
            zone=wide,
            gradient=straight,
            quadratic=quadratic_balance(hypsometry, own.elevation_m, own.balance_m_we),
            piecewise=piecewise_balance(hypsometry, own.elevation_m, own.balance_m_we),
        ),
        gradient_m_we_per_100m=slope,
        gradient_below_m_we_per_100m=below,
        gradient_above_m_we_per_100m=above,
        # a filled balance shapes a zone; it does not make it an observed one
        zones=zones.held_by(year.measured_elevation_m),
        zone_balance_m_we=balance,
        zone_sigma_m_we=zone_sigma,
        line=line,
        aar=ratio,
        line_error=line_error,
        field=None,
        left_out=_left_out_of_line(points, weights, scatter),
        density_errors_m_we=_density_errors(weights, year.shared),
        unmeasured_area_share=min(sum(shares_beyond(hypsometry, points.elevation_m)), 1.0),
    )


def _density_errors(weights: FloatArray, shared: FloatArray) -> tuple[float, float]:
    snow, ice = weights @ shared
    return float(snow), float(ice)


def _methods(**balances: float | None) -> dict[str, float | None]:
    return {name: balances.get(name) for name in METHODS}


def gradients_about(line: EquilibriumLine, points: Points) -> tuple[float | None, float | None]:
    """Balance gradients (m w.e. per 100 m) of the points below and above the equilibrium line.

    Parameters
    ----------
    line : the equilibrium line.
    points : of the year.
    """
    parts = []
    for chosen in (points.elevation_m < line.elevation_m, points.elevation_m >= line.elevation_m):
        parts.append(gradient_of(points.elevation_m[chosen], points.balance_m_we[chosen]))
    return parts[0], parts[1]


def gradient_scatter(points: Points) -> float:
    """Standard deviation of the balances about the straight line with elevation (m w.e.); their noise if only two."""
    slope = gradient_weights(points.elevation_m) @ points.balance_m_we
    residual = (
        points.balance_m_we - points.balance_m_we.mean() - slope * (points.elevation_m - points.elevation_m.mean())
    )
    if points.count < 3:
        return float(np.sqrt(np.mean(points.sigma_random_m_we**2)))
    return math.sqrt(float(residual @ residual) / (points.count - 2))


def _left_out_of_line(points: Points, weights: FloatArray, scatter: float) -> LeaveOneOut:
    """Without a map: each point predicted by the straight line with elevation through the others.

    With h_i the leverage of a point, the error is r_i / (1 - h_i) and its standard deviation s / sqrt(1 - h_i).
    """
    centred = points.elevation_m - points.elevation_m.mean()
    spread = float(centred @ centred)
    leverage = 1 / points.count + (centred**2 / spread if spread > 1.0 else 0.0)
    left = np.maximum(1 - leverage, 1e-9)
    slope = gradient_weights(points.elevation_m) @ points.balance_m_we
    error = (points.balance_m_we - points.balance_m_we.mean() - slope * centred) / left
    known = left > 1e-6
    error = np.where(known, error, np.nan)
    return LeaveOneOut(error, error * np.sqrt(left) / max(scatter, 1e-9), weights * error)


def _zone_sigma(zones: Zones, year: YearPoints, scatter: float) -> FloatArray:
    """Standard deviation of each zone's balance (m w.e.): its points' scatter and noise, and the shared densities.

    A zone without a point carries the scatter about the balance gradient besides.
    """
    points = year.observed
    per_point = np.maximum(points.sigma_random_m_we**2, scatter**2)
    own = zones.weights**2 @ per_point
    lacking = np.array([0.0 if basis == "observed" else scatter**2 for basis in zones.basis])
    densities = np.sum((zones.weights @ year.shared) ** 2, axis=1)
    elsewhere = [
        0.0
        if basis == "observed"
        else math.hypot(
            unknown_gradient_error(points.elevation_m, middle),
            year.beyond.error_of_mean(np.array([middle]), points.elevation_m),
        )
        for basis, middle in zip(zones.basis, zones.hypsometry.middle_m.tolist(), strict=True)
    ]
    return np.asarray(np.sqrt(own + lacking + densities + np.square(elsewhere)))


def by_map(
    year: YearPoints,
    field: YearField,
    model: FieldModel,
    ground: tuple[GlacierSurface, Hypsometry],
    settings: MassBalanceSettings,
) -> GlacierWide:
    """The glacier-wide balance on the map: field, contour method, direct mean; zoning and cross-checks beside it.

    Parameters
    ----------
    year : the points, m and m w.e.
    field : their field on the map, m w.e.
    model : covariance and trend of all years.
    ground : the glacier's surface and area-altitude distribution.
    settings : of the mass balance.
    """
    surface, hypsometry = ground
    zoned = by_zones(year, hypsometry, settings)
    interval = settings.isoline_interval_m_we
    drawn = thinned(surface.grid, field.balance_m_we)
    contour = contour_balance(classes_of_outline(*drawn, surface.outline, interval))
    published = _published_field(field, surface, interval)
    methods = {
        **zoned.by_method,
        "contour": contour,
        "field": field.mean.balance_m_we,
        "inverse_distance": None if published is None else inverse_distance_balance(year.all, surface.inside_positions),
    }
    line_of = _lines_of_field(surface, field.balance_m_we, settings.band_height_m)
    line, inside = line_of(0.0), field.balance_m_we[surface.inside]
    below, above = gradients_about(line, year.all)
    budget, left_out = _budget(year, field, model, [contour, field.mean.balance_m_we, zoned.balance_m_we], surface)
    widening = inflation(left_out.standardised)
    at_line = line.elevation_m, settings.band_height_m / 2
    local = BAND_SHARE * budget["leave_one_out"]
    sigma = math.hypot(field_error_at(at_line, year, field, (surface, model), widening), budget["method"], local)
    area = area_error(settings.sigma_area_relative, inside, np.ones(surface.pixels))
    return GlacierWide(
        balance_m_we=contour if settings.primary_method == "contour" else zoned.balance_m_we,
        budget=BalanceBudget(**{**budget, "area": area}),
        by_method=methods,
        gradient_m_we_per_100m=zoned.gradient_m_we_per_100m,
        gradient_below_m_we_per_100m=below,
        gradient_above_m_we_per_100m=above,
        zones=zoned.zones,
        zone_balance_m_we=zoned.zone_balance_m_we,
        zone_sigma_m_we=zoned.zone_sigma_m_we,
        line=line,
        aar=float(np.mean(inside >= 0)),
        line_error=error_of_line(
            line_of, lambda shift: float(np.mean(inside + shift >= 0)), sigma, zoned.gradient_m_we_per_100m
        ),
        field=published,
        left_out=left_out,
        density_errors_m_we=_density_errors(field.mean.weights, year.shared),
        unmeasured_area_share=zoned.unmeasured_area_share,
        zero_line_m=zero_line(surface.surface_m, surface.inside, field.balance_m_we),
    )


def _published_field(field: YearField, surface: GlacierSurface, interval: float) -> BalanceField | None:
    if field.sigma_m_we is None:
        return None
    return BalanceField(
        grid=surface.grid,
        balance_m_we=np.where(surface.inside, field.balance_m_we, np.float32(np.nan)),
        sigma_balance_m_we=np.where(surface.inside, field.sigma_m_we, np.float32(np.nan)),
        surface_m=surface.surface_m,
        isolines=isolines(*thinned(surface.grid, field.balance_m_we), surface.outline, interval),
        outline=surface.outline,
    )


def _budget(
    year: YearPoints, field: YearField, model: FieldModel, methods: list[float], surface: GlacierSurface
) -> tuple[dict[str, float], LeaveOneOut]:
    """The error budget but for the area, and each point predicted from the others.

    The interpolation error is the kriging error of the mean without the points' own noise, widened where the year's
    points predict each other worse than it says, and what the bend of the trend may be wrong by.
    """
    mean = field.mean
    error, standardised = leave_one_out(field.kriged)
    errors = errors_of_mean(mean, surface.heights, year, model, inflation(standardised))
    uneven = math.hypot(
        year.beyond.error_of_uneven(surface.heights, year.observed.elevation_m), _error_of_distance(year, surface)
    )
    budget = {
        **errors,
        "interpolation": math.hypot(errors["interpolation"], uneven),
        "method": method_spread(methods),
        "leave_one_out": math.sqrt(float(np.mean(error**2))),
        "unmeasured": year.beyond.error_over(surface.heights, year.observed.elevation_m),
        "uneven": uneven,
    }
    return budget, LeaveOneOut(error, standardised, mean.weights * error)


def _error_of_distance(year: YearPoints, surface: GlacierSurface) -> float:
    """What the area within the measured elevations adds to the error (m w.e.) by lying far from the points."""
    if not year.beyond.sigma_far_m_we:  # as of a season: no pixel need be looked at
        return 0.0
    known, elevation_m = year.observed.elevation_m, surface.surface_m[surface.inside]
    measured = (elevation_m >= known.min()) & (elevation_m <= known.max())
    share = float(measured.mean())
    return year.beyond.error_of_distance(
        surface.inside_positions[measured], year.observed.positions, 1e6 * share * surface.area_km2, share
    )


def _line_of_zones(
    hypsometry: Hypsometry, balance_m_we: FloatArray, sigma_m_we: FloatArray, gradient_m_we_per_100m: float
) -> tuple[EquilibriumLine, float, EquilibriumError]:
    """Equilibrium line and accumulation-area ratio of the zones, with their errors."""
    bands = hypsometry.lower_m, hypsometry.upper_m, hypsometry.area_km2

    def line_of(shift: float) -> EquilibriumLine:
        return equilibrium_line(*bands, balance_m_we + shift)

    def ratio_of(shift: float) -> float:
        return accumulation_area_ratio(*bands, line_of(shift))

    line = line_of(0.0)
    sigma = profile_error_at(line.elevation_m, hypsometry.middle_m, sigma_m_we)
    return line, ratio_of(0.0), error_of_line(line_of, ratio_of, sigma, gradient_m_we_per_100m)


def _lines_of_field(
    surface: GlacierSurface, balance_m_we: FloatArray, band_height_m: float
) -> Callable[[float], EquilibriumLine]:
    """Equilibrium line of the field's mean profile by elevation band, with some balance (m w.e.) added to it."""
    bands = surface.pixel_bands(band_height_m)
    lower, profile = bands.lower_m, bands.profile(balance_m_we[surface.inside])
    edges = lower, lower + band_height_m, bands.count
    return lambda shift: equilibrium_line(*edges, profile + shift, bands.span_m, bands.height_m)
