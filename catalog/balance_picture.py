"""The balance of a year in colour over shaded relief, with its isolines and the outline, as a picture with a place.

A field of some hundred pixels a side shows its lines as stairs; the picture is therefore drawn on finer pixels. Colours
between the pixels of the field are interpolated, which is for the eye alone: the numbers are those of the field.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.ndimage import distance_transform_edt, zoom
from shapely.geometry.base import BaseGeometry

from catalog.cogs import VISUAL_NODATA
from catalog.colours import INK, RgbArray, hillshade, paint
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.mass_balance.result import BalanceField, Isoline

# longest side that is worth drawing; a field that has it already keeps its pixels
_ENOUGH_PIXELS = 1200
_MOST_PARTS = 8
_LEAST_LIGHT = 0.55
_INK_RGB = np.array([int(INK[at : at + 2], 16) for at in (1, 3, 5)], np.uint8)


@dataclass(frozen=True)
class BalancePicture:
    """A drawn field: uint8 (3, rows, columns), 0 where nothing is known, and where its pixels lie."""

    rgb: RgbArray
    grid: Grid


def draw_balance(field: BalanceField, outline: BaseGeometry | None, limit_m_we: float) -> BalancePicture:
    """Draw a balance field on the scale from -limit to limit (m w.e.).

    The line of zero balance is drawn three pixels wide, the outline and isolines at half metres two, others one.
    """
    parts = max(1, min(_MOST_PARTS, _ENOUGH_PIXELS // max(field.grid.shape)))
    grid = _finer(field.grid, parts)
    on_glacier = _on_glacier(field, outline, grid, parts)
    rgb = _coloured(field, on_glacier, (limit_m_we, parts), grid)
    ordinary = [line for line in field.isolines if not _is_half(line)]
    strong = [line.geometry for line in field.isolines if _is_half(line)]
    zero = [line.geometry for line in field.isolines if line.balance_m_we == 0]
    _draw(rgb, grid, (line.geometry for line in ordinary), 1, 0.45)
    _draw(rgb, grid, strong, 2, 0.85)
    _draw(rgb, grid, zero, 3, 1.0)
    if outline is not None:
        _draw(rgb, grid, [outline.boundary], 2, 1.0)
    return BalancePicture(rgb, grid)


def _finer(grid: Grid, parts: int) -> Grid:
    t = grid.transform
    rows, columns = grid.shape
    return Grid(grid.crs, Affine(t.a / parts, 0, t.c, 0, t.e / parts, t.f), (rows * parts, columns * parts))


def _on_glacier(field: BalanceField, outline: BaseGeometry | None, grid: Grid, parts: int) -> BoolArray:
    """Where the balance is shown: within the outline, or where the field has values when there is no outline."""
    if outline is None:
        return _wider(np.isfinite(field.balance_m_we), parts)
    burnt = rasterize([(outline, 1)], out_shape=grid.shape, transform=grid.transform, dtype="uint8")
    inside: BoolArray = burnt == 1
    return inside


def _coloured(field: BalanceField, on_glacier: BoolArray, scale: tuple[float, int], grid: Grid) -> RgbArray:
    limit_m_we, parts = scale
    shade = hillshade(_between(field.surface_m, parts), grid.pixel_size, exaggeration=1.5)
    shade = np.where(_wider(np.isfinite(field.surface_m), parts), shade, np.nan)
    relief = np.where(np.isfinite(shade), _LEAST_LIGHT + (1 - _LEAST_LIGHT) * shade, 0.95)
    balance = _between(field.balance_m_we, parts)
    shown = on_glacier & np.isfinite(balance)
    # colours are shaded lightly, so that they can still be read off the scale
    light = np.where(shown, 0.8 + 0.2 * relief, relief)[..., np.newaxis]
    colours = np.where(shown[..., np.newaxis], paint(balance, limit_m_we), 0.97) * light
    known = shown | np.isfinite(shade)
    # a drawn pixel is at least 1: 0 is kept for "nothing here"
    drawn = np.where(known[..., np.newaxis], np.clip(np.rint(colours * 255), 1, 255), VISUAL_NODATA)
    picture: RgbArray = np.ascontiguousarray(np.moveaxis(drawn, -1, 0).astype(np.uint8))
    return picture


def _wider(mask: BoolArray, parts: int) -> BoolArray:
    return mask.repeat(parts, axis=0).repeat(parts, axis=1)


def _between(values: FloatArray, parts: int) -> FloatArray:
    """Values on pixels ``parts`` times finer, linear between the centres; where there is none, those of the nearest."""
    known = np.isfinite(values)
    if not known.any():
        return np.full((values.shape[0] * parts, values.shape[1] * parts), np.nan)
    filled = np.asarray(values, np.float32)
    if not known.all():
        nearest = distance_transform_edt(~known, return_distances=False, return_indices=True)
        filled = filled[tuple(nearest)]
    if parts == 1:
        return filled
    finer: FloatArray = zoom(filled, parts, order=1, mode="nearest", grid_mode=True)
    return finer


def _draw(rgb: RgbArray, grid: Grid, lines: Iterable[BaseGeometry], width: int, strength: float) -> None:
    """Blend lines of so many pixels into the picture, where it shows anything."""
    half = 0.5 * (width - 1) * min(grid.pixel_size)
    shapes: list[tuple[Any, int]] = [
        (line.buffer(half) if half else line, 1) for line in lines if not line.is_empty and line.length > 0
    ]
    if not shapes:
        return
    burnt = rasterize(shapes, out_shape=grid.shape, transform=grid.transform, dtype="uint8", all_touched=width > 1)
    here = (burnt == 1) & (rgb != VISUAL_NODATA).any(axis=0)
    under = rgb[:, here].astype(np.float32)
    mixed = (1 - strength) * under + strength * _INK_RGB[:, np.newaxis]
    rgb[:, here] = np.clip(np.rint(mixed), 1, 255).astype(np.uint8)


def _is_half(line: Isoline) -> bool:
    return abs(line.balance_m_we * 2 - round(line.balance_m_we * 2)) < 1e-6
