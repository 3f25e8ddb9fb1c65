"""What each form of the resolution correction takes off a glacier, whether it is the published one or not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.blocks import Raster
from pipeline.elevation_change.differencing import ResolutionFits
from pipeline.elevation_change.glaciers.pixels import GlacierShapes, strips
from pipeline.elevation_change.pairing import DemPair
from pipeline.elevation_change.result import Shift
from pipeline.grid import FloatArray


@dataclass(frozen=True)
class ResolutionTerm:
    """The forms of the correction as rasters, read glacier by glacier.

    Attributes
    ----------
    fits : the forms, and the published one.
    rasters : what each takes off reference minus aligned DEM without its vertical term, m, shape of the grid.
    sign : later minus earlier is sign times reference minus aligned.
    """

    fits: ResolutionFits
    rasters: dict[str, Raster]
    sign: int

    @classmethod
    def of(cls, fits: ResolutionFits, pair: DemPair, shift: Shift) -> ResolutionTerm:
        """The forms on a pair's grid, the aligned DEM at its shift."""
        return cls(fits, fits.rasters(pair, shift), pair.sign)

    @property
    def methods(self) -> tuple[str, ...]:
        """Names of the forms, in the order of every array of theirs."""
        return tuple(self.rasters)

    def mean_over(self, shapes: GlacierShapes, number: int) -> FloatArray:
        """What each form takes off a glacier on average, m, later minus earlier; shape (methods,).

        The vertical term that was fitted with a form is counted to the published form's.
        """
        sums, pixels = np.zeros(len(self.rasters)), 0
        for strip in strips(shapes.window(number)):
            inside = shapes.inside(number, strip)
            if inside.any():
                pixels += int(np.count_nonzero(inside))
                sums += [np.asarray(raster[strip])[inside].sum(dtype=np.float64) for raster in self.rasters.values()]
        vertical = np.array([self.fits.fits[name].vertical_m - self.fits.vertical_m for name in self.rasters])
        result: FloatArray = self.sign * (sums / max(pixels, 1) + vertical)
        return result

    def spread_m(self, taken_off: FloatArray) -> float:
        """How far the other unbiased forms lie from the published one, m; ``taken_off`` as of ``mean_over``."""
        return self.fits.spread_m(dict(zip(self.rasters, taken_off.tolist(), strict=True)))
