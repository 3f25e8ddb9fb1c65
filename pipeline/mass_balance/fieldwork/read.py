"""Reads a field workbook, or a folder of CSV files, into typed tables: forgiving in form, strict in meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
from openpyxl.utils import get_column_letter
from pyproj.exceptions import CRSError

from pipeline.grid import FloatArray, is_projected_metres, utm_crs
from pipeline.mass_balance.fieldwork.cells import BadCell, RawSheet
from pipeline.mass_balance.fieldwork.checks import check_tables
from pipeline.mass_balance.fieldwork.doubts import field_doubts
from pipeline.mass_balance.fieldwork.field_files import read_sheets
from pipeline.mass_balance.fieldwork.headers import sheet_key
from pipeline.mass_balance.fieldwork.input_notes import Correction, Doubt, Findings, in_sheet_order, place_of
from pipeline.mass_balance.fieldwork.point_balance_layouts import in_our_layout
from pipeline.mass_balance.fieldwork.positions import (
    along_the_axes,
    moved,
    position_doubts,
    position_errors,
    with_both_positions,
)
from pipeline.mass_balance.fieldwork.records import with_known_names, without_repeats
from pipeline.mass_balance.fieldwork.several_glaciers import GlacierSheets, by_glacier, glacier_meant
from pipeline.mass_balance.fieldwork.several_tables import TablePart, tables_on
from pipeline.mass_balance.fieldwork.typed_sheets import TypedTable, typed_table
from pipeline.mass_balance.fieldwork.wide_sheets import as_long, stake_names, stakes_and_readings, stakes_from_readings
from pipeline.mass_balance.result import GlacierIdentity
from schemas.errors import BadInput, ManyBadInputs
from schemas.tables import POINT_OBSERVATIONS, WORKBOOK, WORKBOOK_SHEETS

_TABLES = {table.name: table for table in WORKBOOK}
_SHEETS = {table.name: table for table in WORKBOOK_SHEETS}
# sheets that are not read and need no note: those of the template, of a marked copy, and what people call them
NOT_DATA = ("read_me", "readme", "example", "errors", "notes_on_the_input", "说明")
_PLACED = ("stakes", "readings", "snow_pits", "probings", "point_balances")
_OBSERVED = ("readings", "snow_pits", "probings", "zone_balances", "point_balances")


@dataclass(frozen=True, kw_only=True)
class FieldData:
    """Everything a field team measured, typed; metres and degrees.

    Attributes
    ----------
    source : name of the workbook or folder.
    glacier : the glacier it is about.
    stakes, readings, snow_pits, pit_layers, probings, hypsometry, zone_balances, point_balances : the columns of the
        table schemas, in order; an absent sheet is an empty frame. Numbers are float (NaN where empty), dates
        ``datetime.date`` or None.
    corrections : where the reading differs from what is typed, in sheet order.
    origins : table name -> sheet and row of each record, for tracing a number back to its cells.
    doubts : what is kept as typed though it looks odd.
    columns : table name -> column name -> the sheet's column letter; with the row of ``origins`` it makes the cell.
    """

    source: str
    glacier: GlacierIdentity
    stakes: pd.DataFrame
    readings: pd.DataFrame
    snow_pits: pd.DataFrame
    pit_layers: pd.DataFrame
    probings: pd.DataFrame
    hypsometry: pd.DataFrame
    zone_balances: pd.DataFrame
    corrections: tuple[Correction, ...]
    origins: Mapping[str, tuple[str, ...]]
    doubts: tuple[Doubt, ...] = ()
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    point_balances: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=list(POINT_OBSERVATIONS.column_names))
    )

    @property
    def positions(self) -> FloatArray:
        """Easting and northing of the stakes, pits and probings that have a position (m), shape (points, 2)."""
        placed = pd.concat(
            [
                frame[["easting", "northing"]]
                for frame in (self.stakes, self.snow_pits, self.probings, self.point_balances)
            ]
        ).to_numpy(float)
        complete: FloatArray = placed[np.isfinite(placed).all(axis=1)]
        return complete

    def sources(self, name: str) -> pd.DataFrame:
        """``source_sheet`` and ``source_cell`` (a range of one row) of each record of a table, in the frame's order."""
        letters = sorted(self.columns.get(name, {}).values(), key=lambda letter: (len(letter), letter))
        rows = [origin.rpartition("!") for origin in self.origins.get(name, ())]
        first, last = (letters[0], letters[-1]) if letters else ("", "")
        cells = [(sheet, f"{first}{row}:{last}{row}") for sheet, _, row in rows]
        return pd.DataFrame(cells, columns=["source_sheet", "source_cell"])


