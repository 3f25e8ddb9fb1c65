"""The glacier's surface: area by altitude, from DEM and outline or from a table, survey by survey."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.ground.hypsometry import (
        GlacierSurface,
        Hypsometry,
        SurveyedGround,
        band_flags,
        hypsometry_of_year,
        read_surveys,
        survey_of_year,
    )
    from pipeline.mass_balance.ground.point_elevations import lacks_elevations, with_elevations
    from pipeline.mass_balance.ground.sorted_heights import SortedHeights
    from pipeline.mass_balance.ground.surveyed_outlines import KnownBy

__all__ = [
    "GlacierSurface",
    "Hypsometry",
    "KnownBy",
    "SortedHeights",
    "SurveyedGround",
    "band_flags",
    "hypsometry_of_year",
    "lacks_elevations",
    "read_surveys",
    "survey_of_year",
    "with_elevations",
]
__getattr__ = lazy_names(
    __name__,
    {
        "hypsometry": (
            "GlacierSurface",
            "Hypsometry",
            "SurveyedGround",
            "band_flags",
            "hypsometry_of_year",
            "read_surveys",
            "survey_of_year",
        ),
        "point_elevations": ("lacks_elevations", "with_elevations"),
        "sorted_heights": ("SortedHeights",),
        "surveyed_outlines": ("KnownBy",),
    },
)
