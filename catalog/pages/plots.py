"""Plots of quality and results for the pages, as plain coordinates with the table they were drawn from."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from catalog.archive import INDEX_HTML, ByKind, Dataset, Item, balance_item_id
from catalog.formats import measured, signed
from catalog.pages.drawings import Tick
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.glacier_wide import cumulative_balance
from pipeline.mass_balance.result import BalanceYear, MassBalance
from schemas.definition import Bilingual

LEFT, RIGHT, TOP, BOTTOM = 44.0, 4.0, 12.0, 24.0
_STEPS = tuple(base * 10.0**power for power in range(-3, 5) for base in (1, 2, 5))
_TICKS = 4
_LABEL_WIDTH = 44.0
_SMALL, _WIDE = (400.0, 190.0), (880.0, 250.0)
ATTRIBUTES = {
    "slope": Bilingual(en="NMAD by slope", cn="各坡度的NMAD"),
    "aspect": Bilingual(en="NMAD by aspect", cn="各坡向的NMAD"),
    "elevation": Bilingual(en="NMAD by elevation", cn="各海拔的NMAD"),
    "curvature": Bilingual(en="NMAD by maximum curvature", cn="各最大曲率的NMAD"),
}
_UNITS = {
    "slope": Bilingual(en=" (degrees)", cn="（度）"),
    "aspect": Bilingual(en=" (degrees from north)", cn="（自北起的度数）"),
    "elevation": Bilingual(en=" (m)", cn="（米）"),
    "curvature": Bilingual(en=" (per 100 m)", cn="（每100米）"),
}

Number = float | None


@dataclass(frozen=True, kw_only=True)
class Series:
    """Values over the categories of a plot.

    Attributes
    ----------
    kind : ``bars`` from zero (red below it, blue above), ``line`` with points, or ``area``, a share of the height.
    style : ``a`` red, ``b`` blue, ``c`` ochre.
    values, sigmas : one a category, None where there is none; an empty ``sigmas`` draws no whiskers.
    """

    name: Bilingual
    kind: Literal["bars", "line", "area"]
    style: Literal["a", "b", "c"]
    values: tuple[Number, ...]
    sigmas: tuple[Number, ...] = ()
    decimals: int = 2


@dataclass(frozen=True, kw_only=True)
class PlotMark:
    """A bar (``height`` above zero), a point (``height`` zero), or a whisker from ``low`` to ``high`` on top of it."""

    shape: Literal["bar", "point", "area"]
    style: str
    middle: float
    top: float
    height: float
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class Category:
    """All marks of one category, the strip that shows its text, and where it leads."""

    label: str
    middle: float
    text: str
    href: str
    labelled: bool
    thin: bool
    marks: tuple[PlotMark, ...]


@dataclass(frozen=True, kw_only=True)
class Plot:
    """One plot: what it shows, its axis, its marks by category, its lines, and its table (header, rows).

    One of ``quality`` tells of the data's, not of the glaciers.
    """

    title: Bilingual
    note: Bilingual
    unit: str
    width: float
    height: float
    spacing: float
    bar_width: float
    zero: float | None
    ticks: tuple[Tick, ...]
    categories: tuple[Category, ...]
    lines: tuple[tuple[str, str], ...]
    key: tuple[tuple[str, Bilingual], ...]
    header: tuple[Bilingual, ...]
    rows: tuple[tuple[str, ...], ...]
    wide: bool
    quality: bool = False


def plots_of(dataset: Dataset, items: Sequence[Item]) -> tuple[Plot, ...]:
    """The plots of a collection's page; those whose numbers are missing are left out."""
    if dataset.pairs:
        return tuple(_titled(plot, part.pair) for part in dataset.pairs for plot in plots_of(part, items))
    return tuple(_PLOTS(dataset.result, {item.item_id for item in items}))


def plots_of_result(result: ElevationChange | MassBalance) -> tuple[Plot, ...]:
    """The plots of a result that is no part of an archive: nothing in them leads anywhere."""
    return tuple(_PLOTS(result, set()))


