"""From two DEMs to an elevation change with uncertainty: the method section of the dataset, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.blocks import Block, Raster
from pipeline.elevation_change.dem_checks import (
    CheckedDem,
    CountLayout,
    DemCounts,
    check_table,
    dem_block_counts,
    dem_check_numbers,
    measure_seam,
    tile_borders,
)
from pipeline.elevation_change.dems import Mosaic
from pipeline.elevation_change.differencing import Differenced, corrections_table, difference
from pipeline.elevation_change.glaciers import (
    NO_OUTLIERS,
    GlacierChange,
    GlacierOutliers,
    ResolutionTerm,
    ScaleTerm,
    Surface,
    change_of_glaciers,
    set_outliers_aside,
)
from pipeline.elevation_change.pairing import (
    ON_GLACIER,
    DemPair,
    Observations,
    Request,
    Source,
    UserMasks,
    check_inputs,
    dated,
    dates_table,
    observe,
)
from pipeline.elevation_change.report import (
    Report,
    assembled,
    figure_numbers,
    iteration_table,
    notes_on_checks,
    notes_on_outliers,
    notes_on_patches,
    notes_on_penetration,
    notes_on_shared_ground,
    notes_on_smooth_patches,
    notes_on_what_is_not_given,
)
from pipeline.elevation_change.resolution_report import notes_on_resolution, resolution_result, resolution_table
from pipeline.elevation_change.result import ElevationChange, FinalRasters
from pipeline.elevation_change.trends_report import notes_on_trends
from pipeline.elevation_change.uncertainty import (
    ClassTallying,
    ErrorModel,
    PatchTests,
    SmoothGround,
    accuracy_table_of,
    error_model,
    patch_test,
)
from pipeline.elevation_change.unmapped_ice import notes_on_unmapped_ice
from pipeline.progress import Tell, silent
from pipeline.resources import Resources, open_resources
from schemas.definition import Period
from schemas.definition import Source as InputSource
from schemas.settings import ElevationChangeSettings

# without glaciers the patch test takes patches of this size
PATCH_KM2 = 1.0


WhenFinal = Callable[[FinalRasters], object]


def ignored(_rasters: FinalRasters) -> None:
    """For who takes the rasters with the rest of the result."""


def elevation_change(
    earlier: Source,
    later: Source,
    settings: ElevationChangeSettings,
    *,
    outlines: Sequence[Path] = (),
    layers: Sequence[str] = (),
    stable_mask: Path | None = None,
    exclude: Sequence[Path] = (),
    geoids: Path | None = None,
    region_lonlat: tuple[float, float, float, float] | None = None,
    sources: Sequence[InputSource] = (),
    period: Period | None = None,
    resources: Resources | None = None,
    tell: Tell = silent,
    when_final: WhenFinal = ignored,
) -> ElevationChange:
    """Difference two DEMs: checks, one grid and datum, co-registration, resolution correction, accuracy, change.

    Nuth and Kaab (2011) for the shift, Gardelle et al. (2012) for the resolution, Hugonnet et al. (2022) for the error.

    Parameters
    ----------
    earlier, later : raster, folder of tiles, or a list of them.
    outlines : glacier outlines, one file an epoch; without them every measured pixel counts as stable.
    layers : the layer of outlines that is meant, of all files or of each, where files have several.
    stable_mask, exclude : the user's own stable terrain, and what is to be left out of it, as water and snow; rasters,
        of which values above zero count, or shapes.
    geoids : folder of geoid grids that the inputs bring, which PROJ is told for this run alone.
    region_lonlat : (west, south, east, north) in degrees that the DEMs must cover.
    sources, period : what a dataset's description says of the inputs' dates and of the period; told beside the dates.
    resources : what to compute with; two threads and a gigabyte of this machine when absent.
    when_final : is given the rasters as soon as nothing changes them any more, so that they can be written meanwhile.

    Errors
    ------
    BadInput : inputs that cannot be used; each message names the file or the step.
    """
    request = Request(
        earlier=earlier,
        later=later,
        outlines=tuple(outlines),
        layers=layers,
        masks=UserMasks(stable=stable_mask, exclude=tuple(exclude)),
        geoids=geoids,
        region_lonlat=region_lonlat,
    )
    settings = dated(settings, sources)
    if resources is not None:
        return _elevation_change(request, settings, sources, period, resources, tell, when_final=when_final)
    with open_resources() as own:
        return _elevation_change(request, settings, sources, period, own, tell, when_final=when_final)


def _elevation_change(
    request: Request,
    settings: ElevationChangeSettings,
    sources: Sequence[InputSource],
    period: Period | None,
    resources: Resources,
    tell: Tell,
    *,
    when_final: WhenFinal,
) -> ElevationChange:
    tell("Bringing the DEMs onto one grid and datum")
    observed = observe(request, settings, resources)
    tell("Checking the accuracy of each DEM")
    notes = check_inputs(observed, resources)
    checks, check_numbers = check_dems(observed, resources)
    compared = difference(observed, settings, resources, tell, tallying=ClassTallying.for_sample, with_error=True)
    tell("Setting blunders on glaciers aside")
    outliers = outliers_set_aside(observed, compared, settings, resources)
    when_final(final_rasters(observed, compared))
    tell("Estimating the uncertainty from stable terrain")
    error = error_model(observed, compared, resources)
    tell("Summing up the change of each glacier")
    change = glacier_change(observed, compared, error, settings, outliers)
    glaciers = {} if change is None else change.tables
    tell("Testing the uncertainty on stable patches")
    patches = patches_of_glacier_size(observed, glaciers.get("glaciers"), error, resources)
    resolution = resolution_result(compared, change)
    tables = {
        "accuracy": accuracy_table_of(error.tallied),
        "dem_checks": checks,
        "coregistration": iteration_table(compared),
        "dates": dates_table(settings, sources, period, observed.outlines),
        "corrections": corrections_table(settings),
        "resolution": resolution_table(compared, change),
        **glaciers,
    }
    figures = {**figure_numbers(observed, compared, error, patches.every), "dem_checks": check_numbers}
    unmapped = notes_on_unmapped_ice(observed, compared, resources)
    notes = (
        *notes,
        *notes_on_checks(checks),
        *notes_on_resolution(resolution),
        *notes_on_trends(compared, settings),
        *notes_on_penetration(observed, settings),
        *notes_on_what_is_not_given(observed, settings, request.masks, outlines_told=bool(unmapped)),
        *(() if error.note is None else (error.note,)),
        *notes_on_outliers(outliers),
        *notes_on_shared_ground(change),
        *notes_on_patches(patches.every),
        *notes_on_smooth_patches(patches.smooth),
        *unmapped,
    )
    report = Report(tables=tables, figures=figures, notes=notes, settings=settings, resolution=resolution)
    return assembled(observed, compared, error, patches, None if change is None else change.totals, report)


def final_rasters(observed: Observations, compared: Differenced) -> FinalRasters:
    """The rasters of the result, once outliers on glaciers are set aside.

    Parameters
    ----------
    observed : tells the grid.
    compared : the layers of the difference, with its error.
    """
    layers, error = compared.layers, compared.layers.error
    if error is None:
        raise TypeError("the difference was made without its error")
    return FinalRasters(grid=observed.grid, dh_m=layers.dh, sigma_dh_m=error.sigma, classification=error.classification)


def check_dems(observed: Observations, resources: Resources) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The accuracy checks of both DEMs in one table, and the numbers of their figure by DEM.

    Parameters
    ----------
    observed : both DEMs, opened and on one grid.
    resources : what the run computes with.
    """
    pair = observed.pair
    checked = [
        checked_dem(mosaic, heights, pair, resources)
        for mosaic, heights in ((observed.aligned_dem, pair.unmoved), (observed.reference_dem, pair.reference))
    ]
    table = pd.concat([check_table(dem) for dem in checked], ignore_index=True)
    numbers = {dem.mosaic.role: dem_check_numbers(dem) for dem in sorted(checked, key=lambda dem: dem.mosaic.role)}
    return table.sort_values(["dem", "tile", "check"], ignore_index=True), numbers


