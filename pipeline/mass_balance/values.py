"""Turns the text of a cell into a typed value: number, whole number, date or name."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta
from typing import Any

MISSING = {"", "-", "--", "—", "n/a", "na", "nan", "null", "none", "nil", "无", "缺"}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXCEL_EPOCH = date(1899, 12, 30)
# spreadsheet serial numbers of 1927 to 2064: an unformatted date cell, not a year or a depth
_SERIAL_RANGE = (10_000, 60_000)


def is_missing(value: Any) -> bool:
    """Whether a cell says that nothing was measured."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return True
    return isinstance(value, str) and value.strip().lower() in MISSING


def to_number(value: Any) -> float:
    """A finite number; ValueError for text, dates and truth values."""
    if isinstance(value, bool | date | datetime):
        raise ValueError("not a number")
    number = float(value.strip() if isinstance(value, str) else value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def to_integer(value: Any) -> int:
    """A whole number, however it is typed (3, 3.0, '3'); ValueError otherwise."""
    number = to_number(value)
    if number != round(number):
        raise ValueError("not a whole number")
    return round(number)


def to_name(value: Any) -> str:
    """A name as text; a whole number typed as 7 or 7.0 is '7'."""
    if isinstance(value, float) and value == round(value):
        return str(round(value))
    return str(value).strip()


def to_date(value: Any) -> date:
    """A day: a spreadsheet date, or text such as '2003-08-27', '2004.8.26', '2004/8/26', '27 Aug 2005', '20030827'.

    Day-first and month-first numbers ('3/4/2005') cannot be told apart and are refused with ValueError.
    """
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        if _SERIAL_RANGE[0] <= value <= _SERIAL_RANGE[1] and value == int(value):
            return _EXCEL_EPOCH + timedelta(days=int(value))
        value = str(int(value))
    return _date_of_text(str(value).strip())


def _date_of_text(text: str) -> date:
    text = re.sub(r"[T ]\d\d:\d\d(:\d\d(\.\d+)?)?Z?$", "", text)
    if numbers := re.fullmatch(r"(\d{4})\s*[-./年]\s*(\d{1,2})\s*[-./月]\s*(\d{1,2})\s*日?", text):
        return date(*(int(part) for part in numbers.groups()))
    if numbers := re.fullmatch(r"(\d{4})(\d\d)(\d\d)", text):
        return date(*(int(part) for part in numbers.groups()))
    if words := re.fullmatch(r"(\d{1,2})[\s.\-]+([A-Za-z]{3,9})\.?[\s.,\-]+(\d{4})", text):
        return date(int(words[3]), _month(words[2]), int(words[1]))
    if words := re.fullmatch(r"([A-Za-z]{3,9})\.?\s+(\d{1,2}),?\s+(\d{4})", text):
        return date(int(words[3]), _month(words[1]), int(words[2]))
    raise ValueError("not a date")


def _month(word: str) -> int:
    name = word.lower()[:3]
    if name not in _MONTHS:
        raise ValueError("not a month")
    return _MONTHS.index(name) + 1
