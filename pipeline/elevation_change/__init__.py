"""Elevation change from two DEMs; what a notebook needs is found here by name, and imported when it is asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.elevation_change.chain import check_dems, elevation_change, error_model
    from pipeline.elevation_change.observations import Observations, Request, observe
    from pipeline.elevation_change.result import ElevationChange, GlacierTotals, Shift, Statistics

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
_CHAIN, _OBSERVATIONS, _RESULT = (f"{__name__}.{module}" for module in ("chain", "observations", "result"))
_HOME = {
    "ElevationChange": _RESULT,
    "GlacierTotals": _RESULT,
    "Observations": _OBSERVATIONS,
    "Request": _OBSERVATIONS,
    "Shift": _RESULT,
    "Statistics": _RESULT,
    "check_dems": _CHAIN,
    "elevation_change": _CHAIN,
    "error_model": _CHAIN,
    "observe": _OBSERVATIONS,
}


def __getattr__(name: str) -> Any:
    """The public name, imported now: the package itself costs nothing to import."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
