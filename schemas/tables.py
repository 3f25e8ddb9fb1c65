"""Every table of the archive and of a field workbook; each column is stated once and reused."""

from __future__ import annotations

from schemas.fields import Column, ForeignKey, Table

# --- columns shared between tables -------------------------------------------------------------------------------

GLACIER_ID = Column("glacier_id", "string", "identifier of the glacier in its inventory", required=True)
GLACIER_NAME = Column("glacier_name", "string", "name of the glacier")
STAKE_ID = Column("stake_id", "string", "number or name of the stake, painted on it", required=True)
LEG = Column(
    "leg", "integer", "1 for the stake as first drilled, one more for each redrilling", required=True, minimum=1
)
DATE = Column("date", "date", "day of the visit", required=True)
LONGITUDE = Column("longitude", "number", "longitude, WGS 84", "degree", minimum=-180, maximum=180, decimals=6)
LATITUDE = Column("latitude", "number", "latitude, WGS 84", "degree", minimum=-90, maximum=90, decimals=6)
EASTING = Column("easting", "number", "easting in the archive's projection", "m", decimals=1)
NORTHING = Column("northing", "number", "northing in the archive's projection", "m", decimals=1)
ELEVATION = Column(
    "elevation_m", "number", "surface elevation above mean sea level", "m", minimum=-500, maximum=9000, decimals=1
)
REMARKS = Column("remarks", "string", "what the observer noted")
PIT_ID = Column("pit_id", "string", "name of the snow pit", required=True)
YEAR = Column("year", "year", "mass-balance year, named after the calendar year in which it ends", required=True)
LOWER = Column("lower_m", "number", "lower edge of the elevation band", "m", required=True, minimum=-500, maximum=9000)
UPPER = Column("upper_m", "number", "upper edge of the elevation band", "m", required=True, minimum=-500, maximum=9000)
AREA = Column("area_km2", "number", "glacier area", "km2", minimum=0, decimals=5)
BEGIN = Column("begin_date", "date", "first day of the period")
MIDSEASON = Column("midseason_date", "date", "day that parts winter from summer")
END = Column("end_date", "date", "last day of the period")
DENSITY = Column("density_kg_m3", "number", "density", "kg m-3", minimum=10, maximum=917, decimals=0)


def balance(name: str, meaning: str) -> Column:
    """A mass balance in metres of water equivalent, published at 0.01 m (10 kg m-2)."""
    return Column(name, "number", meaning, "m w.e.", minimum=-30, maximum=30, decimals=2)


def sigma(name: str, meaning: str, unit: str = "m w.e.", decimals: int = 2) -> Column:
    """One standard deviation."""
    return Column(name, "number", f"one standard deviation of {meaning}", unit, minimum=0, decimals=decimals)


WINTER = balance("winter_balance_m_we", "winter balance")
SUMMER = balance("summer_balance_m_we", "summer balance")
ANNUAL = balance("annual_balance_m_we", "annual balance")

# --- what a field team fills in ----------------------------------------------------------------------------------

GLACIER = Table(
    "glacier",
    "Glacier",
    "the one glacier the workbook is about",
    (
        GLACIER_ID,
        GLACIER_NAME.but(required=True),
        LONGITUDE.but(required=True),
        LATITUDE.but(required=True),
        Column("crs", "string", "projected CRS of easting and northing, as EPSG:code", pattern=r"EPSG:\d{4,6}"),
        Column("region", "string", "mountain range and basin"),
        REMARKS,
    ),
    ("glacier_id",),
)

STAKES = Table(
    "stakes",
    "Stakes",
    "the ablation stakes and where they stand; a position in degrees or in metres is enough",
    (
        STAKE_ID,
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION.but(required=True),
        Column("installed", "date", "day the stake was first drilled"),
        REMARKS,
    ),
    ("stake_id",),
)

READING_STATUS = ("ok", "bent", "melted_out", "buried", "lost")
SURFACES = ("snow", "firn", "ice", "superimposed_ice")

