"""A new dataset: its definition with every blank marked, and for a mass balance the workbook to fill in."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

from catalog.start.ncdc_record import PortalRecord, is_chinese, is_of_markup, read_portal_record, visible_text
from schemas.definition import ALTITUDE_BY_INIT, FILLED_BY_INIT, NOT_STATED, parse_definition
from schemas.errors import BadInput
from schemas.inside import is_device_name
from schemas.settings import ElevationChangeSettings, Frozen, MassBalanceSettings

Kind = Literal["elevation_change", "mass_balance"]
KINDS: tuple[Kind, ...] = ("elevation_change", "mass_balance")
MARK = "FILL IN"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]{2,}")
_LONGEST_NAME = 80  # of a definition's id
_TEXT_FIELDS = ("description", "data_source", "processing_method", "data_quality")
_READING_FIELDS = (*_TEXT_FIELDS, "collect_place", "data_format")
_SETTINGS: dict[Kind, type[Frozen]] = {"elevation_change": ElevationChangeSettings, "mass_balance": MassBalanceSettings}


@dataclass(frozen=True)
class _Source:
    key: str
    title: str
    files: tuple[str, ...]
    comment: str


@dataclass(frozen=True, kw_only=True)
class _Blank:
    """What a new definition says; a value that is None is a blank, filled neutrally and marked."""

    name: str
    kind: Kind
    title: tuple[str, str] | None = None  # English, Chinese
    doi: str = ""
    cstr: str = ""
    published: date | None = None
    portal: tuple[dict[str, Any], tuple[str, ...], dict[str, dict[str, Any]]] | None = None  # stated, null, i18n
    original: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reading: dict[str, tuple[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    extent: tuple[float, float, float, float] | None = None  # west, south, east, north
    extent_origin: str = "filled"
    extent_basis: str = FILLED_BY_INIT
    period: tuple[date | None, date | None] = (None, None)
    altitude: tuple[float, float] | None = None
    contact: tuple[str, str, str] | None = None  # name, phone, e-mail
    project: tuple[str, str] | None = None  # number, name


def init_definition(name: str, folder: Path, kind: Kind) -> list[Path]:
    """Write ``<name>.toml``, a valid definition with its blanks marked, and the workbook template of a mass balance.

    Returns the paths written.

    Errors
    ------
    BadInput : a name or kind that cannot be used; a folder that cannot be written to; a file that is there already.
    """
    if kind not in KINDS:
        raise BadInput(f"kind {kind!r}", repr(kind), " or ".join(KINDS))
    return _write(_Blank(name=name, kind=kind), folder)


def init_from_ncdc(
    record: Path, name: str, folder: Path, kind: Kind | None = None
) -> tuple[list[Path], tuple[str, ...]]:
    """As ``init_definition``, beginning from a record exported from the NCDC portal.

    What the record says stands under ``[original]``, in both languages under ``[reading]``, and under ``[portal]``, all
    without the markup that the portal wraps it in. Without ``kind`` a record that speaks of a mass balance gives one,
    any other an elevation change.

    Returns the paths written and the record's defects, one line each; but for markup, which is removed, they are also
    the ``notes`` of the reading.
    """
    read = read_portal_record(record)
    chosen: Kind = kind or ("mass_balance" if read.is_mass_balance else "elevation_change")
    if chosen not in KINDS:
        raise BadInput(f"kind {chosen!r}", repr(chosen), " or ".join(KINDS))
    return _write(_from_record(read, name, chosen), folder), read.defects


def blanks_of(path: Path) -> tuple[str, ...]:
    """Lines of a definition that are still to be filled in, with their numbers."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(
        f"line {number}: {line.strip()}" for number, line in enumerate(lines, 1) if f"# {MARK}" in line and "=" in line
    )


