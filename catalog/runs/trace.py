"""Where a number comes from: from a balance of the whole glacier back to the cells in which its readings were typed.

Works on the published tables alone, of an archive or of a ``balance`` run; numbers are shown as they stand there.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from catalog.archive import MANIFEST_JSON, SUMMARY_JSON, TABLES
from catalog.formats import text_of_csv
from catalog.tables import USED_PERIODS, used_points
from schemas.errors import BadInput
from schemas.input_files import read_plain_file, require_plain_file

# of a table or statement that is read whole
MOST_BYTES = 500_000_000
_DAMAGED = "`validate` tells what is damaged"
PERIODS = ("annual", "winter", "summer")
_BALANCES = "glacier_balances"
# columns of a reading, pit or probing that say what was read; the rest are keys and places
_MEASURED = (
    "exposed_m",
    "stake_length_m",
    "snow_depth_m",
    "snow_density_kg_m3",
    "swe_m_we",
    "superimposed_ice_m",
    "tilt_deg",
    "surface",
    "status",
    "floor",
    "remarks",
)


@dataclass(frozen=True)
class Record:
    """A record of a published table: its cells as text, empty where missing, and its file and line."""

    cells: Mapping[str, str]
    file: str
    line: int

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name) or ""

    def number(self, name: str) -> float:
        """The cell as a number.

        Errors
        ------
        BadInput : a cell that holds none.
        """
        try:
            return float(self[name])
        except ValueError:
            raise BadInput(f"{self.place}: {name}", repr(self[name][:60]), "a number", _DAMAGED) from None

    @property
    def place(self) -> str:
        """File and line, as editors spell it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class PublishedTables:
    """The tables of one glacier.

    Attributes
    ----------
    where : their folder, for messages.
    records : name of the table -> its records.
    inputs : input files that the manifest names for them.
    method : method of the published balance, where the settings are stated; empty elsewhere.
    """

    where: str
    records: Mapping[str, tuple[Record, ...]]
    inputs: tuple[str, ...] = ()
    method: str = ""

    def of(self, name: str) -> tuple[Record, ...]:
        """The records of a table; none where it was not published."""
        return self.records.get(name, ())

    @cached_property
    def readings(self) -> dict[str, Record]:
        """Stake readings by their identifier, stake/leg/date."""
        return {"/".join((r["stake_id"], r["leg"], r["date"])): r for r in self.of("readings")}

    @cached_property
    def pits(self) -> dict[str, Record]:
        """Snow pits by their identifier."""
        return {record["pit_id"]: record for record in self.of("snow_pits")}

    @cached_property
    def layers(self) -> dict[str, list[Record]]:
        """Layers by pit, from the surface down as they are published."""
        by_pit: dict[str, list[Record]] = {}
        for record in self.of("pit_layers"):
            by_pit.setdefault(record["pit_id"], []).append(record)
        return by_pit

    @cached_property
    def probings(self) -> dict[str, Record]:
        """Probings by their identifier."""
        return {record["probing_id"]: record for record in self.of("probings")}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step back: what it is, its value, where it stands, further facts, and what it was made of."""

    what: str
    value: str = ""
    stands: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    made_of: tuple[Step, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "what": self.what,
            "value": self.value,
            "stands": self.stands,
            "facts": dict(self.facts),
            "made_of": [step.to_dict() for step in self.made_of],
        }

    def lines(self) -> Iterator[str]:
        """The tree for people, one line a step."""
        yield self._line()
        yield from self._branches("")

    def _line(self) -> str:
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        text = " ".join(part for part in (self.what, self.value, f"({facts})" if facts else "") if part)
        return f"{text}  [{self.stands}]" if self.stands else text

    def _branches(self, indent: str) -> Iterator[str]:
        for number, step in enumerate(self.made_of, start=1):
            last = number == len(self.made_of)
            yield f"{indent}{'└─' if last else '├─'} {step._line()}"
            yield from step._branches(indent + ("   " if last else "│  "))


def read_published_tables(place: Path, collection: str | None = None) -> PublishedTables:
    """The tables of an archive's mass-balance collection, or of the folder of a ``balance`` run.

    Errors
    ------
    BadInput : no such folder, no table of glacier-wide balances in it, or several collections that have one.
    """
    if not place.is_dir():
        raise BadInput(str(place), "no such folder", "an archive, or the output folder of a balance")
    folders = {path.parent.parent for path in place.glob(f"{TABLES}/{_BALANCES}.csv")}
    folders |= {path.parent.parent for path in place.glob(f"*/{TABLES}/{_BALANCES}.csv")}
    chosen = sorted(folder for folder in folders if collection is None or folder.name == collection)
    if not chosen:
        what = f"no collection {collection!r}" if collection and folders else f"no {TABLES}/{_BALANCES}.csv"
        raise BadInput(str(place), what, "an archive with a mass balance, or the output folder of a balance")
    if len(chosen) > 1:
        names = ", ".join(folder.name for folder in chosen)
        raise BadInput(str(place), f"several mass balances: {names}", "one", "name it with --collection")
    folder = chosen[0]
    records = {path.stem: tuple(_read(path)) for path in sorted((folder / TABLES).glob("*.csv"))}
    stated = _statement_of(place, folder)
    method = str(stated.get("settings", {}).get("primary_method", ""))
    return PublishedTables(str(folder), records, _names_of(stated.get("inputs")), method)


def trace_balance(tables: PublishedTables, year: int, period: str = "annual") -> Step:
    """The balance of a year back to the readings: balance -> methods -> zones -> points -> readings -> cells.

    Zones hold the points that lie in them. A summer balance is what annual and winter balance leave, and is traced to
    both. A year of published bands ends at the bands.

    Errors
    ------
    BadInput : a period that is none, a year without such a balance.
    """
    if period not in PERIODS:
        raise BadInput("--period", repr(period), f"one of {', '.join(PERIODS)}")
    record = _record_of(tables, year, period)
    if period == "summer":
        parts = tuple(trace_balance(tables, year, part) for part in USED_PERIODS)
        return _root(tables, record, period, {"made": "annual minus winter balance"}, parts)
    points = _points_of(tables, year, period)
    zones = tuple(_zones(tables, year, period, points))
    if period == "winter":
        return _root(tables, record, period, {}, zones)
    methods = tuple(_methods(record, tables.method))
    return _root(tables, record, period, {}, (*methods, *zones, *_filled_points(tables, year)))


# --- the glacier -------------------------------------------------------------------------------------------------


def _record_of(tables: PublishedTables, year: int, period: str) -> Record:
    records = tables.of(_BALANCES)
    column = f"{period}_balance_m_we"
    with_balance = [record["year"] for record in records if record[column]]
    chosen = [record for record in records if record["year"] == str(year) and record[column]]
    if not chosen:
        years = ", ".join(with_balance) or "none"
        raise BadInput(tables.where, f"no {period} balance of {year}", f"a year that has one: {years}")
    return chosen[0]


def _root(
    tables: PublishedTables, record: Record, period: str, facts: Mapping[str, str], made_of: tuple[Step, ...]
) -> Step:
    known = {
        "glacier": record["glacier_id"],
        "from": record["midseason_date"] if period == "summer" else record["begin_date"],
        "to": record["midseason_date"] if period == "winter" else record["end_date"],
        "time system": record["time_system"],
        "provenance": record["provenance"],
        "flags": record["flags"],
        "inputs": ", ".join(tables.inputs),
        **facts,
    }
    value = _measured(record[f"{period}_balance_m_we"], record[f"sigma_{period}_m_we"])
    what = f"{period} balance {record['year']} of the whole glacier:"
    return Step(what=what, value=value, stands=record.place, facts=_stated(known), made_of=made_of)


def _methods(record: Record, primary: str) -> Iterator[Step]:
    """Every method's balance; the method of the settings is called the published one where its value is."""
    columns = [name for name in record.cells if name.endswith("_balance_m_we") and record[name]]
    values = {name.removesuffix("_balance_m_we"): record[name] for name in columns}
    published = record["annual_balance_m_we"]
    for name, value in values.items():
        if name not in PERIODS:
            is_published = name == primary and value == published
            yield Step(what=f"method {name}{', the published one' if is_published else ''}:", value=_measured(value))


