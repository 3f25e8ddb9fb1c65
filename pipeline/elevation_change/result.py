"""What the elevation-change chain hands over: values only, nothing of it is written here."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipeline.blocks import Raster
from pipeline.grid import Grid
from schemas.messages import Message
from schemas.settings import ElevationChangeSettings

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

# values of the classification raster
VOID, STABLE, GLACIER, EXCLUDED = 0, 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Statistics of the elevation difference over stable terrain (m): later minus earlier."""

    count: int
    mean_m: float
    mean_absolute_m: float
    median_m: float
    std_m: float
    nmad_m: float
    rmse_m: float
    le90_m: float


@dataclass(frozen=True)
class Shift:
    """What was added to the position of the aligned DEM to bring it onto the reference (m)."""

    east: float
    north: float
    up: float


@dataclass(frozen=True)
class NativeShift:
    """The horizontal shift in pixels of the aligned DEM's own grid: columns to the east, rows to the south.

    On a geographic grid this takes the meridian convergence of the projection into account.
    """

    columns: float
    rows: float


@dataclass(frozen=True)
class Tilt:
    """Residual tilt of dh over stable terrain (m per m), which a translation cannot remove."""

    east: float
    north: float
    removed: bool


@dataclass(frozen=True, kw_only=True)
class ElevationScale:
    """A share of the elevation in the change of stable terrain: one DEM's heights are longer than the other's.

    Attributes
    ----------
    per_metre, sigma_per_metre : dh per metre of elevation, later minus earlier, and its standard deviation.
    stands_out : whether it is larger than chance and than 0.5 m per km, and shows at low and at high elevations.
    explains : share of the NMAD of stable terrain, 0 to 1.
    removed : whether it was taken off.
    """

    per_metre: float
    sigma_per_metre: float
    stands_out: bool
    explains: float
    removed: bool


@dataclass(frozen=True, kw_only=True)
class Wave:
    """One wave of an undulation; sigma_ is one standard deviation.

    Attributes
    ----------
    azimuth_deg : direction in which it goes up and down, from the north to the east, below 180.
    """

    amplitude_m: float
    sigma_amplitude_m: float
    wavelength_m: float
    sigma_wavelength_m: float
    azimuth_deg: float


@dataclass(frozen=True, kw_only=True)
class Undulation:
    """Waves that stand out of the elevation change of stable terrain, as a satellite's jitter leaves them.

    Attributes
    ----------
    waves : the largest first; empty where none stands out.
    explains : share of the NMAD of stable terrain, 0 to 1.
    removed : whether they were taken off.
    """

    waves: tuple[Wave, ...]
    explains: float
    removed: bool


@dataclass(frozen=True, kw_only=True)
class CurvatureCorrection:
    """Correction of the resolution effect by maximum curvature (Gardelle et al., 2012).

    Attributes
    ----------
    applied : whether it was taken off; else it stands beside what was.
    source : DEM and operator of the curvature raster, the same for fit and application.
    knots_per_100m : curvature at the fitted bins (100 m-1), increasing.
    bias_m : fitted bias at the knots (m); the end values hold beyond them.
    nmad_before_m, nmad_after_m : NMAD of stable terrain without and with the correction (m).
    """

    applied: bool
    source: Message
    knots_per_100m: tuple[float, ...]
    bias_m: tuple[float, ...]
    nmad_before_m: float
    nmad_after_m: float


@dataclass(frozen=True, kw_only=True)
class TakenOff:
    """What one form of the resolution correction takes off, whether it is the one published or not.

    Attributes
    ----------
    stable_m, glaciers_m : mean of what it takes off stable terrain and off all glaciers, its vertical term beside the
        published one's included (m, later minus earlier); NaN without glaciers.
    nmad_m : NMAD of stable terrain that it leaves (m).
    """

    stable_m: float
    glaciers_m: float
    nmad_m: float


@dataclass(frozen=True, kw_only=True)
class ResolutionCorrection:
    """What was done about the different detail that the two DEMs resolve.

    Attributes
    ----------
    asked, method : the method of the settings, and the one that was taken off ("none" where nothing was).
    reason : why nothing was taken off; None where something was.
    source : DEM from whose heights the effect follows.
    detail_kept : share of the finer DEM's amplitude that the coarser one keeps at 3 to 6 of its posts.
    coefficient, point_spread_sigma_m : of the point spread; NaN where it was not fitted.
    by_method : what each form takes off, side by side; empty where the DEMs resolve the same detail.
    """

    asked: str
    method: str
    reason: Message | None
    source: Message
    detail_kept: float
    coefficient: float
    point_spread_sigma_m: float
    by_method: dict[str, TakenOff]

    @property
    def taken_off(self) -> TakenOff:
        """What was taken off; nothing, and the spread unknown, where no correction was."""
        return self.by_method.get(self.method, TakenOff(stable_m=0.0, glaciers_m=0.0, nmad_m=math.nan))

    @property
    def summary(self) -> dict[str, Any]:
        """The correction as JSON has it, but for NaN."""
        return {
            "asked": self.asked,
            "method": self.method,
            "reason": self.reason,
            "detail_kept": self.detail_kept,
            "coefficient": self.coefficient,
            "point_spread_sigma_m": self.point_spread_sigma_m,
            "taken_off": {"stable_m": self.taken_off.stable_m, "glaciers_m": self.taken_off.glaciers_m},
            "by_method": {name: asdict(effect) for name, effect in self.by_method.items()},
        }