def _write(blank: _Blank, folder: Path) -> list[Path]:
    if not _NAME.fullmatch(blank.name) or len(blank.name) > _LONGEST_NAME or is_device_name(blank.name):
        raise BadInput(
            f"name {blank.name!r}",
            "a name that no folder and no address can carry",
            f"lower-case letters, digits and single hyphens, at most {_LONGEST_NAME}",
            "for example 'inylchek-glacier-mass-balance'",
        )
    definition = folder / f"{blank.name}.toml"
    paths = [definition, *([folder / workbook_name(blank.name)] if blank.kind == "mass_balance" else [])]
    text = definition_text(blank)
    parse_definition(tomllib.loads(text), str(definition))
    try:
        folder.mkdir(exist_ok=True)
        for path in paths:
            if path.exists() or path.is_symlink():
                raise BadInput(str(path), "a file that is there already", "a new name", "nothing was written")
        with definition.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
        for path in paths[1:]:
            from catalog.start.workbook_template import workbook_template  # an elevation change has no workbook

            workbook_template(path)
    except OSError as error:
        raise BadInput(str(folder), error.strerror or str(error), "a folder that can be written to") from None
    return paths


def workbook_name(name: str) -> str:
    """File name of the workbook that a new mass-balance definition reads."""
    return f"{name}-workbook.xlsx"


# --- the text ----------------------------------------------------------------------------------------------------


def definition_text(blank: _Blank) -> str:
    """The definition as TOML, commented."""
    parts: tuple[Callable[[_Blank], Iterator[str]], ...] = (
        *(_head, _identity, _original, _reading, _coverage, _people, _portal, _sources, _gates, _processing),
    )
    return "\n".join(line for part in parts for line in part(blank)) + "\n"


def _head(blank: _Blank) -> Iterator[str]:
    what = "Elevation change from two DEMs" if blank.kind == "elevation_change" else "Glacier mass balance from stakes"
    yield f"# {what}: what the archive says of the dataset, and how it is made."
    yield "#"
    yield f"# A line marked '{MARK}' holds a neutral value that passes every check and says nothing: replace it."
    yield "# Then, with the raw files below FOLDER (or below FOLDER/" + blank.name + "):"
    yield f"#     glacier-archive fetch inputs {blank.name}.toml --to FOLDER    (what can be had from a server)"
    yield f"#     glacier-archive build {blank.name}.toml --inputs FOLDER --out archive"
    yield ""


def _identity(blank: _Blank) -> Iterator[str]:
    title = blank.title or (blank.name.replace("-", " ").capitalize(), "")
    yield f"kind = {_toml(blank.kind)}"
    yield f"id = {_toml(blank.name)}  # names the folder of the collection"
    yield 'version = "0.1.0"  # raise it with every publication'
    published = blank.published.isoformat() if blank.published else f"2000-01-01  # {MARK}"
    yield f"publication_date = {published}" + (
        "" if blank.published else ": an input, for no clock reaches the archive"
    )
    yield f'publisher = "not stated"  # {MARK}: the institution that publishes'
    yield f'publisher_url = "https://example.org"  # {MARK}'
    yield f'licence = "other"  # {MARK}: an SPDX identifier such as "CC-BY-4.0"'
    yield f"doi = {_toml(blank.doi)}  # bare, as 10.1234/abc; empty while there is none"
    yield f"cstr = {_toml(blank.cstr)}  # as assigned; empty while there is none"
    yield f'crs = "EPSG:32645"  # {MARK}: projection of the published rasters, as a rule the UTM zone'
    yield ""
    yield "[title]"
    yield f"en = {_toml(title[0])}" + ("" if blank.title and not is_chinese(title[0]) else f"  # {MARK}")
    yield f"cn = {_toml(title[1])}"
    yield ""


def _original(blank: _Blank) -> Iterator[str]:
    yield "# The description as its authors wrote it, word for word; what they leave empty stays empty."
    yield "[original]"
    for key in _TEXT_FIELDS:
        yield _mark(f"{key} = ", blank.original.get(key, ""))
    for key, value in blank.original.items():
        if key not in _TEXT_FIELDS and value:
            yield f"{key} = {_toml(value)}"
    yield ""
    yield "[original.keywords]"
    for key in ("theme", "subject", "time", "place"):
        yield f"{key} = {_toml(list(blank.keywords.get(key, ())))}"
    yield ""