class RefusedFieldData(ManyBadInputs):
    """Every error of a workbook, and what looks odd in it besides: both can be mended in one go.

    Attributes
    ----------
    errors, doubts : in sheet order.
    """

    def __init__(self, errors: list[BadInput], doubts: Sequence[Doubt]) -> None:
        super().__init__(errors)
        self.doubts = tuple(doubts)


def read_field_data(path: Path, *, not_after: date | None = None, glacier: str = "") -> FieldData:
    """Read what a workbook (.xlsx, .xls), or a folder of CSV files that follows the table schemas, has of one glacier.

    ``glacier`` : its identifier or name, needed only where there are several. No clock is read, so what lies in the
    future is said by ``not_after``: the day of publication, or any day after which nothing can have been observed.
    Without it a date far from all others is a doubt.

    Errors
    ------
    RefusedFieldData : every wrong cell at once, each with file, sheet, cell, what was found and what was expected;
        of several glaciers those of the one that is asked for.
    BadInput : no such file, a password-protected or corrupt workbook, an empty folder; several glaciers and none asked
        for, or one that is not among them.
    """
    reading = _read(path, not_after)
    if glacier:
        return _one(reading, reading.only(glacier))
    if len(reading.parts) == 1:
        return _one(reading, reading.parts[0])
    if reading.errors:
        raise RefusedFieldData(reading.errors, reading.doubts)
    names = ", ".join(part.sheets.glacier_id for part in reading.parts)
    raise BadInput(path.name, f"{len(reading.parts)} glaciers: {names}", "one glacier", "say which is meant")


def read_glaciers(path: Path, *, not_after: date | None = None) -> tuple[FieldData, ...]:
    """Read every glacier of a workbook or folder, in the order of its sheet ``glacier``; as ``read_field_data``.

    A glacier of which nothing was observed is left out, and the others' corrections say so.

    Errors
    ------
    RefusedFieldData : the wrong cells of all glaciers.
    BadInput : as ``read_field_data``.
    """
    reading = _read(path, not_after)
    if reading.errors:
        raise RefusedFieldData(reading.errors, reading.doubts)
    return tuple(_one(reading, part) for part in reading.parts)


@dataclass(frozen=True)
class _Part:
    """One glacier of a reading: its sheets, who it is (None where that cannot be read), and what was found of it."""

    sheets: GlacierSheets
    identity: GlacierIdentity | None
    findings: Findings


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """A workbook as read: its glaciers, what was found of them all, who was ``left_out``, and the sheets in order."""

    source: str
    glaciers: TypedTable
    parts: tuple[_Part, ...]
    common: Findings
    left_out: tuple[Correction, ...]
    order: tuple[str, ...]

    @property
    def errors(self) -> list[BadInput]:
        """Those of all glaciers, in sheet order."""
        of_parts = [error for part in self.parts for error in part.findings.errors]
        return _in_order([*self.common.errors, *of_parts], self.order)

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Those of all glaciers."""
        return tuple(
            dict.fromkeys([*self.common.doubts, *(one for part in self.parts for one in part.findings.doubts)])
        )

    def only(self, wanted: str) -> _Part:
        """The glacier of an identifier or name."""
        identifier = glacier_meant(self.glaciers, wanted)
        for part in self.parts:
            if part.sheets.glacier_id == identifier:
                return part
        known = ", ".join(part.sheets.glacier_id for part in self.parts) or "none that can be read"
        lacking = f"no glacier {wanted!r}" if identifier is None else f"no observation of the glacier {wanted!r}"
        raise BadInput(self.source, lacking, f"one of its glaciers: {known}")


def _read(path: Path, not_after: date | None) -> _Reading:
    """Everything that a workbook holds, right or wrong."""
    common = Findings()
    sheets = _sheets_of_tables(read_sheets(path), common)
    typed = {table.name: typed_table(sheets.get(table.name), table, common) for table in WORKBOOK_SHEETS}
    typed["glacier"] = without_repeats(typed["glacier"], common)
    common.errors += _missing_sheets(path.name, typed)
    glaciers = by_glacier(typed, common)
    # rows that are reported may be those of any glacier
    observed = [one for one in glaciers if len(glaciers) == 1 or common.errors or _is_observed(one)]
    left_out = tuple(_unobserved(typed["glacier"], {one.glacier_id for one in glaciers if one not in observed}))
    order = tuple(sheet.name for table in WORKBOOK if (sheet := sheets.get(table.name)) is not None)
    parts = tuple(_settled_part(one, not_after) for one in observed)
    return _Reading(
        source=path.name, glaciers=typed["glacier"], parts=parts, common=common, left_out=left_out, order=order
    )


def _settled_part(sheets: GlacierSheets, not_after: date | None) -> _Part:
    """One glacier's sheets, held against each other."""
    findings = Findings()
    typed = _settled(sheets.tables, findings)
    findings.errors += check_tables(typed, not_after)
    identity = _identity(typed["glacier"], findings)
    if identity is not None:
        for name in _PLACED:
            typed[name] = along_the_axes(typed[name], identity, findings)
            findings.errors += position_errors(typed[name], identity)
            findings.doubts += position_doubts(typed[name], identity)
        moved(typed["readings"], typed["stakes"], identity.crs, findings)
    findings.doubts += field_doubts(typed)
    return _Part(replace(sheets, tables=typed), identity, findings)


