"""Checks across files: sums, means, products and words that stand in more than one place must agree."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil, floor
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rasterio.features import bounds, rasterize
from rasterio.warp import transform_geom

from catalog.archive import (
    CATALOG_JSON,
    CITATION_TXT,
    COLLECTION_JSON,
    CRATE_JSON,
    DATACITE_JSON,
    DATAPACKAGE_JSON,
    DATASET_JSONLD,
    INDEX_HTML,
    ISO19139_XML,
    MANIFEST_JSON,
    METADATA,
    NCDC_JSON,
    Archive,
    Document,
    OpenedRaster,
    TableFile,
    WrongForm,
    all_tables,
    collections,
    first,
    geometry_of,
    rasters,
    stable_terrain,
)
from catalog.checks.rasters import grid_of, nodata_of, valid_values
from catalog.checks.result import Failure, check
from catalog.checks.stac import leaves
from catalog.checks.tables import of_pair, same_cell
from catalog.metadata import stated_fields, without_turns
from pipeline.grid import Grid

_REBUILD = "build the archive again"
_RECOMPUTE = "recompute the table from its source"
_HALF_CENTIMETRE = 0.005  # largest rounding error of a balance published at 0.01 m w.e.
_SLACK = 1e-6
_EDGE_PIXELS_M = 0.05


def named(*names: str) -> Callable[[Archive], Iterator[TableFile]]:
    """Subjects: the tables with one of these names."""

    def chosen(archive: Archive) -> Iterator[TableFile]:
        return (table for table in all_tables(archive) if table.resource.get("name") in names)

    return chosen


def numbers(table: TableFile, *columns: str) -> pd.DataFrame:
    """Columns as numbers, NaN where empty; keys are left to the caller."""
    frame: pd.DataFrame = table.frame()[list(columns)].apply(pd.to_numeric)
    return frame


def row_failures(
    table: TableFile, stated: pd.Series[float], true: pd.Series[float], tolerance: object, says: str
) -> Iterator[Failure]:
    """The rows whose stated value is further than its tolerance from the true one; ``says`` what the true one is."""
    limits = np.broadcast_to(np.asarray(tolerance, dtype=float), (len(stated),))
    wrong = (stated - true).abs().to_numpy() > limits + _SLACK
    for row in np.flatnonzero(wrong):
        value = f"{stated.name} {stated.iloc[row]:.10g}"
        yield Failure(f"{table.file}:{row + 2}", value, f"{true.iloc[row]:.10g}, {says}", _RECOMPUTE)


@check(
    "volume-is-area-times-mean",
    "the volume change of each glacier is its area times its mean elevation change",
    named("glaciers"),
)
def volume_is_area_times_mean(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "area_km2", "mean_dh_m", "volume_change_m3")
    area_m2 = rows["area_km2"] * 1e6
    # the mean is published at 0.001 m, the area at 10 m2, the volume at 1 m3
    tolerance = 0.0005 * area_m2 + 5.0 * rows["mean_dh_m"].abs() + 0.5
    says = "area times mean"
    yield from row_failures(table, rows["volume_change_m3"], area_m2 * rows["mean_dh_m"], tolerance.fillna(0), says)


@check(
    "rates-follow-changes",
    "the volume and mass changes of a glacier have the sign of its mean elevation change",
    named("glaciers"),
)
def rates_follow_changes(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "mean_dh_m", "mean_dhdt_m_a", "volume_change_m3", "mass_change_kg")
    for column in ("mean_dhdt_m_a", "volume_change_m3", "mass_change_kg"):
        wrong = rows[column] * rows["mean_dh_m"] < 0
        for row in np.flatnonzero(wrong):
            rate = f"{column} {rows[column].iloc[row]:.10g}"
            expected = f"the sign of mean_dh_m {rows['mean_dh_m'].iloc[row]:.10g}"
            yield Failure(f"{table.file}:{row + 2}", rate, expected, _RECOMPUTE)


@check(
    "annual-is-winter-plus-summer",
    "annual balance is winter plus summer balance, within rounding",
    named("glacier_balances", "zone_balances"),
)
def annual_is_winter_plus_summer(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "annual_balance_m_we", "winter_balance_m_we", "summer_balance_m_we")
    total = rows["winter_balance_m_we"] + rows["summer_balance_m_we"]
    # three values, each rounded
    yield from row_failures(table, rows["annual_balance_m_we"], total, 3 * _HALF_CENTIMETRE, "winter plus summer")


@check(
    "zones-make-the-glacier",
    "the zoned balance of a year is the area-weighted mean of its zones",
    named("glacier_balances"),
)
def zones_make_the_glacier(table: TableFile) -> Iterator[Failure]:
    years = table.frame()["year"]
    stated = numbers(table, "zone_balance_m_we")["zone_balance_m_we"]
    zones = table.sibling("zone_balances")
    rows = numbers(zones, "area_km2", "annual_balance_m_we")
    rows["year"] = zones.frame()["year"]
    rows = rows.dropna()
    weighted = rows["area_km2"] * rows["annual_balance_m_we"]
    means = weighted.groupby(rows["year"]).sum() / rows["area_km2"].groupby(rows["year"]).sum()
    says = f"the mean of {zones.file}"
    # the mean of rounded zones is off by half a centimetre at most, and is itself rounded
    yield from row_failures(table, stated, years.map(means).astype(float), 2 * _HALF_CENTIMETRE, says)


@check(
    "zones-in-order",
    "the zones and bands of a table follow each other without overlap",
    named("zone_balances", "elevation_bands", "hypsometry"),
)
def zones_in_order(table: TableFile) -> Iterator[Failure]:
    rows = numbers(table, "lower_m", "upper_m")
    frame = table.frame()
    keys = [name for name in ("pair", "glacier_id") if name in frame.columns] or ["year"]
    group = [frame[name] for name in keys]
    for row in np.flatnonzero(rows["upper_m"] <= rows["lower_m"]):
        band = f"band {rows['lower_m'].iloc[row]:g} to {rows['upper_m'].iloc[row]:g}"
        yield Failure(f"{table.file}:{row + 2}", band, "lower_m below upper_m", "swap the edges back")
    stated = _stated_overlaps(table)
    for name, bands in rows.groupby(group):
        ordered = bands.sort_values("lower_m")
        for (_, below), (place, above) in pairwise(ordered.iterrows()):
            edges = f"{above['lower_m']:g}-{above['upper_m']:g}"
            if above["lower_m"] < below["upper_m"] and not {(str(name[0]), edges), ("", edges)} & stated:
                band = f"{' '.join(map(str, name))}: band from {above['lower_m']:g}"
                expected = f"from {below['upper_m']:g} up, where the band below ends"
                yield Failure(f"{table.file}:{int(str(place)) + 2}", band, expected, "correct the edges")


def _stated_overlaps(table: TableFile) -> set[tuple[str, str]]:
    """Year and edges of the bands that the balances of the glacier call overlapping; a hypsometry's serve any year."""
    if table.resource["name"] not in ("zone_balances", "hypsometry"):
        return set()
    any_year = table.resource["name"] == "hypsometry"
    balances = table.sibling("glacier_balances").frame()
    return {
        ("" if any_year else year, detail)
        for year, flags in zip(balances["year"], balances["flags"], strict=True)
        for kind, _, detail in (flag.partition(":") for flag in flags.split(";"))
        if kind == "overlapping_bands"
    }


