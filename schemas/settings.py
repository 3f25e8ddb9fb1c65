"""Processing settings of the two chains: each named once, with unit, default, limits and meaning."""

from __future__ import annotations

import math
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Frozen(BaseModel):
    """A value that cannot be changed and accepts no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SurfaceCorrection(Frozen):
    """Radar penetration and seasonal snow on one kind of glacier surface, told apart by elevation."""

    surface: str = Field(min_length=1, description="which surface, as 'firn above the snow line'")
    from_m: float | None = Field(None, description="lowest elevation of the surface (m); unlimited when absent")
    to_m: float | None = Field(None, description="elevation at which the next surface begins (m); unlimited if absent")
    penetration_earlier_m: float = Field(
        0.0, ge=-1000, le=1000, description="how far below the surface the earlier DEM lies (m)"
    )
    penetration_later_m: float = Field(
        0.0, ge=-1000, le=1000, description="how far below the surface the later DEM lies (m)"
    )
    sigma_penetration_m: float = Field(0.0, ge=0, le=1000, description="standard deviation of their difference (m)")
    snow_earlier_m: float = Field(
        0.0, ge=-1000, le=1000, description="seasonal snow on the surface at the earlier date (m)"
    )
    snow_later_m: float = Field(
        0.0, ge=-1000, le=1000, description="seasonal snow on the surface at the later date (m)"
    )
    sigma_snow_m: float = Field(0.0, ge=0, le=1000, description="standard deviation of their difference (m)")
    basis: str = Field("", description="where the values come from")

    @property
    def added_m(self) -> float:
        """What the elevation change gains: dh + (p_later - p_earlier) - (s_later - s_earlier), m."""
        return self.penetration_later_m - self.penetration_earlier_m - self.snow_later_m + self.snow_earlier_m

    @property
    def sigma_m(self) -> float:
        """Standard deviation of what is added, m; every pixel of the surface shares its error."""
        return math.hypot(self.sigma_penetration_m, self.sigma_snow_m)

    @model_validator(mode="after")
    def _limits_in_order(self) -> SurfaceCorrection:
        if self.from_m is not None and self.to_m is not None and self.from_m >= self.to_m:
            raise ValueError(f"from_m {self.from_m} must be below to_m {self.to_m}")
        return self


def _or(value: float | None, unlimited: float) -> float:
    return unlimited if value is None else value


class ElevationChangeSettings(Frozen):
    """How two DEMs become an elevation change (Nuth and Kaab, 2011; Gardelle et al., 2012; Hugonnet et al., 2022)."""

    reference: Literal["earlier", "later"] = Field("later", description="which DEM stays where it is")
    crs: str | None = Field(None, description="projected CRS of the result; the UTM zone of the overlap when absent")
    resolution_m: Annotated[float, Field(ge=0.01, le=100_000)] | None = Field(
        None, description="pixel size (m); the finer DEM's nominal resolution when absent"
    )
    resampling: Literal["bilinear", "cubic"] | None = Field(
        None, description="resampling onto the grid; cubic for DEMs of different resolution, else bilinear, when absent"
    )
    vertical_datum_earlier: str | None = Field(None, description="EPSG code of the earlier DEM's vertical datum")
    vertical_datum_later: str | None = Field(None, description="EPSG code of the later DEM's vertical datum")
    datum_grid_missing: Literal["stop", "coregistration"] = Field(
        "stop", description="without PROJ's geoid grids: stop, or leave the datum difference to co-registration"
    )
    slope_min_deg: float = Field(
        4.0, ge=0, le=90, description="least slope of stable terrain in the aspect fit (degrees)"
    )
    slope_max_deg: float = Field(50.0, ge=0, le=90, description="greatest slope of stable terrain (degrees)")
    outline_buffer_m: float = Field(90.0, ge=0, le=100_000, description="distance kept from every glacier outline (m)")
    outlier_nmad: float = Field(
        4.0, gt=1, le=1000, description="|dh - median| beyond this many NMAD is no stable terrain"
    )
    glacier_outlier_nmad: float = Field(
        5.0, ge=0, le=1000, description="glacier pixels this many NMAD off their surroundings are voids; 0 keeps all"
    )
    minimum_stable_pixels: int = Field(500, ge=10, le=10**9, description="fewer stable pixels than this stop the run")
    max_shift_m: float = Field(1000.0, gt=0, le=1_000_000, description="a longer horizontal shift is refused (m)")
    tolerance_pixel: float = Field(0.001, ge=1e-9, le=1, description="co-registration stops below this step (pixel)")
    max_iterations: int = Field(20, ge=1, le=1000, description="co-registration stops after this many steps")
    resolution_correction: Literal["point_spread", "principal_curvatures", "maximum_curvature", "none"] = Field(
        "point_spread",
        description="how the effect of different resolutions is taken off: by the coarser DEM's point spread, by"
        " maximum and minimum curvature, by maximum curvature alone, or not at all",
    )
    correct_curvature: bool = Field(True, description="false is the same as resolution_correction none")
    correct_tilt: bool = Field(False, description="remove the residual tilt of stable terrain")
    correct_elevation_scale: bool = Field(
        False, description="remove the share of the elevation that is in the difference of stable terrain"
    )
    correct_undulation: bool = Field(
        False, description="remove waves of 2 km and more that stand out of the difference of stable terrain"
    )
    band_height_m: float = Field(
        100.0, ge=1, le=10_000, description="height of the elevation bands of the glacier tables (m)"
    )
    ice_density_kg_m3: float = Field(850.0, gt=0, le=917, description="volume-to-mass conversion (Huss, 2013)")
    sigma_ice_density_kg_m3: float = Field(60.0, ge=0, le=917, description="its standard deviation (Huss, 2013)")
    sigma_area_relative: float = Field(
        0.05, ge=0, le=1, description="relative standard deviation of a glacier's area (Paul et al., 2013)"
    )
    earlier_date: str | None = Field(None, description="acquisition date of the earlier DEM, ISO 8601")
    later_date: str | None = Field(None, description="acquisition date of the later DEM, ISO 8601")
    sigma_earlier_date_years: float = Field(
        0.0, ge=0, le=100, description="standard deviation of the earlier date (years)"
    )
    sigma_later_date_years: float = Field(0.0, ge=0, le=100, description="standard deviation of the later date (years)")
    penetration_earlier_m: float = Field(
        0.0, ge=-1000, le=1000, description="radar penetration of the earlier DEM over glaciers (m)"
    )
    penetration_later_m: float = Field(
        0.0, ge=-1000, le=1000, description="radar penetration of the later DEM over glaciers (m)"
    )
    sigma_penetration_m: float = Field(
        0.0, ge=0, le=1000, description="standard deviation of the penetration difference (m)"
    )
    surface_corrections: tuple[SurfaceCorrection, ...] = Field(
        (), description="penetration and seasonal snow by kind of glacier surface, instead of the three values above"
    )

    @field_validator("earlier_date", "later_date")
    @classmethod
    def _a_day(cls, text: str | None) -> str | None:
        if text:
            try:
                written_out = date.fromisoformat(text).isoformat() == text
            except ValueError:
                written_out = False
            if not written_out:
                raise ValueError(f"{text!r} is not a date of the form YYYY-MM-DD")
        return text

    @model_validator(mode="after")
    def _slopes_in_order(self) -> ElevationChangeSettings:
        if self.slope_min_deg >= self.slope_max_deg:
            raise ValueError(f"slope_min_deg {self.slope_min_deg} must be below slope_max_deg {self.slope_max_deg}")
        return self

    @model_validator(mode="after")
    def _dates_in_order(self) -> ElevationChangeSettings:
        if self.earlier_date and self.later_date and self.earlier_date >= self.later_date:
            raise ValueError(f"earlier_date {self.earlier_date} must be before later_date {self.later_date}")
        return self

    @model_validator(mode="after")
    def _surfaces_apart(self) -> ElevationChangeSettings:
        limits = sorted((_or(c.from_m, -math.inf), _or(c.to_m, math.inf)) for c in self.surface_corrections)
        for (lowest, end), (start, highest) in pairwise(limits):
            if start < end:
                raise ValueError(f"surface_corrections overlap: {lowest:g} to {end:g} m and {start:g} to {highest:g} m")
        names = [correction.surface for correction in self.surface_corrections]
        if len(set(names)) < len(names):
            raise ValueError(f"surface_corrections names a surface twice: {', '.join(sorted(names))}")
        if self.surface_corrections and self._everywhere is not None:
            raise ValueError("surface_corrections and penetration_..._m exclude each other: give one of them")
        return self

    @property
    def resolution_method(self) -> str:
        """How the effect of different resolutions is taken off; "none" where either setting says so."""
        return self.resolution_correction if self.correct_curvature else "none"

    @property
    def corrections(self) -> tuple[SurfaceCorrection, ...]:
        """The corrections to apply, each to its own surface; none is the default."""
        return self.surface_corrections if self._everywhere is None else (self._everywhere,)

    @property
    def _everywhere(self) -> SurfaceCorrection | None:
        given = {
            "penetration_earlier_m": self.penetration_earlier_m,
            "penetration_later_m": self.penetration_later_m,
            "sigma_penetration_m": self.sigma_penetration_m,
        }
        return SurfaceCorrection(surface="all glacier surfaces", **given) if any(given.values()) else None


class MassBalanceSettings(Frozen):
    """How stake and snow-pit readings become a glacier-wide balance (Cogley et al., 2011; Ostrem and Brugman, 1991)."""

    ice_density_kg_m3: float = Field(900.0, gt=800, le=917, description="density of glacier ice")
    superimposed_ice_density_kg_m3: float = Field(870.0, gt=700, le=917, description="density of superimposed ice")
    firn_density_kg_m3: float = Field(600.0, gt=400, le=830, description="density of a lowered firn surface")
    snow_density_kg_m3: float = Field(350.0, gt=50, le=600, description="snow density where none was measured")
    sigma_assumed_snow_density_kg_m3: float = Field(
        70.0, ge=0, le=300, description="standard deviation of that density, shared by all snow that has it"
    )
    old_snow_density_kg_m3: float = Field(
        550.0, gt=300, le=830, description="density of snow found at the end of a year, where none was measured"
    )
    sigma_old_snow_density_kg_m3: float = Field(
        80.0, ge=0, le=300, description="standard deviation of that density, shared by all snow that has it"
    )
    risen_density_kg_m3: float = Field(
        500.0,
        gt=50,
        le=830,
        description="density of what a stake rose by up to the end of a year, where no snow was noted",
    )
    sigma_risen_density_kg_m3: float = Field(100.0, ge=0, le=400, description="standard deviation of that density")
    sigma_reading_m: float = Field(0.03, ge=0, le=100, description="standard deviation of one stake reading (m)")
    sigma_snow_depth_m: float = Field(0.03, ge=0, le=100, description="standard deviation of one snow depth (m)")
    sigma_density_relative: float = Field(
        0.08, ge=0, le=1, description="relative standard deviation of a snow density, shared"
    )
    sigma_ice_density_kg_m3: float = Field(
        15.0, ge=0, le=917, description="standard deviation of the ice density, shared"
    )
    sigma_point_m_we: float = Field(
        0.10, ge=0, le=100, description="how well a point stands for its surroundings (m w.e.)"
    )
    sigma_area_relative: float = Field(0.02, ge=0, le=1, description="relative standard deviation of the glacier area")
    year_start: str = Field("10-01", pattern=r"^\d\d-\d\d$", description="start of the fixed-date year, month-day")
    annual_tolerance_days: int = Field(
        45, ge=0, le=366, description="a visit this close to the year's end closes the year"
    )
    isoline_interval_m_we: float = Field(0.1, ge=0.001, le=100, description="interval of the contour method (m w.e.)")
    band_height_m: float = Field(50.0, ge=1, le=10_000, description="height of the elevation zones (m)")
    resolution_m: float = Field(10.0, ge=0.1, le=10_000, description="pixel size of the balance field (m)")
    primary_method: Literal["contour", "zone"] = Field("contour", description="method of the published balance")
    time_system: Literal["FLO", "FXD", "STR"] = Field(
        "FLO", description="system of the balances used: floating date, fixed date, stratigraphic"
    )
    fixed_date_gap_days: int = Field(
        30,
        ge=0,
        le=366,
        description="visits this close together around a fixed date give its balance by interpolation in time",
    )
    interpolation: Literal["kriging", "inverse_distance"] = Field(
        "kriging", description="how the field departs from the elevation trend between the points"
    )
    elevation_trend: Literal["straight", "two_piece"] = Field(
        "two_piece", description="trend of the field with elevation; two-piece only where the points support the bend"
    )
    seasons: bool = Field(
        True, description="part the year into winter and summer; false for regions that have no such seasons"
    )
    internal_accumulation_m_we: float | None = Field(
        None,
        ge=0,
        le=5,
        description="internal accumulation a year, mean of the glacier (m w.e.), which stakes and pits do not show;"
        " not measured when absent",
    )
    sigma_internal_accumulation_m_we: float = Field(0.0, ge=0, le=5, description="its standard deviation (m w.e.)")
    fill_missing_stakes: bool = Field(
        False, description="fill stakes without a value in a year by the linear model b = stake + year"
    )
    minimum_points: int = Field(
        3, ge=1, le=10**6, description="fewer annual points than this give no glacier-wide balance"
    )

    @field_validator("year_start")
    @classmethod
    def _a_day_of_every_year(cls, text: str) -> str:
        try:
            date.fromisoformat(f"2001-{text}")  # a year without 29 February
        except ValueError:
            raise ValueError(f"{text!r} is no day of every year, month-day") from None
        return text
