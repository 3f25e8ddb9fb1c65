"""Standard deviation of a co-registration's shift, with residuals that are correlated in space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.blocks import Raster, Runner, Window
from pipeline.elevation_change.coregistration import SLOPE_ERROR_RATIO
from pipeline.elevation_change.result import Shift
from pipeline.elevation_change.terrain import gradient
from pipeline.elevation_change.uncertainty.covariance_integral import CovarianceIntegrator, sum_up
from pipeline.elevation_change.uncertainty.empirical_variogram import spread_tiles
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.grid import FloatArray
from schemas.errors import BadInput

# relief faces every way within one tile, so that what tiles apart do to the horizontal shift cancels
TILE, MOST_TILES = 384, 36
# least absolute deviations of normal errors vary by pi / 2 more than least squares, as far as pixels are independent
LEAST_ABSOLUTE_EXCESS = np.pi / 2 - 1


def sigma_of_shift(
    reference: Raster,
    residual: Raster,
    sigma: Raster,
    variogram: Variogram,
    pixel_m: float,
    runner: Runner | None = None,
    moved: Raster | None = None,
) -> Shift:
    """Standard deviation of (east, north, up), m: of least absolute deviations sideways, of a mean upwards.

    Least absolute deviations of p (d - x's), with design x = (-dz/dE, -dz/dN, 1) and p = 1 / sqrt(1 + tan^2(slope) /
    h^2) as in the co-registration, weigh a pixel like least squares do with w = p / sigma. So the shift's covariance is
    N^-1 M N^-T with N = sum w x y' and M = sum_i sum_j p_i p_j x_i x_j' C(|i - j|), plus what is lost against least
    squares on independent normal errors (a factor pi / 2, as for the median against the mean). y is how the difference
    answers to a shift: by the slopes of the DEM that is moved. Where that is the coarser one they are gentler than
    those of the reference in x, and the same errors move the shift farther. M is integrated exactly within tiles at
    full resolution. The vertical shift then is settled on the mean of stable terrain: its variance is that mean's, over
    all stable pixels at once, plus what the horizontal one does to it through the mean slope m, m' cov m.

    Parameters
    ----------
    reference : heights whose slopes carry the fit, m, NaN where void; shape (rows, columns).
    residual : standardised residuals, NaN off stable terrain; the same shape.
    sigma : standard deviation of dh, m; the same shape.
    moved : heights of the aligned DEM where it was moved to, m; the reference's slopes stand for it when absent.

    Errors
    ------
    BadInput : no stable pixel with a slope, or slopes that face one way only.
    """
    stable = sum_up(sigma, residual, member=None, runner=runner)
    shape = (residual.shape[0], residual.shape[1])
    tiles = spread_tiles(shape, stable.sums > 0, stable.block, TILE, MOST_TILES)
    function = _Tile(
        reference=reference, moved=moved, residual=residual, sigma=sigma, variogram=variogram, pixel_m=pixel_m
    )
    of_tiles = sum(map(function, tiles) if runner is None else runner.map(function, tiles), _TileSums.nothing())
    count = max(of_tiles.count, 1)
    if np.linalg.matrix_rank(of_tiles.normal / count, tol=1e-6) < 3:
        raise BadInput(
            "stable terrain",
            f"{of_tiles.count} pixels with a slope, or slopes that face one way only",
            "slopes of many aspects",
            "widen the area or the stable mask",
        )
    # a pixel's share, so that tiles stand for the whole: the variance of a sum grows with the number of pixels
    middle = of_tiles.middle + LEAST_ABSOLUTE_EXCESS * variogram.sill * of_tiles.independent
    inverse = np.linalg.inv(of_tiles.normal)
    covariance = (inverse @ middle @ inverse.T)[:2, :2] * count / max(stable.count, 1)
    slope = of_tiles.normal[2, :2] / of_tiles.normal[2, 2]
    of_mean = stable.sigma_of_sum(variogram, pixel_m) / max(stable.count, 1)
    east, north = np.sqrt(np.maximum(np.diag(covariance), 0.0)).tolist()
    return Shift(east, north, float(np.hypot(of_mean, np.sqrt(max(slope @ covariance @ slope, 0.0)))))


@dataclass(frozen=True, kw_only=True)
class _TileSums:
    """Sums over the pixels of tiles, which add up.

    Attributes
    ----------
    normal : sum of p / sigma x y', shape (3, 3), m-1.
    middle : covariance of the sum of p x times the standardised errors, shape (3, 3).
    independent : sum of p^2 x x', shape (3, 3).
    count : pixels.
    """

    normal: FloatArray
    middle: FloatArray
    independent: FloatArray
    count: int

    @classmethod
    def nothing(cls) -> _TileSums:
        return cls(normal=np.zeros((3, 3)), middle=np.zeros((3, 3)), independent=np.zeros((3, 3)), count=0)

    def __add__(self, other: _TileSums) -> _TileSums:
        return _TileSums(
            normal=self.normal + other.normal,
            middle=self.middle + other.middle,
            independent=self.independent + other.independent,
            count=self.count + other.count,
        )


@dataclass(frozen=True, kw_only=True)
class _Tile:
    """The sums of one tile."""

    reference: Raster
    moved: Raster | None
    residual: Raster
    sigma: Raster
    variogram: Variogram
    pixel_m: float

    def __call__(self, tile: Window) -> _TileSums:
        east, north = self._gradient(self.reference, tile)
        sigma = np.asarray(self.sigma[tile])
        used = np.isfinite(np.asarray(self.residual[tile])) & np.isfinite(east) & np.isfinite(sigma)
        design = np.zeros((3, *used.shape))
        design[0], design[1], design[2] = np.where(used, -east, 0), np.where(used, -north, 0), used
        pull = used / np.sqrt(1 + (design[0] ** 2 + design[1] ** 2) / SLOPE_ERROR_RATIO**2)
        deviation = np.where(used, sigma, np.float32(1)).astype(np.float64)
        answer = design
        if self.moved is not None:
            slopes = self._gradient(self.moved, tile)
            answer = np.stack([*(np.where(used & np.isfinite(part), -part, 0) for part in slopes), design[2]])
        normal = np.einsum("aij,bij,ij->ab", design, answer, pull / deviation)
        design *= pull
        return _TileSums(
            normal=normal,
            middle=CovarianceIntegrator(used.shape, self.variogram, self.pixel_m).covariance_of_sums(design),
            independent=np.einsum("aij,bij->ab", design, design),
            count=int(np.count_nonzero(used)),
        )

    def _gradient(self, heights: Raster, tile: Window) -> tuple[FloatArray, FloatArray]:
        """Slopes of a tile: its heights are read with one pixel more around it, as far as there are any."""
        wide, inner = [], []
        for part, size in zip(tile, heights.shape, strict=True):
            start = max(0, part.start - 1)
            wide.append(slice(start, min(size, part.stop + 1)))
            inner.append(slice(part.start - start, part.stop - start))
        east, north = gradient(np.asarray(heights[wide[0], wide[1]]), self.pixel_m)
        return east[inner[0], inner[1]], north[inner[0], inner[1]]
