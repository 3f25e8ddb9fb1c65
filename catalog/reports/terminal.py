"""What the command line shows: progress on stderr, the numbers a scientist asks for first on stdout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from catalog.formats import measured, signed
from catalog.reports.row import Row
from pipeline.progress import Tell, silent

# more on a screen helps nobody: the table has all of them
MOST_NOTES = 30

if TYPE_CHECKING:
    from pipeline.mass_balance.fieldwork import Correction, Doubt, FieldData
    from pipeline.mass_balance.result import MassBalance


@contextmanager
def progress(quiet: bool) -> Iterator[Tell]:
    """A live line on stderr with the present step and its time; silent when quiet or not a terminal."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield silent
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        step = bar.add_task("Starting", total=None)
        yield lambda message: bar.update(step, description=message)


def show_balances(
    results: Sequence[MassBalance], glaciers: Sequence[FieldData], outputs: Mapping[str, Mapping[str, str]]
) -> None:
    """The table of each series, and what a field team must see of the reading.

    ``outputs`` : by identifier of the glacier, under '' those of the whole run, where the notes are listed.
    """
    for result in results:
        show_balance(result)
    listed = next(path for path in outputs[""].values() if "input_notes" in path)
    show_notes(*notes_of_all(glaciers), listed=listed)


def notes_of_all(glaciers: Sequence[FieldData]) -> tuple[list[Correction], list[Doubt]]:
    """Corrections and doubts of several glaciers of one workbook, each once: what is said of a header is of all."""
    corrections = dict.fromkeys(note for data in glaciers for note in data.corrections)
    doubts = dict.fromkeys(doubt for data in glaciers for doubt in data.doubts)
    return list(corrections), list(doubts)


def show_balance(result: MassBalance) -> None:
    """The table of one mass-balance series, a row a year."""
    table = Table(title=f"Mass balance of {result.glacier.name}", title_justify="left")
    for heading in ("year", "annual (m w.e.)", "winter", "summer", "ELA (m)", "AAR", "flags"):
        table.add_column(heading, justify="left" if heading == "flags" else "right")
    for year in result.years:
        position = year.ela_position if year.ela_position in ("<", ">") else ""
        table.add_row(
            str(year.year),
            measured(year.annual_m_we, year.sigma_annual_m_we, 3),
            signed(year.winter_m_we, 3),
            signed(year.summer_m_we, 3),
            f"{position}{measured(year.ela_m, year.sigma_ela_m, 0)}",
            measured(year.aar, year.sigma_aar, 2),
            "; ".join(year.flags),
        )
    _console().print(table)
    periods = result.tables["period_balances"]
    for _, period in periods[periods["asked"].astype(bool)].iterrows():
        text = measured(period["balance_m_we"], period["sigma_balance_m_we"], 3)
        made = f"{period['n_points']} points at least, made of: {period['made_of']}"
        _console().print(f"{period['begin_date']} to {period['end_date']}: {text} m w.e. ({made})", highlight=False)
    _show_calibration(result)


def _show_calibration(result: MassBalance) -> None:
    """The check against a geodetic balance, and the calibrated years beside the others."""
    for _, check in result.tables["geodetic_check"].iterrows():
        geodetic = measured(check["geodetic_balance_m_we"], check["sigma_geodetic_m_we"], 2)
        own = measured(check["glaciological_balance_m_we"], check["sigma_glaciological_m_we"], 2)
        delta = signed(check["reduced_discrepancy"], 2)
        years = f"{check['first_year']} to {check['last_year']}"
        told = f"{years}: geodetic {geodetic}, glaciological {own} m w.e., reduced discrepancy {delta}"
        _console().print(told, highlight=False)
    for _, year in result.tables["calibrated_balances"].iterrows():
        text = measured(year["calibrated_balance_m_we"], year["sigma_calibrated_m_we"], 3)
        _console().print(f"{year['year']:.0f} calibrated: {text} m w.e.", highlight=False)


def show_notes(
    corrections: Sequence[Correction], doubts: Sequence[Doubt], listed: str = "tables/input_notes.csv"
) -> None:
    """What a field team must see of the reading: every doubt, all that was left out; where the rest is ``listed``."""
    console = Console(stderr=True, highlight=False)
    left_out = [note for note in corrections if note.used.startswith("left out")]
    lines = [("left out", note.sheet, note.cell, note.found) for note in left_out]
    lines += [("doubt", doubt.sheet, doubt.cell, f"{doubt.found}: {doubt.meaning}") for doubt in doubts]
    for kind, sheet, cell, text in lines[:MOST_NOTES]:
        place = f"sheet {sheet}{f', cell {cell}' if cell else ''}"
        console.print(Text(f"{kind}: {place}: {text}"), soft_wrap=True)
    if corrections or doubts:
        count = f"{len(corrections)} corrections and {len(doubts)} doubts"
        console.print(Text(f"{count} on the input are listed in {listed}"), soft_wrap=True)


def _console() -> Console:
    console = Console()
    # a pipe has no width of its own; a narrow guess would cut the numbers
    return console if console.is_terminal else Console(width=120)


def show_rows(title: str, rows: Sequence[Row]) -> None:
    """A table on stdout: result, error, and what it means."""
    table = Table(title=title, title_justify="left", show_header=False, box=box.SIMPLE)
    table.add_column("quantity")
    table.add_column("value", justify="right")
    table.add_column("note")
    for row in rows:
        table.add_row(*row)
    _console().print(table)


def show_published(folder: Path, files: int, size: int, checks: int) -> None:
    """The closing line of a build."""
    console = _console()
    console.print(f"Published {folder}: {files} files, {size / 1e6:.1f} MB, {checks} checks passed", highlight=False)
