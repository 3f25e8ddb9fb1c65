"""The tables the chain publishes, at full precision; rounding belongs to publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pipeline.mass_balance.fieldwork import FieldData, notes_table
from pipeline.mass_balance.glacier_wide import (
    GlacierWide,
    YearPlan,
    budget_table,
    cumulative_table,
    season_columns,
    zero_line_table,
)
from pipeline.mass_balance.points import (
    Filled,
    LinearModel,
    PointBalances,
    SnowDensities,
    density_table,
    filled_table,
    model_table,
    point_table,
)
from pipeline.mass_balance.quality_flags import Flag, flag_table
from pipeline.mass_balance.result import METHODS, BalanceYear
from schemas.settings import MassBalanceSettings
from schemas.tables import (
    CALIBRATED_BALANCES,
    GEODETIC_CHECK,
    GLACIER_BALANCES,
    LEAVE_ONE_OUT,
    MASS_BALANCE_TABLES,
    ZONE_BALANCES,
)


@dataclass(frozen=True)
class ComputedYear:
    """A year's result with the plan and integrations behind it; all None for a year of published bands."""

    result: BalanceYear
    plan: YearPlan | None
    annual: GlacierWide | None
    winter: GlacierWide | None

    def count(self, kind: str) -> int | None:
        """How many stakes (or pits) entered the annual balance."""
        return None if self.plan is None else sum(record.kind == kind for record in self.plan.annual)


@dataclass(frozen=True, kw_only=True)
class ChainFindings:
    """Everything the tables are made of, beside the field data and the years."""

    points: PointBalances
    densities: SnowDensities
    model: LinearModel | None
    filled: Sequence[Filled]
    flags: Sequence[Flag]
    hypsometry: pd.DataFrame
    periods: pd.DataFrame
    settings: MassBalanceSettings


