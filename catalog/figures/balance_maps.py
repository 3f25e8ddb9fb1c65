"""Pictures of mass balances: maps and series; no science is done here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS, Transformer
from shapely.geometry.base import BaseGeometry

from catalog.figures.colours import (
    INK,
    LOSS,
    PAPER,
    SUMMER_COLOUR,
    WINTER_COLOUR,
    hillshade,
    paint,
    symmetric_limit,
)
from catalog.figures.frame import (
    Backdrop,
    Frame,
    Panels,
    Thumbnails,
    draw_colour_bar,
    draw_lines,
    drawn_frame,
    label_map,
    open_diagram,
    open_maps,
    open_thumbnails,
    reduced,
    write_head,
    write_note,
)
from catalog.figures.frame import plain_text as _plain
from catalog.figures.map_labels import LabelSheet
from pipeline.grid import FloatArray, Grid
from pipeline.mass_balance.glacier_wide import cumulative_balance
from pipeline.mass_balance.result import BalanceField, BalanceYear, Isoline, MassBalance

PIXELS_OF_A_SCALE = 500_000
MAP_INCHES = 9.5  # height of a map at most, so that a screen can hold it
MOST_LABELS = 80
# the surfaces of some years and their light and shade, by the surface's identity
Reliefs = dict[int, tuple[FloatArray, FloatArray]]
_SERIES = Panels(rows=2, heights=(3, 2), gap=(0.0, 0.22))


def balance_limit(result: MassBalance) -> float:
    """End of the colour scale (m w.e.), the same for every year so that maps can be compared."""
    fields = [year.field.balance_m_we.ravel() for year in result.years if year.field is not None]
    # asked for by every map: evenly chosen pixels tell it as well as all of many large fields
    step = max(1, sum(field.size for field in fields) // PIXELS_OF_A_SCALE)
    return symmetric_limit(np.concatenate([field[::step] for field in fields]), 0.995) if fields else 1.0


def annual_points(result: MassBalance, year: int, crs: str) -> pd.DataFrame:
    """The annual point balances of a year with easting and northing in ``crs``; points without a position left out."""
    table = result.tables["point_balances"]
    chosen = table[(table["year"] == year) & (table["period"] == "annual")]
    names = ["easting", "northing", "longitude", "latitude", "balance_m_we"]
    easting, northing, longitude, latitude, balance = (
        pd.to_numeric(chosen[name], errors="coerce").to_numpy(float) for name in names
    )
    if CRS.from_user_input(result.glacier.crs) != CRS.from_user_input(crs):
        easting, northing = Transformer.from_crs(result.glacier.crs, crs, always_xy=True).transform(easting, northing)
    from_degrees = Transformer.from_crs("EPSG:4326", crs, always_xy=True).transform(longitude, latitude)
    points = pd.DataFrame(
        {
            "point_id": chosen["point_id"].astype(str).to_numpy(),
            "bound": chosen["bound"].astype(str).to_numpy(),
            "easting": np.where(np.isfinite(easting), easting, from_degrees[0]),
            "northing": np.where(np.isfinite(northing), northing, from_degrees[1]),
            "balance_m_we": balance,
        }
    )
    known = np.isfinite(points[["easting", "northing", "balance_m_we"]].to_numpy(float)).all(axis=1)
    placed: pd.DataFrame = points.loc[known]
    return placed


@dataclass(frozen=True)
class BalanceMaps:
    """Maps of one glacier on one grid, year by year in one frame, so that they can be laid side by side."""

    frame: Frame
    axes: Any
    limit_m_we: float
    reliefs: Reliefs = field(default_factory=dict)

    def draw(self, path: Path, result: MassBalance, year: BalanceYear, title: str) -> None:
        """The map of a year.

        Errors
        ------
        ValueError : the year has no balance field.
        """
        own = _field_of(year)
        points = annual_points(result, year.year, own.grid.crs)
        with self.frame.picture(path, self.axes, _balance_backdrop(own, self.limit_m_we, self.reliefs)):
            _outline(self.axes, own.outline)
            _draw_isolines(self.axes, own)
            _draw_points(self.axes, points)
            _write_labels(self.axes, year, points, [] if own.outline is None else [own.outline.boundary])
            write_head(self.axes, title, _balance_summary(year))


@contextmanager
def open_balance_maps(result: MassBalance, grid: Grid, limit_m_we: float, synthetic: bool) -> Iterator[BalanceMaps]:
    """The frame of all maps on a grid, of which the surroundings of all years' outlines are shown."""
    west, south, east, north = _window_of(_outlines_on(grid, result), grid)
    shape = (north - south) / (east - west)
    with open_maps(7.4 if shape < 1.3 else 6.4, [shape], MAP_INCHES) as (figure, (axes,), scale):
        axes.set(xlim=(west, east), ylim=(south, north), aspect="equal")
        label_map(axes, grid)
        draw_colour_bar(figure, scale, limit_m_we, "annual balance (m w.e.)")
        if synthetic:
            write_note(figure)
        yield BalanceMaps(drawn_frame(figure, few_colours=False), axes, limit_m_we)


