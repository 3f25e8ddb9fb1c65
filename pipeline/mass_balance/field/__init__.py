"""The balance between the points: kriging with a trend in elevation, or inverse distances."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.field.beyond import SIGMA_GRADIENT, STRAIGHT_ON, Beyond
    from pipeline.mass_balance.field.inverse_distance import inverse_distance_balance
    from pipeline.mass_balance.field.kriging import (
        AreaMean,
        Points,
        area_mean_of,
        leave_one_out,
        mean_covariance_within,
        prepare,
    )
    from pipeline.mass_balance.field.map_fields import (
        FieldModel,
        YearField,
        YearPoints,
        fields_of_years,
        fit_field_model,
    )
    from pipeline.mass_balance.field.thinning import thinned

__all__ = [
    "SIGMA_GRADIENT",
    "STRAIGHT_ON",
    "AreaMean",
    "Beyond",
    "FieldModel",
    "Points",
    "YearField",
    "YearPoints",
    "area_mean_of",
    "fields_of_years",
    "fit_field_model",
    "inverse_distance_balance",
    "leave_one_out",
    "mean_covariance_within",
    "prepare",
    "thinned",
]
__getattr__ = lazy_names(
    __name__,
    {
        "beyond": ("SIGMA_GRADIENT", "STRAIGHT_ON", "Beyond"),
        "inverse_distance": ("inverse_distance_balance",),
        "kriging": ("AreaMean", "Points", "area_mean_of", "leave_one_out", "mean_covariance_within", "prepare"),
        "map_fields": ("FieldModel", "YearField", "YearPoints", "fields_of_years", "fit_field_model"),
        "thinning": ("thinned",),
    },
)
