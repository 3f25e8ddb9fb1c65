"""Pictures of mass balances: maps and series; no science is done here."""

from __future__ import annotations

from collections.abc import Sequence
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

from catalog.colours import (
    INK,
    LOSS,
    PAPER,
    SUMMER_COLOUR,
    WINTER_COLOUR,
    hillshade,
    paint,
    symmetric_limit,
)
from catalog.figure_frame import (
    HALO,
    Backdrop,
    draw_colour_bar,
    draw_lines,
    draw_thumbnail,
    open_map_figure,
    reduced,
    show_backdrop,
)
from catalog.figure_frame import open_figure as _figure
from catalog.figure_frame import plain_text as _plain
from catalog.figure_frame import write_head as _head
from pipeline.grid import FloatArray, Grid
from pipeline.mass_balance.cumulative import cumulative_balance
from pipeline.mass_balance.result import BalanceField, BalanceYear, Isoline, MassBalance

PIXELS_OF_A_SCALE = 500_000
MAP_INCHES = 9.5  # height of a map at most, so that a screen can hold it


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


def draw_balance_map(
    path: Path, result: MassBalance, year: BalanceYear, title: str, synthetic: bool, limit: float | None = None
) -> None:
    """Isolines of the annual balance over shaded relief, with the points and the equilibrium line.

    ``limit`` ends the colour scale (m w.e.), that of all years in ``result`` when absent.

    Errors
    ------
    ValueError : the year has no balance field.
    """
    field = year.field
    if field is None:
        raise ValueError(f"{year.year}: no balance field to draw")
    limit = limit or balance_limit(result)
    points = annual_points(result, year.year, field.grid.crs)
    west, south, east, north = _window_of(result.outline, field.grid)
    shape = (north - south) / (east - west)
    with open_map_figure(path, 7.4 if shape < 1.3 else 6.4, [shape], MAP_INCHES) as (figure, (axes,), scale):
        show_backdrop(axes, _balance_backdrop(field, limit), field.grid)
        _outline(axes, result.outline)
        _draw_isolines(axes, field, year, points)
        _draw_points(axes, points)
        axes.set(xlim=(west, east), ylim=(south, north))
        draw_colour_bar(figure, scale, limit, "annual balance (m w.e.)")
        _head(figure, axes, title, _balance_summary(year), synthetic)


def draw_balance_thumbnail(
    path: Path,
    result: MassBalance,
    year: BalanceYear,
    field: BalanceField,
    synthetic: bool,
    limit: float | None = None,
) -> None:
    """A small map of the balance with its colour bar, below 600 pixels on either side; ``limit`` as for the map."""
    limit = limit or balance_limit(result)
    rows, columns = field.grid.shape
    lines = [(line.geometry, 1.6 if line.balance_m_we == 0 else 0.5) for line in field.isolines if _is_half(line)]
    draw_thumbnail(
        path,
        _balance_backdrop(field, limit),
        rows / columns,
        f"{_plain(result.glacier.name)} {year.year}",
        synthetic,
        (limit, "annual balance (m w.e.)"),
        [*lines, *([(result.outline, 1.0)] if result.outline is not None else [])],
    )


def draw_balance_series(path: Path, result: MassBalance, synthetic: bool) -> None:
    """Annual, winter and summer balances with their errors, and the cumulative balance."""
    years = [year for year in result.years if year.annual_m_we is not None]
    at = np.array([year.year for year in years])
    annual, sigma = _numbers(years, "annual_m_we"), np.nan_to_num(_numbers(years, "sigma_annual_m_we"))
    with _figure(path, (7.2, 5.4)) as figure:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        for name, shift, colour in (("winter", -0.22, WINTER_COLOUR), ("summer", 0.22, SUMMER_COLOUR)):
            season = _numbers(years, f"{name}_m_we")
            if np.isfinite(season).any():
                upper.bar(at + shift, season, 0.4, color=colour, alpha=0.75, label=name)
        upper.errorbar(
            at, annual, sigma, fmt="D", color=INK, markersize=4.5, linewidth=1.2, capsize=2.5, label="annual ± 1 σ"
        )
        upper.axhline(0, color=INK, linewidth=0.8)
        upper.set(ylabel="balance (m w.e.)")
        upper.legend(loc="best", ncols=3)
        for run in _unbroken(at):
            steps = cumulative_balance(years[run])
            total = np.array([step.balance_m_we for step in steps])
            error = np.array([step.sigma_m_we or 0.0 for step in steps])
            lower.fill_between(at[run], total - error, total + error, color=LOSS, alpha=0.18, linewidth=0)
            lower.plot(at[run], total, "o-", color=LOSS, markersize=3.5, linewidth=1.6)
        lower.axhline(0, color=INK, linewidth=0.8)
        lower.set(ylabel="cumulative (m w.e.)", xlabel="mass-balance year")
        lower.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
        _head(
            figure,
            upper,
            f"Mass balance of {_plain(result.glacier.name)}",
            "band: ± 1 σ; random errors add in quadrature, systematic ones linearly",
            synthetic,
        )