@dataclass(frozen=True)
class BalanceThumbnails:
    """Small maps of one glacier on one grid, year by year in one frame."""

    thumbnails: Thumbnails
    limit_m_we: float
    reliefs: Reliefs = field(default_factory=dict)

    def draw(self, path: Path, result: MassBalance, year: BalanceYear) -> None:
        """The small map of a year; ValueError where it has no balance field."""
        own = _field_of(year)
        lines = [(line.geometry, 1.6 if line.balance_m_we == 0 else 0.5) for line in own.isolines if _is_half(line)]
        outline = [] if own.outline is None else [(own.outline, 1.0)]
        title = f"{_plain(result.glacier.name)} {year.year}"
        self.thumbnails.draw(path, _balance_backdrop(own, self.limit_m_we, self.reliefs), title, [*lines, *outline])


@contextmanager
def open_balance_thumbnails(grid: Grid, limit_m_we: float, synthetic: bool) -> Iterator[BalanceThumbnails]:
    """The frame of all small maps on a grid, below 600 pixels on either side."""
    west, south, east, north = grid.bounds
    rows, columns = grid.shape
    scale = limit_m_we, "annual balance (m w.e.)"
    with open_thumbnails((west, east, south, north), rows / columns, scale, synthetic) as thumbnails:
        yield BalanceThumbnails(thumbnails, limit_m_we)


def draw_balance_series(path: Path, result: MassBalance, synthetic: bool) -> None:
    """Annual, winter and summer balances with their errors, and the cumulative balance."""
    years = [year for year in result.years if year.annual_m_we is not None]
    at = np.array([year.year for year in years])
    title = f"Mass balance of {result.glacier.name}"
    note = "whiskers and band: one standard deviation; random errors add in quadrature, systematic ones linearly"
    with open_diagram(path, (7.2, 5.4), (title, note), synthetic, _SERIES) as (upper, lower):
        _draw_annual(upper, years, at)
        _draw_cumulative(lower, years, at)
        lower.sharex(upper)
        upper.tick_params(labelbottom=False)
        lower.set(xlabel="mass-balance year")
        lower.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))


def _draw_annual(axes: Any, years: Sequence[BalanceYear], at: Any) -> None:
    annual, sigma = _numbers(years, "annual_m_we"), np.nan_to_num(_numbers(years, "sigma_annual_m_we"))
    for name, shift, colour in (("winter", -0.22, WINTER_COLOUR), ("summer", 0.22, SUMMER_COLOUR)):
        season = _numbers(years, f"{name}_m_we")
        if np.isfinite(season).any():
            axes.bar(at + shift, season, 0.4, color=colour, alpha=0.75, label=name)
    axes.errorbar(
        at, annual, sigma, fmt="D", color=INK, markersize=4.5, linewidth=1.2, capsize=2.5, label="annual ± 1 σ"
    )
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set(ylabel="balance (m w.e.)")
    axes.legend(loc="best", ncols=3)


def _draw_cumulative(axes: Any, years: Sequence[BalanceYear], at: Any) -> None:
    for run in _unbroken(at):
        steps = cumulative_balance(years[run])
        total = np.array([step.balance_m_we for step in steps])
        error = np.array([step.sigma_m_we or 0.0 for step in steps])
        axes.fill_between(at[run], total - error, total + error, color=LOSS, alpha=0.18, linewidth=0)
        axes.plot(at[run], total, "o-", color=LOSS, markersize=3.5, linewidth=1.6)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.set(ylabel="cumulative (m w.e.)")


# --- parts shared by the drawings --------------------------------------------------------------------------------


def _field_of(year: BalanceYear) -> BalanceField:
    if year.field is None:
        raise ValueError(f"{year.year}: no balance field to draw")
    return year.field


def _draw_isolines(axes: Any, field: BalanceField) -> None:
    for width in (0.3, 0.8, 2.0):
        draw_lines(axes, [line.geometry for line in field.isolines if _line_width(line) == width], INK, width)


def _line_width(line: Isoline) -> float:
    """Points: strong at zero, stronger at half metres than between."""
    return 2.0 if line.balance_m_we == 0 else 0.8 if _is_half(line) else 0.3


def _draw_points(axes: Any, points: pd.DataFrame) -> None:
    many = len(points) > MOST_LABELS  # large marks would hide the map
    size, edge = (3.0, 0.6) if many else (5.0, 1.0)
    axes.plot(
        points["easting"], points["northing"], "o", color=PAPER, markeredgecolor=INK, markeredgewidth=edge,
        markersize=size, zorder=5,
    )  # fmt: skip


