"""Mass balance from stakes and pits; what a notebook needs is found here by name, and imported when asked for."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.chain import (
        Integrated,
        Measured,
        integrate_fieldwork,
        mass_balance,
        measure,
        read_ground,
    )
    from pipeline.mass_balance.fieldwork import FieldData, read_field_data
    from pipeline.mass_balance.glacier_wide import GlacierWide
    from pipeline.mass_balance.points import Calendar
    from pipeline.mass_balance.result import BalanceField, BalanceYear, MassBalance

__all__ = [
    "BalanceField",
    "BalanceYear",
    "Calendar",
    "FieldData",
    "GlacierWide",
    "Integrated",
    "MassBalance",
    "Measured",
    "integrate_fieldwork",
    "mass_balance",
    "measure",
    "read_field_data",
    "read_ground",
]
__getattr__ = lazy_names(
    __name__,
    {
        "chain": ("Integrated", "Measured", "integrate_fieldwork", "mass_balance", "measure", "read_ground"),
        "glacier_wide.methods": ("GlacierWide",),
        "fieldwork.read": ("FieldData", "read_field_data"),
        "result": ("BalanceField", "BalanceYear", "MassBalance"),
        "points.years": ("Calendar",),
    },
)
