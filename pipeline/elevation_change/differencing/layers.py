"""The difference of a co-registered pair: corrected, judged over stable terrain and written block by block."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.blocks import Block, Runner, Scratch, WritableRaster
from pipeline.elevation_change.coregistration import Coregistration, SurveyedTerrain, aligned_windows
from pipeline.elevation_change.differencing.corrections import with_corrections
from pipeline.elevation_change.differencing.resolution_fits import ResolutionFits, Surveyed, resolution_fits
from pipeline.elevation_change.differencing.shift_and_resolution import ResolutionChoice, places_of
from pipeline.elevation_change.differencing.terrain_sigma import TerrainSigma, terrain_sigma
from pipeline.elevation_change.differencing.trends import Ground, Trend, Trends, fitted_trends
from pipeline.elevation_change.pairing import (
    ON_GLACIER,
    RIM,
    DemPair,
    inner_columns,
    inner_rows,
    raster_windows,
    with_rim,
)
from pipeline.elevation_change.resolution import Effect, EffectRaster
from pipeline.elevation_change.result import EXCLUDED, GLACIER, STABLE, VOID, Shift
from pipeline.elevation_change.statistics import Range
from pipeline.elevation_change.terrain import (
    aspect_deg,
    gradient,
    inner_maximum_curvature,
    maximum_curvature,
    slope_deg,
)
from pipeline.grid import BoolArray, FloatArray
from schemas.errors import BadInput
from schemas.settings import ElevationChangeSettings

# standardised residuals beyond this many NMAD are blunders, not the error the variogram describes
RESIDUAL_LIMIT_NMAD = 6.0
STEPS = ("raw", "coregistered", "corrected")


@dataclass(frozen=True, kw_only=True)
class StableSample:
    """Stable pixels of the survey at the final shift, shape (pixels,) each; differences are later minus earlier, m.

    Attributes
    ----------
    judged : stable terrain without outliers, on which every step is judged.
    fitting : steep enough for the aspect fit.
    gradient : slope components of the reference, m per m; slope and aspect in degrees; curvature in (100 m)-1.
    east_m, north_m : position from the middle of the grid.
    """

    raw: FloatArray
    coregistered: FloatArray
    corrected: FloatArray
    judged: BoolArray
    fitting: BoolArray
    gradient: tuple[FloatArray, FloatArray]
    slope: FloatArray
    aspect: FloatArray
    curvature: FloatArray
    elevation: FloatArray
    east_m: FloatArray
    north_m: FloatArray

    def step(self, name: str) -> FloatArray:
        """The difference after one of ``STEPS``, of the judged pixels.

        Parameters
        ----------
        name : one of ``STEPS``.
        """
        values: FloatArray = {"raw": self.raw, "coregistered": self.coregistered, "corrected": self.corrected}[name]
        return values[self.judged]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How every pixel's difference is made and judged; sent to whoever computes a block.

    Attributes
    ----------
    effect : resolution effect of reference minus aligned DEM; None where there is none to take off.
    trend : what follows the place in reference minus aligned DEM and is taken off; None where it stays.
    judged : range of corrected differences (later minus earlier) of stable terrain, m.
    tangent_squared : greatest squared slope tangent of stable terrain.
    sigma : error by terrain; None where it is not asked for.
    residual : range of standardised residuals.
    settings : corrections for penetration and season among them.
    """

    pair: DemPair
    shift: Shift
    effect: Effect | None
    trend: Trend | None
    judged: Range
    tangent_squared: float
    sigma: TerrainSigma | None
    residual: Range
    settings: ElevationChangeSettings


@dataclass(frozen=True)
class Layers:
    """The rasters of the result.

    Attributes
    ----------
    dh : later minus earlier, m, NaN where void.
    error : what else is written where the uncertainty is asked for, else None.
    """

    dh: WritableRaster
    error: ErrorLayers | None


@dataclass(frozen=True)
class ErrorLayers:
    """What the uncertainty is computed from.

    Attributes
    ----------
    classification : VOID, STABLE, GLACIER or EXCLUDED; uint8.
    sigma : standard deviation of dh by terrain, m.
    residual : dh / sigma where judged, NaN elsewhere.
    """

    classification: WritableRaster
    sigma: WritableRaster
    residual: WritableRaster


@dataclass(frozen=True, kw_only=True)
class BlockOfDifferences:
    """One block of the grid: the steps (later minus earlier, m), its terrain and which pixels are judged."""

    rows: slice
    raw: FloatArray
    coregistered: FloatArray
    corrected: FloatArray
    reference: FloatArray
    gradient: tuple[FloatArray, FloatArray]
    curvature: FloatArray
    judged: BoolArray

    def step(self, name: str) -> FloatArray:
        """The difference after one of ``STEPS``.

        Parameters
        ----------
        name : one of ``STEPS``.
        """
        return {"raw": self.raw, "coregistered": self.coregistered, "corrected": self.corrected}[name]


