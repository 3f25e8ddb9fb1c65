"""A cluster that dies while it computes ends in one error, not in waiting for ever."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from pipeline import cluster_runner
from pipeline.resources import open_resources
from schemas.errors import BadInput

pytestmark = pytest.mark.slow


@pytest.fixture
def cluster() -> Iterator[tuple[str, dict[str, subprocess.Popen[str]]]]:
    """(address, scheduler and worker in processes of their own)"""
    python = (sys.executable, "-m")
    silent = {"stderr": subprocess.PIPE, "text": True}
    options = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    with subprocess.Popen([*python, "distributed.cli.dask_scheduler", *options], **silent) as scheduler:
        address = next(line.split()[-1] for line in scheduler.stderr if "Scheduler at" in line)
        command = [*python, "distributed.cli.dask_worker", address, "--no-nanny", "--nthreads", "1", "--no-dashboard"]
        with subprocess.Popen(command, **silent) as worker:
            next(line for line in worker.stderr if "Registered to" in line)
            for process in (scheduler, worker):
                threading.Thread(target=process.stderr.read, daemon=True).start()
            yield address, {"scheduler": scheduler, "worker": worker}
            worker.kill()
        scheduler.kill()


@pytest.mark.parametrize(
    ("victim", "message"), [("scheduler", "no answer from the scheduler any more"), ("worker", "no worker left")]
)
def test_what_dies_meanwhile_is_said(cluster, monkeypatch, victim, message):
    address, processes = cluster
    monkeypatch.setattr(cluster_runner, "SECONDS_BETWEEN_LOOKS", 0.2)
    monkeypatch.setattr(cluster_runner, "SECONDS_WITHOUT_WORKER", 0.5)
    begun = time.monotonic()
    with open_resources(2, address) as resources:
        results = resources.runner.map(time.sleep, [0.0, 20.0, 20.0])
        next(results)
        os.kill(processes[victim].pid, signal.SIGKILL)
        with pytest.raises(BadInput, match=message):
            list(results)
    assert time.monotonic() - begun < 15
