"""Recognises the columns of a field sheet: names of the schemas, spelled with blanks, with a unit, or in Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.mass_balance.fieldwork.cells import RawSheet
from pipeline.mass_balance.fieldwork.units import (
    Scale,
    has_scales,
    is_no_unit,
    scale_of,
    spellings_of,
    token,
    unit_of,
)
from schemas.fields import Column, Table

# a title, a note on units and a few blank rows may stand above the header; not a page of text
HEADER_WITHIN_ROWS = 40
_SUFFIXES = {"m": "_m", "kg m-3": "_kg_m3", "degree": "_deg", "km2": "_km2", "m w.e.": "_m_we"}
_NO_UNIT = {"", "-", "--", "—", "1", "/", "无"}

_ALIASES: dict[str, tuple[str, ...]] = {
    "stake_id": (
        "stake",
        "stake_no",
        "stake_number",
        "stake_name",
        "花杆",
        "花杆号",
        "花杆编号",
        "测杆",
        "测杆号",
        "测杆编号",
        "杆号",
        "测杆点",
        "标杆",
        "标杆号",
        "标杆编号",
        "stakeid",
        "point_id",
        "point_name",
        "pole",
        "pole_no",
        "pole_id",
    ),
    "pit_id": ("pit", "pit_no", "pit_number", "snow_pit", "雪坑", "雪坑号", "雪坑编号", "坑号", "pitid"),
    "layer": ("no", "layer_no", "layer_number", "层", "层号", "层序"),
    "leg": ("stake_leg", "段", "段号"),
    "date": (
        "visit",
        "date_of_visit",
        "day",
        "日期",
        "观测日期",
        "观测时间",
        "测量日期",
        "测定日期",
        "读数日期",
        "调查日期",
        "采样日期",
        "观测日",
        "测量时间",
        "survey_date",
        "visit_date",
        "reading_date",
        "measurement_date",
        "observation_date",
        "obs_date",
        "date_of_survey",
        "date_of_reading",
        "fecha",
    ),
    "glacier_name": ("glacier", "name", "冰川", "冰川名称", "冰川名"),
    "glacier_id": ("inventory_number", "冰川编号", "冰川编码", "编目号"),
    "longitude": ("lon", "long", "经度", "东经", "point_lon", "point_longitude", "long_dd", "lon_dd"),
    "latitude": ("lat", "纬度", "北纬", "point_lat", "point_latitude", "lat_dd"),
    "easting": (
        "east",
        "东坐标",
        "横坐标",
        "东向坐标",
        "utm_e",
        "utm_east",
        "utm_easting",
        "utm_x",
        "x_coord",
        "x_coordinate",
        "coord_x",
        "point_x",
    ),
    "northing": (
        "north",
        "北坐标",
        "纵坐标",
        "北向坐标",
        "utm_n",
        "utm_north",
        "utm_northing",
        "utm_y",
        "y_coord",
        "y_coordinate",
        "coord_y",
        "point_y",
    ),
    "crs": ("projection", "epsg", "投影", "坐标系"),
    "part_of": ("belongs_to", "parted_from", "所属冰川", "母冰川"),
    "region": ("mountain_range", "地区", "区域", "流域"),
    "elevation": (
        "altitude",
        "height_a_s_l",
        "海拔",
        "高程",
        "海拔高度",
        "elev",
        "point_elevation",
        "elevation_a_s_l",
        "surface_elevation",
        "海拔高",
    ),
    "exposed": (
        "exposed_length",
        "height_exposed",
        "出露高度",
        "出露长度",
        "花杆出露",
        "花杆读数",
        "花杆高度",
        "露出长度",
        "露出高度",
        "外露长度",
        "花杆露出长度",
        "测杆露出长度",
        "测杆出露长度",
        "测杆高度",
        "测杆读数",
        "stake_reading",
        "stake_height",
        "exposed_height",
        "height_above_surface",
        "测杆出露",
        "花杆出露高度",
        "杆长读数",
        "出露",
        "露出",
    ),
    "stake_length": ("length", "length_of_stake", "杆长", "花杆长度", "花杆总长"),
    "snow_depth": (
        "snow",
        "depth_of_snow",
        "snow_thickness",
        "雪深",
        "积雪深度",
        "雪厚",
        "积雪厚度",
        "snow_height",
        "hs",
        "probed_snow_depth",
        "雪层厚度",
        "积雪",
    ),
    "snow_density": ("density_of_snow", "雪密度", "积雪密度", "bulk_density", "平均雪密度", "雪层密度"),
    "swe": (
        "snow_water_equivalent",
        "water_equivalent",
        "water_equivalent_of_snow",
        "snow_we",
        "w_e",
        "we",
        "雪水当量",
        "积雪水当量",
        "水当量",
        "snøens_vannverdi",
        "vannekvivalent",
        "vannverdi",
        "wasserwert",
        "wasseräquivalent",
        "équivalent_en_eau",
        "equivalent_en_eau",
    ),
    "superimposed_ice": ("si", "superimposed_ice_thickness", "附加冰", "附加冰厚度"),
    "tilt": ("inclination", "倾角", "倾斜角"),
    "surface": ("表面", "表面类型"),
    "status": ("state", "状态", "花杆状态"),
    "remarks": ("remark", "note", "notes", "comment", "comments", "备注", "说明"),
    "density": ("密度",),
    "top": ("from", "depth_from", "上界", "顶深"),
    "bottom": ("to", "depth_to", "下界", "底深"),
    "kind": ("type", "layer_type", "雪层类型", "类型"),
    "year": ("balance_year", "年", "年份", "年度", "物质平衡年"),
    "lower": (
        "from_elevation",
        "下限",
        "下限海拔",
        "lower_bound",
        "lower_boundary",
        "lower_elevation",
        "elevation_from",
        "min_elevation",
        "band_lower",
        "下界海拔",
        "最低海拔",
    ),
    "upper": (
        "to_elevation",
        "上限",
        "上限海拔",
        "upper_bound",
        "upper_boundary",
        "upper_elevation",
        "elevation_to",
        "max_elevation",
        "band_upper",
        "上界海拔",
        "最高海拔",
    ),
    "area": ("面积", "band_area", "surface_area", "冰川面积", "带面积"),
    "installed": ("drilled", "date_installed", "安装日期", "布设日期"),
    "probing_id": ("probing", "probing_no", "探测点", "测点", "point_id"),
    "floor": ("pit_floor", "坑底"),
    "probed_depth": (
        "probed",
        "depth_probed",
        "probed_snow_depth",
        "probing_depth",
        "探测深度",
        "探测雪深",
        "探杆深度",
    ),
    "provenance": ("origin", "data_origin", "data_source", "来源", "数据来源", "资料来源"),
    "published_winter_balance": (
        *("published_bw", "bw_published", "winter_balance_published"),
        *(
            "发表冬平衡",
            "发表的冬平衡",
            "发表冬季平衡",
            "发表冬季物质平衡",
            "已发表冬季物质平衡",
            "已发表的冬季物质平衡",
        ),
    ),
    "published_summer_balance": (
        *("published_bs", "bs_published", "summer_balance_published"),
        *(
            "发表夏平衡",
            "发表的夏平衡",
            "发表夏季平衡",
            "发表夏季物质平衡",
            "已发表夏季物质平衡",
            "已发表的夏季物质平衡",
        ),
    ),
    "published_annual_balance": (
        *("published_ba", "ba_published", "annual_balance_published", "published_balance"),
        *("发表年平衡", "发表的年平衡", "发表净平衡", "发表年物质平衡", "已发表年物质平衡", "已发表的年物质平衡"),
    ),
    "begin_date": ("begin", "start_date", "开始日期", "起始日期", "begin_of_period", "survey_begin"),
    "midseason_date": ("midseason", "分界日期"),
    "end_date": ("end", "结束日期", "终止日期", "end_of_period", "survey_end"),
    "winter_balance": ("bw", "冬平衡", "冬季平衡", "冬季物质平衡"),
    "summer_balance": ("bs", "夏平衡", "夏季平衡", "夏季物质平衡"),
    "point_id": (
        *("point", "point_name", "original_id", "stake", "stake_id", "stake_no", "pole", "site", "site_id"),
        *("测点", "测点号", "测杆", "测杆号", "花杆", "花杆号", "点号"),
    ),
    "balance": ("point_balance", "mass_balance", "b", "单点物质平衡", "点物质平衡", "物质平衡"),
    "sigma_balance": ("balance_unc", "balance_uncertainty", "uncertainty", "sigma", "error", "balance_error", "误差"),
    "sigma_density": ("density_unc", "density_uncertainty", "密度误差"),
    "period": ("season", "balance_code", "时段", "季节"),
    "annual_balance": ("ba", "balance", "年平衡", "净平衡", "物质平衡", "年物质平衡"),
}

# the same in Norwegian, German and French, as the teams of these countries have them
_OF_OTHER_LANGUAGES: dict[str, tuple[str, ...]] = {
    "stake_id": (
        *("stake_nr", "stakenr", "stakenummer", "stang", "pegel", "pegel_nr", "pegelnr", "pegelnummer"),
        *("balise", "balise_no", "no_balise", "numéro_de_balise", "jalon"),
    ),
    "pit_id": ("snøsjakt", "sjakt", "schacht", "schneeschacht", "schneeprofil", "profil", "puits", "fosse"),
    "layer": ("lag", "lag_nr", "schicht", "schicht_nr", "couche"),
    "leg": ("borring", "bohrung", "forage"),
    "date": ("dato", "måledato", "besøksdato", "messdatum", "ablesedatum", "date_de_lecture", "jour"),
    "glacier_name": ("bre", "brenavn", "gletscher", "gletschername", "nom_du_glacier"),
    "glacier_id": ("bre_id", "breid", "gletscher_id", "gletschernummer"),
    "longitude": ("lengdegrad", "längengrad", "länge", "longitude_est"),
    "latitude": ("breddegrad", "breitengrad", "breite", "latitude_nord"),
    "easting": ("øst", "øst_koordinat", "østkoordinat", "ost", "ostwert", "rechtswert", "coordonnée_x", "est"),
    "northing": ("nord", "nord_koordinat", "nordkoordinat", "nordwert", "hochwert", "coordonnée_y"),
    "elevation": (
        "høyde",
        "hoyde",
        "h_o_h",
        "hoh",
        "moh",
        "høyde_over_havet",
        "höhe",
        "hoehe",
        "höhe_ü_m",
        "meereshöhe",
    ),
    "exposed": (
        *("stakelengde", "lengde_over_snø", "lengde_over_is", "lengde_over_overflaten", "fri_lengde", "avlesning"),
        *("ablesung", "pegelstand", "pegelablesung", "freie_länge", "sichtbare_länge", "émergence", "emergence"),
        *("longueur_émergente", "hauteur_émergente", "lecture"),
    ),
    "stake_length": ("total_lengde", "hele_lengden", "pegellänge", "gesamtlänge", "longueur_totale"),
    "snow_depth": ("snødyp", "snødybde", "snodyp", "snøhøyde", "schneehöhe", "schneetiefe", "hauteur_de_neige"),
    "snow_density": ("snøtetthet", "schneedichte", "densité_de_la_neige"),
    "density": ("tetthet", "dichte", "densité", "densite"),
    "top": ("fra", "topp", "von", "oberkante", "de", "haut"),
    "bottom": ("til", "bunn", "bis", "unterkante", "bas"),
    "year": ("år", "jahr", "année", "annee"),
    "lower": ("fra_høyde", "nedre", "nedre_grense", "untergrenze", "von_höhe", "limite_inférieure"),
    "upper": ("til_høyde", "øvre", "øvre_grense", "obergrenze", "bis_höhe", "limite_supérieure"),
    "area": ("areal", "fläche", "flaeche", "superficie", "surface_km2"),
    "installed": ("boret", "gebohrt", "forée_le"),
    "probing_id": ("sondering", "sonderingspunkt", "sondierung", "sondierpunkt", "sondage"),
    "status": ("tilstand", "zustand", "état"),
    "remarks": ("merknad", "merknader", "kommentar", "bemerkung", "bemerkungen", "remarque", "remarques"),
    "winter_balance": ("vinterbalanse", "winterbilanz", "bilan_hivernal"),
    "summer_balance": ("sommerbalanse", "sommerbilanz", "bilan_estival"),
    "annual_balance": ("årsbalanse", "nettobalanse", "jahresbilanz", "massenbilanz", "bilan_annuel"),
}
for _name, _spellings in _OF_OTHER_LANGUAGES.items():
    _ALIASES[_name] = (*_ALIASES.get(_name, ()), *_spellings)

# names that say little by themselves: they stand for a column only where no other header of the row does
_VAGUE = {
    "stake_id": ("id", "nr", "number", "编号", "点号", "point"),
    "point_id": ("id", "nr", "number", "name", "编号"),
    "pit_id": ("id", "nr", "number", "编号", "点号"),
    "probing_id": ("id", "nr", "number", "编号", "点号", "point"),
    "glacier_id": ("id", "number", "编号"),
    "easting": ("x", "x_坐标", "e"),
    "northing": ("y", "y_坐标", "n"),
    "elevation": ("z", "z_坐标", "alt", "h", "高度", "height"),
    "exposed": ("reading", "读数", "height", "高度"),
    "date": ("datum", "time", "时间"),
    "year": ("survey_year", "measurement_year", "水文年"),
}
# the axes of a Chinese survey are turned: X points north; which is meant, the positions themselves tell
AXIS_LETTERS = ("x", "y", "x_坐标", "y_坐标")

# a date in three columns
DATE_PARTS = {
    "day": ("day", "dd", "日", "天", "day_of_month", "date_day"),
    "month": ("month", "mm", "mon", "月", "月份", "date_month"),
    "year": ("year", "yyyy", "yy", "年", "年份", "date_year"),
}

# where a row only points at its glacier, its name does as well
_NAMES_OF_A_GLACIER = ("glacier_name", *(name for name in _ALIASES["glacier_name"] if name != "name"))

_SHEETS = {
    "glacier": ("glaciers", "冰川", "冰川信息", "bre", "gletscher"),
    "stakes": (
        *("stake", "stake_positions", "花杆", "测杆", "花杆位置", "花杆坐标", "测杆位置", "杆位"),
        *("staker", "stakeposisjoner", "pegel", "pegelstandorte", "balises"),
    ),
    "readings": (
        *(
            "reading",
            "stake_readings",
            "花杆读数",
            "花杆观测",
            "测杆读数",
            "花杆测量",
            "测杆观测",
            "观测记录",
            "花杆记录",
        ),
        *("avlesninger", "stakeavlesninger", "ablesungen", "pegelablesungen", "lectures"),
    ),
    "snow_pits": (
        *("snow_pit", "snowpits", "pits", "pit", "雪坑", "雪坑信息"),
        *("snøsjakter", "sjakter", "schneeschächte", "schächte", "puits"),
    ),
    "pit_layers": (
        *("pit_layer", "layers", "snow_pit_layers", "雪坑分层", "雪坑剖面", "雪层"),
        *("snølag", "lag", "schichten", "couches"),
    ),
    "probings": (
        *("probing", "snow_probings", "snow_depths", "雪深探测", "雪深", "测深"),
        *("sonderinger", "snøsonderinger", "sondierungen", "sondages"),
    ),
    "hypsometry": (
        *("area_altitude", "area_elevation", "面积高程", "面积高程分布", "areal_høyde", "høydefordeling"),
        *("flächenverteilung", "hypsometrie", "hypsométrie", "hypsografi"),
    ),
    "point_balances": (
        *("point_balance", "point_mass_balance", "mass_balance_point", "mass_balance_points", "massbalance_point"),
        *("fog2023_mass_balance_point", "fog2026_mass_balance_point", "单点物质平衡", "点物质平衡"),
    ),
    "zone_balances": ("zones", "bands", "高度带物质平衡", "高度带"),
}
_TABLE_OF_SHEET = {spelling: table for table, spellings in _SHEETS.items() for spelling in spellings}


@dataclass(frozen=True, kw_only=True)
class Heading:
    """A recognised column: its place in the sheet and how its numbers become the unit of the schema.

    ``unit`` is as spelled, empty where the header states none and the schema's own name is used; ``assumed_unit``
    where the header is another name without a unit; ``aside`` what its brackets say that is no unit, or a power
    spelled out; ``spelled`` the name as it stands there.
    """

    column: Column
    index: int
    multiply: int
    divide: int
    unit: str
    known_unit: bool = True
    assumed_unit: bool = False
    aside: str = ""
    spelled: str = ""

    @property
    def scale(self) -> Scale:
        """How the numbers of the column convert."""
        return Scale(self.unit, self.multiply, self.divide)


@dataclass(frozen=True, kw_only=True)
class HeaderRow:
    """The header row (index from 0), its recognised columns, and the headers that stand for nothing we know.

    ``repeated`` are the headers that name a column a second time; ``first_record`` is the row below the header and the
    rows of units or of a second language that follow it.
    """

    row: int
    headings: tuple[Heading, ...]
    unknown: tuple[tuple[int, str], ...]
    repeated: tuple[tuple[int, str], ...] = ()
    first_record: int = 0


def sheet_key(name: str) -> str:
    """The table name a sheet's name stands for: 'Snow pits' is ``snow_pits``.

    Parameters
    ----------
    name : as typed, in English or Chinese.

    Example
    -------
    >>> sheet_key("Snow pits")
    'snow_pits'
    """
    key = token(name)
    return _TABLE_OF_SHEET.get(key, key)


def find_header(sheet: RawSheet, table: Table) -> HeaderRow | None:
    """The first row that names at least three columns of the table, or all of them in a sheet of fewer columns.

    A row of units below it, and a second row of names (in another language), belong to the header. A title is none,
    even where it is the name of a column.

    Parameters
    ----------
    sheet : with its cells as typed.
    table : whose columns are looked for.
    """
    fewest = min(3, max((len(cells) for cells in sheet.rows), default=0))
    for row, cells in enumerate(sheet.rows[:HEADER_WITHIN_ROWS]):
        header = header_of(cells, row, table)
        if header is not None and len(header.headings) + _date_in_parts(cells) >= fewest:
            return _with_rows_below(sheet, header, table)
    return None


def _date_in_parts(cells: Sequence[Any]) -> bool:
    """Whether a row names day, month and year, which make one column more."""
    names = {token(cell) for cell in cells if isinstance(cell, str)}
    return all(names & set(part) for part in DATE_PARTS.values())


def header_of(cells: Sequence[Any], row: int, table: Table) -> HeaderRow | None:
    """The columns of the table that a row's cells name; None where they name none.

    Parameters
    ----------
    cells : of the row, as typed.
    row : its number in the sheet, from 0.
    table : whose columns are looked for.
    """
    texts = [(index, str(text)) for index, text in enumerate(cells) if text is not None]
    headings: dict[str, Heading] = {}
    unknown: list[tuple[int, str]] = []
    repeated: list[tuple[int, str]] = []
    for index, text in texts:
        heading = recognise(text, index, table)
        if heading is None:
            unknown.append((index, text))
        elif heading.column.name in headings:
            repeated.append((index, text))
        else:
            headings[heading.column.name] = heading
    if not headings:
        return None
    still_unknown = []
    for index, text in unknown:
        heading = _vaguely(text, index, table, headings)
        if heading is None:
            still_unknown.append((index, text))
        else:
            headings[heading.column.name] = heading
    return HeaderRow(
        row=row,
        headings=tuple(headings.values()),
        unknown=tuple(still_unknown),
        repeated=tuple(repeated),
        first_record=row + 1,
    )


def _with_rows_below(sheet: RawSheet, header: HeaderRow, table: Table) -> HeaderRow:
    """The header with what the row below it says, where that row holds units or the same names once more."""
    if header.first_record >= len(sheet.rows):
        return header
    below = sheet.rows[header.first_record]
    again = header_of(below, header.first_record, table)
    if (
        again is not None
        and len(again.headings) >= min(3, len(header.headings))
        and {h.column.name for h in again.headings} <= {h.column.name for h in header.headings}
    ):
        return replace(header, first_record=header.first_record + 1)
    units = _row_of_units(below, header.headings)
    if units is None:
        return header
    return replace(header, headings=units, first_record=header.first_record + 1)


def _row_of_units(cells: Sequence[Any], headings: Iterable[Heading]) -> tuple[Heading, ...] | None:
    """The headings with the units of a row that holds nothing else; None for any other row."""
    held: list[Heading] = []
    stated = False
    for heading in headings:
        text = cells[heading.index] if heading.index < len(cells) else None
        scale = scale_of(text, _unit(heading.column)) if isinstance(text, str) else None
        if scale is not None:
            held.append(replace(heading, **scale.__dict__, assumed_unit=False))
            stated = True
        elif text is None or str(text).strip() in _NO_UNIT:
            held.append(heading)
        else:
            return None
    return tuple(held) if stated else None


def _vaguely(text: str, index: int, table: Table, known: Mapping[str, Heading]) -> Heading | None:
    """The column that a header of little meaning stands for, where no other header of the row names it."""
    name, brackets = _split(text)
    for column in table.columns:
        of_another = _base(column) == "glacier_id" and table.name != "glacier"
        if column.name not in known and not of_another and name in _VAGUE.get(_base(column), ()):
            return replace(_heading(column, index, brackets, name), assumed_unit=has_scales(column.unit))
    return None


def _split(text: str) -> tuple[str, list[str]]:
    """The name in a header, and what its brackets hold."""
    brackets = re.findall(r"[(\[（【]([^)\]）】]*)[)\]）】]", text)
    return token(re.sub(r"[(\[（【][^)\]）】]*[)\]）】]", " ", text)), brackets


def recognise(text: str, index: int, table: Table) -> Heading | None:
    """The column of the table that a header stands for; None when it names none.

    Parameters
    ----------
    text : of the cell, its unit in brackets included.
    index : of the column in the sheet, from 0.
    table : whose columns are looked for.
    """
    name, brackets = _split(text)
    for spelled in (name, *_languages(name)):
        heading = _named(spelled, brackets, index, table)
        if heading is not None:
            return heading
    return None


def _languages(name: str) -> tuple[str, ...]:
    """The Latin and the Chinese words of a header in two languages: 'snow_depth_雪深' is both."""
    words = name.split("_")
    chinese = [word for word in words if re.search(r"[\u4e00-\u9fff]", word)]
    latin = [word for word in words if word not in chinese]
    return ("_".join(latin), "_".join(chinese)) if latin and chinese else ()


def _named(name: str, brackets: Sequence[str], index: int, table: Table) -> Heading | None:
    for column in table.columns:
        base = _base(column)
        spellings = (base, *_ALIASES.get(base, ()))
        if base == "glacier_id" and "glacier_name" not in table.column_names:
            spellings += _NAMES_OF_A_GLACIER
        if name == column.name or name in spellings:
            return _heading(column, index, brackets, name)
        for spelled in spellings_of(_unit(column)) if not brackets else ():
            if any(name == f"{spelling}_{spelled}" for spelling in spellings):
                return _heading(column, index, (spelled,), name)
    return None


def _heading(column: Column, index: int, brackets: Sequence[str], name: str) -> Heading:
    """The heading with the unit in brackets; brackets may also hold other words, if one of them is a unit."""
    if not has_scales(column.unit):
        return Heading(column=column, index=index, multiply=1, divide=1, unit="", spelled=name)
    spelled = [text for text in brackets if text.strip()]
    for text in spelled:
        scale = scale_of(text, _unit(column))
        if scale is not None:
            aside = text.strip() if "^" in text or "**" in text else ""
            return Heading(column=column, index=index, **scale.__dict__, aside=aside, spelled=name)
    wrong = next((text for text in spelled if not is_no_unit(text, column.name)), None)
    if wrong is not None:
        return Heading(
            column=column, index=index, multiply=1, divide=1, unit=token(wrong), known_unit=False, spelled=name
        )
    assumed = name != column.name and column.name != _base(column)
    aside = ", ".join(text.strip() for text in spelled)
    return Heading(
        column=column, index=index, multiply=1, divide=1, unit="", assumed_unit=assumed, aside=aside, spelled=name
    )


def _unit(column: Column) -> str:
    return unit_of(column.name, column.unit)


def _base(column: Column) -> str:
    """The column's name without its unit."""
    return column.name.removesuffix(_SUFFIXES.get(column.unit, "\0"))
