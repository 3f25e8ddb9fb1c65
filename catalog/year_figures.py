"""The pictures of each mass-balance year, one after the other and by the thread that draws all pictures.

A picture of matplotlib is Python for the most part, so that several threads of them would wait for each other. Other
processes were tried: starting one takes two seconds of processor time, as long as the pictures of six years.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from catalog.figures import balance_limit, draw_balance_map, draw_balance_thumbnail
from catalog.figures_mass_balance import draw_year_profile
from pipeline.mass_balance.result import MassBalance

_DRAWN_TABLES = ("point_balances", "zone_balances")


@dataclass(frozen=True)
class YearPictures:
    """Which pictures of a year to draw, and where; None for one that is not wanted.

    Attributes
    ----------
    result : with that year alone, and the rows of its tables.
    limit_m_we : end of the colour scale, the same for all years.
    """

    result: MassBalance
    title: str
    synthetic: bool
    limit_m_we: float
    map: Path
    profile: Path
    thumbnail: Path | None = None

    def draw(self) -> None:
        """Write the pictures."""
        year = self.result.years[0]
        draw_balance_map(self.map, self.result, year, self.title, self.synthetic, self.limit_m_we)
        draw_year_profile(self.profile, self.result, year, self.title, self.synthetic)
        if self.thumbnail is not None and year.field is not None:
            draw_balance_thumbnail(
                self.thumbnail, self.result, year, year.field, self.synthetic, self.limit_m_we
            )  # fmt: skip


def results_by_year(result: MassBalance) -> Iterator[tuple[MassBalance, float]]:
    """The result cut down to each year that has a map, and the end of the colour scale that all maps share."""
    limit = balance_limit(result)
    rows = {name: dict(iter(result.tables[name].groupby("year"))) for name in _DRAWN_TABLES}
    for year in result.years:
        if year.field is not None:
            tables = {name: rows[name].get(year.year, _without_rows(result.tables[name])) for name in _DRAWN_TABLES}
            yield replace(result, years=(year,), tables=tables), limit


def _without_rows(table: pd.DataFrame) -> pd.DataFrame:
    empty: pd.DataFrame = table.iloc[:0]
    return empty
