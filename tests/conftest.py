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

from tests.root import ROOT

SCHEMAS = ROOT.parent / "shared" / "stac-schemas"

if SCHEMAS.is_dir():
    os.environ.setdefault("GLACIER_STAC_SCHEMAS", str(SCHEMAS))

if "GLACIER_TEST_CACHE" not in os.environ:
    # the workers of a parallel run are started with this environment
    os.environ["GLACIER_TEST_CACHE"] = tempfile.mkdtemp(prefix="glacier-test-cache-")
    atexit.register(shutil.rmtree, os.environ["GLACIER_TEST_CACHE"], ignore_errors=True)
os.environ["GLACIER_CACHE"] = os.environ["GLACIER_TEST_CACHE"]


@pytest.fixture(scope="session")
def whole_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One archive of both datasets for all tests of a run, built once; nobody may change it."""
    from tests.made.whole_archive import build
    from tests.system.documentation import made_once

    def make(draft: Path) -> None:
        build(draft / "archive")

    return made_once(tmp_path_factory.getbasetemp(), "whole-archive", make) / "archive"


@pytest.fixture(scope="session")
def parted_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same archive with its long lists in parts, as a large one has them; nobody may change it."""
    from tests.made.large_archive import build_parted
    from tests.system.documentation import made_once

    def make(draft: Path) -> None:
        build_parted(draft / "archive")

    return made_once(tmp_path_factory.getbasetemp(), "parted-archive", make) / "archive"
