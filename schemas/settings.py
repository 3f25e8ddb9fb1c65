"""Processing settings of the two chains: each named once, with unit, default, limits and meaning."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Frozen(BaseModel):
    """A value that cannot be changed and accepts no unknown key."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ElevationChangeSettings(Frozen):
    """How two DEMs become an elevation change (Nuth and Kaab, 2011; Gardelle et al., 2012; Hugonnet et al., 2022)."""

    reference: Literal["earlier", "later"] = Field("later", description="which DEM stays where it is")
    crs: str | None = Field(None, description="projected CRS of the result; the UTM zone of the overlap when absent")
    resolution_m: Annotated[float, Field(gt=0)] | None = Field(
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
    outline_buffer_m: float = Field(90.0, ge=0, description="distance kept from every glacier outline (m)")
    outlier_nmad: float = Field(4.0, gt=1, description="|dh - median| beyond this many NMAD is no stable terrain")
    minimum_stable_pixels: int = Field(500, ge=10, description="fewer stable pixels than this stop the run")
    max_shift_m: float = Field(1000.0, gt=0, description="a longer horizontal shift is refused (m)")
    tolerance_pixel: float = Field(0.001, gt=0, description="co-registration stops below this step (pixel)")
    max_iterations: int = Field(20, ge=1, description="co-registration stops after this many steps")
    correct_curvature: bool = Field(True, description="correct the resolution effect by maximum curvature")
    correct_tilt: bool = Field(False, description="remove the residual tilt of stable terrain")
    band_height_m: float = Field(100.0, gt=0, description="height of the elevation bands of the glacier tables (m)")
    ice_density_kg_m3: float = Field(850.0, gt=0, le=917, description="volume-to-mass conversion (Huss, 2013)")
    sigma_ice_density_kg_m3: float = Field(60.0, ge=0, description="its standard deviation (Huss, 2013)")
    earlier_date: str | None = Field(None, description="acquisition date of the earlier DEM, ISO 8601")
    later_date: str | None = Field(None, description="acquisition date of the later DEM, ISO 8601")
    sigma_earlier_date_years: float = Field(0.0, ge=0, description="standard deviation of the earlier date (years)")
    sigma_later_date_years: float = Field(0.0, ge=0, description="standard deviation of the later date (years)")
    penetration_earlier_m: float = Field(0.0, description="radar penetration of the earlier DEM over glaciers (m)")
    penetration_later_m: float = Field(0.0, description="radar penetration of the later DEM over glaciers (m)")
    sigma_penetration_m: float = Field(0.0, ge=0, description="standard deviation of the penetration difference (m)")

    @model_validator(mode="after")
    def _slopes_in_order(self) -> ElevationChangeSettings:
        if self.slope_min_deg >= self.slope_max_deg:
            raise ValueError(f"slope_min_deg {self.slope_min_deg} must be below slope_max_deg {self.slope_max_deg}")
        return self


class MassBalanceSettings(Frozen):
    """How stake and snow-pit readings become a glacier-wide balance (Cogley et al., 2011; Ostrem and Brugman, 1991)."""

    ice_density_kg_m3: float = Field(900.0, gt=800, le=917, description="density of glacier ice")
    superimposed_ice_density_kg_m3: float = Field(870.0, gt=700, le=917, description="density of superimposed ice")
    firn_density_kg_m3: float = Field(600.0, gt=400, le=830, description="density of a lowered firn surface")
    snow_density_kg_m3: float = Field(350.0, gt=50, le=600, description="snow density where none was measured")
    sigma_reading_m: float = Field(0.03, ge=0, description="standard deviation of one stake reading (m)")
    sigma_snow_depth_m: float = Field(0.03, ge=0, description="standard deviation of one snow depth (m)")
    sigma_density_relative: float = Field(
        0.08, ge=0, description="relative standard deviation of a snow density, shared"
    )
    sigma_ice_density_kg_m3: float = Field(15.0, ge=0, description="standard deviation of the ice density, shared")
    sigma_point_m_we: float = Field(0.10, ge=0, description="how well a point stands for its surroundings (m w.e.)")
    sigma_area_relative: float = Field(0.02, ge=0, description="relative standard deviation of the glacier area")
    year_start: str = Field("10-01", pattern=r"^\d\d-\d\d$", description="start of the fixed-date year, month-day")
    annual_tolerance_days: int = Field(45, ge=0, description="a visit this close to the year's end closes the year")
    isoline_interval_m_we: float = Field(0.1, gt=0, description="interval of the contour method (m w.e.)")
    band_height_m: float = Field(50.0, gt=0, description="height of the elevation zones (m)")
    resolution_m: float = Field(10.0, gt=0, description="pixel size of the balance field (m)")
    primary_method: Literal["contour", "zone"] = Field("contour", description="method of the published balance")
    minimum_points: int = Field(3, ge=1, description="fewer annual points than this give no glacier-wide balance")
