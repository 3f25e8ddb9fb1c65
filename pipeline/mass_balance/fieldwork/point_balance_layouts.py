"""Point balances in the layouts in which they are published: their headings and codes become those of our table.

The World Glacier Monitoring Service (Fluctuations of Glaciers) has had two: headings in capitals with millimetres, and
lower-case ones with metres. GLAMOS has its own. Each heading keeps its cell, so that a number can be traced to it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet, address
from pipeline.mass_balance.fieldwork.headers import HEADER_WITHIN_ROWS
from pipeline.mass_balance.fieldwork.input_notes import Correction
from pipeline.mass_balance.fieldwork.units import token

# the heading of a column that is no column of ours; what stands in it is noted as left out
_OTHER = "{} of the publisher"
_PERIODS = {"bw": "winter", "bs": "summer", "ba": "annual", "in": "instantaneous", "index": "instantaneous"}
_UNKNOWN_DAY = re.compile(r"\d{4}-?99-?(99|\d\d)|0{8}|0{4}-00-00")


def _period(cell: Any) -> Any:
    return _PERIODS.get(str(cell).strip().lower(), cell)


def _day(cell: Any) -> Any:
    """A day; nothing where month and day are told to be unknown."""
    return None if cell is not None and _UNKNOWN_DAY.fullmatch(str(cell).strip()) else cell


def _kind(cell: Any) -> Any:
    """How a balance was measured; nothing where the publisher says it in other words."""
    text = str(cell).lower()
    return next((kind for kind in ("stake", "pit", "prob") if kind in text), None) if cell is not None else None


def _whole_kind(cell: Any) -> Any:
    kind = _kind(cell)
    return "probing" if kind == "prob" else kind


def _truth(cell: Any) -> Any:
    return str(cell).lower() if isinstance(cell, bool) or str(cell) in ("True", "TRUE", "False", "FALSE") else cell


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A layout: whose it is, the headings that tell it, and what each of its headings is called in our table.

    ``cells`` : our heading -> how its cells are read.
    """

    publisher: str
    told_by: frozenset[str]
    headings: Mapping[str, str]
    cells: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)


LAYOUTS = (
    Layout(
        publisher="WGMS FoG, headings in capitals",
        told_by=frozenset({"from_date", "to_date", "point_balance", "balance_code"}),
        headings={
            "name": "glacier_id",
            "wgms_id": _OTHER.format("WGMS_ID"),
            "from_date": "begin_date",
            "to_date": "end_date",
            "point_lat": "latitude",
            "point_lon": "longitude",
            "point_elevation": "elevation_m",
            "point_balance": "balance (mm w.e.)",
            "point_balance_uncertainty": "sigma_balance (mm w.e.)",
            "density": "density_kg_m3",
            "density_uncertainty": "sigma_density_kg_m3",
            "balance_code": "period",
        },
        cells={"period": _period, "begin_date": _day, "end_date": _day},
    ),
    Layout(
        publisher="WGMS FoG, headings in lower case",
        told_by=frozenset({"original_id", "begin_date", "end_date", "balance", "balance_code"}),
        headings={
            "glacier_name": "glacier_id",
            "glacier_id": _OTHER.format("glacier_id"),
            "id": _OTHER.format("id"),
            "original_id": "point_id",
            "elevation": "elevation_m",
            "balance": "balance_m_we",
            "balance_unc": "sigma_balance_m_we",
            "density": "density_kg_m3",
            "density_unc": "sigma_density_kg_m3",
            "method": "kind",
            "balance_code": "period",
        },
        cells={"period": _period, "begin_date": _day, "end_date": _day, "kind": _whole_kind},
    ),
    Layout(
        publisher="GLAMOS",
        told_by=frozenset({"date0", "date1", "mb_we"}),
        headings={
            "name": "point_id",
            "date0": "begin_date",
            "date1": "end_date",
            "period": _OTHER.format("period in days"),
            "x_pos": "easting",
            "y_pos": "northing",
            "z_pos": "elevation_m",
            "density": "density_kg_m3",
            "mb_we": "balance (mm w.e.)",
            "mb_error": "sigma_balance (mm w.e.)",
        },
        cells={"begin_date": _day, "end_date": _day},
    ),
)
_OURS = Layout(
    publisher="",
    told_by=frozenset({"point_id"}),
    headings={},
    cells={"used": _truth, "begin_date": _day, "end_date": _day, "period": _period},
)


def in_our_layout(sheet: RawSheet) -> tuple[RawSheet, list[Correction]]:
    """A sheet of point balances with our headings and codes in place of a publisher's, and notes of that.

    Parameters
    ----------
    sheet : with its cells as typed.
    """
    for row, cells in enumerate(sheet.rows[:HEADER_WITHIN_ROWS]):
        tokens = [token(str(cell)) if cell is not None else "" for cell in cells]
        for layout in LAYOUTS:
            if layout.told_by <= set(tokens):
                titles = tuple(layout.headings.get(name, cell) for name, cell in zip(tokens, cells, strict=True))
                note = Correction(sheet.name, address(row, 0), f"headings of {layout.publisher}", "read as such")
                return _rewritten(sheet, row, titles, layout), [note]
        if len({"balance", "balance_m_we", "b"} & set(tokens)) > 0:
            return _rewritten(sheet, row, cells, _OURS), []
    return sheet, []


def _rewritten(sheet: RawSheet, header: int, titles: Sequence[Any], layout: Layout) -> RawSheet:
    """The sheet with other titles, and with the cells of some columns read by the layout's rules."""
    rules = {index: layout.cells[str(title)] for index, title in enumerate(titles) if str(title) in layout.cells}
    rows: list[tuple[Any, ...]] = []
    for number, cells in enumerate(sheet.rows):
        if number == header:
            rows.append(tuple(titles))
        elif layout.publisher and cells and str(cells[0]).startswith("#"):
            rows.append(())  # a line about the data, not of them
        else:
            rows.append(tuple(rules[index](cell) if index in rules else cell for index, cell in enumerate(cells)))
    return replace(sheet, rows=tuple(rows))
