"""The accuracy checks of each DEM by itself: counts, spikes, seams between tiles."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.dem_checks.checks import CheckedDem, check_table, dem_check_numbers
    from pipeline.elevation_change.dem_checks.counts import CountLayout, DemCounts, dem_block_counts
    from pipeline.elevation_change.dem_checks.tile_seams import measure_seam, tile_borders

__all__ = [
    "CheckedDem",
    "CountLayout",
    "DemCounts",
    "check_table",
    "dem_block_counts",
    "dem_check_numbers",
    "measure_seam",
    "tile_borders",
]
__getattr__ = lazy_names(
    __name__,
    {
        "checks": ("CheckedDem", "check_table", "dem_check_numbers"),
        "counts": ("CountLayout", "DemCounts", "dem_block_counts"),
        "tile_seams": ("measure_seam", "tile_borders"),
    },
)
