"""Two DEMs and the outlines brought onto one grid and one vertical datum, and the refusals of what is no pair."""

from typing import TYPE_CHECKING

from pipeline.lazy_names import lazy_names

if TYPE_CHECKING:
    from pipeline.elevation_change.pairing.dates import dated, dates_table, middle_of, period_years
    from pipeline.elevation_change.pairing.dem_pair import (
        ON_GLACIER,
        RIM,
        DemPair,
        MovedRaster,
        RasterOfPair,
        Taps,
        inner_columns,
        inner_rows,
        level_surface,
        taps_of,
        weighted_sum,
        with_rim,
    )
    from pipeline.elevation_change.pairing.masks import UserMasks
    from pipeline.elevation_change.pairing.observations import (
        Observations,
        Request,
        Source,
        check_inputs,
        observe,
        resampled_at,
    )
    from pipeline.elevation_change.pairing.spread_windows import (
        Band,
        Lattice,
        cut_windows,
        in_windows,
        lattice_of,
        raster_windows,
    )

__all__ = [
    "ON_GLACIER",
    "RIM",
    "Band",
    "DemPair",
    "Lattice",
    "MovedRaster",
    "Observations",
    "RasterOfPair",
    "Request",
    "Source",
    "Taps",
    "UserMasks",
    "check_inputs",
    "cut_windows",
    "dated",
    "dates_table",
    "in_windows",
    "inner_columns",
    "inner_rows",
    "lattice_of",
    "level_surface",
    "middle_of",
    "observe",
    "period_years",
    "raster_windows",
    "resampled_at",
    "taps_of",
    "weighted_sum",
    "with_rim",
]
__getattr__ = lazy_names(
    __name__,
    {
        "dates": ("dated", "dates_table", "middle_of", "period_years"),
        "dem_pair": (
            "ON_GLACIER",
            "RIM",
            "DemPair",
            "MovedRaster",
            "RasterOfPair",
            "Taps",
            "inner_columns",
            "inner_rows",
            "level_surface",
            "taps_of",
            "weighted_sum",
            "with_rim",
        ),
        "masks": ("UserMasks",),
        "observations": ("Observations", "Request", "Source", "check_inputs", "observe", "resampled_at"),
        "spread_windows": ("Band", "Lattice", "cut_windows", "in_windows", "lattice_of", "raster_windows"),
    },
)