def _reading(blank: _Blank) -> Iterator[str]:
    yield "# The same, clean and in both languages: what the pages show. `notes` says what was corrected or questioned."
    yield "[reading]"
    if blank.notes:
        yield "notes = ["
        yield from (f"  {_toml(note)}," for note in blank.notes)
        yield "]"
    else:
        yield "notes = []"
    yield ""
    for key in _READING_FIELDS:
        english, chinese = blank.reading.get(key, ("", ""))
        yield f"[reading.{key}]"
        yield _mark("en = ", english, neutral=NOT_STATED)
        yield f"cn = {_toml(chinese)}"
        yield ""
    if not any(blank.keywords.values()):
        yield "# Keywords to publish where the source lists none; the place is worth naming."
        yield "[reading.keywords]"
        yield 'origin = "filled"'
        yield 'basis = "the kind of the dataset"'
        yield ""
        yield "[reading.keywords.en]"
        yield f"theme = {_toml(['Glacier', blank.kind.replace('_', ' ')])}  # {MARK}"
        yield "place = []"
        yield ""


def _coverage(blank: _Blank) -> Iterator[str]:
    west, south, east, north = blank.extent or (86.0, 43.0, 87.0, 44.0)
    mark = "" if blank.extent else f"  # {MARK}"
    yield '# Degrees, WGS 84. `origin` is "source" where the description states the box, else "filled" with its basis.'
    yield "[extent]"
    for side, value in (("west", west), ("south", south), ("east", east), ("north", north)):
        yield f"{side} = {value!r}{mark}"
    yield f"origin = {_toml(blank.extent_origin)}"
    yield f"basis = {_toml(blank.extent_basis)}{mark}" if blank.extent_origin == "filled" else 'basis = ""'
    yield ""
    start, end = _days(blank.period)
    yield "[period]"
    yield f"start = {start.isoformat()}" + ("" if blank.period[0] else f"  # {MARK}: first day")
    yield f"end = {end.isoformat()}" + ("" if blank.period[1] else f"  # {MARK}: last day")
    yield ""
    low, high = blank.altitude or ALTITUDE_BY_INIT
    mark = "" if blank.altitude else f"  # {MARK}: metres"
    yield "[altitude]"
    yield f"low = {low!r}{mark}"
    yield f"high = {high!r}{mark}"
    yield ""


def _days(period: tuple[date | None, date | None]) -> tuple[date, date]:
    """First and last day; one that is missing is the year's of the other."""
    start, end = period
    if start is None and end is None:
        return date(2000, 1, 1), date(2000, 12, 31)
    return start or date((end or date.min).year, 1, 1), end or date((start or date.min).year, 12, 31)


def _people(blank: _Blank) -> Iterator[str]:
    if blank.contact:
        name, phone, email = blank.contact
        yield "[[contacts]]"
        yield f"name = {_toml(name)}"
        yield f"phone = {_toml(phone)}"
        yield f"email = {_toml(email)}"
        yield 'origin = "source"'
    else:
        yield "# [[contacts]]"
        yield '# name = "somebody who answers"'
        yield '# email = "name@example.org"'
        yield '# origin = "source"  # or "filled", with a basis'
    yield ""
    if blank.project:
        yield "[project]"
        yield _mark("number = ", blank.project[0], neutral="not stated")
        yield _mark("name = ", blank.project[1], neutral="not stated")
        yield ""


def _portal(blank: _Blank) -> Iterator[str]:
    if blank.portal is None:
        return
    stated, null, spoken = blank.portal
    yield "# What the portal's export states besides, for ncdc_portal.json. Take a field off `null` to fill it."
    yield "[portal]"
    yield f"null = {_toml(list(null))}"
    yield ""
    yield "[portal.fields]"
    yield from (f"{_toml(name)} = {_inline(value)}" for name, value in stated.items())
    yield ""
    for code, said in spoken.items():
        yield f"[portal.i18n.{_toml(code)}]"
        yield from (f"{_toml(name)} = {_inline(value)}" for name, value in said.items())
        yield ""


