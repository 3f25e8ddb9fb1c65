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


@dataclass(frozen=True)
class GlacierIdentity:
    """The glacier a workbook is about; longitude and latitude in degrees, ``crs`` the projected CRS of all metres."""

    glacier_id: str
    name: str
    longitude: float
    latitude: float
    crs: str


@dataclass(frozen=True)
class Isoline:
    """A line of equal balance, in the CRS of the field's grid."""

    balance_m_we: float
    geometry: BaseGeometry


@dataclass(frozen=True)
class BalanceField:
    """The annual balance over the glacier.

    Attributes
    ----------
    grid : where the pixels lie; projected, metres.
    balance_m_we, sigma_balance_m_we : shape grid.shape, NaN outside the glacier.
    surface_m : elevation on the same grid, for shading.
    isolines : at the settings' interval, clipped to the outline.
    """

    grid: Grid
    balance_m_we: FloatArray
    sigma_balance_m_we: FloatArray
    surface_m: FloatArray
    isolines: tuple[Isoline, ...]


@dataclass(frozen=True)
class BalanceYear:
    """One mass-balance year of the glacier; balances in m w.e., None where not observed.

    ``budget`` is the error budget of the annual balance by source (one standard deviation, m w.e.); empty where nothing
    supports one.
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


@dataclass(frozen=True)
class MassBalance:
    """The result of the chain; ``tables`` are named and shaped as in ``schemas.tables.MASS_BALANCE_TABLES``."""

    glacier: GlacierIdentity
    outline: BaseGeometry | None
    years: tuple[BalanceYear, ...]
    tables: dict[str, pd.DataFrame]
    settings: MassBalanceSettings
