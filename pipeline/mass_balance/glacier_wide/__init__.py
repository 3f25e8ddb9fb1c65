"""Balances of the whole glacier by each method, equilibrium line, accumulation area, and their errors."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.glacier_wide.cross_checks import IndexYear, index_stake_balance, index_stakes
    from pipeline.mass_balance.glacier_wide.cumulative import cumulative_balance, cumulative_table
    from pipeline.mass_balance.glacier_wide.integration import (
        FIELD_POINTS,
        Ground,
        YearPlan,
        field_model,
        integrate_years,
    )
    from pipeline.mass_balance.glacier_wide.methods import GlacierWide, bent_beyond, gradient_scatter
    from pipeline.mass_balance.glacier_wide.parted_glaciers import joint_series, joint_table
    from pipeline.mass_balance.glacier_wide.periods import (
        KnownYear,
        PeriodBalance,
        Periods,
        errors_of_summer,
        period_table,
        sigma_of_parts,
    )
    from pipeline.mass_balance.glacier_wide.published_zones import (
        empty_year,
        season_columns,
        time_system,
        year_of_bands,
    )
    from pipeline.mass_balance.glacier_wide.uncertainty import SOURCES, budget_table, inflation
    from pipeline.mass_balance.glacier_wide.zero_line_method import zero_line_table
    from pipeline.mass_balance.glacier_wide.zoning import PLAUSIBLE_GRADIENT, gradient_is_unknown

__all__ = [
    "FIELD_POINTS",
    "PLAUSIBLE_GRADIENT",
    "SOURCES",
    "GlacierWide",
    "Ground",
    "IndexYear",
    "KnownYear",
    "PeriodBalance",
    "Periods",
    "YearPlan",
    "bent_beyond",
    "budget_table",
    "cumulative_balance",
    "cumulative_table",
    "empty_year",
    "errors_of_summer",
    "field_model",
    "gradient_is_unknown",
    "gradient_scatter",
    "index_stake_balance",
    "index_stakes",
    "inflation",
    "integrate_years",
    "joint_series",
    "joint_table",
    "period_table",
    "season_columns",
    "sigma_of_parts",
    "time_system",
    "year_of_bands",
    "zero_line_table",
]
__getattr__ = lazy_names(
    __name__,
    {
        "cross_checks": ("IndexYear", "index_stake_balance", "index_stakes"),
        "cumulative": ("cumulative_balance", "cumulative_table"),
        "integration": ("FIELD_POINTS", "Ground", "YearPlan", "field_model", "integrate_years"),
        "parted_glaciers": ("joint_series", "joint_table"),
        "methods": ("GlacierWide", "bent_beyond", "gradient_scatter"),
        "periods": ("KnownYear", "PeriodBalance", "Periods", "errors_of_summer", "period_table", "sigma_of_parts"),
        "published_zones": ("empty_year", "season_columns", "time_system", "year_of_bands"),
        "uncertainty": ("SOURCES", "budget_table", "inflation"),
        "zero_line_method": ("zero_line_table",),
        "zoning": ("PLAUSIBLE_GRADIENT", "gradient_is_unknown"),
    },
)
