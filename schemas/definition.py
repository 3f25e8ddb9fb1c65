"""A dataset definition: what the archive says of a dataset and how the dataset is made, read from one TOML file."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from schemas.errors import BadDefinition
from schemas.input_files import read_plain_file
from schemas.inside import is_device_name, leads_inside, plainly
from schemas.machine_folders import machine_folders
from schemas.settings import ElevationChangeSettings, Frozen, MassBalanceSettings, SurfaceCorrection

WEB_ADDRESS = r"^(https?://[^\s<>\"']+)?$"
_VERSION = r"^\d+\.\d+\.\d+$"
# what may stand at the archive's root beside the folders of the datasets
ARCHIVE_FOLDERS = ("manifest", "schemas", "versions")
_DOI = r"^(10\.\d{4,9}/[A-Za-z0-9:/_;.()\[\]\\-]+)?$"
_CSTR = r"^([^\s<>\"]+)?$"
_EMAIL = r"^([^\s@]+@[^\s@]+\.[^\s@]{2,})?$"
# of a definition; the shipped ones have some 20 kB
MOST_BYTES = 1_000_000
# the reader of TOML takes time with the square of the parts of a key
_LONG_KEY = re.compile(r"""(?<![\w.'"-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")
# characters that XML 1.0 cannot carry, not even escaped; every rendering must be able to carry every text
_UNPRINTABLE = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# conditions of a licence that bind what is derived from the work
_CONDITIONS = {
    "non-commercial": re.compile(r"(?<![A-Za-z])NC(?![A-Za-z])"),
    "share-alike": re.compile(r"(?<![A-Za-z])SA(?![A-Za-z])|ODbL"),
}


class Contradiction(ValueError):
    """Keys that are well formed one by one and contradict each other."""

    def __init__(self, found: str, expected: str) -> None:
        self.found, self.expected = found, expected
        super().__init__(f"{found}; expected {expected}")


def _no_number(value: object) -> object:
    # pydantic would read a number as seconds since 1970
    if isinstance(value, bool | int | float):
        raise Contradiction(repr(value), "a date, YYYY-MM-DD")
    return value


def _below_the_inputs(pattern: str) -> str:
    if not leads_inside(plainly(pattern)) or ":" in pattern:
        raise Contradiction(repr(pattern), "a file name below the inputs folder, with forward slashes and without '..'")
    return pattern


def _no_folder_of_the_archive(dataset: str) -> str:
    if dataset in ARCHIVE_FOLDERS:
        raise Contradiction(repr(dataset), "an id that names no folder which the archive itself may have")
    if is_device_name(dataset):
        raise Contradiction(repr(dataset), "an id under which every system can keep a folder")
    return dataset


def _map_projection(code: str) -> str:
    # a tenth of a second of libraries that most users of this module do not need
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        raise Contradiction(repr(code), "the EPSG code of a CRS that PROJ knows, as EPSG:32645") from None
    if not crs.is_projected or crs.axis_info[0].unit_name != "metre":
        raise Contradiction(f"{code} ({crs.name})", "a projected CRS in metres, as the UTM zone EPSG:32645")
    return code


def _heights(code: str) -> str:
    """The code of what heights are counted from: a vertical CRS, a compound one, or ellipsoidal heights."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    if not code:
        return code
    expected = "the EPSG code of a vertical CRS that PROJ knows, as EPSG:5773"
    try:
        crs = CRS.from_user_input(code)
    except CRSError:
        raise Contradiction(_shortened(repr(code)), expected) from None
    if not (crs.is_vertical or (crs.is_geographic and len(crs.axis_info) == 3)):
        raise Contradiction(f"{_shortened(code)} ({crs.name})", expected)
    return code


DatasetId = Annotated[str, AfterValidator(_no_folder_of_the_archive)]
Text = Annotated[str, AfterValidator(lambda text: text.strip("\n"))]
Stated = Annotated[str, Field(min_length=1)]
Line = Annotated[Stated, AfterValidator(lambda text: " ".join(text.split()))]
Day = Annotated[date, BeforeValidator(_no_number)]
FilePattern = Annotated[str, AfterValidator(_below_the_inputs)]


class Bilingual(Frozen):
    """The same text in English and Chinese."""

    en: Text
    cn: Text = ""


class StatedBilingual(Bilingual):
    """The same text in English, which must be there, and Chinese."""

    en: Annotated[Text, Field(min_length=1)]


class Keywords(Frozen):
    """Keywords by kind, as the source lists them."""

    theme: tuple[str, ...] = ()
    subject: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    place: tuple[str, ...] = ()


class Original(Frozen):
    """The description word for word; a field that the source leaves empty, or lacks, is empty here."""

    description: Text
    data_source: Text
    processing_method: Text
    data_quality: Text
    collect_time: str = ""
    collect_place: str = ""
    altitude: str = ""
    data_size: str = ""
    data_format: str = ""
    coordinate_system: str = ""
    projection: str = ""
    keywords: Keywords = Keywords()
    north: str = ""
    west: str = ""
    east: str = ""
    south: str = ""
    contacts: str = ""
    phone: str = ""
    mailbox: str = ""
    contributors: str = ""
    author: str = ""
    manager: str = ""
    project_number: str = ""
    project_name: str = ""
    citation_intro: Text = ""
    citation_english_note: Text = ""
    citation: Text = ""


Origin = Literal["source", "filled"]


class KeywordReading(Frozen):
    """Keywords in both languages; ``origin`` tells whether the source lists them."""

    en: Keywords
    cn: Keywords = Keywords()
    origin: Origin
    basis: str = Field("", description="where filled keywords come from")

    @model_validator(mode="after")
    def _basis_named(self) -> KeywordReading:
        return _require_basis(self, self.origin, self.basis)


class Reading(Frozen):
    """A clean reading of the original, kept apart from it, in both languages."""

    description: StatedBilingual
    data_source: StatedBilingual
    processing_method: StatedBilingual
    data_quality: StatedBilingual
    collect_place: StatedBilingual
    data_format: StatedBilingual
    citation_instruction: Bilingual = Field(Bilingual(en=""), description="how the source asks to be cited")
    keywords: KeywordReading | None = None
    notes: tuple[str, ...] = Field((), description="what was corrected, filled or questioned")


class Extent(Frozen):
    """Bounding box in degrees, WGS 84; ``origin`` tells whether the source states it."""

    west: float = Field(ge=-180, le=180, strict=True)
    south: float = Field(ge=-90, le=90, strict=True)
    east: float = Field(ge=-180, le=180, strict=True)
    north: float = Field(ge=-90, le=90, strict=True)
    origin: Origin
    basis: str = Field("", description="where a filled value comes from")

    @model_validator(mode="after")
    def _corners_in_order(self) -> Extent:
        if self.south >= self.north:
            raise Contradiction(f"south {self.south}, north {self.north}", "south below north (corners swapped?)")
        if self.west >= self.east:
            raise Contradiction(f"west {self.west}, east {self.east}", "west less than east (corners swapped?)")
        return _require_basis(self, self.origin, self.basis)


class Period(Frozen):
    """First and last day, as the description claims; what the sources support stands beside it."""

    start: Day
    end: Day
    supported_start: Day | None = None
    supported_end: Day | None = None
    note: str = Field("", description="why the sources support another period than the description claims")
    note_cn: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        _require_order("start", self.start, "end", self.end)
        _require_order("supported_start", self.supported_start, "supported_end", self.supported_end)
        return self


class Altitude(Frozen):
    """Altitude range."""

    low: float = Field(ge=-500, le=9000, strict=True)
    high: float = Field(ge=-500, le=9000, strict=True)
    unit: Literal["m"] = "m"

    @model_validator(mode="after")
    def _in_order(self) -> Altitude:
        if self.low >= self.high:
            raise Contradiction(f"low {self.low}, high {self.high}", "low below high")
        return self


class Contact(Frozen):
    """A person or office one can write to."""

    name: Stated
    organization: str = ""
    phone: str = ""
    email: str = Field("", pattern=_EMAIL, description="name@host.domain")
    role: str = "pointOfContact"
    origin: Origin
    basis: str = Field("", description="where a filled contact comes from")

    @model_validator(mode="after")
    def _basis_named(self) -> Contact:
        return _require_basis(self, self.origin, self.basis)


class Project(Frozen):
    """The project that paid for the dataset."""

    number: Line
    name: Line


class Producer(Frozen):
    """Who made an input product: one who captured or computed it, or grants its licence."""

    name: str = Field(min_length=1)
    name_cn: str = ""
    url: str = Field("", pattern=WEB_ADDRESS, description="http(s) address")
    roles: tuple[Literal["producer", "licensor"], ...] = Field(("producer",), min_length=1)


class Source(Frozen):
    """An input product: where it comes from, when it was acquired, under which licence."""

    key: Stated
    title: Stated
    title_cn: str = ""
    files: tuple[FilePattern, ...] = Field(
        min_length=1, description="file names below the inputs folder; * stands for any text"
    )
    optional: bool = Field(False, description="whether the dataset can be made without it")
    claimed_start: Day | None = Field(None, description="first day of acquisition that the description claims")
    claimed_end: Day | None = Field(None, description="last day of acquisition that the description claims")
    acquired_start: Day | None = Field(None, description="first day of acquisition that the product's source supports")
    acquired_end: Day | None = Field(None, description="last day of acquisition that the product's source supports")
    dates_basis: str = Field("", description="where the claimed and the supported days come from")
    vertical_datum: Annotated[str, AfterValidator(_heights)] = Field(
        "", description="EPSG code of what heights are counted from, as EPSG:5773; nothing where the file says it"
    )
    attribution: str = ""
    licence: str = Field(
        "", pattern=r"^[A-Za-z0-9.+-]*$", description="SPDX identifier, or 'other'; nothing where none is stated"
    )
    licence_note: str = Field("", description="what the licence asks for")
    licence_note_cn: str = ""
    url: str = Field("", pattern=WEB_ADDRESS, description="http(s) address")
    producers: tuple[Producer, ...] = Field((), description="who made the product, or licenses it")

    @model_validator(mode="after")
    def _in_order(self) -> Source:
        _require_order("claimed_start", self.claimed_start, "claimed_end", self.claimed_end)
        _require_order("acquired_start", self.acquired_start, "acquired_end", self.acquired_end)
        return self


class Gate(Frozen):
    """A quality gate: the value named by ``measure`` may not exceed ``limit``."""

    name: Stated
    measure: Literal["abs_mean_stable_dh", "sigma_annual_balance"]
    limit: float = Field(gt=0, strict=True)
    unit: Literal["m", "kg m-2 a-1"]
    meaning: Stated
    name_cn: str = ""
    meaning_cn: str = ""

    @model_validator(mode="after")
    def _unit_fits_the_measure(self) -> Gate:
        expected = {"abs_mean_stable_dh": "m", "sigma_annual_balance": "kg m-2 a-1"}[self.measure]
        if self.unit != expected:
            raise Contradiction(f"unit {self.unit!r} with measure {self.measure!r}", f"unit {expected!r}")
        return self


# what the portal exports, in its order
# fmt: off
PORTAL_FIELDS = (
    "created", "updated", "id", "version", "ds_topic", "title_cn", "title_en", "ds_abstract", "ds_source",
    "ds_process_way", "ds_quality", "ds_acq_start_time", "ds_acq_end_time", "ds_acq_place", "ds_acq_lon_east",
    "ds_acq_lat_south", "ds_acq_lon_west", "ds_acq_lat_north", "ds_acq_alt_low", "ds_acq_alt_high", "ds_share_type",
    "ds_total_size", "ds_files_count", "ds_format", "ds_space_res", "ds_time_res", "ds_coordinate", "ds_projection",
    "ds_thumbnail", "ds_thumb_from", "ds_ref_way", "paper_ref_way", "ds_ref_instruction", "ds_from_station",
    "organization_id", "ds_serv_man", "ds_serv_phone", "ds_serv_mail", "doi_value", "subject_codes", "quality_level",
    "publish_time", "last_updated", "protected", "protected_to", "lang", "cstr", "i18n",
)
# fmt: on
# its texts in two languages, beside the title, by the key of the reading that holds them
PORTAL_TEXTS = {
    "ds_abstract": "description",
    "ds_source": "data_source",
    "ds_process_way": "processing_method",
    "ds_quality": "data_quality",
    "ds_acq_place": "collect_place",
}
# what init writes where it knows nothing, to be replaced
NOT_STATED = "not stated"
FILLED_BY_INIT = "placeholder written by init"
ALTITUDE_BY_INIT = (0.0, 1.0)


class Portal(Frozen):
    """What an export of the data centre's portal states and no other key holds, as it stands there.

    ``null`` names the fields that stay null in the portal's form; a field that has a value by now is taken off it.
    """

    fields: dict[str, JsonValue] = Field({}, description="fields of the export, by the portal's names")
    null: tuple[str, ...] = Field((), description="fields that the export leaves null or lacks")
    i18n: dict[str, dict[str, JsonValue]] = Field({}, description="what it says in other languages besides its texts")


Change = Annotated[str, Field(min_length=1), AfterValidator(lambda text: " ".join(text.split()))]


class Changes(Frozen):
    """What a version changed from the one before it; SemVer for data follows from which of the lists are filled."""

    data: tuple[Change, ...] = Field((), description="records created, changed or removed")
    structure: tuple[Change, ...] = Field((), description="tables, columns, units, files")
    metadata: tuple[Change, ...] = Field((), description="descriptions, contacts, pages; no value")

    @property
    def stated(self) -> bool:
        """Whether anything is said."""
        return bool(self.data or self.structure or self.metadata)


class OtherVersion(Frozen):
    """Another version of the dataset: where it is published, and what it changed from the version before it."""

    version: str = Field(pattern=_VERSION, description="major.minor.patch")
    publication_date: Day
    href: str = Field("", pattern=WEB_ADDRESS, description="http(s) address of its STAC collection or page")
    doi: str = Field("", pattern=_DOI, description="bare DOI, or nothing")
    changes: Changes = Field(Changes(), description="what it changed from the version before it")

    @model_validator(mode="after")
    def _can_be_found(self) -> OtherVersion:
        if not (self.href or self.doi):
            raise Contradiction(f"version {self.version} with neither href nor doi", "where that version is published")
        return self

    @property
    def address(self) -> str:
        """Where the version is found."""
        return self.href or f"https://doi.org/{self.doi}"


class _Definition(Frozen):
    id: DatasetId = Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=80,
        description="lower-case words joined by '-'; names the folder",
    )
    version: str = Field(pattern=_VERSION, description="major.minor.patch")
    publication_date: Day
    publisher: Line
    publisher_cn: str = ""
    publisher_url: str = Field(min_length=1, pattern=WEB_ADDRESS, description="http(s) address")
    licence: str = Field(pattern=r"^[A-Za-z0-9.+-]+$", description="SPDX identifier, or 'other'")
    licence_note: str = Field("", description="why this licence")
    licence_note_cn: str = ""
    doi: str = Field("", pattern=_DOI, description="bare DOI, or nothing")
    cstr: str = Field("", pattern=_CSTR, description="CSTR as assigned, or nothing")
    title: StatedBilingual
    original: Original
    reading: Reading
    extent: Extent
    period: Period
    altitude: Altitude
    crs: Annotated[str, AfterValidator(_map_projection)] = Field(
        pattern=r"^EPSG:\d{4,6}$", description="projection of the published rasters"
    )
    contacts: tuple[Contact, ...] = ()
    project: Project | None = None
    portal: Portal | None = Field(None, description="what the portal's export states besides")
    sources: tuple[Source, ...]
    gates: tuple[Gate, ...]
    publish_failing: bool = Field(
        False, strict=True, description="publish although a quality gate failed; the verdict is published with it"
    )
    changes: Changes = Field(Changes(), description="what this version changed from the one before it")
    previous_versions: tuple[OtherVersion, ...] = Field((), description="versions published before this one")
    successor: OtherVersion | None = Field(None, description="the version that has replaced this one")

    @model_validator(mode="after")
    def _versions_in_order(self) -> _Definition:
        history = [(other.version, other.publication_date) for other in self.previous_versions]
        history.append((self.version, self.publication_date))
        if self.successor:
            history.append((self.successor.version, self.successor.publication_date))
        for (before, day), (after, other_day) in pairwise(history):
            if _by_number(before) >= _by_number(after):
                raise Contradiction(f"version {after} after version {before}", "increasing versions, the oldest first")
            _require_order(f"publication_date of {before}", day, f"publication_date of {after}", other_day)
        return self

    @model_validator(mode="after")
    def _changes_fit_the_version(self) -> _Definition:
        if not self.previous_versions:
            if self.changes.stated:
                raise Contradiction("changes without previous_versions", "the version that they changed")
            return self
        before = self.previous_versions[-1].version
        if not self.changes.stated:
            step = f"version {self.version} after {before} without changes"
            raise Contradiction(step, "what it changed, in the lists data, structure and metadata of [changes]")
        if _by_number(self.version)[:2] == _by_number(before)[:2] and (self.changes.data or self.changes.structure):
            step = f"version {self.version} after {before} with changes of data or structure"
            raise Contradiction(step, "a higher minor or major version; only metadata change in a patch")
        return self

    @model_validator(mode="after")
    def _licence_keeps_conditions(self) -> _Definition:
        for source in self.sources:
            lost = [name for name, sign in _CONDITIONS.items() if sign.search(source.licence)]
            lost = (
                [] if self.licence == "other" else [name for name in lost if not _CONDITIONS[name].search(self.licence)]
            )
            if lost:
                raise Contradiction(
                    f"licence {self.licence!r} with source {source.key} under {source.licence!r}",
                    f"a licence that is {' and '.join(lost)} as well; or 'other', with a licence_note",
                )
        return self

    def source(self, key: str) -> Source:
        """The input product named ``key``."""
        return next(source for source in self.sources if source.key == key)

    @property
    def keywords(self) -> KeywordReading:
        """The keywords to publish: the clean reading, or the source's own where there is none."""
        return self.reading.keywords or KeywordReading(en=self.original.keywords, origin="source")


class Pair(Frozen):
    """Two of several DEMs that are differenced, by the keys of their sources."""

    earlier: str = Field(description="key of the source of the earlier DEM")
    later: str = Field(description="key of the source of the later DEM")
    outlines: tuple[str, ...] = Field(
        ("outlines",), min_length=1, description="keys of the outlines' sources, the earliest epoch first"
    )
    surface_corrections: tuple[SurfaceCorrection, ...] = Field(
        (), description="penetration and seasonal snow of these two DEMs, by kind of glacier surface"
    )

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the sources it needs."""
        return (self.earlier, self.later, *self.outlines)


# settings that say something of one DEM, which cannot hold for every pair
_OF_ONE_PAIR = (
    *("vertical_datum_earlier", "vertical_datum_later", "earlier_date", "later_date"),
    *("sigma_earlier_date_years", "sigma_later_date_years", "penetration_earlier_m", "penetration_later_m"),
    *("sigma_penetration_m", "surface_corrections"),
)


class ElevationChangeDefinition(_Definition):
    """Elevation change from two DEMs, sources ``earlier``, ``later`` and ``outlines``; or of several pairs of DEMs."""

    kind: Literal["elevation_change"]
    processing: ElevationChangeSettings
    pairs: tuple[Pair, ...] = Field(
        (), description="pairs of DEMs to difference; without any, the one of the sources earlier and later"
    )

    @model_validator(mode="after")
    def _codes_known(self) -> ElevationChangeDefinition:
        codes = (
            ("crs", self.processing.crs, _map_projection),
            ("vertical_datum_earlier", self.processing.vertical_datum_earlier, _heights),
            ("vertical_datum_later", self.processing.vertical_datum_later, _heights),
        )
        for name, code, known in codes:
            try:
                known(code) if code else None
            except Contradiction as error:
                raise Contradiction(f"processing.{name} {error.found}", error.expected) from None
        return self

    @model_validator(mode="after")
    def _complete(self) -> ElevationChangeDefinition:
        keys = tuple(dict.fromkeys(key for pair in self.pairs for key in pair.keys))
        _require_names(self, keys or ("earlier", "later", "outlines"), "abs_mean_stable_dh")
        given = [name for name in _OF_ONE_PAIR if name in self.processing.model_fields_set]
        if self.pairs and given:
            raise Contradiction(
                f"processing.{given[0]} beside pairs",
                "dates and vertical datums at the sources, corrections at the pairs",
            )
        names = [self.pair_name(pair) for pair in self.pairs]
        if twice := sorted(name for name, count in Counter(names).items() if count > 1):
            raise Contradiction(f"two pairs of {twice[0]}", "pairs that differ in the year of a DEM")
        return self

    def pair_name(self, pair: Pair) -> str:
        """The years of a pair, as 2000-2010: first of the earlier DEM's acquisition, last of the later one's.

        Errors
        ------
        Contradiction : a DEM without days of acquisition, or the later one not the later.
        """
        start, end = self.source(pair.earlier).acquired_start, self.source(pair.later).acquired_end
        if start is None or end is None:
            lacking = (
                f"{pair.earlier} without acquired_start" if start is None else f"{pair.later} without acquired_end"
            )
            raise Contradiction(f"source {lacking}", "the days of acquisition of every DEM of a pair")
        if start >= end:
            raise Contradiction(f"pair of {pair.earlier}, {start}, and {pair.later}, {end}", "the earlier DEM first")
        return f"{start.year}-{end.year}"

    def of_pair(self, pair: Pair) -> ElevationChangeDefinition:
        """What the dataset says of one of its pairs alone: its own title, period and sources, under the usual keys."""
        earlier, later = self.source(pair.earlier), self.source(pair.later)
        outlines = [self.source(key) for key in pair.outlines]
        years = self.pair_name(pair).replace("-", "\N{EN DASH}")
        title = Bilingual(en=f"{self.title.en}, {years}", cn=self.title.cn and f"{self.title.cn}，{years}年")
        changes = {
            "title": title,
            "period": Period.model_validate({"start": earlier.acquired_start, "end": later.acquired_end}),
            "sources": (
                earlier.model_copy(update={"key": "earlier"}),
                later.model_copy(update={"key": "later"}),
                _joined_sources("outlines", outlines),
            ),
            "processing": self.processing.model_copy(update={"surface_corrections": pair.surface_corrections}),
            "pairs": (),
        }
        return self.model_copy(update=changes)


class MassBalanceDefinition(_Definition):
    """Glacier mass balance from a workbook; sources ``workbook``, ``dem`` and ``outline``."""

    kind: Literal["mass_balance"]
    processing: MassBalanceSettings
    glacier: str = Field(
        "", description="identifier or name of the glacier, where the workbook has several; a collection is of one"
    )

    @model_validator(mode="after")
    def _complete(self) -> MassBalanceDefinition:
        return _require_names(self, ("workbook", "dem", "outline"), "sigma_annual_balance")


Definition = ElevationChangeDefinition | MassBalanceDefinition
D = TypeVar("D", bound=_Definition)
M = TypeVar("M", bound=Frozen)


def _joined_sources(key: str, sources: list[Source]) -> Source:
    """Several sources of one kind as one, in their order."""
    first, *others = sources
    titles = "; ".join(source.title for source in sources)
    files = tuple(pattern for source in sources for pattern in source.files)
    return first.model_copy(update={"key": key, **({"title": titles, "files": files} if others else {})})


def _by_number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _require_basis(value: M, origin: Origin, basis: str) -> M:
    if origin == "filled" and not basis:
        raise Contradiction("origin 'filled' without a basis", "a basis that says where the filled value comes from")
    return value


def _require_order(first: str, start: date | None, last: str, end: date | None) -> None:
    if start and end and end < start:
        raise Contradiction(f"{first} {start}, {last} {end}", f"{last} on or after {first}")


def _require_names(definition: D, keys: tuple[str, ...], measure: str) -> D:
    """Sources named once and complete, gates named once and of the kind's own measure."""
    for what, names in (
        ("source", [source.key for source in definition.sources]),
        ("gate", [gate.name for gate in definition.gates]),
    ):
        twice = sorted(name for name, count in Counter(names).items() if count > 1)
        if twice:
            raise Contradiction(f"{what} {', '.join(twice)} twice", f"each {what} once")
    missing = [key for key in keys if key not in {source.key for source in definition.sources}]
    if missing:
        raise Contradiction(f"no source {', '.join(missing)}", f"sources {', '.join(keys)}")
    strange = [gate.measure for gate in definition.gates if gate.measure != measure]
    if strange:
        raise Contradiction(f"a gate that measures {strange[0]!r}", f"measure {measure!r} for this kind of dataset")
    return definition


def read_definition(path: Path) -> Definition:
    """Read and check one definition.

    Errors
    ------
    BadDefinition : file, key, found, expected; for a missing file, wrong TOML, an unknown key, a wrong unit, swapped
        corners, an end before a start.
    """
    content = read_plain_file(path, str(path), "a dataset definition", MOST_BYTES, BadDefinition)
    try:
        text = content.decode("utf-8-sig")
        if _LONG_KEY.search(text):
            raise BadDefinition(str(path), "a key of more than 32 parts", "a dataset definition (TOML)")
        return parse_definition(tomllib.loads(text), str(path))
    except UnicodeDecodeError as error:
        byte = f"byte 0x{error.object[error.start]:02x} at offset {error.start}, which is not UTF-8"
        raise BadDefinition(str(path), byte, "a TOML file in UTF-8", "save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise BadDefinition(str(path), f"broken TOML: {error}", "a TOML file in UTF-8") from None
    except RecursionError:
        raise BadDefinition(str(path), "tables or lists nested too deeply", "a dataset definition (TOML)") from None
    except ValueError as error:  # of a number with thousands of digits
        raise BadDefinition(str(path), f"broken TOML: {error}", "a TOML file in UTF-8") from None


_KINDS: dict[Any, type[ElevationChangeDefinition] | type[MassBalanceDefinition]] = {
    "elevation_change": ElevationChangeDefinition,
    "mass_balance": MassBalanceDefinition,
}


def parse_definition(raw: dict[str, Any], where: str) -> Definition:
    """Check the parsed TOML of a definition; ``where`` names it in errors."""
    kind = raw.get("kind")
    model = _KINDS.get(kind) if isinstance(kind, str) else None
    if model is None:
        stated = "nothing" if kind is None else repr(kind)
        raise BadDefinition(f"{where}: kind", stated, "'elevation_change' or 'mass_balance'")
    for key, text in _texts(raw):
        if bad := _UNPRINTABLE.search(text):
            raise BadDefinition(f"{where}: {key}", f"the control character {bad.group()!r}", "text without them")
        # nothing at all is what leaves a field empty, but not an entry of a list
        if (text or key.rpartition(".")[2].isdigit()) and not shows_something(text):
            raise BadDefinition(
                f"{where}: {key}", f"the blank text {_shortened(repr(text))}", "a text, or the key left out"
            )
        # the original stays word for word
        if not key.startswith("original.") and (folders := machine_folders(text)):
            raise BadDefinition(f"{where}: {key}", f"{folders[0]!r}", "a text that names no folder of a machine")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise _refusal(error, model, where) from None


def definition_json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a dataset definition, for editors and for checks outside Python."""
    either = Annotated[ElevationChangeDefinition | MassBalanceDefinition, Field(discriminator="kind")]
    generated = TypeAdapter[Any](either).json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Dataset definition",
        "description": "What the archive says of a dataset and how the dataset is made; written as TOML.",
        **generated,
    }


def shows_something(text: str) -> bool:
    """Whether any character of a text can be seen; blanks and marks without width alone cannot."""
    return any(sign.isprintable() and sign != " " for sign in text)


def _texts(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a parsed TOML file with its dotted key."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _texts(entry, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            yield from _texts(entry, f"{key}.{number}")


def _refusal(error: ValidationError, model: type[BaseModel], where: str) -> BadDefinition:
    """The first problem in words of this project: file, key, found, expected."""
    problems = error.errors(include_url=False)
    problem = problems[0]
    key = ".".join(str(part) for part in problem["loc"]) or "definition"
    more = f"and {len(problems) - 1} more of this file" if len(problems) > 1 else ""
    cause = problem.get("ctx", {}).get("error")
    if isinstance(cause, Contradiction):
        return BadDefinition(f"{where}: {key}", cause.found, cause.expected, more)
    if isinstance(cause, ValueError):
        return BadDefinition(f"{where}: {key}", str(cause), "entries that agree", more)
    value = "nothing" if problem["type"] == "missing" else _shortened(repr(problem["input"]))
    return BadDefinition(f"{where}: {key}", value, _expected(dict(problem), model), more)


def _expected(problem: dict[str, Any], model: type[BaseModel]) -> str:
    """What should stand at the place of a problem that pydantic found."""
    context = problem.get("ctx", {})
    holder, name = _model_at(model, problem["loc"][:-1]), str(problem["loc"][-1])
    field = holder.model_fields.get(name) if holder else None
    meaning = field.description if field else None
    if problem["type"] == "extra_forbidden":
        known = sorted(holder.model_fields) if holder else []
        close = difflib.get_close_matches(name, known, 1)
        return f"no such key (did you mean {close[0]!r}?)" if close else f"one of the keys {', '.join(known)}"
    if problem["type"] == "missing":
        return f"the key {name!r}" + (f" ({meaning})" if meaning else "")
    if problem["type"] == "string_pattern_mismatch":
        return meaning or f"text of the form {context['pattern']}"
    words = {
        "literal_error": "{expected}",
        "greater_than_equal": "a number of at least {ge}",
        "less_than_equal": "a number of at most {le}",
        "greater_than": "a number above {gt}",
        "less_than": "a number below {lt}",
        "float_type": "a number, without quotes",
        "float_parsing": "a number",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "bool_parsing": "true or false",
        "string_type": "text in quotes",
        "tuple_type": "a list",
        "model_type": "a table of keys",
        "string_too_long": "at most {max_length} characters",
        "string_too_short": "a text that is not empty",
        "too_short": "at least one entry",
        "finite_number": "a finite number",
    }
    if problem["type"].startswith("date_"):
        return "a date, YYYY-MM-DD"
    if problem["type"] == "too_short" and isinstance(problem["input"], str):
        return words["string_too_short"]
    phrase = words.get(problem["type"])
    return phrase.format(**context) if phrase else str(problem["msg"])


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."


def _model_at(model: type[BaseModel], path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that describes the table at a key path; None where it has none."""
    for part in path:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        nested = _nested_model(field.annotation) if field else None
        if nested is None:
            return None
        model = nested
    return model


def _nested_model(annotation: Any) -> type[BaseModel] | None:
    """The model within an annotation such as ``tuple[Source, ...]`` or ``Project | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for entry in get_args(annotation) if (model := _nested_model(entry))), None)