def _with_cells(data: FieldData, name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Records with the sheet and the cells they were read from."""
    return pd.concat([frame.reset_index(drop=True), data.sources(name)], axis=1)


def result_tables(
    data: FieldData, findings: ChainFindings, years: Sequence[ComputedYear], sigma_limit_m_we: float | None
) -> dict[str, pd.DataFrame]:
    """Every table of ``schemas.tables.MASS_BALANCE_TABLES`` by name, in its order and with all its columns.

    Parameters
    ----------
    data : the fieldwork, as read.
    findings : point balances, models and flags.
    years : computed, in order.
    sigma_limit_m_we : limit of the quality gate; None for no gate.
    """
    results = [year.result for year in years]
    tables = {
        "stakes": data.stakes,
        "readings": _with_cells(data, "readings", data.readings),
        "snow_pits": _with_cells(data, "snow_pits", data.snow_pits),
        "pit_layers": _with_cells(data, "pit_layers", data.pit_layers),
        "probings": _with_cells(data, "probings", data.probings),
        "input_notes": notes_table(data.corrections, data.doubts),
        "point_balances": point_table(findings.points.records, _used(years)),
        "zone_balances": _zone_table(data, years),
        "glacier_balances": _glacier_table(data, findings.settings, years, sigma_limit_m_we),
        "hypsometry": findings.hypsometry,
        "cumulative_balances": cumulative_table(results),
        "period_balances": findings.periods,
        "zero_line_method": zero_line_table(results),
        "error_budgets": budget_table(results, findings.settings),
        "leave_one_out": _leave_one_out_table(years),
        "other_time_systems": point_table(findings.points.others),
        "filled_balances": filled_table(findings.filled),
        "linear_model": model_table(findings.model),
        "density_fits": density_table(findings.densities.fits),
        "quality_flags": flag_table(results, findings.points.records, findings.flags),
        "geodetic_check": pd.DataFrame(columns=list(GEODETIC_CHECK.column_names)),
        "calibrated_balances": pd.DataFrame(columns=list(CALIBRATED_BALANCES.column_names)),
    }
    return {
        table.name: tables[table.name][list(table.column_names)].reset_index(drop=True) for table in MASS_BALANCE_TABLES
    }


def _used(years: Sequence[ComputedYear]) -> set[int]:
    """The ``id`` of each point balance that entered one of the whole glacier."""
    used: set[int] = set()
    for year in years:
        if year.plan is None:
            continue
        seasons = year.annual is not None and year.winter is not None
        used |= {id(record) for record in year.plan.annual if year.annual is not None}
        used |= {id(record) for record in year.plan.winter if year.winter is not None}
        used |= {id(record) for record in year.plan.summer if not seasons and year.result.summer_m_we is not None}
    return used


def _zone_table(data: FieldData, years: Sequence[ComputedYear]) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for year in years:
        if year.annual is not None:
            rows.extend(_zones_of_points(year.result.year, year.annual, year.winter))
        elif year.winter is not None:
            rows.extend(_zones_of_winter(year.result.year, year.winter))
        else:
            bands = data.zone_balances[data.zone_balances["year"] == year.result.year].sort_values("lower_m")
            rows.extend(_zones_as_given(bands) if not bands.empty else [])
    return pd.DataFrame(rows, columns=list(ZONE_BALANCES.column_names))


def _zones_of_points(year: int, annual: GlacierWide, winter: GlacierWide | None) -> list[dict[str, Any]]:
    zones = annual.zones
    winters = winter.zone_balance_m_we if winter is not None else np.full(annual.zone_balance_m_we.size, np.nan)
    return [
        {
            "year": year,
            "lower_m": zones.hypsometry.lower_m[band],
            "upper_m": zones.hypsometry.upper_m[band],
            "area_km2": zones.hypsometry.area_km2[band],
            "annual_balance_m_we": annual.zone_balance_m_we[band],
            "sigma_annual_m_we": annual.zone_sigma_m_we[band],
            "winter_balance_m_we": winters[band],
            "summer_balance_m_we": annual.zone_balance_m_we[band] - winters[band],
            "basis": zones.basis[band],
            "n_points": zones.counts[band],
        }
        for band in range(zones.hypsometry.lower_m.size)
    ]


def _zones_of_winter(year: int, winter: GlacierWide) -> list[dict[str, Any]]:
    """The zones of a year of which the winter alone was measured; their points are winter points."""
    unknown = np.full(winter.zone_balance_m_we.size, np.nan)
    alone = replace(winter, zone_balance_m_we=unknown, zone_sigma_m_we=unknown)
    return _zones_of_points(year, alone, winter)


def _zones_as_given(bands: pd.DataFrame) -> list[dict[str, Any]]:
    winter, summer, annual = season_columns(bands)
    return [
        {
            **{name: row[name] for name in ("year", "lower_m", "upper_m", "area_km2")},
            "annual_balance_m_we": annual[band],
            "sigma_annual_m_we": np.nan,
            "winter_balance_m_we": winter[band],
            "summer_balance_m_we": summer[band],
            "basis": "observed",
            "n_points": None,
        }
        for band, row in enumerate(bands.to_dict("records"))
    ]


def _glacier_table(
    data: FieldData, settings: MassBalanceSettings, years: Sequence[ComputedYear], sigma_limit_m_we: float | None
) -> pd.DataFrame:
    rows = [{**_glacier_row(data, year, sigma_limit_m_we), **_climatic(year, settings)} for year in years]
    return pd.DataFrame(rows, columns=list(GLACIER_BALANCES.column_names))


def _glacier_row(data: FieldData, year: ComputedYear, sigma_limit_m_we: float | None) -> dict[str, Any]:
    result, annual = year.result, year.annual
    sigma = result.sigma_annual_m_we
    judged = sigma is not None and sigma_limit_m_we is not None
    return {
        "glacier_id": data.glacier.glacier_id,
        "year": result.year,
        "begin_date": result.begin,
        "midseason_date": result.midseason,
        "end_date": result.end,
        "time_system": result.time_system,
        "annual_balance_m_we": result.annual_m_we,
        "sigma_annual_m_we": sigma,
        "winter_balance_m_we": result.winter_m_we,
        "sigma_winter_m_we": result.sigma_winter_m_we,
        "summer_balance_m_we": result.summer_m_we,
        "sigma_summer_m_we": result.sigma_summer_m_we,
        "ela_m": result.ela_m,
        "sigma_ela_m": result.sigma_ela_m,
        "ela_position": result.ela_position,
        "aar": result.aar,
        "sigma_aar": result.sigma_aar,
        "area_km2": result.area_km2,
        **{f"{name}_balance_m_we": result.by_method.get(name) for name in METHODS},
        "method_range_m_we": result.method_range_m_we,
        "gradient_m_we_per_100m": annual.gradient_m_we_per_100m if annual is not None else None,
        "gradient_below_ela_m_we_per_100m": result.gradient_below_m_we_per_100m,
        "gradient_above_ela_m_we_per_100m": result.gradient_above_m_we_per_100m,
        "accumulation_area_km2": result.accumulation_area_km2,
        "ablation_area_km2": result.ablation_area_km2,
        "n_stakes": year.count("stake"),
        "n_pits": year.count("pit"),
        **_coverage(year),
        "provenance": result.provenance,
        "gate_passed": bool(sigma <= sigma_limit_m_we) if judged else None,  # type: ignore[operator]  # both judged
        "flags": ";".join(result.flags) or None,
        "zero_line_m": result.zero_line_m,
    }


def _climatic(year: ComputedYear, settings: MassBalanceSettings) -> dict[str, float | None]:
    """The annual balance with what accumulates below the last summer's surface, where that is stated."""
    annual, sigma = year.result.annual_m_we, year.result.sigma_annual_m_we
    internal = settings.internal_accumulation_m_we
    if annual is None or internal is None:
        return {"climatic_balance_m_we": None, "sigma_climatic_balance_m_we": None}
    total = None if sigma is None else float(np.hypot(sigma, settings.sigma_internal_accumulation_m_we))
    return {"climatic_balance_m_we": annual + internal, "sigma_climatic_balance_m_we": total}


def _coverage(year: ComputedYear) -> dict[str, Any]:
    """How much of the glacier the year's points cover."""
    heights = [record.place.elevation_m for record in year.plan.annual] if year.plan is not None else []
    zones = year.annual.zones if year.annual is not None else None
    return {
        "observed_share": zones.observed_share if zones is not None else None,
        "extrapolated_share": zones.share_of("extrapolated") if zones is not None else None,
        "lowest_point_m": min(heights, default=None),
        "highest_point_m": max(heights, default=None),
        "n_filled": len(year.plan.filled) if year.plan is not None else None,
        "unmeasured_area_share": year.result.unmeasured_area_share,
        "unmeasured_error_share": year.result.unmeasured_error_share,
    }


def _leave_one_out_table(years: Sequence[ComputedYear]) -> pd.DataFrame:
    """Each observed point predicted from the others; not of years that are reconstructed."""
    rows = []
    for year in years:
        if year.plan is None or year.annual is None or year.result.provenance == "reconstructed":
            continue
        left = year.annual.left_out
        if left.error_m_we.size != len(year.plan.annual):
            continue  # very many points were joined before any was left out
        columns = zip(year.plan.annual, left.error_m_we, left.standardised, left.influence_m_we, strict=True)
        for record, error, standardised, influence in columns:
            balance = record.balance.balance_m_we
            sigma = abs(error / standardised) if standardised else np.nan
            rows.append(
                (
                    year.result.year,
                    record.point_id,
                    record.kind,
                    balance,
                    balance - error,
                    sigma,
                    standardised,
                    influence,
                )
            )
    return pd.DataFrame(rows, columns=list(LEAVE_ONE_OUT.column_names))
