"""From two DEMs to an elevation change with uncertainty: the method section of the dataset, step by step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import Transformer

from pipeline.elevation_change.accuracy import accuracy_table, terrain_classes
from pipeline.elevation_change.coregistration import (
    Coregistration,
    Iteration,
    StepPixels,
    coregister,
    cosine_fit,
    robust_step,
)
from pipeline.elevation_change.datum import datum_step
from pipeline.elevation_change.dem_checks import check_dem, seams_between_tiles
from pipeline.elevation_change.glacier_change import Surface, glacier_tables
from pipeline.elevation_change.outlines import read_outlines
from pipeline.elevation_change.resolution_bias import curvature_bias, fit_curvature_bias
from pipeline.elevation_change.result import (
    EXCLUDED,
    GLACIER,
    STABLE,
    VOID,
    CurvatureCorrection,
    DatumStep,
    ElevationChange,
    GlacierTotals,
    NativeShift,
    Shift,
    Tilt,
)
from pipeline.elevation_change.stable_terrain import flat_water, glacier_pixels, read_stable_mask, stable_terrain
from pipeline.elevation_change.statistics import nmad, statistics, within_nmad
from pipeline.elevation_change.target_grid import target_grid
from pipeline.elevation_change.terrain import aspect_deg, gradient, maximum_curvature, slope_deg
from pipeline.elevation_change.tiles import Mosaic, open_mosaic, read_native, read_onto, require_coverage
from pipeline.elevation_change.uncertainty import (
    CovarianceIntegrator,
    Variogram,
    fit_variogram,
    terrain_sigma,
)
from pipeline.grid import BoolArray, FloatArray, Grid
from pipeline.progress import Tell, silent
from schemas.settings import ElevationChangeSettings
from schemas.tables import COREGISTRATION

Source = Path | Sequence[Path]


@dataclass(frozen=True)
class Observations:
    """Both DEMs on one grid and one datum, with the terrain of the reference.

    Attributes
    ----------
    reference_dem, aligned_dem : where the heights came from.
    reference, aligned : heights on the grid, m, NaN where void.
    datum_field : what was added to the aligned DEM for the vertical datum, m; None when nothing was.
    sign : dh = sign * (reference - aligned).
    resampling : of both DEMs onto the grid.
    """

    grid: Grid
    reference_dem: Mosaic
    aligned_dem: Mosaic
    reference: FloatArray
    aligned: FloatArray
    datum: DatumStep
    datum_field: FloatArray | None
    sign: int
    resampling: str
    outlines: gpd.GeoDataFrame | None

    @property
    def pixel_m(self) -> float:
        return self.grid.pixel_size[0]

    @cached_property
    def glaciers(self) -> BoolArray:
        """Pixels within the outlines of any epoch; shape grid.shape."""
        return glacier_pixels(self.outlines, self.grid)

    def aligned_at(self, shift: Shift) -> FloatArray:
        """The aligned DEM read anew at its shifted position: resampled once, not twice."""
        heights = read_onto(self.aligned_dem, self.grid, self.resampling, (shift.east, shift.north)) + np.float32(
            shift.up
        )
        return heights if self.datum_field is None else heights + self.datum_field


@dataclass(frozen=True)
class Terrain:
    """Slope (degrees), aspect (degrees), slope components and maximum curvature ((100 m)-1) on the grid."""

    gradient: tuple[FloatArray, FloatArray]
    slope: FloatArray
    aspect: FloatArray
    curvature: FloatArray
    curvature_source: str


@dataclass(frozen=True)
class Comparison:
    """The difference of both DEMs after every step, and where it is judged.

    Attributes
    ----------
    steps : dh (later minus earlier, m) under "raw", "coregistered" and "corrected".
    fitting : stable pixels steep enough for the aspect fit.
    judged : stable pixels of all slopes, outliers left out; the statistics of every step are taken on them.
    """

    registration: Coregistration
    correction: CurvatureCorrection | None
    tilt: Tilt
    steps: dict[str, FloatArray]
    fitting: BoolArray
    judged: BoolArray


@dataclass(frozen=True)
class ErrorModel:
    """Per-pixel standard deviation, its spatial correlation, and the standard deviation of the stable mean (m)."""

    sigma_m: FloatArray
    variogram: Variogram
    sigma_bias_m: float


def elevation_change(
    earlier: Source,
    later: Source,
    settings: ElevationChangeSettings,
    *,
    outlines: Sequence[Path] = (),
    stable_mask: Path | None = None,
    region_lonlat: tuple[float, float, float, float] | None = None,
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

    Errors
    ------
    BadInput : inputs that cannot be used; each message names the file or the step.
    """
    tell("Reading the DEMs onto one grid and datum")
    observed = observe(earlier, later, settings, outlines, region_lonlat)
    tell("Checking the accuracy of each DEM")
    checks = check_dems(observed)
    terrain = describe_terrain(observed)
    stable = find_stable(observed, terrain, stable_mask, settings)
    compared = compare(observed, terrain, stable, settings, tell)
    tell("Evaluating the relative accuracy over stable terrain")
    accuracy = relative_accuracy(observed, terrain, compared)
    tell("Estimating the uncertainty from stable terrain")
    error = error_model(compared.steps["corrected"], terrain, compared.judged, observed.pixel_m)
    tell("Summing up the change of each glacier")
    dh = with_penetration(compared.steps["corrected"], observed.glaciers, settings)
    glaciers, totals = glacier_change(observed, dh, error, settings)
    tables = {"accuracy": accuracy, "dem_checks": checks, "coregistration": iteration_table(compared), **glaciers}
    figures = figure_numbers(observed, terrain, compared, error.variogram)
    return assembled(observed, compared, error, dh, totals, tables, figures, settings)


