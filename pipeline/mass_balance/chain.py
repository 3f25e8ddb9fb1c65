"""The mass-balance chain: from a field team's readings to the balance of the whole glacier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from pipeline.mass_balance.field import Covariance, Points, fit_covariance
from pipeline.mass_balance.glacier_wide import GlacierWide, as_points, by_map, by_zones
from pipeline.mass_balance.hypsometry import (
    GlacierSurface,
    Hypsometry,
    hypsometry_of_surface,
    hypsometry_of_year,
    read_surface,
)
from pipeline.mass_balance.points import PointRecord, YearVisits, point_records, usable
from pipeline.mass_balance.published_zones import empty_year, time_system, year_of_bands
from pipeline.mass_balance.read import FieldData
from pipeline.mass_balance.result import BalanceYear, MassBalance
from pipeline.mass_balance.result_tables import ComputedYear, result_tables
from pipeline.mass_balance.visits import Network, build_network
from pipeline.mass_balance.years import Calendar
from pipeline.progress import Tell, silent
from schemas.errors import BadInput
from schemas.settings import MassBalanceSettings

# a stake whose stated elevation is this far from the DEM's is misplaced, or its DEM is
ELEVATION_DISAGREEMENT_M = 50.0
# stakes closer than this share a position
SAME_POSITION_M = 1.0


@dataclass(frozen=True)
class Ground:
    """What lies under the balance: the map, if there is one, and an area-altitude table, if there is one."""

    surface: GlacierSurface | None
    of_surface: Hypsometry | None
    table: pd.DataFrame

    def hypsometry(self, year: int) -> Hypsometry | None:
        """The year's area-altitude distribution: of the table, else of DEM and outline, else none."""
        if not self.table.empty:
            return hypsometry_of_year(self.table, year)
        return self.of_surface


def mass_balance(
    data: FieldData,
    settings: MassBalanceSettings,
    *,
    dem: Path | None = None,
    outline: Path | None = None,
    sigma_limit_m_we: float | None = None,
    tell: Tell = silent,
) -> MassBalance:
    """Point balances, glacier-wide balances, equilibrium lines and their errors from everything a field team measured.

    The steps are those of the glaciological method (Ostrem and Brugman, 1991; Kaser et al., 2003): point balances from
    pairs of readings and from pits, paired into mass-balance years and seasons by their dates; a field between the
    points; the area between its isolines times the middle of their class; elevation zones beside it; the equilibrium
    line; the error budget. ``sigma_limit_m_we`` is the quality gate on the error of the annual balance. Without DEM and
    outline, an area-altitude table or zone balances in the data serve; with neither, point balances alone come back.

    Errors
    ------
    BadInput : a DEM without an outline or the reverse, or one that cannot be used.
    """
    calendar = Calendar.of(settings.year_start, settings.annual_tolerance_days)
    tell("reading the glacier's surface")
    ground = _ground(data, settings, dem, outline)
    tell("computing point balances")
    network = build_network(data, calendar, settings)
    records, visited = point_records(network, calendar, settings)
    tell("fitting the balance field")
    covariances = _covariances(records, visited, settings) if ground.surface is not None else {}
    computed = []
    for visits in visited:
        tell(f"integrating the balance of {visits.year}")
        computed.append(_year_of_points(visits, records, ground, covariances, calendar, settings))
    computed += _years_of_bands(data, {year.result.year for year in computed}, calendar)
    computed = [_with_network_flags(year, network, records, ground) for year in computed]
    computed.sort(key=lambda year: year.result.year)
    hypsometry = _published_hypsometry(ground, data, computed)
    return MassBalance(
        data.glacier,
        ground.surface.outline if ground.surface is not None else None,
        tuple(year.result for year in computed),
        result_tables(data, records, computed, hypsometry, sigma_limit_m_we),
        settings,
    )


