"""Pictures of an elevation change: maps, and diagrams of what it rests on; no science is done here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from scipy.ndimage import uniform_filter
from shapely.geometry.base import BaseGeometry

from catalog.figures.change_picture import Overview, change_limit, known_window, overview
from catalog.figures.colours import ACCENT, GAIN, INK, LOSS, MUTED, NEUTRAL, hillshade
from catalog.figures.frame import (
    Backdrop,
    Panels,
    draw_colour_bar,
    draw_lines,
    open_diagram,
    open_map_figure,
    open_thumbnails,
    show_backdrop,
    write_head,
    write_note,
)
from catalog.formats import VISUAL_NODATA
from pipeline.elevation_change.result import GLACIER, ElevationChange
from pipeline.grid import FloatArray, Grid
from schemas.messages import Message

_STEPS = {
    "raw": ("as they come", MUTED),
    "coregistered": ("co-registered", ACCENT),
    "corrected": ("and curvature-corrected", GAIN),
}
_FORMS = {
    "point_spread": ("point spread", GAIN),
    "principal_curvatures": ("both curvatures", ACCENT),
    "maximum_curvature": ("maximum curvature", LOSS),
}
_PALE, _PALE_BLUE = "#cfd6dd", "#a9c1e2"
_POINTS_OF_THE_COMPASS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW", "N")
_CLASS_AXES = {
    "slope": "slope (degrees)",
    "aspect": "aspect",
    "elevation": "elevation (m)",
    "curvature": "maximum curvature (per 100 m)",
}
_CHECK_MAPS = ("void_share", "level_share", "spikes", "lowest_m")
# inches that the maps of a figure may be high together, however narrow the area is
_TALLEST_MAPS = 16.0
# a map of so many columns is drawn with thinner outlines, and with a part of it larger
_WIDE_COLUMNS = 900


# --- maps --------------------------------------------------------------------------------------------------------


def draw_change_map(path: Path, result: ElevationChange, title: str, synthetic: bool) -> None:
    """Map of the elevation change with outlines; where glaciers are small on it, a window is shown larger below."""
    limit, known = change_limit(result), known_window(result)
    window = _densest_window(result, known)
    shapes = [_aspect(part) for part in (known, window) if part]
    # a high map is drawn narrower, so that a screen can hold it
    width = max(5.0, min(10.0, 11.0 / shapes[0]))
    with open_map_figure(path, width, shapes, _TALLEST_MAPS) as (figure, panels, scale):
        show_backdrop(panels[0], _backdrop(overview(result, limit, known)), result.grid)
        _set_extent(panels[0], result.grid, known)
        draw_lines(panels[0], _boundaries(result), INK, 0.35)
        if window:
            _draw_window(panels, result, limit, window)
        draw_colour_bar(figure, scale, limit, "elevation change (m), later minus earlier")
        write_head(panels[0], title, _change_summary(result))
        if synthetic:
            write_note(figure)


def draw_change_thumbnail(path: Path, result: ElevationChange, title: str, synthetic: bool) -> None:
    """A small map with its colour bar, below 600 pixels on either side."""
    limit, known = change_limit(result), known_window(result)
    thickness = 0.45 if known[1].stop - known[1].start < _WIDE_COLUMNS else 0.3
    lines = [(geometry, thickness) for geometry in _boundaries(result)]
    backdrop = _backdrop(overview(result, limit, known))
    with open_thumbnails(backdrop.extent, _aspect(known), (limit, "elevation change (m)"), synthetic) as thumbnails:
        thumbnails.draw(path, backdrop, title, lines)


def _draw_window(panels: Sequence[Any], result: ElevationChange, limit: float, window: tuple[slice, slice]) -> None:
    show_backdrop(panels[1], _backdrop(overview(result, limit, window)), result.grid)
    draw_lines(panels[1], _boundaries(result), INK, 0.8)
    west, south, east, north = _set_extent(panels[1], result.grid, window)
    panels[0].add_patch(Rectangle((west, south), east - west, north - south, fill=False, edgecolor=INK, linewidth=1.1))


def _set_extent(axes: Any, grid: Grid, window: tuple[slice, slice]) -> tuple[float, float, float, float]:
    """Show a window of the grid alone; its (west, south, east, north), m."""
    rows, columns = window
    part = grid.window(rows.start, columns.start, (rows.stop - rows.start, columns.stop - columns.start))
    west, south, east, north = part.bounds
    axes.set(xlim=(west, east), ylim=(south, north))
    return part.bounds


def _backdrop(seen: Overview) -> Backdrop:
    # a pixel without data is black in the file and white on paper
    paper = np.where((seen.rgb == VISUAL_NODATA).all(axis=0), np.uint8(255), seen.rgb)
    west, south, east, north = seen.extent
    return Backdrop(np.moveaxis(paper, 0, -1), (west, east, south, north))


def _boundaries(result: ElevationChange) -> list[BaseGeometry]:
    return [] if result.outlines is None else list(result.outlines.geometry)


def _densest_window(result: ElevationChange, known: tuple[slice, slice]) -> tuple[slice, slice] | None:
    """The window with most glacier, a quarter of a wide map; None where the map is small enough as it is."""
    step = 8
    rows, columns = (part.stop - part.start for part in known)
    if columns < _WIDE_COLUMNS:
        return None
    thinned = [slice(part.start, part.stop, step) for part in known]
    glacier = np.asarray(result.classification[thinned[0], thinned[1]]) == GLACIER
    if not glacier.any():
        return None
    width, height = columns // 4, min(rows, columns // 8)
    share = uniform_filter(glacier.astype(np.float32), (height // step, width // step), mode="constant")
    row, column = (int(index) * step for index in np.unravel_index(int(share.argmax()), share.shape))
    top, left = (
        part.start + int(np.clip(at - size // 2, 0, whole - size))
        for part, at, size, whole in ((known[0], row, height, rows), (known[1], column, width, columns))
    )
    return slice(top, top + height), slice(left, left + width)


def _aspect(window: tuple[slice, slice]) -> float:
    rows, columns = window
    return float((rows.stop - rows.start) / (columns.stop - columns.start))


def _change_summary(result: ElevationChange) -> str:
    stable = f"stable terrain: mean {_signed(result.after.mean_m)} m, NMAD {result.after.nmad_m:.2f} m"
    if result.totals is None:
        return stable
    totals = result.totals
    mean = f"mean {_signed(totals.mean_dh_m)} ± {totals.sigma_mean_dh_m:.2f} m"
    return f"{totals.count} glaciers, {totals.area_km2:.1f} km²: {mean} · {stable}"


# --- diagrams ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Diagram:
    """One diagram of an elevation change.

    Attributes
    ----------
    name : of its file, without the ending.
    title : what it shows.
    has_numbers : whether a result holds what is to be drawn.
    draw : (path, result, synthetic) writes the PNG file.
    """

    name: str
    title: Message
    has_numbers: Callable[[ElevationChange], bool]
    draw: Callable[[Path, ElevationChange, bool], None]


def diagrams_of(result: ElevationChange) -> Iterator[Diagram]:
    """The diagrams for which a result has the numbers, in the order of the method."""
    return (diagram for diagram in DIAGRAMS if diagram.has_numbers(result))


def draw_stable_terrain(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Distribution of the elevation difference over stable terrain after each step."""
    numbers = result.figures["histogram"]
    edges = np.asarray(numbers["edges_m"], float)
    before, after = result.before, result.after
    mean, spread = f"{_signed(before.mean_m)} to {_signed(after.mean_m)}", f"{before.nmad_m:.2f} to {after.nmad_m:.2f}"
    head = "Stable terrain before and after correction", f"mean {mean} m, NMAD {spread} m"
    with open_diagram(path, (6.4, 3.9), head, synthetic) as (axes,):
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


