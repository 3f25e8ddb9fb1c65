"""What a share of the elevation in the change adds to the error of a glacier's mean."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.elevation_change.differencing import Trends
from schemas.settings import ElevationChangeSettings


@dataclass(frozen=True)
class ScaleTerm:
    """Standard deviation of kappa (m per m), and the elevation (m) about which it turns: that of stable terrain."""

    sigma: float
    middle_m: float

    @classmethod
    def of(cls, trends: Trends, settings: ElevationChangeSettings) -> ScaleTerm | None:
        """The error of a share that was taken off; the share itself where it stands out and was left in."""
        scale = trends.scale
        if settings.correct_elevation_scale:
            return cls(scale.sigma, scale.middle_m)
        return cls(abs(scale.value), scale.middle_m) if scale.stands_out else None

    def sigma_m(self, elevation_m: float) -> float:
        """What it gives to a mean over ground of this mean elevation, m."""
        return self.sigma * abs(elevation_m - self.middle_m)
