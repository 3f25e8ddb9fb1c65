"""The steps of a run on a terminal: the present one live, a line kept for each that is finished, with its time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.text import Text

# what a step takes of a difference, in shares of its time: two DEMs of a million pixels on two cores
DIFFERENCE_STEPS: Mapping[str, float] = {
    "Bringing the DEMs onto one grid and datum": 0.14,
    "Checking the accuracy of each DEM": 0.10,
    "Co-registering by the cosine relation of aspect and elevation difference": 0.16,
    "Correcting the resolution effect": 0.16,
    "Setting blunders on glaciers aside": 0.04,
    "Estimating the uncertainty from stable terrain": 0.14,
    "Summing up the change of each glacier": 0.04,
    "Testing the uncertainty on stable patches": 0.07,
    "Writing the results": 0.15,
}
# a step that took less leaves no line
KEPT_S = 0.3
# an estimate needs so much of the work behind it
_LEAST_DONE = 0.2


class Steps:
    """The steps of one run, told one after the other; those of a known list are counted and timed ahead.

    Attributes
    ----------
    known : shares of the time by step, in order; empty where the steps are not known beforehand.
    """

    def __init__(
        self, bar: Progress, console: Console, known: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._bar, self._console, self.known, self._clock = bar, console, known, clock
        self._begun = self._step_begun = clock()
        self._present = ""
        self._task: TaskID = bar.add_task("Starting", total=None)

    def tell(self, message: str) -> None:
        """The next step begins."""
        self.finish()
        self._present, self._step_begun = message, self._clock()
        self._bar.update(self._task, description=f"{self._counted(message)}{self._left()}")

    def finish(self) -> None:
        """The present step is done: a line of it stays, unless it took no time worth one."""
        took_s = self._clock() - self._step_begun
        if self._present and took_s >= KEPT_S:
            self._console.print(Text(f"{self._counted(self._present)}  {took_s:.1f} s", style="dim"), soft_wrap=True)
        self._present = ""

    def _counted(self, message: str) -> str:
        steps = list(self.known)
        return f"{steps.index(message) + 1} of {len(steps)}  {message}" if message in self.known else message

    def _left(self) -> str:
        """How long the rest takes, by what the steps behind took."""
        steps = list(self.known)
        if self._present not in self.known:
            return ""
        done = sum(self.known[step] for step in steps[: steps.index(self._present)])
        if done < _LEAST_DONE:
            return ""
        left_s = (self._clock() - self._begun) * (1 - done) / done
        return f", about {left_s:.0f} s left"
