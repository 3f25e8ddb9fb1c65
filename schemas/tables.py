"""Every table of the archive and of a field workbook; each column is stated once and reused."""

from __future__ import annotations

from dataclasses import replace

from schemas.fields import FIELD_TYPES, Column, ForeignKey, Table
from schemas.input_notes import INPUT_NOTES
from schemas.wgms import WGMS_TABLES

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
    "the glacier the workbook is about; of several one row each",
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
        LONGITUDE.but(meaning="longitude of the stake on that day, where it was surveyed again, WGS 84"),
        LATITUDE.but(meaning="latitude of the stake on that day, where it was surveyed again, WGS 84"),
        EASTING.but(meaning="easting of the stake on that day, in the archive's projection"),
        NORTHING.but(meaning="northing of the stake on that day, in the archive's projection"),
        ELEVATION.but(meaning="surface elevation at the stake on that day, above mean sea level"),
        REMARKS,
    ),
    ("stake_id", "leg", "date"),
    (ForeignKey(("stake_id",), "stakes", ("stake_id",)),),
)

PIT_FLOORS = ("summer_surface", "ice", "superimposed_ice", "not_reached", "below_summer_surface")

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
        Column(
            "probed_depth_m",
            "number",
            "depth of the last summer's surface where it is not the floor: probed, or seen in the pit's wall",
            "m",
            minimum=0,
            maximum=30,
            decimals=3,
        ),
        REMARKS,
    ),
    ("pit_id",),
    (ForeignKey(("stake_id",), "stakes", ("stake_id",)),),
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

PROVENANCES = ("observed", "reconstructed", "mixed")


def published_balance(name: str, season: str) -> Column:
    """A glacier-wide balance that was published with band balances; the bands are held against it."""
    return balance(name, f"{season} balance of the whole glacier as published with the bands; the same in every row")


ZONE_OBSERVATIONS = Table(
    "zone_balances",
    "Balance of elevation bands, as observed or published",
    "an input instead of readings: band balances with their areas",
    (
        YEAR,
        BEGIN,
        MIDSEASON,
        END,
        LOWER,
        UPPER,
        AREA.but(required=True),
        WINTER,
        SUMMER,
        ANNUAL,
        Column("provenance", "string", "where the year's band balances come from", enum=PROVENANCES),
        published_balance("published_winter_balance_m_we", "winter"),
        published_balance("published_summer_balance_m_we", "summer"),
        published_balance("published_annual_balance_m_we", "annual"),
    ),
    ("year", "lower_m"),
)

WORKBOOK = (GLACIER, STAKES, READINGS, SNOW_PITS, PIT_LAYERS, PROBINGS, HYPSOMETRY, ZONE_OBSERVATIONS)
OWNER = GLACIER_ID.but(required=False, meaning="glacier that the row is of; needed where the workbook has several")


def _owned(table: Table) -> Table:
    """A table of one glacier as a sheet of a workbook that may have several: each row can name its glacier."""
    key = ForeignKey((OWNER.name,), GLACIER.name, (GLACIER_ID.name,))
    return replace(table, columns=(*table.columns, OWNER), foreign_keys=(*table.foreign_keys, key))


# the sheets as a field team types them; ``WORKBOOK`` are the same tables of one glacier
WORKBOOK_SHEETS = (GLACIER, *(_owned(table) for table in WORKBOOK[1:]))

# --- what the mass-balance chain publishes -----------------------------------------------------------------------

PERIODS = ("annual", "winter", "summer", "instantaneous")
BASES = ("observed", "interpolated", "extrapolated")

TIME_SYSTEMS = ("FLO", "FXD", "STR", "COM", "OTH")
TIME_SYSTEM = Column(
    "time_system",
    "string",
    "FLO floating date, FXD fixed date, STR stratigraphic, COM combined, OTH other",
    enum=TIME_SYSTEMS,
)

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
            "whether the balance is this, '=', or at most this, '<=' (stake melted out)",
            enum=("=", "<="),
            required=True,
        ),
        Column("readings", "string", "identifiers of the readings it came from, stake/leg/date or pit, joined by ';'"),
        Column("flags", "string", "quality flags, joined by ';'"),
        TIME_SYSTEM,
        balance("snow_balance_m_we", "part of the balance in snow"),
        balance("firn_balance_m_we", "part of the balance in firn"),
        balance("ice_balance_m_we", "part of the balance in ice"),
        balance("superimposed_ice_balance_m_we", "part of the balance in superimposed ice"),
    ),
    ("point_id", "kind", "period", "begin_date", "end_date"),
)

