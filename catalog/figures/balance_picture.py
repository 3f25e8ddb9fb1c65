"""The balance of a year in colour over shaded relief, with its isolines and the outline, as a picture with a place.

A field of some hundred pixels a side shows its lines as stairs; the picture is therefore drawn on finer pixels. Colours
between the pixels of the field are interpolated, which is for the eye alone: the numbers are those of the field.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import IdentityTransform
from PIL import Image
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import distance_transform_edt
from shapely.geometry.base import BaseGeometry

from catalog.figures.colours import INK, RgbArray, change_colours, hillshade, scale_place
from catalog.formats import VISUAL_NODATA
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.mass_balance.result import BalanceField, Isoline

# longest side that is worth drawing; a field that has it already keeps its pixels
_ENOUGH_PIXELS = 1200
_MOST_PARTS = 8
_LEAST_LIGHT = 0.55
_BARE = 0.97  # brightness of ground without a balance
_INK_RGB = tuple(int(INK[at : at + 2], 16) / 255 for at in (1, 3, 5))
_UNTYPED_RENDERER: Any = RendererAgg


@dataclass(frozen=True)
class BalancePicture:
    """A drawn field: uint8 (3, rows, columns), 0 where nothing is known, and where its pixels lie."""

    rgb: RgbArray
    grid: Grid


@dataclass(frozen=True, kw_only=True)
class ShadedGround:
    """The shaded relief of a surface, on which the balance of any year can be drawn.

    Attributes
    ----------
    surface_m : the surface, on ``coarse``.
    parts : of a pixel of ``coarse`` on either side, each a pixel of ``grid``.
    relief : light from ``_LEAST_LIGHT`` to 1, float32, shape grid.shape; NaN where the surface is.
    """

    surface_m: FloatArray
    coarse: Grid
    grid: Grid
    parts: int
    relief: FloatArray

    def serves(self, field: BalanceField) -> bool:
        """Whether this is the ground of a field."""
        return field.surface_m is self.surface_m and field.grid == self.coarse


def ground_of(field: BalanceField) -> ShadedGround:
    """The ground of a field."""
    parts = max(1, min(_MOST_PARTS, _ENOUGH_PIXELS // max(field.grid.shape)))
    grid = _finer(field.grid, parts)
    shade = hillshade(_between(field.surface_m, parts), grid.pixel_size, exaggeration=1.5)
    relief = np.asarray(_LEAST_LIGHT + (1 - _LEAST_LIGHT) * shade, np.float32)
    relief[~_wider(np.isfinite(field.surface_m), parts)] = np.nan
    return ShadedGround(surface_m=field.surface_m, coarse=field.grid, grid=grid, parts=parts, relief=relief)


def draw_balance(field: BalanceField, limit_m_we: float, ground: ShadedGround | None = None) -> BalancePicture:
    """Draw a balance field on the scale from -limit to limit (m w.e.).

    The line of zero balance is drawn three pixels wide, the outline and isolines at half metres two, others one.
    ``ground`` of the field, where it was made already for another year.
    """
    ground = ground or ground_of(field)
    grid = ground.grid
    rgb = _coloured(field, _on_glacier(field, ground), limit_m_we, ground)
    ordinary = [line.geometry for line in field.isolines if not _is_half(line)]
    strong = [line.geometry for line in field.isolines if _is_half(line)]
    zero = [line.geometry for line in field.isolines if line.balance_m_we == 0]
    border = [] if field.outline is None else [field.outline.boundary]
    pens = ((ordinary, 1.0, 0.45), (strong, 2.0, 0.85), (zero, 3.0, 1.0), (border, 2.0, 1.0))
    return BalancePicture(_with_lines(rgb, grid, pens), grid)


def _finer(grid: Grid, parts: int) -> Grid:
    t = grid.transform
    rows, columns = grid.shape
    return Grid(grid.crs, Affine(t.a / parts, 0, t.c, 0, t.e / parts, t.f), (rows * parts, columns * parts))


def _on_glacier(field: BalanceField, ground: ShadedGround) -> BoolArray:
    """Where the balance is shown: within the outline, or where the field has values when there is no outline."""
    if field.outline is None:
        return _wider(np.isfinite(field.balance_m_we), ground.parts)
    grid = ground.grid
    burnt = rasterize([(field.outline, 1)], out_shape=grid.shape, transform=grid.transform, dtype="uint8")
    inside: BoolArray = burnt == 1
    return inside


def _coloured(field: BalanceField, on_glacier: BoolArray, limit_m_we: float, ground: ShadedGround) -> RgbArray:
    relief = np.nan_to_num(ground.relief, nan=0.95)
    balance = _between(field.balance_m_we, ground.parts)
    shown = on_glacier & np.isfinite(balance)
    # colours are shaded lightly, so that they can still be read off the scale
    light = np.where(shown, 0.8 + 0.2 * relief, relief)
    place = np.where(shown, scale_place(balance, limit_m_we), len(change_colours()))
    colours = np.vstack([change_colours(), np.full((1, 3), _BARE)]).astype(np.float32) * 255
    picture = np.empty((3, *ground.grid.shape), np.uint8)
    for band in range(3):
        # a drawn pixel is at least 1: 0 is kept for "nothing here"
        picture[band] = np.clip(np.rint(colours[place, band] * light), 1, 255)
    picture[:, ~shown & np.isnan(ground.relief)] = VISUAL_NODATA
    return picture


def _wider(mask: BoolArray, parts: int) -> BoolArray:
    return mask.repeat(parts, axis=0).repeat(parts, axis=1)


def _between(values: FloatArray, parts: int) -> FloatArray:
    """Values on pixels ``parts`` times finer, linear between the centres; where there is none, those of the nearest."""
    known = np.isfinite(values)
    rows, columns = (size * parts for size in values.shape)
    if not known.any():
        return np.full((rows, columns), np.nan, np.float32)
    filled = np.asarray(values, np.float32)
    if not known.all():
        nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
        filled = filled[tuple(nearest)]
    if parts == 1:
        return filled
    finer: FloatArray = np.asarray(Image.fromarray(filled).resize((columns, rows), Image.Resampling.BILINEAR))
    return finer


def _with_lines(rgb: RgbArray, grid: Grid, pens: Sequence[tuple[Sequence[BaseGeometry], float, float]]) -> RgbArray:
    """The picture with lines of so many pixels and such strength over what it shows."""
    rows, columns = grid.shape
    renderer = _UNTYPED_RENDERER(columns, rows, 72)
    pixels = np.asarray(renderer.buffer_rgba())
    pixels[..., :3], pixels[..., 3] = np.moveaxis(rgb, 0, -1), 255
    for lines, width, strength in pens:
        path = _path_of(lines, grid)
        if path is not None:
            pen = renderer.new_gc()
            pen.set_foreground((*_INK_RGB, strength), isRGBA=True)
            pen.set_linewidth(width)
            renderer.draw_path(pen, path, IdentityTransform())
    known = (rgb != VISUAL_NODATA).any(axis=0)
    inked = np.maximum(np.moveaxis(pixels[..., :3], -1, 0), 1)  # 0 is kept for "nothing here"
    drawn: RgbArray = np.where(known, inked, VISUAL_NODATA).astype(np.uint8)
    return drawn


def _path_of(lines: Sequence[BaseGeometry], grid: Grid) -> Path | None:
    """Lines in pixels from the lower left; None of nothing."""
    parts = [shapely.get_coordinates(part) for line in lines for part in shapely.get_parts(line)]
    parts = [part for part in parts if len(part) > 1]
    if not parts:
        return None
    west, south, _, _ = grid.bounds
    codes = np.concatenate([[Path.MOVETO, *[Path.LINETO] * (len(part) - 1)] for part in parts])
    path = Path((np.concatenate(parts) - (west, south)) / grid.pixel_size, codes)
    path.should_simplify = False  # the reader's own settings would have a say
    return path


def _is_half(line: Isoline) -> bool:
    return abs(line.balance_m_we * 2 - round(line.balance_m_we * 2)) < 1e-6