@dataclass(frozen=True)
class DatumStep:
    """What became of the difference between the two vertical datums."""

    earlier: str
    later: str
    method: Message  # "none needed", "PROJ grids", "left to co-registration"
    note: Message


@dataclass(frozen=True, kw_only=True)
class PatchSpread:
    """Means of dh over stable patches of a glacier's size, standardised by the stated uncertainty.

    Attributes
    ----------
    count : patches; fewer than 200 prove little, which ``enough`` tells.
    mean, spread, robust_spread : of the standardised means; a spread of 1 means that the stated uncertainty is right.
    """

    count: int
    area_km2: float
    mean: float
    spread: float
    robust_spread: float
    enough: bool


@dataclass(frozen=True, kw_only=True)
class GlacierTotals:
    """All glaciers together; rates are NaN where a date is not known."""

    count: int
    area_km2: float
    mean_dh_m: float
    sigma_mean_dh_m: float
    mean_dhdt_m_a: float
    sigma_mean_dhdt_m_a: float
    volume_change_m3: float
    sigma_volume_change_m3: float
    mass_change_kg: float
    sigma_mass_change_kg: float
    observed_share: float


@dataclass(frozen=True, kw_only=True)
class FinalRasters:
    """The rasters of a result, which nothing changes any more though the rest of it is not there yet.

    Attributes
    ----------
    grid, dh_m, sigma_dh_m, classification : as in ``ElevationChange``.
    """

    grid: Grid
    dh_m: Raster
    sigma_dh_m: Raster
    classification: Raster


@dataclass(frozen=True, kw_only=True)
class ElevationChange:
    """The result of the chain.

    Attributes
    ----------
    grid : where the pixels lie; projected, metres.
    dh_m, sigma_dh_m : elevation change and its standard deviation, shape grid.shape, float32, NaN where void.
    surface_m : elevation of the reference DEM on the grid, for shading; NaN where void.
    classification : uint8, VOID, STABLE, GLACIER or EXCLUDED.
    shift_m, sigma_shift_m : the co-registration and its standard deviation.
    shift_by_cosine_m : the same shift by the published form of the cosine fit, as a cross-check.
    shift_native_pixels : its horizontal part on the aligned DEM's own grid.
    tilt, elevation_scale, undulation : what of the change over stable terrain follows the place.
    before, after_coregistration, after : stable-terrain statistics, on the same pixels.
    resolution : what was done about the different detail of the DEMs, and what other methods would have done.
    curvature : the correction by maximum curvature alone, or None when the settings ask for no correction.
    datum : the vertical datum step.
    patches, patches_on_smooth : the stated uncertainty tested on stable patches, and on their smooth pixels alone.
    totals : all glaciers together; None without outlines.
    outlines : outlines of all epochs in the grid's CRS, columns glacier_id, glacier_name, epoch, geometry; or None.
    notes : what was noticed of the inputs and handled, one line each.
    tables : data frames named and shaped as in ``schemas.tables.ELEVATION_CHANGE_TABLES``.
    figures : numbers that the figures need, by name (aspect curve, curvature curve, variogram).
    settings : the settings of the run.
    """

    grid: Grid
    dh_m: Raster
    sigma_dh_m: Raster
    surface_m: Raster
    classification: Raster
    shift_m: Shift
    sigma_shift_m: Shift
    shift_by_cosine_m: Shift
    shift_native_pixels: NativeShift
    tilt: Tilt
    elevation_scale: ElevationScale
    undulation: Undulation
    before: Statistics
    after_coregistration: Statistics
    after: Statistics
    resolution: ResolutionCorrection
    curvature: CurvatureCorrection | None
    datum: DatumStep
    patches: PatchSpread
    patches_on_smooth: PatchSpread
    totals: GlacierTotals | None
    outlines: gpd.GeoDataFrame | None
    notes: tuple[Message, ...]
    tables: dict[str, pd.DataFrame]
    figures: dict[str, Any]
    settings: ElevationChangeSettings