def draw_aspect(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """The cosine relation of aspect and elevation difference (Nuth and Kaab, 2011, eq. 3) before and after."""
    numbers, shift = result.figures["aspect"], result.shift_m
    aspect = np.asarray(numbers["bin_centre_deg"], float)
    fits = {
        "before": tuple(float(numbers[key]) for key in ("fit_a", "fit_b_deg", "fit_c")),
        "after": tuple(float(numbers[f"after_{key}"]) for key in ("fit_a", "fit_b_deg", "fit_c")),
    }
    looks = {"before": ("o", MUTED, ACCENT), "after": ("s", _PALE_BLUE, GAIN)}
    moved = f"moved by {_signed(shift.east)} m east, {_signed(shift.north)} m north, {_signed(shift.up)} m up"
    head = "Horizontal offset seen in the aspect", moved
    with open_diagram(path, (9.6, 4.1), head, synthetic, Panels(columns=2, top=1.05)) as panels:
        for axes, steps in zip(panels, (("before", "after"), ("after",)), strict=True):
            axes.axhline(0, color=INK, linewidth=0.8)
            for step in steps:
                marker, pale, colour = looks[step]
                word = step if len(steps) > 1 else f"{step}, enlarged"
                axes.plot(aspect, numbers[step], marker, color=pale, markersize=3.5)
                axes.plot(*_cosine(*fits[step]), color=colour, linewidth=1.8, label=f"{word}: {_formula(*fits[step])}")
            axes.set(xlabel="aspect of the slope", xlim=(0, 360))
            axes.set_xticks(range(0, 361, 45), _POINTS_OF_THE_COMPASS)
            axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 0.98), fontsize=7.5)
        panels[0].set_ylabel("median of dh / tan(slope) (m)")