def checked_dem(mosaic: Mosaic, heights: Raster, pair: DemPair, resources: Resources) -> CheckedDem:
    """One DEM counted block by block, and the borders between its tiles measured.

    Parameters
    ----------
    mosaic : the opened DEM.
    heights : on the grid, m; NaN where void.
    pair : tells the grid and the glaciers.
    resources : what the run computes with.
    """
    layout = CountLayout.of(mosaic, pair.grid)
    blocks = resources.blocks(pair.shape)
    counts = reduce(add, resources.runner.map(partial(_counts, heights, pair.mask, layout), blocks))
    seams = resources.runner.map(partial(measure_seam, mosaic), tile_borders(mosaic, pair.grid))
    return CheckedDem(mosaic=mosaic, grid=pair.grid, counts=counts, seams=tuple(seams))


def _counts(heights: Raster, mask: Raster, layout: CountLayout, block: Block) -> DemCounts:
    columns = slice(0, heights.shape[1])
    wide = heights[block.widened(layout.halo, heights.shape[0]), columns]
    glaciers = (mask[block.rows, columns] & np.uint8(ON_GLACIER)) > 0
    return dem_block_counts(wide, glaciers, block, layout)


def outliers_set_aside(
    observed: Observations, compared: Differenced, settings: ElevationChangeSettings, resources: Resources
) -> GlacierOutliers:
    """Blunders on glaciers made voids in the layers of the difference; none without outlines.

    Parameters
    ----------
    observed : both DEMs and the outlines.
    compared : the layers of the difference, m; are changed.
    settings : of the elevation change.
    resources : what the run computes with.
    """
    if observed.outlines is None:
        return NO_OUTLIERS
    coarser_m = max(dem.nominal_resolution_m for dem in (observed.aligned_dem, observed.reference_dem))
    post = max(1, round(coarser_m / observed.pixel_m))
    pair, limit = observed.pair, settings.glacier_outlier_nmad
    return set_outliers_aside(compared.layers, pair.reference, pair.mask, post, limit, resources)