def compare(
    observed: Observations, terrain: Terrain, stable: BoolArray, settings: ElevationChangeSettings, tell: Tell
) -> Comparison:
    """Co-register the DEMs, correct the resolution effect, and say on which stable pixels the result is judged."""
    tell("Co-registering by the cosine relation of aspect and elevation difference")
    fitting = stable & (terrain.slope >= settings.slope_min_deg)
    registration, registered = coregistered(observed, terrain, fitting, settings)
    tell("Correcting the resolution effect by maximum curvature")
    raw, difference = observed.reference - observed.aligned, observed.reference - registered
    correction, corrected = resolution_corrected(difference, terrain, stable, settings)
    tilt, corrected = tilt_corrected(observed, corrected, stable, settings)
    judged = within_nmad(corrected, stable & np.isfinite(raw) & np.isfinite(difference), settings.outlier_nmad)
    steps = {"raw": raw, "coregistered": difference, "corrected": corrected}
    signed = {name: observed.sign * values for name, values in steps.items()}
    return Comparison(registration, correction, tilt, signed, fitting, judged)


def relative_accuracy(observed: Observations, terrain: Terrain, compared: Comparison) -> pd.DataFrame:
    """Statistics of dh over stable terrain after every step, overall and by terrain class."""
    judged = compared.judged
    classes = terrain_classes(terrain.slope, terrain.aspect, observed.reference, terrain.curvature, judged)
    return accuracy_table(compared.steps, judged, classes)


def glacier_change(
    observed: Observations, dh: FloatArray, error: ErrorModel, settings: ElevationChangeSettings
) -> tuple[dict[str, pd.DataFrame], GlacierTotals | None]:
    """Tables of glaciers and elevation bands, and the region's totals; nothing without outlines."""
    if observed.outlines is None:
        return {}, None
    surface = Surface(
        observed.grid, dh, error.sigma_m, observed.reference, error.variogram, error.sigma_bias_m, settings
    )
    glaciers, bands, totals = glacier_tables(surface, observed.outlines)
    return {"glaciers": glaciers, "elevation_bands": bands}, totals


