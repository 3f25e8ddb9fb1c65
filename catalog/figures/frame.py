"""The frame of every picture: fonts, head, colour bar, map, thumbnail.

Pictures are light PNG files, the same bytes for the same numbers.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import Any

import matplotlib as mpl
import matplotlib.ticker
import numpy as np
import shapely
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.spines import Spine
from PIL import Image
from pyproj import CRS
from shapely.geometry.base import BaseGeometry

from catalog.figures.colours import INK, MUTED, NEUTRAL, PAPER, RgbArray, change_map
from catalog.formats import VISUAL_NODATA
from pipeline.grid import Grid

THUMBNAIL_PIXELS = 580  # STAC asks for less than 600
SYNTHETIC_NOTE = "SYNTHETIC SAMPLE — not observations"

_DPI, _MAP_DPI = 150, 120
_NARROWEST = 5.0  # inches of a map's figure: its title and the colour bar's numbers need them
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
    "axes.titley": 1.0,  # no axes have ticks above, and looking for them takes a tenth of a picture's time
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
_OPEN = Lock()
_UNTYPED_RENDERER: Any = RendererAgg


@dataclass(frozen=True)
class Backdrop:
    """A picture with the corners of its pixels: RGB 0-255, (west, east, south, north) in metres."""

    rgb: RgbArray
    extent: tuple[float, float, float, float]


@contextmanager
def open_figure(
    path: Path, size: tuple[float, float], *, few_colours: bool = True, dpi: int = _DPI
) -> Iterator[Figure]:
    """A figure that is saved on leaving; the reader's own matplotlib settings are set aside.

    Axes stand where they are put: laying them out takes matplotlib as long as drawing them. A drawing without a colour
    scale has ``few_colours``.
    """
    with open_canvas(size, dpi) as figure:
        yield figure
        _save(figure.canvas, path, few_colours)


@contextmanager
def open_canvas(size: tuple[float, float], dpi: int = _DPI) -> Iterator[Figure]:
    """A figure in the style of all pictures; who opens it saves it.

    One is open at a time, for the settings are those of the whole process: another thread waits.
    """
    with _OPEN, mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = Figure(figsize=size, dpi=dpi)
        FigureCanvasAgg(figure)
        yield figure


@dataclass(frozen=True)
class Frame:
    """What many pictures have alike: axes, ticks and scales, drawn once. Each picture is drawn over a copy of it.

    Axes, ticks and their labels are most of the time of a picture of matplotlib.

    Attributes
    ----------
    figure : as it was when the frame was drawn; limits of its axes are fixed since.
    ground : its pixels.
    few_colours : as for ``open_figure``.
    """

    figure: Figure
    ground: Any  # a region of Agg's, which has no types
    few_colours: bool

    @contextmanager
    def picture(self, path: Path, axes: Any = None, backdrop: Backdrop | None = None) -> Iterator[None]:
        """What is added to the figure meanwhile is drawn over the frame, saved, and taken away again.

        A backdrop lies below it, on the given axes.
        """
        before = {id(artist) for artist in self._artists()}
        yield
        canvas: Any = self.figure.canvas
        canvas.restore_region(self.ground)
        if backdrop is not None:
            _lay(canvas, axes, backdrop)
        renderer = canvas.get_renderer()
        added = [artist for artist in self._artists() if id(artist) not in before]
        for artist in self._artists():
            if id(artist) not in before or _is_shown_spine(artist):  # a backdrop covers half of each spine
                artist.draw(renderer)
        _write_png(canvas, path, self.few_colours)
        for artist in added:
            artist.remove()

    def _artists(self) -> list[Any]:
        """All artists in the order in which they are drawn: the axes' own, then the figure's."""
        every = sorted(self.figure.axes, key=lambda axes: axes.get_zorder())
        own = [sorted(axes.get_children(), key=lambda artist: artist.get_zorder()) for axes in every]
        return [*chain.from_iterable(own), *self.figure.texts, *self.figure.legends]


def drawn_frame(figure: Figure, *, few_colours: bool) -> Frame:
    """Draw a figure as it is, and keep it as the frame of pictures; the axes' limits are fixed."""
    canvas: Any = figure.canvas
    canvas.draw()
    for axes in figure.axes:
        axes.set_autoscale_on(False)
    return Frame(figure, canvas.copy_from_bbox(figure.bbox), few_colours)


