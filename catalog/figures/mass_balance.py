"""Pictures of mass balances beside the maps: profiles over elevation, stakes, methods; no science is done here.

Frame, fonts and the note on synthetic data are those of ``catalog.figures.frame``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.dates
import matplotlib.ticker
import numpy as np
import pandas as pd
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import ListedColormap, Normalize

from catalog.figures.colours import GAIN, INK, LOSS, MUTED, NEUTRAL, PAPER, SUMMER_COLOUR, WINTER_COLOUR, amount_colours
from catalog.figures.frame import (
    Frame,
    Panels,
    drawn_frame,
    open_canvas,
    open_diagram,
    plain_text,
    write_diagram_head,
    write_note,
)
from pipeline.grid import FloatArray
from pipeline.mass_balance.result import BalanceYear, MassBalance

_UNTYPED_DATES: Any = mpl.dates
MOST_STAKES = 24  # panels of one picture; more could not be read
_PROFILES_SIZE = (7.2, 5.0)
_PROFILES, _SCALE = Panels(right=1.15), Panels(left=6.25, right=0.78)
# colours of the scale that a thin line on white does not show
_TOO_PALE = 56
# in a budget beside the sources: their sum, and a check
_NO_SOURCES = {"total", "leave_one_out"}
_BEHIND_GRID = 0.4  # a grid drawn below everything has 0.5
_AREA_COLOUR, _SIGMA_COLOUR = "#e9edf1", "#7b5ea7"
_AREA_STRENGTH = 0.09  # of bars behind a grid that shows through them
_PROFILE_SIZE, _PROFILE = (6.8, 5.4), Panels(top=1.05)
_PROFILE_NOTE = "steps: elevation zones, dotted where extrapolated; violet and bars: one standard deviation"
_SEASONS = {"winter": WINTER_COLOUR, "summer": SUMMER_COLOUR, "annual": INK}
_MARKERS = {"stake": "o", "pit": "s", "probing": "^"}
_NAMES = {"stake": "stakes", "pit": "snow pits", "probing": "probings"}
_DASHES: dict[str, Any] = {"observed": "-", "interpolated": (0, (3, 1)), "extrapolated": (0, (1, 1))}
# colours that readers with a colour-vision deficiency tell apart (Okabe and Ito, 2008)
_DISTINCT = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#8C6D00",
    "#6A4C93",
    "#7F7F7F",
    "#B8860B",
    "#444444",
)


# --- balance against elevation -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class YearProfiles:
    """Balance against elevation, year by year on the same scales, so that the years can be laid side by side."""

    frame: Frame
    axes: Any
    area_axes: Any

    def draw(self, path: Path, result: MassBalance, year: BalanceYear, title: str) -> None:
        """The profile of a year: points, elevation zones, equilibrium line, and the area behind them."""
        zones = _of_year(result.tables["zone_balances"], year.year).sort_values("lower_m")
        points = _of_year(result.tables["point_balances"], year.year)
        with self.frame.picture(path):
            write_diagram_head(self.frame.figure, (title, _PROFILE_NOTE), _PROFILE)
            _draw_area(self.area_axes, zones)
            self.axes.axvline(0, color=INK, linewidth=0.8)
            for season, colour in _SEASONS.items():
                _draw_zones(self.axes, zones, season, colour)
                _draw_points(self.axes, points[points["period"] == season], season, colour)
            _draw_equilibrium_line(self.axes, year)
            if self.axes.get_legend_handles_labels()[0]:
                self.axes.legend(loc="upper left", fontsize=7.5)


@contextmanager
def open_year_profiles(result: MassBalance, synthetic: bool) -> Iterator[YearProfiles]:
    """The frame of the profiles of all years of a result; its scales hold them all."""
    with open_canvas(_PROFILE_SIZE) as figure:
        axes = figure.add_axes(_PROFILE.place(_PROFILE_SIZE, 0, 0))
        area_axes = _area_axes(axes)
        balance, elevation, area_km2 = _reach_of_profiles(result)
        axes.set(xlim=balance, ylim=elevation, xlabel="balance (m w.e.)", ylabel="elevation (m)")
        area_axes.set(xlim=(0, area_km2))
        if synthetic:
            write_note(figure)
        yield YearProfiles(drawn_frame(figure, few_colours=True), axes, area_axes)


def _reach_of_profiles(result: MassBalance) -> tuple[tuple[float, float], tuple[float, float], float]:
    """Ends of the balances with their errors (m w.e.) and of the elevations (m), and the largest area (km2)."""
    zones, points = result.tables["zone_balances"], result.tables["point_balances"]
    points = points[points["period"].isin(_SEASONS)]
    lower, upper, area, sigma, *by_season = _numbers(
        zones, "lower_m", "upper_m", "area_km2", "sigma_annual_m_we", *(f"{name}_balance_m_we" for name in _SEASONS)
    )
    annual = by_season[list(_SEASONS).index("annual")]
    balance, error, elevation = _numbers(points, "balance_m_we", "sigma_balance_m_we", "elevation_m")
    lines = [year.ela_m for year in result.years if year.ela_m is not None]
    about = (annual - np.nan_to_num(sigma), annual + np.nan_to_num(sigma))
    whiskers = (balance - np.nan_to_num(error), balance + np.nan_to_num(error))
    known = area[np.isfinite(area)]
    return (
        _room_about([*by_season, *about, *whiskers, np.zeros(1)]),
        _room_about([lower, upper, elevation, np.array(lines, float)]),
        1.05 * float(known.max()) if known.size and known.max() > 0 else 1.0,
    )


def _room_about(values: Sequence[FloatArray]) -> tuple[float, float]:
    """The least and the largest of some values, with a twentieth of their distance beyond either."""
    every = np.concatenate(values)
    every = every[np.isfinite(every)] if np.isfinite(every).any() else np.zeros(1)
    low, high = float(every.min()), float(every.max())
    margin = 0.05 * (high - low) or 0.5
    return low - margin, high + margin


def draw_balance_profiles(path: Path, result: MassBalance, synthetic: bool) -> None:
    """Annual balance against elevation in every year: zones as lines, points as dots, equilibrium lines on the zero."""
    zones, points = result.tables["zone_balances"], result.tables["point_balances"]
    annual = points[points["period"] == "annual"]
    years = [year for year in result.years if year.annual_m_we is not None]
    if not years:
        raise ValueError("no year with a balance to draw")
    numbers = [year.year for year in years]
    scale, colours = Normalize(min(numbers) - 1, max(numbers) + 1), ListedColormap(amount_colours()[_TOO_PALE:])
    note = "lines: elevation zones; dots: stakes and pits; diamonds on the zero: equilibrium line"
    with open_diagram(path, _PROFILES_SIZE, ("Balance against elevation", note), synthetic, _PROFILES) as (axes,):
        axes.axvline(0, color=INK, linewidth=0.8)
        for year in years:
            colour = colours(scale(year.year))
            here, band = _of_year(annual, year.year), _of_year(zones, year.year).sort_values("lower_m")
            axes.plot(*_numbers(here, "balance_m_we", "elevation_m"), "o", color=colour, markersize=2.6, alpha=0.6)
            lower, upper, balance = _numbers(band, "lower_m", "upper_m", "annual_balance_m_we")
            axes.plot(balance, (lower + upper) / 2, color=colour, linewidth=1.3)
            if year.ela_m is not None:
                mark = {"<": "v", ">": "^"}.get(year.ela_position or "", "D")
                axes.plot([0], [year.ela_m], mark, color=colour, markersize=5.5, markeredgecolor=INK, zorder=5)
        axes.set(xlabel="annual balance (m w.e.)", ylabel="elevation (m)")
        mappable = mpl.cm.ScalarMappable(scale, colours)
        beside = axes.get_figure().add_axes(_SCALE.place(_PROFILES_SIZE, 0, 0))
        ticks = numbers[:: max(1, len(numbers) // 6)]
        axes.get_figure().colorbar(mappable, cax=beside, label="mass-balance year", ticks=ticks)


def _area_axes(axes: Any) -> Any:
    """Axes behind everything, with the scale of the area above."""
    area = axes.twiny()
    area.set_xlabel("glacier area (km²)", fontsize=8.5, color=NEUTRAL)
    area.grid(False)
    area.spines["top"].set_visible(True)
    axes.set_zorder(area.get_zorder() + 1)
    axes.patch.set_visible(False)
    return area


def _draw_area(axes: Any, zones: pd.DataFrame) -> None:
    """Area of each zone as a bar through which the grid is seen."""
    lower, upper, area_km2 = _numbers(zones, "lower_m", "upper_m", "area_km2")
    gap, none = 0.04 * (upper - lower), np.zeros(len(zones))
    bottom, top = lower + gap, upper - gap
    bars = _boxes((none, area_km2, area_km2, none), (bottom, bottom, top, top))
    axes.add_collection(PolyCollection(list(bars), facecolors=INK, alpha=_AREA_STRENGTH, linewidths=0), autolim=False)


def _boxes(horizontal: Sequence[FloatArray], vertical: Sequence[FloatArray]) -> FloatArray:
    """Corners of quadrangles, shape (count, 4, 2); those with an unknown corner are left out."""
    corners = np.stack([np.stack(horizontal, -1), np.stack(vertical, -1)], axis=-1)
    known: FloatArray = corners[np.isfinite(corners).all(axis=(1, 2))]
    return known


def _draw_zones(axes: Any, zones: pd.DataFrame, season: str, colour: str) -> None:
    """One step a zone, drawn as its value is based, and one standard deviation around it where there is one."""
    lower, upper, balance = _numbers(zones, "lower_m", "upper_m", f"{season}_balance_m_we")
    known = np.isfinite(balance)
    for basis, dashes in _DASHES.items():
        chosen = known & (zones["basis"].astype(str) == basis).to_numpy()
        steps = np.stack([np.stack([balance, lower], -1), np.stack([balance, upper], -1)], axis=1)[chosen]
        if len(steps):
            lines = LineCollection(list(steps), colors=colour, linewidths=1.5, linestyles=[dashes])
            axes.add_collection(lines, autolim=False)
    if season != "annual":
        return
    (sigma,) = _numbers(zones, "sigma_annual_m_we")
    left, right = balance - sigma, balance + sigma
    boxes = _boxes((left, right, right, left), (lower, lower, upper, upper))
    # one collection for all zones: an artist a zone takes ten times as long
    spread = PolyCollection(list(boxes), facecolors=_SIGMA_COLOUR, alpha=0.25, linewidths=0)
    axes.add_collection(spread, autolim=False)


def _draw_points(axes: Any, points: pd.DataFrame, season: str, colour: str) -> None:
    for kind, marker in _MARKERS.items():
        values = points[(points["kind"] == kind) & (points["bound"] == "=")]
        if values.empty:
            continue
        balance, sigma, elevation = _numbers(values, "balance_m_we", "sigma_balance_m_we", "elevation_m")
        error = np.nan_to_num(sigma)
        whiskers = np.stack([np.stack([balance - error, elevation], -1), np.stack([balance + error, elevation], -1)], 1)
        axes.add_collection(LineCollection(list(whiskers), colors=colour, linewidths=0.8, zorder=2), autolim=False)
        axes.plot(
            balance, elevation, marker, color=colour, markersize=4, label=f"{season}, {_NAMES[kind]}",
            markerfacecolor=PAPER if kind != "stake" else colour,
        )  # fmt: skip
    bounds = points[points["bound"] == "<="]
    if not bounds.empty:
        balance, elevation = _numbers(bounds, "balance_m_we", "elevation_m")
        axes.plot(balance, elevation, "<", color=colour, markersize=5, label=f"{season}, at most (melted out)")


def _draw_equilibrium_line(axes: Any, year: BalanceYear) -> None:
    if year.ela_m is None:
        return
    axes.axhline(year.ela_m, color=GAIN, linewidth=1.1, linestyle=(0, (6, 2)))
    sign = "" if year.ela_position in (None, "=") else f"{year.ela_position} "
    error = "" if year.sigma_ela_m is None else f" ± {year.sigma_ela_m:.0f}"
    axes.annotate(
        f"ELA {sign}{year.ela_m:.0f}{error} m", (0.99, year.ela_m), (0, 3), ("axes fraction", "data"),
        textcoords="offset points", ha="right", fontsize=8, color=GAIN, fontweight="bold",
    )  # fmt: skip


# --- stakes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StakeSeries:
    """What was read at one stake.

    Attributes
    ----------
    name, elevation_m : which stake, and where it stands.
    legs : days and exposed lengths (m) of each leg, in order; NaN where a visit has no length.
    runs : days, cumulative balance and its standard deviation (m w.e.) between visits that follow each other.
    """

    name: str
    elevation_m: float
    legs: tuple[tuple[list[date], FloatArray], ...]
    runs: tuple[tuple[list[date], FloatArray, FloatArray], ...]


def stake_histories(result: MassBalance, most: int = MOST_STAKES) -> tuple[StakeSeries, ...]:
    """The stakes from the highest down; of more than ``most`` those that stand evenly in that order.

    A run adds up the balances from visit to visit, errors in quadrature. After a gap the sum goes on from its last
    value: what happened in between is not known, and nothing is added for it.
    """
    stakes = result.tables["stakes"].copy()
    stakes["elevation_m"] = pd.to_numeric(stakes["elevation_m"])
    stakes = stakes.sort_values(["elevation_m", "stake_id"], ascending=[False, True], kind="stable")
    if len(stakes) > most:
        stakes = stakes.iloc[np.unique(np.linspace(0, len(stakes) - 1, most).round().astype(int))]
    readings = dict(iter(result.tables["readings"].groupby("stake_id")))
    points = result.tables["point_balances"]
    chosen = points[(points["kind"] == "stake") & (points["period"] == "instantaneous") & (points["bound"] == "=")]
    balances = dict(iter(chosen.groupby("point_id")))
    return tuple(
        StakeSeries(
            str(name),
            float(elevation),
            tuple(_legs(readings[name])) if name in readings else (),
            tuple(_runs(balances[name])) if name in balances else (),
        )
        for name, elevation in zip(stakes["stake_id"], stakes["elevation_m"], strict=True)
    )


def draw_stake_history(path: Path, result: MassBalance, synthetic: bool) -> None:
    """Exposed length and cumulative balance of each stake over time, one panel a stake, the highest first.

    Errors
    ------
    ValueError : there is no stake to draw.
    """
    histories = stake_histories(result)
    if not histories:
        raise ValueError("no stake to draw")
    total = len(result.tables["stakes"])
    which = f"{len(histories)} of {total} stakes, evenly by elevation" if len(histories) < total else "all stakes"
    note = f"{which}, the highest first; band: one standard deviation; grey, scale at the right: exposed length (m)"
    columns = min(len(histories), 4)
    rows = -(-len(histories) // columns)
    size = max(6.4, 2.3 * columns + 1.0), 1.4 * rows + 1.3
    room = Panels(rows=rows, columns=columns, left=0.75, right=0.4, top=0.85, bottom=0.45, gap=(0.1, 0.3))
    with open_diagram(path, size, ("Stake history", note), synthetic, room) as every:
        panels = every[: len(histories)]
        for unused in every[len(histories) :]:
            unused.set_visible(False)
        limits = _limits(histories)
        for place, (axes, history) in enumerate(zip(panels, histories, strict=True)):
            _draw_history(axes, history, limits, (place + 1) % columns == 0 or place == len(panels) - 1)
            axes.tick_params(labelleft=place % columns == 0, labelbottom=place + columns >= len(panels))
        panels[0].get_figure().text(
            0.1 / size[0], 0.5, "cumulative balance (m w.e.), red", rotation=90, va="center", fontsize=8.5, color=LOSS
        )


def _limits(histories: Sequence[StakeSeries]) -> dict[str, tuple[Any, Any]]:
    """Ends of the scales that all panels have: days, cumulative balance (m w.e.), exposed length (m)."""
    parts = [part for history in histories for part in (*history.legs, *history.runs)]
    days = [day for days, *_ in parts for day in days] or [date(2000, 1, 1)]
    totals = [value for history in histories for _, *both in history.runs for value in (both[0] - both[1], sum(both))]
    lengths = [exposed[np.isfinite(exposed)] for history in histories for _, exposed in history.legs]
    low, high = (float(end(np.concatenate([*totals, [0.0]]))) for end in (np.min, np.max))
    margin = 0.06 * max(high - low, 0.1)
    # a margin of days, so that a single visit has an axis too
    return {
        "days": (min(days) - timedelta(days=90), max(days) + timedelta(days=90)),
        "balance": (low - margin, high + margin),
        "length": (0.0, 1.06 * float(np.max(np.concatenate([*lengths, [0.1]])))),
    }


def _draw_history(axes: Any, history: StakeSeries, limits: Mapping[str, tuple[Any, Any]], last_of_row: bool) -> None:
    """One panel; the last of a row has the scale of the exposed length. Scales are set, not shared: that is slow."""
    axes.set(xlim=limits["days"], ylim=limits["balance"], autoscale_on=False)
    if last_of_row:
        _draw_length_scale(axes, limits["length"])
    for days, exposed in history.legs:
        # brought onto the scale of the balance: axes of their own would take as long as the rest of the panel
        onto = np.interp(exposed, limits["length"], limits["balance"], np.nan, np.nan)
        axes.plot(days, onto, ".-", color=MUTED, linewidth=0.8, markersize=2.2, alpha=0.6, zorder=_BEHIND_GRID)
    for days, total, sigma in history.runs:
        axes.fill_between(days, total - sigma, total + sigma, color=LOSS, alpha=0.2, linewidth=0)
        axes.plot(days, total, "-", color=LOSS, linewidth=1.3)
    axes.axhline(0, color=INK, linewidth=0.6)
    axes.set_title(f"{plain_text(history.name)}, {history.elevation_m:.0f} m", loc="left", fontsize=7.5, pad=2)
    axes.tick_params(labelsize=7)
    axes.xaxis.set_major_locator(_UNTYPED_DATES.AutoDateLocator(minticks=2, maxticks=4))
    axes.xaxis.set_major_formatter(_UNTYPED_DATES.DateFormatter("%Y"))


def _draw_length_scale(axes: Any, limits_m: tuple[float, float]) -> None:
    """The scale of the exposed length at the right of a panel, behind it."""
    length = axes.twinx()
    length.set(ylim=limits_m, autoscale_on=False)
    length.grid(False)
    length.tick_params(labelsize=7, length=2)
    length.spines["right"].set_visible(True)
    length.xaxis.set_visible(False)
    axes.set_zorder(length.get_zorder() + 1)
    axes.patch.set_visible(False)


def _legs(readings: pd.DataFrame) -> Iterator[tuple[list[date], FloatArray]]:
    for _, leg in readings.sort_values(["leg", "date"], kind="stable").groupby("leg"):
        yield list(leg["date"]), pd.to_numeric(leg["exposed_m"]).to_numpy(float)


def _runs(balances: pd.DataFrame) -> Iterator[tuple[list[date], FloatArray, FloatArray]]:
    ordered = balances.sort_values(["begin_date", "end_date"], kind="stable")
    steps, sigmas = _numbers(ordered, "balance_m_we", "sigma_balance_m_we")
    total, variance = 0.0, 0.0
    days: list[date] = []
    sums: list[tuple[float, float]] = []
    for begin, end, step, sigma in zip(ordered["begin_date"], ordered["end_date"], steps, sigmas, strict=True):
        if days and begin < days[-1]:
            continue  # a leg read beside another one: the time is counted once
        if days and begin > days[-1]:
            yield _run(days, sums)
            days, sums = [], []
        if not days:
            days, sums = [begin], [(total, variance)]
        total += float(step)
        variance += float(np.nan_to_num(sigma)) ** 2
        days.append(end)
        sums.append((total, variance))
    if days:
        yield _run(days, sums)


def _run(days: list[date], sums: list[tuple[float, float]]) -> tuple[list[date], FloatArray, FloatArray]:
    values = np.array(sums)
    return days, values[:, 0], np.sqrt(values[:, 1])


# --- methods and errors ------------------------------------------------------------------------------------------


def draw_methods(path: Path, result: MassBalance, synthetic: bool) -> None:
    """Annual balance by every method, and the standard deviation of the published one by source.

    Errors
    ------
    ValueError : no year has a balance.
    """
    years = [year for year in result.years if year.annual_m_we is not None]
    if not years:
        raise ValueError("no year with a balance to draw")
    at = np.array([year.year for year in years], float)
    methods = sorted({name for year in years for name, value in year.by_method.items() if value is not None})
    sources = sorted({name for year in years for name in year.budget} - _NO_SOURCES)
    note = "each method less the published balance; grey: one standard deviation of the published one"
    room = Panels(rows=1 + bool(sources), gap=(0.0, 0.3))
    with open_diagram(path, (7.2, 5.8 if sources else 3.6), ("Methods and errors", note), synthetic, room) as panels:
        _draw_differences(panels[0], years, at, methods)
        if sources:
            _draw_budget(panels[1], years, at, sources)
            panels[0].sharex(panels[1])
            panels[0].tick_params(labelbottom=False)
        panels[-1].set(xlabel="mass-balance year")
        panels[-1].xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))


def _draw_differences(axes: Any, years: Sequence[BalanceYear], at: FloatArray, methods: Sequence[str]) -> None:
    published = np.array([year.annual_m_we for year in years], float)
    sigma = np.array([np.nan if year.sigma_annual_m_we is None else year.sigma_annual_m_we for year in years], float)
    axes.bar(at, 2 * sigma, 0.7, -sigma, color=_AREA_COLOUR)
    axes.axhline(0, color=INK, linewidth=0.8)
    for place, method in enumerate(methods):
        values = np.array(
            [np.nan if year.by_method.get(method) is None else year.by_method[method] for year in years], float
        )
        shift = 0.5 * (place - (len(methods) - 1) / 2) / max(1, len(methods))
        marker = "osD^v<>pX*"[place % 10]
        axes.plot(
            at + shift,
            values - published,
            marker,
            color=_DISTINCT[place % 10],
            markersize=4.5,
            label=method.replace("_", " "),
        )
    axes.set(ylabel="difference (m w.e.)")
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * (high - low))  # room for the legend
    axes.legend(loc="upper left", ncols=5)


def _draw_budget(axes: Any, years: Sequence[BalanceYear], at: FloatArray, sources: Sequence[str]) -> None:
    """Bars of the sources' variances, scaled so that their sum is the total standard deviation."""
    parts = np.array([[year.budget.get(source, 0.0) for source in sources] for year in years], float)
    total = np.sqrt((parts**2).sum(axis=1))
    floor = np.zeros(len(years))
    for place, source in enumerate(sources):
        height = np.divide(parts[:, place] ** 2, total, out=np.zeros_like(total), where=total > 0)
        axes.bar(at, height, 0.6, floor, color=_DISTINCT[place % 10], label=source, alpha=0.85)
        floor += height
    axes.set(ylabel="σ (m w.e.)")
    axes.set_ylim(0, 1.45 * max(float(total.max()), 1e-9))  # room for the legend
    axes.legend(
        loc="upper left", ncols=5, title="σ of the annual balance, parted by share of the variance", title_fontsize=8
    )


def _of_year(table: pd.DataFrame, year: int) -> pd.DataFrame:
    chosen: pd.DataFrame = table[table["year"] == year]
    return chosen


def _numbers(table: pd.DataFrame, *names: str) -> tuple[FloatArray, ...]:
    return tuple(pd.to_numeric(table[name], errors="coerce").to_numpy(float) for name in names)