# --- zones and points --------------------------------------------------------------------------------------------


def _zones(tables: PublishedTables, year: int, period: str, points: Sequence[tuple[Record, bool]]) -> Iterator[Step]:
    zones = sorted(
        (zone for zone in tables.of("zone_balances") if zone["year"] == str(year)),
        key=lambda zone: zone.number("lower_m"),
    )
    held: set[str] = set()
    for number, zone in enumerate(zones, start=1):
        inside = [entry for entry in points if _lies_in(entry[0], zone, number == len(zones))]
        held |= {record.place for record, _ in inside}
        yield _zone(tables, zone, period, inside)
    outside = tuple(_point(tables, record, used) for record, used in points if record.place not in held)
    if outside:
        yield Step(what="points outside the zones" if zones else "points", made_of=outside)


def _zone(tables: PublishedTables, zone: Record, period: str, inside: Sequence[tuple[Record, bool]]) -> Step:
    facts = _stated({"area": f"{zone['area_km2']} km2", "basis": zone["basis"]})
    return Step(
        what=f"zone {zone['lower_m']} to {zone['upper_m']} m:",
        value=_measured(zone[f"{period}_balance_m_we"], zone[f"sigma_{period}_m_we"]),
        stands=zone.place,
        facts=facts,
        made_of=tuple(_point(tables, record, used) for record, used in inside),
    )


