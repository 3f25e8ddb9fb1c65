"""Reads a field workbook, or a folder of CSV files, into typed tables: forgiving in form, strict in meaning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

import pandas as pd
from openpyxl.utils import get_column_letter
from pyproj.exceptions import CRSError

from pipeline.grid import is_projected_metres, utm_crs
from pipeline.mass_balance.cells import BadCell, RawSheet
from pipeline.mass_balance.field_checks import check_tables
from pipeline.mass_balance.field_doubts import field_doubts
from pipeline.mass_balance.field_files import read_sheets
from pipeline.mass_balance.headers import sheet_key
from pipeline.mass_balance.input_notes import Correction, Doubt, Findings, in_sheet_order, place_of
from pipeline.mass_balance.positions import moved, position_doubts, position_errors, with_both_positions
from pipeline.mass_balance.records import with_known_names, without_repeats
from pipeline.mass_balance.result import GlacierIdentity
from pipeline.mass_balance.typed_sheets import TypedTable, typed_table
from schemas.errors import BadInput, ManyBadInputs
from schemas.tables import WORKBOOK

_TABLES = {table.name: table for table in WORKBOOK}
# sheets that are not read and need no note: those of the template, of a marked copy, and what people call them
NOT_DATA = ("read_me", "readme", "example", "errors", "notes_on_the_input", "说明")
_PLACED = ("stakes", "readings", "snow_pits", "probings")
_OBSERVED = ("readings", "snow_pits", "zone_balances")


@dataclass(frozen=True)
class FieldData:
    """Everything a field team measured, typed; metres and degrees.

    Attributes
    ----------
    source : name of the workbook or folder.
    glacier : the glacier it is about.
    stakes, readings, snow_pits, pit_layers, probings, hypsometry, zone_balances : the columns of the table schemas, in
        order; an absent sheet is an empty frame. Numbers are float (NaN where empty), dates ``datetime.date`` or None.
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


def read_field_data(path: Path, *, not_after: date | None = None) -> FieldData:
    """Read a workbook (.xlsx, .xls) or a folder of CSV files that follows the table schemas.

    No clock is read, so what lies in the future is said by ``not_after``: the day of publication, or any day after
    which nothing can have been observed. Without it a date far from all others is a doubt.

    Errors
    ------
    RefusedFieldData : every wrong cell at once, each with file, sheet, cell, what was found and what was expected.
    BadInput : no such file, a password-protected or corrupt workbook, an empty folder.
    """
    raw = read_sheets(path)
    findings = Findings()
    sheets = _sheets_of_tables(raw, findings)
    typed = {table.name: typed_table(sheets.get(table.name), table, findings) for table in WORKBOOK}
    typed = _settled(typed, findings)
    findings.errors += _missing_sheets(path.name, typed)
    findings.errors += check_tables(typed, not_after)
    glacier = _identity(typed["glacier"], findings)
    if glacier is not None:
        for name in _PLACED:
            findings.errors += position_errors(typed[name], glacier)
            findings.doubts += position_doubts(typed[name], glacier)
        moved(typed["readings"], typed["stakes"], glacier.crs, findings)
    order = [sheet.name for table in WORKBOOK if (sheet := sheets.get(table.name)) is not None]
    findings.doubts += field_doubts(typed)
    if findings.errors or glacier is None:
        raise RefusedFieldData(_in_order(findings.errors, order), findings.doubts)
    return _field_data(path.name, glacier, typed, findings, order)


def _sheets_of_tables(raw: Sequence[RawSheet], findings: Findings) -> dict[str, RawSheet]:
    """The sheet of each table; two for one are refused, others noted as left out."""
    sheets: dict[str, RawSheet] = {}
    for sheet in raw:
        key = sheet_key(sheet.name)
        if key in sheets:
            found = f"a second sheet of {key}, beside {sheets[key].name!r}"
            findings.errors.append(BadCell(sheet, "", found, "one sheet a table", "join them, or rename one"))
        elif key in _TABLES:
            sheets[key] = sheet
        elif key not in NOT_DATA and any(sheet.rows):
            findings.corrections.append(Correction(sheet.name, "", "a sheet that names no table", "left out"))
    return sheets


def _settled(typed: dict[str, TypedTable], findings: Findings) -> dict[str, TypedTable]:
    """The tables with names that point at each other spelled alike, and each record once."""
    for name, column, target in (
        ("readings", "stake_id", "stakes"),
        ("snow_pits", "stake_id", "stakes"),
        ("pit_layers", "pit_id", "snow_pits"),
    ):
        typed[name] = with_known_names(typed[name], column, typed[target], findings)
    return {name: without_repeats(table, findings) for name, table in typed.items()}


def _missing_sheets(source: str, typed: Mapping[str, TypedTable]) -> Iterable[BadInput]:
    """A glacier, and either stakes with readings, or pits with layers, or band balances, must be there."""
    present = {name for name, table in typed.items() if table.sheet is not None}
    needed = {"glacier"}
    if not present & {"zone_balances", "snow_pits"}:
        needed |= {"stakes", "readings"}
    pairs = (("stakes", "readings"), ("snow_pits", "pit_layers"))
    for name, companion in (*pairs, *((second, first) for first, second in pairs)):
        if name in present:
            needed.add(companion)
    missing = [table.name for table in WORKBOOK if table.name in needed - present]
    for name in missing:
        yield BadInput(
            source, f"no sheet {name!r}", f"a sheet {name!r}: {_TABLES[name].meaning}", "add it, or rename the sheet"
        )
    if not missing and all(typed[name].frame.empty and not typed[name].wrong for name in _OBSERVED):
        yield BadInput(source, "no observation", "rows in 'readings', 'snow_pits' or 'zone_balances'")


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
    return GlacierIdentity(str(row["glacier_id"]), str(row["glacier_name"]), longitude, latitude, crs)


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
        name: MappingProxyType({column: get_column_letter(index + 1) for column, index in table.columns.items()})
        for name, table in typed.items()
    }
    return FieldData(
        source,
        glacier,
        **frames,
        corrections=in_sheet_order(findings.corrections, order),
        origins=MappingProxyType({name: _origins(table) for name, table in typed.items()}),
        doubts=tuple(findings.doubts),
        columns=MappingProxyType(columns),
    )


def _origins(table: TypedTable) -> tuple[str, ...]:
    return tuple(f"{table.sheet_name}!{row + 1}" for row in table.rows)