def _one(reading: _Reading, part: _Part) -> FieldData:
    """What was read of one glacier, with the notes that concern it; refused with those of its errors."""
    common, own = reading.common, part.findings
    errors = [one for one in common.errors if not isinstance(one, BadCell) or part.sheets.concerns(one.sheet, one.cell)]
    doubts = [one for one in common.doubts if part.sheets.concerns(one.sheet, one.cell)]
    if errors or own.errors or part.identity is None:
        raise RefusedFieldData(_in_order([*errors, *own.errors], reading.order), [*doubts, *own.doubts])
    corrections = [one for one in common.corrections if part.sheets.concerns(one.sheet, one.cell)]
    notes = Findings([], [*reading.left_out, *corrections, *own.corrections], [*doubts, *own.doubts])
    return _field_data(reading.source, part.identity, part.sheets.tables, notes, reading.order)


def _is_observed(sheets: GlacierSheets) -> bool:
    return any(not sheets.tables[name].frame.empty for name in _OBSERVED)


def _unobserved(glaciers: TypedTable, names: set[str]) -> Iterable[Correction]:
    """A note on each glacier of which the workbook has no observation."""
    for record, name in enumerate(glaciers.frame["glacier_id"]):
        if name in names:
            glacier = f"glacier {name} without reading, pit, probing or band"
            yield Correction(glaciers.sheet_name, glaciers.cell(record, "glacier_id"), glacier, "left out")


def _sheets_of_tables(raw: Sequence[RawSheet], findings: Findings) -> dict[str, RawSheet]:
    """The sheet of each table; two for one are refused, others noted as left out.

    Sheets that name their table go first; of the others a header row tells it.
    """
    sheets: dict[str, RawSheet] = {}
    read = [sheet for sheet in raw if sheet_key(sheet.name) not in NOT_DATA and any(sheet.rows)]
    empty = [sheet for sheet in raw if sheet_key(sheet.name) in _TABLES and not any(sheet.rows)]
    parts = [(sheet, _tables_of(sheet, findings)) for sheet in read]
    parts += [(sheet, [TablePart(sheet_key(sheet.name), sheet, named=True)]) for sheet in empty]
    for sheet, part in ((sheet, part) for sheet, own in parts for part in own if part.named):
        _take(part, sheet, sheets, findings)
    stated = set(sheets)
    for sheet, own in parts:
        used = [part for part in own if not part.named and part.table not in stated]
        for part in used:
            findings.corrections.append(
                Correction(sheet.name, "", f"a table of {part.table}", "taken as such by its header row")
            )
            _take(part, sheet, sheets, findings)
        if not used and not any(part.named for part in own):
            findings.corrections.append(Correction(sheet.name, "", "a sheet that names no table", "left out"))
    return _as_records(sheets)


def _tables_of(sheet: RawSheet, findings: Findings) -> list[TablePart]:
    """The tables of a sheet; point balances in our layout, whoever published them."""
    key = sheet_key(sheet.name)
    if key != POINT_OBSERVATIONS.name:
        return tables_on(sheet, key, _SHEETS)
    own, notes = in_our_layout(sheet)
    findings.corrections += notes
    return [TablePart(key, own, named=True)]


def _take(part: TablePart, sheet: RawSheet, sheets: dict[str, RawSheet], findings: Findings) -> None:
    """The sheet of a table, or the error that it has two."""
    if part.table not in sheets:
        sheets[part.table] = part.sheet
        return
    repeated = f"a second sheet of {part.table}, beside {sheets[part.table].name!r}"
    findings.errors.append(BadCell(sheet, "", repeated, "one sheet a table", "join them, or rename one"))


def _as_records(sheets: dict[str, RawSheet]) -> dict[str, RawSheet]:
    """The sheets with one record a row where dates, years or stakes are heads of columns, and stakes from readings."""
    if "readings" not in sheets and "stakes" in sheets:
        both = stakes_and_readings(sheets["stakes"])
        if both is not None:
            return {**sheets, "stakes": both[0], "readings": both[1]}
    names = stake_names(sheets.get("stakes"))
    long = {name: as_long(sheet, _SHEETS[name], names) for name, sheet in sheets.items()}
    if "readings" in sheets and "stakes" not in sheets:
        stakes = stakes_from_readings(sheets["readings"])
        if stakes is not None:
            long["stakes"] = stakes
    return long


