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
from catalog.reports.row import NOTE, Row, is_headline
from catalog.reports.steps import Steps
from pipeline.progress import Tell, silent
from schemas.flags import flag_said
from schemas.messages import Message, chinese_of

# more on a screen helps nobody: the table has all of them
MOST_NOTES = 30
# what fits a terminal as it opens
COLUMNS = 80
ENGLISH, CHINESE = "en", "zh"

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


def show_difference(result: ElevationChange, out: Path, language: str = ENGLISH) -> None:
    """The verdict, the numbers, what would make them better, and what to open next."""
    from catalog.reports.rows import change_rows  # a build from the cache shows rows and loads no science
    from catalog.reports.trust import suggestions, verdict_line

    show_line(Message("Elevation change. {verdict}", verdict=verdict_line(result)), language)
    show_rows("", change_rows(result), language)
    _show_suggestions(suggestions(result), language)
    _show_next(out, REPORT_HTML, language)


def show_balances(
    results: Sequence[MassBalance],
    glaciers: Sequence[FieldData],
    outputs: Mapping[str, Mapping[str, str]],
    out: Path,
    language: str = ENGLISH,
) -> None:
    """Verdict and table of each series, what a field team must see of the reading, and what to open next.

    ``outputs`` : by identifier of the glacier, under '' those of the whole run, where the notes are listed.
    """
    from catalog.reports.trust import suggestions, verdict_line

    for result in results:
        name = result.glacier.name
        show_line(Message("Mass balance of {name}. {verdict}", name=name, verdict=verdict_line(result)), language)
        show_balance(result, language)
        _show_suggestions(suggestions(result), language)
    listed = next(path for path in outputs[""].values() if "input_notes" in path)
    show_notes(*notes_of_all(glaciers), listed=listed, language=language)
    reports = [path for files in outputs.values() for path in files.values() if path.endswith(REPORT_HTML)]
    _show_next(out, reports[0], language)
    if len(reports) == 2:
        show_line(Message("and that of 1 more glacier beside it"), language)
    elif len(reports) > 2:
        show_line(Message("and those of {count} more glaciers beside it", count=len(reports) - 1), language)


def spoken(text: str, language: str) -> str:
    """A text in the language of the terminal: a message in Chinese where that is asked for, all else as it is."""
    return (chinese_of(text) or text) if language == CHINESE else str(text)


def show_line(text: str, language: str = ENGLISH) -> None:
    """A line of text on stdout, broken at 80 columns where it is longer."""
    show_paragraph(text, language)


