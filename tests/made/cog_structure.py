"""What rio-cogeo says of the structure of a file."""

from __future__ import annotations

from pathlib import Path

import rasterio
from rio_cogeo.cogeo import cog_validate


def cog_failures(path: Path) -> list[str]:
    """What keeps a file from being a Cloud-Optimized GeoTIFF; warnings count."""
    with rasterio.Env(GDAL_PAM_ENABLED="NO", GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"):
        _, errors, warnings = cog_validate(str(path), strict=True, quiet=True)
    return [*errors, *warnings]
