"""Error of sums over the pixels of single glaciers and of all of them together, with the correlation between them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from math import ceil, prod, sqrt

import numpy as np

from pipeline.blocks import Window
from pipeline.elevation_change.glaciers.elevation_profile import sums_of
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, IntArray
from pipeline.elevation_change.uncertainty import CovarianceIntegrator, Variogram, block_side
from pipeline.grid import FloatArray

# pixels of a region are summed up in blocks so that about so many blocks cover it
BLOCKS_OF_REGION = 1 << 17


class ShapeError:
    """Standard deviations of weighted sums over the pixels of one glacier, exact for boxes of up to a million pixels.

    Parameters
    ----------
    variogram : correlation of the pixels' errors.
    """

    def __init__(self, pixels: GlacierPixels, variogram: Variogram, pixel_m: float) -> None:
        rows, columns = pixels.window
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        self._integrator = CovarianceIntegrator(shape, variogram, pixel_m, block_side(shape))
        self._row, self._column = pixels.row - rows.start, pixels.column - columns.start

    def of_sum(self, weights: FloatArray) -> float:
        """Standard deviation of the sum of (weight x standardised error); weights of any sign, shape (pixels,).

            sigma^2 = sum_i sum_j w_i w_j rho(|x_i - x_j|)

        Parameters
        ----------
        weights : of any sign, shape (pixels,); m where the sum is to be in m.

        Source
        ------
        Hugonnet et al. (2022), eq. 18; integrated exactly over the glacier's own shape.
        """
        block = self._integrator.block
        shape = (ceil(self._integrator.shape[0] / block), ceil(self._integrator.shape[1] / block))
        cell = (self._row // block) * shape[1] + self._column // block
        sums = sums_of(cell, weights, prod(shape)).reshape(shape)
        return self._integrator.sigma_of_blocks(sums, float(weights @ weights))


@dataclass
class _Class:
    """Sums over blocks of the region that belong together, and what single glaciers know better."""

    cells: list[IntArray] = field(default_factory=list)
    sums: list[FloatArray] = field(default_factory=list)
    squares: float = 0.0
    # variance within single glaciers: the exact one less the one by blocks
    excess: float = 0.0


class RegionError:
    """Standard deviations of sums over the pixels of many glaciers.

    Within a glacier the covariance is summed exactly, between glaciers over blocks of pixels: sigma^2 = sum over
    blocks of all glaciers + sum over glaciers (exact variance - their own sum over blocks).

    Parameters
    ----------
    windows : box of each glacier in pixels.
    variogram : correlation of the pixels' errors.
    """

    def __init__(self, windows: Iterable[Window], variogram: Variogram, pixel_m: float) -> None:
        boxes = np.array(
            [(r.start, r.stop, c.start, c.stop) for r, c in windows if r.stop > r.start and c.stop > c.start]
        )
        boxes = boxes.reshape(-1, 4)
        self._origin = tuple(boxes[:, [0, 2]].min(axis=0)) if len(boxes) else (0, 0)
        size = boxes[:, [1, 3]].max(axis=0) - self._origin if len(boxes) else np.ones(2, int)
        self._block = max(1, ceil(sqrt(prod(map(int, size)) / BLOCKS_OF_REGION)))
        self._shape = (ceil(size[0] / self._block), ceil(size[1] / self._block))
        largest = (boxes[:, [1, 3]] - boxes[:, [0, 2]]).max(axis=0) if len(boxes) else np.ones(2, int)
        # a box that does not begin with a block touches one more
        self._own_shape = (int(largest[0]) // self._block + 2, int(largest[1]) // self._block + 2)
        self._own = self._integrator(self._own_shape, variogram, pixel_m)
        self._variogram, self._pixel_m = variogram, pixel_m
        self._classes: dict[Hashable, _Class] = {}

    def _integrator(self, shape: tuple[int, int], variogram: Variogram, pixel_m: float) -> CovarianceIntegrator:
        return CovarianceIntegrator((shape[0] * self._block, shape[1] * self._block), variogram, pixel_m, self._block)

    def add(self, name: Hashable, row: IntArray, column: IntArray, weights: FloatArray, sigma_of_sum: float) -> None:
        """Add pixels of one glacier to a sum of the region.

        Parameters
        ----------
        name : of the sum.
        row, column, weights : shape (pixels,): where they lie; a pixel's sigma times its share in the sum.
        sigma_of_sum : ``ShapeError.of_sum`` of these weights.
        """
        if row.size == 0:
            return
        row, column = (row - self._origin[0]) // self._block, (column - self._origin[1]) // self._block
        first = (int(row.min()), int(column.min()))
        place = (row - first[0]) * self._own_shape[1] + column - first[1]
        sums = sums_of(place, weights, prod(self._own_shape))
        squares = float(weights @ weights)
        known = self._classes.setdefault(name, _Class())
        filled = np.flatnonzero(sums)
        rows, columns = np.divmod(filled, self._own_shape[1])
        known.cells.append((rows + first[0]) * self._shape[1] + columns + first[1])
        known.sums.append(sums[filled])
        known.squares += squares
        by_blocks = self._own.sigma_of_blocks(sums.reshape(self._own_shape), squares)
        known.excess += sigma_of_sum**2 - by_blocks**2

    def of_sums(self) -> dict[Hashable, float]:
        """Standard deviation of every sum."""
        integrator = self._integrator(self._shape, self._variogram, self._pixel_m)
        return {name: self._of(known, integrator) for name, known in self._classes.items()}

    def _of(self, known: _Class, integrator: CovarianceIntegrator) -> float:
        sums = sums_of(np.concatenate(known.cells), np.concatenate(known.sums), prod(self._shape))
        by_blocks = integrator.sigma_of_blocks(sums.reshape(self._shape), known.squares)
        return sqrt(max(by_blocks**2 + known.excess, 0.0))