def show_paragraph(text: str, language: str = ENGLISH) -> None:
    """A sentence on stdout, its further lines set in; no option or path in it is broken.

    Chinese has no blanks to break it at: the terminal does that.
    """
    said = spoken(text, language)
    lines = textwrap.wrap(said, COLUMNS, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    for line in lines if language == ENGLISH else [said]:
        Console(highlight=False).print(Text(line), soft_wrap=True)


def _show_suggestions(said: Sequence[str], language: str) -> None:
    """What the user can do, a paragraph each."""
    for text in said:
        show_paragraph(Message("To do: {text}", text=text), language)


def _show_next(out: Path, name: str, language: str) -> None:
    """Where the results stand and what to open first; a path is never broken."""
    console = Console(highlight=False)
    lines = (
        Message("Written to {out}", out=str(out)),
        Message("Open {path}: the report: maps, figures, tables, what to trust", path=str(out / name)),
    )
    for line in lines:
        console.print(Text(spoken(line, language)), soft_wrap=True)


def notes_of_all(glaciers: Sequence[FieldData]) -> tuple[list[Correction], list[Doubt]]:
    """Corrections and doubts of several glaciers of one workbook, each once: what is said of a header is of all."""
    corrections = dict.fromkeys(note for data in glaciers for note in data.corrections)
    doubts = dict.fromkeys(doubt for data in glaciers for doubt in data.doubts)
    return list(corrections), list(doubts)


def show_balance(result: MassBalance, language: str = ENGLISH) -> None:
    """The table of one mass-balance series, a row a year."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    headings = (
        *(Message("year"), Message("annual (m w.e.)"), Message("winter"), Message("summer")),
        *("ELA (m)", "AAR", Message("flags")),
    )
    for heading in headings:
        last = heading == "flags"
        table.add_column(spoken(heading, language), justify="left" if last else "right", no_wrap=not last)
    for year in result.years:
        position = year.ela_position if year.ela_position in ("<", ">") else ""
        table.add_row(
            str(year.year),
            measured(year.annual_m_we, year.sigma_annual_m_we, 3),
            signed(year.winter_m_we, 3),
            signed(year.summer_m_we, 3),
            f"{position}{measured(year.ela_m, year.sigma_ela_m, 0)}",
            measured(year.aar, year.sigma_aar, 2),
            _flags(year.flags, language),
        )
    _console().print(table)
    periods = result.tables["period_balances"]
    for _, period in periods[periods["asked"].astype(bool)].iterrows():
        text = measured(period["balance_m_we"], period["sigma_balance_m_we"], 3)
        told = Message(
            "{begin} to {end}: {text} m w.e. ({count} points at least, made of: {made_of})",
            begin=str(period["begin_date"]),
            end=str(period["end_date"]),
            text=text,
            count=period["n_points"],
            made_of=str(period["made_of"]),
        )
        _console().print(spoken(told, language), highlight=False)
    _show_calibration(result, language)


def _flags(flags: Sequence[str], language: str) -> str:
    said = (chinese_of(flag_said(flag)) if language == CHINESE else "" for flag in flags)
    return "; ".join(cn or flag.replace("_", " ").replace(":", ": ") for cn, flag in zip(said, flags, strict=True))


def _show_calibration(result: MassBalance, language: str) -> None:
    """The check against a geodetic balance, and the calibrated years beside the others."""
    for _, check in result.tables["geodetic_check"].iterrows():
        geodetic = measured(check["geodetic_balance_m_we"], check["sigma_geodetic_m_we"], 2)
        own = measured(check["glaciological_balance_m_we"], check["sigma_glaciological_m_we"], 2)
        delta = signed(check["reduced_discrepancy"], 2)
        told = Message(
            "{first} to {last}: geodetic {geodetic}, glaciological {own} m w.e., reduced discrepancy {delta}",
            first=check["first_year"],
            last=check["last_year"],
            geodetic=geodetic,
            own=own,
            delta=delta,
        )
        _console().print(spoken(told, language), highlight=False)
    for _, year in result.tables["calibrated_balances"].iterrows():
        text = measured(year["calibrated_balance_m_we"], year["sigma_calibrated_m_we"], 3)
        told = Message("{year:.0f} calibrated: {text} m w.e.", year=year["year"], text=text)
        _console().print(spoken(told, language), highlight=False)


def show_notes(
    corrections: Sequence[Correction],
    doubts: Sequence[Doubt],
    listed: str = "tables/input_notes.csv",
    language: str = ENGLISH,
) -> None:
    """What a field team must see of the reading: every doubt, all that was left out; where the rest is ``listed``."""
    console = Console(stderr=True, highlight=False)
    left_out = [note for note in corrections if note.used.startswith("left out")]
    lines: list[tuple[Message, str, str, str]] = [
        (Message("left out"), note.sheet, note.cell, note.found) for note in left_out
    ]
    lines += [(Message("doubt"), doubt.sheet, doubt.cell, f"{doubt.found}: {doubt.meaning}") for doubt in doubts]
    for kind, sheet, cell, text in lines[:MOST_NOTES]:
        place = Message("sheet {sheet}, cell {cell}", sheet=sheet, cell=cell)
        told = Message(
            "{kind}: {place}: {text}",
            kind=kind,
            text=text,
            place=place if cell else Message("sheet {sheet}", sheet=sheet),
        )
        console.print(Text(spoken(told, language)), soft_wrap=True)
    if corrections or doubts:
        told = Message(
            "{corrections} corrections and {doubts} doubts on the input are listed in {listed}",
            corrections=len(corrections),
            doubts=len(doubts),
            listed=listed,
        )
        console.print(Text(spoken(told, language)), soft_wrap=True)


def _console() -> Console:
    # a pipe has no width of its own
    return Console(width=None if Console().is_terminal else COLUMNS, highlight=False)


def show_rows(title: str, rows: Sequence[Row], language: str = ENGLISH) -> None:
    """A table on stdout: result, error, and what it means; notes, which are whole sentences, below it."""
    table = Table(
        title=spoken(title, language) or None, title_justify="left", show_header=False, box=None, padding=(0, 2, 0, 0)
    )
    table.add_column("quantity", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("note", overflow="fold")  # Chinese has no blanks to break at
    for name, value, note in rows:
        if value:
            table.add_row(*(spoken(text, language) for text in (name, value, note)))
    _console().print(table)
    for name, value, note in rows:
        if not value:
            show_paragraph(Message("{name}: {note}", name=name, note=note), language)


def show_build(
    out: Path,
    checks: int,
    size: tuple[int, int],
    collections: Sequence[tuple[str, Sequence[Row], Sequence[Row]]],
    language: str = ENGLISH,
) -> None:
    """The verdict of a build, the headline rows of each collection, and what to open next.

    ``size`` : number of files and bytes; ``collections`` : title, rows in English, and rows as they are shown, of each.
    """
    files, written = size
    made = Message("1 check") if checks == 1 else Message("{count:,} checks", count=checks)
    verdict = Message(
        "Passed: {checks}; the archive holds {files:,} files, {size:.1f} MB",
        checks=made,
        files=files,
        size=written / 1e6,
    )
    show_paragraph(verdict, language)
    for title, rows, shown in collections:
        show_paragraph(title, language)
        for (headline, _, _), (name, value, note) in zip(rows, shown, strict=True):
            if is_headline(headline):
                line = Message("  {name}: {value}", name=name, value=value)
                whole = Message("{line}, {note}", line=line, note=note) if note else line
                show_paragraph(whole, language)
    notes = sum(name.endswith(NOTE) for _, rows, _ in collections for name, _, _ in rows)
    path = str(out / INDEX_HTML)
    last = Message("Open {path}: every number, map and file", path=path)
    if notes:
        count = Message("1 note") if notes == 1 else Message("{count:,} notes", count=notes)
        last = Message("{line}, with {notes} on the inputs", line=last, notes=count)
    Console(highlight=False).print(Text(spoken(last, language)), soft_wrap=True)
