"""What a `balance` run hands over beside its CSV tables and rasters: one workbook, WGMS tables and figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from catalog.figures.mass_balance import draw_methods, draw_stake_history
from catalog.formats.published_table import PublishedTable, csv_bytes, published_table
from catalog.formats.workbook import About, results_workbook
from catalog.tables.wgms import Submission, wgms_tables
from pipeline.mass_balance.result import MassBalance
from schemas.fields import Table
from schemas.tables import PUBLISHED_TABLES
from schemas.wgms import WGMS_TABLES

RESULTS_XLSX = "results.xlsx"
STAKES_PNG, METHODS_PNG = "stake_history.png", "balance_methods.png"
# a sheet of more records is slow to open, and better read from the CSV file
LONGEST_SHEET = 20_000
CREATOR = "glacier-archive"


def write_balance_products(
    result: MassBalance, folder: Path, source: str = "", tables: Sequence[PublishedTable] | None = None
) -> None:
    """Write ``results.xlsx``, the WGMS tables below ``tables/`` and the figures that are no maps.

    Parameters
    ----------
    result : what the chain computed.
    folder : of the run; ``tables/`` stands in it already.
    source : name of the field workbook or folder, for the README sheet.
    tables : as for ``balance_workbook``.
    """
    exports = _published(WGMS_TABLES, wgms_tables(result, Submission()))
    for export in exports:
        (folder / "tables" / f"{export.table.name}.csv").write_bytes(csv_bytes(export))
    (folder / RESULTS_XLSX).write_bytes(balance_workbook(result, source, tables))
    if any(year.annual_m_we is not None for year in result.years):
        draw_methods(folder / METHODS_PNG, result, False)
    if not result.tables["stakes"].empty:
        draw_stake_history(folder / STAKES_PNG, result, False)


def balance_workbook(result: MassBalance, source: str = "", tables: Sequence[PublishedTable] | None = None) -> bytes:
    """All tables of a run in one workbook; a table of more than ``LONGEST_SHEET`` records has no sheet.

    ``tables`` of the result as they are published, where that was done already.
    """
    if tables is None:
        tables = published_balance(result)
    return results_workbook(_about(result, source), tables, LONGEST_SHEET)


def published_balance(result: MassBalance) -> list[PublishedTable]:
    """The tables of a result as they are published, in the order of the schemas."""
    return _published([table for table in PUBLISHED_TABLES if table.name in result.tables], result.tables)


def _about(result: MassBalance, source: str) -> About:
    glacier = result.glacier
    days = [day for year in result.years for day in (year.begin, year.end) if day is not None]
    period = f"{min(days).isoformat()} to {max(days).isoformat()}" if days else "no dated year"
    return About(
        title=f"Mass balance of {glacier.name}",
        creator=CREATOR,
        # the last day of the data stands in place of the time of writing, which would change the bytes
        day=max(days, default=date(1980, 1, 1)),
        statements=(
            ("Glacier", f"{glacier.name}, {glacier.glacier_id}"),
            ("Position", f"{glacier.longitude:.5f} degrees east, {glacier.latitude:.5f} degrees north, WGS 84"),
            ("Projection", glacier.crs),
            ("Period", period),
            ("Computed from", source),
            ("Units", "Balances are in metres of water equivalent, at 0.01 m w.e. (10 kg m-2); areas in km2."),
        ),
        settings=result.settings.model_dump(mode="json"),
    )


def _published(schemas: Iterable[Table], frames: Mapping[str, pd.DataFrame]) -> list[PublishedTable]:
    return [published_table(table, frames[table.name]) for table in schemas]
