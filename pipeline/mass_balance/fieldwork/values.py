"""Turns the content of a cell into a typed value: number with its unit, angle, whole number, year, date, word or name.

Forgiving in form: full-width characters, thin blanks, decimal commas, units beside the number, dates as a spreadsheet
or as people write them, in English and Chinese. Strict in meaning: what can be read in two ways is refused.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from pipeline.mass_balance.fieldwork.units import Scale, scale_of

MISSING = {
    *(
        "",
        "-",
        "--",
        "---",
        "—",
        "–",
        "−",
        "/",
        "\\",
        ".",
        "n/a",
        "na",
        "n.a.",
        "nan",
        "nd",
        "n.d.",
        "null",
        "none",
        "nil",
    ),
    *("no data", "not measured", "missing", "无", "缺", "缺测", "未测", "无数据"),
}
FORMULA_ERRORS = (
    *("#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#N/A", "#NULL!", "#ERROR!"),
    *("#SPILL!", "#CALC!", "#GETTING_DATA", "#FIELD!", "#BLOCKED!", "#UNKNOWN!", "#CONNECT!"),
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAMES = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december", "sept"),
)
_EXCEL_EPOCH = date(1899, 12, 30)
# spreadsheet serial numbers of 1927 to 2064: an unformatted date cell, not a year or a depth
_SERIAL_RANGE = (10_000, 60_000)
_BLANKS = re.compile(r"[\s\u200b-\u200d\u2060\ufeff]+")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d", "-"))
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
_CLEAR_COMMA = re.compile(r"[+-]?((\d{1,3}(\.\d{3})+|\d{1,3}( \d{3})+|\d*),(\d{1,2}|\d{4,})|\d{4,},\d{3})")
_WITH_UNIT = re.compile(r"([+-]?[\d.,'’ ]*\d\.?(?:[eE][+-]?\d+)?)\s*([^\d\s.,'+-].*)?")
# words of the schemas as field teams write them
_WORDS = {
    **dict.fromkeys(("good", "fine", "normal", "正常", "完好", "好"), "ok"),
    **dict.fromkeys(("弯曲", "弯", "bend"), "bent"),
    **dict.fromkeys(("melt_out", "meltedout", "融出", "完全融出"), "melted_out"),
    **dict.fromkeys(("snow_covered", "掩埋", "埋没", "被埋", "被雪埋"), "buried"),
    **dict.fromkeys(("missing", "gone", "not_found", "丢失", "遗失", "未找到"), "lost"),
    **dict.fromkeys(("雪", "积雪", "新雪"), "snow"),
    **dict.fromkeys(("粒雪",), "firn"),
    **dict.fromkeys(("冰", "冰川冰", "裸冰", "bare_ice", "glacier_ice", "冰面"), "ice"),
    **dict.fromkeys(("si", "superimposed", "附加冰"), "superimposed_ice"),
    **dict.fromkeys(("last_summer_surface", "夏季面", "夏末面", "上年夏季面"), "summer_surface"),
    **dict.fromkeys(("measured", "实测", "观测"), "observed"),
    **dict.fromkeys(("modelled", "modeled", "重建", "模拟"), "reconstructed"),
    **dict.fromkeys(("混合", "部分重建"), "mixed"),
    **dict.fromkeys(("not_reached_the_floor", "未到达", "未达", "未挖到底"), "not_reached"),
    **dict.fromkeys(("below_the_summer_surface", "deeper", "夏季面以下", "低于夏季面"), "below_summer_surface"),
}


class Unreadable(ValueError):
    """A cell that cannot be read as its column asks; ``remedy`` is what the user can do, if more than obvious."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        self.remedy = remedy
        super().__init__(reason)


@dataclass(frozen=True)
class Habits:
    """How a column is written where a single cell leaves it open, as its other cells show.

    ``decimal_comma``: commas part decimals, by the form of the file, so ``1,234`` is 1.234. ``comma_seen``: some cell
    of the column itself has one that can only do so (``2,3``); then ``1.234`` may be a thousand, and is refused.
    ``day_first``: True where some date can only be day-month-year (26/8/2004) and none only month-day-year, False for
    the reverse, None where nothing tells.
    """

    decimal_comma: bool = False
    comma_seen: bool = False
    day_first: bool | None = None


@dataclass(frozen=True)
class Quantity:
    """A number and the unit typed beside it in the same cell, if any."""

    number: float
    scale: Scale | None = None


def tidy(text: str) -> str:
    """The text with plain characters for full-width ones (Unicode NFKC), single blanks, and nothing at its ends.

    Parameters
    ----------
    text : as typed.

    Example
    -------
    >>> tidy("  １２　cm ")
    '12 cm'
    """
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", text)).strip()