def assembled(
    observed: Observations,
    compared: Comparison,
    error: ErrorModel,
    dh: FloatArray,
    totals: GlacierTotals | None,
    tables: dict[str, pd.DataFrame],
    figures: dict[str, Any],
    settings: ElevationChangeSettings,
) -> ElevationChange:
    """The parts put together as the result."""
    after = {name: statistics(values[compared.judged]) for name, values in compared.steps.items()}
    return ElevationChange(
        grid=observed.grid,
        dh_m=dh.astype(np.float32),
        sigma_dh_m=np.where(np.isnan(dh), np.nan, error.sigma_m).astype(np.float32),
        surface_m=observed.reference,
        classification=classified(dh, observed.glaciers, compared.judged),
        shift_m=compared.registration.shift,
        shift_native_pixels=native_shift(observed, compared.registration.shift),
        tilt=compared.tilt,
        before=after["raw"],
        after_coregistration=after["coregistered"],
        after=after["corrected"],
        curvature=compared.correction,
        datum=observed.datum,
        totals=totals,
        outlines=observed.outlines,
        tables=tables,
        figures=figures,
        settings=settings.model_copy(update={"resampling": observed.resampling}),
    )


def observe(
    earlier: Source,
    later: Source,
    settings: ElevationChangeSettings,
    outlines: Sequence[Path],
    region_lonlat: tuple[float, float, float, float] | None,
) -> Observations:
    """Read both DEMs and the outlines onto one grid and one vertical datum."""
    dems = (
        open_mosaic(earlier, "earlier", settings.vertical_datum_earlier),
        open_mosaic(later, "later", settings.vertical_datum_later),
    )
    if region_lonlat is not None:
        for dem in dems:
            require_coverage(dem, region_lonlat)
    grid = target_grid(*dems, settings, region_lonlat)
    fixed, moving = dems[::-1] if settings.reference == "later" else dems
    datum, field = datum_step(
        dems[0].vertical_datum, dems[1].vertical_datum, settings.reference, grid, settings.datum_grid_missing
    )
    alike = abs(moving.nominal_resolution_m / fixed.nominal_resolution_m - 1) < 0.01
    resampling = settings.resampling or ("bilinear" if alike else "cubic")
    aligned = read_onto(moving, grid, resampling)
    return Observations(
        grid=grid,
        reference_dem=fixed,
        aligned_dem=moving,
        reference=read_onto(fixed, grid, resampling),
        aligned=aligned if field is None else aligned + field,
        datum=datum,
        datum_field=field,
        resampling=resampling,
        sign=1 if settings.reference == "later" else -1,
        outlines=read_outlines(outlines, grid) if outlines else None,
    )


def check_dems(observed: Observations) -> pd.DataFrame:
    """The accuracy checks of both DEMs in one table."""
    frames = []
    for dem, heights in ((observed.aligned_dem, observed.aligned), (observed.reference_dem, observed.reference)):
        seams: dict[str, float] = {}
        if len(dem.tiles) > 1:
            native, transform = read_native(dem, dem.bounds)
            seams = seams_between_tiles(dem, native, transform.c, transform.f)
        frames.append(check_dem(dem, heights, observed.glaciers, seams))
    return pd.concat(frames, ignore_index=True).sort_values(["dem", "tile", "check"], ignore_index=True)


def describe_terrain(observed: Observations) -> Terrain:
    """Slope and aspect of the reference; curvature of the finer DEM, which shows what the coarser one smooths away."""
    slopes = gradient(observed.reference, observed.pixel_m)
    finer_aligned = observed.aligned_dem.nominal_resolution_m < 0.99 * observed.reference_dem.nominal_resolution_m
    bent, dem = (
        (observed.aligned, observed.aligned_dem) if finer_aligned else (observed.reference, observed.reference_dem)
    )
    source = f"{dem.role} DEM, Zevenbergen and Thorne 3 x 3 at {observed.pixel_m:g} m"
    return Terrain(slopes, slope_deg(*slopes), aspect_deg(*slopes), maximum_curvature(bent, observed.pixel_m), source)


