"""A dataset definition: what the archive says of a dataset and how the dataset is made, read from one TOML file."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, ValidationError, model_validator

from schemas.errors import BadDefinition
from schemas.settings import ElevationChangeSettings, Frozen, MassBalanceSettings

Text = Annotated[str, AfterValidator(lambda text: text.strip("\n"))]


class Bilingual(Frozen):
    """The same text in English and Chinese."""

    en: Text
    cn: Text = ""


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


class Reading(Frozen):
    """A clean reading of the original, kept apart from it, in both languages."""

    description: Bilingual
    data_source: Bilingual
    processing_method: Bilingual
    data_quality: Bilingual
    collect_place: Bilingual
    data_format: Bilingual
    notes: tuple[str, ...] = ()


Origin = Literal["source", "filled"]


class Extent(Frozen):
    """Bounding box in degrees, WGS 84; ``origin`` tells whether the source states it."""

    west: float = Field(ge=-180, le=180)
    south: float = Field(ge=-90, le=90)
    east: float = Field(ge=-180, le=180)
    north: float = Field(ge=-90, le=90)
    origin: Origin
    basis: str = Field("", description="where a filled value comes from")

    @model_validator(mode="after")
    def _corners_in_order(self) -> Extent:
        if self.south >= self.north:
            raise ValueError(f"south {self.south} must be below north {self.north} (corners swapped?)")
        if self.west >= self.east:
            raise ValueError(f"west {self.west} must be west of east {self.east} (corners swapped?)")
        if self.origin == "filled" and not self.basis:
            raise ValueError("a filled extent must name its basis")
        return self


class Period(Frozen):
    """First and last day, as the description claims; what the sources support stands beside it."""

    start: date
    end: date
    supported_start: date | None = None
    supported_end: date | None = None
    note: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        if self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class Altitude(Frozen):
    """Altitude range."""

    low: float = Field(ge=-500, le=9000)
    high: float = Field(ge=-500, le=9000)
    unit: Literal["m"] = "m"

    @model_validator(mode="after")
    def _in_order(self) -> Altitude:
        if self.low >= self.high:
            raise ValueError(f"low {self.low} must be below high {self.high}")
        return self


class Contact(Frozen):
    """A person or office one can write to."""

    name: str
    organization: str = ""
    phone: str = ""
    email: str = ""
    role: str = "pointOfContact"
    origin: Origin
    basis: str = ""


class Project(Frozen):
    """The project that paid for the dataset."""

    number: str
    name: str


class Source(Frozen):
    """An input product: where it comes from, when it was acquired, under which licence."""

    key: str
    title: str
    files: tuple[str, ...] = Field(description="file names below the inputs folder; * stands for any text")
    acquired_start: date | None = None
    acquired_end: date | None = None
    vertical_datum: str = ""
    attribution: str = ""
    licence: str = ""
    url: str = ""


class Gate(Frozen):
    """A quality gate: the value named by ``measure`` may not exceed ``limit``."""

    name: str
    measure: Literal["abs_mean_stable_dh", "sigma_annual_balance"]
    limit: float = Field(gt=0)
    unit: Literal["m", "kg m-2 a-1"]
    meaning: str

    @model_validator(mode="after")
    def _unit_fits_the_measure(self) -> Gate:
        expected = {"abs_mean_stable_dh": "m", "sigma_annual_balance": "kg m-2 a-1"}[self.measure]
        if self.unit != expected:
            raise ValueError(f"unit {self.unit!r} does not fit measure {self.measure!r}; expected {expected!r}")
        return self


class _Definition(Frozen):
    id: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    publication_date: date
    publisher: str
    publisher_url: str
    licence: str = Field(description="SPDX identifier, or 'other'")
    doi: str = Field("", pattern=r"^(10\.\d{4,9}/\S+)?$")
    title: Bilingual
    original: Original
    reading: Reading
    extent: Extent
    period: Period
    altitude: Altitude
    crs: str = Field(pattern=r"^EPSG:\d{4,6}$", description="projection of the published rasters")
    contacts: tuple[Contact, ...] = ()
    project: Project | None = None
    sources: tuple[Source, ...]
    gates: tuple[Gate, ...]

    def source(self, key: str) -> Source:
        """The input product named ``key``."""
        return next(source for source in self.sources if source.key == key)


class ElevationChangeDefinition(_Definition):
    """Elevation change from two DEMs; sources ``earlier``, ``later`` and ``outlines``."""

    kind: Literal["elevation_change"]
    processing: ElevationChangeSettings

    @model_validator(mode="after")
    def _sources_named(self) -> ElevationChangeDefinition:
        return _require_sources(self, ("earlier", "later", "outlines"))


class MassBalanceDefinition(_Definition):
    """Glacier mass balance from a workbook; sources ``workbook``, ``dem`` and ``outline``."""

    kind: Literal["mass_balance"]
    processing: MassBalanceSettings

    @model_validator(mode="after")
    def _sources_named(self) -> MassBalanceDefinition:
        return _require_sources(self, ("workbook", "dem", "outline"))


Definition = ElevationChangeDefinition | MassBalanceDefinition
D = TypeVar("D", bound=_Definition)


def _require_sources(definition: D, keys: tuple[str, ...]) -> D:
    missing = set(keys) - {source.key for source in definition.sources}
    if missing:
        raise ValueError(f"sources lack {sorted(missing)}")
    return definition


def read_definition(path: Path) -> Definition:
    """Read and check one definition.

    Errors
    ------
    BadDefinition : file, key, found, expected; for a missing file, wrong TOML, an unknown key, a wrong unit, swapped
        corners, an end before a start.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadDefinition(str(path), "no such file", "a dataset definition (TOML)") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDefinition(str(path), str(error), "a TOML file in UTF-8") from None
    return parse_definition(raw, str(path))


def parse_definition(raw: dict[str, Any], where: str) -> Definition:
    """Check the parsed TOML of a definition; ``where`` names it in errors."""
    kinds: dict[Any, type[ElevationChangeDefinition] | type[MassBalanceDefinition]] = {
        "elevation_change": ElevationChangeDefinition,
        "mass_balance": MassBalanceDefinition,
    }
    model = kinds.get(raw.get("kind"))
    if model is None:
        raise BadDefinition(f"{where}: kind", repr(raw.get("kind")), "'elevation_change' or 'mass_balance'")
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"]) or "definition"
        found = "nothing" if problem["type"] == "missing" else repr(problem["input"])
        if isinstance(problem["input"], dict) and problem["type"] == "value_error":
            found = problem["msg"].removeprefix("Value error, ")
            raise BadDefinition(f"{where}: {key}", found, "a consistent entry") from None
        expected = "no such key" if problem["type"] == "extra_forbidden" else problem["msg"]
        raise BadDefinition(f"{where}: {key}", found, expected) from None
