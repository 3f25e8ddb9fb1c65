"""Is a fitted correction of the resolution effect kept? Only where it helps and does no harm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from pipeline.elevation_change.statistics import IntArray, nmad
from pipeline.grid import FloatArray
from schemas.messages import Message

# a smaller gain can be chance: the NMAD of some ten thousand correlated pixels is known to about a percent
LEAST_GAIN = 0.01
BAND_M = 200.0
# fewer pixels or places than this tell nothing of a band
LEAST_PIXELS, LEAST_PLACES = 500, 8
SIGMAS = 2.0
# a share of the elevation is the DEMs' own from so many of its sigma and of what the correction changes of it on
SCALE_SIGMAS, SCALE_TIMES = 4.0, 2.0

NOT_NARROWER = Message("it does not narrow the spread of stable terrain")


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Stable pixels of the survey before and after a correction; arrays of shape (pixels,).

    Attributes
    ----------
    before, after : dh without and with it, each about its own vertical shift, m.
    elevation : m.
    place : number of the square of ground a pixel lies in; squares err independently.
    """

    before: FloatArray
    after: FloatArray
    elevation: FloatArray
    place: IntArray


@dataclass(frozen=True, kw_only=True)
class BandMeans:
    """Means of stable terrain, or of a band of it, before and after, m.

    Attributes
    ----------
    lower_m, upper_m : limits of the band; NaN for all of stable terrain.
    sigma_paired_m : standard deviation of the mean of what was taken off.
    sigma_after_m : standard deviation of the mean that is left.
    """

    lower_m: float
    upper_m: float
    count: int
    before_m: float
    after_m: float
    sigma_paired_m: float
    sigma_after_m: float

    def worse(self, sigmas: float) -> bool:
        """Whether the mean moved away from zero by more than so many sigma of the paired difference, and is not zero.

        A mean that lies within so many sigma of its own error of zero is as good as zero, wherever it came from.
        """
        moved = abs(self.after_m) - abs(self.before_m)
        return moved > sigmas * self.sigma_paired_m and abs(self.after_m) > sigmas * self.sigma_after_m


@dataclass(frozen=True)
class Bands:
    """Which stable pixels lie in which band of 200 m, and in which place; told once for all forms of a correction.

    Attributes
    ----------
    place : number of each pixel's place from 0 on, shape (pixels,).
    members : number of the band and the pixels in it, bands with enough pixels and places alone.
    """

    place: IntArray
    members: tuple[tuple[int, IntArray], ...]

    @classmethod
    def of(cls, elevation: FloatArray, place: IntArray) -> Bands:
        """

        Parameters
        ----------
        elevation : of the pixels, shape (pixels,), m.
        place : number of the square of ground that each lies in, from 0 on, shape (pixels,).
        """
        place = (np.cumsum(np.bincount(place) > 0) - 1)[place]
        # numbers of 16 bits are sorted in one pass
        number = np.floor(elevation / BAND_M).astype(np.int16)
        order = np.argsort(number, kind="stable")
        starts = np.flatnonzero(np.diff(number[order])) + 1
        parts = [part for part in np.split(order, starts) if part.size >= LEAST_PIXELS]
        enough = [part for part in parts if np.count_nonzero(np.bincount(place[part])) >= LEAST_PLACES]
        return cls(place, tuple((int(number[part[0]]), part) for part in enough))


def means_by_band(paired: Paired, bands: Bands | None = None) -> list[BandMeans]:
    """The mean of all stable terrain first, then of each band of 200 m with enough pixels and places.

    Parameters
    ----------
    bands : of the pixels, where they are known already.
    """
    bands = bands or Bands.of(paired.elevation, paired.place)
    means = [_means(paired, slice(None), bands.place, (float("nan"), float("nan")))]
    for band, members in bands.members:
        means.append(_means(paired, members, bands.place, (band * BAND_M, (band + 1) * BAND_M)))
    return means


def _means(paired: Paired, members: IntArray | slice, place: IntArray, limits: tuple[float, float]) -> BandMeans:
    before, after = (values[members].astype(np.float64) for values in (paired.before, paired.after))
    return BandMeans(
        lower_m=limits[0],
        upper_m=limits[1],
        count=int(before.size),
        before_m=float(before.mean()) if before.size else float("nan"),
        after_m=float(after.mean()) if before.size else float("nan"),
        sigma_paired_m=_sigma_of_mean(before - after, place[members]),
        sigma_after_m=_sigma_of_mean(after, place[members]),
    )


def _sigma_of_mean(values: FloatArray, place: IntArray) -> float:
    """Standard deviation of a mean whose places err independently: sqrt(n / (n - 1) sum_p (sum_i r_i)^2) / N."""
    if values.size == 0:
        return float("nan")
    sums = np.bincount(place, values - values.mean())
    places = max(2, int(np.count_nonzero(np.bincount(place))))
    return float(np.sqrt(places / (places - 1) * (sums**2).sum()) / values.size)


def reason_against(paired: Paired) -> Message | None:
    """Why a correction is not kept; None where it is.

    It must lower the NMAD of stable terrain by 1 %, and neither the mean of stable terrain nor that of any 200 m band
    may move away from zero by more than two sigma of the paired difference, the limit raised for the number of bands so
    that chance speaks as rarely as with one (Bonferroni). Means are compared without the share of the elevation
    that the two DEMs differ by anyway, beside which a correction of the one sign would look harmful whatever it does.
    """
    gained = nmad(paired.after) < (1 - LEAST_GAIN) * nmad(paired.before) if paired.before.size else False
    if not gained:
        return NOT_NARROWER
    means = means_by_band(without_own_scale(paired))
    chance = 2 * (1 - NormalDist().cdf(SIGMAS))
    sigmas = NormalDist().inv_cdf(1 - chance / 2 / len(means))
    for place in means:
        if place.worse(sigmas):
            return _moved(place)
    return None


def without_own_scale(paired: Paired) -> Paired:
    """The same without kappa (z - mean z) before and after, where that is the DEMs' own.

    kappa is the least-squares slope of dh on the elevation after the correction. It is the DEMs' own where it exceeds
    four of its standard deviations (squares of ground err independently) and twice what the correction changes of it;
    what the correction itself puts in stays and speaks against it.
    """
    if paired.after.size == 0:
        return paired
    elevation = paired.elevation.astype(np.float64)
    about = elevation - elevation.mean()
    squares = float(about @ about)
    if squares == 0:
        return paired
    after, before = (float(about @ values) / squares for values in (paired.after, paired.before))
    left = paired.after - paired.after.mean(dtype=np.float64) - after * about
    sums = np.bincount(np.unique(paired.place, return_inverse=True)[1].ravel(), about * left)
    sigma = float(np.sqrt(sums @ sums)) / squares
    if abs(after) <= SCALE_SIGMAS * sigma or abs(after) <= SCALE_TIMES * abs(before - after):
        return paired
    return replace(paired, before=paired.before - after * about, after=paired.after - after * about)


def _moved(place: BandMeans) -> Message:
    before, after = place.before_m, place.after_m
    if np.isnan(place.lower_m):
        return Message(
            "it would move the mean of stable terrain from {before:+.2f} to {after:+.2f} m", before=before, after=after
        )
    return Message(
        "it would move the mean of stable terrain at {lower:g} to {upper:g} m from {before:+.2f} to {after:+.2f} m",
        lower=place.lower_m,
        upper=place.upper_m,
        before=before,
        after=after,
    )
