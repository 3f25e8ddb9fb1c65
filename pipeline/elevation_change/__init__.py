"""Elevation change from two DEMs; what a notebook needs is found here by name, and imported when it is asked for."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.chain import check_dems, elevation_change
    from pipeline.elevation_change.pairing import Observations, Request, observe
    from pipeline.elevation_change.result import ElevationChange, GlacierTotals, Shift, Statistics
    from pipeline.elevation_change.uncertainty import error_model

__all__ = [
    "ElevationChange",
    "GlacierTotals",
    "Observations",
    "Request",
    "Shift",
    "Statistics",
    "check_dems",
    "elevation_change",
    "error_model",
    "observe",
]
__getattr__ = lazy_names(
    __name__,
    {
        "chain": ("check_dems", "elevation_change"),
        "pairing.observations": ("Observations", "Request", "observe"),
        "result": ("ElevationChange", "GlacierTotals", "Shift", "Statistics"),
        "uncertainty.model": ("error_model",),
    },
)
