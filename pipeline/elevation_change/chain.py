"""From two DEMs to an elevation change with uncertainty: the method section of the dataset, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyproj import Transformer

from pipeline.blocks import Block, Raster
from pipeline.elevation_change.coregistration.fit import CosineFit, cosine_fit, cosine_search
from pipeline.elevation_change.dem_checks.checks import CheckedDem, check_table, dem_check_numbers
from pipeline.elevation_change.dem_checks.counts import CountLayout, DemCounts, dem_block_counts
from pipeline.elevation_change.dem_checks.tile_seams import measure_seam, tile_borders
from pipeline.elevation_change.dems.tiles import Mosaic
from pipeline.elevation_change.differencing.comparison import Differenced, difference
from pipeline.elevation_change.differencing.corrections import corrections_table
from pipeline.elevation_change.differencing.difference import STEPS, BlockOfDifferences, ErrorLayers, StableSample
from pipeline.elevation_change.glaciers.change import Surface, change_of_glaciers
from pipeline.elevation_change.glaciers.outliers import NO_OUTLIERS, GlacierOutliers, set_outliers_aside
from pipeline.elevation_change.pairing.dates import dated, dates_table
from pipeline.elevation_change.pairing.dem_pair import ON_GLACIER, DemPair
from pipeline.elevation_change.pairing.observations import Observations, Request, Source, check_inputs, observe
from pipeline.elevation_change.result import STABLE, ElevationChange, GlacierTotals, NativeShift, PatchSpread, Shift
from pipeline.elevation_change.uncertainty.accuracy import (
    AccuracyPlan,
    AccuracyTally,
    BlockTerrain,
    accuracy_plan,
    accuracy_table_of,
    histogram_numbers,
    tally_accuracy,
)
from pipeline.elevation_change.uncertainty.covariance_integral import sigma_of_mean_large
from pipeline.elevation_change.uncertainty.patch_test import PatchTest, patch_test
from pipeline.elevation_change.uncertainty.shift_sigma import sigma_of_shift
from pipeline.elevation_change.uncertainty.variogram import Variogram
from pipeline.elevation_change.uncertainty.variogram_fit import fit_variogram
from pipeline.progress import Tell, silent
from pipeline.resources import Resources, open_resources
from schemas.definition import Period
from schemas.definition import Source as InputSource
from schemas.settings import ElevationChangeSettings
from schemas.tables import COREGISTRATION

# without glaciers the patch test takes patches of this size
PATCH_KM2 = 1.0
# a spread of the patches' standardised means that the stated uncertainty can explain
PATCH_SPREAD = (0.8, 1.2)
CURVATURE_GROUPS = 30
SAME_RESOLUTION = 0.01


@dataclass(frozen=True)
class ClassTallying:
    """Tallies a block of differences overall and by class of terrain."""

    plan: AccuracyPlan

    @classmethod
    def for_sample(cls, sample: StableSample) -> ClassTallying:
        heights = sample.elevation[sample.judged]
        steps = {step: sample.step(step) for step in STEPS}
        return cls(accuracy_plan(float(heights.min()), float(heights.max()), sample.curvature, steps))

    def __call__(self, part: BlockOfDifferences) -> AccuracyTally:
        terrain = BlockTerrain(part.reference, *part.gradient, part.curvature)
        return tally_accuracy(self.plan, {step: part.step(step) for step in STEPS}, part.judged, terrain)


def elevation_change(
    earlier: Source,
    later: Source,
    settings: ElevationChangeSettings,
    *,
    outlines: Sequence[Path] = (),
    stable_mask: Path | None = None,
    region_lonlat: tuple[float, float, float, float] | None = None,
    sources: Sequence[InputSource] = (),
    period: Period | None = None,
    resources: Resources | None = None,
    tell: Tell = silent,
) -> ElevationChange:
    """Difference two DEMs: checks, one grid and datum, co-registration, resolution correction, accuracy, change.

    Nuth and Kaab (2011) for the shift, Gardelle et al. (2012) for the resolution, Hugonnet et al. (2022) for the error.

    Parameters
    ----------
    earlier, later : raster, folder of tiles, or a list of them.
    outlines : glacier outlines, one file an epoch; without them every measured pixel counts as stable.
    stable_mask : raster of the user's own stable terrain (above zero).
    region_lonlat : (west, south, east, north) in degrees that the DEMs must cover.
    sources, period : what a dataset's description says of the inputs' dates and of the period; told beside the dates.
    resources : what to compute with; two threads and a gigabyte of this machine when absent.

    Errors
    ------
    BadInput : inputs that cannot be used; each message names the file or the step.
    """
    request = Request(
        earlier=earlier, later=later, outlines=tuple(outlines), stable_mask=stable_mask, region_lonlat=region_lonlat
    )
    settings = dated(settings, sources)
    if resources is not None:
        return _elevation_change(request, settings, sources, period, resources, tell)
    with open_resources() as own:
        return _elevation_change(request, settings, sources, period, own, tell)


def _elevation_change(
    request: Request,
    settings: ElevationChangeSettings,
    sources: Sequence[InputSource],
    period: Period | None,
    resources: Resources,
    tell: Tell,
) -> ElevationChange:
    tell("Bringing the DEMs onto one grid and datum")
    observed = observe(request, settings, resources)
    tell("Checking the accuracy of each DEM")
    notes = check_inputs(observed, resources)
    checks, check_numbers = check_dems(observed, resources)
    compared = difference(observed, settings, resources, tell, tallying=ClassTallying.for_sample, with_error=True)
    tell("Setting blunders on glaciers aside")
    outliers = outliers_set_aside(observed, compared, settings, resources)
    tell("Estimating the uncertainty from stable terrain")
    error = error_model(observed, compared, resources)
    tell("Summing up the change of each glacier")
    glaciers, totals = glacier_change(observed, compared, error, settings, outliers)
    tell("Testing the uncertainty on stable patches")
    patches = patches_of_glacier_size(observed, glaciers.get("glaciers"), error, resources)
    tables = {
        "accuracy": accuracy_table_of(error.tallied),
        "dem_checks": checks,
        "coregistration": iteration_table(compared),
        "dates": dates_table(settings, sources, period, observed.outlines),
        "corrections": corrections_table(settings),
        **glaciers,
    }
    figures = {**figure_numbers(observed, compared, error, patches), "dem_checks": check_numbers}
    notes = (
        *notes,
        *notes_on_checks(checks),
        *notes_on_resolution(observed, compared),
        *notes_on_outliers(outliers),
        *notes_on_patches(patches),
    )
    report = Report(tables, figures, notes, settings)
    return assembled(observed, compared, error, patches, totals, report)


@dataclass(frozen=True, kw_only=True)
class ErrorModel:
    """The error of dh: per pixel, in space, of the mean over stable terrain, and of the shift.

    Attributes
    ----------
    layers : rasters of sigma, of standardised residuals, and the classification.
    variogram : spatial correlation of the standardised residuals.
    sigma_bias_m : standard deviation of the mean over stable terrain, which every pixel shares, m.
    sigma_shift_m : standard deviation of the shift, m.
    tallied : all judged pixels by class of terrain.
    """

    layers: ErrorLayers
    variogram: Variogram
    sigma_bias_m: float
    sigma_shift_m: Shift
    tallied: AccuracyTally


@dataclass(frozen=True)
class Report:
    """What is published beside the rasters: tables and figures' numbers by name, notes, settings."""

    tables: dict[str, pd.DataFrame]
    figures: dict[str, Any]
    notes: tuple[str, ...]
    settings: ElevationChangeSettings


