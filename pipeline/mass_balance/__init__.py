"""Mass balance from stakes and pits; what a notebook needs is found here by name, and imported when asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.mass_balance.chain import Measured, integrate_fieldwork, mass_balance, measure, read_ground
    from pipeline.mass_balance.glacier_wide import GlacierWide
    from pipeline.mass_balance.read import FieldData, read_field_data
    from pipeline.mass_balance.result import BalanceField, BalanceYear, MassBalance
    from pipeline.mass_balance.years import Calendar

__all__ = [
    "BalanceField",
    "BalanceYear",
    "Calendar",
    "FieldData",
    "GlacierWide",
    "MassBalance",
    "Measured",
    "integrate_fieldwork",
    "mass_balance",
    "measure",
    "read_field_data",
    "read_ground",
]
_CHAIN, _RESULT, _READ = (f"{__name__}.{module}" for module in ("chain", "result", "read"))
_HOME = {
    "BalanceField": _RESULT,
    "BalanceYear": _RESULT,
    "Calendar": f"{__name__}.years",
    "FieldData": _READ,
    "GlacierWide": f"{__name__}.glacier_wide",
    "MassBalance": _RESULT,
    "Measured": _CHAIN,
    "integrate_fieldwork": _CHAIN,
    "mass_balance": _CHAIN,
    "measure": _CHAIN,
    "read_field_data": _READ,
    "read_ground": _CHAIN,
}


def __getattr__(name: str) -> Any:
    """The public name, imported now: the package itself costs nothing to import."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
