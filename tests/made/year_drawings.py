"""One figure of one year, of those that the product draws year by year in one frame."""

from __future__ import annotations

from pathlib import Path

from catalog.figures.balance_maps import balance_limit, open_balance_maps
from catalog.figures.mass_balance import open_year_profiles
from pipeline.mass_balance.result import BalanceYear, MassBalance


def draw_balance_map(
    path: Path, result: MassBalance, year: BalanceYear, title: str, synthetic: bool, limit: float | None = None
) -> None:
    """Isolines of the annual balance over shaded relief, with the points and the equilibrium line.

    ``limit`` ends the colour scale (m w.e.), that of all years in ``result`` when absent.

    Errors
    ------
    ValueError : the year has no balance field.
    """
    grid = next(each.field.grid for each in result.years if each.field is not None)
    with open_balance_maps(result, grid, limit or balance_limit(result), synthetic) as maps:
        maps.draw(path, result, year, title)


def draw_year_profile(path: Path, result: MassBalance, year: BalanceYear, title: str, synthetic: bool) -> None:
    """Balance of one year against elevation, on the scales of all years of the result."""
    with open_year_profiles(result, synthetic) as profiles:
        profiles.draw(path, result, year, title)
