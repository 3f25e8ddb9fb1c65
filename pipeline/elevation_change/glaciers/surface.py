"""The rasters from which the change of glaciers is taken, and the errors that all glaciers share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pipeline.blocks import Raster
from pipeline.elevation_change.glaciers.outliers import NO_OUTLIERS, GlacierOutliers
from pipeline.elevation_change.glaciers.pixels import GlacierPixels
from pipeline.elevation_change.glaciers.resolution_term import ResolutionTerm
from pipeline.elevation_change.glaciers.scale_term import ScaleTerm
from pipeline.elevation_change.uncertainty import Variogram
from pipeline.grid import FloatArray, Grid
from schemas.settings import ElevationChangeSettings


@dataclass(frozen=True, kw_only=True)
class Surface:
    """What the glacier statistics are taken from; rasters share the grid's shape and are read box by box.

    Attributes
    ----------
    dh_m, sigma_m, elevation_m : elevation change, its standard deviation, elevation of the reference; NaN where void.
    variogram : spatial correlation of the error.
    sigma_bias_m : standard deviation of the stable terrain's own mean, which every glacier shares.
    sigma_shift_m : standard deviation of the horizontal shift, east and north, which every glacier shares too.
    outliers : glacier pixels that are void because their measured change was set aside.
    resolution : the forms of the resolution correction; None where there are none.
    scale : the share of the elevation that is in the change, or what its removal left unknown; None without.
    """

    grid: Grid
    dh_m: Raster
    sigma_m: Raster
    elevation_m: Raster
    variogram: Variogram
    sigma_bias_m: float
    settings: ElevationChangeSettings
    sigma_shift_m: tuple[float, float] = (0.0, 0.0)
    outliers: GlacierOutliers = NO_OUTLIERS
    resolution: ResolutionTerm | None = None
    scale: ScaleTerm | None = None

    @property
    def pixel_m(self) -> float:
        """Side of a square pixel of the same area, m."""
        return math.sqrt(math.prod(self.grid.pixel_size))

    def taken_off(self, pixels: GlacierPixels) -> FloatArray:
        """What each form of the resolution correction takes off a glacier, m; shape (methods,), empty without any."""
        return np.empty(0) if self.resolution is None else self.resolution.mean_over(pixels)

    def sigma_of_resolution(self, taken_off: FloatArray) -> float:
        """Standard deviation that the resolution correction gives to a mean off which its forms take so much, m."""
        return 0.0 if self.resolution is None else self.resolution.spread_m(taken_off)

    def sigma_of_coregistration(self, slope: tuple[float, float], elevation_m: float) -> float:
        """Standard deviation that the co-registration gives to a mean over ground of this slope (east, north), m.

            sigma^2 = sigma_u^2 + (sigma_e dz/dE)^2 + (sigma_n dz/dN)^2 + (sigma_kappa (z - z_0))^2

        A shift error (e, n, u) changes dh by u - e dz/dE - n dz/dN; its parts are taken as independent.

        Parameters
        ----------
        slope : mean rise to the east and to the north, m per m.
        elevation_m : mean elevation of the ground.
        """
        east, north = self.sigma_shift_m
        of_scale = 0.0 if self.scale is None else self.scale.sigma_m(elevation_m)
        return math.hypot(self.sigma_bias_m, east * slope[0], north * slope[1], of_scale)
