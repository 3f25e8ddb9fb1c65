"""Parts the typed sheets of a workbook by glacier: each row by the glacier it names, or by the stake or pit it is of.

In a workbook of one glacier every row is of that one. In one of several, stakes, probings and bands must name theirs;
readings, pits and layers may leave it to the stake or pit, as long as no other glacier has one of the same number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.mass_balance.fieldwork.input_notes import Correction, Findings, rows_of
from pipeline.mass_balance.fieldwork.records import plain_name
from pipeline.mass_balance.fieldwork.typed_sheets import TypedTable
from schemas.errors import BadInput
from schemas.tables import GLACIER, OWNER, WORKBOOK

Tables = Mapping[str, TypedTable]
# the sheet whose rows a table's rows hang on, by the column that names them
_HANGS_ON = {
    "readings": ("stakes", "stake_id"),
    "snow_pits": ("stakes", "stake_id"),
    "pit_layers": ("snow_pits", "pit_id"),
}
_OF_ONE_GLACIER = {table.name: table for table in WORKBOOK}
_MOST_NAMED = 5


@dataclass(frozen=True)
class GlacierSheets:
    """The sheets of one glacier.

    Attributes
    ----------
    glacier_id : of the glacier; empty where the workbook names none that can be read.
    tables : by name, in the columns of ``schemas.tables.WORKBOOK``.
    foreign_rows : sheet -> its rows (from 1) that are of other glaciers.
    """

    glacier_id: str
    tables: dict[str, TypedTable]
    foreign_rows: Mapping[str, frozenset[int]]

    def concerns(self, sheet: str, cell: str) -> bool:
        """Whether something said of a cell or range touches this glacier: not where all its rows are of others.

        Parameters
        ----------
        sheet : its name.
        cell : as ``"B14"`` or ``"A14:L14"``; empty for the whole sheet.
        """
        foreign = self.foreign_rows.get(sheet)
        return not foreign or not cell or not foreign.issuperset(rows_of(cell))


def by_glacier(typed: Tables, findings: Findings) -> tuple[GlacierSheets, ...]:
    """The sheets of each glacier, in the order of the sheet ``glacier``; errors are added to ``findings``.

    Parameters
    ----------
    typed : the tables of all glaciers.
    findings : takes errors.
    """
    glaciers = typed[GLACIER.name]
    names = list(dict.fromkeys(str(name) for name in glaciers.frame["glacier_id"] if name is not None))
    owners: dict[str, list[str | None]] = {GLACIER.name: glaciers.frame["glacier_id"].tolist()}
    stated = {name: _stated(table, glaciers, findings) for name, table in typed.items() if name != GLACIER.name}
    if len(names) < 2:
        own = names[0] if names else ""
        return (GlacierSheets(own, {name: _without_owner(table) for name, table in typed.items()}, {}),)
    for name in ("stakes", "probings", "hypsometry", "zone_balances", "point_balances"):
        findings.errors += _unowned(typed[name], stated[name], names)
        owners[name] = stated[name]
    for name in ("readings", "snow_pits", "pit_layers"):  # pits before their layers
        target, column = _HANGS_ON[name]
        homes = _Homes.of(typed[target], column, owners[target])
        owners[name] = _inherited(typed[name], stated[name], homes, findings)
    return tuple(_sheets_of(glacier, typed, owners) for glacier in names)


def _stated(table: TypedTable, glaciers: TypedTable, findings: Findings) -> list[str | None]:
    """The glacier that each row names by identifier or name; None where it names none, or one that is reported."""
    cells = table.frame[OWNER.name].tolist()
    meant = _meant_by(glaciers)
    owners = {cell: meant.get(plain_name(str(cell))) for cell in set(cells) if cell is not None}
    known = list(dict.fromkeys(name for name in glaciers.frame["glacier_id"] if name is not None))
    if len(known) == 1 and len(owners) == 1:  # the one glacier, under another name
        owners = dict.fromkeys(owners, known[0])
    readable = not any(column == "glacier_id" for _, column in glaciers.wrong)
    for record, cell in enumerate(cells):
        owner = owners.get(cell)
        if owner is not None and owner != cell:
            place = table.cell(record, OWNER.name)
            findings.corrections.append(Correction(table.sheet_name, place, str(cell), f"glacier {owner}"))
        elif cell is not None and owner is None and known and readable:
            wanted = f"a glacier of the sheet {glaciers.sheet_name!r}: {_listed(known)}"
            findings.errors.append(table.bad(record, OWNER.name, f"glacier {cell!r}", wanted))
    return [owners.get(cell) for cell in cells]


def _meant_by(glaciers: TypedTable) -> dict[str, str]:
    """The identifier that an identifier or name stands for; names that several glaciers bear stand for none."""
    by_name: dict[str, str] = {}
    identifiers = [str(name) for name in glaciers.frame["glacier_id"] if name is not None]
    named = zip(glaciers.frame["glacier_id"], glaciers.frame["glacier_name"], strict=True)
    names = [(plain_name(str(name)), str(owner)) for owner, name in named if owner is not None and name is not None]
    for spelled, owner in names:
        if len({other for name, other in names if name == spelled}) == 1:
            by_name[spelled] = owner
    return by_name | {plain_name(identifier): identifier for identifier in identifiers}


def glacier_meant(glaciers: TypedTable, wanted: str) -> str | None:
    """The identifier of the glacier that is asked for by identifier or name; None where none answers to it.

    Parameters
    ----------
    glaciers : the sheet ``glacier``.
    wanted : identifier or name, as typed.
    """
    return _meant_by(glaciers).get(plain_name(wanted))


def _unowned(table: TypedTable, owners: Sequence[str | None], names: Sequence[str]) -> Iterable[BadInput]:
    """Rows that must name their glacier and do not: told once where the sheet has no such column."""
    wanted = f"{OWNER.name}: one of {_listed(names)}, for the workbook has {len(names)} glaciers"
    blank = [
        record
        for record, owner in enumerate(owners)
        if owner is None and table.frame[OWNER.name].iloc[record] is None and not table.is_wrong(record, OWNER.name)
    ]
    if blank and OWNER.name not in table.columns:
        yield table.bad(blank[0], OWNER.name, f"no column {OWNER.name!r}", wanted, "add it, filled in every row")
        return
    for record in blank:
        yield table.bad(record, OWNER.name, "an empty cell", wanted)


@dataclass(frozen=True)
class _Homes:
    """The glaciers that have a stake (or pit) of each name; ``complete`` unless rows of the sheet were reported."""

    sheet: str
    column: str
    glaciers: Mapping[str, set[str]]
    complete: bool

    @classmethod
    def of(cls, table: TypedTable, column: str, owners: Sequence[str | None]) -> _Homes:
        homes: dict[str, set[str]] = {}
        for name, owner in zip(table.frame[column], owners, strict=True):
            if name is not None and owner is not None:
                homes.setdefault(plain_name(str(name)), set()).add(owner)
        sound = table.sheet is not None and not any(wrong == column for _, wrong in table.wrong)
        return cls(table.sheet_name, column, homes, sound and None not in owners)

    @property
    def kind(self) -> str:
        return self.column.removesuffix("_id")


def _inherited(table: TypedTable, stated: Sequence[str | None], homes: _Homes, findings: Findings) -> list[str | None]:
    """The glacier of each row: the one it names, else that of its stake or pit."""
    owners: list[str | None] = []
    typed = zip(stated, table.frame[OWNER.name], table.frame[homes.column], strict=True)
    for record, (owner, cell, name) in enumerate(typed):
        candidates = sorted(homes.glaciers.get(plain_name(str(name)), ())) if name is not None else []
        if owner is None and cell is None and len(candidates) == 1:
            owner = candidates[0]  # noqa: PLW2901 - the row's glacier, found
        owners.append(owner)
        if owner is not None or cell is not None or table.is_wrong(record, homes.column, OWNER.name):
            continue
        if candidates:
            wanted = f"its glacier: {_listed(candidates)} each have a {homes.kind} {name}"
            findings.errors.append(table.bad(record, OWNER.name, f"no {OWNER.name}", wanted))
        elif homes.complete:
            said = f"{homes.kind} {name!r}" if name is not None else f"neither {homes.kind} nor {OWNER.name}"
            wanted = f"a {homes.kind} of the sheet {homes.sheet!r}, or its glacier in {OWNER.name}"
            findings.errors.append(table.bad(record, homes.column, said, wanted))
    return owners


def _sheets_of(glacier: str, typed: Tables, owners: Mapping[str, Sequence[str | None]]) -> GlacierSheets:
    tables: dict[str, TypedTable] = {}
    foreign_rows: dict[str, frozenset[int]] = {}
    for name, table in typed.items():
        others = [record for record, owner in enumerate(owners[name]) if owner != glacier]
        named = [record for record in others if owners[name][record] is not None]
        rows = frozenset(table.rows[record] + 1 for record in named)
        foreign_rows[table.sheet_name] = foreign_rows.get(table.sheet_name, frozenset()) | rows  # of all its tables
        tables[name] = _without_owner(table.without(others) if others else table)
    return GlacierSheets(glacier, tables, foreign_rows)


def _without_owner(table: TypedTable) -> TypedTable:
    """The table of one glacier, without the column that names it; the sheet ``glacier`` as it is."""
    if table.table.name == GLACIER.name:
        return table
    return replace(table, table=_OF_ONE_GLACIER[table.table.name], frame=table.frame.drop(columns=OWNER.name))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_MOST_NAMED])
    return f"{shown} and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else shown