def _ground(data: FieldData, settings: MassBalanceSettings, dem: Path | None, outline: Path | None) -> Ground:
    if dem is None and outline is None:
        return Ground(None, None, data.hypsometry)
    if dem is None or outline is None:
        found = "an outline without a DEM" if dem is None else "a DEM without an outline"
        raise BadInput("glacier surface", found, "both, or neither and a hypsometry table")
    glacier = data.glacier
    surface = read_surface(dem, outline, glacier.glacier_id, glacier.crs, settings.resolution_m)
    return Ground(surface, hypsometry_of_surface(surface, settings.band_height_m), data.hypsometry)


def _covariances(
    records: Sequence[PointRecord], visited: Sequence[YearVisits], settings: MassBalanceSettings
) -> dict[str, Covariance]:
    """One covariance for annual balances and one for winter balances, each over all years that have enough points."""
    covariances = {}
    for period in ("annual", "winter"):
        years: list[Points] = []
        for visits in visited:
            chosen = usable(records, visits.year, period)
            if len(chosen) >= max(3, settings.minimum_points):
                years.append(as_points(chosen, settings)[0])
        if years:
            covariances[period] = fit_covariance(years)
    return covariances


def _year_of_points(
    visits: YearVisits,
    records: Sequence[PointRecord],
    ground: Ground,
    covariances: Mapping[str, Covariance],
    calendar: Calendar,
    settings: MassBalanceSettings,
) -> ComputedYear:
    """One year of the glacier from its points."""
    annual_points, winter_points = (usable(records, visits.year, period) for period in ("annual", "winter"))
    annual = _integrate(annual_points, visits.year, ground, covariances.get("annual"), settings)
    flags = _flags_of_points(records, visits.year, annual_points, ground, settings)
    middle = _middle(visits, winter_points)
    system = time_system(visits.begin, visits.end, calendar)
    if annual is None:
        result = empty_year(visits.year, (visits.begin, middle, visits.end), system, flags)
        return ComputedYear(result, None, None, len(annual_points), 0)
    winter = _integrate(winter_points, visits.year, ground, covariances.get("winter"), settings)
    if annual.field is None and ground.surface is not None:
        flags += ("field_needs_three_points",)
    result = _result(visits, (visits.begin, middle, visits.end, system), annual, winter, flags)
    stakes = sum(record.kind == "stake" for record in annual_points)
    return ComputedYear(result, annual, winter, stakes, sum(record.kind == "pit" for record in annual_points))


def _integrate(
    points: Sequence[PointRecord],
    year: int,
    ground: Ground,
    covariance: Covariance | None,
    settings: MassBalanceSettings,
) -> GlacierWide | None:
    """Points to the whole glacier: on the map where there is one, else by zones; None with too few points or areas."""
    hypsometry = ground.hypsometry(year)
    if hypsometry is None or len(points) < settings.minimum_points:
        return None
    arrays, shared = as_points(points, settings)
    if ground.surface is None or covariance is None or arrays.count < 3:
        return by_zones(arrays, shared, hypsometry, settings)
    return by_map(arrays, shared, covariance, (ground.surface, hypsometry), settings)


def _result(
    visits: YearVisits,
    dates: tuple[date | None, date | None, date | None, str],
    annual: GlacierWide,
    winter: GlacierWide | None,
    flags: tuple[str, ...],
) -> BalanceYear:
    """The published values of a year; summer is what annual and winter leave, with both errors."""
    begin, middle, end, system = dates
    sigma_annual = annual.budget.total
    sigma_winter = winter.budget.total if winter is not None else None
    if annual.line.crossings > 1:
        flags += ("several_equilibrium_lines",)
    area = annual.zones.hypsometry.total_km2
    return BalanceYear(
        visits.year,
        begin,
        middle,
        end,
        system,
        annual.balance_m_we,
        winter.balance_m_we if winter is not None else None,
        annual.balance_m_we - winter.balance_m_we if winter is not None else None,
        sigma_annual,
        sigma_winter,
        float(np.hypot(sigma_annual, sigma_winter)) if sigma_winter is not None else None,
        annual.line.elevation_m,
        annual.line.position,
        annual.aar,
        area,
        annual.by_method,
        "observed",
        flags,
        annual.field,
        annual.budget.as_dict(),
    )


