"""The same bytes from threads, from a Dask cluster, and from a cluster that loses a worker on the way."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.elevation_change.chain import elevation_change
from pipeline.resources import open_resources
from schemas.settings import ElevationChangeSettings
from tests.made.synthetic_pairs import fractal, write_dem

distributed = pytest.importorskip("distributed", reason="the extra 'distributed' is not installed")
pytestmark = pytest.mark.slow

SHAPE = (700, 640)
LAYERS = ("dh_m", "sigma_dh_m", "classification")


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    draw = np.random.default_rng(4)
    earlier = fractal(SHAPE, shift=(0.43, -0.27)) + draw.normal(0, 1.5, SHAPE).astype(np.float32)
    earlier[100:130, 200:260] = np.nan
    later = fractal(SHAPE) + draw.normal(0, 0.5, SHAPE).astype(np.float32)
    return write_dem(folder / "earlier.tif", earlier), write_dem(folder / "later.tif", later)


@pytest.fixture
def cluster() -> Iterator[distributed.LocalCluster]:
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as running:
        yield running


def outcome(pair, scheduler=None, workers=2) -> dict[str, object]:
    """Everything that a run computes; small blocks, so that there are many."""
    with open_resources(workers, scheduler, memory_bytes=300_000_000) as resources:
        result = elevation_change(*pair, ElevationChangeSettings(), resources=resources)
        layers = {name: np.asarray(getattr(result, name)).tobytes() for name in LAYERS}
        return {**layers, "shift": result.shift_m, "after": result.after, "patches": result.patches}


@pytest.fixture(scope="module")
def by_threads(pair):
    return outcome(pair)


def test_one_thread_or_four(pair, by_threads):
    for workers in (1, 4):
        assert outcome(pair, workers=workers) == by_threads


def test_a_cluster_gives_the_same_bytes(pair, by_threads, cluster):
    assert outcome(pair, cluster.scheduler_address) == by_threads


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(pair, by_threads, cluster):
    killed = []

    def kill_one_at_work() -> None:
        with distributed.Client(cluster.scheduler_address, set_as_default=False) as client:
            victim = min(client.run(os.getpid).values())
            while client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) < 3:
                pass
            os.kill(victim, signal.SIGKILL)
            killed.append(victim)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    found = outcome(pair, cluster.scheduler_address)
    killer.join(30)
    assert killed
    assert found == by_threads