def glacier_change(
    observed: Observations,
    compared: Differenced,
    error: ErrorModel,
    settings: ElevationChangeSettings,
    outliers: GlacierOutliers = NO_OUTLIERS,
) -> GlacierChange | None:
    """The change of every glacier and of the region; None without outlines."""
    if observed.outlines is None:
        return None
    surface = Surface(
        grid=observed.grid,
        dh_m=compared.layers.dh,
        sigma_m=error.layers.sigma,
        elevation_m=observed.pair.reference,
        variogram=error.variogram,
        sigma_bias_m=error.sigma_bias_m,
        settings=settings,
        sigma_shift_m=(error.sigma_shift_m.east, error.sigma_shift_m.north),
        outliers=outliers,
        scale=ScaleTerm.of(compared.trends, settings),
        resolution=ResolutionTerm(compared.resolution, compared.registration.pair, compared.registration.shift),
    )
    return change_of_glaciers(surface, observed.outlines)


def patches_of_glacier_size(
    observed: Observations, glaciers: pd.DataFrame | None, error: ErrorModel, resources: Resources
) -> PatchTests:
    """The stated uncertainty against means over stable patches of the median glacier's size, all ground and smooth one.

    Parameters
    ----------
    observed : both DEMs and the outlines.
    glaciers : the published table; None without outlines.
    error : variogram of the standardised residuals, and the shared errors.
    resources : what the run computes with.
    """
    area_km2 = PATCH_KM2 if glaciers is None or len(glaciers) == 0 else float(glaciers["area_km2"].median())
    layers, pixel_m = error.layers, observed.pixel_m
    smooth = SmoothGround.of(observed.pair.reference, layers.residual, pixel_m)
    every, smoothest = (
        patch_test(
            layers.residual, layers.sigma, error.variogram, pixel_m, area_km2 * 1e6, resources.runner, smooth=chosen
        )
        for chosen in (None, smooth)
    )
    return PatchTests(every, smoothest)
