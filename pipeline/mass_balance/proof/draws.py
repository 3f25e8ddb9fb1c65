"""The error of the glacier-wide balance by Monte Carlo: the fieldwork is redone many times with other errors.

Every draw reads every stake anew, weighs the snow with other scales, puts another departure field under the network and
draws the outline anew; then the whole chain runs again. The spread of the balances stands beside the error budget by
formula, source by source.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial.distance import cdist

from pipeline.grid import FloatArray
from pipeline.mass_balance.chain import Measured, integrate_fieldwork, measure, read_ground
from pipeline.mass_balance.field import FieldModel, YearPoints, leave_one_out, mean_covariance_within, prepare
from pipeline.mass_balance.fieldwork import FieldData
from pipeline.mass_balance.glacier_wide import (
    FIELD_POINTS,
    SOURCES,
    GlacierWide,
    Ground,
    YearPlan,
    bent_beyond,
    field_model,
    gradient_scatter,
    inflation,
)
from pipeline.mass_balance.ground import GlacierSurface
from pipeline.mass_balance.points import (
    SIGMA_BENT_M,
    Calendar,
    annual_records,
    build_network,
    fill,
    fit_linear_model,
    observations,
)
from pipeline.mass_balance.result import MassBalance
from pipeline.progress import Tell, silent
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings

# a depth or density is never drawn below this
_LEAST_DEPTH_M, _LEAST_DENSITY_KG_M3 = 0.005, 30.0
# pixels of the glacier taken at once, for all draws
_BLOCK_PIXELS = 1_000
# an even selection of so many pixels stands for the glacier: what it misses, draws and base miss alike
_PIXELS = 4_000
# redone fieldwork is told of every so many draws
_TELL_DRAWS = 50


@dataclass(frozen=True)
class MonteCarlo:
    """What a Monte Carlo run found.

    Attributes
    ----------
    years : the mass-balance years with a glacier-wide balance.
    draws, seed : how many times the fieldwork was redone, and from which seed.
    errors_m_we : source -> error of each draw's annual balance (m w.e.), shape (draws, years); ``total`` has all
        sources at once.
    """

    years: tuple[int, ...]
    draws: int
    seed: int
    errors_m_we: Mapping[str, FloatArray]

    def sigma_annual_m_we(self, source: str = "total") -> FloatArray:
        """Standard deviation of each year's error, shape (years,).

        Parameters
        ----------
        source : "point", "density", "interpolation", "area", "method" or "total".
        """
        return np.asarray(np.std(self.errors_m_we[source], axis=0))

    def sigma_cumulative_m_we(self, source: str = "total") -> FloatArray:
        """Standard deviation of the error of the sum from the first year to each year, shape (years,).

        Parameters
        ----------
        source : "point", "density", "interpolation", "area", "method" or "total".
        """
        return np.asarray(np.std(np.cumsum(self.errors_m_we[source], axis=1), axis=0))


def monte_carlo(
    data: FieldData,
    settings: MassBalanceSettings,
    draws: int,
    seed: int,
    *,
    dem: Path | None = None,
    outline: Path | None = None,
    tell: Tell = silent,
) -> MonteCarlo:
    """Redo the fieldwork and the chain ``draws`` times, with every source of error alone and with all at once.

    point : every exposed length, snow depth and pit depth is read anew, and every point departs anew from its
        surroundings; each with the settings' standard deviation, independent from point to point and year to year (but
        the reading that ends one year begins the next).
    density : one factor for all snow, one for all ice and firn; the same in all years.
    interpolation : a departure field with the fitted covariance lies under the points, the same in all years; the error
        is what the chain makes of its values at the points minus its true mean over the glacier. Without a map, each
        point departs by the scatter about the balance gradient.
    area : each elevation band's area is in doubt by itself, with the variance sigma^2 A A_i that makes the
        settings' relative error of the whole; the same in all years.
    method : one of the methods of the budget's spread is drawn, independent from year to year.

    The covariance and the bend of the trend are those fitted to the data; the bend's own error, and that of the profile
    where nobody measured, are drawn with the interpolation. Published balances do not change.

    Parameters
    ----------
    data : the fieldwork, as read.
    settings : of the mass balance.
    draws : how many, at least two.
    seed : of the draws.
    dem, outline : files of the map, or None.
    tell : takes a line for each step.

    Errors
    ------
    BadInput : fewer than two draws; and as in ``chain.mass_balance``.
    """
    if draws < 2:
        raise BadInput("Monte Carlo", f"{draws} draws", "at least two")
    calendar = Calendar.of(settings.year_start, settings.annual_tolerance_days)
    ground = read_ground(data, settings, dem, outline)
    measured = measure(data, calendar, settings)
    tell("Monte Carlo: integrating the balances as they were read")
    annual = integrate_fieldwork(measured.plans, ground, settings, silent).annual
    estimators = _estimators(measured, annual, ground, settings)
    if not estimators:
        return MonteCarlo((), draws, seed, {source: np.empty((draws, 0)) for source in SOURCES})
    draw = np.random.default_rng(seed)
    values = _redone_fieldwork(data, measured, (draws, draw), calendar, settings, tell)
    tell("Monte Carlo: integrating the balances of every draw")
    shared = _SharedDraws.drawn(estimators, draws, draw)
    errors = {source: np.empty((draws, len(estimators))) for source in SOURCES}
    for column, estimator in enumerate(estimators):
        own = {source: values[source][estimator.year] for source in ("point", "density", "total")}
        for source, error in _errors_of_year(estimator, own, shared, draw).items():
            errors[source][:, column] = error
    return MonteCarlo(tuple(estimator.year for estimator in estimators), draws, seed, errors)


def with_monte_carlo(result: MassBalance, run: MonteCarlo) -> MassBalance:
    """The result with the Monte Carlo spread beside the formula in its table of error budgets.

    Parameters
    ----------
    result : of the mass balance.
    run : draws of the same fieldwork.
    """
    table = result.tables["error_budgets"].copy()
    begun = [year.year for year in result.years if year.annual_m_we is not None]
    sigmas: dict[tuple[str, int, str], float] = {}
    for source in SOURCES:
        for year, sigma in zip(run.years, run.sigma_annual_m_we(source), strict=True):
            sigmas["annual", year, source] = float(sigma)
        if list(run.years) == begun:
            for year, sigma in zip(run.years, run.sigma_cumulative_m_we(source), strict=True):
                sigmas["cumulative", year, source] = float(sigma)
    keys = zip(table["scope"], table["year"], table["source"], strict=True)
    table["monte_carlo_m_we"] = [sigmas.get((scope, int(year), source), math.nan) for scope, year, source in keys]
    return replace(result, tables={**result.tables, "error_budgets": table})


# --- redoing the fieldwork ---------------------------------------------------------------------------------------

Values = dict[str, dict[int, FloatArray]]


def _redone_fieldwork(
    data: FieldData,
    measured: Measured,
    drawn: tuple[int, np.random.Generator],
    calendar: Calendar,
    settings: MassBalanceSettings,
    tell: Tell,
) -> Values:
    """Point balances of every draw: source -> year -> shape (points, draws); points as in ``YearPoints.all``."""
    draws, draw = drawn
    plans = [plan for plan in measured.plans if plan.annual]
    values: Values = {
        source: {plan.year: np.empty((len(plan.annual) + len(plan.filled), draws)) for plan in plans}
        for source in ("point", "density", "total")
    }
    for number in range(draws):
        if number % _TELL_DRAWS == 0:
            tell(f"Monte Carlo: redoing the fieldwork, draw {number + 1} of {draws}")
        read = _Readings.drawn(data, settings, draw)
        noise = {plan.year: draw.standard_normal(len(plan.annual)) for plan in plans if _any_given(plan)}
        snow, ice = (float(value) for value in draw.standard_normal(2))
        for source, (reading, scales) in {
            "point": (read, (0.0, 0.0)),
            "density": (None, (snow, ice)),
            "total": (read, (snow, ice)),
        }.items():
            redone = _with_densities(reading.applied(data) if reading is not None else data, scales, settings)
            balances = _values(redone, plans, calendar, _with_other_densities(settings, scales))
            for plan in plans:
                values[source][plan.year][:, number] = balances[plan.year]
                own = _errors_of_given(plan, scales, noise.get(plan.year) if reading is not None else None)
                values[source][plan.year][: len(plan.annual), number] += own
        local = {plan.year: draw.normal(0, settings.sigma_point_m_we, len(plan.annual)) for plan in plans}
        for plan in plans:
            for source in ("point", "total"):
                values[source][plan.year][: len(plan.annual), number] += local[plan.year]
    return values


def _any_given(plan: YearPlan) -> bool:
    return any(record.cell is not None for record in plan.annual)


def _errors_of_given(plan: YearPlan, scales: tuple[float, float], noise: FloatArray | None) -> FloatArray:
    """What a draw adds to balances that were given as such (m w.e.): their own noise, and that of the densities."""
    errors = np.zeros(len(plan.annual))
    for number, record in enumerate(plan.annual):
        if record.cell is not None:
            own = record.balance
            errors[number] = scales[0] * own.shared_snow_m_we + scales[1] * own.shared_ice_m_we
            errors[number] += own.sigma_random_m_we * noise[number] if noise is not None else 0.0
    return errors


def _values(
    data: FieldData, plans: Sequence[YearPlan], calendar: Calendar, settings: MassBalanceSettings
) -> dict[int, FloatArray]:
    """Balances (m w.e.) of the plans' points from other data, observed then filled; by year."""
    network = build_network(data, calendar, settings)
    records = annual_records(network, calendar, settings)
    balance = {(record.year, record.kind, record.point_id): record.balance.balance_m_we for record in records}
    # what was given as a balance has no readings to redo
    given = [record for plan in plans for record in plan.annual if record.cell is not None]
    balance |= {(record.year, record.kind, record.point_id): record.balance.balance_m_we for record in given}
    filled: dict[tuple[int, str], float] = {}
    if settings.fill_missing_stakes:
        model = fit_linear_model(observations(records, calendar))
        if model is not None:
            redone = fill(model, records, network.stakes, used=True)
            filled = {(one.year, one.stake): one.balance_m_we for one in redone}
    return {
        plan.year: np.array(
            [balance[plan.year, record.kind, record.point_id] for record in plan.annual]
            + [filled.get((plan.year, one.stake), one.balance_m_we) for one in plan.filled]
        )
        for plan in plans
    }