def draw_curvature(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Elevation difference against maximum curvature (Gardelle et al., 2012) before and after, with the fit."""
    numbers, correction = result.figures["curvature"], result.curvature
    resolution = result.resolution
    told = f"taken off by {resolution.method.replace('_', ' ')}"
    if resolution.reason is not None:
        told = f"not corrected: {resolution.reason}"
    with open_diagram(path, (6.4, 3.9), ("Resolution effect over stable terrain", told), synthetic) as (axes,):
        axes.axhline(0, color=INK, linewidth=0.8)
        centre = np.asarray(numbers["centre_per_100m"], float)
        axes.plot(centre, numbers["before_m"], "o", color=ACCENT, markersize=4, label="before")
        axes.plot(centre, numbers["after_m"], "s", color=GAIN, markersize=3.5, label="after")
        if correction is not None and correction.knots_per_100m:
            # the fit is of reference minus aligned
            sign = 1 if result.settings.reference == "later" else -1
            knots, bias = np.asarray(correction.knots_per_100m), sign * np.asarray(correction.bias_m)
            axes.plot(knots, bias, color=INK, linewidth=1.3, label="fit", zorder=1.9)
        axes.set(xlabel="maximum curvature (per 100 m)", ylabel="median elevation difference (m)")
        axes.legend(loc="best")


def draw_resolution(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """What each form of the resolution correction takes off stable terrain, its bands and the glaciers."""
    table = result.tables["resolution"]
    bands = table[table["area"] == "band"]
    head = "What each form of the correction takes off", "lines: stable terrain by band of 200 m; marks: means"
    size = (7.6, 4.6)
    with open_diagram(path, size, head, synthetic, Panels(right=2.3)) as (axes,):
        axes.axvline(0, color=INK, linewidth=0.8)
        for method, (label, colour) in _FORMS.items():
            own = bands[bands["method"] == method].sort_values("lower_m")
            middle = (own["lower_m"] + own["upper_m"]).to_numpy(float) / 2
            published = bool((table["published"] & (table["method"] == method)).any())
            look = {"color": colour, "linewidth": 2.2 if published else 1.3}
            taken, sigma = (own[name].to_numpy(float) for name in ("taken_off_m", "sigma_taken_off_m"))
            axes.plot(taken, middle, "o-", markersize=3, label=f"{label}, published" if published else label, **look)
            axes.fill_betweenx(middle, taken - sigma, taken + sigma, color=colour, alpha=0.15, linewidth=0)
        lowest, highest = axes.get_ylim()
        step = 0.07 * (highest - lowest)
        for number, (area, label) in enumerate((("stable", "stable terrain"), ("glaciers", "glaciers")), 1):
            means = table[table["area"] == area].set_index("method")["taken_off_m"]
            if means.empty:
                continue
            for method, (_, colour) in _FORMS.items():
                if method not in means.index:
                    continue
                axes.plot(means[method], highest + number * step, "D", color=colour, markersize=6, clip_on=False)
            axes.text(1.01, highest + number * step, label, transform=axes.get_yaxis_transform(), va="center",
                      fontsize=8.5, color=INK)  # fmt: skip
        axes.set(xlabel="taken off (m), later minus earlier", ylabel="elevation (m)")
        axes.set_yticks([tick for tick in axes.get_yticks() if lowest <= tick <= highest])
        axes.axhline(highest + 0.3 * step, color=NEUTRAL, linewidth=0.6)
        axes.set_ylim(lowest, highest + 2.8 * step)
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 0.75), fontsize=7.5)


def draw_undulation(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Mean elevation difference of stable terrain along the largest wave that stands out, and the waves fitted."""
    numbers, undulation = result.figures["undulation"], result.undulation
    wave = undulation.waves[0]
    told = (
        f"{wave.amplitude_m:.2f} ± {wave.sigma_amplitude_m:.2f} m, wavelength {wave.wavelength_m / 1000:.2f} ±"
        f" {wave.sigma_wavelength_m / 1000:.2f} km, {'removed' if undulation.removed else 'left in'}"
    )
    room = Panels(right=1.6)
    with open_diagram(path, (7.6, 3.9), ("Undulation over stable terrain", told), synthetic, room) as (axes,):
        distance = np.asarray(numbers["distance_m"], float) / 1000
        axes.axhline(0, color=INK, linewidth=0.8)
        axes.plot(distance, numbers["mean_m"], "o", color=ACCENT, markersize=4, label="stable terrain")
        axes.plot(distance, numbers["fitted_m"], color=GAIN, linewidth=1.8, label="waves")
        axes.set(xlabel=f"distance along {wave.azimuth_deg:.0f}° (km)", ylabel="mean elevation difference (m)")
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))


