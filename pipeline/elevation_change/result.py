"""What the elevation-change chain hands over: values only, nothing of it is written here."""

from __future__ import annotations

from dataclasses import dataclass
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
class CurvatureCorrection:
    """Correction of the resolution effect by maximum curvature (Gardelle et al., 2012).

    Attributes
    ----------
    applied : whether it was kept, which it is only where it lowers the NMAD of stable terrain.
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
    tilt : residual tilt.
    before, after_coregistration, after : stable-terrain statistics, on the same pixels.
    curvature : the resolution correction, or None when the settings leave it out.
    datum : the vertical datum step.
    patches : the stated uncertainty tested on stable patches.
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
    before: Statistics
    after_coregistration: Statistics
    after: Statistics
    curvature: CurvatureCorrection | None
    datum: DatumStep
    patches: PatchSpread
    totals: GlacierTotals | None
    outlines: gpd.GeoDataFrame | None
    notes: tuple[str, ...]
    tables: dict[str, pd.DataFrame]
    figures: dict[str, Any]
    settings: ElevationChangeSettings
