"""What a run computes with: threads of this machine or a Dask cluster, scratch space, and a limit of memory."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.blocks import (
    DEFAULT_MEMORY_BYTES,
    Block,
    Runner,
    Scratch,
    block_pixels,
    row_blocks,
    shared_scratch,
    threads,
)
from schemas.errors import BadInput

# of the memory of a run, so much may hold rasters that would otherwise lie in scratch files
SHARE_FOR_RASTERS = 0.25
SECONDS_TO_ANSWER = 10
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


@dataclass(frozen=True)
class Resources:
    """What a run computes with.

    Attributes
    ----------
    runner : threads here, or the workers of a cluster.
    scratch : where its rasters lie.
    block_pixels : size of the blocks that one worker holds at a time.
    """

    runner: Runner
    scratch: Scratch
    block_pixels: int

    def blocks(self, shape: tuple[int, int]) -> list[Block]:
        """Blocks of whole rows that cover a grid; the same for any number of workers.

        Parameters
        ----------
        shape : (rows, columns) of the grid.
        """
        return row_blocks(shape, self.block_pixels)


def bytes_of(text: str) -> int:
    """A size of memory, as 400MB, 1.5GB or a plain number of bytes.

    Parameters
    ----------
    text : a number with an optional k, M, G or T (powers of 1000) and an optional B.

    Errors
    ------
    BadInput : no size.

    Example
    -------
    >>> bytes_of("400MB"), bytes_of("1.5GB")
    (400000000, 1500000000)
    """
    size = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", text, re.IGNORECASE)
    if size is None:
        raise BadInput("memory", repr(text), "a size, as 400MB or 2GB")
    return int(float(size[1]) * _UNITS[size[2].lower()])


@contextmanager
def open_resources(
    workers: int = 2, scheduler: str | None = None, memory_bytes: int = DEFAULT_MEMORY_BYTES
) -> Iterator[Resources]:
    """Threads on this machine, or the workers of the Dask cluster at ``scheduler``; both give the same bytes.

    The workers of a cluster must see the inputs and the scratch folder (below TMPDIR) under the same paths.

    Parameters
    ----------
    workers : threads, where there is no scheduler.
    scheduler : address of a Dask scheduler, as ``"tcp://host:8786"``; None for threads.
    memory_bytes : what the run may take; blocks and rasters in memory are cut to it.

    Errors
    ------
    BadInput : less memory than the libraries alone take, no Dask here, or nobody answers at the address.
    """
    pixels = block_pixels(memory_bytes)
    if scheduler is None:
        with threads(workers) as runner:
            yield Resources(runner, Scratch(int(SHARE_FOR_RASTERS * memory_bytes)), pixels)
        return
    with _cluster(scheduler) as runner, shared_scratch() as scratch:
        yield Resources(runner, scratch, pixels)


@contextmanager
def _cluster(address: str) -> Iterator[Runner]:
    try:
        from distributed import Client  # an extra of its own: it is only needed on a cluster

        from pipeline.cluster_runner import ClusterRunner
    except ImportError:
        raise BadInput(
            "--scheduler", "no Dask in this environment", "the package with its extra 'distributed'",
            "pip install 'glacier-archive[distributed]'",
        ) from None  # fmt: skip
    # it would tell of a lost connection in tracebacks of its own; what is lost is said here in one line
    logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)
    try:
        client = Client(address, timeout=SECONDS_TO_ANSWER, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadInput(
            f"--scheduler {address}", " ".join(str(error).split()) or type(error).__name__,
            "the address of a running Dask scheduler", "as tcp://host:8786",
        ) from None  # fmt: skip
    with client:
        workers = sum(client.nthreads().values())
        if workers == 0:
            raise BadInput(f"--scheduler {address}", "no worker", "a cluster with workers", "start dask worker")
        yield ClusterRunner(client, address, workers)
