"""Every table of the archive and of a field workbook; each column is stated once and reused."""

from __future__ import annotations

from dataclasses import replace

from schemas.fields import FIELD_TYPES, Column, ForeignKey, Table
from schemas.input_notes import INPUT_NOTES
from schemas.wgms import WGMS_TABLES

# --- columns shared between tables -------------------------------------------------------------------------------

GLACIER_ID = Column(
    name="glacier_id", type="string", meaning="identifier of the glacier in its inventory", required=True
)
GLACIER_NAME = Column(name="glacier_name", type="string", meaning="name of the glacier")
STAKE_ID = Column(name="stake_id", type="string", meaning="number or name of the stake, painted on it", required=True)
LEG = Column(
    name="leg",
    type="integer",
    meaning="1 for the stake as first drilled, one more for each redrilling",
    required=True,
    minimum=1,
)
DATE = Column(name="date", type="date", meaning="day of the visit", required=True)
LONGITUDE = Column(
    name="longitude", type="number", meaning="longitude, WGS 84", unit="degree", minimum=-180, maximum=180, decimals=6
)
LATITUDE = Column(
    name="latitude", type="number", meaning="latitude, WGS 84", unit="degree", minimum=-90, maximum=90, decimals=6
)
EASTING = Column(name="easting", type="number", meaning="easting in the archive's projection", unit="m", decimals=1)
NORTHING = Column(name="northing", type="number", meaning="northing in the archive's projection", unit="m", decimals=1)
ELEVATION = Column(
    name="elevation_m",
    type="number",
    meaning="surface elevation above mean sea level",
    unit="m",
    minimum=-500,
    maximum=9000,
    decimals=1,
)
REMARKS = Column(name="remarks", type="string", meaning="what the observer noted")
PIT_ID = Column(name="pit_id", type="string", meaning="name of the snow pit", required=True)
YEAR = Column(
    name="year", type="year", meaning="mass-balance year, named after the calendar year in which it ends", required=True
)
LOWER = Column(
    name="lower_m",
    type="number",
    meaning="lower edge of the elevation band",
    unit="m",
    required=True,
    minimum=-500,
    maximum=9000,
)
UPPER = Column(
    name="upper_m",
    type="number",
    meaning="upper edge of the elevation band",
    unit="m",
    required=True,
    minimum=-500,
    maximum=9000,
)
AREA = Column(name="area_km2", type="number", meaning="glacier area", unit="km2", minimum=0, decimals=5)
BEGIN = Column(name="begin_date", type="date", meaning="first day of the period")
MIDSEASON = Column(name="midseason_date", type="date", meaning="day that parts winter from summer")
END = Column(name="end_date", type="date", meaning="last day of the period")
SWE = Column(
    name="swe_m_we",
    type="number",
    meaning="water equivalent of the snow above the last summer's surface, where it was measured itself",
    unit="m w.e.",
    minimum=0,
    maximum=12,
    decimals=3,
)
DENSITY = Column(
    name="density_kg_m3", type="number", meaning="density", unit="kg m-3", minimum=10, maximum=917, decimals=0
)


def balance(name: str, meaning: str) -> Column:
    """A mass balance in metres of water equivalent, published at 0.01 m (10 kg m-2)."""
    return Column(name=name, type="number", meaning=meaning, unit="m w.e.", minimum=-30, maximum=30, decimals=2)


def sigma(name: str, meaning: str, unit: str = "m w.e.", decimals: int = 2) -> Column:
    """One standard deviation."""
    return Column(
        name=name,
        type="number",
        meaning=f"one standard deviation of {meaning}",
        unit=unit,
        minimum=0,
        decimals=decimals,
    )


WINTER = balance("winter_balance_m_we", "winter balance")
SUMMER = balance("summer_balance_m_we", "summer balance")
ANNUAL = balance("annual_balance_m_we", "annual balance")

# --- what a field team fills in ----------------------------------------------------------------------------------

GLACIER = Table(
    name="glacier",
    title="Glacier",
    meaning="the glacier the workbook is about; of several one row each",
    columns=(
        GLACIER_ID,
        GLACIER_NAME.but(required=True),
        LONGITUDE.but(required=True),
        LATITUDE.but(required=True),
        Column(
            name="crs",
            type="string",
            meaning="projected CRS of easting and northing, as EPSG:code",
            pattern=r"EPSG:\d{4,6}",
        ),
        Column(name="region", type="string", meaning="mountain range and basin"),
        Column(
            name="part_of",
            type="string",
            meaning="glacier that it has been a part of since that parted: parts of one glacier get a joint series",
        ),
        REMARKS,
    ),
    primary_key=("glacier_id",),
)

STAKES = Table(
    name="stakes",
    title="Stakes",
    meaning="the ablation stakes and where they stand; a position in degrees or in metres is enough",
    columns=(
        STAKE_ID,
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION,
        Column(name="installed", type="date", meaning="day the stake was first drilled"),
        REMARKS,
    ),
    primary_key=("stake_id",),
)

READING_STATUS = ("ok", "bent", "melted_out", "buried", "lost")
SURFACES = ("snow", "firn", "ice", "superimposed_ice")