def find_stable(
    observed: Observations, terrain: Terrain, stable_mask: Path | None, settings: ElevationChangeSettings
) -> BoolArray:
    """Stable terrain: measured, off the glaciers and their buffer, no water, within the user's mask, not too steep."""
    measured = np.isfinite(observed.reference) & np.isfinite(observed.aligned)
    excluded = glacier_pixels(observed.outlines, observed.grid, settings.outline_buffer_m)
    excluded |= flat_water(observed.reference)
    if stable_mask is not None:
        excluded |= ~read_stable_mask(stable_mask, observed.grid)
    return stable_terrain(measured, excluded, terrain.slope, settings)


def coregistered(
    observed: Observations, terrain: Terrain, fitting: BoolArray, settings: ElevationChangeSettings
) -> tuple[Coregistration, FloatArray]:
    """The shift, and the aligned DEM resampled at it: the last steps read it anew, so that it is resampled once."""
    found = coregister(observed.reference, observed.aligned, terrain.gradient, fitting, observed.pixel_m, settings)
    shift, iterations = found.shift, list(found.iterations)
    for _ in range(settings.max_iterations):
        heights = observed.aligned_at(shift)
        difference = observed.reference - heights
        kept = within_nmad(difference, fitting, settings.outlier_nmad)
        step = robust_step(StepPixels.of(difference, terrain.gradient, kept))
        if np.hypot(step.east, step.north) < settings.tolerance_pixel * observed.pixel_m:
            break
        shift = Shift(shift.east + step.east, shift.north + step.north, shift.up + step.up)
        iterations.append(Iteration(shift, nmad(difference[kept]), int(kept.sum())))
    return Coregistration(shift, tuple(iterations)), heights


def native_shift(observed: Observations, shift: Shift) -> NativeShift:
    """The shift seen on the aligned DEM's own grid, at the middle of the area."""
    west, south, east, north = observed.grid.bounds
    easting, northing = (west + east) / 2, (south + north) / 2
    to_native = Transformer.from_crs(observed.grid.crs, observed.aligned_dem.crs, always_xy=True)
    columns, rows = to_native.transform([easting, easting + shift.east], [northing, northing + shift.north])
    width, height = observed.aligned_dem.pixel
    return NativeShift(float((columns[1] - columns[0]) / width), float((rows[0] - rows[1]) / height))


def resolution_corrected(
    difference: FloatArray, terrain: Terrain, stable: BoolArray, settings: ElevationChangeSettings
) -> tuple[CurvatureCorrection | None, FloatArray]:
    """The difference less its relation with maximum curvature, if the settings ask for it and it helps."""
    if not settings.correct_curvature:
        return None, difference
    kept = within_nmad(difference, stable, settings.outlier_nmad)
    correction = fit_curvature_bias(difference, terrain.curvature, kept, terrain.curvature_source)
    return correction, difference - curvature_bias(correction, terrain.curvature)


def tilt_corrected(
    observed: Observations, difference: FloatArray, stable: BoolArray, settings: ElevationChangeSettings
) -> tuple[Tilt, FloatArray]:
    """Least-squares plane of the difference over stable terrain, reported; removed only if the settings say so."""
    easting, northing = observed.grid.centres()
    east, north = (easting - easting.mean())[None, :], (northing - northing.mean())[:, None]
    kept = within_nmad(difference, stable, settings.outlier_nmad)
    columns = [np.broadcast_to(part, difference.shape)[kept] for part in (east, north, np.ones((1, 1)))]
    design = np.stack(columns).astype(np.float64)
    slope_east, slope_north, _ = np.linalg.solve(design @ design.T, design @ difference[kept].astype(np.float64))
    sign = observed.sign
    tilt = Tilt(float(sign * slope_east), float(sign * slope_north), settings.correct_tilt)
    if not settings.correct_tilt:
        return tilt, difference
    return tilt, difference - (slope_east * east + slope_north * north).astype(np.float32)


def error_model(dh: FloatArray, terrain: Terrain, stable: BoolArray, pixel_m: float) -> ErrorModel:
    """Heteroscedastic sigma, variogram of the standardised residuals, and the error of the stable mean itself."""
    model = terrain_sigma(dh, terrain.slope, terrain.curvature, stable)
    sigma = model.on(terrain.slope, terrain.curvature)
    residual = dh / sigma
    known = within_nmad(residual, stable, 6.0)
    variogram = fit_variogram(residual, known, pixel_m)
    box = (dh.shape[0], dh.shape[1])
    bias = CovarianceIntegrator(box, variogram, pixel_m).sigma_of_mean(np.nan_to_num(sigma), known)
    return ErrorModel(sigma, variogram, bias)