def _inline(value: Any) -> str:
    """A value of JSON without nulls as TOML, tables and lists in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(name)} = {_inline(entry)}" for name, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(entry) for entry in value) + "]"
    return _toml(value)


def _sources(blank: _Blank) -> Iterator[str]:
    for source in _sources_of(blank):
        yield f"# {source.comment}"
        yield "[[sources]]"
        yield f"key = {_toml(source.key)}"
        yield f"title = {_toml(source.title)}  # {MARK}"
        yield f"files = {_toml(list(source.files))}  # {MARK}: * stands for any text within a name"
        yield 'attribution = ""  # as its makers want to be named; published with the dataset'
        yield 'licence = ""  # an SPDX identifier; a share-alike licence binds the dataset above too'
        yield 'url = ""'
        if source.key in ("dem", "earlier", "later"):
            yield '#vertical_datum = "EPSG:3855"  # of its heights; EPSG:5773 is EGM96, EPSG:3855 is EGM2008'
        if source.key in ("earlier", "later"):
            yield "#acquired_start = 2000-02-11  # first and last day of acquisition, as its makers state them;"
            yield "#acquired_end = 2000-02-22  # the day that rates count from is a setting below"
        yield ""
    if blank.kind == "elevation_change":
        yield "# Of more than two DEMs: a source each, named as you like, with its days and vertical datum there, and"
        yield "# [[pairs]]"
        yield '# earlier = "dem_2000"'
        yield '# later = "dem_2010"'
        yield '# outlines = ["outlines_2000", "outlines_2010"]  # sources, the earliest epoch first'
        yield "# for each two that are to be differenced; each pair becomes an item of the collection."
        yield ""


def _sources_of(blank: _Blank) -> tuple[_Source, ...]:
    if blank.kind == "mass_balance":
        return (
            _Source(
                "workbook", "Field workbook", (workbook_name(blank.name),), "The workbook that init wrote with this."
            ),
            _Source("dem", "Elevation model", ("dem.tif",), "An elevation model that holds the glacier."),
            _Source(
                "outline",
                "Glacier outline",
                ("outline.gpkg",),
                "The glacier's outline: one GeoPackage, GeoJSON or shapefile (its .shp).",
            ),
        )
    fetched = '"*.hgt" (SRTM V3) and "*_FABDEM_V1-2.tif" are tiles that `fetch inputs` can get.'
    return (
        _Source("earlier", "Earlier DEM", ("earlier/*.tif",), f"One file or tiles. {fetched}"),
        _Source("later", "Later DEM", ("later/*.tif",), "One file or tiles."),
        _Source(
            "outlines",
            "Glacier outlines",
            ("outlines/*.shp",),
            "Of one or more epochs. `fetch inputs` can get a region of the Randolph Glacier Inventory 7.0, by name: "
            '"outlines/RGI2000-v7.0-G-13_central_asia.shp".',
        ),
    )


def _gates(blank: _Blank) -> Iterator[str]:
    yield "# What the description promises of its quality; computed at every build, and published as passed or failed."
    yield "[[gates]]"
    if blank.kind == "elevation_change":
        yield 'name = "off-glacier bias"'
        yield 'measure = "abs_mean_stable_dh"'
        yield f"limit = 1.0  # {MARK}"
        yield 'unit = "m"'
        yield 'meaning = "absolute mean of the elevation difference over stable, non-glacierised terrain"'
    else:
        yield 'name = "uncertainty of the glacier-wide balance"'
        yield 'measure = "sigma_annual_balance"'
        yield f"limit = 300.0  # {MARK}"
        yield 'unit = "kg m-2 a-1"'
        yield 'meaning = "standard deviation of the glacier-wide annual balance of each mass-balance year"'
    yield ""


def _processing(blank: _Blank) -> Iterator[str]:
    yield "# Every setting with its default; take the # away to change one."
    yield "[processing]"
    for name, setting in _SETTINGS[blank.kind].model_fields.items():
        yield f"# {setting.description}"
        default = "(none)" if setting.default is None else _toml(setting.default)
        yield f"#{name} = {default}"


def _mark(head: str, text: str, *, neutral: str = "") -> str:
    return f"{head}{_toml(text)}" if text else f"{head}{_toml(neutral)}  # {MARK}"


def _toml(value: Any) -> str:
    """A TOML value; a text of several lines stands in several lines."""
    if isinstance(value, str) and "\n" in value.strip("\n"):
        lines = value.replace("\r\n", "\n").split("\n")
        return '"""\\\n' + "\n".join(_toml(line)[1:-1] for line in lines) + '"""'
    # JSON's escapes are among TOML's; only DEL must be escaped there and need not here
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


# --- from a record of the portal ---------------------------------------------------------------------------------


def _from_record(record: PortalRecord, name: str, kind: Kind) -> _Blank:
    corners = record.corners
    title = record.titles
    stated, null = record.stated()
    return _Blank(
        name=name,
        kind=kind,
        title=title if title[0] else (title[1], title[1]) if title[1] else None,
        doi=record.doi,
        cstr=record.cstr,
        published=record.published,
        portal=(stated, null, record.beside()),
        original=_original_of(record),
        keywords=_keywords_of(record),
        reading={key: record.in_both(source) for key, source in _RECORD_READING.items()},
        notes=tuple(f"portal record: {defect}" for defect in record.defects if not is_of_markup(defect)),
        extent=(corners.west, corners.south, corners.east, corners.north) if corners else None,
        extent_origin="source" if corners and corners.stated else "filled",
        extent_basis="the record's corners, put in order" if corners else FILLED_BY_INIT,
        period=(record.start, record.end),
        altitude=record.altitude,
        contact=_contact_of(record),
        project=_project_of(record),
    )


_RECORD_READING = {
    "description": "ds_abstract",
    "data_source": "ds_source",
    "processing_method": "ds_process_way",
    "data_quality": "ds_quality",
    "collect_place": "ds_acq_place",
    "data_format": "ds_format",
}
_RECORD_ORIGINAL = {
    **_RECORD_READING,
    "data_size": "ds_total_size",
    "coordinate_system": "ds_coordinate",
    "projection": "ds_projection",
    "north": "ds_acq_lat_north",
    "west": "ds_acq_lon_west",
    "east": "ds_acq_lon_east",
    "south": "ds_acq_lat_south",
    "contacts": "ds_serv_man",
    "phone": "ds_serv_phone",
    "mailbox": "ds_serv_mail",
    "citation_intro": "ds_ref_instruction",
    "citation": "ds_ref_way",
}


def _original_of(record: PortalRecord) -> dict[str, str]:
    original = {key: record.clean(source) for key, source in _RECORD_ORIGINAL.items()}
    original["collect_time"] = _span(record, "ds_acq_start_time", "ds_acq_end_time", " - ")
    original["altitude"] = _span(record, "ds_acq_alt_low", "ds_acq_alt_high", " - ")
    original["contributors"] = ", ".join(record.names("ds_contributors"))
    original["author"] = ", ".join(record.names("ds_meta_authors"))
    original["manager"] = ", ".join(record.names("ds_managers"))
    project = _project_of(record)
    if project:
        original["project_number"], original["project_name"] = project
    return original


def _span(record: PortalRecord, first: str, last: str, between: str) -> str:
    return between.join(text for text in (record.text(first), record.text(last)) if text)


def _keywords_of(record: PortalRecord) -> dict[str, tuple[str, ...]]:
    tags = {"theme": "ds_topic_tags", "subject": "ds_subject_tags", "time": "ds_time_tags", "place": "ds_locus_tags"}
    return {kind: record.names(field) for kind, field in tags.items()}


def _contact_of(record: PortalRecord) -> tuple[str, str, str] | None:
    name = record.clean("ds_serv_man")
    email = record.clean("ds_serv_mail")
    return (name, record.clean("ds_serv_phone"), email if _EMAIL.fullmatch(email) else "") if name else None


def _project_of(record: PortalRecord) -> tuple[str, str] | None:
    """Number and name of the first project that the record names, whatever the portal calls the two."""
    projects = record.raw.get("ds_projects")
    first: Any = projects[0] if isinstance(projects, Sequence) and not isinstance(projects, str) and projects else None
    if not isinstance(first, dict):
        names = record.names("ds_projects")
        return ("", names[0]) if names else None
    number = next(filter(None, (visible_text(first.get(key)) for key in ("number", "code", "project_number"))), "")
    named = next(filter(None, (visible_text(first.get(key)) for key in ("name", "title", "project_name"))), "")
    return (number, named) if number or named else None
