"""Elevation models as they come: rasters, tiles, mosaics, what is in them, and reading them warped onto a grid."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.dems.contents import refuse_filled_voids, require_relief, tile_contents
    from pipeline.elevation_change.dems.raster_files import acquired_by_name, product_by_name
    from pipeline.elevation_change.dems.tile_set import missing_tiles, native_window, overlapping_tiles, place_name
    from pipeline.elevation_change.dems.tiles import (
        HIGHEST_M,
        LOWEST_M,
        Mosaic,
        Tile,
        aligned_offset,
        native_index,
        open_mosaic,
        read_pixels,
        require_coverage,
        resampling_scale,
        warp_native,
    )
    from pipeline.elevation_change.dems.void_edges import MARGIN, continued_into_voids
    from pipeline.elevation_change.dems.warping import WARP_TOLERANCE

__all__ = [
    "HIGHEST_M",
    "LOWEST_M",
    "MARGIN",
    "WARP_TOLERANCE",
    "Mosaic",
    "Tile",
    "acquired_by_name",
    "aligned_offset",
    "continued_into_voids",
    "missing_tiles",
    "native_index",
    "native_window",
    "open_mosaic",
    "overlapping_tiles",
    "place_name",
    "product_by_name",
    "read_pixels",
    "refuse_filled_voids",
    "require_coverage",
    "require_relief",
    "resampling_scale",
    "tile_contents",
    "warp_native",
]
__getattr__ = lazy_names(
    __name__,
    {
        "contents": ("refuse_filled_voids", "require_relief", "tile_contents"),
        "raster_files": ("acquired_by_name", "product_by_name"),
        "tile_set": ("missing_tiles", "native_window", "overlapping_tiles", "place_name"),
        "tiles": (
            "HIGHEST_M",
            "LOWEST_M",
            "Mosaic",
            "Tile",
            "aligned_offset",
            "native_index",
            "open_mosaic",
            "read_pixels",
            "require_coverage",
            "resampling_scale",
            "warp_native",
        ),
        "void_edges": ("MARGIN", "continued_into_voids"),
        "warping": ("WARP_TOLERANCE",),
    },
)
