"""What the report of a run holds, taken together from the result and from what was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from shapely.geometry import box
from shapely.geometry.base import BaseGeometry

from catalog.archive import MAP_PNG, REPORT_HTML, SETTINGS_TOML, TABLES, tool_versions
from catalog.formats import published_table, signed
from catalog.pages import (
    ReportPicture,
    ReportSetting,
    ReportStep,
    ReportTable,
    RunReport,
    extent_map,
    plots_of_result,
    shapes_of_result,
    write_run_report,
)
from catalog.reports import judgements, result_numbers, suggestions
from catalog.runs.asked import Asked
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import MassBalance
from schemas.chinese import table_title_cn
from schemas.definition import Bilingual
from schemas.fields import Column
from schemas.messages import Advice, Message, chinese_of
from schemas.tables import PUBLISHED_TABLES

# rows of a table that stand in the report; the file has all
_MOST_ROWS = 40
# maps of single years in the report: the last ones
_MOST_MAPS = 12
_SCHEMAS = {table.name: table for table in PUBLISHED_TABLES}
_SPREAD = ("count", "mean_m", "median_m", "std_m", "nmad_m", "rmse_m", "le90_m")


@dataclass(frozen=True)
class _Chosen:
    """What of a table stands in the report: its columns, and the rows that have a value in a column."""

    table: str
    columns: tuple[str, ...]
    only: tuple[str, str] | None = None


_OF_CHANGE = (
    _Chosen("accuracy", ("step", *_SPREAD), ("class", "all")),
    _Chosen(
        "glaciers",
        (
            "glacier_id",
            "glacier_name",
            "area_km2",
            "mean_dh_m",
            "sigma_mean_dh_m",
            "volume_change_m3",
            "observed_share",
        ),
    ),
    _Chosen(
        "elevation_bands",
        ("lower_m", "upper_m", "area_km2", "observed_share", "mean_dh_m", "sigma_mean_dh_m", "nmad_dh_m"),
        ("glacier_id", "all"),
    ),
    _Chosen("coregistration", ("iteration", "shift_east_m", "shift_north_m", "shift_up_m", "nmad_m", "count")),
    _Chosen("dem_checks", ("dem", "tile", "check", "value", "limit", "unit", "passed", "note")),
    _Chosen("dates", ("input", "product", "date", "sigma_years", "basis")),
)
_OF_BALANCE = (
    _Chosen(
        "glacier_balances",
        (
            "year", "annual_balance_m_we", "sigma_annual_m_we", "winter_balance_m_we", "summer_balance_m_we", "ela_m",
            "ela_position", "aar", "n_stakes", "n_pits", "flags",
        ),
    ),
    _Chosen("quality_flags", ("year", "subject", "flag", "detail", "meaning")),
    _Chosen(
        "geodetic_check",
        ("first_year", "last_year", "glaciological_balance_m_we", "geodetic_balance_m_we", "reduced_discrepancy"),
    ),
    _Chosen("calibrated_balances", ("year", "calibrated_balance_m_we", "sigma_calibrated_m_we")),
    _Chosen("input_notes", ("kind", "sheet", "cell", "found", "used")),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What differs between the reports of the two kinds of run."""

    title: Bilingual
    facts: Sequence[str]
    maps: Mapping[str, str]
    pictures: Mapping[str, str]
    steps: Sequence[Mapping[str, str]]
    notes: Sequence[str]
    place: BaseGeometry | None
    tables: Sequence[_Chosen]


def write_change_report(result: ElevationChange, folder: Path, asked: Asked, code_version: str) -> None:
    """Write settings and report of an elevation change beside its files, whose pictures the report holds."""
    from catalog.figures import diagrams_of
    from catalog.items import elevation_change_steps

    days = [day for day in (result.settings.earlier_date, result.settings.later_date) if day]
    pictures = {f"{diagram.name}.png": diagram.title for diagram in diagrams_of(result)}
    parts = _Parts(
        title=Bilingual(en="Elevation change", cn="高程变化"),
        facts=[
            " \N{RIGHTWARDS ARROW} ".join(one.path.name for one in asked.given if not one.option),
            " to ".join(days),
            f"{result.grid.crs}, {result.grid.pixel_size[0]:g} m, {result.grid.shape[1]} x {result.grid.shape[0]}",
        ],
        maps={MAP_PNG: Message("Map of the elevation change with glacier outlines")},
        pictures=pictures,
        steps=list(elevation_change_steps(result)),
        notes=[note for note in result.notes if not isinstance(note, Advice)],
        place=box(*result.grid.bounds_lonlat),
        tables=_OF_CHANGE,
    )
    _write(result, folder, asked, code_version, parts)