OTHER_TIME_SYSTEMS = Table(
    "other_time_systems",
    "Point balances in other time systems",
    "the same points in the time systems that the glacier-wide balance does not use, where the visits allow",
    POINT_BALANCES.columns,
    ("point_id", "kind", "time_system", "year", "period"),
)

FILLED_BALANCES = Table(
    "filled_balances",
    "Filled point balances",
    "annual balances of stakes in years without a value, by the linear model b = stake + year (Lliboutry, 1974)",
    (
        Column("point_id", "string", "stake", required=True),
        YEAR,
        balance("balance_m_we", "filled annual balance").but(required=True),
        sigma("sigma_balance_m_we", "the filled balance"),
        balance("stake_term_m_we", "alpha of the stake: its mean over the years of the model"),
        balance("year_term_m_we", "beta of the year: its difference from that mean"),
        Column("n_stakes", "integer", "stakes observed in that year", minimum=0),
        Column("used", "boolean", "whether it entered the glacier-wide balance"),
    ),
    ("point_id", "year"),
    (ForeignKey(("point_id",), "stakes", ("stake_id",)),),
)

LINEAR_MODEL = Table(
    "linear_model",
    "Linear balance model",
    "terms of the linear model b = stake + year of the annual balances (Lliboutry, 1974), and how well it predicts",
    (
        Column("term", "string", "which term", enum=("stake", "year", "model"), required=True),
        Column("name", "string", "stake, year, or 'residual' and 'cross_validation'", required=True),
        Column("value_m_we", "number", "the term, or the root mean square of the model", "m w.e.", decimals=3),
        sigma("sigma_value_m_we", "the term", decimals=3),
        Column("n", "integer", "balances it rests on", minimum=0),
    ),
    ("term", "name"),
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
    (ForeignKey(("year",), "glacier_balances", ("year",)),),
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
        TIME_SYSTEM,
        ANNUAL,
        sigma("sigma_annual_m_we", "the annual balance"),
        WINTER.but(meaning="winter balance; where much snow falls in summer too, it is not the accumulation"),
        sigma("sigma_winter_m_we", "the winter balance"),
        SUMMER,
        sigma("sigma_summer_m_we", "the summer balance"),
        Column("ela_m", "number", "equilibrium-line altitude", "m", minimum=-500, maximum=9000, decimals=0),
        Column(
            "sigma_ela_m",
            "number",
            "one standard deviation of the equilibrium-line altitude; empty where the line lies off the glacier",
            "m",
            minimum=0,
            decimals=0,
        ),
        Column("ela_position", "string", "'<' below the glacier, '>' above it, '=' on it", enum=("<", "=", ">")),
        Column("aar", "number", "accumulation-area ratio", "1", minimum=0, maximum=1, decimals=3),
        Column(
            "sigma_aar",
            "number",
            "one standard deviation of the accumulation-area ratio",
            "1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
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
            enum=PROVENANCES,
            required=True,
        ),
        Column("gate_passed", "boolean", "whether sigma stays within the definition's limit"),
        Column("flags", "string", "quality flags, joined by ';'"),
        balance("quadratic_balance_m_we", "annual balance by a parabola of balance against elevation, a cross-check"),
        balance("piecewise_balance_m_we", "annual balance by a line with one bend against elevation, a cross-check"),
        balance("index_stakes_balance_m_we", "annual balance from index stakes and the other years, a cross-check"),
        balance("inverse_distance_balance_m_we", "annual balance by inverse-distance weights, a cross-check"),
        balance("method_range_m_we", "largest minus smallest annual balance of the methods, inverse distance apart"),
        Column(
            "gradient_below_ela_m_we_per_100m",
            "number",
            "balance gradient of the points below the equilibrium line",
            "m w.e. per 100 m",
            decimals=3,
        ),
        Column(
            "gradient_above_ela_m_we_per_100m",
            "number",
            "balance gradient of the points above the equilibrium line",
            "m w.e. per 100 m",
            decimals=3,
        ),
        AREA.but(name="accumulation_area_km2", meaning="area with a balance of at least zero"),
        AREA.but(name="ablation_area_km2", meaning="area with a balance below zero"),
        ELEVATION.but(name="lowest_point_m", meaning="elevation of the lowest point used"),
        ELEVATION.but(name="highest_point_m", meaning="elevation of the highest point used"),
        Column(
            "extrapolated_share",
            "number",
            "share of the area in zones below the lowest or above the highest zone that held a point",
            "1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        Column("n_filled", "integer", "stakes whose balance the linear model filled", minimum=0),
    ),
    ("glacier_id", "year"),
)

