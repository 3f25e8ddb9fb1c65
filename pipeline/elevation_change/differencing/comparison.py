"""Compare two DEMs: co-registration, resolution correction, and their difference over stable terrain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, reduce
from operator import add
from typing import Any, Protocol

import numpy as np

from pipeline.blocks import Block
from pipeline.elevation_change.coregistration import (
    Coregistration,
    Iteration,
    StepOfAll,
    SurveyedTerrain,
    coarse_offset,
    plus,
    refuse_far,
    search_on_survey,
    sums_over_all_pixels,
    take_survey,
)
from pipeline.elevation_change.differencing.layers import (
    STEPS,
    BlockOfDifferences,
    Layers,
    Recipe,
    StableSample,
    block_of_differences,
    new_layers,
    recipe_for,
    stable_sample,
    store,
)
from pipeline.elevation_change.differencing.resolution_fits import ResolutionFits
from pipeline.elevation_change.differencing.shift_and_resolution import (
    InTurnStart,
    ResolutionChoice,
    solved_in_turn,
    with_effect,
)
from pipeline.elevation_change.differencing.trends import Trends
from pipeline.elevation_change.pairing import DemPair, Observations, resampled_at
from pipeline.elevation_change.resolution import EffectRaster
from pipeline.elevation_change.result import Shift, Statistics
from pipeline.elevation_change.statistics import Bins, Tally, statistics_of, tally
from pipeline.progress import Tell, silent
from pipeline.resources import Resources
from schemas.settings import ElevationChangeSettings

# the last step on all pixels may be so many tolerances long: a Newton step leaves less than a tenth of itself
LAST_STEP_TOLERANCES = 10


class Tallied(Protocol):
    """Tallies of stable terrain: they add up, and ``overall`` gives the one of each step of ``STEPS``."""

    @property
    def overall(self) -> Mapping[str, Tally]: ...

    def __add__(self, other: Any, /) -> Any: ...


# tallies a block of differences; made once the survey has shown what to expect
Tallying = Callable[[BlockOfDifferences], Tallied]


@dataclass(frozen=True)
class StepTallies:
    """The tally of all judged pixels after each step."""

    overall: Mapping[str, Tally]

    def __add__(self, other: StepTallies) -> StepTallies:
        return StepTallies({step: ours + other.overall[step] for step, ours in self.overall.items()})


@dataclass(frozen=True)
class TallyOfSteps:
    """Tallies a block, overall alone."""

    bins: Mapping[str, Bins]

    @classmethod
    def for_sample(cls, sample: StableSample) -> TallyOfSteps:
        """

        Parameters
        ----------
        sample : of stable terrain, m; tells the bins.
        """
        return cls({step: Bins.spanning(sample.step(step)) for step in STEPS})

    def __call__(self, part: BlockOfDifferences) -> StepTallies:
        return StepTallies({step: tally(part.step(step)[part.judged], self.bins[step]) for step in STEPS})


@dataclass(frozen=True, kw_only=True)
class Differenced:
    """The difference of a co-registered pair, before its uncertainty.

    Attributes
    ----------
    sample : stable pixels of the survey at the final shift.
    resolution : the resolution effect in all its forms, and which one was taken off.
    trends : tilt, share of the elevation and waves of reference minus aligned DEM, whether removed or not.
    tallied : all judged pixels after every step, as the tallying asked for.
    """

    registration: Coregistration
    terrain: SurveyedTerrain
    sample: StableSample
    resolution: ResolutionFits
    trends: Trends
    recipe: Recipe
    layers: Layers
    tallied: Tallied

    @property
    def statistics(self) -> dict[str, Statistics]:
        """Statistics of stable terrain after every step of ``STEPS``, on the same pixels."""
        return {step: statistics_of(tallied) for step, tallied in self.tallied.overall.items()}


def difference(
    observed: Observations,
    settings: ElevationChangeSettings,
    resources: Resources,
    tell: Tell = silent,
    *,
    tallying: Callable[[StableSample], Tallying] = TallyOfSteps.for_sample,
    with_error: bool = False,
) -> Differenced:
    """Co-register a pair, correct the resolution effect, and write its difference with the statistics of every step.

    Parameters
    ----------
    tallying : what is kept of the stable pixels; chosen with a sample of them.
    with_error : whether classification, sigma and the standardised residuals are written too.

    Errors
    ------
    BadInput : terrain on which no shift can be found; each message names the step.
    """
    tell("Co-registering by the cosine relation of aspect and elevation difference")
    registration, terrain, choice = coregistered(
        observed.pair, settings, resources, lambda pair, shift: resampled_at(observed, pair, shift, resources)
    )
    tell("Correcting the resolution effect")
    pair = registration.pair
    stable = stable_sample(registration, terrain, choice, resources.runner, settings)
    recipe = recipe_for(registration, stable, settings, with_error=with_error)
    layers = new_layers(pair, resources.scratch, with_error=with_error)
    tallies = resources.runner.map(
        partial(_write_block, recipe, layers, tallying(stable.sample)), resources.blocks(pair.shape)
    )
    tallied = reduce(add, tallies)
    return Differenced(
        registration=registration,
        terrain=terrain,
        sample=stable.sample,
        resolution=stable.resolution,
        trends=stable.trends,
        recipe=recipe,
        layers=layers,
        tallied=tallied,
    )


# reads the aligned DEM of a pair anew at a shift, or leaves the pair as it is where interpolating its pixels will do
Resample = Callable[[DemPair, Shift], DemPair]


def as_it_is(pair: DemPair, _shift: Shift) -> DemPair:
    """For a DEM whose pixels are the grid's own: the interpolation is its one resampling."""
    return pair