def _is_shown_spine(artist: Any) -> bool:
    return isinstance(artist, Spine) and artist.get_visible() and artist.axes.axison


def _lay(canvas: Any, axes: Any, backdrop: Backdrop) -> None:
    """Put the part of a picture within the axes' limits into the canvas; matplotlib takes ten times as long."""
    left, bottom, right, top = (round(edge) for edge in axes.get_window_extent().extents)
    (west, east), (south, north) = axes.get_xlim(), axes.get_ylim()
    rows, columns = backdrop.rgb.shape[:2]
    first, last, low, high = backdrop.extent
    across, down = columns / (last - first), rows / (high - low)
    part = (west - first) * across, (high - north) * down, (east - first) * across, (high - south) * down
    within = np.clip(part, 0, (columns, rows, columns, rows))  # rounding must not reach beyond the picture
    size = right - left, top - bottom
    # averaged where pixels are smaller than dots; larger ones are shown as they are
    many = within[2] - within[0] > size[0]
    kind = Image.Resampling.BOX if many else Image.Resampling.NEAREST
    dots = Image.fromarray(backdrop.rgb).resize(size, kind, tuple(within.tolist()))
    pixels = np.asarray(canvas.buffer_rgba())
    pixels[pixels.shape[0] - top : pixels.shape[0] - bottom, left:right, :3] = np.asarray(dots)


def _save(canvas: Any, path: Path, few_colours: bool) -> None:
    canvas.draw()
    _write_png(canvas, path, few_colours)


def _write_png(canvas: Any, path: Path, few_colours: bool) -> None:
    """Write a PNG without the name of the writing software; a palette makes a drawing a third of its size."""
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    if few_colours:  # never a picture with a colour scale: a palette would put steps into it
        picture = picture.quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # level 7 packs a drawing best for its time; a map takes three times as long at 7 as at 4 and shrinks by 3 %
    picture.save(path, compress_level=7 if few_colours else 4)


def write_head(axes: Any, title: str, subtitle: str) -> None:
    """Title and subtitle over a map."""
    text, size = fitted(plain_text(title), 0.9 * axes.get_figure().get_figwidth() * 72, 11.5)
    above: Any = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(f"{text}\n" if subtitle else text, (0, 1), (0, 6), **above, fontsize=size, fontweight="bold")
    if subtitle:
        axes.annotate(subtitle, (0, 1), (0, 7), **above, fontsize=8.5, color=NEUTRAL)


def write_note(figure: Figure) -> None:
    """The words that tell that the data are synthetic, at the lower right."""
    figure.text(0.995, 0.004, SYNTHETIC_NOTE, ha="right", va="bottom", fontsize=7.5, fontweight="bold", color="#9a5b12")


@dataclass(frozen=True, kw_only=True)
class Panels:
    """How many panels a diagram has, the room around them in inches, and whether they hold pictures."""

    rows: int = 1
    columns: int = 1
    left: float = 0.72
    right: float = 0.2
    top: float = 0.66
    bottom: float = 0.62
    gap: tuple[float, float] = (0.72, 0.68)  # between columns, between rows
    pictures: bool = False
    heights: tuple[float, ...] = ()  # of the rows, as shares of any unit; all alike when empty

    def place(self, size: tuple[float, float], row: int, column: int) -> tuple[float, float, float, float]:
        """(left, bottom, width, height) of a panel as shares of a figure of ``size`` inches."""
        width = (size[0] - self.left - self.right - self.gap[0] * (self.columns - 1)) / self.columns
        left = self.left + column * (width + self.gap[0])
        shares = self.heights or (1.0,) * self.rows
        inch = (size[1] - self.top - self.bottom - self.gap[1] * (self.rows - 1)) / sum(shares)
        height = inch * shares[row]
        bottom = self.bottom + inch * sum(shares[row + 1 :]) + self.gap[1] * (self.rows - 1 - row)
        return left / size[0], bottom / size[1], width / size[0], height / size[1]


@contextmanager
def open_diagram(
    path: Path, size: tuple[float, float], head: tuple[str, str], synthetic: bool, panels: Panels = Panels()
) -> Iterator[list[Any]]:
    """The axes of a diagram, row by row, under a title and subtitle; saved on leaving."""
    with open_figure(path, size, few_colours=not panels.pictures) as figure:
        write_diagram_head(figure, head, panels)
        if synthetic:
            write_note(figure)
        yield [
            figure.add_axes(panels.place(size, row, column))
            for row in range(panels.rows)
            for column in range(panels.columns)
        ]


