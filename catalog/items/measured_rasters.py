"""One measured quantity as a raster of the archive, and the asset that a catalogue makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from catalog.archive import COG, Asset
from catalog.formats import NODATA, write_cog
from pipeline.blocks import Raster
from pipeline.grid import FloatArray, Grid
from schemas.messages import Message


@dataclass(frozen=True, kw_only=True)
class MeasuredRaster:
    """A quantity on a grid.

    Attributes
    ----------
    key, name : of the asset, and of its file.
    values : shape of the grid; NaN where nothing is known.
    unit : of the values.
    band : what the file says of its band.
    title, description : what a catalogue says of the file.
    roles : of the asset.
    """

    key: str
    name: str
    values: Raster | FloatArray
    unit: str
    band: Message
    title: Message
    description: Message
    roles: tuple[str, ...] = ("data",)


def write_measured_raster(raster: MeasuredRaster, grid: Grid, path: Path, tags: Mapping[str, str]) -> Asset:
    """Write the raster to ``path``, whatever its name there, with what the file says of itself."""
    write_cog(
        path, raster.values, grid, nodata=NODATA, unit=raster.unit, resampling="average", description=raster.band,
        tags=dict(tags),
    )  # fmt: skip
    return Asset(
        key=raster.key,
        href=raster.name,
        title=raster.title,
        media_type=COG,
        roles=raster.roles,
        description=raster.description,
        extra={"raster:sampling": "area"},
    )