def _titled(plot: Plot, pair: str) -> Plot:
    """The plot of one of several pairs of DEMs, its years in the title."""
    years = pair.replace("-", "\N{EN DASH}")
    return replace(plot, title=Bilingual(en=f"{plot.title.en}, {years}", cn=f"{plot.title.cn}，{years}"))


def draw(
    title: Bilingual,
    unit: str,
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    note: Bilingual | None = None,
    links: Sequence[str] = (),
    wide: bool = False,
    head: Bilingual | None = None,
) -> Plot:
    """Lay out series over categories of equal width.

    Errors
    ------
    ValueError : a series of another length than the categories, or nothing to draw.
    """
    if any(len(one.values) != len(labels) for one in series):
        raise ValueError(f"{title.en}: series of other lengths than the {len(labels)} categories")
    width, height = _WIDE if wide else _SMALL
    y_of, ticks, zero = _axis([one for one in series if one.kind != "area"], height)
    spacing = (width - LEFT - RIGHT) / len(labels)
    every = max(1, math.ceil(_LABEL_WIDTH / spacing))
    sparse = max(every, math.ceil(2.2 * _LABEL_WIDTH / spacing))
    middles = [round(LEFT + (k + 0.5) * spacing, 2) for k in range(len(labels))]
    categories = tuple(
        Category(
            label=label,
            middle=middles[k],
            text=f"{label}: {', '.join(_told(one, k, unit) for one in series)}",
            href=links[k] if links else "",
            labelled=k % every == 0,
            thin=k % sparse != 0,
            marks=tuple(mark for one in series if (mark := _mark(one, k, middles[k], y_of, height)) is not None),
        )
        for k, label in enumerate(labels)
    )
    return Plot(
        title=title,
        note=note or Bilingual(en=""),
        unit=unit,
        width=width,
        height=height,
        spacing=round(spacing, 2),
        bar_width=round(min(34.0, 0.62 * spacing), 2),
        zero=zero,
        ticks=ticks,
        categories=categories,
        lines=tuple(_lines([one for one in series if one.kind == "line"], middles, y_of)),
        key=tuple((one.style if one.kind != "area" else "area", one.name) for one in series) if len(series) > 1 else (),
        header=(head or Bilingual(en="Class", cn="分级"), *(one.name for one in series)),
        rows=tuple((label, *(_told(one, k, "") for one in series)) for k, label in enumerate(labels)),
        wide=wide,
    )


def _axis(series: Sequence[Series], height: float) -> tuple[Callable[[float], float], tuple[Tick, ...], float | None]:
    """The vertical scale over all values with their whiskers, from zero unless all lie far from it."""
    reach = [
        value + side * (sigma or 0.0)
        for one in series
        for value, sigma in zip(one.values, one.sigmas or (None,) * len(one.values), strict=True)
        if value is not None
        for side in (-1, 1)
    ]
    if not reach:
        raise ValueError("a plot without any value")
    low, high = min(reach), max(reach)
    if any(one.kind == "bars" for one in series) or low * high <= 0 or (high - low) > 0.5 * max(abs(low), abs(high)):
        low, high = min(0.0, low), max(0.0, high)
    step = next((step for step in _STEPS if (high - low) / step <= _TICKS + 1), _STEPS[-1])
    low = math.floor(low / step + 1e-9) * step
    high = max(math.ceil(high / step - 1e-9) * step, low + step)
    scale = (height - TOP - BOTTOM) / (high - low)

    def y_of(value: float) -> float:
        return round(TOP + (high - value) * scale, 2)

    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    count = round((high - low) / step)
    ticks = tuple(Tick(y_of(low + k * step), signed(low + k * step, decimals)) for k in range(count + 1))
    return y_of, ticks, y_of(0.0) if low <= 0 <= high else None