def is_missing(value: Any) -> bool:
    """Whether a cell says that nothing was measured.

    Parameters
    ----------
    value : of a cell.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and (value.strip().lower() in MISSING or tidy(value).lower() in MISSING)


def refuse_formula_error(value: Any) -> None:
    """Unreadable for the text that a spreadsheet shows where a formula failed.

    Parameters
    ----------
    value : of a cell.
    """
    if isinstance(value, str) and value.strip().upper() in FORMULA_ERRORS:
        raise Unreadable("a formula error", "correct the formula, or leave the cell empty if nothing was measured")


def to_number(value: Any) -> float:
    """A finite number; ValueError for text, dates and truth values.

    Parameters
    ----------
    value : of a cell.
    """
    return to_quantity(value, "").number


def to_quantity(value: Any, unit: str, habits: Habits = Habits()) -> Quantity:
    """A finite number, and the unit typed beside it where it converts to ``unit``.

    Text may hold blanks or points between thousands, a decimal comma, full-width digits. '1,234' alone can be read in
    two ways and is refused, unless the column's ``habits`` tell. ValueError for words, dates and truth values.

    Parameters
    ----------
    value : of a cell.
    unit : of the schema.
    habits : what the other cells of the column show of commas and points.
    """
    if isinstance(value, date | time | timedelta):
        remedy = "a spreadsheet took a number for a date: format the cell as a number and type it again"
        raise Unreadable("a date, not a number", remedy)
    if isinstance(value, bool):
        raise Unreadable("not a number")
    if not isinstance(value, str):
        return Quantity(_finite(float(value)))
    if re.search(r"\d[\u00b2\u00b3\u00b9\u2070-\u209c]", value):
        raise Unreadable("a raised or lowered digit")  # which would become a digit of the number
    text = tidy(value).translate(_DASHES)
    parts = _WITH_UNIT.fullmatch(text)
    if parts is None:
        raise Unreadable("not a number")
    number = _finite(_number_of_text(parts[1].strip(), habits))
    if not parts[2]:
        return Quantity(number)
    scale = scale_of(parts[2], unit)
    if scale is None:
        raise Unreadable("not a number")
    return Quantity(number, scale)


def _number_of_text(text: str, habits: Habits) -> float:
    """A number with marks between thousands or before decimals."""
    text = re.sub(r"(?<=\d)['’](?=\d{3})", " ", text)
    if habits.comma_seen and re.fullmatch(r"[+-]?[1-9]\d{0,2}\.\d{3}", text):
        raise _two_ways(text, ",")
    if _PLAIN.fullmatch(text):
        return float(text)
    if re.fullmatch(r"[+-]?\d{1,3}( \d{3})+(\.\d+)?", text):
        return float(text.replace(" ", ""))
    if _CLEAR_COMMA.fullmatch(text) or re.fullmatch(r"[+-]?\d{1,3}(\.\d{3})+,\d+|[+-]?0,\d+", text):
        return float(text.replace(".", "").replace(" ", "").replace(",", "."))
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+\.\d+|[+-]?\d{1,3}(,\d{3}){2,}", text):
        return float(text.replace(",", ""))
    if re.fullmatch(r"[+-]?\d{1,3},\d{3}", text):
        if habits.decimal_comma or habits.comma_seen:
            return float(text.replace(",", "."))
        raise _two_ways(text, ".")
    raise Unreadable("not a number")


def _two_ways(text: str, decimal_mark: str) -> Unreadable:
    """The refusal of a number such as '1,234', with both of its readings."""
    whole, part = re.split(r"[.,]", text)
    return Unreadable("a mark for thousands or for decimals", f"write {whole}{part} or {whole}{decimal_mark}{part}")


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise Unreadable("not a finite number")
    return number


def to_angle(value: Any, axis: str) -> float:
    """Degrees: a number, or degrees, minutes and seconds such as 84°23'27.6"E; ``axis`` is longitude or latitude.

    Parameters
    ----------
    value : of a cell.
    axis : "longitude" or "latitude".
    """
    if isinstance(value, str):
        text = tidy(value).translate(_DASHES)
        degrees = _sexagesimal(text, axis)
        if degrees is not None:
            return degrees
    return to_quantity(value, "degree").number


_SIDES = {
    "longitude": {"e": 1, "东经": 1, "东": 1, "w": -1, "西经": -1, "西": -1},
    "latitude": {"n": 1, "北纬": 1, "北": 1, "s": -1, "南纬": -1, "南": -1},
}
_SIDE = r"(?P<{}>[nsewNSEW]|[东西南北][经纬]?)?"
_ANGLE = re.compile(
    _SIDE.format("before") + r"\s*(?P<degrees>[+-]?\d+(?:\.\d+)?)\s*(?:[°ºo度]|deg)?\s*"
    r"(?:(?P<minutes>\d+(?:\.\d+)?)\s*['’′`分]\s*)?(?:(?P<seconds>\d+(?:\.\d+)?)\s*(?:\"|”|″|''|′′|’’|秒)\s*)?"
    + _SIDE.format("after")
)


def _sexagesimal(text: str, axis: str) -> float | None:
    parts = _ANGLE.fullmatch(text)
    if parts is None or (
        parts["minutes"] is None and parts["seconds"] is None and not parts["before"] and not parts["after"]
    ):
        return None
    side = (parts["before"] or parts["after"] or "").lower()
    if side and side not in _SIDES[axis]:
        raise Unreadable(f"no {axis}", "longitude and latitude may be exchanged")
    minutes, seconds = float(parts["minutes"] or 0), float(parts["seconds"] or 0)
    if minutes >= 60 or seconds >= 60:
        raise Unreadable("minutes or seconds beyond 59")
    degrees = float(parts["degrees"])
    size = abs(degrees) + minutes / 60 + seconds / 3600
    sign = -1 if degrees < 0 or parts["degrees"].startswith("-") else 1
    return size * sign * _SIDES[axis].get(side, 1)


def to_integer(value: Any) -> int:
    """A whole number, however it is typed (3, 3.0, '3'); ValueError otherwise.

    Parameters
    ----------
    value : of a cell.
    """
    number = to_number(value)
    if number != round(number):
        raise Unreadable("not a whole number")
    return round(number)


def to_year(value: Any) -> int:
    """A year, named after the calendar year in which it ends: 2004, '2004', '2004年', '2003/04', '2003-2004'.

    Parameters
    ----------
    value : of a cell.

    Example
    -------
    >>> to_year("2003/04"), to_year("2004年")
    (2004, 2004)
    """
    if isinstance(value, str):
        text = re.sub(r"\s*(年度|年)$", "", tidy(value).translate(_DASHES))
        if span := re.fullmatch(r"(\d{4})\s*[/\-~]\s*(\d{4}|\d{2})", text):
            first = int(span[1])
            last = int(span[2]) if len(span[2]) == 4 else first // 100 * 100 + int(span[2])
            last += 100 if last < first else 0
            if last != first + 1:
                raise Unreadable("not one mass-balance year", "a reading of several years is no annual value")
            return last
        return to_integer(text)
    return to_integer(value)


def to_name(value: Any) -> str:
    """A name as text; a whole number typed as 7 or 7.0 is '7'. ValueError for dates and truth values.

    Parameters
    ----------
    value : of a cell.
    """
    if isinstance(value, date | time | timedelta | bool):
        remedy = "format the cells as text and type the names again" if not isinstance(value, bool) else ""
        raise Unreadable("a date or truth value, not a name", remedy)
    if isinstance(value, float) and value == round(value):
        return str(round(value))
    return tidy(str(value))


def to_word(value: Any) -> str:
    """One of a fixed set of words, as the schemas spell it: 'Summer surface' and '夏季面' are ``summer_surface``.

    Parameters
    ----------
    value : of a cell.
    """
    word = re.sub(r"[\s\-_]+", "_", to_name(value).lower())
    return _WORDS.get(word, word)


def to_crs(value: Any) -> str:
    """A CRS as EPSG:code, also where only the code is typed.

    Parameters
    ----------
    value : of a cell.
    """
    text = to_name(value)
    code = re.fullmatch(r"(?:EPSG)?\s*:*\s*(\d{4,6})", text, re.IGNORECASE)
    return f"EPSG:{code[1]}" if code else text


def to_date(value: Any, habits: Habits = Habits(), epoch: date = _EXCEL_EPOCH) -> date:
    """A day: a spreadsheet date, or text such as '2003-08-27', '2004.8.26', '27 Aug 2005', '20030827', '2009年8月23日'.

    '25-Aug-03' has the day first, and a year of 1950 to 2049; five figures alone are a spreadsheet's serial number, in
    a CSV file too; '20030899', a day that nobody noted, is the middle of the month.

    Numbers alone with the year last are read where one of them can only be the day (26/8/2004), or where the column's
    ``habits`` tell; else '3/4/2005' can be read in two ways and is refused with ValueError. ``epoch`` is day 0 of
    serial numbers.

    Parameters
    ----------
    value : of a cell.
    habits : what the other cells of the column show of the order of day and month.
    epoch : day 0 of serial numbers.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, time | timedelta | bool):
        raise Unreadable("not a date")
    if isinstance(value, int | float):
        if _SERIAL_RANGE[0] <= value <= _SERIAL_RANGE[1]:
            return epoch + timedelta(days=math.floor(value))
        value = str(int(value)) if math.isfinite(value) and value == int(value) else str(value)
    serial = re.fullmatch(r"\d{5}(?:\.\d*)?", tidy(str(value)))
    if serial and _SERIAL_RANGE[0] <= float(serial[0]) <= _SERIAL_RANGE[1]:
        return epoch + timedelta(days=math.floor(float(serial[0])))
    return _date_of_text(tidy(str(value)).translate(_DASHES), habits)


