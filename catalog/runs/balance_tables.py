"""The tables that a `balance` run hands over: CSV files, those for the WGMS, and one workbook of all."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from catalog.formats import LONGEST_SHEET, About, PublishedTable, published_tables, results_workbook, write_csv_tables
from catalog.tables import Submission, wgms_tables
from pipeline.mass_balance.result import MassBalance
from schemas.tables import PUBLISHED_TABLES
from schemas.wgms import WGMS_TABLES

RESULTS_XLSX = "results.xlsx"
_CREATOR = "glacier-archive"
_UNITS = ("Units", "Balances are in metres of water equivalent, at 0.01 m w.e. (10 kg m-2); areas in km2.")
_NO_DAY = date(1980, 1, 1)


def write_balance_tables(result: MassBalance, folder: Path, source: str = "") -> None:
    """Write ``tables/`` of one glacier, and ``results.xlsx`` beside it.

    Parameters
    ----------
    folder : of the run, or of the glacier in it.
    source : name of the field workbook or folder, for the README sheet.
    """
    (folder / "tables").mkdir()
    tables = published_tables(PUBLISHED_TABLES, result.tables)
    exports = published_tables(WGMS_TABLES, wgms_tables(result, Submission()))
    write_csv_tables([*tables, *exports], folder / "tables")
    (folder / RESULTS_XLSX).write_bytes(balance_workbook([result], tables, source))


def balance_workbook(results: Sequence[MassBalance], tables: Sequence[PublishedTable], source: str = "") -> bytes:
    """All tables of one glacier, or of several together, in one workbook; very long ones have no sheet.

    ``tables`` as they are published; ``source`` as of ``write_balance_tables``.
    """
    return results_workbook(_about(results, source), tables, LONGEST_SHEET)


def _about(results: Sequence[MassBalance], source: str) -> About:
    days = _days(results)
    title, stated = _of_one(results[0]) if len(results) == 1 else _of_several(results)
    return About(
        title=title,
        creator=_CREATOR,
        # the last day of the data stands in place of the time of writing, which would change the bytes
        day=max(days, default=_NO_DAY),
        statements=(*stated, ("Computed from", source), _UNITS),
        settings=results[0].settings.model_dump(mode="json"),
    )


def _of_one(result: MassBalance) -> tuple[str, tuple[tuple[str, str], ...]]:
    glacier, days = result.glacier, _days([result])
    period = f"{min(days).isoformat()} to {max(days).isoformat()}" if days else "no dated year"
    return f"Mass balance of {glacier.name}", (
        ("Glacier", f"{glacier.name}, {glacier.glacier_id}"),
        ("Position", f"{glacier.longitude:.5f} degrees east, {glacier.latitude:.5f} degrees north, WGS 84"),
        ("Projection", glacier.crs),
        ("Period", period),
    )


def _of_several(results: Sequence[MassBalance]) -> tuple[str, tuple[tuple[str, str], ...]]:
    named = tuple((f"Glacier {result.glacier.glacier_id}", result.glacier.name) for result in results)
    return f"Mass balance of {len(results)} glaciers", named


def _days(results: Sequence[MassBalance]) -> list[date]:
    """The days of visits by which the years begin and end."""
    return [day for result in results for year in result.years for day in (year.begin, year.end) if day is not None]