def _mark(one: Series, index: int, middle: float, y_of: Callable[[float], float], height: float) -> PlotMark | None:
    value = one.values[index]
    if value is None:
        return None
    sigma = one.sigmas[index] if one.sigmas else None
    low, high = (None, None) if sigma is None else (y_of(value - sigma), y_of(value + sigma))
    if one.kind == "area":
        largest = max(abs(other) for other in one.values if other is not None) or 1.0
        size = round(0.45 * (height - TOP - BOTTOM) * abs(value) / largest, 2)
        return PlotMark(
            shape="area",
            style="area",
            middle=middle,
            top=round(height - BOTTOM - size, 2),
            height=size,
            low=None,
            high=None,
        )
    if one.kind == "line":
        return PlotMark(shape="point", style=one.style, middle=middle, top=y_of(value), height=0.0, low=low, high=high)
    size = round(abs(y_of(value) - y_of(0.0)), 2)
    return PlotMark(
        shape="bar",
        style="gain" if value >= 0 else "loss",
        middle=middle,
        top=y_of(max(value, 0.0)),
        height=size,
        low=low,
        high=high,
    )


def _lines(
    series: Sequence[Series], middles: Sequence[float], y_of: Callable[[float], float]
) -> Iterator[tuple[str, str]]:
    """Style and points of each line; a missing value breaks it."""
    for one in series:
        run: list[str] = []
        for middle, value in zip((*middles, 0.0), (*one.values, None), strict=True):
            if value is not None:
                run.append(f"{middle:g},{y_of(value):g}")
            elif run:
                yield one.style, " ".join(run)
                run = []


def _told(one: Series, index: int, unit: str) -> str:
    value = one.values[index]
    sigma = one.sigmas[index] if one.sigmas else None
    text = measured(value, sigma, one.decimals)
    return f"{text} {unit}".strip() if unit and one.kind != "area" else text


# --- what is plotted ----------------------------------------------------------------------------------------------


def _of_elevation_change(result: ElevationChange, _: set[str]) -> Iterator[Plot]:
    bands = result.tables.get("elevation_bands")
    if bands is not None:
        whole = bands[bands["glacier_id"].astype(str) == "all"]
        if len(whole) and whole["mean_dh_m"].notna().any():
            yield _by_elevation(whole)
    accuracy = result.tables.get("accuracy")
    if accuracy is not None:
        for attribute, title in ATTRIBUTES.items():
            classes = accuracy[accuracy["class"] == attribute]
            if {"raw", "corrected"} <= set(classes["step"]) and classes["nmad_m"].notna().any():
                yield _by_class(classes, attribute, title)


def _by_elevation(bands: pd.DataFrame) -> Plot:
    low, high = (bands[name].astype(float) for name in ("lower_m", "upper_m"))
    return draw(
        Bilingual(en="Elevation change by elevation", cn="高程变化随海拔的分布"),
        "m",
        [f"{value:g}" for value in (low + high) / 2],
        [
            Series(
                name=Bilingual(en="glacier area, km²", cn="冰川面积（km²）"),
                kind="area",
                style="b",
                values=_numbers(bands["area_km2"]),
            ),
            Series(
                name=Bilingual(en="mean elevation change, m", cn="平均高程变化（m）"),
                kind="line",
                style="a",
                values=_numbers(bands["mean_dh_m"]),
                sigmas=_numbers(bands["sigma_mean_dh_m"]),
            ),
        ],
        note=Bilingual(
            en="All glaciers together, by the middle of each band, m above sea level; one standard deviation.",
            cn="全部冰川，横轴为各高程带中值（海拔 m）；误差线为一倍标准差。",
        ),
        wide=True,
        head=Bilingual(en="Elevation, m", cn="海拔（m）"),
    )


def _by_class(classes: pd.DataFrame, attribute: str, title: Bilingual) -> Plot:
    by_step = {step: rows.set_index("lower") for step, rows in classes.groupby("step")}
    raw, corrected = by_step["raw"].sort_index(), by_step["corrected"].reindex(by_step["raw"].sort_index().index)
    decimals = 0 if attribute != "curvature" else 2
    labels = [signed(float(low), decimals).replace(",", "") for low in raw.index]
    drawn = draw(
        title,
        "m",
        labels,
        [
            Series(
                name=Bilingual(en="as delivered", cn="原始"), kind="line", style="a", values=_numbers(raw["nmad_m"])
            ),
            Series(
                name=Bilingual(en="corrected", cn="校正后"),
                kind="line",
                style="b",
                values=_numbers(corrected["nmad_m"]),
            ),
        ],
        note=Bilingual(
            en=f"Elevation difference over stable terrain, by the lower end of each class{_UNITS[attribute].en}.",
            cn=f"稳定地形高程差，横轴为各级下限{_UNITS[attribute].cn}。",
        ),
    )
    return replace(drawn, quality=True)