@dataclass(frozen=True)
class _Readings:
    """Errors of one draw: of exposed lengths and snow depths (m), and of pit depths (m) by pit."""

    exposed_m: FloatArray
    snow_m: FloatArray
    pit_m: Mapping[str, float]

    @classmethod
    def drawn(cls, data: FieldData, settings: MassBalanceSettings, draw: np.random.Generator) -> _Readings:
        count = len(data.readings)
        bent = np.where(data.readings["status"].to_numpy() == "bent", SIGMA_BENT_M, 0.0)
        pits = {str(pit): float(draw.normal(0, settings.sigma_snow_depth_m)) for pit in data.snow_pits["pit_id"]}
        return cls(
            draw.standard_normal(count) * np.hypot(settings.sigma_reading_m, bent),
            draw.normal(0, settings.sigma_snow_depth_m, count),
            pits,
        )

    def applied(self, data: FieldData) -> FieldData:
        """The data as they would have been read with these errors."""
        depth = data.readings["snow_depth_m"].to_numpy(float)
        with np.errstate(invalid="ignore"):
            snow = np.where(depth > 0, np.maximum(depth + self.snow_m, _LEAST_DEPTH_M), depth)
        exposed = data.readings["exposed_m"].to_numpy(float) + self.exposed_m
        readings = data.readings.assign(exposed_m=exposed, snow_depth_m=snow)
        return replace(data, readings=readings, pit_layers=self._deeper(data.pit_layers))

    def _deeper(self, layers: pd.DataFrame) -> pd.DataFrame:
        """Layers of pits stretched to the depth that was read."""
        if layers.empty:
            return layers
        depth = layers.groupby("pit_id")["bottom_m"].transform("max").to_numpy(float)
        error = layers["pit_id"].map(self.pit_m).to_numpy(float)
        stretch = np.maximum(depth + error, _LEAST_DEPTH_M) / depth
        return layers.assign(top_m=layers["top_m"] * stretch, bottom_m=layers["bottom_m"] * stretch)