_YEAR_FIRST = re.compile(r"(\d{4})\s*([-./,、 ]|年)\s*(\d{1,2})\s*([-./,、 ]|月)\s*(\d{1,2})\s*[日号]?")
_YEAR_LAST = re.compile(r"(\d{1,2})\s*([-./ ])\s*(\d{1,2})\s*\2\s*(\d{4})")
_DAY_MONTH_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?(?:\s+of)?[\s.\-/]*([A-Za-z]{3,9})[\s.,\-/]*(\d{4})")
_DAY_MONTH_WORD_SHORT = re.compile(r"(\d{1,2})[\s.\-/]*([A-Za-z]{3,9})[\s.\-/]*['’]?(\d\d)")
_MONTH_WORD_DAY = re.compile(r"([A-Za-z]{3,9})[\s.\-]*(\d{1,2})(?:st|nd|rd|th)?[\s.,]+(\d{4})")
_YEAR_MONTH_WORD = re.compile(r"(\d{4})[\s.\-/]*([A-Za-z]{3,9})[\s.\-/]*(\d{1,2})")
_TIME_OF_DAY = re.compile(r"[T ]\s*\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*(Z|[+-]\d\d:?\d\d|[AaPp][Mm])?$")


def _date_of_text(text: str, habits: Habits) -> date:
    text = _TIME_OF_DAY.sub("", text).strip()
    if parts := _YEAR_FIRST.fullmatch(text):
        return _day(parts[1], parts[3], parts[5])
    if parts := re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text):
        if parts[2] == "99":
            raise Unreadable("a year without month and day", "write the day, or leave the row out")
        return _day(parts[1], parts[2], "15" if parts[3] == "99" else parts[3])
    if parts := _YEAR_LAST.fullmatch(text):
        return _of_year_last(parts, habits)
    if parts := _DAY_MONTH_WORD.fullmatch(text):
        return _day(parts[3], _month(parts[2]), parts[1])
    if parts := _DAY_MONTH_WORD_SHORT.fullmatch(text):
        return _day(_whole_year(parts[3]), _month(parts[2]), parts[1])
    if parts := _MONTH_WORD_DAY.fullmatch(text):
        return _day(parts[3], _month(parts[1]), parts[2])
    if parts := _YEAR_MONTH_WORD.fullmatch(text):
        return _day(parts[1], _month(parts[2]), parts[3])
    raise Unreadable("not a date")