CUMULATIVE_BALANCES = Table(
    "cumulative_balances",
    "Cumulative balances",
    "running sum of the annual balances from the first year on, as far as no year lacks a balance",
    (
        YEAR,
        ANNUAL,
        Column("cumulative_balance_m_we", "number", "sum of the annual balances so far", "m w.e.", decimals=2),
        sigma("sigma_cumulative_m_we", "the cumulative balance"),
    ),
    ("year",),
    (ForeignKey(("year",), "glacier_balances", ("year",)),),
)

ERROR_BUDGETS = Table(
    "error_budgets",
    "Error budgets",
    "one standard deviation of each source of error of annual and cumulative balances, by formula and by Monte Carlo",
    (
        Column(
            "scope", "string", "of the year alone, or of the sum up to it", enum=("annual", "cumulative"), required=True
        ),
        YEAR,
        Column(
            "source",
            "string",
            "point readings, densities, interpolation, area, method, or all together",
            enum=("point", "density", "interpolation", "area", "method", "total"),
            required=True,
        ),
        Column("sigma_m_we", "number", "by formula", "m w.e.", minimum=0, decimals=4),
        Column(
            "monte_carlo_m_we", "number", "spread of the balances of a Monte Carlo run", "m w.e.", minimum=0, decimals=4
        ),
    ),
    ("scope", "year", "source"),
    (ForeignKey(("year",), "glacier_balances", ("year",)),),
)

LEAVE_ONE_OUT = Table(
    "leave_one_out",
    "Leave one point out",
    "each annual point balance predicted from the other points of its year, and what the glacier's balance owes to it",
    (
        YEAR,
        Column("point_id", "string", "stake or pit", required=True),
        Column("kind", "string", "how it was measured", enum=("stake", "pit", "probing"), required=True),
        balance("balance_m_we", "the point's balance").but(required=True),
        balance("predicted_balance_m_we", "its balance predicted from the others"),
        sigma("sigma_predicted_m_we", "the difference of the two"),
        Column("standardised_error", "number", "difference over its standard deviation", "1", decimals=2),
        Column(
            "influence_m_we", "number", "glacier-wide balance with the point minus without it", "m w.e.", decimals=3
        ),
    ),
    ("year", "kind", "point_id"),
    (ForeignKey(("year",), "glacier_balances", ("year",)),),
)

DENSITY_FITS = Table(
    "density_fits",
    "Snow density against depth",
    "bulk density of the snow of a campaign against its depth, a straight line",
    (
        BEGIN.but(required=True, meaning="first day of the campaign"),
        END.but(required=True, meaning="last day of the campaign"),
        Column("n", "integer", "densities measured", minimum=1, required=True),
        Column("shallowest_m", "number", "shallowest snow with a density", "m", decimals=2),
        Column("deepest_m", "number", "deepest snow with a density", "m", decimals=2),
        DENSITY.but(name="mean_kg_m3", meaning="mean of the densities"),
        Column("intercept_kg_m3", "number", "fitted bulk density at no depth", "kg m-3", decimals=1),
        Column(
            "slope_kg_m3_per_m", "number", "increase of the fitted bulk density with depth", "kg m-3 per m", decimals=1
        ),
        sigma("sigma_slope_kg_m3_per_m", "the slope", "kg m-3 per m", 1),
        sigma("sigma_density_kg_m3", "a density about the fit, or about the mean", "kg m-3", 1),
        Column(
            "used", "boolean", "whether the fit, and not the mean, stands for snow without a density", required=True
        ),
    ),
    ("begin_date",),
)

QUALITY_FLAGS = Table(
    "quality_flags",
    "Quality flags",
    "everything that a user of the balances should know: what was assumed, left out, or looks wrong",
    (
        Column("number", "integer", "running number", required=True, minimum=1),
        YEAR.but(required=False),
        Column("subject", "string", "what is flagged: the year, a point, a reading, a band", required=True),
        Column("flag", "string", "the flag", required=True),
        Column("detail", "string", "how much, or which other record"),
        Column("meaning", "string", "what the flag says", required=True),
    ),
    ("number",),
)