def check_dems(observed: Observations, resources: Resources) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The accuracy checks of both DEMs in one table, and the numbers of their figure by DEM."""
    pair = observed.pair
    checked = [
        checked_dem(mosaic, heights, pair, resources)
        for mosaic, heights in ((observed.aligned_dem, pair.unmoved), (observed.reference_dem, pair.reference))
    ]
    table = pd.concat([check_table(dem) for dem in checked], ignore_index=True)
    numbers = {dem.mosaic.role: dem_check_numbers(dem) for dem in sorted(checked, key=lambda dem: dem.mosaic.role)}
    return table.sort_values(["dem", "tile", "check"], ignore_index=True), numbers


def checked_dem(mosaic: Mosaic, heights: Raster, pair: DemPair, resources: Resources) -> CheckedDem:
    """One DEM counted block by block, and the borders between its tiles measured."""
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


def error_model(observed: Observations, compared: Differenced, resources: Resources) -> ErrorModel:
    """Variogram of the standardised residuals, and the error of the stable mean and of the shift themselves."""
    layers, tallied = compared.layers.error, compared.tallied
    if layers is None or not isinstance(tallied, AccuracyTally):
        raise TypeError("the difference was made without its error")
    pixel_m, runner = observed.pixel_m, resources.runner
    variogram = fit_variogram(layers.residual, pixel_m, runner)
    bias = sigma_of_mean_large(layers.sigma, layers.classification, variogram, pixel_m, member=STABLE, runner=runner)
    shift = sigma_of_shift(observed.pair.reference, layers.residual, layers.sigma, variogram, pixel_m, runner)
    return ErrorModel(layers=layers, variogram=variogram, sigma_bias_m=bias, sigma_shift_m=shift, tallied=tallied)


def outliers_set_aside(
    observed: Observations, compared: Differenced, settings: ElevationChangeSettings, resources: Resources
) -> GlacierOutliers:
    """Blunders on glaciers made voids in the layers of the difference; none without outlines."""
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
) -> tuple[dict[str, pd.DataFrame], GlacierTotals | None]:
    """Tables of glaciers, elevation bands and the region, and the region's totals; nothing without outlines."""
    if observed.outlines is None:
        return {}, None
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
    )
    change = change_of_glaciers(surface, observed.outlines)
    tables = {"glaciers": change.glaciers, "elevation_bands": change.bands, "region": change.region}
    return tables, change.totals