def _lies_in(point: Record, zone: Record, is_highest: bool) -> bool:
    """Whether a point's elevation is in a zone; each edge belongs to the zone above it, the highest to its own."""
    if not point["elevation_m"]:
        return False
    elevation, lower, upper = point.number("elevation_m"), zone.number("lower_m"), zone.number("upper_m")
    return lower <= elevation < upper or (is_highest and elevation == upper)


def _points_of(tables: PublishedTables, year: int, period: str) -> list[tuple[Record, bool]]:
    """The point balances of a year and period, with whether each entered the glacier's balance."""
    chosen = [p for p in tables.of("point_balances") if p["year"] == str(year) and p["period"] == period]
    beside = {pit["pit_id"]: pit["stake_id"] or None for pit in tables.of("snow_pits")}
    records = [{**point.cells, "used": _truth(point["used"])} for point in chosen]
    return list(zip(chosen, used_points(records, beside, {(str(year), period)}), strict=True))


def _point(tables: PublishedTables, point: Record, used: bool) -> Step:
    facts = {
        "from": point["begin_date"],
        "to": point["end_date"],
        "elevation": f"{point['elevation_m']} m" if point["elevation_m"] else "",
        "flags": point["flags"],
        "not used in": "" if used else "the glacier's balance",
        "typed in": f"sheet {point['source_sheet']}, {point['source_cell']}" if point["source_cell"] else "",
    }
    bound = "at most " if point["bound"] == "<=" else ""
    value = bound + _measured(point["balance_m_we"], point["sigma_balance_m_we"])
    readings = tuple(_reading(tables, key) for key in point["readings"].split(";") if key)
    return Step(
        what=f"{point['kind']} {point['point_id']}:",
        value=value,
        stands=point.place,
        facts=_stated(facts),
        made_of=readings,
    )


def _filled_points(tables: PublishedTables, year: int) -> Iterator[Step]:
    """Stakes without a reading that year, whose balance a model filled: they end at the model's terms."""
    points = tuple(_filled_point(point) for point in tables.of("filled_balances") if point["year"] == str(year))
    if points:
        yield Step(what="points filled by the linear model of stakes and years", made_of=points)


def _filled_point(point: Record) -> Step:
    terms = {name: point[f"{name}_term_m_we"] for name in ("stake", "year")}
    facts = {
        **{f"{name} term": _measured(value) for name, value in terms.items() if value},
        "from": f"{point['n_stakes']} stakes observed that year" if point["n_stakes"] else "",
        "not used in": "the glacier's balance" if point["used"] == "false" else "",
    }
    value = _measured(point["balance_m_we"], point["sigma_balance_m_we"])
    return Step(what=f"stake {point['point_id']}:", value=value, stands=point.place, facts=_stated(facts))


