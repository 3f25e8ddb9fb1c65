"""Point balances from pairs of readings and from pits, paired into balance years and seasons."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.points.between import Survey, points_between, survey_on, surveys
    from pipeline.mass_balance.points.given import given_points, with_given
    from pipeline.mass_balance.points.linear_model import (
        Filled,
        LinearModel,
        fill,
        filled_table,
        fit_linear_model,
        model_table,
        observations,
    )
    from pipeline.mass_balance.points.point_balance import SIGMA_BENT_M, PointBalance, Visit, stake_balance
    from pipeline.mass_balance.points.points import (
        PointBalances,
        PointRecord,
        YearVisits,
        annual_records,
        pairs_of_visits,
        point_balances,
        point_table,
        usable,
    )
    from pipeline.mass_balance.points.snow_density import SnowDensities, density_table
    from pipeline.mass_balance.points.visits import Network, build_network
    from pipeline.mass_balance.points.years import Calendar, commonest

__all__ = [
    "SIGMA_BENT_M",
    "Calendar",
    "Filled",
    "LinearModel",
    "Network",
    "PointBalance",
    "PointBalances",
    "PointRecord",
    "SnowDensities",
    "Survey",
    "Visit",
    "YearVisits",
    "annual_records",
    "build_network",
    "commonest",
    "density_table",
    "fill",
    "filled_table",
    "fit_linear_model",
    "given_points",
    "model_table",
    "observations",
    "pairs_of_visits",
    "point_balances",
    "point_table",
    "points_between",
    "stake_balance",
    "survey_on",
    "surveys",
    "usable",
    "with_given",
]
__getattr__ = lazy_names(
    __name__,
    {
        "between": ("Survey", "points_between", "survey_on", "surveys"),
        "given": ("given_points", "with_given"),
        "linear_model": (
            "Filled",
            "LinearModel",
            "fill",
            "filled_table",
            "fit_linear_model",
            "model_table",
            "observations",
        ),
        "point_balance": ("SIGMA_BENT_M", "PointBalance", "Visit", "stake_balance"),
        "points": (
            "PointBalances",
            "PointRecord",
            "YearVisits",
            "annual_records",
            "pairs_of_visits",
            "point_balances",
            "point_table",
            "usable",
        ),
        "snow_density": ("SnowDensities", "density_table"),
        "visits": ("Network", "build_network"),
        "years": ("Calendar", "commonest"),
    },
)