@check("periods-in-order", "no period of a table ends before it begins", named("point_balances", "glacier_balances"))
def periods_in_order(table: TableFile) -> Iterator[Failure]:
    frame = table.frame()
    dated = [name for name in ("begin_date", "midseason_date", "end_date") if name in frame.columns]
    for row, dates in frame[dated].iterrows():
        days = [day for day in dates if day]  # ISO 8601 sorts as text
        if days != sorted(days):
            yield Failure(f"{table.file}:{int(str(row)) + 2}", f"days {days}", "days in order", "correct the dates")


@check(
    "years-have-items",
    "each year with a balance field has its item, and each such item its year",
    named("glacier_balances"),
)
def years_have_items(table: TableFile) -> Iterator[Failure]:
    years = set(table.frame()["year"])
    for item in table.archive.items:
        if item.collection_id == table.collection:
            year = str(item.content["properties"].get("glacier:year"))
            if year not in years:
                yield Failure(item.file, f"glacier:year {year}", f"a year of {table.file}", _REBUILD)


@check(
    "balance-table-is-in-stac",
    "the balances, by each method too, the ELA, the AAR and the area of an item are those of the table",
    named("glacier_balances"),
)
def balance_table_is_in_stac(table: TableFile) -> Iterator[Failure]:
    records = {str(record["year"]): record for record in table.frame().to_dict("records")}
    for item in table.archive.items:
        properties = item.content["properties"]
        record = records.get(str(properties.get("glacier:year")))
        if item.collection_id != table.collection or record is None:
            continue
        balance = properties["glacier:balance"]
        pairs = [
            (
                f"glacier:balance {name}",
                balance[name],
                record[name.replace("_m_we", "_balance_m_we") if not name.startswith("sigma") else name],
            )
            for name in balance
        ]
        for method, value in (properties.get("glacier:by_method") or {}).items():
            pairs.append((f"glacier:by_method {method}", value, record[f"{method}_balance_m_we"]))
        if "glacier:area_km2" in properties:
            pairs.append(("glacier:area_km2", properties["glacier:area_km2"], record["area_km2"]))
        pairs.append(("glacier:ela", properties["glacier:ela"]["altitude_m"], record["ela_m"]))
        pairs.append(("glacier:ela sigma_m", properties["glacier:ela"]["sigma_m"], record["sigma_ela_m"]))
        pairs.append(("glacier:aar", properties["glacier:aar"], record["aar"]))
        pairs.append(("glacier:sigma_aar", properties["glacier:sigma_aar"], record["sigma_aar"]))
        for name, stated, text in pairs:
            decimals = len(text.partition(".")[2])
            if not _agrees(stated, text, 0.5 * 10**-decimals):
                yield Failure(f"{item.file}: {name}", f"{stated}", f"{text or None}, as in {table.file}", _REBUILD)