def draw_variogram(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Empirical variogram of the standardised residuals, its model, and the ranges of the model's parts."""
    numbers = result.figures["variogram"]
    lag_km = np.asarray(numbers["lag_m"], float) / 1000
    ranges_km = np.asarray(numbers["ranges_m"], float) / 1000
    shares = np.asarray(numbers["sills"], float) / max(float(np.sum(numbers["sills"])), 1e-12)
    told = f"model with {_span(1000 * ranges_km)}; lines are as strong as their parts"
    with open_diagram(path, (6.4, 3.9), ("How far errors are correlated", told), synthetic) as (axes,):
        axes.semilogx(lag_km, numbers["empirical"], "o", color=MUTED, markersize=4, label="stable terrain")
        axes.semilogx(lag_km, numbers["model"], color=GAIN, linewidth=1.8, label="model")
        for at, share in zip(ranges_km, shares, strict=True):
            axes.axvline(at, color=ACCENT, linewidth=1.2, alpha=float(0.15 + 0.85 * share / shares.max()), zorder=1.5)
        axes.xaxis.set_major_formatter(mpl.ticker.FuncFormatter(lambda value, _: f"{value:g}"))
        axes.xaxis.set_minor_formatter(mpl.ticker.NullFormatter())
        axes.set(xlabel="distance (km)", ylabel="semivariance of standardised residuals", ylim=(0, None))
        axes.legend(loc="lower right")


def draw_accuracy(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Mean and NMAD of the elevation difference over stable terrain by class of terrain, before and after."""
    table = result.tables["accuracy"]
    head = "Accuracy by terrain", "bars: NMAD; marks: mean; of the elevation difference over stable terrain"
    size = (9.6, 6.0)
    with open_diagram(path, size, head, synthetic, Panels(rows=2, columns=2, top=0.85)) as panels:
        for axes, (name, label) in zip(panels, _CLASS_AXES.items(), strict=True):
            own = table[table["class"] == name]
            if own.empty:
                axes.set_visible(False)
                continue
            _draw_classes(axes, own, label, is_aspect=name == "aspect")
            axes.set_ylabel("elevation difference (m)", fontsize=8.5)
            looks = axes.get_legend_handles_labels()
        panels[0].get_figure().legend(
            *looks, loc="upper right", bbox_to_anchor=(1 - 0.2 / size[0], 1 - 0.42 / size[1]), ncols=4,
            columnspacing=1.2, handlelength=1.4,
        )  # fmt: skip


def draw_patches(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Means over stable patches of a glacier's size, standardised by the stated uncertainty: their spread should be 1.

    The test of Hugonnet et al. (2022, section IV-B).
    """
    numbers = result.figures["patches"]
    values = np.asarray(numbers["standardised"], float)
    told = f"{values.size} stable patches of {numbers['area_km2']:.2g} km²: spread {numbers['spread']:.2f}, expected 1"
    if not numbers["enough"]:
        told += "; too few to prove much"
    with open_diagram(path, (6.4, 3.9), ("Is the stated uncertainty right?", told), synthetic) as (axes,):
        reach = max(4.0, float(np.ceil(np.abs(values).max())))
        edges = np.arange(-reach, reach + 0.25, 0.5)
        density = np.histogram(values, edges)[0] / (0.5 * values.size)
        axes.stairs(density, edges, fill=True, color=_PALE_BLUE, label="observed")
        axes.stairs(density, edges, color=GAIN, linewidth=1.2)
        at = np.linspace(-reach, reach, 241)
        axes.plot(at, np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), color=INK, linewidth=1.6, label="predicted")
        axes.set(xlabel="mean of a patch / its stated standard deviation", ylabel="density", xlim=(-reach, reach))
        axes.legend(loc="upper right")


def draw_hypsometry(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Mean change and area of the region's elevation bands."""
    bands = result.tables["elevation_bands"]
    region = bands[bands["glacier_id"] == "all"].sort_values("lower_m")
    middle = (region["lower_m"] + region["upper_m"]).to_numpy(float) / 2
    height = (region["upper_m"] - region["lower_m"]).to_numpy(float)
    mean = region["mean_dh_m"].to_numpy(float)
    sigma = region["sigma_mean_dh_m"].to_numpy(float)
    room = Panels(top=0.95)
    head = "Elevation change by elevation", "all glaciers; each band of elevation by itself"
    with open_diagram(path, (6.4, 4.6), head, synthetic, room) as (axes,):
        area = axes.twiny()
        area.barh(middle, region["area_km2"].to_numpy(float), height * 0.92, color="#e4e9ee")
        area.set_xlabel("glacier area (km²)", fontsize=8.5, color=NEUTRAL)
        area.grid(False)
        area.spines["top"].set_visible(True)
        axes.set_zorder(area.get_zorder() + 1)
        axes.patch.set_visible(False)
        axes.axvline(0, color=INK, linewidth=0.8)
        axes.fill_betweenx(middle, mean - sigma, mean + sigma, color=LOSS, alpha=0.18, linewidth=0, label="± 1 σ")
        axes.plot(mean, middle, "o-", color=LOSS, markersize=3.5, linewidth=1.6, label="mean change")
        axes.set(xlabel="elevation change (m)", ylabel="elevation (m)")
        axes.legend(loc="lower right")


def draw_dem_checks(path: Path, result: ElevationChange, synthetic: bool) -> None:
    """Where each DEM has voids, spikes, level ground and seams, and how its heights are distributed."""
    checks = _where_either_has_heights(result.figures["dem_checks"])
    west, south, east, north = checks["earlier"]["extent_m"]
    size, maps = _room_for_maps((east - west) / (north - south))
    head = "Each DEM by itself", "before anything is corrected"
    with open_diagram(path, size, head, synthetic, maps) as panels:
        figure = panels[0].get_figure()
        for axes, role in zip(panels, ("earlier", "later"), strict=True):
            _draw_check_map(axes, role, checks[role])
        curves = Panels(left=size[0] - maps.right + 0.8, top=maps.top, bottom=maps.bottom)
        _draw_hypsometric_curves(figure.add_axes(curves.place(size, 0, 0)), checks)
        figure.legend(
            handles=_check_legend(), loc="lower left", bbox_to_anchor=(0.55 / size[0], 0.14 / size[1]), ncols=5,
            fontsize=7.5, handletextpad=0.5, columnspacing=1.4,
        )  # fmt: skip


def _where_either_has_heights(checks: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """The numbers of both DEMs with their maps cut to the cells where one of them has heights."""
    known = np.logical_or(*(np.asarray(checks[role]["void_share"]) < 1 for role in ("earlier", "later")))
    places = [np.flatnonzero(known.any(axis=axis)) for axis in (1, 0)]
    rows, columns = (slice(int(at[0]), int(at[-1]) + 1) if at.size else slice(0, None) for at in places)
    cut = {}
    for role in ("earlier", "later"):
        numbers = checks[role]
        maps = {name: np.asarray(numbers[name])[rows, columns] for name in _CHECK_MAPS}
        west, _, _, north = numbers["extent_m"]
        height, width = (size * numbers["cell_m"] for size in maps["spikes"].shape)
        left, top = west + columns.start * numbers["cell_m"], north - rows.start * numbers["cell_m"]
        cut[role] = {**numbers, **maps, "extent_m": (left, top - height, left + width, top)}
    return cut


def _room_for_maps(width_over_height: float) -> tuple[tuple[float, float], Panels]:
    """Size of a figure (inches) for two maps and a diagram beside them; wide maps stand one above the other."""
    room = Panels(rows=2, right=3.4, top=0.95, bottom=0.9, gap=(0, 0.62), pictures=True)
    if width_over_height > 1.4:
        height = max(0.8, 5.4 / width_over_height)
        return (room.left + 5.4 + room.right, room.top + 2 * height + room.gap[1] + room.bottom), room
    room = replace(room, rows=1, columns=2, gap=(0.62, 0))
    width = max(1.5, 3.2 * width_over_height)
    return (room.left + 2 * width + room.gap[0] + room.right, room.top + 3.2 + room.bottom), room


def _draw_classes(axes: Any, table: pd.DataFrame, label: str, *, is_aspect: bool) -> None:
    classes = sorted(set(zip(table["lower"].astype(float), table["upper"].astype(float), strict=True)))
    at = {edges: number for number, edges in enumerate(classes)}
    for step, width, bar, mark, colour in (
        ("raw", 0.86, _PALE, "o", MUTED),
        ("corrected", 0.56, _PALE_BLUE, "D", GAIN),
    ):
        own = table[table["step"] == step]
        places = [at[edges] for edges in zip(own["lower"].astype(float), own["upper"].astype(float), strict=True)]
        word = "before" if step == "raw" else "after"
        axes.bar(places, own["nmad_m"].astype(float), width, color=bar, label=f"NMAD {word}")
        axes.plot(places, own["mean_m"].astype(float), mark, color=colour, markersize=4, label=f"mean {word}", zorder=3)
    axes.axhline(0, color=INK, linewidth=0.8)
    axes.grid(False, axis="x")
    edges = [lower for lower, _ in classes] + [classes[-1][1]]
    names = [_POINTS_OF_THE_COMPASS[round(edge / 45) % 8] if is_aspect else _plain_number(edge) for edge in edges]
    every = max(1, -(-len(edges) // 10))
    axes.set_xticks(np.arange(len(edges))[::every] - 0.5, names[::every])
    axes.set_xlim(-0.6, len(classes) - 0.4)
    axes.set_xlabel(label)


def _draw_check_map(axes: Any, role: str, numbers: Mapping[str, Any]) -> None:
    west, south, east, north = numbers["extent_m"]
    rgb = _check_colours(numbers)
    axes.imshow(rgb, extent=(west, east, south, north), interpolation="nearest", aspect="equal")
    rows, columns = np.nonzero(numbers["spikes"])
    cell_m = numbers["cell_m"]
    axes.plot(west + (columns + 0.5) * cell_m, north - (rows + 0.5) * cell_m, "x", color=INK, markersize=4)
    for seam in numbers["seams"]:
        look = {"color": GAIN, "linewidth": 0.9} if seam["passed"] else {"color": LOSS, "linewidth": 2.0}
        axes.plot(*zip(*seam["line_m"], strict=True), **look)
    axes.grid(False)
    axes.set(xlim=(west, east), ylim=(south, north), anchor="W")
    kilometres = mpl.ticker.FuncFormatter(lambda value, _: f"{value / 1000:g}")
    axes.xaxis.set_major_formatter(kilometres)
    axes.yaxis.set_major_formatter(kilometres)
    axes.locator_params(nbins=6)
    axes.tick_params(labelsize=7.5)
    void, count = float(np.nanmean(numbers["void_share"])), int(np.sum(numbers["spikes"]))
    axes.set_title(f"{role}: {void:.1%} void, {count} spike{'' if count == 1 else 's'}", loc="left", fontsize=8.5)
    axes.set_ylabel("km", fontsize=7.5)


def _check_colours(numbers: Mapping[str, Any]) -> FloatArray:
    """Grey relief of the cells, blue where the ground is level, red where heights are missing; (rows, columns, 3)."""
    lowest = np.asarray(numbers["lowest_m"], np.float32)
    shade = hillshade(lowest, (numbers["cell_m"], numbers["cell_m"]))
    grey = np.where(np.isfinite(shade), 0.55 + 0.45 * shade, 0.92)[..., np.newaxis] * np.ones(3)
    level, void = (
        np.nan_to_num(np.asarray(numbers[name], float))[..., np.newaxis] for name in ("level_share", "void_share")
    )
    tinted = grey * (1 - 0.8 * level) + 0.8 * level * np.array(mpl.colors.to_rgb("#3b7cc4"))
    # a cell with a single missing height can be seen
    strength = np.where(void > 0, 0.3 + 0.7 * void, 0.0)
    coloured: FloatArray = np.clip(tinted * (1 - strength) + strength * np.array(mpl.colors.to_rgb("#d8463b")), 0, 1)
    return coloured


def _draw_hypsometric_curves(axes: Any, checks: Mapping[str, Mapping[str, Any]]) -> None:
    for role, colour in (("earlier", ACCENT), ("later", GAIN)):
        edges, share = checks[role]["hypsometry_edges_m"], 100 * np.asarray(checks[role]["hypsometry_share"], float)
        axes.stairs(share, edges, orientation="horizontal", color=colour, linewidth=1.5, label=role)
    axes.set(xlabel="share of the area (%)", ylabel="elevation (m)", xlim=(0, None))
    axes.set_title("hypsometry", loc="left", fontsize=8.5)
    axes.legend(loc="best")


def _check_legend() -> list[Any]:
    return [
        Patch(color="#d8463b", label="void"),
        Patch(color="#6f9fd4", label="level ground"),
        Line2D([], [], marker="x", linestyle="", color=INK, markersize=4, label="spike"),
        Line2D([], [], color=GAIN, linewidth=0.9, label="border of tiles"),
        Line2D([], [], color=LOSS, linewidth=2.0, label="seam"),
    ]


def _cosine(a: float, b_deg: float, c: float) -> tuple[FloatArray, FloatArray]:
    aspect = np.linspace(0, 360, 361)
    return aspect, a * np.cos(np.radians(b_deg - aspect)) + c


def _formula(a: float, b_deg: float, c: float) -> str:
    return f"{a:.2f} m · cos({b_deg:.0f}° − aspect) {'+' if c >= 0 else '−'} {abs(c):.2f} m"


def _signed(metres: float) -> str:
    """With its sign, the typesetters' minus; zero has none."""
    text = f"{metres:+.2f}".replace("-", "−")
    return text[1:] if float(text[1:]) == 0 else text


def _plain_number(value: float) -> str:
    return f"{value:g}".replace("-", "−")


def _span(ranges_m: FloatArray) -> str:
    """Ranges in words: each of a few, the ends of many."""
    texts = [f"{at:.0f} m" if at < 1000 else f"{at / 1000:.3g} km" for at in ranges_m]
    if len(texts) == 1:
        return f"a range of {texts[0]}"
    return f"ranges of {', '.join(texts)}" if len(texts) <= 3 else f"{len(texts)} ranges of {texts[0]} to {texts[-1]}"


def _has(name: str) -> Callable[[ElevationChange], bool]:
    return lambda result: name in result.figures


def _has_checks(result: ElevationChange) -> bool:
    return {"earlier", "later"} <= set(result.figures.get("dem_checks", ()))


def _has_classes(result: ElevationChange) -> bool:
    return "accuracy" in result.tables and bool(result.tables["accuracy"]["class"].isin(_CLASS_AXES).any())


def _has_forms(result: ElevationChange) -> bool:
    return "resolution" in result.tables and bool((result.tables["resolution"]["area"] == "band").any())


def _has_patches(result: ElevationChange) -> bool:
    return "patches" in result.figures and len(result.figures["patches"]["standardised"]) > 0


def _has_bands(result: ElevationChange) -> bool:
    return "elevation_bands" in result.tables and bool((result.tables["elevation_bands"]["glacier_id"] == "all").any())


DIAGRAMS = (
    Diagram("dem_checks", Message("Voids, spikes, level ground and seams of each DEM"), _has_checks, draw_dem_checks),
    Diagram(
        "stable_terrain",
        Message("Elevation difference over stable terrain after each step"),
        _has("histogram"),
        draw_stable_terrain,
    ),
    Diagram(
        "aspect",
        Message("Elevation difference against aspect, before and after co-registration"),
        _has("aspect"),
        draw_aspect,
    ),
    Diagram("curvature", Message("Elevation difference against maximum curvature"), _has("curvature"), draw_curvature),
    Diagram(
        "resolution",
        Message("What each form of the resolution correction takes off"),
        _has_forms,
        draw_resolution,
    ),
    Diagram("undulation", Message("Undulation of stable terrain"), _has("undulation"), draw_undulation),
    Diagram(
        "accuracy",
        Message("Mean and NMAD of the elevation difference by class of terrain"),
        _has_classes,
        draw_accuracy,
    ),
    Diagram("variogram", Message("Variogram of the standardised residuals"), _has("variogram"), draw_variogram),
    Diagram("patches", Message("Stated uncertainty tested on stable patches"), _has_patches, draw_patches),
    Diagram("hypsometry", Message("Elevation change and area by elevation"), _has_bands, draw_hypsometry),
)