READINGS = Table(
    "readings",
    "Stake readings",
    "one row a stake, leg and visit",
    (
        STAKE_ID,
        LEG,
        DATE,
        Column(
            "exposed_m",
            "number",
            "stake length above the present surface, be it snow or ice, measured along the stake",
            "m",
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        Column(
            "stake_length_m", "number", "whole length of the stake of this leg", "m", minimum=0, maximum=30, decimals=3
        ),
        Column(
            "snow_depth_m", "number", "snow above the last summer's surface", "m", minimum=0, maximum=20, decimals=3
        ),
        Column(
            "snow_density_kg_m3", "number", "bulk density of that snow", "kg m-3", minimum=30, maximum=700, decimals=0
        ),
        Column(
            "superimposed_ice_m", "number", "superimposed ice under the snow", "m", minimum=0, maximum=5, decimals=3
        ),
        Column(
            "tilt_deg", "number", "angle of the stake from the vertical", "degree", minimum=0, maximum=85, decimals=1
        ),
        Column("surface", "string", "what the stake stands in below snow and superimposed ice", enum=SURFACES),
        Column("status", "string", "what the observer found", enum=READING_STATUS),
        REMARKS,
    ),
    ("stake_id", "leg", "date"),
    (ForeignKey(("stake_id",), "stakes", ("stake_id",)),),
)

PIT_FLOORS = ("summer_surface", "ice", "superimposed_ice", "not_reached")

SNOW_PITS = Table(
    "snow_pits",
    "Snow pits",
    "one row a pit; the layers stand in pit_layers",
    (
        PIT_ID,
        DATE,
        STAKE_ID.but(required=False, meaning="stake beside which the pit was dug, if any"),
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION.but(required=True),
        Column("floor", "string", "what the floor of the pit is", enum=PIT_FLOORS, required=True),
        REMARKS,
    ),
    ("pit_id",),
)

PIT_LAYERS = Table(
    "pit_layers",
    "Layers of the snow pits",
    "layers from the surface down; they must tile the pit",
    (
        PIT_ID,
        Column("layer", "integer", "number of the layer, 1 at the surface", required=True, minimum=1),
        Column(
            "top_m",
            "number",
            "depth of the layer's top below the surface",
            "m",
            required=True,
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        Column(
            "bottom_m",
            "number",
            "depth of the layer's bottom below the surface",
            "m",
            required=True,
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        DENSITY.but(required=True),
        Column("kind", "string", "what the layer is made of", enum=SURFACES),
        REMARKS,
    ),
    ("pit_id", "layer"),
    (ForeignKey(("pit_id",), "snow_pits", ("pit_id",)),),
)

PROBINGS = Table(
    "probings",
    "Snow probings",
    "snow depth probed between stakes and pits",
    (
        Column("probing_id", "string", "name of the probing", required=True),
        DATE,
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION.but(required=True),
        Column(
            "snow_depth_m",
            "number",
            "snow above the last summer's surface",
            "m",
            required=True,
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        REMARKS,
    ),
    ("probing_id",),
)

HYPSOMETRY = Table(
    "hypsometry",
    "Area-altitude distribution",
    "glacier area in each elevation band and year",
    (YEAR, LOWER, UPPER, AREA.but(required=True)),
    ("year", "lower_m"),
)

ZONE_OBSERVATIONS = Table(
    "zone_balances",
    "Balance of elevation bands, as observed or published",
    "an input instead of readings: band balances with their areas",
    (YEAR, BEGIN, MIDSEASON, END, LOWER, UPPER, AREA.but(required=True), WINTER, SUMMER, ANNUAL),
    ("year", "lower_m"),
)

WORKBOOK = (GLACIER, STAKES, READINGS, SNOW_PITS, PIT_LAYERS, PROBINGS, HYPSOMETRY, ZONE_OBSERVATIONS)

# --- what the mass-balance chain publishes -----------------------------------------------------------------------

PERIODS = ("annual", "winter", "summer", "instantaneous")
BASES = ("observed", "interpolated", "extrapolated")

POINT_BALANCES = Table(
    "point_balances",
    "Point balances",
    "balance at a stake or pit over a period, with its error and the readings it came from",
    (
        Column("point_id", "string", "stake or pit", required=True),
        Column("kind", "string", "how it was measured", enum=("stake", "pit", "probing"), required=True),
        YEAR,
        Column("period", "string", "which part of the year", enum=PERIODS, required=True),
        BEGIN.but(required=True),
        END.but(required=True),
        EASTING,
        NORTHING,
        LONGITUDE,
        LATITUDE,
        ELEVATION,
        balance("balance_m_we", "point balance; an upper bound where bound is '<='").but(required=True),
        sigma("sigma_balance_m_we", "the point balance"),
        Column(
            "bound",
            "string",
            "'=' a value, '<=' the balance is at most this (stake melted out)",
            enum=("=", "<="),
            required=True,
        ),
        Column("readings", "string", "identifiers of the readings it came from, stake/leg/date or pit, joined by ';'"),
        Column("flags", "string", "quality flags, joined by ';'"),
    ),
    ("point_id", "kind", "period", "begin_date", "end_date"),
)

ZONE_BALANCES = Table(
    "zone_balances",
    "Balances of elevation zones",
    "mean balance of each elevation zone and year, by contour zoning",
    (
        YEAR,
        LOWER,
        UPPER,
        AREA.but(required=True),
        ANNUAL,
        sigma("sigma_annual_m_we", "the annual balance"),
        WINTER,
        SUMMER,
        Column(
            "basis",
            "string",
            "whether the zone held a point, lay between such zones, or beyond them",
            enum=BASES,
            required=True,
        ),
        Column("n_points", "integer", "annual points in the zone", minimum=0),
    ),
    ("year", "lower_m"),
)

GLACIER_BALANCES = Table(
    "glacier_balances",
    "Glacier-wide balances",
    "annual, winter and summer balance of the whole glacier, with error, ELA and AAR",
    (
        GLACIER_ID,
        YEAR,
        BEGIN,
        MIDSEASON,
        END,
        Column(
            "time_system",
            "string",
            "FLO floating date, FXD fixed date, STR stratigraphic, COM combined, OTH other",
            enum=("FLO", "FXD", "STR", "COM", "OTH"),
        ),
        ANNUAL,
        sigma("sigma_annual_m_we", "the annual balance"),
        WINTER,
        sigma("sigma_winter_m_we", "the winter balance"),
        SUMMER,
        sigma("sigma_summer_m_we", "the summer balance"),
        Column("ela_m", "number", "equilibrium-line altitude", "m", minimum=-500, maximum=9000, decimals=0),
        Column("ela_position", "string", "'<' below the glacier, '>' above it, '=' on it", enum=("<", "=", ">")),
        Column("aar", "number", "accumulation-area ratio", "1", minimum=0, maximum=1, decimals=3),
        AREA,
        balance("contour_balance_m_we", "annual balance by the contour method: isoline classes times area"),
        balance("field_balance_m_we", "annual balance as the direct mean of the interpolated field"),
        balance("zone_balance_m_we", "annual balance by contour zoning"),
        balance("gradient_balance_m_we", "annual balance by a straight balance-elevation line, a cross-check"),
        Column("gradient_m_we_per_100m", "number", "balance gradient over the glacier", "m w.e. per 100 m", decimals=3),
        Column("n_stakes", "integer", "stakes with an annual balance", minimum=0),
        Column("n_pits", "integer", "pits with an annual balance", minimum=0),
        Column(
            "observed_share",
            "number",
            "share of the area in zones that held a point",
            "1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        Column(
            "provenance",
            "string",
            "where the year's values come from",
            enum=("observed", "reconstructed", "mixed"),
            required=True,
        ),
        Column("gate_passed", "boolean", "whether sigma stays within the definition's limit"),
        Column("flags", "string", "quality flags, joined by ';'"),
    ),
    ("glacier_id", "year"),
)

MASS_BALANCE_TABLES = (
    STAKES,
    READINGS,
    SNOW_PITS,
    PIT_LAYERS,
    POINT_BALANCES,
    ZONE_BALANCES,
    GLACIER_BALANCES,
    HYPSOMETRY,
)

# --- what the elevation-change chain publishes -------------------------------------------------------------------


def metres(name: str, meaning: str, decimals: int = 3) -> Column:
    return Column(name, "number", meaning, "m", decimals=decimals)


def share(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, "1", minimum=0, maximum=1, decimals=4)


_CHANGE = (
    metres("mean_dh_m", "mean elevation change, later minus earlier"),
    sigma("sigma_mean_dh_m", "the mean elevation change", "m", 3),
)

GLACIERS = Table(
    "glaciers",
    "Elevation change of each glacier",
    "area, mean elevation change, volume and mass of each glacier over its largest outline",
    (
        GLACIER_ID,
        GLACIER_NAME,
        LONGITUDE,
        LATITUDE,
        Column("area_earlier_km2", "number", "area at the earlier epoch", "km2", minimum=0, decimals=5),
        Column("area_later_km2", "number", "area at the later epoch", "km2", minimum=0, decimals=5),
        AREA.but(
            name="area_km2", meaning="area over which the change is averaged: the outlines of all epochs together"
        ),
        *_CHANGE,
        metres("median_dh_m", "median elevation change"),
        Column("mean_dhdt_m_a", "number", "mean rate of elevation change", "m a-1", decimals=4),
        sigma("sigma_mean_dhdt_m_a", "that rate", "m a-1", 4),
        Column("volume_change_m3", "number", "volume change", "m3", decimals=0),
        sigma("sigma_volume_change_m3", "the volume change", "m3", 0),
        Column("mass_change_kg", "number", "mass change", "kg", decimals=0),
        sigma("sigma_mass_change_kg", "the mass change", "kg", 0),
        share("observed_share", "share of the area with a measured change; the rest is filled by elevation band"),
        metres("lowest_m", "lowest elevation", 1),
        metres("highest_m", "highest elevation", 1),
        Column("flags", "string", "quality flags, joined by ';'"),
    ),
    ("glacier_id",),
)

ELEVATION_BANDS = Table(
    "elevation_bands",
    "Elevation change by elevation band",
    "hypsometric profile of every glacier; glacier_id 'all' is the region",
    (
        GLACIER_ID,
        LOWER,
        UPPER,
        AREA.but(required=True),
        share("observed_share", "share of the band with a measured change"),
        *_CHANGE,
        metres("median_dh_m", "median elevation change"),
        metres("nmad_dh_m", "normalised median absolute deviation of the change within the band"),
    ),
    ("glacier_id", "lower_m"),
)

ACCURACY = Table(
    "accuracy",
    "Relative accuracy over stable terrain",
    "statistics of the elevation difference off glaciers, before and after each step, overall and by class",
    (
        Column("step", "string", "after which step", enum=("raw", "coregistered", "corrected"), required=True),
        Column(
            "class",
            "string",
            "'all', or the terrain attribute by which the pixels are classed",
            enum=("all", "slope", "aspect", "elevation", "curvature"),
            required=True,
        ),
        Column("lower", "number", "lower edge of the class, in the attribute's unit", required=True),
        Column("upper", "number", "upper edge of the class", required=True),
        Column("unit", "string", "unit of the attribute"),
        Column("count", "integer", "pixels", minimum=0, required=True),
        metres("mean_m", "mean"),
        metres("mean_absolute_m", "mean of the absolute value"),
        metres("median_m", "median"),
        metres("std_m", "standard deviation"),
        metres("nmad_m", "normalised median absolute deviation"),
        metres("rmse_m", "root mean square"),
        metres("le90_m", "linear error at 90 %: the 90th percentile of the absolute value"),
    ),
    ("step", "class", "lower"),
)

DEM_CHECKS = Table(
    "dem_checks",
    "Accuracy checks of the DEMs",
    "each check of each input DEM, with what was found",
    (
        Column("dem", "string", "which DEM", enum=("earlier", "later"), required=True),
        Column("tile", "string", "file name of the tile, or 'all'", required=True),
        Column("check", "string", "name of the check", required=True),
        Column("value", "number", "what was measured", decimals=4),
        Column("limit", "number", "what is allowed", decimals=4),
        Column("unit", "string", "unit of value and limit"),
        Column("passed", "boolean", "whether the value is within the limit", required=True),
        Column("note", "string", "what it means"),
    ),
    ("dem", "tile", "check"),
)

COREGISTRATION = Table(
    "coregistration",
    "Iterations of the co-registration",
    "the horizontal and vertical shift after every step",
    (
        Column("iteration", "integer", "number of the step", minimum=0, required=True),
        metres("shift_east_m", "shift to the east so far", 4),
        metres("shift_north_m", "shift to the north so far", 4),
        metres("shift_up_m", "shift upwards so far", 4),
        metres("nmad_m", "NMAD of the elevation difference over stable terrain at this shift", 4),
        Column("count", "integer", "stable pixels used", minimum=0),
    ),
    ("iteration",),
)

QUALITY_GATES = Table(
    "quality_gates",
    "Quality gates",
    "what the definition promises, what was found, and the verdict",
    (
        Column("gate", "string", "name of the gate", required=True),
        Column("subject", "string", "what it was applied to: 'stable terrain', or a year", required=True),
        Column("value", "number", "what was found", decimals=4),
        Column("limit", "number", "what is allowed", required=True, decimals=4),
        Column("unit", "string", "unit of value and limit"),
        Column("passed", "boolean", "the verdict", required=True),
    ),
    ("gate", "subject"),
)

ELEVATION_CHANGE_TABLES = (GLACIERS, ELEVATION_BANDS, ACCURACY, DEM_CHECKS, COREGISTRATION)
PUBLISHED_TABLES = (*ELEVATION_CHANGE_TABLES, *MASS_BALANCE_TABLES, QUALITY_GATES)
