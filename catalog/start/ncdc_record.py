"""A record as the data centre's portal exports it, read with its defects named instead of passed on."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite
from pathlib import Path
from typing import Any

from schemas.definition import PORTAL_FIELDS, PORTAL_TEXTS, shows_something
from schemas.errors import BadInput
from schemas.input_files import read_plain_file

# of one record; those of the portal have some 20 kB
MOST_BYTES = 20_000_000
_TEXTS = ("title_cn", "title_en", "ds_abstract", "ds_source", "ds_process_way", "ds_quality", "ds_acq_place")
_TIMES = ("created", "updated", "ds_acq_start_time", "ds_acq_end_time", "publish_time", "last_updated")
_CORNERS = {
    "west": "ds_acq_lon_west",
    "south": "ds_acq_lat_south",
    "east": "ds_acq_lon_east",
    "north": "ds_acq_lat_north",
}
_MARKUP = "HTML in text"
_NAME_KEYS = ("name", "name_en", "name_cn", "title", "title_en", "title_cn")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_BREAK = re.compile(r"<\s*(?:br|/?p|/?div|/?li|/?tr)\b[^<>]*>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:[a-zA-Z]+|#\d+|#x[0-9a-fA-F]+);")
_CONTROL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_YEAR = re.compile(r"(?<!\d)(1[89]\d\d|20\d\d)(?!\d)")
_CJK = re.compile("[\u4e00-\u9fff]")
CSTR = re.compile(r"[^\s<>\"]+")
_DOI = re.compile(r"10\.\d{4,9}/\S+")


@dataclass(frozen=True, kw_only=True)
class Corners:
    """Bounding box in degrees, in order; ``stated`` tells whether the record gives it so."""

    west: float
    south: float
    east: float
    north: float
    stated: bool


@dataclass(frozen=True, kw_only=True)
class PortalRecord:
    """What a record says, made usable, and what is wrong with it.

    Attributes
    ----------
    raw : the fields as they stand.
    corners : None where the record has none that can be used.
    start, end : first and last day, None where it has none that can be read.
    altitude : lowest and highest (m), None likewise.
    defects : one line each: field, what was found, what was done.
    """

    raw: Mapping[str, Any]
    corners: Corners | None
    start: date | None
    end: date | None
    altitude: tuple[float, float] | None
    doi: str
    defects: tuple[str, ...]

    def text(self, field: str) -> str:
        """A text field as it stands, without control characters; empty where it is null or blank."""
        return visible_text(self.raw.get(field))

    def clean(self, field: str) -> str:
        """A text field without markup."""
        return visible_text(without_markup(self.text(field)))

    def names(self, field: str) -> tuple[str, ...]:
        """A field that lists people, keywords or projects, in whatever form the portal gives it."""
        return _names(self.raw.get(field))

    def in_both(self, field: str) -> tuple[str, str]:
        """A text in English and Chinese, from the main field and from ``i18n``, without markup."""
        main = self.clean(field)
        other = {code: visible_text(without_markup(visible_text(said.get(field)))) for code, said in self._spoken()}
        english, chinese = other.get("en", ""), other.get("zh", "")
        declared = str(self.raw.get("lang") or "").lower()
        if not main:
            return english, chinese
        if is_chinese(main) and not (declared == "en" and is_chinese(english)):
            return english, main
        if declared.startswith(("zh", "cn")) and english:
            return english, main
        return main, chinese

    @property
    def titles(self) -> tuple[str, str]:
        """The title in English and Chinese; where its field is empty, from ``i18n``."""
        other = {code: visible_text(without_markup(visible_text(said.get("title")))) for code, said in self._spoken()}
        return self.clean("title_en") or other.get("en", ""), self.clean("title_cn") or other.get("zh", "")

    def beside(self) -> dict[str, dict[str, Any]]:
        """What ``i18n`` says besides titles and texts of the two languages, without nulls and markup."""
        held = {"title", *PORTAL_TEXTS}
        spoken = {
            code: {name: _tidy(value) for name, value in said.items() if not _is_null(value) and name not in held}
            if code in ("en", "zh")
            else {name: _tidy(value) for name, value in said.items() if not _is_null(value)}
            for code, said in self._spoken()
        }
        return {code: said for code, said in spoken.items() if said}

    def _spoken(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The languages of ``i18n``, by code."""
        spoken = self.raw.get("i18n")
        if not isinstance(spoken, Mapping):
            return []
        codes = {"zh-cn": "zh", "cn": "zh", "zh_cn": "zh"}
        return [
            (codes.get(str(code).lower(), str(code).lower()), said)
            for code, said in spoken.items()
            if isinstance(said, Mapping)
        ]

    def stated(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """The fields besides titles and texts, without markup; and the names of those that are null or missing."""
        held = {"title_cn", "title_en", "i18n", *PORTAL_TEXTS}
        fields = {name: _tidy(value) for name, value in self.raw.items() if not _is_null(value) and name not in held}
        null = tuple(name for name in PORTAL_FIELDS if name not in held and _is_null(self.raw.get(name)))
        return fields, null

    @property
    def published(self) -> date | None:
        """The day of publication, None where the record has none that can be read."""
        try:
            return datetime.fromisoformat(str(self.raw.get("publish_time")).strip().replace("/", "-")).date()
        except ValueError:
            return None

    @property
    def cstr(self) -> str:
        """The CSTR as it stands, its letters in either case; empty where there is none that can be copied."""
        text = self.clean("cstr").strip()
        return text if CSTR.fullmatch(text) else ""

    @property
    def is_mass_balance(self) -> bool:
        """Whether the titles or the abstract speak of a mass balance."""
        words = " ".join(self.text(field) for field in ("title_en", "title_cn", "ds_abstract")).lower()
        return any(word in words for word in ("mass balance", "material balance", "物质平衡", "质量平衡"))


def read_portal_record(path: Path) -> PortalRecord:
    """Read one exported record.

    Errors
    ------
    BadInput : no such file, no JSON, no record of the portal.
    """
    content = read_plain_file(path, str(path), "a record exported from the portal (JSON)", MOST_BYTES)
    try:
        raw = json.loads(content, object_pairs_hook=_without_repeats)
    except (ValueError, RecursionError) as error:  # wrong JSON, wrong UTF-8
        raise BadInput(str(path), f"no JSON ({error})", "a record exported from the portal (JSON)") from None
    if not isinstance(raw, dict) or not any(raw.get(field) for field in ("title_en", "title_cn", "ds_abstract")):
        raise BadInput(
            str(path),
            "no title_en, title_cn or ds_abstract",
            "a record of the portal",
            "export it from the dataset's page",
        )
    return parse_portal_record(raw)


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    repeated = next((key for key, count in Counter(key for key, _ in pairs).items() if count > 1), None)
    if repeated is not None:
        raise ValueError(f"the key {repeated!r} more than once")
    return dict(pairs)


def parse_portal_record(raw: Mapping[str, Any]) -> PortalRecord:
    """Make a record usable, noting every defect in the order of the fields."""
    defects: list[str] = []
    _note_markup(raw, defects)
    corners = _corners(raw, defects)
    start, end = _period(raw, defects)
    _note_years(raw, start, end, defects)
    altitude = _altitude(raw, defects)
    doi = _doi(raw, defects)
    return PortalRecord(
        raw=raw, corners=corners, start=start, end=end, altitude=altitude, doi=doi, defects=tuple(defects)
    )


def without_markup(text: str) -> str:
    """Text without tags and entities; paragraphs and breaks become line ends."""
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = html.unescape(text).replace("\u2003", " ").replace("\xa0", " ")
    lines = (re.sub(r"[ \t]+", " ", line).strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def is_of_markup(defect: str) -> bool:
    """Whether a defect is the portal's markup, which says nothing of the dataset."""
    return _MARKUP in defect


def is_chinese(text: str) -> bool:
    """Whether the text holds Chinese characters."""
    return bool(_CJK.search(text))


def _note_markup(raw: Mapping[str, Any], defects: list[str]) -> None:
    for field in _TEXTS:
        text = str(raw.get(field) or "")
        markup = _TAG.findall(text)[:1] + _ENTITY.findall(text)[:1]
        if markup:
            defects.append(f"{field}: {_MARKUP} ({', '.join(markup)}); removed")
        if bad := _CONTROL.search(text):
            defects.append(f"{field}: control character {bad.group()!r}; removed")
        if field not in ("title_cn", "title_en", "ds_acq_place") and not text.strip():
            defects.append(f"{field}: empty; left blank")


def _corners(raw: Mapping[str, Any], defects: list[str]) -> Corners | None:
    values = {side: _number(raw.get(field)) for side, field in _CORNERS.items()}
    missing = [_CORNERS[side] for side, value in values.items() if value is None]
    if missing:
        defects.append(f"{', '.join(missing)}: null or no number; the extent is left to be filled in")
        return None
    west, south, east, north = (float(value) for value in values.values() if value is not None)
    outside = abs(west) > 180 or abs(east) > 180 or abs(south) > 90 or abs(north) > 90
    if outside or south == north or west == east:
        box = f"west {west:g}, south {south:g}, east {east:g}, north {north:g}"
        defects.append(f"corners: {box} are no box on the globe; the extent is left to be filled in")
        return None
    if west > east:
        defects.append(f"ds_acq_lon_west {west:g}, ds_acq_lon_east {east:g}: swapped; put in order")
    if south > north:
        defects.append(f"ds_acq_lat_south {south:g}, ds_acq_lat_north {north:g}: swapped; put in order")
    stated = west < east and south < north
    return Corners(
        west=min(west, east), south=min(south, north), east=max(west, east), north=max(south, north), stated=stated
    )


def _period(raw: Mapping[str, Any], defects: list[str]) -> tuple[date | None, date | None]:
    for field in _TIMES:
        value = raw.get(field)
        if isinstance(value, str) and ":" in value and not re.search(r"(Z|[+-]\d\d:?\d\d)$", value.strip()):
            defects.append(f"{field}: {value!r} has no time zone; read as a day")
    start, end = (_day(raw, field, defects) for field in ("ds_acq_start_time", "ds_acq_end_time"))
    if start and end and end < start:
        defects.append(f"ds_acq_end_time {end}: before ds_acq_start_time {start}; put in order")
        return end, start
    return start, end


def _day(raw: Mapping[str, Any], field: str, defects: list[str]) -> date | None:
    value = raw.get(field)
    if value is None or value == "":
        defects.append(f"{field}: null; left to be filled in")
        return None
    try:
        return datetime.fromisoformat(str(value).strip().replace("/", "-")).date()
    except ValueError:
        defects.append(f"{field}: {str(value)!r} is no date; left to be filled in")
        return None


def _note_years(raw: Mapping[str, Any], start: date | None, end: date | None, defects: list[str]) -> None:
    years = {field: sorted(set(_YEAR.findall(str(raw.get(field) or "")))) for field in ("title_cn", "title_en")}
    if all(years.values()) and years["title_cn"] != years["title_en"]:
        chinese, english = (", ".join(years[field]) for field in ("title_cn", "title_en"))
        defects.append(f"years disagree: title_cn says {chinese}, title_en says {english}; both kept")
    for field, named in years.items():
        beyond = [year for year in named if (start and int(year) < start.year) or (end and int(year) > end.year)]
        if beyond:
            span = f"{start.year if start else '?'}-{end.year if end else '?'}"
            defects.append(f"years disagree: {field} says {', '.join(beyond)}, the acquisition is {span}; both kept")


def _altitude(raw: Mapping[str, Any], defects: list[str]) -> tuple[float, float] | None:
    low, high = _number(raw.get("ds_acq_alt_low")), _number(raw.get("ds_acq_alt_high"))
    if low is None or high is None:
        defects.append("ds_acq_alt_low, ds_acq_alt_high: null; left to be filled in")
        return None
    if low > high:
        defects.append(f"ds_acq_alt_low {low:g}, ds_acq_alt_high {high:g}: swapped; put in order")
    low, high = min(low, high), max(low, high)
    if low == high or low < -500 or high > 9000:
        defects.append(f"ds_acq_alt_low {low:g}, ds_acq_alt_high {high:g}: no range on the globe; left to be filled in")
        return None
    return low, high


def _doi(raw: Mapping[str, Any], defects: list[str]) -> str:
    value = str(raw.get("doi_value") or "").strip()
    if not value:
        return ""
    match = _DOI.search(value)
    if match is None:
        defects.append(f"doi_value: {value!r} is no DOI; left empty")
        return ""
    if match.group() != value:
        defects.append(f"doi_value: {value!r} is not a bare DOI; {match.group()!r} taken")
    return match.group()


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None  # neither infinite nor NaN


def visible_text(value: Any) -> str:
    """A value as text without control characters; empty where it is null or shows nothing."""
    text = "" if value is None else _CONTROL.sub("", str(value)).replace("\r\n", "\n").replace("\r", "\n")
    return text if shows_something(text) else ""


def _is_null(value: Any) -> bool:
    """Whether a value says nothing that TOML could hold: null, or a number that is none."""
    return value is None or (isinstance(value, float) and not isfinite(value))


def _tidy(value: Any) -> Any:
    """A value without markup, control characters and, within lists and tables, nulls."""
    if isinstance(value, str):
        return visible_text(without_markup(visible_text(value)))
    if isinstance(value, Mapping):
        return {str(name): _tidy(entry) for name, entry in value.items() if not _is_null(entry)}
    if isinstance(value, list):
        return [entry for entry in map(_tidy, value) if not _is_null(entry) and entry != ""]
    return value


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        parts = re.split(r"[,;，；、\n]", without_markup(_CONTROL.sub("", value)))
        return tuple(part.strip() for part in parts if shows_something(part))
    if isinstance(value, Mapping):
        named = (visible_text(value.get(key)) for key in _NAME_KEYS)
        return next(((name,) for name in named if name), ())
    if isinstance(value, list | tuple):
        return tuple(name for entry in value for name in _names(entry))
    return (str(value),)
