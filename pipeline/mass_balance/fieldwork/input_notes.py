"""What a reading of a field workbook says beside the data: corrections it made, and doubts it leaves to the reader."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from schemas.errors import BadInput
from schemas.input_notes import INPUT_NOTES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Correction:
    """A reading of the workbook that differs from what is typed there: sheet, cell, what was found, what was used.

    ``cell`` is a range where neighbours were treated alike, and empty where it concerns the whole sheet.
    """

    sheet: str
    cell: str
    found: str
    used: str


@dataclass(frozen=True)
class Doubt:
    """Something kept as it is typed, though a look at it is worth while: sheet, cell, what was found, what it means."""

    sheet: str
    cell: str
    found: str
    meaning: str


@dataclass
class Findings:
    """What comes to light while a workbook is read; the only thing that the steps of a reading share and change."""

    errors: list[BadInput] = field(default_factory=list)
    corrections: list[Correction] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def in_sheet_order(notes: Iterable[Correction], sheets: Sequence[str]) -> tuple[Correction, ...]:
    """The notes by sheet, row and column; those on a whole sheet first.

    Parameters
    ----------
    notes : in any order.
    sheets : names in their order in the workbook.
    """
    places = {name: number for number, name in enumerate(sheets)}
    return tuple(sorted(notes, key=lambda note: (places.get(note.sheet, len(places)), *place_of(note.cell))))


def place_of(cell: str) -> tuple[int, int]:
    """Row and column, from 1, of a cell or of the first cell of a range; (0, 0) for a whole sheet.

    Parameters
    ----------
    cell : as ``"B14"`` or ``"A14:L14"``; empty for a whole sheet.

    Example
    -------
    >>> place_of("B14"), place_of("")
    ((14, 2), (0, 0))
    """
    if not cell:
        return 0, 0
    letters, row = coordinate_from_string(cell.split(":")[0])
    return row, column_index_from_string(letters)


def rows_of(cell: str) -> range:
    """The rows, from 1, of a cell or a range; none for a whole sheet.

    Parameters
    ----------
    cell : as ``"B14"`` or ``"A14:L16"``; empty for a whole sheet.

    Example
    -------
    >>> rows_of("A14:L16")
    range(14, 17)
    """
    if not cell:
        return range(0)
    first, _, last = cell.partition(":")
    return range(place_of(first)[0], place_of(last or first)[0] + 1)


def notes_table(corrections: Iterable[Correction], doubts: Iterable[Doubt]) -> pd.DataFrame:
    """Corrections and doubts in the shape of ``schemas.input_notes.INPUT_NOTES``.

    Parameters
    ----------
    corrections, doubts : in the order in which they are to stand.
    """
    import pandas as pd  # at its first use: reading a template's notes needs no frame

    rows = [("correction", note.sheet, note.cell or None, note.found, note.used) for note in corrections]
    rows += [("doubt", doubt.sheet, doubt.cell or None, doubt.found, doubt.meaning) for doubt in doubts]
    numbered = [(number, *row) for number, row in enumerate(rows, start=1)]
    return pd.DataFrame(numbered, columns=list(INPUT_NOTES.column_names))


def notes_summary(corrections: Iterable[Correction], doubts: Iterable[Doubt]) -> dict[str, list[dict[str, str]]]:
    """Corrections and doubts as ``balance --json`` has them.

    Parameters
    ----------
    corrections, doubts : in the order in which they are to stand.
    """
    return {"corrections": [asdict(note) for note in corrections], "doubts": [asdict(doubt) for doubt in doubts]}