def _agrees(stated: float | None, text: str, tolerance: float) -> bool:
    if stated is None or text == "":
        return stated is None and text == ""
    return abs(float(stated) - float(text)) <= tolerance + _SLACK


@check("field-mean-is-in-table", "the mean of a year's balance raster is the field balance in the table", rasters)
def field_mean_is_in_table(raster: OpenedRaster) -> Iterator[Failure]:
    year = raster.item.content["properties"].get("glacier:year")
    if raster.key != "balance" or year is None or not raster.archive.files.deep:
        return
    table = first(
        (t for t in named("glacier_balances")(raster.archive) if t.collection == raster.item.collection_id),
        "table glacier_balances",
    )
    record = table.frame().set_index("year").loc[str(year)]
    values = valid_values(raster.archive.band(raster.file, 1), nodata_of(raster, 1))
    # each pixel and the table are rounded to the centimetre; rounding of pixels averages out
    if record["field_balance_m_we"] and abs(values.mean() - float(record["field_balance_m_we"])) > 2 * _HALF_CENTIMETRE:
        expected = f"{record['field_balance_m_we']}, as in {table.file}"
        yield Failure(raster.file, f"mean {values.mean():.4f} m w.e.", expected, _RECOMPUTE)


@check(
    "totals-follow-glaciers",
    "number, area and volume of all glaciers together are those of the table",
    named("glaciers"),
)
def totals_follow_glaciers(table: TableFile) -> Iterator[Failure]:
    every = numbers(table, "area_km2", "volume_change_m3")
    for item in table.archive.items:
        totals = item.content["properties"].get("glacier:totals")
        if item.collection_id != table.collection or totals is None:
            continue
        rows = every.loc[of_pair(table.frame(), item.content["properties"]).index]
        measured = rows.dropna(subset=["volume_change_m3"])
        for name, true, tolerance in (
            ("count", len(rows), 0.0),
            ("area_km2", measured["area_km2"].sum(), 5e-6 * len(rows) + 1e-4),
            (
                "volume_change_m3",
                measured["volume_change_m3"].sum(),
                0.5 * len(rows) + 1e-3 * abs(totals["volume_change_m3"]),
            ),
        ):
            if abs(totals[name] - true) > tolerance + _SLACK:
                total = f"glacier:totals {name} {totals[name]:.10g}"
                yield Failure(item.file, total, f"{true:.10g}, the sum of {table.file}", _RECOMPUTE)