def _write_labels(axes: Any, year: BalanceYear, points: pd.DataFrame, lines: Sequence[BaseGeometry]) -> None:
    """The values of points and isolines, none over another nor over a point, and away from ``lines``."""
    shown = points if len(points) <= MOST_LABELS else points.iloc[:0]  # more labels than this hide the map
    sheet = LabelSheet(axes, shown[["easting", "northing"]].to_numpy(float), lines)
    columns = (shown[name] for name in ("point_id", "bound", "easting", "northing", "balance_m_we"))
    for name, bound, easting, northing, balance_m_we in zip(*columns, strict=True):
        value = f"{balance_m_we:+.2f}".replace("-", "−")
        text = f"{_plain(name)}: {'≤ ' if bound == '<=' else ''}{value}"
        sheet.write_beside((easting, northing), text, 6.5)
    # the line of zero balance before the others: it must have its label
    for line in sorted(filter(_is_half, _field_of(year).isolines), key=lambda line: abs(line.balance_m_we)):
        zero = line.balance_m_we == 0
        text = f"{line.balance_m_we:+.1f}".replace("-", "−")
        if zero:
            on_glacier = year.ela_m is not None and year.ela_position == "="
            text = f"0 (ELA {year.ela_m:.0f} m)" if on_glacier else "0"
        sheet.write_along(line.geometry, text, 8 if zero else 7, must=zero)


def _relief(field: BalanceField, reliefs: Reliefs) -> FloatArray:
    """Light and shade of the glacier's surface, 0 to 1; years have the same array of it, and share them."""
    surface, relief = reliefs.get(id(field.surface_m), (None, field.surface_m))
    if surface is not field.surface_m:
        shade = hillshade(field.surface_m, field.grid.pixel_size, exaggeration=1.5)
        relief = np.where(np.isfinite(shade), 0.62 + 0.38 * shade, 1.0)
        reliefs[id(field.surface_m)] = field.surface_m, relief
    return relief


def _balance_backdrop(field: BalanceField, limit: float, reliefs: Reliefs) -> Backdrop:
    relief = _relief(field, reliefs)
    inside = np.isfinite(field.balance_m_we)
    light = np.where(inside, 0.72 + 0.28 * relief, relief)
    colours = np.where(inside[..., np.newaxis], paint(field.balance_m_we, limit), 0.97)
    rgb = np.clip(np.rint(np.moveaxis(colours * light[..., np.newaxis], -1, 0) * 255), 0, 255).astype(np.uint8)
    return reduced(rgb, field.grid, 1200)


def _outline(axes: Any, outline: BaseGeometry | None) -> None:
    if outline is not None:
        draw_lines(axes, [outline], INK, 1.4)


def _outlines_on(grid: Grid, result: MassBalance) -> list[BaseGeometry]:
    """The outlines of the years whose field lies on a grid."""
    fields = [year.field for year in result.years if year.field is not None and year.field.grid == grid]
    return [field.outline for field in fields if field.outline is not None]


def _window_of(outlines: Sequence[BaseGeometry], grid: Grid) -> tuple[float, float, float, float]:
    """(west, south, east, north) around the outlines with a margin, within the grid."""
    west, south, east, north = grid.bounds
    if not outlines:
        return grid.bounds
    inner = shapely.total_bounds(outlines)
    margin = 0.06 * max(inner[2] - inner[0], inner[3] - inner[1])
    return (
        max(west, inner[0] - margin),
        max(south, inner[1] - margin),
        min(east, inner[2] + margin),
        min(north, inner[3] + margin),
    )


def _balance_summary(year: BalanceYear) -> str:
    parts = []
    if year.annual_m_we is not None:
        sigma = f" ± {year.sigma_annual_m_we:.2f}" if year.sigma_annual_m_we is not None else ""
        parts.append(f"annual balance {year.annual_m_we:+.2f}{sigma} m w.e.".replace("-", "−"))
    if year.ela_m is not None:
        error = "" if year.sigma_ela_m is None else f" ± {year.sigma_ela_m:.0f}"
        parts.append(f"ELA {'' if year.ela_position == '=' else year.ela_position or ''}{year.ela_m:.0f}{error} m")
    if year.aar is not None:
        parts.append(f"AAR {year.aar:.2f}")
    return " · ".join(parts)


def _is_half(line: Isoline) -> bool:
    """Whether an isoline stands at a multiple of half a metre, which is drawn stronger and labelled."""
    return abs(line.balance_m_we * 2 - round(line.balance_m_we * 2)) < 1e-6


def _numbers(years: Sequence[BalanceYear], name: str) -> FloatArray:
    return np.array([np.nan if getattr(year, name) is None else float(getattr(year, name)) for year in years])


def _unbroken(years: Any) -> list[slice]:
    """Runs of consecutive years; a cumulative balance does not cross a gap."""
    cuts = [0, *(np.flatnonzero(np.diff(years) != 1) + 1).tolist(), len(years)]
    return [slice(start, stop) for start, stop in pairwise(cuts) if stop > start]