def _of_year_last(parts: re.Match[str], habits: Habits) -> date:
    first, second, year = int(parts[1]), int(parts[3]), parts[4]
    day_first = _order(first, second)
    if day_first is None and first != second:
        day_first = habits.day_first
        if day_first is None:
            pair = f"{year}-{second:02d}-{first:02d} or {year}-{first:02d}-{second:02d}"
            raise Unreadable("day or month first", f"write {pair}")
    return _day(year, second, first) if day_first else _day(year, first, second)


def _whole_year(two_figures: str) -> str:
    """The year of its last two figures, from 1950 to 2049."""
    return f"20{two_figures}" if int(two_figures) < 50 else f"19{two_figures}"


def _order(first: int, second: int) -> bool | None:
    """Whether the first of two numbers is the day; None where both could be."""
    if first > 12 >= second:
        return True
    return False if second > 12 >= first else None


def _day(year: str, month: str | int, day: str | int) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        raise Unreadable("a day that no calendar has") from None


def _month(word: str) -> int:
    name = word.lower()
    if name not in (*_MONTHS, *_MONTH_NAMES):
        raise Unreadable("not a month")
    return _MONTHS.index(name[:3]) + 1


def number_habits(values: Iterable[Any], decimal_comma: bool = False) -> Habits:
    """What the texts of a column show of its numbers.

    Parameters
    ----------
    values : all cells of the column.
    decimal_comma : whether the file's separator tells that commas are decimal.
    """
    clear = any(_CLEAR_COMMA.fullmatch(tidy(value).translate(_DASHES)) for value in values if isinstance(value, str))
    return Habits(decimal_comma=decimal_comma, comma_seen=clear)


def date_habits(values: Iterable[Any]) -> Habits:
    """What the texts of a column show of its dates.

    Parameters
    ----------
    values : all cells of the column.
    """
    orders = set()
    for value in values:
        if isinstance(value, str) and (parts := _YEAR_LAST.fullmatch(tidy(value))):
            orders.add(_order(int(parts[1]), int(parts[3])))
    orders.discard(None)
    return Habits(day_first=orders.pop() if len(orders) == 1 else None)
