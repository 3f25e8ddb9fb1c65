"""Recognises the columns of a field sheet: names of the schemas, spelled with blanks, with a unit, or in Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.mass_balance.cells import RawSheet
from schemas.fields import Column, Table

# unit suffix of a column name -> spelling in the sheet -> (multiply by, divide by); exact in decimal arithmetic
_LENGTH = {"m": (1, 1), "cm": (1, 100), "mm": (1, 1000), "米": (1, 1), "厘米": (1, 100)}
_LENGTH |= dict.fromkeys(("metre", "metres", "m_a_s_l", "masl", "m_asl"), (1, 1))
_DENSITY = {"kg_m3": (1, 1), "kg_m_3": (1, 1), "kgm3": (1, 1), "g_cm3": (1000, 1), "g_cm_3": (1000, 1)}
_ANGLE = {"deg": (1, 1), "degree": (1, 1), "degrees": (1, 1), "度": (1, 1)}
_AREA = {"km2": (1, 1), "m2": (1, 1_000_000), "ha": (1, 100)}
_BALANCE = {
    "m_we": (1, 1),
    "m_w_e": (1, 1),
    "mm_we": (1, 1000),
    "mm_w_e": (1, 1000),
    "cm_we": (1, 100),
    "cm_w_e": (1, 100),
    "kg_m2": (1, 1000),
    "kg_m_2": (1, 1000),
}
_UNITS = {"m": _LENGTH, "kg m-3": _DENSITY, "degree": _ANGLE, "km2": _AREA, "m w.e.": _BALANCE}
_SUFFIXES = {"m": "_m", "kg m-3": "_kg_m3", "degree": "_deg", "km2": "_km2", "m w.e.": "_m_we"}

_ALIASES = {
    "stake_id": ("stake", "stake_no", "stake_number", "花杆", "花杆号", "花杆编号", "测杆", "测杆编号"),
    "pit_id": ("pit", "pit_no", "snow_pit", "雪坑", "雪坑编号"),
    "layer": ("no", "layer_no", "层", "层号"),
    "leg": ("stake_leg", "段"),
    "date": ("visit", "date_of_visit", "日期", "观测日期"),
    "glacier_name": ("glacier", "name", "冰川", "冰川名称"),
    "glacier_id": ("inventory_number", "冰川编号", "编目号"),
    "longitude": ("lon", "经度"),
    "latitude": ("lat", "纬度"),
    "easting": ("east", "东坐标"),
    "northing": ("north", "北坐标"),
    "elevation": ("altitude", "海拔", "高程"),
    "exposed": ("exposed_length", "height_exposed", "出露高度", "花杆出露"),
    "stake_length": ("length", "杆长"),
    "snow_depth": ("snow", "雪深", "积雪深度"),
    "snow_density": ("density_of_snow", "雪密度", "积雪密度"),
    "superimposed_ice": ("si", "附加冰", "附加冰厚度"),
    "tilt": ("inclination", "倾角"),
    "surface": ("表面",),
    "status": ("state", "状态"),
    "remarks": ("remark", "note", "notes", "comment", "comments", "备注"),
    "density": ("密度",),
    "top": ("from", "上界"),
    "bottom": ("to", "下界"),
    "kind": ("type", "雪层类型"),
    "year": ("balance_year", "年", "年份"),
    "lower": ("from_elevation", "下限"),
    "upper": ("to_elevation", "上限"),
    "area": ("面积",),
    "installed": ("drilled", "安装日期"),
    "probing_id": ("probing", "探测点"),
    "floor": ("坑底",),
}

_SHEETS = {
    "冰川": "glacier",
    "花杆": "stakes",
    "读数": "readings",
    "花杆读数": "readings",
    "雪坑": "snow_pits",
    "雪坑分层": "pit_layers",
    "雪深探测": "probings",
    "面积高程": "hypsometry",
    "高度带物质平衡": "zone_balances",
}


@dataclass(frozen=True)
class Heading:
    """A recognised column: its place in the sheet and how its numbers become the unit of the schema."""

    column: Column
    index: int
    multiply: int
    divide: int
    unit: str
    known_unit: bool = True


@dataclass(frozen=True)
class HeaderRow:
    """The header row (index from 0), its recognised columns, and the headers that stand for nothing we know."""

    row: int
    headings: tuple[Heading, ...]
    unknown: tuple[tuple[int, str], ...]


def sheet_key(name: str) -> str:
    """The table name a sheet's name stands for: 'Snow pits' is ``snow_pits``."""
    return _SHEETS.get(name.strip(), re.sub(r"[\s\-]+", "_", name.strip().lower()))


def find_header(sheet: RawSheet, table: Table) -> HeaderRow | None:
    """The first row that names at least three columns of the table, or all of them in a sheet of fewer columns."""
    for row, cells in enumerate(sheet.rows):
        found = [(index, str(text)) for index, text in enumerate(cells) if text is not None]
        headings: list[Heading] = []
        unknown: list[tuple[int, str]] = []
        for index, text in found:
            heading = recognise(text, index, table)
            if heading is None or any(heading.column.name == other.column.name for other in headings):
                unknown.append((index, text))
            else:
                headings.append(heading)
        if headings and len(headings) >= min(3, len(found)):
            return HeaderRow(row, tuple(headings), tuple(unknown))
    return None


def recognise(text: str, index: int, table: Table) -> Heading | None:
    """The column of the table that a header stands for; None when it names none."""
    bracketed = re.search(r"[(\[（]([^)\]）]*)[)\]）]", text)
    name = _token(re.sub(r"[(\[（][^)\]）]*[)\]）]", " ", text))
    unit = _token(bracketed.group(1)) if bracketed else ""
    for column in table.columns:
        base = _base(column)
        spellings = {column.name, base, *_ALIASES.get(base, ())}
        if name in spellings:
            return _heading(column, index, unit)
        if not unit:
            for spelled in _UNITS.get(column.unit, {}):
                if any(name == f"{spelling}_{spelled}" for spelling in (base, *_ALIASES.get(base, ()))):
                    return _heading(column, index, spelled)
    return None


def _heading(column: Column, index: int, unit: str) -> Heading:
    factors = _UNITS.get(column.unit)
    if not unit or factors is None:
        return Heading(column, index, 1, 1, "")
    if unit not in factors:
        return Heading(column, index, 1, 1, unit, known_unit=False)
    multiply, divide = factors[unit]
    return Heading(column, index, multiply, divide, unit)


def _base(column: Column) -> str:
    """The column's name without its unit."""
    return column.name.removesuffix(_SUFFIXES.get(column.unit, "\0"))


def _token(text: str) -> str:
    """Lower case, words joined by underscores, exponents and dots taken away: 'kg m-3' is ``kg_m_3``."""
    text = text.strip().lower().replace("³", "3").replace("²", "2").replace("°", "deg")
    return re.sub(r"[^\w]+", "_", text).strip("_")
