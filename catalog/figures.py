"""Pictures of both datasets: light PNG files, the same bytes for the same numbers; no science is done here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import pandas as pd
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from PIL import Image
from pyproj import CRS, Transformer
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import uniform_filter
from shapely.geometry.base import BaseGeometry

from catalog.cogs import VISUAL_NODATA
from catalog.colours import (
    ACCENT,
    GAIN,
    INK,
    LOSS,
    MUTED,
    NEUTRAL,
    PAPER,
    SUMMER_COLOUR,
    WINTER_COLOUR,
    RgbArray,
    amount_map,
    change_map,
    hillshade,
    paint,
    symmetric_limit,
)
from pipeline.elevation_change.result import GLACIER, ElevationChange
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.mass_balance.cumulative import cumulative_balance
from pipeline.mass_balance.result import BalanceField, BalanceYear, Isoline, MassBalance

FIGURES = "figures"
THUMBNAIL_PIXELS = 580  # STAC asks for less than 600
SYNTHETIC_NOTE = "SYNTHETIC SAMPLE — not observations"

_DPI, _MAP_DPI = 150, 120
# Any: matplotlib types its parameter names one by one
_STYLE: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same letters on every machine
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in a glacier's name is no formula
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e3e7eb",
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "path.simplify": True,
}
_UNTYPED_RENDERER: Any = RendererAgg
_HALO = [withStroke(linewidth=2.2, foreground=PAPER)]
_STEPS = {
    "raw": ("as they come", MUTED),
    "coregistered": ("co-registered", ACCENT),
    "corrected": ("and curvature-corrected", GAIN),
}


@dataclass(frozen=True)
class Backdrop:
    """A picture with the corners of its pixels: RGB 0-255, (west, east, south, north) in metres."""

    rgb: RgbArray
    extent: tuple[float, float, float, float]


# --- elevation change --------------------------------------------------------------------------------------------


def change_limit(result: ElevationChange) -> float:
    """End of the colour scale (m): what holds 98 % of the glacier pixels, or of all where no glacier is known."""
    on_glaciers = result.dh_m[result.classification == GLACIER]
    return symmetric_limit(on_glaciers if np.isfinite(on_glaciers).any() else result.dh_m)


def change_composite(result: ElevationChange, limit: float) -> RgbArray:
    """Elevation change over shaded relief, uint8 (3, rows, columns), 0 where neither is known.

    Glaciers carry the full colour, everything else a hint of it.
    """
    shade = hillshade(result.surface_m, result.grid.pixel_size)
    glacier = result.classification == GLACIER
    known = np.isfinite(result.dh_m)
    relief = np.where(np.isfinite(shade), 0.45 + 0.55 * shade, 0.9).astype(np.float32)
    strength = np.where(known, np.where(glacier, 1.0, 0.16), 0.0).astype(np.float32)
    # colours on glaciers are shaded lightly, so that they can still be read off the scale
    light = np.where(glacier & known, 0.8 + 0.2 * relief, relief)
    nothing = ~np.isfinite(shade) & ~known
    colours = paint(result.dh_m, limit)
    rgb = np.empty((3, *nothing.shape), np.uint8)
    for band in range(3):
        value = (1 - strength + strength * colours[..., band]) * light
        # a drawn pixel is at least 1: 0 is kept for "nothing here"
        rgb[band] = np.where(nothing, VISUAL_NODATA, np.clip(np.rint(value * 255), 1, 255))
    return rgb


def with_outlines(picture: RgbArray, result: ElevationChange) -> RgbArray:
    """The composite with the glacier outlines burnt in, one pixel wide."""
    burnt = picture.copy()
    for band, shade in enumerate((25, 30, 38)):
        burnt[band][_burnt_outlines(result)] = shade
    return burnt


def draw_change_map(
    path: Path, result: ElevationChange, title: str, synthetic: bool, composite: RgbArray | None = None
) -> None:
    """Map of the elevation change with outlines; where glaciers are small on it, a window is shown larger below.

    ``composite`` spares making it anew, where the caller has it.
    """
    picture = change_composite(result, change_limit(result)) if composite is None else composite
    window = _densest_window(result)
    shapes = [result.grid.shape[0] / result.grid.shape[1], *([_aspect(window)] if window else [])]
    with _map_figure(path, 10.0, shapes) as (figure, panels, scale):
        _show(panels[0], _reduced(picture, result.grid, 1100), result.grid)
        _lines(panels[0], _boundaries(result), INK, 0.35)
        if window:
            _draw_window(panels, picture, result, window)
        _colour_bar(figure, scale, change_limit(result), "elevation change (m), later minus earlier")
        _head(figure, panels[0], title, _change_summary(result), synthetic)


def draw_change_thumbnail(
    path: Path, result: ElevationChange, title: str, synthetic: bool, composite: RgbArray | None = None
) -> None:
    """A small map with its colour bar, below 600 pixels on either side; ``composite`` as for the map."""
    picture = change_composite(result, change_limit(result)) if composite is None else composite
    rows, columns = result.grid.shape
    backdrop = _reduced(picture, result.grid, 1160)
    lines = [(geometry, 0.45 if columns < 1000 else 0.3) for geometry in _boundaries(result)]
    scale = (change_limit(result), "elevation change (m)")
    _draw_thumbnail(path, backdrop, rows / columns, title, synthetic, scale, lines)


def draw_histogram(path: Path, numbers: Mapping[str, Any], synthetic: bool) -> None:
    """Distribution of the elevation difference over stable terrain after each step."""
    edges = np.asarray(numbers["edges_m"], float)
    with _figure(path, (6.4, 3.8)) as figure:
        axes = figure.add_subplot()
        for step, (label, colour) in _STEPS.items():
            if numbers.get(step) is None:
                continue
            counts = np.asarray(numbers[step], float)
            density = counts / max(float((counts * np.diff(edges)).sum()), 1e-12)
            axes.stairs(density, edges, color=colour, linewidth=1.6, label=label, fill=False)
            if step == "corrected":
                axes.stairs(density, edges, color=colour, alpha=0.15, fill=True)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.set(xlabel="elevation difference over stable terrain (m)", ylabel="density (1/m)", ylim=(0, None))
        axes.set_xlim(edges[0], edges[-1])
        axes.legend(loc="upper right")
        _head(figure, axes, "Stable terrain before and after correction", "", synthetic)


def draw_aspect(path: Path, numbers: Mapping[str, Any], synthetic: bool) -> None:
    """The cosine relation of aspect and elevation difference (Nuth and Kaab, 2011, eq. 3) before and after."""
    aspect = np.asarray(numbers["bin_centre_deg"], float)
    a, b, c = (float(numbers[key]) for key in ("fit_a", "fit_b_deg", "fit_c"))
    with _figure(path, (6.4, 3.8)) as figure:
        axes = figure.add_subplot()
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.plot(aspect, numbers["before"], "o", color=MUTED, markersize=3.5, label="before")
        fine = np.linspace(0, 360, 361)
        label = f"{a:.1f} m · cos({b:.0f}° − aspect) {'+' if c >= 0 else '−'} {abs(c):.1f} m"
        axes.plot(fine, a * np.cos(np.radians(b - fine)) + c, color=ACCENT, linewidth=1.8, label=label)
        axes.plot(aspect, numbers["after"], "s", color=GAIN, markersize=3, label="after co-registration")
        axes.set(xlabel="aspect (degrees from north)", ylabel="median of dh / tan(slope) (m)", xlim=(0, 360))
        axes.set_xticks(range(0, 361, 45), ["N", "NE", "E", "SE", "S", "SW", "W", "NW", "N"])
        axes.legend(loc="best")
        _head(figure, axes, "Horizontal offset seen in the aspect", "", synthetic)


def draw_curvature(path: Path, numbers: Mapping[str, Any], synthetic: bool) -> None:
    """Elevation difference against maximum curvature (Gardelle et al., 2012) before and after."""
    with _figure(path, (6.4, 3.8)) as figure:
        axes = figure.add_subplot()
        axes.axhline(0, color=INK, linewidth=0.8)
        centre = np.asarray(numbers["centre_per_100m"], float)
        axes.plot(centre, numbers["before_m"], "o-", color=ACCENT, markersize=3.5, linewidth=1.4, label="before")
        axes.plot(centre, numbers["after_m"], "s-", color=GAIN, markersize=3, linewidth=1.4, label="after")
        axes.set(xlabel="maximum curvature (per 100 m)", ylabel="median elevation difference (m)")
        axes.legend(loc="best")
        _head(figure, axes, "Resolution effect over stable terrain", "", synthetic)


def draw_variogram(path: Path, numbers: Mapping[str, Any], synthetic: bool) -> None:
    """Empirical variogram of the standardised residuals and its model."""
    lag_km = np.asarray(numbers["lag_m"], float) / 1000
    with _figure(path, (6.4, 3.8)) as figure:
        axes = figure.add_subplot()
        axes.semilogx(lag_km, numbers["empirical"], "o", color=MUTED, markersize=4, label="stable terrain")
        if numbers.get("model") is not None:
            axes.semilogx(lag_km, numbers["model"], color=GAIN, linewidth=1.8, label="model")
        axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
        axes.set(xlabel="distance (km)", ylabel="semivariance of standardised residuals", ylim=(0, None))
        axes.legend(loc="lower right")
        _head(figure, axes, "How far errors are correlated", "", synthetic)


def draw_hypsometry(path: Path, bands: pd.DataFrame, synthetic: bool) -> None:
    """Mean change and area of the region's elevation bands; ``bands`` as the table ``elevation_bands``."""
    region = bands[bands["glacier_id"] == "all"].sort_values("lower_m")
    middle = (region["lower_m"] + region["upper_m"]).to_numpy(float) / 2
    height = (region["upper_m"] - region["lower_m"]).to_numpy(float)
    mean = region["mean_dh_m"].to_numpy(float)
    sigma = region["sigma_mean_dh_m"].to_numpy(float)
    with _figure(path, (6.4, 4.4)) as figure:
        axes = figure.add_subplot()
        area = axes.twiny()
        area.barh(middle, region["area_km2"].to_numpy(float), height * 0.92, color="#e4e9ee")
        area.set(xlabel="glacier area (km²)")
        area.grid(False)
        area.spines["top"].set_visible(True)
        axes.set_zorder(area.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.fill_betweenx(middle, mean - sigma, mean + sigma, color=LOSS, alpha=0.18, linewidth=0, label="± 1 σ")
        axes.plot(mean, middle, "o-", color=LOSS, markersize=3.5, linewidth=1.6, label="mean change")
        axes.set(xlabel="elevation change (m)", ylabel="elevation (m)")
        axes.legend(loc="lower right")
        _head(figure, axes, "Elevation change by elevation", "", synthetic, above=area)


# --- mass balance ------------------------------------------------------------------------------------------------


def balance_limit(result: MassBalance) -> float:
    """End of the colour scale (m w.e.), the same for every year so that maps can be compared."""
    fields = [year.field.balance_m_we.ravel() for year in result.years if year.field is not None]
    return symmetric_limit(np.concatenate(fields), 0.995) if fields else 1.0


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


def draw_balance_map(path: Path, result: MassBalance, year: BalanceYear, title: str, synthetic: bool) -> None:
    """Isolines of the annual balance over shaded relief, with the points and the equilibrium line.

    Errors
    ------
    ValueError : the year has no balance field.
    """
    field = year.field
    if field is None:
        raise ValueError(f"{year.year}: no balance field to draw")
    limit = balance_limit(result)
    points = annual_points(result, year.year, field.grid.crs)
    west, south, east, north = _window_of(result.outline, field.grid)
    shape = (north - south) / (east - west)
    with _map_figure(path, 7.4 if shape < 1.3 else 6.4, [shape]) as (figure, (axes,), scale):
        _show(axes, _balance_backdrop(field, limit), field.grid)
        _outline(axes, result.outline)
        _draw_isolines(axes, field, year, points)
        _draw_points(axes, points)
        axes.set(xlim=(west, east), ylim=(south, north))
        _colour_bar(figure, scale, limit, "annual balance (m w.e.)")
        _head(figure, axes, title, _balance_summary(year), synthetic)


def draw_balance_thumbnail(
    path: Path, result: MassBalance, year: BalanceYear, field: BalanceField, synthetic: bool
) -> None:
    """A small map of the balance with its colour bar, below 600 pixels on either side."""
    limit = balance_limit(result)
    rows, columns = field.grid.shape
    lines = [(line.geometry, 1.6 if line.balance_m_we == 0 else 0.5) for line in field.isolines if _is_half(line)]
    _draw_thumbnail(
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


def draw_balance_profiles(path: Path, result: MassBalance, synthetic: bool) -> None:
    """Balance against elevation: zones of each year as lines, points as dots."""
    zones, points = result.tables["zone_balances"], result.tables["point_balances"]
    annual = points[points["period"] == "annual"]
    years = [year.year for year in result.years]
    scale = Normalize(min(years) - 1, max(years) + 1)
    colours = amount_map()
    with _figure(path, (7.2, 5.0)) as figure:
        axes = figure.add_subplot()
        axes.axvline(0, color=INK, linewidth=0.8)
        for year in years:
            here = annual[annual["year"] == year]
            axes.plot(
                here["balance_m_we"], here["elevation_m"], "o", color=colours(scale(year)), markersize=3, alpha=0.7
            )
            band = zones[zones["year"] == year].sort_values("lower_m")
            middle = (band["lower_m"].astype(float) + band["upper_m"].astype(float)) / 2
            axes.plot(band["annual_balance_m_we"].astype(float), middle, color=colours(scale(year)), linewidth=1.4)
        axes.set(xlabel="annual balance (m w.e.)", ylabel="elevation (m)")
        mappable = mpl.cm.ScalarMappable(scale, colours)
        figure.colorbar(mappable, ax=axes, label="mass-balance year", ticks=years[:: max(1, len(years) // 6)])
        _head(figure, axes, "Balance against elevation", "lines: elevation zones; dots: stakes and pits", synthetic)


# --- parts shared by the drawings --------------------------------------------------------------------------------


@contextmanager
def _figure(path: Path, size: tuple[float, float], *, map_of: bool = False, dpi: int = _DPI) -> Iterator[Figure]:
    """A figure that is saved on leaving; the reader's own matplotlib settings are set aside.

    Maps place their axes themselves, for their shape is given; everything else is laid out by matplotlib.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=size, dpi=dpi, layout=None if map_of else "constrained")
        canvas: Any = FigureCanvasAgg(figure)  # its methods carry no types
        yield figure
        _save(canvas, path, few_colours=not map_of)


def _save(canvas: Any, path: Path, few_colours: bool) -> None:
    """Write a PNG without the name of the writing software; a palette makes a drawing a third of its size."""
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    if few_colours:  # never a picture with a colour scale: a palette would put steps into it
        picture = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    picture.save(path, compress_level=7)  # the highest level takes twice as long for one per cent


def _head(figure: Figure, axes: Any, title: str, subtitle: str, synthetic: bool, above: Any = None) -> None:
    """Title and subtitle over the axes, and the word synthetic where the data are."""
    top = above or axes
    text, size = _fitted(_plain(title), 0.9 * figure.get_figwidth() * 72, 11.5)
    top.set_title(f"{text}\n" if subtitle else text, loc="left", fontsize=size, fontweight="bold")
    if subtitle:
        axes.annotate(
            subtitle, (0, 1), (0, 7), "axes fraction", textcoords="offset points", fontsize=8.5, color=NEUTRAL
        )
    if synthetic:
        figure.text(
            0.995, 0.004, SYNTHETIC_NOTE, ha="right", va="bottom", fontsize=7.5, fontweight="bold", color="#9a5b12"
        )
        strip = 0.16 / figure.get_figheight()
        engine = figure.get_layout_engine()
        if isinstance(engine, ConstrainedLayoutEngine):  # keeps the axes off the note
            engine.set(rect=(0, strip, 1, 1 - strip))


def _colour_bar(figure: Figure, axes: Any, limit: float, label: str) -> None:
    mappable = mpl.cm.ScalarMappable(Normalize(-limit, limit), change_map())
    bar = figure.colorbar(mappable, cax=axes, orientation="horizontal", extend="both", extendfrac=0.03)
    bar.set_label(label)
    bar.outline.set_visible(False)


@contextmanager
def _map_figure(path: Path, width: float, shapes: Sequence[float]) -> Iterator[tuple[Figure, list[Any], Any]]:
    """A figure with one map below the other, each of the given height over width, and the axes of a colour bar."""
    left, right, top, bottom, gap = 0.8, 0.15, 0.62, 1.25, 0.55  # inches
    heights = [(width - left - right) * shape for shape in shapes]
    total = top + sum(heights) + gap * (len(heights) - 1) + bottom
    with _figure(path, (width, total), map_of=True, dpi=_MAP_DPI) as figure:
        panels, ceiling = [], total - top
        for height in heights:
            panels.append(
                figure.add_axes(
                    (left / width, (ceiling - height) / total, (width - left - right) / width, height / total)
                )
            )
            ceiling -= height + gap
        yield figure, panels, figure.add_axes((0.22, 0.56 / total, 0.56, 0.14 / total))


def _draw_window(panels: Any, picture: RgbArray, result: ElevationChange, window: tuple[slice, slice]) -> None:
    rows, columns = window
    grid = result.grid
    t = grid.transform
    corner = Affine(t.a, 0, t.c + columns.start * t.a, 0, t.e, t.f + rows.start * t.e)
    part = Grid(grid.crs, corner, (rows.stop - rows.start, columns.stop - columns.start))
    west, south, east, north = part.bounds
    panels[0].add_patch(Rectangle((west, south), east - west, north - south, fill=False, edgecolor=INK, linewidth=1.1))
    _show(panels[1], _reduced(np.ascontiguousarray(picture[:, rows, columns]), part, 1100), part)
    _lines(panels[1], _boundaries(result), INK, 0.8)
    panels[1].set(xlim=(west, east), ylim=(south, north))


def _show(axes: Any, backdrop: Backdrop, grid: Grid) -> None:
    axes.imshow(backdrop.rgb, extent=backdrop.extent, interpolation="antialiased", aspect="equal")
    axes.grid(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    kilometres = mpl.ticker.FuncFormatter(lambda value, _: f"{value / 1000:g}")
    axes.xaxis.set_major_formatter(kilometres)
    axes.yaxis.set_major_formatter(kilometres)
    axes.locator_params(nbins=7)
    axes.tick_params(labelsize=7.5)
    axes.set_xlabel(f"easting (km), {CRS.from_user_input(grid.crs).name}", fontsize=8)
    axes.set_ylabel("northing (km)", fontsize=8)


def _draw_thumbnail(
    path: Path,
    backdrop: Backdrop,
    aspect: float,
    title: str,
    synthetic: bool,
    scale: tuple[float, str],
    lines: Sequence[tuple[BaseGeometry, float]] = (),
) -> None:
    """The picture with title above and colour bar below, its longer side ``THUMBNAIL_PIXELS``."""
    strip = 88  # pixels for title and colour bar
    width = min(THUMBNAIL_PIXELS, int((THUMBNAIL_PIXELS - strip) / aspect))
    height = round(width * aspect)
    total = height + strip
    with _figure(path, (width / 100, total / 100), map_of=True, dpi=100) as figure:
        axes = figure.add_axes((0, 50 / total, 1, height / total))
        axes.imshow(backdrop.rgb, extent=backdrop.extent, interpolation="antialiased", aspect="auto")
        axes.axis("off")
        for thickness in sorted({thickness for _, thickness in lines}):
            _lines(axes, [geometry for geometry, wide in lines if wide == thickness], INK, thickness)
        small = width < 420
        text, size = _fitted(_plain(title), 0.97 * width * 0.72, 11)
        if size < 8:  # two lines instead of letters too small to read
            halves = [_fitted(half, 0.97 * width * 0.72, 8.5) for half in _halved(_plain(title))]
            text, size = "\n".join(half for half, _ in halves), min(small for _, small in halves)
        figure.text(0.012, 1 - 19 / total, text, va="center", fontsize=size, fontweight="bold", linespacing=1.15)
        if synthetic:
            figure.text(
                0.988, 60 / total, "SYNTHETIC", ha="right", va="bottom", fontsize=9, fontweight="bold", color=PAPER,
                bbox={"boxstyle": "round,pad=0.3", "facecolor": "#9a5b12", "edgecolor": "none"},
            )  # fmt: skip
        limit, label = scale
        bar = figure.add_axes((0.03, 32 / total, 0.5 if small else 0.55, 10 / total))
        bar.imshow(np.linspace(0, 1, 256)[np.newaxis], cmap=change_map(), aspect="auto", extent=(-limit, limit, 0, 1))
        bar.set(yticks=[], xticks=[-limit, 0, limit])
        bar.grid(False)
        bar.tick_params(labelsize=8, length=2, pad=2)
        figure.text(0.56 if small else 0.62, 37 / total, label, va="center", fontsize=8 if small else 9)


def _draw_isolines(axes: Any, field: BalanceField, year: BalanceYear, points: pd.DataFrame) -> None:
    occupied = points[["easting", "northing"]].to_numpy(float)
    # a stake's value stands to its right
    step = 0.05 * (field.grid.bounds[2] - field.grid.bounds[0])
    beside = np.vstack([occupied + np.array([steps * step, 0.0]) for steps in range(3)])
    for line in field.isolines:
        zero = line.balance_m_we == 0
        _lines(axes, [line.geometry], INK, 2.0 if zero else (0.8 if _is_half(line) else 0.3))
        if not _is_half(line):
            continue
        text = f"{line.balance_m_we:+.1f}".replace("-", "−")
        if zero:
            on_glacier = year.ela_m is not None and year.ela_position == "="
            text = f"0 (ELA {year.ela_m:.0f} m)" if on_glacier else "0"
        _label_line(axes, line.geometry, text, zero, beside)


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
        fontweight="bold" if bold else "normal", path_effects=_HALO, clip_on=True,
    )  # fmt: skip


def _draw_points(axes: Any, points: pd.DataFrame) -> None:
    axes.plot(points["easting"], points["northing"], "o", color=PAPER, markeredgecolor=INK, markersize=5, zorder=5)
    for point in points.itertuples():
        value = f"{point.balance_m_we:+.2f}".replace("-", "−")
        prefix = "≤ " if point.bound == "<=" else ""
        axes.annotate(
            f"{_plain(str(point.point_id))}: {prefix}{value}", (point.easting, point.northing), (5, 4),
            textcoords="offset points", fontsize=6.5, path_effects=_HALO, zorder=6, annotation_clip=True,
        )  # fmt: skip


def _balance_backdrop(field: BalanceField, limit: float) -> Backdrop:
    shade = hillshade(field.surface_m, field.grid.pixel_size, exaggeration=1.5)
    relief = np.where(np.isfinite(shade), 0.62 + 0.38 * shade, 1.0)
    inside = np.isfinite(field.balance_m_we)
    light = np.where(inside, 0.72 + 0.28 * relief, relief)
    colours = np.where(inside[..., np.newaxis], paint(field.balance_m_we, limit), 0.97)
    rgb = np.clip(np.rint(np.moveaxis(colours * light[..., np.newaxis], -1, 0) * 255), 0, 255).astype(np.uint8)
    return _reduced(rgb, field.grid, 1200)


def _reduced(picture: RgbArray, grid: Grid, pixels: int) -> Backdrop:
    """The picture averaged over whole blocks until its width is near ``pixels``: drawing 3 million pixels is slow."""
    factor = max(1, round(grid.shape[1] / pixels))
    rows, columns = (size // factor for size in grid.shape)
    # a pixel without data is black in the file and white on paper
    paper = np.where((picture == VISUAL_NODATA).all(axis=0), np.uint8(255), picture)
    blocks = paper[:, : rows * factor, : columns * factor].reshape(3, rows, factor, columns, factor)
    mean = blocks.mean(axis=(2, 4), dtype=np.float32) if factor > 1 else paper
    west, _, _, north = grid.bounds
    width, height = grid.pixel_size
    rgb = np.moveaxis(np.rint(mean).astype(np.uint8), 0, -1)
    return Backdrop(rgb, (west, west + columns * factor * width, north - rows * factor * height, north))


def _lines(axes: Any, geometries: Sequence[BaseGeometry], colour: str, width: float) -> None:
    segments = []
    for geometry in geometries:
        lines = geometry.boundary if geometry.geom_type.endswith("Polygon") else geometry
        segments += [
            np.asarray(part.coords)[:, :2]
            for part in shapely.get_parts(lines)
            if part.geom_type in ("LineString", "LinearRing")
        ]
    axes.add_collection(LineCollection(segments, colors=colour, linewidths=width), autolim=False)


def _outline(axes: Any, outline: BaseGeometry | None) -> None:
    if outline is not None:
        _lines(axes, [outline], INK, 1.4)


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


def _boundaries(result: ElevationChange) -> list[BaseGeometry]:
    return [] if result.outlines is None else list(result.outlines.geometry)


def _burnt_outlines(result: ElevationChange) -> BoolArray:
    shapes = [(geometry.boundary, 1) for geometry in _boundaries(result) if not geometry.is_empty]
    if not shapes:
        return np.zeros(result.grid.shape, bool)
    burnt = rasterize(shapes, out_shape=result.grid.shape, transform=result.grid.transform, dtype="uint8")
    drawn: BoolArray = np.asarray(burnt) == 1
    return drawn


def _densest_window(result: ElevationChange) -> tuple[slice, slice] | None:
    """The window with most glacier, a quarter of a wide map; None where the map is small enough as it is."""
    rows, columns = result.grid.shape
    glacier = result.classification == GLACIER
    if columns < 900 or not glacier.any():
        return None
    width, height = columns // 4, min(rows, columns // 8)
    step = 8
    share = uniform_filter(glacier[::step, ::step].astype(np.float32), (height // step, width // step), mode="constant")
    row, column = (int(index) * step for index in np.unravel_index(int(share.argmax()), share.shape))
    top, left = (
        int(np.clip(at - size // 2, 0, whole - size))
        for at, size, whole in ((row, height, rows), (column, width, columns))
    )
    return slice(top, top + height), slice(left, left + width)


def _aspect(window: tuple[slice, slice]) -> float:
    rows, columns = window
    return float((rows.stop - rows.start) / (columns.stop - columns.start))


def _change_summary(result: ElevationChange) -> str:
    stable = f"stable terrain: mean {result.after.mean_m:+.2f} m, NMAD {result.after.nmad_m:.2f} m"
    if result.totals is None:
        return stable.replace("-", "−")
    totals = result.totals
    text = (
        f"{totals.count} glaciers, {totals.area_km2:.1f} km²: "
        f"mean {totals.mean_dh_m:+.2f} ± {totals.sigma_mean_dh_m:.2f} m · {stable}"
    )
    return text.replace("-", "−")


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


def _fitted(text: str, points: float, size: float) -> tuple[str, float]:
    """A bold text and the font size at which it is at most ``points`` wide; cut where that would be illegible."""
    # at 72 dots an inch a pixel is a point; Any, for its methods carry no types
    renderer: Any = _UNTYPED_RENDERER(10, 10, 72)
    font = FontProperties(family="DejaVu Sans", weight="bold")
    smallest = 0.65 * size

    def width(of: str, at: float) -> float:
        font.set_size(at)
        return float(renderer.get_text_width_height_descent(of, font, ismath=False)[0])

    size = max(smallest, min(size, size * points / max(width(text, size), 1)))
    if width(text, size) <= points * 1.02:
        return text, size
    kept = next(length for length in range(len(text), 0, -1) if width(text[:length] + "…", size) <= points)
    return text[:kept].rstrip() + "…", size


def _halved(text: str) -> tuple[str, str]:
    """A text parted at the space nearest its middle."""
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    at = min(spaces, key=lambda place: abs(place - len(text) / 2), default=len(text))
    return text[:at], text[at + 1 :]


def _plain(text: str) -> str:
    """Text that the figures' font can set: Latin letters and common punctuation."""
    kept = "".join(letter if 32 <= ord(letter) < 0x250 or letter in "–—−·±≤°’" else " " for letter in text)
    return " ".join(kept.split())[:300]