GEODETIC_CHECK = Table(
    "geodetic_check",
    "Geodetic check",
    "sum of the glaciological balances against the elevation change of the same period (Zemp et al., 2013)",
    (
        YEAR.but(name="first_year", meaning="first mass-balance year of the sum"),
        YEAR.but(name="last_year", meaning="last mass-balance year of the sum"),
        BEGIN.but(meaning="day of the earlier elevation model"),
        END.but(meaning="day of the later elevation model"),
        Column("glaciological_balance_m_we", "number", "sum of the annual balances", "m w.e.", decimals=2),
        sigma("sigma_glaciological_m_we", "the sum"),
        Column("geodetic_balance_m_we", "number", "mean elevation change times density", "m w.e.", decimals=2),
        sigma("sigma_geodetic_m_we", "the geodetic balance"),
        Column("mean_dh_m", "number", "mean elevation change of the glacier", "m", decimals=3),
        sigma("sigma_mean_dh_m", "the mean elevation change", "m", 3),
        Column("density_kg_m3", "number", "density of the volume-to-mass conversion", "kg m-3", decimals=0),
        sigma("sigma_density_kg_m3", "that density", "kg m-3", 0),
        sigma("sigma_survey_difference_m_we", "what the days between the surveys and the balance years may hide"),
        Column("difference_m_we", "number", "glaciological minus geodetic", "m w.e.", decimals=2),
        Column("reduced_discrepancy", "number", "difference over its standard deviation", "1", decimals=2),
        Column("agrees", "boolean", "whether the reduced discrepancy stays within 1.96"),
        Column("flags", "string", "quality flags, joined by ';'"),
    ),
    ("first_year", "last_year"),
)

SOURCE_SHEET = Column("source_sheet", "string", "sheet of the field workbook, or file, that the row was read from")
SOURCE_CELL = Column("source_cell", "string", "its cells there, as A14:L14")


def _with_source(table: Table) -> Table:
    """A table of the field workbook as it is published: each row tells the cells it came from."""
    return replace(table, columns=(*table.columns, SOURCE_SHEET, SOURCE_CELL))


MASS_BALANCE_TABLES = (
    STAKES,
    _with_source(READINGS),
    _with_source(SNOW_PITS),
    _with_source(PIT_LAYERS),
    _with_source(PROBINGS),
    POINT_BALANCES,
    ZONE_BALANCES,
    GLACIER_BALANCES,
    HYPSOMETRY,
    CUMULATIVE_BALANCES,
    ERROR_BUDGETS,
    LEAVE_ONE_OUT,
    OTHER_TIME_SYSTEMS,
    FILLED_BALANCES,
    LINEAR_MODEL,
    DENSITY_FITS,
    QUALITY_FLAGS,
    GEODETIC_CHECK,
    INPUT_NOTES,
)

# --- what the elevation-change chain publishes -------------------------------------------------------------------


def metres(name: str, meaning: str, decimals: int = 3) -> Column:
    return Column(name, "number", meaning, "m", decimals=decimals)


def share(name: str, meaning: str) -> Column:
    return Column(name, "number", meaning, "1", minimum=0, maximum=1, decimals=4)


# the first four make sigma_mean_dh_m; with sigma_area_m they make that of the volume, with sigma_density_m and
# sigma_area_m that of the mass, with sigma_date_m that of the rate
SIGMA_SOURCES = (
    sigma("sigma_measurement_m", "the mean, from the measured pixels: their sigma integrated over the shape", "m", 3),
    sigma("sigma_filling_m", "the mean, from the filling of voids", "m", 3),
    sigma("sigma_coregistration_m", "the mean, from the shift and the mean of stable terrain, shared by all", "m", 3),
    sigma("sigma_correction_m", "the mean, from penetration and season, shared within a surface", "m", 3),
    sigma("sigma_area_m", "the volume for each unit of area, from the outline", "m", 3),
    sigma("sigma_date_m", "the rate times the period, from the acquisition dates", "m", 3),
    sigma("sigma_density_m", "the mass for each unit of area and density, from the density", "m", 3),
)

