"""The change of each glacier, of its elevation bands and of the region, with the error of each."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.glaciers.change import GlacierChange, Surface, change_of_glaciers
    from pipeline.elevation_change.glaciers.outliers import NO_OUTLIERS, GlacierOutliers, set_outliers_aside
    from pipeline.elevation_change.glaciers.resolution_term import ResolutionTerm
    from pipeline.elevation_change.glaciers.scale_term import ScaleTerm

__all__ = [
    "NO_OUTLIERS",
    "GlacierChange",
    "GlacierOutliers",
    "ResolutionTerm",
    "ScaleTerm",
    "Surface",
    "change_of_glaciers",
    "set_outliers_aside",
]
__getattr__ = lazy_names(
    __name__,
    {
        "change": ("GlacierChange", "Surface", "change_of_glaciers"),
        "outliers": ("NO_OUTLIERS", "GlacierOutliers", "set_outliers_aside"),
        "resolution_term": ("ResolutionTerm",),
        "scale_term": ("ScaleTerm",),
    },
)