def coregistered(
    pair: DemPair, settings: ElevationChangeSettings, resources: Resources, resample: Resample = as_it_is
) -> tuple[Coregistration, SurveyedTerrain, ResolutionChoice]:
    """The shift that brings the aligned DEM onto the reference, found on a survey and settled on all stable pixels.

    Guessed from thinned pictures, found by least absolute deviations on the survey, then by steps over every pixel of
    the DEM resampled at the shift, until they are negligible (Nuth and Kaab, 2011, eq. 3, in the Cartesian form of
    Rosenholm and Torlegard, 1988).

    Parameters
    ----------
    pair : reference and aligned DEM on one grid.
    settings : of the elevation change.
    resources : what the run computes with.
    resample : gives the pair with the aligned DEM read anew at a shift.

    Errors
    ------
    BadInput : too few stable pixels, slopes facing one way, a shift beyond ``max_shift_m``, no convergence.
    """
    runner = resources.runner
    terrain = SurveyedTerrain(pair, take_survey(pair, runner), runner, settings)
    start = InTurnStart(*search_on_survey(terrain, coarse_offset(pair, runner, settings), settings))
    solved = solved_in_turn(pair, terrain, start, settings, runner)
    pair, terrain, shift, effect = solved.pair, solved.terrain, solved.shift, solved.effect
    iterations = list(solved.iterations)
    for _ in range(settings.max_iterations):
        moved = resample(pair, shift)
        in_place = moved is pair
        if not in_place:
            pair, terrain = moved, terrain.of(moved, runner)
        if effect is not None:
            terrain, effect = with_effect(terrain, pair, solved.choice, settings, (shift, runner))
        weighting, spread = terrain.weighting(terrain.difference(shift))
        taken_off = None if effect is None else EffectRaster(effect, pair, shift)
        sums = sums_over_all_pixels(StepOfAll(pair, shift, weighting, taken_off), runner, resources.blocks(pair.shape))
        step = sums.step(weighting.scale_m)
        length = float(np.hypot(step.east, step.north)) / (settings.tolerance_pixel * pair.pixel_m)
        last = length < (LAST_STEP_TOLERANCES if in_place else 1)
        # a DEM that was resampled at this shift stays where it is; its height can still be settled
        shift = plus(shift, sums.levelled(step if in_place else Shift(0.0, 0.0, 0.0)) if last else step)
        iterations.append(Iteration(shift, spread, sums.count))
        refuse_far(shift, settings)
        if last:
            break
    return Coregistration(pair, shift, tuple(iterations)), terrain, solved.choice


def _write_block(recipe: Recipe, layers: Layers, tallying: Tallying, block: Block) -> Tallied:
    part = block_of_differences(recipe, block)
    store(recipe, layers, part)
    return tallying(part)
