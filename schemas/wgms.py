"""Tables in the form in which the World Glacier Monitoring Service takes and gives mass balances.

Two forms of its Fluctuations of Glaciers (FoG) database. That of release 2023-09 (doi 10.5904/wgms-fog-2023-09) has
upper-case columns, balances in mm w.e., areas in km2, days as YYYYMMDD and the AAR in per cent; its data dictionary is
public. That of the releases of 2026 has lower-case columns in metres of water equivalent, square metres, ISO days and
the AAR as a share; of it only names and order of the columns are taken as known here, and the codes are ours, each
stated with its column.

``WGMS_ID``, ``glacier_id`` and ``id`` are given by the service: they stay empty in what is submitted. Columns that FoG
requires for its own database but only the service can fill are therefore not required here.
"""

from __future__ import annotations

from schemas.fields import Column, Table

_DAY = r"[0-9]{4}(0[1-9]|1[0-2]|99)(0[1-9]|[12][0-9]|3[01]|99)"
_WORDS = r"[^\s]+( [^\s]+)*"
# the characters that the service allows in the name of a glacier
_NAME = r"[0-9A-Z\-\.:\(\)/'\+&,\*=_]+( [0-9A-Z\-\.:\(\)/'\+&,\*=_]+)*"
_TIME_SYSTEMS = ("FLO", "FXD", "STR", "COM", "OTH")
WHOLE_GLACIER = 9999
LAST_YEAR_2023 = 2023
POINT_CODES_2023 = ("BW", "BS", "BA", "IN")
POINT_CODES_2026 = ("winter", "summer", "annual", "index")

# --- release 2023-09 ---------------------------------------------------------------------------------------------


def _mm(name: str, meaning: str) -> Column:
    return Column(name=name, type="number", meaning=meaning, unit="mm w.e.", decimals=0)


def _uncertainty_mm(name: str, of: str) -> Column:
    return Column(
        name=name,
        type="number",
        meaning=f"random error of {of}, one standard deviation",
        unit="mm w.e.",
        minimum=0,
        decimals=0,
    )


def _day(name: str, meaning: str) -> Column:
    return Column(name=name, type="string", meaning=f"{meaning}, YYYYMMDD", pattern=_DAY)


def _text(name: str, meaning: str) -> Column:
    return Column(name=name, type="string", meaning=meaning, pattern=_WORDS)


def _sites(name: str, which: str, where: str) -> Column:
    return Column(
        name=name, type="integer", meaning=f"{which} number of measurement sites in the {where} area", minimum=0
    )


_IDENTITY = (
    Column(name="POLITICAL_UNIT", type="string", meaning="country, ISO 3166 alpha-2", pattern="[A-Z]{2}"),
    Column(name="NAME", type="string", meaning="name of the glacier in capital letters", required=True, pattern=_NAME),
    Column(
        name="WGMS_ID", type="integer", meaning="key that the service gives to the glacier", minimum=0, maximum=999999
    ),
    Column(
        name="YEAR",
        type="year",
        meaning="mass-balance year, named after the calendar year in which it ends; 2023 is the last that the"
        " release takes",
        required=True,
        maximum=LAST_YEAR_2023,
    ),
)
_REMARKS_2023 = _text("REMARKS", "what else is to be known")

FOG2023_OVERVIEW = Table(
    name="fog2023_mass_balance_overview",
    title="WGMS FoG 2023-09: mass balance overview",
    meaning="dates, equilibrium line and sites of each year, in the columns of MASS_BALANCE_OVERVIEW",
    columns=(
        *_IDENTITY,
        Column(name="TIME_SYSTEM", type="string", meaning="time system of the annual balance", enum=_TIME_SYSTEMS),
        _day("BEGIN_PERIOD", "first day of the mass-balance year"),
        _day("END_WINTER", "day that parts winter from summer"),
        _day("END_PERIOD", "last day of the mass-balance year"),
        Column(
            name="ELA_PREFIX",
            type="string",
            meaning="'<' line below the glacier, '>' above it, empty on it",
            enum=("<", ">"),
        ),
        Column(
            name="ELA",
            type="number",
            meaning="equilibrium-line altitude",
            unit="m",
            minimum=0,
            maximum=9000,
            decimals=0,
        ),
        Column(
            name="ELA_UNC",
            type="number",
            meaning="random error of the ELA, one standard deviation",
            unit="m",
            minimum=0,
            decimals=0,
        ),
        _sites("MIN_SITES_ACC", "least", "accumulation"),
        _sites("MAX_SITES_ACC", "largest", "accumulation"),
        _sites("MIN_SITES_ABL", "least", "ablation"),
        _sites("MAX_SITES_ABL", "largest", "ablation"),
        Column(name="ACC_AREA", type="number", meaning="accumulation area", unit="km2", minimum=0, decimals=3),
        Column(
            name="ACC_AREA_UNC",
            type="number",
            meaning="random error of the accumulation area",
            unit="km2",
            minimum=0,
            decimals=3,
        ),
        Column(name="ABL_AREA", type="number", meaning="ablation area", unit="km2", minimum=0, decimals=3),
        Column(
            name="ABL_AREA_UNC",
            type="number",
            meaning="random error of the ablation area",
            unit="km2",
            minimum=0,
            decimals=3,
        ),
        Column(
            name="AAR",
            type="number",
            meaning="accumulation-area ratio times 100",
            unit="%",
            minimum=0,
            maximum=100,
            decimals=1,
        ),
        _text("INVESTIGATOR", "who measured or processed"),
        _text("SPONS_AGENCY", "who sponsored the survey or keeps the data"),
        _text("REFERENCE", "publications on data and methods"),
        _REMARKS_2023,
    ),
    primary_key=("NAME", "YEAR"),
)