@check("glaciers-in-geojson", "the glaciers in GeoJSON are those of the table, value by value", named("glaciers"))
def glaciers_in_geojson(table: TableFile) -> Iterator[Failure]:
    for item in table.archive.items:
        asset = item.assets.get("glaciers")
        path = item.target(asset["href"]) if asset and item.collection_id == table.collection else None
        if path is None:
            continue
        own = of_pair(table.frame(), item.content["properties"])
        records = {record["glacier_id"]: record for record in own.to_dict("records")}
        features = table.archive.json(path)["features"]
        for missing in sorted(records.keys() - {feature["properties"]["glacier_id"] for feature in features}):
            yield Failure(path, f"no glacier {missing}", f"all glaciers of {table.file}", _REBUILD)
        for feature in features:
            properties = feature["properties"]
            record = records.get(properties["glacier_id"])
            where = f"{path}: {properties['glacier_id']}"
            if record is None:
                yield Failure(where, "a glacier", f"one of {table.file}", _REBUILD)
                continue
            for field in table.fields:
                name = field["name"]
                if name in properties and not same_cell(properties[name], record[name], field["type"]):
                    yield Failure(
                        f"{where}: {name}", f"{properties[name]!r}", f"{record[name]!r}, as in {table.file}", _REBUILD
                    )


@check("glacier-means-are-in-raster", "the mean change of a glacier without voids is that of its pixels", rasters)
def glacier_means_are_in_raster(raster: OpenedRaster) -> Iterator[Failure]:
    asset = raster.item.assets.get("glaciers")
    if raster.key != "elevation_change" or asset is None or not raster.archive.files.deep:
        return
    band, nodata = raster.archive.band(raster.file, 1), nodata_of(raster, 1)
    grid = grid_of(raster)
    content = raster.archive.json(str(raster.item.target(asset["href"])))
    for feature in content["features"]:
        record = feature["properties"]
        if record.get("observed_share") != 1 or record.get("mean_dh_m") is None or record.get("flags"):
            continue
        outline = transform_geom("EPSG:4326", grid.crs, geometry_of(feature["geometry"]).__geo_interface__)
        values = valid_values(_pixels_inside(outline, band, grid), nodata)
        # outlines in degrees are rounded, so that a pixel on the edge may fall on the other side
        if values.size and abs(values.mean() - record["mean_dh_m"]) > _EDGE_PIXELS_M:
            mean = f"mean {values.mean():.3f} m over {record['glacier_id']}"
            yield Failure(raster.file, mean, f"{record['mean_dh_m']} m, as in the table of glaciers", _RECOMPUTE)


@check(
    "quality-gates",
    "every quality gate passed or its failing is declared, its verdict follows from its value, and STAC says the same",
    named("quality_gates"),
)
def quality_gates(table: TableFile) -> Iterator[Failure]:
    values, declared = numbers(table, "value", "limit"), _declares_failing(table)
    for row, record in enumerate(table.frame().to_dict("records")):
        where, value, limit = f"{table.file}:{row + 2}", values["value"].iloc[row], values["limit"].iloc[row]
        label = f"{record['gate']} of {record['subject']}"
        verdict = str(record["passed"]).lower() == "true"
        if verdict != bool(value <= limit):
            expected = f"{str(bool(value <= limit)).lower()}, for {value:g} against {limit:g} {record['unit']}"
            yield Failure(where, f"{label}: passed {record['passed']}", expected, _RECOMPUTE)
        if not verdict and not declared:
            expected = f"at most {limit:g} {record['unit']}"
            remedy = "correct the input, lower the claim, or declare it with publish_failing in the definition"
            yield Failure(where, f"{label}: {value:g} {record['unit']}", expected, remedy)
    yield from _gates_in_stac(table)


