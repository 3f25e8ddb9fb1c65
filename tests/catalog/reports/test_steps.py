"""The steps of a run on a terminal: counted, timed, one line kept for each; nothing where nobody looks."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.progress import Progress

from catalog.reports.steps import DIFFERENCE_STEPS, Steps
from catalog.reports.terminal import progress
from tests.root import ROOT


class Clock:
    """Stands still until it is moved."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def test_finished_steps_leave_a_line_with_their_number_and_time():
    console, clock = Console(file=io.StringIO(), width=80), Clock()
    bar = Progress(console=console)
    steps = Steps(bar, console, {"reading": 0.25, "fitting": 0.25, "writing": 0.5}, clock)
    steps.tell("reading")
    clock.now += 2.0
    steps.tell("fitting")
    # a quarter of the work took 2 s: three quarters are left
    assert bar.tasks[0].description == "2 of 3  fitting, about 6 s left"
    clock.now += 0.1
    steps.tell("writing")
    clock.now += 4.0
    steps.finish()
    assert console.file.getvalue().splitlines() == ["1 of 3  reading  2.0 s", "3 of 3  writing  4.0 s"]


def test_a_step_that_was_not_foreseen_is_shown_without_a_number():
    console, clock = Console(file=io.StringIO(), width=80), Clock()
    steps = Steps(Progress(console=console), console, {"reading": 1.0}, clock)
    steps.tell("waiting [for] another")
    clock.now += 1.0
    steps.finish()
    assert console.file.getvalue() == "waiting [for] another  1.0 s\n"


def test_nothing_is_shown_where_nobody_looks():
    console = Console(file=io.StringIO(), force_terminal=False)
    with progress(False, DIFFERENCE_STEPS, console) as tell:
        tell("reading")
    assert console.file.getvalue() == ""


def test_the_steps_of_a_difference_are_those_that_it_tells():
    """Each is told in the chain or in what it calls, or by the command itself, and the shares are whole."""
    sources = [*(ROOT / "pipeline" / "elevation_change").rglob("*.py"), ROOT / "cli.py"]
    told = {text for path in sources for text in re.findall(r'tell\("([^"]+)"\)', path.read_text(encoding="utf-8"))}
    assert set(DIFFERENCE_STEPS) <= told
    chain = (ROOT / "pipeline" / "elevation_change" / "chain.py").read_text(encoding="utf-8")
    assert set(re.findall(r'tell\("([^"]+)"\)', chain)) <= set(DIFFERENCE_STEPS)
    assert abs(sum(DIFFERENCE_STEPS.values()) - 1) < 1e-9