_BALANCES_2023 = tuple(
    column
    for season in ("winter", "summer", "annual")
    for column in (
        _mm(f"{season.upper()}_BALANCE", f"{season} balance"),
        _uncertainty_mm(f"{season.upper()}_BALANCE_UNC", f"the {season} balance"),
    )
)
_BOUND = Column(
    name="LOWER_BOUND",
    type="integer",
    meaning="lower edge of the band; 9999 for the whole glacier",
    unit="m",
    required=True,
)

FOG2023_MASS_BALANCE = Table(
    name="fog2023_mass_balance",
    title="WGMS FoG 2023-09: mass balance",
    meaning="balances of the whole glacier and of its elevation bands, in the columns of MASS_BALANCE",
    columns=(
        *_IDENTITY,
        _BOUND.but(minimum=0, maximum=WHOLE_GLACIER),
        _BOUND.but(
            name="UPPER_BOUND",
            meaning="upper edge of the band; 9999 for the whole glacier",
            minimum=0,
            maximum=WHOLE_GLACIER,
        ),
        Column(
            name="AREA", type="number", meaning="area of the band or of the glacier", unit="km2", minimum=0, decimals=5
        ),
        *_BALANCES_2023,
        _REMARKS_2023,
    ),
    primary_key=("NAME", "YEAR", "LOWER_BOUND", "UPPER_BOUND"),
)

FOG2023_POINT = Table(
    name="fog2023_mass_balance_point",
    title="WGMS FoG 2023-09: point mass balance",
    meaning="balance at each stake, pit and probing, in the columns of MASS_BALANCE_POINT",
    columns=(
        *_IDENTITY,
        Column(name="POINT_ID", type="string", meaning="identifier of the point", required=True),
        _day("FROM_DATE", "first day").but(required=True),
        _day("TO_DATE", "last day").but(required=True),
        Column(
            name="POINT_LAT",
            type="number",
            meaning="latitude, WGS 84",
            unit="degree",
            minimum=-90,
            maximum=90,
            decimals=6,
        ),
        Column(
            name="POINT_LON",
            type="number",
            meaning="longitude, WGS 84",
            unit="degree",
            minimum=-180,
            maximum=180,
            decimals=6,
        ),
        Column(name="POINT_ELEVATION", type="number", meaning="surface elevation", unit="m", decimals=1),
        _mm("POINT_BALANCE", "balance from FROM_DATE to TO_DATE"),
        _uncertainty_mm("POINT_BALANCE_UNCERTAINTY", "the point balance"),
        Column(
            name="DENSITY",
            type="number",
            meaning="one density used for all of the change",
            unit="kg m-3",
            minimum=1,
            maximum=1000,
        ),
        Column(
            name="DENSITY_UNCERTAINTY",
            type="number",
            meaning="error of that density",
            unit="kg m-3",
            minimum=0,
            maximum=1000,
        ),
        Column(
            name="BALANCE_CODE",
            type="string",
            meaning="balance it was used for: BW winter, BS summer, BA annual, IN none",
            enum=POINT_CODES_2023,
            required=True,
        ),
        _REMARKS_2023,
    ),
    primary_key=("NAME", "YEAR", "POINT_ID", "BALANCE_CODE", "FROM_DATE", "TO_DATE"),
)

# --- releases of 2026 --------------------------------------------------------------------------------------------


def _metres(name: str, meaning: str) -> Column:
    return Column(name=name, type="number", meaning=meaning, unit="m w.e.", decimals=2)


def _uncertainty(name: str, of: str, unit: str = "m w.e.", decimals: int = 2) -> Column:
    return Column(
        name=name, type="number", meaning=f"one standard deviation of {of}", unit=unit, minimum=0, decimals=decimals
    )


def _dated(name: str, meaning: str) -> tuple[Column, Column]:
    return Column(name=name, type="date", meaning=meaning), _uncertainty(f"{name}_unc", f"the {meaning}", "d", 0)


