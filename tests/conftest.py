"""Where the published STAC extension schemas lie, if they are here: the tests then validate against them.

Builds of a test run share a cache of its own; a test that proves a computation says ``--no-cache``.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.made import shared_archives
from tests.made.once import FOLDER_OF_THE_RUN
from tests.root import ROOT

# as the commands do: on few cores threads that wait for each other take more time than they save
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
SCHEMAS = ROOT.parent / "shared" / "stac-schemas"

if SCHEMAS.is_dir():
    os.environ.setdefault("GLACIER_STAC_SCHEMAS", str(SCHEMAS))

if FOLDER_OF_THE_RUN not in os.environ:
    # the workers of a parallel run are started with this environment
    os.environ[FOLDER_OF_THE_RUN] = tempfile.mkdtemp(prefix="glacier-test-run-")
    atexit.register(shutil.rmtree, os.environ[FOLDER_OF_THE_RUN], ignore_errors=True)
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    # each of the hundreds of processes would compile all libraries anew, for seconds: the run keeps what is compiled
    os.environ["PYTHONPYCACHEPREFIX"] = os.path.join(os.environ[FOLDER_OF_THE_RUN], "compiled")
os.environ["GLACIER_CACHE"] = os.path.join(os.environ[FOLDER_OF_THE_RUN], "cache")


@pytest.fixture(scope="session")
def whole_archive() -> Path:
    """One archive of both datasets for all tests of a run, built once; nobody may change it."""
    return shared_archives.whole_archive()


@pytest.fixture(scope="session")
def change_archive() -> Path:
    """One archive of the elevation change alone; nobody may change it."""
    return shared_archives.change_archive()


@pytest.fixture(scope="session")
def parted_archive() -> Path:
    """The same archive with its long lists in parts, as a large one has them; nobody may change it."""
    return shared_archives.parted_archive()


@pytest.fixture(scope="session")
def large_archive() -> Path:
    """An archive with rasters of many tiles; nobody may change it."""
    return shared_archives.large_archive()


@pytest.fixture(scope="session")
def sample() -> shared_archives.Sample:
    """The embedded sample, built once a run; nobody may change it."""
    return shared_archives.sample()
