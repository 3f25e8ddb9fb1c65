"""Threads for work beside one's own: done when it is left, dropped where an error or an interruption ends it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def worker_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """Some threads; on leaving, all that was submitted is done.

    An error drops what has not begun and waits for what has. Whatever else ends the block, such as Ctrl-C, is about to
    end the process: then nobody waits for a raster of gigabytes or a server that keeps silent.

    Parameters
    ----------
    count : threads that work at once.
    """
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except (Exception, GeneratorExit):
        pool.shutdown(cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()