def _with_densities(data: FieldData, scales: tuple[float, float], settings: MassBalanceSettings) -> FieldData:
    """The data with every snow density, and every ice density of pits, off by so many standard deviations."""
    snow, ice = (1 + scale * sigma for scale, sigma in zip(scales, _relative(settings), strict=True))
    readings = data.readings.assign(
        snow_density_kg_m3=np.maximum(data.readings["snow_density_kg_m3"] * snow, _LEAST_DENSITY_KG_M3)
    )
    frozen = data.pit_layers["kind"].isin(["ice", "superimposed_ice"])
    layers = data.pit_layers.assign(density_kg_m3=data.pit_layers["density_kg_m3"] * np.where(frozen, ice, snow))
    probings, pits = (frame.assign(swe_m_we=frame["swe_m_we"] * snow) for frame in (data.probings, data.snow_pits))
    return replace(data, readings=readings, pit_layers=layers, probings=probings, snow_pits=pits)


def _relative(settings: MassBalanceSettings) -> tuple[float, float]:
    return (
        settings.sigma_density_relative,
        settings.sigma_ice_density_kg_m3 / settings.superimposed_ice_density_kg_m3,
    )


def _with_other_densities(settings: MassBalanceSettings, scales: tuple[float, float]) -> MassBalanceSettings:
    snow, ice = scales
    return settings.model_copy(
        update={
            "snow_density_kg_m3": settings.snow_density_kg_m3 * (1 + snow * settings.sigma_density_relative),
            "firn_density_kg_m3": settings.firn_density_kg_m3 * (1 + ice * settings.sigma_density_relative),
            "ice_density_kg_m3": settings.ice_density_kg_m3 + ice * settings.sigma_ice_density_kg_m3,
            "superimposed_ice_density_kg_m3": settings.superimposed_ice_density_kg_m3
            + ice * settings.sigma_ice_density_kg_m3,
        }
    )