# --- parts shared by the drawings --------------------------------------------------------------------------------


def _draw_isolines(axes: Any, field: BalanceField, year: BalanceYear, points: pd.DataFrame) -> None:
    occupied = points[["easting", "northing"]].to_numpy(float)
    # a stake's value stands to its right
    step = 0.05 * (field.grid.bounds[2] - field.grid.bounds[0])
    beside = np.vstack([occupied + np.array([steps * step, 0.0]) for steps in range(3)])
    for width in (0.3, 0.8, 2.0):
        draw_lines(axes, [line.geometry for line in field.isolines if _line_width(line) == width], INK, width)
    for line in filter(_is_half, field.isolines):
        zero = line.balance_m_we == 0
        text = f"{line.balance_m_we:+.1f}".replace("-", "−")
        if zero:
            on_glacier = year.ela_m is not None and year.ela_position == "="
            text = f"0 (ELA {year.ela_m:.0f} m)" if on_glacier else "0"
        _label_line(axes, line.geometry, text, zero, beside)


def _line_width(line: Isoline) -> float:
    """Points: strong at zero, stronger at half metres than between."""
    return 2.0 if line.balance_m_we == 0 else 0.8 if _is_half(line) else 0.3


def _label_line(axes: Any, geometry: BaseGeometry, text: str, bold: bool, occupied: FloatArray) -> None:
    """Write along the longest part of a line, where it keeps farthest from what is written already."""
    parts = [part for part in shapely.get_parts(geometry) if part.geom_type == "LineString" and part.length > 0]
    if not parts:
        return
    longest = max(parts, key=lambda part: float(part.length))
    shares = np.linspace(0.15, 0.85, 15)
    places = shapely.get_coordinates(shapely.line_interpolate_point(longest, shares, normalized=True))
    free = [float(np.hypot(*(occupied - place).T).min()) if len(occupied) else 0.0 for place in places]
    share = float(shares[int(np.argmax(free))])
    before, at, after = (longest.interpolate(share + step, normalized=True) for step in (-0.04, 0, 0.04))
    angle = np.degrees(np.arctan2(after.y - before.y, after.x - before.x))
    angle = (angle + 90) % 180 - 90  # never upside down
    axes.text(
        at.x, at.y, text, rotation=angle, ha="center", va="center", fontsize=8 if bold else 7,
        fontweight="bold" if bold else "normal", path_effects=HALO, clip_on=True,
    )  # fmt: skip


MOST_LABELS = 80


def _draw_points(axes: Any, points: pd.DataFrame) -> None:
    many = len(points) > MOST_LABELS  # more labels than this hide the map, and large marks would too
    size, edge = (3.0, 0.6) if many else (5.0, 1.0)
    axes.plot(
        points["easting"], points["northing"], "o", color=PAPER, markeredgecolor=INK, markeredgewidth=edge,
        markersize=size, zorder=5,
    )  # fmt: skip
    if many:
        return
    for point in points.itertuples():
        value = f"{point.balance_m_we:+.2f}".replace("-", "−")
        prefix = "≤ " if point.bound == "<=" else ""
        axes.annotate(
            f"{_plain(str(point.point_id))}: {prefix}{value}", (point.easting, point.northing), (5, 4),
            textcoords="offset points", fontsize=6.5, path_effects=HALO, zorder=6, annotation_clip=True,
        )  # fmt: skip


def _balance_backdrop(field: BalanceField, limit: float) -> Backdrop:
    shade = hillshade(field.surface_m, field.grid.pixel_size, exaggeration=1.5)
    relief = np.where(np.isfinite(shade), 0.62 + 0.38 * shade, 1.0)
    inside = np.isfinite(field.balance_m_we)
    light = np.where(inside, 0.72 + 0.28 * relief, relief)
    colours = np.where(inside[..., np.newaxis], paint(field.balance_m_we, limit), 0.97)
    rgb = np.clip(np.rint(np.moveaxis(colours * light[..., np.newaxis], -1, 0) * 255), 0, 255).astype(np.uint8)
    return reduced(rgb, field.grid, 1200)


def _outline(axes: Any, outline: BaseGeometry | None) -> None:
    if outline is not None:
        draw_lines(axes, [outline], INK, 1.4)


def _window_of(outline: BaseGeometry | None, grid: Grid) -> tuple[float, float, float, float]:
    """(west, south, east, north) around the outline with a margin, within the grid."""
    west, south, east, north = grid.bounds
    if outline is None:
        return grid.bounds
    inner = outline.bounds
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
        parts.append(f"ELA {'' if year.ela_position == '=' else year.ela_position or ''}{year.ela_m:.0f} m")
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
