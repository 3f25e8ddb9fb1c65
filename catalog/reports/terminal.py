"""What the command line shows: progress on stderr, the numbers a scientist asks for first on stdout."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from catalog.archive import INDEX_HTML, REPORT_HTML
from catalog.formats import measured, signed
from catalog.reports.row import Row
from catalog.reports.rows import NOTE, change_rows, counted, is_headline
from catalog.reports.steps import Steps
from pipeline.progress import Tell, silent

# more on a screen helps nobody: the table has all of them
MOST_NOTES = 30
# what fits a terminal as it opens
COLUMNS = 80

if TYPE_CHECKING:
    from pipeline.elevation_change.result import ElevationChange
    from pipeline.mass_balance.fieldwork import Correction, Doubt, FieldData
    from pipeline.mass_balance.result import MassBalance


@contextmanager
def progress(quiet: bool, known: Mapping[str, float] | None = None, console: Console | None = None) -> Iterator[Tell]:
    """The steps of a run on stderr, as ``catalog.reports.steps`` shows them; silent when quiet or not a terminal.

    ``known`` : the steps of the run in order, with the share of its time that each takes.
    """
    console = console or Console(stderr=True)
    if quiet or not console.is_terminal:
        yield silent
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        steps = Steps(bar, console, known or {})
        yield steps.tell
        steps.finish()


def show_difference(result: ElevationChange, out: Path) -> None:
    """The verdict, the numbers, what would make them better, and what to open next."""
    from catalog.reports.trust import suggestions, verdict_line

    show_line(f"Elevation change. {verdict_line(result)}")
    show_rows("", change_rows(result))
    _show_suggestions(suggestions(result))
    _show_next(out, REPORT_HTML, "the report: maps, figures, tables, what to trust")


def show_balances(
    results: Sequence[MassBalance],
    glaciers: Sequence[FieldData],
    outputs: Mapping[str, Mapping[str, str]],
    out: Path,
) -> None:
    """Verdict and table of each series, what a field team must see of the reading, and what to open next.

    ``outputs`` : by identifier of the glacier, under '' those of the whole run, where the notes are listed.
    """
    from catalog.reports.trust import suggestions, verdict_line

    for result in results:
        show_line(f"Mass balance of {result.glacier.name}. {verdict_line(result)}")
        show_balance(result)
        _show_suggestions(suggestions(result))
    listed = next(path for path in outputs[""].values() if "input_notes" in path)
    show_notes(*notes_of_all(glaciers), listed=listed)
    reports = [path for files in outputs.values() for path in files.values() if path.endswith(REPORT_HTML)]
    _show_next(out, reports[0], "the report: maps, figures, tables, what to trust")
    if len(reports) > 1:
        show_line(f"and those of {len(reports) - 1} more glacier{'s' if len(reports) > 2 else ''} beside it")


def show_line(text: str) -> None:
    """A line of text on stdout, broken at 80 columns where it is longer."""
    show_paragraph(text)


def show_paragraph(text: str) -> None:
    """A sentence on stdout, its further lines set in; no option or path in it is broken."""
    lines = textwrap.wrap(text, COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    for line in lines:
        Console(highlight=False).print(Text(line), soft_wrap=True)


def _show_suggestions(said: Sequence[str]) -> None:
    """What the user can do, a paragraph each."""
    for text in said:
        show_paragraph(f"To do: {text}")


def _show_next(out: Path, name: str, what: str) -> None:
    """Where the results stand and what to open first; a path is never broken."""
    console = Console(highlight=False)
    console.print(Text(f"Written to {out}"), soft_wrap=True)
    console.print(Text(f"Open {out / name}: {what}"), soft_wrap=True)


def notes_of_all(glaciers: Sequence[FieldData]) -> tuple[list[Correction], list[Doubt]]:
    """Corrections and doubts of several glaciers of one workbook, each once: what is said of a header is of all."""
    corrections = dict.fromkeys(note for data in glaciers for note in data.corrections)
    doubts = dict.fromkeys(doubt for data in glaciers for doubt in data.doubts)
    return list(corrections), list(doubts)


def show_balance(result: MassBalance) -> None:
    """The table of one mass-balance series, a row a year."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("year", "annual (m w.e.)", "winter", "summer", "ELA (m)", "AAR", "flags"):
        table.add_column(heading, justify="left" if heading == "flags" else "right", no_wrap=heading != "flags")
    for year in result.years:
        position = year.ela_position if year.ela_position in ("<", ">") else ""
        table.add_row(
            str(year.year),
            measured(year.annual_m_we, year.sigma_annual_m_we, 3),
            signed(year.winter_m_we, 3),
            signed(year.summer_m_we, 3),
            f"{position}{measured(year.ela_m, year.sigma_ela_m, 0)}",
            measured(year.aar, year.sigma_aar, 2),
            "; ".join(flag.replace("_", " ").replace(":", ": ") for flag in year.flags),
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
    # a pipe has no width of its own
    return Console(width=None if Console().is_terminal else COLUMNS, highlight=False)


def show_rows(title: str, rows: Sequence[Row]) -> None:
    """A table on stdout: result, error, and what it means; notes, which are whole sentences, below it."""
    table = Table(title=title or None, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column("quantity", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("note")
    for name, value, note in rows:
        if value:
            table.add_row(name, value, note)
    _console().print(table)
    for name, value, note in rows:
        if not value:
            show_paragraph(f"{name}: {note}")


def show_build(out: Path, checks: int, size: tuple[int, int], collections: Sequence[tuple[str, Sequence[Row]]]) -> None:
    """The verdict of a build, the headline rows of each collection, and what to open next.

    ``size`` : number of files and bytes; ``collections`` : title and rows of each.
    """
    files, written = size
    show_paragraph(f"Passed: {counted(checks, 'check')}; the archive holds {files:,} files, {written / 1e6:.1f} MB")
    for title, rows in collections:
        show_paragraph(title)
        for name, value, note in rows:
            if is_headline(name):
                show_paragraph(f"  {name}: {value}" + (f", {note}" if note else ""))
    notes = sum(name.endswith(NOTE) for _, rows in collections for name, _, _ in rows)
    told = f", with {counted(notes, 'note')} on the inputs" if notes else ""
    Console(highlight=False).print(Text(f"Open {out / INDEX_HTML}: every number, map and file{told}"), soft_wrap=True)