READINGS = Table(
    name="readings",
    title="Stake readings",
    meaning="one row a stake, leg and visit",
    columns=(
        STAKE_ID,
        LEG,
        DATE,
        Column(
            name="exposed_m",
            type="number",
            meaning="stake length above the present surface, be it snow or ice, measured along the stake",
            unit="m",
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        Column(
            name="stake_length_m",
            type="number",
            meaning="whole length of the stake of this leg",
            unit="m",
            minimum=0,
            maximum=30,
            decimals=3,
        ),
        Column(
            name="snow_depth_m",
            type="number",
            meaning="snow above the last summer's surface",
            unit="m",
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        Column(
            name="snow_density_kg_m3",
            type="number",
            meaning="bulk density of that snow",
            unit="kg m-3",
            minimum=30,
            maximum=700,
            decimals=0,
        ),
        Column(
            name="superimposed_ice_m",
            type="number",
            meaning="superimposed ice under the snow",
            unit="m",
            minimum=0,
            maximum=5,
            decimals=3,
        ),
        Column(
            name="tilt_deg",
            type="number",
            meaning="angle of the stake from the vertical",
            unit="degree",
            minimum=0,
            maximum=85,
            decimals=1,
        ),
        Column(
            name="surface",
            type="string",
            meaning="what the stake stands in below snow and superimposed ice",
            enum=SURFACES,
        ),
        Column(name="status", type="string", meaning="what the observer found", enum=READING_STATUS),
        LONGITUDE.but(meaning="longitude of the stake on that day, where it was surveyed again, WGS 84"),
        LATITUDE.but(meaning="latitude of the stake on that day, where it was surveyed again, WGS 84"),
        EASTING.but(meaning="easting of the stake on that day, in the archive's projection"),
        NORTHING.but(meaning="northing of the stake on that day, in the archive's projection"),
        ELEVATION.but(meaning="surface elevation at the stake on that day, above mean sea level"),
        REMARKS,
    ),
    primary_key=("stake_id", "leg", "date"),
    foreign_keys=(ForeignKey(("stake_id",), "stakes", ("stake_id",)),),
)

PIT_FLOORS = ("summer_surface", "ice", "superimposed_ice", "not_reached", "below_summer_surface")

SNOW_PITS = Table(
    name="snow_pits",
    title="Snow pits",
    meaning="one row a pit; the layers stand in pit_layers",
    columns=(
        PIT_ID,
        DATE,
        STAKE_ID.but(required=False, meaning="stake beside which the pit was dug, if any"),
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION,
        Column(name="floor", type="string", meaning="what the floor of the pit is", enum=PIT_FLOORS, required=True),
        Column(
            name="probed_depth_m",
            type="number",
            meaning="depth of the last summer's surface where it is not the floor: probed, or seen in the pit's wall",
            unit="m",
            minimum=0,
            maximum=30,
            decimals=3,
        ),
        SWE,
        REMARKS,
    ),
    primary_key=("pit_id",),
    foreign_keys=(ForeignKey(("stake_id",), "stakes", ("stake_id",)),),
)

PIT_LAYERS = Table(
    name="pit_layers",
    title="Layers of the snow pits",
    meaning="layers from the surface down; they must tile the pit",
    columns=(
        PIT_ID,
        Column(name="layer", type="integer", meaning="number of the layer, 1 at the surface", required=True, minimum=1),
        Column(
            name="top_m",
            type="number",
            meaning="depth of the layer's top below the surface",
            unit="m",
            required=True,
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        Column(
            name="bottom_m",
            type="number",
            meaning="depth of the layer's bottom below the surface",
            unit="m",
            required=True,
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        DENSITY.but(required=True),
        Column(name="kind", type="string", meaning="what the layer is made of", enum=SURFACES),
        REMARKS,
    ),
    primary_key=("pit_id", "layer"),
    foreign_keys=(ForeignKey(("pit_id",), "snow_pits", ("pit_id",)),),
)

PROBINGS = Table(
    name="probings",
    title="Snow probings",
    meaning="snow depth, or its water equivalent, between stakes and pits",
    columns=(
        Column(name="probing_id", type="string", meaning="name of the probing", required=True),
        DATE,
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION,
        Column(
            name="snow_depth_m",
            type="number",
            meaning="snow above the last summer's surface",
            unit="m",
            minimum=0,
            maximum=20,
            decimals=3,
        ),
        SWE,
        REMARKS,
    ),
    primary_key=("probing_id",),
)

HYPSOMETRY = Table(
    name="hypsometry",
    title="Area-altitude distribution",
    meaning="glacier area in each elevation band and year",
    columns=(YEAR, LOWER, UPPER, AREA.but(required=True)),
    primary_key=("year", "lower_m"),
)

PROVENANCES = ("observed", "reconstructed", "mixed")


def published_balance(name: str, season: str) -> Column:
    """A glacier-wide balance that was published with band balances; the bands are held against it."""
    return balance(name, f"{season} balance of the whole glacier as published with the bands; the same in every row")


ZONE_OBSERVATIONS = Table(
    name="zone_balances",
    title="Balance of elevation bands, as observed or published",
    meaning="an input instead of readings: band balances with their areas",
    columns=(
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
        Column(name="provenance", type="string", meaning="where the year's band balances come from", enum=PROVENANCES),
        published_balance("published_winter_balance_m_we", "winter"),
        published_balance("published_summer_balance_m_we", "summer"),
        published_balance("published_annual_balance_m_we", "annual"),
    ),
    primary_key=("year", "lower_m"),
)

PERIODS = ("annual", "winter", "summer", "instantaneous")
TIME_SYSTEMS = ("FLO", "FXD", "STR", "COM", "OTH")
TIME_SYSTEM = Column(
    name="time_system",
    type="string",
    meaning="FLO floating date, FXD fixed date, STR stratigraphic, COM combined, OTH other",
    enum=TIME_SYSTEMS,
)
POINT_KINDS = ("stake", "pit", "probing")
BOUND = Column(
    name="bound",
    type="string",
    meaning="whether the balance is this, '=', or at most this, '<=' (stake melted out)",
    enum=("=", "<="),
)
_PARTS_OF_BALANCE = (
    balance("snow_balance_m_we", "part of the balance in snow"),
    balance("firn_balance_m_we", "part of the balance in firn"),
    balance("ice_balance_m_we", "part of the balance in ice"),
    balance("superimposed_ice_balance_m_we", "part of the balance in superimposed ice"),
)

POINT_OBSERVATIONS = Table(
    name="point_balances",
    title="Point balances, as observed or published",
    meaning="an input instead of readings: balances of points; days, or the year and what part of it",
    columns=(
        Column(name="point_id", type="string", meaning="stake, pit or point", required=True),
        Column(
            name="kind", type="string", meaning="how it was measured; a stake where nothing is said", enum=POINT_KINDS
        ),
        YEAR.but(required=False, meaning="mass-balance year, named after the calendar year in which it ends"),
        Column(name="period", type="string", meaning="which part of the year", enum=PERIODS),
        BEGIN,
        END,
        LONGITUDE,
        LATITUDE,
        EASTING,
        NORTHING,
        ELEVATION,
        balance("balance_m_we", "point balance; an upper bound where bound is '<='").but(required=True),
        sigma("sigma_balance_m_we", "the point balance"),
        BOUND,
        DENSITY.but(meaning="mean density that turned height into mass", maximum=1000),
        sigma("sigma_density_kg_m3", "that density; the error of the balance is then without it", "kg m-3", 0),
        TIME_SYSTEM,
        *_PARTS_OF_BALANCE,
        Column(
            name="used",
            type="string",
            meaning="whether it may enter the balance of the whole glacier; it may where nothing is said",
            enum=("true", "false"),
        ),
        Column(name="flags", type="string", meaning="quality flags, joined by ';'"),
        REMARKS,
    ),
    primary_key=("point_id", "kind", "year", "period", "begin_date", "end_date"),
)

WORKBOOK = (
    GLACIER,
    STAKES,
    READINGS,
    SNOW_PITS,
    PIT_LAYERS,
    PROBINGS,
    HYPSOMETRY,
    ZONE_OBSERVATIONS,
    POINT_OBSERVATIONS,
)
OWNER = GLACIER_ID.but(required=False, meaning="glacier that the row is of; needed where the workbook has several")


def _owned(table: Table) -> Table:
    """A table of one glacier as a sheet of a workbook that may have several: each row can name its glacier."""
    key = ForeignKey((OWNER.name,), GLACIER.name, (GLACIER_ID.name,))
    return replace(table, columns=(*table.columns, OWNER), foreign_keys=(*table.foreign_keys, key))


# the sheets as a field team types them; ``WORKBOOK`` are the same tables of one glacier
WORKBOOK_SHEETS = (GLACIER, *(_owned(table) for table in WORKBOOK[1:]))

# --- what the mass-balance chain publishes -----------------------------------------------------------------------

BASES = ("observed", "interpolated", "extrapolated")

SOURCE_SHEET = Column(
    name="source_sheet", type="string", meaning="sheet of the field workbook, or file, that the row was read from"
)
SOURCE_CELL = Column(name="source_cell", type="string", meaning="its cells there, as A14:L14")

POINT_BALANCES = Table(
    name="point_balances",
    title="Point balances",
    meaning="balance at a stake or pit over a period, with its error and the readings it came from",
    columns=(
        Column(name="point_id", type="string", meaning="stake or pit", required=True),
        Column(name="kind", type="string", meaning="how it was measured", enum=POINT_KINDS, required=True),
        YEAR,
        Column(name="period", type="string", meaning="which part of the year", enum=PERIODS, required=True),
        BEGIN.but(required=True),
        END.but(required=True),
        EASTING,
        NORTHING,
        LONGITUDE,
        LATITUDE,
        ELEVATION,
        balance("balance_m_we", "point balance; an upper bound where bound is '<='").but(required=True),
        sigma("sigma_balance_m_we", "the point balance"),
        BOUND.but(required=True),
        Column(
            name="readings",
            type="string",
            meaning="identifiers of the readings it came from, stake/leg/date or pit, joined by ';'",
        ),
        Column(name="flags", type="string", meaning="quality flags, joined by ';'"),
        TIME_SYSTEM,
        *_PARTS_OF_BALANCE,
        Column(
            name="used",
            type="boolean",
            meaning="whether it entered the balance of the whole glacier, or may enter one where it is an input again",
        ),
        SOURCE_SHEET.but(meaning="sheet or file that the balance itself was read from; empty where it was computed"),
        SOURCE_CELL,
    ),
    primary_key=("point_id", "kind", "period", "begin_date", "end_date"),
)

OTHER_TIME_SYSTEMS = Table(
    name="other_time_systems",
    title="Point balances in other time systems",
    meaning="the same points in the time systems that the glacier-wide balance does not use, where the visits allow",
    # which point was used, and whence it was read, is of the system that is used
    columns=POINT_BALANCES.columns[:-3],
    primary_key=("point_id", "kind", "time_system", "year", "period"),
)

FILLED_BALANCES = Table(
    name="filled_balances",
    title="Filled point balances",
    meaning="annual balances of stakes in years without a value, by the linear model b = stake + year"
    " (Lliboutry, 1974)",
    columns=(
        Column(name="point_id", type="string", meaning="stake", required=True),
        YEAR,
        balance("balance_m_we", "filled annual balance").but(required=True),
        sigma("sigma_balance_m_we", "the filled balance"),
        balance("stake_term_m_we", "alpha of the stake: its mean over the years of the model"),
        balance("year_term_m_we", "beta of the year: its difference from that mean"),
        Column(name="n_stakes", type="integer", meaning="stakes observed in that year", minimum=0),
        Column(name="used", type="boolean", meaning="whether it entered the glacier-wide balance"),
    ),
    primary_key=("point_id", "year"),
    foreign_keys=(ForeignKey(("point_id",), "stakes", ("stake_id",)),),
)

LINEAR_MODEL = Table(
    name="linear_model",
    title="Linear balance model",
    meaning="terms of the linear model b = stake + year of the annual balances (Lliboutry, 1974), and how"
    " well it predicts",
    columns=(
        Column(name="term", type="string", meaning="which term", enum=("stake", "year", "model"), required=True),
        Column(name="name", type="string", meaning="stake, year, or 'residual' and 'cross_validation'", required=True),
        Column(
            name="value_m_we",
            type="number",
            meaning="the term, or the root mean square of the model",
            unit="m w.e.",
            decimals=3,
        ),
        sigma("sigma_value_m_we", "the term", decimals=3),
        Column(name="n", type="integer", meaning="balances it rests on", minimum=0),
    ),
    primary_key=("term", "name"),
)

ZONE_BALANCES = Table(
    name="zone_balances",
    title="Balances of elevation zones",
    meaning="mean balance of each elevation zone and year, by contour zoning",
    columns=(
        YEAR,
        LOWER,
        UPPER,
        AREA.but(required=True),
        ANNUAL,
        sigma("sigma_annual_m_we", "the annual balance"),
        WINTER,
        SUMMER,
        Column(
            name="basis",
            type="string",
            meaning="whether the zone held a point, lay between such zones, or beyond them",
            enum=BASES,
            required=True,
        ),
        Column(name="n_points", type="integer", meaning="annual points in the zone", minimum=0),
    ),
    primary_key=("year", "lower_m"),
    foreign_keys=(ForeignKey(("year",), "glacier_balances", ("year",)),),
)

GLACIER_BALANCES = Table(
    name="glacier_balances",
    title="Glacier-wide balances",
    meaning="annual, winter and summer balance of the whole glacier, with error, ELA and AAR",
    columns=(
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
        Column(
            name="ela_m",
            type="number",
            meaning="equilibrium-line altitude",
            unit="m",
            minimum=-500,
            maximum=9000,
            decimals=0,
        ),
        Column(
            name="sigma_ela_m",
            type="number",
            meaning="one standard deviation of the equilibrium-line altitude; empty where the line lies off the"
            " glacier by more than its error",
            unit="m",
            minimum=0,
            decimals=0,
        ),
        Column(
            name="ela_position",
            type="string",
            meaning="'<' below the glacier, '>' above it, '=' on it",
            enum=("<", "=", ">"),
        ),
        Column(
            name="aar", type="number", meaning="accumulation-area ratio", unit="1", minimum=0, maximum=1, decimals=3
        ),
        Column(
            name="sigma_aar",
            type="number",
            meaning="one standard deviation of the accumulation-area ratio",
            unit="1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        AREA,
        balance("contour_balance_m_we", "annual balance by the contour method: isoline classes times area"),
        balance("field_balance_m_we", "annual balance as the direct mean of the interpolated field"),
        balance("zone_balance_m_we", "annual balance by contour zoning"),
        balance("gradient_balance_m_we", "annual balance by a straight balance-elevation line, a cross-check"),
        Column(
            name="gradient_m_we_per_100m",
            type="number",
            meaning="balance gradient over the glacier",
            unit="m w.e. per 100 m",
            decimals=3,
        ),
        Column(name="n_stakes", type="integer", meaning="stakes with an annual balance", minimum=0),
        Column(name="n_pits", type="integer", meaning="pits with an annual balance", minimum=0),
        Column(
            name="observed_share",
            type="number",
            meaning="share of the area in zones that held a point",
            unit="1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        Column(
            name="provenance",
            type="string",
            meaning="where the year's values come from",
            enum=PROVENANCES,
            required=True,
        ),
        Column(name="gate_passed", type="boolean", meaning="whether sigma stays within the definition's limit"),
        Column(name="flags", type="string", meaning="quality flags, joined by ';'"),
        balance("quadratic_balance_m_we", "annual balance by a parabola of balance against elevation, a cross-check"),
        balance("piecewise_balance_m_we", "annual balance by a line with one bend against elevation, a cross-check"),
        balance("index_stakes_balance_m_we", "annual balance from index stakes and the other years, a cross-check"),
        balance("inverse_distance_balance_m_we", "annual balance by inverse-distance weights, a cross-check"),
        balance("method_range_m_we", "largest minus smallest annual balance of the methods, inverse distance apart"),
        Column(
            name="gradient_below_ela_m_we_per_100m",
            type="number",
            meaning="balance gradient of the points below the equilibrium line",
            unit="m w.e. per 100 m",
            decimals=3,
        ),
        Column(
            name="gradient_above_ela_m_we_per_100m",
            type="number",
            meaning="balance gradient of the points above the equilibrium line",
            unit="m w.e. per 100 m",
            decimals=3,
        ),
        AREA.but(name="accumulation_area_km2", meaning="area with a balance of at least zero"),
        AREA.but(name="ablation_area_km2", meaning="area with a balance below zero"),
        ELEVATION.but(name="lowest_point_m", meaning="elevation of the lowest point used"),
        ELEVATION.but(name="highest_point_m", meaning="elevation of the highest point used"),
        Column(
            name="extrapolated_share",
            type="number",
            meaning="share of the area in zones below the lowest or above the highest zone that held a point",
            unit="1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        Column(name="n_filled", type="integer", meaning="stakes whose balance the linear model filled", minimum=0),
        Column(
            name="unmeasured_area_share",
            type="number",
            meaning="share of the area above the highest and below the lowest point",
            unit="1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        Column(
            name="unmeasured_error_share",
            type="number",
            meaning="share of the annual balance's variance that comes from elevations nobody measured",
            unit="1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        balance(
            "climatic_balance_m_we", "annual balance plus the internal accumulation; empty where it is not measured"
        ),
        sigma("sigma_climatic_balance_m_we", "the annual balance plus the internal accumulation"),
        ELEVATION.but(
            name="zero_line_m",
            meaning="mean elevation of the line of zero balance on the map, beside the ELA of the profile",
            decimals=0,
        ),
    ),
    primary_key=("glacier_id", "year"),
)

CUMULATIVE_BALANCES = Table(
    name="cumulative_balances",
    title="Cumulative balances",
    meaning="running sum of the annual balances from the first year on, as far as no year lacks a balance",
    columns=(
        YEAR,
        ANNUAL,
        Column(
            name="cumulative_balance_m_we",
            type="number",
            meaning="sum of the annual balances so far",
            unit="m w.e.",
            decimals=2,
        ),
        sigma("sigma_cumulative_m_we", "the cumulative balance"),
    ),
    primary_key=("year",),
    foreign_keys=(ForeignKey(("year",), "glacier_balances", ("year",)),),
)

PERIOD_BALANCES = Table(
    name="period_balances",
    title="Balances between surveys",
    meaning="balance of the whole glacier from each survey to the next, and between the days that were asked for",
    columns=(
        BEGIN.but(required=True, meaning="day of the first survey, the commonest of the visits used"),
        END.but(required=True, meaning="day of the last survey, the commonest of the visits used"),
        Column(
            name="balance_m_we",
            type="number",
            meaning="balance of the whole glacier between the two; empty where too few points were measured at both",
            unit="m w.e.",
            decimals=2,
        ),
        sigma("sigma_balance_m_we", "the balance between the two"),
        AREA.but(meaning="area of the glacier, that of the last part"),
        Column(name="n_points", type="integer", meaning="point balances it rests on, the fewest of a part", minimum=0),
        Column(
            name="unmeasured_area_share",
            type="number",
            meaning="share of the area above the highest and below the lowest point, the largest of a part",
            unit="1",
            minimum=0,
            maximum=1,
            decimals=3,
        ),
        Column(
            name="made_of",
            type="string",
            meaning="what it is the sum of: published years and seasons, or 'visits': points measured at both ends",
        ),
        Column(name="flags", type="string", meaning="quality flags, joined by ';'"),
        Column(name="asked", type="boolean", meaning="whether it is the pair of days that was asked for"),
    ),
    primary_key=("begin_date", "end_date"),
)

ZERO_LINE_METHOD = Table(
    name="zero_line_method",
    title="Balance from the equilibrium line",
    meaning="annual balance from the equilibrium line alone, by what the other years show: a cross-check with its error"
    " on held-out years",
    columns=(
        YEAR,
        ELEVATION.but(name="ela_m", meaning="equilibrium-line altitude of the year", decimals=0),
        ELEVATION.but(name="ela0_m", meaning="equilibrium-line altitude of a year without gain or loss", decimals=0),
        Column(
            name="gradient_m_we_per_100m",
            type="number",
            meaning="how much the balance falls for each 100 m that the line rises",
            unit="m w.e. per 100 m",
            decimals=3,
        ),
        balance(
            "zero_line_balance_m_we", "gradient times the height from the line to that of a year without gain or loss"
        ),
        sigma("sigma_zero_line_balance_m_we", "it: root mean square of the differences in held-out years"),
        balance("difference_m_we", "balance from the line less the published annual balance"),
        Column(name="n_years", type="integer", meaning="other years it rests on", minimum=0),
    ),
    primary_key=("year",),
    foreign_keys=(ForeignKey(("year",), "glacier_balances", ("year",)),),
)

JOINT_BALANCES = Table(
    name="joint_balances",
    title="Joint balances of glaciers that parted",
    meaning="balance of all parts of a glacier by their areas, and of the whole before it parted; written where"
    " a workbook has several glaciers, no table of a collection",
    columns=(
        GLACIER_ID.but(meaning="the glacier that parted"),
        YEAR,
        ANNUAL,
        sigma("sigma_annual_m_we", "the annual balance"),
        WINTER,
        sigma("sigma_winter_m_we", "the winter balance"),
        SUMMER,
        sigma("sigma_summer_m_we", "the summer balance"),
        AREA.but(meaning="area of all parts"),
        Column(
            name="basis",
            type="string",
            meaning="whether the year is that of the whole glacier or of its parts",
            enum=("whole", "parts"),
            required=True,
        ),
        Column(name="parts", type="string", meaning="the parts, joined by ';'"),
        Column(name="flags", type="string", meaning="parts without a balance, for which the year has none"),
    ),
    primary_key=("glacier_id", "year"),
)

ERROR_BUDGETS = Table(
    name="error_budgets",
    title="Error budgets",
    meaning="one standard deviation of each source of error of annual and cumulative balances, by formula"
    " and by Monte Carlo",
    columns=(
        Column(
            name="scope",
            type="string",
            meaning="of the year alone, or of the sum up to it",
            enum=("annual", "cumulative"),
            required=True,
        ),
        YEAR,
        Column(
            name="source",
            type="string",
            meaning="point readings, densities, interpolation, area, method, or all together; internal accumulation,"
            " which is no part of the surface balance, stands apart",
            enum=("point", "density", "interpolation", "area", "method", "total", "internal_accumulation"),
            required=True,
        ),
        Column(name="sigma_m_we", type="number", meaning="by formula", unit="m w.e.", minimum=0, decimals=4),
        Column(
            name="monte_carlo_m_we",
            type="number",
            meaning="spread of the balances of a Monte Carlo run",
            unit="m w.e.",
            minimum=0,
            decimals=4,
        ),
        Column(name="note", type="string", meaning="what is to be known of the source: why it has no number"),
    ),
    primary_key=("scope", "year", "source"),
    foreign_keys=(ForeignKey(("year",), "glacier_balances", ("year",)),),
)

LEAVE_ONE_OUT = Table(
    name="leave_one_out",
    title="Leave one point out",
    meaning="each annual point balance predicted from the other points of its year, and what the glacier's"
    " balance owes to it",
    columns=(
        YEAR,
        Column(name="point_id", type="string", meaning="stake or pit", required=True),
        Column(
            name="kind", type="string", meaning="how it was measured", enum=("stake", "pit", "probing"), required=True
        ),
        balance("balance_m_we", "the point's balance").but(required=True),
        balance("predicted_balance_m_we", "its balance predicted from the others"),
        sigma("sigma_predicted_m_we", "the difference of the two"),
        Column(
            name="standardised_error",
            type="number",
            meaning="difference over its standard deviation",
            unit="1",
            decimals=2,
        ),
        Column(
            name="influence_m_we",
            type="number",
            meaning="glacier-wide balance with the point minus without it",
            unit="m w.e.",
            decimals=3,
        ),
    ),
    primary_key=("year", "kind", "point_id"),
    foreign_keys=(ForeignKey(("year",), "glacier_balances", ("year",)),),
)

DENSITY_FITS = Table(
    name="density_fits",
    title="Snow density against depth",
    meaning="bulk density of the snow of a campaign against its depth, a straight line",
    columns=(
        BEGIN.but(required=True, meaning="first day of the campaign"),
        END.but(required=True, meaning="last day of the campaign"),
        Column(name="n", type="integer", meaning="densities measured", minimum=1, required=True),
        Column(name="shallowest_m", type="number", meaning="shallowest snow with a density", unit="m", decimals=2),
        Column(name="deepest_m", type="number", meaning="deepest snow with a density", unit="m", decimals=2),
        DENSITY.but(name="mean_kg_m3", meaning="mean of the densities"),
        Column(
            name="intercept_kg_m3", type="number", meaning="fitted bulk density at no depth", unit="kg m-3", decimals=1
        ),
        Column(
            name="slope_kg_m3_per_m",
            type="number",
            meaning="increase of the fitted bulk density with depth",
            unit="kg m-3 per m",
            decimals=1,
        ),
        sigma("sigma_slope_kg_m3_per_m", "the slope", "kg m-3 per m", 1),
        sigma("sigma_density_kg_m3", "a density about the fit, or about the mean", "kg m-3", 1),
        Column(
            name="used",
            type="boolean",
            meaning="whether the fit, and not the mean, stands for snow without a density",
            required=True,
        ),
    ),
    primary_key=("begin_date",),
)

QUALITY_FLAGS = Table(
    name="quality_flags",
    title="Quality flags",
    meaning="everything that a user of the balances should know: what was assumed, left out, or looks wrong",
    columns=(
        Column(name="number", type="integer", meaning="running number", required=True, minimum=1),
        YEAR.but(required=False),
        Column(
            name="subject",
            type="string",
            meaning="what is flagged: the year, a point, a reading, a band",
            required=True,
        ),
        Column(name="flag", type="string", meaning="the flag", required=True),
        Column(name="detail", type="string", meaning="how much, or which other record"),
        Column(name="meaning", type="string", meaning="what the flag says", required=True),
    ),
    primary_key=("number",),
)

GEODETIC_CHECK = Table(
    name="geodetic_check",
    title="Geodetic check",
    meaning="sum of the glaciological balances against the elevation change of the same period (Zemp et al., 2013)",
    columns=(
        YEAR.but(name="first_year", meaning="first mass-balance year of the sum"),
        YEAR.but(name="last_year", meaning="last mass-balance year of the sum"),
        BEGIN.but(meaning="day of the earlier elevation model"),
        END.but(meaning="day of the later elevation model"),
        Column(
            name="glaciological_balance_m_we",
            type="number",
            meaning="sum of the annual balances",
            unit="m w.e.",
            decimals=2,
        ),
        sigma("sigma_glaciological_m_we", "the sum"),
        Column(
            name="geodetic_balance_m_we",
            type="number",
            meaning="mean elevation change times density",
            unit="m w.e.",
            decimals=2,
        ),
        sigma("sigma_geodetic_m_we", "the geodetic balance"),
        Column(name="mean_dh_m", type="number", meaning="mean elevation change of the glacier", unit="m", decimals=3),
        sigma("sigma_mean_dh_m", "the mean elevation change", "m", 3),
        Column(
            name="density_kg_m3",
            type="number",
            meaning="density of the volume-to-mass conversion",
            unit="kg m-3",
            decimals=0,
        ),
        sigma("sigma_density_kg_m3", "that density", "kg m-3", 0),
        sigma("sigma_survey_difference_m_we", "what the days between the surveys and the balance years may hide"),
        Column(
            name="difference_m_we", type="number", meaning="glaciological minus geodetic", unit="m w.e.", decimals=2
        ),
        Column(
            name="reduced_discrepancy",
            type="number",
            meaning="difference over its standard deviation",
            unit="1",
            decimals=2,
        ),
        Column(name="agrees", type="boolean", meaning="whether the reduced discrepancy stays within 1.96"),
        Column(name="flags", type="string", meaning="quality flags, joined by ';'"),
        sigma("sigma_common_m_we", "the difference: the common variance of both series and of the days, its root"),
        Column(
            name="detectable_bias_m_we_a",
            type="number",
            meaning="smallest mean difference a year that this check would find in 95 of 100 cases",
            unit="m w.e. a-1",
            minimum=0,
            decimals=3,
        ),
    ),
    primary_key=("first_year", "last_year"),
)

CALIBRATED_BALANCES = Table(
    name="calibrated_balances",
    title="Calibrated balances",
    meaning="annual balances whose mean is that of the geodetic balance, beside both series, which stay as they are"
    " (Zemp et al., 2013)",
    columns=(
        YEAR,
        ANNUAL.but(meaning="annual balance of the glaciological series"),
        sigma("sigma_annual_m_we", "the annual balance"),
        Column(
            name="geodetic_balance_m_we_a",
            type="number",
            meaning="mean geodetic balance a year",
            unit="m w.e. a-1",
            decimals=3,
        ),
        balance("calibrated_balance_m_we", "annual balance plus the mean difference of the series").but(decimals=3),
        sigma("sigma_calibrated_m_we", "the calibrated balance", decimals=3),
        Column(
            name="added_m_we",
            type="number",
            meaning="mean difference a year, geodetic minus glaciological, that was added",
            unit="m w.e.",
            decimals=3,
        ),
    ),
    primary_key=("year",),
    foreign_keys=(ForeignKey(("year",), "glacier_balances", ("year",)),),
)


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
    PERIOD_BALANCES,
    ZERO_LINE_METHOD,
    ERROR_BUDGETS,
    LEAVE_ONE_OUT,
    OTHER_TIME_SYSTEMS,
    FILLED_BALANCES,
    LINEAR_MODEL,
    DENSITY_FITS,
    QUALITY_FLAGS,
    GEODETIC_CHECK,
    CALIBRATED_BALANCES,
    INPUT_NOTES,
)

# --- what the elevation-change chain publishes -------------------------------------------------------------------


def metres(name: str, meaning: str, decimals: int = 3) -> Column:
    return Column(name=name, type="number", meaning=meaning, unit="m", decimals=decimals)


def share(name: str, meaning: str) -> Column:
    return Column(name=name, type="number", meaning=meaning, unit="1", minimum=0, maximum=1, decimals=4)


# the first four make sigma_mean_dh_m; with sigma_area_m they make that of the volume, with sigma_density_m and
# sigma_area_m that of the mass, with sigma_date_m that of the rate
SIGMA_SOURCES = (
    sigma("sigma_measurement_m", "the mean, from the measured pixels: their sigma integrated over the shape", "m", 3),
    sigma("sigma_filling_m", "the mean, from the filling of voids", "m", 3),
    sigma("sigma_coregistration_m", "the mean, from the shift and the mean of stable terrain, shared by all", "m", 3),
    sigma("sigma_correction_m", "the mean, from penetration and season, shared within a surface", "m", 3),
    sigma("sigma_resolution_m", "the mean, from the forms of the resolution correction, which lie apart", "m", 3),
    sigma("sigma_area_m", "the volume for each unit of area, from the outline", "m", 3),
    sigma("sigma_date_m", "the rate times the period, from the acquisition dates", "m", 3),
    sigma("sigma_density_m", "the mass for each unit of area and density, from the density", "m", 3),
)

_CHANGE_OF_SHAPE = (
    Column(
        name="area_earlier_km2", type="number", meaning="area at the earlier epoch", unit="km2", minimum=0, decimals=5
    ),
    Column(name="area_later_km2", type="number", meaning="area at the later epoch", unit="km2", minimum=0, decimals=5),
    AREA.but(name="area_km2", meaning="area over which the change is averaged: the outlines of all epochs together"),
    metres("mean_dh_m", "mean elevation change, later minus earlier; voids filled"),
    sigma("sigma_mean_dh_m", "the mean elevation change", "m", 3),
    *SIGMA_SOURCES,
    metres("median_dh_m", "median elevation change"),
    Column(name="mean_dhdt_m_a", type="number", meaning="mean rate of elevation change", unit="m a-1", decimals=4),
    sigma("sigma_mean_dhdt_m_a", "that rate", "m a-1", 4),
    Column(name="volume_change_m3", type="number", meaning="volume change", unit="m3", decimals=0),
    sigma("sigma_volume_change_m3", "the volume change", "m3", 0),
    Column(name="mass_change_kg", type="number", meaning="mass change", unit="kg", decimals=0),
    sigma("sigma_mass_change_kg", "the mass change", "kg", 0),
    Column(
        name="mean_area_km2",
        type="number",
        meaning="mean of the areas at both epochs",
        unit="km2",
        minimum=0,
        decimals=5,
    ),
    Column(
        name="specific_mass_change_m_we",
        type="number",
        meaning="mass change over the mean area",
        unit="m w.e.",
        decimals=3,
    ),
    sigma("sigma_specific_mass_change_m_we", "the mass change over the mean area", decimals=3),
    Column(
        name="mass_balance_m_we_a",
        type="number",
        meaning="its rate: the geodetic mass balance",
        unit="m w.e. a-1",
        decimals=4,
    ),
    sigma("sigma_mass_balance_m_we_a", "the geodetic mass balance", "m w.e. a-1", 4),
    share("observed_share", "share of the area with a measured change; the rest is filled by elevation"),
    share("filled_share", "share of the area filled by the glacier's own profile of change with elevation"),
    share("extrapolated_share", "part of the filled share that lies above or below the glacier's measured elevations"),
    share("outlier_share", "part of the filled share whose measured change was set aside as a blunder"),
    metres("lowest_m", "lowest elevation", 1),
    metres("highest_m", "highest elevation", 1),
    Column(name="flags", type="string", meaning="quality flags, joined by ';'"),
)

GLACIERS = Table(
    name="glaciers",
    title="Elevation change of each glacier",
    meaning="area, mean elevation change, volume and mass of each glacier over its outlines of all epochs,"
    " errors by source",
    columns=(GLACIER_ID, GLACIER_NAME, LONGITUDE, LATITUDE, *_CHANGE_OF_SHAPE),
    primary_key=("glacier_id",),
)

OUTLINES = Table(
    name="outlines",
    title="Glacier outlines",
    meaning="outlines as used, one record a glacier and epoch; no table of the collection but a file of its item",
    columns=(
        GLACIER_ID,
        GLACIER_NAME,
        Column(name="epoch", type="string", meaning="epoch of the outline", required=True),
    ),
    primary_key=("glacier_id", "epoch"),
)

OUTLINE = Table(
    name="outline",
    title="Glacier outline",
    meaning="the outline within which the balance is computed; no table of the collection but a file of each item",
    columns=(GLACIER_ID, GLACIER_NAME, AREA),
    primary_key=("glacier_id",),
)

REGION = Table(
    name="region",
    title="Elevation change of the region",
    meaning="all glaciers with a measured change taken together; errors that glaciers share do not shrink"
    " with their number",
    columns=(
        Column(name="region", type="string", meaning="'all': every glacier of the table of glaciers", required=True),
        Column(name="count", type="integer", meaning="glaciers of the region", minimum=0, required=True),
        Column(
            name="count_measured", type="integer", meaning="glaciers with a measured change", minimum=0, required=True
        ),
        *_CHANGE_OF_SHAPE,
    ),
    primary_key=("region",),
)

ELEVATION_BANDS = Table(
    name="elevation_bands",
    title="Elevation change by elevation band",
    meaning="hypsometric profile of every glacier; glacier_id 'all' is the region",
    columns=(
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
    primary_key=("glacier_id", "lower_m"),
)

ACCURACY = Table(
    name="accuracy",
    title="Relative accuracy over stable terrain",
    meaning="statistics of the elevation difference off glaciers, before and after each step, overall and by class",
    columns=(
        Column(
            name="step",
            type="string",
            meaning="after which step",
            enum=("raw", "coregistered", "corrected"),
            required=True,
        ),
        Column(
            name="class",
            type="string",
            meaning="'all', or the terrain attribute by which the pixels are classed",
            enum=("all", "slope", "aspect", "elevation", "curvature"),
            required=True,
        ),
        Column(name="lower", type="number", meaning="lower edge of the class, in the attribute's unit", required=True),
        Column(name="upper", type="number", meaning="upper edge of the class", required=True),
        Column(name="unit", type="string", meaning="unit of the attribute"),
        Column(name="count", type="integer", meaning="pixels", minimum=0, required=True),
        metres("mean_m", "mean"),
        metres("mean_absolute_m", "mean of the absolute value"),
        metres("median_m", "median"),
        metres("std_m", "standard deviation"),
        metres("nmad_m", "normalised median absolute deviation"),
        metres("rmse_m", "root mean square"),
        metres("le90_m", "linear error at 90 %: the 90th percentile of the absolute value"),
    ),
    primary_key=("step", "class", "lower"),
)

DEM_CHECKS = Table(
    name="dem_checks",
    title="Accuracy checks of the DEMs",
    meaning="each check of each input DEM, with what was found",
    columns=(
        Column(name="dem", type="string", meaning="which DEM", enum=("earlier", "later"), required=True),
        Column(name="tile", type="string", meaning="file name of the tile, or 'all'", required=True),
        Column(name="check", type="string", meaning="name of the check", required=True),
        Column(name="value", type="number", meaning="what was measured", decimals=6),
        Column(name="limit", type="number", meaning="what is allowed", decimals=6),
        Column(name="unit", type="string", meaning="unit of value and limit"),
        Column(name="passed", type="boolean", meaning="whether the value is within the limit", required=True),
        Column(name="note", type="string", meaning="what it means"),
    ),
    primary_key=("dem", "tile", "check"),
)

COREGISTRATION = Table(
    name="coregistration",
    title="Iterations of the co-registration",
    meaning="the horizontal and vertical shift after every step",
    columns=(
        Column(name="iteration", type="integer", meaning="number of the step", minimum=0, required=True),
        metres("shift_east_m", "shift to the east so far", 4),
        metres("shift_north_m", "shift to the north so far", 4),
        metres("shift_up_m", "shift upwards so far", 4),
        metres("nmad_m", "NMAD of the elevation difference over stable terrain at this shift", 4),
        Column(name="count", type="integer", meaning="stable pixels used", minimum=0),
    ),
    primary_key=("iteration",),
)

DATES = Table(
    name="dates",
    title="Acquisition dates",
    meaning="when each input was acquired: what the description claims and what its source supports",
    columns=(
        Column(
            name="input",
            type="string",
            meaning="earlier, later, outlines with the number of their epoch, or period: from the earlier to the"
            " later input",
            required=True,
        ),
        Column(name="product", type="string", meaning="the input product"),
        Column(name="claimed_begin", type="date", meaning="first day that the description claims"),
        Column(name="claimed_end", type="date", meaning="last day that the description claims"),
        Column(name="supported_begin", type="date", meaning="first day that the source supports"),
        Column(name="supported_end", type="date", meaning="last day that the source supports"),
        Column(name="date", type="date", meaning="day taken for the input in rates"),
        sigma("sigma_years", "that day; for the period, of its length", "a", 3),
        Column(name="basis", type="string", meaning="where the dates come from"),
    ),
    primary_key=("input",),
)

RESOLUTION = Table(
    name="resolution",
    title="Resolution correction by method",
    meaning="what each form of the correction takes off stable terrain, off each band of it and off the glaciers, the"
    " published one and the others side by side; no rows where both DEMs resolve the same detail",
    columns=(
        Column(
            name="method",
            type="string",
            meaning="form of the correction",
            enum=("point_spread", "principal_curvatures", "maximum_curvature"),
            required=True,
        ),
        Column(
            name="area",
            type="string",
            meaning="'stable': all stable terrain; 'band': the part of it between two elevations; 'glaciers'",
            enum=("stable", "band", "glaciers"),
            required=True,
        ),
        Column(name="lower_m", type="number", meaning="lower limit of the band; 0 elsewhere", unit="m", required=True),
        Column(name="upper_m", type="number", meaning="upper limit of the band; 0 elsewhere", unit="m"),
        Column(name="published", type="boolean", meaning="whether this form was taken off", required=True),
        Column(name="count", type="integer", meaning="pixels of the sample", minimum=0),
        metres("taken_off_m", "mean of what the form takes off, its vertical term beside the published one's included"),
        sigma("sigma_taken_off_m", "that mean, from pixel to pixel", "m", 3),
        metres("mean_before_m", "mean elevation difference before it"),
        metres("mean_after_m", "mean elevation difference after it"),
        metres("nmad_after_m", "NMAD of the elevation difference after it; of all stable terrain"),
    ),
    primary_key=("method", "area", "lower_m"),
)
CORRECTIONS = Table(
    name="corrections",
    title="Corrections for radar penetration and season",
    meaning="what was added to the elevation change of glaciers, by kind of surface; a single row of zeros"
    " where nothing was",
    columns=(
        Column(name="surface", type="string", meaning="kind of glacier surface", required=True),
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
        Column(name="basis", type="string", meaning="where the values come from"),
    ),
    primary_key=("surface",),
)

QUALITY_GATES = Table(
    name="quality_gates",
    title="Quality gates",
    meaning="what the definition promises, what was found, and the verdict",
    columns=(
        Column(name="gate", type="string", meaning="name of the gate", required=True),
        Column(
            name="subject", type="string", meaning="what it was applied to: 'stable terrain', or a year", required=True
        ),
        Column(name="value", type="number", meaning="what was found", decimals=4),
        Column(name="limit", type="number", meaning="what is allowed", required=True, decimals=4),
        Column(name="unit", type="string", meaning="unit of value and limit"),
        Column(name="passed", type="boolean", meaning="the verdict", required=True),
    ),
    primary_key=("gate", "subject"),
)

DATA_DICTIONARY = Table(
    name="data_dictionary",
    title="Data dictionary",
    meaning="every column of every table of the collection: what it means, its unit, and what may stand in it",
    columns=(
        Column(name="table", type="string", meaning="name of the table", required=True),
        Column(
            name="position",
            type="integer",
            meaning="place of the column in its table, 1 for the first",
            required=True,
            minimum=1,
        ),
        Column(name="column", type="string", meaning="name of the column", required=True),
        Column(name="type", type="string", meaning="what its cells hold", enum=FIELD_TYPES, required=True),
        Column(name="unit", type="string", meaning="unit; 1 for a ratio, empty where there is none"),
        Column(name="meaning", type="string", meaning="what the column says", required=True),
        Column(name="required", type="boolean", meaning="whether every cell must be filled", required=True),
        Column(name="minimum", type="number", meaning="least value allowed, in the column's unit"),
        Column(name="maximum", type="number", meaning="greatest value allowed, in the column's unit"),
        Column(name="decimals", type="integer", meaning="decimals published", minimum=0),
        Column(name="allowed", type="string", meaning="the only values allowed, as 'one of: first, second'"),
        Column(name="pattern", type="string", meaning="regular expression that the whole cell must match"),
        Column(
            name="in_primary_key",
            type="boolean",
            meaning="whether the column is part of the table's primary key",
            required=True,
        ),
        Column(
            name="refers_to",
            type="string",
            meaning="column of another table in which each value must be found, as table.column",
        ),
    ),
    primary_key=("table", "position"),
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
    RESOLUTION,
)
PAIR = Column(
    name="pair",
    type="string",
    meaning="years of the two DEMs that were differenced, as 2000-2010",
    required=True,
    pattern=r"\d{4}-\d{4}",
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
