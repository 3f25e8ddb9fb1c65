"""What each form of the resolution correction takes off a glacier, whether it is the published one or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.differencing import ResolutionFits
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, strips
from pipeline.elevation_change.pairing import DemPair
from pipeline.elevation_change.result import Shift
from pipeline.grid import FloatArray


@dataclass(frozen=True)
class ResolutionTerm:
    """The forms of the correction as rasters, read glacier by glacier.

    Attributes
    ----------
    fits : the forms, and the published one.
    pair, shift : on whose grid, and where the aligned DEM stands.
    """

    fits: ResolutionFits
    pair: DemPair
    shift: Shift

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the forms, in the order of every array of theirs."""
        return tuple(self.fits.fits)

    def mean_over(self, pixels: GlacierPixels) -> FloatArray:
        """What each form takes off a glacier on average, m, later minus earlier; shape (methods,).

        The vertical term that was fitted with a form is counted to the published form's.
        """
        sums = np.zeros(len(self.methods))
        for strip in strips(pixels.window):
            first, last = np.searchsorted(pixels.row, (strip[0].start, strip[0].stop))
            if first < last:
                at = pixels.row[first:last] - strip[0].start, pixels.column[first:last] - strip[1].start
                effects = self.fits.effects_in(strip, self.pair, self.shift)
                sums += [effect[at].sum(dtype=np.float64) for effect in effects]
        vertical = np.array([fit.vertical_m - self.fits.vertical_m for fit in self.fits.fits.values()])
        result: FloatArray = self.pair.sign * (sums / max(pixels.row.size, 1) + vertical)
        return result

    def spread_m(self, taken_off: FloatArray) -> float:
        """How far the other unbiased forms lie from the published one, m; ``taken_off`` as of ``mean_over``."""
        return self.fits.spread_m(dict(zip(self.methods, taken_off.tolist(), strict=True)))
