"""Blocks on the workers of a Dask cluster, whose scheduler or last worker may die meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import TypeVar

from distributed import Client, KilledWorker
from distributed.client import FutureCancelledError

from pipeline.blocks import Runner
from schemas.errors import BadInput

Item = TypeVar("Item")
Result = TypeVar("Result")
# a worker that dies takes its blocks with it; others do them again, so many times
RETRIES = 5
SECONDS_BETWEEN_LOOKS = 2.0
# a worker that died may be started again by whoever watches over it
SECONDS_WITHOUT_WORKER = 30.0
_LOST = (CancelledError, FutureCancelledError)


class ClusterRunner(Runner):
    """A runner on the workers of a cluster; it ends in a clear error where nobody is left to compute.

    Parameters
    ----------
    client : of the cluster.
    address : of its scheduler, as the user named it.
    workers : how many threads they have.
    """

    def __init__(self, client: Client, address: str, workers: int) -> None:
        super().__init__(client.get_executor(pure=False, retries=RETRIES), workers)
        self._client, self._address = client, address
        self._without_worker_since: float | None = None

    def submit(self, function: Callable[[Item], Result], item: Item) -> Future[Result]:
        """Hand an item to the cluster.

        Errors
        ------
        BadInput : the scheduler is gone.
        """
        if self._client.status != "running":
            raise self._gone()
        return super().submit(function, item)

    def result(self, future: Future[Result]) -> Result:
        """Wait for an item, and look now and then whether anybody is left to compute it.

        Errors
        ------
        BadInput : the scheduler or its last worker is gone, or a block ended each worker that took it.
        """
        while True:
            try:
                return future.result(timeout=SECONDS_BETWEEN_LOOKS)
            except TimeoutError:
                if future.done():  # the function's own
                    raise
                self._require_workers()
            except _LOST:
                raise self._gone() from None
            except KilledWorker:
                raise BadInput(
                    f"--scheduler {self._address}", "a block that ended every worker that took it",
                    "workers that live", "give each worker more memory, or the run less with --memory",
                ) from None  # fmt: skip

    def _require_workers(self) -> None:
        if self._client.status != "running":
            raise self._gone()
        try:
            workers = len(self._client.nthreads())
        except (OSError, TimeoutError, *_LOST):
            raise self._gone() from None
        now = time.monotonic()
        if workers:
            self._without_worker_since = None
        elif self._without_worker_since is None:
            self._without_worker_since = now
        elif now - self._without_worker_since > SECONDS_WITHOUT_WORKER:
            raise BadInput(
                f"--scheduler {self._address}",
                "no worker left",
                "a cluster with workers",
                "start workers and run again",
            )

    def _gone(self) -> BadInput:
        return BadInput(
            f"--scheduler {self._address}", "no answer from the scheduler any more", "a scheduler that lives",
            "start it and run again; nothing was published",
        )  # fmt: skip
