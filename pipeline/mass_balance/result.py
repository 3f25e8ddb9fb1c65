"""What the mass-balance chain hands over: values only, nothing of it is written here."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from typing import TYPE_CHECKING

from shapely.geometry.base import BaseGeometry

from pipeline.grid import FloatArray, Grid
from schemas.settings import MassBalanceSettings

if TYPE_CHECKING:
    import pandas as pd

# ways to the glacier-wide balance; the first and the third may be published as its value, the others are cross-checks
METHODS = ("contour", "field", "zone", "gradient", "quadratic", "piecewise", "index_stakes", "inverse_distance")


@dataclass(frozen=True, kw_only=True)
class GlacierIdentity:
    """The glacier a workbook is about; longitude and latitude in degrees, ``crs`` the projected CRS of all metres.

    ``part_of`` names the glacier that it has been a part of since that parted; empty for most.
    """

    glacier_id: str
    name: str
    longitude: float
    latitude: float
    crs: str
    part_of: str = ""


@dataclass(frozen=True)
class Isoline:
    """A line of equal balance, in the CRS of the field's grid."""

    balance_m_we: float
    geometry: BaseGeometry


@dataclass(frozen=True, kw_only=True)
class BalanceField:
    """The annual balance over the glacier.

    Attributes
    ----------
    grid : where the pixels lie; projected, metres.
    balance_m_we, sigma_balance_m_we : shape grid.shape, NaN outside the glacier.
    surface_m : elevation on the same grid, for shading.
    isolines : at the settings' interval, clipped to the outline.
    outline : of the glacier in that year, in the grid's CRS; None where only the pixels are known.
    """

    grid: Grid
    balance_m_we: FloatArray
    sigma_balance_m_we: FloatArray
    surface_m: FloatArray
    isolines: tuple[Isoline, ...]
    outline: BaseGeometry | None = None


@dataclass(frozen=True, kw_only=True)
class BalanceYear:
    """One mass-balance year of the glacier; balances in m w.e., None where not observed.

    ``budget`` is the error budget of the annual balance by source (one standard deviation, m w.e.); empty where nothing
    supports one; ``density_errors_m_we`` is its density part with signs: what one standard deviation more of snow
    density, and of ice density, does to the balance. Gradients are those of the points below and above the equilibrium
    line (m w.e. per 100 m). ``sigma_ela_m`` is None where the line lies off the glacier by more than its error.
    ``zero_line_m`` is the mean elevation of the line of zero balance on the map, None without one.
    ``unmeasured_area_share`` is the share of the area above the highest and below the lowest point,
    ``unmeasured_error_share`` that of the annual balance's variance which comes from elevations nobody measured.
    """

    year: int
    begin: date | None
    midseason: date | None
    end: date | None
    time_system: str
    annual_m_we: float | None
    winter_m_we: float | None
    summer_m_we: float | None
    sigma_annual_m_we: float | None
    sigma_winter_m_we: float | None
    sigma_summer_m_we: float | None
    ela_m: float | None
    ela_position: str | None
    aar: float | None
    area_km2: float | None
    by_method: dict[str, float | None]
    provenance: str
    flags: tuple[str, ...]
    field: BalanceField | None
    budget: dict[str, float] = dataclass_field(default_factory=dict)
    gradient_below_m_we_per_100m: float | None = None
    gradient_above_m_we_per_100m: float | None = None
    density_errors_m_we: tuple[float, float] | None = None
    sigma_ela_m: float | None = None
    sigma_aar: float | None = None
    unmeasured_area_share: float | None = None
    unmeasured_error_share: float | None = None
    zero_line_m: float | None = None

    @property
    def accumulation_area_km2(self) -> float | None:
        """Area with a balance of at least zero."""
        return None if self.aar is None or self.area_km2 is None else self.aar * self.area_km2

    @property
    def ablation_area_km2(self) -> float | None:
        """Area with a balance below zero."""
        return None if self.aar is None or self.area_km2 is None else (1 - self.aar) * self.area_km2

    @property
    def method_range_m_we(self) -> float | None:
        """Largest minus smallest balance of the methods that know elevation, that is without inverse distance."""
        known = [value for name, value in self.by_method.items() if name != "inverse_distance" and value is not None]
        return max(known) - min(known) if len(known) > 1 else None


@dataclass(frozen=True, kw_only=True)
class MassBalance:
    """The result of the chain; ``tables`` are named and shaped as in ``schemas.tables.MASS_BALANCE_TABLES``."""

    glacier: GlacierIdentity
    outline: BaseGeometry | None
    years: tuple[BalanceYear, ...]
    tables: dict[str, pd.DataFrame]
    settings: MassBalanceSettings