_CHANGE_OF_SHAPE = (
    Column("area_earlier_km2", "number", "area at the earlier epoch", "km2", minimum=0, decimals=5),
    Column("area_later_km2", "number", "area at the later epoch", "km2", minimum=0, decimals=5),
    AREA.but(name="area_km2", meaning="area over which the change is averaged: the outlines of all epochs together"),
    metres("mean_dh_m", "mean elevation change, later minus earlier; voids filled"),
    sigma("sigma_mean_dh_m", "the mean elevation change", "m", 3),
    *SIGMA_SOURCES,
    metres("median_dh_m", "median elevation change"),
    Column("mean_dhdt_m_a", "number", "mean rate of elevation change", "m a-1", decimals=4),
    sigma("sigma_mean_dhdt_m_a", "that rate", "m a-1", 4),
    Column("volume_change_m3", "number", "volume change", "m3", decimals=0),
    sigma("sigma_volume_change_m3", "the volume change", "m3", 0),
    Column("mass_change_kg", "number", "mass change", "kg", decimals=0),
    sigma("sigma_mass_change_kg", "the mass change", "kg", 0),
    Column("mean_area_km2", "number", "mean of the areas at both epochs", "km2", minimum=0, decimals=5),
    Column("specific_mass_change_m_we", "number", "mass change over the mean area", "m w.e.", decimals=3),
    sigma("sigma_specific_mass_change_m_we", "the mass change over the mean area", decimals=3),
    Column("mass_balance_m_we_a", "number", "its rate: the geodetic mass balance", "m w.e. a-1", decimals=4),
    sigma("sigma_mass_balance_m_we_a", "the geodetic mass balance", "m w.e. a-1", 4),
    share("observed_share", "share of the area with a measured change; the rest is filled by elevation"),
    share("filled_share", "share of the area filled by the glacier's own profile of change with elevation"),
    share("extrapolated_share", "part of the filled share that lies above or below the glacier's measured elevations"),
    share("outlier_share", "part of the filled share whose measured change was set aside as a blunder"),
    metres("lowest_m", "lowest elevation", 1),
    metres("highest_m", "highest elevation", 1),
    Column("flags", "string", "quality flags, joined by ';'"),
)

GLACIERS = Table(
    "glaciers",
    "Elevation change of each glacier",
    "area, mean elevation change, volume and mass of each glacier over its outlines of all epochs, errors by source",
    (GLACIER_ID, GLACIER_NAME, LONGITUDE, LATITUDE, *_CHANGE_OF_SHAPE),
    ("glacier_id",),
)

OUTLINES = Table(
    "outlines",
    "Glacier outlines",
    "outlines as used, one record a glacier and epoch; no table of the collection but a file of its item",
    (GLACIER_ID, GLACIER_NAME, Column("epoch", "string", "epoch of the outline", required=True)),
    ("glacier_id", "epoch"),
)

OUTLINE = Table(
    "outline",
    "Glacier outline",
    "the outline within which the balance is computed; no table of the collection but a file of each item",
    (GLACIER_ID, GLACIER_NAME, AREA),
    ("glacier_id",),
)

