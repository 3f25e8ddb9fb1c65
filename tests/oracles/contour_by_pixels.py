"""The contour method pixel by pixel, without any isoline: what the polygons between isolines must agree with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.grid import FloatArray
from pipeline.mass_balance.glacier_wide.contour_method import BalanceClass, class_levels, contour_balance


def classes_of_pixels(balance_m_we: FloatArray, area: FloatArray, interval: float) -> list[BalanceClass]:
    """The classes of a field given pixel by pixel; the uppermost class is closed above."""
    levels = class_levels(float(balance_m_we.min()), float(balance_m_we.max()), interval)
    areas, _ = np.histogram(balance_m_we, levels, weights=area)
    return [BalanceClass(float(levels[k]), float(levels[k + 1]), float(areas[k])) for k in range(len(areas))]


def clipped_contour_balance(classes: Sequence[BalanceClass], lowest: float, highest: float) -> float:
    """The same with the outer classes ending at the field's lowest and highest value instead of the next isoline."""
    clipped = [BalanceClass(max(part.lower_m_we, lowest), min(part.upper_m_we, highest), part.area) for part in classes]
    return contour_balance(clipped)
