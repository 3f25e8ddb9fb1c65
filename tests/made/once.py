"""What the tests of one run share: the first that asks makes it, in whichever process; nobody may change it."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

FOLDER_OF_THE_RUN = "GLACIER_TEST_FOLDER"  # set by conftest.py, gone with the run


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The folder of this name that all processes of a test run share; while one makes it, the others wait."""
    shared = Path(os.environ[FOLDER_OF_THE_RUN])
    folder = shared / name
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = shared / f"{name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            make(draft)
            draft.rename(folder)
    return folder
