"""How patiently a server in trouble is asked again: one rule for all that goes over a network."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar

T = TypeVar("T")
# answers that say: not now
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))
_MOST_DIGITS = 18  # of a whole number in a header; an exabyte has nineteen


class Again(Exception):
    """A passing trouble: what was found, and how long the server asks to wait (seconds)."""

    def __init__(self, found: str, wait_s: float | None = None) -> None:
        self.found, self.wait_s = found, wait_s
        super().__init__(found)


class OutOfPatience(Exception):
    """The trouble stays.

    Attributes
    ----------
    found : the last trouble.
    trials : how often was asked.
    asked_s : seconds that the server asks to wait, where that is longer than anyone waits here.
    """

    def __init__(self, found: str, trials: int, asked_s: float | None = None) -> None:
        self.found, self.trials, self.asked_s = found, trials, asked_s
        super().__init__(found)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often to ask without any progress, and how long to wait in between.

    Attributes
    ----------
    first_wait_s, longest_wait_s : seconds; doubled each time up to the longest.
    longest_asked_s : what a server may ask for (Retry-After) at most; when it asks for more, nobody waits.
    slowest_bytes_s, slow_for_s : a transfer below that rate (bytes per second) for so long (seconds) is begun again.
    """

    attempts: int = 5
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 600.0
    slowest_bytes_s: float = 500.0
    slow_for_s: float = 60.0
    sleep: Callable[[float], object] = time.sleep

    def until_done(
        self,
        act: Callable[[], T],
        waiting: Callable[[str, float], object] = lambda _found, _wait_s: None,
        progress: Callable[[], int] = lambda: 0,
    ) -> T:
        """What ``act`` returns once it raises ``Again`` no more; what brings ``progress`` further costs no patience.

        Parameters
        ----------
        act : asks the server once.
        waiting : told the trouble, and how long is waited (seconds), before each wait.
        progress : a number that grows with what has been got.

        Errors
        ------
        OutOfPatience : ``attempts`` in a row without progress, or a server that asks for too long a wait.
        """
        attempt, furthest = 0, progress()
        while True:
            try:
                return act()
            except Again as again:
                trouble = again
            if progress() > furthest:
                attempt, furthest = 0, progress()
            if (trouble.wait_s or 0.0) > self.longest_asked_s:
                raise OutOfPatience(trouble.found, attempt + 1, trouble.wait_s)
            wait_s = self._wait_s(attempt, trouble.wait_s)
            attempt += 1
            if attempt >= self.attempts:
                raise OutOfPatience(trouble.found, attempt)
            waiting(trouble.found, wait_s)
            self.sleep(wait_s)

    def _wait_s(self, attempt: int, asked_s: float | None) -> float:
        """Wait after attempt number ``attempt`` (from 0): our own, or longer where the server asks for it."""
        return max(min(self.first_wait_s * 2.0**attempt, self.longest_wait_s), asked_s or 0.0)


def is_number(text: str) -> bool:
    """Whether a header holds a whole number: digits of ASCII alone, few enough for Python to read.

    Parameters
    ----------
    text : as a server sent it.
    """
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def asked_wait_s(text: str) -> float | None:
    """What Retry-After asks for (seconds): a number of seconds, or a date.

    Parameters
    ----------
    text : as a server sent it.

    Returns
    -------
    seconds from now, never below 0; None where it asks for nothing that can be understood.
    """
    if is_number(text):
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
