"""Standard deviation of an elevation difference as a function of the terrain: steep and bent ground errs more."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.elevation_change.statistics import median, nmad, thinned, within_nmad
from pipeline.grid import BoolArray, FloatArray
from schemas.errors import BadInput

LEAST_PIXELS_IN_CLASS = 100
RESIDUAL_LIMIT_NMAD = 4.0
# class limits as shares of the pixels: tenths, and finer ones where few steep or bent pixels err most
SLOPE_SHARES = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97, 1)
CURVATURE_SHARES = (0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.96, 0.99, 1)
# cells of the table that every pixel is looked up in: half a megabyte, small enough for a processor's cache
SLOPE_CELLS, CURVATURE_CELLS = 512, 256
LEAST_SIGMA_M = 1e-3


@dataclass(frozen=True)
class TerrainSigma:
    """Standard deviation of dh as a function of slope and absolute maximum curvature (Hugonnet et al., 2022, eq. 5).

    Attributes
    ----------
    slope_deg, curvature_per_100m : class centres, increasing, at least two of each.
    sigma_m : shape (slopes, curvatures).
    """

    slope_deg: FloatArray
    curvature_per_100m: FloatArray
    sigma_m: FloatArray

    @cached_property
    def _cells(self) -> NDArray[np.float32]:
        """sigma between the class centres, bilinear, at the middle of evenly spaced cells; flat, slope by slope."""
        places = []
        for centres, cells in ((self.slope_deg, SLOPE_CELLS), (self.curvature_per_100m, CURVATURE_CELLS)):
            middle = centres[0] + (np.arange(cells) + 0.5) * (centres[-1] - centres[0]) / cells
            places.append(np.interp(middle, centres, np.arange(centres.size)))
        by_slope = np.stack([np.interp(places[0], np.arange(len(line)), line) for line in self.sigma_m.T], axis=1)
        table = np.stack([np.interp(places[1], np.arange(len(line)), line) for line in by_slope])
        return table.astype(np.float32).ravel()

    def on(self, slope: FloatArray, curvature: FloatArray) -> NDArray[np.float32]:
        """sigma on every pixel, float32, m; classes' end values hold beyond them, NaN where slope is unknown.

        Every pixel is looked up by itself, so the result does not depend on how a raster is cut into blocks.

        Parameters
        ----------
        slope : any shape, degrees.
        curvature : the same shape, (100 m)-1, of either sign; where unknown it counts as none.
        """
        index = _cell(slope, self.slope_deg, SLOPE_CELLS)
        index *= CURVATURE_CELLS
        index += _cell(np.abs(curvature), self.curvature_per_100m, CURVATURE_CELLS)
        result: NDArray[np.float32] = self._cells.take(index)
        result[np.isnan(slope)] = np.nan
        return result


def _cell(values: FloatArray, centres: FloatArray, cells: int) -> NDArray[np.int32]:
    """Number of the cell between the first and last class centre; NaN counts as the first."""
    scaled = np.subtract(values, np.float32(centres[0]), dtype=np.float32)
    scaled *= np.float32(cells / (centres[-1] - centres[0]))
    # fmax and fmin pass the number where the other is NaN
    np.fmax(scaled, np.float32(0), out=scaled)
    np.fmin(scaled, np.float32(cells - 1), out=scaled)
    return scaled.astype(np.int32)


def terrain_sigma(dh: FloatArray, slope: FloatArray, curvature: FloatArray, stable: BoolArray) -> TerrainSigma:
    """NMAD of stable dh in classes of slope and absolute maximum curvature (Hugonnet et al., 2022, section III-C).

    Classes with fewer than 100 pixels take the value of the nearest filled one along curvature, then slope. The field
    is scaled so that the standardised residuals have unit standard deviation.

    Parameters
    ----------
    dh, slope, curvature : one shape, m, degrees and (100 m)-1; a sample of two million pixels serves as well as all.
    stable : which of them to use; the same shape.

    Errors
    ------
    BadInput : fewer stable pixels than a single class needs.
    """
    known = stable & np.isfinite(dh) & np.isfinite(slope) & np.isfinite(curvature)
    values, steep, bent = (part[known].astype(np.float32) for part in (dh, slope, curvature))
    np.abs(bent, out=bent)
    if values.size < LEAST_PIXELS_IN_CLASS:
        raise BadInput(
            "uncertainty",
            f"{values.size} stable pixels",
            f"at least {LEAST_PIXELS_IN_CLASS}",
            "widen the area or the stable mask",
        )
    row, slopes = _classes(steep, SLOPE_SHARES)
    column, curvatures = _classes(bent, CURVATURE_SHARES)
    table = np.full((slopes.size, curvatures.size), np.nan)
    member = row * np.int16(curvatures.size) + column
    order = np.argsort(member, kind="stable")
    limits = np.searchsorted(member[order], np.arange(table.size + 1))
    grouped = values[order]
    for number in range(table.size):
        group = grouped[limits[number] : limits[number + 1]]
        if group.size >= LEAST_PIXELS_IN_CLASS:
            table.flat[number] = nmad(group)
    filled = np.maximum(_fill_nearest(table, nmad(thinned(values))), LEAST_SIGMA_M)
    return _scaled(TerrainSigma(slopes, curvatures, filled), values, steep, bent)


def _scaled(model: TerrainSigma, values: FloatArray, steep: FloatArray, bent: FloatArray) -> TerrainSigma:
    """The model times what makes the standard deviation of the residuals within 4 NMAD one."""
    residual = values / model.on(steep, bent)
    inside = residual[within_nmad(residual, np.ones(residual.shape, bool), RESIDUAL_LIMIT_NMAD)]
    spread = float(inside.std(dtype=np.float64))
    return TerrainSigma(model.slope_deg, model.curvature_per_100m, model.sigma_m * max(spread, LEAST_SIGMA_M))


def _classes(values: FloatArray, shares: tuple[float, ...]) -> tuple[NDArray[np.int16], FloatArray]:
    """Class of every value, and the median of each class; limits at the given shares of the values."""
    sample = np.sort(thinned(values))
    limits = np.unique(np.quantile(sample, shares[1:-1]))
    member = np.searchsorted(limits.astype(np.float32), values, "right").astype(np.int16)
    among = np.searchsorted(limits, sample, "right")
    bounds = np.searchsorted(among, np.arange(limits.size + 2))
    centres = [median(sample[a:b]) for a, b in pairwise(bounds) if b > a]
    numbers = np.flatnonzero(np.diff(bounds) > 0)
    # a class that the sample leaves empty joins the one below it
    renumbered = np.maximum(np.searchsorted(numbers, np.arange(limits.size + 1), "right") - 1, 0).astype(np.int16)
    increasing = np.array(centres) + 1e-6 * np.arange(len(centres))
    if increasing.size == 1:
        # one class only: a second centre gives the table a width
        increasing = np.array([increasing[0], increasing[0] + 1.0])
    return renumbered[member], increasing


def _fill_nearest(table: FloatArray, fallback: float) -> FloatArray:
    filled = table.copy()
    for lines in (filled, filled.T):
        for line in lines:
            known = np.nonzero(np.isfinite(line))[0]
            if known.size and known.size < line.size:
                nearest = known[np.abs(np.arange(line.size)[:, None] - known).argmin(axis=1)]
                line[:] = line[nearest]
    return np.where(np.isfinite(filled), filled, fallback)