# --- readings and cells ------------------------------------------------------------------------------------------


def _reading(tables: PublishedTables, key: str) -> Step:
    """What stands behind an identifier: a stake reading ``stake/leg/date``, a pit with its layers, or a probing."""
    if reading := tables.readings.get(key):
        return _typed(reading, f"reading {key}")
    if pit := tables.pits.get(key):
        layers = tuple(_layer(layer) for layer in tables.layers.get(key, ()))
        return _typed(pit, f"pit {key}, {pit['date']}", layers)
    if probing := tables.probings.get(key):
        return _typed(probing, f"probing {key}, {probing['date']}")
    return Step(what=f"{key}, not among the published readings, pits and probings")


def _layer(layer: Record) -> Step:
    return _typed(
        layer, f"layer {layer['layer']}, {layer['top_m']} to {layer['bottom_m']} m, {layer['density_kg_m3']} kg m-3"
    )


def _typed(record: Record, what: str, made_of: tuple[Step, ...] = ()) -> Step:
    """A record with what was read, and the sheet and cells in which it was typed where they are recorded."""
    cell = f"sheet {record['source_sheet']}, {record['source_cell']}" if record["source_cell"] else "cells not recorded"
    facts = {**{name: record[name] for name in _MEASURED}, "typed in": cell}
    return Step(what=what, value="", stands=record.place, facts=_stated(facts), made_of=made_of)


# --- reading the tables ------------------------------------------------------------------------------------------


def _read(path: Path) -> Iterator[Record]:
    try:
        yield from _records(path)
    except (csv.Error, UnicodeDecodeError, OSError) as error:
        raise BadInput(str(path), f"no readable table ({error})", "a CSV file as this software writes it") from None


def _records(path: Path) -> Iterator[Record]:
    require_plain_file(path, str(path), "a CSV file as this software writes it", MOST_BYTES)
    with path.open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        header = next(reader, [])
        line = reader.line_num + 1
        for row in reader:
            if len(row) != len(header):
                raise BadInput(f"{path}:{line}", f"{len(row)} cells", f"{len(header)}, as the header has")
            yield Record(
                {name: text_of_csv(cell) for name, cell in zip(header, row, strict=True)},
                f"{TABLES}/{path.name}",
                line,
            )
            line = reader.line_num + 1


def _statement_of(place: Path, folder: Path) -> dict[str, Any]:
    """Inputs and settings of the tables: the manifest's entry of the collection, or the summary of a balance run."""
    for path in (place / MANIFEST_JSON, folder / SUMMARY_JSON):
        if not path.exists():
            continue
        written = read_plain_file(path, str(path), "a file as this software writes it", MOST_BYTES)
        try:
            content = json.loads(written)
        except (ValueError, RecursionError):  # RecursionError: brackets nested without end
            raise BadInput(str(path), "no JSON", "a file as this software writes it") from None
        for entry in _entries_of(content):
            if isinstance(entry.get("settings"), dict) and entry.get("id", folder.name) == folder.name:
                return entry
    return {}


def _entries_of(content: Any) -> list[dict[str, Any]]:
    """What a statement says of its run or of each collection; whatever is no object is passed over."""
    if not isinstance(content, dict):
        return []
    datasets = content.get("datasets")
    entries = [content, *(datasets if isinstance(datasets, list) else ())]
    return [entry for entry in entries if isinstance(entry, dict)]


def _names_of(inputs: Any) -> tuple[str, ...]:
    """Names of the input files, where the statement has a list of them."""
    entries = inputs if isinstance(inputs, list) else ()
    return tuple(str(entry["name"]) for entry in entries if isinstance(entry, dict) and "name" in entry)


def _measured(value: str, sigma: str = "") -> str:
    if not value:
        return "none"
    sign = "" if value.startswith("-") else "+"
    return f"{sign}{value}{f' ± {sigma}' if sigma else ''} m w.e."


def _truth(text: str) -> bool | None:
    return {"true": True, "false": False}.get(text)


def _stated(facts: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in facts.items() if value}
