"""Do two DEMs differ in the detail they resolve? Told by their spectra, not by their pixel sizes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import Runner
from pipeline.elevation_change.pairing import DemPair
from pipeline.elevation_change.result import Shift
from pipeline.grid import FloatArray

# tiles of so many posts of the coarser DEM, at most so many of them, at least so many to tell anything
TILE_POSTS, MOST_TILES, FEWEST_TILES = 48, 150, 4
# wavelengths looked at, in posts of the coarser DEM: both DEMs resolve them, a smoothing shows in them
SHORTEST_POSTS, LONGEST_POSTS = 3.0, 6.0
LEAST_VALID = 0.98
# amplitude that the coarser DEM keeps of the finer one's detail; above it both count as resolving the same
LEAST_LOSS = 0.05
# were all that is not in phase the finer DEM's own noise, it would still have to show this much less detail
LEAST_LOSS_WITHOUT_NOISE = 0.02


@dataclass(frozen=True, kw_only=True)
class ResolvedDetail:
    """How much of one DEM's detail the other keeps, at wavelengths of 3 to 6 posts of the coarser one.

    Attributes
    ----------
    kept : amplitude of the aligned DEM in phase with the reference over the reference's own, sum S_ra / sum S_rr.
    power : sum S_aa / sum S_rr.
    tiles : tiles behind it.
    """

    kept: float
    power: float
    tiles: int

    @property
    def known(self) -> bool:
        """Whether there were tiles enough."""
        return self.tiles >= FEWEST_TILES and bool(np.isfinite(self.kept)) and self.power > 0 and self.kept != 0

    @property
    def aligned_keeps(self) -> float:
        """What the aligned DEM keeps of the reference's amplitude, the lesser of both measures' losses."""
        return max(self.kept, math.sqrt(self.power))

    @property
    def reference_keeps(self) -> float:
        """What the reference keeps of the aligned DEM's amplitude, likewise."""
        return max(self.kept / self.power, 1 / math.sqrt(self.power))

    def coarser_lacks(self, *, aligned_is_finer: bool) -> bool:
        """Whether the coarser DEM lacks detail that the finer one shows; assumed where too little is known."""
        if not self.known:
            return True
        keeps = self.reference_keeps if aligned_is_finer else self.aligned_keeps
        # power of the coarser DEM over what is in phase: what it would keep if the finer one alone were noisy
        without_noise = 1 / self.kept if aligned_is_finer else self.power / self.kept
        return keeps < 1 - LEAST_LOSS and 0 < without_noise < 1 - LEAST_LOSS_WITHOUT_NOISE


def resolved_detail(pair: DemPair, shift: Shift, runner: Runner) -> ResolvedDetail:
    """Spectra of both DEMs, the aligned one at its shift, over tiles spread over the grid.

    Noise of the aligned DEM adds to its power but is not in phase with the reference; noise of the reference lessens
    ``kept`` but not the power: a DEM lacks detail where both measures say so. Means over tiles with a Hann window, with
    the tile's plane taken off first.

    Parameters
    ----------
    shift : what was added to the aligned DEM's position.
    """
    side = max(16, 2 * round(TILE_POSTS * pair.post_pixels / 2))
    side = min(side, *(size // 2 * 2 for size in pair.shape))
    corners = [(row, column) for row in _starts(pair.shape[0], side) for column in _starts(pair.shape[1], side)]
    function = partial(_tile_sums, pair, shift, side)
    sums = np.array(list(runner.map(function, corners))).reshape(-1, 4)
    reference, aligned, cross, tiles = sums.sum(axis=0)
    if reference <= 0 or aligned <= 0:
        return ResolvedDetail(kept=float("nan"), power=float("nan"), tiles=0)
    return ResolvedDetail(kept=float(cross / reference), power=float(aligned / reference), tiles=int(tiles))


def _starts(size: int, side: int) -> list[int]:
    most = max(1, int(MOST_TILES**0.5))
    count = max(1, min(most, size // side))
    return [round(place) for place in np.linspace(0, size - side, count)]


def _tile_sums(pair: DemPair, shift: Shift, side: int, corner: tuple[int, int]) -> FloatArray:
    """Power of both DEMs and their power in phase at the wavelengths looked at, and 1; zeros for a tile with voids."""
    rows, columns = slice(corner[0], corner[0] + side), slice(corner[1], corner[1] + side)
    tiles = [np.asarray(pair.reference[rows, columns]), pair.aligned.moved(rows, columns, shift)]
    known = np.isfinite(tiles[0]) & np.isfinite(tiles[1])
    if known.mean() < LEAST_VALID:
        return np.zeros(4)
    # a void has no detail at all, in both
    spectra = [_spectrum(np.where(known, tile, np.nan)) for tile in tiles]
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]) * pair.post_pixels
    chosen = (frequency >= 1 / LONGEST_POSTS) & (frequency <= 1 / SHORTEST_POSTS)
    reference, aligned = (spectrum[chosen] for spectrum in spectra)
    in_phase = (reference * aligned.conj()).real.sum()
    return np.array([(np.abs(reference) ** 2).sum(), (np.abs(aligned) ** 2).sum(), in_phase, 1.0])


def _spectrum(tile: FloatArray) -> NDArray[np.complex128]:
    """Fourier transform of a tile without its plane, voids on the plane, under a Hann window."""
    side = tile.shape[0]
    place = np.linspace(-1, 1, side)
    known = np.isfinite(tile)
    design = np.stack([np.ones(tile.shape), *np.meshgrid(place, place, indexing="ij")], axis=-1)
    plane = np.linalg.lstsq(design[known], tile[known].astype(np.float64), rcond=None)[0]
    flat = np.where(known, tile - design @ plane, 0.0)
    window = np.hanning(side)
    result: NDArray[np.complex128] = np.fft.rfft2(flat * window[:, None] * window)
    return result
