"""Elevation change by elevation: the sums of a glacier's bands, its profile, and the region's steps between bands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.pixels import GlacierPixels, IntArray
from pipeline.grid import FloatArray

# a band with fewer measured pixels gives no value to voids, as long as another band has as many
FEWEST_IN_BAND = 10
# the mean step between two bands is taken from so many glaciers at least
FEWEST_GLACIERS = 2


@dataclass(frozen=True, kw_only=True)
class Profile:
    """Sums over the elevation bands of one glacier; every band's values stand at its own place.

    Attributes
    ----------
    band_height_m : height of every band.
    first : number of the lowest band; band n reaches from n to n + 1 band heights.
    pixels, measured : numbers of all and of measured pixels, shape (bands,).
    dh_sum_m, height_sum_m : sums over the measured pixels, shape (bands,).
    """

    band_height_m: float
    first: int
    pixels: IntArray
    measured: IntArray
    dh_sum_m: FloatArray
    height_sum_m: FloatArray

    @classmethod
    def of(cls, pixels: GlacierPixels, band_height_m: float) -> Profile:
        """The bands between the glacier's lowest and highest pixel.

        Parameters
        ----------
        pixels : of one glacier.
        band_height_m : of the bands.
        """
        band = band_of(pixels.height, band_height_m)
        first = int(band.min())
        place, seen = band - first, pixels.observed
        bands = int(place.max()) + 1
        return cls(
            band_height_m=band_height_m,
            first=first,
            pixels=np.bincount(place, minlength=bands),
            measured=np.bincount(place[seen], minlength=bands),
            dh_sum_m=sums_of(place[seen], pixels.dh[seen], bands),
            height_sum_m=sums_of(place[seen], pixels.height[seen], bands),
        )

    @property
    def numbers(self) -> IntArray:
        """Number of each band."""
        return np.arange(self.first, self.first + self.pixels.size)


@dataclass(frozen=True)
class Nodes:
    """The bands whose mean change is known well enough to be lent to voids, from the lowest up.

    Attributes
    ----------
    number : of the bands, shape (nodes,).
    measured : measured pixels in each.
    height_m, dh_m : mean elevation and mean change of the measured pixels.
    """

    number: IntArray
    measured: IntArray
    height_m: FloatArray
    dh_m: FloatArray

    @classmethod
    def of(cls, profile: Profile) -> Nodes:
        """Nodes of a profile with at least one measured pixel.

        Parameters
        ----------
        profile : of one glacier.
        """
        enough = profile.measured >= min(FEWEST_IN_BAND, int(profile.measured.max()))
        count = profile.measured[enough]
        return cls(
            profile.numbers[enough], count, profile.height_sum_m[enough] / count, profile.dh_sum_m[enough] / count
        )

    def at(self, height_m: FloatArray) -> FloatArray:
        """Change at any elevation: straight lines between the nodes, the end values beyond them, m.

        Parameters
        ----------
        height_m : any shape.
        """
        change: FloatArray = np.interp(height_m, self.height_m, self.dh_m)
        return change


@dataclass(frozen=True, kw_only=True)
class Steps:
    """How the change goes on from a band to the next one above, within glaciers of the region.

    Attributes
    ----------
    first : the lowest band that has a step to the next.
    mean_m, sigma_m : mean over the glaciers, and standard deviation of one glacier's step about it, shape (steps,).
        Where fewer than two glaciers know a step, its mean is zero and its deviation the root mean square of all.
    typical_m : root mean square of all steps.
    """

    band_height_m: float
    first: int
    mean_m: FloatArray
    sigma_m: FloatArray
    typical_m: float

    @classmethod
    def of(cls, nodes: Sequence[Nodes], band_height_m: float) -> Steps:
        """Steps between neighbouring nodes of all glaciers.

        Without any two neighbouring nodes a step is held to be uncertain by as much as the change itself.

        Parameters
        ----------
        nodes : of each glacier.
        band_height_m : of the bands.
        """
        number, size = _all_steps(nodes)
        if number.size == 0:
            values = np.concatenate([own.dh_m for own in nodes]) if nodes else np.zeros(1)
            return cls(
                band_height_m=band_height_m,
                first=0,
                mean_m=np.empty(0),
                sigma_m=np.empty(0),
                typical_m=float(np.sqrt(np.mean(values**2))),
            )
        place = number - number.min()
        count = np.bincount(place)
        safe = np.maximum(count, 1)
        mean = np.bincount(place, size) / safe
        typical = float(np.sqrt(np.mean(size**2)))
        known = count >= FEWEST_GLACIERS
        # few glaciers know a step, so that the scatter about the mean is taken from all steps together
        freedom = float((count[known] - 1).sum())
        scatter = np.sum((size - mean[place])[known[place]] ** 2) / freedom if freedom else typical**2
        sigma = np.sqrt(scatter * (1 + 1 / safe))
        return cls(
            band_height_m=band_height_m,
            first=int(number.min()),
            mean_m=np.where(known, mean, 0.0),
            sigma_m=np.where(known, sigma, typical),
            typical_m=typical,
        )

    def rise(self, height_m: FloatArray) -> FloatArray:
        """Change at an elevation against that at any other one, by the mean steps summed up, m.

        Parameters
        ----------
        height_m : any shape.
        """
        middles = (self.first + 0.5 + np.arange(self.mean_m.size + 1)) * self.band_height_m
        total: FloatArray = np.interp(height_m, middles, np.concatenate([[0.0], np.cumsum(self.mean_m)]))
        return total

    def sigma_of(self, lower_band: IntArray) -> FloatArray:
        """Standard deviation of the step from each of these bands to the next above, m.

        Parameters
        ----------
        lower_band : numbers of bands, any shape.
        """
        place = lower_band - self.first
        inside = (place >= 0) & (place < self.sigma_m.size)
        result = np.full(lower_band.shape, self.typical_m)
        result[inside] = self.sigma_m[place[inside]]
        return result


def _all_steps(nodes: Sequence[Nodes]) -> tuple[IntArray, FloatArray]:
    """Lower band and size of every step between nodes of neighbouring bands."""
    numbers, sizes = [np.empty(0, np.int64)], [np.empty(0)]
    for own in nodes:
        next_to = np.diff(own.number) == 1
        numbers.append(own.number[:-1][next_to])
        sizes.append(np.diff(own.dh_m)[next_to])
    return np.concatenate(numbers), np.concatenate(sizes)


def band_of(height_m: FloatArray, band_height_m: float) -> IntArray:
    """Number of the band that holds each elevation: floor(height / band height).

    Parameters
    ----------
    height_m : any shape.
    band_height_m : of the bands.

    Example
    -------
    >>> band_of(np.array([3999.0, 4000.0]), 50.0).tolist()
    [79, 80]
    """
    number: IntArray = np.floor(height_m / band_height_m).astype(np.int64)
    return number


def sums_of(member: IntArray, values: FloatArray, classes: int) -> FloatArray:
    """Sum of the values of each class from 0 on; shape (classes,).

    Parameters
    ----------
    member : class of each value, shape (n,), 0 to classes - 1.
    values : shape (n,).
    classes : how many there are.
    """
    sums: FloatArray = np.bincount(member, values, classes).astype(np.float64, copy=False)
    return sums