def _of_mass_balance(result: MassBalance, known: set[str]) -> Iterator[Plot]:
    years = [year for year in result.years if year.annual_m_we is not None]
    if not years:
        return
    labels = [str(year.year) for year in years]
    links = [_link(year, known) for year in years]
    head = Bilingual(en="Year", cn="年份")
    shared: dict[str, Any] = {"links": links, "head": head}
    yield draw(
        Bilingual(en="Annual balance", cn="年物质平衡"), "m w.e.", labels,
        [_series("annual balance", "年平衡", "bars", "a", years, "annual_m_we", "sigma_annual_m_we")],
        note=Bilingual(en="Glacier-wide, m w.e.; the whiskers are one standard deviation. A year leads to its map.",
                       cn="全冰川平均（m w.e.）；误差线为一倍标准差。点击年份查看分布图。"),
        wide=True, **shared,
    )  # fmt: skip
    running = {entry.year: entry for entry in cumulative_balance(result.years)}
    total = tuple(running[year.year].balance_m_we if year.year in running else None for year in years)
    error = tuple(running[year.year].sigma_m_we if year.year in running else None for year in years)
    if any(value is not None for value in total):
        name = Bilingual(en="cumulative balance, m w.e.", cn="累积物质平衡（m w.e.）")
        yield draw(
            Bilingual(en="Cumulative balance", cn="累积物质平衡"), "m w.e.", labels,
            [Series(name=name, kind="line", style="b", values=total, sigmas=error)], **shared,
        )  # fmt: skip
    if any(year.winter_m_we is not None for year in years):
        yield draw(
            Bilingual(en="Winter and summer balance", cn="冬平衡与夏平衡"), "m w.e.", labels,
            [
                _series("winter", "冬", "line", "b", years, "winter_m_we", "sigma_winter_m_we"),
                _series("summer", "夏", "line", "a", years, "summer_m_we", "sigma_summer_m_we"),
            ],
            **shared,
        )  # fmt: skip
    if any(year.ela_m is not None for year in years):
        ela = _series("equilibrium line", "平衡线", "line", "c", years, "ela_m", "sigma_ela_m", decimals=0)
        yield draw(Bilingual(en="Equilibrium-line altitude", cn="平衡线高度"), "m", labels, [ela], **shared)
    if any(year.aar is not None for year in years):
        aar = _series("accumulation-area ratio", "积累区比率", "bars", "b", years, "aar", "sigma_aar")
        yield draw(Bilingual(en="Accumulation-area ratio", cn="积累区比率"), "", labels, [aar], **shared)


_PLOTS: ByKind[[set[str]], Iterator[Plot]] = ByKind(
    elevation_change=_of_elevation_change, mass_balance=_of_mass_balance
)


def _series(
    en: str, cn: str, kind: Literal["bars", "line"], style: Literal["a", "b", "c"], years: Sequence[BalanceYear],
    value: str, sigma: str, decimals: int = 2,
) -> Series:  # fmt: skip
    return Series(
        name=Bilingual(en=en, cn=cn),
        kind=kind,
        style=style,
        values=tuple(getattr(year, value) for year in years),
        sigmas=tuple(getattr(year, sigma) for year in years) if sigma else (),
        decimals=decimals,
    )


def _link(year: BalanceYear, known: set[str]) -> str:
    item_id = balance_item_id(year.year)
    return f"{item_id}/{INDEX_HTML}" if item_id in known else ""


def _numbers(column: pd.Series[Any]) -> tuple[Number, ...]:
    return tuple(None if pd.isna(value) else float(value) for value in column)