def patches_of_glacier_size(
    observed: Observations, glaciers: pd.DataFrame | None, error: ErrorModel, resources: Resources
) -> PatchTest:
    """The stated uncertainty against means over stable patches of the median glacier's size."""
    area_km2 = PATCH_KM2 if glaciers is None or len(glaciers) == 0 else float(glaciers["area_km2"].median())
    layers = error.layers
    return patch_test(
        layers.residual, layers.sigma, error.variogram, observed.pixel_m, area_km2 * 1e6, resources.runner
    )


def assembled(
    observed: Observations,
    compared: Differenced,
    error: ErrorModel,
    patches: PatchTest,
    totals: GlacierTotals | None,
    report: Report,
) -> ElevationChange:
    """The parts put together as the result."""
    statistics, registration = compared.statistics, compared.registration
    return ElevationChange(
        grid=observed.grid,
        dh_m=compared.layers.dh,
        sigma_dh_m=error.layers.sigma,
        surface_m=observed.pair.reference,
        classification=error.layers.classification,
        shift_m=registration.shift,
        sigma_shift_m=error.sigma_shift_m,
        shift_by_cosine_m=cosine_search(compared.terrain, registration.shift, report.settings),
        shift_native_pixels=native_shift(observed, registration.shift),
        tilt=compared.tilt,
        before=statistics["raw"],
        after_coregistration=statistics["coregistered"],
        after=statistics["corrected"],
        curvature=compared.correction,
        datum=observed.datum,
        patches=patches_in_words(patches),
        totals=totals,
        outlines=observed.outlines,
        notes=report.notes,
        tables=report.tables,
        figures=report.figures,
        settings=report.settings.model_copy(update={"resampling": observed.resampling}),
    )


def patches_in_words(patches: PatchTest) -> PatchSpread:
    """The patch test's outcome."""
    return PatchSpread(
        count=patches.count,
        area_km2=patches.area_m2 / 1e6,
        mean=patches.mean,
        spread=patches.spread,
        robust_spread=patches.robust_spread,
        enough=patches.enough,
    )


def notes_on_checks(checks: pd.DataFrame) -> tuple[str, ...]:
    """The checks that a DEM failed, a sentence each; the datum step tells of a datum that is not stated."""
    of_dem = (checks["tile"] == "all") | (checks["check"] == "seam")
    failed = checks[~checks["passed"].astype(bool) & of_dem & (checks["check"] != "datum_stated")]
    notes = []
    for (dem, check), rows in failed.groupby(["dem", "check"], sort=True):
        first = rows.iloc[0]
        unit = "" if first["unit"] == "1" else f" {first['unit']}"
        place = "" if first["tile"] == "all" else f" of {first['tile']}"
        more = f", and {len(rows) - 1} more in the table of the checks" if len(rows) > 1 else ""
        found = f"{first['value']:.3g}{unit}, limit {first['limit']:.3g}{unit} ({first['note']}{more})"
        notes.append(f"{dem} DEM fails the check {check}{place}: {found}")
    return tuple(notes)


def notes_on_outliers(outliers: GlacierOutliers) -> tuple[str, ...]:
    """How many glacier pixels were set aside, where any were."""
    if outliers.count == 0:
        return ()
    return (
        f"{outliers.count} of {outliers.measured} measured glacier pixels stand apart from the change around them and "
        "count as voids (setting glacier_outlier_nmad)",
    )