def write_diagram_head(figure: Figure, head: tuple[str, str], panels: Panels) -> None:
    """Title and subtitle of a diagram, at its upper left."""
    title, subtitle = (plain_text(text) for text in head)
    width, height = figure.get_size_inches()
    text, points = fitted(title, (width - panels.left - panels.right) * 72, 11.5)
    figure.text(panels.left / width, 1 - 0.13 / height, text, va="top", fontsize=points, fontweight="bold")
    figure.text(panels.left / width, 1 - 0.37 / height, subtitle, va="top", fontsize=8.5, color=NEUTRAL)


def draw_colour_bar(figure: Figure, axes: Any, limit: float, label: str) -> None:
    mappable = mpl.cm.ScalarMappable(Normalize(-limit, limit), change_map())
    bar = figure.colorbar(mappable, cax=axes, orientation="horizontal", extend="both", extendfrac=0.03)
    bar.set_label(label)
    bar.outline.set_visible(False)


@contextmanager
def open_maps(
    width: float, shapes: Sequence[float], tallest: float = math.inf
) -> Iterator[tuple[Figure, list[Any], Any]]:
    """A figure with one map below the other, each of the given height over width, and the axes of a colour bar.

    ``width`` of the figure in inches; maps that would be more than ``tallest`` inches high together are drawn smaller,
    on a figure that keeps room for its title. Who opens it saves it.
    """
    left, right, top, bottom, gap = 0.8, 0.15, 0.62, 1.25, 0.55  # inches
    room = min(width - left - right, tallest / sum(shapes))
    width = max(min(width, _NARROWEST), room + left + right)
    heights = [room * shape for shape in shapes]
    total = top + sum(heights) + gap * (len(heights) - 1) + bottom
    with open_canvas((width, total), _MAP_DPI) as figure:
        panels, ceiling = [], total - top
        for height in heights:
            panels.append(figure.add_axes((left / width, (ceiling - height) / total, room / width, height / total)))
            ceiling -= height + gap
        yield figure, panels, figure.add_axes((0.22, 0.56 / total, 0.56, 0.14 / total))


@contextmanager
def open_map_figure(
    path: Path, width: float, shapes: Sequence[float], tallest: float = math.inf
) -> Iterator[tuple[Figure, list[Any], Any]]:
    """``open_maps``, saved on leaving."""
    with open_maps(width, shapes, tallest) as parts:
        yield parts
        _save(parts[0].canvas, path, few_colours=False)


def show_backdrop(axes: Any, backdrop: Backdrop, grid: Grid) -> None:
    """A picture where it lies, on axes in kilometres."""
    label_map(axes, grid)
    place = axes.get_window_extent()
    size = round(place.width), round(place.height)
    rgb = backdrop.rgb
    if rgb.shape[1] > size[0] and rgb.shape[0] > size[1]:
        # averaged down to the dots of the figure: matplotlib does the same in ten times the time
        rgb = np.asarray(Image.fromarray(rgb).resize(size, Image.Resampling.BOX))
    axes.imshow(rgb, extent=backdrop.extent, interpolation="antialiased", aspect="equal")