def _settled(tables: Mapping[str, TypedTable], findings: Findings) -> dict[str, TypedTable]:
    """The tables with names that point at each other spelled alike, and each record once."""
    typed = dict(tables)
    for name, column, target in (
        ("readings", "stake_id", "stakes"),
        ("snow_pits", "stake_id", "stakes"),
        ("pit_layers", "pit_id", "snow_pits"),
    ):
        typed[name] = with_known_names(typed[name], column, typed[target], findings)
    return {name: without_repeats(table, findings) for name, table in typed.items()}


def _missing_sheets(source: str, typed: Mapping[str, TypedTable]) -> Iterable[BadInput]:
    """A glacier, and stakes with readings, or pits with layers, probings, balances of points or bands must be there."""
    present = {name for name, table in typed.items() if table.sheet is not None}
    needed = {"glacier"}
    if not present & {"zone_balances", "snow_pits", "probings", "point_balances"}:
        needed |= {"stakes", "readings"}
    pairs = (("stakes", "readings"), ("snow_pits", "pit_layers"))
    for name, companion in (*pairs, *((second, first) for first, second in pairs)):
        if name in present:
            needed.add(companion)
    pits = typed["snow_pits"].frame
    if not pits.empty and (pits["swe_m_we"] > 0).all():  # their water equivalent was measured as a whole
        needed.discard("pit_layers")
    missing = [table.name for table in WORKBOOK if table.name in needed - present]
    for name in missing:
        yield BadInput(
            source, f"no sheet {name!r}", f"a sheet {name!r}: {_TABLES[name].meaning}", "add it, or rename the sheet"
        )
    if not missing and all(typed[name].frame.empty and not typed[name].wrong for name in _OBSERVED):
        yield BadInput(
            source, "no observation", "rows in 'readings', 'snow_pits', 'probings', 'point_balances' or 'zone_balances'"
        )


def _identity(table: TypedTable, findings: Findings) -> GlacierIdentity | None:
    """The glacier of the one row; without a stated CRS, the UTM zone that holds it. None where the row is unusable."""
    if table.frame.empty or table.is_wrong(0, "glacier_id", "glacier_name", "longitude", "latitude", "crs"):
        return None
    row = table.frame.iloc[0]
    longitude, latitude = float(row["longitude"]), float(row["latitude"])
    if pd.isna(longitude) or pd.isna(latitude):
        return None
    crs = row["crs"]
    if crs is None:
        crs = utm_crs(longitude, latitude)
        used = f"{crs}, the UTM zone that holds the glacier"
        findings.corrections.append(Correction(table.sheet_name, table.cell(0, "crs"), "no CRS", used))
    elif not _is_usable(crs):
        findings.errors.append(table.bad(0, "crs", repr(crs), "a projected CRS in metres, as EPSG:code"))
        return None
    return GlacierIdentity(
        glacier_id=str(row["glacier_id"]),
        name=str(row["glacier_name"]),
        longitude=longitude,
        latitude=latitude,
        crs=crs,
        part_of=row["part_of"] or "",
    )


def _is_usable(crs: str) -> bool:
    """Whether a CRS is known, projected and in metres."""
    try:
        return is_projected_metres(crs)
    except CRSError:
        return False


def _in_order(errors: Sequence[BadInput], sheets: Sequence[str]) -> list[BadInput]:
    """The errors by sheet, row and column, each once; those on the whole workbook first."""
    places = {name: number for number, name in enumerate(sheets)}

    def key(error: BadInput) -> tuple[int, int, int]:
        if not isinstance(error, BadCell):
            return -1, 0, 0
        return places.get(error.sheet, len(places)), *place_of(error.cell)

    return sorted({str(error): error for error in errors}.values(), key=key)


def _field_data(
    source: str,
    glacier: GlacierIdentity,
    typed: Mapping[str, TypedTable],
    findings: Findings,
    order: Sequence[str],
) -> FieldData:
    frames = {
        name: with_both_positions(table.frame, glacier.crs) if "easting" in table.frame else table.frame
        for name, table in typed.items()
        if name != "glacier"
    }
    columns = {
        name: MappingProxyType({column: _letters(table, index) for column, index in table.columns.items()})
        for name, table in typed.items()
    }
    return FieldData(
        source=source,
        glacier=glacier,
        **frames,
        corrections=in_sheet_order(findings.corrections, order),
        origins=MappingProxyType({name: _origins(table) for name, table in typed.items()}),
        doubts=tuple(findings.doubts),
        columns=MappingProxyType(columns),
    )


def _letters(table: TypedTable, index: int) -> str:
    """The letters of a column as the file has it."""
    sheet = table.sheet
    return get_column_letter(index + 1) if sheet is None else sheet.address(0, index).rstrip("0123456789")


def _origins(table: TypedTable) -> tuple[str, ...]:
    return tuple(f"{table.sheet_name}!{row + 1}" for row in table.rows)