def write_balance_report(result: MassBalance, folder: Path, asked: Asked, code_version: str) -> None:
    """Write settings and report of a mass balance beside its files, whose pictures the report holds."""
    from catalog.items import COLLECTION_FIGURES, mass_balance_steps

    known = [year for year in result.years if year.annual_m_we is not None]
    mapped = [year.year for year in known if (folder / f"map_{year.year}.png").is_file()][-_MOST_MAPS:]
    name = result.glacier.name
    parts = _Parts(
        title=Bilingual(en=f"Mass balance of {_printable(name)}", cn=f"{_printable(name)}的物质平衡"),
        facts=[
            result.glacier.glacier_id,
            f"{known[0].year} \N{EN DASH} {known[-1].year}" if known else "",
            ", ".join(one.path.name for one in asked.given),
        ],
        maps={f"map_{year}.png": f"{name}, {year}" for year in mapped},
        pictures=COLLECTION_FIGURES,
        steps=list(mass_balance_steps(result, known[-1])) if known else [],
        notes=[],
        place=None,
        tables=_OF_BALANCE,
    )
    _write(result, folder, asked, code_version, parts)


def _write(result: ElevationChange | MassBalance, folder: Path, asked: Asked, code_version: str, parts: _Parts) -> None:
    (folder / SETTINGS_TOML).write_text(asked.settings_text, encoding="utf-8", newline="\n")
    glaciers = shapes_of_result(result)
    report = RunReport(
        title=parts.title,
        facts=tuple(_both(fact) for fact in parts.facts if fact),
        numbers=result_numbers(result),
        judgements=judgements(result),
        suggestions=tuple(_both(said) for said in suggestions(result)),
        map=extent_map([parts.place], glaciers=glaciers) if parts.place is not None else None,
        maps=_pictures(folder, parts.maps),
        pictures=_pictures(folder, parts.pictures),
        plots=plots_of_result(result),
        tables=tuple(_tables(result.tables, parts.tables)),
        notes=tuple(_both(note) for note in parts.notes),
        steps=tuple(
            ReportStep(title=_both(step["name"]), expression=_both(step["expression"]), reference=step["reference"])
            for step in parts.steps
        ),
        inputs=asked.inputs(),
        settings=tuple(_settings(asked)),
        software=(("glacier-archive", code_version), *tool_versions().items()),
        repeat=asked.repeat,
        settings_file=SETTINGS_TOML,
    )
    write_run_report(folder / REPORT_HTML, report)


def _pictures(folder: Path, titles: Mapping[str, str]) -> tuple[ReportPicture, ...]:
    """Those that were drawn."""
    named = [(folder / name, title) for name, title in titles.items()]
    return tuple(ReportPicture.of(path, _both(title)) for path, title in named if path.is_file())


def _tables(frames: Mapping[str, pd.DataFrame], chosen: Sequence[_Chosen]) -> Iterator[ReportTable]:
    """The chosen columns and rows of those tables that hold anything, as they are published."""
    for one in chosen:
        if one.table not in frames or frames[one.table].empty:
            continue
        table = _SCHEMAS[one.table]
        published = published_table(table, frames[one.table])
        at = [table.column_names.index(name) for name in one.columns]
        rows = published.rows
        if one.only is not None:
            place = table.column_names.index(one.only[0])
            rows = tuple(row for row in rows if row[place] == one.only[1])
        if not rows:
            continue
        columns = [table.columns[place] for place in at]
        yield ReportTable(
            title=Bilingual(en=table.title, cn=table_title_cn(table)),
            file=f"{TABLES}/{table.name}.csv",
            header=tuple(_heading(column) for column in columns),
            rows=tuple(
                tuple(_cell(column, row[place]) for column, place in zip(columns, at, strict=True))
                for row in rows[:_MOST_ROWS]
            ),
            numeric=tuple(column.type in ("number", "integer") for column in columns),
            left_out=max(0, len(rows) - _MOST_ROWS),
        )


def _heading(column: Column) -> str:
    """The column's name in words, with its unit behind it."""
    spelled = re.sub(r"[^\w]+", "_", column.unit).strip("_")
    name = column.name.removesuffix(f"_{spelled}") if spelled else column.name
    told = column.unit in ("", "1") or (column.unit == "a" and name.endswith("years"))
    unit = "" if told else column.unit
    return ", ".join(part for part in (name.replace("_", " "), unit) if part)


def _cell(column: Column, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if column.type == "number":
        return signed(value, column.decimals) if column.decimals is not None else f"{value:g}"
    return f"{value:,}" if column.type == "integer" and column.name == "count" else str(value)


def _settings(asked: Asked) -> Iterator[ReportSetting]:
    """Every setting as it was asked for, those of the command last."""
    for model in (asked.settings, asked.options):
        for name, field in type(model).model_fields.items():
            value = getattr(model, name)
            yield ReportSetting(
                name=name,
                value="\N{EN DASH}" if value is None else _said(value),
                meaning=field.description or "",
                changed=value != field.get_default(),
            )


def _said(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(_said(part) for part in value) or "\N{EN DASH}"
    return ("no", "yes")[value] if isinstance(value, bool) else _printable(str(value))


def _both(text: str) -> Bilingual:
    return Bilingual(en=_printable(text), cn=chinese_of(text))


def _printable(text: str) -> str:
    """Text of a file's or a glacier's name that a page can hold."""
    return "".join(char for char in text if char.isprintable())
