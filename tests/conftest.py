"""Where the published STAC extension schemas lie, if they are here: the tests then validate against them."""

from __future__ import annotations

import os
from pathlib import Path

SCHEMAS = Path(__file__).resolve().parents[1].parent / "shared" / "stac-schemas"

if SCHEMAS.is_dir():
    os.environ.setdefault("GLACIER_STAC_SCHEMAS", str(SCHEMAS))
