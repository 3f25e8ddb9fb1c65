"""Bars of the transfers on stderr: bytes, speed and time to go of each file, and what is said in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from catalog.fetch.downloads import Meter, unmetered
from pipeline.progress import Tell, silent


class _Bars:
    """A bar for every file under way; the transfers call it from their threads."""

    def __init__(self, bars: Progress) -> None:
        self._bars, self._guard = bars, threading.Lock()
        self._tasks: dict[str, TaskID] = {}

    def meter(self, name: str, at_hand: int, in_all: int | None) -> None:
        with self._guard:
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(escape(name), total=in_all)
        self._bars.update(self._tasks[name], completed=at_hand, total=in_all)

    def tell(self, message: str) -> None:
        self._bars.console.print(message, markup=False, highlight=False, style="dim")


@contextmanager
def transfer_bars(quiet: bool, console: Console | None = None) -> Iterator[tuple[Tell, Meter]]:
    """What to tell messages and bytes to; both are silent when quiet or not on a terminal."""
    console = console or Console(stderr=True)
    if quiet or not console.is_terminal:
        yield silent, unmetered
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        shown = _Bars(bars)
        yield shown.tell, shown.meter