@dataclass(frozen=True, kw_only=True)
class StableTerrain:
    """What the survey's stable pixels tell.

    Attributes
    ----------
    resolution : the resolution effect in all its forms, and which one is taken off.
    trends : tilt, share of the elevation and waves of reference minus aligned DEM, and what of them is taken off.
    """

    sample: StableSample
    resolution: ResolutionFits
    trends: Trends


def stable_sample(
    registration: Coregistration, terrain: SurveyedTerrain, choice: ResolutionChoice, runner: Runner,
    settings: ElevationChangeSettings,
) -> StableTerrain:  # fmt: skip
    """The survey's stable pixels, with the resolution effect and, if asked for, trends taken off their differences.

    Errors
    ------
    BadInput : fewer pixels than ``minimum_stable_pixels``.
    """
    pair, shift = registration.pair, registration.shift
    slopes = terrain.gradient
    unmoved = raster_windows(pair.unmoved, terrain.survey.lattice, runner)
    slope = slope_deg(*slopes)
    stable = terrain.survey.suitable & (slope <= settings.slope_max_deg)
    aligned = aligned_windows(pair, terrain.survey.lattice, shift, runner)
    stable &= np.isfinite(aligned) & np.isfinite(unmoved) & np.isfinite(terrain.centre)
    if int(stable.sum()) < settings.minimum_stable_pixels:
        raise BadInput(
            "stable terrain",
            f"{int(stable.sum())} pixels outside the glaciers",
            f"at least {settings.minimum_stable_pixels}",
            "widen the area, or check the outlines, their buffer and the stable mask",
        )
    reference = terrain.centre[stable]
    raw, difference = reference - unmoved[stable], reference - aligned[stable]
    curvature = _surveyed_curvature(pair, terrain, shift, runner)[stable]
    resolution = resolution_fits(
        registration, terrain, choice, Surveyed(difference=difference, curvature=curvature, stable=stable), settings,
        runner,
    )  # fmt: skip
    corrected = difference if resolution.taken_off is None else difference - resolution.taken_off
    east, north = (np.broadcast_to(part, stable.shape)[stable] for part in positions(pair, terrain))
    ground = Ground(east, north, reference)
    trends = fitted_trends(corrected, ground, places_of(terrain, pair)[stable], settings)
    if trends.taken_off is not None:
        corrected = corrected - trends.taken_off.at(ground).astype(np.float32)
    sign = pair.sign
    sample = StableSample(
        raw=sign * raw,
        coregistered=sign * difference,
        corrected=sign * corrected,
        judged=Range.within_nmad(sign * corrected, settings.outlier_nmad).holds(sign * corrected),
        fitting=slope[stable] >= settings.slope_min_deg,
        gradient=(slopes[0][stable], slopes[1][stable]),
        slope=slope[stable],
        aspect=aspect_deg(slopes[0][stable], slopes[1][stable]),
        curvature=curvature,
        elevation=reference,
        east_m=east,
        north_m=north,
    )
    return StableTerrain(sample=sample, resolution=resolution, trends=trends)


def positions(pair: DemPair, terrain: SurveyedTerrain) -> tuple[FloatArray, FloatArray]:
    """Easting and northing of the survey's pixels from the middle of the grid, m.

    Parameters
    ----------
    pair : tells the grid.
    terrain : tells the windows.
    """
    rows, columns = terrain.survey.rows_of(), terrain.survey.columns_of()
    east = (columns - (pair.shape[1] - 1) / 2) * pair.pixel_m
    north = ((pair.shape[0] - 1) / 2 - rows) * pair.pixel_m
    return east, north


def _surveyed_curvature(pair: DemPair, terrain: SurveyedTerrain, shift: Shift, runner: Runner) -> FloatArray:
    if not pair.curvature_of_aligned:
        return inner_maximum_curvature(terrain.survey.reference, pair.pixel_m)[..., 1:-1, 1:-1]
    wide = aligned_windows(pair, terrain.survey.lattice, shift, runner, rim=1)
    return inner_maximum_curvature(wide, pair.pixel_m)


def recipe_for(
    registration: Coregistration, stable: StableTerrain, settings: ElevationChangeSettings, *, with_error: bool
) -> Recipe:
    """What the survey says of how every pixel is corrected and judged, and of its error by terrain if asked for."""
    sample = stable.sample
    kept = sample.judged
    sigma, residual = None, Range(0.0, np.inf)
    if with_error:
        dh, slope, curvature = sample.corrected[kept], sample.slope[kept], sample.curvature[kept]
        sigma = terrain_sigma(dh, slope, curvature, np.ones(dh.shape, bool))
        residual = Range.within_nmad(dh / sigma.on(slope, curvature), RESIDUAL_LIMIT_NMAD)
    return Recipe(
        pair=registration.pair,
        shift=registration.shift,
        effect=stable.resolution.effect,
        trend=stable.trends.taken_off,
        judged=Range.within_nmad(sample.corrected, settings.outlier_nmad),
        tangent_squared=float(np.tan(np.radians(settings.slope_max_deg)) ** 2),
        sigma=sigma,
        residual=residual,
        settings=settings,
    )


