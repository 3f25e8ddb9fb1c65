"""Change of a glacier by its position between its own lowest and highest elevation, and by the distance to its margin.

Glaciers of one region change alike at like positions, wherever their elevations lie (Huss et al., 2010; McNabb et al.,
2019), so that each lends its profile to the others by position. Ice is thin at its margin and thins less there: a pixel
of margin class m at position p changes by

    dh(p, m) = g_m beta(p)

with factors g of the whole region and a profile beta of each glacier, straight between nodes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.elevation_profile import sums_of
from pipeline.elevation_change.glaciers.pixels import GlacierPixels, IntArray
from pipeline.elevation_change.uncertainty import Variogram
from pipeline.grid import BoolArray, FloatArray

# equal parts of a glacier's elevation range; its profile has a node at each end of every part
PARTS = 20
NODES = np.linspace(0, 1, PARTS + 1)
# distances from the margin at which one class ends and the next begins, m
MARGIN_M = (36.0, 50.0, 65.0, 80.0, 100.0, 125.0, 150.0, 180.0, 210.0, 240.0, 270.0)
MARGINS = len(MARGIN_M) + 1
# a part with fewer measured pixels counts as unmeasured where its voids are told to be extrapolated
FEWEST_IN_PART = 10
# what may be left of a profile near the margin: 1 - exp(-(d / L)^q); none of it where L is zero
REACHES_M, POWERS = (15.0, 25.0, 40.0, 60.0, 85.0, 115.0, 150.0, 200.0), (0.5, 1.0, 2.0)
PROBABILITY_OF_NONE = 0.2
ROUNDS = 3
# of a factor: the curves are no truer than that
LEAST_VARIANCE = 1e-4
# it is found against plain profiles: a level and a tongue that fades upwards as this power
PLAIN_BEND = 2.0


@dataclass(frozen=True, kw_only=True)
class PositionSums:
    """Sums over the parts of one glacier's elevation range and its margin classes; arrays have shape (parts, margins).

    Attributes
    ----------
    easting_m, northing_m, area_m2 : of the glacier; the place on the grid, from its corner.
    sigma_m : root mean square of the measured pixels' standard deviations.
    pixels, upper : number of all pixels, and the sum of their places within their part (0 below to 1 above).
    measured, measured_upper, dh_sum_m : the same of the measured pixels, and the sum of their changes.
    distance_m : sum of the distances from the margin over the pixels of each margin class, shape (margins,).
    """

    easting_m: float
    northing_m: float
    area_m2: float
    sigma_m: float
    pixels: FloatArray
    upper: FloatArray
    measured: FloatArray
    measured_upper: FloatArray
    dh_sum_m: FloatArray
    distance_m: FloatArray

    @classmethod
    def of(cls, pixels: GlacierPixels, pixel_m: float) -> PositionSums:
        """Sums of a glacier with at least one measured pixel.

        Parameters
        ----------
        pixels : of one glacier.
        pixel_m : side of a pixel, m.
        """
        part, place = places_of(position_of(pixels))
        margin = margin_of(pixels)
        member = part * MARGINS + margin
        seen = pixels.observed

        def summed(kept: FloatArray, chosen: IntArray) -> FloatArray:
            return sums_of(chosen, kept, PARTS * MARGINS).reshape(PARTS, MARGINS)

        return cls(
            easting_m=pixel_m * float(pixels.column.mean()),
            northing_m=-pixel_m * float(pixels.row.mean()),
            area_m2=pixel_m**2 * seen.size,
            sigma_m=float(np.sqrt(np.mean(pixels.sigma[seen] ** 2))),
            pixels=summed(np.ones(seen.size), member),
            upper=summed(place, member),
            measured=summed(np.ones(int(seen.sum())), member[seen]),
            measured_upper=summed(place[seen], member[seen]),
            dh_sum_m=summed(pixels.dh[seen], member[seen]),
            distance_m=sums_of(margin, pixels.from_margin, MARGINS),
        )

    @property
    def count(self) -> FloatArray:
        """Measured pixels of each part, shape (parts,)."""
        count: FloatArray = self.measured.sum(axis=1)
        return count

    @property
    def mean_m(self) -> FloatArray:
        """Mean measured change of each part, 0 where nothing is measured; shape (parts,)."""
        mean: FloatArray = self.dh_sum_m.sum(axis=1) / np.maximum(self.count, 1)
        return mean

    def design(self, factor: FloatArray) -> FloatArray:
        """What each part's mean takes of every node, shape (parts, nodes); zero where nothing is measured.

        Parameters
        ----------
        factor : of each margin class, shape (margins,).
        """
        above = self.measured_upper @ factor / np.maximum(self.count, 1)
        below = self.measured @ factor / np.maximum(self.count, 1) - above
        rows = np.zeros((PARTS, PARTS + 1))
        own = np.arange(PARTS)
        rows[own, own], rows[own, own + 1] = below, above
        return rows

    def voids(self, factor: FloatArray) -> FloatArray:
        """What the sum over the voids takes of every node, shape (nodes,).

        Parameters
        ----------
        factor : of each margin class, shape (margins,).
        """
        above = (self.upper - self.measured_upper) @ factor
        total = np.zeros(PARTS + 1)
        total[:-1] = (self.pixels - self.measured) @ factor - above
        total[1:] += above
        return total

    @property
    def extrapolated(self) -> int:
        """Voids below or above the parts that are measured."""
        known = np.flatnonzero(self.count >= min(FEWEST_IN_PART, self.count.max()))
        outside = np.ones(PARTS, bool)
        outside[known[0] : known[-1] + 1] = False
        return int((self.pixels - self.measured)[outside].sum())


def position_of(pixels: GlacierPixels) -> FloatArray:
    """Position of each pixel between the glacier's lowest (0) and highest (1) elevation; shape (pixels,).

        p = (z - z_min) / (z_max - z_min)

    Parameters
    ----------
    pixels : of one glacier.
    """
    lowest, highest = float(pixels.height.min()), float(pixels.height.max())
    position: FloatArray = (pixels.height - lowest) / max(highest - lowest, 1e-6)
    return position


def places_of(position: FloatArray) -> tuple[IntArray, FloatArray]:
    """Part of the elevation range that holds each position, and the place within it from 0 to 1; shape of position.

    Parameters
    ----------
    position : from 0 to 1, any shape.
    """
    part = np.minimum((position * PARTS).astype(np.int64), PARTS - 1)
    return part, position * PARTS - part


def margin_of(pixels: GlacierPixels) -> IntArray:
    """Margin class of each pixel, 0 at the margin itself; shape (pixels,).

    Parameters
    ----------
    pixels : of one glacier, with their distances from the margin.
    """
    classes: IntArray = np.digitize(pixels.from_margin, MARGIN_M)
    return classes


def margin_factors(glaciers: Sequence[PositionSums], error: Variogram) -> FloatArray:
    """How much of the profile is left near the margin: least squares over all glaciers in turn with their profiles.

        g_m = sum(beta dh) / sum(beta^2) over the measured pixels of class m,    g(d) = s (1 - exp(-(d / L)^q))

    The curve is the mean of those of many L and q, each counted by how probable the classes' g make it. The profiles
    are plain, a level and a tongue: bent after every part's own mean they would follow its noise.

    Parameters
    ----------
    glaciers : sums of each.
    error : spatial correlation of the error of measurement.

    Returns
    -------
    Shape (margins,); the mean over the measured pixels is one.
    """
    factor: FloatArray = np.ones(MARGINS)
    if not glaciers:
        return factor
    count = np.stack([own.measured for own in glaciers])
    change = np.stack([own.dh_sum_m for own in glaciers])
    by_class = count.sum(axis=(0, 1))
    pixels = np.stack([own.pixels for own in glaciers]).sum(axis=(0, 1))
    distance = np.stack([own.distance_m for own in glaciers]).sum(axis=0) / np.maximum(pixels, 1)
    noise = _noise_of_classes(glaciers, by_class, error)
    curves = _curves(distance, by_class)
    for _ in range(ROUNDS):
        profile = _plain_profiles(count @ factor**2, change @ factor)
        power = np.maximum(np.einsum("gp,gpm->m", profile**2, count), 1e-9)
        raw = np.einsum("gp,gpm->m", profile, change) / power
        factor = _mean_curve(curves, raw, noise * by_class / power, by_class > 0)
    return factor


def _noise_of_classes(glaciers: Sequence[PositionSums], by_class: FloatArray, error: Variogram) -> FloatArray:
    """Variance of the mean change of all measured pixels of each margin class, m2, as if they lay in discs."""
    pixel_m2 = sum(own.area_m2 for own in glaciers) / sum(own.pixels.sum() for own in glaciers)
    variance = float(np.mean([own.sigma_m**2 for own in glaciers]))
    areas = np.maximum(by_class * pixel_m2 / len(glaciers), pixel_m2)
    each = [variance * error.variance_of_disc_mean(float(area)) for area in areas]
    return np.array(each) / len(glaciers)


def _curves(distance_m: FloatArray, by_class: FloatArray) -> FloatArray:
    """What is left at each margin class, of a mean of one over the measured pixels; shape (curves, margins)."""
    reach, power = (values.ravel() for values in np.meshgrid(REACHES_M, POWERS))
    left = np.vstack([np.ones(MARGINS), -np.expm1(-((distance_m / reach[:, None]) ** power[:, None]))])
    mean = left @ by_class / by_class.sum()
    curves: FloatArray = left / mean[:, None]
    return curves


def _mean_curve(curves: FloatArray, raw: FloatArray, variance: FloatArray, known: BoolArray) -> FloatArray:
    """The curves, each counted by its probability, given the factors of the known classes and their variance."""
    weight = np.where(known, 1 / np.maximum(variance, LEAST_VARIANCE), 0.0)
    scale = (curves * weight) @ raw / np.maximum((curves**2) @ weight, 1e-12)
    square = ((raw - scale[:, None] * curves) ** 2) @ weight
    prior = np.full(len(curves), (1 - PROBABILITY_OF_NONE) / (len(curves) - 1))
    prior[0] = PROBABILITY_OF_NONE
    probable = prior * np.exp(-(square - square.min()) / 2)
    mean: FloatArray = probable @ curves / probable.sum()
    return mean


def _plain_profiles(weight: FloatArray, weighted_m: FloatArray) -> FloatArray:
    """Level and tongue of each glacier by weighted least squares, at the middle of every part, m.

    Parameters
    ----------
    weight, weighted_m : of each part, and its product with the change; shape (glaciers, parts).
    """
    middles = (np.arange(PARTS) + 0.5) / PARTS
    forms = np.column_stack([np.ones(PARTS), (1 - middles) ** PLAIN_BEND])
    normal = np.einsum("pi,gp,pj->gij", forms, weight, forms)
    # a glacier measured at one elevation alone has no tongue of its own
    normal += 0.01 * weight.sum(axis=1)[:, None, None] * np.diag([0.0, 1.0]) + 1e-9 * np.eye(2)
    fitted = np.linalg.solve(normal, (weighted_m @ forms)[..., None])[..., 0]
    plain: FloatArray = fitted @ forms.T
    return plain
