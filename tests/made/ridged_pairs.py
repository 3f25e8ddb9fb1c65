"""Small pairs of a DEM of 30 m and one really averaged to 90 m, with a shift known exactly, on ridged ground.

The ground is periodic and known through its Fourier series, so that moving it by any fraction of a pixel, blurring it
and averaging it over a cell are exact: nothing is interpolated. Its ridges are sharp, so that the resolution effect is
skewed as that of mountains is. Noise is of two families: ``quiet`` instruments, whose pair is ruled by the resolution
effect, and ``noisy`` ones, whose noise grows with slope and is correlated over 0.1 to 3 km.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from rasterio.transform import Affine
from scipy import fft

PIXEL_M, POST_M, FINE_M = 30.0, 90.0, 15.0
CRS, WEST, NORTH = "EPSG:32645", 400_000.0, 4_860_000.0
# standard deviations of the Gaussian point spreads, m; the averaging over cells comes on top
EARLIER_SPREAD_M, LATER_SPREAD_M = 22.0, 8.0
OCTAVES_M = (6000.0, 2900.0, 1500.0, 760.0, 390.0, 200.0, 110.0)
# amplitude falls like this power of the wavelength; median slope of some 23 degrees
ROUGHNESS, RELIEF = 0.95, 0.068
FAMILIES = ("quiet", "noisy")

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class RidgedPair:
    """Two DEMs in memory, and what must be added to the earlier one's position to bring it onto the later one (m).

    Attributes
    ----------
    earlier_m, later_m : cells of 90 and of 30 m from one north-western corner.
    """

    earlier_m: Floats
    later_m: Floats
    east: float
    north: float
    up: float


def make_pair(seed: int, family: str = "quiet", side: int = 500) -> RidgedPair:
    """A pair of ``side`` x ``side`` pixels of 30 m, shifted by up to 40 m each way and 6 m up.

    Parameters
    ----------
    seed : of ground, shift and noise.
    family : one of ``FAMILIES``.
    side : pixels of the later DEM; even.
    """
    if family not in FAMILIES:
        raise ValueError(f"{family!r} is none of {', '.join(FAMILIES)}")
    ground, moves, earlier_draw, later_draw = np.random.default_rng([seed, 90]).spawn(4)
    east, north, up = moves.uniform(-40, 40), moves.uniform(-40, 40), moves.uniform(-6, 6)
    waves = _Waves.of(round(side * PIXEL_M / FINE_M))
    heights = _ridged(waves, ground)
    spectrum = fft.rfft2(heights)
    slope = _slope(heights)
    # centres of the cells lie half a cell from the corner, and so do those of the fine places
    fine = waves.seen(spectrum, LATER_SPREAD_M, PIXEL_M, (PIXEL_M - FINE_M) / 2, (0.0, 0.0))
    coarse = waves.seen(spectrum, EARLIER_SPREAD_M, POST_M, (POST_M - FINE_M) / 2, (east, north))
    slopes = fft.rfft2(slope)
    fine_slope = waves.seen(slopes, LATER_SPREAD_M, PIXEL_M, (PIXEL_M - FINE_M) / 2, (0.0, 0.0))
    coarse_slope = waves.seen(slopes, EARLIER_SPREAD_M, POST_M, (POST_M - FINE_M) / 2, (east, north))
    later = fine + _noise(fine_slope, PIXEL_M, family, later_draw, (0.5, 0.4, 1.6))
    earlier = coarse - np.float32(up) + _noise(coarse_slope, POST_M, family, earlier_draw, (1.5, 1.6, 3.6))
    return RidgedPair(earlier_m=earlier, later_m=later, east=east, north=north, up=up)


@dataclass(frozen=True)
class _Waves:
    """Frequencies of a periodic square, cycles per metre: down the rows and along the columns."""

    side: int
    rows: Floats
    columns: Floats

    @classmethod
    def of(cls, side: int) -> _Waves:
        rows, columns = fft.fftfreq(side, FINE_M)[:, None], fft.rfftfreq(side, FINE_M)[None, :]
        return cls(side, rows.astype(np.float32), columns.astype(np.float32))

    def seen(
        self, spectrum: NDArray[np.complex64], spread_m: float, cell_m: float, first_m: float,
        moved: tuple[float, float],
    ) -> Floats:  # fmt: skip
        """Means over cells that lie ``first_m`` from the corner, of what the point spread leaves, the DEM moved.

        An instrument whose position is to be corrected by ``moved`` (east, north) shows at a place what lies there.
        """
        blur = np.exp(-2 * (np.pi * spread_m) ** 2 * (self.rows**2 + self.columns**2))
        blur *= np.sinc(self.rows * cell_m) * np.sinc(self.columns * cell_m)
        # rows count to the south
        phase = self.columns * (first_m + moved[0]) + self.rows * (first_m - moved[1])
        values = fft.irfft2(spectrum * (blur * np.exp(2j * np.pi * phase)).astype(np.complex64), (self.side, self.side))
        step, whole = round(cell_m / FINE_M), int(self.side * FINE_M // cell_m)
        result: Floats = values[::step, ::step][:whole, :whole].astype(np.float32)
        return result


def _ridged(waves: _Waves, draw: np.random.Generator) -> Floats:
    """Heights on the fine places, m: sharp crests, finer ones more where the ground is high."""
    total = np.zeros((waves.side, waves.side), np.float32)
    weight = np.ones_like(total)
    for length in OCTAVES_M:
        ridge = 1 - np.abs(_bumps(waves.side, FINE_M, length, draw))
        total += np.float32(RELIEF * length**ROUGHNESS) * ridge * weight
        weight = np.clip(weight * (0.75 + 0.35 * ridge), 0.25, 1.5)
    return np.float32(3200) + total - total.mean()


def _bumps(side: int, step_m: float, length_m: float, draw: np.random.Generator) -> Floats:
    """A periodic Gaussian field of about one wavelength, mean 0, variance 1."""
    frequency = np.hypot(fft.fftfreq(side, step_m)[:, None], fft.rfftfreq(side, step_m)[None, :]) * length_m
    band = np.exp(-(((frequency - 1) / 0.45) ** 2)).astype(np.float32)
    field = fft.irfft2(fft.rfft2(draw.standard_normal((side, side), dtype=np.float32)) * band, (side, side))
    result: Floats = (field - field.mean()) / field.std()
    return result


def _slope(heights: Floats) -> Floats:
    """Tangent of the slope over some 90 m."""
    down, along = (np.roll(heights, -3, axis) - np.roll(heights, 3, axis) for axis in (0, 1))
    result: Floats = np.hypot(down, along) / np.float32(6 * FINE_M)
    return result


def _noise(
    slope: Floats, cell_m: float, family: str, draw: np.random.Generator, sizes: tuple[float, float, float]
) -> Floats:
    """Noise of a DEM's cells, m: a part that is independent from cell to cell, or all of it correlated."""
    independent, flat, per_tangent = sizes
    if family == "quiet":
        return np.float32(independent) * draw.standard_normal(slope.shape, dtype=np.float32)
    side = max(slope.shape)
    parts = ((0.80, 2.8 * cell_m), (0.14, 900.0), (0.06, 3000.0))
    unit = sum(np.float32(np.sqrt(share)) * _bumps(side, cell_m, length, draw) for share, length in parts)
    result: Floats = (flat + per_tangent * np.clip(slope, 0, 2)).astype(np.float32) * unit
    return result + np.float32(0.2) * _bumps(side, cell_m, 5000.0, draw)


def write_pair(pair: RidgedPair, folder: Path) -> tuple[Path, Path]:
    """Write earlier.tif and later.tif, GeoTIFFs in UTM zone 45N."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, heights, cell in (("earlier", pair.earlier_m, POST_M), ("later", pair.later_m, PIXEL_M)):
        path = folder / f"{name}.tif"
        profile = {
            "driver": "GTiff", "height": heights.shape[0], "width": heights.shape[1], "count": 1, "dtype": "float32",
            "crs": CRS, "transform": Affine(cell, 0, WEST, 0, -cell, NORTH), "nodata": -9999.0,
        }  # fmt: skip
        with rasterio.open(path, "w", **profile) as target:
            target.write(heights, 1)
        written.append(path)
    return written[0], written[1]
