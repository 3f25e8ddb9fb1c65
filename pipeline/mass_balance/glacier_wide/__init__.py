"""Balances of the whole glacier by each method, equilibrium line, accumulation area, and their errors."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.mass_balance.glacier_wide.cumulative import cumulative_balance

__all__ = ["cumulative_balance"]
__getattr__ = lazy_names(
    __name__,
    {
        "cumulative": ("cumulative_balance",),
    },
)