def _declares_failing(table: TableFile) -> bool:
    """Whether the definition of the table's dataset says that it is published although a gate failed."""
    datasets = {entry["id"]: entry for entry in table.archive.manifest["datasets"]}
    return datasets.get(table.collection, {}).get("definition", {}).get("publish_failing") is True


def _gates_in_stac(table: TableFile) -> Iterator[Failure]:
    passed = {(r["gate"], r["subject"]): r["passed"].lower() == "true" for r in table.frame().to_dict("records")}
    for document in table.archive.documents:
        if document.file == CATALOG_JSON or document.collection_id != table.collection:
            continue
        stated = document.content.get("glacier:gates") or document.content.get("properties", {}).get("glacier:gates")
        for gate in stated or []:
            verdict = passed.get((gate["name"], gate["subject"]))
            if verdict != gate["passed"]:
                label = f"{gate['name']} of {gate['subject']} passed {gate['passed']}"
                yield Failure(document.file, label, f"{verdict}, as in {table.file}", _REBUILD)


@check(
    "gates-follow-data",
    "the value of every gate is the one in the tables and in STAC that it was taken from",
    named("quality_gates"),
)
def gates_follow_data(table: TableFile) -> Iterator[Failure]:
    judged = dict(_judged(table))
    for row, record in enumerate(table.frame().to_dict("records")):
        true, tolerance = judged.get((record["unit"], record["subject"]), (None, 0.0))
        if true is not None and record["value"] and abs(float(record["value"]) - true) > tolerance + _SLACK:
            where = f"{table.file}:{row + 2}"
            yield Failure(where, f"{record['gate']} {record['value']}", f"{true:g} {record['unit']}", _RECOMPUTE)


def _judged(table: TableFile) -> Iterator[tuple[tuple[str, str], tuple[float, float]]]:
    """By unit and subject of a gate: the published value that it judges, and the rounding between the two."""
    for item in table.archive.items:
        if item.collection_id == table.collection and "glacier:stable_terrain" in item.content["properties"]:
            mean = item.content["properties"]["glacier:stable_terrain"]["after"]["mean_m"]
            pair = item.content["properties"].get("glacier:pair", "")
            yield ("m", stable_terrain(pair)), (abs(mean), 0.0001)
    for balances in named("glacier_balances")(table.archive):
        if balances.collection == table.collection:
            for record in balances.frame().to_dict("records"):
                if record["sigma_annual_m_we"]:
                    sigma = 1000 * float(record["sigma_annual_m_we"])
                    yield ("kg m-2 a-1", record["year"]), (sigma, 1000 * _HALF_CENTIMETRE)


def _pixels_inside(outline: dict[str, Any], band: NDArray[Any], grid: Grid) -> NDArray[Any]:
    """The pixels whose centre lies within an outline, burnt within its own bounds: a glacier is small on the grid."""
    west, south, east, north = bounds(outline)
    (left, top), (right, bottom) = (~grid.transform * corner for corner in ((west, north), (east, south)))
    rows, columns = (
        slice(min(max(floor(low), 0), size), min(max(ceil(high), 0), size))
        for low, high, size in zip((top, left), (bottom, right), grid.shape, strict=True)
    )
    shape = rows.stop - rows.start, columns.stop - columns.start
    if 0 in shape:
        return band[:0].ravel()
    part = grid.window(rows.start, columns.start, shape)
    inside: NDArray[Any] = band[rows, columns][rasterize([(outline, 1)], shape, transform=part.transform) == 1]
    return inside