def with_penetration(dh: FloatArray, glacier: BoolArray, settings: ElevationChangeSettings) -> FloatArray:
    """dh on glaciers with each DEM's radar penetration added back: dh + p_later - p_earlier; m."""
    added = settings.penetration_later_m - settings.penetration_earlier_m
    return np.where(glacier, dh + np.float32(added), dh) if added else dh


def classified(dh: FloatArray, glacier: BoolArray, stable: BoolArray) -> Any:
    """VOID, STABLE, GLACIER or EXCLUDED for every pixel; uint8."""
    result = np.full(dh.shape, EXCLUDED, np.uint8)
    result[stable] = STABLE
    result[glacier] = GLACIER
    result[np.isnan(dh)] = VOID
    return result


def iteration_table(compared: Comparison) -> pd.DataFrame:
    """One row a step of the co-registration, iteration 0 the start; shaped as ``schemas.tables.COREGISTRATION``."""
    registration = compared.registration
    final_nmad = nmad(compared.steps["coregistered"][compared.judged])
    shifts = [Shift(0.0, 0.0, 0.0), *(iteration.shift for iteration in registration.iterations)]
    spreads = [*(iteration.nmad_m for iteration in registration.iterations), final_nmad]
    counts = [iteration.count for iteration in registration.iterations]
    rows = [
        (number, shift.east, shift.north, shift.up, spread, count)
        for number, (shift, spread, count) in enumerate(zip(shifts, spreads, [*counts, counts[-1]], strict=True))
    ]
    return pd.DataFrame(rows, columns=list(COREGISTRATION.column_names))


def figure_numbers(
    observed: Observations, terrain: Terrain, compared: Comparison, variogram: Variogram
) -> dict[str, Any]:
    """The numbers behind the figures: aspect curve, dh against curvature, histogram, variogram."""
    steps, judged = compared.steps, compared.judged
    steep = judged & compared.fitting
    before = cosine_fit(observed.sign * steps["raw"], terrain.gradient, steep)
    after = cosine_fit(observed.sign * steps["coregistered"], terrain.gradient, steep)
    spread = max(nmad(steps["raw"][judged]), 0.1)
    centre = float(np.median(steps["raw"][judged]))
    edges = np.linspace(min(0, centre) - 5 * spread, max(0, centre) + 5 * spread, 121)
    return {
        "aspect": {
            "bin_centre_deg": before.bin_centre_deg,
            "before": before.bin_median_m,
            "after": after.bin_median_m,
            "fit_a": before.a_m,
            "fit_b_deg": before.b_deg,
            "fit_c": before.c_m,
        },
        "curvature": curvature_profile(steps, terrain.curvature, judged),
        "histogram": {"edges_m": edges, **{name: np.histogram(dh[judged], edges)[0] for name, dh in steps.items()}},
        "variogram": {
            "lag_m": variogram.lag_m,
            "empirical": variogram.empirical,
            "model": sum(variogram.sills) - variogram.covariance(variogram.lag_m),
            "ranges_m": variogram.ranges_m,
            "sills": variogram.sills,
        },
    }


def curvature_profile(steps: dict[str, FloatArray], curvature: FloatArray, judged: BoolArray) -> dict[str, FloatArray]:
    """Median dh in thirty classes of maximum curvature, before and after the resolution correction."""
    known = judged & np.isfinite(curvature)
    bent = curvature[known]
    order = np.array_split(np.argsort(bent, kind="stable"), 30)
    medians = {
        name: np.array([np.median(steps[step][known][group]) for group in order])
        for name, step in (("before_m", "coregistered"), ("after_m", "corrected"))
    }
    return {"centre_per_100m": np.array([np.median(bent[group]) for group in order]), **medians}
