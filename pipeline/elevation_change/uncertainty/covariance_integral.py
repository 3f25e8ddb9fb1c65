"""Standard deviation of a mean or a weighted sum over any shape, from every pixel's sigma and their covariance."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, prod, sqrt

import numpy as np
from scipy.fft import fft, next_fast_len, rfft

from pipeline.blocks import Block, Raster, Runner
from pipeline.elevation_change.uncertainty.variogram import REACH, Variogram, correlation
from pipeline.grid import BoolArray, FloatArray

# numbers that a step of a transform holds at once: its memory is bounded however large the shape
CHUNK = 1 << 20
# two threads for transforms that are worth it; their result does not depend on it
MANY = 1 << 18
# up to so many blocks apart, the covariance of two blocks is averaged over all pairs of their pixels
NEAR_BLOCKS = 8
# a raster is summed up in blocks of pixels so that about a million blocks remain
MOST_BLOCKS = 1 << 20
ROWS_PIXELS = 1 << 19


class CovarianceIntegrator:
    """Standard deviations of means over shapes within one box, by summing the covariance of all pixel pairs.

    sigma^2 = (1 / n^2) sum_i sum_j sigma_i sigma_j C(|i - j|), the double sum that Rolstad et al. (2009, eq. 8) and
    Hugonnet et al. (2022, eq. 18) approximate by a disc or by samples; here exact, by FFT (Parseval): the covariance's
    spectrum is computed once a box and serves every shape in it. A box of n pixels takes about 40 n bytes.

    With ``block`` = k > 1 the pixels are first summed up in blocks of k x k. The covariance of two near blocks is the
    mean over all pairs of their pixels, of far ones that of their centres, and every pixel's own variance counts
    exactly: within 1 % of the double sum for shapes several blocks wide, at a k^2-th of its price.

    Parameters
    ----------
    shape : (rows, columns) of the box, pixels.
    pixel_m : pixel size, m.
    block : pixels along the side of a block.
    """

    def __init__(self, shape: tuple[int, int], variogram: Variogram, pixel_m: float, block: int = 1) -> None:
        self.shape, self.block = shape, block
        blocks = [ceil(size / block) for size in shape]
        # beyond the reach of the covariance it is zero, so that padding by it suffices
        reach = ceil(variogram.reach_m / (pixel_m * block)) + 1
        halves = [next_fast_len(max(1, ceil((size + min(size - 1, reach)) / 2)), real=True) for size in blocks]
        self._padded = (2 * halves[0], 2 * halves[1])
        quarter = _covariance_of_lags((halves[0] + 1, halves[1] + 1), variogram, pixel_m * block)
        self._own = 0.0
        if block > 1:
            near = _mean_covariances(variogram, pixel_m, block)
            rows, columns = (min(a, b) for a, b in zip(near.shape, quarter.shape, strict=True))
            quarter[:rows, :columns] = near[:rows, :columns]
            # pixels of one block: the pairs of different ones, and each with itself
            own = variogram.sill
            quarter[0, 0] = (near[0, 0] * block**2 - own) / (block**2 - 1)
            self._own = own - float(quarter[0, 0])
        self._spectrum = _even_spectrum(quarter)
        # the half spectrum holds every column but the first and the last twice
        self._spectrum[:, 1:-1] *= 2
        self._spectrum /= prod(self._padded)

    def sigma_of_mean(self, sigma: FloatArray, mask: BoolArray) -> float:
        """Standard deviation of the mean over ``mask``, m.

        Parameters
        ----------
        sigma : per-pixel standard deviation, m; shape of mask, the box's. NaN is allowed where mask is false.
        mask : pixels over which the mean is taken.

        Returns
        -------
        float, m; 0 for an empty mask.
        """
        count = int(np.count_nonzero(mask))
        return self.sigma_of_sum(np.where(mask, sigma, 0.0)) / count if count else 0.0

    def sigma_of_sum(self, weights: FloatArray) -> float:
        """Standard deviation of the sum of (weight x standardised error); shape of weights the box's.

            sigma^2 = sum_i sum_j w_i w_j rho(|x_i - x_j|), as a product of spectra

        Parameters
        ----------
        weights : of any sign, shape of the box; 0 off the shape.

        Source
        ------
        Hugonnet et al. (2022), eq. 18.
        """
        wide = weights.astype(np.float64, copy=False)
        if self.block == 1:
            return float(np.sqrt(max(self._quadratic(wide), 0.0)))
        return self.sigma_of_blocks(block_sums(wide, self.block), float(np.vdot(wide, wide)))

    def sigma_of_blocks(self, sums: FloatArray, squares: float) -> float:
        """The same from weights summed up already.

        Parameters
        ----------
        sums : weights summed up in blocks, shape (ceil(rows / block), ceil(columns / block)).
        squares : sum of the squared weights of all pixels.
        """
        return float(np.sqrt(max(self._quadratic(sums) + self._own * squares, 0.0)))

    def covariance_of_sums(self, fields: FloatArray) -> FloatArray:
        """Covariance of several weighted sums of the same errors: sum_i sum_j v_i w_j C(|i - j|) for fields v and w.

        Parameters
        ----------
        fields : weights, shape (fields, rows, columns), each the box's; with ``block`` = 1 only.

        Returns
        -------
        Shape (fields, fields).
        """
        threads = 2 if fields[0].size > MANY else None
        lines = rfft(fields, self._padded[1], axis=2, workers=threads)
        half, number = self._spectrum.shape[0], len(fields)
        step = max(8, CHUNK // self._padded[0])
        total = np.zeros((number, number))
        for start in range(0, lines.shape[2], step):
            part = fft(lines[:, :, start : start + step], self._padded[0], axis=1, workers=threads)
            spectrum = self._spectrum[:, start : start + step]
            for one in range(number):
                for other in range(one, number):
                    power = part[one].real * part[other].real
                    power += part[one].imag * part[other].imag
                    # the covariance is even, so a wave and its mirror image count together
                    power[1 : half - 1] += power[: half - 1 : -1]
                    total[one, other] += np.einsum("ij,ij->", power[:half], spectrum)
        return total + np.triu(total, 1).T

    def _quadratic(self, weights: FloatArray) -> float:
        return float(self.covariance_of_sums(weights[None])[0, 0])


def _covariance_of_lags(shape: tuple[int, int], variogram: Variogram, step_m: float) -> FloatArray:
    """Covariance at lags of 0, 1, 2... steps along rows and columns."""
    result = np.zeros(shape)
    for form, reach, sill in variogram.models:
        # only the corner within a model's reach has any of its covariance
        side = ceil(REACH[form] * reach / step_m) + 1
        corner = result[:side, :side]
        ratio = step_m / reach
        columns = np.square(ratio * np.arange(corner.shape[1]))
        at_once = max(1, CHUNK // 4 // corner.shape[1])
        for start in range(0, corner.shape[0], at_once):
            part = corner[start : start + at_once]
            rows = np.square(ratio * np.arange(start, start + part.shape[0]))
            part += sill * correlation(form, np.sqrt(rows[:, None] + columns))
    return result


def _mean_covariances(variogram: Variogram, pixel_m: float, block: int) -> FloatArray:
    """Covariance of the pixels of two blocks, averaged over all pairs; shape of the near lags, in blocks."""
    offset = np.arange(1 - block, block)
    weight = (block - np.abs(offset)) / block**2
    lag = pixel_m * np.abs(np.arange(NEAR_BLOCKS + 1)[:, None] * block + offset)
    result = np.empty((NEAR_BLOCKS + 1, NEAR_BLOCKS + 1))
    for number, along_rows in enumerate(lag):
        # (block rows' offsets) x (block columns, their offsets)
        pairs = variogram.covariance(np.hypot(along_rows[:, None, None], lag))
        result[number] = np.einsum("a,b,acb->c", weight, weight, pairs)
    return result


def _even_spectrum(quarter: FloatArray) -> FloatArray:
    """Spectrum of a field that is even along both axes, given by its first quarter; real and even itself."""
    result = quarter
    for axis in (1, 0):
        lines = result if axis == 1 else result.T
        step = max(8, CHUNK // lines.shape[1])
        for start in range(0, lines.shape[0], step):
            part = lines[start : start + step]
            lines[start : start + step] = rfft(np.concatenate([part, part[:, -2:0:-1]], axis=1), axis=1).real
    return result


def sigma_of_mean(sigma: FloatArray, mask: BoolArray, variogram: Variogram, pixel_m: float, block: int = 1) -> float:
    """``CovarianceIntegrator.sigma_of_mean`` for a single shape.

        sigma^2 = sum_i sum_j sigma_i sigma_j rho(|x_i - x_j|) / n^2

    Parameters
    ----------
    sigma : standard deviation of each pixel, m, shape (rows, columns).
    mask : the shape, shape (rows, columns).
    variogram : of the standardised errors.
    pixel_m : side of a pixel, m.
    block : pixels that are summed up side by side before, which saves time on large shapes.

    Returns
    -------
    m; exact for block = 1.

    Source
    ------
    Hugonnet et al. (2022), eq. 18; Rolstad et al. (2009).
    """
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    if rows.size == 0:
        return 0.0
    box = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    cut = mask[box]
    return CovarianceIntegrator((cut.shape[0], cut.shape[1]), variogram, pixel_m, block).sigma_of_mean(sigma[box], cut)


def sigma_of_mean_by_disc(sigma_m: float, variogram: Variogram, area_m2: float) -> float:
    """Standard deviation of a mean over a disc of the same area (Rolstad et al., 2009): a cross-check, m.

    Parameters
    ----------
    sigma_m : mean of the pixels' standard deviations, m.
    """
    return float(sigma_m * np.sqrt(variogram.variance_of_disc_mean(area_m2)))


def block_sums(values: FloatArray, block: int) -> FloatArray:
    """Sums over blocks of ``block`` x ``block`` pixels from the upper-left corner, float64; the last ones are cut.

    Parameters
    ----------
    values : shape (rows, columns).
    block : side of the blocks, pixels.

    Returns
    -------
    shape (ceil(rows / block), ceil(columns / block)).
    """
    rows, columns = values.shape
    padding = (-rows % block, -columns % block)
    padded = np.pad(values, ((0, padding[0]), (0, padding[1]))) if any(padding) else values
    lines = padded.reshape(-1, block, padded.shape[1]).sum(axis=1, dtype=np.float64)
    sums: FloatArray = lines.reshape(lines.shape[0], -1, block).sum(axis=2)
    return sums


def block_side(shape: tuple[int, int]) -> int:
    """Side of the blocks (pixels) in which a raster is summed up; 1 for a raster of up to a million pixels.

    Parameters
    ----------
    shape : (rows, columns).
    """
    return max(1, ceil(sqrt(prod(shape) / MOST_BLOCKS)))


@dataclass(frozen=True, kw_only=True)
class BlockSums:
    """The sigma of chosen pixels of a raster summed up in blocks, for means over very many of them.

    Attributes
    ----------
    shape : (rows, columns) of the raster, pixels.
    block : side of a block, pixels.
    sums : shape (ceil(rows / block), ceil(columns / block)), m.
    squares : sum of sigma^2, m2.
    count : pixels chosen.
    """

    shape: tuple[int, int]
    block: int
    sums: FloatArray
    squares: float
    count: int

    def sigma_of_sum(self, variogram: Variogram, pixel_m: float) -> float:
        """Standard deviation of the sum of all their errors, m.

        Parameters
        ----------
        variogram : of the standardised errors.
        pixel_m : side of a pixel, m.
        """
        integrator = CovarianceIntegrator(self.shape, variogram, pixel_m, self.block)
        return integrator.sigma_of_blocks(self.sums, self.squares)


@dataclass(frozen=True)
class _RowsOfMember:
    """Sums over blocks in whole rows of a raster of sigma, of the pixels that a mask chooses."""

    sigma: Raster
    mask: Raster
    member: int | None
    block: int

    def __call__(self, rows: Block) -> tuple[FloatArray, float, int]:
        window = (rows.rows, slice(0, self.sigma.shape[1]))
        sigma, mask = np.asarray(self.sigma[window]), self.mask[window]
        chosen = np.isfinite(mask) if self.member is None else mask == self.member
        chosen &= np.isfinite(sigma)
        weights = np.where(chosen, sigma, np.float32(0))
        squares = float(np.einsum("ij,ij->", weights, weights, dtype=np.float64))
        return block_sums(weights, self.block), squares, int(np.count_nonzero(chosen))


def sum_up(
    sigma: Raster, mask: Raster, *, member: int | None = 1, block: int | None = None, runner: Runner | None = None
) -> BlockSums:
    """The sigma of the pixels of a whole raster that ``mask`` chooses, where it is known, summed up in blocks.

    Parameters
    ----------
    sigma : shape (rows, columns), m, NaN where unknown.
    mask : the same shape; bool, classes of which ``member`` is one, or, with ``member`` None, NaN where not chosen.
    block : side of a block, pixels; by the size of the raster if not given.
    """
    shape = (sigma.shape[0], sigma.shape[1])
    side = block or block_side(shape)
    # whole blocks at once, so that the sums do not depend on how many rows are read
    step = max(1, ROWS_PIXELS // (shape[1] * side)) * side
    blocks = [Block(start, min(start + step, shape[0])) for start in range(0, shape[0], step)]
    function = _RowsOfMember(sigma, mask, member, side)
    parts = list(map(function, blocks) if runner is None else runner.map(function, blocks))
    sums, squares, counts = zip(*parts, strict=True)
    return BlockSums(shape=shape, block=side, sums=np.concatenate(sums), squares=sum(squares), count=sum(counts))


def sigma_of_mean_large(
    sigma: Raster,
    mask: Raster,
    variogram: Variogram,
    pixel_m: float,
    *,
    member: int | None = 1,
    runner: Runner | None = None,
) -> float:
    """Standard deviation of the mean over very many pixels of a raster that need not fit in memory, m.

    Within 1 % of the double sum unless the pixels lie in strips narrower than a block (see ``CovarianceIntegrator``);
    exact for rasters of up to a million pixels. About 100 MB.

    Parameters
    ----------
    sigma : shape (rows, columns), m, NaN where unknown.
    mask : the same shape; the mean is taken where it equals ``member`` (where it is not NaN, with ``member`` None) and
        sigma is known.

    Returns
    -------
    float, m; 0 where no pixel is left.
    """
    total = sum_up(sigma, mask, member=member, runner=runner)
    return total.sigma_of_sum(variogram, pixel_m) / total.count if total.count else 0.0
