"""The elevation bands of a glacier, and sums by class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.elevation_change.glaciers.pixels import GlacierPixels, IntArray
from pipeline.grid import FloatArray


@dataclass(frozen=True, kw_only=True)
class Bands:
    """The elevation bands of one glacier; every band's value stands at its own place.

    Attributes
    ----------
    band_height_m : height of every band.
    first : number of the lowest band; band n reaches from n to n + 1 band heights.
    pixels : how many lie in each, shape (bands,).
    """

    band_height_m: float
    first: int
    pixels: IntArray

    @classmethod
    def of(cls, pixels: GlacierPixels, band_height_m: float) -> Bands:
        """The bands between the glacier's lowest and highest pixel.

        Parameters
        ----------
        pixels : of one glacier.
        band_height_m : of the bands.
        """
        band = band_of(pixels.height, band_height_m)
        first = int(band.min())
        return cls(band_height_m=band_height_m, first=first, pixels=np.bincount(band - first))


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
