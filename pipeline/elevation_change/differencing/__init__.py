"""The difference of the co-registered pair, corrected and judged over stable terrain, block by block."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.differencing.comparison import Differenced, difference
    from pipeline.elevation_change.differencing.corrections import (
        corrections_table,
        sigma_of_corrections,
        surface_shares,
    )
    from pipeline.elevation_change.differencing.layers import (
        STEPS,
        BlockOfDifferences,
        ErrorLayers,
        Layers,
        StableSample,
    )
    from pipeline.elevation_change.differencing.resolution_fits import ResolutionFits
    from pipeline.elevation_change.differencing.shift_and_resolution import NOT_ASKED
    from pipeline.elevation_change.differencing.trends import Ground, Trends

__all__ = [
    "NOT_ASKED",
    "STEPS",
    "BlockOfDifferences",
    "Differenced",
    "ErrorLayers",
    "Ground",
    "Layers",
    "ResolutionFits",
    "StableSample",
    "Trends",
    "corrections_table",
    "difference",
    "sigma_of_corrections",
    "surface_shares",
]
__getattr__ = lazy_names(
    __name__,
    {
        "comparison": ("Differenced", "difference"),
        "corrections": ("corrections_table", "sigma_of_corrections", "surface_shares"),
        "layers": ("STEPS", "BlockOfDifferences", "ErrorLayers", "Layers", "StableSample"),
        "resolution_fits": ("ResolutionFits",),
        "shift_and_resolution": ("NOT_ASKED",),
        "trends": ("Ground", "Trends"),
    },
)
