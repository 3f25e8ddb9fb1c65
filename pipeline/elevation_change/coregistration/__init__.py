"""The shift that brings one DEM onto the other, from aspect, slope and elevation difference over stable terrain."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.coregistration.first_guess import coarse_offset
    from pipeline.elevation_change.coregistration.fit import (
        SLOPE_ERROR_RATIO,
        Coregistration,
        CosineFit,
        Iteration,
        StepOfAll,
        SurveyedTerrain,
        cosine_fit,
        cosine_search,
        plus,
        refuse_far,
        search_on_survey,
        sums_over_all_pixels,
        tangent_limits,
    )
    from pipeline.elevation_change.coregistration.survey import aligned_windows, take_survey

__all__ = [
    "SLOPE_ERROR_RATIO",
    "Coregistration",
    "CosineFit",
    "Iteration",
    "StepOfAll",
    "SurveyedTerrain",
    "aligned_windows",
    "coarse_offset",
    "cosine_fit",
    "cosine_search",
    "plus",
    "refuse_far",
    "search_on_survey",
    "sums_over_all_pixels",
    "take_survey",
    "tangent_limits",
]
__getattr__ = lazy_names(
    __name__,
    {
        "first_guess": ("coarse_offset",),
        "fit": (
            "SLOPE_ERROR_RATIO",
            "Coregistration",
            "CosineFit",
            "Iteration",
            "StepOfAll",
            "SurveyedTerrain",
            "cosine_fit",
            "cosine_search",
            "plus",
            "refuse_far",
            "search_on_survey",
            "sums_over_all_pixels",
            "tangent_limits",
        ),
        "survey": ("aligned_windows", "take_survey"),
    },
)
