"""Runs steps that are numpy for the most part on two threads: numpy leaves the interpreter free while it computes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from pipeline.worker_threads import worker_threads

Given = TypeVar("Given")
Found = TypeVar("Found")

# more would hold more arrays at once, and linear algebra brings threads of its own
THREADS = 2


def in_threads(function: Callable[[Given], Found], values: Iterable[Given], threads: int = THREADS) -> Iterator[Found]:
    """``map`` on some threads: results in the order of the values, no more of them waiting than threads.

    The same for any number of threads, as long as the function keeps nothing between its calls.
    """
    if threads < 2:
        yield from map(function, values)
        return
    coming = iter(values)
    with worker_threads(threads) as pool:
        running: deque[Future[Found]] = deque(pool.submit(function, value) for value in islice(coming, threads))
        try:
            while running:
                result = running.popleft().result()
                running.extend(pool.submit(function, value) for value in islice(coming, 1))
                yield result
        finally:
            for future in running:
                future.cancel()