def label_map(axes: Any, grid: Grid) -> None:
    """Axes of a map in kilometres, with a frame around it."""
    axes.grid(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(True)
    kilometres = mpl.ticker.FuncFormatter(lambda value, _: f"{value / 1000:g}")
    axes.xaxis.set_major_formatter(kilometres)
    axes.yaxis.set_major_formatter(kilometres)
    axes.locator_params(nbins=7)
    inches = axes.get_window_extent().width / axes.get_figure().dpi
    axes.locator_params(axis="x", nbins=max(2, min(7, int(1.6 * inches))))  # labels side by side need room
    axes.tick_params(labelsize=7.5)
    axes.set_xlabel(f"easting (km), {CRS.from_user_input(grid.crs).name}", fontsize=8)
    axes.set_ylabel("northing (km)", fontsize=8)


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures of one shape and scale; the first thing drawn of them all is their frame."""

    frame: Frame
    axes: Any
    synthetic: bool

    def draw(
        self, path: Path, backdrop: Backdrop, title: str, lines: Sequence[tuple[BaseGeometry, float]] = ()
    ) -> None:
        """One picture under its title, with lines of given widths (points)."""
        width, total = (float(size) for size in self.frame.figure.bbox.size)
        with self.frame.picture(path, self.axes, backdrop):
            for thickness in sorted({thickness for _, thickness in lines}):
                draw_lines(self.axes, [geometry for geometry, wide in lines if wide == thickness], INK, thickness)
            text, size = fitted(plain_text(title), 0.97 * width * 0.72, 11)
            if size < 8:  # two lines instead of letters too small to read
                halves = [fitted(half, 0.97 * width * 0.72, 8.5) for half in halved(plain_text(title))]
                text, size = "\n".join(half for half, _ in halves), min(small for _, small in halves)
            self.frame.figure.text(
                0.012, 1 - 19 / total, text, va="center", fontsize=size, fontweight="bold", linespacing=1.15
            )
            if self.synthetic:
                self.frame.figure.text(
                    0.988, 60 / total, "SYNTHETIC", ha="right", va="bottom", fontsize=9, fontweight="bold",
                    color=PAPER, bbox={"boxstyle": "round,pad=0.3", "facecolor": "#9a5b12", "edgecolor": "none"},
                )  # fmt: skip


@contextmanager
def open_thumbnails(
    extent: tuple[float, float, float, float], aspect: float, scale: tuple[float, str], synthetic: bool
) -> Iterator[Thumbnails]:
    """Pictures of (west, east, south, north) with a title above and a colour bar below.

    ``aspect`` is height over width; the longer side has ``THUMBNAIL_PIXELS``. ``scale`` has the colour bar's end and
    label.
    """
    strip = 88  # pixels for title and colour bar
    width = min(THUMBNAIL_PIXELS, int((THUMBNAIL_PIXELS - strip) / aspect))
    height = round(width * aspect)
    total = height + strip
    with open_canvas((width / 100, total / 100), 100) as figure:
        axes: Any = figure.add_axes((0, 50 / total, 1, height / total))
        axes.set(xlim=extent[:2], ylim=extent[2:])
        axes.axis("off")
        small = width < 420
        limit, label = scale
        bar: Any = figure.add_axes((0.03, 32 / total, 0.5 if small else 0.55, 10 / total))
        bar.imshow(np.linspace(0, 1, 256)[np.newaxis], cmap=change_map(), aspect="auto", extent=(-limit, limit, 0, 1))
        bar.set(yticks=[], xticks=[-limit, 0, limit])
        bar.grid(False)
        bar.tick_params(labelsize=8, length=2, pad=2)
        figure.text(0.56 if small else 0.62, 37 / total, label, va="center", fontsize=8 if small else 9)
        yield Thumbnails(drawn_frame(figure, few_colours=False), axes, synthetic)


def reduced(picture: RgbArray, grid: Grid, pixels: int) -> Backdrop:
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


def draw_lines(axes: Any, geometries: Sequence[BaseGeometry], colour: str, width: float) -> None:
    segments = []
    for geometry in geometries:
        lines = geometry.boundary if geometry.geom_type.endswith("Polygon") else geometry
        segments += [
            np.asarray(part.coords)[:, :2]
            for part in shapely.get_parts(lines)
            if part.geom_type in ("LineString", "LinearRing")
        ]
    axes.add_collection(LineCollection(segments, colors=colour, linewidths=width), autolim=False)


def fitted(text: str, points: float, size: float) -> tuple[str, float]:
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
    kept = bisect_right(range(1, len(text)), points, key=lambda length: width(text[:length] + "…", size))
    return text[:kept].rstrip() + "…", size


def halved(text: str) -> tuple[str, str]:
    """A text parted at the space nearest its middle."""
    spaces = [place for place, letter in enumerate(text) if letter == " "]
    at = min(spaces, key=lambda place: abs(place - len(text) / 2), default=len(text))
    return text[:at], text[at + 1 :]


def plain_text(text: str) -> str:
    """Text that the figures' font can set: Latin letters and common punctuation."""
    kept = "".join(letter if 32 <= ord(letter) < 0x250 or letter in "–—−·±≤°’" else " " for letter in text)
    return " ".join(kept.split())[:300]
