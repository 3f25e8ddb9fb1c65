"""Reads the cells of one column: each parsed, converted to the schema's unit and held against its constraints."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet
from pipeline.mass_balance.fieldwork.headers import Heading
from pipeline.mass_balance.fieldwork.units import Scale, unit_of
from pipeline.mass_balance.fieldwork.values import (
    Unreadable,
    date_habits,
    is_missing,
    number_habits,
    refuse_formula_error,
    to_angle,
    to_crs,
    to_date,
    to_integer,
    to_name,
    to_quantity,
    to_word,
    to_year,
)
from schemas.fields import Column

# no glacier was measured before, and no workbook is of later use: a year outside is a slip of the pen
FIRST_YEAR, LAST_YEAR = 1800, 2100
# numbers that stand for "not measured" in many a table
MISSING_CODES = (99.0, 999.0, 9999.0, 99.9, 999.9, 99.99, 9.99, -99.0, -999.0, -9999.0)
# those that cannot be meant otherwise, whatever the unit: no length, density or area is so
_CERTAIN_CODES = (-99.0, -999.0, -9999.0, -99999.0, 9999.0, 99999.0, -99.9, -999.9, -99.99)
_NEVER_NEGATIVE = ("easting", "northing")
_EXPECTED = {
    "number": "a number",
    "integer": "a whole number",
    "year": f"a year from {FIRST_YEAR} to {LAST_YEAR}",
    "date": f"a date such as 2003-08-27, from {FIRST_YEAR} to {LAST_YEAR}",
    "string": "text",
}
# lengths of a field sheet are shorter than this (m); what a larger number means is another unit
_LONGEST_M = 30.0
# legs and layers are counted on the fingers
_LARGEST_COUNT = 1_000_000
# no snow, firn or ice weighs less than 10 kg m-3 or more than 1000: between 0.01 and 1 a density is in g cm-3
_GRAMS = (0.01, 1.0)
_GRAMS_PER_CM3 = Scale("g_cm3", 1000, 1)
# no snow holds so many metres of water: a larger number is in millimetres
_MOST_WATER_M = 12.0
_MILLIMETRES = Scale("mm_we", 1, 1000)


@dataclass(frozen=True, slots=True)
class TypedCell:
    """A cell as read: its value (None for nothing measured), and how that differs from what is typed.

    ``used`` says what was used where it differs; ``found`` says what stands there where it cannot be used, with the
    ``remedy`` if one is known.
    """

    value: Any = None
    used: str = ""
    found: str = ""
    remedy: str = ""


_EMPTY = TypedCell()


def column_reader(heading: Heading, sheet: RawSheet, cells: Sequence[Any]) -> Callable[[Any], TypedCell]:
    """The function that reads a cell of the column; ``cells`` are all of them, for what one leaves open others tell.

    Parameters
    ----------
    heading : the column and the unit that its header states.
    sheet : tells the epoch of serial dates.
    cells : all of the column, as typed.
    """
    parse = _parser(heading, sheet, cells)
    low, high = _bounds(heading.column)
    scale, numeric = heading.scale, heading.column.type == "number"
    always_positive = heading.column.name in _NEVER_NEGATIVE
    known: dict[tuple[type, Any], TypedCell] = {}

    def read(cell: Any) -> TypedCell:
        if cell is None:
            return _EMPTY
        kind = type(cell)
        if numeric and (kind is float or kind is int):
            value = scale.convert(cell)
            if low <= value <= high and not (
                cell < 0 and always_positive
            ):  # by far the commonest cell; not so where it is no number
                return TypedCell(value)
        if (kind, cell) not in known:
            known[kind, cell] = _typed(cell, heading, parse)
        return known[kind, cell]

    return read


def expected(column: Column, unit: str = "") -> str:
    """What a column takes, in words; ``unit`` is that of the sheet where it is not the schema's.

    Parameters
    ----------
    column : of the schema.
    unit : of the sheet.
    """
    if column.enum:
        return f"{column.name}: one of {', '.join(column.enum)}"
    text = f"{column.name}: {_EXPECTED[column.type]}"
    if column.unit:
        text += f" ({unit or column.unit})"
    if column.minimum is not None and column.maximum is not None:
        text += f" from {column.minimum:g} to {column.maximum:g}" + (f" {column.unit}" if unit else "")
    elif column.minimum is not None:
        text += f" of at least {column.minimum:g}"
    if column.pattern:
        text += f" like {column.pattern}"
    return text


def assumed_scale(heading: Heading, cells: Iterable[Any]) -> Scale:
    """The unit of a column whose header states none: the schema's, but g cm-3 where every density lies within 1.

    Water equivalents of snow are in mm where one of them is too large for metres.

    Parameters
    ----------
    heading : of a column whose header states no unit.
    cells : all of the column, as typed.
    """
    if heading.column.unit != "kg m-3" and heading.column.name != "swe_m_we":
        return heading.scale
    numbers = [number for number in map(_number_or_none, cells) if number is not None]
    if heading.column.name == "swe_m_we":
        return _MILLIMETRES if max(numbers, default=0.0) > _MOST_WATER_M else heading.scale
    grams = bool(numbers) and all(_GRAMS[0] <= number <= _GRAMS[1] for number in numbers)
    return _GRAMS_PER_CM3 if grams else heading.scale


def repeated_codes(column: Column, cells: Iterable[Any]) -> dict[float, int]:
    """Numbers such as 99 or -999 that stand in the column more than once and beyond all its others, with their count.

    Among larger and smaller numbers a 99 is as good as any.

    Parameters
    ----------
    column : of the schema.
    cells : all of the column, as typed.
    """
    if column.type != "number":
        return {}
    counts = Counter(cell for cell in cells if type(cell) in (int, float))
    if not any(code in counts for code in MISSING_CODES):
        return {}
    others = [number for number in counts if number not in MISSING_CODES]
    low, high = (min(others), max(others)) if others else (math.inf, -math.inf)
    return {
        float(code): count
        for code, count in sorted(counts.items())
        if code in MISSING_CODES and count > 1 and not low <= code <= high
    }


def said(value: Any, column: Column) -> str:
    """A value as a note says it.

    Parameters
    ----------
    value : as read.
    column : of the schema, which tells the decimals.
    """
    if isinstance(value, float):
        return f"{value:.10g}" + (f" {column.unit}" if column.unit else "")
    return value.isoformat() if isinstance(value, date) else str(value)


def _typed(cell: Any, heading: Heading, parse: Callable[[Any], tuple[Any, bool]]) -> TypedCell:
    column = heading.column
    if is_missing(cell):
        return TypedCell(used="empty: not measured")
    try:
        refuse_formula_error(cell)
        value, corrected = parse(cell)
    except Unreadable as error:
        return TypedCell(found=_shown(cell), remedy=error.remedy)
    if _stands_for_nothing(value, heading):
        return TypedCell(used="empty: the code for 'not measured'")
    if not _within(value, column):
        return TypedCell(found=_shown(cell), remedy=_hint(value, heading))
    return TypedCell(value, said(value, column) if corrected else "")


def _parser(heading: Heading, sheet: RawSheet, cells: Sequence[Any]) -> Callable[[Any], tuple[Any, bool]]:
    """The function that turns a cell into a value, and says whether it reads otherwise than it is typed."""
    column, typed_as_text = heading.column, sheet.is_csv
    if column.name in ("longitude", "latitude"):
        return lambda cell: (number := to_angle(cell, column.name), _corrected(cell, number, typed_as_text))
    if column.type == "number":
        return _quantity_parser(heading, sheet, cells)
    if column.type in ("integer", "year"):
        whole = to_year if column.type == "year" else to_integer
        return lambda cell: (number := whole(cell), _corrected(cell, number, typed_as_text))
    if column.type == "date":
        order = date_habits(cells)
        return lambda cell: (day := to_date(cell, order, sheet.epoch), _other_date(cell, day))
    if column.enum:
        return lambda cell: (word := cell if cell in column.enum else to_word(cell), word != cell)
    if column.name == "crs":
        return lambda cell: (crs := to_crs(cell), crs != cell)
    if column.name.endswith("_id"):
        return lambda cell: (name := to_name(cell), isinstance(cell, str) and name != cell)
    return lambda cell: (_text(cell), False)


def _quantity_parser(heading: Heading, sheet: RawSheet, cells: Sequence[Any]) -> Callable[[Any], tuple[Any, bool]]:
    habits = number_habits(cells, sheet.decimal_comma)
    unit = unit_of(heading.column.name, heading.column.unit)

    def parse(cell: Any) -> tuple[Any, bool]:
        quantity = to_quantity(cell, unit, habits)
        number = (quantity.scale or heading.scale).convert(quantity.number)
        return number, quantity.scale is not None or _corrected(cell, quantity.number, sheet.is_csv)

    return parse


def _corrected(cell: Any, number: float, typed_as_text: bool) -> bool:
    """Whether a number stands there as text: in a workbook always worth a note, in a CSV file where Python differs."""
    if not isinstance(cell, str):
        return False
    try:
        return not typed_as_text or float(cell) != number
    except ValueError:
        return True


def _other_date(cell: Any, day: date) -> bool:
    if isinstance(cell, datetime):
        return cell.time() != time(0)
    return not isinstance(cell, date) and str(cell).strip() != day.isoformat()


def _text(cell: Any) -> str:
    """Free text as it is typed."""
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    return cell.strip() if isinstance(cell, str) else to_name(cell)


def _bounds(column: Column) -> tuple[float, float]:
    low = -math.inf if column.minimum is None else column.minimum
    return low, math.inf if column.maximum is None else column.maximum


def _within(value: Any, column: Column) -> bool:
    if column.enum:
        return value in column.enum
    if column.type == "date":
        return bool(FIRST_YEAR <= value.year <= LAST_YEAR)
    if column.type == "year":
        return FIRST_YEAR <= int(value) <= LAST_YEAR
    if column.type in ("number", "integer"):
        low, high = _bounds(column)
        return bool(low <= value <= high) and (column.type == "number" or abs(value) <= _LARGEST_COUNT)
    return not column.pattern or re.fullmatch(column.pattern, value) is not None


def _stands_for_nothing(value: Any, heading: Heading) -> bool:
    """Whether a number is a code for 'not measured' that can be nothing else in its column."""
    column = heading.column
    if column.type != "number" or column.name in ("longitude", "latitude"):
        return column.type == "number" and value in (-999.0, -9999.0, 9999.0)
    typed = value * heading.divide / heading.multiply
    if not any(math.isclose(typed, code) for code in _CERTAIN_CODES):
        return False
    return not _within(value, column) or (typed < 0 and column.name in _NEVER_NEGATIVE)


def _hint(value: Any, heading: Heading) -> str:
    """What may have been meant by a value outside its bounds."""
    column = heading.column
    if column.type != "number":
        return ""
    typed = value * heading.divide / heading.multiply
    if any(math.isclose(typed, code) for code in MISSING_CODES):
        return f"leave the cell empty if {typed:g} stands for 'not measured'"
    _, high = _bounds(column)
    if column.name == "exposed_m" and value < 0:
        return "leave it empty, status 'buried', if the top of the stake lies below the surface"
    if column.unit == "kg m-3" and _GRAMS[0] <= value <= _GRAMS[1]:
        return f"{value:g} looks like g cm-3: write the unit into the header"
    if column.unit == "m" and high <= _LONGEST_M and high < value <= high * 100:
        return f"{value:g} m is {value / 100:g} m if typed in cm: write the unit into the header"
    return ""


def _number_or_none(cell: Any) -> float | None:
    if is_missing(cell):
        return None
    try:
        quantity = to_quantity(cell, "kg m-3")
    except Unreadable:
        return None
    return quantity.number if quantity.scale is None else None


def _shown(cell: Any) -> str:
    """What stands in a cell, as Python spells it; dates as ISO text."""
    if isinstance(cell, datetime):
        cell = cell.date() if cell.time() == time(0) else cell
    return repr(cell.isoformat() if hasattr(cell, "isoformat") else cell)
