"""The colours of the archive: perceptually even, and told apart by readers with a colour-vision deficiency."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.elevation_change.result import EXCLUDED, GLACIER, STABLE, VOID
from pipeline.grid import FloatArray

RgbArray = NDArray[np.uint8]

INK, PAPER, MUTED = "#1d2733", "#ffffff", "#6b7785"
LOSS, GAIN, NEUTRAL = "#a5231f", "#1f4e9c", "#3d4a57"
ACCENT = "#d9822b"
WINTER_COLOUR, SUMMER_COLOUR = "#3b7cc4", "#e08a3c"

CLASS_COLOURS: dict[int, tuple[int, int, int]] = {
    VOID: (233, 236, 239),
    STABLE: (191, 178, 150),
    GLACIER: (70, 150, 205),
    EXCLUDED: (128, 118, 128),
}

# Paths in the a-b plane of CIELAB, from the light end to the dark one. Lightness falls evenly along each, and alike on
# both arms of the diverging scale, so that the size of a change reads in grey print and by every eye; hue and chroma
# take even steps too.
_LIGHT, _DARK = 96.5, 22.0
_RED_ARM = ((0.0, 0.0), (18.0, 14.0), (38.0, 28.0), (56.0, 38.0), (40.0, 24.0))
_BLUE_ARM = ((0.0, 0.0), (-6.0, -14.0), (-4.0, -30.0), (8.0, -46.0), (16.0, -40.0))
# for uncertainty: hue turns from yellow to violet
_SEQUENTIAL = ((-3.0, 16.0), (4.0, 40.0), (28.0, 34.0), (36.0, 4.0), (24.0, -24.0))

_D65 = np.array([0.95047, 1.0, 1.08883])
_XYZ_TO_RGB = np.array(
    [[3.2404542, -1.5371385, -0.4985314], [-0.9692660, 1.8760108, 0.0415560], [0.0556434, -0.2040259, 1.0572252]]
)


@cache
def change_colours() -> FloatArray:
    """Diverging table, shape (256, 3), sRGB 0-1: red (loss) over near-white to blue (gain).

    Lightness (CIELAB) falls evenly from the middle to either end, alike on both arms.
    """
    red, blue = _even_path(_RED_ARM, 128), _even_path(_BLUE_ARM, 128)
    return np.vstack([red[::-1], blue])


@cache
def amount_colours() -> FloatArray:
    """Sequential table, shape (256, 3), sRGB 0-1: lightness (CIELAB) falls evenly from the first to the last."""
    return _even_path(_SEQUENTIAL, 256)


def change_map() -> Any:
    """``change_colours`` as a matplotlib colour map."""
    from matplotlib.colors import ListedColormap  # only what draws pays for loading matplotlib

    return ListedColormap(change_colours(), "glacier_change")


def paint(values: FloatArray, limit: float) -> FloatArray:
    """Colours of ``values`` on the diverging scale from -limit to limit; float32 (..., 3), 0-1, white where NaN."""
    known = np.isfinite(values)
    table = np.vstack([change_colours(), np.ones((1, 3))]).astype(np.float32)
    painted: FloatArray = table[np.where(known, scale_place(np.where(known, values, 0), limit), 256)]
    return painted


def scale_place(values: FloatArray, limit: float) -> NDArray[np.uint16]:
    """Place in ``change_colours`` of each value on the scale from -limit to limit; what lies beyond has an end's."""
    place: NDArray[np.uint16] = np.clip((values / limit + 1) * 127.5 + 0.5, 0, 255).astype(np.uint16)
    return place


def symmetric_limit(values: FloatArray, share: float = 0.98) -> float:
    """End of a scale centred on zero: the ``share`` quantile of |values|, rounded up to a number that reads well."""
    finite = np.abs(values[np.isfinite(values)])
    size = float(np.quantile(finite, share)) if finite.size else 0.0
    if size <= 0:
        return 1.0
    power = 10.0 ** np.floor(np.log10(size))
    return float(
        next(step * power for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15) if step * power >= size * (1 - 1e-9))
    )


def hillshade(surface_m: FloatArray, pixel_m: tuple[float, float], exaggeration: float = 1.0) -> FloatArray:
    """Shaded relief 0-1, shape of the surface, for display only.

    Lit from the north-west and from overhead, so that slopes facing away keep their detail; NaN where the surface is.
    """
    heights = np.asarray(surface_m, np.float32) * np.float32(exaggeration)
    d_row, d_column = (
        # a single line of pixels has no slope across
        np.gradient(heights, spacing, axis=axis) if heights.shape[axis] > 1 else np.zeros_like(heights)
        for axis, spacing in enumerate(pixel_m[::-1])
    )
    length = np.sqrt(1 + d_row**2 + d_column**2)
    # the normal is (-dz/dE, -dz/dN, 1) with northing against the row; light from azimuth 315 at 45 degrees
    oblique = np.clip((0.5 * d_column + 0.5 * d_row + np.sqrt(0.5)) / length, 0, 1)
    shade: FloatArray = np.clip(0.75 * oblique + 0.25 / length, 0, 1)
    return shade


def _even_path(knots: tuple[tuple[float, float], ...], count: int) -> FloatArray:
    """``count`` sRGB colours, lightness falling evenly, at equal distances along a smooth path through the knots."""
    dense = _smooth(np.array(knots), 2001)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(dense, axis=0), axis=1))])
    at = np.linspace(0, length[-1], count)
    a_b = np.column_stack([np.interp(at, length, dense[:, channel]) for channel in range(2)])
    return _srgb(np.column_stack([np.linspace(_LIGHT, _DARK, count), a_b]))


def _smooth(points: FloatArray, count: int) -> FloatArray:
    """A polynomial through few points is smooth and needs no spline library."""
    at = np.linspace(0, 1, len(points))
    fine = np.linspace(0, 1, count)
    return np.column_stack(
        [np.polyval(np.polyfit(at, points[:, k], len(points) - 1), fine) for k in range(points.shape[1])]
    )


def _srgb(lab: FloatArray) -> FloatArray:
    """CIELAB (D65) to sRGB 0-1 (CIE 1976; IEC 61966-2-1)."""
    fy = (lab[:, 0] + 16) / 116
    f = np.column_stack([fy + lab[:, 1] / 500, fy, fy - lab[:, 2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * _D65
    linear = np.clip(xyz @ _XYZ_TO_RGB.T, 0, 1)
    encoded: FloatArray = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return encoded