REGION = Table(
    "region",
    "Elevation change of the region",
    "all glaciers with a measured change taken together; errors that glaciers share do not shrink with their number",
    (
        Column("region", "string", "'all': every glacier of the table of glaciers", required=True),
        Column("count", "integer", "glaciers of the region", minimum=0, required=True),
        Column("count_measured", "integer", "glaciers with a measured change", minimum=0, required=True),
        *_CHANGE_OF_SHAPE,
    ),
    ("region",),
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
        metres("mean_dh_m", "mean elevation change of the band's measured pixels, later minus earlier"),
        sigma("sigma_mean_dh_m", "that mean", "m", 3),
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
        Column("value", "number", "what was measured", decimals=6),
        Column("limit", "number", "what is allowed", decimals=6),
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

DATES = Table(
    "dates",
    "Acquisition dates",
    "when each input was acquired: what the description claims and what its source supports",
    (
        Column(
            "input",
            "string",
            "earlier, later, outlines with the number of their epoch, or period: from the earlier to the later input",
            required=True,
        ),
        Column("product", "string", "the input product"),
        Column("claimed_begin", "date", "first day that the description claims"),
        Column("claimed_end", "date", "last day that the description claims"),
        Column("supported_begin", "date", "first day that the source supports"),
        Column("supported_end", "date", "last day that the source supports"),
        Column("date", "date", "day taken for the input in rates"),
        sigma("sigma_years", "that day; for the period, of its length", "a", 3),
        Column("basis", "string", "where the dates come from"),
    ),
    ("input",),
)

CORRECTIONS = Table(
    "corrections",
    "Corrections for radar penetration and season",
    "what was added to the elevation change of glaciers, by kind of surface; a single row of zeros where nothing was",
    (
        Column("surface", "string", "kind of glacier surface", required=True),
        metres("from_m", "lowest elevation of the surface", 1),
        metres("to_m", "elevation at which it ends", 1),
        metres("penetration_earlier_m", "how far below the surface the earlier DEM lies"),
        metres("penetration_later_m", "how far below the surface the later DEM lies"),
        sigma("sigma_penetration_m", "their difference", "m", 3),
        metres("snow_earlier_m", "seasonal snow on the surface at the earlier date"),
        metres("snow_later_m", "seasonal snow on the surface at the later date"),
        sigma("sigma_snow_m", "their difference", "m", 3),
        metres("added_m", "what was added to the elevation change"),
        sigma("sigma_added_m", "what was added, shared by all pixels of the surface", "m", 3),
        Column("basis", "string", "where the values come from"),
    ),
    ("surface",),
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

DATA_DICTIONARY = Table(
    "data_dictionary",
    "Data dictionary",
    "every column of every table of the collection: what it means, its unit, and what may stand in it",
    (
        Column("table", "string", "name of the table", required=True),
        Column("position", "integer", "place of the column in its table, 1 for the first", required=True, minimum=1),
        Column("column", "string", "name of the column", required=True),
        Column("type", "string", "what its cells hold", enum=FIELD_TYPES, required=True),
        Column("unit", "string", "unit; 1 for a ratio, empty where there is none"),
        Column("meaning", "string", "what the column says", required=True),
        Column("required", "boolean", "whether every cell must be filled", required=True),
        Column("minimum", "number", "least value allowed, in the column's unit"),
        Column("maximum", "number", "greatest value allowed, in the column's unit"),
        Column("decimals", "integer", "decimals published", minimum=0),
        Column("allowed", "string", "the only values allowed, as 'one of: first, second'"),
        Column("pattern", "string", "regular expression that the whole cell must match"),
        Column("in_primary_key", "boolean", "whether the column is part of the table's primary key", required=True),
        Column("refers_to", "string", "column of another table in which each value must be found, as table.column"),
    ),
    ("table", "position"),
)

ELEVATION_CHANGE_TABLES = (
    GLACIERS,
    ELEVATION_BANDS,
    REGION,
    ACCURACY,
    DEM_CHECKS,
    COREGISTRATION,
    DATES,
    CORRECTIONS,
)
PAIR = Column(
    "pair", "string", "years of the two DEMs that were differenced, as 2000-2010", required=True, pattern=r"\d{4}-\d{4}"
)


def of_pairs(table: Table) -> Table:
    """A table of the elevation change of one pair of DEMs as it is published for several: each row tells its pair."""
    keys = tuple(
        replace(key, columns=(PAIR.name, *key.columns), reference_columns=(PAIR.name, *key.reference_columns))
        for key in table.foreign_keys
    )
    columns, primary_key = (PAIR, *table.columns), (PAIR.name, *table.primary_key)
    return replace(table, columns=columns, primary_key=primary_key, foreign_keys=keys)


def of_glaciers(table: Table) -> Table:
    """A table of one glacier as it is written for several glaciers together: each row tells its glacier."""
    name = GLACIER_ID.name
    columns = table.columns if name in table.column_names else (GLACIER_ID, *table.columns)
    primary_key = table.primary_key if name in table.primary_key else (name, *table.primary_key)
    keys = tuple(
        replace(key, columns=(name, *key.columns), reference_columns=(name, *key.reference_columns))
        for key in table.foreign_keys
    )
    return replace(table, columns=columns, primary_key=primary_key, foreign_keys=keys)


def published_schemas(*, several_pairs: bool = False) -> dict[str, Table]:
    """Every table of a collection by its name; with several pairs of DEMs those of elevation change tell the pair."""
    change = {table.name for table in ELEVATION_CHANGE_TABLES} if several_pairs else set()
    return {table.name: of_pairs(table) if table.name in change else table for table in PUBLISHED_TABLES}


PUBLISHED_TABLES = (
    *ELEVATION_CHANGE_TABLES,
    *MASS_BALANCE_TABLES,
    QUALITY_GATES,
    *WGMS_TABLES,
    DATA_DICTIONARY,
)