@check(
    "versions-equal", "manifest, STAC, data package and metadata state one version and one set of settings", collections
)
def versions_equal(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, collection.folder
    dataset = first(
        (entry for entry in archive.manifest["datasets"] if entry["id"] == collection.collection_id), "dataset"
    )
    members = archive.items_of(collection)
    stated = [(collection.file, collection.content.get("version"))]
    stated += [(item.file, item.content["properties"].get("version")) for item in members]
    stated.append((f"{folder}/{DATAPACKAGE_JSON}", archive.json(f"{folder}/{DATAPACKAGE_JSON}").get("version")))
    for path, version in stated:
        if version != dataset["version"]:
            yield Failure(path, f"version {version!r}", f"{dataset['version']!r}, as in {MANIFEST_JSON}", _REBUILD)
    for item in members:
        settings, pair = (item.content["properties"].get(f"glacier:{name}") for name in ("settings", "pair"))
        recorded = settings_of(dataset, pair)
        if settings is not None and settings != recorded:
            differing = sorted(key for key in {*settings, *recorded} if settings.get(key) != recorded.get(key))
            yield Failure(item.file, f"other glacier:settings {differing}", f"those in {MANIFEST_JSON}", _REBUILD)


@check("tables-in-stac", "columns and number of records of a table asset are those of the table", collections)
def tables_in_stac(collection: Document) -> Iterator[Failure]:
    tables = {
        table.file: table for table in all_tables(collection.archive) if table.collection == collection.collection_id
    }
    for key, asset in collection.assets.items():
        table = tables.get(str(collection.target(asset.get("href", ""))))
        if table is None:
            continue
        where, frame = f"{collection.file}: asset {key}", table.frame()
        if asset.get("table:row_count") != len(frame):
            yield Failure(where, f"table:row_count {asset.get('table:row_count')}", f"{len(frame)}", _REBUILD)
        stated = [(column["name"], column["type"]) for column in asset["table:columns"]]
        expected = [(field["name"], field["type"]) for field in table.fields]
        if stated != expected:
            yield Failure(where, f"table:columns {stated}", f"{expected}", _REBUILD)


_CITED = (CITATION_TXT, NCDC_JSON, DATACITE_JSON, ISO19139_XML, DATASET_JSONLD, CRATE_JSON)


@check("citation-equal", "the citation is the same everywhere it stands", collections)
def citation_equal(collection: Document) -> Iterator[Failure]:
    archive, folder = collection.archive, collection.folder
    citation = str(archive.json(f"{folder}/{METADATA}/{NCDC_JSON}")["ds_ref_way"])
    for path in (INDEX_HTML, COLLECTION_JSON, *(f"{METADATA}/{name}" for name in _CITED)):
        words = citation if path != INDEX_HTML else without_turns(citation)
        if not citation or words not in _words(archive, f"{folder}/{path}"):
            yield Failure(f"{folder}/{path}", "another citation, or none", repr(citation), _REBUILD)


@check("ncdc-equal", "the collection states the portal record's fields as the record does", collections)
def ncdc_equal(collection: Document) -> Iterator[Failure]:
    expected = stated_fields(collection.archive.json(f"{collection.folder}/{METADATA}/{NCDC_JSON}"))
    stated = collection.content["glacier:ncdc"]
    for name in sorted(expected.keys() | stated.keys()):
        if stated.get(name) != expected.get(name):
            yield Failure(
                collection.file, f"glacier:ncdc {name} {stated.get(name)!r}", repr(expected.get(name)), _REBUILD
            )


def settings_of(dataset: dict[str, Any], pair: str | None) -> dict[str, Any]:
    """The settings that the manifest records of a dataset, or of one of its pairs of DEMs.

    Errors
    ------
    WrongForm : no settings where a pair's should stand.
    """
    settings = dataset["settings"] if pair is None else dataset["settings"].get(pair, {})
    if not isinstance(settings, dict):
        raise WrongForm(f"settings of {pair}: {settings!r}")
    return settings


def _words(archive: Archive, path: str) -> str:
    """The text of a file as a reader sees it: JSON strings decoded, entities of XML and HTML resolved."""
    if path.endswith((".json", ".jsonld")):
        return "\n".join(str(leaf) for leaf in leaves(archive.json(path)))
    text = archive.text(path) or ""
    return html.unescape(text) if path.endswith((".html", ".xml")) else text