def notes_on_patches(patches: PatchTest) -> tuple[str, ...]:
    """A word of warning where means over stable patches contradict the stated uncertainty."""
    least, greatest = PATCH_SPREAD
    if not patches.enough or least <= patches.spread <= greatest:
        return ()
    wrong = "small" if patches.spread > greatest else "large"
    return (
        f"means over stable patches spread {patches.spread:.2f} times as widely as the stated uncertainty says "
        f"({least:g} to {greatest:g} expected): that of a glacier's mean is probably too {wrong} by this factor",
    )


def notes_on_resolution(observed: Observations, compared: Differenced) -> tuple[str, ...]:
    """A word of warning where DEMs of one pixel size were corrected for different resolutions."""
    correction = compared.correction
    ratio = observed.aligned_dem.nominal_resolution_m / observed.reference_dem.nominal_resolution_m
    if correction is None or not correction.applied or abs(ratio - 1) > SAME_RESOLUTION:
        return ()
    return (
        "both DEMs have the same pixel size: unless one resolves less detail, what the curvature correction takes off "
        "is noise, and it is better left out",
    )


def native_shift(observed: Observations, shift: Shift) -> NativeShift:
    """The shift seen on the aligned DEM's own grid, at the middle of the area."""
    west, south, east, north = observed.grid.bounds
    easting, northing = (west + east) / 2, (south + north) / 2
    to_native = Transformer.from_crs(observed.grid.crs, observed.aligned_dem.crs, always_xy=True)
    columns, rows = to_native.transform([easting, easting + shift.east], [northing, northing + shift.north])
    width, height = observed.aligned_dem.pixel
    return NativeShift(float((columns[1] - columns[0]) / width), float((rows[0] - rows[1]) / height))


def iteration_table(compared: Differenced) -> pd.DataFrame:
    """One row a step of the co-registration, iteration 0 the start; shaped as ``schemas.tables.COREGISTRATION``."""
    registration = compared.registration
    shifts = [Shift(0.0, 0.0, 0.0), *(iteration.shift for iteration in registration.iterations)]
    spreads = [*(iteration.nmad_m for iteration in registration.iterations), compared.statistics["coregistered"].nmad_m]
    counts = [iteration.count for iteration in registration.iterations]
    rows = [
        (number, shift.east, shift.north, shift.up, spread, count)
        for number, (shift, spread, count) in enumerate(zip(shifts, spreads, [*counts, counts[-1]], strict=True))
    ]
    return pd.DataFrame(rows, columns=list(COREGISTRATION.column_names))


def figure_numbers(
    observed: Observations, compared: Differenced, error: ErrorModel, patches: PatchTest
) -> dict[str, Any]:
    """The numbers behind the figures: aspect curves, dh against curvature, histogram, variogram, patch test."""
    variogram = error.variogram
    return {
        "aspect": aspect_numbers(compared.sample, observed.pair.sign),
        "curvature": curvature_profile(compared.sample),
        "histogram": histogram_numbers(error.tallied),
        "variogram": {
            "lag_m": variogram.lag_m,
            "empirical": variogram.empirical,
            "model": variogram.sill - variogram.covariance(variogram.lag_m),
            "ranges_m": variogram.ranges_m,
            "sills": variogram.sills,
        },
        "patches": {
            "area_km2": patches.area_m2 / 1e6,
            "standardised": patches.standardised,
            "spread": patches.spread,
            "enough": patches.enough,
        },
    }


def aspect_numbers(sample: StableSample, sign: int) -> dict[str, Any]:
    """dh / tan(slope) by aspect before and after co-registration, with the cosines fitted to them."""
    steep = sample.judged & sample.fitting
    fits: list[CosineFit] = [
        cosine_fit(sign * values, sample.gradient, steep) for values in (sample.raw, sample.coregistered)
    ]
    before, after = fits
    return {
        "bin_centre_deg": before.bin_centre_deg,
        "before": before.bin_median_m,
        "after": after.bin_median_m,
        "fit_a": before.a_m,
        "fit_b_deg": before.b_deg,
        "fit_c": before.c_m,
        "after_fit_a": after.a_m,
        "after_fit_b_deg": after.b_deg,
        "after_fit_c": after.c_m,
    }


def curvature_profile(sample: StableSample) -> dict[str, Any]:
    """Median dh in classes of equal count of maximum curvature, before and after the resolution correction."""
    known = sample.judged & np.isfinite(sample.curvature)
    bent = sample.curvature[known]
    groups = np.array_split(np.argsort(bent, kind="stable"), CURVATURE_GROUPS)
    medians = {
        name: np.array([np.median(values[known][group]) for group in groups])
        for name, values in (("before_m", sample.coregistered), ("after_m", sample.corrected))
    }
    return {"centre_per_100m": np.array([np.median(bent[group]) for group in groups]), **medians}
