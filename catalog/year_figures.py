"""The pictures of each mass-balance year, drawn by several processes at once; the same bytes for any number of them.

A picture of matplotlib is pure Python for the most part, so that threads would wait for each other. Each process gets
what one year's pictures show, not the whole result.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from catalog.figures import balance_limit, draw_balance_map, draw_balance_thumbnail
from catalog.figures_mass_balance import draw_year_profile
from pipeline.mass_balance.result import MassBalance

# starting the processes takes as long as the pictures of so many years
FEWEST_YEARS = 8
MOST_PROCESSES = 8
_DRAWN = b"drawn\n"
_DRAWN_TABLES = ("point_balances", "zone_balances")


@dataclass(frozen=True)
class YearPictures:
    """Which pictures of a year to draw, and where; None for one that is not wanted.

    Attributes
    ----------
    result : with that year alone, and the rows of its tables.
    limit_m_we : end of the colour scale, the same for all years.
    """

    result: MassBalance
    title: str
    synthetic: bool
    limit_m_we: float
    map: Path
    profile: Path
    thumbnail: Path | None = None

    def draw(self) -> None:
        """Write the pictures."""
        year = self.result.years[0]
        draw_balance_map(self.map, self.result, year, self.title, self.synthetic, self.limit_m_we)
        draw_year_profile(self.profile, self.result, year, self.title, self.synthetic)
        if self.thumbnail is not None and year.field is not None:
            draw_balance_thumbnail(
                self.thumbnail, self.result, year, year.field, self.synthetic, self.limit_m_we
            )  # fmt: skip


def results_by_year(result: MassBalance) -> Iterator[tuple[MassBalance, float]]:
    """The result cut down to each year that has a map, and the end of the colour scale that all maps share."""
    limit = balance_limit(result)
    rows = {name: dict(iter(result.tables[name].groupby("year"))) for name in _DRAWN_TABLES}
    for year in result.years:
        if year.field is not None:
            tables = {name: rows[name].get(year.year, _without_rows(result.tables[name])) for name in _DRAWN_TABLES}
            yield replace(result, years=(year,), tables=tables), limit


def _without_rows(table: pd.DataFrame) -> pd.DataFrame:
    empty: pd.DataFrame = table.iloc[:0]
    return empty


@contextmanager
def drawn_beside(pictures: Sequence[YearPictures], processes: int | None = None) -> Iterator[None]:
    """Draw while the body does something else; every picture stands when it is left.

    ``processes`` to draw with, one for each processor when absent; few years are drawn by this process afterwards,
    and so is whatever a process that ended early has left undone.
    """
    count = min(MOST_PROCESSES, len(os.sched_getaffinity(0))) if processes is None else processes
    if count < 2 or len(pictures) < FEWEST_YEARS:
        yield
        left = list(pictures)
    else:
        waiting = deque(pictures)
        with ThreadPoolExecutor(count) as pool:
            lefts = [pool.submit(_drawn_by_a_process, waiting) for _ in range(count)]
            try:
                yield
            except BaseException:
                waiting.clear()
                raise
            left = [one for future in lefts for one in future.result()] + list(waiting)
    for one in left:
        one.draw()


def _drawn_by_a_process(waiting: deque[YearPictures]) -> list[YearPictures]:
    """Hand pictures to a process of its own, one by one, until none waits; what it could not draw is returned.

    The process is a plain interpreter: one of ``multiprocessing`` would run the caller's main module again.
    """
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import draw_what_comes; draw_what_comes()"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        # in a session of its own: Ctrl-C reaches this process alone, which then ends the other by closing its input
        start_new_session=True,
    ) as child:
        while waiting:
            try:
                one = waiting.popleft()
            except IndexError:  # another thread was faster
                break
            if not _is_drawn_by(child, one):
                child.kill()
                return [one]
    return []


def _is_drawn_by(child: subprocess.Popen[bytes], one: YearPictures) -> bool:
    """Whether a process took a picture and says that it is drawn; its input is closed where it did not take it."""
    if child.stdin is None or child.stdout is None:
        return False
    try:
        pickle.dump(one, child.stdin, pickle.HIGHEST_PROTOCOL)
        child.stdin.flush()
    except BrokenPipeError:
        with suppress(BrokenPipeError):
            child.stdin.close()
        return False
    return child.stdout.readline() == _DRAWN


def draw_what_comes() -> None:
    """Draw each picture that comes on standard input and say so on standard output; what such a process does."""
    answers = sys.stdout.buffer
    sys.stdout = sys.stderr  # no word of a library is taken for an answer
    while True:
        try:
            one = pickle.load(sys.stdin.buffer)  # noqa: S301 - written by the process that started this one
        except EOFError:
            return
        one.draw()
        answers.write(_DRAWN)
        answers.flush()