# --- integrating every draw --------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Estimator:
    """One year's way from point values to the balance, and what the draws need to know of it.

    ``model`` and ``surface`` are None where the year has no map; ``scatter`` then departs the points.
    """

    plan: YearPlan
    points: YearPoints
    wide: GlacierWide
    model: FieldModel | None
    surface: GlacierSurface | None
    settings: MassBalanceSettings

    @property
    def year(self) -> int:
        return self.plan.year

    def balances(self, values: FloatArray, areas: FloatArray) -> FloatArray:
        """Balance of every draw (m w.e.), shape (draws,).

        ``values`` of all points, shape (points, draws); ``areas``: factor on each band's area, shape (bands, draws);
        one column of either serves all draws.
        """
        if self.model is None or self.surface is None or self.settings.primary_method == "zone":
            zones = self.wide.zones
            area = zones.hypsometry.area_km2[:, None] * areas
            return np.asarray(np.sum(area * (zones.weights @ values), axis=0) / area.sum(axis=0))
        return self._on_map(values, areas)

    def _on_map(self, values: FloatArray, areas: FloatArray) -> FloatArray:
        """The contour method: every pixel takes the middle of its class."""
        surface, model = self.surface, self.model
        if surface is None or model is None:
            raise TypeError(f"{self.year}: no map")
        points = self.points.all
        kriged = prepare(model.straightened(points), model.covariance, self.points.beyond)
        straight = values - model.bend_at(points.elevation_m)[:, None]
        terms = kriged.drift_inverse @ kriged.drift.T @ kriged.inverse @ straight
        scaled = kriged.inverse @ (straight - kriged.drift @ terms)
        thinned = slice(None, None, max(1, surface.pixels // _PIXELS))
        elevation, positions = surface.surface_m[surface.inside][thinned], surface.inside_positions[thinned]
        band = _band_of(elevation, self.wide)
        interval = self.settings.isoline_interval_m_we
        total = np.zeros((areas.shape[0], values.shape[1]))
        count = np.bincount(band, minlength=areas.shape[0]).astype(float)
        for start in range(0, len(positions), _BLOCK_PIXELS):
            part = slice(start, start + _BLOCK_PIXELS)
            field = kriged.trend.at(elevation[part]) @ terms
            field += model.covariance.of(cdist(positions[part], points.positions)) @ scaled
            field += (model.bend_at(kriged.trend.stretched(elevation[part])) + kriged.trend.added(elevation[part]))[
                :, None
            ]
            classed = (np.floor(field / interval) + 0.5) * interval
            belongs = (band[part][None, :] == np.arange(areas.shape[0])[:, None]).astype(float)
            total += belongs @ classed
        return np.asarray(np.sum(areas * total, axis=0) / np.sum(areas * count[:, None], axis=0))


def _band_of(elevation_m: FloatArray, wide: GlacierWide) -> np.ndarray[tuple[int, ...], np.dtype[np.intp]]:
    bands = wide.zones.hypsometry
    return np.clip(np.searchsorted(bands.upper_m, elevation_m, side="right"), 0, bands.upper_m.size - 1)


def _estimators(
    measured: Measured, annual: Mapping[int, GlacierWide], ground: Ground, settings: MassBalanceSettings
) -> list[_Estimator]:
    """One for each year that has a balance."""
    points = {
        plan.year: bent_beyond(own, areas) if (areas := ground.hypsometry(plan.year)) is not None else own
        for plan in measured.plans
        if (own := plan.annual_points(settings)) is not None
    }
    on_map = [
        year for year, own in points.items() if ground.surveys and year in annual and own.all.count >= FIELD_POINTS
    ]
    model = field_model(points, on_map, settings) if on_map else None
    return [
        _Estimator(
            plan=plan,
            points=points[plan.year],
            wide=annual[plan.year],
            model=model if plan.year in on_map else None,
            surface=ground.surface(plan.year) if plan.year in on_map else None,
            settings=settings,
        )
        for plan in measured.plans
        if plan.year in annual
    ]


@dataclass(frozen=True, kw_only=True)
class _SharedDraws:
    """What is drawn once for all years.

    Attributes
    ----------
    site_of : (kind, name) of a point -> its row.
    departures : departure field at each site, and, in the last row, its mean over the glacier, shape (sites + 1,
        draws), standard deviation one where there is no map.
    bend : error of the bend's change in standard deviations, shape (draws,).
    areas : standard normal of each band, shape (bands, draws).
    beyond : error of the profile where nobody measured, in standard deviations, shape (draws,).
    """

    site_of: Mapping[tuple[str, str], int]
    departures: FloatArray
    bend: FloatArray
    areas: FloatArray
    beyond: FloatArray

    @classmethod
    def drawn(cls, estimators: Sequence[_Estimator], draws: int, draw: np.random.Generator) -> _SharedDraws:
        places: dict[tuple[str, str], list[tuple[float, float]]] = {}
        for estimator in estimators:
            for record in estimator.plan.annual:
                at = (record.place.easting, record.place.northing)
                places.setdefault((record.kind, record.point_id), []).append(at)
        site_of = {site: row for row, site in enumerate(sorted(places))}
        positions = np.array([np.mean(places[site], axis=0) for site in sorted(places)]).reshape(-1, 2)
        mapped = next((one for one in estimators if one.model is not None), None)
        bands = max((one.wide.zones.hypsometry.area_km2.size for one in estimators), default=0)
        normal = draw.standard_normal((len(site_of) + 1, draws))
        if mapped is not None and mapped.model is not None and mapped.surface is not None:
            normal = _root_of_covariance(mapped.model, mapped.surface, positions) @ normal
        return cls(
            site_of=site_of,
            departures=normal,
            bend=draw.standard_normal(draws),
            areas=draw.standard_normal((bands, draws)),
            beyond=draw.standard_normal(draws),
        )

    def at(self, plan: YearPlan) -> FloatArray:
        """Departures at a year's observed points, shape (points, draws)."""
        return self.departures[[self.site_of[record.kind, record.point_id] for record in plan.annual]]


def _root_of_covariance(model: FieldModel, surface: GlacierSurface, positions: FloatArray) -> FloatArray:
    """A square root of the joint covariance of the departures at the sites and of their mean over the glacier."""
    count = len(positions)
    matrix = np.empty((count + 1, count + 1))
    matrix[:count, :count] = model.covariance.of(cdist(positions, positions))
    total = np.zeros(count)
    pixels = surface.inside_positions
    for start in range(0, len(pixels), _BLOCK_PIXELS):
        total += model.covariance.of(cdist(positions, pixels[start : start + _BLOCK_PIXELS])).sum(axis=1)
    matrix[:count, count] = matrix[count, :count] = total / len(pixels)
    matrix[count, count] = mean_covariance_within(surface.inside, surface.grid.pixel_size, model.covariance)
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _errors_of_year(
    estimator: _Estimator, values: Mapping[str, FloatArray], shared: _SharedDraws, draw: np.random.Generator
) -> dict[str, FloatArray]:
    """Error of one year's balance by every source alone, and by all at once, each shape (draws,)."""
    draws = values["total"].shape[1]
    bands = estimator.wide.zones.hypsometry
    same = np.ones((bands.area_km2.size, draws))
    with np.errstate(divide="ignore"):
        spread = estimator.settings.sigma_area_relative * np.sqrt(bands.total_km2 / bands.area_km2)
    spread = np.where(bands.area_km2 > 0, spread, 0.0)
    areas = np.maximum(1 + spread[:, None] * shared.areas[: bands.area_km2.size], 0.0)
    as_read = estimator.points.all.balance_m_we[:, None]
    base = estimator.balances(as_read, same[:, :1])[0]
    departure, true_mean = _departures(estimator, shared)
    other_method = draw.choice(_method_departures(estimator.wide), draws)
    return {
        "point": estimator.balances(values["point"], same) - base,
        "density": estimator.balances(values["density"], same) - base,
        "interpolation": estimator.balances(as_read + departure, same) - base - true_mean,
        "area": estimator.balances(as_read, areas) - base,
        "method": other_method,
        "total": estimator.balances(values["total"] + departure, areas) - base - true_mean + other_method,
    }


def _departures(estimator: _Estimator, shared: _SharedDraws) -> tuple[FloatArray, FloatArray]:
    """What the drawn departure fields add to every point, shape (points, draws), and to the glacier's true mean."""
    at = np.zeros((estimator.points.all.count, shared.departures.shape[1]))
    observed = len(estimator.plan.annual)
    budget = estimator.wide.budget
    beyond = math.hypot(budget.unmeasured, budget.uneven) * shared.beyond
    if estimator.model is None or estimator.surface is None:
        points = estimator.points.observed
        scatter = gradient_scatter(points)
        unmeasured = math.sqrt(max(scatter**2 - float(np.mean(points.sigma_random_m_we**2)), 0.0))
        at[:observed] = unmeasured * shared.at(estimator.plan)
        return at, beyond
    model = estimator.model
    own = estimator.points.observed
    _, standardised = leave_one_out(prepare(model.straightened(own), model.covariance))
    wider = inflation(standardised)
    at[:observed] = wider * shared.at(estimator.plan)
    mean = wider * shared.departures[-1] + beyond
    if model.bend is not None:
        change = model.bend.sigma_change_m_we_per_m * shared.bend
        at[:observed] += np.maximum(own.elevation_m[:observed] - model.bend.knee_m, 0.0)[:, None] * change
        heights = estimator.surface.surface_m[estimator.surface.inside]
        mean = mean + float(np.mean(np.maximum(heights - model.bend.knee_m, 0.0))) * change
    return at, mean


def _method_departures(wide: GlacierWide) -> FloatArray:
    """What the methods of the budget's spread make of the points as read, about their mean (m w.e.)."""
    names = ("contour", "field", "zone") if wide.by_method["contour"] is not None else ("zone", "gradient")
    balances = np.array([wide.by_method[name] for name in names], float)
    return np.asarray(balances - balances.mean())