def _middle(visits: YearVisits, winter_points: Sequence[PointRecord]) -> date | None:
    """The day that parts the seasons: the commonest of the winter points."""
    if visits.midseason is None or not winter_points:
        return None
    days = [record.end for record in winter_points]
    return min(set(days), key=lambda day: (-days.count(day), day))


def _flags_of_points(
    records: Sequence[PointRecord],
    year: int,
    used: Sequence[PointRecord],
    ground: Ground,
    settings: MassBalanceSettings,
) -> tuple[str, ...]:
    """What a user of the year must know: points left out as bounds, and why there is no glacier-wide value."""
    bounds = [r.point_id for r in records if r.year == year and r.period == "annual" and not r.is_value]
    flags = [f"bound_not_used:{point}" for point in bounds]
    if len(used) < settings.minimum_points:
        flags.append(f"too_few_points:{len(used)}")
    if ground.surface is None:
        flags.append("no_map")
    hypsometry = ground.hypsometry(year)
    if hypsometry is None:
        flags.append("no_area_altitude_distribution")
    elif hypsometry.year is not None and hypsometry.year != year:
        flags.append(f"hypsometry_of:{hypsometry.year}")
    return tuple(flags)


def _years_of_bands(data: FieldData, done: set[int], calendar: Calendar) -> list[ComputedYear]:
    """Years for which only band balances are given."""
    bands = data.zone_balances
    years = sorted(set(bands["year"]) - done)
    results = [year_of_bands(int(year), bands[bands["year"] == year], calendar) for year in years]
    return [ComputedYear(result, None, None, None, None) for result in results]


def _with_network_flags(
    year: ComputedYear, network: Network, records: Sequence[PointRecord], ground: Ground
) -> ComputedYear:
    """Flags on the positions of the points used: shared by two, off the outline, far from the DEM's elevation."""
    used = usable(records, year.result.year, "annual")
    flags = [*_shared_positions(used)]
    if ground.surface is not None:
        for record in used:
            flags.extend(_position_flags(record, ground.surface))
    return year.with_flags(tuple(flags))


def _shared_positions(records: Sequence[PointRecord]) -> list[str]:
    stakes = [record for record in records if record.kind == "stake"]
    if len(stakes) < 2:
        return []
    positions = np.array([(record.place.easting, record.place.northing) for record in stakes])
    pairs = sorted(cKDTree(positions).query_pairs(SAME_POSITION_M))
    return [f"one_position:{stakes[first].point_id}+{stakes[second].point_id}" for first, second in pairs]


def _position_flags(record: PointRecord, surface: GlacierSurface) -> list[str]:
    place = record.place
    flags = []
    if not shapely.intersects_xy(surface.outline, place.easting, place.northing):
        flags.append(f"off_the_outline:{record.point_id}")
    row, column = surface.grid.index_of(np.array([place.easting]), np.array([place.northing]))
    row_index, column_index = round(float(row[0])), round(float(column[0]))
    if 0 <= row_index < surface.grid.shape[0] and 0 <= column_index < surface.grid.shape[1]:
        difference = place.elevation_m - surface.surface_m[row_index, column_index]
        if abs(difference) > ELEVATION_DISAGREEMENT_M:
            flags.append(f"elevation_unlike_dem:{record.point_id}")
    return flags


def _published_hypsometry(ground: Ground, data: FieldData, computed: Sequence[ComputedYear]) -> pd.DataFrame:
    """The area-altitude distribution behind the balances: the table's, else of DEM and outline, else of the bands."""
    columns = ["year", "lower_m", "upper_m", "area_km2"]
    if not ground.table.empty:
        return ground.table.sort_values(["year", "lower_m"], ignore_index=True)
    if ground.of_surface is not None and computed:
        bands = ground.of_surface
        frame = pd.DataFrame({"lower_m": bands.lower_m, "upper_m": bands.upper_m, "area_km2": bands.area_km2})
        frame.insert(0, "year", computed[0].result.year)
        return frame
    return data.zone_balances[columns].sort_values(["year", "lower_m"], ignore_index=True)
