"""Where the real data lie; the tests that need them are skipped, with the reason, only where the folder is absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.root import ROOT

REAL_DATA = Path(os.environ.get("GLACIER_REAL_DATA", ROOT.parent / "shared" / "data"))
needs_real_data = pytest.mark.skipif(
    not REAL_DATA.is_dir(), reason="the real data are not here; point GLACIER_REAL_DATA at them"
)