def new_layers(pair: DemPair, scratch: Scratch, *, with_error: bool) -> Layers:
    """Empty rasters of the result.

    Parameters
    ----------
    pair : tells the grid.
    scratch : where they lie.
    with_error : whether a raster of sigma is among them.
    """
    dh = scratch.array(pair.shape)
    if not with_error:
        return Layers(dh, None)
    error = ErrorLayers(scratch.array(pair.shape, np.uint8), scratch.array(pair.shape), scratch.array(pair.shape))
    return Layers(dh, error)


def block_of_differences(recipe: Recipe, block: Block) -> BlockOfDifferences:
    """The differences of a block after every step, its terrain, and which of its pixels are judged.

    Parameters
    ----------
    recipe : all that a block needs to know.
    block : whole rows of the grid.
    """
    pair, shape = recipe.pair, recipe.pair.shape
    everywhere = slice(0, shape[1])
    wide = block.widened(RIM, shape[0])
    own = slice(block.start - wide.start, block.stop - wide.start)
    reference = pair.reference[wide, everywhere]
    aligned = pair.aligned.moved(wide if pair.curvature_of_aligned else block.rows, everywhere, recipe.shift)
    finer = aligned if pair.curvature_of_aligned else reference
    curvature = maximum_curvature(finer, pair.pixel_m)[own]
    if pair.curvature_of_aligned:
        aligned = aligned[own]
    slopes = gradient(reference, pair.pixel_m)
    raw = reference[own] - pair.unmoved[block.rows, everywhere]
    coregistered = np.subtract(reference[own], aligned, out=aligned)
    corrected = coregistered.copy()
    if recipe.effect is not None:
        corrected -= EffectRaster(recipe.effect, pair, recipe.shift)[block.rows, everywhere]
    if recipe.trend is not None:
        corrected -= _trend_on(pair, block, recipe.trend, reference[own])
    if pair.sign < 0:
        for values in (raw, coregistered, corrected):
            np.negative(values, out=values)
    slopes = (slopes[0][own], slopes[1][own])
    judged = _judged(recipe, block, reference, wide, slopes)
    judged &= recipe.judged.holds(corrected)
    judged &= np.isfinite(raw)
    return BlockOfDifferences(
        rows=block.rows,
        raw=raw,
        coregistered=coregistered,
        corrected=corrected,
        reference=reference[own],
        gradient=slopes,
        curvature=curvature,
        judged=judged,
    )


def _judged(
    recipe: Recipe, block: Block, reference: FloatArray, wide: slice, slopes: tuple[FloatArray, FloatArray]
) -> BoolArray:
    """Pixels of a block that are stable terrain by mask, water and slope."""
    pair, shape = recipe.pair, recipe.pair.shape
    judged = np.zeros((block.stop - block.start, shape[1]), bool)
    rows, columns = inner_rows(block.rows, shape), inner_columns(shape)
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return judged
    part = with_rim(rows)
    suitable = pair.suitable(reference[part.start - wide.start : part.stop - wide.start], rows, columns)
    inner = (slice(rows.start - block.start, rows.stop - block.start), columns)
    steepness = slopes[0][inner] ** 2
    steepness += slopes[1][inner] ** 2
    suitable &= steepness <= np.float32(recipe.tangent_squared)
    judged[inner] = suitable
    return judged


def _trend_on(pair: DemPair, block: Block, trend: Trend, elevation: FloatArray) -> FloatArray:
    east = (np.arange(pair.shape[1]) - (pair.shape[1] - 1) / 2) * pair.pixel_m
    north = ((pair.shape[0] - 1) / 2 - np.arange(block.start, block.stop)) * pair.pixel_m
    return trend.at(Ground(east[None, :], north[:, None], elevation)).astype(np.float32)


def store(recipe: Recipe, layers: Layers, part: BlockOfDifferences) -> None:
    """Write a block of every layer.

    Parameters
    ----------
    recipe : tells whether an error is asked for.
    layers : take the block.
    part : what was computed of it.
    """
    window = (part.rows, slice(0, recipe.pair.shape[1]))
    glacier = recipe.pair.mask[window] & np.uint8(ON_GLACIER) > 0
    dh = with_corrections(part.corrected, part.reference, glacier, recipe.settings)
    layers.dh[window] = dh
    if layers.error is None or recipe.sigma is None:
        return
    void = np.isnan(dh)
    layers.error.classification[window] = _classes(part.judged, glacier, void)
    sigma = recipe.sigma.on(slope_deg(*part.gradient), part.curvature)
    residual = part.corrected / sigma
    residual[~(part.judged & recipe.residual.holds(residual))] = np.nan
    layers.error.residual[window] = residual
    sigma[void] = np.nan
    layers.error.sigma[window] = sigma


def _classes(judged: BoolArray, glacier: BoolArray, void: BoolArray) -> NDArray[np.uint8]:
    classes = np.full(judged.shape, EXCLUDED, np.uint8)
    classes[judged] = STABLE
    classes[glacier] = GLACIER
    classes[void] = VOID
    return classes