_OF_GLACIER = (
    Column(name="country", type="string", meaning="country, ISO 3166 alpha-2", pattern="[A-Z]{2}"),
    Column(name="glacier_name", type="string", meaning="name of the glacier", required=True),
    Column(name="glacier_id", type="integer", meaning="key that the service gives to the glacier", minimum=0),
)
_YEAR = Column(
    name="year", type="year", meaning="mass-balance year, named after the calendar year in which it ends", required=True
)
_SYSTEM = Column(name="time_system", type="string", meaning="FLO, FXD, STR, COM or OTH", enum=_TIME_SYSTEMS)
_AREA_M2 = Column(
    name="area", type="number", meaning="area of the glacier or the band", unit="m2", minimum=0, decimals=0
)
_BALANCES = tuple(
    column
    for season in ("winter", "summer", "annual")
    for column in (
        _metres(f"{season}_balance", f"{season} balance"),
        _uncertainty(f"{season}_balance_unc", f"the {season} balance"),
    )
)
_REMARKS = _text("remarks", "what else is to be known")

FOG2026_MASS_BALANCE = Table(
    name="fog2026_mass_balance",
    title="WGMS FoG 2026: mass balance",
    meaning="balances, equilibrium line and area of each year, in the column names of 2026",
    columns=(
        *_OF_GLACIER,
        Column(name="outline_id", type="integer", meaning="key that the service gives to the outline", minimum=0),
        _YEAR,
        _SYSTEM,
        *_dated("begin_date", "first day of the mass-balance year"),
        *_dated("midseason_date", "day that parts winter from summer"),
        *_dated("end_date", "last day of the mass-balance year"),
        *_BALANCES,
        Column(
            name="ela_position",
            type="string",
            meaning="'<' below the glacier, '>' above it, '=' on it",
            enum=("<", "=", ">"),
        ),
        Column(name="ela", type="number", meaning="equilibrium-line altitude", unit="m", decimals=0),
        _uncertainty("ela_unc", "the ELA", "m", 0),
        Column(
            name="aar", type="number", meaning="accumulation-area ratio", unit="1", minimum=0, maximum=1, decimals=3
        ),
        _AREA_M2,
        _text("investigators", "who measured or processed"),
        _text("agencies", "who sponsored the survey or keeps the data"),
        _text("references", "publications on data and methods"),
        _REMARKS,
    ),
    primary_key=("glacier_name", "year"),
)

FOG2026_BAND = Table(
    name="fog2026_mass_balance_band",
    title="WGMS FoG 2026: mass balance of elevation bands",
    meaning="balances of the elevation bands of each year, in the column names of 2026",
    columns=(
        *_OF_GLACIER,
        _YEAR,
        Column(name="lower_elevation", type="number", meaning="lower edge of the band", unit="m", required=True),
        Column(name="upper_elevation", type="number", meaning="upper edge of the band", unit="m", required=True),
        _AREA_M2,
        *_BALANCES,
        _REMARKS,
    ),
    primary_key=("glacier_name", "year", "lower_elevation", "upper_elevation"),
)

FOG2026_POINT = Table(
    name="fog2026_mass_balance_point",
    title="WGMS FoG 2026: point mass balance",
    meaning="balance at each stake, pit and probing, in the column names of 2026",
    columns=(
        *_OF_GLACIER,
        _YEAR,
        Column(name="id", type="integer", meaning="key that the service gives to the record", minimum=0),
        Column(name="original_id", type="string", meaning="identifier of the point", required=True),
        _SYSTEM,
        *_dated("begin_date", "first day"),
        *_dated("end_date", "last day"),
        Column(
            name="latitude",
            type="number",
            meaning="latitude, WGS 84",
            unit="degree",
            minimum=-90,
            maximum=90,
            decimals=6,
        ),
        Column(
            name="longitude",
            type="number",
            meaning="longitude, WGS 84",
            unit="degree",
            minimum=-180,
            maximum=180,
            decimals=6,
        ),
        Column(name="elevation", type="number", meaning="surface elevation", unit="m", decimals=1),
        _metres("balance", "balance from begin_date to end_date"),
        _uncertainty("balance_unc", "the balance"),
        Column(
            name="density",
            type="number",
            meaning="one density used for all of the change",
            unit="kg m-3",
            minimum=1,
            maximum=1000,
        ),
        Column(
            name="density_unc", type="number", meaning="error of that density", unit="kg m-3", minimum=0, maximum=1000
        ),
        Column(name="method", type="string", meaning="how it was measured", enum=("stake", "pit", "probing")),
        Column(
            name="balance_code",
            type="string",
            meaning="balance it was used for; index for none",
            enum=POINT_CODES_2026,
            required=True,
        ),
        _REMARKS,
    ),
    primary_key=("glacier_name", "year", "original_id", "balance_code", "begin_date", "end_date"),
)

WGMS_TABLES = (
    FOG2023_OVERVIEW,
    FOG2023_MASS_BALANCE,
    FOG2023_POINT,
    FOG2026_MASS_BALANCE,
    FOG2026_BAND,
    FOG2026_POINT,
)
