"""Checks of derived tables: order, units in every format, and the sums, means and squares that their columns are of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from catalog.archive import Document, TableFile, all_tables, collections, first
from catalog.checks.consistency import named, numbers, row_failures
from catalog.checks.provenance import definition_of
from catalog.checks.result import Failure, check
from catalog.checks.tables import arrow_schema, books_of, read_sheets
from catalog.formats import inert_text, text_of_csv
from schemas.tables import PAIR

_REBUILD = "build the archive again"
_RECOMPUTE = "recompute the table from its source"
_ROUNDED = 0.0005  # largest rounding error of a length published at 0.001 m


@check("table-order", "the records of a table are sorted by its key", all_tables)
def table_order(table: TableFile) -> Iterator[Failure]:
    keys = list(table.schema["primaryKey"])
    kinds = {field["name"]: field["type"] for field in table.fields}
    frame = table.frame()[keys]
    typed = pd.DataFrame({key: _sortable(frame[key], kinds[key]) for key in keys})
    ordered = typed.sort_values(keys, kind="stable")
    if not ordered.index.equals(typed.index):
        row = int(np.flatnonzero(ordered.index.to_numpy() != typed.index.to_numpy())[0])
        expected = f"records sorted by {', '.join(keys)}"
        yield Failure(f"{table.file}:{row + 2}", "a record out of order", expected, _REBUILD)


def _sortable(cells: pd.Series[str], kind: str) -> pd.Series[Any]:
    return pd.to_numeric(cells, errors="coerce") if kind in ("number", "integer", "year") else cells.map(text_of_csv)


@check(
    "units-in-copies", "Parquet and workbook give each column the unit and the meaning of the data package", all_tables
)
def units_in_copies(table: TableFile) -> Iterator[Failure]:
    archive, name = table.archive, str(table.resource["name"])
    units = {field["name"]: str(field.get("unit") or "") for field in table.fields}
    parquet = f"{table.file.removesuffix('.csv')}.parquet"
    if parquet in archive.path_set:
        for field in arrow_schema(archive, parquet):
            about = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            if field.name in units and about.get("unit", "") != units[field.name]:
                where = f"{parquet}: {field.name}"
                yield Failure(where, f"unit {about.get('unit')!r}", f"{units[field.name]!r}, as in CSV", _REBUILD)
    for path in books_of(table):
        rows = read_sheets(archive, path).get(name[:31])
        if rows is None or len(rows) < 2:
            continue
        for column, stated in zip(rows[0], rows[1], strict=False):
            told = "" if stated in (None, "-") else str(stated)
            if str(column) in units and told != units[str(column)]:
                expected = f"{units[str(column)] or '-'!r}, as in the data package"
                yield Failure(f"{path}: {name}.{column}", f"unit {told!r}", expected, _REBUILD)


@check(
    "workbook-front",
    "the first sheet of a workbook tells title, citation, version and projection of its definition",
    collections,
)
def workbook_front(collection: Document) -> Iterator[Failure]:
    definition = definition_of(collection)
    path = f"{collection.folder}/tables/{collection.collection_id}.xlsx"
    if path not in collection.archive.path_set:
        return
    sheets = read_sheets(collection.archive, path)
    told = "\n".join(str(cell) for row in sheets.get("README", ()) for cell in row if cell is not None)
    for words in (
        str(collection.content.get("title")),
        str(collection.content.get("sci:citation")),
        f"{definition['version']}, {definition['publication_date']}",
        f"{definition['period']['start']} to {definition['period']['end']}",
        str(definition["crs"]),
        str(definition["title"].get("cn") or ""),
    ):
        # a workbook holds text without control characters and direction marks
        if inert_text(words) not in told:
            yield Failure(f"{path}: README", "a sheet without it", f"{words!r}", _REBUILD)
    for stated, expected in zip(_counts(sheets.get("README", ())), _counts_of(collection), strict=False):
        if stated != expected:
            yield Failure(f"{path}: README", f"{stated}", f"{expected} records", _REBUILD)


def _counts(rows: Any) -> list[tuple[str, int]]:
    """Sheets and records as the first sheet lists them."""
    start = next((k for k, row in enumerate(rows) if row and row[0] == "sheet"), None)
    listed: list[tuple[str, int]] = []
    for row in rows[start + 1 :] if start is not None else ():
        if not row or row[0] is None:
            break
        listed.append((str(row[0]), int(row[2])))
    return listed


def _counts_of(collection: Document) -> list[tuple[str, int]]:
    tables = [table for table in all_tables(collection.archive) if table.collection == collection.collection_id]
    return [(str(table.resource["name"])[:31], len(table.frame())) for table in tables]


@check("region-mean", "the mean change of the region is its volume over its area", named("region"))
def region_mean(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "area_km2", "mean_dh_m", "volume_change_m3")
    true = rows["volume_change_m3"] / (1e6 * rows["area_km2"])
    slack = _ROUNDED + (5.0 * rows["mean_dh_m"].abs() + 0.5) / (1e6 * rows["area_km2"])
    yield from row_failures(table, rows["mean_dh_m"], true, slack.fillna(0), "volume over area")


_PARTS = ("measurement", "filling", "coregistration", "correction", "resolution")


@check(
    "errors-add-up",
    "the error of a mean change is the root of the squares of its parts, and that of the volume follows from it",
    named("glaciers", "region"),
)
def errors_add_up(table: TableFile) -> Iterator[Failure]:
    parts = [f"sigma_{name}_m" for name in _PARTS]
    rows = numbers(table, "area_km2", "sigma_mean_dh_m", "sigma_area_m", "sigma_volume_change_m3", *parts)
    known = rows[parts].notna().any(axis=1)
    root = np.sqrt((rows[parts].fillna(0) ** 2).sum(axis=1)).where(known)
    yield from row_failures(table, rows["sigma_mean_dh_m"], root, len(parts) * _ROUNDED, "the root of its parts")
    both = np.hypot(rows["sigma_mean_dh_m"], rows["sigma_area_m"].fillna(0))
    area = 1e6 * rows["area_km2"]
    slack = 2 * _ROUNDED * area + 5.0 * both + 0.5
    says = "area times the error of the mean, that of the area with it"
    yield from row_failures(table, rows["sigma_volume_change_m3"], area * both, slack.fillna(0), says)


@check(
    "area-within-epochs",
    "the area of a glacier is as large as at each of its epochs, and lies on the globe",
    named("glaciers"),
)
def area_within_epochs(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "area_earlier_km2", "area_later_km2", "area_km2", "mean_area_km2")
    for name in ("area_earlier_km2", "area_later_km2"):
        for row in np.flatnonzero(rows[name] > rows["area_km2"] + 1e-5):
            expected = f"at most area_km2 {rows['area_km2'].iloc[row]:.5f}"
            yield Failure(f"{table.file}:{row + 2}", f"{name} {rows[name].iloc[row]:.5f}", expected, _RECOMPUTE)
    both = rows[["area_earlier_km2", "area_later_km2"]]
    mean = both.mean(axis=1).where(both.notna().all(axis=1))
    yield from row_failures(table, rows["mean_area_km2"], mean, 1.5e-5, "the mean of both epochs")


@check("accuracy-adds-up", "the root mean square of a class is that of its mean and its spread", named("accuracy"))
def accuracy_adds_up(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "mean_m", "mean_absolute_m", "std_m", "rmse_m")
    root = (rows["mean_m"] ** 2 + rows["std_m"] ** 2) ** 0.5
    yield from row_failures(table, rows["rmse_m"], root, 4 * _ROUNDED, "the root of mean and spread")
    for name, above in (("mean_m", "mean_absolute_m"), ("mean_absolute_m", "rmse_m")):
        for row in np.flatnonzero(rows[name].abs() > rows[above] + 2 * _ROUNDED):
            told = f"{name} {rows[name].iloc[row]:.3f}"
            yield Failure(f"{table.file}:{row + 2}", told, f"within {above} {rows[above].iloc[row]:.3f}", _RECOMPUTE)


@check(
    "bands-make-the-region", "a band of the region is the sum of that band of its glaciers", named("elevation_bands")
)
def bands_make_the_region(table: TableFile) -> Iterator[Failure]:
    frame = table.frame()
    rows = numbers(table, "lower_m", "area_km2", "observed_share", "mean_dh_m")
    pair = frame[PAIR.name] if PAIR.name in frame.columns else pd.Series("", index=frame.index)
    whole = (frame["glacier_id"] == "all").to_numpy()
    if not whole.any() or not (~whole).any():
        return
    rows["measured"] = rows["area_km2"] * rows["observed_share"]
    rows["product"] = rows["measured"] * rows["mean_dh_m"].fillna(0)
    rows["pair"] = pair
    sums = rows[~whole].groupby(["pair", "lower_m"])[["area_km2", "measured", "product"]].sum()
    counts = rows[~whole].groupby(["pair", "lower_m"]).size()
    own = rows[whole]
    keys = pd.MultiIndex.from_frame(own[["pair", "lower_m"]])
    area, slack = _at(sums["area_km2"], keys), 5e-6 * (_at(counts, keys) + 1)
    mean = _at(sums["product"], keys) / np.maximum(_at(sums["measured"], keys), 1e-9)
    for place, true_area, true_mean, edge in zip(own.index, area, mean, slack, strict=True):
        where = f"{table.file}:{int(place) + 2}"
        stated, told = float(own.loc[place, "area_km2"]), float(own.loc[place, "mean_dh_m"])
        if abs(stated - true_area) > edge + 1e-9:
            yield Failure(where, f"area_km2 {stated:.5f}", f"{true_area:.5f}, the sum of its glaciers", _RECOMPUTE)
        elif np.isfinite(told) and abs(told - true_mean) > _OF_BANDS * max(1.0, abs(true_mean)):
            yield Failure(where, f"mean_dh_m {told:.3f}", f"{true_mean:.3f}, the mean of its glaciers", _RECOMPUTE)


_OF_BANDS = 0.01  # shares are published at 0.0001: what is measured of a small band is known to a hundredth


def _at(values: pd.Series[Any], keys: pd.MultiIndex) -> NDArray[np.float64]:
    return values.reindex(keys).fillna(0).to_numpy(float)


@check(
    "gates-as-promised",
    "a quality gate has the limit and the unit that the definition promises",
    named("quality_gates"),
)
def gates_as_promised(table: TableFile) -> Iterator[Failure]:
    own = (one for one in table.archive.collections if one.collection_id == table.collection)
    promised = {gate["name"]: gate for gate in definition_of(first(own, "collection")).get("gates", ())}
    for row, record in enumerate(table.frame().to_dict("records"), 2):
        gate = promised.get(str(record["gate"]))
        if gate is None:
            yield Failure(f"{table.file}:{row}", f"gate {record['gate']!r}", f"one of {sorted(promised)}", _RECOMPUTE)
        elif abs(float(record["limit"]) - float(gate["limit"])) > 1e-4 or record["unit"] != gate["unit"]:
            told = f"limit {record['limit']} {record['unit']}"
            yield Failure(f"{table.file}:{row}", told, f"{gate['limit']:g} {gate['unit']}", _RECOMPUTE)


# column of the form, ours, what ours is multiplied by
_POINTS_2023 = (("POINT_BALANCE", "balance_m_we", 1000.0), ("POINT_BALANCE_UNCERTAINTY", "sigma_balance_m_we", 1000.0))
_POINTS_2026 = (("balance", "balance_m_we", 1.0), ("balance_unc", "sigma_balance_m_we", 1.0))


@check(
    "wgms-points-agree",
    "a point in the form of the WGMS has balance and error of that point and period in the archive's own table",
    named("fog2023_mass_balance_point", "fog2026_mass_balance_point"),
)
def wgms_points_agree(table: TableFile) -> Iterator[Failure]:
    old = str(table.resource["name"]).startswith("fog2023")
    keys = ("POINT_ID", "FROM_DATE", "TO_DATE") if old else ("original_id", "begin_date", "end_date")
    own: dict[tuple[str, str, str], list[dict[Any, Any]]] = {}
    for record in table.sibling("point_balances").frame().to_dict("records"):
        key = (record["point_id"], record["begin_date"].replace("-", ""), record["end_date"].replace("-", ""))
        own.setdefault(key, []).append(record)
    for row, stated in enumerate(table.frame().to_dict("records"), 2):
        key = (stated[keys[0]], stated[keys[1]].replace("-", ""), stated[keys[2]].replace("-", ""))
        known = own.get(key)
        if known is None:
            continue  # a form may name a point of a date that the table leaves out
        columns = _POINTS_2023 if old else _POINTS_2026
        if not any(all(_equal(stated[name], record[ours], by) for name, ours, by in columns) for record in known):
            told = ", ".join(f"{name} {stated[name]}" for name, _, _ in columns)
            yield Failure(f"{table.file}:{row}", told, "that of the point in point_balances", _RECOMPUTE)


def _equal(stated: str, ours: str, factor: float) -> bool:
    if stated == "" or ours == "":
        return stated == "" or ours == ""
    rounding = 0.5 * factor * 0.01 + 0.5 * 10.0 ** -len(stated.partition(".")[2])
    return abs(float(stated) - factor * float(ours)) <= rounding + 1e-6
