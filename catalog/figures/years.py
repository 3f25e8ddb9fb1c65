"""The pictures of all mass-balance years: those of one kind one after the other, for they share their frame.

They are drawn by the thread that draws all pictures. A picture of matplotlib is Python for the most part, so that
several threads of them would wait for each other; starting another process takes two seconds of processor time, as long
as the pictures of several years.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import pandas as pd

from catalog.figures.balance_maps import balance_limit, open_balance_maps, open_balance_thumbnails
from catalog.figures.mass_balance import open_year_profiles
from pipeline.grid import Grid
from pipeline.mass_balance.result import BalanceYear, MassBalance

_DRAWN_TABLES = ("point_balances", "zone_balances")


@dataclass(frozen=True)
class YearFiles:
    """Title of a year's map and profile, and the files to draw; None for a thumbnail that is not wanted."""

    title: str
    map: Path
    profile: Path
    thumbnail: Path | None = None


def mapped_years(result: MassBalance) -> list[BalanceYear]:
    """The years that have a map."""
    return [year for year in result.years if year.field is not None]


def draw_years(result: MassBalance, files: Mapping[int, YearFiles], synthetic: bool) -> None:
    """Draw the pictures of the years that ``files`` names, all on the same scales; they have maps.

    The pictures of a year do not depend on which others are drawn with it.
    """
    limit = balance_limit(result)
    parts = [(part, files[part.years[0].year]) for part in _by_year(result) if part.years[0].year in files]
    with open_year_profiles(result, synthetic) as profiles:
        for part, own in parts:
            profiles.draw(own.profile, part, part.years[0], own.title)
    for grid, alike in groupby(parts, key=lambda one: _grid(one[0])):
        same = list(alike)
        with open_balance_maps(result, grid, limit, synthetic) as maps:
            for part, own in same:
                maps.draw(own.map, part, part.years[0], own.title)
        with open_balance_thumbnails(grid, limit, synthetic) as thumbnails:
            for part, own in same:
                if own.thumbnail is not None:
                    thumbnails.draw(own.thumbnail, part, part.years[0])


def _by_year(result: MassBalance) -> list[MassBalance]:
    """The result cut down to each year that has a map: that year alone, and the rows of its tables."""
    rows = {name: dict(iter(result.tables[name].groupby("year"))) for name in _DRAWN_TABLES}
    return [
        replace(
            result,
            years=(year,),
            tables={name: rows[name].get(year.year, _without_rows(result.tables[name])) for name in _DRAWN_TABLES},
        )
        for year in mapped_years(result)
    ]


def _grid(part: MassBalance) -> Grid:
    field = part.years[0].field
    if field is None:
        raise ValueError(f"{part.years[0].year}: no balance field to draw")
    return field.grid


def _without_rows(table: pd.DataFrame) -> pd.DataFrame:
    empty: pd.DataFrame = table.iloc[:0]
    return empty
