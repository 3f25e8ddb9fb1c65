"""The files of one `difference` or `balance` run: rasters, tables, figures and a summary, in one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.archive.draft import open_draft
from catalog.archive.manifest import write_manifest
from catalog.figures.colours import CLASS_COLOURS
from catalog.formats.cogs import CLASS_NODATA, NODATA, write_cog
from catalog.formats.geojson import write_features
from catalog.formats.number_text import finite
from catalog.formats.published_table import PublishedTable, csv_bytes, published_table
from catalog.reports.summaries import balance_summary, difference_summary
from pipeline.elevation_change.result import ElevationChange
from pipeline.mass_balance.result import BalanceField, BalanceYear, MassBalance
from pipeline.worker_threads import worker_threads
from schemas.tables import PUBLISHED_TABLES

if TYPE_CHECKING:
    import geopandas as gpd

    from catalog.figures.years import YearFiles


SUMMARY_JSON = "summary.json"


def write_difference(result: ElevationChange, out: Path, code_version: str) -> dict[str, str]:
    """Write an elevation change below ``out``, by one rename; returns the outputs by name, relative to it."""
    with open_draft(out) as draft:
        folder = draft.folder
        # GDAL and zlib leave the interpreter free: the rasters are packed while the figures are drawn
        with worker_threads(1) as pool:
            rasters = pool.submit(_write_rasters, result, folder)
            _draw_difference(result, folder)
            if result.outlines is not None:
                _write_outlines(result.outlines, result.grid.crs, folder)
            schemas = {table.name: table for table in PUBLISHED_TABLES}
            _write_csv([published_table(schemas[name], frame) for name, frame in result.tables.items()], folder)
            rasters.result()
        outputs = _finish(folder, difference_summary(result), code_version)
        draft.publish()
    return outputs


def write_balance(result: MassBalance, out: Path, code_version: str, source: str = "") -> dict[str, str]:
    """Write a mass balance below ``out``, by one rename; returns the outputs by name, relative to it.

    ``source`` names the field workbook or folder, for the README of the results' workbook.
    """
    with open_draft(out) as draft:
        write_balance_files(result, draft.folder, source)
        outputs = _finish(draft.folder, balance_summary(result), code_version)
        draft.publish()
    return outputs


def write_balances(
    results: Sequence[MassBalance], out: Path, code_version: str, source: str = ""
) -> dict[str, dict[str, str]]:
    """Write several glaciers below ``out`` by one rename: each in a folder of its own, and their tables together.

    Returns the outputs by name, relative to ``out``: those of each glacier by its identifier, under '' those of all.
    """
    from catalog.runs.balance_of_several import folder_names, write_tables_together

    names = folder_names([result.glacier.glacier_id for result in results])
    with open_draft(out) as draft:
        for result in results:
            own = draft.folder / names[result.glacier.glacier_id]
            own.mkdir()
            write_balance_files(result, own, source)
            _write_json(own / SUMMARY_JSON, balance_summary(result))
        write_tables_together(results, draft.folder, source)
        outputs = {
            identifier: {key: f"{name}/{path}" for key, path in _outputs(draft.folder / name).items()}
            for identifier, name in names.items()
        }
        summary = {"glaciers": [balance_summary(result) for result in results]}
        everything = _finish(draft.folder, summary, code_version)
        draft.publish()
    of_one = {path for files in outputs.values() for path in files.values()}
    return {"": {key: path for key, path in everything.items() if path not in of_one}, **outputs}


def write_balance_files(result: MassBalance, folder: Path, source: str = "") -> None:
    """Write tables, rasters, isolines, workbook and figures of one mass balance into an empty folder."""
    from catalog.figures.balance_maps import draw_balance_series
    from catalog.figures.mass_balance import draw_balance_profiles
    from catalog.figures.years import draw_years
    from catalog.items.balance_products import published_balance, write_balance_products

    mapped = [(year, year.field) for year in result.years if year.field is not None]
    # GDAL and zlib leave the interpreter free: the rasters are packed while the rest is written
    with worker_threads(1) as pool:
        rasters = pool.submit(_write_balance_rasters, mapped, folder)
        tables = published_balance(result)
        _write_csv(tables, folder)
        write_balance_products(result, folder, source, tables)
        _write_isolines(mapped, folder)
        if any(year.annual_m_we is not None for year in result.years):
            draw_balance_series(folder / "balance_series.png", result, False)
            draw_balance_profiles(folder / "balance_profiles.png", result, False)
        draw_years(result, _year_files(mapped, folder), False)
        rasters.result()


def _write_rasters(result: ElevationChange, folder: Path) -> None:
    rasters = {
        "elevation_change": (result.dh_m, "elevation change, later minus earlier"),
        "elevation_change_sigma": (result.sigma_dh_m, "one standard deviation of the elevation change"),
    }
    for name, (raster, description) in rasters.items():
        write_cog(
            folder / f"{name}.tif", raster, result.grid, nodata=NODATA, unit="m", description=description,
            resampling="average", tags={},
        )  # fmt: skip
    write_cog(
        folder / "classification.tif", result.classification, result.grid, nodata=CLASS_NODATA, unit="",
        description="0 void, 1 stable, 2 glacier, 3 excluded", resampling="nearest", tags={}, colormap=CLASS_COLOURS,
    )  # fmt: skip


def _draw_difference(result: ElevationChange, folder: Path) -> None:
    # matplotlib takes half a second to load: not before there is something to draw
    from catalog.figures.elevation_change import diagrams_of, draw_change_map

    draw_change_map(folder / "map.png", result, "Elevation change", False)
    for diagram in diagrams_of(result):
        diagram.draw(folder / f"{diagram.name}.png", result, False)


def _write_balance_rasters(mapped: Sequence[tuple[BalanceYear, BalanceField]], folder: Path) -> None:
    for year, field in mapped:
        for name, array in (("balance", field.balance_m_we), ("balance_sigma", field.sigma_balance_m_we)):
            write_cog(
                folder / f"{name}_{year.year}.tif", array, field.grid, nodata=NODATA, unit="m w.e.",
                description=name.replace("_", " "), resampling="average", tags={},
            )  # fmt: skip


def _write_isolines(mapped: Sequence[tuple[BalanceYear, BalanceField]], folder: Path) -> None:
    for year, field in mapped:
        lines = [(line.geometry, {"balance_m_we": line.balance_m_we}) for line in field.isolines]
        write_features(folder / f"isolines_{year.year}.geojson", lines, field.grid.crs, {"year": year.year})


def _year_files(mapped: Sequence[tuple[BalanceYear, BalanceField]], folder: Path) -> dict[int, YearFiles]:
    from catalog.figures.years import YearFiles

    return {
        year.year: YearFiles(
            f"Annual balance {year.year}", folder / f"map_{year.year}.png", folder / f"profile_{year.year}.png"
        )
        for year, _ in mapped
    }


def _write_outlines(outlines: gpd.GeoDataFrame, crs: str, folder: Path) -> None:
    features = [
        (row.geometry, {"glacier_id": row.glacier_id, "glacier_name": row.glacier_name, "epoch": int(row.epoch)})
        for row in outlines.itertuples()
    ]
    write_features(folder / "outlines.geojson", features, crs, {"title": "Glacier outlines of all epochs"})


def _write_csv(tables: Sequence[PublishedTable], folder: Path) -> None:
    (folder / "tables").mkdir()
    for published in tables:
        (folder / "tables" / f"{published.table.name}.csv").write_bytes(csv_bytes(published))


def _finish(folder: Path, summary: dict[str, Any], code_version: str) -> dict[str, str]:
    _write_json(folder / SUMMARY_JSON, summary)
    outputs = _outputs(folder)
    write_manifest(folder, [], code_version, None)
    return outputs


def _outputs(folder: Path) -> dict[str, str]:
    """The files below a folder by a name without suffix, those in folders of it with these in front."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {Path(name).stem if "/" not in name else name.rsplit(".", 1)[0]: name for name in names}


def _write_json(path: Path, content: Any) -> None:
    text = json.dumps(finite(content), indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
